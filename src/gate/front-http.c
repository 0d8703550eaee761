#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/io.h"
#include "gate/front-priv.h"

#define SECOND UINT64_C(1000000000)

/* --- connections --- */

static struct {
        pthread_mutex_t lock;
        struct qn_conn *first;
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };
static _Atomic size_t bodies; /* bytes of bodies that are announced and not yet done with */

static void print_peer(const struct sockaddr *sa, char to[48])
{
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)sa;
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)sa;

        if (sa && sa->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
                inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], to, 48);
        else if (sa && sa->sa_family == AF_INET6)
                inet_ntop(AF_INET6, &v6->sin6_addr, to, 48);
        else if (sa && sa->sa_family == AF_INET)
                inet_ntop(AF_INET, &v4->sin_addr, to, 48);
        else
                memcpy(to, "local", sizeof "local");
}

static uint64_t idle_ns(void)
{
        uint32_t s = qn_front_conf()->c.idle_s;

        return (s ? s : QN_FRONT_IDLE_S) * SECOND;
}

/* Silence is libmicrohttpd's to see; this is for those who are not silent, but slow. */
static void must_end_in(struct qn_conn *c, uint64_t now_ns, uint64_t ns)
{
        atomic_store_explicit(&c->must_end_ns, now_ns + ns, memory_order_relaxed);
}

static void wait_for_request(struct qn_conn *c, uint64_t now_ns)
{
        atomic_store_explicit(&c->state, QN_CONN_WAITS, memory_order_relaxed);
        must_end_in(c, now_ns, idle_ns() + QN_FRONT_HEAD_S * SECOND);
}

static void open_conn(struct MHD_Connection *mhd, void **ret)
{
        struct qn_conn *c = calloc(1, sizeof *c);

        qn_log_opened(1);
        *ret = c;
        if (!c)
                return;
        c->mhd = mhd;
        c->auth_token = -1;
        c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        print_peer(MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr,
                   c->peer);
        wait_for_request(c, qn_io_nanos());
        pthread_mutex_lock(&all.lock);
        c->next = all.first;
        c->at = &all.first;
        if (c->next)
                c->next->at = &c->next;
        all.first = c;
        pthread_mutex_unlock(&all.lock);
}

static void close_conn(struct qn_conn *c)
{
        qn_log_opened(-1);
        if (!c)
                return;
        pthread_mutex_lock(&all.lock);
        *c->at = c->next;
        if (c->next)
                c->next->at = c->at;
        pthread_mutex_unlock(&all.lock);
        free(c);
}

/* The socket is still open when libmicrohttpd says that it closes it. */
static void on_connection(void *listen, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
        struct qn_listen *l = listen;

        if (code == MHD_CONNECTION_NOTIFY_STARTED) {
                atomic_fetch_add(&l->open, 1);
                open_conn(mhd, context);
        } else {
                close_conn(*context);
                atomic_fetch_sub(&l->open, 1);
        }
}

void qn_http_expire(uint64_t now_ns, bool drain)
{
        pthread_mutex_lock(&all.lock);
        for (struct qn_conn *c = all.first; c; c = c->next) {
                uint64_t end = atomic_load_explicit(&c->must_end_ns, memory_order_relaxed);
                bool waits = atomic_load_explicit(&c->state, memory_order_relaxed) == QN_CONN_WAITS;

                if (end && now_ns > end)
                        shutdown(c->fd, SHUT_RDWR);
                else if (drain && waits)
                        shutdown(c->fd, SHUT_RD);
        }
        pthread_mutex_unlock(&all.lock);
}

/* --- a request begins and ends --- */

static void take_path(struct qn_conn *c)
{
        char *to = c->path_short;

        c->path = (struct qn_str){ 0 };
        if (c->uri_n > QN_FRONT_PATH_MAX)
                return;
        if (c->uri_n > sizeof c->path_short)
                to = c->path_long = malloc(c->uri_n);
        if (!to)
                return;
        memcpy(to, c->uri, c->uri_n);
        c->path = (struct qn_str){ to, c->uri_n };
}

