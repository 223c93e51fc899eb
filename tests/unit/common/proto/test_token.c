#include "common/proto/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "signed_token.h"
#include "token_keys.h"

#define NOW   1700000000
#define PLAIN "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define ANY   "{\"worlds\":[\"*\"]}"

static enum token_scope scope; /* of the last good token */

static struct token_keys *secrets(const char *list)
{
    struct token_keys *k = NULL;
    assert_int_equal(token_keys_new(&k, TOKEN_HS256, span_str(list)), ERR_OK);
    return k;
}

/* Opens it for one world. */
static enum err check(const struct token_keys *k, struct span text, struct span world,
                      int64_t now_s, enum token_scope *of)
{
    struct token token;
    enum err err = token_open(k, text, now_s, &token);
    if (err != ERR_OK)
        return err;
    *of = token.scope;
    err = token_covers(&token, world) ? ERR_OK : ERR_DENIED;
    token_close(&token);
    return err;
}

/* Judges a token signed with "secret" for world-a. */
static enum err judge(struct span header, struct span claims, int bits)
{
    struct token_keys *k = secrets("secret");
    struct buf token = make_token(header, claims, "secret", bits);
    enum err err = check(k, buf_span(&token), SPAN("world-a"), NOW, &scope);
    buf_clear(&token);
    token_keys_free(k);
    return err;
}

static const struct {
    const char *claims;
    enum err want;
} claims_rows[] = {
    {ANY, ERR_OK},
    {"{\"worlds\":[\"world-a\"]}", ERR_OK},
    {"{\"worlds\":[\"world-b\",\"world-a\"]}", ERR_OK},
    {"{\"worlds\":[5,null,\"world-a\"]}", ERR_OK},
    {"{\"worlds\":[\"world-b\"]}", ERR_DENIED},
    {"{\"worlds\":[\"a\"]}", ERR_DENIED},
    {"{\"worlds\":[\"world-*\"]}", ERR_DENIED},
    {"{\"worlds\":[\"world-a\\u0020\"]}", ERR_DENIED},
    {"{\"worlds\":[]}", ERR_DENIED},
    {"{\"worlds\":[[\"*\"]]}", ERR_DENIED},
    {"{\"worlds\":\"*\"}", ERR_DENIED},
    {"{\"worlds\":\"world-a\"}", ERR_DENIED},
    {"{\"worlds\":{\"0\":\"*\",\"length\":1}}", ERR_DENIED},
    {"{\"worlds\":true}", ERR_DENIED},
    {"{\"worlds\":null}", ERR_DENIED},
    {"{}", ERR_DENIED},
    {"{\"worlds\":[\"*\"],\"name\":\"Zo\xc3\xab \xf0\x9f\x98\x80\"}", ERR_OK},
    {"{\"worlds\":[\"*\"],\"exp\":1700000000}", ERR_OK},
    {"{\"worlds\":[\"*\"],\"exp\":1699999999}", ERR_EXPIRED},
    {"{\"worlds\":[\"*\"],\"exp\":1699999999.5}", ERR_EXPIRED},
    {"{\"worlds\":[\"*\"],\"exp\":1700000000.5}", ERR_OK},
    {"{\"worlds\":[\"*\"],\"exp\":1e300}", ERR_OK},
    {"{\"worlds\":[\"*\"],\"exp\":0}", ERR_EXPIRED},
    {"{\"worlds\":[\"*\"],\"exp\":-1}", ERR_EXPIRED},
    {"{\"worlds\":[\"*\"],\"exp\":null}", ERR_SYNTAX},
    {"{\"worlds\":[\"*\"],\"exp\":\"1800000000\"}", ERR_SYNTAX},
    {"{\"worlds\":[\"*\"],\"exp\":\"never\"}", ERR_SYNTAX},
    {"{\"worlds\":[\"*\"],\"exp\":[1800000000]}", ERR_SYNTAX},
    {"{\"worlds\":[\"*\"],\"exp\":1800000000,\"exp\":1}", ERR_SYNTAX},
    {"{\"worlds\":[\"*\"],\"a\":1,\"\\u0061\":2}", ERR_SYNTAX},
    {"{\"worlds\":[\"*\"],\"x\":\"\xff\"}", ERR_SYNTAX},
    {"{\"worlds\":[\"*\"],\"rooms\":[\"*\"]}", ERR_DENIED},
    {"{\"worlds\":[\"*\"],\"rooms\":null}", ERR_DENIED},
    {"{\"worlds\":[\"*\"],\"exp\":1e400}", ERR_SYNTAX},
    {"{\"worlds\":[\"*\"],\"nbf\":1700000030}", ERR_OK},
    {"{\"worlds\":[\"*\"],\"nbf\":1700000031}", ERR_EXPIRED},
    {"{\"worlds\":[\"*\"],\"nbf\":1700000030.5}", ERR_EXPIRED},
    {"{\"worlds\":[\"*\"],\"nbf\":\"1\"}", ERR_SYNTAX},
    {"{\"worlds\":[\"*\"],\"nbf\":null}", ERR_SYNTAX},
    {"{\"worlds\":[\"*\"],\"iat\":\"odd\"}", ERR_OK},
    {"{\"worlds\":[\"b\"],\"exp\":1}", ERR_EXPIRED},
    {"null", ERR_SYNTAX},
    {"5", ERR_SYNTAX},
    {"[]", ERR_SYNTAX},
    {"\"x\"", ERR_SYNTAX},
    {"[\"*\"]", ERR_SYNTAX},
    {"nope", ERR_SYNTAX},
    {"{\"worlds\":[\"*\"]", ERR_SYNTAX},
    {"{\"worlds\":[\"*\"]} x", ERR_SYNTAX},
};

