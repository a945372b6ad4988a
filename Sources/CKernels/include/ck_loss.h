#pragma once
#include <stddef.h>
#include <stdint.h>

// *y = Σ (x[i] - t[i])².
void ck_squared_error_f32(float *y, const float *x, const float *t, size_t n);

// *y = Σ |x[i] - t[i]|.
void ck_absolute_error_f32(float *y, const float *x, const float *t, size_t n);

// *y = Σ max(x, 0) - x t + ln(1 + e^-|x|): the cross entropy of logits x with probabilities t.
void ck_bce_logits_f32(float *y, const float *x, const float *t, size_t n);

// Their gradients by x[i], times scale.
void ck_squared_error_backward_f32(
    float *dx, const float *x, const float *t, float scale, size_t n);
void ck_absolute_error_backward_f32(
    float *dx, const float *x, const float *t, float scale, size_t n);
void ck_bce_logits_backward_f32(
    float *dx, const float *x, const float *t, float scale, size_t n);

// *y = Σ_r ln Σ_c e^x[r, c] - x[r, ids[r]] for dense x [rows, cols].
void ck_cross_entropy_f32(
    float *y, const float *x, const int32_t *ids, size_t rows, size_t cols);

// dx[r, c] = scale · (softmax(x[r])[c] - (c == ids[r])).
void ck_cross_entropy_backward_f32(
    float *dx, const float *x, const int32_t *ids, float scale, size_t rows, size_t cols);
