#include "ck_double.h"

#include "ck_math.h"
#include "ck_variants.h"

// Functions on this type are always inlined, so how it would be passed does not matter.
#pragma clang diagnostic ignored "-Wpsabi"

typedef double ck_d8 __attribute__((vector_size(64), aligned(8)));
enum { LANES = 8, TILE = 4 };

CK_INLINE double total(ck_d8 v) {
  return ((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]));
}

CK_INLINE double dot(const double *a, const double *b, size_t n) {
  ck_d8 first = {0}, second = {0};
  size_t k = 0;
  for (; k + 2 * LANES <= n; k += 2 * LANES) {
    first += *(const ck_d8 *)(a + k) * *(const ck_d8 *)(b + k);
    second += *(const ck_d8 *)(a + k + LANES) * *(const ck_d8 *)(b + k + LANES);
  }
  double sum = total(first + second);
  for (; k < n; k++) sum += a[k] * b[k];
  return sum;
}

CK_BODY void ck_dot_f64_body(double *y, const double *a, const double *b, size_t n) {
  *y = dot(a, b, n);
}
CK_VARIANTS(ck_dot_f64, (double *y, const double *a, const double *b, size_t n), (y, a, b, n))

// TILE × TILE results at once: each row that is loaded is used TILE times.
CK_INLINE void add_tile(
    double *y, size_t y_stride, const double *a, size_t a_stride, const double *b, size_t b_stride,
    size_t inner) {
  ck_d8 sums[TILE][TILE] = {{{0}}};
  size_t k = 0;
  for (; k + LANES <= inner; k += LANES) {
    ck_d8 right[TILE];
    for (size_t j = 0; j < TILE; j++) right[j] = *(const ck_d8 *)(b + j * b_stride + k);
    for (size_t i = 0; i < TILE; i++) {
      ck_d8 left = *(const ck_d8 *)(a + i * a_stride + k);
      for (size_t j = 0; j < TILE; j++) sums[i][j] += left * right[j];
    }
  }
  for (size_t i = 0; i < TILE; i++) {
    for (size_t j = 0; j < TILE; j++) {
      double sum = total(sums[i][j]);
      for (size_t rest = k; rest < inner; rest++)
        sum += a[i * a_stride + rest] * b[j * b_stride + rest];
      y[i * y_stride + j] += sum;
    }
  }
}

CK_BODY void ck_add_product_f64_body(
    double *y, size_t y_stride, const double *a, size_t a_stride, const double *b, size_t b_stride,
    size_t rows, size_t cols, size_t inner) {
  for (size_t i = 0; i < rows; i += TILE) {
    for (size_t j = 0; j < cols; j += TILE) {
      if (i + TILE <= rows && j + TILE <= cols) {
        add_tile(
            y + i * y_stride + j, y_stride, a + i * a_stride, a_stride, b + j * b_stride, b_stride,
            inner);
        continue;
      }
      for (size_t r = i; r < rows && r < i + TILE; r++)
        for (size_t c = j; c < cols && c < j + TILE; c++)
          y[r * y_stride + c] += dot(a + r * a_stride, b + c * b_stride, inner);
    }
  }
}
CK_VARIANTS(
    ck_add_product_f64,
    (double *y, size_t y_stride, const double *a, size_t a_stride, const double *b, size_t b_stride,
     size_t rows, size_t cols, size_t inner),
    (y, y_stride, a, a_stride, b, b_stride, rows, cols, inner))

CK_BODY void ck_reflect_rows_f64_body(
    double *p, double *a, size_t a_stride, const double *v, const double *w, const double *u,
    size_t first, size_t rows, size_t n) {
  for (size_t i = 0; i < rows; i++) {
    double *row = a + i * a_stride;
    const double vi = v[first + i], wi = w[first + i];
    ck_d8 sums = {0};
    size_t j = 0;
    for (; j + LANES <= n; j += LANES) {
      ck_d8 x = *(const ck_d8 *)(row + j) -
                (vi * *(const ck_d8 *)(w + j) + wi * *(const ck_d8 *)(v + j));
      *(ck_d8 *)(row + j) = x;
      sums += x * *(const ck_d8 *)(u + j);
    }
    double sum = total(sums);
    for (; j < n; j++) {
      row[j] -= vi * w[j] + wi * v[j];
      sum += row[j] * u[j];
    }
    p[i] = sum;
  }
}
CK_VARIANTS(
    ck_reflect_rows_f64,
    (double *p, double *a, size_t a_stride, const double *v, const double *w, const double *u,
     size_t first, size_t rows, size_t n),
    (p, a, a_stride, v, w, u, first, rows, n))
