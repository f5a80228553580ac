#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The host emulation: helpers and maps do what the kernel's do, and what a verifier would refuse is caught.
set -euo pipefail

run="${KSC_SOURCE:?}/runtime/host/run"
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
export KSC_HOST_OBJECTS="$scratch/objects"

for tool in "${CC:-gcc}" mktemp; do
  command -v "$tool" >/dev/null || { echo "SKIPPED: no $tool"; exit 77; }
done

mkdir "$scratch/a project"
cat >"$scratch/a project/filter.ebpf.c" <<'EOF'
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/in.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

struct flow {
	__u64 packets;
	__u32 last_length;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct flow);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 3);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} per_cpu SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 2);
	__type(key, __u8);
	__type(value, __u8);
} recent SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

int count_udp(struct xdp_md *ctx);
int again(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
	__array(values, int(void *));
} targets SEC(".maps") = {
	.values = {
		[0] = (void *)&count_udp,
		[2] = (void *)&again,
	},
};

const volatile __u32 limit = 100;
__u64 total;

SEC("xdp")
int filter(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	if ((void *)(eth + 1) > data_end)
		return XDP_PASS;
	if (eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	struct iphdr *ip = (void *)(eth + 1);
	if ((void *)(ip + 1) > data_end)
		return XDP_DROP;
	__sync_fetch_and_add(&total, 1);
	__u32 source = ip->saddr;
	struct flow *flow = bpf_map_lookup_elem(&flows, &source);
	if (flow) {
		flow->packets++;
		flow->last_length = data_end - data;
	} else {
		struct flow fresh = { .packets = 1, .last_length = data_end - data };
		if (bpf_map_update_elem(&flows, &source, &fresh, BPF_NOEXIST)) {
			__u32 full = 2;
			__u64 *count = bpf_map_lookup_elem(&counters, &full);
			if (count)
				*count += 1;
		}
	}
	if (data_end - data > limit)
		return XDP_DROP;
	if (ip->protocol == IPPROTO_UDP)
		bpf_tail_call(ctx, &targets, 0);
	bpf_printk("protocol %d is \"other\"\n", ip->protocol);
	return XDP_PASS;
}

SEC("xdp")
int count_udp(struct xdp_md *ctx)
{
	__u32 key = 1;
	__u64 *count = bpf_map_lookup_elem(&counters, &key);
	if (count)
		__sync_fetch_and_add(count, 10);
	return XDP_TX;
}

SEC("xdp")
int again(struct xdp_md *ctx)
{
	__u32 key = 0;
	__u64 *count = bpf_map_lookup_elem(&counters, &key);
	if (count)
		*count += 1;
	bpf_tail_call(ctx, &targets, 2);
	return XDP_ABORTED;
}

static int add_up(__u32 index, void *context)
{
	*(__u64 *)context += index;
	return index == 20;
}

SEC("xdp")
int helpers(struct xdp_md *ctx)
{
	__u64 sum = 0;
	__u32 zero = 0, three = 3;
	__u64 value = 7;
	if (bpf_loop(10, add_up, &sum, 0) != 10 || sum != 45)
		return 101;
	if (bpf_loop(1000, add_up, &sum, 0) != 21)
		return 102;
	if (bpf_map_update_elem(&counters, &three, &value, BPF_ANY) != -7)
		return 103;
	if (bpf_map_lookup_elem(&counters, &three))
		return 104;
	if (bpf_map_update_elem(&counters, &zero, &value, BPF_NOEXIST) != -17)
		return 105;
	if (bpf_map_delete_elem(&flows, &three) != -2)
		return 106;
	for (int i = 1; i <= 3; i++) {
		__u8 first = 1, key = i;
		bpf_map_update_elem(&recent, &key, &key, BPF_ANY);
		bpf_map_lookup_elem(&recent, &first);
	}
	__u32 *mine = bpf_map_lookup_elem(&per_cpu, &zero);
	if (mine)
		*mine = bpf_get_smp_processor_id() + 5;
	__u64 before = bpf_ktime_get_ns();
	if (bpf_ktime_get_ns() <= before)
		return 107;
	__u64 *record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);
	if (!record)
		return 108;
	*record = bpf_get_prandom_u32() != bpf_get_prandom_u32();
	bpf_ringbuf_submit(record, 0);
	if (bpf_xdp_adjust_head(ctx, -4))
		return 109;
	void *data = (void *)(long)ctx->data;
	if (data + 4 > (void *)(long)ctx->data_end)
		return 110;
	__builtin_memcpy(data, "\xca\xfe\xba\xbe", 4);
	if (bpf_xdp_adjust_tail(ctx, 2))
		return 111;
	if (bpf_xdp_adjust_head(ctx, -1000) != -22)
		return 112;
	return bpf_redirect(9, 0);
}

