/* event-wire.c - event sets as bytes, for messages between roles and for the store.
 *
 *   "QNE2" u32 length of what follows
 *   u8 kinds, u8 attrs, u8 labels, then that many names (u8 length, bytes): the rest refers to them by position, so that
 *   stored sets can still be read when the vocabulary has grown
 *   name, version, integrity (u16 length, bytes)
 *   u32 files, then paths (u16 length, bytes) in ascending order
 *   u32 events, then events:
 *     u8 kind, u8 phase, u8 layer, u8 novelty, u8 attrs, u32 file, offset, line, column, count, u64 labels, text (u16 length, bytes),
 *     attrs times: u8 attribute, value (u16 length, bytes)
 */
#include <errno.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "event/event.h"

#define MAGIC     "QNE2"
#define EVENT_MIN 35                  /* bytes of an event without attributes and text */
#define SET_MAX   (QN_EVENTS_MAX + 1) /* the overflow's own event comes on top */
#define TABLE_MAX 64

_Static_assert(QN_EVENT_MAX <= TABLE_MAX && QN_ATTR_COUNT_ <= TABLE_MAX &&
                       QN_LABEL_MAX <= TABLE_MAX,
               "names fit their tables");

/* --- writing --- */

/* Which of a vocabulary's names a set uses, and the position each gets. */
struct table {
        uint64_t used;
        uint8_t at[TABLE_MAX];
        uint8_t n;
};

static void number(struct table *t)
{
        for (unsigned i = 0; i < TABLE_MAX; i++)
                if (t->used >> i & 1)
                        t->at[i] = t->n++;
}

static void put_u16(struct qn_buf *b, size_t v)
{
        uint16_t x = (uint16_t)v;

        qn_buf_add(b, &x, sizeof x);
}

static void put_u32(struct qn_buf *b, size_t v)
{
        uint32_t x = (uint32_t)v;

        qn_buf_add(b, &x, sizeof x);
}

static void put_text(struct qn_buf *b, struct qn_str s)
{
        s = qn_str_take(s, UINT16_MAX);
        put_u16(b, s.n);
        qn_buf_str(b, s);
}

static void put_name(struct qn_buf *b, const char *name)
{
        qn_buf_byte(b, (char)strlen(name));
        qn_buf_puts(b, name);
}

struct tables {
        struct table kinds, attrs, labels;
};

static void collect(const struct qn_event_set *s, struct tables *t)
{
        for (size_t i = 0; i < s->n; i++) {
                const struct qn_event *e = &s->events[i];

                t->kinds.used |= UINT64_C(1) << e->kind;
                t->labels.used |= e->labels;
                for (size_t k = 0; k < e->n_attrs; k++)
                        t->attrs.used |= UINT64_C(1) << e->keys[k];
        }
        number(&t->kinds);
        number(&t->attrs);
        number(&t->labels);
}

static void put_tables(struct qn_buf *b, const struct tables *t)
{
        qn_buf_add(b, (uint8_t[]){ t->kinds.n, t->attrs.n, t->labels.n }, 3);
        for (unsigned i = 0; i < QN_EVENT_MAX; i++)
                if (t->kinds.used >> i & 1)
                        put_name(b, qn_event_name(i));
        for (unsigned i = 0; i < QN_ATTR_COUNT_; i++)
                if (t->attrs.used >> i & 1)
                        put_name(b, qn_attr_name(i));
        for (unsigned i = 0; i < QN_LABEL_MAX; i++)
                if (t->labels.used >> i & 1)
                        put_name(b, qn_label_name(i));
}

static void put_event(struct qn_buf *b, const struct qn_event *e, const struct tables *t)
{
        uint64_t labels = 0;

        for (unsigned i = 0; i < QN_LABEL_MAX; i++)
                if (e->labels >> i & 1)
                        labels |= UINT64_C(1) << t->labels.at[i];
        qn_buf_add(b, (uint8_t[]){ t->kinds.at[e->kind], e->phase, e->layer, e->fresh, e->n_attrs },
                   5);
        qn_buf_add(b, (uint32_t[]){ e->file, e->off, e->line, e->column, e->count }, 20);
        qn_buf_add(b, &labels, sizeof labels);
        put_text(b, e->text);
        for (size_t k = 0; k < e->n_attrs; k++) {
                qn_buf_byte(b, (char)t->attrs.at[e->keys[k]]);
                put_text(b, e->values[k]);
        }
}

