#include "ck_winograd.h"

#include "ck_gemm.h"
#include "ck_lanes.h"
#include "ck_winograd_tile.h"

// Bᵀ d B of n channels from c on, for tiles of size x size pixels of the source.
CK_BODY void input_transform(ck_f16 v[MAX_PLACES], const window *w, enum number source, size_t c,
                             size_t n, int size) {
  ck_f16 t[MAX_SIZE][MAX_SIZE];
#pragma unroll
  for (int j = 0; j < size; j++) {
    ck_f16 d[MAX_SIZE], line[MAX_SIZE];
#pragma unroll
    for (int i = 0; i < size; i++) d[i] = pixel(w, source, size * i + j, c, n);
    input_line(line, d, size);
#pragma unroll
    for (int i = 0; i < size; i++) t[i][j] = line[i];
  }
#pragma unroll
  for (int i = 0; i < size; i++) input_line(v + size * i, t[i], size);
}

// A dy Aᵀ of n channels from c on, for tiles of size - 2 by size - 2 pixels of the result.
CK_BODY void gradient_transform(ck_f16 z[MAX_PLACES], const window *w, enum number source, size_t c,
                                size_t n, int size) {
  const int side = size - 2;
  ck_f16 t[MAX_SIZE][MAX_SIZE - 2];
#pragma unroll
  for (int j = 0; j < side; j++) {
    ck_f16 d[MAX_SIZE - 2], line[MAX_SIZE];
#pragma unroll
    for (int i = 0; i < side; i++) d[i] = pixel(w, source, side * i + j, c, n);
    gradient_line(line, d, size);
#pragma unroll
    for (int i = 0; i < size; i++) t[i][j] = line[i];
  }
#pragma unroll
  for (int i = 0; i < size; i++) gradient_line(z + size * i, t[i], size);
}

// One vector of channels of a tile of ck_winograd_input_*: n of them are there.
CK_BODY void input_f32(float *v, size_t plane, const window *w, size_t c, size_t n, int size) {
  ck_f16 out[MAX_PLACES];
  input_transform(out, w, FLOAT, c, n, size);
#pragma unroll
  for (int p = 0; p < size * size; p++) ck_store(v + (size_t)p * plane + c, out[p], n);
}

CK_BODY void input_bf16(uint16_t *v, size_t plane, const window *w, enum number source, size_t c,
                        size_t n, int native) {
  ck_f16 out[MAX_PLACES];
  input_transform(out, w, source, c, n, 4);
#pragma unroll
  for (int p = 0; p < CK_WINOGRAD_PLACES; p++) {
    ck_store_bf16(v + (size_t)p * plane + c, ck_round(out[p], native), (n + 1) / 2 * 2);
  }
}

// Tile after tile, block after block of channels; VECTOR(v, c, n) does n channels from c on.
#define CK_INPUT(SOURCE, SIZE, VECTOR)                                                            \
  window w;                                                                                       \
  for (size_t t = tile; t < tile_end; t++, v += stride) {                                         \
    for (size_t first = 0; first < g->channels; first += BLOCK) {                                 \
      find_window(&w, x, SOURCE, g, t, first, SIZE, SIZE - 2);                                    \
      const size_t count = least(BLOCK, g->channels - first), whole = count / CK_LANES * CK_LANES; \
      for (size_t c = 0; c < whole; c += CK_LANES) VECTOR(v + first, c, CK_LANES);                \
      if (whole < count) VECTOR(v + first, whole, count - whole);                                 \
    }                                                                                             \
  }

