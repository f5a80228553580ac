// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <functional>

#include "passes/inference.h"

namespace ksc {

void Inference::complete_function(const Node<FunctionDecl>& n, Entity& entity) {
  bool placed = false;
  for (const Attribute& attribute : n->attributes) {
    const std::string_view name = attribute.name.name.text();
    if (name == "on_fault") continue;  // declare_function looks at it, once the result's type is known
    if (placed) {
      c.diagnostics.report(attribute.name.loc, diag::two_attributes, std::string(name));
      continue;
    }
    placed = true;
    if ((name == "helper" || name == "test" || name == "kfunc" || name == "private") && !attribute.arguments.empty())
      argument_count(fmt::format("@{}", name), attribute.arguments.size(), 0, attribute.name.loc);
    if (name == "helper") {
      entity.domain = Domain::Shared;
    } else if (name == "test") {
      entity.domain = Domain::Test;
      entity.runs_nowhere = true;
      unsupported(attribute.name.loc, "`@test`");
    } else if (name == "kfunc" || name == "private") {
      entity.domain = Domain::Kernel;
      entity.runs_nowhere = true;
      unsupported(attribute.name.loc, fmt::format("`@{}`", name));
    } else if (const ProgramType* type = find_program_type(name)) {
      entity.domain = Domain::Program;
      entity.program_type = type;
      if (type->targets.empty()) {
        if (!attribute.arguments.empty())
          argument_count(fmt::format("@{}", name), attribute.arguments.size(), 0, attribute.name.loc);
      } else if (attribute.arguments.empty()) {
        entity.target = c.name(type->default_target);
        c.diagnostics.report(attribute.name.loc, diag::bare_tc, std::string(name), std::string(type->default_target))
            .fix(attribute.name.loc, fmt::format("{}(\"{}\")", name, type->default_target), "say so");
      } else {
        if (attribute.arguments.size() > 1)
          argument_count(fmt::format("@{}", name), attribute.arguments.size(), 1, attribute.name.loc);
        const auto* text = as<StringValue>(attribute.arguments[0]);
        if (as<InvalidExpr>(attribute.arguments[0])) entity.target = c.name(type->targets[0]);
        for (std::string_view target : type->targets)
          if (text && text->form.text == target) entity.target = text->form.text;
        if (!entity.target) {
          std::string choices;
          for (std::string_view target : type->targets)
            choices += fmt::format("{}\"{}\"", choices.empty() ? "" : ", ", target);
          c.diagnostics.report(loc_of(attribute.arguments[0]), diag::bad_attribute_argument, std::string(name),
                               choices);
          entity.target = c.name(type->default_target);
        }
      }
    } else {
      static constexpr std::string_view later[] = {
          "probe",         "kprobe",           "kretprobe", "tracepoint", "perf_event", "lsm",
          "struct_ops",    "raw_tracepoint",   "fexit",     "uprobe",     "uretprobe",  "cgroup_skb",
          "cgroup_sock",   "cgroup_sock_addr", "sock_ops",  "sk_msg",     "sk_skb",     "sk_lookup",
          "socket_filter", "flow_dissector",   "netfilter", "iter",       "syscall",    "sched_cls"};
      entity.domain = Domain::Program;
      entity.runs_nowhere = true;
      if (std::find(std::begin(later), std::end(later), name) != std::end(later)) {
        unsupported(attribute.name.loc, fmt::format("`@{}`", name));
      } else {
        std::vector<std::string_view> known = {"helper", "kfunc", "private", "test", "on_fault"};
        for (const ProgramType* type : all_program_types()) known.push_back(type->attribute);
        Diagnostic& message = c.diagnostics.report(attribute.name.loc, diag::unknown_attribute, std::string(name));
        if (const std::string_view near = closest_word(name, known); !near.empty())
          message.fix(attribute.name.loc, std::string(near), fmt::format("did you mean `@{}`?", near));
      }
    }
  }
  std::vector<Type> parameters;
  const auto passed = [&](const TypeExpr& type) {
    Type found = resolve(type);
    if (entity.domain != Domain::User && refuse_floats(found, loc_of(type))) return t.invalid();
    if (is(found, TypeKind::Handle) && entity.domain != Domain::User) {
      c.diagnostics.report(loc_of(type), diag::only_in_userspace, "ProgramHandle");
      return t.invalid();
    }
    return found;
  };
  for (const TypedName& p : n->parameters) {
    Type type = passed(p.type);
    if (is(type, TypeKind::Void)) {
      c.diagnostics.report(loc_of(p.type), diag::void_value);
      type = t.invalid();
    }
    parameters.push_back(type);
  }
  // A program without a result is reported; what it returns is not wrong as well.
  const Type without = entity.domain == Domain::Program ? t.invalid() : t.void_type();
  Type result = n->result ? passed(*n->result) : without;
  if (entity.program_type) check_program_signature(n, *entity.program_type, parameters, result);
  entity.type = t.function(parameters, result, false);
}

/// What a wrong context or result has and has not is no second mistake, where the program is called neither.
void Inference::check_program_signature(const Node<FunctionDecl>& n, const ProgramType& type,
                                        std::vector<Type>& parameters, Type& result) {
  const bool context_fits = parameters.size() == 1 &&
                            (is(parameters[0], TypeKind::Invalid) ||
                             (is(parameters[0], TypeKind::Pointer) && is(parameters[0]->element, TypeKind::Struct) &&
                              parameters[0]->element->name == type.context));
  if (!context_fits) {
    Diagnostic& message =
        c.diagnostics.report(n->parameters.empty() ? n->name.loc : loc_of(n->parameters[0].type), diag::wrong_context,
                             std::string(type.attribute), std::string(type.context));
    if (n->parameters.size() == 1) message.fix(loc_of(n->parameters[0].type), fmt::format("*{}", type.context));
    parameters.assign(std::max<size_t>(parameters.size(), 1), t.invalid());
  }
  if (!n->result || (!is(result, TypeKind::Invalid) && spell(result) != type.result)) {
    Diagnostic& message = c.diagnostics.report(n->result ? loc_of(*n->result) : n->name.loc, diag::wrong_result,
                                               std::string(type.attribute), std::string(type.result));
    if (n->result) message.fix(loc_of(*n->result), std::string(type.result));
    result = t.invalid();
  }
}

void Inference::report_taken_options(Type arguments) {
  const Entity* declared = find_entity(arguments->name);
  const auto* structure = declared ? as<StructDecl>(declared->declaration) : nullptr;
  if (!structure) return;
  for (const MemberDecl& member : structure->form.members_)
    for (std::string_view taken : {"help", "trace", "unpin"})
      if (member.name.name == taken) c.diagnostics.report(member.name.loc, diag::taken_option, std::string(taken));
}

void Inference::check_main(const Node<FunctionDecl>& n, const Entity& entity) {
  Type function = entity.type;
  Type arguments = function->parameters.empty() ? nullptr : function->parameters[0];
  if (function->parameters.size() > 1 ||
      (arguments && !is(arguments, TypeKind::Struct) && !is(arguments, TypeKind::Invalid)) ||
      (function->element != t.i32() && !is(function->element, TypeKind::Void) &&
       !is(function->element, TypeKind::Invalid))) {
    c.diagnostics.report(n->name.loc, diag::bad_main);
    return;
  }
  if (!is(arguments, TypeKind::Struct)) return;
  report_taken_options(arguments);
  for (const StructField& field : arguments->body->fields)
    if (!(is_integral(field.type) && !is(field.type, TypeKind::Char) && !is_function_value(field.type)) &&
        !is(field.type, TypeKind::Str) && !is(field.type, TypeKind::Float))
      c.diagnostics.report(loc_of(n->parameters[0].type), diag::bad_option_type, std::string(field.name.spelling()));
}

// A verdict of another program type is a number here, but hardly the one that was meant.
Name Inference::foreign_verdict(const Expr& verdict) {
  const auto* number = as<Int>(verdict);
  const bool is_verdict = number && number->form.constant &&
                          c.kernel_types->find_constant(number->form.constant.text()) &&
                          !find_entity(number->form.constant);
  const bool of_other_enum = is_enumeration(type_of(verdict)) && type_of(verdict) != result_;
  return is_verdict && (of_other_enum || (is_enumeration(result_) && !is_enumeration(type_of(verdict))))
             ? number->form.constant
             : Name();
}

void Inference::warn_of_foreign_verdicts(const Expr& value) {
  if (is(result_, TypeKind::Invalid)) return;  // reported
  if (const Name verdict = foreign_verdict(value))
    c.diagnostics.report(loc_of(value), diag::foreign_verdict, std::string(verdict.spelling()),
                         std::string(program_type_->attribute), std::string(program_type_->safe));
  if (const auto* choice = as<Conditional>(value)) {
    warn_of_foreign_verdicts(choice->form.then);
    warn_of_foreign_verdicts(choice->form.otherwise);
  }
}

void Inference::declare_fault_verdict(const Node<FunctionDecl>& n, std::vector<Decl>& out) {
  const Attribute* first = nullptr;
  for (const Attribute& attribute : n->attributes) {
    if (attribute.name.name != "on_fault") continue;
    const Loc loc = attribute.name.loc;
    if (first) {
      c.diagnostics.report(loc, diag::fault_verdict, "is given twice").note(first->name.loc, "the first one is here");
      continue;
    }
    first = &attribute;
    if (!program_type_) {
      c.diagnostics.report(loc, diag::fault_verdict,
                           "stands before an eBPF program; what a helper leaves is the program that called it");
      continue;
    }
    if (!argument_count("@on_fault", attribute.arguments.size(), 1, loc) || is(result_, TypeKind::Invalid)) continue;
    const Expr verdict = computed(infer(attribute.arguments[0], result_));
    if (is_invalid(verdict)) continue;
    if (const Name foreign = foreign_verdict(verdict)) {
      c.diagnostics.report(loc_of(attribute.arguments[0]), diag::fault_verdict,
                           fmt::format("takes a verdict of `@{}` programs, such as `{}`; `{}` is none",
                                       program_type_->attribute, program_type_->safe, foreign.text()));
      continue;
    }
    const Expr fitted = coerce(verdict, result_);
    if (as<Int>(fitted))
      out.push_back(c.make(FaultVerdict{n->name.name, fitted}, loc));
    else if (!is_invalid(fitted))
      c.diagnostics.report(loc_of(attribute.arguments[0]), diag::not_constant);
  }
}

namespace {

std::vector<Stmt> joined(const Body& first, const Body& last) {
  std::vector<Stmt> all(first.statements.begin(), first.statements.end());
  all.insert(all.end(), last.statements.begin(), last.statements.end());
  return all;
}

/// The variables that a body gives another value, or whose address it takes.
NameSet assigned_in(const Body& body) {
  NameSet found;
  const auto note = [&](const Expr& place) {
    if (const auto* local = as<Local>(place)) found.insert(local->form.name);
  };
  std::function<void(const Expr&)> on_expr;
  std::function<void(const Stmt&)> on_stmt = [&](const Stmt& s) {
    if (const auto* assign = as<AssignStmt>(s)) note(assign->form.place);
    each_child_of(s, on_expr, on_stmt);
  };
  on_expr = [&](const Expr& e) {
    if (const auto* operation = as<Operation>(e); operation && operation->form.op == Operator::AddressOf)
      note(operation->form.operands[0]);
    if (const auto* address = as<AddressOf>(e)) note(address->form.place);
    each_child_of(e, on_expr, on_stmt);
  };
  for (const Stmt& s : body.statements) on_stmt(s);
  return found;
}

/// The program type that has a function's context parameter; null if it has none, or several program types have it.
const ProgramType* type_of_context(const Instance& function) {
  const ProgramType* found = nullptr;
  std::vector<Type> parameters = function.parameters;
  if (function.context) parameters.push_back(function.context);
  for (Type parameter : parameters)
    if (is(parameter, TypeKind::Pointer) && parameter->space == Space::Context)
      for (const ProgramType* type : all_program_types()) {
        if (!(parameter->element->name == type->context)) continue;
        if (found && found != type) return nullptr;
        found = type;
      }
  return found;
}

}  // namespace

void Inference::declare_function(const Node<FunctionDecl>& n, std::vector<Decl>& out) {
  Entity& entity = *find_entity(n->name.name);
  if (entity.runs_nowhere || takes_pointers(entity) || gives_pointer(entity)) return;
  const auto& parameters = entity.type->parameters;
  Instance only{n->name.name, n->name.name, {parameters.begin(), parameters.end()}, nullptr};
  declare_body(n.form, n.loc, entity, only, out);
}

std::vector<Decl> Inference::typed_body(const FunctionDecl& n, Loc loc, const Entity& entity, const Instance& one) {
  domain_ = entity.domain;
  program_type_ = entity.program_type;
  context_type_ = program_type_ ? program_type_ : type_of_context(one);
  result_ = one.result ? one.result : entity.type->element;
  given_memory_ = nullptr;
  gives_null_ = false;
  result_loc_ = n.result ? loc_of(*n.result) : Loc{};
  loop_depth_ = 0;
  try_depth_ = 0;
  packet_ends_.clear();
  std::vector<Decl> out;
  const auto& declaration = *as<FunctionDecl>(entity.declaration);
  declare_fault_verdict(declaration, out);
  if (n.name.name == "main" && domain_ == Domain::User) check_main(declaration, entity);
  offsets_.clear();
  given_offsets_.clear();
  assigned_ = assigned_in(n.body);
  find_moved_variables(n);
  std::vector<Parameter> parameters;
  std::vector<Stmt> first;
  declare_parameters(n, one, parameters, first);
  if (domain_ == Domain::Shared && is(result_, TypeKind::Pointer) && result_->space == Space::Context)
    unsupported(loc_of(*n.result), "the context as a result of a `@helper`");
  Name result_name = n.result_name.name;
  if (result_name) locals_[result_name] = result_ = remembered(result_name, result_);
  result_name_ = result_name;
  at_file_level_ = false;
  Body written = body(n.body);
  at_file_level_ = true;
  if (result_name && is_in_packet(result_)) {
    // What is given is not what the variable holds.
    first.push_back(c.make(Let{result_name, result_, Expr(c.make(Null{}, loc, result_))}, loc));
    const Body last = collect_statements([&] { return_pointer(c.make(Local{result_name}, loc, result_), loc); });
    written.statements = always_leaves(written) ? written.statements : c.span(joined(written, last));
    result_name = {};
  }
  const bool gives = !is(result_, TypeKind::Void) && !is(result_, TypeKind::Invalid);
  bool broken = false;
  for (const Stmt& s : written.statements) broken |= header(s).contains.has(Kind::InvalidStmt);
  if (gives && !broken && !result_name_ && !always_leaves(written))
    c.diagnostics.report(n.name.loc, diag::missing_return, std::string(n.name.name.spelling()), spell(result_));
  first.insert(first.end(), written.statements.begin(), written.statements.end());
  out.push_back(c.make(FunctionDef{one.name,
                                   domain_,
                                   program_type_ ? c.name(program_type_->attribute) : Name{},
                                   entity.target,
                                   c.span(parameters),
                                   result_name,
                                   passed_result(result_),
                                   false,
                                   {c.span(first)}},
                       loc));
  return out;
}

}  // namespace ksc
