/* An own list and ranges of advisories: what is taken has a name, an id and something that it is about. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "intel/affects.h"
#include "intel/record.h"
#include "parse/advisory-range.h"
#include "parse/own-list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take_range(struct qn_arena *a, struct qn_str text)
{
        struct qn_osv_affected block = { .ecosystem = QN_STR("npm"), .name = QN_STR("x") };
        struct qn_affects_why why;

        if (qn_advisory_range(text, a, &block) == 0)
                (void)qn_osv_affects(&block, QN_STR("1.2.3"), &why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)16 << 20);
        struct qn_err err = { 0 };
        struct qn_osv **list;
        size_t n;

        take_range(&a, (struct qn_str){ (const char *)data, size });
        if (qn_own_list_parse(qn_cur_mem(data, size), &a, &list, &n, &err) < 0) {
                if (!err.msg[0])
                        abort();
                return 0;
        }
        for (size_t i = 0; i < n; i++) {
                if (!list[i]->id.n || list[i]->n_affected != 1 || !list[i]->affected->name.n ||
                    list[i]->policy == QN_OSV_NO_POLICY)
                        abort();
                qn_intel_pack(list[i], &b);
        }
        return 0;
}
