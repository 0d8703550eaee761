#include "parse/log-body.h"

#include <errno.h>

#include "base/arena.h"
#include "base/hash.h"
#include "parse/json.h"

static const struct qn_node *get(const struct qn_node *n, const char *key)
{
        return qn_node_get(n, key);
}

static const struct qn_node *only(const struct qn_node *list)
{
        return qn_node_is(list, QN_NODE_ARRAY) && list->n == 1 ? list->items[0] : NULL;
}

static int decode(struct qn_str base64, struct qn_arena *a, struct qn_str *ret)
{
        return base64.p ? qn_base64_decode(base64, a, ret) : -EINVAL;
}

/* intoto 0.0.2 keeps the envelope's signature in base64 within base64; 0.0.1 does not keep it. */
static int read_intoto(const struct qn_node *spec, struct qn_arena *a, struct qn_log_body *b)
{
        const struct qn_node *content = get(spec, "content"),
                             *sig = get(only(get(get(content, "envelope"), "signatures")), "sig");
        struct qn_str inner;

        b->payload_sha256 = qn_node_text(get(get(content, "payloadHash"), "value"));
        if (!sig)
                return 0;
        if (decode(qn_node_text(sig), a, &inner) < 0)
                return -EINVAL;
        return decode(inner, a, &b->sig);
}

static int read_dsse(const struct qn_node *spec, struct qn_arena *a, struct qn_log_body *b)
{
        b->payload_sha256 = qn_node_text(get(get(spec, "payloadHash"), "value"));
        return decode(qn_node_text(get(only(get(spec, "signatures")), "signature")), a, &b->sig);
}

int qn_log_body_read(struct qn_cur in, struct qn_arena *a, struct qn_log_body *ret,
                     struct qn_err *reterr)
{
        struct qn_log_body b = { 0 };
        struct qn_node *root = NULL;
        struct qn_str kind;
        int r = qn_json_parse(in, a, &root, reterr);

        if (r < 0)
                return r;
        kind = qn_node_text(get(root, "kind"));
        if (qn_str_is(kind, "intoto"))
                r = read_intoto(get(root, "spec"), a, &b);
        else if (qn_str_is(kind, "dsse"))
                r = read_dsse(get(root, "spec"), a, &b);
        else
                r = -EINVAL;
        if (r < 0 || !b.payload_sha256.n)
                return qn_fail(reterr, -EINVAL, 0, "this is not a log entry about an envelope");
        *ret = b;
        return 0;
}

/* --- checkpoints --- */

/* "— name base64(hint of four bytes, signature)" */
static int read_signature(struct qn_str line, struct qn_arena *a, struct qn_checkpoint *cp)
{
        ptrdiff_t space = qn_str_rchr(line, ' ');
        struct qn_str sig;

        if (!qn_str_starts(line, "\xe2\x80\x94 ") || space < 4 ||
            cp->n == QN_CHECKPOINT_LINES_MAX ||
            qn_base64_decode(qn_str_skip(line, (size_t)space + 1), a, &sig) < 0 || sig.n <= 4)
                return -EINVAL;
        cp->sigs[cp->n++] = qn_str_skip(sig, 4);
        return 0;
}

int qn_checkpoint_read(struct qn_str note, struct qn_arena *a, struct qn_checkpoint *ret)
{
        struct qn_checkpoint cp = { 0 };
        ptrdiff_t end = qn_str_find(note, QN_STR("\n\n"));
        struct qn_str head, sigs;
        int r = 0;

        if (end < 0)
                return -EINVAL;
        cp.text = qn_str_take(note, (size_t)end + 1);
        sigs = qn_str_skip(note, (size_t)end + 2);
        head = cp.text;
        qn_str_cut(&head, '\n'); /* the log's name: which log it is, its key says */
        if (qn_str_u64(qn_str_cut(&head, '\n'), &cp.size) < 0 ||
            qn_base64_decode(qn_str_cut(&head, '\n'), a, &cp.root) < 0)
                return -EINVAL;
        while (r == 0 && sigs.n)
                r = read_signature(qn_str_cut(&sigs, '\n'), a, &cp);
        if (r < 0)
                return r;
        *ret = cp;
        return 0;
}
