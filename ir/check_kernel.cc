// SPDX-License-Identifier: Apache-2.0
#include "ir/check_kernel.h"

#include <fmt/format.h>

#include "ir/helper_signatures.h"
#include "ir/map_kind.h"
#include "ir/program_type.h"

namespace ksc {

void KernelCheck::call(const HelperCall& call, const FunctionDef& function) const {
  const ProgramType* type =
      function.domain == Domain::Program ? find_program_type(function.program_type.text()) : nullptr;
  const HelperSignature* helper = find_helper_signature(call.helper.text());
  if (!type || !helper) return;
  const auto program = static_cast<HelperPrograms>(type->helpers);
  if (!helper->allows(program)) report_("a program may not call the helper");
  if (target_.is_kernel_given && target_.kernel < helper->first_kernel_for(program))
    report_("the target's kernel has no such helper");
}

void KernelCheck::declaration(const MapDef& map) const {
  const MapKind* kind = is(map.type, TypeKind::Map) ? find_map_kind(map.type->name.text()) : nullptr;
  if (kind && target_.is_kernel_given && target_.kernel < kind->first_kernel)
    report_("the target's kernel has no such map");
}

void KernelCheck::declaration(const GlobalDef& global) const {
  wants(global.storage == Storage::Pinned ? Feature::MmapableArray : Feature::GlobalData);
}

void KernelCheck::wants(Feature feature) const {
  if (target_.is_kernel_given && !has(target_, feature))
    report_(fmt::format("the target lacks {}", describe(feature).name));
}

}  // namespace ksc
