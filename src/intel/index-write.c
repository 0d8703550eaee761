#include "intel/index-priv.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "intel/record.h"
#include "parse/osv.h"

#define GONE_BYTES_MAX ((size_t)4 << 20)

/* --- details: lines that several records share are kept once --- */

/* Adds or removes what leads to a record. */
static int lead(struct qn_intel *x, enum table t, MDB_val key, uint32_t number, bool add)
{
        MDB_val v = qn_ix_val(&number, sizeof number);
        int e;

        if (add)
                return qn_ix_put(x, t, key, v, MDB_NODUPDATA);
        e = mdb_del(x->txn, x->dbi[t], &key, &v);
        return e == MDB_NOTFOUND ? 0 : qn_ix_code(e);
}

static int link_all(struct qn_intel *x, const struct qn_osv *osv, uint32_t number, bool add)
{
        struct key k;
        int r = lead(x, IDS, qn_ix_key(&k, 0, osv->id), number, add);

        for (size_t i = 0; r == 0 && i < osv->n_aliases; i++)
                r = lead(x, IDS, qn_ix_key(&k, 0, osv->aliases[i]), number, add);
        for (size_t i = 0; r == 0 && i < osv->n_affected; i++)
                r = lead(x, NAMES, qn_ix_key(&k, 0, osv->affected[i].name), number, add);
        x->im.indicators |= osv->n_indicators > 0;
        for (size_t i = 0; r == 0 && i < osv->n_indicators; i++)
                r = lead(x, IOCS,
                         qn_ix_key(&k, qn_ix_ioc_prefix(osv->indicators[i].kind),
                                   qn_indicator_key(osv->indicators[i].kind,
                                                    osv->indicators[i].value)),
                         number, add);
        return r;
}

static int unlink_record(struct qn_intel *x, const struct qn_intel_record *rec)
{
        struct qn_osv *osv;
        int r;

        qn_arena_reset(&x->a, 1 << 20);
        r = qn_intel_unpack(rec->head, &x->a, &osv);
        if (r == 0)
                r = qn_intel_complete(x, rec, &x->a, osv);
        return r == 0 ? link_all(x, osv, rec->number, false) : r;
}

/* The number of the record that has this id itself, not as an alias. */
static int find_own(struct qn_intel *x, struct qn_str id, uint32_t *ret, struct front *ret_front,
                    struct qn_intel_record *ret_rec)
{
        struct key k;
        MDB_cursor *c;
        MDB_val key = qn_ix_key(&k, 0, id), v;
        int r = qn_ix_code(mdb_cursor_open(x->txn, x->dbi[IDS], &c)), e;

        if (r < 0)
                return r;
        r = -ENOENT;
        for (e = mdb_cursor_get(c, &key, &v, MDB_SET_KEY); e == 0 && r == -ENOENT;
             e = mdb_cursor_get(c, &key, &v, MDB_NEXT_DUP)) {
                struct qn_str own;
                struct qn_cur head;
                uint32_t n;

                memcpy(&n, v.mv_data, sizeof n);
                if (qn_ix_get_record(x, n, ret_front, ret_rec) < 0)
                        continue;
                head = ret_rec->head;
                if (qn_intel_get_text(&head, &own) == 0 && qn_str_eq(own, id)) {
                        *ret = n;
                        r = 0;
                }
        }
        mdb_cursor_close(c);
        return r;
}

static void mark_seen(struct import *im, uint32_t number)
{
        if (number / 8 < im->seen_n)
                im->seen[number / 8] |= (uint8_t)(1u << number % 8);
}

/* Whether a record that comes now counts more than the one that is there.  The order in which they come plays no part. */
static bool is_newer(const struct front *now, const struct front *old)
{
        if (now->modified_ms != old->modified_ms)
                return now->modified_ms > old->modified_ms;
        if (now->withdrawn != old->withdrawn)
                return now->withdrawn;
        return now->hash > old->hash;
}

