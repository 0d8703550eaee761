'use strict'; const {a, b: [c, ...d] = [], ...e} = require("fs"); var f = async (x, {y = 1}, ...z) => { await x; }; 
for (const q of [1,2,,3]) { label: for (;;) { if (q) break label; else if (a) continue; else x => x } }
class A extends B { #p = 1; static async *gen() { yield* 1 } get [x]() { return this.#p / 2 / 3 } static { let z } constructor(){ super() } }
let re = /ab[/]c/gi, t = `a${b + `x${c}`}d`, n = 0x1F + 1_000 + 10n; a?.b?.[c]?.(d) ?? e; (a, b) => ({a}); ({a=1} = {}); x = y = z ? 1 : 2;
import("x"); new Foo(1, ...b).c; new X; delete a.b, typeof c; async function* ff() { for await (const x of y) {} } export default ff; import z, {default as qq} from 'y' with {type: 'json'};
const el = <div a="b" {...c} d={e}>text {x} <b/> <></> </div>;
