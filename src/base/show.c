#include "base/show.h"

#include "base/limits.h"
#include "base/unicode.h"
#include "base/utf8.h"

/* --- defanging --- */

static bool is_alnum(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Bytes past ASCII belong to internationalised names. */
static bool is_host_char(char c)
{
        return is_alnum(c) || c == '-' || c == '.' || c == '_' || (unsigned char)c >= 0x80;
}

static size_t host_run(struct qn_str s)
{
        size_t n = 0;

        while (n < s.n && is_host_char(s.p[n]))
                n++;
        return n;
}

/* A scheme that a terminal or mail reader would turn into a link: returns its length with "://",
 * and what to print. */
static size_t scheme_at(struct qn_str s, const char **ret)
{
        static const struct {
                const char *scheme, *shown;
        } schemes[] = {
                { "https://", "hxxps://" }, { "http://", "hxxp://" }, { "ftp://", "fxp://" },
                { "wss://", "wxxs://" },    { "ws://", "wxx://" },
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(schemes); i++) {
                size_t n = strlen(schemes[i].scheme);

                if (s.n >= n && qn_str_ieq(qn_str_take(s, n), qn_str_c(schemes[i].scheme))) {
                        *ret = schemes[i].shown;
                        return n;
                }
        }
        return 0;
}

/* Like host_run(), but ends where a URL begins: "seehttps://…". */
static size_t word_run(struct qn_str s)
{
        size_t n = host_run(s);
        const char *shown;

        for (size_t i = 1; i < n; i++)
                if (scheme_at(qn_str_skip(s, i), &shown))
                        return i;
        return n;
}

static void put_host(struct qn_buf *out, struct qn_str host)
{
        for (size_t i = 0; i < host.n; i++) {
                if (host.p[i] == '.')
                        qn_buf_puts(out, "[.]");
                else
                        qn_buf_byte(out, host.p[i]);
        }
}

static bool is_ipv4(struct qn_str s)
{
        unsigned dots = 0, digits = 0, value = 0;

        for (size_t i = 0; i < s.n; i++) {
                if (s.p[i] == '.') {
                        if (!digits || ++dots > 3)
                                return false;
                        digits = value = 0;
                } else if (s.p[i] >= '0' && s.p[i] <= '9') {
                        value = value * 10 + (unsigned)(s.p[i] - '0');
                        if (++digits > 3 || value > 255)
                                return false;
                } else {
                        return false;
                }
        }
        return dots == 3 && digits;
}

/* Last labels that make a quoted name a host and not a file; rarer ones are caught when they stand
 * in a URL. */
static bool has_host_ending(struct qn_str s)
{
        static const char *const endings[] = {
                ".com",     ".net",     ".org",    ".info",     ".biz",   ".io",   ".dev", ".app",
                ".cloud",   ".site",    ".xyz",    ".top",      ".shop",  ".club", ".fun", ".live",
                ".help",    ".store",   ".online", ".link",     ".me",    ".cc",   ".co",  ".ru",
                ".cn",      ".su",      ".tk",     ".pw",       ".ws",    ".to",   ".icu", ".onion",
                ".invalid", ".example", ".test",   ".internal", ".space", ".tech", ".ai",
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(endings); i++) {
                size_t n = strlen(endings[i]);

                if (s.n > n && qn_str_ieq(qn_str_skip(s, s.n - n), qn_str_c(endings[i])))
                        return true;
        }
        return false;
}

/* `this.info` in code is no host, "collect.info" is: names count alone, in quotes, or after @ or /.
 */
static bool stands_alone(struct qn_str s, size_t from, size_t to)
{
        char before = from ? s.p[from - 1] : '\0', after = to < s.n ? s.p[to] : '\0';

        return (before == '\0' || strchr("'\"`@/", before)) &&
               (after == '\0' || strchr("'\"`:/?#", after));
}

static size_t defang_url(struct qn_buf *out, struct qn_str s)
{
        const char *shown;
        size_t n = scheme_at(s, &shown), user = 0;

        if (!n)
                return 0;
        qn_buf_puts(out, shown);
        /* user:password@ comes before the host; an @ of the path is not reached */
        while (n + user < s.n &&
               (is_host_char(s.p[n + user]) || strchr(":%+~!$&=*", s.p[n + user])))
                user++;
        if (n + user < s.n && s.p[n + user] == '@') {
                qn_buf_add(out, s.p + n, user + 1);
                n += user + 1;
        }
        user = host_run(qn_str_skip(s, n));
        while (user && s.p[n + user - 1] == '.') /* the end of a sentence */
                user--;
        put_host(out, qn_str_take(qn_str_skip(s, n), user));
        return n + user;
}

void qn_show_defang(struct qn_buf *out, struct qn_str s)
{
        size_t i = 0;

        while (i < s.n) {
                struct qn_str rest = qn_str_skip(s, i), word;
                size_t n = defang_url(out, rest);

                if (n) {
                        i += n;
                        continue;
                }
                n = word_run(rest);
                word = qn_str_take(rest, QN_MAX(n, (size_t)1));
                if (n && (is_ipv4(word) || (has_host_ending(word) && stands_alone(s, i, i + n))))
                        put_host(out, word);
                else
                        qn_buf_str(out, word);
                i += word.n;
        }
}

/* --- escaping --- */

struct shown {
        char text[16];
        size_t n, width;
};

static bool is_blank(uint32_t cp)
{
        return cp == ' ' || cp == '\t' || cp == '\n' || cp == '\r' || cp == '\v' || cp == '\f' ||
               cp == 0xa0 || (cp >= 0x2000 && cp <= 0x200a) || cp == 0x202f || cp == 0x205f ||
               cp == 0x3000;
}

/* A decoder's U+FFFD for one byte that is not UTF-8, as opposed to a real one (three bytes). */
static bool is_bad_byte(uint32_t cp, size_t used)
{
        return cp == 0xfffd && used == 1;
}

static void show_one(struct qn_str s, uint32_t cp, size_t used, struct shown *ret)
{
        int n;

        if (is_bad_byte(cp, used) || (cp < 0x80 && qn_uc_hidden(cp)))
                n = snprintf(ret->text, sizeof ret->text, "\\x%02x", (unsigned char)s.p[0]);
        else if (qn_uc_hidden(cp))
                n = snprintf(ret->text, sizeof ret->text, "\\u{%04x}", (unsigned)cp);
        else {
                memcpy(ret->text, s.p, used);
                ret->n = used;
                ret->width = qn_uc_width(cp);
                return;
        }
        ret->n = ret->width = (size_t)n;
}

/* Combining marks pile up on their neighbour and over other lines: two are language, more are a
 * picture. */
#define MARKS_MAX 2

static size_t put_escaped(struct qn_buf *out, struct qn_str s, size_t max)
{
        size_t width = 0, fits = out->n, fits_width = 0;
        unsigned marks = 0;
        bool after_blank = true;

        while (s.n) {
                struct shown c = { 0 };
                uint32_t cp;
                size_t used = qn_utf8_next(s, &cp);

                if (is_blank(cp))
                        c = (struct shown){ " ", after_blank ? 0 : 1, after_blank ? 0 : 1 };
                else
                        show_one(s, cp, used, &c);
                after_blank = is_blank(cp);
                marks = c.n && !c.width ? marks + 1 : 0;
                if (marks > MARKS_MAX)
                        c.n = c.width =
                                (size_t)snprintf(c.text, sizeof c.text, "\\u{%04x}", (unsigned)cp);
                if (max && width + c.width > max) { /* take back to where "…" fits */
                        out->n = fits;
                        qn_buf_puts(out, "…");
                        return fits_width + 1;
                }
                qn_buf_add(out, c.text, c.n);
                width += c.width;
                if (!max || width < max) {
                        fits = out->n;
                        fits_width = width;
                }
                s = qn_str_skip(s, used);
        }
        if (after_blank && width) { /* nothing ends with a blank, of whatever kind */
                out->n--;
                width--;
        }
        return width;
}

size_t qn_show(struct qn_buf *out, struct qn_str s, size_t max, unsigned flags)
{
        _cleanup_(qn_buf_done) struct qn_buf safe = QN_BUF_INIT(QN_SHOW_MAX * 4);

        s = qn_str_take(s, QN_SHOW_MAX);
        if (flags & QN_SHOW_DEFANG) {
                qn_show_defang(&safe, s);
                s = qn_buf_view(&safe);
        }
        return put_escaped(out, qn_str_trim(s), max);
}

size_t qn_show_width(struct qn_str s)
{
        size_t width = 0;

        while (s.n) {
                uint32_t cp;
                size_t used = qn_utf8_next(s, &cp);

                width += qn_uc_width(cp);
                s = qn_str_skip(s, used);
        }
        return width;
}
