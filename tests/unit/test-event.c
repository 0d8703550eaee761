#include <errno.h>

#include "base/limits.h"
#include "event/event.h"
#include "event/flow.h"
#include "test.h"

static struct qn_event make(enum qn_event_kind k, uint32_t file, uint32_t off, const char *name)
{
        struct qn_event e = qn_event_make(k, QN_LAYER_STATIC, file);

        e.off = off;
        qn_event_attr(&e, QN_ATTR_NAME, qn_str_c(name));
        return e;
}

static int add(struct qn_event_set *s, enum qn_event_kind k, const char *file, uint32_t off,
               const char *name)
{
        struct qn_event e = make(k, qn_event_set_file(s, qn_str_c(file)), off, name);

        return qn_event_add(s, &e);
}

TEST(unknown_names_are_refused)
{
        enum qn_event_kind k = QN_EVENT_META;
        enum qn_phase p;

        ASSERT_EQ(qn_event_from_name(QN_STR("env.reads"), &k), -EINVAL);
        ASSERT_EQ(k, QN_EVENT_META);
        ASSERT_EQ(qn_phase_from_name(QN_STR(""), &p), -EINVAL);
        assert_string_equal(qn_event_name((enum qn_event_kind)250), "?");
}

TEST(names_round_trip)
{
        for (unsigned i = 0; i < QN_EVENT_MAX; i++) {
                enum qn_event_kind k;

                ASSERT_EQ(qn_event_from_name(qn_str_c(qn_event_name(i)), &k), 0);
                ASSERT_EQ(k, i);
        }
        for (unsigned i = 0; i < QN_LABEL_MAX; i++) {
                enum qn_label l;

                ASSERT_EQ(qn_label_from_name(qn_str_c(qn_label_name(i)), &l), 0);
                ASSERT_EQ(l, i);
        }
}

TEST(attributes_are_sorted_replaced_and_cut)
{
        struct qn_event e = qn_event_make(QN_EVENT_NET_SEND, QN_LAYER_STATIC, QN_FILE_NONE);
        char big[QN_ATTR_MAX + 2];

        memset(big, 'a', sizeof big);
        memcpy(big + QN_ATTR_MAX - 1, "\xc3\xa9", 2);
        qn_event_attr(&e, QN_ATTR_URL, QN_STR("u"));
        qn_event_attr(&e, QN_ATTR_HOST, QN_STR("h"));
        qn_event_attr(&e, QN_ATTR_HOW, QN_STR(""));
        qn_event_attr(&e, QN_ATTR_HOST, (struct qn_str){ big, sizeof big });
        ASSERT_EQ(e.n_attrs, 2);
        ASSERT_EQ(e.keys[0], QN_ATTR_HOST);
        ASSERT_EQ(qn_event_get(&e, QN_ATTR_HOST).n, QN_ATTR_MAX - 1);
        ASSERT_NULL(qn_event_get(&e, QN_ATTR_HOW).p);
}

TEST(seventh_attribute_is_left_out)
{
        struct qn_event e = qn_event_make(QN_EVENT_META, QN_LAYER_STATIC, QN_FILE_NONE);

        for (unsigned i = 0; i < 9; i++)
                qn_event_attr(&e, i, QN_STR("x"));
        ASSERT_EQ(e.n_attrs, QN_EVENT_ATTRS - 1);
        qn_event_attr(&e, QN_ATTR_FLOW, QN_STR("a.js:1:1\treads\tx")); /* a flow always fits */
        ASSERT_EQ(e.n_attrs, QN_EVENT_ATTRS);
        qn_event_attr(&e, QN_ATTR_VALUE, QN_STR("x"));
        ASSERT_EQ(e.n_attrs, QN_EVENT_ATTRS);
}

TEST(flow_has_its_own_limit)
{
        struct qn_event e = qn_event_make(QN_EVENT_NET_SEND, QN_LAYER_STATIC, QN_FILE_NONE);
        char big[QN_FLOW_MAX + 1];

        memset(big, 'f', sizeof big);
        qn_event_attr(&e, QN_ATTR_FLOW, (struct qn_str){ big, sizeof big });
        ASSERT_EQ(qn_event_get(&e, QN_ATTR_FLOW).n, QN_FLOW_MAX);
}

