#pragma once
/* Intrusive doubly linked list; the head is a node itself. A node that is all zero is in no list.
 */
#include <stdbool.h>
#include <stddef.h>

#include "common/base/mem.h"

struct list {
    struct list *prev, *next;
};

static inline void list_init(struct list *head)
{
    head->prev = head->next = head;
}

static inline bool list_empty(const struct list *head)
{
    return head->next == NULL || head->next == head;
}

static inline bool list_linked(const struct list *node)
{
    return node->next != NULL;
}

static inline void list_push(struct list *head, struct list *node) /* at the end */
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

/* Takes the node out of its list; does nothing when it is in none. */
static inline void list_remove(struct list *node)
{
    if (node->next == NULL)
        return;
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->prev = node->next = NULL;
}

/* The first node, or NULL. */
static inline struct list *list_first(const struct list *head)
{
    /* The analyzer does not see that list_remove takes a node out of its head, too. */
    return list_empty(head) ? NULL : head->next; // NOLINT(clang-analyzer-unix.Malloc)
}

#define LIST_EACH(head, it) for (struct list *it = (head)->next; it != (head); it = it->next)
/* Allows `it` to be removed (and nothing else). */
#define LIST_EACH_SAFE(head, it, tmp)                                                              \
    for (struct list *it = (head)->next, *tmp = it->next; it != (head); it = tmp, tmp = it->next)
