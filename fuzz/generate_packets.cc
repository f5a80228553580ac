// SPDX-License-Identifier: Apache-2.0
// Random reads of the packet: headers, and pointers that move.
#include <fmt/format.h>

#include "fuzz/generator.h"

namespace ksc::fuzz {

const std::vector<Header>& headers() {
  static const std::vector<Header> all = {
      {"ethhdr", 0, {{"h_proto", integer(16)}, {"h_dest", T{T::Kind::Array, 0, false, {}, 6, {integer(8)}}}}, {}},
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

/// A loop that reads a byte of the packet in each turn, further on every time, and leaves where the packet ends.
/// More branches of one member of the context than C compilers leave alone.
Tree Generator::context_branches(int depth) {
  count("context read many times");
  const std::string member = is_xdp_ ? "rx_queue_index" : random_.once_in(2) ? "mark" : "len";
  std::string text;
  const uint64_t branches = 9 + random_.below(14);
  for (uint64_t i = 0; i < branches; ++i)
    text += fmt::format("{}if (ctx->{} == {}) {{ return {} }}", i ? " else " : "", member, i, verdict());
  return join(text + " else ", block(depth - 1, 1));
}

Tree Generator::packet_loop(int depth) {
  const int end = random_.pick(nested_loops_ > 0 ? std::vector<int>{8, 16} : std::vector<int>{16, 40, 64, 100, 200});
  count(end > 16 ? "packet loop" : "short packet loop");
  const std::string margin(2 * static_cast<size_t>(indent_), ' '), i = fmt::format("i{}", temporaries_),
                                                                   at = fmt::format("at{}", temporaries_),
                                                                   total = fmt::format("total{}", temporaries_);
  ++temporaries_;
  const T type = random_.once_in(2) ? integer(32) : any_integer();
  const std::string turn = random_.pick(Texts{i, i, i + " * 2", "(" + i + " ^ 5)", i + " + 3"});
  const bool counts = random_.once_in(3);
  Tree head;
  head.parts.push_back(Tree(fmt::format("var {}: {} = 0\n{}", total, type.spelled(), margin)));
  if (counts) head.parts.push_back(Tree(fmt::format("var counted_{}: u32 = 0\n{}", total, margin)));
  if (random_.once_in(3))
    head.parts.push_back(
        join(fmt::format("var {} = ctx->data + (", at), solid(integer(32), depth - 1), " & 31)\n" + margin));
  else
    head.parts.push_back(
        Tree(fmt::format("var {} = ctx->data + {}\n{}", at, random_.pick(std::vector<int>{0, 14, 34, 54}), margin)));
  Tree body;
  body.before = "{\n";
  const auto add = [&](Tree tree) { body.parts.push_back(line(std::move(tree))); };
  ++indent_;
  if (!random_.once_in(3)) {
    // Mostly what the read needs; more is a check that leaves early, less does not spare the compiler's.
    count("packet loop with a check");
    add(Tree(fmt::format("if ({} + {} + {} > ctx->data_end) {{ break }}", at, turn,
                         random_.pick(std::vector<int>{1, 1, 1, 0, 4}))));
  }
  const std::string byte = random_.once_in(2) ? fmt::format("{}[{}]", at, turn) : fmt::format("(*({} + {}))", at, turn);
  add(Tree(fmt::format("{} {}= ({} as {})", total, random_.pick(Texts{"+", "^", "|"}), byte, type.spelled())));
  if (random_.once_in(4)) {
    count("packet byte written in a loop");
    scopes_.push_back({{i, integer(32)}, {total, type}});
    add(join(byte + " = ", value(integer(8), 1)));
    scopes_.pop_back();
  }
  if (random_.once_in(3)) {
    count("packet loop that searches");
    add(Tree(fmt::format("if ({} == {}) {{ break }}", byte, random_.below(8))));
  }
  if (counts) {
    count("packet loop that counts");
    add(Tree(fmt::format("if ({} < {}) {{ counted_{} += 1 }}", byte, 32 + random_.below(128), total)));
  }
  --indent_;
  body.after = margin + "}";
  head.parts.push_back(join(fmt::format("for ({} in 0..{}) ", i, end), std::move(body)));
  scopes_.back().push_back({total, type});
  if (counts) scopes_.back().push_back({"counted_" + total, integer(32)});
  return head;
}

Tree Generator::copied_memory(int depth) {
  if (has_context_ && !in_user_ && random_.once_in(2)) {
    count("packet as one side of a copy");
    if (random_.once_in(3)) return join("ctx->data + (", solid(integer(32), depth - 1), " & 63)");
    return Tree(fmt::format("ctx->data + {}", random_.pick(std::vector<int>{0, 14, 34, 54})));
  }
  // Entries may be absent, and userspace has copies of them.
  const auto is_variable = [&](const Place& place) {
    return place.text.find('[') == std::string::npos && place.text.find("->") == std::string::npos &&
           !place.text.starts_with("settings.") && !(in_user_ && place.text.find('.') != std::string::npos);
  };
  const bool wants_number = random_.once_in(4);
  std::vector<Place> places = places_where(
      [&](const T& t) {
        return wants_number ? t.kind == T::Kind::Int : t.kind == T::Kind::Array && t.element[0].kind == T::Kind::Int;
      },
      true);
  std::erase_if(places, [&](const Place& place) { return !is_variable(place); });
  if (places.empty()) return Tree();
  const Place& place = random_.pick(places);
  if (!wants_number && random_.once_in(3)) {
    count("rest of an array as one side of a copy");
    return Tree(fmt::format("&{}[{}]", place.text, random_.below(place.type.count)));
  }
  count(wants_number ? "number as one side of a copy" : "array as one side of a copy");
  return Tree((wants_number ? "&" : "") + place.text);
}

/// Bytes, as many as are wanted or until one side ends.
Tree Generator::memory_copy(int depth) {
  Tree source = copied_memory(depth), destination = copied_memory(depth);
  if (source.text().empty() || destination.text().empty()) return simple_statement(depth);
  const bool is_known = random_.once_in(2);
  count(is_known ? "memory copied by a known size" : "memory copied");
  Tree size = is_known ? Tree(std::to_string(random_.pick(std::vector<int>{0, 1, 4, 6, 8, 20, 64, 200})))
                       : join("(", solid(integer(32), depth - 1), random_.once_in(4) ? ")" : " & 63)");
  return join("memory_copy(", std::move(source), ", ", std::move(destination), ", ", std::move(size), ")");
}

/// An access that fails in a try, between others through a pointer that lives on where that is caught and behind it.
Tree Generator::caught_access(int depth) {
  count("packet pointer where an access is caught");
  const std::string margin(2 * static_cast<size_t>(indent_), ' '), at = fmt::format("at{}", temporaries_++),
                                                                   total = fmt::format("total{}", temporaries_++);
  const auto byte = [&](int from) { return fmt::format("{}[{}]", at, static_cast<uint64_t>(from) + random_.below(8)); };
  Tree out = random_.once_in(3)
                 ? join(fmt::format("var {} = ctx->data + (", at), solid(integer(32), depth - 1), " & 15)")
                 : Tree(fmt::format("var {} = ctx->data + {}", at, random_.below(15)));
  out = join(std::move(out), fmt::format("\n{}var {}: u32 = {}\n", margin, total, random_.once_in(2) ? byte(0) : "0"));
  const std::string assign = fmt::format("{} = {} ^ ", total, total);
  const std::string failing = random_.once_in(2) ? byte(40) : fmt::format("ctx->data[{}]", 60 + random_.below(40));
  out = join(std::move(out), fmt::format("{}try {{ {}{} }} catch bounds {{ {}{} }}", margin, assign, failing, assign,
                                         random_.once_in(3) ? "3" : byte(0)));
  if (random_.once_in(2)) out = join(std::move(out), fmt::format("\n{}{}{}", margin, assign, byte(0)));
  scopes_.back().push_back({total, integer(32)});
  return out;
}

Tree Generator::packet_statement(int depth) {
  const Header& header = random_.pick(headers());
  const std::string name = fmt::format("{}{}", std::string(header.name).substr(0, 3), temporaries_++);
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
  if (random_.once_in(5)) return caught_access(depth);
  Tree out;
  if (const T type = struct_type(random_.pick(structs_)); random_.once_in(3) && is_any_bytes(type)) {
    count("struct copied from a packet");
    out.parts.push_back(Tree(fmt::format("var {} = *((ctx->data + {}) as *{})", name,
                                         random_.pick(std::vector<int>{0, 13, 16, 34}), type.name)));
    scopes_.back().push_back({name, type});
    return out;
  }
  if (!stays() && random_.once_in(12)) {
    count("packet of a known length");
    out.parts.push_back(Tree(fmt::format("if (ctx->data + {} != ctx->data_end) {{ return {} }}\n{}",
                                         header.offset + static_cast<int>(random_.pick(std::vector<int>{20, 24, 40})),
                                         in_entry_ ? verdict() : constant_text(result_),
                                         std::string(2 * static_cast<size_t>(indent_), ' '))));
  } else if (!stays() && random_.once_in(3)) {
    count("packet check");
    out.parts.push_back(Tree(fmt::format(
        "if (ctx->data + {} > ctx->data_end) {{ return {} }}\n{}",
        header.offset + static_cast<int>(random_.pick(std::vector<int>{8, 14, 20, 40})),
        in_entry_ ? verdict() : constant_text(result_), std::string(2 * static_cast<size_t>(indent_), ' '))));
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

Tree Generator::moved_packet() {
  count("packet moved");
  const bool moves_start = random_.once_in(2);
  const int64_t bytes = static_cast<int64_t>(random_.below(24)) - (moves_start ? 0 : 16);
  const std::string call = fmt::format("bpf_xdp_adjust_{}(ctx, {})", moves_start ? "head" : "tail", bytes);
  return Tree(random_.once_in(2) ? call : fmt::format("if ({} != 0) {{ return {} }}", call, verdict()));
}

}  // namespace ksc::fuzz
