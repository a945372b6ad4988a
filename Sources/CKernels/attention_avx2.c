#include "ck_attention_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <stdint.h>

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

enum { LANES = 8, MAX_VECTORS = 3, UNIT = 1, DEPTH_MULTIPLE = 1 };
#define MAX_ROWS 4

#include "ck_attention_layout.h"

CK_BODY vec vec_set(float x) { return (vec)_mm256_set1_ps(x); }
CK_BODY vec vec_max(vec a, vec b) { return (vec)_mm256_max_ps((__m256)a, (__m256)b); }
CK_BODY int vec_any(ivec x) { return _mm256_movemask_ps((__m256)x) != 0; }
CK_BODY ivec lane_numbers(void) { return (ivec)_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7); }

#include "ck_attention_exp2.h"

#include "ck_attention_f32.h"

#include "ck_attention_backward.h"

#pragma clang attribute pop

const ck_attention_kernels_t ck_attention_avx2 = {forward_bytes, backward_bytes, forward,
                                                  backward};
#endif
