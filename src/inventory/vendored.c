#include "inventory/vendored.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/map.h"
#include "parse/semver.h"
#include "store/learnt.h"

#define OTHERS_MAX   16u
#define SHORT_NAME   4u /* bytes of a name that must be a word of the path, not only in it */
#define CONVINCING   3u /* files that need no name to tell two packages apart */
#define PACKAGE_JSON "package.json"

struct package {
        struct qn_str name, version, integrity;
        uint32_t files;
};

/* One package at one place. */
struct copy {
        uint32_t package;
        struct qn_str root;  /* where in the project; a single file is its own */
        uint32_t n, picked;  /* files that are the package's; that count for this copy */
        uint32_t first;      /* of them */
        uint64_t bytes, set; /* set: the same for copies of the same files */
        bool named;
};

struct hit {
        uint32_t file, copy;
};

struct finder {
        const struct qn_vendored_file *files;
        struct qn_arena *a;
        struct qn_map package_map, copy_map; /* by number; by place and number */
        struct package *packages;
        size_t n_packages, packages_cap;
        struct copy *copies;
        size_t n_copies, copies_cap;
        struct hit *hits; /* in the order of files */
        size_t n_hits, hits_cap;
        uint32_t file; /* the one that is looked up */
        size_t rows;   /* found for it */
};

/* --- what a file may be --- */

static int number_of(struct finder *f, const struct qn_learnt *k, uint32_t *ret)
{
        struct qn_str key = { (const char *)&k->id, sizeof k->id };
        struct package p = { .files = k->files };

        *ret = qn_map_get(&f->package_map, key);
        if (*ret != QN_MAP_NONE)
                return 0;
        p.name = qn_arena_dup(f->a, k->name);
        p.version = qn_arena_dup(f->a, k->version);
        if (k->integrity.p)
                p.integrity = qn_arena_dup(f->a, k->integrity);
        key = qn_arena_dup(f->a, key);
        if (!p.name.p || !p.version.p || !key.p ||
            QN_ARENA_ROOM(f->a, f->packages, f->n_packages, f->packages_cap) < 0)
                return -ENOBUFS;
        *ret = (uint32_t)f->n_packages;
        f->packages[f->n_packages++] = p;
        return qn_map_add(&f->package_map, f->a, key, *ret, NULL) < 0 ? -ENOBUFS : 0;
}

/* Cuts off the last components that both paths have in common. */
static void cut_common(struct qn_str *x, struct qn_str *y)
{
        while (x->n && y->n && qn_str_eq(qn_str_base(*x), qn_str_base(*y))) {
                *x = qn_str_dir(*x);
                *y = qn_str_dir(*y);
        }
}

static bool is_word(struct qn_str path, struct qn_str name)
{
        while (path.p) {
                struct qn_str part = qn_str_cut(&path, '/');

                if (qn_str_ieq(qn_str_take(part, name.n), name) &&
                    (part.n == name.n || strchr(".-_@", part.p[name.n])))
                        return true;
        }
        return false;
}

/* Whether the path speaks of the package: "public/js/jquery.min.js", "vendor/chart-2.9/…". */
static bool speaks_of(struct qn_str path, struct qn_str name)
{
        name = qn_str_base(name);
        if (name.n > SHORT_NAME && (qn_str_ends(name, ".js") || qn_str_ends(name, "-js")))
                name.n -= 3;
        return name.n < SHORT_NAME ? name.n && is_word(path, name) : qn_str_ifind(path, name) >= 0;
}

static int copy_of(struct finder *f, uint32_t package, struct qn_str inside, uint32_t *ret)
{
        const struct qn_vendored_file *file = &f->files[f->file];
        struct qn_buf key = QN_BUF_INIT(QN_TAR_NAME_MAX * 4);
        struct copy c = { .package = package, .root = file->path, .first = f->file };
        struct qn_str as = inside;
        int r;

        cut_common(&c.root, &as);
        qn_buf_add(&key, &package, sizeof package);
        qn_buf_str(&key, c.root);
        qn_buf_byte(&key, '\0');
        qn_buf_str(&key, as);
        r = qn_buf_error(&key);
        *ret = r == 0 ? qn_map_get(&f->copy_map, qn_buf_view(&key)) : QN_MAP_NONE;
        if (r == 0 && *ret == QN_MAP_NONE) {
                struct qn_str kept = qn_arena_dup(f->a, qn_buf_view(&key));

                c.named = speaks_of(file->path, f->packages[package].name);
                if (!kept.p || QN_ARENA_ROOM(f->a, f->copies, f->n_copies, f->copies_cap) < 0)
                        r = -ENOBUFS;
                *ret = (uint32_t)f->n_copies;
                if (r == 0)
                        f->copies[f->n_copies++] = c;
                if (r == 0 && qn_map_add(&f->copy_map, f->a, kept, *ret, NULL) < 0)
                        r = -ENOBUFS;
        }
        qn_buf_done(&key);
        return r;
}

