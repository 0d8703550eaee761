#include "watch/policy.h"

#include <errno.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/limits.h"
#include "gate/conf.h"
#include "parse/json.h"

/* Kept in step with data/watch/policy.yaml, where the reasons are; a test compares them. */
void qn_watch_policy_defaults(struct qn_watch_policy *p)
{
        *p = (struct qn_watch_policy){ .automatic = 90,
                                       .review = 40,
                                       .told_from = QN_MALICIOUS,
                                       .told_cleared = true,
                                       .scan_rules = true,
                                       .scan_intel = true };
}

/* --- the file --- */

static int take_score(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        uint32_t score = QN_WATCH_NEVER, *ret = to;
        int r = 0;

        if (!qn_str_is(qn_node_text(n), "never")) {
                r = qn_conf_u32(c, key, n, &score);
                if (r == 0 && score > 100)
                        r = qn_conf_wrong(c, n, "%s is a score from 0 to 100, or never", key);
        }
        if (r == 0)
                *ret = score;
        return r;
}

static int take_level(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        static const char *const words[] = { "none", "suspicious", "malicious", NULL };
        static const enum qn_verdict_kind kinds[] = { QN_CLEAN, QN_SUSPICIOUS, QN_MALICIOUS };
        unsigned word;
        int r = qn_conf_word(c, key, n, words, &word);

        if (r == 0)
                *(enum qn_verdict_kind *)to = kinds[word];
        return r;
}

#define AT(member) offsetof(struct qn_watch_policy, member)
#define SECTION(name, ...)                                                                  \
        static int take_##name(struct qn_conf *c, const char *key, const struct qn_node *n, \
                               void *to)                                                    \
        {                                                                                   \
                static const struct qn_conf_key keys[] = { __VA_ARGS__ };                   \
                                                                                            \
                return qn_conf_keys(c, n, key, keys, QN_ARRAY_SIZE(keys), to);              \
        }

SECTION(bands, { "automatic", take_score, AT(automatic) }, { "review", take_score, AT(review) })
SECTION(reports, { "automatic", qn_conf_bool, AT(reports_automatic) },
        { "confirmed", qn_conf_bool, AT(reports_confirmed) })
SECTION(notifications, { "level", take_level, AT(told_from) },
        { "unreviewed", qn_conf_bool, AT(told_unreviewed) },
        { "cleared", qn_conf_bool, AT(told_cleared) })
SECTION(scan, { "rules", qn_conf_bool, AT(scan_rules) },
        { "intelligence", qn_conf_bool, AT(scan_intel) })

static int read_policy(struct qn_conf *c, struct qn_str text, struct qn_watch_policy *p)
{
        static const struct qn_conf_key keys[] = {
                { "bands", take_bands, 0 },
                { "reports", take_reports, 0 },
                { "notifications", take_notifications, 0 },
                { "back-scan", take_scan, 0 },
        };
        const struct qn_node *root;
        int r = qn_conf_parse(c, text, &root);

        return r < 0 || !root ? r : qn_conf_keys(c, root, "a policy", keys, QN_ARRAY_SIZE(keys), p);
}

int qn_watch_policy_parse(struct qn_str text, const char *path, struct qn_watch_policy *ret,
                          struct qn_err *reterr)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(QN_GATE_ARENA_MAX);
        struct qn_conf c = { .a = &a, .path = path, .err = reterr };
        struct qn_watch_policy p;
        int r;

        qn_watch_policy_defaults(&p);
        r = read_policy(&c, text, &p);
        if (r == 0)
                *ret = p;
        return r;
}

int qn_watch_policy_load(const char *path, struct qn_watch_policy *ret, struct qn_err *reterr)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(QN_GATE_ARENA_MAX);
        struct qn_conf c = { .a = &a, .path = path, .err = reterr };
        struct qn_str text;
        int r = qn_conf_load(&c, &text);

        return r < 0 ? r : qn_watch_policy_parse(text, path, ret, reterr);
}

/* --- what follows from it --- */

enum qn_watch_band qn_watch_policy_band(const struct qn_watch_policy *p, enum qn_verdict_kind v,
                                        unsigned score)
{
        if (v == QN_MALICIOUS)
                return score >= p->automatic ? QN_BAND_AUTOMATIC : QN_BAND_REVIEW;
        return v == QN_SUSPICIOUS && score >= p->review ? QN_BAND_REVIEW : QN_BAND_NONE;
}

bool qn_watch_policy_acts(const struct qn_watch_policy *p, const struct qn_watch_case *c)
{
        if (c->verdict != QN_MALICIOUS || c->waits)
                return false;
        return c->decided || qn_watch_policy_band(p, c->verdict, c->score) == QN_BAND_AUTOMATIC;
}

bool qn_watch_policy_reports(const struct qn_watch_policy *p, const struct qn_watch_case *c)
{
        return qn_watch_policy_acts(p, c) &&
               (c->decided ? p->reports_confirmed : p->reports_automatic);
}

bool qn_watch_policy_tells(const struct qn_watch_policy *p, const struct qn_watch_case *c)
{
        if (p->told_from == QN_CLEAN)
                return false;
        if (c->verdict == QN_CLEAN)
                return p->told_cleared;
        if (c->verdict < p->told_from)
                return false;
        return c->decided || p->told_unreviewed || qn_watch_policy_acts(p, c);
}
