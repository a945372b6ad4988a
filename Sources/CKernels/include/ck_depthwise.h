#pragma once
#include <stddef.h>

// Sizes of a depthwise convolution: pictures are [height, width, channels], the kernel is
// [kernel_height, kernel_width, channels], results are [out_height, out_width, channels].
typedef struct {
  size_t height, width, channels, kernel_height, kernel_width, stride, top, left, out_height,
      out_width;
} ck_depthwise_t;

// Row `row` of the result for one picture x: y[i, c] = bias[c] + Σ w[h, k, c] · x[.., c]. bias may be
// null. y is [out_width, channels].
void ck_depthwise_row_f32(
    float *y, const float *x, const float *w, const float *bias, ck_depthwise_t shape, size_t row);

// Adds the gradient of result row `row`, dy [out_width, channels], to dx, which has the shape of x.
void ck_depthwise_row_backward_f32(
    float *dx, const float *dy, const float *w, ck_depthwise_t shape, size_t row);

// Adds the gradient by the kernel's element (tap_row, tap_column), dw [channels], of one picture x
// with the gradient dy of its whole result.
void ck_depthwise_weight_backward_f32(
    float *dw, const float *dy, const float *x, ck_depthwise_t shape, size_t tap_row,
    size_t tap_column);
