#include "ck_attention.h"

#include <math.h>

#include "ck_bf16.h"
#include "ck_math.h"
#include "ck_variants.h"

// Keys that query `row` sees, given how many there are.
CK_BODY size_t visible(ptrdiff_t first_row, size_t row, size_t columns) {
  if (first_row < 0) return columns;
  const size_t upto = (size_t)first_row + row + 1;
  return upto < columns ? upto : columns;
}

CK_BODY void ck_attention_softmax_f32_body(float *scores, ptrdiff_t stride, size_t rows,
                                           size_t columns, float scale, const float *key_bias,
                                           ptrdiff_t first_row, float *log_sums) {
#pragma clang fp reassociate(on)
  for (size_t i = 0; i < rows; i++) {
    float *row = scores + (ptrdiff_t)i * stride;
    const size_t seen = visible(first_row, i, columns);
    float top = -INFINITY;
    if (key_bias)
      for (size_t j = 0; j < seen; j++) row[j] = row[j] * scale + key_bias[j];
    else
      for (size_t j = 0; j < seen; j++) row[j] *= scale;
    for (size_t j = 0; j < seen; j++) top = row[j] > top ? row[j] : top;
    memset(row + seen, 0, (columns - seen) * sizeof(float));
    if (top == -INFINITY) {
      int has_nan = 0;
      for (size_t j = 0; j < seen; j++) has_nan |= row[j] != row[j];
      if (!has_nan) {
        memset(row, 0, seen * sizeof(float));
        log_sums[i] = INFINITY;
        continue;
      }
      top = NAN;
    }
    float sum = 0;
    for (size_t j = 0; j < seen; j++) {
      row[j] = ck_exp(row[j] - top);
      sum += row[j];
    }
    const float inverse = 1.0f / sum;
    for (size_t j = 0; j < seen; j++) row[j] *= inverse;
    log_sums[i] = top + ck_log(sum);
  }
}
CK_VARIANTS(ck_attention_softmax_f32,
            (float *scores, ptrdiff_t stride, size_t rows, size_t columns, float scale,
             const float *key_bias, ptrdiff_t first_row, float *log_sums),
            (scores, stride, rows, columns, scale, key_bias, first_row, log_sums))

CK_BODY void ck_attention_probabilities_f32_body(float *scores, ptrdiff_t stride, size_t rows,
                                                 size_t columns, float scale,
                                                 const float *key_bias, ptrdiff_t first_row,
                                                 const float *log_sums) {
  for (size_t i = 0; i < rows; i++) {
    float *row = scores + (ptrdiff_t)i * stride;
    const size_t seen = visible(first_row, i, columns);
    const float sum = log_sums[i];
    if (key_bias)
      for (size_t j = 0; j < seen; j++) row[j] = ck_exp(row[j] * scale + key_bias[j] - sum);
    else
      for (size_t j = 0; j < seen; j++) row[j] = ck_exp(row[j] * scale - sum);
    memset(row + seen, 0, (columns - seen) * sizeof(float));
  }
}
CK_VARIANTS(ck_attention_probabilities_f32,
            (float *scores, ptrdiff_t stride, size_t rows, size_t columns, float scale,
             const float *key_bias, ptrdiff_t first_row, const float *log_sums),
            (scores, stride, rows, columns, scale, key_bias, first_row, log_sums))

CK_BODY void ck_attention_backward_f32_body(float *ds, const float *p, ptrdiff_t stride,
                                            size_t rows, size_t columns, float scale,
                                            const float *dots) {
  for (size_t i = 0; i < rows; i++) {
    float *d = ds + (ptrdiff_t)i * stride;
    const float *q = p + (ptrdiff_t)i * stride;
    for (size_t j = 0; j < columns; j++) d[j] = scale * q[j] * (d[j] - dots[i]);
  }
}
CK_VARIANTS(ck_attention_backward_f32,
            (float *ds, const float *p, ptrdiff_t stride, size_t rows, size_t columns, float scale,
             const float *dots),
            (ds, p, stride, rows, columns, scale, dots))

CK_BODY void ck_row_dots_f32_body(float *y, const float *a, const float *b, ptrdiff_t stride,
                                  size_t rows, size_t columns) {
#pragma clang fp reassociate(on)
  for (size_t i = 0; i < rows; i++) {
    const float *p = a + (ptrdiff_t)i * stride, *q = b + (ptrdiff_t)i * stride;
    float sum = 0;
    for (size_t j = 0; j < columns; j++) sum += p[j] * q[j];
    y[i] = sum;
  }
}
CK_VARIANTS(ck_row_dots_f32,
            (float *y, const float *a, const float *b, ptrdiff_t stride, size_t rows,
             size_t columns),
            (y, a, b, stride, rows, columns))

CK_BODY void ck_rows_to_bf16_body(uint16_t *y, ptrdiff_t y_stride, const float *x,
                                  ptrdiff_t x_stride, size_t rows, size_t columns) {
  for (size_t i = 0; i < rows; i++) {
    uint16_t *out = y + (ptrdiff_t)i * y_stride;
    const float *in = x + (ptrdiff_t)i * x_stride;
    for (size_t j = 0; j < columns; j++) out[j] = (uint16_t)bf16_bits(in[j]);
    if (columns % 2) out[columns] = 0;
  }
}
CK_VARIANTS(ck_rows_to_bf16,
            (uint16_t *y, ptrdiff_t y_stride, const float *x, ptrdiff_t x_stride, size_t rows,
             size_t columns),
            (y, y_stride, x, x_stride, rows, columns))
