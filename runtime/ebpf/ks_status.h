/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a function returns that may be left early: 0 if it came to its end, else why it did not. Its result is given
 * through its last parameter then. Used by eBPF programs and by userspace.
 */
#ifndef KS_STATUS_H
#define KS_STATUS_H

#include <linux/types.h>

#define KS_THROWN 1ULL					 /* the upper half of what throw gives */
#define KS_THROW(code) (KS_THROWN << 32 | (__u32)(code)) /* throw code */
#define KS_BOUNDS (2ULL << 32)				 /* a packet check failed */
#define KS_PANIC (3ULL << 32)				 /* panic(), or an assert() that does not hold */

/* What load and attach throw. */
#define LOAD_ERROR_PROGRAM_NOT_FOUND 20
#define LOAD_ERROR_REJECTED 21
#define LOAD_ERROR_PERMISSION 22
#define LOAD_ERROR_KERNEL_TOO_OLD 23
#define LOAD_ERROR_MODULE 24
#define LOAD_ERROR_PIN_LAYOUT 25
#define ATTACH_ERROR_PERMISSION_DENIED 30
#define ATTACH_ERROR_NO_TARGET 31
#define ATTACH_ERROR_BUSY 32
#define ATTACH_ERROR_OTHER 39

#endif
