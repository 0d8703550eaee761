/* binfmt.h - what a file is by its content, and whether that fits its name.  HOSTILE INPUT.
 * Looks at magic numbers and as much structure as fits into the first bytes; import tables and the like are not read
 * here.  Never allocates, never fails: what is not recognised is text or BINARY. */
#pragma once

#include "base/cur.h"
#include "base/str.h"

enum qn_format {
#define FORMAT(id, name, cls) QN_FORMAT_##id,
#include "parse/formats.def"
#undef FORMAT
        QN_FORMAT_MAX
};
_Static_assert(QN_FORMAT_MAX <= 64, "sets of formats are bits of a uint64_t");

enum qn_format_class {
        QN_CLASS_EXECUTABLE, /* machine code and bytecode */
        QN_CLASS_ARCHIVE,
        QN_CLASS_IMAGE,
        QN_CLASS_FONT,
        QN_CLASS_MEDIA,
        QN_CLASS_TEXT,
        QN_CLASS_DATA,
        QN_CLASS_MAX
};

/* head: the first bytes of the file, all of it or at least 4 KB for a sure answer; size: bytes of the whole file. */
enum qn_format qn_sniff(struct qn_cur head, uint64_t size);
const char *qn_format_name(enum qn_format f);
enum qn_format_class qn_format_class(enum qn_format f);
const char *qn_format_class_name(enum qn_format_class c);
static inline bool qn_format_is_text(enum qn_format f)
{
        return qn_format_class(f) == QN_CLASS_TEXT;
}

/* Whether the content fits the name.  Lenient among relatives (a PNG named .jpg); names without a known extension and
 * empty files always fit. */
enum qn_misfit {
        QN_MISFIT_NONE,
        QN_MISFIT_EXECUTABLE, /* machine code or bytecode under another name: ELF behind .js or .woff2 */
        QN_MISFIT_TEXT, /* text where the name promises another format: JavaScript behind .woff2 */
        QN_MISFIT_BINARY, /* the name promises text */
        QN_MISFIT_OTHER,  /* neither text nor executable, and not what the name promises */
        QN_MISFIT_MAX
};
enum qn_misfit qn_format_misfit(struct qn_str path, enum qn_format f);
const char *qn_misfit_name(enum qn_misfit m);

/* Native executables (ELF, PE, Mach-O): what they run on and what they are. */
struct qn_native {
        const char *arch; /* "x86-64", "arm64", …, "several" for fat Mach-O, "other" */
        const char *kind; /* "executable", "shared", "object", "core", "other" */
        bool sane;        /* the header's own sizes and offsets lie within the file */
};
/* 0, or -EINVAL for another format. */
QN_MUST int qn_native_read(struct qn_cur head, uint64_t size, struct qn_native *ret);

/* The program named by a "#!" line, without its directory and without env: "node", "sh"; empty when there is none. */
struct qn_str qn_hashbang(struct qn_cur head);
