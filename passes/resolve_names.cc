// SPDX-License-Identifier: Apache-2.0
/// x   =>   the one local, or the one thing at file level, that `x` means here
#include <set>

#include "ir/builtins.h"
#include "ir/helper_signatures.h"
#include "ir/program_type.h"
#include "ir/rewrite.h"
#include "passes/file_declarations.h"
#include "passes/passes.h"
#include "passes/written_types.h"

namespace ksc {
namespace {

constexpr FormSet binders =
    form_set_of<NameUse, BlockValue, VarStmt, IfVar, For, ForEach, Try, FunctionDecl, MapDecl, ImplDecl, Module>();

class Resolver final : public Walker {
 public:
  explicit Resolver(Context& context) : Walker(context, binders) {}
  using Walker::operator();

  /// Types name constants, in the sizes of arrays and strings.
  TypeExpr operator()(const TypeExpr& type) override {
    if (!header(type).contains.has(Kind::NameUse)) return type;
    return with_parts_of_type(type, context, [this](const auto& part) { return (*this)(part); });
  }
  Option<TypeExpr> operator()(const Option<TypeExpr>& type) { return type ? Option<TypeExpr>((*this)(*type)) : type; }

  /// The declarations of all files; each file sees its own and those of the headers that it includes.
  Program files(const Program& main) {
    for (const Decl& d : main)
      if (const auto* module = as<Module>(d)) modules_[module->form.path] = module;
    // A local is called like nothing at the level of any file.
    note_taken(main);
    std::vector<Decl> out;
    collect_globals(main);
    const Program own = program(main);
    out.assign(own.begin(), own.end());
    for (const Decl& d : main) {
      const auto* module = as<Module>(d);
      if (!module) continue;
      collect_globals(module->form.declarations);
      out.push_back(context.make(Module{module->form.path, program(module->form.declarations)}, module->loc));
    }
    return context.span(out);
  }

 private:
  /// Notes every name at the level of a file, so that the order of declarations does not matter [L17].
  void collect_globals(const Program& program) {
    globals_.clear();
    types_.clear();
    unknown_.clear();
    first_parameters_.clear();
    included_.clear();
    declared_.clear();
    declares_anything_ = false;
    collect_all(program);
  }
  void collect_all(const Program& program) {
    for (const Decl& d : program)
      if (const auto* include = as<Include>(d); include && included_.insert(include->form.path).second)
        if (const auto header = modules_.find(include->form.path); header != modules_.end())
          collect_all(header->second->form.declarations);
    for (const Decl& d : program)
      if (!is_repeated(d)) boost::variant2::visit([&](const auto& ref) { collect((*ref).form); }, d);
    for (const Decl& d : program)
      if (const auto* broken = as<InvalidDecl>(d))
        for (Name name : broken->form.names) {
          if (!name.text().empty()) globals_.emplace(name, broken->loc);
          declares_anything_ |= name.text().empty();
        }
  }
  /// Whether a header declares the same [L18].
  bool is_repeated(const Decl& d) {
    const Name name = declared_name(d);
    if (!name || included_.empty()) return false;
    const auto [place, is_new] = declared_.emplace(name, d);
    return !is_new && is_repetition(place->second, d, context.locations);
  }
  void note_taken(const Program& program) {
    for (const Decl& d : program) {
      if (const auto* module = as<Module>(d)) note_taken(module->form.declarations);
      if (const Name name = declared_name(d)) taken_.insert(name);
      if (const auto* enumeration = as<EnumDecl>(d))
        for (const EnumerationItem& item : enumeration->form.items)
          if (item.name.name) taken_.insert(item.name.name);
    }
  }
  /// Whether two types are written alike; of those that are not names or pointers to them nothing is known.
  static bool is_written_alike(const TypeExpr& a, const TypeExpr& b) {
    if (const auto* x = as<PointerType>(a), *y = as<PointerType>(b); x && y)
      return is_written_alike(x->form.element, y->form.element);
    const auto *x = as<NamedType>(a), *y = as<NamedType>(b);
    return x && y ? x->form.name.name == y->form.name.name : kind_of(a) == kind_of(b);
  }
  /// Whether a function of this name and with another first parameter was there before [L172].
  bool is_overload(const FunctionDecl& function) {
    if (function.parameters.size() == 0) return false;
    const auto [place, is_new] = first_parameters_.emplace(function.name.name, function.parameters[0].type);
    return !is_new && !is_written_alike(place->second, function.parameters[0].type);
  }
  template <class F>
  void collect(const F& form) {
    if constexpr (std::same_as<F, FunctionDecl>)
      if (is_overload(form)) {
        overloads_.insert(&form);
        return;
      }
    if constexpr (requires { form.name.loc; } && !std::same_as<F, InvalidDecl>) declare_global(form.name);
    if constexpr (std::same_as<F, StructDecl> || std::same_as<F, AliasDecl>) types_.insert(form.name.name);
    if constexpr (std::same_as<F, EnumDecl>)
      for (const EnumerationItem& item : form.items) declare_global(item.name);
  }
  void declare_global(const Ident& name) {
    if (!name.name) return;
    declares_anything_ |= is_unreadable(name.name);
    auto [place, is_new] = globals_.emplace(name.name, name.loc);
    if (!is_new)
      context.diagnostics.report(name.loc, diag::redeclared, std::string(name.name.text()))
          .note(place->second, "it is declared here first");
    taken_.insert(name.name);
  }

