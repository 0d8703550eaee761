#include <errno.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "gate/policy.h"
#include "parse/packument.h"
#include "test.h"

#define NOW  INT64_C(1795960800000) /* 2026-11-29T14:00:00Z */
#define HOUR INT64_C(3600000)
#define DAY  (24 * HOUR)

static struct qn_policy *policy(const char *text)
{
        struct qn_policy *p = NULL;
        struct qn_err err = { 0 };

        if (qn_policy_parse(qn_str_c(text), "policy.yaml", &p, &err) < 0)
                fail_msg("%s", err.msg);
        return p;
}

static struct qn_policy_facts facts(const char *name, const char *version)
{
        return (struct qn_policy_facts){ .name = qn_str_c(name),
                                         .version = qn_str_c(version),
                                         .published_ms = NOW - 100 * DAY,
                                         .first_ms = NOW - 1000 * DAY };
}

static struct qn_policy_decision decide(const char *text, const struct qn_policy_facts *f)
{
        _cleanup_(qn_policy_freep) struct qn_policy *p = policy(text);
        struct qn_policy_decision d;

        qn_policy_decide(p, f, NOW, &d);
        return d;
}

static void wrong(const char *text, const char *message)
{
        struct qn_policy *p = NULL;
        struct qn_err err = { 0 };

        ASSERT_EQ(qn_policy_parse(qn_str_c(text), "policy.yaml", &p, &err), -EINVAL);
        ASSERT_NULL(p);
        assert_string_equal(err.msg, message);
}

/* --- files that are wrong --- */

TEST(wrong_documents)
{
        wrong("- mode: warn\n", "policy.yaml:1: a policy is a mapping, lines of `key: value`");
        wrong("warn\n", "policy.yaml:1: a policy is a mapping, lines of `key: value`");
        wrong("mode: warn\nmode: observe\n",
              "policy.yaml:1: a policy has a key twice: leave one of them out");
        wrong("owned:\n  @acme/*: x\n", "policy.yaml:2: found character that cannot start any "
                                        "token: what begins with @, * or ` is put into quotes");
        wrong("mode: [\n", "policy.yaml:2: did not find expected node content");
}

TEST(unknown_keys)
{
        wrong("\nmodes: warn\n",
              "policy.yaml:2: there is no key \"modes\"; did you mean \"mode\"?");
        wrong("minimum_age:\n\n  default: 1h\n",
              "policy.yaml:1: there is no key \"minimum_age\"; did you mean \"minimum-age\"?");
        wrong("colour: red\n", "policy.yaml:1: there is no key \"colour\" here: leave it out");
        wrong("verdict:\n  malicous: block\n",
              "policy.yaml:2: there is no key \"malicous\"; did you mean \"malicious\"?");
        wrong("overrides:\n  - package: a\n    owner: me\n",
              "policy.yaml:3: there is no key \"owner\" here: leave it out");
        wrong("\"\\e[2J\": 1\n", "policy.yaml:1: there is no key \"\\x1b[2J\" here: leave it out");
}

TEST(wrong_words)
{
        wrong("mode: enforced\n",
              "policy.yaml:1: mode cannot be \"enforced\"; did you mean \"enforce\"?");
        wrong("mode: true\n", "policy.yaml:1: mode is enforce, warn or observe, not \"true\"");
        wrong("mode: [warn]\n", "policy.yaml:1: mode is enforce, warn or observe, not \"a list\"");
        wrong("verdict:\n  suspicious: no\n",
              "policy.yaml:2: suspicious is allow, observe, warn, quarantine or block, not \"no\"");
        wrong("look-alikes: {block: true}\n", "policy.yaml:1: look-alikes is allow, observe, warn, "
                                              "quarantine or block, not \"a mapping\"");
        wrong("verdict: block\n", "policy.yaml:1: verdict is a mapping, lines of `key: value`");
        wrong("verdict:\n  malicious: warn\n  suspicious: block\n",
              "policy.yaml:2: verdict: malicious is \"warn\", and what is less bad \"block\": "
              "raise it");
        wrong("intelligence: {malicious: allow, suspicious: allow, vulnerable: warn}\n",
              "policy.yaml:1: intelligence: malicious is \"allow\", and what is less bad \"warn\": "
              "raise it");
}

