/* eval.c - is a condition true of these events, and which events show it. */
#include "rule/eval.h"

#include <errno.h>
#include <stdlib.h>

#include "base/limits.h"

#define LEAVES_MAX 32 /* patterns of one rule that evidence is taken from */

int qn_eval_init(struct qn_eval *e, const struct qn_event_set *set, struct qn_arena *a,
                 uint32_t n_patterns)
{
        uint32_t next[QN_EVENT_MAX];

        *e = (struct qn_eval){ .set = set, .arena = a };
        e->by_kind = qn_arena_alloc(a, QN_MAX(set->n, (size_t)1) * sizeof *e->by_kind);
        e->hits = qn_arena_calloc(a, n_patterns, sizeof *e->hits);
        if (!e->by_kind || !e->hits)
                return -ENOBUFS;
        for (size_t i = 0; i < set->n; i++)
                e->first[set->events[i].kind + 1]++;
        for (unsigned k = 0; k < QN_EVENT_MAX; k++) {
                if (e->first[k + 1])
                        qn_kinds_add(&e->present, k);
                next[k] = e->first[k];
                e->first[k + 1] += e->first[k];
        }
        for (size_t i = 0; i < set->n; i++)
                e->by_kind[next[set->events[i].kind]++] = (uint32_t)i;
        return 0;
}

bool qn_eval_worth(const struct qn_eval *e, const struct qn_compiled *rule)
{
        for (size_t i = 0; i < rule->n_needs; i++)
                if (!qn_kinds_meet(&e->present, &rule->needs[i]))
                        return false;
        return true;
}

/* --- events of a pattern --- */

static void hit(struct qn_eval *e, struct qn_hits *h, uint32_t *cap, uint32_t at)
{
        if (h->n == *cap) {
                uint32_t want = *cap ? *cap * 2 : 4;
                uint32_t *list = qn_arena_grow(e->arena, h->at, h->n, want, sizeof *list);

                if (!list) {
                        e->full = true;
                        return;
                }
                h->at = list;
                *cap = want;
        }
        h->at[h->n++] = at;
}

static int cmp_u32(const void *pa, const void *pb)
{
        uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;

        return (a > b) - (a < b);
}

static void hits_of_kind(struct qn_eval *e, const struct qn_pattern *p, unsigned k,
                         struct qn_hits *h, uint32_t *cap)
{
        for (uint32_t i = e->first[k]; i < e->first[k + 1]; i++)
                if (qn_pattern_fits(p, e->set, &e->set->events[e->by_kind[i]]))
                        hit(e, h, cap, e->by_kind[i]);
}

static const struct qn_hits *hits_of(struct qn_eval *e, const struct qn_pattern *p)
{
        struct qn_hits *h = &e->hits[p->id];
        uint32_t cap = 0, kinds = 0;

        if (h->done)
                return h;
        h->done = true;
        for (unsigned w = 0; w < QN_ARRAY_SIZE(p->kinds.bits); w++)
                for (uint64_t both = p->kinds.bits[w] & e->present.bits[w]; both;
                     both &= both - 1) {
                        uint32_t before = h->n;

                        hits_of_kind(e, p, w * 64 + (unsigned)__builtin_ctzll(both), h, &cap);
                        kinds += h->n > before;
                }
        if (kinds > 1)
                qsort(h->at, h->n, sizeof *h->at, cmp_u32);
        return h;
}

static bool phase_fits(const struct qn_pattern *p, const struct qn_event *ev, struct qn_scope scope)
{
        if (p->phases)
                return p->phases >> ev->phase & 1;
        return qn_kind_is_fact(ev->kind) || (scope.phases >> ev->phase & 1);
}

