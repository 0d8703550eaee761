#include "campaign/track.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/map.h"
#include "campaign/facts.h"
#include "campaign/names.h"
#include "campaign/pieces.h"
#include "observe/popular.h"
#include "parse/packument.h"
#include "store/versions.h"

#define NONE        UINT32_MAX
#define WALKED_MAX  4096u /* members whose facts are added one by one */
#define EARLIER_MAX 64u   /* versions of a package that are looked at */
#define TABLES_MAX  ((size_t)64 << 20)
#define ONE_MAX     ((size_t)1 << 20)

struct member {
        int64_t version;
        uint32_t package, earlier; /* earlier: the version of that package that came before; NONE */
        uint32_t owner, scope, time, signs;
        uint32_t
                held; /* where its facts are counted; of a root: those of its cluster.  0: nowhere */
};

struct package {
        uint64_t key;
        uint32_t last;    /* member */
        uint32_t born;    /* signs of its first version, if that was seen */
        uint32_t counted; /* in which campaign, + 1 */
};

struct campaign {
        char id[QN_CAMPAIGN_ID_BYTES];
        int64_t founded;
        enum qn_verdict_kind verdict;
        struct qn_str rule, title; /* of a rule, or in the arena of what was loaded */
        uint32_t packages, told;   /* those that it reaches */
        bool patterned, dismissed; /* dismissed: when it was last looked at */
};

/* Facts of a cluster with at least two packages. */
struct held {
        struct qn_facts facts;
        uint32_t campaign; /* number + 1; 0: it is none */
        uint64_t rules;    /* that were true of it */
        uint32_t origin;   /* owner of who had it long before all others did; 0: nobody */
};

#define LIST(type)             \
        struct {               \
                type *v;       \
                size_t n, cap; \
        }

struct joint {
        uint32_t from, to; /* campaigns */
};

struct qn_track {
        struct qn_arena tables, loaded;
        struct qn_campaign_rules *rules;
        struct qn_popular *popular;
        struct qn_clusters *clusters;
        struct qn_generators *generators;
        struct qn_pieces index; /* of packages */
        LIST(struct member) members;
        LIST(struct package) packages;
        LIST(struct held) held;
        LIST(uint32_t) free; /* places in held */
        LIST(struct campaign) campaigns;
        LIST(uint32_t) arrived;    /* members of what became part of another cluster */
        LIST(struct joint) joints; /* campaigns that became one */
        LIST(int64_t) raise;
        size_t max, kept; /* members; of those at a start */
        bool all;         /* everybody in the cluster is new to the campaign */
        bool reopened;    /* it was dismissed, and is one again */
        int failed;       /* -ENOMEM where nobody could be told */
};

/* Room for one more in a LIST; 0 or -ENOMEM. */
static int room(void **v, size_t n, size_t *cap, size_t size)
{
        size_t want = *cap ? *cap * 2 : 64;
        void *more;

        if (n < *cap)
                return 0;
        more = reallocarray(*v, want, size);
        if (!more)
                return -ENOMEM;
        *v = more;
        *cap = want;
        return 0;
}
#define PUSH(list, ...)                                                                         \
        ({                                                                                      \
                int r_ = room((void **)&(list)->v, (list)->n, &(list)->cap, sizeof *(list)->v); \
                if (r_ == 0)                                                                    \
                        (list)->v[(list)->n++] = (__VA_ARGS__);                                 \
                r_;                                                                             \
        })

/* --- its life --- */

static uint64_t hash_of_package(const void *owner, uint32_t number)
{
        const struct qn_track *t = owner;

        return t->packages.v[number].key;
}

static void empty(struct qn_track *t)
{
        qn_clusters_free(t->clusters);
        qn_generators_free(t->generators);
        qn_pieces_done(&t->index);
        t->clusters = NULL;
        t->generators = NULL;
        t->members.n = t->packages.n = t->held.n = t->free.n = t->campaigns.n = 0;
        t->arrived.n = t->joints.n = 0;
        t->failed = 0;
        t->all = false;
        qn_arena_reset(&t->loaded, 0);
}

