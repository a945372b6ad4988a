#include "ck_loss.h"

#include "ck_math.h"
#include "ck_norm.h"
#include "ck_reduce.h"
#include "ck_variants.h"

#define LOSS(name, value, slope)                                                    \
  CK_INLINE float name##_block(const float *x, const float *t, size_t n) {          \
    _Pragma("clang fp reassociate(on)") float total = 0.0f;                         \
    for (size_t i = 0; i < n; i++) {                                                \
      float v = x[i], target = t[i];                                                \
      total += (value);                                                             \
    }                                                                               \
    return total;                                                                   \
  }                                                                                 \
  CK_BODY void ck_##name##_f32_body(                                                \
      float *y, const float *x, const float *t, size_t n) {                         \
    float total = 0.0f;                                                             \
    size_t i = 0;                                                                   \
    for (; i + 1024 <= n; i += 1024) total += name##_block(x + i, t + i, 1024);     \
    *y = total + name##_block(x + i, t + i, n - i);                                 \
  }                                                                                 \
  CK_VARIANTS(                                                                      \
      ck_##name##_f32, (float *y, const float *x, const float *t, size_t n),        \
      (y, x, t, n))                                                                 \
  CK_BODY void ck_##name##_backward_f32_body(                                       \
      float *restrict dx, const float *x, const float *t, float scale, size_t n) {  \
    for (size_t i = 0; i < n; i++) {                                                \
      float v = x[i], target = t[i];                                                \
      dx[i] = scale * (slope);                                                      \
    }                                                                               \
  }                                                                                 \
  CK_VARIANTS(                                                                      \
      ck_##name##_backward_f32,                                                     \
      (float *dx, const float *x, const float *t, float scale, size_t n),           \
      (dx, x, t, scale, n))

CK_INLINE float magnitude(float x) { return x < 0.0f ? -x : x; }

LOSS(squared_error, (v - target) * (v - target), 2.0f * (v - target))
LOSS(
    absolute_error, magnitude(v - target),
    v > target ? 1.0f : (v < target ? -1.0f : 0.0f))
LOSS(
    bce_logits, (v > 0.0f ? v : 0.0f) - v * target + ck_log1p(ck_exp(-magnitude(v))),
    ck_sigmoid(v) - target)

CK_INLINE float exp_sum(const float *x, float shift, size_t n) {
#pragma clang fp reassociate(on)
  float total = 0.0f;
  for (size_t i = 0; i < n; i++) total += ck_exp(x[i] - shift);
  return total;
}

CK_BODY void ck_cross_entropy_f32_body(
    float *y, const float *x, const int32_t *ids, size_t rows, size_t cols) {
  float total = 0.0f;
  for (size_t r = 0; r < rows; r++) {
    const float *row = x + r * cols;
    float largest;
    ck_max_f32(&largest, row, cols);
    total += ck_log(exp_sum(row, largest, cols)) + (largest - row[ids[r]]);
  }
  *y = total;
}
CK_VARIANTS(
    ck_cross_entropy_f32,
    (float *y, const float *x, const int32_t *ids, size_t rows, size_t cols),
    (y, x, ids, rows, cols))

void ck_cross_entropy_backward_f32(
    float *dx, const float *x, const int32_t *ids, float scale, size_t rows, size_t cols) {
  ck_softmax_f32(dx, x, rows, cols);
  for (size_t r = 0; r < rows; r++) {
    float *row = dx + r * cols;
    row[ids[r]] -= 1.0f;
    for (size_t c = 0; c < cols; c++) row[c] *= scale;
  }
}
