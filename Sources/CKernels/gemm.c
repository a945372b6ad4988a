#include "ck_gemm.h"

#include <string.h>

#include "ck_bf16.h"
#include "ck_dispatch.h"
#include "ck_gemm_amx.h"
#include "ck_variants.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// MAX_BLOCKS: row blocks that go through all panels together.
enum { MAX_ROWS = 8, MAX_PANEL = 32, MAX_BLOCKS = 32 };

// Rows of the register tile.
static size_t tile_rows(void) { return ck_isa() >= CK_ISA_AVX512 ? 8 : 4; }

size_t ck_gemm_panel(void) {
  switch (ck_isa()) {
    case CK_ISA_AMX:
    case CK_ISA_AVX512BF16:
    case CK_ISA_AVX512: return 32;
    case CK_ISA_AVX2: return 16;
    default: return 8;
  }
}

int ck_gemm_has_bf16(void) { return ck_isa() >= CK_ISA_AVX512BF16; }

int ck_gemm_has_tiles(void) { return ck_isa() == CK_ISA_AMX; }

static size_t blocks_per_line(const ck_gemm_t *g) {
  return (g->rows_per_line + tile_rows() - 1) / tile_rows();
}

size_t ck_gemm_blocks(const ck_gemm_t *g) {
  return blocks_per_line(g) * g->lines_per_image * g->images;
}

// Where a row block starts in A (elements) and in C (rows), how many of its rows are real, and what
// is added to them.
typedef struct {
  ptrdiff_t a;
  size_t row, rows;
  const float *bias;  // for its image, or NULL
} block_place;

static block_place place(const ck_gemm_t *g, size_t block, size_t block_rows) {
  size_t per_line = blocks_per_line(g);
  size_t line = block / per_line, first = (block % per_line) * block_rows;
  size_t image = line / g->lines_per_image, y = line % g->lines_per_image;
  size_t left = g->rows_per_line - first;
  block_place p;
  p.a = (ptrdiff_t)image * g->image_stride + (ptrdiff_t)y * g->line_stride +
        (ptrdiff_t)first * g->row_stride;
  p.row = line * g->rows_per_line + first;
  p.rows = left < block_rows ? left : block_rows;
  p.bias = g->bias ? g->bias + (ptrdiff_t)image * g->bias_step : NULL;
  return p;
}

// The places of up to MAX_BLOCKS blocks; returns how many.
static size_t find_places(block_place *places, const ck_gemm_t *g, size_t block, size_t block_end,
                          size_t block_rows) {
  const size_t left = block_end - block, count = left < MAX_BLOCKS ? left : MAX_BLOCKS;
  for (size_t i = 0; i < count; i++) places[i] = place(g, block + i, block_rows);
  return count;
}

// Moves the valid part of a tile at an edge of C, [MAX_ROWS, panel], with bias and residual.
static void store_tile(const ck_gemm_t *g, const float *tile, size_t panel_width,
                       const block_place *p, size_t column) {
  const size_t left = g->columns - column, columns = left < panel_width ? left : panel_width;
  for (size_t i = 0; i < p->rows; i++) {
    const size_t place = (p->row + i) * (size_t)g->c_stride + column;
    for (size_t j = 0; j < columns; j++) {
      float sum = tile[i * panel_width + j];
      if (p->bias) sum += p->bias[column + j];
      if (g->residual) sum += g->residual[place + j];
      if (g->rounded) g->rounded[place + j] = (uint16_t)bf16_bits(sum);
      else g->c[place + j] = sum;
    }
  }
}

// Offset of tile row i; rows beyond the last real one repeat it, so that nothing behind A is read.
CK_BODY ptrdiff_t row_offset(const ck_gemm_t *g, int i, size_t rows) {
  return (ptrdiff_t)((size_t)i < rows ? (size_t)i : rows - 1) * g->row_stride;
}

// Where a tile's result goes: straight into C, or into a buffer at the edges of C.
typedef struct {
  float *out;
  uint16_t *rounded;  // or NULL
  ptrdiff_t stride;
  const float *bias;      // for these columns, or NULL
  const float *residual;  // for this tile, or NULL
} tile_target;

static tile_target target_of(const ck_gemm_t *g, const block_place *p, size_t column, size_t width,
                             size_t rows, float *buffer) {
  if (p->rows < rows || g->columns - column < width)
    return (tile_target){.out = buffer, .stride = (ptrdiff_t)width};
  const ptrdiff_t start = (ptrdiff_t)p->row * g->c_stride + (ptrdiff_t)column;
  return (tile_target){.out = g->rounded ? NULL : g->c + start,
                       .rounded = g->rounded ? g->rounded + start : NULL,
                       .stride = g->c_stride,
                       .bias = p->bias ? p->bias + column : NULL,
                       .residual = g->residual ? g->residual + start : NULL};
}