static void on_join(void *ctx, uint32_t root, uint32_t other);

static int fill(struct qn_track *t)
{
        empty(t);
        t->clusters = qn_clusters_new(t->max);
        t->generators = qn_generators_new();
        t->index = (struct qn_pieces){ .hash_of = hash_of_package, .owner = t };
        if (!t->clusters || !t->generators)
                return -ENOMEM;
        qn_clusters_on_join(t->clusters, on_join, t);
        return PUSH(&t->held, (struct held){ .campaign = 0 }); /* the first place stands for none */
}

int qn_track_new(const char *data_dir, struct qn_track **ret, struct qn_err *reterr)
{
        struct qn_track *t = calloc(1, sizeof *t);
        int r;

        if (!t)
                return -ENOMEM;
        qn_track_limit(t, QN_TRACK_MEMBERS_MAX, QN_TRACK_MEMBERS_KEPT);
        t->tables = QN_ARENA_INIT(TABLES_MAX);
        t->loaded = QN_ARENA_INIT(TABLES_MAX);
        r = qn_campaign_rules_load(data_dir, &t->tables, &t->rules, reterr);
        if (r == 0)
                r = qn_popular_load(data_dir, &t->tables, &t->popular, reterr);
        if (r == 0)
                r = fill(t);
        if (r == 0)
                *ret = t;
        else
                qn_track_free(t);
        return r;
}

struct qn_track *qn_track_free(struct qn_track *t)
{
        if (!t)
                return NULL;
        empty(t);
        free(t->members.v);
        free(t->packages.v);
        free(t->held.v);
        free(t->free.v);
        free(t->campaigns.v);
        free(t->arrived.v);
        free(t->joints.v);
        free(t->raise.v);
        qn_arena_done(&t->tables);
        qn_arena_done(&t->loaded);
        free(t);
        return NULL;
}

void qn_track_freep(struct qn_track **t)
{
        *t = qn_track_free(*t);
}

void qn_track_limit(struct qn_track *t, size_t max, size_t kept)
{
        t->max = max;
        t->kept = kept;
}

size_t qn_track_count(const struct qn_track *t)
{
        return t->members.n;
}

size_t qn_track_bytes(const struct qn_track *t)
{
        return sizeof *t + qn_clusters_bytes(t->clusters) + qn_generators_bytes(t->generators) +
               qn_pieces_bytes(&t->index) + t->members.n * sizeof *t->members.v +
               t->packages.n * sizeof *t->packages.v + t->held.n * sizeof *t->held.v;
}

uint32_t qn_track_step(uint32_t n)
{
        static const uint32_t within[] = { 1, 2, 5 };
        uint32_t best = 0;

        for (uint64_t ten = 1; ten <= n; ten *= 10)
                for (size_t i = 0; i < QN_ARRAY_SIZE(within); i++)
                        if (within[i] * ten <= n && within[i] * ten >= 5)
                                best = (uint32_t)(within[i] * ten);
        return best;
}

/* --- facts of clusters --- */

static bool is_counted(const struct qn_track *t, const struct member *m, uint32_t number,
                       uint32_t held, uint32_t root, uint32_t other)
{
        uint32_t of = m->held == held ? qn_cluster_of(t->clusters, number) : NONE;

        return of == root || of == other;
}

/* Adds a member to the facts of a cluster; other: the root of those that are on their way to it. */
static void count(struct qn_track *t, uint32_t number, uint32_t held, uint32_t root, uint32_t other)
{
        struct member *m = &t->members.v[number];
        struct qn_facts_of v = { .owner = m->owner,
                                 .scope = m->scope,
                                 .time = m->time,
                                 .signs = m->signs,
                                 .kinds = qn_cluster_why(t->clusters, number).kinds };
        uint32_t at = t->packages.v[m->package].last;

        for (unsigned i = 0; i < EARLIER_MAX && at != NONE; i++) {
                const struct member *e = &t->members.v[at];

                if (at != number && is_counted(t, e, at, held, root, other)) {
                        v.again = true;
                        v.had |= e->signs;
                }
                at = e->earlier;
        }
        qn_facts_add(&t->held.v[held].facts, &v, qn_campaign_window(t->rules));
        m->held = held;
}

