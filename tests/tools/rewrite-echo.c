/* rewrite-echo - reads one JSON question a line ({"text", "name", "base", "short", "tags", "only", "message", "blocked":
 * [[version, reason]]}), prints the rewritten document as a JSON string, or the number of the error: what the comparison with
 * JavaScript runs. */
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/jsonw.h"
#include "lines.h"
#include "parse/json.h"
#include "parse/packument-rewrite.h"

static int to_buf(void *ctx, const void *p, size_t n)
{
        return qn_buf_add(ctx, p, n);
}

static int read_blocked(const struct qn_node *list, struct qn_arena *a,
                        struct qn_packument_rewrite *w)
{
        struct qn_packument_blocked *blocked =
                qn_arena_calloc(a, list ? list->n : 0, sizeof *blocked);

        if (!blocked)
                return -1;
        for (size_t i = 0; list && i < list->n; i++)
                blocked[i] =
                        (struct qn_packument_blocked){ qn_node_text(list->items[i]->items[0]),
                                                       qn_node_text(list->items[i]->items[1]) };
        w->blocked = blocked;
        w->n_blocked = list ? list->n : 0;
        return 0;
}

static int answer(struct qn_str line)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)512 << 20);
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT((size_t)256 << 20),
                                             quoted = QN_BUF_INIT((size_t)512 << 20);
        struct qn_jsonw j = QN_JSONW_INIT(&quoted, 0);
        struct qn_packument_rewrite w;
        struct qn_node *root = NULL;
        int r;

        if (qn_json_parse(qn_cur_str(line), &a, &root, NULL) < 0)
                return -1;
        w = (struct qn_packument_rewrite){
                .name = qn_node_text(qn_node_get(root, "name")),
                .base = qn_node_text(qn_node_get(root, "base")),
                .only = qn_node_text(qn_node_get(root, "only")),
                .message = qn_node_text(qn_node_get(root, "message")),
                .abbreviated = qn_node_bool(qn_node_get(root, "short"), false),
                .tags_only = qn_node_bool(qn_node_get(root, "tags"), false),
        };
        if (read_blocked(qn_node_get(root, "blocked"), &a, &w) < 0)
                return -1;
        r = qn_packument_rewrite(qn_cur_str(qn_node_text(qn_node_get(root, "text"))), &w, &a,
                                 to_buf, &out, NULL);
        if (r == 0)
                qn_jsonw_str(&j, NULL, qn_buf_view(&out));
        else
                qn_jsonw_double(&j, NULL, r, 0);
        if (qn_buf_error(&out) < 0 || qn_buf_error(&quoted) < 0)
                return -1;
        return printf("%s\n", quoted.p) < 0 ? -1 : 0;
}

int main(void)
{
        return each_line(answer);
}