// The register tile: ROWS rows by two vectors of WIDTH floats, and how it gets into C, with a
// constant HAS_RESIDUAL. Rows are the outer unrolled loop, so the accumulators stay in registers.
#define CK_TILE_F32(SUFFIX, TARGET, WIDTH, ROWS)                                                  \
  typedef float vec_##SUFFIX __attribute__((vector_size(WIDTH * 4), aligned(4)));                 \
  CK_BODY TARGET void finish_f32_##SUFFIX(vec_##SUFFIX acc[ROWS][2], const tile_target *t,        \
                                          int has_residual) {                                     \
    _Pragma("unroll") for (int j = 0; j < 2; j++) {                                               \
      vec_##SUFFIX shift = {0};                                                                   \
      if (t->bias) shift = *(const vec_##SUFFIX *)(t->bias + j * WIDTH);                          \
      _Pragma("unroll") for (int i = 0; i < ROWS; i++) {                                          \
        const ptrdiff_t place = i * t->stride + j * WIDTH;                                        \
        vec_##SUFFIX sum = acc[i][j] + shift;                                                     \
        if (has_residual) sum += *(const vec_##SUFFIX *)(t->residual + place);                    \
        *(vec_##SUFFIX *)(t->out + place) = sum;                                                  \
      }                                                                                           \
    }                                                                                             \
  }                                                                                               \
  TARGET static void tile_f32_##SUFFIX(const ck_gemm_t *g, ptrdiff_t a, size_t rows,              \
                                       const void *right, const tile_target *t) {                 \
    const float *b = right, *row[ROWS];                                                           \
    vec_##SUFFIX acc[ROWS][2];                                                                    \
    _Pragma("unroll") for (int i = 0; i < ROWS; i++) acc[i][0] = acc[i][1] = (vec_##SUFFIX){0};   \
    for (size_t s = 0; s < g->segment_count; s++) {                                               \
      _Pragma("unroll") for (int i = 0; i < ROWS; i++)                                            \
          row[i] = (const float *)g->a + a + g->segments[s] + row_offset(g, i, rows);             \
      for (size_t k = 0; k < g->segment_length; k++, b += 2 * WIDTH) {                            \
        vec_##SUFFIX b0 = *(const vec_##SUFFIX *)b, b1 = *(const vec_##SUFFIX *)(b + WIDTH);      \
        _Pragma("unroll") for (int i = 0; i < ROWS; i++) {                                        \
          float x = row[i][k];                                                                    \
          acc[i][0] += x * b0;                                                                    \
          acc[i][1] += x * b1;                                                                    \
        }                                                                                         \
      }                                                                                           \
    }                                                                                             \
    if (t->residual) finish_f32_##SUFFIX(acc, t, 1);                                              \
    else finish_f32_##SUFFIX(acc, t, 0);                                                          \
  }

#if defined(__x86_64__)
#define TARGET_AVX512F __attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")))
#define TARGET_BF16 \
  __attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))
CK_TILE_F32(avx512, TARGET_AVX512F, 16, 8)
CK_TILE_F32(avx2, CK_TARGET_AVX2, 8, 4)
#endif
CK_TILE_F32(plain, , 4, 4)

// The register tile of two factors in panels: ROWS of the rows of a row panel, from `a` on.
#define CK_PANEL_TILE_F32(SUFFIX, TARGET, WIDTH, ROWS)                                            \
  TARGET static void panel_tile_##SUFFIX(const void *left, const void *right, size_t k,           \
                                         float *out, ptrdiff_t stride, int accumulate) {          \
    const float *a = left, *b = right;                                                            \
    vec_##SUFFIX acc[ROWS][2];                                                                    \
    _Pragma("unroll") for (int i = 0; i < ROWS; i++) acc[i][0] = acc[i][1] = (vec_##SUFFIX){0};   \
    for (; k > 0; k--, a += CK_ROW_PANEL, b += 2 * WIDTH) {                                       \
      vec_##SUFFIX b0 = *(const vec_##SUFFIX *)b, b1 = *(const vec_##SUFFIX *)(b + WIDTH);        \
      _Pragma("unroll") for (int i = 0; i < ROWS; i++) {                                          \
        acc[i][0] += a[i] * b0;                                                                   \
        acc[i][1] += a[i] * b1;                                                                   \
      }                                                                                           \
    }                                                                                             \
    _Pragma("unroll") for (int i = 0; i < ROWS; i++) {                                            \
      _Pragma("unroll") for (int j = 0; j < 2; j++) {                                             \
        vec_##SUFFIX *to = (vec_##SUFFIX *)(out + i * stride + j * WIDTH);                        \
        *to = accumulate ? *to + acc[i][j] : acc[i][j];                                           \
      }                                                                                           \
    }                                                                                             \
  }
#if defined(__x86_64__)
CK_PANEL_TILE_F32(avx512, TARGET_AVX512F, 16, 8)
CK_PANEL_TILE_F32(avx2, CK_TARGET_AVX2, 8, 4)
#endif
CK_PANEL_TILE_F32(plain, , 4, 4)

#if defined(__x86_64__)
// Moves a tile of sums into C; IS_ROUNDED and HAS_RESIDUAL are constants where it is called.
CK_BODY TARGET_BF16 void finish_bf16(__m512 acc[8][2], const tile_target *t, int is_rounded,
                                     int has_residual) {
  const __m512 zero = _mm512_setzero_ps();
  const __m512 low = t->bias ? _mm512_loadu_ps(t->bias) : zero;
  const __m512 high = t->bias ? _mm512_loadu_ps(t->bias + 16) : zero;
#pragma unroll
  for (int i = 0; i < 8; i++) {
    const ptrdiff_t place = i * t->stride;
    __m512 a = _mm512_add_ps(acc[i][0], low), b = _mm512_add_ps(acc[i][1], high);
    if (has_residual) {
      a = _mm512_add_ps(a, _mm512_loadu_ps(t->residual + place));
      b = _mm512_add_ps(b, _mm512_loadu_ps(t->residual + place + 16));
    }
    if (is_rounded) {
      _mm512_storeu_si512(t->rounded + place, (__m512i)_mm512_cvtne2ps_pbh(b, a));
    } else {
      _mm512_storeu_ps(t->out + place, a);
      _mm512_storeu_ps(t->out + place + 16, b);
    }
  }
}

TARGET_BF16 static void tile_bf16(const ck_gemm_t *g, ptrdiff_t a, size_t rows, const void *right,
                                  const tile_target *t) {
  const uint16_t *b = right, *row[8];
  __m512 acc[8][2];
#pragma unroll
  for (int i = 0; i < 8; i++) acc[i][0] = acc[i][1] = _mm512_setzero_ps();
  for (size_t s = 0; s < g->segment_count; s++) {
#pragma unroll
    for (int i = 0; i < 8; i++)
      row[i] = (const uint16_t *)g->a + a + g->segments[s] + row_offset(g, i, rows);
    for (size_t k = 0; k < g->segment_length; k += 2, b += 64) {
      __m512bh b0 = (__m512bh)_mm512_loadu_si512(b), b1 = (__m512bh)_mm512_loadu_si512(b + 32);
#pragma unroll
      for (int i = 0; i < 8; i++) {
        int pair;
        memcpy(&pair, row[i] + k, 4);
        __m512bh x = (__m512bh)_mm512_set1_epi32(pair);
        acc[i][0] = _mm512_dpbf16_ps(acc[i][0], x, b0);
        acc[i][1] = _mm512_dpbf16_ps(acc[i][1], x, b1);
      }
    }
  }
  if (t->rounded && t->residual) finish_bf16(acc, t, 1, 1);
  else if (t->rounded) finish_bf16(acc, t, 1, 0);
  else if (t->residual) finish_bf16(acc, t, 0, 1);
  else finish_bf16(acc, t, 0, 0);
}

TARGET_BF16 static void panel_tile_bf16(const void *left, const void *right, size_t k, float *out,
                                        ptrdiff_t stride, int accumulate) {
  const uint16_t *a = left, *b = right;
  __m512 acc[8][2];
#pragma unroll
  for (int i = 0; i < 8; i++) acc[i][0] = acc[i][1] = _mm512_setzero_ps();
  for (; k > 0; k -= 2, a += 2 * CK_ROW_PANEL, b += 64) {
    __m512bh b0 = (__m512bh)_mm512_loadu_si512(b), b1 = (__m512bh)_mm512_loadu_si512(b + 32);
#pragma unroll
    for (int i = 0; i < 8; i++) {
      int pair;
      memcpy(&pair, a + 2 * i, 4);
      __m512bh x = (__m512bh)_mm512_set1_epi32(pair);
      acc[i][0] = _mm512_dpbf16_ps(acc[i][0], x, b0);
      acc[i][1] = _mm512_dpbf16_ps(acc[i][1], x, b1);
    }
  }
#pragma unroll
  for (int i = 0; i < 8; i++) {
#pragma unroll
    for (int j = 0; j < 2; j++) {
      float *to = out + i * stride + j * 16;
      _mm512_storeu_ps(to, accumulate ? _mm512_add_ps(_mm512_loadu_ps(to), acc[i][j]) : acc[i][j]);
    }
  }
}
#endif

typedef void (*gemm_tile)(const ck_gemm_t *g, ptrdiff_t a, size_t rows, const void *b,
                          const tile_target *t);

// All tiles of some row blocks and panels; bytes are those of an element of A and B.
static void run_tiles(const ck_gemm_t *g, gemm_tile compute, size_t rows, size_t bytes,
                      size_t block, size_t block_end, size_t panel, size_t panel_end) {
  float tile[MAX_ROWS * MAX_PANEL] __attribute__((aligned(64)));
  block_place places[MAX_BLOCKS];
  const size_t width = ck_gemm_panel();
  const size_t panel_bytes = g->segment_count * g->segment_length * width * bytes;
  for (; block < block_end; block += MAX_BLOCKS) {
    const size_t count = find_places(places, g, block, block_end, rows);
    for (size_t j = panel; j < panel_end; j++) {
      const char *b = (const char *)g->b + j * panel_bytes;
      for (const block_place *p = places; p < places + count; p++) {
        const tile_target t = target_of(g, p, j * width, width, rows, tile);
        compute(g, p->a, p->rows, b, &t);
        if (t.out == tile) store_tile(g, tile, width, p, j * width);
      }
    }
  }
}

void ck_gemm_f32(const ck_gemm_t *g, size_t block, size_t block_end, size_t panel,
                 size_t panel_end) {
  gemm_tile compute = tile_f32_plain;
#if defined(__x86_64__)
  if (ck_isa() >= CK_ISA_AVX512) compute = tile_f32_avx512;
  else if (ck_isa() == CK_ISA_AVX2) compute = tile_f32_avx2;
#endif
  run_tiles(g, compute, tile_rows(), sizeof(float), block, block_end, panel, panel_end);
}

void ck_gemm_bf16(const ck_gemm_t *g, size_t block, size_t block_end, size_t panel,
                  size_t panel_end) {
#if defined(__x86_64__)
  if (ck_gemm_has_tiles() && block < block_end) {
    const block_place first = place(g, block, 8), last = place(g, block_end - 1, 8);
    ck_gemm_amx(g, first.row, last.row + (last.rows < 8 ? last.rows : 8), panel, panel_end);
    return;
  }
  run_tiles(g, tile_bf16, 8, sizeof(uint16_t), block, block_end, panel, panel_end);
#else
  (void)g, (void)block, (void)block_end, (void)panel, (void)panel_end;
#endif
}

typedef void (*panel_tile)(const void *a, const void *b, size_t k, float *out, ptrdiff_t stride,
                           int accumulate);

// All tiles of a product of panels; bytes are those of an element of A and B.
static void run_panels(const ck_gemm_panels_t *g, panel_tile compute, size_t rows, size_t bytes) {
  float tile[MAX_ROWS * MAX_PANEL] __attribute__((aligned(64)));
  const size_t width = ck_gemm_panel();
  for (size_t column = 0; column < g->columns; column += width) {
    const char *b = (const char *)g->b + column * g->b_panel_k * bytes;
    const size_t columns = g->columns - column < width ? g->columns - column : width;
    for (size_t row = 0; row < g->rows; row += rows) {
      const char *a = (const char *)g->a + (row / CK_ROW_PANEL * CK_ROW_PANEL * g->a_panel_k +
                                            row % CK_ROW_PANEL * (bytes == 2 ? 2 : 1)) * bytes;
      float *c = g->c + (ptrdiff_t)row * g->c_stride + column;
      const size_t left = g->rows - row;
      if (left >= rows && columns == width) {
        compute(a, b, g->k, c, g->c_stride, g->accumulate);
        continue;
      }
      compute(a, b, g->k, tile, (ptrdiff_t)width, 0);
      for (size_t i = 0; i < (left < rows ? left : rows); i++)
        for (size_t j = 0; j < columns; j++) {
          float *to = c + (ptrdiff_t)i * g->c_stride + j;
          *to = (g->accumulate ? *to : 0) + tile[i * width + j];
        }
    }
  }
}

void ck_gemm_panels_f32(const ck_gemm_panels_t *g) {
#if defined(__x86_64__)
  if (ck_isa() >= CK_ISA_AVX512) {
    run_panels(g, panel_tile_avx512, 8, 4);
    return;
  }
  if (ck_isa() == CK_ISA_AVX2) {
    run_panels(g, panel_tile_avx2, 4, 4);
    return;
  }
#endif
  run_panels(g, panel_tile_plain, 4, 4);
}

void ck_gemm_panels_bf16(const ck_gemm_panels_t *g) {
#if defined(__x86_64__)
  if (ck_gemm_has_tiles()) ck_gemm_panels_amx(g);
  else run_panels(g, panel_tile_bf16, 8, 2);
#else
  (void)g;
#endif
}
