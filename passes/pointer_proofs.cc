// SPDX-License-Identifier: Apache-2.0
#include "passes/pointer_proofs.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>

#include "ir/chosen_values.h"
#include "ir/places.h"
#include "ir/rewrite.h"
#include "passes/known_pointers.h"
#include "passes/map_deaths.h"
#include "passes/reservation_flow.h"

namespace ksc {
namespace {

static_assert(names_all(stmt_forms, lang::NoDefer.forms,
                        form_set_of<Let, Assign, If, IfPresent, Block, Loop, While, For, CpuLoop, MapLoop, Update,
                                    Return, TailCall, Break, Continue, Try, Finally, Guarded, Throw, Leave>(),
                        form_set_of<Evaluate, MapDelete, Print, PrintPart, InvalidStmt>()));
static_assert(
    names_all(expr_forms, lang::NoDefer.forms,
              form_set_of<And, Or, Conditional, IfValue, Match, BlockValue, Deref, Local, Call>(),
              form_set_of<Int, Null, Zero, StringValue, Global, MapName, FunctionName, Field, Index, AddressOf,
                          MapEntry, MapLookup, Present, ValueOf, Not, Unary, Binary, Divide, Shift, Compare,
                          Concatenate, Convert, PointerAdd, PointerDifference, HelperCall, MapCall, BuiltinCall,
                          StructValue, ArrayValue, PacketStart, PacketEnd, InvalidExpr, FloatValue, FloatNegation,
                          FloatOperation, FloatComparison, FloatConversion, FloatTruncation>()));

using Maps = std::set<Name, ByText>;

bool may_lead_into_map(Type type) { return points_into(type, Space::MapValue) || points_into(type, Space::ReadOnly); }

/// Into which maps the pointers lead that functions take and give; references say so by their type.
struct PassedPointers {
  std::map<Name, std::map<size_t, Maps>, ByText> taken;  // by a function, for the number of its parameter
  std::map<Name, Maps, ByText> given;
  bool has_grown = false;

  void add(Maps& known, const std::vector<Name>& maps) {
    for (const Name map : maps) has_grown = known.insert(map).second || has_grown;
  }
};

class NullCheck {
 public:
  std::set<const NodeHeader*> known_tests;  // `if (p == null)` where p is there

  NullCheck(Context& context, const Deaths& deaths, PassedPointers& passed, const FunctionDef& function)
      : context_(context),
        deaths_(deaths),
        passed_(passed),
        function_(function),
        references_die_(function.domain == Domain::Program || function.domain == Domain::Shared) {}

  void check() {
    for (size_t i = 0; i < function_.parameters.size(); ++i) {
      const Parameter& p = function_.parameters[i];
      const bool is_reference = is(p.type, TypeKind::EntryRef);
      if (!is_reference && !may_lead_into_map(p.type)) continue;
      KnownPointer entry;
      entry.is_proven = !p.type->nullable;
      const Maps& maps = passed_.taken[function_.name][i];
      entry.refers = is_reference ? std::vector<Name>{p.type->name} : std::vector<Name>(maps.begin(), maps.end());
      known_.set(p.name, entry);
    }
    body(function_.body);
  }
  /// Returns whether control falls through.
  bool body(const Body& in) {
    for (const Stmt& s : in.statements)
      if (!statement(s)) return false;
    return true;
  }

 private:
  using Ways = std::vector<KnownPointers::Way>;

  /// Goes one of the ways that part at `start`, and comes back; notes it if control comes out of it.
  template <class Walk>
  void go(KnownPointers::Mark start, Ways& ways, Walk walk) {
    const KnownPointers::Mark here = known_.mark();
    if (walk()) ways.push_back(known_.changes_since(start));
    known_.take_back(here);
  }
  /// The ways of an `if`: each branch's, with its condition and those before it, and the one where none holds.
  template <class Branches, class Inside, class Otherwise>
  bool choose(const Branches& branches, Inside inside, Otherwise otherwise) {
    Ways ways;
    const KnownPointers::Mark start = known_.mark();
    for (const auto& b : branches) {
      expression(b.condition);
      go(start, ways, [&] { return learn(b.condition, true), inside(b); });
      learn(b.condition, false);
    }
    go(start, ways, otherwise);
    known_.take_back(start);
    return known_.join(ways);
  }
  bool either(const Expr& condition, const std::function<bool()>& yes, const std::function<bool()>& no) {
    expression(condition);
    Ways ways;
    const KnownPointers::Mark start = known_.mark();
    go(start, ways, [&] { return learn(condition, true), yes(); });
    go(start, ways, [&] { return learn(condition, false), no(); });
    return known_.join(ways);
  }
  /// A loop's turns: what they find out holds in them alone.
  template <class Turn>
  void turn(Turn walk) {
    const KnownPointers::Mark before = known_.mark();
    walk();
    known_.take_back(before);
  }

