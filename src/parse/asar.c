#include "parse/asar.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "parse/json.h"

#define HEAD      16
#define DEPTH_MAX 64

/* Four numbers: 4, the size of the header with its own, the size of the text with its own, the size of the text. */
static bool read_head(struct qn_cur in, uint32_t *ret_header, uint32_t *ret_text)
{
        uint32_t four, second;

        return qn_cur_le32(&in, &four) == 0 && four == 4 && qn_cur_le32(&in, ret_header) == 0 &&
               qn_cur_le32(&in, &second) == 0 && qn_cur_le32(&in, ret_text) == 0 &&
               *ret_header >= 8 && second <= *ret_header && *ret_text <= second &&
               *ret_text <= qn_cur_left(&in) && *ret_text >= 2 && in.p[0] == '{';
}

bool qn_asar_is(struct qn_cur in)
{
        uint32_t header, text;

        return read_head(in, &header, &text);
}

struct level {
        const struct qn_node *files;
        size_t i, path_n; /* next member; length of the path up to here */
};

static int visit(struct qn_cur body, const struct qn_node *node, struct qn_str path, qn_asar_fn fn,
                 void *ctx)
{
        struct qn_str text = qn_node_text(qn_node_get(node, "offset"));
        struct qn_str bytes = qn_cur_rest(&body);
        uint64_t off, size = qn_node_u64(qn_node_get(node, "size"), UINT64_MAX);

        if (qn_str_u64(text, &off) < 0 || off > bytes.n || size > bytes.n - off)
                return 0; /* a link, a file beside the archive, or nonsense */
        return fn(ctx, path, qn_cur_mem(bytes.p + off, (size_t)size));
}

int qn_asar_walk(struct qn_cur in, struct qn_arena *a, qn_asar_fn fn, void *ctx)
{
        _cleanup_(qn_buf_done) struct qn_buf path = QN_BUF_INIT(QN_TAR_NAME_MAX);
        struct level levels[DEPTH_MAX];
        struct qn_cur json, body = in;
        struct qn_node *root = NULL;
        uint32_t header, text;
        size_t depth = 0, n = 0;

        if (!read_head(in, &header, &text) || qn_cur_skip(&body, 8) < 0 ||
            qn_cur_skip(&body, header) < 0 || qn_cur_skip(&in, HEAD) < 0 ||
            qn_cur_take(&in, text, &json) < 0 || qn_json_parse(json, a, &root, NULL) < 0)
                return -EBADMSG;
        levels[depth++] = (struct level){ .files = qn_node_get(root, "files") };
        while (depth) {
                struct level *l = &levels[depth - 1];
                const struct qn_node *node, *inner;
                int r;

                if (!qn_node_is(l->files, QN_NODE_OBJECT) || l->i >= l->files->n) {
                        depth--;
                        continue;
                }
                if (++n > QN_ZIP_ENTRIES_MAX)
                        return -EFBIG;
                node = l->files->items[l->i];
                path.n = l->path_n;
                qn_buf_str(&path, l->files->keys[l->i++]);
                if (qn_buf_error(&path) < 0)
                        return -EFBIG;
                inner = qn_node_get(node, "files");
                if (!inner) {
                        r = visit(body, node, qn_buf_view(&path), fn, ctx);
                        if (r)
                                return r;
                        continue;
                }
                if (depth == DEPTH_MAX)
                        return -EFBIG;
                qn_buf_byte(&path, '/');
                levels[depth++] = (struct level){ .files = inner, .path_n = path.n };
        }
        return 0;
}
