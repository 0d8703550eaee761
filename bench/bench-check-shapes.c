/* bench-check-shapes - time per KB of the whole static check over one generated program of growing size, in one package:
 * bundles as real ones are, and shapes that were made to cost much.  For each shape one line with microseconds per KB from
 * 10 KB to 20 MB, processor time; * behind it: something is unknown then.  Exit status 1: a size took more than GROWTH times
 * as long per KB as the worst of the smaller ones, or one package more than SECONDS_MAX.
 *   bench-check-shapes DATA [SHAPE [SECONDS_MAX]] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/buf.h"
#include "event/event.h"
#include "measure.h"
#include "observe/scan.h"

#define GROWTH      3.0
#define SECONDS_MAX 5.0
#define SMALLEST    160u /* KB: below, what every package costs counts too much */

/* head, as many units as fit, tail.  A # in a unit is its number; depth: units at most, then all is repeated. */
struct shape {
        const char *name, *head, *unit, *tail;
        unsigned depth;
        const char *closing; /* once for each unit */
};

static const struct shape shapes[] = {
        { "bundle of modules", "var m={};",
          "m[#]=function(e,t,n){'use strict';var r=n(#),i=require('path'),o=function(e,t){for(var "
          "n=0,a=[];n<e.length;n++)a.push(t(e[n],n));return a};t.default=function(e){return "
          "o(e,function(e){return e?i.join(e,'x'+r.a):null}).filter(Boolean)};t.b={c:1,d:'two',e:["
          "3,4]};if(r.f&&typeof r.f==='function'){try{r.f(t,o)}catch(e){console.error('f',e)}}};\n",
          "for(var k in m)m[k]({},{},function(x){return m[x]});", 0, "" },
        { "modules with sinks", "const {exec}=require('child_process'),https=require('https');",
          "function f#(a,b){const u='https://h'+a+'.invalid/'+b;https.get(u,r=>r.on('data',d=>g#("
          "d)))}function g#(d){if(d.length>#)exec('echo '+d);return "
          "d+process.env.HOME}f#(#,'x');\n",
          "", 0, "" },
        { "classes", "",
          "class C#{constructor(a){this.a=a;this.b=[a]}get c(){return this.a}d(x){return "
          "this.b.map(y=>y+x)}static e(){return new C#(#)}}C#.e().d('z');\n",
          "", 0, "" },
        { "functions", "", "function f#(){}", "", 0, "" },
        { "functions that call the next", "", "function f#(a){return f#1(a)+#}", "f1(1)", 0, "" },
        { "one line of statements", "", "a.b(c[1])+'d';", "", 0, "" },
        { "one sum of texts", "eval(''", "+'a'", ")", 0, "" },
        { "sums of a name", "a='x';", "a=a+a+a+a;", "eval(a)", 0, "" },
        { "appending", "let s='';", "s+='abc';", "eval(s)", 0, "" },
        { "doubling in loops", "let s='ab';", "for(let i=0;i<99;i++)s+=s;", "eval(s)", 0, "" },
        { "nested loops", "let n=0;",
          "for(let a=0;a<1e3;a++)for(let b=0;b<1e3;b++)for(let c=0;c<1e3;c++)n+=a*b*c;", "eval(n)",
          0, "" },
        { "loops in loops", "", "for(let a=0;a<9;a++){", "b();", 200, "}" },
        { "functions that call each other", "",
          "function a#(n){return n?b#(n-1)+b#(n-1):1}function b#(n){return n?a#(n-1)+a#(n-1):"
          "2}a#(40);",
          "", 0, "" },
        { "array", "a=[", "1,'two',{b:3},", "];eval(a.join())", 0, "" },
        { "object", "a={", "k#:'v',", "};for(k in a)b(a[k])", 0, "" },
        { "assigned properties", "a={};", "a.k#=#;", "b(a)", 0, "" },
        { "else if", "if(x)y();", "else if(a===#)b(#);", "", 0, "" },
        { "cases", "switch(a){", "case #:b(#);break;", "}", 0, "" },
        { "conditions", "a=", "b===#?c:", "d;", 0, "" },
        { "branches that join", "let v='';", "if(x)v='a#';else v+='b#';", "eval(v)", 0, "" },
        { "calls of alternatives", "let f=()=>0;", "if(x)f=()=>f(#);f(#);", "", 0, "" },
        { "parentheses", "", "(", "a", 400, ")" },
        { "arrays in arrays", "x=", "[", "1", 400, "]" },
        { "functions in functions", "", "(function(a){", "a()", 150, "})(b);" },
        { "calls in calls", "x=", "f(", "1", 400, ")" },
        { "regular expressions or not", "", "a=b/c/d;/e[/]f/g.test('i/j');", "", 0, "" },
        { "slow regular expressions", "const t='a'.repeat(3e4);", "/(?:a|b|a)*c/.test(t+#);", "", 0,
          "" },
        { "matches in a long text", "const t='ab'.repeat(3e5);", "t.replace(/a/g,'#');", "", 0,
          "" },
        { "searches in a long text", "const t='ab'.repeat(4e5);", "t.indexOf('x#');", "", 0, "" },
        { "last index", "const t='a'.repeat(9e5);", "t.lastIndexOf(t+#);", "", 0, "" },
        { "comparisons of long texts", "const t='a'.repeat(9e5),u=t+'b';", "t+'#'===u;", "", 0,
          "" },
        { "table that is turned", "const t=[", "'0x#abc',",
          "];(function(a,n){while(--n)a.push(a.shift())})(t,0x4e20);eval(t[3])", 0, "" },
        { "insertions at the front", "const t=[];", "t.unshift(#);t.splice(0,1,#,2);", "", 0, "" },
        { "eval in eval", "", "eval('eval(\"eval(#)\")');", "", 0, "" },
        { "eval sees names", "", "var v#=#;", "for(let i=0;i<150;i++)eval('w'+i+'=v1+v2+q'+i)", 0,
          "" },
        { "eval of long texts", "const t='", "x();", "';for(let i=0;i<300;i++)eval(t+i)", 0, "" },
        { "decoding", "const t='", "YWJj", "';eval(Buffer.from(t,'base64').toString())", 0, "" },
        { "decoding again and again", "const t='", "YWJj",
          "';for(let i=0;i<1e4;i++)eval(atob(t.slice(i%4)))", 0, "" },
        { "commands", "const {exec}=require('child_process');let c='a';",
          "exec(c+=' && echo # | sh');", "", 0, "" },
        { "taints that mix", "let a=process.env.NPM_TOKEN,b=require('os').hostname();",
          "function m#(x,y){return x+y}b=m#(a,b);", "fetch(b)", 0, "" },
        { "hidden names in endless loops",
          "const _0x1a2b=['\\x61'],_0x2c3d=['\\x62'],_0x3e4f=['\\x63'];let _0x4a5b='',_0x5c6d=0;",
          "function _0x6e7f#(_0x7a8b){for(let _0x8c9d=0;_0x8c9d<1e9;_0x8c9d++){_0x5c6d=_0x5c6d*3+"
          "_0x8c9d;_0x4a5b+=_0x1a2b[0];_0x7a8b.push(_0x7a8b.shift())}}_0x6e7f#(_0x1a2b);",
          "eval(_0x4a5b)", 0, "" },
        { "hidden names in nested loops",
          "const _0x1a2b=['\\x61'],_0x2c3d=['\\x62'],_0x3e4f=['\\x63'];let _0x4a5b=0,_0x5c6d=0;",
          "for(let _0x8c9d=0;_0x8c9d<5e4;_0x8c9d++)for(let _0x9dae=0;_0x9dae<5e4;_0x9dae++)for(;;)"
          "_0x4a5b=(_0x4a5b*3+_0x8c9d^_0x9dae)&#;",
          "eval(_0x4a5b)", 0, "" },
        { "hidden names, a slow search",
          "const "
          "_0x1a2b=['\\x61'],_0x2c3d='\\x61'.repeat(4e5),_0x3e4f=['\\x63'],_0x4a5b=1,_0x5c6d=2;",
          "for(let _0x8c9d=0;_0x8c9d<1e9;_0x8c9d++){_0x2c3d.replace(/(?:a|b|a)*c/g,'#');/(x+x+)+y/."
          "test(_0x2c3d)}",
          "eval(_0x2c3d)", 0, "" },
        { "promises", "let p=fetch(a);", "p=p.then(x=>x+#);", "", 0, "" },
        { "spread", "let o={},l=[];", "o={...o,k#:#};l=[...l,#];", "", 0, "" },
        { "destructuring", "", "const {a#,b#:[c#=#,...d#],...e#}=x;", "", 0, "" },
        { "templates", "a=`", "x${b}", "`", 0, "" },
        { "JSON again and again", "const j=JSON.stringify(Array(5e3).fill({a:1}));",
          "JSON.parse(j)[#];", "", 0, "" },
};

