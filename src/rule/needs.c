/* needs.c - what a rule needs at least, derived from its condition: rules whose kinds of events are absent cost nothing. */
#include <errno.h>

#include "rule/cond.h"

struct needs {
        struct qn_arena *arena;
        struct qn_kinds *list;
        size_t n, cap;
};

static int add(struct needs *to, struct qn_kinds k)
{
        if (QN_ARENA_ROOM(to->arena, to->list, to->n, to->cap) < 0)
                return -ENOMEM;
        to->list[to->n++] = k;
        return 0;
}

static int collect(const struct qn_rule_cond *c, struct needs *to);

/* One need of each branch, together: whichever branch matches, one of these kinds is there.  A branch that needs nothing
 * makes the whole need nothing. */
static int collect_any(const struct qn_rule_cond *c, struct needs *to)
{
        struct qn_kinds all = { 0 };

        for (size_t i = 0; i < c->n; i++) {
                struct needs branch = { .arena = to->arena };
                int r = collect(c->kids[i], &branch);

                if (r < 0 || branch.n == 0)
                        return r;
                all.bits[0] |= branch.list[0].bits[0];
                all.bits[1] |= branch.list[0].bits[1];
        }
        return add(to, all);
}

static int collect(const struct qn_rule_cond *c, struct needs *to)
{
        int r = 0;

        switch (c->op) {
        case QN_COND_EVENT:
                return add(to, c->pattern->kinds);
        case QN_COND_ANY:
                return collect_any(c, to);
        case QN_COND_NOT:
                return 0;
        default:
                for (size_t i = 0; r == 0 && i < c->n; i++)
                        r = collect(c->kids[i], to);
                return r;
        }
}

int qn_compile_needs(struct qn_compiler *c, struct qn_compiled *rule)
{
        struct needs needs = { .arena = c->arena };
        int r = collect(rule->rule.when, &needs);

        if (r < 0)
                return r;
        rule->needs = needs.list;
        rule->n_needs = needs.n;
        return 0;
}
