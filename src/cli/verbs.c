#include "cli/verbs.h"

#include <string.h>

#include "cli/check-targets.h"
#include "cli/documents.h"
#include "cli/load-rules.h"
#include "cli/watch-report.h"

const struct qn_opt qn_common_opts[] = {
        /* name    letter flags          argument values                fallback what it does */
        { "color", 0, QN_OPT_CONFIG, "WHEN", "auto|always|never", "auto",
          "colour: auto (on a terminal), always or never" },
        { "config", 0, 0, "FILE", NULL, NULL,
          "configuration file to read instead of the usual one" },
        { "data", 0, QN_OPT_CONFIG, "DIR", NULL, NULL, "directory of rules and tables" },
        { "state", 0, QN_OPT_CONFIG, "DIR", NULL, NULL, "directory for what qanat remembers" },
        { "store", 0, QN_OPT_CONFIG, "WHERE", NULL, NULL,
          "where the store is: a directory, or postgres://… (default: the state directory)" },
        { "cache", 0, QN_OPT_CONFIG, "DIR", NULL, NULL,
          "directory for what can be fetched or made again" },
        { "quiet", 'q', QN_OPT_CONFIG, NULL, NULL, NULL,
          "no progress and no notes on standard error" },
        { "help", 'h', 0, NULL, NULL, NULL, "show this help" },
        {}
};

static const struct qn_opt campaign_opts[] = {
        { "by", 0, 0, "WHO", NULL, NULL,
          "dismiss: who decides (default: QANAT_USER, then the user)" },
        { "format", 'f', QN_OPT_CONFIG, "FORMAT", "table|json", "table",
          "what to print: a table or JSON" },
        { "limit", 0, QN_OPT_NUMBER, "N", NULL, "40",
          "show: at most N versions in the table (0: all); JSON has all" },
        { "reason", 0, 0, "TEXT", NULL, NULL, "dismiss: why it is none" },
        QN_OPT_RULES,
        {}
};

static const struct qn_opt check_opts[] = {
        { "format", 'f', QN_OPT_CONFIG, "FORMAT", "text|json|sarif", "text",
          "what to print: text, json or sarif" },
        { "fail-on", 0, QN_OPT_CONFIG, "LEVEL", "suspicious|malicious", "suspicious",
          "exit with status 1 from this verdict on" },
        QN_OPT_TARGETS,
        { "all", 'a', QN_OPT_CONFIG, NULL, NULL, NULL, "one line for each clean package too" },
        { "explain", 0, 0, NULL, NULL, NULL,
          "why each rule exists, all of its evidence, and how data flowed to it" },
        { "packument", 0, 0, "FILE", NULL, NULL,
          "the registry's document of the package that TARGET is" },
        { "previous", 0, 0, "PACKAGE", NULL, NULL,
          "the version before of the package that TARGET is, to compare with" },
        { "history", 0, QN_OPT_CONFIG, NULL, NULL, NULL,
          "compare what lock files name with its version before, too" },
        { "intel-only", 0, QN_OPT_CONFIG, NULL, NULL, NULL,
          "fetch and analyse nothing, only ask what is known (qanat intel)" },
        { "no-intel", 0, QN_OPT_CONFIG, NULL, NULL, NULL, "do not ask what is known" },
        QN_OPT_DOCUMENTS,
        {}
};

static const struct qn_opt events_opts[] = {
        { "format", 0, 0, "FORMAT", "text|json", "text", "output format" },
        { "previous", 0, 0, "TARGET", NULL, NULL, "compare with this version, the one before" },
        { "packument", 0, 0, "FILE", NULL, NULL,
          "the registry's document of the package that TARGET is" },
        QN_OPT_DOCUMENTS,
        {}
};

static const struct qn_opt intel_opts[] = {
        { "format", 'f', 0, "FORMAT", "text|json|csv|osv|npm|pnpm|yarn", "text",
          "what to print: text or json; export: csv (the default), osv, npm, pnpm or yarn" },
        { "source", 0, 0, "NAME", NULL, NULL, "import: as whom to take a feed in" },
        { "sources", 0, QN_OPT_CONFIG, "FILE", NULL, NULL,
          "update: the file that names the sources and their addresses" },
        { "from", 0, 0, "FILE", NULL, NULL,
          "update: take the named source from a file or a directory" },
        { "since", 0, 0, "WHEN", NULL, NULL,
          "diff: a date, or the number of an import (default: before the last one)" },
        { "reason", 0, 0, "TEXT", NULL, NULL, "block, allow: why" },
        { "owner", 0, 0, "PERSON", NULL, NULL, "block, allow: who answers for it (default: you)" },
        { "expires", 0, 0, "DATE", NULL, NULL, "block, allow: until when it counts" },
        { "range", 0, 0, "RANGE", NULL, NULL,
          "block, allow: which versions, such as \">= 1.0.0, < 1.2.0\"" },
        { "whole", 0, 0, NULL, NULL, NULL,
          "what is taken in is all that its source says: what it does not repeat is forgotten" },
        { "force", 0, 0, NULL, NULL, NULL,
          "take over a feed that lost more than half of its records" },
        { "explain", 0, 0, NULL, NULL, NULL, "each statement: record, range and who has it" },
        { "no-sandbox", 0, 0, NULL, NULL, NULL,
          "go on where the kernel refuses to confine the reading" },
        {}
};

