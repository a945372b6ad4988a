#pragma once
#include <stddef.h>
#include <stdint.h>

// Pictures are dense [height, width, channels].

typedef struct {
  size_t height, width, channels;
} ck_picture_t;

// A window of size × size pixels that moves by `stride` over a picture with `padding` around it.
typedef struct {
  size_t size, stride, padding;
} ck_window_t;

// Row `row` of the result of nearest-neighbour resizing: pixel i of y [width, channels] is pixel
// columns[i] of x, one row of the source.
void ck_upsample_row_f32(
    float *y, const float *x, const uint32_t *columns, size_t width, size_t channels);

// Gradient of one source row: pixel i of dx [width, channels] is the sum of the pixels
// [starts[i], starts[i + 1]) of `rows` rows of dy, which are dy_width pixels wide.
void ck_upsample_row_backward_f32(
    float *dx, const float *dy, const uint32_t *starts, size_t width, size_t channels,
    size_t rows, size_t dy_width);

// Row `row` of max pooling; padding counts as -infinity. y is [out_width, channels].
void ck_max_pool_row_f32(
    float *y, const float *x, ck_picture_t shape, ck_window_t window, size_t row,
    size_t out_width);

// Adds the gradient of result row `row` to dx, which has the shape of x. In each window the first
// pixel that has the maximum gets it. `rest` is room for `channels` numbers.
void ck_max_pool_row_backward_f32(
    float *dx, float *rest, const float *dy, const float *x, const float *y, ck_picture_t shape,
    ck_window_t window, size_t row, size_t out_width);

// Row `row` of average pooling; padding counts as zeros. y is [out_width, channels].
void ck_average_pool_row_f32(
    float *y, const float *x, ck_picture_t shape, ck_window_t window, size_t row,
    size_t out_width);

// Adds the gradient of result row `row` to dx, which has the shape of x.
void ck_average_pool_row_backward_f32(
    float *dx, const float *dy, ck_picture_t shape, ck_window_t window, size_t row,
    size_t out_width);