static void count_all(struct qn_track *t, uint32_t from, uint32_t held, uint32_t root,
                      uint32_t other)
{
        uint32_t at = from;

        do {
                count(t, at, held, root, other);
                at = qn_cluster_next(t->clusters, at);
        } while (at != from);
}

static int new_held(struct qn_track *t, uint32_t *ret)
{
        if (t->free.n) {
                *ret = t->free.v[--t->free.n];
                t->held.v[*ret] = (struct held){ .campaign = 0 };
                return 0;
        }
        *ret = (uint32_t)t->held.n;
        return PUSH(&t->held, (struct held){ .campaign = 0 });
}

static bool is_earlier(const struct campaign *a, const struct campaign *b)
{
        return a->founded != b->founded ? a->founded < b->founded : strcmp(a->id, b->id) < 0;
}

static int join_campaigns(struct qn_track *t, struct held *to, const struct held *from)
{
        uint32_t a = to->campaign, b = from->campaign;

        if (!b || a == b)
                return 0;
        if (!a) {
                to->campaign = b;
                t->all = true;
                return 0;
        }
        if (is_earlier(&t->campaigns.v[b - 1], &t->campaigns.v[a - 1])) {
                to->campaign = b;
                return PUSH(&t->joints, (struct joint){ a - 1, b - 1 });
        }
        return PUSH(&t->joints, (struct joint){ b - 1, a - 1 });
}

static int take_over(struct qn_track *t, uint32_t root, uint32_t other)
{
        struct member *a = &t->members.v[root], *b = &t->members.v[other];
        uint32_t held = a->held, gone = b->held;
        struct qn_cluster_info info;
        int r = 0;

        if (!held) {
                r = new_held(t, &held);
                if (r == 0)
                        count_all(t, root, held, root, root);
        }
        if (r < 0)
                return r;
        qn_cluster_info(t->clusters, other, &info);
        if (gone && info.size > WALKED_MAX)
                qn_facts_merge(&t->held.v[held].facts, &t->held.v[gone].facts);
        else
                count_all(t, other, held, root, other);
        if (gone) {
                r = join_campaigns(t, &t->held.v[held], &t->held.v[gone]);
                if (r == 0)
                        r = PUSH(&t->free, gone);
        }
        return r;
}

static int note_arrivals(struct qn_track *t, uint32_t other)
{
        uint32_t at = other;
        int r;

        do {
                r = PUSH(&t->arrived, at);
                at = qn_cluster_next(t->clusters, at);
        } while (r == 0 && at != other);
        return r;
}

/* Versions of one package alone are no matter. */
static void on_join(void *ctx, uint32_t root, uint32_t other)
{
        struct qn_track *t = ctx;
        const struct member *a = &t->members.v[root], *b = &t->members.v[other];
        int r = note_arrivals(t, other);

        if (r == 0 && (a->held || b->held || a->package != b->package))
                r = take_over(t, root, other);
        if (r < 0)
                t->failed = r;
}

/* --- one version --- */

static int find_package(struct qn_track *t, uint64_t key, uint32_t *ret)
{
        struct qn_pieces_walk w = qn_pieces_with(key);
        int r;

        *ret = qn_pieces_next(&t->index, &w);
        if (*ret != QN_PIECES_NONE)
                return 0;
        *ret = (uint32_t)t->packages.n;
        r = PUSH(&t->packages, (struct package){ .key = key, .last = NONE });
        return r < 0 ? r : qn_pieces_add(&t->index, key, *ret);
}

/* What an update adds is what may belong to others; the rest of it was there before, and it belongs to what it belonged to.
 * Those of a package that came into being here are held against others as a whole. */
