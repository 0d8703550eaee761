#include "campaign/names.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>

#include "base/hash.h"
#include "base/limits.h"

#define NAME_MAX_BYTES 214u /* npm's own */
#define ENOUGH         40u  /* names that make a generator */
#define WATCH          8u   /* names that fit a template before it is watched */
#define REPEATS        3.0  /* times that each word comes, on average */
#define EVEN           2.0  /* how much likelier than in an even draw two names share a word */
#define NUMBERS        8.0  /* different numbers at least */
#define BUCKETS        256u
#define REGISTERS      64u
#define WAYS           8u
#define SETS           (QN_GENERATORS_MAX / WAYS)
#define ROUGH          (UINT32_C(1) << 22) /* cells of one row of rough counts */
#define MIX            UINT64_C(0x9e3779b97f4a7c15)

/* --- a name as fields --- */

enum class { CLASS_WORD = 'W', CLASS_DIGITS = 'D', CLASS_RANDOM = 'R' };

struct field {
        struct qn_str text;
        char class, before; /* before: the separator, 0: none */
};

struct name {
        struct qn_str scope; /* with its @ and /, or empty */
        struct field fields[QN_NAME_FIELDS_MAX];
        unsigned n;
};

static bool is_separator(char c)
{
        return c == '-' || c == '_' || c == '.' || c == '~';
}

static bool is_vowel(char c)
{
        return c && strchr("aeiouyAEIOUY", c);
}

/* Nothing that can be spoken: no vowel in six letters, or five consonants in a row. */
static bool is_unspeakable(struct qn_str s)
{
        size_t row = 0, longest = 0, vowels = 0;

        for (size_t i = 0; i < s.n; i++) {
                row = is_vowel(s.p[i]) ? 0 : row + 1;
                vowels += is_vowel(s.p[i]);
                longest = QN_MAX(longest, row);
        }
        return s.n >= 6 && (vowels == 0 || longest >= 5);
}

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

/* a9f3c2: letters and digits that take turns. */
static bool is_jumble(struct qn_str s)
{
        unsigned turns = 0;

        for (size_t i = 1; i < s.n; i++)
                turns += is_digit(s.p[i]) != is_digit(s.p[i - 1]);
        return s.n >= 6 && turns >= 3;
}

static bool add_field(struct name *n, struct qn_str text, char class, char before)
{
        if (n->n == QN_NAME_FIELDS_MAX)
                return false;
        n->fields[n->n++] = (struct field){ text, class, before };
        return true;
}

/* What stands between two separators: one jumble, or words and numbers in turn. */
static bool add_part(struct name *n, struct qn_str part, char before)
{
        if (is_jumble(part))
                return add_field(n, part, CLASS_RANDOM, before);
        while (part.n) {
                bool digits = is_digit(part.p[0]);
                size_t k = 1;
                struct qn_str run;

                while (k < part.n && is_digit(part.p[k]) == digits)
                        k++;
                run = qn_str_take(part, k);
                if (!add_field(n, run,
                               digits                ? CLASS_DIGITS
                               : is_unspeakable(run) ? CLASS_RANDOM
                                                     : CLASS_WORD,
                               before))
                        return false;
                part = qn_str_skip(part, k);
                before = 0;
        }
        return true;
}

static bool is_plain(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!isalnum((unsigned char)s.p[i]) && !is_separator(s.p[i]) && s.p[i] != '@' &&
                    s.p[i] != '/')
                        return false;
        return s.n > 0 && s.n <= NAME_MAX_BYTES;
}

static bool split(struct qn_str s, struct name *ret)
{
        ptrdiff_t slash = qn_str_chr(s, '/');
        char before = 0;

        *ret = (struct name){ .scope = qn_str_take(s, (size_t)(slash + 1)) };
        if (!is_plain(s))
                return false;
        s = qn_str_skip(s, (size_t)(slash + 1));
        while (s.n) {
                size_t k = 0;

                while (k < s.n && !is_separator(s.p[k]))
                        k++;
                if (k && !add_part(ret, qn_str_take(s, k), before))
                        return false;
                before = k < s.n ? s.p[k] : 0;
                s = qn_str_skip(s, k + 1);
        }
        return ret->n > 0;
}

