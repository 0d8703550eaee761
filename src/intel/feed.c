#include "intel/feed.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/show.h"
#include "intel/index.h"
#include "intel/record.h"
#include "parse/ghsa.h"
#include "parse/gz.h"
#include "parse/json.h"
#include "parse/listing.h"
#include "parse/own-list.h"
#include "parse/packument.h"
#include "parse/tar.h"
#include "parse/zip.h"

#define KEEP        ((size_t)1 << 20) /* memory kept from one record to the next */
#define PROBLEM_MAX 400u
#define BUNDLE      "qanat bundle 1\n"

struct qn_feed {
        struct qn_arena a; /* of one record, or of one list */
        struct qn_gz *gz;
        struct qn_buf problem;
        struct qn_buf content; /* of one entry of a stream */
        struct qn_feed_counts counts;
        struct qn_str source;
        uint32_t part, parts;
        struct qn_buf *out;
};

int qn_feed_new(struct qn_feed **ret)
{
        struct qn_feed *f = calloc(1, sizeof *f);

        if (!f)
                return -ENOMEM;
        f->a = QN_ARENA_INIT(QN_FEED_ARENA_MAX);
        f->problem = QN_BUF_INIT(PROBLEM_MAX);
        f->content = QN_BUF_INIT(QN_OSV_MAX);
        f->gz = qn_gz_new();
        if (!f->gz) {
                free(f);
                return -ENOMEM;
        }
        *ret = f;
        return 0;
}

struct qn_feed *qn_feed_free(struct qn_feed *f)
{
        if (!f)
                return NULL;
        qn_arena_done(&f->a);
        qn_buf_done(&f->problem);
        qn_buf_done(&f->content);
        qn_gz_free(f->gz);
        free(f);
        return NULL;
}

/* --- records --- */

static void note_problem(struct qn_feed *f, struct qn_str where, const char *what)
{
        f->counts.broken++;
        if (f->problem.n)
                return;
        qn_show(&f->problem, where, 120, 0);
        qn_buf_puts(&f->problem, where.n ? ": " : "");
        qn_show(&f->problem, qn_str_c(what), 200, 0);
}

static bool is_npm(const struct qn_osv *osv)
{
        for (size_t i = 0; i < osv->n_affected; i++)
                if (qn_str_is(osv->affected[i].ecosystem, "npm"))
                        return true;
        return false;
}

static void emit(struct qn_feed *f, const struct qn_osv *osv)
{
        size_t at = f->out->n;
        uint32_t n = 0;

        qn_buf_add(f->out, &n, sizeof n);
        qn_intel_pack(osv, f->out);
        if (qn_buf_error(f->out) < 0)
                return; /* the caller sees it */
        n = (uint32_t)(f->out->n - at - sizeof n);
        memcpy(f->out->p + at, &n, sizeof n);
        f->counts.records++;
        f->counts.malware += osv->malware;
        f->counts.withdrawn += osv->withdrawn.n > 0;
        f->counts.latest_ms = QN_MAX(f->counts.latest_ms, osv->modified_ms);
}

/* Repositories keep what was taken back in a place of its own, with or without the field that says so: withdrawn/npm/NAME/ID.json.
 * Packages may have that name, too. */
static bool lies_withdrawn(struct qn_str path)
{
        bool before = false;

        while (path.n) {
                struct qn_str part = qn_str_cut(&path, '/');

                if (before && qn_str_is(part, "npm"))
                        return true;
                before = qn_str_is(part, "withdrawn");
        }
        return false;
}

static void take(struct qn_feed *f, struct qn_osv *osv, struct qn_str path)
{
        if (!is_npm(osv)) {
                f->counts.foreign++;
                return;
        }
        if (!osv->id.n)
                osv->id = qn_osv_id_of_path(path);
        if (!osv->id.n || osv->id.n > QN_OSV_ID_MAX) {
                note_problem(f, path, "a record without an id");
                return;
        }
        if (qn_str_starts(osv->id, "OWN:")) {
                note_problem(f, path, "an id that only entries of the own list have");
                return;
        }
        osv->malware |= qn_str_starts(osv->id, "MAL-");
        if (!osv->withdrawn.n && lies_withdrawn(path))
                osv->withdrawn = QN_STR("withdrawn");
        emit(f, osv);
}

