#include "ck_gemm_amx.h"

#if defined(__x86_64__)
#include <string.h>

#include "ck_amx.h"
#include "ck_lanes.h"

enum {
  WIDTH = 2 * CK_TILE,       // columns of a panel, and rows that are computed together
  STEP = 2 * CK_TILE_PAIRS,  // numbers along the summed axis that one product takes
  GROUP = 256,               // rows that go through all panels together
  DEPTH = 512                // numbers along the summed axis that panels are turned for at a time
};

// Sixteen rows of the left factor, of which those behind the last one repeat it.
typedef struct {
  ptrdiff_t row[CK_TILE];  // where each begins, in elements
  int is_even;             // all are there, and equally far apart
} row_tile;

// Where row `row` of the product begins in A.
static ptrdiff_t row_start(const ck_gemm_t *g, size_t row) {
  const size_t line = row / g->rows_per_line;
  return (ptrdiff_t)(line / g->lines_per_image) * g->image_stride +
         (ptrdiff_t)(line % g->lines_per_image) * g->line_stride +
         (ptrdiff_t)(row % g->rows_per_line) * g->row_stride;
}

static row_tile find_rows(const ck_gemm_t *g, size_t row, size_t end) {
  row_tile t;
  t.is_even = row + CK_TILE <= end;
  for (size_t i = 0; i < CK_TILE; i++) {
    t.row[i] = row_start(g, row + i < end ? row + i : end - 1);
    if (i > 0 && t.row[i] - t.row[i - 1] != g->row_stride) t.is_even = 0;
  }
  return t;
}

// `count` numbers of sixteen rows, from a on: where they lie, or gathered in the buffer.
CK_BODY CK_TARGET_AMX ck_tile_t left_tile(const ck_gemm_t *g, const uint16_t *a, const row_tile *t,
                                          size_t count, uint16_t *buffer) {
  if (t->is_even && count == STEP)
    return (ck_tile_t){a + t->row[0], g->row_stride * (ptrdiff_t)sizeof(uint16_t)};
  const __mmask32 mask = count == STEP ? ~(__mmask32)0 : ((__mmask32)1 << count) - 1;
  for (size_t i = 0; i < CK_TILE; i++)
    _mm512_storeu_si512(buffer + i * STEP, _mm512_maskz_loadu_epi16(mask, a + t->row[i]));
  return (ck_tile_t){buffer, STEP * sizeof(uint16_t)};
}

// Moves sums [rows, WIDTH] to rows of C from `row` on, with bias and residual.
CK_BODY CK_TARGET_AMX void finish_rows(const ck_gemm_t *g, const float *sums, size_t row,
                                      size_t rows, size_t column) {
  const size_t per_image = g->rows_per_line * g->lines_per_image;
  for (size_t j = 0; j < WIDTH && column + j < g->columns; j += CK_TILE) {
    const __mmask16 mask = ck_amx_lanes(g->columns - column - j);
    for (size_t i = 0; i < rows; i++) {
      const size_t place = (row + i) * (size_t)g->c_stride + column + j;
      __m512 sum = _mm512_loadu_ps(sums + i * WIDTH + j);
      if (g->bias) {
        const size_t image = g->bias_step ? (row + i) / per_image : 0;
        const float *bias = g->bias + (ptrdiff_t)image * g->bias_step + column + j;
        sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(mask, bias));
      }
      if (g->residual)
        sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(mask, g->residual + place));
      if (g->rounded)
        _mm256_mask_storeu_epi16(g->rounded + place, mask, (__m256i)_mm512_cvtneps_pbh(sum));
      else
        _mm512_mask_storeu_ps(g->c + place, mask, sum);
    }
  }
}

// What the vector units do while tiles are multiplied: rows of the block before are finished, and the
// next panel is asked for.
typedef struct {
  const float *sums;
  size_t row, rows, column;  // rows that are left
  size_t at_once;
  const char *ahead;
} side_work;

enum { LINES_AHEAD = WIDTH / (GROUP / WIDTH) };  // per step, so that a group asks for a whole panel

CK_BODY CK_TARGET_AMX void work_beside(const ck_gemm_t *g, side_work *work) {
  for (size_t i = 0; i < LINES_AHEAD; i++, work->ahead += 64) _mm_prefetch(work->ahead, _MM_HINT_T1);
  const size_t rows = work->rows < work->at_once ? work->rows : work->at_once;
  finish_rows(g, work->sums, work->row, rows, work->column);
  work->sums += rows * WIDTH;
  work->row += rows;
  work->rows -= rows;
}

