#pragma once
#include "ck_attention_forward.h"

// The backward pass for one instruction set; see ck_attention_layout.h.
//
// With P the probabilities: dv = Pᵀ·dy, dS = P ∘ (dy·vᵀ − rowsum(dy ∘ y)), dq = scale · dS·k,
// dk = scale · dSᵀ·q. Scores and dy·vᵀ are computed transposed, [keys, queries], so that the
// logarithms and row sums are one number per lane. The outer loop goes over blocks of keys, whose dk
// and dv stay in the cache; dq is collected over all of them. The innermost goes over the heads,
// because their tokens are neighbours in memory.

enum { KEY_GROUP = 2 * MAX_ROWS };  // keys whose scores are kept as floats

// Forms of QUERY_BLOCK queries that the products need.
typedef struct {
  uint32_t *q_across, *dy_across;  // [PANELS][UNITS(d)][QUERY_PANEL]
  uint32_t *q_down, *dy_down;      // packed down
  float *logs, *dots;              // [QUERY_BLOCK]
} query_forms;

typedef struct {
  uint32_t *keys, *values;  // [heads][KEY_BLOCK][UNITS(d)]
  uint32_t *keys_down;      // [heads] packed down
  float *dk, *dv;           // [heads][KEY_BLOCK][vectors * LANES]
  float *dq;                // [blocks of queries][heads][QUERY_BLOCK][vectors * LANES]
  uint32_t *forms;          // [blocks of queries][heads] query_forms
  int keeps_blocks;         // 0: one block of queries' dq and forms are enough
  size_t forms_units;
  float *scores, *dp;       // [KEY_GROUP][QUERY_PANEL]
  uint32_t *p, *ds;         // [KEY_BLOCK][UNITS(QUERY_BLOCK)]
  uint32_t *ds_down;        // [PANELS][UNITS(KEY_BLOCK)][QUERY_PANEL]
} backward_state;

static size_t forms_layout(const ck_attention_t *h, void *base, query_forms *f) {
  const size_t across = depth(h) * QUERY_BLOCK;
  const size_t down = vectors_of(h) * LANES * UNITS(QUERY_BLOCK);
  size_t used = 0;
  f->q_across = take(base, &used, across);
  f->dy_across = take(base, &used, across);
  f->q_down = take(base, &used, down);
  f->dy_down = take(base, &used, down);
  f->logs = take(base, &used, QUERY_BLOCK);
  f->dots = take(base, &used, QUERY_BLOCK);
  return used;
}

static size_t backward_layout(const ck_attention_t *h, void *base, backward_state *s) {
  const size_t d = depth(h), width = vectors_of(h) * LANES;
  size_t used = 0;
  s->keys = take(base, &used, h->heads * KEY_BLOCK * d);
  s->values = take(base, &used, h->heads * KEY_BLOCK * d);
  s->keys_down = take(base, &used, h->heads * UNITS(KEY_BLOCK) * width);
  s->dk = take(base, &used, h->heads * KEY_BLOCK * width);
  s->dv = take(base, &used, h->heads * KEY_BLOCK * width);
  s->keeps_blocks = h->keys > KEY_BLOCK;
  const size_t sets = h->heads * (s->keeps_blocks ? part_count(h->queries, QUERY_BLOCK) : 1);
  s->dq = take(base, &used, sets * QUERY_BLOCK * width);
  query_forms f;
  s->forms_units = forms_layout(h, NULL, &f) / 4;
  s->forms = take(base, &used, sets * s->forms_units);
  s->scores = take(base, &used, KEY_GROUP * QUERY_PANEL);
  s->dp = take(base, &used, KEY_GROUP * QUERY_PANEL);
  s->p = take(base, &used, (KEY_BLOCK + 1) * UNITS(QUERY_BLOCK));
  s->ds = take(base, &used, (KEY_BLOCK + 1) * UNITS(QUERY_BLOCK));
  s->ds_down = take(base, &used, PANELS * UNITS(KEY_BLOCK) * QUERY_PANEL);
  return used;
}

