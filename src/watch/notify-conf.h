/* notify-conf.h - who is told what, and how: a YAML file of the operator's; data/watch/notify.yaml is an example with every key,
 * commented.  Secrets are files that nobody else can read, never texts in it. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "watch/notice.h"

struct qn_arena;

enum qn_channel_kind {
        QN_CHANNEL_WEBHOOK,
        QN_CHANNEL_MAIL,
        QN_CHANNEL_COMMAND,
        QN_CHANNEL_ISSUE,
};
extern const char *const qn_channel_kinds[]; /* by kind, then NULL */

struct qn_texts {
        struct qn_str *v;
        size_t n;
};

struct qn_channel {
        struct qn_str name;
        enum qn_channel_kind kind;
        struct qn_str url; /* webhook, issue: http(s)://; mail: smtp(s)://; p NULL: none (issue) */
        struct qn_str secret;               /* webhook: signs; p NULL: nothing is signed */
        struct qn_str token;                /* issue: p NULL: none */
        struct qn_str from, user, password; /* mail */
        bool plain;                         /* mail: no TLS */
        struct qn_texts argv;               /* command */
        struct qn_str directory;            /* issue: where bodies are written; p NULL: nowhere */
        struct qn_texts labels;
        uint32_t timeout_ms;
};

/* All that is found goes to these. */
struct qn_route {
        size_t channel;
        struct qn_str address; /* mail: to whom */
        unsigned kinds;        /* 1 << enum qn_notice_kind */
        struct qn_texts packages;
        uint32_t score; /* at least */
        bool deployed;  /* only what somebody has */
};

/* What is in the assets of an owner goes to them. */
struct qn_owner {
        struct qn_str
                name; /* as the inventory has it; empty: all whose name is an address of `address`'s host */
        size_t channel;
        struct qn_str address; /* mail: to whom; of those without a name "@host" */
        struct qn_texts
                clients; /* of the gate: tokens, addresses, which are this owner's; patterns */
};

struct qn_notify_conf {
        struct qn_channel *channels;
        size_t n_channels;
        struct qn_route *routes;
        size_t n_routes;
        struct qn_owner *owners;
        size_t n_owners;
        struct qn_str ca; /* PEM, trusted as well; p NULL: none */
        int64_t wait_ms;  /* for others of the same topic */
        uint32_t limit;   /* messages to one recipient of a channel in per_ms; 0: any number */
        int64_t per_ms;
        uint32_t tries;
        int64_t retry_ms; /* before the second try */
        int64_t keep_ms;  /* what was sent is remembered */
};

/* All of it lives in the arena.  0 or -EINVAL: which line and why; -errno. */
QN_MUST int qn_notify_conf_load(const char *path, struct qn_arena *a, struct qn_notify_conf *ret,
                                struct qn_err *reterr);
/* The same for a text; path: for messages, and paths in it are beside it.  secrets: whether their files are read. */
QN_MUST int qn_notify_conf_parse(struct qn_str text, const char *path, bool secrets,
                                 struct qn_arena *a, struct qn_notify_conf *ret,
                                 struct qn_err *reterr);
/* NULL: there is none of that name. */
const struct qn_channel *qn_notify_channel(const struct qn_notify_conf *c, struct qn_str name);
