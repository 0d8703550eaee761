interface A<T extends B = C> extends D, E<F> { a?: g; (h: I): J; new <K>(l: M): N; [o: string]: P; readonly [Q in R as S]-?: T }
type U<V> = V extends (infer W extends X)[] ? { y: Z } : `a${B}c` | -1 & keyof typeof d.e | (new (...f: G[]) => H) | asserts i is J;
declare module 'k' { export = l } declare global { var m: N } declare function o(p: Q): R; declare const s: T, u: V;
abstract class W<X> extends Y<Z> implements A, B<C> { constructor(private a: B, public readonly c = d, @e() f?: G) { super() }
 abstract h(): I; declare j: K; static override readonly l!: M; n?(): O; p<Q>(r: S): T; p(u) {} [v: string]: W; accessor x: Y = 1 }
enum Z { A = 1, B = 'c' } const enum D { E } namespace F.G { export const h = 1; export function i() {} }
import j = require('k'); import type L from 'm'; import { type N, o as p } from 'q'; export = r; export type { S } from 't'; export as namespace U;
let v = <W>x, y = z as A satisfies B, c = d!.e![0]!, f = g<H<I>>(j), k = new L<M>, n = async <O>(p: O): Promise<Q> => r;
a ? (b) : c => d; a ? (b: C): D => e : f; f(a < b, c > d); a < b >= c; x as number < y;
         