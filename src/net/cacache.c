#include "net/cacache.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/io.h"
#include "base/limits.h"
#include "parse/json.h"

struct qn_cacache {
        int dir;
        struct qn_arena mem; /* scratch of one call */
};

int qn_cacache_open(const char *dir, struct qn_cacache **ret)
{
        _cleanup_(qn_cacache_freep) struct qn_cacache *c = calloc(1, sizeof *c);

        if (!c)
                return -ENOMEM;
        c->mem = QN_ARENA_INIT(QN_CACACHE_BUCKET_MAX * 2);
        c->dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (c->dir < 0)
                return -errno;
        *ret = TAKE_PTR(c);
        return 0;
}

struct qn_cacache *qn_cacache_free(struct qn_cacache *c)
{
        if (!c)
                return NULL;
        qn_closep(&c->dir);
        qn_arena_done(&c->mem);
        free(c);
        return NULL;
}

void qn_cacache_freep(struct qn_cacache **c)
{
        *c = qn_cacache_free(*c);
}

/* A regular file below the cache, reached without links: -ENOENT also stands for whatever is no such file. */
static int open_file(const struct qn_cacache *c, const char *path, uint64_t *ret_size)
{
        struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW,
                                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
        int fd = (int)syscall(SYS_openat2, c->dir, path, &how, sizeof how);
        struct stat st;

        if (fd < 0 && (errno == ENOSYS || errno == EPERM))
                fd = openat(c->dir, path, (int)how.flags);
        if (fd < 0)
                return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -errno : -ENOENT;
        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
                close(fd);
                return -ENOENT;
        }
        *ret_size = (uint64_t)st.st_size;
        return fd;
}

/* "<top>/<aa>/<bb>/<rest>" of a digest, as both halves of the cache name their files. */
static int segments(const char *top, const void *digest, size_t n, struct qn_buf *b)
{
        _cleanup_(qn_buf_done) struct qn_buf hex = QN_BUF_INIT(2 * QN_DIGEST_BYTES_MAX);

        if (qn_hex_encode(&hex, digest, n) < 0 || hex.n < 6)
                return -EINVAL;
        return qn_buf_printf(b, "%s/%.2s/%.2s/%s", top, hex.p, hex.p + 2, hex.p + 4);
}

/* --- content --- */

static int open_digest(struct qn_cacache *c, enum qn_digest d, struct qn_str hash,
                       uint64_t *ret_size)
{
        _cleanup_(qn_buf_done) struct qn_buf path = QN_BUF_INIT(512);
        struct qn_str raw;
        char top[32];
        int r = qn_base64_decode(hash, &c->mem, &raw);

        if (r < 0 || raw.n != qn_digest_size(d))
                return -EINVAL;
        snprintf(top, sizeof top, "content-v2/%s", qn_digest_name(d));
        r = segments(top, raw.p, raw.n, &path);
        return r < 0 ? r : open_file(c, path.p, ret_size);
}

/* The hashes of one algorithm in an integrity text; the first that is there. */
static int open_algorithm(struct qn_cacache *c, enum qn_digest d, struct qn_str integrity,
                          uint64_t *ret_size)
{
        int best = -EINVAL;

        while (integrity.p) {
                struct qn_str one = qn_str_cut(&integrity, ' '), name, hash;
                int r;

                hash = qn_str_trim(one);
                name = qn_str_cut(&hash, '-');
                if (!hash.p || !qn_str_is(name, qn_digest_name(d)))
                        continue;
                r = open_digest(c, d, qn_str_cut(&hash, '?'), ret_size);
                if (r >= 0)
                        return r;
                best = r == -EINVAL ? best : r;
        }
        return best;
}

