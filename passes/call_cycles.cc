// SPDX-License-Identifier: Apache-2.0
#include "passes/call_cycles.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

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
    };
    if (done_.count(start)) return;
    std::vector<Frame> frames{{start}};
    std::vector<Edge> path;
    std::set<Name, ByText> open{start};
    while (!frames.empty()) {
      Frame& frame = frames.back();
      auto edges = graph_.find(frame.at);
      if (edges == graph_.end() || frame.next == edges->second.size()) {
        done_.insert(frame.at);
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

 private:
  const Graph& graph_;
  std::function<void(const std::vector<Edge>&)> found_;
  std::set<Name, ByText> done_;
};

/// `a → b → a`
std::string spell_cycle(const std::vector<Edge>& cycle) {
  std::string text(cycle.back().to.spelling());
  for (const Edge& edge : cycle) text += fmt::format(" → {}", edge.to.spelling());
  return text;
}

}  // namespace

void report_call_cycles(const Span<Decl>& program, Context& context) {
  Graph calls, tail_calls;
  std::vector<Name> in_order;
  for (const Decl& d : program) {
    const auto* function = as<FunctionDef>(d);
    if (!function || (function->form.domain != Domain::Program && function->form.domain != Domain::Shared)) continue;
    const Name name = function->form.name;
    in_order.push_back(name);
    std::function<void(const Expr&)> on_expr;
    std::function<void(const Stmt&)> on_stmt = [&](const Stmt& s) {
      if (const auto* tail = as<TailCall>(s)) tail_calls[name].push_back({tail->form.program, tail->loc});
      each_child_of(s, on_expr, on_stmt);
    };
    on_expr = [&](const Expr& e) {
      if (const auto* call = as<Call>(e)) calls[name].push_back({call->form.function, call->loc});
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
  for (Name name : in_order) {
    recursion.from(name);
    circles.from(name);
  }
}

}  // namespace ksc
