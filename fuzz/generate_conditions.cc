// SPDX-License-Identifier: Apache-2.0
// Random conditions, and matches.
#include <fmt/format.h>

#include "fuzz/generator.h"

namespace ksc::fuzz {

Tree Generator::condition(int depth) {
  if (depth <= 0) return leaf(boolean);
  switch (random_.below(10)) {
    case 9: {
      const auto strings = strings_in_sight();
      Tree left = any_string(depth);
      if (left.text().empty()) break;
      count("compare strings");
      const std::string other = strings.empty() || random_.once_in(2) ? any_text() : random_.pick(strings);
      return expression(join("(", std::move(left), random_.once_in(2) ? " == " : " != ", other, ")"), boolean);
    }
    case 0:
    case 1:
    case 2: {
      const T type = scalar();
      static const Texts all = {"==", "!=", "<", "<=", ">", ">="}, equality = {"==", "!="};
      const std::string op = random_.pick(type == boolean ? equality : all);
      count(type.kind == T::Kind::Float ? "compare floating point" : "compare");
      return expression(join("(", solid(type, depth - 1), " " + op + " ", value(type, depth - 1), ")"), boolean);
    }
    case 3:
    case 4: {
      const std::string op = random_.once_in(2) ? "&&" : "||";
      Tree right = condition(depth - 1);
      std::vector<const Helper*> effects;
      for (const Helper& helper : helpers_)
        if (helper.result == boolean && can_call(helper)) effects.push_back(&helper);
      if (!effects.empty() && random_.once_in(2))
        right = call(*random_.pick(effects), depth), count("effect on the right");
      return binary(op, condition(depth - 1), std::move(right), boolean);
    }
    case 5: {
      count("!");
      Tree out = join("(!", condition(depth - 1), ")");
      out.substitutes = {1};
      return expression(std::move(out), boolean);
    }
    case 6: {
      if (maps_.empty()) break;
      const Map& map = random_.pick(maps_);
      if (random_.once_in(2) || map.is_array())
        return count("contains_key"), expression(join(map.name + ".contains_key(", key(map, depth - 1), ")"), boolean);
      count("presence");
      return expression(
          join("(" + map.name + "[", key(map, depth - 1), random_.once_in(2) ? "] != null)" : "] == null)"), boolean);
    }
    case 7:
      return binary(random_.pick(Texts{"&", "|", "^"}), solid(boolean, depth - 1), solid(boolean, depth - 1), boolean);
    default: break;
  }
  return leaf(boolean);
}

/// match (…) { arms }, each made by `arm`.
Tree Generator::match(int depth, const std::function<Tree(int)>& arm) {
  Tree out;
  Tree string = random_.once_in(4) ? any_string(depth) : Tree();
  if (!string.text().empty()) {
    count("match string");
    out.parts.push_back(join("match (", std::move(string), ") {\n"));
    ++indent_;
    const std::string margin(2 * static_cast<size_t>(indent_), ' ');
    for (const char* pattern : {"\"ab\" | \"b\"", "\"\"", "\"xyz\"", "default"}) {
      Tree one = join(margin + pattern + ": ", arm(depth - 1), ",\n");
      one.may_drop = pattern[0] == '"';
      if (!one.may_drop || random_.once_in(2)) out.parts.push_back(std::move(one));
    }
    --indent_;
    out.after = std::string(2 * static_cast<size_t>(indent_), ' ') + "}";
    return out;
  }
  const T type = random_.once_in(3)   ? enum_type(random_.pick(enums_))
                 : random_.once_in(6) ? character
                 : random_.once_in(8) ? boolean
                                      : any_integer();
  out.parts.push_back(
      join("match (", value(type, 0).text() == "" ? solid(type, depth - 1) : solid(type, depth - 1), ") {\n"));
  ++indent_;
  const std::string margin(2 * static_cast<size_t>(indent_), ' ');
  const auto add = [&](const std::string& pattern, bool may_drop) {
    Tree one = join(margin + pattern + ": ", arm(depth - 1), ",\n");
    one.may_drop = may_drop;
    out.parts.push_back(std::move(one));
  };
  if (type.kind == T::Kind::Enum) {
    count("match enum");
    const auto& items = find_enum(type).items;
    const bool with_default = random_.once_in(2);
    for (size_t i = 0; i < items.size(); ++i) {
      if (with_default && i + 1 == items.size()) break;
      if (i + 2 < items.size() && random_.once_in(3)) {
        add(items[i].first + " | " + items[i + 1].first, with_default);
        ++i;
        count("match or-pattern");
      } else {
        add(items[i].first, with_default);
      }
    }
    if (with_default) add("default", false);
  } else if (type.kind == T::Kind::Bool) {
    count("match bool");
    add("true", false);
    if (random_.once_in(2))
      add("false", false);
    else
      add("default", false);
  } else if (type.kind == T::Kind::Char) {
    count("match char");
    add("'a' | 'b'", true);
    if (random_.once_in(2)) add("'\\x80'..='\\xff'", true), count("match range");
    add("default", false);
  } else {
    // Patterns from small numbers up, so that none overlaps another.
    int64_t at = type.is_signed ? -3 : 0;
    for (size_t i = 0; i < 1 + random_.below(4); ++i) {
      at += static_cast<int64_t>(random_.below(3));
      switch (random_.below(4)) {
        case 0:
          add(fmt::format("{} | {}", at, at + 2), true);
          count("match or-pattern");
          at += 3;
          break;
        case 1:
          add(fmt::format("{}..{}", at, at + 3), true);
          count("match range");
          at += 3;
          break;
        case 2:
          add(fmt::format("{}..={}", at, at + 3), true);
          count("match range");
          at += 4;
          break;
        default: add(fmt::format("{}", at++), true);
      }
    }
    if (random_.once_in(3)) {
      const int64_t top = type.is_signed ? (type.bits == 64 ? INT64_MAX : (int64_t(1) << (type.bits - 1)) - 1)
                                         : (int64_t(1) << std::min(type.bits, 62)) - 1;
      add(fmt::format("{}..={}", top - 20, top), true);
      count("match range");
    }
    add("default", false);
  }
  --indent_;
  out.after = std::string(2 * static_cast<size_t>(indent_), ' ') + "}";
  return out;
}

Tree Generator::match_value(const T& type, int depth) {
  count("match value");
  Tree out = match(depth, [&](int d) -> Tree {
    if (!random_.once_in(3) || d <= 0) return value(type, d - 1);
    count("match block arm");
    count("var in arm");
    scopes_.emplace_back();
    ++indent_;
    Tree body;
    body.before = "{\n";
    const std::string name = fmt::format("in_arm{}", temporaries_++);
    const std::string margin(2 * static_cast<size_t>(indent_), ' ');
    body.parts.push_back(join(fmt::format("{}var {}: {} = ", margin, name, type.spelled()), value(type, d - 1), "\n"));
    scopes_.back().push_back({name, type});
    if (!commutes_ && random_.once_in(2))
      body.parts.push_back(line(simple_statement(d - 1)));  // what turns do in any order is said by map_loop
    body.parts.push_back(join(margin, solid(type, d - 1), "\n"));
    --indent_;
    body.after = std::string(2 * static_cast<size_t>(indent_), ' ') + "}";
    scopes_.pop_back();
    return body;
  });
  // Arms may all be numbers, which have no type of their own.
  Tree wrapped = join("(", std::move(out), fmt::format(" as {})", type.spelled()));
  return expression(std::move(wrapped), type);
}

}  // namespace ksc::fuzz
