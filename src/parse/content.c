#include "parse/content.h"

#include <errno.h>

#include "base/hash.h"
#include "base/limits.h"

bool qn_content_counts(struct qn_str path)
{
        static const char *const ends[] = { ".js",  ".mjs", ".cjs", ".jsx", ".ts",  ".mts",
                                            ".cts", ".tsx", ".css", ".vue", ".wasm" };
        struct qn_str name = qn_str_base(path);

        for (size_t i = 0; i < QN_ARRAY_SIZE(ends); i++)
                if (qn_str_ends(name, ends[i]))
                        return true;
        return qn_str_is(name, "package.json");
}

static struct qn_str trim_end(struct qn_str s)
{
        while (s.n && strchr(" \t\r\n", s.p[s.n - 1]))
                s.n--;
        return s;
}

/* "//# sourceMappingURL=…", the last line of many a file, names another file. */
static struct qn_str cut_map(struct qn_str s)
{
        ptrdiff_t at = qn_str_rchr(s, '\n');
        struct qn_str last = qn_str_skip(s, (size_t)(at + 1));

        if (qn_str_starts(last, "//# sourceMappingURL=") ||
            qn_str_starts(last, "//@ sourceMappingURL=") ||
            qn_str_starts(last, "/*# sourceMappingURL="))
                return trim_end(qn_str_take(s, (size_t)(at + 1)));
        return s;
}

static int unify_lines(struct qn_str s, struct qn_buf *out)
{
        qn_buf_reset(out);
        while (s.n) {
                ptrdiff_t at = qn_str_find(s, QN_STR("\r\n"));
                struct qn_str part = qn_str_take(s, at < 0 ? s.n : (size_t)at);

                qn_buf_str(out, part);
                if (at >= 0)
                        qn_buf_byte(out, '\n');
                s = qn_str_skip(s, part.n + (at < 0 ? 0 : 2));
        }
        return qn_buf_error(out);
}

static bool is_text(struct qn_str s)
{
        return !memchr(s.p, '\0', QN_MIN(s.n, (size_t)4096));
}

int qn_content_id(struct qn_str bytes, struct qn_buf *room, struct qn_content_id *ret)
{
        uint8_t digest[QN_DIGEST_BYTES_MAX];
        int r = 0;

        if (bytes.n && is_text(bytes)) {
                bytes = qn_str_skip(bytes, qn_str_starts(bytes, "\xef\xbb\xbf") ? 3 : 0);
                if (bytes.n && memchr(bytes.p, '\r', bytes.n)) {
                        r = unify_lines(bytes, room);
                        bytes = qn_buf_view(room);
                }
                bytes = cut_map(trim_end(bytes));
        }
        if (r < 0)
                return r == -ENOBUFS ? -EFBIG : r;
        if (bytes.n < QN_CONTENT_MIN)
                return 0;
        if (bytes.n > QN_FILE_MAX)
                return -EFBIG;
        r = qn_digest(QN_SHA256, bytes.p, bytes.n, digest);
        if (r < 0)
                return r;
        memcpy(ret->hash, digest, sizeof ret->hash);
        ret->size = (uint32_t)bytes.n;
        return 1;
}
