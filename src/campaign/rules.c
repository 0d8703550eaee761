#include "campaign/rules.h"

#include <errno.h>

#include "base/arena.h"
#include "base/limits.h"
#include "observe/table.h"
#include "parse/json.h"

#define FILE_NAME "campaigns.yaml"

struct qn_campaign_rules {
        struct qn_campaign_rule *rules;
        size_t n;
        uint64_t deeds; /* 1 << qn_event_kind */
        const struct qn_node *hosts, *by_host, *by_address;
        uint32_t window;
};

static const char *const fact_names[QN_FACT_MAX] = { [QN_FACT_PACKAGES] = "packages",
                                                     [QN_FACT_OWNERS] = "owners",
                                                     [QN_FACT_SCOPES] = "scopes",
                                                     [QN_FACT_PEAK] = "peak",
#define X(id, name) [QN_FACT_SIGNS + QN_SIGN_##id] = name,
                                                     QN_SIGNS(X)
#undef X
};

static const char *fact_name(unsigned fact)
{
        return fact < QN_FACT_BY ? fact_names[fact]
                                 : qn_feature_name((enum qn_feature_kind)(fact - QN_FACT_BY));
}

static int fail(const struct qn_node *at, const char *why, struct qn_err *reterr)
{
        qn_fail(reterr, -EINVAL, 0, "%s", why);
        return qn_table_fail(reterr, FILE_NAME, at);
}

/* --- one rule --- */

/* "80%" or 5 */
static int read_amount(const struct qn_node *v, struct qn_campaign_need *n, struct qn_err *reterr)
{
        struct qn_str text = v->text;
        uint64_t number;

        n->percent = qn_str_ends(text, "%");
        if (n->percent)
                text = qn_str_take(text, text.n - 1);
        if ((v->type != QN_NODE_STRING && v->type != QN_NODE_NUMBER) ||
            qn_str_u64(text, &number) < 0 || number == 0 || number > UINT32_MAX ||
            (n->percent && number > 100))
                return fail(v, "this is neither a number nor a share such as 80%", reterr);
        n->at_least = (uint32_t)number;
        return 0;
}

static int read_need(struct qn_str key, const struct qn_node *v, struct qn_campaign_rule *rule,
                     struct qn_err *reterr)
{
        struct qn_campaign_need *n = &rule->needs[rule->n];

        if (rule->n == QN_CAMPAIGN_NEEDS_MAX)
                return fail(v, "these are more conditions than a rule may have", reterr);
        while (n->fact < QN_FACT_MAX && !qn_str_is(key, fact_name(n->fact)))
                n->fact++;
        if (n->fact == QN_FACT_MAX)
                return fail(v, "there is no such fact about a cluster", reterr);
        rule->n++;
        return read_amount(v, n, reterr);
}

static int read_verdict(const struct qn_node *v, enum qn_verdict_kind *ret, struct qn_err *reterr)
{
        if (qn_verdict_from_name(qn_node_text(v), ret) < 0 || *ret < QN_SUSPICIOUS)
                return fail(v, "the verdict is suspicious or malicious", reterr);
        return 0;
}

static int read_reach(const struct qn_node *list, uint32_t *ret, struct qn_err *reterr)
{
        for (size_t i = 0; i < list->n; i++) {
                unsigned s = 0;

                while (s < QN_SIGN_MAX &&
                       !qn_str_is(qn_node_text(list->items[i]), fact_names[QN_FACT_SIGNS + s]))
                        s++;
                if (s == QN_SIGN_MAX)
                        return fail(list->items[i], "there is no such sign of a version", reterr);
                *ret |= 1u << s;
        }
        return 0;
}

static int read_rule(const struct qn_node *node, struct qn_campaign_rule *rule,
                     struct qn_err *reterr)
{
        int r = 0;

        if (!qn_node_is(node, QN_NODE_OBJECT))
                return fail(node, "this is no rule", reterr);
        for (size_t i = 0; r == 0 && i < node->n; i++) {
                const struct qn_node *v = node->items[i];

                if (qn_str_is(node->keys[i], "id"))
                        rule->id = qn_node_text(v);
                else if (qn_str_is(node->keys[i], "title"))
                        rule->title = qn_node_text(v);
                else if (qn_str_is(node->keys[i], "verdict"))
                        r = read_verdict(v, &rule->verdict, reterr);
                else if (qn_str_is(node->keys[i], "reaches"))
                        r = read_reach(v, &rule->reaches, reterr);
                else
                        r = read_need(node->keys[i], v, rule, reterr);
        }
        if (r == 0 && (!rule->id.n || !rule->title.n || rule->verdict == QN_CLEAN || !rule->n ||
                       !rule->reaches))
                r = fail(node,
                         "a rule has an id, a title, a verdict, conditions, and whom it reaches",
                         reterr);
        return r;
}

/* --- the file --- */

static int read_rules(const struct qn_node *list, struct qn_arena *a, struct qn_campaign_rules *c,
                      struct qn_err *reterr)
{
        int r = 0;

        if (!qn_node_is(list, QN_NODE_ARRAY))
                return qn_fail(reterr, -EINVAL, 0, FILE_NAME ": there are no campaigns in it");
        if (list->n > QN_CAMPAIGN_RULES_MAX)
                return fail(list, "these are more campaigns than there may be", reterr);
        c->rules = qn_arena_calloc(a, list->n + 1, sizeof *c->rules);
        if (!c->rules)
                return -ENOMEM;
        for (; r == 0 && c->n < list->n; c->n++)
                r = read_rule(list->items[c->n], &c->rules[c->n], reterr);
        return r;
}

