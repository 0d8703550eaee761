#include "role/analyse.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "event/event.h"
#include "intel/feed.h"
#include "net/cacache.h"
#include "net/cache-bom.h"
#include "net/npmconf.h"
#include "observe/analyse.h"
#include "observe/contents.h"
#include "observe/dependency.h"
#include "observe/provenance.h"
#include "observe/publishing.h"
#include "observe/scan.h"
#include "parse/bom-image.h"
#include "parse/bom-installed.h"
#include "parse/bom.h"
#include "parse/collection.h"
#include "parse/gz.h"
#include "parse/packument.h"
#include "parse/pkgjson.h"
#include "role/analyse-wire.h"
#include "role/bom-wire.h"
#include "role/contents-wire.h"
#include "role/digests-wire.h"
#include "role/documents.h"
#include "role/record.h"
#include "role/wire.h"

#define ARENA_KEEP ((size_t)1 << 20) /* memory kept from one document to the next */

struct tables {
        struct qn_observers *observers;
        struct qn_analyser *analyser;
        struct qn_provenance *provenance;
        struct qn_feed *feed;  /* made when there is one */
        struct qn_gz *gz;      /* the same */
        struct qn_arena arena; /* of the current document */
};

static int open_tables(const char *data_dir, void **ret, struct qn_err *reterr)
{
        static struct tables t = { .arena = { .max = QN_DOCUMENT_ARENA_MAX } };
        int r;

        *ret = &t;
        if (!data_dir) /* for documents alone */
                return 0;
        r = qn_observers_load(data_dir, &t.observers, reterr);
        if (r == 0)
                r = qn_analyser_new(t.observers, &t.analyser);
        if (r == 0)
                r = qn_provenance_new(data_dir, &t.provenance, reterr);
        return r;
}

static int run_analyse(void *ctx, struct qn_cur params, const struct qn_cur *inputs,
                       struct qn_buf *reply, struct qn_err *reterr QN_UNUSED)
{
        struct qn_analyse_in in = { .archive = inputs[0],
                                    .previous = inputs[1 + QN_BESIDE_PREVIOUS],
                                    .packument = inputs[1 + QN_BESIDE_PACKUMENT],
                                    .known = inputs[1 + QN_BESIDE_KNOWN] };
        struct tables *t = ctx;
        const struct qn_event_set *set;
        int r = t->analyser ? qn_analyse_read_artifact(params, &in) : -ENOTSUP;

        if (r == 0)
                r = qn_analyse(t->analyser, &in, &set);
        if (r == 0)
                r = qn_event_set_write(set, reply);
        return r < 0 || !in.imprint
                       ? r
                       : qn_analyse_write_imprint(reply, qn_analyser_imprint(t->analyser));
}

/* The highest version below one, NULL when there is none. */
static struct qn_packument_version *version_before(struct tables *t, struct qn_cur input,
                                                   struct qn_str version)
{
        struct qn_packument_want want = { .before = QN_TIME_NONE };
        struct qn_packument_version *v;
        struct qn_buf spec = QN_BUF_INIT(QN_RANGE_MAX);

        qn_buf_byte(&spec, '<');
        qn_buf_str(&spec, version);
        want.spec = qn_arena_dup(&t->arena, qn_buf_view(&spec));
        qn_buf_done(&spec);
        return qn_packument_pick(input, &want, &t->arena, &v, NULL) < 0 ? NULL : v;
}

static int run_provenance(void *ctx, struct qn_cur params, struct qn_cur input,
                          struct qn_buf *reply, struct qn_err *reterr QN_UNUSED)
{
        struct tables *t = ctx;
        struct qn_provenance_in in = { 0 };
        const struct qn_event_set *set;
        int r = t->provenance ? qn_analyse_read_attested(params, &in) : -ENOTSUP;

        if (r == 0)
                r = qn_documents_open(input, in.docs);
        if (r == 0)
                r = qn_provenance_observe(t->provenance, &in, &set);
        return r < 0 ? r : qn_event_set_write(set, reply);
}

static int observe_dependency(struct tables *t, struct qn_cur params, const struct qn_cur *inputs,
                              struct qn_buf *reply, struct qn_err *reterr)
{
        struct qn_dependency_in in = { .dependency = inputs[0],
                                       .package = inputs[1 + QN_BESIDE_PACKUMENT] };
        struct qn_event_set set;
        int r = qn_analyse_read_dependency(params, &in);

