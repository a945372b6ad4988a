#include "ck_attention_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <stdint.h>

#pragma clang attribute push( \
    __attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl"))), apply_to = function)

enum { UNIT = 1, MAX_VECTORS = 3, DEPTH_MULTIPLE = 1 };
#define MAX_ROWS 8

#include "ck_attention_avx512.h"

// 2^x to 1e-7. x = n + r with n = floor(x).
CK_BODY vec vec_exp2(vec x) {
  const vec r = (vec)_mm512_reduce_ps((__m512)x, 0x09);
  vec p = r * 0.00187757669f + 0.00898933969f;
  p = p * r + 0.0558263175f;
  p = p * r + 0.240153611f;
  p = p * r + 0.693153083f;
  p = p * r + 0.99999994f;
  return (vec)_mm512_scalef_ps((__m512)p, (__m512)x);
}

#define HAS_OWN_PACK_ACROSS
// Packs `count` rows of x as columns, one per lane; lanes from `count` on are zero.
static void pack_across(uint32_t *y, const ck_attention_t *h, const void *x, size_t count,
                        size_t lanes) {
  for (size_t i = 0; i < lanes; i += 16)
    for (size_t e = 0; e < h->head_dim; e += 16) {
      const __mmask16 columns = first_lanes(h->head_dim - e);
      __m512i r[16];
#pragma unroll
      for (size_t l = 0; l < 16; l++) {
        const float *row = (const float *)x + (ptrdiff_t)(i + l) * h->stride + e;
        r[l] = _mm512_maskz_loadu_epi32(i + l < count ? columns : 0, row);
      }
      transpose16(r);
#pragma unroll
      for (size_t l = 0; l < 16; l++)
        if (e + l < h->head_dim) _mm512_storeu_si512(y + (e + l) * lanes + i, r[l]);
    }
}

#include "ck_attention_f32.h"

#include "ck_attention_backward.h"

#pragma clang attribute pop

const ck_attention_kernels_t ck_attention_avx512 = {forward_bytes, backward_bytes, forward,
                                                    backward};
#endif
