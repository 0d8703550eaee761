#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "base/io.h"
#include "gate/front-priv.h"
#include "role/msg.h"

/* --- sending: one thread, so that the pieces of a message stay together and no thread that serves has to wait --- */

struct outgoing {
        struct outgoing *next;
        uint64_t seq;
        struct qn_buf bytes;
};

static struct {
        pthread_mutex_t lock;
        pthread_cond_t wake;
        struct outgoing *first, **last;
        size_t waiting; /* bytes */
        int sock;
} out = { .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER };

static struct outgoing *take_outgoing(void)
{
        struct outgoing *o;

        pthread_mutex_lock(&out.lock);
        while (!out.first)
                pthread_cond_wait(&out.wake, &out.lock);
        o = out.first;
        out.first = o->next;
        if (!out.first)
                out.last = &out.first;
        out.waiting -= o->bytes.n;
        pthread_mutex_unlock(&out.lock);
        return o;
}

/* Without the gate there is nothing to serve: the thread that receives ends the process. */
static void *send_all(void *nothing)
{
        for (;;) {
                struct outgoing *o = take_outgoing();
                int r = qn_msg_send_reply(out.sock, o->seq, 0, 0, qn_buf_view(&o->bytes));

                qn_buf_done(&o->bytes);
                free(o);
                if (r < 0)
                        return nothing;
        }
}

int qn_ask_send(uint64_t seq, struct qn_buf *bytes)
{
        struct outgoing *o = qn_buf_error(bytes) < 0 ? NULL : calloc(1, sizeof *o);
        bool fits;

        if (!o) {
                qn_buf_done(bytes);
                return -ENOMEM;
        }
        *o = (struct outgoing){ .seq = seq, .bytes = *bytes };
        pthread_mutex_lock(&out.lock);
        fits = out.waiting + bytes->n <= QN_FRONT_SENDING_MAX;
        if (fits) {
                out.waiting += bytes->n;
                *out.last = o;
                out.last = &o->next;
                pthread_cond_signal(&out.wake);
        }
        pthread_mutex_unlock(&out.lock);
        if (!fits) {
                qn_buf_done(&o->bytes);
                free(o);
                return -ENOBUFS;
        }
        return 0;
}

/* --- what is under way --- */

#define BUCKETS 4096u

struct question {
        struct question *next_seq, *next_key;
        uint64_t seq, hash, begun_ns;
        struct qn_conn *waiters; /* all of them suspended */
        bool note, vary;
        size_t keep_n; /* of the key under which the answer may be kept */
        uint64_t keep_hash;
        size_t n; /* of the key; 0: nobody joins */
        char key[];
};

static struct {
        pthread_mutex_t lock;
        struct question *by_seq[BUCKETS], *by_key[BUCKETS];
        uint64_t seq;
        size_t n;
} asked = { .lock = PTHREAD_MUTEX_INITIALIZER };

int qn_ask_open(int sock)
{
        pthread_t thread;

        out.sock = sock;
        out.last = &out.first;
        return -pthread_create(&thread, NULL, send_all, NULL);
}

static void link_question(struct question *q)
{
        struct question **seq = &asked.by_seq[q->seq % BUCKETS],
                        **key = &asked.by_key[q->hash % BUCKETS];

        q->next_seq = *seq;
        *seq = q;
        asked.n++;
        if (!q->n)
                return;
        q->next_key = *key;
        *key = q;
}

static void unlink_question(struct question *q)
{
        struct question **at = &asked.by_seq[q->seq % BUCKETS];

        while (*at != q)
                at = &(*at)->next_seq;
        *at = q->next_seq;
        asked.n--;
        if (!q->n)
                return;
        at = &asked.by_key[q->hash % BUCKETS];
        while (*at != q)
                at = &(*at)->next_key;
        *at = q->next_key;
}

