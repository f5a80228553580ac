// SPDX-License-Identifier: Apache-2.0
/// __builtin_memcpy(&a, &b, 2000)   =>   ks_copy(&a, &b, 2000), a loop: C compilers write out each of their moves, and
/// let what they have read wait on the stack
#include <optional>

#include "ir/copy_pieces.h"
#include "ir/rewrite.h"
#include "passes/index_guard.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::LargeCopiesLooped>;

/// clang writes out at most 128 moves (MaxStoresPerMemcpy of its BPF back end), and calls a function that is not there
/// for more; half of that is long enough for C that people read in assembly.
constexpr uint64_t most_inline = 512;  // bytes

Expr call(std::string_view function, const std::vector<Expr>& arguments, Loc loc, Out& to) {
  return to.make(RuntimeCall{to.context.name(function), to.context.span(arguments)}, loc, to.context.types.void_type());
}

/// The loop that copies `size` bytes from one address to another; nothing where C compilers may do it.
std::optional<Expr> loop_that_copies(const Expr& target, const Expr& source, uint64_t size, Loc loc, Out& to) {
  const auto number = [&](uint64_t value) {
    return to.make(Int{{static_cast<__int128>(value)}, {}}, loc, to.context.types.u64());
  };
  if (size > most_inline) return call("ks_copy", {to(target), to(source), number(size)}, loc, to);
  const CopyPieces pieces = pieces_of_copy(target, source, size);
  if (pieces.count <= most_pieces_at_once) return {};
  return call("ks_copy_by", {to(target), to(source), number(size), number(pieces.alignment)}, loc, to);
}

}  // namespace

Ir<lang::LargeCopiesLooped> copy_large_values(const Ir<lang::LocalsSpilled>& in, Context& context) {
  const bool unlinks = adds_large_constants(in.declarations);
  return rewrite<lang::LocalsSpilled, lang::LargeCopiesLooped>(
      in, context, on<RuntimeCall>([](const Node<RuntimeCall>& n, Out& to) -> Expr {
        const std::string_view name = n->function.text();
        if (name != "__builtin_memcpy" && name != "__builtin_memset") return to.rebuild(n);
        const auto* number = as<Int>(n->arguments[2]);
        if (!number) return to.rebuild(n);
        const uint64_t size = static_cast<uint64_t>(number->form.value.value);
        if (name == "__builtin_memcpy") {
          const auto loop = loop_that_copies(n->arguments[0], n->arguments[1], size, n.loc, to);
          return loop ? *loop : to.rebuild(n);
        }
        if (size <= most_inline) return to.rebuild(n);
        return call("ks_fill", {to(n->arguments[0]), to(n->arguments[1]), to(n->arguments[2])}, n.loc, to);
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        const Type type = type_of(n->place);
        const Kind kind = kind_of(n->value);
        const bool is_copy =
            is(type, TypeKind::Struct) && (kind == Kind::Local || kind == Kind::Global || kind == Kind::Field ||
                                           kind == Kind::Index || kind == Kind::Deref);
        if (!is_copy) return to.emit_statement(to.rebuild(n));
        const auto address = [&](const Expr& place) {
          return to.make(AddressOf{place}, n.loc, to.context.types.pointer(type, Space::Any, false));
        };
        if (!loop_that_copies(address(n->place), address(n->value), size_of(type), n.loc, to))
          return to.emit_statement(to.rebuild(n));
        // An element whose address is taken must be there.
        const CounterRanges ranges;  // none: a loop may become a function
        IndexGuard<lang::LargeCopiesLooped> guard(to, ranges, unlinks, [&](const Expr& e) { return to(e); });
        Option<Expr> writable, readable;
        const Expr target = address(guard.guarded(n->place, writable));
        const Expr source = address(guard.guarded(n->value, readable));
        const Expr size = to.make(Int{{static_cast<__int128>(size_of(type))}, {}}, n.loc, to.context.types.u64());
        const Expr zero = to.make(Int{{0}, {}}, n.loc, to.context.types.u64());
        const auto where = [&](const Option<Expr>& test, const Body& there, const Body& otherwise) {
          test ? to.emit(If{to.context.span<Branch>({{*test, there}}), otherwise}, n.loc) : to.emit(there);
        };
        const auto evaluate = [&](const Expr& call) { return to.collect([&] { to.emit(Evaluate{call}, n.loc); }); };
        const Body copied = evaluate(*loop_that_copies(target, source, size_of(type), n.loc, to));
        const Body zeroed = evaluate(
            call(size_of(type) > most_inline ? "ks_fill" : "__builtin_memset", {target, zero, size}, n.loc, to));
        where(writable, to.collect([&] { where(readable, copied, zeroed); }), {});
      }));
}

}  // namespace ksc
