// SPDX-License-Identifier: Apache-2.0
// What stands in the fields of forms, told apart by type; everything generic over forms is written with it.
#pragma once
#include <concepts>
#include <functional>

#include "ir/forms.h"

namespace ksc {

template <class T>
concept SumField = std::same_as<T, TypeExpr> || std::same_as<T, Expr> || std::same_as<T, Stmt> || std::same_as<T, Decl>;
/// A part of a form that has fields of its own.
template <class T>
concept Record = requires(const T& t) {
  t.with_fields([](const auto&...) {});
}
&&!requires { T::kind; };

template <class T>
inline constexpr bool is_span = false;
template <class T>
inline constexpr bool is_span<Span<T>> = true;
template <class T>
inline constexpr bool is_option = false;
template <class T>
inline constexpr bool is_option<Option<T>> = true;

/// Calls `visit` with every sum (expression, statement, type, declaration) directly below a field.
template <class T, class Visit>
void each_child(const T& field, Visit&& visit) {
  if constexpr (SumField<T>) {
    visit(field);
  } else if constexpr (is_span<T>) {
    for (const auto& value : field) each_child(value, visit);
  } else if constexpr (is_option<T>) {
    if (field) each_child(*field, visit);
  } else if constexpr (std::same_as<T, Body>) {
    for (const Stmt& statement : field.statements) visit(statement);
  } else if constexpr (Record<T>) {
    field.with_fields([&](const auto&... parts) { (each_child(parts, visit), ...); });
  }
}

/// Calls `visit` with every sum directly below a form.
template <class F, class Visit>
void each_child_of_form(const F& form, Visit&& visit) {
  form.with_fields([&](const auto&... fields) { (each_child(fields, visit), ...); });
}

/// Calls `visit` with every sum directly below a node of any form.
void each_child_of(const Expr& node, const std::function<void(const Expr&)>& on_expr,
                   const std::function<void(const Stmt&)>& on_stmt);
void each_child_of(const Stmt& node, const std::function<void(const Expr&)>& on_expr,
                   const std::function<void(const Stmt&)>& on_stmt);

/// Whether `is_found` holds for an expression in the body, however deep.
bool any_expression(const Body& body, const std::function<bool(const Expr&)>& is_found);

/// Whether the variable stands in it, however deep.
bool mentions(const Expr& e, Name variable);
bool mentions(const Stmt& s, Name variable);

/// Calls `visit` with every body of a statement; not with those in its expressions.
void each_body_of(const Stmt& node, const std::function<void(const Body&)>& visit);

/// Makes a node in the arena, with the set of forms and the height of what is below it.
template <class F>
Ref<F> make_node(Arena& arena, F form, Loc loc, Type type = nullptr) {
  FormSet contains = FormSet().with(F::kind);
  uint16_t below = 0;
  each_child_of_form(form, [&](const auto& child) {
    contains = contains | header(child).contains;
    below = header(child).height > below ? header(child).height : below;
  });
  const uint16_t height = below == UINT16_MAX ? below : static_cast<uint16_t>(below + 1);
  return {arena.make<Node<F>>(NodeHeader{F::kind, height, loc, type, contains}, form)};
}

}  // namespace ksc