static size_t backward_bytes(const ck_attention_t *h) {
  backward_state s;
  return backward_layout(h, NULL, &s);
}

// A block of queries of one head against a block of keys.
typedef struct {
  size_t head, query, queries, key, keys;
  int is_first;  // the first block of keys
} block_place;

// Brings a block of queries into the forms that the products read. Lanes that hold no query get
// infinity as their logarithm, so that their probabilities are zero.
static void pack_queries(const ck_attention_t *h, const ck_attention_gradients_t *g,
                         const query_forms *f, const block_place *at) {
  const ptrdiff_t column = (ptrdiff_t)(at->head * h->head_dim);
  const ptrdiff_t start = (ptrdiff_t)at->query * h->stride + column;
  const size_t d = depth(h);
  size_t lanes = 0;
  for (size_t i = 0; i < at->queries; i += QUERY_PANEL) {
    const size_t filled = smaller(QUERY_PANEL, at->queries - i), here = lanes_of(filled);
    const ptrdiff_t from = start + (ptrdiff_t)i * h->stride;
    pack_across(f->q_across + i * d, h, number(h, h->q, from), filled, here);
    pack_across(f->dy_across + i * d, h, number(h, g->dy, from), filled, here);
    lanes += here;
  }
  const packed_down q = {f->q_down, UNITS(lanes), 0, vectors_of(h)};
  const packed_down dy = {f->dy_down, UNITS(lanes), 0, vectors_of(h)};
  pack_down(&q, h, NULL, number(h, h->q, column), at->query, at->queries, lanes);
  pack_down(&dy, h, NULL, number(h, g->dy, column), at->query, at->queries, lanes);
  for (size_t i = 0; i < at->queries; i++) {
    const ptrdiff_t token = start + (ptrdiff_t)i * h->stride;
    f->dots[i] = row_dot(h, number(h, g->dy, token), number(h, g->y, token));
  }
  memcpy(f->logs, g->log_sums + at->head * h->queries + at->query, at->queries * sizeof(float));
  for (size_t i = at->queries; i < lanes; i++) {
    f->logs[i] = INFINITY;
    f->dots[i] = 0;
  }
}

// Probabilities and their gradients of one vector of queries and keys [0, count), stored as left
// factors of both kinds.
typedef struct {
  const float *scores, *dp, *logs, *dots;
  uint32_t *p, *ds, *ds_down;
  size_t lanes, vector;
} softmax_step;

CK_BODY void differentiate(const ck_attention_t *h, const softmax_step *s, size_t count,
                           const int is_causal, size_t query, size_t key) {
  const vec log = *(const vec *)(s->logs + s->vector * LANES);
  const vec dot = *(const vec *)(s->dots + s->vector * LANES);
  const float scale = log2_scale(h);
  for (size_t j = 0; j < count; j += 2) {
    vec p[2], ds[2];
#pragma unroll
    for (size_t i = 0; i < 2; i++) {
      const size_t at = (j + i) * s->lanes + s->vector * LANES;
      p[i] = vec_exp2(*(const vec *)(s->scores + at) * scale - log);
      if (is_causal && j + i < count)
        p[i] = (vec)((ivec)p[i] & sees(query, key_token(h, key + j + i)));
      ds[i] = p[i] * (*(const vec *)(s->dp + at) - dot);
    }
    if (j + 1 == count) p[1] = ds[1] = vec_set(0.0f);
#pragma unroll
    for (size_t i = 0; i < 2; i++) {
      put_row(s->p + (j + i) * UNITS(QUERY_BLOCK), s->vector, p[i]);
      put_row(s->ds + (j + i) * UNITS(QUERY_BLOCK), s->vector, ds[i]);
    }
    put_down(s->ds_down + s->vector * LANES, j, s->lanes, ds[0], ds[1]);
  }
}

// A panel of queries within its block.
typedef struct {
  size_t offset, lanes;
} panel_place;

