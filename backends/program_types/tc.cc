// SPDX-License-Identifier: Apache-2.0
#include "ir/helper_signatures.h"
#include "ir/program_type.h"

namespace ksc::program_types {

static constexpr std::string_view directions[] = {"ingress", "egress"};
static constexpr std::string_view headers[] = {"linux/bpf.h", "linux/pkt_cls.h"};
// net/core/filter.c, tc_cls_act_is_valid_access
static constexpr std::string_view writable[] = {"mark", "tc_index", "priority",     "tc_classid",
                                                "cb",   "tstamp",   "queue_mapping"};
static constexpr std::string_view unreadable[] = {"data_meta",  "flow_keys", "family",      "remote_ip4", "local_ip4",
                                                  "remote_ip6", "local_ip6", "remote_port", "local_port", "sk"};

extern const ProgramType tc;
const ProgramType tc = {
    .attribute = "tc",
    .targets = directions,
    .default_target = "ingress",
    .context = "__sk_buff",
    .result = "i32",
    .pass_through = "TC_ACT_OK",
    .safe = "TC_ACT_SHOT",
    .section = "tc",
    .attach_kind = "KS_TC",
    .nesting_helper = "bpf_clone_redirect",
    .tail_calls = true,
    .writable = writable,
    .unreadable = unreadable,
    .headers = headers,
    .helpers = kHelperTc,
    .first_kernel = {4, 4},
    .init_template = R"(// {name}: decides about each packet that arrives, after the kernel has built its socket buffer.

struct Args {
    interface: str(16),
}

var bytes : array<u32, u64>(1)

@tc("ingress") fn {name}(ctx: *__sk_buff) -> i32 {
    bytes[0] += ctx->len
    return TC_ACT_OK
}

fn main(args: Args) -> i32 {
    var program = load({name})
    attach(program, args.interface, 0)
    print("watching %s", args.interface)
    return 0
}
)",
};

}  // namespace ksc::program_types
