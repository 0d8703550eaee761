#include "parse/indicator.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>

#include "base/arena.h"
#include "parse/sri.h"
#include "parse/wallet.h"

#define HOST_MAX  253u
#define LABEL_MAX 63u

static const char *const names[QN_IOC_MAX] = {
        [QN_IOC_SHA256] = "sha256", [QN_IOC_SHA1] = "sha1", [QN_IOC_SHA512] = "sha512",
        [QN_IOC_DOMAIN] = "domain", [QN_IOC_IP] = "ip",     [QN_IOC_URL] = "url",
        [QN_IOC_WALLET] = "wallet", [QN_IOC_FILE] = "file",
};

/* What lists call them. */
static const struct {
        const char *name;
        enum qn_indicator_kind kind;
} others[] = {
        { "hash", QN_IOC_SHA256 },      { "sha-256", QN_IOC_SHA256 },    { "sha-1", QN_IOC_SHA1 },
        { "integrity", QN_IOC_SHA512 }, { "sha512_sri", QN_IOC_SHA512 }, { "host", QN_IOC_DOMAIN },
        { "hostname", QN_IOC_DOMAIN },  { "fqdn", QN_IOC_DOMAIN },       { "ipv4", QN_IOC_IP },
        { "ipv6", QN_IOC_IP },          { "ip_address", QN_IOC_IP },     { "uri", QN_IOC_URL },
        { "address", QN_IOC_WALLET },   { "filename", QN_IOC_FILE },     { "path", QN_IOC_FILE },
};

const char *qn_indicator_name(enum qn_indicator_kind kind)
{
        return names[kind];
}

int qn_indicator_from_name(struct qn_str name, enum qn_indicator_kind *ret)
{
        for (unsigned i = 0; i < QN_IOC_MAX; i++)
                if (qn_str_ieq(name, qn_str_c(names[i]))) {
                        *ret = i;
                        return 0;
                }
        for (size_t i = 0; i < QN_ARRAY_SIZE(others); i++)
                if (qn_str_ieq(name, qn_str_c(others[i].name))) {
                        *ret = others[i].kind;
                        return 0;
                }
        return -EINVAL;
}

/* --- shapes: all of them look at text in lower case --- */

static bool is_hex(struct qn_str s, size_t n)
{
        for (size_t i = 0; i < s.n; i++)
                if (!isxdigit((unsigned char)s.p[i]))
                        return false;
        return s.n == n;
}

static bool is_label(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!isalnum((unsigned char)s.p[i]) && s.p[i] != '-' && s.p[i] != '_')
                        return false;
        return s.n && s.n <= LABEL_MAX && s.p[0] != '-' && s.p[s.n - 1] != '-';
}

static bool is_host(struct qn_str s)
{
        struct qn_str rest = s, label = { 0 };
        size_t labels = 0;

        if (s.n > HOST_MAX)
                return false;
        while (rest.p) {
                label = qn_str_cut(&rest, '.');
                if (!is_label(label))
                        return false;
                labels++;
        }
        /* the last label of a name is no number: 1.2.3 is a version, 1.2.3.4 an address */
        return labels > 1 && !isdigit((unsigned char)label.p[label.n - 1]);
}

static bool is_ip(struct qn_str s)
{
        unsigned char bytes[16];
        char text[INET6_ADDRSTRLEN + 1];

        if (s.n == 0 || s.n >= sizeof text)
                return false;
        memcpy(text, s.p, s.n);
        text[s.n] = '\0';
        return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static bool is_printable(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f)
                        return false;
        return s.n > 0;
}

static bool is_url(struct qn_str s)
{
        ptrdiff_t colon = qn_str_find(s, QN_STR("://")), slash = qn_str_chr(s, '/');

        if (colon < 0 && slash > 0 && is_printable(s)) { /* "host/path", as many lists have it */
                struct qn_str host = qn_str_take(s, (size_t)slash);
                ptrdiff_t port = qn_str_chr(host, ':');

                host = port > 0 ? qn_str_take(host, (size_t)port) : host;
                return is_host(host) || is_ip(host);
        }
        if (colon < 2 || !is_printable(s) || (size_t)colon + 3 >= s.n)
                return false;
        for (ptrdiff_t i = 0; i < colon; i++)
                if (!isalnum((unsigned char)s.p[i]) && s.p[i] != '+')
                        return false;
        return true;
}

static bool is_sri(struct qn_str s)
{
        struct qn_sri sri;

        return qn_str_starts(s, "sha512-") && qn_sri_parse(s, &sri) == 0;
}

static bool is_wallet(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!isalnum((unsigned char)s.p[i]) && s.p[i] != ':')
                        return false;
        return s.n >= 25 && s.n <= 110;
}

/* Ethereum's form is the one that cannot be anything else. */

static bool is_path(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
                        return false;
        return s.n > 0 && s.n <= 1024;
}

