/* submit-upload.c - records as objects below an address: PUT, and never over something else. */
#include <errno.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/secret.h"
#include "cli/npm-reader.h"
#include "cli/report-file.h"
#include "cli/submit-priv.h"
#include "net/address.h"
#include "net/http-conf.h"
#include "net/npmconf.h"
#include "net/url.h"
#include "role/fetch.h"

#define WORK_MAX  ((size_t)512 << 20)
#define TOKEN_MAX 4096u

struct qn_upload {
        struct qn_npmconf *npm;
        struct qn_http_opts opts;
        struct qn_fetch *fetch;
        struct qn_buf authorization; /* empty: nobody asks who we are */
};

/* --- opening --- */

/* Its only line: never part of a message. */
static int read_token(struct qn_submit *s)
{
        _cleanup_(qn_secret_done) struct qn_buf b = QN_BUF_INIT(TOKEN_MAX);
        struct qn_str token = qn_str_c(getenv("QANAT_UPLOAD_TOKEN"));
        struct qn_err err = { 0 };
        int r = s->c.token_file ? qn_secret_read(s->c.token_file, &b, &token, &err) : 0;

        if (r < 0)
                return log_err(r, "--token-file %s: %s", s->c.token_file, err.msg);
        for (size_t i = 0; i < token.n; i++)
                if (token.p[i] <= ' ' || token.p[i] > '~')
                        return log_err(-EINVAL, "the token for --upload is none: it is not one "
                                                "word of plain characters");
        if (token.n) {
                qn_buf_puts(&s->upload->authorization, "Bearer ");
                qn_buf_str(&s->upload->authorization, token);
        }
        return qn_buf_error(&s->upload->authorization);
}

static int check_address(const struct qn_submit *s)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(1 << 20);
        struct qn_url url;

        if (qn_url_parse(qn_str_c(s->c.upload), &a, &url, NULL) < 0)
                return log_err(-EINVAL, "--upload: this is no http or https address");
        if (url.user.n || url.password.n || url.query.p)
                return log_err(-EINVAL, "--upload: neither user, password nor query in the "
                                        "address: a token is named by --token-file");
        if (s->upload->authorization.n && !qn_address_may_know(url.host, url.tls))
                return log_err(-EINVAL, "--upload: the token is not sent without TLS: use https");
        return 0;
}

int qn_submit_upload_open(struct qn_submit *s)
{
        struct qn_upload *u = s->upload = calloc(1, sizeof *u);
        int r;

        s->place = strdup(s->c.upload);
        if (!u || !s->place)
                return log_err(-ENOMEM, "%s", strerror(ENOMEM));
        u->authorization = QN_BUF_INIT(TOKEN_MAX + 16);
        for (size_t n = strlen(s->place); n && s->place[n - 1] == '/'; n--)
                s->place[n - 1] = '\0';
        r = read_token(s);
        if (r == 0)
                r = check_address(s);
        if (r == 0)
                r = qn_npm_network(s->pool, s->c.cache_dir, &u->npm);
        if (r < 0)
                return r;
        u->opts = qn_http_opts_of(u->npm);
        r = qn_fetch_new(&u->opts, s->c.no_sandbox, &u->fetch);
        return r < 0 ? log_err(r, "%s", strerror(-r)) : 0;
}

void qn_submit_upload_free(struct qn_submit *s)
{
        if (!s->upload)
                return;
        qn_fetch_free(s->upload->fetch);
        qn_npmconf_free(s->upload->npm);
        qn_secret_done(&s->upload->authorization);
        free(s->upload);
}

/* --- one request --- */

struct answer {
        bool done;
        enum qn_http_code code;
        int status, fd;
        char etag[256], problem[512];
        uint64_t wait_s; /* that the server asks for */
};

static void on_answer(struct qn_http_result *res, void *user)
{
        struct answer *a = user;

        a->done = true;
        a->code = res->code;
        a->status = res->status;
        a->fd = TAKE_FD(res->fd);
        if (res->etag.n < sizeof a->etag)
                snprintf(a->etag, sizeof a->etag, "%.*s", QN_STR_ARG(res->etag));
        if (res->code != QN_HTTP_OK)
                snprintf(a->problem, sizeof a->problem, "%s", res->message);
        if (qn_str_u64(res->retry_after, &a->wait_s) < 0)
                a->wait_s = 0;
}

static int ask(struct qn_submit *s, const struct qn_http_request *q, struct qn_str payload,
               struct answer *a)
{
        struct qn_err err = { 0 };
        int r = qn_fetch_send(s->upload->fetch, q, qn_cur_str(payload), on_answer, a);

        while (r >= 0 && !a->done)
                r = qn_fetch_poll(s->upload->fetch, -1, &err);
        if (r < 0 && !a->done)
                return log_err(r, "%s: %s", s->place, err.msg[0] ? err.msg : strerror(-r));
        return 0;
}

