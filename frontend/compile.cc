// SPDX-License-Identifier: Apache-2.0
#include "frontend/compile.h"

#include <chrono>
#include <set>

#include "backends/ebpf_c/emit.h"
#include "backends/project/project.h"
#include "backends/user_c/emit.h"
#include "frontend/load_files.h"
#include "frontend/parser.h"
#include "ir/check.h"
#include "ir/context.h"
#include "ir/languages.h"
#include "ir/sexpr.h"
#include "passes/pipeline.h"

namespace ksc {
namespace {

constexpr std::string_view parse_step = "parse";

/// A file of the support code, in a folder of runtime/.
struct RuntimeFile {
  std::string_view folder, name;
};
constexpr RuntimeFile runtime_files[] = {
#define KSC_RUNTIME_FILE(folder, name) {#folder, name},
#include "runtime_files.inc"
#undef KSC_RUNTIME_FILE
};

/// The forms and rules of a language, one a line.
std::string grammar(const Lang& language) {
  struct Line {
    Kind kind;
    std::string_view sort, name, members;
  };
  static constexpr Line lines[] = {
#define KSC_TYPE_FORM(F) {Kind::F, "type", #F, F::members},
#define KSC_EXPR_FORM(F) {Kind::F, "expression", #F, F::members},
#define KSC_STMT_FORM(F) {Kind::F, "statement", #F, F::members},
#define KSC_DECL_FORM(F) {Kind::F, "declaration", #F, F::members},
#include "ir/forms.def"
  };
  std::string text;
  for (const Line& line : lines) {
    if (!language.has(line.kind)) continue;
    text += fmt::format("{}: ({}{}{})\n", line.sort, line.name, line.members.empty() ? "" : " ", line.members);
  }
  for (int i = 0; i < int(EnumNames<Rule>::names.size()); ++i)
    if (language.rules.has(Rule(i))) text += fmt::format("rule: {}\n", enum_text(Rule(i)));
  return text;
}

/// One compilation at work.
class Compilation {
 public:
  Compilation(Sources& sources, const Options& options) : sources_(sources), options_(options) {}

  Result run() {
    begin();
    result_.diagnostics = std::move(context_.diagnostics);
    result_.locations = std::move(context_.locations);
    return std::move(result_);
  }

 private:
  template <class... A>
  void fail(const diag::Message<A...>& message, const std::type_identity_t<A>&... arguments) {
    context_.diagnostics.report({}, message, arguments...);
  }

  void begin() {
    if (!names_passes()) return;
    const Sources::Opened main = sources_.open(options_.file);
    if (!main) {
      result_.unreadable = true;
      return fail(diag::cannot_read, options_.file, main.error);
    }
    if (!read_kernel_types()) return;
    context_.target = options_.target;
    for (Remark remark : options_.remarks) context_.diagnostics.enable(remark);
    context_.project = options_.project.empty() ? project_name(options_.file) : options_.project;

    Program program;
    if (options_.start_after.empty()) {
      context_.main_file = main.file;
      std::vector<std::string> directories = options_.directories;
      directories.push_back(options_.share + "/std");
      program = load_files(context_, sources_, options_.file, parse(context_, main.file, sources_.text(main.file)),
                           directories);
      if (wants(options_.dump_after, parse_step)) dump(std::string(parse_step), program);
      if (options_.grammar_after == parse_step) result_.report += grammar(lang::Parsed);
      if (options_.stop_after == parse_step) return;
    } else {
      ReadError error;
      bool is_first = true;
      const auto file_of = [&](const std::string& path, size_t size) -> std::optional<uint32_t> {
        const Sources::Opened source = sources_.open(path);
        const bool is_main = std::exchange(is_first, false);
        if (!source || sources_.text(source.file).size() != size) return std::nullopt;
        if (is_main) context_.main_file = source.file;
        return source.file;
      };
      const std::optional<Program> read = read_program(context_, sources_.text(main.file), error, file_of);
      if (!read) return fail(diag::bad_dump, options_.file, error.message, error.offset);
      program = *read;
      if (const std::string problem = problem_of_dump(program); !problem.empty())
        return fail(diag::wrong_dump, options_.file, options_.start_after, problem);
    }
    note_library_files(context_, sources_, options_.share + "/std");
    run_passes(program);
  }

  /// Why the program that was read is not what the pass to start after gives; empty if it may be.
  std::string problem_of_dump(const Program& program) const {
    if (find_invalid(program)) return "it was made from a file with errors";
    const Step* step = find_step(options_.start_after);
    const std::vector<std::string> problems = check(program, step ? step->out : lang::Parsed);
    return problems.empty() ? "" : problems[0];
  }

