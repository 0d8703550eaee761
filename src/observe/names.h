/* names.h - whether a package has one name twice, and with what content.  Only for analyse.c.
 * Names are compared bytewise, and without ASCII case as file systems of desktops do. */
#pragma once

#include "base/arena.h"
#include "base/cur.h"
#include "base/map.h"
#include "base/str.h"

struct qn_name;

struct qn_names {
        struct qn_arena arena;
        struct qn_map folded; /* lower-case name → first of the names alike */
        struct qn_name *list;
        size_t n, cap;
};

struct qn_name_content {
        uint64_t size;
        struct qn_cur data;    /* stays valid as long as the names; p NULL: the digest is used */
        const uint8_t *digest; /* sha256; NULL: unknown, and then never equal to another */
};

enum qn_name_clash {
        QN_NAME_NEW,
        QN_NAME_AGAIN,    /* was there, with the same content */
        QN_NAME_CONFLICT, /* was there, with other content */
        QN_NAME_CASE,     /* new, but equal to one with other content if case does not count */
};

void qn_names_init(struct qn_names *names);
/* A qn_name_clash, or -ENOBUFS past QN_NAMES_MAX or QN_NAMES_ALIKE_MAX. */
QN_MUST int qn_names_add(struct qn_names *names, struct qn_str path,
                         const struct qn_name_content *c);
void qn_names_reset(struct qn_names *names);
void qn_names_done(struct qn_names *names);
