/* gate-priv.h - what the parts of the gate share.  Private to gate/. */
#pragma once

#include <sys/queue.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "gate/front-wire.h"
#include "gate/gate.h"
#include "gate/policy.h"
#include "gate/route.h"
#include "gate/service.h"
#include "intel/revision.h"
#include "net/http.h"
#include "parse/packument-rewrite.h"
#include "parse/packument.h"
#include "role/msg.h"
#include "role/role.h"
#include "store/ledger.h"

struct qn_fetch;
struct qn_npmconf;
struct qn_pool;
struct qn_pool_result;
struct qn_popular;
struct qn_rules;
struct qn_tell;

/* Why there is no answer, as the client is told. */
struct qn_failure {
        uint16_t status; /* of HTTP */
        char reason[1024];
};

QN_PRINTF(3, 4)
void qn_failure_set(struct qn_failure *f, uint16_t status, const char *fmt, ...);

/* --- a question of a client, from when it comes until it is answered --- */

struct qn_asked {
        TAILQ_ENTRY(qn_asked) link; /* for whom it waits for */
        uint64_t seq;
        struct qn_arena mem;
        struct qn_front_question q; /* texts in mem */
        struct qn_route route;
        unsigned anew; /* times that its answer was begun again */
};

TAILQ_HEAD(qn_asked_list, qn_asked);

/* --- the HTTP face, from here (face.c) --- */

struct qn_out {
        STAILQ_ENTRY(qn_out) link;
        struct qn_msg_job job;
        struct qn_buf params, input;
        int fd;
};

struct qn_face {
        pid_t pid;
        int sock;
        bool ready, draining;
        struct qn_msg_reply reply; /* of several pieces, under way */
        bool joining;
        STAILQ_HEAD(, qn_out) out; /* what the socket has no room for */
        struct qn_front_counts counts;
        uint8_t packet[QN_ROLE_MESSAGE_MAX];
};

/* --- packages (package.c) --- */

enum qn_package_state { QN_PACKAGE_IDLE, QN_PACKAGE_FETCHING, QN_PACKAGE_READING };

enum qn_form { QN_FORM_FULL, QN_FORM_SHORT, QN_FORM_MAX };

struct qn_package;
/* Called once: p has its facts, or is NULL and f says why. */
typedef void qn_package_done(struct qn_gate *g, struct qn_package *p, const struct qn_failure *f,
                             void *user);

struct qn_package_wait {
        TAILQ_ENTRY(qn_package_wait) link;
        qn_package_done *done;
        void *user;
};

struct qn_package {
        TAILQ_ENTRY(qn_package) used; /* the latest last */
        char name[QN_ROUTE_PATH_MAX];
        unsigned refs; /* by who works with it */
        enum qn_package_state state;
        TAILQ_HEAD(, qn_package_wait) waiting;
        int fd, fresh_fd; /* the registry's document; the one that is being read; -1 */
        char etag[256], last_modified[64], fresh_etag[256], fresh_modified[64];
        uint64_t fresh_size, place, fresh_place; /* where they came from (qn_upstream_place()) */
        struct qn_arena mem, next_mem;           /* of facts, of those that are being read */
        struct qn_packument_facts facts;
        bool has_facts;
        bool from_shelf; /* what is being read was kept from before */
        bool stale;      /* the registry could not be asked again */
        bool expired; /* it changed upstream while it was being fetched: what comes may be older than that */
        int64_t time; /* when it was fetched or found current (ms) */
        /* What policy makes of it (decide.c). */
        struct qn_arena decided_mem;
        bool decided;
        uint64_t decision; /* which one: what was made for another is not served */
        struct qn_packument_blocked *blocked; /* sorted by bytes of version */
        size_t n_blocked;
        struct qn_str message, notice; /* for people; notice p NULL: none */
        int64_t until;                 /* when time changes it (ms) */
        int views[QN_FORM_MAX];        /* what was made of it, -1; forgotten with the decision */
};

/* --- artifacts (artifact.c) --- */

