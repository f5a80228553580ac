// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/context.h"

namespace ksc {

/// A type as it is written, around its parts: element types, sizes, parameters. `converted` makes of each part what is
/// to stand in its place.
template <class Converted>
TypeExpr with_parts_of_type(const TypeExpr& type, Context& context, const Converted& converted) {
  const Loc loc = loc_of(type);
  if (const auto* n = as<PointerType>(type)) return context.make(PointerType{converted(n->form.element)}, loc);
  if (const auto* n = as<ArrayType>(type))
    return context.make(ArrayType{converted(n->form.element), converted(n->form.count)}, loc);
  if (const auto* n = as<StrType>(type)) return context.make(StrType{converted(n->form.size)}, loc);
  if (const auto* n = as<OptionType>(type)) return context.make(OptionType{converted(n->form.element)}, loc);
  if (const auto* n = as<FunctionType>(type)) {
    std::vector<TypeExpr> parameters;
    for (const TypeExpr& parameter : n->form.parameters) parameters.push_back(converted(parameter));
    const Option<TypeExpr> result = n->form.result ? Option<TypeExpr>(converted(*n->form.result)) : Option<TypeExpr>();
    return context.make(FunctionType{context.span(parameters), result}, loc);
  }
  return type;
}

}  // namespace ksc
