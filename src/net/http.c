/* The client: a queue, libcurl's multi handle driven by epoll, and the clock for the next tries. */
#include "net/http.h"

#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "net/http-job.h"

TAILQ_HEAD(job_list, qn_http_job);

#define SPARE_MAX 16       /* easy handles kept for reuse */
#define SLACK_NS  5000000u /* how much earlier than we libcurl may think that it is late */

struct qn_http {
        struct qn_http_opts o; /* strings are NUL-terminated copies in mem */
        struct qn_arena mem;
        CURLM *multi;
        CURLSH *share; /* TLS sessions, so that further connections resume */
        struct qn_http_trust *trust;
        struct job_list queued, active, waiting;
        size_t n_active, n_jobs;
        uint64_t finished;
        CURL *spare[SPARE_MAX];
        size_t n_spare;
        int epoll, timer;
        uint64_t curl_at,
                set_at; /* monotonic nanoseconds: what libcurl asked for, what the timer shows; 0 none */
        bool inside; /* a callback is running */
};

static pthread_once_t global_once = PTHREAD_ONCE_INIT;
static CURLcode global_result;

static void global_start(void)
{
        global_result = curl_global_init(CURL_GLOBAL_ALL);
}

/* --- what libcurl wants to watch --- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *known)
{
        struct qn_http *h = user;
        struct epoll_event ev = { .data.fd = fd };

        (void)easy;
        if (what == CURL_POLL_REMOVE) {
                epoll_ctl(h->epoll, EPOLL_CTL_DEL, fd, NULL);
                return 0;
        }
        ev.events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
        if (epoll_ctl(h->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &ev) < 0 &&
            epoll_ctl(h->epoll, known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &ev) < 0)
                return -1;
        curl_multi_assign(h->multi, fd, h);
        return 0;
}

static int on_timer(CURLM *multi, long ms, void *user)
{
        struct qn_http *h = user;

        (void)multi;
        h->curl_at = ms < 0 ? 0 : qn_io_nanos() + (uint64_t)ms * 1000000u + 1;
        return 0;
}

/* --- life --- */

static int copy_options(struct qn_http *h, const struct qn_http_opts *o)
{
        struct qn_str *texts[] = { &h->o.user_agent, &h->o.proxies.all, &h->o.proxies.https,
                                   &h->o.proxies.http, &h->o.proxies.none };

        h->o = *o;
        for (size_t i = 0; i < QN_ARRAY_SIZE(texts); i++) {
                if (!texts[i]->p)
                        continue;
                *texts[i] = qn_arena_dup(&h->mem, *texts[i]);
                if (!texts[i]->p)
                        return -ENOMEM;
        }
        h->o.ca = h->o.extra_ca = (struct qn_str){ 0 }; /* the trust has its own copy */
        h->o.sockets = o->sockets ? o->sockets : 15;
        h->o.tries = o->tries ? o->tries : QN_HTTP_TRIES;
        h->o.retry_min_ms = o->retry_min_ms ? o->retry_min_ms : 400;
        h->o.retry_max_ms = o->retry_max_ms ? o->retry_max_ms : 20000;
        h->o.retry_factor = o->retry_factor ? o->retry_factor : 4;
        return 0;
}

static int watch_timer(struct qn_http *h)
{
        struct epoll_event ev = { .events = EPOLLIN };

        h->epoll = epoll_create1(EPOLL_CLOEXEC);
        h->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        if (h->epoll < 0 || h->timer < 0)
                return -errno;
        ev.data.fd = h->timer;
        return epoll_ctl(h->epoll, EPOLL_CTL_ADD, h->timer, &ev) < 0 ? -errno : 0;
}

static int start_curl(struct qn_http *h)
{
        CURLM *m;

        pthread_once(&global_once, global_start);
        if (global_result != CURLE_OK)
                return -EIO;
        h->multi = m = curl_multi_init();
        h->share = curl_share_init();
        if (!m || !h->share)
                return -ENOMEM;
        curl_share_setopt(h->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
        curl_multi_setopt(m, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
        curl_multi_setopt(m, CURLMOPT_MAX_HOST_CONNECTIONS, (long)h->o.sockets);
        curl_multi_setopt(m, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)QN_HTTP_INFLIGHT);
        /* By default as many are kept as four times the requests of the moment, which come one by one. */
        curl_multi_setopt(m, CURLMOPT_MAXCONNECTS, (long)QN_HTTP_INFLIGHT);
        curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, on_socket);
        curl_multi_setopt(m, CURLMOPT_SOCKETDATA, h);
        curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, on_timer);
        curl_multi_setopt(m, CURLMOPT_TIMERDATA, h);
        return 0;
}

