#include "ck_norm.h"

#include "ck_math.h"
#include "ck_lanes.h"

CK_BODY void ck_channel_moments_f32_body(
    float *restrict mean, float *restrict m2, const float *restrict x, size_t rows, size_t cols) {
  for (size_t c = 0; c < cols; c++) mean[c] = m2[c] = 0.0f;
  size_t r = 1;
  for (; r + 2 <= rows; r += 2) {
    const float *a = x + r * cols, *b = a + cols;
    for (size_t c = 0; c < cols; c++) {
      float u = a[c] - x[c], v = b[c] - x[c];
      mean[c] += u + v;
      m2[c] += u * u + v * v;
    }
  }
  for (; r < rows; r++) {
    for (size_t c = 0; c < cols; c++) {
      float u = x[r * cols + c] - x[c];
      mean[c] += u;
      m2[c] += u * u;
    }
  }
  float scale = 1.0f / (float)rows;
  for (size_t c = 0; c < cols; c++) {
    float shift = mean[c] * scale, rest = m2[c] - mean[c] * shift;
    mean[c] = x[c] + shift;
    m2[c] = rest > 0.0f ? rest : 0.0f;
  }
}
CK_VARIANTS(
    ck_channel_moments_f32, (float *mean, float *m2, const float *x, size_t rows, size_t cols),
    (mean, m2, x, rows, cols))

CK_BODY void ck_normalize_f32_body(
    float *y, const float *x, const float *restrict mean, const float *restrict scale,
    const float *restrict bias, int silu, size_t rows, size_t cols) {
  for (size_t r = 0; r < rows; r++) {
    const float *in = x + r * cols;
    float *out = y + r * cols;
    if (silu) {
      CK_SAME_INDEX
      for (size_t c = 0; c < cols; c++) {
        float z = (in[c] - mean[c]) * scale[c] + bias[c];
        out[c] = z * ck_sigmoid(z);
      }
    } else {
      CK_SAME_INDEX
      for (size_t c = 0; c < cols; c++) out[c] = (in[c] - mean[c]) * scale[c] + bias[c];
    }
  }
}
CK_VARIANTS(
    ck_normalize_f32,
    (float *y, const float *x, const float *mean, const float *scale, const float *bias, int silu,
     size_t rows, size_t cols),
    (y, x, mean, scale, bias, silu, rows, cols))

// Numbers that are worked on and rounded together.
enum { CHUNK = 256 };

CK_BODY void ck_normalize_bf16_body(uint16_t *y, const float *x, const float *mean,
                                    const float *scale, const float *bias, int silu, size_t rows,
                                    size_t cols, int native) {
  float chunk[CHUNK];
  for (size_t r = 0; r < rows; r++)
    for (size_t start = 0; start < cols; start += CHUNK) {
      const size_t n = cols - start < CHUNK ? cols - start : CHUNK;
      const float *in = x + r * cols + start, *m = mean + start, *s = scale + start,
                  *b = bias + start;
      for (size_t c = 0; c < n; c++) chunk[c] = (in[c] - m[c]) * s[c] + b[c];
      if (silu)
        for (size_t c = 0; c < n; c++) chunk[c] *= ck_sigmoid(chunk[c]);
      ck_round_row(y + r * cols + start, chunk, n, native);
    }
}
CK_ROUNDING_VARIANTS(ck_normalize_bf16,
                     (uint16_t *y, const float *x, const float *mean, const float *scale,
                      const float *bias, int silu, size_t rows, size_t cols),
                     y, x, mean, scale, bias, silu, rows, cols)

