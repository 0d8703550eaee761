#include "campaign/cluster.h"

#include <errno.h>

#include "base/hash.h"
#include "base/limits.h"
#include "campaign/pieces.h"
#include "observe/sketch.h"

#define ENOUGH     4u   /* weight that joins */
#define CODE_ALIKE 0.75 /* share of shingles that makes code the same */
#define CODE_BINS  32u  /* filled bins of a sketch that is worth comparing: some 37 shingles */
#define BAND_EMPTY 4u   /* bins of a band that may be empty */
#define BUCKET     4u   /* sketches with the same band that are kept apart */
#define SMALL      8u   /* members of a cluster that weak evidence may join to a large one */
#define STRANGERS  4u   /* unrelated packages that may have a feature that counts */
#define MIX        UINT64_C(0x9e3779b97f4a7c15)
#define CANDIDATES_MAX \
        (QN_SKETCH_BANDS * BUCKET + 2 * (QN_CLUSTER_FEATURES_MAX + 1)) /* clusters looked at */

static const struct {
        uint8_t weight;
        const char *name;
} kinds[] = {
#define X(id, weight, name) { weight, name },
        QN_FEATURES(X)
#undef X
};

/* What names one maker: also joins what is established. */
#define SURE (1u << QN_FEATURE_PAYLOAD | 1u << QN_FEATURE_ADDITION | 1u << QN_FEATURE_INDICATOR)
/* What joins two large clusters. */
#define STRONG (SURE | 1u << QN_FEATURE_CODE)

/* What somebody may have had first, so that others who have it say nothing about each other. */
#define OWNED                                                                            \
        (1u << QN_FEATURE_PAYLOAD | 1u << QN_FEATURE_INDICATOR | 1u << QN_FEATURE_FILE | \
         1u << QN_FEATURE_TEXT)

struct member {
        uint64_t key;
        uint32_t parent, next; /* of the union; of the ring */
        uint32_t size, first;  /* of a root */
        uint32_t time, with;
        uint16_t kinds;
        uint8_t percent;
        bool established;
        uint16_t links; /* kinds that may draw it to others, and others to it */
};
_Static_assert(QN_FEATURE_KINDS <= 16, "kinds fit their field");

struct code {
        struct qn_sketch sketch;
        uint32_t member; /* IGNORED: of a template */
};
#define IGNORED UINT32_MAX

/* Whose it is: the cluster that has the majority (Boyer and Moore), by one of its members.  IGNORED: an innocent had it first. */
struct known {
        uint64_t key;
        uint32_t owner, other; /* other: the last one outside of that cluster, or the owner */
        uint32_t count, votes; /* how many have it; those of the owner's cluster less the others */
};

struct qn_clusters {
        struct member *members;
        struct code *codes;
        struct known *known;
        size_t n_members, n_codes, n_known;
        size_t members_cap, codes_cap, known_cap;
        size_t max;                /* members */
        struct qn_pieces bands;    /* code * QN_SKETCH_BANDS + band */
        struct qn_pieces features; /* index in known */
        void (*on_join)(void *ctx, uint32_t root, uint32_t other);
        void *ctx;
};

const char *qn_feature_name(enum qn_feature_kind kind)
{
        return kind < QN_FEATURE_KINDS ? kinds[kind].name : "";
}

/* --- storage --- */

static uint64_t mix(uint64_t h)
{
        h ^= h >> 32;
        h *= MIX;
        h ^= h >> 29;
        h *= UINT64_C(0xbf58476d1ce4e5b9);
        return h ^ h >> 32;
}

static uint64_t band_hash(const struct qn_sketch *s, unsigned band)
{
        return mix(s->band[band] + band * MIX);
}

static uint64_t hash_of_band(const void *owner, uint32_t number)
{
        const struct qn_clusters *c = owner;

        return band_hash(&c->codes[number / QN_SKETCH_BANDS].sketch, number % QN_SKETCH_BANDS);
}

static uint64_t hash_of_feature(const void *owner, uint32_t number)
{
        const struct qn_clusters *c = owner;

        return c->known[number].key;
}

struct qn_clusters *qn_clusters_new(size_t members_max)
{
        struct qn_clusters *c = calloc(1, sizeof *c);