static const unsigned sizes[] = { 10, 40, 160, 640, 2560, 10240, 20480 }; /* KB */

static void generate(const struct shape *s, size_t size, struct qn_buf *b)
{
        size_t tail = strlen(s->tail) + 16, i = 0, n;

        do {
                bench_put(b, s->head, 0);
                for (n = 0;
                     (!s->depth || n < s->depth) && b->n + tail + n * strlen(s->closing) < size;
                     n++)
                        bench_put(b, s->unit, ++i);
                bench_put(b, s->tail, 0);
                while (n--)
                        bench_put(b, s->closing, 0);
                bench_put(b, s->depth ? ";\n" : "", 0);
        } while (s->depth && b->n + tail < size);
}

static void add(struct qn_scan *scan, const char *path, struct qn_str text)
{
        struct qn_scan_file f = { .path = qn_str_c(path),
                                  .mode = 0644,
                                  .size = text.n,
                                  .stays = true,
                                  .data = qn_cur_mem(text.p, text.n) };

        if (qn_scan_file(scan, &f) < 0)
                abort();
}

/* Seconds; *ret_unknown: something could not be analysed. */
static double measure(struct qn_scan *scan, struct qn_str text, bool *ret_unknown)
{
        const struct qn_event_set *set;
        uint64_t start = bench_cpu_ns();
        double t;

        qn_scan_begin(scan);
        add(scan, "package.json",
            QN_STR("{\"name\":\"a\",\"version\":\"1.0.0\",\"scripts\":{\"install\":\"node "
                   "index.js\"}}"));
        add(scan, "index.js", text);
        (void)qn_scan_pending(scan);
        qn_scan_deepen(scan);
        if (qn_scan_finish(scan, (struct qn_str){ NULL, 0 }, &set) < 0)
                abort();
        t = (double)(bench_cpu_ns() - start) / 1e9;
        *ret_unknown = false;
        for (size_t i = 0; i < set->n; i++)
                *ret_unknown |= set->events[i].kind == QN_EVENT_UNANALYSED;
        return t;
}

