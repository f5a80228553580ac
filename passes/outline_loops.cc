// SPDX-License-Identifier: Apache-2.0
/// loop A   =>   bpf_loop(limit, body of A as a function, what it captures)
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {

Ir<lang::LoopsBounded> outline_loops(const Ir<lang::NoPrint>& in, Context& context) {
  using Out = To<lang::LoopsBounded>;
  return rewrite<lang::NoPrint, lang::LoopsBounded>(in, context, on<Loop>([](const Node<Loop>& n, Out& to) {
    to.context.diagnostics.report(n.loc, diag::not_supported_yet, "loops without a constant bound in eBPF");
    to.emit(to(n->body));
  }));
}

}  // namespace ksc