static const struct qn_opt gate_opts[] = {
        { "policy", 'p', QN_OPT_CONFIG, "FILE", NULL, NULL,
          "who may have what (default: gate/policy.yaml of the data directory)" },
        { "service", 's', QN_OPT_CONFIG, "FILE", NULL, NULL,
          "addresses, upstreams, tokens, limits (see gate/gate.yaml of the data directory)" },
        { "listen", 0, QN_OPT_CONFIG, "HOST:PORT", NULL, NULL,
          "where clients connect, instead of what the service file says" },
        { "registry", 0, QN_OPT_CONFIG, "URL", NULL, NULL,
          "registry to ask, instead of what the service file or npm's configuration says" },
        QN_OPT_RULES,
        { "jobs", 'j', QN_OPT_CONFIG | QN_OPT_NUMBER, "N", NULL, NULL,
          "analyse N packages at a time (default: one per processor)" },
        { "format", 'f', 0, "FORMAT", "text|json", "text", "ledger, policy: what to print" },
        { "explain", 0, 0, NULL, NULL, NULL,
          "policy test: every rule, also those that do not apply" },
        { "packument", 0, 0, "FILE", NULL, NULL,
          "policy test: the registry's document of the package, instead of asking for it" },
        { "since", 0, 0, "TIME", NULL, NULL, "ledger: only from then on" },
        { "until", 0, 0, "TIME", NULL, NULL, "ledger: only before" },
        { "client", 0, 0, "WHO", NULL, NULL, "ledger: only of this token or address" },
        { "url", 0, 0, "URL", NULL, NULL, "setup: the gate's address (http://localhost:4873)" },
        { "token-variable", 0, 0, "NAME", NULL, NULL,
          "setup: the environment variable that holds the client's token" },
        { "dry-run", 'n', 0, NULL, NULL, NULL, "setup: print the file instead of writing it" },
        { "no-sandbox", 0, 0, NULL, NULL, NULL,
          "go on where the kernel refuses to confine the roles" },
        {}
};

static const struct qn_opt watch_opts[] = {
        { "feed", 0, QN_OPT_CONFIG, "URL", NULL, NULL,
          "address of the registry's replication feed (its _changes)" },
        { "input", 0, 0, "FILE", NULL, NULL,
          "a recorded feed, or names, one a line, to look at as well" },
        { "once", 0, 0, NULL, NULL, NULL, "end when all that there is was looked at" },
        { "since", 0, 0, "SEQUENCE", NULL, NULL,
          "where to begin in a feed that was not followed yet (default: at its end)" },
        { "poll", 0, QN_OPT_CONFIG | QN_OPT_NUMBER, "MS", NULL, NULL,
          "milliseconds between two looks at a feed that had no more (1000)" },
        { "registry", 0, QN_OPT_CONFIG, "URL", NULL, NULL,
          "registry to use instead of npm's configured one" },
        QN_OPT_RULES,
        { "jobs", 'j', QN_OPT_CONFIG | QN_OPT_NUMBER, "N", NULL, NULL,
          "analyse N packages at a time (default: one per processor)" },
        { "no-intel", 0, QN_OPT_CONFIG, NULL, NULL, NULL, "do not ask what is known" },
        { "watch-policy", 0, QN_OPT_CONFIG, "FILE", NULL, NULL,
          "what is done by itself (default: watch/policy.yaml of the data directory)" },
        { "notify", 0, QN_OPT_CONFIG, "FILE", NULL, NULL,
          "who is told what (see watch/notify.yaml of the data directory)" },
        QN_OPT_REPORTS,
        { "metrics", 0, QN_OPT_CONFIG, "HOST:PORT", NULL, NULL,
          "give counters to Prometheus at this address" },
        { "format", 'f', 0, "FORMAT", "text|json", "text", "status: what to print" },
        { "no-sandbox", 0, 0, NULL, NULL, NULL,
          "go on where the kernel refuses to confine the analysis" },
        {}
};

