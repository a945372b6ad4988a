#define _GNU_SOURCE
#include "tile_emulator.h"

static int is_emulating = 0;

int te_is_emulating(void) { return is_emulating; }

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "CKernels.h"

enum { TILES = 8, ROWS = 16, ROW_BYTES = 64 };

// What LDTILECFG reads.
typedef struct {
  uint8_t palette, first_row, unused[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
} configuration;

// The tiles of a thread. Without a configuration every other instruction is invalid.
static _Thread_local configuration shape;
static _Thread_local uint8_t tiles[TILES][ROWS][ROW_BYTES];

// One instruction: VEX prefix, opcode, and its operands.
typedef struct {
  int opcode, prefix;  // prefix: 0 none, 1 66, 2 F3, 3 F2
  int mod, reg, rm, vvvv;
  uint8_t *address;  // where mod is not 3
  int64_t stride;    // of a SIB operand's index
  size_t length;
} instruction;

static int64_t general_register(const ucontext_t *context, int number) {
  static const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                REG_R12, REG_R13, REG_R14, REG_R15};
  return context->uc_mcontext.gregs[order[number]];
}

static int32_t signed_word(const uint8_t *bytes) {
  int32_t word;
  memcpy(&word, bytes, sizeof word);
  return word;
}

// Reads an instruction of the 0F 38 map with a three-byte VEX prefix and 128-bit length; 0 if it is
// none.
static int decode(const ucontext_t *context, instruction *in) {
  const uint8_t *start = (const uint8_t *)context->uc_mcontext.gregs[REG_RIP], *at = start;
  if (at[0] != 0xc4 || (at[1] & 0x1f) != 2 || (at[2] & 0x84) != 0) return 0;
  const int extends_index = !(at[1] & 0x40), extends_base = !(at[1] & 0x20);
  in->prefix = at[2] & 3;
  in->vvvv = ~at[2] >> 3 & 15;
  in->opcode = at[3];
  in->mod = at[4] >> 6;
  in->reg = at[4] >> 3 & 7;
  in->rm = at[4] & 7;
  in->stride = 0;
  at += 5;
  if (in->mod != 3) {
    int64_t address = 0;
    int base = in->rm;
    if (in->rm == 4) {
      const int sib = *at++, index = (sib >> 3 & 7) + 8 * extends_index;
      base = sib & 7;
      if (index != 4) in->stride = general_register(context, index) << (sib >> 6);
    }
    const int has_base = !(in->mod == 0 && base == 5);
    if (has_base) address = general_register(context, base + 8 * extends_base);
    if (in->mod == 1) address += (int8_t)*at++;
    if (in->mod == 2 || !has_base) {
      address += signed_word(at);
      at += 4;
    }
    if (!has_base && in->rm == 5) address += (int64_t)at;  // relative to the next instruction
    in->address = (uint8_t *)address;
  }
  in->length = (size_t)(at - start);
  return 1;
}

static int load_configuration(const uint8_t *from) {
  memcpy(&shape, from, sizeof shape);
  memset(tiles, 0, sizeof tiles);
  if (shape.palette == 0) memset(&shape, 0, sizeof shape);
  if (shape.palette > 1) return 0;
  for (int t = 0; t < TILES; t++)
    if (shape.rows[t] > ROWS || shape.row_bytes[t] > ROW_BYTES || shape.row_bytes[t] % 4) return 0;
  return 1;
}

// Moves the rows of a tile from or to memory; what is beyond its shape becomes zero on loading.
static void move_rows(const instruction *in, int is_load) {
  const int t = in->reg;
  if (is_load) memset(tiles[t], 0, sizeof tiles[t]);
  for (int row = 0; row < shape.rows[t]; row++) {
    uint8_t *memory = in->address + row * in->stride;
    if (is_load) memcpy(tiles[t][row], memory, shape.row_bytes[t]);
    else memcpy(memory, tiles[t][row], shape.row_bytes[t]);
  }
}