/* Adds env.read of X at off with a flow, and seals: the one event that is left must have `want`. */
static void check_merged_flow(const char *const flows[2], const uint32_t offs[2], const char *want)
{
        struct qn_arena a = QN_ARENA_INIT(1 << 20);
        struct qn_event_set s;

        qn_event_set_init(&s, &a);
        for (int i = 0; i < 2; i++) {
                struct qn_event e = make(QN_EVENT_ENV_READ, qn_event_set_file(&s, QN_STR("a.js")),
                                         offs[i], "X");

                if (i == 1) /* the second way to become equal: at the seal */
                        e.phase = QN_PHASE_NEVER;
                qn_event_attr(&e, QN_ATTR_FLOW, qn_str_c(flows[i]));
                ASSERT_EQ(qn_event_add(&s, &e), 0);
        }
        s.events[1].phase = s.events[0].phase;
        ASSERT_EQ(qn_event_set_seal(&s), 0);
        ASSERT_EQ(s.n, 1);
        ASSERT_EQ(s.events[0].count, 2);
        ASSERT_STR(qn_event_get(&s.events[0], QN_ATTR_FLOW), want);
        ASSERT_STR(qn_event_get(&s.events[0], QN_ATTR_NAME), "X");
        qn_arena_done(&a);
}

TEST(events_equal_but_for_their_flow_are_one)
{
        check_merged_flow((const char *[]){ "late", "early" }, (uint32_t[]){ 9, 3 }, "early");
        check_merged_flow((const char *[]){ "early", "late" }, (uint32_t[]){ 3, 9 }, "early");
        check_merged_flow((const char *[]){ "", "told" }, (uint32_t[]){ 3, 3 }, "told");
        check_merged_flow((const char *[]){ "told", "" }, (uint32_t[]){ 3, 3 }, "told");
        check_merged_flow((const char *[]){ "b", "a" }, (uint32_t[]){ 3, 3 }, "a");
}

TEST(flow_of_the_earliest_is_kept_when_added)
{
        struct qn_arena a = QN_ARENA_INIT(1 << 20);
        struct qn_event_set s;
        uint32_t file;

        qn_event_set_init(&s, &a);
        file = qn_event_set_file(&s, QN_STR("a.js"));
        for (unsigned i = 0; i < 3; i++) {
                struct qn_event e = make(QN_EVENT_ENV_READ, file, (uint32_t[]){ 5, 2, 8 }[i], "X");

                qn_event_attr(&e, QN_ATTR_FLOW, qn_str_c((const char *[]){ "5", "2", "8" }[i]));
                ASSERT_EQ(qn_event_add(&s, &e), 0);
        }
        ASSERT_EQ(s.n, 1);
        ASSERT_STR(qn_event_get(&s.events[0], QN_ATTR_FLOW), "2");
        qn_arena_done(&a);
}

TEST(equal_events_are_counted_at_the_earliest_place)
{
        struct qn_arena a = QN_ARENA_INIT(1 << 20);
        struct qn_event_set s;
        struct qn_event e;

        qn_event_set_init(&s, &a);
        e = make(QN_EVENT_ENV_READ, qn_event_set_file(&s, QN_STR("a.js")), 90, "X");
        e.text = QN_STR("late");
        ASSERT_EQ(qn_event_add(&s, &e), 0);
        e.off = 10;
        e.text = QN_STR("early");
        e.labels = QN_LABEL_BIT(NPM);
        ASSERT_EQ(qn_event_add(&s, &e), 0);
        e.off = 50;
        ASSERT_EQ(qn_event_add(&s, &e), 0);
        ASSERT_EQ(add(&s, QN_EVENT_ENV_READ, "a.js", 10, "Y"), 0);
        ASSERT_EQ(s.n, 2);
        ASSERT_EQ(s.events[0].count, 3);
        ASSERT_EQ(s.events[0].off, 10);
        ASSERT_EQ(s.events[0].labels, QN_LABEL_BIT(NPM));
        ASSERT_STR(s.events[0].text, "early");
        qn_arena_done(&a);
}

