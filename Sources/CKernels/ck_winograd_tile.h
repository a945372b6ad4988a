#pragma once
#include "ck_lanes.h"
#include "ck_winograd.h"
#include "ck_winograd_lines.h"

// Channels that are worked on at a time.
enum { BLOCK = 2048 };

// Where the pixels of one tile are; those outside the source are zeros.
typedef struct {
  const void *start[MAX_PLACES];
} window;

static const float zeros[BLOCK];

// Type of the numbers of an activation; a constant wherever it is used.
enum number { FLOAT, BFLOAT };

// Image, row and column of tile `tile`.
typedef struct {
  size_t image;
  ptrdiff_t y, x;
} tile_place;

CK_BODY tile_place place_of(const ck_winograd_t *g, size_t tile) {
  const size_t per_image = g->tiles_down * g->tiles_across, rest = tile % per_image;
  return (tile_place){tile / per_image, (ptrdiff_t)(rest / g->tiles_across),
                      (ptrdiff_t)(rest % g->tiles_across)};
}

// The size x size pixels of a tile from row step · y - top and column step · x - left on, at
// `channel`.
CK_BODY void find_window(window *w, const void *x, enum number source, const ck_winograd_t *g,
                         size_t tile, size_t channel, ptrdiff_t size, ptrdiff_t step) {
  const tile_place p = place_of(g, tile);
  const size_t bytes = source == FLOAT ? sizeof(float) : sizeof(uint16_t);
  const char *image =
      (const char *)x + (p.image * g->height * g->width * g->channels + channel) * bytes;
  for (ptrdiff_t i = 0; i < size; i++) {
    const ptrdiff_t row = step * p.y - g->top + i;
    const int is_row = row >= 0 && row < (ptrdiff_t)g->height;
    for (ptrdiff_t j = 0; j < size; j++) {
      const ptrdiff_t column = step * p.x - g->left + j;
      w->start[i * size + j] =
          is_row && column >= 0 && column < (ptrdiff_t)g->width
              ? image + (size_t)(row * (ptrdiff_t)g->width + column) * g->channels * bytes
              : (const char *)zeros;
    }
  }
}

CK_BODY ck_f16 pixel(const window *w, enum number source, int i, size_t c, size_t n) {
  return source == FLOAT ? ck_load((const float *)w->start[i] + c, n)
                         : ck_widen(ck_load_bf16((const uint16_t *)w->start[i] + c, n));
}

// A statement with the type of an activation as its constant argument.
#define CK_BY_TYPE(IS_BF16, STATEMENT) \
  if (IS_BF16) {                       \
    STATEMENT(BFLOAT);                 \
  } else {                             \
    STATEMENT(FLOAT);                  \
  }

CK_BODY size_t least(size_t a, size_t b) { return a < b ? a : b; }

// The bias of an image from channel `channel` on, or NULL.
CK_BODY const float *bias_of(const ck_winograd_t *g, const float *bias, size_t image,
                             size_t channel) {
  return bias ? bias + (ptrdiff_t)image * g->bias_step + channel : NULL;
}

// Number `index` of an activation.
CK_BODY void *element(void *y, enum number type, size_t index) {
  return (char *)y + index * (type == FLOAT ? sizeof(float) : sizeof(uint16_t));
}

// Stores n numbers from number `index` on.
CK_BODY void put(void *y, enum number type, size_t index, ck_f16 v, size_t n, int native) {
  if (type == FLOAT)
    ck_store((float *)y + index, v, n);
  else
    ck_store_bf16((uint16_t *)y + index, ck_round(v, native), n);
}

// The same plus the numbers of `residual` at the same places, if there are any.
CK_BODY void put_sum(void *y, enum number type, size_t index, ck_f16 v, const float *residual,
                     size_t n, int native) {
  put(y, type, index, residual ? v + ck_load(residual + index, n) : v, n, native);
}