TEST(wrong_durations)
{
        static const char *const texts[] = { "24",   "24 h", "-1h", "1.5h", "h",      "1y",
                                             "1h1h", "true", "[]",  "{}",   "11000d", "1H" };

        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
                char text[80];
                struct qn_policy *p = NULL;
                struct qn_err err = { 0 };

                snprintf(text, sizeof text, "minimum-age:\n  default: %s\n", texts[i]);
                ASSERT_EQ(qn_policy_parse(qn_str_c(text), "p", &p, &err), -EINVAL);
                assert_true(strstr(err.msg, "p:2: default is 0 or a time such as") == err.msg);
        }
        wrong("unknown: {budget: 10ms}\n", "policy.yaml:1: budget is between 100ms and 600s");
        wrong("unknown: {budget: 11m}\n", "policy.yaml:1: budget is between 100ms and 600s");
        wrong("quarantine: {release-after: ever}\n",
              "policy.yaml:1: release-after is 0 or a time such as 5s, 30m, 24h, 7d or 2w, not "
              "\"ever\"");
}

#define EXCEPTION "exceptions:\n  - package: a\n    rules: [verdict]\n    reason: r\n    owner: o\n"
#define OVERRIDE  "overrides:\n  - package: a@1\n    by: Jo\n    reason: r\n    since: 2026-11-29\n"

TEST(wrong_dates)
{
        wrong(EXCEPTION "    expires: tomorrow\n",
              "policy.yaml:6: expires is a date such as 2026-11-29 or 2026-11-29T14:00Z, not "
              "\"tomorrow\"");
        wrong(EXCEPTION "    expires: 2026-02-30\n",
              "policy.yaml:6: expires: there is no day \"2026-02-30\" in the calendar");
        wrong(EXCEPTION "    expires: 20261129\n",
              "policy.yaml:6: expires is a date such as 2026-11-29 or 2026-11-29T14:00Z, not "
              "\"20261129\"");
        wrong(EXCEPTION "    since: 2026-11-29\n    expires: 2026-11-29\n",
              "policy.yaml:7: an exception that expires before it begins");
        wrong(OVERRIDE "    expires: 2026-12-30\n",
              "policy.yaml:6: an override expires within 30 days of `since`");
        wrong(OVERRIDE "    expires: never\n",
              "policy.yaml:6: expires is a date such as 2026-11-29 or 2026-11-29T14:00Z, not "
              "\"never\"");
        qn_policy_free(policy(OVERRIDE "    expires: 2026-12-29\n"));
}

TEST(wrong_patterns)
{
        static const struct {
                const char *name, *why;
        } cases[] = {
                { "@acme", "a whole scope is written \"@acme/*\"" },
                { "@", "a scope needs a name: \"@acme/*\"" },
                { "@/a", "a slash is only between scope and name: \"@acme/web\"" },
                { "@a/", "a slash is only between scope and name: \"@acme/web\"" },
                { "a/b", "a slash is only between scope and name: \"@acme/web\"" },
                { "@a/b/c", "there is one slash, between scope and name" },
                { "a@1", "an @ is only at the begin of a scope" },
                { "a b", "a name has letters, digits, - . _ ~, a pattern also * and ?" },
                { ".bin", "no package's name begins with a dot" },
                { "", "a package's name has 1 to 214 characters" },
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                char text[80], message[160];

                snprintf(text, sizeof text, "mode-for:\n  \"%s\": warn\n", cases[i].name);
                snprintf(message, sizeof message, "policy.yaml:2: %s", cases[i].why);
                wrong(text, message);
        }
}

TEST(wrong_exceptions)
{
        wrong(EXCEPTION, "policy.yaml:2: an exception without `expires`: add it");
        wrong("exceptions:\n  - package: a\n",
              "policy.yaml:2: an exception without `rules`: add it");
        wrong("exceptions: {a: 1}\n",
              "policy.yaml:1: exceptions is a list, lines that begin with `- `");
        wrong("exceptions: [a]\n",
              "policy.yaml:1: an exception is a mapping, lines of `key: value`");
        wrong("exceptions:\n  - package: a@latest-\n    rules: [age]\n",
              "policy.yaml:2: behind the @ is a version or a range such as ^1.2.0");
        wrong("exceptions:\n  - package: a@\n",
              "policy.yaml:2: a version or a range is missing behind the @");
        wrong("exceptions:\n  - package: \"@a\"\n",
              "policy.yaml:2: package: a whole scope is written \"@acme/*\"");
        wrong("exceptions:\n  - rules: [minimum-ages]\n",
              "policy.yaml:2: a rule cannot be "
              "\"minimum-ages\"; did you mean \"minimum-age\"?");
        wrong("exceptions:\n  - rules: []\n",
              "policy.yaml:2: rules is empty: name the rules that do not apply");
        wrong("exceptions:\n  - rules: [owned]\n",
              "policy.yaml:2: there is no exception from owned: say false there");
        wrong("exceptions:\n  - reason: \"\"\n",
              "policy.yaml:2: reason is empty: say something, or leave it out");
        wrong("exceptions:\n  - reason: \"a\\nb\"\n",
              "policy.yaml:2: reason is one line without control characters");
        wrong("exceptions:\n  - reason: [a]\n", "policy.yaml:2: reason is a text, not a list");
}

