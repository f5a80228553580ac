// SPDX-License-Identifier: Apache-2.0
// Random loops: over numbers, while a condition holds, over the entries of a map.
#include <fmt/format.h>

#include <utility>

#include "fuzz/generator.h"

namespace ksc::fuzz {

Tree Generator::loop_statement(int depth) {
  if (nested_loops_ >= 2) return if_statement(depth);
  ++nested_loops_;
  ++loops_;
  Tree out;
  const std::string name = fmt::format("i{}", temporaries_++);
  const int statements = 1 + static_cast<int>(random_.below(3));
  const bool is_counted = is_counted_;
  const uint64_t deferrals = deferrals_, kind = random_.below(options_.unbounded_loops ? 8 : 4);
  deferrals_ *= kind < 3 || in_user_ ? 6 : 0;  // those count between constants
  is_counted_ = is_counted_ && kind < 3;
  switch (kind) {
    case 0:
    case 1: {
      const uint64_t low = random_.below(4), high = low + random_.below(6);
      const bool inclusive = random_.once_in(2);
      if (options_.unbounded_loops && nested_loops_ == 1 && !has_long_loop_ && random_.once_in(4)) {
        // More turns than the verifier walks through; only one of them, or a run would take too long.
        count("for over many");
        has_long_loop_ = true;
        nested_loops_ = 2;
        deferrals_ = 0;
        out = join(fmt::format("for ({} in {}{}{}) ", name, low, inclusive ? "..=" : "..", 2500 + random_.below(500)),
                   block(1, 1, {{name, integer(32)}}));
        nested_loops_ = 1;
        break;
      }
      count(inclusive ? "for inclusive" : "for");
      out = join(fmt::format("for ({} in {}{}{}) ", name, low, inclusive ? "..=" : "..", high),
                 block(depth - 1, statements, {{name, integer(32)}}));
      break;
    }
    case 2:
      count("for negative");
      out = join(fmt::format("for ({} in -{}..{}) ", name, 1 + random_.below(3), random_.below(3)),
                 block(depth - 1, statements));
      break;
    case 3: {
      count("for to the type's end");
      const std::string top = fmt::format("u8_top{}", temporaries_++);
      scopes_.back().push_back({top, integer(8), true});
      // The variables' type decides the counter's; 255 is the last there is.
      out = join(fmt::format("var {}: u8 = 250\n{}for ({} in {}..=255) ", top,
                             std::string(2 * static_cast<size_t>(indent_), ' '), name, top),
                 block(depth - 1, statements, {{name, integer(8)}}));
      break;
    }
    case 4:
    case 5: {
      count("for over variables");
      const T type = random_.once_in(2) ? integer(32) : integer(8);
      if (random_.once_in(3)) {
        count("for from a constant to a variable");
        out = join(fmt::format("for ({} in {}..(", name, 1 + random_.below(3)), unknown(type), " & 7)) ",
                   block(depth - 1, statements, {{name, type}}));
        break;
      }
      out =
          join(fmt::format("for ({} in (", name), solid(type, depth - 1), random_.once_in(2) ? " & 3)..(" : " & 3)..=(",
               solid(type, depth - 1), " & 7)) ", block(depth - 1, statements, {{name, type}}));
      break;
    }
    case 6: {
      count("while");
      const std::string left = fmt::format("left{}", temporaries_++);
      const std::string margin(2 * static_cast<size_t>(indent_), ' ');
      Tree initial = solid(integer(32), depth - 1);
      scopes_.back().push_back({left, integer(32), true});
      Tree body = block(depth - 1, statements);
      body.before = fmt::format("{{\n{}  {} -= 1\n", margin, left);
      out = join(fmt::format("var {}: u32 = ", left), std::move(initial),
                 fmt::format(" & 7\n{}while ({} > 0{}", margin, left, random_.once_in(2) ? "" : " && "), Tree(), ") ",
                 std::move(body));
      if (out.parts[2].text().ends_with("&& ")) out.parts[3] = condition(depth - 1);
      break;
    }
    default: {
      count("loop");
      count("break");
      const std::string turns = fmt::format("turns{}", temporaries_++);
      const std::string margin(2 * static_cast<size_t>(indent_), ' ');
      scopes_.back().push_back({turns, integer(32), true});
      Tree body = block(depth - 1, statements);
      body.before = fmt::format("{{\n{}  {} += 1\n{}  if ({} > {}) {{ break }}\n", margin, turns, margin, turns,
                                random_.below(6));
      out = join(fmt::format("var {}: u32 = 0\n{}loop ", turns, margin), std::move(body));
    }
  }
  deferrals_ = deferrals;
  is_counted_ = is_counted;
  --nested_loops_;
  --loops_;
  return out;
}

/// A loop over the elements of an array, mostly no further than they go.
Tree Generator::array_loop(int depth) {
  // Of hundreds of turns in hundreds of turns only the fuel would be seen to end.
  const bool is_outermost = nested_loops_ == 0;
  const auto arrays = places_where(
      [&](const T& t) {
        return t.kind == T::Kind::Array && t.element[0].kind == T::Kind::Int && (is_outermost || t.count <= 32);
      },
      true);
  if (arrays.empty()) return var_statement(depth);
  const Place& array = random_.pick(arrays);
  const T& element = array.type.element[0];
  count(array.text.find('.') == std::string::npos ? "loop over an array" : "loop over an array member");
  const std::string name = fmt::format("i{}", temporaries_++), at = fmt::format("{}[{}]", array.text, name);
  const auto totals = places_of(element, true);
  const int loops_within = array.type.count > 32 ? 2 : 1;  // two: no loop begins there
  nested_loops_ += loops_within;
  ++loops_;
  Tree body = block(depth - 1, static_cast<int>(random_.below(2)), {{name, integer(32)}});
  nested_loops_ -= loops_within;
  --loops_;
  // The array may be hidden by what the body declares, so its own lines come first.
  const std::string margin(2 * static_cast<size_t>(indent_) + 2, ' ');
  std::vector<Tree> own;
  if (!totals.empty() && !random_.once_in(3))
    own.push_back(
        Tree(fmt::format("{}{} {}= {}\n", margin, random_.pick(totals), random_.pick(Texts{"+", "^", "|"}), at)));
  if (own.empty() || random_.once_in(2))
    own.push_back(join(margin + at + random_.pick(Texts{" = ", " += ", " ^= "}), value(element, 1), "\n"));
  body.parts.insert(body.parts.begin(), own.begin(), own.end());
  const uint64_t end = array.type.count + (random_.once_in(4) ? random_.below(3) : 0);
  return join(fmt::format("for ({} in 0..{}) ", name, end), std::move(body));
}

Tree Generator::map_loop_turn(const Map& map, const std::string& entry,
                              const std::vector<std::pair<std::string, T>>& totals, int depth) {
  static const Texts operators = {"+", "^", "|", "&"};
  switch (random_.below(depth > 0 ? 5 : 3)) {
    case 0:
      // Through the reference to the entry at hand.
      if (map.value.kind == T::Kind::Struct) {
        T type = map.value;
        Tree part = any_part(entry, type, 1);
        return join(std::move(part), type.kind == T::Kind::Int && random_.once_in(2) ? " += " : " = ", value(type, 1));
      }
      break;
    case 3: return join("if (", condition(1), ") { ", map_loop_turn(map, entry, totals, depth - 1), " }");
    case 4: {
      count("for");
      const std::string name = fmt::format("i{}", temporaries_++);
      return join(fmt::format("for ({} in 0..{}) {{ ", name, 1 + random_.below(3)),
                  map_loop_turn(map, entry, totals, 0), " }");
    }
    default: break;
  }
  // One operator for each total, so that the turns commute.
  const size_t which = random_.below(totals.size());
  return join(fmt::format("{} {}= ", totals[which].first, operators[which % operators.size()]),
              value(totals[which].second, 1));
}

Tree Generator::map_loop(int depth) {
  const Map& map = random_.pick(maps_);
  if (frozen_.count(map.name)) return assignment(depth);
  count("map loop");
  if (loops_ > 0) count("map loop in a loop");
  const bool refers = map.value.kind == T::Kind::Struct;
  if (refers) count("map loop over entries");
  const std::string margin(2 * static_cast<size_t>(indent_), ' ');
  const std::string key = fmt::format("k{}", temporaries_++), entry = fmt::format("v{}", temporaries_++);
  std::vector<std::pair<std::string, T>> totals;
  Tree head;
  for (uint64_t i = 0; i < 1 + random_.below(3); ++i) {
    const T type = any_integer();
    totals.push_back({fmt::format("total{}", temporaries_++), type});
    head.parts.push_back(
        join(fmt::format("var {}: {} = ", totals.back().first, type.spelled()), value(type, depth - 1), "\n" + margin));
  }
  const bool is_search = random_.once_in(4), returns = is_search && !stays() && random_.once_in(2);
  Tree leaving;
  if (is_search) leaving = returns ? returned(0) : Tree(totals[0].first + " = 7\n" + margin + "    break");
  if (is_search) count(returns ? "map loop that returns" : "map loop that searches");

  // The body sees the key, the value and constants: nothing that another turn may have changed.
  const auto scopes = std::exchange(scopes_, {{}});
  const auto globals = std::exchange(globals_, {});
  const auto maps = std::exchange(maps_, {});
  const auto helpers = std::exchange(helpers_, {});
  const bool had_context = std::exchange(has_context_, false);
  commutes_ = true;
  scopes_.back().push_back({key, map.key});
  if (!refers) scopes_.back().push_back({entry, map.value});
  if (refers)
    for (const StructMember& m : find_struct(map.value).members)
      scopes_.back().push_back({entry + "." + m.name, m.type, true});
  ++indent_;
  std::vector<Tree> turns;
  if (is_search) {
    // Whether any entry will do is the same in every order.
    turns.push_back(
        join("if (", condition(depth), ") {\n" + margin + "    ", std::move(leaving), "\n" + margin + "  }"));
  } else {
    if (random_.once_in(4)) {
      count("continue");
      turns.push_back(join("if (", condition(1), ") { continue }"));
    }
    for (uint64_t i = 0; i < 1 + random_.below(3); ++i) turns.push_back(map_loop_turn(map, entry, totals, depth));
    if (!map.is_array() && random_.once_in(3)) {
      count("map loop that deletes");
      turns.push_back(join("if (", condition(1), fmt::format(") {{ delete {}[{}] }}", map.name, key)));
    }
  }
  Tree body;
  body.before = "{\n";
  for (Tree& turn : turns) body.parts.push_back(line(std::move(turn)));
  --indent_;
  body.after = margin + "}";
  scopes_ = scopes;
  globals_ = globals;
  maps_ = maps;
  helpers_ = helpers;
  has_context_ = had_context;
  commutes_ = false;

  for (const auto& [name, type] : totals) scopes_.back().push_back({name, type});
  static const Texts forms = {"for ({}, {} in {}) ", "for (({}, {}) in {}) ", "for ({}, {}) in {} "};
  head.parts.push_back(join(fmt::format(fmt::runtime(random_.pick(forms)), key, entry, map.name), std::move(body)));
  return head;
}

}  // namespace ksc::fuzz
