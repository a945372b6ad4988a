#include <string.h>

#include "ck_bf16.h"
#include "ck_gemm.h"
#include "ck_variants.h"

enum { TILE = 16 };
typedef uint32_t words __attribute__((vector_size(TILE * 4), aligned(4)));

// Transposes a 16 x 16 block of 32-bit words in place, by swapping ever smaller sub-blocks.
CK_BODY void transpose_words(words r[TILE]) {
#define CK_SWAP(STEP, LOW, HIGH)                           \
  _Pragma("unroll") for (int i = 0; i < TILE; i++) {       \
    if (i & STEP) continue;                                \
    words a = r[i], b = r[i + STEP];                       \
    r[i] = LOW;                                            \
    r[i + STEP] = HIGH;                                    \
  }
  CK_SWAP(8, __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
          __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30,
                                  31))
  CK_SWAP(4, __builtin_shufflevector(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27),
          __builtin_shufflevector(a, b, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31))
  CK_SWAP(2, __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),
          __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31))
  CK_SWAP(1, __builtin_shufflevector(a, b, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30),
          __builtin_shufflevector(a, b, 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31))
#undef CK_SWAP
}

// y[j * y_stride + i] = x[i * x_stride + j]: 32-bit words, a block of at most 16 x 16.
CK_BODY void transpose_block_f32(float *y, ptrdiff_t y_stride, const float *x, ptrdiff_t x_stride,
                                 size_t rows, size_t columns) {
  if (rows == TILE && columns == TILE) {
    words r[TILE];
#pragma unroll
    for (int i = 0; i < TILE; i++) r[i] = *(const words *)(x + i * x_stride);
    transpose_words(r);
#pragma unroll
    for (int j = 0; j < TILE; j++) *(words *)(y + j * y_stride) = r[j];
    return;
  }
  for (size_t j = 0; j < columns; j++)
    for (size_t i = 0; i < rows; i++)
      y[(ptrdiff_t)j * y_stride + (ptrdiff_t)i] = x[(ptrdiff_t)i * x_stride + (ptrdiff_t)j];
}

CK_BODY void ck_transpose_f32_body(float *y, ptrdiff_t y_stride, const float *x, ptrdiff_t x_stride,
                                   size_t rows, size_t columns) {
  for (size_t i = 0; i < rows; i += TILE)
    for (size_t j = 0; j < columns; j += TILE)
      transpose_block_f32(y + (ptrdiff_t)j * y_stride + (ptrdiff_t)i, y_stride,
                          x + (ptrdiff_t)i * x_stride + (ptrdiff_t)j, x_stride,
                          rows - i < TILE ? rows - i : TILE,
                          columns - j < TILE ? columns - j : TILE);
}
CK_VARIANTS(ck_transpose_f32,
            (float *y, ptrdiff_t y_stride, const float *x, ptrdiff_t x_stride, size_t rows,
             size_t columns),
            (y, y_stride, x, x_stride, rows, columns))

CK_BODY void ck_transpose_bf16_body(uint16_t *y, ptrdiff_t y_stride, const float *x,
                                    ptrdiff_t x_stride, size_t rows, size_t columns) {
  for (size_t i0 = 0; i0 < rows; i0 += 2 * TILE) {
    const size_t left = rows - i0, pairs = left < 2 * TILE ? (left + 1) / 2 : TILE;
    for (size_t j0 = 0; j0 < columns; j0 += TILE) {
      const size_t width = columns - j0 < TILE ? columns - j0 : TILE;
      words r[TILE];
      memset(r, 0, sizeof r);
      for (size_t i = 0; i < pairs; i++) {
        const float *low = x + (ptrdiff_t)(i0 + 2 * i) * x_stride + (ptrdiff_t)j0;
        uint32_t *out = (uint32_t *)&r[i];
        if (i0 + 2 * i + 1 < rows && width == TILE)
          for (size_t j = 0; j < TILE; j++)
            out[j] = bf16_bits(low[j]) | bf16_bits(low[x_stride + (ptrdiff_t)j]) << 16;
        else
          for (size_t j = 0; j < width; j++)
            out[j] = bf16_bits(low[j]) |
                     (i0 + 2 * i + 1 < rows ? bf16_bits(low[x_stride + (ptrdiff_t)j]) << 16 : 0);
      }
      transpose_words(r);
      for (size_t j = 0; j < width; j++)
        memcpy(y + (ptrdiff_t)(j0 + j) * y_stride + (ptrdiff_t)i0, &r[j], pairs * 4);
    }
  }
}
CK_VARIANTS(ck_transpose_bf16,
            (uint16_t *y, ptrdiff_t y_stride, const float *x, ptrdiff_t x_stride, size_t rows,
             size_t columns),
            (y, y_stride, x, x_stride, rows, columns))

