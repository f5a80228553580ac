// SPDX-License-Identifier: Apache-2.0
// Random reads of the packet: headers, and pointers that move.
#include <fmt/format.h>

#include "fuzz/generator.h"

namespace ksc::fuzz {

const std::vector<Header>& headers() {
  static const std::vector<Header> all = {
      {"ethhdr", 0, {{"h_proto", integer(16)}}, {}},
      {"iphdr",
       14,
       {{"ihl", integer(8)},
        {"version", integer(8)},
        {"tos", integer(8)},
        {"tot_len", integer(16)},
        {"ttl", integer(8)},
        {"protocol", integer(8)},
        {"saddr", integer(32)},
        {"daddr", integer(32)}},
       {"ihl", "version"}},
      {"tcphdr",
       34,
       {{"source", integer(16)},
        {"dest", integer(16)},
        {"seq", integer(32)},
        {"syn", integer(16)},
        {"doff", integer(16)},
        {"window", integer(16)}},
       {"syn", "doff"}},
      {"udphdr", 34, {{"source", integer(16)}, {"dest", integer(16)}, {"len", integer(16)}}, {}},
  };
  return all;
}

Tree Generator::packet_statement(int depth) {
  const Header& header = random_.pick(headers());
  const std::string name = fmt::format("{}{}", std::string(header.name).substr(0, 2), temporaries_++);
  const T pointer{T::Kind::Packet, 0, false, header.name, 0, {}};
  if (random_.once_in(5)) {
    count("packet pointer moves");
    const std::string margin(2 * static_cast<size_t>(indent_), ' '), at = fmt::format("at{}", temporaries_++),
                                                                     byte = fmt::format("byte{}", temporaries_++);
    Tree moves = join(fmt::format("var {0} = ctx->data + {1}\n{2}for (i{0} in 0..{3}) {{ {0} = {0} + 1 + (", at,
                                  14 + random_.below(10), margin, 1 + random_.below(3)),
                      solid(integer(8), depth - 1), fmt::format(" & 7) }}\n{}{} -= (", margin, at),
                      solid(any_integer(), depth - 1),
                      fmt::format(" & {})\n{}var {}: u8 = {}[{}]", random_.once_in(3) ? 31 : 7, margin, byte, at,
                                  random_.once_in(2) ? "-1" : "1"));
    scopes_.back().push_back({byte, integer(8)});
    return moves;
  }
  Tree out;
  if (random_.once_in(3)) {
    count("packet check");
    out.parts.push_back(
        Tree(fmt::format("if (ctx->data + {} > ctx->data_end) {{ return {} }}\n{}",
                         header.offset + static_cast<int>(random_.pick(std::vector<int>{8, 14, 20, 40})),
                         in_entry_ ? verdict() : zero(result_), std::string(2 * static_cast<size_t>(indent_), ' '))));
  }
  if (header.offset == 0) {
    out.parts.push_back(Tree(fmt::format("var {} = ctx->data as *{}", name, header.name)));
  } else if (random_.once_in(3)) {
    count("packet at an offset");
    out.parts.push_back(join(fmt::format("var {} = (ctx->data + {} + ((", name, header.offset),
                             solid(integer(32), depth - 1), fmt::format(" & 15) as u64)) as *{}", header.name)));
  } else {
    count("packet at an offset");
    out.parts.push_back(Tree(fmt::format("var {} = (ctx->data + {}) as *{}", name, header.offset, header.name)));
  }
  scopes_.back().push_back({name, pointer});
  return out;
}

}  // namespace ksc::fuzz
