// SPDX-License-Identifier: Apache-2.0
/// fn f(a, b, c, d, e, g) A … f(1, 2, 3, 4, 5, 6)   =>   fn f(c, d, e, g, more: *f_arguments) { var a = more->a;
/// var b = more->b; A } … var more = f_arguments { a: 1, b: 2 }; f(3, 4, 5, 6, &more)
#include "ir/context_fields.h"
#include "ir/rewrite.h"
#include "passes/member_names.h"
#include "passes/passes.h"

namespace ksc {
namespace {

using Out = To<lang::ArgumentsPacked>;

/// How many registers a call of eBPF has for arguments (MAX_BPF_FUNC_REG_ARGS of include/linux/bpf.h).
constexpr size_t registers = 5;

/// The parameters of a function of which there are too many.
struct Packed {
  Type structure = nullptr;   // holds some of them, and is passed by its address
  std::vector<Name> members;  // of each parameter; none: it is passed as it was
  Type pointer(Types& types) const { return types.pointer(structure, Space::Stack, false); }
};

/// Numbers go first: what the verifier knows of a pointer is safe in a register. The context stays a parameter, by
/// which other passes know it.
std::vector<bool> choose(const Span<Parameter>& parameters) {
  std::vector<bool> chosen(parameters.size());
  size_t left = parameters.size() - (registers - 1);
  for (const bool pointers : {false, true})
    for (size_t i = 0; i < parameters.size() && left > 0; ++i)
      if (!chosen[i] && is(parameters[i].type, TypeKind::Pointer) == pointers && !is_context(parameters[i].type)) {
        chosen[i] = true;
        --left;
      }
  return chosen;
}

Packed pack(const FunctionDef& function, Context& context) {
  const std::vector<bool> chosen = choose(function.parameters);
  Packed out;
  out.structure = context.types.structure(context.names.unused(std::string(function.name.spelling()) + "_arguments"));
  std::vector<StructField> fields;
  for (size_t i = 0; i < function.parameters.size(); ++i) {
    if (!chosen[i]) {
      out.members.emplace_back();
      continue;
    }
    StructField field;
    field.name = unused_member(function.parameters[i].name, fields, context);
    field.type = function.parameters[i].type;
    out.members.push_back(field.name);
    fields.push_back(field);
  }
  context.types.complete_struct(out.structure, fields);
  return out;
}

}  // namespace

// A call has five registers for its arguments [L62].
Ir<lang::ArgumentsPacked> pack_arguments(const Ir<lang::UnreadDropped>& in, Context& context) {
  NameMap<Packed> packed;
  for (const Decl& d : in.declarations)
    if (const auto* function = as<FunctionDef>(d); function && function->form.parameters.size() > registers)
      packed[function->form.name] = pack(function->form, context);
  return rewrite<lang::UnreadDropped, lang::ArgumentsPacked>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        FunctionDef form = n.form;
        const auto found = packed.find(n->name);
        if (found == packed.end()) {
          form.body = to(n->body);
          return to.declare(form, n.loc);
        }
        const Packed& all = found->second;
        const Parameter more{to.fresh("more"), all.pointer(to.context.types)};
        const Expr structure = to.make(Deref{to.make(Local{more.name}, n.loc, more.type)}, n.loc, all.structure);
        std::vector<Parameter> parameters;
        form.body = to.collect([&] {
          for (size_t i = 0; i < n->parameters.size(); ++i) {
            const Parameter& p = n->parameters[i];
            if (all.members[i])
              to.emit(Let{p.name, p.type, Expr(to.make(Field{structure, all.members[i]}, n.loc, p.type))}, n.loc);
            else
              parameters.push_back(p);
          }
          to.emit(to(n->body));
        });
        parameters.push_back(more);
        form.parameters = to.context.span(parameters);
        to.declare(StructDef{all.structure, {}}, n.loc);
        to.declare(form, n.loc);
      }),
      on<Call>([&](const Node<Call>& n, Out& to) -> Expr {
        const auto found = packed.find(n->function);
        if (found == packed.end()) return to.rebuild(n);
        const Packed& all = found->second;
        std::vector<Expr> arguments;
        std::vector<FieldValue> members;
        for (size_t i = 0; i < n->arguments.size(); ++i) {
          const Expr value = to(n->arguments[i]);
          if (all.members[i])
            members.push_back({all.members[i], value});
          else
            arguments.push_back(value);
        }
        const Name more = to.fresh("more");
        to.emit(Let{more, all.structure, Expr(to.make(StructValue{to.context.span(members)}, n.loc, all.structure))},
                n.loc);
        const Expr place = to.make(Local{more}, n.loc, all.structure);
        arguments.push_back(to.make(AddressOf{place}, n.loc, all.pointer(to.context.types)));
        return to.make(Call{n->function, to.context.span(arguments)}, n.loc, n.type);
      }));
}

}  // namespace ksc
