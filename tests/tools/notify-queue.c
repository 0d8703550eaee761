/* notify-queue - puts notices into an outbox, as what watches the registry does.
 *   usage: notify-queue STATE CONFIGURATION [MILLISECONDS]      notices: one JSON object a line on standard input
 * Places are those that the stores of STATE know; MILLISECONDS: the time that it is.  Prints what became of them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "parse/json.h"
#include "parse/packument.h"
#include "store/assets.h"
#include "store/ledger.h"
#include "watch/affected.h"
#include "watch/notify.h"

static int fail(const char *what, int r, const struct qn_err *err)
{
        fprintf(stderr, "%s: %s\n", what, err && err->msg[0] ? err->msg : strerrordesc_np(-r));
        return 1;
}

static struct qn_str get(const struct qn_node *n, const char *key)
{
        return qn_node_text(qn_node_get(n, key));
}

static enum qn_notice_kind kind_of(struct qn_str s)
{
        unsigned i = 0;

        while (qn_notice_kinds[i] && !qn_str_is(s, qn_notice_kinds[i]))
                i++;
        return (enum qn_notice_kind)i;
}

static int queue(const struct qn_notify_conf *conf, struct qn_db dbs[3], const struct qn_node *o,
                 int64_t now, struct qn_notify_queued *count)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        const struct qn_seen_finding finding = { get(o, "rule"), QN_STR("high"), get(o, "verdict"),
                                                 get(o, "title") };
        struct qn_affected found = { 0 };
        struct qn_notice n = { .kind = kind_of(get(o, "kind")),
                               .name = get(o, "name"),
                               .version = get(o, "version"),
                               .integrity = get(o, "integrity"),
                               .before = get(o, "before"),
                               .verdict = get(o, "verdict"),
                               .score = (unsigned)qn_node_u64(qn_node_get(o, "score"), 0),
                               .reason = get(o, "reason"),
                               .findings = &finding,
                               .n_findings = finding.rule.p != NULL,
                               .campaign = get(o, "campaign"),
                               .time = now };
        int r = qn_affected_find(dbs[1].conn ? &dbs[1] : NULL, dbs[2].conn ? &dbs[2] : NULL, n.name,
                                 n.version, &a, &found);

        n.places = found.places;
        n.n_places = found.n;
        return r < 0 ? r : qn_notify_queue(conf, &dbs[0], &n, now, count);
}

static int queue_all(const struct qn_notify_conf *conf, struct qn_db dbs[3], struct qn_str lines,
                     int64_t now, struct qn_notify_queued *count)
{
        int r = qn_db_begin(&dbs[0]);

        while (r == 0 && lines.n) {
                _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
                struct qn_node *o;

                r = qn_json_parse(qn_cur_str(qn_str_cut(&lines, '\n')), &a, &o, NULL);
                if (r == 0)
                        r = queue(conf, dbs, o, now, count);
        }
        return r < 0 ? r : qn_db_commit(&dbs[0]);
}

int main(int argc, char **argv)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        _cleanup_(qn_buf_done) struct qn_buf in = QN_BUF_INIT((size_t)64 << 20);
        int64_t now = argc > 3 ? (int64_t)strtoll(argv[3], NULL, 10) : (int64_t)time(NULL) * 1000;
        struct qn_db dbs[3] = { 0 };
        struct qn_notify_queued q = { 0 };
        struct qn_notify_conf conf;
        struct qn_err err = { 0 };
        int r = argc < 3 ? -EINVAL : qn_notify_conf_load(argv[2], &a, &conf, &err);

        if (r == 0)
                r = qn_db_open(&qn_db_watch, argv[1], true, &dbs[0], &err);
        if (r < 0)
                return fail("notify-queue", r, &err);
        if (qn_db_open(&qn_db_inventory, argv[1], false, &dbs[1], NULL) < 0)
                dbs[1].conn = NULL; /* there is none */
        if (qn_db_open(&qn_db_gate, argv[1], false, &dbs[2], NULL) < 0)
                dbs[2].conn = NULL;
        r = qn_io_read("-", &in);
        if (r == 0)
                r = queue_all(&conf, dbs, qn_buf_view(&in), now, &q);
        for (size_t i = 0; i < QN_ARRAY_SIZE(dbs); i++)
                if (dbs[i].conn)
                        qn_db_close(&dbs[i]);
        if (r < 0)
                return fail("notify-queue", r, NULL);
        printf("{\"messages\":%u,\"joined\":%u,\"digested\":%u,\"known\":%u}\n", q.messages,
               q.joined, q.digested, q.known);
        return 0;
}
