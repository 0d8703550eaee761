#include "check/check.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/map.h"
#include "check/crowd.h"
#include "check/dependency.h"
#include "check/intel.h"
#include "check/item.h"
#include "check/job.h"
#include "check/local.h"
#include "check/lock.h"
#include "observe/imprint.h"
#include "parse/lock.h"
#include "parse/semver.h"
#include "role/analyse.h"
#include "role/digests-wire.h"
#include "role/pool.h"
#include "role/registry.h"
#include "rule/result.h"

#define TURN_MS 250
#define FETCHES_MAX \
        24u /* open questions to registry or cache: each may hold a descriptor and a body */

struct queue {
        struct qn_item *head, **tail;
};

struct qn_check {
        struct qn_check_config config;
        const struct qn_rules *rules;
        struct qn_pool *pool;
        struct qn_registry *registry;
        struct qn_item **items;
        size_t n, cap, done, fetching;
        size_t open;             /* streamed items without a result */
        struct qn_item *retired; /* streamed items that had one: freed when nobody works on them */
        size_t targets;
        struct queue fetch, jobs; /* items that wait for the network, for a worker */
        struct queue parked;      /* items that wait for all others */
        size_t n_parked;
        struct qn_crowd crowd; /* what packages have in common */
        size_t waiting;        /* those among the latter that hold descriptors */
        struct qn_arena mem;
        struct qn_map seen; /* artifacts, so that each is analysed once */
        int error;          /* of config.result */
        struct qn_str last; /* name of the package that was finished last, for the progress line */
};

struct task { /* what a callback needs to know */
        struct qn_check *check;
        struct qn_item *item;
};

static void on_job(void *ctx, const struct qn_pool_result *result);
static void judge(struct qn_check *c, struct qn_item *it);

/* --- items --- */

static struct qn_item *add_item(struct qn_check *c, size_t order, const char *target)
{
        struct qn_item *it;

        if (c->n == c->cap) {
                size_t cap = c->cap ? c->cap * 2 : 64;
                struct qn_item **items = realloc(c->items, cap * sizeof *items);

                if (!items)
                        return NULL;
                c->items = items;
                c->cap = cap;
        }
        it = qn_item_new(order, target, &c->mem);
        if (it)
                c->items[c->n++] = it;
        return it;
}

/* No more than a name is kept of what is done, so that memory does not grow with a lock file. */
static void retire(struct qn_check *c, struct qn_item *it)
{
        it->state = QN_ITEM_DONE;
        if (it->streamed) {
                it->next = c->retired;
                c->retired = it;
                c->open--;
                return;
        }
        qn_item_close(it);
        qn_closep(&it->bytes);
        c->done++;
        c->last = it->name.n ? it->name : qn_str_c(it->target);
        qn_arena_done(&it->mem);
}

/* What is known about it counts all the more when it could not be looked at: bad packages are taken down. */
static void ask_intel(struct qn_check *c, struct qn_item *it)
{
        struct qn_verdict known;

        if (it->verdict.kind != QN_UNKNOWN || it->intel_asked || !c->config.intel)
                return;
        it->intel_asked = true;
        if (qn_check_intel_add(c->config.intel, it) == 0 &&
            qn_judge(c->rules, &it->set, &it->mem, &known) == 0 && known.kind > QN_UNKNOWN)
                it->verdict = known;
}

static void finished(struct qn_check *c, struct qn_item *it)
{
        struct qn_result res = { .target = qn_str_c(it->target) };
        int r;

        ask_intel(c, it);
        res.name = it->name;
        res.version = it->version;
        res.integrity = it->integrity;
        res.verdict = &it->verdict;
        res.set = &it->set;
        res.digests = it->digests.sha1.n ? &it->digests : NULL;
        res.elapsed_ns = it->elapsed_ns;
        res.publisher = it->publisher;
        res.published = it->published;
        res.tag = it->tag;
        res.unfetched = it->unfetched;
        res.imprint = it->imprint;
        r = c->config.result(c->config.user, &res);

        if (r < 0 && c->error == 0)
                c->error = r;
        retire(c, it);
}

static void forget_retired(struct qn_check *c)
{
        while (c->retired) {
                struct qn_item *it = c->retired;

                c->retired = it->next;
                qn_item_free(it);
        }
}

