#pragma once
// Arithmetic and packing of bfloat16 factors with AVX-512; see ck_attention_layout.h.

// 2^x to 7.5e-5, a fiftieth of what rounding to bfloat16 costs. x = n + r with n = floor(x).
CK_BODY vec vec_exp2(vec x) {
  const vec r = (vec)_mm512_reduce_ps((__m512)x, 0x09);
  vec p = r * 0.0780245215f + 0.226067156f;
  p = p * r + 0.695833564f;
  p = p * r + 0.999925196f;
  return (vec)_mm512_scalef_ps((__m512)p, (__m512)x);
}

// Pairs (a[i], b[i]) of the numbers of two rows: first all of the one, then all of the other.
CK_BODY __m512i interleaved(__m512i rows) {
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24,
                                         8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  return _mm512_permutexvar_epi16(order, rows);
}

CK_BODY __m512i pairs(__m512 a, __m512 b) {
  return interleaved((__m512i)_mm512_cvtne2ps_pbh(b, a));
}

// 16 floats of a row from column e on, zeros behind its end.
CK_BODY __m512 load_floats(const void *row, size_t e, size_t columns) {
  if (e >= columns) return _mm512_setzero_ps();
  return _mm512_maskz_loadu_ps(first_lanes(columns - e), (const float *)row + e);
}

// The same of stored bfloat16 numbers.
CK_BODY __m256i load_stored(const void *row, size_t e, size_t columns) {
  if (e >= columns) return _mm256_setzero_si256();
  return _mm256_maskz_loadu_epi16(first_lanes(columns - e), (const uint16_t *)row + e);
}

// 32 numbers of a row from column e on as bfloat16, zeros behind its end.
CK_BODY __m512i load_columns(const ck_attention_t *h, const void *row, size_t e, size_t columns) {
  if (h->is_stored_bfloat16) {
    const size_t left = e < columns ? columns - e : 0;
    const __mmask32 mask = left >= 32 ? ~(__mmask32)0 : ((__mmask32)1 << left) - 1;
    return _mm512_maskz_loadu_epi16(mask, (const uint16_t *)row + e);
  }
  return (__m512i)_mm512_cvtne2ps_pbh(load_floats(row, e + 16, columns),
                                      load_floats(row, e, columns));
}

// Pairs of 16 numbers of two rows from column e on, the rows being `a` and `b` numbers long.
CK_BODY __m512i load_pairs(const ck_attention_t *h, const void *first, size_t a,
                           const void *second, size_t b, size_t e) {
  if (h->is_stored_bfloat16)
    return interleaved(_mm512_inserti64x4(_mm512_castsi256_si512(load_stored(first, e, a)),
                                          load_stored(second, e, b), 1));
  return pairs(load_floats(first, e, a), load_floats(second, e, b));
}

// y[j] = row j of `count` keys from `first` on, pairs along the row.
static void pack_keys(uint32_t *y, const ck_attention_t *h, const void *x, size_t first,
                      size_t count) {
  for (size_t j = 0; j < count; j++, y += depth(h)) {
    const void *row = number(h, x, (ptrdiff_t)key_token(h, first + j) * h->stride);
    for (size_t e = 0; e < h->head_dim; e += 32)
      _mm512_mask_storeu_epi32(y + e / 2, first_lanes(depth(h) - e / 2),
                               load_columns(h, row, e, h->head_dim));
  }
}

// Packs tokens as a right factor that is summed over them; rows from `count` on are zero.
static void pack_down(const packed_down *y, const ck_attention_t *h, const int32_t *index,
                      const void *x, size_t first, size_t count, size_t padded) {
  for (size_t at = 0, panel = 0; at < y->vectors; panel++) {
    const size_t width = panel_vectors(y->vectors, panel);
    uint32_t *out = y->units + (y->total * at + y->first * width) * LANES;
    for (size_t j = 0; j < padded; j += 2) {
      const size_t a = index && j < count ? (size_t)index[first + j] : first + j;
      const size_t b = index && j + 1 < count ? (size_t)index[first + j + 1] : first + j + 1;
      const void *low = number(h, x, (ptrdiff_t)a * h->stride);
      const void *high = number(h, x, (ptrdiff_t)b * h->stride);
      for (size_t v = at; v < at + width; v++, out += LANES)
        _mm512_storeu_si512(out, load_pairs(h, low, j < count ? h->head_dim : 0, high,
                                            j + 1 < count ? h->head_dim : 0, v * LANES));
    }
    at += width;
  }
}