/* With the lock. */
static struct question *find_same(struct qn_str key, uint64_t hash)
{
        struct question *q = asked.by_key[hash % BUCKETS];

        while (q && (q->hash != hash || !qn_str_eq((struct qn_str){ q->key, q->n }, key)))
                q = q->next_key;
        return q;
}

static struct question *find_seq(uint64_t seq)
{
        struct question *q = asked.by_seq[seq % BUCKETS];

        while (q && q->seq != seq)
                q = q->next_seq;
        return q;
}

static struct question *new_question(struct qn_str key, uint64_t hash, struct qn_conn *c)
{
        struct question *q = asked.n < QN_FRONT_WAITING_MAX ? calloc(1, sizeof *q + key.n) : NULL;

        if (!q)
                return NULL;
        if (key.n)
                memcpy(q->key, key.p, key.n);
        q->n = key.n;
        q->hash = hash;
        q->seq = ++asked.seq;
        q->begun_ns = qn_io_nanos();
        q->waiters = c;
        c->next_waiter = NULL;
        return q;
}

/* The key under which an answer is kept is the front of the key under which it is asked for (front-http.c). */
static struct qn_str keep_key(struct qn_str key, size_t n)
{
        return qn_str_take(key, n);
}

static void resume(struct qn_conn *c, struct qn_reply *r)
{
        c->reply = qn_reply_ref(r);
        MHD_resume_connection(c->mhd);
}

static void resume_all(struct qn_conn *first, struct qn_reply *r)
{
        while (first) {
                struct qn_conn *c = first;

                first = c->next_waiter; /* behind resume() it belongs to another thread */
                resume(c, r);
        }
}

/* Joins one who asked the same, or finds what came meanwhile: whether there is nothing left to ask. */
static bool join(struct qn_conn *c, struct qn_str key, uint64_t hash)
{
        struct question *q = find_same(key, hash);
        struct qn_reply *r;

        if (q) {
                c->next_waiter = q->waiters;
                q->waiters = c;
                return true;
        }
        r = qn_keep_find(keep_key(key, c->keep_n), c->keep_hash, qn_io_nanos());
        if (r) {
                resume(c, r);
                qn_reply_unref(r);
        }
        return r != NULL;
}

static bool begin(struct qn_conn *c, struct qn_str key, uint64_t hash, bool note, uint64_t *ret_seq)
{
        struct question *q = new_question(key, hash, c);

        if (!q)
                return false;
        q->note = note;
        q->vary = c->route.kind == QN_ROUTE_PACKUMENT || c->route.kind == QN_ROUTE_VERSION ||
                  c->route.kind == QN_ROUTE_TAGS;
        q->keep_n = c->keep_n;
        q->keep_hash = c->keep_hash;
        link_question(q);
        *ret_seq = q->seq;
        return true;
}

/* The question could not be sent: whoever waits for it is told. */
static void give_up(uint64_t seq, struct qn_reply *why)
{
        struct qn_conn *waiters = NULL;
        struct question *q;

        pthread_mutex_lock(&asked.lock);
        q = find_seq(seq);
        if (q) {
                unlink_question(q);
                waiters = q->waiters;
        }
        pthread_mutex_unlock(&asked.lock);
        free(q);
        resume_all(waiters, why);
}

void qn_ask(struct qn_conn *c, struct qn_str key, uint64_t hash)
{
        struct qn_buf bytes = QN_BUF_INIT(QN_FRONT_BODY_MAX + QN_FRONT_CONFIG_MAX);
        bool joined, begun = false;
        uint64_t seq = 0;

        /* before anybody can answer it, and with it the connection is somebody else's */
        qn_front_write_question(&bytes, &c->q);
        pthread_mutex_lock(&asked.lock);
        joined = key.n && join(c, key, hash);
        if (!joined)
                begun = begin(c, key, hash, false, &seq);
        pthread_mutex_unlock(&asked.lock);
        if (joined || !begun) {
                qn_buf_done(&bytes);
                if (!joined)
                        resume(c, qn_refusal(QN_REFUSE_BUSY));
                return;
        }
        if (qn_ask_send(seq, &bytes) < 0)
                give_up(seq, qn_refusal(QN_REFUSE_BUSY));
}

