#include "cli/rules-docs.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/log.h"
#include "cli/rule-source.h"
#include "event/event.h"
#include "rule/attack.h"
#include "rule/rule.h"

#define PATH_BYTES 4096
#define PAGE_MAX   ((size_t)1 << 20)
#define NAMES_MAX  64 /* lists and conditions that one rule uses, directly or not */

struct pages {
        const struct qn_rules *rules;
        struct qn_rule_sources sources;
        const char *examples, *to;
};

/* --- words --- */

static const char *verdict_word(const struct qn_rule *rule)
{
        return rule->verdict == QN_CLEAN ? "info" : qn_verdict_name(rule->verdict);
}

static void put_escaped(struct qn_buf *out, struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++) {
                if (strchr("\\`*_<>[]|", s.p[i]) && s.p[i])
                        qn_buf_byte(out, '\\');
                qn_buf_byte(out, s.p[i] == '\n' ? ' ' : s.p[i]);
        }
}

static void put_phases(struct qn_buf *out, const struct qn_rule *rule)
{
        unsigned phases = qn_rule_phases(rule);
        const char *glue = "";

        if (phases + 1 == 1u << QN_PHASE_MAX) {
                qn_buf_puts(out, "any");
                return;
        }
        for (unsigned i = 0; i < QN_PHASE_MAX; i++)
                if (phases >> i & 1) {
                        qn_buf_printf(out, "%s%s", glue, qn_phase_name(i));
                        glue = ", ";
                }
}

static void put_section(struct qn_buf *out, const char *title, struct qn_str text)
{
        if (!text.n)
                return;
        qn_buf_printf(out, "\n## %s\n\n", title);
        put_escaped(out, text);
        qn_buf_byte(out, '\n');
}

static void put_facts(struct qn_buf *out, const struct qn_rule *rule)
{
        qn_buf_printf(out, "| | |\n|---|---|\n| rule | `%.*s` |\n", QN_STR_ARG(rule->id));
        qn_buf_printf(out, "| verdict | %s |\n| severity | %s |\n| score | %u |\n",
                      verdict_word(rule), qn_severity_name(rule->severity), rule->score);
        qn_buf_puts(out, "| looks at | ");
        put_phases(out, rule);
        qn_buf_puts(out, " |\n");
        for (size_t i = 0; i < rule->n_tactics; i++)
                qn_buf_printf(out, "| %s | %.*s %s |\n", i ? "" : "ATT&CK",
                              QN_STR_ARG(rule->tactics[i]), qn_attack_name(rule->tactics[i]));
}

/* --- the condition, and what it uses --- */

struct names {
        struct qn_str list[NAMES_MAX];
        bool is_list[NAMES_MAX];
        size_t n;
};

static void add_name(struct names *names, struct qn_str name, bool is_list)
{
        for (size_t i = 0; i < names->n; i++)
                if (names->is_list[i] == is_list && qn_str_eq(names->list[i], name))
                        return;
        if (!name.n || names->n == NAMES_MAX)
                return;
        names->is_list[names->n] = is_list;
        names->list[names->n++] = name;
}

static struct qn_str take_name(struct qn_str s)
{
        size_t n = 0;

        while (n < s.n && ((s.p[n] >= 'a' && s.p[n] <= 'z') || (s.p[n] >= '0' && s.p[n] <= '9') ||
                           s.p[n] == '-'))
                n++;
        return qn_str_take(s, n);
}

static void find_names(struct qn_str text, struct names *names)
{
        for (size_t i = 0; i < text.n; i++) {
                struct qn_str rest = qn_str_skip(text, i);

                if (qn_str_starts(rest, "$$"))
                        i++;
                else if (rest.p[0] == '$')
                        add_name(names, take_name(qn_str_skip(rest, 1)), true);
                else if (qn_str_starts(rest, "use: "))
                        add_name(names, take_name(qn_str_skip(rest, 5)), false);
        }
}

/* Without the indentation that its first line was cut from. */
static void put_block(struct qn_buf *out, struct qn_str block)
{
        while (block.n) {
                struct qn_str line = qn_str_cut(&block, '\n');

                if (line.n)
                        qn_buf_str(out, line);
                qn_buf_byte(out, '\n');
                if (qn_str_starts(block, "  "))
                        block = qn_str_skip(block, 2);
        }
}

static void put_named(struct qn_buf *out, const struct pages *p, struct names *names, bool lists)
{
        const char *section = lists ? "lists" : "conditions";
        bool any = false;

        for (size_t i = 0; i < names->n; i++) { /* grows while what was found uses more */
                struct qn_str block = { NULL, 0 };

                if (names->is_list[i] == lists)
                        block = qn_rule_sources_named(&p->sources, section, names->list[i]);
                if (!block.n)
                        continue;
                if (!any)
                        qn_buf_printf(out, "\n# %s\n", section);
                any = true;
                block = qn_str_skip(block, 2);
                find_names(block, names);
                put_block(out, block);
        }
}

