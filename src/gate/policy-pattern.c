#include "gate/policy-pattern.h"

#include <ctype.h>
#include <errno.h>

#include "base/limits.h"

#define EVERYTHING "*"

static bool is_wild(char c)
{
        return c == '*' || c == '?';
}

static const char *wrong(struct qn_str s)
{
        ptrdiff_t slash = qn_str_chr(s, '/');

        if (!s.n || s.n > QN_POLICY_PATTERN_MAX)
                return "a package's name has 1 to 214 characters";
        for (size_t i = 0; i < s.n; i++)
                if (!isalnum((unsigned char)s.p[i]) && !strchr("-._~!'()*?@/", s.p[i]))
                        return "a name has letters, digits, - . _ ~, a pattern also * and ?";
        if (qn_str_is(s, "@"))
                return "a scope needs a name: \"@acme/*\"";
        if (s.p[0] == '@' && slash < 0)
                return "a whole scope is written \"@acme/*\"";
        if (qn_str_rchr(s, '@') > 0)
                return "an @ is only at the begin of a scope";
        if (slash >= 0 && (s.p[0] != '@' || slash == 1 || (size_t)slash + 1 == s.n))
                return "a slash is only between scope and name: \"@acme/web\"";
        if (qn_str_rchr(s, '/') != slash)
                return "there is one slash, between scope and name";
        if (s.p[0] == '.')
                return "no package's name begins with a dot";
        return NULL;
}

int qn_policy_pattern(struct qn_str text, struct qn_policy_pattern *ret, const char **retwhy)
{
        struct qn_policy_pattern p = { .text = text, .exact = true };

        *retwhy = wrong(text);
        if (*retwhy)
                return -EINVAL;
        for (size_t i = 0; i < text.n; i++) {
                bool wild = is_wild(text.p[i]);

                p.exact = p.exact && !wild;
                p.weight += !wild;
        }
        *ret = p;
        return 0;
}

/* "@acme/web" → "@acme" and "web"; "web" → "" and "web". */
static struct qn_str cut_scope(struct qn_str *name)
{
        ptrdiff_t slash = qn_str_chr(*name, '/');
        struct qn_str scope = QN_STR("");

        if (slash >= 0) {
                scope = qn_str_take(*name, (size_t)slash);
                *name = qn_str_skip(*name, (size_t)slash + 1);
        }
        return scope;
}

bool qn_policy_pattern_match(const struct qn_policy_pattern *p, struct qn_str name)
{
        struct qn_str base = p->text, scope;

        if (p->exact)
                return qn_str_eq(p->text, name);
        if (qn_str_is(p->text, EVERYTHING))
                return true;
        scope = cut_scope(&base);
        return qn_str_glob(cut_scope(&name), scope) && qn_str_glob(name, base);
}
