/* json-echo - reads one base64 document a line, writes it back as one line of JSON, or "reject": what the comparison
 * with another JSON reader runs. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/jsonw.h"
#include "lines.h"
#include "parse/json.h"

static void write_string(struct qn_buf *out, struct qn_str s)
{
        struct qn_jsonw w = QN_JSONW_INIT(out, 0);

        qn_jsonw_str(&w, NULL, s);
}

/* The test documents are shallow: recursion is fine here. */
static void write_node(struct qn_buf *out, const struct qn_node *n)
{
        switch (n->type) {
        case QN_NODE_NULL:
                qn_buf_puts(out, "null");
                break;
        case QN_NODE_BOOL:
                qn_buf_puts(out, n->boolean ? "true" : "false");
                break;
        case QN_NODE_NUMBER:
                qn_buf_str(out, n->text);
                break;
        case QN_NODE_STRING:
                write_string(out, n->text);
                break;
        case QN_NODE_ARRAY:
        case QN_NODE_OBJECT:
                qn_buf_byte(out, n->type == QN_NODE_ARRAY ? '[' : '{');
                for (size_t i = 0; i < n->n; i++) {
                        if (i)
                                qn_buf_byte(out, ',');
                        if (n->type == QN_NODE_OBJECT) {
                                write_string(out, n->keys[i]);
                                qn_buf_byte(out, ':');
                        }
                        write_node(out, n->items[i]);
                }
                qn_buf_byte(out, n->type == QN_NODE_ARRAY ? ']' : '}');
        }
}

static int echo_line(struct qn_str line)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT((size_t)64 << 20);
        struct qn_node *root = NULL;
        struct qn_str doc;

        if (qn_base64_decode(line, &a, &doc) < 0)
                return -1;
        if (qn_json_parse(qn_cur_str(doc), &a, &root, NULL) < 0)
                qn_buf_puts(&out, "reject");
        else
                write_node(&out, root);
        if (qn_buf_error(&out) < 0)
                return -1;
        printf("%s\n", out.p);
        return 0;
}

int main(void)
{
        return each_line(echo_line);
}
