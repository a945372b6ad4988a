#pragma once
#include <stddef.h>

// y[r · y_stride + c] = x[r · x_stride + c] for r in [0, rows), c in [0, cols).
void ck_copy_rows_f32(
    float *y, const float *x, size_t rows, size_t cols, size_t y_stride, size_t x_stride);