static int take_doc(struct qn_feed *f, const struct qn_node *doc, struct qn_str path,
                    struct qn_err *reterr)
{
        struct qn_osv *osv;
        int r = qn_ghsa_is(doc) ? qn_ghsa_take(doc, &f->a, &osv, reterr)
                                : qn_osv_take(doc, &f->a, &osv, reterr);

        if (r == 0)
                take(f, osv, path);
        return r;
}

static void take_text(struct qn_feed *f, struct qn_cur text, struct qn_str path)
{
        struct qn_err err = { 0 };
        struct qn_node *doc;

        qn_arena_reset(&f->a, KEEP);
        if (qn_cur_left(&text) > QN_OSV_MAX)
                note_problem(f, path, "larger than any record");
        else if (qn_json_parse(text, &f->a, &doc, &err) < 0 || take_doc(f, doc, path, &err) < 0)
                note_problem(f, path, err.msg);
}

/* A file of an archive: other files than records lie in repositories. */
static void take_file(struct qn_feed *f, struct qn_cur text, struct qn_str path)
{
        struct qn_node *doc;
        struct qn_err err = { 0 };
        int r;

        if (!qn_str_ends(path, ".json")) {
                f->counts.others++;
                return;
        }
        qn_arena_reset(&f->a, KEEP);
        if (qn_cur_left(&text) > QN_OSV_MAX) {
                note_problem(f, path, "larger than any record");
                return;
        }
        r = qn_json_parse(text, &f->a, &doc, &err);
        if (r == 0 && !qn_node_get(doc, "affected") && !qn_node_get(doc, "modified")) {
                f->counts.others++;
                return;
        }
        if (r == 0)
                r = take_doc(f, doc, path, &err);
        if (r < 0)
                note_problem(f, path, err.msg);
}

/* --- archives --- */

static int unpack_entry(struct qn_feed *f, const struct qn_zip_entry *e, struct qn_cur *ret)
{
        int r = e->encrypted ? -ENOTSUP : 0;

        *ret = e->data;
        if (r == 0 && e->method == 8)
                r = qn_gz_inflate_raw(f->gz, e->data, e->size, ret);
        else if (e->method != 0)
                r = -ENOTSUP;
        return r == 0 && qn_gz_crc32(*ret) != e->crc ? -EBADMSG : r;
}

static int pack_zip(struct qn_feed *f, struct qn_cur in, struct qn_err *reterr)
{
        struct qn_zip_entry e;
        struct qn_zip z;
        int r = qn_zip_open(in, &z);
        uint64_t first, last, at = 0;

        if (r < 0)
                return qn_fail(reterr, r, 0,
                               r == -EFBIG ? "the ZIP archive claims more than %u files"
                                           : "the ZIP archive is broken or cut short",
                               QN_ZIP_ENTRIES_MAX);
        first = z.left * f->part / f->parts;
        last = z.left * (f->part + 1u) / f->parts;
        while (at < last && (r = qn_zip_next(&z, &e)) == 1) {
                struct qn_cur text;

                if (at++ < first || qn_str_ends(e.path, "/"))
                        continue;
                if (!qn_str_ends(e.path, ".json"))
                        f->counts.others++;
                else if (e.size > QN_OSV_MAX)
                        note_problem(f, e.path, "larger than any record");
                else if (unpack_entry(f, &e, &text) < 0)
                        note_problem(f, e.path, "cannot be unpacked");
                else
                        take_file(f, text, e.path);
        }
        return r < 0 ? qn_fail(reterr, r, 0, "the ZIP archive is broken or cut short") : 0;
}

static ssize_t read_stream(void *user, void *out, size_t n, struct qn_err *reterr)
{
        return qn_gz_stream_read(user, out, n, reterr);
}

/* The whole content of the current entry of a stream. */
static int read_entry(struct qn_feed *f, struct qn_tar *t, uint64_t size, struct qn_err *reterr)
{
        qn_buf_reset(&f->content);
        if (qn_buf_room(&f->content, size) < 0)
                return -ENOMEM;
        while (f->content.n < size) {
                ssize_t n =
                        qn_tar_read(t, f->content.p + f->content.n, size - f->content.n, reterr);

                if (n <= 0)
                        return n < 0 ? (int)n : -ENODATA;
                f->content.n += (size_t)n;
        }
        return 0;
}

