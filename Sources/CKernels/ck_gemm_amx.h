#pragma once
#include "ck_gemm.h"

#if defined(__x86_64__)
// The bfloat16 products of ck_gemm.h with AMX tiles.
void ck_gemm_amx(const ck_gemm_t *g, size_t first_row, size_t end_row, size_t panel,
                 size_t panel_end);
void ck_gemm_panels_amx(const ck_gemm_panels_t *g);
#endif
