#pragma once
#include "ck_dispatch.h"

// One source, several instruction sets. Write the kernel as
//   CK_BODY void name_body(params) { … }
//   CK_VARIANTS(name, (params), (args))
// The body is inlined into a copy per instruction set, the compiler vectorises each copy, and
// `name` picks one at run time. The plain copy is the reference that tests compare with.
#define CK_BODY static inline __attribute__((always_inline))

// In front of a loop whose output may be the same array as an input, read and written at the same
// index: without it the compiler takes the scalar loop when they are.
#define CK_SAME_INDEX _Pragma("clang loop vectorize(assume_safety)")

#if defined(__x86_64__)
#define CK_TARGET_AVX2 __attribute__((target("avx2,fma,f16c")))
#define CK_TARGET_AVX512 \
  __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl")))
#define CK_VARIANTS(name, params, args)                                  \
  CK_TARGET_AVX512 static void name##_avx512 params { name##_body args; } \
  CK_TARGET_AVX2 static void name##_avx2 params { name##_body args; }     \
  static void name##_plain params { name##_body args; }                   \
  void name params {                                                      \
    switch (ck_isa()) {                                                   \
      case CK_ISA_AMX:                                                    \
      case CK_ISA_AVX512BF16:                                             \
      case CK_ISA_AVX512: name##_avx512 args; return;                     \
      case CK_ISA_AVX2: name##_avx2 args; return;                         \
      default: name##_plain args;                                         \
    }                                                                     \
  }
#else
#define CK_VARIANTS(name, params, args) \
  void name params { name##_body args; }
#endif
