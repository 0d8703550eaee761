#include "cli/args.h"

#include <ctype.h>
#include <errno.h>

#include "base/log.h"
#include "base/near.h"
#include "base/str.h"
#include "cli/verbs.h"

const char *qn_args_nearest(const char *typed, const char *(*next)(const void *, size_t),
                            const void *ctx)
{
        const char *best = NULL, *c;
        unsigned least = (unsigned)QN_MIN(strlen(typed) / 3 + 1, (size_t)3) + 1;

        for (size_t i = 0; (c = next(ctx, i)); i++) {
                unsigned d = qn_near(qn_str_c(typed), qn_str_c(c));

                if (d < least && d < strlen(c)) {
                        least = d;
                        best = c;
                }
        }
        return best;
}

static const char *next_opt_name(const void *ctx, size_t i)
{
        const struct qn_verb *v = ctx;

        for (const struct qn_opt *o = v->opts; o && o->name; o++)
                if (i-- == 0)
                        return o->name;
        for (const struct qn_opt *o = qn_common_opts; o->name; o++)
                if (i-- == 0)
                        return o->name;
        return NULL;
}

static int unknown_option(const struct qn_verb *v, const char *name)
{
        const char *near = qn_args_nearest(name, next_opt_name, v);

        if (near)
                return log_err(-EINVAL, "%s: unknown option --%s; did you mean --%s?", v->name,
                               name, near);
        return log_err(-EINVAL, "%s: unknown option --%s; see qanat help %s", v->name, name,
                       v->name);
}

static bool is_one_of(const char *values, const char *s)
{
        struct qn_str rest = qn_str_c(values);

        while (rest.n)
                if (qn_str_is(qn_str_cut(&rest, '|'), s))
                        return true;
        return false;
}

/* `where` says which door the value came through: "--" or "QANAT_…" or the file. */
static int check_value(const struct qn_opt *o, const char *value, const char *where)
{
        uint64_t n;

        if (!o->arg && *value && !is_one_of("yes|no|true|false|1|0", value))
                return log_err(-EINVAL, "%s%s: yes or no, not \"%s\"", where, o->name, value);
        if (o->values && !is_one_of(o->values, value))
                return log_err(-EINVAL, "%s%s: \"%s\" is none of %s", where, o->name, value,
                               o->values);
        if ((o->flags & QN_OPT_NUMBER) && qn_str_u64(qn_str_c(value), &n) < 0)
                return log_err(-EINVAL, "%s%s: \"%s\" is not a number", where, o->name, value);
        return 0;
}

struct parse {
        struct qn_args *a;
        int argc, at;
        char **argv;
};

static int give(struct parse *p, const struct qn_opt *o, const char *value)
{
        int r = check_value(o, value, "--");

        if (r < 0)
                return r;
        p->a->given[p->a->n_given++] = (struct qn_given){ o, value };
        if (strcmp(o->name, "help") == 0)
                p->a->help = true;
        return 0;
}

/* The option's argument: what is left of its own word, or the next word. */
static int give_arg(struct parse *p, const struct qn_opt *o, const char *rest)
{
        if (!rest && p->at + 1 >= p->argc)
                return log_err(-EINVAL, "%s: --%s needs an argument (%s)", p->a->verb->name,
                               o->name, o->arg);
        return give(p, o, rest ? rest : p->argv[++p->at]);
}

static int parse_long(struct parse *p, const char *word)
{
        const struct qn_verb *v = p->a->verb;
        const char *eq = strchr(word, '=');
        _cleanup_(qn_freep) char *name = eq ? strndup(word, (size_t)(eq - word)) : strdup(word);
        const struct qn_opt *o;

        if (!name)
                return log_err(-ENOMEM, "out of memory");
        o = qn_opt_find(v, name);
        if (!o)
                return unknown_option(v, name);
        if (o->arg)
                return give_arg(p, o, eq ? eq + 1 : NULL);
        if (eq)
                return log_err(-EINVAL, "%s: --%s takes no argument", v->name, name);
        return give(p, o, "");
}

static const struct qn_opt *find_letter(const struct qn_verb *v, char c)
{
        for (const struct qn_opt *o = v->opts; o && o->name; o++)
                if (o->letter == c)
                        return o;
        for (const struct qn_opt *o = qn_common_opts; o->name; o++)
                if (o->letter == c)
                        return o;
        return NULL;
}

