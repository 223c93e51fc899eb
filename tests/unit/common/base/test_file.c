#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/file.h"

static char path[] = "/tmp/terrane-test-file-XXXXXX";

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    if (fd < 0)
        return -1;
    for (int i = 0; i < 10000; i++) {
        if (write(fd, "0123456789", 10) != 10)
            return -1;
    }
    return close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void a_file_is_appended_whole(void **state)
{
    (void)state;
    struct buf out = {.len = 0};
    BUF_ADD_LIT(&out, ">");
    assert_int_equal(file_read(path, 100000, &out), ERR_OK);
    assert_int_equal(out.len, 100001);
    assert_memory_equal(out.data, ">0123456789", 11);
    assert_memory_equal(out.data + out.len - 3, "789", 3);
    buf_clear(&out);
}

static void a_file_above_the_limit_is_refused(void **state)
{
    (void)state;
    struct buf out = {.len = 0};
    BUF_ADD_LIT(&out, ">");
    assert_int_equal(file_read(path, 99999, &out), ERR_LIMIT);
    assert_int_equal(out.len, 1);
    assert_int_equal(file_read("/dev/zero", 100, &out), ERR_LIMIT);
    assert_int_equal(out.len, 1);
    buf_clear(&out);
}

static void what_cannot_be_read_says_why(void **state)
{
    (void)state;
    struct buf out = {.len = 0};
    assert_int_equal(file_read("/nonexistent/file", 100, &out), ERR_IO);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(file_read("/", 100, &out), ERR_IO);
    assert_int_equal(errno, EISDIR);
    assert_int_equal(out.len, 0);
    buf_clear(&out);
}

static void an_empty_file_is_no_error(void **state)
{
    (void)state;
    struct buf out = {.len = 0};
    assert_int_equal(file_read("/dev/null", 0, &out), ERR_OK);
    assert_int_equal(out.len, 0);
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_appended_whole),
        cmocka_unit_test(a_file_above_the_limit_is_refused),
        cmocka_unit_test(what_cannot_be_read_says_why),
        cmocka_unit_test(an_empty_file_is_no_error),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