  static std::vector<std::string_view> pass_names() {
    std::vector<std::string_view> names = {parse_step};
    for (const Step& step : pass_list().trunk) names.push_back(step.name);
    for (const TargetBranch& branch : pass_list().branches)
      for (const Step& step : branch.steps) names.push_back(step.name);
    return names;
  }

  /// Whether each pass that the options name exists.
  bool names_passes() {
    bool good = true;
    for (const std::string* name : {&options_.dump_before, &options_.dump_after, &options_.grammar_after,
                                    &options_.stop_after, &options_.start_after}) {
      const bool all = *name == "all" && (name == &options_.dump_after || name == &options_.dump_before);
      if (name->empty() || all || *name == parse_step || find_step(*name)) continue;
      Diagnostic& message = context_.diagnostics.report({}, diag::unknown_pass, *name);
      if (const std::string_view near = closest_word(*name, pass_names()); !near.empty())
        message.note(fmt::format("did you mean `{}`?", near));
      good = false;
    }
    return good;
  }

  bool read_kernel_types() {
    const std::string path = options_.share + "/types/uapi.json";
    const Sources::Opened file = sources_.open(path);
    if (!file) {
      result_.unreadable = true;
      fail(diag::broken_installation, fmt::format("cannot read `{}`: {}", path, file.error));
      return false;
    }
    try {
      kernel_types_ = KernelTypes::from_json(sources_.text(file.file));
    } catch (const KernelTypesError& error) {
      fail(diag::broken_installation, fmt::format("`{}`: {}", path, error.what()));
      return false;
    }
    context_.kernel_types = &kernel_types_;
    return true;
  }

  static bool wants(const std::string& option, std::string_view pass) { return option == "all" || option == pass; }

  void dump(std::string name, const Program& program) {
    const auto source_of = [this](uint32_t file) { return SourceText{sources_.path(file), sources_.text(file)}; };
    result_.dumps.emplace_back(std::move(name), print(program, context_.locations, source_of));
  }

  RunObserver observer() {
    RunObserver watching;
    watching.before = [this](const Step& step, const Program& program) {
      ++steps_;
      if (wants(options_.dump_before, step.name)) dump(fmt::format("{:02}_before_{}", steps_, step.name), program);
      began_ = std::chrono::steady_clock::now();
    };
    watching.after = [this](const Step& step, const Program& program) {
      const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began_;
      if (options_.time_passes) result_.report += fmt::format("{:9.3f} ms  {}\n", took.count(), step.name);
      if (wants(options_.dump_after, step.name)) dump(fmt::format("{:02}_{}", steps_, step.name), program);
      if (options_.grammar_after == step.name) result_.report += grammar(step.out);
    };
    watching.stop_after = options_.stop_after;
    return watching;
  }

  static bool has_step(const std::vector<Step>& steps, std::string_view name) {
    for (const Step& step : steps)
      if (step.name == name) return true;
    return false;
  }

  /// The trunk, then each branch; a run that starts after a pass of a branch is that branch alone.
  void run_passes(Program program) {
    const PassList& passes = pass_list();
    const std::string& start = options_.start_after;
    const bool from_the_trunk = start.empty() || start == parse_step || has_step(passes.trunk, start);
    RunObserver watching = observer();
    if (from_the_trunk) {
      if (start != parse_step) watching.start_after = start;
      if (!finished(ksc::run(passes.trunk, program, context_, watching), program)) return;
      watching.start_after = {};
    }
    std::map<std::string_view, Program> ends;
    for (const TargetBranch& branch : passes.branches) {
      if (!from_the_trunk && !has_step(branch.steps, start)) continue;
      watching.start_after = from_the_trunk ? std::string_view() : std::string_view(start);
      Program end = program;
      if (!finished(ksc::run(branch.steps, program, context_, watching), end)) return;
      ends[branch.name] = end;
    }
    if (!options_.check_only) emit(ends);
  }

  /// Whether the compilation goes on; `program` then is what came out.
  bool finished(const RunResult& end, Program& program) {
    result_.faults.insert(result_.faults.end(), end.faults.begin(), end.faults.end());
    program = end.program;
    return end.end == RunEnd::Finished && !context_.diagnostics.has_errors();
  }

  /// Which file and line of the output's `source/` a location names.
  std::pair<std::string, uint32_t> locate(Loc loc) {
    const LocationRecord& record = context_.locations[loc];
    return {copy_of(record.file), sources_.line_number(record.file, record.begin)};
  }

