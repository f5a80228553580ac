// SPDX-License-Identifier: Apache-2.0
#include "fuzz/split_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "frontend/parser.h"
#include "frontend/source.h"
#include "fuzz/check_passes.h"
#include "fuzz/random.h"
#include "passes/file_declarations.h"
#include "passes/passes.h"

namespace ksc::fuzz {
namespace {

/// A declaration's text, and the names at file level in it.
struct DeclarationPiece {
  Decl declaration;
  std::vector<std::string> names;             // what it declares
  uint32_t begin = 0, end = 0;                // byte offsets
  std::multimap<std::string, uint32_t> uses;  // where a name of the file stands in it
  bool is_movable = true, is_moved = false;
};

/// Calls `on_node` with every node of a tree.
template <class Sum, class OnNode>
void each_node(const Sum& root, const OnNode& on_node) {
  boost::variant2::visit(
      [&](const auto& ref) {
        on_node(*ref);
        each_child_of_form((*ref).form, [&](const auto& child) { each_node(child, on_node); });
      },
      root);
}

bool may_move(const Decl& d) {
  if (const auto* function = as<FunctionDecl>(d)) {
    const auto& attributes = function->form.attributes;
    const bool is_helper = attributes.size() == 1 && attributes.begin()->name.name == std::string_view("helper");
    return is_helper || (attributes.size() == 0 && function->form.name.name != std::string_view("main"));
  }
  // What of another file nothing uses is not there, and what is pinned lies in one map with the others.
  if (const auto* variable = as<VarDecl>(d); variable && variable->form.storage == Storage::Pinned) return false;
  return declared_name(d) && !as<ExternDecl>(d);
}

/// Whether a trace tells of it by its name, which it must keep then: constants that are arrays, texts or structs are
/// globals there.
bool is_seen(const Decl& d) {
  const auto* constant = as<ConstDecl>(d);
  const auto has_place = [](const Expr& value) {
    return as<ArrayLiteral>(value) || as<ArrayRepeat>(value) || as<StringValue>(value) || as<StructLiteral>(value);
  };
  return as<VarDecl>(d) || as<MapDecl>(d) || as<ConfigDecl>(d) || (constant && has_place(constant->form.value));
}

class Splitter {
 public:
  Splitter(const std::string& source, uint64_t seed) : source_(source), random_(seed) {}

  SplitProgram split() {
    context_.kernel_types = &kernel_types();
    MemorySources sources;
    const uint32_t file = sources.add("random.ks", source_);
    const Ir<lang::Parsed> parsed{parse(context_, file, sources.text(file))};
    const Ir<lang::Resolved> resolved = resolve_names(parsed, context_);
    if (context_.diagnostics.has_errors()) return {};
    read(resolved.declarations);
    choose();
    SplitProgram out;
    std::string main, library;
    for (const DeclarationPiece& piece : pieces_) (piece.is_moved ? library : main) += text_of(piece);
    std::set<std::string> written;
    for (const DeclarationPiece& piece : pieces_)
      for (const std::string& name : piece.names) {
        out.has_any_moved |= piece.is_moved;
        if (!written.insert(name).second) continue;
        if (!piece.is_moved) library += fmt::format("priv const {}: u8 = 77\n", name);
        if (piece.is_moved && !is_seen(piece.declaration)) main += fmt::format("const {}: u8 = 78\n", name);
      }
    out.main = "import library from \"library.ks\"\n" + main;
    out.library = library;
    return out;
  }

