#include "ck_norm.h"

#include "ck_math.h"
#include "ck_lanes.h"

// Numbers that are widened, worked on and rounded together.
enum { CHUNK = 256 };

CK_BODY size_t chunk_length(size_t start, size_t cols) {
  return cols - start < CHUNK ? cols - start : CHUNK;
}

// Numbers [index, index + n) of x as floats: where they are, or widened into `room`.
CK_BODY const float *read_chunk(float *room, const void *x, int is_bf16, size_t index, size_t n) {
  if (!is_bf16) return (const float *)x + index;
  ck_widen_row(room, (const uint16_t *)x + index, n);
  return room;
}

// Where numbers [index, index + n) of y are to be computed, before finish_chunk.
CK_BODY float *start_chunk(float *room, void *y, int is_bf16, size_t index) {
  return is_bf16 ? room : (float *)y + index;
}

CK_BODY void finish_chunk(const float *room, void *y, int is_bf16, size_t index, size_t n,
                          int native) {
  if (is_bf16) ck_round_row((uint16_t *)y + index, room, n, native);
}

CK_BODY void ck_channel_moments_body(float *mean, float *m2, const void *x, int is_bf16,
                                     size_t rows, size_t cols) {
  float room[3][CHUNK], sum[CHUNK], squares[CHUNK];
  const float scale = 1.0f / (float)rows;
  for (size_t start = 0; start < cols; start += CHUNK) {
    const size_t n = chunk_length(start, cols);
    const float *first = read_chunk(room[0], x, is_bf16, start, n);
    for (size_t c = 0; c < n; c++) sum[c] = squares[c] = 0.0f;
    size_t r = 1;
    for (; r + 2 <= rows; r += 2) {
      const float *a = read_chunk(room[1], x, is_bf16, r * cols + start, n);
      const float *b = read_chunk(room[2], x, is_bf16, (r + 1) * cols + start, n);
      for (size_t c = 0; c < n; c++) {
        const float u = a[c] - first[c], v = b[c] - first[c];
        sum[c] += u + v;
        squares[c] += u * u + v * v;
      }
    }
    for (; r < rows; r++) {
      const float *a = read_chunk(room[1], x, is_bf16, r * cols + start, n);
      for (size_t c = 0; c < n; c++) {
        const float u = a[c] - first[c];
        sum[c] += u;
        squares[c] += u * u;
      }
    }
    for (size_t c = 0; c < n; c++) {
      const float shift = sum[c] * scale, rest = squares[c] - sum[c] * shift;
      mean[start + c] = first[c] + shift;
      m2[start + c] = rest > 0.0f ? rest : 0.0f;
    }
  }
}
CK_VARIANTS(ck_channel_moments,
            (float *mean, float *m2, const void *x, int is_bf16, size_t rows, size_t cols),
            (mean, m2, x, is_bf16, rows, cols))

CK_BODY void ck_normalize_body(void *y, int y_is_bf16, const void *x, int x_is_bf16,
                               const float *mean, const float *scale, const float *bias, int silu,
                               size_t rows, size_t cols, int native) {
  float wide[CHUNK], result[CHUNK];
  for (size_t r = 0; r < rows; r++)
    for (size_t start = 0; start < cols; start += CHUNK) {
      const size_t n = chunk_length(start, cols), at = r * cols + start;
      const float *in = read_chunk(wide, x, x_is_bf16, at, n);
      const float *restrict m = mean + start, *restrict s = scale + start,
                  *restrict b = bias + start;
      float *restrict out = start_chunk(result, y, y_is_bf16, at);
      for (size_t c = 0; c < n; c++) out[c] = (in[c] - m[c]) * s[c] + b[c];
      if (silu)
        for (size_t c = 0; c < n; c++) out[c] *= ck_sigmoid(out[c]);
      finish_chunk(out, y, y_is_bf16, at, n, native);
    }
}
CK_ROUNDING_VARIANTS(ck_normalize,
                     (void *y, int y_is_bf16, const void *x, int x_is_bf16, const float *mean,
                      const float *scale, const float *bias, int silu, size_t rows, size_t cols),
                     y, y_is_bf16, x, x_is_bf16, mean, scale, bias, silu, rows, cols)

// The slope of silu at z.
CK_INLINE float silu_slope(float z) {
  const float s = ck_sigmoid(z);
  return s * (1.0f + z * (1.0f - s));
}

CK_BODY void ck_normalize_sums_body(float *sum, float *dot, const ck_normalize_t *g, size_t rows,
                                    size_t cols) {
  float wide[CHUNK], wide_d[CHUNK];
  for (size_t c = 0; c < cols; c++) sum[c] = dot[c] = 0.0f;
  for (size_t r = 0; r < rows; r++)
    for (size_t start = 0; start < cols; start += CHUNK) {
      const size_t n = chunk_length(start, cols), at = r * cols + start;
      const float *in = read_chunk(wide, g->x, g->x_is_bf16, at, n);
      const float *d = read_chunk(wide_d, g->dy, g->dy_is_bf16, at, n);
      const float *restrict m = g->mean + start, *restrict s = g->scale + start,
                  *restrict b = g->bias + start;
      float *restrict total = sum + start, *restrict product = dot + start;
      if (g->silu) {
        for (size_t c = 0; c < n; c++) {
          const float u = in[c] - m[c], dz = d[c] * silu_slope(u * s[c] + b[c]);
          total[c] += dz;
          product[c] += dz * u;
        }
      } else {
        for (size_t c = 0; c < n; c++) {
          total[c] += d[c];
          product[c] += d[c] * (in[c] - m[c]);
        }
      }
    }
}
CK_VARIANTS(ck_normalize_sums,
            (float *sum, float *dot, const ck_normalize_t *g, size_t rows, size_t cols),
            (sum, dot, g, rows, cols))

