// SPDX-License-Identifier: Apache-2.0
/// var p = &a[1]; p += n; *p   =>   var p = &a; var p_index = 1; p_index += n; (*p)[p_index]
#include <fmt/format.h>

#include "ir/effects.h"
#include "ir/places.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::PointersSplit>;

/// A pointer that moves: one to its array, and the number of the element that it leads to.
struct ElementParts {
  Expr pointer, index;
};

const Node<Deref>* moved_root(const Expr& place) {
  const auto* deref = as<Deref>(root_of(place));
  return deref && is_element_pointer(type_of(deref->form.pointer)) ? deref : nullptr;
}

class PointerSplitting {
 public:
  PointerSplitting(Out& to, NameMap<Name>& indexes) : to_(to), types_(to.context.types), indexes_(indexes) {}

  /// The pointer's parts; what has to run before they are computed is emitted.
  ElementParts parts(const Expr& e) {
    const Loc loc = loc_of(e);
    Type type = array_pointer(type_of(e));
    if (const auto* local = as<Local>(e)) {
      const Name name = local->form.name;
      const Name index = indexes_.count(name) ? indexes_.at(name) : index_of(name);  // its declaration was refused
      return {to_.make(Local{name}, loc, type), to_.make(Local{index}, loc, types_.i64())};
    }
    if (const auto* element = as<ElementPointer>(e)) return {to_(element->form.array), to_(element->form.index)};
    if (const auto* sum = as<PointerAdd>(e)) {
      const ElementParts from = parts(sum->form.pointer);
      const Expr count = to_(sum->form.count);
      const auto* number = as<Int>(from.index);
      if (number && number->form.value.value == 0) return {from.pointer, count};
      return {from.pointer, to_.make(Binary{BinaryOp::Add, from.index, count}, loc, types_.i64())};
    }
    if (const auto* converted = as<Convert>(e)) {
      const ElementParts inner = parts(converted->form.value);
      return {type_of(inner.pointer) == type ? inner.pointer : Expr(to_.make(Convert{inner.pointer}, loc, type)),
              inner.index};
    }
    if (const auto* block = as<BlockValue>(e)) {
      to_.emit(to_(block->form.body));
      return parts(*block->form.value);
    }
    if (as<Null>(e)) return {to_.make(Null{}, loc, type), number(0, loc)};
    return chosen(e, type);
  }

  /// What `build` makes of the pointer's parts, behind what they need.
  template <class Build>
  Expr with_parts(const Expr& pointer, Build&& build) {
    Option<Expr> built;
    const Body before = to_.collect([&] { built = build(parts(pointer)); });
    return before.statements.empty() ? *built
                                     : Expr(to_.make(BlockValue{before, *built}, loc_of(*built), type_of(*built)));
  }

  void declare(const Node<Let>& n) {
    Type type = array_pointer(n->type);
    const ElementParts given =
        n->value ? parts(*n->value) : ElementParts{to_.make(Null{}, n.loc, type), number(0, n.loc)};
    to_.emit(Let{n->name, type, given.pointer}, n.loc);
    to_.emit(Let{index_of(n->name), types_.i64(), given.index}, n.loc);
  }
  void assign(const Node<Assign>& n) {
    ElementParts given = parts(n->value);
    const ElementParts mine = parts(n->place);
    const auto* same = as<Local>(given.pointer);
    if (!same || !(same->form.name == as<Local>(mine.pointer)->form.name)) {
      // The number may be read through what the pointer was.
      if (may_have_effect(given.pointer)) given.pointer = held("array", given.pointer);
      given.index = held("index", given.index);
      to_.emit(Assign{mine.pointer, given.pointer}, n.loc);
    }
    to_.emit(Assign{mine.index, given.index}, n.loc);
  }
  void declare_present(const Node<IfPresent>& n) {
    ElementParts given = parts(n->value);
    if (may_have_effect(given.pointer)) given.pointer = held("array", given.pointer);
    to_.emit(Let{index_of(n->name), types_.i64(), given.index}, n.loc);
    to_.emit(IfPresent{n->name, array_pointer(n->type), given.pointer, to_(n->then), to_(n->otherwise)}, n.loc);
  }
  std::vector<Parameter> parameters(const Span<Parameter>& in) {
    std::vector<Parameter> out;
    for (const Parameter& p : in) {
      const bool moves = is_element_pointer(p.type);
      out.push_back({p.name, moves ? array_pointer(p.type) : p.type});
      if (moves) out.push_back({index_of(p.name), types_.i64()});
    }
    return out;
  }