CK_BODY void ck_normalize_sums_f32_body(
    float *restrict sum, float *restrict dot, float *dz, const float *dy, const float *restrict x,
    const float *restrict mean, const float *restrict scale, const float *restrict bias, int silu,
    size_t rows, size_t cols) {
  for (size_t c = 0; c < cols; c++) sum[c] = dot[c] = 0.0f;
  if (silu) {
    for (size_t r = 0; r < rows; r++) {
      const float *d = dy + r * cols, *in = x + r * cols;
      float *out = dz + r * cols;
      CK_SAME_INDEX
      for (size_t c = 0; c < cols; c++) {
        float u = in[c] - mean[c], z = u * scale[c] + bias[c], s = ck_sigmoid(z);
        float g = d[c] * (s * (1.0f + z * (1.0f - s)));
        out[c] = g;
        sum[c] += g;
        dot[c] += g * u;
      }
    }
    return;
  }
  size_t r = 0;
  for (; r + 2 <= rows; r += 2) {
    const float *d = dy + r * cols, *in = x + r * cols, *e = d + cols, *next = in + cols;
    for (size_t c = 0; c < cols; c++) {
      sum[c] += d[c] + e[c];
      dot[c] += d[c] * (in[c] - mean[c]) + e[c] * (next[c] - mean[c]);
    }
  }
  for (; r < rows; r++) {
    const float *d = dy + r * cols, *in = x + r * cols;
    for (size_t c = 0; c < cols; c++) {
      sum[c] += d[c];
      dot[c] += d[c] * (in[c] - mean[c]);
    }
  }
}
CK_VARIANTS(
    ck_normalize_sums_f32,
    (float *sum, float *dot, float *dz, const float *dy, const float *x, const float *mean,
     const float *scale, const float *bias, int silu, size_t rows, size_t cols),
    (sum, dot, dz, dy, x, mean, scale, bias, silu, rows, cols))

CK_BODY void ck_normalize_silu_sums_bf16_body(float *restrict sum, float *restrict dot,
                                              float *restrict dz, const uint16_t *dy,
                                              const float *restrict x, const float *restrict mean,
                                              const float *restrict scale,
                                              const float *restrict bias, size_t rows,
                                              size_t cols) {
  float d[CHUNK];
  for (size_t c = 0; c < cols; c++) sum[c] = dot[c] = 0.0f;
  for (size_t r = 0; r < rows; r++)
    for (size_t start = 0; start < cols; start += CHUNK) {
      const size_t n = cols - start < CHUNK ? cols - start : CHUNK;
      const float *in = x + r * cols;
      float *out = dz + r * cols;
      ck_widen_row(d, dy + r * cols + start, n);
      for (size_t c = start; c < start + n; c++) {
        const float u = in[c] - mean[c], z = u * scale[c] + bias[c], s = ck_sigmoid(z);
        const float g = d[c - start] * (s * (1.0f + z * (1.0f - s)));
        out[c] = g;
        sum[c] += g;
        dot[c] += g * u;
      }
    }
}
CK_VARIANTS(
    ck_normalize_silu_sums_bf16,
    (float *sum, float *dot, float *dz, const uint16_t *dy, const float *x, const float *mean,
     const float *scale, const float *bias, size_t rows, size_t cols),
    (sum, dot, dz, dy, x, mean, scale, bias, rows, cols))

CK_BODY void ck_normalize_backward_f32_body(
    float *dx, const float *dz, const float *restrict x, const float *restrict mean,
    const float *restrict p, const float *restrict q, const float *restrict r, size_t rows,
    size_t cols) {
  for (size_t row = 0; row < rows; row++) {
    const float *d = dz + row * cols, *in = x + row * cols;
    float *out = dx + row * cols;
    CK_SAME_INDEX
    for (size_t c = 0; c < cols; c++) out[c] = p[c] * d[c] + (q[c] * (in[c] - mean[c]) + r[c]);
  }
}
CK_VARIANTS(
    ck_normalize_backward_f32,
    (float *dx, const float *dz, const float *x, const float *mean, const float *p,
     const float *q, const float *r, size_t rows, size_t cols),
    (dx, dz, x, mean, p, q, r, rows, cols))

CK_INLINE float row_sum(const float *x, size_t n) {
#pragma clang fp reassociate(on)
  float total = 0.0f;
  for (size_t i = 0; i < n; i++) total += x[i];
  return total;
}

CK_INLINE float row_deviation(const float *x, float mean, size_t n) {
#pragma clang fp reassociate(on)
  float total = 0.0f;
  for (size_t i = 0; i < n; i++) total += (x[i] - mean) * (x[i] - mean);
  return total;
}

