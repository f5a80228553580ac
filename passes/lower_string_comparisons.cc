// SPDX-License-Identifier: Apache-2.0
/// name == "eth0"   =>   memcmp(&name, "eth0", 5) == 0, or ks_differ(…) in eBPF, which has no memcmp: what follows a
/// text is zero, so the bytes of the shorter side decide
#include "ir/rewrite.h"
#include "passes/array_copies.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::NoStringComparison>;

bool is_place(const Expr& e) { return as<Local>(e) || as<Global>(e) || as<Field>(e) || as<Index>(e) || as<Deref>(e); }

class StringComparison {
 public:
  StringComparison(const Node<Compare>& n, Out& to) : n_(n), to_(to), types_(to.context.types) {}

  /// Whether both sides are equal, or are not.
  Expr holds(const Expr& left, const Expr& right) {
    // A choice of strings is a choice of answers: only what is chosen may be read.
    if (const auto* choice = as<Conditional>(left))
      return chosen(*choice, holds(choice->form.then, right), holds(choice->form.otherwise, right));
    if (const auto* choice = as<Conditional>(right))
      return chosen(*choice, holds(left, choice->form.then), holds(left, choice->form.otherwise));
    const Side a = side(left), b = side(right);
    const uint64_t size = std::min(a.size, b.size);
    const bool in_ebpf = to_.function() && to_.function()->domain != Domain::User;
    const std::string_view function = in_ebpf ? "ks_differ" : "__builtin_memcmp";
    const Expr count = to_.make(Int{{static_cast<__int128>(size)}, {}}, n_.loc, types_.u64());
    const Expr difference =
        to_.make(RuntimeCall{to_.context.name(function), to_.context.span<Expr>({a.bytes, b.bytes, count})}, n_.loc,
                 types_.i32());
    return to_.make(Compare{n_->op, difference, to_.make(Int{{0}, {}}, n_.loc, types_.i32())}, n_.loc, n_.type);
  }

 private:
  /// Where a string's bytes are, and how many may be looked at.
  struct Side {
    Expr bytes;
    uint64_t size;
  };

  Side side(const Expr& given) {
    // A wider string has the same text.
    const auto* widened = as<Convert>(given);
    const bool is_same = widened && is(type_of(widened->form.value), TypeKind::Str) &&
                         type_of(widened->form.value)->count <= type_of(given)->count;
    const Expr e = is_same ? widened->form.value : given;
    if (const auto* text = as<StringValue>(e)) return {e, text->form.text.text().size() + 1};
    if (as<Zero>(e)) return {to_.make(StringValue{to_.context.name("")}, n_.loc, types_.str(1)), 1};
    Expr place = e;
    if (!is_place(e)) {
      const Name name = to_.fresh("text");
      to_.emit(Let{name, type_of(e), e}, loc_of(e));
      place = to_.make(Local{name}, loc_of(e), type_of(e));
    }
    return {to_.make(AddressOf{place}, loc_of(e), types_.pointer(type_of(e), Space::Stack, false)), type_of(e)->count};
  }
  Expr chosen(const Node<Conditional>& choice, const Expr& then, const Expr& otherwise) {
    return to_.make(Conditional{choice->condition, then, otherwise}, choice.loc, n_.type);
  }

  const Node<Compare>& n_;
  Out& to_;
  Types& types_;
};

}  // namespace

Ir<lang::NoStringComparison> lower_string_comparisons(const Ir<lang::NoArithmeticBuiltin>& in, Context& context) {
  return rewrite<lang::NoArithmeticBuiltin, lang::NoStringComparison>(
      in, context, on<Compare>([](const Node<Compare>& n, Out& to) -> Expr {
        const Expr left = to(n->left), right = to(n->right);
        if (!is(type_of(left), TypeKind::Str)) return to.make(Compare{n->op, left, right}, n.loc, n.type);
        return StringComparison(n, to).holds(choice_of_parts(left, to.context), choice_of_parts(right, to.context));
      }));
}

}  // namespace ksc
