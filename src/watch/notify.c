#include "watch/notify.h"

#include <errno.h>

#include "base/arena.h"
#include "base/limits.h"

/* One notice on its way to all who get it. */
struct queueing {
        const struct qn_notify_conf *conf;
        struct qn_db *db;
        int64_t now;
        struct qn_notify_queued *count;
};

static void count(struct qn_notify_queued *q, enum qn_outbox_added how)
{
        q->known += how == QN_OUTBOX_KNOWN;
        q->messages += how == QN_OUTBOX_NEW;
        q->joined += how == QN_OUTBOX_JOINED;
        q->digested += how == QN_OUTBOX_OVER;
}

static int put(const struct queueing *q, const struct qn_channel *ch, struct qn_str address,
               const struct qn_notice *n, struct qn_str owner)
{
        _cleanup_(qn_buf_done) struct qn_buf body = QN_BUF_INIT(QN_NOTIFY_MESSAGE_MAX),
                                             subject = QN_BUF_INIT(4096), topic = QN_BUF_INIT(4096),
                                             fact = QN_BUF_INIT(1 << 20);
        struct qn_outbox_add a = { .channel = ch->name,
                                   .recipient = address.n ? address : ch->name,
                                   .now = q->now,
                                   .wait = q->conf->wait_ms,
                                   .limit = q->conf->limit,
                                   .per = q->conf->per_ms };
        enum qn_outbox_added how;
        int r = qn_notice_write(n, &body);

        if (r == 0)
                r = qn_notice_subject(n, &subject);
        if (r == 0)
                r = qn_notice_topic(n, &topic);
        if (r == 0)
                r = qn_notice_fact(n, owner, &fact);
        if (r < 0)
                return r;
        a.body = qn_buf_view(&body);
        a.subject = qn_buf_view(&subject);
        a.topic = qn_buf_view(&topic);
        a.fact = qn_buf_view(&fact);
        r = qn_outbox_add(q->db, &a, &how);
        if (r == 0)
                count(q->count, how);
        return r;
}

/* --- who gets it --- */

static bool is_among(const struct qn_texts *patterns, struct qn_str s)
{
        for (size_t i = 0; i < patterns->n; i++)
                if (qn_str_glob(s, patterns->v[i]))
                        return true;
        return false;
}

static bool wants(const struct qn_route *t, const struct qn_notice *n)
{
        return (t->kinds & 1u << n->kind) && n->score >= t->score &&
               (!t->deployed || n->n_places) && (!t->packages.n || is_among(&t->packages, n->name));
}

static bool is_theirs(const struct qn_owner *o, const struct qn_notice_place *p)
{
        if (qn_str_is(p->kind, "client"))
                return is_among(&o->clients, p->name);
        return p->owner.n && qn_str_eq(p->owner, o->name);
}

static int tell_theirs(const struct queueing *q, const struct qn_owner *o,
                       const struct qn_notice *n, struct qn_notice_place *room)
{
        struct qn_notice theirs = *n;

        theirs.places = room;
        theirs.n_places = theirs.n_more = 0;
        for (size_t i = 0; i < n->n_places; i++)
                if (is_theirs(o, &n->places[i]))
                        room[theirs.n_places++] = n->places[i];
        if (!theirs.n_places)
                return 0;
        return put(q, &q->conf->channels[o->channel], o->address, &theirs, o->name);
}

/* Somebody else's name, or that of an owner who was met before. */
static bool is_settled(const struct qn_notify_conf *c, const struct qn_notice *n, size_t at)
{
        struct qn_str name = n->places[at].owner;

        for (size_t i = 0; i < c->n_owners; i++)
                if (qn_str_eq(c->owners[i].name, name))
                        return true;
        for (size_t i = 0; i < at; i++)
                if (qn_str_eq(n->places[i].owner, name))
                        return true;
        return false;
}

/* Owners whose names are addresses of a host. */
static int tell_host(const struct queueing *q, const struct qn_owner *host,
                     const struct qn_notice *n, struct qn_notice_place *room)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < n->n_places; i++) {
                struct qn_owner o = { .name = n->places[i].owner, .channel = host->channel };

                o.address = o.name;
                if (qn_http_mailbox_ok(o.name) && qn_str_ends(o.name, host->address.p) &&
                    !is_settled(q->conf, n, i))
                        r = tell_theirs(q, &o, n, room);
        }
        return r;
}

static int tell_owner(const struct queueing *q, const struct qn_owner *o, const struct qn_notice *n,
                      struct qn_notice_place *room)
{
        return o->name.n ? tell_theirs(q, o, n, room) : tell_host(q, o, n, room);
}

int qn_notify_queue(const struct qn_notify_conf *c, struct qn_db *db, const struct qn_notice *n,
                    int64_t now, struct qn_notify_queued *ret)
{
        struct qn_notify_queued counted = ret ? *ret : (struct qn_notify_queued){ 0 };
        const struct queueing q = { c, db, now, &counted };
        _cleanup_(qn_freep) struct qn_notice_place *room = NULL;
        bool owners = n->kind != QN_NOTICE_REPORT && n->kind != QN_NOTICE_TEST && n->n_places;
        int r = 0;

        if (owners && !(room = calloc(n->n_places, sizeof *room)))
                return -ENOMEM;
        for (size_t i = 0; r == 0 && i < c->n_routes; i++)
                if (wants(&c->routes[i], n))
                        r = put(&q, &c->channels[c->routes[i].channel], c->routes[i].address, n,
                                (struct qn_str){ 0 });
        for (size_t i = 0; owners && r == 0 && i < c->n_owners; i++)
                r = tell_owner(&q, &c->owners[i], n, room);
        if (r == 0 && ret)
                *ret = counted;
        return r;
}
