#pragma once
/* Answers of the server that go on (Server-Sent Events), until core, the client or the process
 * ends them. */
#include "world/io/server.h"

struct stream_port server_stream_port(struct server *s);
/* Streams end by themselves only when the process does. */
void streams_end(struct server *s);
