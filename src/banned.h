/* banned.h - force-included into every file: calls that have no place in a program that reads hostile bytes.
 * Unbounded copies, calls with hidden static state, and the shell. */
#ifndef QN_BANNED_H
#define QN_BANNED_H

/* The libraries' own headers come first, so that only our code is held to the list. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat strncpy strncat stpcpy sprintf vsprintf gets
#pragma GCC poison strtok asctime ctime gmtime localtime atoi atol atoll atof
#pragma GCC poison tmpnam tempnam mktemp system popen

#endif
