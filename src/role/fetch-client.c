/* fetch-client.c - the parent's side of the fetch role: a queue, one process, and what its end means. */
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "net/url.h"
#include "role/fetch-wire.h"
#include "role/fetch.h"
#include "role/input.h"
#include "role/msg.h"

#define SECOND  UINT64_C(1000000000)
#define TURN_MS 1000 /* the longest wait without a look at the clock */

struct fetch {
        TAILQ_ENTRY(fetch) link;
        struct qn_buf request; /* as bytes */
        size_t max;
        int fd;      /* the body, -1 while it waits */
        int payload; /* what is sent, -1: nothing */
        bool writes; /* it is not to be done twice */
        uint64_t seq;
        unsigned crashes; /* of the role while it worked on this */
        qn_http_done *done;
        void *user;
};

TAILQ_HEAD(fetch_list, fetch);

struct qn_fetch {
        struct qn_buf opts; /* as bytes, for every new process */
        bool no_sandbox;
        int epoll, event;
        struct fetch_list queue, given;
        size_t n_open, n_given;
        uint64_t finished;
        pid_t pid;
        int sock; /* -1: there is no process */
        bool ready;
        uint64_t seq;           /* of the last message */
        uint64_t heard, pinged; /* when (ns); pinged 0: no answer is expected */
        uint64_t ping_seq;
        uint64_t not_before;    /* without process: when it may be started (ns) */
        unsigned strikes;       /* crashes, less the answers since */
        unsigned failed_starts; /* in a row */
        int error;              /* it cannot be started: why is in err */
        struct qn_err err;
        uint8_t packet[QN_ROLE_MESSAGE_MAX];
};

/* How the role was lost, as far as the parent knows. */
enum loss { LOSS_GONE, LOSS_HUNG, LOSS_PROTOCOL };

/* --- life --- */

static struct fetch *fetch_free(struct fetch *t)
{
        qn_buf_done(&t->request);
        qn_closep(&t->fd);
        qn_closep(&t->payload);
        free(t);
        return NULL;
}

