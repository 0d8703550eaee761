#include <pthread.h>

#include "gate/front-priv.h"

/* Kept answers in shards, each with its lock.  What is used survives: the hand of a clock passes the entries in the order in
 * which they came, and takes those that were not used since it last passed. */

#define SHARDS  16u
#define BUCKETS 4096u /* of one shard */

struct entry {
        struct entry *next; /* of its bucket */
        struct entry *older, *newer;
        struct qn_reply *reply;
        uint64_t hash;
        atomic_bool used;
        size_t n;
        char key[];
};

static struct shard {
        pthread_rwlock_t lock;
        struct entry *buckets[BUCKETS];
        struct entry *oldest, *newest;
        size_t bytes, files;
} shards[SHARDS];
static _Atomic size_t limit = QN_FRONT_KEEP;
static size_t files_max;

void qn_keep_open(size_t max)
{
        files_max = QN_MIN(max, (size_t)QN_FRONT_KEEP_FILES);
        for (unsigned i = 0; i < SHARDS; i++)
                pthread_rwlock_init(&shards[i].lock, NULL);
}

void qn_keep_limit(uint64_t bytes)
{
        atomic_store(&limit, bytes ? (size_t)bytes : QN_FRONT_KEEP);
}

static struct shard *shard_of(uint64_t hash)
{
        return &shards[hash % SHARDS];
}

static struct entry **bucket_of(struct shard *s, uint64_t hash)
{
        return &s->buckets[hash / SHARDS % BUCKETS];
}

static struct entry *find(struct shard *s, struct qn_str key, uint64_t hash)
{
        struct entry *e = *bucket_of(s, hash);

        while (e && (e->hash != hash || !qn_str_eq((struct qn_str){ e->key, e->n }, key)))
                e = e->next;
        return e;
}

struct qn_reply *qn_keep_find(struct qn_str key, uint64_t hash, uint64_t now_ns)
{
        struct shard *s = shard_of(hash);
        struct qn_reply *r = NULL;
        struct entry *e;

        pthread_rwlock_rdlock(&s->lock);
        e = find(s, key, hash);
        if (e && (!e->reply->expires_ns || now_ns < e->reply->expires_ns)) {
                r = qn_reply_ref(e->reply);
                if (!atomic_load_explicit(&e->used, memory_order_relaxed))
                        atomic_store_explicit(&e->used, true, memory_order_relaxed);
        }
        pthread_rwlock_unlock(&s->lock);
        return r;
}

static size_t weight(const struct entry *e)
{
        return qn_reply_weight(e->reply) + sizeof *e + e->n;
}

static void unlink_age(struct shard *s, struct entry *e)
{
        *(e->older ? &e->older->newer : &s->oldest) = e->newer;
        *(e->newer ? &e->newer->older : &s->newest) = e->older;
        e->older = e->newer = NULL;
}

static void link_newest(struct shard *s, struct entry *e)
{
        e->older = s->newest;
        *(s->newest ? &s->newest->newer : &s->oldest) = e;
        s->newest = e;
}

static void take_out(struct shard *s, struct entry *e)
{
        struct entry **at = bucket_of(s, e->hash);

        while (*at != e)
                at = &(*at)->next;
        *at = e->next;
        unlink_age(s, e);
        s->bytes -= weight(e);
        s->files -= e->reply->fd >= 0;
        qn_reply_unref(e->reply);
        free(e);
}

static void make_room(struct shard *s)
{
        size_t max = atomic_load_explicit(&limit, memory_order_relaxed) / SHARDS;

        while (s->oldest && (s->bytes > max || s->files > files_max / SHARDS)) {
                struct entry *e = s->oldest;

                if (!atomic_exchange_explicit(&e->used, false, memory_order_relaxed) ||
                    e == s->newest) {
                        take_out(s, e);
                        continue;
                }
                unlink_age(s, e);
                link_newest(s, e);
        }
}

void qn_keep_add(struct qn_str key, uint64_t hash, struct qn_reply *r)
{
        struct shard *s = shard_of(hash);
        struct entry *e = calloc(1, sizeof *e + key.n), *old;

        if (!e)
                return;
        memcpy(e->key, key.p, key.n);
        e->n = key.n;
        e->hash = hash;
        e->reply = qn_reply_ref(r);
        pthread_rwlock_wrlock(&s->lock);
        old = find(s, key, hash);
        if (old)
                take_out(s, old);
        e->next = *bucket_of(s, hash);
        *bucket_of(s, hash) = e;
        link_newest(s, e);
        s->bytes += weight(e);
        s->files += r->fd >= 0;
        make_room(s);
        pthread_rwlock_unlock(&s->lock);
}

void qn_keep_forget(struct qn_str package)
{
        for (struct shard *s = shards; s < shards + SHARDS; s++) {
                struct entry *newer;

                pthread_rwlock_wrlock(&s->lock);
                for (struct entry *e = s->oldest; e; e = newer) {
                        newer = e->newer;
                        if (!package.n || qn_str_eq(e->reply->a.package, package))
                                take_out(s, e);
                }
                pthread_rwlock_unlock(&s->lock);
        }
}
