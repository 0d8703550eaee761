/* judge.c - the judge: every rule that may match is tried, the findings are put in order, the worst one decides. */
#include "rule/judge.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "rule/eval.h"

#define REASON_MAX 512
#define SCALE      UINT64_C(1000000000000)

static const char *const verdict_names[] = {
        [QN_CLEAN] = "clean",
        [QN_UNKNOWN] = "unknown",
        [QN_SUSPICIOUS] = "suspicious",
        [QN_MALICIOUS] = "malicious",
};
static const char *const severity_names[] = {
        [QN_SEV_INFO] = "info", [QN_SEV_LOW] = "low",           [QN_SEV_MEDIUM] = "medium",
        [QN_SEV_HIGH] = "high", [QN_SEV_CRITICAL] = "critical",
};

const char *qn_verdict_name(enum qn_verdict_kind v)
{
        return (unsigned)v < QN_ARRAY_SIZE(verdict_names) ? verdict_names[v] : "?";
}

const char *qn_severity_name(enum qn_severity s)
{
        return (unsigned)s < QN_ARRAY_SIZE(severity_names) ? severity_names[s] : "?";
}

int qn_verdict_from_name(struct qn_str s, enum qn_verdict_kind *ret)
{
        for (unsigned i = 0; i < QN_ARRAY_SIZE(verdict_names); i++)
                if (qn_str_is(s, verdict_names[i])) {
                        *ret = i;
                        return 0;
                }
        return -EINVAL;
}

/* --- findings --- */

static bool all_unreachable(const struct qn_finding *f)
{
        for (size_t i = 0; i < f->n_evidence; i++)
                if (f->evidence[i]->phase != QN_PHASE_NEVER ||
                    qn_kind_is_fact(f->evidence[i]->kind))
                        return false;
        return true;
}

static int add_finding(struct qn_verdict *v, size_t *cap, struct qn_eval *e,
                       const struct qn_compiled *rule)
{
        struct qn_finding f = { .rule = &rule->rule, .verdict = rule->rule.verdict };
        struct qn_scope scope = { rule->phases, QN_ANY_FILE };

        f.evidence = qn_arena_calloc(e->arena, QN_EVIDENCE_MAX, sizeof *f.evidence);
        if (!f.evidence || QN_ARENA_ROOM(e->arena, v->findings, v->n, *cap) < 0)
                return -ENOBUFS;
        qn_eval_evidence(e, rule->rule.when, scope, &f);
        if (all_unreachable(&f) && qn_eval_strength(e, rule->rule.when, scope) <= 1)
                f.verdict = QN_CLEAN;
        f.explain = qn_explain(&f, e->set, e->arena);
        if (!f.explain.p)
                return -ENOBUFS;
        v->findings[v->n++] = f;
        return 0;
}

static int cmp_findings(const void *pa, const void *pb)
{
        const struct qn_finding *a = pa, *b = pb;

        if (a->verdict != b->verdict)
                return a->verdict > b->verdict ? -1 : 1;
        if (a->rule->severity != b->rule->severity)
                return a->rule->severity > b->rule->severity ? -1 : 1;
        if (a->rule->score != b->rule->score)
                return a->rule->score > b->rule->score ? -1 : 1;
        return qn_str_cmp(a->rule->id, b->rule->id);
}

static int find_all(const struct qn_rules *rules, struct qn_eval *e, struct qn_verdict *v)
{
        size_t cap = 0;

        for (size_t i = 0; i < rules->n; i++) {
                const struct qn_compiled *rule = &rules->rules[i];
                int r;

                if (!qn_eval_worth(e, rule) ||
                    !qn_eval_cond(e, rule->rule.when,
                                  (struct qn_scope){ rule->phases, QN_ANY_FILE }))
                        continue;
                r = add_finding(v, &cap, e, rule);
                if (r < 0)
                        return r;
        }
        if (v->n)
                qsort(v->findings, v->n, sizeof *v->findings, cmp_findings);
        return e->full ? -ENOBUFS : 0;
}

/* --- verdict, score, reason --- */

