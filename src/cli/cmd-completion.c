/* cmd-completion.c - shell completion, made from the table of verbs. */
#include "cli/args.h"
#include "cli/verbs.h"

/* "a|b|c" with blanks between. */
static void put_values(const char *values)
{
        for (; *values; values++)
                putchar(*values == '|' ? ' ' : *values);
}

static void put_verbs(void)
{
        for (const struct qn_verb *v = qn_verbs; v->name; v++)
                printf("%s%s", v == qn_verbs ? "" : " ", v->name);
}

static void bash_flags(const struct qn_opt *opts)
{
        for (const struct qn_opt *o = opts; o && o->name; o++)
                printf(" --%s", o->name);
}

/* One case branch for each option whose argument is a choice or a directory or file. */
static void bash_values(const char *verb, const struct qn_opt *opts)
{
        for (const struct qn_opt *o = opts; o && o->name; o++) {
                if (!o->arg)
                        continue;
                printf("        %s:--%s) ", verb, o->name);
                if (o->values) {
                        fputs("COMPREPLY=($(compgen -W \"", stdout);
                        put_values(o->values);
                        fputs("\" -- \"$cur\")) ;;\n", stdout);
                } else {
                        fputs("COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n", stdout);
                }
        }
}

static void print_bash(void)
{
        fputs("# bash completion for qanat; made by `qanat completion bash`\n"
              "_qanat() {\n"
              "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} "
              "verb=${COMP_WORDS[1]} words flags\n"
              "    COMPREPLY=()\n"
              "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
              "        COMPREPLY=($(compgen -W \"",
              stdout);
        put_verbs();
        fputs("\" -- \"$cur\"))\n        return\n    fi\n    case $verb:$prev in\n", stdout);
        for (const struct qn_verb *v = qn_verbs; v->name; v++)
                bash_values(v->name, v->opts);
        bash_values("*", qn_common_opts);
        fputs("    esac\n    [ ${#COMPREPLY[@]} -eq 0 ] || return\n    case $verb in\n", stdout);
        for (const struct qn_verb *v = qn_verbs; v->name; v++) {
                printf("        %s) words=\"", v->name);
                if (v->first)
                        put_values(v->first);
                if (v->run == cmd_help)
                        put_verbs();
                fputs("\" flags=\"", stdout);
                bash_flags(v->opts);
                fputs("\" ;;\n", stdout);
        }
        fputs("    esac\n    flags=\"$flags", stdout);
        bash_flags(qn_common_opts);
        fputs("\"\n"
              "    case $cur in\n"
              "        -*) COMPREPLY=($(compgen -W \"$flags\" -- \"$cur\")) ;;\n"
              "        *) COMPREPLY=($(compgen -W \"$words\" -- \"$cur\") $(compgen -f -- "
              "\"$cur\")) ;;\n"
              "    esac\n"
              "}\n"
              "complete -o filenames -F _qanat qanat\n",
              stdout);
}

/* Inside '…[…]': quotes, brackets and colons would end the description. */
static void zsh_doc(const char *s)
{
        for (; *s; s++) {
                if (strchr("[]:\\", *s))
                        putchar('\\');
                if (*s == '\'')
                        fputs("'\\'", stdout);
                putchar(*s);
        }
}

static void zsh_opts(const struct qn_opt *opts)
{
        for (const struct qn_opt *o = opts; o && o->name; o++) {
                printf(" \\\n            '%s--%s%s[", o->flags & QN_OPT_MANY ? "*" : "", o->name,
                       o->arg ? "=" : "");
                zsh_doc(o->doc);
                putchar(']');
                if (o->arg)
                        printf(":%s:", o->arg);
                if (o->values) {
                        putchar('(');
                        put_values(o->values);
                        putchar(')');
                } else if (o->arg) {
                        fputs("_files", stdout);
                }
                putchar('\'');
        }
}

static void zsh_verb(const struct qn_verb *v)
{
        printf("        %s)\n            _arguments", v->name);
        zsh_opts(v->opts);
        zsh_opts(qn_common_opts);
        if (v->first || v->run == cmd_help) {
                fputs(" \\\n            '1:what:(", stdout);
                if (v->first)
                        put_values(v->first);
                else
                        put_verbs();
                fputs(")'", stdout);
        }
        if (v->max < 0 || v->max > 1)
                fputs(" \\\n            '*:argument:_files'", stdout);
        fputs("\n            ;;\n", stdout);
}

static void print_zsh(void)
{
        fputs("#compdef qanat\n# zsh completion for qanat; made by `qanat completion zsh`\n"
              "_qanat() {\n    local -a verbs\n    verbs=(\n",
              stdout);
        for (const struct qn_verb *v = qn_verbs; v->name; v++) {
                printf("        '%s:", v->name);
                zsh_doc(v->summary);
                fputs("'\n", stdout);
        }
        fputs("    )\n    if (( CURRENT == 2 )); then\n        _describe verb verbs\n        "
              "return\n    fi\n"
              "    local verb=$words[2]\n    shift words\n    (( CURRENT-- ))\n    case $verb in\n",
              stdout);
        for (const struct qn_verb *v = qn_verbs; v->name; v++)
                zsh_verb(v);
        fputs("    esac\n}\n_qanat \"$@\"\n", stdout);
}

int cmd_completion(const struct qn_args *a)
{
        if (strcmp(a->argv[0], "zsh") == 0)
                print_zsh();
        else
                print_bash();
        return 0;
}