TEST(wrong_overrides)
{
        wrong(OVERRIDE, "policy.yaml:2: an override without `expires`: add it");
        wrong("overrides:\n  - package: a\n    by:\n",
              "policy.yaml:2: an override without `by`: add it");
        wrong("overrides:\n  - package: \"*\"\n    by: Jo\n    reason: r\n    since: 2026-11-29\n"
              "    expires: 2026-11-30\n",
              "policy.yaml:2: an override names one package, not a pattern");
}

/* head, n times an entry (its %zu is a number), and what is said. */
static void too_many(const char *head, const char *entry, size_t n, const char *message)
{
        struct qn_buf b = QN_BUF_INIT((size_t)16 << 20);
        char one[80];

        qn_buf_puts(&b, head);
        for (size_t i = 0; i < n; i++) {
                ptrdiff_t at = qn_str_chr(qn_str_c(entry), '#');

                snprintf(one, sizeof one, "%.*s%zu%s", (int)at, entry, i, entry + at + 1);
                qn_buf_puts(&b, one);
        }
        wrong(b.p, message);
        qn_buf_done(&b);
}

TEST(limits)
{
        struct qn_buf b = QN_BUF_INIT((size_t)16 << 20);

        too_many("owned:\n", "  a#:\n", QN_POLICY_ENTRIES_MAX + 1,
                 "policy.yaml:2: owned has more than 20000 entries");
        too_many("exceptions:\n", "  - #\n", QN_POLICY_EXCEPTIONS_MAX + 1,
                 "policy.yaml:2: exceptions has more than 2000 entries");
        too_many("tests:\n", "  - #\n", QN_POLICY_CASES_MAX + 1,
                 "policy.yaml:2: tests has more than 5000 entries");
        qn_buf_puts(&b, "contact: ");
        qn_buf_fill(&b, 'a', QN_GATE_TEXT_MAX + 1);
        wrong(b.p, "policy.yaml:1: contact has more than 2000 characters: shorten it");
        qn_buf_reset(&b);
        qn_buf_puts(&b, "owned:\n  ");
        qn_buf_fill(&b, 'a', QN_POLICY_PATTERN_MAX + 1);
        qn_buf_puts(&b, ": x\n");
        wrong(b.p, "policy.yaml:2: a package's name has 1 to 214 characters");
        qn_buf_done(&b);
}

TEST(file_that_is_too_large)
{
        struct qn_buf b = QN_BUF_INIT(QN_GATE_FILE_MAX + 1);
        char path[] = "/tmp/qanat-policy-XXXXXX";
        struct qn_policy *p = NULL;
        int fd = mkstemp(path);

        qn_buf_fill(&b, '#', QN_GATE_FILE_MAX + 1);
        ASSERT_EQ(qn_io_write_fd(fd, qn_buf_view(&b)), 0);
        ASSERT_EQ(qn_policy_load(path, &p, NULL), -EFBIG);
        close(fd);
        unlink(path);
        qn_buf_done(&b);
}

TEST(file_that_is_not_there)
{
        struct qn_policy *p = NULL;
        struct qn_err err = { 0 };

        ASSERT_EQ(qn_policy_load("/nonexistent/policy.yaml", &p, &err), -ENOENT);
        assert_string_equal(err.msg, "/nonexistent/policy.yaml: No such file or directory");
        ASSERT_EQ(qn_policy_load("/nonexistent/policy.yaml", &p, NULL), -ENOENT);
}

/* --- meaning --- */

static void revision_is(const char *a, const char *b, bool equal)
{
        _cleanup_(qn_policy_freep) struct qn_policy *x = policy(a), *y = policy(b);

        ASSERT_EQ(strlen(qn_policy_revision(x)), 16);
        ASSERT_EQ(strcmp(qn_policy_revision(x), qn_policy_revision(y)) == 0, equal);
}

TEST(shipped_policy_is_the_default)
{
        _cleanup_(qn_policy_freep) struct qn_policy *shipped = NULL, *empty = policy("");
        struct qn_err err = { 0 };

        if (qn_policy_load(TEST_DATA "/gate/policy.yaml", &shipped, &err) < 0)
                fail_msg("%s", err.msg);
        assert_string_equal(qn_policy_revision(shipped), qn_policy_revision(empty));
        ASSERT_EQ(qn_policy_mode(empty), QN_POLICY_ENFORCE);
        ASSERT_EQ(qn_policy_budget_ms(empty), 5000);
}