        if (!c)
                return NULL;
        c->max = QN_MIN(members_max, (size_t)QN_CLUSTER_MEMBERS_MAX);
        c->bands.hash_of = hash_of_band;
        c->features.hash_of = hash_of_feature;
        c->bands.owner = c->features.owner = c;
        return c;
}

struct qn_clusters *qn_clusters_free(struct qn_clusters *c)
{
        if (!c)
                return NULL;
        free(c->members);
        free(c->codes);
        free(c->known);
        qn_pieces_done(&c->bands);
        qn_pieces_done(&c->features);
        free(c);
        return NULL;
}

void qn_clusters_freep(struct qn_clusters **c)
{
        *c = qn_clusters_free(*c);
}

/* Room for one more; large blocks are moved by the kernel, not copied. */
static int room(void **p, size_t n, size_t *cap, size_t size)
{
        size_t want = *cap ? *cap * 2 : 64;
        void *more;

        if (n < *cap)
                return 0;
        more = reallocarray(*p, want, size);
        if (!more)
                return -ENOMEM;
        *p = more;
        *cap = want;
        return 0;
}

size_t qn_clusters_count(const struct qn_clusters *c)
{
        return c->n_members;
}

size_t qn_clusters_bytes(const struct qn_clusters *c)
{
        return sizeof *c + c->n_members * sizeof *c->members + c->n_codes * sizeof *c->codes +
               c->n_known * sizeof *c->known + qn_pieces_bytes(&c->bands) +
               qn_pieces_bytes(&c->features);
}

/* --- the union --- */

uint32_t qn_cluster_of(const struct qn_clusters *c, uint32_t member)
{
        while (c->members[member].parent != member)
                member = c->members[member].parent;
        return member;
}

uint32_t qn_cluster_next(const struct qn_clusters *c, uint32_t member)
{
        return c->members[member].next;
}

static bool is_before(const struct member *a, const struct member *b)
{
        return a->time != b->time ? a->time < b->time : a->key < b->key;
}

/* By size, so that no way to a root is longer than its logarithm. */
static uint32_t join(struct qn_clusters *c, uint32_t a, uint32_t b)
{
        struct member *m = c->members;
        uint32_t next;

        if (m[a].size < m[b].size || (m[a].size == m[b].size && b < a)) {
                uint32_t swap = a;

                a = b;
                b = swap;
        }
        if (c->on_join)
                c->on_join(c->ctx, a, b);
        if (is_before(&m[m[b].first], &m[m[a].first]))
                m[a].first = m[b].first;
        m[a].size += m[b].size;
        m[b].parent = a;
        next = m[a].next;
        m[a].next = m[b].next;
        m[b].next = next;
        return a;
}

/* --- what speaks for which cluster --- */

struct candidate {
        uint32_t root, with;
        uint8_t n[QN_FEATURE_KINDS];
        double similarity;
};

struct search {
        const struct qn_clusters *c;
        const struct qn_cluster_item *item;
        struct candidate list[CANDIDATES_MAX];
        size_t n;
        bool known_code; /* somebody's code stands for this one */
};

static unsigned links_of(const struct qn_cluster_item *item)
{
        return item->alone            ? 0
               : item->only_additions ? 1u << QN_FEATURE_ADDITION
               : item->established    ? SURE
                                      : (1u << QN_FEATURE_KINDS) - 1;
}

static void speak(struct search *s, enum qn_feature_kind kind, uint32_t with, double similarity)
{
        uint32_t root = qn_cluster_of(s->c, with);
        struct candidate *k = s->list;

        if (!(links_of(s->item) & s->c->members[with].links & 1u << kind))
                return;
        while (k < s->list + s->n && k->root != root)
                k++;
        if (k == s->list + s->n) {
                *k = (struct candidate){ .root = root, .with = with };
                s->n++;
        }
        k->n[kind]++;
        if (similarity > k->similarity) {
                k->similarity = similarity;
                k->with = with;
        }
}

/* Files and texts alone are never enough, however many: they may be a template. */
static unsigned weight(const struct candidate *k)
{
        unsigned sum = 0, content = (k->n[QN_FEATURE_FILE] > 1);

        for (unsigned i = 0; i < QN_FEATURE_KINDS; i++) {
                if (!k->n[i])
                        continue;
                if (i == QN_FEATURE_FILE || i == QN_FEATURE_TEXT)
                        content += kinds[i].weight;
                else
                        sum += kinds[i].weight;
        }
        return sum + QN_MIN(content, ENOUGH - 1);
}

