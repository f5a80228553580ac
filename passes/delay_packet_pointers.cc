// SPDX-License-Identifier: Apache-2.0
/// var p = ctx->data + n; if (!found) return; p->f   =>   if (!found) return; var p = ctx->data + n; p->f, where p
/// points into the packet
#include <algorithm>

#include "ir/children.h"
#include "ir/effects.h"
#include "ir/rewrite.h"
#include "passes/packet_positions.h"
#include "passes/passes.h"
#include "passes/ways_out.h"

namespace ksc {
namespace {

using Out = To<lang::PacketPointersDelayed>;
using Statements = std::vector<Stmt>;

/// Whether it is a sum of the packet's start and of numbers that variables hold: computed anywhere, it is the same.
bool is_position(const Expr& e) {
  if (const auto* sum = as<PointerAdd>(e)) return is_position(sum->form.pointer) && is_position(sum->form.count);
  if (const auto* converted = as<Convert>(e)) return is_position(converted->form.value);
  return as<PacketStart>(e) || as<Local>(e) || as<Int>(e);
}

bool mention(Span<Stmt> statements, Name name) {
  return std::any_of(statements.begin(), statements.end(), [&](const Stmt& s) { return mentions(s, name); });
}

/// Whether its conditions only ask what variables hold.
bool asks_variables(const If& choice) {
  return std::none_of(choice.branches.begin(), choice.branches.end(),
                      [](const Branch& b) { return may_have_effect(b.condition); });
}

/// A test whose branches all leave: what stands before it, and is not asked there, can stand behind it.
const If* as_way_out(const Stmt& s) {
  const auto* choice = as<If>(s);
  const bool leaves = choice && choice->form.otherwise.statements.empty() && asks_variables(choice->form) &&
                      std::all_of(choice->form.branches.begin(), choice->form.branches.end(), [](const Branch& b) {
                        const Span<Stmt> all = b.body.statements;
                        return std::any_of(all.begin(), all.end(), [](const Stmt& s) { return jumps_away(s); });
                      });
  return leaves ? &choice->form : nullptr;
}

class Delaying {
 public:
  explicit Delaying(Context& context) : context_(context) {}

  Body body(const Body& in) const {
    Statements out;
    for (size_t i = in.statements.size(); i-- > 0;) {
      const Stmt s = map_children(
          context_, in.statements[i], [](const Expr& e) { return e; }, [&](const Body& inner) { return body(inner); });
      const auto* let = as<Let>(s);
      const bool is_pointer = let && let->form.value && points_into(let->form.type, Space::Packet);
      if (is_pointer && is_position(*let->form.value) && !is_packet_start(*let->form.value))
        put(*let, out);
      else
        out.insert(out.begin(), s);
    }
    return {context_.span(out)};
  }

 private:
  /// Puts the pointer before what needs it, of the statements behind it.
  void put(const Node<Let>& pointer, Statements& behind) const {
    const Name name = pointer.form.name;
    size_t place = 0;  // behind the last way out
    size_t at = 0;
    for (; at < behind.size() && !mentions(behind[at], name); ++at) {
      if (as_way_out(behind[at]))
        place = at + 1;
      else if (const auto* let = as<Let>(behind[at]); !let || (let->form.value && may_have_effect(*let->form.value)))
        break;
    }
    if (at < behind.size() && goes_into_branch(pointer, behind, at)) return;
    behind.insert(behind.begin() + static_cast<ptrdiff_t>(place), Stmt(Ref<Let>{&pointer}));
  }

  /// if (found) { p->f }, and nothing else mentions the pointer.
  bool goes_into_branch(const Node<Let>& pointer, Statements& behind, size_t at) const {
    const Name name = pointer.form.name;
    const auto* choice = as<If>(behind[at]);
    if (!choice || !asks_variables(choice->form) || mention(choice->form.otherwise.statements, name)) return false;
    If form = choice->form;
    std::vector<Branch> branches(form.branches.begin(), form.branches.end());
    Branch* user = nullptr;
    for (Branch& b : branches) {
      if (mentions(b.condition, name)) return false;
      if (!mention(b.body.statements, name)) continue;
      if (user) return false;
      user = &b;
    }
    if (!user || mention({behind.data() + at + 1, behind.size() - at - 1}, name)) return false;
    Statements inside(user->body.statements.begin(), user->body.statements.end());
    put(pointer, inside);
    user->body = {context_.span(inside)};
    form.branches = context_.span(branches);
    behind[at] = context_.make(form, choice->loc);
    return true;
  }

  Context& context_;
};

}  // namespace

// A pointer that may be null is a pointer and a truth. Computed before the truth is asked, with all that is done lest C
// compilers see through it, it keeps them from seeing that the way on which there is none leads out.
Ir<lang::PacketPointersDelayed> delay_packet_pointers(const Ir<lang::IndexesGuarded>& in, Context& context) {
  const Delaying delaying(context);
  return rewrite<lang::IndexesGuarded, lang::PacketPointersDelayed>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        FunctionDef form = n.form;
        form.body = delaying.body(form.body);
        to.declare(form, n.loc);
      }));
}

}  // namespace ksc
