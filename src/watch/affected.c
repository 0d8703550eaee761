#include "watch/affected.h"

#include "parse/packument.h"
#include "store/holdings.h"
#include "store/ledger.h"

struct search {
        struct qn_arena *a;
        struct qn_affected *found;
        struct qn_str version;
};

/* When the arena is full the rest is counted: somebody is to be told in any case. */
static int keep(struct search *s, struct qn_notice_place p)
{
        struct qn_str *const texts[] = { &p.kind,        &p.name, &p.owner,
                                         &p.environment, &p.path, &p.version };
        struct qn_affected *f = s->found;

        if (f->more || qn_arena_keep(s->a, texts, QN_ARRAY_SIZE(texts)) < 0 ||
            QN_ARENA_ROOM(s->a, f->places, f->n, f->cap) < 0)
                f->more++;
        else
                f->places[f->n++] = p;
        return 0;
}

static int on_holding(void *ctx, const struct qn_holding *h)
{
        struct search *s = ctx;

        if (s->version.n && !qn_str_eq(h->version, s->version))
                return 0;
        return keep(s, (struct qn_notice_place){ .kind = h->asset.kind,
                                                 .name = h->asset.name,
                                                 .owner = h->asset.owner,
                                                 .environment = h->asset.environment,
                                                 .path = h->path,
                                                 .version = h->version,
                                                 .since = h->since * 1000,
                                                 .last = h->seen * 1000,
                                                 .gone = h->until != QN_TIME_OPEN });
}

static int on_client(void *ctx, const struct qn_ledger_client *c)
{
        struct search *s = ctx;

        if (s->version.n && !qn_str_eq(c->artifact.version, s->version))
                return 0;
        return keep(s, (struct qn_notice_place){ .kind = QN_STR("client"),
                                                 .name = c->client,
                                                 .version = c->artifact.version,
                                                 .since = c->first,
                                                 .last = c->last });
}

int qn_affected_find(struct qn_db *inventory, struct qn_db *gate, struct qn_str name,
                     struct qn_str version, struct qn_arena *a, struct qn_affected *ret)
{
        struct qn_affected found = { 0 };
        struct search s = { a, &found, version };
        int r = 0;

        if (inventory)
                r = qn_holdings_of(inventory, name, 0, QN_TIME_OPEN - 1, on_holding, &s);
        if (r == 0 && gate)
                r = qn_ledger_clients(gate, name, 0, on_client, &s);
        if (r == 0)
                *ret = found;
        return r;
}