static unsigned kinds_of(const struct candidate *k)
{
        unsigned bits = 0;

        for (unsigned i = 0; i < QN_FEATURE_KINDS; i++)
                bits |= (unsigned)(k->n[i] > 0) << i;
        return bits;
}

static bool has_code(const struct qn_cluster_item *item)
{
        return item->sketch && qn_sketch_filled(item->sketch) >= CODE_BINS;
}

static bool is_band(const struct qn_sketch *s, unsigned band)
{
        return qn_sketch_zeros(s->band[band]) <= BAND_EMPTY;
}

static bool seen_before(uint32_t *seen, size_t *n, uint32_t code)
{
        for (size_t i = 0; i < *n; i++)
                if (seen[i] == code)
                        return true;
        seen[(*n)++] = code;
        return false;
}

static void hear_code(struct search *s, uint32_t code)
{
        const struct code *k = &s->c->codes[code];
        double like = qn_sketch_similarity(&k->sketch, s->item->sketch);

        if (like < CODE_ALIKE)
                return;
        s->known_code |= k->member == IGNORED || !s->c->members[k->member].established;
        if (k->member != IGNORED)
                speak(s, QN_FEATURE_CODE, k->member, like);
}

static bool is_template(const struct qn_clusters *c, const struct qn_sketch *sketch, uint32_t code)
{
        return c->codes[code].member == IGNORED &&
               qn_sketch_similarity(&c->codes[code].sketch, sketch) >= CODE_ALIKE;
}

/* The codes with a band in common, each once; how many. */
static size_t codes_near(const struct qn_clusters *c, const struct qn_sketch *sketch,
                         uint32_t ret[QN_SKETCH_BANDS * BUCKET])
{
        size_t n = 0;

        for (unsigned b = 0; b < QN_SKETCH_BANDS; b++) {
                struct qn_pieces_walk w = qn_pieces_with(band_hash(sketch, b));
                uint32_t number;

                if (!is_band(sketch, b))
                        continue;
                for (unsigned i = 0; i < BUCKET; i++) {
                        number = qn_pieces_next(&c->bands, &w);
                        if (number == QN_PIECES_NONE)
                                break;
                        seen_before(ret, &n, number / QN_SKETCH_BANDS);
                }
        }
        return n;
}

static void search_code(struct search *s)
{
        uint32_t near[QN_SKETCH_BANDS * BUCKET];
        size_t n = codes_near(s->c, s->item->sketch, near);

        for (size_t i = 0; i < n; i++)
                if (is_template(s->c, s->item->sketch, near[i])) {
                        s->known_code = true;
                        return;
                }
        for (size_t i = 0; i < n; i++)
                hear_code(s, near[i]);
}

/* Code like that of an innocent that had it first is nobody's, like a template. */
static void own_code(struct qn_clusters *c, const struct qn_cluster_item *item)
{
        uint32_t near[QN_SKETCH_BANDS * BUCKET];
        size_t n = codes_near(c, item->sketch, near);

        for (size_t i = 0; i < n; i++) {
                struct code *k = &c->codes[near[i]];

                if (k->member != IGNORED && c->members[k->member].key == item->key &&
                    qn_sketch_similarity(&k->sketch, item->sketch) >= CODE_ALIKE)
                        k->member = IGNORED;
        }
}

static uint64_t feature_key(struct qn_feature f)
{
        return mix(f.key + (f.kind + 1) * MIX);
}

static uint32_t find_feature(const struct qn_clusters *c, struct qn_feature f)
{
        struct qn_pieces_walk w = qn_pieces_with(feature_key(f));

        return qn_pieces_next(&c->features, &w);
}

static void search_feature(struct search *s, struct qn_feature f)
{
        uint32_t at = find_feature(s->c, f);
        const struct known *k = at == QN_PIECES_NONE ? NULL : &s->c->known[at];

        if (!k || k->owner == IGNORED)
                return;
        if (k->votes >= k->count / 2 + k->count % 2)
                speak(s, f.kind, k->owner, 0);
        else if ((k->count - k->votes) / 2 <= STRANGERS) {
                speak(s, f.kind, k->owner, 0);
                if (qn_cluster_of(s->c, k->other) != qn_cluster_of(s->c, k->owner))
                        speak(s, f.kind, k->other, 0);
        }
}

