#include "net/cache-bom.h"

#include <errno.h>

#include "base/hash.h"
#include "base/limits.h"
#include "net/cacache.h"
#include "parse/bom-priv.h"
#include "parse/files.h"
#include "parse/json.h"
#include "parse/lock-kind.h"

struct reader {
        struct qn_bom *b;
        struct qn_arena *a;
        struct qn_err *err;
        struct qn_map seen; /* "name\0version\0integrity" */
};

static int add(struct reader *rd, struct qn_bom_item *item)
{
        struct qn_str key = qn_bom_join(rd->a, item->name, QN_STR("\0"), item->version);
        int r;

        key = key.p ? qn_bom_join(rd->a, key, QN_STR("\0"), item->integrity) : key;
        if (!key.p)
                return qn_bom_no_memory(rd->err);
        if (!item->name.n || !qn_lock_name_ok(item->name))
                return 0;
        r = qn_map_add(&rd->seen, rd->a, key, 0, NULL);
        if (r)
                return r < 0 ? qn_bom_no_memory(rd->err) : 0;
        return qn_bom_add(rd->b, item, NULL, rd->err);
}

static struct qn_str base_name(struct qn_str path)
{
        ptrdiff_t slash = qn_str_rchr(path, '/');

        return slash < 0 ? path : qn_str_skip(path, (size_t)slash + 1);
}

/* --- npm --- */

/* "https://host/@s%2fa/-/a-1.0.0.tgz" → @s/a, 1.0.0 */
static bool take_url(struct reader *rd, struct qn_str url, struct qn_bom_item *item)
{
        ptrdiff_t scheme = qn_str_find(url, QN_STR("://")), dash = qn_str_find(url, QN_STR("/-/"));
        struct qn_str path, file, base;
        ptrdiff_t slash, scope;

        if (scheme < 0 || dash < scheme + 3 || !qn_str_ends(url, ".tgz"))
                return false;
        path = qn_str_skip(qn_str_take(url, (size_t)dash), (size_t)scheme + 3);
        path = qn_bom_unescape(rd->a, path);
        file = qn_bom_unescape(rd->a, base_name(url));
        slash = qn_str_rchr(path, '/');
        if (slash < 0 || !file.p)
                return false;
        item->name = qn_str_skip(path, (size_t)slash + 1);
        scope = qn_str_rchr(qn_str_take(path, (size_t)slash), '/');
        if (scope >= 0 && path.p[scope + 1] == '@')
                item->name = qn_str_skip(path, (size_t)scope + 1);
        base = base_name(item->name);
        if (!qn_str_eq(qn_str_take(file, base.n), base) || file.n < base.n + 6 ||
            file.p[base.n] != '-')
                return false;
        item->version = qn_str_skip(qn_str_take(file, file.n - 4), base.n + 1);
        item->resolved = url;
        return true;
}

static int take_index(struct reader *rd, struct qn_str text)
{
        int r = 0;

        while (r == 0 && text.n) {
                struct qn_str line = qn_str_cut(&text, '\n'), url;
                struct qn_bom_item item = { .origin = QN_BOM_FROM_REGISTRY };
                struct qn_cacache_entry e;
                ptrdiff_t at;

                if (!line.n || qn_cacache_line(line, rd->a, &e) != 0)
                        continue;
                at = qn_str_find(e.key, QN_STR("http"));
                url = at < 0 ? e.url : qn_str_skip(e.key, (size_t)at);
                item.integrity = e.integrity;
                if (take_url(rd, url, &item))
                        r = add(rd, &item);
        }
        return r;
}

/* --- yarn 1 --- */

static int take_metadata(struct reader *rd, const struct qn_files_entry *e)
{
        struct qn_bom_item item = { .path = e->path };
        const struct qn_node *manifest, *remote;
        struct qn_node *doc;
        int r = qn_json_parse(e->content, rd->a, &doc, NULL);

        if (r < 0)
                return r;
        manifest = qn_node_get(doc, "manifest");
        remote = qn_node_get(doc, "remote");
        item.name = qn_node_text(qn_node_get(manifest, "name"));
        item.version = qn_node_text(qn_node_get(manifest, "version"));
        item.integrity = qn_node_text(qn_node_get(remote, "integrity"));
        item.resolved = qn_node_text(qn_node_get(remote, "reference"));
        return add(rd, &item);
}

/* --- yarn 2 and later --- */

/* The longest directory "node_modules/name/" or "node_modules/@s/name/" among the first entries of the archive. */
static struct qn_str name_in_zip(struct qn_cur zip)
{
        static const struct qn_str top = QN_STR("node_modules/");
        struct qn_str name = { NULL, 0 };

