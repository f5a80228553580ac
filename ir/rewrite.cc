// SPDX-License-Identifier: Apache-2.0
#include "ir/rewrite.h"

namespace ksc {

Expr Walker::operator()(const Expr& e) {
  if ((header(e).contains & handled_).empty()) return e;
  Expr out;
  if (expr_case(e, out)) return out;
  return boost::variant2::visit([&](const auto& ref) -> Expr { return context.make(rebuild_form((*ref).form), (*ref).loc, (*ref).type); }, e);
}

Span<Expr> Walker::operator()(const Span<Expr>& values) {
  std::vector<Expr> out;
  out.reserve(values.size());
  for (const Expr& value : values) out.push_back((*this)(value));
  return context.span(out);
}

void Walker::statement(const Stmt& s) {
  if ((header(s).contains & handled_).empty()) return emit_statement(s);
  if (stmt_case(s)) return;
  emit_statement(boost::variant2::visit([&](const auto& ref) -> Stmt { return context.make(rebuild_form((*ref).form), (*ref).loc); }, s));
}

Body Walker::operator()(const Body& body) {
  bool touched = false;
  for (const Stmt& s : body.statements) touched |= !(header(s).contains & handled_).empty();
  if (!touched) return body;
  begin_body();
  const Body out = collect([&] {
    for (const Stmt& s : body.statements) statement(s);
  });
  end_body();
  return out;
}

void Walker::declaration(const Decl& d) {
  if ((header(d).contains & handled_).empty()) return add_declaration(d);
  const auto* function = as<FunctionDef>(d);
  function_ = function ? &function->form : nullptr;
  if (!decl_case(d))
    add_declaration(boost::variant2::visit([&](const auto& ref) -> Decl { return context.make(rebuild_form((*ref).form), (*ref).loc); }, d));
  function_ = nullptr;
}

Program Walker::program(const Program& in) {
  declarations_.clear();
  for (const Decl& d : in) declaration(d);
  return context.span(declarations_);
}

}  // namespace ksc
