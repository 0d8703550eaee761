/* scan-priv.h - the state of one scan, shared by the observers of this directory. */
#pragma once

#include "base/arena.h"
#include "base/limits.h"
#include "observe/classify.h"
#include "observe/command.h"
#include "observe/known.h"
#include "observe/scan.h"
#include "observe/sink.h"
#include "observe/trigger.h"

struct qn_diff;
struct qn_farms;
struct qn_foreign;
struct qn_gz;
struct qn_gyp;
struct qn_js;
struct qn_js_apis;
struct qn_literals;
struct qn_popular;
struct qn_literal_scan;
struct qn_natives;
struct qn_pkgjson;
struct qn_vm;

struct qn_observers {
        struct qn_arena arena;
        struct qn_classes classes;
        const struct qn_commands *commands;
        struct qn_js_apis *apis;
        struct qn_literals *literals;
        const struct qn_foreign *foreign;
        struct qn_popular *popular;
        struct qn_natives *natives;
        struct qn_farms *farms;
};

/* Where an event happens, and what becomes of the files that a command there runs. */
struct qn_site {
        uint32_t file; /* in the graph: for names that are relative to it */
        uint8_t when;  /* qn_when */
        int root;      /* a qn_phase: files that are run become roots of it; -1: edges from file */
        uint32_t off, line, column;
        struct qn_str text; /* excerpt */
        bool made;          /* a text that the program makes: it stands in no source */
        uint8_t depth;      /* code inside commands inside code… */
};

/* Text that turned out to be code: looked at when the file in hand is done. */
struct qn_todo_code {
        struct qn_str path, code, lang;
        struct qn_site site;
};

struct qn_scan_gyp {
        struct qn_str path, data;
        const struct qn_gyp *gyp; /* NULL: not understood */
        bool reached;
};

struct qn_scan {
        const struct qn_observers *o;
        struct qn_arena pkg, tmp; /* the package's; the file's */
        struct qn_sink sink;
        struct qn_graph graph;
        struct qn_event_set set;
        struct qn_scan_stats stats;
        struct qn_js *js;
        struct qn_vm *vm;
        struct qn_literal_scan *literal, *native; /* of text and of executables */
        struct qn_diff *diff; /* compares with the version before; NULL: nobody asked */

        const struct qn_pkgjson *manifest;
        struct qn_str manifest_data;
        struct qn_str readme, tea; /* the beginning of README and tea.yaml; empty: none */
        bool manifest_bad, prepared, no_entry;
        struct qn_known known;   /* what is listed */
        struct qn_cur packument; /* empty: none */
        struct qn_str
                wanted; /* the version under which it files this package; empty: that of the manifest */
        struct qn_scan_gyp *gyps;
        size_t n_gyps, gyps_cap;
        struct qn_todo_code *todo;
        size_t n_todo, todo_cap;
        unsigned rounds;

        struct qn_gz *nested_gz[QN_NESTED_DEPTH_MAX]; /* made when they are needed */
        unsigned nested;                              /* archives that the file in hand lies in */
        uint64_t nested_bytes, nested_files;          /* of all archives inside the package */

        struct qn_str path;  /* of the file in hand */
        uint32_t file;       /* its number in the graph */
        uint64_t kinds;      /* 1 << qn_event_kind: what any file did */
        bool changed;        /* programs hold code that the version before does not */
        bool obfuscated;     /* tables of strings that are decoded when they are used */
        bool named_secret;   /* names of variables say that it holds secrets */
        bool archive;        /* it holds files */
        bool secret_literal; /* it names a place that holds credentials */
};

#define QN_SCAN_TODO_MAX 256 /* pieces of code found in one package's strings and commands */

/* Adds an event when the text is listed. */
void qn_known_observe(struct qn_scan *s, const struct qn_site *site, struct qn_str text);
/* Adds an event at a site (its kind and attributes are the caller's). */
void qn_site_event(struct qn_scan *s, const struct qn_site *site, struct qn_event *e);
/* Looks at a command line: events, files that it runs, code in it. */
void qn_site_command(struct qn_scan *s, const struct qn_site *site, struct qn_str line,
                     struct qn_command_sum *ret);
void qn_site_argv(struct qn_scan *s, const struct qn_site *site, const struct qn_str *argv,
                  size_t argc, struct qn_command_sum *ret);
void qn_site_file(struct qn_scan *s, const struct qn_site *site, struct qn_str path, bool run);
/* The same for a file that a program of that language (commands.yaml) is given. */
void qn_site_program(struct qn_scan *s, const struct qn_site *site, struct qn_str path,
                     struct qn_str lang);
void qn_site_code(struct qn_scan *s, const struct qn_site *site, struct qn_str code,
                  struct qn_str lang);
void qn_scan_run_todo(struct qn_scan *s);
/* Line and column of an offset. */
void qn_place_of(struct qn_str data, uint32_t off, uint32_t *ret_line, uint32_t *ret_col);

static inline struct qn_event qn_observe_make(enum qn_event_kind kind)
{
        return qn_event_make(kind, QN_LAYER_STATIC, 0);
}

/* manifest.c: package.json and binding.gyp, once all files were seen. */
void qn_manifest_take(struct qn_scan *s, struct qn_str path, struct qn_cur data);
void qn_manifest_prepare(struct qn_scan *s);
/* meta.c: what the name and the registry's document tell, once all files were seen. */
void qn_meta_observe(struct qn_scan *s);
/* scan-worth.c: after the events of a file; whether its syntax tree may be wanted again; at the end, what is run. */
void qn_worth_note(struct qn_scan *s);
bool qn_worth_keeping(const struct qn_scan *s);
enum qn_vm_reach qn_worth_reach(const struct qn_scan *s);
/* editor.c: files that editors, AI agents and CI obey.  Whether the file is one. */
bool qn_editor_file(struct qn_scan *s, struct qn_str path, struct qn_cur data);