// P and dS of a panel, as left factors.
static void panel_gradients(const ck_attention_t *h, backward_state *s, const query_forms *f,
                            const block_place *at, const panel_place *panel) {
  const size_t d = depth(h), vectors = panel->lanes / LANES;
  uint32_t *down = s->ds_down + panel->offset * UNITS(KEY_BLOCK);
  for (size_t j = 0; j < at->keys; j += KEY_GROUP) {
    const size_t count = smaller(KEY_GROUP, at->keys - j);
    const size_t row = (at->head * KEY_BLOCK + j) * d;
    product scores = {
        .a = s->keys + row, .a_stride = (ptrdiff_t)d, .b = f->q_across + panel->offset * d,
        .b_total = d, .steps = d, .start = zero_row, .c = s->scores,
        .c_stride = (ptrdiff_t)panel->lanes};
    multiply(&scores, count, vectors, 0);
    scores.a = s->values + row;
    scores.b = f->dy_across + panel->offset * d;
    scores.c = s->dp;
    multiply(&scores, count, vectors, 0);
    const size_t first = j * UNITS(QUERY_BLOCK) + UNITS(panel->offset);
    for (size_t v = 0; v < vectors; v++) {
      const softmax_step step = {s->scores, s->dp, f->logs + panel->offset,
                                 f->dots + panel->offset, s->p + first, s->ds + first,
                                 down + UNITS(j) * panel->lanes, panel->lanes, v};
      const size_t query = at->query + panel->offset + v * LANES;
      if (h->is_causal && key_token(h, at->key + j + count - 1) > query)
        differentiate(h, &step, count, 1, query, at->key + j);
      else
        differentiate(h, &step, count, 0, query, at->key + j);
    }
  }
}

// Adds what a block of queries gives to dk and dv of a block of keys, and the reverse to dq.
static void block_gradients(const ck_attention_t *h, backward_state *s, const query_forms *f,
                            const block_place *at, float *dq) {
  const size_t vectors = vectors_of(h), block = at->head * KEY_BLOCK * vectors * LANES;
  const ptrdiff_t width = (ptrdiff_t)(vectors * LANES);
  panel_place panel = {0, 0};
  size_t lanes = 0;
  for (; panel.offset < at->queries; panel.offset += QUERY_PANEL) {
    panel.lanes = lanes_of(smaller(QUERY_PANEL, at->queries - panel.offset));
    lanes += panel.lanes;
    panel_gradients(h, s, f, at, &panel);
    float *rows = dq + (ptrdiff_t)panel.offset * width;
    const product queries = {
        .a = s->ds_down + panel.offset * UNITS(KEY_BLOCK), .a_stride = (ptrdiff_t)panel.lanes,
        .b = s->keys_down + at->head * UNITS(KEY_BLOCK) * vectors * LANES,
        .b_total = UNITS(at->keys), .steps = UNITS(at->keys),
        .start = at->is_first ? zero_row : rows, .start_stride = at->is_first ? 0 : width,
        .c = rows, .c_stride = width};
    multiply(&queries, panel.lanes, vectors, 1);
  }
  product sums = {.a = s->p, .a_stride = UNITS(QUERY_BLOCK), .b = f->dy_down,
                  .b_total = UNITS(lanes), .steps = UNITS(lanes), .start = s->dv + block,
                  .start_stride = width, .c = s->dv + block, .c_stride = width};
  multiply(&sums, at->keys, vectors, 0);
  sums.a = s->ds;
  sums.b = f->q_down;
  sums.start = s->dk + block;
  sums.c = s->dk + block;
  multiply(&sums, at->keys, vectors, 0);
}

// Writes `count` rows of x, times scale, to the tokens of y.
static void write_rows(const ck_attention_t *h, void *y, const float *x, size_t first,
                       size_t count, const int32_t *index, float scale) {
  const size_t width = vectors_of(h) * LANES;
  for (size_t i = 0; i < count; i++) {
    const ptrdiff_t row = (ptrdiff_t)(index ? (size_t)index[first + i] : first + i) * h->stride;
    for (size_t e = 0; e < h->head_dim; e += LANES)
      put_numbers(h, number(h, y, row + (ptrdiff_t)e), *(const vec *)(x + i * width + e) * scale,
                  smaller(LANES, h->head_dim - e));
  }
}

