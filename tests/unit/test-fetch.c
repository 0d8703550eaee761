/* The fetch role's messages, and what its parent makes of a role that cannot be confined. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "net/http-job.h"
#include "role/fetch-wire.h"
#include "role/fetch.h"
#include "role/role.h"
#include "test.h"

__attribute__((constructor)) static void become_role(int argc, char **argv)
{
        if (qn_role_requested(argc, argv))
                exit(qn_role_main(argc, argv));
}

/* Every shorter form of the bytes is refused, and one with a byte more. */
#define ASSERT_EXACT(read, bytes)                                          \
        do {                                                               \
                struct qn_str all_ = (bytes);                              \
                for (size_t i_ = 0; i_ < all_.n; i_++)                     \
                        ASSERT_EQ(read(qn_cur_mem(all_.p, i_)), -EBADMSG); \
                ASSERT_EQ(read(qn_cur_mem(all_.p, all_.n)), 0);            \
                ASSERT_EQ(read(qn_cur_mem(all_.p, all_.n + 1)), -EBADMSG); \
        } while (0)

static struct qn_http_opts opts;
static struct qn_http_request request;
static struct qn_http_result result;
static struct qn_str message;

static int read_opts(struct qn_cur c)
{
        return qn_fetch_read_opts(c, &opts);
}

static int read_request(struct qn_cur c)
{
        return qn_fetch_read_request(c, &request);
}

static int read_result(struct qn_cur c)
{
        return qn_fetch_read_result(c, &result, &message);
}

TEST(options_and_requests_come_back_whole)
{
        const struct qn_http_opts o = { .insecure = true,
                                        .tries = 7,
                                        .user_agent = QN_STR("agent"),
                                        .ca = QN_STR("pem"),
                                        .proxies = { .none = QN_STR("a,b") } };
        const struct qn_http_request q = { .url = QN_STR("http://h.invalid/"),
                                           .authorization = QN_STR("Bearer x"),
                                           .max = (size_t)5 << 32,
                                           .compressed = true,
                                           .pass = true,
                                           .public_only = true,
                                           .total_ms = 70000,
                                           .method = QN_STR("PUT"),
                                           .content_type = QN_STR("application/json"),
                                           .otp = QN_STR("123456"),
                                           .signature_name = QN_STR("qanat-signature"),
                                           .signature = QN_STR("sha256=00") };
        const struct qn_http_request mail = { .url = QN_STR("smtp://h.invalid:25"),
                                              .method = QN_STR("MAIL"),
                                              .mail_from = QN_STR("a@b.invalid"),
                                              .mail_to = QN_STR("c+d@e.invalid"),
                                              .mail_user = QN_STR("u"),
                                              .mail_password = QN_STR("p w"),
                                              .mail_plain = true };
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(4096), c = QN_BUF_INIT(4096);

        qn_fetch_write_opts(&b, &o);
        ASSERT_EXACT(read_opts, qn_buf_view(&b));
        ASSERT_EQ(opts.tries, 7);
        ASSERT_TRUE(opts.insecure && qn_str_is(opts.ca, "pem") && !opts.extra_ca.p &&
                    qn_str_is(opts.proxies.none, "a,b") && qn_str_is(opts.user_agent, "agent"));
        qn_fetch_write_request(&c, &q);
        ASSERT_EXACT(read_request, qn_buf_view(&c));
        ASSERT_TRUE(request.max == q.max && request.compressed && !request.etag.p &&
                    qn_str_is(request.authorization, "Bearer x"));
        ASSERT_TRUE(request.pass && request.public_only && request.total_ms == 70000 &&
                    qn_str_is(request.method, "PUT") &&
                    qn_str_is(request.content_type, "application/json") &&
                    !request.content_encoding.p && qn_str_is(request.otp, "123456") &&
                    qn_str_is(request.signature_name, "qanat-signature") &&
                    qn_str_is(request.signature, "sha256=00") && !request.mail_to.p);
        qn_buf_reset(&c);
        qn_fetch_write_request(&c, &mail);
        ASSERT_EXACT(read_request, qn_buf_view(&c));
        ASSERT_TRUE(request.mail_plain && qn_str_is(request.mail_to, "c+d@e.invalid") &&
                    qn_str_is(request.mail_user, "u") && qn_str_is(request.mail_password, "p w"));
}

static void never(struct qn_http_result *res QN_UNUSED, void *user QN_UNUSED)
{
        ASSERT_TRUE(false);
}

