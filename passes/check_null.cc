// SPDX-License-Identifier: Apache-2.0
/// *p   =>   *p, with p proven on every way to it: not null, no reference to a map entry that is gone, and no pointer
/// into a packet that has moved; otherwise an error
#include "ir/places.h"
#include "ir/rewrite.h"
#include "passes/map_changes.h"
#include "passes/map_deaths.h"
#include "passes/passes.h"

namespace ksc {
namespace {

/// What is known on the way that control has taken.
struct Facts {
  std::set<Name, ByText> proven;            // locals that hold something
  std::map<Name, Name, ByText> references;  // locals that refer into a map, and the map; none: into the packet
  std::map<Name, Death, ByText> dead;       // those whose entry may be gone, or whose packet may have moved
};

static_assert(names_all(stmt_forms, lang::TailCallsFound.forms,
                        form_set_of<Let, Assign, If, IfPresent, Block, Loop, While, For, CpuLoop, MapLoop, Update,
                                    Return, TailCall, Break, Continue>(),
                        form_set_of<Evaluate, MapDelete, Print, InvalidStmt>()));
static_assert(names_all(expr_forms, lang::TailCallsFound.forms,
                        form_set_of<And, Or, Conditional, IfValue, Match, BlockValue, Deref, Local, Call>(),
                        form_set_of<Int, Null, Zero, StringValue, Global, MapName, FunctionName, Field, Index,
                                    AddressOf, MapEntry, MapLookup, Present, ValueOf, Not, Unary, Binary, Divide, Shift,
                                    Compare, Convert, PointerAdd, PointerDifference, HelperCall, MapCall, BuiltinCall,
                                    StructValue, ArrayValue, PacketStart, PacketEnd, InvalidExpr>()));

class NullCheck {
 public:
  NullCheck(Context& context, const Deaths& deaths, Domain domain)
      : context_(context), deaths_(deaths), references_die_(domain == Domain::Program || domain == Domain::Shared) {}

  /// Returns whether control falls through.
  bool body(const Body& in, Facts& facts) {
    for (const Stmt& s : in.statements)
      if (!statement(s, facts)) return false;
    return true;
  }

 private:
  bool statement(const Stmt& s, Facts& facts) {
    if (const auto* let = as<Let>(s)) {
      if (let->form.value) {
        if (!expression(*let->form.value, facts)) return false;
        bind(let->form.name, *let->form.value, facts);
      }
      return true;
    }
    if (const auto* assign = as<Assign>(s)) {
      const bool comes_out = (as<Local>(assign->form.place) || expression(assign->form.place, facts)) &&
                             expression(assign->form.value, facts);
      check_still_there(assign->form.place, facts);
      if (const auto* local = as<Local>(assign->form.place)) bind(local->form.name, assign->form.value, facts);
      if (const auto death = death_by(s)) die(*death, facts);
      return comes_out;
    }
    if (const auto* test = as<If>(s)) {
      std::vector<Facts> ends;
      Facts otherwise = facts;
      for (const Branch& b : test->form.branches) {
        expression(b.condition, otherwise);
        Facts inside = otherwise;
        learn(b.condition, true, inside);
        if (body(b.body, inside)) ends.push_back(inside);
        learn(b.condition, false, otherwise);
      }
      if (body(test->form.otherwise, otherwise)) ends.push_back(otherwise);
      return join(ends, facts);
    }
    if (const auto* test = as<IfPresent>(s)) {
      expression(test->form.value, facts);
      Facts inside = facts, otherwise = facts;
      bind(test->form.name, test->form.value, inside);
      inside.proven.insert(test->form.name);
      std::vector<Facts> ends;
      if (body(test->form.then, inside)) ends.push_back(inside);
      if (body(test->form.otherwise, otherwise)) ends.push_back(otherwise);
      return join(ends, facts);
    }
    if (const auto* block = as<Block>(s)) return body(block->form.body, facts);
    if (const auto* loop = as<Loop>(s)) {
      enter_loop(s, facts);
      Facts inside = facts;
      body(loop->form.body, inside);
      return breaks(loop->form.body);
    }
    if (const auto* loop = as<While>(s)) {
      enter_loop(s, facts);
      expression(loop->form.condition, facts);
      Facts inside = facts;
      learn(loop->form.condition, true, inside);
      body(loop->form.body, inside);
      // Without a `break` only the condition ends it.
      if (!breaks(loop->form.body)) learn(loop->form.condition, false, facts);
      return true;
    }
    if (const auto* loop = as<For>(s)) {
      expression(loop->form.low, facts);
      expression(loop->form.high, facts);
      enter_loop(s, facts);
      Facts inside = facts;
      body(loop->form.body, inside);
      return true;
    }
    if (const auto* loop = as<CpuLoop>(s)) {
      expression(loop->form.key, facts);
      enter_loop(s, facts);
      Facts inside = facts;
      body(loop->form.body, inside);
      return true;
    }
    if (const auto* loop = as<MapLoop>(s)) {
      enter_loop(s, facts);
      Facts inside = facts;
      inside.proven.insert(loop->form.entry);
      if (is(loop->form.type, TypeKind::EntryRef)) inside.references[loop->form.entry] = loop->form.type->name;
      body(loop->form.body, inside);
      return true;
    }
    bool falls = true;
    each_child_of(
        s, [&](const Expr& e) { falls = expression(e, facts) && falls; }, [](const Stmt&) {});
    if (const auto* update = as<Update>(s)) check_still_there(update->form.place, facts);
    if (const auto death = death_by(s)) die(*death, facts);
    const Kind kind = kind_of(s);
    return falls && kind != Kind::Return && kind != Kind::TailCall && kind != Kind::Break && kind != Kind::Continue;
  }

