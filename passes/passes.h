// SPDX-License-Identifier: Apache-2.0
// Every pass, in the order of passes/pipeline.cc. What each does stands at its definition.
#pragma once
#include "ir/context.h"
#include "ir/languages.h"

namespace ksc {

#define KSC_PASS_DECLARATION(name, In, Out) Ir<lang::Out> name(const Ir<lang::In>& in, Context& context);
KSC_PASS_DECLARATION(resolve_names, Parsed, Resolved)
KSC_PASS_DECLARATION(infer_types, Resolved, Typed)
#undef KSC_PASS_DECLARATION

}  // namespace ksc
