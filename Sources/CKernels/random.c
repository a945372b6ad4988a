#include "ck_random.h"

#include "ck_math.h"
#include "ck_variants.h"

CK_INLINE uint32_t mixed(uint32_t high, uint32_t low) {
  uint32_t x = (high & 0x80000000u) | (low & 0x7fffffffu);
  return (x >> 1) ^ ((0u - (x & 1u)) & 0x9908b0dfu);
}

// Matsumoto & Nishimura 1998, "Mersenne Twister": word i becomes words[i + 397] ^ mixed(words[i],
// words[i + 1]), indices modulo 624. In loops without the modulo, which vectorise.
CK_BODY void ck_mt19937_twist_body(uint32_t *words) {
  enum { n = 624, m = 397 };
  for (size_t i = 0; i < n - m; i++) words[i] = words[i + m] ^ mixed(words[i], words[i + 1]);
  for (size_t i = n - m; i < n - 1; i++)
    words[i] = words[i - (n - m)] ^ mixed(words[i], words[i + 1]);
  words[n - 1] = words[m - 1] ^ mixed(words[n - 1], words[0]);
}
CK_VARIANTS(ck_mt19937_twist, (uint32_t *words), (words))

CK_BODY void ck_mt19937_uniform_f32_body(float *y, const uint32_t *words, size_t n) {
  for (size_t i = 0; i < n; i++) {
    uint32_t x = words[i];
    x ^= x >> 11;
    x ^= (x << 7) & 0x9d2c5680u;
    x ^= (x << 15) & 0xefc60000u;
    x ^= x >> 18;
    y[i] = (float)(int32_t)(x & 0xffffffu) * 5.9604644775390625e-8f;
  }
}
CK_VARIANTS(
    ck_mt19937_uniform_f32, (float *y, const uint32_t *words, size_t n), (y, words, n))

#define FMA __builtin_elementwise_fma

// ln x for normal x > 0 with the polynomial of Cephes' logf. The places where a product and a sum
// are fused are those of the compiled code this must match, hence the explicit ones.
CK_INLINE float cephes_log(float x) {
#pragma clang fp contract(off)
  uint32_t bits = ck_to_bits(x);
  float e = (float)((int32_t)(bits >> 23) - 126);
  float m = ck_from_bits((bits & 0x007fffffu) | 0x3f000000u);  // in [0.5, 1)
  int is_small = m < 0.707106781186547524f;
  float f = (m - 1.0f) + (is_small ? m : 0.0f);
  e = e - (is_small ? 1.0f : 0.0f);
  float z = f * f;
  float p = FMA(7.0376836292e-2f, f, -1.1514610310e-1f);
  p = FMA(p, f, 1.1676998740e-1f);
  p = FMA(p, f, -1.2420140846e-1f);
  p = FMA(p, f, 1.4249322787e-1f);
  p = FMA(p, f, -1.6668057665e-1f);
  p = FMA(p, f, 2.0000714765e-1f);
  p = FMA(p, f, -2.4999993993e-1f);
  p = FMA(p, f, 3.3333331174e-1f);
  p = p * f;
  p = FMA(p, z, e * -2.12194440e-4f);
  p = FMA(z, -0.5f, p);
  return FMA(e, 0.693359375f, f + p);
}

// Sine and cosine of x in [0, 2π] with the polynomials of Cephes' sinf and cosf, see cephes_log.
CK_INLINE void cephes_sincos(float x, float *sine, float *cosine) {
#pragma clang fp contract(off)
  int32_t octant = ((int32_t)(x * 1.27323954473516f) + 1) & ~1;
  float y = (float)octant;
  x = FMA(y, -0.78515625f, x);
  x = FMA(y, -2.4187564849853515625e-4f, x);
  x = FMA(y, -3.77489497744594108e-8f, x);
  float z = x * x;
  float c = FMA(2.443315711809948e-5f, z, -1.388731625493765e-3f);
  c = FMA(c, z, 4.166664568298827e-2f);
  c = c * z;
  c = FMA(c, z, -(z * 0.5f)) + 1.0f;
  float s = FMA(-1.9515295891e-4f, z, 8.3321608736e-3f);
  s = FMA(s, z, -1.6666654611e-1f);
  s = s * z;
  s = FMA(s, x, x);
  int swapped = (octant & 2) != 0;
  uint32_t sine_sign = ((uint32_t)octant & 4u) << 29;
  uint32_t cosine_sign = (~(uint32_t)(octant - 2) & 4u) << 29;
  *sine = ck_from_bits(ck_to_bits(swapped ? c : s) ^ sine_sign);
  *cosine = ck_from_bits(ck_to_bits(swapped ? s : c) ^ cosine_sign);
}

CK_BODY void ck_box_muller_f32_body(float *y, size_t n) {
  for (size_t block = 0; block < n; block += 16) {
    float *first = y + block, *second = first + 8;
    for (size_t j = 0; j < 8; j++) {
      float radius = __builtin_elementwise_sqrt(-2.0f * cephes_log(1.0f - first[j]));
      float sine, cosine;
      cephes_sincos(6.283185307179586f * second[j], &sine, &cosine);
      first[j] = radius * cosine;
      second[j] = radius * sine;
    }
  }
}
CK_VARIANTS(ck_box_muller_f32, (float *y, size_t n), (y, n))
