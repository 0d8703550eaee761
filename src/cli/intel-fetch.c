#include "cli/intel-fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/term.h"
#include "cli/npm-reader.h"
#include "net/http-conf.h"
#include "net/npmconf.h"
#include "net/url.h"
#include "role/fetch.h"

#define ACCEPT QN_STR("application/vnd.github+json, application/json;q=0.9, */*;q=0.8")

struct qn_intel_fetch {
        struct qn_npmconf *npm;
        struct qn_fetch *fetch;
        struct qn_arena a; /* of the last answer */
        struct qn_buf body;
        char *dir;
        bool quiet;
};

int qn_intel_fetch_new(const struct qn_intel_fetch_config *config, struct qn_intel_fetch **ret)
{
        struct qn_intel_fetch *f = calloc(1, sizeof *f);
        struct qn_http_opts o;
        int r;

        if (!f)
                return log_err(-ENOMEM, "%s", strerror(ENOMEM));
        f->quiet = config->quiet;
        f->a = QN_ARENA_INIT((size_t)1 << 20);
        f->body = QN_BUF_INIT(QN_OSV_MAX);
        if (asprintf(&f->dir, "%s/intel", config->cache_dir) < 0) {
                f->dir = NULL;
                qn_intel_fetch_free(f);
                return log_err(-ENOMEM, "%s", strerror(ENOMEM));
        }
        r = qn_npm_network(config->pool, config->cache_dir, &f->npm);
        if (r == 0 && (r = qn_io_mkdirs(f->dir)) < 0)
                log_err(r, "%s: %s", f->dir, strerror(-r));
        if (r == 0) {
                o = qn_http_opts_of(f->npm);
                r = qn_fetch_new(&o, config->no_sandbox, &f->fetch);
                if (r < 0)
                        log_err(r, "%s", strerror(-r));
        }
        if (r < 0)
                qn_intel_fetch_free(f);
        else
                *ret = f;
        return r;
}

struct qn_intel_fetch *qn_intel_fetch_free(struct qn_intel_fetch *f)
{
        if (!f)
                return NULL;
        qn_fetch_free(f->fetch);
        qn_npmconf_free(f->npm);
        qn_arena_done(&f->a);
        qn_buf_done(&f->body);
        free(f->dir);
        free(f);
        return NULL;
}

/* --- one answer --- */

struct answer {
        struct qn_arena *a;
        bool done;
        enum qn_http_code code;
        int status, fd;
        uint64_t size, total;
        struct qn_str etag, link;
        char *problem;
        size_t problem_size;
};

static struct qn_str keep(struct qn_arena *a, struct qn_str s)
{
        return s.n ? qn_arena_dup(a, s) : (struct qn_str){ 0 };
}

static void on_answer(struct qn_http_result *res, void *user)
{
        struct answer *ans = user;

        ans->done = true;
        ans->code = res->code;
        ans->status = res->status;
        ans->size = res->size;
        ans->total = res->total;
        ans->fd = TAKE_FD(res->fd);
        ans->etag = keep(ans->a, res->etag);
        ans->link = keep(ans->a, res->link);
        if (res->code != QN_HTTP_OK && ans->problem)
                snprintf(ans->problem, ans->problem_size, "%s", res->message);
}

static int bearer(struct qn_intel_fetch *f, struct qn_str token, struct qn_str *ret)
{
        struct qn_buf b = QN_BUF_INIT(8192);

        *ret = (struct qn_str){ 0 };
        if (!token.n)
                return 0;
        qn_buf_printf(&b, "Bearer %.*s", QN_STR_ARG(token));
        *ret = qn_arena_dup(&f->a, qn_buf_view(&b));
        qn_buf_done(&b);
        return ret->p ? 0 : -ENOBUFS;
}

