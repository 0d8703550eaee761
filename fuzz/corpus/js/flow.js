// @flow
import typeof A from 'a'; import { type B, typeof C } from 'd'; opaque type E: F = G; export type H = {| +i: ?J, -k: {||}, [l: M]: N, ... |};
declare export default class O {} declare module.exports: { p: Q }; declare opaque type R: S;
function t(u: mixed): boolean %checks { return (u: any) } const v = (w): string => x, y = (z: A) => ((b: C): D);
enum E of string { F = 'g', ... } component H(i: J, 'k-l' as m: N, ...o: P) renders Q { r } hook useS(t: U): V {}
class W<+X> extends Y<Z> { +a: B; static -c: D = 1; } a ? (b: C) : d => e; f<G>(h); new I<J>(k);
