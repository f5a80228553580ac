// SPDX-License-Identifier: Apache-2.0
/// if (a) { n = n | 1 } … if (n > 3) …   =>   … n = ks_forget(n); if (n > 3) …, where n holds another number on each of
/// many ways that meet
#include <algorithm>
#include <functional>
#include <set>

#include "ir/effects.h"
#include "ir/rewrite.h"
#include "ir/sexpr.h"
#include "ir/support_calls.h"
#include "passes/known_ways.h"
#include "passes/leaves_loop.h"
#include "passes/passes.h"

namespace ksc {
namespace {

/// So many numbers of one variable, and so many states of all together, the verifier may know where they are looked at.
constexpr uint64_t few_ways = 8, few_states = 64;

bool is_number(Type type) { return is_integral(type) && !is(type, TypeKind::Bool); }

/// Calls `visit` with the numbers in variables that are read.
void each_number(const Expr& e, const std::function<void(const Expr&)>& visit) {
  if (const Local* local = variable_of(e); local) {
    if (is_number(type_of(e))) visit(e);
    return;
  }
  each_child_of(
      e, [&](const Expr& child) { each_number(child, visit); }, [](const Stmt&) {});
}
void each_expression(const Stmt& s, const std::function<void(const Expr&)>& visit) {
  each_child_of(s, visit, [](const Stmt&) {});
}
void each_number_inside(const Stmt& s, const std::function<void(const Expr&)>& visit) {
  each_child_of(
      s, [&](const Expr& e) { each_number(e, visit); }, [&](const Stmt& t) { each_number_inside(t, visit); });
}

/// The functions whose address is taken.
NameSet callbacks_of(const Program& program) {
  NameSet found;
  std::function<void(const Expr&)> on_expr;
  std::function<void(const Stmt&)> on_stmt = [&](const Stmt& s) { each_child_of(s, on_expr, on_stmt); };
  on_expr = [&](const Expr& e) {
    if (const auto* address = as<FunctionAddress>(e)) found.insert(address->form.name);
    each_child_of(e, on_expr, on_stmt);
  };
  for (const Decl& d : program)
    if (const auto* function = as<FunctionDef>(d))
      for (const Stmt& s : function->form.body.statements) on_stmt(s);
  return found;
}

/// What a statement declares, and all that stands within it.
void add_declared(const Stmt& s, NameSet& names) {
  if (const auto* let = as<Let>(s)) names.insert(let->form.name);
  if (const auto* loop = as<CountedLoop>(s)) names.insert(loop->form.name);
  each_child_of(
      s, [](const Expr&) {}, [&](const Stmt& t) { add_declared(t, names); });
}

/// What the turns of a loop change: its counter, what it declares, and what it writes, a member being a place of its
/// own.
class Changing {
 public:
  explicit Changing(const CountedLoop& loop) {
    names_.insert(loop.name);
    for (const Stmt& s : loop.body.statements) look_at(s);
  }
  bool has(const Expr& place) const { return names_.count(variable_of(place)->name) || places_.count(print(place)); }

 private:
  void look_at(const Stmt& s) {
    const auto* let = as<Let>(s);
    if (let && !(let->form.value && as<Int>(*let->form.value))) names_.insert(let->form.name);
    if (const auto* loop = as<CountedLoop>(s)) names_.insert(loop->form.name);
    if (const auto* assign = as<Assign>(s)) change(assign->form.place);
    each_child_of(
        s, [&](const Expr& e) { look_at(e); }, [&](const Stmt& t) { look_at(t); });
  }
  void look_at(const Expr& e) {
    if (const auto* address = as<AddressOf>(e)) change(address->form.place);
    each_child_of(
        e, [&](const Expr& child) { look_at(child); }, [](const Stmt&) {});
  }
  void change(const Expr& place) {
    const Local* variable = variable_of(place);
    if (!variable) return;
    if (is_number(type_of(place)))
      places_.insert(print(place));
    else if (as<Local>(place))
      names_.insert(variable->name);
  }

  NameSet names_;
  std::set<std::string> places_;
};

class Forgetter {
 public:
  /// `gives_numbers`: whether callers go on with what the function returns.
  Forgetter(bool gives_numbers, Context& context) : gives_numbers_(gives_numbers), context_(context) {}

  Body body(const Body& in) {
    for (const Stmt& s : in.statements) note_mentions(s);
    position_ = 0;
    bool falls = true;
    return walk(in, falls);
  }

