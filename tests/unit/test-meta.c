/* What the registry's document tells about a version: each fact, and what must not be taken for it. */
#include "base/arena.h"
#include "base/limits.h"
#include "event/event.h"
#include "observe/packlist.h"
#include "observe/scan.h"
#include "parse/pkgjson.h"
#include "test.h"

static struct qn_scan *scan;
static const struct qn_event_set *set;

static void start(void)
{
        static struct qn_observers *o;
        struct qn_err err = { 0 };

        if (!o && qn_observers_load(TEST_DATA, &o, &err) < 0)
                fail_msg("%s", err.msg);
        if (!scan)
                ASSERT_EQ(qn_scan_new(o, &scan), 0);
}

static void observe(const char *manifest, const char *document)
{
        const struct qn_scan_file f = { .path = QN_STR("package.json"),
                                        .mode = 0644,
                                        .size = strlen(manifest),
                                        .data = qn_cur_str(qn_str_c(manifest)) };

        start();
        qn_scan_begin(scan);
        qn_scan_packument(scan, qn_cur_str(qn_str_c(document)), QN_STR(""));
        ASSERT_EQ(qn_scan_file(scan, &f), 0);
        ASSERT_EQ(qn_scan_finish(scan, QN_STR(""), &set), 0);
}

static bool told(const char *what, const char *how)
{
        for (size_t i = 0; i < set->n; i++)
                if (qn_str_is(qn_event_get(&set->events[i], QN_ATTR_WHAT), what) &&
                    (!how || qn_str_is(qn_event_get(&set->events[i], QN_ATTR_HOW), how)))
                        return true;
        return false;
}

#define VERSION(v, more) "\"" v "\":{\"name\":\"quiet-sums\",\"version\":\"" v "\"" more "}"
#define BY(name, mail)                                           \
        ",\"_npmUser\":{\"name\":\"" name "\",\"email\":\"" mail \
        "\"},\"maintainers\":[{\"name\":\"ada\",\"email\":\"" mail "\"}]"
#define ADA      BY("ada", "ada@example.invalid")
#define COMMIT   ",\"gitHead\":\"0123\""
#define HOOK     ",\"scripts\":{\"postinstall\":\"node a.js\"}"
#define SIZE(n)  ",\"dist\":{\"unpackedSize\":" n "}"
#define MANIFEST "{\"name\":\"quiet-sums\",\"version\":\"1.0.3\",\"main\":\"a.js\"}"

/* Three ordinary versions, then 1.0.3 with `more`, published at `when`. */
/* clang-format off */
#define HISTORY(more, when)                                              \
        "{\"_id\":\"quiet-sums\",\"name\":\"quiet-sums\",\"versions\":{" \
        VERSION("1.0.0", ADA COMMIT SIZE("1000")) ","                    \
        VERSION("1.0.1", ADA COMMIT SIZE("1000")) ","                    \
        VERSION("1.0.2", ADA COMMIT SIZE("1000")) ","                    \
        VERSION("1.0.3", more) "},\"time\":{"                            \
        "\"created\":\"2024-01-01T00:00:00.000Z\","                      \
        "\"1.0.0\":\"2024-01-01T00:00:00.000Z\","                        \
        "\"1.0.1\":\"2024-02-01T00:00:00.000Z\","                        \
        "\"1.0.2\":\"2024-03-01T00:00:00.000Z\","                        \
        "\"1.0.3\":\"" when "\"}}"
/* clang-format on */
#define ORDINARY "2024-04-01T00:00:00.000Z"

static size_t metadata(void)
{
        size_t n = 0;

        for (size_t i = 0; i < set->n; i++)
                n += set->events[i].layer == QN_LAYER_METADATA;
        return n;
}

TEST(an_ordinary_release_tells_nothing)
{
        observe(MANIFEST, HISTORY(ADA COMMIT SIZE("1100"), ORDINARY));
        ASSERT_EQ(metadata(), 0);
        observe(MANIFEST, "");
        ASSERT_EQ(metadata(), 0);
}