CK_BODY void ck_pack_b_f32_body(float *dst, size_t k_total, size_t k_offset, const float *src,
                                size_t k, size_t n, ptrdiff_t k_stride, ptrdiff_t n_stride,
                                size_t panel, size_t panel_end) {
  const size_t width = ck_gemm_panel();
  for (size_t p = panel; p < panel_end; p++) {
    float *out = dst + (p * k_total + k_offset) * width;
    const float *in = src + (ptrdiff_t)(p * width) * n_stride;
    const size_t left = n - p * width, columns = left < width ? left : width;
    if (columns < width) memset(out, 0, k * width * sizeof(float));
    if (n_stride == 1)
      for (size_t i = 0; i < k; i++)
        memcpy(out + i * width, in + (ptrdiff_t)i * k_stride, columns * sizeof(float));
    else
      ck_transpose_f32_body(out, (ptrdiff_t)width, in, n_stride, columns, k);
  }
}
CK_VARIANTS(ck_pack_b_f32,
            (float *dst, size_t k_total, size_t k_offset, const float *src, size_t k, size_t n,
             ptrdiff_t k_stride, ptrdiff_t n_stride, size_t panel, size_t panel_end),
            (dst, k_total, k_offset, src, k, n, k_stride, n_stride, panel, panel_end))

// One panel from columns of B that lie in one piece along k: pairs are neighbours in memory.
CK_BODY void pack_columns_bf16(uint32_t *out, const float *in, size_t k, size_t columns,
                               ptrdiff_t n_stride, size_t width) {
  const size_t pairs = (k + 1) / 2;
  for (size_t i0 = 0; i0 < pairs; i0 += TILE) {
    const size_t height = pairs - i0 < TILE ? pairs - i0 : TILE;
    const int whole = 2 * (i0 + TILE) <= k;
    for (size_t j0 = 0; j0 < columns; j0 += TILE) {
      const size_t across = columns - j0 < TILE ? columns - j0 : TILE;
      words r[TILE];
      memset(r, 0, sizeof r);
      for (size_t j = 0; j < across; j++) {
        const float *column = in + (ptrdiff_t)(j0 + j) * n_stride + 2 * i0;
        uint32_t *row = (uint32_t *)&r[j];
        if (whole)
          for (size_t i = 0; i < TILE; i++)
            row[i] = bf16_bits(column[2 * i]) | bf16_bits(column[2 * i + 1]) << 16;
        else
          for (size_t i = 0; i < height; i++)
            row[i] = bf16_bits(column[2 * i]) |
                     (2 * (i0 + i) + 1 < k ? bf16_bits(column[2 * i + 1]) << 16 : 0);
      }
      transpose_words(r);
      for (size_t i = 0; i < height; i++) memcpy(out + (i0 + i) * width + j0, &r[i], across * 4);
    }
  }
}

CK_BODY void ck_pack_b_bf16_body(uint16_t *dst, size_t k_total, size_t k_offset, const float *src,
                                 size_t k, size_t n, ptrdiff_t k_stride, ptrdiff_t n_stride,
                                 size_t panel, size_t panel_end) {
  const size_t width = ck_gemm_panel(), pairs = (k + 1) / 2;
  for (size_t p = panel; p < panel_end; p++) {
    uint32_t *out = (uint32_t *)(dst + (p * k_total + k_offset) * width);
    const float *in = src + (ptrdiff_t)(p * width) * n_stride;
    const size_t left = n - p * width, columns = left < width ? left : width;
    if (columns < width) memset(out, 0, pairs * width * sizeof(uint32_t));
    if (n_stride != 1) {
      pack_columns_bf16(out, in, k, columns, n_stride, width);
      continue;
    }
    for (size_t i = 0; i < pairs; i++) {
      const float *low = in + (ptrdiff_t)(2 * i) * k_stride, *high = low + k_stride;
      if (2 * i + 1 < k)
        for (size_t j = 0; j < columns; j++)
          out[i * width + j] = bf16_bits(low[j]) | bf16_bits(high[j]) << 16;
      else
        for (size_t j = 0; j < columns; j++) out[i * width + j] = bf16_bits(low[j]);
    }
  }
}
CK_VARIANTS(ck_pack_b_bf16,
            (uint16_t *dst, size_t k_total, size_t k_offset, const float *src, size_t k, size_t n,
             ptrdiff_t k_stride, ptrdiff_t n_stride, size_t panel, size_t panel_end),
            (dst, k_total, k_offset, src, k, n, k_stride, n_stride, panel, panel_end))

