/* trigger.h - the trigger graph: which file runs when.
 * Nodes are the package's files; edges are require(), import, <script src>, fork() and the like; roots come from
 * package.json, editor files and command lines.  Names are resolved as Node and bundlers do, generously: a file that could
 * be meant is taken to be meant. */
#pragma once

#include "base/map.h"
#include "base/str.h"
#include "event/event.h"

struct qn_arena;
struct qn_pkgjson;

enum {
        QN_GF_JS = 1,        /* read as JavaScript */
        QN_GF_TEXT = 2,      /* not binary */
        QN_GF_WANTED = 4,    /* reached, and not yet read as JavaScript */
        QN_GF_ERRORS = 8,    /* did not parse completely */
        QN_GF_RUN = 16,      /* run by a program that reads it as JavaScript whatever its name is */
        QN_GF_OTHER = 32,    /* read as a program in another language */
        QN_GF_DEEP = 64,     /* does something that is worth running it with partly known values */
        QN_GF_DARK = 128,    /* hides what it does: only running it can tell */
        QN_GF_CHANGED = 512, /* holds code that the version before does not */
        QN_GF_OBFUSCATED = 256, /* its names or strings were made unreadable by a tool */
};

enum qn_graph_run {
        QN_RUN_LOAD,  /* a module's name */
        QN_RUN_JS,    /* an argument of a program that reads JavaScript */
        QN_RUN_OTHER, /* of another program, or started itself */
};

struct qn_graph_file {
        struct qn_str path, main; /* main: of a package.json in a directory below */
        uint32_t edges;           /* first edge + 1 */
        uint8_t phases;           /* 1 << qn_phase, of loading it */
        uint16_t flags;
};

struct qn_graph_edge {
        struct qn_str spec;
        uint32_t from, next;
        uint32_t to, shape; /* what it was resolved to, in a graph of that shape */
        bool call;          /* only when a function is called */
        uint8_t run;        /* qn_graph_run */
};

struct qn_graph_root {
        struct qn_str spec;
        uint8_t phase;
        uint8_t run; /* qn_graph_run */
};

struct qn_graph {
        struct qn_arena *a;
        struct qn_graph_file *files;
        size_t n_files, files_cap;
        struct qn_map index;
        struct qn_graph_edge *edges;
        size_t n_edges, edges_cap;
        struct qn_graph_root *roots;
        size_t n_roots, roots_cap;
        const struct qn_pkgjson *pkg; /* NULL until package.json was read */
        uint32_t shape;               /* another one whenever names may mean something else */
        bool full;                    /* the arena's cap was met */
};

void qn_graph_init(struct qn_graph *g, struct qn_arena *a);
/* The file's index, added when new; QN_FILE_NONE at the cap. */
uint32_t qn_graph_file(struct qn_graph *g, struct qn_str path);
uint32_t qn_graph_find(const struct qn_graph *g, struct qn_str path);
void qn_graph_edge(struct qn_graph *g, uint32_t from, struct qn_str spec, bool call,
                   enum qn_graph_run run);
/* Something that starts by itself; spec as in package.json ("lib/x", "./x.js"), from the package's directory. */
void qn_graph_root(struct qn_graph *g, struct qn_str spec, enum qn_phase phase,
                   enum qn_graph_run run);
/* What a directory's package.json, which is this file, names as its main. */
void qn_graph_main(struct qn_graph *g, uint32_t file, struct qn_str main);
/* Roots that package.json names: main, exports, bin, browser… */
void qn_graph_manifest(struct qn_graph *g, const struct qn_pkgjson *p);
/* Which file a name means when it stands in a file of directory dir ("" or "a/b"); QN_FILE_NONE when none is. */
uint32_t qn_graph_resolve(const struct qn_graph *g, struct qn_str dir, struct qn_str spec,
                          bool run);
/* Walks everything reachable: sets phases, marks what is wanted; returns how many files are. */
size_t qn_graph_walk(struct qn_graph *g);
/* The phase of an event: when (qn_when) in a file with these phases. */
enum qn_phase qn_graph_phase(uint8_t phases, unsigned when);
