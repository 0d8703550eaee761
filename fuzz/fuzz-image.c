/* An image as an archive or a bundle, a collection, and the reply that a role makes of either: whatever is read travels on and
 * comes back the same. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "parse/bom-image.h"
#include "role/bom-wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_wire(const struct qn_collection *c)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)256 << 20);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)64 << 20), again = b;
        struct qn_collection copy;

        if (qn_collection_wire_write(c, &b) < 0)
                return;
        if (qn_collection_wire_read(qn_cur_str(qn_buf_view(&b)), &a, &copy, NULL) < 0 ||
            qn_collection_wire_write(&copy, &again) < 0 ||
            !qn_str_eq(qn_buf_view(&b), qn_buf_view(&again)))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)256 << 20);
        struct qn_cur in = qn_cur_mem(data, size);
        struct qn_collection c;
        struct qn_err err = { 0 };

        if (qn_bom_read_images(in, &a, &c, &err) == 0)
                check_wire(&c);
        else if (!err.msg[0])
                abort();
        err.msg[0] = '\0';
        if (qn_collection_read(in, &a, &c, &err) == 0)
                check_wire(&c);
        else if (!err.msg[0])
                abort();
        (void)!qn_collection_wire_read(in, &a, &c, &err);
        return 0;
}
