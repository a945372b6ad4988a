#include "ck_winograd.h"

#include "ck_gemm.h"
#include "ck_lanes.h"
#include "ck_winograd_tile.h"

// Bᵀ d B of n channels from c on.
CK_BODY void input_transform(ck_f16 v[PLACES], const window *w, enum number source, size_t c,
                             size_t n) {
  ck_f16 t[4][4];
#pragma unroll
  for (int j = 0; j < 4; j++) {
    const ck_f16 d0 = pixel(w, source, j, c, n), d1 = pixel(w, source, 4 + j, c, n),
                 d2 = pixel(w, source, 8 + j, c, n), d3 = pixel(w, source, 12 + j, c, n);
    t[0][j] = d0 - d2;
    t[1][j] = d1 + d2;
    t[2][j] = d2 - d1;
    t[3][j] = d1 - d3;
  }
#pragma unroll
  for (int i = 0; i < 4; i++) {
    v[4 * i] = t[i][0] - t[i][2];
    v[4 * i + 1] = t[i][1] + t[i][2];
    v[4 * i + 2] = t[i][2] - t[i][1];
    v[4 * i + 3] = t[i][1] - t[i][3];
  }
}

// A dy Aᵀ of n channels from c on.
CK_BODY void gradient_transform(ck_f16 z[PLACES], const window *w, enum number source, size_t c,
                                size_t n) {
  ck_f16 t[4][2];
#pragma unroll
  for (int j = 0; j < 2; j++) {
    const ck_f16 d0 = pixel(w, source, j, c, n), d1 = pixel(w, source, 2 + j, c, n);
    t[0][j] = d0;
    t[1][j] = d0 + d1;
    t[2][j] = d0 - d1;
    t[3][j] = -d1;
  }
#pragma unroll
  for (int i = 0; i < 4; i++) {
    z[4 * i] = t[i][0];
    z[4 * i + 1] = t[i][0] + t[i][1];
    z[4 * i + 2] = t[i][0] - t[i][1];
    z[4 * i + 3] = -t[i][1];
  }
}

// One vector of channels of a tile of ck_winograd_input_*: n of them are there.
CK_BODY void input_f32(float *v, size_t plane, const window *w, size_t c, size_t n) {
  ck_f16 out[PLACES];
  input_transform(out, w, FLOAT, c, n);
#pragma unroll
  for (int p = 0; p < PLACES; p++) ck_store(v + (size_t)p * plane + c, out[p], n);
}

CK_BODY void input_bf16(uint16_t *v, size_t plane, const window *w, enum number source, size_t c,
                        size_t n, int native) {
  ck_f16 out[PLACES];
  input_transform(out, w, source, c, n);
#pragma unroll
  for (int p = 0; p < PLACES; p++) {
    ck_store_bf16(v + (size_t)p * plane + c, ck_round(out[p], native), (n + 1) / 2 * 2);
  }
}

// Tile after tile, block after block of channels; VECTOR(v, c, n) does n channels from c on.
#define CK_INPUT(SOURCE, VECTOR)                                                                      \
  window w;                                                                                       \
  for (size_t t = tile; t < tile_end; t++, v += stride) {                                         \
    for (size_t first = 0; first < g->channels; first += BLOCK) {                                 \
      find_window(&w, x, SOURCE, g, t, first, 4, 2);                                              \
      const size_t count = least(BLOCK, g->channels - first), whole = count / CK_LANES * CK_LANES; \
      for (size_t c = 0; c < whole; c += CK_LANES) VECTOR(v + first, c, CK_LANES);                \
      if (whole < count) VECTOR(v + first, whole, count - whole);                                 \
    }                                                                                             \
  }

CK_BODY void ck_winograd_input_f32_body(float *v, size_t plane, size_t stride, const float *x,
                                        const ck_winograd_t *g, size_t tile, size_t tile_end) {
#define CK_VECTOR(V, C, N) input_f32(V, plane, &w, C, N)
  CK_INPUT(FLOAT, CK_VECTOR)
#undef CK_VECTOR
}
CK_VARIANTS(ck_winograd_input_f32,
            (float *v, size_t plane, size_t stride, const float *x, const ck_winograd_t *g,
             size_t tile, size_t tile_end),
            (v, plane, stride, x, g, tile, tile_end))

