#pragma once
#include "ck_attention.h"
#include "ck_dispatch.h"

// The attention kernels of one instruction set and one type of factors.
typedef struct {
  size_t (*forward_bytes)(const ck_attention_t *);
  size_t (*backward_bytes)(const ck_attention_t *);
  void (*forward)(const ck_attention_t *, void *, float *, size_t, size_t, void *);
  void (*backward)(const ck_attention_t *, const ck_attention_gradients_t *, size_t, size_t,
                   void *);
} ck_attention_kernels_t;

extern const ck_attention_kernels_t ck_attention_plain;
#if defined(__x86_64__)
extern const ck_attention_kernels_t ck_attention_avx2;
extern const ck_attention_kernels_t ck_attention_avx512;
extern const ck_attention_kernels_t ck_attention_avx512bf16;
extern const ck_attention_kernels_t ck_attention_amx;
#endif
