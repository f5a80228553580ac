// SPDX-License-Identifier: Apache-2.0
/// struct Args { limit: u64 /* packets */ } fn main(args: Args)   =>   options of Args { limit: a number, "packets" } …
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

OptionValue value_of_option(Type type) {
  switch (type->kind) {
    case TypeKind::Bool: return OptionValue::Bool;
    case TypeKind::Str: return OptionValue::Text;
    case TypeKind::Float: return OptionValue::Float;
    case TypeKind::Enum: return OptionValue::Choice;
    default: return is_signed(type) ? OptionValue::Signed : OptionValue::Unsigned;
  }
}

/// What the source says of a member.
Name comment_on(Name member, Type structure, const Program& program) {
  for (const Decl& d : program) {
    const auto* definition = as<StructDef>(d);
    if (!definition || definition->form.type != structure) continue;
    for (const MemberComment& comment : definition->form.comments)
      if (comment.member == member) return comment.text;
  }
  return {};
}

}  // namespace

Ir<lang::OptionsDeclared> lower_arguments(const Ir<lang::NoFloatTruncation>& in, Context& context) {
  using Out = To<lang::OptionsDeclared>;
  return rewrite<lang::NoFloatTruncation, lang::OptionsDeclared>(
      in, context, on<FunctionDef>([&](const Node<FunctionDef>& n, Out& to) {
        if (n->domain == Domain::User && n->name == "main" && !n->parameters.empty()) {
          Type structure = n->parameters[0].type;
          std::vector<CommandOption> options;
          for (const StructField& field : structure->body->fields)
            options.push_back(
                {field.name, value_of_option(field.type), comment_on(field.name, structure, in.declarations)});
          to.declare(CommandLine{structure, to.context.span(options)}, n.loc);
        }
        to.declare(n.form, n.loc);
      }));
}

}  // namespace ksc