static bool is_established(const struct qn_trace *trace, bool known)
{
        uint32_t signs = trace->signs;

        return signs >> QN_SIGN_POPULAR & 1 ||
               (!(signs >> QN_SIGN_FIRST & 1) && (!known || signs >> QN_SIGN_ADDS & 1));
}

/* What makes a package's first version one that its later ones are no harmless updates of. */
#define BORN_BAD                                                                    \
        (1u << QN_SIGN_SUSPECTED | 1u << QN_SIGN_CONDEMNED | 1u << QN_SIGN_HOLLOW | \
         1u << QN_SIGN_PAID | 1u << QN_SIGN_RING | 1u << QN_SIGN_NAMED | 1u << QN_SIGN_THROWAWAY)

static bool has_sign(uint32_t signs, enum qn_sign s)
{
        return signs >> s & 1;
}

/* An update that brings nothing has nothing in common with anybody but what it had before: whoever has the same copied it, or it is
 * everybody's.  Neither is a popular package made one of others by what they copied. */
static void weigh(struct qn_cluster_item *item, uint32_t signs, uint32_t born)
{
        bool first = has_sign(signs, QN_SIGN_FIRST), clean = !has_sign(signs, QN_SIGN_SUSPECTED),
             popular = has_sign(signs, QN_SIGN_POPULAR) && clean;

        item->alone = !first && !has_sign(signs, QN_SIGN_ADDS) &&
                      !has_sign(signs, QN_SIGN_CONDEMNED) && !(born & BORN_BAD);
        item->only_additions = popular;
        item->owns = clean && (item->alone || (popular && !has_sign(signs, QN_SIGN_ADDS)));
}

static int learn_name(struct qn_track *t, struct qn_str name, bool is_new, struct qn_trace *trace,
                      struct qn_generator *ret)
{
        int r = is_new ? qn_generators_add(t->generators, name) : 0;

        ret->text[0] = 0;
        if (r < 0 || trace->n == QN_CLUSTER_FEATURES_MAX ||
            !qn_generators_find(t->generators, name, ret))
                return r;
        trace->signs |= 1u << QN_SIGN_NAMED;
        trace->features[trace->n++] = (struct qn_feature){ QN_FEATURE_NAME, ret->key };
        return 0;
}

/* The same for one that is new and one that is loaded. */
static int place(struct qn_track *t, int64_t version, struct qn_str name, struct qn_trace *trace,
                 struct qn_generator *ret)
{
        struct qn_cluster_item item = { .key = trace->package,
                                        .time = trace->time,
                                        .sketch = &trace->sketch,
                                        .features = trace->features };
        uint32_t package, earlier, number;
        struct package *p;
        int r = find_package(t, trace->package, &package);

        if (r < 0)
                return r;
        p = &t->packages.v[package];
        earlier = p->last; /* or itself, when less was known of it */
        if (earlier != NONE && t->members.v[earlier].version == version)
                earlier = t->members.v[earlier].earlier;
        if (earlier != NONE) /* whoever took it over has it still */
                trace->signs |= t->members.v[earlier].signs & 1u << QN_SIGN_TAKEN;
        trace->signs |= 1u << (p->born || has_sign(trace->signs, QN_SIGN_FIRST) ? QN_SIGN_RECENT
                                                                                : QN_SIGN_SETTLED);
        r = learn_name(t, name, earlier == NONE, trace, ret);
        if (r < 0)
                return r;
        if (has_sign(trace->signs, QN_SIGN_FIRST))
                p->born |= trace->signs;
        weigh(&item, trace->signs, p->born);
        item.n_features = trace->n;
        item.established = is_established(trace, earlier != NONE);
        r = PUSH(&t->members, (struct member){ .version = version,
                                               .package = package,
                                               .earlier = earlier,
                                               .owner = (uint32_t)trace->owner,
                                               .scope = (uint32_t)trace->scope,
                                               .time = trace->time,
                                               .signs = trace->signs });
        if (r < 0)
                return r;
        p->last = (uint32_t)t->members.n - 1;
        t->arrived.n = t->joints.n = 0;
        t->all = false;
        r = qn_clusters_add(t->clusters, &item, &number);
        return r < 0 ? r : t->failed;
}

