// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/check_types.h"

namespace ksc {

/// Entries of maps in userspace, where to refer to one costs a copy [PresenceAsked, UserEntriesCopied]: none is looked
/// up only to see whether it is there, none is written through a reference, and references are only taken and read.
void check_user(const FunctionDef& function, const Lang& lang, const CheckReport& report);

}  // namespace ksc