// Sums of even and of odd products are collected apart, fused, then added to the tile; numbers
// below the normal ones count as zero, before and after.
__attribute__((target("avx512f,fma"))) static int multiply(const instruction *in) {
  const int to = in->reg, left = in->rm, right = in->vvvv;
  if (to == left || to == right || left == right) return 0;
  if (shape.row_bytes[left] / 4 != shape.rows[right] || shape.rows[left] != shape.rows[to] ||
      shape.row_bytes[right] != shape.row_bytes[to])
    return 0;
  const unsigned before = _mm_getcsr();
  _mm_setcsr(before | 0x8040);  // flush to zero, denormals are zero
  for (int m = 0; m < shape.rows[to]; m++) {
    __m512 even = _mm512_setzero_ps(), odd = _mm512_setzero_ps();
    for (int k = 0; k < shape.row_bytes[left] / 4; k++) {
      const __m512i x = _mm512_set1_epi32(signed_word(&tiles[left][m][4 * k]));
      const __m512i y = _mm512_loadu_si512(tiles[right][k]);
      const __m512i high = _mm512_set1_epi32((int)0xffff0000);
      even = _mm512_fmadd_ps((__m512)_mm512_slli_epi32(x, 16), (__m512)_mm512_slli_epi32(y, 16),
                             even);
      odd = _mm512_fmadd_ps((__m512)_mm512_and_si512(x, high), (__m512)_mm512_and_si512(y, high),
                            odd);
    }
    const __m512 sum = _mm512_loadu_ps((const float *)tiles[to][m]);
    _mm512_storeu_ps((float *)tiles[to][m], _mm512_add_ps(sum, _mm512_add_ps(even, odd)));
  }
  _mm_setcsr(before);
  return 1;
}

static int is_configured(int tile) { return shape.palette == 1 && tile < TILES && shape.rows[tile]; }

// 0 when it is no AMX instruction, or one that a CPU with AMX would refuse too.
static int execute(const instruction *in) {
  if (in->opcode == 0x49 && in->prefix == 0 && in->mod != 3 && in->reg == 0)
    return load_configuration(in->address);
  if (in->opcode == 0x49 && in->prefix == 0 && in->mod == 3 && in->reg == 0 && in->rm == 0) {
    memset(&shape, 0, sizeof shape);
    return 1;
  }
  if (!is_configured(in->reg)) return 0;
  if (in->opcode == 0x49 && in->prefix == 3 && in->mod == 3 && in->rm == 0) {
    memset(tiles[in->reg], 0, sizeof tiles[in->reg]);
    return 1;
  }
  if (in->opcode == 0x4b && in->mod != 3 && in->rm == 4 && in->prefix != 0) {
    move_rows(in, in->prefix != 2);
    return 1;
  }
  if (in->opcode == 0x5c && in->prefix == 2 && in->mod == 3)
    return is_configured(in->rm) && is_configured(in->vvvv) && multiply(in);
  return 0;
}

static void on_invalid_instruction(int number, siginfo_t *information, void *raw) {
  (void)information;
  ucontext_t *context = raw;
  instruction in;
  if (decode(context, &in) && execute(&in)) {
    context->uc_mcontext.gregs[REG_RIP] += (int64_t)in.length;
    return;
  }
  signal(number, SIG_DFL);  // The instruction is tried again, and ends the process.
}

__attribute__((constructor)) static void begin(void) {
  enum { AMX_TILE = 1 << 24 };
  unsigned a, b, c, d;
  const char *wanted = getenv("IMGEN_ISA");
  if (!wanted || strcmp(wanted, "amx") != 0) return;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & AMX_TILE)) return;
  struct sigaction action = {.sa_sigaction = on_invalid_instruction, .sa_flags = SA_SIGINFO};
  if (sigaction(SIGILL, &action, NULL) != 0) return;
  ck_assume_amx();
  is_emulating = 1;
}
#endif