  /// What holds on all ways; returns whether there is one.
  static bool join(const std::vector<Facts>& ends, Facts& facts) {
    if (ends.empty()) return false;
    facts = ends[0];
    for (const Facts& other : ends) {
      std::erase_if(facts.proven, [&](Name name) { return !other.proven.count(name); });
      facts.dead.insert(other.dead.begin(), other.dead.end());
      facts.references.insert(other.references.begin(), other.references.end());
    }
    return true;
  }

  /// Checks the dereferences in an expression; returns whether control comes out of it.
  bool expression(const Expr& e, Facts& facts) {
    if (const auto* both = as<And>(e)) {
      expression(both->form.left, facts);
      Facts right = facts, skipped = facts;
      learn(both->form.left, true, right);
      learn(both->form.left, false, skipped);
      expression(both->form.right, right);
      return join({right, skipped}, facts);
    }
    if (const auto* either = as<Or>(e)) {
      expression(either->form.left, facts);
      Facts right = facts, skipped = facts;
      learn(either->form.left, false, right);
      learn(either->form.left, true, skipped);
      expression(either->form.right, right);
      return join({right, skipped}, facts);
    }
    if (const auto* choice = as<Conditional>(e)) {
      expression(choice->form.condition, facts);
      Facts yes = facts, no = facts;
      learn(choice->form.condition, true, yes);
      learn(choice->form.condition, false, no);
      expression(choice->form.then, yes);
      expression(choice->form.otherwise, no);
      return join({yes, no}, facts);
    }
    if (const auto* choice = as<IfValue>(e)) {
      std::vector<Facts> ends;
      Facts otherwise = facts;
      for (const ValueBranch& b : choice->form.branches) {
        expression(b.condition, otherwise);
        Facts inside = otherwise;
        learn(b.condition, true, inside);
        if (expression(b.value, inside)) ends.push_back(inside);
        learn(b.condition, false, otherwise);
      }
      if (expression(choice->form.otherwise, otherwise)) ends.push_back(otherwise);
      return join(ends, facts);
    }
    if (const auto* match = as<Match>(e)) {
      expression(match->form.subject, facts);
      std::vector<Facts> ends;
      for (const MatchArm& arm : match->form.arms) {
        Facts inside = facts;
        if (expression(arm.value, inside)) ends.push_back(inside);
      }
      return join(ends, facts);
    }
    if (const auto* block = as<BlockValue>(e)) {
      if (!body(block->form.body, facts)) return false;
      return !block->form.value || expression(*block->form.value, facts);
    }
    if (const auto* deref = as<Deref>(e)) {
      const bool comes_out = expression(deref->form.pointer, facts);
      check(deref->form.pointer, deref->loc, facts);
      return comes_out;
    }
    // Nothing can be done with a dead pointer into the packet: to the verifier it is a number.
    if (const auto* local = as<Local>(e); local && points_into_packet(local->type))
      report_dead(local->form, e, loc_of(e), facts);
    bool comes_out = true;
    each_child_of(
        e, [&](const Expr& child) { comes_out = expression(child, facts) && comes_out; }, [](const Stmt&) {});
    if (const auto* call = as<Call>(e))
      DeathSearch(deaths_, [&](const Death& death) { die(death, facts); }).called(call->form.function, call->loc);
    if (const auto death = death_by(e)) die(*death, facts);
    return comes_out;
  }

