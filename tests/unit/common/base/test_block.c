#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/block.h"

/* Bytes at the borders of every kind that is asked for. */
static const unsigned char odd[] = {0x00, 0x01, 0x1F, 0x20, 0x21, '"',  '\\', 0x5B,
                                    0x5D, 0x7E, 0x7F, 0x80, 0x81, 0xA2, 0xDC, 0xFF};

static void expect_masks(const unsigned char *bytes)
{
    struct block b = block_load((const char *)bytes);
    uint32_t high = 0, quote = 0, last = 0, control = 0;
    for (unsigned i = 0; i < BLOCK_LEN; i++) {
        high |= (uint32_t)(bytes[i] >= 0x80) << i;
        quote |= (uint32_t)(bytes[i] == '"') << i;
        last |= (uint32_t)(bytes[i] == 0xFF) << i;
        control |= (uint32_t)(bytes[i] < 0x20) << i;
    }
    assert_int_equal(block_high(b), high);
    assert_int_equal(block_equal(b, '"'), quote);
    assert_int_equal(block_equal(b, (char)0xFF), last);
    assert_int_equal(block_control(b), control);
}

static void masks_name_every_byte_of_a_kind_and_no_other(void **state)
{
    (void)state;
    unsigned char bytes[BLOCK_LEN];
    for (unsigned at = 0; at < BLOCK_LEN; at++) {
        for (unsigned c = 0; c <= 0xFF; c++) {
            for (unsigned i = 0; i < BLOCK_LEN; i++)
                bytes[i] = odd[(i * 7 + c) % sizeof odd]; /* neighbours of all kinds */
            bytes[at] = (unsigned char)c;
            expect_masks(bytes);
        }
    }
}

static void what_was_loaded_is_stored_as_it_was(void **state)
{
    (void)state;
    char out[BLOCK_LEN + 1] = {0};
    block_store(out + 1, block_load((const char *)odd));
    assert_memory_equal(out + 1, odd, BLOCK_LEN);
}

static void the_first_bit_is_the_first_byte(void **state)
{
    (void)state;
    assert_int_equal(block_first(block_equal(block_load((const char *)odd), '"')), 5);
    assert_int_equal(block_first(0x8000), 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_name_every_byte_of_a_kind_and_no_other),
        cmocka_unit_test(what_was_loaded_is_stored_as_it_was),
        cmocka_unit_test(the_first_bit_is_the_first_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
