#pragma once
#include "ck_attention.h"
#include "ck_dispatch.h"
#include "ck_elementwise.h"
#include "ck_gemm.h"