static void claims_decide(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof claims_rows / sizeof claims_rows[0]; i++) {
        enum err got = judge(SPAN(PLAIN), span_str(claims_rows[i].claims), 256);
        if (got != claims_rows[i].want)
            fail_msg("%s: %s", claims_rows[i].claims, err_text(got));
    }
}

static const struct {
    const char *header;
    int bits;
    enum err want;
} header_rows[] = {
    {PLAIN, 256, ERR_OK},
    {"{\"alg\":\"HS256\"}", 256, ERR_OK},
    {"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"../x\"}", 256, ERR_OK},
    {"{ \"typ\" : \"JWT\" , \"alg\" : \"HS256\" }", 256, ERR_OK},
    {"{\"alg\":\"none\",\"alg\":\"HS256\"}", 256, ERR_SYNTAX},
    {PLAIN, 512, ERR_DENIED},
    {"{\"alg\":\"HS256\",\"alg\":\"none\"}", 256, ERR_SYNTAX},
    {"{\"alg\":\"HS256\",\"alg\":\"HS256\"}", 256, ERR_SYNTAX},
    {"{\"alg\":\"hs256\"}", 256, ERR_DENIED},
    {"{\"alg\":\"HS256 \"}", 256, ERR_DENIED},
    {"{\"alg\":\"HS256\\u0000\"}", 256, ERR_DENIED},
    {"{\"alg\":\"HS384\"}", 256, ERR_DENIED},
    {"{\"alg\":\"HS512\"}", 512, ERR_DENIED},
    {"{\"alg\":\"RS256\"}", 256, ERR_DENIED},
    {"{\"alg\":\"none\"}", 256, ERR_DENIED},
    {"{\"alg\":\"None\"}", 256, ERR_DENIED},
    {"{\"alg\":\"\"}", 256, ERR_DENIED},
    {"{\"alg\":5}", 256, ERR_DENIED},
    {"{\"typ\":\"JWT\"}", 256, ERR_DENIED},
    {"{\"alg\":\"HS256\",\"typ\":\"JOSE\"}", 256, ERR_DENIED},
    {"{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", 256, ERR_SYNTAX},
    {"{\"alg\":\"HS256\",\"crit\":null}", 256, ERR_SYNTAX},
    {"null", 256, ERR_SYNTAX},
    {"[]", 256, ERR_SYNTAX},
    {"nope", 256, ERR_SYNTAX},
};

static void the_header_names_our_algorithm_exactly(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof header_rows / sizeof header_rows[0]; i++) {
        enum err got = judge(span_str(header_rows[i].header), SPAN(ANY), header_rows[i].bits);
        if (got != header_rows[i].want)
            fail_msg("%s: %s", header_rows[i].header, err_text(got));
    }
    assert_int_equal(judge(span_of("{\"alg\":\"HS256\"}\0x", 17), SPAN(ANY), 256), ERR_SYNTAX);
}

