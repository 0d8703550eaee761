/* bom-bunb.c - bun.lockb, bun's binary lock file, format 2 and 3.  Numbers are little-endian.
 *
 *      42 bytes of magic, u32 format, 32 bytes of hash, u64 size
 *      packages: u64 count, u64 alignment, u64 fields, u64 begin, u64 end; then column after column:
 *              name, hash of it, resolution, dependencies, resolutions, meta, bin, scripts
 *      arrays, each u64 begin, u64 end, text, the array itself; the next one follows at its end:
 *              trees, hoisted, resolutions, dependencies, extern strings, string bytes
 *
 * A string is 8 bytes: itself, or (top bit set) u32 offset and u32 length in the string bytes.  The first package is the
 * project.  Dependency i got the package resolutions[i]. */
#include <errno.h>

#include "base/hash.h"
#include "base/limits.h"
#include "parse/bom-priv.h"

#define MAGIC       "#!/usr/bin/env bun\nbun-lockfile-format-v0\n"
#define STRING      8u
#define DEPENDENCY  26u
#define META        88u
#define META_ENDING (META - 68u) /* where the integrity stands in it */
#define SLICE       8u
#define NO_PACKAGE  UINT32_MAX
#define FIELDS_MIN  7u

enum {
        ARRAY_TREES,
        ARRAY_HOISTED,
        ARRAY_RESOLUTIONS,
        ARRAY_DEPENDENCIES,
        ARRAY_EXTERN,
        ARRAY_STRINGS,
        ARRAY_MAX
};

enum { /* behaviour of a dependency */
       IS_OPTIONAL = 1 << 2,
       IS_DEV = 1 << 3,
       IS_PEER = 1 << 4,
       IS_BUNDLED = 1 << 6,
};

enum { /* resolutions */
       RES_ROOT = 1,
       RES_NPM = 2,
       RES_FOLDER = 4,
       RES_LOCAL_TARBALL = 8,
       RES_GITHUB = 16,
       RES_GIT = 32,
       RES_SYMLINK = 64,
       RES_WORKSPACE = 72,
       RES_REMOTE_TARBALL = 80,
};

struct reader {
        struct qn_bom *b;
        struct qn_arena *a;
        struct qn_err *err;
        struct qn_cur doc;
        size_t n;          /* packages */
        size_t resolution; /* bytes of one */
        uint32_t *items;   /* of each package */
        struct qn_cur names, resolutions, needs, got_of, metas;
        struct qn_cur arrays[ARRAY_MAX];
};

static int broken(struct reader *rd, const char *what)
{
        return qn_fail(rd->err, -EBADMSG, 0, "bun.lockb: %s", what);
}

/* --- the frame --- */

/* Bytes begin to end of the document. */
static int span(struct reader *rd, uint64_t begin, uint64_t end, struct qn_cur *ret)
{
        struct qn_cur c = rd->doc;

        if (begin > end || end > qn_cur_left(&c) || qn_cur_skip(&c, begin) < 0 ||
            qn_cur_take(&c, end - begin, ret) < 0)
                return broken(rd, "a part lies outside of the file");
        return 0;
}

/* n records of `size` bytes from the front of c. */
static int column(struct reader *rd, struct qn_cur *c, size_t size, struct qn_cur *ret)
{
        if (rd->n > qn_cur_left(c) / size || qn_cur_take(c, rd->n * size, ret) < 0)
                return broken(rd, "the table of packages is cut short");
        return 0;
}

static int read_packages(struct reader *rd, struct qn_cur *c, uint64_t *ret_end)
{
        uint64_t n, alignment, fields, begin;
        struct qn_cur table = { 0 }, hashes;
        int r;

        if (qn_cur_le64(c, &n) < 0 || qn_cur_le64(c, &alignment) < 0 ||
            qn_cur_le64(c, &fields) < 0 || qn_cur_le64(c, &begin) < 0 ||
            qn_cur_le64(c, ret_end) < 0)
                return broken(rd, "the file is cut short");
        if (n > QN_LOCK_PACKAGES_MAX)
                return qn_fail(rd->err, -EFBIG, 0, "bun.lockb holds more than %u packages",
                               QN_LOCK_PACKAGES_MAX);
        if (fields < FIELDS_MIN)
                return qn_fail(rd->err, -ENOTSUP, 0, "bun.lockb was written by too old a bun");
        rd->n = n;
        r = span(rd, begin, *ret_end, &table);
        if (r == 0)
                r = column(rd, &table, STRING, &rd->names);
        if (r == 0)
                r = column(rd, &table, sizeof(uint64_t), &hashes);
        if (r == 0)
                r = column(rd, &table, rd->resolution, &rd->resolutions);
        if (r == 0)
                r = column(rd, &table, SLICE, &rd->needs);
        if (r == 0)
                r = column(rd, &table, SLICE, &rd->got_of);
        return r == 0 ? column(rd, &table, META, &rd->metas) : r;
}