static int put_cold(struct qn_intel *x, struct qn_cur cold)
{
        unsigned number = (unsigned)qn_ix_get_meta(x, "dictionary");
        struct qn_squeeze *s;
        int r = qn_ix_squeeze(x, number, &s);

        if (r == 0)
                r = qn_buf_byte(&x->value, (char)number);
        return r == 0 ? qn_squeeze_pack(s, cold, &x->value) : r;
}

static int store(struct qn_intel *x, uint32_t number, const struct front *f,
                 const struct qn_intel_packed *p)
{
        unsigned flags = number == x->im.next ? MDB_APPEND : 0;
        struct qn_cur head = p->head;
        int r;

        qn_buf_reset(&x->value);
        qn_buf_add(&x->value, f, sizeof *f);
        qn_buf_str(&x->value, qn_cur_rest(&head));
        r = put_cold(x, p->cold);
        return r == 0 ? qn_ix_put(x, RECORDS, qn_ix_val(&number, sizeof number),
                                  qn_ix_val(x->value.p, x->value.n), flags)
                      : r;
}

/* Only the front changes: who has it. */
static int store_front(struct qn_intel *x, uint32_t number, const struct front *f)
{
        MDB_val v;
        int r = qn_ix_get(x, RECORDS, qn_ix_val(&number, sizeof number), &v);

        if (r < 0)
                return r;
        qn_buf_reset(&x->value);
        qn_buf_add(&x->value, v.mv_data, v.mv_size);
        if (qn_buf_error(&x->value) < 0)
                return -ENOMEM;
        memcpy(x->value.p, f, sizeof *f);
        return qn_ix_put(x, RECORDS, qn_ix_val(&number, sizeof number),
                         qn_ix_val(x->value.p, x->value.n), 0);
}

static int grow_seen(struct import *im, uint32_t number)
{
        size_t want = ((size_t)number / 8 + 1) * 2;
        uint8_t *p;

        if (number / 8 < im->seen_n)
                return 0;
        p = realloc(im->seen, want);
        if (!p)
                return -ENOMEM;
        memset(p + im->seen_n, 0, want - im->seen_n);
        im->seen = p;
        im->seen_n = want;
        return 0;
}

static int take_apart(struct qn_intel *x, struct qn_cur packed, struct qn_intel_packed *ret,
                      struct qn_osv **ret_osv)
{
        int r = qn_intel_split(packed, ret);

        qn_arena_reset(&x->a, 1 << 20);
        if (r == 0)
                r = qn_intel_unpack(ret->head, &x->a, ret_osv);
        return r == 0 ? qn_intel_unpack_cold(ret->cold, &x->a, *ret_osv) : r;
}

static int add_record(struct qn_intel *x, struct front *f, const struct qn_intel_packed *p,
                      const struct qn_osv *osv)
{
        uint32_t number = x->im.next;
        int r = grow_seen(&x->im, number);

        if (r == 0)
                r = store(x, number, f, p);
        if (r == 0)
                r = link_all(x, osv, number, true);
        if (r < 0)
                return r;
        x->im.next++;
        x->im.counts.added++;
        mark_seen(&x->im, number);
        return 0;
}

static bool is_seen(const struct import *im, uint32_t number)
{
        return number / 8 < im->seen_n && im->seen[number / 8] >> number % 8 & 1;
}

/* Whether what comes now takes the place of what is there.  Where nobody but this source has it and the times are the same (lists
 * and the own list have none), a later import counts; inside of one, and between sources, the order plays no part.  A row of a list
 * is nobody's but that list's. */
static bool replaces(const struct qn_intel *x, uint32_t number, const struct front *now,
                     const struct front *old, struct qn_str id)
{
        uint32_t bit = 1u << x->im.source;

        if (old->sources == bit && now->modified_ms == old->modified_ms &&
            now->withdrawn == old->withdrawn && !is_seen(&x->im, number))
                return now->hash != old->hash;
        if (!(old->sources & bit) && qn_str_starts(id, "LIST:"))
                return false;
        return is_newer(now, old);
}

