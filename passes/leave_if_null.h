// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/kernel_types.h"
#include "ir/program_type.h"
#include "ir/rewrite.h"

namespace ksc {

/// if (!pointer) { return }, for pointers into maps that the compiler has made: they are null only where the verifier,
/// or too many runs at once, say so. A program gives its pass-through verdict [L60] [L162], other functions give
/// nothing.
template <Lang Out>
void emit_leave_if_null(const Expr& pointer, const FunctionDef& function, Loc loc, To<Out>& to) {
  Types& types = to.context.types;
  const Expr absent = to.make(Not{to.make(Present{pointer}, loc, types.boolean())}, loc, types.boolean());
  Option<Expr> value;
  if (const ProgramType* program = find_program_type(function.program_type.text())) {
    const KernelConstant* verdict = to.context.kernel_types->find_constant(program->pass_through);
    value = Expr(to.make(Int{{verdict->value}, to.context.name(program->pass_through)}, loc, function.result));
  } else if (!is(function.result, TypeKind::Void)) {
    value = Expr(to.make(Int{{0}, {}}, loc, function.result));
  }
  const Body leave{to.context.template span<Stmt>({to.make(Return{value}, loc)})};
  to.emit(If{to.context.template span<Branch>({{absent, leave}}), {}}, loc);
}

}  // namespace ksc
