/* policy-decide.c - facts → decision.  Pure.  Every rule is asked; what is strictest counts, and of equals the first.
 * What time changes is found by asking again at each moment at which it may have changed something. */
#include "base/limits.h"
#include "gate/policy-priv.h"
#include "parse/packument.h"
#include "parse/semver.h"

#define OWN_LIST "OWN:" /* how ids of the organisation's own list begin */

struct ruling {
        enum qn_policy_rule rule; /* QN_RULES: none applies */
        struct qn_policy_outcome outcome;
        const struct qn_policy_pass *override;
};

int64_t qn_policy_later(int64_t ms, int64_t by)
{
        int64_t sum;

        return __builtin_add_overflow(ms, by, &sum) ? QN_NEVER : sum;
}

enum qn_policy_action qn_policy_word_action(enum qn_policy_word w)
{
        static const enum qn_policy_action actions[] = {
                [QN_WORD_ALLOW] = QN_POLICY_ALLOW, [QN_WORD_OBSERVE] = QN_POLICY_BLOCK,
                [QN_WORD_WARN] = QN_POLICY_BLOCK,  [QN_WORD_QUARANTINE] = QN_POLICY_QUARANTINE,
                [QN_WORD_BLOCK] = QN_POLICY_BLOCK,
        };

        return actions[w];
}

enum qn_policy_mode qn_policy_word_mode(enum qn_policy_word w, enum qn_policy_mode mode)
{
        enum qn_policy_mode own = w == QN_WORD_WARN      ? QN_POLICY_WARN
                                  : w == QN_WORD_OBSERVE ? QN_POLICY_OBSERVE
                                                         : QN_POLICY_ENFORCE;

        return QN_MAX(own, mode);
}

/* --- the rules: what is to be done, ALLOW where they do not apply --- */

typedef enum qn_policy_word rule_fn(const struct qn_policy *p, const struct qn_policy_facts *f,
                                    int64_t now);

static enum qn_policy_word ask_owned(const struct qn_policy *p, const struct qn_policy_facts *f,
                                     int64_t now)
{
        (void)now;
        return !f->from_owned && qn_policy_owned(p, f->name, NULL) ? QN_WORD_BLOCK : QN_WORD_ALLOW;
}

/* What feeds say about a name of the organisation's own is about a stranger's package of that name. */
static enum qn_policy_word ask_intelligence(const struct qn_policy *p,
                                            const struct qn_policy_facts *f, int64_t now)
{
        static const int8_t settings[] = {
                [QN_KNOWN_NOTHING] = -1,
                [QN_KNOWN_ALLOWED] = -1,
                [QN_KNOWN_VULNERABLE] = QN_SET_KNOWN_VULNERABLE,
                [QN_KNOWN_SUSPICIOUS] = QN_SET_KNOWN_SUSPICIOUS,
                [QN_KNOWN_UNREADABLE] = QN_SET_KNOWN_MALICIOUS,
                [QN_KNOWN_MALICIOUS] = QN_SET_KNOWN_MALICIOUS,
        };
        int set = settings[f->known];

        (void)now;
        if (set < 0 || (f->from_owned && f->known != QN_KNOWN_UNREADABLE &&
                        !qn_str_starts(f->known_id, OWN_LIST)))
                return QN_WORD_ALLOW;
        return p->words[set];
}

static enum qn_policy_word ask_verdict(const struct qn_policy *p, const struct qn_policy_facts *f,
                                       int64_t now)
{
        (void)now;
        if (!f->judged || f->verdict < QN_SUSPICIOUS)
                return QN_WORD_ALLOW;
        return p->words[f->verdict == QN_MALICIOUS ? QN_SET_MALICIOUS : QN_SET_SUSPICIOUS];
}

static enum qn_policy_word ask_unknown(const struct qn_policy *p, const struct qn_policy_facts *f,
                                       int64_t now)
{
        (void)now;
        return f->judged && f->verdict == QN_UNKNOWN ? p->words[QN_SET_UNKNOWN] : QN_WORD_ALLOW;
}

static enum qn_policy_word ask_age(const struct qn_policy *p, const struct qn_policy_facts *f,
                                   int64_t now)
{
        int64_t age = qn_policy_age_of(p, f->name);

        if (f->from_owned || (!age && !p->new_package))
                return QN_WORD_ALLOW;
        if (f->published_ms == QN_TIME_NONE)
                return p->words[QN_SET_UNDATED];
        if (now < qn_policy_later(f->published_ms, age) ||
            (f->first_ms != QN_TIME_NONE && now < qn_policy_later(f->first_ms, p->new_package)))
                return p->words[QN_SET_AGE];
        return QN_WORD_ALLOW;
}