/* The part of the hits that lies in the scope's file: positions ascend by file. */
static void in_file(const struct qn_eval *e, const struct qn_hits *h, uint32_t file,
                    uint32_t *ret_from, uint32_t *ret_to)
{
        uint32_t from = 0, to = h->n;

        *ret_from = 0;
        *ret_to = h->n;
        if (file == QN_ANY_FILE)
                return;
        while (from < to) {
                uint32_t mid = from + (to - from) / 2;

                if (e->set->events[h->at[mid]].file < file)
                        from = mid + 1;
                else
                        to = mid;
        }
        *ret_from = from;
        while (to < h->n && e->set->events[h->at[to]].file == file)
                to++;
        *ret_to = to;
}

/* The first event at or after position *i of the hits that is in scope; NULL: none. */
static const struct qn_event *next_hit(const struct qn_eval *e, const struct qn_pattern *p,
                                       struct qn_scope scope, const struct qn_hits *h, uint32_t *i,
                                       uint32_t to)
{
        while (*i < to) {
                const struct qn_event *ev = &e->set->events[h->at[(*i)++]];

                if (phase_fits(p, ev, scope))
                        return ev;
        }
        return NULL;
}

static bool pattern_true(struct qn_eval *e, const struct qn_pattern *p, struct qn_scope scope)
{
        const struct qn_hits *h = hits_of(e, p);
        uint32_t from, to;

        in_file(e, h, scope.file, &from, &to);
        return next_hit(e, p, scope, h, &from, to) != NULL;
}

/* --- count --- */

struct tally {
        struct qn_str texts[QN_COUNT_MAX];
        uint64_t numbers[QN_COUNT_MAX];
        uint64_t labels;
        uint32_t n;
};

static void count_text(struct tally *t, struct qn_str s)
{
        if (!s.n)
                return;
        for (uint32_t i = 0; i < t->n; i++)
                if (qn_str_eq(t->texts[i], s))
                        return;
        t->texts[t->n++] = s;
}

static void count_number(struct tally *t, uint64_t v)
{
        for (uint32_t i = 0; i < t->n; i++)
                if (t->numbers[i] == v)
                        return;
        t->numbers[t->n++] = v;
}

static void count_event(struct tally *t, const struct qn_eval *e, const struct qn_event *ev,
                        unsigned distinct)
{
        switch (distinct) {
        case QN_DISTINCT_EVENT:
                count_number(t, (uint64_t)(ev - e->set->events));
                break;
        case QN_DISTINCT_FILE:
                count_number(t, ev->file);
                break;
        case QN_DISTINCT_KIND:
                count_number(t, ev->kind);
                break;
        case QN_DISTINCT_LABEL:
                t->labels |= ev->labels;
                t->n = (uint32_t)__builtin_popcountll(t->labels);
                break;
        default:
                count_text(t, qn_event_get(ev, distinct));
        }
}

static void tally_events(struct qn_eval *e, const struct qn_rule_cond *of,
                         const struct qn_rule_cond *count, struct qn_scope scope, struct tally *t)
{
        const struct qn_event *ev;
        const struct qn_hits *h;
        uint32_t i, to;

        for (size_t k = 0; of->op == QN_COND_ANY && k < of->n; k++)
                tally_events(e, of->kids[k], count, scope, t);
        if (of->op != QN_COND_EVENT)
                return;
        h = hits_of(e, of->pattern);
        in_file(e, h, scope.file, &i, &to);
        while (t->n < count->at_least && (ev = next_hit(e, of->pattern, scope, h, &i, to)))
                count_event(t, e, ev, count->distinct);
}

static bool count_true(struct qn_eval *e, const struct qn_rule_cond *c, struct qn_scope scope)
{
        struct tally t;

        t.n = 0;
        t.labels = 0;
        tally_events(e, c->kids[0], c, scope, &t);
        return t.n >= c->at_least;
}

uint32_t qn_eval_count(struct qn_eval *e, const struct qn_rule_cond *c, struct qn_scope scope,
                       uint32_t most)
{
        const struct qn_hits *h;
        uint32_t n = 0, i, to;

        for (size_t k = 0; c->op == QN_COND_ANY && k < c->n && n < most; k++)
                n += qn_eval_count(e, c->kids[k], scope, most - n);
        if (c->op != QN_COND_EVENT)
                return n;
        h = hits_of(e, c->pattern);
        in_file(e, h, scope.file, &i, &to);
        while (n < most && next_hit(e, c->pattern, scope, h, &i, to))
                n++;
        return n;
}

