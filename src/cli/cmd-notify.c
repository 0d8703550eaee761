/* cmd-notify.c - qanat notify list|test|retry|send: the outbox, and whether its channels work. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/io.h"
#include "base/jsonw.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/show.h"
#include "base/table.h"
#include "cli/args.h"
#include "cli/verbs.h"
#include "parse/packument.h"
#include "watch/deliver.h"
#include "watch/notify.h"

#define OUT_MAX ((size_t)1 << 30)
#define TURN_MS 200

/* What the parts of the verb share. */
struct notify {
        const struct qn_args *args;
        bool json;
        struct qn_arena a;
        struct qn_buf out;
        struct qn_jsonw w;
        struct qn_table table;
        struct qn_notify_conf conf;
        struct qn_db db;
        unsigned failed, lost;
};

static int64_t now_ms(void)
{
        struct timespec t;

        clock_gettime(CLOCK_REALTIME, &t);
        return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int open_store(struct notify *n, bool write)
{
        struct qn_err err = { 0 };
        int r = qn_db_open(&qn_db_watch, n->args->store, write, &n->db, &err);

        return r < 0 ? log_err(r, "%s", err.msg) : 0;
}

static int load_conf(struct notify *n)
{
        const char *path = qn_args_get(n->args, "notify");
        struct qn_err err = { 0 };
        int r;

        if (!path)
                return log_err(-EINVAL, "say which file names the channels: --notify FILE (see "
                                        "watch/notify.yaml of the data directory)");
        r = qn_notify_conf_load(path, &n->a, &n->conf, &err);
        return r < 0 ? log_err(r, "%s", err.msg) : 0;
}

/* As other programs have it; the receivers are no registry, so npm is not asked. */
static struct qn_str environment(const char *lower, const char *upper)
{
        const char *v = getenv(lower);

        v = v ? v : getenv(upper);
        return v && *v ? qn_str_c(v) : (struct qn_str){ 0 };
}

static struct qn_http_opts http_opts(void)
{
        return (struct qn_http_opts){
                .user_agent = QN_STR("qanat/" QN_VERSION),
                .proxies = { .https = environment("https_proxy", "HTTPS_PROXY"),
                             .http = environment("http_proxy", "HTTP_PROXY"),
                             .none = environment("no_proxy", "NO_PROXY") },
        };
}

static int print_out(struct notify *n)
{
        int r = qn_buf_error(&n->out);

        if (r == 0)
                r = qn_io_write_fd(STDOUT_FILENO, qn_buf_view(&n->out));
        return r < 0 ? log_err(r, "%s", strerrordesc_np(-r)) : 0;
}

/* --- list --- */

static void cell(struct notify *n, struct qn_str s, size_t width)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_SHOW_MAX);

        qn_show(&b, s.n ? s : QN_STR("-"), width, 0);
        qn_table_cell(&n->table, qn_buf_view(&b));
}

static void number(struct notify *n, int64_t v)
{
        char text[32];

        snprintf(text, sizeof text, "%lld", (long long)v);
        qn_table_cell(&n->table, qn_str_c(text));
}

static void moment(struct notify *n, const char *key, int64_t ms)
{
        char text[QN_TIME_TEXT];

        if (ms)
                qn_jsonw_str(&n->w, key, qn_time_format(ms, text));
        else
                qn_jsonw_null(&n->w, key);
}

static void put_json(struct notify *n, const struct qn_outbox_message *m)
{
        qn_jsonw_object(&n->w, NULL);
        qn_jsonw_u64(&n->w, "number", (uint64_t)m->id);
        qn_jsonw_str(&n->w, "id", m->uid);
        qn_jsonw_str(&n->w, "channel", m->channel);
        qn_jsonw_str(&n->w, "recipient", m->recipient);
        qn_jsonw_str(&n->w, "topic", m->topic);
        qn_jsonw_str(&n->w, "subject", m->subject);
        qn_jsonw_u64(&n->w, "notices", (uint64_t)m->parts);
        qn_jsonw_cstr(&n->w, "state", qn_outbox_states[m->state]);
        moment(n, "created", m->created);
        moment(n, "due", m->state == QN_OUTBOX_DONE || m->state == QN_OUTBOX_DEAD ? 0 : m->due);
        moment(n, "ended", m->ended);
        qn_jsonw_u64(&n->w, "tries", m->tries);
        if (m->error.p)
                qn_jsonw_str(&n->w, "error", m->error);
        else
                qn_jsonw_null(&n->w, "error");
        qn_jsonw_end_object(&n->w);
}

