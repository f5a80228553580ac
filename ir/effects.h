// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/places.h"

namespace ksc {

/// Whether evaluating the expression does anything but give a value: calls, map accesses, packet reads (they may
/// leave), and elements whose index lies behind a pointer.
bool has_effect(const Expr& e);
/// Whether it holds a form that can have an effect: asked first, since the answer is at hand.
bool may_have_effect(const Expr& e);
/// Whether the node itself does, whatever its operands do.
bool is_effect(const Expr& e);
/// Whether it holds nothing but reads and what is computed from them: whether it is evaluated cannot be seen then.
bool only_reads(const Expr& e);

/// How far behind the packet's start a packet pointer can lie [L55]. Arithmetic that would lead farther, or before the
/// start, gives this distance, where no access succeeds: the verifier follows a packet pointer over 65,535 bytes in all
/// (MAX_PACKET_OFF of kernel/bpf/verifier.c), and this leaves room for several offsets in a row.
inline constexpr __int128 packet_reach = 0x3fff;
/// Whether the form of a value alone says that it is not negative as a signed 64-bit number.
bool is_never_negative(const Expr& e);

/// The locals of a function which something besides their declaration writes, or whose address is taken.
NameSet changed_locals(const Body& body);
/// Whether it is a match whose arms are blocks without a value: at the end of a function whose result has a name it is
/// a statement.
bool is_match_statement(const Expr& e);

}  // namespace ksc
