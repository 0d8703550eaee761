/* The fetch role's messages, and what its parent makes of a role that cannot be confined. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
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
                                           .compressed = true };
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
        r.date = qn_str_c(longer);
        qn_fetch_write_result(&b, &r);
        ASSERT_EXACT(read_result, qn_buf_view(&b));
        ASSERT_TRUE(result.size == r.size && qn_str_eq(result.url, r.url));
        ASSERT_NULL(result.etag.p); /* no control characters, no endless headers */
        ASSERT_NULL(result.date.p);
        b.p[0] = (char)QN_HTTP_CODE_MAX;
        ASSERT_EQ(read_result(qn_cur_str(qn_buf_view(&b))), -EBADMSG);
        b.p[0] = 0;
        b.p[5] = 0x7f; /* a status of five digits */
        ASSERT_EQ(read_result(qn_cur_str(qn_buf_view(&b))), -EBADMSG);
        b.p[5] = 0;
        b.p[b.n - 6 * 4 - 1] = '\n'; /* somewhere in the address */
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
