#include <string.h>

#include "ck_gemm.h"
#include "ck_lanes.h"

// Rows that are packed together, few enough to stay in the first-level cache.
enum { ROWS = 32 };

CK_BODY size_t least(size_t a, size_t b) { return a < b ? a : b; }

// [k, n] rows into panels of `width` columns, each with room for panel_k rows.
CK_BODY void pack_rows_f32(float *dst, size_t panel_k, size_t width, const float *src,
                           ptrdiff_t stride, size_t k, size_t n) {
  for (size_t i0 = 0; i0 < k; i0 += ROWS)
    for (size_t j = 0; j < n; j += width) {
      float *out = dst + j * panel_k;
      const size_t columns = least(width, n - j);
      for (size_t i = i0; i < least(k, i0 + ROWS); i++) {
        memcpy(out + i * width, src + (ptrdiff_t)i * stride + j, columns * sizeof(float));
        if (columns < width) memset(out + i * width + columns, 0, (width - columns) * sizeof(float));
      }
    }
}

// The same in pairs of rows, from rows that LOAD(row, column, count) gives as bfloat16.
#define CK_PACK_PAIRS(LOAD)                                                                       \
  const size_t end = (n + width - 1) / width * width;                                             \
  for (size_t i0 = 0; i0 < k; i0 += ROWS)                                                         \
    for (size_t j = 0; j < end; j += CK_LANES) {                                                  \
      const size_t count = j < n ? least(CK_LANES, n - j) : 0;                                    \
      for (size_t i = i0; i < least(k, i0 + ROWS); i += 2) {                                      \
        const ck_h16 low = LOAD(i, j, count);                                                     \
        const ck_h16 high = i + 1 < k ? LOAD(i + 1, j, count) : (ck_h16){0};                      \
        ck_store_in_panels((uint32_t *)dst, panel_k / 2, width, i / 2, j, end,                    \
                           ck_pairs(low, high));                                                  \
      }                                                                                           \
    }

CK_BODY void pack_rows_bf16(uint16_t *dst, size_t panel_k, size_t width, const float *src,
                            ptrdiff_t stride, size_t k, size_t n, int native) {
#define CK_LOAD(I, J, N) ck_round(ck_load(src + (ptrdiff_t)(I) * stride + (J), N), native)
  CK_PACK_PAIRS(CK_LOAD)
#undef CK_LOAD
}

CK_BODY void ck_pack_panels_f32_body(float *dst, size_t panel_k, size_t width, const float *src,
                                     ptrdiff_t stride, size_t k, size_t n) {
  pack_rows_f32(dst, panel_k, width, src, stride, k, n);
}
CK_VARIANTS(ck_pack_panels_f32,
            (float *dst, size_t panel_k, size_t width, const float *src, ptrdiff_t stride,
             size_t k, size_t n),
            (dst, panel_k, width, src, stride, k, n))

CK_BODY void ck_pack_panels_bf16_body(uint16_t *dst, size_t panel_k, size_t width,
                                      const float *src, ptrdiff_t stride, size_t k, size_t n,
                                      int native) {
  pack_rows_bf16(dst, panel_k, width, src, stride, k, n, native);
}
CK_ROUNDING_VARIANTS(ck_pack_panels_bf16,
                     (uint16_t *dst, size_t panel_k, size_t width, const float *src,
                      ptrdiff_t stride, size_t k, size_t n),
                     dst, panel_k, width, src, stride, k, n)

CK_BODY void ck_pack_panels_rows_bf16_body(uint16_t *dst, size_t panel_k, size_t width,
                                           const uint16_t *src, ptrdiff_t stride, size_t k,
                                           size_t n) {
#define CK_LOAD(I, J, N) ck_load_bf16(src + (ptrdiff_t)(I) * stride + (J), N)
  CK_PACK_PAIRS(CK_LOAD)
#undef CK_LOAD
}
CK_VARIANTS(ck_pack_panels_rows_bf16,
            (uint16_t *dst, size_t panel_k, size_t width, const uint16_t *src, ptrdiff_t stride,
             size_t k, size_t n),
            (dst, panel_k, width, src, stride, k, n))