static void every_change_of_the_text_is_refused(void **state)
{
    (void)state;
    struct token_keys *k = secrets("secret");
    struct buf token = make_token(SPAN(PLAIN), SPAN(ANY), "secret", 256);
    assert_int_equal(check(k, buf_span(&token), SPAN("world-a"), NOW, &scope), ERR_OK);
    for (size_t len = 0; len < token.len; len++)
        assert_int_not_equal(check(k, span_of(token.data, len), SPAN("world-a"), NOW, &scope), 0);
    static const char others[] = "AB_-+/=.! \n\0\xc3";
    for (size_t i = 0; i < token.len; i++) {
        char was = token.data[i];
        for (size_t o = 0; o < sizeof others - 1; o++) {
            token.data[i] = others[o];
            enum err err = check(k, buf_span(&token), SPAN("world-a"), NOW, &scope);
            if ((err == ERR_OK) != (others[o] == was))
                fail_msg("byte %zu as %02x", i, (unsigned char)others[o]);
        }
        token.data[i] = was;
    }
    buf_clear(&token);
    token_keys_free(k);
}

static void the_form_is_three_base64url_parts(void **state)
{
    (void)state;
    struct token_keys *k = secrets("secret");
    struct buf good = make_token(SPAN(PLAIN), SPAN(ANY), "secret", 256);
    static const char *const tails[] = {"=", ".", ".x", " ", "\n", "A"};
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        struct buf odd = {0};
        buf_add_span(&odd, buf_span(&good));
        buf_add_span(&odd, span_str(tails[i]));
        assert_int_not_equal(check(k, buf_span(&odd), SPAN("world-a"), NOW, &scope), ERR_OK);
        buf_clear(&odd);
    }
    static const char *const bad[] = {"", "abc", "a.b", "..", ".", "...", "!!.??.##", "a.b.c.d"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(check(k, span_str(bad[i]), SPAN("world-a"), NOW, &scope), ERR_SYNTAX);
    assert_int_equal(check(k, (struct span){0}, SPAN("world-a"), NOW, &scope), ERR_SYNTAX);
    buf_clear(&good);
    token_keys_free(k);
}

static void each_listed_secret_verifies(void **state)
{
    (void)state;
    struct token_keys *k = secrets("new, secret");
    static const struct {
        const char *key;
        enum err want;
    } rows[] = {{"new", ERR_OK},       {"secret", ERR_OK},          {" secret", ERR_DENIED},
                {"other", ERR_DENIED}, {"new, secret", ERR_DENIED}, {"", ERR_DENIED}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf token = make_token(SPAN(PLAIN), SPAN(ANY), rows[i].key, 256);
        assert_int_equal(check(k, buf_span(&token), SPAN("world-a"), NOW, &scope), rows[i].want);
        buf_clear(&token);
    }
    assert_int_equal(token_keys_shortest(k), 3);
    token_keys_free(k);
}

static void changed_keys_replace_the_old_ones_or_leave_them(void **state)
{
    (void)state;
    struct token_keys *k = secrets("old");
    struct buf old = make_token(SPAN(PLAIN), SPAN(ANY), "old", 256);
    struct buf new = make_token(SPAN(PLAIN), SPAN(ANY), "new", 256);
    assert_int_equal(token_keys_change(k, TOKEN_HS256, SPAN("new,,")), ERR_SYNTAX);
    assert_int_equal(token_keys_change(k, TOKEN_RS256, SPAN("new")), ERR_SYNTAX);
    assert_int_equal(check(k, buf_span(&old), SPAN("world-a"), NOW, &scope), ERR_OK);
    assert_int_equal(check(k, buf_span(&new), SPAN("world-a"), NOW, &scope), ERR_DENIED);
    assert_int_equal(token_keys_change(k, TOKEN_HS256, SPAN("new")), ERR_OK);
    assert_int_equal(check(k, buf_span(&old), SPAN("world-a"), NOW, &scope), ERR_DENIED);
    assert_int_equal(check(k, buf_span(&new), SPAN("world-a"), NOW, &scope), ERR_OK);
    buf_clear(&old);
    buf_clear(&new);
    token_keys_free(k);
}

