// SPDX-License-Identifier: Apache-2.0
/// import m from "m.ks"; m.f()   =>   f(): the declarations of all files stand in one, under symbols of their own
#include <fmt/format.h>

#include "ir/builtins.h"
#include "ir/helper_signatures.h"
#include "ir/rewrite.h"
#include "passes/file_declarations.h"
#include "passes/passes.h"
#include "passes/written_types.h"

namespace ksc {
namespace {

/// What a name at the level of a file stands for.
struct Entry {
  Name symbol;
  Decl declaration;
  Visibility visibility = Visibility::Default;
};

/// A file, and what it sees: its own declarations and those of the headers that it includes.
struct File {
  Name path;
  Program declarations;
  NameMap<Entry> entries;
  NameMap<Name> imports;  // the path behind each name of an import
  NameSet broken;         // what could not be read: nothing is known of it
  bool has_any_name = false;
  bool is_done = false;
};

constexpr FormSet namers = form_set_of<GlobalName, Member, StructLiteral, NamedType, Import, Include, Module, AliasDecl,
                                       StructDecl, EnumDecl, ConstDecl, ConfigDecl, VarDecl, MapDecl, FunctionDecl>();

class Linker final : public Walker {
 public:
  explicit Linker(Context& context) : Walker(context, namers) {}
  using Walker::operator();

  Program link(const Program& in) {
    add_file({}, in);
    for (const Decl& d : in)
      if (const auto* module = as<Module>(d)) add_file(module->form.path, module->form.declarations);
    // What headers declare is the same for all who include them: it comes first.
    for (const Name path : order_)
      if (path && path.text().ends_with(".kh")) collect(files_[path]);
    for (const Name path : order_) collect(files_[path]);
    std::vector<Decl> out;
    for (const Name path : order_) {
      file_ = &files_[path];
      const Program linked = program(file_->declarations);
      out.insert(out.end(), linked.begin(), linked.end());
    }
    return context.span(out);
  }

  TypeExpr operator()(const TypeExpr& type) override {
    const Loc loc = loc_of(type);
    if (const auto* n = as<NamedType>(type)) {
      const Name symbol = type_symbol(n->form.module, n->form.name, loc);
      if (!symbol) return context.make(InvalidType{}, loc);
      return context.make(NamedType{{}, {symbol, n->form.name.loc}}, loc);
    }
    return with_parts_of_type(type, context, [this](const auto& part) { return (*this)(part); });
  }

 private:
  // ---- tables

  void add_file(Name path, const Program& declarations) {
    order_.push_back(path);
    File& file = files_[path];
    file.path = path;
    file.declarations = declarations;
    for (const Decl& d : declarations) {
      if (const auto* import = as<Import>(d)) file.imports[import->form.name.name] = import->form.path;
      const auto* broken = as<InvalidDecl>(d);
      if (!broken) continue;
      for (Name name : broken->form.names)
        name.text().empty() ? (void)(file.has_any_name = true) : (void)file.broken.insert(name);
    }
  }

  void collect(File& file) {
    if (std::exchange(file.is_done, true)) return;
    for (const Decl& d : file.declarations) {
      const auto* include = as<Include>(d);
      if (!include) continue;
      File& header = files_[include->form.path];
      collect(header);
      for (const auto& [name, entry] : header.entries) file.entries.emplace(name, entry);
      file.has_any_name |= header.has_any_name;
    }
    for (const Decl& d : file.declarations) {
      const Name name = declared_name(d);
      if (!name || as<Import>(d)) continue;
      // The first of two counts, which have been reported unless they say the same.
      const auto [place, is_new] = file.entries.emplace(name, Entry{name, d, visibility(d)});
      if (!is_new) continue;
      const bool is_kernels = is_kernel_type(d);
      place->second.symbol = symbol_for(name, d, is_kernels, file);
      if (const auto* enumeration = as<EnumDecl>(d))
        for (const EnumerationItem& item : enumeration->form.items)
          if (item.name.name)
            file.entries.emplace(item.name.name, Entry{symbol_for(item.name.name, d, is_kernels, file), d,
                                                       enumeration->form.visibility});
    }
  }

  static Visibility visibility(const Decl& d) {
    return boost::variant2::visit(
        [](const auto& ref) {
          if constexpr (requires { ref->visibility; }) return ref->visibility;
          return Visibility::Default;
        },
        d);
  }

