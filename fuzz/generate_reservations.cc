// SPDX-License-Identifier: Apache-2.0
// Random reservations of ring buffers, and objects of `new` in eBPF: how they are held, written, and closed on every
// way out.
#include <fmt/format.h>

#include "fuzz/generator.h"

namespace ksc::fuzz {

/// What stands while a record is open: no way out that the source shows, but those that the compiler makes.
Tree Generator::while_reserved(const Reserved& reserved, int depth, bool may_throw) {
  const bool outer = std::exchange(holds_reservation_, true);
  const bool was_in_try = std::exchange(reserved_in_try_, !caught_.empty());
  const int loops = std::exchange(loops_, 0);
  auto caught = std::exchange(caught_, {});
  if (may_throw) caught_.push_back({{1, 7}, true});
  Tree out;
  // Members of an object are variables like others, as long as it is there.
  if (reserved.is_object() && reserved.value.kind == T::Kind::Struct)
    for (const StructMember& m : find_struct(reserved.value).members)
      scopes_.back().push_back({reserved.name + "." + m.name, m.type});
  for (uint64_t i = 0, n = 1 + random_.below(3); i < n; ++i)
    out.parts.push_back(line(random_.once_in(2) ? record_use(reserved, depth - 1) : statement(depth - 1)));
  std::erase_if(scopes_.back(), [&](const Variable& v) { return v.name.starts_with(reserved.name + "."); });
  caught_ = std::move(caught);
  loops_ = loops;
  reserved_in_try_ = was_in_try;
  holds_reservation_ = outer;
  return out;
}

Tree Generator::record_use(const Reserved& reserved, int depth) {
  const T& type = reserved.value;
  const std::string thing = reserved.is_object() ? "an object of eBPF" : "a record";
  const bool is_struct = type.kind == T::Kind::Struct;
  // Many are too small, or of another type, to be passed and pointed into: these are asked for more often.
  switch (random_.below(7)) {
    case 0:
      if (!is_struct) break;
      count(thing + " written as a whole");
      return join("*" + reserved.name + " = ", value(type, depth));
    case 1: {
      count(thing + " copied");
      const std::string name = fmt::format("copy{}", temporaries_++);
      Tree out(fmt::format("var {}: {} = *{}", name, type.spelled(), reserved.name));
      scopes_.back().push_back({name, type});
      return out;
    }
    case 2:
    case 3: {
      const auto filler = fillers_.find(reserved.ring);
      const bool has_filler = filler != fillers_.end() && !random_.once_in(4);
      Tree passed = has_filler
                        ? join(fmt::format("{}({}, ", filler->second, reserved.name), value(integer(32), depth), ")")
                        : call_with_reference(reserved.name, type, depth);
      if (passed.text().empty()) break;
      count(thing + " passed to a helper");
      return passed;
    }
    case 4:
    case 5: {
      std::vector<StructMember> numbers;
      if (is_struct) numbers = find_struct(type).members;
      std::erase_if(numbers, [](const StructMember& m) { return m.type.kind != T::Kind::Int; });
      if (numbers.empty()) break;
      const StructMember& member = random_.pick(numbers);
      count("part of " + thing + " pointed to");
      const std::string name = fmt::format("part{}", temporaries_++);
      return join(fmt::format("var {} = &{}.{}\n", name, reserved.name, member.name),
                  std::string(2 * static_cast<size_t>(indent_), ' ') + "*" + name + " = ", value(member.type, depth));
    }
    default: break;
  }
  if (is_struct) {
    const StructMember& member = random_.pick(find_struct(type).members);
    count("member of " + thing + " written");
    return join(fmt::format("{}.{} = ", reserved.name, member.name), value(member.type, depth));
  }
  count("number in " + thing + " written");
  return join("*" + reserved.name + " = ", value(type, depth));
}

Tree Generator::closed(const Reserved& reserved) {
  if (reserved.is_object()) return count("object of eBPF deleted"), Tree("delete " + reserved.name);
  const bool submits = !random_.once_in(4);
  count(submits ? "record submitted" : "record discarded");
  return Tree(fmt::format("{}.{}({})", reserved.ring, submits ? "submit" : "discard", reserved.name));
}

/// Closes it on the way that a condition chooses, on all ways, or where something is caught.
Tree Generator::closing(const Reserved& reserved, int depth) {
  // What the conditions call lets nothing out either: the record is still open.
  const bool outer = std::exchange(holds_reservation_, true), was_in_try = std::exchange(reserved_in_try_, true);
  const auto caught = std::exchange(caught_, {});
  Tree asked = condition(depth - 1);
  caught_ = caught;
  holds_reservation_ = outer;
  reserved_in_try_ = was_in_try;
  const std::string margin(2 * static_cast<size_t>(indent_), ' ');
  switch (random_.below(4)) {
    case 0:
      count("reservation closed in two ways");
      return join("if (", std::move(asked), ") { ", closed(reserved), " } else { ", closed(reserved), " }");
    case 1: {
      if (commutes_ || depth < 2) break;
      count("reservation closed where something is caught");
      Tree out("try {\n");
      scopes_.emplace_back();
      ++indent_;
      out.parts.push_back(while_reserved(reserved, depth - 1, true));
      out.parts.push_back(Tree(margin + "  " + closed(reserved).text() + "\n"));
      --indent_;
      scopes_.pop_back();
      out.after = margin + "} catch _ { " + closed(reserved).text() + " }";
      return out;
    }
    case 2:
      if (stays()) break;
      count("reservation closed before an early return");
      return join("if (", std::move(asked), ") {\n" + margin + "  " + closed(reserved).text() + "\n" + margin + "  ",
                  returned(0), "\n" + margin + "}\n" + margin, closed(reserved));
    default: break;
  }
  return closed(reserved);
}

/// A record whose size the program chooses: bytes and members, behind its end as well.
Tree Generator::sized_record(int depth) {
  const Map& ring = random_.pick(rings_);
  const std::string name = fmt::format("sized{}", temporaries_++), margin(2 * static_cast<size_t>(indent_), ' ');
  count("record of a chosen size");
  Tree size = random_.once_in(2) ? Tree(fmt::format("{}", random_.below(40)))
                                 : join("(", solid(integer(32), depth - 1), " & 63)");
  Tree out = join(fmt::format("if (var {} = {}.reserve(", name, ring.name), std::move(size), ")) {\n");
  scopes_.emplace_back();
  ++indent_;
  const auto byte = [&]() -> Tree {
    const Tree at = random_.once_in(2) ? Tree(fmt::format("{}", random_.below(24)))
                                       : join("(", solid(integer(32), depth - 1), " & 31)");
    switch (random_.below(3)) {
      case 0: return join("*(" + name + " + ", at, ")");
      default: return join(name + "[", at, "]");
    }
  };
  const bool outer = std::exchange(holds_reservation_, true);
  const bool was_in_try = std::exchange(reserved_in_try_, !caught_.empty());
  const int loops = std::exchange(loops_, 0);
  const auto caught = std::exchange(caught_, {});
  for (uint64_t i = 0, n = 1 + random_.below(4); i < n; ++i) {
    switch (random_.below(5)) {
      case 0: {
        const T type = struct_type(random_.pick(structs_));
        if (is_any_bytes(type)) {
          count("record as a struct");
          const std::string whole = fmt::format("as{}", temporaries_++);
          out.parts.push_back(
              line(Tree(fmt::format("var {} = ({} + {}) as *{}", whole, name, random_.below(9), type.name))));
          out.parts.push_back(line(join("*" + whole + " = ", value(type, depth - 1))));
          const std::string copy = fmt::format("copy{}", temporaries_++);
          out.parts.push_back(line(Tree(fmt::format("var {}: {} = *{}", copy, type.spelled(), whole))));
          scopes_.back().push_back({copy, type});
          break;
        }
        [[fallthrough]];
      }
      case 1: {
        count("byte of a record read");
        const std::string read = fmt::format("byte{}", temporaries_++);
        out.parts.push_back(line(join(fmt::format("var {}: u8 = ", read), byte())));
        scopes_.back().push_back({read, integer(8)});
        break;
      }
      case 2: {
        count("record of a chosen size asked in a condition");
        Tree test = join("if (", condition(depth - 1), " && ", byte(), fmt::format(" < {}) ", random_.below(9)));
        test.parts.push_back(block(depth - 1, 1));
        out.parts.push_back(line(std::move(test)));
        break;
      }
      case 3: out.parts.push_back(line(statement(depth - 1))); break;
      default:
        count("byte of a record written");
        out.parts.push_back(line(join(byte(), random_.once_in(3) ? " += " : " = ", value(integer(8), depth - 1))));
    }
  }
  caught_ = caught;
  loops_ = loops;
  reserved_in_try_ = was_in_try;
  holds_reservation_ = outer;
  const Reserved reserved{ring.name, ring.value, name};
  out.parts.push_back(Tree(margin + "  "));
  out.parts.push_back(closing(reserved, 1));
  --indent_;
  scopes_.pop_back();
  out.parts.push_back(Tree("\n" + margin + "}"));
  return out;
}

Generator::Reserved Generator::something_reserved() {
  if (!rings_.empty() && !random_.once_in(3)) {
    const Map& ring = random_.pick(rings_);
    return {ring.name, ring.value, fmt::format("record{}", temporaries_++)};
  }
  T type = random_.once_in(3) ? any_integer() : struct_type(random_.pick(structs_));
  if (bytes(type) > 256) type = any_integer();
  count(type.kind == T::Kind::Struct ? "object of eBPF" : "number as an object of eBPF");
  return {"", type, fmt::format("object{}", temporaries_++)};
}

Tree Generator::reservation(int depth) {
  if (!rings_.empty() && random_.once_in(3)) return sized_record(depth);
  const Reserved reserved = something_reserved();
  const std::string margin(2 * static_cast<size_t>(indent_), ' ');
  const auto inner = [&] {
    Tree body;
    body.parts.push_back(while_reserved(reserved, depth, false));
    body.parts.push_back(Tree(std::string(2 * static_cast<size_t>(indent_), ' ')));
    body.parts.push_back(closing(reserved, depth));
    return body;
  };
  if (stays() || random_.once_in(2)) {
    count("reserved by an if");
    Tree out(fmt::format("if (var {} = {}) {{\n", reserved.name, reserved.given()));
    scopes_.emplace_back();
    ++indent_;
    out.parts.push_back(inner());
    --indent_;
    scopes_.pop_back();
    out.parts.push_back(Tree("\n" + margin + "}"));
    if (random_.once_in(2)) out.parts.push_back(join(" else ", block(depth - 1, 1)));
    return out;
  }
  Tree out;
  if (random_.once_in(2)) {
    count("reserved or left");
    out.parts.push_back(Tree(fmt::format("var {} = {}?\n", reserved.name, reserved.given())));
  } else {
    count("reserved");
    out.parts.push_back(
        Tree(fmt::format("var {} = {}\n{}if ({} == null) {{ return {} }}\n", reserved.name, reserved.given(), margin,
                         reserved.name, in_entry_ ? verdict() : constant_text(result_))));
  }
  if (scopes_.size() == 1 && loops_ == 0 && random_.once_in(3)) {
    count("reservation closed by a deferred statement");
    out.parts.push_back(Tree(margin + "defer { " + closed(reserved).text() + " }"));
    return out;
  }
  out.parts.push_back(inner());
  return out;
}

}  // namespace ksc::fuzz
