/* A record that is read can be packed, and what is packed is read again as the same. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "intel/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)16 << 20), again = b;
        struct qn_osv *osv = NULL, *copy = NULL;
        struct qn_intel_packed p;
        struct qn_err err = { 0 };
        int r = qn_osv_parse(qn_cur_mem(data, size), &a, &osv, &err);

        if ((r == 0) != (osv != NULL) || (r < 0 && !err.msg[0]))
                abort();
        if (r == 0) {
                qn_intel_pack(osv, &b);
                if (qn_intel_split(qn_cur_str(qn_buf_view(&b)), &p) < 0 ||
                    qn_intel_unpack(p.head, &a, &copy) < 0 ||
                    qn_intel_unpack_cold(p.cold, &a, copy) < 0)
                        abort();
                qn_intel_pack(copy, &again);
                if (!qn_str_eq(qn_buf_view(&b), qn_buf_view(&again)))
                        abort();
        }
        /* the bytes as a packed record: whatever is split can be unpacked or is refused */
        if (qn_intel_split(qn_cur_mem(data, size), &p) == 0 &&
            qn_intel_unpack(p.head, &a, &copy) == 0)
                (void)!qn_intel_unpack_cold(p.cold, &a, copy);
        return 0;
}
