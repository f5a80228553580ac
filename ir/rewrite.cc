// SPDX-License-Identifier: Apache-2.0
#include "ir/rewrite.h"

namespace ksc {
namespace {

/// Converts children, and notes whether that changed any.
struct Children {
  const std::function<Expr(const Expr&)>& on_expr;
  const std::function<Body(const Body&)>& on_body;
  bool changed = false;
  Expr operator()(const Expr& e) {
    const Expr out = on_expr(e);
    changed = changed || &header(out) != &header(e);
    return out;
  }
  Body operator()(const Body& body) {
    if (!on_body) return body;
    const Body out = on_body(body);
    changed = changed || !same(out, body);
    return out;
  }
};

template <class Sum>
Sum mapped(Context& context, const Sum& node, Children children) {
  return boost::variant2::visit(
      [&](const auto& ref) -> Sum {
        const auto form = MapFields<Children>{context, children}.form((*ref).form);
        return children.changed ? Sum(context.make(form, (*ref).loc, (*ref).type)) : node;
      },
      node);
}

}  // namespace

Expr map_children(Context& context, const Expr& e, const std::function<Expr(const Expr&)>& on_expr,
                  const std::function<Body(const Body&)>& on_body) {
  return mapped(context, e, {on_expr, on_body});
}

Stmt map_children(Context& context, const Stmt& s, const std::function<Expr(const Expr&)>& on_expr,
                  const std::function<Body(const Body&)>& on_body) {
  return mapped(context, s, {on_expr, on_body});
}

Expr Walker::operator()(const Expr& e) {
  if ((header(e).contains & handled_).empty()) return e;
  Expr out;
  if (expr_case(e, out)) return out;
  return boost::variant2::visit([&](const auto& ref) -> Expr { return rebuild(*ref); }, e);
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
  emit_statement(boost::variant2::visit([&](const auto& ref) -> Stmt { return rebuild(*ref); }, s));
}

Body Walker::operator()(const Body& body) {
  bool touched = false;
  for (const Stmt& s : body.statements) touched |= !(header(s).contains & handled_).empty();
  if (!touched) return body;
  begin_body();
  std::vector<std::function<void()>> outer = std::exchange(last_, {});
  const Body out = collect([&] {
    for (const Stmt& s : body.statements) statement(s);
    for (const std::function<void()>& emit_last : last_) emit_last();
  });
  last_ = std::move(outer);
  end_body();
  return same(out, body) ? body : out;
}

void Walker::declaration(const Decl& d) {
  if ((header(d).contains & handled_).empty()) return add_declaration(d);
  const auto* function = as<FunctionDef>(d);
  function_ = function ? &function->form : nullptr;
  if (!decl_case(d)) add_declaration(boost::variant2::visit([&](const auto& ref) -> Decl { return rebuild(*ref); }, d));
  function_ = nullptr;
}

Program Walker::program(const Program& in) {
  declarations_.clear();
  for (const Decl& d : in) declaration(d);
  return context.span(declarations_);
}

}  // namespace ksc
