#pragma once
#include <stddef.h>
#include <stdint.h>

// Replaces the 624 words of a Mersenne Twister (MT19937) by the next 624, untempered.
void ck_mt19937_twist(uint32_t *words);

// y[i] = (words[i] tempered & (2^24 - 1)) · 2^-24: uniform numbers in [0, 1).
void ck_mt19937_uniform_f32(float *y, const uint32_t *words, size_t n);

// Box-Muller over blocks of 16 uniform numbers in place: in each block the first eight are radii,
// the last eight angles, and cosines go first, then sines. n is a multiple of 16.
// Bit for bit what torch's AVX2 code makes of them, on every instruction set.
void ck_box_muller_f32(float *y, size_t n);