/* What is not sent by any of those that could: -EINVAL from the calls, -EBADMSG where it is read. */
static void refused(const struct qn_http_request *q)
{
        const struct qn_http_opts o = { 0 };
        _cleanup_(qn_fetch_freep) struct qn_fetch *f = NULL;
        _cleanup_(qn_http_freep) struct qn_http *h = NULL;
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_ROLE_MESSAGE_MAX);

        ASSERT_FALSE(qn_http_request_ok(q));
        ASSERT_EQ(qn_fetch_new(&o, false, &f), 0);
        ASSERT_EQ(qn_fetch_send(f, q, (struct qn_cur){ 0 }, never, NULL), -EINVAL);
        ASSERT_EQ(qn_fetch_poll(f, 0, NULL), 0);
        ASSERT_EQ(qn_http_new(&o, &h), 0);
        ASSERT_EQ(qn_http_send(h, q, -1, -1, never, NULL), -EINVAL);
        ASSERT_EQ(qn_http_poll(h, 0), 0);
        qn_fetch_write_request(&b, q);
        ASSERT_EQ(read_request(qn_cur_str(qn_buf_view(&b))), -EBADMSG);
}

TEST(header_lines_cannot_be_broken)
{
        static const char *const bad[] = { "a\r\nx: y", "a\n", "\r", "\t", "\x7f", "\xc3\xa9" };
        static char longer[QN_FETCH_HEADER_MAX + 2];
        struct qn_http_request q = { .url = QN_STR("http://h.invalid/"), .method = QN_STR("PUT") };
        struct qn_str *const fields[] = { &q.content_type, &q.content_encoding, &q.otp,
                                          &q.auth_type,    &q.session,          &q.command,
                                          &q.signature };

        memset(longer, 'x', QN_FETCH_HEADER_MAX);
        q.signature_name = QN_STR("qanat-signature");
        q.signature = QN_STR("x");
        for (size_t i = 0; i < QN_ARRAY_SIZE(fields); i++) {
                struct qn_str before = *fields[i];

                for (size_t k = 0; k < QN_ARRAY_SIZE(bad); k++) {
                        *fields[i] = qn_str_c(bad[k]);
                        refused(&q);
                }
                *fields[i] = (struct qn_str){ "a\0b", 3 };
                refused(&q);
                *fields[i] = qn_str_c(longer);
                ASSERT_TRUE(qn_http_request_ok(&q));
                *fields[i] = (struct qn_str){ longer, QN_FETCH_HEADER_MAX + 1 };
                refused(&q);
                *fields[i] = before;
        }
}

TEST(mailboxes_name_one_recipient)
{
        static const char *const bad[] = { "",
                                           "a",
                                           "@b.invalid",
                                           "a@",
                                           "a@b\r\n",
                                           "a@b c",
                                           "a@b>,<c@d",
                                           "a b@c",
                                           "a\r\nDATA@b",
                                           "<a@b>",
                                           "\"a b\"@c",
                                           "a@.b",
                                           "a@-b",
                                           "-a@b",
                                           "a@b@c d",
                                           "a@b\xc3\xa9",
                                           "a@b,c@d",
                                           "a@b\n",
                                           "a@[127.0.0.1]",
                                           "a@b\tx" };
        struct qn_http_request q = { .url = QN_STR("smtp://h.invalid"),
                                     .method = QN_STR("MAIL"),
                                     .mail_from = QN_STR("a@b.invalid"),
                                     .mail_to = QN_STR("c@d.invalid") };

        ASSERT_TRUE(qn_http_request_ok(&q));
        for (size_t i = 0; i < QN_ARRAY_SIZE(bad); i++) {
                q.mail_to = qn_str_c(bad[i]);
                refused(&q);
                q.mail_to = q.mail_from;
                q.mail_from = qn_str_c(bad[i]);
                refused(&q);
                q.mail_from = q.mail_to;
        }
        q.mail_to = (struct qn_str){ "a\0@b", 4 };
        refused(&q);
        q.mail_to = q.mail_from;
        q.mail_user = QN_STR("u");
        refused(&q); /* without a password */
        q.mail_password = QN_STR("p\r\nRCPT TO:<x@y>");
        refused(&q);
        q.mail_password = QN_STR("p");
        ASSERT_TRUE(qn_http_request_ok(&q));
        q.method = QN_STR("POST");
        refused(&q);
}

