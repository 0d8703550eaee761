/* limits.h - every cap of the program, one line each, each with a test.  What goes past a cap is reported as such and
 * the package becomes `unknown` unless something worse was found; nothing is silently cut. */
#pragma once

/* --- compressed and archived input --- */
#define QN_TARBALL_MAX  ((size_t)512 << 20) /* bytes of one compressed tarball */
#define QN_UNPACKED_MAX ((size_t)2 << 30)   /* bytes that one tarball may unpack to */
#define QN_UNPACKED_FAST_MAX \
        ((size_t)48 << 20)        /* up to here a tarball is inflated whole, above it streams */
#define QN_GZ_RATIO_MAX     1100u /* deflate cannot exceed 1032:1; more is a broken decoder or a lie */
#define QN_GZ_MEMBERS_MAX   1024u              /* concatenated gzip members */
#define QN_TAR_ENTRIES_MAX  200000u            /* entries in one tarball */
#define QN_TAR_NAME_MAX     4096u              /* bytes of one path */
#define QN_TAR_PAX_MAX      ((size_t)1 << 20)  /* bytes of one pax or GNU long-name header */
#define QN_TAR_TRAILING_MAX ((size_t)1 << 20)  /* bytes of padding behind the end of an archive */
#define QN_FILE_MAX         ((size_t)32 << 20) /* bytes of one text file that is analysed whole */

#define QN_FILE_PEEK \
        ((size_t)64 << 10) /* bytes of head and tail that are looked at of a larger file */
#define QN_UNPACKED_KEEP \
        ((size_t)8 << 20) /* bytes of an unpacking buffer kept for the next package */
#define QN_NAMES_MAX       ((size_t)96 << 20) /* memory for finding names that are twice in one package */
#define QN_NAMES_ALIKE_MAX 64u                /* names of one package that differ only by case */
#define QN_SCAN_ROUNDS_MAX 16u /* times that a package is walked again for files wanted later */
#define QN_SNIFF_MAX       ((size_t)8 << 10) /* bytes of a file that are looked at to tell its format */
#define QN_SRI_HASHES_MAX  32u /* hashes of the deciding algorithm in one integrity string */

/* --- executables and what hides in other files --- */
#define QN_EXE_NAME_MAX     512u              /* bytes of one imported name */
#define QN_EXE_NAMES_MAX    20000u            /* imported names, and libraries */
#define QN_EXE_LIBS_MAX     1024u             /* libraries of one PE table */
#define QN_EXE_SYMBOLS_MAX  200000u           /* entries of one symbol table */
#define QN_EXE_SECTIONS_MAX 1024u             /* sections, and segments */
#define QN_EXE_COMMANDS_MAX 4096u             /* load commands of one Mach-O file */
#define QN_EXE_TEXT_MAX     ((size_t)8 << 20) /* bytes of one executable that are searched for text */
#define QN_ZIP_ENTRIES_MAX  1000000u
#define QN_NESTED_DEPTH_MAX 3u    /* archives inside archives inside the package */
#define QN_NESTED_FILES_MAX 5000u /* files of one archive inside a package */
#define QN_NESTED_MAX \
        ((size_t)16   \
         << 20) /* bytes that one archive inside a package may unpack to, and of one file in it */
#define QN_NESTED_TOTAL_MAX       ((size_t)256 << 20) /* bytes of all archives inside one package */
#define QN_NESTED_FILES_TOTAL_MAX 20000u              /* their files */

/* --- documents --- */
#define QN_JSON_DEPTH_MAX   512u                /* nesting of arrays and objects */
#define QN_JSON_MAX         ((size_t)256 << 20) /* bytes of one JSON document */
#define QN_YAML_DEPTH_MAX   64u
#define QN_YAML_NODES_MAX   1000000u
#define QN_YAML_MAX         ((size_t)32 << 20)
#define QN_SEMVER_MAX       256u   /* characters of a version, as node-semver */
#define QN_RANGE_MAX        65536u /* characters of a range */
#define QN_NPMRC_MAX        ((size_t)1 << 20)
#define QN_GYP_MAX          ((size_t)1 << 20)
#define QN_GYP_DEPTH_MAX    128u  /* nesting in a gyp file */
#define QN_GYP_COMMANDS_MAX 1024u /* commands in one gyp file */
#define QN_PKGJSON_ODD_MAX  64u   /* remarks on one package.json */
#define QN_PKGJSON_CONDITIONS_MAX \
        1024u /* bytes of the conditions around one target of exports or imports */