int qn_cacache_content(struct qn_cacache *c, struct qn_str integrity, int *ret_fd,
                       uint64_t *ret_size)
{
        int best = -EINVAL;

        if (integrity.n > 4096)
                return -EINVAL;
        qn_arena_reset(&c->mem, (size_t)64 << 10);
        for (int d = QN_DIGEST_MAX; d-- > 0;) {
                int r = open_algorithm(c, (enum qn_digest)d, integrity, ret_size);

                if (r >= 0) {
                        *ret_fd = r;
                        return 0;
                }
                best = r == -EINVAL ? best : r;
        }
        return best;
}

/* --- index --- */

int qn_cacache_url_key(struct qn_str url, struct qn_arena *a, struct qn_str *ret)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_URL_MAX + 64);

        qn_buf_puts(&b, "make-fetch-happen:request-cache:");
        qn_buf_str(&b, url);
        if (qn_buf_error(&b) < 0)
                return b.error;
        *ret = qn_arena_dup(a, qn_buf_view(&b));
        return ret->p ? 0 : -ENOBUFS;
}

static bool sum_matches(struct qn_str sum, struct qn_str text)
{
        _cleanup_(qn_buf_done) struct qn_buf hex = QN_BUF_INIT(2 * QN_DIGEST_BYTES_MAX);
        uint8_t digest[QN_DIGEST_BYTES_MAX];

        if (qn_digest(QN_SHA1, text.p, text.n, digest) < 0 ||
            qn_hex_encode(&hex, digest, qn_digest_size(QN_SHA1)) < 0)
                return false;
        return qn_str_eq(sum, qn_buf_view(&hex));
}

static void read_metadata(const struct qn_node *meta, struct qn_cacache_entry *e)
{
        const struct qn_node *req = qn_node_get(meta, "reqHeaders"),
                             *res = qn_node_get(meta, "resHeaders");

        e->url = qn_node_text(qn_node_get(meta, "url"));
        e->time_ms = qn_node_u64(qn_node_get(meta, "time"), e->time_ms);
        e->status = qn_node_u64(qn_node_get(meta, "status"), 0);
        e->accept = qn_node_text(qn_node_get(req, "accept"));
        e->etag = qn_node_text(qn_node_get(res, "etag"));
        e->last_modified = qn_node_text(qn_node_get(res, "last-modified"));
        e->cache_control = qn_node_text(qn_node_get(res, "cache-control"));
        e->content_type = qn_node_text(qn_node_get(res, "content-type"));
        e->date = qn_node_text(qn_node_get(res, "date"));
        e->expires = qn_node_text(qn_node_get(res, "expires"));
        e->vary = qn_node_text(qn_node_get(res, "vary"));
}

int qn_cacache_line(struct qn_str line, struct qn_arena *a, struct qn_cacache_entry *ret)
{
        struct qn_cacache_entry e = { 0 };
        struct qn_str sum = qn_str_cut(&line, '\t'), text = qn_str_cut(&line, '\t');
        struct qn_node *root = NULL;
        int r;

        if (!text.n || text.n > QN_CACACHE_LINE_MAX || !sum_matches(sum, text))
                return -EBADMSG;
        r = qn_json_parse(qn_cur_str(text), a, &root, NULL);
        if (r < 0)
                return r == -ENOBUFS ? r : -EBADMSG;
        e.key = qn_node_text(qn_node_get(root, "key"));
        e.integrity = qn_node_text(qn_node_get(root, "integrity"));
        e.size = qn_node_u64(qn_node_get(root, "size"), 0);
        e.time_ms = qn_node_u64(qn_node_get(root, "time"), 0);
        read_metadata(qn_node_get(root, "metadata"), &e);
        if (!e.key.p)
                return -EBADMSG;
        *ret = e;
        return !e.integrity.p && !e.status;
}

int qn_cacache_bucket(struct qn_cacache *c, struct qn_str key, int *ret_fd)
{
        _cleanup_(qn_buf_done) struct qn_buf path = QN_BUF_INIT(512);
        uint8_t digest[QN_DIGEST_BYTES_MAX];
        uint64_t size;
        int r = qn_digest(QN_SHA256, key.p, key.n, digest);

        if (r == 0)
                r = segments("index-v5", digest, qn_digest_size(QN_SHA256), &path);
        if (r == 0)
                r = open_file(c, path.p, &size);
        if (r < 0)
                return r;
        *ret_fd = r;
        return 0;
}

