/* bom-pnpm.c - pnpm-lock.yaml, lockfileVersion 5 to 9.
 *
 *      5   packages: /name/1.0.0_peers        6   packages: /name@1.0.0(peers)
 *      9   packages: name@1.0.0   and   snapshots: name@1.0.0(peers), which say who needs whom
 *
 * A dependency's version is the key without its name, or the whole key, or "link:…". */
#include <errno.h>

#include "parse/bom-priv.h"
#include "parse/yaml.h"

struct reader {
        struct qn_bom *b;
        struct qn_arena *a;
        struct qn_err *err;
        struct qn_map keys;      /* of packages, or of snapshots → item */
        struct qn_map importers; /* directory → item */
        struct qn_map packages;  /* version 9: key → index of its entry */
        struct qn_bom_project project;
        unsigned major;
};

static const struct {
        const char *key;
        enum qn_bom_need need;
} blocks[] = {
        { "dependencies", QN_BOM_PROD },
        { "devDependencies", QN_BOM_DEV },
        { "optionalDependencies", QN_BOM_OPTIONAL },
};

/* --- keys --- */

static struct qn_str cut_at_any(struct qn_str s, const char *set)
{
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] && strchr(set, s.p[i]))
                        return qn_str_take(s, i);
        return s;
}

/* "/@s/a/1.0.0_b@2.0.0" */
static void split_old(struct qn_str key, struct qn_str *ret_name, struct qn_str *ret_version)
{
        struct qn_str s = qn_str_skip(key, 1);
        size_t scope = 0;
        ptrdiff_t slash;

        if (s.n && s.p[0] == '@')
                scope = (size_t)(qn_str_chr(s, '/') + 1);
        slash = qn_str_chr(qn_str_skip(s, scope), '/');
        if (slash < 0)
                return;
        *ret_name = qn_str_take(s, scope + (size_t)slash);
        *ret_version = cut_at_any(qn_str_skip(s, scope + (size_t)slash + 1), "_/(");
}

static void split_key(const struct reader *rd, struct qn_str key, struct qn_bom_item *item)
{
        struct qn_str rest = { NULL, 0 };

        if (rd->major < 6) {
                if (qn_str_starts(key, "/"))
                        split_old(key, &item->name, &item->version);
                else
                        item->resolved = key;
                return;
        }
        if (qn_str_starts(key, "/"))
                key = qn_str_skip(key, 1);
        if (qn_bom_split(key, &item->name, &rest))
                item->version = cut_at_any(rest, "(");
}

/* --- packages --- */

/* The text of a scalar, whatever YAML takes it for: version 1.0 is no number. */
static struct qn_str scalar(const struct qn_node *n)
{
        return n && n->type < QN_NODE_ARRAY ? n->text : (struct qn_str){ NULL, 0 };
}

/* "git+https://…#commit", as npm writes it. */
static struct qn_str repository(const struct qn_node *res, struct qn_arena *a)
{
        struct qn_str repo = qn_node_text(qn_node_get(res, "repo"));
        struct qn_str commit = scalar(qn_node_get(res, "commit"));

        if (qn_str_find(repo, QN_STR("://")) >= 0 && !qn_str_starts(repo, "git"))
                repo = qn_bom_join(a, QN_STR("git+"), repo, QN_STR(""));
        return commit.n ? qn_bom_join(a, repo, QN_STR("#"), commit) : repo;
}

