#include "watch/news.h"

#include "parse/packument-rewrite.h"
#include "parse/packument.h"

/* NULL: the store does not have it. */
static const struct qn_news_known *find(const struct qn_news_in *in, struct qn_str version)
{
        size_t lo = 0, hi = in->n_known;

        while (lo < hi) {
                size_t mid = lo + (hi - lo) / 2;
                int c = qn_str_cmp(in->known[mid].version, version);

                if (c == 0)
                        return &in->known[mid];
                if (c < 0)
                        lo = mid + 1;
                else
                        hi = mid;
        }
        return NULL;
}

/* The registry's document may give no integrity: then nothing can differ. */
static bool is_other(const struct qn_news_known *k, const struct qn_packument_fact *f)
{
        return f->integrity.n && k->integrity.n && !qn_str_eq(k->integrity, f->integrity);
}

/* The one that was published last; of those without a time, the highest. */
static size_t last_of(const struct qn_packument_facts *facts)
{
        size_t last = facts->n ? facts->n - 1 : 0;

        for (size_t i = 0; i < facts->n; i++)
                if (facts->versions[i].time != QN_TIME_NONE &&
                    (facts->versions[last].time == QN_TIME_NONE ||
                     facts->versions[i].time > facts->versions[last].time))
                        last = i;
        return last;
}

/* Without times only what lies above everything that is known tells young from old. */
static bool is_young(const struct qn_news_in *in, size_t i, size_t last, size_t highest_known)
{
        const struct qn_packument_fact *f = &in->facts->versions[i];

        if (i == last)
                return true;
        if (f->time != QN_TIME_NONE)
                return f->time >= in->horizon;
        return highest_known != SIZE_MAX && i > highest_known;
}

static bool comes_first(const struct qn_packument_fact *a, const struct qn_packument_fact *b)
{
        if (a->has_hooks != b->has_hooks)
                return a->has_hooks;
        if (a->time != b->time)
                return a->time > b->time;
        return qn_packument_fact_cmp(a, b) > 0;
}

/* Keeps the most urgent ones, in order. */
static void insert(const struct qn_packument_facts *facts, size_t *list, size_t n, size_t i)
{
        while (n && comes_first(&facts->versions[i], &facts->versions[list[n - 1]])) {
                list[n] = list[n - 1];
                n--;
        }
        list[n] = i;
}

static size_t highest_known(const struct qn_news_in *in)
{
        for (size_t i = in->facts->n; i; i--)
                if (find(in, in->facts->versions[i - 1].version))
                        return i - 1;
        return SIZE_MAX;
}

size_t qn_news(const struct qn_news_in *in, size_t *ret, size_t max, size_t *ret_left)
{
        const struct qn_packument_facts *facts = in->facts;
        size_t last = last_of(facts), highest = highest_known(in), n = 0;

        *ret_left = 0;
        for (size_t i = 0; i < facts->n; i++) {
                const struct qn_news_known *k = find(in, facts->versions[i].version);

                if (k && !k->redo && !is_other(k, &facts->versions[i]))
                        continue;
                if (!k && !is_young(in, i, last, highest)) {
                        ++*ret_left;
                        continue;
                }
                if (n == max) { /* the least urgent one gives way */
                        ++*ret_left;
                        if (!comes_first(&facts->versions[i], &facts->versions[ret[n - 1]]))
                                continue;
                        n--;
                }
                insert(facts, ret, n++, i);
        }
        return n;
}
