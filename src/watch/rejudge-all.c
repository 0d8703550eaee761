/* rejudge-all.c - the whole store in several processes: each takes every n-th range of ids, reads and judges it, and tells what is
 * not as it was; the parent alone writes.  They are copies of this process with the same rules, so that a rule is its number. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "intel/tell.h"
#include "rule/rule.h"
#include "watch/rejudge-priv.h"

#define RANGE   1024              /* ids of one range */
#define MESSAGE ((size_t)1 << 20) /* bytes of the longest message */
#define SEND_AT ((size_t)64 << 10)
#define MEM_MAX ((size_t)512 << 20)
#define KINDS   4u /* of verdicts */

/* A message: u32 length of what follows, u8 which, and then
 *   OUTCOME  u8 verdict, u8 relies, u32 score, i64 id, i64 judged, u32 score that was, six texts, u32 n, n times u32 rule, u8 verdict
 *   END      five u64: the counts of qn_rejudge_stats
 *   FAILED   i64 error, a text
 * A text is u32 length and bytes. */
enum { OUTCOME, END, FAILED };

/* --- a worker --- */

struct worker {
        struct qn_rejudger j;
        int fd;
        struct qn_buf out;
};

static void put_u32(struct qn_buf *b, uint64_t v)
{
        uint32_t x = (uint32_t)v;

        qn_buf_add(b, &x, sizeof x);
}

static void put_i64(struct qn_buf *b, int64_t v)
{
        qn_buf_add(b, &v, sizeof v);
}

static void put_text(struct qn_buf *b, struct qn_str s)
{
        put_u32(b, s.n);
        qn_buf_str(b, s);
}

static int flush(struct worker *w)
{
        int r = qn_buf_error(&w->out);

        if (r == 0)
                r = qn_io_write_fd(w->fd, qn_buf_view(&w->out));
        qn_buf_reset(&w->out);
        return r;
}

/* Puts the length in front of what was appended since `start`. */
static int end_message(struct worker *w, size_t start)
{
        uint32_t n = (uint32_t)(w->out.n - start - 4);
        int r = qn_buf_error(&w->out);

        if (r < 0)
                return r;
        memcpy(w->out.p + start, &n, sizeof n);
        return w->out.n >= SEND_AT ? flush(w) : 0;
}

static int send_outcome(void *ctx, const struct qn_rejudge_outcome *o)
{
        struct worker *w = ctx;
        const struct qn_seen *was = o->was;
        const struct qn_verdict *v = o->verdict;
        const struct qn_str texts[] = { was->name,    was->version, was->integrity,
                                        was->verdict, was->reason,  v->reason };
        struct qn_buf *b = &w->out;
        size_t start = b->n;

        put_u32(b, 0);
        qn_buf_add(b, (uint8_t[]){ OUTCOME, (uint8_t)v->kind, o->relies }, 3);
        put_u32(b, v->score);
        put_i64(b, was->id);
        put_i64(b, was->judged);
        put_u32(b, was->score);
        for (size_t i = 0; i < QN_ARRAY_SIZE(texts); i++)
                put_text(b, texts[i]);
        put_u32(b, v->n);
        for (size_t i = 0; i < v->n; i++) {
                put_u32(b, qn_rules_number(w->j.conf->rules, v->findings[i].rule));
                qn_buf_byte(b, (char)v->findings[i].verdict);
        }
        return end_message(w, start);
}

static int send_end(struct worker *w)
{
        size_t start = w->out.n;

        put_u32(&w->out, 0);
        qn_buf_byte(&w->out, END);
        qn_buf_add(&w->out, &w->j.stats, sizeof w->j.stats);
        return end_message(w, start);
}

static void send_failure(struct worker *w, int code, const char *text)
{
        size_t start;

        qn_buf_reset(&w->out);
        start = w->out.n;
        put_u32(&w->out, 0);
        qn_buf_byte(&w->out, FAILED);
        put_i64(&w->out, code);
        put_text(&w->out, qn_str_c(text));
        if (end_message(w, start) == 0)
                (void)!flush(w);
}