/* What may be otherwise in a moment. */
static bool is_passing(const struct answer *a)
{
        static const enum qn_http_code codes[] = { QN_HTTP_REFUSED, QN_HTTP_TIMEOUT, QN_HTTP_SLOW,
                                                   QN_HTTP_CUT,     QN_HTTP_DNS,     QN_HTTP_RATE,
                                                   QN_HTTP_SERVER,  QN_HTTP_CRASHED, QN_HTTP_HUNG };

        for (size_t i = 0; i < QN_ARRAY_SIZE(codes); i++)
                if (a->code == codes[i])
                        return true;
        return a->code == QN_HTTP_OK && (a->status == 408 || a->status == 429 || a->status >= 500);
}

static void wait_before(const struct qn_submit *s, unsigned n, const struct answer *a)
{
        const struct qn_http_opts *o = &s->upload->opts;
        uint64_t ms = o->retry_min_ms ? o->retry_min_ms : 400;
        uint64_t most = o->retry_max_ms ? o->retry_max_ms : 20000;
        struct timespec t;

        for (unsigned i = 1; i < n; i++)
                ms = QN_MIN(ms * (o->retry_factor ? o->retry_factor : 4), most);
        if (a->wait_s)
                ms = QN_MIN(a->wait_s * 1000, (uint64_t)QN_HTTP_WAIT_MAX_MS);
        t = (struct timespec){ (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };
        (void)nanosleep(&t, NULL);
}

/* A request that may be repeated, since it says under which condition it counts. */
static int ask_often(struct qn_submit *s, const struct qn_http_request *q, struct qn_str payload,
                     struct answer *a)
{
        unsigned tries = s->upload->opts.tries ? s->upload->opts.tries : QN_HTTP_TRIES;
        int r = 0;

        for (unsigned n = 1; r == 0; n++) {
                *a = (struct answer){ .fd = -1 };
                r = ask(s, q, payload, a);
                if (r < 0 || n >= tries || !is_passing(a))
                        return r;
                qn_closep(&a->fd);
                wait_before(s, n, a);
        }
        return r;
}

static int refuse(const struct qn_submit *s, struct qn_str path, const struct answer *a)
{
        if (a->code != QN_HTTP_OK)
                return log_err(qn_http_code_errno(a->code), "%s", a->problem);
        if (a->status >= 300 && a->status < 400)
                return log_err(-EPERM,
                               "%s/%.*s: %d, the server wants it elsewhere: that is not "
                               "followed; correct --upload",
                               s->place, QN_STR_ARG(path), a->status);
        return log_err(-EREMOTEIO, "%s/%.*s: %d, the server does not take it", s->place,
                       QN_STR_ARG(path), a->status);
}

static bool is_done(const struct answer *a)
{
        return a->code == QN_HTTP_OK && a->status >= 200 && a->status < 300;
}

static int make_url(const struct qn_submit *s, struct qn_str path, struct qn_buf *out)
{
        qn_buf_puts(out, s->place);
        qn_buf_byte(out, '/');
        qn_buf_str(out, path);
        return qn_buf_error(out) < 0 ? log_err(-E2BIG, "--upload: the address is too long") : 0;
}

/* What is there: 0, *ret_etag tells which one; -ENOENT. */
static int get(struct qn_submit *s, struct qn_str path, struct qn_buf *out, struct answer *a)
{
        _cleanup_(qn_buf_done) struct qn_buf url = QN_BUF_INIT(QN_URL_MAX);
        int r = make_url(s, path, &url);
        const struct qn_http_request q = { .url = qn_buf_view(&url),
                                           .authorization = qn_buf_view(&s->upload->authorization),
                                           .max = QN_MAL_RECORD_MAX,
                                           .pass = true };

        if (r < 0)
                return r;
        *a = (struct answer){ .fd = -1 };
        r = ask(s, &q, (struct qn_str){ 0 }, a);
        if (r == 0 && a->code == QN_HTTP_OK && a->status == 404)
                r = -ENOENT;
        else if (r == 0 && !is_done(a))
                r = refuse(s, path, a);
        else if (r == 0 && a->fd >= 0 && (r = qn_io_read_fd(a->fd, out)) < 0)
                log_err(r, "%s/%.*s: %s", s->place, QN_STR_ARG(path), strerror(-r));
        qn_closep(&a->fd);
        return r;
}

/* condition: the etag that what is there must have; empty: there must be nothing.  1: the condition did not hold. */
static int put(struct qn_submit *s, struct qn_str path, struct qn_str text, struct qn_str condition)
{
        _cleanup_(qn_buf_done) struct qn_buf url = QN_BUF_INIT(QN_URL_MAX);
        int r = make_url(s, path, &url);
        struct qn_http_request q = { .url = qn_buf_view(&url),
                                     .authorization = qn_buf_view(&s->upload->authorization),
                                     .max = QN_HTTP_DISCARD_MAX,
                                     .pass = true,
                                     .method = QN_STR("PUT"),
                                     .content_type = QN_STR("application/json") };
        struct answer a;

        if (condition.n) {
                q.signature_name = QN_STR("if-match");
                q.signature = condition;
        } else {
                q.etag = QN_STR("*");
        }
        if (r == 0)
                r = ask_often(s, &q, text, &a);
        if (r < 0)
                return r;
        qn_closep(&a.fd);
        if (a.code == QN_HTTP_OK && (a.status == 409 || a.status == 412))
                return 1;
        return is_done(&a) ? 0 : refuse(s, path, &a);
}

/* --- records --- */

/* 1: the same is there already. */
static int send_one(struct qn_submit *s, struct qn_str path, struct qn_str text)
{
        _cleanup_(qn_buf_done) struct qn_buf there = QN_BUF_INIT(QN_MAL_RECORD_MAX);
        struct answer a;
        int r = put(s, path, text, (struct qn_str){ 0 });

        if (r <= 0)
                return r;
        r = get(s, path, &there, &a);
        if (r == -ENOENT)
                return log_err(r, "%s/%.*s: somebody else is writing there: try again", s->place,
                               QN_STR_ARG(path));
        if (r < 0)
                return r;
        if (!qn_report_same(qn_buf_view(&there), text))
                return log_err(-EEXIST, "%s/%.*s: another record is there already: it stays",
                               s->place, QN_STR_ARG(path));
        return 1;
}

static int send_package(struct qn_submit *s, struct qn_mal_package *p,
                        const struct qn_mal_conf *conf, struct qn_submit_done *done)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(WORK_MAX);
        _cleanup_(qn_buf_done) struct qn_buf path = QN_BUF_INIT(4096);
        struct qn_reported how = { .state = QN_REPORT_SENT };
        struct qn_str text;
        int r = qn_mal_path(p, conf, &path);

        if (r < 0)
                return log_err(r, "%.*s: its name cannot be part of an address",
                               QN_STR_ARG(p->name));
        r = qn_submit_make(s, p, conf, &a, &text);
        if (r == 0)
                r = send_one(s, qn_buf_view(&path), text);
        if (r < 0)
                return r;
        if (r)
                done->there++;
        else
                done->written++;
        qn_submit_say(s, p->name, (struct qn_str){ 0 }, "%s: %s/%s",
                      r ? "is there already" : "sent", s->place, path.p);
        how.path = qn_buf_view(&path);
        return qn_submit_note(s, p, &how);
}

