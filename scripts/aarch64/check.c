// Compares the kernels with loops in double precision, on a CPU that the tests do not run on.
// Built and run by scripts/aarch64.sh. Prints one line per kernel, exits with 1 on a difference.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CKernels.h"

static uint64_t state = 1;

static float noise(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (float)(int32_t)(state >> 32) / 2147483648.0f;
}

static float *numbers(size_t n) {
  float *x = aligned_alloc(64, (n * sizeof(float) + 127) / 64 * 64);
  for (size_t i = 0; i < n; i++) x[i] = noise();
  return x;
}

static double *zeros(size_t n) { return calloc(n + 1, sizeof(double)); }

static int failures = 0;

static void compare(const char *name, const float *found, const double *expected, size_t n,
                    double tolerance) {
  double largest = 1e-30, worst = 0;
  for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs(expected[i]));
  for (size_t i = 0; i < n; i++) {
    const double difference = fabs(found[i] - expected[i]) / largest;
    if (!(difference <= worst)) worst = difference;
  }
  const int is_good = worst <= tolerance;
  printf("%-28s %8zu numbers, largest difference %.1e %s\n", name, n, worst, is_good ? "" : "FAILED");
  failures += !is_good;
}

static void check_product(size_t m, size_t n, size_t k) {
  float *a = numbers(m * k), *b = numbers(k * n), *c = numbers(m * n), *bias = numbers(n);
  double *expected = zeros(m * n);
  for (size_t i = 0; i < m; i++)
    for (size_t j = 0; j < n; j++) {
      expected[i * n + j] = bias[j];
      for (size_t s = 0; s < k; s++) expected[i * n + j] += (double)a[i * k + s] * b[s * n + j];
    }
  const size_t width = ck_gemm_panel(), panels = (n + width - 1) / width;
  float *packed = numbers(panels * width * k);
  ck_pack_b_f32(packed, k, 0, b, k, n, (ptrdiff_t)n, 1, 0, panels);
  const ptrdiff_t segment = 0;
  const ck_gemm_t g = {.a = a, .row_stride = (ptrdiff_t)k, .rows_per_line = m,
                       .lines_per_image = 1, .images = 1, .segments = &segment,
                       .segment_count = 1, .segment_length = k, .b = packed, .columns = n,
                       .c = c, .c_stride = (ptrdiff_t)n, .bias = bias};
  ck_gemm_f32(&g, 0, ck_gemm_blocks(&g), 0, panels);
  compare("product", c, expected, m * n, 1e-5);
}

static void check_panels(size_t m, size_t n, size_t k) {
  float *a = numbers(k * m), *b = numbers(k * n), *c = numbers(m * n);
  double *expected = zeros(m * n);
  for (size_t s = 0; s < k; s++)
    for (size_t i = 0; i < m; i++)
      for (size_t j = 0; j < n; j++) expected[i * n + j] += (double)a[s * m + i] * b[s * n + j];
  const size_t width = ck_gemm_panel();
  float *left = numbers((m + 7) / 8 * 8 * k), *right = numbers((n + width - 1) / width * width * k);
  ck_pack_panels_f32(left, k, CK_ROW_PANEL, a, (ptrdiff_t)m, k, m);
  ck_pack_panels_f32(right, k, width, b, (ptrdiff_t)n, k, n);
  const ck_gemm_panels_t g = {.a = left, .b = right, .rows = m, .columns = n, .k = k,
                              .a_panel_k = k, .b_panel_k = k, .c = c, .c_stride = (ptrdiff_t)n};
  ck_gemm_panels_f32(&g);
  compare("product of panels", c, expected, m * n, 1e-5);
}