static void give_up(struct qn_check *c, struct qn_item *it, const char *why)
{
        qn_item_unknown(it, "%s", why);
        finished(c, it);
}

static void push(struct queue *q, struct qn_item *it)
{
        it->next = NULL;
        if (!q->head)
                q->tail = &q->head;
        *q->tail = it;
        q->tail = &it->next;
}

static void push_front(struct queue *q, struct qn_item *it)
{
        it->next = q->head;
        if (!q->head)
                q->tail = &it->next;
        q->head = it;
}

static struct qn_item *pop(struct queue *q)
{
        struct qn_item *it = q->head;

        if (it)
                q->head = it->next;
        return it;
}

/* What each kind of fetch leads to, and the document that it brings (QN_DOC_MAX: the artifact or a document to choose from). */
static const struct {
        enum qn_item_state next; /* 0: this state is none that fetches */
        enum qn_document doc;
} fetches[] = {
        [QN_ITEM_PACKUMENT] = { QN_ITEM_PICK, QN_DOC_MAX },
        [QN_ITEM_PREVIOUS] = { QN_ITEM_TARBALL, QN_DOC_MAX },
        [QN_ITEM_TARBALL] = { QN_ITEM_ANALYSE, QN_DOC_MAX },
        [QN_ITEM_ATTESTATIONS] = { QN_ITEM_PROVENANCE, QN_DOC_ATTESTATIONS },
        [QN_ITEM_EARLIER] = { QN_ITEM_PROVENANCE, QN_DOC_EARLIER },
        [QN_ITEM_KEYS] = { QN_ITEM_PROVENANCE, QN_DOC_KEYS },
        [QN_ITEM_DEPENDENCY] = { QN_ITEM_DEPENDED, QN_DOC_MAX },
        [QN_ITEM_DONE] = { 0 },
};

/* Puts the item where its new state has it wait. */
static void want(struct qn_check *c, struct qn_item *it, enum qn_item_state state)
{
        it->state = state;
        if (!fetches[state].next) {
                c->waiting += qn_item_descriptors(it) > 0;
                push(&c->jobs, it);
        } else if (qn_item_descriptors(it) > 0) {
                push_front(&c->fetch,
                           it); /* what holds a document is finished before another is fetched */
        } else {
                push(&c->fetch, it);
        }
}

/* --- targets --- */

/* Judges by what is known of a name and a version, and nothing else. */
static void judge_known(struct qn_check *c, struct qn_item *it)
{
        qn_event_set_init(&it->set, &it->mem);
        it->set.name = it->name;
        it->set.version = it->version;
        if (qn_event_set_seal(&it->set) < 0)
                give_up(c, it, "out of memory");
        else
                judge(c, it);
}

static int add_known_name(struct qn_check *c, struct qn_item *it, struct qn_str range)
{
        struct qn_semver v;

        if (qn_semver_parse(range, 0, &v) < 0) {
                give_up(c, it, "with --intel-only nothing is fetched: name one version");
                return 0;
        }
        if (qn_item_set(it, &it->version, range) < 0)
                return -ENOMEM;
        judge_known(c, it);
        return 0;
}

static int add_name(struct qn_check *c, const struct qn_target *t)
{
        struct qn_item *it = add_item(c, c->targets, t->arg);

        if (!it || qn_item_set(it, &it->name, t->name) < 0 ||
            qn_item_set(it, &it->range, t->range) < 0)
                return -ENOMEM;
        if (c->config.intel_only)
                return add_known_name(c, it, t->range);
        want(c, it, QN_ITEM_PACKUMENT);
        return 0;
}

static int add_path(struct qn_check *c, const char *arg, const char *path, enum qn_item_state state,
                    bool is_dir)
{
        struct qn_item *it = add_item(c, c->targets, arg);

        if (!it || qn_item_set(it, &it->path, qn_str_c(path)) < 0)
                return -ENOMEM;
        it->is_dir = is_dir;
        want(c, it, state);
        return 0;
}

