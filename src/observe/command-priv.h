/* command-priv.h - the state of one command line that is looked at; shared by command.c and command-pipe.c. */
#pragma once

#include "observe/command-table.h"
#include "observe/command.h"
#include "parse/shell.h"

struct qn_cmd_info {
        const struct qn_str *argv; /* from the real program on */
        size_t argc;
        struct qn_str program;
        const struct qn_cmd_interp *interp;
        struct qn_str url, host, class, out; /* of a download */
        uint64_t labels;                     /* what its output carries */
        bool downloads, sends, filter, background;
};

struct qn_cmd_run {
        const struct qn_commands *t;
        const struct qn_command_host *host;
        struct qn_arena *a;
        struct qn_shell sh;
        struct qn_cmd_info *info;
        struct qn_command_sum *sum;
        struct qn_str dir; /* where `cd` led, below the package; may be empty */
};

static inline struct qn_event qn_cmd_make(enum qn_event_kind kind)
{
        return qn_event_make(kind, QN_LAYER_STATIC, 0);
}

static inline bool qn_cmd_is_option(struct qn_str w)
{
        return w.n > 1 && w.p[0] == '-';
}

/* Where a download goes, as attributes of an event. */
static inline void qn_cmd_add_address(struct qn_event *e, const struct qn_cmd_info *in)
{
        qn_event_attr(e, QN_ATTR_URL, in->url);
        qn_event_attr(e, QN_ATTR_HOST, in->host);
        qn_event_attr(e, QN_ATTR_CLASS, in->class);
}

/* Adds the command itself to an event and hands it over. */
void qn_cmd_emit(struct qn_cmd_run *r, size_t i, struct qn_event *e);
/* command-pipe.c */
/* The variable that a command gives the output of another, or nothing. */
struct qn_str qn_cmd_assigned(const struct qn_cmd_run *r, size_t i);
void qn_cmd_look_at_pipes(struct qn_cmd_run *r, size_t i);