static const struct qn_opt inventory_opts[] = {
        { "asset", 0, 0, "NAME", NULL, NULL,
          "add, collect: what the place is called (default: the path, the host's name)" },
        { "kind", 0, 0, "KIND", "project|image|host|process|service", "project",
          "add, collect: what kind of place it is" },
        { "process", 0, 0, "PID", NULL, NULL,
          "add, collect: what a running process of Node, Bun or Deno can load" },
        { "owner", 0, 0, "WHO", NULL, NULL, "add, collect: whose it is" },
        { "environment", 0, QN_OPT_CONFIG, "NAME", NULL, NULL,
          "add, collect: where it runs: production, test…" },
        { "commit", 0, 0, "ID", NULL, NULL, "add, collect: which commit it is" },
        { "time", 0, 0, "TIME", NULL, NULL, "add, collect: when it was so (default: now)" },
        { "history", 0, 0, NULL, NULL, NULL,
          "add: every version that the lock file had in git, at the time of its commit" },
        { "vex", 0, 0, NULL, NULL, NULL,
          "sbom: also what is known to be bad of it, as vulnerabilities (CycloneDX)" },
        { "between", 0, 0, "T1 T2", NULL, NULL, "who-has: at any time from T1 to T2" },
        { "days", 0, QN_OPT_NUMBER, "N", NULL, "30", "stale: not seen for N days" },
        { "limit", 0, QN_OPT_NUMBER, "N", NULL, "20", "why: at most N paths of each source" },
        { "format", 'f', QN_OPT_CONFIG, "FORMAT", "table|json|cyclonedx|spdx", "table",
          "what to print: a table, JSON, or an SBOM (CycloneDX 1.6, SPDX 2.3)" },
        { "no-sandbox", 0, 0, NULL, NULL, NULL,
          "go on where the kernel refuses to confine the reading" },
        {}
};

static const struct qn_opt judge_opts[] = {
        { "all", 0, 0, NULL, NULL, NULL,
          "judge again all that was seen (qanat watch), and list what has another verdict now" },
        { "dry-run", 'n', 0, NULL, NULL, NULL, "--all: write nothing, only list" },
        { "since", 0, 0, "TIME", NULL, NULL, "--all: only what was seen from then on" },
        { "name", 0, 0, "PATTERN", NULL, NULL,
          "--all: only packages with such names (* any characters, ? one)" },
        { "jobs", 'j', QN_OPT_NUMBER, "N", NULL, NULL,
          "--all: judge in N processes (default: one per processor)" },
        { "explain", 0, 0, NULL, NULL, NULL,
          "why each rule exists, all of its evidence, and how data flowed to it" },
        { "fail-on", 0, QN_OPT_CONFIG, "LEVEL", "suspicious|malicious", "suspicious",
          "verdict from which on the exit status is 1" },
        { "format", 0, 0, "FORMAT", "text|json|sarif", "text", "output format" },
        QN_OPT_RULES,
        {}
};

static const struct qn_opt notify_opts[] = {
        { "notify", 0, QN_OPT_CONFIG, "FILE", NULL, NULL,
          "channels, and who is told what (see watch/notify.yaml of the data directory)" },
        { "format", 'f', 0, "FORMAT", "table|json", "table", "what to print: a table or JSON" },
        { "no-sandbox", 0, 0, NULL, NULL, NULL,
          "go on where the kernel refuses to confine the role that fetches" },
        {}
};

