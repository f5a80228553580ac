/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for libbpf's header when an eBPF program is compiled for the host: the same names, but maps and helpers
 * are those of the emulation. A helper that is missing here is one the emulation lacks. */
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>

#define SEC(name) __attribute__((section(name), used))

/* A map's attributes are in the types of its members, where the driver finds them through BTF. */
#define __uint(name, val) int(*name)[val]
#define __type(name, val) typeof(val)* name
#define __array(name, val) typeof(val)* name[]

#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#ifndef __noinline
#define __noinline __attribute__((noinline))
#endif
#ifndef __weak
#define __weak __attribute__((weak))
#endif
#define __hidden __attribute__((visibility("hidden")))
#define __kconfig
#define __ksym

#ifndef offsetof
#define offsetof(type, member) __builtin_offsetof(type, member)
#endif
#ifndef container_of
#define container_of(ptr, type, member) ((type*)((char*)(ptr)-offsetof(type, member)))
#endif
#ifndef barrier
#define barrier() asm volatile("" ::: "memory")
#endif
#ifndef barrier_var
#define barrier_var(var) asm volatile("" : "+r"(var))
#endif
#ifndef __clang__
#define __builtin_preserve_access_index(x) (x)
#endif

enum libbpf_pin_type { LIBBPF_PIN_NONE, LIBBPF_PIN_BY_NAME };

void* bpf_map_lookup_elem(void* map, const void* key);
void* bpf_map_lookup_percpu_elem(void* map, const void* key, __u32 cpu);
long bpf_map_update_elem(void* map, const void* key, const void* value, __u64 flags);
long bpf_map_delete_elem(void* map, const void* key);
long bpf_map_push_elem(void* map, const void* value, __u64 flags);
long bpf_map_pop_elem(void* map, void* value);
long bpf_map_peek_elem(void* map, void* value);
long bpf_for_each_map_elem(void* map, void* callback, void* callback_ctx, __u64 flags);

void* bpf_ringbuf_reserve(void* ringbuf, __u64 size, __u64 flags);
void bpf_ringbuf_submit(void* data, __u64 flags);
void bpf_ringbuf_discard(void* data, __u64 flags);
long bpf_ringbuf_output(void* ringbuf, void* data, __u64 size, __u64 flags);
struct bpf_dynptr;
int bpf_dynptr_from_xdp(struct xdp_md* xdp, __u64 flags, struct bpf_dynptr* dynptr);
int bpf_dynptr_from_skb(struct __sk_buff* skb, __u64 flags, struct bpf_dynptr* dynptr);
long bpf_ringbuf_reserve_dynptr(void* ringbuf, __u32 size, __u64 flags, struct bpf_dynptr* dynptr);
void bpf_ringbuf_submit_dynptr(struct bpf_dynptr* dynptr, __u64 flags);
void bpf_ringbuf_discard_dynptr(struct bpf_dynptr* dynptr, __u64 flags);
void* bpf_dynptr_data(const struct bpf_dynptr* dynptr, __u32 offset, __u32 size);
long bpf_dynptr_read(void* target, __u32 size, const struct bpf_dynptr* dynptr, __u32 offset, __u64 flags);
long bpf_dynptr_write(const struct bpf_dynptr* dynptr, __u32 offset, void* source, __u32 size, __u64 flags);
__u64 bpf_ringbuf_query(void* ringbuf, __u64 flags);
long bpf_perf_event_output(void* ctx, void* map, __u64 flags, void* data, __u64 size);

long bpf_tail_call(void* ctx, void* prog_array_map, __u32 index);
#define bpf_tail_call_static(ctx, map, slot) ((void)bpf_tail_call(ctx, (void*)(map), slot))
long bpf_loop(__u32 count, void* callback, void* callback_ctx, __u64 flags);

__u64 bpf_ktime_get_ns(void);
__u64 bpf_ktime_get_boot_ns(void);
__u64 bpf_ktime_get_coarse_ns(void);
__u64 bpf_ktime_get_tai_ns(void);
__u64 bpf_jiffies64(void);
__u32 bpf_get_prandom_u32(void);
__u32 bpf_get_smp_processor_id(void);
long bpf_get_numa_node_id(void);
long bpf_strncmp(const char* s1, __u32 s1_size, const char* s2);
long bpf_spin_lock(struct bpf_spin_lock* lock);
long bpf_spin_unlock(struct bpf_spin_lock* lock);

long bpf_redirect(__u32 ifindex, __u64 flags);
long bpf_redirect_map(void* map, __u64 key, __u64 flags);
long bpf_clone_redirect(struct __sk_buff* skb, __u32 ifindex, __u64 flags);

long bpf_xdp_adjust_head(struct xdp_md* xdp, int delta);
long bpf_xdp_adjust_tail(struct xdp_md* xdp, int delta);
long bpf_xdp_adjust_meta(struct xdp_md* xdp, int delta);
__u64 bpf_xdp_get_buff_len(struct xdp_md* xdp);
long bpf_xdp_load_bytes(struct xdp_md* xdp, __u32 offset, void* to, __u32 size);
long bpf_xdp_store_bytes(struct xdp_md* xdp, __u32 offset, void* from, __u32 size);

long bpf_skb_load_bytes(const void* skb, __u32 offset, void* to, __u32 size);
long bpf_skb_store_bytes(struct __sk_buff* skb, __u32 offset, const void* from, __u32 size, __u64 flags);
long bpf_skb_pull_data(struct __sk_buff* skb, __u32 size);
long bpf_skb_change_tail(struct __sk_buff* skb, __u32 size, __u64 flags);
long bpf_l3_csum_replace(struct __sk_buff* skb, __u32 offset, __u64 from, __u64 to, __u64 size);
long bpf_l4_csum_replace(struct __sk_buff* skb, __u32 offset, __u64 from, __u64 to, __u64 flags);
__s64 bpf_csum_diff(__be32* from, __u32 from_size, __be32* to, __u32 to_size, __wsum seed);
__u32 bpf_get_hash_recalc(struct __sk_buff* skb);

long bpf_trace_printk(const char* format, __u32 format_size, ...);
void host_print(const char* format, ...) __attribute__((format(printf, 1, 2)));
#define bpf_printk(format, ...) host_print(format, ##__VA_ARGS__)
