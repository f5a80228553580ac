/* SPDX-License-Identifier: Apache-2.0 */
/* Support code of generated eBPF programs. */
#ifndef KS_EBPF_H
#define KS_EBPF_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "ks_arithmetic.h"
#include "ks_status.h"

/*
 * The packet's first byte, and the one after its last. Of `(void *)(long)ctx->data` a compiler may keep the 32 bits in
 * one place and make the pointer in another: the verifier then takes it for a number. This is one load that gives a
 * pointer. To the compiler it is computed from `ctx` alone, so that it is done once; after what moves the packet,
 * barrier_var(ctx) makes it be done again.
 */
#ifdef __bpf__
#define ks_load_pointer(ctx, member)                                                  \
	({                                                                            \
		void *ks_pointer;                                                     \
		asm("%0 = *(u32 *)(%1 + %2)"                                          \
		    : "=r"(ks_pointer)                                                \
		    : "r"(ctx), "i"(__builtin_offsetof(__typeof__(*(ctx)), member))); \
		ks_pointer;                                                           \
	})
#else
#define ks_load_pointer(ctx, member) ((void *)(long)(ctx)->member)
#endif
#define ks_data(ctx) ks_load_pointer(ctx, data)
#define ks_data_end(ctx) ks_load_pointer(ctx, data_end)

/* The packet, read from where its bytes lie. */
#ifdef __bpf__
extern int bpf_dynptr_from_xdp(struct xdp_md *ctx, __u64 flags, struct bpf_dynptr *packet) __ksym;
extern int bpf_dynptr_from_skb(struct __sk_buff *ctx, __u64 flags, struct bpf_dynptr *packet) __ksym;
#endif

/*
 * An offset in a record, or its size, as the helpers of dynptrs take it: they look at 32 bits, and no record has more
 * than 24 of them (DYNPTR_MAX_SIZE of kernel/bpf/helpers.c).
 */
#define ks_record_offset(bytes) ((__u32)((bytes) > 0xffffff ? 0x1000000 : (bytes)))

/*
 * Writes zeros over a record of a ring buffer: the kernel gives what was there before.
 */
#define KS_CLEARED_AT_ONCE 64
static const __u8 ks_zeros[KS_CLEARED_AT_ONCE];

static __attribute__((unused)) long ks_clear_piece(__u32 piece, void *context)
{
	bpf_dynptr_write(*(struct bpf_dynptr **)context, piece * KS_CLEARED_AT_ONCE, (void *)ks_zeros,
			 KS_CLEARED_AT_ONCE, 0);
	return 0;
}

static inline __attribute__((always_inline, unused)) void ks_clear_record(struct bpf_dynptr *record, __u64 size)
{
	__u32 pieces = size / KS_CLEARED_AT_ONCE;
	__u32 rest = size & (KS_CLEARED_AT_ONCE - 1);

	if (pieces)
		bpf_loop(pieces, ks_clear_piece, &record, 0);
	asm volatile("" : "+r"(rest));
	bpf_dynptr_write(record, (__u32)size - rest, (void *)ks_zeros, rest & (KS_CLEARED_AT_ONCE - 1), 0);
}

/*
 * What fails where nobody is told: writes to maps that were full, tail calls that did not happen. The object has the
 * counter if something counts.
 */
#define ks_count_lost_write() __sync_fetch_and_add(&ks_lost_writes, 1)
#define ks_count_failed_tail_call() __sync_fetch_and_add(&ks_failed_tail_calls, 1)

/*
 * The value, of which the verifier knows nothing any more: it cannot tell that this is zero. Without it a number that
 * each turn of a bpf_loop changes would be a new state in each turn, and the verifier would not come to an end. Nor may
 * the compiler see the sum: of several loops, each of which goes on with what the last one gave, it would keep all the
 * terms on the stack. It is given as 64 bits, of which the variable takes what it has: a bit-field has no typeof.
 */
static volatile __u64 ks_zero __attribute__((unused));
#define ks_forget(value)                                \
	({                                              \
		__u64 ks_forgotten = (value) + ks_zero; \
		asm("" : "+r"(ks_forgotten));           \
		ks_forgotten;                           \
	})

/* The distance of a pointer from the packet's start, which the verifier does not know exactly any more: what a test
 * says of that pointer is nothing that it says of others. */
#define ks_detached(distance)                      \
	({                                         \
		__u64 ks_steps = (distance);       \
		asm volatile("" : "+r"(ks_steps)); \
		ks_steps + (ks_zero & 1);          \
	})

