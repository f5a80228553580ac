// SPDX-License-Identifier: Apache-2.0
#include "passes/packet_obstacle.h"

#include <fmt/format.h>

#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/connected_components.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ir/children.h"
#include "ir/languages.h"
#include "ir/license.h"
#include "ir/places.h"
#include "passes/packet_positions.h"

namespace ksc {
namespace {

struct Obstacle {
  std::string what;
  Loc loc;
};

bool points_into_packet(const Expr& e) { return points_into(type_of(e), Space::Packet); }

/// Looks for what needs the packet's address, or its linear part.
class ObstacleSearch {
 public:
  explicit ObstacleSearch(const FunctionDef& function) : has_socket_buffer_(has_socket_buffer(function)) {}

  void body(const Body& in) {
    for (const Stmt& s : in.statements) statement(s);
  }
  std::optional<Obstacle> found;

 private:
  void note(std::string what, Loc loc) {
    if (!found) found = Obstacle{std::move(what), loc};
  }
  void statement(const Stmt& s) {
    const bool may_hold_pointers = as<Let>(s) || as<Assign>(s);
    each_child_of(
        s, [&](const Expr& e) { expression(e, may_hold_pointers); }, [&](const Stmt& inner) { statement(inner); });
  }
  /// `becomes_number`: what is around takes a packet pointer for a number.
  void expression(const Expr& e, bool becomes_number) {
    if (as<PacketEnd>(e) && has_socket_buffer_)
      note("`ctx->data_end` is asked, which tells of the linear part", loc_of(e));
    if (points_into_packet(e) && !becomes_number) note("its address is wanted", loc_of(e));
    const auto* difference = as<PointerDifference>(e);
    if (difference && points_into_packet(difference->form.left) &&
        size_of(type_of(difference->form.left)->element) != 1)
      note("it is counted in elements", loc_of(e));
    constexpr FormSet counting =
        form_set_of<Compare, PointerDifference, PointerAdd, Deref, InPacket, AddressOf, Conditional, Local>();
    const bool counts = counting.has(kind_of(e)) || (as<Convert>(e) && points_into_packet(e));
    each_child_of(
        e, [&](const Expr& child) { expression(child, counts); }, [&](const Stmt& s) { statement(s); });
  }

  bool has_socket_buffer_;
};

void collect_handed_over(const Body& body, NameSet& called) {
  for (const Stmt& s : body.statements) {
    if (const auto* next = as<TailCall>(s)) called.insert(next->form.program);
    each_body_of(s, [&](const Body& inner) { collect_handed_over(inner, called); });
  }
}

/// What the body calls; also by a tail call, since a program that pulls data moves `ctx->data_end` for the next one.
NameSet called_by(const Body& body) {
  NameSet called;
  any_expression(body, [&](const Expr& e) {
    if (const auto* call = as<Call>(e)) called.insert(call->form.function);
    return false;
  });
  collect_handed_over(body, called);
  return called;
}

std::optional<Obstacle> obstacle_in(const FunctionDef& function) {
  for (const Parameter& p : function.parameters)
    if (points_into(p.type, Space::Packet)) return Obstacle{"a function is given its address", {}};
  ObstacleSearch search(function);
  search.body(function.body);
  return search.found;
}

}  // namespace

NameSet functions_for_packet_dynptrs(const Program& program, Context& context) {
  std::string_view license = "GPL";
  boost::adjacency_list<boost::vecS, boost::vecS, boost::undirectedS> calls;
  NameMap<size_t> numbers;
  std::vector<const Node<FunctionDef>*> functions;
  for (const Decl& d : program) {
    if (const auto* declared = as<License>(d)) license = declared->form.text.text();
    const auto* function = as<FunctionDef>(d);
    if (!function) continue;
    numbers[function->form.name] = boost::add_vertex(calls);
    functions.push_back(function);
  }
  for (const auto* function : functions)
    for (Name callee : called_by(function->form.body))
      if (const auto found = numbers.find(callee); found != numbers.end())
        boost::add_edge(numbers.at(function->form.name), found->second, calls);
  std::vector<size_t> components(functions.size());
  boost::connected_components(calls, components.data());

  std::set<size_t> barred;
  for (size_t i = 0; i < functions.size(); ++i) {
    std::optional<Obstacle> obstacle = obstacle_in(functions[i]->form);
    if (!is_gpl_compatible(license))
      obstacle = Obstacle{"the licence is not compatible with the GPL", functions[i]->loc};
    if (obstacle && barred.insert(components[i]).second)
      context.diagnostics.report(obstacle->loc, diag::packet_by_pointers, obstacle->what);
  }
  NameSet able;
  for (size_t i = 0; i < functions.size(); ++i)
    if (!barred.count(components[i])) able.insert(functions[i]->form.name);
  return able;
}

}  // namespace ksc
