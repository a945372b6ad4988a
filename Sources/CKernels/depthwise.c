#include "ck_depthwise.h"

#include "ck_math.h"
#include "ck_variants.h"

typedef struct {
  size_t start, end;
} span_t;

// The results along an axis whose window has its element `tap` inside of [0, length).
CK_INLINE span_t results(
    size_t tap, size_t padding, size_t stride, size_t length, size_t out_length) {
  size_t start = tap >= padding ? 0 : (padding - tap + stride - 1) / stride;
  size_t end = length + padding > tap ? (length + padding - tap + stride - 1) / stride : 0;
  return (span_t){start, end < out_length ? end : out_length};
}

CK_BODY void ck_depthwise_row_f32_body(
    float *restrict y, const float *restrict x, const float *restrict w,
    const float *restrict bias, ck_depthwise_t s, size_t row) {
  const size_t n = s.channels;
  for (size_t i = 0; i < s.out_width; i++)
    for (size_t c = 0; c < n; c++) y[i * n + c] = bias ? bias[c] : 0.0f;
  for (size_t h = 0; h < s.kernel_height; h++) {
    const size_t at = row * s.stride + h;
    if (at < s.top || at - s.top >= s.height) continue;
    const float *line = x + (at - s.top) * s.width * n;
    for (size_t k = 0; k < s.kernel_width; k++) {
      const float *tap = w + (h * s.kernel_width + k) * n;
      const span_t span = results(k, s.left, s.stride, s.width, s.out_width);
      for (size_t i = span.start; i < span.end; i++) {
        const float *in = line + (i * s.stride + k - s.left) * n;
        float *out = y + i * n;
        for (size_t c = 0; c < n; c++) out[c] += tap[c] * in[c];
      }
    }
  }
}
CK_VARIANTS(
    ck_depthwise_row_f32,
    (float *y, const float *x, const float *w, const float *bias, ck_depthwise_t shape,
     size_t row),
    (y, x, w, bias, shape, row))

CK_BODY void ck_depthwise_row_backward_f32_body(
    float *restrict dx, const float *restrict dy, const float *restrict w, ck_depthwise_t s,
    size_t row) {
  const size_t n = s.channels;
  for (size_t h = 0; h < s.kernel_height; h++) {
    const size_t at = row * s.stride + h;
    if (at < s.top || at - s.top >= s.height) continue;
    float *line = dx + (at - s.top) * s.width * n;
    for (size_t k = 0; k < s.kernel_width; k++) {
      const float *tap = w + (h * s.kernel_width + k) * n;
      const span_t span = results(k, s.left, s.stride, s.width, s.out_width);
      for (size_t i = span.start; i < span.end; i++) {
        float *in = line + (i * s.stride + k - s.left) * n;
        const float *out = dy + i * n;
        for (size_t c = 0; c < n; c++) in[c] += tap[c] * out[c];
      }
    }
  }
}
CK_VARIANTS(
    ck_depthwise_row_backward_f32,
    (float *dx, const float *dy, const float *w, ck_depthwise_t shape, size_t row),
    (dx, dy, w, shape, row))

CK_BODY void ck_depthwise_weight_backward_f32_body(
    float *restrict dw, const float *restrict dy, const float *restrict x, ck_depthwise_t s,
    size_t tap_row, size_t tap_column) {
  const size_t n = s.channels;
  const span_t rows = results(tap_row, s.top, s.stride, s.height, s.out_height);
  const span_t cols = results(tap_column, s.left, s.stride, s.width, s.out_width);
  for (size_t r = rows.start; r < rows.end; r++) {
    for (size_t i = cols.start; i < cols.end; i++) {
      const float *in =
          x + ((r * s.stride + tap_row - s.top) * s.width + i * s.stride + tap_column - s.left) * n;
      const float *out = dy + (r * s.out_width + i) * n;
      for (size_t c = 0; c < n; c++) dw[c] += in[c] * out[c];
    }
  }
}
CK_VARIANTS(
    ck_depthwise_weight_backward_f32,
    (float *dw, const float *dy, const float *x, ck_depthwise_t shape, size_t tap_row,
     size_t tap_column),
    (dw, dy, x, shape, tap_row, tap_column))
