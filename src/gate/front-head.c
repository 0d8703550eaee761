#include "gate/front-head.h"

#include <arpa/inet.h>
#include <errno.h>

#include "base/hash.h"

/* --- lists of what is accepted --- */

/* "0.5" → 500; anything else that is no weight counts as 0: what is not understood is not used. */
static unsigned weight(struct qn_str q)
{
        unsigned v = 0, unit = 100;

        if (!q.n || (q.p[0] != '0' && q.p[0] != '1') || (q.n > 1 && q.p[1] != '.') || q.n > 5)
                return 0;
        v = q.p[0] == '1' ? 1000 : 0;
        for (size_t i = 2; i < q.n; i++, unit /= 10) {
                if (q.p[i] < '0' || q.p[i] > '9')
                        return 0;
                v += (unsigned)(q.p[i] - '0') * unit;
        }
        return QN_MIN(v, 1000u);
}

/* One entry of a list: its name, and its weight among the parameters. */
static unsigned take_entry(struct qn_str *list, struct qn_str *ret_name)
{
        struct qn_str entry = qn_str_cut(list, ',');
        unsigned q = 1000;

        *ret_name = qn_str_trim(qn_str_cut(&entry, ';'));
        while (entry.p) {
                struct qn_str parameter = qn_str_trim(qn_str_cut(&entry, ';'));

                if (parameter.n > 1 && (parameter.p[0] | 32) == 'q' && parameter.p[1] == '=')
                        q = weight(qn_str_skip(parameter, 2));
        }
        return q;
}

enum qn_front_encoding qn_head_encoding(struct qn_str list)
{
        unsigned gzip = 0, zstd = 0, identity = 1, any = 0;
        bool named = false;

        while (list.p) {
                struct qn_str name;
                unsigned q = take_entry(&list, &name);

                if (qn_str_ieq(name, QN_STR("gzip")) || qn_str_ieq(name, QN_STR("x-gzip")))
                        gzip = q, named = true;
                else if (qn_str_ieq(name, QN_STR("zstd")))
                        zstd = q;
                else if (qn_str_ieq(name, QN_STR("identity")))
                        identity = q;
                else if (qn_str_is(name, "*"))
                        any = q;
        }
        if (!named)
                gzip = any;
        if (gzip && gzip >= zstd && gzip >= identity)
                return QN_ENCODING_GZIP;
        return zstd && zstd >= identity ? QN_ENCODING_ZSTD : QN_ENCODING_IDENTITY;
}

bool qn_head_abbreviated(struct qn_str list)
{
        while (list.p) {
                struct qn_str name;
                unsigned q = take_entry(&list, &name);

                if (q && qn_str_ieq(name, QN_STR("application/vnd.npm.install-v1+json")))
                        return true;
        }
        return false;
}

/* --- conditions and ranges --- */

static struct qn_str opaque(struct qn_str etag)
{
        return qn_str_starts(etag, "W/") ? qn_str_skip(etag, 2) : etag;
}

/* The first entity tag of a list; a comma may be part of one. */
static struct qn_str take_etag(struct qn_str *list)
{
        struct qn_str s = qn_str_trim(*list), rest;
        size_t begin = qn_str_starts(s, "W/") ? 2 : 0;
        ptrdiff_t end;

        if (s.n <= begin || s.p[begin] != '"')
                return qn_str_trim(qn_str_cut(list, ','));
        end = qn_str_chr(qn_str_skip(s, begin + 1), '"');
        if (end < 0) {
                *list = (struct qn_str){ 0 };
                return (struct qn_str){ 0 };
        }
        rest = qn_str_skip(s, begin + (size_t)end + 2);
        (void)qn_str_cut(&rest, ',');
        *list = rest;
        return qn_str_take(s, begin + (size_t)end + 2);
}

bool qn_head_matches(struct qn_str list, struct qn_str etag)
{
        if (!etag.n)
                return false;
        if (qn_str_is(qn_str_trim(list), "*"))
                return true;
        while (list.p) {
                struct qn_str one = take_etag(&list);

                if (one.n && qn_str_eq(opaque(one), opaque(etag)))
                        return true;
        }
        return false;
}

bool qn_head_same(struct qn_str if_range, struct qn_str etag)
{
        return etag.n && etag.p[0] == '"' && qn_str_eq(qn_str_trim(if_range), etag);
}

