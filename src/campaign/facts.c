#include "campaign/facts.h"

static void add_apart(uint32_t list[QN_FACTS_APART], uint32_t *n, uint32_t value)
{
        for (uint32_t i = 0; i < *n; i++)
                if (list[i] == value)
                        return;
        if (*n < QN_FACTS_APART)
                list[(*n)++] = value;
}

static uint32_t distance(uint32_t a, uint32_t b)
{
        return a < b ? b - a : a - b;
}

/* A package more, at a time: how many there were around it. */
static void add_time(struct qn_facts *f, uint32_t time, uint32_t window)
{
        uint32_t known = QN_MIN(f->n[QN_FACT_PACKAGES], QN_FACTS_RECENT), before = 1, after = 1;

        for (uint32_t i = 0; i < known; i++) {
                before += f->times[i] <= time && distance(f->times[i], time) < window;
                after += f->times[i] > time && distance(f->times[i], time) < window;
        }
        f->n[QN_FACT_PEAK] =
                QN_MAX(f->n[QN_FACT_PEAK], QN_MIN(QN_MAX(before, after), QN_FACTS_RECENT));
        f->times[f->n[QN_FACT_PACKAGES] % QN_FACTS_RECENT] = time;
}

static void add_bits(uint32_t *counts, unsigned n, uint32_t bits)
{
        for (unsigned i = 0; i < n; i++)
                counts[i] += bits >> i & 1;
}

void qn_facts_add(struct qn_facts *f, const struct qn_facts_of *v, uint32_t window)
{
        add_apart(f->owners, &f->n[QN_FACT_OWNERS], v->owner);
        add_apart(f->scopes, &f->n[QN_FACT_SCOPES], v->scope);
        add_bits(f->n + QN_FACT_SIGNS, QN_SIGN_MAX, v->signs & ~v->had);
        add_bits(f->n + QN_FACT_BY, QN_FEATURE_KINDS, v->kinds);
        if (v->again)
                return;
        add_time(f, v->time, window);
        f->n[QN_FACT_PACKAGES]++;
}

void qn_facts_merge(struct qn_facts *f, const struct qn_facts *other)
{
        uint32_t peak = QN_MAX(f->n[QN_FACT_PEAK], other->n[QN_FACT_PEAK]);

        for (uint32_t i = 0; i < other->n[QN_FACT_OWNERS]; i++)
                add_apart(f->owners, &f->n[QN_FACT_OWNERS], other->owners[i]);
        for (uint32_t i = 0; i < other->n[QN_FACT_SCOPES]; i++)
                add_apart(f->scopes, &f->n[QN_FACT_SCOPES], other->scopes[i]);
        for (unsigned i = 0; i < QN_FACT_MAX; i++)
                if (i != QN_FACT_OWNERS && i != QN_FACT_SCOPES)
                        f->n[i] += other->n[i];
        f->n[QN_FACT_PEAK] = peak;
}
