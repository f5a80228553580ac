// SPDX-License-Identifier: Apache-2.0
// Any text is read as a dump or refused with a reason and a place; what was read can be printed and read again.
#include "fuzz/targets/require.h"
#include "ir/sexpr.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ksc;
  const std::string text(reinterpret_cast<const char*>(data), size);
  Context context;
  ReadError error;
  const std::optional<Program> program = read_program(context, text, error);
  if (!program) {
    fuzz::require(!error.message.empty() && error.offset <= text.size(), "a refusal has a reason and a place");
    return 0;
  }
  const std::string printed = print(*program);
  Context other;
  const std::optional<Program> again = read_program(other, printed, error);
  fuzz::require(again.has_value(), "what was read and printed can be read: " + error.message);
  fuzz::require(print(*again) == printed, "what was read and printed is the same when it is read again");
  return 0;
}
