/* analyse-wire.c - parameters and replies of the analyse role as bytes.  HOSTILE INPUT.
 * Numbers and texts are those of wire.h.
 *
 *   artifact: integrity, version, integrity of the version before; then nothing, or u32 1: with its imprint
 *   imprint: u64 times 16 of the sketch, u32 files, u32 dependencies, for every file u64 content, u64 path; for every dependency u64
 *   attested: name, version, integrity, u32 unreachable
 *   dependency: name, version, dependency, what is asked for of it, flags
 *   pick: version, tarball, integrity, the same of the version before, earlier version, publisher,
 *         u32 attested, u64 time
 *   cached: u64 time, u64 life, integrity, accept, etag, last-modified, cache-control,
 *         content-type, date
 *   npmrc: for every line u32 flags, key, value
 *   lock: u32 lockfileVersion, u32 flags, u32 packages, name, version; then for every package
 *         u32 kind, u32 flags, u32 offset, name, alias, version, resolved, integrity, path
 */
#include "role/analyse-wire.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "net/cacache.h"
#include "observe/analyse.h"
#include "observe/dependency.h"
#include "observe/imprint.h"
#include "observe/provenance.h"
#include "observe/publishing.h"
#include "parse/lock-kind.h"
#include "parse/packument.h"
#include "role/wire.h"

#define TIME_MAX_MS (INT64_C(1) << 50)
#define ENTRY_MIN   (9 * sizeof(uint32_t)) /* bytes of a package whose texts are all empty */

/* --- artifact --- */

void qn_analyse_write_artifact(struct qn_buf *out, struct qn_str integrity, struct qn_str version,
                               struct qn_str previous_integrity)
{
        qn_wire_put_text(out, integrity);
        qn_wire_put_text(out, version);
        qn_wire_put_text(out, previous_integrity);
}

int qn_analyse_read_artifact(struct qn_cur params, struct qn_analyse_in *ret)
{
        struct qn_str *const texts[] = { &ret->integrity, &ret->version, &ret->previous_integrity };

        uint32_t imprint = 0;

        if (qn_wire_get_texts(&params, texts, QN_ARRAY_SIZE(texts)) < 0 ||
            (qn_cur_left(&params) && (qn_cur_le32(&params, &imprint) < 0 || imprint != 1)) ||
            qn_cur_left(&params))
                return -EBADMSG;
        ret->imprint = imprint;
        return 0;
}

void qn_analyse_ask_imprint(struct qn_buf *out)
{
        qn_wire_put_u32(out, 1);
}

/* --- imprint --- */

int qn_analyse_write_imprint(struct qn_buf *out, const struct qn_imprint *m)
{
        for (unsigned i = 0; i < QN_SKETCH_BANDS; i++)
                qn_wire_put_u64(out, m->sketch.band[i]);
        qn_wire_put_u32(out, (uint32_t)m->n_files);
        qn_wire_put_u32(out, (uint32_t)m->n_deps);
        for (size_t i = 0; i < m->n_files; i++) {
                qn_wire_put_u64(out, m->files[i].content);
                qn_wire_put_u64(out, m->files[i].path);
        }
        for (size_t i = 0; i < m->n_deps; i++)
                qn_wire_put_u64(out, m->deps[i]);
        return qn_buf_error(out);
}

static int read_numbers(struct qn_cur *c, uint64_t *ret, size_t n)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++)
                r = qn_cur_le64(c, &ret[i]);
        return r;
}

int qn_analyse_read_imprint(struct qn_cur reply, struct qn_imprint *ret)
{
        struct qn_imprint m = { .n_files = 0 };
        uint32_t files = 0, deps = 0;
        int r = read_numbers(&reply, m.sketch.band, QN_SKETCH_BANDS);

        if (r < 0 || qn_cur_le32(&reply, &files) < 0 || qn_cur_le32(&reply, &deps) < 0 ||
            files > QN_IMPRINT_FILES_MAX || deps > QN_IMPRINT_DEPS_MAX ||
            qn_cur_left(&reply) != (2 * (size_t)files + deps) * sizeof(uint64_t))
                return -EBADMSG;
        for (; r == 0 && m.n_files < files; m.n_files++) {
                struct qn_imprint_file *f = &m.files[m.n_files];

                r = qn_cur_le64(&reply, &f->content);
                if (r == 0)
                        r = qn_cur_le64(&reply, &f->path);
        }
        m.n_deps = deps;
        if (r == 0)
                r = read_numbers(&reply, m.deps, deps);
        if (r == 0)
                *ret = m;
        return r;
}