static int change_record(struct qn_intel *x, uint32_t number, struct front *f,
                         const struct front *old, const struct qn_intel_record *was,
                         struct qn_cur packed, bool newer)
{
        uint32_t bit = 1u << x->im.source;
        struct qn_intel_packed p;
        struct qn_osv *osv;
        int r;

        mark_seen(&x->im, number);
        if (!newer) {
                struct front kept = *old;

                kept.sources |= bit;
                x->im.counts.same++;
                return kept.sources == old->sources ? 0 : store_front(x, number, &kept);
        }
        f->sources |= old->sources;
        f->born = old->born;
        r = unlink_record(x, was);
        if (r == 0)
                r = take_apart(x, packed, &p, &osv);
        if (r == 0)
                r = store(x, number, f, &p);
        if (r == 0)
                r = link_all(x, osv, number, true);
        x->im.counts.changed += r == 0;
        return r;
}

int qn_intel_put(struct qn_intel *x, struct qn_cur packed)
{
        struct qn_str bytes = qn_cur_rest(&packed);
        struct qn_intel_packed p;
        struct qn_intel_record was;
        struct front f = { 0 }, old;
        struct qn_osv *osv;
        uint32_t number;
        int r = take_apart(x, packed, &p, &osv);

        if (r < 0)
                return r;
        if (!osv->id.n || (osv->policy != QN_OSV_NO_POLICY) != x->im.own ||
            qn_str_starts(osv->id, "OWN:") != x->im.own)
                return -EBADMSG;
        f = (struct front){ .sources = 1u << x->im.source,
                            .head_n = (uint32_t)qn_cur_left(&p.head),
                            .generation = (uint32_t)x->im.generation,
                            .born = (uint32_t)x->im.generation,
                            .modified_ms = osv->modified_ms,
                            .hash = qn_hash64(bytes.p, bytes.n),
                            .withdrawn = osv->withdrawn.n > 0 };
        r = find_own(x, osv->id, &number, &old, &was);
        if (r == -ENOENT)
                return add_record(x, &f, &p, osv);
        return r == 0 ? change_record(x, number, &f, &old, &was, packed,
                                      replaces(x, number, &f, &old, osv->id))
                      : r;
}

static int note_gone(struct qn_intel *x, const struct qn_intel_record *rec)
{
        struct qn_cur head = rec->head;
        struct qn_str id;
        int r = qn_intel_get_text(&head, &id);

        if (r < 0 || x->im.n_gone == QN_INTEL_GONE_MAX)
                return r;
        x->im.n_gone++;
        qn_intel_put_text(&x->im.gone, id);
        return qn_buf_error(&x->im.gone);
}

/* The source does not say it any more: without any other it is gone. */
static int forget(struct qn_intel *x, uint32_t number, const struct front *old,
                  const struct qn_intel_record *rec)
{
        struct front f = *old;
        MDB_val key = qn_ix_val(&number, sizeof number);
        int r;

        f.sources &= ~(1u << x->im.source);
        x->im.counts.removed++;
        if (f.sources)
                return store_front(x, number, &f);
        r = note_gone(x, rec);
        if (r == 0)
                r = unlink_record(x, rec);
        return r == 0 ? qn_ix_code(mdb_del(x->txn, x->dbi[RECORDS], &key, NULL)) : r;
}

static uint32_t last_number(struct qn_intel *x)
{
        uint32_t n = 0;
        MDB_cursor *c;
        MDB_val k, v;

        if (mdb_cursor_open(x->txn, x->dbi[RECORDS], &c))
                return 0;
        if (mdb_cursor_get(c, &k, &v, MDB_LAST) == 0 && k.mv_size == sizeof n)
                memcpy(&n, k.mv_data, sizeof n);
        mdb_cursor_close(c);
        return n;
}

