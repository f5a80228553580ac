// SPDX-License-Identifier: Apache-2.0
// Random statements on maps whose values are arrays or strings.
#include <fmt/format.h>

#include "fuzz/generator.h"

namespace ksc::fuzz {

void Generator::declare_array_maps(Tree& out) {
  for (uint64_t i = 0, n = random_.below(3); i < n; ++i) {
    const bool is_array = random_.once_in(2);
    Map map{global_name(fmt::format("w{}", i)), random_.pick(Texts{"hash", "array", "lru_hash"}), integer(32),
            is_array ? array_of_integers() : string(8)};
    const uint64_t entries = map.kind == "lru_hash" ? 1024 : 2 + random_.below(6);
    out.parts.push_back(
        declaration(fmt::format("var {} : {}<u32, {}>({})", map.name, map.kind, map.value.spelled(), entries)));
    count(is_array ? "map of arrays" : "map of strings");
    array_maps_.push_back(map);
  }
}

Tree Generator::array_map_statement(int depth) {
  const Map& map = random_.pick(array_maps_);
  const auto entry = [&] { return join(map.name + "[", key(map, depth - 1), "]"); };
  if (!map.is_array() && random_.once_in(8)) return count("map delete"), join("delete ", entry());
  if (map.value.kind == T::Kind::Str) {
    if (random_.once_in(3)) return join(entry(), " = " + any_text());
    if (random_.once_in(2))
      return count("string of a map compared"),
             join("if (", entry(), random_.once_in(2) ? " == " : " != ", any_text() + ") ", block(depth - 1, 1));
    const auto places = places_of(character, true);
    if (places.empty()) return join(entry(), " = " + any_text());
    count("character of a map's string");
    return join(random_.pick(places) + " = ", entry(), "[", solid(integer(32), depth - 1), " & 7]");
  }
  const T& element = map.value.element[0];
  const auto index = [&] {
    return random_.once_in(2) ? Tree(fmt::format("[{}]", random_.below(map.value.count)))
                              : join("[(", solid(integer(32), depth - 1), " & 7)]");
  };
  const auto places = places_of(element, true);
  switch (random_.below(4)) {
    case 0: return count("array of a map written"), join(entry(), " = ", leaf(map.value));
    case 1:
      count("element of a map's array written");
      return join(join(entry(), index()), random_.once_in(2) ? " += " : " = ", value(element, depth - 1));
    case 2:
      if (places.empty()) break;
      count("element of a map's array read");
      return join(random_.pick(places) + " = ", entry(), index());
    default: break;
  }
  count("array of a map referred to");
  const std::string name = fmt::format("whole{}", temporaries_++);
  const std::string margin(2 * static_cast<size_t>(indent_), ' ');
  const bool was_frozen = in_user_ || !frozen_.insert(map.name).second;
  Tree use = join("  " + margin + name, index(), " += ", value(element, 0));
  Tree read = places.empty() ? Tree() : join("\n  " + margin + random_.pick(places) + " = " + name, index());
  if (!was_frozen) frozen_.erase(map.name);
  return join(join("if (var " + name + " = ", entry(), ") {\n", std::move(use)), std::move(read), "\n" + margin + "}");
}

}  // namespace ksc::fuzz
