// SPDX-License-Identifier: Apache-2.0
/// count A n times   =>   bpf_loop(n, A as a function, &captured), unless the verifier can walk through every turn
#include "ir/effects.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::LoopsBounded>;

/// [L43] loops between constants stay plain below this many instructions.
constexpr __int128 plain_limit = 20000;

/// A rough count of instructions; nested loops multiply.
__int128 cost(const Stmt& s);
__int128 cost(const Expr& e) {
  __int128 sum = kind_of(e) == Kind::MapLookup || kind_of(e) == Kind::MapCall || kind_of(e) == Kind::MapSlot ? 20 : 2;
  if (as<Call>(e)) sum += 100;
  each_child_of(e, [&](const Expr& child) { sum += cost(child); }, [&](const Stmt& s) { sum += cost(s); });
  return sum;
}
__int128 turns_of(const CountedLoop& loop) {
  const auto* low = as<Int>(loop.low);
  const auto* high = as<Int>(loop.high);
  if (!low || !high) return -1;
  const __int128 turns = high->form.value.value - low->form.value.value + loop.inclusive;
  return turns < 0 ? 0 : turns;
}
__int128 cost(const Stmt& s) {
  __int128 sum = 2;
  each_child_of(s, [&](const Expr& e) { sum += cost(e); }, [&](const Stmt& t) { sum += cost(t); });
  if (const auto* loop = as<CountedLoop>(s)) {
    const __int128 turns = turns_of(loop->form);
    return turns < 0 || turns * sum > plain_limit ? 50 : turns * sum;  // an outlined loop costs its call
  }
  return sum;
}

/// The locals that statements name, and those that they declare.
struct Locals {
  std::map<Name, Type, ByText> used;
  std::set<Name, ByText> declared;
  void read(const Stmt& s) {
    if (const auto* let = as<Let>(s)) declared.insert(let->form.name);
    if (const auto* loop = as<CountedLoop>(s)) declared.insert(loop->form.name);
    each_child_of(s, [&](const Expr& e) { read(e); }, [&](const Stmt& t) { read(t); });
  }
  void read(const Expr& e) {
    if (const auto* local = as<Local>(e)) used[local->form.name] = local->type;
    each_child_of(e, [&](const Expr& child) { read(child); }, [&](const Stmt& s) { read(s); });
  }
};

/// Turns one loop's body into a function.
class Outliner {
 public:
  Outliner(Out& to, const Node<CountedLoop>& loop, const Body& body) : to_(to), c_(to.context), t_(c_.types), loop_(loop), body_(body) {}

