/* squats.h - names made to be mistaken for a popular one, of every kind that is known from registries.  For the test and the
 * benchmark of look-alikes; deterministic.  Of a scoped name the scope is imitated, because only its owner publishes below it. */
#pragma once

#include <stdio.h>

#include "base/str.h"

#define SQUAT_MAX  1024 /* bytes of a squat */
#define SQUAT_PART 300  /* of the parts of the name that it is made from */

enum squat_kind {
        SQUAT_DROPPED,
        SQUAT_DOUBLED,
        SQUAT_SWAPPED,
        SQUAT_KEY,
        SQUAT_HYPHEN_LESS,
        SQUAT_HYPHEN_MORE,
        SQUAT_UNDERSCORE,
        SQUAT_ORDER,
        SQUAT_SCOPE_LESS,
        SQUAT_SCOPE_MORE,
        SQUAT_JS,
        SQUAT_2,
        SQUAT_NODE,
        SQUAT_PLURAL,
        SQUAT_GLYPH,
        SQUAT_KINDS
};

static const char *const squat_names[SQUAT_KINDS] = {
        "letter dropped",
        "letter doubled",
        "letters swapped",
        "neighbouring key",
        "hyphen left out",
        "hyphen put in",
        "underscore",
        "word order",
        "scope dropped",
        "scope added",
        "-js",
        "2",
        "node-",
        "plural",
        "homoglyph",
};

struct squat_source {
        char pre[2], body[SQUAT_PART], post[SQUAT_PART];
        size_t n;
};

static unsigned squat_seed = 1;

static size_t squat_random(size_t below)
{
        squat_seed = squat_seed * 1103515245u + 12345u;
        return (squat_seed >> 16) % below;
}

static bool squat_is_letter(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool squat_is_between(char c)
{
        return c == '-' || c == '_' || c == '.';
}

/* A place of the body where fit() holds for the letter and the one behind it; SIZE_MAX: nowhere. */
static size_t squat_place(const struct squat_source *s, bool (*fit)(char c, char next))
{
        size_t places[SQUAT_PART], n = 0;

        for (size_t i = 0; i < s->n; i++)
                if (fit(s->body[i], s->body[i + 1]))
                        places[n++] = i;
        return n ? places[squat_random(n)] : SIZE_MAX;
}

static bool squat_any(char c, char next QN_UNUSED)
{
        return squat_is_letter(c);
}

static bool squat_two(char c, char next)
{
        return squat_is_letter(c) && squat_is_letter(next) && c != next;
}

static bool squat_gap(char c, char next)
{
        return squat_is_between(c) && next;
}

static char squat_neighbour(char c)
{
        static const char *const rows[] = { "qwertyuiop", "asdfghjkl", "zxcvbnm" };

        for (size_t r = 0; r < 3; r++) {
                const char *at = strchr(rows[r], c | 0x20);

                if (at && at[1])
                        return at[1];
                if (at)
                        return at[-1];
        }
        return c;
}

/* pre, the body with `cut` letters at `at` replaced by `with`, post. */
static void squat_put(const struct squat_source *s, size_t at, size_t cut, const char *with,
                      char *ret)
{
        snprintf(ret, SQUAT_MAX, "%s%.*s%s%s%s", s->pre, (int)at, s->body, with, s->body + at + cut,
                 s->post);
}

static bool squat_slip(const struct squat_source *s, enum squat_kind kind, char *ret)
{
        size_t at = squat_place(s, kind == SQUAT_SWAPPED ? squat_two : squat_any);
        char with[3] = "";

        if (at == SIZE_MAX)
                return false;
        switch (kind) {
        case SQUAT_DOUBLED:
                with[0] = with[1] = s->body[at];
                break;
        case SQUAT_SWAPPED:
                with[0] = s->body[at + 1];
                with[1] = s->body[at];
                break;
        case SQUAT_KEY:
                with[0] = squat_neighbour(s->body[at]);
                break;
        default:
                break;
        }
        squat_put(s, at, kind == SQUAT_SWAPPED ? 2 : 1, with, ret);
        return true;
}

static bool squat_separators(const struct squat_source *s, enum squat_kind kind, char *ret)
{
        size_t gap = squat_place(s, squat_gap);

        if (kind == SQUAT_HYPHEN_MORE) {
                if (gap != SIZE_MAX || s->n < 4)
                        return false;
                squat_put(s, 2 + squat_random(s->n - 3), 0, "-", ret);
                return true;
        }
        if (gap == SIZE_MAX)
                return false;
        if (kind == SQUAT_ORDER) {
                snprintf(ret, SQUAT_MAX, "%s%s-%.*s%s", s->pre, s->body + gap + 1, (int)gap,
                         s->body, s->post);
                return true;
        }
        squat_put(s, gap, 1, kind == SQUAT_UNDERSCORE ? "_" : "", ret);
        return true;
}

static bool squat_glyph(const struct squat_source *s, char *ret)
{
        static const char *const glyphs[][2] = {
                { "o", "0" }, { "l", "1" }, { "m", "rn" }, { "w", "vv" }
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(glyphs); i++) {
                const char *at = strstr(s->body, glyphs[i][0]);

                if (at) {
                        squat_put(s, (size_t)(at - s->body), 1, glyphs[i][1], ret);
                        return true;
                }
        }
        return false;
}

static bool squat_affix(const struct squat_source *s, enum squat_kind kind, char *ret)
{
        bool scoped = s->pre[0];

        if (scoped != (kind == SQUAT_SCOPE_LESS))
                return false;
        switch (kind) {
        case SQUAT_SCOPE_LESS:
                snprintf(ret, SQUAT_MAX, "%s-%s", s->body, s->post + 1);
                break;
        case SQUAT_SCOPE_MORE:
                snprintf(ret, SQUAT_MAX, "@%s/%s", s->body, s->body);
                break;
        case SQUAT_NODE:
                snprintf(ret, SQUAT_MAX, "node-%s", s->body);
                break;
        default:
                snprintf(ret, SQUAT_MAX, "%s%s", s->body,
                         kind == SQUAT_JS  ? "-js"
                         : kind == SQUAT_2 ? "2"
                                           : "s");
        }
        return true;
}

/* Makes one of a kind; false: the name has nothing for it. */
static bool squat_make(struct qn_str name, enum squat_kind kind, char ret[SQUAT_MAX])
{
        struct squat_source s = { { 0 }, { 0 }, { 0 }, 0 };
        ptrdiff_t slash = name.n && name.p[0] == '@' ? qn_str_chr(name, '/') : -1;

        if (slash > 0) {
                s.pre[0] = '@';
                snprintf(s.post, sizeof s.post, "%.*s",
                         QN_STR_ARG(qn_str_skip(name, (size_t)slash)));
                name = qn_str_skip(qn_str_take(name, (size_t)slash), 1);
        }
        snprintf(s.body, sizeof s.body, "%.*s", QN_STR_ARG(name));
        s.n = name.n;
        if (kind <= SQUAT_KEY)
                return squat_slip(&s, kind, ret);
        if (kind <= SQUAT_ORDER)
                return squat_separators(&s, kind, ret);
        return kind == SQUAT_GLYPH ? squat_glyph(&s, ret) : squat_affix(&s, kind, ret);
}