        if (r < 0)
                return r;
        qn_event_set_init(&set, &t->arena);
        set.name = in.name;
        set.version = in.version;
        r = qn_dependency_observe(&in, &t->arena, &set, reterr);
        if (r == 0)
                r = qn_event_set_seal(&set);
        return r < 0 ? r : qn_event_set_write(&set, reply);
}

static int run_dependency(void *ctx, struct qn_cur params, const struct qn_cur *inputs,
                          struct qn_buf *reply, struct qn_err *reterr)
{
        struct tables *t = ctx;
        int r = observe_dependency(t, params, inputs, reply, reterr);

        qn_arena_reset(&t->arena, ARENA_KEEP);
        return r;
}

/* The latest earlier version with provenance: asked for only when there is something to compare with it. */
static struct qn_str find_earlier(struct tables *t, struct qn_cur input,
                                  const struct qn_packument_version *v)
{
        const struct qn_packument_version *own, *earlier = NULL;
        struct qn_published_before before;
        struct qn_packument *doc;

        if (!qn_published_has_provenance(v) || qn_packument_read(input, &t->arena, &doc, NULL) < 0)
                return (struct qn_str){ NULL, 0 };
        own = qn_packument_find(doc, v->version);
        if (own) {
                qn_published_before(doc, own, &before);
                earlier = qn_published_attested(&before);
        }
        return earlier ? earlier->version : (struct qn_str){ NULL, 0 };
}

static int pick(struct tables *t, struct qn_cur params, struct qn_cur input, struct qn_buf *reply,
                struct qn_err *reterr)
{
        struct qn_packument_want want = { .before = QN_TIME_NONE };
        struct qn_packument_version *v;
        struct qn_str name;
        int r = qn_analyse_read_want(params, &name, &want.spec);

        if (r == 0)
                r = qn_packument_pick(input, &want, &t->arena, &v, reterr);
        if (r < 0)
                return r;
        if (!qn_str_eq(v->name, name))
                return qn_fail(reterr, -EINVAL, 0,
                               "the registry answered with the document of another package");
        return qn_analyse_write_picked(reply, v, version_before(t, input, v->version),
                                       find_earlier(t, input, v), reterr);
}

static int run_pick(void *ctx, struct qn_cur params, struct qn_cur input, struct qn_buf *reply,
                    struct qn_err *reterr)
{
        struct tables *t = ctx;
        int r = pick(t, params, input, reply, reterr);

        qn_arena_reset(&t->arena, ARENA_KEEP);
        return r;
}

/* Version 1 of the lock file does not say what the project itself asks for; its package.json does.
 */
static int mark_direct(struct tables *t, struct qn_cur package_json, struct qn_lock *lock)
{
        struct qn_pkgjson *project;

        if (lock->direct_known || !qn_cur_left(&package_json) ||
            qn_pkgjson_parse(package_json, &t->arena, &project, NULL) < 0)
                return 0; /* unknown, then */
        return qn_lock_mark_direct(lock, project, &t->arena);
}

static int run_lock(void *ctx, struct qn_cur params, struct qn_cur input, struct qn_buf *reply,
                    struct qn_err *reterr)
{
        struct tables *t = ctx;
        struct qn_lock *lock;
        int r = qn_lock_parse(input, &t->arena, &lock, reterr);

        if (r == 0)
                r = mark_direct(t, params, lock);
        if (r == 0)
                r = qn_analyse_write_lock(reply, lock);
        qn_arena_reset(&t->arena, ARENA_KEEP);
        return r;
}

/* A full document answers a question for the short one, not the other way round. */
static bool is_wanted(const struct qn_cacache_entry *e, void *user)
{
        const bool *full = user;

        if (e->status || !e->integrity.n)
                return false;
        return !*full || qn_str_find(e->accept, QN_STR("application/vnd.npm.install-v1+json")) < 0;
}

static int run_cached(void *ctx, struct qn_cur params, struct qn_cur input, struct qn_buf *reply,
                      struct qn_err *reterr QN_UNUSED)
{
        struct tables *t = ctx;
        struct qn_cacache_entry e;
        struct qn_str key;
        bool full;
        int r = qn_analyse_read_key(params, &key, &full);