// `down` tiles of rows times a panel.
CK_BODY CK_TARGET_AMX void multiply_rows(const ck_gemm_t *g, const row_tile *rows,
                                         const uint16_t *b, float *out, side_work *work,
                                         const int down) {
  uint16_t left_buffer[2][CK_TILE * STEP] __attribute__((aligned(64)));
  uint32_t right_buffer[CK_TILE_PAIRS * WIDTH] __attribute__((aligned(64)));
  ck_amx_clear();
  for (size_t s = 0; s < g->segment_count; s++) {
    const uint16_t *a = (const uint16_t *)g->a + g->segments[s];
    for (size_t k = 0; k < g->segment_length; k += STEP) {
      const size_t left = g->segment_length - k, count = left < STEP ? left : STEP;
      const uint32_t *panel = (const uint32_t *)b;
      if (count < STEP) {
        ck_amx_fill_up(right_buffer, panel, count / 2, WIDTH);
        panel = right_buffer;
      }
      const ptrdiff_t stride = WIDTH * sizeof(uint32_t);
      const ck_tile_t right[2] = {{panel, stride}, {panel + CK_TILE, stride}};
      const ck_tile_t tiles[2] = {
          left_tile(g, a + k, &rows[0], count, left_buffer[0]),
          down == 2 ? left_tile(g, a + k, &rows[1], count, left_buffer[1]) : (ck_tile_t){0}};
      ck_amx_step(tiles, right, down, 2);
      work_beside(g, work);
      b += count * WIDTH;
    }
  }
  ck_amx_store(out, WIDTH, down, 2);
}

CK_TARGET_AMX static void multiply_one(const ck_gemm_t *g, const row_tile *rows, const uint16_t *b,
                                       float *out, side_work *work) {
  multiply_rows(g, rows, b, out, work, 1);
}

CK_TARGET_AMX static void multiply_two(const ck_gemm_t *g, const row_tile *rows, const uint16_t *b,
                                       float *out, side_work *work) {
  multiply_rows(g, rows, b, out, work, 2);
}

CK_TARGET_AMX void ck_gemm_amx(const ck_gemm_t *g, size_t first_row, size_t end_row, size_t panel,
                               size_t panel_end) {
  float sums[2][WIDTH * WIDTH] __attribute__((aligned(64)));
  row_tile tiles[GROUP / CK_TILE];
  const size_t panel_length = g->segment_count * g->segment_length * WIDTH;
  const size_t steps = g->segment_count * ((g->segment_length + STEP - 1) / STEP);
  side_work work = {.at_once = steps ? (WIDTH + steps - 1) / steps : WIDTH};
  int turn = 0;
  ck_amx_begin();
  for (size_t group = first_row; group < end_row; group += GROUP) {
    const size_t end = end_row - group < GROUP ? end_row : group + GROUP;
    for (size_t row = group; row < end; row += CK_TILE)
      tiles[(row - group) / CK_TILE] = find_rows(g, row, end);
    for (size_t j = panel; j < panel_end; j++) {
      const uint16_t *b = (const uint16_t *)g->b + j * panel_length;
      work.ahead = (const char *)(b + (j + 1 < panel_end ? panel_length : 0));
      for (size_t row = group; row < end; row += WIDTH, turn ^= 1) {
        const size_t rows = end - row < WIDTH ? end - row : WIDTH;
        (rows > CK_TILE ? multiply_two : multiply_one)(g, &tiles[(row - group) / CK_TILE], b,
                                                       sums[turn], &work);
        finish_rows(g, work.sums, work.row, work.rows, work.column);
        work.sums = sums[turn];
        work.row = row;
        work.rows = rows;
        work.column = j * WIDTH;
      }
    }
  }
  finish_rows(g, work.sums, work.row, work.rows, work.column);
  ck_amx_end();
}

// Turns pairs [first, first + 16) of a row panel and of the one behind it, or of zeros, into sixteen
// rows of 32 numbers; pairs from `end` on are zero.
CK_TARGET_AMX static void turn_rows(uint32_t *out, const uint32_t *low, const uint32_t *high,
                                    size_t first, size_t end) {
  ck_u16 r[CK_LANES];
  for (size_t i = 0; i < CK_TILE_PAIRS; i++) {
    const int is_inside = first + i < end;
    const size_t place = (first + i) * CK_ROW_PANEL;
    const __m256i zero = _mm256_setzero_si256();
    const __m256i a = is_inside ? _mm256_loadu_si256((const __m256i *)(low + place)) : zero;
    const __m256i b =
        is_inside && high ? _mm256_loadu_si256((const __m256i *)(high + place)) : zero;
    r[i] = (ck_u16)_mm512_inserti64x4(_mm512_castsi256_si512(a), b, 1);
  }
  ck_transpose_lanes(r);
  for (size_t i = 0; i < CK_TILE; i++) _mm512_storeu_si512(out + i * CK_LANES, (__m512i)r[i]);
}

