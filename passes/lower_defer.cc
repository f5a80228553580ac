// SPDX-License-Identifier: Apache-2.0
/// A; defer C; B   =>   A; finally { B } do { C }; of inner scopes a variable or a list says that C was deferred
#include <fmt/format.h>

#include "ir/captures.h"
#include "ir/rewrite.h"
#include "passes/lasting_addresses.h"
#include "passes/member_names.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::NoDefer>;

/// So often what one loop defers may run: what it keeps each time needs room.
constexpr uint64_t most_deferrals = 1024;

/// A variable of an inner scope, and the one that holds what it was; within loops an array of what it was each time, or
/// a member of a list's nodes.
struct Kept {
  Name variable;
  Type type;
  Name copy;
  Name there;             // within loops, of what may be absent: whether it was there
  Name first;             // of packet pointers within loops, of which a copy is a distance: the first one that was kept
  bool is_there = false;  // refers to something, and the body does not ask whether it does
};

/// A `defer` of an inner scope.
struct Deferred {
  const Node<Defer>* node;
  std::vector<Kept> kept;
  std::vector<std::pair<Name, Type>> taken_again;  // pointers of which nothing need be kept
};

/// What is deferred by a statement that is no loop, or by a loop with all that is in it, in the order of the source.
struct DeferStep {
  std::vector<Deferred> deferred;
  bool in_loop = false;
  uint64_t room = 0;    // how often the loop defers something at most
  Type node = nullptr;  // in userspace's loops: what a list holds each time; the last is its first
  Name first;
  Name ran;    // whether it did; within loops how often
  Name which;  // within loops that defer several things: which of them each time
};

/// More often than is possible.
constexpr uint64_t unknown_times = UINT64_MAX;

/// How often a loop turns at most; unknown_times if nobody knows.
uint64_t turns_of(const Stmt& s) {
  const auto* loop = as<For>(s);
  const auto* low = loop ? as<Int>(loop->form.low) : nullptr;
  const auto* high = loop ? as<Int>(loop->form.high) : nullptr;
  if (!low || !high) return unknown_times;
  const __int128 turns = high->form.value.value - low->form.value.value + (loop->form.inclusive ? 1 : 0);
  return turns < 0 ? 0 : static_cast<uint64_t>(std::min<__int128>(turns, most_deferrals + 1));
}

/// Whether something in it asks whether the variable refers to something.
bool asks_for(const Expr& e, Name variable);
bool asks_for(const Stmt& s, Name variable) {
  bool found = false;
  each_child_of(
      s, [&](const Expr& e) { found = found || asks_for(e, variable); },
      [&](const Stmt& t) { found = found || asks_for(t, variable); });
  return found;
}
bool asks_for(const Expr& e, Name variable) {
  const auto* present = as<Present>(e);
  const auto* local = present ? as<Local>(present->form.value) : nullptr;
  bool found = local && local->form.name == variable;
  each_child_of(
      e, [&](const Expr& child) { found = found || asks_for(child, variable); },
      [&](const Stmt& s) { found = found || asks_for(s, variable); });
  return found;
}

bool is_reference(Type type) { return is(type, TypeKind::EntryRef) || is(type, TypeKind::Pointer); }

bool is_loop(const Stmt& s) { return as<For>(s) || as<While>(s) || as<Loop>(s) || as<MapLoop>(s) || as<CpuLoop>(s); }

/// Takes the deferred bodies of one function to where they run.
class DeferLowering {
 public:
  DeferLowering(const FunctionDef& function, Out& to)
      : function_(function),
        to_(to),
        types_(to.context.types),
        outer_(function_variables(function)),
        lasting_(lasting_addresses(function, outer_)) {}

  Body body() { return behind(function_.body.statements); }

  /// A `defer` of an inner scope runs.
  void run(const Node<Defer>& n) {
    const auto found = steps_.find(&n);
    if (found == steps_.end()) return;  // it has been refused
    const DeferStep& step = *found->second;
    const Loc loc = n.loc;
    size_t index = 0;
    while (step.deferred[index].node != &n) ++index;
    if (step.node) return run_in_list(step, index, loc);
    const Expr ran = local(step.ran, step.in_loop ? types_.u64() : types_.boolean(), loc);
    keep(step, index, ran, loc);
    const Expr one = number(1, type_of(ran), loc);
    to_.emit(Assign{ran, step.in_loop ? Expr(to_.make(Binary{BinaryOp::Add, ran, one}, loc, types_.u64())) : one}, loc);
  }
  /// What a variable is called in the deferred body at work.
  Name name_of(Name variable) const {
    const auto found = renamed_.find(variable);
    return found == renamed_.end() ? variable : found->second;
  }

