/* gyp.c - the commands in a binding.gyp's tree.
 * https://gyp.gsrc.io/docs/InputFormatReference.md: <!(…), >!(…), ^!(…) and their list forms with @ run shell commands. */
#include "parse/gyp.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "parse/gyp-tree.h"

struct frame {
        const struct qn_node *node;
        struct qn_str key, target;
};

struct finder {
        struct qn_arena *a;
        struct qn_gyp *gyp;
        size_t commands_cap, includes_cap, dependencies_cap, sources_cap;
        struct frame *stack;
        size_t n, cap;
};

static int push(struct finder *f, const struct qn_node *n, struct qn_str key, struct qn_str target)
{
        int r = QN_ARENA_ROOM(f->a, f->stack, f->n, f->cap);

        if (r == 0)
                f->stack[f->n++] = (struct frame){ n, key, target };
        return r;
}

static int add_command(struct finder *f, const struct qn_gyp_command *c)
{
        int r;

        /* Finding the end of each is a pass over its string, so their number bounds the work. */
        if (f->gyp->n == QN_GYP_COMMANDS_MAX)
                return -EFBIG;
        r = QN_ARENA_ROOM(f->a, f->gyp->commands, f->gyp->n, f->commands_cap);
        if (r == 0)
                f->gyp->commands[f->gyp->n++] = *c;
        return r;
}

static int add_name(struct finder *f, struct qn_gyp_name **list, size_t *n, size_t *cap, const struct qn_node *s)
{
        int r = QN_ARENA_ROOM(f->a, *list, *n, *cap);

        if (r == 0)
                (*list)[(*n)++] = (struct qn_gyp_name){ s->text, s->off };
        return r;
}

/* --- expansions in strings --- */

/* The position of the parenthesis that closes the one before `from`, or the end. */
static size_t closing(struct qn_str s, size_t from, char open, char close)
{
        unsigned depth = 1;

        for (; from < s.n; from++) {
                depth += s.p[from] == open;
                if (s.p[from] == close && --depth == 0)
                        return from;
        }
        return s.n;
}

/* [word, 'word', …]: an expansion that is written as a list. */
static int split_list(struct finder *f, struct qn_str body, struct qn_gyp_command *c)
{
        struct qn_str *argv = NULL;
        size_t cap = 0;

        body = qn_str_skip(body, 1);
        if (qn_str_ends(body, "]"))
                body.n--;
        while (body.n) {
                struct qn_str word = qn_str_trim(qn_str_cut(&body, ','));
                int r = QN_ARENA_ROOM(f->a, argv, c->argc, cap);

                if (r < 0)
                        return r;
                if (word.n >= 2 && (word.p[0] == '\'' || word.p[0] == '"') && word.p[word.n - 1] == word.p[0])
                        word = (struct qn_str){ word.p + 1, word.n - 2 };
                argv[c->argc++] = word;
        }
        c->argv = argv;
        return 0;
}

static int add_expansion(struct finder *f, const struct frame *at, struct qn_str s, size_t i, bool nested, size_t *ret_end)
{
        bool list = s.p[i + 2] == '@' || s.p[i + 2] == '|';
        size_t open = i + 2 + list, end = closing(s, open + 1, '(', ')');
        struct qn_str body = qn_str_trim((struct qn_str){ s.p + open + 1, end - open - 1 });
        struct qn_gyp_command c = { .kind = QN_GYP_EXPANSION, .phase = s.p[i], .list = list, .nested = nested, .text = body,
                                    .name = QN_STR(""), .target = at->target, .off = at->node->off,
                                    .line = at->node->line, .column = at->node->column };
        int r = 0;

        if (body.n && body.p[0] == '[')
                r = split_list(f, body, &c);
        *ret_end = end;
        return r < 0 ? r : add_command(f, &c);
}