/* --- templates --- */

/* The first `head` and the last `tail` fields stand as they are. */
struct form {
        uint8_t head, tail;
};
#define FORMS_MAX (2 * QN_NAME_FIELDS_MAX)

/* The less is fixed the earlier. */
static size_t forms_of(const struct name *n, struct form ret[FORMS_MAX])
{
        size_t k = 0;

        for (uint8_t fixed = 0; fixed < n->n; fixed++) {
                ret[k++] = (struct form){ fixed, 0 };
                if (fixed)
                        ret[k++] = (struct form){ (uint8_t)(fixed - 1), 1 };
        }
        return k;
}

static bool is_fixed(const struct name *n, struct form f, unsigned i)
{
        return i < f.head || i + f.tail >= n->n;
}

static uint64_t key_of(const struct name *n, struct form f)
{
        uint64_t h = qn_hash64(n->scope.p, n->scope.n);

        for (unsigned i = 0; i < n->n; i++) {
                const struct field *k = &n->fields[i];

                h = (h ^ (uint8_t)k->before) * MIX + (uint8_t)k->class;
                if (is_fixed(n, f, i))
                        h = (h << 7 | h >> 57) * MIX + qn_hash64(k->text.p, k->text.n);
                h ^= h >> 31;
        }
        return h;
}

/* --- what is known of a template --- */

struct draw {
        uint16_t bucket[BUCKETS];     /* how often the words that fall here came */
        uint8_t registers[REGISTERS]; /* HyperLogLog: how many different ones */
        uint8_t shortest, longest;
};

struct template
{
        uint64_t key;
        uint32_t names, recent;
        unsigned n;         /* fields that are not fixed */
        struct draw *draws; /* NULL: the place is free */
};

struct qn_generators {
        struct template sets[SETS][WAYS];
        uint8_t rough[2][ROUGH]; /* of templates that are not watched yet; never too low */
        size_t bytes;
};

struct qn_generators *qn_generators_new(void)
{
        struct qn_generators *g = calloc(1, sizeof *g);

        if (g)
                g->bytes = sizeof *g;
        return g;
}

struct qn_generators *qn_generators_free(struct qn_generators *g)
{
        for (size_t i = 0; g && i < SETS; i++)
                for (size_t k = 0; k < WAYS; k++)
                        free(g->sets[i][k].draws);
        free(g);
        return NULL;
}

void qn_generators_freep(struct qn_generators **g)
{
        *g = qn_generators_free(*g);
}

size_t qn_generators_bytes(const struct qn_generators *g)
{
        return g->bytes;
}

static size_t set_of(uint64_t key)
{
        return key % SETS;
}

static const struct template *find(const struct qn_generators *g, uint64_t key)
{
        const struct template *set = g->sets[set_of(key)];

        for (size_t i = 0; i < WAYS; i++)
                if (set[i].draws && set[i].key == key)
                        return &set[i];
        return NULL;
}

/* Counts a template that is not watched; whether it should be. */
static bool count_roughly(struct qn_generators *g, uint64_t key)
{
        uint8_t *a = &g->rough[0][key >> 42], *b = &g->rough[1][key >> 20 & (ROUGH - 1)];
        uint8_t n = QN_MIN(*a, *b);

        if (n < WATCH) {
                *a = QN_MAX(*a, (uint8_t)(n + 1));
                *b = QN_MAX(*b, (uint8_t)(n + 1));
        }
        return n + 1u >= WATCH;
}

/* A place for a template: a free one, or one that nobody needed lately.  NULL: all are needed, a little less now. */
static struct template *place_for(struct qn_generators *g, uint64_t key)
{
        struct template *set = g->sets[set_of(key)], *least = set;

