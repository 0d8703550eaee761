#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/io.h"
#include "base/log.h"
#include "base/show.h"
#include "cli/args.h"
#include "cli/git-history.h"
#include "cli/inventory-print.h"
#include "cli/inventory-process.h"
#include "cli/inventory.h"
#include "inventory/graph.h"
#include "parse/bom-image.h"
#include "parse/collection.h"

#define ARENA_MAX ((size_t)2 << 30)

enum { EXIT_INCOMPLETE = 3 };

struct recorder {
        const struct qn_args *args;
        struct qn_db db;
        struct qn_err err;
        bool incomplete;
};

struct counts {
        size_t sources, packages, added, gone;
};

/* --- what is told --- */

/* Said only after the commit: whoever reads it may rely on it. */
static int acknowledge(const struct recorder *rec, const struct qn_asset *asset, int64_t time,
                       const struct counts *c)
{
        struct qn_buf out = QN_BUF_INIT(1 << 20);
        struct qn_jsonw w = QN_JSONW_INIT(&out, 0);
        int r;

        if (qn_inventory_is_json(rec->args)) {
                qn_jsonw_object(&w, NULL);
                qn_jsonw_cstr(&w, "schema", "qanat.inventory.recorded/1");
                qn_inventory_put_asset(&w, asset);
                qn_inventory_put_time(&w, "time", time);
                qn_jsonw_u64(&w, "sources", c->sources);
                qn_jsonw_u64(&w, "packages", c->packages);
                qn_jsonw_u64(&w, "added", c->added);
                qn_jsonw_u64(&w, "gone", c->gone);
                qn_jsonw_end_object(&w);
                qn_buf_byte(&out, '\n');
        } else {
                qn_show(&out, asset->name, 0, 0);
                qn_buf_printf(&out, ": %zu packages in %zu sources, %zu new, %zu gone\n",
                              c->packages, c->sources, c->added, c->gone);
        }
        r = qn_buf_error(&out);
        if (r == 0)
                r = qn_io_write_fd(STDOUT_FILENO, qn_buf_view(&out));
        qn_buf_done(&out);
        return r;
}

/* --- one asset, in one step --- */

static int observe(struct recorder *rec, const struct qn_asset *asset, struct qn_str path,
                   int64_t time, const struct qn_bom *bom, struct counts *c)
{
        struct qn_arena a = QN_ARENA_INIT(ARENA_MAX);
        struct qn_buf graph = QN_BUF_INIT((size_t)512 << 20);
        struct qn_observed seen;
        int r = qn_graph_pack(bom, &graph);

        if (r == 0) {
                const struct qn_observation o = { .asset = *asset,
                                                  .path = path,
                                                  .time = time,
                                                  .bom = bom,
                                                  .graph = qn_buf_view(&graph) };

                r = qn_assets_observe(&rec->db, &o, &a, &seen);
        }
        if (r == 0) {
                c->sources++;
                c->packages += seen.packages;
                c->added += seen.added;
                c->gone += seen.gone;
        }
        qn_buf_done(&graph);
        qn_arena_done(&a);
        return r;
}

static int record(struct recorder *rec, const struct qn_collection *col)
{
        const struct qn_asset asset = { col->kind, col->name, col->owner, col->environment,
                                        col->commit };
        struct qn_arena a = QN_ARENA_INIT(ARENA_MAX);
        struct qn_str *paths = qn_arena_calloc(&a, col->n + 1, sizeof *paths);
        struct counts c = { 0 };
        int r = paths ? qn_db_begin(&rec->db) : -ENOBUFS;
        bool begun = r == 0;

        for (size_t i = 0; r == 0 && i < col->n; i++) {
                paths[i] = col->sources[i].path;
                r = observe(rec, &asset, paths[i], col->time, col->sources[i].bom, &c);
        }
        if (r == 0 && col->whole)
                r = qn_assets_end(&rec->db, &asset, col->time, paths, col->n);
        if (r == 0)
                r = qn_db_commit(&rec->db);
        if (r < 0 && begun)
                qn_db_rollback(&rec->db);
        qn_arena_done(&a);
        if (r < 0)
                return log_err(qn_db_fail(&rec->db, r, &rec->err), "%.*s: not recorded: %s",
                               QN_STR_ARG(col->name), rec->err.msg);
        return acknowledge(rec, &asset, col->time, &c);
}

