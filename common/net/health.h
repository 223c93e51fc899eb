#pragma once
/* The answer to --health: whether the process with these settings serves, for container runtimes
 * and scripts (docs/operations.md, "Is it ready?"). */
#include <stdio.h>

#include "common/net/process_settings.h"

/* Asks /readyz of INTERNAL_LISTEN, or of HOST and PORT, on this machine; of all addresses that is
 * 127.0.0.1. Under TLS whoever answers there is believed: nothing secret is said, and a certificate
 * that has expired is no reason to restart. Answers the status to exit with: 0, it is ready, and a
 * line on `out` says so; 1, it is not, or does not answer within 3 s; 2, with these settings it
 * cannot be asked (port 0; PROXY_PROTOCOL has the address). Then a line on `err` says why. */
MUST_CHECK int health_ask(const struct process_settings *s, const char *process, FILE *out,
                          FILE *err);
