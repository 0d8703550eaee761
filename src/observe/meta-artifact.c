/* What the document says of the artifact: hooks, sizes and commits beside those of the version before, and whether it tells
 * of another package.json than the one that is in the archive. */
#include "observe/meta-priv.h"
#include "parse/pkgjson.h"

#define JUMP_BYTES  UINT64_C(300000)
#define JUMP_TIMES  3u
#define COMMITS_MIN 3u /* earlier versions that all name their commit make a habit */

static const char *const hooks[] = { "preinstall", "install", "postinstall" };

static struct qn_str script(const struct qn_pkgjson_pairs *all, const char *name)
{
        for (size_t i = 0; i < all->n; i++)
                if (qn_str_is(all->v[i].name, name))
                        return all->v[i].value;
        return (struct qn_str){ 0 };
}

static void tell_hooks(const struct qn_meta *m)
{
        if (m->doc->abbreviated) { /* it does not list scripts */
                if (m->now->has_install_script && !m->before->has_install_script)
                        qn_meta_tell(m->s, "hook-added", "added", "install script");
                return;
        }
        for (size_t i = 0; i < QN_ARRAY_SIZE(hooks); i++) {
                struct qn_str now = script(&m->now->scripts, hooks[i]),
                              before = script(&m->before->scripts, hooks[i]);

                if (now.n && !qn_str_eq(now, before))
                        qn_meta_tell(m->s, "hook-added", before.n ? "changed" : "added", "%s: %.*s",
                                     hooks[i], QN_STR_ARG(now));
        }
}

static void tell_growth(const struct qn_meta *m)
{
        uint64_t now = m->now->unpacked_size, before = m->before->unpacked_size;

        if (now == UINT64_MAX || before == UINT64_MAX || now < before)
                return;
        if (now - before >= JUMP_BYTES && now / JUMP_TIMES >= before)
                qn_meta_tell(m->s, "size-jump", "", "%llu bytes, before: %llu",
                             (unsigned long long)now, (unsigned long long)before);
}

static void tell_commit(const struct qn_meta *m)
{
        size_t n = QN_MIN(m->earlier.n, (size_t)COMMITS_MIN);

        if (m->now->git_head.n || m->doc->abbreviated || m->earlier.n < COMMITS_MIN)
                return;
        for (size_t i = 0; i < n; i++)
                if (!m->earlier.list[i]->git_head.n)
                        return;
        qn_meta_tell(m->s, "commit-lost", "", "%.*s", QN_STR_ARG(m->now->version));
}

/* --- the archive's package.json beside the document's --- */

static void differs(const struct qn_meta *m, const char *what, struct qn_str value)
{
        qn_meta_tell(m->s, "manifest-differs", what, "%.*s", QN_STR_ARG(value));
}

static bool is_installed(const struct qn_pkgjson_dep *d)
{
        return d->block == QN_DEP_PROD || d->block == QN_DEP_OPTIONAL;
}

static bool has_dependency(const struct qn_pkgjson *p, struct qn_str name)
{
        for (size_t i = 0; i < p->n_deps; i++)
                if (is_installed(&p->deps[i]) && qn_str_eq(p->deps[i].name, name))
                        return true;
        return false;
}

/* The first dependency of a that b does not have. */
static void compare_dependencies(const struct qn_meta *m, const struct qn_pkgjson *a,
                                 const struct qn_pkgjson *b)
{
        for (size_t i = 0; i < a->n_deps; i++)
                if (is_installed(&a->deps[i]) && !has_dependency(b, a->deps[i].name)) {
                        differs(m, "dependencies", a->deps[i].name);
                        return;
                }
}

/* npm itself adds "node-gyp rebuild" for a binding.gyp. */
static bool is_implicit(const char *hook, struct qn_str command)
{
        return strcmp(hook, "install") == 0 && qn_str_is(command, "node-gyp rebuild");
}

static void compare_scripts(const struct qn_meta *m, const struct qn_pkgjson *own,
                            const struct qn_pkgjson *told)
{
        for (size_t i = 0; i < QN_ARRAY_SIZE(hooks); i++) {
                struct qn_str a = script(&own->scripts, hooks[i]),
                              b = script(&told->scripts, hooks[i]);

                if (!qn_str_eq(a, b) && !(is_implicit(hooks[i], b) && !a.n))
                        differs(m, "scripts", a.n ? a : b);
        }
}

static void compare_manifests(const struct qn_meta *m)
{
        const struct qn_pkgjson *own = m->s->manifest;
        struct qn_str version = own->version.text;
        struct qn_pkgjson *told;

        while (version.n && (version.p[0] == 'v' || version.p[0] == '=' || version.p[0] == ' '))
                version = qn_str_skip(version, 1);
        if (!qn_str_eq(version, m->now->version))
                differs(m, "version", own->version.text);
        if (qn_pkgjson_parse(qn_cur_str(m->now->raw), m->a, &told, NULL) < 0)
                return;
        compare_dependencies(m, own, told);
        compare_dependencies(m, told, own);
        if (!m->doc->abbreviated)
                compare_scripts(m, own, told);
}

void qn_meta_artifact(const struct qn_meta *m)
{
        if (m->now->deprecated.n)
                qn_meta_tell(m->s, "deprecated", "", "%.*s", QN_STR_ARG(m->now->deprecated));
        compare_manifests(m);
        if (!m->before)
                return;
        tell_hooks(m);
        tell_growth(m);
        tell_commit(m);
}
