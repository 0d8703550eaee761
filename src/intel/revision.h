/* revision.h - by what verdicts are made: this build of the program, its tables, the rules, whose word counts, and the indicators that packages are searched for.
 * A verdict that was made by something else is made again. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct qn_intel;

struct qn_revision {
        uint64_t tables;     /* program and tables */
        uint64_t rules;      /* qn_rules_revision() */
        uint64_t indicators; /* the table of all that are listed */
        uint64_t trust;      /* qn_revision_trust() */
        uint64_t state;      /* what the index says, as a number (qn_intel_stats) */
};

#define QN_REVISION_TEXT 40

/* Reads what the analyse roles work by, and this program: once, because they do, too. */
QN_MUST int qn_revision_tables(const char *data_dir, uint64_t *ret, struct qn_err *reterr);
/* Whose word counts, which is read anew with what they say; 0: it cannot be read. */
uint64_t qn_revision_trust(const char *data_dir);
/* What an index says: its indicators and its state. */
QN_MUST int qn_revision_index(struct qn_intel *x, struct qn_revision *r);
/* As text, for the store; relies: the verdict relies on the state of intelligence, too. */
struct qn_str qn_revision_text(const struct qn_revision *r, bool relies,
                               char text[QN_REVISION_TEXT]);