static enum qn_policy_word ask_hooks(const struct qn_policy *p, const struct qn_policy_facts *f,
                                     int64_t now)
{
        (void)now;
        if (!f->has_hooks || f->from_owned)
                return QN_WORD_ALLOW;
        return f->hooks_new ? QN_MAX(p->words[QN_SET_HOOKS_NEW], p->words[QN_SET_HOOKS_ALL])
                            : p->words[QN_SET_HOOKS_ALL];
}

static enum qn_policy_word ask_provenance(const struct qn_policy *p,
                                          const struct qn_policy_facts *f, int64_t now)
{
        (void)now;
        return f->provenance_lost && !f->from_owned ? p->words[QN_SET_PROVENANCE] : QN_WORD_ALLOW;
}

static enum qn_policy_word ask_lookalike(const struct qn_policy *p, const struct qn_policy_facts *f,
                                         int64_t now)
{
        (void)now;
        return f->lookalike.n && !f->from_owned ? p->words[QN_SET_LOOKALIKE] : QN_WORD_ALLOW;
}

static rule_fn *const rules[QN_RULES] = {
        [QN_RULE_OWNED] = ask_owned,
        [QN_RULE_INTELLIGENCE] = ask_intelligence,
        [QN_RULE_VERDICT] = ask_verdict,
        [QN_RULE_UNKNOWN] = ask_unknown,
        [QN_RULE_AGE] = ask_age,
        [QN_RULE_HOOKS] = ask_hooks,
        [QN_RULE_PROVENANCE] = ask_provenance,
        [QN_RULE_LOOKALIKE] = ask_lookalike,
};

/* --- all of them at one moment --- */

/* The first pass that lets this version through that rule now. */
static const struct qn_policy_pass *find_pass(const struct qn_policy_passes *list,
                                              const struct qn_policy_facts *f, unsigned rule,
                                              int64_t now)
{
        const struct qn_policy_pass *p;
        size_t at = 0;

        while ((p = qn_policy_passes_next(list, f->name, &at)))
                if (p->rules & 1u << rule && now >= p->since && now < p->until &&
                    (!p->range || qn_range_test_str(p->range, f->version)))
                        return p;
        return NULL;
}

static bool is_released(const struct qn_policy *p, const struct qn_policy_facts *f, int64_t now)
{
        return p->release_after != QN_NEVER && f->published_ms != QN_TIME_NONE &&
               now >= qn_policy_later(f->published_ms, p->release_after);
}

static struct qn_policy_outcome ask(const struct qn_policy *p, const struct qn_policy_facts *f,
                                    enum qn_policy_rule rule, int64_t now)
{
        struct qn_policy_outcome o = { .word = rules[rule](p, f, now) };

        if (o.word == QN_WORD_QUARANTINE && is_released(p, f, now)) {
                o.word = QN_WORD_WARN;
                o.released = true;
        }
        if (o.word != QN_WORD_ALLOW && rule != QN_RULE_OWNED)
                o.pass = find_pass(&p->exceptions, f, rule, now);
        return o;
}

static enum qn_policy_mode mode_for(const struct qn_policy *p, const struct qn_policy_facts *f,
                                    enum qn_policy_rule rule, enum qn_policy_word word)
{
        /* Whether what is internal stays internal is not for trying out. */
        enum qn_policy_mode mode =
                rule == QN_RULE_OWNED ? QN_POLICY_ENFORCE : qn_policy_mode_of(p, f->name);

        return qn_policy_word_mode(word, mode);
}

/* Whether a counts more than b: what no exception lets through, then what is stricter. */
static bool counts_more(const struct qn_policy_outcome *a, const struct qn_policy_outcome *b)
{
        if (!a->pass != !b->pass)
                return !a->pass && a->word != QN_WORD_ALLOW;
        return a->word > b->word;
}

static struct ruling rule_at(const struct qn_policy *p, const struct qn_policy_facts *f,
                             int64_t now)
{
        struct ruling best = { .rule = QN_RULES };

        for (unsigned i = 0; i < QN_RULES; i++) {
                struct qn_policy_outcome o = ask(p, f, i, now);

                if (o.word != QN_WORD_ALLOW &&
                    (best.rule == QN_RULES || counts_more(&o, &best.outcome))) {
                        best.rule = i;
                        best.outcome = o;
                }
        }
        if (best.rule != QN_RULES)
                best.override = find_pass(&p->overrides, f, best.rule, now);
        return best;
}

/* --- time --- */

static void earlier(int64_t t, int64_t now, int64_t *best)
{
        if (t > now && t < *best)
                *best = t;
}

static void earlier_pass(const struct qn_policy_passes *list, struct qn_str name, int64_t now,
                         int64_t *best)
{
        const struct qn_policy_pass *p;
        size_t at = 0;

        while ((p = qn_policy_passes_next(list, name, &at))) {
                earlier(p->since, now, best);
                earlier(p->until, now, best);
        }
}

