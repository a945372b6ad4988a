#pragma once
#include <stdint.h>

#include "ck_variants.h"

#if defined(__x86_64__)
#include <immintrin.h>

// AMX: eight registers ("tiles") of 16 rows of 64 bytes. A product of tiles takes 16 rows of 32
// bfloat16 numbers on the left, 16 rows of 16 pairs along the summed axis on the right, and adds to
// 16 rows of 16 floats. Kernels keep sums in tiles 0 to 3 (a square of two by two), two tiles of the
// left factor in 4 and 5, two of the right one in 6 and 7. Whatever is smaller is filled up with
// zeros in a buffer, because another shape of tiles would clear all of them.
#define CK_AMX_FEATURES \
  "avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,amx-tile,amx-bf16"
#define CK_TARGET_AMX __attribute__((target(CK_AMX_FEATURES)))

enum {
  CK_TILE = 16,       // rows of a tile, and columns of a tile of sums
  CK_TILE_PAIRS = 16  // pairs along the summed axis that one product takes
};

// Makes all tiles whole for the calling thread; ck_amx_end gives them back.
CK_BODY CK_TARGET_AMX void ck_amx_begin(void) {
  static const struct {
    uint8_t palette, first_row, unused[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
  } whole = {.palette = 1,
             .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64},
             .rows = {16, 16, 16, 16, 16, 16, 16, 16}};
  _tile_loadconfig(&whole);
}

CK_BODY CK_TARGET_AMX void ck_amx_end(void) { _tile_release(); }

// A tile of 32-bit words in memory; strides count bytes.
typedef struct {
  const void *start;
  ptrdiff_t stride;
} ck_tile_t;

// Adds the product of `down` tiles of the left factor with `across` of the right one to the sums.
CK_BODY CK_TARGET_AMX void ck_amx_step(const ck_tile_t left[2], const ck_tile_t right[2],
                                       const int down, const int across) {
  _tile_loadd(4, left[0].start, (size_t)left[0].stride);
  _tile_loadd(6, right[0].start, (size_t)right[0].stride);
  _tile_dpbf16ps(0, 4, 6);
  if (across == 2) {
    _tile_loadd(7, right[1].start, (size_t)right[1].stride);
    _tile_dpbf16ps(1, 4, 7);
  }
  if (down == 2) {
    _tile_loadd(5, left[1].start, (size_t)left[1].stride);
    _tile_dpbf16ps(2, 5, 6);
    if (across == 2) _tile_dpbf16ps(3, 5, 7);
  }
}

// Sets the four sums to zero.
CK_BODY CK_TARGET_AMX void ck_amx_clear(void) {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
}

// Writes the sums to out, rows `stride` floats apart.
CK_BODY CK_TARGET_AMX void ck_amx_store(float *out, ptrdiff_t stride, const int down,
                                        const int across) {
  const size_t bytes = (size_t)stride * sizeof(float);
  _tile_stored(0, out, bytes);
  if (across == 2) _tile_stored(1, out + CK_TILE, bytes);
  if (down == 2) {
    _tile_stored(2, out + CK_TILE * stride, bytes);
    if (across == 2) _tile_stored(3, out + CK_TILE * stride + CK_TILE, bytes);
  }
}

// `pairs` rows of `words` words, a multiple of 16, filled up to 16 rows with zeros.
CK_BODY CK_TARGET_AMX void ck_amx_fill_up(uint32_t *out, const uint32_t *rows, size_t pairs,
                                          size_t words) {
  for (size_t i = 0; i < CK_TILE_PAIRS; i++)
    for (size_t j = 0; j < words; j += 16)
      _mm512_storeu_si512(out + i * words + j, i < pairs ? _mm512_loadu_si512(rows + i * words + j)
                                                         : _mm512_setzero_si512());
}

// Lanes below n of sixteen.
CK_BODY CK_TARGET_AMX __mmask16 ck_amx_lanes(size_t n) {
  return n >= 16 ? (__mmask16)0xffff : (__mmask16)((1u << n) - 1);
}
#endif
