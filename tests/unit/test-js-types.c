/* TypeScript and Flow: what is read is what the JavaScript left after the types are gone would be. */
#include <errno.h>

#include "base/arena.h"
#include "base/limits.h"
#include "parse/js-tok.h"
#include "parse/js.h"
#include "test.h"

enum {
        TS = QN_JS_OPT_TS,
        TSX = QN_JS_OPT_TS | QN_JS_OPT_JSX,
        FLOW = QN_JS_OPT_FLOW | QN_JS_OPT_JSX
};

static struct qn_js *js;
static const struct qn_js_ast *ast;

static unsigned parse(struct qn_str source, unsigned opts)
{
        struct qn_err err = { 0 };

        if (!js)
                js = qn_js_new();
        assert_non_null(js);
        ASSERT_EQ(qn_js_parse(js, source, QN_JS_AUTO, opts, &ast, &err), 0);
        return ast->errors;
}

/* The tree as "TYPE(child child)", with names and operators. */
static void print(struct qn_arena *a, uint32_t i, char *buf, size_t size)
{
        const struct qn_js_node *n = &ast->nodes[i];
        size_t k = strlen(buf);

        snprintf(buf + k, size - k, "%s.%x:%.*s:%u", qn_js_type_name(n->type),
                 n->flags & ~(unsigned)QN_JS_F_PAREN, QN_STR_ARG(qn_js_string(ast, i, a)), n->op);
        if (n->type == QN_JS_IDENT || !n->first)
                return;
        k = strlen(buf);
        snprintf(buf + k, size - k, "(");
        for (uint32_t c = n->first; c; c = ast->nodes[c].next) {
                print(a, c, buf, size);
                k = strlen(buf);
                snprintf(buf + k, size - k, "%s", ast->nodes[c].next ? " " : ")");
        }
}

static void assert_same(const char *typed, unsigned opts, const char *plain)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(1 << 20);
        static char got[16384], want[16384];

        got[0] = want[0] = '\0';
        if (parse(qn_str_c(typed), opts))
                fail_msg("%s: byte %zu: %s", typed, ast->first_error.off, ast->first_error.msg);
        print(&a, ast->root, got, sizeof got);
        if (parse(qn_str_c(plain), 0))
                fail_msg("%s: byte %zu: %s", plain, ast->first_error.off, ast->first_error.msg);
        print(&a, ast->root, want, sizeof want);
        if (strcmp(got, want) != 0)
                fail_msg("%s\n%s\n%s", typed, got, want);
}

struct pair {
        const char *typed, *plain;
};

#define ASSERT_PAIRS(list, opts)                                               \
        do {                                                                   \
                for (size_t i_ = 0; i_ < QN_ARRAY_SIZE(list); i_++)            \
                        assert_same((list)[i_].typed, opts, (list)[i_].plain); \
        } while (0)

TEST(broken_types_cost_their_statement)
{
        static const char *const bad[] = {
                "let a: = 1; f()",    "let a: ( ; f()",     "type A = ; f()",
                "interface { f()",    "enum E { A = } f()", "function g(a: ) {} f()",
                "let a: {b: [}; f()",
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(bad); i++) {
                ASSERT_TRUE(parse(qn_str_c(bad[i]), TS) > 0);
                ASSERT_TRUE(parse(qn_str_c(bad[i]), FLOW) > 0);
        }
        parse(QN_STR("let a: = 1;\nf()"), TS);
        ASSERT_EQ(ast->errors, 1u);
        ASSERT_EQ(ast->nodes[qn_js_child(ast, qn_js_child(ast, ast->root, 1), 0)].type, QN_JS_CALL);
}

TEST(plain_javascript_has_no_types)
{
        static const char *const bad[] = {
                "let a: B", "interface A {}",        "a as B", "enum E {}", "type A = B",
                "f(a!)",    "import type A from 'a'"
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(bad); i++)
                ASSERT_TRUE(parse(qn_str_c(bad[i]), 0) > 0);
}

/* A word of the grammar that js-atoms.def lists as well would never be recognised. */
TEST(fixed_names_are_listed_once)
{
        parse(QN_STR(""), 0);
        ASSERT_TRUE(ast->n_atoms >= QN_JS_ATOM_FIXED_MAX);
        for (unsigned i = 1; i < QN_JS_ATOM_FIXED_MAX; i++)
                for (unsigned k = i + 1; k < QN_JS_ATOM_FIXED_MAX; k++)
                        if (qn_str_eq(ast->atoms[i], ast->atoms[k]))
                                fail_msg("%.*s", QN_STR_ARG(ast->atoms[i]));
}