TEST(a_document_that_is_none)
{
        observe(MANIFEST, "{\"name\":");
        ASSERT_TRUE(told("packument", NULL));
        observe(MANIFEST, "[]");
        ASSERT_TRUE(told("packument", NULL));
        observe(MANIFEST, "{\"name\":\"quiet-sums\",\"versions\":{}}");
        ASSERT_TRUE(told("version-unlisted", NULL) && !told("packument", NULL));
        observe(MANIFEST, "{\"name\":\"quiet-sums\",\"versions\":{\"1.0.3\":{}},\"time\":{\"1.0."
                          "3\":\"nonsense\"}}");
        ASSERT_TRUE(told("first-version", NULL));
}

TEST(people)
{
        observe(MANIFEST, HISTORY(BY("eve", "ada@example.invalid") COMMIT, ORDINARY));
        ASSERT_TRUE(told("publisher-changed", "newcomer"));
        observe(MANIFEST, HISTORY(BY("ada", "ada@elsewhere.invalid") COMMIT, ORDINARY));
        ASSERT_TRUE(told("publisher-mail-changed", NULL) && told("maintainer-mail-changed", NULL));
        /* a CI service takes over: others look at that */
        observe(MANIFEST, HISTORY(",\"_npmUser\":{\"name\":\"GitHub "
                                  "Actions\",\"email\":\"x@example.invalid\","
                                  "\"trustedPublisher\":{\"id\":\"github\"}}" COMMIT,
                                  ORDINARY));
        ASSERT_FALSE(told("publisher-changed", NULL));
        observe(MANIFEST, HISTORY(",\"maintainers\":[{\"name\":\"eve\"}]" COMMIT, ORDINARY));
        ASSERT_TRUE(told("maintainers-replaced", NULL));
}

TEST(times)
{
        observe(MANIFEST, HISTORY(ADA COMMIT, "2026-04-01T00:00:00.000Z"));
        ASSERT_TRUE(told("dormant", "patch"));
        observe(MANIFEST, HISTORY(ADA COMMIT, "2024-03-01T00:05:00.000Z"));
        ASSERT_TRUE(told("soon-after", "patch") && !told("burst", NULL) &&
                    !told("several-lines", NULL));
        observe("{\"name\":\"quiet-sums\",\"version\":\"1.0.0\",\"main\":\"a.js\"}",
                HISTORY(ADA COMMIT, ORDINARY));
        ASSERT_TRUE(told("first-version", NULL) && told("young-package", NULL) &&
                    !told("high-first-version", NULL));
}

TEST(artifact)
{
        observe("{\"name\":\"quiet-sums\",\"version\":\"1.0.3\",\"main\":\"a.js\",\"scripts\":{"
                "\"postinstall\":\"node a.js\"}}",
                HISTORY(ADA COMMIT HOOK, ORDINARY));
        ASSERT_TRUE(told("hook-added", "added") && !told("manifest-differs", NULL));
        observe(MANIFEST, HISTORY(ADA COMMIT HOOK, ORDINARY));
        ASSERT_TRUE(told("manifest-differs", "scripts"));
        observe(MANIFEST,
                HISTORY(ADA COMMIT ",\"scripts\":{\"install\":\"node-gyp rebuild\"}", ORDINARY));
        ASSERT_FALSE(told("manifest-differs", NULL)); /* npm's own addition */
        observe(MANIFEST, HISTORY(ADA COMMIT ",\"dependencies\":{\"b\":\"1\"}", ORDINARY));
        ASSERT_TRUE(told("manifest-differs", "dependencies"));
        observe(MANIFEST, HISTORY(ADA SIZE("900000"), ORDINARY));
        ASSERT_TRUE(told("size-jump", NULL) && told("commit-lost", NULL));
        observe(MANIFEST, HISTORY(ADA COMMIT ",\"deprecated\":\"use another\"", ORDINARY));
        ASSERT_TRUE(told("deprecated", NULL));
        observe("{\"name\":\"other\",\"version\":\"1.0.3\",\"main\":\"a.js\"}",
                HISTORY(ADA COMMIT, ORDINARY));
        ASSERT_TRUE(told("manifest-differs", "name"));
}

#define OWN(more) "{\"name\":\"quiet-sums\",\"version\":\"1.0.3\"," more "}"

