#pragma once
#include <stddef.h>

// The instruction sets that kernels are compiled for, each including the ones below it.
typedef enum {
  CK_ISA_PLAIN = 0,       // what the compiler may always assume (SSE2 on x86-64, NEON on aarch64)
  CK_ISA_AVX2 = 1,        // AVX2 + FMA + F16C
  CK_ISA_AVX512 = 2,      // AVX-512 F, BW, DQ, VL
  CK_ISA_AVX512BF16 = 3,  // AVX-512 with vdpbf16ps
  CK_ISA_AMX = 4,         // AMX tiles of bfloat16; the kernel must allow them to this process
} ck_isa_t;

// The best instruction set of this CPU, found on the first call from the feature bits (never from
// the model name). The environment variable IMGEN_ISA=plain|avx2|avx512|avx512bf16|amx lowers it; a
// name that cannot be followed is reported on stderr once.
ck_isa_t ck_isa(void);

// The instruction set to use when `name` is asked for where `best` is the best one: `best` when the
// name is not one of those up to it. Then `message` says so, in a line cut to fit `size` bytes; else
// it becomes empty. "neon" is "plain" on 64-bit ARM.
ck_isa_t ck_isa_wanted(const char *name, ck_isa_t best, char *message, size_t size);

// From now on the kernels that the calling thread calls use at most `isa`: for tests, which compare
// instruction sets. CK_ISA_AMX lifts the limit.
void ck_limit_isa_of_thread(ck_isa_t isa);

// Before anything else is called: takes AMX for present on a CPU with AVX512-BF16, which is right
// when the caller handles the signal that its instructions raise, as the tests' emulator does.
void ck_assume_amx(void);

// "plain" ("neon" on 64-bit ARM), "avx2", "avx512", "avx512bf16" or "amx".
const char *ck_isa_name(ck_isa_t isa);

// Tells the CPU that the caller spins.
static inline void ck_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}
