#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a program of about N lines to standard output: generate.py N [functions|statements]. The same N gives the same program.

With `functions`, as without a word, it is realistic: it consists of groups of declarations as people write them: a struct, a map, a configuration, helpers with arithmetic, match, loops and map
entries, and XDP programs that read headers; a main that loads one of them and sets the configuration. With `statements` it is one XDP
program and a main of many statements each, which use the same variables and maps again and again.
"""
import sys

GROUP = """\
// Group {i}: flows of one kind.
struct Flow{i} {{
    packets: u64,
    bytes: u64,
    last_seen: u64,
    flags: u16,
    class: u8,
}}

enum Class{i} {{
    BULK_{i},
    INTERACTIVE_{i},
    CONTROL_{i},
}}

config rules_{i} {{
    limit: u64 = {limit},
    enabled: bool = true,
    port: u16 = {port},
}}

const SLOTS_{i}: u32 = 16

var flows_{i} : lru_hash<u32, Flow{i}>(1024)
var classes_{i} : percpu_array<u32, u64>(SLOTS_{i})
var seen_{i}: u64 = 0

@helper fn mix_{i}(value: u32) -> u32 {{
    var hash = value
    hash ^= hash >> 16
    hash *= 0x7feb352d
    hash ^= hash >> 15
    return hash ^ (hash >> {shift})
}}

@helper fn class_of_{i}(port: u16, size: u64) -> Class{i} {{
    if (size > rules_{i}.limit && port != rules_{i}.port) {{
        return BULK_{i}
    }}
    return match (port) {{
        22 | 23: INTERACTIVE_{i},
        53: CONTROL_{i},
        1024..2048: BULK_{i},
        default: INTERACTIVE_{i}
    }}
}}

@helper fn count_{i}(address: u32, port: u16, size: u64) -> bool {{
    var class = class_of_{i}(port, size)
    classes_{i}[mix_{i}(address) % SLOTS_{i}] += 1
    if (var flow = flows_{i}[address]) {{
        if (flow.packets >= rules_{i}.limit) {{
            flow.flags |= 1
            return false
        }}
        flow.packets += 1
        flow.bytes += size
        flow.last_seen = bpf_ktime_get_ns()
        return true
    }}
    flows_{i}[address] = Flow{i} {{ packets: 1, bytes: size, class: class as u8 }}
    seen_{i} += 1
    return true
}}

@helper fn weight_{i}(size: u64) -> u32 {{
    var weight: u32 = 0
    for (step in 0..8) {{
        if ((size >> step) & 1 == 1) {{
            weight += step * {step}
        }} else {{
            weight ^= step
        }}
    }}
    return weight
}}

@xdp fn program_{i}(ctx: *xdp_md) -> xdp_action {{
    var size = ctx->data_end - ctx->data
    var eth = ctx->data as *ethhdr
    if (eth->h_proto != htons(ETH_P_IP) || !rules_{i}.enabled) {{
        return XDP_PASS
    }}
    var ip = (ctx->data + sizeof(ethhdr)) as *iphdr
    if (ip->protocol != IPPROTO_TCP) {{
        return XDP_PASS
    }}
    var tcp = (ctx->data + sizeof(ethhdr) + (ip->ihl as u32) * 4) as *tcphdr
    if (tcp->syn != 0 && tcp->ack == 0 && weight_{i}(size) > {limit}) {{
        return XDP_DROP
    }}
    return count_{i}(ip->saddr, ntohs(tcp->dest), size) ? XDP_PASS : XDP_DROP
}}

fn configure_{i}(limit: u64) {{
    if (limit != 0) {{
        rules_{i}.limit = limit
    }}
    print("group {i}: at most %u packets of a flow", rules_{i}.limit)
}}

"""

SMALL = """\
@helper fn scale_{i}(value: u64) -> u64 {{
    if (value > {limit}) {{
        return value / {step} + 1
    }}
    return value * {step}
}}

"""

STATEMENTS_START = """\
struct Flow {
    packets: u64,
    bytes: u64,
}
var flows : hash<u32, Flow>(1024)
var counters : hash<u32, u64>(1024)
var total: u64 = 0

@helper fn note(value: u64) -> u64 {
    counters[value as u32] = value
    return value + 1
}

@xdp fn program(ctx: *xdp_md) -> xdp_action {
    var row: u32[16]
    var data = ctx->data
"""

STATEMENTS = """\
    var flow_{i} = flows[{i}]
    if (flow_{i} != null) {{
        flow_{i}.packets += 1
    }} else if (total == {i}) {{
        return XDP_DROP
    }}
    var size_{i} = total * {step} + data[{step}]
    row[(total + {i}) & 15] = row[total & 15] + 1
    for (turn in 0..{step}) {{
        total += turn
    }}
    counters[{i}] += size_{i}
    flows[{i}] = Flow {{ packets: 1, bytes: note(size_{i}) }}
"""

USER_STATEMENTS = """\
    total = total + counters[{i}]
    print("%u: %lu", {i}, total)
"""


def statements(wanted):
    count = max(1, (wanted - 24) // (STATEMENTS.count("\n") + USER_STATEMENTS.count("\n")))
    body = "".join(STATEMENTS.format(i=i, step=2 + i % 7) for i in range(count))
    users = "".join(USER_STATEMENTS.format(i=i) for i in range(count))
    sys.stdout.write(STATEMENTS_START + body + "    return XDP_PASS\n}\n\nfn main() -> i32 {\n    var program = load(program)\n" + users +
                     "    attach(program, \"lo\", 0)\n    return 0\n}\n")


def main():
    shape = sys.argv[2] if len(sys.argv) == 3 else "functions"
    if len(sys.argv) not in (2, 3) or not sys.argv[1].isdigit() or shape not in ("functions", "statements"):
        sys.exit("usage: generate.py LINES [functions|statements]")
    wanted = int(sys.argv[1])
    if shape == "statements":
        statements(wanted)
        return
    text, lines, group, small = [], 0, 0, 0
    end = 14
    while lines + GROUP.count("\n") + end <= wanted or group == 0:
        text.append(GROUP.format(i=group, limit=100 + group, port=1000 + group % 50000, shift=10 + group % 8, step=1 + group % 7))
        lines += GROUP.count("\n")
        group += 1
    while lines + SMALL.count("\n") + end <= wanted:
        text.append(SMALL.format(i=small, limit=100 + small, step=2 + small % 7))
        lines += SMALL.count("\n")
        small += 1
    text.append("struct Args {\n    interface: str(16),\n    limit: u64,\n}\n\nfn main(args: Args) -> i32 {\n    configure_0(args.limit)\n"
                "    var program = load(program_0)\n    attach(program, args.interface, 0)\n    return 0\n}\n")
    sys.stdout.write("".join(text))


if __name__ == "__main__":
    main()
