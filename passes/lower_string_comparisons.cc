// SPDX-License-Identifier: Apache-2.0
/// name == "eth0"   =>   memcmp(&name, "eth0", 5) == 0, or ks_differ(…) in eBPF, which has no memcmp: what follows a
/// text is zero, so the bytes of the shorter side decide
#include "ir/rewrite.h"
#include "passes/passes.h"
#include "passes/text_bytes.h"

namespace ksc {
namespace {

using Out = To<lang::NoStringComparison>;

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
    const TextBytes a = bytes_of_text(left, n_.loc, to_), b = bytes_of_text(right, n_.loc, to_);
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
  Expr chosen(const Node<Conditional>& choice, const Expr& then, const Expr& otherwise) {
    return to_.make(Conditional{choice->condition, then, otherwise}, choice.loc, n_.type);
  }

  const Node<Compare>& n_;
  Out& to_;
  Types& types_;
};

}  // namespace

Ir<lang::NoStringComparison> lower_string_comparisons(const Ir<lang::NoConcatenation>& in, Context& context) {
  return rewrite<lang::NoConcatenation, lang::NoStringComparison>(
      in, context, on<Compare>([](const Node<Compare>& n, Out& to) -> Expr {
        const Expr left = to(n->left), right = to(n->right);
        if (!is(type_of(left), TypeKind::Str)) return to.make(Compare{n->op, left, right}, n.loc, n.type);
        return StringComparison(n, to).holds(choice_of_parts(left, to), choice_of_parts(right, to));
      }));
}

}  // namespace ksc