/* --- campaigns --- */

static struct held *held_of(struct qn_track *t, uint32_t number)
{
        uint32_t held = t->members.v[qn_cluster_of(t->clusters, number)].held;

        return held ? &t->held.v[held] : NULL;
}

static int put_campaign(struct qn_db *db, const struct campaign *c, const char *pattern)
{
        const struct qn_campaign row = { .id = qn_str_c(c->id),
                                         .size = c->told,
                                         .founded = c->founded,
                                         .verdict = qn_str_c(qn_verdict_name(c->verdict)),
                                         .rule = c->rule,
                                         .title = c->title,
                                         .pattern = pattern[0] ? qn_str_c(pattern)
                                                               : (struct qn_str){ NULL, 0 } };

        return qn_campaigns_put(db, &row);
}

static int add_step(struct qn_db *db, const struct campaign *c, int64_t time, uint32_t packages)
{
        const struct qn_campaign_step step = { time, qn_str_c(qn_verdict_name(c->verdict)), c->rule,
                                               packages };

        return qn_campaigns_add_step(db, qn_str_c(c->id), &step);
}

/* The one that came first gives the id. */
static int make_id(struct qn_track *t, struct qn_db *db, uint32_t number,
                   char ret[QN_CAMPAIGN_ID_BYTES])
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(ONE_MAX);
        uint32_t at = number, first = number;
        struct qn_seen seen;
        uint64_t parts[2];
        int r;

        do {
                first = QN_MIN(first, at);
                at = qn_cluster_next(t->clusters, at);
        } while (at != number);
        r = qn_versions_by_id(db, t->members.v[first].version, &a, &seen);
        if (r < 0)
                return r;
        parts[0] = qn_hash64(seen.name.p, seen.name.n);
        parts[1] = qn_hash64(seen.version.p, seen.version.n);
        snprintf(ret, QN_CAMPAIGN_ID_BYTES, "C-%012llx",
                 (unsigned long long)(qn_hash64(parts, sizeof parts) >> 16));
        return 0;
}

/* A new package that is clean, and was there longer before all others than packages of a campaign are apart: they copied it. */
static uint32_t origin_of(const struct qn_track *t, uint32_t number)
{
        const struct member *first = &t->members.v[number], *m;
        uint32_t next = UINT32_MAX, at = number;

        do {
                m = &t->members.v[at];
                if (m->time < first->time)
                        first = m;
                at = qn_cluster_next(t->clusters, at);
        } while (at != number);
        do {
                m = &t->members.v[at];
                if (m->package != first->package && m->owner != first->owner)
                        next = QN_MIN(next, m->time);
                at = qn_cluster_next(t->clusters, at);
        } while (at != number);
        return has_sign(first->signs, QN_SIGN_RECENT) &&
                               !has_sign(first->signs, QN_SIGN_SUSPECTED) &&
                               next - first->time > qn_campaign_window(t->rules)
                       ? first->owner
                       : 0;
}

/* What the campaign makes of a version: it depends on what the version itself is and does. */
static enum qn_verdict_kind reach_of(const struct qn_track *t, const struct held *h,
                                     const struct campaign *c, const struct member *m)
{
        const uint32_t signs = m->signs;
        enum qn_verdict_kind v = qn_campaign_rules_reach(t->rules, h->rules, signs);
        const struct qn_campaign_rule *rule = qn_campaign_rules_find(t->rules, c->rule);
        bool suspected = has_sign(signs, QN_SIGN_SUSPECTED);

        if (rule && (rule->reaches & ~signs) == 0)
                v = QN_MAX(v, rule->verdict);
        if (!suspected && h->origin && h->origin == m->owner && has_sign(signs, QN_SIGN_RECENT))
                return QN_CLEAN;
        if (suspected ? v < QN_SUSPICIOUS : v > QN_SUSPICIOUS && has_sign(signs, QN_SIGN_POPULAR))
                v = QN_SUSPICIOUS;
        return QN_MIN(v, c->verdict);
}