TEST(manifests_that_differ)
{
        observe(OWN("\"dependencies\":{\"b\":\"^1.0.0\"}"),
                HISTORY(ADA COMMIT ",\"dependencies\":{\"b\":\"^2.0.0\"}", ORDINARY));
        ASSERT_TRUE(told("manifest-differs", "dependency-spec") &&
                    !told("manifest-differs", "dependencies"));
        observe(OWN("\"bin\":{\"sums\":\"a.js\"}"),
                HISTORY(ADA COMMIT ",\"bin\":{\"sums\":\"b.js\"}", ORDINARY));
        ASSERT_TRUE(told("manifest-differs", "bin"));
        observe(OWN("\"main\":\"a.js\""),
                HISTORY(ADA COMMIT ",\"bin\":{\"sums\":\"b.js\"}", ORDINARY));
        ASSERT_TRUE(told("manifest-differs", "bin"));
        observe(OWN("\"bin\":\"a.js\""), HISTORY(ADA COMMIT, ORDINARY));
        ASSERT_TRUE(told("manifest-differs", "bin"));
}

TEST(manifests_as_npm_writes_them)
{
        observe(OWN("\"bin\":\"./a.js\""),
                HISTORY(ADA COMMIT ",\"bin\":{\"quiet-sums\":\"a.js\"}", ORDINARY));
        ASSERT_FALSE(told("manifest-differs", NULL));
        observe(OWN("\"directories\":{\"bin\":\"bin\"}"),
                HISTORY(ADA COMMIT ",\"bin\":{\"sums\":\"bin/sums\"}", ORDINARY));
        ASSERT_FALSE(told("manifest-differs", NULL));
        /* an optional dependency is listed twice, in the block that npm gives it and in its own */
        observe(OWN("\"optionalDependencies\":{\"b\":\"2\"}"),
                HISTORY(ADA COMMIT
                        ",\"dependencies\":{\"b\":\"2\"},\"optionalDependencies\":{\"b\":\"2\"}",
                        ORDINARY));
        ASSERT_FALSE(told("manifest-differs", NULL));
}

TEST(shape)
{
        static const char document[] =
                "{\"_id\":\"q\",\"name\":\"andi-soto10-breki\",\"versions\":{\"1.0.0\":{"
                "\"name\":\"andi-soto10-breki\",\"version\":\"1.0.0\",\"_npmUser\":{\"name\":"
                "\"word-1234\"}}},\"dist-tags\":{\"canary\":\"1.0.0\"}}";

        observe("{\"name\":\"andi-soto10-breki\",\"version\":\"1.0.0\",\"dependencies\":{\"andi-"
                "soto1-breki\":\"1\","
                "\"andi-soto2-breki\":\"1\",\"andi-soto3-breki\":\"1\",\"andi-soto4-breki\":\"1\","
                "\"ka-soto5-breki\":\"1\","
                "\"andi-soto10-breki\":\"*\"}}",
                document);
        ASSERT_TRUE(told("generated-name", NULL) && told("sibling-dependencies", NULL) &&
                    told("self-dependency", NULL));
        ASSERT_TRUE(told("hollow", NULL) && told("bare", NULL) && told("numbered-account", NULL) &&
                    told("tagged", NULL));
        observe("{\"name\":\"andi-soto10\",\"version\":\"1.0.0\",\"repository\":\"a/"
                "b\",\"os\":[\"linux\"],"
                "\"dependencies\":{\"andi-soto1\":\"1\",\"x\":\"1\",\"-\":\"1\",\"@a/"
                "andi\":\"1\"}}",
                "{\"_id\":\"q\",\"name\":\"andi-soto10\",\"versions\":{\"1.0.0\":{\"name\":\"andi-"
                "soto10\",\"version\":"
                "\"1.0.0\"}},\"dist-tags\":{\"latest\":\"1.0.0\",\"canary\":\"1.0.0\"}}");
        ASSERT_TRUE(told("first-version", NULL) && !told("generated-name", NULL) &&
                    !told("sibling-dependencies", NULL) && !told("hollow", NULL) &&
                    !told("bare", NULL) && !told("tagged", NULL));
}

