/* First line: letters (s short form, m message, n names the version "1.0.0" alone, t the tags alone), then blocked versions,
 * each after a blank; the rest: a document.  What comes out is JSON in which nothing that is blocked is left and no address but
 * the gate's, and which stays as it is when it is rewritten again. */
#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "parse/json.h"
#include "parse/packument-rewrite.h"

#define BLOCKED_MAX 64
#define BASE        "https://gate.example"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool contract)
{
        if (!contract)
                abort();
}

static int to_buf(void *ctx, const void *p, size_t n)
{
        return qn_buf_add(ctx, p, n);
}

static int cmp_blocked(const void *a, const void *b)
{
        const struct qn_packument_blocked *x = a, *y = b;

        return qn_str_cmp(x->version, y->version);
}

/* Sorted, none twice. */
static size_t read_blocked(struct qn_str text, struct qn_packument_blocked *list)
{
        size_t n = 0, kept = 0;

        while (text.n && n < BLOCKED_MAX)
                list[n++] = (struct qn_packument_blocked){ qn_str_cut(&text, ' '), text };
        qsort(list, n, sizeof *list, cmp_blocked);
        for (size_t i = 0; i < n; i++)
                if (!kept || cmp_blocked(&list[kept - 1], &list[i]) != 0)
                        list[kept++] = list[i];
        return kept;
}

static bool is_blocked(const struct qn_packument_rewrite *w, struct qn_str version)
{
        for (size_t i = 0; i < w->n_blocked; i++)
                if (qn_str_eq(w->blocked[i].version, version))
                        return true;
        return false;
}

static void check_version(const struct qn_packument_rewrite *w, struct qn_str key,
                          const struct qn_node *v)
{
        struct qn_str tarball = qn_node_text(qn_node_get(qn_node_get(v, "dist"), "tarball"));

        check(!is_blocked(w, key));
        check(qn_str_eq(qn_node_text(qn_node_get(v, "name")), w->name));
        check(qn_str_eq(qn_node_text(qn_node_get(v, "version")), key));
        check(qn_str_starts(tarball, BASE "/") && qn_str_ends(tarball, ".tgz"));
}

static void check_tags(const struct qn_packument_rewrite *w, const struct qn_node *tags,
                       const struct qn_node *versions)
{
        for (size_t i = 0; tags && i < tags->n; i++) {
                struct qn_str target = qn_node_text(tags->items[i]);

                check(target.n && !is_blocked(w, target));
                check(!versions || qn_node_get_str(versions, target));
        }
}

static void check_document(const struct qn_packument_rewrite *w, const struct qn_node *root)
{
        const struct qn_node *versions = qn_node_get(root, "versions"),
                             *time = qn_node_get(root, "time"),
                             *policy = qn_node_get(qn_node_get(root, "policyRestrictions"),
                                                   "versions");

        check(!root->duplicate && !qn_node_get(root, "stagedVersions"));
        check_tags(w, qn_node_get(root, "dist-tags"), versions);
        for (size_t i = 0; versions && i < versions->n; i++)
                check_version(w, versions->keys[i], versions->items[i]);
        for (size_t i = 0; time && i < time->n; i++)
                check(!is_blocked(w, time->keys[i]));
        for (size_t i = 0; policy && i < policy->n; i++)
                check(!qn_node_get(policy->items[i], "dist"));
}

static void check_stable(const struct qn_packument_rewrite *w, struct qn_str out,
                         struct qn_arena *a)
{
        _cleanup_(qn_buf_done) struct qn_buf again = QN_BUF_INIT((size_t)64 << 20);
        struct qn_packument_rewrite none = *w;

        none.n_blocked = 0;
        none.message = QN_STR("");
        check(qn_packument_rewrite(qn_cur_str(out), &none, a, to_buf, &again, NULL) == 0);
        check(qn_str_eq(qn_buf_view(&again), out));
}

static void check_facts(struct qn_cur in, struct qn_str name, int code, struct qn_arena *a)
{
        struct qn_packument_facts f = { .n = 0 };
        int r = qn_packument_facts(in, name, a, &f, NULL);

        check(r == -ENOBUFS || code == -ENOBUFS || (r < 0) == (code < 0));
        for (size_t i = 1; i < f.n; i++)
                check(qn_packument_fact_cmp(&f.versions[i - 1], &f.versions[i]) < 0);
}

static void check_output(const struct qn_packument_rewrite *w, struct qn_str out,
                         struct qn_arena *a)
{
        struct qn_node *root = NULL;

        check(qn_json_parse(qn_cur_str(out), a, &root, NULL) == 0);
        if (w->tags_only) {
                check_tags(w, root, NULL);
        } else if (w->only.n) {
                check_version(w, qn_node_text(qn_node_get(root, "version")), root);
        } else {
                check_document(w, root);
                check_stable(w, out, a);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)256 << 20);
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT((size_t)64 << 20);
        struct qn_str doc = { (const char *)data, size }, line = qn_str_cut(&doc, '\n'),
                      how = qn_str_cut(&line, ' ');
        struct qn_packument_blocked blocked[BLOCKED_MAX];
        struct qn_packument_rewrite w = { .base = QN_STR(BASE),
                                          .abbreviated = qn_str_chr(how, 's') >= 0,
                                          .tags_only = qn_str_chr(how, 't') >= 0,
                                          .blocked = blocked,
                                          .n_blocked = read_blocked(line, blocked) };
        struct qn_node *root = NULL;
        int r;

        if (qn_str_chr(how, 'n') >= 0)
                w.only = QN_STR("1.0.0");
        if (qn_str_chr(how, 'm') >= 0)
                w.message = line;
        w.name = QN_STR("p");
        if (qn_json_parse(qn_cur_str(doc), &a, &root, NULL) == 0 &&
            qn_node_text(qn_node_get(root, "name")).n)
                w.name = qn_node_text(qn_node_get(root, "name"));
        if (w.name.n > 512)
                return 0;
        r = qn_packument_rewrite(qn_cur_str(doc), &w, &a, to_buf, &out, NULL);
        if (r == 0)
                check_output(&w, qn_buf_view(&out), &a);
        if (r != -ENOENT && r != -EACCES)
                check_facts(qn_cur_str(doc), w.name, r, &a);
        return 0;
}
