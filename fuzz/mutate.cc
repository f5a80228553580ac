// SPDX-License-Identifier: Apache-2.0
#include "fuzz/mutate.h"

#include "ir/effects.h"
#include "ir/rewrite.h"

namespace ksc::fuzz {
namespace {

CompareOp flipped(CompareOp op) {
  switch (op) {
    case CompareOp::Equal: return CompareOp::NotEqual;
    case CompareOp::NotEqual: return CompareOp::Equal;
    case CompareOp::Less: return CompareOp::Greater;
    case CompareOp::LessEqual: return CompareOp::GreaterEqual;
    case CompareOp::Greater: return CompareOp::Less;
    default: return CompareOp::LessEqual;
  }
}

BinaryOp changed(BinaryOp op) {
  switch (op) {
    case BinaryOp::Add: return BinaryOp::Subtract;
    case BinaryOp::Subtract: return BinaryOp::Add;
    case BinaryOp::Multiply: return BinaryOp::Add;
    case BinaryOp::BitAnd: return BinaryOp::BitOr;
    case BinaryOp::BitOr: return BinaryOp::BitXor;
    default: return BinaryOp::BitAnd;
  }
}

Operator changed(Operator op) {
  switch (op) {
    case Operator::Add: return Operator::Subtract;
    case Operator::Subtract: return Operator::Add;
    case Operator::BitAnd: return Operator::BitOr;
    case Operator::BitOr: return Operator::BitXor;
    case Operator::BitXor: return Operator::BitAnd;
    default: return op;
  }
}

/// Whether the expression gives a value and is no place.
bool is_computed(const Expr& e) {
  switch (kind_of(e)) {
    case Kind::Binary:
    case Kind::Divide:
    case Kind::Quotient:
    case Kind::Shift:
    case Kind::CShift:
    case Kind::Unary:
    case Kind::Convert:
    case Kind::Conditional:
    case Kind::Call:
    case Kind::HelperCall:
    case Kind::RuntimeCall:
    case Kind::PointerDifference:
    case Kind::ValueOf: return true;
    default: return false;
  }
}

/// Walks a program, counts the places for one kind of mistake, and makes it at the chosen one.
class Mutator {
 public:
  Mutator(Context& context, Mutation mutation, uint64_t chosen)
      : context_(context), mutation_(mutation), chosen_(chosen) {}

  Program program(const Program& in) {
    std::vector<Decl> out;
    for (const Decl& d : in) {
      const auto* function = as<FunctionDef>(d);
      if (!function || (function->form.domain != Domain::Program && function->form.domain != Domain::Shared)) {
        out.push_back(d);
        continue;
      }
      FunctionDef form = function->form;
      form.body = body(form.body);
      out.push_back(context_.make(form, function->loc));
    }
    return context_.span(out);
  }
  uint64_t places() const { return places_; }

 private:
  /// Counts a place; whether it is the chosen one.
  bool here() { return places_++ == chosen_; }

  Body body(const Body& in) {
    std::vector<Stmt> out;
    const Span<Stmt> all = in.statements;
    for (size_t i = 0; i < all.size(); ++i) {
      const Stmt& s = all[i];
      const auto* let = as<Let>(s);
      if (mutation_ == Mutation::DropStatement && (!let || let->form.value) && here()) {
        // What is declared must stay; it starts from zero then.
        if (let) out.push_back(context_.make(Let{let->form.name, let->form.type, {}}, let->loc));
        continue;
      }
      if (mutation_ == Mutation::SwapStatements && !let && i + 1 < all.size() && here()) {
        out.push_back(all[i + 1]);
        out.push_back(s);
        ++i;
        continue;
      }
      if (mutation_ == Mutation::DuplicateEvaluation && is_repeatable(s) && here()) {
        out.push_back(let ? Stmt(context_.make(Evaluate{*let->form.value}, let->loc)) : s);
        out.push_back(s);
        continue;
      }
      out.push_back(statement(s));
    }
    return {context_.span(out)};
  }
  static bool is_repeatable(const Stmt& s) {
    switch (kind_of(s)) {
      case Kind::Evaluate:
      case Kind::Assign:
      case Kind::Update:
      case Kind::AtomicUpdate:
      case Kind::MapStore:
      case Kind::MapDelete:
      case Kind::CopyBytes:
      case Kind::Print:
      case Kind::PrintPart:
      case Kind::TraceLine: return true;
      case Kind::Let: return as<Let>(s)->form.value && has_effect(*as<Let>(s)->form.value);
      default: return false;
    }
  }

  Stmt statement(const Stmt& s) {
    if (mutation_ == Mutation::ChangeOperator) {
      if (const auto* update = as<Update>(s); update && changed(update->form.op) != update->form.op && here())
        return context_.make(Update{changed(update->form.op), update->form.place, update->form.value}, update->loc);
      if (const auto* update = as<AtomicUpdate>(s); update && here())
        return context_.make(AtomicUpdate{changed(update->form.op), update->form.pointer, update->form.value},
                             update->loc);
    }
    if (const auto* choice = as<Switch>(s))
      return context_.make(Switch{expression(choice->form.value), arms(choice->form.cases)}, choice->loc);
    return map_children(
        context_, s, [&](const Expr& e) { return expression(e); }, [&](const Body& in) { return body(in); });
  }

