#include "net/url.h"

#include <curl/curl.h>
#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"

static void urlp_cleanup(CURLU **u)
{
        curl_url_cleanup(*u);
}

static void curl_freep(char **p)
{
        curl_free(*p);
}

/* One part, copied into the arena; an absent part is {NULL, 0}. */
static int part(CURLU *u, CURLUPart what, unsigned flags, struct qn_arena *a, struct qn_str *ret)
{
        _cleanup_(curl_freep) char *text = NULL;
        CURLUcode c = curl_url_get(u, what, &text, flags);

        if (c == CURLUE_OUT_OF_MEMORY)
                return -ENOMEM;
        *ret = (struct qn_str){ 0 };
        if (c != CURLUE_OK)
                return what == CURLUPART_HOST || what == CURLUPART_PATH || c == CURLUE_URLDECODE
                               ? -EINVAL
                               : 0;
        *ret = qn_arena_dup(a, qn_str_c(text));
        return ret->p ? 0 : -ENOBUFS;
}

/* libcurl undoes percent escapes in host names, whatever they hide. */
static bool host_char(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               (c && strchr(".-_[]:", c));
}

static int lower_host(struct qn_str host, struct qn_arena *a, struct qn_str *ret)
{
        char *p;

        for (size_t i = 0; i < host.n; i++)
                if (!host_char(host.p[i]))
                        return -EINVAL;
        /* A dot at the end names the same host to DNS, yet another one to every comparison: not worth the doubt. */
        if (host.n == 0 || qn_str_ends(host, "."))
                return -EINVAL;
        p = qn_arena_alloc(a, host.n);
        if (!p)
                return -ENOBUFS;
        for (size_t i = 0; i < host.n; i++)
                p[i] = host.p[i] >= 'A' && host.p[i] <= 'Z' ? (char)(host.p[i] | 0x20) : host.p[i];
        *ret = (struct qn_str){ p, host.n };
        return 0;
}

/* A host that means another one when it is read again ("%35" is "5", which is 0.0.0.5) would be checked as one and
 * connected to as the other. */
static int check_host(struct qn_str host, struct qn_arena *a)
{
        _cleanup_(urlp_cleanup) CURLU *u = curl_url();
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_URL_MAX);
        struct qn_str again;
        int r;

        qn_buf_puts(&b, "http://");
        qn_buf_str(&b, host);
        if (!u || qn_buf_error(&b) < 0)
                return -ENOMEM;
        if (curl_url_set(u, CURLUPART_URL, b.p, 0) != CURLUE_OK)
                return -EINVAL;
        r = part(u, CURLUPART_HOST, 0, a, &again);
        return r < 0 ? r : qn_str_ieq(host, again) ? 0 : -EINVAL;
}

static int parts(CURLU *u, struct qn_arena *a, struct qn_url *ret)
{
        struct qn_str scheme, host, port;
        uint64_t number = 0;
        int r;

        if ((r = part(u, CURLUPART_SCHEME, 0, a, &scheme)) < 0)
                return r;
        if (!qn_str_ieq(scheme, QN_STR("http")) && !qn_str_ieq(scheme, QN_STR("https")))
                return -EPROTONOSUPPORT;
        if ((r = part(u, CURLUPART_HOST, 0, a, &host)) < 0 ||
            (r = lower_host(host, a, &ret->host)) < 0 || (r = check_host(ret->host, a)) < 0 ||
            (r = part(u, CURLUPART_PATH, 0, a, &ret->path)) < 0 ||
            (r = part(u, CURLUPART_QUERY, 0, a, &ret->query)) < 0 ||
            (r = part(u, CURLUPART_USER, CURLU_URLDECODE, a, &ret->user)) < 0 ||
            (r = part(u, CURLUPART_PASSWORD, CURLU_URLDECODE, a, &ret->password)) < 0 ||
            (r = part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT, a, &port)) < 0)
                return r;
        if (qn_str_u64(port, &number) < 0 || number == 0 || number > UINT16_MAX)
                return -EINVAL;
        ret->tls = scheme.n == 5;
        ret->port = (uint16_t)number;
        ret->default_port = number == (ret->tls ? 443 : 80);
        return 0;
}

int qn_url_parse(struct qn_str s, struct qn_arena *a, struct qn_url *ret, struct qn_err *reterr)
{
        _cleanup_(urlp_cleanup) CURLU *u = NULL;
        struct qn_url out = { 0 };
        struct qn_str z;
        CURLUcode c;
        int r;

        s = qn_str_trim(s);
        if (s.n == 0 || s.n > QN_URL_MAX || qn_str_chr(s, '\0') >= 0)
                return qn_fail(reterr, -EINVAL, 0, s.n ? "this is not a URL" : "the URL is empty");
        z = qn_arena_dup(a, s);
        if (!z.p)
                return qn_fail(reterr, -ENOBUFS, 0, "too many URLs");
        u = curl_url();
        if (!u)
                return -ENOMEM;
        c = curl_url_set(u, CURLUPART_URL, z.p, 0);
        if (c == CURLUE_UNSUPPORTED_SCHEME)
                return qn_fail(reterr, -EPROTONOSUPPORT, 0, "only http and https URLs are fetched");
        if (c != CURLUE_OK)
                return qn_fail(reterr, -EINVAL, 0, "this is not a URL: %s", curl_url_strerror(c));
        r = parts(u, a, &out);
        if (r < 0)
                return qn_fail(reterr, r, 0,
                               r == -EPROTONOSUPPORT ? "only http and https URLs are fetched"
                                                     : "this is not a URL");
        *ret = out;
        return 0;
}

static void write_host(const struct qn_url *u, struct qn_buf *b)
{
        qn_buf_str(b, u->host);
        if (!u->default_port)
                qn_buf_printf(b, ":%u", u->port);
}

int qn_url_write(const struct qn_url *u, struct qn_buf *b)
{
        qn_buf_puts(b, u->tls ? "https://" : "http://");
        write_host(u, b);
        qn_buf_str(b, u->path);
        if (u->query.p) {
                qn_buf_byte(b, '?');
                qn_buf_str(b, u->query);
        }
        return b->error;
}

int qn_url_nerf(const struct qn_url *u, struct qn_buf *b)
{
        qn_buf_puts(b, "//");
        write_host(u, b);
        qn_buf_str(b, u->path);
        return b->error;
}

bool qn_url_same_host(const struct qn_url *a, const struct qn_url *b)
{
        return qn_str_eq(a->host, b->host) && a->default_port == b->default_port &&
               (a->default_port || a->port == b->port);
}

bool qn_url_same_origin(const struct qn_url *a, const struct qn_url *b)
{
        return a->tls == b->tls && a->port == b->port && qn_str_eq(a->host, b->host);
}

void qn_url_safe(struct qn_str url, struct qn_buf *b)
{
        ptrdiff_t scheme = qn_str_find(url, QN_STR("://"));
        size_t start = scheme < 0 ? 0 : (size_t)scheme + 3, end = start, at;

        for (size_t i = start; i < url.n; i++)
                if (url.p[i] == '?' || url.p[i] == '#')
                        url.n = i;
        while (end < url.n && url.p[end] != '/')
                end++;
        for (at = end; at > start && url.p[at - 1] != '@'; at--)
                ;
        for (size_t i = 0; i < QN_MIN(url.n, (size_t)256); i++) {
                if (i == start)
                        i = at;
                if (i < url.n)
                        qn_buf_byte(b, url.p[i] > ' ' && url.p[i] < 0x7f ? url.p[i] : '?');
        }
        if (url.n > 256)
                qn_buf_puts(b, "...");
}
