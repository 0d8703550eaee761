#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "net/cacache.h"
#include "parse/packument.h"
#include "role/analyse-wire.h"
#include "role/documents.h"
#include "role/input.h"
#include "role/msg.h"
#include "test.h"

static uint8_t packet[QN_ROLE_MESSAGE_MAX];

static void make_pair(int ret[2])
{
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret), 0);
}

static void close_pair(const int pair[2])
{
        close(pair[0]);
        close(pair[1]);
}

/* A job as its bytes, to be damaged. */
static size_t job_bytes(uint8_t *ret)
{
        const struct qn_msg_job job = {
                .seq = 7, .kind = 3, .params = CUR("abc"), .input = CUR("defgh")
        };
        int pair[2];
        ssize_t n;

        make_pair(pair);
        ASSERT_EQ(qn_msg_send_job(pair[0], &job, -1), 0);
        n = recv(pair[1], ret, sizeof packet, 0);
        close_pair(pair);
        return (size_t)n;
}

TEST(job_cut_or_lengthened)
{
        struct qn_msg_job job = { .seq = 99 };
        size_t n = job_bytes(packet);

        for (size_t i = 0; i < n; i++)
                ASSERT_EQ(qn_msg_parse_job(qn_cur_mem(packet, i), &job), -EBADMSG);
        ASSERT_EQ(qn_msg_parse_job(qn_cur_mem(packet, n + 1), &job), -EBADMSG);
        ASSERT_EQ(job.seq, 99); /* a call that fails leaves ret alone */
        ASSERT_EQ(qn_msg_parse_job(qn_cur_mem(packet, n), &job), 0);
        ASSERT_STR(qn_cur_rest(&job.params), "abc");
        ASSERT_STR(qn_cur_rest(&job.input), "defgh");
}

TEST(job_with_a_damaged_head)
{
        static const struct {
                uint8_t at, value;
        } damage[] = {
                { 0, 0 },                                 /* number 0 */
                { 8, 4 },     { 9, 1 },     { 11, 0xff }, /* length of the parameters */
                { 12, 4 },    { 13, 1 },    { 15, 0xff }, /* length of the input */
                { 17, 1 },    { 17, 2 },    /* a descriptor and input; neither yes nor no */
                { 18, 0x10 }, { 18, 0x80 }, /* a place beside the input that there is not */
                { 19, 1 },    { 23, 1 },    /* bytes that must be 0 */
        };
        struct qn_msg_job job;

        for (size_t i = 0; i < QN_ARRAY_SIZE(damage); i++) {
                size_t n = job_bytes(packet);

                packet[damage[i].at] = damage[i].value;
                ASSERT_EQ(qn_msg_parse_job(qn_cur_mem(packet, n), &job), -EBADMSG);
        }
}

TEST(job_too_large)
{
        static uint8_t big[QN_ROLE_PARAMS_MAX + 1];
        struct qn_msg_job job = { .seq = 1, .params = qn_cur_mem(big, sizeof big) };
        int pair[2];

        make_pair(pair);
        ASSERT_EQ(qn_msg_send_job(pair[0], &job, -1), -EMSGSIZE);
        job.params = (struct qn_cur){ 0 };
        job.input = qn_cur_mem(big, QN_ROLE_INLINE_MAX + 1);
        ASSERT_EQ(qn_msg_send_job(pair[0], &job, -1), -EMSGSIZE);
        close_pair(pair);
}

TEST(job_and_its_descriptor_disagree)
{
        struct qn_msg_job job;
        int pair[2], fd = 12345;
        size_t n = job_bytes(packet);

        make_pair(pair);
        packet[17] = 1; /* says that a descriptor comes, and none does */
        memset(packet + 12, 0, 4);
        ASSERT_EQ(send(pair[0], packet, n - 5, 0), (ssize_t)n - 5);
        ASSERT_EQ(qn_msg_recv_job(pair[1], packet, &job, &fd), -EBADMSG);
        ASSERT_EQ(fd, 12345);
        close_pair(pair);
}