/* --- conditions --- */

static bool all_true(struct qn_eval *e, const struct qn_rule_cond *c, struct qn_scope scope)
{
        for (size_t i = 0; i < c->n; i++)
                if (!qn_eval_cond(e, c->kids[i], scope))
                        return false;
        return true;
}

/* Finds the first file in which everything is true, among the files where the first part may be. */
static bool find_file(struct qn_eval *e, const struct qn_rule_cond *c,
                      const struct qn_rule_cond *first, struct qn_scope *scope)
{
        const struct qn_hits *h;
        uint32_t last = QN_ANY_FILE;

        for (size_t i = 0; first->op != QN_COND_EVENT && i < first->n; i++) {
                if (first->kids[i]->op == QN_COND_NOT)
                        continue;
                if (find_file(e, c, first->kids[i], scope))
                        return true;
                if (first->op != QN_COND_ANY && first->op != QN_COND_COUNT)
                        return false; /* every part must be there: the first one names all files */
        }
        if (first->op != QN_COND_EVENT)
                return false;
        h = hits_of(e, first->pattern);
        for (uint32_t i = 0; i < h->n; i++) {
                struct qn_scope one = { scope->phases, e->set->events[h->at[i]].file };

                if (one.file == last || (scope->file != QN_ANY_FILE && scope->file != one.file))
                        continue;
                last = one.file;
                if (all_true(e, c, one)) {
                        *scope = one;
                        return true;
                }
        }
        return false;
}

static bool find_phase(struct qn_eval *e, const struct qn_rule_cond *c, struct qn_scope *scope)
{
        for (unsigned p = 0; p < QN_PHASE_MAX; p++) {
                struct qn_scope one = { (uint8_t)(scope->phases & 1u << p), scope->file };

                if (one.phases && all_true(e, c, one)) {
                        *scope = one;
                        return true;
                }
        }
        return false;
}

static bool any_true(struct qn_eval *e, const struct qn_rule_cond *c, struct qn_scope scope)
{
        for (size_t i = 0; i < c->n; i++)
                if (qn_eval_cond(e, c->kids[i], scope))
                        return true;
        return false;
}

bool qn_eval_cond(struct qn_eval *e, const struct qn_rule_cond *c, struct qn_scope scope)
{
        switch (c->op) {
        case QN_COND_EVENT:
                return pattern_true(e, c->pattern, scope);
        case QN_COND_ALL:
                return all_true(e, c, scope);
        case QN_COND_ANY:
                return any_true(e, c, scope);
        case QN_COND_NOT:
                return !qn_eval_cond(e, c->kids[0], scope);
        case QN_COND_COUNT:
                return count_true(e, c, scope);
        case QN_COND_SAME_FILE:
                return find_file(e, c, c->kids[0], &scope);
        case QN_COND_SAME_PHASE:
                return find_phase(e, c, &scope);
        }
        return false;
}

size_t qn_eval_strength(struct qn_eval *e, const struct qn_rule_cond *c, struct qn_scope scope)
{
        size_t n = 0;

        if (c->op == QN_COND_EVENT || c->op == QN_COND_COUNT)
                return c->op == QN_COND_EVENT ? 1 : c->at_least;
        if (c->op == QN_COND_NOT)
                return 0;
        if ((c->op == QN_COND_SAME_FILE && !find_file(e, c, c->kids[0], &scope)) ||
            (c->op == QN_COND_SAME_PHASE && !find_phase(e, c, &scope)))
                return 0;
        for (size_t i = 0; i < c->n; i++) {
                if (c->op != QN_COND_ANY)
                        n += qn_eval_strength(e, c->kids[i], scope);
                else if (qn_eval_cond(e, c->kids[i], scope))
                        n = QN_MAX(n, qn_eval_strength(e, c->kids[i], scope));
        }
        return n;
}

