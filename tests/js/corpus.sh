#!/usr/bin/env bash
# corpus.sh - the parser against the reference parsers over at least 5,000 real files: a sample of the benchmark corpus when it
# is there, else the packages of bench/js-files (fetched once).  Skipped when neither can be had.
#   usage: corpus.sh PATH-TO-js-dump
set -euo pipefail
dump=$1
top=$(cd "$(dirname "$0")/../.." && pwd)
list=$(mktemp)
trap 'rm -f "$list"' EXIT

skip() {
        echo "1..0 # SKIP $1"
        exit 0
}

# Files that hold something to run, in an order that does not depend on the machine.
files_below() {
        find -L "$1" -type f \( -name '*.js' -o -name '*.mjs' -o -name '*.cjs' -o -name '*.ts' -o -name '*.mts' -o -name '*.tsx' \) \
                -size -128k ! -name '*.d.ts' ! -name '*.d.mts' ! -name '*.d.cts' | LC_ALL=C sort
}

[ -e "$top/tests/node_modules/acorn" ] || skip "acorn is not installed (tools/setup)"
dir=$top/bench/corpus/.cache
if [ -e "$dir/installed" ]; then
        files_below "$dir/work/node_modules" >"$list.all"
else
        timeout 300 "$top/bench/get-corpus" js-files || skip "no corpus, and no network to fetch one"
        files_below "$top/bench/js-files/.cache/work/node_modules" >"$list.all"
fi
# 7,000 files at most, spread evenly.
awk -v total="$(wc -l <"$list.all")" 'BEGIN { step = total / 7000; if (step < 1) step = 1 }
        NR >= next_one { print; next_one += step }' "$list.all" >"$list"
rm -f "$list.all"
exec node "$top/tests/js/compare.mjs" "$dump" --at-least=5000 "$list"
