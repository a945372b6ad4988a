#pragma once
#include <stddef.h>
#include <stdint.h>

// Neighbouring attention heads, each softmax(scale * q k^T) v. A token's numbers for one head are
// `head_dim` numbers, followed by those for the next; tokens are `stride` numbers apart in every
// tensor. Pointers are at the first head's first number of the first token. All tensors but log_sums
// hold bfloat16 numbers when `is_stored_bfloat16` is 1, which needs `is_bfloat16` and
// ck_attention_has_bf16(), and floats otherwise.
typedef struct {
  size_t heads;
  size_t queries;
  size_t keys;      // keys that any query may see
  size_t head_dim;
  ptrdiff_t stride;
  const void *q, *k, *v;
  const int32_t *key_index;  // NULL, or where these keys lie in k and v, ascending
  int is_causal;             // 1: query i sees only tokens up to i
  int is_bfloat16;           // 1: factors rounded to bfloat16, if ck_attention_has_bf16()
  int is_stored_bfloat16;
  float scale;  // positive
} ck_attention_t;

// What the backward pass reads and writes besides q, k and v; log_sums is [heads, queries].
typedef struct {
  const void *dy, *y;
  const float *log_sums;
  void *dq, *dk, *dv;
} ck_attention_gradients_t;

// 1 when there is an instruction for products of bfloat16 factors here.
int ck_attention_has_bf16(void);

// Queries are worked on in groups of this many, at most.
#define CK_ATTENTION_QUERIES 32

// Bytes of `scratch`, aligned to 64, on the calling thread's instruction set.
size_t ck_attention_forward_bytes(const ck_attention_t *heads);
size_t ck_attention_backward_bytes(const ck_attention_t *heads);

// y = attention of queries [query, query_end), and log_sums [heads, queries] = log2 of a query's
// sum of 2^(score * log2 e), infinite when it sees no key: its row of y is zero then.
// `query` is a multiple of CK_ATTENTION_QUERIES.
void ck_attention_forward(const ck_attention_t *heads, void *y, float *log_sums, size_t query,
                          size_t query_end, void *scratch);

// Overwrites dk and dv of keys [key, key_end), `key` being even, and dq of all queries with what
// comes from these keys.
void ck_attention_backward(const ck_attention_t *heads, const ck_attention_gradients_t *gradients,
                           size_t key, size_t key_end, void *scratch);
