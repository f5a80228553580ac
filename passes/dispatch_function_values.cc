// SPDX-License-Identifier: Apache-2.0
/// op(1, 2)   =>   call_op(op, 1, 2), with fn call_op(f, a, b) { if (f == fn_add) { return add(a, b) } … } for all that
/// op may be; where that is one function alone, it is called
#include "ir/children.h"
#include "ir/effects.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::CallsDirect>;

/// The functions that are values somewhere, and what calls them.
class FunctionValues {
 public:
  FunctionValues(const Program& program, Context& context) : context_(context), types_(context.types) {
    int64_t number = 0;
    for (const Decl& d : program)
      if (const auto* function = as<FunctionDef>(d)) {
        functions_[function->form.name] = {&function->form, ++number};
        order_.push_back(function->form.name);
      }
    for (const Decl& d : program) look(d);
    // As they stand in the program, wherever they are first a value.
    for (Name name : order_)
      if (const auto type = taken_.find(name); type != taken_.end()) candidates_[type->second].push_back(name);
    for (auto& [name, type] : taken_) items_[name] = context_.names.unused("fn_" + std::string(name.spelling()));
    for (Type type : types_.function_values()) {
      std::vector<EnumItem> items;
      for (Name name : candidates_[type]) items.push_back({items_.at(name), functions_.at(name).number});
      // An enum of C has an enumerator at least.
      if (items.empty()) items.push_back({context_.names.unused("no_" + std::string(type->name.spelling())), 0});
      types_.complete_enum(type, items);
    }
  }

  Expr value(Name function, Loc loc, Type type) const {
    return context_.make(Int{{functions_.at(function).number}, items_.at(function)}, loc, type);
  }
  /// The function that a value is, if that is known.
  Name known(const Expr& value) const {
    if (const auto* function = as<FunctionValue>(value)) return function->form.name;
    const auto* local = as<Local>(value);
    const auto found = local ? known_.find(local->form.name) : known_.end();
    return found == known_.end() ? Name() : found->second;
  }
  /// The function that calls what a value of the type is, on one side.
  Name caller(Type type, Domain domain, Loc loc) {
    Name& name = callers_[{type, domain == Domain::User}];
    if (!name) {
      name = context_.names.unused("call_" + std::string(type->name.spelling()));
      made_.push_back({type, domain == Domain::User ? Domain::User : Domain::Shared, name, loc});
    }
    return name;
  }

  /// The declarations of the enums.
  std::vector<Decl> enums() const {
    std::vector<Decl> out;
    for (Type type : types_.function_values()) out.push_back(context_.make(EnumDef{type}, Loc()));
    return out;
  }
  /// The functions that call what values are.
  std::vector<Decl> callers() const {
    std::vector<Decl> out;
    for (const Caller& caller : made_) out.push_back(definition(caller));
    return out;
  }

 private:
  struct Function {
    const FunctionDef* form = nullptr;
    int64_t number = 0;
  };
  struct Caller {
    Type type;
    Domain domain;
    Name name;
    Loc loc;
  };

  void look(const Decl& d) {
    if (const auto* global = as<GlobalDef>(d); global && global->form.value) look(*global->form.value);
    if (const auto* config = as<ConfigDef>(d))
      for (const FieldValue& value : config->form.values) look(value.value);
    const auto* function = as<FunctionDef>(d);
    if (!function) return;
    const NameSet changed = changed_locals(function->form.body);
    for (const Stmt& s : function->form.body.statements) look(s, changed);
  }
  void look(const Stmt& s, const NameSet& changed) {
    if (const auto* let = as<Let>(s); let && let->form.value && !changed.count(let->form.name))
      if (const auto* function = as<FunctionValue>(*let->form.value)) known_[let->form.name] = function->form.name;
    each_child_of(
        s, [&](const Expr& e) { look(e, changed); }, [&](const Stmt& inner) { look(inner, changed); });
  }
  void look(const Expr& e, const NameSet& changed = {}) {
    if (const auto* function = as<FunctionValue>(e)) taken_[function->form.name] = function->type;
    each_child_of(
        e, [&](const Expr& child) { look(child, changed); }, [&](const Stmt& s) { look(s, changed); });
  }

