#include "ck_attention_kernels.h"

// The reference that tests compare with: vectors of four floats, SSE2 or NEON.

enum { LANES = 4, MAX_VECTORS = 3, UNIT = 1, DEPTH_MULTIPLE = 1 };
#if defined(__aarch64__)
#define MAX_ROWS 8
#else
#define MAX_ROWS 4
#endif

#include "ck_attention_layout.h"

CK_BODY vec vec_set(float x) { return (vec){x, x, x, x}; }
// The second where one is not a number.
CK_BODY vec vec_max(vec a, vec b) {
  const ivec is_first = a > b;
  return (vec)(((ivec)a & is_first) | ((ivec)b & ~is_first));
}
CK_BODY int vec_any(ivec x) { return (x[0] | x[1] | x[2] | x[3]) != 0; }
CK_BODY ivec lane_numbers(void) { return (ivec){0, 1, 2, 3}; }

#include "ck_attention_exp2.h"

#include "ck_attention_f32.h"

#include "ck_attention_backward.h"

const ck_attention_kernels_t ck_attention_plain = {forward_bytes, backward_bytes, forward,
                                                   backward};
