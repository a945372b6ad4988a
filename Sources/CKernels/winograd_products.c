#include "ck_gemm.h"
#include "ck_winograd.h"

// Which of the 16 places of the kernels the place `place` of the source meets.
static size_t kernel_place(const ck_winograd_products_t *w, size_t place) {
  static const size_t of_upsampled[CK_WINOGRAD_UPSAMPLED_PLACES] = {0, 1, 3, 4, 5, 7, 12, 13, 15};
  return w->places == CK_WINOGRAD_UPSAMPLED_PLACES ? of_upsampled[place] : place;
}

// One product of ck_winograd_products_*; bytes is the size of an element of v and u.
static ck_gemm_t product_of(const ck_winograd_products_t *w, size_t place, size_t bytes,
                            const ptrdiff_t *segment) {
  return (ck_gemm_t){.a = (const char *)w->v + place * w->v_plane * bytes,
                     .row_stride = (ptrdiff_t)w->v_stride,
                     .rows_per_line = w->tiles,
                     .lines_per_image = 1,
                     .images = 1,
                     .segments = segment,
                     .segment_count = 1,
                     .segment_length = w->k,
                     .b = (const char *)w->u + kernel_place(w, place) * w->u_plane * bytes,
                     .columns = w->columns,
                     .c = w->m + place * w->m_plane,
                     .c_stride = (ptrdiff_t)w->columns,
                     .residual = w->accumulate ? w->m + place * w->m_plane : NULL};
}

void ck_winograd_products_f32(const ck_winograd_products_t *w) {
  const ptrdiff_t segment = 0;
  const size_t panels = (w->columns + ck_gemm_panel() - 1) / ck_gemm_panel();
  for (size_t p = 0; p < w->places; p++) {
    const ck_gemm_t g = product_of(w, p, sizeof(float), &segment);
    ck_gemm_f32(&g, 0, ck_gemm_blocks(&g), 0, panels);
  }
}

void ck_winograd_products_bf16(const ck_winograd_products_t *w) {
  const ptrdiff_t segment = 0;
  const size_t panels = (w->columns + ck_gemm_panel() - 1) / ck_gemm_panel();
  for (size_t p = 0; p < w->places; p++) {
    const ck_gemm_t g = product_of(w, p, sizeof(uint16_t), &segment);
    ck_gemm_bf16(&g, 0, ck_gemm_blocks(&g), 0, panels);
  }
}
