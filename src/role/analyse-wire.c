/* analyse-wire.c - parameters and replies of the analyse role as bytes.  HOSTILE INPUT.
 * Numbers are little-endian; a text is its length (u32, NO_TEXT for none) and its bytes.
 *
 *   pick: version, tarball, integrity
 *   lock: u32 lockfileVersion, u32 flags, u32 packages, name, version; then for every package
 *         u32 kind, u32 flags, u32 offset, name, alias, version, resolved, integrity, path
 */
#include "role/analyse-wire.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "parse/packument.h"

#define NO_TEXT   UINT32_MAX
#define ENTRY_MIN (9 * sizeof(uint32_t)) /* bytes of a package whose texts are all empty */

static void put_number(struct qn_buf *b, uint32_t v)
{
        qn_buf_add(b, &v, sizeof v);
}

static void put_text(struct qn_buf *b, struct qn_str s)
{
        put_number(b, s.p ? (uint32_t)s.n : NO_TEXT);
        if (s.p)
                qn_buf_str(b, s);
}

static int get_text(struct qn_cur *c, struct qn_str *ret)
{
        struct qn_cur bytes;
        uint32_t n;

        if (qn_cur_le32(c, &n) < 0)
                return -EBADMSG;
        *ret = (struct qn_str){ 0 };
        if (n == NO_TEXT)
                return 0;
        if (qn_cur_take(c, n, &bytes) < 0)
                return -EBADMSG;
        *ret = qn_cur_rest(&bytes);
        return 0;
}

static int get_texts(struct qn_cur *c, struct qn_str *const *ret, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (get_text(c, ret[i]) < 0)
                        return -EBADMSG;
        return 0;
}

/* --- pick --- */

void qn_analyse_write_pick(struct qn_buf *out, struct qn_str name, struct qn_str spec)
{
        put_text(out, name);
        put_text(out, spec);
}

int qn_analyse_read_want(struct qn_cur params, struct qn_str *ret_name, struct qn_str *ret_spec)
{
        struct qn_str *const texts[] = { ret_name, ret_spec };

        if (get_texts(&params, texts, QN_ARRAY_SIZE(texts)) < 0 || qn_cur_left(&params))
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

int qn_analyse_write_picked(struct qn_buf *out, const struct qn_packument_version *v,
                            struct qn_err *reterr)
{
        const struct qn_analyse_pick pick = { v->version, v->tarball, v->integrity };
        int r = check_pick(&pick, -EINVAL, reterr);

        if (r < 0)
                return r;
        put_text(out, pick.version);
        put_text(out, pick.tarball);
        put_text(out, pick.integrity);
        return qn_buf_error(out);
}

int qn_analyse_read_pick(struct qn_cur reply, struct qn_analyse_pick *ret, struct qn_err *reterr)
{
        struct qn_analyse_pick pick;
        struct qn_str *const texts[] = { &pick.version, &pick.tarball, &pick.integrity };
        int r;

        if (get_texts(&reply, texts, QN_ARRAY_SIZE(texts)) < 0 || qn_cur_left(&reply))
                return qn_fail(reterr, -EBADMSG, 0, "the reply of the analyse role is broken");
        r = check_pick(&pick, -EBADMSG, reterr);
        if (r == 0)
                *ret = pick;
        return r;
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
        put_number(out, p->kind);
        put_number(out, flags);
        put_number(out, p->off);
        put_text(out, p->name);
        put_text(out, p->alias);
        put_text(out, p->version);
        put_text(out, p->resolved);
        put_text(out, p->integrity);
        put_text(out, p->path);
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
        return get_texts(c, texts, QN_ARRAY_SIZE(texts));
}

int qn_analyse_write_lock(struct qn_buf *out, const struct qn_lock *lock)
{
        put_number(out, lock->version);
        put_number(out, (lock->direct_known ? LOCK_DIRECT_KNOWN : 0) |
                                (lock->duplicate ? LOCK_DUPLICATE : 0));
        put_number(out, (uint32_t)lock->n);
        put_text(out, lock->name);
        put_text(out, lock->root_version);
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
        return get_texts(c, texts, QN_ARRAY_SIZE(texts));
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
