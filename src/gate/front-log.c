#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "base/io.h"
#include "gate/front-priv.h"
#include "parse/packument.h"

/* Each thread counts for itself and fills a buffer of its own; one thread of the log's writes them all. */
struct qn_tally {
        struct qn_tally *next;
        struct qn_front_counts counts; /* written by its thread, read by the tick */
        pthread_mutex_t lock;          /* of the lines */
        char *lines, *spare;           /* QN_FRONT_LOG_MAX bytes each */
        size_t n;
        uint64_t dropped;
};

static _Atomic(struct qn_tally *) tallies;
static __thread struct qn_tally *mine;
static _Atomic int64_t open_connections;

static struct {
        pthread_mutex_t lock;
        pthread_cond_t wake;
        bool full; /* a buffer is half full */
} writer = { .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER };
static _Atomic int log_fd = -1;
static atomic_uint rounds; /* in which everything was written */

static struct qn_tally *tally(void)
{
        struct qn_tally *t = mine;

        if (t)
                return t;
        t = calloc(1, sizeof *t);
        if (!t)
                return NULL;
        pthread_mutex_init(&t->lock, NULL);
        t->next = atomic_load(&tallies);
        while (!atomic_compare_exchange_weak(&tallies, &t->next, t))
                ;
        mine = t;
        return t;
}

/* --- counters --- */

static void count(uint64_t *at, uint64_t by)
{
        __atomic_store_n(at, *at + by, __ATOMIC_RELAXED);
}

static unsigned latency_class(uint64_t ns)
{
        unsigned n = 0;

        while (n < 15 && ns > UINT64_C(100000) << n)
                n++;
        return n;
}

static void count_request(struct qn_tally *t, const struct qn_conn *c, uint64_t ns)
{
        struct qn_front_counts *k = &t->counts;

        count(&k->requests, 1);
        count(&k->latency[latency_class(ns)], 1);
        count(&k->latency_us, ns / 1000);
        count(&k->bytes, c->bytes);
        if (c->status < 600)
                count(&k->by_status[c->status / 100], 1);
        if (c->status == 304)
                count(&k->not_modified, 1);
        if (c->kept)
                count(&k->kept, 1);
        if (c->status == 401 || c->status == 429)
                count(&k->refused, 1);
        if (c->malformed)
                count(&k->malformed, 1);
        if (c->noted && !c->refused)
                count(&k->artifacts, 1);
}

void qn_log_opened(int by)
{
        atomic_fetch_add_explicit(&open_connections, by, memory_order_relaxed);
}

uint64_t qn_log_open_connections(void)
{
        int64_t n = atomic_load_explicit(&open_connections, memory_order_relaxed);

        return n > 0 ? (uint64_t)n : 0;
}

void qn_log_counts(struct qn_front_counts *ret)
{
        *ret = (struct qn_front_counts){ 0 };
        for (struct qn_tally *t = atomic_load(&tallies); t; t = t->next)
                for (size_t i = 0; i < sizeof *ret / sizeof(uint64_t); i++)
                        ((uint64_t *)ret)[i] +=
                                __atomic_load_n((uint64_t *)&t->counts + i, __ATOMIC_RELAXED);
        ret->open = qn_log_open_connections();
}

/* --- lines --- */

/* A line is put together here; what does not fit is left out. */
struct line {
        char p[4608];
        size_t n;
};

static void put(struct line *l, const char *p, size_t n)
{
        n = QN_MIN(n, sizeof l->p - l->n);
        memcpy(l->p + l->n, p, n);
        l->n += n;
}

#define PUT(l, literal) put((l), (literal), sizeof(literal) - 1)

static void put_u64(struct line *l, uint64_t v)
{
        char digits[20];
        size_t n = sizeof digits;

        do
                digits[--n] = (char)('0' + v % 10);
        while (v /= 10);
        put(l, digits + n, sizeof digits - n);
}

static void put_text(struct line *l, struct qn_str s, size_t max)
{
        static const char hex[] = "0123456789abcdef";

        PUT(l, "\"");
        for (size_t i = 0; i < QN_MIN(s.n, max); i++) {
                unsigned char c = (unsigned char)s.p[i];
                const char escape[] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };

                if (c < ' ' || c > '~' || c == '"' || c == '\\')
                        put(l, escape, sizeof escape);
                else
                        put(l, s.p + i, 1);
        }
        PUT(l, "\"");
}

/* The same second is written only once by each thread. */
static void put_time(struct line *l)
{
        static __thread char text[QN_TIME_TEXT];
        static __thread time_t second;
        struct timespec now;
        char ms[3];

        clock_gettime(CLOCK_REALTIME, &now);
        if (now.tv_sec != second) {
                second = now.tv_sec;
                (void)qn_time_format(second * 1000, text);
        }
        for (unsigned v = (unsigned)(now.tv_nsec / 1000000), i = 3; i-- > 0; v /= 10)
                ms[i] = (char)('0' + v % 10);
        PUT(l, "\"");
        put(l, text, 19);
        PUT(l, ".");
        put(l, ms, sizeof ms);
        PUT(l, "Z\"");
}