static int work_all(struct worker *w, struct qn_db *db, unsigned number, unsigned of, int64_t last)
{
        int r = 0;

        for (int64_t k = number; r == 0 && k * RANGE < last; k += of)
                r = qn_rejudger_range(&w->j, db, k * RANGE, QN_MIN((k + 1) * RANGE, last),
                                      send_outcome, w);
        if (r == 0)
                r = send_end(w);
        return r == 0 ? flush(w) : r;
}

static int open_tell(const struct qn_rejudge_all *how, struct qn_rejudge_conf *conf,
                     struct qn_err *err)
{
        int r = how->no_intel ? -ENOENT
                              : qn_tell_open(how->state_dir, how->data_dir, &conf->tell, err);

        if (r == -ENOENT)
                return 0;
        if (r == 0)
                r = qn_revision_index(qn_tell_index(conf->tell), &conf->by);
        if (r == 0)
                qn_tell_at(conf->tell, conf->now);
        return r;
}

/* What the worker's process does; it leaves nothing behind. */
static int work(const struct qn_rejudge_all *how, int fd, unsigned number, unsigned of,
                int64_t last)
{
        struct qn_rejudge_conf conf = how->conf;
        struct worker w = { .fd = fd, .out = QN_BUF_INIT(MESSAGE) };
        struct qn_err err = { 0 };
        struct qn_db db = { 0 };
        int r;

        conf.tell = NULL;
        r = open_tell(how, &conf, &err);
        if (r == 0)
                r = qn_db_open(&qn_db_watch, how->store, false, &db, &err);
        if (r == 0) {
                qn_rejudger_init(&w.j, &conf);
                r = work_all(&w, &db, number, of, last);
                qn_rejudger_done(&w.j);
                qn_db_close(&db);
        }
        if (r < 0)
                send_failure(&w, r, err.msg[0] ? err.msg : strerrordesc_np(-r));
        qn_tell_free(conf.tell);
        qn_buf_done(&w.out);
        return r < 0;
}

/* --- the parent --- */

struct peer {
        pid_t pid;
        int fd; /* -1: it has ended */
        bool complete;
        struct qn_buf in;
        size_t at; /* of what is not read yet */
};

struct parent {
        const struct qn_rejudge_all *how;
        struct qn_rejudge_conf conf;
        struct qn_db db;
        struct peer *peers;
        unsigned n;
        struct qn_rejudge_changes changes;
        struct qn_rejudge_stats stats;
        char by[2][QN_REVISION_TEXT];
        qn_rejudge_fn *fn;
        void *ctx;
        struct qn_err *err;
};

static int start_one(struct parent *p, unsigned number, int64_t last)
{
        struct peer *w = &p->peers[number];
        pid_t self = getpid();
        int fds[2];

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        w->pid = fork();
        if (w->pid < 0) {
                close(fds[0]);
                close(fds[1]);
                return -errno;
        }
        if (w->pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (getppid() != self)
                        _exit(1);
                close(fds[0]);
                _exit(work(p->how, fds[1], number, p->n, last));
        }
        close(fds[1]);
        w->fd = fds[0];
        return 0;
}

static int get_text(struct qn_cur *c, struct qn_str *ret)
{
        struct qn_cur bytes;
        uint32_t n;

        if (qn_cur_le32(c, &n) < 0 || qn_cur_take(c, n, &bytes) < 0)
                return -EBADMSG;
        *ret = qn_cur_rest(&bytes);
        return 0;
}

static int get_findings(struct parent *p, struct qn_cur *c, struct qn_seen_put *is)
{
        struct qn_arena *a = &p->changes.mem;
        struct qn_seen_finding *list;
        uint32_t n, number;
        uint8_t verdict;

        if (qn_cur_le32(c, &n) < 0 || n > qn_rules_count(p->conf.rules))
                return -EBADMSG;
        list = qn_arena_calloc(a, n + 1, sizeof *list);
        if (!list)
                return -ENOBUFS;
        for (uint32_t i = 0; i < n; i++) {
                const struct qn_rule *rule;

                if (qn_cur_le32(c, &number) < 0 || qn_cur_u8(c, &verdict) < 0 ||
                    number >= qn_rules_count(p->conf.rules) || verdict >= KINDS)
                        return -EBADMSG;
                rule = qn_rules_at(p->conf.rules, number);
                list[i] = (struct qn_seen_finding){ .rule = rule->id,
                                                    .severity = qn_str_c(
                                                            qn_severity_name(rule->severity)),
                                                    .verdict = qn_str_c(qn_verdict_name(verdict)),
                                                    .title = rule->title };
        }
        is->findings = list;
        is->n_findings = n;
        return 0;
}

