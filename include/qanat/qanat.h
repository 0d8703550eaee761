/* qanat.h - the public face of libqanat: is this npm package safe?
 *
 *   struct qanat *q;  qanat_new("/usr/share/qanat", &q, why, sizeof why);
 *   struct qanat_result *r;  qanat_check(q, tarball, size, NULL, &r);
 *   puts(qanat_verdict_name(qanat_verdict(r)));  puts(qanat_json(r));
 *   qanat_result_free(r);  qanat_free(q);
 *
 * Nothing of a package is run, but its bytes are hostile and these calls do not confine themselves:
 * give them a process of their own, as the program `qanat` does.  A struct qanat belongs to one
 * thread at a time. Calls return 0 or a negative errno; outputs are set on success only. */
#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct qanat;        /* rules and tables, loaded once, and the memory of one worker */
struct qanat_result; /* what was found in one package */

/* Ordered from good to bad; what could not be analysed is not clean. */
enum qanat_verdict { QANAT_CLEAN, QANAT_UNKNOWN, QANAT_SUSPICIOUS, QANAT_MALICIOUS };

/* "major.minor.patch" of the library. */
const char *qanat_version(void);

/* Loads rules and tables.  When that fails, why (may be NULL) gets one line that says where and
 * what. */
int qanat_new(const char *data_dir, struct qanat **ret, char *why, size_t why_size);
struct qanat *qanat_free(struct qanat *q);

/* Analyses a tarball (gzip or plain) held in memory.  integrity: the hashes it must match
 * ("sha512-…"), or NULL. A broken or too large package is no error: its verdict is QANAT_UNKNOWN or
 * worse.  -ENOMEM: out of memory. */
int qanat_check(struct qanat *q, const void *tarball, size_t size, const char *integrity,
                struct qanat_result **ret);
struct qanat_result *qanat_result_free(struct qanat_result *r);

enum qanat_verdict qanat_verdict(const struct qanat_result *r);
const char *qanat_verdict_name(enum qanat_verdict v);
/* 0 to 100. */
unsigned qanat_score(const struct qanat_result *r);
/* One object of the array `results` of `qanat check --format json`.  Text in it is not escaped for
 * terminals beyond JSON. */
const char *qanat_json(const struct qanat_result *r);

#ifdef __cplusplus
}
#endif
