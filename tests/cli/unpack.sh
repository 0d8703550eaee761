#!/usr/bin/env bash
# qanat unpack: what it lists, what it writes, and what it leaves alone, on hostile archives.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

python3 "$root/tests/tools/hostile.py" "$work/in" --large || exit 1
cd "$work" || exit 1

run unpack
expect_usage 'no file' 'FILE|argument'
run unpack in/missing.tgz
expect_usage 'a file that is not there' 'missing.tgz: No such file'
run unpack in/good.tgz --list --to there
expect_usage 'listing and extracting at once' 'exclude'

run unpack in/good.tgz
expect 'a plain package' 0 out '0644 +33  ascii +package.json' out 'index.js$'
"$QANAT" unpack - <in/good.tgz >stdin.txt && "$QANAT" unpack in/good.tar >tar.txt && "$QANAT" unpack --list in/good.tgz >list.txt &&
        cmp stdin.txt tar.txt && cmp tar.txt list.txt
result $? 'standard input, tar and gzip list the same'

run unpack --format json in/fonts.tgz
python3 - "$work/out" <<'P'
import json, sys
d = json.load(open(sys.argv[1]))
assert d["schema"] == "qanat.unpack/1" and d["error"] is None and not d["trailing_data"], d
got = {e["path"]: (e["format"], e["misfit"]) for e in d["entries"]}
assert got["a.woff2"] == ("ascii", "text") and got["b.js"] == ("elf", "executable") and got["package.json"] == ("ascii", None), got
P
result $? 'JSON with formats and misfits'

broken() { # NAME PATTERN
        run unpack "in/$1.tgz"
        expect "$1 is broken" 3 err "$2"
}
broken truncated 'cut short'
broken cut-trailer 'cut short'
broken corrupt 'corrupt|cut short|checksum'
broken wrong-crc 'checksum'
broken wrong-length 'checksum or length'
broken reserved-flags 'not a gzip header'
broken garbage-behind 'not a gzip header'
broken member-behind-padding 'behind|after'
broken many-members 'more than 1024 gzip members'
broken cut-entry 'cut short'
broken name-too-long 'longer than 4096'
broken pax-too-large 'extended header of more than'
broken pax-overflow 'extended header of more than'
broken pax-size-huge 'not a number'
broken bomb-claims 'more than'
broken bomb-files 'more than'
"$QANAT" unpack in/million.tgz >many.txt 2>many.err
[ $? = 3 ] && [ "$(wc -l <many.txt)" = 200000 ] && grep -q 'more than 200000 entries' many.err
result $? 'a million entries'

odd() { # NAME PATTERN
        run unpack "in/$1.tgz"
        expect "$1 is odd" 1 out "$2"
}
odd absolute 'absolute-path'
odd parent 'parent-path'
odd outside 'outside'
odd control 'control-character'
odd symlink 'symlink .*-> '
odd hardlink 'hardlink'
odd device 'device'
odd sparse 'entry-type'
odd pax-size-hides 'readme.md.*disputed-header'
odd pax-in-pax 'hidden.js.*disputed-header'
odd pax-global-path 'disputed-header'
odd size-negative 'big.js.*disputed-header'
odd smuggled 'smuggled.js'
odd bad-checksum 'index.js'
odd trailing 'index.js'
odd bomb-plain '^$'
odd bomb-members '^$'
odd pax-not-a-number 'index.js'

run unpack --to there in/good.tgz
expect 'extracting' 0
[ "$(cat there/index.js)" = 'module.exports = 1;' ] && [ "$(stat -c %a there/index.js)" = 644 ]
result $? 'content and mode'
run unpack --to there in/duplicate-differs.tgz
expect 'nothing is overwritten' 1 err 'index.js: there already'
mkdir trap && ln -s "$work/elsewhere" trap/d && mkdir elsewhere
run unpack --to trap in/long-name-gnu.tgz
expect 'a symbolic link in the way is not followed' 1 err 'left out'
[ -z "$(ls elsewhere)" ]
result $? 'nothing behind the link'
mkdir ex
for name in absolute parent outside control symlink hardlink device smuggled; do
        run unpack --to "ex/$name" "in/$name.tgz"
        [ "$status" = 1 ] && [ -z "$(find "ex/$name" ! -type f ! -type d)" ]
        result $? "$name is left out or harmless"
done
[ ! -e odd.js ] && [ ! -e ../odd.js ] && [ ! -e key ]
result $? 'nothing outside'

# Prints the peak of memory in KiB and the seconds that the program took.
measure() {
        python3 - "$QANAT" "$@" <<'P'
import resource, subprocess, sys, time
start = time.time()
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, round(time.time() - start, 2))
P
}

find in -name 'bomb*' -size +20M | grep -q . && r=1 || r=0
result "$r" 'the bombs are small files'
for name in bomb-claims bomb-files bomb-members bomb-plain million; do
        read -r kib seconds < <(measure unpack "in/$name.tgz")
        # A sanitizer's own memory is not ours.
        grep -aq __asan_init "$QANAT" && kib=0
        [ "$kib" -lt 262144 ] && [ "${seconds%.*}" -lt 30 ]
        result $? "$name: $kib KiB, $seconds s"
done
finish
