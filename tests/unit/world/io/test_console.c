#include "world/io/console.h"

#include "rig.h"

/* The answer's status (0: the path is not the dashboard's), its head lines in `lines`. */
static int asked(const char *request, struct buf *lines, struct span *body)
{
    struct console_answer answer = {0};
    struct http_head head;
    struct buf text = {0};

    buf_addf(&text, "%s\r\nHost: h\r\n\r\n", request);
    assert_int_equal(http_head_parse_request(&head, text.data, text.len), ERR_OK);
    buf_reset(lines);
    if (!console_answer(&head, head.target, lines, &answer))
        answer.status = 0;
    *body = answer.body;
    buf_clear(&text);
    return answer.status;
}

static bool has(const struct buf *text, const char *part)
{
    return memmem(text->data, text->len, part, strlen(part)) != NULL;
}

static void files_are_found_by_their_paths_alone(void **state)
{
    static const struct {
        const char *request;
        int status;
        const char *type;
    } rows[] = {
        {"GET / HTTP/1.1", 200, "Content-Type: text/html; charset=utf-8\r\n"},
        {"HEAD / HTTP/1.1", 200, "Content-Type: text/html; charset=utf-8\r\n"},
        {"GET /console/main.js HTTP/1.1", 200, "Content-Type: text/javascript; charset=utf-8\r\n"},
        {"GET /console/style.css HTTP/1.1", 200, "Content-Type: text/css; charset=utf-8\r\n"},
        {"POST / HTTP/1.1", 0, NULL},
        {"GET /console HTTP/1.1", 0, NULL},
        {"GET /console/ HTTP/1.1", 0, NULL},
        {"GET /console/../main.js HTTP/1.1", 0, NULL},
        {"GET /console/main.js/ HTTP/1.1", 0, NULL},
        {"GET /main.js HTTP/1.1", 0, NULL},
        {"GET /livez HTTP/1.1", 0, NULL},
        {"GET /api/v1/worlds HTTP/1.1", 0, NULL},
    };
    struct buf lines = {0};
    struct span body;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int status = asked(rows[i].request, &lines, &body);
        if (status != rows[i].status || (status != 0 && !has(&lines, rows[i].type)))
            fail_msg("row %zu: %d", i, status);
        assert_int_equal(body.len > 0, status == 200);
    }
    buf_clear(&lines);
}

static void the_page_may_reach_nothing_but_its_world(void **state)
{
    struct buf lines = {0};
    struct span body;

    (void)state;
    (void)asked("GET / HTTP/1.1", &lines, &body);
    assert_true(has(&lines, "Content-Security-Policy: default-src 'none'; script-src 'self'; "));
    assert_true(has(&lines, "frame-ancestors 'none'\r\n"));
    assert_false(has(&lines, "unsafe"));
    assert_false(has(&lines, "Access-Control"));
    assert_true(has(&lines, "X-Content-Type-Options: nosniff\r\n"));
    assert_true(has(&lines, "Referrer-Policy: no-referrer\r\n"));
    buf_clear(&lines);
}

static void who_has_the_file_is_told_so(void **state)
{
    struct buf lines = {0}, request = {0}, answered = {0};
    struct span body, rest;

    (void)state;
    (void)asked("GET / HTTP/1.1", &lines, &body);
    rest = buf_span(&lines);
    while (rest.len > 0 && !span_starts(rest, SPAN("ETag: ")))
        rest = span_slice(rest, 1, rest.len);
    assert_true(rest.len > 0);
    rest = span_slice(rest, 6, span_index(rest, '\r'));
    for (int same = 0; same <= 1; same++) {
        buf_reset(&request);
        BUF_ADD_LIT(&request, "GET / HTTP/1.1\r\nIf-None-Match: \"x\", W/");
        buf_add_span(&request, same ? rest : SPAN("\"y\""));
        buf_add_char(&request, '\0');
        assert_int_equal(asked(request.data, &answered, &body), same ? 304 : 200);
    }
    buf_clear(&answered);
    buf_clear(&request);
    buf_clear(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_found_by_their_paths_alone),
        cmocka_unit_test(the_page_may_reach_nothing_but_its_world),
        cmocka_unit_test(who_has_the_file_is_told_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