/* --- dependency --- */

void qn_analyse_write_dependency(struct qn_buf *out, const struct qn_dependency_in *in)
{
        const struct qn_str *const texts[] = { &in->name, &in->version, &in->wanted, &in->spec,
                                               &in->flags };

        qn_wire_put_texts(out, texts, QN_ARRAY_SIZE(texts));
}

int qn_analyse_read_dependency(struct qn_cur params, struct qn_dependency_in *ret)
{
        struct qn_str *const texts[] = { &ret->name, &ret->version, &ret->wanted, &ret->spec,
                                         &ret->flags };

        if (qn_wire_get_texts(&params, texts, QN_ARRAY_SIZE(texts)) < 0 || qn_cur_left(&params))
                return -EBADMSG;
        return 0;
}

/* --- pick --- */

void qn_analyse_write_pick(struct qn_buf *out, struct qn_str name, struct qn_str spec)
{
        qn_wire_put_text(out, name);
        qn_wire_put_text(out, spec);
}

int qn_analyse_read_want(struct qn_cur params, struct qn_str *ret_name, struct qn_str *ret_spec)
{
        struct qn_str *const texts[] = { ret_name, ret_spec };

        if (qn_wire_get_texts(&params, texts, QN_ARRAY_SIZE(texts)) < 0 || qn_cur_left(&params))
                return -EBADMSG;
        return 0;
}

static bool is_version(struct qn_str s)
{
        if (s.n == 0 || s.n > QN_SEMVER_MAX)
                return false;
        for (size_t i = 0; i < s.n; i++) {
                char c = s.p[i];

                if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '.' || c == '+' || c == '-'))
                        return false;
        }
        return true;
}

/* ASCII from `first` to the tilde. */
static bool is_printable(struct qn_str s, char first)
{
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] < first || s.p[i] > '~')
                        return false;
        return s.n <= QN_URL_MAX;
}

/* The same on both sides: the role explains what is wrong with the document, the parent does not
 * rely on that. */
static int check_pick(const struct qn_analyse_pick *p, int code, struct qn_err *reterr)
{
        if (!is_version(p->version))
                return qn_fail(reterr, code, 0,
                               "the registry's document has a version that is none");
        if (!is_printable(p->tarball, '!') ||
            !(qn_str_starts(p->tarball, "https://") || qn_str_starts(p->tarball, "http://")))
                return qn_fail(reterr, code, 0,
                               "the registry's document gives no address of a tarball");
        if (!is_printable(p->integrity, ' '))
                return qn_fail(reterr, code, 0,
                               "the registry's document has an integrity that is none");
        return 0;
}

static struct qn_analyse_pick pick_of(const struct qn_packument_version *v)
{
        return (struct qn_analyse_pick){ v->version, v->tarball, v->integrity };
}

static void put_pick(struct qn_buf *out, const struct qn_analyse_pick *p)
{
        qn_wire_put_text(out, p->version);
        qn_wire_put_text(out, p->tarball);
        qn_wire_put_text(out, p->integrity);
}

/* A person; all that a CI service publishes has nothing else in common. */
static struct qn_str publisher_of(const struct qn_packument_version *v)
{
        if (qn_published_by_service(v) || v->publisher.name.n > QN_NAME_MAX)
                return (struct qn_str){ NULL, 0 };
        return v->publisher.name;
}

int qn_analyse_write_picked(struct qn_buf *out, const struct qn_packument_version *v,
                            const struct qn_packument_version *before, struct qn_str earlier,
                            struct qn_err *reterr)
{
        struct qn_analyse_pick pick = pick_of(v), older = { 0 };
        int r = check_pick(&pick, -EINVAL, reterr);

