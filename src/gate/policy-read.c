/* policy-read.c - the operator's file → the policy.  What is wrong is told with its line and what to do. */
#include <errno.h>

#include "base/buf.h"
#include "base/limits.h"
#include "gate/conf.h"
#include "gate/policy-priv.h"
#include "parse/json.h"
#include "parse/semver.h"

#define HOUR INT64_C(3600000)
#define DAY  (24 * HOUR)

/* Kept in step with data/gate/policy.yaml, where the reasons are; a test compares them. */
void qn_policy_defaults(struct qn_policy *p)
{
        static const uint8_t words[QN_SETTINGS] = {
                [QN_SET_KNOWN_MALICIOUS] = QN_WORD_BLOCK,
                [QN_SET_KNOWN_SUSPICIOUS] = QN_WORD_WARN,
                [QN_SET_KNOWN_VULNERABLE] = QN_WORD_ALLOW,
                [QN_SET_MALICIOUS] = QN_WORD_BLOCK,
                [QN_SET_SUSPICIOUS] = QN_WORD_WARN,
                [QN_SET_UNKNOWN] = QN_WORD_QUARANTINE,
                [QN_SET_AGE] = QN_WORD_BLOCK,
                [QN_SET_UNDATED] = QN_WORD_BLOCK,
                [QN_SET_HOOKS_NEW] = QN_WORD_QUARANTINE,
                [QN_SET_HOOKS_ALL] = QN_WORD_ALLOW,
                [QN_SET_PROVENANCE] = QN_WORD_WARN,
                [QN_SET_LOOKALIKE] = QN_WORD_WARN,
        };

        memcpy(p->words, words, sizeof words);
        p->mode = QN_POLICY_ENFORCE;
        p->age = 24 * HOUR;
        p->release_after = QN_NEVER;
        p->budget = 5000;
}

/* --- single values --- */

static int take_word(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        unsigned word;
        int r = qn_conf_word(c, key, n, qn_policy_words, &word);

        if (r == 0)
                *(uint8_t *)to = (uint8_t)word;
        return r;
}

static int word_of_mode(struct qn_conf *c, const char *key, const struct qn_node *n,
                        enum qn_policy_mode *ret)
{
        static const char *const modes[] = { "enforce", "warn", "observe", NULL };
        unsigned mode;
        int r = qn_conf_word(c, key, n, modes, &mode);

        if (r == 0)
                *ret = (enum qn_policy_mode)mode;
        return r;
}

static int take_mode(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        return word_of_mode(c, key, n, to);
}

static int take_budget(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        int64_t *ms = to;
        int r = qn_conf_duration(c, key, n, ms);

        if (r == 0 && (*ms < 100 || *ms > (int64_t)QN_POLICY_BUDGET_MAX_MS))
                return qn_conf_wrong(c, n, "%s is between 100ms and %us", key,
                                     QN_POLICY_BUDGET_MAX_MS / 1000);
        return r;
}

static bool is_never(const struct qn_node *n)
{
        return qn_str_is(qn_node_text(n), "never");
}

static int take_release(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        int64_t *ms = to;

        if (is_never(n)) {
                *ms = QN_NEVER;
                return 0;
        }
        return qn_conf_duration(c, key, n, ms);
}

static int take_pattern(struct qn_conf *c, const struct qn_node *at, struct qn_str text,
                        struct qn_policy_pattern *ret)
{
        struct qn_str kept = qn_arena_dup(c->a, text);
        const char *why;

        if (!kept.p)
                return qn_conf_memory(c);
        return qn_policy_pattern(kept, ret, &why) < 0 ? qn_conf_wrong(c, at, "%s", why) : 0;
}

/* --- names and patterns → values --- */

typedef int take_entry_fn(struct qn_conf *c, const char *key, const struct qn_node *n,
                          struct qn_policy_entry *to);

static int take_map(struct qn_conf *c, const char *key, const struct qn_node *n,
                    take_entry_fn *take, struct qn_policy_map *ret)
{
        struct qn_policy_map m = { 0 };
        int r = qn_conf_is_map(c, n, key);

        if (r < 0)
                return r;
        if (n->n > QN_POLICY_ENTRIES_MAX)
                return qn_conf_wrong(c, n, "%s has more than %u entries", key,
                                     QN_POLICY_ENTRIES_MAX);
        m.v = qn_arena_calloc(c->a, n->n + 1, sizeof *m.v);
        if (!m.v)
                return qn_conf_memory(c);
        for (; r == 0 && m.n < n->n; m.n++) {
                r = take_pattern(c, n->items[m.n], n->keys[m.n], &m.v[m.n].pattern);
                if (r == 0)
                        r = take(c, key, n->items[m.n], &m.v[m.n]);
                m.n_exact += m.v[m.n].pattern.exact;
        }
        if (r < 0)
                return r;
        if (m.n)
                qsort(m.v, m.n, sizeof *m.v, qn_policy_map_cmp);
        *ret = m;
        return 0;
}

static int entry_mode(struct qn_conf *c, const char *key, const struct qn_node *n,
                      struct qn_policy_entry *to)
{
        enum qn_policy_mode mode = QN_POLICY_ENFORCE;
        int r = word_of_mode(c, key, n, &mode);

        to->value = (int64_t)QN_POLICY_OBSERVE - (int64_t)mode;
        return r;
}

