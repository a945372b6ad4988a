#include "ck_attention.h"

#include "ck_attention_kernels.h"

int ck_attention_has_bf16(void) { return ck_isa() >= CK_ISA_AVX512BF16; }

static const ck_attention_kernels_t *kernels(const ck_attention_t *heads) {
#if defined(__x86_64__)
  if (heads->is_bfloat16 && ck_isa() == CK_ISA_AMX) return &ck_attention_amx;
  if (heads->is_bfloat16 && ck_attention_has_bf16()) return &ck_attention_avx512bf16;
  if (ck_isa() >= CK_ISA_AVX512) return &ck_attention_avx512;
  if (ck_isa() == CK_ISA_AVX2) return &ck_attention_avx2;
#endif
  (void)heads;
  return &ck_attention_plain;
}

size_t ck_attention_forward_bytes(const ck_attention_t *heads) {
  return kernels(heads)->forward_bytes(heads);
}

size_t ck_attention_backward_bytes(const ck_attention_t *heads) {
  return kernels(heads)->backward_bytes(heads);
}

void ck_attention_forward(const ck_attention_t *heads, void *y, float *log_sums, size_t query,
                          size_t query_end, void *scratch) {
  kernels(heads)->forward(heads, y, log_sums, query, query_end, scratch);
}

void ck_attention_backward(const ck_attention_t *heads, const ck_attention_gradients_t *gradients,
                           size_t key, size_t key_end, void *scratch) {
  kernels(heads)->backward(heads, gradients, key, key_end, scratch);
}
