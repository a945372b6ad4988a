#include "ck_gemm.h"
#include "ck_lanes.h"

// y[j * y_stride + i] = x[i * x_stride + j]: 32-bit words, a block of at most 16 x 16.
CK_BODY void transpose_block_f32(float *y, ptrdiff_t y_stride, const float *x, ptrdiff_t x_stride,
                                 size_t rows, size_t columns) {
  if (rows == CK_LANES && columns == CK_LANES) {
    ck_u16 r[CK_LANES];
#pragma unroll
    for (int i = 0; i < CK_LANES; i++) r[i] = *(const ck_u16 *)(x + i * x_stride);
    ck_transpose_lanes(r);
#pragma unroll
    for (int j = 0; j < CK_LANES; j++) *(ck_u16 *)(y + j * y_stride) = r[j];
    return;
  }
  for (size_t j = 0; j < columns; j++)
    for (size_t i = 0; i < rows; i++)
      y[(ptrdiff_t)j * y_stride + (ptrdiff_t)i] = x[(ptrdiff_t)i * x_stride + (ptrdiff_t)j];
}

CK_BODY void ck_transpose_f32_body(float *y, ptrdiff_t y_stride, const float *x, ptrdiff_t x_stride,
                                   size_t rows, size_t columns) {
  for (size_t i = 0; i < rows; i += CK_LANES)
    for (size_t j = 0; j < columns; j += CK_LANES)
      transpose_block_f32(y + (ptrdiff_t)j * y_stride + (ptrdiff_t)i, y_stride,
                          x + (ptrdiff_t)i * x_stride + (ptrdiff_t)j, x_stride,
                          rows - i < CK_LANES ? rows - i : CK_LANES,
                          columns - j < CK_LANES ? columns - j : CK_LANES);
}
CK_VARIANTS(ck_transpose_f32,
            (float *y, ptrdiff_t y_stride, const float *x, ptrdiff_t x_stride, size_t rows,
             size_t columns),
            (y, y_stride, x, x_stride, rows, columns))

CK_BODY void ck_transpose_bf16_body(uint16_t *y, ptrdiff_t y_stride, const float *x,
                                    ptrdiff_t x_stride, size_t rows, size_t columns, int native) {
  for (size_t i0 = 0; i0 < rows; i0 += 2 * CK_LANES) {
    const size_t left = rows - i0, pairs = left < 2 * CK_LANES ? (left + 1) / 2 : CK_LANES;
    for (size_t j0 = 0; j0 < columns; j0 += CK_LANES) {
      const size_t width = columns - j0 < CK_LANES ? columns - j0 : CK_LANES;
      ck_u16 r[CK_LANES] = {0};
      for (size_t i = 0; i < pairs; i++) {
        const float *low = x + (ptrdiff_t)(i0 + 2 * i) * x_stride + (ptrdiff_t)j0;
        const int is_pair = i0 + 2 * i + 1 < rows;
        r[i] = ck_pairs(ck_round(ck_load(low, width), native),
                        is_pair ? ck_round(ck_load(low + x_stride, width), native) : (ck_h16){0});
      }
      ck_transpose_lanes(r);
      for (size_t j = 0; j < width; j++)
        memcpy(y + (ptrdiff_t)(j0 + j) * y_stride + (ptrdiff_t)i0, &r[j], pairs * 4);
    }
  }
}
CK_ROUNDING_VARIANTS(ck_transpose_bf16,
                     (uint16_t *y, ptrdiff_t y_stride, const float *x, ptrdiff_t x_stride,
                      size_t rows, size_t columns),
                     y, y_stride, x, x_stride, rows, columns)
