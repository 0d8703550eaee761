#include "parse/bom-image.h"

#include <errno.h>
#include <stdlib.h>

#include "base/limits.h"
#include "parse/bom-installed.h"
#include "parse/bom-priv.h"
#include "parse/image.h"

#define MODULES "node_modules/"

struct reader {
        struct qn_arena *a;
        struct qn_err *err;
        struct qn_collection *c;
        size_t cap;
        const struct qn_image *image;
        bool many; /* images in the archive: then paths begin with the image's name */
};

static const char *const list_names[] = {
        "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock",
        "bun.lockb",         "deno.lock",           "bom.json",  "sbom.json",      ".pnp.cjs",
        ".pnp.js",           ".pnp.data.json",
};
static const char *const list_endings[] = { ".cdx.json", ".spdx.json" };

bool qn_bom_is_list(struct qn_str name)
{
        for (size_t i = 0; i < QN_ARRAY_SIZE(list_names); i++)
                if (qn_str_is(name, list_names[i]))
                        return true;
        for (size_t i = 0; i < QN_ARRAY_SIZE(list_endings); i++)
                if (qn_str_ends(name, list_endings[i]))
                        return true;
        return false;
}

/* --- results --- */

/* r: how reading went. */
static int add_source(struct reader *rd, struct qn_str path, int r, struct qn_bom *bom,
                      const struct qn_err *err)
{
        struct qn_collection *c = rd->c;
        struct qn_collected s = { .path = qn_bom_join(rd->a, QN_STR("/"), path, QN_STR("")) };

        if (rd->many)
                s.path = qn_bom_join(rd->a, rd->image->name, QN_STR(":"), s.path);
        if (r == 0) {
                s.bom = bom;
                bom->format = qn_str_c(qn_bom_kind_name(bom->kind));
                bom->kind = QN_BOM_IMAGE;
        } else {
                s.error = qn_arena_dup(rd->a, qn_str_c(err->msg[0] ? err->msg : "cannot be read"));
        }
        if (!s.path.p || (r < 0 && !s.error.p) ||
            QN_ARENA_ROOM(rd->a, c->sources, c->n, rd->cap) < 0)
                return qn_bom_no_memory(rd->err);
        c->sources[c->n++] = s;
        return 0;
}

/* Whether path lies below dir ("" is everything); *ret: from there. */
static bool below(struct qn_str path, struct qn_str dir, struct qn_str *ret)
{
        if (dir.n &&
            (path.n <= dir.n || path.p[dir.n] != '/' || !qn_str_eq(qn_str_take(path, dir.n), dir)))
                return false;
        *ret = dir.n ? qn_str_skip(path, dir.n + 1) : path;
        return true;
}

/* --- trees --- */

/* The directory that has the outermost node_modules of the path; false: none has. */
static bool tree_of(struct qn_str path, struct qn_str *ret)
{
        ptrdiff_t at = qn_str_find(path, QN_STR("/" MODULES));

        *ret = qn_str_take(path, at < 0 ? 0 : (size_t)at);
        return at >= 0 || qn_str_starts(path, MODULES);
}

static int compare(const void *x, const void *y)
{
        return qn_str_cmp(*(const struct qn_str *)x, *(const struct qn_str *)y);
}

/* All directories with a tree of their own: those below one of them are part of it, unless that is the root. */
static int find_trees(struct reader *rd, struct qn_str **ret, size_t *ret_n)
{
        struct qn_str *v = qn_arena_calloc(rd->a, rd->image->n + 1, sizeof *v), rest;
        size_t n = 0, kept = 0;

        if (!v)
                return qn_bom_no_memory(rd->err);
        for (size_t i = 0; i < rd->image->n; i++)
                if (rd->image->files[i].there && tree_of(rd->image->files[i].path, &v[n]))
                        n++;
        if (n)
                qsort(v, n, sizeof *v, compare);
        for (size_t i = 0; i < n; i++) {
                const struct qn_str *last = kept ? &v[kept - 1] : NULL;

                if (!last || (!qn_str_eq(*last, v[i]) && (!last->n || !below(v[i], *last, &rest))))
                        v[kept++] = v[i];
        }
        *ret = v;
        *ret_n = kept;
        return 0;
}

/* Where a link leads, as seen from the tree. */
static struct qn_str resolve(struct reader *rd, const struct qn_image_file *f, struct qn_str tree)
{
        struct qn_str to = qn_cur_rest(&f->content), rest;
        bool absolute = qn_str_starts(to, "/");

