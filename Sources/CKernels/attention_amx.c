#include "ck_attention_kernels.h"

#if defined(__x86_64__)
#include <stdint.h>

#include "ck_amx.h"

#pragma clang attribute push(__attribute__((target(CK_AMX_FEATURES))), apply_to = function)

enum { UNIT = 2, MAX_VECTORS = 2, DEPTH_MULTIPLE = CK_TILE_PAIRS };
#define MAX_ROWS 16

#include "ck_attention_avx512.h"

#include "ck_attention_amx.h"

#include "ck_attention_bf16.h"

#include "ck_attention_backward.h"

static void forward_in_tiles(const ck_attention_t *h, void *y, float *log_sums, size_t query,
                             size_t query_end, void *scratch) {
  ck_amx_begin();
  forward(h, y, log_sums, query, query_end, scratch);
  ck_amx_end();
}

static void backward_in_tiles(const ck_attention_t *h, const ck_attention_gradients_t *gradients,
                              size_t key, size_t key_end, void *scratch) {
  ck_amx_begin();
  backward(h, gradients, key, key_end, scratch);
  ck_amx_end();
}

#pragma clang attribute pop

const ck_attention_kernels_t ck_attention_amx = {forward_bytes, backward_bytes, forward_in_tiles,
                                                 backward_in_tiles};
#endif