TEST(order_of_adding_does_not_matter)
{
        struct qn_arena a = QN_ARENA_INIT(1 << 20), b = QN_ARENA_INIT(1 << 20);
        struct qn_event_set s, t;

        qn_event_set_init(&s, &a);
        qn_event_set_init(&t, &b);
        qn_event_set_file(&t, QN_STR("unused.js"));
        for (unsigned i = 0; i < 50; i++)
                ASSERT_EQ(add(&s, i % 7, i % 3 ? "b.js" : "a.js", i % 11, i % 2 ? "x" : "y"), 0);
        for (unsigned i = 50; i-- > 0;)
                ASSERT_EQ(add(&t, i % 7, i % 3 ? "b.js" : "a.js", i % 11, i % 2 ? "x" : "y"), 0);
        ASSERT_EQ(qn_event_set_seal(&s), 0);
        ASSERT_EQ(qn_event_set_seal(&t), 0);
        ASSERT_EQ(s.n, t.n);
        ASSERT_EQ(t.n_files, 2);
        ASSERT_STR(t.files[0], "a.js");
        for (size_t i = 0; i < s.n; i++) {
                ASSERT_EQ(s.events[i].kind, t.events[i].kind);
                ASSERT_EQ(s.events[i].file, t.events[i].file);
                ASSERT_EQ(s.events[i].off, t.events[i].off);
                ASSERT_EQ(s.events[i].count, t.events[i].count);
        }
        qn_arena_done(&a);
        qn_arena_done(&b);
}

TEST(seal_merges_what_became_equal)
{
        struct qn_arena a = QN_ARENA_INIT(1 << 20);
        struct qn_event_set s;
        struct qn_event e;

        qn_event_set_init(&s, &a);
        e = make(QN_EVENT_ENV_READ, qn_event_set_file(&s, QN_STR("a.js")), 90, "X");
        e.phase = QN_PHASE_NEVER;
        ASSERT_EQ(qn_event_add(&s, &e), 0);
        e.phase = QN_PHASE_CALL;
        e.off = 7;
        ASSERT_EQ(qn_event_add(&s, &e), 0);
        ASSERT_EQ(s.n, 2);
        for (size_t i = 0; i < s.n; i++)
                s.events[i].phase = QN_PHASE_INSTALL;
        ASSERT_EQ(qn_event_set_seal(&s), 0);
        ASSERT_EQ(s.n, 1);
        ASSERT_EQ(s.events[0].count, 2);
        ASSERT_EQ(s.events[0].off, 7);
        ASSERT_EQ(add(&s, QN_EVENT_META, "a.js", 0, "x"), -ENOBUFS);
        ASSERT_EQ(s.n, 1);
        qn_arena_done(&a);
}

TEST(flood_of_one_kind_in_one_file_is_reported)
{
        struct qn_arena a = QN_ARENA_INIT(8 << 20);
        struct qn_event_set s;
        char name[16];
        int r = 0;

        qn_event_set_init(&s, &a);
        for (unsigned i = 0; i < QN_EVENTS_KIND_MAX + 1; i++) {
                snprintf(name, sizeof name, "n%u", i);
                r = add(&s, QN_EVENT_URL_LITERAL, "a.js", i, name);
        }
        ASSERT_EQ(r, -ENOBUFS);
        ASSERT_EQ(add(&s, QN_EVENT_ENV_READ, "a.js", 1, "X"), 0);
        ASSERT_EQ(add(&s, QN_EVENT_URL_LITERAL, "b.js", 1, "X"), 0);
        ASSERT_EQ(qn_event_set_seal(&s), 0);
        ASSERT_EQ(s.n, QN_EVENTS_KIND_MAX + 3);
        ASSERT_EQ(s.events[s.n - 1].kind, QN_EVENT_UNANALYSED);
        qn_arena_done(&a);
}

