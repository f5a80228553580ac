// SPDX-License-Identifier: Apache-2.0
#include "passes/call_cycles.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "ir/children.h"

namespace ksc {
namespace {

struct Edge {
  Name to;
  Loc loc;
};
using Graph = std::map<Name, std::vector<Edge>, ByText>;

/// Finds the cycles of a graph, each once, from the function that is declared first.
class CycleSearch {
 public:
  CycleSearch(const Graph& graph, std::function<void(const std::vector<Edge>&)> found)
      : graph_(graph), found_(std::move(found)) {}

  /// `path` is kept by hand: chains of calls may be long.
  void from(Name start) {
    struct Frame {
      Name at;
      size_t next = 0;
      int chain = 0;
    };
    if (done_.count(start)) return;
    std::vector<Frame> frames{{start}};
    std::vector<Edge> path;
    std::set<Name, ByText> open{start};
    while (!frames.empty()) {
      Frame& frame = frames.back();
      auto edges = graph_.find(frame.at);
      if (edges == graph_.end() || frame.next == edges->second.size()) {
        if (edges != graph_.end())
          for (const Edge& edge : edges->second)
            if (const auto callee = done_.find(edge.to); callee != done_.end())
              frame.chain = std::max(frame.chain, callee->second + 1);
        done_[frame.at] = frame.chain;
        open.erase(frame.at);
        frames.pop_back();
        if (!path.empty()) path.pop_back();
        continue;
      }
      const Edge& edge = edges->second[frame.next++];
      if (open.count(edge.to)) {
        std::vector<Edge> cycle;
        for (size_t i = frames.size(); i > 0; --i) {
          if (i < frames.size()) cycle.insert(cycle.begin(), path[i - 1]);
          if (frames[i - 1].at == edge.to) break;
        }
        cycle.push_back(edge);
        found_(cycle);
      } else if (!done_.count(edge.to)) {
        path.push_back(edge);
        open.insert(edge.to);
        frames.push_back({edge.to});
      }
    }
  }

  /// How many calls follow from one another at most, from that function on; what comes round again is not counted.
  int longest_chain(Name start) { return from(start), done_[start]; }

 private:
  const Graph& graph_;
  std::function<void(const std::vector<Edge>&)> found_;
  NameMap<int> done_;
};

bool runs_in_kernel(const FunctionDef& function) {
  return function.domain == Domain::Program || function.domain == Domain::Shared;
}

/// `a → b → a`
std::string spell_cycle(const std::vector<Edge>& cycle) {
  std::string text(cycle.back().to.spelling());
  for (const Edge& edge : cycle) text += fmt::format(" → {}", edge.to.spelling());
  return text;
}

}  // namespace

void report_call_cycles(const Span<Decl>& program, Context& context) {
  Graph calls, tail_calls, userspace_calls;
  std::vector<const Node<FunctionDef>*> in_order;
  std::set<Name, ByText> programs;  // a call of one is reported as that
  for (const Decl& d : program)
    if (const auto* function = as<FunctionDef>(d); function && function->form.domain == Domain::Program)
      programs.insert(function->form.name);
  for (const Decl& d : program) {
    const auto* function = as<FunctionDef>(d);
    if (!function) continue;
    const Name name = function->form.name;
    in_order.push_back(function);
    Graph& own_calls = runs_in_kernel(function->form) ? calls : userspace_calls;
    std::function<void(const Expr&)> on_expr;
    std::function<void(const Stmt&)> on_stmt = [&](const Stmt& s) {
      if (const auto* tail = as<TailCall>(s)) tail_calls[name].push_back({tail->form.program, tail->loc});
      each_child_of(s, on_expr, on_stmt);
    };
    on_expr = [&](const Expr& e) {
      if (const auto* call = as<Call>(e); call && !programs.count(call->form.function))
        own_calls[name].push_back({call->form.function, call->loc});
      each_child_of(e, on_expr, on_stmt);
    };
    for (const Stmt& s : function->form.body.statements) on_stmt(s);
  }
  CycleSearch recursion(calls, [&](const std::vector<Edge>& cycle) {
    Diagnostic& message = context.diagnostics.report(cycle.back().loc, diag::recursion, spell_cycle(cycle));
    for (size_t i = 0; i + 1 < cycle.size(); ++i)
      message.note(cycle[i].loc, fmt::format("`{}` is called here", cycle[i].to.spelling()));
  });
  CycleSearch circles(tail_calls, [&](const std::vector<Edge>& cycle) {
    context.diagnostics.report(cycle.back().loc, diag::tail_call_cycle, spell_cycle(cycle));
  });
  CycleSearch in_userspace(userspace_calls, [](const auto&) {});  // which may call itself
  bool is_told = false;
  for (const Node<FunctionDef>* function : in_order) {
    const Name name = function->form.name;
    circles.from(name);
    const int chain = (runs_in_kernel(function->form) ? recursion : in_userspace).longest_chain(name);
    if (chain <= longest_call_chain || std::exchange(is_told, true)) continue;
    context.diagnostics.report(function->loc, diag::long_call_chain, std::string(name.spelling()), longest_call_chain);
  }
}

}  // namespace ksc
