#include "watch/review.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"

#define RULES_MAX ((size_t)1 << 20)

/* --- what counts --- */

bool qn_review_names(const struct qn_review *v, struct qn_str rule)
{
        for (struct qn_str rest = v->rules; rest.n;)
                if (qn_str_eq(qn_str_cut(&rest, ' '), rule) && rule.n)
                        return true;
        return false;
}

static enum qn_verdict_kind kind_of(struct qn_str name)
{
        enum qn_verdict_kind k;

        return qn_verdict_from_name(name, &k) < 0 ? QN_UNKNOWN : k;
}

/* The decisions that count: the last confirmation, or what was rejected since. */
struct standing {
        const struct qn_review *confirmed, *rejected; /* the last one, one of them at the most */
        size_t from; /* the first decision that may be a rejection which counts */
};

static bool is_about(const struct qn_review *d, const struct qn_review_case *c)
{
        return d->action != QN_REVIEW_NOTE && c->integrity.n &&
               qn_str_eq(d->integrity, c->integrity);
}

static struct standing find_standing(const struct qn_review_case *c)
{
        struct standing s = { 0 };

        for (size_t i = 0; i < c->n_decisions; i++) {
                const struct qn_review *d = &c->decisions[i];

                if (!is_about(d, c))
                        continue;
                s.confirmed = d->action == QN_REVIEW_CONFIRM ? d : NULL;
                s.rejected = d->action == QN_REVIEW_REJECT ? d : NULL;
                if (s.confirmed)
                        s.from = i + 1;
        }
        return s;
}

static bool is_rejected(const struct qn_review_case *c, size_t from, struct qn_str rule)
{
        for (size_t i = from; i < c->n_decisions; i++)
                if (is_about(&c->decisions[i], c) && qn_review_names(&c->decisions[i], rule))
                        return true;
        return false;
}

/* The worst verdict that was rejected. */
static enum qn_verdict_kind rejected_kind(const struct qn_review_case *c, size_t from)
{
        enum qn_verdict_kind worst = QN_CLEAN;

        for (size_t i = from; i < c->n_decisions; i++)
                if (is_about(&c->decisions[i], c))
                        worst = QN_MAX(worst, kind_of(c->decisions[i].verdict));
        return worst;
}

static bool weighs(const struct qn_seen_finding *f)
{
        return kind_of(f->verdict) >= QN_SUSPICIOUS;
}

static struct qn_review_effect confirmed(const struct qn_review_case *c, const struct standing *s)
{
        struct qn_review_effect e = { .verdict = kind_of(s->confirmed->verdict),
                                      .why = QN_REVIEW_CONFIRMED,
                                      .by = s->confirmed };

        if (e.verdict >= c->verdict)
                return e;
        /* It was confirmed to be less than it is judged to be: that is what a person saw, unless there is more now. */
        for (size_t i = 0; i < c->n_findings; i++)
                if (weighs(&c->findings[i]) &&
                    !qn_review_names(s->confirmed, c->findings[i].rule)) {
                        e.verdict = c->verdict;
                        e.why = QN_REVIEW_FRESH;
                        e.fresh = &c->findings[i];
                        break;
                }
        return e;
}

static struct qn_review_effect rejected(const struct qn_review_case *c, const struct standing *s)
{
        struct qn_review_effect e = { .verdict = c->verdict, .by = s->rejected };

        /* What could not be analysed is nothing that anybody found. */
        if (c->verdict < QN_SUSPICIOUS) {
                e.why = c->verdict == QN_CLEAN ? QN_REVIEW_REJECTED : QN_REVIEW_NOBODY;
                return e;
        }
        for (size_t i = 0; i < c->n_findings; i++)
                if (weighs(&c->findings[i]) && !is_rejected(c, s->from, c->findings[i].rule)) {
                        e.why = QN_REVIEW_FRESH;
                        e.fresh = &c->findings[i];
                        return e;
                }
        if (rejected_kind(c, s->from) < c->verdict) {
                e.why = QN_REVIEW_WORSE;
                return e;
        }
        e.verdict = QN_CLEAN;
        e.why = QN_REVIEW_REJECTED;
        return e;
}

void qn_review_effective(const struct qn_review_case *c, struct qn_review_effect *ret)
{
        const struct standing s = find_standing(c);

        if (s.confirmed)
                *ret = confirmed(c, &s);
        else if (s.rejected)
                *ret = rejected(c, &s);
        else
                *ret = (struct qn_review_effect){ .verdict = c->verdict };
}

bool qn_review_is_decided(const struct qn_review_effect *e)
{
        return e->why == QN_REVIEW_CONFIRMED || e->why == QN_REVIEW_REJECTED;
}

bool qn_review_is_reopened(const struct qn_review_effect *e)
{
        return e->why == QN_REVIEW_FRESH || e->why == QN_REVIEW_WORSE;
}

struct qn_watch_case qn_review_watch_case(const struct qn_review_effect *e, unsigned score)
{
        return (struct qn_watch_case){ .verdict = e->verdict,
                                       .score = score,
                                       .decided = qn_review_is_decided(e),
                                       .waits = qn_review_is_reopened(e) };
}

/* --- in words --- */

static void say_reason(const struct qn_review *by, struct qn_buf *out)
{
        if (by->reason.n) {
                qn_buf_puts(out, ": ");
                qn_buf_str(out, by->reason);
        }
}

