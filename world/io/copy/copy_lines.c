/* Lines of JSON as one end of a copy: first what it is, then a record a line. Values are texts, so
 * that they come back as they were; a key that is not UTF-8 is written in hex. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/json_out.h"
#include "common/base/version.h"
#include "common/proto/shard_id.h"
#include "world/core/record.h"
#include "world/io/copy/copy.h"

#define FORMAT "terrane-registry-1"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex(struct span text, struct buf *out)
{
    for (size_t i = 0; i + 1 < text.len; i += 2) {
        int high = hex_digit(text.ptr[i]), low = hex_digit(text.ptr[i + 1]);

        if (high < 0 || low < 0)
            return false;
        buf_add_char(out, (char)(high * 16 + low));
    }
    return text.len % 2 == 0;
}

/* ---- reading */

static bool read_kind(struct span name, enum record_kind *out)
{
    for (size_t kind = 0; kind < RECORD_COUNT; kind++) {
        if (span_eq(name, span_str(record_kind_names[kind]))) {
            *out = (enum record_kind)kind;
            return true;
        }
    }
    return false;
}

static bool is_json(struct span text)
{
    json_t *doc = json_decode(text);
    bool good = doc != NULL;

    json_decref(doc);
    return good;
}

/* NULL: it was added. Else what is wrong with it. */
static const char *add_record(struct batch *out, struct span only, const json_t *doc)
{
    struct record r;
    struct span kind, hex;
    struct buf key = {0};
    const char *wrong = NULL;

    if (!json_get_span(doc, "kind", &kind) || !read_kind(kind, &r.kind))
        wrong = "its kind is not known";
    else if (!json_get_span(doc, "world", &r.world) || !world_id_is_valid(r.world))
        wrong = "it has no world";
    else if (!json_get_span(doc, "value", &r.value) || !is_json(r.value))
        wrong = "it has no value";
    else if (json_get_span(doc, "key", &r.key))
        copy_add(out, only, &r);
    else if (json_get_span(doc, "keyHex", &hex) && read_hex(hex, &key)) {
        r.key = buf_span(&key);
        copy_add(out, only, &r);
    } else
        wrong = "it has no key";
    buf_clear(&key);
    return wrong;
}

static const char *read_line(struct batch *out, struct span only, struct span line, size_t number)
{
    json_t *doc = json_decode(line);
    struct span format;
    const char *wrong = NULL;

    if (doc == NULL)
        wrong = "it is not JSON";
    else if (number > 1)
        wrong = add_record(out, only, doc);
    else if (!json_get_span(doc, "format", &format))
        wrong = "it does not say that this is a registry";
    else if (!span_eq(format, SPAN(FORMAT)))
        wrong = "it comes from another version";
    json_decref(doc);
    return wrong;
}

static enum err read_stream(FILE *in, const struct copy_end *from, struct batch *out,
                            struct buf *why)
{
    char *line = NULL;
    size_t cap = 0, number = 0;
    ssize_t len;
    const char *wrong = NULL;

    while (wrong == NULL && (len = getline(&line, &cap, in)) >= 0)
        wrong = read_line(out, from->only, span_trim(span_of(line, (size_t)len)), ++number);
    free(line);
    if (wrong == NULL && number == 0)
        wrong = "it is empty: there is no line";
    if (wrong == NULL && !ferror(in))
        return ERR_OK;
    buf_addf(why, "line %zu: %s", number, wrong == NULL ? "it cannot be read" : wrong);
    return ERR_SYNTAX;
}

static enum err read_lines(const struct copy_end *from, struct batch *out, struct buf *why)
{
    char *path = xspandup(from->text);
    FILE *in = from->text.len == 0 ? stdin : fopen(path, "re");
    enum err e = ERR_IO;

    if (in == NULL)
        buf_addf(why, "%s cannot be read: %s", path, strerror(errno));
    else
        e = read_stream(in, from, out, why);
    if (in != NULL && in != stdin)
        (void)fclose(in);
    free(path);
    return e;
}

/* ---- writing */

static void add_head(struct buf *line)
{
    struct json_out o = {.out = line};

    json_out_open(&o, NULL, '{');
    json_out_text(&o, "format", SPAN(FORMAT));
    json_out_text(&o, "version", SPAN(TERRANE_VERSION));
    json_out_i64(&o, "when", clock_wall_ms());
    json_out_close(&o, '}');
    buf_add_char(line, '\n');
}

static void add_key(struct json_out *o, struct span key)
{
    struct buf hex = {0};

    if (span_is_utf8(key)) {
        json_out_text(o, "key", key);
        return;
    }
    for (size_t i = 0; i < key.len; i++)
        buf_addf(&hex, "%02x", (unsigned)(unsigned char)key.ptr[i]);
    json_out_text(o, "keyHex", buf_span(&hex));
    buf_clear(&hex);
}

static void add_entry(struct buf *line, const struct batch_entry *e)
{
    struct json_out o = {.out = line};

    json_out_open(&o, NULL, '{');
    json_out_text(&o, "kind", span_str(record_kind_names[e->kind]));
    json_out_text(&o, "world", e->world);
    add_key(&o, e->key);
    json_out_text(&o, "value", e->value);
    json_out_close(&o, '}');
    buf_add_char(line, '\n');
}

static bool write_stream(FILE *out, const struct batch *set)
{
    struct buf line = {0};
    bool good;

    add_head(&line);
    good = fwrite(line.data, 1, line.len, out) == line.len;
    LIST_EACH (&set->list, it) {
        buf_reset(&line);
        add_entry(&line, CONTAINER_OF(it, struct batch_entry, node));
        good = good && fwrite(line.data, 1, line.len, out) == line.len;
    }
    buf_clear(&line);
    return good && fflush(out) == 0 && (fsync(fileno(out)) == 0 || errno == EINVAL);
}

static enum err write_lines(const struct copy_end *to, const struct batch *set, struct buf *why)
{
    char *path = xspandup(to->text);
    FILE *out = to->text.len == 0 ? stdout : fopen(path, to->replace ? "we" : "wxe");
    enum err e = ERR_OK;

    if (out == NULL && errno == EEXIST) {
        buf_addf(why, "%s is there already; --replace replaces it", path);
        e = ERR_EXISTS;
    } else if (out == NULL || !write_stream(out, set)) {
        buf_addf(why, "%s cannot be written: %s", out == stdout ? "stdout" : path, strerror(errno));
        e = ERR_IO;
    }
    if (out != NULL && out != stdout && fclose(out) != 0 && e == ERR_OK) {
        buf_addf(why, "%s cannot be written: %s", path, strerror(errno));
        e = ERR_IO;
    }
    free(path);
    return e;
}

const struct copy_store copy_lines = {.read = read_lines, .write = write_lines};