TEST(revision_follows_the_meaning)
{
        revision_is("# a comment\nmode: warn\n", "{\"mode\": warn}", true);
        revision_is("mode: warn\n", "mode: observe\n", false);
        revision_is("minimum-age: {default: 24h}\n", "minimum-age: {default: 1d}\n", true);
        revision_is("minimum-age: {packages: {a: 1h, b: 2h}}\n",
                    "minimum-age: {packages: {b: 120m, a: 1h}}\n", true);
        revision_is("owned: {a: x}\n", "owned: {a: y}\n", false);
        revision_is("owned: {a: x}\n", "owned: {a: false}\n", false);
        revision_is("owned: {a: true}\n", "owned: {a: }\n", true);
        revision_is("contact: a\n", "contact: b\n", false);
        revision_is("tests: []\n", "", true);
        revision_is(EXCEPTION "    expires: never\n", EXCEPTION "    expires: 2027-01-01\n", false);
        revision_is(OVERRIDE "    expires: 2026-11-30\n",
                    OVERRIDE "    expires: 2026-11-30T00:00:00.000Z\n", true);
}

TEST(revision_does_not_depend_on_order)
{
#define ONE "  - {package: a@^1.2.0, rules: [verdict], reason: r, owner: o, expires: 2030-01-01}\n"
#define TWO "  - {package: \"@x/*\", rules: [unknown], reason: r, owner: o, expires: never}\n"
#define ALT                                                                                      \
        "  - {package: \"a@>=1.2.0 <2.0.0-0\", rules: [verdict], reason: r, owner: o, expires: " \
        "2030-01-01}\n"
        revision_is("exceptions:\n" ONE TWO, "exceptions:\n" TWO ONE, true);
        revision_is("exceptions:\n" ONE, "exceptions:\n" ALT, true);
        revision_is("exceptions:\n" ONE, "exceptions:\n" TWO, false);
        revision_is("exceptions:\n" ONE, "exceptions:\n" ONE ONE, false);
}

TEST(owned_names)
{
        _cleanup_(qn_policy_freep) struct qn_policy *p =
                policy("owned:\n  \"@acme/*\": internal\n  acme-*: other\n  acme-nowhere:\n"
                       "  \"@acme/design\": false\n");
        struct qn_str up;

        ASSERT_TRUE(qn_policy_owned(p, QN_STR("@acme/web"), &up));
        ASSERT_STR(up, "internal");
        ASSERT_TRUE(qn_policy_owned(p, QN_STR("acme-x"), &up));
        ASSERT_STR(up, "other");
        ASSERT_TRUE(qn_policy_owned(p, QN_STR("acme-nowhere"), &up));
        ASSERT_STR(up, "");
        ASSERT_FALSE(qn_policy_owned(p, QN_STR("@acme/design"), &up));
        ASSERT_STR(up, "");
        ASSERT_FALSE(qn_policy_owned(p, QN_STR("@acmeevil/web"), NULL));
        ASSERT_FALSE(qn_policy_owned(p, QN_STR("@Acme/web"), NULL));
        ASSERT_FALSE(qn_policy_owned(p, QN_STR("@x/acme-web"), NULL));
        ASSERT_FALSE(qn_policy_owned(p, QN_STR("acme"), NULL));
        ASSERT_FALSE(qn_policy_owned(p, QN_STR(""), NULL));
}

static int64_t age_of(const char *packages, const char *name)
{
        char text[512];
        struct qn_policy_facts f = facts(name, "1.0.0");
        _cleanup_(qn_policy_freep) struct qn_policy *p = NULL;

        snprintf(text, sizeof text, "minimum-age:\n  default: 1h\n  packages: {%s}\n", packages);
        p = policy(text);
        return qn_policy_changes_at(p, f.name, NOW, NOW) - NOW;
}

TEST(most_specific_pattern_counts)
{
#define AGES                                                                                  \
        "\"*\": 2h, \"@acme/*\": 3h, \"@acme/web-*\": 4h, \"@acme/web-x\": 5h, \"a-*\": 6h, " \
        "\"*-b\": 7h"
        ASSERT_EQ(age_of("", "x"), HOUR);
        ASSERT_EQ(age_of(AGES, "x"), 2 * HOUR);
        ASSERT_EQ(age_of(AGES, "@acme/x"), 3 * HOUR);
        ASSERT_EQ(age_of(AGES, "@acme/web-y"), 4 * HOUR);
        ASSERT_EQ(age_of(AGES, "@acme/web-x"), 5 * HOUR);
        ASSERT_EQ(age_of(AGES, "a-x"), 6 * HOUR);
        ASSERT_EQ(age_of(AGES, "a-b"), 7 * HOUR); /* as specific: the stricter */
        ASSERT_EQ(age_of(AGES, "@x/a-b"), 2 * HOUR);
}

/* --- decisions --- */