static void take_resolution(const struct qn_node *res, struct qn_arena *a, struct qn_bom_item *item)
{
        struct qn_str type = qn_node_text(qn_node_get(res, "type"));
        struct qn_str tarball = qn_node_text(qn_node_get(res, "tarball"));

        item->integrity = qn_node_text(qn_node_get(res, "integrity"));
        if (tarball.p)
                item->resolved = tarball;
        if (qn_str_is(type, "git")) {
                item->origin = QN_BOM_FROM_GIT;
                item->resolved = repository(res, a);
        } else if (qn_str_is(type, "directory")) {
                item->origin = QN_BOM_FROM_FILE;
                item->resolved = qn_node_text(qn_node_get(res, "directory"));
        } else if (qn_str_starts(tarball, "file:")) {
                item->origin = QN_BOM_FROM_FILE;
        } else if (qn_str_find(tarball, QN_STR("://codeload.github.com/")) >= 0 ||
                   qn_node_bool(qn_node_get(res, "gitHosted"), false)) {
                item->origin = QN_BOM_FROM_GIT;
        } else if (!item->integrity.p && tarball.p) {
                item->origin = QN_BOM_FROM_URL;
        }
}

static void fill(struct reader *rd, struct qn_str key, const struct qn_node *entry,
                 struct qn_bom_item *item)
{
        struct qn_str name = scalar(qn_node_get(entry, "name"));
        struct qn_str version = scalar(qn_node_get(entry, "version")), rest;

        *item = (struct qn_bom_item){ .path = key };
        split_key(rd, key, item);
        take_resolution(qn_node_get(entry, "resolution"), rd->a, item);
        if (item->origin == QN_BOM_FROM_REGISTRY)
                item->origin = qn_bom_origin_of(item->version);
        if (item->origin != QN_BOM_FROM_REGISTRY && qn_bom_split(key, &rest, &rest) &&
            rd->major >= 6) {
                if (!item->resolved.p)
                        item->resolved = item->version;
                item->version = (struct qn_str){ NULL, 0 };
        }
        if (name.p)
                item->name = name;
        if (version.p)
                item->version = version;
        if (!item->name.n)
                item->name = key;
        if (qn_str_find(key, QN_STR("(patch_hash=")) >= 0 ||
            qn_node_bool(qn_node_get(entry, "patched"), false))
                item->origin = QN_BOM_FROM_PATCH;
        item->scripts = qn_node_bool(qn_node_get(entry, "requiresBuild"), false);
}

static int add_package(struct reader *rd, struct qn_str key, const struct qn_node *entry)
{
        struct qn_bom_item item;
        uint32_t at;
        int r;

        fill(rd, key, entry, &item);
        r = qn_bom_add(rd->b, &item, &at, rd->err);
        if (r == 0 && qn_map_add(&rd->keys, rd->a, key, at, NULL) < 0)
                r = qn_bom_no_memory(rd->err);
        return r;
}

/* --- importers --- */

static int add_importer(struct reader *rd, struct qn_str dir)
{
        const struct qn_pkgjson *pkg =
                qn_bom_package_at(&rd->project, qn_str_is(dir, ".") ? QN_STR("") : dir);
        struct qn_bom_item item = { .name = dir, .path = dir, .origin = QN_BOM_FROM_WORKSPACE };
        uint32_t at = QN_BOM_ROOT;
        int r = 0;

        if (pkg && pkg->name.text.n)
                item.name = pkg->name.text;
        if (pkg)
                item.version = pkg->version.text;
        if (!qn_str_is(dir, ".")) {
                r = qn_bom_add(rd->b, &item, &at, rd->err);
                if (r == 0)
                        r = qn_bom_need(rd->b, QN_BOM_ROOT, at, QN_BOM_PROD, rd->err);
        } else if (pkg) {
                rd->b->name = pkg->name.text;
                rd->b->version = pkg->version.text;
        }
        if (r == 0 && qn_map_add(&rd->importers, rd->a, dir, at, NULL) < 0)
                r = qn_bom_no_memory(rd->err);
        return r;
}

/* --- who needs whom --- */