TEST(flood_over_files_is_reported)
{
        struct qn_arena a = QN_ARENA_INIT(64 << 20);
        struct qn_event_set s;
        char name[16];
        int r = 0;

        qn_event_set_init(&s, &a);
        for (unsigned i = 0; i < QN_EVENTS_MAX + 1; i++) {
                snprintf(name, sizeof name, "f%u.js", i / 100);
                r = add(&s, QN_EVENT_ENV_READ, name, i,
                        (char[]){ (char)('0' + i % 100 / 10), (char)('0' + i % 10), 0 });
        }
        ASSERT_EQ(r, -ENOBUFS);
        ASSERT_EQ(qn_event_set_seal(&s), 0);
        ASSERT_EQ(s.n, QN_EVENTS_MAX + 1);
        qn_arena_done(&a);
}

TEST(full_arena_overflows_without_a_crash)
{
        struct qn_arena a = QN_ARENA_INIT(100 << 10);
        struct qn_event_set s;
        char name[16];
        unsigned refused = 0;

        qn_event_set_init(&s, &a);
        for (unsigned i = 0; i < 5000; i++) {
                snprintf(name, sizeof name, "f%u.js", i);
                refused += add(&s, QN_EVENT_ENV_READ, name, 0, name) < 0;
        }
        ASSERT_TRUE(refused > 0 && s.overflow);
        qn_arena_done(&a);
}

TEST(broken_utf8_is_stored_valid)
{
        struct qn_arena a = QN_ARENA_INIT(1 << 20);
        struct qn_event_set s;

        qn_event_set_init(&s, &a);
        ASSERT_EQ(add(&s, QN_EVENT_ENV_READ, "a\xff.js", 0, "x\xc3"), 0);
        ASSERT_STR(s.files[0], "a\xef\xbf\xbd.js");
        ASSERT_STR(s.events[0].values[0], "x\xef\xbf\xbd");
        ASSERT_EQ(qn_event_set_file(&s, QN_STR("a\xfe.js")), 0);
        qn_arena_done(&a);
}

TEST(empty_set_seals)
{
        struct qn_arena a = QN_ARENA_INIT(1 << 20);
        struct qn_event_set s;

        qn_event_set_init(&s, &a);
        ASSERT_EQ(qn_event_set_seal(&s), 0);
        ASSERT_EQ(s.n, 0);
        qn_arena_done(&a);
}

/* --- flows --- */

static void check_step(const char *flow, const char *file, unsigned line, unsigned column,
                       const char *what, const char *text)
{
        struct qn_str rest = qn_str_c(flow);
        struct qn_flow_step step;

        ASSERT_TRUE(qn_flow_next(&rest, &step));
        ASSERT_STR(step.file, file);
        ASSERT_EQ(step.line, line);
        ASSERT_EQ(step.column, column);
        ASSERT_STR(step.what, what);
        ASSERT_STR(step.text, text);
        ASSERT_FALSE(qn_flow_next(&rest, &step));
}

TEST(steps_of_a_flow)
{
        check_step("lib/a.js:14:3\treads\tf(x)", "lib/a.js", 14, 3, "reads", "f(x)");
        check_step("\n\nc:d.js:1:2\tw\tone\ttwo\n", "c:d.js", 1, 2, "w", "one\ttwo");
        check_step("a.js:7\tw", "a.js", 7, 0, "w", "");
        check_step("a.js", "a.js", 0, 0, "", "");
        check_step("a.js:99999999999:1", "a.js:99999999999", 1, 0, "", "");
        check_step("\t\t", "", 0, 0, "", "");
        check_step(":\t", ":", 0, 0, "", "");
}

TEST(steps_come_in_order)
{
        struct qn_str rest = QN_STR("a:1:1\tx\ty\n\nb:2:2\tx\ty");
        struct qn_flow_step step;

        ASSERT_TRUE(qn_flow_next(&rest, &step));
        ASSERT_STR(step.file, "a");
        ASSERT_TRUE(qn_flow_next(&rest, &step));
        ASSERT_STR(step.file, "b");
        ASSERT_FALSE(qn_flow_next(&rest, &step));
        rest = QN_STR("");
        ASSERT_FALSE(qn_flow_next(&rest, &step));
}

