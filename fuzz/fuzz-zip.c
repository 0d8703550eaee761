/* Entries of a ZIP archive lie within it, and walks end. */
#include <stdlib.h>

#include "parse/zip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct qn_cur in, struct qn_cur data)
{
        if (data.p && (data.p < in.p || data.end > in.end || data.p > data.end))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct qn_cur in = qn_cur_mem(data, size);
        struct qn_zip_entry e;
        struct qn_zip z;
        size_t n = 0;

        if (qn_zip_open(in, &z) == 0)
                while (qn_zip_next(&z, &e) == 1) {
                        check(in, e.data);
                        check(in, qn_cur_str(e.path));
                        if (++n > size)
                                abort();
                }
        return 0;
}
