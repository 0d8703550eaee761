/* policy.h - who decides what a client may have: a YAML file of the operator's (data/gate/policy.yaml is the default one).
 * Pure: the same facts, policy and time give the same decision. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "rule/judge.h"

struct qn_policy;

enum qn_policy_mode {
        QN_POLICY_ENFORCE, /* what is blocked is not served */
        QN_POLICY_WARN,    /* it is served, and the client is told */
        QN_POLICY_OBSERVE  /* it is served, and only the log says so */
};

/* path: for messages.  0 or -EINVAL, which line and why; -errno. */
QN_MUST int qn_policy_load(const char *path, struct qn_policy **ret, struct qn_err *reterr);
QN_MUST int qn_policy_parse(struct qn_str text, const char *path, struct qn_policy **ret,
                            struct qn_err *reterr);
struct qn_policy *qn_policy_free(struct qn_policy *p);
void qn_policy_freep(struct qn_policy **p);

/* Changes with whatever in the file means something else: 16 hexadecimal digits.  Entries that expire do not change it. */
const char *qn_policy_revision(const struct qn_policy *p);
enum qn_policy_mode qn_policy_mode(const struct qn_policy *p);
/* Milliseconds within which an analysis should end before `unknown` decides. */
uint32_t qn_policy_budget_ms(const struct qn_policy *p);
/* Whether the name is the organisation's own: it is never asked for outside.  upstream: where it is, "" when nowhere is said. */
bool qn_policy_owned(const struct qn_policy *p, struct qn_str name, struct qn_str *ret_upstream);
/* The next moment (milliseconds since 1970) after now at which some decision about a version published at `published_ms` may
 * change by time alone; INT64_MAX: never.  The earliest over all versions of a package is right for the whole of it. */
int64_t qn_policy_changes_at(const struct qn_policy *p, struct qn_str name, int64_t published_ms,
                             int64_t now_ms);

/* What intelligence says about a version. */
enum qn_policy_known {
        QN_KNOWN_NOTHING,
        QN_KNOWN_ALLOWED,
        QN_KNOWN_VULNERABLE,
        QN_KNOWN_SUSPICIOUS,
        QN_KNOWN_UNREADABLE, /* it cannot be asked: decided as if it said the worst */
        QN_KNOWN_MALICIOUS
};

struct qn_policy_facts {
        struct qn_str name, version;
        int64_t published_ms;    /* QN_TIME_NONE: the registry does not say */
        int64_t first_ms;        /* when the package's first version was published; QN_TIME_NONE */
        bool has_hooks;          /* an install script */
        bool hooks_new;          /* and the version before had none */
        bool provenance_lost;    /* earlier versions had attestations, this one has none */
        bool from_owned;         /* it comes from where the organisation's own packages are */
        struct qn_str lookalike; /* the popular name that this one looks like; empty: none */
        enum qn_policy_known known;
        struct qn_str known_id, known_why;
        int64_t facts_until_ms; /* when time alone will change these facts; 0: never */
        bool judged;            /* the fields below count */
        bool late; /* its analysis did not end in time: verdict is QN_UNKNOWN, and may change */
        enum qn_verdict_kind verdict;
        struct qn_str reason; /* of the verdict */
};

enum qn_policy_action {
        QN_POLICY_ALLOW,
        QN_POLICY_QUARANTINE, /* not served until a person or a later analysis decides; answered like a block */
        QN_POLICY_BLOCK
};

#define QN_POLICY_REASON_BYTES 512

struct qn_policy_decision {
        enum qn_policy_action action; /* as if enforced, whatever the mode */
        enum qn_policy_mode
                mode; /* what holds for this decision: rules and packages may have one of their own.  It is
                                         served when action is ALLOW, or when this is not ENFORCE */
        const char *
                rule; /* "owned", "intelligence", "verdict", "unknown", "minimum-age", "install-hooks",
                                         "provenance", "look-alikes": stable, for machines.  "" when none applied; with
                                         excepted the one that would have decided */
        char reason
                [QN_POLICY_REASON_BYTES]; /* one sentence for the client, printable UTF-8, escaped; "" when nothing was
                                                to be said.  Does not change with now_ms while the decision holds */
        bool excepted;    /* an exception or override let it through: reason names it */
        bool overridden;  /* it was an override: for the log */
        int64_t until_ms; /* when time alone will change it, or INT64_MAX */
};

/* Before there are bytes (judged false): what is known beforehand; after the analysis: all of it. */
void qn_policy_decide(const struct qn_policy *p, const struct qn_policy_facts *f, int64_t now_ms,
                      struct qn_policy_decision *ret);

/* --- how a decision came about --- */

struct qn_policy_step {
        const char *rule; /* as in qn_policy_decision; the first step is "override" */
        bool applies, excepted, decides;
        enum qn_policy_action action; /* when it applies */
        enum qn_policy_mode mode;
        char why[QN_POLICY_REASON_BYTES]; /* one sentence, as fit to be printed as a reason; never empty */
};

#define QN_POLICY_STEPS 9u

/* Every rule in the order in which they are asked, whether it applies and why.  The same answer as qn_policy_decide(). */
void qn_policy_explain(const struct qn_policy *p, const struct qn_policy_facts *f, int64_t now_ms,
                       struct qn_policy_step steps[QN_POLICY_STEPS]);

const char *qn_policy_action_name(enum qn_policy_action a); /* "allow", "quarantine", "block" */
const char *qn_policy_mode_name(enum qn_policy_mode m);     /* "enforce", "warn", "observe" */
