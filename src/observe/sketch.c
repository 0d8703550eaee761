#include "observe/sketch.h"

#include <errno.h>

#include "base/hash.h"
#include "base/limits.h"
#include "parse/js-lex.h"
#include "parse/js.h"

#define SHINGLE 5u /* tokens */
#define MIX     UINT64_C(0x9e3779b97f4a7c15)
#define NAME    1u /* stands for the name of any variable */

/* --- which files, and as what --- */

enum kind { KIND_NONE, KIND_JS, KIND_TEXT };

static const struct {
        const char *suffix;
        enum kind kind;
} suffixes[] = { { ".d.ts", KIND_NONE },  { ".js", KIND_JS },    { ".mjs", KIND_JS },
                 { ".cjs", KIND_JS },     { ".jsx", KIND_JS },   { ".ts", KIND_JS },
                 { ".mts", KIND_JS },     { ".cts", KIND_JS },   { ".tsx", KIND_JS },
                 { ".md", KIND_TEXT },    { ".txt", KIND_TEXT }, { ".html", KIND_TEXT },
                 { ".htm", KIND_TEXT },   { ".css", KIND_TEXT }, { ".json", KIND_TEXT },
                 { ".yaml", KIND_TEXT },  { ".yml", KIND_TEXT }, { ".sh", KIND_TEXT },
                 { ".bat", KIND_TEXT },   { ".cmd", KIND_TEXT }, { ".ps1", KIND_TEXT },
                 { ".py", KIND_TEXT },    { ".rb", KIND_TEXT },  { ".vue", KIND_TEXT },
                 { ".svelte", KIND_TEXT } };

/* What has the same text in packages that have nothing to do with each other; beginnings, in lower case. */
static const char *const common[] = { "package.json",
                                      "package-lock.json",
                                      "npm-shrinkwrap.json",
                                      "pnpm-lock.yaml",
                                      "licence",
                                      "license",
                                      "copying",
                                      "unlicense",
                                      "code_of_conduct",
                                      "third-party-lic",
                                      "thirdpartylic",
                                      "tsconfig",
                                      "code-of-conduct",
                                      "notice",
                                      "security.md" };

bool qn_sketch_is_common(struct qn_str path)
{
        struct qn_str base = qn_str_base(path);

        for (size_t i = 0; i < QN_ARRAY_SIZE(common); i++)
                if (qn_str_ieq(qn_str_take(base, strlen(common[i])), qn_str_c(common[i])))
                        return true;
        return false;
}

static enum kind kind_of(struct qn_str path)
{
        struct qn_str base = qn_str_base(path);

        if (qn_sketch_is_common(base))
                return KIND_NONE;
        for (size_t i = 0; i < QN_ARRAY_SIZE(suffixes); i++)
                if (qn_str_ends(base, suffixes[i].suffix))
                        return suffixes[i].kind;
        return qn_str_chr(base, '.') < 0 ? KIND_TEXT : KIND_NONE;
}

bool qn_sketch_wants(struct qn_str path)
{
        return kind_of(path) != KIND_NONE;
}

/* --- shingles --- */

struct shingler {
        struct qn_sketcher *s;
        uint64_t last[SHINGLE]; /* hashes of tokens, a ring */
        uint64_t sum;           /* of them, each times MIX as often as tokens follow it */
        uint32_t n;
};

static uint64_t mix(uint64_t h)
{
        h ^= h >> 32;
        h *= MIX;
        return h ^ h >> 29;
}

static void put(struct shingler *sh, uint64_t token)
{
        uint64_t *oldest = &sh->last[sh->n++ % SHINGLE], h;
        uint32_t value, *bin;

        sh->sum = (sh->sum - *oldest * (MIX * MIX * MIX * MIX)) * MIX + token;
        *oldest = token;
        if (sh->n < SHINGLE)
                return;
        h = mix(sh->sum);
        bin = &sh->s->least[h >> 57];
        value = (uint32_t)(h >> 16);
        *bin = QN_MIN(*bin, value);
        sh->s->shingles++;
}

static void put_text(struct shingler *sh, unsigned kind, struct qn_str s)
{
        put(sh, qn_hash64(s.p, s.n) + kind * MIX);
}

/* --- text --- */

static bool is_word(uint8_t c)
{
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c >= 128;
}

static uint8_t lower(char c)
{
        return (uint8_t)(c >= 'A' && c <= 'Z' ? c | 32 : c);
}

static void sketch_text(struct shingler *sh, struct qn_str text)
{
        char word[64];
        size_t n = 0;

        for (size_t i = 0; i <= text.n; i++) {
                uint8_t c = i < text.n ? lower(text.p[i]) : ' ';

                if (is_word(c) && n < sizeof word) {
                        word[n++] = (char)c;
                } else if (n) {
                        put_text(sh, QN_JS_TOK_MAX, (struct qn_str){ word, n });
                        n = 0;
                }
        }
}

/* --- code --- */

struct code {
        struct shingler sh;
        const struct qn_js *js;
        struct qn_str source;
        struct qn_js_lexeme held; /* a name that may turn out to be a property's */
        bool holds;
        uint8_t prev;   /* the token before the current one */
        uint8_t before; /* the one before the held name */
};

