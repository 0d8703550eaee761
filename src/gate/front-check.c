#include <errno.h>

#include "gate/front-priv.h"

/* What libmicrohttpd 0.9.75 lets through and a gate must not: folded headers (whose second line it glues to the name), bytes NUL
 * (where it ends a value, or the head), lines that end without CR, names with blanks, several lengths, a length beside chunks,
 * codings it does not know.  It cuts the head in place, putting NUL over each separator: walking over all of it, byte for byte,
 * shows whether what was understood is what was there. */

static struct qn_reply *refusals[QN_REFUSE_MAX];

static const struct {
        uint16_t status;
        const char *message, *header, *value;
} texts[QN_REFUSE_MAX] = {
        [QN_REFUSE_MALFORMED] = { 400, "the request is malformed" },
        [QN_REFUSE_URI] = { 414, "the address is too long" },
        [QN_REFUSE_METHOD] = { 405, "this method is not known here", "Allow",
                               "GET, HEAD, PUT, POST, DELETE, OPTIONS" },
        [QN_REFUSE_CODING] = { 501,
                               "this transfer coding is not known here: send chunked, or a Content-Length" },
        [QN_REFUSE_LARGE] = { 413, "the body is too large" },
        [QN_REFUSE_EXPECT] = { 417, "this expectation is not known here" },
        [QN_REFUSE_TOKEN] = { 401, "a token is needed here", "WWW-Authenticate",
                              "Bearer realm=\"qanat\"" },
        [QN_REFUSE_ADMIN] = { 401, "the token of an administrator is needed here",
                              "WWW-Authenticate", "Bearer realm=\"qanat\"" },
        [QN_REFUSE_RATE] = { 429, "too many requests", "Retry-After", "1" },
        [QN_REFUSE_NOTHING] = { 404, "there is nothing at this address" },
        [QN_REFUSE_BUSY] = { 503, "too much is under way", "Retry-After", "5" },
        [QN_REFUSE_GATE] = { 502, "the gate gave no answer that can be passed on" },
        [QN_REFUSE_LATE] = { 504, "the gate did not answer in time" },
        [QN_REFUSE_NOTE] = { 503, "what is served cannot be written down, so it is not served",
                             "Retry-After", "5" },
};

int qn_check_open(void)
{
        for (size_t i = 0; i < QN_REFUSE_MAX; i++) {
                refusals[i] = qn_reply_error(texts[i].status, texts[i].message, texts[i].header,
                                             texts[i].value);
                if (!refusals[i])
                        return -ENOMEM;
        }
        return 0;
}

struct qn_reply *qn_refusal(enum qn_refusal why)
{
        return refusals[why];
}

/* --- headers --- */

enum {
        ONCE = 1,
        WHOLE = 2
}; /* whole: without blanks behind it, which libmicrohttpd would take for a part of it */
static const struct {
        struct qn_str name;
        unsigned flags;
} names[QN_H_MAX] = {
        [QN_H_ACCEPT] = { QN_STR("accept") },
        [QN_H_ACCEPT_ENCODING] = { QN_STR("accept-encoding") },
        [QN_H_AUTHORIZATION] = { QN_STR("authorization"), ONCE },
        [QN_H_CONTENT_ENCODING] = { QN_STR("content-encoding"), ONCE },
        [QN_H_CONTENT_LENGTH] = { QN_STR("content-length"), ONCE },
        [QN_H_CONTENT_TYPE] = { QN_STR("content-type"), ONCE },
        [QN_H_EXPECT] = { QN_STR("expect"), ONCE },
        [QN_H_HOST] = { QN_STR("host"), ONCE },
        [QN_H_IF_NONE_MATCH] = { QN_STR("if-none-match") },
        [QN_H_IF_RANGE] = { QN_STR("if-range"), ONCE },
        [QN_H_AUTH_TYPE] = { QN_STR("npm-auth-type") },
        [QN_H_COMMAND] = { QN_STR("npm-command") },
        [QN_H_CI] = { QN_STR("npm-in-ci") },
        [QN_H_OTP] = { QN_STR("npm-otp"), ONCE },
        [QN_H_SESSION] = { QN_STR("npm-session") },
        [QN_H_RANGE] = { QN_STR("range"), ONCE },
        [QN_H_TRANSFER_ENCODING] = { QN_STR("transfer-encoding"), ONCE | WHOLE },
        [QN_H_USER_AGENT] = { QN_STR("user-agent") },
        [QN_H_FORWARDED] = { QN_STR("x-forwarded-for") },
};

/* The walk over the head: where the next line must begin. */
struct walk {
        struct qn_conn *c;
        const char *at, *end;
        bool broken;
};

static bool take_header(struct qn_conn *c, struct qn_str name, struct qn_str text)
{
        struct qn_str value = qn_str_trim(text);

        for (size_t i = 0; i < QN_H_MAX; i++) {
                if (name.n != names[i].name.n || !qn_str_ieq(name, names[i].name))
                        continue;
                if ((c->h[i].p && (names[i].flags & ONCE)) ||
                    (value.n != text.n && (names[i].flags & WHOLE)))
                        return false;
                c->h[i] = value;
                return true;
        }
        return true;
}

/* A line's end, "\r\n", is two bytes NUL by now. */
static bool ends_line(const struct walk *w, const char *p)
{
        return w->end - p >= 2 && !p[0] && !p[1];
}

