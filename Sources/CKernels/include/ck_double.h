#pragma once
#include <stddef.h>

// Products in 64 bits, for statistics. Matrices are row-major, `…_stride` elements from row to row.

// y[i, j] += Σ_k a[i, k] · b[j, k] for i < rows, j < cols, k < inner. y overlaps neither factor.
void ck_add_product_f64(
    double *y, size_t y_stride, const double *a, size_t a_stride, const double *b, size_t b_stride,
    size_t rows, size_t cols, size_t inner);

// Σ a[i] · b[i] for i < n, into *y.
void ck_dot_f64(double *y, const double *a, const double *b, size_t n);

// For every row i < rows: a[i, j] -= v[first + i] · w[j] + w[first + i] · v[j] for j < n, then
// p[i] = Σ_j a[i, j] · u[j]: one step of a Householder reduction and the start of the next.
void ck_reflect_rows_f64(
    double *p, double *a, size_t a_stride, const double *v, const double *w, const double *u,
    size_t first, size_t rows, size_t n);
