#include "cli/rules-test.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/log.h"
#include "check/pack-dir.h"
#include "cli/documents.h"
#include "event/event.h"
#include "observe/analyse.h"
#include "observe/provenance.h"
#include "observe/scan.h"
#include "rule/rule.h"

#define PATH_BYTES 4096
#define KEEP       ((size_t)1 << 20)
#define PACKUMENT  ".packument.json" /* files beside an example: the registry's document, */
#define PREVIOUS   ".previous"       /* the directory of the version before */

struct tester {
        const struct qn_rules *rules;
        struct qn_observers *observers;
        struct qn_analyser *analyser;
        struct qn_provenance *provenance;
        struct qn_arena arena;
        unsigned examples, failed;
};

struct tally {
        unsigned bad, good;
};

static void fail(struct tester *t, const char *where, const char *fmt, ...) QN_PRINTF(3, 4);

static void fail(struct tester *t, const char *where, const char *fmt, ...)
{
        char msg[512];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(msg, sizeof msg, fmt, ap);
        va_end(ap);
        printf("%s: %s\n", where, msg);
        t->failed++;
}

static bool fired(const struct qn_verdict *v, const struct qn_rule *rule)
{
        for (size_t i = 0; i < v->n; i++)
                if (v->findings[i].rule == rule)
                        return true;
        return false;
}

/* What the judge said about an example, in a few words. */
static void describe(const struct qn_verdict *v, char *to, size_t size)
{
        int n = snprintf(to, size, "%s", qn_verdict_name(v->kind));

        for (size_t i = 0; i < v->n && n > 0 && (size_t)n < size; i++)
                n += snprintf(to + n, size - (size_t)n, "%s%.*s", i ? ", " : " by ",
                              QN_STR_ARG(v->findings[i].rule->id));
        if (v->kind == QN_UNKNOWN && n > 0 && (size_t)n < size)
                snprintf(to + n, size - (size_t)n, ": %.*s", QN_STR_ARG(v->reason));
}

static void check(struct tester *t, const char *path, const struct qn_rule *rule, bool bad,
                  const struct qn_verdict *v)
{
        char what[300];

        describe(v, what, sizeof what);
        if (bad && !fired(v, rule))
                fail(t, path, "the rule does not match (%s)", what);
        else if (bad && v->kind < rule->verdict)
                fail(t, path, "the verdict is less than the rule's (%s)", what);
        else if (!bad && fired(v, rule))
                fail(t, path, "the rule matches a good example (%s)", what);
        else if (!bad && v->kind != QN_CLEAN)
                fail(t, path, "a good example is not clean (%s)", what);
}

static int judge_events(struct tester *t, const char *path, const struct qn_rule *rule, bool bad)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_YAML_MAX);
        struct qn_event_set set;
        struct qn_verdict v;
        struct qn_err err = { 0 };
        struct qn_cur in;
        int r = qn_io_read(path, &b);

        if (r < 0)
                return log_err(r, "%s: %s", path, strerror(-r));
        in = qn_cur_mem(b.p, b.n);
        r = qn_event_set_read_json(&in, &t->arena, &set, &err);
        if (r < 0) {
                fail(t, path, "%s", err.msg);
                return 0;
        }
        r = qn_judge(t->rules, &set, &t->arena, &v);
        if (r < 0)
                return log_err(r, "%s: there are too many events to judge", path);
        check(t, path, rule, bad, &v);
        return 0;
}

/* What lies beside the example in EXAMPLE/ under EXAMPLE and a suffix, where there is something. */
static int read_beside(const char *path, const char *suffix,
                       int (*read)(const char *path, struct qn_buf *ret), struct qn_buf *ret)
{
        char beside[PATH_BYTES];
        int r;

        if (snprintf(beside, sizeof beside, "%s%s", path, suffix) >= (int)sizeof beside)
                return -ENAMETOOLONG;
        r = read(beside, ret);
        return r == -ENOENT ? 0 : r;
}