static enum MHD_Result on_header(void *walk, enum MHD_ValueKind kind QN_UNUSED, const char *key,
                                 size_t key_n, const char *value, size_t value_n)
{
        struct walk *w = walk;
        struct qn_str name = { key, key_n }, text = { value, value_n };
        const char *p = key + key_n + 1;

        w->broken = true;
        if (key != w->at || key_n > (size_t)(w->end - key) || !value || !qn_head_is_name(name) ||
            p[-1])
                return MHD_NO;
        while (p < w->end && (*p == ' ' || *p == '\t'))
                p++;
        if (p != value || value_n > (size_t)(w->end - value) || !ends_line(w, value + value_n) ||
            !qn_head_is_value(text) || !take_header(w->c, name, text))
                return MHD_NO;
        w->at = value + value_n + 2;
        w->broken = false;
        return MHD_YES;
}

/* "METHOD SP target SP version CRLF", with single blanks. */
static bool line_is_whole(const struct qn_conn *c, const char *version, const char *method)
{
        size_t n = strlen(method);

        return c->uri && c->uri == method + n + 1 && version == c->uri + c->uri_n + 1;
}

static bool head_is_whole(struct qn_conn *c, const char *version, const char *method)
{
        const union MHD_ConnectionInfo *size =
                MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
        struct walk w = { .c = c, .at = version + strlen(version) + 2 };

        if (!size || size->header_size > QN_FRONT_HEADERS_MAX || !line_is_whole(c, version, method))
                return false;
        w.end = method + size->header_size;
        if (w.at > w.end || !ends_line(&w, w.at - 2))
                return false;
        MHD_get_connection_values_n(c->mhd, MHD_HEADER_KIND, on_header, &w);
        return !w.broken && ends_line(&w, w.at) && w.at + 2 == w.end &&
               (c->h[QN_H_HOST].p || strcmp(version, "HTTP/1.0") == 0);
}

/* --- the request line --- */

static bool method_is_known(struct qn_str m)
{
        static const char *const methods[] = { "GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(methods); i++)
                if (qn_str_is(m, methods[i]))
                        return true;
        return false;
}

static bool path_is_plain(struct qn_str path)
{
        for (size_t i = 0; i < path.n; i++)
                if (path.p[i] <= ' ' || path.p[i] > '~' || path.p[i] == '#')
                        return false;
        return qn_str_starts(path, "/");
}

static bool version_is_known(const char *version)
{
        return strcmp(version, "HTTP/1.1") == 0 || strcmp(version, "HTTP/1.0") == 0;
}

/* --- the body --- */

size_t qn_front_body_max(void)
{
        uint64_t max = qn_front_conf()->c.body_max;

        return max ? (size_t)max : QN_FRONT_BODY_MAX;
}

static bool may_have_body(const struct qn_conn *c)
{
        return qn_str_is(c->method, "PUT") || qn_str_is(c->method, "POST") ||
               qn_str_is(c->method, "DELETE");
}

/* The framing of chunks is where two programs on one connection are most easily led to disagree: with the answer to such a
 * request its connection ends. */
static struct qn_reply *check_coding(struct qn_conn *c, const char *version)
{
        if (c->h[QN_H_CONTENT_LENGTH].p || strcmp(version, "HTTP/1.1") != 0 || !may_have_body(c))
                return qn_refusal(QN_REFUSE_MALFORMED);
        c->chunked = qn_str_ieq(c->h[QN_H_TRANSFER_ENCODING], QN_STR("chunked"));
        return c->chunked ? NULL : qn_refusal(QN_REFUSE_CODING);
}

static struct qn_reply *check_body(struct qn_conn *c, const char *version)
{
        struct qn_str length = c->h[QN_H_CONTENT_LENGTH], expect = c->h[QN_H_EXPECT];
        uint64_t n = 0;

        if (length.p && qn_str_u64(length, &n) < 0)
                return qn_refusal(QN_REFUSE_MALFORMED);
        if (expect.p && !qn_str_ieq(expect, QN_STR("100-continue")))
                return qn_refusal(QN_REFUSE_EXPECT);
        if (c->h[QN_H_TRANSFER_ENCODING].p)
                return check_coding(c, version);
        if (n && !may_have_body(c))
                return qn_refusal(QN_REFUSE_MALFORMED);
        c->body_n = n;
        return n > qn_front_body_max() ? qn_refusal(QN_REFUSE_LARGE) : NULL;
}

struct qn_reply *qn_check_head(struct qn_conn *c, const char *version, const char *method)
{
        c->method = qn_str_c(method);
        if (!c->path.p)
                return qn_refusal(c->uri_n > QN_FRONT_PATH_MAX ? QN_REFUSE_URI
                                                               : QN_REFUSE_MALFORMED);
        if (!version_is_known(version) || !head_is_whole(c, version, method))
                return qn_refusal(QN_REFUSE_MALFORMED);
        if (!method_is_known(c->method))
                return qn_refusal(QN_REFUSE_METHOD);
        if (!path_is_plain(c->path) &&
            !(qn_str_is(c->path, "*") && qn_str_is(c->method, "OPTIONS")))
                return qn_refusal(QN_REFUSE_MALFORMED);
        return check_body(c, version);
}
