#include "role/msg.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"

/* Little-endian and without holes; both ends are the same program. */
struct job_head {
        uint64_t seq;
        uint32_t n_params, n_input;
        uint8_t kind, has_fd, has_beside, zero[5];
};
struct piece_head {
        uint64_t seq, elapsed_ns, total, off;
        int32_t status;
        uint32_t zero;
};
_Static_assert(sizeof(struct job_head) == 24 && sizeof(struct piece_head) == 40,
               "headers have no holes");

#define PIECE_MAX (QN_ROLE_MESSAGE_MAX - sizeof(struct piece_head))
#define ERRNO_MAX 4095
#define FDS_MAX   (1 + QN_BESIDE_PLACES)

union fd_control {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
};

int qn_msg_beside_put(struct qn_msg_beside *b, unsigned place, int fd)
{
        int copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);

        if (fd < 0)
                return 0;
        if (copy < 0)
                return -errno;
        b->fds[place] = copy;
        b->has |= (uint8_t)(1u << place);
        return 0;
}

void qn_msg_beside_close(struct qn_msg_beside *b)
{
        for (unsigned i = 0; i < QN_BESIDE_PLACES; i++)
                if (b->has >> i & 1)
                        close(b->fds[i]);
        b->has = 0;
}

static struct iovec view(struct qn_cur c)
{
        return (struct iovec){ (void *)(uintptr_t)c.p, qn_cur_left(&c) };
}

/* The descriptors of a job in the order in which they travel: how many. */
static size_t list_fds(const struct qn_msg_beside *beside, int input_fd, int ret[FDS_MAX])
{
        size_t n = 0;

        if (input_fd >= 0)
                ret[n++] = input_fd;
        for (unsigned i = 0; i < QN_BESIDE_PLACES; i++)
                if (beside->has >> i & 1)
                        ret[n++] = beside->fds[i];
        return n;
}

