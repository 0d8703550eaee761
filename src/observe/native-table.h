/* native-table.h - data/binary.yaml in memory.  Only for native.c and native-table.c. */
#pragma once

#include "base/map.h"
#include "observe/native.h"
#include "observe/table.h"

struct qn_native_packer {
        struct qn_str name, mark; /* mark: a glob for names of sections */
};

struct qn_native_lib {
        struct qn_str glob; /* in lower case */
        uint32_t row;
};

struct qn_natives {
        struct qn_row_event *rows;
        size_t n_rows, rows_cap;
        struct qn_map imports; /* name → row */
        struct qn_native_lib *libs;
        size_t n_libs, libs_cap;
        struct qn_native_packer *packers;
        size_t n_packers, packers_cap;
        struct qn_literals *strings;
};