int qn_http_new(const struct qn_http_opts *o, struct qn_http **ret)
{
        _cleanup_(qn_http_freep) struct qn_http *h = calloc(1, sizeof *h);
        int r;

        if (!h)
                return -ENOMEM;
        h->mem = QN_ARENA_INIT((size_t)1 << 20);
        h->epoll = h->timer = -1;
        TAILQ_INIT(&h->queued);
        TAILQ_INIT(&h->active);
        TAILQ_INIT(&h->waiting);
        r = copy_options(h, o);
        if (r == 0)
                r = qn_http_trust_new(o, &h->trust);
        if (r == 0)
                r = watch_timer(h);
        if (r == 0)
                r = start_curl(h);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(h);
        return 0;
}

static void drop_all(struct qn_http *h, struct job_list *list)
{
        struct qn_http_job *j;

        while ((j = TAILQ_FIRST(list))) {
                TAILQ_REMOVE(list, j, link);
                if (j->state == JOB_ACTIVE)
                        curl_multi_remove_handle(h->multi, j->easy);
                qn_http_job_free(j);
        }
}

struct qn_http *qn_http_free(struct qn_http *h)
{
        if (!h)
                return NULL;
        drop_all(h, &h->queued);
        drop_all(h, &h->active);
        drop_all(h, &h->waiting);
        while (h->n_spare)
                curl_easy_cleanup(h->spare[--h->n_spare]);
        curl_multi_cleanup(h->multi);
        curl_share_cleanup(h->share);
        qn_http_trust_free(h->trust);
        qn_closep(&h->epoll);
        qn_closep(&h->timer);
        qn_arena_done(&h->mem);
        free(h);
        return NULL;
}

void qn_http_freep(struct qn_http **h)
{
        *h = qn_http_free(*h);
}

int qn_http_fd(const struct qn_http *h)
{
        return h->epoll;
}

/* --- a job's way --- */

static struct job_list *list_of(struct qn_http *h, enum job_state s)
{
        return s == JOB_QUEUED ? &h->queued : s == JOB_ACTIVE ? &h->active : &h->waiting;
}

static void move(struct qn_http *h, struct qn_http_job *j, enum job_state to)
{
        TAILQ_REMOVE(list_of(h, j->state), j, link);
        h->n_active -= j->state == JOB_ACTIVE;
        h->n_active += to == JOB_ACTIVE;
        j->state = to;
        TAILQ_INSERT_TAIL(list_of(h, to), j, link);
}

static void recycle(struct qn_http *h, struct qn_http_job *j)
{
        if (!j->easy || h->n_spare == SPARE_MAX)
                return; /* freed with the job */
        curl_easy_reset(j->easy);
        h->spare[h->n_spare++] = TAKE_PTR(j->easy);
}

static void finish(struct qn_http *h, struct qn_http_job *j, enum qn_http_code code, int status)
{
        TAILQ_REMOVE(list_of(h, j->state), j, link);
        h->n_active -= j->state == JOB_ACTIVE;
        h->n_jobs--;
        h->finished++;
        h->inside = true;
        qn_http_job_finish(j, code, status);
        h->inside = false;
        recycle(h, j);
        qn_http_job_free(j);
}

static int start(struct qn_http *h, struct qn_http_job *j)
{
        int r;

        if (!j->easy)
                j->easy = h->n_spare ? h->spare[--h->n_spare] : curl_easy_init();
        if (!j->easy)
                return -ENOMEM;
        r = qn_http_job_rewind(j);
        if (r == 0)
                r = qn_http_job_prepare(j, &h->o);
        if (r < 0)
                return r;
        qn_http_trust_apply(h->trust, j->easy);
        curl_easy_setopt(j->easy, CURLOPT_SHARE, h->share);
        move(h, j, JOB_ACTIVE);
        if (curl_multi_add_handle(h->multi, j->easy) == CURLM_OK)
                return 0;
        return -EIO;
}

static void start_queued(struct qn_http *h)
{
        struct qn_http_job *j;

        while (h->n_active < QN_HTTP_INFLIGHT && (j = TAILQ_FIRST(&h->queued))) {
                if (!j->failed && qn_http_job_strays(j))
                        j->failed = QN_HTTP_PRIVATE;
                if (j->failed) {
                        finish(h, j, j->failed, 0);
                        continue;
                }
                j->tries += j->redirects == 0; /* a redirect is the same try */
                if (start(h, j) < 0)
                        finish(h, j, QN_HTTP_INTERNAL, 0);
        }
}

/* Exponential, with jitter so that many failed requests do not come back at the same moment. */
static uint64_t backoff_ms(const struct qn_http *h, unsigned tries)
{
        uint64_t ms = h->o.retry_min_ms;
        uint32_t noise = 0;

        for (unsigned i = 1; i < tries && ms < h->o.retry_max_ms; i++)
                ms *= h->o.retry_factor;
        ms = QN_MIN(ms, (uint64_t)h->o.retry_max_ms);
        if (getrandom(&noise, sizeof noise, GRND_NONBLOCK) != (ssize_t)sizeof noise)
                noise = (uint32_t)qn_io_nanos();
        return ms / 2 + noise % (ms / 2 + 1);
}

