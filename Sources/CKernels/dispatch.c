#include "ck_dispatch.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

// The plain source is compiled to NEON on 64-bit ARM.
#if defined(__aarch64__)
#define PLAIN_NAME "neon"
#else
#define PLAIN_NAME "plain"
#endif
static const char *const names[] = {PLAIN_NAME, "avx2", "avx512", "avx512bf16"};

const char *ck_isa_name(ck_isa_t isa) { return names[isa]; }

static ck_isa_t detect(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") ||
      !__builtin_cpu_supports("f16c"))
    return CK_ISA_PLAIN;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
    return CK_ISA_AVX2;
  return __builtin_cpu_supports("avx512bf16") ? CK_ISA_AVX512BF16 : CK_ISA_AVX512;
#else
  return CK_ISA_PLAIN;
#endif
}

static _Thread_local ck_isa_t thread_limit = CK_ISA_AVX512BF16;

void ck_limit_isa_of_thread(ck_isa_t isa) { thread_limit = isa; }

static ck_isa_t of_process(void) {
  static _Atomic int cached = -1;
  int isa = atomic_load_explicit(&cached, memory_order_relaxed);
  if (isa >= 0) return (ck_isa_t)isa;
  isa = detect();
  const char *wanted = getenv("IMGEN_ISA");
  for (int i = 0; wanted && i < isa; i++)
    if (strcmp(wanted, names[i]) == 0) isa = i;
  atomic_store_explicit(&cached, isa, memory_order_relaxed);
  return (ck_isa_t)isa;
}

ck_isa_t ck_isa(void) {
  ck_isa_t isa = of_process();
  return isa < thread_limit ? isa : thread_limit;
}
