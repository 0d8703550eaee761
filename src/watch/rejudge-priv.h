/* rejudge-priv.h - a range of versions, judged again: what the step and the processes share.  Private to rejudge*.c. */
#pragma once

#include "rule/judge.h"
#include "watch/rejudge.h"

struct qn_rejudger {
        const struct qn_rejudge_conf *conf;
        struct qn_arena one;     /* of one version */
        struct qn_arena on_file; /* of one range */
        struct qn_rejudger_filed *filed;
        size_t n_filed, filed_cap, at;
        char by[2][QN_REVISION_TEXT]; /* alone, and with what is known */
        struct qn_rejudge_stats stats;
};

struct qn_rejudge_outcome {
        const struct qn_seen *was;
        const struct qn_verdict *verdict;
        bool relies; /* on what is known */
};

/* Called for what is not as it was. */
typedef int qn_rejudger_fn(void *ctx, const struct qn_rejudge_outcome *o);

void qn_rejudger_init(struct qn_rejudger *j, const struct qn_rejudge_conf *conf);
void qn_rejudger_done(struct qn_rejudger *j);
/* Ids in (after, to]. */
QN_MUST int qn_rejudger_range(struct qn_rejudger *j, struct qn_db *db, int64_t after, int64_t to,
                              qn_rejudger_fn *fn, void *ctx);

/* One that is to be written. */
struct qn_rejudge_change {
        struct qn_seen_put was, is;
};

struct qn_rejudge_changes {
        struct qn_arena mem;
        struct qn_rejudge_change *v;
        size_t n, cap;
};

/* Adds a copy of what was; the rest is filled in by the caller, in the same arena. */
QN_MUST int qn_rejudge_changes_add(struct qn_rejudge_changes *c, const struct qn_seen *was,
                                   struct qn_rejudge_change **ret);
/* Writes all of them and tells of them in one transaction, and forgets them.  What was undone is not counted. */
QN_MUST int qn_rejudge_changes_write(struct qn_rejudge_changes *c, struct qn_db *db, bool dry,
                                     struct qn_rejudge_stats *stats, qn_rejudge_fn *fn, void *ctx);