        to = qn_bom_path(rd->a, absolute ? QN_STR("") : qn_str_dir(f->path), to);
        if (to.p && below(to, tree, &rest))
                return rest;
        return to.p ? qn_bom_join(rd->a, QN_STR("/"), to, QN_STR("")) : to;
}

static int bundle_tree(struct reader *rd, struct qn_str tree, struct qn_buf *out)
{
        for (size_t i = 0; i < rd->image->n; i++) {
                const struct qn_image_file *f = &rd->image->files[i];
                struct qn_str path, content = qn_cur_rest(&f->content), own;

                if (!f->there || !below(f->path, tree, &path))
                        continue;
                if (!tree.n && tree_of(f->path, &own) && own.n)
                        continue; /* of another tree */
                if (f->kind == QN_FILES_LINK)
                        content = resolve(rd, f, tree);
                qn_files_add(out, f->kind, path, content);
        }
        return qn_buf_error(out);
}

static int read_tree(struct reader *rd, struct qn_str tree)
{
        struct qn_buf files = QN_BUF_INIT(QN_INVENTORY_BUNDLE_MAX);
        struct qn_str copy = { NULL, 0 };
        struct qn_bom *bom = NULL;
        struct qn_err err = { 0 };
        int r = bundle_tree(rd, tree, &files);

        if (r == 0) {
                copy = qn_arena_dup(rd->a, qn_buf_view(&files)); /* the list points into it */
                r = copy.p ? qn_bom_read_installed(qn_cur_str(copy), rd->a, &bom, &err) : -ENOBUFS;
        }
        qn_buf_done(&files);
        if (r == -ENOBUFS || r == -ENOMEM)
                return qn_bom_no_memory(rd->err);
        copy = qn_bom_join(rd->a, tree, tree.n ? QN_STR("/") : QN_STR(""), QN_STR("node_modules"));
        return copy.p ? add_source(rd, copy, r, bom, &err) : qn_bom_no_memory(rd->err);
}

/* --- lock files --- */

static int read_list(struct reader *rd, const struct qn_image_file *f)
{
        struct qn_buf beside = QN_BUF_INIT(QN_INVENTORY_BESIDE_MAX);
        struct qn_bom_in in = { .doc = f->content, .name = qn_str_base(f->path) };
        struct qn_bom *bom = NULL;
        struct qn_err err = { 0 };
        struct qn_str rest, own;
        int r = 0;

        for (size_t i = 0; i < rd->image->n; i++) {
                const struct qn_image_file *p = &rd->image->files[i];

                if (p->there && qn_str_is(qn_str_base(p->path), "package.json") &&
                    !tree_of(p->path, &own) && below(p->path, qn_str_dir(f->path), &rest))
                        qn_files_add(&beside, QN_FILES_FILE, rest, qn_cur_rest(&p->content));
        }
        own = qn_arena_dup(rd->a, qn_buf_view(&beside));
        in.beside = qn_cur_str(own);
        r = qn_buf_error(&beside) < 0 || !own.p ? -ENOBUFS : qn_bom_read(&in, rd->a, &bom, &err);
        qn_buf_done(&beside);
        if (r == -ENOMEM)
                return r;
        return add_source(rd, f->path, r, bom, &err);
}

static int read_image(struct reader *rd)
{
        struct qn_str *trees = NULL, own;
        size_t n = 0;
        int r = find_trees(rd, &trees, &n);

        for (size_t i = 0; r == 0 && i < n; i++)
                r = read_tree(rd, trees[i]);
        for (size_t i = 0; r == 0 && i < rd->image->n; i++) {
                const struct qn_image_file *f = &rd->image->files[i];

                if (f->there && f->kind == QN_FILES_FILE && !tree_of(f->path, &own) &&
                    qn_bom_is_list(qn_str_base(f->path)))
                        r = read_list(rd, f);
        }
        return r;
}

int qn_bom_read_images(struct qn_cur in, struct qn_arena *a, struct qn_collection *ret,
                       struct qn_err *reterr)
{
        struct qn_collection c = { .kind = QN_STR("image"), .name = QN_STR("image") };
        struct reader rd = { .a = a, .err = reterr, .c = &c };
        struct qn_images images;
        int r = qn_images_read(in, qn_bom_is_list, a, &images, reterr);

        if (r == 0 && images.n && images.v[0].name.n)
                c.name = images.v[0].name;
        rd.many = r == 0 && images.n > 1;
        for (size_t i = 0; r == 0 && i < images.n; i++) {
                rd.image = &images.v[i];
                r = read_image(&rd);
        }
        if (r == 0)
                *ret = c;
        return r;
}