/* A project: its own files as a package, and what its lock file names. */
static int add_dir(struct qn_check *c, const struct qn_target *t)
{
        struct qn_item *it;
        char lock[4096];
        int r = 0;

        if (!c->config.intel_only) {
                r = add_path(c, t->arg, t->arg, QN_ITEM_ANALYSE, true);
        } else if (qn_target_lock(t->arg, lock, sizeof lock) != 0) {
                it = add_item(c, c->targets, t->arg);
                if (!it)
                        return -ENOMEM;
                give_up(c, it, "with --intel-only a project needs a lock file: it has none");
                return 0;
        }
        if (r == 0 && qn_target_lock(t->arg, lock, sizeof lock) == 0)
                r = add_path(c, t->arg, lock, QN_ITEM_LOCK, false);
        return r;
}

int qn_check_add(struct qn_check *c, const struct qn_target *t)
{
        int r = -EINVAL;

        switch (t->kind) {
        case QN_TARGET_NAME:
                r = add_name(c, t);
                break;
        case QN_TARGET_ARCHIVE:
                r = add_path(c, t->arg, t->arg, QN_ITEM_ANALYSE, false);
                break;
        case QN_TARGET_LOCK:
                r = add_path(c, t->arg, t->arg, QN_ITEM_LOCK, false);
                break;
        case QN_TARGET_DIR:
                r = add_dir(c, t);
                break;
        }
        c->targets++;
        return r;
}

int qn_check_add_version(struct qn_check *c, struct qn_str name, struct qn_str version,
                         int packument, void *tag)
{
        _cleanup_(qn_closep) int doc = packument;
        struct qn_item *it = qn_item_new(0, "", NULL);

        if (!it || qn_item_set(it, &it->name, name) < 0 ||
            qn_item_set(it, &it->range, version) < 0) {
                qn_item_free(it);
                return -ENOMEM;
        }
        it->streamed = true;
        it->tag = tag;
        it->fd = TAKE_FD(doc);
        c->open++;
        want(c, it, it->fd >= 0 ? QN_ITEM_PICK : QN_ITEM_PACKUMENT);
        return 0;
}

size_t qn_check_under_way(const struct qn_check *c)
{
        return c->open;
}

struct qn_registry *qn_check_registry(const struct qn_check *c)
{
        return c->registry;
}

/* --- lock files --- */

/* The same artifact again is the same answer: 1 when it was there already. */
static int seen_before(struct qn_check *c, const struct qn_lock_package *p)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 20);
        struct qn_str key;

        qn_buf_str(&b, p->name);
        qn_buf_byte(&b, '\n');
        qn_buf_str(&b, p->version);
        qn_buf_byte(&b, '\n');
        qn_buf_str(&b, p->integrity.n ? p->integrity : p->resolved);
        key = qn_arena_dup(&c->mem, qn_buf_view(&b));
        if (qn_buf_error(&b) < 0 || !key.p)
                return -ENOMEM;
        return qn_map_add(&c->seen, &c->mem, key, 0, NULL);
}

/* With its history the document comes first: which bytes it is stays the lock file's word. */
static int want_pinned(struct qn_check *c, struct qn_item *it, bool listed)
{
        it->pinned = true;
        if (!c->config.history || !listed) {
                want(c, it, QN_ITEM_TARBALL);
                return 0;
        }
        if (qn_item_set(it, &it->range, it->version) < 0)
                return -ENOMEM;
        want(c, it, QN_ITEM_PACKUMENT);
        return 0;
}

/* It cannot be looked at like a name: the package itself still can. */
static void without_history(struct qn_check *c, struct qn_item *it, const char *why)
{
        char text[512];

        snprintf(text, sizeof text, "its history could not be looked at: %s", why);
        it->incomplete = qn_arena_dup(it->names, qn_str_c(text));
        qn_item_close(it);
        want(c, it, QN_ITEM_TARBALL);
}

