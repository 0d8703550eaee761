/* watch-put.c - writes an archive into the store of what was seen at the registry, as if it had been found malicious there.
 *   usage: watch-put DATA-DIR STATE-DIR ARCHIVE */
#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "event/event.h"
#include "observe/analyse.h"
#include "observe/scan.h"
#include "store/versions.h"

static int put(struct qn_db *db, const struct qn_event_set *set)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)64 << 20);
        struct qn_seen_put p = { .v = { .name = set->name,
                                        .version = set->version,
                                        .integrity = set->integrity,
                                        .judged = 1,
                                        .verdict = QN_STR("malicious"),
                                        .reason = QN_STR(""),
                                        .rules = QN_STR("") } };
        int64_t id;
        int r = qn_event_set_write(set, &b);

        p.events = qn_buf_view(&b);
        if (r == 0)
                r = qn_db_begin(db);
        if (r == 0)
                r = qn_versions_put(db, &p, &id);
        return r < 0 ? r : qn_db_commit(db);
}

int main(int argc, char **argv)
{
        _cleanup_(qn_buf_done) struct qn_buf archive = QN_BUF_INIT((size_t)64 << 20);
        _cleanup_(qn_analyser_freep) struct qn_analyser *an = NULL;
        struct qn_observers *o = NULL;
        struct qn_analyse_in in = { 0 };
        const struct qn_event_set *set;
        struct qn_err err = { 0 };
        struct qn_db db;
        int r = argc == 4 ? qn_io_read(argv[3], &archive) : -1;

        if (r == 0)
                r = qn_observers_load(argv[1], &o, &err);
        if (r == 0)
                r = qn_analyser_new(o, &an);
        in.archive = qn_cur_mem(archive.p, archive.n);
        if (r == 0)
                r = qn_analyse(an, &in, &set);
        if (r == 0)
                r = qn_db_open(&qn_db_watch, argv[2], true, &db, &err);
        if (r == 0)
                r = put(&db, set);
        if (r < 0)
                fprintf(stderr, "watch-put: %d %s\n", r, err.msg);
        else
                qn_db_close(&db);
        qn_observers_free(o);
        return r < 0;
}
