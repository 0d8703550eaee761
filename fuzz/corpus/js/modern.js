a ? (b, c) => { return `${d}` } : async ({e = 1}, [f]) => await f;
class A { static #b = 1; static { x } get c() {} }