static int add_entry(struct qn_check *c, const struct qn_item *lock,
                     const struct qn_lock_package *p)
{
        struct qn_item *it;
        const char *why;
        int r;

        /* Links lead to directories of the project, bundled packages are inside a tarball that is analysed as a whole. */
        if (p->kind == QN_LOCK_LINK || p->kind == QN_LOCK_WORKSPACE || p->bundled)
                return 0;
        r = seen_before(c, p);
        if (r != 0)
                return r < 0 ? r : 0;
        it = add_item(c, lock->order, lock->target);
        if (!it || qn_item_set(it, &it->name, p->name) < 0 ||
            qn_item_set(it, &it->version, p->version) < 0 ||
            qn_item_set(it, &it->resolved, p->resolved) < 0 ||
            qn_item_set(it, &it->integrity, p->integrity) < 0)
                return -ENOMEM;
        it->optional = p->optional;
        why = qn_check_why_not_fetched(p);
        if (why)
                give_up(c, it, why);
        else if (c->config.intel_only)
                judge_known(c, it);
        else
                return want_pinned(c, it, p->kind == QN_LOCK_REGISTRY);
        return 0;
}

static void take_lock(struct qn_check *c, struct qn_item *it, struct qn_cur reply)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(QN_JSON_MAX);
        struct qn_lock lock = { 0 };
        struct qn_err err = { 0 };
        int r = qn_check_read_lock(it->path, reply, &a, &lock, &err);

        for (size_t i = 0; r == 0 && i < lock.n; i++)
                r = add_entry(c, it, &lock.packages[i]);
        if (r < 0) {
                give_up(c, it, err.msg[0] ? err.msg : "the lock file could not be taken over");
                return;
        }
        retire(c, it);
}

/* --- fetching --- */

static void not_fetched(struct qn_item *it, const struct qn_fetched *f)
{
        it->unfetched = true;
        if (it->refetch)
                qn_item_unknown(it, "npm's cached copy does not match its integrity, and %s",
                                f->message);
        else if (it->optional && f->code == QN_HTTP_OFFLINE)
                qn_item_unknown(it,
                                "%s (it is optional, and npm fetches such packages only for the "
                                "systems they are made for)",
                                f->message);
        else
                qn_item_unknown(it, "%s", f->message);
}

/* That a document about a package is not there is told by what looks at the others. */
static void take_document(struct qn_check *c, struct qn_item *it, struct qn_fetched *f)
{
        enum qn_item_state next = fetches[it->doing].next;

        if (f->code == QN_HTTP_OK)
                it->docs[fetches[it->doing].doc] = TAKE_FD(f->fd);
        if (it->doing == QN_ITEM_ATTESTATIONS) {
                it->unreachable = f->code != QN_HTTP_OK;
                if (!it->unreachable && it->earlier.n)
                        next = QN_ITEM_EARLIER;
        }
        want(c, it, next);
}

static void look_around(struct qn_check *c, struct qn_item *it);

/* A registry that does not know a new dependency is a fact; one that does not answer makes the look incomplete. */
static void take_dependency(struct qn_check *c, struct qn_item *it, struct qn_fetched *f)
{
        if (f->code == QN_HTTP_OK) {
                it->fd = TAKE_FD(f->fd);
                want(c, it, QN_ITEM_DEPENDED);
                return;
        }
        if (f->code != QN_HTTP_OFFLINE && f->status != 404)
                it->incomplete = QN_STR("a new dependency could not be looked up");
        qn_check_dependency_without(it,
                                    f->status == 404 ? "dependency-missing" : "dependency-unseen");
        look_around(c, it);
}

static void on_fetched(struct qn_fetched *f, void *user)
{
        _cleanup_(qn_freep) struct task *task = user;
        struct qn_check *c = task->check;
        struct qn_item *it = task->item;

        c->fetching--;
        if (fetches[it->doing].doc != QN_DOC_MAX) {
                take_document(c, it, f);
        } else if (it->doing == QN_ITEM_DEPENDENCY) {
                take_dependency(c, it, f);
        } else if (it->doing == QN_ITEM_PREVIOUS) {
                if (f->code == QN_HTTP_OK)
                        it->previous = TAKE_FD(f->fd);
                want(c, it, QN_ITEM_TARBALL); /* without it the package is looked at alone */
        } else if (f->code == QN_HTTP_OK) {
                it->fd = TAKE_FD(f->fd);
                it->from_cache = f->from != QN_FROM_NETWORK;
                want(c, it, fetches[it->doing].next);
        } else if (it->pinned && it->doing == QN_ITEM_PACKUMENT) {
                without_history(c, it, f->message);
        } else {
                not_fetched(it, f);
                finished(c, it);
        }
}

