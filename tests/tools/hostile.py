#!/usr/bin/env python3
"""Writes hostile and odd package archives into a directory: hostile.py DIR [--large].

Everything in them is inert.  --large adds the few that unpack to gigabytes or have a million entries; they are small
themselves.  Same output every time."""
import functools
import os
import sys
import zlib

MANIFEST = b'{"name":"odd","version":"1.0.0"}\n'


def header(name, size=0, kind=b"0", link=b"", mode=0o644, magic=b"ustar\0" b"00", raw_size=None):
    h = bytearray(512)
    h[0 : len(name)] = name
    h[100:107] = b"%07o" % mode
    h[108:115] = h[116:123] = b"0000000"
    h[124:136] = raw_size if raw_size is not None else b"%011o\0" % size
    h[136:147] = b"0" * 11
    h[148:156] = b" " * 8
    h[156:157] = kind
    h[157 : 157 + len(link)] = link
    h[257:265] = magic
    h[148:156] = b"%06o\0 " % sum(h)
    return bytes(h)


def pad(b):
    return b + bytes(-len(b) % 512)


def entry(name, content=b"", **kw):
    return header(name, len(content), **kw) + pad(content)


def pax(*records, kind=b"x"):
    body = b""
    for key, value in records:
        n = len(key) + len(value) + 3
        n += len(str(n))
        n = n if len(str(n)) + len(key) + len(value) + 3 == n else n + 1
        body += b"%d %s=%s\n" % (n, key, value)
    return entry(b"PaxHeader", body, kind=kind)


def base256(n):
    return b"\x80" + n.to_bytes(11, "big")


def tar(*parts, manifest=True, end=bytes(1024)):
    return (entry(b"package/package.json", MANIFEST) if manifest else b"") + b"".join(parts) + end


@functools.lru_cache(maxsize=4)
def deflate(data):
    c = zlib.compressobj(9 if len(set(data[:4096])) == 1 else 6, zlib.DEFLATED, -15)
    return c.compress(data) + c.flush(zlib.Z_FULL_FLUSH)


class Gzip:
    """A member written in pieces, each of which may be repeated for free."""

    def __init__(self):
        self.parts = [b"\x1f\x8b\x08\0\0\0\0\0\0\x03"]
        self.crc = 0
        self.size = 0

    def add(self, data, times=1):
        self.parts += [deflate(data)] * times
        # The checksum of megabytes and more of zeros is not worth its time: nobody should get as far as that.
        if len(data) * times < 1 << 20:
            self.crc = zlib.crc32(data * times, self.crc)
        self.size += len(data) * times
        return self

    def bytes(self):
        end = b"\x01\0\0\xff\xff" + self.crc.to_bytes(4, "little") + (self.size & 0xFFFFFFFF).to_bytes(4, "little")
        return b"".join(self.parts) + end


def gz(data):
    return Gzip().add(data).bytes()