#define QN_PACKUMENT_VERSIONS_MAX 200000u
#define QN_PACKUMENT_TAGS_MAX     100000u
#define QN_PACKUMENT_MEMBERS_MAX  4096u /* members of the document itself */
#define QN_POLICY_MESSAGE_MAX     4096u /* bytes of what npm shows when it may not have a version */
#define QN_POLICY_REASON_MAX      256u  /* bytes of the same of one version */
#define QN_AUDIT_MAX              ((size_t)32 << 20) /* bytes of a question for advisories, decompressed */
#define QN_AUDIT_PAIRS_MAX        200000u            /* packages in it */
#define QN_LOCK_PACKAGES_MAX      1000000u
#define QN_BOM_EDGES_MAX          4000000u /* who needs whom in one document */
#define QN_BOM_CLIMB_MAX          256u     /* directories that are climbed to find a dependency */

/* --- signatures and provenance --- */
#define QN_ATTESTATIONS_MAX       ((size_t)4 << 20)  /* bytes of a document of attestations */
#define QN_ATTESTATIONS_COUNT_MAX 32u                /* attestations of one version */
#define QN_ATTESTATION_ARENA_MAX  ((size_t)64 << 20) /* memory for all that is read of them */
#define QN_BUNDLE_CERTS_MAX       8u                 /* certificates in one bundle */
#define QN_BUNDLE_ENTRIES_MAX     4u                 /* log entries in one bundle */
#define QN_BUNDLE_PROOF_MAX       64u                /* hashes of one proof of inclusion */
#define QN_CHECKPOINT_LINES_MAX   32u                /* lines of a log's checkpoint */
#define QN_STATEMENT_SUBJECTS_MAX 64u                /* subjects of one statement */
#define QN_TRUST_MAX              ((size_t)2 << 20)  /* bytes of a file of roots or of keys */
#define QN_TRUST_ENTRIES_MAX      64u                /* authorities, logs or keys in one file */
#define QN_CERT_PARTS_MAX         16u /* members of the signed part of a certificate */
#define QN_CERT_EXTENSIONS_MAX    64u /* extensions of one certificate */
#define QN_SCT_MAX                8u  /* timestamps of logs in one certificate */
#define QN_PUBLISHED_BEFORE_MAX   64u /* earlier versions that a version is compared with */

/* --- commands --- */
#define QN_COMMAND_MAX        ((size_t)64 << 10) /* bytes of one shell command line */
#define QN_COMMAND_DEPTH_MAX  8u                 /* sh -c inside sh -c inside … */
#define QN_SHELL_COMMANDS_MAX 4096u              /* simple commands of one script */
#define QN_SHELL_VARS_MAX     64u                /* constants of one shell script */
#define QN_SHELL_PASSES_MAX   4u                 /* values of one list in a script that are tried */
#define QN_SCRIPT_MAX         ((size_t)1 << 20)  /* bytes of one shell script that are read */
#define QN_SHELL_DIR_MAX      1024u              /* bytes of a directory that cd leads to */

/* --- JavaScript --- */
#define QN_JS_FILE_MAX  ((size_t)24 << 20) /* bytes of one source file that is parsed */
#define QN_JS_DEPTH_MAX 1500u              /* nesting of syntax */
#define QN_JS_TRIES     8u /* bytes looked at ahead in vain, per byte of source... */
#define QN_JS_TRIES_MIN ((size_t)64 << 10)  /* ...and these for any file */
#define QN_JS_ARENA_MAX ((size_t)176 << 20) /* memory of one syntax tree */

/* --- JavaScript that is run with partly known values --- */
#define QN_VM_ARENA_MAX ((size_t)48 << 20) /* memory of one package's values and syntax trees */
#define QN_VM_ARENA_OBFUSCATED_MAX \
        ((size_t)128 << 20) /* of one whose strings are decoded when they are used */
