// SPDX-License-Identifier: Apache-2.0
// Any text without syntax errors is formatted: it means the same, has the same words and comments, and to format it
// again changes nothing. What is rewritten of old spellings is done after one run.
#include "frontend/format/format.h"
#include "frontend/format/upgrade.h"
#include "fuzz/targets/require.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ksc;
  const std::string text(reinterpret_cast<const char*>(data), size);
  Context context;
  const std::optional<std::string> formatted = format(context, 0, text);
  if (formatted) {
    const std::string fault = difference(text, *formatted);
    fuzz::require(fault.empty(), fault);
    Context other;
    const std::optional<std::string> again = format(other, 0, *formatted);
    fuzz::require(again == formatted, "what is formatted is the same when it is formatted again");
  }
  const std::string upgraded = upgrade(text);
  fuzz::require(upgrade(upgraded) == upgraded, "what is rewritten is the same when it is rewritten again");
  return 0;
}
