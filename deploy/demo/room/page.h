#pragma once
/* The demo page (deploy/demo/page/index.html), embedded by the build. */
#include "common/base/span.h"

extern const struct span demo_page;
