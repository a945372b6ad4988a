#pragma once
#include <stddef.h>
#include <stdint.h>

// Elementwise functions: y[i] = f(x[i]) for i in [0, n). y may alias x.
void ck_exp_f32(float *y, const float *x, size_t n);
void ck_log_f32(float *y, const float *x, size_t n);
void ck_sqrt_f32(float *y, const float *x, size_t n);
void ck_abs_f32(float *y, const float *x, size_t n);
void ck_square_f32(float *y, const float *x, size_t n);
void ck_tanh_f32(float *y, const float *x, size_t n);
void ck_sigmoid_f32(float *y, const float *x, size_t n);
void ck_silu_f32(float *y, const float *x, size_t n);
void ck_relu_f32(float *y, const float *x, size_t n);
void ck_gelu_f32(float *y, const float *x, size_t n);
void ck_gelu_tanh_f32(float *y, const float *x, size_t n);
void ck_quick_gelu_f32(float *y, const float *x, size_t n);
// x where x > 0, slope · x elsewhere.
void ck_leaky_relu_f32(float *y, const float *x, float slope, size_t n);
// x limited to [low, high].
void ck_clamp_f32(float *y, const float *x, float low, float high, size_t n);

// Their gradients: dx[i] = dy[i] · f'(x[i]) for i in [0, n); dx may alias dy.
// exp, sqrt, tanh and sigmoid take their result y in place of x.
void ck_exp_backward_f32(float *dx, const float *dy, const float *y, size_t n);
void ck_log_backward_f32(float *dx, const float *dy, const float *x, size_t n);
void ck_sqrt_backward_f32(float *dx, const float *dy, const float *y, size_t n);
void ck_abs_backward_f32(float *dx, const float *dy, const float *x, size_t n);
void ck_square_backward_f32(float *dx, const float *dy, const float *x, size_t n);
void ck_tanh_backward_f32(float *dx, const float *dy, const float *y, size_t n);
void ck_sigmoid_backward_f32(float *dx, const float *dy, const float *y, size_t n);
void ck_silu_backward_f32(float *dx, const float *dy, const float *x, size_t n);
void ck_relu_backward_f32(float *dx, const float *dy, const float *x, size_t n);
void ck_gelu_backward_f32(float *dx, const float *dy, const float *x, size_t n);
void ck_gelu_tanh_backward_f32(float *dx, const float *dy, const float *x, size_t n);
void ck_quick_gelu_backward_f32(float *dx, const float *dy, const float *x, size_t n);
void ck_leaky_relu_backward_f32(
    float *dx, const float *dy, const float *x, float slope, size_t n);
void ck_clamp_backward_f32(
    float *dx, const float *dy, const float *x, float low, float high, size_t n);

// y[r, c] = x[r, c] · gelu(x[r, width + c]) for rows r and c in [0, width); x has rows of 2 width.
void ck_geglu_f32(float *y, const float *x, size_t rows, size_t width);

// The gradient by x of ck_geglu_f32; dy is [rows, width], x and dx are [rows, 2 width].
void ck_geglu_backward_f32(
    float *dx, const float *dy, const float *x, size_t rows, size_t width);

// The same on bfloat16 numbers, computed in float.
void ck_geglu_bf16(uint16_t *y, const uint16_t *x, size_t rows, size_t width);
void ck_geglu_backward_bf16(
    uint16_t *dx, const uint16_t *dy, const uint16_t *x, size_t rows, size_t width);
