/* front-engine - plays the gate for its HTTP face: starts the role, hands it a socket, answers from the names of what is asked.
 *   usage: front-engine [--port N] [--unconfined] [--closed] [--rate N] [--burst N] [--idle N] [--token NAME:SHA256[:admin]]...
 *                       [--cert FILE --key FILE] [--log FILE] [--proxies LIST] [--body-max N] [--per-address N] [--keep-max N]
 * Says "port N", then a line for each thing it is told; takes lines: "forget NAME", "forget", "drain SECONDS", "config" (again).
 * Names: slow… is answered after 300 ms, never… not at all, big… has 300 kB in a file, once… is not kept, brief… for 200 ms,
 * bad… has no fit header, gone… is 404; of a tarball refused… its note is refused, late… it is acknowledged after 300 ms. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/io.h"
#include "base/limits.h"
#include "gate/front-wire.h"
#include "gate/front.h"
#include "gate/route.h"
#include "role/msg.h"

#define BIG 300000

struct later {
        struct later *next;
        uint64_t seq, at_ns;
        uint8_t kind;
        char path[512];
        struct qn_front_question q;
};

static struct {
        int sock;
        struct qn_front_config config;
        struct qn_front_token tokens[16];
        struct qn_arena arena;
        struct later *later;
        bool quiet;
} engine;

static void die(const char *what)
{
        fprintf(stderr, "front-engine: %s\n", what);
        exit(2);
}

static void tell(uint64_t seq, uint8_t kind, struct qn_str params, struct qn_str input, int fd)
{
        const struct qn_msg_job job = { .seq = seq,
                                        .kind = kind,
                                        .has_fd = fd >= 0,
                                        .params = qn_cur_str(params),
                                        .input = qn_cur_str(input) };
        int r;

        while ((r = qn_msg_send_job(engine.sock, &job, fd)) == -EAGAIN)
                usleep(1000);
        if (r < 0 && r != -EPIPE)
                die("cannot send");
}

static int as_file(struct qn_str bytes)
{
        int fd = memfd_create("body", MFD_CLOEXEC);

        if (fd < 0 || qn_io_write_fd(fd, bytes) < 0)
                die("cannot make a file");
        return fd;
}

static void send_config(void)
{
        struct qn_buf b = QN_BUF_INIT(QN_FRONT_CONFIG_MAX);
        int fd;

        qn_front_write_config(&b, &engine.config);
        fd = as_file(qn_buf_view(&b));
        tell(1, QN_FRONT_CONFIG, QN_STR(""), QN_STR(""), fd);
        close(fd);
        qn_buf_done(&b);
}

static bool has(const char *path, const char *word)
{
        return strstr(path, word) != NULL;
}

static void answer(uint64_t seq, const struct qn_front_question *q, const char *path)
{
        static char big[BIG];
        struct qn_buf body = QN_BUF_INIT(1 << 20), params = QN_BUF_INIT(65536);
        struct qn_front_answer a = { .status = 200,
                                     .keep = true,
                                     .content_type = QN_STR("application/json"),
                                     .etag = QN_STR("\"v1\""),
                                     .cache_control = QN_STR("max-age=300"),
                                     .verdict = QN_STR("clean"),
                                     .encoding = q->encoding };
        struct qn_route route;
        int fd = -1;

        qn_route_parse(q->path, engine.config.prefix, &route);
        a.package = route.name;
        if (route.kind == QN_ROUTE_TARBALL)
                a.artifact = 7, a.encoding = QN_ENCODING_IDENTITY,
                a.content_type = QN_STR("application/octet-stream");
        if (has(path, "once"))
                a.keep = false;
        if (has(path, "brief"))
                a.keep_ms = 200;
        if (has(path, "gone"))
                a.status = 404;
        if (has(path, "bad"))
                a.notice = QN_STR("a\r\nb: c");
        qn_buf_printf(&body,
                      "{\"path\":\"%s\",\"method\":\"%.*s\",\"abbreviated\":%d,\"encoding\":%d,"
                      "\"body\":%zu,\"auth\":\"%.*s\"}",
                      path, QN_STR_ARG(q->method), q->abbreviated, (int)q->encoding,
                      qn_cur_left(&q->body),
                      QN_STR_ARG(q->authorization.p ? q->authorization : QN_STR("")));
        if (has(path, "k35"))
                qn_buf_fill(&body, 'x', 35000);
        for (size_t i = 0; i < BIG; i++)
                big[i] = (char)('a' + i % 26);
        if (has(path, "big"))
                fd = as_file((struct qn_str){ big, BIG });
        qn_front_write_answer(&params, &a);
        tell(seq, QN_FRONT_ANSWER, qn_buf_view(&params), fd < 0 ? qn_buf_view(&body) : QN_STR(""),
             fd);
        if (fd >= 0)
                close(fd);
        qn_buf_done(&body);
        qn_buf_done(&params);
}

static void do_later(struct later *l)
{
        if (l->kind == QN_FRONT_ANSWER) {
                l->q.path = qn_str_c(l->path);
                answer(l->seq, &l->q, l->path);
        } else {
                tell(l->seq, l->kind, QN_STR(""), QN_STR(""), -1);
        }
}

static struct later *add_later(uint64_t seq, uint8_t kind, unsigned ms)
{
        struct later *l = calloc(1, sizeof *l);

        if (!l)
                die("no memory");
        *l = (struct later){ .next = engine.later,
                             .seq = seq,
                             .kind = kind,
                             .at_ns = qn_io_nanos() + ms * UINT64_C(1000000) };
        engine.later = l;
        return l;
}

static void run_later(void)
{
        for (struct later **at = &engine.later; *at;) {
                struct later *l = *at;

                if (qn_io_nanos() < l->at_ns) {
                        at = &l->next;
                        continue;
                }
                *at = l->next;
                do_later(l);
                free(l);
        }
}

static bool note_refused, note_late; /* as the last tarball that was asked for said */

