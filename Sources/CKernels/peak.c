#include "ck_peak.h"

#include "ck_amx.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// CHAINS vectors of WIDTH floats, each of which waits for itself alone: enough of them hide the
// latency of a multiply-add, and they and the two factors fit the registers. Factors come from
// memory and every chain starts differently, so that the compiler cannot merge any of it; factors
// below 1 keep the numbers finite.
#define CK_PEAK_F32(SUFFIX, TARGET, WIDTH, CHAINS)                                   \
  typedef float peak_##SUFFIX __attribute__((vector_size(WIDTH * 4), aligned(4)));   \
  TARGET static double peak_f32_##SUFFIX(float *values, size_t rounds) {             \
    peak_##SUFFIX chain[CHAINS], *memory = (peak_##SUFFIX *)values;                  \
    const peak_##SUFFIX scale = memory[CHAINS], shift = memory[CHAINS + 1];          \
    _Pragma("unroll") for (int i = 0; i < CHAINS; i++) chain[i] = memory[i];         \
    for (size_t r = 0; r < rounds; r++)                                              \
      _Pragma("unroll") for (int i = 0; i < CHAINS; i++) chain[i] = chain[i] * scale + shift; \
    _Pragma("unroll") for (int i = 0; i < CHAINS; i++) memory[i] = chain[i];         \
    return 2.0 * WIDTH * CHAINS * (double)rounds;                                    \
  }

#if defined(__x86_64__)
#define TARGET_AVX2 __attribute__((target("avx2,fma")))
#define TARGET_AVX512 __attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")))
#define TARGET_BF16 \
  __attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))
CK_PEAK_F32(avx512, TARGET_AVX512, 16, 24)
CK_PEAK_F32(avx2, TARGET_AVX2, 8, 12)
CK_PEAK_F32(plain, , 4, 12)
#else
CK_PEAK_F32(plain, , 4, 24)
#endif

double ck_peak_f32(float *values, size_t rounds) {
#if defined(__x86_64__)
  if (ck_isa() >= CK_ISA_AVX512) return peak_f32_avx512(values, rounds);
  if (ck_isa() == CK_ISA_AVX2) return peak_f32_avx2(values, rounds);
#endif
  return peak_f32_plain(values, rounds);
}

#if defined(__x86_64__)
TARGET_BF16 static double peak_bf16_avx512(float *values, size_t rounds) {
  enum { CHAINS = 24 };
  __m512 chain[CHAINS];
  const __m512 x = _mm512_loadu_ps(values + 16 * CHAINS);
  const __m512 y = _mm512_loadu_ps(values + 16 * CHAINS + 16);
  const __m512bh a = _mm512_cvtne2ps_pbh(x, y), b = _mm512_cvtne2ps_pbh(y, x);
#pragma unroll
  for (int i = 0; i < CHAINS; i++) chain[i] = _mm512_loadu_ps(values + 16 * i);
  for (size_t r = 0; r < rounds; r++)
#pragma unroll
    for (int i = 0; i < CHAINS; i++) chain[i] = _mm512_dpbf16_ps(chain[i], a, b);
#pragma unroll
  for (int i = 0; i < CHAINS; i++) _mm512_storeu_ps(values + 16 * i, chain[i]);
  return 4.0 * 16 * CHAINS * (double)rounds;
}

CK_TARGET_AMX static double peak_bf16_amx(float *values, size_t rounds) {
  uint32_t factors[2 * CK_TILE * CK_TILE];
  for (size_t i = 0; i < 2 * CK_TILE * CK_TILE; i += 16) {
    const __m512 x = _mm512_loadu_ps(values + i);
    _mm512_storeu_si512(factors + i, (__m512i)_mm512_cvtne2ps_pbh(x, x));
  }
  const ptrdiff_t stride = CK_TILE * sizeof(uint32_t);
  ck_amx_begin();
  ck_amx_clear();
  _tile_loadd(4, factors, stride);
  _tile_loadd(5, factors + CK_TILE * CK_TILE, stride);
  _tile_loadd(6, factors, stride);
  _tile_loadd(7, factors + CK_TILE * CK_TILE, stride);
  for (size_t r = 0; r < rounds; r++) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(3, values, stride);
  ck_amx_end();
  return 4.0 * CK_TILE * CK_TILE * 4 * CK_TILE_PAIRS * (double)rounds;
}
#endif

double ck_peak_bf16(float *values, size_t rounds) {
#if defined(__x86_64__)
  if (ck_isa() == CK_ISA_AMX) return peak_bf16_amx(values, rounds);
  if (ck_isa() >= CK_ISA_AVX512BF16) return peak_bf16_avx512(values, rounds);
#endif
  (void)values, (void)rounds;
  return 0;
}