static void is(const char *text, const struct qn_policy_facts *f, enum qn_policy_action action,
               const char *rule)
{
        struct qn_policy_decision d = decide(text, f);

        ASSERT_EQ(d.action, action);
        assert_string_equal(d.rule, rule);
        ASSERT_EQ(d.reason[0] != '\0', rule[0] != '\0');
}

TEST(harmless_package)
{
        struct qn_policy_facts f = facts("left-pad", "1.3.0");
        struct qn_policy_decision d = decide("", &f);

        ASSERT_EQ(d.action, QN_POLICY_ALLOW);
        assert_string_equal(d.rule, "");
        assert_string_equal(d.reason, "");
        ASSERT_EQ(d.until_ms, INT64_MAX);
        f.judged = true;
        is("", &f, QN_POLICY_ALLOW, "");
        f.has_hooks = true;
        is("", &f, QN_POLICY_ALLOW, "");
        is("install-hooks: {all: block}\n", &f, QN_POLICY_BLOCK, "install-hooks");
}

TEST(verdicts)
{
        struct qn_policy_facts f = facts("left-pad", "1.3.0");

        f.verdict = QN_MALICIOUS; /* does not count yet */
        is("", &f, QN_POLICY_ALLOW, "");
        f.judged = true;
        f.reason = QN_STR("sends \x1b[2Jtokens to https://evil.example/x");
        is("", &f, QN_POLICY_BLOCK, "verdict");
        assert_string_equal(decide("contact: sec@acme.example\n", &f).reason,
                            "left-pad@1.3.0 was found to be malicious (sends \\x1b[2Jtokens to "
                            "hxxps://evil[.]example/x): do not install it, choose another version, "
                            "and tell sec@acme.example if you had it before");
        f.verdict = QN_SUSPICIOUS;
        is("verdict: {suspicious: block}\n", &f, QN_POLICY_BLOCK, "verdict");
        is("verdict: {suspicious: allow}\n", &f, QN_POLICY_ALLOW, "");
        ASSERT_EQ(decide("", &f).mode, QN_POLICY_WARN);
        f.verdict = QN_UNKNOWN;
        is("", &f, QN_POLICY_QUARANTINE, "unknown");
        is("unknown: {action: block}\n", &f, QN_POLICY_BLOCK, "unknown");
        is("unknown: {action: allow}\n", &f, QN_POLICY_ALLOW, "");
        f.late = true;
        assert_string_equal(decide("", &f).reason, "left-pad@1.3.0 is still being analysed and is "
                                                   "in quarantine: try again in a minute");
}

TEST(what_is_known_cannot_be_read)
{
        struct qn_policy_facts f = facts("chalk", "5.6.1");

        f.known = QN_KNOWN_UNREADABLE;
        is("", &f, QN_POLICY_BLOCK, "intelligence");
        is("intelligence: {malicious: warn}\n", &f, QN_POLICY_BLOCK, "intelligence");
        assert_string_equal(decide("", &f).reason,
                            "chalk@5.6.1 may be bad: what is known cannot be read now: try again "
                            "later, or ask your security team");
        f.from_owned = true; /* what the own list says of it is not known, either */
        is("", &f, QN_POLICY_BLOCK, "intelligence");
}

TEST(intelligence)
{
        struct qn_policy_facts f = facts("chalk", "5.6.1");

        f.known = QN_KNOWN_MALICIOUS;
        f.known_id = QN_STR("MAL-2025-46969");
        f.known_why = QN_STR("steals wallets");
        is("", &f, QN_POLICY_BLOCK, "intelligence");
        assert_string_equal(
                decide("", &f).reason,
                "chalk@5.6.1 is known to be malicious (MAL-2025-46969: steals wallets): "
                "do not install it, choose another version, and tell your security team "
                "if you had it before");
        f.from_owned = true; /* somebody else's package of that name */
        is("", &f, QN_POLICY_ALLOW, "");
        f.known_id = QN_STR("OWN:chalk@5.6.1");
        is("", &f, QN_POLICY_BLOCK, "intelligence");
        f.known = QN_KNOWN_ALLOWED;
        is("", &f, QN_POLICY_ALLOW, "");
        f.from_owned = false;
        f.known = QN_KNOWN_VULNERABLE;
        is("", &f, QN_POLICY_ALLOW, "");
        is("intelligence: {vulnerable: block}\n", &f, QN_POLICY_BLOCK, "intelligence");
}

TEST(strictest_counts)
{
        struct qn_policy_facts f = facts("chalk", "5.6.1");
        struct qn_policy_decision d;

        f.lookalike = QN_STR("chalk2");
        f.has_hooks = f.hooks_new = true;
        is("", &f, QN_POLICY_QUARANTINE, "install-hooks");
        f.published_ms = NOW;
        is("", &f, QN_POLICY_BLOCK, "minimum-age");
        d = decide("", &f);
        ASSERT_EQ(d.until_ms, NOW + DAY); /* then the install script holds it */
        f.known = QN_KNOWN_MALICIOUS;
        is("", &f, QN_POLICY_BLOCK, "intelligence");
        ASSERT_EQ(decide("", &f).until_ms, INT64_MAX);
}

