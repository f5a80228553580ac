// SPDX-License-Identifier: Apache-2.0
// Helpers that give pointers, and packet pointers that may be null.
#include <fmt/format.h>

#include "fuzz/generator.h"

namespace ksc::fuzz {

void Generator::pointer_givers(Tree& out) {
  for (uint64_t i = 0, n = random_.below(3); i < n; ++i) {
    PointerGiver giver{global_name(fmt::format("give{}", i)), {}, {}, {}, false};
    has_context_ = in_entry_ = throws_ = false;
    scopes_ = {{}};
    indent_ = 1;
    Tree body;
    body.after = "}\n\n";
    body.may_drop = true;
    std::vector<const Map*> fitting;
    for (const Map& map : maps_)
      if (map.value.kind == T::Kind::Struct) fitting.push_back(&map);
    if (!fitting.empty() && random_.once_in(2)) {
      const Map& map = *random_.pick(fitting);
      giver.map = map.name;
      giver.pointee = map.value;
      giver.key = map.key;
      count("entry given");
      scopes_.back().push_back({"k", map.key});
      body.before = fmt::format("@helper fn {}(k: {}) -> *{} {{\n", giver.name, map.key.spelled(), map.value.spelled());
      frozen_.insert(map.name);
      result_ = boolean;
      if (random_.once_in(2)) body.parts.push_back(line(simple_statement(1)));
      if (random_.once_in(2))
        body.parts.push_back(
            line(join("if (", condition(1), ") { return ",
                      random_.once_in(2) ? Tree("null") : join(map.name + "[", key(map, 0), "]"), " }")));
      const auto other = std::find_if(givers_.begin(), givers_.end(), [&](const auto& g) { return g.map == map.name; });
      if (other != givers_.end() && random_.once_in(2)) {
        count("entry given by another");
        body.parts.push_back(Tree(fmt::format("  return {}(k)\n", other->name)));
      } else if (random_.once_in(2)) {
        body.parts.push_back(
            Tree(fmt::format("  var found = {}[k]\n  if (found == null) {{ return null }}\n", map.name)));
        body.parts.push_back(line(reference_use("found", map.value, 1)));
        body.parts.push_back(Tree("  return found\n"));
      } else {
        body.parts.push_back(Tree(fmt::format("  return {}[k]\n", map.name)));
      }
      frozen_.clear();
    } else {
      const Header& header = random_.pick(headers());
      giver.pointee = {T::Kind::Packet, 0, false, header.name, 0, {}};
      has_context_ = true;
      const bool is_named = random_.once_in(3);
      count(is_named ? "packet pointer with a name given" : "packet pointer given");
      result_ = boolean;
      body.before = fmt::format("@helper fn {}(ctx: *{}) -> {}*{} {{\n", giver.name, is_xdp_ ? "xdp_md" : "__sk_buff",
                                is_named ? "given: " : "", header.name);
      const std::string pointer = fmt::format("(ctx->data + {}) as *{}", header.offset, header.name);
      if (random_.once_in(2)) body.parts.push_back(line(simple_statement(1)));
      if (random_.once_in(2)) body.parts.push_back(line(join("if (", condition(2), ") { return null }")));
      if (is_named) {
        body.parts.push_back(line(join("if (", condition(2), fmt::format(") {{ given = {} }}", pointer))));
      } else if (random_.once_in(2)) {
        body.parts.push_back(Tree(fmt::format("  var chosen_at = {}\n", pointer)));
        scopes_.back().push_back({"chosen_at", giver.pointee});
        body.parts.push_back(line(join("return ", condition(2), " ? chosen_at : null")));
      } else {
        body.parts.push_back(Tree(fmt::format("  return {}\n", pointer)));
      }
    }
    out.parts.push_back(std::move(body));
    giver.throws = throws_;
    givers_.push_back(giver);
  }
}

void Generator::element_givers(Tree& out) {
  if (!random_.once_in(2)) return;
  std::vector<Place> arrays;
  for (const Variable& global : globals_)
    if (!global.is_const && global.type.kind == T::Kind::Array &&
        (global.type.element[0].kind == T::Kind::Int || global.type.element[0].kind == T::Kind::Struct))
      arrays.push_back({global.name, global.type});
  const Map& map = random_.pick(maps_);
  const auto parts = parts_where(map.value, [](const T& t) { return t.kind == T::Kind::Int; });
  const std::string name = global_name("element_at");
  if (!arrays.empty() && (parts.empty() || random_.once_in(2))) {
    const Place& array = random_.pick(arrays);
    const T pointee = array.type.element[0];
    count("helper that gives an element's address");
    element_givers_.push_back({name, "", pointee, integer(32)});
    out.parts.push_back(declaration(
        fmt::format("@helper fn {}(i: u32) -> *{} {{ return &{}[i] }}\n", name, pointee.spelled(), array.text)));
  } else if (!parts.empty()) {
    const Place& part = random_.pick(parts);
    count("helper that gives the address of an entry's part");
    element_givers_.push_back({name, map.name, part.type, map.key});
    out.parts.push_back(declaration(fmt::format("@helper fn {}(k: {}) -> *{} {{ return &{}[k]{} }}\n", name,
                                                map.key.spelled(), part.type.spelled(), map.name, part.text)));
  }
}

Tree Generator::given_element(T& type, int depth) {
  if (element_givers_.empty() || in_user_ || !frozen_.empty()) return Tree();
  const ElementGiver& giver = random_.pick(element_givers_);
  count("given element");
  type = giver.pointee;
  return join(giver.name + "(", value(giver.key, depth - 1), ")");
}

Tree Generator::given_pointer(int depth) {
  const PointerGiver& giver = random_.pick(givers_);
  const bool is_packet = giver.map.empty();
  if (!frozen_.empty() || (is_packet && !has_context_) || (giver.throws && !may_throw()))
    return simple_statement(depth);
  throws_ = throws_ || (giver.throws && !catches_all());
  count(is_packet ? "given packet pointer" : "given entry");
  const std::string name = fmt::format("given{}", temporaries_++);
  Tree given = is_packet ? Tree(giver.name + "(ctx)") : join(giver.name + "(", value(*giver.key, depth - 1), ")");
  Tree out = random_.once_in(2)
                 ? join(fmt::format("if (var {} = ", name), std::move(given), ") ")
                 : join(fmt::format("var {} = ", name), std::move(given),
                        fmt::format("\n{}if ({} != null) ", std::string(2 * static_cast<size_t>(indent_), ' '), name));
  scopes_.emplace_back();
  ++indent_;
  Tree body;
  body.before = "{\n";
  if (is_packet) {
    scopes_.back().push_back({name, giver.pointee});
    for (uint64_t i = 0; i < 1 + random_.below(3); ++i) body.parts.push_back(line(statement(depth - 1)));
  } else {
    frozen_.insert(giver.map);
    for (uint64_t i = 0; i < 1 + random_.below(3); ++i)
      body.parts.push_back(line(reference_use(name, giver.pointee, depth - 1)));
    frozen_.erase(giver.map);
  }
  --indent_;
  body.after = std::string(2 * static_cast<size_t>(indent_), ' ') + "}";
  scopes_.pop_back();
  out.parts.push_back(std::move(body));
  return out;
}

Tree Generator::late_pointer(int depth) {
  const Header& header = random_.pick(headers());
  const std::string name = fmt::format("late{}", temporaries_++), margin(2 * static_cast<size_t>(indent_), ' ');
  count("packet pointer that is null first");
  Tree out = join(fmt::format("var {}: *{} = null\n{}", name, header.name, margin), fmt::format("if (", name),
                  condition(depth - 1),
                  fmt::format(") {{ {} = (ctx->data + {}) as *{} }}\n{}if ({} != null) ", name, header.offset,
                              header.name, margin, name));
  scopes_.emplace_back();
  scopes_.back().push_back({name, {T::Kind::Packet, 0, false, header.name, 0, {}}});
  out.parts.push_back(block(depth - 1, 2));
  scopes_.pop_back();
  return out;
}

Tree Generator::packet_view(int depth) {
  if (random_.once_in(6)) {
    count("hash of a packet");
    const std::string name = fmt::format("hash{}", temporaries_++);
    scopes_.back().push_back({name, integer(32)});
    return Tree(fmt::format("var {}: u32 = ctx.hash()", name));
  }
  count("packet view");
  const std::string view = fmt::format("view{}", temporaries_++), margin(2 * static_cast<size_t>(indent_), ' ');
  Tree out = join(fmt::format("var {} = ctx.packet()\n{}if ({} != null) ", view, margin, view));
  scopes_.emplace_back();
  out.parts.push_back(block_of(1 + random_.below(3), [&] { return view_use(view, depth - 1); }));
  scopes_.pop_back();
  return out;
}

Tree Generator::view_use(const std::string& view, int depth) {
  const std::string name = fmt::format("of_view{}", temporaries_++);
  const std::string ending = random_.once_in(2) ? "" : "()";
  switch (random_.below(5)) {
    case 0: {
      count("number of a view");
      static const std::vector<std::pair<const char*, int>> numbers = {
          {"protocol", 8}, {"src_port", 16}, {"dst_port", 16}, {"src_ip", 32}, {"dst_ip", 32}};
      const auto& [member, bits] = random_.pick(numbers);
      if (random_.once_in(4)) {
        scopes_.back().push_back({name, integer(64)});
        return Tree(
            fmt::format("var {}: u64 = {}.{}{}", name, view, random_.pick(Texts{"size", "len", "hash"}), ending));
      }
      const T type{T::Kind::Option, 0, false, {}, 0, {integer(bits)}};
      scopes_.back().push_back({name, type});
      return Tree(fmt::format("var {}: {} = {}.{}{}", name, type.spelled(), view, member, ending));
    }
    case 1:
      count("truth of a view");
      scopes_.back().push_back({name, boolean});
      return Tree(fmt::format("var {} = {}.{}{}", name, view,
                              random_.pick(Texts{"is_tcp", "is_udp", "is_icmp", "is_ipv6"}), ending));
    case 2: {
      if (in_deferred_) break;
      count("member of a header that may not be there");
      scopes_.back().push_back({name, integer(8)});
      return Tree(fmt::format("var {}: u8 = {}.{}", name, view,
                              random_.pick(Texts{"ip_header().ttl", "ip_header().protocol", "tcp_header().flags"})));
    }
    case 3: {
      count("header of a view changed");
      static const std::vector<std::pair<const char*, int>> changes = {{"ip_header().set_ttl", 8},
                                                                       {"ip_header().set_src_ip", 32},
                                                                       {"ip_header().set_dst_ip", 32},
                                                                       {"tcp_header().set_src_port", 16},
                                                                       {"tcp_header().set_dst_port", 16}};
      const auto& [change, bits] = random_.pick(changes);
      const std::string header(change, std::string_view(change).find('.'));
      return join(fmt::format("if (var {} = {}.{}) {{ {}.{}(", name, view, header, name, change + header.size() + 1),
                  value(integer(bits), depth), ") }");
    }
    default: break;
  }
  count("header of a view");
  static const std::vector<std::pair<const char*, const char*>> views = {
      {"ip_header", "iphdr"}, {"tcp_header", "tcphdr"}, {"udp_header", "udphdr"}};
  const auto& [method, header] = random_.pick(views);
  Tree out(fmt::format("if (var given{} = {}.{}{}) ", name, view, method, ending));
  scopes_.emplace_back();
  scopes_.back().push_back({"given" + name, {T::Kind::Packet, 0, false, header, 0, {}}});
  out.parts.push_back(block(depth, 1 + static_cast<int>(random_.below(2))));
  scopes_.pop_back();
  return out;
}

}  // namespace ksc::fuzz
