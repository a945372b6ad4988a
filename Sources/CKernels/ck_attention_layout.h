#pragma once
#include <stdint.h>
#include <string.h>

#include "ck_attention.h"
#include "ck_variants.h"

// How attention's kernels read a head and lay out their scratch memory, for one instruction set.
// The file that includes this defines LANES (floats of a vector), MAX_ROWS and MAX_VECTORS (the
// register tile), UNIT (factors that one multiplication takes: 1 float, or a pair of bfloat16 along
// the summed axis; both have 32 bits); then, with the vectors and helpers here, the arithmetic and
// packing that ck_attention_backward.h needs.

typedef float vec __attribute__((vector_size(LANES * 4), aligned(4)));
typedef uint32_t uvec __attribute__((vector_size(LANES * 4), aligned(4)));
typedef int32_t ivec __attribute__((vector_size(LANES * 4), aligned(4)));

// Units that n numbers take.
#define UNITS(n) (((n) + UNIT - 1) / UNIT)

enum {
  KEY_BLOCK = 128,          // keys whose scores exist at a time
  QUERY_PANEL = 2 * LANES,  // queries that scores are worked on at a time, one per lane
  PANELS = 4,               // query panels that the backward pass sums over at a time
  QUERY_BLOCK = PANELS * QUERY_PANEL,
  TOKEN_GROUP = 32,         // tokens that are read for all heads before the next ones
};

// `count` things in as few parts of at most `limit` as possible, as equal as possible.
CK_BODY size_t part_count(size_t count, size_t limit) { return (count + limit - 1) / limit; }
CK_BODY size_t part_length(size_t count, size_t parts, size_t part) {
  return count / parts + (part < count % parts);
}

// Vectors of panel `panel` of a factor that is `vectors` wide.
CK_BODY size_t panel_vectors(size_t vectors, size_t panel) {
  return part_length(vectors, part_count(vectors, MAX_VECTORS), panel);
}

CK_BODY size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

CK_BODY size_t rounded_up(size_t n, size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

// Vectors across a token's numbers.
CK_BODY size_t vectors_of(const ck_attention_t *h) { return part_count(h->head_dim, LANES); }

// Lanes of the panel that holds `count` queries.
CK_BODY size_t lanes_of(size_t count) { return count > LANES ? QUERY_PANEL : LANES; }

// Units of a token's numbers, as products over them take them.
CK_BODY size_t depth(const ck_attention_t *h) {
  return (UNITS(h->head_dim) + DEPTH_MULTIPLE - 1) / DEPTH_MULTIPLE * DEPTH_MULTIPLE;
}

// Number `index` of a tensor.
CK_BODY void *number(const ck_attention_t *h, const void *x, ptrdiff_t index) {
  return (char *)x + index * (h->is_stored_bfloat16 ? 2 : 4);
}

// Where the key number j lies among the tokens.
CK_BODY size_t key_token(const ck_attention_t *h, size_t j) {
  return h->key_index ? (size_t)h->key_index[j] : j;
}

// Keys that some query up to `query` sees.
static size_t seen_keys(const ck_attention_t *h, size_t query) {
  if (!h->is_causal) return h->keys;
  if (!h->key_index) return smaller(h->keys, query + 1);
  size_t low = 0, high = h->keys;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (key_token(h, middle) <= query) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Takes memory for `units` of 32 bits; with `base` NULL it only counts.
CK_BODY void *take(void *base, size_t *used, size_t units) {
  void *result = base ? (char *)base + *used : NULL;
  *used += rounded_up(units * 4, 64);
  return result;
}

// A right factor that is summed over tokens, and the unit from which on it is filled.
typedef struct {
  uint32_t *units;
  size_t total, first, vectors;
} packed_down;

static const float zero_row[MAX_VECTORS * LANES];

// c = start + a · b. `a_stride` is the distance between a's rows when its units lie along a row,
// and between its steps when rows lie side by side ("down"). b is a row of panels, each as wide as
// a tile: [panel][b_total][width]; the product begins at step b_first.
typedef struct {
  const uint32_t *a;
  ptrdiff_t a_stride;
  const uint32_t *b;
  size_t b_total, b_first, steps;
  const float *start;  // a matrix like c, or one row for all when start_stride is 0
  ptrdiff_t start_stride;
  float *c;
  ptrdiff_t c_stride;
} product;
