#include <errno.h>

#include "parse/bom-priv.h"
#include "parse/files.h"

/* The directory of ".../package.json"; p NULL for other files. */
static struct qn_str dir_of(struct qn_str path)
{
        static const struct qn_str base = QN_STR("package.json");

        if (!qn_str_ends(path, base.p))
                return (struct qn_str){ NULL, 0 };
        if (path.n == base.n)
                return QN_STR("");
        if (path.p[path.n - base.n - 1] != '/')
                return (struct qn_str){ NULL, 0 };
        return qn_str_take(path, path.n - base.n - 1);
}

static int add_file(const struct qn_files_entry *e, struct qn_arena *a, struct qn_bom_project *p,
                    size_t *cap)
{
        struct qn_bom_member m = { .dir = dir_of(e->path), .item = QN_BOM_ROOT };
        struct qn_pkgjson *pkg;
        int r;

        if (e->kind != QN_FILES_FILE || !m.dir.p)
                return 0;
        r = qn_pkgjson_parse(e->content, a, &pkg, NULL);
        if (r < 0)
                return r == -ENOBUFS ? r : 0;
        if (QN_ARENA_ROOM(a, p->members, p->n, *cap) < 0)
                return -ENOBUFS;
        m.pkg = pkg;
        p->members[p->n++] = m;
        return 0;
}

static struct qn_str bare(struct qn_str glob)
{
        if (qn_str_starts(glob, "./"))
                glob = qn_str_skip(glob, 2);
        while (glob.n && glob.p[glob.n - 1] == '/')
                glob.n--;
        return glob;
}

/* A star stands for one directory, as npm and yarn read it, two for any number. */
static bool matches(struct qn_str dir, struct qn_str glob)
{
        struct qn_str plain = glob;
        size_t slashes[2] = { 0 };

        if (qn_str_find(glob, QN_STR("**")) >= 0) {
                ptrdiff_t at = qn_str_find(glob, QN_STR("/**"));

                plain.n = at < 0 ? 0 : (size_t)at;
                return (!plain.n || (dir.n > plain.n && dir.p[plain.n] == '/' &&
                                     qn_str_eq(qn_str_take(dir, plain.n), plain)));
        }
        for (size_t i = 0; i < dir.n; i++)
                slashes[0] += dir.p[i] == '/';
        for (size_t i = 0; i < glob.n; i++)
                slashes[1] += glob.p[i] == '/';
        return slashes[0] == slashes[1] && qn_str_glob(dir, glob);
}

bool qn_bom_is_workspace(const struct qn_pkgjson *root, struct qn_str dir)
{
        bool found = false;

        for (size_t i = 0; i < root->workspaces.n; i++) {
                struct qn_str glob = root->workspaces.v[i].text;

                if (qn_str_starts(glob, "!"))
                        found = found && !matches(dir, bare(qn_str_skip(glob, 1)));
                else
                        found = found || matches(dir, bare(glob));
        }
        return found;
}

/* The project first, then its workspaces; other packages that lie around are not its business. */
static void keep_members(struct qn_bom_project *p)
{
        const struct qn_pkgjson *root = NULL;
        size_t n = 0;

        for (size_t i = 0; i < p->n; i++) {
                struct qn_bom_member m = p->members[i];

                if (m.dir.n)
                        continue;
                p->members[i] = p->members[0];
                p->members[0] = m;
                root = m.pkg;
        }
        for (size_t i = 0; i < p->n; i++)
                if ((root && i == 0) || (root && qn_bom_is_workspace(root, p->members[i].dir)))
                        p->members[n++] = p->members[i];
        p->n = n;
}

int qn_bom_packages(struct qn_cur beside, struct qn_arena *a, struct qn_bom_project *ret,
                    struct qn_err *reterr)
{
        struct qn_bom_project p = { .n = 0 };
        struct qn_files_entry e;
        size_t cap = 0;
        int r;

        while ((r = qn_files_next(&beside, &e)) == 1) {
                r = add_file(&e, a, &p, &cap);
                if (r < 0)
                        return qn_bom_no_memory(reterr);
        }
        if (r < 0)
                return qn_fail(reterr, r, 0, "the files of the project are cut short");
        *ret = p;
        return 0;
}

int qn_bom_project(struct qn_cur beside, struct qn_arena *a, struct qn_bom_project *ret,
                   struct qn_err *reterr)
{
        int r = qn_bom_packages(beside, a, ret, reterr);

        if (r == 0)
                keep_members(ret);
        return r;
}

const struct qn_pkgjson *qn_bom_package_at(const struct qn_bom_project *p, struct qn_str dir)
{
        for (size_t i = 0; i < p->n; i++)
                if (qn_str_eq(p->members[i].dir, dir))
                        return p->members[i].pkg;
        return NULL;
}

int qn_bom_add_members(struct qn_bom *b, struct qn_bom_project *p, struct qn_err *reterr)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < p->n; i++) {
                struct qn_bom_member *m = &p->members[i];
                struct qn_bom_item item = { .name = m->pkg->name.text,
                                            .version = m->pkg->version.text,
                                            .path = m->dir,
                                            .origin = QN_BOM_FROM_WORKSPACE };

                if (!m->dir.n) {
                        b->name = item.name;
                        b->version = item.version;
                        continue;
                }
                if (!item.name.n)
                        item.name = m->dir;
                r = qn_bom_add(b, &item, &m->item, reterr);
                if (r == 0)
                        r = qn_bom_need(b, QN_BOM_ROOT, m->item, QN_BOM_PROD, reterr);
        }
        return r;
}

enum qn_bom_need qn_bom_need_of(const struct qn_pkgjson_dep *d)
{
        static const enum qn_bom_need needs[] = {
                [QN_DEP_PROD] = QN_BOM_PROD,
                [QN_DEP_DEV] = QN_BOM_DEV,
                [QN_DEP_PEER] = QN_BOM_PEER,
                [QN_DEP_OPTIONAL] = QN_BOM_OPTIONAL,
        };

        return d->block == QN_DEP_PEER && d->optional ? QN_BOM_PEER_OPTIONAL : needs[d->block];
}
