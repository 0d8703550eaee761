/* What npm runs when it installs the package: scripts of package.json, node-gyp with the commands in binding.gyp; and the
 * dependencies that do not come from the registry. */
#include <errno.h>

#include "base/limits.h"
#include "observe/scan-priv.h"
#include "parse/gyp.h"
#include "parse/json.h"
#include "parse/pkgjson.h"

#define SCRIPTS_MAX 64 /* scripts that one hook may start through `npm run` */

/* --- reading the files when they come by --- */

/* Of a package.json further down, only what module resolution asks for. */
static void take_inner(struct qn_scan *s, struct qn_str path, struct qn_cur data)
{
        struct qn_json j;
        struct qn_json_event e;
        uint32_t f = qn_graph_file(&s->graph, path);

        if (f == QN_FILE_NONE || qn_json_init(&j, data, NULL) < 0 ||
            qn_json_next(&j, &e, NULL) < 0 || e.kind != QN_JSON_OBJECT)
                return;
        while (qn_json_next(&j, &e, NULL) == 0 && e.kind == QN_JSON_KEY) {
                bool is_main = qn_str_is(e.raw, "main"), is_module = qn_str_is(e.raw, "module");

                if (!is_main && !is_module) {
                        if (qn_json_skip(&j, NULL) < 0)
                                return;
                        continue;
                }
                if (qn_json_next(&j, &e, NULL) < 0)
                        return;
                if (e.kind == QN_JSON_STRING && !e.escaped &&
                    (is_main || !s->graph.files[f].main.n))
                        qn_graph_main(&s->graph, f, e.raw);
                else if (e.kind != QN_JSON_STRING)
                        return;
        }
}

static void take_gyp(struct qn_scan *s, struct qn_str path, struct qn_cur data)
{
        struct qn_scan_gyp g = { .path = qn_arena_dup(&s->pkg, path),
                                 .data = qn_arena_dup(&s->pkg, qn_cur_rest(&data)) };
        struct qn_gyp *gyp = NULL;

        if (!g.path.p || !g.data.p || QN_ARENA_ROOM(&s->pkg, s->gyps, s->n_gyps, s->gyps_cap) < 0) {
                s->graph.full = true;
                return;
        }
        if (qn_gyp_parse(qn_cur_str(g.data), &s->pkg, &gyp, NULL) == 0)
                g.gyp = gyp;
        s->gyps[s->n_gyps++] = g;
}

void qn_manifest_take(struct qn_scan *s, struct qn_str path, struct qn_cur data)
{
        struct qn_pkgjson *p = NULL;
        struct qn_err err = { 0 };

        if (qn_str_ends(path, ".gyp") || qn_str_ends(path, ".gypi")) {
                if (qn_cur_left(&data) <= QN_GYP_MAX)
                        take_gyp(s, path, data);
                return;
        }
        if (!qn_str_is(path, "package.json")) {
                if (qn_str_ends(path, "/package.json"))
                        take_inner(s, path, data);
                return;
        }
        s->manifest_data = qn_arena_dup(&s->pkg, qn_cur_rest(&data));
        if (!s->manifest_data.p) {
                s->graph.full = true;
                return;
        }
        if (qn_pkgjson_parse(qn_cur_str(s->manifest_data), &s->pkg, &p, &err) < 0) {
                s->manifest_bad = true;
                if (qn_scan_unanalysed(s, "manifest", path, err.msg) < 0)
                        s->graph.full = true;
                return;
        }
        s->manifest = p;
        take_inner(s, path, data);
}

/* --- scripts --- */

struct hook {
        struct qn_scan *s;
        struct qn_site site;
        size_t queue[SCRIPTS_MAX];
        size_t n, next;
};

static void queue_script(struct hook *h, struct qn_str name)
{
        const struct qn_pkgjson_pairs *all = &h->s->manifest->scripts;

        for (size_t i = 0; i < all->n; i++) {
                struct qn_str have = all->v[i].name;
                bool same = qn_str_eq(have, name);
                bool around = have.n > name.n &&
                              qn_str_eq(qn_str_skip(have, have.n - name.n), name) &&
                              ((have.n == name.n + 3 && qn_str_starts(have, "pre")) ||
                               (have.n == name.n + 4 && qn_str_starts(have, "post")));
                bool known = false;

                for (size_t k = 0; k < h->n; k++)
                        known |= h->queue[k] == i;
                if ((same || around) && !known && h->n < SCRIPTS_MAX)
                        h->queue[h->n++] = i;
        }
}

