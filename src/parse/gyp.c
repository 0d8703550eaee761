#include "parse/gyp.h"

#include <errno.h>

#include "base/arena.h"
#include "base/limits.h"
#include "parse/gyp-literal.h"

/* What a list means, by the key that it stands under. */
enum meaning {
        MEANS_NOTHING,
        MEANS_ACTIONS,
        MEANS_RULES,
        MEANS_POSTBUILDS,
        MEANS_CONDITIONS, /* lists of conditions and what follows from them */
        MEANS_CONDITION,  /* one of those lists */
        MEANS_INCLUDES,
        MEANS_DEPENDENCIES,
        MEANS_SOURCES,
};

static const struct {
        const char *key;
        enum meaning meaning;
} meanings[] = {
        { "actions", MEANS_ACTIONS },
        { "rules", MEANS_RULES },
        { "postbuilds", MEANS_POSTBUILDS },
        { "conditions", MEANS_CONDITIONS },
        { "target_conditions", MEANS_CONDITIONS },
        { "includes", MEANS_INCLUDES },
        { "dependencies", MEANS_DEPENDENCIES },
        { "sources", MEANS_SOURCES },
};

static const struct {
        enum qn_gyp_kind kind;
        const char *name; /* the key that names it */
} kinds[] = {
        [MEANS_ACTIONS] = { QN_GYP_ACTION, "action_name" },
        [MEANS_RULES] = { QN_GYP_RULE, "rule_name" },
        [MEANS_POSTBUILDS] = { QN_GYP_POSTBUILD, "postbuild_name" },
};

struct place {
        const struct qn_node *node;
        size_t next;
        enum meaning meaning; /* of node, when it is a list */
        struct qn_str target;
};

struct walker {
        struct qn_arena *arena;
        struct qn_err *err;
        struct qn_gyp *gyp;
        size_t cap, includes_cap, dependencies_cap, sources_cap;
        struct place stack[QN_GYP_DEPTH_MAX + 1];
        size_t depth;
};

static int no_memory(struct walker *w)
{
        return qn_fail(w->err, -ENOBUFS, 0, "gyp: the file needs too much memory");
}

static int add_command(struct walker *w, struct qn_gyp_command c)
{
        struct qn_gyp *g = w->gyp;

        if (c.text.n > QN_COMMAND_MAX)
                return qn_fail(w->err, -EFBIG, c.off, "gyp: a command is too long");
        if (g->n == QN_GYP_COMMANDS_MAX)
                return qn_fail(w->err, -EFBIG, c.off, "gyp: more than %u commands",
                               QN_GYP_COMMANDS_MAX);
        if (QN_ARENA_ROOM(w->arena, g->commands, g->n, w->cap) < 0)
                return no_memory(w);
        g->variables |= c.variables;
        g->commands[g->n++] = c;
        return 0;
}

/* --- words --- */

static bool holds_variable(struct qn_str s)
{
        static const char *const marks[] = { "<(", ">(", "^(", "<@(", ">@(", "^@(", "<|(" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(marks); i++)
                if (qn_str_find(s, qn_str_c(marks[i])) >= 0)
                        return true;
        return false;
}

/* The strings and numbers of a list, and all of them with blanks between. */
static int take_words(struct walker *w, const struct qn_node *list, struct qn_gyp_command *c)
{
        struct qn_str *argv = qn_arena_calloc(w->arena, list->n, sizeof *argv);
        size_t n = 0;
        char *text, *p;

        if (!argv)
                return no_memory(w);
        for (size_t i = 0; i < list->n; i++) {
                const struct qn_node *item = list->items[i];

                if (item->type != QN_NODE_STRING && item->type != QN_NODE_NUMBER)
                        continue;
                argv[c->argc++] = item->text;
                n += item->text.n + 1;
        }
        text = p = qn_arena_alloc(w->arena, n + 1);
        if (!text)
                return no_memory(w);
        for (size_t i = 0; i < c->argc; i++) {
                if (i)
                        *p++ = ' ';
                memcpy(p, argv[i].p, argv[i].n);
                p += argv[i].n;
        }
        c->argv = argv;
        c->text = (struct qn_str){ text, (size_t)(p - text) };
        return 0;
}

