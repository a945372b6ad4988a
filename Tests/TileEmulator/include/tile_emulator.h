#pragma once

// Lets the AMX kernels be tested on a CPU without AMX: with IMGEN_ISA=amx in the environment of a
// test run, every AMX instruction, which such a CPU refuses with a signal, is carried out by the
// signal's handler. Semantics: Intel 64 and IA-32 Architectures Software Developer's Manual, volume
// 2, LDTILECFG, TILELOADD, TILESTORED, TILEZERO, TILERELEASE and TDPBF16PS. The CPU must have
// AVX512-BF16, as every one with AMX has.

// 1 when this process emulates AMX.
int te_is_emulating(void);
