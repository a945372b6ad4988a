#pragma once
#include "ck_attention_layout.h"

// Products of small matrices in registers; see ck_attention_layout.h for the macros.

CK_BODY void tile_body(const product *p, const int rows, const int vectors, const int is_down) {
  vec acc[MAX_ROWS][MAX_VECTORS];
  const uint32_t *row[MAX_ROWS];
  const uint32_t *b = p->b;
#pragma unroll
  for (int i = 0; i < rows; i++) {
    row[i] = is_down ? p->a + i : p->a + i * p->a_stride;
#pragma unroll
    for (int j = 0; j < vectors; j++)
      acc[i][j] = *(const vec *)(p->start + i * p->start_stride + j * LANES);
  }
  const ptrdiff_t step = is_down ? p->a_stride : 1;
  ptrdiff_t at = 0;
  for (size_t k = 0; k < p->steps; k++, at += step, b += vectors * LANES) {
    uvec right[MAX_VECTORS];
#pragma unroll
    for (int j = 0; j < vectors; j++) right[j] = *(const uvec *)(b + j * LANES);
#pragma unroll
    for (int i = 0; i < rows; i++) {
      const uint32_t x = row[i][at];
#pragma unroll
      for (int j = 0; j < vectors; j++) acc[i][j] = multiply_add(acc[i][j], x, right[j]);
    }
  }
#pragma unroll
  for (int i = 0; i < rows; i++)
#pragma unroll
    for (int j = 0; j < vectors; j++) *(vec *)(p->c + i * p->c_stride + j * LANES) = acc[i][j];
}

#define TILE(ROWS, VECTORS)                                      \
  static void along_##ROWS##_##VECTORS(const product *p) {       \
    tile_body(p, ROWS, VECTORS, 0);                              \
  }
#define TILES(ROWS) TILE(ROWS, 1) TILE(ROWS, 2) TILE(ROWS, 3)
#define ENTRY(ROWS) {along_##ROWS##_1, along_##ROWS##_2, along_##ROWS##_3}

typedef void (*tile_function)(const product *);
TILES(1) TILES(2) TILES(3) TILES(4)
#if MAX_ROWS == 8
TILES(5) TILES(6) TILES(7) TILES(8)
#endif
static const tile_function along_tiles[MAX_ROWS][3] = {
    ENTRY(1), ENTRY(2), ENTRY(3), ENTRY(4),
#if MAX_ROWS == 8
    ENTRY(5), ENTRY(6), ENTRY(7), ENTRY(8),
#endif
};

static void down_1(const product *p) { tile_body(p, MAX_ROWS, 1, 1); }
static void down_2(const product *p) { tile_body(p, MAX_ROWS, 2, 1); }
static void down_3(const product *p) { tile_body(p, MAX_ROWS, 3, 1); }
static const tile_function down_tiles[3] = {down_1, down_2, down_3};

// The whole product, `rows` by `vectors`; with a's rows side by side, rows is rounded up to tiles.
static void multiply(const product *p, size_t rows, size_t vectors, int is_down) {
  const size_t row_parts = part_count(rows, MAX_ROWS);
  for (size_t first = 0, panel = 0; first < vectors; panel++) {
    const size_t width = panel_vectors(vectors, panel);
    product t = *p;
    t.b += (p->b_total * first + p->b_first * width) * LANES;
    for (size_t i = 0, part = 0; part < row_parts; part++) {
      const size_t height = is_down ? MAX_ROWS : part_length(rows, row_parts, part);
      t.a = p->a + (is_down ? (ptrdiff_t)i : (ptrdiff_t)i * p->a_stride);
      t.c = p->c + (ptrdiff_t)i * p->c_stride + first * LANES;
      t.start = p->start_stride ? p->start + (ptrdiff_t)i * p->start_stride + first * LANES
                                : p->start;
      (is_down ? down_tiles[width - 1] : along_tiles[height - 1][width - 1])(&t);
      i += height;
    }
    first += width;
  }
}
