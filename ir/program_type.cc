// SPDX-License-Identifier: Apache-2.0
#include "ir/program_type.h"

namespace ksc {
namespace program_types {
#define KSC_PROGRAM_TYPE(X) extern const ProgramType X;
#include "program_types.inc"
#undef KSC_PROGRAM_TYPE
}  // namespace program_types

std::span<const ProgramType* const> all_program_types() {
  static const ProgramType* const all[] = {
#define KSC_PROGRAM_TYPE(X) &program_types::X,
#include "program_types.inc"
#undef KSC_PROGRAM_TYPE
  };
  return all;
}

const ProgramType* find_program_type(std::string_view attribute) {
  for (const ProgramType* type : all_program_types())
    if (type->attribute == attribute) return type;
  return nullptr;
}

}  // namespace ksc
