#pragma once
#include <float.h>
#include <math.h>

#include "ck_attention_layout.h"
#include "ck_math.h"

// The forward pass for one instruction set; see ck_attention_layout.h.
//
// Scores are computed transposed, [keys, queries]: a query is a lane, so that its largest score and
// its sum need no work across lanes, and the probabilities are written in place as the left factor
// of the product with v. They are scaled where they become exponents, so that queries go in as they
// are.
//
// That product is a row per query. When few of a token's numbers are left for the last vector, they
// are computed transposed instead, so that the lanes are queries and none is idle: the tail.

typedef struct {
  uint32_t *keys;     // [heads][keys][UNITS(d)]
  uint32_t *values;   // [heads] packed down
  uint32_t *queries;  // packed across
  float *scores;      // [KEY_BLOCK][QUERY_PANEL], then probabilities
  float *sums;        // [QUERY_PANEL][vectors * LANES]
  uint32_t *tails;    // [heads][UNITS(keys)][MAX_ROWS]
  float *tail_sums;   // [MAX_ROWS][QUERY_PANEL]
  vec top[2], total[2];
} forward_state;

// 1 when the last vector's columns are the tail.
CK_BODY int has_tail(const ck_attention_t *h) {
  const size_t left = h->head_dim % LANES;
  return 2 * MAX_ROWS < QUERY_PANEL && left > 0 && left <= MAX_ROWS;
}

// Vectors of the sums without the tail.
CK_BODY size_t main_vectors(const ck_attention_t *h) { return vectors_of(h) - (size_t)has_tail(h); }

static size_t forward_layout(const ck_attention_t *h, void *base, forward_state *s) {
  const size_t d = depth(h), width = main_vectors(h) * LANES;
  size_t used = 0;
  s->keys = take(base, &used, h->heads * h->keys * d);
  s->values = take(base, &used, h->heads * UNITS(h->keys) * width);
  s->queries = take(base, &used, d * QUERY_PANEL);
  s->scores = take(base, &used, (KEY_BLOCK + 2) * QUERY_PANEL);
  s->sums = take(base, &used, QUERY_PANEL * width);
  s->tails = take(base, &used, h->heads * UNITS(h->keys) * MAX_ROWS);
  s->tail_sums = take(base, &used, MAX_ROWS * QUERY_PANEL);
  return used;
}

static size_t forward_bytes(const ck_attention_t *h) {
  forward_state s;
  return forward_layout(h, NULL, &s);
}

// All bits set in the lanes whose query, the first being `query`, is at or behind `token`.
CK_BODY ivec sees(size_t query, size_t token) {
  const int32_t distance = (int32_t)((ptrdiff_t)token - (ptrdiff_t)query);
  return lane_numbers() >= distance;
}

// Scores of keys behind a query become minus infinity.
static void hide_later_keys(const ck_attention_t *h, float *scores, size_t query, size_t lanes,
                            size_t key, size_t count) {
  const ivec hidden = (ivec)(vec_set(-INFINITY));
  for (size_t j = 0; j < count; j++)
    for (size_t v = 0; v < lanes; v += LANES) {
      const ivec seen = sees(query + v, key_token(h, key + j));
      ivec *s = (ivec *)(scores + j * lanes + v);
      *s = (*s & seen) | (hidden & ~seen);
    }
}

// Scores times this are exponents of 2.
CK_BODY float log2_scale(const ck_attention_t *h) { return h->scale * 1.44269504f; }

// Turns one vector of queries' scores into 2^(scale · score - top). `top` only moves when an exponent
// is more than 6 above it; then the sums so far shrink by `factor`, and the result is 1.
CK_BODY int soften(float *scores, size_t count, size_t lanes, float scale, vec *top, vec *total,
                   vec *factor) {
  vec best = *(const vec *)scores;
  vec other = best;
  size_t j = 1;
  for (; j + 1 < count; j += 2) {
    best = vec_max(best, *(const vec *)(scores + j * lanes));
    other = vec_max(other, *(const vec *)(scores + (j + 1) * lanes));
  }
  if (j < count) best = vec_max(best, *(const vec *)(scores + j * lanes));
  best = vec_max(best, other) * scale;
  const ivec rises = best > *top + 6.0f;
  const int is_rising = vec_any(rises);
  if (is_rising) {
    const vec old = *top;
    *top = (vec)(((ivec)best & rises) | ((ivec)old & ~rises));
    *factor = vec_exp2(old - *top);
    *total *= *factor;
  }
  const vec shift = *top;
  vec sum = *total, sum2 = vec_set(0.0f);
  for (j = 0; j + 1 < count; j += 2) {
    const vec a = vec_exp2(*(const vec *)(scores + j * lanes) * scale - shift);
    const vec b = vec_exp2(*(const vec *)(scores + (j + 1) * lanes) * scale - shift);
    put_down((uint32_t *)scores, j, lanes, a, b);
    sum += a;
    sum2 += b;
  }
  if (j < count) {
    const vec a = vec_exp2(*(const vec *)(scores + j * lanes) * scale - shift);
    put_down((uint32_t *)scores, j, lanes, a, vec_set(0.0f));
    sum += a;
  }
  *total = sum + sum2;
  return is_rising;
}

