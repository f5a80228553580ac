// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/helper_signatures.h"

namespace ksc {

/// Whether a function of the kernel may move the packet. Of one that is not known nobody can say that it does not.
inline bool may_move_packet(std::string_view function) {
  for (const char* other : {"bpf_obj_new_impl", "bpf_obj_drop_impl", "bpf_dynptr_from_xdp", "bpf_dynptr_from_skb"})
    if (function == other) return false;
  const HelperSignature* helper = find_helper_signature(function);
  return !helper || helper->moves_packet();
}

}  // namespace ksc
