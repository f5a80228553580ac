// SPDX-License-Identifier: Apache-2.0
/// var a: u8[300]; … a[i] …   =>   var scratch = &prog_scratch[0]; if (!scratch) return; … scratch->a[i] …, where the
/// stack is too small for `a` [L60]
#include <algorithm>
#include <optional>

#include "ir/effects.h"
#include "ir/program_type.h"
#include "ir/rewrite.h"
#include "ir/stack_frames.h"
#include "passes/array_copies.h"
#include "passes/leave_if_null.h"
#include "passes/member_names.h"
#include "passes/passes.h"
#include "passes/spill_limits.h"

namespace ksc {
namespace {

using Out = To<lang::LocalsSpilled>;

/// How many runs of one program can be under way on one CPU, where one can begin within another.
constexpr uint32_t nested_runs = 4;
constexpr std::string_view claimed = "claimed";  // the member that tells whether a run has the memory

/// What a function keeps in scratch memory: its own variables, and a part for each function that it calls, so that no
/// two frames of a chain share anything.
struct Part {
  Type type = nullptr;  // null: it keeps nothing there
  bool is_claimed = false;
  NameMap<Name> variables;  // its own, and the members that they become
  Name pointer;             // by which the function reaches it
};

bool calls_helper(const auto& whole, std::string_view helper) {
  bool found = false;
  each_child_of(
      whole,
      [&](const Expr& e) {
        const auto* call = as<HelperCall>(e);
        found = found || (call && call->form.helper == helper) || calls_helper(e, helper);
      },
      [&](const Stmt& s) { found = found || calls_helper(s, helper); });
  return found;
}

/// The parts of all functions.
class Parts {
 public:
  Parts(const Program& program, Context& context)
      : program_(program), context_(context), limits_(spill_limits(program)), frames_(program) {
    for (const Decl& d : program)
      if (const auto* function = as<FunctionDef>(d); function && function->form.domain == Domain::Program)
        warn(*function);
    if (limits_.empty()) return;
    for (const Decl& d : program)
      if (const auto* function = as<FunctionDef>(d)) functions_[function->form.name] = function;
    for (const Decl& d : program)
      if (const auto* function = as<FunctionDef>(d)) plan(function->form.name);
  }

  /// The function's part; null if it keeps nothing in scratch memory.
  const Part* of(Name function) const {
    const auto found = parts_.find(function);
    return found == parts_.end() || !found->second.type ? nullptr : &found->second;
  }

