#include "ck_gemm.h"
#include "ck_lanes.h"
#include "ck_winograd.h"

enum { PLACES = CK_WINOGRAD_PLACES };

CK_BODY size_t least(size_t a, size_t b) { return a < b ? a : b; }

// Transforms kernels piece by piece, so that a piece stays in the cache between its two steps.
enum { PIECE = 64, PANEL = 32 };

// u[p · plane + i] = (G g Gᵀ)[p] of the n kernels whose taps begin at w[i], tap (ky, kx) being
// (3 ky + kx) · tap further.
CK_BODY void transform_kernels(float *u, size_t plane, const float *w, ptrdiff_t tap, size_t n) {
  for (size_t c = 0; c < n; c += CK_LANES) {
    const size_t left = n - c;
    ck_f16 s[4][3];
#pragma unroll
    for (int j = 0; j < 3; j++) {
      const ck_f16 g0 = ck_load(w + j * tap + (ptrdiff_t)c, left),
                   g1 = ck_load(w + (3 + j) * tap + (ptrdiff_t)c, left),
                   g2 = ck_load(w + (6 + j) * tap + (ptrdiff_t)c, left);
      s[0][j] = g0;
      s[1][j] = (g0 + g1 + g2) * 0.5f;
      s[2][j] = (g0 - g1 + g2) * 0.5f;
      s[3][j] = g2;
    }
#pragma unroll
    for (int i = 0; i < 4; i++) {
      float *out = u + (size_t)(4 * i) * plane + c;
      ck_store(out, s[i][0], left);
      ck_store(out + plane, (s[i][0] + s[i][1] + s[i][2]) * 0.5f, left);
      ck_store(out + 2 * plane, (s[i][0] - s[i][1] + s[i][2]) * 0.5f, left);
      ck_store(out + 3 * plane, s[i][2], left);
    }
  }
}

CK_BODY void transform_panel_body(float *scratch, const float *w,
                                      const ck_winograd_kernel_t *kernel, size_t k, size_t n) {
  const ptrdiff_t tap = kernel->flipped ? -kernel->tap : kernel->tap;
  const float *first = kernel->flipped ? w + 8 * kernel->tap : w;
  const int is_across = kernel->column == 1;
  for (size_t i = 0; i < (is_across ? k : n); i++)
    transform_kernels(scratch + i * (is_across ? PANEL : PIECE), PIECE * PANEL,
                      first + (ptrdiff_t)i * (is_across ? kernel->row : kernel->column), tap,
                      is_across ? n : k);
}
static void transform_panel(float *, const float *, const ck_winograd_kernel_t *, size_t, size_t);
CK_VARIANTS(transform_panel,
            (float *scratch, const float *w, const ck_winograd_kernel_t *kernel, size_t k,
             size_t n),
            (scratch, w, kernel, k, n))

// One panel in pieces of the summed axis; PACK packs a piece of one place.
#define CK_WEIGHTS(PACK)                                                                          \
  float scratch[PLACES * PIECE * PANEL] __attribute__((aligned(64)));                             \
  const size_t width = ck_gemm_panel(), columns = least(width, n - panel * width);                \
  const float *from = w + (ptrdiff_t)(panel * width) * kernel->column;                            \
  for (size_t i = 0; i < k; i += PIECE) {                                                         \
    const size_t rows = least(PIECE, k - i);                                                      \
    transform_panel(scratch, from + (ptrdiff_t)i * kernel->row, kernel, rows, columns);           \
    for (size_t p = 0; p < PLACES; p++)                                                           \
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

CK_BODY void ck_winograd_weight_gradient_f32_body(float *dw, const float *du, size_t plane,
                                                  size_t channels) {
  for (size_t c = 0; c < channels; c += CK_LANES) {
    const size_t n = channels - c;
    ck_f16 s[3][4];
#pragma unroll
    for (int j = 0; j < 4; j++) {
      const float *from = du + (size_t)j * plane + c;
      const ck_f16 d1 = ck_load(from + 4 * plane, n) * 0.5f,
                   d2 = ck_load(from + 8 * plane, n) * 0.5f;
      s[0][j] = ck_load(from, n) + d1 + d2;
      s[1][j] = d1 - d2;
      s[2][j] = d1 + d2 + ck_load(from + 12 * plane, n);
    }
#pragma unroll
    for (int i = 0; i < 3; i++) {
      const ck_f16 d1 = s[i][1] * 0.5f, d2 = s[i][2] * 0.5f;
      float *out = dw + (size_t)(3 * i) * channels + c;
      ck_store(out, s[i][0] + d1 + d2, n);
      ck_store(out + channels, d1 - d2, n);
      ck_store(out + 2 * channels, d1 + d2 + s[i][3], n);
    }
  }
}
CK_VARIANTS(ck_winograd_weight_gradient_f32,
            (float *dw, const float *du, size_t plane, size_t channels),
            (dw, du, plane, channels))
