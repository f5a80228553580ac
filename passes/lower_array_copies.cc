// SPDX-License-Identifier: Apache-2.0
/// a = b of arrays or strings   =>   memcpy(&a, &b, size), since C does not assign arrays
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::NoArrayCopy>;

bool is_array(Type type) { return is(type, TypeKind::Array) || is(type, TypeKind::Str); }

/// C initialises a variable with these.
bool initialises(const Expr& e) {
  const Kind kind = kind_of(e);
  return kind == Kind::ArrayValue || kind == Kind::StringValue || kind == Kind::Zero;
}

void emit_copy(const Expr& place, const Expr& source, Loc loc, Out& to) {
  Types& types = to.context.types;
  Expr from = source;
  if (const auto* converted = as<Convert>(from)) from = converted->form.value;  // str(M) as str(N)
  if (initialises(from)) {
    const Name name = to.fresh("text");
    to.emit(Let{name, type_of(from), from}, loc);
    from = to.make(Local{name}, loc, type_of(from));
  }
  const uint64_t size = std::min(size_of(type_of(place)), size_of(type_of(from)));
  const auto address = [&](const Expr& e) { return to.make(AddressOf{e}, loc, types.pointer(type_of(e), Space::Stack, false)); };
  const auto number = [&](uint64_t value) { return to.make(Int{{static_cast<__int128>(value)}, {}}, loc, types.u64()); };
  to.emit(Evaluate{to.make(RuntimeCall{to.context.name("__builtin_memcpy"), to.context.span<Expr>({address(place), address(from), number(size)})}, loc, types.void_type())}, loc);
  Type type = type_of(place);
  if (!is(type, TypeKind::Str)) return;
  if (size < type->count) {
    // What follows the text is zero [L21].
    const Expr rest = to.make(Index{place, number(size)}, loc, types.character());
    to.emit(Evaluate{to.make(RuntimeCall{to.context.name("__builtin_memset"), to.context.span<Expr>({address(rest), number(0), number(type->count - size)})}, loc, types.void_type())}, loc);
  } else if (size_of(type_of(from)) > size) {
    const Expr last = to.make(Index{place, number(size - 1)}, loc, types.character());
    to.emit(Assign{last, to.make(Int{{0}, {}}, loc, types.character())}, loc);
  }
}

}  // namespace

Ir<lang::NoArrayCopy> lower_array_copies(const Ir<lang::NoStringComparison>& in, Context& context) {
  return rewrite<lang::NoStringComparison, lang::NoArrayCopy>(
      in, context,
      on<Assign>([](const Node<Assign>& n, Out& to) {
        if (!is_array(type_of(n->place))) return to.emit(n.form, n.loc);
        emit_copy(n->place, n->value, n.loc, to);
      }),
      on<Let>([](const Node<Let>& n, Out& to) {
        if (!is_array(n->type) || !n->value || initialises(*n->value)) return to.emit(n.form, n.loc);
        to.emit(Let{n->name, n->type, {}}, n.loc);
        emit_copy(to.make(Local{n->name}, n.loc, n->type), *n->value, n.loc, to);
      }));
}

}  // namespace ksc
