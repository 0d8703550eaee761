#!/usr/bin/env bash
# qanat semver: answers, exit statuses and bad questions.  What it answers is compared with npm's in semver.mjs.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

check() { # NAME STATUS OUTPUT ARGUMENTS...
        local name=$1 want=$2 want_out=$3
        shift 3
        run semver "$@"
        [ "$status" = "$want" ] && [ "$out" = "$want_out" ]
        local r=$?
        [ $r = 0 ] || explain
        result $r "$name"
}

check 'a version in a range' 0 true satisfies 1.2.3 '^1.2'
check 'a version that is not' 1 false satisfies 2.0.0 '^1.2'
check 'a prerelease that nothing names' 1 false satisfies 1.3.0-a '^1.2'
check 'a prerelease with --include-prerelease' 0 true satisfies 1.3.0-a '^1.2' --include-prerelease
check 'a loose version' 0 true satisfies --loose '=v1.2.3beta' '1.2.3-beta'
check 'what is no range is satisfied by nothing' 1 false satisfies 1.2.3 latest
check 'lower' 0 -1 compare 1.0.0-a 1.0.0
check 'equal but for the build' 0 0 compare 1.0.0+a 1.0.0+b
check 'no version to compare' 2 '' compare 1.0 1.0.0
check 'the highest' 0 1.10.0 max-satisfying 1.x 1.9.0 1.10.0 2.0.0
check 'no highest' 1 '' max-satisfying 3.x 1.9.0 1.10.0
check 'no range for the highest' 2 '' max-satisfying '><' 1.9.0
check 'no question' 2 ''
check 'an unknown question' 2 '' increment 1.0.0
check 'too few arguments' 2 '' satisfies 1.0.0
check 'arguments of a batch' 2 '' --batch satisfies

batch() { # NAME STATUS LINE ANSWER
        printf '%s\n' "$3" >"$work/in"
        run semver --batch <"$work/in"
        [ "$status" = "$2" ] && [ "$out" = "$4" ]
        local r=$?
        [ $r = 0 ] || explain
        result $r "$1"
}

batch 'one question' 0 '{"op":"satisfies","version":"1.2.3","range":"^1"}' '{"result":true}'
batch 'nothing found is an answer' 0 '{"op":"max-satisfying","range":"2","versions":["1.0.0"]}' '{"result":null}'
batch 'sorted with the build' 0 '{"op":"sort","versions":["1.0.0+b","1.0.0+a","0.1.0"]}' '{"result":["0.1.0","1.0.0+a","1.0.0+b"]}'
batch 'not JSON' 1 '{"op":' '{"error":"not JSON"}'
batch 'no object' 1 '[]' '{"error":"unknown op"}'
batch 'an unknown op' 1 '{"op":"inc"}' '{"error":"unknown op"}'
batch 'a missing argument' 1 '{"op":"satisfies","version":"1.0.0"}' '{"error":"version and range must be strings"}'
batch 'wrong types' 1 '{"op":"sort","versions":[1,null]}' '{"error":"versions must be a list of versions"}'
batch 'good lines after a bad one' 1 $'x\n{"op":"valid","version":"v1.2.3+b"}' $'{"error":"not JSON"}\n{"result":"1.2.3"}'
head -c 10000 /dev/zero | tr '\0' '[' >"$work/in"
run semver --batch <"$work/in"
[ "$status" = 1 ] && [ "$out" = '{"error":"not JSON"}' ]
result $? 'a deeply nested line'
run semver --batch </dev/null
[ "$status" = 0 ] && [ -z "$out" ]
result $? 'no lines'

finish
