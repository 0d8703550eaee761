#include <curl/curl.h>
#include <errno.h>

#include "net/http-job.h"

static const struct {
        const char *name;
        int number;
        const char *text;
} codes[QN_HTTP_CODE_MAX] = {
        [QN_HTTP_OK] = { "ok", 0, "" },
#define HTTP_ERROR(id, code, err, sentence) [QN_HTTP_##id] = { code, err, sentence },
#include "net/http-errors.def"
#undef HTTP_ERROR
};

const char *qn_http_code_name(enum qn_http_code c)
{
        return codes[c].name;
}

int qn_http_code_errno(enum qn_http_code c)
{
        return -codes[c].number;
}

const char *qn_http_code_text(enum qn_http_code c)
{
        return codes[c].text;
}

static const struct {
        CURLcode curl;
        enum qn_http_code code;
} by_curl[] = {
        { CURLE_URL_MALFORMAT, QN_HTTP_URL },
        { CURLE_COULDNT_RESOLVE_HOST, QN_HTTP_DNS },
        { CURLE_COULDNT_RESOLVE_PROXY, QN_HTTP_PROXY },
        { CURLE_PROXY, QN_HTTP_PROXY },
        { CURLE_COULDNT_CONNECT, QN_HTTP_REFUSED },
        { CURLE_PEER_FAILED_VERIFICATION, QN_HTTP_TLS_CERT },
        { CURLE_SSL_ISSUER_ERROR, QN_HTTP_TLS_CERT },
        { CURLE_SSL_INVALIDCERTSTATUS, QN_HTTP_TLS_CERT },
        { CURLE_SSL_CONNECT_ERROR, QN_HTTP_TLS },
        { CURLE_SSL_CIPHER, QN_HTTP_TLS },
        { CURLE_SSL_CACERT_BADFILE, QN_HTTP_CONFIG },
        { CURLE_SSL_CERTPROBLEM, QN_HTTP_CONFIG },
        { CURLE_OPERATION_TIMEDOUT, QN_HTTP_TIMEOUT },
        { CURLE_PARTIAL_FILE, QN_HTTP_CUT },
        { CURLE_GOT_NOTHING, QN_HTTP_CUT },
        { CURLE_RECV_ERROR, QN_HTTP_CUT },
        { CURLE_SEND_ERROR, QN_HTTP_CUT },
        { CURLE_HTTP2, QN_HTTP_CUT },
        { CURLE_HTTP2_STREAM, QN_HTTP_CUT },
        { CURLE_BAD_CONTENT_ENCODING, QN_HTTP_CODING },
        { CURLE_FILESIZE_EXCEEDED, QN_HTTP_TOO_LARGE },
        { CURLE_WEIRD_SERVER_REPLY, QN_HTTP_PROTOCOL },
        { CURLE_UNSUPPORTED_PROTOCOL, QN_HTTP_PROTOCOL },
};

enum qn_http_code qn_http_classify_curl(CURLcode c)
{
        for (size_t i = 0; i < QN_ARRAY_SIZE(by_curl); i++)
                if (by_curl[i].curl == c)
                        return by_curl[i].code;
        return QN_HTTP_INTERNAL;
}

enum qn_http_code qn_http_classify_status(int status)
{
        if ((status >= 200 && status < 300) || status == 304)
                return QN_HTTP_OK;
        switch (status) {
        case 401:
                return QN_HTTP_AUTH;
        case 403:
        case 451:
                return QN_HTTP_FORBIDDEN;
        case 404:
        case 410:
                return QN_HTTP_NOT_FOUND;
        case 407:
                return QN_HTTP_PROXY;
        case 408:
                return QN_HTTP_TIMEOUT;
        case 420:
        case 429:
                return QN_HTTP_RATE;
        default:
                return status >= 500 ? QN_HTTP_SERVER : QN_HTTP_STATUS;
        }
}

bool qn_http_worth_repeating(enum qn_http_code c)
{
        switch (c) {
        case QN_HTTP_DNS:
        case QN_HTTP_REFUSED:
        case QN_HTTP_TLS:
        case QN_HTTP_TIMEOUT:
        case QN_HTTP_RATE:
        case QN_HTTP_SERVER:
        case QN_HTTP_CUT:
                return true;
        default:
                return false;
        }
}

bool qn_http_before_sending(enum qn_http_code c)
{
        return c == QN_HTTP_DNS || c == QN_HTTP_REFUSED || c == QN_HTTP_TLS;
}

void qn_http_explain(const struct qn_http_job *j, enum qn_http_code c, int status, struct qn_buf *b)
{
        if (c == QN_HTTP_OK)
                return;
        qn_url_safe(j->q.url, b);
        if (j->redirects) {
                qn_buf_puts(b, " (redirected to ");
                qn_url_safe(j->target, b);
                qn_buf_byte(b, ')');
        }
        qn_buf_puts(b, ": ");
        if (status && (c == QN_HTTP_SERVER || c == QN_HTTP_STATUS || c == QN_HTTP_MAIL_LATER ||
                       c == QN_HTTP_MAIL_REFUSED))
                qn_buf_printf(b, "%d, ", status);
        qn_buf_puts(b, codes[c].text);
}