/* --- what was scanned, as a collection --- */

static int take_scan(const struct qn_inventory *inv, bool below, struct qn_arena *a,
                     struct qn_collection *col)
{
        col->sources = qn_arena_calloc(a, inv->n + 1, sizeof *col->sources);
        if (!col->sources)
                return -ENOBUFS;
        for (; col->n < inv->n; col->n++) {
                const struct qn_inventory_source *s = &inv->sources[col->n];

                col->sources[col->n] = (struct qn_collected){ below ? s->below : s->path, s->bom };
        }
        /* Where something could not be read nobody knows what is gone. */
        col->whole = inv->n_errors == 0;
        return 0;
}

static int take_options(const struct qn_args *args, struct qn_collection *col)
{
        const char *when = qn_args_get(args, "time");

        col->owner = qn_str_c(qn_args_get(args, "owner"));
        col->environment = qn_str_c(qn_args_get(args, "environment"));
        col->commit = qn_str_c(qn_args_get(args, "commit"));
        col->kind = qn_str_c(qn_args_get(args, "kind"));
        col->time = (int64_t)time(NULL);
        if (when && qn_inventory_time(qn_str_c(when), &col->time) < 0)
                return log_err(-EINVAL, "\"%s\" is no time", when);
        return 0;
}

/* A file is a part of its asset; only of directories and images it is known what is no longer there. */
static bool are_whole(const char *const *paths, size_t n)
{
        struct stat st;

        for (size_t i = 0; i < n; i++) {
                struct qn_str path = qn_str_c(paths[i]);
                ptrdiff_t slash = qn_str_rchr(path, '/');

                if (stat(paths[i], &st) == 0 && S_ISREG(st.st_mode) &&
                    qn_bom_is_list(qn_str_skip(path, (size_t)(slash + 1))))
                        return false;
        }
        return true;
}

/* Paths as the process itself has them. */
static void take_process(const struct qn_process *p, struct qn_inventory *inv,
                         struct qn_collection *col)
{
        for (size_t i = 0; i < inv->n; i++)
                inv->sources[i].path = qn_str_skip(inv->sources[i].path, p->root);
        if (qn_str_is(col->kind, "project"))
                col->kind = QN_STR("process");
}

static int add_process(struct recorder *rec, const char *pid, const char *name)
{
        struct qn_arena a = QN_ARENA_INIT(ARENA_MAX);
        struct qn_inventory_how how;
        struct qn_inventory inv = { .n = 0 };
        struct qn_collection col = { .n = 0 };
        struct qn_process p;
        int r = take_options(rec->args, &col);

        qn_inventory_how(rec->args, &how);
        if (r < 0)
                return r;
        r = qn_inventory_process(pid, &a, &p, &rec->err);
        if (r == 0)
                r = qn_inventory_scan(&how, p.paths, p.n, &inv, &rec->err);
        if (r < 0)
                log_err(r, "%s", rec->err.msg);
        if (r == 0) {
                col.name = qn_str_c(name ? name : p.name);
                take_process(&p, &inv, &col);
                qn_inventory_print_errors(&inv);
                rec->incomplete |= inv.n_errors > 0;
                r = take_scan(&inv, false, &a, &col);
        }
        if (r == 0)
                r = record(rec, &col);
        qn_inventory_done(&inv);
        qn_arena_done(&a);
        return r;
}

static int add_paths(struct recorder *rec, const char *const *paths, size_t n, bool below,
                     const char *name)
{
        struct qn_arena a = QN_ARENA_INIT(ARENA_MAX);
        struct qn_inventory_how how;
        struct qn_inventory inv;
        struct qn_collection col = { .name = qn_str_c(name) };
        int r = take_options(rec->args, &col);

        qn_inventory_how(rec->args, &how);
        if (r < 0)
                return r;
        r = qn_inventory_scan(&how, paths, n, &inv, &rec->err);
        if (r < 0) {
                log_err(r, "%s", rec->err.msg);
        } else {
                qn_inventory_print_errors(&inv);
                rec->incomplete |= inv.n_errors > 0;
                r = take_scan(&inv, below, &a, &col);
                col.whole &= are_whole(paths, n);
                if (r == 0)
                        r = record(rec, &col);
        }
        qn_inventory_done(&inv);
        qn_arena_done(&a);
        return r;
}

