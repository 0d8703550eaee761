/* metrics.h - what the watcher counts, for Prometheus: asked for over HTTP, and answered whatever the question is. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct qn_buf;
struct qn_watch;
struct qn_scrape;

QN_MUST int qn_watch_metrics(struct qn_watch *w, struct qn_buf *out);

/* Listens; "127.0.0.1:9464", port 0: any. */
QN_MUST int qn_scrape_open(struct qn_str address, struct qn_scrape **ret, struct qn_err *reterr);
struct qn_scrape *qn_scrape_free(struct qn_scrape *s);
void qn_scrape_freep(struct qn_scrape **s);
void qn_scrape_name(const struct qn_scrape *s, char name[64]);
/* Answers who asked; to be called a few times a second.  Nothing that comes in is looked at: a connection that sent something gets the
 * counters, one that sends nothing is closed after some seconds. */
void qn_scrape_step(struct qn_scrape *s, struct qn_watch *w);