/* --- as bytes --- */

static void fill(struct qn_event_set *s, struct qn_arena *a)
{
        struct qn_event e;

        qn_event_set_init(s, a);
        s->name = QN_STR("@x/y");
        s->version = QN_STR("1.0.0");
        s->integrity = QN_STR("sha512-AA==");
        for (unsigned i = 0; i < 40; i++)
                ASSERT_EQ(add(s, i * 3 % QN_EVENT_MAX, i % 3 ? "b.js" : "a.js", i,
                              i % 2 ? "x" : "\xc3\xa9"),
                          0);
        e = make(QN_EVENT_NET_SEND, QN_FILE_NONE, 5, "n");
        e.labels = QN_LABEL_BIT(NPM) | QN_LABEL_BIT(INPUT);
        e.text = QN_STR("fetch(\"x\")");
        qn_event_attr(&e, QN_ATTR_HOST, QN_STR("h.invalid"));
        qn_event_attr(&e, QN_ATTR_FLOW, QN_STR("a.js:1:2\tread\tx\nb.js:3:4\tsent\ty"));
        ASSERT_EQ(qn_event_add(s, &e), 0);
        ASSERT_EQ(qn_event_set_seal(s), 0);
}

static void assert_same_bytes(const struct qn_event_set *s, const struct qn_event_set *t)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 20), c = QN_BUF_INIT(1 << 20);

        ASSERT_EQ(qn_event_set_write(s, &b), 0);
        ASSERT_EQ(qn_event_set_write(t, &c), 0);
        ASSERT_TRUE(qn_str_eq(qn_buf_view(&b), qn_buf_view(&c)));
}

TEST(every_prefix_of_stored_events_is_refused)
{
        struct qn_arena a = QN_ARENA_INIT(4 << 20), scratch = QN_ARENA_INIT(4 << 20);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 20);
        struct qn_event_set s, t;

        fill(&s, &a);
        ASSERT_EQ(qn_event_set_write(&s, &b), 0);
        for (size_t n = 0; n < b.n; n++) {
                struct qn_cur in = qn_cur_mem(b.p, n);
                struct qn_err err = { 0 };

                qn_arena_reset(&scratch, 1 << 20);
                ASSERT_EQ(qn_event_set_read(&in, &scratch, &t, &err), -EBADMSG);
                ASSERT_TRUE(err.off <= n && (const char *)in.p == b.p);
        }
        qn_arena_done(&a);
        qn_arena_done(&scratch);
}

TEST(changed_bytes_of_stored_events_do_no_harm)
{
        struct qn_arena a = QN_ARENA_INIT(4 << 20), scratch = QN_ARENA_INIT(4 << 20);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 20);
        struct qn_event_set s, t;

        fill(&s, &a);
        ASSERT_EQ(qn_event_set_write(&s, &b), 0);
        for (size_t i = 0; i < b.n; i++)
                for (unsigned bit = 0; bit < 8; bit++) {
                        struct qn_cur in = qn_cur_mem(b.p, b.n);

                        b.p[i] ^= (char)(1 << bit);
                        qn_arena_reset(&scratch, 1 << 20);
                        if (qn_event_set_read(&in, &scratch, &t, NULL) == 0)
                                ASSERT_TRUE(t.n > 0 && t.sealed);
                        b.p[i] ^= (char)(1 << bit);
                }
        qn_arena_done(&a);
        qn_arena_done(&scratch);
}

TEST(stored_events_round_trip)
{
        struct qn_arena a = QN_ARENA_INIT(4 << 20), c = QN_ARENA_INIT(4 << 20);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 20);
        struct qn_event_set s, t;
        struct qn_cur in;

        fill(&s, &a);
        ASSERT_EQ(qn_event_set_write(&s, &b), 0);
        qn_buf_puts(&b, "next");
        in = qn_cur_mem(b.p, b.n);
        ASSERT_EQ(qn_event_set_read(&in, &c, &t, NULL), 0);
        ASSERT_STR(qn_cur_rest(&in), "next");
        ASSERT_STR(t.name, "@x/y");
        ASSERT_EQ(t.n, s.n);
        assert_same_bytes(&s, &t);
        qn_arena_done(&a);
        qn_arena_done(&c);
}

