// SPDX-License-Identifier: Apache-2.0
/// __builtin_memcpy(&a, &b, 2000)   =>   ks_copy(&a, &b, 2000), a loop: C compilers write out each of their moves
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::LargeCopiesLooped>;

/// clang writes out at most 128 moves (MaxStoresPerMemcpy of its BPF back end), and calls a function that is not there
/// for more; half of that is long enough for C that people read in assembly.
constexpr uint64_t most_inline = 512;

void emit_call(std::string_view function, std::vector<Expr> arguments, Loc loc, Out& to) {
  to.emit(Evaluate{to.make(RuntimeCall{to.context.name(function), to.context.span(arguments)}, loc,
                           to.context.types.void_type())},
          loc);
}

}  // namespace

Ir<lang::LargeCopiesLooped> copy_large_values(const Ir<lang::LocalsSpilled>& in, Context& context) {
  return rewrite<lang::LocalsSpilled, lang::LargeCopiesLooped>(
      in, context, on<RuntimeCall>([](const Node<RuntimeCall>& n, Out& to) -> Expr {
        const auto* size = n->arguments.size() == 3 ? as<Int>(n->arguments[2]) : nullptr;
        const std::string_view name = n->function.text();
        if (!size || size->form.value.value <= most_inline ||
            (name != "__builtin_memcpy" && name != "__builtin_memset"))
          return to.rebuild(n);
        const Span<Expr> arguments = to(n->arguments);
        const Name loop = to.context.name(name == "__builtin_memcpy" ? "ks_copy" : "ks_fill");
        return to.make(RuntimeCall{loop, arguments}, n.loc, n.type);
      }),
      on<Assign>([](const Node<Assign>& n, Out& to) {
        Types& types = to.context.types;
        const Type type = type_of(n->place);
        const Kind kind = kind_of(n->value);
        if (!is(type, TypeKind::Struct) || size_of(type) <= most_inline ||
            (kind != Kind::Local && kind != Kind::Global && kind != Kind::Field && kind != Kind::Index &&
             kind != Kind::Deref))
          return to.emit_statement(to.rebuild(n));
        const auto address = [&](const Expr& place) {
          return to.make(AddressOf{to(place)}, n.loc, types.pointer(type, Space::Any, false));
        };
        const Expr size = to.make(Int{{static_cast<__int128>(size_of(type))}, {}}, n.loc, types.u64());
        emit_call("ks_copy", {address(n->place), address(n->value), size}, n.loc, to);
      }));
}

}  // namespace ksc