void qn_review_say(const struct qn_review_effect *e, struct qn_buf *out)
{
        struct qn_str who = e->by ? e->by->who : QN_STR("");

        switch (e->why) {
        case QN_REVIEW_NOBODY:
                qn_buf_puts(out, "nobody has decided about it");
                return;
        case QN_REVIEW_CONFIRMED:
                qn_buf_printf(out, "%.*s has confirmed it as %.*s", QN_STR_ARG(who),
                              QN_STR_ARG(e->by->verdict));
                say_reason(e->by, out);
                return;
        case QN_REVIEW_REJECTED:
                qn_buf_printf(out, "%.*s has rejected what was found", QN_STR_ARG(who));
                say_reason(e->by, out);
                return;
        case QN_REVIEW_FRESH:
                qn_buf_printf(out, "%.*s has decided about it, but %.*s was found since",
                              QN_STR_ARG(who), QN_STR_ARG(e->fresh->rule));
                return;
        case QN_REVIEW_WORSE:
                qn_buf_printf(out, "%.*s has rejected what was found, but the verdict is worse now",
                              QN_STR_ARG(who));
                return;
        }
}

/* --- from the store --- */

struct qn_str qn_review_rules(const struct qn_seen_finding *findings, size_t n, struct qn_arena *a)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(RULES_MAX);

        qn_buf_byte(&b, ' ');
        for (size_t i = 0; i < n; i++) {
                qn_buf_str(&b, findings[i].rule);
                qn_buf_byte(&b, ' ');
        }
        if (qn_buf_error(&b) < 0)
                return (struct qn_str){ 0 };
        return qn_arena_dup(a, qn_buf_view(&b));
}

int qn_review_load(struct qn_db *db, const struct qn_seen *v, struct qn_arena *a,
                   struct qn_review_case *ret)
{
        struct qn_review_case c = { .verdict = kind_of(v->verdict), .integrity = v->integrity };
        struct qn_seen_finding *findings;
        struct qn_review *decisions;
        int r = qn_versions_findings_list(db, v->id, a, &findings, &c.n_findings);

        if (r == 0)
                r = qn_reviews_list(db, v->id, a, &decisions, &c.n_decisions);
        if (r < 0)
                return r;
        c.findings = findings;
        c.decisions = decisions;
        *ret = c;
        return 0;
}

struct queue {
        struct qn_arena *a;
        const struct qn_watch_policy *policy;
        struct qn_review_item *v;
        size_t n, cap;
};

static enum qn_watch_band band_of(const struct queue *q, const struct qn_seen *v)
{
        return qn_watch_policy_band(q->policy, kind_of(v->verdict), v->score);
}

static int take(struct queue *q, const struct qn_seen *v)
{
        struct qn_seen k = *v;
        struct qn_str *const texts[] = { &k.name,    &k.version, &k.integrity,
                                         &k.verdict, &k.reason,  &k.rules };

        for (size_t i = 0; i < QN_ARRAY_SIZE(texts); i++) {
                *texts[i] = qn_arena_dup(q->a, *texts[i]);
                if (!texts[i]->p)
                        return -ENOBUFS;
        }
        k.publisher = (struct qn_str){ 0 };
        if (QN_ARENA_ROOM(q->a, q->v, q->n, q->cap) < 0)
                return -ENOBUFS;
        q->v[q->n++] = (struct qn_review_item){ .v = k };
        return 0;
}

static int on_version(void *ctx, const struct qn_seen *v)
{
        struct queue *q = ctx;

        return band_of(q, v) == QN_BAND_NONE ? 0 : take(q, v);
}

/* Those whose verdict calls for nothing: the decision may. */
static int on_decided(void *ctx, const struct qn_seen *v)
{
        struct queue *q = ctx;

        return band_of(q, v) == QN_BAND_NONE ? take(q, v) : 0;
}

static bool waits(const struct queue *q, const struct qn_review_item *it)
{
        if (qn_review_is_reopened(&it->effect))
                return true;
        return band_of(q, &it->v) == QN_BAND_REVIEW && !qn_review_is_decided(&it->effect);
}

/* Its verdict or a decision calls for something. */
static bool is_listed(const struct queue *q, const struct qn_review_item *it)
{
        return waits(q, it) || band_of(q, &it->v) != QN_BAND_NONE ||
               qn_review_is_decided(&it->effect);
}

static int by_score(const void *pa, const void *pb)
{
        const struct qn_review_item *a = pa, *b = pb;
        int c;

        if (a->v.score != b->v.score)
                return a->v.score > b->v.score ? -1 : 1;
        c = qn_str_cmp(a->v.name, b->v.name);
        return c ? c : qn_str_cmp(a->v.version, b->v.version);
}

/* Keeps those that belong into the queue. */
static int sift(struct queue *q, struct qn_db *db, bool all)
{
        size_t n = 0;
        int r = 0;

        for (size_t i = 0; r == 0 && i < q->n; i++) {
                struct qn_review_item *it = &q->v[i];
                struct qn_review_case c;

                r = qn_review_load(db, &it->v, q->a, &c);
                if (r < 0)
                        break;
                qn_review_effective(&c, &it->effect);
                it->n_findings = c.n_findings;
                if (all ? is_listed(q, it) : waits(q, it))
                        q->v[n++] = *it;
        }
        q->n = n;
        return r;
}

int qn_review_queue(struct qn_db *db, const struct qn_watch_policy *policy, bool all,
                    struct qn_arena *a, struct qn_review_item **ret, size_t *ret_n)
{
        struct queue q = { .a = a, .policy = policy };
        int r = qn_versions_judged(db, QN_STR("malicious"), 0, on_version, &q);

        if (r == 0)
                r = qn_versions_judged(db, QN_STR("suspicious"), 0, on_version, &q);
        if (r == 0)
                r = qn_versions_decided(db, on_decided, &q);
        if (r == 0)
                r = sift(&q, db, all);
        if (r < 0)
                return r;
        if (q.n)
                qsort(q.v, q.n, sizeof *q.v, by_score);
        *ret = q.v;
        *ret_n = q.n;
        return 0;
}