/* --- as lines of JSON --- */

static void assert_json_refused(const char *text, int code, const char *message)
{
        struct qn_arena a = QN_ARENA_INIT(4 << 20);
        struct qn_cur in = qn_cur_str(qn_str_c(text));
        struct qn_event_set s;
        struct qn_err err = { 0 };

        ASSERT_EQ(qn_event_set_read_json(&in, &a, &s, &err), code);
        if (!strstr(err.msg, message))
                fail_msg("\"%s\" does not say \"%s\"", err.msg, message);
        qn_arena_done(&a);
}

#define HEADER "{\"schema\":\"qanat.events/1\"}\n"

TEST(json_that_is_not_a_set_is_refused)
{
        assert_json_refused("", -EBADMSG, "empty");
        assert_json_refused("{}\n", -EPROTO, "schema");
        assert_json_refused("{\"schema\":\"qanat.events/2\"}", -EPROTO, "schema");
        assert_json_refused("{\"schema\":\"qanat.events/1\",\"x\":1}", -EBADMSG,
                            "unknown field \"x\"");
        assert_json_refused(HEADER "[]", -EBADMSG, "line 2: not an object");
        assert_json_refused(HEADER "{\"event\":\"env.read\"", -EBADMSG, "line 2:");
        assert_json_refused(HEADER "\n{\"phase\":\"import\"}", -EBADMSG, "line 3: no event");
        assert_json_refused(HEADER "{\"event\":\"env.reed\"}", -EBADMSG,
                            "unknown event \"env.reed\"");
        assert_json_refused(HEADER "{\"event\":\"env.read\",\"phase\":\"x\"}", -EBADMSG,
                            "unknown phase");
        assert_json_refused(HEADER "{\"event\":\"env.read\",\"layer\":1}", -EBADMSG,
                            "unknown layer");
        assert_json_refused(HEADER "{\"event\":\"env.read\",\"offset\":4294967296}", -EBADMSG,
                            "not a number");
        assert_json_refused(HEADER "{\"event\":\"env.read\",\"offset\":-1}", -EBADMSG,
                            "not a number");
        assert_json_refused(HEADER "{\"event\":\"env.read\",\"count\":0}", -EBADMSG,
                            "count of nothing");
        assert_json_refused(HEADER "{\"event\":\"env.read\",\"labels\":[\"zz\"]}", -EBADMSG,
                            "unknown label \"zz\"");
        assert_json_refused(HEADER "{\"event\":\"env.read\",\"attrs\":{\"zz\":\"1\"}}", -EBADMSG,
                            "unknown attribute \"zz\"");
        assert_json_refused(HEADER "{\"event\":\"env.read\",\"attrs\":{\"name\":\"\"}}", -EBADMSG,
                            "no text, or too long");
        assert_json_refused(HEADER "{\"event\":\"env.read\",\"file\":\"\"}", -EBADMSG,
                            "not a path");
        assert_json_refused(HEADER "{\"event\":\"env.read\",\"zz\":1}", -EBADMSG,
                            "unknown field \"zz\"");
        assert_json_refused(HEADER "{\"event\":\"env.read\",\"event\":\"meta\"}", -EBADMSG,
                            "occurs twice");
}

TEST(json_round_trips)
{
        struct qn_arena a = QN_ARENA_INIT(4 << 20), c = QN_ARENA_INIT(4 << 20);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 20);
        struct qn_event_set s, t;
        struct qn_cur in;

        fill(&s, &a);
        ASSERT_EQ(qn_event_set_write_json(&s, &b), 0);
        in = qn_cur_mem(b.p, b.n);
        ASSERT_EQ(qn_event_set_read_json(&in, &c, &t, NULL), 0);
        ASSERT_EQ(qn_cur_left(&in), 0);
        assert_same_bytes(&s, &t);
        qn_arena_done(&a);
        qn_arena_done(&c);
}

