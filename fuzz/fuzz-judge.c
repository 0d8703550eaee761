/* What `qanat judge` reads: events as lines of JSON.  What was read is written and read again without a change, can be judged,
 * and every form of the report is fit for its reader: JSON parses, text holds nothing that drives a terminal. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "event/event.h"
#include "parse/json.h"
#include "report/report.h"
#include "rule/rule.h"

#define ROOM ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct qn_rules *rules(void)
{
        static const char *const dir[] = { FUZZ_DATA "/rules" };
        static struct qn_rules *r;
        struct qn_err err = { 0 };

        if (!r && qn_rules_load(dir, 1, &r, &err) < 0) {
                fprintf(stderr, "%s: %s\n", dir[0], err.msg);
                abort();
        }
        return r;
}

static void round_trip(const struct qn_event_set *s)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(ROOM);
        _cleanup_(qn_buf_done) struct qn_buf one = QN_BUF_INIT(ROOM), two = QN_BUF_INIT(ROOM);
        struct qn_event_set t;
        struct qn_cur in;

        if (qn_event_set_write_json(s, &one) < 0)
                abort();
        in = qn_cur_mem(one.p, one.n);
        if (qn_event_set_read_json(&in, &a, &t, NULL) < 0 || qn_cur_left(&in) ||
            qn_event_set_write_json(&t, &two) < 0)
                abort();
        if (!qn_str_eq(qn_buf_view(&one), qn_buf_view(&two)))
                abort();
}

static void check_json(struct qn_str s)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(ROOM);
        struct qn_node *root = NULL;

        if (qn_json_parse(qn_cur_str(s), &a, &root, NULL) < 0)
                abort();
}

static void check_text(struct qn_str s)
{
        if (!qn_utf8_valid(s))
                abort();
        for (size_t i = 0; i < s.n; i++)
                if (((uint8_t)s.p[i] < ' ' && s.p[i] != '\n') || s.p[i] == 0x7f)
                        abort();
}

static void report(const struct qn_event_set *s, const struct qn_verdict *v,
                   enum qn_report_format format)
{
        _cleanup_(qn_report_freep) struct qn_report *r = NULL;
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(ROOM);
        struct qn_report_opts o = {
                .format = format, .fail_on = QN_SUSPICIOUS, .all = true, .explain = true
        };
        struct qn_result res = { QN_STR("-"), s->name, s->version, s->integrity, v, s, 0 };

        if (qn_report_new(&o, &r) < 0 || qn_report_add(r, &res) < 0 ||
            qn_report_end(r, 0, &out) < 0)
                abort();
        if (format == QN_REPORT_TEXT)
                check_text(qn_buf_view(&out));
        else
                check_json(qn_buf_view(&out));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(ROOM);
        struct qn_cur in = qn_cur_mem(data, size);
        struct qn_event_set s = { 0 };
        struct qn_verdict v = { 0 };
        struct qn_err err = { 0 };
        int r = qn_event_set_read_json(&in, &a, &s, &err);

        if ((r == 0) != s.sealed || (r < 0 && (in.p != data || !err.msg[0])))
                abort();
        if (r < 0)
                return 0;
        round_trip(&s);
        if (qn_judge(rules(), &s, &a, &v) < 0)
                abort();
        for (enum qn_report_format f = QN_REPORT_TEXT; f <= QN_REPORT_SARIF; f++)
                report(&s, &v, f);
        return 0;
}
