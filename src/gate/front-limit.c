#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>

#include "base/hash.h"
#include "gate/front-priv.h"

/* --- tokens --- */

/* Takes as long whichever byte differs. */
static bool same_digest(const uint8_t *a, const uint8_t *b)
{
        uint8_t differ = 0;

        for (size_t i = 0; i < 32; i++)
                differ |= a[i] ^ b[i];
        return differ == 0;
}

static int find_token(struct qn_str authorization, const struct qn_front_conf *conf)
{
        char buffer[QN_HEAD_TOKEN_MAX];
        struct qn_str token = qn_head_token(authorization, buffer);
        uint8_t digest[QN_DIGEST_BYTES_MAX];
        int found = -1;

        if (!token.p || qn_digest(QN_SHA256, token.p, token.n, digest) < 0)
                return -1;
        for (size_t i = 0; i < conf->c.n_tokens; i++)
                if (same_digest(digest, conf->c.tokens[i].sha256))
                        found = (int)i;
        return found;
}

int qn_limit_token(struct qn_conn *c, const struct qn_front_conf *conf)
{
        struct qn_str h = c->h[QN_H_AUTHORIZATION];

        if (!h.n || !conf->c.n_tokens)
                return -1;
        if (c->auth_generation == conf->generation &&
            qn_str_eq(h, (struct qn_str){ c->auth, c->auth_n }))
                return c->auth_token;
        c->auth_token = find_token(h, conf);
        c->auth_n = h.n <= sizeof c->auth ? h.n : 0;
        memcpy(c->auth, h.p, c->auth_n);
        c->auth_generation = conf->generation;
        return c->auth_token;
}

/* --- rates --- */

/* A table of fixed size, in sets of WAYS: who was not heard of for longest makes room. */
#define SETS 16384u
#define WAYS 4u

struct bucket {
        uint64_t who, full_ns; /* when it will be full again, if nothing more comes */
};
static struct bucket (*buckets)[WAYS];
static pthread_mutex_t locks[64];

int qn_limit_open(void)
{
        for (size_t i = 0; i < QN_ARRAY_SIZE(locks); i++)
                pthread_mutex_init(&locks[i], NULL);
        buckets = calloc(SETS, sizeof *buckets);
        return buckets ? 0 : -ENOMEM;
}

static struct bucket *bucket_of(struct bucket *set, uint64_t who)
{
        struct bucket *oldest = set;

        for (unsigned i = 0; i < WAYS; i++) {
                if (set[i].who == who)
                        return &set[i];
                if (set[i].full_ns < oldest->full_ns)
                        oldest = &set[i];
        }
        *oldest = (struct bucket){ .who = who };
        return oldest;
}

/* One request costs 1/rate seconds; burst of them may be owed. */
bool qn_limit_rate(const struct qn_front_conf *conf, uint64_t who, uint64_t now_ns)
{
        uint64_t cost, owed;
        unsigned at = (unsigned)(who % SETS);
        struct bucket *b;
        bool fits;

        if (!conf->c.rate)
                return true;
        cost = UINT64_C(1000000000) / conf->c.rate;
        owed = cost * QN_MAX(conf->c.burst, 1u);
        pthread_mutex_lock(&locks[at % QN_ARRAY_SIZE(locks)]);
        b = bucket_of(buckets[at], who);
        b->full_ns = QN_MAX(b->full_ns, now_ns);
        fits = b->full_ns + cost <= now_ns + owed;
        if (fits)
                b->full_ns += cost;
        pthread_mutex_unlock(&locks[at % QN_ARRAY_SIZE(locks)]);
        return fits;
}

uint64_t qn_limit_address(struct qn_str address)
{
        char text[INET6_ADDRSTRLEN];
        uint8_t bytes[16];

        if (address.n < sizeof text) {
                memcpy(text, address.p, address.n);
                text[address.n] = '\0';
                if (inet_pton(AF_INET6, text, bytes) == 1)
                        return qn_hash64(bytes, 8);
        }
        return qn_hash64(address.p, address.n);
}