int qn_event_set_write(const struct qn_event_set *s, struct qn_buf *out)
{
        struct tables t = { 0 };
        size_t start = out->n;
        uint32_t length;
        int r;

        collect(s, &t);
        qn_buf_puts(out, MAGIC);
        put_u32(out, 0);
        put_tables(out, &t);
        put_text(out, s->name);
        put_text(out, s->version);
        put_text(out, s->integrity);
        put_u32(out, s->n_files);
        for (size_t i = 0; i < s->n_files; i++)
                put_text(out, s->files[i]);
        put_u32(out, s->n);
        for (size_t i = 0; i < s->n; i++)
                put_event(out, &s->events[i], &t);
        r = qn_buf_error(out);
        if (r < 0)
                return r;
        length = (uint32_t)(out->n - start - 8);
        memcpy(out->p + start + 4, &length, sizeof length);
        return 0;
}

/* --- reading --- */

struct reader {
        struct qn_cur in;
        const uint8_t *start;
        struct qn_err *err;
        uint8_t n_kinds, n_attrs, n_labels;
        uint8_t kinds[TABLE_MAX], attrs[TABLE_MAX], labels[TABLE_MAX];
};

static int bad(struct reader *r, const char *what)
{
        return qn_fail(r->err, -EBADMSG, (size_t)(r->in.p - r->start), "stored events: %s", what);
}

static int get_bytes(struct reader *r, size_t n, size_t max, struct qn_str *ret)
{
        struct qn_cur c;

        if (n > max)
                return bad(r, "a text is longer than its limit");
        if (qn_cur_take(&r->in, n, &c) < 0)
                return bad(r, "cut short");
        if (!qn_utf8_valid(qn_cur_rest(&c)))
                return bad(r, "a text is not UTF-8");
        *ret = qn_cur_rest(&c);
        return 0;
}

static int get_text(struct reader *r, size_t max, struct qn_str *ret)
{
        uint16_t n;

        if (qn_cur_le16(&r->in, &n) < 0)
                return bad(r, "cut short");
        return get_bytes(r, n, max, ret);
}

static int get_name(struct reader *r, struct qn_str *ret)
{
        uint8_t n;

        if (qn_cur_u8(&r->in, &n) < 0)
                return bad(r, "cut short");
        return get_bytes(r, n, UINT8_MAX, ret);
}

#define GET_NAMES(what, type, from_name)                                                 \
        static int get_##what(struct reader *r)                                          \
        {                                                                                \
                for (unsigned i = 0; i < r->n_##what; i++) {                             \
                        struct qn_str name;                                              \
                        type v;                                                          \
                        int k = get_name(r, &name);                                      \
                                                                                         \
                        if (k < 0)                                                       \
                                return k;                                                \
                        if (from_name(name, &v) < 0)                                     \
                                return bad(r, "a name that this version does not know"); \
                        r->what[i] = (uint8_t)v;                                         \
                }                                                                        \
                return 0;                                                                \
        }
GET_NAMES(kinds, enum qn_event_kind, qn_event_from_name)
GET_NAMES(attrs, enum qn_attr, qn_attr_from_name)
GET_NAMES(labels, enum qn_label, qn_label_from_name)

static int get_tables(struct reader *r)
{
        int k = 0;

        if (qn_cur_u8(&r->in, &r->n_kinds) < 0 || qn_cur_u8(&r->in, &r->n_attrs) < 0 ||
            qn_cur_u8(&r->in, &r->n_labels) < 0)
                return bad(r, "cut short");
        if (r->n_kinds > TABLE_MAX || r->n_attrs > TABLE_MAX || r->n_labels > TABLE_MAX)
                return bad(r, "too many names");
        k = get_kinds(r);
        if (k == 0)
                k = get_attrs(r);
        return k < 0 ? k : get_labels(r);
}

/* A count of things of which each takes at least `least` bytes of the input. */
static int get_count(struct reader *r, size_t least, size_t max, uint32_t *ret)
{
        if (qn_cur_le32(&r->in, ret) < 0)
                return bad(r, "cut short");
        if (*ret > max || *ret > qn_cur_left(&r->in) / least)
                return bad(r, "a count is larger than what follows");
        return 0;
}

static int get_files(struct reader *r, struct qn_event_set *s)
{
        uint32_t n = 0;
        int k = get_count(r, 2, SET_MAX, &n);

        if (k < 0)
                return k;
        s->files = qn_arena_calloc(s->arena, n, sizeof *s->files);
        if (!s->files)
                return qn_fail(r->err, -ENOBUFS, 0, "stored events: too large");
        for (; s->n_files < n; s->n_files++) {
                struct qn_str *f = &s->files[s->n_files];

                k = get_text(r, QN_TAR_NAME_MAX, f);
                if (k < 0)
                        return k;
                if (s->n_files && qn_str_cmp(f[-1], *f) >= 0)
                        return bad(r, "paths are not in order");
        }
        s->files_cap = n;
        return 0;
}