TEST(job_arrives_with_its_descriptor)
{
        const struct qn_msg_job sent = { .seq = 1, .kind = 2, .params = CUR("p") };
        struct qn_msg_job job;
        int pair[2], fd = -1, file = open("/dev/null", O_RDONLY | O_CLOEXEC);

        make_pair(pair);
        ASSERT_EQ(qn_msg_send_job(pair[0], &sent, file), 0);
        ASSERT_EQ(qn_msg_recv_job(pair[1], packet, &job, &fd), 1);
        ASSERT_TRUE(job.has_fd && fd >= 0 && fd != file);
        ASSERT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
        close(fd);
        close(file);
        close(pair[0]);
        ASSERT_EQ(qn_msg_recv_job(pair[1], packet, &job, &fd), 0);
        close(pair[1]);
}

TEST(inputs_beside_arrive_in_their_places)
{
        int pair[2], fd = 12345, file = open("/dev/null", O_RDONLY | O_CLOEXEC);
        struct qn_msg_job sent = { .seq = 1, .input = CUR("small"), .beside = { 2, { -1, file } } };
        struct qn_msg_job job;

        make_pair(pair);
        ASSERT_EQ(qn_msg_send_job(pair[0], &sent, -1), 0);
        ASSERT_EQ(qn_msg_recv_job(pair[1], packet, &job, &fd), 1);
        ASSERT_TRUE(!job.has_fd && fd == -1 && job.beside.has == 2);
        ASSERT_STR(qn_cur_rest(&job.input), "small");
        ASSERT_EQ(fcntl(job.beside.fds[1], F_GETFD), FD_CLOEXEC);
        qn_msg_beside_close(&job.beside);
        ASSERT_EQ(job.beside.has, 0);
        sent.beside = (struct qn_msg_beside){ 3, { file, file } };
        sent.input = (struct qn_cur){ 0 };
        ASSERT_EQ(qn_msg_send_job(pair[0], &sent, file), 0);
        ASSERT_EQ(qn_msg_recv_job(pair[1], packet, &job, &fd), 1);
        ASSERT_TRUE(job.has_fd && fd >= 0 && job.beside.has == 3);
        qn_msg_beside_close(&job.beside);
        close(fd);
        close(file);
        close_pair(pair);
}

TEST(fewer_descriptors_than_places)
{
        struct qn_msg_job job;
        int pair[2], fd = 12345;
        size_t n = job_bytes(packet);

        make_pair(pair);
        packet[18] = 3;
        ASSERT_EQ(send(pair[0], packet, n, 0), (ssize_t)n);
        ASSERT_EQ(qn_msg_recv_job(pair[1], packet, &job, &fd), -EBADMSG);
        ASSERT_EQ(fd, 12345);
        close_pair(pair);
}

static int add_next(int sock, struct qn_msg_reply *r)
{
        struct pollfd p = { .fd = sock, .events = POLLIN };
        struct qn_cur c;

        ASSERT_EQ(poll(&p, 1, 30000), 1);
        ASSERT_EQ(qn_msg_recv(sock, packet, &c), 1);
        return qn_msg_reply_add(r, c);
}

TEST(reply_of_another_number)
{
        struct qn_msg_reply r = { 0 };
        int pair[2];

        make_pair(pair);
        ASSERT_EQ(qn_msg_send_reply(pair[0], 4, 0, 0, QN_STR("x")), 0);
        qn_msg_reply_begin(&r, 5, 100);
        ASSERT_EQ(add_next(pair[1], &r), -EBADMSG);
        qn_msg_reply_done(&r);
        close_pair(pair);
}

