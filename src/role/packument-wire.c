/* packument-wire.c - what the gate asks the analyse role, and its replies, as bytes.  HOSTILE INPUT.
 *
 *   name: a text
 *   facts: u32 versions, u32 tags; for every version u32 flags, u64 time, version, tarball, integrity; for every tag: name, target
 *   rewrite: name, base, only, message, u32 flags, u32 blocked; for every one: version, reason
 *   squeeze, kind of an audit: u32
 *   audit: u32 pairs; for every one: name, version
 */
#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "parse/lock-kind.h"
#include "parse/packument.h"
#include "parse/semver.h"
#include "role/analyse-wire.h"
#include "role/input.h"
#include "role/pool.h"
#include "role/wire.h"

#define TEXT_MIN sizeof(uint32_t) /* bytes of an empty text */
#define FACT_MIN (sizeof(uint32_t) + sizeof(uint64_t) + 3 * TEXT_MIN)
#define PAIR_MIN (2 * TEXT_MIN)

/* --- texts that the parent relies on --- */

static bool is_printable(struct qn_str s, char first)
{
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] < first || s.p[i] > '~')
                        return false;
        return s.n <= QN_URL_MAX;
}

static bool is_address(struct qn_str s)
{
        return !s.p || ((qn_str_starts(s, "https://") || qn_str_starts(s, "http://")) &&
                        is_printable(s, '!'));
}

static bool is_integrity(struct qn_str s)
{
        return !s.p || (s.n && is_printable(s, ' '));
}

/* A count of things of at least so many bytes each, and room for them. */
static int get_list(struct qn_cur *c, uint32_t n, uint32_t max, size_t least, struct qn_arena *a,
                    size_t size, void **ret)
{
        if (n > max || n > qn_cur_left(c) / least)
                return -EBADMSG;
        *ret = qn_arena_calloc(a, n, size);
        return *ret ? 0 : -ENOBUFS;
}

/* --- facts --- */

enum { FACT_HOOKS = 1, FACT_ATTESTED = 2, FACT_MISMATCH = 4, FACT_FLAGS = 7 };

void qn_analyse_write_name(struct qn_buf *out, struct qn_str name)
{
        qn_wire_put_text(out, name);
}

int qn_analyse_read_name(struct qn_cur params, struct qn_str *ret)
{
        return qn_wire_get_text(&params, ret) < 0 || qn_cur_left(&params) || !ret->n ? -EBADMSG : 0;
}

int qn_analyse_write_facts(struct qn_buf *out, const struct qn_packument_facts *f)
{
        qn_wire_put_text(out, f->name);
        qn_wire_put_u32(out, (uint32_t)f->n);
        qn_wire_put_u32(out, (uint32_t)f->n_tags);
        for (size_t i = 0; i < f->n; i++) {
                const struct qn_packument_fact *v = &f->versions[i];

                qn_wire_put_u32(out, (v->has_hooks ? FACT_HOOKS : 0) |
                                             (v->attested ? FACT_ATTESTED : 0) |
                                             (v->mismatch ? FACT_MISMATCH : 0));
                qn_wire_put_u64(out, (uint64_t)v->time);
                qn_wire_put_text(out, v->version);
                qn_wire_put_text(out, v->tarball);
                qn_wire_put_text(out, v->integrity);
        }
        for (size_t i = 0; i < f->n_tags; i++) {
                qn_wire_put_text(out, f->tags[i]);
                qn_wire_put_text(out, f->targets[i]);
        }
        return qn_buf_error(out);
}

static int read_fact(struct qn_cur *c, struct qn_packument_fact *ret)
{
        struct qn_str *const texts[] = { &ret->version, &ret->tarball, &ret->integrity };
        uint32_t flags;
        uint64_t time;

        if (qn_cur_le32(c, &flags) < 0 || flags > FACT_FLAGS || qn_cur_le64(c, &time) < 0 ||
            qn_wire_get_texts(c, texts, QN_ARRAY_SIZE(texts)) < 0 ||
            !qn_semver_is_plain(ret->version) || !is_address(ret->tarball) ||
            !is_integrity(ret->integrity))
                return -EBADMSG;
        ret->time = (int64_t)time;
        ret->has_hooks = flags & FACT_HOOKS;
        ret->attested = flags & FACT_ATTESTED;
        ret->mismatch = flags & FACT_MISMATCH;
        return 0;
}

