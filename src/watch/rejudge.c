#include "watch/rejudge.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "event/event.h"
#include "intel/tell.h"
#include "rule/rule.h"
#include "watch/rejudge-priv.h"

#define KEEP    ((size_t)1 << 20)
#define MEM_MAX ((size_t)256 << 20)

/* What is on file of a version: its findings, in whatever order, as one number. */
struct qn_rejudger_filed {
        int64_t id;
        uint64_t sum;
};

static uint64_t number_of(const struct qn_seen_finding *f)
{
        const uint64_t parts[] = { qn_hash64(f->rule.p, f->rule.n),
                                   qn_hash64(f->severity.p, f->severity.n),
                                   qn_hash64(f->verdict.p, f->verdict.n),
                                   qn_hash64(f->title.p, f->title.n) };

        return qn_hash64(parts, sizeof parts);
}

static struct qn_seen_finding finding_of(const struct qn_finding *f)
{
        return (struct qn_seen_finding){ .rule = f->rule->id,
                                         .severity = qn_str_c(qn_severity_name(f->rule->severity)),
                                         .verdict = qn_str_c(qn_verdict_name(f->verdict)),
                                         .title = f->rule->title };
}

int qn_rejudge_findings(const struct qn_verdict *v, struct qn_arena *a,
                        struct qn_seen_finding **ret)
{
        struct qn_seen_finding *list = qn_arena_calloc(a, v->n + 1, sizeof *list);

        if (!list)
                return -ENOBUFS;
        for (size_t i = 0; i < v->n; i++)
                list[i] = finding_of(&v->findings[i]);
        *ret = list;
        return 0;
}

/* --- one version --- */

/* The events with what is known of the version and of what they name. */
static int add_known(const struct qn_rejudge_conf *conf, const struct qn_seen *v,
                     struct qn_arena *a, struct qn_rejudged *to)
{
        const struct qn_told told = { .name = v->name,
                                      .version = v->version,
                                      .integrity = v->integrity };
        struct qn_event_set known, merged;
        int r = qn_tell_events(conf->tell, &told, to->set, a, &known);

        if (r < 0 || known.n == 0)
                return r;
        to->relies = true;
        r = qn_event_set_merge(to->set, &known, a, &merged);
        if (r == 0)
                *to->set = merged;
        return r;
}

int qn_rejudge_version(const struct qn_rejudge_conf *conf, const struct qn_seen *v,
                       struct qn_cur events, struct qn_arena *a, struct qn_rejudged *ret)
{
        struct qn_rejudged to = { .set = QN_ARENA_NEW(a, struct qn_event_set) };
        int r = to.set ? qn_event_set_read(&events, a, to.set, NULL) : -ENOBUFS;

        if (r == 0 && conf->tell)
                r = add_known(conf, v, a, &to);
        if (r == 0)
                r = qn_judge(conf->rules, to.set, a, &to.verdict);
        if (r == 0)
                *ret = to;
        return r;
}

/* One of which no events are on record: it could not be had, or they were forgotten.  Its verdict stays unless what is known of it
 * says that it is bad: 1. */
static int judge_unobserved(const struct qn_rejudge_conf *conf, const struct qn_seen *v,
                            struct qn_arena *a, struct qn_rejudged *ret)
{
        struct qn_rejudged to = { .set = QN_ARENA_NEW(a, struct qn_event_set) };
        int r;

        if (!to.set)
                return -ENOBUFS;
        qn_event_set_init(to.set, a);
        to.set->name = v->name;
        to.set->version = v->version;
        to.set->integrity = v->integrity;
        r = qn_event_set_seal(to.set);
        if (r == 0 && conf->tell)
                r = add_known(conf, v, a, &to);
        if (r < 0 || !to.relies)
                return r;
        r = qn_judge(conf->rules, to.set, a, &to.verdict);
        if (r < 0)
                return r;
        *ret = to;
        return to.verdict.kind > QN_UNKNOWN;
}

/* --- one range --- */

void qn_rejudger_init(struct qn_rejudger *j, const struct qn_rejudge_conf *conf)
{
        *j = (struct qn_rejudger){ .conf = conf,
                                   .one = QN_ARENA_INIT(QN_PKG_ARENA_MAX),
                                   .on_file = QN_ARENA_INIT(MEM_MAX) };
        qn_revision_text(&conf->by, false, j->by[0]);
        qn_revision_text(&conf->by, true, j->by[1]);
}

void qn_rejudger_done(struct qn_rejudger *j)
{
        qn_arena_done(&j->one);
        qn_arena_done(&j->on_file);
}