int qn_intel_begin(struct qn_intel *x, const struct qn_intel_source *s, bool whole)
{
        free(x->im.seen);
        qn_buf_done(&x->im.gone);
        qn_arena_reset(&x->mem, 0);
        x->im = (struct import){ .source = s->number,
                                 .whole = whole,
                                 .own = qn_str_is(s->name, QN_INTEL_OWN),
                                 .had = s->records,
                                 .gone = QN_BUF_INIT(GONE_BYTES_MAX),
                                 .next = last_number(x) + 1,
                                 .generation = qn_ix_get_meta(x, "generation") + 1 };
        return grow_seen(&x->im, x->im.next);
}

/* The numbers of the records that the source had and did not repeat, and how many it has now. */
struct left {
        struct qn_intel *x;
        uint32_t *list;
        size_t n, cap;
        uint64_t has;
};

static int on_left(void *ctx, MDB_val key, MDB_val value)
{
        struct left *l = ctx;
        struct import *im = &l->x->im;
        struct front f;
        uint32_t number;

        if (key.mv_size != sizeof number || value.mv_size < sizeof f)
                return -EBADMSG;
        memcpy(&number, key.mv_data, sizeof number);
        memcpy(&f, value.mv_data, sizeof f);
        if (!(f.sources & 1u << im->source))
                return 0;
        l->has++;
        if (!im->whole || is_seen(im, number))
                return 0;
        if (QN_ARENA_ROOM(&l->x->mem, l->list, l->n, l->cap) < 0)
                return -ENOMEM;
        l->list[l->n++] = number;
        return 0;
}

static int forget_left(struct qn_intel *x, const uint32_t *list, size_t n)
{
        struct qn_intel_record rec;
        struct front f;
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++) {
                r = qn_ix_get_record(x, list[i], &f, &rec);
                if (r == 0)
                        r = forget(x, list[i], &f, &rec);
        }
        return r;
}

static int remember(struct qn_intel *x, const struct qn_intel_source *s, uint64_t records)
{
        struct qn_intel_source kept = *s;
        int r;

        kept.number = x->im.source;
        kept.records = records;
        kept.generation = x->im.generation;
        qn_buf_reset(&x->value);
        qn_ix_put_source(&x->value, &kept);
        r = qn_buf_error(&x->value);
        return r == 0 ? qn_ix_put(x, SOURCES, qn_ix_val(s->name.p, s->name.n),
                                  qn_ix_val(x->value.p, x->value.n), 0)
                      : r;
}

static int finish(struct qn_intel *x, const struct qn_intel_source *s, bool shrunk_ok,
                  struct qn_err *reterr)
{
        struct left left = { .x = x };
        int r = qn_ix_walk(x, RECORDS, MDB_NEXT, on_left, &left);
        uint64_t has = left.has - left.n;

        if (r == 0 && !shrunk_ok && x->im.whole && x->im.had && 2 * has < x->im.had)
                return qn_fail(reterr, -ERANGE, 0,
                               "%.*s shrank from %llu to %llu records: not taken over (--force "
                               "takes it)",
                               QN_STR_ARG(s->name), (unsigned long long)x->im.had,
                               (unsigned long long)has);
        if (r == 0)
                r = forget_left(x, left.list, left.n);
        if (r == 0)
                r = remember(x, s, has);
        if (r == 0)
                r = qn_ix_put_change(x, s);
        if (r == 0 && x->im.indicators)
                r = qn_ix_put_known(x);
        return r == 0 ? qn_ix_put_meta(x, "generation", x->im.generation) : r;
}

int qn_intel_commit(struct qn_intel *x, const struct qn_intel_source *s, bool shrunk_ok,
                    struct qn_intel_counts *ret, struct qn_err *reterr)
{
        int r = finish(x, s, shrunk_ok, reterr);

        free(x->im.seen);
        x->im.seen = NULL;
        x->im.seen_n = 0;
        if (r == 0)
                r = qn_ix_code(mdb_txn_commit(x->txn));
        else
                mdb_txn_abort(x->txn);
        x->txn = NULL;
        if (r == 0)
                *ret = x->im.counts;
        if (r < 0 && r != -ERANGE)
                qn_ix_failed(x, r, reterr);
        if (r == 0 && (r = qn_ix_begin(x)) < 0)
                qn_ix_failed(x, r, reterr);
        return r;
}
