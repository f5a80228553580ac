// SPDX-License-Identifier: GPL-2.0
// The same by hand: up to two VLAN tags, IPv4 with options, IPv6 with up to six extension headers, no later fragments.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct vlan_tag {
  __be16 control;
  __be16 kind;
};

static __always_inline int is_extension(__u8 kind) {
  return kind == IPPROTO_HOPOPTS || kind == IPPROTO_ROUTING || kind == IPPROTO_FRAGMENT || kind == IPPROTO_DSTOPTS ||
         kind == IPPROTO_AH;
}

SEC("xdp")
int udp_port(struct xdp_md* ctx) {
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
  if (kind == bpf_htons(ETH_P_IP)) {
    struct iphdr* ip = at;

    if ((void*)(ip + 1) > end || ip->version != 4 || ip->ihl < 5) return XDP_PASS;
    if (ip->protocol != IPPROTO_UDP || (ip->frag_off & bpf_htons(0x1fff))) return XDP_PASS;
    at += ip->ihl * 4;
  } else if (kind == bpf_htons(ETH_P_IPV6)) {
    struct ipv6hdr* ip = at;

    if ((void*)(ip + 1) > end || ip->version != 6) return XDP_PASS;
    __u8 next = ip->nexthdr;

    at = ip + 1;
    for (int extension = 0; extension < 6 && is_extension(next); extension++) {
      __u8* header = at;

      if ((void*)(header + 4) > end) return XDP_PASS;
      if (next == IPPROTO_FRAGMENT && (*(__be16*)(header + 2) & bpf_htons(0xfff8))) return XDP_PASS;
      at += next == IPPROTO_FRAGMENT ? 8 : next == IPPROTO_AH ? (header[1] + 2) * 4 : (header[1] + 1) * 8;
      next = header[0];
    }
    if (next != IPPROTO_UDP) return XDP_PASS;
  } else {
    return XDP_PASS;
  }
  struct udphdr* udp = at;

  if ((void*)(udp + 1) > end) return XDP_PASS;
  return udp->dest == bpf_htons(53) ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
