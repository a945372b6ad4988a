#include "ck_winograd_tile.h"

enum { KEPT = CK_WINOGRAD_UPSAMPLED_PLACES };

// Bᵀ d B without the places that vanish, for d = rows and columns a, b, b, c of 3x3 pixels.
CK_BODY void upsampled_transform(ck_f16 v[KEPT], const window *w, enum number source, size_t c,
                                 size_t n) {
  ck_f16 t[3][3];
#pragma unroll
  for (int j = 0; j < 3; j++) {
    const ck_f16 d0 = pixel(w, source, j, c, n), d1 = pixel(w, source, 3 + j, c, n),
                 d2 = pixel(w, source, 6 + j, c, n);
    t[0][j] = d0 - d1;
    t[1][j] = d1 + d1;
    t[2][j] = d1 - d2;
  }
#pragma unroll
  for (int i = 0; i < 3; i++) {
    v[3 * i] = t[i][0] - t[i][1];
    v[3 * i + 1] = t[i][1] + t[i][1];
    v[3 * i + 2] = t[i][1] - t[i][2];
  }
}

// Tile after tile, block after block of channels; STORE(v, c, n, place) writes out[place].
#define CK_UPSAMPLED(SOURCE, STORE)                                                               \
  window w;                                                                                       \
  ck_f16 out[KEPT];                                                                               \
  for (size_t t = tile; t < tile_end; t++, v += stride) {                                         \
    for (size_t first = 0; first < g->channels; first += BLOCK) {                                 \
      find_window(&w, x, SOURCE, g, t, first, 3, 1);                                              \
      const size_t count = least(BLOCK, g->channels - first);                                     \
      for (size_t c = 0; c < count; c += CK_LANES) {                                              \
        const size_t n = least(CK_LANES, count - c);                                              \
        upsampled_transform(out, &w, SOURCE, c, n);                                               \
        _Pragma("unroll") for (int p = 0; p < KEPT; p++) STORE(v + first, c, n, p);               \
      }                                                                                           \
    }                                                                                             \
  }

CK_BODY void ck_winograd_upsampled_input_f32_body(float *v, size_t plane, size_t stride,
                                                  const float *x, const ck_winograd_t *g,
                                                  size_t tile, size_t tile_end) {
#define CK_STORE(V, C, N, P) ck_store((V) + (size_t)(P) * plane + (C), out[P], N)
  CK_UPSAMPLED(FLOAT, CK_STORE)
#undef CK_STORE
}
CK_VARIANTS(ck_winograd_upsampled_input_f32,
            (float *v, size_t plane, size_t stride, const float *x, const ck_winograd_t *g,
             size_t tile, size_t tile_end),
            (v, plane, stride, x, g, tile, tile_end))

CK_BODY void ck_winograd_upsampled_input_bf16_body(uint16_t *v, size_t plane, size_t stride,
                                                   const void *x, int is_bf16,
                                                   const ck_winograd_t *g, size_t tile,
                                                   size_t tile_end, int native) {
#define CK_STORE(V, C, N, P) \
  ck_store_bf16((V) + (size_t)(P) * plane + (C), ck_round(out[P], native), (N + 1) / 2 * 2)
#define CK_TILES(TYPE) CK_UPSAMPLED(TYPE, CK_STORE)
  CK_BY_TYPE(is_bf16, CK_TILES)
#undef CK_TILES
#undef CK_STORE
}
CK_ROUNDING_VARIANTS(ck_winograd_upsampled_input_bf16,
                     (uint16_t *v, size_t plane, size_t stride, const void *x, int is_bf16,
                      const ck_winograd_t *g, size_t tile, size_t tile_end),
                     v, plane, stride, x, is_bf16, g, tile, tile_end)

CK_BODY void output_tiles(void *y, enum number type, const float *residual, const float *m,
                          size_t plane, const float *bias, const ck_winograd_t *g, size_t tile,
                          size_t tile_end, size_t channel, size_t channel_end, int native) {
  const size_t count = channel_end - channel, width = 2 * g->tiles_across;
  for (size_t t = tile; t < tile_end; t++, m += count) {
    const tile_place place = place_of(g, t);
    const size_t row = place.image * 2 * g->tiles_down + 2 * (size_t)place.y;
    const size_t start = (row * width + 2 * (size_t)place.x) * g->channels + channel;
    const float *biases = bias_of(g, bias, place.image, channel);
    for (size_t c = 0; c < count; c += CK_LANES) {
      const size_t n = least(CK_LANES, count - c);
      ck_f16 s[2][3];
#pragma unroll
      for (int j = 0; j < 3; j++) {
        const float *from = m + (size_t)j * plane + c;
        const ck_f16 m1 = ck_load(from + 3 * plane, n);
        s[0][j] = ck_load(from, n) + m1;
        s[1][j] = m1 - ck_load(from + 6 * plane, n);
      }
      const ck_f16 shift = biases ? ck_load(biases + c, n) : (ck_f16){0};
#pragma unroll
      for (size_t i = 0; i < 2; i++) {
        const size_t at = start + i * width * g->channels + c;
        put_sum(y, type, at, s[i][0] + s[i][1] + shift, residual, n, native);
        put_sum(y, type, at + g->channels, s[i][1] - s[i][2] + shift, residual, n, native);
      }
    }
  }
}

CK_BODY void ck_winograd_upsampled_output_body(void *y, int is_bf16, const float *residual,
                                               const float *m, size_t plane, const float *bias,
                                               const ck_winograd_t *g, size_t tile,
                                               size_t tile_end, size_t channel,
                                               size_t channel_end, int native) {
#define CK_TILES(TYPE) \
  output_tiles(y, TYPE, residual, m, plane, bias, g, tile, tile_end, channel, channel_end, native)
  CK_BY_TYPE(is_bf16, CK_TILES)
#undef CK_TILES
}
CK_ROUNDING_VARIANTS(ck_winograd_upsampled_output,
                     (void *y, int is_bf16, const float *residual, const float *m, size_t plane,
                      const float *bias, const ck_winograd_t *g, size_t tile, size_t tile_end,
                      size_t channel, size_t channel_end),
                     y, is_bf16, residual, m, plane, bias, g, tile, tile_end, channel, channel_end)
