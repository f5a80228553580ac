// SPDX-License-Identifier: Apache-2.0
// Random expressions of numbers, characters and enums.
#include <fmt/format.h>

#include "fuzz/generator.h"

namespace ksc::fuzz {

Tree Generator::binary(const std::string& op, Tree left, Tree right, const T& type, bool both) {
  count(op);
  Tree out = join("(", std::move(left), " " + op + " ", std::move(right), ")");
  out.substitutes = both ? std::vector<size_t>{1, 3} : std::vector<size_t>{1};
  return expression(std::move(out), type);
}

Tree Generator::call(const Helper& helper, int depth) {
  Tree out;
  bool throws = helper.throws;
  if (can_call_value(helper) && random_.once_in(4)) {
    count("call of a function value");
    for (const Helper* other : of_same_type(helper)) throws = throws || other->throws;
    out.before = function_value(helper, depth).text() + "(";
  } else {
    out.before = helper.name + "(";
  }
  out.between = ", ";
  out.after = ")";
  // x.f(a) for f(x, a): what stands before the dot has a type of its own.
  Texts receivers{"ctx"};
  if (!helper.with_context) receivers = helper.parameters.empty() ? Texts() : places_of(helper.parameters[0], false);
  const bool is_option = !helper.parameters.empty() && helper.parameters[0].kind == T::Kind::Option;
  if (helper.takes_pointer() || (is_option && !helper.with_context)) receivers.clear();
  const bool is_method = out.before == helper.name + "(" && !receivers.empty() && random_.once_in(4);
  if (is_method) count("call of a method"), out.before = random_.pick(receivers) + "." + out.before;
  if (helper.with_context) count("call with context");
  if (helper.with_context && !is_method) out.parts.push_back(Tree("ctx"));
  for (size_t i = is_method && !helper.with_context ? 1 : 0; i < helper.parameters.size(); ++i)
    out.parts.push_back(value(helper.parameters[i], depth - 1));
  count("call");
  if (throws) {
    count("call that may throw");
    throws_ = throws_ || !catches_all();
    if (!may_throw()) count("propagate of a throw"), out = join("(", std::move(out), "?)");
  }
  return expression(std::move(out), helper.result);
}

Tree Generator::entry_or_leave(Tree entry) {
  if (commutes_ || in_deferred_ || !frozen_.empty() || !random_.once_in(12) || (in_user_ && !may_throw())) return entry;
  count("propagate of null");
  throws_ = throws_ || (in_user_ && !catches_all());
  return join("(", std::move(entry), "?)");
}

Tree Generator::integer_expression(const T& type, int depth) {
  const auto is_array_of_it = [&](const T& t) { return t.kind == T::Kind::Array && t.element[0] == type; };
  switch (random_.below(23)) {
    case 22: {
      Texts variables;
      for (const std::string& place : places_of(type, true))
        if (place.find_first_of(".[->") == std::string::npos) variables.push_back(place);
      if (variables.empty() || commutes_) break;
      count("operand that the next one changes");
      const std::string& variable = random_.pick(variables);
      const std::string margin(2 * static_cast<size_t>(indent_), ' ');
      Tree changed = value(type, depth - 1), given = solid(type, depth - 1);
      Tree next = join("(match (", unknown(integer(8)), fmt::format(") {{ default: {{\n{}  {} = ", margin, variable),
                       std::move(changed), fmt::format("\n{}  ", margin), std::move(given),
                       fmt::format("\n{}}} }} as {})", margin, type.spelled()));
      return binary(random_.pick(Texts{"+", "-", "^"}), Tree(variable), std::move(next), type);
    }
    case 0: return binary("+", solid(type, depth - 1), value(type, depth - 1), type);
    case 1: return binary("-", value(type, depth - 1), solid(type, depth - 1), type);
    case 2: return binary("*", solid(type, depth - 1), value(type, depth - 1), type);
    case 3: return binary("&", solid(type, depth - 1), value(type, depth - 1), type);
    case 4: return binary(random_.once_in(2) ? "|" : "^", solid(type, depth - 1), value(type, depth - 1), type);
    case 5:
    case 6: {
      // Zero as a divisor comes from variables; a constant one is an error.
      const std::string op = random_.once_in(2) ? "/" : "%";
      const auto places = places_of(type, false);
      Tree divisor = places.empty() ? join("(", leaf(type), " | ", leaf(type), ")") : Tree(random_.pick(places));
      if (random_.once_in(2))
        divisor = Tree(type.is_signed && random_.once_in(3) ? "(-1)" : fmt::format("{}", 1 + random_.below(9)));
      return binary(op, solid(type, depth - 1), std::move(divisor), type, false);
    }
    case 7:
    case 8: {
      const std::string op = random_.once_in(2) ? "<<" : ">>";
      const T count_type = any_integer();
      const auto places = places_of(count_type, false);
      Tree by = places.empty() || random_.once_in(2)
                    ? Tree(fmt::format("{}", random_.below(static_cast<uint64_t>(type.bits))))
                    : Tree(random_.pick(places));
      return binary(op, solid(type, depth - 1), std::move(by), type, false);
    }
    case 9: {
      const bool negate = random_.once_in(2);
      count(negate ? "negate" : "complement");
      // A cast number would stay an exact constant.
      Tree out = join(negate ? "(-" : "(~", unknown(type), ")");
      out.substitutes = {1};
      return expression(std::move(out), type);
    }
    case 10:
    case 11: {
      T from = scalar();
      if (from == type) from = boolean;
      count("cast");
      return expression(join("(", solid(from, depth - 1), fmt::format(" as {})", type.spelled())), type);
    }
    case 12: {
      count("conditional");
      Tree out = join("(", condition(depth - 1), " ? ", solid(type, depth - 1), " : ", value(type, depth - 1), ")");
      out.substitutes = {3, 5};
      return expression(std::move(out), type);
    }
    case 13: {
      if (random_.once_in(3)) {
        count("abs");
        return expression(join("abs(", solid(type, depth - 1), ")"), type);
      }
      const std::string name = random_.once_in(2) ? "min" : "max";
      count(name);
      return expression(join(name + "(", solid(type, depth - 1), ", ", value(type, depth - 1), ")"), type);
    }
    case 14: {
      if (type.is_signed || type.bits == 8) break;
      if (type.bits == 32 && random_.once_in(6)) {
        count("address");
        return expression(
            fmt::format("(ip4(\"{}.0.{}.{}\") as u32)", random_.below(256), random_.below(2), random_.below(256)),
            type);
      }
      const std::string name = type.bits == 16   ? random_.pick(Texts{"bswap16", "htons", "ntohs"})
                               : type.bits == 32 ? random_.pick(Texts{"bswap32", "htonl", "ntohl"})
                                                 : "bswap64";
      if (random_.once_in(3)) {
        count("byte order of a constant");
        Texts constants = {literal(type)};
        for (const auto& [constant, its_type] : constants_)
          if (its_type == type) constants.push_back(constant);
        return expression(fmt::format("({}({}) as {})", name, random_.pick(constants), type.spelled()), type);
      }
      count("byte order");
      return expression(join(name + "(", solid(type, depth - 1), ")"), type);
    }
    case 15:
    case 16: {
      std::vector<const Helper*> fitting;
      for (const Helper& helper : helpers_)
        if (helper.result == type && can_call(helper)) fitting.push_back(&helper);
      if (Tree number = optional_number(type, depth); random_.once_in(3) && !number.text().empty()) return number;
      if (fitting.empty()) break;
      return call(*random_.pick(fitting), depth);
    }
    case 17:
    case 18: {
      if (in_user_ && !commutes_ && type == integer(64) && !maps_.empty() && random_.once_in(2))
        return count("len"), expression(Tree(random_.pick(maps_).name + ".len()"), type);
      if (in_user_ && !commutes_ && !per_cpu_maps_.empty() && random_.once_in(3)) {
        const Map& map = random_.pick(per_cpu_maps_);
        std::vector<Place> parts;
        add_parts(
            "", map.value, [&](const T& t) { return t == type; }, parts);
        if (!parts.empty()) return expression(join(one_cpus_value(map, depth), random_.pick(parts).text), type);
      }
      std::vector<const Map*> fitting;
      for (const Map& map : maps_)
        if (map.value == type) fitting.push_back(&map);
      if (!fitting.empty()) {
        const Map& map = *random_.pick(fitting);
        count("map read");
        return expression(entry_or_leave(join(map.name + "[", key(map, depth - 1), "]")), type);
      }
      if (maps_.empty()) break;
      const Map& map = random_.pick(maps_);
      const auto parts = parts_where(map.value, [&](const T& t) { return t == type || is_array_of_it(t); });
      if (parts.empty()) break;
      const Place& part = random_.pick(parts);
      count("map field read");
      count_place("x" + part.text);
      Tree field = join(entry_or_leave(join(map.name + "[", key(map, depth - 1), "]")), part.text);
      if (part.type == type) return expression(std::move(field), type);
      count("element of a member at a variable index");
      return expression(join(std::move(field), element_of("", depth)), type);
    }
    case 19: {
      const auto arrays = places_where(is_array_of_it, false);
      if (arrays.empty()) break;
      const std::string array = random_.pick(arrays).text;
      count(array.find('.') == std::string::npos ? "element at a variable index"
                                                 : "element of a member at a variable index");
      return expression(element_of(array, depth), type);
    }
    case 20: {
      if (options_.environment && !in_user_ && !commutes_ && type == integer(64) && random_.once_in(2))
        return count("time"), expression(Tree("bpf_ktime_get_ns()"), type);
      if (options_.environment && !in_user_ && !commutes_ && type == integer(32) && random_.once_in(2))
        return count("random number"), expression(Tree("bpf_get_prandom_u32()"), type);
      if (type == integer(32) && has_context_ && in_entry_) {
        count("context field");
        return expression(Tree(is_xdp_ ? "ctx->rx_queue_index" : random_.once_in(2) ? "ctx->len" : "ctx->mark"), type);
      }
      if (type == integer(8) && has_context_ && in_entry_) {
        if (random_.once_in(3)) {
          count("packet byte backwards");
          Tree base = random_.once_in(2) ? Tree(fmt::format("(ctx->data + {})", 8 + random_.below(20)))
                                         : join("(ctx->data + 8 + (",
                                                solid(integer(random_.once_in(2) ? 32 : 64), depth - 1), " & 15))");
          if (random_.once_in(2))
            return expression(join(std::move(base), "[(", solid(integer(32, true), depth - 1), " & 15) - 8]"), type);
          return expression(join("(*(", std::move(base), " - (", solid(any_integer(), depth - 1),
                                 random_.once_in(3) ? " & 31)))" : " & 7)))"),
                            type);
        }
        count("packet byte");
        if (random_.once_in(2)) return expression(Tree(fmt::format("(*(ctx->data + {}))", random_.below(60))), type);
        return expression(join("(*(ctx->data + (", solid(integer(64), depth - 1), " & 63)))"), type);
      }
      break;
    }
    case 21:
      if (depth >= 2)
        return random_.once_in(3) && !maps_.empty() ? if_var_value(type, depth) : match_value(type, depth);
      break;
  }
  return leaf(type);
}

Tree Generator::solid(const T& type, int depth) {
  if (depth <= 0) return leaf(type);
  switch (type.kind) {
    case T::Kind::Int: return integer_expression(type, depth);
    case T::Kind::Bool: return condition(depth);
    case T::Kind::Float: return float_expression(type, depth);
    case T::Kind::Char:
      if (random_.once_in(3))
        return count("cast"), expression(join("(", solid(integer(8), depth - 1), " as char)"), type);
      if (random_.once_in(3)) {
        const auto strings = strings_in_sight();
        if (strings.empty()) return leaf(type);
        count("character of a string");
        return expression(join(random_.pick(strings) + "[(", unknown(integer(8)), " & 15)]"), type);
      }
      return leaf(type);
    case T::Kind::Enum:
      if (random_.once_in(3)) {
        count("conditional");
        return expression(
            join("(", condition(depth - 1), " ? ", solid(type, depth - 1), " : ", value(type, depth - 1), ")"), type);
      }
      if (depth >= 2 && random_.once_in(4))
        return random_.once_in(4) && !maps_.empty() ? if_var_value(type, depth) : match_value(type, depth);
      if (random_.once_in(4)) {
        count("enum of any number");
        return expression(join("(", solid(integer(32, true), depth - 1), " as " + type.name + ")"), type);
      }
      return leaf(type);
    default: return whole(type, depth);
  }
}

/// An array, a struct or a string: what a function gives, a part of an entry, or what is there.
Tree Generator::whole(const T& type, int depth) {
  for (const Helper& helper : helpers_)
    if (helper.result == type && can_call(helper) && random_.once_in(2)) return call(helper, depth);
  if (random_.once_in(2)) return leaf(type);
  for (const Map& map : maps_) {
    const auto parts = parts_where(map.value, [&](const T& t) { return t == type; });
    if (parts.empty() || random_.once_in(3)) continue;
    count("part of an entry as a whole");
    return join(map.name + "[", key(map, depth - 1), "]" + random_.pick(parts).text);
  }
  return leaf(type);
}

}  // namespace ksc::fuzz