 private:
  /// A plain loop around the place at work.
  struct Around {
    uint64_t turns;
    Changing changing;
  };

  /// Counts statements as `statement` does, and notes the last that names each variable.
  void note_mentions(const Stmt& s) {
    const size_t here = ++position_;
    each_expression(s, [&](const Expr& e) { note_mentions(e, here); });
    each_body_of(s, [&](const Body& body) {
      for (const Stmt& inner : body.statements) note_mentions(inner);
    });
  }
  void note_mentions(const Expr& e, size_t here) {
    if (const auto* local = as<Local>(e)) last_mention_[local->form.name] = here;
    each_child_of(
        e, [&](const Expr& child) { note_mentions(child, here); }, [](const Stmt&) {});
  }

  Expr forgotten(const Expr& e) {
    return context_.make(RuntimeCall{context_.name("ks_forget"), context_.span<Expr>({e})}, loc_of(e), type_of(e));
  }
  Body walk(const Body& in, bool& falls) {
    std::vector<Stmt> out;
    falls = true;
    for (size_t i = 0; i < in.statements.size(); ++i) {
      const bool ends = i + 1 < in.statements.size() && as<Return>(in.statements[i + 1]);
      falls = statement(in.statements[i], ends, out) && falls;
      // What reread_packet has put behind a loop stays there.
      std::vector<Stmt> behind = std::exchange(behind_, {});
      while (!behind.empty() && i + 1 < in.statements.size() && hidden_by(in.statements[i + 1]))
        statement(in.statements[++i], false, out);
      out.insert(out.end(), behind.begin(), behind.end());
    }
    return {context_.span(out)};
  }

  /// Before what looks at them, those of many numbers become unknown; of what is copied as a whole, each.
  void forget(const Expr& e, std::vector<Stmt>& out) {
    if (const Local* variable = variable_of(e)) {
      if (is_number(type_of(e))) return forget_place(e, out);
      for (const Expr& place : known_.in(variable->name)) forget_place(place, out);
      return;
    }
    each_child_of(
        e, [&](const Expr& child) { forget(child, out); }, [](const Stmt&) {});
  }
  /// Before what a statement goes on with: a number may be handed on, all else is looked at.
  void look(const Expr& e, std::vector<Stmt>& out) { is_number(type_of(e)) ? forget_tests(e, out) : forget(e, out); }
  /// Before what an expression chooses by, the same.
  void forget_tests(const Expr& e, std::vector<Stmt>& out) {
    if (as<Compare>(e)) return forget(e, out);
    if (const auto* choice = as<Conditional>(e)) forget(choice->form.condition, out);
    each_child_of(
        e, [&](const Expr& child) { forget_tests(child, out); }, [](const Stmt&) {});
  }
  void forget_place(const Expr& place, std::vector<Stmt>& out) {
    const uint64_t ways = known_.of(place);
    if (ways <= few_ways && (ways <= 2 || known_.states() <= few_states)) return;
    out.push_back(context_.make(Assign{place, forgotten(place)}, loc_of(place)));
    known_.set(place, 1);
  }
  /// How many numbers an expression may have.
  uint64_t ways_of(const Expr& e) const {
    if (is_support_call(e, "ks_forget") || as<Int>(e)) return 1;
    uint64_t ways = 1;
    each_number(e, [&](const Expr& place) { ways = std::min(most_ways, ways * known_.of(place)); });
    return ways;
  }
  /// The same where it is taken out of the loops around.
  uint64_t ways_out(const Expr& e) const {
    uint64_t ways = ways_of(e);
    for (const Around& loop : around_) {
      bool changes = false;
      each_number(e, [&](const Expr& place) { changes = changes || loop.changing.has(place); });
      if (changes) ways = std::min(most_ways, ways * loop.turns);
    }
    return ways;
  }