#define QN_VM_TREES_MAX  ((size_t)16 << 20) /* trees kept so that nothing is parsed twice */
#define QN_VM_FILE_MAX   ((size_t)4 << 20)  /* bytes of one file */
#define QN_VM_SOURCE_MAX ((size_t)8 << 20)  /* bytes of one package's files */

/* --- one package --- */
#define QN_FARM_TEXT_MAX \
        8192u /* bytes of a README and the like that are compared with those of others */
#define QN_NEW_DEPENDENCIES_MAX \
        64u                  /* dependencies new in one version whose documents are fetched */
#define QN_ACCOUNTS_MAX  64u /* accounts around one package that are looked at together */
#define QN_PKG_ARENA_MAX ((size_t)64 << 20) /* names, summaries and events of one package */
#define QN_DIFF_ARENA_MAX \
        ((size_t)96 << 20) /* hashes and statements of two versions of a package */
#define QN_PREVIOUS_TEXTS_MAX \
        ((size_t)24           \
         << 20) /* programs of a large version before that are kept while the package is read */
#define QN_EVENTS_MAX      20000u /* events of one package */
#define QN_EVENTS_KIND_MAX 256u   /* events of one kind in one file */
#define QN_ATTR_MAX        512u   /* bytes of one event attribute */
#define QN_FLOW_MAX        2048u  /* bytes of the flow that leads to an event */
#define QN_PKG_SECONDS     20u    /* processor time of one package in the analyse role */

#define QN_PARKED_MAX 5000u /* packages of one run that wait to be compared with each other */

/* --- roles --- */
#define QN_ROLE_MEMORY      ((size_t)1 << 30)   /* address space that an analyse role may grow by */
#define QN_ROLE_MESSAGE_MAX ((size_t)192 << 10) /* bytes of one packet between processes */
#define QN_ROLE_PARAMS_MAX  ((size_t)96 << 10)  /* parameters of one job */
#define QN_ROLE_INLINE_MAX \
        ((size_t)64 << 10) /* input that travels in the packet; more goes through a descriptor */
#define QN_ROLE_INPUT_MAX ((size_t)512 << 20) /* input of one job */
#define QN_ROLE_READ_MAX \
        ((size_t)16 << 20) /* up to here an input is read into memory, above it is mapped */
#define QN_ROLE_OUTPUT_MAX    ((size_t)320 << 20) /* bytes that one job may write to a file */
#define QN_ROLE_REPLY_MAX     ((size_t)256 << 20) /* reply to one job, whatever its kind allows */
#define QN_ROLE_ERROR_MAX     ((size_t)256) /* the sentence that replaces a reply when a job fails */
#define QN_DOCUMENT_ARENA_MAX ((size_t)512 << 20) /* memory of one lock file or registry document */
#define QN_EVENTS_REPLY_MAX   ((size_t)64 << 20)  /* an event set as bytes */
#define QN_PICK_REPLY_MAX     ((size_t)64 << 10)  /* the choice of a version */
#define QN_FACTS_REPLY_MAX    ((size_t)128 << 20) /* what a packument says of all versions */
#define QN_AUDIT_REPLY_MAX    ((size_t)128 << 20) /* packages that advisories are asked for */
#define QN_NPMRC_REPLY_MAX    ((size_t)16 << 20)  /* the lines of a project's .npmrc */
#define QN_CACHED_REPLY_MAX \
        ((size_t)64 << 10)      /* what the index of npm's cache says of one answer */
#define QN_URL_MAX        8192u /* address of a tarball; also an integrity */
#define QN_ROLE_BATCH_MAX 8u    /* jobs that wait at one worker, the running one included */
#define QN_ROLE_BATCH_BYTES \
        ((size_t)1 << 20)        /* input that waits at one worker behind the running job */
#define QN_ROLE_CRASHES_MAX   2u /* workers that die of the same job before it is blamed */
#define QN_ROLE_WORKERS_MAX   64u
#define QN_ROLE_STRIKES_MAX   250u /* crashes more than answers before a pool gives up */
#define QN_ROLE_STARTS_MAX    5u   /* workers in a row that die before they are ready */
#define QN_ROLE_START_SECONDS 30u  /* time to become ready */
#define QN_ROLE_WALL_SECONDS \
        (3 * QN_PKG_SECONDS + 10) /* time of one job, for a worker whose own clock failed */