static const struct qn_opt report_opts[] = {
        { "at", 0, 0, "TIME", NULL, NULL, "withdraw: when it was withdrawn (default: now)" },
        { "author", 0, QN_OPT_CONFIG, "WHO", NULL, NULL,
          "submit, withdraw: who commits: \"NAME <MAIL>\"" },
        { "base", 0, QN_OPT_CONFIG, "BRANCH", NULL, NULL,
          "submit, withdraw: what a new branch begins with (default: the default branch)" },
        { "by", 0, 0, "WHO", NULL, NULL, "withdraw: who takes it back" },
        { "campaign", 0, 0, "ID", NULL, NULL,
          "submit: all packages on one branch, which is called so" },
        { "confirmed", 0, 0, NULL, NULL, NULL,
          "a person has confirmed it: suspicious packages are reported too" },
        { "credit", 0, QN_OPT_CONFIG | QN_OPT_MANY, "WHO", NULL, NULL,
          "who found it: \"NAME <CONTACT>\"" },
        { "every-version", 0, 0, NULL, NULL, NULL,
          "report every version of the package, not only those named" },
        { "force", 0, 0, NULL, NULL, NULL,
          "submit: also what others have reported, or what was withdrawn" },
        { "format", 'f', 0, "FORMAT", "table|json", "table", "list: what to print: table or json" },
        { "from", 0, 0, "FILE", NULL, NULL, "submit: also the packages of this list, - for input" },
        { "output", 'o', QN_OPT_CONFIG, "DIR", NULL, NULL,
          "write files into this checkout instead of printing the records" },
        { "page", 0, QN_OPT_CONFIG, "URL", NULL, NULL,
          "where the registry shows packages: the record refers to URL/NAME" },
        { "pending", 0, 0, NULL, NULL, NULL,
          "submit: all that was found to be malicious and nobody was told of" },
        { "reason", 0, 0, "TEXT", NULL, NULL, "withdraw: why" },
        { "repository", 0, QN_OPT_CONFIG, "DIR", NULL, NULL,
          "submit, withdraw: the clone of malicious-packages to commit to" },
        { "sign-off", 0, QN_OPT_CONFIG, NULL, NULL, NULL,
          "submit, withdraw: the author signs commits off (Signed-off-by)" },
        { "time", 0, 0, "TIME", NULL, NULL, "when the record was made (default: now)" },
        { "token-file", 0, QN_OPT_CONFIG, "FILE", NULL, NULL,
          "submit, withdraw: holds the token for --upload" },
        { "upload", 0, QN_OPT_CONFIG, "URL", NULL, NULL,
          "submit, withdraw: put records below this address instead" },
        QN_OPT_TARGETS,
        {}
};

static const struct qn_opt review_opts[] = {
        { "watch-policy", 0, QN_OPT_CONFIG, "FILE", NULL, NULL,
          "what waits for a person (default: watch/policy.yaml of the data directory)" },
        { "all", 'a', 0, NULL, NULL, NULL, "list: what was decided, too" },
        { "as", 0, 0, "VERDICT", "malicious|suspicious", "malicious", "confirm: as what" },
        { "reason", 0, 0, "TEXT", NULL, NULL, "confirm, reject: why; note: what" },
        { "by", 0, 0, "PERSON", NULL, NULL, "who decides (default: $QANAT_USER, else you)" },
        { "example", 0, 0, "DIR", NULL, NULL,
          "reject: write its events below DIR, as examples that the rules must not match" },
        { "since", 0, 0, "TIME", NULL, NULL, "log: only from then on" },
        { "explain", 0, 0, NULL, NULL, NULL,
          "show: why each rule exists, and all of its evidence" },
        { "format", 'f', 0, "FORMAT", "text|json", "text", "what to print" },
        QN_OPT_RULES,
        {}
};

static const struct qn_opt rules_opts[] = { { "examples", 0, QN_OPT_MANY, "DIR", NULL, NULL,
                                              "where test and docs find the rules' examples" },
                                            { "format", 0, 0, "FORMAT", "text|json", "text",
                                              "output format of list and show" },
                                            QN_OPT_RULES,
                                            {} };

static const struct qn_opt semver_opts[] = {
        { "loose", 0, 0, NULL, NULL, NULL, "accept versions such as =v1.2.3 and 1.2.3beta" },
        { "include-prerelease", 0, 0, NULL, NULL, NULL, "let prereleases satisfy any range" },
        { "batch", 0, 0, NULL, NULL, NULL, "answer one JSON question per line of standard input" },
        {}
};

static const struct qn_opt store_opts[] = {
        { "format", 'f', 0, "FORMAT", "text|json", "text", "check: what to print" },
        { "table", 0, 0, "NAME", "version|events|finding|judgement|pending|setting", NULL,
          "export: only this table" },
        { "since", 0, 0, "TIME", NULL, NULL, "export: only what was seen or judged from then on" },
        { "before", 0, 0, "WHEN", NULL, NULL,
          "forget: what was seen before a date, or more than so many days ago" },
        {}
};

static const struct qn_opt unpack_opts[] = {
        { "format", 'f', 0, "FORMAT", "text|json", "text", "what to list in: text or json" },
        { "list", 'l', 0, NULL, NULL, NULL,
          "list the entries (this is what happens without --to)" },
        { "to", 0, 0, "DIR", NULL, NULL, "put the files below this directory" },
        {}
};