  bool statement(const Stmt& s) {
    if (const auto* let = as<Let>(s)) {
      if (let->form.value) {
        if (!expression(*let->form.value)) return false;
        bind(let->form.name, *let->form.value);
      }
      return true;
    }
    if (const auto* assign = as<Assign>(s)) {
      const bool comes_out =
          (as<Local>(assign->form.place) || expression(assign->form.place)) && expression(assign->form.value);
      check_still_there(assign->form.place);
      if (const auto* local = as<Local>(assign->form.place)) bind(local->form.name, assign->form.value);
      if (const auto death = death_by(s)) die(*death);
      return comes_out;
    }
    if (const auto* test = as<If>(s)) {
      if (asks_what_is_known(test->form)) known_tests.insert(&header(s));
      return choose(
          test->form.branches, [&](const Branch& b) { return body(b.body); },
          [&] { return body(test->form.otherwise); });
    }
    if (const auto* test = as<IfPresent>(s)) {
      expression(test->form.value);
      Ways ways;
      const KnownPointers::Mark start = known_.mark();
      go(start, ways, [&] {
        bind(test->form.name, test->form.value);
        known_.prove(test->form.name);
        return body(test->form.then);
      });
      go(start, ways, [&] { return body(test->form.otherwise); });
      return known_.join(ways);
    }
    if (const auto* block = as<Block>(s)) return body(block->form.body);
    if (const auto* deferred = as<Guarded>(s)) {
      turn([&] { body(deferred->form.body); });  // nobody knows how far it came
      return forget_changes(deferred->form.body), true;
    }
    if (const auto* attempt = as<Try>(s)) {
      Ways ways;
      const KnownPointers::Mark start = known_.mark();
      go(start, ways, [&] { return body(attempt->form.body); });
      // Nobody knows how far the body came.
      go(start, ways, [&] {
        forget_changes(attempt->form.body);
        Ways taken;
        const KnownPointers::Mark thrown = known_.mark();
        for (const CatchClause& clause : attempt->form.clauses) go(thrown, taken, [&] { return body(clause.body); });
        return known_.join(taken);
      });
      return known_.join(ways);
    }
    if (const auto* last = as<Finally>(s)) {
      Ways ways;
      const KnownPointers::Mark start = known_.mark();
      go(start, ways, [&] { return body(last->form.body); });
      go(start, ways, [&] {
        forget_changes(last->form.body);
        return body(last->form.cleanup);
      });
      return known_.join(ways);
    }
    if (const auto* loop = as<Loop>(s)) {
      enter_loop(s);
      turn([&] { body(loop->form.body); });
      return breaks(loop->form.body);
    }
    if (const auto* loop = as<While>(s)) {
      enter_loop(s);
      expression(loop->form.condition);
      turn([&] { return learn(loop->form.condition, true), body(loop->form.body); });
      // Without a `break` only the condition ends it.
      if (!breaks(loop->form.body)) learn(loop->form.condition, false);
      return true;
    }
    if (const auto* loop = as<For>(s)) {
      expression(loop->form.low);
      expression(loop->form.high);
      enter_loop(s);
      turn([&] { body(loop->form.body); });
      return true;
    }
    if (const auto* loop = as<CpuLoop>(s)) {
      expression(loop->form.key);
      enter_loop(s);
      turn([&] { body(loop->form.body); });
      return true;
    }
    if (const auto* loop = as<MapLoop>(s)) {
      enter_loop(s);
      turn([&] {
        KnownPointer entry;
        entry.is_proven = true;
        if (is(loop->form.type, TypeKind::EntryRef)) entry.refers = {loop->form.type->name};
        known_.set(loop->form.entry, entry);
        body(loop->form.body);
      });
      return true;
    }
    bool falls = true;
    each_child_of(
        s, [&](const Expr& e) { falls = expression(e) && falls; }, [](const Stmt&) {});
    if (const auto* update = as<Update>(s)) check_still_there(update->form.place);
    if (const auto* give = as<Return>(s)) given(give->form);
    if (const auto death = death_by(s)) die(*death);
    const Kind kind = kind_of(s);
    return falls && kind != Kind::Return && kind != Kind::TailCall && kind != Kind::Break && kind != Kind::Continue &&
           kind != Kind::Throw && kind != Kind::Leave;
  }