static void attach_fds(struct msghdr *m, union fd_control *control, const int *fds, size_t n)
{
        struct cmsghdr *c;

        m->msg_control = control->bytes;
        m->msg_controllen = CMSG_SPACE(n * sizeof *fds);
        c = CMSG_FIRSTHDR(m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(n * sizeof *fds);
        memcpy(CMSG_DATA(c), fds, n * sizeof *fds);
}

static int send_packet(int sock, const struct msghdr *m, int flags)
{
        ssize_t n;

        do
                n = sendmsg(sock, m, flags | MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : 0;
}

int qn_msg_send_job(int sock, const struct qn_msg_job *job, int input_fd)
{
        struct job_head head = {
                .seq = job->seq,
                .n_params = (uint32_t)qn_cur_left(&job->params),
                .n_input = (uint32_t)qn_cur_left(&job->input),
                .kind = job->kind,
                .has_fd = input_fd >= 0,
                .has_beside = job->beside.has,
        };
        struct iovec parts[] = { { &head, sizeof head }, view(job->params), view(job->input) };
        struct msghdr m = { .msg_iov = parts, .msg_iovlen = QN_ARRAY_SIZE(parts) };
        union fd_control control = { 0 };
        int fds[FDS_MAX];
        size_t n = list_fds(&job->beside, input_fd, fds);

        if (parts[1].iov_len > QN_ROLE_PARAMS_MAX || parts[2].iov_len > QN_ROLE_INLINE_MAX)
                return -EMSGSIZE;
        if (n)
                attach_fds(&m, &control, fds, n);
        return send_packet(sock, &m, MSG_DONTWAIT);
}

int qn_msg_parse_job(struct qn_cur packet, struct qn_msg_job *ret)
{
        static const uint8_t zero[sizeof((struct job_head *)0)->zero];
        struct qn_msg_job job = { 0 };
        struct job_head head;

        if (qn_cur_copy(&packet, sizeof head, &head) < 0 || head.has_fd > 1 ||
            head.has_beside >> QN_BESIDE_PLACES || head.seq == 0 ||
            memcmp(head.zero, zero, sizeof zero) != 0 || head.n_params > QN_ROLE_PARAMS_MAX ||
            head.n_input > QN_ROLE_INLINE_MAX || (head.has_fd && head.n_input))
                return -EBADMSG;
        if (qn_cur_take(&packet, head.n_params, &job.params) < 0 ||
            qn_cur_take(&packet, head.n_input, &job.input) < 0 || qn_cur_left(&packet))
                return -EBADMSG;
        job.seq = head.seq;
        job.kind = head.kind;
        job.has_fd = head.has_fd;
        job.beside.has = head.has_beside;
        *ret = job;
        return 0;
}

/* The descriptors of a message: how many. */
static size_t taken_fds(struct msghdr *m, int ret[FDS_MAX])
{
        struct cmsghdr *c = CMSG_FIRSTHDR(m);
        size_t n;

        if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
            c->cmsg_len < CMSG_LEN(0))
                return 0;
        n = QN_MIN((c->cmsg_len - CMSG_LEN(0)) / sizeof *ret, (size_t)FDS_MAX);
        memcpy(ret, CMSG_DATA(c), n * sizeof *ret);
        return n;
}

/* Puts descriptors where the job's head says that they belong; false: they are not those. */
static bool place_fds(struct qn_msg_job *job, const int *fds, size_t n, int *ret_fd)
{
        int fd = -1;

        if (n != (size_t)job->has_fd + (size_t)__builtin_popcount(job->beside.has))
                return false;
        if (job->has_fd)
                fd = *fds++;
        for (unsigned i = 0; i < QN_BESIDE_PLACES; i++)
                if (job->beside.has >> i & 1)
                        job->beside.fds[i] = *fds++;
        *ret_fd = fd;
        return true;
}

/* Bytes received, 0 at the end, or -errno.  A peer that dies with packets unread resets the
 * connection, which is reported once and before what it had sent. */
static ssize_t recv_packet(int sock, struct msghdr *m, int flags)
{
        ssize_t n;

        do
                n = recvmsg(sock, m, flags);
        while (n < 0 && (errno == EINTR || errno == ECONNRESET));
        return n < 0 ? -errno : n;
}

int qn_msg_recv_job(int sock, void *buf, struct qn_msg_job *ret, int *ret_fd)
{
        struct iovec whole = { buf, QN_ROLE_MESSAGE_MAX };
        union fd_control control = { 0 };
        struct msghdr m = { .msg_iov = &whole,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes };
        ssize_t n = recv_packet(sock, &m, MSG_CMSG_CLOEXEC);
        int fds[FDS_MAX];
        size_t n_fds;

        if (n <= 0)
                return (int)n;
        n_fds = taken_fds(&m, fds);
        if (!(m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) &&
            qn_msg_parse_job(qn_cur_mem(buf, (size_t)n), ret) == 0 &&
            place_fds(ret, fds, n_fds, ret_fd))
                return 1;
        while (n_fds)
                close(fds[--n_fds]);
        return -EBADMSG;
}

int qn_msg_send_reply(int sock, uint64_t seq, int status, uint64_t elapsed_ns, struct qn_str bytes)
{
        struct piece_head head = {
                .seq = seq, .status = status, .elapsed_ns = elapsed_ns, .total = bytes.n
        };

        do {
                struct qn_str piece = qn_str_take(bytes, PIECE_MAX);
                struct iovec parts[] = { { &head, sizeof head }, view(qn_cur_str(piece)) };
                struct msghdr m = { .msg_iov = parts, .msg_iovlen = QN_ARRAY_SIZE(parts) };
                int r = send_packet(sock, &m, 0);

                if (r < 0)
                        return r;
                head.off += piece.n;
                if (piece.n)
                        bytes = qn_str_skip(bytes, piece.n);
        } while (bytes.n);
        return 0;
}

int qn_msg_recv(int sock, void *buf, struct qn_cur *ret)
{
        struct iovec whole = { buf, QN_ROLE_MESSAGE_MAX };
        struct msghdr m = { .msg_iov = &whole, .msg_iovlen = 1 };
        ssize_t n = recv_packet(sock, &m, MSG_DONTWAIT);

        if (n <= 0)
                return (int)n;
        /* without room for control data the kernel drops descriptors and says so */
        if (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
                return -EBADMSG;
        *ret = qn_cur_mem(buf, (size_t)n);
        return 1;
}

int qn_msg_parse_whole(struct qn_cur packet, struct qn_msg_whole *ret)
{
        struct piece_head head;

        if (qn_cur_copy(&packet, sizeof head, &head) < 0 || head.zero || head.status > 0 ||
            head.status < -ERRNO_MAX || head.off || head.total != qn_cur_left(&packet))
                return -EBADMSG;
        *ret = (struct qn_msg_whole){ head.seq, head.status, packet };
        return 0;
}

void qn_msg_reply_begin(struct qn_msg_reply *r, uint64_t seq, size_t max)
{
        /* joined is left alone until the first piece comes: the reply before this one may still be read. */
        r->joined.max = QN_MAX(max, QN_ROLE_ERROR_MAX);
        r->max = max;
        r->seq = seq;
        r->started = false;
        r->bytes = (struct qn_cur){ 0 };
}

/* What all pieces of a reply must agree in. */
static int check_head(struct qn_msg_reply *r, const struct piece_head *head)
{
        size_t max = head->status < 0 ? QN_ROLE_ERROR_MAX : r->max;

        if (head->seq != r->seq || head->zero || head->status > 0 || head->status < -ERRNO_MAX)
                return -EBADMSG;
        if (!r->started) {
                r->started = true;
                r->status = head->status;
                r->total = head->total;
        }
        if (head->status != r->status || head->total != r->total || head->off != r->joined.n)
                return -EBADMSG;
        return head->total > max ? -EFBIG : 0;
}

int qn_msg_reply_add(struct qn_msg_reply *r, struct qn_cur packet)
{
        struct piece_head head;
        size_t n;
        int ret;

        if (qn_cur_copy(&packet, sizeof head, &head) < 0)
                return -EBADMSG;
        if (!r->started)
                qn_buf_reset(&r->joined);
        ret = check_head(r, &head);
        if (ret < 0)
                return ret;
        n = qn_cur_left(&packet);
        if (n > r->total - r->joined.n || (n == 0 && r->total))
                return -EBADMSG;
        r->elapsed_ns = head.elapsed_ns;
        r->bytes = packet;
        if (n == r->total)
                return 1; /* the usual case: one piece, nothing copied */
        ret = qn_buf_add(&r->joined, packet.p, n);
        if (ret < 0)
                return ret;
        r->bytes = qn_cur_str(qn_buf_view(&r->joined));
        return r->joined.n == r->total;
}

int qn_msg_reply_seq(struct qn_cur packet, uint64_t *ret)
{
        struct piece_head head;
        int r = qn_cur_copy(&packet, sizeof head, &head);

        if (r == 0)
                *ret = head.seq;
        return r;
}

void qn_msg_reply_done(struct qn_msg_reply *r)
{
        qn_buf_done(&r->joined);
}
