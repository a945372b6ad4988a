#include <string.h>

#include "CImageIO.h"

static inline uint8_t clamp_to_byte(int32_t sum) {
  int32_t value = sum >> CIO_WEIGHT_BITS;
  return value < 0 ? 0 : value > 255 ? 255 : (uint8_t)value;
}

void cio_resample_rows(uint8_t *dst, const uint8_t *src, size_t height, size_t src_width,
                       size_t dst_width, const cio_span *spans, const int32_t *weights,
                       size_t taps) {
  const int32_t half = 1 << (CIO_WEIGHT_BITS - 1);
  for (size_t y = 0; y < height; y++) {
    const uint8_t *row = src + y * src_width * 3;
    for (size_t x = 0; x < dst_width; x++, dst += 3) {
      const uint8_t *pixel = row + (size_t)spans[x].first * 3;
      const int32_t *weight = weights + x * taps;
      int32_t red = half, green = half, blue = half;
      for (uint32_t tap = 0; tap < spans[x].count; tap++, pixel += 3) {
        red += pixel[0] * weight[tap];
        green += pixel[1] * weight[tap];
        blue += pixel[2] * weight[tap];
      }
      dst[0] = clamp_to_byte(red);
      dst[1] = clamp_to_byte(green);
      dst[2] = clamp_to_byte(blue);
    }
  }
}

void cio_resample_columns(uint8_t *dst, const uint8_t *src, int32_t *scratch, size_t width,
                          size_t dst_height, const cio_span *spans, const int32_t *weights,
                          size_t taps) {
  const size_t stride = width * 3;
  for (size_t y = 0; y < dst_height; y++, dst += stride) {
    for (size_t x = 0; x < stride; x++) scratch[x] = 1 << (CIO_WEIGHT_BITS - 1);
    for (uint32_t tap = 0; tap < spans[y].count; tap++) {
      const uint8_t *row = src + (spans[y].first + (size_t)tap) * stride;
      const int32_t weight = weights[y * taps + tap];
      for (size_t x = 0; x < stride; x++) scratch[x] += row[x] * weight;
    }
    for (size_t x = 0; x < stride; x++) dst[x] = clamp_to_byte(scratch[x]);
  }
}

void cio_copy_strided(uint8_t *dst, const uint8_t *src, size_t width, size_t height,
                      ptrdiff_t first, ptrdiff_t step_x, ptrdiff_t step_y) {
  for (size_t y = 0; y < height; y++) {
    const uint8_t *pixel = src + (first + (ptrdiff_t)y * step_y) * 3;
    if (step_x == 1) {
      memcpy(dst, pixel, width * 3);
      dst += width * 3;
      continue;
    }
    for (size_t x = 0; x < width; x++, dst += 3, pixel += step_x * 3) {
      dst[0] = pixel[0];
      dst[1] = pixel[1];
      dst[2] = pixel[2];
    }
  }
}