int qn_submit_upload_send(struct qn_submit *s, struct qn_mal *m, const struct qn_mal_conf *conf,
                          struct qn_submit_done *ret)
{
        int first = 0;

        for (size_t i = 0; i < m->n; i++) {
                int r = send_package(s, &m->packages[i], conf, ret);

                first = first ? first : r;
        }
        return first;
}

/* --- taking back --- */

/* It stays where it is: whoever takes records in from there follows `withdrawn`. */
int qn_submit_upload_withdraw(struct qn_submit *s, const struct qn_submit_withdrawal *w,
                              struct qn_str note)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(WORK_MAX);
        _cleanup_(qn_buf_done) struct qn_buf there = QN_BUF_INIT(QN_MAL_RECORD_MAX);
        struct qn_record_job job = { .work = QN_RECORD_WITHDRAW,
                                     .flags = QN_MAL_UNASSIGNED,
                                     .name = w->name,
                                     .version = w->version,
                                     .time = w->time,
                                     .note = note };
        struct qn_record_answer answer;
        struct qn_err err = { 0 };
        struct qn_reported old;
        struct answer got;
        int r = qn_reports_find(&s->db, w->name, w->version, qn_str_c(s->place), &a, &old);

        if (r == 0)
                r = get(s, old.path, &there, &got);
        if (r == -ENOENT)
                return log_err(r, "%.*s@%.*s: no record of it was sent there", QN_STR_ARG(w->name),
                               QN_STR_ARG(w->version));
        if (r < 0)
                return r;
        if (!got.etag[0])
                return log_err(-EOPNOTSUPP,
                               "%s/%.*s: the server gives no etag, so that another change could "
                               "be overwritten: withdraw it there",
                               s->place, QN_STR_ARG(old.path));
        job.record = qn_cur_mem(there.p, there.n);
        r = qn_record_ask(s->pool, &job, &a, &answer, &err);
        if (r < 0)
                return log_err(r, "%.*s: cannot be withdrawn: %s", QN_STR_ARG(old.path), err.msg);
        if (answer.outcome == QN_MAL_SAME)
                return 0;
        r = put(s, old.path, answer.text, qn_str_c(got.etag));
        if (r > 0)
                return log_err(-EEXIST, "%s/%.*s: somebody else changed it: try again", s->place,
                               QN_STR_ARG(old.path));
        if (r == 0)
                qn_submit_say(s, w->name, w->version, "withdrawn: %s/%.*s", s->place,
                              QN_STR_ARG(old.path));
        return r;
}
