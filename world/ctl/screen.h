#pragma once
/* The whole terminal, through ncurses: shows a canvas, hears keys. One at a time. */
#include "world/ctl/canvas.h"

/* False: stdin or stdout is no terminal, or TERM is none that can be drawn on; *why says it. */
bool screen_open(bool colour, const char **why);
/* Gives the terminal back; does nothing when it is not open. */
void screen_close(void);
/* As it is now; 0, 0: not open. */
void screen_size(int *width, int *height);
void screen_show(const struct canvas *c);
/* The next key that was pressed: a code point, or one of enum top_key. False: none. */
bool screen_key(uint32_t *key);
/* Readable when the size has changed; screen_resized reads it, and the new size counts. */
int screen_resize_fd(void);
void screen_resized(void);
