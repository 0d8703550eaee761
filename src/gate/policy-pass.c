/* policy-pass.c - exceptions from single rules, and overrides of all of them, out of the operator's file. */
#include <errno.h>

#include "base/buf.h"
#include "base/limits.h"
#include "gate/conf.h"
#include "gate/policy-priv.h"
#include "parse/json.h"
#include "parse/packument.h"
#include "parse/semver.h"

#define DAY_MS   INT64_C(86400000)
#define ANY_RULE ((1u << QN_RULES) - 1)
#define AT(m)    offsetof(struct qn_policy_pass, m)

static int keep_range(struct qn_conf *c, struct qn_policy_pass *p)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)1 << 20);

        if (qn_range_format(p->range, &b) < 0)
                return qn_conf_memory(c);
        if (qn_str_is(qn_buf_view(&b), "*")) { /* also prereleases, which no range of npm's has */
                p->range = NULL;
                return 0;
        }
        p->range_text = qn_arena_dup(c->a, qn_buf_view(&b));
        return p->range_text.p ? 0 : qn_conf_memory(c);
}

static int take_range(struct qn_conf *c, const struct qn_node *n, struct qn_str text,
                      struct qn_policy_pass *p)
{
        struct qn_str kept = qn_arena_dup(c->a, qn_str_trim(text));
        int r;

        if (!kept.p)
                return qn_conf_memory(c);
        if (!kept.n)
                return qn_conf_wrong(c, n, "a version or a range is missing behind the @");
        r = qn_range_parse(kept, QN_SEMVER_LOOSE, c->a, &p->range);
        if (r == -ENOBUFS)
                return qn_conf_memory(c);
        if (r < 0)
                return qn_conf_wrong(c, n, "behind the @ is a version or a range such as ^1.2.0");
        return keep_range(c, p);
}

/* "left-pad", "left-pad@1.3.0", "@acme/<any>@^2". */
static int take_package(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        struct qn_policy_pass *p = to;
        struct qn_str name;
        const char *why;
        ptrdiff_t at;
        int r = qn_conf_text(c, key, n, &name);

        if (r < 0)
                return r;
        at = qn_str_rchr(name, '@');
        p->range_text = QN_STR("");
        if (at > 0) {
                r = take_range(c, n, qn_str_skip(name, (size_t)at + 1), p);
                name = qn_str_take(name, (size_t)at);
        }
        if (r == 0 && qn_policy_pattern(name, &p->pattern, &why) < 0)
                return qn_conf_wrong(c, n, "%s: %s", key, why);
        return r;
}

static int take_rules(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        unsigned *rules = to, rule;
        int r = qn_conf_is_list(c, n, key, QN_RULES);

        if (r == 0 && !n->n)
                return qn_conf_wrong(c, n, "%s is empty: name the rules that do not apply", key);
        for (size_t i = 0; r == 0 && i < n->n; i++) {
                r = qn_conf_word(c, "a rule", n->items[i], qn_policy_rule_names, &rule);
                if (r == 0 && rule == QN_RULE_OWNED)
                        return qn_conf_wrong(c, n->items[i],
                                             "there is no exception from owned: say false there");
                if (r == 0)
                        *rules |= 1u << rule;
        }
        return r;
}

static int take_expires(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        if (qn_str_is(qn_node_text(n), "never")) {
                *(int64_t *)to = QN_NEVER;
                return 0;
        }
        return qn_conf_time(c, key, n, to);
}

struct form {
        const char *what, *key; /* "an exception", "exceptions" */
        const struct qn_conf_key *keys;
        size_t n_keys;
        const char *const *needed; /* ends with NULL */
        int (*check)(struct qn_conf *c, const struct qn_node *n, struct qn_policy_pass *p);
};

static int take_pass(struct qn_conf *c, const struct form *f, const struct qn_node *n,
                     struct qn_policy_pass *p)
{
        int r;

        *p = (struct qn_policy_pass){ .since = INT64_MIN, .until = QN_NEVER };
        r = qn_conf_keys(c, n, f->what, f->keys, f->n_keys, p);
        for (unsigned i = 0; r == 0 && f->needed[i]; i++) {
                const struct qn_node *v = qn_node_get(n, f->needed[i]);

                if (!v || qn_node_is(v, QN_NODE_NULL))
                        return qn_conf_wrong(c, n, "%s without `%s`: add it", f->what,
                                             f->needed[i]);
        }
        if (r == 0 && p->until <= p->since)
                return qn_conf_wrong(c, qn_node_get(n, "expires"),
                                     "%s that expires before it begins", f->what);
        return r == 0 && f->check ? f->check(c, n, p) : r;
}

static int take_passes(struct qn_conf *c, const struct form *f, const struct qn_node *n,
                       struct qn_policy_passes *ret)
{
        struct qn_policy_passes p = { 0 };
        int r = qn_conf_is_list(c, n, f->key, QN_POLICY_EXCEPTIONS_MAX);

        if (r < 0)
                return r;
        p.v = qn_arena_calloc(c->a, n->n + 1, sizeof *p.v);
        if (!p.v)
                return qn_conf_memory(c);
        for (; r == 0 && p.n < n->n; p.n++)
                r = take_pass(c, f, n->items[p.n], &p.v[p.n]);
        if (r < 0)
                return r;
        qn_policy_passes_sort(&p);
        *ret = p;
        return 0;
}

int qn_policy_read_exceptions(struct qn_conf *c, const char *key, const struct qn_node *n,
                              struct qn_policy_passes *ret)
{
        static const struct qn_conf_key keys[] = {
                { "package", take_package, 0 },         { "rules", take_rules, AT(rules) },
                { "reason", qn_conf_text, AT(reason) }, { "owner", qn_conf_text, AT(who) },
                { "since", qn_conf_time, AT(since) },   { "expires", take_expires, AT(until) },
        };
        static const char *const needed[] = {
                "package", "rules", "reason", "owner", "expires", NULL
        };
        const struct form form = { "an exception", key, keys, QN_ARRAY_SIZE(keys), needed, NULL };

        return take_passes(c, &form, n, ret);
}

/* One package, by one person, for a short time. */
static int check_override(struct qn_conf *c, const struct qn_node *n, struct qn_policy_pass *p)
{
        const int64_t longest = (int64_t)QN_POLICY_OVERRIDE_DAYS * DAY_MS;

        if (!p->pattern.exact)
                return qn_conf_wrong(c, qn_node_get(n, "package"),
                                     "an override names one package, not a pattern");
        if (p->until - p->since > longest)
                return qn_conf_wrong(c, qn_node_get(n, "expires"),
                                     "an override expires within %u days of `since`",
                                     QN_POLICY_OVERRIDE_DAYS);
        p->rules = ANY_RULE;
        return 0;
}

int qn_policy_read_overrides(struct qn_conf *c, const char *key, const struct qn_node *n,
                             struct qn_policy_passes *ret)
{
        static const struct qn_conf_key keys[] = {
                { "package", take_package, 0 },         { "by", qn_conf_text, AT(who) },
                { "reason", qn_conf_text, AT(reason) }, { "since", qn_conf_time, AT(since) },
                { "expires", qn_conf_time, AT(until) },
        };
        static const char *const needed[] = { "package", "by", "reason", "since", "expires", NULL };
        const struct form form = { "an override",       key,    keys,
                                   QN_ARRAY_SIZE(keys), needed, check_override };

        return take_passes(c, &form, n, ret);
}
