/* front-priv.h - the parts of the HTTP face, for each other.
 *
 *   front.c        the role: messages of the gate, daemons, the second's tick, drain
 *   front-http.c   one request from its first byte to its last (called by libmicrohttpd's threads)
 *   front-check.c  what of a request is refused for its form; its headers
 *   front-reply.c  answers, ready to be sent any number of times
 *   front-keep.c   the table of kept answers
 *   front-ask.c    questions and notes that are under way; the thread that sends
 *   front-limit.c  tokens and rates
 *   front-log.c    counters and the access log
 *   front-mhd.c    libmicrohttpd, loaded late
 */
#pragma once

#include <microhttpd.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "gate/front-head.h"
#include "gate/front-wire.h"
#include "gate/route.h"

/* --- libmicrohttpd --- */

QN_MUST int qn_mhd_load(struct qn_err *reterr);
struct MHD_Daemon *qn_mhd_start(unsigned flags, MHD_AccessHandlerCallback handler,
                                struct MHD_OptionItem *options);

/* --- configuration: replaced as a whole; the old one is freed long after its last user --- */

struct qn_front_conf {
        struct qn_front_config c;
        char *bytes;
        struct qn_arena arena;
        char *cert_text, *key_text; /* in the arena; NULL: plain HTTP */
        uint64_t retired_ns;
        struct qn_front_conf *next; /* retired before it */
        unsigned generation;
};

struct qn_front_conf *qn_front_conf(void);
bool qn_front_draining(void);

/* --- answers --- */

/* Shared: counted by `refs`. */
struct qn_reply {
        atomic_uint refs;
        struct qn_front_answer a; /* slices of bytes */
        char *bytes;
        const char *header, *value; /* one header besides, of the face's own; NULL: none */
        bool vary;                  /* by Accept and Accept-Encoding */
        uint64_t expires_ns;        /* 0: never */
        uint64_t size;
        char *body;                /* size bytes, or NULL: */
        int fd;                    /* a file of size bytes, or -1; `full` closes it */
        struct MHD_Response *full; /* all of it; NULL for a file that TLS has to read */
        struct MHD_Response *same; /* 304; NULL without an entity tag */
};

/* Takes the descriptor.  0, -EBADMSG, -ENOMEM or -errno of reading it. */
QN_MUST int qn_reply_new(struct qn_cur params, struct qn_cur input, int fd, bool vary,
                         struct qn_reply **ret);
/* {"error": message}; header, value: NULL, or for ever. */
struct qn_reply *qn_reply_error(uint16_t status, const char *message, const char *header,
                                const char *value);
struct qn_reply *qn_reply_json(uint16_t status, const char *text, const char *header,
                               const char *value);
struct qn_reply *qn_reply_ref(struct qn_reply *r);
struct qn_reply *qn_reply_unref(struct qn_reply *r);
/* What it takes of memory. */
size_t qn_reply_weight(const struct qn_reply *r);

struct qn_conditions {
        bool head, get;
        struct qn_str none_match, range, if_range; /* p NULL: not said */
};
/* What goes out under these conditions: the status, and which bytes of the body. */
struct qn_plan {
        unsigned status;
        uint64_t first, n;
};
struct qn_plan qn_reply_plan(const struct qn_reply *r, const struct qn_conditions *c);
/* last: the connection ends with it.  NULL: no memory.  *ret_own: it was made for this request, and is to be destroyed. */
struct MHD_Response *qn_reply_render(struct qn_reply *r, const struct qn_plan *plan, bool last,
                                     bool *ret_own);

/* --- kept answers --- */

#define QN_KEY_MAX (QN_FRONT_PATH_MAX + 2 * QN_ROUTE_PATH_MAX + 64)

void qn_keep_open(size_t files_max);
void qn_keep_limit(uint64_t bytes);
/* A reference, or NULL. */
struct qn_reply *qn_keep_find(struct qn_str key, uint64_t hash, uint64_t now_ns);
void qn_keep_add(struct qn_str key, uint64_t hash, struct qn_reply *r);
void qn_keep_forget(struct qn_str package); /* empty: everything */

/* --- one connection and its request --- */

enum qn_conn_state {
        QN_CONN_WAITS,    /* for a request */
        QN_CONN_BEGINS,   /* its first line was read */
        QN_CONN_RECEIVES, /* its headers are fine, its body may come */
        QN_CONN_ASKED,    /* suspended: a question is under way */
        QN_CONN_NOTES,    /* suspended: a note is under way */
        QN_CONN_SENDS,    /* a response is queued */
};

enum qn_header {
        QN_H_ACCEPT,
        QN_H_ACCEPT_ENCODING,
        QN_H_AUTHORIZATION,
        QN_H_CONTENT_ENCODING,
        QN_H_CONTENT_LENGTH,
        QN_H_CONTENT_TYPE,
        QN_H_EXPECT,
        QN_H_HOST,
        QN_H_IF_NONE_MATCH,
        QN_H_IF_RANGE,
        QN_H_AUTH_TYPE,
        QN_H_COMMAND,
        QN_H_CI,
        QN_H_OTP,
        QN_H_SESSION,
        QN_H_RANGE,
        QN_H_TRANSFER_ENCODING,
        QN_H_USER_AGENT,
        QN_H_FORWARDED,
        QN_H_MAX
};

