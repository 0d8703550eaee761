/* cmd-semver.c - `qanat semver`: npm's version arithmetic, one question or a stream of them. */
#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/jsonw.h"
#include "base/limits.h"
#include "base/log.h"
#include "cli/args.h"
#include "cli/verbs.h"
#include "parse/json.h"
#include "parse/semver.h"

#define LINE_MAX_BYTES ((size_t)16 << 20)
#define EXIT_NO        1
#define EXIT_USAGE     2

static bool satisfies(struct qn_str version, struct qn_str range, unsigned flags,
                      struct qn_arena *a)
{
        struct qn_range *r;

        return qn_range_parse(range, flags, a, &r) == 0 && qn_range_test_str(r, version);
}

static int sign(int r)
{
        return (r > 0) - (r < 0);
}

/* --- one line in, one line out --- */

struct question {
        const struct qn_node *root;
        unsigned flags;
        struct qn_arena *arena;
        struct qn_jsonw *out;
};

static struct qn_str text(const struct question *q, const char *key)
{
        return qn_node_text(qn_node_get(q->root, key));
}

/* The answers return 0, or -EINVAL with nothing written. */

static int answer_satisfies(struct question *q)
{
        struct qn_str version = text(q, "version"), range = text(q, "range");

        if (!version.p || !range.p)
                return -EINVAL;
        qn_jsonw_bool(q->out, "result", satisfies(version, range, q->flags, q->arena));
        return 0;
}

static int answer_compare(struct question *q)
{
        struct qn_semver a, b;

        if (qn_semver_parse(text(q, "a"), q->flags, &a) < 0 ||
            qn_semver_parse(text(q, "b"), q->flags, &b) < 0)
                return -EINVAL;
        qn_jsonw_double(q->out, "result", sign(qn_semver_cmp(&a, &b)), 0);
        return 0;
}

static void write_text(struct question *q, const struct qn_buf *b, bool there)
{
        if (there)
                qn_jsonw_str(q->out, "result", qn_buf_view(b));
        else
                qn_jsonw_null(q->out, "result");
}

static int answer_valid(struct question *q)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(LINE_MAX_BYTES);
        struct qn_str version = text(q, "version");
        struct qn_semver v;
        bool ok;

        if (!version.p)
                return -EINVAL;
        ok = qn_semver_parse(version, q->flags, &v) == 0 && qn_semver_format(&v, &b) == 0;
        write_text(q, &b, ok);
        return 0;
}

static int answer_valid_range(struct question *q)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(LINE_MAX_BYTES);
        struct qn_str range = text(q, "range");
        struct qn_range *r;
        bool ok;

        if (!range.p)
                return -EINVAL;
        ok = qn_range_parse(range, q->flags, q->arena, &r) == 0 && qn_range_format(r, &b) == 0;
        write_text(q, &b, ok);
        return 0;
}

static int read_versions(const struct question *q, struct qn_str **ret, size_t *ret_n)
{
        const struct qn_node *list = qn_node_get(q->root, "versions");
        struct qn_str *v;

        if (!qn_node_is(list, QN_NODE_ARRAY))
                return -EINVAL;
        v = qn_arena_calloc(q->arena, list->n, sizeof *v);
        if (!v)
                return -ENOBUFS;
        for (size_t i = 0; i < list->n; i++)
                v[i] = qn_node_text(list->items[i]);
        *ret = v;
        *ret_n = list->n;
        return 0;
}

static int answer_max(struct question *q)
{
        struct qn_str range = text(q, "range"), *v;
        struct qn_range *r;
        size_t n, at = SIZE_MAX;

        if (!range.p || read_versions(q, &v, &n) < 0)
                return -EINVAL;
        if (qn_range_parse(range, q->flags, q->arena, &r) == 0)
                at = qn_range_max(r, v, n);
        if (at == SIZE_MAX)
                qn_jsonw_null(q->out, "result");
        else
                qn_jsonw_str(q->out, "result", v[at]);
        return 0;
}

struct sorted {
        struct qn_semver v;
        size_t at;
};

static int cmp_sorted(const void *x, const void *y)
{
        const struct sorted *a = x, *b = y;
        int r = qn_semver_cmp_build(&a->v, &b->v);

        return r ? r : a->at < b->at ? -1 : 1;
}

static int answer_sort(struct question *q)
{
        struct sorted *s;
        struct qn_str *v;
        size_t n;

        if (read_versions(q, &v, &n) < 0)
                return -EINVAL;
        s = qn_arena_calloc(q->arena, n, sizeof *s);
        if (!s)
                return -ENOBUFS;
        for (size_t i = 0; i < n; i++) {
                s[i].at = i;
                if (qn_semver_parse(v[i], q->flags, &s[i].v) < 0)
                        return -EINVAL;
        }
        qsort(s, n, sizeof *s, cmp_sorted);
        qn_jsonw_array(q->out, "result");
        for (size_t i = 0; i < n; i++)
                qn_jsonw_str(q->out, NULL, v[s[i].at]);
        qn_jsonw_end_array(q->out);
        return 0;
}

static const struct {
        const char *op;
        int (*answer)(struct question *q);
        const char *wrong;
} ops[] = {
        { "satisfies", answer_satisfies, "version and range must be strings" },
        { "compare", answer_compare, "a and b must be versions" },
        { "max-satisfying", answer_max, "range must be a string and versions a list" },
        { "valid", answer_valid, "version must be a string" },
        { "valid-range", answer_valid_range, "range must be a string" },
        { "sort", answer_sort, "versions must be a list of versions" },
};