/* --- an addition --- */

/* The features of an item, each once; a package is its own dependency, so that those who need it find it. */
static size_t features_of(const struct qn_cluster_item *item,
                          struct qn_feature ret[QN_CLUSTER_FEATURES_MAX + 1])
{
        size_t n = 0;

        ret[n++] = (struct qn_feature){ QN_FEATURE_DEPENDENCY, item->key };
        for (size_t i = 0; i < item->n_features && n <= QN_CLUSTER_FEATURES_MAX; i++) {
                struct qn_feature f = item->features[i];
                size_t k = 0;

                while (k < n && (ret[k].kind != f.kind || ret[k].key != f.key))
                        k++;
                if (k == n && f.kind > QN_FEATURE_CODE && f.kind < QN_FEATURE_KINDS)
                        ret[n++] = f;
        }
        return n;
}

static int add_member(struct qn_clusters *c, const struct qn_cluster_item *item)
{
        uint32_t at = (uint32_t)c->n_members;
        int r = room((void **)&c->members, c->n_members, &c->members_cap, sizeof *c->members);

        if (r < 0)
                return r;
        c->members[at] = (struct member){ .key = item->key,
                                          .time = item->time,
                                          .established = item->established,
                                          .links = (uint16_t)links_of(item),
                                          .parent = at,
                                          .next = at,
                                          .first = at,
                                          .with = at,
                                          .size = 1 };
        c->n_members++;
        return 0;
}

static int add_code(struct qn_clusters *c, const struct qn_sketch *sketch, uint32_t member)
{
        int r = room((void **)&c->codes, c->n_codes, &c->codes_cap, sizeof *c->codes);

        if (r < 0)
                return r;
        c->codes[c->n_codes++] = (struct code){ *sketch, member };
        for (unsigned b = 0; b < QN_SKETCH_BANDS; b++) {
                struct qn_pieces_walk w = qn_pieces_with(band_hash(sketch, b));
                unsigned n = 0;

                if (!is_band(sketch, b))
                        continue;
                while (n < BUCKET && qn_pieces_next(&c->bands, &w) != QN_PIECES_NONE)
                        n++;
                r = n == BUCKET ? 0
                                : qn_pieces_add(&c->bands, w.hash,
                                                (uint32_t)(c->n_codes - 1) * QN_SKETCH_BANDS + b);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void count_feature(struct qn_clusters *c, struct known *k, uint32_t member)
{
        k->count++;
        if (qn_cluster_of(c, k->owner) == qn_cluster_of(c, member)) {
                k->votes++;
        } else if (k->votes) {
                k->votes--;
                k->other = member;
        } else {
                k->other = k->owner;
                k->owner = member;
                k->votes = 1;
        }
}

/* owns: a member that had it before others did leaves it to nobody. */
static void meet_feature(struct qn_clusters *c, struct known *k, uint32_t member, bool owns)
{
        if (k->owner == IGNORED)
                return;
        if (owns && c->members[k->owner].key == c->members[member].key)
                k->owner = k->other = IGNORED;
        else
                count_feature(c, k, member);
}

static int add_feature(struct qn_clusters *c, struct qn_feature f, uint32_t member, bool owns)
{
        uint32_t at = find_feature(c, f), owner = owns && OWNED >> f.kind & 1 ? IGNORED : member;
        int r;

        if (at != QN_PIECES_NONE) {
                meet_feature(c, &c->known[at], member, owns && OWNED >> f.kind & 1);
                return 0;
        }
        r = room((void **)&c->known, c->n_known, &c->known_cap, sizeof *c->known);
        if (r < 0)
                return r;
        c->known[c->n_known++] = (struct known){ feature_key(f), owner, owner, 1, 1 };
        return qn_pieces_add(&c->features, feature_key(f), (uint32_t)(c->n_known - 1));
}

static bool is_better(const struct candidate *a, const struct candidate *b)
{
        unsigned x = weight(a), y = weight(b);

        return x != y ? x > y : a->root < b->root;
}

static const struct candidate *best_of(const struct search *s)
{
        const struct candidate *best = NULL;

        for (size_t i = 0; i < s->n; i++)
                if (weight(&s->list[i]) >= ENOUGH && (!best || is_better(&s->list[i], best)))
                        best = &s->list[i];
        return best;
}

static bool may_join(const struct qn_clusters *c, const struct candidate *k, uint32_t to)
{
        uint32_t root = qn_cluster_of(c, k->root);

        return root != to && weight(k) >= ENOUGH &&
               (kinds_of(k) & STRONG ||
                QN_MIN(c->members[root].size, c->members[to].size) <= SMALL);
}

/* The best cluster first; then the others that the new member brings together with it. */
static int join_found(struct qn_clusters *c, const struct search *s, uint32_t member)
{
        const struct candidate *best = best_of(s);
        struct member *m = &c->members[member];
        uint32_t root;

        if (!best)
                return 0;
        m->with = best->with;
        m->kinds = (uint16_t)kinds_of(best);
        m->percent = (uint8_t)(best->similarity * 100);
        root = join(c, best->root, member);
        for (size_t i = 0; i < s->n; i++)
                if (may_join(c, &s->list[i], root))
                        root = join(c, qn_cluster_of(c, s->list[i].root), root);
        return 1;
}

static int remember(struct qn_clusters *c, const struct search *s, const struct qn_feature *f,
                    size_t n, uint32_t member)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++)
                r = add_feature(c, f[i], member, s->item->owns);
        if (r == 0 && has_code(s->item) && s->item->owns)
                own_code(c, s->item);
        if (r == 0 && has_code(s->item) && !s->known_code)
                r = add_code(c, s->item->sketch, s->item->owns ? IGNORED : member);
        return r;
}

