/* gate-setup.c - qanat gate setup CLIENT: writes what makes a package manager ask the gate, and changes nothing else in its
 * configuration. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/log.h"
#include "cli/args.h"
#include "cli/gate-lock.h"
#include "cli/gate-verb.h"

#define FILE_MAX_BYTES ((size_t)1 << 20)

/* Which file of a directory it reads, and the key of the line that names a registry; its lock files. */
static const struct client {
        const char *name, *file, *key;
        bool tokens; /* a token can be written as a variable */
        const char *locks[2];
        const char *moves; /* as in struct gate_lock */
} clients[] = {
        { "npm",
          ".npmrc",
          "registry=",
          true,
          { "npm-shrinkwrap.json", "package-lock.json" },
          "registry.npmjs.org" },
        { "pnpm", ".npmrc", "registry=", true, { "pnpm-lock.yaml" }, NULL },
        { "yarn-classic", ".yarnrc", "registry ", false, { "yarn.lock" }, NULL },
        { "yarn", ".yarnrc.yml", "npmRegistryServer:", true, { "yarn.lock" }, NULL },
        { "bun", "bunfig.toml", NULL, true, { "bun.lock", "bun.lockb" }, NULL },
};

static const struct client *find(const char *name)
{
        for (size_t i = 0; i < QN_ARRAY_SIZE(clients); i++)
                if (strcmp(clients[i].name, name) == 0)
                        return &clients[i];
        return NULL;
}

static bool is_plain_http(const char *url)
{
        return qn_str_starts(qn_str_c(url), "http://");
}

static struct qn_str address_of(const char *url)
{
        struct qn_str s = qn_str_c(url);
        ptrdiff_t at = qn_str_find(s, QN_STR("://"));

        return at < 0 ? s : qn_str_skip(s, (size_t)at + 3);
}

static bool url_ok(struct qn_str url)
{
        if (!qn_str_starts(url, "http://") && !qn_str_starts(url, "https://"))
                return false;
        for (size_t i = 0; i < url.n; i++)
                if ((unsigned char)url.p[i] <= ' ' || strchr("\"'\\`$", url.p[i]))
                        return false;
        return address_of(url.p).n > 0;
}

/* --- the file --- */

static bool begins(struct qn_str line, struct qn_str key)
{
        return key.n && line.n >= key.n && qn_str_eq(qn_str_take(line, key.n), key);
}

/* All lines but those that begin with a key of ours.  nested: what is indented belongs to something else. */
static void keep_others(struct qn_str text, const struct qn_str keys[2], bool nested,
                        struct qn_buf *out)
{
        while (text.n) {
                struct qn_str line = qn_str_cut(&text, '\n');
                struct qn_str bare = nested ? line : qn_str_trim(line);

                if (!begins(bare, keys[0]) && !begins(bare, keys[1])) {
                        qn_buf_str(out, line);
                        qn_buf_byte(out, '\n');
                }
                if (!text.p)
                        break;
        }
}

static void write_bun(const char *url, const char *variable, struct qn_buf *out)
{
        if (variable)
                qn_buf_printf(out, "registry = { url = \"%s/\", token = \"$%s\" }\n", url,
                              variable);
        else
                qn_buf_printf(out, "registry = \"%s/\"\n", url);
}

/* bunfig.toml has sections: ours is put behind the head of [install], which is added when it is not there. */
static void merge_bun(struct qn_str old, const char *url, const char *variable, struct qn_buf *out)
{
        bool inside = false, done = false;

        while (old.n) {
                struct qn_str line = qn_str_cut(&old, '\n'), trimmed = qn_str_trim(line);

                if (qn_str_starts(trimmed, "["))
                        inside = qn_str_is(trimmed, "[install]");
                if (!inside || (!qn_str_starts(trimmed, "registry ") &&
                                !qn_str_starts(trimmed, "registry="))) {
                        qn_buf_str(out, line);
                        qn_buf_byte(out, '\n');
                }
                if (inside && !done) {
                        write_bun(url, variable, out);
                        done = true;
                }
                if (!old.p)
                        break;
        }
        if (!done) {
                qn_buf_puts(out, "[install]\n");
                write_bun(url, variable, out);
        }
}

static struct qn_str host_of(struct qn_str address)
{
        struct qn_str host = qn_str_cut(&address, '/');
        ptrdiff_t end = qn_str_starts(host, "[") ? qn_str_chr(host, ']') : -1;

        return end >= 0 ? qn_str_take(host, (size_t)end + 1) : qn_str_cut(&host, ':');
}

