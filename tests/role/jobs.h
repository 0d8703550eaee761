/* jobs.h - what the test role can do: behave, misbehave, and try to get out (probes.h). */
#pragma once

#include "role/role.h"

enum test_job {
        JOB_ECHO = 1, /* reply: parameters, then input */
        JOB_SLEEP,    /* parameters: u32 milliseconds */
        JOB_CRASH,    /* parameters: u32 signal to send itself, 0: write to a null pointer */
        JOB_LOOP,     /* uses the processor for ever */
        JOB_ALLOC,    /* parameters: u32 megabytes, in pieces of u32 megabytes, touched */
        JOB_EXIT,     /* parameters: u32 exit status */
        JOB_FAIL,     /* -EILSEQ and a sentence with control characters */
        JOB_SIZE,     /* parameters: u32 bytes of reply */
        JOB_RAW,      /* sends the input as a packet of its own, then behaves like JOB_EXIT */
        JOB_CLOSE,    /* closes its socket and goes on for ever */
        JOB_SEND_FD,  /* sends one of its descriptors along with a right reply */
        JOB_PROBE,    /* parameters: u32 index of a probe, u32 process id of the parent; reply: u32
                         errno */
        JOB_STATE,    /* reply: struct test_state */
        JOB_SUM, /* reply: u64 sum of the bytes of the input; parameters: u32 milliseconds to wait
                    before it */
        JOB_BESIDE, /* reply: the input, and what is beside it */
        JOB_WRITE,  /* output: the input; parameters: u32 what else it does, enum test_write */
};

#define JOB_WRITE_MAX ((size_t)1 << 20)

enum test_write {
        WRITE_ONLY,
        WRITE_CRASH,    /* writes, and crashes */
        WRITE_MAP,      /* maps the output for writing, and goes on so */
        WRITE_PAST,     /* more than it may, past the function that counts */
        WRITE_FAIL,     /* and then fails */
        WRITE_TOO_MUCH, /* as much as it is let */
};

struct test_state {
        int32_t pid;
        uint32_t descriptors; /* bit n: descriptor n is open */
        uint32_t environment; /* number of variables */
        uint32_t opened;      /* what qn_role_def.open left: 0x600d */
};

extern const struct qn_role_def test_role, test_fetch_role, test_serve_role;