        for (;;) {
                struct qn_cur skipped, path;
                uint32_t magic, packed;
                uint16_t n, extra;
                struct qn_str s;

                if (qn_cur_le32(&zip, &magic) < 0 || magic != 0x04034b50 ||
                    qn_cur_take(&zip, 14, &skipped) < 0 || qn_cur_le32(&zip, &packed) < 0 ||
                    qn_cur_skip(&zip, 4) < 0 || qn_cur_le16(&zip, &n) < 0 ||
                    qn_cur_le16(&zip, &extra) < 0 || qn_cur_take(&zip, n, &path) < 0)
                        return name;
                s = qn_cur_rest(&path);
                if (!qn_str_starts(s, top.p) || !qn_str_ends(s, "/"))
                        return name;
                s = qn_str_skip(qn_str_take(s, s.n - 1), top.n);
                if (s.n && (qn_str_chr(s, '/') < 0 || s.p[0] == '@'))
                        name = s;
                if (name.n && (name.p[0] != '@' || qn_str_chr(name, '/') > 0))
                        return name;
                if (qn_cur_skip(&zip, (size_t)extra + packed) < 0)
                        return name;
        }
}

/* "@s-a-npm-1.0.0-0123456789-10c0.zip" */
static int take_zip(struct reader *rd, const struct qn_files_entry *e)
{
        static const struct qn_str mark = QN_STR("-npm-");
        struct qn_str file = base_name(e->path), version;
        struct qn_bom_item item = { .path = e->path, .name = name_in_zip(e->content) };
        ptrdiff_t at = -1, next, dash;

        while ((next = qn_str_find(qn_str_skip(file, (size_t)(at + 1)), mark)) >= 0)
                at += 1 + next; /* the last one: names may hold "-npm-" too */
        if (at < 0)
                return 0;
        version = qn_str_skip(qn_str_take(file, file.n - 4), (size_t)at + mark.n);
        for (int i = 0; i < 2; i++) { /* hashes of the locator and of the content */
                dash = qn_str_rchr(version, '-');
                if (dash > 0)
                        version.n = (size_t)dash;
        }
        item.version = version;
        if (!item.name.n && file.p[0] != '@')
                item.name = qn_str_take(file, (size_t)at);
        return add(rd, &item);
}

/* --- pnpm, bun --- */

/* "files/ab/cd…-index.json": the integrity in hex, unless it was cut. */
static int take_hex(struct reader *rd, struct qn_str path, struct qn_str *ret)
{
        struct qn_buf b = QN_BUF_INIT(256);
        struct qn_str file = base_name(path),
                      dir = base_name(qn_str_take(path, path.n - file.n - 1));
        struct qn_str hex = qn_bom_join(rd->a, dir, qn_str_cut(&file, '-'), QN_STR("")), digest;
        int r = 0;

        if (!hex.p)
                return qn_bom_no_memory(rd->err);
        if (hex.n != 128 || qn_hex_decode(hex, rd->a, &digest) < 0)
                return 0;
        qn_buf_puts(&b, "sha512-");
        qn_base64_encode(&b, digest.p, digest.n);
        *ret = qn_arena_dup(rd->a, qn_buf_view(&b));
        if (!ret->p)
                r = qn_bom_no_memory(rd->err);
        qn_buf_done(&b);
        return r;
}

static int take_package(struct reader *rd, const struct qn_files_entry *e)
{
        struct qn_bom_item item = { .path = e->path };
        struct qn_node *doc;
        int r = qn_json_parse(e->content, rd->a, &doc, NULL);

        if (r < 0)
                return r;
        item.name = qn_node_text(qn_node_get(doc, "name"));
        item.version = qn_node_text(qn_node_get(doc, "version"));
        item.scripts = qn_node_bool(qn_node_get(doc, "requiresBuild"), false);
        if (!qn_str_ends(e->path, "/package.json"))
                r = take_hex(rd, e->path, &item.integrity);
        return r == 0 ? add(rd, &item) : r;
}

static int take(struct reader *rd, const struct qn_files_entry *e)
{
        if (qn_str_starts(e->path, "index-v5/"))
                return take_index(rd, qn_cur_rest(&e->content));
        if (qn_str_ends(e->path, "/.yarn-metadata.json"))
                return take_metadata(rd, e);
        if (qn_str_ends(e->path, ".zip"))
                return take_zip(rd, e);
        return qn_str_ends(e->path, ".json") ? take_package(rd, e) : 0;
}

int qn_cache_read_bom(struct qn_cur files, struct qn_arena *a, struct qn_bom **ret,
                      struct qn_err *reterr)
{
        struct reader rd = { .a = a, .err = reterr };
        struct qn_files_entry e;
        int r = qn_bom_new(a, QN_BOM_CACHE, &rd.b, reterr), got = 0;

        while (r == 0 && (got = qn_files_next(&files, &e)) == 1) {
                r = take(&rd, &e);
                if (r == -ENOBUFS || r == -EFBIG || r == 0)
                        continue;
                if (!rd.b->broken++)
                        rd.b->first_broken = e.path;
                r = 0;
        }
        if (r == 0 && got < 0)
                r = qn_fail(reterr, got, 0, "the list of files is cut short");
        if (r == 0)
                *ret = rd.b;
        else if (reterr && !reterr->msg[0])
                r = qn_bom_no_memory(reterr);
        return r;
}