 private:
  void read(const Program& program) {
    std::set<std::string> known;
    for (const Decl& d : program) {
      DeclarationPiece piece;
      piece.declaration = d;
      if (const Name name = declared_name(d)) piece.names.emplace_back(name.spelling());
      if (const auto* enumeration = as<EnumDecl>(d))
        for (const EnumerationItem& item : enumeration->form.items) piece.names.emplace_back(item.name.name.text());
      piece.begin = context_.locations[loc_of(d)].begin;
      while (piece.begin > 0 && source_[piece.begin - 1] != '\n') --piece.begin;
      // Of functions with one name it is not told here which is meant.
      for (const std::string& name : piece.names)
        if (!known.insert(name).second) fixed_.insert(name);
      pieces_.push_back(piece);
    }
    for (size_t i = 0; i < pieces_.size(); ++i)
      pieces_[i].end = i + 1 < pieces_.size() ? pieces_[i + 1].begin : static_cast<uint32_t>(source_.size());
    for (DeclarationPiece& piece : pieces_)
      each_node(piece.declaration, [&](const auto& node) {
        using F = std::remove_cvref_t<decltype(node.form)>;
        const auto use = [&](Name name, Loc loc) {
          if (known.count(std::string(name.spelling())))
            piece.uses.emplace(name.spelling(), context_.locations[loc].begin);
        };
        // What number stands for a function depends on the order of functions, and traces show it.
        if constexpr (std::same_as<F, FunctionType>) keeps_functions_ = true;
        if constexpr (std::same_as<F, GlobalName>) use(node.form.name, node.loc);
        if constexpr (std::same_as<F, NamedType>) use(node.form.name.name, node.form.name.loc);
        if constexpr (std::same_as<F, StructLiteral>) {
          use(node.form.name.name, node.form.name.loc);
          // `f` for `f: f` cannot be written with the other file's name before it.
          for (const NamedExpr& value : node.form.values)
            if (const auto* name = as<GlobalName>(value.value);
                name && context_.locations[name->loc].begin == context_.locations[value.name.loc].begin)
              fixed_.insert(std::string(name->form.name.spelling()));
        }
        // x.f(…) may be a call of f, and has no place for the other file's name.
        if constexpr (std::same_as<F, Member>)
          if (const std::string name(node.form.name.name.text()); known.count(name))
            fixed_.insert(name), piece.is_movable = false;
      });
  }

  bool is_fixed(const DeclarationPiece& piece) const {
    return std::any_of(piece.names.begin(), piece.names.end(), [&](const std::string& n) { return fixed_.count(n); });
  }

  /// Moves some declarations and what they need, unless something of that cannot be moved.
  void choose() {
    for (DeclarationPiece& piece : pieces_) {
      piece.is_movable = piece.is_movable && may_move(piece.declaration) && !is_fixed(piece) &&
                         !(keeps_functions_ && as<FunctionDecl>(piece.declaration));
      piece.is_moved = piece.is_movable && random_.once_in(2);
    }
    for (bool changes = true; changes;) {
      changes = false;
      for (DeclarationPiece& piece : pieces_)
        for (DeclarationPiece& other : pieces_) {
          if (!piece.is_moved || other.is_moved) continue;
          const bool is_used = std::any_of(other.names.begin(), other.names.end(),
                                           [&](const std::string& name) { return piece.uses.count(name) != 0; });
          if (!is_used) continue;
          changes = true;
          if (other.is_movable)
            other.is_moved = true;
          else
            piece.is_movable = piece.is_moved = false;
        }
    }
  }

  /// Its text, with the import's name before what has moved.
  std::string text_of(const DeclarationPiece& piece) {
    std::string text = source_.substr(piece.begin, piece.end - piece.begin);
    if (!text.ends_with('\n')) text += '\n';
    if (piece.is_moved) return text;
    std::vector<uint32_t> places;
    for (const auto& [name, at] : piece.uses)
      if (is_moved(name)) places.push_back(at);
    std::sort(places.rbegin(), places.rend());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    for (uint32_t at : places) text.insert(at - piece.begin, "library.");
    return text;
  }
  bool is_moved(const std::string& name) const {
    return std::any_of(pieces_.begin(), pieces_.end(), [&](const DeclarationPiece& p) {
      return p.is_moved && std::find(p.names.begin(), p.names.end(), name) != p.names.end();
    });
  }

  const std::string& source_;
  Random random_;
  Context context_;
  std::vector<DeclarationPiece> pieces_;
  bool keeps_functions_ = false;
  std::set<std::string> fixed_;  // names of what cannot be moved
};

}  // namespace

SplitProgram split_files(const std::string& source, uint64_t seed) { return Splitter(source, seed).split(); }

}  // namespace ksc::fuzz
