/* rules.c - finds and reads rule files: first the lists and named conditions of all, then the rules. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/limits.h"
#include "parse/json.h"
#include "rule/attack.h"
#include "rule/cond.h"

#define PATH_BYTES 4096

struct source {
        struct qn_str file;
        const struct qn_node *root;
};

struct loader {
        struct qn_compiler c;
        struct source *sources;
        size_t n_sources, sources_cap;
};

/* --- finding and reading files --- */

static int read_source(struct loader *l, const char *path)
{
        struct source s;
        int r = qn_source_read(&l->c, path, &s.root, &l->c.rules->revision);

        if (r < 0)
                return r;
        if (QN_ARENA_ROOM(l->c.arena, l->sources, l->n_sources, l->sources_cap) < 0)
                return -ENOMEM;
        s.file = l->c.file;
        l->sources[l->n_sources++] = s;
        return 0;
}

static int is_visible(const struct dirent *d)
{
        return d->d_name[0] != '.';
}

static int cmp_names(const struct dirent **a, const struct dirent **b)
{
        return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_path(struct loader *l, const char *path, unsigned depth, bool named);

static int read_dir(struct loader *l, const char *path, unsigned depth)
{
        struct dirent **list = NULL;
        int n = scandir(path, &list, is_visible, cmp_names), r = 0;

        if (n < 0)
                return qn_fail(l->c.err, -errno, 0, "%s: %s", path, strerror(errno));
        for (int i = 0; i < n; i++) {
                char full[PATH_BYTES];

                if (r == 0 &&
                    snprintf(full, sizeof full, "%s/%s", path, list[i]->d_name) >= (int)sizeof full)
                        r = qn_fail(l->c.err, -ENAMETOOLONG, 0, "%s: a path is too long", path);
                if (r == 0)
                        r = read_path(l, full, depth + 1, false);
                free(list[i]);
        }
        free(list);
        return r;
}

/* A path that was named is read whatever it is called; below a directory only *.yaml is. */
static int read_path(struct loader *l, const char *path, unsigned depth, bool named)
{
        struct stat st;

        if (stat(path, &st) < 0)
                return qn_fail(l->c.err, -errno, 0, "%s: %s", path, strerror(errno));
        if (S_ISDIR(st.st_mode)) {
                if (depth > QN_RULES_DIRS_MAX)
                        return qn_fail(l->c.err, -ELOOP, 0, "%s: directories nest too deeply",
                                       path);
                return read_dir(l, path, depth);
        }
        if (!named && !qn_str_ends(qn_str_c(path), ".yaml"))
                return 0;
        return read_source(l, path);
}

/* --- lists and named conditions --- */

static int add_conditions(struct loader *l, const struct qn_node *n)
{
        int r = 0;

        if (n->type != QN_NODE_OBJECT)
                return qn_compile_fail(&l->c, n, "conditions: takes name: condition");
        for (size_t i = 0; r == 0 && i < n->n; i++)
                r = qn_source_name(&l->c, &l->c.conditions, n->keys[i], n->items[i], "condition");
        return r;
}

static int collect_names(struct loader *l, const struct source *s)
{
        int r = 0;

        l->c.file = s->file;
        if (s->root->type == QN_NODE_NULL)
                return 0;
        if (s->root->type != QN_NODE_OBJECT)
                return qn_compile_fail(&l->c, s->root,
                                       "a rule file holds lists:, conditions: and rules:");
        for (size_t i = 0; r == 0 && i < s->root->n; i++) {
                struct qn_str key = s->root->keys[i];

                if (qn_str_is(key, "lists"))
                        r = qn_source_lists(&l->c, s->root->items[i]);
                else if (qn_str_is(key, "conditions"))
                        r = add_conditions(l, s->root->items[i]);
                else if (!qn_str_is(key, "rules"))
                        r = qn_compile_fail(
                                &l->c, s->root->items[i],
                                "a rule file has no \"%.*s\", only lists:, conditions: and rules:",
                                QN_STR_ARG(key));
        }
        return r;
}

/* --- rules --- */

static const struct {
        const char *name;
        enum qn_verdict_kind verdict;
} verdicts[] = { { "malicious", QN_MALICIOUS },
                 { "suspicious", QN_SUSPICIOUS },
                 { "info", QN_CLEAN } };

/* Where a rule gives no score. */
static const uint8_t severity_scores[QN_SEV_MAX] = {
        [QN_SEV_INFO] = 5,  [QN_SEV_LOW] = 20,      [QN_SEV_MEDIUM] = 45,
        [QN_SEV_HIGH] = 75, [QN_SEV_CRITICAL] = 95,
};

static int set_verdict(struct qn_compiler *c, const struct qn_node *n, struct qn_rule *rule)
{
        for (size_t i = 0; i < QN_ARRAY_SIZE(verdicts); i++)
                if (qn_str_is(n->text, verdicts[i].name)) {
                        rule->verdict = verdicts[i].verdict;
                        return 0;
                }
        return qn_compile_fail(c, n, "verdict: takes malicious, suspicious or info");
}

static int set_severity(struct qn_compiler *c, const struct qn_node *n, struct qn_rule *rule)
{
        for (unsigned i = 0; i < QN_SEV_MAX; i++)
                if (qn_str_is(n->text, qn_severity_name(i))) {
                        rule->severity = i;
                        return 0;
                }
        return qn_compile_fail(c, n, "severity: takes info, low, medium, high or critical");
}

static int set_score(struct qn_compiler *c, const struct qn_node *n, struct qn_rule *rule)
{
        uint64_t v = n->type == QN_NODE_NUMBER ? qn_node_u64(n, 0) : 0;

        if (v < 1 || v > 100)
                return qn_compile_fail(c, n, "score: takes a number from 1 to 100");
        rule->score = (unsigned)v;
        return 0;
}

static int set_tactics(struct qn_compiler *c, const struct qn_node *n, struct qn_rule *rule)
{
        int r = qn_compile_texts(c, n, &rule->tactics, &rule->n_tactics);

        for (size_t i = 0; r == 0 && i < rule->n_tactics; i++)
                if (!qn_attack_name(rule->tactics[i]))
                        return qn_compile_fail(
                                c, n, "\"%.*s\" is not in the ATT&CK table (src/rule/attack.def)",
                                QN_STR_ARG(rule->tactics[i]));
        return r;
}

static int set_text(struct qn_compiler *c, const struct qn_node *n, struct qn_str *to)
{
        struct qn_str bad;

        if (n->type != QN_NODE_STRING || !n->text.n)
                return qn_compile_fail(c, n, "a text is wanted here");
        *to = qn_str_trim(n->text);
        if (!qn_explain_check(*to, &bad))
                return qn_compile_fail(c, n,
                                       "{%.*s} is not an attribute, file, labels, event or text",
                                       QN_STR_ARG(bad));
        return 0;
}

static const char *const fields[] = { "id",      "title",   "severity",  "verdict",
                                      "score",   "tactics", "phase",     "when",
                                      "explain", "advice",  "references" };

static const char *field_name(unsigned i)
{
        return fields[i];
}

static int set_field(struct qn_compiler *c, struct qn_compiled *to, struct qn_str key,
                     const struct qn_node *n)
{
        struct qn_rule *rule = &to->rule;
        char hint[96];

        if (qn_str_is(key, "id"))
                return qn_source_id(c, n, &rule->id);
        if (qn_str_is(key, "title"))
                return set_text(c, n, &rule->title);
        if (qn_str_is(key, "severity"))
                return set_severity(c, n, rule);
        if (qn_str_is(key, "verdict"))
                return set_verdict(c, n, rule);
        if (qn_str_is(key, "score"))
                return set_score(c, n, rule);
        if (qn_str_is(key, "tactics"))
                return set_tactics(c, n, rule);
        if (qn_str_is(key, "phase"))
                return qn_compile_phases(c, n, &to->phases);
        if (qn_str_is(key, "when"))
                return qn_compile_cond(c, n, &rule->when);
        if (qn_str_is(key, "explain"))
                return set_text(c, n, &rule->explain);
        if (qn_str_is(key, "advice"))
                return set_text(c, n, &rule->advice);
        if (qn_str_is(key, "references"))
                return qn_compile_texts(c, n, &rule->references, &rule->n_references);
        return qn_compile_fail(
                c, n, "a rule has no field \"%.*s\"%s", QN_STR_ARG(key),
                qn_compile_hint(key, field_name, QN_ARRAY_SIZE(fields), hint, sizeof hint));
}

static int check_complete(struct qn_compiler *c, const struct qn_node *n)
{
        static const char *const wanted[] = { "id",      "title", "severity",
                                              "verdict", "when",  "explain" };

        if (n->duplicate)
                return qn_compile_fail(c, n, "a field of this rule occurs twice");
        for (size_t i = 0; i < QN_ARRAY_SIZE(wanted); i++)
                if (!qn_node_get(n, wanted[i]))
                        return qn_compile_fail(c, n, "this rule has no %s:", wanted[i]);
        return 0;
}

static int add_rule(struct loader *l, const struct qn_node *n)
{
        struct qn_compiler *c = &l->c;
        struct qn_compiled rule = { .phases = QN_PHASES_USUAL };
        int r = 0;

        if (n->type != QN_NODE_OBJECT)
                return qn_compile_fail(c, n, "a rule begins with - id:");
        r = check_complete(c, n);
        for (size_t i = 0; r == 0 && i < n->n; i++)
                r = set_field(c, &rule, n->keys[i], n->items[i]);
        if (r == 0)
                r = qn_compile_needs(c, &rule);
        if (r == 0 && !rule.n_needs)
                r = qn_compile_fail(c, qn_node_get(n, "when"),
                                    "nothing has to be there for this rule to match");
        if (r < 0)
                return r;
        rule.rule.file = c->file;
        rule.rule.line = n->line;
        if (!rule.rule.score)
                rule.rule.score = severity_scores[rule.rule.severity];
        if (QN_ARENA_ROOM(c->arena, c->rules->rules, c->rules->n, c->rules->cap) < 0)
                return -ENOMEM;
        c->rules->rules[c->rules->n++] = rule;
        return 0;
}

static int add_rules(struct loader *l, const struct source *s)
{
        const struct qn_node *list = qn_node_get(s->root, "rules");
        int r = 0;

        l->c.file = s->file;
        if (list && list->type != QN_NODE_ARRAY)
                return qn_compile_fail(&l->c, list, "rules: takes a list");
        for (size_t i = 0; r == 0 && list && i < list->n; i++)
                r = add_rule(l, list->items[i]);
        return r;
}

static int cmp_rules(const void *a, const void *b)
{
        return qn_str_cmp(((const struct qn_compiled *)a)->rule.id,
                          ((const struct qn_compiled *)b)->rule.id);
}

static int sort_rules(struct loader *l)
{
        struct qn_rules *rules = l->c.rules;

        if (rules->n)
                qsort(rules->rules, rules->n, sizeof *rules->rules, cmp_rules);
        for (size_t i = 1; i < rules->n; i++) {
                const struct qn_rule *a = &rules->rules[i - 1].rule, *b = &rules->rules[i].rule;

                if (qn_str_eq(a->id, b->id))
                        return qn_fail(
                                l->c.err, -EINVAL, 0,
                                "%.*s: the rule \"%.*s\" is also in %.*s; give it another id",
                                QN_STR_ARG(b->file), QN_STR_ARG(b->id), QN_STR_ARG(a->file));
        }
        return 0;
}

/* Also the named conditions that no rule uses, so that their mistakes are found. */
static int compile_conditions(struct loader *l)
{
        struct qn_compiler *c = &l->c;
        int r = 0;

        c->compiled = qn_arena_calloc(c->arena, c->n_named, sizeof *c->compiled);
        if (!c->compiled)
                return -ENOMEM;
        for (size_t i = 0; r == 0 && i < c->conditions.n; i++) {
                const struct qn_named *named = &c->named[c->conditions.entries[i].value];

                c->file = named->file;
                if (!c->compiled[named - c->named])
                        r = qn_compile_cond(c, named->node, &c->compiled[named - c->named]);
        }
        return r;
}

static int compile_all(struct loader *l)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < l->n_sources; i++)
                r = collect_names(l, &l->sources[i]);
        if (r == 0)
                r = compile_conditions(l);
        for (size_t i = 0; r == 0 && i < l->n_sources; i++)
                r = add_rules(l, &l->sources[i]);
        return r < 0 ? r : sort_rules(l);
}