/* --- rules and verdicts --- */
#define QN_RULES_ARENA_MAX    ((size_t)256 << 20) /* memory of all rules and their texts */
#define QN_RULES_DIRS_MAX     8u /* directories below one another that are looked into for rules */
#define QN_SCORE_FEATURES_MAX 256u  /* features of the learned score */
#define QN_SCORE_EVENTS_MAX   255u  /* events that one of them counts */
#define QN_COUNT_MAX          64u   /* the largest at-least: of a count: */
#define QN_EVIDENCE_MAX       8u    /* events shown with one finding */
#define QN_EXPLAIN_MAX        4096u /* bytes of one explanation */

/* --- network --- */
#define QN_PACKUMENT_MAX   ((size_t)256 << 20)
#define QN_HTTP_REDIRECTS  5u
#define QN_HTTP_TRIES      4u     /* first try and three repeats */
#define QN_HTTP_INFLIGHT   64u    /* transfers under way at once; the rest waits in a queue */
#define QN_HTTP_CONNECT_MS 15000u /* DNS, TCP and TLS of one connection */
#define QN_HTTP_SLOW_BYTES \
        512u /* bytes a second; below this for QN_HTTP_SLOW_S the server is too slow */
#define QN_HTTP_SLOW_S      60u
#define QN_HTTP_TRANSFER_MS 900000u /* one transfer from start to end */
#define QN_HTTP_WAIT_MAX_MS 120000u /* the longest Retry-After that is waited for */
#define QN_HTTP_DISCARD_MAX \
        ((size_t)256 << 10)         /* bytes read of an answer whose body is not wanted (errors) */
#define QN_URL_MAX            8192u /* characters of a URL */
#define QN_NAME_MAX           512u  /* characters of a package name that is asked for */
#define QN_NPMCONF_MAX        ((size_t)16 << 20) /* memory of one resolved npm configuration */
#define QN_CACACHE_BUCKET_MAX ((size_t)16 << 20) /* bytes of one bucket file of npm's cache index */
#define QN_CACACHE_LINE_MAX   ((size_t)256 << 10) /* bytes of one line in it */

#define QN_HTTP_PAYLOAD_MAX ((size_t)256 << 20) /* bytes that one request sends */
#define QN_MAIL_ANSWER_S    60u                 /* of a mail server to one command */
#define QN_HTTP_CHALLENGES  16u                 /* values of www-authenticate that are read */

#define QN_FETCH_WINDOW \
        128u /* requests that the fetch role holds at once; the rest waits in the parent */
#define QN_FETCH_HEADER_MAX \
        8192u                  /* bytes of one header; a longer one of an answer counts as absent */
#define QN_FETCH_PING_S    5u  /* silence after which the fetch role is asked whether it is alive */
#define QN_FETCH_SILENCE_S 15u /* and time to answer that */

/* --- the gate --- */
#define QN_ROUTE_PATH_MAX    1024u /* bytes of a request's path, decoded, without its query */
#define QN_FRONT_TEXT_MAX    256u  /* bytes of what a client says of itself */
#define QN_ALARM_FETCHES_MAX 1000u /* fetches that one message lists */
#define QN_ALARM_TEXT_MAX    4096u /* bytes of one text in it */

#define QN_GATE_TURN \
        256u /* messages of the HTTP face that are taken at once; notes that are written together */
#define QN_GATE_KEEP_MAX \
        ((uint64_t)48 << 20) /* bytes of answers that the HTTP face keeps in memory */
#define QN_GATE_FACTS_MAX    ((size_t)64 << 20) /* memory of what decides about one package */
#define QN_GATE_PACKAGES_MAX 512u               /* packages whose facts are kept in memory */
#define QN_GATE_RETRY_MS     10000 /* after a failure upstream, until it is asked again */
#define QN_GATE_TRIES        2u /* of a request upstream: its client waits, and tries again itself */
#define QN_GATE_SILENCE_MS   20000u  /* of the registry behind, that ends a request to it */
#define QN_GATE_UPSTREAM_MS  120000u /* one request upstream, from its begin to its end */
#define QN_GATE_AGAIN_MAX    1u      /* artifacts that are judged again at the same time */
#define QN_GATE_AGAIN_TURN   64u     /* that are begun before clients are heard again */
#define QN_GATE_AGAIN_MS     3600000 /* until what could not be had for that is tried again */
#define QN_GATE_WATCH_MS     30000   /* between two looks whether intelligence has news */
#define QN_GATE_UNKNOWN_MS   600000  /* a recorded `unknown` counts, until it is looked at again */
#define QN_GATE_KEPT_MS      900000  /* the face answers with an artifact without asking */
#define QN_GATE_ANEW_MAX \
        16u /* times that a document is made anew, because decisions changed meanwhile */
