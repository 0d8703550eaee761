/* fetch.c - the role: messages in, HTTP out, results back. */
#include "role/fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/limits.h"
#include "role/fetch-wire.h"
#include "role/input.h"
#include "role/msg.h"

/* One per process. */
static struct fetcher {
        struct qn_http *http; /* NULL: the options have not come */
        struct qn_buf reply;
        int sock;
        int error; /* of the socket: nobody hears us any more */
        uint8_t packet[QN_ROLE_MESSAGE_MAX];
} fetcher;

/* Whatever libcurl and OpenSSL read or load once is read now, while files can be opened. */
static int warm_up(const char *data_dir QN_UNUSED, void **ret, struct qn_err *reterr)
{
        if (curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK)
                return qn_fail(reterr, -EIO, 0, "libcurl cannot be used");
        fetcher.reply = QN_BUF_INIT(QN_ROLE_MESSAGE_MAX);
        *ret = &fetcher;
        return 0;
}

static void reply(struct fetcher *f, uint64_t seq, int status, struct qn_str bytes)
{
        int r = qn_msg_send_reply(f->sock, seq, status, 0, bytes);

        if (r < 0 && f->error == 0)
                f->error = r;
}

static void on_done(struct qn_http_result *res, void *user)
{
        struct fetcher *f = &fetcher;

        qn_buf_reset(&f->reply);
        qn_fetch_write_result(&f->reply, res);
        reply(f, (uint64_t)(uintptr_t)user, qn_buf_error(&f->reply), qn_buf_view(&f->reply));
}

static int take_options(struct fetcher *f, const struct qn_msg_job *job, int fd)
{
        struct qn_input file = { 0 };
        struct qn_cur input = job->input;
        struct qn_http_opts opts;
        int r = f->http ? -EBADMSG : 0;

        if (r == 0 && fd >= 0)
                r = qn_input_open(&file, fd, &input, NULL);
        if (r == 0)
                r = qn_fetch_read_opts(input, &opts);
        if (r == 0)
                r = qn_http_new(&opts, &f->http);
        qn_buf_done(&file.bytes);
        return r;
}

static int take_request(struct fetcher *f, struct qn_msg_job *job, int *fd)
{
        struct qn_http_request q;
        int payload = job->beside.has ? job->beside.fds[0] : -1;
        int r = f->http && *fd >= 0 ? qn_fetch_read_request(job->params, &q) : -EBADMSG;

        if (r == 0)
                r = qn_http_send(f->http, &q, payload, *fd, on_done, (void *)(uintptr_t)job->seq);
        if (r < 0)
                return r;
        (void)TAKE_FD(*fd);
        job->beside.has = 0;
        return 0;
}

/* 1; 0: the parent is gone; -errno. */
static int take_message(struct fetcher *f)
{
        _cleanup_(qn_closep) int fd = -1;
        struct qn_msg_job job;
        int r = qn_msg_recv_job(f->sock, f->packet, &job, &fd);

        if (r <= 0)
                return r;
        switch (job.beside.has > (job.kind == QN_FETCH_SEND) ? 0 : job.kind) {
        case QN_FETCH_OPTIONS:
                r = take_options(f, &job, fd);
                break;
        case QN_FETCH_SEND:
                r = take_request(f, &job, &fd);
                break;
        case QN_FETCH_PING:
                reply(f, job.seq, 0, (struct qn_str){ 0 });
                r = 0;
                break;
        default:
                r = -EBADMSG;
        }
        qn_msg_beside_close(&job.beside);
        return r < 0 ? r : 1;
}

static int serve(void *ctx, int sock)
{
        struct fetcher *f = ctx;
        int r = 1;

        f->sock = sock;
        while (r > 0 && f->error == 0) {
                struct pollfd fds[2] = { { .fd = sock, .events = POLLIN },
                                         { .fd = f->http ? qn_http_fd(f->http) : -1,
                                           .events = POLLIN } };

                if (poll(fds, 2, -1) < 0)
                        r = errno == EINTR ? 1 : -errno;
                if (r > 0 && fds[1].revents)
                        r = qn_http_poll(f->http, 0) < 0 ? -EIO : 1;
                if (r > 0 && fds[0].revents)
                        r = take_message(f);
        }
        if (f->error)
                r = f->error == -EPIPE ? 0 : f->error;
        return r == -ENOMEM ? QN_ROLE_EXIT_MEMORY : r < 0 ? QN_ROLE_EXIT_PROTOCOL : 0;
}

const struct qn_role_def qn_role_fetch = { .role = QN_ROLE_FETCH, .open = warm_up, .serve = serve };
