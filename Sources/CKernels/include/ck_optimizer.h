#pragma once
#include <stddef.h>

// One AdamW step; see ck_adamw_f32.
typedef struct {
  float learning_rate, beta1, beta2, eps, weight_decay;
  float correction1, correction2;  // 1 - beta1^step, 1 - beta2^step
  float gradient_scale;            // multiplies the gradient first
  float ema_decay;                 // average = decay * average + (1 - decay) * new value
} ck_adamw_t;

// y = the parameters after a step from x with gradient g; m, v and average are updated in place.
// average may be NULL. Nothing overlaps.
void ck_adamw_f32(float *y, float *m, float *v, float *average, const float *x, const float *g,
                  size_t n, const ck_adamw_t *step);

// Sum of squares of x in double precision; the order of summation depends on n only.
double ck_sum_squares_f32(const float *x, size_t n);
