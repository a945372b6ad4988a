#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "ck_variants.h"

// Functions on these types are always inlined, so how they would be passed does not matter.
#pragma clang diagnostic ignored "-Wpsabi"

// Sixteen numbers at a time: one AVX-512 register, two of AVX2, four of SSE or NEON.
typedef float ck_f16 __attribute__((vector_size(64), aligned(4)));
typedef uint32_t ck_u16 __attribute__((vector_size(64), aligned(4)));
typedef uint16_t ck_h16 __attribute__((vector_size(32), aligned(2)));

enum { CK_LANES = 16 };

// The first n of sixteen floats; the rest is 0.
CK_BODY ck_f16 ck_load(const float *x, size_t n) {
  if (n >= CK_LANES) return *(const ck_f16 *)x;
  ck_f16 v = {0};
  memcpy(&v, x, n * sizeof(float));
  return v;
}

CK_BODY ck_h16 ck_load_bf16(const uint16_t *x, size_t n) {
  if (n >= CK_LANES) return *(const ck_h16 *)x;
  ck_h16 v = {0};
  memcpy(&v, x, n * sizeof(uint16_t));
  return v;
}

CK_BODY void ck_store_bf16(uint16_t *y, ck_h16 v, size_t n) {
  if (n >= CK_LANES)
    *(ck_h16 *)y = v;
  else
    memcpy(y, &v, n * sizeof(uint16_t));
}

CK_BODY void ck_store(float *y, ck_f16 v, size_t n) {
  if (n >= CK_LANES)
    *(ck_f16 *)y = v;
  else
    memcpy(y, &v, n * sizeof(float));
}

// Rounds to bfloat16, nearest even. `native` is a constant of the variant: 1 where the CPU has an
// instruction for it (which takes denormal numbers for 0).
CK_BODY ck_h16 ck_round(ck_f16 v, int native) {
#if defined(__x86_64__)
  typedef __bf16 b16 __attribute__((vector_size(32), aligned(2)));
  if (native) return (ck_h16)__builtin_convertvector(v, b16);
#else
  (void)native;
#endif
  const ck_u16 bits = (ck_u16)v;
  const ck_u16 rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  const ck_u16 is_nan = (ck_u16)((bits & 0x7fffffff) > 0x7f800000);
  return __builtin_convertvector((is_nan & (bits >> 16 | 0x40)) | (~is_nan & rounded), ck_h16);
}

// y[i] = bfloat16(x[i]).
CK_BODY void ck_round_row(uint16_t *y, const float *x, size_t n, int native) {
  size_t i = 0;
  for (; i + CK_LANES <= n; i += CK_LANES)
    ck_store_bf16(y + i, ck_round(ck_load(x + i, CK_LANES), native), CK_LANES);
  if (i < n) ck_store_bf16(y + i, ck_round(ck_load(x + i, n - i), native), n - i);
}

CK_BODY ck_f16 ck_widen(ck_h16 v) {
  return (ck_f16)(__builtin_convertvector(v, ck_u16) << 16);
}

// y[i] = float(x[i]).
CK_BODY void ck_widen_row(float *y, const uint16_t *x, size_t n) {
  size_t i = 0;
  for (; i + CK_LANES <= n; i += CK_LANES)
    ck_store(y + i, ck_widen(ck_load_bf16(x + i, CK_LANES)), CK_LANES);
  if (i < n) ck_store(y + i, ck_widen(ck_load_bf16(x + i, n - i)), n - i);
}

// Two rows of bfloat16 numbers as pairs, the first in the lower halves.
CK_BODY ck_u16 ck_pairs(ck_h16 low, ck_h16 high) {
  return __builtin_convertvector(low, ck_u16) | __builtin_convertvector(high, ck_u16) << 16;
}

// Transposes a 16 x 16 block of 32-bit words in place, by swapping ever smaller sub-blocks.
CK_BODY void ck_transpose_lanes(ck_u16 r[CK_LANES]) {
#define CK_SWAP(STEP, LOW, HIGH)                           \
  _Pragma("unroll") for (int i = 0; i < CK_LANES; i++) {       \
    if (i & STEP) continue;                                \
    ck_u16 a = r[i], b = r[i + STEP];                       \
    r[i] = LOW;                                            \
    r[i + STEP] = HIGH;                                    \
  }
  CK_SWAP(8, __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
          __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30,
                                  31))
  CK_SWAP(4, __builtin_shufflevector(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27),
          __builtin_shufflevector(a, b, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31))
  CK_SWAP(2, __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),
          __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31))
  CK_SWAP(1, __builtin_shufflevector(a, b, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30),
          __builtin_shufflevector(a, b, 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31))
#undef CK_SWAP
}

// Puts sixteen words into row `row` of panels of `width` words, [panel][rows][width], from word
// `column` of the row on; nothing from `end` on, a multiple of width, is written.
CK_BODY void ck_store_in_panels(uint32_t *panels, size_t rows, size_t width, size_t row,
                                size_t column, size_t end, ck_u16 v) {
  uint32_t *to = panels + (column / width * rows + row) * width + column % width;
  if (width >= CK_LANES) {
    *(ck_u16 *)to = v;
    return;
  }
  memcpy(to, &v, CK_LANES / 2 * sizeof(uint32_t));
  if (column + width < end)
    memcpy(to + rows * width, (const uint32_t *)&v + CK_LANES / 2, CK_LANES / 2 * sizeof(uint32_t));
}

// CK_VARIANTS for kernels that round: the body takes `native` as its last argument.
#if defined(__x86_64__)
#define CK_ROUNDING_VARIANTS(name, params, ...)                                                   \
  __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16"))) static   \
      void name##_avx512bf16 params {                                                             \
    name##_body(__VA_ARGS__, 1);                                                                  \
  }                                                                                               \
  CK_TARGET_AVX512 static void name##_avx512 params { name##_body(__VA_ARGS__, 0); }              \
  CK_TARGET_AVX2 static void name##_avx2 params { name##_body(__VA_ARGS__, 0); }                  \
  static void name##_plain params { name##_body(__VA_ARGS__, 0); }                                \
  void name params {                                                                              \
    switch (ck_isa()) {                                                                           \
      case CK_ISA_AMX:                                                                            \
      case CK_ISA_AVX512BF16: name##_avx512bf16(__VA_ARGS__); return;                             \
      case CK_ISA_AVX512: name##_avx512(__VA_ARGS__); return;                                     \
      case CK_ISA_AVX2: name##_avx2(__VA_ARGS__); return;                                         \
      default: name##_plain(__VA_ARGS__);                                                         \
    }                                                                                             \
  }
#else
#define CK_ROUNDING_VARIANTS(name, params, ...) \
  void name params { name##_body(__VA_ARGS__, 0); }
#endif