TEST(reply_past_its_cap)
{
        struct qn_msg_reply r = { 0 };
        int pair[2];

        make_pair(pair);
        ASSERT_EQ(qn_msg_send_reply(pair[0], 5, 0, 0, QN_STR("12345")), 0);
        qn_msg_reply_begin(&r, 5, 4);
        ASSERT_EQ(add_next(pair[1], &r), -EFBIG);
        ASSERT_EQ(qn_msg_send_reply(pair[0], 5, -EINVAL, 0,
                                    QN_STR("a sentence is not under the cap of replies")),
                  0);
        qn_msg_reply_begin(&r, 5, 4);
        ASSERT_EQ(add_next(pair[1], &r), 1);
        ASSERT_EQ(r.status, -EINVAL);
        qn_msg_reply_done(&r);
        close_pair(pair);
}

TEST(reply_in_pieces)
{
        static char text[QN_ROLE_MESSAGE_MAX * 2];
        struct qn_msg_reply r = { 0 };
        struct qn_cur got;
        int pair[2], status;
        pid_t child;

        memset(text, 'y', sizeof text);
        make_pair(pair);
        child = fork(); /* the pieces do not all fit into the socket */
        if (child == 0)
                _exit(qn_msg_send_reply(pair[0], 9, 0, 77, (struct qn_str){ text, sizeof text }) <
                      0);
        qn_msg_reply_begin(&r, 9, sizeof text);
        ASSERT_EQ(add_next(pair[1], &r), 0);
        ASSERT_EQ(add_next(pair[1], &r), 0);
        ASSERT_EQ(add_next(pair[1], &r), 1);
        got = r.bytes;
        ASSERT_EQ(qn_cur_left(&got), sizeof text);
        ASSERT_EQ(memcmp(got.p, text, sizeof text), 0);
        ASSERT_EQ(r.elapsed_ns, 77);
        ASSERT_EQ(waitpid(child, &status, 0), child);
        ASSERT_EQ(status, 0);
        ASSERT_EQ(qn_msg_recv(pair[1], packet, &got), -EAGAIN);
        qn_msg_reply_done(&r);
        close_pair(pair);
}

/* --- replies of the analyse role --- */

TEST(reply_that_must_be_whole)
{
        struct qn_msg_whole m = { .seq = 99 };
        struct qn_cur got;
        int pair[2];

        make_pair(pair);
        ASSERT_EQ(qn_msg_send_reply(pair[0], 7, 0, 0, (struct qn_str){ 0 }), 0);
        ASSERT_EQ(qn_msg_recv(pair[1], packet, &got), 1);
        ASSERT_EQ(qn_msg_parse_whole(qn_cur_mem(got.p, qn_cur_left(&got) - 1), &m), -EBADMSG);
        ASSERT_EQ(qn_msg_parse_whole(qn_cur_mem(got.p, qn_cur_left(&got) + 1), &m), -EBADMSG);
        ASSERT_EQ(m.seq, 99);
        ASSERT_EQ(qn_msg_parse_whole(got, &m), 0);
        ASSERT_TRUE(m.seq == 7 && m.status == 0 && qn_cur_left(&m.bytes) == 0);
        ASSERT_EQ(qn_msg_send_reply(pair[0], 8, -EIO, 0, QN_STR("why")), 0);
        ASSERT_EQ(qn_msg_recv(pair[1], packet, &got), 1);
        ASSERT_EQ(qn_msg_parse_whole(got, &m), 0);
        ASSERT_TRUE(m.seq == 8 && m.status == -EIO);
        ASSERT_STR(qn_cur_rest(&m.bytes), "why");
        packet[24] = 1; /* one piece of several */
        ASSERT_EQ(qn_msg_parse_whole(got, &m), -EBADMSG);
        close_pair(pair);
}