  void emit() {
    Locals locals;
    for (const Stmt& s : body_.statements) locals.read(s);
    locals.read(loop_->low);
    const std::set<Name, ByText> changed = changed_locals(body_);
    find_exits(body_);
    const Loc loc = loop_.loc;

    // What leaves the loop for good is noted, and done after it: 0 the loop ended, 1 return, 2… a tail call.
    Type flag = t_.u32();
    if (returns_ || !tail_calls_.empty()) {
      left_ = to_.fresh("left");
      to_.emit(Let{left_, flag, number(0, flag)}, loc);
      locals.used[left_] = flag;
    }
    if (returns_ && result_type_) {
      result_ = to_.fresh("result");
      to_.emit(Let{result_, result_type_, {}}, loc);
      locals.used[result_] = result_type_;
    }

    // Captures: what the body changes and what is large goes by its address, the rest by value.
    const Name type_name = c_.names.fresh(std::string(to_.function()->name.spelling()) + "_loop");
    const Name struct_name = c_.name(std::string(type_name.spelling()) + "_" + std::string(type_name.text().substr(type_name.spelling().size() + 1)));
    Type structure = t_.structure(struct_name);
    std::vector<StructField> fields;
    std::vector<FieldValue> values;
    captured_ = to_.fresh("captured");
    captured_type_ = t_.pointer(structure, Space::Stack, false);
    for (const auto& [name, type] : locals.used) {
      if (locals.declared.count(name) || name == loop_->name) continue;
      const bool by_address = changed.count(name) || is_aggregate(type) || name == left_ || name == result_;
      StructField field;
      field.name = c_.name(spelled(name));
      field.type = by_address ? t_.pointer(type, Space::Stack, false) : type;
      fields.push_back(field);
      const Expr local = to_.make(Local{name}, loc, type);
      values.push_back({field.name, by_address ? Expr(to_.make(AddressOf{local}, loc, field.type)) : local});
      const Expr member = to_.make(Field{to_.make(Deref{to_.make(Local{captured_}, loc, captured_type_)}, loc, structure), field.name}, loc, field.type);
      replacements_[name] = by_address ? Expr(to_.make(Deref{member}, loc, type)) : member;
    }
    if (fields.empty()) {
      StructField field;
      field.name = c_.name("unused");
      field.type = flag;
      fields.push_back(field);
    }
    t_.complete_struct(structure, fields);
    to_.declare(StructDef{structure}, loc);

    // The function: one turn.
    const Name index = to_.fresh("turn");
    const Body turn = to_.collect([&] {
      const Expr which = to_.make(Local{index}, loc, t_.u32());
      Expr offset = loop_->type == t_.u32() ? which : Expr(to_.make(Convert{which}, loc, loop_->type));
      const auto* low = as<Int>(loop_->low);
      if (!low || low->form.value.value != 0) offset = to_.make(Binary{BinaryOp::Add, replaced(loop_->low), offset}, loc, loop_->type);
      to_.emit(Let{loop_->name, loop_->type, offset}, loc);
      statements(body_);
      end_turn(0, loc);
    });
    const std::vector<Parameter> parameters{{index, t_.u32()}, {captured_, captured_type_}};
    FunctionDef function{type_name, Domain::Shared, {}, {}, c_.span(parameters), {}, t_.i64(), false, turn};
    to_.declare(function, loc);

    // The call.
    const Name values_name = to_.fresh("captured");
    to_.emit(Let{values_name, structure, to_.make(StructValue{c_.span(values)}, loc, structure)}, loc);
    const __int128 turns = turns_of(loop_.form);
    Expr count = number(turns, t_.u32());
    if (turns < 0) {
      const Name name = to_.fresh("count");
      to_.emit(Let{name, t_.u32(), to_.make(Convert{loop_->high}, loc, t_.u32())}, loc);
      count = to_.make(Local{name}, loc, t_.u32());
    }
    const Expr function_address = to_.make(FunctionAddress{type_name}, loc, t_.pointer(t_.u8(), Space::Any, false));
    const Expr address = to_.make(AddressOf{to_.make(Local{values_name}, loc, structure)}, loc, captured_type_);
    const Stmt call = to_.make(Evaluate{to_.make(HelperCall{c_.name("bpf_loop"), c_.span<Expr>({count, function_address, address, number(0, t_.u64())})}, loc, t_.i64())}, loc);
    if (turns < 0) {
      // The verifier never enters a callback that it knows to run zero times, removes it, and then misses it.
      const Expr some = to_.make(Compare{CompareOp::NotEqual, count, number(0, t_.u32())}, loc, t_.boolean());
      to_.emit(If{c_.span<Branch>({{some, Body{c_.span<Stmt>({call})}}}), {}}, loc);
    } else {
      to_.emit_statement(call);
    }
    if (!left_) return;
    const Expr left = to_.make(Local{left_}, loc, flag);
    const auto when = [&](int code, const Stmt& then) {
      const Expr test = to_.make(Compare{CompareOp::Equal, left, number(code, flag)}, loc, t_.boolean());
      to_.emit(If{c_.span<Branch>({{test, Body{c_.span<Stmt>({then})}}}), {}}, loc);
    };
    if (returns_) {
      Option<Expr> value;
      if (result_) value = to_.make(Local{result_}, loc, result_type_);
      when(1, to_.make(Return{value}, loc));
    }
    for (size_t i = 0; i < tail_calls_.size(); ++i) when(static_cast<int>(i) + 2, to_.make(*tail_calls_[i], loc));
  }

 private:
  Expr number(__int128 value, Type type) { return to_.make(Int{{value}, {}}, loop_.loc, type); }
  /// The member's name: the local's, as one word.
  static std::string spelled(Name name) {
    std::string text(name.text());
    for (char& ch : text)
      if (ch == '.') ch = '_';
    return text;
  }

  void find_exits(const Body& body) {
    for (const Stmt& s : body.statements) find_exits(s);
  }
  void find_exits(const Stmt& s) {
    if (const auto* give = as<Return>(s)) {
      returns_ = true;
      if (give->form.value) result_type_ = type_of(*give->form.value);
    }
    if (const auto* call = as<TailCall>(s)) tail_calls_.push_back(&call->form);
    each_child_of(s, [](const Expr&) {}, [&](const Stmt& t) { find_exits(t); });
  }

