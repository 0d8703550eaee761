#include "role/msg.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"

/* Little-endian and without holes; both ends are the same program. */
struct job_head {
        uint64_t seq;
        uint32_t n_params, n_input;
        uint8_t kind, has_fd, zero[6];
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

union fd_control {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
};

static struct iovec view(struct qn_cur c)
{
        return (struct iovec){ (void *)(uintptr_t)c.p, qn_cur_left(&c) };
}

static void attach_fd(struct msghdr *m, union fd_control *control, int fd)
{
        struct cmsghdr *c;

        m->msg_control = control->bytes;
        m->msg_controllen = sizeof control->bytes;
        c = CMSG_FIRSTHDR(m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
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
        };
        struct iovec parts[] = { { &head, sizeof head }, view(job->params), view(job->input) };
        struct msghdr m = { .msg_iov = parts, .msg_iovlen = QN_ARRAY_SIZE(parts) };
        union fd_control control = { 0 };

        if (parts[1].iov_len > QN_ROLE_PARAMS_MAX || parts[2].iov_len > QN_ROLE_INLINE_MAX)
                return -EMSGSIZE;
        if (input_fd >= 0)
                attach_fd(&m, &control, input_fd);
        return send_packet(sock, &m, MSG_DONTWAIT);
}

int qn_msg_parse_job(struct qn_cur packet, struct qn_msg_job *ret)
{
        static const uint8_t zero[sizeof((struct job_head *)0)->zero];
        struct qn_msg_job job = { 0 };
        struct job_head head;

        if (qn_cur_copy(&packet, sizeof head, &head) < 0 || head.has_fd > 1 || head.seq == 0 ||
            memcmp(head.zero, zero, sizeof zero) != 0 || head.n_params > QN_ROLE_PARAMS_MAX ||
            head.n_input > QN_ROLE_INLINE_MAX || (head.has_fd && head.n_input))
                return -EBADMSG;
        if (qn_cur_take(&packet, head.n_params, &job.params) < 0 ||
            qn_cur_take(&packet, head.n_input, &job.input) < 0 || qn_cur_left(&packet))
                return -EBADMSG;
        job.seq = head.seq;
        job.kind = head.kind;
        job.has_fd = head.has_fd;
        *ret = job;
        return 0;
}

/* The one descriptor of a message, or -1. */
static int taken_fd(struct msghdr *m)
{
        struct cmsghdr *c = CMSG_FIRSTHDR(m);
        int fd = -1;

        if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
            c->cmsg_len == CMSG_LEN(sizeof fd))
                memcpy(&fd, CMSG_DATA(c), sizeof fd);
        return fd;
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
        _cleanup_(qn_closep) int fd = -1;
        ssize_t n = recv_packet(sock, &m, MSG_CMSG_CLOEXEC);
        int r;

        if (n <= 0)
                return (int)n;
        fd = taken_fd(&m);
        if (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
                return -EBADMSG;
        r = qn_msg_parse_job(qn_cur_mem(buf, (size_t)n), ret);
        if (r < 0 || ret->has_fd != (fd >= 0))
                return -EBADMSG;
        *ret_fd = TAKE_FD(fd);
        return 1;
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

void qn_msg_reply_done(struct qn_msg_reply *r)
{
        qn_buf_done(&r->joined);
}
