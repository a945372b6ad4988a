#include "ck_attention_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <stdint.h>

#pragma clang attribute push( \
    __attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16"))), \
    apply_to = function)

enum { UNIT = 2, MAX_VECTORS = 3, DEPTH_MULTIPLE = 1 };
#define MAX_ROWS 8

#include "ck_attention_avx512.h"

CK_BODY vec multiply_add(vec acc, uint32_t x, uvec b) {
  return (vec)_mm512_dpbf16_ps((__m512)acc, (__m512bh)_mm512_set1_epi32((int)x), (__m512bh)b);
}

#include "ck_attention_tile.h"

#include "ck_attention_bf16.h"

#include "ck_attention_backward.h"

#pragma clang attribute pop

const ck_attention_kernels_t ck_attention_avx512bf16 = {forward_bytes, backward_bytes, forward,
                                                        backward};
#endif
