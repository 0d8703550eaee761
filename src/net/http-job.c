/* One request: its handle, its body, its redirects, its outcome. */
#include "net/http-job.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/io.h"
#include "base/limits.h"

static int copy(struct qn_arena *a, struct qn_str *s)
{
        if (!s->p)
                return 0;
        *s = qn_arena_dup(a, *s);
        return s->p ? 0 : -ENOMEM;
}

/* Control characters in what goes into a header line would end the line. */
static bool one_line(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
                        return false;
        return true;
}

int qn_http_job_retarget(struct qn_http_job *j)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_URL_MAX + 64);
        int r;

        if (qn_http_is_mail(&j->q))
                return qn_http_job_readdress(j);
        r = qn_url_write(&j->url, &b);
        if (r < 0)
                return -EINVAL;
        j->target = qn_arena_dup(&j->mem, qn_buf_view(&b));
        return j->target.p ? 0 : -ENOMEM;
}

/* User information in the URL is Basic authentication, as in npm, unless the configuration has something better. */
static int basic_from_url(struct qn_http_job *j)
{
        _cleanup_(qn_buf_done) struct qn_buf plain = QN_BUF_INIT(QN_URL_MAX),
                                             line = QN_BUF_INIT(QN_URL_MAX * 2);

        if (j->q.authorization.p || (!j->url.user.p && !j->url.password.p))
                return 0;
        qn_buf_str(&plain, j->url.user);
        qn_buf_byte(&plain, ':');
        qn_buf_str(&plain, j->url.password);
        qn_buf_puts(&line, "Basic ");
        qn_base64_encode(&line, plain.p, plain.n);
        if (plain.error || line.error)
                return -ENOMEM;
        j->q.authorization = qn_arena_dup(&j->mem, qn_buf_view(&line));
        return j->q.authorization.p ? 0 : -ENOMEM;
}

