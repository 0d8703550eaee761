#include "parse/tar-field.h"

#include "base/limits.h"
#include "base/utf8.h"

#define SAFE_INTEGER_MAX ((UINT64_C(1) << 53) - 1)

/* Big-endian, most significant bytes first; xor turns a two's complement around. */
static int base256(struct qn_str f, uint8_t flip, uint64_t *ret)
{
        uint64_t v = 0;

        for (size_t i = 1; i < f.n; i++) {
                if (v > SAFE_INTEGER_MAX >> 8)
                        return -EBADMSG;
                v = v << 8 | (uint8_t)((uint8_t)f.p[i] ^ flip);
        }
        *ret = v;
        return 0;
}

static int big_number(struct qn_str f, int64_t *ret)
{
        uint8_t first = (uint8_t)f.p[0];
        uint64_t v;
        int r;

        if (first != 0x80 && first != 0xff)
                return -EBADMSG;
        r = base256(f, first == 0xff ? 0xff : 0, &v);
        if (r < 0)
                return r;
        v += first == 0xff;
        if (v > SAFE_INTEGER_MAX)
                return -EBADMSG;
        *ret = first == 0xff ? -(int64_t)v : (int64_t)v;
        return 0;
}

/* What parseInt() skips at the start. */
static bool js_space(uint32_t c)
{
        return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xa0 || c == 0xfeff || c == 0x1680 ||
               (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
               c == 0x205f || c == 0x3000;
}

static struct qn_str skip_js_space(struct qn_str s)
{
        while (s.n > 0) {
                uint32_t c;
                size_t n = qn_utf8_next(s, &c);

                if (!js_space(c))
                        break;
                s = qn_str_skip(s, n);
        }
        return s;
}

int qn_tar_number(struct qn_str f, int64_t *ret)
{
        bool negative = false;
        int64_t v = 0;
        size_t i;

        if ((uint8_t)f.p[0] & 0x80)
                return big_number(f, ret);
        if (f.p[0] < '0')
                f = skip_js_space(f);
        if (f.n > 0 && (f.p[0] == '-' || f.p[0] == '+')) {
                negative = f.p[0] == '-';
                f = qn_str_skip(f, 1);
        }
        for (i = 0; i < f.n && f.p[i] >= '0' && f.p[i] <= '7'; i++)
                v = v << 3 | (f.p[i] - '0');
        if (i == 0)
                return -ENOENT;
        *ret = negative ? -v : v;
        return 0;
}

/* Where "." stops: \n, \r, U+2028, U+2029; s.n when nowhere. */
static size_t line_end(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++) {
                if (s.p[i] == '\n' || s.p[i] == '\r')
                        return i;
                if (s.n - i >= 3 && (memcmp(s.p + i, "\342\200\250", 3) == 0 ||
                                     memcmp(s.p + i, "\342\200\251", 3) == 0))
                        return i;
        }
        return s.n;
}

/* The padding of a field: nearly always, so this must be quick. */
static bool all_nul(struct qn_str s)
{
        return s.n == 0 || (s.p[0] == 0 && memcmp(s.p, s.p + 1, s.n - 1) == 0);
}

struct qn_str qn_tar_cut_nul(struct qn_str s, char *scratch)
{
        const char *nul = s.n ? memchr(s.p, 0, s.n) : NULL;
        struct qn_str head, rest;

        if (!nul)
                return s;
        head = qn_str_take(s, (size_t)(nul - s.p));
        rest = qn_str_skip(s, head.n + 1);
        if (all_nul(rest))
                return head;
        rest = qn_str_skip(rest, line_end(rest));
        if (rest.n == 0)
                return head;
        if (head.n)
                memmove(scratch, head.p, head.n);
        memmove(scratch + head.n, rest.p, rest.n);
        return (struct qn_str){ scratch, head.n + rest.n };
}

void qn_tar_ext_reset(struct qn_tar_ext *e)
{
        e->has = 0;
        e->disputed = false;
        qn_buf_reset(&e->path);
        qn_buf_reset(&e->link);
}

/* Keeps a name with the reader's cut applied. */
static int set_name(struct qn_tar_ext *e, unsigned which, struct qn_str value)
{
        struct qn_buf *b = which == QN_TAR_EXT_PATH ? &e->path : &e->link;
        int r;

        qn_buf_reset(b);
        *b = (struct qn_buf){ .p = b->p, .cap = b->cap, .max = QN_TAR_PAX_MAX };
        r = qn_buf_room(b, value.n + 1);
        if (r < 0)
                return r == -ENOBUFS ? -EFBIG : r;
        value = qn_tar_cut_nul(value, b->p);
        if (value.n > QN_TAR_NAME_MAX)
                return -EFBIG;
        if (value.n)
                memmove(b->p, value.p, value.n);
        b->n = value.n;
        e->has |= which;
        return 0;
}

int qn_tar_ext_long(struct qn_tar_ext *e, unsigned which, struct qn_str body)
{
        return set_name(e, which, body);
}

static unsigned known_key(struct qn_str key)
{
        static const struct {
                const char *name;
                unsigned bit;
        } keys[] = {
                { "path", QN_TAR_EXT_PATH },   { "linkpath", QN_TAR_EXT_LINK },
                { "size", QN_TAR_EXT_SIZE },   { "uid", QN_TAR_EXT_UID },
                { "gid", QN_TAR_EXT_GID },     { "mtime", QN_TAR_EXT_MTIME },
                { "atime", QN_TAR_EXT_ATIME }, { "ctime", QN_TAR_EXT_CTIME },
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(keys); i++)
                if (qn_str_is(key, keys[i].name))
                        return keys[i].bit;
        return 0;
}

