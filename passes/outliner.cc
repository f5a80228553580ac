// SPDX-License-Identifier: Apache-2.0
#include "passes/outliner.h"

#include "ir/effects.h"
#include "passes/member_names.h"

namespace ksc {
namespace {

/// The locals that statements name, and those that they declare.
struct Locals {
  std::map<Name, Type, ByText> used;
  std::set<Name, ByText> declared;
  void read(const Stmt& s) {
    if (const auto* let = as<Let>(s)) declared.insert(let->form.name);
    if (const auto* loop = as<CountedLoop>(s)) declared.insert(loop->form.name);
    each_child_of(
        s, [&](const Expr& e) { read(e); }, [&](const Stmt& t) { read(t); });
  }
  void read(const Expr& e) {
    if (const auto* local = as<Local>(e)) used[local->form.name] = local->type;
    each_child_of(
        e, [&](const Expr& child) { read(child); }, [&](const Stmt& s) { read(s); });
  }
};

bool points_to_context(Type type) { return is(type, TypeKind::Pointer) && type->space == Space::Context; }

/// Whether who is given the value is given the context, alone or with what else a loop's turns need.
bool gives_context(const Expr& e) {
  Type type = type_of(e);
  if (points_to_context(type)) return true;
  if (!is(type, TypeKind::Pointer) || !is(type->element, TypeKind::Struct)) return false;
  const auto& fields = type->element->body->fields;
  return std::any_of(fields.begin(), fields.end(), [](const StructField& f) { return points_to_context(f.type); });
}

/// Whether what is known of the packet may be lost in the body, by pulling, also in a loop inside that is a function
/// already.
bool may_pull(const Body& body) {
  std::function<bool(const Expr&)> in_expr;
  std::function<bool(const Stmt&)> in_stmt = [&](const Stmt& s) {
    bool found = false;
    each_child_of(
        s, [&](const Expr& e) { found = found || in_expr(e); }, [&](const Stmt& t) { found = found || in_stmt(t); });
    return found;
  };
  in_expr = [&](const Expr& e) {
    const auto* helper = as<HelperCall>(e);
    bool found = helper && helper->form.helper == "bpf_skb_pull_data";
    const bool turns = helper && helper->form.arguments.size() == 4 && as<FunctionAddress>(helper->form.arguments[1]);
    if (turns) found = gives_context(helper->form.arguments[2]);
    if (const auto* call = as<Call>(e))
      found = found || std::any_of(call->form.arguments.begin(), call->form.arguments.end(), gives_context);
    each_child_of(
        e, [&](const Expr& child) { found = found || in_expr(child); },
        [&](const Stmt& s) { found = found || in_stmt(s); });
    return found;
  };
  return std::any_of(body.statements.begin(), body.statements.end(), in_stmt);
}

/// The variables that tell why a jump is taken, which stands behind their assignment: what was thrown. Where all that
/// they are given leads to one label, they are zero in front of it. What several jumps leave behind may not be zero: a
/// loop in a deferred block runs after its function was left.
class Reasons {
 public:
  explicit Reasons(const Body& function) { find(function); }
  bool has(Name name) const { return labels_.count(name) && !others_.count(name); }

 private:
  void find(const Body& body) {
    const Span<Stmt> all = body.statements;
    for (size_t i = 0; i < all.size(); ++i) {
      const auto* assign = as<Assign>(all[i]);
      const auto* reason = assign ? as<Local>(assign->form.place) : nullptr;
      if (reason) note(reason->form.name, i + 1 < all.size() ? as<Goto>(all[i + 1]) : nullptr);
      each_body_of(all[i], [&](const Body& inner) { find(inner); });
    }
  }
  void note(Name name, const Node<Goto>* jump) {
    if (!name.is_generated() || !jump) {
      others_.insert(name);
      return;
    }
    const auto [known, is_new] = labels_.try_emplace(name, jump->form.label);
    if (!is_new && !(known->second == jump->form.label)) others_.insert(name);
  }

