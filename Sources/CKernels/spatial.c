#include "ck_spatial.h"

#include <string.h>

#include "ck_math.h"
#include "ck_variants.h"

void ck_upsample_row_f32(
    float *y, const float *x, const uint32_t *columns, size_t width, size_t channels) {
  for (size_t i = 0; i < width; i++)
    memcpy(y + i * channels, x + columns[i] * channels, channels * sizeof *y);
}

CK_BODY void ck_upsample_row_backward_f32_body(
    float *restrict dx, const float *restrict dy, const uint32_t *restrict starts, size_t width,
    size_t channels, size_t rows, size_t dy_width) {
  for (size_t i = 0; i < width; i++) {
    float *out = dx + i * channels;
    size_t start = starts[i], end = starts[i + 1];
    if (rows == 2 && end == start + 2) {
      const float *a = dy + start * channels, *b = a + channels;
      const float *c = a + dy_width * channels, *d = c + channels;
      for (size_t k = 0; k < channels; k++) out[k] = (a[k] + b[k]) + (c[k] + d[k]);
      continue;
    }
    for (size_t k = 0; k < channels; k++) out[k] = 0.0f;
    for (size_t r = 0; r < rows; r++)
      for (size_t j = start; j < end; j++)
        for (size_t k = 0; k < channels; k++) out[k] += dy[(r * dy_width + j) * channels + k];
  }
}
CK_VARIANTS(
    ck_upsample_row_backward_f32,
    (float *dx, const float *dy, const uint32_t *starts, size_t width, size_t channels,
     size_t rows, size_t dy_width),
    (dx, dy, starts, width, channels, rows, dy_width))

typedef struct {
  size_t start, end;
} span_t;

// The part of window number `index` that lies inside [0, length).
CK_INLINE span_t inside(ck_window_t window, size_t index, size_t length) {
  size_t start = index * window.stride, end = start + window.size;
  start = start > window.padding ? start - window.padding : 0;
  end = end > window.padding ? end - window.padding : 0;
  return (span_t){start, end < length ? end : length};
}

CK_BODY void ck_max_pool_row_f32_body(
    float *restrict y, const float *restrict x, ck_picture_t shape, ck_window_t window,
    size_t row, size_t out_width) {
  size_t n = shape.channels;
  span_t rows = inside(window, row, shape.height);
  for (size_t i = 0; i < out_width; i++) {
    float *out = y + i * n;
    span_t cols = inside(window, i, shape.width);
    for (size_t c = 0; c < n; c++) out[c] = -ck_from_bits(0x7f800000u);
    for (size_t h = rows.start; h < rows.end; h++) {
      for (size_t w = cols.start; w < cols.end; w++) {
        const float *in = x + (h * shape.width + w) * n;
        for (size_t c = 0; c < n; c++) out[c] = in[c] > out[c] ? in[c] : out[c];
      }
    }
  }
}
CK_VARIANTS(
    ck_max_pool_row_f32,
    (float *y, const float *x, ck_picture_t shape, ck_window_t window, size_t row,
     size_t out_width),
    (y, x, shape, window, row, out_width))

CK_BODY void ck_max_pool_row_backward_f32_body(
    float *restrict dx, float *restrict rest, const float *restrict dy, const float *restrict x,
    const float *restrict y, ck_picture_t shape, ck_window_t window, size_t row,
    size_t out_width) {
  size_t n = shape.channels;
  span_t rows = inside(window, row, shape.height);
  for (size_t i = 0; i < out_width; i++) {
    const float *top = y + i * n;
    span_t cols = inside(window, i, shape.width);
    for (size_t c = 0; c < n; c++) rest[c] = dy[i * n + c];
    for (size_t h = rows.start; h < rows.end; h++) {
      for (size_t w = cols.start; w < cols.end; w++) {
        size_t at = (h * shape.width + w) * n;
        for (size_t c = 0; c < n; c++) {
          float given = x[at + c] == top[c] ? rest[c] : 0.0f;
          dx[at + c] += given;
          rest[c] -= given;
        }
      }
    }
  }
}
CK_VARIANTS(
    ck_max_pool_row_backward_f32,
    (float *dx, float *rest, const float *dy, const float *x, const float *y, ck_picture_t shape,
     ck_window_t window, size_t row, size_t out_width),
    (dx, rest, dy, x, y, shape, window, row, out_width))

CK_BODY void ck_average_pool_row_f32_body(
    float *restrict y, const float *restrict x, ck_picture_t shape, ck_window_t window,
    size_t row, size_t out_width) {
  size_t n = shape.channels;
  float scale = 1.0f / (float)(window.size * window.size);
  span_t rows = inside(window, row, shape.height);
  for (size_t i = 0; i < out_width; i++) {
    float *out = y + i * n;
    span_t cols = inside(window, i, shape.width);
    for (size_t c = 0; c < n; c++) out[c] = 0.0f;
    for (size_t h = rows.start; h < rows.end; h++) {
      for (size_t w = cols.start; w < cols.end; w++) {
        const float *in = x + (h * shape.width + w) * n;
        for (size_t c = 0; c < n; c++) out[c] += in[c];
      }
    }
    for (size_t c = 0; c < n; c++) out[c] *= scale;
  }
}
CK_VARIANTS(
    ck_average_pool_row_f32,
    (float *y, const float *x, ck_picture_t shape, ck_window_t window, size_t row,
     size_t out_width),
    (y, x, shape, window, row, out_width))

CK_BODY void ck_average_pool_row_backward_f32_body(
    float *restrict dx, const float *restrict dy, ck_picture_t shape, ck_window_t window,
    size_t row, size_t out_width) {
  size_t n = shape.channels;
  float scale = 1.0f / (float)(window.size * window.size);
  span_t rows = inside(window, row, shape.height);
  for (size_t i = 0; i < out_width; i++) {
    span_t cols = inside(window, i, shape.width);
    for (size_t h = rows.start; h < rows.end; h++) {
      for (size_t w = cols.start; w < cols.end; w++) {
        float *out = dx + (h * shape.width + w) * n;
        for (size_t c = 0; c < n; c++) out[c] += scale * dy[i * n + c];
      }
    }
  }
}
CK_VARIANTS(
    ck_average_pool_row_backward_f32,
    (float *dx, const float *dy, ck_picture_t shape, ck_window_t window, size_t row,
     size_t out_width),
    (dx, dy, shape, window, row, out_width))