  void check(const Expr& pointer, Loc loc, Facts& facts) {
    const Local* local = held_by(pointer);
    if (!holds_something(pointer, facts)) {
      Diagnostic& message = context_.diagnostics.report(loc, diag::null_dereference);
      if (local) {
        if (auto origin = origins_.find(local->name); origin != origins_.end())
          message.note(origin->second.loc, origin->second.reason);
        message.note(fmt::format("test it first: `if ({} != null) {{ … }}`", local->name.spelling()));
        facts.proven.insert(local->name);  // one report for one missing test
      }
    }
    if (local) report_dead(*local, pointer, loc, facts);
  }
  /// What is assigned may have ended what it is assigned to: ref.f = deletes_the_entry().
  void check_still_there(const Expr& place, Facts& facts) {
    const auto* deref = as<Deref>(root_of(place));
    const Local* local = deref ? held_by(deref->form.pointer) : nullptr;
    if (local) report_dead(*local, deref->form.pointer, deref->loc, facts);
  }
  static bool points_into_packet(Type type) { return is(type, TypeKind::Pointer) && type->space == Space::Packet; }
  /// Reports the use of a variable that refers to what may be gone.
  void report_dead(const Local& local, const Expr& use, Loc loc, Facts& facts) {
    auto dead = facts.dead.find(local.name);
    if (dead == facts.dead.end()) return;
    if (dead->second.map) {
      context_.diagnostics.report(loc, diag::map_value_dead, dead->second.reason)
          .note(dead->second.loc, "this ends it; look the entry up again");
    } else {
      Diagnostic& message = context_.diagnostics.report(loc_of(use), diag::packet_pointer_dead, dead->second.reason);
      message.note(dead->second.loc, "this ends it; take it again from `ctx->data`");
      if (auto start = starts_.find(local.name); start != starts_.end() && !start->second.empty() && as<Local>(use))
        message.fix(loc_of(use), start->second, "take it again");
    }
    facts.dead.erase(dead);
  }
  /// The variable that a pointer is computed from.
  static const Local* held_by(const Expr& pointer) {
    if (const auto* local = as<Local>(pointer)) return &local->form;
    if (const auto* converted = as<Convert>(pointer)) return held_by(converted->form.value);
    if (const auto* sum = as<PointerAdd>(pointer)) return held_by(sum->form.pointer);
    return nullptr;
  }
  bool holds_something(const Expr& e, const Facts& facts) const {
    Type type = type_of(e);
    if (!type->nullable) return true;
    if (const auto* local = as<Local>(e)) return facts.proven.count(local->form.name) != 0;
    if (const auto* converted = as<Convert>(e)) return holds_something(converted->form.value, facts);
    if (const auto* sum = as<PointerAdd>(e)) return holds_something(sum->form.pointer, facts);
    if (const auto* block = as<BlockValue>(e)) return block->form.value && holds_something(*block->form.value, facts);
    return as<AddressOf>(e) != nullptr;
  }
  void bind(Name name, const Expr& value, Facts& facts) {
    Type type = type_of(value);
    if (!is(type, TypeKind::Pointer) && !is(type, TypeKind::EntryRef)) return;
    if (holds_something(value, facts))
      facts.proven.insert(name);
    else
      facts.proven.erase(name);
    facts.dead.erase(name);
    facts.references.erase(name);
    Expr source = value;
    while (const auto* converted = as<Convert>(source)) source = converted->form.value;
    if (points_into_packet(type)) note_packet_pointer(name, value, facts);
    if (is(type_of(source), TypeKind::EntryRef)) facts.references[name] = type_of(source)->name;
    const auto* lookup = as<MapLookup>(source);
    if (const auto* map = lookup ? as<MapName>(lookup->form.map) : nullptr) facts.references[name] = map->form.name;
    if (const Local* other = held_by(value)) {
      if (auto known = facts.references.find(other->name); known != facts.references.end())
        facts.references[name] = known->second;
      if (auto dead = facts.dead.find(other->name); dead != facts.dead.end()) facts.dead[name] = dead->second;
    }
    std::string reason = "it may be null from here on";
    if (as<MapLookup>(source)) reason = "the map may have no such entry";
    if (as<MapCall>(source)) reason = "the map may have no such entry, or there may be no such CPU";
    if (as<Null>(source)) reason = "it is null from here on";
    origins_[name] = {{}, loc_of(value), reason};
  }
  void note_packet_pointer(Name name, const Expr& value, Facts& facts) {
    facts.references[name] = {};
    const auto* start = as<PacketStart>(value);
    const auto* converted = as<Convert>(value);
    if (converted) start = as<PacketStart>(converted->form.value);
    const auto* of = start ? as<Local>(start->form.context) : nullptr;
    std::string text = of ? fmt::format("{}->data", of->form.name.spelling()) : "";
    if (of && converted) text = fmt::format("({} as {})", text, spell(type_of(value)));
    const auto [known, is_first] = starts_.emplace(name, text);
    if (!is_first && known->second != text) known->second.clear();  // it holds something else on another way
  }
  void die(const Death& death, Facts& facts) {
    if (!references_die_) return;
    for (const auto& [name, map] : facts.references)
      if (map == death.map) facts.dead.emplace(name, death);
  }
  void learn(const Expr& condition, bool holds, Facts& facts) {
    if (const auto* negation = as<Not>(condition)) return learn(negation->form.value, !holds, facts);
    if (const auto* both = as<And>(condition); both && holds)
      learn(both->form.left, true, facts), learn(both->form.right, true, facts);
    if (const auto* either = as<Or>(condition); either && !holds)
      learn(either->form.left, false, facts), learn(either->form.right, false, facts);
    if (const auto* present = as<Present>(condition); present && holds)
      if (const Local* local = held_by(present->form.value)) facts.proven.insert(local->name);
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
  void enter_loop(const Stmt& loop, Facts& facts) {
    std::function<void(const Expr&)> on_expr;
    std::function<void(const Stmt&)> on_stmt = [&](const Stmt& s) {
      if (const auto* assign = as<Assign>(s))
        if (const auto* local = as<Local>(assign->form.place)) facts.proven.erase(local->form.name);
      each_child_of(s, on_expr, on_stmt);
    };
    on_expr = [&](const Expr& e) { each_child_of(e, on_expr, on_stmt); };
    on_stmt(loop);
    DeathSearch(deaths_, [&](const Death& death) { die(death, facts); })(loop);
  }

  Context& context_;
  const Deaths& deaths_;
  bool references_die_;                         // in userspace they are copies [L52]
  std::map<Name, Death, ByText> origins_;       // where a variable got what it holds
  std::map<Name, std::string, ByText> starts_;  // of those that hold the packet's start, how to say it
};

}  // namespace

Ir<lang::NullChecked> check_null(const Ir<lang::TailCallsFound>& in, Context& context) {
  const Deaths deaths = deaths_of(in.declarations);
  for (const Decl& d : in.declarations)
    if (const auto* function = as<FunctionDef>(d)) {
      Facts facts;
      NullCheck(context, deaths, function->form.domain).body(function->form.body, facts);
    }
  report_map_changes(in.declarations, context);
  return {in.declarations};
}

}  // namespace ksc