        if (r < 0)
                return r;
        if (before)
                older = pick_of(before);
        if (before && check_pick(&older, -EINVAL, NULL) < 0)
                older = (struct qn_analyse_pick){ 0 };
        if (!is_version(earlier))
                earlier = (struct qn_str){ NULL, 0 };
        put_pick(out, &pick);
        put_pick(out, &older);
        qn_wire_put_text(out, earlier);
        qn_wire_put_text(out, publisher_of(v));
        qn_wire_put_u32(out, qn_published_has_provenance(v));
        qn_wire_put_u64(out, (uint64_t)v->time);
        return qn_buf_error(out);
}

/* Of a year that a calendar has. */
static bool is_time(int64_t ms)
{
        return ms == QN_TIME_NONE || (ms > -TIME_MAX_MS && ms < TIME_MAX_MS);
}

int qn_analyse_read_pick(struct qn_cur reply, struct qn_analyse_picked *ret, struct qn_err *reterr)
{
        struct qn_analyse_picked p;
        struct qn_str *const texts[] = { &p.it.version,     &p.it.tarball,     &p.it.integrity,
                                         &p.before.version, &p.before.tarball, &p.before.integrity,
                                         &p.earlier,        &p.publisher };
        uint32_t attested;
        uint64_t published;
        int r;

        if (qn_wire_get_texts(&reply, texts, QN_ARRAY_SIZE(texts)) < 0 ||
            qn_cur_le32(&reply, &attested) < 0 || attested > 1 ||
            qn_cur_le64(&reply, &published) < 0 || qn_cur_left(&reply) ||
            p.publisher.n > QN_NAME_MAX || !is_time((int64_t)published))
                return qn_fail(reterr, -EBADMSG, 0, "the reply of the analyse role is broken");
        p.published = (int64_t)published;
        p.attested = attested;
        r = check_pick(&p.it, -EBADMSG, reterr);
        if (r == 0 && p.before.version.n)
                r = check_pick(&p.before, -EBADMSG, reterr);
        if (r == 0 && p.earlier.p && !is_version(p.earlier))
                r = qn_fail(reterr, -EBADMSG, 0, "the reply of the analyse role is broken");
        if (r == 0)
                *ret = p;
        return r;
}

/* --- artifact --- */

void qn_analyse_write_attested(struct qn_buf *out, struct qn_str name, struct qn_str version,
                               struct qn_str integrity, bool unreachable)
{
        qn_wire_put_text(out, name);
        qn_wire_put_text(out, version);
        qn_wire_put_text(out, integrity);
        qn_wire_put_u32(out, unreachable);
}

int qn_analyse_read_attested(struct qn_cur params, struct qn_provenance_in *ret)
{
        struct qn_str *const texts[] = { &ret->name, &ret->version, &ret->integrity };
        uint32_t unreachable;

        if (qn_wire_get_texts(&params, texts, QN_ARRAY_SIZE(texts)) < 0 ||
            qn_cur_le32(&params, &unreachable) < 0 || unreachable > 1 || qn_cur_left(&params))
                return -EBADMSG;
        ret->unreachable = unreachable;
        return 0;
}

/* --- cached --- */

#define CACHED_TEXTS(c)                                                                      \
        &(c)->integrity, &(c)->accept, &(c)->etag, &(c)->last_modified, &(c)->cache_control, \
                &(c)->content_type, &(c)->date

void qn_analyse_write_key(struct qn_buf *out, struct qn_str key, bool full)
{
        qn_wire_put_u32(out, full);
        qn_wire_put_text(out, key);
}

int qn_analyse_read_key(struct qn_cur params, struct qn_str *ret_key, bool *ret_full)
{
        uint32_t full;

        if (qn_cur_le32(&params, &full) < 0 || full > 1 || qn_wire_get_text(&params, ret_key) < 0 ||
            qn_cur_left(&params))
                return -EBADMSG;
        *ret_full = full;
        return 0;
}

void qn_analyse_write_feed(struct qn_buf *out, const struct qn_feed_input *in)
{
        qn_wire_put_text(out, in->source);
        qn_wire_put_text(out, in->path);
        qn_wire_put_u32(out, in->part);
        qn_wire_put_u32(out, in->parts);
}

int qn_analyse_read_feed(struct qn_cur params, struct qn_feed_input *ret)
{
        if (qn_wire_get_text(&params, &ret->source) < 0 ||
            qn_wire_get_text(&params, &ret->path) < 0 || qn_cur_le32(&params, &ret->part) < 0 ||
            qn_cur_le32(&params, &ret->parts) < 0 || qn_cur_left(&params))
                return -EBADMSG;
        return 0;
}