  /// Whether control comes out of it to the next statement. `ends`: that is a return.
  bool statement(const Stmt& s, bool ends, std::vector<Stmt>& out) {
    ++position_;
    if (const auto* let = as<Let>(s)) {
      if (let->form.value) look(*let->form.value, out);
      if (let->form.value && is_number(let->form.type) && ways_of(*let->form.value) > 1)
        known_.set(context_.make(Local{let->form.name}, let->loc, let->form.type), ways_of(*let->form.value));
      out.push_back(s);
      return true;
    }
    if (const auto* assign = as<Assign>(s)) {
      const bool counts = is_number(type_of(assign->form.place));
      const bool is_variable = variable_of(assign->form.place) != nullptr;
      if (!is_variable) forget(assign->form.place, out);  // what chooses the place
      look(assign->form.value, out);
      if (counts && is_variable) known_.set(assign->form.place, ways_of(assign->form.value));
      // *result = i; return
      if (counts && !is_variable && ends && ways_out(assign->form.value) > few_ways)
        out.push_back(context_.make(Assign{assign->form.place, forgotten(assign->form.value)}, assign->loc));
      else
        out.push_back(s);
      return true;
    }
    if (const auto* give = as<Return>(s)) {
      if (give->form.value) look(*give->form.value, out);
      const bool forgets = gives_numbers_ && give->form.value && is_number(type_of(*give->form.value)) &&
                           !is_support_call(*give->form.value, "ks_forget") && ways_out(*give->form.value) > few_ways;
      out.push_back(forgets ? Stmt(context_.make(Return{Option<Expr>(forgotten(*give->form.value))}, give->loc)) : s);
      return false;
    }
    if (const auto* loop = as<CountedLoop>(s)) return counted(*loop, out), true;
    each_expression(s, [&](const Expr& e) { forget(e, out); });
    if (const auto* test = as<If>(s)) return branches(*test, out);
    if (const auto* choice = as<Switch>(s)) return cases(*choice, out);
    if (const auto* block = as<Block>(s)) {
      bool falls = true;
      out.push_back(context_.make(Block{walk(block->form.body, falls)}, block->loc));
      return falls;
    }
    if (const auto* labelled = as<Labelled>(s)) {
      // Nobody knows how far the body came: what it changes may have either number.
      const KnownWays::Mark start = known_.mark();
      bool falls = true;
      out.push_back(context_.make(Labelled{labelled->form.label, walk(labelled->form.body, falls)}, labelled->loc));
      const KnownWays::Changes changes = known_.changes_since(start);
      known_.take_back(start);
      known_.join({changes, {}});
      return true;
    }
    out.push_back(s);
    return !as<Break>(s) && !as<Continue>(s) && !as<Goto>(s);
  }

  /// The body of one of several ways; what it changes is added to `ways` if control comes out of it.
  Body way(const Body& in, std::vector<KnownWays::Changes>& ways) {
    const KnownWays::Mark start = known_.mark();
    bool falls = true;
    const Body out = walk(in, falls);
    if (falls) ways.push_back(changes_of(in, start));
    known_.take_back(start);
    return out;
  }
  /// What a body has changed of what is there behind it.
  KnownWays::Changes changes_of(const Body& in, KnownWays::Mark start) const {
    KnownWays::Changes changes = known_.changes_since(start);
    for (const Stmt& s : in.statements)
      if (const auto* let = as<Let>(s))
        std::erase_if(changes,
                      [&](const auto& change) { return variable_of(change.second.place)->name == let->form.name; });
    return changes;
  }
  bool branches(const Node<If>& n, std::vector<Stmt>& out) {
    std::vector<KnownWays::Changes> ways;
    std::vector<Branch> all;
    for (const Branch& b : n->branches) all.push_back({b.condition, way(b.body, ways)});
    const Body otherwise = way(n->otherwise, ways);
    known_.join(ways);
    out.push_back(context_.make(If{context_.span(all), otherwise}, n.loc));
    return !ways.empty();
  }
  bool cases(const Node<Switch>& n, std::vector<Stmt>& out) {
    std::vector<KnownWays::Changes> ways;
    std::vector<SwitchCase> all;
    bool has_default = false;
    for (const SwitchCase& c : n->cases) {
      all.push_back({c.values, way(c.body, ways)});
      has_default = has_default || c.values.empty();
    }
    if (!has_default) ways.push_back({});
    known_.join(ways);
    out.push_back(context_.make(Switch{n->value, context_.span(all)}, n.loc));
    return !ways.empty();
  }

