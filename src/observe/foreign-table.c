/* Reading data/foreign.yaml. */
#include <errno.h>

#include "base/arena.h"
#include "observe/foreign.h"
#include "parse/json.h"

#define NAME     "foreign.yaml"
#define WORD_MAX 96

static const struct {
        const char *name;
        enum qn_foreign_role role;
} roles[] = {
        { "command", QN_FOREIGN_COMMAND }, { "code", QN_FOREIGN_CODE }, { "url", QN_FOREIGN_URL },
        { "env", QN_FOREIGN_ENV },         { "open", QN_FOREIGN_OPEN }, { "path", QN_FOREIGN_PATH },
        { "to", QN_FOREIGN_TO },           { "dump", QN_FOREIGN_DUMP }, { "join", QN_FOREIGN_JOIN },
};

static int read_role(struct qn_str text, uint8_t *ret, struct qn_err *reterr)
{
        for (size_t i = 0; i < QN_ARRAY_SIZE(roles); i++)
                if (qn_str_is(text, roles[i].name)) {
                        *ret = (uint8_t)roles[i].role;
                        return 0;
                }
        return qn_fail(reterr, -EINVAL, 0, "\"%.*s\" is no role", QN_STR_ARG(text));
}

/* NAME(ROLE) -> event attribute=value… */
static int read_call(struct qn_str text, struct qn_foreign_call *ret, struct qn_err *reterr)
{
        struct qn_row row;
        ptrdiff_t open;
        int r;

        *ret = (struct qn_foreign_call){ 0 };
        r = qn_row_split(text, &row, reterr);
        if (r < 0)
                return r;
        if (row.n_words != 1)
                return qn_fail(reterr, -EINVAL, 0, "one name before the arrow");
        ret->name = row.words[0];
        open = qn_str_chr(ret->name, '(');
        if (open > 0) {
                struct qn_str role = qn_str_skip(ret->name, (size_t)open + 1);

                role = qn_str_cut(&role, ')');
                r = read_role(role, &ret->role, reterr);
                if (r < 0)
                        return r;
                ret->name.n = (size_t)open;
        }
        ret->has_event = row.event.n > 0;
        return ret->has_event ? qn_row_event(&row, &ret->event, reterr) : 0;
}

static int read_calls(struct qn_foreign_lang *l, struct qn_arena *a, const struct qn_node *list,
                      struct qn_err *reterr)
{
        for (size_t i = 0; list && i < list->n; i++) {
                struct qn_foreign_call call;
                int r = read_call(qn_node_text(list->items[i]), &call, reterr);

                if (r < 0)
                        return qn_table_fail(reterr, NAME, list->items[i]);
                if (QN_ARENA_ROOM(a, l->calls, l->n_calls, l->calls_cap) < 0 ||
                    qn_map_add(&l->index, a, call.name, (uint32_t)l->n_calls, NULL) < 0)
                        return -ENOMEM;
                l->calls[l->n_calls++] = call;
        }
        return 0;
}

static int read_names(struct qn_arena *a, const struct qn_node *list, struct qn_str **ret,
                      size_t *ret_n)
{
        size_t n = list ? list->n : 0;

        *ret = qn_arena_calloc(a, n + 1, sizeof **ret);
        if (!*ret)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                (*ret)[i] = qn_node_text(list->items[i]);
        *ret_n = n;
        return 0;
}

static int read_style(struct qn_foreign_lang *l, const struct qn_node *list, struct qn_err *reterr)
{
        for (size_t i = 0; list && i < list->n; i++) {
                struct qn_str s = qn_node_text(list->items[i]);

                if (qn_str_is(s, "hash"))
                        l->hash = true;
                else if (qn_str_is(s, "slashes"))
                        l->slashes = true;
                else if (qn_str_is(s, "dashes"))
                        l->dashes = true;
                else if (qn_str_is(s, "quote-comment"))
                        l->quote_comment = true;
                else if (qn_str_is(s, "triple"))
                        l->triple = true;
                else if (qn_str_is(s, "backslash"))
                        l->escape = '\\';
                else if (qn_str_is(s, "backtick"))
                        l->escape = '`';
                else if (qn_str_is(s, "shell-words"))
                        l->shell_words = true;
                else
                        return qn_fail(reterr, -EINVAL, 0, "\"%.*s\" is no style", QN_STR_ARG(s));
        }
        return 0;
}

