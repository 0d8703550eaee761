#include "observe/command-table.h"

#include <errno.h>

#include "base/arena.h"
#include "observe/command.h"
#include "parse/json.h"

#define NAME "commands.yaml"

static bool is_glob(struct qn_str s)
{
        return qn_str_chr(s, '*') >= 0;
}

/* --- loading --- */

static int fail_at(struct qn_err *reterr, const struct qn_node *at, const char *what)
{
        qn_fail(reterr, -EINVAL, 0, "%s", what);
        return qn_table_fail(reterr, NAME, at);
}

static int load_wrappers(struct qn_commands *t, struct qn_arena *a, const struct qn_node *list,
                         struct qn_err *reterr)
{
        for (size_t i = 0; list && i < list->n; i++) {
                struct qn_str text = qn_node_text(list->items[i]), name = qn_str_cut(&text, ' ');
                struct qn_cmd_wrapper w = { .name = name };

                while (qn_str_trim(text).n) {
                        struct qn_str value = qn_str_cut(&text, ' '), key = qn_str_cut(&value, '=');

                        if (qn_str_is(key, "skip"))
                                w.skip = value;
                        else if (qn_str_is(key, "sub"))
                                w.sub = value;
                        else if (qn_str_is(key, "pkg"))
                                w.pkg = true;
                        else if (qn_str_is(key, "slash"))
                                w.slash = true;
                        else if (!qn_str_is(key, "words") || qn_str_u64(value, &w.words) < 0)
                                return fail_at(reterr, list->items[i], "unknown key of a wrapper");
                }
                if (QN_ARENA_ROOM(a, t->wrappers, t->n_wrappers, t->wrappers_cap) < 0)
                        return -ENOMEM;
                t->wrappers[t->n_wrappers++] = w;
        }
        return 0;
}

static struct qn_str *interp_field(struct qn_cmd_interp *p, struct qn_str key)
{
        if (qn_str_is(key, "lang"))
                return &p->lang;
        if (qn_str_is(key, "eval"))
                return &p->eval;
        if (qn_str_is(key, "eval64"))
                return &p->eval64;
        if (qn_str_is(key, "take"))
                return &p->take;
        if (qn_str_is(key, "skip"))
                return &p->skip;
        if (qn_str_is(key, "stop"))
                return &p->stop;
        return qn_str_is(key, "sub") ? &p->sub : NULL;
}

static int load_interps(struct qn_commands *t, struct qn_arena *a, const struct qn_node *list,
                        struct qn_err *reterr)
{
        for (size_t i = 0; list && i < list->n; i++) {
                struct qn_str text = qn_node_text(list->items[i]), name = qn_str_cut(&text, ' ');
                struct qn_cmd_interp p = { .name = name };

                while (qn_str_trim(text).n) {
                        struct qn_str value = qn_str_cut(&text, ' '), key = qn_str_cut(&value, '=');
                        struct qn_str *field = interp_field(&p, key);

                        if (!field)
                                return fail_at(reterr, list->items[i],
                                               "unknown key of an interpreter");
                        *field = value;
                }
                if (QN_ARENA_ROOM(a, t->interps, t->n_interps, t->interps_cap) < 0)
                        return -ENOMEM;
                t->interps[t->n_interps++] = p;
        }
        return 0;
}

static int add_rule(struct qn_cmd_rules *t, struct qn_arena *a, const struct qn_row *row,
                    const struct qn_row_event *e)
{
        struct qn_str *words = qn_arena_alloc(a, QN_MAX(row->n_words, (size_t)1) * sizeof *words);
        struct qn_cmd_rule r = { .words = words, .n_words = row->n_words };
        uint32_t first = 0, index = (uint32_t)t->n;

        if (!words || QN_ARENA_ROOM(a, t->list, t->n, t->cap) < 0)
                return -ENOMEM;
        memcpy(words, row->words, row->n_words * sizeof *words);
        if (e)
                r.event = *e;
        if (is_glob(words[0])) {
                r.next = t->globs;
                t->globs = index + 1;
        } else {
                int k = qn_map_add(&t->by_program, a, words[0], index, &first);

                if (k < 0)
                        return -ENOMEM;
                if (k == 1) {
                        r.next = t->list[first].next;
                        t->list[first].next = index + 1;
                }
        }
        t->list[t->n++] = r;
        return 0;
}

