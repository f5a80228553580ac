// SPDX-License-Identifier: Apache-2.0
/// examples/vlan_filter.ks as one writes it by hand.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct vlan_tag {
	__be16 tci;
	__be16 protocol;
};

struct {
	_Bool untagged;
} tags = {};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, _Bool);
} allowed SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u16);
	__type(value, __u64);
} dropped SEC(".maps");

SEC("xdp")
int vlan_filter(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct vlan_tag *tag = (void *)(eth + 1);
	__u64 *count, zero = 0;
	_Bool *passes;
	__u32 index;
	__u16 vlan;

	if ((void *)(eth + 1) > end)
		return XDP_PASS;
	if (eth->h_proto != bpf_htons(ETH_P_8021Q) && eth->h_proto != bpf_htons(ETH_P_8021AD))
		return tags.untagged ? XDP_PASS : XDP_DROP;
	if ((void *)(tag + 1) > end)
		return XDP_PASS;
	vlan = bpf_ntohs(tag->tci) & 0x0fff;
	index = vlan;
	passes = bpf_map_lookup_elem(&allowed, &index);
	if (passes && *passes)
		return XDP_PASS;
	count = bpf_map_lookup_elem(&dropped, &vlan);
	if (!count) {
		/* Another CPU may insert the key before this one does: then its entry is the one to count in. */
		bpf_map_update_elem(&dropped, &vlan, &zero, BPF_NOEXIST);
		count = bpf_map_lookup_elem(&dropped, &vlan);
	}
	if (count)
		*count += 1;
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