static int read_tag(struct qn_cur *c, struct qn_str *tag, struct qn_str *target)
{
        if (qn_wire_get_text(c, tag) < 0 || !tag->p || qn_wire_get_text(c, target) < 0 ||
            !qn_semver_is_plain(*target))
                return -EBADMSG;
        return 0;
}

static int read_lists(struct qn_cur *c, uint32_t n, uint32_t n_tags, struct qn_arena *a,
                      struct qn_packument_facts *f)
{
        int r = get_list(c, n, QN_PACKUMENT_VERSIONS_MAX, FACT_MIN, a, sizeof *f->versions,
                         (void **)&f->versions);

        if (r == 0)
                r = get_list(c, n_tags, QN_PACKUMENT_TAGS_MAX, PAIR_MIN, a, sizeof *f->tags,
                             (void **)&f->tags);
        if (r == 0)
                r = get_list(c, n_tags, QN_PACKUMENT_TAGS_MAX, PAIR_MIN, a, sizeof *f->targets,
                             (void **)&f->targets);
        for (; r == 0 && f->n < n; f->n++) {
                struct qn_packument_fact *v = &f->versions[f->n];

                r = read_fact(c, v);
                if (r == 0 && f->n && qn_packument_fact_cmp(v - 1, v) >= 0)
                        r = -EBADMSG;
        }
        for (; r == 0 && f->n_tags < n_tags; f->n_tags++)
                r = read_tag(c, &f->tags[f->n_tags], &f->targets[f->n_tags]);
        return r;
}

int qn_analyse_read_facts(struct qn_cur reply, struct qn_arena *a, struct qn_packument_facts *ret)
{
        struct qn_packument_facts f = { .n = 0 };
        uint32_t n, n_tags;
        int r;

        if (qn_wire_get_text(&reply, &f.name) < 0 || !f.name.n || qn_cur_le32(&reply, &n) < 0 ||
            qn_cur_le32(&reply, &n_tags) < 0)
                return -EBADMSG;
        r = read_lists(&reply, n, n_tags, a, &f);
        if (r == 0 && qn_cur_left(&reply))
                r = -EBADMSG;
        if (r == 0)
                *ret = f;
        return r;
}

/* --- rewrite --- */

enum { REWRITE_SHORT = 1, REWRITE_TAGS = 2, REWRITE_FLAGS = 3 };

void qn_analyse_write_rewrite(struct qn_buf *out, const struct qn_packument_rewrite *w)
{
        const struct qn_str *const texts[] = { &w->name, &w->base, &w->only, &w->message };

        qn_wire_put_texts(out, texts, QN_ARRAY_SIZE(texts));
        qn_wire_put_u32(out,
                        (w->abbreviated ? REWRITE_SHORT : 0) | (w->tags_only ? REWRITE_TAGS : 0));
        qn_wire_put_u32(out, (uint32_t)w->n_blocked);
        for (size_t i = 0; i < w->n_blocked; i++) {
                qn_wire_put_text(out, w->blocked[i].version);
                qn_wire_put_text(out, w->blocked[i].reason);
        }
}

int qn_analyse_read_rewrite(struct qn_cur params, struct qn_arena *a,
                            struct qn_packument_rewrite *ret)
{
        struct qn_packument_rewrite w = { .n_blocked = 0 };
        struct qn_str *const texts[] = { &w.name, &w.base, &w.only, &w.message };
        struct qn_packument_blocked *blocked;
        uint32_t flags, n;
        int r;