static void on_question(uint64_t seq, struct qn_cur in)
{
        struct qn_front_question q;
        char path[512];

        if (qn_front_read_question(in, &q) < 0)
                die("a question cannot be read");
        snprintf(path, sizeof path, "%.*s", QN_STR_ARG(q.path));
        if (!engine.quiet)
                printf("asks %.*s %s abbreviated=%d encoding=%d admin=%d body=%zu token=%.*s "
                       "address=%.*s agent=%.*s ci=%.*s\n",
                       QN_STR_ARG(q.method), path, q.abbreviated, (int)q.encoding, q.admin,
                       qn_cur_left(&q.body), QN_STR_ARG(q.client.token),
                       QN_STR_ARG(q.client.address), QN_STR_ARG(q.client.user_agent),
                       QN_STR_ARG(q.client.ci));
        if (has(path, "/-/"))
                note_refused = has(path, "refused"), note_late = has(path, "late");
        if (has(path, "never"))
                return;
        if (has(path, "slow")) {
                struct later *l = add_later(seq, QN_FRONT_ANSWER, 300);

                l->q = (struct qn_front_question){ .method = QN_STR("GET"),
                                                   .abbreviated = q.abbreviated,
                                                   .encoding = q.encoding };
                snprintf(l->path, sizeof l->path, "%s", path);
                return;
        }
        answer(seq, &q, path);
}

static void on_note(uint64_t seq, struct qn_cur in)
{
        struct qn_front_note note;

        if (qn_front_read_note(in, &note) < 0)
                die("a note cannot be read");
        if (!engine.quiet)
                printf("serves %llu address=%.*s agent=%.*s\n", (unsigned long long)note.artifact,
                       QN_STR_ARG(note.client.address), QN_STR_ARG(note.client.user_agent));
        if (note_late)
                add_later(seq, QN_FRONT_NOTED, 300);
        else
                tell(seq, note_refused ? QN_FRONT_REFUSED : QN_FRONT_NOTED, QN_STR(""), QN_STR(""),
                     -1);
}