  /// What stands behind a pointer, or a part of it, where it is read.
  Expr read(const Expr& e) {
    const auto* deref = moved_root(e);
    if (!in_userspace()) return with_parts(deref->form.pointer, [&](const ElementParts& at) { return part(e, at); });
    return with_parts(deref->form.pointer, [&](ElementParts at) -> Expr {
      at.index = held("index", at.index);
      const Loc loc = loc_of(e);
      Type type = type_of(e);
      const Expr zero = is_integral(type) ? Expr(to_.make(Int{{0}, {}}, loc, type)) : to_.make(Zero{}, loc, type);
      return to_.make(Conditional{is_inside(at, deref->form.pointer), part(e, at), zero}, loc, type);
    });
  }
  /// Emits what `write` makes of the place, which in userspace may be none.
  template <class Write>
  void written(const Expr& place, const Expr& value, Loc loc, Write&& write) {
    const auto* deref = moved_root(place);
    ElementParts at = parts(deref->form.pointer);
    if (!in_userspace()) return write(part(place, at), to_(value));
    at.index = held("index", at.index);
    const Expr given = held("value", to_(value));
    const Body then = to_.collect([&] { write(part(place, at), given); });
    to_.emit(If{to_.context.span<Branch>({{is_inside(at, deref->form.pointer), then}}), {}}, loc);
  }

  /// The pointer to one element: null where there is none.
  Expr rested(const Node<Convert>& n) {
    return with_parts(n->value, [&](ElementParts at) -> Expr {
      const bool may_be_null = type_of(at.pointer)->nullable;
      if (may_be_null || may_have_effect(at.pointer)) at.pointer = held("array", at.pointer);
      at.index = held("index", unsigned_index(at.index));
      const Expr inside = is_inside(at, n->value);
      const Expr there = may_be_null
                             ? Expr(to_.make(And{to_.make(Present{at.pointer}, n.loc, types_.boolean()), inside}, n.loc,
                                             types_.boolean()))
                             : inside;
      // No place but an element, whatever the number: the address is computed before anyone asks.
      at.index =
          to_.make(Conditional{inside, at.index, to_.make(Int{{0}, {}}, n.loc, types_.u64())}, n.loc, types_.u64());
      const Expr element = element_at(at, n.type->element, n.loc);
      const Expr address = to_.make(AddressOf{element}, n.loc, types_.pointer_with_null(n.type, false));
      return to_.make(Conditional{there, address, to_.make(Null{}, n.loc, n.type)}, n.loc, n.type);
    });
  }
  Expr compared(const Node<Compare>& n) {
    return with_parts(n->left, [&](const ElementParts& left) {
      return with_parts(n->right, [&](const ElementParts& right) -> Expr {
        const auto compare = [&](const Expr& a, const Expr& b) {
          return Expr(to_.make(Compare{n->op, a, b}, n.loc, types_.boolean()));
        };
        const Expr numbers = compare(left.index, right.index);
        if (n->op == CompareOp::Equal)
          return to_.make(And{compare(left.pointer, right.pointer), numbers}, n.loc, types_.boolean());
        if (n->op == CompareOp::NotEqual)
          return to_.make(Or{compare(left.pointer, right.pointer), numbers}, n.loc, types_.boolean());
        return numbers;
      });
    });
  }
  Expr difference(const Node<PointerDifference>& n) {
    return with_parts(n->left, [&](const ElementParts& left) {
      return with_parts(n->right, [&](const ElementParts& right) -> Expr {
        const Expr numbers = to_.make(Binary{BinaryOp::Subtract, left.index, right.index}, n.loc, types_.i64());
        return to_.make(Convert{numbers}, n.loc, n.type);
      });
    });
  }
  Expr call(const Node<Call>& n) {
    std::vector<Expr> arguments;
    const Body before = to_.collect([&] {
      for (const Expr& argument : n->arguments) {
        if (!is_element_pointer(type_of(argument))) {
          arguments.push_back(to_(argument));
          continue;
        }
        const ElementParts passed = parts(argument);
        arguments.push_back(passed.pointer);
        arguments.push_back(passed.index);
      }
    });
    const auto called = [&] { return Expr(to_.make(Call{n->function, to_.context.span(arguments)}, n.loc, n.type)); };
    if (before.statements.empty()) return called();
    return to_.make(BlockValue{before, called()}, n.loc, n.type);
  }

