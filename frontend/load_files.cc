// SPDX-License-Identifier: Apache-2.0
#include "frontend/load_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>

#include "frontend/parser.h"

namespace ksc {
namespace {

namespace fs = std::filesystem;

/// What `ctx.packet()` is declared in.
constexpr std::string_view packet_library = "packet.ks";

class Loader {
 public:
  Loader(Context& context, Sources& sources, const std::vector<std::string>& directories)
      : context_(context), sources_(sources), directories_(directories) {}

  Program load(const std::string& path, const Program& main) {
    const std::string key = normal(path);
    loaded_.insert(key);
    open_.push_back(key);
    std::vector<Decl> all;
    for (const Decl& d : main) all.push_back(converted(d));
    if (asks_packets_ && !directories_.empty()) load_packets(loc_of(all.back()));
    open_.pop_back();
    all.insert(all.end(), modules_.begin(), modules_.end());
    return context_.span(all);
  }

 private:
  static std::string normal(const fs::path& path) { return path.lexically_normal().string(); }
  static bool is_header(const std::string& path) { return path.ends_with(".kh"); }

  /// Whether `x.packet` or `x.hash()` stands in it, for which nothing is imported [L55] [L183].
  template <class Sum>
  void look_for_packets(const Sum& sum) {
    boost::variant2::visit(
        [&](const auto& ref) {
          using F = std::remove_cvref_t<decltype((*ref).form)>;
          if constexpr (std::same_as<F, Member>) asks_packets_ |= ref->name.name == "packet";
          if constexpr (std::same_as<F, Apply>) {
            const auto* method = as<Member>(ref->callee);
            asks_packets_ |= method && method->form.name.name == "hash";
          }
          each_child_of_form((*ref).form, [&](const auto& child) {
            if constexpr (!std::same_as<std::remove_cvref_t<decltype(child)>, TypeExpr>) look_for_packets(child);
          });
        },
        sum);
  }

  void load_packets(Loc loc) {
    const std::vector<std::string> only{directories_.back()};
    const std::vector<std::string>* all = std::exchange(searched_, &only);
    module(std::string(packet_library), true, loc);
    searched_ = all;
  }

  Decl converted(const Decl& d) {
    if (!asks_packets_) look_for_packets(d);
    if (const auto* import = as<Import>(d)) {
      const Name path = file_of_import(import->form.path, import->loc);
      if (path) return context_.make(Import{import->form.name, path}, import->loc);
      return context_.make(InvalidDecl{context_.span<Name>({import->form.name.name})}, import->loc);
    }
    if (const auto* include = as<Include>(d)) {
      const Name path = file_of_include(include->form, include->loc);
      if (path) return context_.make(Include{path, include->form.system}, include->loc);
      // It may have declared any name.
      return context_.make(InvalidDecl{context_.span<Name>({context_.name("")})}, include->loc);
    }
    return d;
  }

  Name file_of_import(Name path, Loc loc) {
    const std::string text(path.text());
    if (text.ends_with(".py")) {
      context_.diagnostics.report(loc, diag::not_supported_yet, "`import` of Python");
      return {};
    }
    if (text.ends_with(".ks")) return module(text, false, loc);
    Diagnostic& message =
        context_.diagnostics.report(loc, diag::wrong_kind_of_file, "import", "a file that ends in `.ks`", text);
    if (is_header(text)) message.fix(loc, fmt::format("include \"{}\"", text));
    return {};
  }

  Name file_of_include(const Include& include, Loc loc) {
    const std::string text(include.path.text());
    if (is_header(text)) return module(text, include.system, loc);
    context_.diagnostics.report(loc, diag::wrong_kind_of_file, "include", "a header that ends in `.kh`", text);
    return {};
  }

