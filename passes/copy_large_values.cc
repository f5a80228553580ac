// SPDX-License-Identifier: Apache-2.0
/// __builtin_memcpy(&a, &b, 2000)   =>   ks_copy(&a, &b, 2000), a loop: C compilers write out each of their moves, and
/// let what they have read wait on the stack
#include "ir/copy_pieces.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::LargeCopiesLooped>;

/// clang writes out at most 128 moves (MaxStoresPerMemcpy of its BPF back end), and calls a function that is not there
/// for more; half of that is long enough for C that people read in assembly.
constexpr uint64_t most_inline = 512;  // bytes

}  // namespace

Ir<lang::LargeCopiesLooped> copy_large_values(const Ir<lang::LocalsSpilled>& in, Context& context) {
  const auto number = [](uint64_t value, Loc loc, Out& to) {
    return to.make(Int{{static_cast<__int128>(value)}, {}}, loc, to.context.types.u64());
  };
  const auto by_pieces = [&](std::vector<Expr> arguments, const CopyPieces& pieces, Loc loc, Out& to) {
    arguments.push_back(number(pieces.alignment, loc, to));
    return to.make(RuntimeCall{to.context.name("ks_copy_by"), to.context.span(arguments)}, loc,
                   to.context.types.void_type());
  };
  return rewrite<lang::LocalsSpilled, lang::LargeCopiesLooped>(
      in, context, on<RuntimeCall>([&](const Node<RuntimeCall>& n, Out& to) -> Expr {
        const auto* size = n->arguments.size() == 3 ? as<Int>(n->arguments[2]) : nullptr;
        const std::string_view name = n->function.text();
        if (!size || (name != "__builtin_memcpy" && name != "__builtin_memset")) return to.rebuild(n);
        if (size->form.value.value <= most_inline) {
          if (name == "__builtin_memset") return to.rebuild(n);
          const CopyPieces pieces =
              pieces_of_copy(n->arguments[0], n->arguments[1], static_cast<uint64_t>(size->form.value.value));
          if (pieces.count <= most_pieces_at_once) return to.rebuild(n);
          const Span<Expr> arguments = to(n->arguments);
          return by_pieces({arguments.begin(), arguments.end()}, pieces, n.loc, to);
        }
        const Span<Expr> arguments = to(n->arguments);
        const Name loop = to.context.name(name == "__builtin_memcpy" ? "ks_copy" : "ks_fill");
        return to.make(RuntimeCall{loop, arguments}, n.loc, n.type);
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        Types& types = to.context.types;
        const Type type = type_of(n->place);
        const Kind kind = kind_of(n->value);
        const bool is_copy =
            is(type, TypeKind::Struct) && (kind == Kind::Local || kind == Kind::Global || kind == Kind::Field ||
                                           kind == Kind::Index || kind == Kind::Deref);
        if (!is_copy) return to.emit_statement(to.rebuild(n));
        const auto address = [&](const Expr& place) {
          return Expr(to.make(AddressOf{place}, n.loc, types.pointer(type, Space::Any, false)));
        };
        const uint64_t size = size_of(type);
        const CopyPieces pieces = pieces_of_copy(address(n->place), address(n->value), size);
        if (size <= most_inline && pieces.count <= most_pieces_at_once) return to.emit_statement(to.rebuild(n));
        std::vector<Expr> arguments = {address(to(n->place)), address(to(n->value)), number(size, n.loc, to)};
        const Expr copy = size <= most_inline
                              ? by_pieces(std::move(arguments), pieces, n.loc, to)
                              : Expr(to.make(RuntimeCall{to.context.name("ks_copy"), to.context.span(arguments)}, n.loc,
                                             types.void_type()));
        to.emit(Evaluate{copy}, n.loc);
      }));
}

}  // namespace ksc