TEST(cached_there_and_back)
{
        const struct qn_cacache_entry e = { .integrity = QN_STR("sha512-x"),
                                            .etag = QN_STR("\"e\""),
                                            .date = QN_STR("a\nb"),
                                            .cache_control = QN_STR("max-age=60"),
                                            .time_ms = 5 };
        struct qn_buf b = QN_BUF_INIT(4096), none = QN_BUF_INIT(4096);
        struct qn_analyse_cached c = { .time_ms = 99 };

        ASSERT_EQ(qn_analyse_write_cached(&b, &e), 0);
        for (size_t i = 0; i < b.n; i++)
                ASSERT_EQ(qn_analyse_read_cached(qn_cur_mem(b.p, i), &c), -EBADMSG);
        ASSERT_EQ(c.time_ms, 99);
        ASSERT_EQ(qn_analyse_read_cached(qn_cur_str(qn_buf_view(&b)), &c), 0);
        ASSERT_TRUE(c.time_ms == 5 && c.life_s == 60 && !c.date.p && !c.accept.p);
        ASSERT_STR(c.integrity, "sha512-x");
        ASSERT_STR(c.etag, "\"e\"");
        b.p[21] = '\n'; /* in the integrity */
        ASSERT_EQ(qn_analyse_read_cached(qn_cur_str(qn_buf_view(&b)), &c), -EBADMSG);
        ASSERT_EQ(qn_analyse_write_cached(&none, NULL), 0);
        ASSERT_EQ(qn_analyse_read_cached(qn_cur_str(qn_buf_view(&none)), &c), 0);
        ASSERT_NULL(c.integrity.p);
        qn_buf_done(&b);
        qn_buf_done(&none);
}

TEST(npmrc_there_and_back)
{
        struct qn_npmrc_entry lines[] = {
                { .key = QN_STR("a"), .value = QN_STR("${B}"), .list = true },
                { .key = QN_STR("c"), .value = QN_STR("d"), .section = QN_STR("[]") },
                { .key = QN_STR("e"), .value = QN_STR("") },
        };
        const struct qn_npmrc rc = { .v = lines, .n = QN_ARRAY_SIZE(lines) };
        struct qn_arena a = QN_ARENA_INIT(1 << 16);
        struct qn_buf b = QN_BUF_INIT(4096);
        struct qn_npmrc got = QN_NPMRC_INIT;

        ASSERT_EQ(qn_analyse_write_npmrc(&b, &rc), 0);
        ASSERT_EQ(qn_analyse_read_npmrc(qn_cur_mem(b.p, b.n - 1), &a, &got), -EBADMSG);
        ASSERT_EQ(got.n, 0);
        ASSERT_EQ(qn_analyse_read_npmrc(qn_cur_str(qn_buf_view(&b)), &a, &got), 0);
        ASSERT_EQ(got.n, 2);
        ASSERT_TRUE(got.v[0].list && got.v[0].expanded); /* whatever the role says of it */
        ASSERT_TRUE(!got.v[1].list && !got.v[1].expanded && got.v[1].value.n == 0);
        qn_buf_done(&b);
        qn_arena_done(&a);
}

TEST(pick_that_a_parent_must_not_use)
{
        static const struct qn_packument_version bad[] = {
                { .version = { "1/2", 3 }, .tarball = QN_STR("https://r.invalid/a.tgz") },
                { .version = { "", 0 }, .tarball = QN_STR("https://r.invalid/a.tgz") },
                { .version = { "1.0.0", 5 }, .tarball = QN_STR("file:///etc/passwd") },
                { .version = { "1.0.0", 5 }, .tarball = QN_STR("https://r.invalid/a\r\nb") },
                { .version = { "1.0.0", 5 }, .tarball = { NULL, 0 } },
                { .version = { "1.0.0", 5 },
                  .tarball = QN_STR("https://r.invalid/a"),
                  .integrity = QN_STR("\033[1m") },
        };
        const struct qn_str none = { NULL, 0 };
        struct qn_err err;

        for (size_t i = 0; i < QN_ARRAY_SIZE(bad); i++) {
                struct qn_buf b = QN_BUF_INIT(4096);

                ASSERT_EQ(qn_analyse_write_picked(&b, &bad[i], NULL, none, &err), -EINVAL);
                ASSERT_EQ(b.n, 0);
                qn_buf_done(&b);
        }
}