static void public_keys_verify_what_their_owners_signed(void **state)
{
    (void)state;
    static const struct {
        enum token_alg alg;
        const char *pem, *token;
        enum err want;
    } rows[] = {
        {TOKEN_RS256, rsa_pem, rs256_token, ERR_OK},
        {TOKEN_ES256, p256_pem, es256_token, ERR_OK},
        {TOKEN_RS256, rsa_pem, es256_token, ERR_DENIED},
        {TOKEN_ES256, p256_pem, rs256_token, ERR_DENIED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct token_keys *k = NULL;
        assert_int_equal(token_keys_new(&k, rows[i].alg, span_str(rows[i].pem)), ERR_OK);
        struct span token = span_str(rows[i].token);
        assert_int_equal(check(k, token, SPAN("world-a"), NOW, &scope), rows[i].want);
        if (rows[i].want == ERR_OK) {
            assert_int_equal(check(k, token, SPAN("world-b"), NOW, &scope), ERR_DENIED);
            assert_int_equal(check(k, token, SPAN("world-a"), NOW + 1, &scope), ERR_EXPIRED);
            char *forged = xspandup(token);
            char *signature = strrchr(forged, '.') + 1;
            *signature = *signature == 'A' ? 'B' : 'A';
            assert_int_equal(check(k, span_str(forged), SPAN("world-a"), NOW, &scope), ERR_DENIED);
            free(forged);
        }
        token_keys_free(k);
    }
}

static void the_scope_is_read_or_admin(void **state)
{
    (void)state;
    static const struct {
        const char *claims;
        enum err want;
        enum token_scope scope;
    } rows[] = {
        {"{\"worlds\":[\"*\"]}", ERR_OK, TOKEN_ADMIN},
        {"{\"worlds\":[\"*\"],\"scope\":\"admin\"}", ERR_OK, TOKEN_ADMIN},
        {"{\"worlds\":[\"*\"],\"scope\":\"read\"}", ERR_OK, TOKEN_READ},
        {"{\"worlds\":[\"*\"],\"scope\":\"write\"}", ERR_DENIED, TOKEN_READ},
        {"{\"worlds\":[\"*\"],\"scope\":\"\"}", ERR_DENIED, TOKEN_READ},
        {"{\"worlds\":[\"*\"],\"scope\":null}", ERR_DENIED, TOKEN_READ},
        {"{\"worlds\":[\"*\"],\"scope\":[\"admin\"]}", ERR_DENIED, TOKEN_READ},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(judge(SPAN(PLAIN), span_str(rows[i].claims), 256), rows[i].want);
        if (rows[i].want == ERR_OK)
            assert_int_equal(scope, rows[i].scope);
    }
}

/* The classic confusion: the public key used as an HMAC secret. */
static void a_public_key_is_no_hmac_secret(void **state)
{
    (void)state;
    struct token_keys *k = NULL;
    assert_int_equal(token_keys_new(&k, TOKEN_RS256, span_str(rsa_pem)), ERR_OK);
    struct buf token = make_token(SPAN(PLAIN), SPAN(ANY), rsa_pem, 256);
    assert_int_equal(check(k, buf_span(&token), SPAN("world-a"), NOW, &scope), ERR_DENIED);
    buf_clear(&token);
    token = make_token(SPAN("{\"alg\":\"RS256\"}"), SPAN(ANY), rsa_pem, 256);
    assert_int_equal(check(k, buf_span(&token), SPAN("world-a"), NOW, &scope), ERR_DENIED);
    buf_clear(&token);
    token_keys_free(k);
}

static void keys_of_the_wrong_kind_are_refused(void **state)
{
    (void)state;
    static const struct {
        enum token_alg alg;
        const char *keys;
    } rows[] = {{TOKEN_HS256, ""},          {TOKEN_HS256, "a,,b"},     {TOKEN_HS256, "a, "},
                {TOKEN_RS256, ""},          {TOKEN_RS256, "secret"},   {TOKEN_RS256, p256_pem},
                {TOKEN_RS256, ed25519_pem}, {TOKEN_ES256, rsa_pem},    {TOKEN_ES256, p384_pem},
                {TOKEN_ES256, ""},          {TOKEN_ES256, ed25519_pem}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct token_keys *k = NULL;
        assert_int_equal(token_keys_new(&k, rows[i].alg, span_str(rows[i].keys)), ERR_SYNTAX);
        assert_null(k);
    }
}

static void the_strength_of_keys_is_known(void **state)
{
    (void)state;
    static const struct {
        enum token_alg alg;
        const char *keys;
        size_t bytes;
    } rows[] = {{TOKEN_HS256, "abcdef,abcd,abcde", 4},
                {TOKEN_RS256, rsa_pem, 256},
                {TOKEN_ES256, p256_pem, 32}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct token_keys *k = NULL;
        assert_int_equal(token_keys_new(&k, rows[i].alg, span_str(rows[i].keys)), ERR_OK);
        assert_int_equal(token_keys_shortest(k), rows[i].bytes);
        token_keys_free(k);
    }
}

/* Opens a client's token with these claims. */
static struct token read_client(const char *claims)
{
    struct token_keys *k = secrets("secret");
    struct buf text = make_token(SPAN(PLAIN), span_str(claims), "secret", 256);
    struct token token;
    assert_int_equal(token_read(k, buf_span(&text), NOW, &token), ERR_OK);
    buf_clear(&text);
    token_keys_free(k);
    return token;
}

static void a_claim_that_is_there_narrows_down(void **state)
{
    static const struct {
        const char *claims;
        bool admits; /* the room lobby */
    } rows[] = {
        {"{}", true},
        {"{\"rooms\":[\"*\"]}", true},
        {"{\"rooms\":[\"x\",\"lobby\"]}", true},
        {"{\"rooms\":[\"x\"]}", false},
        {"{\"rooms\":[]}", false},
        {"{\"rooms\":null}", false},
        {"{\"rooms\":\"*\"}", false},
        {"{\"rooms\":\"lobby\"}", false},
        {"{\"rooms\":[\"lob*\"]}", false},
        {"{\"rooms\":[\"Lobby\"]}", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct token token = read_client(rows[i].claims);
        if (token_admits(&token, "rooms", SPAN("lobby")) != rows[i].admits)
            fail_msg("%s", rows[i].claims);
        token_close(&token);
    }
}

static void a_clients_token_may_have_any_scope(void **state)
{
    (void)state;
    struct span subject;
    struct token token = read_client("{\"scope\":\"openid\",\"sub\":\"zo\xc3\xab\"}");
    assert_true(token_subject(&token, &subject));
    assert_true(span_eq(subject, SPAN("zo\xc3\xab")));
    token_close(&token);
    token = read_client("{\"sub\":5}");
    assert_false(token_subject(&token, &subject));
    token_close(&token);
}

static void claims_are_handed_on_as_they_are_written(void **state)
{
    (void)state;
    struct buf claims = {0};
    struct buf text = make_token(
        SPAN(PLAIN), SPAN("{ \"a\" : 0.10 ,\n \"zo\xc3\xab\":[ true,\"b c\"] }"), "secret", 256);
    token_add_claims(&claims, buf_span(&text));
    assert_true(span_eq(buf_span(&claims), SPAN("{\"a\":0.10,\"zo\\u00eb\":[true,\"b c\"]}")));
    buf_clear(&claims);
    buf_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_decide),
        cmocka_unit_test(the_header_names_our_algorithm_exactly),
        cmocka_unit_test(every_change_of_the_text_is_refused),
        cmocka_unit_test(the_form_is_three_base64url_parts),
        cmocka_unit_test(each_listed_secret_verifies),
        cmocka_unit_test(changed_keys_replace_the_old_ones_or_leave_them),
        cmocka_unit_test(public_keys_verify_what_their_owners_signed),
        cmocka_unit_test(the_scope_is_read_or_admin),
        cmocka_unit_test(a_public_key_is_no_hmac_secret),
        cmocka_unit_test(keys_of_the_wrong_kind_are_refused),
        cmocka_unit_test(the_strength_of_keys_is_known),
        cmocka_unit_test(a_claim_that_is_there_narrows_down),
        cmocka_unit_test(a_clients_token_may_have_any_scope),
        cmocka_unit_test(claims_are_handed_on_as_they_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