static void on_counts(struct qn_cur in)
{
        struct qn_front_counts c;

        if (qn_front_read_counts(in, &c) < 0)
                die("counters cannot be read");
        if (!engine.quiet)
                printf("counts requests=%llu kept=%llu not_modified=%llu refused=%llu "
                       "malformed=%llu artifacts=%llu open=%llu\n",
                       (unsigned long long)c.requests, (unsigned long long)c.kept,
                       (unsigned long long)c.not_modified, (unsigned long long)c.refused,
                       (unsigned long long)c.malformed, (unsigned long long)c.artifacts,
                       (unsigned long long)c.open);
}

static void on_reply(uint64_t seq, int status, struct qn_cur in)
{
        uint8_t says;

        if (status < 0) {
                fprintf(stderr, "front-engine: %.*s\n", QN_STR_ARG(qn_cur_rest(&in)));
                exit(2);
        }
        if (!qn_cur_left(&in))
                return; /* ready */
        if (qn_cur_u8(&in, &says) < 0)
                die("an empty message");
        if (says == QN_FRONT_ASKS)
                on_question(seq, in);
        else if (says == QN_FRONT_SERVES)
                on_note(seq, in);
        else if (says == QN_FRONT_COUNTS)
                on_counts(in);
        else
                die("an unknown message");
        fflush(stdout);
}

/* The pieces of one reply follow each other. */
static bool receive(void)
{
        static uint8_t packet[QN_ROLE_MESSAGE_MAX];
        static struct qn_msg_reply reply;
        static bool within;
        struct qn_cur in;
        uint64_t seq;
        int r = qn_msg_recv(engine.sock, packet, &in);

        if (r == -EAGAIN)
                return true;
        if (r <= 0)
                return false;
        memcpy(&seq, in.p, sizeof seq);
        if (!within)
                qn_msg_reply_begin(&reply, seq, QN_ROLE_REPLY_MAX);
        r = qn_msg_reply_add(&reply, in);
        if (r < 0)
                die("a broken message");
        within = r == 0;
        if (r == 1)
                on_reply(seq, reply.status, reply.bytes);
        return true;
}

static struct qn_str read_file(const char *path)
{
        struct qn_buf b = QN_BUF_INIT(1 << 20);

        if (qn_io_read(path, &b) < 0)
                die("cannot read a file");
        return qn_buf_view(&b);
}

static const char *cert_path, *key_path;

static void read_certificate(void)
{
        if (cert_path)
                engine.config.cert = read_file(cert_path);
        if (key_path)
                engine.config.key = read_file(key_path);
}

static bool command(void)
{
        static char line[512];
        uint32_t seconds;

        if (!fgets(line, sizeof line, stdin))
                return false;
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "forget", 6) == 0) {
                tell(1, QN_FRONT_FORGET, qn_str_c(line[6] ? line + 7 : ""), QN_STR(""), -1);
        } else if (strncmp(line, "drain ", 6) == 0) {
                seconds = (uint32_t)strtoul(line + 6, NULL, 10);
                tell(1, QN_FRONT_DRAIN, (struct qn_str){ (char *)&seconds, sizeof seconds },
                     QN_STR(""), -1);
        } else if (strcmp(line, "config") == 0) {
                read_certificate();
                send_config();
        } else if (strncmp(line, "closed ", 7) == 0) {
                engine.config.closed = line[7] == '1';
                send_config();
        }
        return true;
}

static int make_listener(uint16_t port)
{
        int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in to = { .sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr = { htonl(INADDR_LOOPBACK) } };
        socklen_t n = sizeof to;

        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof to) < 0 || listen(fd, 1024) < 0 ||
            getsockname(fd, (struct sockaddr *)&to, &n) < 0)
                die("cannot listen");
        printf("port %u\n", ntohs(to.sin_port));
        return fd;
}

static void add_token(char *text)
{
        struct qn_front_token *t = &engine.tokens[engine.config.n_tokens++];
        struct qn_str rest = qn_str_c(text), digest;

        t->name = qn_str_cut(&rest, ':');
        if (qn_hex_decode(qn_str_cut(&rest, ':'), &engine.arena, &digest) < 0 || digest.n != 32)
                die("no SHA-256");
        memcpy(t->sha256, digest.p, 32);
        t->admin = rest.n > 0;
        engine.config.tokens = engine.tokens;
}

