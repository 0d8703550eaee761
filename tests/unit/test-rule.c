#include <errno.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "event/event.h"
#include "rule/attack.h"
#include "rule/judge.h"
#include "rule/rule.h"
#include "test.h"

#define HEAD                                                                               \
        "rules:\n- id: r\n  title: It matched\n  severity: high\n  verdict: malicious\n  " \
        "explain: Sends to {host|url|a host}\n"

static struct qn_rules *rules;
static struct qn_err err;
static struct qn_arena arena = QN_ARENA_INIT((size_t)64 << 20);
static struct qn_event_set set;
static struct qn_verdict verdict;

/* Loads one rule file made of the text; 0 or the error. */
static int load(const char *text)
{
        char path[] = "/tmp/qanat-rule-XXXXXX";
        int fd = mkstemp(path), r;
        const char *paths[] = { path };

        assert_true(fd >= 0);
        ASSERT_EQ(qn_io_write_fd(fd, qn_str_c(text)), 0);
        close(fd);
        rules = qn_rules_free(rules);
        err = (struct qn_err){ 0 };
        r = qn_rules_load(paths, 1, &rules, &err);
        unlink(path);
        return r;
}

static void load_ok(const char *text)
{
        if (load(text) != 0)
                fail_msg("%s", err.msg);
}

static void assert_refused(const char *text, const char *message)
{
        ASSERT_TRUE(load(text) < 0);
        ASSERT_NULL(rules);
        if (!strstr(err.msg, message))
                fail_msg("\"%s\" does not say \"%s\"", err.msg, message);
}

static void begin(void)
{
        qn_arena_reset(&arena, 1 << 20);
        qn_event_set_init(&set, &arena);
}

static void event(enum qn_event_kind k, enum qn_phase phase, const char *file, enum qn_attr key,
                  const char *value)
{
        struct qn_event e = qn_event_make(
                k, QN_LAYER_STATIC, *file ? qn_event_set_file(&set, qn_str_c(file)) : QN_FILE_NONE);

        e.phase = (uint8_t)phase;
        e.off = (uint32_t)set.n;
        qn_event_attr(&e, key, qn_str_c(value));
        ASSERT_EQ(qn_event_add(&set, &e), 0);
}

static enum qn_verdict_kind judge(void)
{
        ASSERT_EQ(qn_event_set_seal(&set), 0);
        ASSERT_EQ(qn_judge(rules, &set, &arena, &verdict), 0);
        return verdict.kind;
}

/* --- rule files that are refused --- */