        for (size_t i = 0; i < WAYS; i++) {
                if (!set[i].draws)
                        return &set[i];
                if (set[i].recent < least->recent)
                        least = &set[i];
        }
        if (least->recent == 0)
                return least;
        for (size_t i = 0; i < WAYS; i++)
                set[i].recent--;
        return NULL;
}

static int watch(struct qn_generators *g, uint64_t key, unsigned n, struct template **ret)
{
        struct template *t = place_for(g, key);
        struct draw *draws;

        *ret = NULL;
        if (!t)
                return 0;
        draws = calloc(n, sizeof *draws);
        if (!draws)
                return -ENOMEM;
        g->bytes += n * sizeof *draws - (t->draws ? t->n * sizeof *draws : 0);
        free(t->draws);
        *t = (struct template){ .key = key, .n = n, .draws = draws };
        *ret = t;
        return 0;
}

static uint64_t value_of(struct qn_str text)
{
        return qn_hash64(text.p, text.n);
}

static void note(struct draw *d, struct qn_str text)
{
        uint64_t h = value_of(text);
        uint16_t *b = &d->bucket[h % BUCKETS];
        uint8_t *reg = &d->registers[h >> 58], zeros = (uint8_t)(1 + __builtin_clzll(h << 6 | 1));

        if (*b == UINT16_MAX)
                for (size_t i = 0; i < BUCKETS; i++)
                        d->bucket[i] /= 2;
        ++*b;
        *reg = QN_MAX(*reg, zeros);
        if (!d->shortest || text.n < d->shortest)
                d->shortest = (uint8_t)text.n;
        d->longest = QN_MAX(d->longest, (uint8_t)text.n);
}

static void note_name(struct template *t, const struct name *n, struct form f)
{
        unsigned k = 0;

        t->names++;
        t->recent++;
        for (unsigned i = 0; i < n->n; i++)
                if (!is_fixed(n, f, i))
                        note(&t->draws[k++], n->fields[i].text);
}

static int add_form(struct qn_generators *g, const struct name *n, struct form f)
{
        uint64_t key = key_of(n, f);
        struct template *set = g->sets[set_of(key)], *t = NULL;

        for (size_t i = 0; i < WAYS && !t; i++)
                if (set[i].draws && set[i].key == key)
                        t = &set[i];
        if (!t && count_roughly(g, key)) {
                int r = watch(g, key, n->n - f.head - f.tail, &t);

                if (r < 0)
                        return r;
        }
        if (t)
                note_name(t, n, f);
        return 0;
}

int qn_generators_add(struct qn_generators *g, struct qn_str name)
{
        struct form forms[FORMS_MAX];
        struct name n;
        size_t count;
        int r = 0;

        if (!split(name, &n))
                return 0;
        count = forms_of(&n, forms);
        for (size_t i = 0; r == 0 && i < count; i++)
                r = add_form(g, &n, forms[i]);
        return r;
}

/* --- is it a generator? --- */

/* HyperLogLog (Flajolet 2007), with linear counting where few registers are used. */
static double different(const struct draw *d)
{
        double sum = 0, raw, m = REGISTERS;
        unsigned empty = 0;

        for (size_t i = 0; i < REGISTERS; i++) {
                sum += ldexp(1, -d->registers[i]);
                empty += d->registers[i] == 0;
        }
        raw = 0.709 * m * m / sum;
        return raw < 2.5 * m && empty ? m * log(m / empty) : raw;
}

static double total(const struct draw *d, unsigned *ret_used)
{
        double n = 0;

        *ret_used = 0;
        for (size_t i = 0; i < BUCKETS; i++) {
                n += d->bucket[i];
                *ret_used += d->bucket[i] > 0;
        }
        return n;
}

