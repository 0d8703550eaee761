#include "observe/farm.h"

#include <errno.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/map.h"
#include "observe/table.h"
#include "parse/json.h"

#define ADDRESS_HEX   40u /* digits of an Ethereum address */
#define NAME_WORD_MIN 3u  /* letters; shorter words of a name are in every text */

struct qn_farms {
        struct qn_map disposable;
        struct qn_str *phrases;
        size_t n_phrases;
};

/* --- the table --- */

static int fail(const struct qn_node *at, const char *why, struct qn_err *reterr)
{
        qn_fail(reterr, -EINVAL, 0, "%s", why);
        return qn_table_fail(reterr, "farms.yaml", at);
}

static int load_domains(struct qn_farms *f, struct qn_arena *a, const struct qn_node *list,
                        struct qn_err *reterr)
{
        for (size_t i = 0; list && i < list->n; i++) {
                struct qn_str domain = qn_node_text(list->items[i]);

                if (!domain.n)
                        return fail(list->items[i], "this is no domain", reterr);
                if (qn_map_add(&f->disposable, a, domain, 0, NULL) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int load_phrases(struct qn_farms *f, struct qn_arena *a, const struct qn_node *list,
                        struct qn_err *reterr)
{
        size_t n = list ? list->n : 0;

        f->phrases = qn_arena_calloc(a, n + 1, sizeof *f->phrases);
        if (!f->phrases)
                return -ENOMEM;
        for (; f->n_phrases < n; f->n_phrases++) {
                struct qn_str phrase = qn_node_text(list->items[f->n_phrases]);

                if (!phrase.n)
                        return fail(list->items[f->n_phrases], "this is no text", reterr);
                f->phrases[f->n_phrases] = phrase;
        }
        return 0;
}

int qn_farms_load(const char *data_dir, struct qn_arena *a, struct qn_farms **ret,
                  struct qn_err *reterr)
{
        struct qn_farms *f = qn_arena_calloc(a, 1, sizeof *f);
        const struct qn_node *root;
        int r = f ? qn_table_read(data_dir, "farms.yaml", a, &root, reterr) : -ENOMEM;

        if (r == 0)
                r = load_domains(f, a, qn_node_get(root, "disposable-mail"), reterr);
        if (r == 0)
                r = load_phrases(f, a, qn_node_get(root, "boilerplate"), reterr);
        if (r == 0)
                *ret = f;
        return r;
}

struct qn_str qn_farm_disposable(const struct qn_farms *f, struct qn_str mail)
{
        struct qn_str domain = qn_str_skip(mail, (size_t)(qn_str_rchr(mail, '@') + 1));
        char lower[256];

        if (domain.n == mail.n || domain.n > sizeof lower)
                return (struct qn_str){ NULL, 0 };
        for (size_t i = 0; i < domain.n; i++)
                lower[i] = domain.p[i] >= 'A' && domain.p[i] <= 'Z' ? (char)(domain.p[i] | 0x20)
                                                                    : domain.p[i];
        for (struct qn_str s = { lower, domain.n }; s.n; (void)qn_str_cut(&s, '.')) {
                uint32_t at = qn_map_get(&f->disposable, s);

                if (at != QN_MAP_NONE)
                        return qn_str_skip(domain, domain.n - s.n);
        }
        return (struct qn_str){ NULL, 0 };
}

/* --- texts --- */

static bool is_space(char c)
{
        return c == ' ' || (c >= '\t' && c <= '\r');
}

struct qn_str qn_farm_boilerplate(const struct qn_farms *f, struct qn_str text)
{
        char flat[QN_FARM_TEXT_MAX];
        size_t n = 0;

        for (size_t i = 0; i < text.n && n < sizeof flat; i++) {
                bool space = is_space(text.p[i]);

                if (!space || (n && flat[n - 1] != ' '))
                        flat[n++] = space ? ' ' : text.p[i];
        }
        for (size_t i = 0; i < f->n_phrases; i++)
                if (qn_str_ifind((struct qn_str){ flat, n }, f->phrases[i]) >= 0)
                        return f->phrases[i];
        return (struct qn_str){ NULL, 0 };
}

/* Letters: those of other scripts too. */
static bool is_letter(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80);
}

/* The next run of letters; digits inside and around it are left out. */
static struct qn_str next_word(struct qn_str *rest)
{
        size_t at = 0, n = 0;

        while (at < rest->n && !is_letter(rest->p[at]))
                at++;
        *rest = qn_str_skip(*rest, at);
        while (n < rest->n && is_letter(rest->p[n]))
                n++;
        struct qn_str word = qn_str_take(*rest, n);

        *rest = qn_str_skip(*rest, n);
        return word;
}

static bool is_in_name(struct qn_str name, struct qn_str word)
{
        struct qn_str w;

        while ((w = next_word(&name)).n)
                if (w.n >= NAME_WORD_MIN && qn_str_ieq(w, word))
                        return true;
        return false;
}

static uint64_t hash_word(struct qn_str word)
{
        char lower[64];
        size_t n = QN_MIN(word.n, sizeof lower);

        for (size_t i = 0; i < n; i++)
                lower[i] = (char)(word.p[i] & 0x80 ? word.p[i] : word.p[i] | 0x20);
        return qn_hash64(lower, n);
}

bool qn_farm_print(struct qn_str name, struct qn_str text, size_t min_words, uint64_t *ret)
{
        uint64_t hash = 0;
        size_t n = 0;
        struct qn_str w;

        text = qn_str_take(text, QN_FARM_TEXT_MAX);
        while ((w = next_word(&text)).n) {
                uint64_t pair[2] = { hash, 0 };

                if (is_in_name(name, w))
                        continue;
                pair[1] = hash_word(w);
                hash = qn_hash64(pair, sizeof pair);
                n++;
        }
        *ret = hash;
        return n >= min_words;
}

static size_t hex_run(struct qn_str s)
{
        size_t n = 0;

        while (n < s.n && ((s.p[n] >= '0' && s.p[n] <= '9') ||
                           ((s.p[n] | 0x20) >= 'a' && (s.p[n] | 0x20) <= 'f')))
                n++;
        return n;
}

bool qn_farm_wallets(struct qn_str text, uint64_t *ret)
{
        uint64_t sum = 0;
        ptrdiff_t at;

        text = qn_str_take(text, QN_FARM_TEXT_MAX);
        while ((at = qn_str_find(text, QN_STR("0x"))) >= 0) {
                text = qn_str_skip(text, (size_t)at + 2);
                if (hex_run(text) == ADDRESS_HEX)
                        sum += hash_word(qn_str_take(text, ADDRESS_HEX));
        }
        *ret = sum;
        return sum != 0;
}