static int ask(struct qn_intel_fetch *f, const struct qn_http_request *q, struct answer *ans)
{
        struct qn_err err = { 0 };
        int r;

        ans->a = &f->a;
        ans->fd = -1;
        r = qn_fetch_get(f->fetch, q, on_answer, ans);
        while (r >= 0 && !ans->done)
                r = qn_fetch_poll(f->fetch, -1, &err);
        if (r < 0 && ans->problem && !ans->problem[0])
                snprintf(ans->problem, ans->problem_size, "%s",
                         err.msg[0] ? err.msg : strerror(-r));
        if (r >= 0 && ans->code != QN_HTTP_OK)
                r = qn_http_code_errno(ans->code);
        if (r < 0)
                qn_closep(&ans->fd);
        return r < 0 ? r : 0;
}

/* --- a file in pieces --- */

/* What came so far, and of what: its etag, how large it is, its address. */
struct partial {
        char path[4096], tag[4096];
        int fd;
        uint64_t have, total;
        struct qn_str etag; /* empty: what is there is of no use */
};

/* All of it came, and was not taken over. */
static bool is_complete(const struct partial *p)
{
        return p->have && p->have == p->total;
}

static void name_partial(const struct qn_intel_fetch *f, const char *name, struct partial *p)
{
        snprintf(p->path, sizeof p->path, "%s/%s.part", f->dir, name);
        snprintf(p->tag, sizeof p->tag, "%s/%s.tag", f->dir, name);
}

void qn_intel_fetch_forget(struct qn_intel_fetch *f, const char *name)
{
        struct partial p;

        name_partial(f, name, &p);
        unlink(p.tag);
        unlink(p.path);
}