CK_BODY void ck_layer_norm_f32_body(
    float *restrict y, float *restrict mean, float *restrict rstd, const float *restrict x,
    const float *restrict weight, const float *restrict bias, float eps, size_t rows,
    size_t cols) {
  float scale = 1.0f / (float)cols;
  for (size_t r = 0; r < rows; r++) {
    const float *in = x + r * cols;
    float *out = y + r * cols;
    float m = row_sum(in, cols) * scale;
    float s = 1.0f / __builtin_sqrtf(row_deviation(in, m, cols) * scale + eps);
    mean[r] = m;
    rstd[r] = s;
    for (size_t c = 0; c < cols; c++) out[c] = (in[c] - m) * s * weight[c] + bias[c];
  }
}
CK_VARIANTS(
    ck_layer_norm_f32,
    (float *y, float *mean, float *rstd, const float *x, const float *weight, const float *bias,
     float eps, size_t rows, size_t cols),
    (y, mean, rstd, x, weight, bias, eps, rows, cols))

CK_BODY void ck_layer_norm_bf16_body(uint16_t *y, float *mean, float *rstd, const float *x,
                                     const float *weight, const float *bias, float eps,
                                     size_t rows, size_t cols, int native) {
  float chunk[CHUNK];
  const float scale = 1.0f / (float)cols;
  for (size_t r = 0; r < rows; r++) {
    const float *in = x + r * cols;
    const float m = row_sum(in, cols) * scale;
    const float s = 1.0f / __builtin_sqrtf(row_deviation(in, m, cols) * scale + eps);
    mean[r] = m;
    rstd[r] = s;
    for (size_t start = 0; start < cols; start += CHUNK) {
      const size_t n = cols - start < CHUNK ? cols - start : CHUNK;
      for (size_t c = 0; c < n; c++)
        chunk[c] = (in[start + c] - m) * s * weight[start + c] + bias[start + c];
      ck_round_row(y + r * cols + start, chunk, n, native);
    }
  }
}
CK_ROUNDING_VARIANTS(ck_layer_norm_bf16,
                     (uint16_t *y, float *mean, float *rstd, const float *x, const float *weight,
                      const float *bias, float eps, size_t rows, size_t cols),
                     y, mean, rstd, x, weight, bias, eps, rows, cols)

// a = Σ g, b = Σ g · x̂ with g = dy · weight.
CK_INLINE void row_dots(
    float *a, float *b, const float *dy, const float *x, const float *weight, float mean,
    size_t n) {
#pragma clang fp reassociate(on)
  float first = 0.0f, second = 0.0f;
  for (size_t c = 0; c < n; c++) {
    float g = dy[c] * weight[c];
    first += g;
    second += g * (x[c] - mean);
  }
  *a = first;
  *b = second;
}

CK_BODY void ck_layer_norm_backward_f32_body(
    float *restrict dx, float *restrict d_weight, float *restrict d_bias,
    const float *restrict dy, const float *restrict x, const float *restrict mean,
    const float *restrict rstd, const float *restrict weight, size_t rows, size_t cols) {
  if (d_weight)
    for (size_t c = 0; c < cols; c++) d_weight[c] = d_bias[c] = 0.0f;
  float scale = 1.0f / (float)cols;
  for (size_t r = 0; r < rows; r++) {
    const float *d = dy + r * cols, *in = x + r * cols;
    float m = mean[r], s = rstd[r];
    if (dx) {
      float a, b, *out = dx + r * cols;
      row_dots(&a, &b, d, in, weight, m, cols);
      float slope = b * s * s * s * scale, offset = a * s * scale;
      for (size_t c = 0; c < cols; c++)
        out[c] = d[c] * weight[c] * s - ((in[c] - m) * slope + offset);
    }
    if (d_weight) {
      for (size_t c = 0; c < cols; c++) {
        d_bias[c] += d[c];
        d_weight[c] += d[c] * ((in[c] - m) * s);
      }
    }
  }
}
CK_VARIANTS(
    ck_layer_norm_backward_f32,
    (float *dx, float *d_weight, float *d_bias, const float *dy, const float *x,
     const float *mean, const float *rstd, const float *weight, size_t rows, size_t cols),
    (dx, d_weight, d_bias, dy, x, mean, rstd, weight, rows, cols))
