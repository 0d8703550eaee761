/* Text that people do not see: invisible characters, characters that reorder a line (CVE-2021-42574), letters that look
 * like others, code far to the right.  Ordinary text costs one pass over its bytes to find that it is ASCII. */
#include "base/limits.h"
#include "base/utf8.h"
#include "observe/observers.h"
#include "observe/scan-priv.h"

#define RUN_MIN       8   /* invisible characters in a row */
#define RUN_SAME      64  /* the same one again and again */
#define WIDTHLESS_MIN 24  /* zero-width characters between Latin letters */
#define BIDI_MIN      2   /* an attack opens and closes */
#define OFFSCREEN     150 /* blanks before code */

/* --- characters --- */

static bool is_selector(uint32_t c)
{
        return (c >= 0xfe00 && c <= 0xfe0f) || (c >= 0xe0100 && c <= 0xe01ef);
}

static bool is_tag(uint32_t c)
{
        return c >= 0xe0000 && c <= 0xe007f;
}

static bool is_widthless(uint32_t c)
{
        return (c >= 0x200b && c <= 0x200d) || (c >= 0x2060 && c <= 0x2064) || c == 0xfeff ||
               c == 0x180e || c == 0x115f || c == 0x1160 || c == 0x3164 || c == 0xffa0;
}

