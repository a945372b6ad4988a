#include "ck_optimizer.h"

#include "ck_variants.h"

CK_BODY void ck_adamw_f32_body(float *restrict y, float *restrict m, float *restrict v,
                               float *restrict average, const float *restrict x,
                               const float *restrict g, size_t n, const ck_adamw_t *step) {
  const float keep = 1.0f - step->learning_rate * step->weight_decay;
  const float rate = step->learning_rate / step->correction1;
  const float root = 1.0f / __builtin_elementwise_sqrt(step->correction2);
  const float b1 = step->beta1, b2 = step->beta2, eps = step->eps, scale = step->gradient_scale;
  const float decay = step->ema_decay;
  for (size_t i = 0; i < n; i++) {
    const float gradient = g[i] * scale;
    m[i] = b1 * m[i] + (1.0f - b1) * gradient;
    v[i] = b2 * v[i] + (1.0f - b2) * gradient * gradient;
    y[i] = keep * x[i] - rate * m[i] / (__builtin_elementwise_sqrt(v[i]) * root + eps);
  }
  if (average)
    for (size_t i = 0; i < n; i++) average[i] = decay * average[i] + (1.0f - decay) * y[i];
}
CK_VARIANTS(ck_adamw_f32,
            (float *y, float *m, float *v, float *average, const float *x, const float *g, size_t n,
             const ck_adamw_t *step),
            (y, m, v, average, x, g, n, step))

double ck_sum_squares_f32(const float *x, size_t n) {
  enum { LANES = 16 };
  double sums[LANES] = {0};
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (size_t j = 0; j < LANES; j++) sums[j] += (double)x[i + j] * (double)x[i + j];
  for (size_t j = 0; i + j < n; j++) sums[j] += (double)x[i + j] * (double)x[i + j];
  double sum = 0;
  for (size_t j = 0; j < LANES; j++) sum += sums[j];
  return sum;
}