static int read_lang(struct qn_foreign_lang *l, struct qn_arena *a, const struct qn_node *n,
                     struct qn_err *reterr)
{
        int r = read_style(l, qn_node_get(n, "style"), reterr);

        if (r < 0)
                return qn_table_fail(reterr, NAME, n);
        r = read_names(a, qn_node_get(n, "extensions"), &l->extensions, &l->n_extensions);
        if (r == 0)
                r = read_names(a, qn_node_get(n, "programs"), &l->programs, &l->n_programs);
        return r < 0 ? r : read_calls(l, a, qn_node_get(n, "calls"), reterr);
}

int qn_foreign_load(const char *data_dir, struct qn_arena *a, const struct qn_foreign **ret,
                    struct qn_err *reterr)
{
        struct qn_foreign *t = QN_ARENA_NEW(a, struct qn_foreign);
        const struct qn_node *root;
        int r;

        if (!t)
                return -ENOMEM;
        r = qn_table_read(data_dir, NAME, a, &root, reterr);
        for (size_t i = 0; r == 0 && i < root->n; i++) {
                if (QN_ARENA_ROOM(a, t->langs, t->n, t->cap) < 0)
                        return -ENOMEM;
                t->langs[t->n] = (struct qn_foreign_lang){ .name = root->keys[i] };
                r = read_lang(&t->langs[t->n++], a, root->items[i], reterr);
        }
        if (r == 0)
                *ret = t;
        return r;
}

/* --- look-ups --- */

static bool ends_like(struct qn_str s, struct qn_str end)
{
        return s.n > end.n && qn_str_ieq(qn_str_skip(s, s.n - end.n), end);
}

const struct qn_foreign_lang *qn_foreign_file(const struct qn_foreign *t, struct qn_str path,
                                              struct qn_str hashbang)
{
        for (size_t i = 0; i < t->n; i++) {
                const struct qn_foreign_lang *l = &t->langs[i];

                for (size_t k = 0; k < l->n_extensions; k++)
                        if (ends_like(path, l->extensions[k]))
                                return l;
                for (size_t k = 0; hashbang.n && k < l->n_programs; k++)
                        if (qn_str_glob(hashbang, l->programs[k]))
                                return l;
        }
        return NULL;
}

const struct qn_foreign_lang *qn_foreign_named(const struct qn_foreign *t, struct qn_str name)
{
        for (size_t i = 0; i < t->n; i++)
                if (qn_str_eq(t->langs[i].name, name))
                        return &t->langs[i];
        return NULL;
}

/* a.b.c, then b.c, then c; also behind :: and -> */
const struct qn_foreign_call *qn_foreign_find(const struct qn_foreign_lang *l, struct qn_str word)
{
        char buf[WORD_MAX];
        struct qn_str w = { buf, word.n };

        if (!word.n || word.n > sizeof buf)
                return NULL;
        for (size_t i = 0; i < word.n; i++)
                buf[i] =
                        word.p[i] >= 'A' && word.p[i] <= 'Z' ? (char)(word.p[i] | 0x20) : word.p[i];
        while (w.n) {
                uint32_t i = qn_map_get(&l->index, w);

                if (i != QN_MAP_NONE)
                        return &l->calls[i];
                while (w.n && !memchr(".:>", w.p[0], 3))
                        w = qn_str_skip(w, 1);
                while (w.n && memchr(".:>", w.p[0], 3))
                        w = qn_str_skip(w, 1);
        }
        return NULL;
}
