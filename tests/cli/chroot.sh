#!/usr/bin/env bash
# qanat in a chroot: `/` is no mount point there, and the kernel gives an ordinary user no namespaces.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

apart=(unshare --mount --map-root-user)
[ "$(id -u)" != 0 ] || apart=(unshare --mount)

# Runs a command in a directory that looks like this system.
cat >"$work/enter" <<'E'
set -e
cd "$1"
shift
for name in usr etc bin lib lib64 proc dev "$@"; do
        [ "$name" != -- ] || break
        if [ -L "/$name" ]; then
                ln -sfn "$(readlink "/$name")" "$name"
        elif [ -d "/$name" ]; then
                mkdir -p "$name"
                mount --rbind "/$name" "$name"
        fi
done
while [ "$1" != -- ]; do
        shift
done
shift
exec chroot . "$@"
E
mkdir "$work/root"
top() { # PATH: its first directory
        local path=${1#/}
        echo "${path%%/*}"
}
inside() { # COMMAND...
        "${apart[@]}" sh "$work/enter" "$work/root" "$(top "$root")" "$(top "$(realpath "$QANAT")")" -- "$@" >"$work/out" 2>"$work/err"
        status=$?
        out=$(cat "$work/out") err=$(cat "$work/err")
}

inside true
if [ "$status" != 0 ]; then
        skip 'a check in a chroot' 'this user may not mount anything here'
        finish
fi
inside "$QANAT" check "$root/examples/attack"
expect 'a check in a chroot by root' 1 out 'MALICIOUS'
if [ "$(id -u)" = 0 ]; then
        inside setpriv --reuid 65534 --regid 65534 --clear-groups "$QANAT" check "$root/examples/attack"
        expect 'a check in a chroot by an ordinary user' 2 err 'refuses .*namespaces'
        [ -z "$out" ] && [ "$(wc -l <<<"$err")" = 1 ]
        result $? 'which is one clear line'
        inside setpriv --reuid 65534 --regid 65534 --clear-groups "$QANAT" check --no-sandbox "$root/examples/attack"
        expect 'and possible without a sandbox' 1 out 'MALICIOUS'
else
        skip 'a check in a chroot by an ordinary user' 'needs root to become one'
fi
finish
