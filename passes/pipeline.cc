// SPDX-License-Identifier: Apache-2.0
// The compiler in order. A pass in the wrong place does not compile.
#include "passes/pipeline.h"

#include <fmt/format.h>

#include "ir/check.h"
#include "ir/children.h"
#include "passes/passes.h"

namespace ksc {
namespace {

// A list, one line a pass.
// clang-format off
auto trunk() {
  return Pipeline<lang::Parsed>{}
      | KSC_PASS(resolve_names, "each name is bound to one symbol")
      | KSC_PASS(link_modules, "the declarations of all files stand in one, under symbols of their own")
      | KSC_PASS(return_last_values, "the value that a function ends with is returned")
      | KSC_PASS(infer_types, "each expression gets its type; conversions, places and calls are spelled out")
      | KSC_PASS(split_element_pointers, "a pointer that arithmetic moves becomes one to an array, and a number")
      | KSC_PASS(lower_memory_copies, "bytes are copied in a loop that ends where one side does")
      | KSC_PASS(dispatch_function_values, "a function as a value is a number, and a call of it a choice between functions")
      | KSC_PASS(drop_unused_imports, "what of other files nothing uses goes")
      | KSC_PASS(split_returned_values, "return match … becomes a match whose arms return")
      | KSC_PASS(find_tail_calls, "return program(ctx) becomes a tail call; programs are called nowhere else")
      | KSC_PASS(lower_defer, "what is deferred stands behind what it waits for")
      | KSC_PASS(check_null, "pointers are proven not to be null where they are followed")
      | KSC_PASS(check_reservations, "what is reserved of a ring buffer, or given by `new` in eBPF, is given back on every way out")
      | KSC_PASS(check_throws, "what programs let be thrown is caught")
      | KSC_PASS(check_target, "the target has what is asked of it, for each program that gets there")
      | Gate<lang::Sound>{"gate", "the compilation ends here if there were errors"}
      | KSC_PASS(drop_known_tests, "what is known to be there is not asked for again")
      | KSC_PASS(lower_named_results, "a result with a name becomes a variable")
      | KSC_PASS(lower_if_present, "if (var x = e) becomes a declaration and a test")
      | KSC_PASS(place_referenced_values, "a reference that is given a value refers to a variable that holds it")
      | KSC_PASS(lower_match, "match becomes a switch, or a chain of branches where patterns are ranges")
      | KSC_PASS(lower_if_values, "if as a value becomes branches that assign")
      | KSC_PASS(lower_while, "while becomes a loop that breaks")
      | KSC_PASS(lower_for, "for becomes a count between constants or names")
      | KSC_PASS(lower_short_circuits, "&&, || and ?: with effects on the right become branches")
      | KSC_PASS(order_operands, "operands with effects are named, in the order of the source")
      | KSC_PASS(lower_updates, "op= becomes a read and a write, or one atomic instruction")
      | KSC_PASS(lower_map_entries, "writing to a map entry becomes a statement")
      | KSC_PASS(throw_failures, "what fails in userspace is thrown where something takes it")
      | KSC_PASS(split_nullable_packet_pointers, "a packet pointer that may be null becomes one that is not and a truth")
      | KSC_PASS(root_packet_pointers, "packet pointers that may reach back are counted from the packet's start")
      | KSC_PASS(check_packet_accesses, "each packet access is tested against the packet's end")
      | KSC_PASS(raise_packet_checks, "of tests which fail alike the first asks for all that is needed")
      | KSC_PASS(remove_known_checks, "tests whose answer is known go")
      | KSC_PASS(cap_loops, "loops in eBPF end after 8,388,608 turns at the latest")
      | KSC_PASS(lower_maybe, "what may be absent becomes a value and its presence")
      | KSC_PASS(raise_statuses, "functions that may be left early return why; their callers raise it")
      | KSC_PASS(pull_packet_data, "what of a socket buffer is not linear is pulled before an access fails")
      | KSC_PASS(lower_try, "try becomes a test of what was raised in it")
      | KSC_PASS(lower_finally, "every way out of a function leads through what it does last")
      | KSC_PASS(discard_open_reservations, "what is still reserved where a function is left is discarded, or deleted")
      | KSC_PASS(lower_raises, "what nothing takes is returned")
      | KSC_PASS(lower_dynptrs, "records of a size that the program chooses are reached through a dynptr")
      | KSC_PASS(lower_objects, "what `new` gives in eBPF comes from the kernel, and is read and written number by number")
      | KSC_PASS(return_aggregates, "functions give arrays, strings and structs through a parameter")
      | KSC_PASS(flatten_pinned_globals, "pinned globals become members of one map entry")
      | KSC_PASS(read_constants, "elements and members of constants are numbers")
      | KSC_PASS(fold_constants, "what is computed from numbers alone is a number")
      | KSC_PASS(lower_division, "division by what may be zero becomes support code")
      | KSC_PASS(lower_shifts, "shift counts are masked to the width")
      | KSC_PASS(lower_builtins, "min, max, htons and their like become support code")
      | KSC_PASS(lower_concatenations, "texts are appended to a variable")
      | KSC_PASS(lower_string_comparisons, "strings are compared byte by byte")
      | KSC_PASS(convert_enums, "enums are widened as the signed numbers that they are")
      | KSC_PASS(drop_packet_padding, "what is copied out of the packet has zeros between its members")
      | KSC_PASS(lower_array_copies, "assignments of arrays and strings become copies")
      | KSC_PASS(copy_aggregate_arguments, "a function has its own copy of each array, string and struct that it is given");
}

auto ebpf() {
  return Pipeline<lang::ArgumentsCopied>{}
      | KSC_PASS(select_ebpf, "only what runs in the kernel stays")
      | KSC_PASS(lower_reservations, "records of ring buffers are reserved and submitted by the kernel's helpers")
      | KSC_PASS(lower_packet_dynptrs, "with --dynptr=always the packet is read and written through a dynptr")
      | KSC_PASS(drop_unread_variables, "variables that nothing reads go")
      | KSC_PASS(pack_arguments, "what a call has no register for is passed in a struct")
      | KSC_PASS(point_at_packet_elements, "what is chosen of an array in the packet is reached by a pointer of its own")
      | KSC_PASS(guard_element_addresses, "an address of an element is taken only where the element is")
      | KSC_PASS(reread_packet, "after what moves the packet or tests it in turns, the context is a new one to C compilers")
      | KSC_PASS(name_large_values, "values that the stack has no room for get a name")
      | KSC_PASS(spill_locals, "variables that the stack has no room for lie in a map")
      | KSC_PASS(copy_large_values, "what C compilers do not copy inline is copied by a loop")
      | KSC_PASS(keep_fills_apart, "C compilers make no fill of several that is too large to be written out")
      | KSC_PASS(outline_loops, "loops whose turns the verifier cannot walk through become bpf_loop")
      | KSC_PASS(forget_turn_values, "what a turn of a loop counts is nothing that the verifier knows")
      | KSC_PASS(lower_pinned_access, "pinned globals are reached through a pointer to their entry")
      | KSC_PASS(lower_tail_calls, "tail calls go through a program array")
      | KSC_PASS(merge_lookups, "what was found in a map is not looked up again")
      | KSC_PASS(forget_ways, "what many ways count is nothing that the verifier knows where they have met")
      | KSC_PASS(forget_zeros, "zeros of arrays that turns fill up to somewhere are nothing that the verifier knows")
      | KSC_PASS(lower_map_access, "map accesses become calls of the kernel's helpers")
      | KSC_PASS(answer_presence, "whether there is an entry that nothing follows is a number")
      | KSC_PASS(keep_null_tests_apart, "null tests of several pointers do not become one")
      | KSC_PASS(retest_pointers, "a pointer is tested anew where an earlier test is far")
      | KSC_PASS(read_context_once, "what a function reads of the context many times is read once")
      | KSC_PASS(keep_context_accesses_apart, "accesses to the context in several branches do not become one")
      | KSC_PASS(hide_early_answers, "truths that leave a loop are not mixed with what stays in it")
      | KSC_PASS(clear_results, "functions leave no address where their result belongs")
      | KSC_PASS(keep_places_apart, "a choice between two places does not become an address computed from a truth")
      | KSC_PASS(hide_rebound_pointers, "C compilers look for no member of what a branch replaces before it does")
      | KSC_PASS(guard_array_index, "an index is tested where it is not known to be in range")
      | KSC_PASS(delay_packet_pointers, "packet pointers are computed behind the tests that leave without them")
      | KSC_PASS(bound_packet_offsets, "packet pointers move no farther than the verifier follows")
      | KSC_PASS(point_at_distances, "distances that only lead to packet pointers again are those pointers")
      | KSC_PASS(detach_turn_pointers, "tests in a loop's turns tell nothing of pointers that are used behind it")
      | KSC_PASS(keep_packet_tests_apart, "what a test of the packet has looked at is what is accessed; those of a loop's turns do not become one")
      | KSC_PASS(hide_packet_equalities, "C compilers conclude nothing from packet pointers that are equal")
      | KSC_PASS(initialise_by_members, "what is made of constants is written member by member")
      | KSC_PASS(lower_print, "print becomes bpf_printk")
      | KSC_PASS(widen_counters, "counters that may have to wait on the stack have 64 bits")
      | KSC_PASS(raise_short_circuits, "branches that only choose what is read become && and || again")
      | KSC_PASS(fold_temporaries, "temporaries return into the expressions that use them")
      | KSC_PASS(keep_object_accesses_apart, "each access to what `new` has given is an instruction of its own")
      | KSC_PASS(order_declarations, "what is used stands before what uses it");
}

auto user() {
  return Pipeline<lang::ArgumentsCopied>{}
      | KSC_PASS(select_user, "only what runs in userspace stays")
      | KSC_PASS(lower_float_truncations, "floating-point numbers become integers by support code, whatever they are")
      | KSC_PASS(lower_arguments, "what the command line may set is declared")
      | KSC_PASS(ask_for_presence, "whether an entry is there is asked without copying it")
      | KSC_PASS(copy_user_entries, "a reference to a map entry becomes a pointer to a copy that knows its key")
      | KSC_PASS(lower_user_maps, "map accesses become calls of the userspace runtime")
      | KSC_PASS(lower_attempts, "what may fail gives the code to throw")
      | KSC_PASS(guard_user_index, "an index that is not known to be in range ends the program if it is not")
      | KSC_PASS(fold_user_temporaries, "temporaries return into the expressions that use them");
}
// clang-format on

}  // namespace

const PassList& pass_list() {
  static const PassList list{trunk().steps, {{"ebpf", ebpf().steps}, {"user", user().steps}}};
  return list;
}

const Step* find_step(std::string_view name) {
  for (const Step& step : pass_list().trunk)
    if (step.name == name) return &step;
  for (const TargetBranch& branch : pass_list().branches)
    for (const Step& step : branch.steps)
      if (step.name == name) return &step;
  return nullptr;
}

std::optional<Loc> find_invalid(const Program& program) {
  const auto is_invalid = [](const auto& sum) {
    const FormSet contains = header(sum).contains;
    return contains.has(Kind::InvalidExpr) || contains.has(Kind::InvalidStmt) || contains.has(Kind::InvalidType) ||
           contains.has(Kind::InvalidDecl);
  };
  std::optional<Loc> innermost;
  const std::function<void(const Expr&)> in_expression = [&](const Expr& e) {
    if (is_invalid(e)) innermost = loc_of(e);
  };
  const std::function<void(const Stmt&)> in_statement = [&](const Stmt& s) {
    if (!is_invalid(s) || innermost) return;
    each_child_of(s, in_expression, in_statement);
    if (!innermost) innermost = loc_of(s);
  };
  for (const Decl& d : program) {
    if (!is_invalid(d)) continue;
    if (const auto* function = as<FunctionDef>(d))
      for (const Stmt& s : function->form.body.statements) in_statement(s);
    return innermost ? innermost : loc_of(d);
  }
  return std::nullopt;
}

RunResult run(const std::vector<Step>& steps, const Program& program, Context& context, const RunObserver& observer) {
  RunResult result;
  result.program = program;
  bool started = observer.start_after.empty();
  for (const Step& step : steps) {
    if (!started) {
      started = step.name == observer.start_after;
      continue;
    }
    if (step.is_gate && context.diagnostics.has_errors()) {
      result.end = RunEnd::Errors;
      return result;
    }
    if (step.is_gate)
      if (const std::optional<Loc> refused = find_invalid(result.program)) {
        context.diagnostics.report(*refused, diag::refused_silently);
        result.faults = {fmt::format("something is invalid before `{}`, and no pass has said why", step.name)};
        result.end = RunEnd::Fault;
        return result;
      }
    if (observer.before) observer.before(step, result.program);
    result.program = step.run(result.program, context);
    result.last_step = step.name;
    if (observer.after) observer.after(step, result.program);
    result.faults = check(result.program, step.out, context.target);
    if (!result.faults.empty()) {
      result.end = RunEnd::Fault;
      return result;
    }
    if (step.name == observer.stop_after) {
      result.end = RunEnd::Stopped;
      return result;
    }
  }
  if (context.diagnostics.has_errors()) result.end = RunEnd::Errors;
  return result;
}

}  // namespace ksc
