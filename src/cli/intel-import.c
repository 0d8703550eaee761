#include "cli/intel-import.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/show.h"
#include "base/term.h"
#include "role/analyse.h"
#include "role/pool.h"

#define BUNDLE_MAX ((size_t)32 << 20)  /* bytes of a directory that are read in one go */
#define PART_BYTES ((uint64_t)8 << 20) /* of a file that goes through in parts */
#define PARTS_MAX  64u
#define DEPTH_MAX  16u

struct qn_intel_take {
        const struct qn_intel_import *how;
        struct qn_intel *index;
        struct qn_pool *pool;
        struct qn_intel_imported *ret;
        struct qn_arena a;
        struct qn_intel_source source;
        struct qn_buf bundle;
        size_t bundled; /* files in it */
        struct qn_progress progress;
        size_t files;
        unsigned open; /* jobs without an answer */
        int r;
};

/* --- what a role read --- */

static void add_counts(struct qn_feed_counts *sum, const struct qn_feed_counts *c)
{
        sum->records += c->records;
        sum->malware += c->malware;
        sum->withdrawn += c->withdrawn;
        sum->foreign += c->foreign;
        sum->others += c->others;
        sum->broken += c->broken;
        sum->rows += c->rows;
        sum->latest_ms = QN_MAX(sum->latest_ms, c->latest_ms);
}

static int take(struct qn_intel_take *im, struct qn_cur reply)
{
        struct qn_feed_result res;
        struct qn_buf b = QN_BUF_INIT(sizeof im->ret->problem - 1);
        struct qn_cur record;
        int r = qn_feed_read(reply, &res);

        if (r < 0)
                return r;
        add_counts(&im->ret->feed, &res.counts);
        if (res.problem.n && !im->ret->problem[0]) {
                qn_show(&b, res.problem, sizeof im->ret->problem - 1, 0);
                snprintf(im->ret->problem, sizeof im->ret->problem, "%.*s",
                         QN_STR_ARG(qn_buf_view(&b)));
                qn_buf_done(&b);
        }
        r = qn_intel_learn(im->index, res.records, res.counts.records);
        if (r < 0)
                return r;
        while ((r = qn_feed_next(&res.records, &record)) == 1) {
                r = qn_intel_put(im->index, record);
                if (r < 0)
                        return r;
        }
        return r;
}

static void on_reply(void *ctx, const struct qn_pool_result *res)
{
        struct qn_intel_take *im = ctx;

        im->open--;
        if (im->r < 0)
                return;
        if (res->status == QN_POOL_OK)
                im->r = take(im, res->reply);
        else
                im->r = res->code < 0 ? res->code : -EBADMSG;
        if (res->status != QN_POOL_OK)
                snprintf(im->ret->problem, sizeof im->ret->problem, "%.200s", res->why);
}

/* Owns the descriptor of the job. */
static int submit(struct qn_intel_take *im, struct qn_pool_job *job, const struct qn_feed_input *in)
{
        struct qn_buf params = QN_BUF_INIT(QN_ROLE_MESSAGE_MAX / 2);
        int r;

        qn_analyse_write_feed(&params, in);
        job->kind = QN_JOB_FEED;
        job->params = qn_buf_view(&params);
        job->wall_ns = (uint64_t)QN_FEED_SECONDS * 3 * in->parts * 1000000000u;
        job->done = on_reply;
        job->ctx = im;
        r = qn_pool_submit(im->pool, job);
        if (r == 0)
                im->open++;
        else if (job->input_fd >= 0)
                close(job->input_fd);
        qn_buf_done(&params);
        return r;
}

/* Until all has been answered: 0 or -errno, with the problem told. */
static int finish(struct qn_intel_take *im, int r)
{
        struct qn_err err = { 0 };

        while (r >= 0 && im->open)
                r = qn_pool_poll(im->pool, -1, &err);
        if (r >= 0)
                return im->r;
        if (!im->ret->problem[0])
                snprintf(im->ret->problem, sizeof im->ret->problem, "%.150s",
                         err.msg[0] ? err.msg : strerror(-r));
        return r;
}

/* A large archive goes through in parts: one is stored while the next is read, and neither process holds all of it. */
int qn_intel_take_file(struct qn_intel_take *im, const char *path, int fd, uint64_t size)
{
        struct qn_feed_input in = { .source = im->ret->source, .path = qn_str_c(path) };
        struct qn_feed_counts before = im->ret->feed;
        int r = 0;

        im->ret->feed = (struct qn_feed_counts){ 0 };
        in.parts = (uint32_t)QN_MIN(size / PART_BYTES + 1, (uint64_t)PARTS_MAX);
        for (; r == 0 && in.part < in.parts; in.part++) {
                struct qn_pool_job job = { .input_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3) };

                r = job.input_fd < 0 ? -errno : submit(im, &job, &in);
        }
        close(fd);
        r = finish(im, r);
        if (r == 0 && qn_feed_is_nonsense(&im->ret->feed))
                r = -EINVAL;
        add_counts(&im->ret->feed, &before);
        return r;
}

