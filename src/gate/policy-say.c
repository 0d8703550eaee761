/* policy-say.c - decisions as sentences for a developer's terminal: what, why, and what to do next.  They name moments and no
 * distances ("3 hours ago"), so that an answer that is kept stays true.  Texts from outside are escaped and cut. */
#include <errno.h>
#include <stdarg.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/show.h"
#include "gate/policy-priv.h"
#include "parse/packument.h"

#define NAME_COLUMNS    100
#define VERSION_COLUMNS 40
#define WHY_COLUMNS     120
#define WHO_COLUMNS     60
#define MINUTE_MS       INT64_C(60000)
#define SENTENCE_MAX    ((size_t)8 << 10)

/* --- pieces --- */

static void put_id(struct qn_buf *b, const struct qn_policy_facts *f)
{
        qn_show(b, f->name, NAME_COLUMNS, 0);
        if (!f->version.n)
                return;
        qn_buf_byte(b, '@');
        qn_show(b, f->version, VERSION_COLUMNS, 0);
}

/* "2026-11-29 14:00 UTC"; of a moment within a minute the end of that minute, when it is said from when on. */
static void put_time(struct qn_buf *b, int64_t ms, bool up)
{
        char text[QN_TIME_TEXT];
        struct qn_str s;

        if (up && ms <= INT64_MAX - MINUTE_MS && ms % MINUTE_MS > 0)
                ms += MINUTE_MS - ms % MINUTE_MS;
        s = qn_time_format(ms, text);
        if (s.n != strlen("2026-11-29T14:00:00Z")) {
                qn_buf_puts(b, "a date beyond the calendar");
                return;
        }
        qn_buf_printf(b, "%.10s %.5s UTC", text, text + strlen("2026-11-29T"));
}

static void put_duration(struct qn_buf *b, int64_t ms)
{
        static const struct {
                int64_t ms, from; /* used from so many on */
                const char *name;
        } units[] = {
                { 86400000, 2, "day" }, { 3600000, 1, "hour" },  { 60000, 1, "minute" },
                { 1000, 1, "second" },  { 1, 0, "millisecond" },
        };
        unsigned i = 0;
        int64_t n;

        while (ms % units[i].ms || ms / units[i].ms < units[i].from)
                i++;
        n = ms / units[i].ms;
        qn_buf_printf(b, "%lld %s%s", (long long)n, units[i].name, n == 1 ? "" : "s");
}

/* " (MAL-2026-1: steals tokens)", or what there is of it. */
static void put_source(struct qn_buf *b, struct qn_str id, struct qn_str why)
{
        if (!id.n && !why.n)
                return;
        qn_buf_puts(b, " (");
        qn_show(b, id, NAME_COLUMNS, 0);
        if (id.n && why.n)
                qn_buf_puts(b, ": ");
        qn_show(b, why, WHY_COLUMNS, QN_SHOW_DEFANG);
        qn_buf_byte(b, ')');
}

static void put_contact(struct qn_buf *b, const struct qn_policy *p)
{
        if (p->contact.n)
                qn_show(b, p->contact, WHO_COLUMNS, 0);
        else
                qn_buf_puts(b, "your security team");
}

static void put_ask(struct qn_buf *b, const struct qn_policy *p)
{
        qn_buf_puts(b, "ask ");
        put_contact(b, p);
        qn_buf_puts(b, " for an exception");
}

/* Cut at a character, where it is too long. */
static void finish(struct qn_buf *b, char ret[QN_POLICY_REASON_BYTES])
{
        struct qn_str s = qn_buf_view(b);
        size_t n = s.n, room = QN_POLICY_REASON_BYTES - sizeof "…";

        if (n >= QN_POLICY_REASON_BYTES) {
                for (n = room; n && ((unsigned char)s.p[n] & 0xc0) == 0x80; n--)
                        ;
                memcpy(ret, s.p, n);
                memcpy(ret + n, "…", sizeof "…");
        } else {
                if (n)
                        memcpy(ret, s.p, n);
                ret[n] = '\0';
        }
        qn_buf_done(b);
}

/* --- what and why, of each rule --- */

typedef void what_fn(struct qn_buf *b, const struct qn_policy_say *s);

static void what_owned(struct qn_buf *b, const struct qn_policy_say *s)
{
        put_id(b, s->f);
        qn_buf_puts(b, " has a name of the organisation's own, and comes from elsewhere");
}

static void what_intelligence(struct qn_buf *b, const struct qn_policy_say *s)
{
        static const char *const texts[] = {
                [QN_KNOWN_VULNERABLE] = " has a known vulnerability",
                [QN_KNOWN_SUSPICIOUS] = " is reported as suspicious",
                [QN_KNOWN_UNREADABLE] = " may be bad: what is known cannot be read now",
                [QN_KNOWN_MALICIOUS] = " is known to be malicious",
        };

        put_id(b, s->f);
        qn_buf_puts(b, texts[s->f->known]);
        put_source(b, s->f->known_id, s->f->known_why);
}