static int ask_tarball(struct qn_check *c, struct qn_item *it, struct task *task)
{
        const struct qn_tarball_want own = {
                .name = it->name,
                .version = it->version,
                .resolved = it->resolved,
                .integrity = it->integrity,
                .skip_cache = it->refetch,
        };
        const struct qn_tarball_want previous = {
                .name = it->name,
                .version = it->before.version,
                .resolved = it->before.tarball,
                .integrity = it->before.integrity,
        };

        return qn_registry_tarball(c->registry, it->state == QN_ITEM_PREVIOUS ? &previous : &own,
                                   on_fetched, task);
}

static int ask(struct qn_check *c, struct qn_item *it, struct task *task)
{
        switch (it->state) {
        case QN_ITEM_PACKUMENT:
                return qn_registry_packument(c->registry, it->name, true, on_fetched, task);
        case QN_ITEM_ATTESTATIONS:
                return qn_registry_attestations(c->registry, it->name, it->version, on_fetched,
                                                task);
        case QN_ITEM_EARLIER:
                return qn_registry_attestations(c->registry, it->name, it->earlier, on_fetched,
                                                task);
        case QN_ITEM_DEPENDENCY:
                return qn_registry_packument(c->registry, qn_check_dependency(it)->name, true,
                                             on_fetched, task);
        case QN_ITEM_KEYS:
                return qn_registry_keys(c->registry, it->name, on_fetched, task);
        default:
                return ask_tarball(c, it, task);
        }
}

static void start_fetch(struct qn_check *c, struct qn_item *it)
{
        struct task *task = malloc(sizeof *task);
        int r = -ENOMEM;

        if (!c->registry) {
                free(task);
                give_up(c, it, "nothing can be fetched: npm's configuration names no registry");
                return;
        }
        if (task) {
                *task = (struct task){ c, it };
                r = ask(c, it, task);
        }
        if (r < 0) {
                free(task);
                give_up(c, it, "out of memory while fetching");
                return;
        }
        it->doing = it->state;
        it->state = QN_ITEM_BUSY;
        c->fetching++;
}

/* --- jobs for the analyse role --- */

static void judge(struct qn_check *c, struct qn_item *it)
{
        int r = qn_item_join(it);

        if (r == 0 && c->config.intel)
                r = qn_check_intel_add(c->config.intel, it);
        it->intel_asked = true;
        if (r == 0)
                r = qn_judge(c->rules, &it->set, &it->mem, &it->verdict);
        if (r < 0) {
                give_up(c, it, "its events do not fit into memory");
                return;
        }
        qn_item_fail_closed(it);
        if (c->config.digests && it->bytes >= 0 && it->verdict.kind >= QN_SUSPICIOUS)
                want(c, it, QN_ITEM_DIGESTS);
        else
                finished(c, it);
}

/* All that can be known of it alone is known: judges it, or lets it wait until all others are as far. */
static void settle(struct qn_check *c, struct qn_item *it)
{
        int r = qn_item_join(it);

        if (r == 0 && !it->streamed)
                r = qn_crowd_note(&c->crowd, it);
        if (r < 0 || (r > 0 && c->n_parked == QN_PARKED_MAX)) {
                it->incomplete =
                        QN_STR("there are more packages than are compared with each other");
                r = 0;
        }
        if (r == 0) {
                judge(c, it);
                return;
        }
        qn_item_close(it);
        it->state = QN_ITEM_WAITING;
        c->n_parked++;
        push(&c->parked, it);
}

/* When nothing else is left to be done. */
static void judge_parked(struct qn_check *c)
{
        while (c->parked.head) {
                struct qn_item *it = pop(&c->parked);

                qn_crowd_tell(&c->crowd, it);
                judge(c, it);
        }
}

/* What was seen in the package counts all the same; clean it cannot be. */
static void without_documents(struct qn_check *c, struct qn_item *it, const char *why)
{
        char text[512];

        snprintf(text, sizeof text, "what the registry says about it could not be analysed: %s",
                 why);
        it->incomplete = qn_arena_dup(it->names, qn_str_c(text));
        settle(c, it);
}