static int find_link(struct reader *rd, struct qn_str dir, struct qn_str name, struct qn_str to,
                     uint32_t *ret)
{
        struct qn_bom_item item = { .name = name,
                                    .origin = QN_BOM_FROM_LINK,
                                    .resolved = qn_str_skip(to, strlen("link:")) };
        struct qn_str path =
                qn_bom_path(rd->a, qn_str_is(dir, ".") ? QN_STR("") : dir, item.resolved);

        if (!path.p)
                return qn_bom_no_memory(rd->err);
        *ret = qn_map_get(&rd->importers, path);
        if (*ret == QN_MAP_NONE)
                *ret = qn_map_get(&rd->keys, qn_bom_join(rd->a, QN_STR("link:"), path, QN_STR("")));
        if (*ret != QN_MAP_NONE)
                return 0;
        item.path = qn_bom_join(rd->a, QN_STR("link:"), path, QN_STR(""));
        if (!item.path.p || qn_map_add(&rd->keys, rd->a, item.path, (uint32_t)rd->b->n, NULL) < 0)
                return qn_bom_no_memory(rd->err);
        return qn_bom_add(rd->b, &item, ret, rd->err);
}

static int find(struct reader *rd, struct qn_str dir, struct qn_str name, struct qn_str version,
                uint32_t *ret)
{
        struct qn_str slash = QN_STR("/"), key;

        if (qn_str_starts(version, "link:"))
                return find_link(rd, dir, name, version, ret);
        if (rd->major < 6)
                key = qn_bom_join(rd->a, slash, name, slash);
        else
                key = qn_bom_join(rd->a, rd->major < 9 ? slash : QN_STR(""), name, QN_STR("@"));
        key = key.p ? qn_bom_join(rd->a, key, version, QN_STR("")) : key;
        if (!key.p)
                return qn_bom_no_memory(rd->err);
        *ret = qn_map_get(&rd->keys, key);
        if (*ret == QN_MAP_NONE)
                *ret = qn_map_get(&rd->keys, version);
        return 0;
}

static void note_alias(struct reader *rd, uint32_t to, struct qn_str name)
{
        struct qn_bom_item *item = &rd->b->items[to];

        if (item->origin != QN_BOM_FROM_WORKSPACE && !item->alias.p && !qn_str_eq(item->name, name))
                item->alias = name;
}

/* dir: the importer's directory, or "" inside packages. */
static int connect(struct reader *rd, uint32_t of, struct qn_str dir, const struct qn_node *entry)
{
        int r = 0;

        for (size_t k = 0; k < QN_ARRAY_SIZE(blocks); k++) {
                const struct qn_node *deps = qn_node_get(entry, blocks[k].key);

                if (!qn_node_is(deps, QN_NODE_OBJECT))
                        continue;
                for (size_t i = 0; r == 0 && i < deps->n; i++) {
                        const struct qn_node *v = deps->items[i];
                        struct qn_str version = scalar(v);
                        uint32_t to = QN_MAP_NONE;

                        if (qn_node_is(v, QN_NODE_OBJECT))
                                version = scalar(qn_node_get(v, "version"));
                        r = find(rd, dir, deps->keys[i], version, &to);
                        if (r < 0 || to == QN_MAP_NONE || to == QN_BOM_ROOT)
                                continue;
                        note_alias(rd, to, deps->keys[i]);
                        r = qn_bom_need(rd->b, of, to, blocks[k].need, rd->err);
                }
        }
        return r;
}

/* --- the document --- */

static int add_packages(struct reader *rd, const struct qn_node *packages,
                        const struct qn_node *snapshots)
{
        int r = 0;

        if (!qn_node_is(snapshots, QN_NODE_OBJECT)) {
                for (size_t i = 0; r == 0 && packages && i < packages->n; i++)
                        r = add_package(rd, packages->keys[i], packages->items[i]);
                return r;
        }
        for (size_t i = 0; r == 0 && packages && i < packages->n; i++)
                if (qn_map_add(&rd->packages, rd->a, packages->keys[i], (uint32_t)i, NULL) < 0)
                        r = qn_bom_no_memory(rd->err);
        for (size_t i = 0; r == 0 && i < snapshots->n; i++) {
                uint32_t at = qn_map_get(&rd->packages, cut_at_any(snapshots->keys[i], "("));

                r = add_package(rd, snapshots->keys[i],
                                at == QN_MAP_NONE ? NULL : packages->items[at]);
        }
        return r;
}

