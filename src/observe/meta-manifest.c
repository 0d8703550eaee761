/* Whether the document tells of another package.json than the one that is in the archive. */
#include "observe/meta-priv.h"
#include "parse/pkgjson.h"

const char *const qn_meta_hooks[QN_META_HOOKS] = { "preinstall", "install", "postinstall" };

struct qn_str qn_meta_script(const struct qn_pkgjson_pairs *all, const char *name)
{
        for (size_t i = 0; i < all->n; i++)
                if (qn_str_is(all->v[i].name, name))
                        return all->v[i].value;
        return (struct qn_str){ 0 };
}

static void differs(const struct qn_meta *m, const char *what, struct qn_str value)
{
        qn_meta_tell(m->s, "manifest-differs", what, "%.*s", QN_STR_ARG(value));
}

/* --- dependencies --- */

static bool is_installed(const struct qn_pkgjson_dep *d)
{
        return d->block == QN_DEP_PROD || d->block == QN_DEP_OPTIONAL;
}

/* The document may name an optional dependency in both blocks: one that asks for the same is enough. */
static const struct qn_pkgjson_dep *find_dependency(const struct qn_pkgjson *p,
                                                    const struct qn_pkgjson_dep *like)
{
        const struct qn_pkgjson_dep *named = NULL;

        for (size_t i = 0; i < p->n_deps; i++) {
                const struct qn_pkgjson_dep *d = &p->deps[i];

                if (!is_installed(d) || !qn_str_eq(d->name, like->name))
                        continue;
                if (!named || qn_str_eq(qn_str_trim(d->spec), qn_str_trim(like->spec)))
                        named = d;
        }
        return named;
}

/* The first dependency of a that b does not have. */
static void compare_names(const struct qn_meta *m, const struct qn_pkgjson *a,
                          const struct qn_pkgjson *b)
{
        for (size_t i = 0; i < a->n_deps; i++)
                if (is_installed(&a->deps[i]) && !find_dependency(b, &a->deps[i])) {
                        differs(m, "dependencies", a->deps[i].name);
                        return;
                }
}

/* The first dependency for which the two ask for other versions, or from elsewhere. */
static void compare_specs(const struct qn_meta *m, const struct qn_pkgjson *own,
                          const struct qn_pkgjson *told)
{
        for (size_t i = 0; i < own->n_deps; i++) {
                const struct qn_pkgjson_dep *a = &own->deps[i],
                                            *b = is_installed(a) ? find_dependency(told, a) : NULL;

                if (b && !qn_str_eq(qn_str_trim(a->spec), qn_str_trim(b->spec))) {
                        qn_meta_tell(m->s, "manifest-differs", "dependency-spec",
                                     "%.*s: %.*s in the archive, %.*s in the document",
                                     QN_STR_ARG(a->name), QN_STR_ARG(a->spec), QN_STR_ARG(b->spec));
                        return;
                }
        }
}

/* --- commands --- */

/* npm itself adds "node-gyp rebuild" for a binding.gyp. */
static bool is_implicit(const char *hook, struct qn_str command)
{
        return strcmp(hook, "install") == 0 && qn_str_is(command, "node-gyp rebuild");
}

static void compare_scripts(const struct qn_meta *m, const struct qn_pkgjson *own,
                            const struct qn_pkgjson *told)
{
        for (size_t i = 0; i < QN_META_HOOKS; i++) {
                struct qn_str a = qn_meta_script(&own->scripts, qn_meta_hooks[i]),
                              b = qn_meta_script(&told->scripts, qn_meta_hooks[i]);

                if (!qn_str_eq(a, b) && !(is_implicit(qn_meta_hooks[i], b) && !a.n))
                        differs(m, "scripts", a.n ? a : b);
        }
}

/* npm writes paths without "./" and "/" before them, and names without the directories before them. */
static struct qn_str plain_path(struct qn_str path)
{
        path = qn_str_trim(path);
        while (qn_str_starts(path, "./") || qn_str_starts(path, "/"))
                path = qn_str_skip(path, path.p[0] == '.' ? 2 : 1);
        return path;
}

static struct qn_str plain_name(struct qn_str name)
{
        ptrdiff_t slash;

        while ((slash = qn_str_chr(name, '/')) >= 0)
                name = qn_str_skip(name, (size_t)slash + 1);
        return name;
}

static bool has_bin(const struct qn_pkgjson *p, const struct qn_pkgjson_pair *like)
{
        for (size_t i = 0; i < p->bin.n; i++)
                if (qn_str_eq(plain_name(p->bin.v[i].name), plain_name(like->name)) &&
                    qn_str_eq(plain_path(p->bin.v[i].value), plain_path(like->value)))
                        return true;
        return false;
}

/* The first command of a that b does not have, or has with another file. */
static bool compare_bins(const struct qn_meta *m, const struct qn_pkgjson *a,
                         const struct qn_pkgjson *b)
{
        for (size_t i = 0; i < a->bin.n; i++)
                if (!has_bin(b, &a->bin.v[i])) {
                        qn_meta_tell(m->s, "manifest-differs", "bin", "%.*s: %.*s",
                                     QN_STR_ARG(a->bin.v[i].name), QN_STR_ARG(a->bin.v[i].value));
                        return true;
                }
        return false;
}

/* --- all of it --- */

static void compare_versions(const struct qn_meta *m, const struct qn_pkgjson *own)
{
        struct qn_str version = own->version.text;

        while (version.n && (version.p[0] == 'v' || version.p[0] == '=' || version.p[0] == ' '))
                version = qn_str_skip(version, 1);
        if (!qn_str_eq(version, m->now->version))
                differs(m, "version", own->version.text);
}

void qn_meta_manifest(const struct qn_meta *m)
{
        const struct qn_pkgjson *own = m->s->manifest;
        struct qn_pkgjson *told;

        compare_versions(m, own);
        if (qn_pkgjson_parse(qn_cur_str(m->now->raw), m->a, &told, NULL) < 0)
                return;
        compare_names(m, own, told);
        compare_names(m, told, own);
        compare_specs(m, own, told);
        /* npm lists the files of such a directory in the document. */
        if (!own->directories_bin.text.n && !compare_bins(m, own, told))
                compare_bins(m, told, own);
        if (!m->doc->abbreviated)
                compare_scripts(m, own, told);
}
