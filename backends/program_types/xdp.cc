// SPDX-License-Identifier: Apache-2.0
#include "ir/helper_signatures.h"
#include "ir/program_type.h"

namespace ksc::program_types {

static constexpr std::string_view headers[] = {"linux/bpf.h"};
// net/core/filter.c, xdp_is_valid_access: egress_ifindex is for programs in a devmap
static constexpr std::string_view unreadable[] = {"data_meta", "egress_ifindex"};

extern const ProgramType xdp;
const ProgramType xdp = {
    .attribute = "xdp",
    .targets = {},
    .default_target = "",
    .context = "xdp_md",
    .result = "xdp_action",
    .pass_through = "XDP_PASS",
    .safe = "XDP_ABORTED",
    .section = "xdp",
    .attach_kind = "KS_XDP",
    .tail_calls = true,
    .writable = {},
    .unreadable = unreadable,
    .headers = headers,
    .helpers = kHelperXdp,
    .first_kernel = {4, 8},
    .init_template = R"(// {name}: decides about each packet as soon as the network driver has it.

struct Args {
    interface: str(16),
}

var packets : array<u32, u64>(1)

@xdp fn {name}(ctx: *xdp_md) -> xdp_action {
    packets[0] += 1
    return XDP_PASS
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