// Adds sums [rows, WIDTH] to C, or sets it.
CK_TARGET_AMX static void add_sums(float *c, ptrdiff_t c_stride, const float *sums, size_t rows,
                                   size_t columns, int accumulate) {
  for (size_t j = 0; j < WIDTH && j < columns; j += CK_TILE) {
    const __mmask16 mask = ck_amx_lanes(columns - j);
    for (size_t i = 0; i < rows; i++) {
      float *to = c + (ptrdiff_t)i * c_stride + j;
      __m512 sum = _mm512_loadu_ps(sums + i * WIDTH + j);
      if (accumulate) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(mask, to));
      _mm512_mask_storeu_ps(to, mask, sum);
    }
  }
}

// Rows that are turned, [pairs / 16][2][16][16], times a panel from `b` on.
CK_BODY CK_TARGET_AMX void multiply_turned(const uint32_t *turned, const uint32_t *b, size_t pairs,
                                           float *out, const int down) {
  uint32_t buffer[CK_TILE_PAIRS * WIDTH] __attribute__((aligned(64)));
  const ptrdiff_t stride = WIDTH * sizeof(uint32_t), dense = CK_TILE_PAIRS * sizeof(uint32_t);
  ck_amx_clear();
  for (size_t k = 0; k < pairs; k += CK_TILE_PAIRS) {
    const uint32_t *panel = b + k * WIDTH;
    if (pairs - k < CK_TILE_PAIRS) {
      ck_amx_fill_up(buffer, panel, pairs - k, WIDTH);
      panel = buffer;
    }
    const uint32_t *rows = turned + k * WIDTH;
    const ck_tile_t left[2] = {{rows, dense}, {rows + CK_TILE * CK_TILE_PAIRS, dense}};
    const ck_tile_t right[2] = {{panel, stride}, {panel + CK_TILE, stride}};
    ck_amx_step(left, right, down, 2);
  }
  ck_amx_store(out, WIDTH, down, 2);
}

CK_TARGET_AMX static void multiply_turned_one(const uint32_t *turned, const uint32_t *b,
                                              size_t pairs, float *out) {
  multiply_turned(turned, b, pairs, out, 1);
}

CK_TARGET_AMX static void multiply_turned_two(const uint32_t *turned, const uint32_t *b,
                                              size_t pairs, float *out) {
  multiply_turned(turned, b, pairs, out, 2);
}

CK_TARGET_AMX void ck_gemm_panels_amx(const ck_gemm_panels_t *g) {
  float sums[WIDTH * WIDTH] __attribute__((aligned(64)));
  uint32_t turned[DEPTH / 2 * WIDTH] __attribute__((aligned(64)));
  const size_t pairs = g->k / 2, panel = g->a_panel_k / 2 * CK_ROW_PANEL;
  const uint32_t *a = g->a, *b = g->b;
  ck_amx_begin();
  for (size_t row = 0; row < g->rows; row += WIDTH)
    for (size_t k = 0; k == 0 || k < pairs; k += DEPTH / 2) {
      const size_t end = pairs - k < DEPTH / 2 ? pairs : k + DEPTH / 2;
      const size_t rows = g->rows - row < WIDTH ? g->rows - row : WIDTH;
      for (size_t part = 0; part < rows; part += CK_TILE) {
        const uint32_t *low = a + (row + part) / CK_ROW_PANEL * panel;
        const uint32_t *high = part + CK_ROW_PANEL < rows ? low + panel : NULL;
        for (size_t i = k; i < end; i += CK_TILE_PAIRS)
          turn_rows(turned + (i - k) * WIDTH + part * CK_TILE_PAIRS, low, high, i, end);
      }
      for (size_t column = 0; column < g->columns; column += WIDTH) {
        const uint32_t *right = b + (column * (g->b_panel_k / 2)) + k * WIDTH;
        (rows > CK_TILE ? multiply_turned_two : multiply_turned_one)(turned, right, end - k, sums);
        add_sums(g->c + (ptrdiff_t)row * g->c_stride + column, g->c_stride, sums, rows,
                 g->columns - column, g->accumulate || k > 0);
      }
    }
  ck_amx_end();
}
#endif
