// SPDX-License-Identifier: Apache-2.0
/// var t = e; x = t + 1   =>   x = e + 1, where t is the compiler's and nothing else uses it
#include "passes/fold_temporaries.h"

#include "ir/effects.h"
#include "ir/rewrite.h"
#include "ir/sexpr.h"
#include "ir/support_calls.h"
#include "passes/passes.h"

namespace ksc {
namespace {

/// How often each local is named in a function.
using Uses = NameMap<int>;

void count(const Stmt& s, Uses& uses);
void count(const Expr& e, Uses& uses) {
  if (const auto* local = as<Local>(e)) ++uses[local->form.name];
  each_child_of(
      e, [&](const Expr& child) { count(child, uses); }, [&](const Stmt& s) { count(s, uses); });
}
void count(const Stmt& s, Uses& uses) {
  each_child_of(
      s, [&](const Expr& child) { count(child, uses); }, [&](const Stmt& t) { count(t, uses); });
}

/// What stands higher than this keeps its name: a sum of 100,000 terms was cut into steps for those who walk it, C
/// compilers among them.
constexpr int highest_folded = 48;

class Folder {
 public:
  Folder(Context& context, const FunctionDef& function) : context_(context) {
    for (const Stmt& s : function.body.statements) count(s, uses_);
  }

  Body body(const Body& in) {
    const Body rest = needed(in);
    changed_ = changed_locals(rest);
    return folded(rest);
  }

 private:
  /// Helpers are passed distances: the pointer that a developer named is often none that the C needs.
  static bool points_into_packet(Type type) { return is(type, TypeKind::Pointer) && type->space == Space::Packet; }
  /// The body without temporaries that nobody names and whose value does nothing; from its end on, for what they name
  /// is named less then.
  Body needed(const Body& in) {
    std::vector<Stmt> out;
    for (size_t i = in.statements.size(); i-- > 0;) {
      const auto* loop = as<CountedLoop>(in.statements[i]);
      const Name outer = std::exchange(counter_, loop ? loop->form.name : counter_);
      const Stmt s = map_children(
          context_, in.statements[i], [](const Expr& e) { return e; },
          [&](const Body& inner) { return needed(inner); });
      counter_ = outer;
      const auto* let = as<Let>(s);
      const Expr* hidden = hidden_by(s);
      const auto* alone = hidden ? as<Local>(*hidden) : nullptr;
      // Of a loop's counter C compilers are not to know how often it turns, whoever looks at it.
      if (alone && (alone->form.name.is_generated() || points_into_packet(alone->type)) &&
          uses_[alone->form.name] == 1 && !(alone->form.name == counter_)) {
        --uses_[alone->form.name];  // what is hidden is not looked at
        continue;
      }
      if (let && (let->form.name.is_generated() || points_into_packet(let->form.type)) && uses_[let->form.name] == 0 &&
          let->form.value && !is_impure(*let->form.value)) {
        Uses own;
        count(s, own);
        for (const auto& [name, times] : own) uses_[name] -= times;
      } else {
        out.push_back(s);
      }
    }
    std::reverse(out.begin(), out.end());
    return {context_.span(out)};
  }

  Body folded(const Body& in) {
    std::vector<Stmt> out;
    for (const Stmt& s : in.statements) {
      Stmt now = map_children(
          context_, s, [](const Expr& e) { return e; }, [&](const Body& inner) { return folded(inner); });
      // Several temporaries may wait for one statement: the last one declared is the first to be looked at.
      while (!out.empty()) {
        const auto* let = as<Let>(out.back());
        if (!let || !let->form.value || !let->form.name.is_generated() || uses_[let->form.name] != 1 ||
            changed_.count(let->form.name))
          break;
        if (header(*let->form.value).height > highest_folded) break;
        const std::optional<Stmt> taken_in =
            replaced_first(now, let->form.name, *let->form.value, is_impure(*let->form.value));
        if (!taken_in) break;
        out.pop_back();
        now = *taken_in;
      }
      out.push_back(now);
    }
    return {context_.span(out)};
  }

