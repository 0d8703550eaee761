/* deliver-priv.h - inside of the courier, shared by deliver*.c. */
#pragma once

#include <sys/queue.h>
#include <sys/types.h>

#include "watch/deliver.h"

struct qn_fetch;

/* One delivery through the network. */
struct qn_parcel {
        struct qn_courier *courier;
        qn_delivered_fn *done;
        void *user;
};

/* One command. */
struct qn_errand {
        LIST_ENTRY(qn_errand) link;
        qn_delivered_fn *done;
        void *user;
        pid_t pid;
        int process, output; /* pidfd; what it prints */
        uint64_t deadline;   /* monotonic nanoseconds */
        struct qn_buf text;  /* the begin of what it printed */
};

LIST_HEAD(qn_errands, qn_errand);

struct qn_courier {
        const struct qn_notify_conf *conf;
        struct qn_fetch *fetch;
        struct qn_errands errands;
        size_t open; /* deliveries through the network */
        uint64_t finished;
        int epoll;
};

/* deliver-web.c */
int qn_deliver_webhook(struct qn_courier *c, const struct qn_delivery *d);
int qn_deliver_issue(struct qn_courier *c, const struct qn_delivery *d);
int qn_deliver_mail(struct qn_courier *c, const struct qn_delivery *d);
/* deliver-command.c */
int qn_deliver_command(struct qn_courier *c, const struct qn_delivery *d);
/* Looks after those that run. */
void qn_errands_look(struct qn_courier *c);
void qn_errands_end(struct qn_courier *c);

/* deliver.c */
/* Says what came of it. */
void qn_deliver_tell(qn_delivered_fn *done, void *user, bool sent, struct qn_str what);