 private:
  Expr local(Name name, Type type, Loc loc) { return to_.make(Local{name}, loc, type); }
  Expr number(uint64_t value, Type type, Loc loc) { return to_.make(Int{{value}, {}}, loc, type); }
  Expr element(Name array, Type type, const DeferStep& step, const Expr& at, Loc loc) {
    return to_.make(Index{local(array, types_.array(type, step.room), loc), at}, loc, type);
  }
  /// Something that a loop keeps: `at` is which time, or the list's node.
  Expr part(Name name, Type type, const DeferStep& step, const Expr& at, Loc loc) {
    if (!step.node) return element(name, type, step, at, loc);
    return to_.make(Field{to_.make(Deref{at}, loc, step.node), name}, loc, type);
  }
  /// How far behind the packet's start a pointer leads.
  Expr distance_of(const Expr& pointer, Loc loc) {
    Type byte = types_.pointer(types_.u8(), Space::Packet, false);
    const Expr at = type_of(pointer) == byte ? pointer : Expr(to_.make(Convert{pointer}, loc, byte));
    return to_.make(PointerDifference{at, start(loc)}, loc, types_.u64());
  }
  Expr start(Loc loc) {
    Type byte = types_.pointer(types_.u8(), Space::Packet, false);
    for (const Parameter& p : function_.parameters)
      if (points_into(p.type, Space::Context)) return to_.make(PacketStart{local(p.name, p.type, loc)}, loc, byte);
    return to_.make(Null{}, loc, byte);  // not reached: what has packet pointers has the context
  }
  /// A packet pointer of one of a loop's turns. What moves the packet ends the one of the first, and so all.
  Expr pointer_of(const Kept& kept, const DeferStep& step, const Expr& at, Loc loc) {
    Type type = before(kept.type);
    const Expr distance = to_.make(Convert{copy_of(kept, step, at, loc)}, loc, types_.i64());
    const Expr pointer = to_.make(PointerAdd{start(loc), distance}, loc, type_of(start(loc)));
    const Expr first = to_.make(Present{local(kept.first, type, loc)}, loc, types_.boolean());
    const Expr there = to_.make(And{part(kept.there, types_.boolean(), step, at, loc), first}, loc, types_.boolean());
    const Expr found = to_.make(Convert{pointer}, loc, type), none = to_.make(Null{}, loc, type);
    return to_.make(Conditional{there, found, none}, loc, type);
  }
  void keep_distance(const Kept& kept, const DeferStep& step, const Expr& at, Loc loc) {
    const Expr pointer = local(kept.variable, kept.type, loc);
    const auto as_type = [&](Type type) {
      return kept.type == type ? pointer : Expr(to_.make(Convert{pointer}, loc, type));
    };
    Expr there = number(1, types_.boolean(), loc),
         distance = distance_of(as_type(reference_type(kept.type, false)), loc);
    if (!kept.is_there) {
      there = to_.make(Present{pointer}, loc, types_.boolean());
      distance = to_.make(Conditional{there, distance, number(0, types_.u64(), loc)}, loc, types_.u64());
    }
    to_.emit(Assign{part(kept.there, types_.boolean(), step, at, loc), there}, loc);
    to_.emit(Assign{copy_of(kept, step, at, loc), distance}, loc);
    const Expr is_first =
        to_.make(Not{to_.make(Present{local(kept.first, before(kept.type), loc)}, loc, types_.boolean())}, loc,
                 types_.boolean());
    const Body holds = to_.collect([&] {
      to_.emit(Assign{local(kept.first, before(kept.type), loc), as_type(before(kept.type))}, loc);
    });
    to_.emit(If{to_.context.span<Branch>({{is_first, holds}}), {}}, loc);
  }
  Expr copy_of(const Kept& kept, const DeferStep& step, const Expr& at, Loc loc) {
    return step.in_loop ? part(kept.copy, kept_type(kept), step, at, loc) : local(kept.copy, before(kept.type), loc);
  }
  Expr which(const DeferStep& step, const Expr& at, Loc loc) { return part(step.which, types_.u16(), step, at, loc); }