static int take_outcome(struct parent *p, struct qn_cur c)
{
        struct qn_seen was = { 0 };
        struct qn_str *const texts[] = { &was.name, &was.version, &was.integrity, &was.verdict,
                                         &was.reason };
        struct qn_str reason;
        struct qn_rejudge_change *ch;
        uint8_t head[2];
        uint32_t score, before;
        uint64_t id, judged;
        int r = qn_cur_copy(&c, 2, head);

        if (r < 0 || head[0] >= KINDS || head[1] > 1 || qn_cur_le32(&c, &score) < 0 ||
            qn_cur_le64(&c, &id) < 0 || qn_cur_le64(&c, &judged) < 0 ||
            qn_cur_le32(&c, &before) < 0)
                return -EBADMSG;
        was.id = (int64_t)id;
        was.judged = (int64_t)judged;
        was.score = before;
        for (size_t i = 0; r == 0 && i < QN_ARRAY_SIZE(texts); i++)
                r = get_text(&c, texts[i]);
        if (r == 0)
                r = get_text(&c, &reason);
        if (r == 0)
                r = qn_rejudge_changes_add(&p->changes, &was, &ch);
        if (r < 0)
                return r;
        ch->is.v.verdict = qn_str_c(qn_verdict_name(head[0]));
        ch->is.v.score = score;
        ch->is.v.reason = qn_arena_dup(&p->changes.mem, reason);
        ch->is.v.rules = qn_str_c(p->by[head[1]]);
        ch->is.v.judged = p->conf.now;
        return ch->is.v.reason.p ? get_findings(p, &c, &ch->is) : -ENOBUFS;
}

static int take_end(struct parent *p, struct peer *w, struct qn_cur c)
{
        struct qn_rejudge_stats st;

        if (qn_cur_copy(&c, sizeof st, &st) < 0)
                return -EBADMSG;
        p->stats.judged += st.judged;
        p->stats.unread += st.unread;
        w->complete = true;
        return 0;
}

static int take_failure(struct parent *p, struct qn_cur c)
{
        uint64_t code;
        struct qn_str text;

        if (qn_cur_le64(&c, &code) < 0 || get_text(&c, &text) < 0 || (int64_t)code >= 0)
                return -EBADMSG;
        return qn_fail(p->err, (int)(int64_t)code, 0, "%.*s", QN_STR_ARG(text));
}

static int take_message(struct parent *p, struct peer *w, struct qn_cur c)
{
        uint8_t which;

        if (qn_cur_u8(&c, &which) < 0)
                return -EBADMSG;
        switch (which) {
        case OUTCOME:
                return take_outcome(p, c);
        case END:
                return take_end(p, w, c);
        case FAILED:
                return take_failure(p, c);
        default:
                return -EBADMSG;
        }
}

static int write_changes(struct parent *p)
{
        return qn_rejudge_changes_write(&p->changes, &p->db, p->conf.dry, &p->stats, p->fn, p->ctx);
}

/* All messages that are there as a whole. */
static int take_messages(struct parent *p, struct peer *w)
{
        int r = 0;

        while (r == 0) {
                struct qn_cur in = qn_cur_mem(w->in.p + w->at, w->in.n - w->at), body;
                uint32_t n;

                if (qn_cur_le32(&in, &n) < 0 || qn_cur_take(&in, n, &body) < 0)
                        break;
                w->at += 4 + (size_t)n;
                r = take_message(p, w, body);
                if (r == 0 && p->changes.n >= QN_REJUDGE_WRITE_MAX)
                        r = write_changes(p);
        }
        if (w->at) {
                memmove(w->in.p, w->in.p + w->at, w->in.n - w->at);
                w->in.n -= w->at;
                w->at = 0;
        }
        return r;
}