  /// The path of a file in the sources, wherever it lies; nothing, and a message, if it cannot be read.
  std::string find(const std::string& text, bool system, Loc loc, uint32_t& file) {
    std::vector<fs::path> folders(searched_->begin(), searched_->end());
    if (!system) folders.insert(folders.begin(), fs::path(open_.back()).parent_path());
    std::string why = std::strerror(ENOENT);
    for (const fs::path& folder : folders) {
      const std::string path = normal(folder / text);
      const Sources::Opened opened = sources_.open(path);
      file = opened.file;
      if (opened) return path;
      if (why == std::strerror(ENOENT)) why = opened.error;
    }
    Diagnostic& message = context_.diagnostics.report(loc, diag::no_such_import, text, why);
    if (!system) message.note("it is looked for beside the file that names it, where -I says, and in the library");
    return {};
  }

  /// The name of the Module for a path, which is made the first time.
  Name module(const std::string& text, bool system, Loc loc) {
    uint32_t file = 0;
    const std::string path = find(text, system, loc, file);
    if (path.empty()) return {};
    if (const auto again = std::find(open_.begin(), open_.end(), path); again != open_.end()) {
      std::string way;
      for (auto step = again; step != open_.end(); ++step) way += *step + " → ";
      context_.diagnostics.report(loc, diag::import_cycle, path, way + path);
      return {};
    }
    const Name name = context_.name(path);
    if (!loaded_.insert(path).second) return name;
    const size_t place = modules_.size();
    modules_.push_back(context_.make(Module{name, {}}, loc));
    open_.push_back(path);
    std::vector<Decl> declarations;
    for (const Decl& d : parse(context_, file, sources_.text(file))) {
      if (is_header(path) && !may_stand_in_header(d)) {
        declarations.push_back(reported(d));
      } else if (!belongs_to_main(d)) {
        declarations.push_back(converted(d));
      }
    }
    open_.pop_back();
    modules_[place] = context_.make(Module{name, context_.span(declarations)}, loc);
    return name;
  }

  /// An imported program's `main` starts that program, and the licence is that of the file which is compiled.
  static bool belongs_to_main(const Decl& d) {
    const auto* function = as<FunctionDecl>(d);
    const bool is_main =
        function && function->form.attributes.size() == 0 && function->form.name.name == std::string_view("main");
    return is_main || kind_of(d) == Kind::License;
  }

  static bool may_stand_in_header(const Decl& d) {
    switch (kind_of(d)) {
      case Kind::InvalidDecl:
      case Kind::Include:
      case Kind::AliasDecl:
      case Kind::StructDecl:
      case Kind::EnumDecl:
      case Kind::ConstDecl:
      case Kind::ExternDecl: return true;
      default: return false;
    }
  }
  Decl reported(const Decl& d) {
    std::string found = "this";
    Loc loc = loc_of(d);
    std::vector<Name> names;
    boost::variant2::visit(
        [&](const auto& ref) {
          if constexpr (requires { ref->name.loc; }) {
            if (!ref->name.name) return;
            found = fmt::format("`{}`", ref->name.name.text());
            names.push_back(ref->name.name);
            loc = ref->name.loc;
          }
        },
        d);
    context_.diagnostics.report(loc, diag::not_in_header, found);
    return context_.make(InvalidDecl{context_.span(names)}, loc_of(d));
  }

  Context& context_;
  Sources& sources_;
  const std::vector<std::string>& directories_;
  std::set<std::string> loaded_;
  std::vector<std::string> open_;  // the files that are being read, each named by the one before
  std::vector<Decl> modules_;
  const std::vector<std::string>* searched_ = &directories_;
  bool asks_packets_ = false;
};

}  // namespace

Program load_files(Context& context, Sources& sources, const std::string& path, const Program& main,
                   const std::vector<std::string>& directories) {
  return Loader(context, sources, directories).load(path, main);
}

void note_library_files(Context& context, const Sources& sources, const std::string& directory) {
  const std::string folder = fs::path(directory + "/").lexically_normal().string();
  std::map<std::string, uint32_t> found;
  for (uint32_t file = 0; file < sources.size(); ++file)
    if (sources.path(file).starts_with(folder)) found[sources.path(file)] = file;
  context.library_files.clear();
  for (const auto& [path, file] : found) context.library_files.push_back(file);
}

}  // namespace ksc
