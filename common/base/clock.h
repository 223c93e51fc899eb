#pragma once
/* The two clocks. Only io and main read them; core is handed `now`. */
#include <stdint.h>

int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);
int64_t clock_wall_ms(void); /* Unix time */
