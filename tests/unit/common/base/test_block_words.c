/* The same of machines without SSE2. */
#undef __SSE2__
#include "tests/unit/common/base/test_block.c"