/* Past the cap `<` is an operator, and that is an error of its own. */
TEST(trying_is_capped)
{
        size_t n = 200000;
        char *text = malloc(n * 2);

        assert_non_null(text);
        for (size_t i = 0; i < n; i++)
                memcpy(text + 2 * i, "a<", 2);
        text[2 * n - 1] = ';';
        ASSERT_TRUE(parse((struct qn_str){ text, 2 * n }, TS) > 0);
        assert_non_null(strstr(ast->first_error.msg, "ambiguous"));
        free(text);
}

TEST(annotations)
{
        static const struct pair both[] = {
                { "let a: B = 1, c: D[] = [], e: (F)", "let a = 1, c = [], e" },
                { "let a: { b: c; d?: e, [f: string]: g } = {}", "let a = {}" },
                { "var f: (a: B, ...c: D[]) => E<F<G>> = g", "var f = g" },
                { "const a: Array<Array<B>>= c", "const a = c" },
                { "let a: B | C & D, b: | A | B", "let a, b" },
                { "let a: `b${C}d` | -1 | 'e' | typeof f.g", "let a" },
                { "function f<T>(a: T, b?: U, c: V = 1, ...d: W[]): X<T> { return a }",
                  "function f(a, b, c = 1, ...d) { return a }" },
                { "async function* f(): AsyncIterable<T> {}", "async function* f() {}" },
                { "f = function <T>(this: A, a: T): void {}", "f = function (a) {}" },
                { "try {} catch (e: unknown) {}", "try {} catch (e) {}" },
                { "for (const a: B of c) {}", "for (const a of c) {}" },
                { "const { a, b: [c] }: D = e", "const { a, b: [c] } = e" },
                { "o = { f<T>(a: T): B {}, async *g(): C {}, get h(): D {}, get<T>() {} }",
                  "o = { f(a) {}, async *g() {}, get h() {}, get() {} }" },
        };

        ASSERT_PAIRS(both, TS);
        ASSERT_PAIRS(both, TSX);
        ASSERT_PAIRS(both, FLOW);
}

TEST(arrow_functions)
{
        static const struct pair both[] = {
                { "f = (a: B): C => a", "f = (a) => a" },
                { "f = (a?: B, c = 1, { d }: E, ...g: H[]) => a",
                  "f = (a, c = 1, { d }, ...g) => a" },
                { "f = (a, b): c => d", "f = (a, b) => d" },
                { "f = (): void => {}", "f = () => {}" },
                { "f = (a: B = 1) => a", "f = (a = 1) => a" },
                { "f = async (a: B): Promise<C> => a", "f = async (a) => a" },
                { "f = async <T>(a: T) => a", "f = async (a) => a" },
                { "a ? (b) : c => d", "a ? (b) : c => d" },
                { "a ? (b: C): D => e : f", "a ? (b) => e : f" },
                { "a ? (b, c) : d", "a ? (b, c) : d" },
                { "switch (a) { case (b): c => d }", "switch (a) { case (b): c => d }" },
                { "f = (a: B): ((c: D) => E) => g", "f = (a) => g" },
                { "f = (a: B): ((...c: D[]) => E) => { g }", "f = (a) => { g }" },
                { "f = (a: B): (c: D) => E => g", "f = (a) => g" },
                { "f = (a): a is B => c", "f = (a) => c" },
                { "f(<T>(a: T) => a)", "f((a) => a)" },
                { "f(<T extends A>(a: T): T => a)", "f((a) => a)" },
        };

        ASSERT_PAIRS(both, TS);
        ASSERT_PAIRS(both, TSX);
        ASSERT_PAIRS(both, FLOW);
}

