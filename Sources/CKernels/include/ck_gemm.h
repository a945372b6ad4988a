#pragma once
#include <stddef.h>
#include <stdint.h>

// A matrix product or convolution as one implicit matrix product, C = A · B (+ bias, or + C).
//
// Rows of A are output pixels. They come in lines of equal steps (an image row; a whole matrix is
// one line), lines come in images. A row is not stored in one piece: it is `segment_count` runs of
// `segment_length` elements, run s starting `segments[s]` elements behind the row's own start, so a
// 3x3 convolution reads its nine taps straight from the zero-padded [N, H, W, C] activation.
// B is packed by ck_pack_b_*. Strides and offsets count elements.
typedef struct {
  const void *a;
  ptrdiff_t row_stride, line_stride, image_stride;
  size_t rows_per_line, lines_per_image, images;
  const ptrdiff_t *segments;
  size_t segment_count, segment_length;
  const void *b;
  size_t columns;     // columns of B and C
  float *c;           // [rows, c_stride]
  uint16_t *rounded;  // ck_gemm_bf16: where C goes in bfloat16 instead, or NULL; not accumulated
  ptrdiff_t c_stride;
  const float *bias;    // one per column, or NULL
  ptrdiff_t bias_step;  // numbers between the biases of two images; 0 for one for all
  // Added too, rows c_stride apart, or NULL. May be c, which then is accumulated in.
  const float *residual;
} ck_gemm_t;

// Width of a panel of B on this CPU.
size_t ck_gemm_panel(void);

// 1 when ck_gemm_bf16 has an instruction for it here.
int ck_gemm_has_bf16(void);

// 1 when ck_gemm_bf16 computes with AMX tiles.
int ck_gemm_has_tiles(void);

// Blocks of rows, as many as a register tile has, of the product: lines do not share a block.
size_t ck_gemm_blocks(const ck_gemm_t *g);

// Computes row blocks [block, block_end) times panels [panel, panel_end).
void ck_gemm_f32(const ck_gemm_t *g, size_t block, size_t block_end, size_t panel,
                 size_t panel_end);
// The same with A and B in bfloat16, pairs along K; segment_length must be even.
void ck_gemm_bf16(const ck_gemm_t *g, size_t block, size_t block_end, size_t panel,
                  size_t panel_end);

// C (+)= A · B with both factors in panels: a[row / CK_ROW_PANEL][k][row % CK_ROW_PANEL],
// b[column / ck_gemm_panel()][k][column % ck_gemm_panel()], what is beyond rows and columns is
// read but has no effect on C. bf16: pairs along k, which is even, are neighbours:
// a[row / CK_ROW_PANEL][k / 2][row % CK_ROW_PANEL][2], b likewise.
enum { CK_ROW_PANEL = 8 };
typedef struct {
  const void *a, *b;
  size_t rows, columns, k;
  size_t a_panel_k, b_panel_k;  // numbers along k that a panel has room for, at least k
  float *c;
  ptrdiff_t c_stride;
  int accumulate;  // 1: C += A · B; 0: C = A · B
} ck_gemm_panels_t;
void ck_gemm_panels_f32(const ck_gemm_panels_t *g);
void ck_gemm_panels_bf16(const ck_gemm_panels_t *g);

// Packs rows [k_offset, k_offset + k) of panels [panel, panel_end) of B. Element (i, j) of these
// rows is src[i * k_stride + j * n_stride], where one of the strides is 1; columns from n on become
// zero. dst holds, per panel, k_total * ck_gemm_panel() elements. bf16: k_total and k_offset are
// even; an odd k is followed by a row of zeros.
void ck_pack_b_f32(float *dst, size_t k_total, size_t k_offset, const float *src, size_t k,
                   size_t n, ptrdiff_t k_stride, ptrdiff_t n_stride, size_t panel,
                   size_t panel_end);
void ck_pack_b_bf16(uint16_t *dst, size_t k_total, size_t k_offset, const float *src, size_t k,
                    size_t n, ptrdiff_t k_stride, ptrdiff_t n_stride, size_t panel,
                    size_t panel_end);
// Panels [panel, panel_end) of Bᵀ from a B that is packed: `src` holds B [src_k, n] as ck_pack_b_bf16
// makes it, of which rows [src_offset, src_offset + k) become the k columns of dst, and the n columns
// its rows from dst_offset on. dst begins with panel `panel` and has dst_k rows. Offsets and row
// counts in all are even. For a panel of 32 columns.
void ck_turn_panels_bf16(uint16_t *dst, size_t dst_k, size_t dst_offset, const uint16_t *src,
                         size_t src_k, size_t src_offset, size_t k, size_t n, size_t panel,
                         size_t panel_end);
// Packs the rows of src [k, n] into panels of `width` columns, 8 or a multiple of 16, with room for
// panel_k rows each: dst[j / width][i][j % width]; the last panel is filled up with zeros. bf16:
// pairs of rows are neighbours, an odd k is followed by a row of zeros, panel_k is even.
void ck_pack_panels_f32(float *dst, size_t panel_k, size_t width, const float *src,
                        ptrdiff_t stride, size_t k, size_t n);
void ck_pack_panels_bf16(uint16_t *dst, size_t panel_k, size_t width, const float *src,
                         ptrdiff_t stride, size_t k, size_t n);
// The same from a source that is bfloat16 already.
void ck_pack_panels_rows_bf16(uint16_t *dst, size_t panel_k, size_t width, const uint16_t *src,
                              ptrdiff_t stride, size_t k, size_t n);

// What the gradients of a linear layer need of the gradient by its result, dense rows [k, n], in
// one pass: bfloat16 panels as ck_pack_panels_bf16 makes them, bfloat16 rows, column sums [n].
typedef struct {
  uint16_t *panels;  // or NULL
  size_t panel_k, width;
  uint16_t *rows;      // or NULL
  size_t rows_stride;  // n rounded up to even; what is beyond n becomes zero
  float *sums;         // or NULL
} ck_gradient_t;
void ck_pack_gradient(const ck_gradient_t *g, const float *src, size_t k, size_t n);
void ck_pack_gradient_bf16(const ck_gradient_t *g, const uint16_t *src, size_t k, size_t n);

// y[j * y_stride + i] = x[i * x_stride + j] for i in [0, rows), j in [0, columns).
void ck_transpose_f32(float *y, ptrdiff_t y_stride, const float *x, ptrdiff_t x_stride, size_t rows,
                      size_t columns);

// Copies lines [line, line_end) of y [H, W, y_channels], a padded and dilated x
// [x_height, x_width, channels]: pixel (i, j) of x lands at (top + i * dilation, left + j *
// dilation), everything else, channels from `channels` on included, becomes zero.
typedef struct {
  size_t height, width, y_channels;
  ptrdiff_t top, left, dilation;
  size_t x_height, x_width, channels;
} ck_pad_t;
void ck_pad_f32(float *y, const float *x, const ck_pad_t *p, size_t line, size_t line_end);
void ck_pad_bf16(uint16_t *y, const float *x, const ck_pad_t *p, size_t line, size_t line_end);
// The same from a source that is bfloat16 already.
void ck_pad_rows_bf16(uint16_t *y, const uint16_t *x, const ck_pad_t *p, size_t line,
                      size_t line_end);
