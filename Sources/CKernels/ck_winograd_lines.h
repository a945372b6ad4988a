#pragma once
#include "ck_lanes.h"

// The matrices of Winograd's algorithm, each applied to one line of numbers. `size` is the side of
// the transformed tile and a constant wherever these are used: 4 for F(2x2, 3x3), 6 for F(4x4, 3x3).

enum { MAX_SIZE = 6, MAX_PLACES = MAX_SIZE * MAX_SIZE };

static const float ROOT = 1.41421356237309505f;

// Bᵀ d: `size` numbers of the source.
CK_BODY void input_line(ck_f16 out[MAX_SIZE], const ck_f16 d[MAX_SIZE], int size) {
  if (size == 4) {
    out[0] = d[0] - d[2];
    out[1] = d[1] + d[2];
    out[2] = d[2] - d[1];
    out[3] = d[1] - d[3];
    return;
  }
  const ck_f16 even1 = d[4] - 2 * d[2], odd1 = ROOT * (0.5f * d[3] - d[1]);
  const ck_f16 even2 = d[4] - 0.5f * d[2], odd2 = ROOT * (d[3] - 0.5f * d[1]);
  out[0] = d[0] - 2.5f * d[2] + d[4];
  out[1] = even1 + odd1;
  out[2] = even1 - odd1;
  out[3] = even2 + odd2;
  out[4] = even2 - odd2;
  out[5] = d[1] - 2.5f * d[3] + d[5];
}

// G g: three taps of a kernel.
CK_BODY void kernel_line(ck_f16 out[MAX_SIZE], const ck_f16 g[3], int size) {
  if (size == 4) {
    out[0] = g[0];
    out[1] = (g[0] + g[1] + g[2]) * 0.5f;
    out[2] = (g[0] - g[1] + g[2]) * 0.5f;
    out[3] = g[2];
    return;
  }
  const ck_f16 even1 = (2 * g[0] + g[2]) * (-1.0f / 3), even2 = (g[0] + 2 * g[2]) * (1.0f / 6);
  const ck_f16 odd = g[1] * (ROOT / 6);
  out[0] = g[0];
  out[1] = even1 - 2 * odd;
  out[2] = even1 + 2 * odd;
  out[3] = even2 + odd;
  out[4] = even2 - odd;
  out[5] = g[2];
}

// Aᵀ m: `size` - 2 numbers of the result.
CK_BODY void output_line(ck_f16 out[MAX_SIZE - 2], const ck_f16 m[MAX_SIZE], int size) {
  if (size == 4) {
    out[0] = m[0] + m[1] + m[2];
    out[1] = m[1] - m[2] - m[3];
    return;
  }
  const ck_f16 sum1 = m[1] + m[2], sum2 = m[3] + m[4];
  const ck_f16 difference1 = (m[1] - m[2]) * (ROOT / 4), difference2 = (m[3] - m[4]) * ROOT;
  out[0] = m[0] + sum1 + sum2;
  out[1] = 2 * difference1 + difference2;
  out[2] = 0.5f * sum1 + 2 * sum2;
  out[3] = difference1 + 2 * difference2 + m[5];
}

// A dy: `size` - 2 numbers of the gradient by the result.
CK_BODY void gradient_line(ck_f16 out[MAX_SIZE], const ck_f16 dy[MAX_SIZE - 2], int size) {
  if (size == 4) {
    out[0] = dy[0];
    out[1] = dy[0] + dy[1];
    out[2] = dy[0] - dy[1];
    out[3] = -dy[1];
    return;
  }
  const ck_f16 even1 = dy[0] + 0.5f * dy[2], odd1 = (2 * dy[1] + dy[3]) * (ROOT / 4);
  const ck_f16 even2 = dy[0] + 2 * dy[2], odd2 = (dy[1] + 2 * dy[3]) * ROOT;
  out[0] = dy[0];
  out[1] = even1 + odd1;
  out[2] = even1 - odd1;
  out[3] = even2 + odd2;
  out[4] = even2 - odd2;
  out[5] = dy[3];
}

// Gᵀ du: the gradient by three taps.
CK_BODY void kernel_gradient_line(ck_f16 out[3], const ck_f16 du[MAX_SIZE], int size) {
  if (size == 4) {
    const ck_f16 d1 = du[1] * 0.5f, d2 = du[2] * 0.5f;
    out[0] = du[0] + d1 + d2;
    out[1] = d1 - d2;
    out[2] = d1 + d2 + du[3];
    return;
  }
  const ck_f16 sum1 = (du[1] + du[2]) * (1.0f / 3), sum2 = (du[3] + du[4]) * (1.0f / 6);
  out[0] = du[0] - 2 * sum1 + sum2;
  out[1] = (du[2] - du[1]) * (ROOT / 3) + (du[3] - du[4]) * (ROOT / 6);
  out[2] = 2 * sum2 - sum1 + du[5];
}