        if (r < 0)
                return r;
        if (qn_cur_left(&input) <= QN_CACACHE_BUCKET_MAX)
                r = qn_cacache_pick(qn_cur_rest(&input), key, is_wanted, &full, &t->arena, &e);
        else
                r = -ENOENT;
        r = qn_analyse_write_cached(reply, r < 0 ? NULL : &e);
        qn_arena_reset(&t->arena, ARENA_KEEP);
        return r;
}

static int run_npmrc(void *ctx, struct qn_cur params QN_UNUSED, struct qn_cur input,
                     struct qn_buf *reply, struct qn_err *reterr)
{
        struct tables *t = ctx;
        struct qn_npmrc rc = QN_NPMRC_INIT;
        int r = qn_npmrc_parse_raw(&rc, input, &t->arena, reterr);

        if (r == 0)
                r = qn_analyse_write_npmrc(reply, &rc);
        qn_arena_reset(&t->arena, ARENA_KEEP);
        return r;
}

static int run_workspace(void *ctx QN_UNUSED, struct qn_cur params, struct qn_cur input,
                         struct qn_buf *reply, struct qn_err *reterr QN_UNUSED)
{
        qn_wire_put_u32(reply, qn_npm_is_workspace(qn_cur_rest(&input), qn_cur_rest(&params)));
        return qn_buf_error(reply);
}

static int run_feed(void *ctx, struct qn_cur params, struct qn_cur input, struct qn_buf *reply,
                    struct qn_err *reterr)
{
        struct tables *t = ctx;
        struct qn_feed_input in = { .bytes = input };
        int r = qn_analyse_read_feed(params, &in);

        if (r == 0 && !t->feed)
                r = qn_feed_new(&t->feed);
        return r < 0 ? r : qn_feed_pack(t->feed, &in, reply, reterr);
}

static int run_changes(void *ctx, struct qn_cur params, struct qn_cur input, struct qn_buf *reply,
                       struct qn_err *reterr)
{
        struct tables *t = ctx;
        struct qn_changes c;
        int64_t since;
        int r = qn_analyse_read_since(params, &since);

        if (r == 0)
                r = qn_changes_parse(input, since, &t->arena, &c, reterr);
        if (r == 0)
                r = qn_analyse_write_changes(reply, &c);
        qn_arena_reset(&t->arena, ARENA_KEEP);
        return r;
}

static int run_replica(void *ctx, struct qn_cur params, struct qn_cur input, struct qn_buf *reply,
                       struct qn_err *reterr)
{
        struct tables *t = ctx;
        struct qn_replica page;
        int r = qn_cur_left(&params) ? qn_replica_parse_lines(input, &t->arena, &page, reterr)
                                     : qn_replica_parse(input, &t->arena, &page, reterr);

        if (r == 0)
                r = qn_analyse_write_replica(reply, &page);
        qn_arena_reset(&t->arena, ARENA_KEEP);
        return r;
}

static int reply_bom(struct tables *t, int r, const struct qn_bom *bom, struct qn_buf *reply)
{
        if (r == 0)
                r = qn_bom_wire_write(bom, reply);
        qn_arena_reset(&t->arena, ARENA_KEEP);
        return r;
}

static int run_bom(void *ctx, struct qn_cur params, const struct qn_cur *inputs,
                   struct qn_buf *reply, struct qn_err *reterr)
{
        const struct qn_bom_in in = { inputs[0], inputs[1], qn_cur_rest(&params) };
        struct tables *t = ctx;
        struct qn_bom *bom = NULL;
        int r = qn_bom_read(&in, &t->arena, &bom, reterr);

        return reply_bom(t, r, bom, reply);
}

static int run_reader(struct tables *t, struct qn_cur input, struct qn_buf *reply,
                      struct qn_err *reterr,
                      int (*read)(struct qn_cur in, struct qn_arena *a, struct qn_bom **ret,
                                  struct qn_err *reterr))
{
        struct qn_bom *bom = NULL;
        int r = read(input, &t->arena, &bom, reterr);

        return reply_bom(t, r, bom, reply);
}

