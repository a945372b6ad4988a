#include "ck_unary.h"

#include "ck_math.h"
#include "ck_lanes.h"

#define UNARY(name, value)                                                     \
  CK_BODY void ck_##name##_f32_body(float *y, const float *x, size_t n) {      \
    CK_SAME_INDEX                                                              \
    for (size_t i = 0; i < n; i++) {                                           \
      float v = x[i];                                                          \
      y[i] = (value);                                                          \
    }                                                                          \
  }                                                                            \
  CK_VARIANTS(ck_##name##_f32, (float *y, const float *x, size_t n), (y, x, n))

// `slope` is the derivative at v, the input (or the result, see the header).
#define UNARY_BACKWARD(name, slope)                                            \
  CK_BODY void ck_##name##_backward_f32_body(                                  \
      float *dx, const float *dy, const float *x, size_t n) {                  \
    CK_SAME_INDEX                                                              \
    for (size_t i = 0; i < n; i++) {                                           \
      float v = x[i];                                                          \
      dx[i] = dy[i] * (slope);                                                 \
    }                                                                          \
  }                                                                            \
  CK_VARIANTS(                                                                 \
      ck_##name##_backward_f32,                                                \
      (float *dx, const float *dy, const float *x, size_t n), (dx, dy, x, n))

CK_INLINE float silu_slope(float v) {
  float s = ck_sigmoid(v);
  return s * (1.0f + v * (1.0f - s));
}

// gelu(v) ≈ v · σ(2 u), u = √(2/π) · (v + 0.044715 v³): tanh written as a sigmoid.
CK_INLINE float gelu_tanh_argument(float v) {
  return 1.5957691216f * (v + 0.044715f * v * v * v);
}

CK_INLINE float gelu_tanh_slope(float v) {
  float s = ck_sigmoid(gelu_tanh_argument(v));
  float inner = 1.5957691216f * (1.0f + 0.134145f * v * v);
  float bell = s * (1.0f - s);
  float rest = v * inner * bell;
  return s + (bell == 0.0f ? 0.0f : rest);
}

CK_INLINE float quick_gelu_slope(float v) {
  float s = ck_sigmoid(1.702f * v);
  return s * (1.0f + 1.702f * v * (1.0f - s));
}

UNARY(exp, ck_exp(v))
UNARY(log, ck_log(v))
UNARY(sqrt, __builtin_elementwise_sqrt(v))
UNARY(abs, __builtin_fabsf(v))
UNARY(square, v *v)
UNARY(tanh, ck_tanh(v))
UNARY(sigmoid, ck_sigmoid(v))
UNARY(silu, v *ck_sigmoid(v))
UNARY(relu, v < 0.0f ? 0.0f : v)
UNARY(gelu, v *ck_normal_cdf(v))
UNARY(gelu_tanh, v *ck_sigmoid(gelu_tanh_argument(v)))
UNARY(quick_gelu, v *ck_sigmoid(1.702f * v))

UNARY_BACKWARD(exp, v)
UNARY_BACKWARD(log, 1.0f / v)
UNARY_BACKWARD(sqrt, 0.5f / v)
UNARY_BACKWARD(abs, v > 0.0f ? 1.0f : (v < 0.0f ? -1.0f : 0.0f))
UNARY_BACKWARD(square, 2.0f * v)
UNARY_BACKWARD(tanh, 1.0f - v * v)
UNARY_BACKWARD(sigmoid, v *(1.0f - v))
UNARY_BACKWARD(silu, silu_slope(v))
UNARY_BACKWARD(relu, v > 0.0f ? 1.0f : 0.0f)
UNARY_BACKWARD(gelu, ck_normal_cdf(v) + v * ck_normal_pdf(v))
UNARY_BACKWARD(gelu_tanh, gelu_tanh_slope(v))
UNARY_BACKWARD(quick_gelu, quick_gelu_slope(v))

CK_BODY void ck_leaky_relu_f32_body(float *y, const float *x, float slope, size_t n) {
  CK_SAME_INDEX
  for (size_t i = 0; i < n; i++) y[i] = x[i] > 0.0f ? x[i] : slope * x[i];
}
CK_VARIANTS(
    ck_leaky_relu_f32, (float *y, const float *x, float slope, size_t n), (y, x, slope, n))

CK_BODY void ck_leaky_relu_backward_f32_body(
    float *dx, const float *dy, const float *x, float slope, size_t n) {
  CK_SAME_INDEX
  for (size_t i = 0; i < n; i++) dx[i] = x[i] > 0.0f ? dy[i] : slope * dy[i];
}
CK_VARIANTS(
    ck_leaky_relu_backward_f32,
    (float *dx, const float *dy, const float *x, float slope, size_t n), (dx, dy, x, slope, n))

CK_BODY void ck_clamp_f32_body(float *y, const float *x, float low, float high, size_t n) {
  CK_SAME_INDEX
  for (size_t i = 0; i < n; i++) {
    float v = x[i] < low ? low : x[i];
    y[i] = v > high ? high : v;
  }
}
CK_VARIANTS(
    ck_clamp_f32, (float *y, const float *x, float low, float high, size_t n),
    (y, x, low, high, n))

CK_BODY void ck_clamp_backward_f32_body(
    float *dx, const float *dy, const float *x, float low, float high, size_t n) {
  CK_SAME_INDEX
  for (size_t i = 0; i < n; i++) {
    float above = x[i] < low ? 0.0f : 1.0f;
    dx[i] = dy[i] * (x[i] > high ? 0.0f : above);
  }
}
CK_VARIANTS(
    ck_clamp_backward_f32,
    (float *dx, const float *dy, const float *x, float low, float high, size_t n),
    (dx, dy, x, low, high, n))

