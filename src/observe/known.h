/* known.h - whether a text or a file is listed by somebody: a small table of hashes of all indicators that intelligence has, made by
 * the index and handed to whoever looks at packages.  A hit says "ask": the table knows no names, and the one who asked decides. */
#pragma once

#include "base/buf.h"
#include "base/cur.h"
#include "parse/indicator.h"

struct qn_event;

struct qn_known {
        const uint64_t *keys;
        size_t n;
        bool files; /* there are hashes of files */
};

/* Makes the table of keys, which it sorts. */
void qn_known_write(uint64_t *keys, size_t n, bool files, struct qn_buf *out);
/* The bytes must outlive the table.  Empty bytes: an empty table.  0 or -EBADMSG. */
QN_MUST int qn_known_open(struct qn_cur bytes, struct qn_known *ret);
uint64_t qn_known_key(enum qn_indicator_kind kind, struct qn_str value);

/* An address, a host or a wallet that is listed: true and its event, with slices of the text. */
bool qn_known_text(const struct qn_known *k, struct qn_str text, struct qn_event *ret);
/* The same for the content of a file that is a program by its name; hex: room for what the event points to. */
bool qn_known_file(const struct qn_known *k, struct qn_str path, struct qn_cur content,
                   char hex[65], struct qn_event *ret);
