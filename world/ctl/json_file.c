/* jansson's own messages have the line; json_decode is for what strangers send. */
#include "world/ctl/json_file.h"

#include <errno.h>
#include <stdio.h>

#include "common/base/file.h"

enum { FILE_MAX = 64 << 20, PIECE = 65536 };

static enum err read_stdin(struct buf *out)
{
    size_t n;

    do {
        n = fread(buf_reserve(out, PIECE), 1, PIECE, stdin);
        out->len += n;
    } while (n > 0 && out->len <= FILE_MAX);
    if (ferror(stdin) != 0)
        return ERR_IO;
    return out->len > FILE_MAX ? ERR_LIMIT : ERR_OK;
}

json_t *json_file_read(const char *path, struct buf *problem)
{
    bool from_stdin = strcmp(path, "-") == 0;
    struct buf text = {0};
    json_error_t error;
    json_t *doc = NULL;
    enum err e = from_stdin ? read_stdin(&text) : file_read(path, FILE_MAX, &text);

    if (e != ERR_OK) {
        buf_addf(problem, "%s: %s", path, e == ERR_LIMIT ? "longer than 64 MiB" : strerror(errno));
    } else {
        doc = json_loadb(text.data == NULL ? "" : text.data, text.len,
                         JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error);
        if (doc == NULL)
            buf_addf(problem, "%s:%d: %s", path, error.line, error.text);
    }
    buf_clear(&text);
    return doc;
}