static void count_package(struct qn_track *t, uint32_t campaign, uint32_t number)
{
        struct package *p = &t->packages.v[t->members.v[number].package];

        if (p->counted && p->counted != campaign && t->campaigns.v[p->counted - 1].dismissed)
                return; /* its versions stay there */
        t->campaigns.v[campaign - 1].packages += p->counted != campaign;
        p->counted = campaign;
}

static int add_member(struct qn_track *t, struct qn_db *db, const struct held *h,
                      const struct campaign *c, uint32_t number)
{
        struct qn_cluster_why why = qn_cluster_why(t->clusters, number);
        enum qn_verdict_kind reach = reach_of(t, h, c, &t->members.v[number]);
        const struct qn_campaign_member m = { .version = t->members.v[number].version,
                                              .with = t->members.v[why.with].version,
                                              .kinds = why.kinds,
                                              .percent = why.percent,
                                              .reach = qn_str_c(qn_verdict_name(reach)) };
        int r;

        if (reach < QN_SUSPICIOUS)
                return 0;
        r = qn_campaigns_add_member(db, qn_str_c(c->id), &m);
        count_package(t, h->campaign, number);
        if (r == 0)
                r = t->reopened;
        return r <= 0 ? r : PUSH(&t->raise, m.version);
}

/* Those that are new to the campaign; all: everybody. */
static int add_members(struct qn_track *t, struct qn_db *db, struct held *h,
                       const struct campaign *c, uint32_t number)
{
        uint32_t at = number;
        int r = 0;

        for (size_t i = 0; !t->all && r == 0 && i < t->arrived.n; i++)
                r = add_member(t, db, h, c, t->arrived.v[i]);
        if (!t->all)
                return r;
        h->origin = origin_of(t, number);
        do {
                r = add_member(t, db, h, c, at);
                at = qn_cluster_next(t->clusters, at);
        } while (r == 0 && at != number);
        return r;
}

static int found(struct qn_track *t, struct qn_db *db, struct held *h, int64_t time,
                 uint32_t number)
{
        struct campaign c = { .founded = time };
        int r = make_id(t, db, number, c.id);

        if (r == 0)
                r = PUSH(&t->campaigns, c);
        if (r == 0)
                h->campaign = (uint32_t)t->campaigns.n;
        t->all = true;
        return r;
}

/* A person may have said so while we work. */
static int look_at(struct qn_db *db, struct campaign *c)
{
        int r = qn_campaigns_is_dismissed(db, qn_str_c(c->id));

        c->dismissed = r > 0;
        return r < 0 ? r : 0;
}

static int join_two(struct qn_track *t, struct qn_db *db, const struct campaign *from,
                    struct campaign *to)
{
        if (from->verdict > to->verdict) {
                to->verdict = from->verdict;
                to->rule = from->rule;
                to->title = from->title;
        }
        t->all = true;
        return qn_campaigns_join(db, qn_str_c(from->id), qn_str_c(to->id));
}

/* What was dismissed keeps its versions, and takes none. */
static int join_rows(struct qn_track *t, struct qn_db *db, struct held *h)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < t->joints.n; i++) {
                struct campaign *from = &t->campaigns.v[t->joints.v[i].from],
                                *to = &t->campaigns.v[t->joints.v[i].to];

                r = look_at(db, from);
                if (r == 0)
                        r = look_at(db, to);
                if (r == 0 && !from->dismissed && !to->dismissed)
                        r = join_two(t, db, from, to);
                if (r == 0 && h && to->dismissed && !from->dismissed) {
                        h->campaign = t->joints.v[i].from + 1;
                        t->all = true;
                }
        }
        return r;
}

static void tell(const struct campaign *c, const struct qn_track *t, struct qn_track_news *ret)
{
        memcpy(ret->id, c->id, sizeof ret->id);
        ret->verdict = c->verdict;
        ret->rule = c->rule;
        ret->title = c->title;
        ret->packages = c->packages;
        ret->raise = t->raise.v;
        ret->n_raise = t->raise.n;
}

