#include "observe/popular.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/map.h"

#define NAMES "popular-names.txt"

struct entry {
        uint64_t key;
        uint32_t next, rank; /* next: index + 1 */
};

struct qn_popular {
        struct qn_str *names;
        struct qn_words *words;
        size_t n, names_cap, words_cap;
        struct qn_map ranks, scopes; /* name → rank; scope → place in in_scope */
        uint32_t *in_scope;
        size_t n_scopes, scopes_cap;
        struct entry *entries;
        size_t n_entries, entries_cap;
        uint32_t *heads; /* index + 1 */
        size_t n_heads;  /* a power of two */
};

/* --- words --- */

static bool is_between(char c)
{
        return c == '-' || c == '_' || c == '.' || c == '/' || c == '@';
}

static void end_word(struct qn_words *w)
{
        if (w->n_letters > w->at[w->n])
                w->at[++w->n] = w->n_letters;
}

bool qn_words_read(struct qn_words *w, struct qn_str name)
{
        w->n = w->n_letters = w->at[0] = 0;
        for (size_t i = 0; i < name.n; i++) {
                char c = name.p[i];

                if (is_between(c)) {
                        end_word(w);
                        continue;
                }
                if (w->n_letters == QN_LETTERS_MAX || w->n == QN_WORDS_MAX)
                        return false;
                w->letters[w->n_letters++] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
        }
        if (w->n < QN_WORDS_MAX)
                end_word(w);
        return w->n > 0 && w->at[w->n] == w->n_letters;
}

struct qn_str qn_words_at(const struct qn_words *w, size_t i)
{
        return (struct qn_str){ w->letters + w->at[i], (size_t)(w->at[i + 1] - w->at[i]) };
}

struct qn_str qn_words_all(const struct qn_words *w)
{
        return (struct qn_str){ w->letters, w->n_letters };
}

/* --- keys --- */

uint64_t qn_key_text(enum qn_popular_key kind, struct qn_str text)
{
        return qn_hash64(text.p, text.n) + (uint64_t)kind * UINT64_C(0x9e3779b97f4a7c15);
}

uint64_t qn_key_less(const struct qn_words *w, size_t without)
{
        char text[QN_LETTERS_MAX];
        size_t n = w->n_letters;

        if (without >= n)
                return qn_key_text(QN_KEY_LESS, qn_words_all(w));
        memcpy(text, w->letters, without);
        memcpy(text + without, w->letters + without + 1, n - without - 1);
        return qn_key_text(QN_KEY_LESS, (struct qn_str){ text, n - 1 });
}

uint64_t qn_key_glyphs(const struct qn_words *w)
{
        static const struct {
                char pair[3], as;
        } pairs[] = { { "rn", 'm' }, { "vv", 'w' }, { "0", 'o' },
                      { "1", 'l' },  { "i", 'l' },  { "5", 's' } };
        struct qn_str left = qn_words_all(w);
        char text[QN_LETTERS_MAX];
        size_t n = 0;

        while (left.n) {
                size_t took = 1;

                text[n] = left.p[0];
                for (size_t i = 0; i < QN_ARRAY_SIZE(pairs); i++)
                        if (qn_str_starts(left, pairs[i].pair)) {
                                text[n] = pairs[i].as;
                                took = strlen(pairs[i].pair);
                        }
                n++;
                left = qn_str_skip(left, took);
        }
        return qn_key_text(QN_KEY_GLYPHS, (struct qn_str){ text, n });
}

uint64_t qn_key_order(const struct qn_words *w)
{
        struct qn_str sorted[QN_WORDS_MAX];
        char text[QN_LETTERS_MAX + QN_WORDS_MAX];
        size_t n = 0;

        for (size_t i = 0; i < w->n; i++) {
                struct qn_str word = qn_words_at(w, i);
                size_t k = i;

                for (; k > 0 && qn_str_cmp(sorted[k - 1], word) > 0; k--)
                        sorted[k] = sorted[k - 1];
                sorted[k] = word;
        }
        for (size_t i = 0; i < w->n; i++) {
                memcpy(text + n, sorted[i].p, sorted[i].n);
                n += sorted[i].n;
                text[n++] = '-';
        }
        return qn_key_text(QN_KEY_ORDER, (struct qn_str){ text, n });
}

uint64_t qn_key_family(const struct qn_words *w, size_t without)
{
        char text[QN_LETTERS_MAX + QN_WORDS_MAX];
        size_t n = 0;

        for (size_t i = 0; i < w->n; i++) {
                struct qn_str word = i == without ? QN_STR("*") : qn_words_at(w, i);

                memcpy(text + n, word.p, word.n);
                n += word.n;
                text[n++] = '-';
        }
        return qn_key_text(QN_KEY_FAMILY, (struct qn_str){ text, n });
}

/* --- the list --- */

static int add_key(struct qn_popular *p, struct qn_arena *a, uint64_t key, size_t rank)
{
        if (QN_ARENA_ROOM(a, p->entries, p->n_entries, p->entries_cap) < 0)
                return -ENOBUFS;
        p->entries[p->n_entries++] = (struct entry){ .key = key, .rank = (uint32_t)rank };
        return 0;
}

static int add_keys(struct qn_popular *p, struct qn_arena *a, size_t rank)
{
        const struct qn_words *w = &p->words[rank];
        int r = add_key(p, a, qn_key_text(QN_KEY_ALL, qn_words_all(w)), rank);

        if (r == 0)
                r = add_key(p, a, qn_key_glyphs(w), rank);
        if (r == 0 && w->n > 1)
                r = add_key(p, a, qn_key_order(w), rank);
        for (size_t i = 0; r == 0 && i <= w->n_letters; i++)
                r = add_key(p, a, qn_key_less(w, i), rank);
        for (size_t i = 0; r == 0 && w->n > 1 && i < w->n; i++)
                r = add_key(p, a, qn_key_family(w, i), rank);
        return r;
}