static int watch(struct qn_fetch *f, int fd)
{
        struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

        return epoll_ctl(f->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int qn_fetch_new(const struct qn_http_opts *o, bool no_sandbox, struct qn_fetch **ret)
{
        _cleanup_(qn_fetch_freep) struct qn_fetch *f = calloc(1, sizeof *f);
        int r;

        if (!f)
                return -ENOMEM;
        f->no_sandbox = no_sandbox;
        f->epoll = f->event = f->sock = -1;
        TAILQ_INIT(&f->queue);
        TAILQ_INIT(&f->given);
        f->opts = QN_BUF_INIT(QN_NPMCONF_MAX);
        qn_fetch_write_opts(&f->opts, o);
        r = qn_buf_error(&f->opts);
        if (r < 0)
                return r;
        f->epoll = epoll_create1(EPOLL_CLOEXEC);
        f->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (f->epoll < 0 || f->event < 0)
                return -errno;
        r = watch(f, f->event);
        if (r == 0)
                *ret = TAKE_PTR(f);
        return r;
}

static void drop_all(struct fetch_list *list)
{
        struct fetch *t;

        while ((t = TAILQ_FIRST(list))) {
                TAILQ_REMOVE(list, t, link);
                fetch_free(t);
        }
}

static void end_role(struct qn_fetch *f, bool gone)
{
        (void)qn_role_end(f->pid, gone);
        close(f->sock);
        f->sock = -1;
        f->ready = false;
}

struct qn_fetch *qn_fetch_free(struct qn_fetch *f)
{
        if (!f)
                return NULL;
        if (f->sock >= 0)
                end_role(f, false);
        if (f->queue.tqh_last) {
                drop_all(&f->queue);
                drop_all(&f->given);
        }
        qn_closep(&f->epoll);
        qn_closep(&f->event);
        qn_buf_done(&f->opts);
        free(f);
        return NULL;
}

void qn_fetch_freep(struct qn_fetch **f)
{
        *f = qn_fetch_free(*f);
}

int qn_fetch_fd(const struct qn_fetch *f)
{
        return f->epoll;
}

void qn_fetch_wake(struct qn_fetch *f)
{
        const uint64_t one = 1;

        if (write(f->event, &one, sizeof one) < 0)
                return; /* it is awake as it can be */
}

static int check_request(const struct qn_http_request *q, struct qn_cur payload)
{
        if (!qn_http_request_ok(q) || (!qn_http_writes(q) && qn_cur_left(&payload)))
                return -EINVAL;
        return qn_cur_left(&payload) > QN_HTTP_PAYLOAD_MAX ? -EFBIG : 0;
}

int qn_fetch_send(struct qn_fetch *f, const struct qn_http_request *q, struct qn_cur payload,
                  qn_http_done *done, void *user)
{
        int r = check_request(q, payload);
        struct fetch *t = r < 0 ? NULL : calloc(1, sizeof *t);

        if (!t)
                return r < 0 ? r : -ENOMEM;
        *t = (struct fetch){ .request = QN_BUF_INIT(QN_ROLE_PARAMS_MAX),
                             .max = q->max,
                             .fd = -1,
                             .payload = -1,
                             .writes = qn_http_writes(q),
                             .done = done,
                             .user = user };
        qn_fetch_write_request(&t->request, q);
        r = qn_buf_error(&t->request) == -ENOMEM ? -ENOMEM : 0;
        if (r == 0 && qn_cur_left(&payload))
                r = qn_input_sealed(payload, &t->payload);
        if (r < 0) {
                fetch_free(t);
                return r;
        }
        TAILQ_INSERT_TAIL(&f->queue, t, link);
        f->n_open++;
        qn_fetch_wake(f);
        return 0;
}

int qn_fetch_get(struct qn_fetch *f, const struct qn_http_request *q, qn_http_done *done,
                 void *user)
{
        return qn_fetch_send(f, q, (struct qn_cur){ 0 }, done, user);
}

/* --- results --- */

static void deliver(struct qn_fetch *f, struct fetch_list *list, struct fetch *t,
                    struct qn_http_result *res)
{
        TAILQ_REMOVE(list, t, link);
        f->n_given -= list == &f->given;
        f->n_open--;
        f->finished++;
        t->done(res, t->user);
        qn_closep(&res->fd);
        fetch_free(t);
}

/* What the request asked for, out of its own bytes. */
static struct qn_str url_of(const struct fetch *t)
{
        struct qn_http_request q = { 0 };

        if (qn_fetch_read_request(qn_cur_str(qn_buf_view(&t->request)), &q) < 0)
                return (struct qn_str){ 0 };
        return q.url;
}

static void fail(struct qn_fetch *f, struct fetch_list *list, struct fetch *t,
                 enum qn_http_code code, const char *why)
{
        _cleanup_(qn_buf_done) struct qn_buf message = QN_BUF_INIT(2048);
        struct qn_http_result res = { .code = code, .fd = -1, .tries = t->crashes };

        qn_url_safe(url_of(t), &message);
        qn_buf_printf(&message, ": %s", why ? why : qn_http_code_text(code));
        res.message = message.p ? message.p : "";
        deliver(f, list, t, &res);
}

/* The body as the role left it, out of its reach from here; its size must be what it says. */
static int seal_body(struct fetch *t, uint64_t size)
{
        uint64_t written;
        int r = qn_input_seal(t->fd, &written);

        if (r < 0)
                return r;
        return written == size && size <= t->max ? 0 : -EBADMSG;
}

/* 0, or -EBADMSG: the role does not keep to the protocol. */
static int take_result(struct qn_fetch *f, struct fetch *t, struct qn_cur bytes)
{
        struct qn_http_result res;
        struct qn_str message;
        char text[2048];

        if (qn_fetch_read_result(bytes, &res, &message) < 0)
                return -EBADMSG;
        if (res.code == QN_HTTP_OK && res.status != 304) {
                if (seal_body(t, res.size) < 0)
                        return -EBADMSG;
                res.fd = TAKE_FD(t->fd);
        }
        snprintf(text, sizeof text, "%.*s", QN_STR_ARG(message));
        res.message = text;
        f->strikes -= f->strikes > 0;
        deliver(f, &f->given, t, &res);
        return 0;
}

/* --- the process --- */

static void put_back(struct qn_fetch *f, struct fetch *t)
{
        TAILQ_REMOVE(&f->given, t, link);
        f->n_given--;
        qn_closep(&t->fd);
        t->fd = -1;
        TAILQ_INSERT_HEAD(&f->queue, t, link);
}

static void fail_queued(struct qn_fetch *f)
{
        struct fetch *t;

        while ((t = TAILQ_FIRST(&f->queue)))
                fail(f, &f->queue, t, QN_HTTP_INTERNAL, f->err.msg);
}

/* Nothing more will be fetched, and everybody gets to know. */
static void give_up(struct qn_fetch *f, int error, const char *why)
{
        struct fetch *t;

        if (f->sock >= 0)
                end_role(f, false);
        f->error = qn_fail(&f->err, error, 0, "%s", why);
        while ((t = TAILQ_LAST(&f->given, fetch_list)))
                put_back(f, t);
        fail_queued(f);
}

/* Any request may be what killed the role: the suspects get a second try, one at a time, because it
 * may have been killed from outside as well. */
static void judge(struct qn_fetch *f, enum loss loss)
{
        struct fetch *t;

        while ((t = TAILQ_LAST(&f->given, fetch_list))) {
                if (loss == LOSS_HUNG)
                        fail(f, &f->given, t, QN_HTTP_HUNG, NULL);
                else if (++t->crashes >= QN_ROLE_CRASHES_MAX || t->writes)
                        fail(f, &f->given, t, QN_HTTP_CRASHED, NULL);
                else
                        put_back(f, t);
        }
}

static void lose(struct qn_fetch *f, enum loss loss)
{
        bool was_ready = f->ready;
        struct fetch *t;

        end_role(f, loss == LOSS_GONE);
        f->strikes += was_ready;
        f->failed_starts += !was_ready;
        f->not_before = qn_io_nanos() + f->failed_starts * SECOND / 100;
        if (was_ready)
                judge(f, loss);
        while ((t = TAILQ_LAST(&f->given, fetch_list)))
                put_back(f, t);
        if (f->strikes > QN_ROLE_STRIKES_MAX)
                give_up(f, -EPROTO, "the fetch role crashed too often");
        else if (f->failed_starts >= QN_ROLE_STARTS_MAX)
                give_up(f, -EPROTO, "the fetch role ends before it is ready");
}

static int send_options(struct qn_fetch *f)
{
        struct qn_msg_job job = { .seq = ++f->seq, .kind = QN_FETCH_OPTIONS };
        struct qn_cur bytes = qn_cur_str(qn_buf_view(&f->opts));
        _cleanup_(qn_closep) int fd = -1;
        int r = 0;

        if (f->opts.n > QN_ROLE_INLINE_MAX)
                r = qn_input_sealed(bytes, &fd);
        else
                job.input = bytes;
        return r < 0 ? r : qn_msg_send_job(f->sock, &job, fd);
}

static void start_role(struct qn_fetch *f)
{
        const struct qn_role_start start = { .role = QN_ROLE_FETCH, .no_sandbox = f->no_sandbox };
        struct qn_err err = { 0 };
        int r = qn_role_spawn(&start, &f->pid, &f->sock, &err);

        if (r < 0) {
                give_up(f, r, err.msg);
                return;
        }
        f->seq = f->pinged = 0;
        f->heard = qn_io_nanos();
        r = watch(f, f->sock);
        if (r == 0)
                r = send_options(f);
        if (r < 0)
                give_up(f, r, "the fetch role cannot be told what to do");
}

/* --- handing out --- */

static int give(struct qn_fetch *f, struct fetch *t)
{
        const struct qn_msg_job job = { .seq = f->seq + 1,
                                        .kind = QN_FETCH_SEND,
                                        .params = qn_cur_str(qn_buf_view(&t->request)),
                                        .beside = { .has = t->payload >= 0,
                                                    .fds = { t->payload } } };
        int r;

        t->fd = memfd_create("qanat-body", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (t->fd < 0)
                return -errno;
        r = qn_msg_send_job(f->sock, &job, t->fd);
        if (r < 0) {
                qn_closep(&t->fd);
                t->fd = -1;
                return r;
        }
        t->seq = ++f->seq;
        TAILQ_REMOVE(&f->queue, t, link);
        TAILQ_INSERT_TAIL(&f->given, t, link);
        f->n_given++;
        return 0;
}

/* Something that was there when the role crashed is alone with it. */
static bool has_room(const struct qn_fetch *f, const struct fetch *t)
{
        const struct fetch *first = TAILQ_FIRST(&f->given);

        return !first || (!t->crashes && !first->crashes && f->n_given < QN_FETCH_WINDOW);
}

static void hand_out(struct qn_fetch *f)
{
        struct fetch *t;

        while (f->sock >= 0 && (t = TAILQ_FIRST(&f->queue)) && has_room(f, t)) {
                int r = qn_buf_error(&t->request) < 0 ? -EMSGSIZE : give(f, t);

                if (r == -EAGAIN || r == -ETOOMANYREFS || r == -EPIPE || r == -ECONNRESET)
                        return; /* an answer, or the end of the role, will bring us back here */
                if (r == -EMSGSIZE)
                        fail(f, &f->queue, t, QN_HTTP_CONFIG, NULL);
                else if (r < 0)
                        fail(f, &f->queue, t, QN_HTTP_INTERNAL, NULL);
        }
}

/* --- hearing --- */

static int take_first_word(struct qn_fetch *f, const struct qn_msg_whole *m)
{
        char why[sizeof f->err.msg];
        struct qn_str s = qn_cur_rest(&m->bytes);
        size_t n = QN_MIN(s.n, sizeof why - 1);

        if (m->seq != 0)
                return -EBADMSG;
        if (m->status == 0) {
                f->ready = true;
                f->failed_starts = 0;
                return 0;
        }
        for (size_t i = 0; i < n; i++)
                why[i] = s.p[i] >= ' ' && s.p[i] <= '~' ? s.p[i] : '?';
        why[n] = '\0';
        give_up(f, m->status, why);
        return 0;
}

static int take_packet(struct qn_fetch *f, struct qn_cur packet)
{
        struct qn_msg_whole m;
        struct fetch *t;

        if (qn_msg_parse_whole(packet, &m) < 0)
                return -EBADMSG;
        if (!f->ready)
                return take_first_word(f, &m);
        if (f->pinged && m.seq == f->ping_seq && m.status == 0) {
                f->pinged = 0;
                return 0;
        }
        TAILQ_FOREACH (t, &f->given, link)
                if (t->seq == m.seq)
                        return m.status < 0 ? -EBADMSG : take_result(f, t, m.bytes);
        return -EBADMSG;
}

static void hear(struct qn_fetch *f)
{
        while (f->sock >= 0) {
                struct qn_cur packet;
                int r = qn_msg_recv(f->sock, f->packet, &packet);

                if (r == -EAGAIN)
                        return;
                f->heard = qn_io_nanos();
                if (r > 0)
                        r = take_packet(f, packet) < 0 ? -EBADMSG : 1;
                if (r <= 0 && f->sock >= 0)
                        lose(f, r == -EBADMSG ? LOSS_PROTOCOL : LOSS_GONE);
        }
}

/* Asks a role that has been silent for long whether it is alive, and ends one that does not say. */
static void check_silence(struct qn_fetch *f)
{
        struct qn_msg_job ping = { .kind = QN_FETCH_PING };
        uint64_t now = qn_io_nanos();

        if (f->sock < 0)
                return;
        if (!f->ready) {
                if (now - f->heard > QN_ROLE_START_SECONDS * SECOND)
                        lose(f, LOSS_HUNG);
        } else if (f->pinged) {
                if (now - f->pinged > QN_FETCH_SILENCE_S * SECOND)
                        lose(f, LOSS_HUNG);
        } else if (f->n_given && now - f->heard > QN_FETCH_PING_S * SECOND) {
                ping.seq = f->ping_seq = ++f->seq;
                f->pinged = now;
                if (qn_msg_send_job(f->sock, &ping, -1) < 0)
                        return; /* its socket is full or gone: the silence goes on */
        }
}

/* --- the loop --- */

static void work(struct qn_fetch *f)
{
        if (f->error)
                fail_queued(f);
        else if (f->sock < 0 && !TAILQ_EMPTY(&f->queue) && qn_io_nanos() >= f->not_before)
                start_role(f);
        hand_out(f);
}

static int wait_once(struct qn_fetch *f, int timeout_ms)
{
        struct epoll_event events[2];
        uint64_t count;
        int n = epoll_wait(f->epoll, events, QN_ARRAY_SIZE(events), timeout_ms);

        if (n < 0)
                return errno == EINTR ? 0 : -errno;
        for (int i = 0; i < n; i++)
                if (events[i].data.fd == f->event && read(f->event, &count, sizeof count) < 0)
                        return errno == EAGAIN ? n : -errno;
        hear(f);
        check_silence(f); /* after hearing, so that a parent that slept does not blame the role */
        return n;
}

/* Milliseconds to wait: until `end`, a new start, or the next look at the clock. */
static int patience(const struct qn_fetch *f, uint64_t end)
{
        uint64_t now = qn_io_nanos(), until = now + (uint64_t)TURN_MS * 1000000u;

        if (f->sock < 0 && !TAILQ_EMPTY(&f->queue))
                until = QN_MIN(until, f->not_before);
        until = QN_MIN(until, end);
        return until <= now ? 0 : (int)((until - now + 999999u) / 1000000u);
}

int qn_fetch_poll(struct qn_fetch *f, int timeout_ms, struct qn_err *reterr)
{
        uint64_t end =
                timeout_ms < 0 ? UINT64_MAX : qn_io_nanos() + (uint64_t)timeout_ms * 1000000u;
        uint64_t before = f->finished;
        int idle = f->n_open ? 0
                             : wait_once(f, 0); /* a role that died meanwhile wants to be noticed */

        if (idle < 0)
                return idle;
        for (work(f); f->n_open && f->finished == before; work(f)) {
                bool last = qn_io_nanos() >= end;
                int r = wait_once(f, patience(f, end));

                if (r < 0)
                        return r;
                if (last && r == 0)
                        break;
        }
        if (f->error)
                return qn_fail(reterr, f->error, 0, "%s", f->err.msg);
        return (int)QN_MIN(f->n_open, (size_t)INT32_MAX);
}
