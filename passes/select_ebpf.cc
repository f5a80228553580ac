// SPDX-License-Identifier: Apache-2.0
/// fn main() …; @xdp fn f() …   =>   @xdp fn f() …: what runs in the kernel
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {

Ir<lang::Ebpf> select_ebpf(const Ir<lang::ArgumentsCopied>& in, Context& context) {
  using Out = To<lang::Ebpf>;
  // Only userspace has these, and its functions are gone.
  const auto gone = [](const auto& n, Out& to) -> Expr { return to.make(Zero{}, n.loc, n.type); };
  return rewrite<lang::ArgumentsCopied, lang::Ebpf>(
      in, context, on<FunctionDef>([](const Node<FunctionDef>& n, Out& to) {
        if (n->domain == Domain::Program || n->domain == Domain::Shared) to.declare(n.form, n.loc);
      }),
      on<Loop>([](const Node<Loop>& n, Out& to) {
        to.emit(Block{to(n->body)},
                n.loc);  // only userspace has these by now
      }),
      on<CpuLoop>([](const Node<CpuLoop>& n, Out& to) {
        to.emit(Block{to(n->body)}, n.loc);  // likewise
      }),
      on<Attempt>([](const Node<Attempt>& n, Out& to) {
        to.emit(Block{to(n->body)}, n.loc);  // likewise
      }),
      on<PrintPart>([](const Node<PrintPart>&, Out&) {}),  // likewise
      on<GlobalDef>([](const Node<GlobalDef>& n, Out& to) {
        if (!holds_float(n->type)) to.declare(n.form, n.loc);
      }),
      on<BuiltinCall>(gone), on<FloatValue>(gone), on<FloatNegation>(gone), on<FloatOperation>(gone),
      on<FloatComparison>(gone), on<FloatConversion>(gone), on<FloatTruncation>(gone));
}

}  // namespace ksc