TEST(json_of_two_sets)
{
        struct qn_arena a = QN_ARENA_INIT(4 << 20);
        struct qn_cur in = CUR(HEADER "{\"event\":\"env.read\"}\n" HEADER
                                      "{\"event\":\"meta\"}\n{\"event\":\"persist\"}");
        struct qn_event_set s;

        ASSERT_EQ(qn_event_set_read_json(&in, &a, &s, NULL), 0);
        ASSERT_EQ(s.n, 1);
        ASSERT_EQ(qn_event_set_read_json(&in, &a, &s, NULL), 0);
        ASSERT_EQ(s.n, 2);
        ASSERT_EQ(qn_cur_left(&in), 0);
        qn_arena_done(&a);
}

TEST(json_defaults)
{
        struct qn_arena a = QN_ARENA_INIT(4 << 20);
        struct qn_cur in = CUR(HEADER "{\"event\":\"env.read\"}\n\n");
        struct qn_event_set s;

        ASSERT_EQ(qn_event_set_read_json(&in, &a, &s, NULL), 0);
        ASSERT_EQ(s.n, 1);
        ASSERT_EQ(s.events[0].phase, QN_PHASE_IMPORT);
        ASSERT_EQ(s.events[0].layer, QN_LAYER_STATIC);
        ASSERT_EQ(s.events[0].count, 1);
        ASSERT_EQ(s.events[0].file, QN_FILE_NONE);
        qn_arena_done(&a);
}

TEST(secrets_are_masked_in_texts_and_values)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)1 << 20);
        struct qn_event e = make(QN_EVENT_NET_SEND, QN_FILE_NONE, 3, "plain");
        struct qn_event_set s;

        qn_event_set_init(&s, &a);
        e.text = QN_STR("fetch('https://jo:geheim@c.example.invalid/', { password: 'Tr0ub4dor' })");
        qn_event_attr(&e, QN_ATTR_VALUE, QN_STR("ghp_aB3dE5gH7jK9mN1pQ3sT5vX7zA9cE1gI3kM5"));
        qn_event_attr(&e, QN_ATTR_FLOW, QN_STR("a.js:1:1\ta file\ttoken=abcdefgh"));
        ASSERT_EQ(qn_event_add(&s, &e), 0);
        ASSERT_EQ(qn_event_set_seal(&s), 0);
        ASSERT_EQ(qn_event_set_mask(&s), 0);
        ASSERT_STR(s.events[0].text,
                   "fetch('https://***@c.example.invalid/', { password: '***' })");
        ASSERT_STR(qn_event_get(&s.events[0], QN_ATTR_VALUE), "***");
        ASSERT_STR(qn_event_get(&s.events[0], QN_ATTR_NAME), "plain");
        ASSERT_STR(qn_event_get(&s.events[0], QN_ATTR_FLOW), "a.js:1:1\ta file\ttoken=***");
}

/* "://x@" grows when it is masked. */
TEST(what_grows_by_masking_is_cut_at_its_limit)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)1 << 20);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)1 << 20);
        struct qn_event e = make(QN_EVENT_NET_SEND, QN_FILE_NONE, 3, "plain");
        struct qn_event_set s;
        struct qn_cur in;

        qn_event_set_init(&s, &a);
        while (b.n + 7 <= QN_ATTR_MAX)
                qn_buf_puts(&b, "://x@\xc3\xa9");
        qn_event_attr(&e, QN_ATTR_VALUE, qn_buf_view(&b));
        e.text = qn_buf_view(&b);
        ASSERT_EQ(qn_event_add(&s, &e), 0);
        ASSERT_EQ(qn_event_set_seal(&s), 0);
        ASSERT_EQ(qn_event_set_mask(&s), 0);
        ASSERT_TRUE(s.events[0].text.n <= QN_ATTR_MAX && s.events[0].text.n + 4 > QN_ATTR_MAX);
        qn_buf_reset(&b);
        ASSERT_EQ(qn_event_set_write_json(&s, &b), 0);
        in = qn_cur_mem(b.p, b.n);
        ASSERT_EQ(qn_event_set_read_json(&in, &a, &s, NULL), 0);
}
