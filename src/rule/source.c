/* source.c - what files of rules and of features have in common: a YAML tree with places, ids, and lists with names. */
#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/io.h"
#include "base/limits.h"
#include "parse/yaml.h"
#include "rule/cond.h"

int qn_source_read(struct qn_compiler *c, const char *path, const struct qn_node **ret,
                   uint64_t *revision)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_YAML_MAX);
        struct qn_err err = { 0 };
        struct qn_node *root;
        struct qn_str text;
        unsigned line = 1, column = 1;
        int r = qn_io_read(path, &b);

        if (r < 0)
                return qn_fail(c->err, r, 0, "%s: %s", path, strerror(-r));
        text = qn_buf_view(&b);
        *revision = *revision * 31 + qn_hash64(text.p, text.n);
        r = qn_yaml_parse(qn_cur_str(text), c->arena, &root, &err);
        if (r < 0) {
                for (size_t i = 0; i < err.off && i < text.n; i++, column++)
                        if (text.p[i] == '\n')
                                line++, column = 0;
                return qn_fail(c->err, r, err.off, "%s:%u:%u: %s", path, line, column, err.msg);
        }
        c->file = qn_arena_dup(c->arena, qn_str_c(path));
        if (!c->file.p)
                return -ENOMEM;
        *ret = root;
        return 0;
}

int qn_source_name(struct qn_compiler *c, struct qn_map *map, struct qn_str name,
                   const struct qn_node *n, const char *what)
{
        uint32_t old = 0;
        int r;

        if (QN_ARENA_ROOM(c->arena, c->named, c->n_named, c->named_cap) < 0)
                return -ENOMEM;
        r = qn_map_add(map, c->arena, name, (uint32_t)c->n_named, &old);
        if (r == 1)
                return qn_compile_fail(
                        c, n, "the %s \"%.*s\" is already defined in %.*s:%u; choose another name",
                        what, QN_STR_ARG(name), QN_STR_ARG(c->named[old].file),
                        c->named[old].node->line);
        if (r < 0)
                return -ENOMEM;
        c->named[c->n_named++] = (struct qn_named){ name, c->file, n };
        return 0;
}

int qn_source_lists(struct qn_compiler *c, const struct qn_node *n)
{
        int r = 0;

        if (n->type != QN_NODE_OBJECT)
                return qn_compile_fail(c, n, "lists: takes name: [texts]");
        for (size_t i = 0; r == 0 && i < n->n; i++) {
                if (n->items[i]->type != QN_NODE_ARRAY)
                        return qn_compile_fail(c, n->items[i], "a list is written [one, two]");
                r = qn_source_name(c, &c->lists, n->keys[i], n->items[i], "list");
        }
        return r;
}

static bool good_id(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!(s.p[i] >= 'a' && s.p[i] <= 'z') && !(s.p[i] >= '0' && s.p[i] <= '9') &&
                    s.p[i] != '-')
                        return false;
        return s.n > 0 && s.n <= 64;
}

int qn_source_id(struct qn_compiler *c, const struct qn_node *n, struct qn_str *to)
{
        if (n->type != QN_NODE_STRING || !good_id(n->text))
                return qn_compile_fail(c, n, "id: takes 1 to 64 of a-z, 0-9 and -");
        *to = n->text;
        return 0;
}