int qn_clusters_add(struct qn_clusters *c, const struct qn_cluster_item *item, uint32_t *ret_member)
{
        struct qn_feature features[QN_CLUSTER_FEATURES_MAX + 1];
        struct search s;
        uint32_t member = (uint32_t)c->n_members;
        size_t n = features_of(item, features);
        int joined, r;

        if (c->n_members >= c->max)
                return -ENOBUFS;
        s.c = c;
        s.item = item;
        s.n = 0;
        s.known_code = false;
        if (has_code(item))
                search_code(&s);
        for (size_t i = 0; i < n; i++)
                search_feature(&s, features[i]);
        r = add_member(c, item);
        if (r < 0)
                return r;
        joined = join_found(c, &s, member);
        r = remember(c, &s, features, n, member);
        if (r < 0)
                return r;
        *ret_member = member;
        return joined;
}

void qn_clusters_on_join(struct qn_clusters *c,
                         void (*fn)(void *ctx, uint32_t root, uint32_t other), void *ctx)
{
        c->on_join = fn;
        c->ctx = ctx;
}

int qn_clusters_ignore(struct qn_clusters *c, const struct qn_sketch *sketch)
{
        return qn_sketch_filled(sketch) >= CODE_BINS ? add_code(c, sketch, IGNORED) : 0;
}

/* --- answers --- */

struct qn_cluster_why qn_cluster_why(const struct qn_clusters *c, uint32_t member)
{
        const struct member *m = &c->members[member];

        return (struct qn_cluster_why){ m->with, m->kinds, m->percent };
}

void qn_cluster_info(const struct qn_clusters *c, uint32_t member, struct qn_cluster_info *ret)
{
        const struct member *root = &c->members[qn_cluster_of(c, member)],
                            *first = &c->members[root->first];
        uint64_t name[2] = { first->key, first->time };
        uint32_t at = member;

        *ret = (struct qn_cluster_info){ .id = qn_hash64(name, sizeof name),
                                         .first = root->first,
                                         .size = root->size,
                                         .from = first->time };
        do {
                const struct member *m = &c->members[at];

                ret->to = QN_MAX(ret->to, m->time);
                for (unsigned i = 0; i < QN_FEATURE_KINDS; i++)
                        ret->by[i] += m->kinds >> i & 1;
                at = m->next;
        } while (at != member);
}

void qn_cluster_growth(const struct qn_clusters *c, uint32_t member, uint32_t from, uint32_t step,
                       uint32_t *counts, size_t n)
{
        uint32_t at = member;

        do {
                const struct member *m = &c->members[at];

                if (m->time >= from && (m->time - from) / step < n)
                        counts[(m->time - from) / step]++;
                at = m->next;
        } while (at != member);
}
