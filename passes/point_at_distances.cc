// SPDX-License-Identifier: Apache-2.0
/// var n = p - ctx->data; … ctx->data + n   =>   var at = p; … at, where n is used for nothing else; parameters and
/// results likewise
#include "ir/rewrite.h"
#include "passes/distance_variables.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::DistancesPointed>;

class Represented {
 public:
  Represented(const Program& program, Context& context) : variables_(program), context_(context) {
    for (const Decl& d : program)
      if (const auto* function = as<FunctionDef>(d)) functions_[function->form.name] = &function->form;
  }

  bool has(const Expr& variable) const {
    const auto* local = as<Local>(variable);
    return local && variables_.has(local->form.name);
  }
  bool has(Name variable) const { return variables_.has(variable); }

  /// The pointer that stands for the distance: it, or the address of it.
  Type type_for(Type distance) const {
    Types& types = context_.types;
    Type pointer = types.pointer(types.u8(), Space::Packet, false);
    return points_into(distance, Space::Stack) ? types.pointer(pointer, Space::Stack, false) : pointer;
  }
  Name name_for(Name distance) {
    Name& name = names_[distance];
    if (name) return name;
    std::string spelling(distance.spelling());
    constexpr std::string_view ending = "offset";
    if (spelling.ends_with(ending)) spelling.replace(spelling.size() - ending.size(), ending.size(), "at");
    return name = context_.names.fresh(spelling);
  }
  Expr pointer(const Local& distance, Type type, Loc loc, Out& to) {
    return to.make(Local{name_for(distance.name)}, loc, type_for(type));
  }
  /// The pointer at the distance that the value is; a name for what is computed, of which C compilers make nothing
  /// else.
  Expr pointer_at(const Expr& value, Loc loc, Out& to) {
    if (const auto* local = as<Local>(value)) return pointer(local->form, local->type, loc, to);
    if (const auto* difference = as<PointerDifference>(value)) {
      const Expr whole = to(difference->form.left);
      if (as<Local>(whole)) return whole;
      const Name name = to.fresh("at");
      to.emit(Let{name, type_of(whole), whole}, loc);
      return to.make(Local{name}, loc, type_of(whole));
    }
    return start(loc, to);
  }
  Expr start(Loc loc, Out& to) const {
    for (const Parameter& p : to.function()->parameters)
      if (points_into(p.type, Space::Context))
        return to.make(PacketStart{to.make(Local{p.name}, loc, p.type)}, loc, type_for(context_.types.u64()));
    return to.make(Null{}, loc, type_for(context_.types.u64()));  // not reached: their functions have a context
  }
  const FunctionDef* function(Name name) const {
    const auto found = functions_.find(name);
    return found == functions_.end() ? nullptr : found->second;
  }

 private:
  DistanceVariables variables_;
  Context& context_;
  NameMap<const FunctionDef*> functions_;
  NameMap<Name> names_;
};

}  // namespace

// A distance outlives what moves the packet, and any function may give one. Where nothing moves, the pointer itself
// costs less: it need not be computed again at each border between functions, nor be bounded for the verifier.
Ir<lang::DistancesPointed> point_at_distances(const Ir<lang::OffsetsBounded>& in, Context& context) {
  Represented pointing(in.declarations, context);
  return rewrite<lang::OffsetsBounded, lang::DistancesPointed>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        FunctionDef form = n.form;
        std::vector<Parameter> parameters(form.parameters.begin(), form.parameters.end());
        for (Parameter& p : parameters)
          if (pointing.has(p.name)) p = {pointing.name_for(p.name), pointing.type_for(p.type)};
        form.parameters = context.span(parameters);
        form.body = to(form.body);
        to.declare(form, n.loc);
      }),
      on<Let>([&](const Node<Let>& n, Out& to) {
        if (!pointing.has(n->name)) return to.emit_statement(to.rebuild(n));
        const Expr value = n->value ? pointing.pointer_at(*n->value, n.loc, to) : pointing.start(n.loc, to);
        to.emit(Let{pointing.name_for(n->name), pointing.type_for(n->type), value}, n.loc);
      }),
      on<Assign>([&](const Node<Assign>& n, Out& to) {
        const auto* deref = as<Deref>(n->place);
        if (!pointing.has(deref ? deref->form.pointer : n->place)) return to.emit_statement(to.rebuild(n));
        const Expr value = pointing.pointer_at(n->value, n.loc, to);
        to.emit(Assign{to(n->place), value}, n.loc);
      }),
      on<Call>([&](const Node<Call>& n, Out& to) -> Expr {
        const FunctionDef* function = pointing.function(n->function);
        std::vector<Expr> arguments;
        for (size_t i = 0; i < n->arguments.size(); ++i) {
          const bool is_pointer =
              function && pointing.has(function->parameters[i].name) && !as<AddressOf>(n->arguments[i]);
          arguments.push_back(is_pointer ? pointing.pointer_at(n->arguments[i], n.loc, to) : to(n->arguments[i]));
        }
        return to.make(Call{n->function, context.span(arguments)}, n.loc, n.type);
      }),
      on<AddressOf>([&](const Node<AddressOf>& n, Out& to) -> Expr {
        if (!pointing.has(n->place)) return to.rebuild(n);
        const Local& variable = as<Local>(n->place)->form;
        return to.make(AddressOf{pointing.pointer(variable, type_of(n->place), n.loc, to)}, n.loc,
                       pointing.type_for(n.type));
      }),
      on<Deref>([&](const Node<Deref>& n, Out& to) -> Expr {
        if (!pointing.has(n->pointer)) return to.rebuild(n);
        return to.make(Deref{to(n->pointer)}, n.loc, pointing.type_for(n.type));
      }),
      on<PointerAdd>([&](const Node<PointerAdd>& n, Out& to) -> Expr {
        const Local* distance = DistanceVariables::as_position(n);
        if (!distance || !pointing.has(distance->name)) return to.rebuild(n);
        return pointing.pointer(*distance, context.types.u64(), n.loc, to);
      }),
      on<Local>([&](const Node<Local>& n, Out& to) -> Expr {
        return pointing.has(n->name) ? pointing.pointer(n.form, n.type, n.loc, to) : Expr(Ref<Local>{&n});
      }));
}

}  // namespace ksc