static int parse_letters(struct parse *p, const char *word)
{
        const struct qn_verb *v = p->a->verb;

        for (; *word; word++) {
                const struct qn_opt *o = find_letter(v, *word);
                int r;

                if (!o)
                        return log_err(-EINVAL, "%s: unknown option -%c; see qanat help %s",
                                       v->name, isgraph((unsigned char)*word) ? *word : '?',
                                       v->name);
                if (o->arg)
                        return give_arg(p, o, word[1] ? word + 1 : NULL);
                r = give(p, o, "");
                if (r < 0)
                        return r;
        }
        return 0;
}

static int parse_words(struct parse *p)
{
        bool only_args = false;
        int r = 0;

        for (; p->at < p->argc && r == 0; p->at++) {
                const char *word = p->argv[p->at];

                if (only_args || word[0] != '-' || word[1] == '\0')
                        p->a->argv[p->a->n++] = word;
                else if (strcmp(word, "--") == 0)
                        only_args = true;
                else
                        r = word[1] == '-' ? parse_long(p, word + 2) : parse_letters(p, word + 1);
        }
        return r;
}

static int check_count(const struct qn_args *a)
{
        const struct qn_verb *v = a->verb;

        if (a->n < (size_t)v->min)
                return log_err(-EINVAL,
                               "%s: an argument is missing; usage: qanat %s [OPTION...] %s",
                               v->name, v->name, v->synopsis);
        if (v->max >= 0 && a->n > (size_t)v->max)
                return log_err(-EINVAL, "%s: one argument too many: \"%s\"", v->name,
                               a->argv[v->max]);
        if (v->first && a->n && !is_one_of(v->first, a->argv[0]))
                return log_err(-EINVAL, "%s: \"%s\" is none of %s", v->name, a->argv[0], v->first);
        return 0;
}

static const char *env_value(const struct qn_opt *o, char *name, size_t size)
{
        const char *value;
        int n = snprintf(name, size, "QANAT_%s", o->name);

        for (int i = 0; i < n && (size_t)i < size; i++)
                name[i] = name[i] == '-' ? '_' : (char)toupper((unsigned char)name[i]);
        value = getenv(name);
        return value && *value ? value : NULL;
}

static int check_env(const struct qn_opt *opts)
{
        char name[64];
        int r = 0;

        for (const struct qn_opt *o = opts; o && o->name && r == 0; o++) {
                const char *value =
                        o->flags & QN_OPT_CONFIG ? env_value(o, name, sizeof name) : NULL;

                if (value)
                        r = check_value(o, value, "in the environment: ");
        }
        return r;
}

static const char *next_key(const void *ctx QN_UNUSED, size_t i)
{
        for (const struct qn_verb *v = qn_verbs; v->name; v++)
                for (const struct qn_opt *o = v->opts; o && o->name; o++)
                        if ((o->flags & QN_OPT_CONFIG) && i-- == 0)
                                return o->name;
        for (const struct qn_opt *o = qn_common_opts; o->name; o++)
                if ((o->flags & QN_OPT_CONFIG) && i-- == 0)
                        return o->name;
        return NULL;
}

static bool is_key(const char *key)
{
        const char *c;

        for (size_t i = 0; (c = next_key(NULL, i)); i++)
                if (strcmp(c, key) == 0)
                        return true;
        return false;
}

/* Every key must be some verb's; its value is checked where this verb takes it. */
static int check_file(const struct qn_args *a)
{
        for (size_t i = 0; i < a->config.n; i++) {
                const struct qn_config_line *l = &a->config.lines[i];
                const struct qn_opt *o = qn_opt_find(a->verb, l->key);
                const char *near;

                if (o && (o->flags & QN_OPT_CONFIG) &&
                    check_value(o, l->value, "in the configuration: ") < 0)
                        return -EINVAL;
                if (is_key(l->key))
                        continue;
                near = qn_args_nearest(l->key, next_key, NULL);
                return log_err(-EINVAL, "%s:%u: unknown key \"%s\"%s%s%s", a->config.path, l->line,
                               l->key, near ? "; did you mean \"" : "", near ? near : "",
                               near ? "\"?" : "");
        }
        return 0;
}

