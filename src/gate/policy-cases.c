#include "gate/policy-cases.h"

#include <errno.h>

#include "base/arena.h"
#include "base/limits.h"
#include "gate/conf.h"
#include "gate/policy-priv.h"
#include "parse/json.h"
#include "parse/packument.h"

#define DAY_MS     INT64_C(86400000)
#define USUAL_AT   INT64_C(1767225600000) /* 2026-01-01 */
#define USUAL_DAYS 1000
#define LEFT_OUT   INT64_MAX /* of a date of publication */

#define AT(m)   offsetof(struct qn_policy_case, m)
#define FACT(m) AT(facts.m)

const char *qn_policy_expect_name(enum qn_policy_expect e)
{
        return qn_policy_words[e];
}

enum qn_policy_expect qn_policy_outcome(const struct qn_policy_decision *d)
{
        if (d->action == QN_POLICY_ALLOW)
                return QN_EXPECT_ALLOW;
        if (d->mode == QN_POLICY_OBSERVE)
                return QN_EXPECT_OBSERVE;
        if (d->mode == QN_POLICY_WARN)
                return QN_EXPECT_WARN;
        return d->action == QN_POLICY_BLOCK ? QN_EXPECT_BLOCK : QN_EXPECT_QUARANTINE;
}

/* --- values --- */

static int take_package(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        struct qn_policy_facts *f = to;
        struct qn_str text;
        ptrdiff_t at;
        int r = qn_conf_text(c, key, n, &text);

        if (r < 0)
                return r;
        at = qn_str_rchr(text, '@');
        if (at <= 0 || (size_t)at + 1 == text.n)
                return qn_conf_wrong(c, n, "package is a name and a version: left-pad@1.3.1");
        f->name = qn_str_take(text, (size_t)at);
        f->version = qn_str_skip(text, (size_t)at + 1);
        return 0;
}

static int take_published(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        if (qn_str_is(qn_node_text(n), "unknown")) {
                *(int64_t *)to = QN_TIME_NONE;
                return 0;
        }
        return qn_conf_time(c, key, n, to);
}

static int take_until(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        if (qn_str_is(qn_node_text(n), "never")) {
                *(int64_t *)to = INT64_MAX;
                return 0;
        }
        return qn_conf_time(c, key, n, to);
}

static int take_hooks(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        static const char *const words[] = { "none", "old", "new", NULL };
        struct qn_policy_facts *f = to;
        unsigned i = 0;
        int r = qn_conf_word(c, key, n, words, &i);

        f->has_hooks = i > 0;
        f->hooks_new = i == 2;
        return r;
}

static int take_provenance(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        static const char *const words[] = { "kept", "lost", NULL };
        unsigned i = 0;
        int r = qn_conf_word(c, key, n, words, &i);

        ((struct qn_policy_facts *)to)->provenance_lost = i == 1;
        return r;
}

static int take_known(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        static const char *const words[] = {
                [QN_KNOWN_NOTHING] = "nothing",
                [QN_KNOWN_ALLOWED] = "allowed",
                [QN_KNOWN_VULNERABLE] = "vulnerable",
                [QN_KNOWN_SUSPICIOUS] = "suspicious",
                [QN_KNOWN_UNREADABLE] = "unreadable",
                [QN_KNOWN_MALICIOUS] = "malicious",
                NULL,
        };
        unsigned i = 0;
        int r = qn_conf_word(c, key, n, words, &i);

        ((struct qn_policy_facts *)to)->known = (enum qn_policy_known)i;
        return r;
}

static int take_verdict(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        static const char *const words[] = { "none",       "clean",     "unknown", "late",
                                             "suspicious", "malicious", NULL };
        static const enum qn_verdict_kind kinds[] = { QN_UNKNOWN, QN_CLEAN,      QN_UNKNOWN,
                                                      QN_UNKNOWN, QN_SUSPICIOUS, QN_MALICIOUS };
        struct qn_policy_facts *f = to;
        unsigned i = 0;
        int r = qn_conf_word(c, key, n, words, &i);

        f->judged = i > 0;
        f->late = i == 3;
        f->verdict = kinds[i];
        return r;
}

static int take_expect(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        unsigned i = 0;
        int r = qn_conf_word(c, key, n, qn_policy_words, &i);

        *(enum qn_policy_expect *)to = (enum qn_policy_expect)i;
        return r;
}

static int take_rule(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        unsigned i;
        int r = qn_conf_word(c, key, n, qn_policy_rule_names, &i);

        if (r == 0)
                *(struct qn_str *)to = qn_str_c(qn_policy_rule_names[i]);
        return r;
}

static int take_by(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        static const char *const words[] = { "nobody", "exception", "override", NULL };
        unsigned i = 0;
        int r = qn_conf_word(c, key, n, words, &i);

        *(int *)to = (int)i;
        return r;
}