static void not_handed_over(struct qn_check *c, struct qn_item *it, const char *why)
{
        if (it->state == QN_ITEM_DIGESTS) {
                finished(c, it); /* the verdict stands without them */
                return;
        }
        if (it->state == QN_ITEM_PROVENANCE) {
                without_documents(c, it, why);
                return;
        }
        qn_item_unknown(it, "it cannot be handed to the analysis: %s", why);
        finished(c, it);
}

static void start_job(struct qn_check *c, struct qn_item *it)
{
        _cleanup_(qn_buf_done) struct qn_buf params = QN_BUF_INIT(1 << 20);
        struct qn_pool_job job = { .user = it };
        struct qn_err err = { 0 };
        int r;

        if (it->state == QN_ITEM_DIGESTS) {
                it->fd = TAKE_FD(it->bytes);
        } else if (it->state != QN_ITEM_PROVENANCE && !qn_check_local(&c->config, it)) {
                finished(c, it);
                return;
        }
        if (it->state == QN_ITEM_ANALYSE && c->config.digests)
                qn_item_keep_bytes(it);
        r = qn_check_job(&c->config, it, &params, &job, &err);
        if (r == 0)
                r = qn_pool_submit(c->pool, &job);
        if (r < 0) {
                qn_msg_beside_close(&job.beside);
                not_handed_over(c, it, err.msg[0] ? err.msg : strerror(-r));
                return;
        }
        it->fd = -1; /* the pool's from here */
        it->doing = it->state;
        it->state = QN_ITEM_BUSY;
}

static int set_before(struct qn_item *it, const struct qn_analyse_pick *p)
{
        int r = qn_item_set(it, &it->before.version, p->version);

        if (r == 0)
                r = qn_item_set(it, &it->before.tarball, p->tarball);
        return r < 0 ? r : qn_item_set(it, &it->before.integrity, p->integrity);
}

static void take_pick(struct qn_check *c, struct qn_item *it, struct qn_cur reply)
{
        struct qn_analyse_picked pick = { 0 };
        struct qn_err err = { 0 };
        int r = qn_analyse_read_pick(reply, &pick, &err);

        if (r == 0)
                r = qn_item_set(it, &it->version, pick.it.version);
        if (r == 0 && !it->resolved.n)
                r = qn_item_set(it, &it->resolved, pick.it.tarball);
        if (r == 0 && !it->integrity.n)
                r = qn_item_set(it, &it->integrity, pick.it.integrity);
        if (r == 0)
                r = qn_item_set(it, &it->earlier, pick.earlier);
        if (r == 0)
                r = qn_item_set(it, &it->publisher, pick.publisher);
        if (r == 0 && !c->config.alone)
                r = set_before(it, &pick.before);
        if (r < 0) {
                give_up(c, it,
                        err.msg[0] ? err.msg : "the registry's document could not be taken over");
                return;
        }
        it->published = pick.published;
        it->attested = pick.attested;
        it->from_cache = false;
        want(c, it, it->before.version.n ? QN_ITEM_PREVIOUS : QN_ITEM_TARBALL);
}

/* Something to look at besides the package itself. */
static bool has_documents(const struct qn_check *c, const struct qn_item *it)
{
        return it->packument >= 0 ||
               (it->path.p && c->config.docs && c->config.docs[QN_DOC_ATTESTATIONS] >= 0);
}

/* It has its events: what else can be asked about it, one thing after the other. */
static void look_around(struct qn_check *c, struct qn_item *it)
{
        if (qn_check_dependency(it))
                want(c, it, QN_ITEM_DEPENDENCY);
        else if (!has_documents(c, it))
                settle(c, it);
        else
                want(c, it,
                     it->attested && c->registry ? QN_ITEM_ATTESTATIONS : QN_ITEM_PROVENANCE);
}

/* What follows its events. */
static int take_imprint(struct qn_item *it, struct qn_cur reply)
{
        struct qn_imprint *m = QN_ARENA_NEW(&it->mem, struct qn_imprint);
        int r = m ? qn_analyse_read_imprint(reply, m) : -ENOBUFS;

        if (r == 0)
                it->imprint = m;
        return r;
}

