#!/usr/bin/env bash
# args.sh - command lines, help, configuration.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

# --- wrong usage: exit 2, one line ---
run
expect "no verb" 2 err 'Usage: qanat VERB'
[ -z "$out" ]
result $? "no verb: nothing on standard output"
run frobnicate
expect_usage "unknown verb" 'no verb "frobnicate"; see qanat help'
run hlep
expect_usage "a verb misspelt" 'did you mean "help"'
run help hlep
expect_usage "help for a verb misspelt" 'did you mean "help"'
run help --colour=never
expect_usage "an option misspelt" 'unknown option --colour; did you mean --color'
run help --qwertyuiop
expect_usage "an unknown option" 'unknown option --qwertyuiop; see qanat help help'
run help -Z
expect_usage "an unknown letter" 'unknown option -Z'
run help $'-\x1b'
expect_usage "an unknown letter that is a control character" 'unknown option -\?'
run help --color
expect_usage "an option without its argument" '--color needs an argument \(WHEN\)'
run help --color=blue
expect_usage "a value that is not allowed" '--color: "blue" is none of auto\|always\|never'
run help --quiet=yes
expect_usage "an argument for a switch" '--quiet takes no argument'
run help a b
expect_usage "too many arguments" 'one argument too many: "b"'
run completion
expect_usage "too few arguments" 'an argument is missing; usage: qanat completion'
run completion fish
expect_usage "a first argument that is none" '"fish" is none of bash\|zsh'

# --- all forms of options ---
run help --color never help -q
expect "options and arguments mixed" 0 out '^Usage: qanat help'
run help --color=never --color=always -- help
expect "-- and a repeated option" 0 out '^Usage: qanat help'
run help -- --quiet
expect_usage "an option after -- is an argument" 'no verb "--quiet"'
run help --help --color=blue
expect_usage "--help does not hide a mistake" 'none of'
run completion --help
expect "--help needs no arguments" 0 out '^Usage: qanat completion'
run --version
expect "--version" 0 out '^qanat [0-9]+\.[0-9]+\.[0-9]+$'
run -h
expect "-h" 0 out '^Verbs:'

# --- the environment and the configuration file ---
QANAT_COLOR=blue run version
expect_usage "a bad value in the environment" 'in the environment: color: "blue"'
QANAT_COLOR='' run version
expect "an empty variable is none" 0
mkdir -p "$XDG_CONFIG_HOME/qanat"
conf=$XDG_CONFIG_HOME/qanat/qanat.conf
echo 'colour = never' >"$conf"
run version
expect_usage "an unknown key" 'qanat.conf:1: unknown key "colour"; did you mean "color"\?'
printf '# x\n\ncolor = blue\n' >"$conf"
run version
expect_usage "a bad value in the file" 'in the configuration: color: "blue"'
printf 'color\n' >"$conf"
run version
expect_usage "a line that is none" 'line 1: not of the form'
printf 'help = yes\n' >"$conf"
run version
expect_usage "an option that cannot be configured" 'unknown key "help"'
printf 'color = "never" # comment\nquiet = yes\n' >"$conf"
run version
expect "a good file" 0
rm "$conf"
run version --config "$work/none"
expect_usage "a file that is not there" 'No such file'
mkdir "$work/here" && echo 'nonsense' >"$work/here/qanat.conf"
(cd "$work/here" && "$QANAT" version >/dev/null)
result $? "no configuration is read from the working directory"

# --- output that cannot be written ---
if [ -w /dev/full ]; then
        "$QANAT" help >/dev/full 2>"$work/err"
        status=$? out='' err=$(cat "$work/err")
        expect "a full disk is an error" 2 err 'cannot write the output'
fi
finish