/* With what the documents beside the example tell. */
static int add_documents(struct tester *t, const char *path, const struct qn_event_set **set)
{
        int fds[QN_DOC_MAX], r = qn_documents_beside(path, fds);
        bool any = false;

        for (unsigned i = 0; i < QN_DOC_MAX; i++)
                any = any || fds[i] >= 0;
        if (r == 0 && any)
                r = qn_documents_observe(t->provenance, fds, *set, &t->arena, set);
        qn_documents_close(fds);
        return r;
}

/* The examples are the project's own, so that no role is needed to look at them. */
static int judge_archive(struct tester *t, const char *path, const struct qn_rule *rule, bool bad,
                         int fd)
{
        _cleanup_(qn_buf_done) struct qn_buf packument = QN_BUF_INIT(QN_JSON_MAX),
                                             previous = QN_BUF_INIT(QN_UNPACKED_MAX);
        struct qn_analyse_in in = { 0 };
        const struct qn_event_set *set;
        struct qn_verdict v;
        struct stat st;
        void *p;
        int r;

        if (fstat(fd, &st) < 0)
                return log_err(-errno, "%s: %s", path, strerror(errno));
        p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED)
                return log_err(-errno, "%s: %s", path, strerror(errno));
        r = read_beside(path, PACKUMENT, qn_io_read, &packument);
        if (r == 0)
                r = read_beside(path, PREVIOUS, qn_pack_read, &previous);
        in.archive = qn_cur_mem(p, (size_t)st.st_size);
        in.packument = qn_cur_mem(packument.p, packument.n);
        in.previous = qn_cur_mem(previous.p, previous.n);
        if (r == 0)
                r = qn_analyse(t->analyser, &in, &set);
        if (r == 0)
                r = add_documents(t, path, &set);
        if (r == 0)
                r = qn_judge(t->rules, set, &t->arena, &v);
        if (r == 0)
                check(t, path, rule, bad, &v);
        munmap(p, (size_t)st.st_size);
        return r < 0 ? log_err(r, "%s: %s", path, strerror(-r)) : 0;
}

static int judge_package(struct tester *t, const char *path, const struct qn_rule *rule, bool bad)
{
        struct qn_pack_stats stats = { 0 };
        struct qn_err err = { 0 };
        int fd, r = qn_pack_dir(path, &fd, &stats, &err);

        if (r < 0)
                return log_err(r, "%s: %s", path, err.msg);
        r = judge_archive(t, path, rule, bad, fd);
        close(fd);
        return r;
}

static int test_example(struct tester *t, const char *path, const char *name,
                        const struct qn_rule *rule, struct tally *tally)
{
        bool bad = qn_str_starts(qn_str_c(name), "bad");

        if (!bad && !qn_str_starts(qn_str_c(name), "good")) {
                fail(t, path, "an example is called bad… or good…");
                return 0;
        }
        tally->bad += bad;
        tally->good += !bad;
        t->examples++;
        qn_arena_reset(&t->arena, KEEP);
        if (qn_str_ends(qn_str_c(name), ".events.ndjson"))
                return judge_events(t, path, rule, bad);
        return judge_package(t, path, rule, bad);
}

static int is_visible(const struct dirent *d)
{
        struct qn_str name = qn_str_c(d->d_name);

        return name.p[0] != '.' && !qn_documents_is_beside(d->d_name) &&
               !qn_str_ends(name, PREVIOUS);
}

static int cmp_names(const struct dirent **a, const struct dirent **b)
{
        return strcmp((*a)->d_name, (*b)->d_name);
}

/* The rule's examples below one directory. */
static int test_below(struct tester *t, const char *examples, const struct qn_rule *rule,
                      struct tally *tally)
{
        struct dirent **list = NULL;
        char dir[PATH_BYTES], path[PATH_BYTES];
        int n, r = 0;