/* --- history --- */

struct history {
        struct recorder *rec;
        const char *name;      /* of the asset */
        const char *file;      /* without its directory */
        enum qn_bom_kind kind; /* of the version before */
        char dir[4096];        /* the file's */
        char work[64];         /* a directory for each version in turn */
};

/* The version of one file beside the others, for the scan to find: 0, or 1 when the commit has none. */
static int place(const struct history *h, const struct qn_git_version *v, const char *file)
{
        struct qn_buf text = QN_BUF_INIT((size_t)256 << 20);
        char path[4200];
        int r = qn_git_content(h->dir, v->commit, file, &text);

        snprintf(path, sizeof path, "%s/%s", h->work, file);
        unlink(path);
        if (r == 0)
                r = qn_io_replace(path, qn_buf_view(&text));
        qn_buf_done(&text);
        return r == -ENOENT ? 1 : r;
}

/* In this commit the file is gone. */
static int take_nothing(const struct history *h, struct qn_arena *a, struct qn_collection *col)
{
        struct qn_bom *none = QN_ARENA_NEW(a, struct qn_bom);

        col->sources = QN_ARENA_NEW(a, struct qn_collected);
        if (!none || !col->sources)
                return -ENOBUFS;
        none->kind = h->kind;
        none->arena = a;
        col->sources[col->n++] = (struct qn_collected){ .path = qn_str_c(h->file), .bom = none };
        return 0;
}

static int add_version(struct history *h, const struct qn_git_version *v)
{
        struct qn_arena a = QN_ARENA_INIT(ARENA_MAX);
        const char *const paths[] = { h->work };
        struct qn_inventory_how how;
        struct qn_inventory inv;
        struct qn_collection col = { .name = qn_str_c(h->name) };
        int r = take_options(h->rec->args, &col);

        if (r == 0)
                r = place(h, v, "package.json");
        if (r >= 0)
                r = place(h, v, h->file);
        if (r < 0)
                return r;
        qn_inventory_how(h->rec->args, &how);
        col.time = v->time;
        col.commit = qn_str_c(v->commit);
        r = qn_inventory_scan(&how, paths, 1, &inv, &h->rec->err);
        if (r < 0)
                log_err(r, "%s", h->rec->err.msg);
        if (r == 0 && inv.n_errors) {
                log_note("%s: %s: %.*s", v->commit, h->file, QN_STR_ARG(inv.errors[0].message));
                h->rec->incomplete = true;
        } else if (r == 0) {
                r = take_scan(&inv, true, &a, &col);
                col.whole = false; /* the asset may have more than this file */
                if (r == 0 && col.n)
                        h->kind = col.sources[0].bom->kind;
                else if (r == 0)
                        r = take_nothing(h, &a, &col);
                if (r == 0)
                        r = record(h->rec, &col);
        }
        qn_inventory_done(&inv);
        qn_arena_done(&a);
        return r;
}

static void remove_work(const struct history *h)
{
        const char *const files[] = { h->file, "package.json" };
        char path[4200];

        for (size_t i = 0; i < QN_ARRAY_SIZE(files); i++) {
                snprintf(path, sizeof path, "%s/%s", h->work, files[i]);
                unlink(path);
        }
        rmdir(h->work);
}

/* Each version that a lock file had, at the time when it was committed. */
static int add_history(struct recorder *rec, const char *file, const char *name)
{
        struct history h = { .rec = rec, .name = name, .work = "/tmp/qanat-history-XXXXXX" };
        const char *slash = strrchr(file, '/');
        struct qn_git_version *v;
        struct qn_err err = { 0 };
        size_t n;
        int r;

        h.file = slash ? slash + 1 : file;
        snprintf(h.dir, sizeof h.dir, "%.*s", slash ? (int)QN_MIN(slash - file + 1, 4000) : 1,
                 slash ? file : ".");
        r = qn_git_versions(h.dir, h.file, &v, &n, &err);
        if (r < 0)
                return log_err(r, "%s: %s", file, err.msg);
        if (!mkdtemp(h.work))
                r = log_err(-errno, "%s: %s", h.work, strerrordesc_np(errno));
        for (size_t i = 0; r == 0 && i < n; i++)
                r = add_version(&h, &v[i]);
        remove_work(&h);
        free(v);
        return r;
}