def small():
    js = entry(b"package/index.js", b"module.exports = 1;\n")
    good = gz(tar(js))
    noise = b"".join(b"%d" % (i * 7919 % 10007) for i in range(9000))
    yield "good.tgz", good
    yield "good.tar", tar(js)
    yield "empty.tgz", b""
    yield "text.tgz", b"<html>not a package</html>\n"
    yield "no-files.tgz", gz(bytes(1024))
    yield "truncated.tgz", gz(tar(js, entry(b"package/data.txt", noise)))[:-2000]
    yield "cut-trailer.tgz", good[:-3]
    broken = bytearray(gz(tar(js, entry(b"package/data.txt", noise))))
    broken[len(broken) // 2 : len(broken) // 2 + 64] = b"\xff" * 64
    yield "corrupt.tgz", bytes(broken)
    yield "wrong-crc.tgz", good[:-8] + b"\0\0\0\0" + good[-4:]
    yield "wrong-length.tgz", good[:-4] + b"\1\2\3\4"
    yield "reserved-flags.tgz", good[:3] + b"\xe0" + good[4:]
    yield "garbage-behind.tgz", good + b"garbage"
    yield "padding-behind.tgz", good + bytes(4096)
    yield "member-behind-padding.tgz", gz(tar(js, end=b"")) + bytes(4096) + gz(entry(b"package/hidden.js", b"2\n") + bytes(1024))
    yield "two-members.tgz", gz(tar(js, end=b"")) + gz(entry(b"package/second.js", b"2\n") + bytes(1024))
    yield "many-members.tgz", gz(tar(js)) + gz(b"") * 5000
    yield "nested.tgz", gz(tar(entry(b"package/inner.tgz", gz(tar(js, entry(b"package/inner.tgz", good))))))
    yield "cut-entry.tgz", gz(tar(js, header(b"package/long.js", 5000), end=b"x" * 1000))
    yield "no-end.tgz", gz(tar(js, end=b""))
    yield "no-manifest.tgz", gz(tar(js, manifest=False))
    yield "absolute.tgz", gz(tar(entry(b"/etc/cron.d/odd", b"# inert\n"), entry(b"package/C:/odd.js", b"1\n")))
    yield "parent.tgz", gz(tar(entry(b"package/../../../odd.js", b"1\n"), entry(b"package/a\\..\\..\\odd.js", b"2\n")))
    yield "outside.tgz", gz(tar(entry(b"odd.js", b"1\n")))
    yield "control.tgz", gz(tar(entry(b"package/a\x1b[31mb\r.js", b"1\n"), entry(b"package/\xff\xfe.js", b"2\n")))
    yield "symlink.tgz", gz(tar(js, header(b"package/key", kind=b"2", link=b"../../../../etc/hostname"),
                                entry(b"package/key", b"through the link\n")))
    yield "hardlink.tgz", gz(tar(js, header(b"package/key", kind=b"1", link=b"/etc/hostname")))
    yield "device.tgz", gz(tar(js, header(b"package/null", kind=b"3"), header(b"package/sda", kind=b"4"), header(b"package/pipe", kind=b"6")))
    yield "sparse.tgz", gz(tar(js, entry(b"package/sparse", b"x" * 512, kind=b"S")))
    yield "duplicate-same.tgz", gz(tar(js, js))
    yield "duplicate-differs.tgz", gz(tar(js, entry(b"other/index.js", b"module.exports = 2;\n")))
    yield "duplicate-manifest.tgz", gz(tar(js, entry(b"package/./package.json", b'{"name":"other"}')))
    yield "duplicate-case.tgz", gz(tar(js, entry(b"package/Index.js", b"module.exports = 2;\n")))
    yield "long-name-gnu.tgz", gz(tar(entry(b"././@LongLink", b"package/" + b"d/" * 90 + b"long.js\0", kind=b"L"), js))
    yield "long-name-pax.tgz", gz(tar(pax((b"path", b"package/" + b"d/" * 90 + b"long.js")), js))
    yield "name-too-long.tgz", gz(tar(pax((b"path", b"package/" + b"x" * 5000)), js))
    yield "pax-overflow.tgz", gz(tar(header(b"PaxHeader", 0, kind=b"x", raw_size=base256(1 << 40)), js))
    yield "pax-not-a-number.tgz", gz(tar(header(b"PaxHeader", 0, kind=b"x", raw_size=base256(1 << 60)), js))
    yield "pax-too-large.tgz", gz(tar(entry(b"PaxHeader", b"x" * ((1 << 20) + 1), kind=b"x"), js))
    yield "pax-size-huge.tgz", gz(tar(pax((b"size", b"99999999999999999999999999")), js))
    yield "pax-size-hides.tgz", gz(tar(pax((b"size", b"1536")), header(b"package/readme.md", 0), entry(b"package/hidden.js", b"1\n")))
    yield "pax-in-pax.tgz", gz(tar(entry(b"PaxHeader", b"40 comment=x\n26 path=package/hidden.js\n\n", kind=b"x"), js))
    yield "pax-global-path.tgz", gz(tar(pax((b"path", b"package/all.js"), kind=b"g"), js))
    yield "size-overflow.tgz", gz(tar(header(b"package/big.js", raw_size=base256((1 << 63) + 5)), js))
    yield "size-negative.tgz", gz(tar(header(b"package/big.js", raw_size=b"\xff" * 12), js))
    yield "bad-checksum.tgz", gz(tar(js, b"X" + js[1:]))
    inner = entry(b"package/smuggled.js", b"1\n")
    yield "smuggled.tgz", gz(tar(header(b"package/readme.md", len(inner), link=b"x"), inner))
    yield "trailing.tgz", gz(tar(js) + entry(b"package/behind-the-end.js", b"1\n"))
    yield "fonts.tgz", gz(tar(entry(b"package/a.woff2", b"module.exports = require('./b');\n"),
                              entry(b"package/b.js", b"\x7fELF\x02\x01\x01" + bytes(57)), entry(b"package/c.png", b"\x89PNG\r\n\x1a\n")))


def numbered(first, last):
    """Headers of empty files by the thousand: only the number and the checksum differ."""
    model = header(b"package/f000000")
    base = sum(model[:148]) + sum(model[156:]) + 8 * 32 - 6 * 48
    parts = []
    for i in range(first, last):
        digits = b"%06d" % i
        parts += (model[:9], digits, model[15:148], b"%06o\0 " % (base + sum(digits)), model[156:])
    return b"".join(parts)


def large():
    mib = bytes(1 << 20)
    first = tar(header(b"package/zeros.bin", raw_size=base256(10 << 30)), end=b"")
    yield "bomb-claims.tgz", Gzip().add(first).add(mib, 10240).bytes()
    yield "bomb-plain.tgz", Gzip().add(mib, 10240).bytes()
    g = Gzip().add(tar(end=b""))
    for i in range(100):
        g.add(header(b"package/zeros%d.bin" % i, 100 << 20)).add(mib, 100)
    yield "bomb-files.tgz", g.bytes()
    yield "bomb-members.tgz", b"".join(Gzip().add(mib, 10).bytes() for _ in range(1024))
    g = Gzip().add(tar(end=b""))
    for i in range(0, 1_000_000, 4000):
        g.add(numbered(i, i + 4000))
    yield "million.tgz", g.add(bytes(1024)).bytes()


def main():
    out = sys.argv[1]
    os.makedirs(out, exist_ok=True)
    makers = [small()] + ([large()] if "--large" in sys.argv[2:] else [])
    for maker in makers:
        for name, data in maker:
            with open(os.path.join(out, name), "wb") as f:
                f.write(data)


main()
