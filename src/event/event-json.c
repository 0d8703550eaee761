/* event-json.c - event sets as lines of JSON: a header, then one object per event. */
#include <errno.h>

#include "base/jsonw.h"
#include "base/limits.h"
#include "event/event.h"
#include "parse/json.h"

#define SCHEMA       "qanat.events/1"
#define NEXT_SET     1                 /* the line is the header of another set */
#define LINE_SCRATCH ((size_t)4 << 20) /* memory for the tree of one line */

/* --- writing --- */

static void put_place(struct qn_jsonw *w, const struct qn_event_set *s, const struct qn_event *e)
{
        if (e->file != QN_FILE_NONE)
                qn_jsonw_str(w, "file", s->files[e->file]);
        if (e->off)
                qn_jsonw_u64(w, "offset", e->off);
        if (e->line)
                qn_jsonw_u64(w, "line", e->line);
        if (e->column)
                qn_jsonw_u64(w, "column", e->column);
        if (e->count != 1)
                qn_jsonw_u64(w, "count", e->count);
}

static void put_labels(struct qn_jsonw *w, uint64_t labels)
{
        if (!labels)
                return;
        qn_jsonw_array(w, "labels");
        for (unsigned i = 0; i < QN_LABEL_MAX; i++)
                if (labels >> i & 1)
                        qn_jsonw_cstr(w, NULL, qn_label_name(i));
        qn_jsonw_end_array(w);
}

static void put_attrs(struct qn_jsonw *w, const struct qn_event *e)
{
        if (!e->n_attrs)
                return;
        qn_jsonw_object(w, "attrs");
        for (size_t i = 0; i < e->n_attrs; i++)
                qn_jsonw_str(w, qn_attr_name(e->keys[i]), e->values[i]);
        qn_jsonw_end_object(w);
}

static void put_event(struct qn_buf *out, const struct qn_event_set *s, const struct qn_event *e)
{
        struct qn_jsonw w = QN_JSONW_INIT(out, 0);

        qn_jsonw_object(&w, NULL);
        qn_jsonw_cstr(&w, "event", qn_event_name(e->kind));
        qn_jsonw_cstr(&w, "phase", qn_phase_name(e->phase));
        qn_jsonw_cstr(&w, "layer", qn_layer_name(e->layer));
        if (e->fresh)
                qn_jsonw_cstr(&w, "new", qn_novelty_name(e->fresh));
        put_place(&w, s, e);
        put_labels(&w, e->labels);
        put_attrs(&w, e);
        if (e->text.n)
                qn_jsonw_str(&w, "text", e->text);
        qn_jsonw_end_object(&w);
        qn_buf_byte(out, '\n');
}

int qn_event_set_write_json(const struct qn_event_set *s, struct qn_buf *out)
{
        struct qn_jsonw w = QN_JSONW_INIT(out, 0);

        qn_jsonw_object(&w, NULL);
        qn_jsonw_cstr(&w, "schema", SCHEMA);
        qn_jsonw_str(&w, "name", s->name);
        qn_jsonw_str(&w, "version", s->version);
        qn_jsonw_str(&w, "integrity", s->integrity);
        qn_jsonw_end_object(&w);
        qn_buf_byte(out, '\n');
        for (size_t i = 0; i < s->n; i++)
                put_event(out, s, &s->events[i]);
        return qn_buf_error(out);
}

/* --- reading --- */

struct reader {
        struct qn_event_set set;
        struct qn_arena scratch;
        struct qn_err *err;
        size_t off;    /* of the current line */
        unsigned line; /* from 1 */
        struct qn_event event;
};

static int bad(struct reader *r, int code, const char *what, struct qn_str name)
{
        return qn_fail(r->err, code, r->off, "line %u: %s \"%.*s\"", r->line, what,
                       (int)QN_MIN(name.n, (size_t)40), name.p);
}

static int get_u32(struct reader *r, struct qn_str key, const struct qn_node *n, uint32_t *ret)
{
        uint64_t v = qn_node_is(n, QN_NODE_NUMBER) ? qn_node_u64(n, UINT64_MAX) : UINT64_MAX;

        if (v > UINT32_MAX)
                return bad(r, -EBADMSG, "not a number from 0 to 4294967295:", key);
        *ret = (uint32_t)v;
        return 0;
}

