#pragma once
#include <stdint.h>
#include <string.h>

// bfloat16 bits of x, round to nearest even; NaN stays NaN.
static inline __attribute__((always_inline)) uint32_t bf16_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  return (bits & 0x7fffffff) > 0x7f800000 ? (bits >> 16) | 0x40 : rounded;
}
