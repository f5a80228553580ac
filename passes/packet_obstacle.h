// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/context.h"
#include "ir/forms.h"
#include "ir/lang.h"

namespace ksc {

/// The functions whose packet accesses can all go through dynptrs. Where one cannot, a note says what is in the way,
/// and then none can of those that call it, or that it calls: what is written through a dynptr ends the packet pointers
/// of all functions at work.
NameSet functions_for_packet_dynptrs(const Program& program, Context& context);

}  // namespace ksc