// Rows of a gradient from LOAD(row, column, count), sixteen floats: into panels, as rows, summed up.
#define CK_PACK_GRADIENT(LOAD)                                                                    \
  const size_t end = (n + g->width - 1) / g->width * g->width;                                    \
  for (size_t j = 0; j < end; j += CK_LANES) {                                                    \
    const size_t count = j < n ? least(CK_LANES, n - j) : 0;                                      \
    ck_f16 sum = {0};                                                                             \
    for (size_t i = 0; i < k; i += 2) {                                                           \
      const ck_f16 first = LOAD(i, j, count);                                                     \
      const ck_f16 second = i + 1 < k ? LOAD(i + 1, j, count) : (ck_f16){0};                      \
      const ck_h16 low = ck_round(first, native), high = ck_round(second, native);                \
      sum += first + second;                                                                      \
      if (g->panels)                                                                              \
        ck_store_in_panels((uint32_t *)g->panels, g->panel_k / 2, g->width, i / 2, j, end,        \
                           ck_pairs(low, high));                                                  \
      if (g->rows && count) {                                                                     \
        uint16_t *row = g->rows + i * g->rows_stride + j;                                         \
        const size_t room = least(CK_LANES, g->rows_stride - j);                                  \
        ck_store_bf16(row, low, room);                                                            \
        if (i + 1 < k) ck_store_bf16(row + g->rows_stride, high, room);                           \
      }                                                                                           \
    }                                                                                             \
    if (g->sums && count) ck_store(g->sums + j, sum, count);                                      \
  }

CK_BODY void ck_pack_gradient_body(const ck_gradient_t *g, const float *src, size_t k, size_t n,
                                   int native) {
#define CK_LOAD(I, J, N) ck_load(src + (I) * n + (J), N)
  CK_PACK_GRADIENT(CK_LOAD)
#undef CK_LOAD
}
CK_ROUNDING_VARIANTS(ck_pack_gradient,
                     (const ck_gradient_t *g, const float *src, size_t k, size_t n), g, src, k, n)

CK_BODY void ck_pack_gradient_bf16_body(const ck_gradient_t *g, const uint16_t *src, size_t k,
                                        size_t n, int native) {
#define CK_LOAD(I, J, N) ck_widen(ck_load_bf16(src + (I) * n + (J), N))
  CK_PACK_GRADIENT(CK_LOAD)
#undef CK_LOAD
}
CK_ROUNDING_VARIANTS(ck_pack_gradient_bf16,
                     (const ck_gradient_t *g, const uint16_t *src, size_t k, size_t n), g, src, k,
                     n)

CK_BODY void ck_pack_b_f32_body(float *dst, size_t k_total, size_t k_offset, const float *src,
                                size_t k, size_t n, ptrdiff_t k_stride, ptrdiff_t n_stride,
                                size_t panel, size_t panel_end) {
  const size_t width = ck_gemm_panel();
  for (size_t p = panel; p < panel_end; p++) {
    float *out = dst + (p * k_total + k_offset) * width;
    const float *in = src + (ptrdiff_t)(p * width) * n_stride;
    const size_t columns = least(width, n - p * width);
    if (n_stride == 1) {
      pack_rows_f32(out, k, width, in, k_stride, k, columns);
      continue;
    }
    if (columns < width) memset(out, 0, k * width * sizeof(float));
    for (size_t i0 = 0; i0 < k; i0 += CK_LANES)
      for (size_t j0 = 0; j0 < columns; j0 += CK_LANES) {
        const size_t height = least(CK_LANES, k - i0), across = least(CK_LANES, columns - j0);
        ck_u16 r[CK_LANES] = {0};
        for (size_t j = 0; j < across; j++)
          r[j] = (ck_u16)ck_load(in + (ptrdiff_t)(j0 + j) * n_stride + i0, height);
        ck_transpose_lanes(r);
        for (size_t i = 0; i < height; i++)
          memcpy(out + (i0 + i) * width + j0, &r[i], across * sizeof(float));
      }
  }
}
CK_VARIANTS(ck_pack_b_f32,
            (float *dst, size_t k_total, size_t k_offset, const float *src, size_t k, size_t n,
             ptrdiff_t k_stride, ptrdiff_t n_stride, size_t panel, size_t panel_end),
            (dst, k_total, k_offset, src, k, n, k_stride, n_stride, panel, panel_end))