TEST(a_version_before_that_a_parent_must_not_use_is_none)
{
        const struct qn_packument_version v = { .version = QN_STR("1.2.3"),
                                                .tarball = QN_STR("https://r.invalid/a") };
        const struct qn_packument_version before = { .version = QN_STR("1.2.2"),
                                                     .tarball = QN_STR("https://r.invalid/b") };
        const struct qn_packument_version bad = { .version = QN_STR("1.2.2"),
                                                  .tarball = QN_STR("file:///etc/passwd") };
        const struct qn_packument_version *const all[] = { &before, &bad, NULL };

        for (size_t i = 0; i < QN_ARRAY_SIZE(all); i++) {
                struct qn_buf b = QN_BUF_INIT(4096);
                struct qn_analyse_picked got;

                ASSERT_EQ(qn_analyse_write_picked(&b, &v, all[i], QN_STR("1/2"), NULL), 0);
                ASSERT_EQ(qn_analyse_read_pick(qn_cur_mem(b.p, b.n), &got, NULL), 0);
                ASSERT_STR(got.it.version, "1.2.3");
                ASSERT_STR(got.before.version, i == 0 ? "1.2.2" : "");
                qn_buf_done(&b);
        }
}

TEST(pick_there_and_back)
{
        const struct qn_packument_version v = { .version = QN_STR("1.2.3-beta+x"),
                                                .tarball = QN_STR("https://r.invalid/a"),
                                                .attestations_url = QN_STR("x"),
                                                .publisher = { .name = QN_STR("ada") },
                                                .time = 1700000000000 };
        struct qn_buf b = QN_BUF_INIT(4096);
        struct qn_analyse_picked got;

        ASSERT_EQ(qn_analyse_write_picked(&b, &v, NULL, QN_STR("1.2.2"), NULL), 0);
        for (size_t i = 0; i < b.n; i++)
                ASSERT_EQ(qn_analyse_read_pick(qn_cur_mem(b.p, i), &got, NULL), -EBADMSG);
        ASSERT_EQ(qn_analyse_read_pick(qn_cur_mem(b.p, b.n), &got, NULL), 0);
        ASSERT_STR(got.it.version, "1.2.3-beta+x");
        ASSERT_STR(got.it.tarball, "https://r.invalid/a");
        ASSERT_NULL(got.it.integrity.p);
        ASSERT_EQ(got.before.version.n, 0);
        ASSERT_STR(got.earlier, "1.2.2");
        ASSERT_TRUE(got.attested);
        ASSERT_STR(got.publisher, "ada");
        ASSERT_EQ(got.published, 1700000000000);
        b.p[b.n - 12] = 2;
        ASSERT_EQ(qn_analyse_read_pick(qn_cur_mem(b.p, b.n), &got, NULL), -EBADMSG);
        b.p[b.n - 12] = 1;
        b.p[b.n - 21] = '/'; /* the last dot of the earlier version */
        ASSERT_EQ(qn_analyse_read_pick(qn_cur_mem(b.p, b.n), &got, NULL), -EBADMSG);
        b.p[b.n - 21] = '.';
        b.p[b.n - 1] = 0x7f; /* no time that a calendar has */
        ASSERT_EQ(qn_analyse_read_pick(qn_cur_mem(b.p, b.n), &got, NULL), -EBADMSG);
        b.p[b.n - 1] = 0;
        qn_buf_byte(&b, 'x');
        ASSERT_EQ(qn_analyse_read_pick(qn_cur_mem(b.p, b.n), &got, NULL), -EBADMSG);
        qn_buf_done(&b);
}

TEST(who_published_it_is_a_person_with_a_short_name)
{
        struct qn_packument_version v = { .version = QN_STR("1.2.3"),
                                          .tarball = QN_STR("https://r.invalid/a"),
                                          .publisher = { .name = QN_STR("GitHub Actions") },
                                          .time = QN_TIME_NONE };
        static char name[QN_NAME_MAX + 1];
        struct qn_analyse_picked got;

        memset(name, 'n', sizeof name);
        for (size_t i = 0; i < 2; i++) {
                struct qn_buf b = QN_BUF_INIT(4096);

                ASSERT_EQ(qn_analyse_write_picked(&b, &v, NULL, (struct qn_str){ 0 }, NULL), 0);
                ASSERT_EQ(qn_analyse_read_pick(qn_cur_mem(b.p, b.n), &got, NULL), 0);
                ASSERT_NULL(got.publisher.p);
                ASSERT_TRUE(got.published == QN_TIME_NONE);
                qn_buf_done(&b);
                v.publisher.name = (struct qn_str){ name, sizeof name };
        }
}