int qn_rules_load(const char *const *paths, size_t n, struct qn_rules **ret, struct qn_err *reterr)
{
        _cleanup_(qn_rules_freep) struct qn_rules *rules = calloc(1, sizeof *rules);
        struct loader l = { .c = { .rules = rules, .err = reterr } };
        int r = 0;

        if (!rules)
                return qn_fail(reterr, -ENOMEM, 0, "out of memory");
        rules->arena = QN_ARENA_INIT(QN_RULES_ARENA_MAX);
        l.c.arena = &rules->arena;
        for (size_t i = 0; r == 0 && i < n; i++)
                r = read_path(&l, paths[i], 0, true);
        if (r == 0)
                r = compile_all(&l);
        if (r == -ENOMEM)
                return qn_fail(reterr, r, 0, "the rules need more memory than they may have");
        if (r < 0)
                return r;
        *ret = TAKE_PTR(rules);
        return 0;
}

struct qn_rules *qn_rules_free(struct qn_rules *r)
{
        if (r)
                qn_arena_done(&r->arena);
        free(r);
        return NULL;
}

void qn_rules_freep(struct qn_rules **r)
{
        *r = qn_rules_free(*r);
}

size_t qn_rules_count(const struct qn_rules *r)
{
        return r->n;
}

const struct qn_rule *qn_rules_at(const struct qn_rules *r, size_t i)
{
        return &r->rules[i].rule;
}

size_t qn_rules_number(const struct qn_rules *r, const struct qn_rule *rule)
{
        return (size_t)((const struct qn_compiled *)(const void *)rule - r->rules);
}

unsigned qn_rule_phases(const struct qn_rule *rule)
{
        _Static_assert(offsetof(struct qn_compiled, rule) == 0, "a rule begins its compiled form");
        return ((const struct qn_compiled *)(const void *)rule)->phases;
}

const struct qn_rule *qn_rules_find(const struct qn_rules *r, struct qn_str id)
{
        size_t from = 0, to = r->n;

        while (from < to) {
                size_t mid = from + (to - from) / 2;
                int c = qn_str_cmp(r->rules[mid].rule.id, id);

                if (c == 0)
                        return &r->rules[mid].rule;
                if (c < 0)
                        from = mid + 1;
                else
                        to = mid;
        }
        return NULL;
}

uint64_t qn_rules_revision(const struct qn_rules *r)
{
        return r->revision;
}
