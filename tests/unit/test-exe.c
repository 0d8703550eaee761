/* Tables of executables: hostile ones first. */
#include "parse/exe.h"

#include "base/arena.h"
#include "base/io.h"
#include "base/limits.h"
#include "exebuild.h"
#include "test.h"

static struct qn_arena arena = { .max = (size_t)64 << 20 };
static struct qn_buf buf = { .max = (size_t)64 << 20 };
static struct qn_exe exe;

static int parse(struct qn_str s)
{
        qn_arena_reset(&arena, 1 << 20);
        return qn_exe_read(qn_cur_str(s), &arena, &exe);
}

static bool has(const struct qn_str *list, size_t n, const char *name)
{
        for (size_t i = 0; i < n; i++)
                if (qn_str_is(list[i], name))
                        return true;
        return false;
}

#define IMPORTS(name) has(exe.imports, exe.n_imports, (name))
#define NEEDS(name)   has(exe.libs, exe.n_libs, (name))

static void build(int kind)
{
        qn_buf_reset(&buf);
        if (kind == 0)
                eb_elf(&buf, 4, "some text");
        else if (kind == 1)
                eb_pe(&buf, ".rdata", 0x40000040, false, "some text");
        else if (kind == 2)
                eb_pe(&buf, ".rdata", 0x40000040, true, "some text");
        else if (kind == 3)
                eb_macho(&buf, 3, "some text");
        else
                eb_wasm(&buf, "env", "connect", "some text");
}

static void check_bounds(size_t size)
{
        ASSERT_TRUE(exe.end <= size);
        for (size_t i = 0; i < exe.n_sections; i++) {
                ASSERT_TRUE(exe.sections[i].off <= size);
                ASSERT_TRUE(exe.sections[i].size <= size - exe.sections[i].off);
        }
}

TEST(exe_other_bytes)
{
        ASSERT_EQ(parse(QN_STR("")), -EINVAL);
        ASSERT_EQ(parse(QN_STR("module.exports = 1")), -EINVAL);
        ASSERT_EQ(parse(QN_STR("\177ELF")), -EINVAL);
        ASSERT_EQ(parse(QN_STR("MZ is a text")), -EINVAL);
}

TEST(exe_cut_anywhere)
{
        for (int kind = 0; kind < 5; kind++) {
                build(kind);
                for (size_t n = 0; n < buf.n; n++) {
                        struct qn_str copy = qn_str_take(qn_buf_view(&buf), n);
                        char *exact = malloc(n + !n); /* a sanitizer sees a read past it */

                        ASSERT_NOT_NULL(exact);
                        memcpy(exact, copy.p, n);
                        if (parse((struct qn_str){ exact, n }) == 0)
                                check_bounds(n);
                        free(exact);
                }
        }
}

TEST(exe_damaged_anywhere)
{
        static const unsigned char values[] = { 0, 1, 0x7f, 0x80, 0xff };

        for (int kind = 0; kind < 5; kind++)
                for (size_t at = 0; at < 1024; at++)
                        for (size_t v = 0; v < sizeof values; v++) {
                                build(kind);
                                if (at >= buf.n)
                                        continue;
                                buf.p[at] = (char)values[v];
                                if (parse(qn_buf_view(&buf)) == 0)
                                        check_bounds(buf.n);
                        }
}

TEST(exe_tables_that_lead_out_are_told)
{
        build(0);
        eb_at(&buf, 64 + 32, UINT64_MAX, 8); /* the segment is larger than all files */
        ASSERT_EQ(parse(qn_buf_view(&buf)), 0);
        ASSERT_TRUE(exe.cut);
        ASSERT_TRUE(IMPORTS("connect"));
        build(3);
        eb_at(&buf, 32 + 152 + 12, 0x10000000, 4); /* symbols */
        ASSERT_EQ(parse(qn_buf_view(&buf)), 0);
        ASSERT_TRUE(exe.cut);
}

TEST(exe_names_are_capped)
{
        qn_buf_reset(&buf);
        qn_buf_add(&buf, "\0asm\1\0\0\0\2", 9);
        qn_buf_add(&buf, "\377\377\17\377\377\3", 6); /* 262143 bytes, 65535 imports */
        for (int i = 0; i < 40000; i++)
                qn_buf_add(&buf, "\1m\1f\0\0", 6);
        qn_buf_fill(&buf, 0, 262143 - 3 - 240000);
        ASSERT_EQ(parse(qn_buf_view(&buf)), 0);
        ASSERT_EQ(exe.n_imports, QN_EXE_NAMES_MAX);
}

TEST(exe_sections_are_capped)
{
        qn_buf_reset(&buf);
        qn_buf_add(&buf, "\0asm\1\0\0\0", 8);
        for (unsigned i = 0; i < QN_EXE_SECTIONS_MAX + 10; i++)
                qn_buf_add(&buf, "\0\1x", 3);
        ASSERT_EQ(parse(qn_buf_view(&buf)), 0);
        ASSERT_EQ(exe.n_sections, QN_EXE_SECTIONS_MAX);
}

