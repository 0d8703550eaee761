#include "observe/nested.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "observe/scan-priv.h"
#include "parse/asar.h"
#include "parse/binfmt.h"
#include "parse/gz.h"
#include "parse/json.h"
#include "parse/tar.h"
#include "parse/zip.h"

struct nested {
        struct qn_scan *s;
        struct qn_str path; /* of the archive */
        const char *format;
        struct qn_gz *gz;
        size_t files, bytes;
        bool full, broken; /* told already */
};

static void report(struct nested *n, const char *what, struct qn_str value)
{
        struct qn_event e = qn_observe_make(QN_EVENT_BINARY_ODD);
        struct qn_site site = { .when = QN_WHEN_LOAD, .root = -1 };

        n->s->path = n->path;
        site.file = n->s->file = qn_graph_find(&n->s->graph, n->path);
        qn_sink_file(&n->s->sink, n->path);
        qn_event_attr(&e, QN_ATTR_WHAT, qn_str_c(what));
        qn_event_attr(&e, QN_ATTR_FORMAT, qn_str_c(n->format));
        qn_event_attr(&e, QN_ATTR_PATH, n->path);
        qn_event_attr(&e, QN_ATTR_VALUE, value);
        qn_site_event(n->s, &site, &e);
}

/* Whether n further bytes may be unpacked; told once when not. */
static bool has_room(struct nested *n, uint64_t bytes)
{
        if (n->full)
                return false;
        if (bytes <= QN_NESTED_MAX - n->bytes && n->files < QN_NESTED_FILES_MAX &&
            n->s->nested_files < QN_NESTED_FILES_TOTAL_MAX &&
            bytes <= QN_NESTED_TOTAL_MAX - n->s->nested_bytes)
                return true;
        n->full = true;
        report(n, "limit", (struct qn_str){ 0 });
        return false;
}

static void report_broken(struct nested *n)
{
        if (!n->broken)
                report(n, "broken", (struct qn_str){ 0 });
        n->broken = true;
}

/* A package inside the package that wants to run something when it is installed. */
static void look_at_manifest(struct nested *n, struct qn_str path, struct qn_cur data)
{
        static const char *const hooks[] = { "preinstall", "install", "postinstall" };
        struct qn_node *root = NULL;

        if (!qn_str_ends(path, "package.json") || qn_str_find(path, QN_STR("node_modules/")) >= 0 ||
            qn_json_parse(data, &n->s->tmp, &root, NULL) < 0)
                return;
        for (size_t i = 0; i < QN_ARRAY_SIZE(hooks); i++) {
                struct qn_str line =
                        qn_node_text(qn_node_get(qn_node_get(root, "scripts"), hooks[i]));

                if (line.n)
                        report(n, "hook", line);
        }
}

static int give(struct nested *n, struct qn_str inner, struct qn_cur data)
{
        _cleanup_(qn_buf_done) struct qn_buf path = QN_BUF_INIT(2 * QN_TAR_NAME_MAX);
        struct qn_scan_file f = { .size = qn_cur_left(&data), .data = data };
        int r;

        while (qn_str_starts(inner, "./"))
                inner = qn_str_skip(inner, 2);
        if (!inner.n || inner.n > QN_TAR_NAME_MAX || inner.p[inner.n - 1] == '/')
                return 0;
        n->files++;
        n->s->nested_files++;
        n->bytes += f.size;
        n->s->nested_bytes += f.size;
        qn_buf_str(&path, n->path);
        qn_buf_puts(&path, "!/");
        qn_buf_str(&path, inner);
        if (qn_buf_error(&path) < 0)
                return 0; /* deeper than any path */
        look_at_manifest(n, inner, data);
        f.path = qn_buf_view(&path);
        n->s->nested++;
        r = qn_scan_file(n->s, &f);
        n->s->nested--;
        return r;
}

/* --- each kind of archive --- */

static int walk_zip(struct nested *n, struct qn_cur in)
{
        struct qn_zip zip;
        struct qn_zip_entry e;
        struct qn_cur data;
        int r = qn_zip_open(in, &zip);

        while (r == 0 && (r = qn_zip_next(&zip, &e)) == 1) {
                if (e.encrypted) {
                        report(n, "encrypted", e.path);
                        return 0; /* the rest will hardly be open */
                }
                r = 0;
                if (!e.size || (e.method != 0 && e.method != 8) || !has_room(n, e.size))
                        continue;
                data = e.data;
                if (e.method == 8 ? qn_gz_inflate_raw(n->gz, e.data, e.size, &data) < 0
                                  : qn_cur_left(&data) != e.size)
                        report_broken(n);
                else
                        r = give(n, e.path, data);
        }
        if (r < 0 && r != -ENOMEM)
                report_broken(n);
        return r == -ENOMEM ? r : 0;
}

