#include "parse/image.h"

#include <errno.h>

#include "base/limits.h"
#include "parse/gz.h"
#include "parse/json.h"
#include "parse/tar.h"
#include "parse/zst.h"

#define MODULES   "node_modules/"
#define INDEX_MAX 4u /* lists of manifests in lists of manifests */

struct reader {
        struct qn_arena *a;
        struct qn_err *err;
        qn_image_wanted *wanted;
        struct qn_gz *gz;
        struct qn_map blobs; /* name → content */
        struct qn_cur *contents;
        size_t n, cap;
        struct qn_images *ret;
};

static int no_memory(struct reader *rd)
{
        return qn_fail(rd->err, -ENOBUFS, 0, "the image needs too much memory");
}

/* --- the files of the archive or layout --- */

/* "./a//b/" → "a/b"; ".." never leaves a layer. */
static struct qn_str clean(struct reader *rd, struct qn_str s)
{
        char *p = qn_arena_alloc(rd->a, s.n + 1);
        struct qn_str out = { p, 0 };

        while (p && s.n) {
                struct qn_str part = qn_str_cut(&s, '/');

                if (!part.n || qn_str_is(part, ".") || qn_str_is(part, ".."))
                        continue;
                if (out.n)
                        p[out.n++] = '/';
                memcpy(p + out.n, part.p, part.n);
                out.n += part.n;
        }
        return out;
}

static int add_blob(struct reader *rd, struct qn_str path, struct qn_cur content)
{
        struct qn_str name = clean(rd, path);

        if (!name.p || QN_ARENA_ROOM(rd->a, rd->contents, rd->n, rd->cap) < 0 ||
            qn_map_add(&rd->blobs, rd->a, name, (uint32_t)rd->n, NULL) < 0)
                return no_memory(rd);
        rd->contents[rd->n++] = content;
        return 0;
}

static int read_archive(struct reader *rd, struct qn_cur in)
{
        _cleanup_(qn_tar_freep) struct qn_tar *t = NULL;
        struct qn_tar_entry e;
        int r = qn_tar_open(in, &t);

        while (r == 0 && (r = qn_tar_next(t, &e, rd->err)) == 1) {
                r = e.type == QN_TAR_FILE ? add_blob(rd, e.full, e.data) : 0;
        }
        return r;
}

static int read_bundle(struct reader *rd, struct qn_cur in)
{
        struct qn_files_entry e;
        int r;

        while ((r = qn_files_next(&in, &e)) == 1) {
                r = add_blob(rd, e.path, e.content);
                if (r < 0)
                        return r;
        }
        return r < 0 ? qn_fail(rd->err, r, 0, "the list of files is cut short") : 0;
}

static bool blob(struct reader *rd, struct qn_str name, struct qn_cur *ret)
{
        uint32_t at = qn_map_get(&rd->blobs, name);

        if (at == QN_MAP_NONE)
                return false;
        *ret = rd->contents[at];
        return true;
}

/* "sha256:abc" → blobs/sha256/abc */
static bool blob_of_digest(struct reader *rd, struct qn_str digest, struct qn_cur *ret)
{
        struct qn_buf path = QN_BUF_INIT(QN_TAR_NAME_MAX);
        struct qn_str algorithm = qn_str_cut(&digest, ':');
        bool found;

        qn_buf_puts(&path, "blobs/");
        qn_buf_str(&path, algorithm);
        qn_buf_byte(&path, '/');
        qn_buf_str(&path, digest);
        found = qn_buf_error(&path) == 0 && blob(rd, qn_buf_view(&path), ret);
        qn_buf_done(&path);
        return found;
}

/* --- layers --- */

static struct qn_str base_name(struct qn_str path)
{
        ptrdiff_t slash = qn_str_rchr(path, '/');

        return slash < 0 ? path : qn_str_skip(path, (size_t)slash + 1);
}

static bool in_modules(struct qn_str path)
{
        return qn_str_starts(path, MODULES) || qn_str_find(path, QN_STR("/" MODULES)) >= 0;
}