CK_BODY void ck_geglu_f32_body(float *y, const float *x, size_t rows, size_t width) {
  for (size_t r = 0; r < rows; r++) {
    const float *hidden = x + 2 * r * width, *gate = hidden + width;
    float *out = y + r * width;
    for (size_t c = 0; c < width; c++) out[c] = hidden[c] * (gate[c] * ck_normal_cdf(gate[c]));
  }
}
CK_VARIANTS(ck_geglu_f32, (float *y, const float *x, size_t rows, size_t width), (y, x, rows, width))

CK_BODY void ck_geglu_backward_f32_body(
    float *restrict dx, const float *restrict dy, const float *restrict x, size_t rows,
    size_t width) {
  for (size_t r = 0; r < rows; r++) {
    const float *hidden = x + 2 * r * width, *gate = hidden + width, *d = dy + r * width;
    float *d_hidden = dx + 2 * r * width, *d_gate = d_hidden + width;
    for (size_t c = 0; c < width; c++) {
      float v = gate[c], cdf = ck_normal_cdf(v), dc = d[c], h = hidden[c];
      d_hidden[c] = dc * (v * cdf);
      d_gate[c] = dc * h * (cdf + v * ck_normal_pdf(v));
    }
  }
}
CK_VARIANTS(
    ck_geglu_backward_f32,
    (float *dx, const float *dy, const float *x, size_t rows, size_t width),
    (dx, dy, x, rows, width))

// Numbers that are widened, worked on and rounded together.
enum { CHUNK = 256 };

// 2^x to 4e-5 for |x| <= 126, as 2^n · 2^r with |r| <= 1/2.
CK_INLINE float rough_exp2(float x) {
  const float round = 12582912.0f;  // 1.5 · 2^23: adding it rounds to an integer
  const float shifted = x + round, r = x - (shifted - round);
  float p = 0.00961812911f;
  p = p * r + 0.0555041087f;
  p = p * r + 0.240226507f;
  p = p * r + 0.693147181f;
  p = p * r + 1.0f;
  return p * ck_from_bits((ck_to_bits(shifted) - ck_to_bits(round) + 127) << 23);
}

// The normal distribution function to a relative 6e-4 for |x| < 4 and an absolute 1e-6 beyond, a third
// of what rounding to bfloat16 costs: 1 / (1 + 2^-p) with p fitted to the logarithm of its odds.
CK_INLINE float rough_normal_cdf(float x) {
  float v = x > 6.0f ? 6.0f : x;
  v = v < -6.0f ? -6.0f : v;
  const float s = v * v;
  float p = -1.42857707e-8f;
  p = p * s + 1.15551012e-6f;
  p = p * s - 2.00717001e-5f;
  p = p * s - 0.00102418429f;
  p = p * s + 0.107517076f;
  p = p * s + 2.29998995f;
  return 1.0f / (1.0f + rough_exp2(-v * p));
}

CK_INLINE float rough_normal_pdf(float x) {
  const float power = -0.721347520f * x * x;
  return 0.398942280f * rough_exp2(power < -126.0f ? -126.0f : power);
}

CK_BODY void ck_geglu_bf16_body(uint16_t *y, const uint16_t *x, size_t rows, size_t width,
                                int native) {
  float hidden[CHUNK], gate[CHUNK];
  for (size_t r = 0; r < rows; r++)
    for (size_t start = 0; start < width; start += CHUNK) {
      const size_t n = width - start < CHUNK ? width - start : CHUNK;
      const uint16_t *in = x + 2 * r * width + start;
      ck_widen_row(hidden, in, n);
      ck_widen_row(gate, in + width, n);
      for (size_t c = 0; c < n; c++) hidden[c] *= gate[c] * rough_normal_cdf(gate[c]);
      ck_round_row(y + r * width + start, hidden, n, native);
    }
}
CK_ROUNDING_VARIANTS(ck_geglu_bf16, (uint16_t *y, const uint16_t *x, size_t rows, size_t width), y,
                     x, rows, width)

CK_BODY void ck_geglu_backward_bf16_body(uint16_t *dx, const uint16_t *dy, const uint16_t *x,
                                         size_t rows, size_t width, int native) {
  float hidden[CHUNK], gate[CHUNK], d[CHUNK];
  for (size_t r = 0; r < rows; r++)
    for (size_t start = 0; start < width; start += CHUNK) {
      const size_t n = width - start < CHUNK ? width - start : CHUNK;
      const size_t place = 2 * r * width + start;
      ck_widen_row(hidden, x + place, n);
      ck_widen_row(gate, x + place + width, n);
      ck_widen_row(d, dy + r * width + start, n);
      for (size_t c = 0; c < n; c++) {
        const float v = gate[c], cdf = rough_normal_cdf(v), h = hidden[c];
        hidden[c] = d[c] * (v * cdf);
        gate[c] = d[c] * h * (cdf + v * rough_normal_pdf(v));
      }
      ck_round_row(dx + place, hidden, n, native);
      ck_round_row(dx + place + width, gate, n, native);
    }
}
CK_ROUNDING_VARIANTS(ck_geglu_backward_bf16,
                     (uint16_t *dx, const uint16_t *dy, const uint16_t *x, size_t rows,
                      size_t width),
                     dx, dy, x, rows, width)