static int open_store(struct recorder *rec, const struct qn_args *a)
{
        int r;

        *rec = (struct recorder){ .args = a };
        r = qn_db_open(&qn_db_inventory, a->store, true, &rec->db, &rec->err);
        return r < 0 ? log_err(r, "%s", rec->err.msg) : 0;
}

int qn_inventory_add(const struct qn_args *a)
{
        static const char *const here[] = { "." };
        const char *const *paths = a->n > 1 ? a->argv + 1 : here;
        const char *name = qn_args_get(a, "asset");
        const char *pid = qn_args_get(a, "process");
        bool history = qn_args_on(a, "history");
        size_t n = pid ? 0 : a->n > 1 ? a->n - 1 : 1;
        struct recorder rec;
        int r = pid && (a->n > 1 || history)
                        ? log_err(-EINVAL, "--process goes neither with paths nor with --history")
                        : open_store(&rec, a);

        if (r < 0)
                return r;
        if (pid)
                r = add_process(&rec, pid, name);
        else if (name && !history)
                r = add_paths(&rec, paths, n, n == 1, name);
        for (size_t i = 0; (!name || history) && r == 0 && i < n; i++) {
                char *full = realpath(paths[i], NULL);

                if (!full && history)
                        full = strdup(paths[i]); /* it may be gone by now */
                if (full && history)
                        r = add_history(&rec, full, name ? name : full);
                else
                        r = full ? add_paths(&rec, &paths[i], 1, true, full)
                                 : log_err(-errno, "%s: %s", paths[i], strerrordesc_np(errno));
                free(full);
        }
        qn_db_close(&rec.db);
        return r == 0 && rec.incomplete ? EXIT_INCOMPLETE : r;
}

/* --- ingest --- */

int qn_inventory_ingest(const struct qn_args *a)
{
        struct qn_inventory_how how;
        struct recorder rec;
        int r;

        if (a->n < 2)
                return log_err(-EINVAL, "what? usage: qanat inventory ingest FILE...");
        r = open_store(&rec, a);
        qn_inventory_how(a, &how);
        for (size_t i = 1; r == 0 && i < a->n; i++) {
                struct qn_arena arena = QN_ARENA_INIT(ARENA_MAX);
                struct qn_collection col;
                struct qn_err err = { 0 };
                int k = qn_inventory_collected(&how, a->argv[i], &arena, &col, &err);

                if (k == 0) {
                        r = record(&rec, &col);
                } else {
                        log_err(k, "%s: %s", a->argv[i], err.msg);
                        rec.incomplete = true;
                }
                qn_arena_done(&arena);
        }
        if (r == 0 || rec.db.conn)
                qn_db_close(&rec.db);
        return r == 0 && rec.incomplete ? EXIT_INCOMPLETE : r;
}

/* --- collect --- */

#define FLAG(bit, field) flags |= (uint64_t)t->field << (bit);

static void put_package(struct qn_jsonw *w, const struct qn_bom_item *t)
{
        uint64_t flags = 0;

        QN_BOM_FLAGS(FLAG)
        qn_jsonw_array(w, NULL);
        qn_jsonw_str(w, NULL, t->name);
        qn_inventory_put_text(w, NULL, t->version);
        qn_inventory_put_text(w, NULL, t->integrity);
        qn_jsonw_u64(w, NULL, flags);
        qn_jsonw_u64(w, NULL, t->origin);
        qn_jsonw_end_array(w);
}

static void put_need(struct qn_jsonw *w, const struct qn_bom_edge *e)
{
        qn_jsonw_array(w, NULL);
        if (e->from == QN_BOM_ROOT)
                qn_jsonw_double(w, NULL, -1, 0);
        else
                qn_jsonw_u64(w, NULL, e->from);
        qn_jsonw_u64(w, NULL, e->to);
        qn_jsonw_u64(w, NULL, e->need);
        qn_jsonw_end_array(w);
}

