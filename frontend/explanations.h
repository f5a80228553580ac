// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "frontend/diagnostics.h"

namespace ksc {

/// A line of diagnostics.def, for people. A page of docs/diagnostics/ explains it.
struct MessageKind {
  std::string_view code;
  Severity severity;
  std::string text;  // with `…` where messages of the kind differ
};

/// All kinds of messages, in the order of their codes.
const std::vector<MessageKind>& message_kinds();

/// A page as it is shown in a terminal: programs are indented, and have no marks around them.
std::string page_as_text(std::string_view page);

}  // namespace ksc
