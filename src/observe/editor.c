/* Files that an editor, an AI agent or a CI service obeys: tasks that run when a folder is opened, hooks of agent
 * sessions, MCP servers, instructions, dev containers, workflows. */
#include "observe/scan-priv.h"
#include "parse/json.h"
#include "parse/yaml.h"

#define NODES_MAX 20000 /* nodes of one such file that are looked at */

/* --- JSON as editors write it: comments and commas too many --- */

static struct qn_str skip_comment(struct qn_str s)
{
        bool line = s.p[1] == '/';
        ptrdiff_t end = line ? qn_str_chr(s, '\n') : qn_str_find(s, QN_STR("*/"));

        return qn_str_skip(s, end < 0 ? s.n : (size_t)end + (line ? 0 : 2));
}

static bool only_closes(struct qn_str s)
{
        while (s.n) {
                if (s.n >= 2 && s.p[0] == '/' && (s.p[1] == '/' || s.p[1] == '*'))
                        s = skip_comment(s);
                else if (s.p[0] == ' ' || s.p[0] == '\t' || s.p[0] == '\n' || s.p[0] == '\r')
                        s = qn_str_skip(s, 1);
                else
                        return s.p[0] == '}' || s.p[0] == ']';
        }
        return false;
}

/* Comments become blanks, so that offsets stay. */
static struct qn_str plain_json(struct qn_arena *a, struct qn_str s)
{
        struct qn_str copy = qn_arena_dup(a, s), rest = s;
        char *to = copy.p ? qn_arena_alloc(a, s.n + 1) : NULL;
        bool quoted = false;

        if (!to)
                return (struct qn_str){ NULL, 0 };
        memcpy(to, s.p, s.n);
        while (rest.n) {
                size_t at = s.n - rest.n;

                if (quoted && rest.p[0] == '\\') {
                        rest = qn_str_skip(rest, 2);
                } else if (rest.p[0] == '"') {
                        quoted = !quoted;
                        rest = qn_str_skip(rest, 1);
                } else if (!quoted && rest.n >= 2 && rest.p[0] == '/' &&
                           (rest.p[1] == '/' || rest.p[1] == '*')) {
                        struct qn_str next = skip_comment(rest);

                        memset(to + at, ' ', rest.n - next.n);
                        rest = next;
                } else {
                        if (!quoted && rest.p[0] == ',' && only_closes(qn_str_skip(rest, 1)))
                                to[at] = ' ';
                        rest = qn_str_skip(rest, 1);
                }
        }
        return (struct qn_str){ to, s.n };
}

static const struct qn_node *read_json(struct qn_scan *s, struct qn_cur data)
{
        struct qn_str text = plain_json(&s->tmp, qn_cur_rest(&data));
        struct qn_node *root = NULL;

        if (!text.p || qn_json_parse(qn_cur_str(text), &s->tmp, &root, NULL) < 0)
                return NULL;
        return root;
}

/* --- reporting --- */

struct obeyed {
        struct qn_scan *s;
        struct qn_site site;
        struct qn_str data;
        const char *how;
};

static void report(struct obeyed *o, const char *how, struct qn_str what, struct qn_str command,
                   const struct qn_node *at)
{
        struct qn_event e = qn_observe_make(QN_EVENT_AGENT_CONFIG);
        struct qn_command_sum sum = { 0 };

        o->site.off = at ? at->off : 0;
        qn_place_of(o->data, o->site.off, &o->site.line, &o->site.column);
        o->site.text = command;
        if (command.n)
                qn_site_command(o->s, &o->site, command, &sum);
        qn_event_attr(&e, QN_ATTR_PATH, o->s->path);
        qn_event_attr(&e, QN_ATTR_HOW, qn_str_c(how));
        qn_event_attr(&e, QN_ATTR_WHAT, what);
        qn_event_attr(&e, QN_ATTR_COMMAND, command);
        qn_event_attr(&e, QN_ATTR_TARGET, sum.target);
        qn_event_attr(&e, QN_ATTR_DETAIL, what);
        qn_site_event(o->s, &o->site, &e);
        if (!command.n)
                return;
        e = qn_observe_make(QN_EVENT_TRIGGER);
        qn_event_attr(&e, QN_ATTR_HOW, qn_str_c(how));
        qn_event_attr(&e, QN_ATTR_COMMAND, command);
        qn_event_attr(&e, QN_ATTR_TARGET, sum.target);
        qn_site_event(o->s, &o->site, &e);
}

