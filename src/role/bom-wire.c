/* bom-wire.c - numbers and texts are those of wire.h.
 *
 *   u32 kind, items, edges, broken; format, name, version, first broken
 *   each item: u32 origin, flags; name, alias, version, resolved, integrity, path
 *   each edge: u32 from, to, need
 */
#include "role/bom-wire.h"

#include <errno.h>

#include "base/limits.h"
#include "parse/collection.h"
#include "role/wire.h"

#define ITEM_MIN               (8 * sizeof(uint32_t)) /* bytes of an item whose texts are all empty */
#define EDGE_BYTES             (3 * sizeof(uint32_t))
#define FLAG_MASK(bit, field)  | 1u << (bit)
#define FLAGS_MAX              (0 QN_BOM_FLAGS(FLAG_MASK))
#define WRITE_FLAG(bit, field) flags |= (uint32_t)t->field << (bit);
#define READ_FLAG(bit, field)  t->field = (flags & 1u << (bit)) != 0;

#define ITEM_TEXTS(t) \
        &(t)->name, &(t)->alias, &(t)->version, &(t)->resolved, &(t)->integrity, &(t)->path
#define BOM_TEXTS(b) &(b)->format, &(b)->name, &(b)->version, &(b)->first_broken

static void write_item(const struct qn_bom_item *t, struct qn_buf *out)
{
        const struct qn_str *const texts[] = { ITEM_TEXTS(t) };
        uint32_t flags = 0;

        QN_BOM_FLAGS(WRITE_FLAG)
        qn_wire_put_u32(out, t->origin);
        qn_wire_put_u32(out, flags);
        qn_wire_put_texts(out, texts, QN_ARRAY_SIZE(texts));
}

int qn_bom_wire_write(const struct qn_bom *b, struct qn_buf *out)
{
        const struct qn_str *const texts[] = { BOM_TEXTS(b) };

        qn_wire_put_u32(out, b->kind);
        qn_wire_put_u32(out, (uint32_t)b->n);
        qn_wire_put_u32(out, (uint32_t)b->n_edges);
        qn_wire_put_u32(out, (uint32_t)b->broken);
        qn_wire_put_texts(out, texts, QN_ARRAY_SIZE(texts));
        for (size_t i = 0; i < b->n; i++)
                write_item(&b->items[i], out);
        for (size_t i = 0; i < b->n_edges; i++) {
                qn_wire_put_u32(out, b->edges[i].from);
                qn_wire_put_u32(out, b->edges[i].to);
                qn_wire_put_u32(out, b->edges[i].need);
        }
        return qn_buf_error(out);
}

static int read_item(struct qn_cur *c, struct qn_bom_item *t)
{
        struct qn_str *const texts[] = { ITEM_TEXTS(t) };
        uint32_t origin, flags;

        if (qn_cur_le32(c, &origin) < 0 || origin >= QN_BOM_FROM_MAX ||
            qn_cur_le32(c, &flags) < 0 || flags & ~(uint32_t)FLAGS_MAX ||
            qn_wire_get_texts(c, texts, QN_ARRAY_SIZE(texts)) < 0)
                return -EBADMSG;
        t->origin = (enum qn_bom_origin)origin;
        QN_BOM_FLAGS(READ_FLAG)
        return 0;
}

static int read_edge(struct qn_cur *c, size_t items, struct qn_bom_edge *e)
{
        uint32_t need;

        if (qn_cur_le32(c, &e->from) < 0 || qn_cur_le32(c, &e->to) < 0 ||
            qn_cur_le32(c, &need) < 0 || (e->from >= items && e->from != QN_BOM_ROOT) ||
            e->to >= items || need >= QN_BOM_NEED_MAX)
                return -EBADMSG;
        e->need = (enum qn_bom_need)need;
        return 0;
}

static int read_head(struct qn_cur *c, struct qn_bom *b)
{
        struct qn_str *const texts[] = { BOM_TEXTS(b) };
        uint32_t kind, n, edges, broken;

        if (qn_cur_le32(c, &kind) < 0 || kind >= QN_BOM_KIND_MAX || qn_cur_le32(c, &n) < 0 ||
            qn_cur_le32(c, &edges) < 0 || qn_cur_le32(c, &broken) < 0 ||
            qn_wire_get_texts(c, texts, QN_ARRAY_SIZE(texts)) < 0 ||
            n > qn_cur_left(c) / ITEM_MIN || edges > qn_cur_left(c) / EDGE_BYTES)
                return -EBADMSG;
        b->kind = (enum qn_bom_kind)kind;
        b->n = n;
        b->n_edges = edges;
        b->broken = broken;
        return 0;
}

