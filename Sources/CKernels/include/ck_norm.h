#pragma once
#include <stddef.h>
#include <stdint.h>

// Activations hold bfloat16 numbers where their flag is not 0, and floats otherwise.

// Per-channel statistics of dense x [rows, cols], rows >= 1: mean[c], and m2[c], the sum of squared
// deviations from it. The deviations are summed around the first row, so that a large mean does
// not cost precision.
void ck_channel_moments(float *mean, float *m2, const void *x, int is_bf16, size_t rows,
                        size_t cols);

// y = (x - mean[c]) · scale[c] + bias[c], followed by silu when `silu` is not 0.
// x and y are dense [rows, cols]; the others [cols].
void ck_normalize(void *y, int y_is_bf16, const void *x, int x_is_bf16, const float *mean,
                  const float *scale, const float *bias, int silu, size_t rows, size_t cols);

// What the gradient of ck_normalize is computed from. With z = (x - mean[c]) · scale[c] + bias[c], dz
// is dy, times the slope of silu at z when `silu` is not 0.
typedef struct {
  const void *x, *dy;
  int x_is_bf16, dy_is_bf16;
  const float *mean, *scale, *bias;
  int silu;
} ck_normalize_t;

// sum[c] = Σ_r dz, dot[c] = Σ_r dz · (x - mean[c]).
void ck_normalize_sums(float *sum, float *dot, const ck_normalize_t *g, size_t rows, size_t cols);

// dx = p[c] · dz + q[c] · (x - mean[c]) + r[c], dense [rows, cols] of x's type.
void ck_normalize_backward(void *dx, const ck_normalize_t *g, const float *p, const float *q,
                           const float *r, size_t rows, size_t cols);

// Layer normalisation of every row of dense x [rows, cols]:
// y = (x - mean[r]) · rstd[r] · weight[c] + bias[c], rstd = 1 / sqrt(variance + eps).
void ck_layer_norm(void *y, int is_bf16, float *mean, float *rstd, const float *x,
                   const float *weight, const float *bias, float eps, size_t rows, size_t cols);

// Its gradients: dx [rows, cols]; d_weight and d_bias [cols] are the sums over these rows. dx may
// be null, and so may d_weight together with d_bias.
void ck_layer_norm_backward(float *dx, float *d_weight, float *d_bias, const void *dy,
                            int dy_is_bf16, const float *x, const float *mean, const float *rstd,
                            const float *weight, size_t rows, size_t cols);

// Softmax of every row of dense x [rows, cols]. y may alias x.
void ck_softmax_f32(float *y, const float *x, size_t rows, size_t cols);

// dx = y · (dy - Σ_c dy · y) per row. dx may alias dy.
void ck_softmax_backward_f32(
    float *dx, const float *dy, const float *y, size_t rows, size_t cols);
