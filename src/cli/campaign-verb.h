/* campaign-verb.h - the parts of `qanat campaign`. */
#pragma once

#include "base/jsonw.h"
#include "base/table.h"
#include "parse/packument.h" /* QN_TIME_TEXT */
#include "store/campaigns.h"

struct qn_args;

#define QN_CAMPAIGN_OUT_MAX ((size_t)1 << 30)
#define QN_CAMPAIGN_HOUR    INT64_C(3600000)

/* What they answer with. */
struct qn_campaign_answer {
        const struct qn_args *args;
        struct qn_db *db;
        bool json;
        struct qn_buf out;
        struct qn_jsonw w;
        struct qn_table table;
};

/* campaign-dismiss.c; logs what is wrong. */
QN_MUST int qn_campaign_dismiss(struct qn_campaign_answer *c, const char *id);
/* campaign-show.c */
QN_MUST int qn_campaign_show(struct qn_campaign_answer *c, const char *id);

void qn_campaign_cell(struct qn_table *t, struct qn_str s, size_t width);
/* What is to be printed of a text of a package. */
void qn_campaign_text(struct qn_buf *out, struct qn_str s, size_t width);
struct qn_str qn_campaign_when(int64_t ms, char buffer[QN_TIME_TEXT]);
void qn_campaign_put_text(struct qn_jsonw *w, const char *key, struct qn_str s); /* p NULL: null */
void qn_campaign_put_time(struct qn_jsonw *w, const char *key, int64_t ms);
/* Its own fields, inside an open object. */
void qn_campaign_put(struct qn_jsonw *w, const struct qn_campaign *c);