/* "command" with its "args", as one line. */
static struct qn_str command_line(struct qn_scan *s, const struct qn_node *object)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(4096);
        const struct qn_node *args = qn_node_get(object, "args");
        const struct qn_node *command = qn_node_get(object, "command");

        if (qn_node_is(command, QN_NODE_ARRAY)) {
                for (size_t i = 0; i < command->n; i++) {
                        if (i)
                                qn_buf_byte(&b, ' ');
                        qn_buf_str(&b, qn_node_text(command->items[i]));
                }
        } else {
                qn_buf_str(&b, qn_node_text(command));
        }
        for (size_t i = 0; qn_node_is(args, QN_NODE_ARRAY) && i < args->n; i++) {
                struct qn_str w = qn_node_text(args->items[i]);

                qn_buf_byte(&b, ' ');
                qn_buf_str(&b, w.n ? w : qn_node_text(qn_node_get(args->items[i], "value")));
        }
        return qn_arena_dup(&s->tmp, qn_buf_view(&b));
}

/* --- Claude and other agents: "hooks": { "SessionStart": [ { "hooks": [ { "command": … } ] } ] } --- */

static void agent_hooks(struct obeyed *o, const struct qn_node *root, const char *how)
{
        const struct qn_node *hooks = qn_node_get(root, "hooks");
        size_t seen = 0;

        for (size_t i = 0; qn_node_is(hooks, QN_NODE_OBJECT) && i < hooks->n; i++) {
                const struct qn_node *list = hooks->items[i];

                for (size_t k = 0; qn_node_is(list, QN_NODE_ARRAY) && k < list->n; k++) {
                        const struct qn_node *inner = qn_node_get(list->items[k], "hooks");

                        if (qn_node_get(list->items[k], "command"))
                                report(o, how, hooks->keys[i], command_line(o->s, list->items[k]),
                                       list->items[k]);
                        for (size_t m = 0;
                             qn_node_is(inner, QN_NODE_ARRAY) && m < inner->n && ++seen < NODES_MAX;
                             m++)
                                report(o, how, hooks->keys[i], command_line(o->s, inner->items[m]),
                                       inner->items[m]);
                }
        }
}

static void mcp_servers(struct obeyed *o, const struct qn_node *root)
{
        const struct qn_node *servers = qn_node_get(root, "mcpServers");

        if (!servers)
                servers = qn_node_get(root, "servers");
        for (size_t i = 0; qn_node_is(servers, QN_NODE_OBJECT) && i < servers->n && i < NODES_MAX;
             i++)
                report(o, "mcp", servers->keys[i], command_line(o->s, servers->items[i]),
                       servers->items[i]);
}

static void claude_settings(struct obeyed *o, const struct qn_node *root)
{
        const struct qn_node *env = qn_node_get(root, "env");

        agent_hooks(o, root, "claude");
        mcp_servers(o, root);
        for (size_t i = 0; qn_node_is(env, QN_NODE_OBJECT) && i < env->n; i++)
                if (qn_str_starts(env->keys[i], "OTEL_") || qn_str_ends(env->keys[i], "_BASE_URL"))
                        report(o, "redirect", env->keys[i], (struct qn_str){ 0 }, env->items[i]);
        if (qn_node_get(root, "statusLine"))
                report(o, "claude", QN_STR("statusLine"),
                       command_line(o->s, qn_node_get(root, "statusLine")), root);
}

/* --- VS Code --- */

static void vscode_tasks(struct obeyed *o, const struct qn_node *root)
{
        const struct qn_node *tasks = qn_node_get(root, "tasks");

        for (size_t i = 0; qn_node_is(tasks, QN_NODE_ARRAY) && i < tasks->n && i < NODES_MAX; i++) {
                const struct qn_node *t = tasks->items[i];
                struct qn_str on = qn_node_text(qn_node_get(qn_node_get(t, "runOptions"), "runOn"));

                if (qn_str_is(on, "folderOpen"))
                        report(o, "folder-open", qn_node_text(qn_node_get(t, "label")),
                               command_line(o->s, t), t);
        }
}