/* --- evidence --- */

struct leaf {
        const struct qn_pattern *pattern;
        struct qn_scope scope;
};

struct leaves {
        struct leaf list[LEAVES_MAX];
        size_t n;
};

/* The patterns that made a true condition true, each with the scope it was true in. */
static void find_leaves(struct qn_eval *e, const struct qn_rule_cond *c, struct qn_scope scope,
                        struct leaves *l)
{
        bool counted = c->op == QN_COND_COUNT;

        if (c->op == QN_COND_NOT)
                return;
        if (c->op == QN_COND_EVENT) {
                if (l->n < LEAVES_MAX)
                        l->list[l->n++] = (struct leaf){ c->pattern, scope };
                return;
        }
        if (c->op == QN_COND_SAME_FILE && !find_file(e, c, c->kids[0], &scope))
                return;
        if (c->op == QN_COND_SAME_PHASE && !find_phase(e, c, &scope))
                return;
        for (size_t i = 0; i < c->n; i++)
                if (counted || c->op != QN_COND_ANY || qn_eval_cond(e, c->kids[i], scope))
                        find_leaves(e, c->kids[i], scope, l);
}

/* How sure each layer is: what ran outweighs what was read. */
static const uint8_t layer_weight[QN_LAYER_MAX] = {
        [QN_LAYER_DETONATED] = 6, [QN_LAYER_EMULATED] = 5, [QN_LAYER_INTEL] = 4,
        [QN_LAYER_HOST] = 4,      [QN_LAYER_STATIC] = 3,   [QN_LAYER_DIFF] = 2,
        [QN_LAYER_METADATA] = 1,
};

/* Whether a tells more than b; on a tie the earlier one does. */
static bool tells_more(const struct qn_event *a, const struct qn_event *b)
{
        int c = layer_weight[a->layer] - layer_weight[b->layer];

        if (c == 0)
                c = b->phase - a->phase;
        if (c == 0)
                c = __builtin_popcountll(a->labels) - __builtin_popcountll(b->labels);
        if (c == 0)
                c = a->n_attrs - b->n_attrs;
        return c > 0 || (c == 0 && a < b);
}

static bool chosen(const struct qn_finding *f, const struct qn_event *ev)
{
        for (size_t i = 0; i < f->n_evidence; i++)
                if (f->evidence[i] == ev)
                        return true;
        return false;
}

static const struct qn_event *best_of(struct qn_eval *e, const struct leaf *leaf,
                                      const struct qn_finding *f)
{
        const struct qn_hits *h = hits_of(e, leaf->pattern);
        const struct qn_event *best = NULL, *ev;
        uint32_t i, to;

        in_file(e, h, leaf->scope.file, &i, &to);
        while ((ev = next_hit(e, leaf->pattern, leaf->scope, h, &i, to)))
                if ((!best || tells_more(ev, best)) && !chosen(f, ev))
                        best = ev;
        return best;
}

static void note_place(struct qn_finding *f, const struct qn_event *ev)
{
        if (layer_weight[ev->layer] > layer_weight[f->layer])
                f->layer = ev->layer;
        f->phase = QN_MIN(f->phase, ev->phase);
}

void qn_eval_evidence(struct qn_eval *e, const struct qn_rule_cond *c, struct qn_scope scope,
                      struct qn_finding *f)
{
        struct leaves l = { .n = 0 };
        bool more = true;

        find_leaves(e, c, scope, &l);
        f->layer = QN_LAYER_METADATA;
        f->phase = QN_PHASE_NEVER;
        while (more) {
                more = false;
                for (size_t i = 0; i < l.n && f->n_evidence < QN_EVIDENCE_MAX; i++) {
                        const struct qn_event *ev = best_of(e, &l.list[i], f);

                        if (!ev)
                                continue;
                        f->evidence[f->n_evidence++] = ev;
                        note_place(f, ev);
                        more = f->n_evidence < QN_EVIDENCE_MAX;
                }
        }
}