static void put_condition(struct qn_buf *out, const struct pages *p, const struct qn_rule *rule)
{
        struct qn_str when = qn_str_skip(qn_rule_sources_when(&p->sources, rule), 2);
        struct names names = { .n = 0 };

        if (!when.n)
                return;
        qn_buf_puts(out, "\n## Matches when\n\n```yaml\n");
        put_block(out, when);
        find_names(when, &names);
        put_named(out, p, &names, false);
        put_named(out, p, &names, true);
        qn_buf_puts(out, "```\n");
}

/* --- examples and references --- */

static int is_visible(const struct dirent *d)
{
        return d->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
        return strcmp((*a)->d_name, (*b)->d_name);
}

static void put_examples(struct qn_buf *out, const struct pages *p, const struct qn_rule *rule)
{
        struct dirent **list = NULL;
        char dir[PATH_BYTES];
        int n;

        if (snprintf(dir, sizeof dir, "%s/%.*s", p->examples, QN_STR_ARG(rule->id)) >=
            (int)sizeof dir)
                return;
        n = scandir(dir, &list, is_visible, by_name);
        if (n > 0)
                qn_buf_puts(out, "\n## Examples\n\n");
        for (int i = 0; i < n; i++) {
                qn_buf_printf(out, "- `tests/rules/%.*s/%s`\n", QN_STR_ARG(rule->id),
                              list[i]->d_name);
                free(list[i]);
        }
        free(list);
}

static void put_references(struct qn_buf *out, const struct qn_rule *rule)
{
        if (rule->n_references)
                qn_buf_puts(out, "\n## References\n\n");
        for (size_t i = 0; i < rule->n_references; i++)
                qn_buf_printf(out, "- <%.*s>\n", QN_STR_ARG(rule->references[i]));
}

/* --- pages --- */

static int write_page(const struct pages *p, struct qn_str name, const struct qn_buf *page)
{
        char path[PATH_BYTES];
        int r = qn_buf_error(page);

        if (r == 0 &&
            snprintf(path, sizeof path, "%s/%.*s.md", p->to, QN_STR_ARG(name)) >= (int)sizeof path)
                r = -ENAMETOOLONG;
        if (r == 0)
                r = qn_io_replace(path, qn_buf_view(page));
        return r < 0 ? log_err(r, "%s/%.*s.md: %s", p->to, QN_STR_ARG(name), strerror(-r)) : 0;
}

static int put_rule(const struct pages *p, const struct qn_rule *rule)
{
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(PAGE_MAX);

        qn_buf_puts(&out, "# ");
        put_escaped(&out, rule->title);
        qn_buf_puts(&out, "\n\n");
        put_facts(&out, rule);
        qn_buf_printf(&out, "| defined in | `data/rules/%.*s` |\n",
                      QN_STR_ARG(qn_str_base(rule->file)));
        put_section(&out, "What it says", rule->explain);
        if (qn_str_chr(rule->explain, '{') >= 0)
                qn_buf_puts(&out, "\nWhat stands in braces is replaced by what was found.\n");
        put_section(&out, "What to do", rule->advice);
        put_condition(&out, p, rule);
        put_examples(&out, p, rule);
        put_references(&out, rule);
        qn_buf_puts(&out, "\n[All rules](index.md)\n");
        return write_page(p, rule->id, &out);
}

static int put_index(const struct pages *p)
{
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(PAGE_MAX);
        size_t n = qn_rules_count(p->rules);

        qn_buf_printf(&out,
                      "# The %zu rules\n\nMade by `make docs` from `data/rules/`; how rules are "
                      "written: [RULES.md](../RULES.md).\n\n"
                      "| rule | verdict | severity | title |\n|---|---|---|---|\n",
                      n);
        for (size_t i = 0; i < n; i++) {
                const struct qn_rule *rule = qn_rules_at(p->rules, i);

                qn_buf_printf(&out, "| [%.*s](%.*s.md) | %s | %s | ", QN_STR_ARG(rule->id),
                              QN_STR_ARG(rule->id), verdict_word(rule),
                              qn_severity_name(rule->severity));
                put_escaped(&out, rule->title);
                qn_buf_puts(&out, " |\n");
        }
        return write_page(p, QN_STR("index"), &out);
}

int qn_rules_docs(const struct qn_rules *rules, const char *data_dir, const char *examples,
                  const char *to)
{
        struct qn_arena arena = QN_ARENA_INIT(QN_RULES_ARENA_MAX);
        struct pages p = { .rules = rules, .to = to };
        char dir[PATH_BYTES], fallback[PATH_BYTES];
        int r;

        if (snprintf(dir, sizeof dir, "%s/rules", data_dir) >= (int)sizeof dir ||
            snprintf(fallback, sizeof fallback, "%s/../tests/rules", data_dir) >=
                    (int)sizeof fallback)
                return log_err(-ENAMETOOLONG, "%s: the path is too long", data_dir);
        p.examples = examples ? examples : fallback;
        r = qn_rule_sources_read(&p.sources, &arena, dir);
        for (size_t i = 0; r == 0 && i < qn_rules_count(rules); i++)
                r = put_rule(&p, qn_rules_at(rules, i));
        if (r == 0)
                r = put_index(&p);
        qn_arena_done(&arena);
        return r;
}
