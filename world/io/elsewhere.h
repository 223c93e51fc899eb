#pragma once
/* What is said to whoever asks a process that does not decide for the world. */
#include "common/base/buf.h"
#include "world/core/api/api.h"

/* 421, to who must not be passed on again. */
#define ELSEWHERE_BODY SPAN("{\"error\":\"Another process decides for this world\"}")
/* Appends the lines of it: `owner` is an origin, empty: nobody knows; `epoch` 0: likewise. */
void elsewhere_add_headers(struct buf *out, struct span owner, int64_t epoch);

/* 503 */
#define NOBODY_HEADERS SPAN(API_HEADERS_TEXT "Retry-After: 1\r\n")
#define NOBODY_BODY    SPAN("{\"error\":\"No process decides for this world just now\"}")
