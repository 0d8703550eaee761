#include "observe/known.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "event/event.h"
#include "observe/classify.h"
#include "observe/literal-shape.h"
#include "parse/wallet.h"

#define MAGIC      UINT64_C(0x31776f6e6b4e51) /* "QNknow1" */
#define HOST_MAX   253u
#define FILE_MIN   256u /* smaller ones are alike everywhere */
#define FILE_MAX   ((size_t)64 << 20)
#define KIND_PRIME UINT64_C(0x9e3779b97f4a7c15)

struct head {
        uint64_t magic, n, files;
};

static int cmp_key(const void *a, const void *b)
{
        const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return (x > y) - (x < y);
}

void qn_known_write(uint64_t *keys, size_t n, bool files, struct qn_buf *out)
{
        const struct head h = { MAGIC, n, files };

        if (n)
                qsort(keys, n, sizeof *keys, cmp_key);
        qn_buf_add(out, &h, sizeof h);
        qn_buf_add(out, keys, n * sizeof *keys);
}

int qn_known_open(struct qn_cur bytes, struct qn_known *ret)
{
        struct head h;

        *ret = (struct qn_known){ 0 };
        if (!qn_cur_left(&bytes))
                return 0;
        if (qn_cur_copy(&bytes, sizeof h, &h) < 0 || h.magic != MAGIC ||
            h.n != qn_cur_left(&bytes) / sizeof(uint64_t) || (uintptr_t)bytes.p % sizeof(uint64_t))
                return -EBADMSG;
        ret->keys = (const uint64_t *)(const void *)bytes.p;
        ret->n = h.n;
        ret->files = h.files;
        return 0;
}

uint64_t qn_known_key(enum qn_indicator_kind kind, struct qn_str value)
{
        value = qn_indicator_key(kind, value);
        return qn_hash64(value.p, value.n) ^ KIND_PRIME * ((uint64_t)kind + 1);
}

static bool has(const struct qn_known *k, enum qn_indicator_kind kind, struct qn_str value)
{
        uint64_t key = qn_known_key(kind, value);

        return bsearch(&key, k->keys, k->n, sizeof key, cmp_key) != NULL;
}

static bool tell(enum qn_indicator_kind kind, struct qn_str value, struct qn_event *ret)
{
        *ret = qn_event_make(QN_EVENT_INTEL_MATCH, QN_LAYER_STATIC, QN_FILE_NONE);
        qn_event_attr(ret, QN_ATTR_WHAT, QN_STR("listed"));
        qn_event_attr(ret, QN_ATTR_CLASS, qn_str_c(qn_indicator_name(kind)));
        qn_event_attr(ret, QN_ATTR_VALUE, value);
        return true;
}

/* Letters, digits, '-' and '.', with a dot inside: lower-case, as hosts are listed. */
static bool is_host(struct qn_str s)
{
        bool dot = false;

        if (s.n < 4 || s.n > HOST_MAX)
                return false;
        for (size_t i = 0; i < s.n; i++) {
                char c = s.p[i];

                dot |= c == '.' && i > 0 && i + 1 < s.n;
                if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
                      c == ':'))
                        return false;
        }
        return dot;
}

/* The host, or a domain above it down to two labels. */
static bool look_for_host(const struct qn_known *k, struct qn_str host, struct qn_event *ret)
{
        if (!is_host(host))
                return false;
        if (has(k, QN_IOC_IP, host))
                return tell(QN_IOC_IP, host, ret);
        while (memchr(host.p, '.', host.n)) {
                if (has(k, QN_IOC_DOMAIN, host))
                        return tell(QN_IOC_DOMAIN, host, ret);
                (void)qn_str_cut(&host, '.');
        }
        return false;
}

bool qn_known_text(const struct qn_known *k, struct qn_str text, struct qn_event *ret)
{
        struct qn_url url;

        if (!k->n)
                return false;
        if (qn_wallet_address(text) != QN_WALLET_NONE && has(k, QN_IOC_WALLET, text))
                return tell(QN_IOC_WALLET, text, ret);
        if (has(k, QN_IOC_URL, text))
                return tell(QN_IOC_URL, text, ret);
        if (!qn_url_split(text, false, &url))
                return look_for_host(k, text, ret);
        return look_for_host(k, url.host, ret);
}

/* What packages share, or what is nothing that runs. */
static bool is_program(struct qn_str path)
{
        static const char *const others[] = { ".json", ".md",   ".map", ".d.ts", ".css",
                                              ".scss", ".html", ".svg", ".png",  ".jpg",
                                              ".gif",  ".txt",  ".yml", ".yaml", ".woff" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(others); i++)
                if (qn_str_ends(path, others[i]))
                        return false;
        return true;
}

bool qn_known_file(const struct qn_known *k, struct qn_str path, struct qn_cur content,
                   char hex[65], struct qn_event *ret)
{
        static const char digits[] = "0123456789abcdef";
        uint8_t sum[QN_DIGEST_BYTES_MAX];
        size_t n = qn_cur_left(&content);

        if (!k->files || n < FILE_MIN || n > FILE_MAX || !is_program(path) ||
            qn_digest(QN_SHA256, content.p, n, sum) < 0)
                return false;
        for (size_t i = 0; i < 32; i++) {
                hex[2 * i] = digits[sum[i] >> 4];
                hex[2 * i + 1] = digits[sum[i] & 15];
        }
        hex[64] = '\0';
        return has(k, QN_IOC_SHA256, (struct qn_str){ hex, 64 }) &&
               tell(QN_IOC_SHA256, (struct qn_str){ hex, 64 }, ret);
}
