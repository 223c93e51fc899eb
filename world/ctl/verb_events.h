#pragma once
/* What happens in a world, as it happens. */
#include "world/ctl/ctl.h"

extern const struct flag events_flags[], watch_flags[];
/* The management API's stream of events. */
enum ended verb_events(struct ctl *c);
/* The admin feed's WebSocket: the registry, then what changes. */
enum ended verb_watch(struct ctl *c);