  void counted(const Node<CountedLoop>& n, std::vector<Stmt>& out) {
    // What its turns look at is looked at anew in each of them: it becomes unknown before them.
    forget(n->low, out);
    forget(n->high, out);
    for (const Stmt& s : n->body.statements) each_number_inside(s, [&](const Expr& place) { forget(place, out); });
    const auto *low = as<Int>(n->low), *high = as<Int>(n->high);
    const __int128 count = low && high ? high->form.value.value - low->form.value.value + n->inclusive : 1;
    const uint64_t turns = count < 1 ? 1 : count > most_ways ? most_ways : static_cast<uint64_t>(count);
    const bool has_exit = std::any_of(n->body.statements.begin(), n->body.statements.end(), leaves_loop);

    const KnownWays::Mark start = known_.mark();
    const Changing changing(n.form);
    around_.push_back({turns, changing});
    bool falls = true;
    CountedLoop form = n.form;
    form.body = walk(n->body, falls);
    around_.pop_back();
    const KnownWays::Changes changes = changes_of(n->body, start);
    known_.take_back(start);
    out.push_back(context_.make(form, n.loc));
    for (const auto& [key, number] : changes) {
      uint64_t ways = 1;  // each turn's one behind the other's
      for (uint64_t i = 0; i < turns && number.ways > 1 && ways < most_ways; ++i)
        ways = std::min(most_ways, ways * number.ways);
      known_.set(key, {number.place, ways});
    }
    // Each way out is another number of what its turns count, and of what is compared with that.
    if (!has_exit || turns <= 1) return;
    NameSet gone;
    for (const Stmt& s : n->body.statements) add_declared(s, gone);
    for (const Stmt& s : n->body.statements)
      each_counted(s, changing, [&](const Expr& place) {
        if (gone.count(variable_of(place)->name)) return;
        known_.set(place, std::max(known_.of(place), turns));
        // Where it is looked at later, no loop in between may know anything of it either.
        const auto last = last_mention_.find(variable_of(place)->name);
        const bool is_named_later = last != last_mention_.end() && last->second > position_;
        if (is_named_later || !around_.empty()) forget_place(place, behind_);
      });
  }
  /// The numbers in variables that are given something in a turn, or compared with what turns change.
  void each_counted(const Stmt& s, const Changing& changing, const std::function<void(const Expr&)>& visit) {
    if (const auto* assign = as<Assign>(s);
        assign && variable_of(assign->form.place) && is_number(type_of(assign->form.place)) &&
        !is_support_call(assign->form.value, "ks_forget") && !as<Int>(assign->form.value))
      visit(assign->form.place);
    if (const auto* test = as<If>(s); test && leaves_loop(s))
      for (const Branch& b : test->form.branches) each_compared(b.condition, changing, visit);
    each_body_of(s, [&](const Body& body) {
      for (const Stmt& inner : body.statements) each_counted(inner, changing, visit);
    });
  }
  void each_compared(const Expr& e, const Changing& changing, const std::function<void(const Expr&)>& visit) {
    if (as<Compare>(e) && (header(e).contains & form_set_of<Deref, Index>()).empty()) {
      bool changes = false;
      each_number(e, [&](const Expr& place) { changes = changes || changing.has(place); });
      if (changes)
        each_number(e, [&](const Expr& place) {
          if (!changing.has(place)) visit(place);
        });
      return;
    }
    each_child_of(
        e, [&](const Expr& child) { each_compared(child, changing, visit); }, [](const Stmt&) {});
  }

  bool gives_numbers_;
  Context& context_;
  KnownWays known_;
  std::vector<Around> around_;
  std::vector<Stmt> behind_;  // what is to come behind the loop at work
  NameMap<size_t> last_mention_;
  size_t position_ = 0;  // of the statement at work
};

}  // namespace

// The verifier goes on from where ways meet once for each state that differs in a number which something later looks
// at: 24 conditional additions are 16 million states, a loop that ends at one of 64 turns is 64, and three of them one
// behind the other 262,144 (docs/decisions/values_that_the_verifier_forgets.md).
Ir<lang::WaysForgotten> forget_ways(const Ir<lang::LookupsMerged>& in, Context& context) {
  const NameSet callbacks = callbacks_of(in.declarations);
  std::vector<Decl> out;
  for (const Decl& d : in.declarations) {
    const auto* function = as<FunctionDef>(d);
    if (!function) {
      out.push_back(d);
      continue;
    }
    FunctionDef form = function->form;
    // The kernel wants to know what programs and callbacks return.
    const bool gives_numbers = form.domain == Domain::Shared && !callbacks.count(form.name);
    form.body = Forgetter(gives_numbers, context).body(form.body);
    out.push_back(context.make(form, function->loc));
  }
  return {context.span(out)};
}

}  // namespace ksc
