/* Whatever the tables of an executable say, what is read of them lies within the file. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "parse/binfmt.h"
#include "parse/exe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_names(const struct qn_str *list, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (!list[i].n || list[i].n > 2 * QN_EXE_NAME_MAX + 1)
                        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        struct qn_cur in = qn_cur_mem(data, size);
        struct qn_exe exe;
        int r = qn_exe_read(in, &a, &exe);

        if (r < 0) {
                if (r == -EINVAL && qn_sniff(in, size) == QN_FORMAT_ELF)
                        abort();
                return 0;
        }
        if (exe.end > size || exe.n_imports > QN_EXE_NAMES_MAX ||
            exe.n_sections > QN_EXE_SECTIONS_MAX)
                abort();
        for (size_t i = 0; i < exe.n_sections; i++)
                if (exe.sections[i].off > size || exe.sections[i].size > size - exe.sections[i].off)
                        abort();
        check_names(exe.imports, exe.n_imports);
        check_names(exe.libs, exe.n_libs);
        return 0;
}