TEST(errors_name_place_and_cure)
{
        assert_refused("rules: [", ":1:");
        assert_refused("rule: []\n", "only lists:, conditions: and rules:");
        assert_refused("- a\n", "holds lists:");
        assert_refused("rules:\n- id: x\n", ":2:3: this rule has no title:");
        assert_refused(HEAD "  when: {event: env.raed}\n",
                       ":7:17: unknown event \"env.raed\" (did you mean \"env.read\"?)");
        assert_refused(HEAD "  when: {event: env.read, nmae: x}\n",
                       "has no field \"nmae\" (did you mean \"name\"?)");
        assert_refused(HEAD "  when: {event: env.read, labels: [npn]}\n",
                       "unknown label \"npn\" (did you mean \"npm\"?)");
        assert_refused(HEAD "  when: {event: env.read, phase: instal}\n",
                       "did you mean \"install\"?");
        assert_refused(HEAD "  when: {event: env.read, layer: statik}\n",
                       "did you mean \"static\"?");
        assert_refused(HEAD "  when: {event: env.read, name: {globb: x}}\n",
                       "did you mean \"glob\"?");
        assert_refused(HEAD "  when: {event: env.read, name: $none}\n",
                       "there is no list \"none\"");
        assert_refused(HEAD "  when: {event: env.read, name: []}\n", "the list is empty");
        assert_refused(HEAD "  when: {event: env.read, name: {not: {not: x}}}\n", "says nothing");
        assert_refused(HEAD "  when: {al: [env.read]}\n", "did you mean \"all\"?");
        assert_refused(HEAD "  when: {all: []}\n", "a list of conditions");
        assert_refused(HEAD "  when: {use: none}\n", "there is no condition \"none\"");
        assert_refused(HEAD "  when: {not: env.read}\n", "nothing has to be there");
        assert_refused(HEAD "  when: {same-file: [{not: env.read}, env.read]}\n", "begin the list");
        assert_refused(HEAD "  when: {count: {of: env.read}}\n", "count: takes");
        assert_refused(HEAD "  when: {count: {of: env.read, at-least: 0}}\n", "1 to 64");
        assert_refused(HEAD "  when: {count: {of: env.read, at-least: 2, distinct: nam}}\n",
                       "did you mean \"name\"?");
        assert_refused(HEAD "  when: {count: {of: {all: [env.read]}, at-least: 2}}\n",
                       "takes an event pattern");
        assert_refused(HEAD "  when: env.read\n  sevrity: low\n", "did you mean \"severity\"?");
        assert_refused(HEAD "  when: env.read\n  tactics: [T9999]\n", "not in the ATT&CK table");
        assert_refused(HEAD "  when: env.read\n  score: 0\n", "1 to 100");
        assert_refused(HEAD "  when: env.read\n  advice: look at {hots}\n", "{hots} is not");
        assert_refused(HEAD "  when: env.read\n  title: again\n", "occurs twice");
        assert_refused(HEAD "  when: env.read\n"
                            "- id: r\n  title: t\n  severity: low\n  verdict: info\n  explain: e\n "
                            " when: meta\n",
                       "the rule \"r\" is also in");
        assert_refused("lists: {a: [x]}\nconditions: {c: {use: c}}\n", "in a circle");
        assert_refused("lists: {a: [$b], b: [$a]}\n" HEAD "  when: {event: env.read, name: $a}\n",
                       "in a circle");
        assert_refused("lists: {a: x}\n", "a list is written");
        assert_refused("rules:\n- id: Bad_Id\n  title: t\n  severity: low\n  verdict: info\n  "
                       "explain: e\n  when: meta\n",
                       "id: takes");
        assert_refused("rules:\n- id: r\n  title: t\n  severity: lo\n  verdict: info\n  explain: "
                       "e\n  when: meta\n",
                       "severity: takes");
        assert_refused("rules:\n- id: r\n  title: t\n  severity: low\n  verdict: clean\n  explain: "
                       "e\n  when: meta\n",
                       "verdict: takes");
}

TEST(a_path_that_is_not_there)
{
        const char *paths[] = { "/nonexistent/rules" };

        ASSERT_EQ(qn_rules_load(paths, 1, &rules, &err), -ENOENT);
        ASSERT_NULL(rules);
}

/* --- patterns --- */

TEST(attribute_matchers)
{
        static const struct {
                const char *matcher;
                bool fits;
        } cases[] = {
                { "{event: net.send, host: a.b.invalid}", true },
                { "{event: net.send, host: A.b.invalid}", false },
                { "{event: net.send, host: {is: A.B.invalid, ignore-case: true}}", true },
                { "{event: net.send, host: [x, a.b.invalid]}", true },
                { "{event: net.send, host: {glob: '*.invalid'}}", true },
                { "{event: net.send, host: {glob: '*.example'}}", false },
                { "{event: net.send, host: {contains: .b.}}", true },
                { "{event: net.send, host: {starts: a., ends: [x, .invalid]}}", true },
                { "{event: net.send, host: {starts: a., ends: x}}", false },
                { "{event: net.send, host: {not: a.b.invalid}}", false },
                { "{event: net.send, host: {not: {glob: 'x*'}}}", true },
                { "{event: net.send, host: true}", true },
                { "{event: net.send, host: false}", false },
                { "{event: net.send, url: false}", true },
                { "{event: net.send, url: {present: true}}", false },
                { "{event: net.send, url: {not: x}}", true },
                { "{event: [net.connect, net.send]}", true },
                { "net.send", true },
                { "{event: net.send, file: x.js}", true },
                { "{event: net.send, file: {glob: lib/*}}", false },
                { "{event: net.send, layer: emulated}", false },
                { "{event: net.send, phase: call}", false },
                { "{event: net.send, times: 2}", false },
                { "{event: net.send, labels: npm}", false },
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(cases); i++) {
                char text[512];

                snprintf(text, sizeof text, "%s  when: %s\n", HEAD, cases[i].matcher);
                load_ok(text);
                begin();
                event(QN_EVENT_NET_SEND, QN_PHASE_IMPORT, "x.js", QN_ATTR_HOST, "a.b.invalid");
                if ((judge() == QN_MALICIOUS) != cases[i].fits)
                        fail_msg("%s", cases[i].matcher);
        }
}

