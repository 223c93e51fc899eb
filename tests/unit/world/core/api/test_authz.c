#include "world/core/api/authz.h"

#include "tests/unit/world/core/recorder.h"

struct row {
    const char *access; /* NULL: no header */
    size_t access_count;
    const char *authorization; /* NULL: no header */
    const char *query;
    enum err verdict;
};

static enum err judge(struct authz *a, const struct row *row, struct span world)
{
    struct credentials c = {
        .access_count = row->access == NULL ? 0 : (row->access_count == 0 ? 1 : row->access_count),
        .access = span_str(row->access),
        .authorization = span_str(row->authorization),
        .query = span_str(row->query),
    };

    enum token_scope scope;

    return authz_check(a, &c, world, 1760000000, &scope);
}

static void each_credential_has_its_rank(void **state)
{
    static const struct row rows[] = {
        {NULL, 0, NULL, NULL, ERR_DENIED},
        {SHARD_SECRET, 0, NULL, NULL, ERR_OK},
        {"wrong", 0, NULL, NULL, ERR_DENIED},
        {SHARD_SECRET "x", 0, NULL, NULL, ERR_DENIED},
        {SHARD_SECRET, 2, NULL, NULL, ERR_DENIED},
        {"wrong", 0, "Bearer " TOKEN_ALL, NULL, ERR_DENIED},
        {"", 0, "Bearer " TOKEN_ALL, NULL, ERR_OK},
        {"", 0, NULL, NULL, ERR_DENIED},
        {"", 2, "Bearer " TOKEN_ALL, NULL, ERR_DENIED},
        {NULL, 0, "Bearer " TOKEN_ALL, NULL, ERR_OK},
        {NULL, 0, "Bearer   " TOKEN_ALL "\t", NULL, ERR_OK},
        {NULL, 0, "bearer " TOKEN_ALL, NULL, ERR_DENIED},
        {NULL, 0, "Bearer\t" TOKEN_ALL, NULL, ERR_DENIED},
        {NULL, 0, "Basic " TOKEN_ALL, NULL, ERR_DENIED},
        {NULL, 0, TOKEN_ALL, NULL, ERR_OK},
        {NULL, 0, "Bearer " SHARD_SECRET, NULL, ERR_DENIED},
        {NULL, 0, NULL, "world-auth-token=" TOKEN_ALL, ERR_OK},
        {NULL, 0, NULL, "a=b&world%2Dauth-token=" TOKEN_ALL "&c", ERR_OK},
        {NULL, 0, NULL, "token=" TOKEN_ALL, ERR_DENIED},
        {NULL, 0, NULL, "World-Auth-Token=" TOKEN_ALL, ERR_DENIED},
        {NULL, 0, NULL, "x-access-shard=" SHARD_SECRET, ERR_DENIED},
        {NULL, 0, "", "world-auth-token=" TOKEN_ALL, ERR_DENIED},
        {NULL, 0, "Bearer ", "world-auth-token=" TOKEN_ALL, ERR_DENIED},
        {NULL, 0, "Bearer nope", "world-auth-token=" TOKEN_ALL, ERR_DENIED},
        {NULL, 0, "Bearer " TOKEN_ALL, "world-auth-token=nope", ERR_OK},
        {NULL, 0, TOKEN_A, NULL, ERR_OK},
        {NULL, 0, TOKEN_EXPIRED, NULL, ERR_EXPIRED},
        {NULL, 0, TOKEN_FORGED, NULL, ERR_DENIED},
        {NULL, 0, TOKEN_NO_WORLDS, NULL, ERR_DENIED},
    };
    struct recorder *r = recorder_new();

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum err verdict = judge(&r->core.authz, &rows[i], SPAN("world-a"));
        if (verdict != rows[i].verdict)
            fail_msg("row %zu: %s", i, err_text(verdict));
    }
    recorder_free(r);
}

static void a_token_opens_its_own_worlds_only(void **state)
{
    static const struct row own = {.authorization = TOKEN_A}, all = {.authorization = TOKEN_ALL};
    struct recorder *r = recorder_new();

    (void)state;
    assert_int_equal(judge(&r->core.authz, &own, SPAN("world-a")), ERR_OK);
    assert_int_equal(judge(&r->core.authz, &own, SPAN("world-b")), ERR_DENIED);
    assert_int_equal(judge(&r->core.authz, &all, SPAN("world-b")), ERR_OK);
    recorder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_credential_has_its_rank),
        cmocka_unit_test(a_token_opens_its_own_worlds_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
