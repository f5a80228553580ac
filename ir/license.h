// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <iterator>
#include <string_view>

namespace ksc {

/// The licences that the kernel takes for compatible with its own: include/linux/license.h, license_is_gpl_compatible.
inline bool is_gpl_compatible(std::string_view license) {
  constexpr std::string_view compatible[] = {"GPL",          "GPL v2",       "GPL and additional rights",
                                             "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL"};
  return std::find(std::begin(compatible), std::end(compatible), license) != std::end(compatible);
}

}  // namespace ksc
