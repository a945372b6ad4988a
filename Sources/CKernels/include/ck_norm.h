#pragma once
#include <stddef.h>
#include <stdint.h>

// Per-channel statistics of dense x [rows, cols], rows >= 1: mean[c], and m2[c], the sum of squared
// deviations from it. The deviations are summed around the first row, so that a large mean does
// not cost precision.
void ck_channel_moments_f32(float *mean, float *m2, const float *x, size_t rows, size_t cols);

// y = (x - mean[c]) · scale[c] + bias[c], followed by silu when `silu` is not 0.
// x and y are dense [rows, cols] and may alias; the others [cols].
void ck_normalize_f32(
    float *y, const float *x, const float *mean, const float *scale, const float *bias, int silu,
    size_t rows, size_t cols);

// The same with y rounded to bfloat16.
void ck_normalize_bf16(
    uint16_t *y, const float *x, const float *mean, const float *scale, const float *bias,
    int silu, size_t rows, size_t cols);

// Sums that the gradient of ck_normalize_f32 needs: sum[c] = Σ_r dz, dot[c] = Σ_r dz · (x - mean[c])
// where dz is dy, or dy times the slope of silu when `silu` is not 0; then dz [rows, cols] is
// written too. All matrices dense; dz may alias dy.
void ck_normalize_sums_f32(
    float *sum, float *dot, float *dz, const float *dy, const float *x, const float *mean,
    const float *scale, const float *bias, int silu, size_t rows, size_t cols);

// The same with silu and a bfloat16 dy.
void ck_normalize_silu_sums_bf16(
    float *sum, float *dot, float *dz, const uint16_t *dy, const float *x, const float *mean,
    const float *scale, const float *bias, size_t rows, size_t cols);

// dx = p[c] · dz + q[c] · (x - mean[c]) + r[c]; dense [rows, cols], dx may alias dz.
void ck_normalize_backward_f32(
    float *dx, const float *dz, const float *x, const float *mean, const float *p, const float *q,
    const float *r, size_t rows, size_t cols);

// Layer normalisation of every row of dense x [rows, cols]:
// y = (x - mean[r]) · rstd[r] · weight[c] + bias[c], rstd = 1 / sqrt(variance + eps).
void ck_layer_norm_f32(
    float *y, float *mean, float *rstd, const float *x, const float *weight, const float *bias,
    float eps, size_t rows, size_t cols);

// The same with y rounded to bfloat16.
void ck_layer_norm_bf16(
    uint16_t *y, float *mean, float *rstd, const float *x, const float *weight, const float *bias,
    float eps, size_t rows, size_t cols);

// Its gradients: dx [rows, cols]; d_weight and d_bias [cols] are the sums over these rows. dx may
// be null, and so may d_weight together with d_bias.
void ck_layer_norm_backward_f32(
    float *dx, float *d_weight, float *d_bias, const float *dy, const float *x, const float *mean,
    const float *rstd, const float *weight, size_t rows, size_t cols);

// Softmax of every row of dense x [rows, cols]. y may alias x.
void ck_softmax_f32(float *y, const float *x, size_t rows, size_t cols);

// dx = y · (dy - Σ_c dy · y) per row. dx may alias dy.
void ck_softmax_backward_f32(
    float *dx, const float *dy, const float *y, size_t rows, size_t cols);
