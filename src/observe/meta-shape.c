/* The package as a whole: what farms of packages, stand-ins for internal ones and archives made by hand look like.  Each fact
 * is weak; most are true of honest packages as well. */
#include "observe/farm.h"
#include "observe/meta-priv.h"
#include "observe/packlist.h"
#include "parse/pkgjson.h"

#define HOLLOW_BYTES UINT64_C(256) /* of programs */
#define HOLLOW_FILES UINT64_C(8)
#define HOLLOW_SIZE  UINT64_C(65536) /* of everything: more holds a binary, or data */
#define TOKENS_MAX   8u
#define TOKEN_MIN    3u /* letters of a word that two names share */
#define SIBLINGS_MIN 5u
#define DIGITS_MIN   2u
#define DIGITS_MAX   6u
#define STEM_MIN     4u /* letters before a number: those of x64, es2015 and win32 are fewer */
#define README_MIN   8u /* words that make a text comparable */
#define TEXT_MIN     5u
#define UNLISTED_MAX 8u /* that are told */

/* --- names --- */

struct words {
        struct qn_str v[TOKENS_MAX];
        size_t n;
        bool numbered; /* one of them is a word with a number, or the last is a number */
};

static bool is_separator(char c)
{
        return c == '-' || c == '_' || c == '.';
}

static size_t digits_at_end(struct qn_str word)
{
        size_t n = 0;

        while (n < word.n && word.p[word.n - 1 - n] >= '0' && word.p[word.n - 1 - n] <= '9')
                n++;
        return n;
}

static bool is_letters(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if ((s.p[i] | 0x20) < 'a' || (s.p[i] | 0x20) > 'z')
                        return false;
        return true;
}

/* "soto10", or "304" at the end. */
static bool is_numbered(struct qn_str word, bool last)
{
        size_t digits = digits_at_end(word);
        struct qn_str stem = qn_str_take(word, word.n - digits);

        if (!stem.n)
                return last && digits >= DIGITS_MIN && digits <= DIGITS_MAX;
        return digits && digits <= DIGITS_MAX && stem.n >= STEM_MIN && is_letters(stem);
}

static struct words words_of(struct qn_str name)
{
        ptrdiff_t slash = qn_str_rchr(name, '/');
        struct words w = { .n = 0 };

        name = qn_str_skip(name, (size_t)(slash + 1));
        while (name.n && w.n < TOKENS_MAX) {
                size_t n = 0;

                while (n < name.n && !is_separator(name.p[n]))
                        n++;
                w.v[w.n] = qn_str_take(name, n);
                w.numbered |= n && is_numbered(w.v[w.n], n == name.n);
                w.n += n > 0;
                name = qn_str_skip(name, QN_MIN(n + 1, name.n));
        }
        return w;
}

/* As many words, and the first or the last is the same. */
static bool are_siblings(const struct words *a, const struct words *b)
{
        return a->n >= 2 && a->n == b->n &&
               ((a->v[0].n >= TOKEN_MIN && qn_str_eq(a->v[0], b->v[0])) ||
                (a->v[a->n - 1].n >= TOKEN_MIN && qn_str_eq(a->v[a->n - 1], b->v[b->n - 1])));
}

/* A tuple of words with a number, as programs make them. */
static bool is_generated(const struct words *w, struct qn_str name)
{
        return w->n >= 3 && w->numbered && !qn_str_starts(name, "@");
}

static void tell_siblings(struct qn_scan *s, const char *how, size_t n)
{
        if (n >= SIBLINGS_MIN)
                qn_meta_tell(s, "sibling-dependencies", how, "%zu", n);
}

static void tell_names(struct qn_scan *s)
{
        const struct qn_pkgjson *p = s->manifest;
        struct words own = words_of(p->name.text);
        size_t siblings = 0, generated = 0;

        if (is_generated(&own, p->name.text))
                qn_meta_tell(s, "generated-name", "", "%.*s", QN_STR_ARG(p->name.text));
        for (size_t i = 0; i < p->n_deps; i++) {
                struct words other = words_of(p->deps[i].name);

                if (p->deps[i].block != QN_DEP_PROD && p->deps[i].block != QN_DEP_OPTIONAL)
                        continue;
                siblings += are_siblings(&own, &other);
                generated += is_generated(&other, p->deps[i].name);
                if (qn_str_eq(p->deps[i].name, p->name.text))
                        qn_meta_tell(s, "self-dependency", "", "%.*s", QN_STR_ARG(p->deps[i].spec));
        }
        tell_siblings(s, "", siblings);
        if (is_generated(&own, p->name.text))
                tell_siblings(s, "generated", generated);
}

