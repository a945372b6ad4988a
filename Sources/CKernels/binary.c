#include "ck_binary.h"

#include "ck_variants.h"

#define ROWS(expression)                                                           \
  for (size_t r = 0; r < rows; r++) {                                              \
    float *out = y + r * cols;                                                     \
    const float *p = a.x + (ptrdiff_t)r * a.row, *q = b.x + (ptrdiff_t)r * b.row;  \
    if (a.col != 0 && b.col != 0) {                                                \
      CK_SAME_INDEX                                                                \
      for (size_t c = 0; c < cols; c++) {                                          \
        float u = p[c], v = q[c];                                                  \
        out[c] = (expression);                                                     \
      }                                                                            \
    } else if (a.col != 0) {                                                       \
      float v = q[0];                                                              \
      CK_SAME_INDEX                                                                \
      for (size_t c = 0; c < cols; c++) {                                          \
        float u = p[c];                                                            \
        out[c] = (expression);                                                     \
      }                                                                            \
    } else if (b.col != 0) {                                                       \
      float u = p[0];                                                              \
      CK_SAME_INDEX                                                                \
      for (size_t c = 0; c < cols; c++) {                                          \
        float v = q[c];                                                            \
        out[c] = (expression);                                                     \
      }                                                                            \
    } else {                                                                       \
      float u = p[0], v = q[0], value = (expression);                              \
      for (size_t c = 0; c < cols; c++) out[c] = value;                            \
    }                                                                              \
  }

CK_BODY void ck_binary_f32_body(
    float *y, ck_operand_t a, ck_operand_t b, ck_binary_t op, size_t rows, size_t cols) {
  switch (op) {
    case CK_ADD: ROWS(u + v) break;
    case CK_SUBTRACT: ROWS(u - v) break;
    case CK_MULTIPLY: ROWS(u * v) break;
    case CK_DIVIDE: ROWS(u / v) break;
  }
}
CK_VARIANTS(
    ck_binary_f32,
    (float *y, ck_operand_t a, ck_operand_t b, ck_binary_t op, size_t rows, size_t cols),
    (y, a, b, op, rows, cols))

CK_BODY void ck_affine_f32_body(float *y, const float *x, float scale, float shift, size_t n) {
  CK_SAME_INDEX
  for (size_t i = 0; i < n; i++) y[i] = scale * x[i] + shift;
}
CK_VARIANTS(
    ck_affine_f32, (float *y, const float *x, float scale, float shift, size_t n),
    (y, x, scale, shift, n))

CK_BODY void ck_reciprocal_f32_body(float *y, float numerator, const float *x, size_t n) {
  CK_SAME_INDEX
  for (size_t i = 0; i < n; i++) y[i] = numerator / x[i];
}
CK_VARIANTS(
    ck_reciprocal_f32, (float *y, float numerator, const float *x, size_t n),
    (y, numerator, x, n))

CK_BODY void ck_divide_scalar_f32_body(float *y, const float *x, float divisor, size_t n) {
  CK_SAME_INDEX
  for (size_t i = 0; i < n; i++) y[i] = x[i] / divisor;
}
CK_VARIANTS(
    ck_divide_scalar_f32, (float *y, const float *x, float divisor, size_t n),
    (y, x, divisor, n))