TEST(words_and_numbers)
{
        load_ok(HEAD "  when: {all: [{event: proc.exec, how: detached}, {event: meta, value: "
                     "{at-least: 10, at-most: 20}}]}\n");
        begin();
        event(QN_EVENT_PROC_EXEC, QN_PHASE_IMPORT, "x.js", QN_ATTR_HOW, "shell detached");
        event(QN_EVENT_META, QN_PHASE_CALL, "", QN_ATTR_VALUE, "15");
        ASSERT_EQ(judge(), QN_MALICIOUS);
        begin();
        event(QN_EVENT_PROC_EXEC, QN_PHASE_IMPORT, "x.js", QN_ATTR_HOW, "undetached");
        event(QN_EVENT_META, QN_PHASE_CALL, "", QN_ATTR_VALUE, "15");
        ASSERT_EQ(judge(), QN_CLEAN);
        begin();
        event(QN_EVENT_PROC_EXEC, QN_PHASE_IMPORT, "x.js", QN_ATTR_HOW, "detached");
        event(QN_EVENT_META, QN_PHASE_CALL, "", QN_ATTR_VALUE, "21");
        ASSERT_EQ(judge(), QN_CLEAN);
}

TEST(labels_any_and_all)
{
        struct qn_event e;

        load_ok(HEAD "  when: {event: net.send, labels: [npm, ssh], labels-all: [file]}\n");
        for (unsigned i = 0; i < 4; i++) {
                begin();
                e = qn_event_make(QN_EVENT_NET_SEND, QN_LAYER_STATIC, QN_FILE_NONE);
                e.phase = QN_PHASE_IMPORT;
                e.labels = (i & 1 ? QN_LABEL_BIT(SSH) : 0) | (i & 2 ? QN_LABEL_BIT(FILE) : 0);
                ASSERT_EQ(qn_event_add(&set, &e), 0);
                ASSERT_EQ(judge(), i == 3 ? QN_MALICIOUS : QN_CLEAN);
        }
}

/* --- phases --- */

TEST(usual_phases_leave_out_calls_and_dead_code)
{
        load_ok(HEAD "  when: net.send\n");
        for (unsigned p = 0; p < QN_PHASE_MAX; p++) {
                begin();
                event(QN_EVENT_NET_SEND, p, "x.js", QN_ATTR_HOST, "h.invalid");
                ASSERT_EQ(judge(),
                          p == QN_PHASE_CALL || p == QN_PHASE_NEVER ? QN_CLEAN : QN_MALICIOUS);
        }
}

