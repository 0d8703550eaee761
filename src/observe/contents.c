#include "observe/contents.h"

#include <errno.h>

#include "base/hash.h"
#include "base/limits.h"
#include "observe/archive.h"
#include "parse/gz.h"
#include "parse/pkgjson.h"
#include "parse/zip.h"

#define MODULES "node_modules/"

struct reader {
        struct qn_gz *gz;
        struct qn_arena *a;
        struct qn_contents *ret;
        struct qn_err *err;
        struct qn_buf room;
        size_t cap;
};

static int read_package(struct reader *rd, struct qn_cur data)
{
        struct qn_str copy = qn_arena_dup(rd->a, qn_cur_rest(&data));
        struct qn_pkgjson *p;
        int r = copy.p ? qn_pkgjson_parse(qn_cur_str(copy), rd->a, &p, NULL) : -ENOBUFS;

        if (r < 0)
                return r == -ENOBUFS ? r : 0; /* then it has no name */
        rd->ret->name = p->name.text;
        rd->ret->version = p->version.text;
        return 0;
}

/* What a package brings along in its own node_modules is not its own. */
static int take_file(struct reader *rd, struct qn_str path, struct qn_cur data)
{
        struct qn_contents *c = rd->ret;
        struct qn_content_id id;
        int r;

        if (!qn_content_counts(path) || qn_str_find(path, QN_STR(MODULES)) >= 0 ||
            c->n == QN_CONTENT_FILES_MAX)
                return 0;
        if (qn_str_is(path, "package.json")) {
                r = read_package(rd, data);
                if (r < 0)
                        return r;
        } else if (qn_str_is(qn_str_base(path), "package.json")) {
                return 0;
        }
        r = qn_content_id(qn_cur_rest(&data), &rd->room, &id);
        if (r <= 0)
                return r == -EFBIG ? 0 : r;
        if (QN_ARENA_ROOM(rd->a, c->files, c->n, rd->cap) < 0)
                return -ENOBUFS;
        c->files[c->n] = (struct qn_content_file){ qn_arena_dup(rd->a, path), id };
        return c->files[c->n++].path.p ? 0 : -ENOBUFS;
}

static int read_tar(struct reader *rd, struct qn_cur in)
{
        struct qn_archive archive = { 0 };
        struct qn_tar_entry e;
        struct qn_content content;
        int r = qn_archive_open(&archive, rd->gz, in);

        if (r == 0)
                r = qn_archive_rewind(&archive);
        while (r == 0 && (r = qn_archive_next(&archive, &e, rd->err)) == 1) {
                r = 0;
                if (e.type != QN_TAR_FILE || !qn_content_counts(e.path))
                        continue;
                r = qn_archive_content(&archive, &e, &content, rd->err);
                if (r == 0 && content.whole)
                        r = take_file(rd, e.path, content.data);
        }
        qn_archive_close(&archive);
        qn_archive_done(&archive);
        return r;
}

/* "node_modules/@s/a/lib/x.js" → "lib/x.js" */
static struct qn_str in_package(struct qn_str path)
{
        if (!qn_str_starts(path, MODULES))
                return (struct qn_str){ NULL, 0 };
        path = qn_str_skip(path, strlen(MODULES));
        if (qn_str_starts(path, "@"))
                qn_str_cut(&path, '/');
        qn_str_cut(&path, '/');
        return path;
}

static int unzip(struct reader *rd, const struct qn_zip_entry *e, struct qn_cur *ret)
{
        *ret = e->data;
        if (e->encrypted || e->size > QN_FILE_MAX || (e->method && e->method != 8))
                return 0;
        return e->method ? qn_gz_inflate_raw(rd->gz, e->data, e->size, ret) == 0 : 1;
}

static int read_zip(struct reader *rd, struct qn_cur in)
{
        struct qn_zip zip;
        struct qn_zip_entry e;
        int r = qn_zip_open(in, &zip);

        while (r == 0 && (r = qn_zip_next(&zip, &e)) == 1) {
                struct qn_str path = in_package(e.path);
                struct qn_cur data;

                r = 0;
                if (path.n && qn_content_counts(path) && unzip(rd, &e, &data))
                        r = take_file(rd, path, data);
        }
        return r;
}

static int add_integrity(struct reader *rd, struct qn_cur in)
{
        uint8_t digest[QN_DIGEST_BYTES_MAX];
        int r = qn_digest(QN_SHA512, in.p, qn_cur_left(&in), digest);

        qn_buf_reset(&rd->room);
        qn_buf_puts(&rd->room, "sha512-");
        qn_base64_encode(&rd->room, digest, qn_digest_size(QN_SHA512));
        if (r == 0)
                r = qn_buf_error(&rd->room);
        rd->ret->integrity = qn_arena_dup(rd->a, qn_buf_view(&rd->room));
        return r < 0 ? r : rd->ret->integrity.p ? 0 : -ENOBUFS;
}

int qn_contents_read(struct qn_gz *gz, struct qn_cur in, struct qn_arena *a,
                     struct qn_contents *ret, struct qn_err *reterr)
{
        struct qn_contents c = { 0 };
        struct reader rd = {
                .gz = gz, .a = a, .ret = &c, .err = reterr, .room = QN_BUF_INIT(QN_FILE_MAX)
        };
        bool zip = qn_str_starts(qn_cur_rest(&in), "PK\3\4");
        int r = zip ? read_zip(&rd, in) : read_tar(&rd, in);

        if (r == 0 && qn_gz_is(in))
                r = add_integrity(&rd, in);
        qn_buf_done(&rd.room);
        if (r == 0 && (!c.name.n || !c.version.n))
                r = qn_fail(reterr, -EINVAL, 0, "no package with a name and a version");
        if (r == 0)
                *ret = c;
        return r;
}