static int run_installed(void *ctx, struct qn_cur params QN_UNUSED, struct qn_cur input,
                         struct qn_buf *reply, struct qn_err *reterr)
{
        return run_reader(ctx, input, reply, reterr, qn_bom_read_installed);
}

static int run_cache(void *ctx, struct qn_cur params QN_UNUSED, struct qn_cur input,
                     struct qn_buf *reply, struct qn_err *reterr)
{
        return run_reader(ctx, input, reply, reterr, qn_cache_read_bom);
}

static int run_collection(void *ctx, struct qn_cur params QN_UNUSED, struct qn_cur input,
                          struct qn_buf *reply, struct qn_err *reterr)
{
        struct tables *t = ctx;
        struct qn_collection c;
        int r = qn_collection_read(input, &t->arena, &c, reterr);

        if (r == 0)
                r = qn_collection_wire_write(&c, reply);
        qn_arena_reset(&t->arena, ARENA_KEEP);
        return r;
}

static int run_image(void *ctx, struct qn_cur params QN_UNUSED, struct qn_cur input,
                     struct qn_buf *reply, struct qn_err *reterr)
{
        struct tables *t = ctx;
        struct qn_collection c;
        int r = qn_bom_read_images(input, &t->arena, &c, reterr);

        if (r == 0)
                r = qn_collection_wire_write(&c, reply);
        qn_arena_reset(&t->arena, ARENA_KEEP);
        return r;
}

static int run_contents(void *ctx, struct qn_cur params QN_UNUSED, struct qn_cur input,
                        struct qn_buf *reply, struct qn_err *reterr)
{
        struct tables *t = ctx;
        struct qn_contents c;
        int r;

        if (!t->gz)
                t->gz = qn_gz_new();
        r = t->gz ? qn_contents_read(t->gz, input, &t->arena, &c, reterr) : -ENOMEM;
        if (r == 0)
                r = qn_contents_wire_write(&c, reply);
        qn_arena_reset(&t->arena, ARENA_KEEP);
        return r;
}

static int run_digests(void *ctx, struct qn_cur params, struct qn_cur input, struct qn_buf *reply,
                       struct qn_err *reterr QN_UNUSED)
{
        struct tables *t = ctx;
        struct qn_digests d;
        struct qn_str *paths;
        size_t n;
        int r = qn_digests_wire_asked(params, &t->arena, &paths, &n);

        if (r == 0 && !t->gz)
                t->gz = qn_gz_new();
        if (r == 0)
                r = t->gz ? qn_digests_read(t->gz, input, paths, n, &t->arena, &d) : -ENOMEM;
        if (r == 0)
                r = qn_digests_wire_write(&d, reply);
        qn_arena_reset(&t->arena, ARENA_KEEP);
        return r;
}

static int run_record(void *ctx, struct qn_cur params, const struct qn_cur *inputs,
                      struct qn_buf *reply, struct qn_err *reterr)
{
        struct tables *t = ctx;
        int r = qn_record_run(params, inputs[0], inputs[1], &t->arena, reply, reterr);

        qn_arena_reset(&t->arena, ARENA_KEEP);
        return r;
}

static int run_facts(void *ctx, struct qn_cur params, struct qn_cur input, struct qn_buf *reply,
                     struct qn_err *reterr)
{
        struct tables *t = ctx;
        struct qn_packument_facts facts;
        struct qn_str name;
        int r = qn_analyse_read_name(params, &name);

        if (r == 0)
                r = qn_packument_facts(input, name, &t->arena, &facts, reterr);
        if (r == 0)
                r = qn_analyse_write_facts(reply, &facts);
        qn_arena_reset(&t->arena, ARENA_KEEP);
        return r;
}

static int run_rewrite(void *ctx, struct qn_cur params, const struct qn_cur *inputs,
                       struct qn_role_output *out, struct qn_err *reterr)
{
        struct qn_cur beside = inputs[1 + QN_BESIDE_PARAMS];
        struct tables *t = ctx;
        struct qn_packument_rewrite w;
        int r = qn_analyse_read_rewrite(qn_cur_left(&params) ? params : beside, &t->arena, &w);

        if (r == 0)
                r = qn_packument_rewrite(inputs[0], &w, &t->arena, qn_role_write, out, reterr);
        qn_arena_reset(&t->arena, ARENA_KEEP);
        return r;
}

