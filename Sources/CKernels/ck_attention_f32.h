#pragma once
// Packing of float32 factors for any vector width; see ck_attention_layout.h.

CK_BODY vec multiply_add(vec acc, uint32_t x, uvec b) {
  float factor;
  memcpy(&factor, &x, 4);
  return acc + factor * (vec)b;
}

#include "ck_attention_tile.h"

// y[j] = row j of `count` keys from `first` on, units along the row.
static void pack_keys(uint32_t *y, const ck_attention_t *h, const void *x, size_t first,
                      size_t count) {
  for (size_t j = 0; j < count; j++)
    memcpy(y + j * h->head_dim, (const float *)x + (ptrdiff_t)key_token(h, first + j) * h->stride,
           h->head_dim * sizeof(float));
}

// Packs tokens as a right factor that is summed over them; rows from `count` to `padded` are zero.
static void pack_down(const packed_down *y, const ck_attention_t *h, const int32_t *index,
                      const void *x, size_t first, size_t count, size_t padded) {
  for (size_t at = 0, panel = 0; at < y->vectors; panel++) {
    const size_t width = panel_vectors(y->vectors, panel);
    const size_t left = h->head_dim - at * LANES, used = smaller(width * LANES, left);
    float *out = (float *)y->units + (y->total * at + y->first * width) * LANES;
    for (size_t j = 0; j < padded; j++, out += width * LANES) {
      const size_t filled = j < count ? used : 0;
      if (filled) {
        const size_t token = index ? (size_t)index[first + j] : first + j;
        memcpy(out, (const float *)x + (ptrdiff_t)token * h->stride + at * LANES,
               filled * sizeof(float));
      }
      memset(out + filled, 0, (width * LANES - filled) * sizeof(float));
    }
    at += width;
  }
}

// Packs columns from `column` on, as rows of a left factor that lie side by side, MAX_ROWS of them.
static void pack_tail(uint32_t *y, const ck_attention_t *h, const int32_t *index, const void *x,
                      size_t column, size_t first, size_t count) {
  const size_t filled = h->head_dim - column;
  for (size_t j = 0; j < count; j++, y += MAX_ROWS) {
    const size_t token = index ? (size_t)index[first + j] : first + j;
    memcpy(y, (const float *)x + (ptrdiff_t)token * h->stride + column, filled * sizeof(float));
    memset(y + filled, 0, (MAX_ROWS - filled) * sizeof(float));
  }
}

#ifndef HAS_OWN_PACK_ACROSS
// Packs `count` rows of x as columns, one per lane; lanes from `count` on are zero.
static void pack_across(uint32_t *y, const ck_attention_t *h, const void *x, size_t count,
                        size_t lanes) {
  float *out = (float *)y;
  for (size_t i = 0; i < lanes; i++) {
    const float *row = (const float *)x + (ptrdiff_t)i * h->stride;
    if (i < count)
      for (size_t e = 0; e < h->head_dim; e++) out[e * lanes + i] = row[e];
    else
      for (size_t e = 0; e < h->head_dim; e++) out[e * lanes + i] = 0;
  }
}
#endif

// Stores vector `v` of a row of a left factor.
CK_BODY void put_row(uint32_t *row, size_t v, vec a) { *(vec *)(row + v * LANES) = a; }

// Stores rows j (even) and j + 1 of a right factor of `lanes` columns, or a left one read down.
CK_BODY void put_down(uint32_t *y, size_t j, size_t lanes, vec a, vec b) {
  *(vec *)(y + j * lanes) = a;
  *(vec *)(y + (j + 1) * lanes) = b;
}

// y[0...n) = x, n at most LANES.
CK_BODY void put_numbers(const ck_attention_t *h, void *y, vec x, size_t n) {
  (void)h;
  if (n == LANES) *(vec *)y = x;
  else memcpy(y, &x, n * sizeof(float));
}

// The sum over e of a[e] b[e].
CK_BODY float row_dot(const ck_attention_t *h, const void *a, const void *b) {
#pragma clang fp reassociate(on)
  const float *x = a, *y = b;
  float sum = 0;
  for (size_t e = 0; e < h->head_dim; e++) sum += x[e] * y[e];
  return sum;
}