static int on_known(void *ctx, const struct qn_learnt *k)
{
        struct finder *f = ctx;
        uint32_t package, copy;
        int r;

        if (++f->rows > QN_COPY_PACKAGES_MAX)
                return 1;
        if (f->n_hits == QN_COPY_HITS_MAX)
                return -EFBIG;
        r = number_of(f, k, &package);
        if (r == 0)
                r = copy_of(f, package, k->path, &copy);
        if (r < 0 || QN_ARENA_ROOM(f->a, f->hits, f->n_hits, f->hits_cap) < 0)
                return -ENOBUFS;
        f->hits[f->n_hits++] = (struct hit){ f->file, copy };
        return 0;
}

/* How many different names the hits from one on have; counts no further than one too many. */
static size_t count_names(const struct finder *f, size_t from)
{
        struct qn_str seen[QN_COPY_NAMES_MAX + 1];
        size_t n = 0;

        for (size_t i = from; i < f->n_hits && n <= QN_COPY_NAMES_MAX; i++) {
                struct qn_str name = f->packages[f->copies[f->hits[i].copy].package].name;
                bool old = false;

                for (size_t k = 0; k < n; k++)
                        old |= qn_str_eq(seen[k], name);
                if (!old)
                        seen[n++] = name;
        }
        return n;
}

static int look_up(struct finder *f, struct qn_db *known, uint32_t file)
{
        size_t from = f->n_hits;
        int r;

        f->file = file;
        f->rows = 0;
        r = qn_learnt_find(known, &f->files[file].id, on_known, f);
        if (r < 0)
                return r;
        if (r > 0 || count_names(f, from) > QN_COPY_NAMES_MAX)
                f->n_hits = from; /* everybody's */
        for (size_t i = from; i < f->n_hits; i++) {
                struct copy *c = &f->copies[f->hits[i].copy];

                c->n++;
                c->bytes += f->files[file].id.size;
                c->set += qn_hash64(&file, sizeof file);
        }
        return 0;
}

/* --- what it is --- */

static int compare_versions(struct qn_str x, struct qn_str y)
{
        struct qn_semver a, b;

        if (qn_semver_parse(x, QN_SEMVER_LOOSE, &a) < 0 ||
            qn_semver_parse(y, QN_SEMVER_LOOSE, &b) < 0)
                return qn_str_cmp(x, y);
        return qn_semver_cmp(&a, &b);
}

/* > 0: x explains more than y. */
static int compare(const struct finder *f, const struct copy *x, const struct copy *y)
{
        const struct package *a = &f->packages[x->package], *b = &f->packages[y->package];
        uint64_t p = (uint64_t)x->n * b->files, q = (uint64_t)y->n * a->files;
        int c;

        if (x->n != y->n)
                return x->n > y->n ? 1 : -1;
        if (x->named != y->named)
                return x->named ? 1 : -1;
        c = qn_str_cmp(b->name, a->name);
        if (c)
                return p != q ? (p > q) - (p < q) : c;
        c = compare_versions(a->version, b->version);
        if (c)
                return c;
        c = qn_str_cmp(y->root, x->root);
        return c ? c : (y->package > x->package) - (y->package < x->package);
}

static void pick(struct finder *f)
{
        for (size_t i = 0; i < f->n_hits;) {
                uint32_t best = f->hits[i].copy, file = f->hits[i].file;

                for (; i < f->n_hits && f->hits[i].file == file; i++)
                        if (compare(f, &f->copies[f->hits[i].copy], &f->copies[best]) > 0)
                                best = f->hits[i].copy;
                f->copies[best].picked++;
        }
}

/* Copies of the same files one after the other, the best one first. */
static int compare_sets(const void *x, const void *y, void *finder)
{
        const struct copy *a = x, *b = y;

        if (a->n != b->n)
                return a->n > b->n ? -1 : 1;
        if (a->set != b->set)
                return a->set > b->set ? -1 : 1;
        return -compare(finder, a, b);
}

static bool is_said(const struct finder *f, const struct copy *c, bool several_names)
{
        if (!c->picked || c->bytes < QN_COPY_BYTES_MIN)
                return false;
        if (c->n == 1 && qn_str_is(qn_str_base(f->files[c->first].path), PACKAGE_JSON))
                return false;
        return c->named || !several_names || c->n >= CONVINCING;
}

static struct qn_str id_of(struct finder *f, const struct package *p)
{
        struct qn_buf b = QN_BUF_INIT(QN_TAR_NAME_MAX * 4);
        struct qn_str ret;

        qn_buf_str(&b, p->name);
        qn_buf_byte(&b, '@');
        qn_buf_str(&b, p->version);
        ret = qn_arena_dup(f->a, qn_buf_view(&b));
        qn_buf_done(&b);
        return ret;
}

/* The others of a set: what else the same files may be from. */
static int add_others(struct finder *f, const struct copy *set, size_t n, const struct copy *c,
                      struct qn_bom_copy *ret, bool *ret_names)
{
        const struct package *own = &f->packages[c->package];

