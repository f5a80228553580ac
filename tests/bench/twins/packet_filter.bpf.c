// SPDX-License-Identifier: Apache-2.0
/// examples/packet_filter.ks as one writes it by hand.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__u32 limit;
} filter = {.limit = 1000};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} packets SEC(".maps");

SEC("xdp")
int packet_filter(struct xdp_md *ctx)
{
	__u64 size = ctx->data_end - ctx->data;
	__u32 passed = 0, dropped = 1;
	__u64 *count;

	if (size > filter.limit) {
		count = bpf_map_lookup_elem(&packets, &dropped);
		if (count)
			*count += 1;
		return XDP_DROP;
	}
	count = bpf_map_lookup_elem(&packets, &passed);
	if (count)
		*count += 1;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
