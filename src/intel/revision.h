/* revision.h - by what verdicts are made: this program, its tables, the rules, and the indicators that packages are searched for.
 * A verdict that was made by something else is made again. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct qn_intel;

struct qn_revision {
        uint64_t tables;     /* program and tables */
        uint64_t rules;      /* qn_rules_revision() */
        uint64_t indicators; /* the table of all that are listed */
        uint64_t generation; /* of the index */
};

#define QN_REVISION_TEXT 40

/* Reads what the analyse roles work by. */
QN_MUST int qn_revision_tables(const char *data_dir, uint64_t *ret, struct qn_err *reterr);
/* What an index says: its indicators and generation. */
QN_MUST int qn_revision_index(struct qn_intel *x, struct qn_revision *r);
/* As text, for the store; relies: the verdict relies on the state of intelligence, too. */
struct qn_str qn_revision_text(const struct qn_revision *r, bool relies,
                               char text[QN_REVISION_TEXT]);