/* npm run NAME inside a hook */
static void on_script(void *ctx, struct qn_str name)
{
        queue_script(ctx, name);
}

static void on_event(void *ctx, struct qn_event *e)
{
        struct hook *h = ctx;

        qn_site_event(h->s, &h->site, e);
}

static void on_file(void *ctx, struct qn_str path, struct qn_str lang)
{
        struct hook *h = ctx;

        qn_site_program(h->s, &h->site, path, lang);
}

static void on_code(void *ctx, struct qn_str code, struct qn_str lang)
{
        struct hook *h = ctx;

        qn_site_code(h->s, &h->site, code, lang);
}

static void add_flags(struct qn_event *e, const struct qn_command_sum *sum)
{
        static const char *const names[] = { "",
                                             "hidden",
                                             "background",
                                             "hidden background",
                                             "hides-errors",
                                             "hides-errors hidden",
                                             "hides-errors background",
                                             "hides-errors hidden background" };
        unsigned i =
                (sum->hidden ? 1u : 0) | (sum->background ? 2u : 0) | (sum->hides_errors ? 4u : 0);

        qn_event_attr(e, QN_ATTR_FLAGS, qn_str_c(names[i]));
}

static void hook_event(struct qn_scan *s, const struct qn_site *site, enum qn_event_kind kind,
                       const char *how, struct qn_str script, struct qn_str command,
                       const struct qn_command_sum *sum)
{
        struct qn_event e = qn_observe_make(kind);

        qn_event_attr(&e, QN_ATTR_HOW, qn_str_c(how));
        qn_event_attr(&e, QN_ATTR_SCRIPT, script);
        qn_event_attr(&e, QN_ATTR_COMMAND, command);
        qn_event_attr(&e, QN_ATTR_PROGRAM, sum->program);
        qn_event_attr(&e, QN_ATTR_TARGET, sum->target);
        add_flags(&e, sum);
        qn_site_event(s, site, &e);
}

static void run_script(struct hook *h, const struct qn_pkgjson_pair *p, enum qn_event_kind kind,
                       const char *how)
{
        struct qn_command_host host = { h, on_event, on_file, on_code, on_script };
        struct qn_command_sum sum = { 0 };
        struct qn_scan *s = h->s;

        if (!p->value.n || !qn_str_trim(p->value).n)
                return;
        h->site.off = p->off;
        qn_place_of(s->manifest_data, p->off, &h->site.line, &h->site.column);
        h->site.text = p->value;
        if (p->value.n > QN_COMMAND_MAX ||
            qn_command_observe(s->o->commands, p->value, &s->pkg, &host, &sum) < 0)
                sum.cut = true;
        if (sum.cut && qn_scan_unanalysed(s, "command", QN_STR("package.json"),
                                          "a script is longer than a command line may be") < 0)
                s->graph.full = true;
        hook_event(s, &h->site, kind, how, p->name, p->value, &sum);
}

struct lifecycle {
        const char *name, *how;
        enum qn_event_kind kind;
        enum qn_phase phase;
};

static const struct lifecycle lifecycle[] = {
        { "preinstall", "script", QN_EVENT_INSTALL_HOOK, QN_PHASE_INSTALL },
        { "install", "script", QN_EVENT_INSTALL_HOOK, QN_PHASE_INSTALL },
        { "postinstall", "script", QN_EVENT_INSTALL_HOOK, QN_PHASE_INSTALL },
        /* when it is a git dependency, or the project itself */
        { "preprepare", "prepare", QN_EVENT_TRIGGER, QN_PHASE_CALL },
        { "prepare", "prepare", QN_EVENT_TRIGGER, QN_PHASE_CALL },
        { "postprepare", "prepare", QN_EVENT_TRIGGER, QN_PHASE_CALL },
        { "prepublish", "prepare", QN_EVENT_TRIGGER, QN_PHASE_CALL },
};