TEST(dead_code_weakens_single_facts_only)
{
        load_ok(HEAD "  phase: any\n  when: net.send\n");
        begin();
        event(QN_EVENT_NET_SEND, QN_PHASE_NEVER, "x.js", QN_ATTR_HOST, "h.invalid");
        ASSERT_EQ(judge(), QN_CLEAN);
        ASSERT_EQ(verdict.n, 1);
        ASSERT_EQ(verdict.findings[0].verdict, QN_CLEAN);
        ASSERT_TRUE(verdict.score > 0 && verdict.score < 40);
        load_ok(HEAD "  phase: any\n  when: {all: [net.send, env.read]}\n");
        begin();
        event(QN_EVENT_NET_SEND, QN_PHASE_NEVER, "x.js", QN_ATTR_HOST, "h.invalid");
        event(QN_EVENT_ENV_READ, QN_PHASE_NEVER, "x.js", QN_ATTR_NAME, "X");
        ASSERT_EQ(judge(), QN_MALICIOUS);
}

TEST(facts_have_no_time)
{
        load_ok(HEAD "  when: {all: [{event: dep.spec, how: git}, meta]}\n");
        begin();
        event(QN_EVENT_DEP_SPEC, QN_PHASE_NEVER, "", QN_ATTR_HOW, "git");
        event(QN_EVENT_META, QN_PHASE_CALL, "", QN_ATTR_WHAT, "x");
        ASSERT_EQ(judge(), QN_MALICIOUS);
        load_ok(HEAD "  when: {event: dep.spec, phase: install}\n");
        ASSERT_EQ(judge(), QN_CLEAN);
}

TEST(same_phase)
{
        load_ok(HEAD "  when: {same-phase: [net.send, env.read]}\n");
        begin();
        event(QN_EVENT_NET_SEND, QN_PHASE_IMPORT, "x.js", QN_ATTR_HOST, "h.invalid");
        event(QN_EVENT_ENV_READ, QN_PHASE_BIN, "x.js", QN_ATTR_NAME, "X");
        ASSERT_EQ(judge(), QN_CLEAN);
        begin();
        event(QN_EVENT_NET_SEND, QN_PHASE_BIN, "x.js", QN_ATTR_HOST, "h.invalid");
        event(QN_EVENT_ENV_READ, QN_PHASE_BIN, "y.js", QN_ATTR_NAME, "X");
        ASSERT_EQ(judge(), QN_MALICIOUS);
        ASSERT_EQ(verdict.findings[0].phase, QN_PHASE_BIN);
}

/* --- groups --- */

TEST(same_file)
{
        load_ok(HEAD "  when: {same-file: [{any: [net.send, net.connect]}, env.read, {not: "
                     "time.wait}]}\n");
        begin();
        event(QN_EVENT_NET_SEND, QN_PHASE_IMPORT, "a.js", QN_ATTR_HOST, "h.invalid");
        event(QN_EVENT_ENV_READ, QN_PHASE_IMPORT, "b.js", QN_ATTR_NAME, "X");
        ASSERT_EQ(judge(), QN_CLEAN);
        begin();
        event(QN_EVENT_NET_SEND, QN_PHASE_IMPORT, "a.js", QN_ATTR_HOST, "h.invalid");
        event(QN_EVENT_NET_CONNECT, QN_PHASE_IMPORT, "b.js", QN_ATTR_HOST, "h.invalid");
        event(QN_EVENT_ENV_READ, QN_PHASE_IMPORT, "b.js", QN_ATTR_NAME, "X");
        event(QN_EVENT_TIME_WAIT, QN_PHASE_IMPORT, "a.js", QN_ATTR_HOW, "x");
        ASSERT_EQ(judge(), QN_MALICIOUS);
        ASSERT_EQ(verdict.findings[0].n_evidence, 2);
        begin();
        event(QN_EVENT_NET_CONNECT, QN_PHASE_IMPORT, "b.js", QN_ATTR_HOST, "h.invalid");
        event(QN_EVENT_ENV_READ, QN_PHASE_IMPORT, "b.js", QN_ATTR_NAME, "X");
        event(QN_EVENT_TIME_WAIT, QN_PHASE_IMPORT, "b.js", QN_ATTR_HOW, "x");
        ASSERT_EQ(judge(), QN_CLEAN);
}