static void check_winograd(size_t side, size_t h, size_t w, size_t c, size_t o) {
  float *x = numbers(h * w * c), *weight = numbers(o * 9 * c), *y = numbers(h * w * o);
  double *expected = zeros(h * w * o);
  for (size_t i = 0; i < h; i++)
    for (size_t j = 0; j < w; j++)
      for (size_t tap = 0; tap < 9; tap++) {
        const size_t row = i + tap / 3 - 1, column = j + tap % 3 - 1;
        if (row >= h || column >= w) continue;
        for (size_t out = 0; out < o; out++)
          for (size_t in = 0; in < c; in++)
            expected[(i * w + j) * o + out] +=
                (double)x[(row * w + column) * c + in] * weight[(out * 9 + tap) * c + in];
      }
  const size_t down = (h + side - 1) / side, across = (w + side - 1) / side;
  const ck_winograd_t reading = {h, w, c, side, down, across, 1, 1, 0};
  const ck_winograd_t writing = {h, w, o, side, down, across, 0, 0, 0};
  const size_t tiles = down * across, places = (side + 2) * (side + 2), width = ck_gemm_panel();
  const size_t panels = (o + width - 1) / width, u_plane = panels * width * c;
  float *u = numbers(places * u_plane), *v = numbers(places * tiles * c);
  float *m = numbers(places * tiles * o);
  const ck_winograd_kernel_t kernel = {1, (ptrdiff_t)(9 * c), (ptrdiff_t)c, 0, side};
  for (size_t p = 0; p < panels; p++) ck_winograd_weights_f32(u, u_plane, c, weight, &kernel, c, o, p);
  ck_winograd_input_f32(v, tiles * c, c, x, &reading, 0, tiles);
  const ck_winograd_products_t products = {.places = places, .m = m, .v = v, .u = u,
                                           .m_plane = tiles * o, .v_plane = tiles * c,
                                           .u_plane = u_plane, .v_stride = c, .tiles = tiles,
                                           .k = c, .columns = o};
  ck_winograd_products_f32(&products);
  ck_winograd_output(y, 0, NULL, m, tiles * o, NULL, &writing, 0, tiles, 0, o);
  compare("3x3 convolution", y, expected, h * w * o, 1e-5);
}

static void check_attention(size_t heads, size_t queries, size_t keys, size_t d) {
  const size_t stride = heads * d;
  float *q = numbers(queries * stride), *k = numbers(keys * stride), *v = numbers(keys * stride);
  float *y = numbers(queries * stride), *log_sums = numbers(heads * queries);
  double *expected = zeros(queries * stride), *p = zeros(keys);
  for (size_t head = 0; head < heads; head++)
    for (size_t i = 0; i < queries; i++) {
      double sum = 0;
      for (size_t j = 0; j < keys; j++) {
        double score = 0;
        for (size_t e = 0; e < d; e++)
          score += (double)q[i * stride + head * d + e] * k[j * stride + head * d + e];
        sum += p[j] = exp(score / sqrt((double)d));
      }
      for (size_t j = 0; j < keys; j++)
        for (size_t e = 0; e < d; e++)
          expected[i * stride + head * d + e] += p[j] / sum * v[j * stride + head * d + e];
    }
  const ck_attention_t call = {.heads = heads, .queries = queries, .keys = keys, .head_dim = d,
                               .stride = (ptrdiff_t)stride, .q = q, .k = k, .v = v,
                               .scale = 1 / sqrtf((float)d)};
  void *scratch = aligned_alloc(64, (ck_attention_forward_bytes(&call) + 127) / 64 * 64);
  ck_attention_forward(&call, y, log_sums, 0, queries, scratch);
  compare("attention", y, expected, queries * stride, 1e-5);
}

static void check_functions(size_t n) {
  float *x = numbers(n), *y = numbers(n);
  double *expected = zeros(n);
  for (size_t i = 0; i < n; i++) x[i] *= 8;
  ck_exp_f32(y, x, n);
  for (size_t i = 0; i < n; i++) expected[i] = exp(x[i]);
  compare("exp", y, expected, n, 1e-6);
  ck_silu_f32(y, x, n);
  for (size_t i = 0; i < n; i++) expected[i] = x[i] / (1 + exp(-(double)x[i]));
  compare("silu", y, expected, n, 1e-6);
  ck_gelu_f32(y, x, n);
  for (size_t i = 0; i < n; i++) expected[i] = 0.5 * x[i] * erfc(-x[i] / sqrt(2.0));
  compare("gelu", y, expected, n, 1e-6);
}

int main(void) {
  printf("instruction set: %s\n", ck_isa_name(ck_isa()));
  const size_t sizes[] = {1, 7, 17, 31, 33, 77};
  for (size_t i = 0; i < 6; i++) {
    check_product(sizes[i], sizes[5 - i], sizes[(i + 2) % 6]);
    check_panels(sizes[i], sizes[5 - i], sizes[(i + 2) % 6]);
    for (size_t side = 2; side <= 4; side += 2)
      check_winograd(side, sizes[i] / 2 + 1, sizes[5 - i] / 3 + 1, sizes[(i + 1) % 6],
                     sizes[(i + 3) % 6]);
    check_attention(2, sizes[i], sizes[5 - i], sizes[(i + 2) % 6]);
  }
  check_functions(1001);
  return failures > 0;
}
