#include "observe/table.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "parse/yaml.h"

#define TABLE_MAX ((size_t)1 << 20)

int qn_table_fail(struct qn_err *err, const char *name, const struct qn_node *at)
{
        struct qn_err was;

        if (!err)
                return -EINVAL;
        was = *err;
        return qn_fail(err, was.code ? was.code : -EINVAL, was.off, "%s: line %u: %.100s", name,
                       at ? at->line : 0, was.msg);
}

int qn_table_read(const char *data_dir, const char *name, struct qn_arena *a,
                  const struct qn_node **ret, struct qn_err *reterr)
{
        _cleanup_(qn_buf_done) struct qn_buf path = QN_BUF_INIT(4096),
                                             text = QN_BUF_INIT(TABLE_MAX);
        struct qn_node *root;
        struct qn_str kept;
        int r;

        if (qn_buf_printf(&path, "%s/%s", data_dir, name) < 0)
                return -ENAMETOOLONG;
        r = qn_io_read(path.p, &text);
        if (r < 0)
                return qn_fail(reterr, r, 0, "%s: %s", path.p, strerror(-r));
        kept = qn_arena_dup(a, qn_buf_view(&text)); /* the tree may point into it */
        if (!kept.p)
                return -ENOMEM;
        r = qn_yaml_parse(qn_cur_str(kept), a, &root, reterr);
        if (r < 0)
                return qn_table_fail(reterr, name, NULL);
        if (!qn_node_is(root, QN_NODE_OBJECT))
                return qn_fail(reterr, -EINVAL, 0, "%s: not a mapping", name);
        *ret = root;
        return 0;
}

/* The next word; a word may hold spaces when it is quoted with ". */
static struct qn_str next_word(struct qn_str *s)
{
        struct qn_str w;
        size_t n = 0;

        *s = qn_str_trim(*s);
        if (s->n && s->p[0] == '"') {
                ptrdiff_t close = qn_str_chr(qn_str_skip(*s, 1), '"');

                n = close < 0 ? s->n - 1 : (size_t)close;
                w = qn_str_take(qn_str_skip(*s, 1), n);
                *s = qn_str_skip(*s, n + 2);
                return w;
        }
        while (n < s->n && s->p[n] != ' ' && s->p[n] != '\t' && s->p[n] != '\n')
                n++;
        w = qn_str_take(*s, n);
        *s = qn_str_skip(*s, n);
        return w;
}

static int add_key(struct qn_row *r, struct qn_str word, struct qn_str *rest, struct qn_err *reterr)
{
        struct qn_str value = word, key = qn_str_cut(&value, '=');

        if (r->n_keys == QN_ROW_WORDS)
                return qn_fail(reterr, -EINVAL, 0, "too many attributes");
        if (value.n && value.p[0] == '"') { /* key="two words" */
                rest->p = value.p;
                rest->n += (size_t)(word.p + word.n - value.p);
                value = next_word(rest);
        }
        r->keys[r->n_keys] = key;
        r->values[r->n_keys++] = value;
        return 0;
}

static int split(struct qn_str text, bool right, struct qn_row *ret, struct qn_err *reterr)
{
        *ret = (struct qn_row){ 0 };
        while (qn_str_trim(text).n) {
                struct qn_str w = next_word(&text);

                if (!right && qn_str_is(w, "->")) {
                        right = true;
                } else if (!right) {
                        if (ret->n_words == QN_ROW_WORDS)
                                return qn_fail(reterr, -EINVAL, 0, "too many words");
                        ret->words[ret->n_words++] = w;
                } else if (qn_str_chr(w, '=') >= 0) {
                        int r = add_key(ret, w, &text, reterr);

                        if (r < 0)
                                return r;
                } else if (!ret->event.n) {
                        ret->event = w;
                } else {
                        return qn_fail(reterr, -EINVAL, 0, "\"%.*s\" is not key=value",
                                       QN_STR_ARG(w));
                }
        }
        return 0;
}

int qn_row_split(struct qn_str text, struct qn_row *ret, struct qn_err *reterr)
{
        return split(text, false, ret, reterr);
}

int qn_row_split_right(struct qn_str text, struct qn_row *ret, struct qn_err *reterr)
{
        return split(text, true, ret, reterr);
}

struct qn_str qn_row_get(const struct qn_row *r, const char *key)
{
        for (size_t i = 0; i < r->n_keys; i++)
                if (qn_str_is(r->keys[i], key))
                        return r->values[i];
        return (struct qn_str){ NULL, 0 };
}

int qn_row_event(const struct qn_row *r, struct qn_row_event *ret, struct qn_err *reterr)
{
        enum qn_event_kind kind;
        enum qn_label label;
        enum qn_attr attr;

        if (qn_event_from_name(r->event, &kind) < 0)
                return qn_fail(reterr, -EINVAL, 0, "\"%.*s\" is no event", QN_STR_ARG(r->event));
        *ret = (struct qn_row_event){ .kind = (uint8_t)kind };
        for (size_t i = 0; i < r->n_keys; i++) {
                if (qn_attr_from_name(r->keys[i], &attr) < 0)
                        continue;
                if (ret->n_attrs == QN_EVENT_ATTRS)
                        return qn_fail(reterr, -EINVAL, 0, "too many attributes");
                ret->keys[ret->n_attrs] = (uint8_t)attr;
                ret->values[ret->n_attrs++] = r->values[i];
                if (attr == QN_ATTR_WHICH && qn_label_from_name(r->values[i], &label) == 0)
                        ret->labels |= UINT64_C(1) << label;
        }
        return 0;
}

struct qn_event qn_row_event_make(const struct qn_row_event *re)
{
        struct qn_event e = qn_event_make(re->kind, QN_LAYER_STATIC, 0);

        for (size_t i = 0; i < re->n_attrs; i++)
                qn_event_attr(&e, re->keys[i], re->values[i]);
        e.labels = re->labels;
        return e;
}