/* libmicrohttpd would make a record of each argument of the query, and hangs when they do not fit: it finds none.  The line lies
 * in its buffer, which it is about to change itself. */
static void hide_query(const char *uri)
{
        char *mark = uri ? strchr((char *)(uintptr_t)uri, '?') : NULL;

        if (mark)
                mark[1] = '\0';
}

/* The first line, before it is cut into pieces. */
static void *on_line(void *nothing QN_UNUSED, const char *uri, struct MHD_Connection *mhd)
{
        struct qn_conn *c =
                MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;

        if (!c)
                return NULL;
        atomic_store_explicit(&c->state, QN_CONN_BEGINS, memory_order_relaxed);
        c->start_ns = qn_io_nanos();
        c->uri = uri;
        c->uri_n = uri ? strlen(uri) : 0;
        memset(c->h, 0, sizeof c->h);
        c->q = (struct qn_front_question){ 0 };
        c->method = (struct qn_str){ 0 };
        c->noted = c->refused = c->asked = c->kept = c->malformed = c->chunked = false;
        c->no = NULL;
        c->status = 0;
        c->bytes = c->body_n = 0;
        c->keep_n = 0;
        take_path(c);
        hide_query(uri);
        return c;
}

static void drop_body(struct qn_conn *c)
{
        if (c->body.max)
                atomic_fetch_sub(&bodies, c->body.max);
        qn_buf_done(&c->body);
        c->body = (struct qn_buf){ 0 };
}

static void on_completed(void *nothing QN_UNUSED, struct MHD_Connection *mhd QN_UNUSED,
                         void **context, enum MHD_RequestTerminationCode code QN_UNUSED)
{
        struct qn_conn *c = *context;
        uint64_t now = qn_io_nanos();

        if (!c)
                return;
        *context = NULL;
        if (!c->status)
                c->malformed = true; /* libmicrohttpd's own answer, or it was cut off */
        qn_log_request(c, now);
        c->reply = qn_reply_unref(c->reply);
        drop_body(c);
        free(c->path_long);
        c->path_long = NULL;
        wait_for_request(c, now);
        if (qn_front_draining())
                shutdown(c->fd, SHUT_RD);
}

/* --- answers --- */

static struct qn_plan plan_of(const struct qn_conn *c, const struct qn_reply *r)
{
        const struct qn_conditions conditions = {
                .head = qn_str_is(c->method, "HEAD"),
                .get = qn_str_is(c->method, "GET"),
                .none_match = c->h[QN_H_IF_NONE_MATCH],
                .range = c->h[QN_H_RANGE],
                .if_range = c->h[QN_H_IF_RANGE],
        };

        return qn_reply_plan(r, &conditions);
}

static enum MHD_Result send_planned(struct qn_conn *c, struct qn_reply *r,
                                    const struct qn_plan *plan)
{
        bool own;
        struct MHD_Response *response = qn_reply_render(r, plan, c->chunked, &own);
        enum MHD_Result e;

        if (!response)
                return MHD_NO;
        c->status = plan->status;
        c->bytes = qn_str_is(c->method, "HEAD") ? 0 : plan->n;
        atomic_store_explicit(&c->state, QN_CONN_SENDS, memory_order_relaxed);
        must_end_in(c, qn_io_nanos(), idle_ns() + c->bytes / QN_FRONT_SLOW_BYTES * SECOND);
        e = MHD_queue_response(c->mhd, plan->status, response);
        if (own)
                MHD_destroy_response(response);
        return e;
}

static enum MHD_Result send_reply(struct qn_conn *c, struct qn_reply *r)
{
        struct qn_plan plan = plan_of(c, r);

        return send_planned(c, r, &plan);
}