static void run_lifecycle(struct qn_scan *s, const struct lifecycle *l)
{
        struct hook h = { .s = s };
        const struct qn_pkgjson_pairs *all = &s->manifest->scripts;

        h.site = (struct qn_site){ .file = qn_graph_find(&s->graph, QN_STR("package.json")),
                                   .when = (uint8_t)(QN_WHEN_PHASE + l->phase),
                                   .root = (int)l->phase };
        for (size_t i = 0; i < all->n; i++)
                if (qn_str_is(all->v[i].name, l->name))
                        h.queue[h.n++] = i;
        while (h.next < h.n) {
                size_t i = h.queue[h.next];

                run_script(&h, &all->v[i], l->kind, h.next == 0 ? l->how : "npm-run");
                h.next++;
        }
}

/* --- binding.gyp --- */

static struct qn_scan_gyp *find_gyp(struct qn_scan *s, struct qn_str path)
{
        for (size_t i = 0; i < s->n_gyps; i++)
                if (qn_str_eq(s->gyps[i].path, path))
                        return &s->gyps[i];
        return NULL;
}

static void reach_gyp(struct qn_scan *s, const struct qn_scan_gyp *from, struct qn_str name)
{
        ptrdiff_t colon = qn_str_rchr(name, ':'), slash = qn_str_rchr(from->path, '/');
        struct qn_str dir = qn_str_take(from->path, slash < 0 ? 0 : (size_t)slash);
        struct qn_scan_gyp *g;
        uint32_t f;

        if (colon >= 0)
                name = qn_str_take(name, (size_t)colon);
        f = qn_graph_resolve(&s->graph, dir, name, true);
        g = f == QN_FILE_NONE ? NULL : find_gyp(s, s->graph.files[f].path);
        if (g)
                g->reached = true;
}

/* What stands in the place of a script's name. */
static const char *gyp_kind(enum qn_gyp_kind kind)
{
        static const char *const names[] = {
                [QN_GYP_EXPANSION] = "expansion", [QN_GYP_PYMOD] = "pymod",
                [QN_GYP_ACTION] = "action",       [QN_GYP_RULE] = "rule",
                [QN_GYP_POSTBUILD] = "postbuild", [QN_GYP_CONDITION] = "condition"
        };

        return names[kind];
}

static void run_gyp_command(struct qn_scan *s, const struct qn_scan_gyp *g,
                            const struct qn_gyp_command *c, enum qn_phase phase)
{
        struct qn_site site = { .file = qn_graph_find(&s->graph, g->path),
                                .when = (uint8_t)(QN_WHEN_PHASE + phase),
                                .root = (int)phase,
                                .off = c->off,
                                .line = c->line,
                                .column = c->column,
                                .text = c->text };
        struct qn_command_sum sum = { 0 };

        if (c->argc)
                qn_site_argv(s, &site, c->argv, c->argc, &sum);
        else if (c->kind == QN_GYP_EXPANSION)
                qn_site_command(s, &site, c->text, &sum);
        hook_event(s, &site, QN_EVENT_INSTALL_HOOK, "gyp", qn_str_c(gyp_kind(c->kind)), c->text,
                   &sum);
}

static bool script_is(const struct qn_scan *s, const char *name)
{
        const struct qn_pkgjson_pair *p = s->manifest ? qn_pkgjson_script(s->manifest, name) : NULL;

        return p && p->value.n;
}

/* npm adds `node-gyp rebuild` by itself: binding.gyp is there and no install or preinstall script (npm docs, scripts). */
static bool implicit_gyp(struct qn_scan *s)
{
        return find_gyp(s, QN_STR("binding.gyp")) && !script_is(s, "install") &&
               !script_is(s, "preinstall") && !(s->manifest && s->manifest->gypfile == 0);
}

/* Some hook builds: node-gyp, node-pre-gyp, prebuild-install || node-gyp … */
static bool hook_builds(const struct qn_scan *s)
{
        static const char *const hooks[] = { "preinstall", "install", "postinstall" };

        for (size_t i = 0; s->manifest && i < QN_ARRAY_SIZE(hooks); i++) {
                const struct qn_pkgjson_pair *p = qn_pkgjson_script(s->manifest, hooks[i]);

                if (p && (qn_str_find(p->value, QN_STR("gyp")) >= 0 ||
                          qn_str_find(p->value, QN_STR("prebuild")) >= 0))
                        return true;
        }
        return false;
}

