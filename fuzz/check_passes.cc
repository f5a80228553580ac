// SPDX-License-Identifier: Apache-2.0
#include "fuzz/check_passes.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "frontend/load_files.h"
#include "frontend/parser.h"
#include "frontend/render.h"
#include "fuzz/split_files.h"
#include "ir/sexpr.h"
#include "passes/pipeline.h"
#include "passes/typed_program.h"

namespace ksc::fuzz {

const KernelTypes& kernel_types() {
  static const KernelTypes types = [] {
    std::ifstream file(KSC_SOURCE "/runtime/types/uapi.json");
    std::stringstream text;
    text << file.rdbuf();
    return KernelTypes::from_json(text.str());
  }();
  return types;
}

namespace {

struct Reference {
  Name entry;
  World world;
  Trace trace;
};

/// The files of the standard library, by their names.
const std::map<std::string, std::string>& library_files() {
  static const std::map<std::string, std::string> files = [] {
    std::map<std::string, std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(KSC_SOURCE "/runtime/std")) {
      std::ifstream file(entry.path());
      std::stringstream text;
      text << file.rdbuf();
      found["std/" + entry.path().filename().string()] = text.str();
    }
    return found;
  }();
  return files;
}

}  // namespace

Program with_library(Context& context, MemorySources& sources, uint32_t file) {
  for (const auto& [path, text] : library_files()) sources.add(path, text);
  const Program program = load_files(context, sources, "random.ks", parse(context, file, sources.text(file)), {"std"});
  note_library_files(context, sources, "std");
  return program;
}

namespace {

class Checker {
 public:
  Checker(const std::string& source, uint64_t seed, int worlds, const World* given)
      : seed_(seed), worlds_(worlds), given_(given) {
    context_.kernel_types = &kernel_types();
    context_.project = "random";
    context_.target.always_dynptr = always_uses_dynptrs(seed);
    file_ = sources_.add("random.ks", source);
  }

  PassCheck check() {
    Program program = with_library(context_, sources_, file_);
    if (context_.diagnostics.has_errors()) return reject();
    const PassList& passes = pass_list();
    if (!runs_through(passes.trunk, program)) return result_;
    for (const TargetBranch& branch : passes.branches) {
      branch_ = branch.name;
      Program part = program;
      if (!runs_through(branch.steps, part)) return result_;
    }
    return result_;
  }

 private:
  /// Runs the steps and compares after each; whether to go on.
  bool runs_through(const std::vector<Step>& steps, Program& program) {
    RunObserver observer;
    observer.after = [&](const Step& step, const Program& out) { after(step, out); };
    const RunResult ended = run(steps, program, context_, observer);
    program = ended.program;
    if (result_.end == PassCheck::End::Failed) return false;
    if (ended.end == RunEnd::Fault) {
      std::string all;
      for (const std::string& fault : ended.faults) all += fault + "\n";
      return fail(std::string(ended.last_step), "the checker finds:\n" + all, nullptr), false;
    }
    if (ended.end == RunEnd::Errors) return reject(), false;
    return true;
  }
  PassCheck reject() {
    result_.message = render_text(context_.diagnostics, context_.locations, sources_);
    for (const Diagnostic& d : context_.diagnostics.all())
      if (d.severity == Severity::error && d.id != diag::Id::not_supported_yet && result_.pass.empty())
        result_.pass = std::string(d.code);
    result_.end = is_unsupported() ? PassCheck::End::Unsupported : PassCheck::End::Rejected;
    return result_;
  }
  bool is_unsupported() const {
    for (const Diagnostic& d : context_.diagnostics.all())
      if (d.severity == Severity::error && d.id != diag::Id::not_supported_yet) return false;
    return true;
  }
  PassCheck fail(std::string pass, std::string message, const World* world) {
    result_.end = PassCheck::End::Failed;
    result_.pass = std::move(pass);
    result_.message = std::move(message);
    if (world) result_.world = to_string(*world);
    return result_;
  }