static bool is_bidi(uint32_t c)
{
        return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* Cyrillic and Greek letters that are drawn like Latin ones. */
static bool is_lookalike(uint32_t c)
{
        static const uint16_t like[] = { 0x391, 0x392, 0x395, 0x396, 0x397, 0x399, 0x39a, 0x39c,
                                         0x39d, 0x39f, 0x3a1, 0x3a4, 0x3a5, 0x3a7, 0x3bf, 0x405,
                                         0x406, 0x408, 0x410, 0x412, 0x415, 0x41a, 0x41c, 0x41d,
                                         0x41e, 0x420, 0x421, 0x422, 0x425, 0x430, 0x435, 0x43e,
                                         0x440, 0x441, 0x443, 0x445, 0x455, 0x456, 0x458, 0x4bb,
                                         0x501, 0x51b, 0x51d };

        for (size_t i = 0; i < QN_ARRAY_SIZE(like); i++)
                if (like[i] == c)
                        return true;
        return false;
}

static bool is_latin(uint32_t c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word(uint32_t c)
{
        return is_latin(c) || (c >= '0' && c <= '9') || c == '_' || c == '$' || c >= 0x370;
}

/* --- what is not ASCII --- */

struct hidden {
        struct qn_str text;
        uint32_t last;        /* the code point before */
        uint32_t base;        /* the last visible one */
        size_t run, run_at;   /* invisible characters in a row, and where they start */
        uint32_t run_first;   /* the first of them */
        bool run_varied;      /* they are not all the same: text can be kept in them */
        uint32_t bidi_before; /* what stood before a bidi character that was just read, else 0 */
        size_t longest, longest_at;
        size_t widthless, widthless_at;
        size_t bidi, bidi_at;
        size_t word_latin, word_like, word_other, word_at; /* letters of the word in hand */
        size_t lookalikes, lookalike_at, lookalike_n;
        bool code;
};

static void end_run(struct hidden *h)
{
        if (h->run > h->longest && (h->run_varied || h->run >= RUN_SAME)) {
                h->longest = h->run;
                h->longest_at = h->run_at;
        }
        h->run = 0;
        h->run_varied = false;
}

static void end_word(struct hidden *h, size_t at)
{
        if (h->word_latin && h->word_like && !h->word_other && h->word_latin + h->word_like >= 3) {
                if (!h->lookalikes++) {
                        h->lookalike_at = h->word_at;
                        h->lookalike_n = at - h->word_at;
                }
        }
        h->word_latin = h->word_like = h->word_other = 0;
}

/* The flags of England, Scotland and Wales are a black flag and six tags. */
static bool is_flag_tag(const struct hidden *h, uint32_t c)
{
        return is_tag(c) && h->base == 0x1f3f4 && h->run < 7;
}

/* In tables of characters they stand between quotes, brackets and their like; in an attack they stand in running text. */
static bool is_running(uint32_t c)
{
        return c && c != '"' && c != '\'' && c != '`' && c != '-' && c != '[' && c != ']' &&
               c != '|' && c != ',' && c != '\\' && !(c >= 0x2000 && c <= 0x206f) && c != 0xfeff &&
               c != 0x61c;
}

/* c follows: whether the bidi character before it counts, and whether it is one itself. */
static void end_bidi(struct hidden *h, uint32_t c, size_t at)
{
        if (h->bidi_before && is_running(h->bidi_before) && is_running(c) && !h->bidi++)
                h->bidi_at = at;
        h->bidi_before = is_bidi(c) ? h->last : 0;
}

static void look_at(struct hidden *h, uint32_t c, size_t at)
{
        if (is_selector(c) || is_tag(c) || is_widthless(c)) {
                bool start_mark = c == 0xfeff && at == 0;

                if (!is_flag_tag(h, c) && !start_mark && h->run++ == 0) {
                        h->run_at = at;
                        h->run_first = c;
                }
                h->run_varied |= c != h->run_first;
                h->bidi_before = 0;
                if (is_widthless(c) && c != 0x200d && !start_mark &&
                    (is_latin(h->last) || h->last == ' ') && !h->widthless++)
                        h->widthless_at = at;
                return;
        }
        end_run(h);
        end_bidi(h, c, at);
        h->base = c;
}

static void look_at_word(struct hidden *h, uint32_t c, size_t at)
{
        if (!is_word(c)) {
                end_word(h, at);
                return;
        }
        if (h->word_latin + h->word_like + h->word_other == 0)
                h->word_at = at;
        if (is_lookalike(c))
                h->word_like++;
        else if (is_latin(c))
                h->word_latin++;
        else if (c >= 0x80)
                h->word_other++;
}

/* Back to where the word began that the ASCII run before at ends with. */
static void recall_word(struct hidden *h, size_t at)
{
        size_t from = at;

        while (from > 0 && at - from < 64 && is_word((unsigned char)h->text.p[from - 1]) &&
               (unsigned char)h->text.p[from - 1] < 0x80)
                from--;
        h->word_latin = h->word_like = h->word_other = 0;
        for (size_t i = from; i < at; i++)
                look_at_word(h, (unsigned char)h->text.p[i], i);
}

static void skip_ascii(struct hidden *h, size_t from, size_t n)
{
        const char *p = h->text.p + from;

        if (n == 0)
                return;
        end_run(h);
        end_bidi(h, (unsigned char)p[0], from);
        h->base = h->last = (unsigned char)p[n - 1];
        for (size_t i = 0; i < n && (h->word_like || h->word_latin || h->word_other); i++)
                look_at_word(h, (unsigned char)p[i], from + i);
}

static void look_at_others(struct hidden *h)
{
        size_t at = 0;

        while (at < h->text.n) {
                struct qn_str rest = qn_str_skip(h->text, at);
                size_t run = qn_utf8_ascii_run(rest);
                uint32_t c;

                skip_ascii(h, at, run);
                at += run;
                if (at >= h->text.n)
                        break;
                if (run)
                        recall_word(h, at);
                run = qn_utf8_next(qn_str_skip(h->text, at), &c);
                look_at(h, c, at);
                if (h->code)
                        look_at_word(h, c, at);
                h->last = c;
                at += run;
        }
        end_run(h);
        end_word(h, h->text.n);
}

/* --- reporting --- */

static void report(struct qn_scan *s, const struct qn_site *site, struct qn_str text,
                   const char *what, size_t at, size_t count, struct qn_str excerpt)
{
        struct qn_event e = qn_observe_make(QN_EVENT_TEXT_HIDDEN);
        struct qn_site here = *site;
        char number[24];

        snprintf(number, sizeof number, "%zu", count);
        if (!site->line) { /* else the text was made there */
                here.off = (uint32_t)at;
                qn_place_of(text, here.off, &here.line, &here.column);
        }
        here.text = excerpt;
        qn_event_attr(&e, QN_ATTR_WHAT, qn_str_c(what));
        qn_event_attr(&e, QN_ATTR_COUNT, qn_str_c(number));
        qn_site_event(s, &here, &e);
}

/* Code behind a screenful of blanks: every 64th byte shows whether there can be one. */
static void look_offscreen(struct qn_scan *s, const struct qn_site *site, struct qn_str t)
{
        const char *end = t.p + t.n;

        for (const char *p = t.p + 63; p + 64 < end; p += 64) {
                const char *from = p, *to = p;
                struct qn_str rest;
                ptrdiff_t nl;

                if (p[0] != ' ' || p[64] != ' ')
                        continue;
                while (to < end && *to == ' ')
                        to++;
                while (from > t.p && from[-1] == ' ')
                        from--;
                p = to > p + 64 ? p + (to - p) / 64 * 64 : p;
                if (to - from < OFFSCREEN || from == t.p || from[-1] == '\n' || to == end ||
                    *to == '\n' || *to == '\r')
                        continue;
                rest = (struct qn_str){ to, QN_MIN((size_t)(end - to), (size_t)256) };
                nl = qn_str_chr(rest, '\n');
                rest = nl < 0 ? rest : qn_str_take(rest, (size_t)nl);
                if (qn_str_chr(rest, '(') < 0 || qn_str_starts(rest, "//") ||
                    qn_str_starts(rest, "/*") || rest.p[0] == '*')
                        continue;
                report(s, site, t, "offscreen", (size_t)(to - t.p), (size_t)(to - from), rest);
                return;
        }
}

static bool is_code(struct qn_str path)
{
        static const char *const prose[] = { ".md",         ".markdown", ".txt",    ".html",
                                             ".htm",        ".rst",      ".map",    ".svg",
                                             ".xml",        ".csv",      ".po",     ".xlf",
                                             ".properties", ".snap",     "LICENSE", "README" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(prose); i++)
                if (qn_str_ends(path, prose[i]))
                        return false;
        return true;
}

void qn_text_observe(struct qn_scan *s, const struct qn_site *site, struct qn_str text)
{
        struct hidden h = { .text = text, .code = is_code(s->path) && !site->made };

        if (h.code)
                look_offscreen(s, site, text);
        if (qn_utf8_ascii_run(text) == text.n)
                return;
        look_at_others(&h);
        if (h.longest >= RUN_MIN)
                report(s, site, text, "invisible", h.longest_at, h.longest, (struct qn_str){ 0 });
        if (site->made)
                return; /* what else is odd deceives those who read a source */
        if (h.widthless >= WIDTHLESS_MIN)
                report(s, site, text, "zero-width", h.widthless_at, h.widthless,
                       (struct qn_str){ 0 });
        if (h.bidi >= BIDI_MIN && h.code)
                report(s, site, text, "bidi", h.bidi_at, h.bidi, (struct qn_str){ 0 });
        if (h.lookalikes)
                report(s, site, text, "homoglyph", h.lookalike_at, h.lookalikes,
                       qn_str_take(qn_str_skip(text, h.lookalike_at), h.lookalike_n));
}
