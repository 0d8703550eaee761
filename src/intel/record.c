#include "intel/record.h"

#include <errno.h>

#include "base/arena.h"
#include "base/limits.h"
#include "parse/packument.h" /* QN_TIME_NONE */

enum {
        FLAG_MALWARE = 1,
        FLAG_WITHDRAWN = 2,
};

#define FLAGS_ALL (FLAG_MALWARE | FLAG_WITHDRAWN)

void qn_intel_put_num(struct qn_buf *b, uint64_t v)
{
        char bytes[10];
        size_t n = 0;

        do {
                bytes[n++] = (char)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
                v >>= 7;
        } while (v);
        qn_buf_add(b, bytes, n);
}

void qn_intel_put_text(struct qn_buf *b, struct qn_str s)
{
        qn_intel_put_num(b, s.n);
        qn_buf_str(b, s);
}

int qn_intel_get_num(struct qn_cur *c, uint64_t *ret)
{
        uint64_t v = 0;
        uint8_t byte;

        for (unsigned shift = 0; shift < 64; shift += 7) {
                if (qn_cur_u8(c, &byte) < 0 || (shift == 63 && byte > 1))
                        return -EBADMSG;
                v |= (uint64_t)(byte & 0x7f) << shift;
                if (!(byte & 0x80)) {
                        *ret = v;
                        return 0;
                }
        }
        return -EBADMSG;
}

int qn_intel_get_text(struct qn_cur *c, struct qn_str *ret)
{
        struct qn_cur bytes;
        uint64_t n;

        if (qn_intel_get_num(c, &n) < 0 || qn_cur_take(c, n, &bytes) < 0)
                return -EBADMSG;
        *ret = n ? qn_cur_rest(&bytes) : QN_STR("");
        return 0;
}

/* --- writing --- */

static void put_time(struct qn_buf *b, int64_t ms)
{
        qn_intel_put_num(b, ms == QN_TIME_NONE || ms < 0 ? 0 : (uint64_t)ms + 1);
}

static void put_texts(struct qn_buf *b, const struct qn_str *list, size_t n)
{
        qn_intel_put_num(b, n);
        for (size_t i = 0; i < n; i++)
                qn_intel_put_text(b, list[i]);
}

static void put_range(struct qn_buf *b, const struct qn_osv_range *r)
{
        qn_buf_byte(b, (char)r->type);
        qn_intel_put_num(b, r->n);
        for (size_t i = 0; i < r->n; i++) {
                qn_buf_byte(b, (char)r->events[i].kind);
                qn_intel_put_text(b, r->events[i].version);
        }
}

static bool is_npm(const struct qn_osv_affected *f)
{
        return qn_str_is(f->ecosystem, "npm");
}

static void put_affected(struct qn_buf *b, const struct qn_osv *osv)
{
        size_t n = 0;

        for (size_t i = 0; i < osv->n_affected; i++)
                n += is_npm(&osv->affected[i]);
        qn_intel_put_num(b, n);
        for (size_t i = 0; i < osv->n_affected; i++) {
                const struct qn_osv_affected *f = &osv->affected[i];

                if (!is_npm(f))
                        continue;
                qn_intel_put_text(b, f->name);
                qn_intel_put_num(b, f->n_ranges);
                for (size_t k = 0; k < f->n_ranges; k++)
                        put_range(b, &f->ranges[k]);
                put_texts(b, f->versions, f->n_versions);
        }
}

static void put_origins(struct qn_buf *b, const struct qn_osv *osv)
{
        for (size_t i = 0; i < osv->n_origins; i++) {
                qn_intel_put_text(b, osv->origins[i].id);
                qn_intel_put_text(b, osv->origins[i].import_time);
                qn_intel_put_text(b, osv->origins[i].modified_time);
        }
}

static void put_indicators(struct qn_buf *b, const struct qn_osv *osv)
{
        qn_intel_put_num(b, osv->n_indicators);
        for (size_t i = 0; i < osv->n_indicators; i++) {
                qn_buf_byte(b, (char)osv->indicators[i].kind);
                qn_intel_put_text(b, osv->indicators[i].value);
                qn_intel_put_text(b, osv->indicators[i].note);
        }
}

static void put_references(struct qn_buf *b, const struct qn_osv *osv)
{
        qn_intel_put_num(b, osv->n_references);
        for (size_t i = 0; i < osv->n_references; i++) {
                qn_intel_put_text(b, osv->references[i].type);
                qn_intel_put_text(b, osv->references[i].url);
        }
}