CK_BODY void input_rows_bf16(uint16_t *v, size_t plane, size_t stride, const void *x,
                             enum number source, const ck_winograd_t *g, size_t tile,
                             size_t tile_end, int native) {
#define CK_VECTOR(V, C, N) input_bf16(V, plane, &w, source, C, N, native)
  CK_INPUT(source, CK_VECTOR)
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

// One vector of four pixels of ck_winograd_output, `beside` and `below` elements apart; 0 where y
// ends.
CK_BODY void output_vector(void *y, enum number type, size_t beside, size_t below,
                           const float *residual, const float *m, size_t plane, const float *bias,
                           size_t n, int native) {
  ck_f16 s[2][4];
#pragma unroll
  for (int j = 0; j < 4; j++) {
    const float *from = m + (size_t)j * plane;
    const ck_f16 m0 = ck_load(from, n), m1 = ck_load(from + 4 * plane, n),
                 m2 = ck_load(from + 8 * plane, n), m3 = ck_load(from + 12 * plane, n);
    s[0][j] = m0 + m1 + m2;
    s[1][j] = m1 - m2 - m3;
  }
  const ck_f16 shift = bias ? ck_load(bias, n) : (ck_f16){0};
#pragma unroll
  for (int i = 0; i < 2; i++) {
    if (i > 0 && !below) return;
    put_sum(y, type, i * below, s[i][0] + s[i][1] + s[i][2] + shift, residual, n, native);
    if (beside)
      put_sum(y, type, i * below + beside, s[i][1] - s[i][2] - s[i][3] + shift, residual, n,
              native);
  }
}

CK_BODY void output_tiles(void *y, enum number type, const float *residual, const float *m,
                          size_t plane, const float *bias, const ck_winograd_t *g, size_t tile,
                          size_t tile_end, size_t channel, size_t channel_end, int native) {
  const size_t count = channel_end - channel, whole = count / CK_LANES * CK_LANES;
  for (size_t t = tile; t < tile_end; t++, m += count) {
    const tile_place place = place_of(g, t);
    const size_t row = 2 * (size_t)place.y, column = 2 * (size_t)place.x;
    const size_t start =
        ((place.image * g->height + row) * g->width + column) * g->channels + channel;
    const size_t beside = column + 1 < g->width ? g->channels : 0;
    const size_t below = row + 1 < g->height ? g->width * g->channels : 0;
    const float *shift = bias_of(g, bias, place.image, channel);
#define CK_VECTOR(C, N)                                                                           \
  output_vector(element(y, type, start + (C)), type, beside, below,                               \
                residual ? residual + start + (C) : NULL, m + (C), plane,                         \
                shift ? shift + (C) : NULL, N, native)
    for (size_t c = 0; c < whole; c += CK_LANES) CK_VECTOR(c, CK_LANES);
    if (whole < count) CK_VECTOR(whole, count - whole);
#undef CK_VECTOR
  }
}

CK_BODY void ck_winograd_output_body(void *y, int is_bf16, const float *residual, const float *m,
                                     size_t plane, const float *bias, const ck_winograd_t *g,
                                     size_t tile, size_t tile_end, size_t channel,
                                     size_t channel_end, int native) {
#define CK_TILES(TYPE) \
  output_tiles(y, TYPE, residual, m, plane, bias, g, tile, tile_end, channel, channel_end, native)
  CK_BY_TYPE(is_bf16, CK_TILES)
#undef CK_TILES
}
CK_ROUNDING_VARIANTS(ck_winograd_output,
                     (void *y, int is_bf16, const float *residual, const float *m, size_t plane,
                      const float *bias, const ck_winograd_t *g, size_t tile, size_t tile_end,
                      size_t channel, size_t channel_end),
                     y, is_bf16, residual, m, plane, bias, g, tile, tile_end, channel, channel_end)

// Tiles as rows of the summed axis.
#define CK_PANELS_F32(TRANSFORM, SIZE)                                                            \
  window w;                                                                                       \
  const size_t end = (g->channels + width - 1) / width * width;                                   \
  for (size_t t = tile; t < tile_end; t++) {                                                      \
    for (size_t c = 0; c < end; c += CK_LANES) {                                                  \
      ck_f16 out[PLACES] = {0};                                                                   \
      if (c % BLOCK == 0) find_window(&w, x, FLOAT, g, t, c, SIZE, 2);                            \
      if (c + CK_LANES <= g->channels)                                                            \
        TRANSFORM(out, &w, FLOAT, c % BLOCK, CK_LANES);                                           \
      else if (c < g->channels)                                                                   \
        TRANSFORM(out, &w, FLOAT, c % BLOCK, g->channels - c);                                    \
      _Pragma("unroll") for (int p = 0; p < PLACES; p++)                                          \
          ck_store_in_panels((uint32_t *)(v + (size_t)p * plane), k, width, t - first_tile, c,    \
                             end, (ck_u16)out[p]);                                                \
    }                                                                                             \
  }

CK_BODY void ck_winograd_input_panels_f32_body(float *v, size_t plane, size_t k, size_t width,
                                               const float *x, const ck_winograd_t *g,
                                               size_t first_tile, size_t tile, size_t tile_end) {
  CK_PANELS_F32(input_transform, 4)
}
CK_VARIANTS(ck_winograd_input_panels_f32,
            (float *v, size_t plane, size_t k, size_t width, const float *x,
             const ck_winograd_t *g, size_t first_tile, size_t tile, size_t tile_end),
            (v, plane, k, width, x, g, first_tile, tile, tile_end))

CK_BODY void ck_winograd_gradient_panels_f32_body(float *v, size_t plane, size_t k, size_t width,
                                                  const float *x, const ck_winograd_t *g,
                                                  size_t first_tile, size_t tile,
                                                  size_t tile_end) {
  CK_PANELS_F32(gradient_transform, 2)
}
CK_VARIANTS(ck_winograd_gradient_panels_f32,
            (float *z, size_t plane, size_t k, size_t width, const float *dy,
             const ck_winograd_t *g, size_t first_tile, size_t tile, size_t tile_end),
            (z, plane, k, width, dy, g, first_tile, tile, tile_end))

// Two tiles as two rows: their numbers for a channel are neighbours.
#define CK_PANELS_BF16(TRANSFORM, SIZE, SOURCE)                                                   \
  window w[2];                                                                                    \
  const size_t end = (g->channels + width - 1) / width * width;                                   \
  for (size_t t = tile; t < tile_end; t += 2) {                                                   \
    const int count = t + 1 < tile_end ? 2 : 1;                                                   \
    for (size_t c = 0; c < end; c += CK_LANES) {                                                  \
      ck_h16 rows[2][PLACES];                                                                     \
      _Pragma("unroll") for (int i = 0; i < 2; i++) {                                             \
        ck_f16 out[PLACES] = {0};                                                                 \
        if (c % BLOCK == 0 && i < count)                                                          \
          find_window(&w[i], x, SOURCE, g, t + (size_t)i, c, SIZE, 2);                            \
        if (i < count && c + CK_LANES <= g->channels)                                             \
          TRANSFORM(out, &w[i], SOURCE, c % BLOCK, CK_LANES);                                     \
        else if (i < count && c < g->channels)                                                    \
          TRANSFORM(out, &w[i], SOURCE, c % BLOCK, g->channels - c);                              \
        _Pragma("unroll") for (int p = 0; p < PLACES; p++) rows[i][p] = ck_round(out[p], native); \
      }                                                                                           \
      _Pragma("unroll") for (int p = 0; p < PLACES; p++)                                          \
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
