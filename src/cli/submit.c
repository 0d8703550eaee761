#include "cli/submit-priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/show.h"
#include "intel/match.h"
#include "intel/tell.h"
#include "parse/packument.h"
#include "role/analyse.h"

#define WORK_MAX   ((size_t)256 << 20)
#define LOCK_TRIES 50u /* of a tenth of a second */

/* --- opening --- */

/* The index that commits are made in, and the order of what is written down, are for one process at a time. */
static int lock(struct qn_submit *s)
{
        char path[4096];
        int n = snprintf(path, sizeof path, "%s/report.lock", s->c.state_dir), r;

        if (n < 0 || (size_t)n >= sizeof path)
                return log_err(-ENAMETOOLONG, "the state directory's name is too long");
        r = qn_io_mkdirs(s->c.state_dir);
        if (r < 0)
                return log_err(r, "%s: %s", s->c.state_dir, strerror(-r));
        s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (s->lock < 0)
                return log_err(-errno, "%s: %s", path, strerror(errno));
        for (unsigned i = 0; flock(s->lock, LOCK_EX | LOCK_NB) < 0; i++) {
                const struct timespec pause = { .tv_nsec = 100000000 };

                if (errno != EWOULDBLOCK && errno != EINTR)
                        return log_err(-errno, "%s: %s", path, strerror(errno));
                if (i == LOCK_TRIES)
                        return log_err(-EBUSY,
                                       "%s: another qanat report is at work: try again later",
                                       path);
                (void)nanosleep(&pause, NULL);
        }
        return 0;
}

static int open_pool(struct qn_submit *s, struct qn_err *err)
{
        const struct qn_pool_config config = { .def = &qn_role_analyse,
                                               .workers = 1,
                                               .no_sandbox = s->c.no_sandbox };

        return qn_pool_new(&config, &s->pool, err);
}

static int open_known(struct qn_submit *s, struct qn_err *err)
{
        int r = qn_tell_open(s->c.state_dir, s->c.data_dir, &s->tell, err);

        if (r == -ENOENT)
                return 0;
        if (r == 0)
                qn_tell_at(s->tell, s->c.time_ms);
        return r;
}

static int open_all(struct qn_submit *s)
{
        struct qn_err err = { 0 };
        int r = lock(s);

        if (r < 0)
                return r;
        r = qn_db_open(&qn_db_watch, s->c.store, true, &s->db, &err);
        if (r == 0)
                r = open_known(s, &err);
        if (r == 0)
                r = open_pool(s, &err);
        if (r < 0)
                return log_err(r, "%s", err.msg[0] ? err.msg : strerror(-r));
        return s->c.repository ? qn_submit_git_open(s) : qn_submit_upload_open(s);
}

int qn_submit_open(const struct qn_submit_config *config, struct qn_submit **ret)
{
        struct qn_submit *s = calloc(1, sizeof *s);
        int r;

        if (!s)
                return log_err(-ENOMEM, "%s", strerror(ENOMEM));
        s->c = *config;
        s->lock = -1;
        if (!s->c.repository == !s->c.upload)
                r = log_err(-EINVAL, "where to? name a clone with --repository, or an address "
                                     "with --upload");
        else
                r = open_all(s);
        if (r < 0)
                qn_submit_free(s);
        else
                *ret = s;
        return r;
}

struct qn_submit *qn_submit_free(struct qn_submit *s)
{
        if (!s)
                return NULL;
        qn_submit_upload_free(s);
        qn_pool_free(s->pool);
        qn_tell_free(s->tell);
        qn_git_done(&s->git);
        qn_db_close(&s->db);
        qn_closep(&s->lock);
        free(s->place);
        free(s);
        return NULL;
}

struct qn_db *qn_submit_db(struct qn_submit *s)
{
        return &s->db;
}

void qn_submit_freep(struct qn_submit **s)
{
        *s = qn_submit_free(*s);
}

/* --- what is known --- */

void qn_submit_say(const struct qn_submit *s, struct qn_str name, struct qn_str version,
                   const char *fmt, ...)
{
        char text[2048];
        va_list ap;

        if (s->c.quiet)
                return;
        va_start(ap, fmt);
        vsnprintf(text, sizeof text, fmt, ap);
        va_end(ap);
        log_note("%.*s%s%.*s: %s", QN_STR_ARG(name), version.n ? "@" : "", QN_STR_ARG(version),
                 text);
}