static enum MHD_Result refuse(struct qn_conn *c, enum qn_refusal why)
{
        return send_reply(c, qn_refusal(why));
}

static void suspend(struct qn_conn *c, enum qn_conn_state state)
{
        atomic_store_explicit(&c->state, state, memory_order_relaxed);
        atomic_store_explicit(&c->must_end_ns, 0, memory_order_relaxed);
        MHD_suspend_connection(c->mhd);
}

/* Nothing of an artifact goes out before the ledger has it. */
static bool needs_note(const struct qn_conn *c, const struct qn_plan *plan)
{
        return c->reply->a.artifact && !c->noted && qn_str_is(c->method, "GET") &&
               (plan->status == 200 || plan->status == 206);
}

static enum MHD_Result answer(struct qn_conn *c)
{
        struct qn_plan plan;

        if (!c->reply)
                return MHD_NO;
        if (c->noted && c->refused)
                return refuse(c, QN_REFUSE_NOTE);
        plan = plan_of(c, c->reply);
        if (!needs_note(c, &plan))
                return send_planned(c, c->reply, &plan);
        suspend(c, QN_CONN_NOTES);
        qn_ask_note(c);
        return MHD_YES;
}

/* --- who asks --- */

static struct qn_str cleaned(struct qn_conn *c, unsigned at, struct qn_str s)
{
        return (struct qn_str){ c->client_text[at],
                                qn_head_clean(s, c->client_text[at], QN_FRONT_TEXT_MAX) };
}

static struct qn_str address_of(const struct qn_conn *c, const struct qn_front_conf *conf)
{
        struct qn_str peer = qn_str_c(c->peer), told = { 0 };

        if (conf->c.proxies.n && c->h[QN_H_FORWARDED].p && qn_head_listed(peer, conf->c.proxies))
                told = qn_head_forwarded(c->h[QN_H_FORWARDED], conf->c.proxies);
        return told.n ? told : peer;
}

static struct qn_str ci_of(const struct qn_conn *c)
{
        struct qn_str said = qn_head_ci(c->h[QN_H_USER_AGENT]);

        return said.n ? said : c->h[QN_H_CI];
}

static int identify(struct qn_conn *c, const struct qn_front_conf *conf)
{
        int token = qn_limit_token(c, conf);
        struct qn_front_client *k = &c->q.client;

        k->address = cleaned(c, 0, address_of(c, conf));
        k->token = token < 0 ? QN_STR("") : cleaned(c, 1, conf->c.tokens[token].name);
        k->user_agent = cleaned(c, 2, c->h[QN_H_USER_AGENT]);
        k->session = cleaned(c, 3, c->h[QN_H_SESSION]);
        k->command = cleaned(c, 4, c->h[QN_H_COMMAND]);
        k->ci = cleaned(c, 5, ci_of(c));
        return token;
}

static uint64_t account_of(const struct qn_conn *c)
{
        const struct qn_front_client *k = &c->q.client;

        return k->token.n ? ~qn_hash64(k->token.p, k->token.n) : qn_limit_address(k->address);
}

/* --- the question --- */

static void fill_question(struct qn_conn *c, bool ours, bool admin)
{
        struct qn_front_question *q = &c->q;
        bool packument = c->route.kind == QN_ROUTE_PACKUMENT;

        q->method = qn_str_is(c->method, "HEAD") ? QN_STR("GET") : c->method;
        q->path = c->path;
        q->abbreviated = packument && qn_head_abbreviated(c->h[QN_H_ACCEPT]);
        q->encoding = c->route.kind == QN_ROUTE_TARBALL
                              ? QN_ENCODING_IDENTITY
                              : qn_head_encoding(c->h[QN_H_ACCEPT_ENCODING]);
        q->admin = admin;
        if (!ours) /* a token of the gate's own is nobody else's business */
                q->authorization = c->h[QN_H_AUTHORIZATION];
        q->content_type = c->h[QN_H_CONTENT_TYPE];
        q->content_encoding = c->h[QN_H_CONTENT_ENCODING];
        q->otp = c->h[QN_H_OTP];
        q->auth_type = c->h[QN_H_AUTH_TYPE];
        q->body = qn_cur_str(qn_buf_view(&c->body));
}

