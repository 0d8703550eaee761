#include "gate/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "gate/flight.h"
#include "gate/listen.h"
#include "intel/tell.h"
#include "net/http-conf.h"
#include "net/npmconf.h"
#include "observe/popular.h"
#include "role/analyse.h"
#include "role/fetch.h"
#include "role/input.h"
#include "role/pool.h"
#include "rule/rule.h"

#define SERVICE_MEMORY ((size_t)256 << 20)
#define TURN_MS        1000 /* the longest wait without a look at the clocks */

int64_t qn_gate_now(void)
{
        struct timespec t;

        clock_gettime(CLOCK_REALTIME, &t);
        return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t qn_gate_monotonic(void)
{
        return (int64_t)(qn_io_nanos() / 1000000);
}

void qn_gate_note(struct qn_gate *g, const char *fmt, ...)
{
        char text[2048];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(text, sizeof text, fmt, ap);
        va_end(ap);
        g->config->note(g->config->user, text);
}

/* --- what it is run by --- */

static int load_service(struct qn_gate *g, struct qn_err *reterr)
{
        return g->config->service
                       ? qn_service_load(g->config->service, &g->service_mem, &g->service, reterr)
                       : qn_service_default(&g->service_mem, &g->service);
}

static int load_policy(struct qn_gate *g, struct qn_policy **ret, struct qn_err *reterr)
{
        char path[4096];

        snprintf(path, sizeof path, "%s/gate/policy.yaml", g->config->data_dir);
        return qn_policy_load(g->config->policy ? g->config->policy : path, ret, reterr);
}

static int load_rules(struct qn_gate *g, struct qn_rules **ret, struct qn_err *reterr)
{
        return qn_rules_load(g->config->rules, g->config->n_rules, ret, reterr);
}

static int load_names(struct qn_gate *g, struct qn_err *reterr)
{
        g->names_mem = QN_ARENA_INIT((size_t)256 << 20);
        return qn_popular_load(g->config->data_dir, &g->names_mem, &g->popular, reterr);
}

static int load_all(struct qn_gate *g, struct qn_err *reterr)
{
        int r;

        g->service_mem = QN_ARENA_INIT(SERVICE_MEMORY);
        r = load_service(g, reterr);
        if (r == 0)
                r = load_policy(g, &g->policy, reterr);
        if (r == 0)
                r = load_rules(g, &g->rules, reterr);
        if (r == 0) /* once, because the analyse roles read them once, too */
                r = qn_revision_tables(g->config->data_dir, &g->tables, reterr);
        if (r == 0)
                r = load_names(g, reterr);
        if (r == 0)
                r = qn_upstreams_load(g, reterr);
        return r;
}

/* Where there is none, the face is told that, too: there may have been one. */
static int open_log(struct qn_gate *g, struct qn_err *reterr)
{
        char path[4096];
        int fd;

        if (!g->service.access_log.p) {
                qn_face_send(g, QN_FRONT_LOG, 1, QN_STR(""), (struct qn_cur){ 0 }, -1);
                return 0;
        }
        snprintf(path, sizeof path, "%.*s", QN_STR_ARG(g->service.access_log));
        fd = strcmp(path, "-") == 0
                     ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
                     : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
        if (fd < 0)
                return qn_fail(reterr, -errno, 0, "%s: %s", path, strerror(errno));
        qn_face_send(g, QN_FRONT_LOG, 1, QN_STR(""), (struct qn_cur){ 0 }, fd);
        return 0;
}

/* How it is run, but for the addresses: those it keeps until it is started again. */
static int reload_service(struct qn_gate *g, struct qn_err *reterr)
{
        struct qn_service service = g->service;
        struct qn_arena mem = g->service_mem;
        struct qn_upstream *upstreams = g->upstreams;
        size_t n = g->n_upstreams;
        int r;

        if (!g->config->service)
                return 0;
        g->service_mem = QN_ARENA_INIT(SERVICE_MEMORY);
        r = load_service(g, reterr);
        if (r == 0 && g->named_itself) {
                g->service.url = qn_arena_dup(&g->service_mem, service.url);
                r = g->service.url.p ? 0 : -ENOMEM;
        }
        if (r == 0)
                r = qn_face_check(g, reterr);
        if (r == 0)
                r = qn_upstreams_again(g, reterr);
        if (r < 0) {
                qn_arena_done(&g->service_mem);
                g->service = service;
                g->service_mem = mem;
                g->upstreams = upstreams;
                g->n_upstreams = n;
                return r;
        }
        qn_arena_done(&mem);
        return 0;
}

/* What the face has to know of it; the log is opened anew, so that it can be rotated. */
static void tell_face(struct qn_gate *g)
{
        struct qn_err err = { 0 };
        int r = g->config->service ? qn_face_configure(g) : 0;

        if (r == 0)
                r = open_log(g, &err);
        if (r < 0)
                qn_gate_note(g, "not all of the service file is in force: %s",
                             err.msg[0] ? err.msg : strerrordesc_np(-r));
}

/* What cannot be read leaves what there was. */
static void reload(struct qn_gate *g)
{
        struct qn_policy *policy = NULL;
        struct qn_rules *rules = NULL;
        char by[QN_REVISION_TEXT];
        struct qn_err err = { 0 };
        int r = load_policy(g, &policy, &err);

        if (r == 0)
                r = load_rules(g, &rules, &err);
        if (r == 0)
                r = reload_service(g, &err);
        if (r < 0) {
                qn_policy_free(policy);
                qn_rules_free(rules);
                qn_gate_note(g, "not reloaded, going on with what there was: %s",
                             err.msg[0] ? err.msg : strerrordesc_np(-r));
                return;
        }
        qn_policy_free(g->policy);
        qn_rules_free(g->rules);
        g->policy = policy;
        g->rules = rules;
        tell_face(g);
        qn_decide_again(g, NULL);
        qn_face_forget(g, QN_STR(""));
        g->epoch++;
        qn_turned_look(g, true);
        qn_again_begin(g);
        qn_gate_note(g, "reloaded: policy %s (%s), rules %s", qn_policy_revision(g->policy),
                     qn_policy_mode_name(qn_policy_mode(g->policy)), qn_revision(g, false, by).p);
}

/* --- sockets --- */

static int open_sockets(struct qn_gate *g, struct qn_err *reterr)
{
        const struct qn_str one = qn_str_c(g->config->listen);
        size_t n = one.n ? 1 : g->service.n_listen;
        int r = 0;

        g->listening = qn_arena_calloc(&g->mem, QN_LISTEN_MAX, sizeof *g->listening);
        g->addresses = qn_arena_calloc(&g->mem, QN_LISTEN_MAX, sizeof *g->addresses);
        if (!g->listening || !g->addresses)
                return -ENOMEM;
        g->n_listening = qn_listen_inherited(g->listening);
        if (!g->n_listening && n > QN_LISTEN_MAX)
                return qn_fail(reterr, -E2BIG, 0, "more than %u addresses to listen on",
                               QN_LISTEN_MAX);
        for (size_t i = 0; r == 0 && i < n && g->n_listening <= i; i++) {
                r = qn_listen_open(one.n ? one : g->service.listen[i], &g->listening[i], reterr);
                g->n_listening += r == 0;
        }
        for (size_t i = 0; i < g->n_listening; i++)
                qn_listen_name(g->listening[i], g->addresses[i]);
        return r;
}

const char *qn_gate_address(const struct qn_gate *g, size_t i)
{
        return i < g->n_listening ? g->addresses[i] : NULL;
}

/* Where clients reach it, when nobody said: the first address. */
static int name_itself(struct qn_gate *g)
{
        char url[128];

        /* The service file gives the address itself, unless a port was to be found. */
        if (g->config->service && !qn_str_ends(g->service.url, ":0"))
                return 0;
        snprintf(url, sizeof url, "http%s://%s", g->service.cert.p ? "s" : "",
                 g->n_listening ? g->addresses[0] : "localhost");
        g->named_itself = true;
        g->service.url = qn_arena_dup(&g->service_mem, qn_str_c(url));
        return g->service.url.p ? 0 : -ENOMEM;
}

static int start_face(struct qn_gate *g, struct qn_err *reterr)
{
        int r = qn_face_start(g, reterr);

        if (r == 0)
                r = qn_face_configure(g);
        if (r == 0)
                r = open_log(g, reterr);
        for (size_t i = 0; r == 0 && i < g->n_listening; i++)
                qn_face_send(g, QN_FRONT_LISTEN, 1, QN_STR(""), (struct qn_cur){ 0 },
                             fcntl(g->listening[i], F_DUPFD_CLOEXEC, 0));
        return r;
}

/* --- life --- */

static void on_job(void *ctx QN_UNUSED, const struct qn_pool_result *res QN_UNUSED)
{
        /* every job brings its own callback */
}

int qn_gate_start_workers(struct qn_gate *g, struct qn_err *reterr)
{
        long cpus = sysconf(_SC_NPROCESSORS_ONLN);
        const struct qn_pool_config pool = {
                .def = &qn_role_analyse,
                .data_dir = g->config->data_dir,
                .cache_dir = g->config->cache_dir,
                .workers = g->config->workers ? g->config->workers : (unsigned)QN_MAX(cpus, 1L),
                .no_sandbox = g->config->no_sandbox,
                .done = on_job,
        };
        struct qn_http_opts http = qn_http_opts_of(g->npm);
        int r = qn_pool_new(&pool, &g->pool, reterr);

        http.tries = QN_GATE_TRIES;
        http.idle_ms = QN_GATE_SILENCE_MS;
        return r == 0 ? qn_fetch_new(&http, g->config->no_sandbox, &g->fetch) : r;
}

static int take_signals(struct qn_gate *g)
{
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
        sigaddset(&set, SIGHUP);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        g->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        return g->signals < 0 ? -errno : 0;
}

int qn_gate_prepare(const struct qn_gate_config *config, struct qn_gate **ret,
                    struct qn_err *reterr)
{
        _cleanup_(qn_gate_freep) struct qn_gate *g = calloc(1, sizeof *g);
        int r;

        if (!g)
                return -ENOMEM;
        g->config = config;
        g->mem = QN_ARENA_INIT((size_t)64 << 20);
        g->notes_mem = QN_ARENA_INIT((size_t)64 << 20);
        g->known = g->signals = g->face.sock = -1;
        TAILQ_INIT(&g->packages);
        TAILQ_INIT(&g->flights);
        g->notes = qn_arena_calloc(&g->mem, QN_GATE_TURN, sizeof *g->notes);
        g->note_seqs = qn_arena_calloc(&g->mem, QN_GATE_TURN, sizeof *g->note_seqs);
        r = g->notes && g->note_seqs ? load_all(g, reterr) : -ENOMEM;
        if (r == 0)
                *ret = TAKE_PTR(g);
        return r;
}

/* None is nothing known; one that cannot be read must not pass for that. */
static int open_intelligence(struct qn_gate *g, struct qn_err *reterr)
{
        struct qn_err err = { 0 };
        int r = qn_turned_open(g, &err);

        if (r == -ENOENT)
                return 0;
        return r < 0 ? qn_fail(reterr, r, 0, "%s", err.msg[0] ? err.msg : strerrordesc_np(-r)) : 0;
}

int qn_gate_new(const struct qn_gate_config *config, struct qn_gate **ret, struct qn_err *reterr)
{
        _cleanup_(qn_gate_freep) struct qn_gate *g = NULL;
        int r = qn_gate_prepare(config, &g, reterr);

        if (r == 0)
                r = qn_face_check(g, reterr);
        if (r == 0)
                r = qn_db_open(&qn_db_gate, config->store, true, &g->db, reterr);
        if (r == 0)
                r = qn_db_patience(&g->db, QN_GATE_BUSY_MS);
        if (r == 0)
                r = qn_ledger_cache_size(&g->db, &g->cache_size);
        if (r == 0)
                r = open_sockets(g, reterr);
        if (r == 0)
                r = name_itself(g);
        if (r == 0)
                r = take_signals(g);
        if (r == 0)
                r = qn_gate_start_workers(g, reterr);
        if (r == 0)
                r = open_intelligence(g, reterr);
        if (r == 0)
                r = start_face(g, reterr);
        if (r < 0)
                return r;
        qn_turned_look(g, true);
        qn_again_begin(g);
        *ret = TAKE_PTR(g);
        return 0;
}

static void close_listening(struct qn_gate *g)
{
        for (size_t i = 0; i < g->n_listening; i++)
                qn_closep(&g->listening[i]);
}

struct qn_gate *qn_gate_free(struct qn_gate *g)
{
        if (!g)
                return NULL;
        qn_face_end(g);
        g->pool = qn_pool_free(g->pool);
        g->fetch = qn_fetch_free(g->fetch);
        qn_artifacts_free(g);
        qn_packages_free(g);
        qn_db_close(&g->db);
        qn_tell_free(g->tell);
        qn_closep(&g->known);
        qn_closep(&g->signals);
        close_listening(g);
        qn_policy_free(g->policy);
        qn_rules_free(g->rules);
        qn_npmconf_free(g->npm);
        qn_arena_done(&g->names_mem);
        qn_arena_done(&g->notes_mem);
        qn_arena_done(&g->service_mem);
        qn_arena_done(&g->mem);
        free(g);
        return NULL;
}

void qn_gate_freep(struct qn_gate **g)
{
        *g = qn_gate_free(*g);
}

/* --- the loop --- */

static void drain(struct qn_gate *g)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(16);
        uint32_t seconds = g->service.drain_s;

        if (g->face.draining)
                return;
        g->face.draining = true;
        close_listening(
                g); /* who comes now is refused at once, or waits for what systemd starts next */
        g->stop_at = qn_gate_monotonic() + (int64_t)seconds * 1000 + 1000;
        qn_buf_add(&b, &seconds, sizeof seconds);
        qn_face_send(g, QN_FRONT_DRAIN, 1, qn_buf_view(&b), (struct qn_cur){ 0 }, -1);
        qn_listen_notify("STOPPING=1");
        qn_gate_note(g, "no new connections; ending when the last answer is out");
}