/* Whether the job gets another try, and then puts it to wait. */
static bool try_again(struct qn_http *h, struct qn_http_job *j, enum qn_http_code code)
{
        curl_off_t after = 0;
        uint64_t ms;

        if (!qn_http_worth_repeating(code) || j->tries >= h->o.tries ||
            (j->writes && !qn_http_before_sending(code)))
                return false;
        ms = backoff_ms(h, j->tries);
        curl_easy_getinfo(j->easy, CURLINFO_RETRY_AFTER, &after);
        if (after > 0 && (uint64_t)after > QN_HTTP_WAIT_MAX_MS / 1000)
                return false;
        ms = QN_MAX(ms, (uint64_t)(after > 0 ? after : 0) * 1000);
        if (j->deadline && qn_io_nanos() + ms * 1000000u >= j->deadline)
                return false;
        j->redirects = 0;
        j->url = j->origin;
        if (qn_http_job_retarget(j) < 0)
                return false;
        j->next_try = qn_io_nanos() + ms * 1000000u;
        move(h, j, JOB_WAITING);
        return true;
}

/* A transfer that was ended at the deadline, unless not even a connection came about. */
static bool is_late(const struct qn_http_job *j)
{
        curl_off_t connected = 0;

        curl_easy_getinfo(j->easy, CURLINFO_CONNECT_TIME_T, &connected);
        return j->deadline && connected > 0 && qn_io_nanos() + SLACK_NS >= j->deadline;
}

static enum qn_http_code judge(struct qn_http_job *j, CURLcode c, long status)
{
        enum qn_http_code code = c == CURLE_OK ? QN_HTTP_OK : qn_http_classify_curl(c);
        long tunnel = 0;

        if (j->failed)
                return j->failed;
        if (j->inside && code == QN_HTTP_REFUSED)
                return QN_HTTP_PRIVATE;
        if (qn_http_is_mail(&j->q) && code != QN_HTTP_TIMEOUT)
                return qn_http_classify_mail(c, status);
        curl_easy_getinfo(j->easy, CURLINFO_HTTP_CONNECTCODE, &tunnel);
        if (j->proxied && (tunnel >= 300 || code == QN_HTTP_REFUSED))
                return QN_HTTP_PROXY;
        /* An error answer whose body was not read to its end is still that answer. */
        if (status >= 300 &&
            (c == CURLE_OK || (!qn_http_job_keeps(j, status) &&
                               (c == CURLE_WRITE_ERROR || c == CURLE_FILESIZE_EXCEEDED))))
                return qn_http_classify_status((int)status);
        if (code == QN_HTTP_TIMEOUT && is_late(j))
                return QN_HTTP_LATE;
        if (code == QN_HTTP_TIMEOUT && status)
                return QN_HTTP_SLOW;
        return code == QN_HTTP_OK ? qn_http_classify_status((int)status) : code;
}

/* Whether an error is a whole answer that the caller wants to have as it is. */
static bool is_passed(const struct qn_http_job *j, CURLcode c, enum qn_http_code code, long status)
{
        return j->q.pass && c == CURLE_OK && qn_http_job_keeps(j, status) &&
               code == qn_http_classify_status((int)status) && !(j->proxied && status == 407);
}

static void transfer_done(struct qn_http *h, struct qn_http_job *j, CURLcode c)
{
        char *location = NULL;
        long status = 0;
        enum qn_http_code code;
        bool passed;

        curl_easy_getinfo(j->easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(j->easy, CURLINFO_REDIRECT_URL, &location);
        code = judge(j, c, status);
        passed = is_passed(j, c, code, status);
        if (code == QN_HTTP_STATUS && qn_http_is_redirect(status) && !j->writes) {
                code = qn_http_job_redirect(j, location);
                curl_multi_remove_handle(h->multi, j->easy);
                if (code == QN_HTTP_OK) {
                        move(h, j, JOB_QUEUED);
                        return;
                }
        } else {
                curl_multi_remove_handle(h->multi, j->easy);
        }
        if (!try_again(h, j, code))
                finish(h, j, passed ? QN_HTTP_OK : code, (int)status);
}

static void reap(struct qn_http *h)
{
        CURLMsg *m;
        int left;

        while ((m = curl_multi_info_read(h->multi, &left))) {
                struct qn_http_job *j = NULL;

                if (m->msg != CURLMSG_DONE)
                        continue;
                curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &j);
                transfer_done(h, j, m->data.result);
        }
}

/* --- the loop --- */