/* What is in memory, of which the verifier knows nothing any more, not even where it is zero. */
#define ks_forget_bytes(place) ks_forget_memory(&(place), sizeof(place))
static __always_inline void ks_forget_memory(void *memory, __u32 size)
{
	__u64 none = ks_forget(0), word;
	__u32 at = 0;
	for (; at + sizeof(word) <= size; at += sizeof(word)) {
		__builtin_memcpy(&word, memory + at, sizeof(word));
		word |= none;
		__builtin_memcpy(memory + at, &word, sizeof(word));
	}
	for (; at < size; at++) {
		((__u8 *)memory)[at] |= none;
	}
}

/* An index that is linked to no other number: since Linux 6.12 the verifier knows numbers by others that differ from
 * them by a constant, and takes that constant for an offset. */
#ifdef __bpf__
#define ks_unlinked(index)                                \
	({                                                \
		__u64 ks_index = (index);                 \
		asm volatile("%0 |= 0" : "+r"(ks_index)); \
		ks_index;                                 \
	})
#else
#define ks_unlinked(index) (index)
#endif

/* What a place holds. The compiler may not make one read of this one and others in other branches. */
#define ks_read(member)                                 \
	({                                              \
		__typeof__(member) ks_value = (member); \
		asm volatile("");                       \
		ks_value;                               \
	})

/*
 * What `new` gives: memory of the kernel that belongs to the program until it is deleted, or NULL. The kernel wants a
 * struct.
 */
#ifdef __bpf__
extern void *bpf_obj_new_impl(__u64 local_type_id, void *meta) __ksym;
extern void bpf_obj_drop_impl(void *object, void *meta) __ksym;
#define ks_new(type) ((type *)bpf_obj_new_impl(__builtin_btf_type_id(*(type *)0, 0), NULL))
#define ks_new_value(type)                                            \
	({                                                            \
		struct ks_object {                                    \
			__typeof__(type) value;                       \
		};                                                    \
		(__typeof__(type) *)(void *)ks_new(struct ks_object); \
	})
#else
#define ks_new(type) ((type *)__builtin_calloc(1, sizeof(type)))
#define ks_new_value(type) ((__typeof__(type) *)__builtin_calloc(1, sizeof(type)))
#define bpf_obj_drop_impl(object, meta) __builtin_free(object)
#endif

/*
 * A number in such memory, read and written by an instruction of its own: the verifier wants each access to lie in one
 * member, a constant distance behind the pointer, and compilers make one access of several.
 */
#ifdef __bpf__
#define ks_load_sized(number, place, size) asm volatile("%0 = *(" size " *)%1" : "=r"(number) : "m"(place))
#define ks_load(place)                                          \
	({                                                      \
		__u64 ks_number;                                \
		if (sizeof(place) == 1)                         \
			ks_load_sized(ks_number, place, "u8");  \
		else if (sizeof(place) == 2)                    \
			ks_load_sized(ks_number, place, "u16"); \
		else if (sizeof(place) == 4)                    \
			ks_load_sized(ks_number, place, "u32"); \
		else                                            \
			ks_load_sized(ks_number, place, "u64"); \
		(__typeof__(place))ks_number;                   \
	})
#define ks_store_sized(place, number, size) asm volatile("*(" size " *)%0 = %1" : "=m"(place) : "r"(number))
#define ks_store(place, value)                                   \
	do {                                                     \
		__u64 ks_number = (__u64)(value);                \
		if (sizeof(place) == 1)                          \
			ks_store_sized(place, ks_number, "u8");  \
		else if (sizeof(place) == 2)                     \
			ks_store_sized(place, ks_number, "u16"); \
		else if (sizeof(place) == 4)                     \
			ks_store_sized(place, ks_number, "u32"); \
		else                                             \
			ks_store_sized(place, ks_number, "u64"); \
	} while (0)
#else
#define ks_load(place) (place)
#define ks_store(place, value) ((void)((place) = (value)))
#endif

/* Writes zeros to the elements of an array in such memory; copies them from there, and to it. */
#define ks_clear_elements(to, count)                                           \
	do {                                                                   \
		KS_UNROLLED                                                    \
		for (__u64 ks_element = 0; ks_element < (count); ks_element++) \
			ks_store((to)[ks_element], 0);                         \
	} while (0)
#define ks_get_elements(to, from, count)                                       \
	do {                                                                   \
		KS_UNROLLED                                                    \
		for (__u64 ks_element = 0; ks_element < (count); ks_element++) \
			(to)[ks_element] = ks_load((from)[ks_element]);        \
	} while (0)
