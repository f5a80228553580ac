// SPDX-License-Identifier: Apache-2.0
/// var s: str(16) = a + b   =>   var s; var length = 0; ks_append(&s, 16, &length, &a, 8); ks_append(… &b …)
#include "ir/rewrite.h"
#include "passes/passes.h"
#include "passes/text_bytes.h"

namespace ksc {
namespace {

using Out = To<lang::NoConcatenation>;

class Appending {
 public:
  Appending(const Node<Concatenate>& n, Out& to) : n_(n), to_(to), types_(to.context.types) {}

  /// The parts, in a variable that begins as zeros.
  void build(Name name) {
    to_.emit(Let{name, n_.type, {}}, n_.loc);
    append(name, number(0), 0);
  }
  /// The parts behind the first, which is what the variable holds already.
  void extend(Name name) {
    const Expr text = to_.make(Local{name}, n_.loc, n_.type);
    append(name, call("ks_length", {address(text), number(n_.type->count)}, types_.u32()), 1);
  }

 private:
  Expr number(uint64_t value) { return to_.make(Int{{static_cast<__int128>(value)}, {}}, n_.loc, types_.u32()); }
  Expr call(std::string_view function, std::initializer_list<Expr> arguments, Type result) {
    return to_.make(RuntimeCall{to_.context.name(function), to_.context.span<Expr>(arguments)}, n_.loc, result);
  }
  Expr address(const Expr& place) {
    return to_.make(AddressOf{place}, n_.loc, types_.pointer(type_of(place), Space::Stack, false));
  }
  void append(Name name, const Expr& begin, size_t first) {
    const Expr text = to_.make(Local{name}, n_.loc, n_.type);
    const Name length = to_.fresh("length");
    to_.emit(Let{length, types_.u32(), begin}, n_.loc);
    for (size_t i = first; i < n_->parts.size(); ++i) {
      const Expr part = choice_of_parts(to_(n_->parts[i]), to_);
      TextBytes given = bytes_of_text(part, n_.loc, to_);
      if (as<StringValue>(given.bytes)) --given.size;  // without its zero
      const bool in_ebpf = to_.function() && to_.function()->domain != Domain::User;
      const bool may_go_on = is(type_of(part), TypeKind::Array);  // behind its first zero
      const std::string_view function = in_ebpf && may_go_on ? "ks_append_bytes" : "ks_append";
      to_.emit(Evaluate{call(function,
                             {address(text), number(n_.type->count),
                              address(to_.make(Local{length}, n_.loc, types_.u32())), given.bytes, number(given.size)},
                             types_.void_type())},
               n_.loc);
    }
  }

  const Node<Concatenate>& n_;
  Out& to_;
  Types& types_;
};

}  // namespace

Ir<lang::NoConcatenation> lower_concatenations(const Ir<lang::NoArithmeticBuiltin>& in, Context& context) {
  return rewrite<lang::NoArithmeticBuiltin, lang::NoConcatenation>(
      in, context, on<Let>([](const Node<Let>& n, Out& to) {
        if (const auto* texts = n->value ? as<Concatenate>(*n->value) : nullptr)
          return Appending(*texts, to).build(n->name);
        to.emit_statement(to.rebuild(n));
      }),
      on<Assign>([](const Node<Assign>& n, Out& to) {
        const auto* texts = as<Concatenate>(n->value);
        const auto* local = as<Local>(n->place);
        if (texts && local) {
          const Span<Expr> parts = texts->form.parts;
          size_t mentioned = 0;
          for (const Expr& part : parts) mentioned += mentions(part, local->form.name);
          const auto* first = as<Local>(parts[0]);
          if (mentioned == 1 && first && first->form.name == local->form.name)
            return Appending(*texts, to).extend(local->form.name);
        }
        to.emit_statement(to.rebuild(n));
      }),
      on<Concatenate>([](const Node<Concatenate>& n, Out& to) -> Expr {
        const Name name = to.fresh("text");
        Appending(n, to).build(name);
        return to.make(Local{name}, n.loc, n.type);
      }));
}

}  // namespace ksc