/* The place of a package: "…/node_modules/a" or "…/node_modules/@s/a". */
static bool is_package_place(struct qn_str path)
{
        struct qn_str name = base_name(path), dir = qn_str_take(path, path.n - name.n);

        if (qn_str_starts(name, "."))
                return false;
        if (qn_str_ends(dir, MODULES))
                return true;
        dir.n -= dir.n > 0;
        name = base_name(dir);
        return qn_str_starts(name, "@") && qn_str_ends(qn_str_take(dir, dir.n - name.n), MODULES);
}

static bool is_wanted(struct reader *rd, struct qn_str path)
{
        struct qn_str name = base_name(path), dir;

        if (!in_modules(path))
                return qn_str_is(name, "package.json") || rd->wanted(name);
        if (qn_str_is(name, ".package-lock.json"))
                return true;
        dir = qn_str_take(path, path.n - QN_MIN(path.n, name.n + 1));
        return qn_str_is(name, "package.json") && is_package_place(dir);
}

struct layer {
        struct reader *rd;
        struct qn_image *image;
        struct qn_tar *tar;
        bool streams;
        struct qn_map gone;          /* paths whose lower contents are taken away */
        struct qn_map opaque;        /* directories */
        struct qn_image_file *files; /* of this layer */
        size_t n, cap;
        struct qn_map targets; /* hard links: path of the content → first file that wants it */
};

static int read_content(struct layer *l, const struct qn_tar_entry *e, struct qn_cur *ret)
{
        struct qn_str copy;
        size_t at = 0;
        char *p;

        if (e->size > QN_INVENTORY_FILE_MAX)
                return qn_fail(l->rd->err, -EFBIG, 0,
                               "a file of the image that lists packages is too large");
        if (!l->streams) {
                copy = qn_arena_dup(l->rd->a, qn_cur_rest(&e->data));
                *ret = qn_cur_str(copy);
                return copy.p ? 0 : no_memory(l->rd);
        }
        p = qn_arena_alloc(l->rd->a, e->size + 1);
        if (!p)
                return no_memory(l->rd);
        while (at < e->size) {
                ssize_t n = qn_tar_read(l->tar, p + at, e->size - at, l->rd->err);

                if (n <= 0)
                        return n < 0 ? (int)n : -ENODATA;
                at += (size_t)n;
        }
        *ret = qn_cur_mem(p, at);
        return 0;
}

static int add(struct layer *l, const struct qn_image_file *f)
{
        if (QN_ARENA_ROOM(l->rd->a, l->files, l->n, l->cap) < 0)
                return no_memory(l->rd);
        l->files[l->n++] = *f;
        return 0;
}

/* ".wh.a" takes a away, ".wh..wh..opq" all that lower layers have in this directory. */
static int take_whiteout(struct layer *l, struct qn_str path)
{
        struct qn_str name = base_name(path), dir = qn_str_take(path, path.n - name.n);
        struct qn_str hidden = qn_str_skip(name, strlen(".wh."));
        char *p;

        if (qn_str_is(name, ".wh..wh..opq")) {
                dir.n -= dir.n > 0;
                return qn_map_add(&l->opaque, l->rd->a, dir, 0, NULL) < 0 ? no_memory(l->rd) : 0;
        }
        if (!hidden.n || qn_str_starts(hidden, ".wh."))
                return 0;
        p = qn_arena_alloc(l->rd->a, dir.n + hidden.n + 1);
        if (!p)
                return no_memory(l->rd);
        memcpy(p, dir.p, dir.n);
        memcpy(p + dir.n, hidden.p, hidden.n);
        return qn_map_add(&l->gone, l->rd->a, (struct qn_str){ p, dir.n + hidden.n }, 0, NULL) < 0
                       ? no_memory(l->rd)
                       : 0;
}

static int take_link(struct layer *l, struct qn_str path, const struct qn_tar_entry *e)
{
        struct qn_image_file f = { .kind = QN_FILES_LINK, .path = path, .there = true };
        struct qn_str target = qn_arena_dup(l->rd->a, e->link);

        if (!target.p)
                return no_memory(l->rd);
        f.content = qn_cur_str(target);
        return is_package_place(path) ? add(l, &f) : 0;
}

