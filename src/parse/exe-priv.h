/* exe-priv.h - reading numbers and texts out of executables: outside of the file everything is zero or empty. */
#pragma once

#include "base/arena.h"
#include "base/limits.h"
#include "parse/exe.h"

struct qn_exe_src {
        struct qn_str bytes;
        bool big; /* most significant byte first */
        struct qn_arena *a;
        struct qn_exe *exe;
        uint64_t base; /* of this part in the whole file (universal Mach-O) */
        bool no_memory;
};

/* An unsigned number of n <= 8 bytes. */
uint64_t qn_exe_num(const struct qn_exe_src *s, uint64_t at, unsigned n);
/* At most n bytes from off on, as many as there are. */
struct qn_str qn_exe_slice(const struct qn_exe_src *s, uint64_t off, uint64_t n);
/* The text up to the NUL at off; empty when none follows within QN_EXE_NAME_MAX. */
struct qn_str qn_exe_text(const struct qn_exe_src *s, uint64_t off);
/* Everything up to here is claimed. */
void qn_exe_claim(struct qn_exe_src *s, uint64_t off, uint64_t n);
void qn_exe_add_import(struct qn_exe_src *s, struct qn_str name);
void qn_exe_add_lib(struct qn_exe_src *s, struct qn_str name);
void qn_exe_add_section(struct qn_exe_src *s, struct qn_exe_section section);

void qn_exe_elf(struct qn_exe_src *s);
void qn_exe_pe(struct qn_exe_src *s);
void qn_exe_macho(struct qn_exe_src *s);
void qn_exe_macho_fat(struct qn_exe_src *s);
void qn_exe_wasm(struct qn_exe_src *s);