static int on_message(void *ctx, const struct qn_outbox_message *m)
{
        struct notify *n = ctx;
        char time[QN_TIME_TEXT];

        if (n->json) {
                put_json(n, m);
                return qn_buf_error(&n->out);
        }
        number(n, m->id);
        cell(n, qn_str_c(qn_outbox_states[m->state]), 10);
        cell(n, qn_time_format(m->state == QN_OUTBOX_WAITING ? m->due : m->created, time), 24);
        cell(n, m->channel, 24);
        cell(n, m->recipient, 40);
        number(n, m->parts);
        cell(n, m->subject, 60);
        cell(n, m->error, 80);
        return n->table.error;
}

static int print_table(struct notify *n)
{
        int r = n->table.n ? qn_table_print(&n->table, &n->out, 0) : 0;

        if (!n->table.n)
                qn_buf_puts(&n->out, "nobody is to be told anything\n");
        return r;
}

static int state_of(const struct notify *n, enum qn_outbox_state *ret)
{
        for (unsigned i = 0; qn_outbox_states[i]; i++)
                if (n->args->n < 2 || strcmp(n->args->argv[1], qn_outbox_states[i]) == 0) {
                        *ret = (enum qn_outbox_state)i;
                        return 0;
                }
        return log_err(-EINVAL, "%s: a message is waiting, sending, done or dead",
                       n->args->argv[1]);
}

static int run_list(struct notify *n)
{
        enum qn_outbox_state state = QN_OUTBOX_WAITING;
        int r = state_of(n, &state);

        if (r == 0)
                r = open_store(n, false);
        if (r < 0)
                return r;
        n->table = QN_TABLE_INIT(8);
        n->w = QN_JSONW_INIT(&n->out, 0);
        if (n->json) {
                qn_jsonw_object(&n->w, NULL);
                qn_jsonw_cstr(&n->w, "schema", "qanat.notify/1");
                qn_jsonw_array(&n->w, "messages");
        }
        r = qn_outbox_each(&n->db, n->args->n > 1 ? &state : NULL, on_message, n);
        if (n->json) {
                qn_jsonw_end_array(&n->w);
                qn_jsonw_end_object(&n->w);
                qn_buf_byte(&n->out, '\n');
        } else if (r == 0) {
                r = print_table(n);
        }
        qn_table_done(&n->table);
        return r < 0 ? log_err(r, "the outbox cannot be read: %s", strerrordesc_np(-r)) : 0;
}

/* --- test --- */

struct trial {
        bool done;
        struct qn_delivered d;
};

static void on_trial(const struct qn_delivered *d, void *user)
{
        struct trial *t = user;

        t->done = true;
        t->d = *d;
}

/* Whom a channel writes to: as it is said, else as the first route or owner has it. */
static struct qn_str address_of(const struct notify *n, const struct qn_channel *ch)
{
        size_t at = (size_t)(ch - n->conf.channels);

        if (ch->kind != QN_CHANNEL_MAIL)
                return ch->name;
        if (n->args->n > 2)
                return qn_str_c(n->args->argv[2]);
        for (size_t i = 0; i < n->conf.n_routes; i++)
                if (n->conf.routes[i].channel == at)
                        return n->conf.routes[i].address;
        for (size_t i = 0; i < n->conf.n_owners; i++)
                if (n->conf.owners[i].channel == at)
                        return n->conf.owners[i].address;
        return (struct qn_str){ 0 };
}