struct key {
        char p[QN_KEY_MAX + QN_FRONT_HEADERS_MAX + QN_FRONT_TEXT_MAX];
        size_t n;
};

static void add_key(struct key *k, struct qn_str s)
{
        if (s.n)
                memcpy(k->p + k->n, s.p, s.n);
        k->n += s.n;
        k->p[k->n++] = '\n'; /* in none of the parts */
}

static bool has_own_key(enum qn_route_kind kind)
{
        return kind == QN_ROUTE_PACKUMENT || kind == QN_ROUTE_VERSION || kind == QN_ROUTE_TARBALL ||
               kind == QN_ROUTE_TAGS || kind == QN_ROUTE_ATTESTATIONS;
}

/* Two spellings of one question have one key. */
static void make_key(const struct qn_conn *c, struct key *k)
{
        const struct qn_route *r = &c->route;

        k->p[0] = (char)('A' + r->kind);
        k->p[1] = (char)('0' + c->q.encoding + (c->q.abbreviated ? 4 : 0));
        k->n = 2;
        if (!has_own_key(r->kind)) {
                add_key(k, c->path);
                return;
        }
        add_key(k, r->name);
        add_key(k, r->version);
        add_key(k, r->file);
        add_key(k, r->query);
}

/* What else sets two questions apart while no answer says that it is for everybody. */
static void add_secrets(const struct qn_conn *c, struct key *k)
{
        k->p[k->n++] = c->q.admin ? '1' : '0';
        add_key(k, c->q.authorization);
        if (!has_own_key(c->route.kind)) /* "who am I?" */
                add_key(k, c->q.client.token);
}

static enum MHD_Result ask(struct qn_conn *c, struct key *k)
{
        c->asked = true;
        suspend(c, QN_CONN_ASKED);
        if (k)
                qn_ask(c, (struct qn_str){ k->p, k->n }, qn_hash64(k->p, k->n));
        else
                qn_ask(c, QN_STR(""), 0);
        return MHD_YES;
}

/* GET and HEAD: from what is kept, else of the gate. */
static enum MHD_Result look_up(struct qn_conn *c)
{
        struct key k;

        make_key(c, &k);
        c->keep_n = k.n;
        c->keep_hash = qn_hash64(k.p, k.n);
        c->reply = qn_keep_find((struct qn_str){ k.p, k.n }, c->keep_hash, c->start_ns);
        if (c->reply) {
                c->kept = true;
                return answer(c);
        }
        add_secrets(c, &k);
        return ask(c, &k);
}

/* --- what the face answers by itself --- */

static struct qn_reply *ready_reply, *drain_reply, *ping_reply, *options_reply;

int qn_http_open(void)
{
        ready_reply = qn_reply_json(200, "{\"ready\":true}\n", "Cache-Control", "no-store");
        drain_reply = qn_reply_json(503, "{\"ready\":false}\n", "Cache-Control", "no-store");
        ping_reply = qn_reply_json(200, "{}\n", NULL, NULL);
        options_reply =
                qn_reply_json(200, "{}\n", "Allow", "GET, HEAD, PUT, POST, DELETE, OPTIONS");
        return ready_reply && drain_reply && ping_reply && options_reply ? 0 : -ENOMEM;
}

/* NULL: it is to be asked for. */
static struct qn_reply *answer_here(const struct qn_conn *c)
{
        bool reads = qn_str_is(c->method, "GET") || qn_str_is(c->method, "HEAD");