const struct qn_verb qn_verbs[] = {
        /* name  min max needs  run  synopsis  first  summary  options */
        { "campaign", 1, 2, QN_NEED_DATA | QN_NEED_STATE, cmd_campaign, "list|show|dismiss [ID]",
          "list|show|dismiss",
          "Packages that belong together: which campaigns were seen, what is in one, and the end of one",
          campaign_opts },
        { "check", 0, -1, QN_NEED_DATA | QN_NEED_STATE | QN_NEED_CACHE, cmd_check, "[TARGET...]",
          NULL, "Is this npm package safe? Check names, tarballs, directories, lock files",
          check_opts },
        { "completion", 1, 1, 0, cmd_completion, "SHELL", "bash|zsh",
          "Print the completion script of a shell", NULL },
        { "events", 1, 1, QN_NEED_DATA, cmd_events, "TARGET", NULL,
          "Print what was seen in a package", events_opts },
        { "help", 0, 1, 0, cmd_help, "[VERB]", NULL, "Show help for the program or a verb", NULL },
        { "intel", 1, -1, QN_NEED_DATA | QN_NEED_STATE | QN_NEED_CACHE, cmd_intel,
          "update|import|lookup|show|find|sources|diff|export|block|allow|expire [ARGUMENT...]",
          "update|import|lookup|show|find|sources|diff|export|block|allow|expire",
          "What is known to be bad: take feeds in, ask about versions, hand lists on", intel_opts },
        { "gate", 0, -1, QN_NEED_DATA | QN_NEED_STATE | QN_NEED_CACHE, cmd_gate,
          "[run|ledger|setup|policy [ARGUMENT...]]", "run|ledger|setup|policy",
          "A registry for npm, pnpm, yarn and bun that looks at every package before it serves it",
          gate_opts },
        { "inventory", 1, -1, QN_NEED_STATE, cmd_inventory,
          "scan|sbom|add|ingest|collect|who-has|why|exposure|diff|stale|learn [ARGUMENT...]",
          "scan|sbom|add|ingest|collect|who-has|why|exposure|diff|stale|learn",
          "Which packages are where, since when, and why", inventory_opts },
        { "judge", 0, -1, QN_NEED_DATA | QN_NEED_STATE, cmd_judge, "[--all|FILE...]", NULL,
          "Judge events by the rules, or once more all that was seen", judge_opts },
        { "notify", 1, 3, QN_NEED_STATE, cmd_notify, "list|test|retry|send [ARGUMENT...]",
          "list|test|retry|send", "Who is told what was found: the outbox and its channels",
          notify_opts },
        { "report", 1, -1, QN_NEED_DATA | QN_NEED_STATE | QN_NEED_CACHE, cmd_report,
          "osv|submit|withdraw|list [TARGET...]", "osv|submit|withdraw|list",
          "Write down what was found, for others: OSV records for OpenSSF, on a branch or sent",
          report_opts },
        { "review", 1, -1, QN_NEED_DATA | QN_NEED_STATE, cmd_review,
          "list|show|confirm|reject|note|log [NAME@VERSION [TEXT]]",
          "list|show|confirm|reject|note|log",
          "Decide about what was seen: what waits for a person, and what people said",
          review_opts },
        { "rules", 1, 2, QN_NEED_DATA, cmd_rules, "list|show|test|docs [ID|DIR]",
          "list|show|test|docs", "List, show, test or document the rules", rules_opts },
        { "semver", 0, -1, 0, cmd_semver, "QUESTION ARGUMENT...",
          "satisfies|compare|max-satisfying", "Compare versions and ranges as npm does",
          semver_opts },
        { "store", 1, 1, QN_NEED_STATE, cmd_store, "check|vacuum|export|forget",
          "check|vacuum|export|forget",
          "Look after what is remembered: is it sound, hand it on, forget", store_opts },
        { "unpack", 1, 1, 0, cmd_unpack, "FILE", NULL,
          "List a package archive as npm reads it, or put its files below a directory",
          unpack_opts },
        { "watch", 0, -1, QN_NEED_DATA | QN_NEED_STATE | QN_NEED_CACHE, cmd_watch, "[run|status]",
          "run|status", "Follow the registry, and judge every version that is published",
          watch_opts },
        { "version", 0, 0, 0, cmd_version, "", NULL, "Print the version", NULL },
        {}
};

const struct qn_verb *qn_verb_find(const char *name)
{
        for (const struct qn_verb *v = qn_verbs; v->name; v++)
                if (strcmp(v->name, name) == 0)
                        return v;
        return NULL;
}

static const struct qn_opt *find_in(const struct qn_opt *opts, const char *name)
{
        for (const struct qn_opt *o = opts; o && o->name; o++)
                if (strcmp(o->name, name) == 0)
                        return o;
        return NULL;
}

const struct qn_opt *qn_opt_find(const struct qn_verb *v, const char *name)
{
        const struct qn_opt *o = find_in(v->opts, name);

        return o ? o : find_in(qn_common_opts, name);
}