#define QN_GATE_HOOKS_MS \
        INT64_C(1209600000) /* install scripts count as new for so long after the first version that had them */
#define QN_GATE_BUSY_MS    1000   /* another process may hold the ledger for so long */
#define QN_GATE_WEBHOOK_MS 30000u /* one call of a webhook */
#define QN_FLIGHT_ARENA_MAX \
        ((size_t)192 << 20) /* memory of one artifact while it is decided about */

/* --- the gate's HTTP face --- */
#define QN_FRONT_THREADS_MAX 8u
#define QN_FRONT_PATH_MAX    4096u /* bytes of a request's path with its query */
#define QN_FRONT_HEADERS_MAX \
        16384u /* memory of one connection: headers of a request and of its answer */
#define QN_FRONT_HEADER_MAX  2048u /* bytes of one header of an answer */
#define QN_FRONT_CONNECTIONS 8192u
#define QN_FRONT_PER_ADDRESS 1024u /* connections of one address */
#define QN_FRONT_IDLE_S      60u   /* silence after which a connection is ended */
#define QN_FRONT_HEAD_S      15u /* time for the head of a request, beyond the idle time before it */
#define QN_FRONT_SLOW_BYTES \
        8192u /* bytes a second; a body that goes slower, beyond the idle time, is given up */
#define QN_FRONT_BODY_MAX ((size_t)128 << 20) /* bytes of a request's body */
#define QN_FRONT_SPILL_MAX \
        ((size_t)16 << 20) /* bytes behind those, read so that their sender hears why */
#define QN_FRONT_BODIES_MAX  ((size_t)512 << 20) /* of all bodies at once */
#define QN_FRONT_SENDING_MAX ((size_t)512 << 20) /* bytes that wait on their way to the gate */
#define QN_FRONT_WAITING_MAX 65536u              /* questions and notes under way */
#define QN_FRONT_ANSWER_S    960u                /* time for an answer of the gate */
#define QN_FRONT_SMALL       ((size_t)64 << 10)  /* up to here a body is kept in memory */
#define QN_FRONT_KEEP        ((size_t)64 << 20)  /* bytes of kept answers, when nothing is said */
#define QN_FRONT_FILES       65536u /* descriptors: half for connections and what they send */
#define QN_FRONT_KEEP_FILES  8192u  /* answers kept with an open file */
#define QN_FRONT_TOKENS_MAX  10000u
#define QN_FRONT_CONFIG_MAX  ((size_t)8 << 20) /* bytes of a configuration as a message */
#define QN_FRONT_LOG_MAX     ((size_t)1 << 20) /* bytes of one thread's log that are not written yet */
#define QN_FRONT_MEMORY      ((size_t)8 << 30) /* address space that the face may grow by */

/* --- the program itself --- */
#define QN_CONFIG_MAX ((size_t)1 << 20)  /* bytes of the configuration file */
#define QN_SHOW_MAX   ((size_t)16 << 10) /* bytes of one hostile text that are shown to people */

/* --- directories given to check --- */
#define QN_PACK_MAX       ((size_t)512 << 20) /* bytes of one directory that is analysed as a package */
#define QN_PACK_DEPTH_MAX 64u                 /* nesting of its directories */

/* --- inventory --- */
#define QN_INVENTORY_ARENA_MAX ((size_t)2 << 30) /* memory of one inventory */
#define QN_INVENTORY_FILES_MAX 200000u           /* documents found below one directory */
#define QN_INVENTORY_DIRS_MAX  1000000u          /* directories that are looked into */
#define QN_INVENTORY_DEPTH_MAX 64u               /* nesting of them */
#define QN_INVENTORY_BUNDLE_MAX \
        ((size_t)512 << 20)                      /* bytes of the package.json files of one tree */
