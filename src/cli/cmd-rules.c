/* cmd-rules.c - lists, shows, tests and documents the rules. */
#include <errno.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "base/show.h"
#include "base/table.h"
#include "cli/args.h"
#include "cli/load-rules.h"
#include "cli/rules-docs.h"
#include "cli/rules-test.h"
#include "cli/verbs.h"
#include "rule/attack.h"
#include "rule/rule.h"

#define OUT_MAX ((size_t)64 << 20)

static const char *verdict_word(const struct qn_rule *rule)
{
        return rule->verdict == QN_CLEAN ? "info" : qn_verdict_name(rule->verdict);
}

/* --- as JSON --- */

static void put_texts(struct qn_jsonw *w, const char *key, const struct qn_str *list, size_t n)
{
        qn_jsonw_array(w, key);
        for (size_t i = 0; i < n; i++)
                qn_jsonw_str(w, NULL, list[i]);
        qn_jsonw_end_array(w);
}

static void put_rule_json(struct qn_jsonw *w, const struct qn_rule *rule)
{
        qn_jsonw_object(w, NULL);
        qn_jsonw_str(w, "id", rule->id);
        qn_jsonw_str(w, "title", rule->title);
        qn_jsonw_cstr(w, "severity", qn_severity_name(rule->severity));
        qn_jsonw_cstr(w, "verdict", verdict_word(rule));
        qn_jsonw_u64(w, "score", rule->score);
        put_texts(w, "tactics", rule->tactics, rule->n_tactics);
        qn_jsonw_str(w, "explain", rule->explain);
        qn_jsonw_str(w, "advice", rule->advice);
        put_texts(w, "references", rule->references, rule->n_references);
        qn_jsonw_str(w, "file", rule->file);
        qn_jsonw_u64(w, "line", rule->line);
        qn_jsonw_end_object(w);
}

static void put_json(struct qn_buf *out, const struct qn_rules *rules, const struct qn_rule *one)
{
        struct qn_jsonw w = QN_JSONW_INIT(out, 2);

        qn_jsonw_object(&w, NULL);
        qn_jsonw_cstr(&w, "schema", "qanat.rules/1");
        qn_jsonw_array(&w, "rules");
        for (size_t i = 0; !one && i < qn_rules_count(rules); i++)
                put_rule_json(&w, qn_rules_at(rules, i));
        if (one)
                put_rule_json(&w, one);
        qn_jsonw_end_array(&w);
        qn_jsonw_end_object(&w);
        qn_buf_byte(out, '\n');
}

/* --- as text --- */

static void cell(struct qn_table *t, struct qn_str s)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(OUT_MAX);

        qn_show(&b, s, 0, 0);
        qn_table_cell(t, qn_buf_view(&b));
}

static int put_list(struct qn_buf *out, const struct qn_rules *rules)
{
        _cleanup_(qn_table_done) struct qn_table t = QN_TABLE_INIT(4);

        for (size_t i = 0; i < qn_rules_count(rules); i++) {
                const struct qn_rule *rule = qn_rules_at(rules, i);

                cell(&t, rule->id);
                cell(&t, qn_str_c(verdict_word(rule)));
                cell(&t, qn_str_c(qn_severity_name(rule->severity)));
                cell(&t, rule->title);
        }
        return qn_table_print(&t, out, 0);
}

static void put_line(struct qn_buf *out, const char *what, struct qn_str s)
{
        if (!s.n)
                return;
        qn_buf_printf(out, "%-11s", what);
        qn_show(out, s, 0, 0);
        qn_buf_byte(out, '\n');
}

static void put_rule_text(struct qn_buf *out, const struct qn_rule *rule)
{
        put_line(out, "rule", rule->id);
        put_line(out, "title", rule->title);
        qn_buf_printf(out, "%-11s%s, severity %s, score %u\n", "verdict", verdict_word(rule),
                      qn_severity_name(rule->severity), rule->score);
        for (size_t i = 0; i < rule->n_tactics; i++)
                qn_buf_printf(out, "%-11s%.*s %s\n", i ? "" : "ATT&CK",
                              QN_STR_ARG(rule->tactics[i]), qn_attack_name(rule->tactics[i]));
        put_line(out, "explains", rule->explain);
        put_line(out, "advises", rule->advice);
        for (size_t i = 0; i < rule->n_references; i++)
                put_line(out, i ? "" : "see", rule->references[i]);
        qn_buf_printf(out, "%-11s%.*s:%u\n", "defined in", QN_STR_ARG(rule->file), rule->line);
}

/* --- the verb --- */

static int print(const struct qn_args *a, const struct qn_rules *rules, const struct qn_rule *one)
{
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(OUT_MAX);
        int r = 0;

        if (qn_str_is(qn_str_c(qn_args_get(a, "format")), "json"))
                put_json(&out, rules, one);
        else if (one)
                put_rule_text(&out, one);
        else
                r = put_list(&out, rules);
        if (r == 0)
                r = qn_buf_error(&out);
        return r < 0 ? log_err(r, "out of memory")
                     : qn_io_write_fd(STDOUT_FILENO, qn_buf_view(&out));
}

static int show(const struct qn_args *a, const struct qn_rules *rules)
{
        const struct qn_rule *one = a->n > 1 ? qn_rules_find(rules, qn_str_c(a->argv[1])) : NULL;

        if (a->n < 2)
                return log_err(-EINVAL, "which rule? usage: qanat rules show ID");
        if (!one)
                return log_err(-ENOENT, "there is no rule \"%s\"; see qanat rules list",
                               a->argv[1]);
        return print(a, rules, one);
}

static int docs(const struct qn_args *a, const struct qn_rules *rules)
{
        if (a->n < 2)
                return log_err(-EINVAL, "where to? usage: qanat rules docs DIR");
        return qn_rules_docs(rules, a->data, qn_args_get(a, "examples"), a->argv[1]);
}

#define EXAMPLES_MAX 16

static int test(const struct qn_args *a, const struct qn_rules *rules)
{
        const char *examples[EXAMPLES_MAX + 1] = { 0 };

        for (size_t i = 0; qn_args_all(a, "examples", i); i++) {
                if (i == EXAMPLES_MAX)
                        return log_err(-E2BIG, "--examples is given more than %d times",
                                       EXAMPLES_MAX);
                examples[i] = qn_args_all(a, "examples", i);
        }
        return qn_rules_test(rules, a->data, examples, a->n > 1 ? a->argv[1] : NULL);
}

int cmd_rules(const struct qn_args *a)
{
        _cleanup_(qn_rules_freep) struct qn_rules *rules = NULL;
        const char *verb = a->argv[0];
        int r = qn_load_rules(a, &rules);

        if (r < 0)
                return r;
        if (strcmp(verb, "test") == 0)
                return test(a, rules);
        if (strcmp(verb, "show") == 0)
                return show(a, rules);
        if (strcmp(verb, "docs") == 0)
                return docs(a, rules);
        if (a->n > 1)
                return log_err(-EINVAL, "one argument too many: \"%s\"", a->argv[1]);
        return print(a, rules, NULL);
}