static int take_case(struct qn_conf *c, const struct qn_node *n, struct qn_policy_case *ret)
{
        static const struct qn_conf_key keys[] = {
                { "name", qn_conf_text, AT(name) },
                { "package", take_package, AT(facts) },
                { "at", qn_conf_time, AT(at) },
                { "published", take_published, FACT(published_ms) },
                { "first-published", take_published, FACT(first_ms) },
                { "hooks", take_hooks, AT(facts) },
                { "provenance", take_provenance, AT(facts) },
                { "looks-like", qn_conf_text, FACT(lookalike) },
                { "from-owned", qn_conf_bool, FACT(from_owned) },
                { "known", take_known, AT(facts) },
                { "known-id", qn_conf_text, FACT(known_id) },
                { "known-why", qn_conf_text, FACT(known_why) },
                { "verdict", take_verdict, AT(facts) },
                { "reason", qn_conf_text, FACT(reason) },
                { "expect", take_expect, AT(expect) },
                { "rule", take_rule, AT(rule) },
                { "until", take_until, AT(until) },
                { "by", take_by, AT(by) },
                { "says", qn_conf_text, AT(says) },
        };
        struct qn_policy_facts *f = &ret->facts;
        int r;

        *ret = (struct qn_policy_case){
                .line = n->line, .at = USUAL_AT, .until = INT64_MIN, .by = -1
        };
        f->published_ms = f->first_ms = LEFT_OUT;
        r = qn_conf_keys(c, n, "a case", keys, QN_ARRAY_SIZE(keys), ret);
        if (r < 0)
                return r;
        if (!f->name.n || !qn_node_get(n, "expect"))
                return qn_conf_wrong(c, n, "a case without `%s`: add it",
                                     f->name.n ? "expect" : "package");
        if (f->published_ms == LEFT_OUT)
                f->published_ms = ret->at - USUAL_DAYS * DAY_MS;
        if (f->first_ms == LEFT_OUT)
                f->first_ms = ret->at - USUAL_DAYS * DAY_MS;
        return 0;
}

int qn_policy_cases(struct qn_str text, const char *path, struct qn_arena *a,
                    struct qn_policy_case **ret, size_t *ret_n, struct qn_err *reterr)
{
        struct qn_conf c = { .a = a, .path = path, .err = reterr };
        struct qn_policy_case *v;
        const struct qn_node *root, *list;
        size_t n;
        int r = qn_conf_parse(&c, text, &root);

        if (r < 0)
                return r;
        list = qn_node_is(root, QN_NODE_ARRAY) ? root : qn_node_get(root, "tests");
        if (qn_node_is(list, QN_NODE_NULL))
                list = NULL;
        r = list ? qn_conf_is_list(&c, list, "tests", QN_POLICY_CASES_MAX) : 0;
        if (r < 0)
                return r;
        n = list ? list->n : 0;
        v = qn_arena_calloc(a, n + 1, sizeof *v);
        if (!v)
                return qn_conf_memory(&c);
        for (size_t i = 0; r == 0 && i < n; i++)
                r = take_case(&c, list->items[i], &v[i]);
        if (r < 0)
                return r;
        *ret = v;
        *ret_n = n;
        return 0;
}

/* --- checking --- */

static const char *when(int64_t ms, char buf[QN_TIME_TEXT])
{
        struct qn_str s = qn_time_format(ms, buf);

        return ms == INT64_MAX || !s.n ? "never" : buf;
}

void qn_policy_case_check(const struct qn_policy_case *c, const struct qn_policy_decision *d,
                          char ret[QN_POLICY_CASE_BYTES])
{
        static const char *const by[] = { "nobody", "an exception", "an override" };
        enum qn_policy_expect is = qn_policy_outcome(d);
        int by_is = d->overridden ? 2 : d->excepted ? 1 : 0;
        char a[QN_TIME_TEXT], b[QN_TIME_TEXT];

        ret[0] = '\0';
        if (is != c->expect)
                snprintf(ret, QN_POLICY_CASE_BYTES, "it is %s%s%s, not %s",
                         qn_policy_expect_name(is), d->rule[0] ? " by " : "", d->rule,
                         qn_policy_expect_name(c->expect));
        else if (c->rule.p && !qn_str_is(c->rule, d->rule))
                snprintf(ret, QN_POLICY_CASE_BYTES, "the rule is %s, not %.*s",
                         d->rule[0] ? d->rule : "none", QN_STR_ARG(c->rule));
        else if (c->by >= 0 && c->by != by_is)
                snprintf(ret, QN_POLICY_CASE_BYTES, "%s lets it through, not %s", by[by_is],
                         by[c->by]);
        else if (c->until != INT64_MIN && c->until != d->until_ms)
                snprintf(ret, QN_POLICY_CASE_BYTES, "it holds until %s, not %s",
                         when(d->until_ms, a), when(c->until, b));
        else if (c->says.p && qn_str_find(qn_str_c(d->reason), c->says) < 0)
                snprintf(ret, QN_POLICY_CASE_BYTES, "it says: %s", d->reason);
}
