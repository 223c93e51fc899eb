/* Commas, keys and brackets; escaping is json.c's. */
#include "common/base/json_out.h"

static void begin(struct json_out *o, const char *key)
{
    if (o->more)
        buf_add_char(o->out, ',');
    o->more = true;
    if (key == NULL)
        return;
    buf_add_char(o->out, '"');
    buf_add_span(o->out, span_str(key));
    BUF_ADD_LIT(o->out, "\":");
}

void json_out_open(struct json_out *o, const char *key, char bracket)
{
    begin(o, key);
    buf_add_char(o->out, bracket);
    o->more = false;
}

void json_out_close(struct json_out *o, char bracket)
{
    buf_add_char(o->out, bracket);
    o->more = true;
}

void json_out_text(struct json_out *o, const char *key, struct span text)
{
    begin(o, key);
    json_add_string(o->out, text);
}

void json_out_u64(struct json_out *o, const char *key, uint64_t n)
{
    begin(o, key);
    buf_add_u64(o->out, n);
}

void json_out_i64(struct json_out *o, const char *key, int64_t n)
{
    begin(o, key);
    buf_add_i64(o->out, n);
}

void json_out_bool(struct json_out *o, const char *key, bool b)
{
    json_out_raw(o, key, b ? SPAN("true") : SPAN("false"));
}

void json_out_null(struct json_out *o, const char *key)
{
    json_out_raw(o, key, SPAN("null"));
}

void json_out_raw(struct json_out *o, const char *key, struct span json)
{
    begin(o, key);
    buf_add_span(o->out, json);
}
