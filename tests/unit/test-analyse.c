/* The driver alone: a scan that writes down what it is told stands in for the observers. */
#define qn_scan_new         fake_new
#define qn_scan_free        fake_free
#define qn_scan_begin       fake_begin
#define qn_scan_known       fake_known
#define qn_scan_packument   fake_packument
#define qn_scan_compare     fake_compare
#define qn_scan_file        fake_file
#define qn_scan_odd         fake_odd
#define qn_scan_unanalysed  fake_unanalysed
#define qn_scan_pending     fake_pending
#define qn_scan_wants       fake_wants
#define qn_scan_deepen      fake_deepen
#define qn_scan_finish      fake_finish
#define qn_analyser_new     tested_new
#define qn_analyser_free    tested_free
#define qn_analyser_freep   tested_freep
#define qn_analyse          tested_analyse
#define qn_analyser_imprint tested_imprint
#include "../../src/observe/analyse.c"

#include <sys/resource.h>

#include "test.h"

#include "tarball.h"

struct qn_scan {
        struct qn_buf log;
        const char *want; /* a path that is wanted in further rounds */
        unsigned rounds;  /* how often */
        size_t n_files;
};

static struct qn_scan *scan;

int fake_new(const struct qn_observers *o QN_UNUSED, struct qn_scan **ret)
{
        *ret = scan = calloc(1, sizeof *scan);
        return *ret ? 0 : -ENOMEM;
}

struct qn_scan *fake_free(struct qn_scan *s)
{
        if (s)
                qn_buf_done(&s->log);
        free(s);
        return NULL;
}

void fake_begin(struct qn_scan *s)
{
        qn_buf_done(&s->log);
        s->log = QN_BUF_INIT(1 << 20);
        s->n_files = 0;
}

int fake_known(struct qn_scan *s QN_UNUSED, struct qn_cur known QN_UNUSED)
{
        return 0;
}

void fake_packument(struct qn_scan *s QN_UNUSED, struct qn_cur packument QN_UNUSED,
                    struct qn_str version QN_UNUSED)
{
}

void fake_compare(struct qn_scan *s QN_UNUSED, struct qn_diff *d QN_UNUSED)
{
}

int fake_file(struct qn_scan *s, const struct qn_scan_file *f)
{
        s->n_files++;
        qn_buf_printf(&s->log, "file %.*s %zu", QN_STR_ARG(f->path), (size_t)f->size);
        if (f->size > QN_FILE_MAX)
                qn_buf_printf(&s->log, " head %zu tail %zu", qn_cur_left(&f->data),
                              qn_cur_left(&f->tail));
        else if (f->size <= 16)
                qn_buf_printf(&s->log, " '%.*s'", (int)f->size, (const char *)f->data.p);
        qn_buf_byte(&s->log, '\n');
        return 0;
}

int fake_odd(struct qn_scan *s, const char *what, struct qn_str path)
{
        qn_buf_printf(&s->log, "odd %s %.*s\n", what, QN_STR_ARG(path));
        return 0;
}

int fake_unanalysed(struct qn_scan *s, const char *what, struct qn_str path, const char *detail)
{
        ASSERT_TRUE(detail && *detail);
        qn_buf_printf(&s->log, "open %s %.*s\n", what, QN_STR_ARG(path));
        return 0;
}

void fake_deepen(struct qn_scan *s QN_UNUSED)
{
}

size_t fake_pending(struct qn_scan *s)
{
        return s->want && s->rounds > 0 ? s->rounds-- : 0;
}

bool fake_wants(struct qn_scan *s, struct qn_str path)
{
        return s->want && qn_str_is(path, s->want);
}

int fake_finish(struct qn_scan *s, struct qn_str integrity, const struct qn_event_set **ret)
{
        qn_buf_printf(&s->log, "end %.*s", QN_STR_ARG(qn_str_take(integrity, 7)));
        *ret = NULL;
        return 0;
}

static struct qn_buf tar, gz;
static struct qn_analyser *an;

static void fresh(void)
{
        if (!an)
                ASSERT_EQ(tested_new(NULL, &an), 0);
        qn_buf_done(&tar);
        qn_buf_done(&gz);
        tar = gz = QN_BUF_INIT(TB_MAX);
        scan->want = NULL;
        scan->rounds = 0;
}

