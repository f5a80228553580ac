// SPDX-License-Identifier: Apache-2.0
// A random `main`, and functions that it calls.
#include <fmt/format.h>

#include "fuzz/generator.h"

namespace ksc::fuzz {

/// `m.cpu(k, i)`. How many CPUs there are is open, and none but the first has anything here: it is that, or one that no
/// machine has.
Tree Generator::one_cpus_value(const Map& map, int depth) {
  count("one CPU's value");
  Tree cpu = random_.once_in(2) ? Tree("0") : random_.once_in(4) ? Tree("100000") : Tree();
  if (cpu.text().empty()) cpu = join("(", solid(integer(32), depth - 1), " & 1) * 100000");
  return join(map.name + ".cpu(", key(map, depth - 1), ", ", std::move(cpu), ")");
}

/// What one CPU has: read in place, asked whether it is there, held.
Tree Generator::per_cpu_statement(int depth) {
  const Map& map = random_.pick(per_cpu_maps_);
  Tree at = one_cpus_value(map, depth);
  if (random_.once_in(3)) {
    count("one CPU's value there or not");
    return join("if (", std::move(at), random_.once_in(2) ? " != null) " : " == null) ", block(depth - 1, 1));
  }
  const std::string name = fmt::format("own{}", temporaries_++);
  const bool is_struct = map.value.kind == T::Kind::Struct;
  const auto parts = parts_where(map.value, [](const T&) { return true; });
  const Place part = is_struct ? random_.pick(parts) : Place{"", map.value};
  const auto places = places_of(part.type, true);
  if (!places.empty() && random_.once_in(2)) return join(random_.pick(places) + " = ", std::move(at), part.text);
  count("one CPU's value held");
  // A number is an option here, which converts where a value is wanted.
  const std::string margin(2 * static_cast<size_t>(indent_), ' '), copy = fmt::format("copy{}", temporaries_++);
  Tree body = block(depth - 1, 1, {{copy, part.type}});
  body.before += fmt::format("{}  var {}: {} = {}{}\n", margin, copy, part.type.spelled(), name, part.text);
  return join(fmt::format("if (var {} = ", name), std::move(at), ") ", std::move(body));
}

/// A loop over what all CPUs have under a key. All but the first have zeros, and how many there are is open: zeros
/// change nothing.
Tree Generator::per_cpu_loop(int depth) {
  if (nested_loops_ >= 2) return per_cpu_statement(depth);
  const Map& map = random_.pick(per_cpu_maps_);
  count("loop over CPUs");
  const std::string margin(2 * static_cast<size_t>(indent_), ' '), cpu = fmt::format("cpu{}", temporaries_++),
                                                                   value = fmt::format("v{}", temporaries_++);
  Tree at = key(map, depth - 1);
  const bool is_struct = map.value.kind == T::Kind::Struct;
  const auto numbers = is_struct ? parts_where(map.value, [](const T& t) { return t.kind == T::Kind::Int; })
                                 : std::vector<Place>{{"", map.value}};
  Tree body;
  body.before = "{\n";
  ++indent_;
  for (uint64_t i = 0; i < 1 + random_.below(2) && !numbers.empty(); ++i) {
    const Place& number = random_.pick(numbers);
    const auto totals = places_of(number.type, true);
    if (totals.empty()) continue;
    body.parts.push_back(line(Tree(
        fmt::format("{} {}= {}{}", random_.pick(totals), random_.pick(Texts{"+", "|", "^"}), value, number.text))));
  }
  ++nested_loops_;
  ++loops_;
  body.parts.push_back(line(join(fmt::format("if ({} == 0) ", cpu),
                                 block(depth - 1, 1, {{cpu, integer(32)}, {value, map.value, is_struct}}))));
  --nested_loops_;
  --loops_;
  --indent_;
  body.after = margin + "}";
  return join(fmt::format("for ({}, {} in {}.each_cpu(", cpu, value, map.name), std::move(at), ")) ", std::move(body));
}

/// What `main` is given: mostly nothing, else a struct of what can be an option [L70].
std::string Generator::options_of_main(Tree& out) {
  if (!random_.once_in(3)) return "";
  count("userspace options");
  Struct options{global_name("Args"), {}};
  std::string text;
  for (size_t i = 0; i < 1 + random_.below(4); ++i) {
    T type = random_.once_in(4) ? string(8) : scalar();
    if (type == character) type = boolean;
    options.members.push_back({fmt::format("option{}", i), type});
    text += fmt::format("{} {}: {}", i ? "," : "", options.members.back().name, type.spelled());
  }
  out.parts.push_back(declaration(fmt::format("struct {} {{{} }}", options.name, text)));
  structs_.push_back(options);
  scopes_.back().push_back({"args", struct_type(options)});
  return "args: " + options.name;
}

void Generator::userspace(Tree& out) {
  in_user_ = true;
  for (const Map& m : maps_)
    if (m.kind.starts_with("percpu")) per_cpu_maps_.push_back(m);
  helpers_.clear();
  function_variables_.clear();
  std::erase_if(globals_, [&](const Variable& v) { return local_globals_.count(v.name) != 0; });
  // Of structs each CPU has its own, and which is meant must be said there [L51].
  std::erase_if(maps_, [](const Map& m) { return m.kind.starts_with("percpu") && m.value.kind == T::Kind::Struct; });
  if (maps_.empty()) {
    maps_.push_back({global_name("counts"), "hash", integer(32), integer(64)});
    out.parts.push_back(declaration(fmt::format("var {} : hash<u32, u64>(4)", maps_[0].name)));
  }
  if (!random_.once_in(4)) declare_floats(out);
  walkers_.clear();
  for (uint64_t i = 0, n = random_.below(2); i < n; ++i) out.parts.push_back(walker(i, ""));
  for (uint64_t i = 0; i < 1 + random_.below(2); ++i) {
    count("userspace function");
    const T result = any_result(i == 0 ? boolean : scalar());
    out.parts.push_back(function({global_name(fmt::format("user{}", i)), {}, result, false}, ""));
  }
  if (random_.once_in(3)) declare_function_variable(out);
  count("userspace main");
  scopes_ = {{}};
  result_ = integer(32, true);
  Tree body;
  body.before = fmt::format("fn main({}) -> i32 {{\n", options_of_main(out));
  indent_ = 1;
  body.parts.push_back(Tree(fmt::format("  load({})\n", global_name("prog0"))));
  may_call_values_ = true;
  if (random_.once_in(2))
    if (Tree assigned = function_variable_statement(2); !assigned.text().empty())
      body.parts.push_back(line(std::move(assigned)));
  for (int i = 0; i < options_.size; ++i) body.parts.push_back(line(statement(3)));
  may_call_values_ = false;
  Tree last = line(join("return ", join("(", solid(result_, 2), " & 127)")));
  last.may_drop = false;
  body.parts.push_back(std::move(last));
  body.after = "}\n";
  body.may_drop = true;
  out.parts.push_back(std::move(body));
}

}  // namespace ksc::fuzz
