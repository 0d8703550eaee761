#include "observe/native-table.h"

#include <errno.h>

#include "base/arena.h"
#include "observe/literal.h"
#include "parse/json.h"

#define TABLE "binary.yaml"

static int add_lib(struct qn_natives *n, struct qn_arena *a, struct qn_str glob, uint32_t row)
{
        if (QN_ARENA_ROOM(a, n->libs, n->n_libs, n->libs_cap) < 0)
                return -ENOMEM;
        n->libs[n->n_libs++] = (struct qn_native_lib){ glob, row };
        return 0;
}

static int add_row(struct qn_natives *n, struct qn_arena *a, struct qn_str text, bool libs,
                   struct qn_err *reterr)
{
        struct qn_row row;
        int r = qn_row_split(text, &row, reterr);

        if (r < 0)
                return r;
        if (!row.n_words)
                return qn_fail(reterr, -EINVAL, 0, "a row needs a name");
        if (QN_ARENA_ROOM(a, n->rows, n->n_rows, n->rows_cap) < 0)
                return -ENOMEM;
        r = qn_row_event(&row, &n->rows[n->n_rows], reterr);
        for (size_t i = 0; r >= 0 && i < row.n_words; i++)
                r = libs ? add_lib(n, a, row.words[i], (uint32_t)n->n_rows)
                         : qn_map_add(&n->imports, a, row.words[i], (uint32_t)n->n_rows, NULL);
        if (r == 1)
                return qn_fail(reterr, -EINVAL, 0, "a name is there twice");
        n->n_rows++;
        return r;
}

static int load_rows(struct qn_natives *n, struct qn_arena *a, const struct qn_node *root,
                     const char *group, struct qn_err *reterr)
{
        const struct qn_node *list = qn_node_get(root, group);

        for (size_t i = 0; list && i < list->n; i++) {
                int r = add_row(n, a, qn_node_text(list->items[i]), strcmp(group, "libraries") == 0,
                                reterr);

                if (r < 0)
                        return qn_table_fail(reterr, TABLE, list->items[i]);
        }
        return 0;
}

static int load_packers(struct qn_natives *n, struct qn_arena *a, const struct qn_node *packers)
{
        for (size_t i = 0; packers && i < packers->n; i++)
                for (size_t k = 0; k < packers->items[i]->n; k++) {
                        if (QN_ARENA_ROOM(a, n->packers, n->n_packers, n->packers_cap) < 0)
                                return -ENOMEM;
                        n->packers[n->n_packers++] = (struct qn_native_packer){
                                packers->keys[i], qn_node_text(packers->items[i]->items[k])
                        };
                }
        return 0;
}

int qn_natives_load(const char *data_dir, struct qn_arena *a, struct qn_natives **ret,
                    struct qn_err *reterr)
{
        struct qn_natives *n = QN_ARENA_NEW(a, struct qn_natives);
        const struct qn_node *root;
        int r;

        if (!n)
                return -ENOMEM;
        r = qn_table_read(data_dir, TABLE, a, &root, reterr);
        if (r == 0)
                r = load_rows(n, a, root, "imports", reterr);
        if (r == 0)
                r = load_rows(n, a, root, "libraries", reterr);
        if (r == 0)
                r = load_packers(n, a, qn_node_get(root, "packers"));
        if (r == 0)
                r = qn_literals_load(data_dir, TABLE, NULL, a, &n->strings, reterr);
        if (r == 0)
                *ret = n;
        return r;
}

void qn_natives_done(struct qn_natives *n)
{
        if (n)
                qn_literals_done(n->strings);
}

int qn_native_scan_new(const struct qn_natives *n, struct qn_literal_scan **ret)
{
        return qn_literal_scan_new(n->strings, ret);
}