// Multiplies every query's sums by its lane of `factors`.
static void shrink(const ck_attention_t *h, const forward_state *s, size_t count,
                   const vec factors[2]) {
  const size_t width = main_vectors(h) * LANES, lanes = lanes_of(count);
  for (size_t i = 0; i < count; i++) {
    const float factor = ((const float *)factors)[i];
    if (factor == 1.0f) continue;
    for (size_t e = 0; e < width; e += LANES) *(vec *)(s->sums + i * width + e) *= factor;
  }
  for (size_t i = 0; has_tail(h) && i < MAX_ROWS; i++)
    for (size_t v = 0; v < lanes / LANES; v++)
      *(vec *)(s->tail_sums + i * lanes + v * LANES) *= factors[v];
}

// A panel of queries of one head.
typedef struct {
  size_t head, query, count;
} query_panel;

// Adds the probabilities times v of a block of keys to the sums, or begins with them.
static void add_values(const ck_attention_t *h, forward_state *s, const query_panel *at,
                       size_t key, size_t keys) {
  const size_t lanes = lanes_of(at->count), vectors = main_vectors(h), total = UNITS(h->keys);
  const ptrdiff_t width = (ptrdiff_t)(vectors * LANES);
  const uint32_t *probabilities = (const uint32_t *)s->scores;
  const int adds = key > 0;
  const product sums = {
      .a = probabilities, .a_stride = (ptrdiff_t)lanes,
      .b = s->values + at->head * total * (size_t)width, .b_total = total, .b_first = key / UNIT,
      .steps = UNITS(keys), .start = adds ? s->sums : zero_row, .start_stride = adds ? width : 0,
      .c = s->sums, .c_stride = width};
  multiply(&sums, at->count, vectors, 1);
  if (!has_tail(h)) return;
  const product tail = {
      .a = s->tails + (at->head * total + key / UNIT) * MAX_ROWS, .a_stride = MAX_ROWS,
      .b = probabilities, .b_total = UNITS(keys), .steps = UNITS(keys),
      .start = adds ? s->tail_sums : zero_row, .start_stride = adds ? (ptrdiff_t)lanes : 0,
      .c = s->tail_sums, .c_stride = (ptrdiff_t)lanes};
  multiply(&tail, MAX_ROWS, lanes / LANES, 1);
}

// One block of keys: scores, probabilities, and their product with v.
static void forward_block(const ck_attention_t *h, forward_state *s, const query_panel *at,
                          size_t key, size_t keys) {
  const size_t lanes = lanes_of(at->count), d = depth(h);
  const product scores = {
      .a = s->keys + (at->head * h->keys + key) * d, .a_stride = (ptrdiff_t)d, .b = s->queries,
      .b_total = d, .steps = d, .start = zero_row, .c = s->scores, .c_stride = (ptrdiff_t)lanes};
  multiply(&scores, keys, lanes / LANES, 0);
  if (h->is_causal && key_token(h, key + keys - 1) > at->query)
    hide_later_keys(h, s->scores, at->query, lanes, key, keys);
  vec factors[2] = {vec_set(1.0f), vec_set(1.0f)};
  int is_rising = 0;
  for (size_t v = 0; v < lanes / LANES; v++)
    is_rising |= soften(s->scores + v * LANES, keys, lanes, log2_scale(h), &s->top[v],
                        &s->total[v], &factors[v]);
  if (key > 0 && is_rising) shrink(h, s, at->count, factors);
  add_values(h, s, at, key, keys);
}

