// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/context.h"
#include "ir/forms.h"

namespace ksc {

/// Warns of loops over a map whose body changes other entries of it than the one at hand [L42], itself or through what
/// it calls: which entries the loop then visits is open.
void report_map_changes(const Span<Decl>& program, Context& context);

}  // namespace ksc