static void vscode_settings(struct obeyed *o, const struct qn_node *root)
{
        static const char *const keys[] = { "task.allowAutomaticTasks",
                                            "security.workspace.trust.enabled", "git.path",
                                            "chat.tools.autoApprove",
                                            "chat.tools.global.autoApprove" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(keys); i++)
                if (qn_node_get(root, keys[i]))
                        report(o, "vscode-settings", qn_str_c(keys[i]), (struct qn_str){ 0 },
                               qn_node_get(root, keys[i]));
}

/* x.code-workspace holds tasks and settings one level down. */
static void vscode_workspace(struct obeyed *o, const struct qn_node *root)
{
        vscode_tasks(o, qn_node_get(root, "tasks"));
        vscode_settings(o, qn_node_get(root, "settings"));
}

/* What Cursor's agents run before they begin. */
static void cursor_environment(struct obeyed *o, const struct qn_node *root)
{
        const struct qn_node *terminals = qn_node_get(root, "terminals");
        static const char *const keys[] = { "install", "start" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(keys); i++) {
                struct qn_str command = qn_node_text(qn_node_get(root, keys[i]));

                if (command.n)
                        report(o, "cursor", qn_str_c(keys[i]), command, qn_node_get(root, keys[i]));
        }
        for (size_t i = 0;
             qn_node_is(terminals, QN_NODE_ARRAY) && i < terminals->n && i < NODES_MAX; i++)
                report(o, "cursor", QN_STR("terminal"), command_line(o->s, terminals->items[i]),
                       terminals->items[i]);
}

static void dev_container(struct obeyed *o, const struct qn_node *root)
{
        static const char *const keys[] = { "initializeCommand",    "onCreateCommand",
                                            "updateContentCommand", "postCreateCommand",
                                            "postStartCommand",     "postAttachCommand" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(keys); i++) {
                struct qn_str command = qn_node_text(qn_node_get(root, keys[i]));

                if (command.n)
                        report(o, "devcontainer", qn_str_c(keys[i]), command,
                               qn_node_get(root, keys[i]));
        }
}

/* --- workflows --- */

/* A step that names a secret and an address: where to, data/hosts.yaml says. */
static void secrets_sent(struct obeyed *o, struct qn_str run)
{
        struct qn_event e = qn_observe_make(QN_EVENT_WORKFLOW_WRITE);
        ptrdiff_t at = qn_str_find(run, QN_STR("://"));
        struct qn_str url = { run.p, 0 };
        struct qn_url split;

        if (at < 1 || qn_str_find(run, QN_STR("secrets.")) < 0)
                return;
        while (at > 0 && run.p[at - 1] >= 'a' && run.p[at - 1] <= 'z')
                at--;
        url.p = run.p + at;
        while (url.n < run.n - (size_t)at && !memchr(" \t\n\"'\\)", url.p[url.n], 8))
                url.n++;
        if (!qn_url_split(url, false, &split))
                return;
        qn_event_attr(&e, QN_ATTR_PATH, o->s->path);
        qn_event_attr(&e, QN_ATTR_HOW, QN_STR("ships"));
        qn_event_attr(&e, QN_ATTR_WHAT, QN_STR("sends-secrets"));
        qn_event_attr(&e, QN_ATTR_HOST, split.host);
        qn_event_attr(&e, QN_ATTR_CLASS,
                      qn_classify_host(&o->s->o->classes, split.host, split.path));
        qn_site_event(o->s, &o->site, &e);
}

static void at_node(struct obeyed *o, const struct qn_node *n)
{
        o->site.line = n->line;
        o->site.column = n->column;
        o->site.off = n->off;
        o->site.text = qn_node_text(n);
}

/* Artifacts can be fetched by everybody who may see the run. */
static void artifact_stored(struct obeyed *o, const struct qn_node *uses)
{
        struct qn_event e = qn_observe_make(QN_EVENT_WORKFLOW_WRITE);

        if (!qn_str_starts(qn_node_text(uses), "actions/upload-artifact"))
                return;
        at_node(o, uses);
        qn_event_attr(&e, QN_ATTR_PATH, o->s->path);
        qn_event_attr(&e, QN_ATTR_HOW, QN_STR("ships"));
        qn_event_attr(&e, QN_ATTR_WHAT, QN_STR("artifact"));
        qn_site_event(o->s, &o->site, &e);
}