/* --- expansions: <!(…) --- */

struct mark {
        size_t size;        /* bytes up to and including the parenthesis */
        bool command, list; /* has !, has @ */
        struct qn_str name; /* between the sign and the parenthesis */
};

static bool is_name_char(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.';
}

static bool read_mark(struct qn_str s, struct mark *ret)
{
        size_t n = 1, from;

        if (s.n < 2 || (s.p[0] != '<' && s.p[0] != '>' && s.p[0] != '^'))
                return false;
        *ret = (struct mark){ .size = 0 };
        if (s.p[n] == '|') {
                n++;
        } else {
                ret->command = s.p[n] == '!';
                n += ret->command;
                ret->list = n < s.n && s.p[n] == '@';
                n += ret->list;
        }
        from = n;
        while (n < s.n && is_name_char(s.p[n]))
                n++;
        ret->name = qn_str_skip(qn_str_take(s, n), from);
        ret->size = n + 1;
        return n < s.n && s.p[n] == '(';
}

/* Bytes in front of the parenthesis that closes; brackets of all kinds count, quotes do not, as in gyp.  Where they do not
 * match the first closing parenthesis ends it, and where there is none everything is inside. */
static size_t content_size(struct qn_str s)
{
        char open[QN_GYP_DEPTH_MAX];
        size_t depth = 0;
        ptrdiff_t first;

        for (size_t i = 0; i < s.n && i <= QN_COMMAND_MAX; i++) {
                char c = s.p[i], want = c == ')' ? '(' : c == ']' ? '[' : c == '}' ? '{' : 0;

                if (c == ')' && depth == 0)
                        return i;
                if (want && (depth == 0 || open[--depth] != want))
                        break;
                if ((c == '(' || c == '[' || c == '{') && depth == sizeof open)
                        break;
                if (c == '(' || c == '[' || c == '{')
                        open[depth++] = c;
        }
        first = qn_str_chr(qn_str_take(s, QN_COMMAND_MAX + 1), ')');
        return first >= 0 ? (size_t)first : s.n;
}

/* A command written as a Python list is not given to a shell. */
static int take_list_words(struct walker *w, struct qn_gyp_command *c)
{
        struct qn_node *list = NULL;
        int r;

        if (!qn_str_starts(c->text, "["))
                return 0;
        r = qn_gyp_literal(qn_cur_str(c->text), w->arena, &list, NULL);
        if (r == -ENOBUFS)
                return no_memory(w);
        return r < 0 || list->type != QN_NODE_ARRAY ? 0 : take_words(w, list, c);
}

static int add_expansion(struct walker *w, const struct qn_node *n, const struct mark *m,
                         struct qn_gyp_command c)
{
        int r;

        c.off = n->off;
        c.line = n->line;
        c.column = n->column;
        c.list = m->list;
        c.name = m->name;
        c.variables = holds_variable(c.text);
        c.target = w->depth ? w->stack[w->depth - 1].target : QN_STR("");
        if (m->name.n) {
                c.kind = QN_GYP_PYMOD;
        } else {
                r = take_list_words(w, &c);
                if (r < 0)
                        return r;
        }
        return add_command(w, c);
}