void qn_analyse_write_since(struct qn_buf *out, int64_t since_ms)
{
        qn_wire_put_u64(out, (uint64_t)since_ms);
}

static int get_time(struct qn_cur *c, int64_t *ret)
{
        uint64_t v;
        int r = qn_cur_le64(c, &v);

        if (r == 0)
                *ret = (int64_t)v;
        return r;
}

int qn_analyse_read_since(struct qn_cur params, int64_t *ret)
{
        return get_time(&params, ret) < 0 || qn_cur_left(&params) ? -EBADMSG : 0;
}

int qn_analyse_write_changes(struct qn_buf *out, const struct qn_changes *c)
{
        qn_wire_put_u64(out, (uint64_t)c->newest_ms);
        qn_wire_put_u64(out, c->listed);
        qn_wire_put_u32(out, (uint32_t)c->n);
        for (size_t i = 0; i < c->n; i++) {
                qn_wire_put_u64(out, (uint64_t)c->v[i].time_ms);
                qn_wire_put_text(out, c->v[i].id);
        }
        return qn_buf_error(out);
}

int qn_analyse_read_changes(struct qn_cur reply, struct qn_arena *a, struct qn_changes *ret)
{
        struct qn_changes c = { 0 };
        uint64_t listed;
        uint32_t n;

        if (get_time(&reply, &c.newest_ms) < 0 || qn_cur_le64(&reply, &listed) < 0 ||
            qn_cur_le32(&reply, &n) < 0 || n > QN_CHANGES_MAX)
                return -EBADMSG;
        c.listed = listed;
        c.v = qn_arena_calloc(a, n + 1, sizeof *c.v);
        if (!c.v)
                return -ENOBUFS;
        for (; c.n < n; c.n++) {
                struct qn_str id;

                if (get_time(&reply, &c.v[c.n].time_ms) < 0 || qn_wire_get_text(&reply, &id) < 0 ||
                    !qn_change_is_id(id))
                        return -EBADMSG;
                c.v[c.n].id = qn_arena_dup(a, id);
                if (!c.v[c.n].id.p)
                        return -ENOBUFS;
        }
        if (qn_cur_left(&reply))
                return -EBADMSG;
        *ret = c;
        return 0;
}

int qn_analyse_write_replica(struct qn_buf *out, const struct qn_replica *p)
{
        qn_wire_put_text(out, p->last);
        qn_wire_put_u64(out, p->skipped);
        qn_wire_put_u32(out, (uint32_t)p->n);
        for (size_t i = 0; i < p->n; i++) {
                qn_wire_put_text(out, p->v[i].name);
                qn_wire_put_text(out, p->v[i].seq);
                qn_wire_put_u32(out, p->v[i].deleted);
        }
        return qn_buf_error(out);
}

static int get_replica_change(struct qn_cur *reply, struct qn_arena *a,
                              struct qn_replica_change *ret)
{
        struct qn_str name, seq;
        uint32_t deleted;

        if (qn_wire_get_text(reply, &name) < 0 || qn_wire_get_text(reply, &seq) < 0 ||
            qn_cur_le32(reply, &deleted) < 0 || deleted > 1 || !qn_lock_name_ok(name) ||
            !qn_replica_is_seq(seq))
                return -EBADMSG;
        *ret = (struct qn_replica_change){ qn_arena_dup(a, name), qn_arena_dup(a, seq),
                                           deleted != 0 };
        return ret->name.p && ret->seq.p ? 0 : -ENOBUFS;
}

int qn_analyse_read_replica(struct qn_cur reply, struct qn_arena *a, struct qn_replica *ret)
{
        struct qn_replica p = { 0 };
        struct qn_str last;
        uint64_t skipped;
        uint32_t n;
        int r = 0;

        if (qn_wire_get_text(&reply, &last) < 0 || qn_cur_le64(&reply, &skipped) < 0 ||
            qn_cur_le32(&reply, &n) < 0 || n > QN_REPLICA_MAX ||
            (last.n && !qn_replica_is_seq(last)))
                return -EBADMSG;
        p.skipped = skipped;
        p.v = qn_arena_calloc(a, n + 1, sizeof *p.v);
        p.last = qn_arena_dup(a, last);
        if (!p.v || !p.last.p)
                return -ENOBUFS;
        for (; r == 0 && p.n < n; p.n++)
                r = get_replica_change(&reply, a, &p.v[p.n]);
        if (r == 0 && qn_cur_left(&reply))
                r = -EBADMSG;
        if (r == 0)
                *ret = p;
        return r;
}

