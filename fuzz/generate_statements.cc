// SPDX-License-Identifier: Apache-2.0
// Random statements, and what they hold but expressions, maps, loops and packets.
#include <fmt/format.h>

#include "fuzz/generator.h"

namespace ksc::fuzz {

Tree Generator::block(int depth, int statements, const std::vector<Variable>& with) {
  return block_of(
      statements, [&] { return statement(depth); }, with);
}

Tree Generator::block_of(int statements, const std::function<Tree()>& make, const std::vector<Variable>& with) {
  Tree out;
  out.before = "{\n";
  scopes_.push_back(with);
  ++indent_;
  for (int i = 0; i < statements; ++i) out.parts.push_back(line(make()));
  --indent_;
  scopes_.pop_back();
  out.after = std::string(2 * static_cast<size_t>(indent_), ' ') + "}";
  return out;
}

std::string Generator::fresh_local(bool& shadows) {
  static const Texts pool = {"x",        "y",   "count", "register", "errno",  "main_",   "bpf_printk",
                             "volatile", "key", "value", "entry",    "switch", "printf",  "typedef",
                             "result",   "at",  "slot",  "status",   "NULL",   "unsigned"};
  shadows = false;
  for (int attempt = 0; attempt < 4; ++attempt) {
    std::string name = random_.pick(pool);
    const bool like_global = random_.once_in(8) && !globals_.empty();
    if (like_global) name = globals_[random_.below(globals_.size())].name;
    if (name.find('.') != std::string::npos) continue;
    bool in_scope = false;
    for (const Variable& v : scopes_.back()) in_scope |= v.name == name;
    // What is fixed in an outer scope keeps a loop finite: it is not hidden, so that it can be counted down.
    for (const auto& scope : scopes_)
      for (const Variable& v : scope) in_scope |= v.name == name && v.is_const;
    if (in_scope) continue;
    if (like_global) count("var named like a global");
    shadows = visible(name);
    static const std::set<std::string> c_names = {"register", "volatile",   "errno", "switch",  "typedef",
                                                  "printf",   "bpf_printk", "NULL",  "unsigned"};
    if (c_names.count(name)) count("var with a C name");
    return name;
  }
  return fmt::format("v{}", temporaries_++);
}

/// More than the stack has room for [L60]; sometimes a second one begins as its copy.
Tree Generator::large_variable(int depth) {
  count("large variable");
  const std::string name = fmt::format("large{}", temporaries_++);
  const std::string margin(2 * static_cast<size_t>(indent_), ' ');
  const T type{T::Kind::Array, 0, false, {}, 40 + random_.below(200), {any_integer()}};
  scopes_.back().push_back({name, type});
  Tree element = element_of(name, 1);
  Tree written = join(fmt::format("var {}: {}\n{}", name, type.spelled(), margin), std::move(element), " = ",
                      value(type.element[0], depth - 1));
  if (random_.once_in(2)) return written;
  count("large variable copied");
  const std::string copy = fmt::format("large{}", temporaries_++);
  scopes_.back().push_back({copy, type});
  return join(std::move(written), fmt::format("\n{}var {}: {} = {}", margin, copy, type.spelled(), name));
}

Tree Generator::var_statement(int depth) {
  if (random_.once_in(40)) return large_variable(depth);
  T type = scalar();
  const uint64_t shape = random_.below(10);
  if (shape == 0) type = array_of_integers();
  if (shape == 1) type = struct_type(random_.pick(structs_)), count("var of a struct");
  if (shape == 2) type = string(8), count("str");
  bool shadows = false;
  Tree initial = random_.once_in(6) ? Tree() : value(type, depth);
  for (const Helper& helper : helpers_) {
    const bool is_whole = helper.result.kind == T::Kind::Array || helper.result.kind == T::Kind::Str ||
                          helper.result.kind == T::Kind::Struct;
    if (!is_whole || !can_call(helper) || !random_.once_in(4)) continue;
    count("var of a helper's array, string or struct");
    type = helper.result;
    initial = call(helper, depth);
  }
  const bool has_initial = !initial.text().empty();
  const std::string name = fresh_local(shadows);
  if (shadows) count("var shadows");
  scopes_.back().push_back({name, type});
  count("var");
  if (!has_initial) return count("var without value"), Tree(fmt::format("var {}: {}", name, type.spelled()));
  return join(fmt::format("var {}: {} = ", name, type.spelled()), std::move(initial));
}

/// An array, a struct or a string is given another as a whole.
Tree Generator::whole_assignment() {
  const auto places = places_where(
      [](const T& t) { return t.kind == T::Kind::Array || t.kind == T::Kind::Struct || t.kind == T::Kind::Str; }, true);
  if (places.empty()) return Tree();
  const Place& place = random_.pick(places);
  const bool is_part = place.text.find_first_of(".[") != std::string::npos;
  count(std::string(is_part ? "assign a part: " : "assign ") + (place.type.kind == T::Kind::Array    ? "array"
                                                                : place.type.kind == T::Kind::Struct ? "struct"
                                                                                                     : "string"));
  if (place.type.kind == T::Kind::Str && random_.once_in(3)) {
    count("append to a string");
    Tree texts = any_string(2);
    return join(place.text + " += ", texts.text().empty() ? Tree(any_text()) : std::move(texts));
  }
  return join(place.text + " = ", solid(place.type, 1));
}

/// An element at an index that is not known.
Tree Generator::element_assignment(const Place& array, int depth) {
  count(array.text.find('.') == std::string::npos ? "assign element" : "assign element of a member");
  const bool compound = random_.once_in(2);
  return join(element_of(array.text, 1), compound ? " += " : " = ", value(array.type.element[0], depth));
}

Tree Generator::assignment(int depth) {
  if (random_.once_in(6)) {
    Tree whole = whole_assignment();
    if (!whole.text().empty()) return whole;
  }
  for (int attempt = 0; attempt < 6; ++attempt) {
    const T type = scalar();
    if (type.kind == T::Kind::Int && random_.once_in(4)) {
      const auto arrays = places_where([](const T& t) { return t.kind == T::Kind::Array; }, true);
      if (!arrays.empty()) return element_assignment(random_.pick(arrays), depth);
    }
    auto places = places_of(type, true);
    std::erase_if(places, [&](const std::string& p) { return p.find("settings.") != std::string::npos; });
    if (places.empty()) continue;
    const std::string place = random_.pick(places);
    count_place(place);
    if (place.find("->") != std::string::npos)
      count("packet write");
    else if (place.find('.') != std::string::npos)
      count("assign field");
    else if (place.find('[') != std::string::npos)
      count("assign element");
    if (type.kind == T::Kind::Float && random_.once_in(2)) {
      count("compound assign of floating point");
      return join(place + " " + random_.pick(Texts{"+", "-", "*", "/"}) + "= ", value(type, depth));
    }
    if (type.kind == T::Kind::Int && random_.once_in(2)) {
      count("compound assign");
      const std::string op = random_.pick(Texts{"+", "-", "*", "&", "|", "^", "/", "%", "<<", ">>"});
      if (op == "/" || op == "%") {
        const auto divisors = places_of(type, false);
        return join(place + " " + op + "= ",
                    random_.once_in(2) ? Tree(fmt::format("{}", 1 + random_.below(7))) : Tree(random_.pick(divisors)));
      }
      if (op == "<<" || op == ">>")
        return Tree(fmt::format("{} {}= {}", place, op, random_.below(static_cast<uint64_t>(type.bits))));
      return join(place + " " + op + "= ", value(type, depth));
    }
    count("assign");
    return join(place + " = ", value(type, depth));
  }
  return var_statement(depth);
}

Tree Generator::if_statement(int depth) {
  count("if");
  Tree out = join("if (", condition(depth), ") ", block(depth - 1, 1 + static_cast<int>(random_.below(2))));
  if (random_.once_in(3)) {
    count("else if");
    Tree other = join(" else if (", condition(depth - 1), ") ", block(depth - 1, 1));
    other.may_drop = true;
    out.parts.push_back(std::move(other));
  }
  if (random_.once_in(2)) {
    count("else");
    Tree other = join(" else ", block(depth - 1, 1));
    other.may_drop = true;
    out.parts.push_back(std::move(other));
  }
  return out;
}

Tree Generator::print_statement(int depth) {
  count("print");
  if (random_.once_in(3)) {
    count("print all at once");
    return join("print(\"value\", ", solid(scalar(), depth - 1), ")");
  }
  if (in_user_ && random_.once_in(8)) {
    count("print many values");
    const T number = any_integer();
    // What a map may hold is an option, where no type is asked for.
    Tree many = random_.once_in(2) ? join("(", solid(number, depth - 1), " as " + number.spelled() + ")")
                                   : value(struct_type(random_.pick(structs_)), depth - 1);
    return join("print(\"many\", [", std::move(many), fmt::format("; {}], ", 60 + random_.below(10)),
                solid(scalar(), depth - 1), ")");
  }
  if (in_user_ && random_.once_in(3))
    for (const auto* variables : {&scopes_.back(), &globals_})
      for (const Variable& v : *variables)
        if ((v.type.kind == T::Kind::Struct || v.type.kind == T::Kind::Array) &&
            (variables != &globals_ || !visible(v.name)))
          return count("print struct"),
                 join(fmt::format("print(\"it is\", {}, ", v.name), solid(scalar(), depth - 1), ")");
  const T type = scalar();
  const std::string verb = type == character             ? "%c"
                           : type.kind == T::Kind::Float ? "%f"
                                                         : random_.pick(Texts{"%d", "%u", "%x"});
  if (random_.once_in(4)) {
    Tree string = any_string(depth);
    if (!string.text().empty()) return count("print string"), join("print(\"%s|\", ", std::move(string), ")");
  }
  if (type == character)
    return join("print(\"a ", verb + " b %d\", ", solid(type, depth - 1), ", ", solid(any_integer(), depth - 1), ")");
  return join("print(\"a " + verb + " b %d\", ", solid(type, depth - 1), ", ", solid(any_integer(), depth - 1), ")");
}

std::string Generator::verdict() {
  static const Texts xdp = {"XDP_PASS", "XDP_DROP", "XDP_TX", "XDP_ABORTED"},
                     tc = {"TC_ACT_OK", "TC_ACT_SHOT", "TC_ACT_PIPE", "3"};
  return random_.pick(is_xdp_ ? xdp : tc);
}

/// `return …` as a function ends with it.
Tree Generator::returned(int depth) {
  if (!in_entry_) return join("return ", value(result_, depth));
  if (!targets_.empty() && random_.once_in(3))
    return count("tail call"), Tree(fmt::format("return {}(ctx)", random_.pick(targets_)));
  if (random_.once_in(3)) {
    count("match returned");
    return join(
        "return ", match(depth, [&](int d) -> Tree {
          if (!targets_.empty() && random_.once_in(3))
            return count("tail call"), Tree(random_.pick(targets_) + "(ctx)");
          if (random_.once_in(3) && d > 0) {
            count("match block arm");
            Tree body = block(d - 1, 1);
            body.parts.push_back(Tree(std::string(2 * static_cast<size_t>(indent_ + 1), ' ') + verdict() + "\n"));
            return body;
          }
          return Tree(verdict());
        }));
  }
  if (random_.once_in(4)) {
    count("conditional");
    return join("return ", condition(depth), " ? " + verdict() + " : " + verdict());
  }
  return Tree("return " + verdict());
}

Tree Generator::simple_statement(int depth) {
  switch (random_.below(8)) {
    case 0: return print_statement(depth);
    case 1:
    case 2: return frozen_.empty() ? map_statement(depth) : print_statement(depth);
    default: return assignment(depth);
  }
}

Tree Generator::statement(int depth) {
  if (depth <= 0) return simple_statement(1);
  // How often those turn is not known.
  const auto uncounted = [&](Tree (Generator::*loop)(int)) {
    const uint64_t outer = std::exchange(deferrals_, in_user_ ? deferrals_ : 0);
    const bool was_counted = std::exchange(is_counted_, false);
    Tree out = (this->*loop)(depth);
    deferrals_ = outer;
    is_counted_ = was_counted;
    return out;
  };
  switch (random_.below(48)) {
    case 45:
      if (!commutes_ && !in_deferred_) return element_address(depth);
      break;
    case 46:
    case 47:
      if (!commutes_ && !in_deferred_) return moved_pointer(depth);
      break;
    case 44:
      if (!commutes_) return memory_copy(depth);
      break;
    case 38:
      if (!commutes_ && !in_user_)
        return !rings_.empty() && random_.once_in(3) ? ring_statement(depth) : reservation(depth);
      break;
    case 43: return changed_function(depth);
    case 41:
      if (!givers_.empty() && !commutes_ && !in_user_) return given_pointer(depth);
      break;
    case 42:
      if (has_context_ && !commutes_) return random_.once_in(2) ? late_pointer(depth) : packet_view(depth);
      break;
    case 39:
    case 40:
      if (!commutes_) return option_statement(depth);
      break;
    case 36:
      if (!commutes_ && !in_user_) return reservation(depth);
      [[fallthrough]];
    case 37:
      if (in_user_ && !commutes_) return heap_statement(depth);
      if (!queues_.empty() && !commutes_) return queue_statement(depth);
      break;
    case 34:
    case 35: return defer_statement(depth);
    case 30:
    case 31: return try_statement(depth);
    case 32: return throw_statement(depth);
    case 33: return random_.once_in(3) ? panic_statement(depth) : throw_statement(depth);
    case 27: return nested_loops_ < 2 ? uncounted(&Generator::array_loop) : simple_statement(depth);
    case 28:
      if (has_context_ && nested_loops_ < 2) return uncounted(&Generator::packet_loop);
      break;
    case 29:
      if (!per_cpu_maps_.empty())
        return random_.once_in(2) ? uncounted(&Generator::per_cpu_loop) : per_cpu_statement(depth);
      break;
    case 25:
      if (!array_maps_.empty() && !commutes_) return array_map_statement(depth);
      break;
    case 26: return uncounted(&Generator::map_loop);
    case 0:
    case 1:
    case 2:
    case 3: return var_statement(depth);
    case 4:
    case 5:
    case 6: return map_statement(depth);
    case 7:
    case 8:
    case 9: return if_statement(depth);
    case 10:
    case 11: return entry_reference(depth);
    case 22:
    case 23: return random_.once_in(3) ? rebound_reference(depth) : repeated_lookup(depth);
    case 12:
    case 13: return loop_statement(depth);
    case 14:
    case 15:
      if (has_context_) return packet_statement(depth);
      break;
    case 16: {
      count("match statement");
      return match(depth, [&](int d) {
        count("match block arm");
        return block(d - 1, 1);
      });
    }
    case 17: return count("block"), block(depth - 1, 2);
    case 18:
      if (loops_ > 0) {
        const bool leaves = random_.once_in(2);
        count(leaves ? "break" : "continue");
        return join("if (", condition(depth - 1), leaves ? ") { break }" : ") { continue }");
      }
      break;
    case 19:
      if (!stays() && random_.once_in(2)) {
        count("return early");
        return join("if (", condition(depth - 1), ") { ", returned(0), " }");
      }
      break;
    case 20:
      if (in_entry_ && !stays() && random_.once_in(5)) return context_branches(depth);
      if (in_entry_ && !is_xdp_) return count("context write"), join("ctx->mark = ", value(integer(32), depth));
      break;
    case 21:
      if (!helpers_.empty()) {
        const Helper& helper = random_.pick(helpers_);
        if (can_call(helper)) return call(helper, depth);
      }
      break;
    default: break;
  }
  return simple_statement(depth);
}

}  // namespace ksc::fuzz