static int find_expansions(struct finder *f, const struct frame *at)
{
        struct qn_str s = at->node->text;
        size_t outer = 0;

        for (size_t i = 0; i + 1 < s.n; i++) {
                char phase = s.p[i];
                size_t open = i + 1, end;
                int r;

                if (phase != '<' && phase != '>' && phase != '^')
                        continue;
                if (s.p[open] == '!' && open + 1 < s.n &&
                    (s.p[open + 1] == '(' || ((s.p[open + 1] == '@' || s.p[open + 1] == '|') && open + 2 < s.n && s.p[open + 2] == '('))) {
                        r = add_expansion(f, at, s, i, i < outer, &end);
                        if (r < 0)
                                return r;
                        outer = QN_MAX(outer, end);
                } else if (s.n - open > sizeof "!pymod_do_main(" - 1 && qn_str_starts(qn_str_skip(s, open), "!pymod_do_main(")) {
                        size_t from = open + sizeof "!pymod_do_main(" - 1;
                        struct qn_gyp_command c = { .kind = QN_GYP_PYMOD, .phase = phase, .name = QN_STR(""), .target = at->target,
                                                    .off = at->node->off, .line = at->node->line, .column = at->node->column };

                        end = closing(s, from, '(', ')');
                        c.text = qn_str_trim((struct qn_str){ s.p + from, end - from });
                        r = add_command(f, &c);
                        if (r < 0)
                                return r;
                } else if (s.p[open] == '(' || s.p[open] == '@') {
                        f->gyp->variables = true;
                }
        }
        return 0;
}

/* --- actions, rules, postbuilds, conditions --- */

static int join_words(struct finder *f, const struct qn_node *list, struct qn_gyp_command *c)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_GYP_MAX);
        struct qn_str *argv = qn_arena_calloc(f->a, list->n + 1, sizeof *argv);

        if (!argv)
                return -ENOBUFS;
        for (size_t i = 0; i < list->n; i++) {
                if (list->items[i]->type != QN_NODE_STRING)
                        continue;
                if (c->argc)
                        qn_buf_byte(&b, ' ');
                argv[c->argc++] = list->items[i]->text;
                qn_buf_str(&b, list->items[i]->text);
        }
        c->argv = argv;
        c->text = qn_arena_dup(f->a, qn_buf_view(&b));
        return c->text.p ? 0 : -ENOBUFS;
}

static int add_action(struct finder *f, const struct qn_node *item, enum qn_gyp_kind kind, struct qn_str target)
{
        static const char *const name_keys[] = { "action_name", "rule_name", "postbuild_name" };
        const struct qn_node *list = qn_node_get(item, "action");
        struct qn_gyp_command c = { .kind = kind, .name = QN_STR(""), .target = target };
        int r;

        if (!qn_node_is(list, QN_NODE_ARRAY))
                return 0;
        for (size_t i = 0; i < QN_ARRAY_SIZE(name_keys) && !c.name.n; i++) {
                struct qn_str s = qn_node_text(qn_node_get(item, name_keys[i]));

                if (s.p)
                        c.name = s;
        }
        c.off = list->off;
        c.line = list->line;
        c.column = list->column;
        r = join_words(f, list, &c);
        return r < 0 ? r : add_command(f, &c);
}

static int add_actions(struct finder *f, const struct qn_node *list, enum qn_gyp_kind kind, struct qn_str target)
{
        int r = 0;

        for (size_t i = 0; qn_node_is(list, QN_NODE_ARRAY) && r == 0 && i < list->n; i++)
                r = add_action(f, list->items[i], kind, target);
        return r;
}

/* Comparisons of names, numbers and strings are harmless; a call or a double underscore is not. */
static bool runs_code(struct qn_str s)
{
        bool word = false;

        for (size_t i = 0; i < s.n; i++) {
                if (s.p[i] == '\'' || s.p[i] == '"') {
                        char quote = s.p[i++];

                        while (i < s.n && s.p[i] != quote)
                                i++;
                        word = false;
                        continue;
                }
                if ((s.p[i] == '(' && word) || (s.p[i] == '_' && i + 1 < s.n && s.p[i + 1] == '_'))
                        return true;
                word = (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') || s.p[i] == '_' || s.p[i] == ')';
        }
        return false;
}