static int open_partial(struct qn_intel_fetch *f, const struct qn_intel_get *get, struct partial *p)
{
        struct qn_buf tag = QN_BUF_INIT(QN_URL_MAX + 1024);
        struct qn_str text;
        struct stat st;

        *p = (struct partial){ .fd = -1 };
        name_partial(f, get->name, p);
        p->fd = open(p->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (p->fd < 0 || fstat(p->fd, &st) < 0)
                return -errno;
        if (flock(p->fd, LOCK_EX | LOCK_NB) < 0)
                return -EBUSY; /* another process downloads it */
        if (qn_io_read(p->tag, &tag) == 0) {
                text = qn_buf_view(&tag);
                p->etag = keep(&f->a, qn_str_cut(&text, '\n'));
                if (qn_str_eq(qn_str_cut(&text, '\n'), get->url) && p->etag.n &&
                    qn_str_u64(qn_str_cut(&text, '\n'), &p->total) == 0)
                        p->have = QN_MIN((uint64_t)st.st_size, p->total);
        }
        qn_buf_done(&tag);
        return 0;
}

static int restart(struct partial *p)
{
        p->have = 0;
        return ftruncate(p->fd, 0) < 0 ? -errno : 0;
}

/* Only a strong validator says that pieces belong together (RFC 9110, 13.1.5). */
static bool is_strong(struct qn_str etag)
{
        return etag.n && etag.p[0] == '"';
}

static int write_tag(struct partial *p, const struct qn_intel_get *get, const struct answer *ans)
{
        struct qn_buf b = QN_BUF_INIT(QN_URL_MAX + 1024);
        int r;

        p->etag = ans->etag;
        p->total = ans->status == 206 ? ans->total : ans->size;
        qn_buf_printf(&b, "%.*s\n%.*s\n%llu\n", QN_STR_ARG(p->etag), QN_STR_ARG(get->url),
                      (unsigned long long)p->total);
        r = qn_buf_error(&b);
        if (r == 0)
                r = qn_io_replace(p->tag, qn_buf_view(&b));
        qn_buf_done(&b);
        return r;
}

static int append(struct partial *p, int fd, uint64_t size)
{
        off_t at = 0;

        if (lseek(p->fd, (off_t)p->have, SEEK_SET) < 0 || ftruncate(p->fd, (off_t)p->have) < 0)
                return -errno;
        while ((uint64_t)at < size) {
                ssize_t n = sendfile(p->fd, fd, &at, size - (uint64_t)at);

                if (n <= 0)
                        return n < 0 ? -errno : -EIO;
        }
        p->have += size;
        return 0;
}

static int hand_over(struct partial *p, struct qn_intel_got *ret)
{
        ret->size = p->have;
        ret->fd = open(p->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        return ret->fd < 0 ? -errno : 0;
}

enum step { STEP_MORE, STEP_DONE, STEP_UNCHANGED };

/* A piece, or all of it from a server that knows no pieces. */
static int take_answer(struct partial *p, const struct qn_intel_get *get, struct answer *ans,
                       enum step *ret)
{
        int r = 0;

        *ret = STEP_DONE;
        if (ans->status == 304) {
                *ret = is_complete(p) ? STEP_DONE : STEP_UNCHANGED;
                return 0;
        }
        if (is_complete(p))
                p->have = 0;
        if (ans->status == 206 && p->have && !qn_str_eq(ans->etag, p->etag)) {
                *ret = STEP_MORE; /* it is another one now: from the beginning */
                return restart(p);
        }
        if (ans->status != 206 || !p->have) {
                r = restart(p);
                if (r == 0 && is_strong(ans->etag))
                        r = write_tag(p, get, ans);
        }
        if (r == 0)
                r = append(p, ans->fd, ans->size);
        if (r == 0 && ans->status == 206 && p->have < ans->total)
                *ret = STEP_MORE;
        return r;
}

/* "<https://host/x?page=2>; rel=\"next\", <…>; rel=\"last\"" (RFC 8288), of the same server. */
static struct qn_str next_page(struct qn_intel_fetch *f, struct qn_str link, struct qn_str url)
{
        struct qn_url here, there;

        while (link.p) {
                struct qn_str one = qn_str_trim(qn_str_cut(&link, ',')), address;

                if (!qn_str_starts(one, "<"))
                        continue;
                one = qn_str_skip(one, 1);
                address = qn_str_cut(&one, '>');
                if (!memmem(one.p, one.n, "rel=\"next\"", 10))
                        continue;
                if (qn_url_parse(address, &f->a, &there, NULL) == 0 &&
                    qn_url_parse(url, &f->a, &here, NULL) == 0 && qn_url_same_origin(&here, &there))
                        return qn_arena_dup(&f->a, address);
        }
        return (struct qn_str){ 0 };
}

/* One request: from where we are on, or everything when the server gives no strong validator. */
static int ask_piece(struct qn_intel_fetch *f, const struct qn_intel_get *get, struct partial *p,
                     bool pieces, struct qn_intel_got *ret, struct answer *ans)
{
        struct qn_http_request q = { .url = get->url,
                                     .accept = ACCEPT,
                                     .etag = is_complete(p) ? p->etag
                                             : p->have      ? (struct qn_str){ 0 }
                                                            : get->etag,
                                     .from = is_complete(p) ? 0 : p->have,
                                     .bytes = pieces ? QN_FEED_PIECE : 0,
                                     .max = QN_FEED_DOWNLOAD_MAX,
                                     .compressed = !pieces };
        int r = bearer(f, get->token, &q.authorization);

        *ans = (struct answer){ .problem = ret->problem, .problem_size = sizeof ret->problem };
        return r == 0 ? ask(f, &q, ans) : r;
}

static int download(struct qn_intel_fetch *f, const struct qn_intel_get *get, struct partial *p,
                    struct qn_intel_got *ret)
{
        struct qn_progress progress;
        enum step step = STEP_MORE;
        bool pieces = true, again = false;
        int r = 0;

        qn_progress_begin(&progress, "fetching (MB)", f->quiet);
        while (r == 0 && step == STEP_MORE) {
                struct answer ans;

                r = ask_piece(f, get, p, pieces, ret, &ans);
                if (ans.status == 416 && p->have && !again) { /* shorter than what we have */
                        again = true;
                        ret->problem[0] = '\0';
                        r = restart(p);
                        continue;
                }
                if (r == 0 && ans.status == 206 && (!is_strong(ans.etag) || !ans.total)) {
                        pieces = false; /* nothing says that pieces would belong together */
                        r = restart(p);
                } else if (r == 0) {
                        r = take_answer(p, get, &ans, &step);
                }
                qn_closep(&ans.fd);
                ret->etag = ans.status == 304 ? p->etag : ans.etag;
                if (step == STEP_DONE)
                        ret->next = next_page(f, ans.link, get->url);
                if (p->have > QN_FEED_DOWNLOAD_MAX)
                        r = -EFBIG;
                qn_progress_step(&progress, p->have >> 20, ans.total >> 20, qn_str_c(get->name));
        }
        qn_progress_clear(&progress);
        ret->unchanged = step == STEP_UNCHANGED;
        return r;
}

int qn_intel_fetch_file(struct qn_intel_fetch *f, const struct qn_intel_get *get,
                        struct qn_intel_got *ret)
{
        struct partial p;
        int r;

        *ret = (struct qn_intel_got){ .fd = -1 };
        qn_arena_reset(&f->a, 1 << 16);
        r = open_partial(f, get, &p);
        if (r == 0)
                r = download(f, get, &p, ret);
        if (r == 0 && !ret->unchanged)
                r = hand_over(&p, ret);
        qn_closep(&p.fd);
        if (r < 0 && !ret->problem[0])
                snprintf(ret->problem, sizeof ret->problem, "%.300s: %s", p.path, strerror(-r));
        return r;
}

/* --- many --- */

static int read_body(struct qn_intel_fetch *f, const struct answer *ans)
{
        qn_buf_reset(&f->body);
        return qn_io_read_fd(ans->fd, &f->body);
}

static int request_all(struct qn_intel_fetch *f, const struct qn_str *urls, size_t n,
                       struct qn_str token, struct answer *answers)
{
        struct qn_str authorization;
        struct qn_err err = { 0 };
        int r = bearer(f, token, &authorization);

        for (size_t i = 0; r == 0 && i < n; i++) {
                const struct qn_http_request q = { .url = urls[i],
                                                   .accept = ACCEPT,
                                                   .authorization = authorization,
                                                   .max = QN_OSV_MAX,
                                                   .compressed = true };

                answers[i].a = &f->a;
                answers[i].fd = -1;
                r = qn_fetch_get(f->fetch, &q, on_answer, &answers[i]);
        }
        while (r >= 0)
                if ((r = qn_fetch_poll(f->fetch, -1, &err)) == 0)
                        break;
        return r < 0 ? r : 0;
}

int qn_intel_fetch_many(struct qn_intel_fetch *f, const struct qn_str *urls, size_t n,
                        struct qn_str token, qn_intel_fetched *fn, void *ctx, char *problem,
                        size_t problem_size)
{
        struct answer *answers = calloc(n + 1, sizeof *answers);
        int r;

        if (!answers)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                answers[i].fd = -1;
                answers[i].problem = problem;
                answers[i].problem_size = problem_size;
        }
        qn_arena_reset(&f->a, 1 << 16);
        r = request_all(f, urls, n, token, answers);
        for (size_t i = 0; i < n; i++) {
                struct answer *ans = &answers[i];
                bool missing = ans->code == QN_HTTP_NOT_FOUND;

                if (r == 0 && ans->code != QN_HTTP_OK && !missing)
                        r = qn_http_code_errno(ans->code);
                if (r == 0 && !missing)
                        r = read_body(f, ans);
                if (r == 0)
                        r = fn(ctx, i, missing ? (struct qn_str){ 0 } : qn_buf_view(&f->body),
                               missing);
                qn_closep(&ans->fd);
        }
        free(answers);
        return r;
}