static int copy_request(struct qn_http_job *j)
{
        struct qn_str *fields[] = { QN_HTTP_REQUEST_TEXTS(&j->q) };
        int r;

        for (size_t i = 0; i < QN_ARRAY_SIZE(fields); i++) {
                r = copy(&j->mem, fields[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int start_at(struct qn_http_job *j)
{
        bool mail = qn_http_is_mail(&j->q);
        int r = mail ? qn_http_job_address(j) : qn_url_parse(j->q.url, &j->mem, &j->url, NULL);

        if (r == 0 && !mail)
                r = qn_http_job_retarget(j);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                j->failed = QN_HTTP_URL;
                return 0;
        }
        j->origin = j->url;
        return basic_from_url(j);
}

int qn_http_job_new(const struct qn_http_request *q, struct qn_http_job **ret)
{
        struct qn_http_job *j = calloc(1, sizeof *j);
        int r;

        if (!j)
                return -ENOMEM;
        j->fd = j->payload = -1;
        j->mem = QN_ARENA_INIT((size_t)4 << 20);
        j->q = *q;
        r = copy_request(j);
        if (r == 0)
                r = start_at(j);
        if (r < 0) {
                qn_http_job_free(j);
                return r;
        }
        if (!one_line(j->q.accept) || !one_line(j->q.authorization) || !one_line(j->q.etag))
                j->failed = QN_HTTP_CONFIG;
        *ret = j;
        return 0;
}

void qn_http_job_free(struct qn_http_job *j)
{
        if (j->easy)
                curl_easy_cleanup(j->easy);
        curl_slist_free_all(j->headers);
        curl_slist_free_all(j->recipients);
        qn_closep(&j->fd);
        qn_closep(&j->payload);
        qn_arena_done(&j->mem);
        free(j);
}

/* --- the body --- */

static long status_of(CURL *easy)
{
        long status = 0;

        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        return status;
}

bool qn_http_is_redirect(long status)
{
        return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool qn_http_job_keeps(const struct qn_http_job *j, long status)
{
        return status / 100 == 2 || (j->q.pass && (j->writes || !qn_http_is_redirect(status)));
}

static size_t refuse(struct qn_http_job *j, enum qn_http_code why)
{
        j->failed = why;
        return 0; /* libcurl ends the transfer when not all bytes were taken */
}

static size_t on_body(char *p, size_t one, size_t n, void *user)
{
        struct qn_http_job *j = user;

        (void)one; /* always 1 */
        if (n == 0)
                return 0;
        if (!qn_http_job_keeps(j, status_of(j->easy))) {
                j->size += n;
                return j->size > QN_HTTP_DISCARD_MAX ? 0 : n;
        }
        if (n > j->q.max || j->size > j->q.max - n)
                return refuse(j, QN_HTTP_TOO_LARGE);
        if (qn_io_write_fd(j->fd, (struct qn_str){ p, n }) < 0)
                return refuse(j, QN_HTTP_INTERNAL);
        j->size += n;
        return n;
}

int qn_http_job_rewind(struct qn_http_job *j)
{
        j->size = j->sent = 0;
        j->failed = QN_HTTP_OK;
        j->inside = false;
        if (ftruncate(j->fd, 0) < 0 || lseek(j->fd, 0, SEEK_SET) < 0)
                return -errno;
        return 0;
}

/* --- the handle --- */

int qn_http_job_header(struct qn_http_job *j, const char *name, struct qn_str value)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)1 << 20);
        struct curl_slist *list;

        if (!value.p)
                return 0;
        qn_buf_printf(&b, "%s: ", name);
        qn_buf_str(&b, value);
        list = qn_buf_error(&b) < 0 ? NULL : curl_slist_append(j->headers, b.p);
        if (!list)
                return -ENOMEM;
        j->headers = list;
        return 0;
}

static int headers(struct qn_http_job *j)
{
        bool home = qn_url_same_origin(&j->url, &j->origin);
        char range[64];
        int r = qn_http_job_header(j, "Accept", j->q.accept.p ? j->q.accept : QN_STR("*/*"));

        if (r == 0)
                r = qn_http_job_header(j, "If-None-Match", j->q.etag);
        if (r == 0 && home)
                r = qn_http_job_header(j, "Authorization", j->q.authorization);
        if (r == 0 && home)
                r = qn_http_job_describe(j);
        if (r == 0 && j->q.bytes) {
                snprintf(range, sizeof range, "bytes=%" PRIu64 "-%" PRIu64, j->q.from,
                         j->q.from + j->q.bytes - 1);
                r = qn_http_job_header(j, "Range", qn_str_c(range));
        }
        return r;
}

static void identity(struct qn_http_job *j)
{
        struct curl_blob cert = { (void *)(uintptr_t)j->q.cert.p, j->q.cert.n, CURL_BLOB_NOCOPY };
        struct curl_blob key = { (void *)(uintptr_t)j->q.key.p, j->q.key.n, CURL_BLOB_NOCOPY };

        if (!j->q.cert.p || !j->q.key.p || !qn_url_same_origin(&j->url, &j->origin))
                return;
        curl_easy_setopt(j->easy, CURLOPT_SSLCERT_BLOB, &cert);
        curl_easy_setopt(j->easy, CURLOPT_SSLKEY_BLOB, &key);
}

/* Milliseconds until the transfer has to end. */
static long time_left(const struct qn_http_job *j)
{
        uint64_t now = qn_io_nanos(), ms;

        if (!j->deadline)
                return QN_HTTP_TRANSFER_MS;
        ms = j->deadline > now ? (j->deadline - now + 999999u) / 1000000u : 1;
        return (long)QN_MIN(ms, (uint64_t)QN_HTTP_TRANSFER_MS);
}

static void timeouts(struct qn_http_job *j, const struct qn_http_opts *o)
{
        uint32_t idle = o->idle_ms && o->idle_ms < QN_HTTP_SLOW_S * 1000 ? o->idle_ms
                                                                         : QN_HTTP_SLOW_S * 1000;

        curl_easy_setopt(j->easy, CURLOPT_CONNECTTIMEOUT_MS,
                         (long)QN_MIN(idle, QN_HTTP_CONNECT_MS));
        curl_easy_setopt(j->easy, CURLOPT_LOW_SPEED_LIMIT, (long)QN_HTTP_SLOW_BYTES);
        curl_easy_setopt(j->easy, CURLOPT_LOW_SPEED_TIME, (long)QN_MAX(idle / 1000, 1u));
        curl_easy_setopt(j->easy, CURLOPT_TIMEOUT_MS, time_left(j));
}

static void trust(struct qn_http_job *j, const struct qn_http_opts *o)
{
        long verify = o->insecure ? 0 : 1;

        curl_easy_setopt(j->easy, CURLOPT_SSL_VERIFYPEER, verify);
        curl_easy_setopt(j->easy, CURLOPT_SSL_VERIFYHOST, verify * 2);
        curl_easy_setopt(j->easy, CURLOPT_PROXY_SSL_VERIFYPEER, verify);
        curl_easy_setopt(j->easy, CURLOPT_PROXY_SSL_VERIFYHOST, verify * 2);
        curl_easy_setopt(j->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
        curl_easy_setopt(j->easy, CURLOPT_CAINFO, NULL);
        curl_easy_setopt(j->easy, CURLOPT_CAPATH, NULL);
        curl_easy_setopt(j->easy, CURLOPT_PROXY_CAINFO, NULL);
        curl_easy_setopt(j->easy, CURLOPT_PROXY_CAPATH, NULL);
}

static void transport(struct qn_http_job *j, const struct qn_http_opts *o)
{
        const char *proxy = qn_http_is_mail(&j->q) ? NULL : qn_proxy_for(&o->proxies, &j->url);
        CURL *e = j->easy;

        j->proxied = proxy != NULL;
        curl_easy_setopt(e, CURLOPT_URL, j->target.p);
        curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
        curl_easy_setopt(e, CURLOPT_PIPEWAIT, 1L);
        curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
        curl_easy_setopt(e, CURLOPT_MAXFILESIZE_LARGE,
                         (curl_off_t)QN_MIN(j->q.max, (size_t)INT64_MAX));
        curl_easy_setopt(e, CURLOPT_BUFFERSIZE, 128L << 10);
        curl_easy_setopt(e, CURLOPT_USERAGENT, o->user_agent.p ? o->user_agent.p : "qanat");
        /* An empty string switches off what the environment says: the caller has decided. */
        curl_easy_setopt(e, CURLOPT_PROXY, proxy ? proxy : "");
        curl_easy_setopt(e, CURLOPT_NOPROXY, "");
        /* "identity" offers nothing, but undoes what a server compresses unasked, as npm's client does. */
        curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, j->q.compressed ? "" : "identity");
        curl_easy_setopt(e, CURLOPT_HTTPHEADER, j->headers);
        curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
        curl_easy_setopt(e, CURLOPT_WRITEDATA, j);
        curl_easy_setopt(e, CURLOPT_PRIVATE, j);
}

int qn_http_job_prepare(struct qn_http_job *j, const struct qn_http_opts *o)
{
        int r;

        curl_slist_free_all(j->headers);
        j->headers = NULL;
        r = headers(j);
        if (r < 0)
                return r;
        transport(j, o);
        qn_http_job_guard(j);
        qn_http_job_upload(j);
        timeouts(j, o);
        trust(j, o);
        identity(j);
        return qn_http_is_mail(&j->q) ? qn_http_job_mail(j) : 0;
}

/* --- where it leads --- */

enum qn_http_code qn_http_job_redirect(struct qn_http_job *j, const char *location)
{
        struct qn_url next;

        if (!location)
                return QN_HTTP_STATUS;
        if (j->redirects++ >= QN_HTTP_REDIRECTS)
                return QN_HTTP_MOVED;
        if (qn_url_parse(qn_str_c(location), &j->mem, &next, NULL) < 0 || (j->url.tls && !next.tls))
                return QN_HTTP_REDIRECT;
        /* Whoever redirects does not choose the credentials of the next request. */
        next.user = next.password = (struct qn_str){ 0 };
        j->url = next;
        return qn_http_job_retarget(j) < 0 ? QN_HTTP_REDIRECT : QN_HTTP_OK;
}

static struct qn_str answer_header(CURL *easy, const char *name)
{
        struct curl_header *h = NULL;

        if (!easy || curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &h) != CURLHE_OK)
                return (struct qn_str){ 0 };
        return qn_str_c(h->value);
}