static int get_file(struct reader *r, const struct qn_node *n)
{
        struct qn_str path = qn_node_text(n);

        if (!path.n || path.n > QN_TAR_NAME_MAX)
                return bad(r, -EBADMSG, "not a path:", path);
        r->event.file = qn_event_set_file(&r->set, path);
        return r->event.file == QN_FILE_NONE ? bad(r, -ENOBUFS, "too many files at", path) : 0;
}

static int get_labels(struct reader *r, struct qn_str key, const struct qn_node *n)
{
        if (!qn_node_is(n, QN_NODE_ARRAY))
                return bad(r, -EBADMSG, "not a list:", key);
        for (size_t i = 0; i < n->n; i++) {
                enum qn_label l;

                if (qn_label_from_name(qn_node_text(n->items[i]), &l) < 0)
                        return bad(r, -EBADMSG, "unknown label", qn_node_text(n->items[i]));
                r->event.labels |= UINT64_C(1) << l;
        }
        return 0;
}

static int get_attrs(struct reader *r, struct qn_str key, const struct qn_node *n)
{
        if (!qn_node_is(n, QN_NODE_OBJECT) || n->n > QN_EVENT_ATTRS)
                return bad(r, -EBADMSG, "not an object of at most six attributes and a flow:", key);
        for (size_t i = 0; i < n->n; i++) {
                struct qn_str value = qn_node_text(n->items[i]);
                enum qn_attr a;

                if (qn_attr_from_name(n->keys[i], &a) < 0)
                        return bad(r, -EBADMSG, "unknown attribute", n->keys[i]);
                if (!value.n || value.n > qn_event_attr_max(a))
                        return bad(r, -EBADMSG, "no text, or too long:", n->keys[i]);
                qn_event_attr(&r->event, a, value);
        }
        return 0;
}