static int walk_tar(struct qn_feed *f, struct qn_tar *t, bool streams, struct qn_err *reterr)
{
        struct qn_tar_entry e;
        int r;

        qn_tar_allow(t, QN_FEED_ENTRIES_MAX);
        while ((r = qn_tar_next(t, &e, reterr)) == 1) {
                struct qn_cur text = e.data;

                if (e.type != QN_TAR_FILE)
                        continue;
                if (e.size > QN_OSV_MAX || !qn_str_ends(e.path, ".json")) {
                        f->counts.others++;
                        continue;
                }
                if (streams && (r = read_entry(f, t, e.size, reterr)) < 0)
                        return r;
                if (streams)
                        text = qn_cur_str(qn_buf_view(&f->content));
                take_file(f, text, e.path);
        }
        return r;
}

static int pack_tar(struct qn_feed *f, struct qn_cur in, struct qn_err *reterr)
{
        _cleanup_(qn_gz_stream_freep) struct qn_gz_stream *stream = NULL;
        _cleanup_(qn_tar_freep) struct qn_tar *t = NULL;
        bool streams = qn_gz_is(in);
        int r = 0;

        if (streams)
                r = qn_gz_stream_new(in, QN_UNPACKED_MAX, &stream);
        if (r == 0)
                r = streams ? qn_tar_open_stream(read_stream, stream, &t) : qn_tar_open(in, &t);
        return r < 0 ? r : walk_tar(f, t, streams, reterr);
}

/* --- bundles --- */

void qn_bundle_begin(struct qn_buf *b)
{
        qn_buf_reset(b);
        qn_buf_puts(b, BUNDLE);
}

void qn_bundle_add(struct qn_buf *b, struct qn_str path, struct qn_str content)
{
        uint32_t sizes[2] = { (uint32_t)path.n, (uint32_t)content.n };

        qn_buf_add(b, sizes, sizeof sizes);
        qn_buf_str(b, path);
        qn_buf_str(b, content);
}

static int pack_bundle(struct qn_feed *f, struct qn_cur in, struct qn_err *reterr)
{
        if (qn_cur_skip(&in, strlen(BUNDLE)) < 0)
                return -EBADMSG;
        while (qn_cur_left(&in)) {
                struct qn_cur path, content;
                uint32_t sizes[2];

                if (qn_cur_le32(&in, &sizes[0]) < 0 || qn_cur_le32(&in, &sizes[1]) < 0 ||
                    qn_cur_take(&in, sizes[0], &path) < 0 ||
                    qn_cur_take(&in, sizes[1], &content) < 0)
                        return qn_fail(reterr, -EBADMSG, 0, "the bundle is cut short");
                take_file(f, content, qn_cur_rest(&path));
        }
        return 0;
}

/* --- JSON: one record, an array, one a line --- */

static int pack_array(struct qn_feed *f, struct qn_cur in, struct qn_str path,
                      struct qn_err *reterr)
{
        struct qn_json_event e;
        struct qn_json j;
        int r = qn_json_init(&j, in, reterr);

        if (r == 0)
                r = qn_json_next(&j, &e, reterr); /* "[" */
        while (r == 0 && (r = qn_json_next(&j, &e, reterr)) == 0) {
                const uint8_t *from = in.p + e.off;

                if (e.kind == QN_JSON_ARRAY_END)
                        return 0;
                r = qn_json_skip_rest(&j, &e, reterr);
                if (r == 0 && e.kind == QN_JSON_OBJECT)
                        take_text(f, (struct qn_cur){ from, j.in.p }, path);
                else if (r == 0)
                        note_problem(f, path, "an element of the array is no record");
        }
        return r;
}

static int pack_lines(struct qn_feed *f, struct qn_cur in, struct qn_str path)
{
        struct qn_str rest = qn_cur_rest(&in);

        while (rest.p) {
                struct qn_str line = qn_str_trim(qn_str_cut(&rest, '\n'));

                if (line.n)
                        take_text(f, qn_cur_str(line), path);
        }
        return 0;
}

