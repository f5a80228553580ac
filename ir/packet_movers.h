// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/helper_signatures.h"

namespace ksc {

/// Whether a function of the kernel may move the packet. Of one that is not known nobody can say that it does not.
inline bool may_move_packet(std::string_view function) {
  if (function == "bpf_obj_new_impl" || function == "bpf_obj_drop_impl") return false;
  const HelperSignature* helper = find_helper_signature(function);
  return !helper || helper->moves_packet();
}

}  // namespace ksc
