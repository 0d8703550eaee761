/* decide.c - what policy makes of a package's versions: facts from the registry, intelligence and verdicts on record. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "gate/gate-priv.h"
#include "intel/tell.h"
#include "observe/lookalike.h"
#include "observe/popular.h"

/* --- facts --- */

static int64_t first_of(const struct qn_package *p)
{
        int64_t first = QN_TIME_NONE;

        for (size_t i = 0; i < p->facts.n; i++) {
                int64_t t = p->facts.versions[i].time;

                if (t != QN_TIME_NONE && (first == QN_TIME_NONE || t < first))
                        first = t;
        }
        return first;
}

static bool is_older(const struct qn_packument_fact *a, const struct qn_packument_fact *b)
{
        return a->time == QN_TIME_NONE || b->time == QN_TIME_NONE ||
               b->time - a->time >= QN_GATE_HOOKS_MS;
}

/* Versions that a thief publishes come in a row, as betas, and on several lines: what the one before has is no excuse while that
 * is as new itself.  The lowest of those in a row need not be the oldest: lines that were left behind get releases, too.
 * i: has hooks. */
static bool has_new_hooks(const struct qn_package *p, size_t i)
{
        const struct qn_packument_fact *v = p->facts.versions;
        bool excused = false;
        size_t first = i;

        while (first && v[first - 1].has_hooks) {
                first--;
                excused = excused || is_older(&v[first], &v[i]);
        }
        return first && !excused;
}

/* Some lower version had provenance, and this one has none. */
static bool lost_provenance(const struct qn_package *p, size_t i)
{
        const struct qn_packument_fact *now = &p->facts.versions[i];

        for (size_t j = 0; j < i && !now->attested; j++)
                if (p->facts.versions[j].attested &&
                    (now->time == QN_TIME_NONE || p->facts.versions[j].time <= now->time))
                        return true;
        return false;
}

static struct qn_str lookalike_of(const struct qn_gate *g, struct qn_str name)
{
        struct qn_lookalike found[QN_LOOKALIKES_MAX];

        if (!g->popular || !qn_lookalike_find(g->popular, name, false, found))
                return QN_STR("");
        return qn_popular_name(g->popular, found[0].rank);
}

static enum qn_policy_known known_of(const struct qn_intel_match *m)
{
        if (m->sure == QN_INTEL_ALLOWED || m->kind == QN_INTEL_ALLOW)
                return QN_KNOWN_ALLOWED;
        if (m->sure != QN_INTEL_CONFIRMED && m->sure != QN_INTEL_DOUBTFUL)
                return QN_KNOWN_NOTHING;
        if (m->kind == QN_INTEL_VULNERABILITY)
                return QN_KNOWN_VULNERABLE;
        return m->sure == QN_INTEL_CONFIRMED ? QN_KNOWN_MALICIOUS : QN_KNOWN_SUSPICIOUS;
}

static void holds_until(struct qn_policy_facts *f, int64_t ms)
{
        if (!f->facts_until_ms || ms < f->facts_until_ms)
                f->facts_until_ms = ms;
}

/* Entries of the own list that end. */
static void note_ends(const struct qn_intel_match *m, int64_t now, struct qn_policy_facts *f)
{
        for (size_t i = 0; i < m->n; i++) {
                const struct qn_osv *osv = m->statements[i].osv;

                if (osv->policy != QN_OSV_NO_POLICY && osv->expires_ms != QN_TIME_NONE &&
                    osv->expires_ms > now)
                        holds_until(f, osv->expires_ms);
        }
}

/* What the index maps is there until it is read anew. */
static struct qn_str keep(struct qn_arena *a, struct qn_str s)
{
        struct qn_str copy = qn_arena_dup(a, s);

        return copy.p ? copy : QN_STR("?");
}

/* The worst that is said of it; when it cannot be asked, that is no reason to serve it. */
static void ask_intel(struct qn_gate *g, struct qn_arena *a, struct qn_str integrity,
                      struct qn_policy_facts *f)
{
        const struct qn_intel_question q = { .name = f->name,
                                             .version = f->version,
                                             .integrity = integrity,
                                             .now_ms = qn_gate_now() };
        struct qn_intel_answer ans;

