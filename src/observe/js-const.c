/* Text that programs put together from constants: what a reader could work out, no more. */
#include "base/buf.h"
#include "base/hash.h"
#include "observe/js-priv.h"

#define TEXT_MAX ((size_t)1 << 20)

static struct qn_str none(void)
{
        return (struct qn_str){ NULL, 0 };
}

static struct qn_str decode_percent(struct qn_arena *a, struct qn_str s)
{
        char *p = qn_arena_alloc(a, s.n + 1);
        size_t n = 0;

        for (size_t i = 0; p && i < s.n; i++) {
                unsigned v = 0;
                bool ok = s.p[i] == '%' && i + 2 < s.n;

                for (size_t k = 1; ok && k < 3; k++) {
                        char c = s.p[i + k];

                        if (c >= '0' && c <= '9')
                                v = v * 16 + (unsigned)(c - '0');
                        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
                                v = v * 16 + (unsigned)((c | 0x20) - 'a' + 10);
                        else
                                ok = false;
                }
                p[n++] = ok ? (char)v : s.p[i];
                i += ok ? 2 : 0;
        }
        return p ? (struct qn_str){ p, n } : none();
}

struct qn_str qn_jso_const_decode(struct qn_arena *a, struct qn_str text, struct qn_str encoding)
{
        struct qn_str out = none();

        if (text.n > TEXT_MAX)
                return none();
        if (qn_str_is(encoding, "base64") || qn_str_is(encoding, "base64url")) {
                if (qn_base64_decode(text, a, &out) < 0)
                        return none();
        } else if (qn_str_is(encoding, "hex")) {
                if (qn_hex_decode(text, a, &out) < 0)
                        return none();
        } else if (qn_str_is(encoding, "percent")) {
                out = decode_percent(a, text);
        } else {
                return text; /* utf8, latin1, ascii: as it is */
        }
        return out;
}

struct qn_str qn_jso_const_join(struct qn_arena *a, const struct qn_str *parts, size_t n,
                                struct qn_str sep)
{
        size_t total = 0, at = 0;
        char *p;

        for (size_t i = 0; i < n; i++)
                total += parts[i].n + (i ? sep.n : 0);
        if (total > TEXT_MAX || !(p = qn_arena_alloc(a, total + 1)))
                return none();
        for (size_t i = 0; i < n; i++) {
                if (i && sep.n) {
                        memcpy(p + at, sep.p, sep.n);
                        at += sep.n;
                }
                if (parts[i].n)
                        memcpy(p + at, parts[i].p, parts[i].n);
                at += parts[i].n;
        }
        return (struct qn_str){ p, at };
}

static size_t parent_of(const char *p, size_t n)
{
        while (n && p[n - 1] != '/')
                n--;
        return n ? n - 1 : 0;
}

/* path.join, with ~ and . kept in front; an absolute part starts anew, as path.resolve() has it. */
struct qn_str qn_jso_const_path(struct qn_arena *a, const struct qn_str *parts, size_t n)
{
        struct qn_str all = qn_jso_const_join(a, parts, n, QN_STR("/")), rest = all;
        char *p;
        size_t at = 0;
        bool absolute = all.n && all.p[0] == '/';

        if (!all.p || !(p = qn_arena_alloc(a, all.n + 2)))
                return none();
        if (absolute)
                p[at++] = '/';
        while (rest.n) {
                struct qn_str part = qn_str_cut(&rest, '/');

                if (part.n == 0 || (qn_str_is(part, ".") && at))
                        continue;
                if (qn_str_is(part, "..") && at > absolute && !(at == 1 && p[0] == '.') &&
                    p[at - 1] != '*') {
                        at = parent_of(p, at);
                        continue;
                }
                if (at > absolute)
                        p[at++] = '/';
                memcpy(p + at, part.p, part.n);
                at += part.n;
        }
        return (struct qn_str){ p, at };
}
