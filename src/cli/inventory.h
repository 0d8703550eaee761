/* inventory.h - the parts of `qanat inventory`, one file each. */
#pragma once

#include "base/buf.h"
#include "base/jsonw.h"
#include "inventory/scan.h"
#include "parse/packument.h" /* QN_TIME_TEXT */
#include "store/holdings.h"

struct qn_args;

#define QN_INVENTORY_OUT_MAX ((size_t)1 << 30)

/* Each returns an exit status, or a negative errno that it has logged. */
int qn_inventory_add(const struct qn_args *a); /* inventory-record.c */
int qn_inventory_ingest(const struct qn_args *a);
int qn_inventory_collect(const struct qn_args *a);
int qn_inventory_who_has(const struct qn_args *a); /* inventory-ask.c */
int qn_inventory_exposure(const struct qn_args *a);
int qn_inventory_stale(const struct qn_args *a);
int qn_inventory_why(const struct qn_args *a);   /* inventory-why.c */
int qn_inventory_diff(const struct qn_args *a);  /* inventory-diff.c */
int qn_inventory_learn(const struct qn_args *a); /* inventory-learn.c */

bool qn_inventory_is_json(const struct qn_args *a);
void qn_inventory_how(const struct qn_args *a, struct qn_inventory_how *ret);
/* "2025-01-31", with a time of day, or seconds since 1970: 0 or -EINVAL. */
QN_MUST int qn_inventory_time(struct qn_str s, int64_t *ret);
/* As RFC 3339; "" for QN_TIME_OPEN. */
struct qn_str qn_inventory_when(int64_t time, char buffer[QN_TIME_TEXT]);
void qn_inventory_put_time(struct qn_jsonw *w, const char *key, int64_t time);
void qn_inventory_put_text(struct qn_jsonw *w, const char *key, struct qn_str s); /* p NULL: null */
/* The asset's fields, inside an open object. */
void qn_inventory_put_asset(struct qn_jsonw *w, const struct qn_asset *a);
/* Writes and frees out; what went wrong is logged. */
QN_MUST int qn_inventory_finish(struct qn_buf *out, int r);