static void take_events(struct qn_check *c, struct qn_item *it, struct qn_cur reply)
{
        struct qn_err err = { 0 };
        int r = qn_event_set_read(&reply, &it->mem, &it->set, &err);

        if (r == 0 && it->from_cache && !it->refetch &&
            qn_event_set_says(&it->set, QN_EVENT_UNANALYSED, "integrity")) {
                it->refetch = true;
                want(c, it, QN_ITEM_TARBALL);
                return;
        }
        if (r == 0 && c->config.imprint)
                r = take_imprint(it, reply);
        if (r == 0)
                r = qn_item_identify(it);
        if (r == 0 && c->registry && it->before.version.n)
                r = qn_check_dependencies(it);
        if (r < 0)
                give_up(c, it, err.msg[0] ? err.msg : "its events do not fit into memory");
        else
                look_around(c, it);
}

/* The reply about a new dependency; p NULL: there is none. */
static void take_depended(struct qn_check *c, struct qn_item *it, struct qn_cur reply)
{
        if (!reply.p) {
                qn_check_dependency_without(it, "dependency-unseen");
                it->incomplete = QN_STR("a new dependency's document could not be analysed");
        } else if (qn_check_dependency_take(it, reply) < 0) {
                it->incomplete = QN_STR("a new dependency's events do not fit into memory");
        }
        look_around(c, it);
}

/* A key that is not built in: the registry may know it. */
static bool lacks_keys(const struct qn_event_set *set)
{
        for (size_t i = 0; i < set->n; i++) {
                uint8_t kind = set->events[i].kind;

                if ((kind == QN_EVENT_SIGNATURE || kind == QN_EVENT_PROVENANCE) &&
                    qn_str_is(qn_event_get(&set->events[i], QN_ATTR_WHAT), "unknown-key"))
                        return true;
        }
        return false;
}

static void take_provenance(struct qn_check *c, struct qn_item *it, struct qn_cur reply)
{
        struct qn_event_set seen, merged;
        struct qn_err err = { 0 };
        int r = qn_event_set_read(&reply, &it->mem, &seen, &err);

        if (r == 0 && lacks_keys(&seen) && c->registry && !it->path.p && !it->keys_asked) {
                it->keys_asked = true;
                want(c, it, QN_ITEM_KEYS);
                return;
        }
        if (r == 0)
                r = qn_event_set_merge(&it->set, &seen, &it->mem, &merged);
        if (r < 0) {
                without_documents(c, it,
                                  err.msg[0] ? err.msg : "its events do not fit into memory");
                return;
        }
        it->set = merged;
        settle(c, it);
}

static void take_digests(struct qn_check *c, struct qn_item *it, const struct qn_pool_result *res)
{
        struct qn_digests d;

        if (res->status == QN_POOL_OK && qn_digests_wire_read(res->reply, &it->mem, &d) == 0)
                it->digests = d;
        finished(c, it);
}

static void on_job(void *ctx, const struct qn_pool_result *res)
{
        struct qn_check *c = ctx;
        struct qn_item *it = res->user;

        it->elapsed_ns += res->elapsed_ns;
        if (it->doing == QN_ITEM_DIGESTS)
                take_digests(c, it, res);
        else if (it->doing == QN_ITEM_DEPENDED)
                take_depended(c, it, res->status == QN_POOL_OK ? res->reply : (struct qn_cur){ 0 });
        else if (res->status != QN_POOL_OK && it->doing == QN_ITEM_PROVENANCE)
                without_documents(c, it, res->why);
        else if (res->status != QN_POOL_OK && it->doing == QN_ITEM_PICK && it->pinned)
                without_history(c, it, res->why);
        else if (res->status != QN_POOL_OK)
                give_up(c, it, res->why);
        else if (it->doing == QN_ITEM_LOCK)
                take_lock(c, it, res->reply);
        else if (it->doing == QN_ITEM_PICK)
                take_pick(c, it, res->reply);
        else if (it->doing == QN_ITEM_PROVENANCE)
                take_provenance(c, it, res->reply);
        else
                take_events(c, it, res->reply);
}

/* --- the whole run --- */

static unsigned processors(void)
{
        long n = sysconf(_SC_NPROCESSORS_ONLN);

        return n < 1 ? 1 : n > 64 ? 64 : (unsigned)n;
}