int qn_intel_take_flush(struct qn_intel_take *im)
{
        struct qn_pool_job job = { .input_fd = -1 };
        int r;

        if (!im->bundled)
                return 0;
        job.input = qn_cur_str(qn_buf_view(&im->bundle));
        r = finish(im, submit(im, &job,
                              &(struct qn_feed_input){ .source = im->ret->source,
                                                       .path = QN_STR("directory"),
                                                       .parts = 1 }));
        qn_bundle_begin(&im->bundle);
        im->bundled = 0;
        return r;
}

/* --- directories --- */

static int add_file(struct qn_intel_take *im, int dir, const char *name, const char *path)
{
        _cleanup_(qn_closep) int fd =
                openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        struct qn_buf text = QN_BUF_INIT(QN_OSV_MAX);
        struct stat st;
        int r;

        if (fd < 0 || fstat(fd, &st) < 0)
                return log_err(-errno, "%s: %s", path, strerror(errno));
        if (!S_ISREG(st.st_mode))
                return 0;
        r = qn_io_read_fd(fd, &text);
        if (r == 0) {
                qn_progress_step(&im->progress, ++im->files, 0, qn_str_c(path));
                r = qn_intel_take_text(im, qn_str_c(path), qn_buf_view(&text));
        } else if (r == -EFBIG) {
                im->ret->feed.broken++;
                r = 0;
        }
        qn_buf_done(&text);
        return r;
}

static int walk(struct qn_intel_take *im, int fd, char *path, size_t room, unsigned depth);

static int visit(struct qn_intel_take *im, int dir, const struct dirent *e, char *path, size_t room,
                 unsigned depth)
{
        size_t was = strlen(path);
        int n, r = 0, fd;

        if (e->d_name[0] == '.')
                return 0;
        n = snprintf(path + was, room - was, "/%s", e->d_name);
        if (n < 0 || (size_t)n >= room - was) {
                path[was] = '\0';
                return 0;
        }
        if (qn_str_ends(qn_str_c(e->d_name), ".json")) {
                r = add_file(im, dir, e->d_name, path);
        } else if (depth < DEPTH_MAX) {
                fd = openat(dir, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
                if (fd >= 0)
                        r = walk(im, fd, path, room, depth + 1);
        }
        path[was] = '\0';
        return r;
}

/* Owns fd.  In the order of names, so that the same tree gives the same index. */
static int walk(struct qn_intel_take *im, int fd, char *path, size_t room, unsigned depth)
{
        struct dirent **names = NULL;
        int n = scandirat(fd, ".", &names, NULL, alphasort), r = n < 0 ? -errno : 0;

        for (int i = 0; i < n; i++) {
                if (r == 0)
                        r = visit(im, fd, names[i], path, room, depth);
                free(names[i]);
        }
        free(names);
        close(fd);
        return r;
}

static int import_dir(struct qn_intel_take *im, const char *dir, int fd)
{
        char path[4096];
        int r;

        snprintf(path, sizeof path, "%.2000s", dir);
        r = walk(im, fd, path, sizeof path, 0);
        return r == 0 ? qn_intel_take_flush(im) : r;
}

/* --- in pieces --- */

/* "feeds/Bad Packages.csv" → "bad-packages".  Records of their own are nobody's list: they are "local". */
static struct qn_str source_of(const char *path)
{
        struct qn_str s = qn_str_c(path);
        ptrdiff_t at = qn_str_rchr(s, '/');

        if (at >= 0)
                s = qn_str_skip(s, (size_t)at + 1);
        at = qn_str_rchr(s, '.');
        if (at <= 0 || qn_str_ends(s, ".json") || qn_str_ends(s, ".jsonl"))
                return QN_STR("local");
        s = qn_str_take(s, (size_t)at);
        return qn_str_ieq(s, QN_STR(QN_INTEL_OWN)) ? QN_STR("local") : s; /* that must be said */
}

static void name_source(struct qn_intel_imported *ret, struct qn_str s)
{
        size_t n = 0;

        for (size_t i = 0; i < s.n && n < QN_INTEL_SOURCE_NAME_MAX; i++) {
                char c = (char)tolower((unsigned char)s.p[i]);

                ret->buffer[n++] = isalnum((unsigned char)c) || c == '.' || c == '_' ? c : '-';
        }
        ret->buffer[n] = '\0';
        ret->source = (struct qn_str){ ret->buffer, n };
}

static int tell_problem(struct qn_intel_take *im, int r)
{
        if (!im->ret->problem[0])
                snprintf(im->ret->problem, sizeof im->ret->problem, "%s", strerror(-r));
        return r;
}

static int open_all(struct qn_intel_take *im)
{
        const struct qn_pool_config config = { .def = &qn_role_analyse, /* without tables */
                                               .cache_dir = im->how->cache_dir,
                                               .workers = 1,
                                               .no_sandbox = im->how->no_sandbox,
                                               .done = on_reply };
        struct qn_err err = { 0 };
        int r = qn_intel_open_writer(im->how->intel_dir, &im->index, &err);

        if (r == 0)
                r = qn_pool_new(&config, &im->pool, &err);
        if (r < 0)
                return log_err(r, "%s", err.msg[0] ? err.msg : strerror(-r));
        r = qn_intel_source(im->index, im->ret->source, &im->a, &im->source);
        if (r == -ENOSPC)
                return log_err(r,
                               "the index has %u sources already: name one of them with --source",
                               QN_INTEL_SOURCES_MAX);
        return r < 0 ? log_err(r, "%.*s: %s", QN_STR_ARG(im->ret->source), strerror(-r)) : 0;
}

int qn_intel_take_begin(const struct qn_intel_import *how, struct qn_intel_imported *ret,
                        struct qn_intel_take **ret_take)
{
        struct qn_intel_take *im = calloc(1, sizeof *im);
        int r;

        if (!im)
                return log_err(-ENOMEM, "%s", strerror(ENOMEM));
        im->how = how;
        im->ret = ret;
        im->a = QN_ARENA_INIT((size_t)1 << 20);
        im->bundle = QN_BUF_INIT(BUNDLE_MAX + QN_OSV_MAX * 2);
        *ret = (struct qn_intel_imported){ 0 };
        name_source(ret, how->source);
        r = open_all(im);
        if (r < 0)
                qn_intel_take_end(im);
        else
                *ret_take = im;
        return r;
}

struct qn_intel_take *qn_intel_take_end(struct qn_intel_take *im)
{
        if (!im)
                return NULL;
        qn_pool_free(im->pool);
        qn_intel_close(im->index);
        qn_buf_done(&im->bundle);
        qn_arena_done(&im->a);
        free(im);
        return NULL;
}

struct qn_intel_source *qn_intel_take_source(struct qn_intel_take *im)
{
        return &im->source;
}

struct qn_pool *qn_intel_take_pool(struct qn_intel_take *im)
{
        return im->pool;
}

int qn_intel_take_start(struct qn_intel_take *im, bool whole)
{
        int r;

        qn_bundle_begin(&im->bundle);
        im->bundled = 0;
        im->r = 0;
        r = qn_intel_begin(im->index, &im->source, whole);
        return r < 0 ? tell_problem(im, r) : 0;
}

int qn_intel_take_path(struct qn_intel_take *im, const char *path)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), r;
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0) {
                r = -errno;
                qn_closep(&fd);
                return tell_problem(im, r);
        }
        if (S_ISDIR(st.st_mode))
                return import_dir(im, path, fd);
        if (S_ISREG(st.st_mode))
                return qn_intel_take_file(im, path, fd, (uint64_t)st.st_size);
        close(fd);
        snprintf(im->ret->problem, sizeof im->ret->problem, "neither a file nor a directory");
        return -EINVAL;
}

