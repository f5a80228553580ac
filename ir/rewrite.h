// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <tuple>
#include <utility>
#include <vector>

#include "ir/context.h"
#include "ir/visit.h"

namespace ksc {

/// The part of a pass that does not depend on its languages; compiled once. A subtree that holds none of the pass's
/// cases is returned as it is.
class Walker {
 public:
  Walker(Context& context, FormSet handled) : context(context), handled_(handled) {}
  virtual ~Walker() = default;

  Expr operator()(const Expr& e);
  Body operator()(const Body& body);
  virtual TypeExpr operator()(const TypeExpr& type) { return type; }
  Option<Expr> operator()(const Option<Expr>& e) { return e ? Option<Expr>((*this)(*e)) : e; }
  Span<Expr> operator()(const Span<Expr>& values);
  /// Converts a statement; what it becomes is emitted.
  void statement(const Stmt& s);
  /// Converts a declaration; what it becomes is declared.
  void declaration(const Decl& d);
  Program program(const Program& in);

  /// The same form around converted children, the same node where none changed: for a case that changes some nodes of
  /// its form only.
  template <class F>
  Ref<F> rebuild(const Node<F>& node);

  /// Adds to the statements that take the place of the one at work.
  void emit_statement(const Stmt& s) { sink_->push_back(s); }
  /// Emits the statement with its own expressions converted by `on_expr`, and the bodies in it by this walker.
  template <class F>
  void emit_mapped(const Node<F>& node, const std::function<Expr(const Expr&)>& on_expr);
  void emit(const Body& body) { sink_->insert(sink_->end(), body.statements.begin(), body.statements.end()); }
  /// The statements which `fill` emits, as a body.
  template <class Fill>
  Body collect(Fill&& fill) {
    std::vector<Stmt> out;
    std::vector<Stmt>* outer = std::exchange(sink_, &out);
    fill();
    sink_ = outer;
    return {context.span(out)};
  }
  /// `emit_last` is called when all statements of the body at work have been converted.
  void at_end_of_body(std::function<void()> emit_last) { last_.push_back(std::move(emit_last)); }
  /// Adds a declaration before the one at work.
  void add_declaration(const Decl& d) { declarations_.push_back(d); }
  Name fresh(std::string_view hint) { return context.names.fresh(hint); }
  /// The function at work; null outside functions.
  const FunctionDef* function() const { return function_; }

  Context& context;

 protected:
  virtual bool expr_case(const Expr&, Expr& out) = 0;  // false: no case, rebuild it
  virtual bool stmt_case(const Stmt&) = 0;
  virtual bool decl_case(const Decl&) = 0;
  /// Around the statements of every body that is converted: for passes that keep scopes.
  virtual void begin_body() {}
  virtual void end_body() {}