SEC("xdp")
int overrun(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;
	return data[ctx->data_end - ctx->data];
}

SEC("xdp")
int underrun(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;
	return data[-8];
}

SEC("xdp")
int stale(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;
	if (bpf_xdp_adjust_head(ctx, 1))
		return XDP_DROP;
	return data[1];
}

SEC("xdp")
int deleted(struct xdp_md *ctx)
{
	__u32 key = 1;
	struct flow fresh = { .packets = 1 };
	bpf_map_update_elem(&flows, &key, &fresh, BPF_ANY);
	struct flow *flow = bpf_map_lookup_elem(&flows, &key);
	bpf_map_delete_elem(&flows, &key);
	return flow ? flow->packets : 0;
}

SEC("tc")
int mark(struct __sk_buff *skb)
{
	__u8 bytes[2] = { 0xab, 0xcd };
	if (skb->protocol != bpf_htons(ETH_P_IP))
		return TC_ACT_UNSPEC;
	skb->mark = 42;
	__u16 old_length, new_length = bpf_htons(29);
	if (bpf_skb_load_bytes(skb, 16, &old_length, 2))
		return TC_ACT_SHOT;
	bpf_l3_csum_replace(skb, 24, old_length, new_length, 2);
	bpf_skb_store_bytes(skb, 16, &new_length, 2, 0);
	bpf_skb_store_bytes(skb, 0, bytes, sizeof(bytes), 0);
	return TC_ACT_OK;
}

char LICENSE[] SEC("license") = "GPL";
EOF

failures=0
# check NAME WANTED ACTUAL
check() {
  if [ "$2" = "$3" ]; then
    echo "ok: $1"
  else
    printf 'FAILED: %s\n--- wanted\n%s\n--- got\n%s\n' "$1" "$2" "$3"
    failures=$((failures + 1))
  fi
}
host() { "$run" "$scratch/a project" "$@"; }

ethernet=0000000000010000000000020800
udp=${ethernet}4500001c00000000401100000a0000010a000002
tcp=${ethernet}4500001c00000000400600000a0000030a000002
other=${ethernet}4500001c00000000400100000a0000040a000002
arp=0000000000010000000000020806

printf '# a comment\n%s\n%s\n\n%s\n' "$udp" "$tcp" "$udp" >"$scratch/packets"
check "verdicts, prints, maps, tail call and globals" \
'{"return":3,"packet":"'$udp'"}
{"print":"protocol 6 is \"other\""}
{"return":2,"packet":"'$tcp'"}
{"return":3,"packet":"'$udp'"}
{"print":"protocol 1 is \"other\""}
{"return":2,"packet":"'$other'"}
{"return":2,"packet":"'$arp'"}
{"map":"counters","entries":[["00000000","0000000000000000"],["01000000","1400000000000000"],["02000000","0100000000000000"]]}
{"map":"events","records":[]}
{"map":"flows","entries":[["0a000001","02000000000000002200000000000000"],["0a000003","01000000000000002200000000000000"]]}
{"map":"per_cpu","entries":[["00000000","0000000000000000"]]}
{"map":"recent","entries":[]}
{"global":"limit","value":"64000000"}
{"global":"total","value":"0400000000000000"}' \
"$(host --globals filter "$scratch/packets" "$other" "$arp")"