 private:
  /// Half of the stack is used: the next variable may cost more than its bytes.
  void warn(const Node<FunctionDef>& program) {
    uint64_t bytes = frames_.memory_of_chain(program->name);
    const bool spills = limits_.count(program->name) != 0;
    if (spills) {
      // What stays when all has gone that can go: C compilers need half of it, mostly.
      if (!left_) {
        left_.emplace(program_);
        for (const auto& [function, limit] : limits_) left_->spill(function, limit);
      }
      bytes = left_->chain(program->name);
    }
    if (bytes <= (spills ? 2 * stack_limit : stack_limit / 2)) return;
    std::string frames;
    for (Name function : frames_.reached_from(program->name)) {
      const StackFrame& frame = (spills ? *left_ : frames_).of(function);
      frames += fmt::format("{}`{}` {}", frames.empty() ? "" : ", ", function.spelling(),
                            spills ? frame.size() : frame.variables + frame.temporaries);
    }
    context_.diagnostics.report(program.loc, diag::much_stack, std::string(program->name.spelling()), bytes, frames);
  }
  const Part& plan(Name name) {
    const auto [found, is_new] = parts_.try_emplace(name);
    if (!is_new) return found->second;
    const Node<FunctionDef>& function = *functions_.at(name);
    Part part;
    fields_.clear();
    if (const auto limit = limits_.find(name); limit != limits_.end()) {
      const Spillable spillable(function.form);
      for (const Stmt& s : function->body.statements) collect(s, spillable, limit->second, name, part);
    }
    std::vector<StructField> fields = std::move(fields_);
    for (Name callee : frames_.callees(name))
      if (const Type below = plan(callee).type) fields.push_back({.name = callee, .type = below});
    if (!fields.empty()) {
      part.is_claimed = nests(function.form);
      if (part.is_claimed)
        fields.insert(fields.begin(), {.name = context_.name(claimed), .type = context_.types.u64()});
      part.type = context_.types.structure(context_.names.fresh(fmt::format("{}_scratch", name.spelling())));
      context_.types.complete_struct(part.type, fields);
      part.pointer = context_.names.fresh("scratch");
      if (size_of(part.type) > largest_ebpf_variable)
        context_.diagnostics.report(function.loc, diag::scratch_overflow, size_of(part.type),
                                    std::string(name.spelling()), largest_ebpf_variable, frames_of(name, part.type));
    }
    return parts_[name] = part;
  }
  /// What each function needs of the scratch memory of one and of what it calls.
  std::string frames_of(Name function, Type part) const {
    std::string text;
    for (Name reached : frames_.reached_from(function)) {
      const auto planned = parts_.find(reached);
      Type own = reached == function ? part : planned == parts_.end() ? nullptr : planned->second.type;
      if (!own) continue;
      uint64_t bytes = 0;
      for (const StructField& field : own->body->fields)
        if (!functions_.count(field.name)) bytes += size_of(field.type);
      text += fmt::format("{}`{}` {}", text.empty() ? "" : ", ", reached.spelling(), bytes);
    }
    return text;
  }
  void collect(const Stmt& s, const Spillable& spillable, uint64_t limit, Name function, Part& part) {
    const auto* let = as<Let>(s);
    if (let && spillable.is_spilled(let->form, limit)) {
      const Name member = unused_member(let->form.name, fields_, context_);
      part.variables.insert({let->form.name, member});
      fields_.push_back({.name = member, .type = let->form.type});
      if (context_.diagnostics.wants(Remark::stack) && !let->form.name.is_generated())
        context_.diagnostics.report(let->loc, diag::spilled, std::string(let->form.name.spelling()),
                                    size_of(let->form.type), std::string(function.spelling()), frames_.chain(function));
    }
    each_child_of(
        s, [](const Expr&) {}, [&](const Stmt& t) { collect(t, spillable, limit, function, part); });
  }
  /// Whether a run of it can begin while another one is under way on the same CPU.
  bool nests(const FunctionDef& function) const {
    const ProgramType* type = find_program_type(function.program_type.text());
    if (!type || type->nesting_helper.empty()) return false;
    const std::vector<Name> reached = frames_.reached_from(function.name);
    return std::any_of(reached.begin(), reached.end(), [&](Name name) {
      const Span<Stmt> body = functions_.at(name)->form.body.statements;
      return std::any_of(body.begin(), body.end(),
                         [&](const Stmt& s) { return calls_helper(s, type->nesting_helper); });
    });
  }

  const Program& program_;
  Context& context_;
  NameMap<uint64_t> limits_;
  StackFrames frames_;
  std::optional<StackFrames> left_;  // of what does not lie in maps; made where it is asked for
  NameMap<const Node<FunctionDef>*> functions_;
  NameMap<Part> parts_;
  std::vector<StructField> fields_;  // of the function at work
};

/// The rewriting of one function.
class Spiller {
 public:
  Spiller(const Part& part, Out& to) : part_(part), to_(to), t_(to.context.types) {}

  Type pointer_type(bool nullable) const { return t_.pointer(part_.type, Space::Stack, nullable); }
  Expr pointer(Loc loc) const { return to_.make(Local{part_.pointer}, loc, pointer_type(is_nullable_)); }
  Expr member(Name name, Type type, Loc loc) const {
    return to_.make(Field{to_.make(Deref{pointer(loc)}, loc, part_.type), name}, loc, type);
  }
  Expr variable(Name name, Type type, Loc loc) const { return member(part_.variables.at(name), type, loc); }
  Expr address(const Expr& place) const {
    return to_.make(AddressOf{place}, loc_of(place), t_.pointer(type_of(place), Space::Stack, false));
  }

