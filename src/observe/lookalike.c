#include "observe/lookalike.h"

#include "observe/popular.h"

#define TOP       1000u /* up to this rank shorter names are imitated too */
#define AFFIX_TOP 1500u /* up to this rank endings and beginnings count */
#define FAMILY    3u    /* popular names that differ in one word only */

struct question {
        const struct qn_popular *p;
        struct qn_str name;
        struct qn_words words;
        size_t self; /* its own rank, passed over; SIZE_MAX */
        bool scoped;
        struct qn_lookalike *ret;
        size_t n;
};

static void found(struct question *q, size_t rank, const char *how)
{
        size_t at = 0;

        if (rank == q->self)
                return;
        for (; at < q->n && q->ret[at].rank <= rank; at++)
                if (q->ret[at].rank == rank)
                        return;
        if (at == QN_LOOKALIKES_MAX)
                return;
        if (q->n < QN_LOOKALIKES_MAX)
                q->n++;
        for (size_t i = q->n - 1; i > at; i--)
                q->ret[i] = q->ret[i - 1];
        q->ret[at] = (struct qn_lookalike){ rank, how };
}

/* All that share a key, with ranks below `top`. */
static void found_all(struct question *q, uint64_t key, size_t top, const char *how)
{
        struct qn_popular_walk w = qn_popular_with(q->p, key);
        size_t rank;

        while ((rank = qn_popular_next(q->p, &w)) != SIZE_MAX)
                if (rank < top)
                        found(q, rank, how);
}

/* --- one letter --- */

/* Where a key lies: row, and column in halves of a key; 0xff: no letter or digit. */
static bool key_place(char c, int *row, int *col)
{
        static const char *const rows[] = { "1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm" };

        for (int r = 0; r < (int)QN_ARRAY_SIZE(rows); r++) {
                const char *at = c ? strchr(rows[r], c) : NULL;

                if (at) {
                        *row = r;
                        *col = (int)(at - rows[r]) * 2 + r - 1;
                        return true;
                }
        }
        return false;
}

static bool are_neighbours(char a, char b)
{
        int row_a, col_a, row_b, col_b;

        if (!key_place(a, &row_a, &col_a) || !key_place(b, &row_b, &col_b))
                return false;
        return row_a - row_b <= 1 && row_b - row_a <= 1 && col_a - col_b <= 2 && col_b - col_a <= 2;
}

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

static size_t family_size(const struct question *q, const struct qn_words *t, size_t word)
{
        struct qn_popular_walk w = qn_popular_with(q->p, qn_key_family(t, word));
        size_t n = 0, rank;

        while (n < FAMILY && (rank = qn_popular_next(q->p, &w)) != SIZE_MAX)
                n += rank != q->self;
        return n;
}

/* The letters that tell the two apart: of the word in which they differ when others differ from the popular one in that
 * word too, else all. */
static size_t telling_letters(const struct question *q, const struct qn_words *t)
{
        size_t differ = 0, word = 0;

        if (t->n != q->words.n || t->n < 2)
                return t->n_letters;
        for (size_t i = 0; i < t->n; i++)
                if (!qn_str_eq(qn_words_at(t, i), qn_words_at(&q->words, i))) {
                        differ++;
                        word = i;
                }
        if (differ != 1 || family_size(q, t, word) < FAMILY)
                return t->n_letters;
        return qn_words_at(t, word).n;
}

/* a: the name, b: the popular one, both from the first letter on that differs, at `at`. */
struct difference {
        struct qn_str a, b;
        char before; /* the letter in front, 0 at the beginning */
        size_t letters;
        bool top;
};

static bool same_from(struct qn_str a, size_t i, struct qn_str b, size_t k)
{
        return qn_str_eq(qn_str_skip(a, i), qn_str_skip(b, k));
}

static const char *same_length(const struct difference *d)
{
        char a = d->a.p[0], b = d->b.p[0];

        if (d->a.n > 1 && a == d->b.p[1] && b == d->a.p[1] && same_from(d->a, 2, d->b, 2))
                return !is_digit(a) && !is_digit(b) && d->letters >= (d->top ? 3 : 4) ? "swapped"
                                                                                      : NULL;
        if (!same_from(d->a, 1, d->b, 1) || (is_digit(a) && is_digit(b)))
                return NULL;
        if (are_neighbours(a, b))
                return d->letters >= (d->top && !is_digit(a) && !is_digit(b) ? 4 : 5) ? "key"
                                                                                      : NULL;
        return d->letters >= 8 && d->before && !is_digit(a) && !is_digit(b) ? "letter" : NULL;
}

static const char *one_less(const struct difference *d)
{
        if (!same_from(d->a, 0, d->b, 1) || is_digit(d->b.p[0]))
                return NULL;
        return d->letters >= (d->top ? 4 : 5) ? "dropped" : NULL;
}