static int deliver(const struct notify *n, const struct qn_channel *ch,
                   const struct qn_notice_message *m, struct trial *t)
{
        const struct qn_http_opts http = http_opts();
        const struct qn_delivery d = { ch, m, m->created, on_trial, t };
        struct qn_courier *c = NULL;
        struct qn_err err = { 0 };
        int r = qn_courier_new(&n->conf, &http, qn_args_on(n->args, "no-sandbox"), &c);

        if (r == 0)
                r = qn_courier_send(c, &d);
        while (r >= 0 && !t->done)
                r = qn_courier_poll(c, TURN_MS, &err);
        qn_courier_free(c);
        if (t->done)
                return 0;
        return log_err(r, "%s", err.msg[0] ? err.msg : strerrordesc_np(-r));
}

static void print_trial(struct notify *n, const struct qn_channel *ch, const struct trial *t)
{
        struct qn_jsonw w = QN_JSONW_INIT(&n->out, 0);

        if (!n->json) {
                qn_buf_printf(&n->out, "%.*s: %s: %s\n", QN_STR_ARG(ch->name),
                              t->d.sent ? "sent" : "not sent", t->d.what);
                return;
        }
        qn_jsonw_object(&w, NULL);
        qn_jsonw_cstr(&w, "schema", "qanat.notify-test/1");
        qn_jsonw_str(&w, "channel", ch->name);
        qn_jsonw_bool(&w, "sent", t->d.sent);
        qn_jsonw_cstr(&w, "what", t->d.what);
        qn_jsonw_end_object(&w);
        qn_buf_byte(&n->out, '\n');
}

static int run_test(struct notify *n)
{
        const struct qn_notice notice = { .kind = QN_NOTICE_TEST,
                                          .name = QN_STR("qanat-test"),
                                          .version = QN_STR("1.0.0"),
                                          .reason = QN_STR("This is a test: nothing happened."),
                                          .time = QN_TIME_NONE };
        _cleanup_(qn_buf_done) struct qn_buf body = QN_BUF_INIT(65536), subject = QN_BUF_INIT(4096);
        struct qn_notice_message m = { .topic = QN_STR("test"), .count = 1, .n = 1 };
        const struct qn_channel *ch;
        struct trial t = { 0 };
        struct qn_str view;
        char uid[48];
        int r = n->args->n < 2 ? log_err(-EINVAL, "say which channel is tested") : load_conf(n);

        if (r < 0)
                return r;
        ch = qn_notify_channel(&n->conf, qn_str_c(n->args->argv[1]));
        if (!ch)
                return log_err(-EINVAL, "%s: there is no channel of that name", n->args->argv[1]);
        m.recipient = address_of(n, ch);
        if (ch->kind == QN_CHANNEL_MAIL && !qn_http_mailbox_ok(m.recipient))
                return log_err(-EINVAL, "say to whom: qanat notify test %s name@host",
                               n->args->argv[1]);
        m.created = now_ms();
        snprintf(uid, sizeof uid, "test-%llx", (unsigned long long)m.created);
        m.uid = qn_str_c(uid);
        r = qn_notice_write(&notice, &body);
        if (r == 0)
                r = qn_notice_subject(&notice, &subject);
        if (r < 0)
                return log_err(r, "%s", strerrordesc_np(-r));
        view = qn_buf_view(&body);
        m.bodies = &view;
        m.subject = qn_buf_view(&subject);
        r = deliver(n, ch, &m, &t);
        if (r < 0)
                return r;
        print_trial(n, ch, &t);
        n->failed = !t.d.sent;
        return 0;
}

/* --- retry, send --- */

static int run_retry(struct notify *n)
{
        uint64_t id = 0;
        int64_t count = 0;
        int r = 0;

        if (n->args->n > 1 &&
            (qn_str_u64(qn_str_c(n->args->argv[1]), &id) < 0 || !id || id > INT64_MAX))
                return log_err(-EINVAL, "%s: the number of a message, as qanat notify list has it",
                               n->args->argv[1]);
        r = open_store(n, false);
        if (r < 0)
                return r;
        r = qn_db_begin(&n->db);
        if (r == 0)
                r = qn_outbox_revive(&n->db, (int64_t)id, now_ms(), &count);
        if (r == 0)
                r = qn_db_commit(&n->db);
        if (r < 0)
                return log_err(r, "the outbox cannot be written: %s", strerrordesc_np(-r));
        n->failed = id && !count;
        if (n->json)
                qn_buf_printf(&n->out, "{\"schema\":\"qanat.notify-retry/1\",\"messages\":%lld}\n",
                              (long long)count);
        else
                qn_buf_printf(&n->out, "%lld dead messages are due again\n", (long long)count);
        return 0;
}