static int load_config(struct qn_args *a)
{
        const char *path = qn_args_get(a, "config");
        struct qn_err err = { 0 };
        int r = qn_config_load(path, &a->config, &err);

        if (r < 0)
                return log_err(r, "configuration%s%s: %s", path ? " " : "", path ? path : "",
                               err.msg);
        return check_file(a);
}

int qn_args_parse(const struct qn_verb *v, int argc, char **argv, struct qn_args *ret)
{
        _cleanup_(qn_args_done) struct qn_args a = { .verb = v };
        size_t room = 1;
        int r;

        for (int i = 0; i < argc; i++)
                room += strlen(argv[i]); /* as many options as bundled letters, at most */
        a.argv = calloc((size_t)argc + 1, sizeof *a.argv);
        a.given = calloc(room, sizeof *a.given);
        if (!a.argv || !a.given)
                return log_err(-ENOMEM, "out of memory");
        r = parse_words(&(struct parse){ .a = &a, .argc = argc, .argv = argv });
        if (r == 0 && !a.help)
                r = check_count(&a);
        if (r == 0 && !a.help)
                r = load_config(&a);
        if (r == 0 && !a.help)
                r = check_env(v->opts);
        if (r == 0 && !a.help)
                r = check_env(qn_common_opts);
        if (r < 0)
                return r;
        *ret = a;
        a = (struct qn_args){ 0 };
        return 0;
}

int qn_args_prepare(struct qn_args *a)
{
        int r = 0;

        if (a->verb->needs & QN_NEED_DATA)
                r = qn_dir_data(qn_args_get(a, "data"), &a->data);
        if (r < 0)
                return log_err(r, "the data directory (rules and tables) was not found; name it "
                                  "with --data DIR");
        if (a->verb->needs & QN_NEED_STATE)
                r = qn_dir_state(qn_args_get(a, "state"), &a->state);
        if (r == 0 && (a->verb->needs & QN_NEED_CACHE))
                r = qn_dir_cache(qn_args_get(a, "cache"), &a->cache);
        if (r < 0)
                return log_err(r, "there is no home directory; name --state DIR and --cache DIR");
        a->store = qn_args_get(a, "store");
        if (!a->store || !*a->store)
                a->store = a->state;
        return 0;
}

void qn_args_done(struct qn_args *a)
{
        free(a->argv);
        free(a->given);
        free(a->data);
        free(a->state);
        free(a->cache);
        qn_config_done(&a->config);
        *a = (struct qn_args){ 0 };
}

static const struct qn_opt *must_find(const struct qn_args *a, const char *name)
{
        const struct qn_opt *o = qn_opt_find(a->verb, name);

        if (!o)
                abort();
        return o;
}

const char *qn_args_get(const struct qn_args *a, const char *name)
{
        const struct qn_opt *o = must_find(a, name);
        const char *value = NULL;
        char env[64];

        for (size_t i = a->n_given; i > 0 && !value; i--)
                if (a->given[i - 1].opt == o)
                        value = a->given[i - 1].value;
        if (!value && (o->flags & QN_OPT_CONFIG))
                value = env_value(o, env, sizeof env);
        if (!value && (o->flags & QN_OPT_CONFIG))
                value = qn_config_get(&a->config, o->name);
        return value ? value : o->fallback;
}

bool qn_args_on(const struct qn_args *a, const char *name)
{
        const char *value = qn_args_get(a, name);

        return value && !is_one_of("no|false|0", value);
}

uint64_t qn_args_u64(const struct qn_args *a, const char *name)
{
        const char *value = qn_args_get(a, name);
        uint64_t n = 0;

        return value && qn_str_u64(qn_str_c(value), &n) == 0 ? n : 0;
}

const char *qn_args_all(const struct qn_args *a, const char *name, size_t i)
{
        const struct qn_opt *o = must_find(a, name);
        bool any = false;

        for (size_t k = 0; k < a->n_given; k++) {
                if (a->given[k].opt != o)
                        continue;
                any = true;
                if (i-- == 0)
                        return a->given[k].value;
        }
        return any || i ? NULL : qn_args_get(a, name);
}