  /// Checks the dereferences in an expression; returns whether control comes out of it.
  bool expression(const Expr& e) {
    const auto skipped = [] { return true; };
    if (const auto* both = as<And>(e))
      return either(
          both->form.left, [&] { return expression(both->form.right), true; }, skipped);
    if (const auto* one = as<Or>(e))
      return either(one->form.left, skipped, [&] { return expression(one->form.right), true; });
    if (const auto* choice = as<Conditional>(e))
      return either(
          choice->form.condition, [&] { return expression(choice->form.then), true; },
          [&] { return expression(choice->form.otherwise), true; });
    if (const auto* choice = as<IfValue>(e))
      return choose(
          choice->form.branches, [&](const ValueBranch& b) { return expression(b.value); },
          [&] { return expression(choice->form.otherwise); });
    if (const auto* match = as<Match>(e)) {
      expression(match->form.subject);
      Ways ways;
      const KnownPointers::Mark start = known_.mark();
      for (const MatchArm& arm : match->form.arms) go(start, ways, [&] { return expression(arm.value); });
      return known_.join(ways);
    }
    if (const auto* block = as<BlockValue>(e)) {
      if (!body(block->form.body)) return false;
      return !block->form.value || expression(*block->form.value);
    }
    if (const auto* deref = as<Deref>(e)) {
      const bool comes_out = expression(deref->form.pointer);
      check(deref->form.pointer, deref->loc);
      return comes_out;
    }
    if (const auto* convert = as<Convert>(e);
        convert && (is(convert->type, TypeKind::EntryRef) || is(convert->type, TypeKind::Pointer)) &&
        !convert->type->nullable && type_of(convert->form.value)->nullable) {
      const bool comes_out = expression(convert->form.value);
      check(convert->form.value, convert->loc);
      return comes_out;
    }
    // Nothing can be done with a dead pointer into the packet: to the verifier it is a number.
    if (const auto* local = as<Local>(e); local && points_into_packet(local->type))
      report_dead(local->form, e, loc_of(e));
    bool comes_out = true;
    each_child_of(
        e, [&](const Expr& child) { comes_out = expression(child) && comes_out; }, [](const Stmt&) {});
    if (const auto* call = as<Call>(e)) pass(call->form);
    if (const auto* call = as<Call>(e))
      DeathSearch(deaths_, [&](const Death& death) { die(death); }).called(call->form.function, call->loc);
    if (const auto death = death_by(e)) die(*death);
    if (const auto* call = as<BuiltinCall>(e); call && call->form.function == "delete") deleted(*call);
    return comes_out;
  }

  void pass(const Call& call) {
    for (size_t i = 0; i < call.arguments.size(); ++i)
      if (may_lead_into_map(type_of(call.arguments[i])))
        passed_.add(passed_.taken[call.function][i], led_to(call.arguments[i]).refers);
  }
  /// What is given must still be there: nobody asks behind the call.
  void given(const Return& give) {
    const Expr value = give.value              ? *give.value
                       : function_.result_name ? Expr(context_.make(Local{function_.result_name}, {}, function_.result))
                                               : Expr();
    if (!give.value && !function_.result_name) return;
    if (!is(type_of(value), TypeKind::EntryRef) && !may_lead_into_map(type_of(value))) return;
    const KnownPointer known = led_to(value);
    passed_.add(passed_.given[function_.name], known.refers);
    if (!give.value) return;
    each_origin(value, [&](const Expr& origin) {
      if (const auto* source = as<Local>(origin)) report_dead(source->form, value, loc_of(value));
    });
  }