TEST(names_that_a_program_makes)
{
        static const struct {
                const char *name;
                bool made;
        } list[] = {
                { "andi-soto10-breki", true },
                { "zul-tapai9-kyuki", true },
                { "elf-stats-quiet-brook-304", true },
                { "babel-plugin-es2015-classes", false },
                { "swc-linux-x64-gnu", false },
                { "left-pad2", false },
                { "soto10-breki", false },
                { "@scope/andi-soto10-breki", false },
                { "log-2024110112-part", false },
                { "a-b-7", false },
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(list); i++) {
                char manifest[128];

                snprintf(manifest, sizeof manifest, "{\"name\":\"%s\",\"version\":\"1.0.0\"}",
                         list[i].name);
                observe(manifest, "");
                if (told("generated-name", NULL) != list[i].made)
                        fail_msg("%s", list[i].name);
        }
}

TEST(dependencies_on_names_that_a_program_makes)
{
        observe("{\"name\":\"zul-tapai9-kyuki\",\"version\":\"1.0.0\",\"dependencies\":{\"andi-"
                "rendang23-breki\":\"1\","
                "\"budi-bakso4-miro\":\"1\",\"citra-gado61-sluey\":\"1\",\"dewi-soto8-apbuk\":"
                "\"1\",\"eka-sate12-tokek\":\"1\"}}",
                "");
        ASSERT_TRUE(told("sibling-dependencies", "generated") && !told("sibling-dependencies", ""));
        observe("{\"name\":\"babel-preset\",\"version\":\"1.0.0\",\"dependencies\":{\"babel-plugin-"
                "polyfill-corejs2\":\"1\","
                "\"babel-plugin-polyfill-corejs3\":\"1\",\"hast-util-from-parse5\":\"1\",\"parse5-"
                "sax-parser\":\"1\","
                "\"character-entities-html4\":\"1\"}}",
                "");
        ASSERT_FALSE(told("sibling-dependencies", NULL));
}

TEST(accounts)
{
        observe(MANIFEST, HISTORY(BY("eve", "eve@mx.Mailinator.com"), ORDINARY));
        ASSERT_TRUE(told("disposable-mail", "publisher") && told("disposable-mail", "maintainer"));
        observe(MANIFEST, HISTORY(BY("eve", "eve@notmailinator.com.invalid"), ORDINARY));
        ASSERT_FALSE(told("disposable-mail", NULL) || told("account-series", NULL));
        observe(MANIFEST, HISTORY(BY("eve", "mailinator.com"), ORDINARY));
        ASSERT_FALSE(told("disposable-mail", NULL));
#define PEOPLE(list) HISTORY(",\"maintainers\":[" list "]", ORDINARY)
#define ONE(n, m)    "{\"name\":\"" n "\",\"email\":\"" m "\"}"
        observe(MANIFEST, PEOPLE(ONE("user01", "a@x.invalid") "," ONE(
                                  "User02", "b@x.invalid") "," ONE("user15", "c@x.invalid")));
        ASSERT_TRUE(told("account-series", "name") && !told("account-series", "mail"));
        observe(MANIFEST, PEOPLE(ONE("user01", "a@x.invalid") "," ONE("user02", "b@x.invalid")));
        ASSERT_FALSE(told("account-series", NULL));
        observe(MANIFEST,
                PEOPLE(ONE("uma", "sto@x.invalid") "," ONE("ben", "sto+1@x.invalid") "," ONE(
                        "cid", "STO+two@x.invalid") "," ONE("dan", "sto3@x.invalid")));
        ASSERT_TRUE(told("account-series", "mail") && !told("account-series", "name"));
        observe(MANIFEST,
                PEOPLE(ONE("uma", "sto+1@x.invalid") "," ONE("ben", "sto+2@y.invalid") "," ONE(
                        "uma", "sto+3@x.invalid") "," ONE("7", "8@x.invalid")));
        ASSERT_FALSE(told("account-series", NULL));
}