static int read_arrays(struct reader *rd, uint64_t at)
{
        for (unsigned i = 0; i < ARRAY_MAX; i++) {
                struct qn_cur c = rd->doc;
                uint64_t begin, end = 0;

                if (qn_cur_skip(&c, at) < 0 || qn_cur_le64(&c, &begin) < 0 ||
                    qn_cur_le64(&c, &end) < 0 || begin < at || end < begin)
                        return broken(rd, "an array is cut short");
                if (span(rd, begin, end, &rd->arrays[i]) < 0)
                        return -EBADMSG;
                at = end;
        }
        return 0;
}

static int read_frame(struct reader *rd)
{
        struct qn_cur c = rd->doc;
        uint32_t format;
        uint64_t size, end = 0;
        int r;

        if (qn_cur_skip(&c, strlen(MAGIC)) < 0 || qn_cur_le32(&c, &format) < 0 ||
            qn_cur_skip(&c, 32) < 0 || qn_cur_le64(&c, &size) < 0)
                return broken(rd, "the file is cut short");
        if (format != 2 && format != 3)
                return qn_fail(rd->err, -ENOTSUP, 0,
                               "format %u of bun.lockb is not known (2 and 3 are)", format);
        rd->b->format = format == 2 ? QN_STR("2") : QN_STR("3");
        rd->resolution =
                format == 2 ? 64 : 72; /* format 3 has 64 bits for each part of a version */
        if (size > qn_cur_left(&rd->doc))
                return broken(rd, "the file is cut short");
        r = read_packages(rd, &c, &end);
        return r == 0 ? read_arrays(rd, end) : r;
}

/* --- texts --- */

/* A string in its 8 bytes; "" gives p NULL. */
static int text(struct reader *rd, const uint8_t *p, struct qn_str *ret)
{
        struct qn_cur c = qn_cur_mem(p, STRING), strings = rd->arrays[ARRAY_STRINGS], s;
        uint32_t off, len;

        *ret = (struct qn_str){ NULL, 0 };
        if (!(p[7] & 0x80)) {
                ret->n = strnlen((const char *)p, STRING);
                ret->p = ret->n ? (const char *)p : NULL;
                return 0;
        }
        if (qn_cur_le32(&c, &off) < 0 || qn_cur_le32(&c, &len) < 0 ||
            qn_cur_skip(&strings, off) < 0 || qn_cur_take(&strings, len & 0x7fffffff, &s) < 0)
                return broken(rd, "a text lies outside of the file");
        *ret = qn_cur_rest(&s);
        return 0;
}

static int keep(struct reader *rd, const struct qn_buf *b, struct qn_str *ret)
{
        *ret = qn_arena_dup(rd->a, qn_buf_view(b));
        return qn_buf_error(b) < 0 || !ret->p ? qn_bom_no_memory(rd->err) : 0;
}

static int read_version(struct reader *rd, const uint8_t *p, struct qn_str *ret)
{
        struct qn_buf b = QN_BUF_INIT(4096);
        struct qn_str pre, build;
        uint64_t n[3];
        size_t tag = rd->resolution == 64 ? 16 : 24;
        int r;

        for (size_t i = 0; i < 3; i++) {
                uint32_t small;

                memcpy(&small, p + i * 4, 4);
                memcpy(&n[i], p + i * 8, 8);
                n[i] = rd->resolution == 64 ? small : n[i];
        }
        r = text(rd, p + tag, &pre);
        if (r == 0)
                r = text(rd, p + tag + 16, &build);
        if (r < 0)
                return r;
        qn_buf_printf(&b, "%llu.%llu.%llu", (unsigned long long)n[0], (unsigned long long)n[1],
                      (unsigned long long)n[2]);
        if (pre.n)
                qn_buf_byte(&b, '-');
        qn_buf_str(&b, pre);
        if (build.n)
                qn_buf_byte(&b, '+');
        qn_buf_str(&b, build);
        r = keep(rd, &b, ret);
        qn_buf_done(&b);
        return r;
}