static void workflow_steps(struct obeyed *o, const struct qn_node *root)
{
        const struct qn_node *jobs = qn_node_get(root, "jobs");
        struct qn_command_sum sum;

        for (size_t i = 0; qn_node_is(jobs, QN_NODE_OBJECT) && i < jobs->n; i++) {
                const struct qn_node *steps = qn_node_get(jobs->items[i], "steps");

                for (size_t k = 0;
                     qn_node_is(steps, QN_NODE_ARRAY) && k < steps->n && k < NODES_MAX; k++) {
                        const struct qn_node *run = qn_node_get(steps->items[k], "run");

                        artifact_stored(o, qn_node_get(steps->items[k], "uses"));
                        if (!qn_node_text(run).n)
                                continue;
                        at_node(o, run);
                        qn_site_command(o->s, &o->site, qn_node_text(run), &sum);
                        secrets_sent(o, qn_node_text(run));
                }
        }
}

/* toJSON(secrets); GitHub reads names in any case, with blanks between. */
static bool takes_all_secrets(struct qn_str text)
{
        static const char *const parts[] = { "(", "secrets", ")" };
        ptrdiff_t at;

        while ((at = qn_str_ifind(text, QN_STR("tojson"))) >= 0) {
                struct qn_str rest = text = qn_str_skip(text, (size_t)at + 6);
                size_t i;

                for (i = 0; i < QN_ARRAY_SIZE(parts); i++) {
                        struct qn_str part = qn_str_c(parts[i]);

                        while (rest.n && (rest.p[0] == ' ' || rest.p[0] == '\t'))
                                rest = qn_str_skip(rest, 1);
                        if (!qn_str_ieq(qn_str_take(rest, part.n), part))
                                break;
                        rest = qn_str_skip(rest, part.n);
                }
                if (i == QN_ARRAY_SIZE(parts))
                        return true;
        }
        return false;
}

static void workflow(struct obeyed *o, struct qn_cur data)
{
        struct qn_str text = qn_cur_rest(&data);
        struct qn_event e = qn_observe_make(QN_EVENT_WORKFLOW_WRITE);
        struct qn_node *root = NULL;

        qn_event_attr(&e, QN_ATTR_PATH, o->s->path);
        qn_event_attr(&e, QN_ATTR_HOW, QN_STR("ships"));
        if (takes_all_secrets(text))
                qn_event_attr(&e, QN_ATTR_WHAT, QN_STR("all-secrets"));
        else if (qn_str_find(text, QN_STR("self-hosted")) >= 0 &&
                 qn_str_find(text, QN_STR("discussion")) >= 0)
                qn_event_attr(&e, QN_ATTR_WHAT, QN_STR("remote-shell"));
        else if (qn_str_find(text, QN_STR("pull_request_target")) >= 0 &&
                 qn_str_find(text, QN_STR("pull_request.head.")) >= 0)
                qn_event_attr(&e, QN_ATTR_WHAT, QN_STR("foreign-code"));
        qn_site_event(o->s, &o->site, &e);
        if (qn_yaml_parse(data, &o->s->tmp, &root, NULL) == 0)
                workflow_steps(o, root);
}

/* --- which file is which --- */

static void instructions(struct obeyed *o)
{
        report(o, "instructions", (struct qn_str){ 0 }, (struct qn_str){ 0 }, NULL);
}

static bool is_instructions(struct qn_str p)
{
        static const char *const names[] = { "CLAUDE.md",
                                             "AGENTS.md",
                                             "GEMINI.md",
                                             ".cursorrules",
                                             ".windsurfrules",
                                             ".clinerules",
                                             "SKILL.md",
                                             ".github/copilot-instructions.md",
                                             ".junie/guidelines.md" };
        static const char *const below[] = {
                ".cursor/rules/",       ".claude/commands/", ".claude/agents/",
                ".claude/skills/",      ".clinerules/",      ".windsurf/rules/",
                ".windsurf/workflows/", ".roo/rules",        ".kiro/steering/",
                ".amazonq/rules/",      ".trae/rules/",      ".github/instructions/",
                ".github/prompts/",     ".gemini/commands/", ".codex/prompts/"
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(names); i++)
                if (qn_str_is(p, names[i]))
                        return true;
        for (size_t i = 0; i < QN_ARRAY_SIZE(below); i++)
                if (qn_str_starts(p, below[i]))
                        return true;
        return false;
}

