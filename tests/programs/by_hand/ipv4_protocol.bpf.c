// SPDX-License-Identifier: GPL-2.0
// The same by hand: up to two VLAN tags, and the same doubts about the IPv4 header.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct vlan_tag {
  __be16 control;
  __be16 kind;
};

SEC("xdp")
int ipv4_protocol(struct xdp_md* ctx) {
  void* end = (void*)(long)ctx->data_end;
  struct ethhdr* ethernet = (void*)(long)ctx->data;
  void* at = ethernet + 1;

  if (at > end) return XDP_PASS;
  __be16 kind = ethernet->h_proto;
#pragma unroll
  for (int tags = 0; tags < 2; tags++) {
    struct vlan_tag* tag = at;

    if (kind != bpf_htons(ETH_P_8021Q) && kind != bpf_htons(ETH_P_8021AD)) break;
    if ((void*)(tag + 1) > end) return XDP_PASS;
    kind = tag->kind;
    at = tag + 1;
  }
  struct iphdr* ip = at;

  if (kind != bpf_htons(ETH_P_IP) || (void*)(ip + 1) > end) return XDP_PASS;
  if (ip->version != 4 || ip->ihl < 5) return XDP_PASS;
  return ip->protocol == IPPROTO_UDP ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