  /// What the variables are, and which `defer` it is.
  void keep(const DeferStep& step, size_t index, const Expr& at, Loc loc) {
    for (const Kept& kept : step.deferred[index].kept) {
      if (kept.first) {
        keep_distance(kept, step, at, loc);
        continue;
      }
      Expr value = local(kept.variable, kept.type, loc);
      if (kept.is_there)  // check_null sees to it
        value = to_.make(Convert{value}, loc, reference_type(kept.type, false));
      if (type_of(value) != before(kept.type)) value = to_.make(Convert{value}, loc, before(kept.type));
      if (kept.there) {
        to_.emit(
            Assign{part(kept.there, types_.boolean(), step, at, loc), to_.make(Present{value}, loc, types_.boolean())},
            loc);
        value = to_.make(ValueOf{value}, loc, kept.type->element);
      }
      to_.emit(Assign{copy_of(kept, step, at, loc), value}, loc);
    }
    if (step.which) to_.emit(Assign{which(step, at, loc), number(index, types_.u16(), loc)}, loc);
  }
  void run_in_list(const DeferStep& step, size_t index, Loc loc) {
    Type pointer = types_.pointer(step.node, Space::Heap, false);
    const Name name = to_.fresh("node");
    const Expr node = local(name, pointer, loc), first = local(step.first, link(), loc);
    const Body linked = to_.collect([&] {
      keep(step, index, node, loc);
      to_.emit(Assign{part(to_.context.name("next"), link(), step, node, loc), first}, loc);
      to_.emit(Assign{first, to_.make(Convert{node}, loc, link())}, loc);
    });
    const Expr message = to_.make(StringValue{to_.context.name("there is no memory for what is deferred")}, loc,
                                  types_.str(std::string_view("there is no memory for what is deferred").size() + 1));
    const Body ends = to_.collect([&] { evaluate("panic", message, loc); });
    const Expr memory = to_.make(BuiltinCall{to_.context.name("new"), {}}, loc, reference_type(pointer, true));
    to_.emit(IfPresent{name, pointer, memory, linked, ends}, loc);
  }
  void evaluate(std::string_view function, const Expr& argument, Loc loc) {
    const Span<Expr> arguments = to_.context.span<Expr>({argument});
    to_.emit(Evaluate{to_.make(BuiltinCall{to_.context.name(function), arguments}, loc, types_.void_type())}, loc);
  }
  /// A list's nodes refer to each other as bytes: no type holds itself.
  Type link() { return types_.pointer(types_.u8(), Space::Heap, true); }

  /// The statements, and what they defer behind those that follow it.
  Body behind(Span<Stmt> statements) {
    return to_.collect([&] {
      for (size_t i = 0; i < statements.size(); ++i) {
        const Stmt& s = statements[i];
        const Span<Stmt> rest(statements.begin() + i + 1, statements.size() - i - 1);
        if (!header(s).contains.has(Kind::Defer)) {
          to_.statement(s);
        } else if (const auto* defer = as<Defer>(s)) {
          const Body cleanup = guarded(to_(defer->form.body), defer->loc);
          return to_.emit(Finally{behind(rest), cleanup}, defer->loc);
        } else {
          return from_inner_scopes(s, rest);
        }
      }
    });
  }

  void from_inner_scopes(const Stmt& s, Span<Stmt> rest) {
    std::vector<std::unique_ptr<DeferStep>> steps;
    find(s, 1, nullptr, steps);
    for (const auto& step : steps) declare(*step, loc_of(s));
    const Body body = to_.collect([&] {
      to_.statement(s);
      to_.emit(behind(rest));
    });
    const Body cleanup = to_.collect([&] {
      for (size_t i = steps.size(); i-- > 0;) clean_up(*steps[i]);
    });
    to_.emit(Finally{body, cleanup}, loc_of(s));
    for (auto& step : steps) done_.push_back(std::move(step));
  }

