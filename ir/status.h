// SPDX-License-Identifier: Apache-2.0
// What a function that may be left early returns instead of its result, as u64: 0 if it was not, else why.
#pragma once
#include "ir/context.h"
#include "ir/lang.h"

namespace ksc {

/// The upper half of a status.
enum class StatusKind : uint8_t { None = 0, Throw = 1, Bounds = 2, Panic = 3 };

constexpr __int128 status_of(StatusKind kind, int32_t code = 0) {
  return static_cast<__int128>(kind) << 32 | static_cast<uint32_t>(code);
}
constexpr StatusKind kind_of_status(uint64_t status) { return static_cast<StatusKind>(status >> 32); }
constexpr int32_t code_of_status(uint64_t status) { return static_cast<int32_t>(static_cast<uint32_t>(status)); }

constexpr StatusKind status_kind(LeaveReason reason) {
  return reason == LeaveReason::Bounds ? StatusKind::Bounds : StatusKind::Panic;
}

/// A status that is known, by the name that the generated code has for it.
Expr constant_status(LeaveReason reason, Loc loc, Context& context);
/// The status of a throw of a constant code, which the generated code calls KS_THROW(code).
Expr thrown_status(const Int& code, Loc loc, Context& context);

/// Whether anything in the program may panic: a panic's status is nowhere else.
bool may_panic(const Program& program);

}  // namespace ksc