#define QN_INVENTORY_FILE_MAX ((size_t)16 << 20) /* bytes of one package.json */
#define QN_INVENTORY_BESIDE_MAX \
        ((size_t)64 << 20)                      /* bytes of the package.json files of one project */
#define QN_IMAGE_LAYER_MAX    ((size_t)8 << 30) /* bytes that one layer of an image may unpack to */
#define QN_IMAGE_ENTRIES_MAX  2000000u          /* files of one layer */
#define QN_ZST_WINDOW_LOG_MAX 27u               /* what a zstd frame may look back: 128 MB */
#define QN_IMAGE_SECONDS      120u              /* processor time of one image */
#define QN_CONTENT_MIN        256u   /* bytes of a file that says which package it is from */
#define QN_CONTENT_FILES_MAX  50000u /* such files of one package */
#define QN_COPIES_MAX         200000u /* files below one directory that are held against those known */
#define QN_COPY_PACKAGES_MAX  1024u    /* packages that may have the same file */
#define QN_COPY_NAMES_MAX     8u       /* names among them: what more have is nobody's */
#define QN_COPY_HITS_MAX      8000000u /* files of a directory, times the packages that have them */
#define QN_COPY_BYTES_MIN     512u     /* bytes that make a copy */

/* --- intelligence --- */
#define QN_OSV_MAX            ((size_t)8 << 20) /* bytes of one OSV record */
#define QN_OSV_ID_MAX         400u              /* characters; names of packages are part of some */
#define QN_OSV_AFFECTED_MAX   10000u            /* packages that one record names */
#define QN_OSV_EVENTS_MAX     100000u           /* in all ranges of one record */
#define QN_OSV_VERSIONS_MAX   100000u
#define QN_OSV_INDICATORS_MAX 2000u
#define QN_MAL_VERSIONS_MAX   500u                /* of one package, in a record that is written */
#define QN_MAL_IOCS_MAX       1000u               /* addresses in it */
#define QN_MAL_RECORD_MAX     ((size_t)2 << 20)   /* bytes of it */
#define QN_MAL_BATCH_MAX      200u                /* records in one commit */
#define QN_MAL_TARGETS_MAX    20000u              /* packages of one call, or of one list */
#define QN_DIGEST_FILES_MAX   512u                /* files of one archive that are hashed for it */
#define QN_DIGEST_WALLETS_MAX 20u                 /* wallets that are told of one file */
#define QN_OSV_REFERENCES_MAX 64u                 /* of one record; further ones are left out */
#define QN_CHANGES_MAX        50000u              /* changed records that are fetched one by one */
#define QN_REPLICA_MAX        100000u             /* changes of one page of a replication feed */
#define QN_REPLICA_SEQ_MAX    512u                /* bytes of a sequence in it */
#define QN_OWN_ENTRIES_MAX    10000u              /* of an organisation's own list */
#define QN_LISTING_CELL_MAX   65536u              /* bytes of one cell of a table */
#define QN_FEED_ENTRIES_MAX   1000000u            /* files in one archive of records */
#define QN_FEED_ARENA_MAX     ((size_t)512 << 20) /* memory for one record, or for one list */
#define QN_FEED_REPLY_MAX     ((size_t)256 << 20) /* bytes of all records of one job */
#define QN_FEED_DOWNLOAD_MAX  ((size_t)1 << 30)   /* bytes of a feed */
#define QN_FEED_PIECE         ((size_t)16 << 20)  /* bytes that are asked for at a time */
#define QN_FEED_PAGES_MAX     5000u               /* of an interface that gives pages */
#define QN_FEED_SECONDS       120u                /* processor time of one job */

/* --- reports --- */
#define QN_GIT_MS               120000            /* of one call of git */
#define QN_REPORT_WAIT_MS       INT64_C(300000)   /* before a version is offered again: at first */
#define QN_REPORT_WAIT_MAX_MS   INT64_C(86400000) /* and at last */
#define QN_REPORT_WAIT_KNOWN_MS INT64_C(2592000000) /* when others have reported it */