struct qn_conn {
        /* of the connection */
        struct qn_conn *next, **at; /* in the list of all */
        struct MHD_Connection *mhd;
        int fd;
        char peer[48];
        _Atomic uint64_t
                must_end_ns; /* 0: no limit; the clock at which what is under way must have ended */
        char auth[QN_FRONT_TEXT_MAX]; /* the last Authorization whose token was looked up... */
        size_t auth_n;
        int auth_token;           /* ...and its place in the configuration, -1: none... */
        unsigned auth_generation; /* ...of this generation */

        /* of the request */
        _Atomic int state;
        uint64_t start_ns;
        const char *uri; /* as it came, in libmicrohttpd's memory */
        size_t uri_n;
        char path_short[256], *path_long;
        struct qn_str path, method;
        struct qn_str h[QN_H_MAX];
        struct qn_route route;
        struct qn_buf body;
        struct qn_front_question q;
        char client_text[6][QN_FRONT_TEXT_MAX];
        struct qn_reply *reply; /* the answer, when it is there */
        bool noted, refused;    /* what became of the note */
        bool asked, kept, malformed;
        bool chunked; /* nobody said how long the body is; the connection ends with the answer */
        struct qn_reply *no; /* to the body, which is too much */
        uint64_t body_n;     /* as announced; in chunks: what has come */
        unsigned status;
        uint64_t bytes;
        size_t keep_n; /* the front of the question's key, under which its answer is kept */
        uint64_t keep_hash;
        struct qn_conn *next_waiter;
};

/* front-check.c: the whole of a request's head, once.  0, or the reply that refuses it (static). */
struct qn_reply *qn_check_head(struct qn_conn *c, const char *version, const char *method);
QN_MUST int qn_check_open(void);
/* Bytes that a body may have. */
size_t qn_front_body_max(void);

/* The errors that the face itself gives. */
enum qn_refusal {
        QN_REFUSE_MALFORMED,
        QN_REFUSE_URI,
        QN_REFUSE_METHOD,
        QN_REFUSE_CODING,
        QN_REFUSE_LARGE,
        QN_REFUSE_EXPECT,
        QN_REFUSE_TOKEN,
        QN_REFUSE_ADMIN,
        QN_REFUSE_RATE,
        QN_REFUSE_NOTHING,
        QN_REFUSE_BUSY,
        QN_REFUSE_GATE,
        QN_REFUSE_LATE,
        QN_REFUSE_NOTE,
        QN_REFUSE_MAX
};
struct qn_reply *qn_refusal(enum qn_refusal why);

/* --- questions and notes --- */

QN_MUST int qn_ask_open(int sock);
/* The connection is suspended already; it is resumed with c->reply set (a refusal at least).  key: of a question that several
 * may ask at once; empty: this one is alone. */
void qn_ask(struct qn_conn *c, struct qn_str key, uint64_t hash);
void qn_ask_note(struct qn_conn *c);
/* What the gate said.  input's descriptor is taken.  -EBADMSG: an answer to nothing that was asked is no error. */
void qn_ask_answered(uint64_t seq, struct qn_cur params, struct qn_cur input, int fd);
void qn_ask_noted(uint64_t seq, bool written);
/* Ends what has waited too long. */
void qn_ask_expire(uint64_t now_ns);
/* Hands bytes (a message that was begun by its kind) to the thread that sends; takes them.  -ENOBUFS: too much waits. */
QN_MUST int qn_ask_send(uint64_t seq, struct qn_buf *bytes);

/* --- tokens and rates --- */

/* The place of the token in the configuration, -1: none. */
int qn_limit_token(struct qn_conn *c, const struct qn_front_conf *conf);
/* Whether one more request is within the rate of `who`. */
bool qn_limit_rate(const struct qn_front_conf *conf, uint64_t who, uint64_t now_ns);
/* Of an address: the /64 of IPv6. */
uint64_t qn_limit_address(struct qn_str address);
QN_MUST int qn_limit_open(void);

/* --- counters and log --- */

struct qn_tally; /* of one thread */
QN_MUST int qn_log_open(void);
void qn_log_to(int fd);
void qn_log_request(const struct qn_conn *c, uint64_t now_ns);
void qn_log_opened(int by);
uint64_t qn_log_open_connections(void);
void qn_log_counts(struct qn_front_counts *ret);
/* Waits, but not for long, until what is there is written. */
void qn_log_flush(void);

/* --- libmicrohttpd's callbacks --- */

QN_MUST int qn_http_open(void);
/* A daemon on a socket. */
struct qn_listen {
        struct qn_listen *next;
        struct MHD_Daemon *daemon;
        _Atomic int64_t open; /* connections */
        uint64_t ended_ns;    /* when it stopped to accept */
};
/* NULL: it cannot be had. */
struct qn_listen *qn_http_listen(int fd, const struct qn_front_conf *conf, size_t connections_max);
/* Ends connections that are too slow; with drain also those that wait for a request. */
void qn_http_expire(uint64_t now_ns, bool drain);
