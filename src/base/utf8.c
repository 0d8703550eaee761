#include "base/utf8.h"

static bool is_tail(unsigned char c)
{
        return (c & 0xc0) == 0x80;
}

size_t qn_utf8_next(struct qn_str s, uint32_t *ret)
{
        const unsigned char *p = (const unsigned char *)s.p;
        uint32_t cp;

        *ret = 0xfffd;
        if (p[0] < 0x80) {
                *ret = p[0];
                return 1;
        }
        if (p[0] >= 0xc2 && p[0] <= 0xdf && s.n >= 2 && is_tail(p[1])) {
                *ret = (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
                return 2;
        }
        if ((p[0] & 0xf0) == 0xe0 && s.n >= 3 && is_tail(p[1]) && is_tail(p[2])) {
                cp = (uint32_t)(p[0] & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
                if (cp < 0x800 || (cp >= 0xd800 && cp <= 0xdfff))
                        return 1;
                *ret = cp;
                return 3;
        }
        if (p[0] >= 0xf0 && p[0] <= 0xf4 && s.n >= 4 && is_tail(p[1]) && is_tail(p[2]) &&
            is_tail(p[3])) {
                cp = (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3f) << 12 |
                     (uint32_t)(p[2] & 0x3f) << 6 | (p[3] & 0x3f);
                if (cp < 0x10000 || cp > 0x10ffff)
                        return 1;
                *ret = cp;
                return 4;
        }
        return 1;
}

size_t qn_utf8_ascii_run(struct qn_str s)
{
        size_t i = 0;

        for (; i + 32 <= s.n; i += 32) {
                uint64_t v[4];

                memcpy(v, s.p + i, sizeof v);
                if ((v[0] | v[1] | v[2] | v[3]) & 0x8080808080808080u)
                        break;
        }
        while (i < s.n && (unsigned char)s.p[i] < 0x80)
                i++;
        return i;
}

bool qn_utf8_valid(struct qn_str s)
{
        while (s.n) {
                uint32_t cp;
                size_t n;

                s = qn_str_skip(s, qn_utf8_ascii_run(s));
                if (!s.n)
                        break;
                n = qn_utf8_next(s, &cp);
                if (n == 1)
                        return false;
                s = qn_str_skip(s, n);
        }
        return true;
}