/* Whether a line of a list, or a list in one line, has the host. */
static bool lists(struct qn_str text, struct qn_str host)
{
        bool v6 = qn_str_starts(host, "[");
        struct qn_str bare = v6 ? qn_str_take(qn_str_skip(host, 1), host.n - 2) : host;

        while (text.p) {
                struct qn_str word = qn_str_cut(&text, ',');

                while (word.n && strchr(" \t\r-[\"'", word.p[0]))
                        word = qn_str_skip(word, 1);
                while (word.n && strchr(" \t\r]\"'", word.p[word.n - 1]))
                        word.n--;
                if (qn_str_eq(word, bare))
                        return true;
        }
        return false;
}

/* The line of a key, and what is behind it; false: there is none. */
static bool find_line(struct qn_str text, const char *key, struct qn_str *ret, struct qn_str *rest)
{
        *rest = text;
        while (rest->n) {
                *ret = qn_str_cut(rest, '\n');
                if (qn_str_starts(*ret, key))
                        return true;
                if (!rest->p)
                        break;
        }
        return false;
}

/* Lines of a list that begin `rest`; whether the host is one.  ret_indent: of the first. */
static bool lists_below(struct qn_str rest, struct qn_str host, struct qn_str *ret_indent)
{
        *ret_indent = QN_STR("  ");
        for (bool first = true; rest.n && strchr(" \t-", rest.p[0]); first = false) {
                struct qn_str line = qn_str_cut(&rest, '\n');

                if (first)
                        *ret_indent = qn_str_take(line, line.n - qn_str_trim(line).n);
                if (lists(line, host))
                        return true;
        }
        return false;
}

/* yarn speaks plain HTTP with hosts of a list, which may have others. */
static void allow_http(struct qn_str text, struct qn_str host, struct qn_buf *out)
{
        static const char key[] = "unsafeHttpWhitelist:";
        struct qn_str line, rest, indent;
        ptrdiff_t open;

        if (!find_line(text, key, &line, &rest)) {
                qn_buf_str(out, text);
                qn_buf_printf(out, "%s [\"%.*s\"]\n", key, QN_STR_ARG(host));
                return;
        }
        open = qn_str_chr(line, '[');
        if (lists(qn_str_skip(line, sizeof key - 1), host) || lists_below(rest, host, &indent)) {
                qn_buf_str(out, text);
                return;
        }
        if (open >= 0)
                line = qn_str_take(line, (size_t)open + 1);
        qn_buf_str(out, qn_str_take(text, (size_t)(line.p - text.p) + line.n));
        if (open >= 0)
                qn_buf_printf(out, "\"%.*s\", ", QN_STR_ARG(host));
        else
                qn_buf_printf(out, "\n%.*s- \"%.*s\"", QN_STR_ARG(indent), QN_STR_ARG(host));
        qn_buf_str(out, qn_str_skip(text, (size_t)(line.p - text.p) + line.n));
}

static void merge(const struct client *c, struct qn_str old, const char *url, const char *variable,
                  struct qn_buf *out)
{
        _cleanup_(qn_buf_done) struct qn_buf token_key = QN_BUF_INIT(4096);
        struct qn_str address = address_of(url);
        struct qn_str keys[2] = { qn_str_c(c->key ? c->key : ""), QN_STR("") };
        bool yarn = strcmp(c->name, "yarn") == 0;

        if (strcmp(c->name, "bun") == 0) {
                merge_bun(old, url, variable, out);
                return;
        }
        if (c->tokens && variable) {
                if (yarn)
                        qn_buf_puts(&token_key, "npmAuthToken:");
                else
                        qn_buf_printf(&token_key, "//%.*s/:_authToken=", QN_STR_ARG(address));
                keys[1] = qn_buf_view(&token_key);
        }
        keep_others(old, keys, yarn, out);
        if (strcmp(c->name, "yarn-classic") == 0)
                qn_buf_printf(out, "registry \"%s/\"\n", url);
        else if (yarn)
                qn_buf_printf(out, "npmRegistryServer: \"%s\"\n", url);
        else
                qn_buf_printf(out, "registry=%s/\n", url);
        if (keys[1].n && yarn)
                qn_buf_printf(out, "npmAuthToken: \"${%s}\"\n", variable);
        else if (keys[1].n)
                qn_buf_printf(out, "//%.*s/:_authToken=${%s}\n", QN_STR_ARG(address), variable);
        if (yarn && is_plain_http(url)) {
                struct qn_buf plain = *out;

                *out = QN_BUF_INIT(FILE_MAX_BYTES * 2);
                allow_http(qn_buf_view(&plain), host_of(address), out);
                qn_buf_done(&plain);
        }
}