  /// Types that the kernel has too are the kernel's in every file [L177].
  bool is_kernel_type(const Decl& d) const {
    const std::string_view name = declared_name(d).text();
    if (as<StructDecl>(d)) return context.kernel_types->find_struct(name);
    return as<EnumDecl>(d) && context.kernel_types->find_enum(name);
  }

  /// The name itself, unless another file means something else by it. What two files declare in the same words is one
  /// thing if one of them is a header: maps and globals of two files are two.
  Name symbol_for(Name name, const Decl& d, bool is_kernels, const File& file) {
    const bool is_header = file.path && file.path.text().ends_with(".kh");
    const auto [place, is_new] = symbols_.emplace(name, Symbol{d, is_header});
    const bool is_repeated =
        (is_header || place->second.is_of_header) && is_repetition(place->second.declaration, d, context.locations);
    const bool is_same = !is_new && (is_kernels || is_repeated);
    const bool is_foreign = !is_kernels && !as<ExternDecl>(d) &&
                            (is_builtin_function(name.text()) || is_kernel_helper(name.text()) ||
                             context.kernel_types->find_constant(name.text()));
    return (is_new || is_same) && !is_foreign ? name : context.names.another(name.spelling());
  }

  // ---- uses

  const Entry* find(Name name) const {
    const auto found = file_->entries.find(name);
    return found == file_->entries.end() ? nullptr : &found->second;
  }

  /// What an import's name leads to; null and a message, unless that was reported, where it leads nowhere.
  const Entry* find_in(Name import, const Ident& name) {
    const auto path = file_->imports.find(import);
    if (path == file_->imports.end()) return nullptr;
    const File& module = files_[path->second];
    const auto found = module.entries.find(name.name);
    if (found == module.entries.end()) {
      if (module.has_any_name || module.broken.count(name.name)) return nullptr;
      std::vector<std::string_view> known;
      for (const auto& [other, entry] : module.entries)
        if (entry.visibility != Visibility::Private) known.push_back(other.text());
      std::sort(known.begin(), known.end());
      Diagnostic& message = context.diagnostics.report(name.loc, diag::not_in_module, std::string(path->second.text()),
                                                       std::string(name.name.text()));
      if (const std::string_view near = closest_word(name.name.text(), known); !near.empty())
        message.fix(name.loc, std::string(near), fmt::format("did you mean `{}`?", near));
      return nullptr;
    }
    if (found->second.visibility == Visibility::Private) {
      context.diagnostics
          .report(name.loc, diag::private_name, std::string(name.name.text()), std::string(path->second.text()))
          .note(loc_of(found->second.declaration), "it is declared here");
      return nullptr;
    }
    return &found->second;
  }

  Name imported(const Expr& e) const {
    const auto* name = as<GlobalName>(e);
    return name && !find(name->form.name) && file_->imports.count(name->form.name) ? name->form.name : Name();
  }

  /// The symbol of a type; nothing, and a message where there was none, if there is no such type.
  Name type_symbol(Name module, const Ident& name, Loc loc) {
    if (module) {
      if (file_->imports.count(module)) {
        const Entry* entry = find_in(module, name);
        return entry ? entry->symbol : Name();
      }
      if (!file_->broken.count(module) && !file_->has_any_name)
        context.diagnostics.report(loc, diag::unknown_name, std::string(module.text()));
      return {};
    }
    if (const Entry* entry = find(name.name)) return entry->symbol;
    // A type of another file is none here.
    const bool is_kernels =
        context.kernel_types->find_struct(name.name.text()) || context.kernel_types->find_enum(name.name.text());
    if (is_kernels || !symbols_.count(name.name) || file_->has_any_name) return name.name;
    context.diagnostics.report(loc, diag::unknown_type, std::string(name.name.text()));
    return {};
  }

  /// The symbol of an enumerator that is reached through its enum.
  Name enumerator(const Expr& object, Name name) const {
    const auto* type = as<GlobalName>(object);
    if (!type) return name;
    for (const auto& [path, file] : files_)
      for (const Decl& d : file.declarations) {
        const auto* enumeration = as<EnumDecl>(d);
        const auto entry = enumeration ? file.entries.find(enumeration->form.name.name) : file.entries.end();
        if (entry == file.entries.end() || !(entry->second.symbol == type->form.name)) continue;
        const auto item = file.entries.find(name);
        if (item != file.entries.end() && loc_of(item->second.declaration) == enumeration->loc)
          return item->second.symbol;
      }
    return name;
  }

