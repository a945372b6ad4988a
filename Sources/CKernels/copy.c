#include "ck_copy.h"

#include <string.h>

void ck_copy_rows_f32(
    float *y, const float *x, size_t rows, size_t cols, size_t y_stride, size_t x_stride) {
  if (cols < 8) {
    for (size_t r = 0; r < rows; r++)
      for (size_t c = 0; c < cols; c++) y[r * y_stride + c] = x[r * x_stride + c];
    return;
  }
  for (size_t r = 0; r < rows; r++) memcpy(y + r * y_stride, x + r * x_stride, cols * sizeof *y);
}

// Tiles of 16 by 16, so that every cache line fetched from x or y is used whole.
void ck_transpose_f32(
    float *y, const float *x, size_t rows, size_t cols, size_t y_stride, size_t x_stride) {
  enum { tile = 16 };
  for (size_t r0 = 0; r0 < rows; r0 += tile) {
    size_t r1 = r0 + tile < rows ? r0 + tile : rows;
    for (size_t c0 = 0; c0 < cols; c0 += tile) {
      size_t c1 = c0 + tile < cols ? c0 + tile : cols;
      for (size_t c = c0; c < c1; c++)
        for (size_t r = r0; r < r1; r++) y[c * y_stride + r] = x[r * x_stride + c];
    }
  }
}