int qn_analyse_write_cached(struct qn_buf *out, const struct qn_cacache_entry *e)
{
        static const struct qn_cacache_entry none = { 0 };
        struct qn_cacache_entry c = e ? *e : none;
        struct qn_str *const texts[] = { CACHED_TEXTS(&c) };

        qn_wire_put_u64(out, c.time_ms);
        qn_wire_put_u64(out, e ? qn_cacache_lifetime_s(e) : 0);
        for (size_t i = 0; i < QN_ARRAY_SIZE(texts); i++)
                qn_wire_put_text(out,
                                 is_printable(*texts[i], ' ') ? *texts[i] : (struct qn_str){ 0 });
        return qn_buf_error(out);
}

int qn_analyse_read_cached(struct qn_cur reply, struct qn_analyse_cached *ret)
{
        struct qn_analyse_cached c = { 0 };
        struct qn_str *const texts[] = { CACHED_TEXTS(&c) };

        if (qn_cur_le64(&reply, &c.time_ms) < 0 || qn_cur_le64(&reply, &c.life_s) < 0 ||
            qn_wire_get_texts(&reply, texts, QN_ARRAY_SIZE(texts)) < 0 || qn_cur_left(&reply))
                return -EBADMSG;
        for (size_t i = 0; i < QN_ARRAY_SIZE(texts); i++)
                if (!is_printable(*texts[i], ' '))
                        return -EBADMSG;
        *ret = c;
        return 0;
}

/* --- npmrc --- */

enum { NPMRC_LIST = 1, NPMRC_EXPANDED = 2, NPMRC_FLAGS = 3 };

int qn_analyse_write_npmrc(struct qn_buf *out, const struct qn_npmrc *rc)
{
        for (size_t i = 0; i < rc->n; i++) {
                const struct qn_npmrc_entry *e = &rc->v[i];

                if (e->section.p)
                        continue;
                qn_wire_put_u32(out,
                                (e->list ? NPMRC_LIST : 0) | (e->expanded ? NPMRC_EXPANDED : 0));
                qn_wire_put_text(out, e->key);
                qn_wire_put_text(out, e->value);
        }
        return qn_buf_error(out);
}

int qn_analyse_read_npmrc(struct qn_cur reply, struct qn_arena *a, struct qn_npmrc *ret)
{
        struct qn_npmrc rc = QN_NPMRC_INIT;

        while (qn_cur_left(&reply)) {
                struct qn_npmrc_entry e = { 0 };
                struct qn_str *const texts[] = { &e.key, &e.value };
                uint32_t flags;

                if (qn_cur_le32(&reply, &flags) < 0 || flags > NPMRC_FLAGS ||
                    qn_wire_get_texts(&reply, texts, QN_ARRAY_SIZE(texts)) < 0 || !e.key.p ||
                    !e.value.p)
                        return -EBADMSG;
                e.list = flags & NPMRC_LIST;
                /* The role's word is not enough for what decides about secrets. */
                e.expanded = (flags & NPMRC_EXPANDED) || qn_str_find(e.key, QN_STR("${")) >= 0 ||
                             qn_str_find(e.value, QN_STR("${")) >= 0;
                e.key = qn_arena_dup(a, e.key);
                e.value = qn_arena_dup(a, e.value);
                if (!e.key.p || !e.value.p || QN_ARENA_ROOM(a, rc.v, rc.n, rc.cap) < 0)
                        return -ENOBUFS;
                rc.v[rc.n++] = e;
        }
        *ret = rc;
        return 0;
}

/* --- lock --- */

enum { LOCK_DIRECT_KNOWN = 1, LOCK_DUPLICATE = 2, LOCK_FLAGS = 3 };