/* NULL, or what is wrong with the line. */
static const char *answer(struct qn_str line, struct qn_arena *a, struct qn_jsonw *out)
{
        struct question q = { .arena = a, .out = out };
        struct qn_node *root = NULL;
        struct qn_str op;

        if (qn_json_parse(qn_cur_str(line), a, &root, NULL) < 0)
                return "not JSON";
        q.root = root;
        q.flags =
                (qn_node_bool(qn_node_get(root, "loose"), false) ? QN_SEMVER_LOOSE : 0) |
                (qn_node_bool(qn_node_get(root, "includePrerelease"), false) ? QN_SEMVER_PRERELEASE
                                                                             : 0);
        op = text(&q, "op");
        for (size_t i = 0; i < QN_ARRAY_SIZE(ops); i++)
                if (qn_str_is(op, ops[i].op))
                        return ops[i].answer(&q) < 0 ? ops[i].wrong : NULL;
        return "unknown op";
}

/* 0, EXIT_NO for a bad line, or a negative error. */
static int batch_line(struct qn_str line, struct qn_arena *a, struct qn_buf *out)
{
        struct qn_jsonw w = QN_JSONW_INIT(out, 0);
        const char *wrong;

        qn_arena_reset(a, (size_t)1 << 20);
        qn_buf_reset(out);
        qn_jsonw_object(&w, NULL);
        wrong = line.n > LINE_MAX_BYTES ? "the line is too long" : answer(line, a, &w);
        if (wrong)
                qn_jsonw_cstr(&w, "error", wrong);
        qn_jsonw_end_object(&w);
        if (qn_buf_error(out) < 0)
                return qn_buf_error(out);
        fwrite(out->p, 1, out->n, stdout);
        putchar('\n');
        return wrong ? EXIT_NO : 0;
}

static int batch(void)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(QN_PKG_ARENA_MAX);
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(QN_PKG_ARENA_MAX);
        _cleanup_(qn_freep) char *line = NULL;
        size_t cap = 0;
        ssize_t n;
        int status = 0;

        while ((n = getline(&line, &cap, stdin)) > 0) {
                int r = batch_line((struct qn_str){ line, (size_t)n - (line[n - 1] == '\n') }, &a,
                                   &out);

                if (r < 0)
                        return log_err(r, "semver: %s", strerror(-r));
                status |= r;
        }
        return status;
}

/* --- one question --- */

static int one_satisfies(const struct qn_args *args, unsigned flags, struct qn_arena *a)
{
        bool yes = satisfies(qn_str_c(args->argv[1]), qn_str_c(args->argv[2]), flags, a);

        puts(yes ? "true" : "false");
        return yes ? 0 : EXIT_NO;
}

static int one_compare(const struct qn_args *args, unsigned flags, struct qn_arena *a QN_UNUSED)
{
        struct qn_semver v[2];

        for (size_t i = 0; i < 2; i++)
                if (qn_semver_parse(qn_str_c(args->argv[i + 1]), flags, &v[i]) < 0)
                        return log_err(EXIT_USAGE, "\"%s\" is not a version", args->argv[i + 1]);
        printf("%d\n", sign(qn_semver_cmp(&v[0], &v[1])));
        return 0;
}

static int one_max(const struct qn_args *args, unsigned flags, struct qn_arena *a)
{
        size_t n = args->n - 2, at;
        struct qn_str *v = qn_arena_calloc(a, n, sizeof *v);
        struct qn_range *r;

        if (!v)
                return log_err(-ENOBUFS, "semver: too many versions");
        if (qn_range_parse(qn_str_c(args->argv[1]), flags, a, &r) < 0)
                return log_err(EXIT_USAGE, "\"%s\" is not a range", args->argv[1]);
        for (size_t i = 0; i < n; i++)
                v[i] = qn_str_c(args->argv[i + 2]);
        at = qn_range_max(r, v, n);
        if (at == SIZE_MAX)
                return EXIT_NO;
        puts(v[at].p);
        return 0;
}

static const struct {
        const char *name;
        size_t min, max;
        int (*run)(const struct qn_args *args, unsigned flags, struct qn_arena *a);
        const char *usage;
} questions[] = {
        { "satisfies", 3, 3, one_satisfies, "satisfies VERSION RANGE" },
        { "compare", 3, 3, one_compare, "compare VERSION VERSION" },
        { "max-satisfying", 3, SIZE_MAX, one_max, "max-satisfying RANGE VERSION..." },
};

int cmd_semver(const struct qn_args *args)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(QN_PKG_ARENA_MAX);
        unsigned flags = (qn_args_on(args, "loose") ? QN_SEMVER_LOOSE : 0) |
                         (qn_args_on(args, "include-prerelease") ? QN_SEMVER_PRERELEASE : 0);

        if (qn_args_on(args, "batch"))
                return args->n == 0 ? batch()
                                    : log_err(EXIT_USAGE, "semver --batch takes no arguments");
        for (size_t i = 0; args->n && i < QN_ARRAY_SIZE(questions); i++) {
                if (strcmp(args->argv[0], questions[i].name) != 0)
                        continue;
                if (args->n < questions[i].min || args->n > questions[i].max)
                        return log_err(EXIT_USAGE, "usage: qanat semver %s", questions[i].usage);
                return questions[i].run(args, flags, &a);
        }
        return log_err(EXIT_USAGE, "semver: satisfies, compare, max-satisfying or --batch is "
                                   "needed; see qanat help semver");
}