  // ---- scopes
  // ----------------------------------------------------------------------------------------------------------------------
  struct Binding {
    Name symbol;
    Loc loc;
  };
  using Scope = std::map<Name, Binding, ByText>;

  void begin_body() override { scopes_.emplace_back(); }
  void end_body() override { scopes_.pop_back(); }

  /// Binds a local name in the innermost scope and gives its symbol.
  Ident declare(const Ident& name) {
    if (!name.name) return name;
    hides_anything_ |= is_unreadable(name.name);
    if (scopes_.empty()) scopes_.emplace_back();
    if (auto found = scopes_.back().find(name.name); found != scopes_.back().end())
      context.diagnostics.report(name.loc, diag::redeclared, std::string(name.name.text()))
          .note(found->second.loc, "it is declared here first");
    const bool is_free = taken_.insert(name.name).second;
    const Name symbol = is_free ? name.name : context.names.another(name.name.text());
    scopes_.back()[name.name] = {symbol, name.loc};
    return {symbol, name.loc};
  }

  /// The statements of a body, in the scope that is open.
  Body statements(const Body& in) {
    return Walker::collect([&] {
      for (const Stmt& s : in.statements) statement(s);
    });
  }

  template <class Fill>
  auto in_scope(Fill&& fill) {
    begin_body();
    auto result = fill();
    end_body();
    return result;
  }