static void what_verdict(struct qn_buf *b, const struct qn_policy_say *s)
{
        put_id(b, s->f);
        qn_buf_printf(b, " was found to be %s", qn_verdict_name(s->f->verdict));
        put_source(b, QN_STR(""), s->f->reason);
}

static void what_unknown(struct qn_buf *b, const struct qn_policy_say *s)
{
        put_id(b, s->f);
        if (s->f->late) {
                qn_buf_puts(b, " is still being analysed");
                return;
        }
        qn_buf_puts(b, " could not be analysed");
        put_source(b, QN_STR(""), s->f->reason);
}

/* Which of the two ages holds it back longer, and up to when. */
static int64_t age_until(const struct qn_policy_say *s, int64_t *ret_age, bool *ret_package)
{
        int64_t age = qn_policy_age_of(s->p, s->f->name),
                until = qn_policy_later(s->f->published_ms, age), first = INT64_MIN;

        if (s->f->first_ms != QN_TIME_NONE && s->p->new_package)
                first = qn_policy_later(s->f->first_ms, s->p->new_package);
        *ret_package = first > until;
        *ret_age = *ret_package ? s->p->new_package : age;
        return *ret_package ? first : until;
}

static void what_age(struct qn_buf *b, const struct qn_policy_say *s)
{
        bool package;
        int64_t age;

        if (s->f->published_ms == QN_TIME_NONE) {
                put_id(b, s->f);
                qn_buf_puts(b, " has no date of publication, and this registry serves only what "
                               "has an age");
                return;
        }
        (void)age_until(s, &age, &package);
        if (package) {
                qn_show(b, s->f->name, NAME_COLUMNS, 0);
                qn_buf_puts(b, " is a new package, first published on ");
        } else {
                put_id(b, s->f);
                qn_buf_puts(b, " was published on ");
        }
        put_time(b, package ? s->f->first_ms : s->f->published_ms, false);
        qn_buf_printf(b, ", and this registry serves %s from ", package ? "packages" : "versions");
        put_duration(b, age);
        qn_buf_puts(b, " on");
}

static void what_hooks(struct qn_buf *b, const struct qn_policy_say *s)
{
        put_id(b, s->f);
        qn_buf_puts(b, " runs a script when it is installed");
        if (s->f->hooks_new)
                qn_buf_puts(b, ", which versions before did not");
}

static void what_provenance(struct qn_buf *b, const struct qn_policy_say *s)
{
        put_id(b, s->f);
        qn_buf_puts(b, " does not prove where it was built, which earlier versions did");
}

static void what_lookalike(struct qn_buf *b, const struct qn_policy_say *s)
{
        put_id(b, s->f);
        qn_buf_puts(b, " has a name that looks like that of the popular ");
        qn_show(b, s->f->lookalike, NAME_COLUMNS, 0);
}

static what_fn *const whats[QN_RULES] = {
        [QN_RULE_OWNED] = what_owned,
        [QN_RULE_INTELLIGENCE] = what_intelligence,
        [QN_RULE_VERDICT] = what_verdict,
        [QN_RULE_UNKNOWN] = what_unknown,
        [QN_RULE_AGE] = what_age,
        [QN_RULE_HOOKS] = what_hooks,
        [QN_RULE_PROVENANCE] = what_provenance,
        [QN_RULE_LOOKALIKE] = what_lookalike,
};

/* --- what to do next --- */

static void next_owned(struct qn_buf *b, const struct qn_policy_say *s)
{
        struct qn_str upstream;

        (void)qn_policy_owned(s->p, s->f->name, &upstream);
        qn_buf_puts(b, "check the name, or publish it ");
        if (upstream.n) {
                qn_buf_puts(b, "to ");
                qn_show(b, upstream, WHO_COLUMNS, 0);
        } else {
                qn_buf_puts(b, "inside");
        }
}

static void next_bad(struct qn_buf *b, const struct qn_policy_say *s)
{
        qn_buf_puts(b, "do not install it, choose another version, and tell ");
        put_contact(b, s->p);
        qn_buf_puts(b, " if you had it before");
}

static void next_version(struct qn_buf *b, const struct qn_policy_say *s)
{
        qn_buf_puts(b, "choose another version, or ");
        put_ask(b, s->p);
}

static void next_unread(struct qn_buf *b, const struct qn_policy_say *s)
{
        qn_buf_puts(b, "try again later, or ask ");
        put_contact(b, s->p);
}

static void next_unknown(struct qn_buf *b, const struct qn_policy_say *s)
{
        if (s->f->late) {
                qn_buf_puts(b, "try again in a minute");
                return;
        }
        next_version(b, s);
}

static void next_age(struct qn_buf *b, const struct qn_policy_say *s)
{
        bool package;
        int64_t age;

        if (s->f->published_ms != QN_TIME_NONE) {
                qn_buf_puts(b, "try again after ");
                put_time(b, age_until(s, &age, &package), true);
                qn_buf_puts(b, ", or ");
        }
        put_ask(b, s->p);
}

static void next_lookalike(struct qn_buf *b, const struct qn_policy_say *s)
{
        qn_buf_puts(b, "check the spelling, or ");
        put_ask(b, s->p);
}

