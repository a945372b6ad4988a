#pragma once
#include <stddef.h>

// *y = Σ x[i], with several partial sums whose number depends on the instruction set.
void ck_sum_f32(float *y, const float *x, size_t n);

// *y = max x[i]; n >= 1.
void ck_max_f32(float *y, const float *x, size_t n);

// y[r] = scale · Σ_c x[r, c] for dense x [rows, cols].
void ck_sum_rows_f32(float *y, const float *x, float scale, size_t rows, size_t cols);

// y[r] = max_c x[r, c] for dense x [rows, cols]; cols >= 1.
void ck_max_rows_f32(float *y, const float *x, size_t rows, size_t cols);

// y[c] = scale · Σ_r x[r · stride + c] for c in [0, cols): column sums, from top to bottom.
void ck_sum_columns_f32(
    float *y, const float *x, float scale, size_t rows, size_t cols, size_t stride);

// y[c] = max_r x[r · stride + c] for c in [0, cols); rows >= 1.
void ck_max_columns_f32(float *y, const float *x, size_t rows, size_t cols, size_t stride);

// y[r, c] = scale · x[c] for dense y [rows, cols].
void ck_repeat_row_f32(float *y, const float *x, float scale, size_t rows, size_t cols);

// y[r, c] = scale · x[r] for dense y [rows, cols].
void ck_repeat_columns_f32(float *y, const float *x, float scale, size_t rows, size_t cols);

// dx[r, c] = dy[c] / (number of rows with x[r, c] = y[c]) where x[r, c] = y[c], else 0; all dense
// [rows, cols] or [cols]. `ties` is room for cols numbers.
void ck_max_backward_f32(
    float *dx, float *ties, const float *dy, const float *x, const float *y, size_t rows,
    size_t cols);