static const char *analyse(const struct qn_buf *b, const char *integrity)
{
        const struct qn_analyse_in in = { .archive = qn_cur_mem(b->p, b->n),
                                          .integrity = qn_str_c(integrity) };
        const struct qn_event_set *set;

        ASSERT_EQ(tested_analyse(an, &in, &set), 0);
        return scan->log.p;
}

#define LARGE_MIB  49
#define LARGE_LINE "file large.bin 51380224 head 65536 tail 65536\n"

/* The archive behind a large file, so that it has to be streamed. */
static void gzip_large(void)
{
        struct qn_buf head = QN_BUF_INIT(1024);
        struct tb_gz g;

        tb_header(&head, "package/large.bin", '0', (size_t)LARGE_MIB << 20, "");
        gz.n = 0;
        tb_gz_start(&g, &gz);
        tb_gz_add(&g, &head);
        tb_gz_zeros(&g, LARGE_MIB);
        tb_gz_add(&g, &tar);
        tb_gz_end(&g);
        qn_buf_done(&head);
}

/* As plain tar, as gzip, and streamed: all must be told the same. */
static const char *analyse_all_ways(void)
{
        _cleanup_(qn_buf_done) struct qn_buf first = QN_BUF_INIT(1 << 20);
        const char *log;

        qn_buf_puts(&first, analyse(&tar, ""));
        gz.n = 0;
        tb_gzip(&gz, tar.p, tar.n);
        assert_string_equal(analyse(&gz, ""), first.p);
        gzip_large();
        log = analyse(&gz, "");
        ASSERT_TRUE(strncmp(log, LARGE_LINE, strlen(LARGE_LINE)) == 0);
        assert_string_equal(log + strlen(LARGE_LINE), first.p);
        return analyse(&tar, "");
}

static void manifest(void)
{
        tb_file(&tar, "package/package.json", "{}");
}

#define MANIFEST "file package.json 2 '{}'\n"
#define END      "end sha512-"

TEST(analyse_nothing)
{
        fresh();
        assert_string_equal(analyse(&tar, ""), "open empty \n" END);
        qn_buf_puts(&tar, "this is neither gzip nor tar");
        assert_string_equal(analyse(&tar, ""), "open empty \n" END);
}

TEST(analyse_no_manifest)
{
        fresh();
        tb_file(&tar, "package/a.js", "1");
        tb_file(&tar, "package.json", "{}");
        tb_end(&tar);
        assert_string_equal(analyse_all_ways(),
                            "file a.js 1 '1'\nodd outside package.json\nopen outside package.json\n"
                            "file package.json 2 '{}'\nopen no-manifest \n" END);
}

TEST(analyse_wrong_integrity)
{
        fresh();
        manifest();
        tb_end(&tar);
        assert_string_equal(analyse(&tar, "sha512-AAAA"), "open integrity \n" END);
        assert_string_equal(analyse(&tar, "sha1-AAAA"), "open integrity \n" END);
        assert_string_equal(analyse(&tar, "md5-AAAA"), "open integrity \n" END);
}

TEST(analyse_right_integrity)
{
        char wanted[128];
        uint8_t digest[QN_DIGEST_BYTES_MAX];
        struct qn_buf sri = QN_BUF_INIT(256);

        fresh();
        manifest();
        tb_end(&tar);
        for (int d = 0; d < QN_DIGEST_MAX; d++) {
                qn_buf_reset(&sri);
                ASSERT_EQ(qn_digest(d, tar.p, tar.n, digest), 0);
                ASSERT_EQ(qn_sri_format(d, digest, &sri), 0);
                snprintf(wanted, sizeof wanted, "%s", sri.p);
                assert_string_equal(analyse(&tar, wanted), MANIFEST END);
        }
        qn_buf_done(&sri);
}

TEST(analyse_odd_paths)
{
        fresh();
        manifest();
        tb_file(&tar, "/package/a", "1");
        tb_file(&tar, "package/../b", "2");
        tb_file(&tar, "package/c\\d", "3");
        tb_file(&tar, "package/\377", "4");
        tb_entry(&tar, "package/../", '5', "");
        tb_end(&tar);
        assert_string_equal(
                analyse_all_ways(), MANIFEST
                "odd absolute-path /package/a\nopen absolute-path /package/a\nfile package/a 1 "
                "'1'\n"
                "odd parent-path package/../b\nopen parent-path package/../b\nfile ../b 1 '2'\n"
                "odd control-character package/c\\d\nopen control-character package/c\\d\nfile "
                "c\\d 1 '3'\n"
                "odd encoding package/\377\nfile \377 1 '4'\n"
                "odd parent-path package/../\nopen parent-path package/../\n" END);
}

