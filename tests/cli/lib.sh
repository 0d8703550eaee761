# lib.sh - TAP for black-box tests.  Source it, call the functions, end with `finish`.
# shellcheck shell=bash
set -uo pipefail
QANAT=${QANAT:?the program to test}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/qanat-test-XXXXXX")
trap 'rm -rf "$work"' EXIT
# Nothing of the user's own set-up may change a test.
export HOME=$work/home XDG_CONFIG_HOME=$work/config XDG_STATE_HOME=$work/state XDG_CACHE_HOME=$work/cache
mkdir -p "$HOME"
for variable in $(compgen -e QANAT_); do
        unset "$variable"
done
unset NO_COLOR
tests_done=0 tests_failed=0

result() { # STATUS NAME
        tests_done=$((tests_done + 1))
        if [ "$1" = 0 ]; then
                echo "ok $tests_done - $2"
                return
        fi
        tests_failed=$((tests_failed + 1))
        echo "not ok $tests_done - $2"
}

skip() { # NAME REASON
        tests_done=$((tests_done + 1))
        echo "ok $tests_done - $1 # SKIP $2"
}

# Runs the program; leaves $status, $out and $err (each without its last newline).
run() {
        "$QANAT" "$@" >"$work/out" 2>"$work/err"
        status=$?
        out=$(cat "$work/out") err=$(cat "$work/err")
}

explain() {
        printf '# %s\n' "status $status" "stdout: ${out//$'\n'/$'\n#   '}" "stderr: ${err//$'\n'/$'\n#   '}"
}

# The last run's status, and a pattern (extended regular expression) that its output must hold.
expect() { # NAME STATUS [out|err PATTERN]...
        local name=$1 want=$2 bad=0
        shift 2
        [ "$status" = "$want" ] || bad=1
        while [ $# -gt 0 ]; do
                if [ "$1" = out ]; then
                        grep -Eq -- "$2" <<<"$out" || bad=1
                else
                        grep -Eq -- "$2" <<<"$err" || bad=1
                fi
                shift 2
        done
        [ $bad = 0 ] || explain
        result $bad "$name"
}

# One clear line on standard error, and nothing else.
expect_usage() { # NAME PATTERN
        local bad=0
        [ "$status" = 2 ] && [ -z "$out" ] && [ "$(wc -l <<<"$err")" = 1 ] && grep -Eq -- "$2" <<<"$err" || bad=1
        [ $bad = 0 ] || explain
        result $bad "$1"
}

finish() {
        echo "1..$tests_done"
        [ "$tests_failed" = 0 ]
        exit
}