// Packs columns from `column` on, as rows of a left factor that lie side by side, MAX_ROWS of them.
static void pack_tail(uint32_t *y, const ck_attention_t *h, const int32_t *index, const void *x,
                      size_t column, size_t first, size_t count) {
  for (size_t j = 0; j < count; j += 2, y += MAX_ROWS) {
    const size_t next = j + 1 < count ? j + 1 : j;
    const size_t a = index ? (size_t)index[first + j] : first + j;
    const size_t b = index ? (size_t)index[first + next] : first + next;
    const __m512i both = load_pairs(h, number(h, x, (ptrdiff_t)a * h->stride), h->head_dim,
                                    number(h, x, (ptrdiff_t)b * h->stride),
                                    j + 1 < count ? h->head_dim : 0, column);
    _mm256_storeu_si256((__m256i *)y, _mm512_castsi512_si256(both));
  }
}

// Packs `count` rows of x as columns, one per lane; lanes from `count` on are zero.
static void pack_across(uint32_t *y, const ck_attention_t *h, const void *x, size_t count,
                        size_t lanes) {
  const size_t units = depth(h);
  for (size_t i = 0; i < lanes; i += 16)
    for (size_t u = 0; u < units; u += 16) {
      __m512i r[16];
#pragma unroll
      for (size_t l = 0; l < 16; l++) {
        const void *row = number(h, x, (ptrdiff_t)(i + l) * h->stride);
        r[l] = load_columns(h, row, 2 * u, i + l < count ? h->head_dim : 0);
      }
      transpose16(r);
#pragma unroll
      for (size_t l = 0; l < 16; l++)
        if (u + l < units) _mm512_storeu_si512(y + (u + l) * lanes + i, r[l]);
    }
}

// y[0...n) = x, n at most LANES.
CK_BODY void put_numbers(const ck_attention_t *h, void *y, vec x, size_t n) {
  if (h->is_stored_bfloat16)
    _mm256_mask_storeu_epi16(y, first_lanes(n), (__m256i)_mm512_cvtneps_pbh((__m512)x));
  else
    _mm512_mask_storeu_ps(y, first_lanes(n), (__m512)x);
}

// The sum over e of a[e] b[e].
CK_BODY float row_dot(const ck_attention_t *h, const void *a, const void *b) {
  __m512 sum = _mm512_setzero_ps();
  for (size_t e = 0; e < h->head_dim; e += 32) {
    if (h->is_stored_bfloat16) {
      const __m512i x = load_columns(h, a, e, h->head_dim), y = load_columns(h, b, e, h->head_dim);
      sum = _mm512_dpbf16_ps(sum, (__m512bh)x, (__m512bh)y);
      continue;
    }
    for (size_t part = e; part < e + 32; part += 16)
      sum = _mm512_fmadd_ps(load_floats(a, part, h->head_dim), load_floats(b, part, h->head_dim),
                            sum);
  }
  return _mm512_reduce_add_ps(sum);
}

// Stores vector `v` of a row of a left factor.
CK_BODY void put_row(uint32_t *row, size_t v, vec a) {
  _mm256_storeu_si256((__m256i *)(row + v * LANES / 2), (__m256i)_mm512_cvtneps_pbh((__m512)a));
}

// Stores rows j (even) and j + 1 of a right factor of `lanes` columns, or a left one read down.
CK_BODY void put_down(uint32_t *y, size_t j, size_t lanes, vec a, vec b) {
  _mm512_storeu_si512(y + j / 2 * lanes, pairs((__m512)a, (__m512)b));
}