/* The record of malware with an id of OpenSSF's that condemns the version; p NULL: none. */
static struct qn_str record_of(const struct qn_intel_answer *ans)
{
        for (size_t i = 0; i < ans->n; i++) {
                const struct qn_intel_match *m = &ans->matches[i];

                if (m->kind != QN_INTEL_MALWARE || m->sure < QN_INTEL_DOUBTFUL)
                        continue;
                for (size_t k = 0; k < m->n; k++) {
                        const struct qn_intel_statement *st = &m->statements[k];

                        if (st->how != QN_AFFECTS_NOT && !st->osv->withdrawn.n &&
                            qn_str_starts(st->osv->id, "MAL-"))
                                return st->osv->id;
                }
        }
        return (struct qn_str){ 0 };
}

static int ask_intel(struct qn_submit *s, struct qn_intel_question *q, enum qn_submit_why *ret)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(WORK_MAX);
        struct qn_intel_answer ans;
        struct qn_str id;
        int r;

        if (!s->tell)
                return 0;
        q->now_ms = s->c.time_ms;
        r = qn_intel_match(qn_tell_index(s->tell), qn_tell_trust(s->tell), q, &a, &ans);
        if (r < 0)
                return log_err(r, "%.*s: intelligence cannot be asked: %s", QN_STR_ARG(q->name),
                               strerror(-r));
        id = record_of(&ans);
        if (!id.p)
                return 0;
        qn_submit_say(s, q->name, q->version, "not reported again, it is known as %.*s",
                      QN_STR_ARG(id));
        *ret = QN_SUBMIT_KNOWN;
        return 0;
}

/* Of a branch that is the one to be written to, and is there, the branch itself tells. */
static bool is_ours_to_see(struct qn_submit *s, const struct qn_reported *r)
{
        return s->c.repository && qn_str_is(r->place, s->place) &&
               qn_submit_git_is_branch(s, r->name, r->branch);
}

static int ask_store(struct qn_submit *s, struct qn_str name, struct qn_str version,
                     enum qn_submit_why *ret)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(WORK_MAX);
        struct qn_reported old = { 0 };
        char when[QN_TIME_TEXT];
        int r = qn_reports_find(&s->db, name, version, (struct qn_str){ 0 }, &a, &old);

        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return log_err(r, "the store cannot be asked: %s", strerror(-r));
        if (old.state == QN_REPORT_WITHDRAWN) {
                qn_submit_say(s, name, version,
                              "not reported again, it was withdrawn on %.10s by %.*s: %.*s",
                              qn_time_format(old.changed, when).p, QN_STR_ARG(old.by),
                              QN_STR_ARG(old.reason));
                *ret = QN_SUBMIT_WITHDRAWN;
        } else if (!is_ours_to_see(s, &old)) {
                qn_submit_say(s, name, version, "was reported on %.10s already: %.*s%s%.*s",
                              qn_time_format(old.time, when).p, QN_STR_ARG(old.place),
                              old.branch.n ? ", branch " : "", QN_STR_ARG(old.branch));
                *ret = QN_SUBMIT_REPORTED;
        }
        return 0;
}

int qn_submit_known(struct qn_submit *s, struct qn_str name, struct qn_str version,
                    struct qn_str integrity, enum qn_submit_why *ret)
{
        struct qn_intel_question q = { .name = name, .version = version, .integrity = integrity };
        int r = 0;

        *ret = QN_SUBMIT_NEW;
        if (s->c.force)
                return 0;
        r = ask_store(s, name, version, ret);
        return r < 0 || *ret ? r : ask_intel(s, &q, ret);
}

/* --- records --- */

int qn_submit_make(struct qn_submit *s, struct qn_mal_package *p, const struct qn_mal_conf *conf,
                   struct qn_arena *a, struct qn_str *ret)
{
        _cleanup_(qn_buf_done) struct qn_buf text = QN_BUF_INIT(QN_MAL_RECORD_MAX);
        struct qn_record_answer answer;
        struct qn_record_job job = { .work = QN_RECORD_CHECK,
                                     .flags = QN_MAL_UNASSIGNED | QN_MAL_CREDITED,
                                     .name = p->name };
        struct qn_err err = { 0 };
        int r = qn_mal_write(p, conf, &text);