static bool fits(enum qn_indicator_kind kind, struct qn_str s)
{
        switch (kind) {
        case QN_IOC_SHA256:
                return is_hex(s, 64);
        case QN_IOC_SHA1:
                return is_hex(s, 40);
        case QN_IOC_SHA512:
                return is_sri(s);
        case QN_IOC_DOMAIN:
                return is_host(s);
        case QN_IOC_IP:
                return is_ip(s);
        case QN_IOC_URL:
                return is_url(s);
        case QN_IOC_WALLET:
                return is_wallet(s);
        case QN_IOC_FILE:
                return is_path(s);
        case QN_IOC_MAX:
                break;
        }
        return false;
}

/* --- the one form --- */

static bool has_case(enum qn_indicator_kind kind)
{
        return kind == QN_IOC_SHA512 || kind == QN_IOC_URL || kind == QN_IOC_WALLET ||
               kind == QN_IOC_FILE;
}

/* In place: "[.]" and "(.)" become ".", "[:]" becomes ":". */
static size_t undo_brackets(char *p, size_t n)
{
        size_t to = 0;

        for (size_t i = 0; i < n; i++) {
                bool wrapped =
                        i + 2 < n && (p[i + 1] == '.' || p[i + 1] == ':') &&
                        ((p[i] == '[' && p[i + 2] == ']') || (p[i] == '(' && p[i + 2] == ')'));

                p[to++] = wrapped ? p[i + 1] : p[i];
                i += wrapped ? 2 : 0;
        }
        return to;
}

/* Scheme and host of a URL know no case. */
static void lower_host(char *p, size_t n)
{
        struct qn_str s = { p, n };
        ptrdiff_t colon = qn_str_find(s, QN_STR("://"));
        size_t from = colon < 0 ? 0 : (size_t)colon + 3;

        for (size_t i = 0; i < n && (i < from || p[i] != '/'); i++)
                p[i] = (char)tolower((unsigned char)p[i]);
}

/* "host:443", "1.2.3.4:80": one colon, digits behind it. */
static size_t without_port(struct qn_str s)
{
        ptrdiff_t colon = qn_str_chr(s, ':');
        uint64_t port;

        if (colon <= 0 || qn_str_u64(qn_str_skip(s, (size_t)colon + 1), &port) < 0 || port > 65535)
                return s.n;
        return (size_t)colon;
}

int qn_indicator_read(enum qn_indicator_kind kind, struct qn_str text, struct qn_arena *a,
                      struct qn_str *ret)
{
        struct qn_str copy = qn_arena_dup(a, qn_str_trim(text));
        char *p = (char *)(uintptr_t)copy.p; /* our own copy */

        if (!p)
                return -ENOBUFS;
        if (kind == QN_IOC_DOMAIN || kind == QN_IOC_IP || kind == QN_IOC_URL)
                copy.n = undo_brackets(p, copy.n);
        if (kind == QN_IOC_URL && copy.n > 4 && qn_str_ieq(qn_str_take(copy, 4), QN_STR("hxxp")))
                memcpy(p, "http", 4);
        for (size_t i = 0; i < copy.n && !has_case(kind); i++)
                p[i] = (char)tolower((unsigned char)p[i]);
        if (kind == QN_IOC_URL)
                lower_host(p, copy.n);
        if (kind == QN_IOC_DOMAIN || kind == QN_IOC_IP)
                copy.n = without_port(copy);
        if (kind == QN_IOC_DOMAIN && copy.n && p[copy.n - 1] == '.')
                copy.n--;
        if (!fits(kind, copy))
                return -EINVAL;
        *ret = copy;
        return 0;
}

int qn_indicator_guess(struct qn_str text, struct qn_arena *a, struct qn_indicator *ret)
{
        static const enum qn_indicator_kind order[] = {
                QN_IOC_SHA512, QN_IOC_SHA256, QN_IOC_SHA1, QN_IOC_URL, QN_IOC_IP, QN_IOC_DOMAIN
        };
        struct qn_str value;

        if (qn_wallet_address(qn_str_trim(text)) != QN_WALLET_NONE) {
                *ret = (struct qn_indicator){ .kind = QN_IOC_WALLET, .value = qn_str_trim(text) };
                return 0;
        }
        for (size_t i = 0; i < QN_ARRAY_SIZE(order); i++) {
                int r = qn_indicator_read(order[i], text, a, &value);

                if (r == -ENOBUFS)
                        return r;
                if (r == 0) {
                        *ret = (struct qn_indicator){ .kind = order[i], .value = value };
                        return 0;
                }
        }
        return -EINVAL;
}

struct qn_str qn_indicator_key(enum qn_indicator_kind kind, struct qn_str value)
{
        ptrdiff_t colon = kind == QN_IOC_URL ? qn_str_find(value, QN_STR("://")) : -1;

        return colon < 0 ? value : qn_str_skip(value, (size_t)colon + 3);
}