static void run_gyps(struct qn_scan *s)
{
        struct qn_scan_gyp *root = find_gyp(s, QN_STR("binding.gyp"));
        bool implicit = implicit_gyp(s), active = implicit || hook_builds(s);

        if (!root)
                return;
        root->reached = active;
        if (implicit) {
                struct qn_command_sum sum = { .program = QN_STR("node-gyp") };
                struct qn_site site = { .file = qn_graph_find(&s->graph, root->path),
                                        .when = QN_WHEN_PHASE + QN_PHASE_INSTALL };

                qn_sink_file(&s->sink, root->path);
                hook_event(s, &site, QN_EVENT_INSTALL_HOOK, "node-gyp", (struct qn_str){ 0 },
                           QN_STR("node-gyp rebuild"), &sum);
        }
        for (size_t round = 0; round < 4; round++)
                for (size_t i = 0; i < s->n_gyps; i++) {
                        const struct qn_gyp *g = s->gyps[i].gyp;

                        for (size_t k = 0; g && s->gyps[i].reached && k < g->n_includes; k++)
                                reach_gyp(s, &s->gyps[i], g->includes[k].text);
                        for (size_t k = 0; g && s->gyps[i].reached && k < g->n_dependencies; k++)
                                reach_gyp(s, &s->gyps[i], g->dependencies[k].text);
                }
        for (size_t i = 0; i < s->n_gyps; i++) {
                const struct qn_scan_gyp *g = &s->gyps[i];

                qn_sink_file(&s->sink, g->path);
                s->path = g->path; /* code in its commands stands here */
                if (!g->gyp && g->reached &&
                    qn_scan_unanalysed(s, "gyp", g->path, "binding.gyp is more than literals") < 0)
                        s->graph.full = true;
                for (size_t k = 0; g->gyp && k < g->gyp->n; k++)
                        run_gyp_command(s, g, &g->gyp->commands[k],
                                        g->reached ? QN_PHASE_INSTALL : QN_PHASE_NEVER);
        }
}

/* --- dependencies --- */

static bool is_registry_range(struct qn_str v)
{
        return !v.n || qn_str_chr(v, '/') < 0 || qn_str_is(v, "*");
}

/* How a dependency is fetched; NULL: from the registry. */
static const char *spec_how(struct qn_str v)
{
        static const struct {
                const char *prefix, *how;
        } table[] = { { "npm:", "alias" },
                      { "workspace:", "workspace" },
                      { "catalog:", "workspace" },
                      { "file:", "file" },
                      { "link:", "file" },
                      { "portal:", "file" },
                      { "patch:", "alias" },
                      { "git:", "git" },
                      { "git+", "git" },
                      { "git@", "git" },
                      { "ssh:", "git" },
                      { "github:", "git" },
                      { "gitlab:", "git" },
                      { "bitbucket:", "git" },
                      { "gist:", "git" },
                      { "./", "file" },
                      { "../", "file" },
                      { "~/", "file" },
                      { "/", "file" } };

        for (size_t i = 0; i < QN_ARRAY_SIZE(table); i++)
                if (qn_str_starts(v, table[i].prefix))
                        return table[i].how;
        if (qn_str_starts(v, "http:") || qn_str_starts(v, "https:"))
                return qn_str_find(v, QN_STR(".git")) > 0 && qn_str_find(v, QN_STR(".tgz")) < 0
                               ? "git"
                               : "url";
        if (is_registry_range(v) || qn_str_find(v, QN_STR("://")) >= 0)
                return is_registry_range(v) ? NULL : "url";
        /* owner/repo, perhaps with #commit */
        return v.p[0] != '@' && v.p[0] != '^' && v.p[0] != '~' && qn_str_chr(v, ' ') < 0 ? "git"
                                                                                         : NULL;
}

