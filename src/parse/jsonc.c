#include "parse/jsonc.h"

#include <errno.h>

#include "base/arena.h"

/* Behind the string that starts at i. */
static size_t skip_string(const char *p, size_t n, size_t i)
{
        for (i++; i < n && p[i] != '"'; i++)
                if (p[i] == '\\')
                        i++;
        return i + 1;
}

/* Blanks the comment that starts at i, if one does; behind it, or i. */
static size_t blank_comment(char *p, size_t n, size_t i)
{
        size_t end = i + 2;

        if (i + 1 >= n || (p[i + 1] != '/' && p[i + 1] != '*'))
                return i;
        if (p[i + 1] == '/') {
                while (end < n && p[end] != '\n')
                        end++;
        } else {
                while (end + 1 < n && !(p[end] == '*' && p[end + 1] == '/'))
                        end++;
                end = end + 1 < n ? end + 2 : n;
        }
        memset(p + i, ' ', end - i);
        return end;
}

static void make_strict(char *p, size_t n)
{
        size_t comma = SIZE_MAX; /* the last thing that was no space was this comma */

        for (size_t i = 0; i < n;) {
                size_t behind = p[i] == '/' ? blank_comment(p, n, i) : i;

                if (behind != i) {
                        i = behind;
                        continue;
                }
                if (strchr(" \t\r\n", p[i]) && p[i]) {
                        i++;
                        continue;
                }
                if ((p[i] == '}' || p[i] == ']') && comma != SIZE_MAX)
                        p[comma] = ' ';
                comma = p[i] == ',' ? i : SIZE_MAX;
                i = p[i] == '"' ? skip_string(p, n, i) : i + 1;
        }
}

int qn_jsonc_parse(struct qn_cur in, struct qn_arena *a, struct qn_node **ret,
                   struct qn_err *reterr)
{
        struct qn_str copy = qn_arena_dup(a, qn_cur_rest(&in));

        if (!copy.p)
                return qn_fail(reterr, -ENOBUFS, 0, "JSON: the document needs too much memory");
        make_strict((char *)(uintptr_t)copy.p, copy.n);
        return qn_json_parse(qn_cur_str(copy), a, ret, reterr);
}