TEST(modes)
{
        struct qn_policy_facts f = facts("@acme/web", "1.0.0");

        f.known = QN_KNOWN_MALICIOUS;
        ASSERT_EQ(decide("mode: warn\n", &f).mode, QN_POLICY_WARN);
        ASSERT_EQ(decide("mode: warn\n", &f).action, QN_POLICY_BLOCK);
        ASSERT_EQ(decide("mode-for: {\"@acme/*\": observe}\n", &f).mode, QN_POLICY_OBSERVE);
        ASSERT_EQ(decide("mode: observe\nmode-for: {\"@acme/*\": enforce}\n", &f).mode,
                  QN_POLICY_ENFORCE);
        ASSERT_EQ(decide("mode-for: {\"@acme/w*\": enforce, \"@acme/*\": observe}\n", &f).mode,
                  QN_POLICY_ENFORCE);
        ASSERT_EQ(decide("intelligence: {malicious: observe, suspicious: allow}\nmode: warn\n", &f)
                          .mode,
                  QN_POLICY_OBSERVE);
        assert_string_equal(decide("mode: warn\n", &f).reason,
                            "@acme/web@1.0.0 is known to be malicious: it is served all the same, "
                            "look at it before you use it");
        ASSERT_EQ(decide("mode: observe\nowned: {\"@acme/*\": x}\n", &f).mode, QN_POLICY_ENFORCE);
}

TEST(dependency_confusion)
{
        struct qn_policy_facts f = facts("@acme/web", "99.0.0");

        is("owned: {\"@acme/*\": internal}\n", &f, QN_POLICY_BLOCK, "owned");
        assert_string_equal(decide("owned: {\"@acme/*\": internal}\n", &f).reason,
                            "@acme/web@99.0.0 has a name of the organisation's own, and comes from "
                            "elsewhere: check the name, or publish it to internal");
        f.from_owned = f.has_hooks = f.hooks_new = f.provenance_lost = true;
        f.lookalike = QN_STR("x");
        f.published_ms = NOW;
        is("owned: {\"@acme/*\": internal}\n", &f, QN_POLICY_ALLOW, "");
        f.judged = true;
        f.verdict = QN_MALICIOUS;
        is("owned: {\"@acme/*\": internal}\n", &f, QN_POLICY_BLOCK, "verdict");
}

/* --- time --- */

TEST(minimum_age_to_the_millisecond)
{
        _cleanup_(qn_policy_freep) struct qn_policy *p = policy("");
        struct qn_policy_facts f = facts("left-pad", "1.3.1");
        struct qn_policy_decision d;

        f.published_ms = NOW - 3 * HOUR;
        qn_policy_decide(p, &f, NOW, &d);
        ASSERT_EQ(d.action, QN_POLICY_BLOCK);
        ASSERT_EQ(d.until_ms, NOW + 21 * HOUR);
        assert_string_equal(
                d.reason, "left-pad@1.3.1 was published on 2026-11-29 11:00 UTC, and this registry "
                          "serves versions from 24 hours on: try again after 2026-11-30 11:00 UTC, "
                          "or ask your security team for an exception");
        ASSERT_EQ(qn_policy_changes_at(p, f.name, f.published_ms, NOW), d.until_ms);
        qn_policy_decide(p, &f, NOW + 21 * HOUR - 1, &d);
        ASSERT_EQ(d.action, QN_POLICY_BLOCK);
        ASSERT_EQ(d.until_ms, NOW + 21 * HOUR);
        ASSERT_EQ(qn_policy_changes_at(p, f.name, f.published_ms, NOW + 21 * HOUR - 1),
                  NOW + 21 * HOUR);
        qn_policy_decide(p, &f, NOW + 21 * HOUR, &d);
        ASSERT_EQ(d.action, QN_POLICY_ALLOW);
        ASSERT_EQ(d.until_ms, INT64_MAX);
        ASSERT_EQ(qn_policy_changes_at(p, f.name, f.published_ms, NOW + 21 * HOUR), INT64_MAX);
}

TEST(minutes_are_rounded_towards_what_holds)
{
        struct qn_policy_facts f = facts("left-pad", "1.3.1");

        f.published_ms = NOW - HOUR + 1;
        assert_non_null(strstr(decide("", &f).reason, "published on 2026-11-29 13:00 UTC"));
        assert_non_null(strstr(decide("", &f).reason, "after 2026-11-30 13:01 UTC"));
}