static int judge(struct qn_track *t, struct qn_db *db, struct held *h,
                 const struct qn_campaign_rule *rule, const struct qn_generator *made,
                 struct qn_track_news *ret)
{
        struct campaign *c = &t->campaigns.v[h->campaign - 1];
        uint32_t number = (uint32_t)t->members.n - 1;
        int64_t time = t->members.v[number].time * INT64_C(1000);
        bool patterned = made->text[0] && !c->patterned, worse = rule && rule->verdict > c->verdict;
        int r = 0;

        ret->worsened = worse && !ret->founded;
        t->reopened = c->dismissed && worse;
        if (worse) {
                c->verdict = rule->verdict;
                c->rule = rule->id;
                c->title = rule->title;
                t->all = true;
        }
        c->patterned |= patterned;
        if (worse || t->all || patterned)
                r = put_campaign(db, c, made->text);
        if (r == 0)
                r = add_members(t, db, h, c, number);
        ret->grew = qn_track_step(c->packages) > c->told;
        c->told = QN_MAX(c->told, qn_track_step(c->packages));
        if (r == 0 && ret->grew)
                r = put_campaign(db, c, "");
        ret->grew &= !ret->founded;
        if (r == 0 && worse)
                r = add_step(db, c, time, c->packages);
        if (r == 0)
                tell(c, t, ret);
        return r;
}

/* One that a person dismissed is one again when it is worse. */
static bool is_one(const struct qn_track *t, const struct held *h,
                   const struct qn_campaign_rule *rule)
{
        const struct campaign *c = h->campaign ? &t->campaigns.v[h->campaign - 1] : NULL;

        return c && !c->dismissed ? true : rule && (!c || rule->verdict > c->verdict);
}

/* Other rules may reach versions that were not reached before. */
static void take_rules(struct qn_track *t, struct held *h)
{
        uint64_t now = qn_campaign_rules_true(t->rules, h->facts.n);

        t->all |= (now & ~h->rules) != 0;
        h->rules |= now;
}

static int settle(struct qn_track *t, struct qn_db *db, const struct qn_generator *made,
                  struct qn_track_news *ret)
{
        uint32_t number = (uint32_t)t->members.n - 1;
        struct held *h = held_of(t, number);
        const struct qn_campaign_rule *rule =
                h ? qn_campaign_rules_match(t->rules, h->facts.n) : NULL;
        int r = join_rows(t, db, h);

        if (r == 0 && h && h->campaign)
                r = look_at(db, &t->campaigns.v[h->campaign - 1]);
        if (r < 0 || !h || !is_one(t, h, rule))
                return r;
        take_rules(t, h);
        if (!h->campaign) {
                ret->founded = true;
                r = found(t, db, h, t->members.v[number].time * INT64_C(1000), number);
        }
        if (r == 0)
                r = judge(t, db, h, rule, made, ret);
        return r < 0 ? r : ret->founded || ret->worsened || ret->grew || t->raise.n;
}

/* --- one that was taken before --- */

static int still(struct qn_track *t, struct qn_db *db, int64_t version, struct qn_arena *a,
                 struct qn_track_news *ret)
{
        struct qn_campaign c;
        int r = qn_campaigns_of(db, version, a, &c);

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        for (size_t i = 0; i < t->raise.n; i++)
                if (t->raise.v[i] == version)
                        return 1;
        if (c.id.n >= sizeof ret->id || qn_verdict_from_name(c.verdict, &ret->verdict) < 0)
                return -EBADMSG;
        r = PUSH(&t->raise, version);
        memset(ret->id, 0, sizeof ret->id);
        memcpy(ret->id, c.id.p, c.id.n);
        ret->packages = (uint32_t)c.size;
        ret->raise = t->raise.v;
        ret->n_raise = t->raise.n;
        return r < 0 ? r : 1;
}