static int find_unanalysed(const struct qn_eval *e, struct qn_verdict *v)
{
        uint32_t from = e->first[QN_EVENT_UNANALYSED], to = e->first[QN_EVENT_UNANALYSED + 1];

        v->unanalysed = qn_arena_calloc(e->arena, to - from, sizeof *v->unanalysed);
        if (!v->unanalysed)
                return -ENOBUFS;
        for (uint32_t i = from; i < to; i++)
                v->unanalysed[v->n_unanalysed++] = &e->set->events[e->by_kind[i]];
        return 0;
}

static enum qn_verdict_kind decide(const struct qn_verdict *v)
{
        enum qn_verdict_kind worst = v->n_unanalysed ? QN_UNKNOWN : QN_CLEAN;

        return v->n ? QN_MAX(worst, v->findings[0].verdict) : worst;
}

/* What is left of the trust in a package, finding by finding.  Rounding down keeps it monotone. */
static unsigned add_up(const struct qn_verdict *v)
{
        static const struct {
                uint8_t least, most;
        } bands[] = { [QN_CLEAN] = { 0, 39 },
                      [QN_UNKNOWN] = { 0, 39 },
                      [QN_SUSPICIOUS] = { 40, 79 },
                      [QN_MALICIOUS] = { 80, 100 } };
        uint64_t left = SCALE;
        unsigned score;

        for (size_t i = 0; i < v->n; i++) {
                /* A finding that was lowered to information counts as such. */
                unsigned one = v->findings[i].verdict == QN_CLEAN
                                       ? QN_MIN(v->findings[i].rule->score, 10u)
                                       : v->findings[i].rule->score;

                left = left * (100 - one) / 100;
        }
        score = 100 - (unsigned)(left / (SCALE / 100));
        return QN_MIN(QN_MAX(score, bands[v->kind].least), bands[v->kind].most);
}

static void say_unknown(struct qn_buf *b, const struct qn_verdict *v, const struct qn_event_set *s)
{
        const struct qn_event *e = v->unanalysed[0];
        struct qn_str detail = qn_event_get(e, QN_ATTR_DETAIL),
                      what = qn_event_get(e, QN_ATTR_WHAT);

        if (e->file < s->n_files)
                qn_buf_printf(b, "%.*s", QN_STR_ARG(qn_str_take(s->files[e->file], 200)));
        else
                qn_buf_puts(b, "Part of the package");
        qn_buf_printf(b, " could not be analysed");
        if (detail.n || what.n)
                qn_buf_printf(b, ": %.*s", QN_STR_ARG(qn_str_take(detail.n ? detail : what, 200)));
        if (v->n_unanalysed > 1)
                qn_buf_printf(b, " (and %zu more)", v->n_unanalysed - 1);
}

static void say_findings(struct qn_buf *b, const struct qn_verdict *v)
{
        size_t same = 0;

        for (size_t i = 1; i < v->n; i++)
                same += v->findings[i].verdict >= QN_SUSPICIOUS;
        qn_buf_str(b, qn_str_take(v->findings[0].rule->title, 300));
        if (same)
                qn_buf_printf(b, " (and %zu more finding%s)", same, same > 1 ? "s" : "");
}

static int set_reason(struct qn_verdict *v, const struct qn_event_set *s, struct qn_arena *a)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(REASON_MAX);

        if (v->kind >= QN_SUSPICIOUS)
                say_findings(&b, v);
        else if (v->kind == QN_UNKNOWN)
                say_unknown(&b, v, s);
        else if (v->n)
                qn_buf_printf(&b, "No rule objects; %zu note%s", v->n, v->n > 1 ? "s" : "");
        else
                qn_buf_puts(&b, "No rule objects");
        v->reason = qn_arena_dup(a, qn_buf_view(&b));
        return v->reason.p ? 0 : -ENOBUFS;
}

int qn_judge(const struct qn_rules *rules, const struct qn_event_set *set, struct qn_arena *a,
             struct qn_verdict *ret)
{
        struct qn_verdict v = { 0 };
        struct qn_eval e;
        int r;

        r = qn_eval_init(&e, set, a, rules->n_patterns);
        if (r == 0)
                r = find_all(rules, &e, &v);
        if (r == 0)
                r = find_unanalysed(&e, &v);
        if (r < 0)
                return r;
        v.kind = decide(&v);
        v.score = add_up(&v);
        r = set_reason(&v, set, a);
        if (r == 0)
                *ret = v;
        return r;
}