TEST(analyse_odd_types)
{
        fresh();
        manifest();
        tb_header(&tar, "package/s", '2', 0, "/etc/passwd");
        tb_header(&tar, "package/h", '1', 0, "package/package.json");
        tb_entry(&tar, "package/f", '6', "");
        tb_entry(&tar, "package/x", 'S', "");
        tb_entry(&tar, "package/dir", '5', "");
        tb_end(&tar);
        assert_string_equal(
                analyse_all_ways(),
                MANIFEST "odd symlink package/s\nopen symlink package/s\nodd hardlink "
                         "package/h\nopen hardlink package/h\n"
                         "odd device package/f\nopen device package/f\nodd entry-type package/x\n"
                         "open entry-type package/x\n" END);
}

TEST(analyse_duplicates)
{
        fresh();
        manifest();
        tb_file(&tar, "package/a.js", "1");
        tb_file(&tar, "package/a.js", "1");
        tb_file(&tar, "other/a.js", "2");
        tb_file(&tar, "package/A.js", "1");
        tb_file(&tar, "package/A.JS", "3");
        tb_end(&tar);
        assert_string_equal(
                analyse_all_ways(), MANIFEST
                "file a.js 1 '1'\nodd duplicate a.js\nopen duplicate a.js\nfile a.js 1 '2'\n"
                "file A.js 1 '1'\nodd case-duplicate A.JS\nfile A.JS 1 '3'\n" END);
}

TEST(analyse_names_alike_are_capped)
{
        char name[64] = "package/aaaaaaaaaaaa";

        fresh();
        manifest();
        for (unsigned i = 0; i < QN_NAMES_ALIKE_MAX + 2; i++) {
                for (unsigned bit = 0; bit < 8; bit++)
                        name[8 + bit] = i >> bit & 1 ? 'A' : 'a';
                tb_file(&tar, name, "1");
        }
        tb_end(&tar);
        ASSERT_NOT_NULL(strstr(analyse(&tar, ""), "\nopen limit "));
        ASSERT_EQ(scan->n_files, QN_NAMES_ALIKE_MAX + 3);
}

TEST(analyse_memory_for_names_is_capped)
{
        struct qn_names names;
        const struct qn_name_content c = { .size = 0, .data = CUR("x") };
        char path[QN_TAR_NAME_MAX];
        size_t n = 0;
        int r;

        qn_names_init(&names);
        memset(path, 'x', sizeof path);
        do {
                memcpy(path, &n, sizeof n);
                r = qn_names_add(&names, (struct qn_str){ path, sizeof path }, &c);
                n++;
        } while (r == QN_NAME_NEW && n < QN_TAR_ENTRIES_MAX);
        ASSERT_EQ(r, -ENOBUFS);
        ASSERT_TRUE(names.arena.total <= QN_NAMES_MAX);
        ASSERT_TRUE(n > QN_NAMES_MAX / sizeof path / 4);
        qn_names_done(&names);
}

TEST(analyse_headers_that_clients_dispute)
{
        fresh();
        manifest();
        tb_pax(&tar, 'x', "size", "1");
        tb_header(&tar, "package/a", '0', 0, "");
        tb_body(&tar, "1", 1);
        tb_header(&tar, "package/b", '0', 0, "")[0] = 'q';
        tb_end(&tar);
        tb_file(&tar, "package/c", "3");
        assert_string_equal(
                analyse_all_ways(), MANIFEST
                "odd disputed-header package/a\nopen disputed-header package/a\nfile a 1 '1'\n"
                "odd invalid-header \nopen invalid-header \nodd trailing-data \nopen trailing-data "
                "\n" END);
}

TEST(analyse_keeps_what_stands_before_the_damage)
{
        fresh();
        manifest();
        tb_file(&tar, "package/a.js", "1");
        tb_header(&tar, "package/b.txt", '0', 30000, "");
        for (int i = 0; i < 10000; i++)
                qn_buf_printf(&tar, "%03d", i * 7919 % 997);
        tb_gzip(&gz, tar.p, tar.n);
        gz.n -= 100;
        assert_string_equal(analyse(&gz, ""), MANIFEST "file a.js 1 '1'\nopen truncated \n" END);
        gz.n = 0;
        tb_gzip(&gz, tar.p, tar.n);
        gz.p[gz.n - 8] ^= 1; /* the checksum */
        assert_string_equal(analyse(&gz, ""),
                            MANIFEST "file a.js 1 '1'\nfile b.txt 30000\nopen corrupt \n" END);
        tar.n = 2048 + 300;
        assert_string_equal(analyse(&tar, ""), MANIFEST "file a.js 1 '1'\n" END);
        tar.n = 2047;
        assert_string_equal(analyse(&tar, ""), MANIFEST "open truncated \n" END);
}