#define ks_put_elements(to, from, count)                                       \
	do {                                                                   \
		KS_UNROLLED                                                    \
		for (__u64 ks_element = 0; ks_element < (count); ks_element++) \
			ks_store((to)[ks_element], (from)[ks_element]);        \
	} while (0)

/* A variable is what it was, but the compiler may not know it, nor make one of this place and another like it. */
#define ks_own(variable) asm volatile("" : "+r"(variable) : "i"(__COUNTER__))

/*
 * Whether something holds, and the compiler may not see why: it would make one test of this one and others. It is
 * compared with 1, since !hidden && !pointer can be one test, (hidden | pointer) == 0, which the verifier refuses.
 */
#define ks_hide(condition)                          \
	({                                          \
		__u64 ks_hidden = (condition);      \
		asm volatile("" : "+r"(ks_hidden)); \
		(bool)(ks_hidden == 1);             \
	})

/* Whether there is such an entry, as a number: of two addresses a compiler could make one test as well. */
#ifdef __bpf__
#define ks_present(entry)                                           \
	({                                                          \
		__u64 ks_there = (__u64)(entry);                    \
		asm("if %0 == 0 goto +1\n%0 = 1" : "+r"(ks_there)); \
		(bool)(ks_there == 1);                              \
	})
#else
#define ks_present(entry) ((entry) != NULL)
#endif

/*
 * What a turn of a loop gives the kernel: 0 goes on, 1 stops. The verifier wants to see which, and a compiler would
 * give the truth that was asked for, or the number that was compared with it.
 */
static inline __attribute__((always_inline, unused)) long ks_turn(long stop)
{
	asm volatile("" : "+r"(stop));
	return stop;
}

/* Before the end of a function: the verifier looks for a result, also where there is none, and refuses an address
 * there. */
#ifdef __bpf__
#define ks_clear_result() asm volatile("r0 = 0" : : : "r0")
#else
#define ks_clear_result() ((void)0)
#endif

/*
 * Bytes between two packet pointers. The compiler may not see through it: it would subtract the lower halves alone,
 * which the verifier refuses for pointers.
 */
static inline __attribute__((always_inline, unused)) __u64 ks_distance(const void *end, const void *start)
{
	__u64 distance = (__u64)(end - start);

	asm volatile("" : "+r"(distance));
	return distance;
}

/*
 * An offset into the packet, or the largest one of so many bits, where no access succeeds. It takes no branch: the
 * verifier would follow both ways of each, and of the next one again.
 */
static inline __attribute__((always_inline, unused)) __u64 ks_reach(__u64 offset, int bits)
{
	__s64 beyond = -(__s64)(offset >> bits);

	/* Where a function that is inlined is given a number, compiler and verifier know the same. */
	if (__builtin_constant_p(offset))
		return offset >> bits ? (1ULL << bits) - 1 : offset;
	asm volatile("" : "+r"(beyond));
	offset |= beyond >> 63;
	/* What the compiler knows of the offset the verifier may not know: the mask stays. */
	asm volatile("" : "+r"(offset));
	return offset & ((1ULL << bits) - 1);
}

/* The offset, which has no more than so many bits: the verifier may not know it. */
static inline __attribute__((always_inline, unused)) __u64 ks_masked(__u64 offset, int bits)
{
	if (!__builtin_constant_p(offset))
		asm volatile("" : "+r"(offset));
	return offset & ((1ULL << bits) - 1);
}

/* Of a loop with many turns that share their work, C compilers would keep more on the stack than there is. */
#ifdef __clang__
#define KS_NOT_UNROLLED _Pragma("clang loop unroll(disable)")
#define KS_UNROLLED _Pragma("clang loop unroll(full)")
#else
#define KS_NOT_UNROLLED
#define KS_UNROLLED
#endif

/*
 * Whether two strings differ in their first bytes. eBPF has no memcmp, and not every clang puts its own in its place.
 */
static inline __attribute__((always_inline, unused)) int ks_differ(const void *left, const void *right, __u64 size)
{
	const char *a = left, *b = right;

	for (__u64 i = 0; i < size; i++)
		if (a[i] != b[i])
			return 1;
	return 0;
}

