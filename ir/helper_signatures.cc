// SPDX-License-Identifier: Apache-2.0
#include "ir/helper_signatures.h"

#include <algorithm>

namespace ksc {
namespace {

// Numbers are those of `enum bpf_func_id`; kernels are those whose sources first allow the call.
constexpr std::array kSignatures = {
    HelperSignature{
        "bpf_check_mtu", 163, "i64", {"ctx", "u32", "*u32", "i32", "u64"}, {5, 12}, kHelperXdpAndTc, kHelperGplOnly},
    HelperSignature{"bpf_clone_redirect", 13, "i64", {"ctx", "u32", "u64"}, {4, 2}, kHelperTc, kHelperMovesPacket},
    HelperSignature{"bpf_csum_diff",
                    28,
                    "i64",
                    {"?const *u32", "u32", "?const *u32", "u32", "u32"},
                    {4, 6},
                    kHelperXdpAndTc,
                    0,
                    {4, 16}},
    HelperSignature{"bpf_csum_level", 135, "i64", {"ctx", "u64"}, {5, 8}, kHelperTc},
    HelperSignature{"bpf_csum_update", 40, "i64", {"ctx", "u32"}, {4, 9}, kHelperTc},
    HelperSignature{"bpf_dynptr_data",
                    203,
                    "*u8",
                    {"*struct:bpf_dynptr", "u32", "u32"},
                    {5, 19},
                    kHelperAllPrograms,
                    kHelperMayReturnNull},
    HelperSignature{"bpf_dynptr_from_mem", 197, "i64", {"*u8", "u32", "u64", "*struct:bpf_dynptr"}, {5, 19}},
    HelperSignature{"bpf_dynptr_read", 201, "i64", {"*u8", "u32", "*struct:bpf_dynptr", "u32", "u64"}, {5, 19}},
    HelperSignature{"bpf_dynptr_write", 202, "i64", {"*struct:bpf_dynptr", "u32", "const *u8", "u32", "u64"}, {5, 19}},
    HelperSignature{"bpf_fib_lookup",
                    69,
                    "i64",
                    {"ctx", "*struct:bpf_fib_lookup", "i32", "u32"},
                    {4, 18},
                    kHelperXdpAndTc,
                    kHelperGplOnly},
    HelperSignature{"bpf_for_each_map_elem", 164, "i64", {"map", "fn", "?*u8", "u64"}, {5, 13}},
    HelperSignature{"bpf_get_hash_recalc", 34, "u32", {"ctx"}, {4, 8}, kHelperTc},
    HelperSignature{
        "bpf_get_listener_sock", 98, "*struct:bpf_sock", {"*struct:bpf_sock"}, {5, 1}, kHelperTc, kHelperMayReturnNull},
    HelperSignature{"bpf_get_numa_node_id", 42, "i64", {}, {4, 10}},
    HelperSignature{"bpf_get_prandom_u32", 7, "u32", {}, {4, 1}},
    HelperSignature{"bpf_get_route_realm", 24, "u32", {"ctx"}, {4, 4}, kHelperTc},
    HelperSignature{"bpf_get_smp_processor_id", 8, "u32", {}, {4, 1}},
    HelperSignature{"bpf_get_socket_cookie", 46, "u64", {"ctx"}, {4, 12}, kHelperTc},
    HelperSignature{"bpf_get_socket_uid", 47, "u32", {"ctx"}, {4, 12}, kHelperTc},
    HelperSignature{"bpf_jiffies64", 118, "u64", {}, {5, 6}},
    HelperSignature{"bpf_ktime_get_boot_ns", 125, "u64", {}, {5, 8}},
    HelperSignature{"bpf_ktime_get_coarse_ns", 160, "u64", {}, {5, 11}, kHelperXdpAndTc},
    HelperSignature{"bpf_ktime_get_ns", 5, "u64", {}, {4, 1}},
    HelperSignature{"bpf_ktime_get_tai_ns", 208, "u64", {}, {6, 1}},
    HelperSignature{
        "bpf_l3_csum_replace", 10, "i64", {"ctx", "u32", "u64", "u64", "u64"}, {4, 1}, kHelperTc, kHelperMovesPacket},
    HelperSignature{
        "bpf_l4_csum_replace", 11, "i64", {"ctx", "u32", "u64", "u64", "u64"}, {4, 1}, kHelperTc, kHelperMovesPacket},
    HelperSignature{"bpf_loop", 181, "i64", {"u32", "fn", "?*u8", "u64"}, {5, 17}},
    HelperSignature{"bpf_map_delete_elem", 3, "i64", {"map", "const *key"}, {3, 19}},
    HelperSignature{
        "bpf_map_lookup_elem", 1, "*value", {"map", "const *key"}, {3, 19}, kHelperAllPrograms, kHelperMayReturnNull},
    HelperSignature{"bpf_map_lookup_percpu_elem",
                    195,
                    "*value",
                    {"map", "const *key", "u32"},
                    {5, 19},
                    kHelperAllPrograms,
                    kHelperMayReturnNull},
    HelperSignature{"bpf_map_peek_elem", 89, "i64", {"map", "*value"}, {4, 20}},
    HelperSignature{"bpf_map_pop_elem", 88, "i64", {"map", "*value"}, {4, 20}},
    HelperSignature{"bpf_map_push_elem", 87, "i64", {"map", "const *value", "u64"}, {4, 20}},
    HelperSignature{"bpf_map_update_elem", 2, "i64", {"map", "const *key", "const *value", "u64"}, {3, 19}},
    HelperSignature{"bpf_perf_event_output",
                    25,
                    "i64",
                    {"ctx", "map", "u64", "*u8", "u64"},
                    {4, 4},
                    kHelperAllPrograms,
                    kHelperGplOnly,
                    {4, 8}},
    HelperSignature{"bpf_redirect", 23, "i64", {"u32", "u64"}, {4, 4}, kHelperXdpAndTc, 0, {4, 8}},
    HelperSignature{"bpf_redirect_map", 51, "i64", {"map", "u64", "u64"}, {4, 14}, kHelperXdp},
    HelperSignature{
        "bpf_redirect_neigh", 152, "i64", {"u32", "?*struct:bpf_redir_neigh", "i32", "u64"}, {5, 10}, kHelperTc},
    HelperSignature{"bpf_redirect_peer", 155, "i64", {"u32", "u64"}, {5, 10}, kHelperTc},
    HelperSignature{"bpf_ringbuf_discard", 133, "void", {"*u8", "u64"}, {5, 8}},
    HelperSignature{"bpf_ringbuf_discard_dynptr", 200, "void", {"*struct:bpf_dynptr", "u64"}, {5, 19}},
    HelperSignature{"bpf_ringbuf_output", 130, "i64", {"map", "const *u8", "u64", "u64"}, {5, 8}},
    HelperSignature{"bpf_ringbuf_query", 134, "u64", {"map", "u64"}, {5, 8}},
    HelperSignature{
        "bpf_ringbuf_reserve", 131, "*u8", {"map", "u64", "u64"}, {5, 8}, kHelperAllPrograms, kHelperMayReturnNull},
    HelperSignature{"bpf_ringbuf_reserve_dynptr", 198, "i64", {"map", "u32", "u64", "*struct:bpf_dynptr"}, {5, 19}},
    HelperSignature{"bpf_ringbuf_submit", 132, "void", {"*u8", "u64"}, {5, 8}},
    HelperSignature{"bpf_ringbuf_submit_dynptr", 199, "void", {"*struct:bpf_dynptr", "u64"}, {5, 19}},
    HelperSignature{"bpf_set_hash", 48, "i64", {"ctx", "u32"}, {4, 13}, kHelperTc},
    HelperSignature{"bpf_set_hash_invalid", 41, "void", {"ctx"}, {4, 9}, kHelperTc},
    HelperSignature{
        "bpf_sk_fullsock", 95, "*struct:bpf_sock", {"*struct:bpf_sock"}, {5, 1}, kHelperTc, kHelperMayReturnNull},
    HelperSignature{"bpf_sk_lookup_tcp",
                    84,
                    "*struct:bpf_sock",
                    {"ctx", "*struct:bpf_sock_tuple", "u32", "u64", "u64"},
                    {4, 20},
                    kHelperXdpAndTc,
                    kHelperMayReturnNull},
    HelperSignature{"bpf_sk_lookup_udp",
                    85,
                    "*struct:bpf_sock",
                    {"ctx", "*struct:bpf_sock_tuple", "u32", "u64", "u64"},
                    {4, 20},
                    kHelperXdpAndTc,
                    kHelperMayReturnNull},
    HelperSignature{"bpf_sk_release", 86, "i64", {"*struct:bpf_sock"}, {4, 20}, kHelperXdpAndTc},
    HelperSignature{
        "bpf_skb_adjust_room", 50, "i64", {"ctx", "i32", "u32", "u64"}, {4, 13}, kHelperTc, kHelperMovesPacket},
    HelperSignature{"bpf_skb_cgroup_id", 79, "u64", {"ctx"}, {4, 18}, kHelperTc},
    HelperSignature{"bpf_skb_change_head", 43, "i64", {"ctx", "u32", "u64"}, {4, 10}, kHelperTc, kHelperMovesPacket},
    HelperSignature{"bpf_skb_change_proto", 31, "i64", {"ctx", "u16", "u64"}, {4, 8}, kHelperTc, kHelperMovesPacket},
    HelperSignature{"bpf_skb_change_tail", 38, "i64", {"ctx", "u32", "u64"}, {4, 9}, kHelperTc, kHelperMovesPacket},
    HelperSignature{"bpf_skb_change_type", 32, "i64", {"ctx", "u32"}, {4, 8}, kHelperTc},
    HelperSignature{"bpf_skb_ecn_set_ce", 97, "i64", {"ctx"}, {5, 1}, kHelperTc},
    HelperSignature{
        "bpf_skb_get_tunnel_key", 20, "i64", {"ctx", "*struct:bpf_tunnel_key", "u32", "u64"}, {4, 3}, kHelperTc},
    HelperSignature{"bpf_skb_load_bytes", 26, "i64", {"ctx", "u32", "*u8", "u32"}, {4, 5}, kHelperTc},
    HelperSignature{"bpf_skb_load_bytes_relative", 68, "i64", {"ctx", "u32", "*u8", "u32", "u32"}, {4, 18}, kHelperTc},
    HelperSignature{"bpf_skb_pull_data", 39, "i64", {"ctx", "u32"}, {4, 9}, kHelperTc, kHelperMovesPacket},
    HelperSignature{"bpf_skb_set_tstamp", 192, "i64", {"ctx", "u64", "u32"}, {5, 18}, kHelperTc},
    HelperSignature{
        "bpf_skb_set_tunnel_key", 21, "i64", {"ctx", "*struct:bpf_tunnel_key", "u32", "u64"}, {4, 3}, kHelperTc},
    HelperSignature{"bpf_skb_store_bytes",
                    9,
                    "i64",
                    {"ctx", "u32", "const *u8", "u32", "u64"},
                    {4, 1},
                    kHelperTc,
                    kHelperMovesPacket},
    HelperSignature{"bpf_skb_vlan_pop", 19, "i64", {"ctx"}, {4, 3}, kHelperTc, kHelperMovesPacket},
    HelperSignature{"bpf_skb_vlan_push", 18, "i64", {"ctx", "u16", "u16"}, {4, 3}, kHelperTc, kHelperMovesPacket},
    HelperSignature{"bpf_skc_lookup_tcp",
                    99,
                    "*struct:bpf_sock",
                    {"ctx", "*struct:bpf_sock_tuple", "u32", "u64", "u64"},
                    {5, 2},
                    kHelperXdpAndTc,
                    kHelperMayReturnNull},
    HelperSignature{"bpf_snprintf",
                    165,
                    "i64",
                    {"?*u8", "u32", "str", "?const *u64", "u32"},
                    {5, 13},
                    kHelperAllPrograms,
                    kHelperGplOnly},
    HelperSignature{"bpf_spin_lock", 93, "void", {"*struct:bpf_spin_lock"}, {5, 1}, kHelperXdpAndTc},
    HelperSignature{"bpf_spin_unlock", 94, "void", {"*struct:bpf_spin_lock"}, {5, 1}, kHelperXdpAndTc},
    HelperSignature{"bpf_strncmp", 182, "i64", {"const *u8", "u32", "str"}, {5, 17}},
    HelperSignature{"bpf_tail_call", 12, "i64", {"ctx", "map", "u32"}, {4, 2}, kHelperAllPrograms, kHelperMovesPacket},
    HelperSignature{"bpf_tcp_check_syncookie",
                    100,
                    "i64",
                    {"*struct:bpf_sock", "*u8", "u32", "*struct:tcphdr", "u32"},
                    {5, 2},
                    kHelperXdpAndTc,
                    kHelperGplOnly},
    HelperSignature{"bpf_tcp_gen_syncookie",
                    110,
                    "i64",
                    {"*struct:bpf_sock", "*u8", "u32", "*struct:tcphdr", "u32"},
                    {5, 3},
                    kHelperXdpAndTc,
                    kHelperGplOnly},
    HelperSignature{"bpf_tcp_raw_check_syncookie_ipv4",
                    206,
                    "i64",
                    {"*struct:iphdr", "*struct:tcphdr"},
                    {6, 0},
                    kHelperXdpAndTc,
                    kHelperGplOnly},
    HelperSignature{"bpf_tcp_raw_check_syncookie_ipv6",
                    207,
                    "i64",
                    {"*struct:ipv6hdr", "*struct:tcphdr"},
                    {6, 0},
                    kHelperXdpAndTc,
                    kHelperGplOnly},
    HelperSignature{"bpf_tcp_raw_gen_syncookie_ipv4",
                    204,
                    "i64",
                    {"*struct:iphdr", "*struct:tcphdr", "u32"},
                    {6, 0},
                    kHelperXdpAndTc,
                    kHelperGplOnly},
    HelperSignature{"bpf_tcp_raw_gen_syncookie_ipv6",
                    205,
                    "i64",
                    {"*struct:ipv6hdr", "*struct:tcphdr", "u32"},
                    {6, 0},
                    kHelperXdpAndTc,
                    kHelperGplOnly},
    HelperSignature{
        "bpf_tcp_sock", 96, "*struct:bpf_tcp_sock", {"*struct:bpf_sock"}, {5, 1}, kHelperTc, kHelperMayReturnNull},
    HelperSignature{"bpf_timer_cancel", 172, "i64", {"*struct:bpf_timer"}, {5, 15}, kHelperXdpAndTc, kHelperGplOnly},
    HelperSignature{
        "bpf_timer_init", 169, "i64", {"*struct:bpf_timer", "map", "u64"}, {5, 15}, kHelperXdpAndTc, kHelperGplOnly},
    HelperSignature{
        "bpf_timer_set_callback", 170, "i64", {"*struct:bpf_timer", "fn"}, {5, 15}, kHelperXdpAndTc, kHelperGplOnly},
    HelperSignature{
        "bpf_timer_start", 171, "i64", {"*struct:bpf_timer", "u64", "u64"}, {5, 15}, kHelperXdpAndTc, kHelperGplOnly},
    HelperSignature{"bpf_trace_printk", 6, "i64", {"str", "u32", "..."}, {4, 1}, kHelperAllPrograms, kHelperGplOnly},
    HelperSignature{"bpf_trace_vprintk",
                    177,
                    "i64",
                    {"str", "u32", "?const *u8", "u32"},
                    {5, 16},
                    kHelperAllPrograms,
                    kHelperGplOnly},
    HelperSignature{"bpf_user_ringbuf_drain", 209, "i64", {"map", "fn", "?*u8", "u64"}, {6, 1}},
    HelperSignature{"bpf_xdp_adjust_head", 44, "i64", {"ctx", "i32"}, {4, 10}, kHelperXdp, kHelperMovesPacket},
    HelperSignature{"bpf_xdp_adjust_meta", 54, "i64", {"ctx", "i32"}, {4, 15}, kHelperXdp, kHelperMovesPacket},
    HelperSignature{"bpf_xdp_adjust_tail", 65, "i64", {"ctx", "i32"}, {4, 18}, kHelperXdp, kHelperMovesPacket},
    HelperSignature{"bpf_xdp_get_buff_len", 188, "u64", {"ctx"}, {5, 18}, kHelperXdp},
    HelperSignature{"bpf_xdp_load_bytes", 189, "i64", {"ctx", "u32", "*u8", "u32"}, {5, 18}, kHelperXdp},
    HelperSignature{"bpf_xdp_store_bytes", 190, "i64", {"ctx", "u32", "const *u8", "u32"}, {5, 18}, kHelperXdp},
};

constexpr bool by_helper_name(const HelperSignature& left, const HelperSignature& right) {
  return left.name < right.name;
}
static_assert(std::is_sorted(kSignatures.begin(), kSignatures.end(), by_helper_name), "looked up by bisection");

constexpr std::array kKernelHelpers = {
#define KSC_HELPER_NAME(name) std::string_view(name),
#include "ir/helper_names.def"
#undef KSC_HELPER_NAME
};
static_assert(std::is_sorted(kKernelHelpers.begin(), kKernelHelpers.end()), "looked up by bisection");

}  // namespace

std::span<const HelperSignature> helper_signatures() { return kSignatures; }

const HelperSignature* find_helper_signature(std::string_view name) {
  auto at = std::lower_bound(kSignatures.begin(), kSignatures.end(), name,
                             [](const HelperSignature& item, std::string_view wanted) { return item.name < wanted; });
  return at != kSignatures.end() && at->name == name ? &*at : nullptr;
}

std::span<const std::string_view> kernel_helper_names() { return kKernelHelpers; }

bool is_kernel_helper(std::string_view name) {
  return std::binary_search(kKernelHelpers.begin(), kKernelHelpers.end(), name);
}

}  // namespace ksc
