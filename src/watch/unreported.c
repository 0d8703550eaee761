#include "watch/unreported.h"

#include "watch/review.h"

#define MEMORY ((size_t)64 << 20)

struct filter {
        struct qn_db *db;
        const struct qn_watch_policy *policy;
        qn_unreported_fn *fn;
        void *ctx;
};

static int is_wanted(const struct filter *f, struct qn_str name, struct qn_str version)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(MEMORY);
        struct qn_review_effect e;
        struct qn_review_case c;
        struct qn_watch_case w;
        struct qn_seen v;
        int r = qn_versions_find(f->db, name, version, &a, &v);

        if (r == 0)
                r = qn_review_load(f->db, &v, &a, &c);
        if (r < 0)
                return r;
        qn_review_effective(&c, &e);
        w = qn_review_watch_case(&e, v.score);
        return f->policy ? qn_watch_policy_reports(f->policy, &w) : e.verdict == QN_MALICIOUS;
}

static int on_one(void *ctx, struct qn_str name, struct qn_str version)
{
        const struct filter *f = ctx;
        int r = is_wanted(f, name, version);

        return r > 0 ? f->fn(f->ctx, name, version) : r;
}

int qn_unreported(struct qn_db *db, const struct qn_watch_policy *policy, int64_t now,
                  qn_unreported_fn *fn, void *ctx)
{
        struct filter f = { db, policy, fn, ctx };

        return qn_reports_pending(db, now, on_one, &f);
}
