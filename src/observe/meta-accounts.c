/* The accounts that publish and maintain a package: mail that nobody keeps, and names or mailboxes that were made one after the
 * other.  How old an account is, the registry does not tell. */
#include "base/limits.h"
#include "observe/farm.h"
#include "observe/meta-priv.h"

#define SERIES_MIN 3u /* accounts; two share a name easily, such as somebody and their bot */
#define STEM_MIN   3u
#define STEM_MAX   128u

struct accounts {
        struct qn_packument_person list[QN_ACCOUNTS_MAX];
        size_t n;
};

static void add_account(struct accounts *a, const struct qn_packument_person *p)
{
        for (size_t i = 0; i < a->n; i++)
                if (qn_str_eq(a->list[i].name, p->name) && qn_str_ieq(a->list[i].email, p->email))
                        return;
        if (p->name.n && a->n < QN_ACCOUNTS_MAX)
                a->list[a->n++] = *p;
}

static void add_accounts(struct accounts *a, const struct qn_packument_person *list, size_t n)
{
        for (size_t i = 0; i < n; i++)
                add_account(a, &list[i]);
}

/* Those of this version first, then those of the versions before it, the latest first. */
static void collect(const struct qn_meta *m, struct accounts *a)
{
        add_account(a, &m->now->publisher);
        add_accounts(a, m->now->maintainers, m->now->n_maintainers);
        for (size_t i = 0; i < m->earlier.n; i++) {
                add_account(a, &m->earlier.list[i]->publisher);
                add_accounts(a, m->earlier.list[i]->maintainers, m->earlier.list[i]->n_maintainers);
        }
}

/* --- disposable mail --- */

static void tell_disposable(const struct qn_meta *m, const struct qn_packument_person *p,
                            const char *how)
{
        struct qn_str domain = qn_farm_disposable(m->s->o->farms, p->email);
        struct qn_event e = qn_meta_event("disposable-mail");

        if (!domain.n)
                return;
        qn_event_attr(&e, QN_ATTR_NAME, p->name);
        qn_event_attr(&e, QN_ATTR_HOW, qn_str_c(how));
        qn_event_attr(&e, QN_ATTR_VALUE, domain);
        qn_meta_add(m->s, &e);
}

/* --- series --- */

/* What is the same in all of a series; n 0: it can be in none. */
struct stem {
        char p[STEM_MAX];
        size_t n;
};

static void put(struct stem *s, struct qn_str text)
{
        for (size_t i = 0; i < text.n && s->n < sizeof s->p; i++)
                s->p[s->n++] =
                        text.p[i] >= 'A' && text.p[i] <= 'Z' ? (char)(text.p[i] | 0x20) : text.p[i];
}

static struct qn_str without_number(struct qn_str s)
{
        while (s.n && s.p[s.n - 1] >= '0' && s.p[s.n - 1] <= '9')
                s.n--;
        return s;
}

/* "user" of user01 */
static struct stem stem_of_name(const struct qn_packument_person *p)
{
        struct qn_str word = without_number(p->name);
        struct stem s = { .n = 0 };

        if (word.n >= STEM_MIN && word.n < p->name.n)
                put(&s, word);
        return s;
}

/* "user@host" of user+7@host, and of user07@host */
static struct stem stem_of_mail(const struct qn_packument_person *p)
{
        ptrdiff_t at = qn_str_rchr(p->email, '@'), plus;
        struct qn_str box = qn_str_take(p->email, at < 0 ? 0 : (size_t)at), word;
        struct stem s = { .n = 0 };

        plus = qn_str_chr(box, '+');
        word = plus > 0 ? qn_str_take(box, (size_t)plus) : without_number(box);
        if (word.n >= STEM_MIN && word.n < box.n) {
                put(&s, word);
                put(&s, qn_str_skip(p->email, (size_t)at));
        }
        return s;
}

static bool same_stem(const struct stem *a, const struct stem *b)
{
        return a->n && a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}

typedef struct stem stem_fn(const struct qn_packument_person *p);

/* How many accounts from i on are in its series, each name counted once; 0 when it began earlier. */
static size_t series_from(const struct accounts *a, size_t i, stem_fn *stem_of)
{
        struct stem own = stem_of(&a->list[i]);
        size_t n = 0;

        for (size_t k = 0; own.n && k < a->n; k++) {
                struct stem other = stem_of(&a->list[k]);
                bool again = false;

                if (!same_stem(&own, &other))
                        continue;
                if (k < i)
                        return 0;
                for (size_t j = i; j < k; j++)
                        again |= qn_str_eq(a->list[j].name, a->list[k].name);
                n += !again;
        }
        return n;
}

static void tell_series(const struct qn_meta *m, const struct accounts *a, const char *how,
                        stem_fn *stem_of)
{
        for (size_t i = 0; i < a->n; i++) {
                struct qn_event e = qn_meta_event("account-series");
                size_t n = series_from(a, i, stem_of);
                char value[48];

                if (n < SERIES_MIN)
                        continue;
                snprintf(value, sizeof value, "%zu accounts", n);
                qn_event_attr(&e, QN_ATTR_NAME, a->list[i].name);
                qn_event_attr(&e, QN_ATTR_HOW, qn_str_c(how));
                qn_event_attr(&e, QN_ATTR_VALUE, qn_str_c(value));
                qn_meta_add(m->s, &e);
        }
}

void qn_meta_accounts(const struct qn_meta *m)
{
        struct accounts a = { .n = 0 };

        tell_disposable(m, &m->now->publisher, "publisher");
        for (size_t i = 0; i < m->now->n_maintainers; i++)
                if (!qn_str_eq(m->now->maintainers[i].name, m->now->publisher.name))
                        tell_disposable(m, &m->now->maintainers[i], "maintainer");
        collect(m, &a);
        tell_series(m, &a, "name", stem_of_name);
        tell_series(m, &a, "mail", stem_of_mail);
}
