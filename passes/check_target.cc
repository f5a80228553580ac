// SPDX-License-Identifier: Apache-2.0
/// f()   =>   f(), where the target's kernel has what it takes, and gives it to each program that gets there; otherwise
/// an error
#include <fmt/format.h>

#include "ir/children.h"
#include "ir/helper_signatures.h"
#include "ir/license.h"
#include "ir/map_kind.h"
#include "ir/places.h"
#include "ir/program_type.h"
#include "passes/call_cycles.h"
#include "passes/passes.h"

namespace ksc {
namespace {

/// How many maps the kernel takes for one program: MAX_USED_MAPS of include/linux/bpf_verifier.h.
constexpr size_t most_maps = 64;

class TargetCheck {
 public:
  TargetCheck(const Program& program, Context& context) : context_(context) {
    for (const Decl& d : program) {
      if (const auto* function = as<FunctionDef>(d)) functions_[function->form.name] = function;
      if (const auto* license = as<License>(d)) license_ = license->form.text.text();
      if (const auto* global = as<GlobalDef>(d); global && global->form.storage == Storage::Pinned)
        pinned_.insert(global->form.name);
    }
  }

  void declaration(const Decl& d) {
    const Loc loc = loc_of(d);
    if (const auto* map = as<MapDef>(d); map && is(map->form.type, TypeKind::Map)) {
      if (const MapKind* kind = find_map_kind(map->form.type->name.text()))
        wants_kernel(kind->first_kernel, fmt::format("`{}`", kind->name), loc);
    } else if (const auto* global = as<GlobalDef>(d)) {
      if (global->form.storage == Storage::Pinned)
        wants(Feature::MmapableArray, "a pinned global", loc);
      else
        wants(Feature::GlobalData, "a global variable", loc);
    } else if (as<ConfigDef>(d)) {
      wants(Feature::GlobalData, "a `config` block", loc);
    } else if (const auto* function = as<FunctionDef>(d); function && function->form.domain == Domain::Program) {
      program(*function);
    }
  }