CK_BODY void ck_pack_b_rows_bf16_body(uint16_t *dst, size_t k_total, size_t k_offset,
                                      const uint16_t *src, size_t k, size_t n, ptrdiff_t k_stride,
                                      size_t panel, size_t panel_end) {
  const size_t width = ck_gemm_panel(), pairs = (k + 1) / 2;
  for (size_t p = panel; p < panel_end; p++) {
    uint32_t *out = (uint32_t *)(dst + (p * k_total + k_offset) * width);
    const size_t left = n - p * width, columns = left < width ? left : width;
    if (columns < width) memset(out, 0, pairs * width * sizeof(uint32_t));
    for (size_t i = 0; i < pairs; i++) {
      const uint16_t *low = src + (ptrdiff_t)(2 * i) * k_stride + p * width, *high = low + k_stride;
      if (2 * i + 1 < k)
        for (size_t j = 0; j < columns; j++)
          out[i * width + j] = (uint32_t)low[j] | (uint32_t)high[j] << 16;
      else
        for (size_t j = 0; j < columns; j++) out[i * width + j] = low[j];
    }
  }
}
CK_VARIANTS(ck_pack_b_rows_bf16,
            (uint16_t *dst, size_t k_total, size_t k_offset, const uint16_t *src, size_t k,
             size_t n, ptrdiff_t k_stride, size_t panel, size_t panel_end),
            (dst, k_total, k_offset, src, k, n, k_stride, panel, panel_end))

// Both pad kernels: TYPE is the element of y, CONVERT turns a float into it.
#define CK_PAD_BODY(TYPE, CONVERT)                                                               \
  const size_t line_length = p->width * p->y_channels;                                           \
  for (size_t l = line; l < line_end; l++) {                                                     \
    TYPE *out = y + l * line_length;                                                             \
    const ptrdiff_t row = (ptrdiff_t)l - p->top;                                                 \
    const int inside = row >= 0 && row % p->dilation == 0 &&                                     \
                       row / p->dilation < (ptrdiff_t)p->x_height;                               \
    if (!inside || p->channels != p->y_channels || p->dilation != 1 || p->left != 0 ||           \
        p->x_width != p->width)                                                                  \
      memset(out, 0, line_length * sizeof(TYPE));                                                \
    if (!inside) continue;                                                                       \
    const float *in = x + (size_t)(row / p->dilation) * p->x_width * p->channels;                \
    if (p->dilation == 1 && p->channels == p->y_channels && p->left >= 0 &&                      \
        p->left + (ptrdiff_t)p->x_width <= (ptrdiff_t)p->width) {                                \
      TYPE *start = out + (size_t)p->left * p->channels;                                         \
      for (size_t i = 0; i < p->x_width * p->channels; i++) start[i] = CONVERT(in[i]);           \
      continue;                                                                                  \
    }                                                                                            \
    for (size_t j = 0; j < p->x_width; j++) {                                                    \
      const ptrdiff_t column = p->left + (ptrdiff_t)j * p->dilation;                             \
      if (column < 0 || column >= (ptrdiff_t)p->width) continue;                                 \
      TYPE *pixel = out + (size_t)column * p->y_channels;                                        \
      for (size_t i = 0; i < p->channels; i++) pixel[i] = CONVERT(in[j * p->channels + i]);      \
    }                                                                                            \
  }

CK_BODY void ck_pad_f32_body(float *y, const float *x, const ck_pad_t *p, size_t line,
                             size_t line_end) {
  CK_PAD_BODY(float, )
}
CK_VARIANTS(ck_pad_f32,
            (float *y, const float *x, const ck_pad_t *p, size_t line, size_t line_end),
            (y, x, p, line, line_end))

CK_BODY void ck_pad_bf16_body(uint16_t *y, const float *x, const ck_pad_t *p, size_t line,
                              size_t line_end) {
  CK_PAD_BODY(uint16_t, (uint16_t)bf16_bits)
}
CK_VARIANTS(ck_pad_bf16,
            (uint16_t *y, const float *x, const ck_pad_t *p, size_t line, size_t line_end),
            (y, x, p, line, line_end))
