// SPDX-License-Identifier: Apache-2.0
/// fn main() …; @xdp fn f() { … }   =>   fn main() …; @xdp fn f() { its tail calls }: what runs in userspace, and which
/// programs there are
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {

namespace {

void tail_calls(const Stmt& s, Walker& to) {
  if (as<TailCall>(s)) to.emit_statement(s);
  each_child_of(
      s, [](const Expr&) {}, [&](const Stmt& t) { tail_calls(t, to); });
}

}  // namespace

Ir<lang::User> select_user(const Ir<lang::ArgumentsCopied>& in, Context& context) {
  using Out = To<lang::User>;
  return rewrite<lang::ArgumentsCopied, lang::User>(in, context,
                                                    on<FunctionDef>([](const Node<FunctionDef>& n, Out& to) {
                                                      FunctionDef form = n.form;
                                                      if (form.domain == Domain::Shared) return;
                                                      if (form.domain == Domain::Program)
                                                        form.body = to.collect([&] {
                                                          // The loader must know which programs come along: what they
                                                          // hand over to.
                                                          for (const Stmt& s : n->body.statements) tail_calls(s, to);
                                                        });
                                                      to.declare(form, n.loc);
                                                    }));
}

}  // namespace ksc
