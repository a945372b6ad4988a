#include "ck_math.h"
#include "ck_norm.h"
#include "ck_reduce.h"
#include "ck_variants.h"

CK_INLINE float exp_row(float *y, const float *x, float shift, size_t n) {
#pragma clang fp reassociate(on)
  float total = 0.0f;
  CK_SAME_INDEX
  for (size_t i = 0; i < n; i++) {
    float e = ck_exp(x[i] - shift);
    y[i] = e;
    total += e;
  }
  return total;
}

CK_INLINE float dot_row(const float *x, const float *y, size_t n) {
#pragma clang fp reassociate(on)
  float total = 0.0f;
  for (size_t i = 0; i < n; i++) total += x[i] * y[i];
  return total;
}

CK_BODY void ck_softmax_f32_body(float *y, const float *x, size_t rows, size_t cols) {
  for (size_t r = 0; r < rows && cols > 0; r++) {
    float largest, *out = y + r * cols;
    ck_max_f32(&largest, x + r * cols, cols);
    float scale = 1.0f / exp_row(out, x + r * cols, largest, cols);
    for (size_t c = 0; c < cols; c++) out[c] *= scale;
  }
}
CK_VARIANTS(ck_softmax_f32, (float *y, const float *x, size_t rows, size_t cols), (y, x, rows, cols))

CK_BODY void ck_softmax_backward_f32_body(
    float *dx, const float *dy, const float *y, size_t rows, size_t cols) {
  for (size_t r = 0; r < rows; r++) {
    const float *d = dy + r * cols, *p = y + r * cols;
    float *out = dx + r * cols, dot = dot_row(d, p, cols);
    CK_SAME_INDEX
    for (size_t c = 0; c < cols; c++) out[c] = p[c] * (d[c] - dot);
  }
}
CK_VARIANTS(
    ck_softmax_backward_f32,
    (float *dx, const float *dy, const float *y, size_t rows, size_t cols),
    (dx, dy, y, rows, cols))