struct qn_flight;
TAILQ_HEAD(qn_flights, qn_flight);

/* --- the gate --- */

struct qn_upstream {
        struct qn_str name, url;     /* no slash at the end */
        struct qn_str authorization; /* p NULL: none */
        const struct qn_str *scopes;
        size_t n_scopes;
        bool writes, login;
};

struct qn_gate_counts {
        uint64_t asked, packuments, fetched, confirmed, failed, analysed, late, served, blocked,
                quarantined, warned, notes, alarms, again, again_lost;
        uint64_t by_verdict[QN_MALICIOUS + 1];
        uint64_t analysis_sum_ms;
        uint64_t analysis_ms[16]; /* that took at most 2^n ms; [15]: longer */
};

struct qn_gate {
        const struct qn_gate_config *config;
        struct qn_arena mem;
        struct qn_arena service_mem; /* of the service file and the upstreams: replaced with them */
        struct qn_service service;
        struct qn_upstream *upstreams; /* the first one is the default */
        size_t n_upstreams;
        struct qn_npmconf *npm;
        struct qn_policy *policy;
        struct qn_rules *rules;
        uint64_t tables;      /* program and tables, as a number (revision.c) */
        struct qn_tell *tell; /* NULL: there is no index, or (blind) none that can be read */
        bool blind;
        bool unread;         /* the last look at it failed, and that was told */
        uint64_t intel;      /* what the index says, as a number; 0: nothing */
        uint64_t looked;     /* in the light of which what was served was looked at */
        int known;           /* table of what is listed, for the analyse roles; -1 */
        uint64_t indicators; /* that table, as a number */
        uint64_t trust;      /* whose word counts, as a number */
        struct qn_arena names_mem;
        struct qn_popular *popular;
        struct qn_db db;
        struct qn_pool *pool;
        struct qn_fetch *fetch;
        struct qn_face face;
        int *listening;
        char (*addresses)[64];
        size_t n_listening;
        bool named_itself; /* service.url is the address on which it listens */
        int signals;
        int64_t stop_at,
                checked_at; /* monotonic ms: when draining ends; when intelligence was looked at */
        TAILQ_HEAD(qn_packages, qn_package) packages;
        size_t n_packages;
        struct qn_flights flights;
        struct qn_ledger_fetch *notes; /* of this turn, and their numbers */
        uint64_t *note_seqs;
        size_t n_notes;
        struct qn_arena notes_mem;
        uint64_t epoch;      /* grows whenever something that may have been handed out turns bad */
        unsigned telling;    /* webhooks under way */
        bool alarmed;        /* there is something to tell */
        bool again;          /* what was served is being judged again (again.c) */
        int64_t again_after; /* so far */
        int64_t again_at;    /* monotonic ms: not before; 0: at once */
        bool again_missed;   /* something could not be had */
        unsigned n_again;    /* of it under way */
        struct qn_gate_counts counts;
        uint64_t cache_size;
};

/* Everything that it is configured by, read; nothing is open or runs. */
QN_MUST int qn_gate_prepare(const struct qn_gate_config *config, struct qn_gate **ret,
                            struct qn_err *reterr);
/* The roles that it decides with. */
QN_MUST int qn_gate_start_workers(struct qn_gate *g, struct qn_err *reterr);
int64_t qn_gate_now(void);       /* milliseconds since 1970 */
int64_t qn_gate_monotonic(void); /* milliseconds */
QN_PRINTF(2, 3)
void qn_gate_note(struct qn_gate *g, const char *fmt, ...);

/* --- answers (answer.c); each ends the question --- */

void qn_answer_failure(struct qn_gate *g, struct qn_asked *a, const struct qn_failure *f);
/* A decision against it: 403, kept until time or somebody changes it. */
void qn_answer_blocked(struct qn_gate *g, struct qn_asked *a, struct qn_str package,
                       const char *reason, int64_t until);