// One panel from columns of B that lie in one piece along k: pairs are neighbours in memory.
CK_BODY void pack_columns_bf16(uint32_t *out, const float *in, size_t k, size_t columns,
                               ptrdiff_t n_stride, size_t width, int native) {
  const size_t pairs = (k + 1) / 2;
  for (size_t i0 = 0; i0 < pairs; i0 += CK_LANES) {
    const size_t height = least(CK_LANES, pairs - i0), left = k - 2 * i0;
    for (size_t j0 = 0; j0 < columns; j0 += CK_LANES) {
      const size_t across = least(CK_LANES, columns - j0);
      ck_u16 r[CK_LANES] = {0};
      for (size_t j = 0; j < across; j++) {
        const float *column = in + (ptrdiff_t)(j0 + j) * n_stride + 2 * i0;
        const ck_h16 halves[2] = {
            ck_round(ck_load(column, least(CK_LANES, left)), native),
            ck_round(ck_load(column + CK_LANES, left > CK_LANES ? left - CK_LANES : 0), native)};
        memcpy(&r[j], halves, sizeof r[j]);
      }
      ck_transpose_lanes(r);
      for (size_t i = 0; i < height; i++) memcpy(out + (i0 + i) * width + j0, &r[i], across * 4);
    }
  }
}

CK_BODY void ck_pack_b_bf16_body(uint16_t *dst, size_t k_total, size_t k_offset, const float *src,
                                 size_t k, size_t n, ptrdiff_t k_stride, ptrdiff_t n_stride,
                                 size_t panel, size_t panel_end, int native) {
  const size_t width = ck_gemm_panel();
  for (size_t p = panel; p < panel_end; p++) {
    uint16_t *out = dst + (p * k_total + k_offset) * width;
    const float *in = src + (ptrdiff_t)(p * width) * n_stride;
    const size_t columns = least(width, n - p * width);
    if (n_stride == 1) {
      pack_rows_bf16(out, k, width, in, k_stride, k, columns, native);
      continue;
    }
    if (columns < width) memset(out, 0, (k + 1) / 2 * width * sizeof(uint32_t));
    pack_columns_bf16((uint32_t *)out, in, k, columns, n_stride, width, native);
  }
}
CK_ROUNDING_VARIANTS(ck_pack_b_bf16,
                     (uint16_t *dst, size_t k_total, size_t k_offset, const float *src, size_t k,
                      size_t n, ptrdiff_t k_stride, ptrdiff_t n_stride, size_t panel,
                      size_t panel_end),
                     dst, k_total, k_offset, src, k, n, k_stride, n_stride, panel, panel_end)

enum { TURNED_PANEL = 32 };

