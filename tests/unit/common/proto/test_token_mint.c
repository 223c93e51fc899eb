#include "common/proto/token_mint.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "common/proto/token.h"

static enum err opens(const char *secrets, const char *claims, struct span given)
{
    struct token_keys *keys = NULL;
    struct token token;
    struct buf text = {0};
    enum err e;

    assert_int_equal(token_mint(&text, span_str(secrets), span_str(claims)), ERR_OK);
    assert_int_equal(token_keys_new(&keys, TOKEN_HS256, given), ERR_OK);
    e = token_open(keys, buf_span(&text), 1000, &token);
    if (e == ERR_OK)
        token_close(&token);
    token_keys_free(keys);
    buf_clear(&text);
    return e;
}

static void what_we_make_opens_where_the_secret_is_known(void **state)
{
    (void)state;
    assert_int_equal(opens("s1", "{\"worlds\":[\"*\"],\"exp\":1060}", SPAN("s1")), ERR_OK);
    assert_int_equal(opens(" s1 , s2", "{}", SPAN("s2,s1")), ERR_OK);
    assert_int_equal(opens("s1", "{\"exp\":999}", SPAN("s1")), ERR_EXPIRED);
    assert_int_equal(opens("s1", "{}", SPAN("s2")), ERR_DENIED);
}

static void no_secret_makes_no_token(void **state)
{
    struct buf text = {0};

    (void)state;
    assert_int_equal(token_mint(&text, SPAN(""), SPAN("{}")), ERR_SYNTAX);
    assert_int_equal(token_mint(&text, SPAN(" ,a"), SPAN("{}")), ERR_SYNTAX);
    assert_int_equal(text.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_we_make_opens_where_the_secret_is_known),
        cmocka_unit_test(no_secret_makes_no_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
