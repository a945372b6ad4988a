#pragma once
#include <stdint.h>
#include <string.h>

// Elementary functions on single numbers without branches or calls, so that loops over them
// vectorise. Accurate to about 2 units in the last place; NaN in, NaN out.
// The polynomials are minimax fits made for these intervals.

#define CK_INLINE static inline __attribute__((always_inline))

CK_INLINE float ck_from_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

CK_INLINE uint32_t ck_to_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  return bits;
}

// e^x as 2^n · e^r with |r| <= ln 2 / 2; overflows to infinity, underflows through denormals to 0.
CK_INLINE float ck_exp(float x) {
  const float round = 12582912.0f;  // 1.5 · 2^23: adding it rounds to an integer
  float clamped = x > 90.0f ? 90.0f : x;
  clamped = clamped < -105.0f ? -105.0f : clamped;
  float shifted = clamped * 1.44269504f + round;
  float n = shifted - round;
  float r = clamped - n * 0.693145752f;
  r = r - n * 1.42860677e-6f;
  float p = 0.00139504768f;
  p = p * r + 0.00836888243f;
  p = p * r + 0.041666206f;
  p = p * r + 0.166665189f;
  p = p * r + 0.5f;
  p = p * (r * r) + r;
  p = p + 1.0f;
  int32_t exponent = (int32_t)(ck_to_bits(shifted) - ck_to_bits(round));
  int32_t half = exponent >> 1;
  return p * ck_from_bits((uint32_t)(half + 127) << 23) *
         ck_from_bits((uint32_t)(exponent - half + 127) << 23);
}

// ln x; -infinity at 0, NaN below.
// x = 2^k · (1 + f), ln(1 + f) = 2 atanh(f / (2 + f)) as an odd series in s = f / (2 + f).
CK_INLINE float ck_log(float x) {
  float tiny = x < 1.17549435e-38f ? 1.0f : 0.0f;
  float normal = tiny != 0.0f ? x * 8388608.0f : x;
  uint32_t bits = ck_to_bits(normal) - 0x3f3504f3u;  // sqrt(1/2) becomes exponent 0
  int32_t exponent = (int32_t)bits >> 23;
  float f = ck_from_bits((bits & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
  float k = (float)exponent - 23.0f * tiny;
  float s = f / (2.0f + f);
  float z = s * s;
  float p = 0.24279078841f;
  p = p * z + 0.28498786688f;
  p = p * z + 0.40000972152f;
  p = p * z + 0.66666662693f;
  float half = 0.5f * f * f;
  float y = s * (half + z * p) + k * 9.0580006145e-6f;
  y = (y - half) + f;
  y = y + k * 6.9313812256e-1f;
  y = x > 3.40282347e38f ? x : y;
  y = x == 0.0f ? -ck_from_bits(0x7f800000u) : y;
  return x >= 0.0f ? y : ck_from_bits(0x7fc00000u);
}

// ln(1 + x) for x in [0, 1], accurate also where 1 + x rounds to 1.
CK_INLINE float ck_log1p(float x) {
  float u = 1.0f + x;
  float d = u - 1.0f;
  float safe = d == 0.0f ? 1.0f : d;
  float y = ck_log(u) * (x / safe);
  return d == 0.0f ? x : y;
}

CK_INLINE float ck_sigmoid(float x) { return 1.0f / (1.0f + ck_exp(-x)); }

CK_INLINE float ck_tanh(float x) {
  float z = x * x;
  float p = 0.00223106328f;
  p = p * z - 0.00826709005f;
  p = p * z + 0.0217344394f;
  p = p * z - 0.0539524755f;
  p = p * z + 0.133332478f;
  p = p * z - 0.333333318f;
  float small = x + x * z * p;
  float a = x < 0.0f ? -x : x;
  float large = 1.0f - 2.0f / (ck_exp(2.0f * a) + 1.0f);
  large = x < 0.0f ? -large : large;
  return a < 0.6f ? small : large;
}

// The normal distribution function, Φ(x) = (1 + erf(x / √2)) / 2.
CK_INLINE float ck_normal_cdf(float x) {
  float z = x * 0.707106781f;
  float s = z * z;
  float p = 7.88911952e-5f;
  p = p * s - 0.000802084128f;
  p = p * s + 0.00518953534f;
  p = p * s - 0.0268544446f;
  p = p * s + 0.112836002f;
  p = p * s - 0.376126271f;
  p = p * s + 1.12837917f;
  float inner = 0.5f + 0.5f * z * p;
  float t = z < 0.0f ? -z : z;
  t = t > 10.0f ? 10.0f : t;
  float q = -2.16868539e-5f;  // ln erfc(t) from 1 on
  q = q * t + 0.000441336421f;
  q = q * t - 0.00420456207f;
  q = q * t + 0.0252082572f;
  q = q * t - 0.108418578f;
  q = q * t - 0.633219893f;
  q = q * t - 1.12957842f;
  q = q * t + 0.000188040252f;
  float tail = 0.5f * ck_exp(q);
  float outer = x < 0.0f ? tail : 1.0f - tail;
  return t < 1.0f ? inner : outer;
}

// The normal density, e^(-x²/2) / √(2π).
CK_INLINE float ck_normal_pdf(float x) { return 0.398942280f * ck_exp(-0.5f * x * x); }