/* The next moment at which anything that reads the clock may answer differently. */
static int64_t next_moment(const struct qn_policy *p, struct qn_str name, int64_t published,
                           int64_t first, int64_t now)
{
        int64_t best = QN_NEVER;

        if (published != QN_TIME_NONE) {
                earlier(qn_policy_later(published, qn_policy_age_of(p, name)), now, &best);
                if (p->release_after != QN_NEVER)
                        earlier(qn_policy_later(published, p->release_after), now, &best);
        }
        if (first != QN_TIME_NONE)
                earlier(qn_policy_later(first, p->new_package), now, &best);
        earlier_pass(&p->exceptions, name, now, &best);
        earlier_pass(&p->overrides, name, now, &best);
        return best;
}

int64_t qn_policy_changes_at(const struct qn_policy *p, struct qn_str name, int64_t published_ms,
                             int64_t now_ms)
{
        return next_moment(p, name, published_ms, published_ms, now_ms);
}

static bool same(const struct ruling *a, const struct ruling *b)
{
        return a->rule == b->rule && a->override == b->override &&
               a->outcome.word == b->outcome.word && a->outcome.released == b->outcome.released &&
               a->outcome.pass == b->outcome.pass;
}

static int64_t changes_at(const struct qn_policy *p, const struct qn_policy_facts *f,
                          const struct ruling *now_is, int64_t now)
{
        for (;;) {
                struct ruling then;

                now = next_moment(p, f->name, f->published_ms, f->first_ms, now);
                if (now == QN_NEVER)
                        return QN_NEVER;
                then = rule_at(p, f, now);
                if (!same(&then, now_is))
                        return now;
        }
}

/* --- answers --- */

void qn_policy_decide(const struct qn_policy *p, const struct qn_policy_facts *f, int64_t now_ms,
                      struct qn_policy_decision *ret)
{
        struct ruling r = rule_at(p, f, now_ms);
        const struct qn_policy_pass *pass = r.override ? r.override : r.outcome.pass;
        struct qn_policy_say say = { p, f, r.rule, r.outcome, QN_POLICY_ENFORCE };

        *ret = (struct qn_policy_decision){ .rule = "" };
        ret->until_ms = changes_at(p, f, &r, now_ms);
        if (f->facts_until_ms)
                ret->until_ms = QN_MIN(ret->until_ms, f->facts_until_ms);
        if (r.rule == QN_RULES)
                return;
        ret->rule = qn_policy_rule_names[r.rule];
        if (pass) {
                ret->excepted = true;
                ret->overridden = r.override != NULL;
                qn_policy_say_pass(&say, pass, ret->overridden, ret->reason);
                return;
        }
        ret->action = qn_policy_word_action(r.outcome.word);
        ret->mode = say.mode = mode_for(p, f, r.rule, r.outcome.word);
        qn_policy_say(&say, ret->reason);
}

static void explain_override(const struct qn_policy *p, const struct qn_policy_facts *f,
                             const struct ruling *r, struct qn_policy_step *ret)
{
        struct qn_policy_say say = { p, f, r->rule, r->outcome, QN_POLICY_ENFORCE };

        *ret = (struct qn_policy_step){ .rule = "override" };
        ret->applies = ret->excepted = ret->decides = r->override != NULL;
        if (r->override)
                qn_policy_say_pass(&say, r->override, true, ret->why);
        else if (r->rule == QN_RULES)
                snprintf(ret->why, sizeof ret->why, "there is nothing to override");
        else
                snprintf(ret->why, sizeof ret->why, "nobody overrides the policy for it");
}

static void explain_rule(const struct qn_policy *p, const struct qn_policy_facts *f,
                         enum qn_policy_rule rule, int64_t now, struct qn_policy_step *ret)
{
        struct qn_policy_outcome o = ask(p, f, rule, now);
        struct qn_policy_say say = { p, f, rule, o, QN_POLICY_ENFORCE };

        *ret = (struct qn_policy_step){ .rule = qn_policy_rule_names[rule] };
        if (o.word == QN_WORD_ALLOW) {
                qn_policy_say_not(p, f, rule, ret->why);
                return;
        }
        ret->applies = true;
        ret->action = qn_policy_word_action(o.word);
        ret->mode = say.mode = mode_for(p, f, rule, o.word);
        ret->excepted = o.pass != NULL;
        if (o.pass)
                qn_policy_say_pass(&say, o.pass, false, ret->why);
        else
                qn_policy_say(&say, ret->why);
}

void qn_policy_explain(const struct qn_policy *p, const struct qn_policy_facts *f, int64_t now_ms,
                       struct qn_policy_step steps[QN_POLICY_STEPS])
{
        struct ruling r = rule_at(p, f, now_ms);

        _Static_assert(QN_POLICY_STEPS == QN_RULES + 1, "a step for each rule, and the override");
        explain_override(p, f, &r, &steps[0]);
        for (unsigned i = 0; i < QN_RULES; i++) {
                explain_rule(p, f, i, now_ms, &steps[i + 1]);
                steps[i + 1].decides = !r.override && r.rule == i;
        }
}