static void on_tried(void *ctx, const struct qn_outbox_message *m, bool sent, const char *what)
{
        struct notify *n = ctx;

        n->failed += !sent;
        if (!qn_args_on(n->args, "quiet"))
                log_note("message %lld over %.*s: %s: %s", (long long)m->id, QN_STR_ARG(m->channel),
                         sent ? "sent" : "not sent", what);
}

static int on_waiting(void *ctx, const struct qn_outbox_message *m)
{
        struct notify *n = ctx;

        n->lost += !qn_notify_channel(&n->conf, m->channel);
        return 0;
}

/* A channel that was renamed: its messages wait for it. */
static int look_for_lost(struct notify *n)
{
        const enum qn_outbox_state waiting = QN_OUTBOX_WAITING;
        int r = qn_outbox_each(&n->db, &waiting, on_waiting, n);

        if (n->lost)
                log_note("%u messages wait for channels that the file does not have", n->lost);
        return r;
}

/* Until nothing is due: what failed is due later. */
static int send_due(struct notify *n, struct qn_notify *by)
{
        struct qn_err err = { 0 };
        int64_t due = 0;
        int r;

        do {
                r = qn_notify_pump(by, now_ms(), TURN_MS, &err);
                if (r == 0 && (r = qn_notify_next(by, &due)) > 0 && due > now_ms())
                        r = 0;
        } while (r > 0);
        if (r == 0)
                r = look_for_lost(n);
        if (r == 0 && n->json)
                qn_buf_printf(&n->out, "{\"schema\":\"qanat.notify-send/1\",\"failed\":%u}\n",
                              n->failed);
        return r < 0 ? log_err(r, "%s", err.msg[0] ? err.msg : strerrordesc_np(-r)) : 0;
}

static int run_send(struct notify *n)
{
        struct qn_notify_opts o = { .conf = &n->conf,
                                    .db = &n->db,
                                    .http = http_opts(),
                                    .no_sandbox = qn_args_on(n->args, "no-sandbox"),
                                    .tried = on_tried,
                                    .ctx = n };
        _cleanup_(qn_notify_freep) struct qn_notify *by = NULL;
        int r = load_conf(n);

        if (r == 0)
                r = open_store(n, false);
        if (r < 0)
                return r;
        r = qn_notify_new(&o, &by);
        return r < 0 ? log_err(r, "%s", strerrordesc_np(-r)) : send_due(n, by);
}

static const struct {
        const char *name;
        size_t max; /* words */
        int (*run)(struct notify *n);
} parts[] = {
        { "list", 2, run_list },
        { "test", 3, run_test },
        { "retry", 2, run_retry },
        { "send", 1, run_send },
};

int cmd_notify(const struct qn_args *a)
{
        struct notify n = { .args = a,
                            .json = strcmp(qn_args_get(a, "format"), "json") == 0,
                            .a = QN_ARENA_INIT(QN_GATE_ARENA_MAX),
                            .out = QN_BUF_INIT(OUT_MAX) };
        size_t i = 0;
        int r;

        while (i < QN_ARRAY_SIZE(parts) && strcmp(parts[i].name, a->argv[0]) != 0)
                i++;
        if (i == QN_ARRAY_SIZE(parts) || a->n > parts[i].max)
                return log_err(-EINVAL, "%s: see qanat-notify(1)", a->argv[0]);
        r = parts[i].run(&n);
        if (r == 0)
                r = print_out(&n);
        if (n.db.conn)
                qn_db_close(&n.db);
        qn_buf_done(&n.out);
        qn_arena_done(&n.a);
        return r < 0 ? r : n.failed > 0;
}