static int on_finding(void *ctx, int64_t id, const struct qn_seen_finding *f)
{
        struct qn_rejudger *j = ctx;

        if (j->n_filed && j->filed[j->n_filed - 1].id == id) {
                j->filed[j->n_filed - 1].sum += number_of(f);
                return 0;
        }
        if (QN_ARENA_ROOM(&j->on_file, j->filed, j->n_filed, j->filed_cap) < 0)
                return -ENOBUFS;
        j->filed[j->n_filed++] = (struct qn_rejudger_filed){ id, number_of(f) };
        return 0;
}

/* Versions come by ascending ids, too. */
static uint64_t filed_sum(struct qn_rejudger *j, int64_t id)
{
        while (j->at < j->n_filed && j->filed[j->at].id < id)
                j->at++;
        return j->at < j->n_filed && j->filed[j->at].id == id ? j->filed[j->at].sum : 0;
}

static bool is_as_it_was(struct qn_rejudger *j, const struct qn_seen *was,
                         const struct qn_verdict *v)
{
        uint64_t filed = filed_sum(j, was->id), sum = 0;

        if (!qn_str_is(was->verdict, qn_verdict_name(v->kind)) || was->score != v->score ||
            !qn_str_eq(was->reason, v->reason))
                return false;
        for (size_t i = 0; i < v->n; i++) {
                const struct qn_seen_finding f = finding_of(&v->findings[i]);

                sum += number_of(&f);
        }
        return sum == filed;
}

/* 0: there is nothing to judge it by. */
static int judge_again(const struct qn_rejudge_conf *conf, const struct qn_seen *was,
                       struct qn_cur events, struct qn_arena *a, struct qn_rejudged *ret)
{
        int r;

        if (!was->observed)
                return judge_unobserved(conf, was, a, ret);
        r = qn_rejudge_version(conf, was, events, a, ret);
        return r < 0 ? r : 1;
}

struct pass {
        struct qn_rejudger *j;
        qn_rejudger_fn *fn;
        void *ctx;
};

static int on_version(void *ctx, const struct qn_seen *was, struct qn_cur events)
{
        struct pass *p = ctx;
        struct qn_rejudger *j = p->j;
        struct qn_rejudged v;
        struct qn_rejudge_outcome o = { .was = was, .verdict = &v.verdict };
        int r;

        qn_arena_reset(&j->one, KEEP);
        r = judge_again(j->conf, was, events, &j->one, &v);
        if (r == -EBADMSG || r == -ENOBUFS) {
                j->stats.unread++;
                return 0;
        }
        if (r <= 0)
                return r;
        j->stats.judged++;
        o.relies = v.relies;
        return is_as_it_was(j, was, &v.verdict) ? 0 : p->fn(p->ctx, &o);
}

int qn_rejudger_range(struct qn_rejudger *j, struct qn_db *db, int64_t after, int64_t to,
                      qn_rejudger_fn *fn, void *ctx)
{
        const struct qn_seen_range range = { after, to, j->conf->since, j->conf->name };
        struct pass p = { j, fn, ctx };
        int r;

        qn_arena_reset(&j->on_file, KEEP);
        j->filed = NULL;
        j->n_filed = j->filed_cap = j->at = 0;
        r = qn_versions_findings_range(db, &range, on_finding, j);
        return r < 0 ? r : qn_versions_range(db, &range, on_version, &p);
}

/* --- what is to be written --- */

int qn_rejudge_changes_add(struct qn_rejudge_changes *c, const struct qn_seen *was,
                           struct qn_rejudge_change **ret)
{
        struct qn_rejudge_change ch = { .was.v = *was };
        struct qn_seen *v = &ch.was.v;
        struct qn_str *const texts[] = { &v->name,    &v->version, &v->integrity,
                                         &v->verdict, &v->reason,  &v->rules };
        int r = qn_arena_keep(&c->mem, texts, QN_ARRAY_SIZE(texts));

        if (r == 0)
                r = QN_ARENA_ROOM(&c->mem, c->v, c->n, c->cap);
        if (r < 0)
                return r;
        v->publisher = (struct qn_str){ 0 };
        ch.is.v = *v;
        c->v[c->n] = ch;
        *ret = &c->v[c->n++];
        return 0;
}

struct writing {
        struct qn_rejudge_changes *c;
        struct qn_db *db; /* NULL: nothing is written */
        struct qn_rejudge_stats stats;
        qn_rejudge_fn *fn;
        void *ctx;
};