static int run_squeeze(void *ctx QN_UNUSED, struct qn_cur params, const struct qn_cur *inputs,
                       struct qn_role_output *out, struct qn_err *reterr QN_UNUSED)
{
        enum qn_compression as;
        int r = qn_analyse_read_squeeze(params, &as);

        return r < 0 ? r : qn_compress(inputs[0], as, qn_role_write, out);
}

static int run_audit(void *ctx, struct qn_cur params, struct qn_cur input, struct qn_buf *reply,
                     struct qn_err *reterr)
{
        struct tables *t = ctx;
        enum qn_audit_kind kind;
        struct qn_audit audit;
        int r = qn_analyse_read_audit_kind(params, &kind);

        if (r == 0)
                r = qn_audit_read(input, kind, &t->arena, &audit, reterr);
        if (r == 0)
                r = qn_analyse_write_pairs(reply, &audit);
        qn_arena_reset(&t->arena, ARENA_KEEP);
        return r;
}

static const struct qn_role_job jobs[] = {
        { QN_JOB_ANALYSE, QN_EVENTS_REPLY_MAX, QN_PKG_SECONDS, .run_beside = run_analyse },
        { QN_JOB_PICK, QN_PICK_REPLY_MAX, QN_PKG_SECONDS, run_pick },
        { QN_JOB_LOCK, QN_ROLE_REPLY_MAX, QN_PKG_SECONDS, run_lock },
        { QN_JOB_CACHED, QN_CACHED_REPLY_MAX, QN_PKG_SECONDS, run_cached },
        { QN_JOB_NPMRC, QN_NPMRC_REPLY_MAX, QN_PKG_SECONDS, run_npmrc },
        { QN_JOB_WORKSPACE, sizeof(uint32_t), QN_PKG_SECONDS, run_workspace },
        { QN_JOB_PROVENANCE, QN_EVENTS_REPLY_MAX, QN_PKG_SECONDS, run_provenance },
        { QN_JOB_FEED, QN_FEED_REPLY_MAX, QN_FEED_SECONDS, run_feed },
        { QN_JOB_CHANGES, QN_FEED_REPLY_MAX, QN_FEED_SECONDS, run_changes },
        { QN_JOB_REPLICA, QN_FEED_REPLY_MAX, QN_FEED_SECONDS, run_replica },
        { QN_JOB_BOM, QN_ROLE_REPLY_MAX, QN_PKG_SECONDS, .run_beside = run_bom },
        { QN_JOB_INSTALLED, QN_ROLE_REPLY_MAX, QN_PKG_SECONDS, run_installed },
        { QN_JOB_CACHE, QN_ROLE_REPLY_MAX, QN_PKG_SECONDS, run_cache },
        { QN_JOB_COLLECTION, QN_ROLE_REPLY_MAX, QN_PKG_SECONDS, run_collection },
        { QN_JOB_IMAGE, QN_ROLE_REPLY_MAX, QN_IMAGE_SECONDS, run_image },
        { QN_JOB_DEPENDENCY, QN_EVENTS_REPLY_MAX, QN_PKG_SECONDS, .run_beside = run_dependency },
        { QN_JOB_CONTENTS, QN_ROLE_REPLY_MAX, QN_PKG_SECONDS, run_contents },
        { QN_JOB_FACTS, QN_FACTS_REPLY_MAX, QN_PKG_SECONDS, run_facts },
        { QN_JOB_REWRITE, 0, QN_PKG_SECONDS, .run_output = run_rewrite,
          .output_max = QN_ROLE_OUTPUT_MAX },
        { QN_JOB_SQUEEZE, 0, QN_PKG_SECONDS, .run_output = run_squeeze,
          .output_max = QN_ROLE_OUTPUT_MAX },
        { QN_JOB_AUDIT, QN_AUDIT_REPLY_MAX, QN_PKG_SECONDS, run_audit },
        { QN_JOB_DIGESTS, QN_FACTS_REPLY_MAX, QN_PKG_SECONDS, run_digests },
        { QN_JOB_RECORD, QN_FACTS_REPLY_MAX, QN_PKG_SECONDS, .run_beside = run_record },
};

const struct qn_role_def qn_role_analyse = { QN_ROLE_ANALYSE, open_tables, jobs,
                                             QN_ARRAY_SIZE(jobs) };