TEST(analyse_too_many_entries)
{
        fresh();
        manifest();
        for (unsigned i = 0; i < QN_TAR_ENTRIES_MAX + 2; i++) {
                char name[32];

                snprintf(name, sizeof name, "package/d%u", i);
                tb_header(&tar, name, '5', 0, "");
        }
        assert_string_equal(analyse(&tar, ""), MANIFEST "open limit \n" END);
}

TEST(analyse_bombs)
{
        struct tb_gz g;

        fresh();
        manifest();
        tb_gz_start(&g, &gz);
        tb_gz_add(&g, &tar);
        tb_gz_zeros(&g, 10240);
        tb_gz_end(&g);
        assert_string_equal(analyse(&gz, ""),
                            MANIFEST "odd trailing-data \nopen trailing-data \n" END);
        gz.n = 0;
        tb_gz_start(&g, &gz);
        tb_gz_zeros(&g, 10240);
        tb_gz_end(&g);
        assert_string_equal(analyse(&gz, ""), "open empty \n" END);
        gz.n = tar.n = 0;
        manifest();
        for (int i = 0; i < 25; i++) {
                tb_header(&tar, "package/f", '0', (size_t)100 << 20, "");
                tb_gz_start(&g, &gz);
                tb_gz_add(&g, &tar);
                tb_gz_zeros(&g, 100);
                tb_gz_end(&g);
                tar.n = 0;
        }
        ASSERT_NOT_NULL(strstr(analyse(&gz, ""), "open limit \n" END));
}

TEST(analyse_large_files)
{
        static const char *const names[] = { "package/text.js", "package/map.js.map",
                                             "package/pic.png", "package/fake.js" };
        struct rusage before, after;
        struct tb_gz g;
        char *block = malloc((size_t)1 << 20);

        fresh();
        manifest();
        getrusage(RUSAGE_SELF, &before);
        tb_gz_start(&g, &gz);
        for (size_t i = 0; i < QN_ARRAY_SIZE(names); i++) {
                memset(block, i < 2 ? 'x' : 1, (size_t)1 << 20);
                tb_header(&tar, names[i], '0', (size_t)200 << 20, "");
                tb_gz_add(&g, &tar);
                tb_gz_repeat(&g, block, (size_t)1 << 20, 200);
                tar.n = 0;
        }
        tb_end(&tar);
        tb_gz_add(&g, &tar);
        tb_gz_end(&g);
        assert_string_equal(
                analyse(&gz, ""), MANIFEST
                "open file-too-large text.js\n"
                "file text.js 209715200 head 33554432 tail 65536\n"
                "file map.js.map 209715200 head 33554432 tail 65536\n"
                "file pic.png 209715200 head 65536 tail 65536\n"
                "open file-too-large fake.js\nfile fake.js 209715200 head 65536 tail 65536\n" END);
        getrusage(RUSAGE_SELF, &after);
        ASSERT_TRUE(after.ru_maxrss - before.ru_maxrss < 128 << 10);
        free(block);
}

TEST(analyse_rounds)
{
        fresh();
        manifest();
        tb_file(&tar, "package/x.dat", "1");
        tb_end(&tar);
        scan->want = "x.dat";
        scan->rounds = 2;
        assert_string_equal(analyse(&tar, ""),
                            MANIFEST "file x.dat 1 '1'\nfile x.dat 1 '1'\nfile x.dat 1 '1'\n" END);
        scan->want = "missing";
        scan->rounds = 1000;
        assert_string_equal(analyse(&tar, ""), MANIFEST "file x.dat 1 '1'\n" END);
        scan->want = "x.dat";
        scan->rounds = 1000;
        ASSERT_NOT_NULL(strstr(analyse(&tar, ""), "\nopen limit \n"));
        ASSERT_EQ(scan->n_files, 2 + QN_SCAN_ROUNDS_MAX);
        tested_freep(&an);
}