static int load_rules(struct qn_cmd_rules *t, struct qn_arena *a, const struct qn_node *list,
                      bool events, struct qn_err *reterr)
{
        struct qn_row_event e;
        struct qn_row row;
        int r;

        for (size_t i = 0; list && i < list->n; i++) {
                r = qn_row_split(qn_node_text(list->items[i]), &row, reterr);
                if (r == 0 && row.n_words == 0)
                        r = qn_fail(reterr, -EINVAL, 0, "no program");
                if (r == 0 && events)
                        r = qn_row_event(&row, &e, reterr);
                if (r < 0)
                        return qn_table_fail(reterr, NAME, list->items[i]);
                r = add_rule(t, a, &row, events ? &e : NULL);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int load_names(struct qn_map *m, struct qn_arena *a, const struct qn_node *list)
{
        for (size_t i = 0; list && i < list->n; i++)
                if (qn_map_add(m, a, qn_node_text(list->items[i]), (uint32_t)i, NULL) < 0)
                        return -ENOMEM;
        return 0;
}

static int load_aliases(struct qn_commands *t, struct qn_arena *a, const struct qn_node *aliases)
{
        for (size_t i = 0; aliases && i < aliases->n; i++) {
                if (QN_ARENA_ROOM(a, t->alias_names, t->n_aliases, t->aliases_cap) < 0)
                        return -ENOMEM;
                t->alias_names[t->n_aliases] = aliases->keys[i];
                for (size_t j = 0; j < aliases->items[i]->n; j++)
                        if (qn_map_add(&t->aliases, a, qn_node_text(aliases->items[i]->items[j]),
                                       (uint32_t)t->n_aliases, NULL) < 0)
                                return -ENOMEM;
                t->n_aliases++;
        }
        return 0;
}

int qn_commands_load(const char *data_dir, const struct qn_classes *classes, struct qn_arena *a,
                     const struct qn_commands **ret, struct qn_err *reterr)
{
        struct qn_commands *t = QN_ARENA_NEW(a, struct qn_commands);
        const struct qn_node *root, *ai;
        int r;

        if (!t)
                return -ENOMEM;
        t->classes = classes;
        r = qn_table_read(data_dir, NAME, a, &root, reterr);
        if (r < 0)
                return r;
        ai = qn_node_get(root, "ai");
        if ((r = load_wrappers(t, a, qn_node_get(root, "wrappers"), reterr)) < 0 ||
            (r = load_interps(t, a, qn_node_get(root, "interpreters"), reterr)) < 0 ||
            (r = load_rules(&t->runners, a, qn_node_get(root, "script_runners"), false, reterr)) <
                    0 ||
            (r = load_rules(&t->rules, a, qn_node_get(root, "rules"), true, reterr)) < 0 ||
            (r = load_rules(&t->prompt, a, qn_node_get(ai, "prompt"), false, reterr)) < 0 ||
            (r = load_rules(&t->bypass, a, qn_node_get(ai, "bypass"), false, reterr)) < 0 ||
            (r = load_names(&t->downloaders, a, qn_node_get(root, "downloaders"))) < 0 ||
            (r = load_names(&t->senders, a, qn_node_get(root, "senders"))) < 0 ||
            (r = load_names(&t->filters, a, qn_node_get(root, "filters"))) < 0 ||
            (r = load_names(&t->harmless, a, qn_node_get(root, "harmless"))) < 0 ||
            (r = load_aliases(t, a, qn_node_get(ai, "aliases"))) < 0)
                return r;
        *ret = t;
        return 0;
}

/* --- matching --- */

bool qn_cmd_list_has(struct qn_str list, struct qn_str word)
{
        while (list.n) {
                struct qn_str item = qn_str_cut(&list, ',');

                if (qn_str_eq(item, word))
                        return true;
        }
        return false;
}

/* `-x`, `-x=value` (also as two arguments) somewhere in argv. */
static bool has_option(struct qn_str want, const struct qn_str *argv, size_t argc)
{
        ptrdiff_t eq = qn_str_chr(want, '=');
        struct qn_str name = eq < 0 ? want : qn_str_take(want, (size_t)eq);
        struct qn_str value = eq < 0 ? (struct qn_str){ 0 } : qn_str_skip(want, (size_t)eq + 1);

        for (size_t i = 1; i < argc; i++) {
                if (qn_str_glob(argv[i], want))
                        return true;
                if (eq < 0 && argv[i].n > name.n && argv[i].p[name.n] == '=' &&
                    memcmp(argv[i].p, name.p, name.n) == 0)
                        return true;
                if (eq >= 0 && qn_str_eq(argv[i], name) && i + 1 < argc &&
                    qn_str_glob(argv[i + 1], value))
                        return true;
        }
        return false;
}

static bool has_argument(struct qn_str glob, const struct qn_str *argv, size_t argc)
{
        for (size_t i = 1; i < argc; i++)
                if (qn_str_glob(argv[i], glob))
                        return true;
        return false;
}

bool qn_cmd_rule_matches(const struct qn_cmd_rule *r, struct qn_str program,
                         const struct qn_str *argv, size_t argc)
{
        size_t at = 1;

        if (!qn_str_glob(program, r->words[0]))
                return false;
        for (size_t i = 1; i < r->n_words; i++) {
                struct qn_str w = r->words[i];

                if (w.p[0] == '-') {
                        if (!has_option(w, argv, argc))
                                return false;
                } else if (w.p[0] == '~' && w.n > 1) {
                        if (!has_argument(qn_str_skip(w, 1), argv, argc))
                                return false;
                } else {
                        while (at < argc && argv[at].n && argv[at].p[0] == '-')
                                at++;
                        if (at >= argc || !qn_str_glob(argv[at], w))
                                return false;
                        at++;
                }
        }
        return true;
}

const struct qn_cmd_rule *qn_cmd_rules_next(const struct qn_cmd_rules *t, struct qn_str program,
                                            uint64_t *at)
{
        enum { IN_GLOBS = 1 };
        uint64_t state = *at;
        uint32_t index = (uint32_t)(state >> 1);

        if (state == 0) {
                uint32_t first = qn_map_get(&t->by_program, program);

                index = first == QN_MAP_NONE ? 0 : first + 1;
        } else {
                index = t->list[index - 1].next;
        }
        if (index == 0 && !(state & IN_GLOBS)) {
                index = t->globs;
                state |= IN_GLOBS;
        }
        *at = (uint64_t)index << 1 | (state & IN_GLOBS);
        return index ? &t->list[index - 1] : NULL;
}

const struct qn_cmd_wrapper *qn_cmd_wrapper_find(const struct qn_commands *t, struct qn_str program,
                                                 struct qn_str first)
{
        for (size_t i = 0; i < t->n_wrappers; i++) {
                const struct qn_cmd_wrapper *w = &t->wrappers[i];

                if (qn_str_eq(w->name, program) && (!w->sub.n || qn_cmd_list_has(w->sub, first)))
                        return w;
        }
        return NULL;
}

const struct qn_cmd_interp *qn_cmd_interp_find(const struct qn_commands *t, struct qn_str program)
{
        for (size_t i = 0; i < t->n_interps; i++)
                if (qn_str_glob(program, t->interps[i].name))
                        return &t->interps[i];
        return NULL;
}