static void put_ms(struct line *l, uint64_t ns)
{
        uint64_t us = ns / 1000;
        char rest[4] = { '.', (char)('0' + us / 100 % 10), (char)('0' + us / 10 % 10),
                         (char)('0' + us % 10) };

        put_u64(l, us / 1000);
        put(l, rest, sizeof rest);
}

static void make_line(struct line *l, const struct qn_conn *c, uint64_t ns)
{
        PUT(l, "{\"time\":");
        put_time(l);
        PUT(l, ",\"address\":");
        put_text(l, c->q.client.address.p ? c->q.client.address : qn_str_c(c->peer), 64);
        PUT(l, ",\"token\":");
        put_text(l, c->q.client.token, 64);
        PUT(l, ",\"method\":");
        put_text(l, c->method, 16);
        PUT(l, ",\"path\":");
        put_text(l, c->path, 512);
        PUT(l, ",\"status\":");
        put_u64(l, c->status);
        PUT(l, ",\"bytes\":");
        put_u64(l, c->bytes);
        PUT(l, ",\"ms\":");
        put_ms(l, ns);
        if (c->kept)
                PUT(l, ",\"from\":\"kept\"");
        else if (c->asked)
                PUT(l, ",\"from\":\"asked\"");
        else
                PUT(l, ",\"from\":\"front\"");
        PUT(l, ",\"agent\":");
        put_text(l, c->q.client.user_agent, 128);
        PUT(l, "}\n");
}

static void wake_writer(void)
{
        pthread_mutex_lock(&writer.lock);
        writer.full = true;
        pthread_cond_signal(&writer.wake);
        pthread_mutex_unlock(&writer.lock);
}

static void add_line(struct qn_tally *t, const struct line *l)
{
        bool half;

        pthread_mutex_lock(&t->lock);
        half = t->n < QN_FRONT_LOG_MAX / 2;
        if (!t->lines)
                t->lines = malloc(QN_FRONT_LOG_MAX);
        if (t->lines && l->n <= QN_FRONT_LOG_MAX - t->n) {
                memcpy(t->lines + t->n, l->p, l->n);
                t->n += l->n;
        } else {
                t->dropped++;
        }
        half = half && t->n >= QN_FRONT_LOG_MAX / 2;
        pthread_mutex_unlock(&t->lock);
        if (half)
                wake_writer();
}

void qn_log_request(const struct qn_conn *c, uint64_t now_ns)
{
        struct qn_tally *t = tally();
        struct line l;

        if (!t)
                return;
        count_request(t, c, now_ns - c->start_ns);
        if (atomic_load_explicit(&log_fd, memory_order_relaxed) < 0)
                return;
        l.n = 0;
        make_line(&l, c, now_ns - c->start_ns);
        add_line(t, &l);
}

/* --- writing --- */

static void report_dropped(int fd, uint64_t dropped)
{
        char text[64];
        int n = snprintf(text, sizeof text, "{\"dropped\":%llu}\n", (unsigned long long)dropped);

        (void)!qn_io_write_fd(fd, (struct qn_str){ text, (size_t)n });
}

static void write_tally(struct qn_tally *t, int fd)
{
        uint64_t dropped;
        char *lines;
        size_t n;

        pthread_mutex_lock(&t->lock);
        lines = t->lines;
        n = t->n;
        dropped = t->dropped;
        t->lines = t->spare;
        t->spare = NULL;
        t->n = 0;
        t->dropped = 0;
        pthread_mutex_unlock(&t->lock);
        if (n && qn_io_write_fd(fd, (struct qn_str){ lines, n }) < 0)
                dropped++;
        if (dropped)
                report_dropped(fd, dropped);
        t->spare = lines;
}

static void write_all(void)
{
        int fd = atomic_load(&log_fd);

        for (struct qn_tally *t = atomic_load(&tallies); fd >= 0 && t; t = t->next)
                write_tally(t, fd);
        atomic_fetch_add(&rounds, 1);
}

/* The second round from now has seen all that is there now. */
void qn_log_flush(void)
{
        const struct timespec pause = { 0, 2000000 };
        unsigned until = atomic_load(&rounds) + 2;

        for (int i = 0; i < 500 && (int)(until - atomic_load(&rounds)) > 0; i++) {
                wake_writer();
                nanosleep(&pause, NULL);
        }
}

static void *write_lines(void *nothing)
{
        for (;;) {
                struct timespec until;

                clock_gettime(CLOCK_REALTIME, &until);
                until.tv_sec++;
                pthread_mutex_lock(&writer.lock);
                while (!writer.full &&
                       pthread_cond_timedwait(&writer.wake, &writer.lock, &until) == 0)
                        ;
                writer.full = false;
                pthread_mutex_unlock(&writer.lock);
                write_all();
        }
        return nothing;
}

int qn_log_open(void)
{
        pthread_t thread;

        return -pthread_create(&thread, NULL, write_lines, NULL);
}

/* The old one stays open: somebody may be writing to it. */
void qn_log_to(int fd)
{
        static int before = -1; /* somebody may be writing to the last one */

        qn_closep(&before);
        before = atomic_exchange(&log_fd, fd);
}