  Expr expression(const Expr& e) {
    if (const auto made = mistaken(e)) return *made;
    if (const auto* match = as<Match>(e))
      return context_.make(Match{expression(match->form.subject), arms(match->form.arms)}, match->loc, match->type);
    return map_children(
        context_, e, [&](const Expr& child) { return expression(child); }, [&](const Body& in) { return body(in); });
  }

  std::optional<Expr> mistaken(const Expr& e) {
    const Loc loc = loc_of(e);
    Type type = type_of(e);
    switch (mutation_) {
      case Mutation::FlipComparison:
        if (const auto* compare = as<Compare>(e); compare && here())
          return context_.make(Compare{flipped(compare->form.op), compare->form.left, compare->form.right}, loc, type);
        break;
      case Mutation::NegateCondition:
        if ((as<Present>(e) || as<InPacket>(e) || as<And>(e) || as<Or>(e)) && here())
          return context_.make(Not{e}, loc, type);
        if (const auto* negation = as<Not>(e); negation && here()) return negation->form.value;
        break;
      case Mutation::OffByOne:
        if (const auto* number = as<Int>(e); number && is_integer(type) && here()) {
          const __int128 value = number->form.value.value,
                         most = (static_cast<__int128>(1) << (type->bits - type->is_signed)) - 1;
          return context_.make(Int{{value < most ? value + 1 : value - 1}, {}}, loc, type);
        }
        break;
      case Mutation::WidenWrongly:
        // A sign where there is none, or none where there is one.
        if (const auto* converted = as<Convert>(e)) {
          Type from = type_of(converted->form.value);
          if (is_integer(from) && is_integer(type) && from->bits < type->bits && here())
            return context_.make(Convert{context_.make(Convert{converted->form.value}, loc,
                                                       context_.types.integer(from->bits, !from->is_signed))},
                                 loc, type);
        }
        break;
      case Mutation::Narrow:
        if (is_computed(e) && is_integer(type) && type->bits > 8 && here())
          return context_.make(
              Convert{context_.make(Convert{e}, loc, context_.types.integer(type->bits / 2, type->is_signed))}, loc,
              type);
        break;
      case Mutation::SwapOperands:
        if (const auto* binary = as<Binary>(e); binary && binary->form.op == BinaryOp::Subtract && here())
          return context_.make(Binary{binary->form.op, binary->form.right, binary->form.left}, loc, type);
        if (const auto* divide = as<Divide>(e); divide && here())
          return context_.make(Divide{divide->form.op, divide->form.right, divide->form.left}, loc, type);
        if (const auto* call = as<Call>(e); call && call->form.arguments.size() > 1 &&
                                            type_of(call->form.arguments[0]) == type_of(call->form.arguments[1]) &&
                                            here()) {
          std::vector<Expr> arguments(call->form.arguments.begin(), call->form.arguments.end());
          std::swap(arguments[0], arguments[1]);
          return context_.make(Call{call->form.function, context_.span(arguments)}, loc, type);
        }
        if (const auto* choice = as<Conditional>(e); choice && here())
          return context_.make(Conditional{choice->form.condition, choice->form.otherwise, choice->form.then}, loc,
                               type);
        break;
      case Mutation::ChangeOperator:
        if (const auto* binary = as<Binary>(e); binary && here())
          return context_.make(Binary{changed(binary->form.op), binary->form.left, binary->form.right}, loc, type);
        if (const auto* both = as<And>(e); both && here())
          return context_.make(Or{both->form.left, both->form.right}, loc, type);
        if (const auto* either = as<Or>(e); either && here())
          return context_.make(And{either->form.left, either->form.right}, loc, type);
        if (const auto* shift = as<Shift>(e); shift && here())
          return context_.make(Shift{shift->form.op == ShiftOp::Left ? ShiftOp::Right : ShiftOp::Left, shift->form.left,
                                     shift->form.count},
                               loc, type);
        if (const auto* divide = as<Divide>(e); divide && here())
          return context_.make(Divide{divide->form.op == DivideOp::Quotient ? DivideOp::Remainder : DivideOp::Quotient,
                                      divide->form.left, divide->form.right},
                               loc, type);
        break;
      default: break;
    }
    return std::nullopt;
  }

  /// Patterns stay constants that differ from each other.
  Span<SwitchCase> arms(const Span<SwitchCase>& cases) {
    std::vector<SwitchCase> out;
    for (const SwitchCase& c : cases) out.push_back({c.values, body(c.body)});
    return context_.span(out);
  }
  Span<MatchArm> arms(const Span<MatchArm>& in) {
    std::vector<MatchArm> out;
    for (const MatchArm& arm : in) out.push_back({arm.patterns, expression(arm.value)});
    return context_.span(out);
  }

  Context& context_;
  Mutation mutation_;
  uint64_t chosen_, places_ = 0;
};

}  // namespace

std::optional<Program> mutate(Context& context, const Program& program, Mutation mutation, Random& random) {
  Mutator counting(context, mutation, UINT64_MAX);
  counting.program(program);
  if (counting.places() == 0) return std::nullopt;
  return Mutator(context, mutation, random.below(counting.places())).program(program);
}

}  // namespace ksc::fuzz
