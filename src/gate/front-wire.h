/* front-wire.h - the messages between the gate and its HTTP face (front.h) as bytes.  HOSTILE INPUT on both ends.
 * The face asks and tells (qn_msg replies: sequence number, then a kind and texts); the gate answers (qn_msg jobs). */
#pragma once

#include "base/buf.h"
#include "base/cur.h"
#include "base/str.h"

/* What the face sends, the first byte of a reply's bytes.  The sequence number is the question's, or the note's. */
enum qn_front_says {
        QN_FRONT_ASKS = 1, /* a question: qn_front_read_question() */
        QN_FRONT_SERVES, /* a note for the ledger, before the first byte of an artifact goes out: qn_front_read_note() */
        QN_FRONT_COUNTS, /* counters since its start: qn_front_read_counts(); sequence number 0 */
};

/* What the gate sends: kinds of qn_msg jobs. */
enum qn_front_told {
        QN_FRONT_CONFIG =
                1,       /* input: qn_front_write_config().  Again: it replaces the one before */
        QN_FRONT_LISTEN, /* descriptor: a socket that listens */
        QN_FRONT_LOG, /* descriptor: where the access log goes, open for appending; without one: nowhere */
        QN_FRONT_ANSWER, /* seq: of the question; parameters: qn_front_write_answer(); input: the body */
        QN_FRONT_NOTED,   /* seq: of the note: it is in the ledger, the artifact may go out */
        QN_FRONT_REFUSED, /* seq: of the note: it could not be written, nothing goes out (503) */
        QN_FRONT_FORGET, /* parameters: a package's name: what was kept for it is asked for again; empty: everything */
        QN_FRONT_DRAIN, /* no new connections; ends when the last one is done, or after the seconds in parameters (u32) */
};

enum qn_front_encoding { QN_ENCODING_IDENTITY, QN_ENCODING_GZIP, QN_ENCODING_ZSTD };

/* Who asks.  Everything is printable ASCII, cut at QN_FRONT_TEXT_MAX; p NULL: not said. */
struct qn_front_client {
        struct qn_str address;    /* as the kernel says, or a trusted proxy */
        struct qn_str token;      /* the name of the client's token, or empty */
        struct qn_str user_agent, /* User-Agent */
                session,          /* npm-session */
                command,          /* npm-command */
                ci; /* npm-in-ci, or what the user agent says of it ("ci/github-actions") */
};

struct qn_front_question {
        struct qn_str method; /* "GET" (also for HEAD), "PUT", "POST", "DELETE" */
        struct qn_str path;   /* as it came, with its query; starts with "/" */
        bool abbreviated;     /* the client accepts application/vnd.npm.install-v1+json */
        bool admin;           /* its token may ask for metrics */
        enum qn_front_encoding encoding; /* the best that the client accepts */
        struct qn_str authorization;     /* the header, for what is passed on; p NULL: none */
        struct qn_str content_type, content_encoding, otp, auth_type; /* the same */
        struct qn_front_client client;
        struct qn_cur body;
};

void qn_front_write_question(struct qn_buf *out, const struct qn_front_question *q);
/* 0 or -EBADMSG; slices of the bytes (behind the kind). */
QN_MUST int qn_front_read_question(struct qn_cur in, struct qn_front_question *ret);

/* An artifact is about to be served. */
struct qn_front_note {
        uint64_t artifact; /* as the answer said */
        struct qn_front_client client;
};

void qn_front_write_note(struct qn_buf *out, const struct qn_front_note *n);
QN_MUST int qn_front_read_note(struct qn_cur in, struct qn_front_note *ret);

struct qn_front_answer {
        uint16_t status;
        bool keep; /* the same question may be answered with it for so many milliseconds (0: until it is forgotten) */
        uint32_t keep_ms;
        uint64_t artifact;               /* not 0: needs a note in the ledger each time */
        enum qn_front_encoding encoding; /* of the body */
        struct qn_str package;           /* by which it is forgotten; may be empty */
        /* Headers; p NULL: left out. */
        struct qn_str content_type, etag, last_modified, cache_control, notice /* npm-notice */,
                warning, retry_after, authenticate /* www-authenticate */,
                verdict /* qanat-verdict */;
};

void qn_front_write_answer(struct qn_buf *out, const struct qn_front_answer *a);
QN_MUST int qn_front_read_answer(struct qn_cur in, struct qn_front_answer *ret);

struct qn_front_token {
        struct qn_str name;
        uint8_t sha256[32]; /* of the token */
        bool admin;
};

struct qn_front_config {
        struct qn_str prefix;    /* path of the gate's own address: "" or "/npm" */
        struct qn_str cert, key; /* PEM; p NULL: plain HTTP */
        const struct qn_front_token *tokens;
        size_t n_tokens;
        bool closed; /* nothing without a token, but ping and ready */
        uint32_t rate,
                burst; /* requests a second of one token, or of one address without; 0: any number */
        uint32_t connections, per_address, idle_s; /* limits; 0: QN_FRONT_* of limits.h */
        uint64_t body_max;                         /* bytes of a request's body */
        uint64_t keep_max; /* bytes of kept answers in memory; larger bodies stay in their files */
        struct qn_str
                proxies; /* addresses whose X-Forwarded-For counts, separated by spaces; may be empty */
};

void qn_front_write_config(struct qn_buf *out, const struct qn_front_config *c);
/* tokens are put into the arena. */
struct qn_arena;
QN_MUST int qn_front_read_config(struct qn_cur in, struct qn_arena *a, struct qn_front_config *ret);

/* What the face counted. */
struct qn_front_counts {
        uint64_t requests, kept /* answered without a question */, not_modified,
                refused /* rate, tokens */, malformed, bytes, artifacts,
                open /* connections at the moment */;
        uint64_t by_status[6]; /* [2]: 2xx… */
        uint64_t latency_us;   /* of all requests together */
        uint64_t latency[16]; /* requests that took at most 2^n × 0.1 ms, n = 0…14; [15]: longer */
};

void qn_front_write_counts(struct qn_buf *out, const struct qn_front_counts *c);
QN_MUST int qn_front_read_counts(struct qn_cur in, struct qn_front_counts *ret);