/* 1: every value is as likely as the others; more: some come much more often. */
static double unevenness(const struct draw *d)
{
        double pairs = 0, n;
        unsigned used;

        n = total(d, &used);
        for (size_t i = 0; i < BUCKETS; i++)
                pairs += (double)d->bucket[i] * (d->bucket[i] - 1.0);
        return used * pairs / (n * (n - 1));
}

static bool is_drawn(const struct draw *d, char class, uint32_t names)
{
        double values = different(d);

        switch (class) {
        case CLASS_WORD:
                return values >= 2 && names / values >= REPEATS && unevenness(d) <= EVEN;
        case CLASS_DIGITS:
                return values >= NUMBERS && unevenness(d) <= EVEN;
        default:
                return values >= names / 2.0;
        }
}

/* Whether a word came about as often as others of its field. */
static bool is_usual(const struct draw *d, struct qn_str word)
{
        unsigned used;
        double n = total(d, &used);

        return d->bucket[value_of(word) % BUCKETS] >= QN_MAX(2.0, n / used / 8);
}

/* Words alone need something fixed beside them; a lone word that comes back is a name that was learnt twice. */
static bool is_generator(const struct template *t, const struct name *n, struct form f)
{
        unsigned k = 0, numbers = 0;

        if (t->names < ENOUGH)
                return false;
        for (unsigned i = 0; i < n->n; i++) {
                char class = n->fields[i].class;

                if (is_fixed(n, f, i))
                        continue;
                if (!is_drawn(&t->draws[k], class, t->names) ||
                    (class == CLASS_WORD && !is_usual(&t->draws[k], n->fields[i].text)))
                        return false;
                numbers += class != CLASS_WORD;
                k++;
        }
        return numbers > 0 || (k > 1 && (f.head + f.tail > 0 || n->scope.n > 0));
}

/* --- in words --- */

struct text {
        char *to;
        size_t n;
};

static void put(struct text *t, struct qn_str s)
{
        size_t n = QN_MIN(s.n, QN_TEMPLATE_TEXT - 1 - t->n);

        memcpy(t->to + t->n, s.p, n);
        t->n += n;
        t->to[t->n] = 0;
}

static void put_class(struct text *t, char class, unsigned shortest, unsigned longest)
{
        char digits[16];

        put(t, (struct qn_str){ &class, 1 });
        if (class == CLASS_DIGITS && shortest == longest) {
                snprintf(digits, sizeof digits, "%u", shortest);
                put(t, qn_str_c(digits));
        }
}

/* draws: NULL when the name is all there is. */
static void spell(const struct name *n, struct form f, const struct draw *draws, char *ret)
{
        struct text t = { ret, 0 };

        ret[0] = 0;
        put(&t, n->scope);
        for (unsigned i = 0; i < n->n; i++) {
                const struct field *k = &n->fields[i];

                put(&t, (struct qn_str){ &k->before, k->before != 0 });
                if (is_fixed(n, f, i)) {
                        put(&t, k->text);
                } else if (draws) {
                        put_class(&t, k->class, draws->shortest, draws->longest);
                        draws++;
                } else {
                        put_class(&t, k->class, (unsigned)k->text.n, (unsigned)k->text.n);
                }
        }
}

bool qn_name_shape(struct qn_str name, char ret[QN_TEMPLATE_TEXT])
{
        struct name n;

        if (!split(name, &n))
                return false;
        spell(&n, (struct form){ 0 }, NULL, ret);
        return true;
}

bool qn_generators_find(const struct qn_generators *g, struct qn_str name, struct qn_generator *ret)
{
        struct form forms[FORMS_MAX];
        struct name n;
        size_t count;

        if (!split(name, &n))
                return false;
        count = forms_of(&n, forms);
        for (size_t i = 0; i < count; i++) {
                uint64_t key = key_of(&n, forms[i]);
                const struct template *t = find(g, key);

                if (!t || !is_generator(t, &n, forms[i]))
                        continue;
                ret->key = key;
                ret->names = t->names;
                spell(&n, forms[i], t->draws, ret->text);
                return true;
        }
        return false;
}
