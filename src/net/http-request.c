/* What a request says and sends: its method, its headers, its payload. */
#include <errno.h>
#include <unistd.h>

#include "base/limits.h"
#include "net/http-job.h"

static const struct {
        const char *name;
        bool writes;
        bool always; /* its length is said even when there is nothing */
} methods[] = {
        { "GET", false, false },   { "PUT", true, true },  { "POST", true, true },
        { "DELETE", true, false }, { "MAIL", true, true },
};

static size_t method_of(const struct qn_http_request *q)
{
        size_t i = 0;

        while (q->method.p && i < QN_ARRAY_SIZE(methods) && !qn_str_is(q->method, methods[i].name))
                i++;
        return i;
}

/* Not the caller's to say: they belong to the connection, or the request has a field for them. */
static const char *const reserved[] = {
        "accept",         "accept-encoding",
        "authorization",  "connection",
        "content-length", "content-encoding",
        "content-type",   "cookie",
        "expect",         "host",
        "if-none-match",  "keep-alive",
        "npm-auth-type",  "npm-command",
        "npm-otp",        "npm-session",
        "range",          "te",
        "trailer",        "transfer-encoding",
        "upgrade",        "user-agent",
};

static bool is_name(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!(s.p[i] >= 'a' && s.p[i] <= 'z') && !(s.p[i] >= '0' && s.p[i] <= '9') &&
                    s.p[i] != '-')
                        return false;
        for (size_t i = 0; i < QN_ARRAY_SIZE(reserved); i++)
                if (qn_str_is(s, reserved[i]))
                        return false;
        return s.n > 0 && s.n <= 64 && !qn_str_starts(s, "proxy-");
}

static bool is_value(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] < ' ' || s.p[i] > '~')
                        return false;
        return s.n <= QN_FETCH_HEADER_MAX;
}

bool qn_http_request_ok(const struct qn_http_request *q)
{
        const struct qn_str values[] = { q->content_type, q->content_encoding, q->otp,
                                         q->auth_type,    q->session,          q->command,
                                         q->signature,    q->mail_user,        q->mail_password };

        for (size_t i = 0; i < QN_ARRAY_SIZE(values); i++)
                if (!is_value(values[i]))
                        return false;
        return method_of(q) < QN_ARRAY_SIZE(methods) && !q->signature_name.p == !q->signature.p &&
               (!q->signature_name.p || is_name(q->signature_name)) && qn_http_mail_ok(q);
}

bool qn_http_writes(const struct qn_http_request *q)
{
        return methods[method_of(q)].writes;
}

int qn_http_job_load(struct qn_http_job *j, int payload)
{
        off_t size = payload < 0 ? 0 : lseek(payload, 0, SEEK_END);

        j->writes = qn_http_writes(&j->q);
        if (size < 0 || (payload >= 0 && !j->writes))
                return -EINVAL;
        if ((uint64_t)size > QN_HTTP_PAYLOAD_MAX)
                return -EFBIG;
        j->payload_size = (uint64_t)size;
        return 0;
}

int qn_http_job_describe(struct qn_http_job *j)
{
        const struct {
                const char *name;
                struct qn_str value;
        } rows[] = {
                { "Content-Type", j->q.content_type },
                { "Content-Encoding", j->q.content_encoding },
                { "npm-otp", j->q.otp },
                { "npm-auth-type", j->q.auth_type },
                { "npm-session", j->q.session },
                { "npm-command", j->q.command },
                { j->q.signature_name.p, j->q.signature },
                /* npm does not wait to be asked for the body, and not every registry asks. */
                { "Expect", j->writes ? QN_STR("") : (struct qn_str){ 0 } },
        };
        int r = 0;

        for (size_t i = 0; i < QN_ARRAY_SIZE(rows) && r == 0; i++)
                r = qn_http_job_header(j, rows[i].name, rows[i].value);
        return r;
}

static size_t on_payload(char *p, size_t one, size_t n, void *user)
{
        struct qn_http_job *j = user;
        size_t want = (size_t)QN_MIN((uint64_t)one * n, j->payload_size - j->sent);
        ssize_t got;

        if (want == 0)
                return 0;
        do
                got = pread(j->payload, p, want, (off_t)j->sent);
        while (got < 0 && errno == EINTR);
        if (got <= 0) {
                j->failed = QN_HTTP_INTERNAL;
                return CURL_READFUNC_ABORT;
        }
        j->sent += (uint64_t)got;
        return (size_t)got;
}

/* libcurl begins anew when a server says that it did not look at the request (HTTP/2, REFUSED_STREAM). */
static int on_rewind(void *user, curl_off_t at, int whence)
{
        struct qn_http_job *j = user;

        if (whence != SEEK_SET || at < 0 || (uint64_t)at > j->payload_size)
                return CURL_SEEKFUNC_FAIL;
        j->sent = (uint64_t)at;
        return CURL_SEEKFUNC_OK;
}

void qn_http_job_upload(struct qn_http_job *j)
{
        size_t method = method_of(&j->q);

        if (!j->writes)
                return;
        if (!qn_http_is_mail(&j->q)) /* there it would be a command of its own */
                curl_easy_setopt(j->easy, CURLOPT_CUSTOMREQUEST, methods[method].name);
        /* On a connection that was used before, libcurl would repeat a request that got no answer. */
        curl_easy_setopt(j->easy, CURLOPT_FRESH_CONNECT, 1L);
        if (!j->payload_size && !methods[method].always)
                return;
        curl_easy_setopt(j->easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(j->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)j->payload_size);
        curl_easy_setopt(j->easy, CURLOPT_READFUNCTION, on_payload);
        curl_easy_setopt(j->easy, CURLOPT_READDATA, j);
        curl_easy_setopt(j->easy, CURLOPT_SEEKFUNCTION, on_rewind);
        curl_easy_setopt(j->easy, CURLOPT_SEEKDATA, j);
}