static void observe_files(const char *manifest, const char *readme, const char *tea)
{
        const char *const files[][2] = { { "package.json", manifest },
                                         { "docs/README.md", "Not this one" },
                                         { "Readme.md", readme },
                                         { "tea.yaml", tea } };

        start();
        qn_scan_begin(scan);
        for (size_t i = 0; i < QN_ARRAY_SIZE(files); i++) {
                struct qn_str data = qn_str_c(files[i][1]);
                const struct qn_scan_file f = { .path = qn_str_c(files[i][0]),
                                                .mode = 0644,
                                                .size = data.n,
                                                .data = qn_cur_str(data) };

                if (data.p)
                        ASSERT_EQ(qn_scan_file(scan, &f), 0);
        }
        ASSERT_EQ(qn_scan_finish(scan, QN_STR(""), &set), 0);
}

/* The print of a text, "" when there is none. */
static const char *print_of(const char *how)
{
        static char text[64];

        text[0] = 0;
        for (size_t i = 0; i < set->n; i++) {
                const struct qn_event *e = &set->events[i];

                if (qn_str_is(qn_event_get(e, QN_ATTR_WHAT), "template") &&
                    qn_str_is(qn_event_get(e, QN_ATTR_HOW), how))
                        snprintf(text, sizeof text, "%.*s",
                                 QN_STR_ARG(qn_event_get(e, QN_ATTR_VALUE)));
        }
        return text;
}

#define WALLET(digit) "0x" digit "123456789abcdefABCDEF0123456789abcdef01"

TEST(texts_made_from_one_template)
{
        char first[64], wallets[64];

        observe_files(
                "{\"name\":\"elf-quiet-brook-304\",\"version\":\"1.0.0\",\"description\":"
                "\"Package generated   automatically every 2 minutes\"}",
                "# elf-quiet-brook-304\n\nThis package of the series is number 304 of all that "
                "were ever made.",
                "version: 1\ncodeOwners:\n  - '" WALLET("a") "'\n  - '" WALLET("b") "'\n");
        ASSERT_TRUE(told("boilerplate", "description") && !told("boilerplate", "readme"));
        snprintf(first, sizeof first, "%s", print_of("readme"));
        snprintf(wallets, sizeof wallets, "%s", print_of("wallets"));
        ASSERT_TRUE(first[0] && wallets[0] && print_of("description")[0]);
        observe_files(
                "{\"name\":\"elf-loud-hill-17\",\"version\":\"1.0.0\"}",
                "# Elf-loud-hill-17\r\n\r\nThis package of the series is number 17 of all that "
                "were ever made!",
                "version: 2\ncodeOwners:\n  - '" WALLET("b") "'\n  - '" WALLET("a") "'\n");
        ASSERT_STR(qn_str_c(print_of("readme")), first);
        ASSERT_STR(qn_str_c(print_of("wallets")), wallets);
        observe_files(
                "{\"name\":\"elf-loud-hill-17\",\"version\":\"1.0.0\"}",
                "# Elf-loud-hill-17\n\nThis package of the house is number 17 of all that were "
                "ever made!",
                "codeOwners:\n  - '" WALLET("c") "'\n  - '0x1'\n");
        ASSERT_TRUE(print_of("readme")[0] && strcmp(print_of("readme"), first) != 0);
        ASSERT_TRUE(print_of("wallets")[0] && strcmp(print_of("wallets"), wallets) != 0);
        /* next to no words, and a package that is of use */
        observe_files(
                "{\"name\":\"elf-loud-hill-17\",\"version\":\"1.0.0\",\"description\":\"Elf\"}",
                "# Elf loud hill", NULL);
        ASSERT_STR(qn_str_c(print_of("readme")), "");
        ASSERT_STR(qn_str_c(print_of("description")), "");
        observe_files(
                "{\"name\":\"elf\",\"version\":\"1.0.0\",\"types\":\"a.d.ts\",\"description\":"
                "\"lorem ipsum dolor sit amet consectetur\"}",
                "One two three four five six seven eight nine", NULL);
        ASSERT_STR(qn_str_c(print_of("readme")), "");
        ASSERT_FALSE(told("boilerplate", NULL));
}

