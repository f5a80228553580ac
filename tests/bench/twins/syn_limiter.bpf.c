// SPDX-License-Identifier: Apache-2.0
/// examples/syn_limiter.ks as one writes it by hand.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define SECOND 1000000000ULL

__u32 limit = 10;

struct window {
	__u64 started;
	__u32 connections;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, struct window);
} windows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

static int may_connect(__u32 source)
{
	__u64 now = bpf_ktime_get_ns();
	struct window *window = bpf_map_lookup_elem(&windows, &source);

	if (window && now - window->started < SECOND) {
		__sync_fetch_and_add(&window->connections, 1);
		return window->connections <= limit;
	}
	struct window fresh = {.started = now, .connections = 1};
	bpf_map_update_elem(&windows, &source, &fresh, BPF_ANY);
	return 1;
}

SEC("xdp")
int syn_limiter(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	struct tcphdr *tcp;
	__u64 *count;
	__u32 index;

	if ((void *)(ip + 1) > end)
		return XDP_PASS;
	if (eth->h_proto != bpf_htons(ETH_P_IP) || ip->protocol != IPPROTO_TCP)
		return XDP_PASS;
	tcp = (void *)ip + ip->ihl * 4;
	if ((void *)(tcp + 1) > end)
		return XDP_PASS;
	if (!tcp->syn || tcp->ack)
		return XDP_PASS;
	index = may_connect(ip->saddr) ? 0 : 1;
	count = bpf_map_lookup_elem(&counters, &index);
	if (count)
		*count += 1;
	return index ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