static bool is_whole(struct qn_str line)
{
        struct qn_cur c = qn_cur_str(line);
        struct qn_json j;

        return qn_json_init(&j, c, NULL) == 0 && qn_json_skip(&j, NULL) == 0;
}

static int pack_json(struct qn_feed *f, struct qn_cur in, struct qn_str path, struct qn_err *reterr)
{
        struct qn_str text = qn_cur_rest(&in), rest = text,
                      first = qn_str_trim(qn_str_cut(&rest, '\n'));

        if (qn_str_starts(qn_str_trim(text), "["))
                return pack_array(f, in, path, reterr);
        if (qn_str_starts(qn_str_trim(rest), "{") &&
            (is_whole(first) || (qn_str_starts(first, "{") && qn_str_ends(first, "}"))))
                return pack_lines(f, in, path);
        take_text(f, in, path);
        return 0;
}

/* --- lists --- */

struct group {
        struct qn_osv osv;
        size_t versions_cap, indicators_cap;
};

struct groups {
        struct group *v;
        size_t n, cap;
        struct qn_map index;
};

static struct qn_str join(struct qn_arena *a, const char *prefix, struct qn_str x, struct qn_str y)
{
        struct qn_buf b = QN_BUF_INIT(QN_OSV_ID_MAX);
        struct qn_str s;

        qn_buf_puts(&b, prefix);
        qn_buf_str(&b, x);
        qn_buf_byte(&b, '/');
        qn_buf_str(&b, y);
        s = qn_arena_dup(a, qn_buf_view(&b));
        qn_buf_done(&b);
        return s;
}

static struct group *group_of(struct qn_feed *f, struct groups *g, struct qn_str id)
{
        uint32_t at = qn_map_get(&g->index, id);

        if (at != QN_MAP_NONE)
                return &g->v[at];
        if (!id.p || QN_ARENA_ROOM(&f->a, g->v, g->n, g->cap) < 0 ||
            qn_map_add(&g->index, &f->a, id, (uint32_t)g->n, NULL) < 0)
                return NULL;
        g->v[g->n] = (struct group){ .osv = { .id = id,
                                              .malware = true,
                                              .modified_ms = QN_TIME_NONE,
                                              .published_ms = QN_TIME_NONE,
                                              .withdrawn_ms = QN_TIME_NONE,
                                              .expires_ms = QN_TIME_NONE } };
        return &g->v[g->n++];
}

static const struct qn_osv_event from_the_start = { QN_OSV_INTRODUCED, { "0", 1 } };

static int begin_package(struct qn_feed *f, struct group *g, const struct qn_listing_row *row)
{
        struct qn_osv_affected *a = qn_arena_calloc(&f->a, 2, sizeof *a);

        if (!a)
                return -ENOBUFS;
        a->ecosystem = qn_arena_dup(&f->a, row->ecosystem);
        a->name = qn_arena_dup(&f->a, row->name);
        g->osv.affected = a;
        g->osv.n_affected = 1;
        g->osv.summary = join(&f->a, "listed by ", f->source, row->campaign);
        if (!row->campaign.n && g->osv.summary.n)
                g->osv.summary.n--;
        return a->name.p && a->ecosystem.p && g->osv.summary.p ? 0 : -ENOBUFS;
}

static int add_everything(struct qn_feed *f, struct qn_osv_affected *a)
{
        struct qn_osv_range *r = QN_ARENA_NEW(&f->a, struct qn_osv_range);
        struct qn_osv_event *e = QN_ARENA_NEW(&f->a, struct qn_osv_event);

        if (!r || !e)
                return -ENOBUFS;
        *e = from_the_start;
        *r = (struct qn_osv_range){ QN_OSV_SEMVER, e, 1 };
        a->ranges = r;
        a->n_ranges = 1;
        return 0;
}

/* Versions have one block, and all of them another: within one, the versions would win. */
static struct qn_osv_affected *block_for(struct qn_osv *osv, bool everything)
{
        struct qn_osv_affected *a = osv->affected;