check "packets from standard input, a global set from outside" '{"return":1,"packet":"'$udp'"}' \
  "$(echo "$udp" | host --global limit=21000000 filter | head -1)"

check "an entry stored from outside" \
  '{"map":"flows","entries":[["0a000001","06000000000000002200000000000000"]]}' \
  "$(host --map flows:0a000001=05000000000000000000000000000000 filter "$udp" | grep flows)"

check "33 tail calls and no more" '34' \
  "$(($(host again "$arp" | sed -n 's/.*counters.*\["00000000","\(..\)00.*/0x\1/p')))"

check "a program array filled from outside" '{"return":0,"packet":"'$udp'"}' \
  "$(host --program targets:0=again filter "$udp" | head -1)"

check "helpers" \
'{"return":4,"packet":"cafebabe'$arp'0000","redirect":9}
{"map":"counters","entries":[["00000000","0000000000000000"],["01000000","0000000000000000"],["02000000","0000000000000000"]]}
{"map":"events","records":["0100000000000000"]}
{"map":"flows","entries":[]}
{"map":"per_cpu","entries":[["00000000","00000000000000000600000000000000"]]}
{"map":"recent","entries":[["01","01"],["03","03"]]}' \
"$(host --cpus 2 --cpu 1 helpers "$arp")"

# 10.0.0.1 -> 10.0.0.2, 28 bytes: the header's sum is 0x66ce; one byte longer makes it 0x66cd.
summed=${ethernet}4500001c00000000401166ce0a0000010a000002
check "tc: fields, stores and checksums" \
  '{"return":0,"packet":"abcd0000000100000000000208004500001d00000000401166cd0a0000010a000002","mark":42}' \
  "$(host mark "$summed" | head -1)"
check "tc: the verdict is unsigned" '{"return":4294967295,"packet":"'$arp'"}' "$(host mark "$arp" | head -1)"

# caught NAME PROGRAM PATTERN
caught() {
  local status=0
  host "$2" "$udp" >"$scratch/out" 2>"$scratch/err" || status=$?
  if [ $status = 99 ] && grep -q "$3" "$scratch/err"; then
    echo "ok: $1"
  else
    echo "FAILED: $1: exit code $status, wanted 99 and $3"
    head -20 "$scratch/err"
    failures=$((failures + 1))
  fi
}
caught "a read past the packet's end" overrun 'AddressSanitizer'
caught "a read before the packet" underrun 'AddressSanitizer'
caught "a packet pointer used after the packet moved" stale 'AddressSanitizer'
caught "a map value used after its entry was deleted" deleted 'heap-use-after-free'

status=0
host no_such_program "$udp" >/dev/null 2>"$scratch/err" || status=$?
check "an unknown program" "70 host run: no XDP or TC program \`no_such_program'" "$status $(tr '`' '`' <"$scratch/err" | sed "s/\`\$/'/")"
status=0
host filter 0g >/dev/null 2>"$scratch/err" || status=$?
check "a packet that is none" 70 "$status"

check "runs repeat" "$(host --seed 5 helpers "$arp")" "$(host --seed 5 helpers "$arp")"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
  chmod -R a+rX "$scratch"
  check "no rights are needed" '{"return":3,"packet":"'$udp'"}' \
    "$(KSC_HOST_OBJECTS='' setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all \
      "$run" "$scratch/a project" filter "$udp" | head -1)"
fi
if [ -z "${CC:-}" ] && command -v clang >/dev/null && command -v llvm-objcopy >/dev/null; then
  unset KSC_HOST_OBJECTS
  check "clang as compiler" "$(host filter "$udp")" "$(CC=clang host filter "$udp")"
fi
[ $failures = 0 ]
