#pragma once
#include "ck_amx.h"
#include "ck_attention_layout.h"

// Products of small matrices in AMX tiles, 32 rows by up to two vectors at a time; see
// ck_attention_layout.h.

// What a tile is brought into where it does not lie in memory as the instructions need it.
typedef struct {
  uint32_t left[2][CK_TILE * CK_TILE_PAIRS];
  uint32_t right[CK_TILE_PAIRS * MAX_VECTORS * LANES];
  float sums[2 * CK_TILE * MAX_VECTORS * LANES];
} tile_buffers;

// `count` units of up to sixteen rows of the left factor from row i and step k on, filled up with
// zeros.
static ck_tile_t gathered_rows(const product *p, size_t i, size_t rows, size_t k, size_t count,
                               uint32_t *buffer) {
  const uint32_t *a = p->a + (ptrdiff_t)i * p->a_stride + k;
  for (size_t r = 0; r < CK_TILE; r++) {
    const __mmask16 mask = r < rows ? first_lanes(count) : 0;
    _mm512_storeu_si512(buffer + r * CK_TILE_PAIRS,
                        _mm512_maskz_loadu_epi32(mask, a + (ptrdiff_t)r * p->a_stride));
  }
  return (ck_tile_t){buffer, CK_TILE_PAIRS * sizeof(uint32_t)};
}

// The same of rows that lie side by side.
static ck_tile_t turned_rows(const product *p, size_t i, size_t k, size_t count,
                             uint32_t *buffer) {
  const uint32_t *a = p->a + (ptrdiff_t)k * p->a_stride + i;
  __m512i r[16];
#pragma unroll
  for (size_t l = 0; l < 16; l++)
    r[l] = _mm512_maskz_loadu_epi32(l < count ? 0xffff : 0, a + (ptrdiff_t)l * p->a_stride);
  transpose16(r);
#pragma unroll
  for (size_t l = 0; l < 16; l++) _mm512_storeu_si512(buffer + l * CK_TILE_PAIRS, r[l]);
  return (ck_tile_t){buffer, CK_TILE_PAIRS * sizeof(uint32_t)};
}

CK_BODY ck_tile_t left_tile(const product *p, size_t i, size_t rows, size_t k, size_t count,
                            int is_down, uint32_t *buffer) {
  if (is_down) return turned_rows(p, i, k, count, buffer);
  if (rows < CK_TILE || count < CK_TILE_PAIRS) return gathered_rows(p, i, rows, k, count, buffer);
  return (ck_tile_t){p->a + (ptrdiff_t)i * p->a_stride + k, p->a_stride * 4};
}

// Copies `rows` rows of `words` floats, a multiple of 16.
static void copy_rows(float *y, ptrdiff_t y_stride, const float *x, ptrdiff_t x_stride, size_t rows,
                      size_t words) {
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < words; j += LANES)
      *(vec *)(y + (ptrdiff_t)i * y_stride + j) = *(const vec *)(x + (ptrdiff_t)i * x_stride + j);
}

// Begins with the sums at `start`.
CK_BODY void load_sums(const float *start, ptrdiff_t stride, const int down, const int across) {
  const size_t bytes = (size_t)stride * sizeof(float);
  _tile_loadd(0, start, bytes);
  if (across == 2) _tile_loadd(1, start + CK_TILE, bytes);
  if (down == 2) {
    _tile_loadd(2, start + CK_TILE * stride, bytes);
    if (across == 2) _tile_loadd(3, start + CK_TILE * stride + CK_TILE, bytes);
  }
}

// Rows i to i + rows, at most 32, of one panel of the right factor.
CK_BODY void tile_body(const product *p, size_t i, size_t rows, int is_down, tile_buffers *buffers,
                       const int down, const int across) {
  const ptrdiff_t width = across * LANES;
  const int is_whole = rows == (size_t)down * CK_TILE;
  float *c = p->c + (ptrdiff_t)i * p->c_stride;
  if (p->start_stride == 0) {
    ck_amx_clear();
  } else {
    const float *start = p->start + (ptrdiff_t)i * p->start_stride;
    if (!is_whole) copy_rows(buffers->sums, width, start, p->start_stride, rows, (size_t)width);
    load_sums(is_whole ? start : buffers->sums, is_whole ? p->start_stride : width, down, across);
  }
  for (size_t k = 0; k < p->steps; k += CK_TILE_PAIRS) {
    const size_t count = smaller(CK_TILE_PAIRS, p->steps - k);
    const uint32_t *b = p->b + (ptrdiff_t)k * width;
    if (count < CK_TILE_PAIRS) {
      ck_amx_fill_up(buffers->right, b, count, (size_t)width);
      b = buffers->right;
    }
    const ck_tile_t right[2] = {{b, width * 4}, {b + LANES, width * 4}};
    const ck_tile_t left[2] = {
        left_tile(p, i, smaller(rows, CK_TILE), k, count, is_down, buffers->left[0]),
        down == 2
            ? left_tile(p, i + CK_TILE, rows - CK_TILE, k, count, is_down, buffers->left[1])
            : (ck_tile_t){0}};
    ck_amx_step(left, right, down, across);
  }
  if (is_whole) {
    ck_amx_store(c, p->c_stride, down, across);
    return;
  }
  ck_amx_store(buffers->sums, width, down, across);
  copy_rows(c, p->c_stride, buffers->sums, width, rows, (size_t)width);
}

#define TILES(DOWN, ACROSS)                                                                  \
  static void tiles_##DOWN##_##ACROSS(const product *p, size_t i, size_t rows, int is_down,  \
                                      tile_buffers *buffers) {                               \
    tile_body(p, i, rows, is_down, buffers, DOWN, ACROSS);                                   \
  }
TILES(1, 1) TILES(1, 2) TILES(2, 1) TILES(2, 2)
typedef void (*tile_function)(const product *, size_t, size_t, int, tile_buffers *);
static const tile_function tile_functions[2][2] = {{tiles_1_1, tiles_1_2}, {tiles_2_1, tiles_2_2}};

// The whole product, `rows` by `vectors`; with a's rows side by side, rows is rounded up to tiles.
static void multiply(const product *p, size_t rows, size_t vectors, int is_down) {
  tile_buffers buffers __attribute__((aligned(64)));
  if (is_down) rows = rounded_up(rows, CK_TILE);
  for (size_t first = 0, panel = 0; first < vectors; panel++) {
    const size_t width = panel_vectors(vectors, panel);
    product t = *p;
    t.b += (p->b_total * first + p->b_first * width) * LANES;
    t.c += first * LANES;
    if (p->start_stride) t.start += first * LANES;
    for (size_t i = 0; i < rows; i += 2 * CK_TILE) {
      const size_t height = smaller(2 * CK_TILE, rows - i);
      tile_functions[height > CK_TILE][width - 1](&t, i, height, is_down, &buffers);
    }
    first += width;
  }
}
