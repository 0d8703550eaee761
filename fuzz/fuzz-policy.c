/* A policy and facts behind a line of its own ("\n%%\n"): what is wrong is told, decisions are pure, their reasons fit a
 * terminal, and they hold exactly as long as they say. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/unicode.h"
#include "base/utf8.h"
#include "gate/policy-cases.h"
#include "gate/policy.h"
#include "parse/packument.h"

#define NOW INT64_C(1795960800000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text)
{
        struct qn_str s = qn_str_c(text);

        while (s.n) {
                uint32_t cp;
                size_t used = qn_utf8_next(s, &cp);

                if (qn_uc_hidden(cp))
                        abort();
                s = qn_str_skip(s, used);
        }
}

static uint8_t next(struct qn_str *s)
{
        uint8_t c = s->n ? (uint8_t)s->p[0] : 0;

        *s = qn_str_skip(*s, 1);
        return c;
}

static int64_t moment(struct qn_str *s)
{
        uint8_t c = next(s);

        if (c == 1)
                return QN_TIME_NONE;
        return c == 2 ? INT64_MAX - next(s) : NOW - (int64_t)c * c * next(s) * 7919;
}

static struct qn_policy_facts facts(struct qn_str s)
{
        uint8_t bits = next(&s);
        struct qn_policy_facts f = {
                .has_hooks = bits & 1,
                .hooks_new = bits & 2,
                .provenance_lost = bits & 4,
                .from_owned = bits & 8,
                .judged = bits & 16,
                .late = bits & 32,
                .known = next(&s) % (QN_KNOWN_MALICIOUS + 1),
                .verdict = next(&s) % (QN_MALICIOUS + 1),
                .published_ms = moment(&s),
                .first_ms = moment(&s),
        };

        f.name = qn_str_cut(&s, '\n');
        f.version = qn_str_cut(&s, '\n');
        f.lookalike = qn_str_cut(&s, '\n');
        f.known_id = qn_str_cut(&s, '\n');
        f.reason = f.known_why = s;
        return f;
}

static bool same(const struct qn_policy_decision *a, const struct qn_policy_decision *b)
{
        return a->action == b->action && a->mode == b->mode && a->excepted == b->excepted &&
               a->overridden == b->overridden && strcmp(a->rule, b->rule) == 0 &&
               strcmp(a->reason, b->reason) == 0;
}

static void check_steps(const struct qn_policy *p, const struct qn_policy_facts *f,
                        const struct qn_policy_decision *d)
{
        struct qn_policy_step steps[QN_POLICY_STEPS];
        unsigned decides = 0;

        qn_policy_explain(p, f, NOW, steps);
        for (unsigned i = 0; i < QN_POLICY_STEPS; i++) {
                check_text(steps[i].why);
                decides += steps[i].decides;
                if (steps[i].decides && strcmp(steps[i].why, d->reason) != 0)
                        abort();
        }
        if (decides != (d->rule[0] != '\0'))
                abort();
}

static void decide(const struct qn_policy *p, const struct qn_policy_facts *f)
{
        struct qn_policy_decision now, then;

        qn_policy_decide(p, f, NOW, &now);
        check_text(now.reason);
        if ((now.rule[0] == '\0') != (now.reason[0] == '\0') || now.until_ms <= NOW)
                abort();
        check_steps(p, f, &now);
        if (now.until_ms == INT64_MAX)
                return;
        qn_policy_decide(p, f, now.until_ms - 1, &then);
        if (!same(&now, &then))
                abort();
        qn_policy_decide(p, f, now.until_ms, &then);
        if (same(&now, &then) ||
            (qn_policy_changes_at(p, f->name, f->published_ms, NOW) > now.until_ms &&
             qn_policy_changes_at(p, f->name, f->first_ms, NOW) > now.until_ms))
                abort();
}

static void check_cases(const struct qn_policy *p, struct qn_str text)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        struct qn_policy_case *v;
        char wrong[QN_POLICY_CASE_BYTES];
        struct qn_policy_decision d;
        struct qn_err err = { 0 };
        size_t n;
        int r = qn_policy_cases(text, "p", &a, &v, &n, &err);

        if (r < 0 && !err.msg[0])
                abort();
        for (size_t i = 0; r == 0 && i < n; i++) {
                qn_policy_decide(p, &v[i].facts, v[i].at, &d);
                qn_policy_case_check(&v[i], &d, wrong);
                check_text(wrong);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct qn_str text = { (const char *)data, size }, rest = QN_STR("");
        ptrdiff_t cut = qn_str_find(text, QN_STR("\n%%\n"));
        struct qn_policy *p = NULL;
        struct qn_policy_facts f;
        struct qn_err err = { 0 };
        int r;

        if (cut >= 0) {
                rest = qn_str_skip(text, (size_t)cut + 4);
                text = qn_str_take(text, (size_t)cut);
        }
        r = qn_policy_parse(text, "p", &p, &err);
        if ((r == 0) != (p != NULL) || (r < 0 && !err.msg[0]))
                abort();
        if (!p)
                return 0;
        check_cases(p, text);
        f = facts(rest);
        decide(p, &f);
        qn_policy_free(p);
        return 0;
}