TEST(count_distinct)
{
        load_ok(HEAD "  when: {count: {of: {any: [secret.read, env.read]}, at-least: 2, distinct: "
                     "name}}\n");
        begin();
        event(QN_EVENT_SECRET_READ, QN_PHASE_IMPORT, "a.js", QN_ATTR_NAME, "X");
        event(QN_EVENT_ENV_READ, QN_PHASE_IMPORT, "b.js", QN_ATTR_NAME, "X");
        ASSERT_EQ(judge(), QN_CLEAN);
        begin();
        event(QN_EVENT_SECRET_READ, QN_PHASE_IMPORT, "a.js", QN_ATTR_NAME, "X");
        event(QN_EVENT_ENV_READ, QN_PHASE_IMPORT, "b.js", QN_ATTR_NAME, "Y");
        event(QN_EVENT_ENV_READ, QN_PHASE_NEVER, "b.js", QN_ATTR_NAME, "Z");
        ASSERT_EQ(judge(), QN_MALICIOUS);
        ASSERT_EQ(verdict.findings[0].n_evidence, 2);
}

TEST(lists_and_named_conditions)
{
        load_ok("lists: {bad: [h.invalid, $worse], worse: [i.invalid]}\n"
                "conditions:\n  out: {event: [net.send, net.connect], host: [$bad, x]}\n" HEAD
                "  when: {all: [{use: out}, {use: out}]}\n");
        begin();
        event(QN_EVENT_NET_CONNECT, QN_PHASE_IMPORT, "a.js", QN_ATTR_HOST, "i.invalid");
        ASSERT_EQ(judge(), QN_MALICIOUS);
        begin();
        event(QN_EVENT_NET_CONNECT, QN_PHASE_IMPORT, "a.js", QN_ATTR_HOST, "j.invalid");
        ASSERT_EQ(judge(), QN_CLEAN);
}

/* --- verdicts --- */

TEST(unanalysed_is_never_clean)
{
        load_ok(HEAD "  when: net.send\n");
        begin();
        event(QN_EVENT_UNANALYSED, QN_PHASE_NEVER, "big.js", QN_ATTR_DETAIL, "it is too large");
        ASSERT_EQ(judge(), QN_UNKNOWN);
        ASSERT_STR(verdict.reason, "big.js could not be analysed: it is too large");
        begin();
        event(QN_EVENT_UNANALYSED, QN_PHASE_NEVER, "big.js", QN_ATTR_DETAIL, "it is too large");
        event(QN_EVENT_NET_SEND, QN_PHASE_IMPORT, "x.js", QN_ATTR_HOST, "h.invalid");
        ASSERT_EQ(judge(), QN_MALICIOUS);
        ASSERT_EQ(verdict.n_unanalysed, 1);
}

TEST(no_events_is_clean)
{
        load_ok(HEAD "  when: net.send\n");
        begin();
        ASSERT_EQ(judge(), QN_CLEAN);
        ASSERT_EQ(verdict.score, 0);
        ASSERT_TRUE(verdict.reason.n > 0);
}

TEST(explanations_hold_evidence)
{
        load_ok(HEAD "  when: net.send\n");
        begin();
        event(QN_EVENT_NET_SEND, QN_PHASE_IMPORT, "x.js", QN_ATTR_HOST, "h.invalid");
        event(QN_EVENT_NET_SEND, QN_PHASE_IMPORT, "x.js", QN_ATTR_HOST, "i.invalid");
        judge();
        ASSERT_STR(verdict.findings[0].explain, "Sends to \"h.invalid\", \"i.invalid\"");
        begin();
        event(QN_EVENT_NET_SEND, QN_PHASE_IMPORT, "x.js", QN_ATTR_HOW, "tcp");
        judge();
        ASSERT_STR(verdict.findings[0].explain, "Sends to a host");
}

