#pragma once
#include <stddef.h>
#include <stdint.h>

// Scores of one attention head: rows are queries, columns are keys; `stride` floats between rows.
// `key_bias` is added to every row and may be NULL; `-INFINITY` hides a key. `first_row` is the
// index of the first query when queries see only keys up to their own index, else -1.

// scores = softmax(scores * scale + key_bias) along the columns, and log_sums[i] = the logarithm of
// row i's sum of exponentials. A row that sees no key becomes zero, one with a NaN all NaN.
void ck_attention_softmax_f32(float *scores, ptrdiff_t stride, size_t rows, size_t columns,
                              float scale, const float *key_bias, ptrdiff_t first_row,
                              float *log_sums);

// scores = exp(scores * scale + key_bias - log_sums[i]): the same result once the sums are known.
void ck_attention_probabilities_f32(float *scores, ptrdiff_t stride, size_t rows, size_t columns,
                                    float scale, const float *key_bias, ptrdiff_t first_row,
                                    const float *log_sums);

// ds[i, j] = scale * p[i, j] * (ds[i, j] - dots[i]): softmax's gradient, in place.
void ck_attention_backward_f32(float *ds, const float *p, ptrdiff_t stride, size_t rows,
                               size_t columns, float scale, const float *dots);

// y[i] = sum over j of a[i * stride + j] * b[i * stride + j], j in [0, columns).
void ck_row_dots_f32(float *y, const float *a, const float *b, ptrdiff_t stride, size_t rows,
                     size_t columns);

// y[i * y_stride + j] = bfloat16(x[i * x_stride + j]); an odd number of columns is followed by a 0.
void ck_rows_to_bf16(uint16_t *y, ptrdiff_t y_stride, const float *x, ptrdiff_t x_stride,
                     size_t rows, size_t columns);