        f->known = QN_KNOWN_NOTHING;
        f->known_id = f->known_why = QN_STR("");
        f->facts_until_ms = 0;
        if (!g->tell && !g->blind)
                return;
        if (g->blind ||
            qn_intel_match(qn_tell_index(g->tell), qn_tell_trust(g->tell), &q, a, &ans) < 0) {
                f->known = QN_KNOWN_UNREADABLE;
                return;
        }
        for (size_t i = 0; i < ans.n; i++) {
                enum qn_policy_known k = known_of(&ans.matches[i]);

                note_ends(&ans.matches[i], q.now_ms, f);
                if (k <= f->known)
                        continue;
                f->known = k;
                f->known_id = keep(a, ans.matches[i].id);
                f->known_why = keep(a, ans.matches[i].summary.n ? ans.matches[i].summary
                                                                : ans.matches[i].why);
        }
}

void qn_decide_facts(struct qn_gate *g, const struct qn_package *p, size_t i, struct qn_arena *a,
                     struct qn_policy_facts *ret)
{
        const struct qn_packument_fact *now = &p->facts.versions[i];

        *ret = (struct qn_policy_facts){ .name = qn_str_c(p->name),
                                         .version = now->version,
                                         .published_ms = now->time,
                                         .first_ms = first_of(p),
                                         .has_hooks = now->has_hooks,
                                         .hooks_new = now->has_hooks && has_new_hooks(p, i),
                                         .provenance_lost = lost_provenance(p, i),
                                         .verdict = QN_UNKNOWN,
                                         .lookalike = lookalike_of(g, qn_str_c(p->name)) };
        qn_decide_known(g, now->integrity, a, ret);
}

void qn_decide_known(struct qn_gate *g, struct qn_str integrity, struct qn_arena *a,
                     struct qn_policy_facts *f)
{
        bool owned;

        (void)qn_upstream_of(g, f->name, &owned, &(struct qn_failure){ 0 });
        f->from_owned = owned;
        ask_intel(g, a, integrity, f);
}

static bool holds_today(const struct qn_gate *g, struct qn_str rules)
{
        char text[QN_REVISION_TEXT];

        return qn_str_eq(rules, qn_revision(g, false, text)) ||
               qn_str_eq(rules, qn_revision(g, true, text));
}

/* old: a verdict against it counts whatever it was made by. */
static bool take_recorded(struct qn_gate *g, struct qn_str integrity, bool old, struct qn_arena *a,
                          struct qn_policy_facts *f)
{
        enum qn_verdict_kind kind;
        struct qn_ledger_verdict v;

        if (!integrity.n || qn_ledger_verdict(&g->db, integrity, a, &v) < 0 ||
            qn_verdict_from_name(v.verdict, &kind) < 0)
                return false;
        if (!holds_today(g, v.rules) && !(old && kind >= QN_SUSPICIOUS))
                return false;
        f->verdict = kind;
        if (f->verdict == QN_UNKNOWN) { /* perhaps only this machine was busy */
                if (qn_gate_now() - v.time >= QN_GATE_UNKNOWN_MS)
                        return false;
                holds_until(f, v.time + QN_GATE_UNKNOWN_MS);
        }
        f->judged = true;
        f->reason = v.reason;
        return true;
}

bool qn_decide_recorded(struct qn_gate *g, struct qn_str integrity, struct qn_arena *a,
                        struct qn_policy_facts *f)
{
        return take_recorded(g, integrity, false, a, f);
}

bool qn_decide_still(struct qn_gate *g, int64_t artifact)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(1 << 20);
        struct qn_policy_facts f = { 0 };
        struct qn_policy_decision decision;
        struct qn_ledger_artifact it;

        if (qn_ledger_find(&g->db, artifact, &a, &it) < 0)
                return false;
        f.name = it.name;
        f.version = it.version;
        qn_decide_known(g, it.integrity, &a, &f);
        (void)take_recorded(g, it.integrity, true, &a, &f);
        qn_policy_decide(g->policy, &f, qn_gate_now(), &decision);
        return decision.action == QN_POLICY_ALLOW || decision.mode != QN_POLICY_ENFORCE;
}

/* --- a whole package --- */

