#include "intel/index-priv.h"

#include <errno.h>

#include "intel/feed.h"
#include "intel/record.h"

#define SAMPLES_MIN  256u /* of fewer nothing can be learnt */
#define SAMPLES_MAX  4000u
#define SAMPLE_BYTES ((size_t)2 << 10) /* at most, of one record */
#define GROWTH       16u /* a new dictionary is worth it with so many times the records of the last one */

struct samples {
        struct qn_buf text;
        size_t sizes[SAMPLES_MAX];
        unsigned n;
};

/* Every so many records one, so that all parts of a feed are heard. */
static int collect(struct qn_cur records, uint64_t n, struct samples *s)
{
        uint64_t step = n / SAMPLES_MAX + 1, at = 0;
        struct qn_cur packed;
        int r;

        while ((r = qn_feed_next(&records, &packed)) == 1 && s->n < SAMPLES_MAX) {
                struct qn_intel_packed p;
                struct qn_str cold;

                if (at++ % step)
                        continue;
                r = qn_intel_split(packed, &p);
                if (r < 0)
                        return r;
                cold = qn_str_take(qn_cur_rest(&p.cold),
                                   QN_MIN(qn_cur_left(&p.cold), SAMPLE_BYTES));
                qn_buf_str(&s->text, cold);
                s->sizes[s->n++] = cold.n;
        }
        return r < 0 ? r : qn_buf_error(&s->text);
}

static int keep(struct qn_intel *x, const struct samples *s, uint64_t n)
{
        struct qn_buf dictionary = QN_BUF_INIT(QN_SQUEEZE_DICTIONARY);
        uint32_t number = (uint32_t)qn_ix_get_meta(x, "dictionary") + 1;
        int r = qn_squeeze_learn(qn_buf_view(&s->text), s->sizes, s->n, &dictionary);

        if (r == 0)
                r = qn_ix_put(x, DICTIONARIES, qn_ix_val(&number, sizeof number),
                              qn_ix_val(dictionary.p, dictionary.n), 0);
        if (r == 0)
                r = qn_ix_put_meta(x, "dictionary", number);
        if (r == 0)
                r = qn_ix_put_meta(x, "learnt from", n);
        qn_buf_done(&dictionary);
        return r == -ENODATA ? 0 : r;
}

int qn_intel_learn(struct qn_intel *x, struct qn_cur records, uint64_t n)
{
        struct samples s = { .text = QN_BUF_INIT(SAMPLES_MAX * SAMPLE_BYTES) };
        int r;

        if (n < SAMPLES_MIN || n < qn_ix_get_meta(x, "learnt from") * GROWTH ||
            qn_ix_get_meta(x, "dictionary") + 1 >= QN_IX_DICTIONARIES)
                return 0;
        r = collect(records, n, &s);
        if (r == 0)
                r = keep(x, &s, n);
        qn_buf_done(&s.text);
        return r;
}
