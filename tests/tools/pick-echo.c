/* pick-echo - reads one JSON question a line ({"packument", "spec", "tag", "before", "node", "npm"}), prints the version
 * that is chosen, or "none": what the comparison with npm's own choice runs. */
#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "lines.h"
#include "parse/json.h"
#include "parse/packument.h"

/* The packument's text: the tree does not keep it, so it comes first on the line, before the rest. */
static int packument_text(struct qn_str line, struct qn_cur *ret)
{
        struct qn_json_event e;
        struct qn_json j;
        size_t from;

        if (qn_json_init(&j, qn_cur_str(line), NULL) < 0 || qn_json_next(&j, &e, NULL) < 0 ||
            qn_json_next(&j, &e, NULL) < 0)
                return -1;
        from = (size_t)(j.in.p - j.start);
        if (qn_json_skip(&j, NULL) < 0)
                return -1;
        *ret = qn_cur_mem(line.p + from, (size_t)(j.in.p - j.start) - from);
        return 0;
}

static int answer(struct qn_str line)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        struct qn_packument_version *v = NULL;
        struct qn_node *root = NULL;
        struct qn_packument_want want;
        struct qn_cur doc;
        int r;

        if (qn_json_parse(qn_cur_str(line), &a, &root, NULL) < 0 || packument_text(line, &doc) < 0)
                return -1;
        want = (struct qn_packument_want){
                .spec = qn_node_text(qn_node_get(root, "spec")),
                .tag = qn_node_text(qn_node_get(root, "tag")),
                .before = qn_time_parse(qn_node_text(qn_node_get(root, "before"))),
                .node = qn_node_text(qn_node_get(root, "node")),
                .npm = qn_node_text(qn_node_get(root, "npm")),
        };
        r = qn_packument_pick(doc, &want, &a, &v, NULL);
        if (r < 0 && r != -ENOENT)
                return -1;
        printf("%.*s\n", QN_STR_ARG(r == 0 ? v->version : QN_STR("none")));
        return 0;
}

int main(void)
{
        return each_line(answer);
}
