#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "cli/gate-policy.h"
#include "gate/policy-cases.h"
#include "parse/json.h"
#include "test.h"

static struct qn_arena arena = QN_ARENA_INIT((size_t)16 << 20);

static void wrong(const char *text, const char *message)
{
        struct qn_policy_case *v = NULL;
        struct qn_err err = { 0 };
        size_t n;

        ASSERT_EQ(qn_policy_cases(qn_str_c(text), "t.yaml", &arena, &v, &n, &err), -EINVAL);
        ASSERT_NULL(v);
        assert_string_equal(err.msg, message);
}

TEST(wrong_cases)
{
        wrong("tests: {}\n", "t.yaml:1: tests is a list, lines that begin with `- `");
        wrong("tests: [a]\n", "t.yaml:1: a case is a mapping, lines of `key: value`");
        wrong("tests:\n  - package: a@1.0.0\n", "t.yaml:2: a case without `expect`: add it");
        wrong("tests:\n  - expect: block\n", "t.yaml:2: a case without `package`: add it");
        wrong("- {package: a, expect: block}\n",
              "t.yaml:1: package is a name and a version: left-pad@1.3.1");
        wrong("- {package: a@, expect: block}\n",
              "t.yaml:1: package is a name and a version: left-pad@1.3.1");
        wrong("- {package: a@1, expect: blocked}\n",
              "t.yaml:1: expect cannot be \"blocked\"; did you mean \"block\"?");
        wrong("- {package: a@1, verdict: bad}\n",
              "t.yaml:1: verdict is none, clean, unknown, late, "
              "suspicious or malicious, not \"bad\"");
        wrong("- {package: a@1, rule: minimum_age}\n",
              "t.yaml:1: rule cannot be \"minimum_age\"; did you mean \"minimum-age\"?");
        wrong("- {package: a@1, publishd: 2026-01-01}\n",
              "t.yaml:1: there is no key \"publishd\"; did you mean \"published\"?");
        wrong("- {package: a@1, hooks: yes}\n", "t.yaml:1: hooks is none, old or new, not \"yes\"");
}