 private:
  bool in_userspace() const { return to_.function()->domain == Domain::User; }
  Type array_pointer(Type type) {
    return types_.pointer(types_.array(type->element, type->count), type->space, type->nullable);
  }
  Expr number(int64_t value, Loc loc) { return to_.make(Int{{value}, {}}, loc, types_.i64()); }
  Name index_of(Name pointer) { return indexes_[pointer] = to_.fresh(fmt::format("{}_index", pointer.spelling())); }
  Expr held(std::string_view hint, const Expr& value) {
    if (as<Int>(value) || as<Local>(value)) return value;
    const Name name = to_.fresh(hint);
    to_.emit(Let{name, type_of(value), value}, loc_of(value));
    return to_.make(Local{name}, loc_of(value), type_of(value));
  }
  /// A number below zero becomes one that is far out of range.
  Expr unsigned_index(const Expr& index) {
    if (!is_signed(type_of(index))) return index;
    const auto* known = as<Int>(index);
    if (known && known->form.value.value >= 0) return to_.make(Int{known->form.value, {}}, known->loc, types_.u64());
    return to_.make(Convert{index}, loc_of(index), types_.u64());
  }
  Expr element_at(const ElementParts& at, Type element, Loc loc) {
    const auto* address = as<AddressOf>(at.pointer);
    const Expr array =
        address ? address->form.place : Expr(to_.make(Deref{at.pointer}, loc, type_of(at.pointer)->element));
    return to_.make(Index{array, unsigned_index(at.index)}, loc, element);
  }
  /// The same part of what now is an element of an array.
  Expr part(const Expr& e, const ElementParts& at) {
    if (const auto* field = as<Field>(e))
      return to_.make(Field{part(field->form.base, at), field->form.name}, field->loc, field->type);
    if (const auto* element = as<Index>(e)) {
      const Expr base = part(element->form.base, at);
      return to_.make(Index{base, to_(element->form.index)}, element->loc, element->type);
    }
    return element_at(at, type_of(e), loc_of(e));
  }
  Expr is_inside(const ElementParts& at, const Expr& pointer) {
    const Loc loc = loc_of(pointer);
    const Expr index = unsigned_index(at.index);
    const Expr count = to_.make(Int{{static_cast<__int128>(type_of(pointer)->count)}, {}}, loc, types_.u64());
    return to_.make(Compare{CompareOp::Less, index, count}, loc, types_.boolean());
  }
  /// A choice: each of its values notes which element it leads to.
  ElementParts chosen(const Expr& e, Type type) {
    const Loc loc = loc_of(e);
    const Name name = to_.fresh("index");
    const Expr index = to_.make(Local{name}, loc, types_.i64());
    to_.emit(Let{name, types_.i64(), number(0, loc)}, loc);
    const auto arm = [&](const Expr& value) -> Expr {
      if (!is_element_pointer(type_of(value))) return to_(value);  // it leaves
      Option<Expr> pointer;
      const Body body = to_.collect([&] {
        const ElementParts given = parts(value);
        pointer = given.pointer;
        to_.emit(Assign{index, given.index}, loc);
      });
      return to_.make(BlockValue{body, *pointer}, loc_of(value), type_of(*pointer));
    };
    Option<Expr> pointer;
    if (const auto* choice = as<Conditional>(e)) {
      const Expr condition = to_(choice->form.condition), then = arm(choice->form.then);
      pointer = to_.make(Conditional{condition, then, arm(choice->form.otherwise)}, loc, type);
    } else if (const auto* branches = as<IfValue>(e)) {
      std::vector<ValueBranch> out;
      for (const ValueBranch& branch : branches->form.branches) {
        const Expr condition = to_(branch.condition);
        out.push_back({condition, arm(branch.value)});
      }
      pointer = to_.make(IfValue{to_.context.span(out), arm(branches->form.otherwise)}, loc, type);
    } else {
      std::vector<MatchArm> out;
      const auto& match = as<Match>(e)->form;
      const Expr subject = to_(match.subject);
      for (const MatchArm& one : match.arms) out.push_back({one.patterns, arm(one.value)});
      pointer = to_.make(Match{subject, to_.context.span(out)}, loc, type);
    }
    return {held("array", *pointer), index};
  }

  Out& to_;
  Types& types_;
  NameMap<Name>& indexes_;
};

}  // namespace