static void put_head(struct qn_buf *b, const struct qn_osv *osv)
{
        qn_intel_put_text(b, osv->id);
        qn_buf_byte(b, (char)((osv->malware ? FLAG_MALWARE : 0) |
                              (osv->withdrawn.n ? FLAG_WITHDRAWN : 0)));
        qn_buf_byte(b, (char)osv->policy);
        put_time(b, osv->modified_ms);
        put_time(b, osv->published_ms);
        put_time(b, osv->withdrawn_ms);
        put_time(b, osv->expires_ms);
        put_affected(b, osv);
        put_texts(b, osv->aliases, osv->n_aliases);
        qn_intel_put_text(b, osv->severity);
        qn_intel_put_num(b, osv->n_origins);
        for (size_t i = 0; i < osv->n_origins; i++)
                qn_intel_put_text(b, osv->origins[i].source);
}

void qn_intel_pack(const struct qn_osv *osv, struct qn_buf *out)
{
        size_t at = out->n;
        uint32_t n = 0;

        qn_buf_add(out, &n, sizeof n);
        put_head(out, osv);
        n = (uint32_t)(out->n - at - sizeof n);
        if (qn_buf_error(out) < 0)
                return; /* the caller sees it */
        memcpy(out->p + at, &n, sizeof n);
        qn_intel_put_text(out, osv->summary);
        qn_intel_put_text(out, osv->owner);
        put_origins(out, osv);
        put_indicators(out, osv);
        put_references(out, osv);
        qn_buf_str(out, osv->details);
}

/* --- reading --- */

static int get_time(struct qn_cur *c, int64_t *ret)
{
        uint64_t v;

        if (qn_intel_get_num(c, &v) < 0 || v > INT64_MAX)
                return -EBADMSG;
        *ret = v ? (int64_t)v - 1 : QN_TIME_NONE;
        return 0;
}

/* A number of things of which each takes at least `least` bytes of what follows. */
static int get_count(struct qn_cur *c, size_t least, size_t *ret)
{
        uint64_t n;

        if (qn_intel_get_num(c, &n) < 0 || n > qn_cur_left(c) / least)
                return -EBADMSG;
        *ret = n;
        return 0;
}

/* The same, with an array for them. */
#define GET_ARRAY(c, a, least, arr, n)                                    \
        ({                                                                \
                int r_ = get_count((c), (least), &(n));                   \
                if (r_ == 0 && (n)) {                                     \
                        (arr) = qn_arena_calloc((a), (n), sizeof *(arr)); \
                        r_ = (arr) ? 0 : -ENOBUFS;                        \
                }                                                         \
                r_;                                                       \
        })

static int get_texts(struct qn_cur *c, struct qn_arena *a, struct qn_str **ret, size_t *ret_n)
{
        struct qn_str *list = NULL;
        size_t n = 0;
        int r = GET_ARRAY(c, a, 1, list, n);

        for (size_t i = 0; r == 0 && i < n; i++)
                r = qn_intel_get_text(c, &list[i]);
        *ret = list;
        *ret_n = n;
        return r;
}

static int get_enum(struct qn_cur *c, unsigned max, unsigned *ret)
{
        uint8_t v;

        if (qn_cur_u8(c, &v) < 0 || v > max)
                return -EBADMSG;
        *ret = v;
        return 0;
}

static int get_range(struct qn_cur *c, struct qn_arena *a, struct qn_osv_range *ret)
{
        unsigned type, kind;
        int r = get_enum(c, QN_OSV_OTHER, &type);

        if (r == 0)
                r = GET_ARRAY(c, a, 2, ret->events, ret->n);
        if (r < 0)
                return r;
        ret->type = type;
        for (size_t i = 0; r == 0 && i < ret->n; i++) {
                r = get_enum(c, QN_OSV_LIMIT, &kind);
                if (r == 0)
                        r = qn_intel_get_text(c, &ret->events[i].version);
                if (r == 0)
                        ret->events[i].kind = kind;
        }
        return r;
}

static int get_affected(struct qn_cur *c, struct qn_arena *a, struct qn_osv *osv)
{
        int r = GET_ARRAY(c, a, 3, osv->affected, osv->n_affected);

        for (size_t i = 0; r == 0 && i < osv->n_affected; i++) {
                struct qn_osv_affected *f = &osv->affected[i];

                f->ecosystem = QN_STR("npm");
                r = qn_intel_get_text(c, &f->name);
                if (r == 0)
                        r = GET_ARRAY(c, a, 2, f->ranges, f->n_ranges);
                for (size_t k = 0; r == 0 && k < f->n_ranges; k++)
                        r = get_range(c, a, &f->ranges[k]);
                if (r == 0)
                        r = get_texts(c, a, &f->versions, &f->n_versions);
        }
        return r;
}