 private:
  void program(const Node<FunctionDef>& n) {
    type_ = find_program_type(n->program_type.text());
    if (!type_) return;
    program_ = n->name;
    wants_kernel(type_->first_kernel, fmt::format("`@{}`", type_->attribute), n.loc);
    wants(Feature::ShortJumps, "an eBPF program, whose instructions have jumps on 32 bits,", n.loc);
    reached_ = {n->name};
    hands_over_ = calls_ = false;
    maps_.clear();
    uses_pinned_ = false;
    body(n->body);
    // The pinned globals lie in one map, and so do the programs that are handed over to.
    const size_t maps = maps_.size() + (uses_pinned_ ? 1 : 0) + (hands_over_ ? 1 : 0);
    if (maps > most_maps) once(n.loc, diag::too_many_maps, std::string(n->name.spelling()), maps, most_maps);
    if (hands_over_ && calls_) wants(Feature::SubprogramsWithTailCalls, "a tail call beside calls of functions", n.loc);
  }
  void body(const Body& in) {
    for (const Stmt& s : in.statements) statement(s);
  }
  void statement(const Stmt& s) {
    const Loc loc = loc_of(s);
    if (as<Print>(s)) wants_gpl("print", loc);
    if (as<TailCall>(s)) hands_over_ = true, wants(Feature::TailCall, "a tail call", loc);
    if (as<MapLoop>(s)) wants(Feature::ForEachMapElem, "a loop over a map", loc);
    if (as<While>(s) || as<Loop>(s)) wants(Feature::BpfLoop, "a loop whose end the verifier cannot see", loc);
    if (const auto* loop = as<For>(s)) {
      const bool is_known = as<Int>(loop->form.low) && as<Int>(loop->form.high);
      wants(is_known ? Feature::BoundedLoops : Feature::BpfLoop,
            is_known ? "a loop" : "a loop whose end the verifier cannot see", loc);
    }
    if (const auto* update = as<Update>(s); update && is_atomic(update->form))
      wants(Feature::AtomicFetch, "an atomic operation on bits", loc);
    each_child_of(
        s, [&](const Expr& e) { expression(e); }, [&](const Stmt& inner) { statement(inner); });
  }
  void expression(const Expr& e) {
    if (const auto* call = as<HelperCall>(e))
      if (const HelperSignature* helper = find_helper_signature(call->form.helper.text()))
        helper_call(*helper, call->loc);
    if (const auto* call = as<MapCall>(e);
        call && call->form.method == "reserve" && call->form.arguments.empty() && context_.target.always_dynptr)
      wants(Feature::DynptrRingbuf, "a record that is reached by a dynptr (`--dynptr=always`)", call->loc);
    if (const auto* call = as<MapCall>(e); call && call->form.method == "reserve" && !call->form.arguments.empty()) {
      wants(Feature::DynptrRingbuf, "a record of a size that the program chooses", call->loc);
      wants(Feature::BpfLoop, "a record of a size that the program chooses", call->loc);
    }
    if (const auto* deref = as<Deref>(e);
        deref && context_.target.always_dynptr && points_into(type_of(deref->form.pointer), Space::Packet))
      wants(Feature::DynptrPacket, "a packet that is reached by a dynptr (`--dynptr=always`)", deref->loc);
    if (is_object(type_of(e)) && as<BuiltinCall>(e)) wants(Feature::ObjectNew, "`new`", loc_of(e));
    if (const auto* map = as<MapName>(e)) maps_.insert(map->form.name);
    if (const auto* global = as<Global>(e)) uses_pinned_ = uses_pinned_ || pinned_.count(global->form.name) != 0;
    if (const auto* call = as<Call>(e)) {
      calls_ = true;
      wants(Feature::Subprograms, "a call of a function", call->loc);
      const auto callee = functions_.find(call->form.function);
      // Longer chains have been reported.
      if (callee != functions_.end() && depth_ < longest_call_chain && reached_.insert(call->form.function).second) {
        ++depth_;
        body((*callee->second)->body);
        --depth_;
      }
    }
    each_child_of(
        e, [&](const Expr& child) { expression(child); }, [&](const Stmt& s) { statement(s); });
  }
  void helper_call(const HelperSignature& helper, Loc loc) {
    const auto program = static_cast<HelperPrograms>(type_->helpers);
    if (!helper.allows(program)) {
      if (Diagnostic* message =
              once(loc, diag::helper_not_allowed, std::string(helper.name), std::string(type_->attribute)))
        if (reached_.size() > 1) message->note(fmt::format("`{}` gets here", program_.spelling()));
      return;
    }
    wants_kernel(helper.first_kernel_for(program), fmt::format("`{}`", helper.name), loc);
    if (helper.is_gpl_only()) wants_gpl(helper.name, loc);
  }
  /// `&=`, `|=` and `^=` of what several CPUs reach [L40]; `+=` and `-=` are older.
  static bool is_atomic(const Update& update) {
    const bool is_bitwise =
        update.op == Operator::BitAnd || update.op == Operator::BitOr || update.op == Operator::BitXor;
    const Expr& root = root_of(update.place);
    return is_bitwise && width_of(type_of(update.place)) >= 32 && (as<Global>(root) || entry_of(update.place));
  }

  void wants(Feature feature, std::string what, Loc loc) {
    if (!has(context_.target, feature)) too_old(first_kernel(feature), std::move(what), loc);
  }
  void wants_kernel(KernelVersion first, std::string what, Loc loc) {
    if (context_.target.kernel < first) too_old(first, std::move(what), loc);
  }
  void too_old(KernelVersion first, std::string what, Loc loc) {
    if (!context_.target.is_kernel_given) return;
    once(loc, diag::target_too_old, std::move(what), first.to_string(), context_.target.kernel.to_string());
  }
  void wants_gpl(std::string_view what, Loc loc) {
    if (!is_gpl_compatible(license_)) once(loc, diag::gpl_only, std::string(what), std::string(license_));
  }
  /// One report for one place, however many programs get there; null if it has been made.
  template <class Message, class... Arguments>
  Diagnostic* once(Loc loc, const Message& message, Arguments... arguments) {
    if (!reported_.insert(loc.index).second) return nullptr;
    return &context_.diagnostics.report(loc, message, std::move(arguments)...);
  }

  Context& context_;
  NameMap<const Node<FunctionDef>*> functions_;
  std::string_view license_ = "GPL";
  const ProgramType* type_ = nullptr;  // of the program at work
  Name program_{};
  NameSet reached_;  // the functions that it calls, also through others
  bool hands_over_ = false, calls_ = false;
  NameSet pinned_;  // the globals that are pinned
  NameSet maps_;    // that the program uses
  bool uses_pinned_ = false;
  int depth_ = 0;  // of the calls at work
  std::set<uint32_t> reported_;
};

}  // namespace

Ir<lang::TargetChecked> check_target(const Ir<lang::ThrowsChecked>& in, Context& context) {
  TargetCheck check(in.declarations, context);
  for (const Decl& d : in.declarations) check.declaration(d);
  return {in.declarations};
}

}  // namespace ksc