/* The content stands with another entry: it may come later, or under a name that is not wanted. */
static int take_hard_link(struct layer *l, struct qn_str path, const struct qn_tar_entry *e)
{
        struct qn_image_file f = { .kind = QN_FILES_FILE, .path = path, .there = true };
        struct qn_str target;

        if (!is_wanted(l->rd, path))
                return 0;
        target = clean(l->rd, e->link);
        if (!target.p || qn_map_add(&l->targets, l->rd->a, target, (uint32_t)l->n, NULL) < 0)
                return no_memory(l->rd);
        f.content = qn_cur_mem(target.p, target.n); /* until it is found */
        f.kind = QN_FILES_DIR;                      /* marks that */
        return add(l, &f);
}

static int take_entry(struct layer *l, const struct qn_tar_entry *e)
{
        struct qn_image_file f = { .kind = QN_FILES_FILE, .there = true };
        struct qn_str path = clean(l->rd, e->full);
        int r;

        if (!path.p)
                return no_memory(l->rd);
        if (qn_str_starts(base_name(path), ".wh."))
                return take_whiteout(l, path);
        /* What is no directory hides the directory that a lower layer had there. */
        if (e->type != QN_TAR_DIR && in_modules(path) &&
            qn_map_add(&l->gone, l->rd->a, path, 0, NULL) < 0)
                return no_memory(l->rd);
        if (e->type == QN_TAR_SYMLINK)
                return take_link(l, path, e);
        if (e->type == QN_TAR_HARDLINK)
                return take_hard_link(l, path, e);
        if (e->type != QN_TAR_FILE || !is_wanted(l->rd, path))
                return 0;
        f.path = path;
        r = read_content(l, e, &f.content);
        return r < 0 ? r : add(l, &f);
}

static ssize_t read_gz(void *user, void *out, size_t n, struct qn_err *reterr)
{
        return qn_gz_stream_read(user, out, n, reterr);
}

static ssize_t read_zst(void *user, void *out, size_t n, struct qn_err *reterr)
{
        return qn_zst_read(user, out, n, reterr);
}

/* Does `take` for each entry of the layer. */
static int walk(struct layer *l, struct qn_cur in,
                int (*take)(struct layer *, const struct qn_tar_entry *))
{
        _cleanup_(qn_gz_stream_freep) struct qn_gz_stream *gz = NULL;
        _cleanup_(qn_zst_freep) struct qn_zst *zst = NULL;
        _cleanup_(qn_tar_freep) struct qn_tar *t = NULL;
        bool is_gz = qn_gz_is(in), is_zst = qn_zst_is(in);
        struct qn_tar_entry e;
        int r = 0;

        l->streams = is_gz || is_zst;
        if (is_gz)
                r = qn_gz_stream_new(in, QN_IMAGE_LAYER_MAX, &gz);
        else if (is_zst)
                r = qn_zst_new(in, QN_IMAGE_LAYER_MAX, &zst);
        if (r == 0 && is_gz)
                r = qn_tar_open_stream(read_gz, gz, &t);
        else if (r == 0 && is_zst)
                r = qn_tar_open_stream(read_zst, zst, &t);
        else if (r == 0)
                r = qn_tar_open(in, &t);
        l->tar = t;
        if (r == 0)
                qn_tar_allow(t, QN_IMAGE_ENTRIES_MAX);
        while (r == 0 && (r = qn_tar_next(t, &e, l->rd->err)) == 1)
                r = take(l, &e);
        return r;
}

static int take_target(struct layer *l, const struct qn_tar_entry *e)
{
        struct qn_str path = clean(l->rd, e->full);
        struct qn_cur content;
        int r;

        if (!path.p)
                return no_memory(l->rd);
        if (e->type != QN_TAR_FILE || qn_map_get(&l->targets, path) == QN_MAP_NONE)
                return 0;
        r = read_content(l, e, &content);
        for (size_t i = 0; r == 0 && i < l->n; i++) {
                struct qn_image_file *f = &l->files[i];

                if (f->kind != QN_FILES_DIR || !qn_str_eq(qn_cur_rest(&f->content), path))
                        continue;
                f->kind = QN_FILES_FILE;
                f->content = content;
        }
        return r;
}