TEST(attested_there_and_back)
{
        struct qn_buf b = QN_BUF_INIT(4096);
        struct qn_provenance_in in = { 0 };

        qn_analyse_write_attested(&b, QN_STR("@scope/a"), QN_STR("1.0.0"), QN_STR("sha512-x"),
                                  true);
        for (size_t i = 0; i < b.n; i++)
                ASSERT_EQ(qn_analyse_read_attested(qn_cur_mem(b.p, i), &in), -EBADMSG);
        ASSERT_EQ(qn_analyse_read_attested(qn_cur_mem(b.p, b.n), &in), 0);
        ASSERT_STR(in.name, "@scope/a");
        ASSERT_STR(in.version, "1.0.0");
        ASSERT_STR(in.integrity, "sha512-x");
        ASSERT_TRUE(in.unreachable);
        b.p[b.n - 4] = 7;
        ASSERT_EQ(qn_analyse_read_attested(qn_cur_mem(b.p, b.n), &in), -EBADMSG);
        qn_buf_done(&b);
}

TEST(documents_there_and_back)
{
        struct qn_cur docs[QN_DOC_MAX];
        int fds[QN_DOC_MAX] = { -1, -1, -1, -1, -1 }, fd = -1;
        char bytes[64];
        ssize_t n;

        ASSERT_EQ(qn_input_sealed(CUR("{}"), &fds[QN_DOC_KEYS]), 0);
        ASSERT_EQ(qn_input_sealed(CUR("[1]"), &fds[QN_DOC_PACKUMENT]), 0);
        ASSERT_EQ(qn_documents_seal(fds, &fd, NULL), 0);
        n = pread(fd, bytes, sizeof bytes, 0);
        ASSERT_EQ(n, 8 * QN_DOC_MAX + 5);
        ASSERT_TRUE(write(fd, "x", 1) < 0); /* sealed */
        for (ssize_t i = 0; i < n; i++)
                ASSERT_EQ(qn_documents_open(qn_cur_mem(bytes, (size_t)i), docs), -EBADMSG);
        ASSERT_EQ(qn_documents_open(qn_cur_mem(bytes, (size_t)n), docs), 0);
        ASSERT_STR(qn_cur_rest(&docs[QN_DOC_PACKUMENT]), "[1]");
        ASSERT_STR(qn_cur_rest(&docs[QN_DOC_KEYS]), "{}");
        ASSERT_EQ(qn_cur_left(&docs[QN_DOC_TRUST]), 0);
        bytes[0]++;
        ASSERT_EQ(qn_documents_open(qn_cur_mem(bytes, (size_t)n), docs), -EBADMSG);
        memset(bytes, 0xff, 8);
        ASSERT_EQ(qn_documents_open(qn_cur_mem(bytes, (size_t)n), docs), -EBADMSG);
        close(fd);
        close(fds[QN_DOC_KEYS]);
        close(fds[QN_DOC_PACKUMENT]);
}

TEST(documents_that_are_too_large)
{
        int fds[QN_DOC_MAX] = { -1, -1, -1, -1, -1 }, fd = -1;
        struct qn_err err = { 0 };

        fds[QN_DOC_TRUST] = memfd_create("large", MFD_CLOEXEC);
        ASSERT_EQ(ftruncate(fds[QN_DOC_TRUST], (off_t)QN_TRUST_MAX + 1), 0);
        ASSERT_EQ(qn_documents_seal(fds, &fd, &err), -EFBIG);
        ASSERT_EQ(fd, -1);
        close(fds[QN_DOC_TRUST]);
        fds[QN_DOC_TRUST] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        ASSERT_EQ(qn_documents_seal(fds, &fd, &err), -EINVAL);
        close(fds[QN_DOC_TRUST]);
}

