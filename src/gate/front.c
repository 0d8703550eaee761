#include "gate/front.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/io.h"
#include "gate/front-priv.h"

#define SECOND      UINT64_C(1000000000)
#define RETIRED_S   60u /* a configuration is used for moments */
#define LISTENS_MAX 16u

/* One per process; all but conf and draining belong to the thread that receives. */
static struct front {
        int sock;
        _Atomic(struct qn_front_conf *) conf;
        struct qn_front_conf *retired;
        unsigned generation;
        int sockets[LISTENS_MAX]; /* that came and listen */
        struct qn_listen *listens[LISTENS_MAX];
        size_t n_sockets, n_listens;
        struct qn_listen *ending; /* replaced: they finish what they have */
        _Atomic bool draining;
        uint64_t drain_end_ns, next_tick_ns;
        size_t files; /* descriptors that the process may have */
        uint8_t packet[QN_ROLE_MESSAGE_MAX];
} front;

struct qn_front_conf *qn_front_conf(void)
{
        return atomic_load_explicit(&front.conf, memory_order_acquire);
}

bool qn_front_draining(void)
{
        return atomic_load_explicit(&front.draining, memory_order_relaxed);
}

/* --- configuration --- */

static void free_conf(struct qn_front_conf *c)
{
        qn_arena_done(&c->arena);
        free(c->bytes);
        free(c);
}

static int read_all(int fd, size_t n, char *to)
{
        for (size_t at = 0; at < n;) {
                ssize_t got = pread(fd, to + at, n - at, (off_t)at);

                if (got <= 0)
                        return got < 0 ? -errno : -EBADMSG;
                at += (size_t)got;
        }
        return 0;
}

/* The bytes of an input, wherever they are; NULL: they are not to be had. */
static char *copy_input(struct qn_cur input, int fd, size_t *ret_n)
{
        off_t end = fd >= 0 ? lseek(fd, 0, SEEK_END) : (off_t)qn_cur_left(&input);
        char *bytes = end < 0 || (size_t)end > QN_FRONT_CONFIG_MAX ? NULL : malloc((size_t)end + 1);

        if (bytes && fd >= 0 && read_all(fd, (size_t)end, bytes) < 0) {
                free(bytes);
                return NULL;
        }
        if (bytes && fd < 0 && end)
                memcpy(bytes, input.p, (size_t)end);
        *ret_n = (size_t)end;
        return bytes;
}

static int read_conf(struct qn_front_conf *c, size_t n)
{
        int r = qn_front_read_config(qn_cur_mem(c->bytes, n), &c->arena, &c->c);

        if (r < 0 || !c->c.cert.p)
                return r;
        c->cert_text = (char *)(uintptr_t)qn_arena_dup(&c->arena, c->c.cert).p;
        c->key_text = (char *)(uintptr_t)qn_arena_dup(&c->arena, c->c.key).p;
        return c->cert_text && c->key_text ? 0 : -ENOBUFS;
}

static void retire(struct qn_front_conf *old)
{
        if (!old)
                return;
        old->retired_ns = qn_io_nanos();
        old->next = front.retired;
        front.retired = old;
}

static void free_retired(uint64_t now_ns)
{
        struct qn_front_conf **at = &front.retired;

        while (*at) {
                struct qn_front_conf *c = *at;

                if (now_ns < c->retired_ns + RETIRED_S * SECOND) {
                        at = &c->next;
                        continue;
                }
                *at = c->next;
                free_conf(c);
        }
}

/* --- listening --- */

/* A daemon for each socket that has none. */
static int listen_on_all(void)
{
        const struct qn_front_conf *conf = qn_front_conf();

        while (conf && front.n_listens < front.n_sockets) {
                struct qn_listen *l =
                        qn_http_listen(front.sockets[front.n_listens], conf, front.files / 4);

                if (!l)
                        return -EIO;
                front.listens[front.n_listens++] = l;
        }
        return 0;
}

static bool listens_alike(const struct qn_front_config *a, const struct qn_front_config *b)
{
        return qn_str_eq(a->cert, b->cert) && qn_str_eq(a->key, b->key) &&
               a->connections == b->connections && a->per_address == b->per_address &&
               a->idle_s == b->idle_s && !a->proxies.n == !b->proxies.n;
}

/* The sockets stay. */
static void stop_accepting(void)
{
        while (front.n_listens) {
                struct qn_listen *l = front.listens[--front.n_listens];

                (void)MHD_quiesce_daemon(l->daemon);
                l->ended_ns = qn_io_nanos();
                l->next = front.ending;
                front.ending = l;
        }
}

/* A thread may have been about to accept: it has a while for it. */
static void free_ended(uint64_t now_ns)
{
        struct qn_listen **at = &front.ending;

        while (*at) {
                struct qn_listen *l = *at;

                if (now_ns < l->ended_ns + 2 * SECOND || atomic_load(&l->open) > 0) {
                        at = &l->next;
                        continue;
                }
                *at = l->next;
                MHD_stop_daemon(l->daemon);
                free(l);
        }
}

static int take_config(struct qn_cur input, int fd)
{
        struct qn_front_conf *c = calloc(1, sizeof *c), *old = qn_front_conf();
        size_t n;
        int r = -ENOMEM;

        if (!c)
                return r;
        c->arena = QN_ARENA_INIT(2 * QN_FRONT_CONFIG_MAX);
        c->bytes = copy_input(input, fd, &n);
        if (c->bytes)
                r = read_conf(c, n);
        if (r < 0) {
                free_conf(c);
                return r;
        }
        c->generation = ++front.generation;
        qn_keep_limit(c->c.keep_max);
        atomic_store_explicit(&front.conf, c, memory_order_release);
        if (old && !listens_alike(&old->c, &c->c))
                stop_accepting();
        retire(old);
        return qn_front_draining() ? 0 : listen_on_all();
}

