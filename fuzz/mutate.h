// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include "fuzz/random.h"
#include "ir/context.h"
#include "ir/lang.h"

namespace ksc {

/// Mistakes that a pass could make.
KSC_ENUM(Mutation, DropStatement, SwapStatements, DuplicateEvaluation, FlipComparison, NegateCondition, OffByOne,
         WidenWrongly, Narrow, SwapOperands, ChangeOperator);

namespace fuzz {

/// The program with one such mistake at a random place; nothing where it has no place for one.
std::optional<Program> mutate(Context& context, const Program& program, Mutation mutation, Random& random);

}  // namespace fuzz
}  // namespace ksc