struct deciding {
        struct qn_gate *g;
        struct qn_package *p;
        struct qn_arena *a;
        int64_t now;
        size_t kept; /* versions that are served */
        struct qn_buf notice;
        char first[QN_POLICY_REASON_BYTES];
};

static int block(struct deciding *d, struct qn_str version, const char *reason)
{
        struct qn_packument_blocked *b = &d->p->blocked[d->p->n_blocked];

        b->version = version;
        b->reason = qn_arena_dup(&d->p->decided_mem, qn_str_c(reason));
        d->p->n_blocked++;
        if (!d->first[0])
                snprintf(d->first, sizeof d->first, "%s", reason);
        return b->reason.p ? 0 : -ENOBUFS;
}

static int decide_version(struct deciding *d, size_t i)
{
        struct qn_policy_decision decision;
        struct qn_policy_facts f;
        int r = 0;

        qn_decide_facts(d->g, d->p, i, d->a, &f);
        /* What is convicted stays out of the lists until it is judged anew, so that ranges pass it by all the while. */
        (void)take_recorded(d->g, d->p->facts.versions[i].integrity, true, d->a, &f);
        qn_policy_decide(d->g->policy, &f, d->now, &decision);
        d->p->until = QN_MIN(d->p->until, decision.until_ms);
        if (d->p->facts.versions[i].mismatch)
                r = block(d, f.version, "the registry files another package under this version");
        else if (decision.action != QN_POLICY_ALLOW && decision.mode == QN_POLICY_ENFORCE)
                r = block(d, f.version, decision.reason);
        else
                d->kept++;
        if (decision.action != QN_POLICY_ALLOW && decision.mode == QN_POLICY_WARN && !d->notice.n)
                qn_buf_puts(&d->notice, decision.reason);
        qn_arena_reset(d->a, 1 << 20);
        return r;
}

static int by_version(const void *a, const void *b)
{
        const struct qn_packument_blocked *x = a, *y = b;

        return qn_str_cmp(x->version, y->version);
}

static int finish(struct deciding *d)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(4096);
        struct qn_package *p = d->p;

        if (p->n_blocked > 1)
                qsort(p->blocked, p->n_blocked, sizeof *p->blocked, by_version);
        if (p->n_blocked == 1)
                qn_buf_puts(&b, d->first);
        else if (p->n_blocked)
                qn_buf_printf(&b, "%zu of the %zu versions of %s are not served here; for one: %s",
                              p->n_blocked, p->n_blocked + d->kept, p->name, d->first);
        p->message = qn_arena_dup(&p->decided_mem, b.n ? qn_buf_view(&b) : QN_STR(""));
        p->notice = (struct qn_str){ 0 };
        if (d->notice.n)
                p->notice = qn_arena_dup(&p->decided_mem, qn_buf_view(&d->notice));
        p->decided = p->message.p != NULL;
        return p->decided ? 0 : -ENOBUFS;
}

static void forget(struct qn_package *p)
{
        p->decided = false;
        p->decision++;
        p->blocked = NULL;
        p->message = p->notice = (struct qn_str){ 0 };
        p->n_blocked = 0;
        qn_arena_reset(&p->decided_mem, 1 << 16);
        for (unsigned i = 0; i < QN_FORM_MAX; i++)
                qn_closep(&p->views[i]);
}

int qn_decide_package(struct qn_gate *g, struct qn_package *p)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        struct deciding d = {
                .g = g, .p = p, .a = &a, .now = qn_gate_now(), .notice = QN_BUF_INIT(4096)
        };
        int r = 0;

        if (p->decided && d.now < p->until)
                return 0;
        forget(p);
        p->until = INT64_MAX;
        p->blocked = qn_arena_calloc(&p->decided_mem, p->facts.n + 1, sizeof *p->blocked);
        if (!p->blocked)
                return -ENOBUFS;
        for (size_t i = 0; i < p->facts.n && r == 0; i++)
                r = decide_version(&d, i);
        if (r == 0)
                r = finish(&d);
        qn_buf_done(&d.notice);
        return r;
}

void qn_decide_again(struct qn_gate *g, struct qn_package *p)
{
        if (p) {
                forget(p);
                return;
        }
        TAILQ_FOREACH (p, &g->packages, used)
                forget(p);
}
