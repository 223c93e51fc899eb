#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/list.h"

struct item {
    int n;
    struct list node;
};

static void assert_list(struct list *head, const char *want)
{
    char seen[16] = {0};
    size_t at = 0;
    LIST_EACH (head, it)
        seen[at++] = (char)('0' + CONTAINER_OF(it, struct item, node)->n);
    assert_string_equal(seen, want);
}

static void nodes_stay_in_the_order_of_their_coming(void **state)
{
    (void)state;
    struct list head;
    struct item items[3] = {{.n = 1}, {.n = 2}, {.n = 3}};
    list_init(&head);
    assert_true(list_empty(&head));
    assert_null(list_first(&head));
    for (size_t i = 0; i < 3; i++)
        list_push(&head, &items[i].node);
    assert_list(&head, "123");
    assert_ptr_equal(list_first(&head), &items[0].node);
    list_remove(&items[1].node);
    assert_list(&head, "13");
    list_push(&head, &items[1].node);
    assert_list(&head, "132");
}

static void a_node_in_no_list_can_be_removed(void **state)
{
    (void)state;
    struct item item = {.n = 1};
    assert_false(list_linked(&item.node));
    list_remove(&item.node);
    struct list head;
    list_init(&head);
    list_push(&head, &item.node);
    assert_true(list_linked(&item.node));
    list_remove(&item.node);
    list_remove(&item.node);
    assert_false(list_linked(&item.node));
    assert_true(list_empty(&head));
}

static void the_zeroed_head_is_empty(void **state)
{
    (void)state;
    struct list head = {.prev = NULL};
    assert_true(list_empty(&head));
    assert_null(list_first(&head));
}

static void all_nodes_can_be_removed_on_a_safe_walk(void **state)
{
    (void)state;
    struct list head;
    struct item items[3] = {{.n = 1}, {.n = 2}, {.n = 3}};
    list_init(&head);
    for (size_t i = 0; i < 3; i++)
        list_push(&head, &items[i].node);
    int removed = 0;
    LIST_EACH_SAFE (&head, it, tmp) {
        list_remove(it);
        removed++;
    }
    assert_int_equal(removed, 3);
    assert_true(list_empty(&head));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_stay_in_the_order_of_their_coming),
        cmocka_unit_test(a_node_in_no_list_can_be_removed),
        cmocka_unit_test(the_zeroed_head_is_empty),
        cmocka_unit_test(all_nodes_can_be_removed_on_a_safe_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