static int get_labels_of(struct reader *r, struct qn_event *e)
{
        uint64_t bits;

        if (qn_cur_le64(&r->in, &bits) < 0)
                return bad(r, "cut short");
        if (r->n_labels < 64 && bits >> r->n_labels)
                return bad(r, "an unknown label");
        for (unsigned i = 0; i < r->n_labels; i++)
                if (bits >> i & 1)
                        e->labels |= UINT64_C(1) << r->labels[i];
        return 0;
}

static int get_attr(struct reader *r, struct qn_event *e)
{
        struct qn_str value;
        uint8_t at, n = e->n_attrs;
        int k;

        if (qn_cur_u8(&r->in, &at) < 0)
                return bad(r, "cut short");
        if (at >= r->n_attrs)
                return bad(r, "an unknown attribute");
        k = get_text(r, qn_event_attr_max(r->attrs[at]), &value);
        if (k < 0)
                return k;
        qn_event_attr(e, r->attrs[at], value);
        return e->n_attrs == n + 1 ? 0 : bad(r, "an empty or repeated attribute");
}

static int get_event(struct reader *r, size_t n_files, struct qn_event *e)
{
        uint8_t head[5];
        uint32_t place[5];
        int k;

        *e = (struct qn_event){ 0 };
        if (qn_cur_copy(&r->in, sizeof head, head) < 0 ||
            qn_cur_copy(&r->in, sizeof place, place) < 0)
                return bad(r, "cut short");
        if (head[0] >= r->n_kinds || head[1] >= QN_PHASE_MAX || head[2] >= QN_LAYER_MAX ||
            head[3] >= QN_NOVELTY_MAX || head[4] > QN_EVENT_ATTRS)
                return bad(r, "an unknown kind, phase, layer or novelty");
        if ((place[0] >= n_files && place[0] != QN_FILE_NONE) || place[4] == 0)
                return bad(r, "an unknown file or a count of nothing");
        *e = (struct qn_event){ .kind = r->kinds[head[0]],
                                .phase = head[1],
                                .layer = head[2],
                                .fresh = head[3],
                                .file = place[0],
                                .off = place[1],
                                .line = place[2],
                                .column = place[3],
                                .count = place[4] };
        k = get_labels_of(r, e);
        if (k == 0)
                k = get_text(r, QN_ATTR_MAX, &e->text);
        for (unsigned i = 0; k == 0 && i < head[4]; i++)
                k = get_attr(r, e);
        return k;
}

static int get_events(struct reader *r, struct qn_event_set *s)
{
        uint32_t n = 0;
        int k = get_count(r, EVENT_MIN, SET_MAX, &n);

        if (k < 0)
                return k;
        s->events = qn_arena_calloc(s->arena, n, sizeof *s->events);
        if (!s->events)
                return qn_fail(r->err, -ENOBUFS, 0, "stored events: too large");
        s->cap = n;
        for (; k == 0 && s->n < n; s->n++)
                k = get_event(r, s->n_files, &s->events[s->n]);
        return k;
}

static int get_set(struct reader *r, struct qn_event_set *s)
{
        int k = get_tables(r);

        if (k == 0)
                k = get_text(r, UINT16_MAX, &s->name);
        if (k == 0)
                k = get_text(r, UINT16_MAX, &s->version);
        if (k == 0)
                k = get_text(r, UINT16_MAX, &s->integrity);
        if (k == 0)
                k = get_files(r, s);
        if (k == 0)
                k = get_events(r, s);
        if (k == 0 && qn_cur_left(&r->in))
                k = bad(r, "bytes are left over");
        return k;
}

/* Takes magic and length; what follows is copied once, and everything points into the copy. */
static int get_body(struct qn_cur *in, struct qn_arena *a, struct reader *r)
{
        struct qn_cur magic, body;
        struct qn_str copy;
        uint32_t length;

        if (qn_cur_take(in, 4, &magic) < 0 || !qn_str_is(qn_cur_rest(&magic), MAGIC))
                return bad(r, "not a set of events");
        if (qn_cur_le32(in, &length) < 0 || qn_cur_take(in, length, &body) < 0)
                return bad(r, "cut short");
        copy = qn_arena_dup(a, qn_cur_rest(&body));
        if (!copy.p)
                return qn_fail(r->err, -ENOBUFS, 0, "stored events: too large");
        r->in = qn_cur_str(copy);
        r->start = r->in.p - 8;
        return 0;
}

int qn_event_set_read(struct qn_cur *in, struct qn_arena *a, struct qn_event_set *ret,
                      struct qn_err *reterr)
{
        struct reader r = { .in = *in, .start = in->p, .err = reterr };
        struct qn_cur rest = *in;
        struct qn_event_set s;
        int k;

        qn_event_set_init(&s, a);
        k = get_body(&rest, a, &r);
        if (k == 0)
                k = get_set(&r, &s);
        if (k == 0)
                k = qn_event_set_seal(&s);
        if (k < 0)
                return k;
        *ret = s;
        *in = rest;
        return 0;
}