/* Whether the layer takes away what a lower one had at the path: itself, or a directory above it. */
static bool is_hidden(const struct layer *l, struct qn_str path)
{
        struct qn_str dir = path;

        if (qn_map_get(&l->gone, path) != QN_MAP_NONE)
                return true;
        while (dir.n) {
                ptrdiff_t slash = qn_str_rchr(dir, '/');

                dir.n = slash < 0 ? 0 : (size_t)slash;
                if (qn_map_get(&l->opaque, dir) != QN_MAP_NONE ||
                    (dir.n && qn_map_get(&l->gone, dir) != QN_MAP_NONE))
                        return true;
        }
        return false;
}

static int put(struct reader *rd, struct qn_image *image, const struct qn_image_file *f)
{
        uint32_t at = (uint32_t)image->n;
        int r = qn_map_add(&image->paths, rd->a, f->path, at, &at);

        if (r < 0)
                return no_memory(rd);
        if (r == 0) {
                if (QN_ARENA_ROOM(rd->a, image->files, image->n, image->cap) < 0)
                        return no_memory(rd);
                image->n++;
        }
        image->files[at] = *f;
        return 0;
}

static int apply_layer(struct reader *rd, struct qn_image *image, struct qn_cur in)
{
        struct layer l = { .rd = rd, .image = image };
        int r = walk(&l, in, take_entry);

        if (r == 0 && l.targets.n)
                r = walk(&l, in, take_target);
        for (size_t i = 0; r == 0 && i < image->n; i++)
                if (is_hidden(&l, image->files[i].path))
                        image->files[i].there = false;
        for (size_t i = 0; r == 0 && i < l.n; i++)
                if (l.files[i].kind != QN_FILES_DIR) /* its content is in no layer */
                        r = put(rd, image, &l.files[i]);
        return r;
}

/* --- manifests --- */

static int add_image(struct reader *rd, struct qn_str name, struct qn_image **ret)
{
        name = qn_arena_dup(rd->a, name); /* it may lie in what was inflated */
        if (!name.p || QN_ARENA_ROOM(rd->a, rd->ret->v, rd->ret->n, rd->ret->cap) < 0)
                return no_memory(rd);
        *ret = &rd->ret->v[rd->ret->n++];
        **ret = (struct qn_image){ .name = name };
        return 0;
}

static int missing(struct reader *rd, struct qn_str what)
{
        return qn_fail(rd->err, -EBADMSG, 0, "the image lacks %.*s",
                       QN_STR_ARG(qn_str_take(what, 100)));
}

/* manifest.json of `docker save`. */
static int read_docker(struct reader *rd, struct qn_cur manifest)
{
        struct qn_node *doc;
        int r = qn_json_parse(manifest, rd->a, &doc, rd->err);

        for (size_t i = 0; r == 0 && qn_node_is(doc, QN_NODE_ARRAY) && i < doc->n; i++) {
                const struct qn_node *m = doc->items[i], *layers = qn_node_get(m, "Layers");
                const struct qn_node *tags = qn_node_get(m, "RepoTags");
                struct qn_str name = qn_node_text(qn_node_get(m, "Config"));
                struct qn_image *image;

                if (qn_node_is(tags, QN_NODE_ARRAY) && tags->n)
                        name = qn_node_text(tags->items[0]);
                r = add_image(rd, name, &image);
                for (size_t k = 0; r == 0 && qn_node_is(layers, QN_NODE_ARRAY) && k < layers->n;
                     k++) {
                        struct qn_str path = qn_node_text(layers->items[k]);
                        struct qn_cur layer;

                        r = blob(rd, path, &layer) ? apply_layer(rd, image, layer)
                                                   : missing(rd, path);
                }
        }
        return r;
}