static int read_some(struct parent *p, struct peer *w)
{
        ssize_t n;
        int r = qn_buf_room(&w->in, SEND_AT);

        if (r < 0)
                return r;
        n = read(w->fd, w->in.p + w->in.n, SEND_AT);
        if (n < 0)
                return errno == EINTR ? 0 : -errno;
        w->in.n += (size_t)n;
        if (n > 0)
                return take_messages(p, w);
        qn_closep(&w->fd);
        return w->complete ? 0 : qn_fail(p->err, -EPIPE, 0, "a process that judges has ended");
}

static int read_all(struct parent *p)
{
        struct pollfd fds[QN_REJUDGE_JOBS_MAX];
        int r = 0;

        while (r == 0) {
                unsigned open = 0;

                for (unsigned i = 0; i < p->n; i++) {
                        fds[i] = (struct pollfd){ .fd = p->peers[i].fd, .events = POLLIN };
                        open += p->peers[i].fd >= 0;
                }
                if (!open)
                        break;
                if (poll(fds, p->n, -1) < 0)
                        r = errno == EINTR ? 0 : -errno;
                else
                        for (unsigned i = 0; r == 0 && i < p->n; i++)
                                if (fds[i].revents)
                                        r = read_some(p, &p->peers[i]);
        }
        return r == 0 ? write_changes(p) : r;
}

/* Those that are still there have nobody to tell. */
static void stop_all(struct parent *p)
{
        for (unsigned i = 0; i < p->n; i++) {
                struct peer *w = &p->peers[i];

                if (w->fd >= 0 && w->pid > 0)
                        kill(w->pid, SIGKILL);
                qn_closep(&w->fd);
                while (w->pid > 0 && waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
                        ;
                qn_buf_done(&w->in);
        }
}

/* How far the store goes now; what comes later is judged by whoever puts it there. */
static int find_last(const struct qn_rejudge_all *how, int64_t *ret, struct qn_err *reterr)
{
        struct qn_db db;
        int r = qn_db_open(&qn_db_watch, how->store, false, &db, reterr);

        if (r < 0)
                return r;
        r = qn_versions_last(&db, ret);
        qn_db_close(&db);
        return r;
}

static int run(struct parent *p, int64_t last)
{
        int r = 0;

        for (unsigned i = 0; r == 0 && i < p->n; i++)
                r = start_one(p, i, last);
        if (r == 0 && !p->conf.dry)
                r = qn_db_open(&qn_db_watch, p->how->store, true, &p->db, p->err);
        if (r == 0)
                r = read_all(p);
        stop_all(p);
        if (p->db.conn)
                qn_db_close(&p->db);
        return r;
}

/* The index that the processes will find: opened and closed here, before they are made. */
static int find_revision(struct parent *p)
{
        int r = open_tell(p->how, &p->conf, p->err);

        qn_tell_free(p->conf.tell);
        p->conf.tell = NULL;
        qn_revision_text(&p->conf.by, false, p->by[0]);
        qn_revision_text(&p->conf.by, true, p->by[1]);
        return r;
}

static unsigned processors(void)
{
        long n = sysconf(_SC_NPROCESSORS_ONLN);

        return n < 1 ? 1 : (unsigned)QN_MIN(n, (long)QN_REJUDGE_JOBS_MAX);
}

int qn_rejudge_all(const struct qn_rejudge_all *how, qn_rejudge_fn *fn, void *ctx,
                   struct qn_rejudge_stats *ret, struct qn_err *reterr)
{
        struct peer peers[QN_REJUDGE_JOBS_MAX];
        struct parent p = { .how = how, .conf = how->conf, .peers = peers, .fn = fn, .ctx = ctx };
        struct qn_err err = { 0 };
        int64_t last = 0;
        int r;

        p.err = &err;
        p.changes.mem = QN_ARENA_INIT(MEM_MAX);
        p.n = how->jobs ? QN_MIN(how->jobs, QN_REJUDGE_JOBS_MAX) : processors();
        for (unsigned i = 0; i < p.n; i++)
                peers[i] = (struct peer){ .fd = -1, .in = QN_BUF_INIT(2 * MESSAGE) };
        r = find_last(how, &last, &err);
        if (r == 0)
                r = find_revision(&p);
        if (r == 0)
                r = run(&p, last);
        qn_arena_done(&p.changes.mem);
        if (r < 0)
                return qn_fail(reterr, r, 0, "%s", err.msg[0] ? err.msg : strerrordesc_np(-r));
        *ret = p.stats;
        return r;
}