int qn_check_new(const struct qn_check_config *config, struct qn_check **ret, struct qn_err *reterr)
{
        _cleanup_(qn_check_freep) struct qn_check *c = calloc(1, sizeof *c);
        struct qn_pool_config pool = {
                .def = &qn_role_analyse,
                .data_dir = config->data_dir,
                .cache_dir = config->cache_dir,
                .no_sandbox = config->no_sandbox,
                .done = on_job,
        };
        int r;

        if (!c)
                return -ENOMEM;
        c->config = *config;
        c->mem = QN_ARENA_INIT((size_t)1 << 30);
        qn_crowd_init(&c->crowd);
        pool.workers = config->workers ? config->workers : processors();
        pool.ctx = c;
        r = qn_pool_new(&pool, &c->pool, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

void qn_check_know(struct qn_check *c, struct qn_check_intel *intel)
{
        c->config.intel = intel;
}

void qn_check_judge_by(struct qn_check *c, const struct qn_rules *rules)
{
        c->rules = rules;
}

struct qn_pool *qn_check_pool(const struct qn_check *c)
{
        return c->pool;
}

int qn_check_connect(struct qn_check *c, const struct qn_npmconf *npm)
{
        const struct qn_registry_config config = { .conf = npm,
                                                   .pool = c->pool,
                                                   .no_sandbox = c->config.no_sandbox,
                                                   .no_cache = c->config.no_cache,
                                                   .foreign = c->config.foreign };

        return qn_registry_new(&config, &c->registry);
}

struct qn_check *qn_check_free(struct qn_check *c)
{
        if (!c)
                return NULL;
        qn_pool_free(c->pool);
        qn_registry_free(c->registry);
        for (size_t i = 0; i < c->n; i++)
                qn_item_free(c->items[i]);
        free(c->items);
        forget_retired(c);
        qn_crowd_done(&c->crowd);
        qn_arena_done(&c->mem);
        free(c);
        return NULL;
}

void qn_check_freep(struct qn_check **c)
{
        qn_check_free(*c);
}

/* Starts what can be started.  Fetched bodies wait for a worker, so fetching stops while enough of them do. */
static void start(struct qn_check *c)
{
        for (size_t room = qn_pool_room(c->pool); room && c->jobs.head; room--) {
                struct qn_item *it = pop(&c->jobs);

                c->waiting -= qn_item_descriptors(it) > 0;
                start_job(c, it);
        }
        while (c->fetching + c->waiting < FETCHES_MAX && c->fetch.head)
                start_fetch(c, pop(&c->fetch));
}

int qn_check_turn(struct qn_check *c, int timeout_ms, struct qn_err *reterr)
{
        struct pollfd fds[2] = { { .fd = qn_pool_fd(c->pool), .events = POLLIN },
                                 { .fd = -1, .events = POLLIN } };
        int timeout = qn_pool_timeout(c->pool), r;

        start(c);
        forget_retired(c);
        if (c->registry)
                fds[1].fd = qn_registry_fd(c->registry);
        if (timeout < 0 || timeout > timeout_ms)
                timeout = timeout_ms;
        if (poll(fds, 2, timeout) < 0 && errno != EINTR)
                return -errno;
        r = qn_pool_poll(c->pool, 0, reterr);
        if (r < 0)
                return r;
        if (c->registry) {
                r = qn_registry_poll(c->registry, 0, reterr);
                if (r < 0 && !reterr->msg[0])
                        qn_fail(reterr, r, 0, "the network cannot be used: %s", strerror(-r));
                if (r < 0)
                        return r;
        }
        return 0;
}

int qn_check_run(struct qn_check *c, qn_check_step *step, void *user, struct qn_err *reterr)
{
        while (c->done < c->n && c->error == 0) {
                int r;

                start(c);
                if (c->done < c->n && (c->fetching || qn_pool_pending(c->pool))) {
                        r = qn_check_turn(c, TURN_MS, reterr);
                        if (r < 0)
                                return r;
                } else if (!c->jobs.head && !c->fetch.head) {
                        judge_parked(c);
                }
                if (step)
                        step(user, c->done, c->n, c->last);
        }
        return c->error;
}