int qn_track_add(struct qn_track *t, struct qn_db *db, const struct qn_track_version *v,
                 struct qn_track_news *ret)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(ONE_MAX);
        struct qn_buf bytes = QN_BUF_INIT(QN_TRACE_MAX);
        struct qn_generator made;
        struct qn_trace trace;
        int r = t->members.n == t->max ? qn_track_load(t, db) : 0, again;

        *ret = (struct qn_track_news){ .founded = false };
        t->raise.n = 0;
        if (r == 0)
                r = qn_trace_make(v, t->rules, t->popular, &a, &trace);
        if (r == 0)
                r = qn_trace_write(&trace, &bytes);
        if (r == 0)
                r = qn_traces_put(db, v->id, qn_buf_view(&bytes));
        qn_buf_done(&bytes);
        if (r)
                return r < 0 ? r : still(t, db, v->id, &a, ret);
        r = place(t, v->id, v->name, &trace, &made);
        if (r == 0)
                r = settle(t, db, &made, ret);
        again = r < 0 ? r : still(t, db, v->id, &a, ret);
        return again < 0 ? again : r || again;
}

/* --- what the store has --- */

struct loading {
        struct qn_track *t;
        struct qn_map ids; /* of campaigns */
        LIST(uint32_t) in; /* by member: the campaign it is in, + 1 */
};

static int load_campaign(void *ctx, const struct qn_campaign *row)
{
        struct loading *l = ctx;
        struct qn_track *t = l->t;
        struct campaign c = { .founded = row->founded,
                              .rule = qn_arena_dup(&t->loaded, row->rule),
                              .title = qn_arena_dup(&t->loaded, row->title),
                              .told = (uint32_t)row->size,
                              .patterned = row->pattern.n,
                              .dismissed = row->dismissed };
        struct qn_str id = qn_arena_dup(&t->loaded, row->id);

        if (!id.p || !c.rule.p || !c.title.p ||
            qn_map_add(&l->ids, &t->loaded, id, (uint32_t)t->campaigns.n + 1, NULL) < 0)
                return -ENOBUFS;
        if (id.n >= sizeof c.id || qn_verdict_from_name(row->verdict, &c.verdict) < 0)
                return -EBADMSG;
        memcpy(c.id, id.p, id.n);
        return PUSH(&t->campaigns, c);
}

static uint32_t find_campaign(const struct loading *l, struct qn_str id)
{
        uint32_t number = id.n ? qn_map_get(&l->ids, id) : QN_MAP_NONE;

        return number == QN_MAP_NONE ? 0 : number;
}

static int load_trace(void *ctx, int64_t version, struct qn_str name, struct qn_str campaign,
                      struct qn_cur bytes)
{
        struct loading *l = ctx;
        struct qn_generator made;
        struct qn_trace trace;
        int r = qn_trace_read(bytes, &trace);

        if (r == 0)
                r = place(l->t, version, name, &trace, &made);
        return r < 0 ? r : PUSH(&l->in, find_campaign(l, campaign));
}

static void count_packages(struct loading *l)
{
        for (uint32_t i = 0; i < l->in.n; i++)
                if (l->in.v[i])
                        count_package(l->t, l->in.v[i], i);
}

static void give_campaigns(struct loading *l)
{
        for (uint32_t i = 0; i < l->in.n; i++) {
                struct held *h = l->in.v[i] ? held_of(l->t, i) : NULL;

                if (h && (!h->campaign || l->t->campaigns.v[h->campaign - 1].dismissed))
                        h->campaign = l->in.v[i];
        }
}

int qn_track_load(struct qn_track *t, struct qn_db *db)
{
        struct loading l = { .t = t };
        int r = fill(t);

        if (r == 0)
                r = qn_campaigns_each(db, load_campaign, &l);
        if (r == 0)
                r = qn_traces_each(db, t->kept, load_trace, &l);
        if (r == 0)
                give_campaigns(&l);
        if (r == 0)
                count_packages(&l);
        free(l.in.v);
        return r;
}