TEST(evidence_is_capped_and_prefers_what_ran)
{
        struct qn_event e;

        load_ok(HEAD "  when: net.send\n");
        begin();
        for (unsigned i = 0; i < 20; i++) {
                char host[32];

                snprintf(host, sizeof host, "h%u.invalid", i);
                event(QN_EVENT_NET_SEND, QN_PHASE_IMPORT, "x.js", QN_ATTR_HOST, host);
        }
        e = qn_event_make(QN_EVENT_NET_SEND, QN_LAYER_DETONATED, QN_FILE_NONE);
        e.phase = QN_PHASE_BIN;
        ASSERT_EQ(qn_event_add(&set, &e), 0);
        judge();
        ASSERT_EQ(verdict.findings[0].n_evidence, QN_EVIDENCE_MAX);
        ASSERT_EQ(verdict.findings[0].evidence[0]->layer, QN_LAYER_DETONATED);
        ASSERT_EQ(verdict.findings[0].layer, QN_LAYER_DETONATED);
        ASSERT_EQ(verdict.findings[0].phase, QN_PHASE_IMPORT);
}

#define RULE(id, sev, v, kind)                                              \
        "- id: " id "\n  title: " id "\n  severity: " sev "\n  verdict: " v \
        "\n  explain: e\n  when: " kind "\n"

TEST(more_evidence_never_lowers_the_score)
{
        static const enum qn_event_kind kinds[] = { QN_EVENT_META, QN_EVENT_ENV_READ,
                                                    QN_EVENT_NET_SEND, QN_EVENT_PERSIST };
        unsigned scores[16];

        load_ok("rules:\n" RULE("a", "low", "info", "meta")
                        RULE("b", "medium", "suspicious", "env.read")
                                RULE("c", "high", "suspicious", "net.send")
                                        RULE("d", "critical", "malicious", "persist"));
        ASSERT_EQ(qn_rules_count(rules), 4);
        ASSERT_NOT_NULL(qn_rules_find(rules, QN_STR("c")));
        ASSERT_NULL(qn_rules_find(rules, QN_STR("e")));
        for (unsigned m = 0; m < 16; m++) {
                begin();
                for (unsigned i = 0; i < 4; i++)
                        if (m >> i & 1)
                                event(kinds[i], QN_PHASE_IMPORT, "x.js", QN_ATTR_NAME, "X");
                judge();
                scores[m] = verdict.score;
        }
        for (unsigned m = 0; m < 16; m++)
                for (unsigned i = 0; i < 4; i++)
                        ASSERT_TRUE(scores[m | 1u << i] >= scores[m]);
        ASSERT_TRUE(scores[1] < 40 && scores[2] >= 40 && scores[6] < 80 && scores[8] >= 80 &&
                    scores[15] <= 100);
        ASSERT_STR(verdict.findings[0].rule->id, "d");
        ASSERT_STR(verdict.reason, "d (and 2 more findings)");
}

TEST(full_arena_is_reported)
{
        struct qn_arena small = QN_ARENA_INIT(64 << 10);
        struct qn_verdict v;

        load_ok(HEAD "  when: net.send\n");
        begin();
        for (unsigned i = 0; i < 20000; i++) {
                char name[32];

                snprintf(name, sizeof name, "%u", i);
                event(QN_EVENT_NET_SEND, QN_PHASE_IMPORT,
                      (char[]){ 'a' + (char)(i / 1000), (char)('a' + i / 100 % 10), 0 },
                      QN_ATTR_HOST, name);
        }
        ASSERT_EQ(qn_event_set_seal(&set), 0);
        ASSERT_EQ(qn_judge(rules, &set, &small, &v), -ENOBUFS);
        qn_arena_done(&small);
}

TEST(attack_names)
{
        assert_string_equal(qn_attack_name(QN_STR("T1195.002")),
                            "Compromise Software Supply Chain");
        ASSERT_NULL(qn_attack_name(QN_STR("T1195.999")));
        rules = qn_rules_free(rules);
        qn_arena_done(&arena);
}