// The verifier, C compilers and the passes behind this one know arrays and numbers; of a pointer that has moved nobody
// knows how far it is from the end.
Ir<lang::PointersSplit> split_element_pointers(const Ir<lang::Typed>& in, Context& context) {
  NameMap<Name> indexes;  // names are unique, so one map serves the whole program
  const auto moves = [](const Expr& e) { return is_element_pointer(type_of(e)); };
  const auto read = [&](const auto& n, Out& to) -> Expr {
    const Expr e = Ref<std::remove_cvref_t<decltype(n.form)>>{&n};
    return moved_root(e) ? PointerSplitting(to, indexes).read(e) : to.rebuild(n);
  };
  // Where nothing takes both parts, which is in what has been refused, the first stands for both.
  const auto alone = [&](const auto& n, Out& to) -> Expr {
    const Expr e = Ref<std::remove_cvref_t<decltype(n.form)>>{&n};
    if (!moves(e)) return to.rebuild(n);
    return PointerSplitting(to, indexes).with_parts(e, [](const ElementParts& parts) { return parts.pointer; });
  };
  return rewrite<lang::Typed, lang::PointersSplit>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        FunctionDef form = n.form;
        form.parameters = to.context.span(PointerSplitting(to, indexes).parameters(n->parameters));
        form.body = to(n->body);
        to.declare(form, n.loc);
      }),
      on<Let>([&](const Node<Let>& n, Out& to) {
        if (is_element_pointer(n->type)) return PointerSplitting(to, indexes).declare(n);
        to.emit(Let{n->name, n->type, to(n->value)}, n.loc);
      }),
      on<IfPresent>([&](const Node<IfPresent>& n, Out& to) {
        if (is_element_pointer(n->type)) return PointerSplitting(to, indexes).declare_present(n);
        const Expr value = to(n->value);
        to.emit(IfPresent{n->name, n->type, value, to(n->then), to(n->otherwise)}, n.loc);
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        if (moves(n->place)) return PointerSplitting(to, indexes).assign(n);
        if (moved_root(n->place))
          return PointerSplitting(to, indexes)
              .written(n->place, n->value, n.loc, [&](const Expr& place, const Expr& value) {
                to.emit(Assign{place, value}, n.loc);
              });
        const Expr place = to(n->place);
        to.emit(Assign{place, to(n->value)}, n.loc);
      }),
      on<Update>([&](const Node<Update>& n, Out& to) {
        if (moved_root(n->place))
          return PointerSplitting(to, indexes)
              .written(n->place, n->value, n.loc, [&](const Expr& place, const Expr& value) {
                to.emit(Update{n->op, place, value}, n.loc);
              });
        const Expr place = to(n->place);
        to.emit(Update{n->op, place, to(n->value)}, n.loc);
      }),
      on<Evaluate>([&](const Node<Evaluate>& n, Out& to) {
        if (!moves(n->value)) return to.emit(Evaluate{to(n->value)}, n.loc);
        const ElementParts unused = PointerSplitting(to, indexes).parts(n->value);
        to.emit(Evaluate{unused.pointer}, n.loc);
        to.emit(Evaluate{unused.index}, n.loc);
      }),
      on<ElementPointer>([](const Node<ElementPointer>& n, Out& to) -> Expr { return to(n->array); }),
      on<Call>([&](const Node<Call>& n, Out& to) -> Expr {
        return std::any_of(n->arguments.begin(), n->arguments.end(), moves) ? PointerSplitting(to, indexes).call(n)
                                                                            : to.rebuild(n);
      }),
      on<Present>([&](const Node<Present>& n, Out& to) -> Expr {
        if (!moves(n->value)) return to.rebuild(n);
        return PointerSplitting(to, indexes).with_parts(n->value, [&](const ElementParts& parts) -> Expr {
          return to.make(Present{parts.pointer}, n.loc, n.type);
        });
      }),
      on<Convert>([&](const Node<Convert>& n, Out& to) -> Expr {
        return moves(n->value) ? PointerSplitting(to, indexes).rested(n) : to.rebuild(n);
      }),
      on<Compare>([&](const Node<Compare>& n, Out& to) -> Expr {
        return moves(n->left) ? PointerSplitting(to, indexes).compared(n) : to.rebuild(n);
      }),
      on<PointerDifference>([&](const Node<PointerDifference>& n, Out& to) -> Expr {
        return moves(n->left) ? PointerSplitting(to, indexes).difference(n) : to.rebuild(n);
      }),
      on<Deref>(read), on<Field>(read), on<Index>(read), on<Local>(alone), on<Null>(alone), on<PointerAdd>(alone),
      on<Conditional>(alone), on<IfValue>(alone), on<Match>(alone), on<BlockValue>(alone));
}

}  // namespace ksc