        if (r < 0)
                return log_err(r, "%.*s: the record is too large", QN_STR_ARG(p->name));
        job.record = qn_cur_mem(text.p, text.n);
        r = qn_record_ask(s->pool, &job, a, &answer, &err);
        if (r < 0)
                return log_err(r, "%.*s: not reported: %s", QN_STR_ARG(p->name), err.msg);
        *ret = qn_arena_dup(a, qn_buf_view(&text));
        return ret->p ? 0 : log_err(-ENOMEM, "out of memory");
}

void qn_submit_drop(struct qn_mal_package *p, const bool *gone)
{
        size_t kept = 0;

        for (size_t i = 0; i < p->n; i++)
                if (!gone[i])
                        p->versions[kept++] = p->versions[i];
        p->n = kept;
}

int qn_submit_note(struct qn_submit *s, const struct qn_mal_package *p,
                   const struct qn_reported *how)
{
        struct qn_reported row = *how;
        int r = qn_db_begin(&s->db);

        row.name = p->name;
        row.place = qn_str_c(s->place);
        row.time = row.changed = s->c.time_ms;
        row.campaign = qn_str_c(s->c.campaign);
        for (size_t i = 0; r == 0 && i < p->n; i++) {
                row.version = p->versions[i].version;
                r = qn_reports_put(&s->db, &row);
        }
        if (r == 0)
                r = qn_db_commit(&s->db);
        else
                qn_db_rollback(&s->db);
        return r < 0 ? log_err(r, "%.*s: reported, but it cannot be written down: %s",
                               QN_STR_ARG(p->name), strerror(-r))
                     : 0;
}

int qn_submit_send(struct qn_submit *s, struct qn_mal *m, const struct qn_mal_conf *conf,
                   struct qn_submit_done *ret)
{
        *ret = (struct qn_submit_done){ 0 };
        return s->c.repository ? qn_submit_git_send(s, m, conf, ret)
                               : qn_submit_upload_send(s, m, conf, ret);
}

/* --- taking back --- */

static int note_withdrawal(struct qn_submit *s, const struct qn_submit_withdrawal *w,
                           const struct qn_reported *old)
{
        struct qn_reported row = *old;
        int r = qn_db_begin(&s->db);

        row.state = QN_REPORT_WITHDRAWN;
        row.changed = s->c.time_ms;
        row.reason = qn_str_c(w->reason);
        row.by = qn_str_c(w->by);
        if (r == 0)
                r = qn_reports_put(&s->db, &row);
        if (r == 0)
                r = qn_db_commit(&s->db);
        else
                qn_db_rollback(&s->db);
        return r < 0 ? log_err(r, "withdrawn, but it cannot be written down: %s", strerror(-r)) : 0;
}

/* The same twice changes nothing, not even who did it first. */
int qn_submit_withdraw(struct qn_submit *s, const struct qn_submit_withdrawal *w)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(WORK_MAX);
        _cleanup_(qn_buf_done) struct qn_buf note = QN_BUF_INIT(1 << 16);
        struct qn_reported old = { .name = w->name,
                                   .version = w->version,
                                   .place = qn_str_c(s->place),
                                   .path = QN_STR(""),
                                   .time = s->c.time_ms };
        int r = qn_reports_find(&s->db, w->name, w->version, qn_str_c(s->place), &a, &old);

        if (r < 0 && r != -ENOENT)
                return log_err(r, "the store cannot be asked: %s", strerror(-r));
        if (r == 0 && old.state == QN_REPORT_WITHDRAWN) {
                qn_submit_say(s, w->name, w->version, "was withdrawn before");
                return 0;
        }
        qn_buf_printf(&note, "The report of %.*s was withdrawn: ", QN_STR_ARG(w->version));
        qn_mal_prose(&note, qn_str_c(w->reason));
        qn_buf_puts(&note, " (");
        qn_mal_prose(&note, qn_str_c(w->by));
        qn_buf_puts(&note, ")");
        if (qn_buf_error(&note) < 0)
                return log_err(-E2BIG, "--reason, --by: too long");
        r = s->c.repository ? qn_submit_git_withdraw(s, w, qn_buf_view(&note), &a, &old)
                            : qn_submit_upload_withdraw(s, w, qn_buf_view(&note));
        return r < 0 ? r : note_withdrawal(s, w, &old);
}