static int walk_tar(struct nested *n, struct qn_cur in)
{
        _cleanup_(qn_tar_freep) struct qn_tar *tar = NULL;
        struct qn_tar_entry e;
        int r = qn_tar_open(in, &tar);

        while (r == 0 && (r = qn_tar_next(tar, &e, NULL)) == 1) {
                r = 0;
                if (e.type == QN_TAR_FILE && has_room(n, e.size))
                        r = give(n, e.full, e.data);
        }
        if (r < 0 && r != -ENOMEM)
                report_broken(n);
        return r == -ENOMEM ? r : 0;
}

/* x.tar.gz and x.tgz hold an archive, x.js.gz one file. */
static int walk_gzip(struct nested *n, struct qn_cur in)
{
        struct qn_cur out;
        struct qn_str name = qn_str_skip(n->path, (size_t)(qn_str_rchr(n->path, '/') + 1));
        int r;

        if (!has_room(n, qn_gz_size_hint(in)))
                return 0;
        r = qn_gz_inflate(n->gz, in, QN_NESTED_MAX, &out, NULL);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                report(n, r == -EFBIG ? "limit" : "broken", (struct qn_str){ 0 });
                return 0;
        }
        if (qn_sniff(out, qn_cur_left(&out)) == QN_FORMAT_TAR)
                return walk_tar(n, out);
        if (qn_str_ends(name, ".gz"))
                name.n -= 3;
        return give(n, name, out);
}

static int on_asar(void *ctx, struct qn_str path, struct qn_cur data)
{
        struct nested *n = ctx;

        return has_room(n, qn_cur_left(&data)) ? give(n, path, data) : 0;
}

static int walk_asar(struct nested *n, struct qn_cur in)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)32 << 20);
        int r = qn_asar_walk(in, &a, on_asar, n);

        if (r < 0 && r != -ENOMEM)
                report_broken(n);
        return r == -ENOMEM ? r : 0;
}

/* --- */

bool qn_nested_is(const struct qn_scan_file *f, enum qn_format format)
{
        return qn_format_class(format) == QN_CLASS_ARCHIVE || qn_asar_is(f->data);
}

/* What there is no reader for is told by name. */
static bool is_closed(enum qn_format f)
{
        return f == QN_FORMAT_SEVENZIP || f == QN_FORMAT_RAR || f == QN_FORMAT_XZ ||
               f == QN_FORMAT_BZIP2 || f == QN_FORMAT_ZSTD || f == QN_FORMAT_LZ4 ||
               f == QN_FORMAT_CAB || f == QN_FORMAT_AR;
}

int qn_nested_observe(struct qn_scan *s, const struct qn_scan_file *f)
{
        enum qn_format format = qn_sniff(f->data, f->size);
        struct nested n = { .s = s, .path = s->path, .format = qn_format_name(format) };

        if (s->nested >= QN_NESTED_DEPTH_MAX || f->size != qn_cur_left(&f->data) ||
            is_closed(format)) {
                report(&n, is_closed(format) ? "closed" : "limit", (struct qn_str){ 0 });
                return 0;
        }
        if (!s->nested_gz[s->nested] && !(s->nested_gz[s->nested] = qn_gz_new()))
                return -ENOMEM;
        n.gz = s->nested_gz[s->nested];
        switch (format) {
        case QN_FORMAT_ZIP:
        case QN_FORMAT_JAR:
                return walk_zip(&n, f->data);
        case QN_FORMAT_GZIP:
                return walk_gzip(&n, f->data);
        case QN_FORMAT_TAR:
                return walk_tar(&n, f->data);
        default:
                n.format = "asar";
                return walk_asar(&n, f->data);
        }
}

void qn_nested_done(struct qn_scan *s)
{
        for (size_t i = 0; i < QN_NESTED_DEPTH_MAX; i++)
                s->nested_gz[i] = qn_gz_free(s->nested_gz[i]);
}
