#include "store/care.h"

#include <errno.h>

#include "base/buf.h"
#include "store/assets.h"
#include "store/learnt.h"
#include "store/ledger.h"
#include "store/watch-db.h"

const struct qn_store qn_stores[] = {
        { "watch", &qn_db_watch },
        { "gate", &qn_db_gate },
        { "inventory", &qn_db_inventory },
        { "learnt", &qn_db_learnt },
        { 0 },
};

#define VERDICTS  "('clean', 'malicious', 'suspicious', 'unknown')"
#define NEXT_VIEW "the next verdict of the version puts that right"
#define NEXT_ADD  "add the place again: qanat inventory add"
#define RESTORE   "bring back a copy of the store from before"

/* Each query gives how many break the rule, and the first of them. */
static const struct {
        const struct qn_db_def *def;
        const char *what, *sql, *next;
} rules[] = {
        { &qn_db_watch, "versions without a judgement",
          "SELECT count(*), min(v.name || '@' || v.version) FROM version v"
          " WHERE NOT EXISTS(SELECT 1 FROM judgement j WHERE j.version = v.id)",
          NEXT_VIEW },
        { &qn_db_watch, "versions whose verdict is not that of their last judgement",
          "SELECT count(*), min(v.name || '@' || v.version) FROM version v"
          " JOIN judgement j ON j.id = (SELECT max(k.id) FROM judgement k WHERE k.version = v.id)"
          " WHERE j.verdict <> v.verdict OR j.score <> v.score OR j.reason <> v.reason",
          NEXT_VIEW },
        { &qn_db_watch, "versions with a verdict that there is not",
          "SELECT count(*), min(name || '@' || version) FROM version WHERE verdict NOT IN " VERDICTS,
          NEXT_VIEW },
        { &qn_db_gate, "verdicts that there are not",
          "SELECT count(*), min(integrity) FROM verdict WHERE verdict NOT IN " VERDICTS,
          "the gate judges again what it is asked for: give it the package once more" },
        { &qn_db_gate, "files in the cache of less than no bytes",
          "SELECT count(*), min(key) FROM cached WHERE size < 0",
          "empty the gate's cache directory while it does not run" },
        { &qn_db_inventory, "packages that were gone before they came",
          "SELECT count(*), min(p.name || '@' || p.version) FROM holding h"
          " JOIN package p ON p.id = h.package WHERE h.until <= h.since",
          RESTORE },
        { &qn_db_inventory, "packages that are at one place twice at a time",
          "SELECT count(*), min(p.name || '@' || p.version) FROM holding h"
          " JOIN holding l ON l.package = h.package AND l.source = h.source AND l.since > h.since"
          " JOIN package p ON p.id = h.package WHERE h.until IS NULL OR h.until > l.since",
          RESTORE },
        { &qn_db_inventory, "packages that came when nobody looked",
          "SELECT count(*), min(p.name || '@' || p.version) FROM holding h"
          " JOIN package p ON p.id = h.package WHERE NOT EXISTS(SELECT 1 FROM observation o"
          " WHERE o.source = h.source AND o.time = h.since)",
          NEXT_ADD },
        { &qn_db_learnt, "packages without the files that they have",
          "SELECT count(*), min(p.name || '@' || p.version) FROM package p WHERE p.files > 0"
          " AND NOT EXISTS(SELECT 1 FROM file f WHERE f.package = p.id)",
          "remove learnt.db, and learn again: qanat inventory learn" },
};

struct checking {
        qn_fault_fn *fn;
        void *ctx;
};

static int on_fault(void *ctx, struct qn_str what)
{
        const struct checking *c = ctx;
        const struct qn_fault f = { what, RESTORE };

        return c->fn(c->ctx, &f);
}

static int check_rule(struct qn_db *db, size_t rule, qn_fault_fn *fn, void *ctx)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(4096);
        struct qn_stmt *s = qn_db_prepare(db, rules[rule].sql);
        int r = qn_db_step(s);

        if (r > 0 && qn_db_int(s, 0) > 0) {
                qn_buf_printf(&b, "%s: %lld, such as %.*s", rules[rule].what,
                              (long long)qn_db_int(s, 0), QN_STR_ARG(qn_db_text(s, 1)));
                r = fn(ctx, &(struct qn_fault){ qn_buf_view(&b), rules[rule].next });
        } else if (r > 0) {
                r = 0;
        }
        qn_db_reset(s);
        return r;
}

int qn_store_check(struct qn_db *db, const struct qn_store *kind, qn_fault_fn *fn, void *ctx)
{
        int r = qn_db_check(db, on_fault, &(struct checking){ fn, ctx });

        for (size_t i = 0; r == 0 && i < QN_ARRAY_SIZE(rules); i++)
                if (rules[i].def == kind->def)
                        r = check_rule(db, i, fn, ctx);
        return r;
}