        if (everything ? !a->n_versions : !a->n_ranges)
                return a;
        if (osv->n_affected == 1) {
                a[1] = (struct qn_osv_affected){ .ecosystem = a->ecosystem, .name = a->name };
                osv->n_affected = 2;
        }
        return &a[1];
}

static int add_package(struct qn_feed *f, struct groups *all, const struct qn_listing_row *row)
{
        struct group *g = group_of(f, all, join(&f->a, "LIST:", f->source, row->name));
        struct qn_osv_affected *a;
        int r = g ? 0 : -ENOBUFS;

        if (r == 0 && !g->osv.n_affected)
                r = begin_package(f, g, row);
        if (r < 0)
                return r;
        a = block_for(&g->osv, !row->version.n);
        if (!row->version.n)
                return a->n_ranges ? 0 : add_everything(f, a);
        for (size_t i = 0; i < a->n_versions; i++)
                if (qn_str_eq(a->versions[i], row->version))
                        return 0;
        if (QN_ARENA_ROOM(&f->a, a->versions, a->n_versions, g->versions_cap) < 0)
                return -ENOBUFS;
        a->versions[a->n_versions++] = qn_arena_dup(&f->a, row->version);
        return a->versions[a->n_versions - 1].p ? 0 : -ENOBUFS;
}

static int add_indicator(struct qn_feed *f, struct groups *all, const struct qn_listing_row *row)
{
        struct qn_str topic = row->campaign.n ? row->campaign : QN_STR("indicators");
        struct group *g = group_of(
                f, all, qn_str_take(join(&f->a, "LIST:", f->source, topic), QN_OSV_ID_MAX));
        struct qn_indicator i = row->ioc;

        if (!g ||
            QN_ARENA_ROOM(&f->a, g->osv.indicators, g->osv.n_indicators, g->indicators_cap) < 0)
                return -ENOBUFS;
        i.value = qn_arena_dup(&f->a, i.value);
        i.note = qn_arena_dup(&f->a, row->note);
        g->osv.summary = topic;
        g->osv.indicators[g->osv.n_indicators++] = i;
        return i.value.p && i.note.p ? 0 : -ENOBUFS;
}

static int pack_list(struct qn_feed *f, struct qn_cur in, struct qn_str path, struct qn_err *reterr)
{
        struct groups all = { 0 };
        struct qn_listing_row row;
        struct qn_listing l;
        int r = qn_listing_open(in, &l, reterr);

        qn_arena_reset(&f->a, KEEP);
        while (r == 0 && (r = qn_listing_next(&l, &f->a, &row)) == 1) {
                f->counts.rows++;
                if (row.is_package && !qn_str_is(row.ecosystem, "npm")) {
                        f->counts.foreign++;
                        r = 0;
                } else {
                        r = row.is_package ? add_package(f, &all, &row)
                                           : add_indicator(f, &all, &row);
                }
        }
        if (r < 0)
                return r == -ENOBUFS ? qn_fail(reterr, -EFBIG, 0, "the list is too large") : r;
        if (l.skipped) {
                char what[80];

                snprintf(what, sizeof what, "line %zu is not understood", l.first_skipped);
                note_problem(f, path, what);
                f->counts.broken += l.skipped - 1;
        }
        for (size_t i = 0; i < all.n; i++)
                emit(f, &all.v[i].osv);
        return 0;
}

static int pack_own(struct qn_feed *f, struct qn_cur in, struct qn_err *reterr)
{
        struct qn_osv **list;
        size_t n;
        int r;

        if (!qn_str_is(f->source, QN_INTEL_OWN))
                return qn_fail(reterr, -EINVAL, 0,
                               "a list of entries to block and allow is the organisation's own: "
                               "take it in with --source " QN_INTEL_OWN);
        qn_arena_reset(&f->a, KEEP);
        r = qn_own_list_parse(in, &f->a, &list, &n, reterr);
        for (size_t i = 0; r == 0 && i < n; i++)
                emit(f, list[i]);
        return r;
}

/* --- which it is --- */

static bool is_tar(struct qn_cur in)
{
        return qn_cur_left(&in) >= 512 && !memcmp(in.p + 257, "ustar", 5);
}

