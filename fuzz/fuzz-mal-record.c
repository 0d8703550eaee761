/* A record that grows by another one or from which a version is taken can be read again, and nothing is left to be done. */
#include <errno.h>
#include <stdlib.h>

#include "base/limits.h"
#include "parse/mal-record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes up to the first NUL, and those behind it. */
static void split(const uint8_t *data, size_t size, struct qn_cur *a, struct qn_cur *b)
{
        const uint8_t *nul = size ? memchr(data, 0, size) : NULL;
        size_t n = nul ? (size_t)(nul - data) : size;

        *a = qn_cur_mem(data, n);
        *b = nul ? qn_cur_mem(nul + 1, size - n - 1) : *a;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const struct qn_mal_withdrawal w = {
                { "evil", 4 }, { "1.0.0", 5 }, { "2026-02-03T04:05:06Z", 20 }, { "note", 4 }
        };
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_MAL_RECORD_MAX), again = b,
                                             gone = b;
        enum qn_mal_outcome what;
        struct qn_cur one, two;
        struct qn_err err = { 0 };
        int r;

        split(data, size, &one, &two);
        r = qn_mal_record_check(one, QN_STR("evil"), QN_MAL_UNASSIGNED | QN_MAL_CREDITED, &a, &err);
        if (r < 0 && !err.msg[0])
                abort();
        if (qn_mal_record_extend(one, two, &a, &b, &what, NULL) == 0 && what == QN_MAL_CHANGED &&
            (qn_mal_record_extend(qn_cur_mem(b.p, b.n), two, &a, &again, &what, NULL) < 0 ||
             what != QN_MAL_SAME))
                abort();
        if (qn_mal_record_withdraw(one, &w, &a, &gone, &what, NULL) == 0 && what == QN_MAL_GONE) {
                qn_buf_reset(&again);
                if (qn_mal_record_withdraw(qn_cur_mem(gone.p, gone.n), &w, &a, &again, &what,
                                           NULL) < 0 ||
                    what != QN_MAL_SAME)
                        abort();
        }
        return 0;
}