static void read_signals(struct qn_gate *g)
{
        struct signalfd_siginfo info;

        while (read(g->signals, &info, sizeof info) == (ssize_t)sizeof info) {
                if (info.ssi_signo == SIGHUP)
                        reload(g);
                else
                        drain(g);
        }
}

static int wait_ms(struct qn_gate *g)
{
        int late = qn_artifacts_late(g), pool = qn_pool_timeout(g->pool), ms = TURN_MS;

        if (qn_again_may_go_on(g))
                return 0;
        if (late >= 0)
                ms = QN_MIN(ms, late);
        return pool >= 0 ? QN_MIN(ms, pool) : ms;
}

static int turn(struct qn_gate *g, struct qn_err *reterr)
{
        struct pollfd fds[] = {
                { .fd = g->face.sock,
                  .events = (short)(POLLIN | (STAILQ_EMPTY(&g->face.out) ? 0 : POLLOUT)) },
                { .fd = qn_fetch_fd(g->fetch), .events = POLLIN },
                { .fd = qn_pool_fd(g->pool), .events = POLLIN },
                { .fd = g->signals, .events = POLLIN },
        };
        int r;

        if (poll(fds, QN_ARRAY_SIZE(fds), wait_ms(g)) < 0 && errno != EINTR)
                return -errno;
        if (fds[3].revents)
                read_signals(g);
        r = fds[0].revents & POLLOUT ? qn_face_flush(g) : 0;
        if (r == 0 && fds[0].revents)
                r = qn_face_read(g);
        qn_book_write(g);
        qn_again_step(g);
        if (r == 0 && qn_fetch_poll(g->fetch, 0, reterr) < 0)
                r = -EIO;
        if (r == 0 && qn_pool_poll(g->pool, 0, reterr) < 0)
                r = -EIO;
        if (r == 0)
                qn_turned_look(g, false);
        return r;
}

int qn_gate_run(struct qn_gate *g, struct qn_err *reterr)
{
        int r = 0;

        while (r == 0 && (!g->face.draining || qn_gate_monotonic() < g->stop_at))
                r = turn(g, reterr);
        if (r == -EPIPE && g->face.draining)
                return 0;
        if (r == -EPIPE)
                return qn_fail(reterr, r, 0, "the process that speaks HTTP ended");
        return r < 0 && !reterr->msg[0] ? qn_fail(reterr, r, 0, "%s", strerrordesc_np(-r)) : r;
}