  NameMap<Name> labels_;
  NameSet others_;
};

/// The call of what ends a reservation.
const Node<HelperCall>* closing_call(const Stmt& s) {
  const auto* evaluated = as<Evaluate>(s);
  const auto* call = evaluated ? as<HelperCall>(evaluated->form.value) : nullptr;
  const bool closes =
      call && (call->form.helper.text().starts_with("bpf_ringbuf_submit") ||
               call->form.helper.text().starts_with("bpf_ringbuf_discard") || call->form.helper == "bpf_obj_drop_impl");
  return closes ? call : nullptr;
}

/// The variable that a pointer is, behind those that are declared with it.
Expr held_by(Expr pointer, const NameMap<Expr>& aliases) {
  for (;;) {
    while (const auto* converted = as<Convert>(pointer)) pointer = converted->form.value;
    if (const auto* address = as<AddressOf>(pointer)) pointer = address->form.place;  // of a dynptr
    const auto* local = as<Local>(pointer);
    const auto alias = local ? aliases.find(local->form.name) : aliases.end();
    if (alias == aliases.end() || as<HelperCall>(alias->second)) return pointer;
    pointer = alias->second;
  }
}

}  // namespace

void Outliner::emit() {
  // What is captured has its place on the stack until the loop has ended: a block, so that the next loop gets the same.
  const Body call = to_.collect([&] { emit_call(); });
  to_.emit(Block{call}, loop_.loc);
}

void Outliner::emit_call() {
  find_exits(loop_.body);
  emit_exits();
  find_closed(loop_.body);
  for (auto& [variable, closed] : closed_) {
    closed.which = to_.fresh("closing");
    to_.emit(Let{closed.which, t_.u64(), number(0, t_.u64())}, loop_.loc);
  }
  const Name function = c_.names.fresh(std::string(to_.function()->name.spelling()) + std::string(loop_suffix));
  structure_ = t_.structure(c_.name(word_of(function)));
  if (structure_->body->complete) structure_ = t_.structure(c_.names.fresh(word_of(function)));  // the developer's
  captured_type_ = t_.pointer(structure_, Space::Stack, false);
  const Span<FieldValue> values = capture();
  declare_function(function);

  const Loc loc = loop_.loc;
  const Name captures = to_.fresh("captured");
  to_.emit(Let{captures, structure_, to_.make(StructValue{values}, loc, structure_)}, loc);
  loop_.call(to_.make(FunctionAddress{function}, loc, t_.pointer(t_.u8(), Space::Any, false)),
             to_.make(AddressOf{to_.make(Local{captures}, loc, structure_)}, loc, captured_type_));
  emit_closing();
  if (left_) emit_leaving();
}

void Outliner::emit_exits() {
  // What leaves the loop for good is noted, and done after it: 0 the loop ended, 1 return, 2… a jump. It has 64
  // bits, so that the verifier knows which it is: of fewer on the stack it keeps no account.
  if (!returns_ && jumps_.empty()) return;
  left_ = to_.fresh("left");
  to_.emit(Let{left_, t_.u64(), number(0, t_.u64())}, loop_.loc);
  if (!returns_ || !result_type_) return;
  result_ = to_.fresh("result");
  to_.emit(Let{result_, result_type_, {}}, loop_.loc);
}

Span<FieldValue> Outliner::capture() {
  const Loc loc = loop_.loc;
  Locals locals;
  for (const Stmt& s : loop_.body.statements) locals.read(s);
  for (const Expr& e : loop_.operands) locals.read(e);
  for (Name name : loop_.bound) locals.declared.insert(name);
  if (left_) locals.used[left_] = t_.u64();
  if (result_) locals.used[result_] = result_type_;
  NameSet tells_end;
  for (const auto& [variable, closed] : closed_) {
    locals.used[closed.which] = t_.u64();
    tells_end.insert(closed.which);
  }
  const NameSet changed = changed_locals(loop_.body);
  captured_ = to_.fresh("captured");
  std::vector<StructField> fields;
  std::vector<FieldValue> values;
  for (const auto& [name, type] : locals.used) {
    if (locals.declared.count(name)) continue;
    const bool by_address =
        changed.count(name) || is_aggregate(type) || name == left_ || name == result_ || tells_end.count(name);
    StructField field;
    field.name = unused_member(name, fields, c_);
    field.type = by_address ? t_.pointer(type, Space::Stack, false) : type;
    fields.push_back(field);
    const Expr local = to_.make(Local{name}, loc, type);
    values.push_back({field.name, by_address ? Expr(to_.make(AddressOf{local}, loc, field.type)) : local});
    const Expr member =
        to_.make(Field{to_.make(Deref{to_.make(Local{captured_}, loc, captured_type_)}, loc, structure_), field.name},
                 loc, field.type);
    replacements_[name] = by_address ? Expr(to_.make(Deref{member}, loc, type)) : member;
    if (points_to_context(type)) contexts_.push_back({name, type});
  }
  if (fields.empty()) {
    StructField field;
    field.name = c_.name("unused");
    field.type = t_.u32();
    fields.push_back(field);
  }
  t_.complete_struct(structure_, fields);
  to_.declare(StructDef{structure_, {}}, loc);
  return c_.span(values);
}

void Outliner::declare_function(Name name) {
  const Body turn = to_.collect([&] {
    // A variable of its own: what C compilers compute from the context is one value as long as the context is.
    for (const Parameter& context : contexts_) {
      const Name local = to_.fresh(context.name.spelling());
      to_.emit(Let{local, context.type, replacements_.at(context.name)}, loop_.loc);
      replacements_[context.name] = to_.make(Local{local}, loop_.loc, context.type);
    }
    if (left_ && may_pull(loop_.body)) stop_if_left();
    loop_.begin_turn([&](const Expr& e) { return replaced(e); });
    statements(loop_.body);
    end_turn(0, loop_.loc);
  });
  std::vector<Parameter> parameters = loop_.parameters;
  parameters.push_back({captured_, captured_type_});
  to_.declare(FunctionDef{name, Domain::Shared, {}, {}, c_.span(parameters), {}, t_.i64(), false, turn}, loop_.loc);
}

void Outliner::stop_if_left() {
  const Loc loc = loop_.loc;
  const auto stop_if = [&](const Expr& code) {
    const Expr is_set = to_.make(Compare{CompareOp::NotEqual, code, number(0, type_of(code))}, loc, t_.boolean());
    to_.emit(If{c_.span<Branch>({{is_set, to_.collect([&] { end_turn(1, loc); })}}), {}}, loc);
  };
  stop_if(replacements_.at(left_));
  // Behind a turn the verifier forgets what it has changed but never tests (widen_imprecise_scalars of
  // kernel/bpf/verifier.c), and would take a pull that failed for something that is caught.
  const Reasons reasons(to_.function()->body);
  const NameSet changed = changed_locals(loop_.body);
  for (const auto& [name, captured] : replacements_)
    if (reasons.has(name) && changed.count(name)) stop_if(captured);
}

void Outliner::emit_leaving() {
  const Loc loc = loop_.loc;
  const Expr left = to_.make(Local{left_}, loc, t_.u64());
  const auto when = [&](int code, const Stmt& then) {
    const Expr test = to_.make(Compare{CompareOp::Equal, left, number(code, t_.u64())}, loc, t_.boolean());
    to_.emit(If{c_.span<Branch>({{test, Body{c_.span<Stmt>({then})}}}), {}}, loc);
  };
  if (returns_) {
    Option<Expr> value;
    if (result_) value = to_.make(Local{result_}, loc, result_type_);
    when(1, to_.make(Return{value}, loc));
  }
  for (size_t i = 0; i < jumps_.size(); ++i) when(static_cast<int>(i) + 2, jumps_[i]);
}

void Outliner::find_closed(const Body& body) {
  // What is held by two variables, as by that of `?` and the developer's, is one reservation.
  const std::function<void(const Stmt&)> find_aliases = [&](const Stmt& s) {
    const auto* let = as<Let>(s);
    if (let && let->form.value) aliases_.try_emplace(let->form.name, *let->form.value);
    each_child_of(
        s, [](const Expr&) {}, find_aliases);
  };
  for (const Stmt& s : to_.function()->body.statements) find_aliases(s);
  NameSet declared;
  std::function<void(const Stmt&)> find = [&](const Stmt& s) {
    if (const auto* let = as<Let>(s)) declared.insert(let->form.name);
    if (const auto* call = closing_call(s)) {
      const Expr held = held_by(call->form.arguments[0], aliases_);
      const auto* local = as<Local>(held);
      if (local && !declared.count(local->form.name)) {
        const Expr& given = call->form.arguments[0];
        Closed& closed =
            closed_.try_emplace(local->form.name, Closed{as<AddressOf>(given) ? given : held, {}, {}}).first->second;
        if (std::find(closed.helpers.begin(), closed.helpers.end(), call->form.helper) == closed.helpers.end())
          closed.helpers.push_back(call->form.helper);
      }
    }
    each_child_of(
        s, [](const Expr&) {}, find);
  };
  for (const Stmt& s : body.statements) find(s);
}

void Outliner::emit_closing() {
  const Loc loc = loop_.loc;
  for (const auto& [variable, closed] : closed_) {
    const Expr which = to_.make(Local{closed.which}, loc, t_.u64());
    for (size_t i = 0; i < closed.helpers.size(); ++i) {
      Expr test = to_.make(Compare{CompareOp::Equal, which, number(i + 1, t_.u64())}, loc, t_.boolean());
      // A turn has asked whether there is one; behind the loop the verifier does not know that.
      if (is_object(type_of(closed.pointer)) && type_of(closed.pointer)->nullable)
        test = to_.make(And{test, to_.make(Present{closed.pointer}, loc, t_.boolean())}, loc, t_.boolean());
      const Body call = to_.collect([&] {
        const auto arguments = c_.span<Expr>({closed.pointer, number(0, t_.u64())});
        to_.emit(Evaluate{to_.make(HelperCall{closed.helpers[i], arguments}, loc, t_.void_type())}, loc);
      });
      to_.emit(If{c_.span<Branch>({{test, call}}), {}}, loc);
    }
  }
}

void Outliner::find_exits(const Body& body) {
  for (const Stmt& s : body.statements) find_exits(s);
}

void Outliner::find_exits(const Stmt& s) {
  if (const auto* give = as<Return>(s)) {
    returns_ = true;
    if (give->form.value) result_type_ = type_of(*give->form.value);
  }
  if (const auto* inner = as<Labelled>(s)) labels_.insert(inner->form.label);
  if (jumps_out(s) && find_jump(s) == jumps_.end()) jumps_.push_back(s);
  each_child_of(
      s, [](const Expr&) {}, [&](const Stmt& t) { find_exits(t); });
}

bool Outliner::jumps_out(const Stmt& s) const {
  const auto* jump = as<Goto>(s);
  return as<TailCall>(s) || (jump && !labels_.count(jump->form.label));
}

std::vector<Stmt>::const_iterator Outliner::find_jump(const Stmt& s) const {
  const auto* jump = as<Goto>(s);
  return std::find_if(jumps_.begin(), jumps_.end(), [&](const Stmt& other) {
    const auto* known = as<Goto>(other);
    return jump && known ? jump->form.label == known->form.label : &header(s) == &header(other);
  });
}

void Outliner::end_turn(int stop, Loc loc) {
  const auto given = c_.span<Expr>({number(stop, t_.i64())});
  to_.emit(Return{to_.make(RuntimeCall{c_.name("ks_turn"), given}, loc, t_.i64())}, loc);
}

void Outliner::leave(int code, Loc loc) {
  to_.emit(Assign{replacements_.at(left_), number(code, t_.u64())}, loc);
  end_turn(1, loc);
}

void Outliner::statements(const Body& body, bool in_inner_loop) {
  for (const Stmt& s : body.statements) statement(s, in_inner_loop);
}

Body Outliner::converted(const Body& body, bool in_inner_loop) {
  return to_.collect([&] { statements(body, in_inner_loop); });
}

void Outliner::statement(const Stmt& s, bool in_inner_loop) {
  const Loc loc = loc_of(s);
  if (const auto* call = closing_call(s)) {
    const auto* local = as<Local>(held_by(call->form.arguments[0], aliases_));
    const auto known = local ? closed_.find(local->form.name) : closed_.end();
    if (known != closed_.end()) {
      const auto& helpers = known->second.helpers;
      const auto code = std::find(helpers.begin(), helpers.end(), call->form.helper) - helpers.begin() + 1;
      return to_.emit(Assign{replacements_.at(known->second.which), number(code, t_.u64())}, loc);
    }
  }
  if (as<Break>(s) && !in_inner_loop) return end_turn(1, loc);
  if (as<Continue>(s) && !in_inner_loop) return end_turn(0, loc);
  if (const auto* give = as<Return>(s)) {
    if (give->form.value) to_.emit(Assign{replacements_.at(result_), named(*give->form.value)}, loc);
    return leave(1, loc);
  }
  if (const auto* assign = as<Assign>(s); assign && has_effect(assign->form.value))
    return to_.emit(Assign{replaced(assign->form.place), named(assign->form.value)}, loc);
  if (jumps_out(s)) return leave(static_cast<int>(find_jump(s) - jumps_.begin()) + 2, loc);
  in_inner_loop = in_inner_loop || as<CountedLoop>(s);
  to_.emit_statement(map_children(
      c_, s, [&](const Expr& e) { return replaced(e); },
      [&](const Body& body) { return converted(body, in_inner_loop); }));
}

Expr Outliner::named(const Expr& e) {
  const Expr value = replaced(e);
  if (!has_effect(value)) return value;
  const Name name = to_.fresh("value");
  to_.emit(Let{name, type_of(value), value}, loc_of(e));
  return to_.make(Local{name}, loc_of(e), type_of(value));
}

Expr Outliner::replaced(const Expr& e) {
  if (const auto* local = as<Local>(e)) {
    auto found = replacements_.find(local->form.name);
    return found == replacements_.end() ? e : found->second;
  }
  if (!header(e).contains.has(Kind::Local)) return e;
  return map_children(c_, e, [&](const Expr& child) { return replaced(child); });
}

}  // namespace ksc
