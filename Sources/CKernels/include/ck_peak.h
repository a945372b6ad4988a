#pragma once
#include <stddef.h>

// Loops that do nothing but multiply and add in registers, to find out what a core can do at most.
// `values` holds CK_PEAK_FLOATS numbers of (0, 1) and is overwritten. Both return the number of
// floating-point operations made, a multiply-add counted as two; ck_peak_bf16 returns 0 on a CPU
// that does not multiply bfloat16.
enum { CK_PEAK_FLOATS = 512 };

double ck_peak_f32(float *values, size_t rounds);
double ck_peak_bf16(float *values, size_t rounds);
