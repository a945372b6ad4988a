#pragma once
#include <stddef.h>
#include <stdint.h>

// y[i] = value for i in [0, n).
void ck_fill_f32(float *y, float value, size_t n);

// y[i] = a[i] + b[i] for i in [0, n). y may alias a or b.
void ck_add_f32(float *y, const float *a, const float *b, size_t n);

// y[i] = bfloat16(x[i]), round to nearest even; NaN stays NaN.
void ck_f32_to_bf16(uint16_t *y, const float *x, size_t n);

// high[i] = bfloat16(x[i]), low[i] = bfloat16(x[i] - float(high[i])).
void ck_split_bf16(uint16_t *high, uint16_t *low, const float *x, size_t n);

// y[i] = float(x[i]).
void ck_bf16_to_f32(float *y, const uint16_t *x, size_t n);

// y[i] = x[i] + float(a[i]); y may alias x.
void ck_add_bf16(float *y, const float *x, const uint16_t *a, size_t n);
