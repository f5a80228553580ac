// SPDX-License-Identifier: Apache-2.0
#include "ir/children.h"

namespace ksc {
namespace {

template <class Sum>
void visit_children(const Sum& node, const std::function<void(const Expr&)>& on_expr,
                    const std::function<void(const Stmt&)>& on_stmt) {
  boost::variant2::visit(
      [&](const auto& ref) {
        each_child_of_form((*ref).form, [&](const auto& child) {
          if constexpr (std::same_as<std::remove_cvref_t<decltype(child)>, Expr>)
            on_expr(child);
          else if constexpr (std::same_as<std::remove_cvref_t<decltype(child)>, Stmt>)
            on_stmt(child);
        });
      },
      node);
}

template <class T>
void visit_bodies(const T& field, const std::function<void(const Body&)>& visit) {
  if constexpr (std::same_as<T, Body>)
    visit(field);
  else if constexpr (is_span<T>)
    for (const auto& value : field) visit_bodies(value, visit);
  else if constexpr (Record<T>)
    field.with_fields([&](const auto&... parts) { (visit_bodies(parts, visit), ...); });
}

template <class Sum>
bool any_child_mentions(const Sum& whole, Name variable) {
  bool found = false;
  visit_children(
      whole, [&](const Expr& e) { found = found || mentions(e, variable); },
      [&](const Stmt& s) { found = found || mentions(s, variable); });
  return found;
}

}  // namespace

void each_child_of(const Expr& node, const std::function<void(const Expr&)>& on_expr,
                   const std::function<void(const Stmt&)>& on_stmt) {
  visit_children(node, on_expr, on_stmt);
}
void each_child_of(const Stmt& node, const std::function<void(const Expr&)>& on_expr,
                   const std::function<void(const Stmt&)>& on_stmt) {
  visit_children(node, on_expr, on_stmt);
}
void each_body_of(const Stmt& node, const std::function<void(const Body&)>& visit) {
  boost::variant2::visit(
      [&](const auto& ref) {
        (*ref).form.with_fields([&](const auto&... fields) { (visit_bodies(fields, visit), ...); });
      },
      node);
}

bool any_expression(const Body& body, const std::function<bool(const Expr&)>& is_found) {
  bool found = false;
  std::function<void(const Expr&)> expression;
  const std::function<void(const Stmt&)> statement = [&](const Stmt& s) { each_child_of(s, expression, statement); };
  expression = [&](const Expr& e) {
    found = found || is_found(e);
    each_child_of(e, expression, statement);
  };
  for (const Stmt& s : body.statements) statement(s);
  return found;
}

bool mentions(const Expr& e, Name variable) {
  const auto* local = as<Local>(e);
  return (local && local->form.name == variable) ||
         (header(e).contains.has(Kind::Local) && any_child_mentions(e, variable));
}
bool mentions(const Stmt& s, Name variable) {
  return header(s).contains.has(Kind::Local) && any_child_mentions(s, variable);
}

}  // namespace ksc