static int read_deeds(const struct qn_node *list, struct qn_campaign_rules *c,
                      struct qn_err *reterr)
{
        for (size_t i = 0; list && i < list->n; i++) {
                enum qn_event_kind kind;

                if (qn_event_from_name(qn_node_text(list->items[i]), &kind) < 0)
                        return fail(list->items[i], "there is no such event", reterr);
                c->deeds |= UINT64_C(1) << kind;
        }
        return 0;
}

int qn_campaign_rules_load(const char *data_dir, struct qn_arena *a, struct qn_campaign_rules **ret,
                           struct qn_err *reterr)
{
        struct qn_campaign_rules *c = qn_arena_calloc(a, 1, sizeof *c);
        const struct qn_node *root;
        uint64_t minutes;
        int r = c ? qn_table_read(data_dir, FILE_NAME, a, &root, reterr) : -ENOMEM;

        if (r < 0)
                return r;
        minutes = qn_node_u64(qn_node_get(root, "minutes"), 0);
        if (minutes == 0 || minutes > QN_CAMPAIGN_MINUTES_MAX)
                return qn_fail(reterr, -EINVAL, 0, FILE_NAME ": minutes is a number from 1 to %u",
                               QN_CAMPAIGN_MINUTES_MAX);
        c->window = (uint32_t)minutes * 60;
        c->hosts = qn_node_get(root, "common-hosts");
        c->by_host = qn_node_get(root, "host-classes");
        c->by_address = qn_node_get(root, "address-classes");
        r = read_deeds(qn_node_get(root, "deeds"), c, reterr);
        if (r == 0)
                r = read_rules(qn_node_get(root, "campaigns"), a, c, reterr);
        if (r == 0)
                *ret = c;
        return r;
}

/* --- questions --- */

static bool is_met(const struct qn_campaign_need *n, const uint32_t facts[QN_FACT_MAX])
{
        uint64_t have = facts[n->fact];

        return n->percent ? have * 100 >= (uint64_t)n->at_least * facts[QN_FACT_PACKAGES]
                          : have >= n->at_least;
}

static bool is_true(const struct qn_campaign_rule *rule, const uint32_t facts[QN_FACT_MAX])
{
        for (size_t i = 0; i < rule->n; i++)
                if (!is_met(&rule->needs[i], facts))
                        return false;
        return true;
}

const struct qn_campaign_rule *qn_campaign_rules_match(const struct qn_campaign_rules *r,
                                                       const uint32_t facts[QN_FACT_MAX])
{
        const struct qn_campaign_rule *best = NULL;

        for (size_t i = 0; i < r->n; i++)
                if ((!best || r->rules[i].verdict > best->verdict) && is_true(&r->rules[i], facts))
                        best = &r->rules[i];
        return best;
}

uint64_t qn_campaign_rules_true(const struct qn_campaign_rules *r,
                                const uint32_t facts[QN_FACT_MAX])
{
        uint64_t bits = 0;

        for (size_t i = 0; i < r->n; i++)
                bits |= (uint64_t)is_true(&r->rules[i], facts) << i;
        return bits;
}

enum qn_verdict_kind qn_campaign_rules_reach(const struct qn_campaign_rules *r, uint64_t rules,
                                             uint32_t signs)
{
        enum qn_verdict_kind worst = QN_CLEAN;

        for (size_t i = 0; i < r->n; i++)
                if (rules >> i & 1 && (r->rules[i].reaches & ~signs) == 0)
                        worst = QN_MAX(worst, r->rules[i].verdict);
        return worst;
}

const struct qn_campaign_rule *qn_campaign_rules_find(const struct qn_campaign_rules *r,
                                                      struct qn_str id)
{
        for (size_t i = 0; i < r->n; i++)
                if (qn_str_eq(r->rules[i].id, id))
                        return &r->rules[i];
        return NULL;
}

bool qn_campaign_is_deed(const struct qn_campaign_rules *r, unsigned event_kind)
{
        return r->deeds >> event_kind & 1;
}

bool qn_campaign_is_common_host(const struct qn_campaign_rules *r, struct qn_str host)
{
        for (size_t i = 0; r->hosts && i < r->hosts->n; i++) {
                struct qn_str h = qn_node_text(r->hosts->items[i]);

                if (host.n >= h.n && qn_str_eq(qn_str_skip(host, host.n - h.n), h) &&
                    (host.n == h.n || host.p[host.n - h.n - 1] == '.'))
                        return true;
        }
        return false;
}

static bool is_among(const struct qn_node *list, struct qn_str text)
{
        for (size_t i = 0; list && i < list->n; i++)
                if (qn_str_eq(text, qn_node_text(list->items[i])))
                        return true;
        return false;
}

bool qn_campaign_is_by_host(const struct qn_campaign_rules *r, struct qn_str class)
{
        return !class.n || is_among(r->by_host, class);
}

bool qn_campaign_is_by_address(const struct qn_campaign_rules *r, struct qn_str class)
{
        return is_among(r->by_address, class);
}

uint32_t qn_campaign_window(const struct qn_campaign_rules *r)
{
        return r->window;
}
