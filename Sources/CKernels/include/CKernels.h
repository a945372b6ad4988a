#pragma once
#include "ck_binary.h"
#include "ck_copy.h"
#include "ck_dispatch.h"
#include "ck_elementwise.h"
#include "ck_random.h"
#include "ck_reduce.h"
#include "ck_unary.h"
