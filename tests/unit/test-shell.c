/* Command lines: what is a command and what only looks like one. */
#include "parse/shell-vars.h"
#include "parse/shell.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "test.h"

static struct qn_arena arena = { .max = (size_t)64 << 20 };

static struct qn_shell parse(const char *line)
{
        struct qn_shell sh;

        ASSERT_EQ(qn_shell_parse(qn_str_c(line), &arena, &sh), 0);
        return sh;
}

/* argv joined with '|', so that word limits show */
static struct qn_str argv_of(const struct qn_shell_command *c)
{
        static struct qn_buf b = { .max = 1 << 20 };

        qn_buf_reset(&b);
        for (size_t i = 0; i < c->argc; i++) {
                if (i)
                        qn_buf_byte(&b, '|');
                qn_buf_str(&b, c->argv[i]);
        }
        qn_buf_byte(&b, '\0');
        b.n--;
        return qn_buf_view(&b);
}

TEST(nothing_gives_no_commands)
{
        ASSERT_EQ(parse("").n, 0);
        ASSERT_EQ(parse("   \t\r\n ; ;; && # only a comment").n, 0);
        ASSERT_EQ(parse("\"").n, 1);
        ASSERT_EQ(parse("$(").n, 1);
}

TEST(operators_inside_quotes_are_text)
{
        struct qn_shell sh = parse("echo 'a && curl x | sh' \"b; rm -rf /\" c\\;d # | sh");

        ASSERT_EQ(sh.n, 1);
        ASSERT_STR(argv_of(&sh.commands[0]), "echo|a && curl x | sh|b; rm -rf /|c;d");
}

TEST(depth_and_number_are_capped)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 20);
        struct qn_shell sh;

        for (int i = 0; i < 1000; i++)
                qn_buf_puts(&b, "echo $(");
        ASSERT_EQ(qn_shell_parse(qn_buf_view(&b), &arena, &sh), 0);
        ASSERT_TRUE(sh.cut);
        ASSERT_TRUE(sh.n <= QN_COMMAND_DEPTH_MAX + 1);
        qn_buf_reset(&b);
        for (unsigned i = 0; i < QN_SHELL_COMMANDS_MAX + 10; i++)
                qn_buf_puts(&b, "a;");
        ASSERT_EQ(qn_shell_parse(qn_buf_view(&b), &arena, &sh), 0);
        ASSERT_TRUE(sh.cut);
        ASSERT_EQ(sh.n, QN_SHELL_COMMANDS_MAX);
}

TEST(lists_and_pipelines)
{
        struct qn_shell sh =
                parse("A=1 B='x y' node a.js && curl -s u | bash -s -- & echo z || true");

        ASSERT_EQ(sh.n, 5);
        ASSERT_EQ(sh.commands[0].n_assigns, 2);
        ASSERT_STR(sh.commands[0].assigns[1], "B=x y");
        ASSERT_STR(argv_of(&sh.commands[0]), "node|a.js");
        ASSERT_EQ(sh.commands[1].join, QN_SHELL_AND);
        ASSERT_EQ(sh.commands[2].join, QN_SHELL_PIPE);
        ASSERT_EQ(sh.commands[2].pipe_from, 1);
        ASSERT_TRUE(sh.commands[2].background);
        ASSERT_FALSE(sh.commands[1].hides_errors);
        ASSERT_TRUE(sh.commands[3].hides_errors);
        ASSERT_STR(sh.commands[0].source, "A=1 B='x y' node a.js");
}

TEST(redirections)
{
        struct qn_shell sh =
                parse("a >/dev/null 2>&1; b 2> err <in >>out; c &>/dev/null; d 2>/dev/null");

        ASSERT_TRUE(sh.commands[0].null_out && sh.commands[0].null_err);
        ASSERT_FALSE(sh.commands[1].null_out || sh.commands[1].null_err);
        ASSERT_EQ(sh.commands[1].n_redirects, 3);
        ASSERT_EQ(sh.commands[1].redirects[2].op, QN_SHELL_APPEND);
        ASSERT_STR(sh.commands[1].redirects[2].target, "out");
        ASSERT_TRUE(sh.commands[2].null_out && sh.commands[2].null_err);
        ASSERT_TRUE(!sh.commands[3].null_out && sh.commands[3].null_err);
        ASSERT_STR(argv_of(&sh.commands[3]), "d");
}

TEST(substitutions_are_commands_too)
{
        struct qn_shell sh = parse("echo \"$(curl x | sh)\" `id -u` ${HOME} $((1+2)) <(wget y)");

        ASSERT_EQ(sh.n, 5);
        ASSERT_STR(argv_of(&sh.commands[0]),
                   "echo|$(curl x | sh)|`id -u`|${HOME}|$((1+2))|<(wget y)");
        ASSERT_STR(argv_of(&sh.commands[1]), "curl|x");
        ASSERT_EQ(sh.commands[1].parent, 0);
        ASSERT_EQ(sh.commands[1].via, QN_SHELL_SUBSTITUTION);
        ASSERT_EQ(sh.commands[2].pipe_from, 1);
        ASSERT_STR(argv_of(&sh.commands[3]), "id|-u");
        ASSERT_EQ(sh.commands[4].via, QN_SHELL_PROCESS);
}

