#pragma once
#include <stddef.h>

// Where the numbers of one operand of a binary operation on [rows, cols] lie: `row` and `col` are
// the distances between rows and between columns; `col` is 1, or 0 for one number per row.
typedef struct {
  const float *x;
  ptrdiff_t row;
  ptrdiff_t col;
} ck_operand_t;

typedef enum { CK_ADD, CK_SUBTRACT, CK_MULTIPLY, CK_DIVIDE } ck_binary_t;

// y[r, c] = a[r, c] op b[r, c] for r in [0, rows), c in [0, cols); y is dense. y may alias a or b
// where they are dense too.
void ck_binary_f32(
    float *y, ck_operand_t a, ck_operand_t b, ck_binary_t op, size_t rows, size_t cols);

// y[i] = scale · x[i] + shift. y may alias x.
void ck_affine_f32(float *y, const float *x, float scale, float shift, size_t n);

// y[i] = numerator / x[i]. y may alias x.
void ck_reciprocal_f32(float *y, float numerator, const float *x, size_t n);

// y[i] = x[i] / divisor. y may alias x.
void ck_divide_scalar_f32(float *y, const float *x, float divisor, size_t n);
