// SPDX-License-Identifier: Apache-2.0
/* The eBPF side of probe.c, which tries out the runtime of generated userspace programs. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

struct pinned_globals {
  __u32 starts;
  __u64 packets;
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __uint(map_flags, BPF_F_MMAPABLE);
  __type(key, __u32);
  __type(value, struct pinned_globals);
} pinned_globals SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_HASH);
  __uint(max_entries, 4);
  __type(key, __u32);
  __type(value, __u32);
} per_cpu SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, ENTRIES);
  __type(key, __u32);
  __type(value, __u32);
} kept SEC(".maps");

/* 10 * (the last value) + (the program's number), for the order in which programs run. */
__u64 order = 0;

SEC("xdp")
int count_packets(struct xdp_md *ctx)
{
  __u32 zero = 0;
  struct pinned_globals *globals = bpf_map_lookup_elem(&pinned_globals, &zero);

  if (globals)
    __sync_fetch_and_add(&globals->packets, 1);
  bpf_printk("packet of %d bytes", (__u32)(ctx->data_end - ctx->data));
  return XDP_PASS;
}

SEC("tc")
int first(struct __sk_buff *skb)
{
  order = 1;
  return TC_ACT_UNSPEC;
}

SEC("tc")
int second(struct __sk_buff *skb)
{
  order = order * 10 + 2;
  return TC_ACT_UNSPEC;
}

#ifdef REJECTED
SEC("xdp")
int rejected(struct xdp_md *ctx) { return *(char *)(long)ctx->data; }
#endif

char LICENSE[] SEC("license") = "GPL";
