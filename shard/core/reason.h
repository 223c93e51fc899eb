#pragma once
/* What each reason means to the client: a close code and a text. */
#include "shard/core/node.h"

/* The close code; WS_CODE_NONE: without one. Only for reasons by which core closes. */
uint16_t reason_code(enum node_reason r);
/* Whoever is closed for it is expected back soon. */
bool reason_keeps_seat(enum node_reason r);
struct span reason_words(enum node_reason r);
