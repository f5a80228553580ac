// SPDX-License-Identifier: Apache-2.0
/// examples/ip_quota.ks as one writes it by hand.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct {
	__u64 packets;
	__u64 period;
	_Bool enabled;
} quota = {.packets = 1000, .period = 1000000000, .enabled = 1};

struct usage {
	__u64 started;
	__u64 packets;
	__u64 dropped;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, __u32);
	__type(value, struct usage);
} usage SEC(".maps");

static int within_quota(__u32 source)
{
	__u64 now = bpf_ktime_get_ns();
	struct usage *seen = bpf_map_lookup_elem(&usage, &source);

	if (!seen) {
		struct usage fresh = {.started = now, .packets = 1};
		bpf_map_update_elem(&usage, &source, &fresh, BPF_ANY);
		return 1;
	}
	if (now - seen->started >= quota.period) {
		seen->started = now;
		seen->packets = 1;
		return 1;
	}
	if (seen->packets >= quota.packets) {
		__sync_fetch_and_add(&seen->dropped, 1);
		return 0;
	}
	__sync_fetch_and_add(&seen->packets, 1);
	return 1;
}

SEC("xdp")
int ip_quota(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);

	if (!quota.enabled)
		return XDP_PASS;
	if ((void *)(ip + 1) > end)
		return XDP_PASS;
	if (eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	return within_quota(ip->saddr) ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "GPL";