void qn_answer_json(struct qn_gate *g, struct qn_asked *a, struct qn_str json);
/* head: all but what goes with it; body: of the answer, -1: none; taken. */
void qn_answer(struct qn_gate *g, struct qn_asked *a, const struct qn_front_answer *head, int body);
void qn_answer_bytes(struct qn_gate *g, struct qn_asked *a, const struct qn_front_answer *head,
                     struct qn_cur body);
struct qn_asked *qn_asked_free(struct qn_asked *a);

/* --- face.c --- */

QN_MUST int qn_face_start(struct qn_gate *g, struct qn_err *reterr);
void qn_face_end(struct qn_gate *g);
/* Reads what came: 0, or -EPIPE: it is gone; -errno. */
QN_MUST int qn_face_read(struct qn_gate *g);
QN_MUST int qn_face_flush(struct qn_gate *g);
/* Sends now or later; fd is taken. */
void qn_face_send(struct qn_gate *g, unsigned kind, uint64_t seq, struct qn_str params,
                  struct qn_cur input, int fd);
void qn_face_forget(struct qn_gate *g, struct qn_str package);
QN_MUST int qn_face_configure(struct qn_gate *g);
/* Whether certificate and key can be used. */
QN_MUST int qn_face_check(struct qn_gate *g, struct qn_err *reterr);

/* --- asked.c: what to do about a question; owns it --- */

void qn_gate_asked(struct qn_gate *g, struct qn_asked *a);

/* --- upstream.c --- */

QN_MUST int qn_upstreams_load(struct qn_gate *g, struct qn_err *reterr);
/* The same for a service file that was read again. */
QN_MUST int qn_upstreams_again(struct qn_gate *g, struct qn_err *reterr);
/* Where a package comes from at this moment, as a number; 0: nowhere.  What came from another place is not it. */
uint64_t qn_upstream_place(struct qn_gate *g, struct qn_str name);
/* Whom to ask about a package (name empty: the default one); NULL and *f: nobody, it is owned and no place is known. */
const struct qn_upstream *qn_upstream_of(struct qn_gate *g, struct qn_str name, bool *ret_owned,
                                         struct qn_failure *f);
/* base/@scope%2fname */
void qn_upstream_package_url(const struct qn_upstream *u, struct qn_str name, struct qn_buf *out);
/* The request for a package's document; its address is written to url. */
struct qn_http_request qn_upstream_document(const struct qn_upstream *u, struct qn_str name,
                                            struct qn_buf *url);
/* Whom the request for an address that the upstream's document names may reach: the upstream, with its secret; others
 * without, as the service file says.  -EPERM: none, and why. */
QN_MUST int qn_upstream_reach(struct qn_gate *g, const struct qn_upstream *u,
                              struct qn_http_request *q, struct qn_arena *a, struct qn_failure *f);
/* What a failed request means to a client. */
void qn_upstream_failure(struct qn_failure *f, const struct qn_http_result *res);

/* --- package.c --- */

/* done may be called before this returns. */
void qn_package_want(struct qn_gate *g, struct qn_str name, qn_package_done *done, void *user);
void qn_package_ref(struct qn_package *p);
void qn_package_unref(struct qn_gate *g, struct qn_package *p);
/* Somebody changed it upstream: it is fetched again when it is wanted. */
void qn_package_expire(struct qn_gate *g, struct qn_str name);
void qn_packages_free(struct qn_gate *g);
/* What a role has read of a document (QN_JOB_FACTS). */
QN_MUST int qn_package_facts(struct qn_cur reply, struct qn_arena *a,
                             struct qn_packument_facts *ret);
const struct qn_packument_fact *qn_package_find(const struct qn_package *p, struct qn_str version);

/* --- revision.c --- */

/* By what a verdict is made at this moment; relies: also on the state of intelligence. */
struct qn_str qn_revision(const struct qn_gate *g, bool relies, char text[QN_REVISION_TEXT]);

/* --- decide.c --- */

/* The facts about the i-th version of a package, without a verdict. */
void qn_decide_facts(struct qn_gate *g, const struct qn_package *p, size_t i, struct qn_arena *a,
                     struct qn_policy_facts *ret);