// Brings a block of keys of all heads into the forms that the products read.
static void start_keys(const ck_attention_t *h, const backward_state *s, const block_place *at) {
  const size_t d = depth(h), width = vectors_of(h) * LANES;
  for (size_t j = 0; j < at->keys; j += TOKEN_GROUP) {
    const size_t count = smaller(TOKEN_GROUP, at->keys - j);
    for (size_t head = 0; head < h->heads; head++) {
      const ptrdiff_t column = (ptrdiff_t)(head * h->head_dim);
      const void *k = number(h, h->k, column), *v = number(h, h->v, column);
      const size_t row = (head * KEY_BLOCK + j) * d;
      const packed_down down = {s->keys_down + head * UNITS(KEY_BLOCK) * width, UNITS(at->keys),
                                UNITS(j), vectors_of(h)};
      pack_keys(s->keys + row, h, k, at->key + j, count);
      pack_down(&down, h, h->key_index, k, at->key + j, count, rounded_up(count, UNIT));
      pack_keys(s->values + row, h, v, at->key + j, count);
    }
  }
  memset(s->dk, 0, h->heads * KEY_BLOCK * width * sizeof(float));
  memset(s->dv, 0, h->heads * KEY_BLOCK * width * sizeof(float));
}

// One block of keys against all queries; with the last one, dq is complete.
static void key_block(const ck_attention_t *h, const ck_attention_gradients_t *g,
                      backward_state *s, block_place at, int is_last) {
  const size_t width = vectors_of(h) * LANES;
  start_keys(h, s, &at);
  for (at.query = 0; at.query < h->queries; at.query += QUERY_BLOCK) {
    at.queries = smaller(QUERY_BLOCK, h->queries - at.query);
    const int is_seen = !h->is_causal || at.query + at.queries > key_token(h, at.key);
    for (at.head = 0; at.head < h->heads; at.head++) {
      const size_t block = s->keeps_blocks ? at.query / QUERY_BLOCK : 0;
      const size_t set = block * h->heads + at.head;
      float *dq = s->dq + set * QUERY_BLOCK * width;
      query_forms f;
      forms_layout(h, s->forms + set * s->forms_units, &f);
      if (is_seen && (at.is_first || !s->keeps_blocks)) pack_queries(h, g, &f, &at);
      if (is_seen) block_gradients(h, s, &f, &at, dq);
      else if (at.is_first) memset(dq, 0, QUERY_BLOCK * width * sizeof(float));
      if (is_last)
        write_rows(h, number(h, g->dq, (ptrdiff_t)(at.head * h->head_dim)), dq, at.query,
                   at.queries, NULL, h->scale);
    }
  }
  for (at.head = 0; at.head < h->heads; at.head++) {
    const ptrdiff_t column = (ptrdiff_t)(at.head * h->head_dim);
    const size_t block = at.head * KEY_BLOCK * width;
    write_rows(h, number(h, g->dk, column), s->dk + block, at.key, at.keys, h->key_index,
               h->scale);
    write_rows(h, number(h, g->dv, column), s->dv + block, at.key, at.keys, h->key_index, 1.0f);
  }
}

static void backward(const ck_attention_t *h, const ck_attention_gradients_t *g, size_t key,
                     size_t key_end, void *scratch) {
  backward_state s;
  backward_layout(h, scratch, &s);
  const size_t blocks = part_count(key_end - key, KEY_BLOCK);
  const size_t length = blocks ? rounded_up(part_count(key_end - key, blocks), 2) : 0;
  for (size_t at = key; at < key_end; at += length) {
    const size_t keys = smaller(length, key_end - at);
    key_block(h, g, &s, (block_place){.key = at, .keys = keys, .is_first = at == key},
              at + keys == key_end);
  }
  for (size_t i = 0; blocks == 0 && i < h->queries; i++)
    memset(number(h, g->dq, (ptrdiff_t)i * h->stride), 0,
           h->heads * h->head_dim * (h->is_stored_bfloat16 ? 2 : 4));
}