CK_BODY void ck_turn_panels_bf16_body(uint16_t *dst, size_t dst_k, size_t dst_offset,
                                      const uint16_t *src, size_t src_k, size_t src_offset,
                                      size_t k, size_t n, size_t panel, size_t panel_end) {
  for (size_t p = panel; p < panel_end; p++)
    for (size_t o = 0; o < n; o += CK_LANES) {
      ck_u16 r[CK_LANES] = {0};
      for (size_t pair = 0; pair < CK_LANES; pair++) {
        const size_t i = p * TURNED_PANEL + 2 * pair;
        const size_t row = o / TURNED_PANEL * src_k + src_offset + i;
        if (i < k)
          r[pair] = *(const ck_u16 *)(src + row * TURNED_PANEL + 2 * (o % TURNED_PANEL));
      }
      ck_transpose_lanes(r);  // Now a column of B per entry.
      for (size_t j = 0; j < least(CK_LANES, n - o); j += 2) {
        ck_h16 first[2], second[2];
        memcpy(first, &r[j], sizeof first);
        memcpy(second, &r[j + 1], sizeof second);
        ck_u16 *out = (ck_u16 *)(dst + ((p - panel) * dst_k + dst_offset + o + j) * TURNED_PANEL);
        out[0] = ck_pairs(first[0], second[0]);
        out[1] = ck_pairs(first[1], second[1]);
      }
    }
}
CK_VARIANTS(ck_turn_panels_bf16,
            (uint16_t *dst, size_t dst_k, size_t dst_offset, const uint16_t *src, size_t src_k,
             size_t src_offset, size_t k, size_t n, size_t panel, size_t panel_end),
            (dst, dst_k, dst_offset, src, src_k, src_offset, k, n, panel, panel_end))

// The pad kernels: x has elements SOURCE, y has TYPE, and CONVERT(to, from, n) makes one of the other.
#define CK_PAD_BODY(SOURCE, TYPE, CONVERT)                                                       \
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
    const SOURCE *in = x + (size_t)(row / p->dilation) * p->x_width * p->channels;                \
    if (p->dilation == 1 && p->channels == p->y_channels && p->left >= 0 &&                      \
        p->left + (ptrdiff_t)p->x_width <= (ptrdiff_t)p->width) {                                \
      TYPE *start = out + (size_t)p->left * p->channels;                                         \
      CONVERT(start, in, p->x_width * p->channels);                                              \
      continue;                                                                                  \
    }                                                                                            \
    for (size_t j = 0; j < p->x_width; j++) {                                                    \
      const ptrdiff_t column = p->left + (ptrdiff_t)j * p->dilation;                             \
      if (column < 0 || column >= (ptrdiff_t)p->width) continue;                                 \
      TYPE *pixel = out + (size_t)column * p->y_channels;                                        \
      CONVERT(pixel, in + j * p->channels, p->channels);                                         \
    }                                                                                            \
  }

CK_BODY void ck_pad_f32_body(float *y, const float *x, const ck_pad_t *p, size_t line,
                             size_t line_end) {
#define CK_COPY(TO, FROM, N) memcpy(TO, FROM, (N) * sizeof(float))
  CK_PAD_BODY(float, float, CK_COPY)
#undef CK_COPY
}
CK_VARIANTS(ck_pad_f32,
            (float *y, const float *x, const ck_pad_t *p, size_t line, size_t line_end),
            (y, x, p, line, line_end))

CK_BODY void ck_pad_bf16_body(uint16_t *y, const float *x, const ck_pad_t *p, size_t line,
                              size_t line_end, int native) {
#define CK_COPY(TO, FROM, N) ck_round_row(TO, FROM, N, native)
  CK_PAD_BODY(float, uint16_t, CK_COPY)
#undef CK_COPY
}
CK_ROUNDING_VARIANTS(ck_pad_bf16,
                     (uint16_t *y, const float *x, const ck_pad_t *p, size_t line,
                      size_t line_end),
                     y, x, p, line, line_end)

CK_BODY void ck_pad_rows_bf16_body(uint16_t *y, const uint16_t *x, const ck_pad_t *p, size_t line,
                                   size_t line_end) {
#define CK_COPY(TO, FROM, N) memcpy(TO, FROM, (N) * sizeof(uint16_t))
  CK_PAD_BODY(uint16_t, uint16_t, CK_COPY)
#undef CK_COPY
}
CK_VARIANTS(ck_pad_rows_bf16,
            (uint16_t *y, const uint16_t *x, const ck_pad_t *p, size_t line, size_t line_end),
            (y, x, p, line, line_end))