static bool is_workflow(struct qn_str p)
{
        return qn_str_starts(p, ".github/workflows/") &&
               (qn_str_ends(p, ".yml") || qn_str_ends(p, ".yaml"));
}

static bool is_mcp(struct qn_str p)
{
        static const char *const names[] = { ".mcp.json",        ".cursor/mcp.json",
                                             ".vscode/mcp.json", ".kiro/settings/mcp.json",
                                             ".roo/mcp.json",    ".gemini/settings.json",
                                             ".amazonq/mcp.json" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(names); i++)
                if (qn_str_is(p, names[i]))
                        return true;
        return false;
}

static void mcp_and_hooks(struct obeyed *o, const struct qn_node *root)
{
        mcp_servers(o, root);
        agent_hooks(o, root, "cursor");
}

static void cursor_hooks(struct obeyed *o, const struct qn_node *root)
{
        agent_hooks(o, root, "cursor");
}

/* The reader of a JSON file that something obeys; NULL: nothing that is known. */
static void (*reader_of(struct qn_str path))(struct obeyed *, const struct qn_node *)
{
        static const struct {
                const char *path;
                void (*reader)(struct obeyed *, const struct qn_node *);
        } table[] = { { ".vscode/tasks.json", vscode_tasks },
                      { ".vscode/settings.json", vscode_settings },
                      { ".cursor/hooks.json", cursor_hooks },
                      { ".windsurf/hooks.json", cursor_hooks },
                      { ".cursor/environment.json", cursor_environment },
                      { ".devcontainer/devcontainer.json", dev_container },
                      { ".devcontainer.json", dev_container } };

        for (size_t i = 0; i < QN_ARRAY_SIZE(table); i++)
                if (qn_str_is(path, table[i].path))
                        return table[i].reader;
        if (qn_str_starts(path, ".claude/settings"))
                return claude_settings;
        if (qn_str_starts(path, ".github/hooks/"))
                return cursor_hooks;
        if (qn_str_ends(path, ".code-workspace"))
                return vscode_workspace;
        return is_mcp(path) ? mcp_and_hooks : NULL;
}

/* Only files at the root of the package: that is the folder which gets opened. */
bool qn_editor_file(struct qn_scan *s, struct qn_str path, struct qn_cur data)
{
        struct obeyed o = { .s = s, .data = qn_cur_rest(&data) };
        void (*reader)(struct obeyed *, const struct qn_node *);
        const struct qn_node *root;
        bool workspace = qn_str_ends(path, ".code-workspace") && qn_str_chr(path, '/') < 0;

        if (path.n < 8 || (path.p[0] != '.' && !is_instructions(path) && !workspace))
                return false;
        o.site = (struct qn_site){ .file = s->file,
                                   .when = QN_WHEN_PHASE + QN_PHASE_EDITOR,
                                   .root = QN_PHASE_EDITOR };
        if (is_workflow(path)) {
                o.site.when = QN_WHEN_PHASE + QN_PHASE_NEVER;
                o.site.root = -1;
                workflow(&o, data);
                return true;
        }
        if (is_instructions(path)) {
                instructions(&o);
                return false; /* its text is looked at like any other */
        }
        if (qn_str_starts(path, ".idea/") &&
            qn_str_find(qn_cur_rest(&data), QN_STR("RunOnceActivity")) < 0 &&
            qn_str_find(qn_cur_rest(&data), QN_STR("<configuration")) >= 0) {
                report(&o, "idea", (struct qn_str){ 0 }, (struct qn_str){ 0 }, NULL);
                return true;
        }
        reader = reader_of(path);
        root = reader || qn_str_ends(path, ".json") ? read_json(s, data) : NULL;
        if (!root)
                return false;
        if (reader)
                reader(&o, root);
        return true;
}