  /// Adds what the statement defers to `loop`, or as steps of their own; `times`: how often it runs at most, 0 if
  /// nobody knows.
  void find(const Stmt& s, uint64_t times, DeferStep* loop, std::vector<std::unique_ptr<DeferStep>>& steps) {
    if (!header(s).contains.has(Kind::Defer)) return;
    if (const auto* defer = as<Defer>(s)) return add(*defer, times, loop, steps);
    if (is_loop(s)) {
      if (!loop) {
        steps.push_back(std::make_unique<DeferStep>());
        loop = steps.back().get();
        loop->in_loop = true;
      }
      const uint64_t turns = turns_of(s);
      times = times == unknown_times || turns == unknown_times ? unknown_times
                                                               : std::min(most_deferrals + 1, times * turns);
    }
    const std::function<void(const Stmt&)> inside = [&](const Stmt& t) { find(t, times, loop, steps); };
    const std::function<void(const Expr&)> in_value = [&](const Expr& e) { each_child_of(e, in_value, inside); };
    each_child_of(s, in_value, inside);
  }
  void add(const Node<Defer>& n, uint64_t times, DeferStep* loop, std::vector<std::unique_ptr<DeferStep>>& steps) {
    Deferred deferred{&n, {}, {}};
    const bool in_user = function_.domain == Domain::User;
    for (const auto& [variable, type] : captured_by(n.form, outer_)) {
      if (lasting_.count(variable)) {
        deferred.taken_again.emplace_back(variable, type);
        continue;
      }
      const auto asks = [&](const Stmt& s) { return asks_for(s, variable); };
      const Span<Stmt> body = n->body.statements;
      const bool can_be_null = is_reference(type) && can_keep(type, loop);
      if (!is_integral(type) && !is(type, TypeKind::Float) && !is_aggregate(type) && !can_be_null &&
          !is(type, TypeKind::Maybe))
        return refuse(
            n, fmt::format("a deferred block that keeps `{}`, a reference of an inner scope", variable.spelling()));
      Kept kept{variable, type, {}, {}, {}, can_be_null && std::none_of(body.begin(), body.end(), asks)};
      if (!loop || !in_user) kept.copy = to_.fresh(fmt::format("kept_{}", variable.spelling()));
      if (loop && !in_user && points_into(type, Space::Packet))
        kept.first = to_.fresh(fmt::format("first_{}", variable.spelling()));
      if (kept.first || (loop && !in_user && is(type, TypeKind::Maybe)))
        kept.there = to_.fresh(fmt::format("{}_is_there", variable.spelling()));
      deferred.kept.push_back(kept);
    }
    if (loop && !in_user && (times == unknown_times || loop->room + times > most_deferrals)) {
      to_.context.diagnostics.report(n.loc, diag::unbounded_defer, most_deferrals);
      return;
    }
    if (!loop) {
      steps.push_back(std::make_unique<DeferStep>());
      loop = steps.back().get();
    }
    loop->room += times;
    loop->deferred.push_back(deferred);
    steps_[&n] = loop;
  }
  /// Whether what a reference refers to can be there where the function ends. Arrays of references lie in no map (of
  /// packet pointers they hold distances), and a list's nodes have no copies of entries.
  bool can_keep(Type reference, const DeferStep* loop) const {
    if (function_.domain != Domain::User) return !loop || points_into(reference, Space::Packet);
    return points_into(reference, Space::Heap) || (!loop && !points_into(reference, Space::MapValue));
  }
  void refuse(const Node<Defer>& n, const std::string& what) {
    to_.context.diagnostics.report(n.loc, diag::not_supported_yet, what);
  }

  void declare(DeferStep& step, Loc loc) {
    if (step.deferred.empty()) return;
    if (step.in_loop && function_.domain == Domain::User) return declare_list(step, loc);
    step.room = std::max<uint64_t>(step.room, 1);
    const auto declared = [&](Name name, Type type) {
      Option<Expr> value;
      if (is_reference(type)) value = to_.make(Null{}, loc, type);  // check_null asks what it is on each way
      to_.emit(Let{name, step.in_loop ? types_.array(type, step.room) : type, value}, loc);
    };
    for (const Deferred& deferred : step.deferred)
      for (const Kept& kept : deferred.kept) {
        declared(kept.copy, step.in_loop ? kept_type(kept) : before(kept.type));
        if (kept.there) declared(kept.there, types_.boolean());
        if (kept.first)
          to_.emit(Let{kept.first, before(kept.type), Expr(to_.make(Null{}, loc, before(kept.type)))}, loc);
      }
    if (step.in_loop && step.deferred.size() > 1) declared(step.which = to_.fresh("which"), types_.u16());
    step.ran = to_.fresh("deferred");
    Type type = step.in_loop ? types_.u64() : types_.boolean();
    to_.emit(Let{step.ran, type, number(0, type, loc)}, loc);
  }

