#include "ck_gemm.h"
#include "ck_lanes.h"
#include "ck_winograd.h"
#include "ck_winograd_lines.h"

CK_BODY size_t least(size_t a, size_t b) { return a < b ? a : b; }

// Transforms kernels piece by piece, so that a piece stays in the cache between its two steps.
enum { PIECE = 32, PANEL = 32 };

// u[p · plane + i] = (G g Gᵀ)[p] of the n kernels whose taps begin at w[i], tap (ky, kx) being
// (3 ky + kx) · tap further.
CK_BODY void transform_kernels(float *u, size_t plane, const float *w, ptrdiff_t tap, size_t n,
                               int size) {
  for (size_t c = 0; c < n; c += CK_LANES) {
    const size_t left = n - c;
    ck_f16 s[MAX_SIZE][3];
#pragma unroll
    for (int j = 0; j < 3; j++) {
      ck_f16 g[3], line[MAX_SIZE];
#pragma unroll
      for (int i = 0; i < 3; i++) g[i] = ck_load(w + (3 * i + j) * tap + (ptrdiff_t)c, left);
      kernel_line(line, g, size);
#pragma unroll
      for (int i = 0; i < size; i++) s[i][j] = line[i];
    }
#pragma unroll
    for (int i = 0; i < size; i++) {
      ck_f16 line[MAX_SIZE];
      kernel_line(line, s[i], size);
#pragma unroll
      for (int j = 0; j < size; j++)
        ck_store(u + (size_t)(size * i + j) * plane + c, line[j], left);
    }
  }
}

CK_BODY void ck_winograd_kernels_f32_body(float *u, size_t plane, const float *w, ptrdiff_t tap,
                                          size_t n, size_t side) {
  if (side == 4)
    transform_kernels(u, plane, w, tap, n, 6);
  else
    transform_kernels(u, plane, w, tap, n, 4);
}
CK_VARIANTS(ck_winograd_kernels_f32,
            (float *u, size_t plane, const float *w, ptrdiff_t tap, size_t n, size_t side),
            (u, plane, w, tap, n, side))

CK_BODY void transform_panel_body(float *scratch, const float *w,
                                      const ck_winograd_kernel_t *kernel, size_t k, size_t n) {
  const ptrdiff_t tap = kernel->flipped ? -kernel->tap : kernel->tap;
  const float *first = kernel->flipped ? w + 8 * kernel->tap : w;
  const int is_across = kernel->column == 1;
  for (size_t i = 0; i < (is_across ? k : n); i++) {
    float *to = scratch + i * (is_across ? PANEL : PIECE);
    const float *from = first + (ptrdiff_t)i * (is_across ? kernel->row : kernel->column);
    ck_winograd_kernels_f32_body(to, PIECE * PANEL, from, tap, is_across ? n : k, kernel->side);
  }
}
static void transform_panel(float *, const float *, const ck_winograd_kernel_t *, size_t, size_t);
CK_VARIANTS(transform_panel,
            (float *scratch, const float *w, const ck_winograd_kernel_t *kernel, size_t k,
             size_t n),
            (scratch, w, kernel, k, n))

// One panel in pieces of the summed axis; PACK packs a piece of one place.
#define CK_WEIGHTS(PACK)                                                                          \
  float scratch[MAX_PLACES * PIECE * PANEL] __attribute__((aligned(64)));                         \
  const size_t width = ck_gemm_panel(), columns = least(width, n - panel * width);                \
  const size_t places = (kernel->side + 2) * (kernel->side + 2);                                  \
  const float *from = w + (ptrdiff_t)(panel * width) * kernel->column;                            \
  for (size_t i = 0; i < k; i += PIECE) {                                                         \
    const size_t rows = least(PIECE, k - i);                                                      \
    transform_panel(scratch, from + (ptrdiff_t)i * kernel->row, kernel, rows, columns);           \
    for (size_t p = 0; p < places; p++)                                                           \
      PACK(u + p * plane + panel * k_total * width, k_total, i, scratch + p * PIECE * PANEL,      \
           rows, columns, kernel->column == 1 ? PANEL : 1, kernel->column == 1 ? 1 : PIECE, 0,    \
           1);                                                                                    \
  }

void ck_winograd_weights_f32(float *u, size_t plane, size_t k_total, const float *w,
                             const ck_winograd_kernel_t *kernel, size_t k, size_t n,
                             size_t panel) {
  CK_WEIGHTS(ck_pack_b_f32)
}

void ck_winograd_weights_bf16(uint16_t *u, size_t plane, size_t k_total, const float *w,
                              const ck_winograd_kernel_t *kernel, size_t k, size_t n,
                              size_t panel) {
  CK_WEIGHTS(ck_pack_b_bf16)
}

// Taps of n kernels from their transformed gradients; size is a constant.
CK_BODY void weight_gradient(float *dw, const float *du, size_t plane, size_t channels, int size) {
  for (size_t c = 0; c < channels; c += CK_LANES) {
    const size_t n = channels - c;
    ck_f16 s[3][MAX_SIZE];
#pragma unroll
    for (int j = 0; j < size; j++) {
      ck_f16 d[MAX_SIZE], line[3];
#pragma unroll
      for (int i = 0; i < size; i++) d[i] = ck_load(du + (size_t)(size * i + j) * plane + c, n);
      kernel_gradient_line(line, d, size);
#pragma unroll
      for (int i = 0; i < 3; i++) s[i][j] = line[i];
    }
#pragma unroll
    for (int i = 0; i < 3; i++) {
      ck_f16 line[3];
      kernel_gradient_line(line, s[i], size);
#pragma unroll
      for (int j = 0; j < 3; j++) ck_store(dw + (size_t)(3 * i + j) * channels + c, line[j], n);
    }
  }
}

CK_BODY void ck_winograd_weight_gradient_f32_body(float *dw, const float *du, size_t plane,
                                                  size_t channels, size_t side) {
  if (side == 4)
    weight_gradient(dw, du, plane, channels, 6);
  else
    weight_gradient(dw, du, plane, channels, 4);
}
CK_VARIANTS(ck_winograd_weight_gradient_f32,
            (float *dw, const float *du, size_t plane, size_t channels, size_t side),
            (dw, du, plane, channels, side))
