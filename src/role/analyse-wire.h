/* analyse-wire.h - the writers beside the readers of analyse.h. */
#pragma once

#include "role/analyse.h"

struct qn_analyse_in;
struct qn_cacache_entry;
struct qn_packument_version;

int qn_analyse_write_imprint(struct qn_buf *out, const struct qn_imprint *m);
QN_MUST int qn_analyse_read_artifact(struct qn_cur params, struct qn_analyse_in *ret);
QN_MUST int qn_analyse_read_want(struct qn_cur params, struct qn_str *ret_name,
                                 struct qn_str *ret_spec);
/* before: NULL when there is none.  -EINVAL when what the registry says cannot be a version, an address, an integrity. */
QN_MUST int qn_analyse_write_picked(struct qn_buf *out, const struct qn_packument_version *v,
                                    const struct qn_packument_version *before,
                                    struct qn_str earlier, struct qn_err *reterr);
struct qn_provenance_in;
QN_MUST int qn_analyse_read_dependency(struct qn_cur params, struct qn_dependency_in *ret);
QN_MUST int qn_analyse_read_attested(struct qn_cur params, struct qn_provenance_in *ret);
QN_MUST int qn_analyse_read_key(struct qn_cur params, struct qn_str *ret_key, bool *ret_full);
QN_MUST int qn_analyse_read_since(struct qn_cur params, int64_t *ret);
QN_MUST int qn_analyse_write_replica(struct qn_buf *out, const struct qn_replica *p);
int qn_analyse_write_changes(struct qn_buf *out, const struct qn_changes *c);
QN_MUST int qn_analyse_read_feed(struct qn_cur params, struct qn_feed_input *ret);
/* e NULL: there is no such entry. */
QN_MUST int qn_analyse_write_cached(struct qn_buf *out, const struct qn_cacache_entry *e);
QN_MUST int qn_analyse_write_npmrc(struct qn_buf *out, const struct qn_npmrc *rc);
QN_MUST int qn_analyse_read_name(struct qn_cur params, struct qn_str *ret);
QN_MUST int qn_analyse_write_facts(struct qn_buf *out, const struct qn_packument_facts *f);
/* blocked is put into the arena. */
QN_MUST int qn_analyse_read_rewrite(struct qn_cur params, struct qn_arena *a,
                                    struct qn_packument_rewrite *ret);
QN_MUST int qn_analyse_read_squeeze(struct qn_cur params, enum qn_compression *ret);
QN_MUST int qn_analyse_read_audit_kind(struct qn_cur params, enum qn_audit_kind *ret);
QN_MUST int qn_analyse_write_pairs(struct qn_buf *out, const struct qn_audit *a);
QN_MUST int qn_analyse_write_lock(struct qn_buf *out, const struct qn_lock *lock);