static int pack_any(struct qn_feed *f, struct qn_cur in, struct qn_str path, struct qn_err *reterr)
{
        struct qn_str s = qn_cur_rest(&in), t = qn_str_trim(qn_str_take(s, 4096));

        if (qn_str_is(f->source, QN_INTEL_OWN) && !qn_own_list_is(s) && qn_str_trim(s).n)
                return qn_fail(reterr, -EINVAL, 0,
                               "the source " QN_INTEL_OWN
                               " is a list of entries that begin with \"- block:\", "
                               "\"- allow:\" or \"- expire:\"");
        if (qn_str_starts(s, BUNDLE))
                return pack_bundle(f, in, reterr);
        if (qn_str_starts(s, "PK\003\004") || qn_str_starts(s, "PK\005\006"))
                return pack_zip(f, in, reterr);
        if (f->part)
                return 0;
        if (qn_gz_is(in) || is_tar(in))
                return pack_tar(f, in, reterr);
        if (qn_str_starts(t, "\xef\xbb\xbf")) {
                t = qn_str_skip(t, 3);
                if (qn_cur_skip(&in, 3) < 0)
                        return -EBADMSG;
        }
        if (qn_str_starts(t, "{") || qn_str_starts(t, "["))
                return pack_json(f, in, path, reterr);
        for (size_t i = 0; i < t.n; i++)
                if (!t.p[i])
                        return qn_fail(reterr, -EINVAL, i,
                                       "neither a ZIP or tar archive, nor JSON, nor a list");
        return qn_own_list_is(s) ? pack_own(f, in, reterr) : pack_list(f, in, path, reterr);
}

bool qn_feed_is_nonsense(const struct qn_feed_counts *c)
{
        return !c->records && !c->foreign && c->broken;
}

static void put_counts(struct qn_feed *f, size_t at)
{
        memcpy(f->out->p + at, &f->counts, sizeof f->counts);
}

int qn_feed_pack(struct qn_feed *f, const struct qn_feed_input *in, struct qn_buf *out,
                 struct qn_err *reterr)
{
        size_t at = out->n;
        int r;

        f->counts = (struct qn_feed_counts){ 0 };
        f->source = in->source;
        f->parts = QN_MAX(in->parts, 1u);
        f->part = QN_MIN(in->part, f->parts - 1);
        f->out = out;
        qn_buf_reset(&f->problem);
        qn_buf_add(out, &f->counts, sizeof f->counts);
        r = pack_any(f, in->bytes, in->path, reterr);
        qn_arena_reset(&f->a, KEEP);
        if (r == 0)
                r = qn_buf_error(out);
        if (r == -ENOBUFS)
                return qn_fail(reterr, -EFBIG, 0, "it holds more records than fit");
        if (r == 0 && f->parts == 1 && qn_feed_is_nonsense(&f->counts))
                return qn_fail(reterr, -EINVAL, 0, "%.*s", QN_STR_ARG(qn_buf_view(&f->problem)));
        if (r < 0)
                return r;
        put_counts(f, at);
        qn_intel_put_text(out, qn_buf_view(&f->problem)); /* behind the records */
        return qn_buf_error(out);
}

/* --- reading it again --- */

int qn_feed_next(struct qn_cur *records, struct qn_cur *ret)
{
        uint32_t n;

        if (!qn_cur_left(records))
                return 0;
        if (qn_cur_le32(records, &n) < 0 || qn_cur_take(records, n, ret) < 0)
                return -EBADMSG;
        return 1;
}

int qn_feed_read(struct qn_cur in, struct qn_feed_result *ret)
{
        struct qn_feed_result res = { 0 };
        struct qn_cur record;

        if (qn_cur_copy(&in, sizeof res.counts, &res.counts) < 0)
                return -EBADMSG;
        res.records = in;
        for (uint64_t i = 0; i < res.counts.records; i++)
                if (qn_feed_next(&in, &record) != 1)
                        return -EBADMSG;
        res.records.end = in.p;
        if (qn_intel_get_text(&in, &res.problem) < 0 || qn_cur_left(&in))
                return -EBADMSG;
        *ret = res;
        return 0;
}