        if (qn_str_is(c->method, "OPTIONS"))
                return options_reply;
        switch (c->route.kind) {
        case QN_ROUTE_READY:
                return qn_front_draining() ? drain_reply : ready_reply;
        case QN_ROUTE_PING:
                return reads ? ping_reply : qn_refusal(QN_REFUSE_METHOD);
        case QN_ROUTE_NONE:
                return qn_refusal(QN_REFUSE_NOTHING);
        default:
                return NULL;
        }
}

/* All of the request is here. */
static enum MHD_Result dispatch(struct qn_conn *c)
{
        const struct qn_front_conf *conf = qn_front_conf();
        struct qn_reply *here;
        int token;
        bool admin, open;

        qn_route_parse(c->path, conf->c.prefix, &c->route);
        token = identify(c, conf);
        admin = token >= 0 && conf->c.tokens[token].admin;
        open = c->route.kind == QN_ROUTE_PING || c->route.kind == QN_ROUTE_READY;
        if (!open && !qn_limit_rate(conf, account_of(c), c->start_ns))
                return refuse(c, QN_REFUSE_RATE); /* tries of tokens count, too */
        if (!open && conf->c.closed && token < 0)
                return refuse(c, QN_REFUSE_TOKEN);
        if (c->route.kind == QN_ROUTE_METRICS && !admin)
                return refuse(c, QN_REFUSE_ADMIN);
        here = answer_here(c);
        if (here)
                return send_reply(c, here);
        fill_question(c, token >= 0, admin);
        return qn_str_is(c->q.method, "GET") ? look_up(c) : ask(c, NULL);
}

/* --- the request comes in --- */

/* Memory for so much of the body; how much all of them take is limited. */
static bool reserve_body(struct qn_conn *c, size_t n)
{
        size_t more = n - c->body.max;

        if (atomic_fetch_add(&bodies, more) + more > QN_FRONT_BODIES_MAX) {
                atomic_fetch_sub(&bodies, more);
                return false;
        }
        c->body.max = n;
        return true;
}

/* Bytes of a body that may take until its end what was announced, or what has come of it. */
static void body_must_end(struct qn_conn *c)
{
        must_end_in(c, c->start_ns, idle_ns() + c->body_n / QN_FRONT_SLOW_BYTES * SECOND);
}

static enum MHD_Result begin(struct qn_conn *c, const char *version, const char *method)
{
        struct qn_reply *no = qn_check_head(c, version, method);

        if (!no && !reserve_body(c, c->body_n))
                no = qn_refusal(QN_REFUSE_BUSY);
        if (no) {
                c->malformed = no == qn_refusal(QN_REFUSE_MALFORMED);
                return send_reply(c, no); /* queued before the body: the connection ends with it */
        }
        atomic_store_explicit(&c->state, QN_CONN_RECEIVES, memory_order_relaxed);
        body_must_end(c);
        return MHD_YES;
}

/* The refusal of a body in chunks can only be sent behind it. */
static void refuse_body(struct qn_conn *c, enum qn_refusal why)
{
        drop_body(c);
        c->no = qn_refusal(why);
}

/* Makes room for n more bytes of a body in chunks, which will do without when it is refused.  False: no answer is worth more. */
static bool grow_body(struct qn_conn *c, size_t n)
{
        size_t max = qn_front_body_max(), room = QN_MAX(c->body.max, QN_FRONT_SMALL);

        c->body_n += n;
        body_must_end(c);
        if (c->no)
                return c->body_n <= max + QN_FRONT_SPILL_MAX;
        while (room < c->body_n)
                room *= 2;
        if (c->body_n > max)
                refuse_body(c, QN_REFUSE_LARGE);
        else if (room > c->body.max && !reserve_body(c, QN_MIN(room, max)))
                refuse_body(c, QN_REFUSE_BUSY);
        return true;
}

static enum MHD_Result end_body(struct qn_conn *c)
{
        if (c->no)
                return send_reply(c, c->no);
        return c->body.n == c->body_n ? dispatch(c) : MHD_NO;
}