        if (snprintf(dir, sizeof dir, "%s/%.*s", examples, QN_STR_ARG(rule->id)) >= (int)sizeof dir)
                return log_err(-ENAMETOOLONG, "%s: the path is too long", examples);
        n = scandir(dir, &list, is_visible, cmp_names);
        for (int i = 0; i < n; i++) {
                if (r == 0 &&
                    snprintf(path, sizeof path, "%s/%s", dir, list[i]->d_name) < (int)sizeof path)
                        r = test_example(t, path, list[i]->d_name, rule, tally);
                free(list[i]);
        }
        free(list);
        return r;
}

static int test_rule(struct tester *t, const char *const *examples, const struct qn_rule *rule)
{
        struct tally tally = { 0 };
        char dir[PATH_BYTES];
        int r = 0;

        for (size_t i = 0; r == 0 && examples[i]; i++)
                r = test_below(t, examples[i], rule, &tally);
        snprintf(dir, sizeof dir, "%s/%.*s", examples[0], QN_STR_ARG(rule->id));
        if (r == 0 && (!tally.bad || !tally.good))
                fail(t, dir, "the rule has no %s example", tally.bad ? "good" : "bad");
        return r;
}

/* A directory that belongs to no rule is an example that nobody runs. */
static int find_strays(struct tester *t, const char *examples)
{
        struct dirent **list = NULL;
        int n = scandir(examples, &list, is_visible, cmp_names);

        if (n < 0)
                return log_err(-errno, "%s: %s", examples, strerror(errno));
        for (int i = 0; i < n; i++) {
                if (!qn_rules_find(t->rules, qn_str_c(list[i]->d_name)))
                        fail(t, examples, "there is no rule \"%s\"", list[i]->d_name);
                free(list[i]);
        }
        free(list);
        return 0;
}

static int test_all(struct tester *t, const char *const *examples)
{
        int r = 0;

        for (size_t i = 0; r == 0 && examples[i]; i++)
                r = find_strays(t, examples[i]);
        for (size_t i = 0; r == 0 && i < qn_rules_count(t->rules); i++)
                r = test_rule(t, examples, qn_rules_at(t->rules, i));
        return r;
}

static int start(struct tester *t, const char *data_dir)
{
        struct qn_err err = { 0 };
        int r = qn_observers_load(data_dir, &t->observers, &err);

        if (r < 0)
                return log_err(r, "%s", err.msg);
        r = qn_provenance_new(data_dir, &t->provenance, &err);
        if (r < 0)
                return log_err(r, "%s", err.msg);
        r = qn_analyser_new(t->observers, &t->analyser);
        return r < 0 ? log_err(r, "out of memory") : 0;
}

static void stop(struct tester *t)
{
        qn_analyser_free(t->analyser);
        qn_observers_free(t->observers);
        qn_provenance_free(t->provenance);
        qn_arena_done(&t->arena);
}

int qn_rules_test(const struct qn_rules *rules, const char *data_dir, const char *const *examples,
                  const char *only)
{
        struct tester t = { .rules = rules, .arena = QN_ARENA_INIT(QN_PKG_ARENA_MAX) };
        const struct qn_rule *one = only ? qn_rules_find(rules, qn_str_c(only)) : NULL;
        char fallback[PATH_BYTES];
        const char *const usual[] = { fallback, NULL };
        int r;

        if (only && !one)
                return log_err(-ENOENT, "there is no rule \"%s\"; see qanat rules list", only);
        if (snprintf(fallback, sizeof fallback, "%s/../tests/rules", data_dir) >=
            (int)sizeof fallback)
                return log_err(-ENAMETOOLONG, "%s: the path is too long", data_dir);
        examples = examples[0] ? examples : usual;
        r = start(&t, data_dir);
        if (r == 0)
                r = one ? test_rule(&t, examples, one) : test_all(&t, examples);
        stop(&t);
        if (r < 0)
                return r;
        printf("%zu rules, %u examples, %u failed\n", one ? 1 : qn_rules_count(rules), t.examples,
               t.failed);
        return t.failed > 0;
}