TEST(dates_that_are_none)
{
        struct qn_policy_facts f = facts("left-pad", "1.3.1");

        f.published_ms = QN_TIME_NONE;
        is("", &f, QN_POLICY_BLOCK, "minimum-age");
        is("minimum-age: {undated: allow}\n", &f, QN_POLICY_ALLOW, "");
        is("minimum-age: {default: 0}\n", &f, QN_POLICY_ALLOW, "");
        ASSERT_EQ(decide("", &f).until_ms, INT64_MAX);
        f.published_ms = INT64_MAX;
        is("", &f, QN_POLICY_BLOCK, "minimum-age");
        ASSERT_EQ(decide("", &f).until_ms, INT64_MAX);
        f.published_ms = INT64_MIN + 1;
        is("", &f, QN_POLICY_ALLOW, "");
}

TEST(new_packages)
{
        struct qn_policy_facts f = facts("left-pad", "1.3.1");
        struct qn_policy_decision d;

        f.first_ms = NOW - DAY;
        f.published_ms = NOW - HOUR;
        d = decide("minimum-age: {default: 2h, new-package: 3d}\n", &f);
        ASSERT_EQ(d.action, QN_POLICY_BLOCK);
        ASSERT_EQ(d.until_ms, NOW + 2 * DAY);
        assert_string_equal(
                d.reason, "left-pad is a new package, first published on 2026-11-28 14:00 UTC, and "
                          "this registry serves packages from 3 days on: try again after "
                          "2026-12-01 14:00 UTC, or ask your security team for an exception");
        d = decide("minimum-age: {default: 2d, new-package: 1d}\n", &f);
        ASSERT_EQ(d.until_ms, NOW + 2 * DAY - HOUR);
        f.first_ms = QN_TIME_NONE;
        d = decide("minimum-age: {default: 0, new-package: 3d}\n", &f);
        ASSERT_EQ(d.action, QN_POLICY_ALLOW);
}

TEST(exceptions_begin_and_end)
{
        _cleanup_(qn_policy_freep) struct qn_policy *p =
                policy("exceptions:\n"
                       "  - package: left-pad@^1.3.0\n    rules: [minimum-age, unknown]\n"
                       "    reason: looked at\n    owner: sec@acme.example\n"
                       "    since: 2026-11-29T14:00Z\n    expires: 2026-11-29T16:00Z\n");
        struct qn_policy_facts f = facts("left-pad", "1.3.1");
        struct qn_policy_decision d;

        f.published_ms = NOW - 3 * HOUR;
        qn_policy_decide(p, &f, NOW - 1, &d);
        ASSERT_EQ(d.action, QN_POLICY_BLOCK);
        ASSERT_EQ(d.until_ms, NOW);
        qn_policy_decide(p, &f, NOW, &d);
        ASSERT_EQ(d.action, QN_POLICY_ALLOW);
        ASSERT_TRUE(d.excepted && !d.overridden);
        assert_string_equal(d.rule, "minimum-age");
        ASSERT_EQ(d.until_ms, NOW + 2 * HOUR);
        assert_string_equal(
                d.reason, "left-pad@1.3.1 was published on 2026-11-29 11:00 UTC, and this registry "
                          "serves versions from 24 hours on: it is served because an exception was "
                          "made by sec@acme.example until 2026-11-29 16:00 UTC (looked at)");
        qn_policy_decide(p, &f, NOW + 2 * HOUR - 1, &d);
        ASSERT_EQ(d.action, QN_POLICY_ALLOW);
        qn_policy_decide(p, &f, NOW + 2 * HOUR, &d);
        ASSERT_EQ(d.action, QN_POLICY_BLOCK);
        ASSERT_EQ(d.until_ms, NOW + 21 * HOUR);
        f.version = QN_STR("2.0.0");
        qn_policy_decide(p, &f, NOW, &d);
        ASSERT_EQ(d.action, QN_POLICY_BLOCK);
        ASSERT_EQ(d.until_ms, NOW + 21 * HOUR); /* the exception's end changes nothing for it */
        ASSERT_EQ(qn_policy_changes_at(p, f.name, f.published_ms, NOW), NOW + 2 * HOUR);
        ASSERT_EQ(qn_policy_changes_at(p, QN_STR("x"), f.published_ms, NOW), NOW + 21 * HOUR);
}

TEST(exception_is_from_its_rules_only)
{
        struct qn_policy_facts f = facts("@x/y", "1.0.0-beta.1");

#define LET                                                                                \
        "exceptions:\n  - {package: \"@x/*\", rules: [minimum-age], reason: r, owner: o, " \
        "expires: never}\n"
        f.published_ms = NOW;
        is(LET, &f, QN_POLICY_ALLOW, "minimum-age");
        ASSERT_EQ(decide(LET, &f).until_ms, NOW + DAY);
        f.has_hooks = f.hooks_new = true;
        is(LET, &f, QN_POLICY_QUARANTINE, "install-hooks");
        ASSERT_FALSE(decide(LET, &f).excepted);
}