  void end_turn(int stop, Loc loc) {
    if (stop == 0) return to_.emit(Return{number(0, t_.i64())}, loc);
    // The C compiler would return the bool that was asked for, and the verifier does not know that it is 0 or 1.
    const Name name = to_.fresh("stop");
    const Expr one = to_.make(Local{name}, loc, t_.i64());
    to_.emit(Let{name, t_.i64(), number(stop, t_.i64())}, loc);
    to_.emit(Evaluate{to_.make(RuntimeCall{c_.name("barrier_var"), c_.span<Expr>({one})}, loc, t_.void_type())}, loc);
    to_.emit(Return{one}, loc);
  }
  void leave(int code, Loc loc) {
    to_.emit(Assign{replacements_.at(left_), number(code, t_.u32())}, loc);
    end_turn(1, loc);
  }

  void statements(const Body& body, bool in_inner_loop = false) {
    for (const Stmt& s : body.statements) statement(s, in_inner_loop);
  }
  Body converted(const Body& body, bool in_inner_loop) {
    return to_.collect([&] { statements(body, in_inner_loop); });
  }
  void statement(const Stmt& s, bool in_inner_loop) {
    const Loc loc = loc_of(s);
    if (as<Break>(s) && !in_inner_loop) return end_turn(1, loc);
    if (as<Continue>(s) && !in_inner_loop) return end_turn(0, loc);
    if (const auto* give = as<Return>(s)) {
      if (give->form.value) to_.emit(Assign{replacements_.at(result_), named(*give->form.value)}, loc);
      return leave(1, loc);
    }
    if (const auto* assign = as<Assign>(s); assign && has_effect(assign->form.value))
      return to_.emit(Assign{replaced(assign->form.place), named(assign->form.value)}, loc);
    if (const auto* call = as<TailCall>(s)) {
      const auto at = std::find(tail_calls_.begin(), tail_calls_.end(), &call->form) - tail_calls_.begin();
      return leave(static_cast<int>(at) + 2, loc);
    }
    in_inner_loop = in_inner_loop || as<CountedLoop>(s);
    to_.emit_statement(map_children(
        c_, s, [&](const Expr& e) { return replaced(e); }, [&](const Body& body) { return converted(body, in_inner_loop); }));
  }

  /// The value, named first if it is an effect: what was a variable is now a place behind a pointer.
  Expr named(const Expr& e) {
    const Expr value = replaced(e);
    if (!has_effect(value)) return value;
    const Name name = to_.fresh("value");
    to_.emit(Let{name, type_of(value), value}, loc_of(e));
    return to_.make(Local{name}, loc_of(e), type_of(value));
  }

  /// The expression with captured locals reached through the captures.
  Expr replaced(const Expr& e) {
    if (const auto* local = as<Local>(e)) {
      auto found = replacements_.find(local->form.name);
      return found == replacements_.end() ? e : found->second;
    }
    if (!header(e).contains.has(Kind::Local)) return e;
    return map_children(c_, e, [&](const Expr& child) { return replaced(child); });
  }

  Out& to_;
  Context& c_;
  Types& t_;
  const Node<CountedLoop>& loop_;
  Body body_;
  bool returns_ = false;
  Type result_type_ = nullptr, captured_type_ = nullptr;
  std::vector<const TailCall*> tail_calls_;
  Name left_, result_, captured_;
  std::map<Name, Expr, ByText> replacements_;
};

}  // namespace

Ir<lang::LoopsBounded> outline_loops(const Ir<lang::Ebpf>& in, Context& context) {
  return rewrite<lang::Ebpf, lang::LoopsBounded>(
      in, context,
      on<FunctionDef>([](const Node<FunctionDef>& n, Out& to) {
        FunctionDef form = n.form;
        form.body = to(form.body);  // inner loops first: their functions are declared before this one
        to.declare(form, n.loc);
      }),
      on<CountedLoop>([](const Node<CountedLoop>& n, Out& to) {
        const Body body = to(n->body);
        __int128 turn = 4;
        for (const Stmt& s : body.statements) turn += cost(s);
        const __int128 turns = turns_of(n.form);
        CountedLoop form = n.form;
        form.body = body;
        if (turns >= 0 && turns * turn <= plain_limit) return to.emit(form, n.loc);
        if (!has(to.context.target, Feature::BpfLoop)) {
          to.context.diagnostics.report(n.loc, diag::target_too_old, "a loop whose end the verifier cannot see", first_kernel(Feature::BpfLoop).to_string(),
                                        to.context.target.kernel.to_string());
          return to.emit(form, n.loc);
        }
        Outliner(to, n, body).emit();
      }));
}

}  // namespace ksc