static bool is_name(unsigned tok)
{
        return tok >= QN_JS_TOK_NAME_FIRST && tok <= QN_JS_TOK_NAME_LAST;
}

static bool is_quoted(unsigned tok)
{
        return tok == QN_JS_TOK_STRING ||
               (tok >= QN_JS_TOK_TEMPLATE && tok <= QN_JS_TOK_TEMPLATE_TAIL);
}

/* A text is the same whatever its quotes are. */
static void put_literal(struct code *c, const struct qn_js_lexeme *t)
{
        struct qn_str s = { c->source.p + t->start, t->end - t->start };

        if (is_quoted(t->tok) && s.n >= 2)
                put_text(&c->sh, QN_JS_TOK_STRING, (struct qn_str){ s.p + 1, s.n - 2 });
        else
                put_text(&c->sh, t->tok, s);
}

/* `{ a: 1, b: 2 }`: names that no minifier touches. */
static void release(struct code *c, unsigned next)
{
        if (!c->holds)
                return;
        c->holds = false;
        if (next == QN_JS_TOK_COLON &&
            (c->before == QN_JS_TOK_LBRACE || c->before == QN_JS_TOK_COMMA))
                put_text(&c->sh, QN_JS_TOK_IDENT, qn_js_atom(c->js, c->held.atom));
        else
                put(&c->sh, NAME);
}

static int token(void *arg, const struct qn_js_lexeme *t)
{
        struct code *c = arg;
        bool member = c->prev == QN_JS_TOK_DOT || c->prev == QN_JS_TOK_QDOT;

        release(c, t->tok);
        if (member && t->atom)
                put_text(&c->sh, QN_JS_TOK_IDENT, qn_js_atom(c->js, t->atom));
        else if (is_name(t->tok)) {
                c->held = *t;
                c->holds = true;
                c->before = c->prev;
        } else if (t->tok == QN_JS_TOK_VAR || t->tok == QN_JS_TOK_CONST)
                put(&c->sh, QN_JS_TOK_LET * MIX);
        else if (t->tok >= QN_JS_TOK_PRIVATE && t->tok <= QN_JS_TOK_TEMPLATE_TAIL)
                put_literal(c, t);
        else if (t->tok != QN_JS_TOK_SEMI)
                put(&c->sh, t->tok * MIX);
        c->prev = t->tok;
        return 0;
}

static int sketch_code(struct qn_sketcher *s, struct qn_js *js, struct qn_str source)
{
        struct code c = { .sh.s = s, .js = js, .source = source };
        uint32_t n;
        int r = qn_js_lex(js, source, token, &c, &n);

        if (r == -EFBIG)
                s->cut = true;
        else if (r < 0)
                return r;
        release(&c, QN_JS_TOK_END);
        return 0;
}

/* --- a package --- */

void qn_sketcher_init(struct qn_sketcher *s)
{
        *s = (struct qn_sketcher){ 0 };
        memset(s->least, 0xff, sizeof s->least);
}

int qn_sketch_file(struct qn_sketcher *s, struct qn_js *js, struct qn_str path,
                   struct qn_str content)
{
        size_t room = QN_MIN(QN_SKETCH_FILE_MAX, QN_SKETCH_PACKAGE_MAX - s->bytes);
        enum kind kind = kind_of(path);
        struct shingler sh = { .s = s };

        if (kind == KIND_NONE)
                return 0;
        if (content.n > room)
                s->cut = true;
        content = qn_str_take(content, room);
        s->bytes += content.n;
        if (kind == KIND_JS)
                return sketch_code(s, js, content);
        sketch_text(&sh, content);
        return 0;
}

void qn_sketch_finish(const struct qn_sketcher *s, struct qn_sketch *ret)
{
        for (unsigned b = 0; b < QN_SKETCH_BANDS; b++) {
                uint64_t band = 0;

                for (unsigned i = 0; i < QN_SKETCH_ROWS; i++) {
                        uint32_t v = s->least[b * QN_SKETCH_ROWS + i];

                        band |= (uint64_t)(v == UINT32_MAX ? 0 : 1 + v % 255) << 8 * i;
                }
                ret->band[b] = band;
        }
}

/* --- two sketches --- */

unsigned qn_sketch_filled(const struct qn_sketch *s)
{
        unsigned n = QN_SKETCH_BINS;

        for (unsigned b = 0; b < QN_SKETCH_BANDS; b++)
                n -= qn_sketch_zeros(s->band[b]);
        return n;
}

/* Different values of one byte agree by chance once in 255 times: that share is taken off. */
double qn_sketch_similarity(const struct qn_sketch *a, const struct qn_sketch *b)
{
        unsigned none = 0, equal = 0, only_a, only_b;
        double either, both;

        for (unsigned i = 0; i < QN_SKETCH_BANDS; i++) {
                none += qn_sketch_zeros(a->band[i] | b->band[i]);
                equal += qn_sketch_zeros(a->band[i] ^ b->band[i]);
        }
        equal -= none;
        either = QN_SKETCH_BINS - none;
        only_a = QN_SKETCH_BINS - none - qn_sketch_filled(b);
        only_b = QN_SKETCH_BINS - none - qn_sketch_filled(a);
        both = either - only_a - only_b;
        return either > 0 ? QN_MAX(0.0, equal - (both - equal) / 254) / either : 0;
}