/* --- the gate's files --- */
#define QN_GATE_FILE_MAX         ((size_t)8 << 20)   /* bytes of one */
#define QN_GATE_ARENA_MAX        ((size_t)128 << 20) /* memory for one */
#define QN_GATE_TEXT_MAX         2000u               /* bytes of one text in it */
#define QN_GATE_LIST_MAX         1000u /* entries of a list of texts, upstreams, tokens */
#define QN_GATE_DURATION_MAX     UINT64_C(315360000000) /* milliseconds: ten years */
#define QN_POLICY_PATTERN_MAX    214u    /* characters of a package's name or pattern, as npm's */
#define QN_POLICY_ENTRIES_MAX    20000u  /* patterns in one mapping of a policy */
#define QN_POLICY_EXCEPTIONS_MAX 2000u   /* exceptions, and overrides */
#define QN_POLICY_OVERRIDE_DAYS  30u     /* the longest that an override may last */
#define QN_POLICY_BUDGET_MAX_MS  600000u /* the longest that a client waits for an analysis */
#define QN_POLICY_CASES_MAX      5000u   /* cases that a policy is tested with */

/* --- campaigns --- */
#define QN_SKETCH_FILE_MAX      ((size_t)96 << 10)  /* bytes of one file that a sketch is made of */
#define QN_SKETCH_PACKAGE_MAX   ((size_t)768 << 10) /* bytes of all files of one package */
#define QN_IMPRINT_FILES_MAX    24u        /* files of one package that others may have, too */
#define QN_IMPRINT_DEPS_MAX     24u        /* its dependencies, the same */
#define QN_IMPRINT_SEEN_MAX     20000u     /* files among which those are chosen */
#define QN_CLUSTER_MEMBERS_MAX  100000000u /* packages that are compared with each other */
#define QN_CLUSTER_FEATURES_MAX 64u        /* of one package; further ones are left out */
#define QN_NAME_FIELDS_MAX      8u  /* words and numbers of a name that a generator may have made */
#define QN_CAMPAIGN_RULES_MAX   64u /* in data/campaigns.yaml */
#define QN_CAMPAIGN_MINUTES_MAX 10080u   /* in which packages count as published together */
#define QN_TRACE_MAX            8192u    /* bytes that are kept of one version */
#define QN_TRACK_MEMBERS_MAX    1500000u /* versions that are held in memory */
#define QN_TRACK_MEMBERS_KEPT   1000000u /* of them, the latest ones, when that is reached */
#define QN_GENERATORS_MAX       32768u   /* templates of names that are watched at a time */

/* --- judging again, reviews --- */

#define QN_REJUDGE_STEP_MAX  4096u /* versions that are judged again between two transactions */
#define QN_REJUDGE_WRITE_MAX 2000u /* of them that are written in one transaction */
#define QN_REJUDGE_JOBS_MAX  64u   /* processes that judge at a time */
#define QN_REVIEW_TEXT_MAX   2000u /* characters of a person's reason or note */
#define QN_REVIEW_WHO_MAX    100u  /* characters of a person's name */

/* --- notifications --- */
#define QN_NOTIFY_PARTS_MAX   1000u /* notices that one message holds; further ones are counted */
#define QN_NOTIFY_DETAILS_MAX 25u   /* of them that are told in full in mail and issues */
#define QN_NOTIFY_LINES_MAX   300u  /* of them that are named there */
#define QN_NOTIFY_PLACES_MAX \
        500u /* places of one package that one notice lists; the rest is counted */
#define QN_NOTIFY_FINDINGS_MAX 20u               /* findings of one notice */
#define QN_NOTIFY_TEXT_MAX     600u              /* columns of one text in it */
#define QN_NOTIFY_MESSAGE_MAX  ((size_t)8 << 20) /* bytes of one message */
#define QN_NOTIFY_ISSUE_MAX    60000u            /* bytes of an issue's body: GitHub takes 65,536 */
#define QN_NOTIFY_ARENA_MAX    ((size_t)64 << 20) /* memory of one message while it is made */
#define QN_NOTIFY_INFLIGHT     4u    /* messages of one channel that are under way at once */
#define QN_NOTIFY_OUTPUT_MAX   4096u /* bytes kept of what a command prints */
#define QN_NOTIFY_WAIT_MAX_MS  INT64_C(43200000) /* the longest wait between two tries */