  /// A program's own memory: declared, found, and claimed where another run may have it.
  void begin_program(const Node<FunctionDef>& n) {
    is_nullable_ = true;
    const Name map = to_.fresh(fmt::format("{}_scratch", n->name.spelling()));
    const uint32_t slots = part_.is_claimed ? nested_runs : 1;
    to_.declare(Scratch{map, part_.type, slots}, n.loc);
    map_ = to_.make(MapName{map}, n.loc, t_.map(to_.context.name("percpu_array"), t_.u32(), part_.type, slots));
    if (part_.is_claimed)
      claim(n.loc);
    else
      to_.emit(Let{part_.pointer, pointer_type(true), lookup(number(0, n.loc), n.loc)}, n.loc);
    emit_leave_if_null(pointer(n.loc), n.form, n.loc, to_);
  }
  /// What C would do before the value is gone; nothing in functions whose program has claimed nothing.
  void release(Loc loc) const {
    if (part_.is_claimed)
      call("ks_release_scratch", address(member(to_.context.name(claimed), t_.u64(), loc)), t_.void_type(), loc);
  }
  /// What is no longer a variable is written by a statement that does nothing else.
  Expr named(const Expr& value, Loc loc) const {
    const Name result = to_.fresh("value");
    to_.emit(Let{result, type_of(value), value}, loc);
    return to_.make(Local{result}, loc, type_of(value));
  }
  void initialise(const Node<Let>& n) const {
    const Expr place = variable(n->name, n->type, n.loc);
    Option<Expr> value = to_(n->value);
    if (value && is_effect(*value)) value = named(*value, n.loc);
    const bool is_literal = value && makes_value_in_memory(*value);
    if (value && !is_literal) return emit_assignment(place, *value, n.loc, to_);
    if (is_integral(n->type)) return to_.emit(Assign{place, to_.make(Int{{0}, {}}, n.loc, n->type)}, n.loc);
    emit_zero(place, n.loc, to_);
    if (const auto* text = value ? as<StringValue>(*value) : nullptr)
      emit_array_copy(place, to_.make(text->form, n.loc, t_.str(text->form.text.text().size() + 1)), n.loc, to_);
    else if (value)
      emit_parts(place, *value, to_, [](const Expr& part) { return part; });
  }

 private:
  Expr number(uint64_t value, Loc loc) const {
    return to_.make(Int{{static_cast<__int128>(value)}, {}}, loc, t_.u32());
  }
  Expr lookup(const Expr& slot, Loc loc) const { return to_.make(MapLookup{map_, slot}, loc, pointer_type(true)); }
  Expr call(std::string_view function, const Expr& argument, Type result, Loc loc) const {
    const Expr made =
        to_.make(RuntimeCall{to_.context.name(function), to_.context.span<Expr>({argument})}, loc, result);
    if (is(result, TypeKind::Void)) to_.emit(Evaluate{made}, loc);
    return made;
  }
  /// for (slot in 0..4) { var at = &map[slot]; if (at && nobody has it) { scratch = at; break } }
  void claim(Loc loc) const {
    to_.emit(Let{part_.pointer, pointer_type(true), to_.make(Null{}, loc, pointer_type(true))}, loc);
    const Name slot = to_.fresh("slot"), at = to_.fresh("at"), is_ours = to_.fresh("is_ours");
    const Expr candidate = to_.make(Local{at}, loc, pointer_type(true));
    const Expr mark =
        to_.make(Field{to_.make(Deref{candidate}, loc, part_.type), to_.context.name(claimed)}, loc, t_.u64());
    const Body take = to_.collect([&] {
      to_.emit(Assign{pointer(loc), candidate}, loc);
      to_.emit(Break{}, loc);
    });
    const Body try_it = to_.collect([&] {
      to_.emit(Let{is_ours, t_.boolean(), call("ks_claim_scratch", address(mark), t_.boolean(), loc)}, loc);
      to_.emit(If{to_.context.span<Branch>({{to_.make(Local{is_ours}, loc, t_.boolean()), take}}), {}}, loc);
    });
    const Body turn = to_.collect([&] {
      to_.emit(Let{at, pointer_type(true), lookup(to_.make(Local{slot}, loc, t_.u32()), loc)}, loc);
      to_.emit(If{to_.context.span<Branch>({{to_.make(Present{candidate}, loc, t_.boolean()), try_it}}), {}}, loc);
    });
    to_.emit(CountedLoop{slot, t_.u32(), number(0, loc), number(nested_runs, loc), false, turn}, loc);
  }