static void observe_dependencies(struct qn_scan *s)
{
        static const char *const blocks[] = { [QN_DEP_PROD] = "dependencies",
                                              [QN_DEP_DEV] = "devDependencies",
                                              [QN_DEP_PEER] = "peerDependencies",
                                              [QN_DEP_OPTIONAL] = "optionalDependencies" };

        for (size_t i = 0; i < s->manifest->n_deps; i++) {
                const struct qn_pkgjson_dep *d = &s->manifest->deps[i];
                const char *how = spec_how(qn_str_trim(d->spec));
                bool dev = d->block == QN_DEP_DEV;
                struct qn_event e = qn_observe_make(QN_EVENT_DEP_SPEC);
                struct qn_site site = { .when = (uint8_t)(QN_WHEN_PHASE + (dev ? QN_PHASE_NEVER
                                                                               : QN_PHASE_INSTALL)),
                                        .off = d->off };

                if (!how)
                        continue;
                qn_place_of(s->manifest_data, d->off, &site.line, &site.column);
                qn_event_attr(&e, QN_ATTR_NAME, d->name);
                qn_event_attr(&e, QN_ATTR_SPEC, d->spec);
                qn_event_attr(&e, QN_ATTR_HOW, qn_str_c(how));
                qn_event_attr(&e, QN_ATTR_DETAIL, qn_str_c(blocks[d->block]));
                qn_site_event(s, &site, &e);
        }
}

/* --- what else the manifest tells --- */

static void meta(struct qn_scan *s, const char *what, struct qn_str value)
{
        struct qn_event e = qn_observe_make(QN_EVENT_META);
        struct qn_site site = { .when = QN_WHEN_PHASE + QN_PHASE_NEVER };

        qn_event_attr(&e, QN_ATTR_WHAT, qn_str_c(what));
        qn_event_attr(&e, QN_ATTR_VALUE, value);
        qn_site_event(s, &site, &e);
}

static void observe_bins(struct qn_scan *s)
{
        for (size_t i = 0; i < s->manifest->bin.n; i++) {
                const struct qn_pkgjson_pair *b = &s->manifest->bin.v[i];
                struct qn_event e = qn_observe_make(QN_EVENT_TRIGGER);
                struct qn_site site = { .when = QN_WHEN_PHASE + QN_PHASE_BIN, .off = b->off };

                qn_place_of(s->manifest_data, b->off, &site.line, &site.column);
                qn_event_attr(&e, QN_ATTR_HOW, QN_STR("bin"));
                qn_event_attr(&e, QN_ATTR_NAME, b->name);
                qn_event_attr(&e, QN_ATTR_TARGET, b->value);
                qn_site_event(s, &site, &e);
        }
}

static bool has_entry(const struct qn_scan *s)
{
        const struct qn_pkgjson *p = s->manifest;

        if (p->exports.n || p->bin.n || p->types.text.n || p->module.text.n ||
            p->browser_main.text.n)
                return true;
        if (p->main.text.n &&
            qn_graph_resolve(&s->graph, QN_STR(""), p->main.text, true) != QN_FILE_NONE)
                return true;
        return qn_graph_resolve(&s->graph, QN_STR(""), QN_STR("./index"), false) != QN_FILE_NONE;
}

void qn_manifest_prepare(struct qn_scan *s)
{
        if (s->prepared)
                return;
        s->prepared = true;
        qn_sink_file(&s->sink, QN_STR("package.json"));
        s->path = QN_STR("package.json"); /* code in its commands stands here */
        if (s->manifest) {
                qn_graph_manifest(&s->graph, s->manifest);
                for (size_t i = 0; i < QN_ARRAY_SIZE(lifecycle); i++)
                        run_lifecycle(s, &lifecycle[i]);
                observe_dependencies(s);
                observe_bins(s);
                s->no_entry = !has_entry(s);
                if (s->no_entry)
                        meta(s, "no-main", (struct qn_str){ 0 });
                for (size_t i = 0; i < s->manifest->n_odd; i++)
                        meta(s, "odd-manifest", s->manifest->odd[i].field);
                if (s->manifest->duplicate)
                        meta(s, "duplicate-key", (struct qn_str){ 0 });
        } else {
                qn_graph_root(&s->graph, QN_STR("./index"), QN_PHASE_IMPORT, QN_RUN_LOAD);
                if (!s->manifest_bad)
                        meta(s, "no-manifest", (struct qn_str){ 0 });
        }
        run_gyps(s);
        if (qn_graph_find(&s->graph, QN_STR("tea.yaml")) != QN_FILE_NONE)
                meta(s, "tea-yaml", (struct qn_str){ 0 });
        qn_scan_run_todo(s);
}