CK_BODY void ck_winograd_input_f32_body(float *v, size_t plane, size_t stride, const float *x,
                                        const ck_winograd_t *g, size_t tile, size_t tile_end) {
#define CK_SMALL(V, C, N) input_f32(V, plane, &w, C, N, 4)
#define CK_LARGE(V, C, N) input_f32(V, plane, &w, C, N, 6)
  if (g->side == 4) {
    CK_INPUT(FLOAT, 6, CK_LARGE)
  } else {
    CK_INPUT(FLOAT, 4, CK_SMALL)
  }
#undef CK_SMALL
#undef CK_LARGE
}
CK_VARIANTS(ck_winograd_input_f32,
            (float *v, size_t plane, size_t stride, const float *x, const ck_winograd_t *g,
             size_t tile, size_t tile_end),
            (v, plane, stride, x, g, tile, tile_end))

CK_BODY void input_rows_bf16(uint16_t *v, size_t plane, size_t stride, const void *x,
                             enum number source, const ck_winograd_t *g, size_t tile,
                             size_t tile_end, int native) {
#define CK_VECTOR(V, C, N) input_bf16(V, plane, &w, source, C, N, native)
  CK_INPUT(source, 4, CK_VECTOR)
#undef CK_VECTOR
}

CK_BODY void ck_winograd_input_bf16_body(uint16_t *v, size_t plane, size_t stride, const void *x,
                                         int is_bf16, const ck_winograd_t *g, size_t tile,
                                         size_t tile_end, int native) {
#define CK_ROWS(TYPE) input_rows_bf16(v, plane, stride, x, TYPE, g, tile, tile_end, native)
  CK_BY_TYPE(is_bf16, CK_ROWS)
#undef CK_ROWS
}
CK_ROUNDING_VARIANTS(ck_winograd_input_bf16,
                     (uint16_t *v, size_t plane, size_t stride, const void *x, int is_bf16,
                      const ck_winograd_t *g, size_t tile, size_t tile_end),
                     v, plane, stride, x, is_bf16, g, tile, tile_end)

// One vector of a tile of ck_winograd_output: the first `rows` by `columns` of its pixels, which lie
// `below` and `beside` elements apart.
CK_BODY void output_vector(void *y, enum number type, size_t rows, size_t columns, size_t beside,
                           size_t below, const float *residual, const float *m, size_t plane,
                           const float *bias, size_t n, int native, int size) {
  const int side = size - 2;
  ck_f16 s[MAX_SIZE - 2][MAX_SIZE];
#pragma unroll
  for (int j = 0; j < size; j++) {
    ck_f16 from[MAX_SIZE], line[MAX_SIZE - 2];
#pragma unroll
    for (int i = 0; i < size; i++) from[i] = ck_load(m + (size_t)(size * i + j) * plane, n);
    output_line(line, from, size);
#pragma unroll
    for (int i = 0; i < side; i++) s[i][j] = line[i];
  }
  const ck_f16 shift = bias ? ck_load(bias, n) : (ck_f16){0};
#pragma unroll
  for (int i = 0; i < side; i++) {
    if ((size_t)i >= rows) return;
    ck_f16 line[MAX_SIZE - 2];
    output_line(line, s[i], size);
#pragma unroll
    for (int j = 0; j < side; j++) {
      if ((size_t)j < columns)
        put_sum(y, type, (size_t)i * below + (size_t)j * beside, line[j] + shift, residual, n,
                native);
    }
  }
}

CK_BODY void output_tiles(void *y, enum number type, const float *residual, const float *m,
                          size_t plane, const float *bias, const ck_winograd_t *g, size_t tile,
                          size_t tile_end, size_t channel, size_t channel_end, int native,
                          int size) {
  const size_t count = channel_end - channel, whole = count / CK_LANES * CK_LANES;
  const size_t side = (size_t)size - 2;
  for (size_t t = tile; t < tile_end; t++, m += count) {
    const tile_place place = place_of(g, t);
    const size_t row = side * (size_t)place.y, column = side * (size_t)place.x;
    const size_t start =
        ((place.image * g->height + row) * g->width + column) * g->channels + channel;
    const size_t rows = least(side, g->height - row), columns = least(side, g->width - column);
    const float *shift = bias_of(g, bias, place.image, channel);
#define CK_VECTOR(C, N)                                                                           \
  output_vector(element(y, type, start + (C)), type, rows, columns, g->channels,                  \
                g->width * g->channels, residual ? residual + start + (C) : NULL, m + (C), plane, \
                shift ? shift + (C) : NULL, N, native, size)
    for (size_t c = 0; c < whole; c += CK_LANES) CK_VECTOR(c, CK_LANES);
    if (whole < count) CK_VECTOR(whole, count - whole);
#undef CK_VECTOR
  }
}