static void put_source(struct qn_jsonw *w, const struct qn_inventory_source *s)
{
        qn_jsonw_object(w, NULL);
        qn_jsonw_str(w, "path", s->path);
        qn_jsonw_cstr(w, "kind", qn_bom_kind_name(s->bom->kind));
        qn_jsonw_array(w, "packages");
        for (size_t i = 0; i < s->bom->n; i++)
                put_package(w, &s->bom->items[i]);
        qn_jsonw_end_array(w);
        qn_jsonw_array(w, "needs");
        for (size_t i = 0; i < s->bom->n_edges; i++)
                put_need(w, &s->bom->edges[i]);
        qn_jsonw_end_array(w);
        qn_jsonw_end_object(w);
}

static int print_collection(const struct qn_inventory *inv, const struct qn_collection *col)
{
        const struct qn_asset asset = { col->kind, col->name, col->owner, col->environment,
                                        col->commit };
        struct qn_buf out = QN_BUF_INIT(QN_INVENTORY_OUT_MAX);
        struct qn_jsonw w = QN_JSONW_INIT(&out, 0);

        qn_jsonw_object(&w, NULL);
        qn_jsonw_cstr(&w, "schema", QN_COLLECTION_SCHEMA);
        qn_jsonw_u64(&w, "time", (uint64_t)col->time);
        qn_inventory_put_asset(&w, &asset);
        qn_jsonw_bool(&w, "whole", inv->n_errors == 0);
        qn_jsonw_array(&w, "sources");
        for (size_t i = 0; i < inv->n; i++)
                put_source(&w, &inv->sources[i]);
        qn_jsonw_end_array(&w);
        qn_jsonw_end_object(&w);
        qn_buf_byte(&out, '\n');
        return qn_inventory_finish(&out, 0);
}

/* Where packages are installed for the whole host. */
static size_t usual_places(const char **ret)
{
        static const char *const places[] = { "/usr/lib/node_modules",
                                              "/usr/local/lib/node_modules",
                                              "/usr/share/nodejs",
                                              "/opt",
                                              "/srv",
                                              "/var/www",
                                              "/app" };
        size_t n = 0;

        for (size_t i = 0; i < QN_ARRAY_SIZE(places); i++)
                if (access(places[i], R_OK | X_OK) == 0)
                        ret[n++] = places[i];
        return n;
}

int qn_inventory_collect(const struct qn_args *a)
{
        const char *usual[16], *pid = qn_args_get(a, "process");
        const char *const *paths = a->n > 1 ? a->argv + 1 : usual;
        size_t n = a->n > 1 ? a->n - 1 : pid ? 0 : usual_places(usual);
        struct qn_collection col = { .name = qn_str_c(qn_args_get(a, "asset")) };
        struct qn_arena arena = QN_ARENA_INIT(ARENA_MAX);
        struct qn_process p = { .n = 0 };
        struct qn_inventory_how how;
        struct qn_inventory inv = { .n = 0 };
        struct qn_err err = { 0 };
        char host[HOST_NAME_MAX + 1] = "";
        int r = take_options(a, &col);

        qn_inventory_how(a, &how);
        if (r == 0 && pid && n)
                r = log_err(-EINVAL, "--process goes not with paths");
        if (r < 0)
                return r;
        gethostname(host, sizeof host - 1);
        r = pid ? qn_inventory_process(pid, &arena, &p, &err) : 0;
        if (!col.name.p)
                col.name = qn_str_c(pid ? p.name : host);
        if (r == 0)
                r = qn_inventory_scan(&how, pid ? p.paths : paths, pid ? p.n : n, &inv, &err);
        if (r == 0 && pid)
                take_process(&p, &inv, &col);
        else if (qn_str_is(col.kind, "project"))
                col.kind = QN_STR("host");
        if (r < 0)
                log_err(r, "%s", err.msg);
        else
                r = print_collection(&inv, &col);
        if (r == 0)
                qn_inventory_print_errors(&inv);
        r = r == 0 && inv.n_errors ? EXIT_INCOMPLETE : r;
        qn_inventory_done(&inv);
        qn_arena_done(&arena);
        return r;
}