TEST(casts_and_type_arguments)
{
        static const struct pair ts[] = {
                { "a as B", "a" },
                { "(a as B).c = d as E", "(a).c = d" },
                { "a as const satisfies B", "a" },
                { "a + b as C * d", "(a + b) * d" },
                { "a || b as C && d", "a || b && d" },
                { "a as number < b", "a < b" },
                { "a as B ? c : d", "a ? c : d" },
                { "a as B extends C ? D : E", "a" },
                { "for (const a of b as C[]) d", "for (const a of b) d" },
                { "a!.b![0]!()", "a.b[0]()" },
                { "a! = b! + c!", "a = b + c" },
                { "a\n!b", "a\n!b" },
                { "f<A>(b)", "f(b)" },
                { "f<A, B<C>>(d)", "f(d)" },
                { "f<<T>(a: T) => U>(b)", "f(b)" },
                { "new A<B>(c), new D<E>, new F<G>()", "new A(c), new D, new F()" },
                { "a?.b<C>(d), a?.<E>(f)", "a?.b(d), a?.(f)" },
                { "t<A>`b`", "t`b`" },
                { "a < b || c > d", "a < b || c > d" },
                { "f(a < b, c > d)", "f(a < b, c > d)" },
                { "for (i = 0; i < n; i++) a(i > 1)", "for (i = 0; i < n; i++) a(i > 1)" },
                { "if (a < b && c >= d) e", "if (a < b && c >= d) e" },
                { "a < b >= c", "a < b >= c" },
                { "const g = f<A>;", "const g = f;" },
                { "as as as", "as" },
                { "type\n= 1", "type = 1" },
                { "declare\nvar a", "declare\nvar a" },
        };
        static const struct pair no_jsx[] = { { "<A>b", "b" },
                                              { "<A<B>>(c)", "c" },
                                              { "a = <const>[b]", "a = [b]" } };

        ASSERT_PAIRS(ts, TS);
        ASSERT_PAIRS(ts, TSX);
        ASSERT_PAIRS(no_jsx, TS);
}

TEST(classes)
{
        static const struct pair ts[] = {
                { "class A<T> extends B<T> implements C, D<E> { }", "class A extends B { }" },
                { "abstract class A { abstract a: B; abstract f(): C; g(): D {} }",
                  "class A { g() {} }" },
                { "class A { private readonly a: B = 1; static c?: D; e!: F; declare g: H }",
                  "class A { a = 1; static c; e }" },
                { "class A { [k: string]: B; [c]: D }", "class A { [c] }" },
                { "class A { f(a: B): C; f(a: D): E; f(a) {} }", "class A { f(a) {} }" },
                { "class A { public async *f<T>(): B {} protected get c(): D {} }",
                  "class A { async *f() {} get c() {} }" },
                { "class A { readonly; private() {} declare = 1; override }",
                  "class A { readonly; private() {} declare = 1; override }" },
                { "class A { private static override f?(): void; static { a } }",
                  "class A { static { a } }" },
                { "class A { constructor(private a, b: B, readonly c: C = 1) { d } }",
                  "class A { constructor(a, b, c = 1) { this.a = a; this.c = c; d } }" },
                { "class A { f(@b() c, @d e) {} }", "class A { @b() @d f(c, e) {} }" },
                { "@a abstract class B {}", "@a class B {}" },
                { "class implements A {}", "class implements { }" },
        };

        assert_same("a = class implements B {}", TS, "a = class {}");
        for (size_t i = 0; i + 1 < QN_ARRAY_SIZE(ts); i++) {
                assert_same(ts[i].typed, TS, ts[i].plain);
                assert_same(ts[i].typed, TSX, ts[i].plain);
        }
}

TEST(declarations)
{
        static const struct pair ts[] = {
                { "interface A<T> extends B, C<D> { e(): f; new (): g }\nh", ";h" },
                { "type A<T> = T extends (infer U)[] ? U : never\nb", ";b" },
                { "type A = { [K in B as C]?: D }; e", ";e" },
                { "declare function f(a: B): C; declare const a: B, c: D; declare let e", ";;;" },
                { "declare module 'a' { export = b }\ndeclare global { var a: B }", ";;" },
                { "declare namespace A.B { const c }\ndeclare class C { d }\ndeclare enum E { F }",
                  ";;;" },
                { "declare abstract class A { b(): C }\ndeclare const enum D { E }", ";;" },
                { "function f(a: B): C\nfunction f(a: D): E;\nfunction f(a) {}",
                  ";;function f(a) {}" },
                { "enum A { B, C = 1, 'd' = f(), E = 1 << 2, }",
                  "var A = { C: 1, 'd': f(), E: 1 << 2 }" },
                { "const enum A { B = 'c' }", "var A = { B: 'c' }" },
                { "namespace A.B { const c = d; export function e() {} }",
                  "{ const c = d; function e() {} }" },
                { "module A { b() }", "{ b() }" },
                { "import a = require('a')", "const a = require('a')" },
                { "import a = b.c", "const a = b.c" },
                { "export = a", "module.exports = a" },
                { "let type, module, declare, namespace; type = module; namespace\n(a)",
                  "let type, module, declare, namespace; type = module; namespace\n(a)" },
        };

        ASSERT_PAIRS(ts, TS);
        ASSERT_PAIRS(ts, TSX);
        parse(QN_STR("function f(): A; function f() {} f()"), TS);
        ASSERT_EQ(ast->n_bindings, 2u); /* none but number 0 and f, which is written once */
        ASSERT_EQ(ast->bindings[1].writes, 0u);
        ASSERT_EQ(ast->bindings[1].reads, 1u);
        parse(QN_STR("export = a"), TS);
        ASSERT_TRUE(!ast->module);
}

