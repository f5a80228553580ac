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

#endif
