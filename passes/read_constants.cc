// SPDX-License-Identifier: Apache-2.0
/// TABLE[1]   =>   2, where const TABLE = [1, 2, 3]
#include "ir/effects.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::ConstantsRead>;
using Constants = std::map<Name, Expr, ByText>;

/// The part of a constant's value that the place names; none if it is no constant, or an index is not known or out of
/// range, which means different things in eBPF and in userspace. What the value leaves out is zero.
std::optional<Expr> part(const Expr& place, const Constants& constants, Context& context) {
  if (const auto* global = as<Global>(place)) {
    const auto found = constants.find(global->form.name);
    return found == constants.end() ? std::nullopt : std::optional(found->second);
  }
  const auto* field = as<Field>(place);
  const auto* index = as<Index>(place);
  const auto* position = index ? as<Int>(index->form.index) : nullptr;
  if (!field && !position) return {};
  const auto at = position ? static_cast<uint64_t>(position->form.value.value) : 0;
  if (position && at >= type_of(index->form.base)->count) return {};
  const auto whole = part(field ? field->form.base : index->form.base, constants, context);
  if (!whole) return {};
  if (const auto* structure = as<StructValue>(*whole))
    for (const FieldValue& v : structure->form.values)
      if (field && v.name == field->form.name) return v.value;
  if (const auto* array = as<ArrayValue>(*whole))
    if (at < array->form.values.size()) return array->form.values[at];
  if (const auto* text = as<StringValue>(*whole); text && at < text->form.text.text().size()) {
    const auto character = static_cast<uint8_t>(text->form.text.text()[at]);
    return context.make(Int{{character}, {}}, loc_of(place), type_of(place));
  }
  return context.make(Zero{}, loc_of(place), type_of(place));
}

}  // namespace

// C compilers look through such constants too, and warn of what they find.
Ir<lang::ConstantsRead> read_constants(const Ir<lang::PinsFlat>& in, Context& context) {
  Constants constants;
  for (const Decl& d : in.declarations)
    if (const auto* global = as<GlobalDef>(d); global && global->form.storage == Storage::Constant)
      constants.insert({global->form.name, *global->form.value});
  const auto read = [&](const auto& n, Out& to) -> Expr {
    // An index may be what another constant holds.
    const Expr place = to.rebuild(n);
    const auto value = is_integral(n.type) ? part(place, constants, to.context) : std::nullopt;
    const auto* number = value ? as<Int>(*value) : nullptr;
    if (!number && !(value && as<Zero>(*value))) return place;
    return to.make(Int{number ? number->form.value : Integer{0}, {}}, n.loc, n.type);
  };
  return rewrite<lang::PinsFlat, lang::ConstantsRead>(in, context, on<Field>(read), on<Index>(read));
}

}  // namespace ksc