  // ---- uses
  // ------------------------------------------------------------------------------------------------------------------------
  Expr use(const Node<NameUse>& n) {
    const Name name = n->name.name;
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope)
      if (auto found = scope->find(name); found != scope->end())
        return context.make(Local{found->second.symbol}, n.loc);
    if (in_attribute_ || is_global(name)) return context.make(GlobalName{name}, n.loc);
    // What is no word of the language has been reported as that.
    if (!declares_anything_ && !hides_anything_ && !is_foreign(name)) report_unknown(name, n.loc);
    return context.make(InvalidExpr{}, n.loc);
  }
  static bool is_foreign(Name name) {
    return std::any_of(name.text().begin(), name.text().end(),
                       [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  }
  /// What a word of another language is here; empty for other words.
  static std::string_view word_of_other_languages(std::string_view word) {
    for (std::string_view nothing : {"NULL", "nil", "nullptr", "None", "Null", "undefined"})
      if (word == nothing) return "null";
    return word == "True" ? "true" : word == "False" ? "false" : word == "not" ? "!" : "";
  }
  /// One name that is not declared is one mistake, wherever it stands: its first place is reported, and the fix of the
  /// others stands there.
  void report_unknown(Name name, Loc loc) {
    // What C programmers print with is no misspelt helper.
    const bool prints = name == "bpf_printk" || name == "printk" || name == "printf";
    const std::string_view foreign = prints ? "print" : word_of_other_languages(name.text());
    // Nobody means `min` by the name of what is not declared here.
    const bool is_main = name == "main";
    const std::string_view near = !foreign.empty() ? foreign : is_main ? "" : closest_word(name.text(), known());
    auto [place, is_new] = unknown_.emplace(name, Unknown{});
    Unknown& unknown = place->second;
    if (is_new) {
      unknown = {&context.diagnostics.report(loc, diag::unknown_name, std::string(name.text())), near};
      if (!near.empty()) unknown.message->fix(loc, std::string(near), fmt::format("did you mean `{}`?", near));
    } else if (!near.empty() && near == unknown.near) {
      unknown.message->fix(loc, std::string(near));
    }
  }
  bool is_global(Name name) const {
    return globals_.count(name) || is_builtin_function(name.text()) || is_kernel_helper(name.text()) ||
           (context.kernel_types && context.kernel_types->find_constant(name.text()));
  }
  /// Every name that could be meant here, nearest first.
  std::vector<std::string_view> known() const {
    std::vector<std::string_view> names;
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope)
      for (const auto& [name, binding] : *scope) names.push_back(name.text());
    for (const auto& [name, loc] : globals_)
      if (!types_.count(name)) names.push_back(name.text());
    for (std::string_view builtin : builtin_functions) names.push_back(builtin);
    for (const HelperSignature& helper : helper_signatures()) names.push_back(helper.name);
    for (std::string_view verdict :
         {"XDP_PASS", "XDP_DROP", "XDP_ABORTED", "XDP_TX", "XDP_REDIRECT", "TC_ACT_OK", "TC_ACT_SHOT", "ETH_P_IP",
          "ETH_P_IPV6", "IPPROTO_TCP", "IPPROTO_UDP", "IPPROTO_ICMP"})
      names.push_back(verdict);
    return names;
  }

  // ---- cases
  // -----------------------------------------------------------------------------------------------------------------------
  bool expr_case(const Expr& e, Expr& out) override {
    if (const auto* name = as<NameUse>(e)) {
      out = use(*name);
    } else if (const auto* block = as<BlockValue>(e)) {
      // The value sees what the block declares.
      begin_body();
      const Body body = statements(block->form.body);
      const Option<Expr> value = (*this)(block->form.value);
      end_body();
      out = context.make(BlockValue{body, value}, block->loc);
    } else if (const auto* allocation = as<New>(e)) {
      // A flag is no constant of the program's: it is known here alone.
      std::vector<Expr> flags;
      for (const Expr& flag : allocation->form.arguments) {
        const auto* named = as<NameUse>(flag);
        const bool is_flag = named && (named->form.name.name == "GFP_ATOMIC" || named->form.name.name == "GFP_KERNEL");
        flags.push_back(is_flag ? Expr(context.make(GlobalName{named->form.name.name}, named->loc)) : (*this)(flag));
      }
      out = context.make(New{(*this)(allocation->form.target), context.span(flags)}, allocation->loc);
    } else {
      return false;
    }
    return true;
  }

  bool stmt_case(const Stmt& s) override {
    if (const auto* var = as<VarStmt>(s)) {
      // A variable's scope begins after its initialiser [L182], so its type does not know it either.
      const Option<TypeExpr> type = (*this)(var->form.type);
      const Option<Expr> value = (*this)(var->form.value);
      emit_statement(context.make(VarStmt{declare(var->form.name), type, value}, var->loc));
    } else if (const auto* test = as<IfVar>(s)) {
      const Expr value = (*this)(test->form.value);
      Ident name;
      const Body then = in_scope([&] {
        name = declare(test->form.name);
        return (*this)(test->form.then);
      });
      emit_statement(
          context.make(IfVar{name, (*this)(test->form.type), value, then, (*this)(test->form.otherwise)}, test->loc));
    } else if (const auto* loop = as<For>(s)) {
      const Expr low = (*this)(loop->form.low), high = (*this)(loop->form.high);
      Ident name;
      const Body body = in_scope([&] {
        name = declare(loop->form.name);
        return (*this)(loop->form.body);
      });
      emit_statement(context.make(For{name, low, high, loop->form.inclusive, body}, loop->loc));
    } else if (const auto* each = as<ForEach>(s)) {
      const Expr map = (*this)(each->form.map);
      Ident key, value;
      const Body body = in_scope([&] {
        key = declare(each->form.key);
        value = declare(each->form.value);
        return (*this)(each->form.body);
      });
      emit_statement(context.make(ForEach{key, value, map, body}, each->loc));
    } else if (const auto* attempt = as<Try>(s)) {
      const Body body = (*this)(attempt->form.body);
      std::vector<CatchClause> clauses;
      for (CatchClause clause : attempt->form.clauses) {
        clause.code = (*this)(clause.code);
        clause.body = in_scope([&] {
          clause.name = declare(clause.name);
          return (*this)(clause.body);
        });
        clauses.push_back(clause);
      }
      emit_statement(context.make(Try{body, context.span(clauses)}, attempt->loc));
    } else {
      return false;
    }
    return true;
  }

  /// Whether the compiler knows where a function with these attributes runs.
  static bool runs_here(const FunctionDecl& function) {
    for (const Attribute& attribute : function.attributes) {
      const std::string_view name = attribute.name.name.text();
      if (name == "on_fault") continue;
      return name == "helper" || find_program_type(name);
    }
    return true;
  }

  bool decl_case(const Decl& d) override {
    if (as<Module>(d)) return true;  // its names are bound apart
    if (const auto* map = as<MapDecl>(d)) {
      // The names of flags are known to maps only, short forms too [L16].
      MapDecl out = map->form;
      std::vector<TypeExpr> types;
      for (const TypeExpr& type : out.parameters) types.push_back((*this)(type));
      out.parameters = context.span(types);
      out.size = (*this)(out.size);
      std::vector<NamedExpr> options;
      for (const NamedExpr& option : out.options) options.push_back({option.name, (*this)(option.value)});
      out.options = context.span(options);
      in_attribute_ = true;
      out.flags = (*this)(out.flags);
      in_attribute_ = false;
      add_declaration(context.make(out, map->loc));
      return true;
    }
    if (const auto* impl = as<ImplDecl>(d)) {
      add_declaration(context.make(ImplDecl{{}, impl->form.name, {}, {}}, impl->loc));
      return true;
    }
    const auto* function = as<FunctionDecl>(d);
    if (!function) return false;
    FunctionDecl out = function->form;
    if (overloads_.count(&function->form)) out.name.name = context.names.another(out.name.name.text());
    if (!runs_here(out)) {
      // Its attribute is what is to be said about it; nothing in it can be understood.
      out.parameters = {};
      out.result_name = {};
      out.result = {};
      out.body = {};
      for (const Attribute& attribute : function->form.attributes) {
        if (&attribute == function->form.attributes.begin())
          out.attributes = context.span<Attribute>({{attribute.name, {}}});
      }
      add_declaration(context.make(out, function->loc));
      return true;
    }
    scopes_.clear();
    // What the names in an attribute's arguments are is for the attribute to say; @on_fault takes an expression.
    std::vector<Attribute> attributes;
    for (const Attribute& attribute : out.attributes) {
      in_attribute_ = attribute.name.name != "on_fault";
      attributes.push_back({attribute.name, (*this)(attribute.arguments)});
    }
    out.attributes = context.span(attributes);
    in_attribute_ = false;
    hides_anything_ = false;
    begin_body();
    std::vector<TypedName> parameters;
    // Types are known before any call: parameters cannot size them.
    for (const TypedName& p : out.parameters) parameters.push_back({p.name, (*this)(p.type)});
    out.result = (*this)(out.result);
    for (TypedName& p : parameters) p.name = declare(p.name);
    out.parameters = context.span(parameters);
    out.result_name = declare(out.result_name);
    out.body = statements(out.body);  // parameters belong to the body's scope
    end_body();
    add_declaration(context.make(out, function->loc));
    return true;
  }

  struct Unknown {
    Diagnostic* message = nullptr;
    std::string_view near;
  };

  std::vector<Scope> scopes_;
  NameMap<Unknown> unknown_;
  NameMap<TypeExpr> first_parameters_;  // of the functions at file level
  bool declares_anything_ = false;      // a broken declaration, whose name is not known
  bool hides_anything_ = false;         // a variable of the function at work, whose name is not known
  bool in_attribute_ = false;
  std::map<Name, Loc, ByText> globals_;
  std::set<Name, ByText> types_;  // of the globals, those that are no values
  std::set<Name, ByText> taken_;  // texts that are some symbol already
  NameMap<const Node<Module>*> modules_;
  NameSet included_;                         // the headers of the file at work
  NameMap<Decl> declared_;                   // what is at its level, the first of each name
  std::set<const FunctionDecl*> overloads_;  // functions that have the name of an earlier one
};

}  // namespace

Ir<lang::Resolved> resolve_names(const Ir<lang::Parsed>& in, Context& context) {
  return {Resolver(context).files(in.declarations)};
}

}  // namespace ksc
