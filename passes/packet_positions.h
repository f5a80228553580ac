// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <unordered_map>

#include "ir/context.h"
#include "ir/forms.h"

namespace ksc {

/// A packet pointer as a local that never changes, and a constant distance from it in bytes.
struct PacketPosition {
  Name root;
  int64_t offset = 0;
  bool from_start = false;  // the root is ctx->data
};

/// Whether the function's packet is a socket buffer, a part of which may lie elsewhere: a test of an access may pull it
/// [L176].
bool has_socket_buffer(const FunctionDef& function);

/// Whether the expression is ctx->data, as whatever type.
bool is_packet_start(const Expr& e);

/// Where the packet pointers of one function lie. Whoever asks walks the function's statements in order, each with
/// `statement`.
class PacketPositions {
 public:
  PacketPositions(Context& context, const FunctionDef& function);

  /// Looks at a statement; `walk` looks at those inside it.
  template <class Walk>
  void statement(const Stmt& s, Walk&& walk) {
    const uint32_t before = epoch_;
    enter(s);
    walk();
    leave(s, before);
  }
  /// The position of a pointer; none if it is not a constant distance from what has a name.
  std::optional<PacketPosition> position(const Expr& e) const;
  /// Whether the expression is the packet's end.
  bool is_end(const Expr& e) const;

 private:
  void enter(const Stmt& s);
  void leave(const Stmt& s, uint32_t before);
  bool reads_anew_behind(const Stmt& s, bool may_leave);
  void define(const Node<Let>& let);

  Context& context_;
  const bool pulls_;
  NameSet changed_;
  uint32_t going_on_ = 0;                             // statements around the one at work in which what leaves goes on
  uint32_t epoch_ = 0, epochs_ = 0;                   // between two of them ctx->data keeps its value
  std::unordered_map<const void*, bool> reads_anew_;  // statements that were asked about
  NameMap<PacketPosition> positions_;
  NameSet ends_;
};

/// The test which an access has been given, if the statement is one: if (!in_packet(p, n)) { leave }.
const InPacket* packet_check(const Stmt& s);

}  // namespace ksc
