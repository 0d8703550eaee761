/* report-submit.c - `qanat report submit` and `withdraw`: from the command line to submit.h. */
#include <errno.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/log.h"
#include "check/target.h"
#include "cli/args.h"
#include "cli/report-check.h"
#include "cli/submit.h"
#include "event/event.h"
#include "net/npmconf.h"
#include "parse/semver.h"
#include "report/report.h"
#include "rule/judge.h"
#include "rule/rule.h"
#include "store/reports.h"
#include "store/versions.h"
#include "watch/review.h"
#include "watch/unreported.h"

#define LIST_MAX ((size_t)16 << 20)
#define WORK_MAX ((size_t)256 << 20)

/* An empty value takes back what the configuration says. */
static const char *given(const struct qn_args *a, const char *name)
{
        const char *value = qn_args_get(a, name);

        return value && *value ? value : NULL;
}

static struct qn_submit_config config_of(const struct qn_args *a, int64_t time_ms)
{
        return (struct qn_submit_config){ .state_dir = a->state,
                                          .store = a->store,
                                          .data_dir = a->data,
                                          .cache_dir = a->cache,
                                          .repository = given(a, "repository"),
                                          .base = given(a, "base"),
                                          .upload = given(a, "upload"),
                                          .token_file = given(a, "token-file"),
                                          .author = given(a, "author"),
                                          .campaign = qn_args_get(a, "campaign"),
                                          .time_ms = time_ms,
                                          .force = qn_args_on(a, "force"),
                                          .sign_off = qn_args_on(a, "sign-off"),
                                          .quiet = qn_args_on(a, "quiet"),
                                          .no_sandbox = qn_args_on(a, "no-sandbox") };
}

/* --- what is to be reported --- */

struct wanted {
        struct qn_arena a;
        const char **list;
        size_t n, cap;
        size_t n_names; /* of them, the last ones: from lists */
        bool left_out;  /* a list has more, or something else */
};

static int want(struct wanted *w, struct qn_str target)
{
        struct qn_str copy = qn_arena_dup(&w->a, target);

        if (!copy.p || QN_ARENA_ROOM(&w->a, w->list, w->n, w->cap) < 0)
                return log_err(-ENOMEM, "out of memory");
        w->list[w->n++] = copy.p;
        return 0;
}

/* "@scope/name@1.0.0": a name and one version of it. */
static bool split(struct qn_str s, struct qn_str *ret_name, struct qn_str *ret_version)
{
        ptrdiff_t at = qn_str_rchr(s, '@');
        struct qn_semver v;

        if (at <= 0)
                return false;
        *ret_name = qn_str_take(s, (size_t)at);
        *ret_version = qn_str_skip(s, (size_t)at + 1);
        return qn_npm_name_ok(*ret_name) && qn_semver_parse(*ret_version, 0, &v) == 0 &&
               qn_semver_is_plain(*ret_version);
}

/* Of a list, where one line never stands in the way of the others; 1: nothing more is taken. */
static int want_name(struct wanted *w, struct qn_str target)
{
        int r;

        if (w->n >= QN_MAL_TARGETS_MAX) {
                w->left_out = true;
                log_note("more than %u packages: the rest is left out", QN_MAL_TARGETS_MAX);
                return 1;
        }
        r = want(w, target);
        w->n_names += r == 0;
        return r;
}

/* Whether it can be asked for, too. */
static bool is_target(struct qn_str s)
{
        struct qn_str name, version;
        struct qn_target t;
        char text[4096];

        return split(s, &name, &version) &&
               snprintf(text, sizeof text, "%.*s", QN_STR_ARG(s)) < (int)sizeof text &&
               qn_target_parse_name(text, &t, NULL) == 0;
}

/* A line each; what stands behind '#' is a remark. */
static int read_list(struct wanted *w, const char *path)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(LIST_MAX);
        struct qn_str text;
        int r = qn_io_read(path, &b);

        if (r < 0)
                return log_err(r, "--from: %s: %s", path, strerror(-r));
        text = qn_buf_view(&b);
        for (unsigned line = 1; r == 0 && text.p; line++) {
                struct qn_str s = qn_str_cut(&text, '\n');
                struct qn_str one = qn_str_trim(qn_str_cut(&s, '#'));

                if (!one.n)
                        continue;
                if (is_target(one)) {
                        r = want_name(w, one);
                        continue;
                }
                w->left_out = true;
                log_note("--from: %s: line %u is no NAME@VERSION: left out", path, line);
        }
        return r;
}

static int on_pending(void *ctx, struct qn_str name, struct qn_str version)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(4096);

        qn_buf_str(&b, name);
        qn_buf_byte(&b, '@');
        qn_buf_str(&b, version);
        if (qn_buf_error(&b) < 0 || !is_target(qn_buf_view(&b))) {
                ((struct wanted *)ctx)->left_out = true;
                return 0;
        }
        return want_name(ctx, qn_buf_view(&b));
}

