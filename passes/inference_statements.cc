// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "ir/places.h"
#include "ir/stack_frames.h"
#include "passes/inference.h"

namespace ksc {

Body Inference::body(const Body& in) {
  return collect_statements([&] { statements(in); });
}

void Inference::statements(const Body& in) {
  bool reached = true;
  for (const Stmt& s : in.statements) {
    // A `return` that closes the function after an endless loop is a habit, not a mistake.
    const bool closes = as<Return>(s) && &s + 1 == in.statements.end();
    // What was not understood has been reported, and may have closed the body too early.
    if (!reached && !closes && !as<InvalidStmt>(s)) {
      c.diagnostics.report(loc_of(s), diag::unreachable_code);
      reached = true;  // once is enough
    }
    const size_t before = sink_->size();
    statement(s);
    for (size_t i = before; i < sink_->size(); ++i)
      if (jumps_away((*sink_)[i])) reached = false;
  }
}

void Inference::statement(const Stmt& s) {
  const Loc loc = loc_of(s);
  const auto loop_body = [&](const Body& in) {
    ++loop_depth_;
    const Body out = body(in);
    --loop_depth_;
    return out;
  };
  const auto in_loop = [&](std::string_view word) {
    if (loop_depth_ == 0) c.diagnostics.report(loc, diag::not_in_loop, std::string(word));
  };
  visit<lang::LastValuesReturned>(
      s, on<InvalidStmt>([&](const Node<InvalidStmt>& n) { emit(n.form, loc); }),
      on<VarStmt>([&](const auto& n) { var_statement(n); }),
      on<AssignStmt>([&](const auto& n) { assign_statement(n); }), on<IfVar>([&](const auto& n) { if_var(n); }),
      on<Try>([&](const auto& n) { try_statement(n); }), on<Throw>([&](const auto& n) { throw_statement(n); }),
      on<Defer>([&](const auto& n) { defer_statement(n); }), on<Delete>([&](const auto& n) { delete_statement(n); }),
      on<ForEach>([&](const auto& n) { for_each(n); }),
      on<Evaluate>([&](const Node<Evaluate>& n) { evaluate(n->value); }),
      on<Block>([&](const Node<Block>& n) { emit(Block{body(n->body)}, loc); }), on<If>([&](const Node<If>& n) {
        std::vector<Branch> branches;
        for (const Branch& branch : n->branches) {
          const Expr test = condition(branch.condition);
          branches.push_back({test, body(branch.body)});
        }
        emit(If{c.span(branches), body(n->otherwise)}, loc);
      }),
      on<For>([&](const auto& n) { for_statement(n); }), on<While>([&](const Node<While>& n) {
        const Expr test = condition(n->condition);
        emit(While{test, loop_body(n->body)}, loc);
      }),
      on<Loop>([&](const Node<Loop>& n) { emit(Loop{loop_body(n->body)}, loc); }),
      on<Break>([&](const Node<Break>& n) { in_loop("break"), emit(n.form, loc); }),
      on<Continue>([&](const Node<Continue>& n) { in_loop("continue"), emit(n.form, loc); }),
      on<Return>([&](const auto& n) { return_statement(n); }));
}

void Inference::var_statement(const Node<VarStmt>& n) {
  const Name name = n->name.name;
  Type type = n->type ? resolve(*n->type) : nullptr;
  Option<Expr> value;
  bool is_from_library = false;
  if (n->value) {
    Expr given = infer(*n->value, type);
    is_from_library = from_library_.count(&header(given));
    if (type) {
      given = coerce(given, type);
      // The value says which memory an annotated pointer points into.
      if (is(type, TypeKind::Pointer) && is(type_of(given), TypeKind::Pointer)) type = type_of(given);
    } else {
      given = settle(given);
      type = type_of(given);
      if (is(type, TypeKind::Void)) {
        c.diagnostics.report(loc_of(given), diag::void_value);
        type = t.invalid();
      }
      if (is(type, TypeKind::Null)) given = coerce(given, type = t.pointer(t.u8(), Space::Any, true));
      if (is(type, TypeKind::Map) || is(type, TypeKind::Module)) {
        unsupported(loc_of(given), "maps as values");
        type = t.invalid();
      }
      // A pointer variable may be given another pointer, null among them, later on.
      if (is(type, TypeKind::Pointer) && type->space != Space::Context)
        type = t.pointer_with_null(type, type->nullable);
    }
    if (is_moved(name) && has_known_size(type)) type = type_of(given = moving(given));
    if (is_invalid(given)) type = n->type ? type : t.invalid();
    value = given;
  } else if (!type) {
    c.diagnostics.report(n->name.loc, diag::no_type, std::string(name.spelling()));
    type = t.invalid();
  }
  if (is(type, TypeKind::Void)) {
    c.diagnostics.report(n->name.loc, diag::void_value);
    type = t.invalid();
  }
  if (is_open(type) && in_ebpf()) {
    type = remembered(name, type);
    if (!is_open(type)) value = Expr(c.make(Null{}, n.loc, type));
  }
  Type element = type;
  while (is(element, TypeKind::Array)) element = element->element;
  if (is(type, TypeKind::Program) || is(type, TypeKind::Map) || is(type, TypeKind::Module))
    type =
        type_of(unsupported(n->value ? loc_of(*n->value) : n.loc, fmt::format("a variable of type `{}`", spell(type))));
  else if (element != type &&
           (is(element, TypeKind::Pointer) || is(element, TypeKind::Maybe) || is(element, TypeKind::Handle)))
    type = type_of(unsupported(n->name.loc, fmt::format("arrays of `{}`", spell(element))));
  else if (is(type, TypeKind::Handle) && in_ebpf() && !n->value) {
    c.diagnostics.report(n->name.loc, diag::only_in_userspace, "ProgramHandle");
    type = t.invalid();
  }
  if (in_ebpf() && type && !is(type, TypeKind::Invalid) && (is_aggregate(type) || is(type, TypeKind::Str)) &&
      size_of(type) > largest_ebpf_variable) {
    c.diagnostics.report(n->name.loc, diag::stack_overflow, std::string(name.spelling()), size_of(type));
    type = t.invalid();
  }
  if (value && is_packet_end(*value)) packet_ends_.insert(name);
  if (is_from_library) held_from_library_.insert(name);
  locals_[name] = type;
  if (is(type, TypeKind::Invalid) || (value && is_invalid(*value))) return emit(InvalidStmt{}, n.loc);
  if (value) value = held_pointer(name, *value);
  emit(Let{name, type, value}, n.loc);
}

std::optional<Expr> Inference::place(const Expr& e, bool is_written) {
  if (const auto* subscript = as<Subscript>(e)) {
    const Expr base_value = infer(subscript->form.base);
    if (is(type_of(base_value), TypeKind::Map)) {
      const Expr lookup = map_lookup(base_value, *subscript);
      if (const auto* found = as<MapLookup>(lookup); found && may_access(found->form.map, true, loc_of(e)))
        return c.make(MapEntry{found->form.map, found->form.key}, loc_of(e), type_of(base_value)->element);
      return std::nullopt;
    }
    const Expr held = entry_value(base_value);
    if (is(type_of(held), TypeKind::Str) && is_written) {
      c.diagnostics.report(loc_of(e), diag::not_assignable, "the characters of a string are read-only");
      return std::nullopt;
    }
    if (is(type_of(held), TypeKind::Array) && kind_of(held) != Kind::Deref) {
      const auto base_place = place(subscript->form.base, is_written);
      const Expr whole = infer_subscript(*subscript);
      const auto* block = as<BlockValue>(whole);
      const auto* index = as<Index>(block ? *block->form.value : whole);
      if (!base_place || !index) return std::nullopt;
      return c.make(Index{*base_place, index->form.index}, loc_of(e), type_of(whole));
    }
  }
  if (const auto* member = as<Member>(e)) {
    // m[k].f = v writes in place, inserting a zero entry when there is none [L50].
    if (const auto* inner = as<Subscript>(member->form.object);
        inner && is(type_of(infer(inner->form.base)), TypeKind::Map)) {
      const auto entry = place(member->form.object, is_written);
      if (!entry) return std::nullopt;
      const Expr field = field_of(*entry, member->form.name, loc_of(e));
      return is_invalid(field) ? std::nullopt : std::optional(field);
    }
    if (kind_of(member->form.object) == Kind::Member || kind_of(member->form.object) == Kind::Subscript) {
      // a.b.c = v: the base must be a place itself
      const Expr typed = infer(member->form.object);
      if (is(type_of(typed), TypeKind::Struct)) {
        const auto base = place(member->form.object, is_written);
        if (!base) return std::nullopt;
        const Expr field = field_of(*base, member->form.name, loc_of(e));
        return is_invalid(field) ? std::nullopt : std::optional(field);
      }
    }
  }
  const Expr typed = is_written ? infer(e) : in_constant(infer(e));
  if (is_invalid(typed)) return std::nullopt;
  if (is_cpu_value(typed)) {
    c.diagnostics.report(loc_of(e), diag::cpu_value_written);
    return std::nullopt;
  }
  if (is_written && is_read_only(typed)) {
    c.diagnostics.report(loc_of(e), diag::not_assignable,
                         as<Deref>(root_of(typed)) ? "the pointer leads to a constant, or to the characters of a string"
                                                   : "a constant does not change");
    return std::nullopt;
  }
  switch (kind_of(typed)) {
    case Kind::Local:
    case Kind::Global:
    case Kind::Deref: return typed;
    case Kind::Field: {
      // Which context fields may be written is the program type's to say.
      if (const auto* pointed = as<Deref>(as<Field>(typed)->form.base)) {
        Type pointer = type_of(pointed->form.pointer);
        if (is(pointer, TypeKind::Pointer) && pointer->space == Space::Context && context_type_) {
          const std::string_view field = as<Field>(typed)->form.name.text();
          bool allowed = false;
          for (std::string_view writable : context_type_->writable) allowed |= writable == field;
          if (!allowed) {
            c.diagnostics.report(loc_of(e), diag::read_only_context, std::string(field), spell(pointer->element),
                                 std::string(context_type_->attribute));
            return std::nullopt;
          }
        }
      }
      return typed;
    }
    case Kind::Index: return typed;
    default: break;
  }
  c.diagnostics.report(loc_of(e), diag::not_assignable,
                       kind_of(typed) == Kind::Int ? "a constant does not change"
                                                   : "only variables, fields, elements and map entries are");
  return std::nullopt;
}

void Inference::assign_statement(const Node<AssignStmt>& n) {
  const auto target = place(n->place);
  if (!target) {
    infer(n->value, t.invalid());
    return emit(InvalidStmt{}, n.loc);
  }
  Type type = type_of(*target);
  if (n->op == Operator::None) {
    const bool refers = is(type, TypeKind::EntryRef);
    const Kind written = kind_of(n->value);
    const bool is_literal =
        written == Kind::StringValue || written == Kind::ArrayLiteral || written == Kind::ArrayRepeat;
    Expr given = infer(n->value, refers && is_literal ? type->element : is_open(type) ? nullptr : type);
    // [L50] a reference that is given a whole value refers to that.
    if (refers && is(type->element, TypeKind::Str) && is(type_of(given), TypeKind::Str))
      given = coerce(given, type->element);
    const bool is_value = refers && type_of(given) == type->element;
    const auto* local = as<Local>(*target);
    if (local && is_moved(local->form.name) && has_known_size(type_of(given)) &&
        type_of(given)->element == type->element)
      given = moving(given);
    if (local && local->form.name == result_name_) given = resting(given);
    if (local) learn_memory(local->form, given);
    Expr value = is_value ? Expr(c.make(Convert{given}, loc_of(given), type)) : coerce(given, type);
    if (is_invalid(value)) return emit(InvalidStmt{}, n.loc);
    if (is(type, TypeKind::Pointer) && is(type_of(value), TypeKind::Pointer) && type_of(value)->space != type->space &&
        type->space != Space::Any) {
      refuse_conversion(value, type);
      return emit(InvalidStmt{}, n.loc);
    }
    if (local && is_packet_end(value)) packet_ends_.insert(local->form.name);
    return emit(Assign{*target, value}, n.loc);
  }
  if (is(type, TypeKind::Maybe)) {
    // The new value is present: x += 1 is x = x + 1.
    const Expr sum = binary(n->op, *target, infer(n->value), n.loc);
    return is_invalid(sum) ? emit(InvalidStmt{}, n.loc) : emit(Assign{*target, coerce(sum, type)}, n.loc);
  }
  const bool is_number = is_integral(type) || is(type, TypeKind::Float);
  Expr value = entry_value(value_of_maybe(infer(n->value, is_number ? type : nullptr)));
  if (is_invalid(value)) return emit(InvalidStmt{}, n.loc);
  const bool is_shift = n->op == Operator::ShiftLeft || n->op == Operator::ShiftRight;
  if (is(type, TypeKind::Pointer)) {
    const Expr moved = binary(n->op, *target, value, n.loc);
    if (is_element_pointer(type_of(moved)) && !is_element_pointer(type)) {
      unsupported(n.loc, fmt::format("moving a pointer into {}", memory_of(type)));
      return emit(InvalidStmt{}, n.loc);
    }
    return is_invalid(moved) ? emit(InvalidStmt{}, n.loc) : emit(Assign{*target, coerce(moved, type)}, n.loc);
  }
  const bool bitwise = n->op == Operator::BitAnd || n->op == Operator::BitOr || n->op == Operator::BitXor;
  if (is(type, TypeKind::Bool) && bitwise && (kind_of(*target) == Kind::Local || kind_of(*target) == Kind::Global)) {
    const Expr whole = binary(n->op, *target, value, n.loc);
    return is_invalid(whole) ? emit(InvalidStmt{}, n.loc) : emit(Assign{*target, whole}, n.loc);
  }
  if (is(type, TypeKind::EntryRef) && is(type->element, TypeKind::Str) && n->op == Operator::Add) {
    // As for `=`: it refers to the new text from then on.
    const Expr sum = coerce(binary(n->op, entry_value(*target), value, n.loc), type->element);
    return is_invalid(sum) ? emit(InvalidStmt{}, n.loc)
                           : emit(Assign{*target, c.make(Convert{sum}, n.loc, type)}, n.loc);
  }
  if (is(type, TypeKind::Str) && n->op == Operator::Add) {
    if (is(type_of(value), TypeKind::Str)) return emit(Update{n->op, *target, value}, n.loc);
    coerce(value, type);
    return emit(InvalidStmt{}, n.loc);
  }
  if (is(type, TypeKind::Float)) {
    // What kind of operator it is, and whether the value converts, the operation says.
    const Expr whole = float_operation(n->op, *target, value, n.loc);
    const auto* operation = as<FloatOperation>(whole);
    if (operation && operation->type != type) coerce(whole, type);
    return operation && operation->type == type ? emit(Update{n->op, *target, operation->form.right}, n.loc)
                                                : emit(InvalidStmt{}, n.loc);
  }
  if (!is(type, TypeKind::Int) && !(is(type, TypeKind::Char))) {
    Diagnostic& message =
        c.diagnostics.report(n.loc, diag::operand_type, fmt::format("{}=", operator_text(n->op)), spell(type));
    // [L182] m[k] += 1 where the entry is a struct
    if (is(type, TypeKind::Struct))
      for (const StructField& field : type->body->fields)
        if (is(field.type, TypeKind::Int)) {
          message.fix(after(loc_of(n->place)), fmt::format(".{}", field.name.text()),
                      fmt::format("say which member, such as `{}`", field.name.text()));
          break;
        }
    return emit(InvalidStmt{}, n.loc);
  }
  if (is_shift) {
    const ShiftOp op = n->op == Operator::ShiftLeft ? ShiftOp::Left : ShiftOp::Right;
    const Expr whole = shift(op, *target, value, n->op, n.loc, true);
    const auto* shifted = as<Shift>(whole);
    if (!shifted) return emit(InvalidStmt{}, n.loc);
    return emit(Update{n->op, *target, shifted->form.count}, n.loc);
  }
  if ((n->op == Operator::Divide || n->op == Operator::Remainder) && as<Int>(value) &&
      as<Int>(value)->form.value.value == 0) {
    c.diagnostics.report(loc_of(n->value), diag::division_by_zero);
    return emit(InvalidStmt{}, n.loc);
  }
  value = coerce(value, type);
  if (is_invalid(value)) return emit(InvalidStmt{}, n.loc);
  emit(Update{n->op, *target, value}, n.loc);
}

void Inference::if_var(const Node<IfVar>& n) {
  if_var(n, [&] {
    const Body then = body(n->then);
    return std::pair(then, body(n->otherwise));
  });
}

void Inference::if_var(const Node<IfVar>& n, const std::function<std::pair<Body, Body>()>& branches) {
  Type wanted = n->type ? resolve(*n->type) : nullptr;
  Expr value = settle(infer(n->value, wanted));
  const Name name = n->name.name;
  if (is_moved(name) && has_known_size(type_of(value))) value = moving(value);
  Type type = type_of(value);
  if (is(type, TypeKind::Void)) c.diagnostics.report(loc_of(n->value), diag::void_value);
  const bool nullable = is(type, TypeKind::Maybe) || is(type, TypeKind::Pointer) || is(type, TypeKind::EntryRef);
  locals_[name] = type;
  if (nullable) {
    // Inside the first branch the value is there.
    const auto [then, otherwise] = branches();
    return emit(IfPresent{name, type, value, then, otherwise}, n.loc);
  }
  if (is_invalid(value)) {
    locals_[name] = t.invalid();
    branches();
    return emit(InvalidStmt{}, n.loc);
  }
  const Expr test = truth(c.make(Local{name}, loc_of(n->value), type));
  const auto [then, otherwise] = branches();
  emit(Block{{c.span<Stmt>(
           {c.make(Let{name, type, value}, n.loc), c.make(If{c.span<Branch>({{test, then}}), otherwise}, n.loc)})}},
       n.loc);
}

void Inference::for_statement(const Node<For>& n) {
  Expr low = value_of_maybe(infer(n->low)), high = value_of_maybe(infer(n->high));
  // A loop variable has the meeting type of its bounds [L142].
  Type type = nullptr;
  const auto* first = constant(low);
  const auto* last = constant(high);
  if (first && last) {
    type = default_type(last->form.value);
    if (!fits(first->form.value, type))
      type = fits(first->form.value, t.i32()) && fits(last->form.value, t.i32()) ? t.i32() : t.i64();
  } else if (first && is_integral(type_of(high))) {
    type = fits(first->form.value, type_of(high)) ? type_of(high)
                                                  : meet(smallest_integer(first->form.value), type_of(high));
  } else if (last && is_integral(type_of(low))) {
    type = fits(last->form.value, type_of(low)) ? type_of(low) : meet(type_of(low), smallest_integer(last->form.value));
  } else if (!is_invalid(low) && !is_invalid(high)) {
    type = meet(type_of(low), type_of(high));
  }
  if (is_enumeration(type)) type = type->body->underlying;
  if (!is(type, TypeKind::Int)) {
    if (!is_invalid(low) && !is_invalid(high))
      c.diagnostics.report(n.loc, diag::operands_do_not_meet, "..", spell(type_of(low)), spell(type_of(high)));
    type = t.invalid();
  }
  low = coerce(low, type);
  high = coerce(high, type);
  locals_[n->name.name] = type;
  if (first && last && first->form.value.value >= 0)
    counters_[n->name.name] = last->form.value.value - (n->inclusive ? 0 : 1);
  ++loop_depth_;
  const Body inside = body(n->body);
  --loop_depth_;
  if (is_invalid(low) || is_invalid(high)) return emit(InvalidStmt{}, n.loc);
  emit(For{n->name, low, high, n->inclusive, inside}, n.loc);
}

void Inference::for_each_cpu(const Node<ForEach>& n, const Expr& map, const Node<Apply>& call) {
  Type type = type_of(map);
  Expr key = argument_count("each_cpu", call->arguments.size(), 1, call.loc)
                 ? coerce(infer(call->arguments[0], type->key), type->key)
                 : invalid(call.loc);
  if (in_ebpf()) c.diagnostics.report(call.loc, diag::own_cpu_only, map_text(map) + ".each_cpu");
  const bool is_right = !in_ebpf() && !is_invalid(key) && may_access(map, false, call.loc);
  locals_[n->key.name] = t.u32();
  locals_[n->value.name] = type->element;
  ++loop_depth_;
  const Body inside = body(n->body);
  --loop_depth_;
  if (!is_right) return emit(InvalidStmt{}, n.loc);
  emit(CpuLoop{n->key.name, n->value.name, map, key, inside}, n.loc);
}

void Inference::for_each(const Node<ForEach>& n) {
  const auto* call = as<Apply>(n->map);
  if (const auto* method = call ? as<Member>(call->form.callee) : nullptr;
      method && method->form.name.name == "each_cpu")
    if (const Expr map = infer(method->form.object);
        is(type_of(map), TypeKind::Map) && find_map_kind(type_of(map)->name.text())->per_cpu)
      return for_each_cpu(n, map, *call);
  const Expr map = infer(n->map);
  Type type = type_of(map);
  const auto* name = as<MapName>(map);
  const bool has_entries = name && type->key;
  const bool is_right = has_entries && may_access(map, false, loc_of(n->map));
  if (!has_entries && !is_invalid(map)) c.diagnostics.report(loc_of(n->map), diag::not_iterable, spell(type));
  // Where m[k] is no one value, the loop gives keys.
  const bool keys_only = is_right && !has_whole_value(type);
  if (keys_only) keys_only_[n->value.name] = map;
  // As m[k] would be [L50]: a struct or an array is referred to, and there is one; a number is copied.
  const bool refers = is_right && !keys_only && is_aggregate(type->element);
  const Name entry = refers ? n->value.name : c.names.fresh("entry");
  Type entry_type = !is_right ? t.invalid()
                    : refers  ? t.entry_ref(type->element, name->form.name, true)
                              : t.pointer(type->element, Space::MapValue, false);
  locals_[n->key.name] = is_right ? type->key : t.invalid();
  locals_[n->value.name] = !is_right ? t.invalid() : refers ? entry_type : type->element;
  ++loop_depth_;
  const Body inside = collect_statements([&] {
    if (is_right && !refers && !keys_only) {
      const Expr value = c.make(Deref{c.make(Local{entry}, n->value.loc, entry_type)}, n->value.loc, type->element);
      emit(Let{n->value.name, type->element, value}, n.loc);
    }
    statements(n->body);
  });
  --loop_depth_;
  if (!is_right) return emit(InvalidStmt{}, n.loc);
  emit(MapLoop{n->key.name, entry, entry_type, map, inside}, n.loc);
}

void Inference::return_statement(const Node<Return>& n) {
  if (in_deferred_) return report_leaving("`return` stands", n.loc), emit(InvalidStmt{}, n.loc);
  if (is(result_, TypeKind::Void)) {
    if (n->value) {
      const Expr value = infer(*n->value);
      if (!is_invalid(value) && !is(type_of(value), TypeKind::Void))
        c.diagnostics.report(loc_of(*n->value), diag::type_mismatch, spell(type_of(value)), "no value")
            .note(
                fmt::format("a function that returns a value says so before its body: `-> {}`", spell(type_of(value))));
      if (is_invalid(value)) return emit(InvalidStmt{}, n.loc);
      if (is(type_of(value), TypeKind::Void)) emit(Evaluate{value}, n.loc);
    }
    return emit(Return{}, n.loc);
  }
  if (!n->value && result_name_) {
    if (is_in_packet(result_)) return return_pointer(c.make(Local{result_name_}, n.loc, result_), n.loc);
    return emit(Return{}, n.loc);
  }
  if (!n->value) {
    c.diagnostics.report(n.loc, diag::type_mismatch, "nothing", spell(result_));
    return emit(InvalidStmt{}, n.loc);
  }
  // What says no memory is no help for what may say one.
  const Expr given = resting(infer(*n->value, is_open(result_) ? nullptr : result_));
  if (program_type_) warn_of_foreign_verdicts(given);
  // What a body ends with is its value if it has one; `return f()` asks for one [L10].
  if (const bool is_written = !(n.loc == loc_of(*n->value)); !is_written && is(type_of(given), TypeKind::Void)) {
    emit(Evaluate{given}, n.loc);
    if (result_name_ && !is_in_packet(result_)) emit(Return{}, n.loc);
    return;
  }
  if (is(type_of(given), TypeKind::Struct) && is(result_, TypeKind::Pointer) && result_->element == type_of(given)) {
    // [L182] return S { … } as *S
    c.diagnostics.report(loc_of(*n->value), diag::type_mismatch, spell(type_of(given)), spell(result_))
        .fix(result_loc_, spell(type_of(given)), "return it by value");
    return emit(InvalidStmt{}, n.loc);
  }
  if (is_open(result_) && domain_ == Domain::Shared) {
    learn_result(given);
    return emit(InvalidStmt{}, n.loc);
  }
  const Expr value = coerce(given, result_);
  if (is_invalid(value)) return emit(InvalidStmt{}, n.loc);
  if (is_in_packet(result_)) return return_pointer(is_in_packet(type_of(given)) ? given : value, n.loc);
  emit(Return{value}, n.loc);
}

void Inference::delete_pointer(const Node<Delete>& n) {
  const Expr pointer = infer(n->place);
  if (is_invalid(pointer)) return emit(InvalidStmt{}, n.loc);
  Type type = type_of(pointer);
  const bool leads_to_heap = in_ebpf() ? is_object(type) : points_into(type, Space::Heap) || is_open(type);
  if (!leads_to_heap) {
    c.diagnostics.report(loc_of(n->place), diag::not_deletable,
                         may_lead(type) ? fmt::format("a pointer to {}", memory_of(type)) : spell(type));
    return emit(InvalidStmt{}, n.loc);
  }
  emit(Evaluate{c.make(BuiltinCall{c.name("delete"), c.span<Expr>({pointer})}, n.loc, t.void_type())}, n.loc);
}

void Inference::delete_statement(const Node<Delete>& n) {
  const auto* subscript = as<Subscript>(n->place);
  const Expr base = subscript ? infer(subscript->form.base) : infer(n->place);
  if (is_invalid(base)) return emit(InvalidStmt{}, n.loc);
  if (!subscript || !is(type_of(base), TypeKind::Map)) return delete_pointer(n);
  const MapKind* kind = find_map_kind(type_of(base)->name.text());
  if (!type_of(base)->key) {
    infer(subscript->form.index);
    c.diagnostics.report(loc_of(n->place), diag::not_indexable, spell(type_of(base)));
    return emit(InvalidStmt{}, n.loc);
  }
  if (!kind->can_delete) {
    Type value = type_of(base)->element;
    const std::string zero = is(value, TypeKind::Bool)     ? "false"
                             : is(value, TypeKind::Struct) ? fmt::format("{}::new()", spell(value))
                             : is_integral(value)          ? "0"
                                                           : "";
    Diagnostic& message = c.diagnostics.report(n.loc, diag::delete_from_array, spell(type_of(base)));
    if (zero.empty() || !as<MapName>(base)) {
      message.note("write zero instead: `m[k] = 0` or `V::new()`");
    } else {
      message.fix(between(n.loc, loc_of(n->place)), "", "write zero instead");
      message.fix(after(loc_of(n->place)), " = " + zero);
    }
    return emit(InvalidStmt{}, n.loc);
  }
  const Expr key = coerce(infer(subscript->form.index, type_of(base)->key), type_of(base)->key);
  if (is_invalid(key) || !may_access(base, true, n.loc)) return emit(InvalidStmt{}, n.loc);
  emit(MapDelete{base, key}, n.loc);
}

namespace {

bool is_pure_builtin(std::string_view name) {
  return name == "min" || name == "max" || name == "abs" || name.starts_with("bswap") || name.starts_with("hton") ||
         name.starts_with("ntoh");
}

bool only_reads(const MapCall& call) {
  const MapKind* kind = find_map_kind(type_of(call.map)->name.text());
  return std::any_of(kind->methods.begin(), kind->methods.end(),
                     [&](const MapMethod& method) { return call.method == method.name && method.only_reads; });
}

}  // namespace

void Inference::evaluate(const Expr& e) {
  const Loc loc = loc_of(e);
  if (const auto* match = as<Match>(e)) {
    const Expr value = infer_match(*match, nullptr, false);
    return is_invalid(value) ? emit(InvalidStmt{}, loc) : emit(Evaluate{value}, loc);
  }
  if (const auto* choice = as<IfValue>(e)) {
    // An `if` at the end of an arm, whose value nobody takes, is a statement.
    const auto branch_body = [&](const Expr& branch) { return as<BlockValue>(unused_value(branch))->form.body; };
    std::vector<Branch> branches;
    for (const ValueBranch& branch : choice->form.branches) {
      const Expr test = condition(branch.condition);
      branches.push_back({test, branch_body(branch.value)});
    }
    return emit(If{c.span(branches), branch_body(choice->form.otherwise)}, loc);
  }
  if (as<BlockValue>(e)) {
    for (const Stmt& s : as<BlockValue>(unused_value(e))->form.body.statements) sink_->push_back(s);
    return;
  }
  if (const auto* apply = as<Apply>(e))
    if (const auto* callee = as<GlobalName>(apply->form.callee);
        callee && callee->form.name == "print" && !find_entity(callee->form.name))
      return print_statement(*apply);
  statement_call_ = loc;
  Expr value = infer(e);
  if (is_invalid(value)) return emit(InvalidStmt{}, loc);
  // e? alone is a test.
  if (const auto* block = as<BlockValue>(value); block && (!block->form.value || as<Propagate>(e))) {
    for (const Stmt& s : block->form.body.statements) sink_->push_back(s);
    return;
  }
  const Kind kind = kind_of(value);
  const bool has_effect =
      (kind == Kind::BuiltinCall && !is_pure_builtin(as<BuiltinCall>(value)->form.function.text())) ||
      kind == Kind::Call || kind == Kind::IndirectCall || kind == Kind::HelperCall ||
      (kind == Kind::MapCall && !only_reads(as<MapCall>(value)->form)) || is(type_of(value), TypeKind::Void);
  if (!has_effect) {
    c.diagnostics.report(loc, diag::value_not_used);
    return emit(InvalidStmt{}, loc);
  }
  // A failing attach whose result nobody looks at ends the program [L71].
  if (const auto* call = as<BuiltinCall>(value); call && call->form.function == "attach")
    value = c.make(BuiltinCall{c.name("attach_or_exit"), call->form.arguments}, loc, t.void_type());
  emit(Evaluate{value}, loc);
}

}  // namespace ksc