TEST(where_mail_goes)
{
        static const struct {
                const char *url, *target; /* NULL: nowhere */
        } rows[] = {
                { "http://h.invalid", NULL },
                { "smtp://", NULL },
                { "smtp://u:p@h.invalid", NULL },
                { "smtp://h.invalid/x", NULL },
                { "smtp://h.invalid?x", NULL },
                { "smtp://h.invalid:0", NULL },
                { "smtp://h.invalid:99999", NULL },
                { "smtp://h.invalid\r\nx", NULL },
                { "smtp://H.invalid", "smtp://h.invalid:587" },
                { "smtp://h.invalid:25/", "smtp://h.invalid:25" },
                { "smtp://h.invalid:80", "smtp://h.invalid:80" },
                { "smtps://h.invalid", "smtps://h.invalid:465" },
                { "smtps://h.invalid:443", "smtps://h.invalid:443" },
                { "smtp://[::1]:25", "smtp://[::1]:25" },
                { "smtp://[::1]", "smtp://[::1]:587" },
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(rows); i++) {
                const struct qn_http_request q = { .url = qn_str_c(rows[i].url),
                                                   .method = QN_STR("MAIL"),
                                                   .mail_from = QN_STR("a@b.invalid"),
                                                   .mail_to = QN_STR("c@d.invalid") };
                struct qn_http_job *j;

                ASSERT_EQ(qn_http_job_new(&q, &j), 0);
                ASSERT_EQ(j->failed, rows[i].target ? QN_HTTP_OK : QN_HTTP_URL);
                if (rows[i].target)
                        ASSERT_STR(j->target, rows[i].target);
                qn_http_job_free(j);
        }
}

TEST(neither_methods_nor_header_names_are_anything)
{
        static const char *const methods[] = { "", "get", "PUT ", "CONNECT", "PUT / HTTP/1.1\r\n" };
        static const char *const names[] = {
                "",     "host", "content-length", "transfer-encoding",
                "a:b",  "a b",  "Upper",          "proxy-authorization",
                "a\nb", "te",   "authorization",  "connection"
        };
        struct qn_http_request q = { .url = QN_STR("http://h.invalid/") };

        for (size_t i = 0; i < QN_ARRAY_SIZE(methods); i++) {
                q.method = qn_str_c(methods[i]);
                refused(&q);
        }
        q.method = QN_STR("POST");
        q.signature = QN_STR("x");
        refused(&q); /* without a name */
        for (size_t i = 0; i < QN_ARRAY_SIZE(names); i++) {
                q.signature_name = qn_str_c(names[i]);
                refused(&q);
        }
        q.signature_name = QN_STR("qanat-signature");
        ASSERT_TRUE(qn_http_request_ok(&q) && qn_http_writes(&q));
        q.signature = (struct qn_str){ 0 };
        refused(&q); /* without a value */
}

TEST(payloads_have_a_cap_and_a_method)
{
        const struct qn_http_opts o = { 0 };
        struct qn_http_request q = { .url = QN_STR("http://h.invalid/") };
        _cleanup_(qn_fetch_freep) struct qn_fetch *f = NULL;
        _cleanup_(qn_http_freep) struct qn_http *h = NULL;
        _cleanup_(qn_closep) int fd = memfd_create("payload", MFD_CLOEXEC);

        ASSERT_EQ(qn_fetch_new(&o, false, &f), 0);
        ASSERT_EQ(qn_http_new(&o, &h), 0);
        ASSERT_EQ(qn_fetch_send(f, &q, qn_cur_mem("x", 1), never, NULL), -EINVAL);
        ASSERT_EQ(qn_http_send(h, &q, fd, -1, never, NULL), -EINVAL);
        q.method = QN_STR("PUT");
        ASSERT_EQ(ftruncate(fd, (off_t)QN_HTTP_PAYLOAD_MAX + 1), 0);
        ASSERT_EQ(qn_http_send(h, &q, fd, -1, never, NULL), -EFBIG);
        /* the size alone decides: nothing of it is read */
        ASSERT_EQ(qn_fetch_send(f, &q, qn_cur_mem("x", QN_HTTP_PAYLOAD_MAX + 1), never, NULL),
                  -EFBIG);
        ASSERT_TRUE(lseek(fd, 0, SEEK_SET) == 0); /* still ours */
}

