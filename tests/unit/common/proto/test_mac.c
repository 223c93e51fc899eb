#include "common/proto/mac.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/buf.h"

static void check_mac(struct span secret, struct span label, struct span text, const char *hex)
{
    uint8_t out[MAC_LEN];
    struct buf got = {0};
    struct mac *m = mac_begin(secret, label);
    mac_add(m, span_slice(text, 0, text.len / 2));
    mac_add(m, span_slice(text, text.len / 2, text.len));
    mac_end(m, out);
    for (size_t i = 0; i < sizeof out; i++)
        buf_addf(&got, "%02x", out[i]);
    assert_true(span_eq(buf_span(&got), span_str(hex)));
    buf_clear(&got);
}

/* RFC 4231, test cases 2 and 6. */
static void known_texts_have_known_macs(void **state)
{
    char key[131];
    (void)state;
    memset(key, 0xaa, sizeof key);
    check_mac(SPAN("Jefe"), SPAN(""), SPAN("what do ya want for nothing?"),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    check_mac(span_of(key, sizeof key), SPAN(""),
              SPAN("Test Using Larger Than Block-Size Key - Hash Key First"),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* The same by hand: HMAC(HMAC("secret", "label"), "text"). */
static void a_label_makes_a_key_of_its_own(void **state)
{
    uint8_t key[MAC_LEN], want[MAC_LEN], got[MAC_LEN];
    struct mac *m = mac_begin(SPAN("secret"), SPAN(""));
    (void)state;
    mac_add(m, SPAN("label"));
    mac_end(m, key);
    for (size_t i = 0; i < sizeof key; i++)
        assert_int_not_equal(key[i], 0); /* or it could not be given as a secret */
    m = mac_begin(span_of(key, sizeof key), SPAN(""));
    mac_add(m, SPAN("text"));
    mac_end(m, want);
    m = mac_begin(SPAN("secret"), SPAN("label"));
    mac_add(m, SPAN("text"));
    mac_end(m, got);
    assert_memory_equal(want, got, sizeof want);
}

static void more_secrets_than_are_kept_give_the_same_macs(void **state)
{
    uint8_t first[20][MAC_LEN], again[MAC_LEN];
    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 20; i++) {
            char secret[16];
            (void)snprintf(secret, sizeof secret, "secret-%u", i);
            struct mac *m = mac_begin(span_str(secret), i % 2 == 0 ? SPAN("label") : SPAN(""));
            mac_add(m, SPAN("text"));
            mac_end(m, round == 0 ? first[i] : again);
            if (round == 1)
                assert_memory_equal(first[i], again, sizeof again);
        }
    }
}

static void keys_that_were_forgotten_can_be_made_again(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        mac_forget();
        mac_forget();
        check_mac(SPAN("Jefe"), SPAN(""), SPAN("what do ya want for nothing?"),
                  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_texts_have_known_macs),
        cmocka_unit_test(a_label_makes_a_key_of_its_own),
        cmocka_unit_test(keys_that_were_forgotten_can_be_made_again),
        cmocka_unit_test(more_secrets_than_are_kept_give_the_same_macs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