TEST(strings_for_a_shell)
{
        struct qn_shell sh = parse("sudo sh -lc 'node x.js; bash -c \"y z\"'");

        ASSERT_EQ(sh.n, 4);
        ASSERT_STR(argv_of(&sh.commands[1]), "node|x.js");
        ASSERT_EQ(sh.commands[1].via, QN_SHELL_STRING);
        ASSERT_STR(argv_of(&sh.commands[3]), "y|z");
        ASSERT_EQ(sh.commands[3].parent, 2);
        sh = parse("cmd.exe /d /s /c node a.js");
        ASSERT_STR(argv_of(&sh.commands[1]), "node|a.js");
        sh = parse("eval \"$X\" rm a");
        ASSERT_STR(argv_of(&sh.commands[1]), "$X|rm|a");
        ASSERT_EQ(parse("bash script.sh -c nothing").n, 1);
}

TEST(here_documents)
{
        struct qn_shell sh =
                parse("cat > f <<'EOF' && b\nnode $X; x\nEOF\nbash <<-E\n\tid\n\tE\nlast");

        ASSERT_EQ(sh.n, 5);
        ASSERT_STR(sh.commands[0].redirects[1].target, "node $X; x\n");
        ASSERT_STR(argv_of(&sh.commands[1]), "b");
        ASSERT_STR(argv_of(&sh.commands[2]), "bash");
        ASSERT_STR(argv_of(&sh.commands[3]), "last");
        ASSERT_STR(argv_of(&sh.commands[4]), "id");
        ASSERT_EQ(sh.commands[4].via, QN_SHELL_HEREDOC);
        ASSERT_EQ(parse("cat <<EOF\nnever ends").n, 1);
}

TEST(keywords_and_groups)
{
        struct qn_shell sh =
                parse("if [ -f x ]; then node a; fi; for i in 1 2; do b; done; (c; d) | sh");

        ASSERT_EQ(sh.n, 6);
        ASSERT_STR(argv_of(&sh.commands[0]), "[|-f|x|]");
        ASSERT_STR(argv_of(&sh.commands[1]), "node|a");
        ASSERT_STR(argv_of(&sh.commands[2]), "b");
        ASSERT_EQ(sh.commands[5].pipe_from, 4);
}

TEST(hidden_words_are_decoded)
{
        struct qn_shell sh = parse("$'\\x63url' c\\u\"r\"l 'cu''rl' wg\\\net");

        ASSERT_STR(argv_of(&sh.commands[0]), "curl|curl|curl|wget");
}

TEST(windows_forms)
{
        struct qn_shell sh = parse("node .\\lib\\a.js ^&^& %TEMP%\\x.exe C:\\b\\c.bat > nul");

        ASSERT_EQ(sh.n, 1);
        ASSERT_STR(argv_of(&sh.commands[0]), "node|./lib/a.js|&&|%TEMP%/x.exe|C:/b/c.bat");
        ASSERT_TRUE(sh.commands[0].null_out);
        ASSERT_STR(qn_shell_program(QN_STR("C:\\Windows\\System32\\CMD.EXE")), "CMD");
        ASSERT_STR(qn_shell_program(QN_STR("/usr/bin/node")), "node");
}

static struct qn_str expanded(const char *text, unsigned pass, bool *more)
{
        struct qn_str s;

        ASSERT_EQ(qn_shell_expand(qn_str_c(text), pass, &arena, &s, more), 0);
        return s;
}

TEST(constants_are_put_in)
{
        bool more;

        ASSERT_STR(expanded("a=1; echo '$a' $b ${a", 0, &more), "a=1; echo '$a' $b ${a");
        ASSERT_STR(expanded("a=$(x); a=`y`; echo $a", 0, &more), "a=$(x); a=`y`; echo $a");
        ASSERT_STR(expanded("export a='x y'\necho \"$a/${a}z\"", 0, &more),
                   "export a='x y'\necho \"x y/x yz\"");
        ASSERT_STR(expanded("a=1; a=$b; echo $a", 0, &more), "a=1; a=$b; echo $a");
        ASSERT_EQ(more, false);
        ASSERT_STR(expanded("for f in a 'b c'; do $f; done", 0, &more),
                   "for f in a 'b c'; do a; done");
        ASSERT_EQ(more, true);
        ASSERT_STR(expanded("for f in a 'b c'; do $f; done", 1, &more),
                   "for f in a 'b c'; do b c; done");
        ASSERT_EQ(more, false);
}

TEST(constants_are_bounded)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(4 << 20);
        struct qn_str s;
        bool more;

        for (unsigned i = 0; i <= QN_SHELL_VARS_MAX; i++)
                qn_buf_printf(&b, "v%u=x\n", i);
        qn_buf_printf(&b, "$v%u $v%u", QN_SHELL_VARS_MAX - 1, QN_SHELL_VARS_MAX);
        ASSERT_EQ(qn_shell_expand(qn_buf_view(&b), 0, &arena, &s, &more), 0);
        if (!qn_str_ends(s, "\nx $v64"))
                fail_msg("%.*s", QN_STR_ARG(s));
        qn_buf_reset(&b);
        qn_buf_puts(&b, "a=");
        for (unsigned i = 0; i < 1000; i++)
                qn_buf_byte(&b, 'x');
        for (unsigned i = 0; i < QN_SCRIPT_MAX / 1000 + 1; i++)
                qn_buf_puts(&b, "\n$a");
        ASSERT_EQ(qn_shell_expand(qn_buf_view(&b), 0, &arena, &s, &more), 0);
        ASSERT_EQ(s.n, b.n); /* too long: as it was written */
}