/* One line as npm's reader sees it (it splits at line ends, whatever the record lengths say): the key's bit and the
 * value, or 0 when the line means nothing to it. */
static unsigned npm_line(struct qn_str line, struct qn_str *ret)
{
        uint64_t want = 0;
        uint32_t c;
        size_t i;
        ptrdiff_t eq;

        for (i = 0; i < line.n && i < 8 && line.p[i] >= '0' && line.p[i] <= '9'; i++)
                want = want * 10 + (uint64_t)(line.p[i] - '0');
        /* With zeros, signs or spaces in front the key that remains is none that counts. */
        if (i == 0 || line.p[0] == '0' || i == line.n)
                return 0;
        i += qn_utf8_next(qn_str_skip(line, i), &c);
        if (c > 0xffff || (want != line.n + 1 && qn_utf8_valid(line)))
                return 0;
        line = qn_str_skip(line, i);
        eq = qn_str_chr(line, '=');
        *ret = eq < 0 ? QN_STR("") : qn_str_skip(line, (size_t)eq + 1);
        return known_key(eq < 0 ? line : qn_str_take(line, (size_t)eq));
}

static int set_size(struct qn_tar_ext *e, struct qn_str v, struct qn_err *reterr)
{
        uint64_t size;

        v = qn_str_take(v, v.n ? strnlen(v.p, v.n) : 0);
        /* The reader takes anything that JavaScript's Number() takes, fractions and hexadecimal too: nobody means that. */
        if (qn_str_u64(v, &size) < 0 || size > SAFE_INTEGER_MAX)
                return qn_fail(reterr, -EBADMSG, 0, "a pax size is not a number");
        e->size = size;
        e->has |= QN_TAR_EXT_SIZE;
        return 0;
}

static int apply_line(struct qn_tar_ext *e, struct qn_str line, struct qn_err *reterr)
{
        struct qn_str v;
        unsigned bit = npm_line(line, &v);

        if (bit == 0)
                return 0;
        /* npm compares the record length with the length after replacing broken UTF-8: not worth following. */
        if (!qn_utf8_valid(line))
                return qn_fail(reterr, -EBADMSG, 0, "a pax record is not valid UTF-8");
        if (bit == QN_TAR_EXT_SIZE)
                return set_size(e, v, reterr);
        if (bit == QN_TAR_EXT_PATH || bit == QN_TAR_EXT_LINK)
                return set_name(e, bit, v);
        e->has |= bit;
        return 0;
}

/* One record as the standard has it: "<length> <key>=<value>\n".  False at the end or when it is malformed. */
static bool std_record(struct qn_str *body, struct qn_str *key, struct qn_str *value)
{
        ptrdiff_t space = qn_str_chr(qn_str_take(*body, 21), ' '), eq;
        struct qn_str rec;
        uint64_t n;

        if (space < 0 || qn_str_u64(qn_str_take(*body, (size_t)space), &n) < 0 || n > body->n ||
            n < (uint64_t)space + 2 || body->p[n - 1] != '\n')
                return false;
        rec = qn_str_skip(qn_str_take(*body, n - 1), (size_t)space + 1);
        *body = qn_str_skip(*body, n);
        eq = qn_str_chr(rec, '=');
        *key = qn_str_take(rec, eq < 0 ? rec.n : (size_t)eq);
        *value = eq < 0 ? QN_STR("") : qn_str_skip(rec, (size_t)eq + 1);
        return true;
}

/* Whether reading by the standard gives another path, link or size than npm's reader found in this body. */
static bool std_differs(const struct qn_tar_ext *npm, struct qn_str body)
{
        struct qn_str key, value, path = { 0 }, link = { 0 };
        uint64_t size = 0;
        unsigned has = 0;

        while (std_record(&body, &key, &value)) {
                unsigned bit = known_key(key);

                if (qn_str_starts(key, "GNU.sparse."))
                        return true;
                has |= bit;
                if (bit == QN_TAR_EXT_PATH)
                        path = value;
                else if (bit == QN_TAR_EXT_LINK)
                        link = value;
                else if (bit == QN_TAR_EXT_SIZE && qn_str_u64(value, &size) < 0)
                        return true;
        }
        if ((has ^ npm->has) & (QN_TAR_EXT_PATH | QN_TAR_EXT_LINK | QN_TAR_EXT_SIZE))
                return true;
        return ((has & QN_TAR_EXT_PATH) && !qn_str_eq(path, qn_buf_view(&npm->path))) ||
               ((has & QN_TAR_EXT_LINK) && !qn_str_eq(link, qn_buf_view(&npm->link))) ||
               ((has & QN_TAR_EXT_SIZE) && size != npm->size);
}

int qn_tar_ext_pax(struct qn_tar_ext *e, struct qn_str body, struct qn_err *reterr)
{
        unsigned before = e->has;
        struct qn_str rest = body;

        e->has = 0;
        while (rest.n > 0) {
                int r = apply_line(e, qn_str_cut(&rest, '\n'), reterr);

                if (r < 0)
                        return r;
        }
        e->disputed |= std_differs(e, body);
        e->has |= before;
        return 0;
}
