/* http-mail.c - a message to one mailbox, over SMTP.  TLS is a must: from the first byte (smtps), or by STARTTLS before anything
 * is said that somebody could read or change. */
#include <errno.h>

#include "base/limits.h"
#include "net/http-job.h"

#define MAILBOX_MAX 254u /* RFC 5321, 4.5.3.1.3 */

static const struct {
        const char *scheme, *as; /* as: what the parser of URLs takes it for */
        unsigned port, other;    /* the usual one; that of `as` */
} schemes[] = {
        { "smtp://", "http://", 587, 80 },
        { "smtps://", "https://", 465, 443 },
};

bool qn_http_is_mail(const struct qn_http_request *q)
{
        return q->method.p && qn_str_is(q->method, "MAIL");
}

static bool has_only(struct qn_str s, const char *more)
{
        for (size_t i = 0; i < s.n; i++) {
                char c = s.p[i];

                if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
                    (!c || !strchr(more, c)))
                        return false;
        }
        return s.n > 0;
}

bool qn_http_mailbox_ok(struct qn_str s)
{
        ptrdiff_t at = qn_str_rchr(s, '@');

        return at > 0 && s.n <= MAILBOX_MAX &&
               has_only(qn_str_take(s, (size_t)at), "!#$%&'*+/=?^_`{|}~-.") && s.p[0] != '-' &&
               has_only(qn_str_skip(s, (size_t)at + 1), ".-") && s.p[at + 1] != '-' &&
               s.p[at + 1] != '.';
}

bool qn_http_mail_ok(const struct qn_http_request *q)
{
        if (!qn_http_is_mail(q))
                return !q->mail_from.p && !q->mail_to.p && !q->mail_user.p && !q->mail_password.p &&
                       !q->mail_plain;
        return qn_http_mailbox_ok(q->mail_from) && qn_http_mailbox_ok(q->mail_to) &&
               !q->mail_user.p == !q->mail_password.p;
}

static size_t scheme_of(struct qn_str url)
{
        size_t i = 0;

        while (i < QN_ARRAY_SIZE(schemes) && !qn_str_starts(url, schemes[i].scheme))
                i++;
        return i;
}

int qn_http_job_readdress(struct qn_http_job *j)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1024);

        qn_buf_printf(&b, "%s%.*s:%u", schemes[j->url.tls].scheme, QN_STR_ARG(j->url.host),
                      j->url.port);
        if (qn_buf_error(&b) < 0)
                return -EINVAL;
        j->target = qn_arena_dup(&j->mem, qn_buf_view(&b));
        return j->target.p ? 0 : -ENOMEM;
}

static bool has_port(struct qn_str host)
{
        ptrdiff_t colon = qn_str_rchr(host, ':');

        return colon >= 0 && qn_str_chr(qn_str_skip(host, (size_t)colon), ']') < 0;
}

int qn_http_job_address(struct qn_http_job *j)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1024);
        size_t i = scheme_of(j->q.url);
        struct qn_str rest;
        int r;

        if (i == QN_ARRAY_SIZE(schemes))
                return -EINVAL;
        rest = qn_str_skip(j->q.url, strlen(schemes[i].scheme));
        if (qn_str_ends(rest, "/"))
                rest.n--;
        qn_buf_puts(&b, schemes[i].as);
        qn_buf_str(&b, rest);
        if (qn_buf_error(&b) < 0)
                return -EINVAL;
        r = qn_url_parse(qn_buf_view(&b), &j->mem, &j->url, NULL);
        if (r < 0)
                return r == -ENOMEM ? r : -EINVAL;
        if (j->url.user.p || j->url.query.p || !qn_str_is(j->url.path, "/"))
                return -EINVAL;
        if (j->url.port == schemes[i].other && !has_port(rest))
                j->url.port = (uint16_t)schemes[i].port;
        return qn_http_job_readdress(j);
}

int qn_http_job_mail(struct qn_http_job *j)
{
        bool open = j->q.mail_plain && !j->url.tls;
        CURL *e = j->easy;

        curl_slist_free_all(j->recipients);
        j->recipients = curl_slist_append(NULL, j->q.mail_to.p);
        if (!j->recipients)
                return -ENOMEM;
        curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
        curl_easy_setopt(e, CURLOPT_USE_SSL, open ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL);
        curl_easy_setopt(e, CURLOPT_MAIL_FROM, j->q.mail_from.p);
        curl_easy_setopt(e, CURLOPT_MAIL_RCPT, j->recipients);
        curl_easy_setopt(e, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)QN_MAIL_ANSWER_S);
        if (j->q.mail_user.p) {
                curl_easy_setopt(e, CURLOPT_USERNAME, j->q.mail_user.p);
                curl_easy_setopt(e, CURLOPT_PASSWORD, j->q.mail_password.p);
        }
        return 0;
}

enum qn_http_code qn_http_classify_mail(CURLcode c, long status)
{
        switch (c) {
        case CURLE_OK:
                return QN_HTTP_OK;
        case CURLE_USE_SSL_FAILED:
                return QN_HTTP_MAIL_TLS;
        case CURLE_LOGIN_DENIED:
                return QN_HTTP_MAIL_LOGIN;
        case CURLE_SEND_ERROR:
        case CURLE_WEIRD_SERVER_REPLY:
        case CURLE_REMOTE_ACCESS_DENIED:
                if (status >= 400)
                        return status < 500 ? QN_HTTP_MAIL_LATER : QN_HTTP_MAIL_REFUSED;
                return qn_http_classify_curl(c);
        default:
                return qn_http_classify_curl(c);
        }
}
