/* http.h - many requests at once: HTTP/2 multiplexing, keep-alive, retries, caps.  HOSTILE PEERS.
 * It runs in the fetch role (role/fetch.h); one object, one thread, no locks.  A body goes into a descriptor of the caller's
 * under the request's cap, decompressed as it arrives, so that neither endless nor well-compressed answers can fill memory.  Redirects are followed here, not by libcurl: at most
 * QN_HTTP_REDIRECTS, only http and https, never down from https, and credentials stay with their origin.
 * Requests that change something (anything but GET) are not redirected, and tried again only while nothing of them was sent.
 * Not here: what to ask whom, and with which credentials (registry.h). */
#pragma once

#include "base/macro.h"
#include "base/str.h"
#include "net/proxy.h"

enum qn_http_code {
        QN_HTTP_OK,
#define HTTP_ERROR(id, code, number, text) QN_HTTP_##id,
#include "net/http-errors.def"
#undef HTTP_ERROR
        QN_HTTP_CODE_MAX
};

/* "ok", "dns", "tls-cert"…: stable, for machines. */
const char *qn_http_code_name(enum qn_http_code c);
/* The negative errno that goes with it; 0 for QN_HTTP_OK. */
int qn_http_code_errno(enum qn_http_code c);
/* The sentence with the next step, without the URL. */
const char *qn_http_code_text(enum qn_http_code c);

struct qn_http; /* the client */

struct qn_http_opts {
        struct qn_str user_agent;
        struct qn_str ca; /* PEM, replaces the system's authorities; p is NULL: the system's */
        struct qn_str extra_ca; /* PEM, trusted as well */
        bool insecure;          /* strict-ssl=false: certificates are not verified */
        unsigned sockets;       /* connections to one host; 0: 15, as npm */
        unsigned tries;         /* 0: QN_HTTP_TRIES */
        uint32_t retry_min_ms, retry_max_ms, retry_factor; /* 0: 400, 20000, 4 */
        uint32_t idle_ms; /* silence that ends a transfer; 0 or more than QN_HTTP_SLOW_S: that */
        struct qn_proxies proxies; /* asked again after each redirect */
};

/* Everything is copied. */
struct qn_http_request {
        struct qn_str url;
        struct qn_str accept;        /* p NULL: anything */
        struct qn_str authorization; /* "Bearer …"; sent to the URL's origin only */
        struct qn_str cert, key;     /* PEM of a client certificate; for the URL's origin only */
        struct qn_str etag;          /* If-None-Match */
        uint64_t from, bytes;        /* only so many bytes from there on; bytes 0: everything */
        size_t max;                  /* cap for the decompressed body */
        bool compressed;             /* offer gzip, br… (not useful for tarballs) */
        bool pass; /* an answer with any status is QN_HTTP_OK, with its body and headers; a GET that fails is
                              repeated all the same, and follows redirects */
        bool public_only; /* connects to public addresses only (net/address.h), redirects included; behind a
                             proxy, which resolves names itself, only what is written as an address is looked at */
        uint32_t
                total_ms; /* for all of it, tries and waiting included; then it is QN_HTTP_LATE; 0: no limit */
        struct qn_str method; /* "PUT", "POST", "DELETE"; p NULL: "GET" */
        /* Headers, p NULL: not sent; all of them, and method, are checked by qn_http_request_ok(). */
        struct qn_str content_type, content_encoding;
        struct qn_str otp, auth_type, session,
                command; /* npm-otp, npm-auth-type, npm-session, npm-command */
        struct qn_str signature_name,
                signature; /* one of the caller's own: its name in lower case, its value */
        /* Method "MAIL": the URL is smtp://host[:587] or smtps://host[:465], the payload is the message with its headers, and the
         * status of the result is the last one of the server.  User and password only after TLS, unless mail_plain is set: then
         * smtp:// is not encrypted. */
        struct qn_str mail_from, mail_to, mail_user, mail_password;
        bool mail_plain;
};

/* Every text of a request, for those that copy or send it. */
#define QN_HTTP_REQUEST_TEXTS(q)                                                         \
        &(q)->url, &(q)->accept, &(q)->authorization, &(q)->cert, &(q)->key, &(q)->etag, \
                &(q)->method, &(q)->content_type, &(q)->content_encoding, &(q)->otp,     \
                &(q)->auth_type, &(q)->session, &(q)->command, &(q)->signature_name,     \
                &(q)->signature, &(q)->mail_from, &(q)->mail_to, &(q)->mail_user,        \
                &(q)->mail_password

/* A known method; headers of printable ASCII, at most QN_FETCH_HEADER_MAX bytes each; and none that says where a request
 * ends or whom it is for. */
bool qn_http_request_ok(const struct qn_http_request *q);
/* "name@host", of those characters that need no quotes: nothing in it can end a line or name a second one. */
bool qn_http_mailbox_ok(struct qn_str s);
bool qn_http_is_mail(const struct qn_http_request *q);
/* Whether it is anything but a GET. */
bool qn_http_writes(const struct qn_http_request *q);

/* Given to the callback, valid until it returns. */
struct qn_http_result {
        enum qn_http_code code;
        int status; /* HTTP status, 0 without an answer; 304 is QN_HTTP_OK without a body */
        int fd; /* from the fetch role: a sealed memfd at position 0 or -1, the callback's when it takes it
                   (TAKE_FD), else it is closed; unused by the client itself */
        uint64_t size;
        uint64_t
                total; /* of a part (status 206): how large the whole is; 0: it was not said, or this is the whole */
        unsigned tries;
        const char *
                message; /* one sentence with the URL (credentials stripped) and the next step; "" when OK */
        struct qn_str url; /* the final one, after redirects */
        struct qn_str etag, last_modified, cache_control, content_type, date, link, authenticate,
                notice, retry_after,
                location; /* www-authenticate, npm-notice…; p NULL when absent */
};

typedef void qn_http_done(struct qn_http_result *res, void *user);

QN_MUST int qn_http_new(const struct qn_http_opts *o, struct qn_http **ret);
/* Drops what is under way without calling back.  Not from a callback. */
struct qn_http *qn_http_free(struct qn_http *h);
void qn_http_freep(struct qn_http **h);

/* The callback is called once, from qn_http_poll(), never from here; it may start further requests.  body is an empty file
 * that the client owns from here, and writes to until the callback; payload, what is sent, is the client's as well: a regular
 * file, or -1 for nothing.  0, -EINVAL (qn_http_request_ok(); a GET with a payload), -EFBIG (QN_HTTP_PAYLOAD_MAX), -ENOMEM:
 * both files are still the caller's then. */
QN_MUST int qn_http_send(struct qn_http *h, const struct qn_http_request *q, int payload, int body,
                         qn_http_done *done, void *user);
QN_MUST int qn_http_get(struct qn_http *h, const struct qn_http_request *q, int body,
                        qn_http_done *done, void *user);
/* Works and calls back until something was finished, nothing is left, or timeout_ms passed (-1: no limit, 0: only what is
 * ready).  Returns the number of requests not yet finished, or -errno. */
QN_MUST int qn_http_poll(struct qn_http *h, int timeout_ms);
/* A descriptor that becomes readable when qn_http_poll(h, 0) has something to do: for callers with their own loop. */
int qn_http_fd(const struct qn_http *h);
