/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Intrusive double list: the node is a member of the thing, so that adding never fails and
 * removing needs no search.
 *         typedef struct Job { ListNode by_age; … } Job;
 *         List jobs;  list_init(&jobs);  list_append(&jobs, &job->by_age);
 *         Job *j;  LIST_FOREACH(j, &jobs, by_age) { … }
 * A zeroed ListNode is in no list, and list_remove() accepts it. */

#include "lib/base/macro.h"

typedef struct ListNode ListNode;
typedef struct List List;

struct ListNode {
        ListNode *next;
        ListNode *previous;
};

struct List {
        ListNode head; /* head.next first, head.previous last; points to itself when empty */
};

static inline void list_init(List *l) {
        l->head.next = l->head.previous = &l->head;
}

static inline bool list_empty(const List *l) {
        return !l->head.next || l->head.next == &l->head;
}

static inline bool list_node_linked(const ListNode *n) {
        return n->next != NULL;
}

static inline void list_insert_before(ListNode *where, ListNode *n) {
        assert(!n->next);
        n->next = where;
        n->previous = where->previous;
        where->previous->next = n;
        where->previous = n;
}

static inline void list_append(List *l, ListNode *n) {
        if (!l->head.next)
                list_init(l);
        list_insert_before(&l->head, n);
}

static inline void list_prepend(List *l, ListNode *n) {
        if (!l->head.next)
                list_init(l);
        list_insert_before(l->head.next, n);
}

static inline void list_remove(ListNode *n) {
        if (!n->next)
                return;
        n->next->previous = n->previous;
        n->previous->next = n->next;
        n->next = n->previous = NULL;
}

#define list_entry(node, type, member) container_of(node, type, member)

/* First thing of the list or NULL: list_first(&jobs, Job, by_age) */
#define list_first(l, type, member) \
        (list_empty(l) ? NULL : list_entry((l)->head.next, type, member))
#define list_last(l, type, member) \
        (list_empty(l) ? NULL : list_entry((l)->head.previous, type, member))

#define LIST_FOREACH(item, l, member)                                               \
        for (ListNode *_node_##item = (l)->head.next;                               \
                _node_##item && _node_##item != &(l)->head &&                       \
                ((item) = list_entry(_node_##item, typeof(*(item)), member), true); \
                _node_##item = _node_##item->next)

/* The item itself may be removed or freed in the body (no other one). */
#define LIST_FOREACH_SAFE(item, l, member)                                         \
        for (ListNode *_node_##item = (l)->head.next, *_next_##item = NULL;        \
                _node_##item && _node_##item != &(l)->head &&                      \
                (_next_##item = _node_##item->next,                                \
                (item) = list_entry(_node_##item, typeof(*(item)), member), true); \
                _node_##item = _next_##item)