        *ret_names = false;
        ret->others = qn_arena_calloc(f->a, OTHERS_MAX, sizeof *ret->others);
        if (!ret->others)
                return -ENOBUFS;
        for (size_t i = 0; i < n; i++) {
                const struct package *p = &f->packages[set[i].package];

                *ret_names |= !qn_str_eq(p->name, own->name);
                if (set[i].package == c->package || ret->n_others == OTHERS_MAX)
                        continue;
                ret->others[ret->n_others] = id_of(f, p);
                if (!ret->others[ret->n_others++].p)
                        return -ENOBUFS;
        }
        return 0;
}

static int add_item(struct finder *f, const struct copy *set, size_t n, const struct copy *c,
                    struct qn_bom *bom)
{
        const struct package *p = &f->packages[c->package];
        struct qn_bom_copy *copy = QN_ARENA_NEW(f->a, struct qn_bom_copy);
        bool names;
        int r = copy ? add_others(f, set, n, c, copy, &names) : -ENOBUFS;

        if (r < 0 || !is_said(f, c, names))
                return r;
        copy->files = c->n;
        copy->of = QN_MAX(p->files, c->n);
        bom->edges[bom->n_edges++] =
                (struct qn_bom_edge){ QN_BOM_ROOT, (uint32_t)bom->n, QN_BOM_PROD };
        bom->items[bom->n++] = (struct qn_bom_item){
                .name = p->name,
                .version = p->version,
                .integrity = p->integrity,
                .path = c->n == 1   ? f->files[c->first].path
                        : c->root.n ? c->root
                                    : QN_STR("."),
                .origin = QN_BOM_FROM_VENDORED,
                .direct = true,
                .copy = copy,
        };
        return 0;
}

static int compare_items(const void *x, const void *y)
{
        const struct qn_bom_item *a = x, *b = y;
        int c = qn_str_cmp(a->path, b->path);

        if (!c)
                c = qn_str_cmp(a->name, b->name);
        return c ? c : qn_str_cmp(a->version, b->version);
}

static int make_bom(struct finder *f, struct qn_bom **ret)
{
        struct qn_bom *bom = QN_ARENA_NEW(f->a, struct qn_bom);
        int r = bom ? 0 : -ENOBUFS;

        if (r < 0)
                return r;
        bom->arena = f->a;
        bom->kind = QN_BOM_VENDORED;
        bom->items = qn_arena_calloc(f->a, f->n_copies + 1, sizeof *bom->items);
        bom->edges = qn_arena_calloc(f->a, f->n_copies + 1, sizeof *bom->edges);
        if (!bom->items || !bom->edges)
                return -ENOBUFS;
        qsort_r(f->copies, f->n_copies, sizeof *f->copies, compare_sets, f);
        for (size_t i = 0, n; r == 0 && i < f->n_copies; i += n) {
                const struct copy *set = &f->copies[i];

                for (n = 1; i + n < f->n_copies && set[n].n == set->n && set[n].set == set->set;)
                        n++;
                for (size_t k = 0; r == 0 && k < n; k++)
                        if (set[k].picked)
                                r = add_item(f, set, n, &set[k], bom);
        }
        if (bom->n)
                qsort(bom->items, bom->n, sizeof *bom->items, compare_items);
        *ret = bom->n ? bom : NULL;
        return r;
}

int qn_vendored_find(const struct qn_vendored_file *files, size_t n, struct qn_db *known,
                     struct qn_arena *a, struct qn_bom **ret)
{
        struct finder f = { .files = files, .a = a };
        int r = 0;

        *ret = NULL;
        for (size_t i = 0; r == 0 && i < n; i++)
                r = look_up(&f, known, (uint32_t)i);
        if (r < 0 || !f.n_hits)
                return r;
        pick(&f);
        return make_bom(&f, ret);
}

/* --- reading --- */

/* 1, 0: it says nothing, or -errno; what cannot be read is no copy. */
static int identify(const struct qn_walk *w, struct qn_str path, struct qn_buf *bytes,
                    struct qn_buf *room, struct qn_content_id *ret)
{
        _cleanup_(qn_closep) int fd =
                openat(w->root, path.p, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        struct stat st;
        int r;

        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < QN_CONTENT_MIN)
                return 0;
        qn_buf_reset(bytes);
        r = qn_io_read_fd(fd, bytes);
        if (r == 0)
                r = qn_content_id(qn_buf_view(bytes), room, ret);
        return r < 0 && r != -ENOMEM ? 0 : r;
}

int qn_vendored_scan(const struct qn_walk *w, struct qn_db *known, struct qn_arena *a,
                     struct qn_bom **ret)
{
        struct qn_buf bytes = QN_BUF_INIT(QN_FILE_MAX), room = QN_BUF_INIT(QN_FILE_MAX);
        struct qn_vendored_file *files = qn_arena_calloc(a, w->n_copies + 1, sizeof *files);
        size_t n = 0;
        int r = files ? 0 : -ENOBUFS;

        for (size_t i = 0; r == 0 && i < w->n_copies; i++) {
                r = identify(w, w->copies[i].path, &bytes, &room, &files[n].id);
                if (r != 1)
                        continue;
                files[n++].path = w->copies[i].path;
                r = 0;
        }
        qn_buf_done(&bytes);
        qn_buf_done(&room);
        return r < 0 ? r : qn_vendored_find(files, n, known, a, ret);
}