/* Registries of single scopes, which are left as they are. */
static void warn_of_scopes(const char *path, struct qn_str text)
{
        static const char *const words[] = { ":registry=", ":registry\" ",
                                             "npmScopes:", "install.scopes" };
        bool found = false;

        for (size_t i = 0; i < QN_ARRAY_SIZE(words); i++)
                found = found || qn_str_find(text, qn_str_c(words[i])) >= 0;
        if (found)
                log_note("%s names registries of single scopes: the gate does not see what comes "
                         "from them",
                         path);
}

/* npm's replace-registry-host, as far as the project sets it. */
static const char *moved_by(const struct client *c, const char *dir)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(FILE_MAX_BYTES);
        const char *moves = c->moves;
        struct qn_str text;
        char path[4096];

        snprintf(path, sizeof path, "%s/%s", dir, c->file);
        if (!moves || qn_io_read(path, &b) < 0)
                return moves;
        for (text = qn_buf_view(&b); text.n;) {
                struct qn_str value = qn_str_cut(&text, '\n'), key = qn_str_cut(&value, '=');

                value = qn_str_trim(value);
                if (!qn_str_is(qn_str_trim(key), "replace-registry-host"))
                        continue;
                moves = qn_str_is(value, "always")  ? "*"
                        : qn_str_is(value, "never") ? NULL
                                                    : c->moves;
        }
        return moves;
}

/* What is installed by a lock file that names other places does not come by the gate. */
static void warn_of_locks(const struct client *c, const char *dir, const char *url, bool no_sandbox)
{
        struct gate_lock l = {
                .dir = dir, .url = url, .moves = moved_by(c, dir), .no_sandbox = no_sandbox
        };

        if (strcmp(c->name, "yarn") == 0)
                l.other = "yarn classic wrote it, which reads other files: if that is in use, run "
                          "qanat gate setup yarn-classic";
        for (size_t i = 0; i < QN_ARRAY_SIZE(c->locks) && c->locks[i]; i++) {
                l.file = c->locks[i];
                gate_lock_warn(&l);
        }
}

static int write_file(const struct client *c, const char *dir, const char *url,
                      const char *variable, bool dry)
{
        _cleanup_(qn_buf_done) struct qn_buf old = QN_BUF_INIT(FILE_MAX_BYTES);
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(FILE_MAX_BYTES * 2);
        char path[4096];
        int r;

        snprintf(path, sizeof path, "%s/%s", dir, c->file);
        r = qn_io_read(path, &old);
        if (r < 0 && r != -ENOENT)
                return log_err(r, "%s: %s", path, strerrordesc_np(-r));
        merge(c, qn_buf_view(&old), url, variable, &out);
        r = qn_buf_error(&out);
        if (r == 0 && dry)
                return qn_io_write_fd(STDOUT_FILENO, qn_buf_view(&out));
        if (r == 0)
                r = qn_io_replace(path, qn_buf_view(&out));
        if (r < 0)
                return log_err(r, "%s: %s", path, strerrordesc_np(-r));
        printf("%s: %s asks %s from now on\n", path, c->name, url);
        warn_of_scopes(path, qn_buf_view(&old));
        if (variable)
                printf("The token is read from $%s: set it where %s runs, never in this file.\n",
                       variable, c->name);
        return 0;
}

static bool variable_ok(const char *v)
{
        if (!v)
                return true;
        for (const char *p = v; *p; p++)
                if (*p != '_' && !(*p >= 'A' && *p <= 'Z') && !(*p >= 'a' && *p <= 'z') &&
                    (p == v || *p < '0' || *p > '9'))
                        return false;
        return *v != 0;
}

int qn_gate_verb_setup(const struct qn_args *a)
{
        const struct client *c = a->n > 1 ? find(a->argv[1]) : NULL;
        const char *dir = a->n > 2 ? a->argv[2] : ".";
        const char *variable = qn_args_get(a, "token-variable");
        char url[2048];
        size_t n;
        int r;

        if (!c || a->n > 3)
                return log_err(-EINVAL,
                               "write: qanat gate setup npm|pnpm|yarn|yarn-classic|bun [DIR]");
        snprintf(url, sizeof url, "%s",
                 qn_args_get(a, "url") ? qn_args_get(a, "url") : "http://localhost:4873");
        for (n = strlen(url); n && url[n - 1] == '/'; n--)
                url[n - 1] = 0;
        if (!url_ok(qn_str_c(url)))
                return log_err(-EINVAL,
                               "--url %s: write the gate's address, http(s)://HOST[:PORT][/PATH]",
                               url);
        if (!variable_ok(variable))
                return log_err(-EINVAL, "--token-variable %s: this is no name of a variable",
                               variable);
        r = write_file(c, dir, url, variable, qn_args_on(a, "dry-run"));
        if (r == 0)
                warn_of_locks(c, dir, url, qn_args_on(a, "no-sandbox"));
        return r;
}