TEST(exe_long_names_are_no_names)
{
        build(1);
        qn_buf_fill(&buf, 'x', QN_EXE_NAME_MAX + 10); /* a name that does not end */
        eb_at(&buf, 0x40 + 24 + 240 + 16, buf.n - 512, 4);
        eb_at(&buf, 512 + 96, 0x1000 + buf.n - 512 - QN_EXE_NAME_MAX - 8, 8);
        ASSERT_EQ(parse(qn_buf_view(&buf)), 0);
        ASSERT_EQ(exe.n_imports, 0);
        ASSERT_TRUE(NEEDS("lib.dll"));
}

TEST(exe_elf)
{
        build(0);
        ASSERT_EQ(parse(qn_buf_view(&buf)), 0);
        ASSERT_TRUE(IMPORTS("connect"));
        ASSERT_FALSE(IMPORTS("exported"));
        ASSERT_TRUE(NEEDS("libc.so.6"));
        ASSERT_FALSE(exe.write_exec);
        ASSERT_FALSE(exe.cut);
        ASSERT_EQ(exe.end, buf.n);
        qn_buf_reset(&buf);
        eb_elf(&buf, 7, "");
        ASSERT_EQ(parse(qn_buf_view(&buf)), 0);
        ASSERT_TRUE(exe.write_exec);
}

TEST(exe_elf_of_this_machine)
{
        qn_buf_reset(&buf);
        ASSERT_EQ(qn_io_read("/proc/self/exe", &buf), 0);
        ASSERT_EQ(parse(qn_buf_view(&buf)), 0);
        ASSERT_TRUE(IMPORTS("__libc_start_main"));
        ASSERT_TRUE(NEEDS("libc.so.6"));
        ASSERT_FALSE(exe.write_exec);
        ASSERT_EQ(exe.end, buf.n);
        qn_buf_reset(&buf);
        ASSERT_EQ(qn_io_read("/bin/true", &buf), 0);
        ASSERT_EQ(parse(qn_buf_view(&buf)), 0);
        ASSERT_TRUE(exe.n_imports > 0);
        qn_buf_puts(&buf, "appended");
        ASSERT_EQ(parse(qn_buf_view(&buf)), 0);
        ASSERT_EQ(exe.end, buf.n - 8);
}

TEST(exe_pe)
{
        for (int kind = 1; kind <= 2; kind++) { /* the second one: looked up late */
                build(kind);
                ASSERT_EQ(parse(qn_buf_view(&buf)), 0);
                ASSERT_TRUE(IMPORTS("CreateProcessW"));
                ASSERT_EQ(exe.n_imports, 1);
                ASSERT_TRUE(NEEDS("lib.dll"));
                ASSERT_EQ(exe.end, buf.n);
        }
        qn_buf_reset(&buf);
        eb_pe(&buf, "UPX1", 0xe0000040, false, "x");
        ASSERT_EQ(parse(qn_buf_view(&buf)), 0);
        ASSERT_TRUE(exe.write_exec);
        ASSERT_STR(exe.sections[0].name, "UPX1");
}

TEST(exe_macho)
{
        build(3);
        ASSERT_EQ(parse(qn_buf_view(&buf)), 0);
        ASSERT_TRUE(IMPORTS("_connect"));
        ASSERT_FALSE(IMPORTS("_main"));
        ASSERT_TRUE(NEEDS("/usr/lib/libcurl.dylib"));
        ASSERT_EQ(exe.end, buf.n);
}

TEST(exe_macho_of_several_machines)
{
        struct qn_buf inner = QN_BUF_INIT(EB_MAX);

        eb_macho(&inner, 7, "x");
        qn_buf_reset(&buf);
        qn_buf_add(&buf, "\312\376\272\276\0\0\0\1\1\0\0\14\0\0\0\0\0\0\0\100", 20);
        qn_buf_byte(&buf, 0);
        qn_buf_byte(&buf, 0);
        qn_buf_byte(&buf, (char)(inner.n >> 8));
        qn_buf_byte(&buf, (char)inner.n);
        qn_buf_fill(&buf, 0, 64 - buf.n);
        qn_buf_str(&buf, qn_buf_view(&inner));
        ASSERT_EQ(parse(qn_buf_view(&buf)), 0);
        ASSERT_TRUE(IMPORTS("_connect"));
        ASSERT_TRUE(exe.write_exec);
        ASSERT_TRUE(exe.sections[0].off > 64);
        ASSERT_EQ(exe.end, buf.n);
        qn_buf_done(&inner);
}

TEST(exe_wasm)
{
        build(4);
        ASSERT_EQ(parse(qn_buf_view(&buf)), 0);
        ASSERT_TRUE(IMPORTS("env.connect"));
        ASSERT_EQ(exe.end, buf.n);
        ASSERT_STR(exe.sections[1].name, "data");
        qn_buf_puts(&buf, "\177behind");
        ASSERT_EQ(parse(qn_buf_view(&buf)), 0);
        ASSERT_EQ(exe.end, buf.n - 7);
}
