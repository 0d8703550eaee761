// pnpm 6 reads headers through a proxy of URLSearchParams and hands the proxy itself on; since version 20 Node refuses that.
const Plain = Proxy;
globalThis.Proxy = function (target, handler) {
    if (!(target instanceof URLSearchParams) || !handler.get)
        return new Plain(target, handler);
    return new Plain(target, { ...handler, get: (t, key) => handler.get(t, key, t) });
};
