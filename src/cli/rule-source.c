#include "cli/rule-source.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/log.h"
#include "rule/rule.h"

#define PATH_BYTES 4096

/* --- reading --- */

static int add_file(struct qn_rule_sources *s, const char *path)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_YAML_MAX);
        int r = qn_io_read(path, &b);

        if (r < 0)
                return log_err(r, "%s: %s", path, strerror(-r));
        if (s->n == s->cap) {
                size_t cap = s->cap ? s->cap * 2 : 16;

                s->paths = qn_arena_grow(s->arena, s->paths, s->cap, cap, sizeof *s->paths);
                s->texts = qn_arena_grow(s->arena, s->texts, s->cap, cap, sizeof *s->texts);
                s->cap = cap;
        }
        if (!s->paths || !s->texts)
                return log_err(-ENOMEM, "out of memory");
        s->paths[s->n] = qn_arena_dup(s->arena, qn_str_c(path));
        s->texts[s->n] = qn_arena_dup(s->arena, qn_buf_view(&b));
        if (!s->paths[s->n].p || (b.n && !s->texts[s->n].p))
                return log_err(-ENOMEM, "out of memory");
        s->n++;
        return 0;
}

static int is_yaml(const struct dirent *d)
{
        return d->d_name[0] != '.' && qn_str_ends(qn_str_c(d->d_name), ".yaml");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
        return strcmp((*a)->d_name, (*b)->d_name);
}

int qn_rule_sources_read(struct qn_rule_sources *s, struct qn_arena *a, const char *dir)
{
        struct dirent **list = NULL;
        char path[PATH_BYTES];
        int n = scandir(dir, &list, is_yaml, by_name), r = 0;

        *s = (struct qn_rule_sources){ .arena = a };
        if (n < 0)
                return log_err(-errno, "%s: %s", dir, strerror(errno));
        for (int i = 0; i < n; i++) {
                if (r == 0 &&
                    snprintf(path, sizeof path, "%s/%s", dir, list[i]->d_name) < (int)sizeof path)
                        r = add_file(s, path);
                free(list[i]);
        }
        free(list);
        return r;
}

/* --- blocks of lines --- */

static size_t indent_of(struct qn_str line)
{
        size_t n = 0;

        while (n < line.n && line.p[n] == ' ')
                n++;
        return n;
}

static bool is_blank(struct qn_str line)
{
        return qn_str_trim(line).n == 0;
}

static bool is_comment(struct qn_str line)
{
        return qn_str_starts(qn_str_trim(line), "#");
}

/* A line and what stands deeper below it, without what follows the last line of its own. */
static struct qn_str take_block(struct qn_str text)
{
        struct qn_str rest = text, line = qn_str_cut(&rest, '\n');
        size_t own = indent_of(line), end = line.n;

        while (rest.n) {
                line = qn_str_cut(&rest, '\n');
                if (!is_blank(line) && indent_of(line) <= own)
                        break;
                if (!is_blank(line) && !is_comment(line))
                        end = (size_t)(line.p + line.n - text.p);
        }
        return qn_str_take(text, end);
}

static bool has_key(struct qn_str line, size_t indent, struct qn_str key)
{
        struct qn_str s = qn_str_skip(line, indent);

        return indent_of(line) == indent && s.n > key.n && memcmp(s.p, key.p, key.n) == 0 &&
               s.p[key.n] == ':';
}

/* The block of a key that stands at that indentation, from its first character on. */
static struct qn_str find_block(struct qn_str text, size_t indent, struct qn_str key)
{
        struct qn_str rest = text;

        while (rest.n) {
                struct qn_str from = rest, line = qn_str_cut(&rest, '\n');

                if (has_key(line, indent, key))
                        return take_block(from);
        }
        return (struct qn_str){ NULL, 0 };
}

struct qn_str qn_rule_sources_when(const struct qn_rule_sources *s, const struct qn_rule *rule)
{
        for (size_t i = 0; i < s->n; i++) {
                struct qn_str rest = s->texts[i];

                if (!qn_str_eq(s->paths[i], rule->file))
                        continue;
                for (unsigned line = 1; line < rule->line && rest.n; line++)
                        qn_str_cut(&rest, '\n');
                if (rest.n)
                        return find_block(take_block(rest), indent_of(rest) + 2, QN_STR("when"));
        }
        return (struct qn_str){ NULL, 0 };
}

struct qn_str qn_rule_sources_named(const struct qn_rule_sources *s, const char *section,
                                    struct qn_str name)
{
        for (size_t i = 0; i < s->n; i++) {
                struct qn_str part = find_block(s->texts[i], 0, qn_str_c(section)),
                              found = find_block(part, 2, name);

                if (found.n)
                        return found;
        }
        return (struct qn_str){ NULL, 0 };
}