static void wake_waiting(struct qn_http *h, uint64_t now)
{
        struct qn_http_job *j, *next;

        for (j = TAILQ_FIRST(&h->waiting); j; j = next) {
                next = TAILQ_NEXT(j, link);
                if (j->next_try <= now)
                        move(h, j, JOB_QUEUED);
        }
}

static void end_late(struct qn_http *h, uint64_t now)
{
        struct qn_http_job *j, *next;

        for (j = TAILQ_FIRST(&h->queued); j; j = next) {
                next = TAILQ_NEXT(j, link);
                if (j->deadline && j->deadline <= now)
                        finish(h, j, QN_HTTP_LATE, 0);
        }
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
        return !a || (b && b < a) ? b : a;
}

static uint64_t next_moment(const struct qn_http *h)
{
        struct qn_http_job *j;
        uint64_t first = h->curl_at;

        TAILQ_FOREACH (j, &h->waiting, link)
                first = sooner(first, j->next_try);
        TAILQ_FOREACH (j, &h->queued, link)
                first = sooner(first, j->deadline);
        return first;
}

static void set_timer(struct qn_http *h, uint64_t at)
{
        struct itimerspec t = { .it_value = { (time_t)(at / 1000000000u),
                                              (long)(at % 1000000000u) } };

        if (at == h->set_at)
                return;
        h->set_at = at;
        timerfd_settime(h->timer, TFD_TIMER_ABSTIME, &t, NULL);
}

static void wake(struct qn_http *h)
{
        set_timer(h, 1); /* a moment long past */
}

int qn_http_send(struct qn_http *h, const struct qn_http_request *q, int payload, int body,
                 qn_http_done *done, void *user)
{
        struct qn_http_job *j = NULL;
        int r = qn_http_request_ok(q) ? qn_http_job_new(q, &j) : -EINVAL;

        if (r < 0)
                return r;
        r = qn_http_job_load(j, payload);
        if (r < 0) {
                qn_http_job_free(j);
                return r;
        }
        j->payload = payload;
        j->deadline = q->total_ms ? qn_io_nanos() + (uint64_t)q->total_ms * 1000000u : 0;
        j->fd = body;
        j->done = done;
        j->user = user;
        TAILQ_INSERT_TAIL(&h->queued, j, link);
        h->n_jobs++;
        wake(h);
        return 0;
}

int qn_http_get(struct qn_http *h, const struct qn_http_request *q, int body, qn_http_done *done,
                void *user)
{
        return qn_http_send(h, q, -1, body, done, user);
}

/* Everything that is due now; leaves the timer on the next moment that something is. */
static void work(struct qn_http *h)
{
        int running;

        for (;;) {
                uint64_t now = qn_io_nanos();

                wake_waiting(h, now);
                end_late(h, now);
                start_queued(h);
                if (h->curl_at && h->curl_at <= now) {
                        h->curl_at = 0;
                        curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
                }
                reap(h);
                if (!(h->curl_at && h->curl_at <= now) &&
                    (TAILQ_EMPTY(&h->queued) || h->n_active >= QN_HTTP_INFLIGHT))
                        break;
        }
        set_timer(h, next_moment(h));
}

static int wait_once(struct qn_http *h, int timeout_ms)
{
        struct epoll_event ev[64];
        uint64_t ticks;
        int running, n = epoll_wait(h->epoll, ev, QN_ARRAY_SIZE(ev), timeout_ms);

        if (n < 0)
                return errno == EINTR ? 0 : -errno;
        for (int i = 0; i < n; i++) {
                int what = (ev[i].events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
                           (ev[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                           (ev[i].events & EPOLLERR ? CURL_CSELECT_ERR : 0);

                if (ev[i].data.fd != h->timer)
                        curl_multi_socket_action(h->multi, ev[i].data.fd, what, &running);
                else if (read(h->timer, &ticks, sizeof ticks) > 0)
                        h->set_at = 0;
        }
        return n;
}

int qn_http_poll(struct qn_http *h, int timeout_ms)
{
        uint64_t end =
                timeout_ms < 0 ? UINT64_MAX : qn_io_nanos() + (uint64_t)timeout_ms * 1000000u;
        uint64_t before = h->finished;
        int r;

        if (h->inside)
                return -EBUSY;
        for (work(h); h->n_jobs && h->finished == before; work(h)) {
                uint64_t now = qn_io_nanos();
                uint64_t ms = end == UINT64_MAX ? 0
                              : now < end       ? (end - now + 999999u) / 1000000u
                                                : 0;

                r = wait_once(h, end == UINT64_MAX ? -1 : (int)QN_MIN(ms, (uint64_t)INT32_MAX));
                if (r < 0)
                        return r;
                if (now >= end && r == 0)
                        break;
        }
        return (int)QN_MIN(h->n_jobs, (size_t)INT32_MAX);
}