/* all: what is put off, too. */
static int read_pending(struct wanted *w, const char *state, bool all)
{
        struct qn_err err = { 0 };
        struct qn_db db;
        int r = qn_db_open(&qn_db_watch, state, false, &db, &err);

        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return log_err(r, "%s", err.msg);
        r = qn_unreported(&db, NULL, all ? INT64_MAX : qn_io_now_ms(), on_pending, w);
        qn_db_close(&db);
        return r;
}

static int read_wanted(const struct qn_args *a, struct wanted *w)
{
        const char *from = qn_args_get(a, "from");
        bool pending = qn_args_on(a, "pending");
        int r = 0;

        if (a->n < 2 && !from && !pending)
                return log_err(-EINVAL, "what? name TARGETs, a list with --from, or --pending");
        for (size_t i = 1; r == 0 && i < a->n; i++)
                r = want(w, qn_str_c(a->argv[i]));
        if (r == 0 && from)
                r = read_list(w, from);
        if (r == 0 && pending)
                r = read_pending(w, a->store, qn_args_on(a, "force"));
        return r < 0 ? r : 0;
}

/* --- what is known of it --- */

struct sender {
        struct qn_submit *submit;
        struct qn_report_run run;
        size_t known;
};

static int is_known(void *user, const struct qn_result *res)
{
        struct sender *s = user;
        enum qn_submit_why why;
        int r = qn_submit_known(s->submit, res->name, res->version, res->integrity, &why);

        if (r < 0)
                return r;
        s->known += why != QN_SUBMIT_NEW && why != QN_SUBMIT_REPORTED;
        return why != QN_SUBMIT_NEW;
}

static int find_confirmed(struct qn_db *db, const struct qn_result *res)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(WORK_MAX);
        struct qn_review_effect effect;
        struct qn_review_case c;
        struct qn_seen seen;
        int r = qn_versions_find(db, res->name, res->version, &a, &seen);

        if (r == 0 && !qn_str_eq(seen.integrity, res->integrity))
                r = -ENOENT; /* it was about other bytes */
        if (r == 0)
                r = qn_review_load(db, &seen, &a, &c);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        qn_review_effective(&c, &effect);
        return effect.why == QN_REVIEW_CONFIRMED && effect.verdict == QN_MALICIOUS;
}

static int is_confirmed(void *user, const struct qn_result *res)
{
        const struct sender *s = user;
        struct qn_db db;
        struct qn_err err = { 0 };
        int r = qn_db_open(&qn_db_watch, s->run.a->store, false, &db, &err);

        if (r < 0)
                return r == -ENOENT ? 0 : log_err(r, "%s", err.msg);
        r = find_confirmed(&db, res);
        qn_db_close(&db);
        return r < 0 ? log_err(r, "what people decided cannot be read: %s", strerrordesc_np(-r))
                     : r;
}

/* --- what is gone from the registry --- */

static int judge_stored(struct qn_report_run *r, struct qn_db *db, const struct qn_seen *seen,
                        struct qn_arena *a, size_t target)
{
        struct qn_verdict verdict;
        struct qn_event_set set;
        struct qn_result res = { .target = qn_str_c(r->targets.list[target].arg),
                                 .name = seen->name,
                                 .version = seen->version,
                                 .integrity = seen->integrity,
                                 .verdict = &verdict,
                                 .set = &set };
        struct qn_cur events;
        int e = qn_versions_events_of(db, seen->id, a, &events);

        if (e == 0)
                e = qn_event_set_read(&events, a, &set, NULL);
        if (e == 0)
                e = qn_judge(r->rules, &set, a, &verdict);
        if (e < 0)
                return 0;
        if (verdict.kind != QN_MALICIOUS)
                e = qn_report_run_confirmed(r, &res);
        if (e < 0 || (verdict.kind != QN_MALICIOUS && e == 0))
                return e;
        e = qn_report_run_take(r, &res, target);
        return e < 0 ? e : 1;
}

/* What was seen when it was there is enough; only the hashes of its files are missing then. */
static int from_store(struct qn_report_run *r, size_t target)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(WORK_MAX);
        struct qn_str name, version;
        struct qn_seen seen;
        struct qn_db db;
        int e;

        if (!split(qn_str_c(r->targets.list[target].arg), &name, &version) ||
            qn_db_open(&qn_db_watch, r->a->store, false, &db, NULL) < 0)
                return 0;
        e = qn_versions_find(&db, name, version, &a, &seen);
        e = e < 0 ? 0 : judge_stored(r, &db, &seen, &a, target);
        qn_db_close(&db);
        return e;
}

/* --- what is not reported --- */

