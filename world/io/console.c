/* Which file a path means, and whether the client has it already (RFC 9110 section 13.1.2). */
#include "world/io/console.h"

#include "world/io/console_files.h"

/* The page may run and show what this process serves, and reach nothing else. */
#define POLICY                                                                                     \
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "                \
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

static const struct embedded_file *find(struct span path)
{
    struct span prefix = SPAN("/console/"), name;

    if (span_eq(path, SPAN("/")))
        name = SPAN("index.html");
    else if (span_starts(path, prefix))
        name = span_slice(path, prefix.len, path.len);
    else
        return NULL;
    for (const struct embedded_file *f = console_files; f->path != NULL; f++) {
        if (span_eq(name, span_str(f->path)))
            return f;
    }
    return NULL;
}

/* A weak tag fits, too: the bytes are asked for only to be shown. */
static bool has_tag(const struct http_head *head, struct span tag)
{
    struct span list = http_head_get(head, SPAN("if-none-match")), part;

    if (list.len == 0)
        return false;
    while (span_split(&list, ',', &part)) {
        part = span_trim(part);
        if (span_starts(part, SPAN("W/")))
            part = span_slice(part, 2, part.len);
        if (span_eq(part, tag) || span_eq(part, SPAN("*")))
            return true;
    }
    return false;
}

bool console_answer(const struct http_head *head, struct span path, struct buf *headers,
                    struct console_answer *answer)
{
    const struct embedded_file *file = find(path);

    if (file == NULL ||
        (!span_eq(head->method, SPAN("GET")) && !span_eq(head->method, SPAN("HEAD"))))
        return false;
    buf_addf(headers,
             "Content-Type: %s\r\nETag: %s\r\nCache-Control: no-cache\r\n"
             "Content-Security-Policy: " POLICY "\r\nX-Content-Type-Options: nosniff\r\n"
             "Referrer-Policy: no-referrer\r\nCross-Origin-Opener-Policy: same-origin\r\n",
             file->type, file->tag);
    *answer = (struct console_answer){.status = 200, .body = file->body};
    if (has_tag(head, span_str(file->tag)))
        *answer = (struct console_answer){.status = 304};
    return true;
}
