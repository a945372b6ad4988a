#pragma once
#include "ck_dispatch.h"
#include "ck_elementwise.h"
