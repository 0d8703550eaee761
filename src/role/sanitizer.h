/* sanitizer.h - whether this build carries ASan or UBSan: they need more memory and a few more
 * system calls. */
#pragma once

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer) || \
        __has_feature(undefined_behavior_sanitizer)
#define QN_SANITIZED 1
#else
#define QN_SANITIZED 0
#endif
