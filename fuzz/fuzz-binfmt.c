/* Any bytes have one format, the same each time; native headers are read exactly for the native ones. */
#include <stdlib.h>

#include "parse/binfmt.h"
#include "parse/media.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char *const names[] = { "a.js", "b.png", "c.node", "d", "e.woff2", "f.map" };
        struct qn_cur head = qn_cur_mem(data, size);
        struct qn_native native = { 0 };
        struct qn_str program;
        enum qn_format f;
        bool is_native;

        for (uint64_t whole = size; whole < (uint64_t)size * 8 + 1024; whole += size + 512) {
                f = qn_sniff(head, whole);
                if (f >= QN_FORMAT_MAX || f != qn_sniff(head, whole))
                        abort();
                is_native = f == QN_FORMAT_ELF || f == QN_FORMAT_PE || f == QN_FORMAT_MACHO ||
                            f == QN_FORMAT_MACHO_FAT;
                if ((qn_native_read(head, whole, &native) == 0) != is_native ||
                    (is_native && (!native.arch || !native.kind)))
                        abort();
                for (size_t i = 0; i < QN_ARRAY_SIZE(names); i++)
                        if (!qn_misfit_name(qn_format_misfit(qn_str_c(names[i]), f)))
                                abort();
        }
        for (int i = 0; i < QN_FORMAT_MAX; i++)
                if (qn_media_end(i, head) > size)
                        abort();
        program = qn_hashbang(head);
        if (program.n && ((const uint8_t *)program.p < data ||
                          (const uint8_t *)program.p + program.n > data + size))
                abort();
        return 0;
}