/* Standard output of gate_policy_test() over a policy. */
static int run(const char *policy, struct gate_policy_test t, struct qn_buf *out)
{
        char dir[] = "/tmp/qanat-policy-XXXXXX", path[64], text[64];
        int saved = dup(STDOUT_FILENO), fd, r;

        ASSERT_NOT_NULL(mkdtemp(dir));
        snprintf(path, sizeof path, "%s/p", dir);
        snprintf(text, sizeof text, "%s/o", dir);
        ASSERT_EQ(qn_io_replace(path, qn_str_c(policy)), 0);
        fd = open(text, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
        fflush(stdout);
        dup2(fd, STDOUT_FILENO);
        t.policy = t.policy ? t.policy : path;
        r = gate_policy_test(&t);
        dup2(saved, STDOUT_FILENO);
        close(saved);
        close(fd);
        ASSERT_EQ(qn_io_read(text, out), 0);
        unlink(path);
        unlink(text);
        rmdir(dir);
        return r;
}

#define CASES                                                                    \
        "tests:\n"                                                               \
        "  - {name: young, package: a@1.0.0, at: 2026-11-29T14:00Z,\n"           \
        "     published: 2026-11-29T11:00Z, expect: block, rule: minimum-age,\n" \
        "     until: 2026-11-30T11:00Z, by: nobody, says: try again after}\n"    \
        "  - {name: fine, package: a@1.0.0, expect: allow, until: never}\n"

TEST(shipped_cases_hold)
{
        struct qn_buf out = QN_BUF_INIT((size_t)1 << 20);
        struct gate_policy_test t = { .policy = TEST_DATA "/gate/policy.yaml" };

        ASSERT_EQ(run("", t, &out), 0);
        assert_non_null(strstr(out.p, "6 cases, 0 failed (policy "));
        qn_buf_done(&out);
}

TEST(rows_are_aligned)
{
        struct qn_buf out = QN_BUF_INIT((size_t)1 << 20);

        ASSERT_EQ(run(CASES, (struct gate_policy_test){ 0 }, &out), 0);
        assert_non_null(strstr(out.p, "ok  block  minimum-age  line 2  young\n"
                                      "ok  allow  -            line 5  fine\n"
                                      "2 cases, 0 failed (policy "));
        qn_buf_done(&out);
}

TEST(what_fails_is_told)
{
        static const struct {
                const char *rest, *says;
        } cases[] = {
                { "expect: block", "it is warn by look-alikes, not block" },
                { "expect: warn, rule: verdict", "the rule is look-alikes, not verdict" },
                { "expect: warn, by: override", "nobody lets it through, not an override" },
                { "expect: warn, until: 2026-12-01",
                  "it holds until never, not 2026-12-01T00:00:00Z" },
                { "expect: warn, says: nothing", "it says: a@1.0.0 has a name that looks like that "
                                                 "of the popular b: it is served all "
                                                 "the same, look at it before you use it" },
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                struct qn_buf out = QN_BUF_INIT((size_t)1 << 20);
                char text[300], row[400];

                snprintf(text, sizeof text,
                         "tests:\n  - {name: x, package: a@1.0.0, looks-like: b, %s}\n",
                         cases[i].rest);
                snprintf(row, sizeof row, "FAILED  warn  look-alikes  line 2  x: %s\n",
                         cases[i].says);
                ASSERT_EQ(run(text, (struct gate_policy_test){ .quiet = i & 1 }, &out), 1);
                if (!strstr(out.p, row))
                        fail_msg("%s", out.p);
                qn_buf_done(&out);
        }
}

TEST(json_is_json)
{
        struct qn_buf out = QN_BUF_INIT((size_t)1 << 20);
        const struct qn_node *first;
        struct qn_node *doc;

        ASSERT_EQ(run(CASES, (struct gate_policy_test){ .json = true, .explain = true }, &out), 0);
        ASSERT_EQ(qn_json_parse(qn_cur_str(qn_buf_view(&out)), &arena, &doc, NULL), 0);
        ASSERT_EQ(qn_node_u64(qn_node_get(doc, "failed"), 9), 0);
        ASSERT_EQ(qn_node_get(doc, "cases")->n, 2);
        first = qn_node_get(doc, "cases")->items[0];
        ASSERT_STR(qn_node_text(qn_node_get(first, "outcome")), "block");
        ASSERT_STR(qn_node_text(qn_node_get(first, "until")), "2026-11-30T11:00:00Z");
        ASSERT_EQ(qn_node_get(first, "steps")->n, QN_POLICY_STEPS);
        qn_buf_done(&out);
}

TEST(steps_below_their_case)
{
        struct qn_buf out = QN_BUF_INIT((size_t)1 << 20);

        ASSERT_EQ(run(CASES, (struct gate_policy_test){ .explain = true }, &out), 0);
        assert_non_null(strstr(out.p, "\n*  minimum-age    block  a@1.0.0 was published on"));
        assert_non_null(strstr(out.p, "\n   provenance     -      its provenance is not lost\n"));
        qn_buf_done(&out);
}

TEST(without_cases_or_with_a_wrong_policy)
{
        struct qn_buf out = QN_BUF_INIT((size_t)1 << 20);

        ASSERT_EQ(run("mode: warn\n", (struct gate_policy_test){ 0 }, &out), -EINVAL);
        ASSERT_EQ(run("mode: wrn\n" CASES, (struct gate_policy_test){ 0 }, &out), -EINVAL);
        ASSERT_EQ(run(CASES, (struct gate_policy_test){ .cases = "/nonexistent" }, &out), -ENOENT);
        ASSERT_EQ(gate_policy_check("/nonexistent", false), -ENOENT);
        ASSERT_EQ(out.n, 0);
        qn_buf_done(&out);
}