static const char *one_more(const struct difference *d)
{
        char more = d->a.p[0];

        if (!same_from(d->a, 1, d->b, 0) || is_digit(more))
                return NULL;
        if (more == d->before)
                return d->letters >= (d->top ? 3 : 4) ? "doubled" : NULL;
        if (d->b.n == 0 && more == 's')
                return d->letters >= (d->top ? 4 : 5) ? "plural" : NULL;
        return d->letters >= 7 && d->before ? "added" : NULL;
}

static const char *compare(const struct question *q, size_t rank)
{
        const struct qn_words *t = qn_popular_words(q->p, rank);
        struct difference d = { .a = qn_words_all(&q->words),
                                .b = qn_words_all(t),
                                .top = rank < TOP };
        size_t at = 0, a = d.a.n, b = d.b.n;

        while (at < a && at < b && d.a.p[at] == d.b.p[at])
                at++;
        if ((a == b && at == a) || a + 1 < b || b + 1 < a)
                return NULL;
        d.before = at ? d.a.p[at - 1] : 0;
        d.a = qn_str_skip(d.a, at);
        d.b = qn_str_skip(d.b, at);
        d.letters = telling_letters(q, t);
        return a == b ? same_length(&d) : a < b ? one_less(&d) : one_more(&d);
}

static void find_slips(struct question *q)
{
        for (size_t i = 0; i <= q->words.n_letters; i++) {
                struct qn_popular_walk w = qn_popular_with(q->p, qn_key_less(&q->words, i));
                size_t rank;

                while ((rank = qn_popular_next(q->p, &w)) != SIZE_MAX) {
                        const char *how;

                        /* a scope that nobody knows is no slip of a name without one */
                        if (q->scoped && qn_popular_name(q->p, rank).p[0] != '@')
                                continue;
                        how = compare(q, rank);
                        if (how)
                                found(q, rank, how);
                }
        }
}

/* --- more than a letter --- */

static void find_affixes(struct question *q)
{
        static const char *const endings[] = { "js", "2", "node", "npm" };
        static const char *const beginnings[] = { "node", "npm", "js" };
        struct qn_str all = qn_words_all(&q->words);

        for (size_t i = 0; i < QN_ARRAY_SIZE(endings); i++)
                if (qn_str_ends(all, endings[i]) && all.n >= strlen(endings[i]) + 3)
                        found_all(q,
                                  qn_key_text(QN_KEY_ALL,
                                              qn_str_take(all, all.n - strlen(endings[i]))),
                                  AFFIX_TOP, "affix");
        for (size_t i = 0; i < QN_ARRAY_SIZE(beginnings); i++)
                if (qn_str_starts(all, beginnings[i]) && all.n >= strlen(beginnings[i]) + 3)
                        found_all(q,
                                  qn_key_text(QN_KEY_ALL, qn_str_skip(all, strlen(beginnings[i]))),
                                  AFFIX_TOP, "affix");
}

/* @name/name */
static void find_repeated(struct question *q)
{
        struct qn_str all = qn_words_all(&q->words), half = qn_str_take(all, all.n / 2);

        if (all.n % 2 == 0 && qn_str_eq(half, qn_str_skip(all, half.n)))
                found_all(q, qn_key_text(QN_KEY_ALL, half), SIZE_MAX, "scope");
}

static bool is_below_known_scope(const struct question *q)
{
        ptrdiff_t slash = qn_str_chr(q->name, '/');

        return slash > 0 && qn_popular_in_scope(q->p, qn_str_take(q->name, (size_t)slash)) >
                                    (q->self == SIZE_MAX ? 0 : 1);
}

size_t qn_lookalike_find(const struct qn_popular *p, struct qn_str name, bool unlisted,
                         struct qn_lookalike ret[QN_LOOKALIKES_MAX])
{
        struct question q = { .p = p, .name = name, .self = qn_popular_rank(p, name), .ret = ret };

        if ((q.self != SIZE_MAX && !unlisted) || !qn_words_read(&q.words, name))
                return 0;
        q.scoped = name.p[0] == '@';
        if (q.scoped && is_below_known_scope(&q))
                return 0;
        if (q.words.n_letters >= 3)
                found_all(&q, qn_key_text(QN_KEY_ALL, qn_words_all(&q.words)), SIZE_MAX,
                          "separators");
        if (q.scoped)
                find_repeated(&q);
        if (q.words.n_letters >= 4)
                found_all(&q, qn_key_glyphs(&q.words), SIZE_MAX, "glyphs");
        if (q.words.n > 1 && q.words.n_letters >= 6)
                found_all(&q, qn_key_order(&q.words), SIZE_MAX, "order");
        find_slips(&q);
        if (!q.scoped)
                find_affixes(&q);
        return q.n;
}