  /// A function of the runtime that writes to a map, or to memory that it is given.
  static bool writes(const RuntimeCall& call) {
    const std::string_view name = call.function.text();
    return (name.starts_with("ks_map_") || name.starts_with("ks_percpu_")) && name != "ks_map_contains" &&
           name != "ks_map_len";
  }
  static bool is_impure(const Expr& e) {
    if (const auto* call = as<RuntimeCall>(e); call && writes(call->form)) return true;
    if (has_effect(e) || as<RuntimeCall>(e)) {
      // A read behind a packet pointer is tested by now; it is a plain read.
      bool calls = kind_of(e) == Kind::Call || kind_of(e) == Kind::HelperCall || kind_of(e) == Kind::MapLookup ||
                   kind_of(e) == Kind::MapCall || kind_of(e) == Kind::BuiltinCall || kind_of(e) == Kind::MapSlot;
      each_child_of(
          e, [&](const Expr& child) { calls = calls || is_impure(child); }, [&](const Stmt&) { calls = true; });
      return calls;
    }
    return false;
  }

  /// The expression that a statement evaluates itself; null if it has none or several.
  static const Expr* root_of(const Stmt& s) {
    if (const auto* let = as<Let>(s)) return let->form.value ? &*let->form.value : nullptr;
    if (const auto* assign = as<Assign>(s)) return &assign->form.value;
    if (const auto* evaluate = as<Evaluate>(s)) return &evaluate->form.value;
    if (const auto* give = as<Return>(s)) return give->form.value ? &*give->form.value : nullptr;
    if (const auto* test = as<If>(s)) return test->form.branches.empty() ? nullptr : &test->form.branches[0].condition;
    if (const auto* choice = as<Switch>(s)) return &choice->form.value;
    return nullptr;
  }
  static bool acts(const Expr& e) {
    return header(e).contains.has(Kind::Call) || header(e).contains.has(Kind::HelperCall);
  }

  /// The statement with the one use of `name` replaced, if that use is evaluated before anything that could see the
  /// difference.
  std::optional<Stmt> replaced_first(const Stmt& s, Name name, const Expr& value, bool impure) {
    bool done = false, blocked = false;
    // C leaves the order of operands open: beside a call only that call's own arguments may take a value in.
    if (const Expr* root = root_of(s); root && acts(*root)) {
      const bool is_call = kind_of(*root) == Kind::Call || kind_of(*root) == Kind::HelperCall;
      if (impure || !is_call) return std::nullopt;
    }
    const auto put = [&](const Expr& e) { return replaced(e, name, value, impure, done, blocked); };
    std::optional<Stmt> out;
    if (const auto* let = as<Let>(s)) {
      if (let->form.value) out = context_.make(Let{let->form.name, let->form.type, put(*let->form.value)}, let->loc);
    } else if (const auto* assign = as<Assign>(s)) {
      // C leaves open which side of an assignment it evaluates first: only a pure value may move there, or into a plain
      // variable's.
      if (impure && kind_of(assign->form.place) != Kind::Local) return std::nullopt;
      const Expr place = put(assign->form.place);
      out = context_.make(Assign{place, done ? assign->form.value : put(assign->form.value)}, assign->loc);
    } else if (const auto* evaluate = as<Evaluate>(s)) {
      if (hidden_by(s)) return std::nullopt;  // it takes a variable
      if (impure) return std::nullopt;        // neither does it order a call's arguments
      out = context_.make(Evaluate{put(evaluate->form.value)}, evaluate->loc);
    } else if (const auto* give = as<Return>(s)) {
      if (give->form.value) out = context_.make(Return{Option<Expr>(put(*give->form.value))}, give->loc);
    } else if (const auto* test = as<If>(s)) {
      if (test->form.branches.empty()) return std::nullopt;
      std::vector<Branch> branches(test->form.branches.begin(), test->form.branches.end());
      branches[0].condition = put(branches[0].condition);
      out = context_.make(If{context_.span(branches), test->form.otherwise}, test->loc);
    } else if (const auto* choice = as<Switch>(s)) {
      out = context_.make(Switch{put(choice->form.value), choice->form.cases}, choice->loc);
    } else if (const auto* print = as<TraceLine>(s)) {
      if (impure) return std::nullopt;
      std::vector<Expr> arguments;
      for (const Expr& argument : print->form.arguments) arguments.push_back(done ? argument : put(argument));
      out = context_.make(TraceLine{print->form.format, context_.span(arguments)}, print->loc);
    }
    return done && !blocked ? out : std::nullopt;
  }

