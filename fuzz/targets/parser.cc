// SPDX-License-Identifier: Apache-2.0
// Any text becomes a program that can be printed and read back; what is said about it can be shown, and has its place.
#include "frontend/parser.h"

#include "frontend/render.h"
#include "fuzz/targets/require.h"
#include "ir/sexpr.h"

namespace {

void require_same_when_read(const ksc::Program& program) {
  using namespace ksc;
  const std::string printed = print(program);
  Context other;
  ReadError error;
  const std::optional<Program> read = read_program(other, printed, error);
  fuzz::require(read.has_value(), "a printed program can be read: " + error.message);
  fuzz::require(print(*read) == printed, "a program that was printed and read is the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ksc;
  MemorySources sources;
  Context context;
  const uint32_t file = sources.add("input.ks", {reinterpret_cast<const char*>(data), size});
  const Program program = parse(context, file, sources.text(file));
  fuzz::require_places(context.diagnostics, context.locations, sources, true);
  const bool silent = context.diagnostics.all().empty();
  fuzz::require(render_text(context.diagnostics, context.locations, sources).empty() == silent, "messages are shown");
  render_json(context.diagnostics, context.locations, sources);
  require_same_when_read(program);
  return 0;
}