TEST(a_long_readme_is_compared_by_its_beginning)
{
        static char text[3 * QN_FARM_TEXT_MAX];
        char first[64];

        memset(text, 'x', sizeof text - 1);
        for (size_t i = 0; i < sizeof text - 1; i += 5)
                text[i] = ' ';
        observe_files("{\"name\":\"elf\",\"version\":\"1.0.0\"}", text, NULL);
        snprintf(first, sizeof first, "%s", print_of("readme"));
        memset(text + QN_FARM_TEXT_MAX, 'y', 100);
        observe_files("{\"name\":\"elf\",\"version\":\"1.0.0\"}", text, NULL);
        ASSERT_TRUE(first[0]);
        ASSERT_STR(qn_str_c(print_of("readme")), first);
}

static bool packs(const char *files, const char *path)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(1 << 20);
        struct qn_pkgjson *p;
        char text[256];

        snprintf(text, sizeof text,
                 "{\"main\":\"./lib/main\",\"bin\":{\"x\":\"./cli.js\"},\"files\":[%s]}", files);
        ASSERT_EQ(qn_pkgjson_parse(qn_cur_str(qn_str_c(text)), &a, &p, NULL), 0);
        return qn_packlist_has(p, qn_str_c(path));
}

TEST(what_npm_would_have_packed)
{
        static const struct {
                const char *files, *path;
                bool packs;
        } list[] = {
                { "\"dist\"", "setup.js", false },
                { "\"dist\",\"!setup.js\"", "setup.js", false },
                { "\"setup\"", "setup.js", false },
                { "\"dist/*.js\"", "other/a.js", false },
                { "", "setup.js", true },
                { "\"./setup.js\"", "setup.js", true },
                { "\"/dist/\"", "dist/a/b.js", true },
                { "\"dist/**\"", "dist/a/b.js", true },
                { "\"*\"", "setup.js", true },
                { "\".\"", "setup.js", true },
                { "\"*.js\"", "a/setup.js", true },
                { "\"src-*\"", "src-a/setup.js", true },
                { "\"{a,b}.js\"", "a.js", true },
                { "\"dist\"", "cli.js", true },
                { "\"dist\"", "lib/main.js", true },
                { "\"dist\"", "node_modules/a/index.js", true },
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(list); i++)
                ASSERT_EQ(packs(list[i].files, list[i].path), list[i].packs);
}

#define AT(v, t) "\"" v "\":\"" t "\""

#define BURST                                                                                     \
        AT("1.0.0", "2024-01-01T00:00:00.000Z")                                                   \
        "," AT("1.0.1", "2024-01-01T00:01:00.000Z") "," AT(                                       \
                "1.0.2",                                                                          \
                "2024-01-01T00:02:00.000Z") "," AT("1.0.3",                                       \
                                                   "2024-01-01T00:03:00.000Z") "," AT("2.0.1",    \
                                                                                      "2024-01-"  \
                                                                                      "01T00:04:" \
                                                                                      "00.000Z")
#define BURST_OF(times)                                                                           \
        "{\"_id\":\"q\",\"name\":\"quiet-sums\",\"versions\":{" VERSION("1.0.0", "") "," VERSION( \
                "1.0.1", "") "," VERSION("1.0.2",                                                 \
                                         "") "," VERSION("1.0.3",                                 \
                                                         "") "," VERSION("2.0.1",                 \
                                                                         "") "},\"time\":{" times \
                                                                             "}}"

TEST(bursts)
{
        observe(MANIFEST, BURST_OF(AT("created", "2024-01-01T00:00:00.000Z") "," BURST));
        ASSERT_TRUE(told("burst", NULL) && told("several-lines", NULL));
        /* a proxy's times are its own */
        observe(MANIFEST, BURST_OF(BURST));
        ASSERT_FALSE(told("burst", NULL) || told("several-lines", NULL));
}

TEST(a_first_version_with_a_high_number)
{
        observe("{\"name\":\"quiet-sums\",\"version\":\"99.0.0\",\"main\":\"a.js\"}",
                "{\"_id\":\"q\",\"name\":\"quiet-sums\",\"versions\":{" VERSION(
                        "99.0.0", "") "},\"time\":{" AT("99.0.0", "2024-01-01T00:00:00.000Z") "}}");
        ASSERT_TRUE(told("high-first-version", NULL));
}