static int count_scope(struct qn_popular *p, struct qn_arena *a, struct qn_str name)
{
        ptrdiff_t slash = name.n && name.p[0] == '@' ? qn_str_chr(name, '/') : -1;
        struct qn_str scope = qn_str_take(name, slash > 0 ? (size_t)slash : 0);
        uint32_t at = (uint32_t)p->n_scopes;
        int r;

        if (!scope.n)
                return 0;
        r = qn_map_add(&p->scopes, a, scope, at, &at);
        if (r == 0) {
                if (QN_ARENA_ROOM(a, p->in_scope, p->n_scopes, p->scopes_cap) < 0)
                        return -ENOBUFS;
                p->in_scope[p->n_scopes++] = 0;
        }
        if (r >= 0)
                p->in_scope[at]++;
        return r < 0 ? r : 0;
}

static int add_name(struct qn_popular *p, struct qn_arena *a, struct qn_str name)
{
        struct qn_words w;
        int r;

        if (!qn_words_read(&w, name))
                return 0;
        r = qn_map_add(&p->ranks, a, name, (uint32_t)p->n, NULL);
        if (r != 0)
                return r < 0 ? r : 0;
        if (QN_ARENA_ROOM(a, p->names, p->n, p->names_cap) < 0 ||
            QN_ARENA_ROOM(a, p->words, p->n, p->words_cap) < 0)
                return -ENOBUFS;
        p->names[p->n] = name;
        p->words[p->n] = w;
        p->n++;
        r = count_scope(p, a, name);
        return r < 0 ? r : add_keys(p, a, p->n - 1);
}

static int link_entries(struct qn_popular *p, struct qn_arena *a)
{
        for (p->n_heads = 1; p->n_heads < p->n_entries; p->n_heads *= 2)
                ;
        p->heads = qn_arena_calloc(a, p->n_heads, sizeof *p->heads);
        if (!p->heads)
                return -ENOBUFS;
        for (size_t i = 0; i < p->n_entries; i++) {
                uint32_t *head = &p->heads[p->entries[i].key & (p->n_heads - 1)];

                p->entries[i].next = *head;
                *head = (uint32_t)i + 1;
        }
        return 0;
}

/* Room for all, so that nothing is moved: a key for each letter of a name, and some for the name and its words. */
static int make_room(struct qn_popular *p, struct qn_arena *a, struct qn_str text)
{
        size_t lines = 1;

        for (size_t i = 0; i < text.n; i++)
                lines += text.p[i] == '\n';
        p->names_cap = p->words_cap = lines;
        p->entries_cap = 2 * text.n + 4 * lines;
        p->names = qn_arena_alloc(a, p->names_cap * sizeof *p->names);
        p->words = qn_arena_alloc(a, p->words_cap * sizeof *p->words);
        p->entries = qn_arena_alloc(a, p->entries_cap * sizeof *p->entries);
        return p->names && p->words && p->entries ? 0 : -ENOBUFS;
}

static int read_list(struct qn_popular *p, struct qn_arena *a, struct qn_str text)
{
        int r = make_room(p, a, text);

        while (r == 0 && text.n) {
                struct qn_str line = qn_str_trim(qn_str_cut(&text, '\n'));

                if (line.n && line.p[0] != '#')
                        r = add_name(p, a, line);
        }
        return r;
}

int qn_popular_load(const char *data_dir, struct qn_arena *a, struct qn_popular **ret,
                    struct qn_err *reterr)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_YAML_MAX);
        struct qn_popular *p = QN_ARENA_NEW(a, struct qn_popular);
        char path[4096];
        struct qn_str text;
        int r;

        snprintf(path, sizeof path, "%s/" NAMES, data_dir);
        r = qn_io_read(path, &b);
        if (r < 0)
                return qn_fail(reterr, r, 0, "%s: %s", path, strerror(-r));
        text = qn_arena_dup(a, qn_buf_view(&b));
        if (!p || !text.p)
                return -ENOMEM;
        r = read_list(p, a, text);
        if (r == 0)
                r = link_entries(p, a);
        if (r < 0)
                return qn_fail(reterr, r, 0, "%s: too many names", path);
        *ret = p;
        return 0;
}

/* --- questions --- */

size_t qn_popular_count(const struct qn_popular *p)
{
        return p->n;
}

struct qn_str qn_popular_name(const struct qn_popular *p, size_t rank)
{
        return p->names[rank];
}

const struct qn_words *qn_popular_words(const struct qn_popular *p, size_t rank)
{
        return &p->words[rank];
}

size_t qn_popular_rank(const struct qn_popular *p, struct qn_str name)
{
        uint32_t rank = qn_map_get(&p->ranks, name);

        return rank == QN_MAP_NONE ? SIZE_MAX : rank;
}

size_t qn_popular_in_scope(const struct qn_popular *p, struct qn_str scope)
{
        uint32_t at = qn_map_get(&p->scopes, scope);

        return at == QN_MAP_NONE ? 0 : p->in_scope[at];
}

struct qn_popular_walk qn_popular_with(const struct qn_popular *p, uint64_t key)
{
        return (struct qn_popular_walk){ key, p->heads[key & (p->n_heads - 1)] };
}

size_t qn_popular_next(const struct qn_popular *p, struct qn_popular_walk *w)
{
        while (w->at) {
                const struct entry *e = &p->entries[w->at - 1];

                w->at = e->next;
                if (e->key == w->key)
                        return e->rank;
        }
        return SIZE_MAX;
}