TEST(want_there_and_back)
{
        struct qn_buf b = QN_BUF_INIT(4096);
        struct qn_str name, spec;

        qn_analyse_write_pick(&b, QN_STR("@scope/a"), QN_STR("^1"));
        ASSERT_EQ(qn_analyse_read_want(qn_cur_mem(b.p, b.n - 1), &name, &spec), -EBADMSG);
        ASSERT_EQ(qn_analyse_read_want(qn_cur_mem(b.p, b.n), &name, &spec), 0);
        ASSERT_STR(name, "@scope/a");
        ASSERT_STR(spec, "^1");
        qn_buf_done(&b);
}

static void write_lock(struct qn_buf *b)
{
        static struct qn_lock_package packages[] = {
                { .name = QN_STR("a"),
                  .version = QN_STR("1.0.0"),
                  .path = QN_STR("node_modules/a"),
                  .off = 17,
                  .dev = true,
                  .bad_name = true },
                { .name = QN_STR("b"),
                  .alias = QN_STR("c"),
                  .kind = QN_LOCK_ALIAS,
                  .direct = true,
                  .link = true },
        };
        const struct qn_lock lock = { .version = 3,
                                      .name = QN_STR("root"),
                                      .packages = packages,
                                      .n = 2,
                                      .duplicate = true };

        ASSERT_EQ(qn_analyse_write_lock(b, &lock), 0);
}

TEST(lock_cut_or_damaged)
{
        struct qn_buf b = QN_BUF_INIT(4096);
        struct qn_arena a = QN_ARENA_INIT(1 << 20);
        struct qn_lock lock = { 0 };

        write_lock(&b);
        for (size_t i = 0; i < b.n; i++)
                ASSERT_EQ(qn_analyse_read_lock(qn_cur_mem(b.p, i), &a, &lock, NULL), -EBADMSG);
        b.p[8] = 3; /* one package more than there are */
        ASSERT_EQ(qn_analyse_read_lock(qn_cur_mem(b.p, b.n), &a, &lock, NULL), -EBADMSG);
        memset(b.p + 8, 0xff, 4);
        ASSERT_EQ(qn_analyse_read_lock(qn_cur_mem(b.p, b.n), &a, &lock, NULL), -EBADMSG);
        ASSERT_NULL(lock.packages);
        qn_arena_done(&a);
        qn_buf_done(&b);
}

TEST(lock_there_and_back)
{
        struct qn_buf b = QN_BUF_INIT(4096);
        struct qn_arena a = QN_ARENA_INIT(1 << 20), tiny = QN_ARENA_INIT(0);
        struct qn_lock lock = { 0 };

        write_lock(&b);
        ASSERT_EQ(qn_analyse_read_lock(qn_cur_mem(b.p, b.n), &tiny, &lock, NULL), -ENOBUFS);
        ASSERT_EQ(qn_analyse_read_lock(qn_cur_mem(b.p, b.n), &a, &lock, NULL), 0);
        ASSERT_EQ(lock.n, 2);
        ASSERT_EQ(lock.version, 3);
        ASSERT_TRUE(lock.duplicate && !lock.direct_known);
        ASSERT_STR(lock.name, "root");
        ASSERT_NULL(lock.root_version.p);
        ASSERT_STR(lock.packages[0].path, "node_modules/a");
        ASSERT_EQ(lock.packages[0].off, 17);
        ASSERT_TRUE(lock.packages[0].dev && lock.packages[0].bad_name && !lock.packages[0].link);
        ASSERT_STR(lock.packages[1].alias, "c");
        ASSERT_EQ(lock.packages[1].kind, QN_LOCK_ALIAS);
        ASSERT_TRUE(lock.packages[1].direct && lock.packages[1].link);
        qn_arena_done(&a);
        qn_arena_done(&tiny);
        qn_buf_done(&b);
}