/* What was gathered and is not in the store was left out when records were written: others have it. */
static int put_off(struct qn_db *db, const struct qn_report_run *r, size_t i, bool sent)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(WORK_MAX);
        const struct qn_report_outcome *o = &r->outcomes[i];
        struct qn_put_off p = { .known = o->known || o->reported, .now = qn_io_now_ms() };
        struct qn_reported there;
        int e;

        if (!split(qn_str_c(r->targets.list[i].arg), &p.name, &p.version) || (o->reported && !sent))
                return 0;
        e = qn_reports_find(db, p.name, p.version, (struct qn_str){ 0 }, &a, &there);
        return e == -ENOENT ? qn_reports_put_off(db, &p) : e;
}

/* So that lists do not bring it again and again. */
static int put_off_rest(struct qn_submit *s, const struct qn_report_run *r, bool sent)
{
        struct qn_db *db = qn_submit_db(s);
        int e = qn_db_begin(db);

        for (size_t i = r->targets.n - r->n_names; e == 0 && i < r->targets.n; i++)
                e = put_off(db, r, i, sent);
        if (e == 0)
                e = qn_db_commit(db);
        else
                qn_db_rollback(db);
        return e < 0 ? log_err(e, "what was not reported cannot be written down: %s", strerror(-e))
                     : 0;
}

/* --- submit --- */

static int send_gathered(struct sender *s)
{
        struct qn_submit_done done;
        int r = qn_submit_send(s->submit, &s->run.mal, &s->run.conf, &done);
        int e = s->run.n_names ? put_off_rest(s->submit, &s->run, r == 0) : 0;

        if (r < 0 || e < 0)
                return r < 0 ? r : e;
        return s->run.status ? s->run.status : s->known + done.known ? QN_REPORT_EXIT_NONE : 0;
}

static int submit(struct sender *s, const struct wanted *w)
{
        const struct qn_submit_config config = config_of(s->run.a, s->run.time_ms);
        int r = qn_submit_open(&config, &s->submit);

        if (r == 0 && !s->run.conf.n_credits && !s->run.conf.page.n)
                r = log_err(-EINVAL, "OpenSSF wants to know who found it: name them with "
                                     "--credit");
        if (r == 0 && w->n)
                r = qn_report_run_check(&s->run, w->list, w->n);
        if (r == 0)
                r = send_gathered(s);
        qn_submit_free(s->submit);
        return r;
}

int qn_report_submit(const struct qn_args *a)
{
        struct wanted w = { .a = QN_ARENA_INIT(WORK_MAX) };
        struct sender s = { 0 };
        int r = qn_report_run_init(&s.run, a);

        s.run.known = is_known;
        s.run.confirmed = is_confirmed;
        s.run.user = &s;
        if (r == 0)
                r = read_wanted(a, &w);
        if (w.n_names)
                s.run.otherwise = from_store;
        s.run.n_names = w.n_names;
        if (w.left_out)
                s.run.status = QN_REPORT_EXIT_UNSURE;
        if (r == 0 && !w.n && !qn_args_on(a, "quiet"))
                log_note("there is nothing to report");
        if (r == 0 && w.n)
                r = submit(&s, &w);
        else if (r == 0)
                r = s.run.status;
        qn_report_run_done(&s.run);
        qn_arena_done(&w.a);
        return r;
}

/* --- withdraw --- */

static int withdraw_all(struct qn_submit *s, const struct qn_args *a, const char *time)
{
        int first = 0;

        for (size_t i = 1; i < a->n; i++) {
                struct qn_submit_withdrawal w = { .reason = qn_args_get(a, "reason"),
                                                  .by = qn_args_get(a, "by"),
                                                  .time = qn_str_c(time) };
                int r = 0;

                if (split(qn_str_c(a->argv[i]), &w.name, &w.version))
                        r = qn_submit_withdraw(s, &w);
                else
                        r = log_err(-EINVAL, "%s: this is no NAME@VERSION", a->argv[i]);
                first = first ? first : r;
        }
        return first;
}

int qn_report_withdraw(const struct qn_args *a)
{
        struct qn_submit_config config;
        struct qn_submit *s = NULL;
        char text[QN_TIME_TEXT];
        int64_t time_ms;
        int r;

        if (!qn_str_trim(qn_str_c(qn_args_get(a, "reason"))).n ||
            !qn_str_trim(qn_str_c(qn_args_get(a, "by"))).n)
                return log_err(-EINVAL, "why, and who says so? --reason TEXT --by WHO");
        r = qn_report_time(a, "at", &time_ms, text);
        if (r < 0)
                return r;
        config = config_of(a, time_ms);
        r = qn_submit_open(&config, &s);
        if (r == 0)
                r = withdraw_all(s, a, text);
        qn_submit_free(s);
        return r;
}