/* Asks intelligence and policy again about facts that were made a while ago. */
void qn_decide_known(struct qn_gate *g, struct qn_str integrity, struct qn_arena *a,
                     struct qn_policy_facts *f);
/* Adds the verdict that is on record; false: none that still counts. */
bool qn_decide_recorded(struct qn_gate *g, struct qn_str integrity, struct qn_arena *a,
                        struct qn_policy_facts *f);
/* Whether an artifact that was handed out may still go, by what is known and on record now: its age and the like are not news. */
bool qn_decide_still(struct qn_gate *g, int64_t artifact);
/* Decides about all versions, unless that was done and holds. */
QN_MUST int qn_decide_package(struct qn_gate *g, struct qn_package *p);
/* Whatever was decided is decided again; in one package, or (NULL) in all. */
void qn_decide_again(struct qn_gate *g, struct qn_package *p);

/* --- view.c --- */

void qn_view_ask(struct qn_gate *g, struct qn_asked *a);

/* --- artifact.c --- */

void qn_artifact_ask(struct qn_gate *g, struct qn_asked *a);
/* Looks at what was served once more, for nobody. */
void qn_artifact_again(struct qn_gate *g, const struct qn_ledger_artifact *a);
void qn_artifacts_free(struct qn_gate *g);
/* Answers those whose time is over; milliseconds until the next one's is, or -1. */
int qn_artifacts_late(struct qn_gate *g);

/* --- pass.c --- */

void qn_pass_read(struct qn_gate *g, struct qn_asked *a);
void qn_pass_write(struct qn_gate *g, struct qn_asked *a);

/* --- search.c --- */

void qn_search_ask(struct qn_gate *g, struct qn_asked *a);

/* --- audit.c --- */

void qn_audit_ask(struct qn_gate *g, struct qn_asked *a);

/* --- shelf.c: what is on disk --- */

/* Opens what is kept; -ENOENT. */
QN_MUST int qn_shelf_open(struct qn_gate *g, enum qn_cached_kind kind, struct qn_str key, int *ret,
                          struct qn_arena *a, struct qn_ledger_cached *ret_row);
/* Copies what fd holds and opens the copy for reading. */
QN_MUST int qn_shelf_put(struct qn_gate *g, const struct qn_ledger_cached *row, int fd, int *ret);
void qn_shelf_drop(struct qn_gate *g, enum qn_cached_kind kind, struct qn_str key);

/* --- book.c: the ledger --- */

/* What the note for an artifact has to say: its number, and when it was handed to the face. */
uint64_t qn_book_ticket(const struct qn_gate *g, int64_t artifact);
void qn_book_note(struct qn_gate *g, uint64_t seq, const struct qn_front_note *n);
/* Writes the notes of this turn and lets what waits for them go out. */
void qn_book_write(struct qn_gate *g);

/* --- turned.c: what turns bad later --- */

/* Opens what is known to be bad, or goes on with its newest state; it may have been made since the gate began, or be another index
 * now.  -ENOENT: there is none. */
QN_MUST int qn_turned_open(struct qn_gate *g, struct qn_err *reterr);
/* Looks whether intelligence has news, and what was served in its light. */
void qn_turned_look(struct qn_gate *g, bool now);
/* before: the verdict on record until now.  -errno: it is not in the ledger. */
QN_MUST int qn_turned_alarm(struct qn_gate *g, const struct qn_ledger_artifact *a,
                            enum qn_verdict_kind before, struct qn_str reason);
/* The verdict that is on record, by whatever rules; unknown when there is none. */
enum qn_verdict_kind qn_turned_verdict(struct qn_gate *g, struct qn_str integrity);

/* --- again.c: what was served, by the rules of today --- */

/* From the first one on. */
void qn_again_begin(struct qn_gate *g);
/* Goes on, when nobody waits for anything else. */
void qn_again_step(struct qn_gate *g);
bool qn_again_may_go_on(const struct qn_gate *g);

/* --- metrics.c --- */

void qn_metrics_ask(struct qn_gate *g, struct qn_asked *a);