TEST(override_of_everything)
{
        _cleanup_(qn_policy_freep) struct qn_policy *p =
                policy("overrides:\n  - package: chalk@5.6.1\n    by: Jo Doe\n    reason: INC-1\n"
                       "    since: 2026-11-29\n    expires: 2026-12-01\n");
        struct qn_policy_facts f = facts("chalk", "5.6.1");
        struct qn_policy_decision d;

        qn_policy_decide(p, &f, NOW, &d);
        ASSERT_FALSE(d.excepted); /* there is nothing to override */
        f.known = QN_KNOWN_MALICIOUS;
        f.judged = true;
        f.verdict = QN_MALICIOUS;
        qn_policy_decide(p, &f, NOW, &d);
        ASSERT_EQ(d.action, QN_POLICY_ALLOW);
        ASSERT_TRUE(d.excepted && d.overridden);
        assert_string_equal(d.rule, "intelligence");
        ASSERT_EQ(d.until_ms, NOW + DAY + 10 * HOUR);
        assert_string_equal(d.reason,
                            "chalk@5.6.1 is known to be malicious: it is served because the policy "
                            "is overridden by Jo Doe until 2026-12-01 00:00 UTC (INC-1)");
        qn_policy_decide(p, &f, d.until_ms, &d);
        ASSERT_EQ(d.action, QN_POLICY_BLOCK);
        f.version = QN_STR("5.6.2");
        qn_policy_decide(p, &f, NOW, &d);
        ASSERT_EQ(d.action, QN_POLICY_BLOCK);
}

TEST(quarantine_that_ends)
{
        _cleanup_(qn_policy_freep) struct qn_policy *p =
                policy("quarantine: {release-after: 7d}\n");
        struct qn_policy_facts f = facts("x", "1.0.0");
        struct qn_policy_decision d;

        f.has_hooks = f.hooks_new = true;
        f.published_ms = NOW - 2 * DAY;
        qn_policy_decide(p, &f, NOW, &d);
        ASSERT_EQ(d.action, QN_POLICY_QUARANTINE);
        ASSERT_EQ(d.mode, QN_POLICY_ENFORCE);
        ASSERT_EQ(d.until_ms, NOW + 5 * DAY);
        qn_policy_decide(p, &f, NOW + 5 * DAY, &d);
        ASSERT_EQ(d.mode, QN_POLICY_WARN);
        ASSERT_EQ(d.until_ms, INT64_MAX);
        assert_non_null(strstr(d.reason, "its quarantine is over"));
}

/* --- texts and steps --- */

TEST(reasons_are_cut_at_characters)
{
        char why[4096], name[600];
        struct qn_policy_facts f = facts("x", "1.0.0");
        struct qn_policy_decision d;

        for (size_t i = 0; i + 3 <= sizeof why; i += 3)
                memcpy(why + i, "\xe6\xbc\xa2", 3);
        memset(name, 'a', sizeof name);
        f.name = (struct qn_str){ name, sizeof name };
        f.judged = true;
        f.verdict = QN_MALICIOUS;
        f.reason = (struct qn_str){ why, sizeof why };
        d = decide("", &f);
        ASSERT_TRUE(strlen(d.reason) < sizeof d.reason);
        f.lookalike = f.name;
        f.version = f.reason;
        for (size_t i = 0; i + 4 <= sizeof why; i += 4) /* wide in bytes, nothing in columns */
                memcpy(why + i, "e\xcc\x81\xcc", 4);
        d = decide("", &f);
        ASSERT_TRUE(strlen(d.reason) < sizeof d.reason);
}

TEST(steps_say_what_the_decision_says)
{
        _cleanup_(qn_policy_freep) struct qn_policy *p = policy("");
        struct qn_policy_facts f = facts("x", "1.0.0");
        struct qn_policy_step steps[QN_POLICY_STEPS];
        unsigned applies = 0;

        f.published_ms = NOW;
        f.has_hooks = f.hooks_new = true;
        qn_policy_explain(p, &f, NOW, steps);
        assert_string_equal(steps[0].rule, "override");
        assert_string_equal(steps[0].why, "nobody overrides the policy for it");
        for (unsigned i = 0; i < QN_POLICY_STEPS; i++) {
                applies += steps[i].applies;
                ASSERT_EQ(steps[i].decides, strcmp(steps[i].rule, "minimum-age") == 0);
                ASSERT_TRUE(steps[i].why[0] != '\0');
        }
        ASSERT_EQ(applies, 2);
}
