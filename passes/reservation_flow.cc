// SPDX-License-Identifier: Apache-2.0
#include "passes/reservation_flow.h"

#include "ir/children.h"
#include "ir/places.h"
#include "ir/visit.h"

namespace ksc {
namespace {

Expr without_conversions(Expr e) {
  while (const auto* converted = as<Convert>(e)) e = converted->form.value;
  return e;
}

const Local* local_in(const Expr& e) {
  const auto* local = as<Local>(without_conversions(e));
  return local ? &local->form : nullptr;
}

/// The variable that a pointer is computed from, if that is all it is computed from.
const Local* base_of(Expr e) {
  for (;;) {
    if (const auto* local = as<Local>(e)) return &local->form;
    const auto* converted = as<Convert>(e);
    const auto* sum = as<PointerAdd>(e);
    const auto* address = as<AddressOf>(e);
    const auto* deref = address ? as<Deref>(root_of(address->form.place)) : nullptr;
    if (!converted && !sum && !deref) return nullptr;
    e = converted ? converted->form.value : sum ? sum->form.pointer : deref->form.pointer;
  }
}

/// What a loop does in each turn whose number is known before the first one.
const Body* body_of_turns(const Stmt& s) {
  if (const auto* loop = as<For>(s)) return &loop->form.body;
  if (const auto* loop = as<CountedLoop>(s)) return &loop->form.body;
  if (const auto* loop = as<MapLoop>(s)) return &loop->form.body;
  if (const auto* loop = as<CpuLoop>(s)) return &loop->form.body;
  return nullptr;
}

}  // namespace

const Node<MapCall>* reservation_in(const Expr& e) {
  const auto* call = as<MapCall>(e);
  return call && call->form.method == "reserve" ? call : nullptr;
}

bool is_release(const Node<MapCall>& call) {
  if (!(call->method == "submit" || call->method == "discard") || call->arguments.size() != 1) return false;
  return is_reservation(type_of(call->arguments[0]));
}

const Node<MapCall>* release_in(const Expr& e) {
  const auto* call = as<MapCall>(e);
  return call && is_release(*call) ? call : nullptr;
}

bool reserves(const Expr& e) {
  const auto* call = as<BuiltinCall>(e);
  return reservation_in(e) || (call && call->form.function == "new" && is_object(call->type));
}

const Expr* closed_in(const Expr& e) {
  if (const auto* call = release_in(e)) return &call->form.arguments[0];
  const auto* call = as<BuiltinCall>(e);
  const bool deletes = call && call->form.function == "delete" && is_object(type_of(call->form.arguments[0]));
  return deletes ? &call->form.arguments[0] : nullptr;
}

Name ReservationFlow::holder(Name variable) const {
  const auto known = holders_.find(variable);
  return known == holders_.end() ? Name{} : known->second;
}

void ReservationFlow::join(Way& into, const Way& other) {
  if (!other) return;
  if (!into) return void(into = other);
  for (const auto& [name, holding] : *other) {
    Holding& known = (*into)[name];
    known = {known.absent || holding.absent, known.open || holding.open, known.closed || holding.closed};
  }
}

void ReservationFlow::function(const FunctionDef& in) {
  now_ = Held{};
  body(in.body);
}

void ReservationFlow::body(const Body& in) {
  const size_t depth = variables_.size();
  for (const Stmt& s : in.statements) {
    if (!now_) break;
    statement(s);
  }
  const Span<Stmt> all = in.statements;
  end_scope(depth, all.size() > 0 ? loc_of(all[all.size() - 1]) : Loc{});
}

void ReservationFlow::end_scope(size_t depth, Loc loc) {
  if (now_) drop(*now_, depth, {WayOut::Kind::End, loc});
  variables_.resize(depth);
}

void ReservationFlow::drop(Held& held, size_t depth, const WayOut& way) {
  for (size_t i = variables_.size(); i-- > depth;) {
    const auto known = held.find(variables_[i]);
    if (known == held.end()) continue;
    if (!is_quiet_) events_.leaves(known->first, known->second, way);
    held.erase(known);
  }
}

void ReservationFlow::exit(const WayOut& way, Held held) {
  for (size_t i = targets_.size(); i-- > 0;) {
    Target& target = targets_[i];
    const bool is_recorded = i >= first_recorded_;
    const bool ends_here = target.kind == Target::Kind::Finally ||
                           (target.kind == Target::Kind::Guarded && way.kind != WayOut::Kind::Return);
    if (!ends_here && target.kind != Target::Kind::Try) continue;
    drop(held, target.depth, way);
    if (target.kind == Target::Kind::Try) {
      if (caught(target, is_recorded, way, held)) return;
      continue;
    }
    if (!is_recorded) return;
    if (target.kind == Target::Kind::Guarded) return join(target.behind, held);
    for (const auto& [other, known] : target.waiting)
      if (other.kind == way.kind && known == held) return;
    target.waiting.emplace_back(way, std::move(held));
    return;
  }
  drop(held, 0, way);
}

/// Gives it to the clauses that may take it; whether one of them does so in any case.
bool ReservationFlow::caught(Target& target, bool is_recorded, const WayOut& way, const Held& held) {
  const auto& clauses = target.attempt->clauses;
  for (size_t i = 0; i < clauses.size(); ++i) {
    const CatchClause& clause = clauses[i];
    const auto* code = clause.code ? as<Int>(*clause.code) : nullptr;
    const bool takes_all = !clause.code && !clause.bounds;
    bool takes = clause.bounds == (way.kind == WayOut::Kind::Bounds);
    takes = takes && (clause.bounds || way.kind == WayOut::Kind::Throw);
    if (code && way.code) takes = takes && code->form.value.value == *way.code;
    if (!takes) continue;
    if (is_recorded) join(target.thrown[i], held);
    if (takes_all || clause.bounds || way.code) return true;
  }
  return false;
}

void ReservationFlow::jump(Target::Kind kind, Name label, const WayOut& way) {
  for (size_t i = targets_.size(); i-- > 0;) {
    Target& target = targets_[i];
    if (target.kind != kind || (label && !(target.label == label))) continue;
    Held held = *now_;
    drop(held, target.depth, way);
    if (i >= first_recorded_) join(way.kind == WayOut::Kind::Continue ? target.again : target.behind, held);
    break;
  }
  now_.reset();
}

template <class Branches, class Inside, class Otherwise>
void ReservationFlow::choose(const Branches& branches, Inside inside, Otherwise otherwise) {
  Way met;
  for (const auto& branch : branches) {
    if (!now_) break;
    expression(branch.condition);
    const Way start = now_;
    learn(branch.condition, true);
    if (now_) inside(branch);
    join(met, now_);
    now_ = start;
    learn(branch.condition, false);
  }
  if (now_) otherwise();
  join(met, now_);
  now_ = met;
}

template <class Yes, class No>
void ReservationFlow::either(const Expr& condition, Yes yes, No no) {
  expression(condition);
  const Way start = now_;
  learn(condition, true);
  if (now_) yes();
  const Way met = std::exchange(now_, start);
  learn(condition, false);
  if (now_) no();
  join(now_, met);
}

/// Walks through turns; `turn` leaves what is known where the next one begins.
void ReservationFlow::loop(const std::function<void()>& turn) {
  const Way start = now_;
  Way head = start;
  const auto walk = [&] {
    now_ = head;
    targets_.push_back({Target::Kind::Loop, variables_.size()});
    turn();
    Target target = std::move(targets_.back());
    targets_.pop_back();
    join(target.again, now_);
    return target;
  };
  if (!variables_.empty()) {
    const bool was_quiet = std::exchange(is_quiet_, true);
    const size_t recorded = std::exchange(first_recorded_, targets_.size());
    for (Way before;; before = head) {
      join(head, walk().again);
      if (before == head) break;
    }
    is_quiet_ = was_quiet;
    first_recorded_ = recorded;
  }
  now_ = walk().behind;
}

void ReservationFlow::try_statement(const Try& attempt) {
  targets_.push_back({Target::Kind::Try, variables_.size()});
  targets_.back().attempt = &attempt;
  targets_.back().thrown.resize(attempt.clauses.size());
  tries_with_bounds_ += catches_bounds(attempt);
  body(attempt.body);
  tries_with_bounds_ -= catches_bounds(attempt);
  const Target target = std::move(targets_.back());
  targets_.pop_back();
  Way met = now_;
  for (size_t i = 0; i < attempt.clauses.size(); ++i) {
    now_ = target.thrown[i];
    if (now_) body(attempt.clauses[i].body);
    join(met, now_);
  }
  now_ = met;
}

void ReservationFlow::finally(const Finally& last) {
  targets_.push_back({Target::Kind::Finally, variables_.size()});
  body(last.body);
  const Target target = std::move(targets_.back());
  targets_.pop_back();
  if (now_) body(last.cleanup);
  const Way falls = now_;
  for (const auto& [way, held] : target.waiting) {
    now_ = held;
    body(last.cleanup);
    if (now_) exit(way, *now_);
  }
  now_ = falls;
}

void ReservationFlow::statement(const Stmt& s) {
  const Loc loc = loc_of(s);
  const WayOut way{WayOut::Kind::Jump, loc, &header(s)};
  const auto leave = [&](WayOut::Kind kind) {
    WayOut out = way;
    out.kind = kind;
    if (now_) exit(out, *now_);
    now_.reset();
  };
  const auto leave_loop = [&](WayOut::Kind kind) {
    WayOut out = way;
    out.kind = kind;
    jump(Target::Kind::Loop, {}, out);
  };
  // It may have been meant as what closes something.
  if (as<InvalidStmt>(s))
    for (auto& [name, holding] : *now_) holding = {};
  if (const auto* let = as<Let>(s)) {
    if (let->form.value) bind(let->form.name, *let->form.value);
    return;
  }
  if (const auto* assign = as<Assign>(s)) {
    const auto* local = as<Local>(assign->form.place);
    if (!local) expression(assign->form.place);
    expression(assign->form.value);
    if (local && must_be_released(local->type) && !is_quiet_) events_.assigned(local->form.name, loc);
    return;
  }
  if (const auto* test = as<If>(s))
    return choose(
        test->form.branches, [&](const Branch& branch) { body(branch.body); }, [&] { body(test->form.otherwise); });
  if (const auto* test = as<IfPresent>(s)) {
    const size_t depth = variables_.size();
    bind(test->form.name, test->form.value);
    const Way start = now_;
    const Name held = holder(test->form.name);
    if (held) learn(held, true);
    if (now_) body(test->form.then);
    if (now_) drop(*now_, depth, {WayOut::Kind::End, loc});
    const Way met = std::exchange(now_, start);
    if (held) learn(held, false);
    if (now_) body(test->form.otherwise);
    if (now_) drop(*now_, depth, {WayOut::Kind::End, loc});
    variables_.resize(depth);
    return join(now_, met);
  }
  if (const auto* block = as<Block>(s)) return body(block->form.body);
  if (const auto* attempt = as<Try>(s)) return try_statement(attempt->form);
  if (const auto* last = as<Finally>(s)) return finally(last->form);
  if (const auto* deferred = as<Guarded>(s)) {
    targets_.push_back({Target::Kind::Guarded, variables_.size()});
    body(deferred->form.body);
    join(now_, targets_.back().behind);
    return targets_.pop_back();
  }
  if (const auto* labelled = as<Labelled>(s)) {
    targets_.push_back({Target::Kind::Label, variables_.size(), labelled->form.label});
    body(labelled->form.body);
    join(now_, targets_.back().behind);
    return targets_.pop_back();
  }
  if (const auto* endless = as<Loop>(s)) return loop([&] { body(endless->form.body); });
  if (const auto* checked = as<While>(s)) {
    Way ended;
    const auto turn = [&] {
      expression(checked->form.condition);
      ended = now_;
      learn(checked->form.condition, true);
      if (now_) body(checked->form.body);
    };
    loop(turn);
    const Way broken = std::exchange(now_, ended);
    learn(checked->form.condition, false);
    return join(now_, broken);
  }
  // Of other loops the end may come before each turn.
  if (const Body* turns = body_of_turns(s)) {
    each_child_of(
        s, [&](const Expr& e) { expression(e); }, [](const Stmt&) {});
    Way ended;
    loop([&] {
      ended = now_;
      body(*turns);
    });
    return join(now_, ended);
  }
  if (const auto* chosen = as<Switch>(s)) {
    expression(chosen->form.value);
    const Way start = now_;
    Way met;
    bool has_default = false;
    for (const SwitchCase& one : chosen->form.cases) {
      now_ = start;
      if (now_) body(one.body);
      join(met, now_);
      has_default = has_default || one.values.size() == 0;
    }
    if (!has_default) join(met, start);
    now_ = met;
    return;
  }
  each_child_of(
      s, [&](const Expr& e) { expression(e); }, [](const Stmt&) {});
  if (!now_) return;
  if (const auto* jumped = as<Goto>(s)) return jump(Target::Kind::Label, jumped->form.label, way);
  if (as<Break>(s)) return leave_loop(WayOut::Kind::Break);
  if (as<Continue>(s)) return leave_loop(WayOut::Kind::Continue);
  if (as<Return>(s)) return leave(WayOut::Kind::Return);
  if (as<TailCall>(s)) return leave(WayOut::Kind::TailCall);
  if (as<Raise>(s)) return leave(WayOut::Kind::Panic);
  if (const auto* given = as<Leave>(s))
    return leave(given->form.reason == LeaveReason::Bounds ? WayOut::Kind::Bounds : WayOut::Kind::Panic);
  if (const auto* thrown = as<Throw>(s)) {
    WayOut out = way;
    out.kind = WayOut::Kind::Throw;
    if (const auto* code = as<Int>(thrown->form.code)) out.code = static_cast<int32_t>(code->form.value.value);
    exit(out, *now_);
    now_.reset();
  }
}

void ReservationFlow::bind(Name name, const Expr& value) {
  const Expr given = without_conversions(value);
  if (reserves(given)) {
    // Its size is computed before, and that may leave.
    if (const auto* call = reservation_in(given))
      for (const Expr& size : call->form.arguments) expression(size);
    if (!now_) return;
    holders_[name] = name;
    variables_.push_back(name);
    (*now_)[name] = {true, true, false};
    return;
  }
  // What a block declares stays until the scope around it ends: what it gives may be one of its variables.
  if (const auto* block = as<BlockValue>(given)) {
    for (const Stmt& s : block->form.body.statements)
      if (now_) statement(s);
    if (now_ && block->form.value) bind(name, *block->form.value);
    return;
  }
  if (must_be_released(type_of(given)))
    if (const Local* local = base_of(given))
      if (const Name held = holder(local->name)) holders_[name] = held;
  expression(value);
}

void ReservationFlow::expression(const Expr& e) {
  if (!now_) return;
  if (const auto* both = as<And>(e))
    return either(
        both->form.left, [&] { expression(both->form.right); }, [] {});
  if (const auto* one = as<Or>(e))
    return either(
        one->form.left, [] {}, [&] { expression(one->form.right); });
  if (const auto* choice = as<Conditional>(e))
    return either(
        choice->form.condition, [&] { expression(choice->form.then); }, [&] { expression(choice->form.otherwise); });
  if (const auto* choice = as<IfValue>(e))
    return choose(
        choice->form.branches, [&](const ValueBranch& branch) { expression(branch.value); },
        [&] { expression(choice->form.otherwise); });
  if (const auto* match = as<Match>(e)) {
    expression(match->form.subject);
    const Way start = now_;
    Way met;
    bool has_default = false;
    for (const MatchArm& arm : match->form.arms) {
      now_ = start;
      expression(arm.value);
      join(met, now_);
      has_default = has_default || arm.patterns.size() == 0;
    }
    if (!has_default) join(met, start);
    now_ = met;
    return;
  }
  if (const auto* block = as<BlockValue>(e)) {
    for (const Stmt& s : block->form.body.statements)
      if (now_) statement(s);
    if (now_ && block->form.value) expression(*block->form.value);
    return;
  }
  if (const auto* present = as<Present>(e); present && local_in(present->form.value)) return;
  if (const auto* local = as<Local>(e)) mentioned(local->form, local->loc);
  each_child_of(
      e, [&](const Expr& child) { expression(child); }, [](const Stmt&) {});
  if (!now_) return;
  if (const auto* call = as<Call>(e)) called(*call);
  if (const auto* deref = as<Deref>(e); deref && tries_with_bounds_ > 0) {
    Type pointer = type_of(deref->form.pointer);
    if (is(pointer, TypeKind::Pointer) && pointer->space == Space::Packet)
      exit({WayOut::Kind::Bounds, deref->loc}, *now_);
  }
  if (reserves(e) && !is_quiet_) events_.unheld(e);
  if (const Expr* pointer = closed_in(e)) {
    const Local* local = local_in(*pointer);
    const Name held = local ? holder(local->name) : Name{};
    if (!is_quiet_) events_.released(e, held);
    if (!held) return;
    closed_by_.try_emplace(held, e);
    (*now_)[held] = {false, false, true};
  }
}

void ReservationFlow::mentioned(const Local& local, Loc loc) {
  const Name held = holder(local.name);
  const auto known = held ? now_->find(held) : now_->end();
  if (known == now_->end() || !known->second.closed || is_quiet_) return;
  events_.used(local.name, closed_by_.at(held), loc);
}

void ReservationFlow::called(const Node<Call>& call) {
  if (!escapes_ || variables_.empty()) return;
  const Escapes& given = escapes_->of(call->function);
  for (const auto& [code, origin] : given.throws)
    exit({WayOut::Kind::Throw, call.loc, nullptr, code, call->function}, *now_);
  if (given.bounds) exit({WayOut::Kind::Bounds, call.loc}, *now_);
  if (given.panic) exit({WayOut::Kind::Panic, call.loc}, *now_);
}

void ReservationFlow::learn(const Expr& condition, bool holds) {
  if (const auto* negation = as<Not>(condition)) return learn(negation->form.value, !holds);
  if (const auto* both = as<And>(condition); both && holds) learn(both->form.left, true), learn(both->form.right, true);
  if (const auto* either = as<Or>(condition); either && !holds)
    learn(either->form.left, false), learn(either->form.right, false);
  const auto* present = as<Present>(condition);
  const Local* local = present ? local_in(present->form.value) : nullptr;
  if (local && holder(local->name)) learn(holder(local->name), holds);
}

void ReservationFlow::learn(Name variable, bool is_there) {
  if (!now_) return;
  const auto known = now_->find(variable);
  if (known == now_->end()) return;
  if (is_there)
    known->second.absent = false;
  else
    known->second.open = known->second.closed = false;
  if (known->second == Holding{}) now_.reset();  // no control comes here
}

}  // namespace ksc