  const Part& part_;
  Out& to_;
  Types& t_;
  bool is_nullable_ = false;
  Expr map_;
};

}  // namespace

Ir<lang::LocalsSpilled> spill_locals(const Ir<lang::LargeValuesNamed>& in, Context& context) {
  const Parts parts(in.declarations, context);
  std::optional<Spiller> spiller;  // of the function at work
  const Part* part = nullptr;
  const auto is_spilled = [&](Name name) { return part && part->variables.count(name); };
  return rewrite<lang::LargeValuesNamed, lang::LocalsSpilled>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        part = parts.of(n->name);
        FunctionDef form = n.form;
        if (!part) {
          form.body = to(n->body);
          return to.declare(form, n.loc);
        }
        spiller.emplace(*part, to);
        to.declare(StructDef{part->type, {}}, n.loc);
        if (n->domain != Domain::Program) {
          std::vector<Parameter> parameters(n->parameters.begin(), n->parameters.end());
          parameters.push_back({part->pointer, spiller->pointer_type(false)});
          form.parameters = to.context.span(parameters);
        }
        form.body = to.collect([&] {
          if (n->domain == Domain::Program) spiller->begin_program(n);
          to.emit(to(n->body));
        });
        to.declare(form, n.loc);
      }),
      on<Let>([&](const Node<Let>& n, Out& to) {
        if (is_spilled(n->name)) return spiller->initialise(n);
        to.emit_statement(to.rebuild(n));
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        const Expr place = to(n->place);
        Expr value = to(n->value);
        if (as<Local>(n->place) && !as<Local>(place) && is_effect(value)) {
          value = spiller->named(value, n.loc);
        }
        to.emit(Assign{place, value}, n.loc);
      }),
      on<Local>([&](const Node<Local>& n, Out& to) -> Expr {
        if (is_spilled(n->name)) return spiller->variable(n->name, n.type, n.loc);
        return to.make(n.form, n.loc, n.type);
      }),
      on<Call>([&](const Node<Call>& n, Out& to) -> Expr {
        const Part* below = parts.of(n->function);
        if (!below) return to.rebuild(n);
        const Span<Expr> given = to(n->arguments);
        std::vector<Expr> arguments(given.begin(), given.end());
        arguments.push_back(spiller->address(spiller->member(n->function, below->type, n.loc)));
        return to.make(Call{n->function, to.context.span(arguments)}, n.loc, n.type);
      }),
      on<Return>([&](const Node<Return>& n, Out& to) {
        if (!part || !part->is_claimed) return to.emit_statement(to.rebuild(n));
        Option<Expr> value = to(n->value);
        if (value && !as<Int>(*value)) {
          const Name result = to.fresh("result");
          to.emit(Let{result, type_of(*value), value}, n.loc);
          value = Expr(to.make(Local{result}, n.loc, type_of(*value)));
        }
        spiller->release(n.loc);
        to.emit(Return{value}, n.loc);
      }),
      on<TailCall>([&](const Node<TailCall>& n, Out& to) {
        if (part) spiller->release(n.loc);
        to.emit_statement(to.rebuild(n));
      }));
}

}  // namespace ksc
