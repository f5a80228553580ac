// SPDX-License-Identifier: Apache-2.0
// Helpers that take pointers: to variables, globals, map entries, and into the packet.
#include <fmt/format.h>

#include "fuzz/generator.h"

namespace ksc::fuzz {

Tree Generator::pointer_helper(size_t index) {
  Helper helper{global_name(fmt::format("point{}", index)), {}, scalar()};
  std::string parameters;
  scopes_ = {{}};
  const auto add = [&](const T& type) {
    const std::string name = fmt::format("p{}", helper.parameters.size());
    parameters += fmt::format("{}{}: {}", parameters.empty() ? "" : ", ", name, type.spelled());
    helper.parameters.push_back(type);
    scopes_.back().push_back({name, type});
  };
  for (uint64_t i = 0; i < 1 + random_.below(2); ++i) {
    if (random_.once_in(3)) {
      count("helper with packet pointer");
      add({T::Kind::Packet, 0, false, random_.pick(headers()).name, 0, {}});
    } else {
      count("helper with pointer");
      add({T::Kind::Pointer, 0, false, {}, 0, {struct_type(random_.pick(structs_))}});
    }
  }
  if (random_.once_in(2)) add(any_integer());
  has_context_ = in_entry_ = throws_ = false;
  result_ = helper.result;
  // So that no statement ends an entry, which the pointer may lead to.
  for (const Map& map : maps_) frozen_.insert(map.name);
  Tree out;
  out.before = fmt::format("@helper fn {}({}) -> {} {{\n", helper.name, parameters, helper.result.spelled());
  indent_ = 1;
  for (uint64_t i = 0; i < 1 + random_.below(3); ++i)
    out.parts.push_back(line(random_.once_in(3) ? loop_statement(1) : simple_statement(2)));
  Tree last = line(join("return ", value(helper.result, 2)));
  last.may_drop = false;
  out.parts.push_back(std::move(last));
  frozen_.clear();
  out.after = "}\n\n";
  out.may_drop = true;
  helper.throws = throws_;
  helpers_.push_back(helper);
  return out;
}

Texts Generator::pointers_to(const T& pointer) {
  Texts found = places_of(pointer, false);
  if (pointer.kind == T::Kind::Packet) {
    for (const Header& h : headers())
      if (h.name == pointer.name && has_context_)
        found.push_back(fmt::format("((ctx->data + {}) as *{})", h.offset, h.name));
    return found;
  }
  for (const Place& place : places_where([&](const T& t) { return t == pointer.element[0]; }, true))
    if (place.text.find_first_of("[>") == std::string::npos && place.text.find("found") == std::string::npos)
      found.push_back("&" + place.text);
  return found;
}

/// What is done through a pointer to something of that type.
Tree Generator::through_pointer(const std::string& pointer, const T& type, bool may_be_passed, int depth) {
  const bool is_struct = type.kind == T::Kind::Struct;
  for (const Walker& walker : walkers_)
    if (walker.element == type && may_be_passed && random_.once_in(3)) {
      count("address passed to what moves it");
      return join(walker.name + "(" + pointer + ", ", value(integer(32), depth - 1), ")");
    }
  if (is_struct && may_be_passed && random_.once_in(3)) {
    Tree call = call_with_reference(pointer, type, depth);
    if (!call.text().empty()) return call;
  }
  const auto parts = parts_where(type, [](const T& t) { return t.kind == T::Kind::Int; });
  if (is_struct && parts.empty()) return join("*" + pointer + " = ", value(type, depth - 1));
  const Place part = is_struct ? random_.pick(parts) : Place{"", type};
  const std::string place = is_struct ? pointer + part.text : "*" + pointer;
  if (random_.once_in(3)) {
    const auto places = places_of(part.type, true);
    if (!places.empty()) return Tree(random_.pick(places) + " = " + place);
  }
  return join(place + (random_.once_in(2) ? " += " : " = "), value(part.type, depth - 1));
}

/// `&a[i]`, which is null where there is no such element, and `&m[k].f`.
Tree Generator::element_address(int depth) {
  const std::string name = fmt::format("element{}", temporaries_++);
  const std::string margin(2 * static_cast<size_t>(indent_), ' ');
  Tree address;
  T type;
  bool is_in_range = false;
  if (random_.once_in(4)) address = given_element(type, depth);
  if (!address.text().empty()) {
  } else if (!in_user_ && random_.once_in(4)) {
    const Map& map = random_.pick(maps_);
    const auto parts = parts_where(map.value, [](const T& t) { return t.kind == T::Kind::Int; });
    if (parts.empty()) return assignment(depth);
    const Place& part = random_.pick(parts);
    count("address of a part of an entry");
    type = part.type;
    address = join("&" + map.name + "[", key(map, depth - 1), "]" + part.text);
  } else {
    auto arrays = places_where(
        [](const T& t) {
          return t.kind == T::Kind::Array &&
                 (t.element[0].kind == T::Kind::Int || t.element[0].kind == T::Kind::Struct);
        },
        true);
    std::erase_if(arrays, [&](const Place& p) {
      return p.text.find("settings.") != std::string::npos || p.text.find("found") != std::string::npos ||
             (!in_user_ && p.text.find("object") != std::string::npos);
    });
    if (arrays.empty()) return assignment(depth);
    const Place& array = random_.pick(arrays);
    type = array.type.element[0];
    uint64_t mask = 1;
    while (mask * 2 <= array.type.count) mask *= 2;
    is_in_range = random_.once_in(2);
    count(is_in_range ? "address of an element in range" : "address of an element");
    address = join("&" + array.text + "[", unknown(any_integer()), is_in_range ? fmt::format(" & {}]", mask - 1) : "]");
  }
  if (is_in_range)
    return join(fmt::format("var {} = ", name), std::move(address), "\n" + margin,
                through_pointer(name, type, true, depth));
  scopes_.emplace_back();
  ++indent_;
  Tree body;
  body.before = "{\n";
  // What is called may end the entry.
  body.parts.push_back(line(through_pointer(name, type, frozen_.empty(), depth)));
  --indent_;
  body.after = margin + "}";
  scopes_.pop_back();
  Tree head = random_.once_in(2) ? join(fmt::format("if (var {} = ", name), std::move(address), ") ")
                                 : join(fmt::format("var {} = ", name), std::move(address),
                                        fmt::format("\n{}if ({} != null) ", margin, name));
  return join(std::move(head), std::move(body));
}

bool Generator::can_point(const Helper& helper) {
  if (commutes_ || in_deferred_) return false;
  return std::all_of(helper.parameters.begin(), helper.parameters.end(), [&](const T& type) {
    return (type.kind != T::Kind::Pointer && type.kind != T::Kind::Packet) || !pointers_to(type).empty();
  });
}

Tree Generator::call_with_reference(const std::string& reference, const T& type, int depth) {
  for (const Helper& helper : helpers_) {
    const bool fits = !helper.parameters.empty() && helper.parameters[0].kind == T::Kind::Pointer &&
                      helper.parameters[0].element[0] == type;
    if (!fits || !can_point(helper) || (helper.throws && !may_throw())) continue;
    throws_ = throws_ || (helper.throws && !catches_all());
    count("entry passed to a helper");
    Tree out;
    const bool is_method = random_.once_in(3);
    out.before = is_method ? reference + "." + helper.name + "(" : helper.name + "(" + reference;
    out.after = ")";
    for (size_t i = 1; i < helper.parameters.size(); ++i) {
      Tree argument = value(helper.parameters[i], depth - 1);
      out.parts.push_back(i == 1 && is_method ? std::move(argument) : join(", ", std::move(argument)));
    }
    return out;
  }
  return Tree();
}

}  // namespace ksc::fuzz
