// SPDX-License-Identifier: Apache-2.0
// Pointers that arithmetic moves in an array, and out of it.
#include <fmt/format.h>

#include "fuzz/generator.h"

namespace ksc::fuzz {

/// A function that reads, or writes, what is behind a pointer to numbers.
Tree Generator::walker(size_t index, const std::string& attribute) {
  // Of numbers that there are arrays of.
  std::vector<T> elements;
  for (const Variable& global : globals_)
    if (global.type.kind == T::Kind::Array && global.type.element[0].kind == T::Kind::Int)
      elements.push_back(global.type.element[0]);
  const T element = elements.empty() ? any_integer() : random_.pick(elements);
  Walker walker{global_name(fmt::format("{}walk{}", in_user_ ? "user_" : "", index)), element, false};
  count("helper that moves a pointer");
  const std::string type = element.spelled();
  Tree out(fmt::format("{}fn {}(p: *{}, n: u32) -> {} {{\n", attribute, walker.name, type, type));
  out.parts.push_back(Tree(fmt::format("  var sum: {} = 0\n", type)));
  const auto may_drop = [&](std::string text) {
    Tree statement(std::move(text));
    statement.may_drop = true;
    out.parts.push_back(std::move(statement));
  };
  if (random_.once_in(2)) may_drop(fmt::format("  p += {}\n", static_cast<int64_t>(random_.below(4)) - 1));
  switch (random_.below(3)) {
    case 0: may_drop(fmt::format("  for (i in 0..{}) {{ sum += p[i] }}\n", 1 + random_.below(9))); break;
    case 1: may_drop("  for (i in 0..5) {\n    if (i < n) { sum ^= *p }\n    p += 1\n  }\n"); break;
    default:
      walker.writes = true;
      may_drop("  var last = p + (n & 3)\n  while (p < last) {\n    *p += 1\n    p += 1\n  }\n");
      break;
  }
  if (random_.once_in(3)) {
    walker.writes = true;
    may_drop(fmt::format("  p[{}] = sum\n", static_cast<int64_t>(random_.below(5)) - 1));
  }
  walkers_.push_back(walker);
  out.parts.push_back(Tree("  return sum + *p\n"));
  out.after = "}\n\n";
  out.may_drop = true;
  return out;
}

/// One thing that is done with a pointer into an array, of which the first element has that address.
Tree Generator::moved_use(const std::string& pointer, const std::string& first, const T& type, int depth) {
  const bool is_number = type.kind == T::Kind::Int;
  const auto offset = [&]() -> Tree {
    return random_.once_in(2) ? Tree(fmt::format("{}", random_.below(5)))
                              : join("(", unknown(any_integer()), fmt::format(" & {})", random_.below(8)));
  };
  switch (random_.below(9)) {
    case 0: return count("pointer moved by +="), join(pointer + (random_.once_in(3) ? " -= " : " += "), offset());
    case 1:
      count("pointer moved by + or -");
      return join(fmt::format("{} = {} {} ", pointer, pointer, random_.once_in(3) ? "-" : "+"), offset());
    case 2: {
      count("moved pointer chosen");
      Tree other = random_.once_in(2) ? Tree(first) : join(pointer + " - ", offset());
      return join(fmt::format("{} = ", pointer), condition(depth - 1), fmt::format(" ? {} : ", pointer),
                  std::move(other));
    }
    case 3: {
      const auto places = places_of(integer(64), true);
      if (places.empty()) break;
      return count("distance of moved pointers"),
             Tree(fmt::format("{} = {} - {}", random_.pick(places), pointer, first));
    }
    case 4: {
      count("moved pointers compared");
      const std::string op = random_.pick(Texts{"==", "!=", "<", "<=", ">", ">="});
      return join(fmt::format("if ({} {} {}) ", pointer, op, first), block(depth - 1, 1));
    }
    case 5: {
      const std::string name = fmt::format("rest{}", temporaries_++);
      count("moved pointer at rest");
      Tree body = through_pointer(name, type, false, depth);
      return join(fmt::format("if (var {} = &{}[", name, pointer), offset(), "]) { ", std::move(body), " }");
    }
    case 6:
      for (const Walker& walker : walkers_) {
        if (!(walker.element == type)) continue;
        const auto places = places_of(type, true);
        count("moved pointer passed");
        Tree call = join(fmt::format("{}({}{}, ", walker.name, random_.once_in(3) ? first : pointer,
                                     random_.once_in(3) ? " + 1" : ""),
                         value(integer(32), depth - 1), ")");
        return places.empty() ? call : join(random_.pick(places) + " += ", std::move(call));
      }
      break;
    case 7: {
      if (!is_number) break;
      count("element of a moved pointer");
      Tree place = join(pointer + "[", random_.once_in(4) ? Tree("-1") : offset(), "]");
      return join(std::move(place), random_.pick(Texts{" = ", " += ", " ^= "}), value(type, depth - 1));
    }
    default: break;
  }
  return through_pointer(pointer, type, false, depth);
}

/// A pointer into a constant, or to a character: read only.
Tree Generator::constant_pointer(int depth) {
  std::vector<Place> wholes;
  for (const Variable& global : globals_)
    if (global.is_const && global.type.kind == T::Kind::Array && global.type.element[0].kind == T::Kind::Int)
      wholes.push_back({global.name, global.type});
  for (const std::string& text : strings_in_sight())
    if (text.find_first_of("[>(") == std::string::npos && text.find("found") == std::string::npos)
      wholes.push_back({text, string(2)});
  wholes.push_back({"\"text\"", string(5)});
  // Above all one that a function takes which only reads.
  const auto taken = std::find_if(wholes.begin(), wholes.end(), [&](const Place& place) {
    return place.type.kind == T::Kind::Array &&
           std::any_of(walkers_.begin(), walkers_.end(),
                       [&](const Walker& walker) { return !walker.writes && walker.element == place.type.element[0]; });
  });
  const Place& whole = taken != wholes.end() ? *taken : random_.once_in(2) ? wholes[0] : random_.pick(wholes);
  const bool is_text = whole.type.kind == T::Kind::Str;
  const T type = is_text ? character : whole.type.element[0];
  const auto places = places_of(type, true);
  if (places.empty()) return assignment(depth);
  count(is_text ? "pointer to a character" : "pointer into a constant");
  const std::string name = fmt::format("fixed{}", temporaries_++), margin(2 * static_cast<size_t>(indent_), ' ');
  Tree out(fmt::format("var {} = &{}[{}]\n", name, whole.text, random_.below(is_text ? 2 : whole.type.count)));
  if (random_.once_in(2)) out.parts.push_back(line(Tree(fmt::format("{} += {}", name, random_.below(4)))));
  for (const Walker& walker : walkers_)
    if (walker.element == type && !walker.writes) {
      count("constant passed to what moves it");
      out.parts.push_back(line(
          join(fmt::format("{} += {}({}, ", random_.pick(places), walker.name, random_.once_in(2) ? name : whole.text),
               value(integer(32), depth - 1), ")")));
    }
  out.parts.push_back(join(fmt::format("{}{} = {}[", margin, random_.pick(places), name), unknown(any_integer()),
                           fmt::format(" & {}]", random_.below(8))));
  return out;
}

Tree Generator::moved_pointer(int depth) {
  if (random_.once_in(4)) return constant_pointer(depth);
  const auto of_numbers = [](const T& t) {
    const T& element = t.kind == T::Kind::Array ? t.element[0] : t;
    return element.kind == T::Kind::Int || (t.kind == T::Kind::Array && element.kind == T::Kind::Struct);
  };
  auto places = places_where(of_numbers, true);
  std::erase_if(places, [&](const Place& p) {
    return p.text.find("settings.") != std::string::npos || p.text.find("found") != std::string::npos ||
           p.text.find_first_of("[>") != std::string::npos || p.text.find("object") != std::string::npos;
  });
  if (places.empty()) return assignment(depth);
  std::vector<Place> arrays = places;
  std::erase_if(arrays, [](const Place& p) { return p.type.kind != T::Kind::Array; });
  const Place place = random_.pick(arrays.empty() || random_.once_in(5) ? places : arrays);
  const bool is_array = place.type.kind == T::Kind::Array;
  const T type = is_array ? place.type.element[0] : place.type;
  const std::string name = fmt::format("moved{}", temporaries_++), margin(2 * static_cast<size_t>(indent_), ' ');
  const std::string first = "&" + place.text + (is_array ? "[0]" : "");
  count(is_array ? "moved pointer into an array" : "moved pointer to one number");
  Tree out(fmt::format("var {} = &{}{}\n", name, place.text,
                       is_array ? fmt::format("[{}]", random_.below(place.type.count)) : ""));
  const bool turns = random_.once_in(3) && nested_loops_ == 0;
  if (turns) {
    out.parts.push_back(
        Tree(fmt::format("{}for (turn{} in 0..{}) {{\n", margin, temporaries_++, 1 + random_.below(6))));
    ++indent_;
    ++nested_loops_;
  }
  const uint64_t deferrals = std::exchange(deferrals_, turns && !in_user_ ? 0 : deferrals_);
  for (uint64_t i = 0; i < 2 + random_.below(3); ++i) out.parts.push_back(line(moved_use(name, first, type, depth)));
  deferrals_ = deferrals;
  if (turns) {
    --indent_;
    --nested_loops_;
    out.parts.push_back(Tree(margin + "}\n"));
  }
  Tree last = line(through_pointer(name, type, false, depth));
  last.may_drop = false;
  last.after.clear();
  out.parts.push_back(std::move(last));
  return out;
}

}  // namespace ksc::fuzz