CK_BODY void ck_normalize_backward_body(void *dx, const ck_normalize_t *g, const float *p,
                                        const float *q, const float *r, size_t rows, size_t cols,
                                        int native) {
  float wide[CHUNK], wide_d[CHUNK], result[CHUNK];
  for (size_t row = 0; row < rows; row++)
    for (size_t start = 0; start < cols; start += CHUNK) {
      const size_t n = chunk_length(start, cols), at = row * cols + start;
      const float *in = read_chunk(wide, g->x, g->x_is_bf16, at, n);
      const float *d = read_chunk(wide_d, g->dy, g->dy_is_bf16, at, n);
      const float *restrict m = g->mean + start, *restrict s = g->scale + start,
                  *restrict b = g->bias + start, *restrict f = p + start, *restrict k = q + start,
                  *restrict t = r + start;
      float *restrict out = start_chunk(result, dx, g->x_is_bf16, at);
      if (g->silu) {
        for (size_t c = 0; c < n; c++) {
          const float u = in[c] - m[c];
          out[c] = f[c] * (d[c] * silu_slope(u * s[c] + b[c])) + (k[c] * u + t[c]);
        }
      } else {
        for (size_t c = 0; c < n; c++) out[c] = f[c] * d[c] + (k[c] * (in[c] - m[c]) + t[c]);
      }
      finish_chunk(out, dx, g->x_is_bf16, at, n, native);
    }
}
CK_ROUNDING_VARIANTS(ck_normalize_backward,
                     (void *dx, const ck_normalize_t *g, const float *p, const float *q,
                      const float *r, size_t rows, size_t cols),
                     dx, g, p, q, r, rows, cols)

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

CK_BODY void ck_layer_norm_body(void *y, int is_bf16, float *mean, float *rstd, const float *x,
                                const float *weight, const float *bias, float eps, size_t rows,
                                size_t cols, int native) {
  float result[CHUNK];
  const float scale = 1.0f / (float)cols;
  for (size_t r = 0; r < rows; r++) {
    const float *in = x + r * cols;
    const float m = row_sum(in, cols) * scale;
    const float s = 1.0f / __builtin_sqrtf(row_deviation(in, m, cols) * scale + eps);
    mean[r] = m;
    rstd[r] = s;
    for (size_t start = 0; start < cols; start += CHUNK) {
      const size_t n = chunk_length(start, cols), at = r * cols + start;
      const float *restrict w = weight + start, *restrict b = bias + start;
      float *restrict out = start_chunk(result, y, is_bf16, at);
      for (size_t c = 0; c < n; c++) out[c] = (in[start + c] - m) * s * w[c] + b[c];
      finish_chunk(out, y, is_bf16, at, n, native);
    }
  }
}
CK_ROUNDING_VARIANTS(ck_layer_norm,
                     (void *y, int is_bf16, float *mean, float *rstd, const float *x,
                      const float *weight, const float *bias, float eps, size_t rows,
                      size_t cols),
                     y, is_bf16, mean, rstd, x, weight, bias, eps, rows, cols)

// Adds Σ g and Σ g · (x - mean) over n numbers, g = dy · weight.
CK_INLINE void add_dots(float *a, float *b, const float *dy, const float *x, const float *weight,
                        float mean, size_t n) {
#pragma clang fp reassociate(on)
  float first = 0.0f, second = 0.0f;
  for (size_t c = 0; c < n; c++) {
    float g = dy[c] * weight[c];
    first += g;
    second += g * (x[c] - mean);
  }
  *a += first;
  *b += second;
}

CK_BODY void ck_layer_norm_backward_body(float *dx, float *d_weight, float *d_bias, const void *dy,
                                         int dy_is_bf16, const float *x, const float *mean,
                                         const float *rstd, const float *weight, size_t rows,
                                         size_t cols) {
  float wide[CHUNK];
  const float scale = 1.0f / (float)cols;
  if (d_weight)
    for (size_t c = 0; c < cols; c++) d_weight[c] = d_bias[c] = 0.0f;
  for (size_t r = 0; r < rows; r++) {
    const float m = mean[r], s = rstd[r];
    float a = 0.0f, b = 0.0f;
    for (size_t start = 0; dx && start < cols; start += CHUNK) {
      const size_t n = chunk_length(start, cols), at = r * cols + start;
      const float *d = read_chunk(wide, dy, dy_is_bf16, at, n);
      add_dots(&a, &b, d, x + at, weight + start, m, n);
    }
    const float slope = b * s * s * s * scale, offset = a * s * scale;
    for (size_t start = 0; start < cols; start += CHUNK) {
      const size_t n = chunk_length(start, cols), at = r * cols + start;
      const float *d = read_chunk(wide, dy, dy_is_bf16, at, n), *in = x + at;
      const float *restrict w = weight + start;
      if (dx) {
        float *restrict out = dx + at;
        for (size_t c = 0; c < n; c++)
          out[c] = d[c] * w[c] * s - ((in[c] - m) * slope + offset);
      }
      if (d_weight) {
        float *restrict dw = d_weight + start, *restrict db = d_bias + start;
        for (size_t c = 0; c < n; c++) {
          db[c] += d[c];
          dw[c] += d[c] * ((in[c] - m) * s);
        }
      }
    }
  }
}
CK_VARIANTS(ck_layer_norm_backward,
            (float *dx, float *d_weight, float *d_bias, const void *dy, int dy_is_bf16,
             const float *x, const float *mean, const float *rstd, const float *weight,
             size_t rows, size_t cols),
            (dx, d_weight, d_bias, dy, dy_is_bf16, x, mean, rstd, weight, rows, cols))
