#include "ck_elementwise.h"

#include "ck_variants.h"

CK_BODY void ck_add_f32_body(float *y, const float *a, const float *b, size_t n) {
  CK_SAME_INDEX
  for (size_t i = 0; i < n; i++) y[i] = a[i] + b[i];
}
CK_VARIANTS(ck_add_f32, (float *y, const float *a, const float *b, size_t n), (y, a, b, n))