/* All its values as one: servers that offer several ways to log in may give each a line of its own. */
static struct qn_str challenges(CURL *easy, struct qn_buf *b)
{
        struct curl_header *h = NULL;

        for (size_t i = 0; easy && i < QN_HTTP_CHALLENGES; i++) {
                if (curl_easy_header(easy, "www-authenticate", i, CURLH_HEADER, -1, &h) !=
                    CURLHE_OK)
                        break;
                if (i)
                        qn_buf_puts(b, ", ");
                qn_buf_puts(b, h->value);
        }
        return b->n && qn_buf_error(b) == 0 ? qn_buf_view(b) : (struct qn_str){ 0 };
}

/* "bytes 0-9/20" (RFC 9110, 14.4) → 20, 0 when it is not said.  -EINVAL: it is not the part that was asked for. */
static int part_of(const struct qn_http_job *j, int status, uint64_t *ret_total)
{
        struct qn_str s = answer_header(j->easy, "content-range"), unit = qn_str_cut(&s, ' '),
                      span = qn_str_cut(&s, '/');
        uint64_t from, total;

        *ret_total = 0;
        if (status != 206)
                return 0;
        if (!j->q.bytes || !qn_str_is(unit, "bytes") ||
            qn_str_u64(qn_str_cut(&span, '-'), &from) < 0 || from != j->q.from)
                return -EINVAL;
        if (qn_str_u64(s, &total) == 0)
                *ret_total = total;
        return 0;
}

void qn_http_job_finish(struct qn_http_job *j, enum qn_http_code code, int status)
{
        _cleanup_(qn_buf_done) struct qn_buf message = QN_BUF_INIT(2048),
                                             ways = QN_BUF_INIT(QN_FETCH_HEADER_MAX);
        struct qn_http_result res = { 0 };
        uint64_t total;

        if (part_of(j, status, &total) < 0 && code == QN_HTTP_OK)
                code = QN_HTTP_STATUS;
        qn_http_explain(j, code, status, &message);
        res = (struct qn_http_result){
                .code = code,
                .status = status,
                .fd = -1,
                .size = code == QN_HTTP_OK && status != 304 ? j->size : 0,
                .total = total,
                .tries = j->tries,
                .message = message.p ? message.p : "",
                .url = j->target,
                .etag = answer_header(j->easy, "etag"),
                .last_modified = answer_header(j->easy, "last-modified"),
                .cache_control = answer_header(j->easy, "cache-control"),
                .content_type = answer_header(j->easy, "content-type"),
                .date = answer_header(j->easy, "date"),
                .link = answer_header(j->easy, "link"),
                .authenticate = challenges(j->easy, &ways),
                .notice = answer_header(j->easy, "npm-notice"),
                .retry_after = answer_header(j->easy, "retry-after"),
                .location = answer_header(j->easy, "location"),
        };
        j->done(&res, j->user);
}