  bool asks_what_is_known(const If& test) const {
    const auto* negation = as<Not>(test.branches[0].condition);
    const auto* present = negation ? as<Present>(negation->form.value) : nullptr;
    const auto* local = present ? as<Local>(present->form.value) : nullptr;
    return local && test.branches.size() == 1 && test.otherwise.statements.empty() &&
           !is(local->type, TypeKind::Maybe) && known_.of(local->form.name).is_proven;
  }

  void check(const Expr& pointer, Loc loc) {
    const Local* local = held_by(pointer);
    if (!holds_something(pointer)) {
      Diagnostic& message = context_.diagnostics.report(loc, diag::null_dereference);
      if (local) {
        if (auto origin = origins_.find(local->name); origin != origins_.end())
          message.note(origin->second.loc, origin->second.reason);
        message.note(local->name.is_generated()
                         ? "give it a name, and test that it is not null"
                         : fmt::format("test it first: `if ({} != null) {{ … }}`", local->name.spelling()));
        known_.prove(local->name);  // one report for one missing test
      }
    }
    if (local) report_dead(*local, pointer, loc);
  }
  /// What is assigned may have ended what it is assigned to: ref.f = deletes_the_entry().
  void check_still_there(const Expr& place) {
    const auto* deref = as<Deref>(root_of(place));
    const Local* local = deref ? held_by(deref->form.pointer) : nullptr;
    if (local) report_dead(*local, deref->form.pointer, deref->loc);
  }
  static bool points_into_packet(Type type) { return is(type, TypeKind::Pointer) && type->space == Space::Packet; }
  /// Reports the use of a variable that refers to what may be gone.
  void report_dead(const Local& local, const Expr& use, Loc loc) {
    const std::shared_ptr<const Death> ending = known_.of(local.name).ending;
    if (!ending) return;
    if (ending->deletes) {
      context_.diagnostics.report(loc_of(use), diag::deleted).note(ending->loc, "this deletes it");
    } else if (ending->map) {
      context_.diagnostics.report(loc, diag::map_value_dead, ending->reason)
          .note(ending->loc, "this ends it; look the entry up again");
    } else {
      Diagnostic& message = context_.diagnostics.report(loc_of(use), diag::packet_pointer_dead, ending->reason);
      message.note(ending->loc, "this ends it; take it again from `ctx->data`");
      if (auto start = starts_.find(local.name); start != starts_.end() && !start->second.empty() && as<Local>(use))
        message.fix(loc_of(use), start->second, "take it again");
    }
    known_.forget_ending(local.name);
  }
  static const Expr& without_conversions(const Expr& e) {
    const auto* converted = as<Convert>(e);
    return converted ? without_conversions(converted->form.value) : e;
  }
  /// The variable that a pointer is computed from.
  static const Local* held_by(const Expr& pointer) {
    if (const auto* local = as<Local>(pointer)) return &local->form;
    if (const auto* converted = as<Convert>(pointer)) return held_by(converted->form.value);
    if (const auto* sum = as<PointerAdd>(pointer)) return held_by(sum->form.pointer);
    if (const auto* block = as<BlockValue>(pointer)) return block->form.value ? held_by(*block->form.value) : nullptr;
    return nullptr;
  }
  /// Calls `visit` with each thing that a pointer may be computed from: what it is a part of, or chosen from.
  static void each_origin(const Expr& pointer, const std::function<void(const Expr&)>& visit) {
    if (each_chosen_value(pointer, [&](const Expr& value) { each_origin(value, visit); })) return;
    if (const auto* converted = as<Convert>(pointer)) {
      each_origin(converted->form.value, visit);
    } else if (const auto* sum = as<PointerAdd>(pointer)) {
      each_origin(sum->form.pointer, visit);
    } else {
      const auto* address = as<AddressOf>(pointer);
      const auto* whole = address ? as<Deref>(root_of(address->form.place)) : nullptr;
      if (whole) return each_origin(whole->form.pointer, visit);
      visit(pointer);
    }
  }
  /// Into which maps a value leads, and what ended that.
  KnownPointer led_to(const Expr& value) const {
    KnownPointer known;
    const auto refer = [&](Name map) {
      if (std::find(known.refers.begin(), known.refers.end(), map) == known.refers.end()) known.refers.push_back(map);
    };
    each_origin(value, [&](const Expr& origin) {
      if (is(type_of(origin), TypeKind::EntryRef)) refer(type_of(origin)->name);
      const auto* lookup = as<MapLookup>(origin);
      if (const auto* map = lookup ? as<MapName>(lookup->form.map) : nullptr) refer(map->form.name);
      if (const auto* call = as<Call>(origin))
        if (const auto given = passed_.given.find(call->form.function); given != passed_.given.end())
          for (const Name map : given->second) refer(map);
      const auto* other = as<Local>(origin);
      if (!other) return;
      const KnownPointer& from = known_.of(other->form.name);
      for (const Name map : from.refers) refer(map);
      if (!known.ending) known.ending = from.ending;
    });
    return known;
  }
  bool holds_something(const Expr& e) const {
    Type type = type_of(e);
    if (!type->nullable) return true;
    if (const auto* local = as<Local>(e)) return known_.of(local->form.name).is_proven;
    if (const auto* converted = as<Convert>(e)) return holds_something(converted->form.value);
    if (const auto* sum = as<PointerAdd>(e)) return holds_something(sum->form.pointer);
    if (const auto* choice = as<Conditional>(e))
      return holds_something(choice->form.then) && holds_something(choice->form.otherwise);
    if (const auto* choice = as<IfValue>(e))
      return holds_something(choice->form.otherwise) &&
             std::all_of(choice->form.branches.begin(), choice->form.branches.end(),
                         [&](const ValueBranch& branch) { return holds_something(branch.value); });
    if (const auto* match = as<Match>(e))
      return std::all_of(match->form.arms.begin(), match->form.arms.end(),
                         [&](const MatchArm& arm) { return holds_something(arm.value); });
    if (const auto* block = as<BlockValue>(e)) return block->form.value && holds_something(*block->form.value);
    return as<AddressOf>(e) != nullptr;
  }
  /// Whether it holds something wherever it stands: a whole value that a reference is given, or an address.
  static bool is_never_null(const Expr& e) {
    if (!type_of(e)->nullable || as<AddressOf>(e)) return true;
    if (const auto* converted = as<Convert>(e)) return is_never_null(converted->form.value);
    if (const auto* sum = as<PointerAdd>(e)) return is_never_null(sum->form.pointer);
    const auto* block = as<BlockValue>(e);
    return block && block->form.value && is_never_null(*block->form.value);
  }
  void bind(Name name, const Expr& value) {
    Type type = type_of(value);
    if (!is(type, TypeKind::Pointer) && !is(type, TypeKind::EntryRef)) return;
    KnownPointer known;
    known.is_proven = holds_something(value);
    const Expr& source = without_conversions(value);
    if (points_into_packet(type)) {
      known.refers = {Name{}};
      note_packet_pointer(name, value);
    }
    const KnownPointer led = led_to(value);
    for (const Name map : led.refers)
      if (std::find(known.refers.begin(), known.refers.end(), map) == known.refers.end()) known.refers.push_back(map);
    known.ending = led.ending;
    known_.set(name, std::move(known));
    std::string reason = "it may be null from here on";
    if (as<MapLookup>(source)) reason = "the map may have no such entry";
    if (as<MapCall>(source)) reason = "the map may have no such entry, or there may be no such CPU";
    if (reservation_in(source)) reason = "the ring may have no room";
    if (const auto* call = as<BuiltinCall>(source); call && call->form.function == "new")
      reason = "there may be no memory";
    if (as<Null>(source)) reason = "it is null from here on";
    origins_[name] = {{}, loc_of(value), reason};
  }
  void note_packet_pointer(Name name, const Expr& value) {
    const auto* start = as<PacketStart>(value);
    const auto* converted = as<Convert>(value);
    if (converted) start = as<PacketStart>(converted->form.value);
    const auto* of = start ? as<Local>(start->form.context) : nullptr;
    std::string text = of ? fmt::format("{}->data", of->form.name.spelling()) : "";
    if (of && converted) text = fmt::format("({} as {})", text, spell(type_of(value)));
    const auto [known, is_first] = starts_.emplace(name, text);
    if (!is_first && known->second != text) known->second.clear();  // it holds something else on another way
  }
  /// What eBPF gets of `new` check_reservations follows.
  void deleted(const Node<BuiltinCall>& call) {
    if (is_object(type_of(call->arguments[0]))) return;
    const Local* local = held_by(call->arguments[0]);
    if (!local) return;
    report_dead(*local, call->arguments[0], loc_of(call->arguments[0]));
    KnownPointer known = known_.of(local->name);
    known.ending = std::make_shared<Death>(Death{{}, call.loc, {}, true});
    known_.set(local->name, known);
  }
  void die(const Death& death) {
    if (references_die_) known_.end(death);
  }
  void learn(const Expr& condition, bool holds) {
    if (const auto* negation = as<Not>(condition)) return learn(negation->form.value, !holds);
    if (const auto* both = as<And>(condition); both && holds)
      learn(both->form.left, true), learn(both->form.right, true);
    if (const auto* either = as<Or>(condition); either && !holds)
      learn(either->form.left, false), learn(either->form.right, false);
    if (const auto* present = as<Present>(condition); present && holds)
      if (const Local* local = held_by(present->form.value)) known_.prove(local->name);
  }
  /// Whether a `break` of this body's loop may run.
  static bool breaks(const Body& in) {
    bool found = false;
    std::function<void(const Expr&)> on_expr;
    std::function<void(const Stmt&)> on_stmt = [&](const Stmt& s) {
      if (as<Break>(s)) found = true;
      if (as<Loop>(s) || as<While>(s) || as<For>(s) || as<MapLoop>(s) || as<CpuLoop>(s)) return;
      each_child_of(s, on_expr, on_stmt);
    };
    on_expr = [&](const Expr& e) { each_child_of(e, on_expr, on_stmt); };
    for (const Stmt& s : in.statements) on_stmt(s);
    return found;
  }
  /// What a loop assigns is not known at its head; what it ends is gone in its second turn.
  void enter_loop(const Stmt& loop) { forget_changes(loop); }
  void forget_changes(const Body& body) {
    for (const Stmt& s : body.statements) forget_changes(s);
  }
  /// What is known where any part of the statement may have run.
  void forget_changes(const Stmt& whole) {
    std::function<void(const Expr&)> on_expr;
    std::function<void(const Stmt&)> on_stmt = [&](const Stmt& s) {
      if (const auto* assign = as<Assign>(s); assign && !is_never_null(assign->form.value))
        if (const auto* local = as<Local>(assign->form.place)) known_.prove(local->form.name, false);
      each_child_of(s, on_expr, on_stmt);
    };
    on_expr = [&](const Expr& e) { each_child_of(e, on_expr, on_stmt); };
    on_stmt(whole);
    DeathSearch(deaths_, [&](const Death& death) { die(death); })(whole);
  }

  Context& context_;
  KnownPointers known_;
  const Deaths& deaths_;
  PassedPointers& passed_;
  const FunctionDef& function_;
  bool references_die_;                         // in userspace they are copies [L52]
  std::map<Name, Death, ByText> origins_;       // where a variable got what it holds
  std::map<Name, std::string, ByText> starts_;  // of those that hold the packet's start, how to say it
};

}  // namespace

std::set<const NodeHeader*> prove_pointers(const Program& program, Context& context) {
  const Deaths deaths = deaths_of(program);
  const size_t said = context.diagnostics.all().size();
  PassedPointers passed;
  for (;;) {
    std::set<const NodeHeader*> known;
    passed.has_grown = false;
    for (const Decl& d : program)
      if (const auto* function = as<FunctionDef>(d)) {
        NullCheck check(context, deaths, passed, function->form);
        check.check();
        known.merge(check.known_tests);
      }
    if (!passed.has_grown) return known;
    // What is passed was not known where it is taken.
    context.diagnostics.keep_first(said);
  }
}

}  // namespace ksc
