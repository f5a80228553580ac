// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <vector>

#include "ir/context.h"
#include "ir/lang.h"
#include "passes/packet_positions.h"

namespace ksc {

/// How many bytes from each root on are known to lie in the packet, on the way that control has taken.
using KnownBytes = std::map<Name, int64_t, ByText>;

/// What functions do to the packet, themselves or through others.
struct PacketFunctions {
  NameSet moving;     // they call a helper that moves it: packet pointers are dead then [L167]
  NameSet pulling;    // they test accesses of a socket buffer, and make its data linear where that helps [L176]
  NameSet replacing;  // they call one after which the packet has another start or length
  explicit PacketFunctions(const Program& program);
};

/// A call of a helper that moves the packet.
bool moves_packet(const Expr& e);
/// A call of one after which the packet has another start or length.
bool replaces_packet(const Expr& e);
/// Whether it asks how far the packet goes.
inline bool tests_packet(const Expr& e) {
  const auto* compare = as<Compare>(e);
  return as<InPacket>(e) || (compare && points_into(type_of(compare->form.left), Space::Packet));
}

/// Goes through a function in the order of control, and knows at each test of a packet access what earlier ones have
/// proven.
class PacketWalk {
 public:
  PacketWalk(Context& context, const FunctionDef& function, const PacketFunctions& functions);
  virtual ~PacketWalk() = default;
  /// The function's body, rewritten.
  Body run();

 protected:
  /// if (!in_packet(p, n)) { leave } whose answer is not known.
  virtual void test(const Node<If>& n, const InPacket& inside, std::vector<Stmt>& out) = 0;
  /// A statement that holds no others.
  virtual void simple(const Stmt& s, std::vector<Stmt>& out) { out.push_back(s); }

  std::optional<PacketPosition> position(const Expr& e) const { return positions_.position(e); }
  bool is_end(const Expr& e) const { return positions_.is_end(e); }
  const KnownBytes& known() const { return *known_; }

  /// The statements at work, from the outermost body to the innermost one.
  struct Level {
    Span<Stmt> statements;
    size_t at = 0;
    bool repeats = false;       // a loop's body: what stands before comes again
    Span<CatchClause> clauses;  // a try's body: where control may go on from any of its statements
  };
  const std::vector<Level>& levels() const { return levels_; }

  Context& context_;
  const FunctionDef& function_;
  const PacketFunctions& functions_;
  const bool pulls_;

 private:
  Body body(const Body& in, KnownBytes& known, bool& falls_through, bool repeats = false,
            Span<CatchClause> clauses = {});
  void statement(const Stmt& s, KnownBytes& known, std::vector<Stmt>& out, bool& falls_through);
  void simple_or_compound(const Stmt& s, KnownBytes& known, std::vector<Stmt>& out, bool& falls_through);
  void branches(const Node<If>& n, KnownBytes& known, std::vector<Stmt>& out, bool& falls_through);
  bool is_known(const InPacket& inside, const KnownBytes& known) const;
  std::optional<std::pair<CompareOp, Expr>> compared_with_end(const Expr& condition) const;
  std::optional<bool> answer(const Expr& condition, const KnownBytes& known) const;
  void learn(const Expr& condition, bool holds, KnownBytes& known) const;
  void forget_if_moved(const Stmt& s, KnownBytes& known) const;

  PacketPositions positions_;
  std::vector<Level> levels_;
  KnownBytes* known_ = nullptr;
};

}  // namespace ksc