  /// Replaces the use unless something before it in the expression could see or cause a difference.
  Expr replaced(const Expr& e, Name name, const Expr& value, bool impure, bool& done, bool& blocked) {
    if (done || blocked) return e;
    if (const auto* local = as<Local>(e); local && local->form.name == name) {
      done = true;
      return value;
    }
    // An address needs a variable; what may not run must not take a value that had been computed in any case, if that
    // can be seen.
    if (as<AddressOf>(e)) return e;
    // An aggregate of nothing but constants would be one that C copies (initialise_by_members).
    if ((as<StructValue>(e) || as<ArrayValue>(e)) && !reads(value)) return e;
    if (impure && (as<And>(e) || as<Or>(e) || as<Conditional>(e))) {
      Uses lazily;
      count(e, lazily);
      if (lazily[name] == 0) return e;
      const auto* both = as<And>(e);
      const auto* either = as<Or>(e);
      if (both) {
        const Expr left = replaced(both->form.left, name, value, impure, done, blocked);
        if (!done) blocked = true;
        return context_.make(And{left, both->form.right}, both->loc, both->type);
      }
      if (either) {
        const Expr left = replaced(either->form.left, name, value, impure, done, blocked);
        if (!done) blocked = true;
        return context_.make(Or{left, either->form.right}, either->loc, either->type);
      }
      if (const auto* choice = as<Conditional>(e)) {
        const Expr condition = replaced(choice->form.condition, name, value, impure, done, blocked);
        if (!done) blocked = true;
        return context_.make(Conditional{condition, choice->form.then, choice->form.otherwise}, choice->loc,
                             choice->type);
      }
      blocked = true;
      return e;
    }
    if ((kind_of(e) == Kind::Call || kind_of(e) == Kind::HelperCall) && impure) {
      blocked = true;  // C does not say in which order arguments are evaluated
      return e;
    }
    const Expr out = map_children(
        context_, e, [&](const Expr& child) { return replaced(child, name, value, impure, done, blocked); });
    // What is read twice and compared with itself stays apart: C compilers warn about it.
    if (const auto* compare = as<Compare>(out);
        compare && done && print(compare->form.left) == print(compare->form.right))
      blocked = true;
    return asked_of_choice(out);
  }
  /// Whether it is no constant.
  static bool reads(const Expr& e) {
    constexpr FormSet sources = form_set_of<Local, Global, Deref, Call, HelperCall, RuntimeCall>();
    return !(header(e).contains & sources).empty();
  }
  /// present(c ? &place : null)   =>   c: C compilers warn where an address is asked.
  static Expr asked_of_choice(const Expr& e) {
    const auto* present = as<Present>(e);
    const auto* choice = present ? as<Conditional>(present->form.value) : nullptr;
    const bool is_address = choice && as<AddressOf>(choice->form.then) && as<Null>(choice->form.otherwise);
    return is_address ? choice->form.condition : e;
  }

  Context& context_;
  Name counter_;  // of the loop at work
  NameSet changed_;
  Uses uses_;
};

}  // namespace

Program fold(const Program& program, Context& context) {
  std::vector<Decl> out;
  for (const Decl& d : program) {
    const auto* function = as<FunctionDef>(d);
    if (!function) {
      out.push_back(d);
      continue;
    }
    FunctionDef form = function->form;
    form.body = Folder(context, form).body(form.body);
    out.push_back(context.make(form, function->loc));
  }
  return context.span(out);
}

Ir<lang::Folded> fold_temporaries(const Ir<lang::ShortCircuitsRaised>& in, Context& context) {
  return {fold(in.declarations, context)};
}
Ir<lang::UserC> fold_user_temporaries(const Ir<lang::UserIndexes>& in, Context& context) {
  return {fold(in.declarations, context)};
}

}  // namespace ksc