int qn_intel_take_text(struct qn_intel_take *im, struct qn_str path, struct qn_str text)
{
        int r;

        qn_bundle_add(&im->bundle, path, text);
        im->bundled++;
        r = qn_buf_error(&im->bundle);
        if (r < 0)
                return tell_problem(im, r);
        return im->bundle.n > BUNDLE_MAX ? qn_intel_take_flush(im) : 0;
}

void qn_intel_take_forget(struct qn_intel_take *im)
{
        im->source.etag = im->source.changes_etag = im->source.position = QN_STR("");
}

int qn_intel_take_commit(struct qn_intel_take *im)
{
        struct qn_intel_counts counts = { 0 }, *sum = &im->ret->index;
        struct qn_err err = { 0 };
        int r = qn_intel_take_flush(im);

        if (r < 0)
                return log_err(r, "%.*s: not taken over: %s", QN_STR_ARG(im->ret->source),
                               im->ret->problem);
        im->source.updated_s = (uint64_t)time(NULL);
        r = qn_intel_commit(im->index, &im->source, im->how->force, &counts, &err);
        if (r < 0)
                return log_err(r, "%s", err.msg[0] ? err.msg : strerror(-r));
        sum->added += counts.added;
        sum->changed += counts.changed;
        sum->same += counts.same;
        sum->removed += counts.removed;
        return 0;
}

/* --- the whole --- */

static int run(struct qn_intel_take *im, const char *path)
{
        int r = qn_intel_take_start(im, im->how->whole);

        qn_progress_begin(&im->progress, "reading", im->how->quiet);
        if (r == 0)
                r = qn_intel_take_path(im, path);
        qn_progress_clear(&im->progress);
        if (r < 0)
                return log_err(r, "%s: not taken over: %s", path,
                               im->ret->problem[0] ? im->ret->problem : strerror(-r));
        im->source.from = qn_str_c(path);
        qn_intel_take_forget(im);
        return qn_intel_take_commit(im);
}

int qn_intel_import(const struct qn_intel_import *how, const char *path,
                    struct qn_intel_imported *ret)
{
        struct qn_intel_import named = *how;
        struct qn_intel_take *im = NULL;
        int r;

        if (!named.source.n)
                named.source = source_of(path);
        r = qn_intel_take_begin(&named, ret, &im);
        if (r == 0)
                r = run(im, path);
        qn_intel_take_end(im);
        return r;
}
