#include "parse/statement.h"

#include <errno.h>

#include "parse/json.h"

static const struct qn_node *get(const struct qn_node *n, const char *key)
{
        return qn_node_get(n, key);
}

static struct qn_str text(const struct qn_node *n, const char *key)
{
        return qn_node_text(get(n, key));
}

static const struct qn_node *first(const struct qn_node *list)
{
        return qn_node_is(list, QN_NODE_ARRAY) && list->n ? list->items[0] : NULL;
}

static void read_slsa_1(const struct qn_node *p, struct qn_statement *s)
{
        const struct qn_node *build = get(p, "buildDefinition"),
                             *workflow = get(get(build, "externalParameters"), "workflow");

        s->repository = text(workflow, "repository");
        s->ref = text(workflow, "ref");
        s->workflow = text(workflow, "path");
        s->commit = text(get(first(get(build, "resolvedDependencies")), "digest"), "gitCommit");
        s->builder = text(get(get(p, "runDetails"), "builder"), "id");
}

/* configSource.uri: git+https://github.com/owner/name@refs/heads/main */
static void read_slsa_0(const struct qn_node *p, struct qn_statement *s)
{
        const struct qn_node *source = get(get(p, "invocation"), "configSource");
        struct qn_str uri = text(source, "uri");
        ptrdiff_t at = qn_str_rchr(uri, '@');

        if (qn_str_starts(uri, "git+"))
                uri = qn_str_skip(uri, 4);
        at = qn_str_rchr(uri, '@');
        if (at >= 0)
                s->ref = qn_str_skip(uri, (size_t)at + 1);
        s->repository = at >= 0 ? qn_str_take(uri, (size_t)at) : uri;
        s->workflow = text(source, "entryPoint");
        s->commit = text(get(source, "digest"), "sha1");
        s->builder = text(get(p, "builder"), "id");
}

static int read_subjects(const struct qn_node *list, struct qn_statement *s, struct qn_err *reterr)
{
        if (!qn_node_is(list, QN_NODE_ARRAY) || !list->n)
                return qn_fail(reterr, -EINVAL, 0, "the statement has no subject");
        if (list->n > QN_STATEMENT_SUBJECTS_MAX)
                return qn_fail(reterr, -EFBIG, 0, "the statement has too many subjects");
        for (size_t i = 0; i < list->n; i++)
                s->subjects[s->n++] =
                        (struct qn_subject){ text(list->items[i], "name"),
                                             text(get(list->items[i], "digest"), "sha512") };
        return 0;
}

int qn_statement_read(struct qn_cur in, struct qn_arena *a, struct qn_statement *ret,
                      struct qn_err *reterr)
{
        struct qn_statement s = { 0 };
        struct qn_node *root = NULL;
        int r = qn_json_parse(in, a, &root, reterr);

        if (r < 0)
                return r;
        if (!qn_str_starts(text(root, "_type"), "https://in-toto.io/Statement/v"))
                return qn_fail(reterr, -EINVAL, 0, "this is not an in-toto statement");
        s.predicate = text(root, "predicateType");
        if (qn_str_is(s.predicate, "https://slsa.dev/provenance/v1"))
                read_slsa_1(get(root, "predicate"), &s);
        else if (qn_str_is(s.predicate, "https://slsa.dev/provenance/v0.2"))
                read_slsa_0(get(root, "predicate"), &s);
        r = read_subjects(get(root, "subject"), &s, reterr);
        if (r == 0)
                *ret = s;
        return r;
}

/* The scope's at sign is percent-encoded in a package URL, but not by everybody. */
bool qn_purl_is(struct qn_str purl, struct qn_str name, struct qn_str version)
{
        ptrdiff_t at;

        if (!qn_str_starts(purl, "pkg:npm/"))
                return false;
        purl = qn_str_skip(purl, strlen("pkg:npm/"));
        if (qn_str_starts(purl, "%40") && qn_str_starts(name, "@")) {
                purl = qn_str_skip(purl, 3);
                name = qn_str_skip(name, 1);
        }
        at = qn_str_rchr(purl, '@');
        return at > 0 && qn_str_eq(qn_str_take(purl, (size_t)at), name) &&
               qn_str_eq(qn_str_skip(purl, (size_t)at + 1), version);
}