static void start(bool unconfined, uint16_t port, const char *log)
{
        const struct qn_role_start role = { .role = QN_ROLE_SERVE, .no_sandbox = unconfined };
        struct qn_err err = { 0 };
        pid_t pid;
        int fd;

        if (qn_role_spawn(&role, &pid, &engine.sock, &err) < 0)
                die(err.msg);
        printf("pid %d\n", (int)pid);
        send_config();
        if (log) {
                fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
                tell(1, QN_FRONT_LOG, QN_STR(""), QN_STR(""), fd);
                close(fd);
        }
        fd = make_listener(port);
        tell(1, QN_FRONT_LISTEN, QN_STR(""), QN_STR(""), fd);
        close(fd);
        fflush(stdout);
}

int main(int argc, char **argv)
{
        static const struct qn_role_def *const defs[] = { &qn_role_serve };
        static const struct option options[] = { { "port", 1, NULL, 'p' },
                                                 { "unconfined", 0, NULL, 'u' },
                                                 { "closed", 0, NULL, 'c' },
                                                 { "rate", 1, NULL, 'r' },
                                                 { "burst", 1, NULL, 'b' },
                                                 { "idle", 1, NULL, 'i' },
                                                 { "token", 1, NULL, 't' },
                                                 { "cert", 1, NULL, 'C' },
                                                 { "key", 1, NULL, 'K' },
                                                 { "log", 1, NULL, 'l' },
                                                 { "proxies", 1, NULL, 'P' },
                                                 { "body-max", 1, NULL, 'B' },
                                                 { "quiet", 0, NULL, 'q' },
                                                 { "per-address", 1, NULL, 'a' },
                                                 { "keep-max", 1, NULL, 'k' },
                                                 { "prefix", 1, NULL, 'x' },
                                                 {} };
        struct qn_front_config *c = &engine.config;
        bool unconfined = false, talks = true;
        uint16_t port = 0;
        const char *log = NULL;
        int o;

        if (qn_role_requested(argc, argv))
                return qn_role_run(defs, 1, argc, argv);
        engine.arena = QN_ARENA_INIT(1 << 20);
        c->prefix = QN_STR("");
        while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
                switch (o) {
                case 'p':
                        port = (uint16_t)strtoul(optarg, NULL, 10);
                        break;
                case 'u':
                        unconfined = true;
                        break;
                case 'c':
                        c->closed = true;
                        break;
                case 'r':
                        c->rate = (uint32_t)strtoul(optarg, NULL, 10);
                        break;
                case 'b':
                        c->burst = (uint32_t)strtoul(optarg, NULL, 10);
                        break;
                case 'i':
                        c->idle_s = (uint32_t)strtoul(optarg, NULL, 10);
                        break;
                case 't':
                        add_token(optarg);
                        break;
                case 'C':
                        cert_path = optarg;
                        break;
                case 'K':
                        key_path = optarg;
                        break;
                case 'l':
                        log = optarg;
                        break;
                case 'P':
                        c->proxies = qn_str_c(optarg);
                        break;
                case 'B':
                        c->body_max = strtoul(optarg, NULL, 10);
                        break;
                case 'q':
                        engine.quiet = true;
                        break;
                case 'a':
                        c->per_address = (uint32_t)strtoul(optarg, NULL, 10);
                        break;
                case 'k':
                        c->keep_max = strtoul(optarg, NULL, 10);
                        break;
                case 'x':
                        c->prefix = qn_str_c(optarg);
                        break;
                default:
                        return 2;
                }
        }
        read_certificate();
        start(unconfined, port, log);
        for (;;) {
                struct pollfd fds[2] = { { .fd = engine.sock, .events = POLLIN },
                                         { .fd = talks ? 0 : -1, .events = POLLIN } };

                (void)poll(fds, 2, engine.later ? 10 : 1000);
                run_later();
                if (fds[0].revents && !receive())
                        break;
                if (fds[1].revents)
                        talks = command();
        }
        printf("gone\n");
        return 0;
}