#define GET_NAME(what, type, from_name, field)                                      \
        static int get_##what(struct reader *r, const struct qn_node *n)            \
        {                                                                           \
                type v;                                                             \
                                                                                    \
                if (from_name(qn_node_text(n), &v) < 0)                             \
                        return bad(r, -EBADMSG, "unknown " #what, qn_node_text(n)); \
                r->event.field = (uint8_t)v;                                        \
                return 0;                                                           \
        }
GET_NAME(event, enum qn_event_kind, qn_event_from_name, kind)
GET_NAME(phase, enum qn_phase, qn_phase_from_name, phase)
GET_NAME(layer, enum qn_layer, qn_layer_from_name, layer)
GET_NAME(novelty, enum qn_novelty, qn_novelty_from_name, fresh)

static int get_text(struct reader *r, struct qn_str key, const struct qn_node *n, size_t max,
                    struct qn_str *ret)
{
        struct qn_str s = qn_node_text(n);

        if (!qn_node_is(n, QN_NODE_STRING) || s.n > max)
                return bad(r, -EBADMSG, "not a text, or too long:", key);
        *ret = s;
        return 0;
}

static int get_field(struct reader *r, struct qn_str key, const struct qn_node *n)
{
        struct qn_event *e = &r->event;

        if (qn_str_is(key, "event"))
                return get_event(r, n);
        if (qn_str_is(key, "phase"))
                return get_phase(r, n);
        if (qn_str_is(key, "layer"))
                return get_layer(r, n);
        if (qn_str_is(key, "new"))
                return get_novelty(r, n);
        if (qn_str_is(key, "file"))
                return get_file(r, n);
        if (qn_str_is(key, "offset"))
                return get_u32(r, key, n, &e->off);
        if (qn_str_is(key, "line"))
                return get_u32(r, key, n, &e->line);
        if (qn_str_is(key, "column"))
                return get_u32(r, key, n, &e->column);
        if (qn_str_is(key, "count"))
                return get_u32(r, key, n, &e->count);
        if (qn_str_is(key, "labels"))
                return get_labels(r, key, n);
        if (qn_str_is(key, "attrs"))
                return get_attrs(r, key, n);
        if (qn_str_is(key, "text"))
                return get_text(r, key, n, QN_ATTR_MAX, &e->text);
        return bad(r, -EBADMSG, "unknown field", key);
}

static int read_event(struct reader *r, const struct qn_node *n)
{
        int k = 0;

        r->event = qn_event_make(QN_EVENT_MAX, QN_LAYER_STATIC, QN_FILE_NONE);
        r->event.phase = QN_PHASE_IMPORT;
        for (size_t i = 0; k == 0 && i < n->n; i++)
                k = get_field(r, n->keys[i], n->items[i]);
        if (k < 0)
                return k;
        if (r->event.kind == QN_EVENT_MAX || r->event.count == 0)
                return bad(r, -EBADMSG, "no event, or a count of nothing",
                           (struct qn_str){ "", 0 });
        /* A set that is too large says so in its seal, as it did when it was made. */
        (void)qn_event_add(&r->set, &r->event);
        return 0;
}

static int read_header(struct reader *r, const struct qn_node *n)
{
        int k = 0;

        if (!qn_str_is(qn_node_text(qn_node_get(n, "schema")), SCHEMA))
                return bad(r, -EPROTO, "the first line must hold the schema", QN_STR(SCHEMA));
        for (size_t i = 0; k == 0 && i < n->n; i++) {
                struct qn_str *to = qn_str_is(n->keys[i], "name")        ? &r->set.name
                                    : qn_str_is(n->keys[i], "version")   ? &r->set.version
                                    : qn_str_is(n->keys[i], "integrity") ? &r->set.integrity
                                                                         : NULL;
                struct qn_str v;

                if (!to) {
                        k = qn_str_is(n->keys[i], "schema")
                                    ? 0
                                    : bad(r, -EBADMSG, "unknown field", n->keys[i]);
                        continue;
                }
                k = get_text(r, n->keys[i], n->items[i], UINT16_MAX, &v);
                if (k == 0)
                        *to = qn_arena_dup(r->set.arena, v);
        }
        return k;
}

static int read_line(struct reader *r, struct qn_cur line)
{
        struct qn_node *n;
        struct qn_err err = { 0 };
        int k;

        qn_arena_reset(&r->scratch, LINE_SCRATCH);
        k = qn_json_parse(line, &r->scratch, &n, &err);
        if (k < 0)
                return qn_fail(r->err, k, r->off + err.off, "line %u: %s", r->line, err.msg);
        if (n->type != QN_NODE_OBJECT || n->duplicate)
                return bad(r, -EBADMSG, "not an object, or a field occurs twice",
                           (struct qn_str){ "", 0 });
        if (r->line > 1 && qn_node_get(n, "schema"))
                return NEXT_SET;
        return r->line == 1 ? read_header(r, n) : read_event(r, n);
}

/* Reads to the end or to the next set's header, and leaves *in there. */
static int read_lines(struct reader *r, struct qn_cur *in)
{
        const char *start = (const char *)in->p;
        struct qn_str rest = qn_cur_rest(in);
        int k = 0;

        while (k == 0 && rest.n) {
                struct qn_str line = qn_str_cut(&rest, '\n');

                r->line++;
                r->off = (size_t)(line.p - start);
                if (qn_str_trim(line).n || r->line == 1)
                        k = read_line(r, qn_cur_str(line));
        }
        if (k == 0 && r->line == 0)
                k = qn_fail(r->err, -EBADMSG, 0, "no events: the input is empty");
        if (k < 0)
                return k;
        in->p = k == NEXT_SET ? (const uint8_t *)start + r->off : in->end;
        return 0;
}

int qn_event_set_read_json(struct qn_cur *in, struct qn_arena *a, struct qn_event_set *ret,
                           struct qn_err *reterr)
{
        struct reader r = { .scratch = QN_ARENA_INIT(LINE_SCRATCH), .err = reterr };
        struct qn_cur rest = *in;
        int k;

        qn_event_set_init(&r.set, a);
        k = read_lines(&r, &rest);
        qn_arena_done(&r.scratch);
        if (k == 0)
                k = qn_event_set_seal(&r.set);
        if (k < 0)
                return k;
        *in = rest;
        *ret = r.set;
        return 0;
}