/* 0: somebody else wrote to it meanwhile. */
static int write_one(struct writing *w, struct qn_rejudge_change *ch, bool changed)
{
        struct qn_seen_finding *findings = NULL;
        int r = 0;

        if (!w->db)
                return 1;
        if (changed)
                r = qn_versions_findings_list(w->db, ch->was.v.id, &w->c->mem, &findings,
                                              &ch->was.n_findings);
        ch->was.findings = findings;
        return r < 0 ? r : qn_versions_rejudged(w->db, &ch->was.v, &ch->is);
}

static int write_and_tell(struct writing *w, struct qn_rejudge_change *ch)
{
        bool changed = !qn_str_eq(ch->was.v.verdict, ch->is.v.verdict);
        int r = write_one(w, ch, changed);

        if (r < 0)
                return r;
        w->stats.lost += r == 0;
        w->stats.changed += r > 0 && changed;
        w->stats.moved += r > 0 && !changed;
        return r > 0 ? w->fn(w->ctx, &ch->was, &ch->is) : 0;
}

static int write_all(struct writing *w)
{
        int r = w->db ? qn_db_begin(w->db) : 0;

        if (r < 0)
                return r;
        for (size_t i = 0; r == 0 && i < w->c->n; i++)
                r = write_and_tell(w, &w->c->v[i]);
        if (r == 0 && w->db)
                r = qn_db_commit(w->db);
        if (r != 0 && w->db)
                qn_db_rollback(w->db);
        return r;
}

int qn_rejudge_changes_write(struct qn_rejudge_changes *c, struct qn_db *db, bool dry,
                             struct qn_rejudge_stats *stats, qn_rejudge_fn *fn, void *ctx)
{
        struct writing w = { c, dry ? NULL : db, *stats, fn, ctx };
        int r = c->n ? write_all(&w) : 0;

        if (r == 0)
                *stats = w.stats;
        qn_arena_reset(&c->mem, KEEP);
        c->v = NULL;
        c->n = c->cap = 0;
        return r;
}

/* --- in steps --- */

struct qn_rejudge {
        struct qn_rejudge_conf conf;
        struct qn_rejudger judger;
        struct qn_rejudge_changes changes;
        int64_t after;
};

int qn_rejudge_new(const struct qn_rejudge_conf *conf, struct qn_rejudge **ret)
{
        struct qn_rejudge *j = calloc(1, sizeof *j);

        if (!j)
                return -ENOMEM;
        j->conf = *conf;
        qn_rejudger_init(&j->judger, &j->conf);
        j->changes.mem = QN_ARENA_INIT(MEM_MAX);
        *ret = j;
        return 0;
}

struct qn_rejudge *qn_rejudge_free(struct qn_rejudge *j)
{
        if (!j)
                return NULL;
        qn_rejudger_done(&j->judger);
        qn_arena_done(&j->changes.mem);
        free(j);
        return NULL;
}

void qn_rejudge_freep(struct qn_rejudge **j)
{
        *j = qn_rejudge_free(*j);
}

const struct qn_rejudge_stats *qn_rejudge_so_far(const struct qn_rejudge *j)
{
        return &j->judger.stats;
}

static int on_outcome(void *ctx, const struct qn_rejudge_outcome *o)
{
        struct qn_rejudge *j = ctx;
        const struct qn_verdict *v = o->verdict;
        struct qn_seen_finding *findings = NULL;
        struct qn_rejudge_change *ch;
        int r = qn_rejudge_changes_add(&j->changes, o->was, &ch);

        if (r == 0)
                r = qn_rejudge_findings(v, &j->changes.mem, &findings);
        if (r < 0)
                return r;
        ch->is.v.verdict = qn_str_c(qn_verdict_name(v->kind));
        ch->is.v.score = v->score;
        ch->is.v.reason = qn_arena_dup(&j->changes.mem, v->reason);
        ch->is.v.rules = qn_str_c(j->judger.by[o->relies]);
        ch->is.v.judged = j->conf.now;
        ch->is.findings = findings;
        ch->is.n_findings = v->n;
        return ch->is.v.reason.p ? 0 : -ENOBUFS;
}

int qn_rejudge_step(struct qn_rejudge *j, struct qn_db *db, size_t n, qn_rejudge_fn *fn, void *ctx)
{
        int64_t last, to = j->after + (int64_t)QN_MIN(n, (size_t)QN_REJUDGE_STEP_MAX);
        int r = qn_versions_last(db, &last);

        if (r == 0)
                r = qn_rejudger_range(&j->judger, db, j->after, to, on_outcome, j);
        if (r == 0)
                r = qn_rejudge_changes_write(&j->changes, db, j->conf.dry, &j->judger.stats, fn,
                                             ctx);
        if (r != 0)
                return r;
        j->after = to;
        return to < last;
}