/* owner, repository, commit, what it resolved to */
static int read_repository(struct reader *rd, const uint8_t *p, bool github, struct qn_str *ret)
{
        struct qn_str parts[4];
        struct qn_buf b = QN_BUF_INIT(QN_URL_MAX);
        int r = 0;

        for (size_t i = 0; r == 0 && i < QN_ARRAY_SIZE(parts); i++)
                r = text(rd, p + i * STRING, &parts[i]);
        if (r < 0)
                return r;
        qn_buf_puts(&b, github ? "github:" : "");
        qn_buf_str(&b, parts[0]);
        if (parts[0].n)
                qn_buf_byte(&b, '/');
        qn_buf_str(&b, parts[1]);
        if (parts[3].n || parts[2].n)
                qn_buf_byte(&b, '#');
        qn_buf_str(&b, parts[3].n ? parts[3] : parts[2]);
        r = keep(rd, &b, ret);
        qn_buf_done(&b);
        return r;
}

/* --- packages --- */

static const struct {
        uint8_t tag;
        enum qn_bom_origin origin;
} origins[] = {
        { RES_NPM, QN_BOM_FROM_REGISTRY },
        { RES_FOLDER, QN_BOM_FROM_FILE },
        { RES_LOCAL_TARBALL, QN_BOM_FROM_FILE },
        { RES_GITHUB, QN_BOM_FROM_GIT },
        { RES_GIT, QN_BOM_FROM_GIT },
        { RES_SYMLINK, QN_BOM_FROM_LINK },
        { RES_WORKSPACE, QN_BOM_FROM_WORKSPACE },
        { RES_REMOTE_TARBALL, QN_BOM_FROM_URL },
};

static int read_resolution(struct reader *rd, const uint8_t *p, struct qn_bom_item *item)
{
        uint8_t tag = p[0];
        size_t i = 0;
        int r;

        while (i < QN_ARRAY_SIZE(origins) && origins[i].tag != tag)
                i++;
        if (i == QN_ARRAY_SIZE(origins))
                return broken(rd, "a package comes from an unknown kind of place");
        item->origin = origins[i].origin;
        if (tag == RES_GITHUB || tag == RES_GIT)
                return read_repository(rd, p + 8, tag == RES_GITHUB, &item->resolved);
        r = text(rd, p + 8, &item->resolved);
        if (r == 0 && tag == RES_NPM)
                r = read_version(rd, p + 16, &item->version);
        if (tag == RES_WORKSPACE) {
                item->path = item->resolved;
                item->resolved = (struct qn_str){ NULL, 0 };
        }
        return r;
}

static int read_integrity(struct reader *rd, const uint8_t *p, struct qn_str *ret)
{
        static const char *const names[] = { NULL, "sha1-", "sha256-", "sha384-", "sha512-" };
        static const uint8_t sizes[] = { 0, 20, 32, 48, 64 };
        struct qn_buf b = QN_BUF_INIT(128);
        int r;

        if (p[0] == 0 || p[0] >= QN_ARRAY_SIZE(names))
                return 0;
        qn_buf_puts(&b, names[p[0]]);
        qn_base64_encode(&b, p + 1, sizes[p[0]]);
        r = keep(rd, &b, ret);
        qn_buf_done(&b);
        return r;
}

static int add_package(struct reader *rd, size_t i)
{
        const uint8_t *res = rd->resolutions.p + i * rd->resolution;
        const uint8_t *meta = rd->metas.p + i * META;
        struct qn_bom_item item = { .origin = QN_BOM_FROM_REGISTRY };
        int r = text(rd, rd->names.p + i * STRING, &item.name);

        rd->items[i] = QN_BOM_ROOT;
        if (r == 0 && res[0] == RES_ROOT && i == 0) {
                rd->b->name = item.name;
                return 0;
        }
        if (r == 0)
                r = read_resolution(rd, res, &item);
        if (r == 0)
                r = read_integrity(rd, meta + META_ENDING, &item.integrity);
        item.scripts = meta[META_ENDING + 65] == 2;
        if (!item.name.n)
                item.name = item.path.n ? item.path : item.resolved;
        return r == 0 ? qn_bom_add(rd->b, &item, &rd->items[i], rd->err) : r;
}

