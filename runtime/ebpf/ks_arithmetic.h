/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arithmetic of KernelScript where C leaves it undefined: x / 0 is 0, x % 0 is x, and the most negative value divided
 * by -1 is itself, as in the eBPF instruction set (Documentation/bpf/standardization/instruction-set.rst). Used by eBPF
 * programs and by userspace. Signed division is built from unsigned division, since clang 14 has no other for eBPF.
 */
#ifndef KS_ARITHMETIC_H
#define KS_ARITHMETIC_H

#include <linux/types.h>

/* Conditions are the developer's: clang says nothing of those of which it finds that they cannot hold together. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Wtautological-overlap-compare"
#endif

#define KS_ARITHMETIC static inline __attribute__((always_inline, unused))

KS_ARITHMETIC __u32 ks_div_u32(__u32 a, __u32 b) { return b ? a / b : 0; }
KS_ARITHMETIC __u64 ks_div_u64(__u64 a, __u64 b) { return b ? a / b : 0; }
KS_ARITHMETIC __u32 ks_mod_u32(__u32 a, __u32 b) { return b ? a % b : a; }
KS_ARITHMETIC __u64 ks_mod_u64(__u64 a, __u64 b) { return b ? a % b : a; }

KS_ARITHMETIC __s64 ks_div_s64(__s64 a, __s64 b)
{
	__u64 x = a < 0 ? 0 - (__u64)a : (__u64)a;
	__u64 y = b < 0 ? 0 - (__u64)b : (__u64)b;
	__u64 quotient = ks_div_u64(x, y);

	return (__s64)((a < 0) != (b < 0) ? 0 - quotient : quotient);
}

KS_ARITHMETIC __s64 ks_mod_s64(__s64 a, __s64 b)
{
	__u64 x = a < 0 ? 0 - (__u64)a : (__u64)a;
	__u64 y = b < 0 ? 0 - (__u64)b : (__u64)b;
	__u64 rest = ks_mod_u64(x, y);

	return (__s64)(a < 0 ? 0 - rest : rest);
}

KS_ARITHMETIC __s32 ks_div_s32(__s32 a, __s32 b) { return (__s32)ks_div_s64(a, b); }
KS_ARITHMETIC __s32 ks_mod_s32(__s32 a, __s32 b) { return (__s32)ks_mod_s64(a, b); }

KS_ARITHMETIC __u32 ks_min_u32(__u32 a, __u32 b) { return a < b ? a : b; }
KS_ARITHMETIC __s32 ks_min_s32(__s32 a, __s32 b) { return a < b ? a : b; }
KS_ARITHMETIC __u64 ks_min_u64(__u64 a, __u64 b) { return a < b ? a : b; }
KS_ARITHMETIC __s64 ks_min_s64(__s64 a, __s64 b) { return a < b ? a : b; }
KS_ARITHMETIC __u32 ks_max_u32(__u32 a, __u32 b) { return a > b ? a : b; }
KS_ARITHMETIC __s32 ks_max_s32(__s32 a, __s32 b) { return a > b ? a : b; }
KS_ARITHMETIC __u64 ks_max_u64(__u64 a, __u64 b) { return a > b ? a : b; }
KS_ARITHMETIC __s64 ks_max_s64(__s64 a, __s64 b) { return a > b ? a : b; }
KS_ARITHMETIC __u32 ks_abs_u32(__u32 a) { return a; }
KS_ARITHMETIC __u64 ks_abs_u64(__u64 a) { return a; }
KS_ARITHMETIC __s32 ks_abs_s32(__s32 a) { return a < 0 ? (__s32)(0 - (__u32)a) : a; }
KS_ARITHMETIC __s64 ks_abs_s64(__s64 a) { return a < 0 ? (__s64)(0 - (__u64)a) : a; }

#endif