static int read_manifest(struct reader *rd, const struct qn_node *m, struct qn_str name)
{
        const struct qn_node *layers = qn_node_get(m, "layers");
        struct qn_image *image;
        int r = add_image(rd, name, &image);

        for (size_t i = 0; r == 0 && qn_node_is(layers, QN_NODE_ARRAY) && i < layers->n; i++) {
                struct qn_str digest = qn_node_text(qn_node_get(layers->items[i], "digest"));
                struct qn_str type = qn_node_text(qn_node_get(layers->items[i], "mediaType"));
                struct qn_cur layer;

                if (type.n && qn_str_find(type, QN_STR("tar")) < 0)
                        continue; /* an attestation, a signature */
                r = blob_of_digest(rd, digest, &layer) ? apply_layer(rd, image, layer)
                                                       : missing(rd, digest);
        }
        return r;
}

struct listed {
        const struct qn_node *manifests;
        struct qn_str name;
        unsigned depth;
};

/* index.json of an OCI layout, and the lists that it may lead to. */
static int read_layout(struct reader *rd, struct qn_cur index)
{
        struct listed *todo = NULL;
        size_t n = 0, cap = 0;
        struct qn_node *doc;
        int r = qn_json_parse(index, rd->a, &doc, rd->err);

        if (r == 0 && QN_ARENA_ROOM(rd->a, todo, n, cap) < 0)
                r = no_memory(rd);
        if (r == 0)
                todo[n++] = (struct listed){ qn_node_get(doc, "manifests"), { NULL, 0 }, 0 };
        while (r == 0 && n) {
                struct listed at = todo[--n];

                for (size_t i = 0;
                     r == 0 && qn_node_is(at.manifests, QN_NODE_ARRAY) && i < at.manifests->n;
                     i++) {
                        const struct qn_node *entry = at.manifests->items[i], *more;
                        struct qn_str digest = qn_node_text(qn_node_get(entry, "digest"));
                        struct qn_str name =
                                qn_node_text(qn_node_get(qn_node_get(entry, "annotations"),
                                                         "org.opencontainers.image.ref.name"));
                        struct qn_node *m;
                        struct qn_cur bytes;

                        name = name.n ? name : at.name.n ? at.name : digest;
                        if (!blob_of_digest(rd, digest, &bytes))
                                continue; /* of another platform, left out */
                        r = qn_json_parse(bytes, rd->a, &m, rd->err);
                        if (r < 0)
                                break;
                        more = qn_node_get(m, "manifests");
                        if (!qn_node_is(more, QN_NODE_ARRAY))
                                r = read_manifest(rd, m, name);
                        else if (at.depth == INDEX_MAX || QN_ARENA_ROOM(rd->a, todo, n, cap) < 0)
                                r = no_memory(rd);
                        else
                                todo[n++] = (struct listed){ more, name, at.depth + 1 };
                }
        }
        return r;
}

static int read_all(struct reader *rd, struct qn_cur in)
{
        struct qn_cur doc;
        int r = 0;

        if (qn_gz_is(in))
                r = qn_gz_inflate(rd->gz, in, QN_ROLE_INPUT_MAX, &in, rd->err);
        if (r == 0)
                r = qn_str_starts(qn_cur_rest(&in), QN_IMAGE_BUNDLE)
                            ? read_bundle(rd, qn_cur_str(qn_str_skip(qn_cur_rest(&in),
                                                                     strlen(QN_IMAGE_BUNDLE))))
                            : read_archive(rd, in);
        if (r < 0)
                return r;
        if (blob(rd, QN_STR("manifest.json"), &doc))
                return read_docker(rd, doc);
        if (blob(rd, QN_STR("index.json"), &doc))
                return read_layout(rd, doc);
        return qn_fail(rd->err, -EINVAL, 0, "no container image: it has no manifest");
}

int qn_images_read(struct qn_cur in, qn_image_wanted *wanted, struct qn_arena *a,
                   struct qn_images *ret, struct qn_err *reterr)
{
        struct reader rd = {
                .a = a, .err = reterr, .wanted = wanted, .ret = ret, .gz = qn_gz_new()
        };
        int r = rd.gz ? 0 : -ENOMEM;

        *ret = (struct qn_images){ 0 };
        if (r == 0)
                r = read_all(&rd, in);
        qn_gz_free(rd.gz);
        if (r < 0 && reterr && !reterr->msg[0])
                qn_fail(reterr, r, 0, "the image is broken");
        return r;
}
