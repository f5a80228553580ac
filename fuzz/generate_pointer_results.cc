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
        body.parts.push_back(Tree(fmt::format("  var at = {}\n", pointer)));
        scopes_.back().push_back({"at", giver.pointee});
        body.parts.push_back(line(join("return ", condition(2), " ? at : null")));
      } else {
        body.parts.push_back(Tree(fmt::format("  return {}\n", pointer)));
      }
    }
    out.parts.push_back(std::move(body));
    giver.throws = throws_;
    givers_.push_back(giver);
  }
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

}  // namespace ksc::fuzz
