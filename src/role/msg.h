/* msg.h - messages between a parent and its roles.  HOSTILE INPUT on both ends.
 * The socket is a SOCK_SEQPACKET pair: the kernel keeps the borders of packets.  A job is one
 * packet (header, parameters, small input) with its input as a descriptor when that is large, and with further
 * inputs beside it, always as descriptors, and one to write to.  A reply is
 * one packet or several pieces in order; a descriptor that comes with one is never taken.  Sequence
 * numbers start at 1; a role first says that it is ready with a reply numbered 0. */
#pragma once

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"

#define QN_BESIDE 3 /* inputs that a job may have beside the first */
#define QN_BESIDE_OUTPUT \
        QN_BESIDE /* the place behind them: where the role writes to, instead of a reply */
#define QN_BESIDE_PLACES (QN_BESIDE + 1)

/* Descriptors in their places; all zero: there are none. */
struct qn_msg_beside {
        uint8_t has; /* 1 << place */
        int fds[QN_BESIDE_PLACES];
};

/* Puts a copy of the descriptor into a place; nothing when it is -1.  0 or -errno. */
QN_MUST int qn_msg_beside_put(struct qn_msg_beside *b, unsigned place, int fd);
/* Closes what is there. */
void qn_msg_beside_close(struct qn_msg_beside *b);

struct qn_msg_job {
        uint64_t seq;
        uint8_t kind;
        bool has_fd;
        struct qn_cur params, input; /* input is empty when has_fd */
        struct qn_msg_beside beside; /* sent: the caller's; received: the receiver's to close */
};

/* Sends a job without waiting: 0, -EAGAIN (the socket is full), -EMSGSIZE, -EPIPE or another
 * -errno. input_fd is sent when it is >= 0. */
QN_MUST int qn_msg_send_job(int sock, const struct qn_msg_job *job, int input_fd);
/* Waits for a job; its slices point into buf (QN_ROLE_MESSAGE_MAX bytes).  1; 0 when the parent is
 * gone; -EBADMSG or another -errno.  *ret_fd: the descriptor of the input, -1 if none; the caller closes it
 * and those beside it. */
QN_MUST int qn_msg_recv_job(int sock, void *buf, struct qn_msg_job *ret, int *ret_fd);
QN_MUST int qn_msg_parse_job(struct qn_cur packet, struct qn_msg_job *ret);

/* Waits until all of the reply is sent.  status: 0, or a negative errno with a sentence in bytes.
 */
QN_MUST int qn_msg_send_reply(int sock, uint64_t seq, int status, uint64_t elapsed_ns,
                              struct qn_str bytes);
/* One packet without waiting, into buf (QN_ROLE_MESSAGE_MAX bytes): 1; 0 at the end; -EAGAIN,
 * -EBADMSG, -errno. */
QN_MUST int qn_msg_recv(int sock, void *buf, struct qn_cur *ret);

/* A reply that is one packet, as roles send it that work on several jobs at once. */
struct qn_msg_whole {
        uint64_t seq;
        int status;
        struct qn_cur bytes;
};
/* 0 or -EBADMSG, also for one piece of several. */
QN_MUST int qn_msg_parse_whole(struct qn_cur packet, struct qn_msg_whole *ret);

/* The number of the reply that a packet is a piece of: for who takes them in any order. */
QN_MUST int qn_msg_reply_seq(struct qn_cur packet, uint64_t *ret);

/* Puts the pieces of one reply together. */
struct qn_msg_reply {
        uint64_t seq; /* of the reply that is expected */
        int status;
        uint64_t elapsed_ns;
        size_t max, total;
        struct qn_cur bytes; /* when complete: in the last packet or in joined */
        struct qn_buf joined;
        bool started;
};
/* Gets ready for reply seq of at most max bytes (an error: QN_ROLE_ERROR_MAX); keeps memory. */
void qn_msg_reply_begin(struct qn_msg_reply *r, uint64_t seq, size_t max);
/* 1: complete (bytes live until the packet or the reply changes), 0: more is to come, -EBADMSG: not
 * what was expected, -EFBIG: more than the cap, -ENOMEM. */
QN_MUST int qn_msg_reply_add(struct qn_msg_reply *r, struct qn_cur packet);
void qn_msg_reply_done(struct qn_msg_reply *r);