static what_fn *next_of(const struct qn_policy_say *s)
{
        static what_fn *const nexts[QN_RULES] = {
                [QN_RULE_OWNED] = next_owned,
                [QN_RULE_INTELLIGENCE] = next_version,
                [QN_RULE_VERDICT] = next_version,
                [QN_RULE_UNKNOWN] = next_unknown,
                [QN_RULE_AGE] = next_age,
                [QN_RULE_HOOKS] = next_version,
                [QN_RULE_PROVENANCE] = next_version,
                [QN_RULE_LOOKALIKE] = next_lookalike,
        };
        bool bad = (s->rule == QN_RULE_INTELLIGENCE && s->f->known == QN_KNOWN_MALICIOUS) ||
                   (s->rule == QN_RULE_VERDICT && s->f->verdict == QN_MALICIOUS);

        if (s->rule == QN_RULE_INTELLIGENCE && s->f->known == QN_KNOWN_UNREADABLE)
                return next_unread;
        return bad ? next_bad : nexts[s->rule];
}

void qn_policy_say(const struct qn_policy_say *s, char ret[QN_POLICY_REASON_BYTES])
{
        struct qn_buf b = QN_BUF_INIT(SENTENCE_MAX);

        whats[s->rule](&b, s);
        if (s->outcome.released)
                qn_buf_puts(&b, "; its quarantine is over");
        else if (s->outcome.word == QN_WORD_QUARANTINE)
                qn_buf_puts(&b, " and is in quarantine");
        qn_buf_puts(&b, ": ");
        if (s->mode == QN_POLICY_ENFORCE)
                next_of(s)(&b, s);
        else
                qn_buf_puts(&b, "it is served all the same, look at it before you use it");
        finish(&b, ret);
}

void qn_policy_say_pass(const struct qn_policy_say *s, const struct qn_policy_pass *pass,
                        bool override, char ret[QN_POLICY_REASON_BYTES])
{
        struct qn_buf b = QN_BUF_INIT(SENTENCE_MAX);

        whats[s->rule](&b, s);
        qn_buf_printf(&b, ": it is served because %s by ",
                      override ? "the policy is overridden" : "an exception was made");
        qn_show(&b, pass->who, WHO_COLUMNS, 0);
        if (pass->until != QN_NEVER) {
                qn_buf_puts(&b, " until ");
                put_time(&b, pass->until, false);
        }
        put_source(&b, QN_STR(""), pass->reason);
        finish(&b, ret);
}

/* --- why not --- */

static const char *not_known(const struct qn_policy_facts *f)
{
        if (f->known == QN_KNOWN_ALLOWED)
                return "the organisation's own list allows it";
        if (f->known == QN_KNOWN_NOTHING)
                return "nothing is known about it";
        if (f->from_owned && !qn_str_starts(f->known_id, "OWN:"))
                return "what is known is about a stranger's package of the same name";
        return "what is known about it is allowed";
}

static const char *not_judged(const struct qn_policy_facts *f, bool unknown)
{
        if (!f->judged)
                return "it is not analysed yet";
        if (unknown)
                return f->verdict == QN_UNKNOWN ? "what could not be analysed is allowed"
                                                : "it could be analysed";
        if (f->verdict < QN_SUSPICIOUS)
                return "nothing was found in it";
        return "what was found in it is allowed";
}

static const char *not_young(const struct qn_policy *p, const struct qn_policy_facts *f)
{
        if (!qn_policy_age_of(p, f->name) && !p->new_package)
                return "it may have any age";
        if (f->published_ms == QN_TIME_NONE)
                return "it has no date, which is allowed";
        return "it is old enough, or what is too young is allowed";
}

static const char *why_not(const struct qn_policy *p, const struct qn_policy_facts *f,
                           enum qn_policy_rule rule)
{
        if (rule >= QN_RULE_AGE && f->from_owned)
                return "it is one of the organisation's own packages";
        switch (rule) {
        case QN_RULE_OWNED:
                return f->from_owned ? "it comes from where the organisation's own packages are"
                                     : "its name is not one of the organisation's own";
        case QN_RULE_INTELLIGENCE:
                return not_known(f);
        case QN_RULE_VERDICT:
        case QN_RULE_UNKNOWN:
                return not_judged(f, rule == QN_RULE_UNKNOWN);
        case QN_RULE_AGE:
                return not_young(p, f);
        case QN_RULE_HOOKS:
                return f->has_hooks ? "its install scripts are allowed"
                                    : "it has no install scripts";
        case QN_RULE_PROVENANCE:
                return f->provenance_lost ? "that its provenance is lost is allowed"
                                          : "its provenance is not lost";
        default:
                return f->lookalike.n ? "names that look like others are allowed"
                                      : "its name looks like no popular one";
        }
}

void qn_policy_say_not(const struct qn_policy *p, const struct qn_policy_facts *f,
                       enum qn_policy_rule rule, char ret[QN_POLICY_REASON_BYTES])
{
        snprintf(ret, QN_POLICY_REASON_BYTES, "%s", why_not(p, f, rule));
}