/* --- who needs whom --- */

static enum qn_bom_need need_of(uint8_t behaviour)
{
        if (behaviour & IS_PEER)
                return behaviour & IS_OPTIONAL ? QN_BOM_PEER_OPTIONAL : QN_BOM_PEER;
        if (behaviour & IS_OPTIONAL)
                return QN_BOM_OPTIONAL;
        return behaviour & IS_DEV ? QN_BOM_DEV : QN_BOM_PROD;
}

static int add_need(struct reader *rd, size_t from, const uint8_t *dep, uint32_t got)
{
        struct qn_bom_item *item;
        struct qn_str name;
        int r = text(rd, dep, &name);

        if (r < 0)
                return r;
        if (got >= rd->n)
                return got == NO_PACKAGE ? 0 : broken(rd, "a dependency is no package of the file");
        if (rd->items[got] == QN_BOM_ROOT)
                return 0;
        item = &rd->b->items[rd->items[got]];
        if (item->origin == QN_BOM_FROM_REGISTRY && !item->alias.p && !qn_str_eq(item->name, name))
                item->alias = name;
        item->bundled |= (dep[16] & IS_BUNDLED) != 0;
        return qn_bom_need(rd->b, rd->items[from], rd->items[got], need_of(dep[16]), rd->err);
}

static int add_needs(struct reader *rd, size_t i)
{
        struct qn_cur slice = qn_cur_mem(rd->needs.p + i * SLICE, SLICE);
        struct qn_cur got_of = qn_cur_mem(rd->got_of.p + i * SLICE, SLICE);
        size_t deps = qn_cur_left(&rd->arrays[ARRAY_DEPENDENCIES]) / DEPENDENCY;
        size_t res = qn_cur_left(&rd->arrays[ARRAY_RESOLUTIONS]) / sizeof(uint32_t);
        uint32_t off, n, at, n_got;
        int r = 0;

        if (qn_cur_le32(&slice, &off) < 0 || qn_cur_le32(&slice, &n) < 0 ||
            qn_cur_le32(&got_of, &at) < 0 || qn_cur_le32(&got_of, &n_got) < 0)
                return broken(rd, "the table of packages is cut short");
        if (off > deps || n > deps - off || at > res || n_got > res - at || n != n_got)
                return broken(rd, "a package's dependencies lie outside of the file");
        for (uint32_t k = 0; r == 0 && k < n; k++) {
                uint32_t got;

                memcpy(&got, rd->arrays[ARRAY_RESOLUTIONS].p + (at + k) * sizeof got, sizeof got);
                r = add_need(rd, i,
                             rd->arrays[ARRAY_DEPENDENCIES].p + (size_t)(off + k) * DEPENDENCY,
                             got);
        }
        return r;
}

static int read_all(struct reader *rd)
{
        int r = read_frame(rd);

        if (r < 0)
                return r;
        rd->items = qn_arena_calloc(rd->a, rd->n + 1, sizeof *rd->items);
        if (!rd->items)
                return qn_bom_no_memory(rd->err);
        for (size_t i = 0; r == 0 && i < rd->n; i++)
                r = add_package(rd, i);
        for (size_t i = 0; r == 0 && i < rd->n; i++)
                r = add_needs(rd, i);
        return r == 0 ? qn_bom_settle(rd->b, true, rd->err) : r;
}

int qn_bom_read_bunb(const struct qn_bom_in *in, struct qn_arena *a, struct qn_bom **ret,
                     struct qn_err *reterr)
{
        struct reader rd = { .a = a, .err = reterr, .doc = in->doc };
        int r;

        if (!qn_str_starts(qn_cur_rest(&in->doc), MAGIC))
                return qn_fail(reterr, -EINVAL, 0, "not a binary lock file of bun");
        r = qn_bom_new(a, QN_BOM_BUN_BINARY, &rd.b, reterr);
        if (r == 0)
                r = read_all(&rd);
        if (r == 0)
                *ret = rd.b;
        return r;
}