TEST(results_are_checked)
{
        struct qn_http_result r = { .code = QN_HTTP_OK,
                                    .status = 200,
                                    .size = (uint64_t)3 << 32,
                                    .message = "",
                                    .url = QN_STR("http://h.invalid/"),
                                    .etag = QN_STR("\"\033[31m\"") };
        static char longer[QN_FETCH_HEADER_MAX + 2];
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_ROLE_MESSAGE_MAX);

        memset(longer, 'x', sizeof longer - 1);
        r.date = r.location = qn_str_c(longer);
        r.authenticate = QN_STR("OTP");
        r.notice = QN_STR("x\r\ny: z");
        qn_fetch_write_result(&b, &r);
        ASSERT_EXACT(read_result, qn_buf_view(&b));
        ASSERT_TRUE(result.size == r.size && qn_str_eq(result.url, r.url));
        ASSERT_NULL(result.etag.p); /* no control characters, no endless headers */
        ASSERT_NULL(result.date.p);
        ASSERT_NULL(result.location.p);
        ASSERT_NULL(result.notice.p);
        ASSERT_TRUE(qn_str_is(result.authenticate, "OTP"));
        b.p[0] = (char)QN_HTTP_CODE_MAX;
        ASSERT_EQ(read_result(qn_cur_str(qn_buf_view(&b))), -EBADMSG);
        b.p[0] = 0;
        b.p[5] = 0x7f; /* a status of five digits */
        ASSERT_EQ(read_result(qn_cur_str(qn_buf_view(&b))), -EBADMSG);
        b.p[5] = 0;
        b.p[b.n - 3 * 4 - 1] = '\n'; /* the end of what it wants */
        ASSERT_EQ(read_result(qn_cur_str(qn_buf_view(&b))), -EBADMSG);
}

struct answer {
        enum qn_http_code code;
        int fd;
        unsigned n;
};

static void keep(struct qn_http_result *res, void *user)
{
        struct answer *a = user;

        a->code = res->code;
        a->fd = res->fd;
        a->n++;
}

static int ask(bool no_sandbox, const char *url, struct answer *a, struct qn_err *reterr)
{
        const struct qn_http_request q = { .url = qn_str_c(url), .max = 1 };
        const struct qn_http_opts o = { 0 };
        _cleanup_(qn_fetch_freep) struct qn_fetch *f = NULL;
        int r = qn_fetch_new(&o, no_sandbox, &f);

        if (r == 0)
                r = qn_fetch_poll(f, -1, reterr); /* nothing to do is done at once */
        if (r == 0)
                r = qn_fetch_get(f, &q, keep, a);
        if (r == 0 && a->n)
                return -EBUSY; /* never from there */
        while (r >= 0 && (r = qn_fetch_poll(f, -1, reterr)) > 0)
                ;
        return r;
}

TEST(an_answer_comes_once_and_from_poll)
{
        struct answer a = { 0 };
        struct qn_err err = { 0 };

        ASSERT_EQ(ask(false, "nonsense", &a, &err), 0);
        ASSERT_EQ(a.code, QN_HTTP_URL);
        ASSERT_EQ(a.fd, -1);
        ASSERT_EQ(a.n, 1);
}

TEST(a_request_that_fits_into_no_message_is_refused)
{
        static char url[QN_ROLE_PARAMS_MAX + 16];
        struct answer a = { 0 };
        struct qn_err err = { 0 };

        memset(url, 'a', sizeof url - 1);
        ASSERT_EQ(ask(false, url, &a, &err), 0);
        ASSERT_EQ(a.code, QN_HTTP_CONFIG);
}

/* A machine without namespaces: the limit on them is zero in a user namespace of our own. */
static int without_namespaces(void)
{
        static const char *const limits[] = { "/proc/sys/user/max_user_namespaces",
                                              "/proc/sys/user/max_ipc_namespaces" };
        struct answer a = { 0 };
        struct qn_err err = { 0 };

        if (unshare(CLONE_NEWUSER) < 0)
                return 1;
        for (size_t i = 0; i < QN_ARRAY_SIZE(limits); i++) {
                int fd = open(limits[i], O_WRONLY);

                if (fd < 0 || qn_io_write_fd(fd, QN_STR("0")) < 0)
                        return 2;
                close(fd);
        }
        if (ask(false, "nonsense", &a, &err) >= 0 || a.n != 1 || a.code != QN_HTTP_INTERNAL)
                return 3;
        if (!strstr(err.msg, "namespaces") || !strstr(err.msg, "--no-sandbox"))
                return 4;
        a = (struct answer){ 0 };
        return ask(true, "nonsense", &a, &err) == 0 && a.code == QN_HTTP_URL ? 0 : 5;
}

TEST(refusal_of_the_kernel_stops_unless_told_otherwise)
{
        pid_t pid = fork();
        int status;

        if (pid == 0)
                _exit(without_namespaces());
        ASSERT_EQ(waitpid(pid, &status, 0), pid);
        if (WIFEXITED(status) && (WEXITSTATUS(status) == 1 || WEXITSTATUS(status) == 2))
                SKIP("this machine lets us make no namespace to try it in");
        ASSERT_EQ(status, 0);
}