  void declare_list(DeferStep& step, Loc loc) {
    std::vector<StructField> members;
    const auto member = [&](Name name, Type type) {
      StructField field;
      field.name = unused_member(name, members, to_.context);
      field.type = type;
      members.push_back(field);
      return field.name;
    };
    member(to_.context.name("next"), link());
    if (step.deferred.size() > 1) step.which = member(to_.context.name("which"), types_.u16());
    for (Deferred& deferred : step.deferred)
      for (Kept& kept : deferred.kept) {
        kept.copy = member(kept.variable, kept_type(kept));
        if (is(kept.type, TypeKind::Maybe))
          kept.there = member(to_.fresh(fmt::format("{}_is_there", kept.variable.spelling())), types_.boolean());
      }
    step.node = types_.structure(to_.context.names.unused(fmt::format("{}_deferred", function_.name.spelling())));
    types_.complete_struct(step.node, members);
    to_.declare(StructDef{step.node, {}}, loc);
    step.first = to_.fresh("deferred");
    to_.emit(Let{step.first, link(), to_.make(Null{}, loc, link())}, loc);
  }

  /// The type of what holds a copy within loops.
  Type kept_type(const Kept& kept) const {
    if (kept.first) return types_.u64();
    return is(kept.type, TypeKind::Maybe) ? kept.type->element : before(kept.type);
  }
  Type reference_type(Type type, bool nullable) const {
    return is(type, TypeKind::EntryRef) ? types_.entry_ref(type->element, type->name, nullable)
                                        : types_.pointer(type->element, type->space, nullable);
  }
  /// The type of a copy, which is nothing yet before the `defer` has run.
  Type before(Type type) const { return is_reference(type) ? reference_type(type, true) : type; }
  /// The body, for references that are there.
  Body with_references(const Deferred& deferred, size_t from = 0) {
    for (size_t i = from; i < deferred.kept.size(); ++i) {
      const Kept& kept = deferred.kept[i];
      if (!kept.is_there) continue;
      const Loc loc = deferred.node->loc;
      Deferred inner = deferred;
      inner.kept[i].copy = to_.fresh(kept.variable.spelling());
      const Body body = with_references(inner, i + 1);
      return to_.collect([&] {
        to_.emit(IfPresent{inner.kept[i].copy, kept.type, local(kept.copy, before(kept.type), loc), body, {}}, loc);
      });
    }
    return deferred_body(deferred);
  }