static bool run(struct qn_scan *scan, const struct shape *s, double seconds_max)
{
        double worst = 0;
        const char *bad = "";

        printf("%-32s", s->name);
        for (size_t k = 0; k < QN_ARRAY_SIZE(sizes); k++) {
                _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)64 << 20);
                bool unknown;
                double t, per_kb;

                generate(s, (size_t)sizes[k] << 10, &b);
                t = measure(scan, qn_buf_view(&b), &unknown);
                per_kb = t * 1e6 / sizes[k];
                printf(" %6.0f%c", per_kb, unknown ? '*' : ' ');
                fflush(stdout);
                if (t > seconds_max)
                        bad = "  TOO LONG";
                else if (sizes[k] > SMALLEST && per_kb > worst * GROWTH)
                        bad = "  GROWS";
                worst = per_kb > worst ? per_kb : worst;
        }
        printf("%s\n", bad);
        return !*bad;
}

int main(int argc, char **argv)
{
        _cleanup_(qn_observers_freep) struct qn_observers *o = NULL;
        _cleanup_(qn_scan_freep) struct qn_scan *scan = NULL;
        double seconds_max = argc > 3 ? strtod(argv[3], NULL) : SECONDS_MAX;
        struct qn_err err = { 0 };
        struct rusage ru;
        bool ok = true;

        if (argc < 2 || qn_observers_load(argv[1], &o, &err) < 0 || qn_scan_new(o, &scan) < 0) {
                fprintf(stderr, "usage: bench-check-shapes DATA [SHAPE [SECONDS_MAX]]: %s\n",
                        err.msg);
                return 2;
        }
        printf("%-32s %s\n", "us per KB; *: unknown",
               "10 KB, 40 KB, 160 KB, 640 KB, 2.5 MB, 10 MB, 20 MB");
        for (size_t i = 0; i < QN_ARRAY_SIZE(shapes); i++)
                if (argc < 3 || strstr(shapes[i].name, argv[2]))
                        ok &= run(scan, &shapes[i], seconds_max);
        getrusage(RUSAGE_SELF, &ru);
        printf("peak memory %ld MB\n", ru.ru_maxrss / 1024);
        return ok ? 0 : 1;
}
