#include <string.h>

#include "ck_elementwise.h"
#include "ck_lanes.h"

CK_BODY void ck_fill_f32_body(float *y, float value, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] = value;
}
CK_VARIANTS(ck_fill_f32, (float *y, float value, size_t n), (y, value, n))

CK_BODY void ck_f32_to_bf16_body(uint16_t *y, const float *x, size_t n) {
  ck_round_row(y, x, n, 0);
}
CK_VARIANTS(ck_f32_to_bf16, (uint16_t *y, const float *x, size_t n), (y, x, n))

CK_BODY void ck_split_bf16_body(uint16_t *high, uint16_t *low, const float *x, size_t n) {
  for (size_t i = 0; i < n; i += CK_LANES) {
    const size_t count = n - i < CK_LANES ? n - i : CK_LANES;
    const ck_f16 v = ck_load(x + i, count);
    const ck_h16 rounded = ck_round(v, 0);
    ck_store_bf16(high + i, rounded, count);
    ck_store_bf16(low + i, ck_round(v - ck_widen(rounded), 0), count);
  }
}
CK_VARIANTS(ck_split_bf16, (uint16_t *high, uint16_t *low, const float *x, size_t n),
            (high, low, x, n))

CK_BODY void ck_bf16_to_f32_body(float *y, const uint16_t *x, size_t n) {
  for (size_t i = 0; i < n; i++) {
    uint32_t bits = (uint32_t)x[i] << 16;
    memcpy(&y[i], &bits, 4);
  }
}
CK_VARIANTS(ck_bf16_to_f32, (float *y, const uint16_t *x, size_t n), (y, x, n))

CK_BODY void ck_add_bf16_body(float *y, const float *x, const uint16_t *a, size_t n) {
  size_t i = 0;
  for (; i + CK_LANES <= n; i += CK_LANES)
    ck_store(y + i, ck_load(x + i, CK_LANES) + ck_widen(ck_load_bf16(a + i, CK_LANES)), CK_LANES);
  if (i < n)
    ck_store(y + i, ck_load(x + i, n - i) + ck_widen(ck_load_bf16(a + i, n - i)), n - i);
}
CK_VARIANTS(ck_add_bf16, (float *y, const float *x, const uint16_t *a, size_t n), (y, x, a, n))
