// SPDX-License-Identifier: Apache-2.0
/// throw 1   =>   throw 1, caught on every way out of a program; otherwise an error
#include <fmt/format.h>

#include "ir/children.h"
#include "ir/escapes.h"
#include "passes/passes.h"

namespace ksc {
namespace {

std::string spelled(const Escapes::Code& code, Name constant) {
  if (!code) return "what is thrown here";
  return constant ? fmt::format("`{}` (error {})", constant.spelling(), *code) : fmt::format("error {}", *code);
}

/// The chain of calls down to the throw, as notes [L147].
void note_chain(const EscapeAnalysis& escapes, const Escapes::Code& code, EscapeOrigin origin, Diagnostic& message) {
  NameSet seen;
  while (origin.callee && seen.insert(origin.callee).second) {
    const auto& throws = escapes.of(origin.callee).throws;
    const Name function = origin.callee;
    const auto next = throws.find(code);
    if (next == throws.end()) return;
    origin = next->second;
    message.note(origin.loc, origin.callee
                                 ? fmt::format("`{}` calls `{}` here", function.spelling(), origin.callee.spelling())
                                 : fmt::format("`{}` throws it here", function.spelling()));
  }
}

}  // namespace

Ir<lang::ThrowsChecked> check_throws(const Ir<lang::ReservationsClosed>& in, Context& context) {
  const EscapeAnalysis escapes(in.declarations, true);
  for (const Decl& d : in.declarations) {
    const auto* function = as<FunctionDef>(d);
    if (!function) continue;
    const std::function<void(const Stmt&)> deferred = [&](const Stmt& s) {
      if (const auto* last = as<Finally>(s))
        for (const auto& [code, origin] : escapes.of(last->form.cleanup).throws) {
          Diagnostic& message =
              context.diagnostics.report(origin.loc, diag::deferred_throw, spelled(code, origin.constant));
          note_chain(escapes, code, origin, message);
        }
      each_child_of(
          s, [](const Expr&) {}, deferred);
    };
    for (const Stmt& s : function->form.body.statements) deferred(s);
    const bool is_program = function->form.domain == Domain::Program;
    if (!is_program && !(function->form.domain == Domain::User && function->form.name == "main")) continue;
    for (const auto& [code, origin] : escapes.of(function->form.name).throws) {
      Diagnostic& message =
          is_program
              ? context.diagnostics.report(origin.loc, diag::uncaught_throw,
                                           std::string(function->form.name.spelling()), spelled(code, origin.constant))
              : context.diagnostics.report(origin.loc, diag::uncaught_in_main, spelled(code, origin.constant));
      note_chain(escapes, code, origin, message);
    }
  }
  return {in.declarations};
}

}  // namespace ksc