 private:
  FormSet handled_;
  std::vector<Stmt>* sink_ = nullptr;
  std::vector<std::function<void()>> last_;  // of the body at work
  std::vector<Decl> declarations_;
  const FunctionDef* function_ = nullptr;
};

/// What a case sees as `to`: convert children with it, build with it.
template <Lang Out>
class To : public Walker {
 public:
  using Walker::emit;
  using Walker::Walker;
  template <class F>
  Ref<F> make(F form, Loc loc, Type type = nullptr) {
    static_assert(Out.has(F::kind), "this form is not in the pass's output language");
    return context.make(std::move(form), loc, type);
  }
  template <class F>
  void emit(F form, Loc loc) {
    emit_statement(make(std::move(form), loc));
  }
  template <class F>
  void declare(F form, Loc loc) {
    add_declaration(make(std::move(form), loc));
  }
};

template <Kind K>
struct pass_has_no_case_for {
  static_assert(K == Kind::count, "a form leaves the language, but the pass has no case for it");
};
template <Kind K>
struct pass_has_a_needless_case_for {
  static_assert(K == Kind::count, "the pass has a case for a form that cannot reach it");
};

/// Rewrites a whole program: each form with a case becomes what the case makes of it, everything else stays.
template <Lang In, Lang Out, class... F, class... Do>
Ir<Out> rewrite(const Ir<In>& in, Context& context, Case<F, Do>... cases) {
  constexpr FormSet handled = form_set_of<F...>();
  (void)pass_has_a_needless_case_for<handled.minus(In.forms).first()>{};
  (void)pass_has_no_case_for<In.forms.minus(Out.forms).minus(handled).first()>{};

  struct Pass final : To<Out> {
    std::tuple<Case<F, Do>...> cases;
    Pass(Context& context, Case<F, Do>... c) : To<Out>(context, form_set_of<F...>()), cases(std::move(c)...) {}
    bool expr_case(const Expr& e, Expr& out) override {
      auto attempt = [&]<class G, class D>(Case<G, D>& c) {
        if constexpr (expr_forms.has(G::kind)) {
          if (const Node<G>* node = as<G>(e)) return out = c.run(*node, *this), true;
        }
        return false;
      };
      return std::apply([&](auto&... c) { return (attempt(c) || ...); }, cases);
    }
    bool stmt_case(const Stmt& s) override {
      auto attempt = [&]<class G, class D>(Case<G, D>& c) {
        if constexpr (stmt_forms.has(G::kind)) {
          if (const Node<G>* node = as<G>(s)) return c.run(*node, *this), true;
        }
        return false;
      };
      return std::apply([&](auto&... c) { return (attempt(c) || ...); }, cases);
    }
    bool decl_case(const Decl& d) override {
      auto attempt = [&]<class G, class D>(Case<G, D>& c) {
        if constexpr (decl_forms.has(G::kind)) {
          if (const Node<G>* node = as<G>(d)) return c.run(*node, *this), true;
        }
        return false;
      };
      return std::apply([&](auto&... c) { return (attempt(c) || ...); }, cases);
    }
  } pass(context, std::move(cases)...);
  return {pass.program(in.declarations)};
}

// ---- rebuilding, generic over fields ------------------------------------------------------------

/// The fields of a form with every child that `convert` takes (expression, body, written type) replaced by what it
/// makes of it.
template <class Convert>
struct MapFields {
  Context& context;
  Convert& convert;
  template <class T>
  T operator()(const T& field) {
    if constexpr (std::same_as<T, Expr> || std::same_as<T, Body> || std::same_as<T, TypeExpr>) {
      if constexpr (std::invocable<Convert&, const T&>)
        return convert(field);
      else
        return field;
    } else if constexpr (std::same_as<T, Decl> || std::same_as<T, Stmt>) {
      return field;
    } else if constexpr (is_option<T>) {
      return field ? T((*this)(*field)) : field;
    } else if constexpr (is_span<T>) {
      using Value = std::remove_cvref_t<decltype(field[0])>;
      if constexpr (SumField<Value> || Record<Value>) {
        std::vector<Value> values;
        values.reserve(field.size());
        for (const Value& value : field) values.push_back((*this)(value));
        return context.span(values);
      } else {
        return field;
      }
    } else if constexpr (Record<T>) {
      return field.with_fields([&](const auto&... parts) { return T{(*this)(parts)...}; });
    } else {
      return field;
    }
  }
  /// Braces: the fields are converted in the order in which they are written, which is the order of evaluation.
  template <class F>
  F form(const F& form) {
    return form.with_fields([&](const auto&... fields) { return F{(*this)(fields)...}; });
  }
};

/// Whether two bodies are the same statements.
inline bool same(const Body& a, const Body& b) {
  return std::equal(a.statements.begin(), a.statements.end(), b.statements.begin(), b.statements.end(),
                    [](const Stmt& s, const Stmt& t) { return &header(s) == &header(t); });
}

/// Converts children by a walker, and notes whether that changed any.
struct WalkedChildren {
  Walker& walker;
  bool changed = false;
  Expr operator()(const Expr& e) {
    const Expr out = walker(e);
    changed = changed || &header(out) != &header(e);
    return out;
  }
  Body operator()(const Body& body) {
    const Body out = walker(body);
    changed = changed || !same(out, body);
    return out;
  }
  TypeExpr operator()(const TypeExpr& type) {
    const TypeExpr out = walker(type);
    changed = changed || &header(out) != &header(type);
    return out;
  }
};

template <class F>
Ref<F> Walker::rebuild(const Node<F>& node) {
  WalkedChildren children{*this};
  const F form = MapFields<WalkedChildren>{context, children}.form(node.form);
  return children.changed ? context.make(form, node.loc, node.type) : Ref<F>{&node};
}

// ---- one node at a time, for what is no case of a rewrite ---------------------------------------

/// The same form around converted expressions, in the order in which they are evaluated; the same node where none
/// changed. Bodies (a block's value has one) stay as they are if there is no `on_body`.
Expr map_children(Context& context, const Expr& e, const std::function<Expr(const Expr&)>& on_expr,
                  const std::function<Body(const Body&)>& on_body = {});
Stmt map_children(Context& context, const Stmt& s, const std::function<Expr(const Expr&)>& on_expr,
                  const std::function<Body(const Body&)>& on_body);

template <class F>
void Walker::emit_mapped(const Node<F>& node, const std::function<Expr(const Expr&)>& on_expr) {
  emit_statement(map_children(context, Stmt(Ref<F>{&node}), on_expr, [&](const Body& body) { return (*this)(body); }));
}

}  // namespace ksc
