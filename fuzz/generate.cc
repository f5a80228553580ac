// SPDX-License-Identifier: Apache-2.0
#include "fuzz/generate.h"

#include <fmt/format.h>

#include "fuzz/generator.h"

namespace ksc::fuzz {

const std::vector<std::string>& counted_forms() {
  static const std::vector<std::string> forms = {
      "alias",
      "assert",
      "call that may throw",
      "catch a code",
      "catch any code by name",
      "catch bounds",
      "catch everything",
      "function that throws",
      "panic",
      "propagate of a throw",
      "propagate of null",
      "throw of a caught code",
      "throw of a constant",
      "throw of a number",
      "try",
      "const",
      "const array",
      "const string",
      "const struct",
      "enum",
      "struct",
      "global",
      "global pin",
      "global local",
      "global array",
      "global struct",
      "config",
      "helper",
      "helper with context",
      "functions of one name",
      "program xdp",
      "program tc",
      "map hash",
      "map array",
      "map percpu_hash",
      "map percpu_array",
      "map lru_hash",
      "map with struct values",
      "map with struct keys",
      "map with enum keys",
      "literal",
      "literal at an edge",
      "literal beyond 32 bits",
      "packet of a known length",
      "context read many times",
      "packet loop that counts",
      "large variable",
      "large variable copied",
      "variable",
      "global use",
      "config use",
      "const use",
      "field",
      "element",
      "element at a variable index",
      "part at a variable index",
      "element of the packet at a variable index",
      "character of a string",
      "map read",
      "map field read",
      "+",
      "-",
      "*",
      "/",
      "%",
      "&",
      "|",
      "^",
      "<<",
      ">>",
      "negate",
      "complement",
      "cast",
      "conditional",
      "call",
      "call with context",
      "min",
      "max",
      "abs",
      "byte order",
      "byte order of a constant",
      "address",
      "compare",
      "&&",
      "||",
      "!",
      "contains_key",
      "presence",
      "compare strings",
      "concatenation",
      "bytes as a string",
      "append to a string",
      "match string",
      "effect on the right",
      "match value",
      "match statement",
      "match returned",
      "match range",
      "match or-pattern",
      "match enum",
      "match char",
      "match bool",
      "match block arm",
      "repeated element",
      "var in arm",
      "var",
      "var without value",
      "var shadows",
      "var with a C name",
      "var named like a global",
      "assign",
      "compound assign",
      "assign element",
      "assign field",
      "assign array",
      "assign struct",
      "map write",
      "map compound assign",
      "map field write",
      "map field compound assign",
      "map looked up again",
      "map delete",
      "map queue",
      "map stack",
      "map ringbuf",
      "push",
      "submit",
      "output",
      "new struct",
      "new number",
      "object written as a whole",
      "second pointer to an object",
      "delete of an object",
      "record of a chosen size",
      "record as a struct",
      "byte of a record read",
      "byte of a record written",
      "record of a chosen size asked in a condition",
      "object of eBPF",
      "number as an object of eBPF",
      "object of eBPF deleted",
      "reserved",
      "reserved by an if",
      "reserved or left",
      "a record written as a whole",
      "number in a record written",
      "member of a record written",
      "a record copied",
      "a record passed to a helper",
      "part of a record pointed to",
      "an object of eBPF written as a whole",
      "number in an object of eBPF written",
      "member of an object of eBPF written",
      "an object of eBPF copied",
      "an object of eBPF passed to a helper",
      "part of an object of eBPF pointed to",
      "record submitted",
      "record discarded",
      "reservation closed in two ways",
      "reservation closed where something is caught",
      "reservation closed before an early return",
      "reservation closed by a deferred statement",
      "loop in a deferred block",
      "packet behind a deferred loop",
      "pop",
      "peek",
      "member of what was taken",
      "insert",
      "insert_new",
      "if",
      "else if",
      "else",
      "if var",
      "if var value",
      "entry reference",
      "entry reference taken anew",
      "entry reference given a value",
      "second reference",
      "address of an entry",
      "address of a part of an entry",
      "address of an element",
      "address of an element in range",
      "address passed to what moves it",
      "distance of moved pointers",
      "element of a moved pointer",
      "given element",
      "helper that gives an element's address",
      "helper that gives the address of an entry's part",
      "helper that moves a pointer",
      "moved pointer at rest",
      "moved pointer chosen",
      "moved pointer into an array",
      "moved pointer passed",
      "moved pointer to one number",
      "moved pointers compared",
      "constant passed to what moves it",
      "pointer into a constant",
      "pointer moved by + or -",
      "pointer moved by +=",
      "pointer to a character",
      "for",
      "for inclusive",
      "for over many",
      "for over variables",
      "for negative",
      "for to the type's end",
      "map loop",
      "map loop over entries",
      "map loop that deletes",
      "map loop that searches",
      "map loop that returns",
      "map loop in a loop",
      "while",
      "loop",
      "break",
      "continue",
      "block",
      "print",
      "print string",
      "print struct",
      "print all at once",
      "print many values",
      "defer in a loop that nobody counts",
      "object deleted at the end",
      "packet read",
      "packet write",
      "packet at an offset",
      "struct copied from a packet",
      "packet check",
      "packet byte",
      "packet byte backwards",
      "packet pointer moves",
      "context field",
      "context write",
      "return early",
      "enum of any number",
      "named result",
      "result without return",
      "tail call",
      "on fault",
      "str",
      "bit-field",
      "time",
      "random number",
      "userspace main",
      "userspace options",
      "userspace function",
      "array argument",
      "helper with pointer",
      "helper with packet pointer",
      "entry passed to a helper",
      "struct with floating point",
      "const floating point",
      "floating-point literal",
      "floating-point +",
      "floating-point -",
      "floating-point *",
      "floating-point /",
      "floating-point negation",
      "number as floating point",
      "number meets floating point",
      "compare floating point",
      "compound assign of floating point",
      "packet pointer given",
      "packet pointer with a name given",
      "entry given",
      "entry given by another",
      "given packet pointer",
      "given entry",
      "packet pointer that is null first",
      "hash of a packet",
      "packet view",
      "packet moved",
      "number of a view",
      "truth of a view",
      "header of a view",
      "member of a header that may not be there",
      "header of a view changed",
      "option result",
      "option argument",
      "option of a struct",
      "option variable",
      "option assigned",
      "option given null",
      "option given a value",
      "option given an option",
      "option given a result",
      "option given an entry",
      "option tested",
      "option held",
      "option as a number",
      "len",
      "member array",
      "member string",
      "member struct",
      "member struct with structs",
      "member of a member",
      "member three deep",
      "element of a member",
      "element of a member at a variable index",
      "global pinned struct",
      "map with string keys",
      "map with array keys",
      "string of an entry",
      "part of an entry as a whole",
      "var of a struct",
      "assign string",
      "assign element of a member",
      "assign a part: array",
      "assign a part: struct",
      "assign a part: string",
      "loop over an array",
      "loop over an array member",
      "packet loop",
      "memory copied",
      "rest of an array as one side of a copy",
      "memory copied by a known size",
      "packet as one side of a copy",
      "array as one side of a copy",
      "number as one side of a copy",
      "short packet loop",
      "packet loop with a check",
      "packet loop that searches",
      "packet byte written in a loop",
      "struct argument",
      "more parameters than registers",
      "call of a function value",
      "function kept in a variable",
      "function known",
      "function chosen",
      "global function",
      "call of a method",
      "function assigned",
      "function variable changed",
      "operand that the next one changes",
      "for from a constant to a variable",
      "array result",
      "string result",
      "struct result",
      "var of a helper's array, string or struct",
      "one CPU's value",
      "one CPU's value there or not",
      "one CPU's value held",
      "loop over CPUs",
      "map of arrays",
      "map of strings",
      "string of a map compared",
      "character of a map's string",
      "array of a map written",
      "element of a map's array written",
      "element of a map's array read",
      "array of a map referred to",
  };
  return forms;
}

Tree Generator::helper(size_t index) {
  Helper helper;
  helper.name = global_name(fmt::format("help{}", index));
  helper.result = index == 0 ? boolean : any_result(index == 1 ? integer(32) : scalar());
  if (index > 0 && random_.once_in(3)) count("option result"), helper.result = any_option();
  helper.with_context = random_.once_in(3);
  if (helper.with_context) count("helper with context");
  count("helper");
  return function(helper, "@helper ");
}

T Generator::any_result(const T& usual) {
  if (!random_.once_in(3)) return usual;
  switch (random_.below(4)) {
    case 3: return count("option result"), any_option();
    case 0: return count("array result"), T{T::Kind::Array, 0, false, {}, 3, {any_integer()}};
    case 1: return count("string result"), string(8);
    default: break;
  }
  const T structure = struct_type(random_.pick(structs_));
  return fits_stack(structure) ? (count("struct result"), structure) : usual;
}

Tree Generator::function(Helper helper, const std::string& attribute) {
  // Two of one type: what is called where one of them is a value, is open.
  std::vector<T> types;
  if (!helper.with_context && !helpers_.empty() && !helpers_.back().with_context && !helpers_.back().takes_pointer() &&
      random_.once_in(2)) {
    types = helpers_.back().parameters;
    helper.result = helpers_.back().result;
  }
  const size_t parameter_count = !types.empty()       ? types.size()
                                 : random_.once_in(6) ? 4 + random_.below(5)
                                                      : 1 + random_.below(3);
  if (parameter_count + helper.with_context > 5) count("more parameters than registers");
  std::string parameters = helper.with_context ? fmt::format("ctx: *{}", is_xdp_ ? "xdp_md" : "__sk_buff") : "";
  scopes_ = {{}};
  for (size_t i = 0; i < parameter_count; ++i) {
    T type = scalar();
    if (random_.once_in(4)) {
      count("array argument");
      type = random_.once_in(2) ? string(8) : T{T::Kind::Array, 0, false, {}, 3, {any_integer()}};
    }
    if (random_.once_in(6)) count("option argument"), type = any_option();
    const T structure = struct_type(random_.pick(structs_));
    if (random_.once_in(4) && fits_stack(structure)) count("struct argument"), type = structure;
    // What tells functions of one name apart.
    if (i == 0 && (random_.once_in(2) || (!helpers_.empty() && tells_itself_apart(helpers_.back()))))
      type = random_.once_in(2) && fits_stack(structure) ? structure : boolean;
    if (!types.empty()) type = types[i];
    const std::string name = fmt::format("p{}", i);
    parameters += fmt::format("{}{}: {}", parameters.empty() ? "" : ", ", name, type.spelled());
    helper.parameters.push_back(type);
    scopes_.back().push_back({name, type});
  }
  if (types.empty()) share_name(helper);
  has_context_ = helper.with_context;
  in_entry_ = throws_ = false;
  result_ = helper.result;
  Tree out;
  std::string result = helper.result.spelled();
  const bool is_named = random_.once_in(4);
  if (is_named) {
    count("named result");
    result = "result: " + result;
    scopes_.back().push_back({"result", helper.result});
  }
  out.before = fmt::format("{}fn {}({}) -> {} {{\n", attribute, helper.name, parameters, result);
  indent_ = 1;
  for (uint64_t i = 0; i < 1 + random_.below(4); ++i) out.parts.push_back(line(statement(2)));
  if (is_named) {
    out.parts.push_back(line(join("result = ", value(helper.result, 2))));
    if (random_.once_in(2)) out.parts.push_back(line(Tree("return")));
  } else {
    const bool is_bare = random_.once_in(4);
    Tree last = line(is_bare ? value(helper.result, 2) : returned(2));
    if (is_bare) count("result without return");
    last.may_drop = false;
    out.parts.push_back(std::move(last));
  }
  out.after = "}\n\n";
  out.may_drop = true;
  helper.throws = throws_;
  if (throws_) count("function that throws");
  helpers_.push_back(helper);
  return out;
}

/// Whether every value that is given first says by its type that this function is meant.
bool Generator::tells_itself_apart(const Helper& helper) {
  return !helper.with_context && !helper.shares_name && !helper.parameters.empty() &&
         (helper.parameters[0].kind == T::Kind::Struct || helper.parameters[0].kind == T::Kind::Bool);
}

/// Calls the function like an earlier one, if a call tells which of them is meant.
void Generator::share_name(Helper& helper) {
  for (Helper& other : helpers_) {
    if (!tells_itself_apart(helper) || !tells_itself_apart(other) || helper.parameters[0] == other.parameters[0])
      continue;
    count("functions of one name");
    helper.name = other.name;
    helper.shares_name = other.shares_name = true;
  }
}

Tree Generator::entry(size_t index, size_t total) {
  scopes_ = {{}};
  has_context_ = in_entry_ = true;
  // A program takes over from one with a smaller number; rarely from any, and the limit ends the chain.
  targets_.clear();
  for (size_t i = 0; i < total; ++i)
    if (i > index || (i == index && random_.once_in(12))) targets_.push_back(global_name(fmt::format("prog{}", i)));
  Tree out;
  if (random_.once_in(3)) out.before = fmt::format("@on_fault({}) ", verdict()), count("on fault");
  out.before +=
      is_xdp_ ? fmt::format("@xdp fn {}(ctx: *xdp_md) -> xdp_action {{\n", global_name(fmt::format("prog{}", index)))
              : fmt::format("@tc(\"ingress\") fn {}(ctx: *__sk_buff) -> i32 {{\n",
                            global_name(fmt::format("prog{}", index)));
  indent_ = 1;
  may_call_values_ = true;
  if (random_.once_in(2))
    if (Tree assigned = function_variable_statement(2); !assigned.text().empty())
      out.parts.push_back(line(std::move(assigned)));
  if (is_xdp_ && random_.once_in(5)) out.parts.push_back(line(moved_packet()));
  for (int i = 0; i < options_.size / 2 + static_cast<int>(random_.below(static_cast<uint64_t>(options_.size))); ++i)
    out.parts.push_back(line(statement(3)));
  Tree last = line(returned(3));
  may_call_values_ = false;
  last.may_drop = false;
  out.parts.push_back(std::move(last));
  out.after = "}\n\n";
  out.may_drop = index != 0;
  count(is_xdp_ ? "program xdp" : "program tc");
  return out;
}

Tree Generator::program() {
  Tree out;
  declare_types(out);
  declare_globals(out);
  declare_constants(out);
  declare_maps(out);
  declare_array_maps(out);
  declare_queues(out);
  const size_t helpers = 1 + random_.below(3);
  for (size_t i = 0; i < helpers; ++i) out.parts.push_back(helper(i));
  for (uint64_t i = 0, n = random_.below(3); i < n; ++i) out.parts.push_back(pointer_helper(i));
  for (uint64_t i = 0, n = random_.below(2); i < n; ++i) out.parts.push_back(walker(i, "@helper "));
  pointer_givers(out);
  element_givers(out);
  if (random_.once_in(3)) declare_function_variable(out);
  const size_t programs = 1 + random_.below(3);
  for (size_t i = 0; i < programs; ++i) out.parts.push_back(entry(i, programs));
  if (options_.userspace) userspace(out);
  return out;
}

Tree generate_program(uint64_t seed, const GeneratorOptions& options, Statistics& statistics) {
  for (const std::string& form : counted_forms()) statistics[form];
  return Generator(seed, options, statistics).program();
}

}  // namespace ksc::fuzz