int qn_head_range(struct qn_str range, uint64_t size, uint64_t *ret_first, uint64_t *ret_last)
{
        uint64_t first = 0, last = UINT64_MAX;
        struct qn_str from, to;

        if (range.n < 6 || !qn_str_ieq(qn_str_take(range, 6), QN_STR("bytes=")))
                return 0;
        to = qn_str_trim(qn_str_skip(range, 6));
        if (qn_str_chr(to, '-') < 0)
                return 0;
        from = qn_str_cut(&to, '-');
        if ((from.n && qn_str_u64(from, &first) < 0) || (to.n && qn_str_u64(to, &last) < 0) ||
            (!from.n && !to.n) || (from.n && first > last))
                return 0; /* several intervals, too: all of it is an answer that is always allowed */
        if (!from.n) {
                if (!last || !size)
                        return -ERANGE;
                first = size - QN_MIN(last, size);
                last = UINT64_MAX;
        }
        if (first >= size)
                return -ERANGE;
        *ret_first = first;
        *ret_last = QN_MIN(last, size - 1);
        return 1;
}

/* --- who it is --- */

/* What decoders of Base64 pass over, and credentials do not have. */
static bool has_blank_or_padding(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] == '=' || s.p[i] == ' ' || (s.p[i] >= '\t' && s.p[i] <= '\r'))
                        return true;
        return false;
}

struct qn_str qn_head_token(struct qn_str authorization, char buffer[QN_HEAD_TOKEN_MAX])
{
        struct qn_str rest = qn_str_trim(authorization), scheme, both;
        size_t n;

        if (!rest.p)
                return (struct qn_str){ 0 };
        scheme = qn_str_cut(&rest, ' ');
        rest = qn_str_trim(rest);
        if (!rest.n || rest.n > QN_HEAD_TOKEN_MAX)
                return (struct qn_str){ 0 };
        if (qn_str_ieq(scheme, QN_STR("Bearer")))
                return rest;
        if (!qn_str_ieq(scheme, QN_STR("Basic")))
                return (struct qn_str){ 0 };
        while (qn_str_ends(rest, "="))
                rest.n--;
        if (has_blank_or_padding(rest))
                return (struct qn_str){ 0 };
        if (qn_base64_decode_to(rest, buffer, QN_HEAD_TOKEN_MAX, &n) < 0)
                return (struct qn_str){ 0 };
        both = (struct qn_str){ buffer, n };
        if (qn_str_chr(both, ':') < 0)
                return (struct qn_str){ 0 };
        (void)qn_str_cut(&both, ':');
        return both.n ? both : (struct qn_str){ 0 };
}

struct qn_str qn_head_ci(struct qn_str user_agent)
{
        while (user_agent.p) {
                struct qn_str word = qn_str_cut(&user_agent, ' ');

                if (qn_str_starts(word, "ci/"))
                        return word;
        }
        return (struct qn_str){ 0 };
}

bool qn_head_listed(struct qn_str address, struct qn_str list)
{
        while (list.p) {
                struct qn_str one = qn_str_cut(&list, ' ');

                if (one.n && qn_str_ieq(one, address))
                        return true;
        }
        return false;
}

static bool is_address(struct qn_str s)
{
        char text[INET6_ADDRSTRLEN], bytes[16];

        if (!s.n || s.n >= sizeof text)
                return false;
        memcpy(text, s.p, s.n);
        text[s.n] = '\0';
        return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

struct qn_str qn_head_forwarded(struct qn_str list, struct qn_str proxies)
{
        while (list.n) {
                ptrdiff_t comma = qn_str_rchr(list, ',');
                struct qn_str last = qn_str_trim(qn_str_skip(list, (size_t)(comma + 1)));

                if (!is_address(last))
                        break;
                if (!qn_head_listed(last, proxies))
                        return last;
                list = qn_str_take(list, comma < 0 ? 0 : (size_t)comma);
        }
        return QN_STR("");
}

/* --- form --- */

bool qn_head_is_name(struct qn_str s)
{
        static const char others[] = "!#$%&'*+-.^_`|~";

        for (size_t i = 0; i < s.n; i++) {
                char c = s.p[i];

                if (!((c | 32) >= 'a' && (c | 32) <= 'z') && !(c >= '0' && c <= '9') &&
                    (!c || !memchr(others, c, sizeof others - 1)))
                        return false;
        }
        return s.n > 0;
}

bool qn_head_is_value(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\t') || s.p[i] == 0x7f)
                        return false;
        return true;
}

size_t qn_head_clean(struct qn_str s, char *to, size_t max)
{
        size_t n = QN_MIN(s.n, max);

        for (size_t i = 0; i < n; i++)
                to[i] = s.p[i] >= ' ' && s.p[i] <= '~' ? s.p[i] : '?';
        return n;
}
