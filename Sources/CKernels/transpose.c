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
