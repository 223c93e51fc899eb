/* The only file that knows ncurses. A change of size comes as a signal, which becomes a byte in a
 * pipe: the loop waits for descriptors. */
#define NCURSES_WIDECHAR 1
#include "world/ctl/screen.h"

#include <fcntl.h>
#include <ncurses.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "world/ctl/top_view.h"

enum { ESCAPE_MS = 25 };

static struct {
    SCREEN *terminal; /* NULL: not open */
    int resized[2];   /* a pipe */
} screen;

static const struct {
    short foreground; /* -1: the terminal's */
    attr_t more;
} inks[] = {
    [INK_PLAIN] = {-1, A_NORMAL},        [INK_DIM] = {-1, A_DIM},
    [INK_STRONG] = {-1, A_BOLD},         [INK_GOOD] = {COLOR_GREEN, A_NORMAL},
    [INK_WARN] = {COLOR_YELLOW, A_BOLD}, [INK_BAD] = {COLOR_RED, A_BOLD},
    [INK_BAR] = {COLOR_CYAN, A_NORMAL},  [INK_PICKED] = {-1, A_REVERSE},
};
enum { INKS = sizeof inks / sizeof inks[0] };

static void on_resize(int number)
{
    char byte = 0;
    (void)number;
    if (write(screen.resized[1], &byte, 1) < 0)
        return; /* it is full: there is one already */
}

static void watch_size(void)
{
    struct sigaction action = {.sa_handler = on_resize, .sa_flags = SA_RESTART};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGWINCH, &action, NULL);
}

static void make_inks(bool colour)
{
    if (!colour || !has_colors())
        return;
    (void)start_color();
    (void)use_default_colors();
    for (int i = 0; i < INKS; i++)
        (void)init_pair((short)(i + 1), inks[i].foreground, -1);
}

bool screen_open(bool colour, const char **why)
{
    *why = "it needs a terminal";
    if (isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0)
        return false;
    if (pipe2(screen.resized, O_NONBLOCK | O_CLOEXEC) != 0)
        return false;
    *why = "TERM names no terminal that it can draw on";
    screen.terminal = newterm(NULL, stdout, stdin);
    if (screen.terminal == NULL) {
        (void)close(screen.resized[0]);
        (void)close(screen.resized[1]);
        return false;
    }
    (void)cbreak();
    (void)noecho();
    (void)nonl();
    (void)curs_set(0);
    (void)keypad(stdscr, true);
    (void)nodelay(stdscr, true);
    (void)set_escdelay(ESCAPE_MS);
    make_inks(colour);
    watch_size();
    return true;
}

void screen_close(void)
{
    if (screen.terminal == NULL)
        return;
    (void)signal(SIGWINCH, SIG_DFL);
    (void)endwin();
    delscreen(screen.terminal);
    screen.terminal = NULL;
    (void)close(screen.resized[0]);
    (void)close(screen.resized[1]);
}

void screen_size(int *width, int *height)
{
    *width = screen.terminal == NULL ? 0 : getmaxx(stdscr);
    *height = screen.terminal == NULL ? 0 : getmaxy(stdscr);
}

static void show_cell(int row, int column, const struct canvas_cell *cell)
{
    wchar_t text[CANVAS_MARKS + 2] = {(wchar_t)cell->c};
    cchar_t shown;
    for (int i = 0; i < CANVAS_MARKS; i++)
        text[i + 1] = (wchar_t)cell->marks[i];
    if (setcchar(&shown, text, inks[cell->ink].more, (short)(cell->ink + 1), NULL) == OK)
        (void)mvadd_wch(row, column, &shown);
}

void screen_show(const struct canvas *c)
{
    if (screen.terminal == NULL)
        return;
    (void)erase();
    for (int row = 0; row < c->height; row++) {
        for (int column = 0; column < c->width; column++) {
            const struct canvas_cell *cell = canvas_at(c, row, column);
            if (cell->c != 0)
                show_cell(row, column, cell);
        }
    }
    (void)refresh();
}

static uint32_t named_key(wint_t key)
{
    static const struct {
        wint_t from;
        uint32_t to;
    } keys[] = {
        {KEY_UP, TOP_KEY_UP},
        {KEY_DOWN, TOP_KEY_DOWN},
        {KEY_PPAGE, TOP_KEY_PAGE_UP},
        {KEY_NPAGE, TOP_KEY_PAGE_DOWN},
        {KEY_HOME, TOP_KEY_HOME},
        {KEY_END, TOP_KEY_END},
        {KEY_BTAB, TOP_KEY_BACK_TAB},
        {KEY_BACKSPACE, TOP_KEY_BACKSPACE},
        {KEY_ENTER, '\n'},
    };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (keys[i].from == key)
            return keys[i].to;
    return 0;
}

bool screen_key(uint32_t *key)
{
    wint_t code;
    int kind = screen.terminal == NULL ? ERR : get_wch(&code);
    if (kind == ERR)
        return false;
    *key = kind == KEY_CODE_YES ? named_key(code) : (uint32_t)code;
    return true;
}

int screen_resize_fd(void)
{
    return screen.resized[0];
}

void screen_resized(void)
{
    char bytes[64];
    struct winsize size;
    while (read(screen.resized[0], bytes, sizeof bytes) > 0)
        continue;
    if (screen.terminal != NULL && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        (void)resizeterm(size.ws_row, size.ws_col);
}
