// SPDX-License-Identifier: Apache-2.0
/// fn main() …; @xdp fn f() { … }   =>   fn main() …; @xdp fn f() {}: what runs in userspace, and which programs there are
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {

Ir<lang::User> select_user(const Ir<lang::NoArrayCopy>& in, Context& context) {
  using Out = To<lang::User>;
  return rewrite<lang::NoArrayCopy, lang::User>(in, context, on<FunctionDef>([](const Node<FunctionDef>& n, Out& to) {
    FunctionDef form = n.form;
    if (form.domain == Domain::Shared) return;
    if (form.domain == Domain::Program) form.body = {};
    to.declare(form, n.loc);
  }));
}

}  // namespace ksc
