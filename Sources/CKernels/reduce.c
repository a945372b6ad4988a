#include "ck_reduce.h"

#include "ck_math.h"
#include "ck_variants.h"

CK_INLINE float sum_block(const float *x, size_t n) {
#pragma clang fp reassociate(on)
  float total = 0.0f;
  for (size_t i = 0; i < n; i++) total += x[i];
  return total;
}

// Blocks keep the rounding error of long sums small.
CK_INLINE float sum(const float *x, size_t n) {
  enum { block = 1024 };
  float total = 0.0f;
  size_t i = 0;
  for (; i + block <= n; i += block) total += sum_block(x + i, block);
  return total + sum_block(x + i, n - i);
}

// Eight maxima at a time; `>` and not fmax, which would not vectorise.
CK_INLINE float largest(const float *x, size_t n) {
  enum { lanes = 32 };
  float best = x[0];
  size_t i = 0;
  if (n >= lanes) {
    float m[lanes];
    for (size_t j = 0; j < lanes; j++) m[j] = x[j];
    for (i = lanes; i + lanes <= n; i += lanes)
      for (size_t j = 0; j < lanes; j++) m[j] = x[i + j] > m[j] ? x[i + j] : m[j];
    for (size_t j = 0; j < lanes; j++) best = m[j] > best ? m[j] : best;
  }
  for (; i < n; i++) best = x[i] > best ? x[i] : best;
  return best;
}

CK_BODY void ck_sum_f32_body(float *y, const float *x, size_t n) { *y = sum(x, n); }
CK_VARIANTS(ck_sum_f32, (float *y, const float *x, size_t n), (y, x, n))

CK_BODY void ck_max_f32_body(float *y, const float *x, size_t n) { *y = largest(x, n); }
CK_VARIANTS(ck_max_f32, (float *y, const float *x, size_t n), (y, x, n))

CK_BODY void ck_sum_rows_f32_body(
    float *y, const float *x, float scale, size_t rows, size_t cols) {
  for (size_t r = 0; r < rows; r++) y[r] = scale * sum(x + r * cols, cols);
}
CK_VARIANTS(
    ck_sum_rows_f32, (float *y, const float *x, float scale, size_t rows, size_t cols),
    (y, x, scale, rows, cols))

CK_BODY void ck_max_rows_f32_body(float *y, const float *x, size_t rows, size_t cols) {
  for (size_t r = 0; r < rows; r++) y[r] = largest(x + r * cols, cols);
}
CK_VARIANTS(
    ck_max_rows_f32, (float *y, const float *x, size_t rows, size_t cols), (y, x, rows, cols))

CK_BODY void ck_sum_columns_f32_body(
    float *restrict y, const float *restrict x, float scale, size_t rows, size_t cols,
    size_t stride) {
  for (size_t c = 0; c < cols; c++) y[c] = 0.0f;
  size_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    const float *p = x + r * stride, *q = p + stride, *s = q + stride, *t = s + stride;
    for (size_t c = 0; c < cols; c++) y[c] += (p[c] + q[c]) + (s[c] + t[c]);
  }
  for (; r < rows; r++)
    for (size_t c = 0; c < cols; c++) y[c] += x[r * stride + c];
  for (size_t c = 0; c < cols; c++) y[c] *= scale;
}
CK_VARIANTS(
    ck_sum_columns_f32,
    (float *y, const float *x, float scale, size_t rows, size_t cols, size_t stride),
    (y, x, scale, rows, cols, stride))

CK_BODY void ck_max_columns_f32_body(
    float *restrict y, const float *restrict x, size_t rows, size_t cols, size_t stride) {
  for (size_t c = 0; c < cols; c++) y[c] = x[c];
  for (size_t r = 1; r < rows; r++) {
    const float *p = x + r * stride;
    for (size_t c = 0; c < cols; c++) y[c] = p[c] > y[c] ? p[c] : y[c];
  }
}
CK_VARIANTS(
    ck_max_columns_f32, (float *y, const float *x, size_t rows, size_t cols, size_t stride),
    (y, x, rows, cols, stride))

CK_BODY void ck_repeat_row_f32_body(
    float *restrict y, const float *restrict x, float scale, size_t rows, size_t cols) {
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < cols; c++) y[r * cols + c] = scale * x[c];
}
CK_VARIANTS(
    ck_repeat_row_f32, (float *y, const float *x, float scale, size_t rows, size_t cols),
    (y, x, scale, rows, cols))

CK_BODY void ck_repeat_columns_f32_body(
    float *restrict y, const float *restrict x, float scale, size_t rows, size_t cols) {
  for (size_t r = 0; r < rows; r++) {
    float value = scale * x[r];
    for (size_t c = 0; c < cols; c++) y[r * cols + c] = value;
  }
}
CK_VARIANTS(
    ck_repeat_columns_f32, (float *y, const float *x, float scale, size_t rows, size_t cols),
    (y, x, scale, rows, cols))

CK_BODY void ck_max_backward_f32_body(
    float *restrict dx, float *restrict ties, const float *restrict dy, const float *restrict x,
    const float *restrict y, size_t rows, size_t cols) {
  for (size_t c = 0; c < cols; c++) ties[c] = 0.0f;
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < cols; c++) ties[c] += x[r * cols + c] == y[c] ? 1.0f : 0.0f;
  for (size_t c = 0; c < cols; c++) ties[c] = dy[c] / ties[c];
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < cols; c++)
      dx[r * cols + c] = x[r * cols + c] == y[c] ? ties[c] : 0.0f;
}
CK_VARIANTS(
    ck_max_backward_f32,
    (float *dx, float *ties, const float *dy, const float *x, const float *y, size_t rows,
     size_t cols),
    (dx, ties, dy, x, y, rows, cols))