// Divides the sums, and writes the rows and the logarithms.
static void finish_queries(const ck_attention_t *h, const forward_state *s, size_t count, void *y,
                           float *log_sums) {
  const size_t width = main_vectors(h) * LANES, lanes = lanes_of(count);
  const float *total = (const float *)s->total, *top = (const float *)s->top;
  float inverse[QUERY_PANEL];
  for (size_t i = 0; i < count; i++) {
    const float log = top[i] + ck_log(total[i]) * 1.44269504f;
    inverse[i] = total[i] == 0.0f ? 0.0f : 1.0f / total[i];
    log_sums[i] = total[i] == 0.0f ? INFINITY : log;
  }
  for (size_t i = 0; i < count; i++) {
    const float *row = s->sums + i * width, *tail = s->tail_sums + i;
    const float factor = inverse[i];
    for (size_t e = 0; e < h->head_dim; e += LANES) {
      const size_t n = smaller(LANES, h->head_dim - e);
      vec x = vec_set(0.0f);
      if (e < width) x = *(const vec *)(row + e);
      else
        for (size_t l = 0; l < n; l++) ((float *)&x)[l] = tail[l * lanes];
      put_numbers(h, number(h, y, (ptrdiff_t)i * h->stride + (ptrdiff_t)e),
                  factor == 0.0f ? vec_set(0.0f) : x * factor, n);
    }
  }
}

// Brings keys and values of all heads into the forms that the products read, in the order in which
// they lie in memory.
static void pack_keys_and_values(const ck_attention_t *h, const forward_state *s, size_t keys) {
  const size_t d = depth(h), total = UNITS(h->keys), width = main_vectors(h) * LANES;
  for (size_t key = 0; key < keys; key += TOKEN_GROUP) {
    const size_t count = smaller(TOKEN_GROUP, keys - key);
    for (size_t head = 0; head < h->heads; head++)
      pack_keys(s->keys + (head * h->keys + key) * d, h,
                number(h, h->k, (ptrdiff_t)(head * h->head_dim)), key, count);
    for (size_t head = 0; head < h->heads; head++) {
      const void *v = number(h, h->v, (ptrdiff_t)(head * h->head_dim));
      const packed_down values = {s->values + head * total * width, total, UNITS(key),
                                  main_vectors(h)};
      pack_down(&values, h, h->key_index, v, key, count, rounded_up(count, UNIT));
      if (has_tail(h))
        pack_tail(s->tails + (head * total + UNITS(key)) * MAX_ROWS, h, h->key_index, v, width,
                  key, count);
    }
  }
}

// Asks for the tokens of a panel, so that they are near when it is their turn.
CK_BODY void prefetch_tokens(const ck_attention_t *h, const void *x, size_t first, size_t end) {
  for (size_t i = first; i < smaller(end, first + QUERY_PANEL); i++)
    for (size_t e = 0; e < h->head_dim; e += 16)
      __builtin_prefetch(number(h, x, (ptrdiff_t)i * h->stride + (ptrdiff_t)e), 0, 3);
}

static void forward_panel(const ck_attention_t *h, forward_state *s, const query_panel *at,
                          void *y, float *log_sums) {
  const ptrdiff_t offset =
      (ptrdiff_t)at->query * h->stride + (ptrdiff_t)(at->head * h->head_dim);
  const size_t seen = seen_keys(h, at->query + at->count - 1);
  const size_t blocks = part_count(seen, KEY_BLOCK);
  const size_t length = blocks ? rounded_up(part_count(seen, blocks), 2) : 0;
  pack_across(s->queries, h, number(h, h->q, offset), at->count, lanes_of(at->count));
  s->top[0] = s->top[1] = vec_set(-FLT_MAX);
  s->total[0] = s->total[1] = vec_set(0.0f);
  for (size_t key = 0; key < seen; key += length)
    forward_block(h, s, at, key, smaller(length, seen - key));
  finish_queries(h, s, at->count, number(h, y, offset),
                 log_sums + at->head * h->queries + at->query);
}

static void forward(const ck_attention_t *h, void *y, float *log_sums, size_t query,
                    size_t query_end, void *scratch) {
  forward_state s;
  forward_layout(h, scratch, &s);
  pack_keys_and_values(h, &s, seen_keys(h, query_end - 1));
  query_panel at = {0, query, 0};
  for (; at.query < query_end; at.query += QUERY_PANEL) {
    at.count = smaller(QUERY_PANEL, query_end - at.query);
    for (at.head = 0; at.head < h->heads; at.head++) {
      const ptrdiff_t column = (ptrdiff_t)(at.head * h->head_dim);
      prefetch_tokens(h, number(h, h->q, column), at.query + QUERY_PANEL, query_end);
      prefetch_tokens(h, number(h, y, column), at.query, query_end);
      forward_panel(h, &s, &at, y, log_sums);
    }
  }
}