void qn_ask_note(struct qn_conn *c)
{
        const struct qn_front_note note = { .artifact = c->reply->a.artifact,
                                            .client = c->q.client };
        struct qn_buf bytes = QN_BUF_INIT(QN_FRONT_HEADERS_MAX);
        uint64_t seq = 0;
        bool begun;

        qn_front_write_note(&bytes, &note);
        pthread_mutex_lock(&asked.lock);
        begun = begin(c, QN_STR(""), 0, true, &seq);
        pthread_mutex_unlock(&asked.lock);
        if (!begun) {
                qn_buf_done(&bytes);
                c->noted = c->refused = true;
                MHD_resume_connection(c->mhd);
        } else if (qn_ask_send(seq, &bytes) < 0) {
                qn_ask_noted(seq, false);
        }
}

/* --- what the gate says --- */

/* Takes a question out of the tables; NULL: it was given up, or never asked. */
static struct question *take(uint64_t seq, bool note)
{
        struct question *q;

        pthread_mutex_lock(&asked.lock);
        q = find_seq(seq);
        if (q && q->note == note)
                unlink_question(q);
        else
                q = NULL;
        pthread_mutex_unlock(&asked.lock);
        return q;
}

static struct question *look(uint64_t seq)
{
        struct question *q;

        pthread_mutex_lock(&asked.lock);
        q = find_seq(seq);
        pthread_mutex_unlock(&asked.lock);
        return q && !q->note ? q : NULL;
}

/* Only the calling thread takes questions away; so what it looks at stays.  What is kept is there before the question goes:
 * nobody asks in between. */
void qn_ask_answered(uint64_t seq, struct qn_cur params, struct qn_cur input, int fd)
{
        struct question *q = look(seq);
        struct qn_reply *r = NULL;

        if (!q) {
                qn_closep(&fd);
                return;
        }
        if (qn_reply_new(params, input, fd, q->vary, &r) < 0)
                r = qn_reply_ref(qn_refusal(QN_REFUSE_GATE));
        else if (r->a.keep && q->keep_n)
                qn_keep_add(keep_key((struct qn_str){ q->key, q->n }, q->keep_n), q->keep_hash, r);
        q = take(seq, false);
        if (q)
                resume_all(q->waiters, r);
        free(q);
        qn_reply_unref(r);
}

static void finish_note(struct question *q, bool written)
{
        struct qn_conn *c = q->waiters;

        free(q);
        c->refused = !written;
        c->noted = true;
        MHD_resume_connection(c->mhd);
}

void qn_ask_noted(uint64_t seq, bool written)
{
        struct question *q = take(seq, true);

        if (q)
                finish_note(q, written);
}

/* One that has waited too long; taken out. */
static struct question *take_late(uint64_t begun_before_ns)
{
        struct question *late = NULL;

        pthread_mutex_lock(&asked.lock);
        for (unsigned i = 0; i < BUCKETS && !late && asked.n; i++)
                for (struct question *q = asked.by_seq[i]; q && !late; q = q->next_seq)
                        if (q->begun_ns < begun_before_ns)
                                late = q;
        if (late)
                unlink_question(late);
        pthread_mutex_unlock(&asked.lock);
        return late;
}

void qn_ask_expire(uint64_t now_ns)
{
        uint64_t patience = QN_FRONT_ANSWER_S * UINT64_C(1000000000);
        struct question *q;

        while (now_ns > patience && (q = take_late(now_ns - patience))) {
                if (q->note) {
                        finish_note(q, false);
                        continue;
                }
                resume_all(q->waiters, qn_refusal(QN_REFUSE_LATE));
                free(q);
        }
}