static int read_all(struct qn_cur c, struct qn_bom *b)
{
        int r = read_head(&c, b);

        if (r < 0)
                return r;
        b->items = qn_arena_calloc(b->arena, b->n, sizeof *b->items);
        b->edges = qn_arena_calloc(b->arena, b->n_edges, sizeof *b->edges);
        if ((b->n && !b->items) || (b->n_edges && !b->edges))
                return -ENOBUFS;
        for (size_t i = 0; r == 0 && i < b->n; i++)
                r = read_item(&c, &b->items[i]);
        for (size_t i = 0; r == 0 && i < b->n_edges; i++)
                r = read_edge(&c, b->n, &b->edges[i]);
        return r == 0 && qn_cur_left(&c) ? -EBADMSG : r;
}

int qn_bom_wire_read(struct qn_cur reply, struct qn_arena *a, struct qn_bom **ret,
                     struct qn_err *reterr)
{
        struct qn_bom *b = QN_ARENA_NEW(a, struct qn_bom);
        struct qn_str copy = qn_arena_dup(a, qn_cur_rest(&reply));
        int r = b && copy.p ? 0 : -ENOBUFS;

        if (r == 0) {
                b->arena = a;
                r = read_all(qn_cur_str(copy), b);
        }
        if (r < 0)
                return qn_fail(reterr, r, 0,
                               r == -ENOBUFS ? "the list of packages does not fit into memory"
                                             : "the reply of the analyse role is broken");
        *ret = b;
        return 0;
}

/* --- collections: u64 time, u32 whole, u32 sources; kind, name, owner, environment, commit; each source: path, error, or else u32
 * length and list --- */

#define COLLECTION_TEXTS(c) &(c)->kind, &(c)->name, &(c)->owner, &(c)->environment, &(c)->commit
#define SOURCE_MIN          (2 * sizeof(uint32_t))

int qn_collection_wire_write(const struct qn_collection *c, struct qn_buf *out)
{
        const struct qn_str *const texts[] = { COLLECTION_TEXTS(c) };
        int r = 0;

        qn_wire_put_u64(out, (uint64_t)c->time);
        qn_wire_put_u32(out, c->whole);
        qn_wire_put_u32(out, (uint32_t)c->n);
        qn_wire_put_texts(out, texts, QN_ARRAY_SIZE(texts));
        for (size_t i = 0; r == 0 && i < c->n; i++) {
                uint32_t size = 0;
                size_t at;

                qn_wire_put_text(out, c->sources[i].path);
                qn_wire_put_text(out, c->sources[i].error);
                if (!c->sources[i].bom)
                        continue;
                at = out->n;
                qn_wire_put_u32(out, size);
                r = qn_bom_wire_write(c->sources[i].bom, out);
                size = (uint32_t)(out->n - at - sizeof size);
                if (r == 0)
                        memcpy(out->p + at, &size, sizeof size);
        }
        return r < 0 ? r : qn_buf_error(out);
}

static int read_collection(struct qn_cur c, struct qn_arena *a, struct qn_collection *ret)
{
        struct qn_str *const texts[] = { COLLECTION_TEXTS(ret) };
        uint64_t time;
        uint32_t n, whole;

        if (qn_cur_le64(&c, &time) < 0 || time > INT64_MAX || qn_cur_le32(&c, &whole) < 0 ||
            whole > 1 || qn_cur_le32(&c, &n) < 0 ||
            qn_wire_get_texts(&c, texts, QN_ARRAY_SIZE(texts)) < 0 || !ret->kind.n ||
            !ret->name.n || n > qn_cur_left(&c) / SOURCE_MIN)
                return -EBADMSG;
        ret->time = (int64_t)time;
        ret->whole = whole;
        ret->sources = qn_arena_calloc(a, n + 1, sizeof *ret->sources);
        if (!ret->sources)
                return -ENOBUFS;
        for (; ret->n < n; ret->n++) {
                struct qn_collected *s = &ret->sources[ret->n];
                struct qn_cur list;
                uint32_t size;
                int r;

                if (qn_wire_get_text(&c, &s->path) < 0 || !s->path.p ||
                    qn_wire_get_text(&c, &s->error) < 0)
                        return -EBADMSG;
                if (s->error.p)
                        continue;
                if (qn_cur_le32(&c, &size) < 0 || qn_cur_take(&c, size, &list) < 0)
                        return -EBADMSG;
                r = qn_bom_wire_read(list, a, &s->bom, NULL);
                if (r < 0)
                        return r;
        }
        return qn_cur_left(&c) ? -EBADMSG : 0;
}

int qn_collection_wire_read(struct qn_cur reply, struct qn_arena *a, struct qn_collection *ret,
                            struct qn_err *reterr)
{
        struct qn_collection c = { .n = 0 };
        struct qn_str copy = qn_arena_dup(a, qn_cur_rest(&reply));
        int r = copy.p ? read_collection(qn_cur_str(copy), a, &c) : -ENOBUFS;

        if (r < 0)
                return qn_fail(reterr, r, 0,
                               r == -ENOBUFS ? "the collection does not fit into memory"
                                             : "the reply of the analyse role is broken");
        *ret = c;
        return 0;
}