CK_BODY void ck_winograd_output_body(void *y, int is_bf16, const float *residual, const float *m,
                                     size_t plane, const float *bias, const ck_winograd_t *g,
                                     size_t tile, size_t tile_end, size_t channel,
                                     size_t channel_end, int native) {
#define CK_TILES(TYPE)                                                                            \
  if (g->side == 4)                                                                               \
    output_tiles(y, TYPE, residual, m, plane, bias, g, tile, tile_end, channel, channel_end,      \
                 native, 6);                                                                      \
  else                                                                                            \
    output_tiles(y, TYPE, residual, m, plane, bias, g, tile, tile_end, channel, channel_end,      \
                 native, 4)
  CK_BY_TYPE(is_bf16, CK_TILES)
#undef CK_TILES
}
CK_ROUNDING_VARIANTS(ck_winograd_output,
                     (void *y, int is_bf16, const float *residual, const float *m, size_t plane,
                      const float *bias, const ck_winograd_t *g, size_t tile, size_t tile_end,
                      size_t channel, size_t channel_end),
                     y, is_bf16, residual, m, plane, bias, g, tile, tile_end, channel, channel_end)

// Tiles as rows of the summed axis.
#define CK_PANELS_F32(TRANSFORM, SIZE, WINDOW)                                                    \
  window w;                                                                                       \
  const size_t end = (g->channels + width - 1) / width * width;                                   \
  for (size_t t = tile; t < tile_end; t++) {                                                      \
    for (size_t c = 0; c < end; c += CK_LANES) {                                                  \
      ck_f16 out[MAX_PLACES] = {0};                                                               \
      if (c % BLOCK == 0) find_window(&w, x, FLOAT, g, t, c, WINDOW, SIZE - 2);                   \
      if (c + CK_LANES <= g->channels)                                                            \
        TRANSFORM(out, &w, FLOAT, c % BLOCK, CK_LANES, SIZE);                                     \
      else if (c < g->channels)                                                                   \
        TRANSFORM(out, &w, FLOAT, c % BLOCK, g->channels - c, SIZE);                              \
      _Pragma("unroll") for (int p = 0; p < SIZE * SIZE; p++)                                     \
          ck_store_in_panels((uint32_t *)(v + (size_t)p * plane), k, width, t - first_tile, c,    \
                             end, (ck_u16)out[p]);                                                \
    }                                                                                             \
  }

CK_BODY void ck_winograd_input_panels_f32_body(float *v, size_t plane, size_t k, size_t width,
                                               const float *x, const ck_winograd_t *g,
                                               size_t first_tile, size_t tile, size_t tile_end) {
  if (g->side == 4) {
    CK_PANELS_F32(input_transform, 6, 6)
  } else {
    CK_PANELS_F32(input_transform, 4, 4)
  }
}
CK_VARIANTS(ck_winograd_input_panels_f32,
            (float *v, size_t plane, size_t k, size_t width, const float *x,
             const ck_winograd_t *g, size_t first_tile, size_t tile, size_t tile_end),
            (v, plane, k, width, x, g, first_tile, tile, tile_end))

CK_BODY void ck_winograd_gradient_panels_f32_body(float *v, size_t plane, size_t k, size_t width,
                                                  const float *x, const ck_winograd_t *g,
                                                  size_t first_tile, size_t tile,
                                                  size_t tile_end) {
  if (g->side == 4) {
    CK_PANELS_F32(gradient_transform, 6, 4)
  } else {
    CK_PANELS_F32(gradient_transform, 4, 2)
  }
}
CK_VARIANTS(ck_winograd_gradient_panels_f32,
            (float *z, size_t plane, size_t k, size_t width, const float *dy,
             const ck_winograd_t *g, size_t first_tile, size_t tile, size_t tile_end),
            (z, plane, k, width, dy, g, first_tile, tile, tile_end))