  void clean_up(const DeferStep& step) {
    if (step.deferred.empty()) return;
    const Loc loc = step.deferred[0].node->loc;
    if (!step.in_loop) {
      const Body body = with_references(step.deferred[0]);
      return to_.emit(If{to_.context.span<Branch>({{local(step.ran, types_.boolean(), loc), body}}), {}}, loc);
    }
    if (step.node) return clean_up_list(step, loc);
    const Expr count = local(step.ran, types_.u64(), loc);
    const Name turn = to_.fresh("turn");
    const Expr turned = local(turn, types_.u64(), loc);
    const Body body = to_.collect([&] {
      const Expr ends = to_.make(Compare{CompareOp::GreaterEqual, turned, count}, loc, types_.boolean());
      const Body stop = to_.collect([&] { to_.emit(Break{}, loc); });
      to_.emit(If{to_.context.span<Branch>({{ends, stop}}), {}}, loc);
      // The last comes first.
      const Name at = to_.fresh("at");
      const Expr one = number(1, types_.u64(), loc);
      const Expr last = to_.make(Binary{BinaryOp::Subtract, count, one}, loc, types_.u64());
      to_.emit(Let{at, types_.u64(), Expr(to_.make(Binary{BinaryOp::Subtract, last, turned}, loc, types_.u64()))}, loc);
      clean_up_turn(step, local(at, types_.u64(), loc), loc);
    });
    to_.emit(For{{turn, loc}, number(0, types_.u64(), loc), number(step.room, types_.u64(), loc), false, body}, loc);
  }
  void clean_up_list(const DeferStep& step, Loc loc) {
    Type pointer = types_.pointer(step.node, Space::Heap, false);
    const Name name = to_.fresh("node");
    const Expr node = local(name, pointer, loc), first = local(step.first, link(), loc);
    const Body body = to_.collect([&] {
      const Body run = to_.collect([&] {
        to_.emit(Assign{first, part(to_.context.name("next"), link(), step, node, loc)}, loc);
        clean_up_turn(step, node, loc);
      });
      const Body stop = to_.collect([&] { to_.emit(Break{}, loc); });
      const Expr next = to_.make(Convert{first}, loc, reference_type(pointer, true));
      to_.emit(IfPresent{name, pointer, next, run, stop}, loc);
    });
    to_.emit(Loop{body}, loc);
  }
  /// What was deferred in one turn: `at` is where it is kept.
  void clean_up_turn(const DeferStep& step, const Expr& at, Loc loc) {
    const auto with_copies = [&](const Deferred& deferred) {
      return to_.collect([&] {
        Deferred then = deferred;
        for (Kept& kept : then.kept) {
          Expr copy = kept.first ? pointer_of(kept, step, at, loc) : copy_of(kept, step, at, loc);
          if (kept.there && !kept.first) {
            const Expr some = to_.make(Convert{copy}, loc, kept.type), none = to_.make(Null{}, loc, kept.type);
            copy = to_.make(Conditional{part(kept.there, types_.boolean(), step, at, loc), some, none}, loc, kept.type);
          }
          kept.copy = to_.fresh(kept.variable.spelling());
          to_.emit(Let{kept.copy, before(kept.type), copy}, loc);
        }
        if (step.node) evaluate("delete", at, loc);
        to_.emit(with_references(then));
      });
    };
    if (!step.which) return to_.emit(with_copies(step.deferred[0]));
    std::vector<Branch> branches;
    for (size_t i = 0; i < step.deferred.size(); ++i) {
      const Expr is_it = to_.make(Compare{CompareOp::Equal, which(step, at, loc), number(i, types_.u16(), loc)}, loc,
                                  types_.boolean());
      branches.push_back({is_it, with_copies(step.deferred[i])});
    }
    to_.emit(If{to_.context.span(branches), {}}, loc);
  }
  Body deferred_body(const Deferred& deferred) {
    const NameMap<Name> outer = std::exchange(renamed_, {});
    for (const Kept& kept : deferred.kept) renamed_[kept.variable] = kept.copy;
    const Loc loc = deferred.node->loc;
    const Body body = to_.collect([&] {
      for (const auto& [variable, type] : deferred.taken_again) {
        const Name again = to_.fresh(variable.spelling());
        to_.emit(Let{again, type, to_(lasting_.at(variable))}, loc);
        renamed_[variable] = again;
      }
      to_.emit(to_(deferred.node->form.body));
    });
    renamed_ = outer;
    return guarded(body, loc);
  }
  /// A deferred body that fails ends there, and keeps no other one from running.
  Body guarded(const Body& body, Loc loc) {
    return to_.collect([&] { to_.emit(Guarded{body}, loc); });
  }

  const FunctionDef& function_;
  Out& to_;
  Types& types_;
  NameSet outer_;
  NameMap<Expr> lasting_;  // addresses of what is there until the function ends
  std::map<const Node<Defer>*, DeferStep*> steps_;
  std::vector<std::unique_ptr<DeferStep>> done_;
  NameMap<Name> renamed_;
};

}  // namespace

// Those of the function's own scope nest, and see its variables as they are at the end. Inner scopes are gone then:
// what a deferred body mentions of them is kept, and a loop keeps it for each turn.
Ir<lang::NoDefer> lower_defer(const Ir<lang::TailCallsFound>& in, Context& context) {
  std::optional<DeferLowering> lowering;
  return rewrite<lang::TailCallsFound, lang::NoDefer>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        if (!n.contains.has(Kind::Defer)) return to.declare(n.form, n.loc);
        lowering.emplace(n.form, to);
        FunctionDef form = n.form;
        form.body = lowering->body();
        to.declare(form, n.loc);
      }),
      on<Defer>([&](const Node<Defer>& n, Out&) { lowering->run(n); }), on<Local>([&](const Node<Local>& n, Out& to) {
        return Expr(to.make(Local{lowering->name_of(n->name)}, n.loc, n.type));
      }));
}

}  // namespace ksc
