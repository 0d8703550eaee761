/* shell.h - a command line or shell script → a flat list of simple commands.  Nothing is executed.  HOSTILE INPUT.
 * Reads POSIX shell (words, quotes, escapes, $VAR and ${} kept as text, lists, pipelines, redirections, here-documents,
 * groups, functions and keywords as far as commands can be told) and tolerates cmd.exe (^ escapes, %VAR%, back-slash
 * paths).  Commands inside $(…), `…`, <(…), `sh -c '…'` and here-documents given to a shell are in the list too, with
 * the command they belong to as parent.  Never fails on odd syntax: it reads what it can.
 * Bounded: QN_SHELL_COMMANDS_MAX commands, QN_COMMAND_DEPTH_MAX levels; past a cap the rest is left out and `cut` is set.
 * Slices point into the input or the arena. */
#pragma once

#include "base/macro.h"
#include "base/str.h"

struct qn_arena;

#define QN_SHELL_NONE UINT32_MAX

enum qn_shell_join {
        QN_SHELL_FIRST, /* of a line, a substitution or a group */
        QN_SHELL_SEQ,   /* ; or a new line */
        QN_SHELL_AND,
        QN_SHELL_OR,
        QN_SHELL_PIPE,
        QN_SHELL_AMP, /* after a background command */
};

enum qn_shell_via { /* how a command came to stand in the list */
                    QN_SHELL_PLAIN,
                    QN_SHELL_SUBSTITUTION, /* $(…) `…` */
                    QN_SHELL_PROCESS,      /* <(…) >(…) */
                    QN_SHELL_STRING,       /* sh -c '…', cmd /c …, eval … */
                    QN_SHELL_HEREDOC,      /* bash <<END */
};

enum qn_shell_redir {
        QN_SHELL_IN,      /* < */
        QN_SHELL_OUT,     /* > >| &> */
        QN_SHELL_APPEND,  /* >> &>> */
        QN_SHELL_DUP,     /* >& <& with a descriptor */
        QN_SHELL_HERE,    /* << : target is the document's text */
        QN_SHELL_HERESTR, /* <<< */
};

struct qn_shell_redirect {
        uint8_t op; /* qn_shell_redir */
        int fd;     /* -1: standard output and error together */
        struct qn_str target;
};

struct qn_shell_command {
        struct qn_str *argv; /* quotes and escapes removed */
        size_t argc;
        struct qn_str *assigns; /* NAME=value before the command */
        size_t n_assigns;
        struct qn_shell_redirect *redirects;
        size_t n_redirects;
        struct qn_str source; /* as written */
        uint32_t pipe_from;   /* whose output it reads, or QN_SHELL_NONE */
        uint32_t parent;      /* whose word it stands in, or QN_SHELL_NONE */
        uint8_t join;         /* qn_shell_join, to the command before it */
        uint8_t via;          /* qn_shell_via */
        uint8_t depth;
        bool background;   /* & */
        bool hides_errors; /* … || true, … || exit 0 */
        bool null_out, null_err;
};

struct qn_shell {
        struct qn_shell_command *commands;
        size_t n, cap;
        bool cut; /* a cap was met */
};

/* 0, or -ENOBUFS at the arena's cap (ret holds what was read before). */
QN_MUST int qn_shell_parse(struct qn_str line, struct qn_arena *a, struct qn_shell *ret);
/* The last part of a program's path, without .exe, .cmd, .bat, .ps1. */
struct qn_str qn_shell_program(struct qn_str word);
/* sh, bash, zsh… or cmd: a program that takes a command line as an argument. */
bool qn_shell_is_shell(struct qn_str program);