TEST(modules)
{
        static const struct pair both[] = {
                { "import type A from 'a'; import type { B } from 'b'; import type * as C from 'c'",
                  ";;;" },
                { "import a, { type B, c, type D as E } from 'f'", "import a, { c } from 'f'" },
                { "import type from 'a'; type", "import type from 'a'; type" },
                { "import { type as a } from 'b'", "import { type as a } from 'b'" },
                { "export type { A } from 'b'; export type B = C; export interface D {}", ";;;" },
                { "export { type A, b }", "export { b }" },
                { "export type * from 'a'", ";" },
                { "export enum A { B = 1 }", "export var A = { B: 1 }" },
                { "export declare const a: B", ";" },
                { "export default interface A {}", ";" },
        };
        static const struct pair ts[] = {
                { "export function f(): A; export function f() {}", ";export function f() {}" },
                { "export default abstract class A {}", "export default class A {}" },
                { "export abstract class A {}", "export class A {}" },
                { "export import a = b.c", "export const a = b.c" },
                { "export as namespace A", ";" },
                { "import type a = require('a')", ";" },
                { "export namespace A { export const b = 1 }", "{ const b = 1 }" },
        };

        ASSERT_PAIRS(both, TS);
        ASSERT_PAIRS(both, FLOW);
        ASSERT_PAIRS(ts, TS);
}

TEST(only_in_flow)
{
        static const struct pair flow[] = {
                { "(a: B)", "(a)" },
                { "f((a: any), ((b: C): D))", "f((a), ((b)))" },
                { "a ? (b: C) : d", "a ? (b) : d" },
                { "let a: ?B = c, d: {| e: F, +g?: H, ... |}, i: {||}", "let a = c, d, i" },
                { "let a: string => void, b: (string, ?C) => D, c: *, d: A[?'b']",
                  "let a, b, c, d" },
                { "f = (a): string => b", "f = (a) => b" },
                { "function f(a: mixed): boolean %checks { return a }",
                  "function f(a) { return a }" },
                { "opaque type A: B = C; export opaque type D = E", ";;" },
                { "import typeof A from 'a'; import { typeof B, type C } from 'd'",
                  "; import {} from 'd'" },
                { "class A<+T> extends B<T> { +a: T; static -b: C = 1; #d: E = 2 }",
                  "class A extends B { a; static b = 1; #d = 2 }" },
                { "declare export default class A {}\ndeclare export function f(): B;"
                  "declare export * from 'a'; declare module.exports: { a: B };"
                  "declare opaque type C; declare var d: E",
                  ";;;;;;" },
                { "declare type A = B; declare interface C { d: E }", ";;" },
                { "enum A of string { B = 'c', ... }", "var A = { B: 'c' }" },
                { "component A(b: C, 'd-e' as f: G = 1, ...h: I) renders J { k }",
                  "function A(b, f = 1, ...h) { k }" },
                { "hook useA(b: C): D { e }", "function useA(b) { e }" },
                { "a < b; c > (d)", "a < b; c > (d)" },
                { "f<A>(b), new C<D>(e)", "f(b), new C(e)" },
                { "a = <B c={d as E} />", "a = <B c={d} />" },
        };

        ASSERT_PAIRS(flow, FLOW);
}

/* Files of JavaScript: by their pragma, or because they are no plain JavaScript. */
TEST(flow_is_recognised)
{
        assert_same("/* @flow */ f<A>(b)", QN_JS_OPT_JSX, "f(b)");
        assert_same("/* plain */ f < A > (b)", QN_JS_OPT_JSX, "f < A > (b)");
        assert_same("let a: B = 1", QN_JS_OPT_JSX, "let a = 1");
        ASSERT_TRUE(parse(QN_STR("let a: B = 1; let a b"), QN_JS_OPT_JSX) > 0);
}

TEST(jsx_with_types)
{
        static const char *const both[] = {
                "a = <b>(c) text: it's {d}</b>",
                "a = <b.c d='e'>{(f) => g}</b.c>",
                "a = <></>",
                "a = b < c, d = <e />",
                "a = (<b>(c)</b>)",
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(both); i++) {
                assert_same(both[i], TSX, both[i]);
                assert_same(both[i], FLOW, both[i]);
        }
        assert_same("a = <B<C> d={e} />", TSX, "a = <B d={e} />");
        js = qn_js_free(js);
}