  bool expr_case(const Expr& e, Expr& out) override {
    if (const auto* name = as<GlobalName>(e)) {
      const Entry* entry = find(name->form.name);
      if (imported(e)) {
        const std::string text(name->form.name.text());
        context.diagnostics.report(name->loc, diag::module_as_value, text, text);
        out = context.make(InvalidExpr{}, name->loc);
      } else {
        // What could not be read is no other file's.
        const bool is_broken = file_->broken.count(name->form.name) || file_->has_any_name;
        if (!entry && is_broken && symbols_.count(name->form.name))
          out = context.make(InvalidExpr{}, name->loc);
        else
          out = entry ? Expr(context.make(GlobalName{entry->symbol}, name->loc)) : e;
      }
    } else if (const auto* member = as<Member>(e)) {
      if (const Name import = imported(member->form.object)) {
        const Entry* entry = find_in(import, member->form.name);
        out = entry ? Expr(context.make(GlobalName{entry->symbol}, member->loc))
                    : Expr(context.make(InvalidExpr{}, member->loc));
        return true;
      }
      Member form = member->form;
      form.object = (*this)(form.object);
      form.name.name = enumerator(form.object, form.name.name);
      out = context.make(form, member->loc);
    } else if (const auto* literal = as<StructLiteral>(e)) {
      const Ident& name = literal->form.name;
      const Name symbol = type_symbol(literal->form.module, name, name.loc);
      std::vector<NamedExpr> values;
      for (const NamedExpr& value : literal->form.values) values.push_back({value.name, (*this)(value.value)});
      out = symbol ? Expr(context.make(StructLiteral{{}, {symbol, name.loc}, context.span(values)}, literal->loc))
                   : Expr(context.make(InvalidExpr{}, literal->loc));
    } else {
      return false;
    }
    return true;
  }

  bool stmt_case(const Stmt&) override { return false; }

  template <class F>
  void rename(const Node<F>& node) {
    const Entry* entry = find(node->name.name);
    if (entry) {
      // What another file says as well stands there: a header of this file, or one that came before.
      const auto is_elsewhere = [&](Loc loc) {
        return context.locations[loc].file != context.locations[node.loc].file;
      };
      if (is_elsewhere(loc_of(entry->declaration))) return;
      if (is_elsewhere(written_.emplace(entry->symbol, node.loc).first->second)) return;
    }
    F form = (*rebuild(node)).form;
    if (entry) form.name.name = entry->symbol;
    if constexpr (std::same_as<F, EnumDecl>) {
      std::vector<EnumerationItem> items(form.items.begin(), form.items.end());
      for (EnumerationItem& item : items)
        if (const Entry* own = find(item.name.name); own && loc_of(own->declaration) == node.loc)
          item.name.name = own->symbol;
      form.items = context.span(items);
    }
    add_declaration(context.make(form, node.loc));
  }

  bool decl_case(const Decl& d) override {
    return boost::variant2::visit(
        [&](const auto& ref) {
          using F = std::remove_cvref_t<decltype((*ref).form)>;
          if constexpr (std::same_as<F, Import> || std::same_as<F, Include> || std::same_as<F, Module>) {
            return true;
          } else if constexpr (namers.has(F::kind)) {
            rename(*ref);
            return true;
          } else {
            return false;
          }
        },
        d);
  }

  std::map<Name, File, ByText> files_;  // by their paths; the main file has none
  std::vector<Name> order_;             // of the files
  struct Symbol {
    Decl declaration;
    bool is_of_header;
  };
  NameMap<Symbol> symbols_;  // what each symbol stands for
  NameMap<Loc> written_;     // where what has it stands
  const File* file_ = nullptr;
};

}  // namespace

Ir<lang::Linked> link_modules(const Ir<lang::Resolved>& in, Context& context) {
  const bool is_one = std::none_of(in.declarations.begin(), in.declarations.end(),
                                   [](const Decl& d) { return as<Import>(d) || as<Include>(d) || as<Module>(d); });
  return {is_one ? in.declarations : Linker(context).link(in.declarations)};
}

}  // namespace ksc