  void after(const Step& step, const Program& program) {
    if (result_.end == PassCheck::End::Failed || context_.diagnostics.has_errors()) return;
    if (step.name == "infer_types") {
      std::vector<Name> entries = entry_functions(program);
      if (const Name main = main_function(program)) entries.push_back(main), main_ = main;
      for (Name entry : entries)
        for (int i = 0; i < worlds_; ++i) {
          Reference one{entry, given_ ? *given_ : generate_world(seed_ * 31 + static_cast<uint64_t>(i), program), {}};
          // Long runs cost time and show little more: the first worlds have them, the others do without.
          const bool is_short = i >= 2;
          if (is_short) one.world.fuel = std::min<uint64_t>(one.world.fuel, 8'000);
          one.trace = interpret(context_, program, entry, one.world);
          if (is_short && one.trace.out_of_fuel) {
            ++result_.cut_short;
            continue;
          }
          ++result_.runs;
          for (const auto& [event, times] : one.trace.events) result_.events[event] += times;
          if (!one.trace.fault.empty()) {
            fail("infer_types", fmt::format("the typed program `{}` is a fault: {}", entry.text(), one.trace.fault),
                 &one.world);
            return;
          }
          if (one.trace.out_of_fuel) {
            ++result_.given_up;
            continue;
          }
          references_.push_back(std::move(one));
        }
      check_files();
      // Lowered programs take more steps.
      for (Reference& one : references_) one.world.fuel *= 40;
      return;
    }
    InterpretOptions options;
    options.packet_accesses_checked = step.out.rules.has(Rule::AccessesChecked);
    options.packet_pulled = step.out.rules.has(Rule::PacketPulled);
    // Many passes find nothing to do in a program, which then does what it did.
    std::string text = fmt::format("{} {}\n{}", options.packet_accesses_checked, options.packet_pulled, print(program));
    if (text == last_text_) return;
    last_text_ = std::move(text);
    for (const Reference& one : references_) {
      // Each branch keeps what runs there.
      if (!branch_.empty() && (one.entry == main_) != (branch_ == "user")) continue;
      const Trace trace = interpret(context_, program, one.entry, one.world, options);
      if (trace == one.trace) continue;
      fail(std::string(step.name), fmt::format("program {}\n{}", one.entry.text(), difference(one.trace, trace)),
           &one.world);
      return;
    }
  }

  /// The program in two files does what it does in one.
  void check_files() {
    const SplitProgram split = split_files(std::string(sources_.text(file_)), seed_);
    if (!split.has_any_moved) return;
    Context context;
    context.kernel_types = &kernel_types();
    context.project = "random";
    MemorySources sources;
    const uint32_t file = sources.add("random.ks", split.main);
    sources.add("library.ks", split.library);
    const Ir<lang::Parsed> parsed{with_library(context, sources, file)};
    const Ir<lang::Typed> typed = typed_program(parsed, context);
    const std::string files = fmt::format("{}// library.ks:\n{}", split.main, split.library);
    if (context.diagnostics.has_errors()) {
      fail("link_modules", render_text(context.diagnostics, context.locations, sources) + files, nullptr);
      return;
    }
    ++result_.events["program in two files"];
    for (const Reference& one : references_) {
      const Trace trace = interpret(context, typed.declarations, context.name(one.entry.text()), one.world);
      if (trace == one.trace) continue;
      fail("link_modules", fmt::format("program {}\n{}{}", one.entry.text(), difference(one.trace, trace), files),
           &one.world);
      return;
    }
  }

  Context context_;
  MemorySources sources_;
  uint32_t file_ = 0;
  uint64_t seed_;
  int worlds_;
  const World* given_;
  std::vector<Reference> references_;
  std::string_view branch_;  // empty in the trunk
  Name main_;
  std::string last_text_;  // of the program that was interpreted last
  PassCheck result_;
};

}  // namespace

PassCheck check_passes(const std::string& source, uint64_t seed, int worlds, const World* given) {
  return Checker(source, seed, worlds, given).check();
}

PassCheck check_passes_apart(const std::string& source, uint64_t seed, int worlds, const World* given) {
  kernel_types();  // read once, before there are several processes
  int channel[2];
  if (pipe(channel) != 0) std::abort();
  const pid_t child = fork();
  if (child < 0) std::abort();
  if (child == 0) {
    close(channel[0]);
    const rlimit limit{300, 301};  // seconds of the processor's time: a test does not depend on what runs beside it
    setrlimit(RLIMIT_CPU, &limit);
    const PassCheck checked = check_passes(source, seed, worlds, given);
    std::string text = fmt::format("{}\n{}\n{} {} {}\n{}\n", int(checked.end), checked.pass, checked.runs,
                                   checked.given_up, checked.cut_short, checked.events.size());
    for (const auto& [event, times] : checked.events) text += fmt::format("{} {}\n", times, event);
    text += fmt::format("{}\n{}{}", checked.world.size(), checked.world, checked.message);
    for (size_t at = 0; at < text.size();) {
      const ssize_t written = write(channel[1], text.data() + at, text.size() - at);
      if (written <= 0) _exit(1);
      at += static_cast<size_t>(written);
    }
    _exit(0);
  }
  close(channel[1]);
  std::string text;
  char piece[4096];
  for (ssize_t got; (got = read(channel[0], piece, sizeof piece)) > 0;) text.append(piece, static_cast<size_t>(got));
  close(channel[0]);
  int status = 0;
  waitpid(child, &status, 0);
  PassCheck checked;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    checked.end = PassCheck::End::Failed;
    checked.pass = "crash";
    checked.message = fmt::format("the compiler ends by signal {}", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    return checked;
  }
  std::istringstream in(text);
  std::string line;
  std::getline(in, line);
  checked.end = static_cast<PassCheck::End>(std::atoi(line.c_str()));
  std::getline(in, checked.pass);
  size_t events = 0, world = 0;
  in >> checked.runs >> checked.given_up >> checked.cut_short >> events;
  for (size_t i = 0; i < events; ++i) {
    uint64_t times = 0;
    in >> times;
    std::getline(in, line);
    checked.events[line.substr(1)] += times;
  }
  in >> world;
  std::getline(in, line);
  checked.world.resize(world);
  in.read(checked.world.data(), static_cast<std::streamsize>(world));
  checked.message.assign(std::istreambuf_iterator<char>(in), {});
  return checked;
}

}  // namespace ksc::fuzz
