// SPDX-License-Identifier: Apache-2.0
// Random statements on queues, stacks and ring buffers.
#include <fmt/format.h>

#include "fuzz/generator.h"

namespace ksc::fuzz {

void Generator::declare_queues(Tree& out) {
  for (uint64_t i = 0, n = random_.below(3); i < n; ++i) {
    Map map{global_name(fmt::format("q{}", i)), random_.pick(Texts{"queue", "stack", "ringbuf"}), {}, any_integer()};
    const bool is_ring = map.kind == "ringbuf";
    if (random_.once_in(is_ring ? 2 : 3)) map.value = struct_type(random_.pick(structs_));
    count("map " + map.kind);
    out.parts.push_back(declaration(fmt::format("var {} : {}<{}>({})", map.name, map.kind, map.value.spelled(),
                                                is_ring ? 4096 : 1 + random_.below(6))));
    (is_ring ? rings_ : queues_).push_back(map);
    if (!is_ring || map.value.kind != T::Kind::Struct) continue;
    // A function that is given what is reserved.
    for (const StructMember& member : find_struct(map.value).members) {
      if (member.type.kind != T::Kind::Int) continue;
      const std::string name = global_name(fmt::format("fill{}", i));
      out.parts.push_back(
          Tree(fmt::format("@helper fn {}(e: *{}, n: u32) -> u32 {{\n  e.{} {}= (n as {})\n  return n\n}}\n\n", name,
                           map.value.name, member.name, random_.pick(Texts{"", "+", "^"}), member.type.spelled())));
      out.parts.back().may_drop = true;
      fillers_[map.name] = name;
      break;
    }
  }
}

Tree Generator::adding_statement(const Map& map, const std::string& method, int depth) {
  count(method);
  Tree added = join(map.name + "." + method + "(", value(map.value, depth - 1), ")");
  const auto places = places_of(integer(32, true), true);
  if (places.empty() || random_.once_in(2)) return added;
  return join(random_.pick(places) + " = ", std::move(added));
}

Tree Generator::ring_statement(int depth) {
  return adding_statement(random_.pick(rings_), random_.once_in(2) ? "submit" : "output", depth);
}

Tree Generator::queue_statement(int depth) {
  const Map& map = random_.pick(queues_);
  const bool is_struct = map.value.kind == T::Kind::Struct;
  if (random_.once_in(2)) return adding_statement(map, "push", depth);
  const std::string method = random_.once_in(3) ? "peek" : "pop";
  count(method);
  const auto places = places_of(map.value, true);
  if (!is_struct && !places.empty() && random_.once_in(3))
    return join(random_.pick(places) + " = ", map.name + "." + method + "()");
  if (method == "pop" && random_.once_in(6)) return Tree(map.name + ".pop()");
  const std::string name = fmt::format("taken{}", temporaries_++), copy = fmt::format("held{}", temporaries_++);
  Tree head(fmt::format("if (var {} = {}.{}()) ", name, map.name, method));
  scopes_.emplace_back();
  ++indent_;
  const std::string margin(2 * static_cast<size_t>(indent_), ' ');
  Tree body;
  body.before = "{\n";
  body.parts.push_back(Tree(fmt::format("{}var {}: {} = {}\n", margin, copy, map.value.spelled(), name)));
  scopes_.back().push_back({copy, map.value});
  if (is_struct && random_.once_in(2)) {
    std::vector<Place> parts;
    add_parts(
        name, map.value, [](const T& t) { return t.kind == T::Kind::Int; }, parts);
    if (!parts.empty()) {
      const Place& part = random_.pick(parts);
      count("member of what was taken");
      body.parts.push_back(Tree(fmt::format("{}{} = {}\n", margin, part.text, random_.below(7))));
      body.parts.push_back(Tree(fmt::format("{}{} = {}\n", margin, copy, name)));
    }
  }
  for (uint64_t i = 0; i < 1 + random_.below(2); ++i) body.parts.push_back(line(statement(depth - 1)));
  --indent_;
  body.after = std::string(2 * static_cast<size_t>(indent_), ' ') + "}";
  scopes_.pop_back();
  head.parts.push_back(std::move(body));
  if (random_.once_in(2)) {
    Tree other = join(" else ", block(depth - 1, 1));
    other.may_drop = true;
    head.parts.push_back(std::move(other));
  }
  return head;
}

}  // namespace ksc::fuzz