/* --- what is not there --- */

static bool has_readme(const struct qn_scan *s)
{
        for (size_t i = 0; i < s->graph.n_files; i++) {
                struct qn_str path = s->graph.files[i].path;

                if (path.n >= 6 && strncasecmp(path.p, "readme", 6) == 0 &&
                    qn_str_chr(path, '/') < 0)
                        return true;
        }
        return false;
}

static bool is_hollow(const struct qn_scan *s)
{
        const struct qn_pkgjson *p = s->manifest;

        return s->stats.js_bytes <= HOLLOW_BYTES && s->stats.files <= HOLLOW_FILES &&
               s->stats.bytes <= HOLLOW_SIZE && !p->types.text.n && !p->os.n && !p->cpu.n;
}

void qn_meta_missing(struct qn_scan *s)
{
        const struct qn_pkgjson *p = s->manifest;

        if (is_hollow(s))
                qn_meta_tell(s, "hollow", "", "%llu bytes of programs",
                             (unsigned long long)s->stats.js_bytes);
        if (!p->repository.text.n && !p->homepage.text.n && !has_readme(s))
                qn_meta_tell(s, "bare", "", "no README, no repository, no homepage");
}

/* --- texts --- */

/* Where others with the same print are, one text was made for all of them. */
static void tell_print(struct qn_scan *s, const char *how, const char *why, uint64_t print)
{
        struct qn_event e = qn_meta_event("template");
        char value[17];

        snprintf(value, sizeof value, "%016llx", (unsigned long long)print);
        qn_event_attr(&e, QN_ATTR_HOW, qn_str_c(how));
        qn_event_attr(&e, QN_ATTR_FLAGS, qn_str_c(why));
        qn_event_attr(&e, QN_ATTR_VALUE, qn_str_c(value));
        qn_meta_add(s, &e);
}

static void tell_boilerplate(struct qn_scan *s, const char *how, struct qn_str text)
{
        struct qn_str phrase = qn_farm_boilerplate(s->o->farms, text);

        if (phrase.n)
                qn_meta_tell(s, "boilerplate", how, "%.*s", QN_STR_ARG(phrase));
}

/* Of packages that are of no use, or that want to be paid for: elsewhere a common text means a common author. */
static void tell_texts(struct qn_scan *s)
{
        struct qn_str name = s->manifest->name.text, text = s->manifest->description.text;
        const char *why = is_hollow(s)  ? "hollow"
                          : s->no_entry ? "no-main"
                          : s->tea.n    ? "tea-yaml"
                                        : NULL;
        uint64_t print;

        if (!why)
                return;
        tell_boilerplate(s, "description", text);
        tell_boilerplate(s, "readme", s->readme);
        if (qn_farm_print(name, s->readme, README_MIN, &print))
                tell_print(s, "readme", why, print);
        if (qn_farm_print(name, text, TEXT_MIN, &print))
                tell_print(s, "description", why, print);
        if (qn_farm_wallets(s->tea, &print))
                tell_print(s, "wallets", why, print);
}

/* --- what should not be there --- */

/* Programs that run at installation and that npm would not have packed. */
static void tell_unlisted(struct qn_scan *s)
{
        size_t n = 0;

        for (size_t i = 0; i < s->graph.n_files && n < UNLISTED_MAX; i++) {
                const struct qn_graph_file *f = &s->graph.files[i];
                struct qn_event e = qn_meta_event("unlisted-file");

                if (!(f->phases & 1u << QN_PHASE_INSTALL) ||
                    !(f->flags & (QN_GF_JS | QN_GF_OTHER)) ||
                    qn_str_find(f->path, QN_STR("!/")) >= 0 ||
                    qn_packlist_has(s->manifest, f->path))
                        continue;
                qn_event_attr(&e, QN_ATTR_PATH, f->path);
                qn_meta_add(s, &e);
                n++;
        }
}

void qn_meta_shape(struct qn_scan *s)
{
        tell_names(s);
        tell_texts(s);
        tell_unlisted(s);
}