/* The flags of a package, once: bit and field. */
#define PACKAGE_FLAGS(X)         \
        X(0, dev)                \
        X(1, optional)           \
        X(2, peer)               \
        X(3, bundled)            \
        X(4, link)               \
        X(5, has_install_script) \
        X(6, direct)             \
        X(7, bad_name)
#define WRITE_FLAG(bit, field) flags |= (uint32_t)p->field << (bit);
#define READ_FLAG(bit, field)  p->field = (flags & 1u << (bit)) != 0;
#define FLAGS_MAX              0xffu

static void write_package(struct qn_buf *out, const struct qn_lock_package *p)
{
        uint32_t flags = 0;

        PACKAGE_FLAGS(WRITE_FLAG)
        qn_wire_put_u32(out, p->kind);
        qn_wire_put_u32(out, flags);
        qn_wire_put_u32(out, p->off);
        qn_wire_put_text(out, p->name);
        qn_wire_put_text(out, p->alias);
        qn_wire_put_text(out, p->version);
        qn_wire_put_text(out, p->resolved);
        qn_wire_put_text(out, p->integrity);
        qn_wire_put_text(out, p->path);
}

static int read_package(struct qn_cur *c, struct qn_lock_package *p)
{
        struct qn_str *const texts[] = { &p->name,     &p->alias,     &p->version,
                                         &p->resolved, &p->integrity, &p->path };
        uint32_t kind, flags;

        if (qn_cur_le32(c, &kind) < 0 || kind > QN_LOCK_WORKSPACE || qn_cur_le32(c, &flags) < 0 ||
            flags > FLAGS_MAX || qn_cur_le32(c, &p->off) < 0)
                return -EBADMSG;
        p->kind = (enum qn_lock_kind)kind;
        PACKAGE_FLAGS(READ_FLAG)
        return qn_wire_get_texts(c, texts, QN_ARRAY_SIZE(texts));
}

int qn_analyse_write_lock(struct qn_buf *out, const struct qn_lock *lock)
{
        qn_wire_put_u32(out, lock->version);
        qn_wire_put_u32(out, (lock->direct_known ? LOCK_DIRECT_KNOWN : 0) |
                                     (lock->duplicate ? LOCK_DUPLICATE : 0));
        qn_wire_put_u32(out, (uint32_t)lock->n);
        qn_wire_put_text(out, lock->name);
        qn_wire_put_text(out, lock->root_version);
        for (size_t i = 0; i < lock->n; i++)
                write_package(out, &lock->packages[i]);
        return qn_buf_error(out);
}

static int read_lock_head(struct qn_cur *c, struct qn_lock *ret, uint32_t *ret_n)
{
        struct qn_str *const texts[] = { &ret->name, &ret->root_version };
        uint32_t version, flags;

        if (qn_cur_le32(c, &version) < 0 || version < 1 || version > 3 ||
            qn_cur_le32(c, &flags) < 0 || flags > LOCK_FLAGS || qn_cur_le32(c, ret_n) < 0 ||
            *ret_n > QN_LOCK_PACKAGES_MAX)
                return -EBADMSG;
        ret->version = version;
        ret->direct_known = flags & LOCK_DIRECT_KNOWN;
        ret->duplicate = flags & LOCK_DUPLICATE;
        return qn_wire_get_texts(c, texts, QN_ARRAY_SIZE(texts));
}

int qn_analyse_read_lock(struct qn_cur reply, struct qn_arena *a, struct qn_lock *ret,
                         struct qn_err *reterr)
{
        struct qn_lock lock = { 0 };
        uint32_t n = 0;
        int r = read_lock_head(&reply, &lock, &n);

        if (r == 0 && n > qn_cur_left(&reply) / ENTRY_MIN)
                r = -EBADMSG;
        if (r == 0) {
                lock.packages = qn_arena_calloc(a, n, sizeof *lock.packages);
                r = lock.packages ? 0 : -ENOBUFS;
        }
        for (; r == 0 && lock.n < n; lock.n++)
                r = read_package(&reply, &lock.packages[lock.n]);
        if (r == 0 && qn_cur_left(&reply))
                r = -EBADMSG;
        if (r < 0)
                return qn_fail(reterr, r, 0,
                               r == -ENOBUFS ? "the lock file lists more than fits into memory"
                                             : "the reply of the analyse role is broken");
        *ret = lock;
        return 0;
}