/* All expansions in a string that run something, inner ones too. */
static int scan_string(struct walker *w, const struct qn_node *n)
{
        size_t outer = 0;

        for (size_t i = 0; i + 2 < n->text.n; i++) {
                struct qn_str rest = qn_str_skip(n->text, i);
                struct mark m;
                struct qn_gyp_command c = { .kind = QN_GYP_EXPANSION };
                size_t size;
                int r;

                if (!read_mark(rest, &m) || !m.command)
                        continue;
                rest = qn_str_skip(rest, m.size);
                size = content_size(rest);
                c.text = qn_str_trim(qn_str_take(rest, size));
                c.phase = n->text.p[i];
                c.nested = i < outer;
                outer = QN_MAX(outer, i + m.size + size);
                r = add_expansion(w, n, &m, c);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* --- conditions --- */

static bool is_word_char(char c)
{
        return is_name_char(c) && c != '-' && c != '.';
}

static size_t skip_quoted(struct qn_str s)
{
        size_t n = 1;

        while (n < s.n && s.p[n] != s.p[0])
                n += s.p[n] == '\\' && n + 1 < s.n ? 2 : 1;
        return QN_MIN(n + 1, s.n);
}

static bool is_operator_word(struct qn_str s)
{
        static const char *const words[] = { "and", "or", "not", "in", "is", "if", "else" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(words); i++)
                if (qn_str_is(s, words[i]))
                        return true;
        return false;
}

/* Whether an expression does more than compare: it calls something, or takes an attribute of something. */
static bool runs_code(struct qn_str s)
{
        bool value = false; /* what stands before could be called */

        while (s.n) {
                size_t n = 1;

                if (s.p[0] == '\'' || s.p[0] == '"') {
                        n = skip_quoted(s);
                        value = true;
                } else if (is_word_char(s.p[0])) {
                        while (n < s.n && is_word_char(s.p[n]))
                                n++;
                        value = !is_operator_word(qn_str_take(s, n));
                } else if (s.p[0] == '(' && value) {
                        return true;
                } else if (s.p[0] == '.' && s.n > 1 && is_word_char(s.p[1]) &&
                           !(s.p[1] >= '0' && s.p[1] <= '9')) {
                        return true;
                } else if (s.p[0] != ' ' && s.p[0] != '\t') {
                        value = s.p[0] == ')' || s.p[0] == ']';
                }
                s = qn_str_skip(s, n);
        }
        return false;
}

/* What an expansion puts there is no call of the expression's own. */
static int check_condition(struct walker *w, const struct place *at, const struct qn_node *n)
{
        struct qn_gyp_command c = {
                .kind = QN_GYP_CONDITION,
                .text = n->text,
                .target = at->target,
                .variables = holds_variable(n->text),
                .off = n->off,
                .line = n->line,
                .column = n->column,
        };

        if (qn_str_find(n->text, QN_STR("<!")) >= 0 || qn_str_find(n->text, QN_STR(">!")) >= 0 ||
            !runs_code(n->text))
                return 0;
        return add_command(w, c);
}

/* --- actions --- */

static int add_action(struct walker *w, const struct place *list, const struct qn_node *dict)
{
        const struct qn_node *action = qn_node_get(dict, "action");
        struct qn_gyp_command c = { .kind = kinds[list->meaning].kind, .target = list->target };
        int r;

        if (!action)
                return 0;
        c.name = qn_node_text(qn_node_get(dict, kinds[list->meaning].name));
        c.off = action->off;
        c.line = action->line;
        c.column = action->column;
        c.text = qn_node_text(action);
        if (action->type == QN_NODE_ARRAY && (r = take_words(w, action, &c)) < 0)
                return r;
        c.variables = holds_variable(c.text);
        return add_command(w, c);
}

/* --- the walk --- */

/* "sources+", "sources=" and "sources?" mean the list; "sources!" and "sources/" take away from it. */
static enum meaning meaning_of(struct qn_str key)
{
        if (key.n && strchr("+=?", key.p[key.n - 1]) && key.p[key.n - 1])
                key.n--;
        for (size_t i = 0; i < QN_ARRAY_SIZE(meanings); i++)
                if (qn_str_is(key, meanings[i].key))
                        return meanings[i].meaning;
        return MEANS_NOTHING;
}

static int add_name(struct walker *w, struct qn_gyp_name **list, size_t *n, size_t *cap,
                    const struct qn_node *item)
{
        if (QN_ARENA_ROOM(w->arena, *list, *n, *cap) < 0)
                return no_memory(w);
        (*list)[(*n)++] = (struct qn_gyp_name){ item->text, item->off };
        return 0;
}

static int take_name(struct walker *w, enum meaning meaning, const struct qn_node *n)
{
        struct qn_gyp *g = w->gyp;

        switch (meaning) {
        case MEANS_INCLUDES:
                return add_name(w, &g->includes, &g->n_includes, &w->includes_cap, n);
        case MEANS_DEPENDENCIES:
                return add_name(w, &g->dependencies, &g->n_dependencies, &w->dependencies_cap, n);
        case MEANS_SOURCES:
                return add_name(w, &g->sources, &g->n_sources, &w->sources_cap, n);
        default:
                return 0;
        }
}

static int take_string(struct walker *w, const struct place *at, const struct qn_node *n)
{
        int r = take_name(w, at->meaning, n);

        if (r == 0 && at->meaning == MEANS_CONDITION)
                r = check_condition(w, at, n);
        return r < 0 ? r : scan_string(w, n);
}

/* Goes into a dict or list below `at` (NULL: the root), which stands under `key`. */
static int enter(struct walker *w, const struct place *at, const struct qn_node *n,
                 struct qn_str key)
{
        struct place p = { .node = n, .target = at ? at->target : QN_STR("") };
        struct qn_str target = qn_node_text(qn_node_get(n, "target_name"));

        if (target.p)
                p.target = target;
        if (n->type == QN_NODE_ARRAY && at && at->node->type == QN_NODE_OBJECT)
                p.meaning = meaning_of(key);
        else if (n->type == QN_NODE_ARRAY && at && at->meaning == MEANS_CONDITIONS)
                p.meaning = MEANS_CONDITION;
        if (w->depth == QN_ARRAY_SIZE(w->stack))
                return qn_fail(w->err, -EFBIG, n->off, "gyp: nested too deeply");
        w->stack[w->depth++] = p;
        return 0;
}

static int step(struct walker *w)
{
        struct place *at = &w->stack[w->depth - 1];
        size_t i = at->next++;
        const struct qn_node *n;
        int r;

        if (i == at->node->n) {
                w->depth--;
                return 0;
        }
        n = at->node->items[i];
        if (n->type == QN_NODE_STRING)
                return take_string(w, at, n);
        if (n->type == QN_NODE_OBJECT && at->meaning >= MEANS_ACTIONS &&
            at->meaning <= MEANS_POSTBUILDS) {
                r = add_action(w, at, n);
                if (r < 0)
                        return r;
        }
        if (n->type != QN_NODE_OBJECT && n->type != QN_NODE_ARRAY)
                return 0;
        return enter(w, at, n, at->node->type == QN_NODE_OBJECT ? at->node->keys[i] : QN_STR(""));
}

int qn_gyp_parse(struct qn_cur in, struct qn_arena *a, struct qn_gyp **ret, struct qn_err *reterr)
{
        struct walker w = { .arena = a, .err = reterr };
        struct qn_node *root = NULL;
        int r = qn_gyp_literal(in, a, &root, reterr);

        if (r < 0)
                return r;
        if (root->type != QN_NODE_OBJECT)
                return qn_fail(reterr, -EINVAL, root->off, "gyp: the file does not hold a dict");
        w.gyp = QN_ARENA_NEW(a, struct qn_gyp);
        if (!w.gyp)
                return no_memory(&w);
        w.gyp->root = root;
        r = enter(&w, NULL, root, QN_STR(""));
        while (r == 0 && w.depth)
                r = step(&w);
        if (r < 0)
                return r;
        *ret = w.gyp;
        return 0;
}