// Two tiles as two rows: their numbers for a channel are neighbours.
#define CK_PANELS_BF16(TRANSFORM, WINDOW, SOURCE)                                                 \
  window w[2];                                                                                    \
  const size_t end = (g->channels + width - 1) / width * width;                                   \
  for (size_t t = tile; t < tile_end; t += 2) {                                                   \
    const int count = t + 1 < tile_end ? 2 : 1;                                                   \
    for (size_t c = 0; c < end; c += CK_LANES) {                                                  \
      ck_h16 rows[2][CK_WINOGRAD_PLACES];                                                         \
      _Pragma("unroll") for (int i = 0; i < 2; i++) {                                             \
        ck_f16 out[MAX_PLACES] = {0};                                                             \
        if (c % BLOCK == 0 && i < count)                                                          \
          find_window(&w[i], x, SOURCE, g, t + (size_t)i, c, WINDOW, 2);                          \
        if (i < count && c + CK_LANES <= g->channels)                                             \
          TRANSFORM(out, &w[i], SOURCE, c % BLOCK, CK_LANES, 4);                                  \
        else if (i < count && c < g->channels)                                                    \
          TRANSFORM(out, &w[i], SOURCE, c % BLOCK, g->channels - c, 4);                           \
        _Pragma("unroll") for (int p = 0; p < CK_WINOGRAD_PLACES; p++)                            \
            rows[i][p] = ck_round(out[p], native);                                                \
      }                                                                                           \
      _Pragma("unroll") for (int p = 0; p < CK_WINOGRAD_PLACES; p++)                              \
          ck_store_in_panels((uint32_t *)(v + (size_t)p * plane), k / 2, width,                   \
                             (t - first_tile) / 2, c, end, ck_pairs(rows[0][p], rows[1][p]));     \
    }                                                                                             \
  }

CK_BODY void ck_winograd_input_panels_bf16_body(uint16_t *v, size_t plane, size_t k, size_t width,
                                                const void *x, int is_bf16,
                                                const ck_winograd_t *g, size_t first_tile,
                                                size_t tile, size_t tile_end, int native) {
#define CK_PANELS(TYPE) CK_PANELS_BF16(input_transform, 4, TYPE)
  CK_BY_TYPE(is_bf16, CK_PANELS)
#undef CK_PANELS
}
CK_ROUNDING_VARIANTS(ck_winograd_input_panels_bf16,
                     (uint16_t *v, size_t plane, size_t k, size_t width, const void *x,
                      int is_bf16, const ck_winograd_t *g, size_t first_tile, size_t tile,
                      size_t tile_end),
                     v, plane, k, width, x, is_bf16, g, first_tile, tile, tile_end)

CK_BODY void ck_winograd_gradient_panels_bf16_body(uint16_t *v, size_t plane, size_t k,
                                                   size_t width, const void *x, int is_bf16,
                                                   const ck_winograd_t *g, size_t first_tile,
                                                   size_t tile, size_t tile_end, int native) {
#define CK_PANELS(TYPE) CK_PANELS_BF16(gradient_transform, 2, TYPE)
  CK_BY_TYPE(is_bf16, CK_PANELS)
#undef CK_PANELS
}
CK_ROUNDING_VARIANTS(ck_winograd_gradient_panels_bf16,
                     (uint16_t *z, size_t plane, size_t k, size_t width, const void *dy,
                      int is_bf16, const ck_winograd_t *g, size_t first_tile, size_t tile,
                      size_t tile_end),
                     z, plane, k, width, dy, is_bf16, g, first_tile, tile, tile_end)