static int connect_all(struct reader *rd, const struct qn_node *doc, const struct qn_node *entries)
{
        const struct qn_node *importers = qn_node_get(doc, "importers");
        int r = 0;

        if (!qn_node_is(importers, QN_NODE_OBJECT))
                r = connect(rd, QN_BOM_ROOT, QN_STR("."), doc);
        else
                for (size_t i = 0; r == 0 && i < importers->n; i++)
                        r = connect(rd, qn_map_get(&rd->importers, importers->keys[i]),
                                    importers->keys[i], importers->items[i]);
        for (size_t i = 0; r == 0 && entries && i < entries->n; i++)
                r = connect(rd, qn_map_get(&rd->keys, entries->keys[i]), QN_STR(""),
                            entries->items[i]);
        return r == 0 ? qn_bom_settle(rd->b, true, rd->err) : r;
}

static int read_document(struct reader *rd, const struct qn_node *doc)
{
        const struct qn_node *packages = qn_node_get(doc, "packages");
        const struct qn_node *snapshots = qn_node_get(doc, "snapshots");
        const struct qn_node *importers = qn_node_get(doc, "importers");
        int r = 0;

        if (!qn_node_is(packages, QN_NODE_OBJECT))
                packages = NULL;
        if (!qn_node_is(snapshots, QN_NODE_OBJECT))
                snapshots = NULL;
        if (qn_node_is(importers, QN_NODE_OBJECT))
                for (size_t i = 0; r == 0 && i < importers->n; i++)
                        r = add_importer(rd, importers->keys[i]);
        else
                r = add_importer(rd, QN_STR("."));
        if (r == 0)
                r = add_packages(rd, packages, snapshots);
        return r == 0 ? connect_all(rd, doc, snapshots ? snapshots : packages) : r;
}

/* "5.4", 5.3 or '9.0' */
static int take_version(struct reader *rd, const struct qn_node *doc)
{
        struct qn_str v = scalar(qn_node_get(doc, "lockfileVersion")), major = v;
        uint64_t n;

        if (!v.p)
                return qn_fail(rd->err, -EINVAL, 0,
                               "not a lock file of pnpm: it has no lockfileVersion");
        major = cut_at_any(v, ".-");
        if (qn_str_u64(major, &n) < 0 || n < 5 || n > 9)
                return qn_fail(rd->err, -ENOTSUP, 0,
                               "lockfileVersion %.*s of pnpm is not known (5 to 9 are)",
                               QN_STR_ARG(qn_str_take(v, 20)));
        rd->major = (unsigned)n;
        rd->b->format = v;
        return 0;
}

/* pnpm may put a document about itself before the project's. */
static struct qn_cur last_document(struct qn_cur in)
{
        static const struct qn_str mark = QN_STR("\n---\n");
        struct qn_str s = qn_cur_rest(&in);
        ptrdiff_t at;

        while ((at = qn_str_find(s, mark)) >= 0)
                s = qn_str_skip(s, (size_t)at + mark.n);
        return qn_cur_str(s);
}

int qn_bom_read_pnpm(const struct qn_bom_in *in, struct qn_arena *a, struct qn_bom **ret,
                     struct qn_err *reterr)
{
        struct reader rd = { .a = a, .err = reterr };
        struct qn_node *doc;
        int r = qn_yaml_parse(last_document(in->doc), a, &doc, reterr);

        if (r == 0)
                r = qn_bom_new(a, QN_BOM_PNPM, &rd.b, reterr);
        if (r == 0)
                r = take_version(&rd, doc);
        if (r == 0)
                r = qn_bom_packages(in->beside, a, &rd.project, reterr);
        if (r == 0)
                r = read_document(&rd, doc);
        if (r == 0)
                *ret = rd.b;
        return r;
}