  Decl definition(const Caller& caller) const {
    const Type signature = caller.type->body->signature;
    const Loc loc = caller.loc;
    std::vector<Parameter> parameters{{context_.names.fresh("function"), caller.type}};
    std::vector<Expr> arguments;
    for (Type type : signature->parameters) {
      parameters.push_back({context_.names.fresh("argument"), type});
      arguments.push_back(context_.make(Local{parameters.back().name}, loc, type));
    }
    const Expr function = context_.make(Local{parameters[0].name}, loc, caller.type);
    std::vector<Stmt> statements;
    const auto candidates = candidates_.find(caller.type);
    if (candidates != candidates_.end())
      for (Name name : candidates->second) {
        const bool is_here = (functions_.at(name).form->domain == Domain::User) == (caller.domain == Domain::User);
        if (!is_here) continue;
        const Expr is_it =
            context_.make(Compare{CompareOp::Equal, function, value(name, loc, caller.type)}, loc, types_.boolean());
        const Body call = calls(name, arguments, signature->element, loc);
        statements.push_back(context_.make(If{context_.span<Branch>({{is_it, call}}), {}}, loc));
      }
    statements.push_back(fails(caller.domain, loc));
    FunctionDef form{};
    form.name = caller.name;
    form.domain = caller.domain;
    form.parameters = context_.span(parameters);
    form.result = signature->element;
    form.body = {context_.span(statements)};
    return context_.make(form, loc);
  }
  Body calls(Name name, const std::vector<Expr>& arguments, Type result, Loc loc) const {
    const Expr call = context_.make(Call{name, context_.span(arguments)}, loc, result);
    if (!is(result, TypeKind::Void)) return {context_.span<Stmt>({context_.make(Return{call}, loc)})};
    return {context_.span<Stmt>({context_.make(Evaluate{call}, loc), context_.make(Return{}, loc)})};
  }
  /// What is no function here: a failed check in eBPF, a panic in userspace.
  Stmt fails(Domain domain, Loc loc) const {
    if (domain != Domain::User) return context_.make(Leave{LeaveReason::Bounds}, loc);
    const std::string_view text = "a value that is no function is called";
    const Expr message = context_.make(StringValue{context_.name(text)}, loc, types_.str(text.size() + 1));
    return context_.make(Evaluate{context_.make(BuiltinCall{context_.name("panic"), context_.span<Expr>({message})},
                                                loc, types_.void_type())},
                         loc);
  }

  Context& context_;
  Types& types_;
  NameMap<Function> functions_;
  std::vector<Name> order_;
  std::map<Name, Type, ByText> taken_;  // the functions that are values
  NameMap<Name> items_;                 // their enumerators
  NameMap<Name> known_;                 // locals that are one function
  std::map<Type, std::vector<Name>> candidates_;
  std::map<std::pair<Type, bool>, Name> callers_;
  std::vector<Caller> made_;
};

}  // namespace

// Functions of eBPF have no address that a program could jump to [L64].
Ir<lang::CallsDirect> dispatch_function_values(const Ir<lang::CopiesLooped>& in, Context& context) {
  FunctionValues functions(in.declarations, context);
  const Ir<lang::CallsDirect> out = rewrite<lang::CopiesLooped, lang::CallsDirect>(
      in, context, on<FunctionValue>([&](const Node<FunctionValue>& n, Out&) -> Expr {
        return functions.value(n->name, n.loc, n.type);
      }),
      on<IndirectCall>([&](const Node<IndirectCall>& n, Out& to) -> Expr {
        if (const Name known = functions.known(n->function))
          return to.make(Call{known, to(n->arguments)}, n.loc, n.type);
        std::vector<Expr> arguments{to(n->function)};
        for (const Expr& argument : n->arguments) arguments.push_back(to(argument));
        const Name caller = functions.caller(type_of(n->function), to.function()->domain, n.loc);
        return to.make(Call{caller, to.context.span(arguments)}, n.loc, n.type);
      }));
  std::vector<Decl> all = functions.enums();
  all.insert(all.end(), out.declarations.begin(), out.declarations.end());
  for (const Decl& d : functions.callers()) all.push_back(d);
  return {context.span(all)};
}

}  // namespace ksc