static int take_modes(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        return take_map(c, key, n, entry_mode, to);
}

static int entry_age(struct qn_conf *c, const char *key, const struct qn_node *n,
                     struct qn_policy_entry *to)
{
        return qn_conf_duration(c, key, n, &to->value);
}

static int take_ages(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        return take_map(c, key, n, entry_age, to);
}

/* The name of an upstream; nothing: it is said nowhere where it lives; false: not owned after all. */
static int entry_owned(struct qn_conf *c, const char *key, const struct qn_node *n,
                       struct qn_policy_entry *to)
{
        to->value = !qn_node_is(n, QN_NODE_BOOL) || n->boolean;
        to->text = QN_STR("");
        if (qn_node_is(n, QN_NODE_NULL) || qn_node_is(n, QN_NODE_BOOL))
                return 0;
        return qn_conf_text(c, key, n, &to->text);
}

static int take_owned(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        return take_map(c, key, n, entry_owned, to);
}

/* --- sections --- */

#define AT(member) offsetof(struct qn_policy, member)
#define WORD(set)  (AT(words) + (set))
#define SECTION(name, ...)                                                                  \
        static int take_##name(struct qn_conf *c, const char *key, const struct qn_node *n, \
                               void *to)                                                    \
        {                                                                                   \
                static const struct qn_conf_key keys[] = { __VA_ARGS__ };                   \
                                                                                            \
                return qn_conf_keys(c, n, key, keys, QN_ARRAY_SIZE(keys), to);              \
        }

SECTION(intelligence, { "malicious", take_word, WORD(QN_SET_KNOWN_MALICIOUS) },
        { "suspicious", take_word, WORD(QN_SET_KNOWN_SUSPICIOUS) },
        { "vulnerable", take_word, WORD(QN_SET_KNOWN_VULNERABLE) })
SECTION(verdict, { "malicious", take_word, WORD(QN_SET_MALICIOUS) },
        { "suspicious", take_word, WORD(QN_SET_SUSPICIOUS) })
SECTION(unknown, { "action", take_word, WORD(QN_SET_UNKNOWN) },
        { "budget", take_budget, AT(budget) })
SECTION(quarantine, { "release-after", take_release, AT(release_after) })
SECTION(age, { "default", qn_conf_duration, AT(age) }, { "packages", take_ages, AT(ages) },
        { "new-package", qn_conf_duration, AT(new_package) },
        { "action", take_word, WORD(QN_SET_AGE) }, { "undated", take_word, WORD(QN_SET_UNDATED) })
SECTION(hooks, { "new", take_word, WORD(QN_SET_HOOKS_NEW) },
        { "all", take_word, WORD(QN_SET_HOOKS_ALL) })
SECTION(provenance, { "lost", take_word, WORD(QN_SET_PROVENANCE) })

static int take_exceptions(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        return qn_policy_read_exceptions(c, key, n, to);
}

static int take_overrides(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        return qn_policy_read_overrides(c, key, n, to);
}

/* Cases that the policy is tested with: see policy-cases.h. */
static int skip(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        (void)to;
        return qn_conf_is_list(c, n, key, QN_POLICY_CASES_MAX);
}

/* What is worse may not be let through more easily. */
static int check_order(struct qn_conf *c, const struct qn_node *root, const char *key,
                       const uint8_t *words, enum qn_policy_setting worse,
                       enum qn_policy_setting better)
{
        if (words[worse] >= words[better])
                return 0;
        return qn_conf_wrong(c, qn_node_get(root, key),
                             "%s: malicious is \"%s\", and what is less bad \"%s\": raise it", key,
                             qn_policy_words[words[worse]], qn_policy_words[words[better]]);
}

int qn_policy_read(struct qn_conf *c, const struct qn_node *root, struct qn_policy *p)
{
        static const struct qn_conf_key keys[] = {
                { "mode", take_mode, AT(mode) },
                { "mode-for", take_modes, AT(modes) },
                { "contact", qn_conf_text, AT(contact) },
                { "intelligence", take_intelligence, 0 },
                { "verdict", take_verdict, 0 },
                { "unknown", take_unknown, 0 },
                { "quarantine", take_quarantine, 0 },
                { "minimum-age", take_age, 0 },
                { "install-hooks", take_hooks, 0 },
                { "provenance", take_provenance, 0 },
                { "look-alikes", take_word, WORD(QN_SET_LOOKALIKE) },
                { "owned", take_owned, AT(owned) },
                { "exceptions", take_exceptions, AT(exceptions) },
                { "overrides", take_overrides, AT(overrides) },
                { "tests", skip, 0 },
        };
        int r = root ? qn_conf_keys(c, root, "a policy", keys, QN_ARRAY_SIZE(keys), p) : 0;

        if (r == 0)
                r = check_order(c, root, "intelligence", p->words, QN_SET_KNOWN_MALICIOUS,
                                QN_SET_KNOWN_SUSPICIOUS);
        if (r == 0)
                r = check_order(c, root, "intelligence", p->words, QN_SET_KNOWN_MALICIOUS,
                                QN_SET_KNOWN_VULNERABLE);
        if (r == 0)
                r = check_order(c, root, "verdict", p->words, QN_SET_MALICIOUS, QN_SET_SUSPICIOUS);
        return r;
}