static enum MHD_Result receive(struct qn_conn *c, const char *bytes, size_t *n)
{
        if (!*n)
                return end_body(c);
        if ((c->chunked && !grow_body(c, *n)) || (!c->no && qn_buf_add(&c->body, bytes, *n) < 0))
                return MHD_NO;
        *n = 0;
        return MHD_YES;
}

static enum MHD_Result on_request(void *nothing QN_UNUSED, struct MHD_Connection *mhd QN_UNUSED,
                                  const char *url QN_UNUSED, const char *method,
                                  const char *version, const char *upload, size_t *upload_n,
                                  void **context)
{
        struct qn_conn *c = *context;

        if (!c)
                return MHD_NO;
        switch (atomic_load_explicit(&c->state, memory_order_relaxed)) {
        case QN_CONN_BEGINS:
                return begin(c, version, method);
        case QN_CONN_RECEIVES:
                return receive(c, upload, upload_n);
        case QN_CONN_ASKED:
        case QN_CONN_NOTES:
                return answer(c);
        default:
                return MHD_NO;
        }
}

/* --- listening --- */

static size_t keep_escapes(void *nothing QN_UNUSED, struct MHD_Connection *mhd QN_UNUSED, char *s)
{
        return strlen(s);
}

static unsigned threads(void)
{
        long n = sysconf(_SC_NPROCESSORS_ONLN);

        return (unsigned)QN_MIN(QN_MAX(n, 2L), (long)QN_FRONT_THREADS_MAX);
}

#define CALLBACK(f) ((intptr_t)(f))

static struct MHD_Daemon *start(int fd, const struct qn_front_conf *conf, size_t connections,
                                struct qn_listen *l)
{
        const struct qn_front_config *c = &conf->c;
        unsigned n = threads(), flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
        uint32_t each = c->proxies.n ? 0 : c->per_address ? c->per_address : QN_FRONT_PER_ADDRESS;
        struct MHD_OptionItem options[] = {
                { MHD_OPTION_LISTEN_SOCKET, fd, NULL },
                { MHD_OPTION_CONNECTION_MEMORY_LIMIT, QN_FRONT_HEADERS_MAX, NULL },
                { MHD_OPTION_CONNECTION_LIMIT, (intptr_t)connections, NULL },
                { MHD_OPTION_PER_IP_CONNECTION_LIMIT, (intptr_t)each, NULL },
                { MHD_OPTION_CONNECTION_TIMEOUT,
                  (intptr_t)(c->idle_s ? c->idle_s : QN_FRONT_IDLE_S), NULL },
                { MHD_OPTION_NOTIFY_CONNECTION, CALLBACK(on_connection), l },
                { MHD_OPTION_NOTIFY_COMPLETED, CALLBACK(on_completed), NULL },
                { MHD_OPTION_URI_LOG_CALLBACK, CALLBACK(on_line), NULL },
                { MHD_OPTION_UNESCAPE_CALLBACK, CALLBACK(keep_escapes), NULL },
                { MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)n, NULL },
                { c->cert.p ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, 0, conf->cert_text },
                { MHD_OPTION_HTTPS_MEM_KEY, 0, conf->key_text },
                { MHD_OPTION_END, 0, NULL },
        };

        if (c->cert.p)
                flags |= MHD_USE_TLS;
        return qn_mhd_start(flags, on_request, options);
}

struct qn_listen *qn_http_listen(int fd, const struct qn_front_conf *conf, size_t connections_max)
{
        size_t want = conf->c.connections ? conf->c.connections : QN_FRONT_CONNECTIONS;
        struct qn_listen *l = calloc(1, sizeof *l);

        if (!l)
                return NULL;
        want = QN_MAX(QN_MIN(want, connections_max), (size_t)QN_FRONT_THREADS_MAX);
        l->daemon = start(fd, conf, want, l);
        if (!l->daemon) {
                free(l);
                return NULL;
        }
        return l;
}