/* An entry's texts point into the bucket and the scratch arena; what is given away lives in the caller's. */
static int keep(const struct qn_cacache_entry *e, struct qn_arena *a, struct qn_cacache_entry *ret)
{
        struct qn_cacache_entry out = *e;
        struct qn_str *texts[] = { &out.key,           &out.integrity,    &out.url,
                                   &out.accept,        &out.etag,         &out.last_modified,
                                   &out.cache_control, &out.content_type, &out.date,
                                   &out.expires,       &out.vary };
        int r;

        r = qn_arena_keep(a, texts, QN_ARRAY_SIZE(texts));
        if (r == 0)
                *ret = out;
        return r;
}

int qn_cacache_pick(struct qn_str bucket, struct qn_str key, qn_cacache_wanted *wanted, void *user,
                    struct qn_arena *a, struct qn_cacache_entry *ret)
{
        _cleanup_(qn_arena_done) struct qn_arena scratch = QN_ARENA_INIT(QN_CACACHE_LINE_MAX * 64);

        /* Appended to, so the newest is last: the first fit from the end is the answer. */
        while (bucket.n) {
                ptrdiff_t nl = qn_str_rchr(bucket, '\n');
                struct qn_cacache_entry e;
                int r;

                qn_arena_reset(&scratch, QN_CACACHE_LINE_MAX);
                r = qn_cacache_line(qn_str_skip(bucket, (size_t)(nl + 1)), &scratch, &e);
                bucket.n = nl < 0 ? 0 : (size_t)nl;
                if (r < 0 || !qn_str_eq(e.key, key))
                        continue;
                if (r == 1)
                        return -ENOENT;
                if (!wanted || wanted(&e, user))
                        return keep(&e, a, ret);
        }
        return -ENOENT;
}

/* --- freshness --- */

/* The value of a cache-control directive: 1 when it is there, with its number in *ret. */
static bool directive(struct qn_str header, const char *name, uint64_t *ret)
{
        while (header.p) {
                struct qn_str value = qn_str_trim(qn_str_cut(&header, ',')),
                              key = qn_str_trim(qn_str_cut(&value, '='));

                if (!qn_str_ieq(key, qn_str_c(name)))
                        continue;
                value = qn_str_trim(value);
                if (value.n >= 2 && qn_str_starts(value, "\"") && qn_str_ends(value, "\""))
                        value = (struct qn_str){ value.p + 1, value.n - 2 };
                if (qn_str_u64(value, ret) < 0)
                        *ret = 0;
                return true;
        }
        return false;
}

static int64_t http_date(struct qn_str s)
{
        struct tm tm = { 0 };
        char text[64];

        if (s.n == 0 || s.n >= sizeof text)
                return -1;
        memcpy(text, s.p, s.n);
        text[s.n] = '\0';
        if (!strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm)) /* RFC 9110, 5.6.7 */
                return -1;
        return (int64_t)timegm(&tm);
}

uint64_t qn_cacache_lifetime_s(const struct qn_cacache_entry *e)
{
        uint64_t value = 0;
        int64_t expires, date;

        if (directive(e->cache_control, "no-cache", &value) ||
            directive(e->cache_control, "no-store", &value) || qn_str_is(e->vary, "*"))
                return 0;
        if (directive(e->cache_control, "max-age", &value))
                return QN_MIN(value, (uint64_t)1 << 31);
        expires = http_date(e->expires);
        date = e->date.p ? http_date(e->date) : (int64_t)(e->time_ms / 1000);
        return expires > date && date >= 0 ? (uint64_t)(expires - date) : 0;
}

bool qn_cacache_fresh(uint64_t time_ms, uint64_t life_s, uint64_t now_ms)
{
        return life_s && time_ms && time_ms <= now_ms && (now_ms - time_ms) / 1000 < life_s;
}
