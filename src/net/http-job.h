/* http-job.h - inside of the HTTP client: one request from queue to callback, shared by http*.c. */
#pragma once

#include <curl/curl.h>
#include <sys/queue.h>

#include "base/arena.h"
#include "base/buf.h"
#include "net/http.h"
#include "net/url.h"

enum job_state {
        JOB_QUEUED,
        JOB_ACTIVE,
        JOB_WAITING, /* for its next try */
};

struct qn_http_job {
        TAILQ_ENTRY(qn_http_job) link;
        struct qn_arena mem; /* everything the request named */
        struct qn_http_request q;
        struct qn_url url, origin; /* where it goes now; where its credentials belong */
        struct qn_str target;      /* url as text, NUL-terminated */
        qn_http_done *done;
        void *user;
        enum job_state state;
        enum qn_http_code failed; /* set when it cannot even start, or by the body's callback */
        bool proxied;             /* the current try goes through a proxy */
        bool inside;              /* ...or would have led to an address that is not public */
        unsigned tries, redirects;
        uint64_t next_try; /* monotonic nanoseconds, JOB_WAITING */
        uint64_t deadline; /* the same, for all of it; 0: none */
        CURL *easy;
        struct curl_slist *headers;
        struct curl_slist *recipients; /* of mail */
        int fd;                        /* where the body goes */
        uint64_t size;
        bool writes; /* it is no GET: not redirected, not repeated once it was sent */
        int payload; /* what is sent, -1: nothing */
        uint64_t payload_size, sent;
};

/* http-error.c */
enum qn_http_code qn_http_classify_curl(CURLcode c);
enum qn_http_code qn_http_classify_status(int status);
bool qn_http_worth_repeating(enum qn_http_code c);
/* Failures before a request is sent. */
bool qn_http_before_sending(enum qn_http_code c);
void qn_http_explain(const struct qn_http_job *j, enum qn_http_code c, int status,
                     struct qn_buf *b);

/* http-request.c */
/* Takes the payload in: 0, -EINVAL, -EFBIG. */
int qn_http_job_load(struct qn_http_job *j, int payload);
/* The headers of what is sent: 0, -ENOMEM. */
int qn_http_job_describe(struct qn_http_job *j);
/* The method and the payload. */
void qn_http_job_upload(struct qn_http_job *j);

/* http-mail.c */
/* Where a request that is mail goes: j->url and j->target.  0, -EINVAL, -ENOMEM. */
int qn_http_job_address(struct qn_http_job *j);
/* The same again from j->url. */
int qn_http_job_readdress(struct qn_http_job *j);
/* What mail needs besides what it shares with a POST: 0, -ENOMEM. */
int qn_http_job_mail(struct qn_http_job *j);
bool qn_http_mail_ok(const struct qn_http_request *q);
enum qn_http_code qn_http_classify_mail(CURLcode c, long status);

/* http-guard.c */
/* Whether it is on its way to an address that it may not be connected to. */
bool qn_http_job_strays(const struct qn_http_job *j);
/* Holds the handle to public addresses, for who wants that. */
void qn_http_job_guard(struct qn_http_job *j);

/* http-job.c */
int qn_http_job_header(struct qn_http_job *j, const char *name, struct qn_str value);
/* Whether the body of an answer with this status is the caller's. */
bool qn_http_job_keeps(const struct qn_http_job *j, long status);
bool qn_http_is_redirect(long status);
int qn_http_job_new(const struct qn_http_request *q, struct qn_http_job **ret);
void qn_http_job_free(struct qn_http_job *j);
/* Sets up the easy handle for the next try.  0, -ENOMEM. */
int qn_http_job_prepare(struct qn_http_job *j, const struct qn_http_opts *o);
/* Drops what the last try left. */
int qn_http_job_rewind(struct qn_http_job *j);
/* Makes target say what url says. */
int qn_http_job_retarget(struct qn_http_job *j);
/* Points the job at location: QN_HTTP_OK, or why it is not followed. */
enum qn_http_code qn_http_job_redirect(struct qn_http_job *j, const char *location);
/* Calls back with the outcome; r is filled from the easy handle when there was an answer. */
void qn_http_job_finish(struct qn_http_job *j, enum qn_http_code code, int status);

/* http-tls.c: the authorities, parsed once per client and shared by its connections. */
struct qn_http_trust;
int qn_http_trust_new(const struct qn_http_opts *o, struct qn_http_trust **ret);
void qn_http_trust_free(struct qn_http_trust *t);
void qn_http_trust_apply(struct qn_http_trust *t, CURL *easy);