static int take_listen(int *fd)
{
        if (*fd < 0 || front.n_sockets == LISTENS_MAX || qn_front_draining())
                return -EBADMSG;
        front.sockets[front.n_sockets++] = TAKE_FD(*fd);
        return listen_on_all();
}

/* --- the end --- */

static int begin_drain(struct qn_cur params)
{
        uint32_t seconds;

        if (qn_cur_le32(&params, &seconds) < 0 || qn_cur_left(&params))
                return -EBADMSG;
        if (qn_front_draining())
                return 0;
        atomic_store(&front.draining, true);
        front.drain_end_ns = qn_io_nanos() + seconds * SECOND;
        front.next_tick_ns = qn_io_nanos() + SECOND / 20;
        stop_accepting();
        return 0;
}

/* Not at once: a thread may be about to accept. */
static void close_sockets(void)
{
        while (front.n_sockets)
                close(front.sockets[--front.n_sockets]);
}

static bool drained(uint64_t now_ns)
{
        if (front.n_sockets)
                return false;
        return qn_front_draining() &&
               (qn_log_open_connections() == 0 || now_ns >= front.drain_end_ns);
}

/* --- messages --- */

static int take_job(const struct qn_msg_job *job, int *fd)
{
        switch (job->kind) {
        case QN_FRONT_CONFIG:
                return take_config(job->input, *fd);
        case QN_FRONT_LISTEN:
                return take_listen(fd);
        case QN_FRONT_LOG:
                qn_log_to(TAKE_FD(*fd));
                return 0;
        case QN_FRONT_ANSWER:
                qn_ask_answered(job->seq, job->params, job->input, TAKE_FD(*fd));
                return 0;
        case QN_FRONT_NOTED:
        case QN_FRONT_REFUSED:
                qn_ask_noted(job->seq, job->kind == QN_FRONT_NOTED);
                return 0;
        case QN_FRONT_FORGET:
                qn_keep_forget(qn_cur_rest(&job->params));
                return 0;
        case QN_FRONT_DRAIN:
                return begin_drain(job->params);
        default:
                return -EBADMSG;
        }
}

/* 1; 0: the gate is gone; -errno. */
static int take_message(void)
{
        _cleanup_(qn_closep) int fd = -1;
        struct qn_msg_job job;
        int r = qn_msg_recv_job(front.sock, front.packet, &job, &fd);

        if (r <= 0)
                return r;
        if (job.beside.has) {
                qn_msg_beside_close(&job.beside);
                return -EBADMSG;
        }
        r = take_job(&job, &fd);
        return r < 0 ? r : 1;
}

/* --- every second --- */

static void send_counts(void)
{
        struct qn_buf bytes = QN_BUF_INIT(1024);
        struct qn_front_counts counts;

        qn_log_counts(&counts);
        qn_front_write_counts(&bytes, &counts);
        (void)!qn_ask_send(0, &bytes); /* the next second's say the same and more */
}

static void tick(uint64_t now_ns)
{
        front.next_tick_ns = now_ns + (qn_front_draining() ? SECOND / 10 : SECOND);
        if (!front.conf)
                return;
        qn_http_expire(now_ns, qn_front_draining());
        qn_ask_expire(now_ns);
        free_retired(now_ns);
        if (qn_front_draining())
                close_sockets();
        else
                free_ended(now_ns);
        send_counts();
}

/* 1: there is a message; 0: there is none yet. */
static int wait_for_message(uint64_t now_ns)
{
        struct pollfd p = { .fd = front.sock, .events = POLLIN };
        uint64_t left = front.next_tick_ns > now_ns ? front.next_tick_ns - now_ns : 0;
        int r = poll(&p, 1, (int)(left / 1000000) + 1);

        return r < 0 && errno != EINTR ? -errno : r > 0;
}

static int open_front(const char *data_dir QN_UNUSED, void **ret, struct qn_err *reterr)
{
        struct rlimit files = { 0 };
        int r = qn_mhd_load(reterr);

        if (r < 0)
                return r;
        if (getrlimit(RLIMIT_NOFILE, &files) < 0)
                return qn_fail(reterr, -errno, 0, "cannot read limits: %s", strerror(errno));
        front.files = QN_MIN(files.rlim_max, (rlim_t)QN_FRONT_FILES);
        mallopt(M_ARENA_MAX, (int)QN_FRONT_THREADS_MAX);
        signal(SIGPIPE, SIG_IGN);
        qn_keep_open(front.files / 4);
        r = qn_limit_open();
        if (r == 0)
                r = qn_check_open();
        if (r == 0)
                r = qn_http_open();
        *ret = &front;
        return r < 0 ? qn_fail(reterr, r, 0, "the gate's HTTP face has no memory") : 0;
}

static int run(void)
{
        int r = qn_ask_open(front.sock);

        if (r == 0)
                r = qn_log_open();
        while (r == 0) {
                uint64_t now = qn_io_nanos();

                if (now >= front.next_tick_ns)
                        tick(now);
                if (drained(now))
                        return 0;
                r = wait_for_message(now);
                if (r <= 0)
                        continue;
                r = take_message();
                if (r == 0)
                        return 0;
                r = r < 0 ? r : 0;
        }
        return r;
}

static int serve(void *ctx QN_UNUSED, int sock)
{
        int r;

        front.sock = sock;
        r = run();
        if (r == 0)
                qn_log_flush();
        return r == -ENOMEM ? QN_ROLE_EXIT_MEMORY : r < 0 ? QN_ROLE_EXIT_PROTOCOL : 0;
}

const struct qn_role_def qn_role_serve = { .role = QN_ROLE_SERVE,
                                           .open = open_front,
                                           .serve = serve };
