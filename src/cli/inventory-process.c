#include "cli/inventory-process.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/str.h"

#define COMMAND_MAX ((size_t)1 << 20)
#define MODULES     "node_modules"

struct finder {
        struct qn_arena *a;
        struct qn_str root; /* before every path of the process: "" in our own file system */
};

/* "" at the arena's cap, or when it is longer than any path. */
static struct qn_str join(struct finder *f, struct qn_str x, const char *between, struct qn_str y)
{
        struct qn_buf b = QN_BUF_INIT(2 * PATH_MAX);
        struct qn_str ret = { NULL, 0 };

        qn_buf_str(&b, x);
        qn_buf_puts(&b, between);
        qn_buf_str(&b, y);
        if (qn_buf_error(&b) == 0)
                ret = qn_arena_dup(f->a, qn_buf_view(&b));
        qn_buf_done(&b);
        return ret.p ? ret : QN_STR("");
}

/* /proc/PID/what, "" when it cannot be read. */
static struct qn_str link_of(struct finder *f, const char *pid, const char *what)
{
        char path[64], target[PATH_MAX];
        ssize_t n;

        snprintf(path, sizeof path, "/proc/%s/%s", pid, what);
        n = readlink(path, target, sizeof target);
        return n <= 0 ? QN_STR("") : qn_arena_dup(f->a, (struct qn_str){ target, (size_t)n });
}

/* Whether the process has such a file. */
static bool exists(struct finder *f, struct qn_str dir, const char *name)
{
        struct qn_str path = join(f, f->root, "", join(f, dir, "/", qn_str_c(name)));

        return path.n && access(path.p, F_OK) == 0;
}

/* --- the script --- */

static bool is_runtime(struct qn_str exe)
{
        static const char *const names[] = { "node", "nodejs", "bun", "deno" };
        struct qn_str name = qn_str_base(exe);
        ptrdiff_t gone = qn_str_find(name, QN_STR(" (deleted)"));

        name = gone >= 0 ? qn_str_take(name, (size_t)gone) : name;
        for (size_t i = 0; i < QN_ARRAY_SIZE(names); i++)
                if (qn_str_is(name, names[i]))
                        return true;
        return false;
}

static bool takes_value(struct qn_str option)
{
        static const char *const names[] = {
                "-r", "--require",   "--import", "--loader", "--experimental-loader",
                "-C", "--conditions"
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(names); i++)
                if (qn_str_is(option, names[i]))
                        return true;
        return false;
}

/* The first argument that is no option; "" without one.  Programs may overwrite what stands there: then it is no file. */
static struct qn_str script_of(struct finder *f, struct qn_str command, struct qn_str cwd)
{
        static const char *const ends[] = { "", ".js", ".mjs", ".cjs" };

        qn_str_cut(&command, '\0');
        while (command.n) {
                struct qn_str word = qn_str_cut(&command, '\0'), path, with;

                if (takes_value(word))
                        qn_str_cut(&command, '\0');
                if (!word.n || word.p[0] == '-' || qn_str_is(word, "run"))
                        continue;
                path = word.p[0] == '/' ? word : join(f, cwd, "/", word);
                for (size_t i = 0; i < QN_ARRAY_SIZE(ends); i++) {
                        with = join(f, path, ends[i], QN_STR(""));
                        if (exists(f, qn_str_dir(with), qn_str_base(with).p))
                                return with;
                }
                break;
        }
        return QN_STR("");
}

static int read_script(struct finder *f, const char *pid, struct qn_str cwd, struct qn_str *ret)
{
        struct qn_buf command = QN_BUF_INIT(COMMAND_MAX);
        char path[64];
        int r;

        snprintf(path, sizeof path, "/proc/%s/cmdline", pid);
        r = qn_io_read(path, &command);
        if (r == 0)
                *ret = script_of(f, qn_buf_view(&command), cwd);
        qn_buf_done(&command);
        return r;
}

/* --- its packages --- */

static int add(struct finder *f, struct qn_process *p, struct qn_str path)
{
        path = join(f, f->root, "", path);
        if (!path.n)
                return -ENOBUFS;
        if (p->n < QN_PROCESS_PATHS_MAX)
                p->paths[p->n++] = path.p;
        return 0;
}

/* Node looks for node_modules in the script's directory and in all above it; PnP begins at the nearest project. */
static int find_trees(struct finder *f, struct qn_str dir, struct qn_process *p)
{
        ptrdiff_t inside = qn_str_find(dir, QN_STR("/" MODULES "/"));
        int r = 0;

        if (inside >= 0)
                dir = qn_str_take(dir, (size_t)inside);
        for (; r == 0 && dir.n; dir = qn_str_dir(dir)) {
                if (exists(f, dir, MODULES))
                        r = add(f, p, join(f, dir, "/", QN_STR(MODULES)));
                else if (exists(f, dir, ".pnp.cjs"))
                        r = add(f, p, dir);
        }
        return r;
}

static int name_it(struct finder *f, struct qn_str what, struct qn_process *p)
{
        char host[HOST_NAME_MAX + 1] = "";
        struct qn_str name;

        gethostname(host, sizeof host - 1);
        name = join(f, qn_str_c(host), ":", what);
        p->name = name.p;
        return name.n ? 0 : -ENOBUFS;
}

int qn_inventory_process(const char *pid, struct qn_arena *a, struct qn_process *ret,
                         struct qn_err *reterr)
{
        struct finder f = { .a = a, .root = QN_STR("") };
        struct qn_process p = { .n = 0 };
        struct qn_str exe, cwd, script = QN_STR("");
        uint64_t number;
        int r;

        if (qn_str_u64(qn_str_c(pid), &number) < 0 || number > INT_MAX)
                return qn_fail(reterr, -EINVAL, 0, "\"%.40s\" is no process id", pid);
        exe = link_of(&f, pid, "exe");
        cwd = link_of(&f, pid, "cwd");
        if (!exe.n || !cwd.n)
                return qn_fail(reterr, -ESRCH, 0, "process %s cannot be looked at", pid);
        if (!is_runtime(exe))
                return qn_fail(reterr, -ENOEXEC, 0, "process %s is none of Node, Bun or Deno", pid);
        if (!qn_str_eq(link_of(&f, pid, "ns/mnt"), link_of(&f, "self", "ns/mnt")) ||
            !qn_str_is(link_of(&f, pid, "root"), "/"))
                f.root = join(&f, QN_STR("/proc/"), pid, QN_STR("/root"));
        r = read_script(&f, pid, cwd, &script);
        if (r == 0)
                r = find_trees(&f, script.n ? qn_str_dir(script) : cwd, &p);
        if (r == 0 && !p.n)
                return qn_fail(reterr, -ENOENT, 0, "process %s has no packages near its script",
                               pid);
        if (r == 0)
                r = name_it(&f, script.n ? script : cwd, &p);
        if (r < 0)
                return qn_fail(reterr, r, 0, "%s", strerrordesc_np(-r));
        p.root = f.root.n;
        *ret = p;
        return 0;
}