        if (qn_wire_get_texts(&params, texts, QN_ARRAY_SIZE(texts)) < 0 || !w.name.n ||
            qn_cur_le32(&params, &flags) < 0 || flags > REWRITE_FLAGS ||
            qn_cur_le32(&params, &n) < 0)
                return -EBADMSG;
        r = get_list(&params, n, QN_PACKUMENT_VERSIONS_MAX, PAIR_MIN, a, sizeof *blocked,
                     (void **)&blocked);
        for (; r == 0 && w.n_blocked < n; w.n_blocked++) {
                struct qn_str *const pair[] = { &blocked[w.n_blocked].version,
                                                &blocked[w.n_blocked].reason };

                r = qn_wire_get_texts(&params, pair, QN_ARRAY_SIZE(pair));
        }
        if (r == 0 && qn_cur_left(&params))
                r = -EBADMSG;
        if (r < 0)
                return r;
        w.blocked = blocked;
        w.abbreviated = flags & REWRITE_SHORT;
        w.tags_only = flags & REWRITE_TAGS;
        *ret = w;
        return 0;
}

int qn_analyse_put_params(struct qn_pool_job *job, struct qn_str params)
{
        int r;

        if (params.n <= QN_ROLE_PARAMS_MAX) {
                job->params = params;
                return 0;
        }
        r = qn_input_sealed(qn_cur_str(params), &job->beside.fds[QN_BESIDE_PARAMS]);
        if (r == 0)
                job->beside.has = 1u << QN_BESIDE_PARAMS;
        return r;
}

/* --- squeeze --- */

void qn_analyse_write_squeeze(struct qn_buf *out, enum qn_compression as)
{
        qn_wire_put_u32(out, as);
}

int qn_analyse_read_squeeze(struct qn_cur params, enum qn_compression *ret)
{
        uint32_t as;

        if (qn_cur_le32(&params, &as) < 0 || as < QN_COMPRESS_GZIP || as > QN_COMPRESS_ZSTD ||
            qn_cur_left(&params))
                return -EBADMSG;
        *ret = as;
        return 0;
}

/* --- audit --- */

void qn_analyse_write_audit(struct qn_buf *out, enum qn_audit_kind kind)
{
        qn_wire_put_u32(out, kind);
}

int qn_analyse_read_audit_kind(struct qn_cur params, enum qn_audit_kind *ret)
{
        uint32_t kind;

        if (qn_cur_le32(&params, &kind) < 0 || kind < QN_AUDIT_BULK || kind > QN_AUDIT_TREE ||
            qn_cur_left(&params))
                return -EBADMSG;
        *ret = kind;
        return 0;
}

int qn_analyse_write_pairs(struct qn_buf *out, const struct qn_audit *a)
{
        qn_wire_put_u32(out, (uint32_t)a->n);
        for (size_t i = 0; i < a->n; i++) {
                qn_wire_put_text(out, a->v[i].name);
                qn_wire_put_text(out, a->v[i].version);
        }
        return qn_buf_error(out);
}

static int read_pair(struct qn_cur *c, struct qn_audit_pair *ret)
{
        struct qn_str *const texts[] = { &ret->name, &ret->version };

        if (qn_wire_get_texts(c, texts, QN_ARRAY_SIZE(texts)) < 0 || !ret->name.n ||
            ret->name.n > QN_NAME_MAX || !qn_lock_name_ok(ret->name) ||
            !qn_semver_is_plain(ret->version))
                return -EBADMSG;
        return 0;
}

int qn_analyse_read_audit(struct qn_cur reply, struct qn_arena *a, struct qn_audit *ret)
{
        struct qn_audit list = { .n = 0 };
        uint32_t n;
        int r;

        if (qn_cur_le32(&reply, &n) < 0)
                return -EBADMSG;
        r = get_list(&reply, n, QN_AUDIT_PAIRS_MAX, PAIR_MIN, a, sizeof *list.v, (void **)&list.v);
        for (; r == 0 && list.n < n; list.n++) {
                r = read_pair(&reply, &list.v[list.n]);
                if (r == 0 && list.n && qn_audit_cmp(&list.v[list.n - 1], &list.v[list.n]) >= 0)
                        r = -EBADMSG;
        }
        if (r == 0 && qn_cur_left(&reply))
                r = -EBADMSG;
        if (r == 0)
                *ret = list;
        return r;
}