  /// Where the output has its copy of a source: under the file's name, with a number where another has that name.
  const std::string& copy_of(uint32_t file) {
    const auto [place, is_new] = copies_.emplace(file, "");
    if (!is_new) return place->second;
    const std::string& path = sources_.path(file);
    const std::string name = path.substr(path.find_last_of('/') + 1);
    const size_t end = name.rfind('.');
    std::string copy = "source/" + name;
    for (int i = 1; !copy_names_.insert(copy).second; ++i)
      copy = fmt::format("source/{}_{}{}", name.substr(0, end), i, end == name.npos ? "" : name.substr(end));
    return place->second = copy;
  }

  /// What came out of the branches becomes files: result_.files[path] = text.
  void emit(const std::map<std::string_view, Program>& ends) {
    copy_of(context_.main_file);  // the first of its name
    const Locate where = [this](Loc loc) { return locate(loc); };
    const std::string& project = context_.project;
    std::map<std::string, std::string> files;
    if (const auto ebpf = ends.find("ebpf"); ebpf != ends.end())
      files[project + ".ebpf.c"] = emit_ebpf_c({ebpf->second}, context_, where);
    std::string user;
    if (const auto found = ends.find("user"); found != ends.end()) user = emit_user_c({found->second}, context_, where);
    if (!user.empty()) files[project + ".c"] = user;
    // A run that starts within a branch gives that branch's file alone.
    if (ends.size() < pass_list().branches.size()) {
      result_.files = std::move(files);
      return;
    }
    if (user.empty()) context_.diagnostics.report({}, diag::no_main);
    if (options_.makefile) {
      if (!user.empty() && is_taken_project(project)) return fail(diag::taken_project, project);
      files["Makefile"] = project_makefile(project, !user.empty());
      files["README.md"] = project_readme(project, !user.empty());
    }
    // The output builds where no ksc is: it carries the support code, and the source that #line names.
    for (const RuntimeFile& file : runtime_files)
      if ((file.folder != "user" || !user.empty()) && !copy(file, files)) return;
    for (const auto& [file, copy] : copies_) files[copy] = sources_.text(file);
    for (auto& [path, text] : files) {
      bool wanted = options_.emit.empty();
      for (const std::string& end : options_.emit) wanted = wanted || path.ends_with(end);
      if (wanted) result_.files[path] = std::move(text);
    }
  }
  bool copy(const RuntimeFile& wanted, std::map<std::string, std::string>& files) {
    const std::string path = fmt::format("{}/runtime/{}/{}", options_.share, wanted.folder, wanted.name);
    const Sources::Opened file = sources_.open(path);
    if (!file) {
      result_.unreadable = true;
      fail(diag::broken_installation, fmt::format("cannot read `{}`: {}", path, file.error));
      return false;
    }
    files[fmt::format("runtime/{}", wanted.name)] = sources_.text(file.file);
    return true;
  }

  Sources& sources_;
  const Options& options_;
  Context context_;
  KernelTypes kernel_types_;
  Result result_;
  std::map<uint32_t, std::string> copies_;  // of the sources that the output names, where they lie in it
  std::set<std::string> copy_names_;
  int steps_ = 0;
  std::chrono::steady_clock::time_point began_;
};

std::string list_steps(const std::vector<Step>& steps) {
  std::string text;
  for (const Step& step : steps) {
    std::string change;
    for (int i = 0; i < int(Kind::count); ++i)
      if (step.in.has(Kind(i)) && !step.out.has(Kind(i))) change += fmt::format(" -{}", kind_names[i]);
    for (int i = 0; i < int(Kind::count); ++i)
      if (!step.in.has(Kind(i)) && step.out.has(Kind(i))) change += fmt::format(" +{}", kind_names[i]);
    for (int i = 0; i < int(EnumNames<Rule>::names.size()); ++i) {
      const bool before = step.in.rules.has(Rule(i)), after = step.out.rules.has(Rule(i));
      if (before != after) change += fmt::format(" {}rule {}", after ? '+' : '-', enum_text(Rule(i)));
    }
    text += fmt::format("  {:<28} {}\n  {:<28}  {}\n", step.name, step.about, "", change);
  }
  return text;
}

}  // namespace

Result compile(Sources& sources, const Options& options) { return Compilation(sources, options).run(); }

std::string project_name(const std::string& path) {
  std::string name = path.substr(path.find_last_of('/') + 1);
  for (const std::string_view end : {".ks", ".ksir"})
    if (name.size() > end.size() && name.ends_with(end)) name.erase(name.size() - end.size());
  for (char& c : name) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (!word) c = '_';
  }
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) name.insert(0, "_");  // it becomes an identifier in C
  return name;
}

std::string list_passes() {
  const PassList& passes = pass_list();
  std::string text = fmt::format("trunk:\n{}", list_steps(passes.trunk));
  for (const TargetBranch& branch : passes.branches)
    text += fmt::format("{}:\n{}", branch.name, list_steps(branch.steps));
  return text;
}

}  // namespace ksc