static int get_origins(struct qn_cur *c, struct qn_arena *a, struct qn_osv *osv)
{
        int r = GET_ARRAY(c, a, 1, osv->origins, osv->n_origins);

        for (size_t i = 0; r == 0 && i < osv->n_origins; i++)
                r = qn_intel_get_text(c, &osv->origins[i].source);
        return r;
}

static int get_indicators(struct qn_cur *c, struct qn_arena *a, struct qn_osv *osv)
{
        unsigned kind;
        int r = GET_ARRAY(c, a, 3, osv->indicators, osv->n_indicators);

        for (size_t i = 0; r == 0 && i < osv->n_indicators; i++) {
                r = get_enum(c, QN_IOC_FILE, &kind);
                if (r == 0)
                        r = qn_intel_get_text(c, &osv->indicators[i].value);
                if (r == 0)
                        r = qn_intel_get_text(c, &osv->indicators[i].note);
                if (r == 0)
                        osv->indicators[i].kind = kind;
        }
        return r;
}

static int get_references(struct qn_cur *c, struct qn_arena *a, struct qn_osv *osv)
{
        int r = GET_ARRAY(c, a, 2, osv->references, osv->n_references);

        for (size_t i = 0; r == 0 && i < osv->n_references; i++) {
                r = qn_intel_get_text(c, &osv->references[i].type);
                if (r == 0)
                        r = qn_intel_get_text(c, &osv->references[i].url);
        }
        return r;
}

static int get_times(struct qn_cur *c, struct qn_osv *osv)
{
        int64_t *const times[] = { &osv->modified_ms, &osv->published_ms, &osv->withdrawn_ms,
                                   &osv->expires_ms };
        int r = 0;

        for (size_t i = 0; r == 0 && i < QN_ARRAY_SIZE(times); i++)
                r = get_time(c, times[i]);
        return r;
}

static int get_head(struct qn_cur *c, struct qn_arena *a, struct qn_osv *osv)
{
        unsigned flags = 0, policy = 0;
        int r = qn_intel_get_text(c, &osv->id);

        if (r == 0)
                r = get_enum(c, FLAGS_ALL, &flags);
        if (r == 0)
                r = get_enum(c, QN_OSV_ALLOW, &policy);
        if (r == 0)
                r = get_times(c, osv);
        osv->malware = flags & FLAG_MALWARE;
        osv->policy = policy;
        if (flags & FLAG_WITHDRAWN)
                osv->withdrawn = QN_STR("withdrawn");
        if (r == 0)
                r = get_affected(c, a, osv);
        if (r == 0)
                r = get_texts(c, a, &osv->aliases, &osv->n_aliases);
        if (r == 0)
                r = qn_intel_get_text(c, &osv->severity);
        if (r == 0)
                r = get_origins(c, a, osv);
        return r == 0 && qn_cur_left(c) ? -EBADMSG : r;
}

int qn_intel_unpack(struct qn_cur head, struct qn_arena *a, struct qn_osv **ret)
{
        struct qn_osv *osv = QN_ARENA_NEW(a, struct qn_osv);
        int r = osv ? get_head(&head, a, osv) : -ENOBUFS;

        if (r == 0)
                *ret = osv;
        return r;
}

int qn_intel_unpack_cold(struct qn_cur cold, struct qn_arena *a, struct qn_osv *osv)
{
        int r = qn_intel_get_text(&cold, &osv->summary);

        if (r == 0)
                r = qn_intel_get_text(&cold, &osv->owner);
        for (size_t i = 0; r == 0 && i < osv->n_origins; i++) {
                struct qn_osv_origin *o = &osv->origins[i];

                if (qn_intel_get_text(&cold, &o->id) < 0 ||
                    qn_intel_get_text(&cold, &o->import_time) < 0 ||
                    qn_intel_get_text(&cold, &o->modified_time) < 0)
                        r = -EBADMSG;
        }
        if (r == 0)
                r = get_indicators(&cold, a, osv);
        if (r == 0)
                r = get_references(&cold, a, osv);
        if (r == 0)
                osv->details = qn_cur_rest(&cold);
        return r;
}

int qn_intel_split(struct qn_cur packed, struct qn_intel_packed *ret)
{
        uint32_t n;

        if (qn_cur_le32(&packed, &n) < 0 || qn_cur_take(&packed, n, &ret->head) < 0)
                return -EBADMSG;
        ret->cold = packed;
        return 0;
}
