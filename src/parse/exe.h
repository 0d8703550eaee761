/* exe.h - what executables say about themselves: ELF, PE, Mach-O (universal ones too) and WebAssembly.  HOSTILE INPUT.
 * Read are the tables that a loader obeys: imported names and libraries, sections, segments, and where the last of them
 * ends.  Numbers that lead out of the file read as nothing; tables are cut at QN_EXE_*_MAX, which `cut` tells.
 * Texts are slices of the input.  Not here: what imports mean (observe/native.h), disassembly. */
#pragma once

#include "base/cur.h"
#include "base/str.h"

struct qn_arena;

struct qn_exe_section {
        struct qn_str name;
        uint64_t off, size; /* lie within the file */
        bool write, exec;
};

struct qn_exe {
        struct qn_str *imports; /* symbols; for WebAssembly "module.name" */
        size_t n_imports, imports_cap;
        struct qn_str *libs; /* file names of libraries */
        size_t n_libs, libs_cap;
        struct qn_exe_section *sections;
        size_t n_sections, sections_cap;
        uint64_t end;    /* behind everything that a header claims */
        bool write_exec; /* memory that is written and run at once */
        bool encrypted;  /* its own header says so */
        bool cut;        /* a table is larger than is read, or leaves the file */
};

/* 0, -EINVAL when the bytes are none of these, -ENOMEM. */
QN_MUST int qn_exe_read(struct qn_cur in, struct qn_arena *a, struct qn_exe *ret);
