#pragma once
/* Records of an export that come in again (docs/protocol.md, "Management API"): manage_import.c
 * reads them, import_judge.c judges them all, import_apply.c takes them in. */
#include "common/base/map.h"
#include "world/core/manage/manage.h"
#include "world/core/port.h"

/* One record that is to come in. */
struct item {
    unsigned kind; /* enum record_kind */
    struct span key;
    struct span name; /* kind and key: no two have the same; owned */
    char *value;      /* JSON text; owned */
    bool exists;
};

/* All of them. */
struct import {
    struct manage *m;
    struct item *items;
    size_t count;
    struct map by_name;
    bool replace; /* what is there already */
};

/* What became of them. */
struct import_counts {
    size_t applied[RECORD_COUNT];
    size_t skipped; /* bans that are over, nodes that are there */
};

/* The record of that kind and key; NULL: none comes in. */
const struct item *import_item(const struct import *im, unsigned kind, struct span key);
/* Appends the name under which a record is found. */
void import_add_name(struct buf *out, unsigned kind, struct span key);
/* True when all of them can be taken in. False: the request has been answered; nothing is changed.
 */
bool import_judge(struct import *im);
/* Takes all in; they were judged. Makes the world if need be. */
void import_apply(struct import *im, struct import_counts *out);
