// SPDX-License-Identifier: Apache-2.0
// Random statements on maps: writes, references to entries, one key several times.
#include <fmt/format.h>

#include "fuzz/generator.h"

namespace ksc::fuzz {

Tree Generator::map_statement(int depth) {
  const Map& map = random_.pick(maps_);
  const bool frozen = frozen_.count(map.name) != 0;
  const bool is_struct = map.value.kind == T::Kind::Struct;
  Tree at = key(map, depth - 1);
  if (is_struct && random_.once_in(2)) {
    T type = map.value;
    Tree part = any_part("", type, depth);
    Tree place = join(map.name + "[", std::move(at), "]", std::move(part));
    if (type.kind == T::Kind::Int && random_.once_in(2)) {
      count("map field compound assign");
      return join(std::move(place), " " + random_.pick(Texts{"+", "-", "|", "*"}) + "= ", value(type, depth));
    }
    count("map field write");
    return join(std::move(place), " = ", value(type, depth));
  }
  switch (random_.below(5)) {
    case 0:
      if (map.is_array() || frozen) break;
      count("map delete");
      return join("delete " + map.name + "[", std::move(at), "]");
    case 1: {
      if (frozen) break;
      const std::string method = random_.once_in(2) && !map.is_array() ? "insert_new" : "insert";
      count(method);
      Tree arguments = join(map.name + "." + method + "(", std::move(at), ", ",
                            is_struct ? leaf(map.value) : value(map.value, depth), ")");
      const auto places = places_of(integer(32, true), true);
      if (places.empty() || random_.once_in(2)) return arguments;
      return join(random_.pick(places) + " = ", std::move(arguments));
    }
    case 2:
    case 3:
      if (is_struct) break;
      count("map compound assign");
      return join(map.name + "[", std::move(at), "] " + random_.pick(Texts{"+", "-", "|", "&", "^", "*"}) + "= ",
                  value(map.value, depth));
    default: break;
  }
  if (frozen) return print_statement(depth);
  count("map write");
  return join(map.name + "[", std::move(at), "] = ", is_struct ? leaf(map.value) : value(map.value, depth));
}

/// Reads or writes a part of the struct that a reference refers to.
Tree Generator::reference_use(const std::string& reference, const T& type, int depth) {
  if (random_.once_in(3) && !in_user_)
    if (Tree call = call_with_reference(reference, type, depth); !call.text().empty()) return call;
  T of = type;
  Tree part = any_part(reference, of, depth);
  const auto places = places_of(of, true);
  if (!places.empty() && random_.once_in(2)) return join(random_.pick(places) + " = ", std::move(part));
  const bool compound = of.kind == T::Kind::Int && random_.once_in(2);
  return join(std::move(part), compound ? " += " : " = ", value(of, depth));
}

/// if (var x = m[k]) { … } else { … } as a value.
Tree Generator::if_var_value(const T& type, int depth) {
  count("if var value");
  const Map& map = random_.pick(maps_);
  const std::string name = fmt::format("found{}", temporaries_++), copy = fmt::format("held{}", temporaries_++);
  Tree head = join(fmt::format("(if (var {} = {}[", name, map.name), key(map, depth - 1), "]) ");
  const bool is_reference = map.value.kind == T::Kind::Struct;
  const bool freezes = is_reference && !in_user_ && frozen_.insert(map.name).second;
  scopes_.emplace_back();
  ++indent_;
  const std::string margin(2 * static_cast<size_t>(indent_), ' ');
  Tree body;
  body.before = "{\n";
  body.parts.push_back(Tree(fmt::format("{}var {}: {} = {}\n", margin, copy, map.value.spelled(), name)));
  scopes_.back().push_back({copy, map.value});
  if (is_reference && !commutes_ && random_.once_in(3))
    body.parts.push_back(line(reference_use(name, map.value, depth - 1)));
  else if (!commutes_ && random_.once_in(3))
    body.parts.push_back(line(simple_statement(depth - 1)));
  body.parts.push_back(join(margin, solid(type, depth - 1), "\n"));
  --indent_;
  body.after = std::string(2 * static_cast<size_t>(indent_), ' ') + "}";
  scopes_.pop_back();
  if (freezes) frozen_.erase(map.name);
  head.parts.push_back(std::move(body));
  head.parts.push_back(join(" else { ", solid(type, depth - 1), " }"));
  // Both may be numbers, which have no type of their own.
  return expression(join("", std::move(head), fmt::format(" as {})", type.spelled())), type);
}

/// Something that holds what `m[k]` gives, and what is done with it.
Tree Generator::entry_reference(int depth) {
  const Map& map = random_.pick(maps_);
  Tree at = key(map, depth - 1);
  const std::string name = fmt::format("found{}", temporaries_++);
  Tree head;
  if (map.value.kind != T::Kind::Struct && !in_user_ && random_.once_in(3)) {
    count("address of an entry");
    const bool was_frozen = !frozen_.insert(map.name).second;
    head = join(fmt::format("if (var {} = &{}[", name, map.name), std::move(at), "]) ");
    scopes_.emplace_back();
    ++indent_;
    Tree body;
    body.before = "{\n";
    const auto places = places_of(map.value, true);
    if (!places.empty()) body.parts.push_back(line(Tree(random_.pick(places) + " = *" + name)));
    body.parts.push_back(line(join("*" + name + (random_.once_in(2) ? " += " : " = "), value(map.value, depth - 1))));
    --indent_;
    body.after = std::string(2 * static_cast<size_t>(indent_), ' ') + "}";
    scopes_.pop_back();
    if (!was_frozen) frozen_.erase(map.name);
    head.parts.push_back(std::move(body));
  } else if (map.value.kind != T::Kind::Struct) {
    count("if var");
    head = join(fmt::format("if (var {} = {}[", name, map.name), std::move(at), "]) ");
    // The variable holds an option, which converts where a value is wanted; it is given an ordinary one here.
    scopes_.emplace_back();
    ++indent_;
    const std::string margin(2 * static_cast<size_t>(indent_), ' ');
    const std::string copy = fmt::format("held{}", temporaries_++);
    Tree body;
    body.before = "{\n";
    body.parts.push_back(Tree(fmt::format("{}var {}: {} = {}\n", margin, copy, map.value.spelled(), name)));
    scopes_.back().push_back({copy, map.value});
    for (uint64_t i = 0; i < 1 + random_.below(2); ++i) body.parts.push_back(line(statement(depth - 1)));
    --indent_;
    body.after = std::string(2 * static_cast<size_t>(indent_), ' ') + "}";
    scopes_.pop_back();
    head.parts.push_back(std::move(body));
  } else {
    count("entry reference");
    count("if var");
    const bool was_frozen = in_user_ || !frozen_.insert(map.name).second;  // references in userspace do not die [L52]
    head = join(fmt::format("if (var {} = {}[", name, map.name), std::move(at), "]) ");
    scopes_.emplace_back();
    ++indent_;
    Tree body;
    body.before = "{\n";
    for (uint64_t i = 0; i < 1 + random_.below(3); ++i)
      body.parts.push_back(line(reference_use(name, map.value, depth - 1)));
    --indent_;
    body.after = std::string(2 * static_cast<size_t>(indent_), ' ') + "}";
    scopes_.pop_back();
    if (!was_frozen) frozen_.erase(map.name);
    head.parts.push_back(std::move(body));
  }
  if (random_.once_in(2)) {
    count("else");
    Tree other = join(" else ", block(depth - 1, 1));
    other.may_drop = true;
    head.parts.push_back(std::move(other));
  }
  return head;
}

/// A variable that refers to one entry, then to another.
Tree Generator::rebound_reference(int depth) {
  std::vector<const Map*> fitting;
  for (const Map& map : maps_)
    if (map.value.kind == T::Kind::Struct) fitting.push_back(&map);
  if (fitting.empty()) return simple_statement(depth);
  count("entry reference taken anew");
  const Map& map = *random_.pick(fitting);
  const std::string name = fmt::format("ref{}", temporaries_++), margin(2 * static_cast<size_t>(indent_), ' ');
  const bool was_frozen = in_user_ || !frozen_.insert(map.name).second;
  const auto use = [&] {
    Tree what = reference_use(name, map.value, depth - 1);
    return join(fmt::format("\n{}if ({} != null) {{ ", margin, name), std::move(what), " }");
  };
  Tree first = use();
  std::string where = random_.once_in(4) ? "null" : fmt::format("{}[{}]", map.name, key(map, 0).text());
  const bool is_value = random_.once_in(3);
  if (is_value) count("entry reference given a value"), where = leaf(map.value).text();
  Tree second = use();
  Tree third;
  if (random_.once_in(2)) {
    // What the first is given next is nothing to the second.
    count("second reference");
    const std::string other = fmt::format("ref{}", temporaries_++);
    third.parts.push_back(
        Tree(fmt::format("\n{0}var {1} = {2}\n{0}{2} = {3}", margin, other, name, leaf(map.value).text())));
    third.parts.push_back(use());
    third.parts.push_back(
        join(fmt::format("\n{}if ({} != null) {{ ", margin, other), reference_use(other, map.value, depth - 1), " }"));
    if (random_.once_in(2)) third.parts.push_back(Tree(fmt::format("\n{}{} = {}", margin, name, other)));
    third.parts.push_back(use());
  }
  if (!was_frozen) frozen_.erase(map.name);
  return join(join("var " + name + " = " + map.name + "[", key(map, 0), "]"), std::move(first),
              fmt::format("\n{}{} = {}", margin, name, where), join(std::move(second), std::move(third)));
}

/// One key of a map several times, with or without something between that may change the map.
Tree Generator::repeated_lookup(int depth) {
  std::vector<const Map*> fitting;
  for (const Map& map : maps_)
    if (map.value.kind == T::Kind::Int && !frozen_.count(map.name)) fitting.push_back(&map);
  if (fitting.empty()) return simple_statement(depth);
  count("map looked up again");
  const Map& map = *random_.pick(fitting);
  const std::string where = key(map, random_.once_in(3) ? 1 : 0).text(), at = fmt::format("{}[{}]", map.name, where);
  const std::string margin(2 * static_cast<size_t>(indent_), ' ');
  Tree out;
  switch (random_.below(4)) {
    case 0:
      if (!map.is_array()) {
        out.parts.push_back(Tree(fmt::format("if ({} == null) ", at)));
        break;
      }
      [[fallthrough]];
    case 1:
      out.parts.push_back(
          Tree(fmt::format("if ({}{}.contains_key({})) ", random_.once_in(2) ? "!" : "", map.name, where)));
      break;
    case 2: {
      const std::string name = fmt::format("seen{}", temporaries_++);
      out.parts.push_back(
          Tree(fmt::format("var {}: {} = {}\n{}if ({} > 1) ", name, map.value.spelled(), at, margin, name)));
      scopes_.back().push_back({name, map.value});
      break;
    }
    default: out.parts.push_back(Tree(fmt::format("{} += 1\n{}if ({} < 9) ", at, margin, at)));
  }
  const std::string op = random_.pick(Texts{"+", "-", "|", "*"});
  // What runs in some worlds only is kept short, so that mistakes in it still show.
  const auto branch = [&](Tree last) {
    Tree body = block(0, 0);  // no declarations: they could hide what the key names
    if (random_.once_in(3)) body.parts.push_back(line(map_statement(1)));
    body.parts.push_back(line(join("  " + at + " ", std::move(last))));
    return body;
  };
  Tree first = branch(join(op + "= ", value(map.value, depth - 1))),
       second = branch(join(random_.once_in(2) ? "= " : "+= ", value(map.value, depth - 1)));
  out.parts.push_back(std::move(first));
  out.parts.push_back(Tree(" else "));
  out.parts.push_back(std::move(second));
  if (random_.once_in(2)) {
    const auto places = places_of(map.value, true);
    if (!places.empty()) out.parts.push_back(Tree(fmt::format("\n{}{} = {}", margin, random_.pick(places), at)));
  }
  return out;
}

}  // namespace ksc::fuzz
