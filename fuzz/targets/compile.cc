// SPDX-License-Identifier: Apache-2.0
// Any text goes through all passes, up to the C: either errors are reported, or every check between two passes holds.
#include <fstream>
#include <sstream>

#include "backends/ebpf_c/emit.h"
#include "backends/user_c/emit.h"
#include "frontend/parser.h"
#include "frontend/render.h"
#include "fuzz/targets/require.h"
#include "passes/pipeline.h"

namespace ksc::fuzz {
namespace {

/// Read once: `compile` would read it for every input.
const KernelTypes& kernel_types() {
  static const KernelTypes types = [] {
    std::ifstream file(KSC_SOURCE "/runtime/types/uapi.json");
    std::stringstream text;
    text << file.rdbuf();
    return KernelTypes::from_json(text.str());
  }();
  return types;
}

/// Whether the program came to the end of the steps without an error.
bool finishes(const std::vector<Step>& steps, Program& program, Context& context) {
  const RunResult result = ksc::run(steps, program, context, {});
  require(result.faults.empty(), result.faults.empty() ? "" : result.faults[0]);
  require(result.end == RunEnd::Finished || context.diagnostics.has_errors(), "who stops early says why");
  program = result.program;
  return result.end == RunEnd::Finished && !context.diagnostics.has_errors();
}

void emit(std::string_view branch, const Program& program, Context& context) {
  const Locate locate = [](Loc) { return std::pair<std::string, uint32_t>("source/input.ks", 1); };
  if (branch == "ebpf") emit_ebpf_c({program}, context, locate);
  if (branch == "user") emit_user_c({program}, context, locate);
}

void compile(std::string_view source, uint32_t file, Context& context) {
  context.kernel_types = &kernel_types();
  context.project = "input";
  Program program = parse(context, file, source);
  const PassList& passes = pass_list();
  if (!finishes(passes.trunk, program, context)) return;
  for (const TargetBranch& branch : passes.branches) {
    Program end = program;
    if (!finishes(branch.steps, end, context)) return;
    emit(branch.name, end, context);
  }
}

}  // namespace
}  // namespace ksc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ksc;
  MemorySources sources;
  Context context;
  const uint32_t file = sources.add("input.ks", {reinterpret_cast<const char*>(data), size});
  fuzz::compile(sources.text(file), file, context);
  fuzz::require_places(context.diagnostics, context.locations, sources, false);
  render_text(context.diagnostics, context.locations, sources);
  return 0;
}