static int add_conditions(struct finder *f, const struct qn_node *list, struct qn_str target)
{
        for (size_t i = 0; qn_node_is(list, QN_NODE_ARRAY) && i < list->n; i++) {
                const struct qn_node *one = list->items[i];
                struct qn_gyp_command c = { .kind = QN_GYP_CONDITION, .name = QN_STR(""), .target = target };
                int r;

                /* [test, dict, test, dict …, else dict] */
                for (size_t k = 0; qn_node_is(one, QN_NODE_ARRAY) && k < one->n; k += 2) {
                        if (one->items[k]->type != QN_NODE_STRING || !runs_code(one->items[k]->text))
                                continue;
                        c.text = one->items[k]->text;
                        c.off = one->items[k]->off;
                        c.line = one->items[k]->line;
                        c.column = one->items[k]->column;
                        r = add_command(f, &c);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

static int visit_string(struct finder *f, const struct frame *at)
{
        struct qn_gyp *g = f->gyp;
        struct qn_str key = at->key;
        int r = find_expansions(f, at);

        while (key.n && strchr("!/+=?%", key.p[key.n - 1])) /* list operators after a key */
                key.n--;
        if (r == 0 && qn_str_is(key, "includes"))
                r = add_name(f, &g->includes, &g->n_includes, &f->includes_cap, at->node);
        if (r == 0 && qn_str_is(key, "dependencies"))
                r = add_name(f, &g->dependencies, &g->n_dependencies, &f->dependencies_cap, at->node);
        if (r == 0 && qn_str_is(key, "sources"))
                r = add_name(f, &g->sources, &g->n_sources, &f->sources_cap, at->node);
        return r;
}

static int visit_object(struct finder *f, const struct frame *at)
{
        const struct qn_node *o = at->node;
        struct qn_str target = qn_node_text(qn_node_get(o, "target_name"));
        int r;

        if (!target.p)
                target = at->target;
        r = add_actions(f, qn_node_get(o, "actions"), QN_GYP_ACTION, target);
        if (r == 0)
                r = add_actions(f, qn_node_get(o, "rules"), QN_GYP_RULE, target);
        if (r == 0)
                r = add_actions(f, qn_node_get(o, "postbuilds"), QN_GYP_POSTBUILD, target);
        if (r == 0)
                r = add_conditions(f, qn_node_get(o, "conditions"), target);
        if (r == 0)
                r = add_conditions(f, qn_node_get(o, "target_conditions"), target);
        /* Backwards, because the stack turns it round: commands come out in the document's order. */
        for (size_t i = o->n; r == 0 && i > 0; i--)
                r = push(f, o->items[i - 1], o->keys[i - 1], target);
        return r;
}

static int visit(struct finder *f, const struct frame *at)
{
        int r = 0;

        if (at->node->type == QN_NODE_STRING)
                return visit_string(f, at);
        if (at->node->type == QN_NODE_OBJECT)
                return visit_object(f, at);
        for (size_t i = at->node->n; at->node->type == QN_NODE_ARRAY && r == 0 && i > 0; i--)
                r = push(f, at->node->items[i - 1], at->key, at->target);
        return r;
}

int qn_gyp_parse(struct qn_cur in, struct qn_arena *a, struct qn_gyp **ret, struct qn_err *reterr)
{
        struct finder f = { .a = a, .gyp = QN_ARENA_NEW(a, struct qn_gyp) };
        struct qn_node *root = NULL;
        int r;

        if (!f.gyp)
                return -ENOBUFS;
        r = qn_gyp_tree(in, a, &root, reterr);
        if (r < 0)
                return r;
        if (root->type != QN_NODE_OBJECT)
                return qn_fail(reterr, -EINVAL, 0, "it is not a dict");
        f.gyp->root = root;
        r = push(&f, root, QN_STR(""), QN_STR(""));
        while (r == 0 && f.n) {
                struct frame at = f.stack[--f.n];

                r = visit(&f, &at);
        }
        if (r < 0)
                return qn_fail(reterr, r, 0, "it holds too much");
        *ret = f.gyp;
        return 0;
}
