#include "ck_dispatch.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

// The plain source is compiled to NEON on 64-bit ARM.
#if defined(__aarch64__)
#define PLAIN_NAME "neon"
#else
#define PLAIN_NAME "plain"
#endif
static const char *const names[] = {PLAIN_NAME, "avx2", "avx512", "avx512bf16", "amx"};

const char *ck_isa_name(ck_isa_t isa) { return names[isa]; }

static _Atomic int is_amx_assumed = 0;

void ck_assume_amx(void) { atomic_store(&is_amx_assumed, 1); }

#if defined(__x86_64__)
// Whether the CPU has bfloat16 tiles and Linux allows them to this process, which it must be asked
// for because of the 8 KiB that they add to every thread's saved state.
static int has_amx(void) {
  enum { AMX_BF16 = 1 << 22, AMX_TILE = 1 << 24, REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };
  unsigned a, b, c, d;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d & AMX_BF16) || !(d & AMX_TILE)) return 0;
  return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
}
#endif

static ck_isa_t detect(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") ||
      !__builtin_cpu_supports("f16c"))
    return CK_ISA_PLAIN;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
    return CK_ISA_AVX2;
  if (!__builtin_cpu_supports("avx512bf16")) return CK_ISA_AVX512;
  return atomic_load(&is_amx_assumed) || has_amx() ? CK_ISA_AMX : CK_ISA_AVX512BF16;
#else
  return CK_ISA_PLAIN;
#endif
}

static _Thread_local ck_isa_t thread_limit = CK_ISA_AMX;

void ck_limit_isa_of_thread(ck_isa_t isa) { thread_limit = isa; }

// Why `name` cannot be followed.
static const char *complaint(const char *name) {
  if (strcmp(name, "neon") == 0) return "this is not a 64-bit ARM CPU";
  for (int i = 0; i <= CK_ISA_AMX; i++)
    if (strcmp(name, names[i]) == 0) return "this CPU does not have it";
  return "there is no such instruction set";
}

ck_isa_t ck_isa_wanted(const char *name, ck_isa_t best, char *message, size_t size) {
  message[0] = 0;
  for (int i = 0; i <= (int)best; i++)
    if (strcmp(name, names[i]) == 0) return (ck_isa_t)i;
  if (strcmp(name, "plain") == 0) return CK_ISA_PLAIN;
  char valid[64] = "";
  for (int i = 0; i <= (int)best; i++) {
    strcat(valid, i ? ", " : "");
    strcat(valid, names[i]);
  }
  snprintf(message, size, "IMGEN_ISA=%s: %s; using %s. Valid here: %s.", name, complaint(name),
           names[best], valid);
  return best;
}

static ck_isa_t of_process(void) {
  static _Atomic int cached = -1;
  int isa = atomic_load_explicit(&cached, memory_order_relaxed);
  if (isa >= 0) return (ck_isa_t)isa;
  char message[256] = "";
  const ck_isa_t best = detect();
  const char *name = getenv("IMGEN_ISA");
  const ck_isa_t wanted = name ? ck_isa_wanted(name, best, message, sizeof message) : best;
  int unknown = -1;
  if (atomic_compare_exchange_strong(&cached, &unknown, (int)wanted) && message[0])
    fprintf(stderr, "%s\n", message);
  return wanted;
}

ck_isa_t ck_isa(void) {
  ck_isa_t isa = of_process();
  return isa < thread_limit ? isa : thread_limit;
}