/*
 * Writes a text behind the first *length bytes of another, whose last byte stays zero, and counts it. Where a text ends
 * is found without a branch: the verifier would follow each length by itself. So it would behind a text that is full,
 * one for each turn in which it can have become so, if lengths were counted on: there is nothing more to write. The
 * compiler may not know where it writes: it would make an `or` of addresses, which the verifier refuses.
 */
static inline __attribute__((always_inline, unused)) void ks_append(void *text, __u32 size, __u32 *length,
								    const void *part, __u32 part_size)
{
	__u64 at = *length;

	KS_NOT_UNROLLED
	for (__u32 i = 0; i < part_size; i++) {
		__u64 byte = ((const __u8 *)part)[i];

		asm volatile("" : "+r"(at), "+r"(byte));
		if (at >= size - 1)
			break;
		((__u8 *)text)[at] = byte;
		at += -byte >> 63;
	}
	*length = at;
}

/* The same of bytes that may go on behind the first zero. */
static inline __attribute__((always_inline, unused)) void ks_append_bytes(void *text, __u32 size, __u32 *length,
									  const void *part, __u32 part_size)
{
	__u64 at = *length, all = 255;

	KS_NOT_UNROLLED
	for (__u32 i = 0; i < part_size; i++) {
		__u64 byte = ((const __u8 *)part)[i] & all;

		asm volatile("" : "+r"(at), "+r"(byte));
		if (at >= size - 1)
			break;
		((__u8 *)text)[at] = byte;
		at += -byte >> 63;
		all &= -(-byte >> 63);
	}
	*length = at;
}

/* How many bytes a text has before its end. */
static inline __attribute__((always_inline, unused)) __u32 ks_length(const void *text, __u32 size)
{
	__u64 length = 0;

	KS_NOT_UNROLLED
	for (__u32 i = 0; i < size; i++) {
		__u64 byte = ((const __u8 *)text)[i];

		asm volatile("" : "+r"(byte));
		length += -byte >> 63;
	}
	return length;
}

/*
 * Copies and fills of more bytes than the compiler writes out. It may not recognise them as such: it would call a
 * function that eBPF does not have. What is moved lies in maps, where addresses need not be aligned.
 */
static inline __attribute__((always_inline, unused)) void ks_copy(void *to, const void *from, __u64 size)
{
	for (__u64 i = 0; i < size / 8; i++) {
		((__u64 *)to)[i] = ((const __u64 *)from)[i];
		asm volatile("" : : : "memory");
	}
	for (__u64 i = size / 8 * 8; i < size; i++)
		((__u8 *)to)[i] = ((const __u8 *)from)[i];
}

/*
 * A copy in pieces of 1, 2, 4 or 8 bytes, and single bytes at its end. Each is written before the next is read: the
 * compiler would read them all first, and let most of them wait on the stack. So would the addresses of all pieces,
 * where branches copy from or to several places and are made one, if the compiler saw what the places are.
 */
static inline __attribute__((always_inline, unused)) void ks_copy_by(void *to, const void *from, __u64 size,
								     __u64 piece)
{
	__u64 whole = size / piece * piece;

	barrier_var(to);
	barrier_var(from);
	KS_UNROLLED
	for (__u64 i = 0; i < whole; i += piece) {
		if (piece == 8)
			*(__u64 *)(to + i) = *(const __u64 *)(from + i);
		else if (piece == 4)
			*(__u32 *)(to + i) = *(const __u32 *)(from + i);
		else if (piece == 2)
			*(__u16 *)(to + i) = *(const __u16 *)(from + i);
		else
			*(__u8 *)(to + i) = *(const __u8 *)(from + i);
		asm volatile("" : : : "memory");
	}
	KS_UNROLLED
	for (__u64 i = whole; i < size; i++)
		((__u8 *)to)[i] = ((const __u8 *)from)[i];
}

static inline __attribute__((always_inline, unused)) void ks_fill(void *to, __u8 byte, __u64 size)
{
	const __u64 word = byte * 0x0101010101010101ULL;

	for (__u64 i = 0; i < size / 8; i++) {
		((__u64 *)to)[i] = word;
		asm volatile("" : : : "memory");
	}
	for (__u64 i = size / 8 * 8; i < size; i++)
		((__u8 *)to)[i] = byte;
}

/*
 * Memory that several runs on one CPU may want at once belongs to the one that finds it free.
 */
static inline __attribute__((always_inline, unused)) bool ks_claim_scratch(__u64 *claimed)
{
	return __sync_lock_test_and_set(claimed, 1) == 0;
}

#define ks_release_scratch(claimed) (*(volatile __u64 *)(claimed) = 0)

#endif
