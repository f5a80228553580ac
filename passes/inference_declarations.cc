// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "passes/inference.h"

namespace ksc {

Program Inference::program(const Program& in) {
  for (const Decl& d : in) collect(d);
  for (auto& [name, entity] : entities_) complete(entity);
  std::vector<Decl> out;
  for (const Decl& d : in) declare(d, out);
  return c.span(out);
}

Entity* Inference::find_entity(Name name) {
  auto found = entities_.find(name);
  return found == entities_.end() ? nullptr : &found->second;
}

void Inference::collect(const Decl& d) {
  const auto note = [&](const Ident& name, Entity::Kind kind) {
    if (!name.name) return;
    Entity entity;
    entity.kind = kind;
    entity.declaration = d;
    entities_.emplace(name.name, entity);
  };
  using K = Entity::Kind;
  if (const auto* n = as<AliasDecl>(d)) note(n->form.name, K::Alias);
  if (const auto* n = as<StructDecl>(d)) note(n->form.name, K::Struct);
  if (const auto* n = as<ConstDecl>(d)) note(n->form.name, K::Constant);
  if (const auto* n = as<ConfigDecl>(d)) note(n->form.name, K::Config);
  if (const auto* n = as<VarDecl>(d)) note(n->form.name, K::Variable);
  if (const auto* n = as<MapDecl>(d)) note(n->form.name, K::Map);
  if (const auto* n = as<FunctionDecl>(d)) note(n->form.name, K::Function);
  if (const auto* n = as<EnumDecl>(d)) {
    note(n->form.name, K::Enum);
    for (const EnumerationItem& item : n->form.items) note(item.name, K::Constant);
  }
}

void Inference::complete(Entity& entity) {
  if (entity.state == Entity::State::Done) return;
  const auto own_name = [&]() -> Ident {
    return boost::variant2::visit(
        [](const auto& ref) -> Ident {
          if constexpr (requires { ref->name.loc; }) return ref->name;
          else return {};
        },
        entity.declaration);
  };
  if (entity.state == Entity::State::AtWork) {
    // Structs may point to themselves; nothing else may need itself.
    if (entity.kind == Entity::Kind::Struct && entity.type) return;
    if (entity.kind == Entity::Kind::Function) return;
    c.diagnostics.report(own_name().loc, diag::type_cycle, std::string(own_name().name.text()));
    entity.type = t.invalid();
    return;
  }
  entity.state = Entity::State::AtWork;
  const Decl& d = entity.declaration;
  if (const auto* n = as<AliasDecl>(d)) {
    Type target = resolve(n->form.target);
    entity.type = entity.type ? entity.type : target;
  } else if (const auto* n = as<StructDecl>(d)) {
    entity.type = t.structure(n->form.name.name);
    std::vector<StructField> fields;
    std::set<Name, ByText> seen;
    for (const TypedName& member : n->form.members_) {
      StructField field;
      field.name = member.name.name;
      field.type = resolve(member.type);
      if (!seen.insert(field.name).second) c.diagnostics.report(member.name.loc, diag::redeclared, std::string(field.name.text()));
      if (is(field.type, TypeKind::Struct) && !field.type->body->complete) {
        c.diagnostics.report(member.name.loc, diag::type_cycle, spell(entity.type));
        field.type = t.invalid();
      }
      if (!is(field.type, TypeKind::Invalid)) fields.push_back(field);
    }
    // [L177] a struct that the kernel has too, with these members, is the kernel's
    const KernelStruct* known = c.kernel_types->find_struct(n->form.name.name.text());
    bool is_kernels = known != nullptr;
    for (const StructField& field : fields) is_kernels = is_kernels && known->find_field(field.name.text());
    if (is_kernels) kernel_struct(*known);
    else t.complete_struct(entity.type, fields);
  } else if (const auto* n = as<EnumDecl>(d)) {
    entity.type = t.enumeration(n->form.name.name);
    std::vector<EnumItem> items;
    __int128 next = 0;
    for (const EnumerationItem& item : n->form.items) {
      if (item.value)
        if (const auto value = constant_value(*item.value)) next = value->value;
      items.push_back({item.name.name, static_cast<int64_t>(next)});
      ++next;
    }
    const KernelEnum* known = c.kernel_types->find_enum(n->form.name.name.text());
    t.complete_enum(entity.type, items, known ? c.name(known->header).text() : std::string_view());
  } else if (const auto* n = as<ConstDecl>(d)) {
    const Expr value = infer(n->form.value);
    const auto* number = as<Int>(value);
    entity.type = t.invalid();
    if (!number) {
      if (!is_invalid(value)) c.diagnostics.report(loc_of(n->form.value), diag::not_constant);
    } else if (n->form.type) {
      const Expr converted = coerce(value, resolve(*n->form.type));
      if (const auto* fitted = as<Int>(converted)) entity.type = fitted->type, entity.value = fitted->form.value;
    } else {
      entity.type = number->type;
      entity.value = number->form.value;
    }
  } else if (const auto* n = as<ConfigDecl>(d)) {
    entity.type = t.structure(n->form.name.name);
    std::vector<StructField> fields;
    for (const ConfigItem& item : n->form.items) {
      StructField field;
      field.name = item.name.name;
      field.type = resolve(item.type);
      if (!is(field.type, TypeKind::Invalid)) fields.push_back(field);
    }
    t.complete_struct(entity.type, fields);
  } else if (const auto* n = as<VarDecl>(d)) {
    entity.storage = n->form.storage;
    if (n->form.type) {
      entity.type = resolve(*n->form.type);
    } else if (n->form.value) {
      const Expr value = settle(infer(*n->form.value));
      entity.type = type_of(value);
    } else {
      c.diagnostics.report(n->form.name.loc, diag::no_type, std::string(n->form.name.name.text()));
      entity.type = t.invalid();
    }
    if (is(entity.type, TypeKind::Pointer)) {
      unsupported(n->form.name.loc, "pointers in globals");
      entity.type = t.invalid();
    }
  } else if (const auto* n = as<MapDecl>(d)) {
    const MapKind* kind = find_map_kind(n->form.map_kind.name.text());
    entity.type = t.invalid();
    if (!kind) {
      static constexpr std::string_view later[] = {"ringbuf", "perf_buffer", "queue", "stack", "bloom", "user_ringbuf", "lru_percpu_hash", "lpm_trie",
                                                   "devmap", "cpumap", "xskmap", "sockmap", "sockhash", "hash_of_maps", "array_of_maps", "cgroup_storage",
                                                   "sk_storage", "task_storage", "inode_storage", "prog_array"};
      const std::string_view name = n->form.map_kind.name.text();
      if (std::find(std::begin(later), std::end(later), name) != std::end(later)) {
        unsupported(n->form.map_kind.loc, fmt::format("`{}` maps", name));
      } else {
        std::vector<std::string_view> known;
        for (const MapKind* k : all_map_kinds()) known.push_back(k->name);
        Diagnostic& message = c.diagnostics.report(n->form.map_kind.loc, diag::unknown_map_kind, std::string(name));
        if (const std::string_view near = closest_word(name, known); !near.empty())
          message.fix(n->form.map_kind.loc, std::string(near), fmt::format("did you mean `{}`?", near));
      }
    } else if (argument_count(kind->name, n->form.parameters.size(), kind->parameters, n->loc)) {
      Type key = resolve(n->form.parameters[0]), value = resolve(n->form.parameters[1]);
      const uint64_t entries = n->form.size ? size_constant(*n->form.size, UINT32_MAX) : 0;
      if (kind->integer_keys && !is(key, TypeKind::Invalid) && !(is_integral(key) && width_of(key) == 32 && !is(key, TypeKind::Bool))) {
        c.diagnostics.report(loc_of(n->form.parameters[0]), diag::type_mismatch, spell(key), "a 32-bit integer or an enum");
        key = t.invalid();
      }
      if (!n->form.size) c.diagnostics.report(n->loc, diag::bad_size, uint64_t(UINT32_MAX));
      if (entries && !is(key, TypeKind::Invalid) && !is(value, TypeKind::Invalid))
        entity.type = t.map(n->form.map_kind.name, key, value, entries);
    }
  } else if (const auto* n = as<FunctionDecl>(d)) {
    complete_function(*n, entity);
  }
  entity.state = Entity::State::Done;
  if (const auto* n = as<EnumDecl>(d))
    for (size_t i = 0; i < n->form.items.size(); ++i)
      if (Entity* item = find_entity(n->form.items[i].name.name); item && item->kind == Entity::Kind::Constant) {
        item->type = entity.type;
        item->value = {entity.type->body->items[i].value};
        item->state = Entity::State::Done;
      }
}

void Inference::complete_function(const Node<FunctionDecl>& n, Entity& entity) {
  for (const Attribute& attribute : n->attributes) {
    const std::string_view name = attribute.name.name.text();
    if (name == "helper") {
      entity.domain = Domain::Shared;
    } else if (name == "test") {
      entity.domain = Domain::Test;
      unsupported(attribute.name.loc, "`@test`");
    } else if (name == "kfunc" || name == "private") {
      entity.domain = Domain::Kernel;
      unsupported(attribute.name.loc, fmt::format("`@{}`", name));
    } else if (const ProgramType* type = find_program_type(name)) {
      entity.domain = Domain::Program;
      entity.program_type = type;
      if (type->targets.empty()) {
        if (!attribute.arguments.empty()) argument_count(fmt::format("@{}", name), attribute.arguments.size(), 0, attribute.name.loc);
      } else if (attribute.arguments.empty()) {
        entity.target = c.name(type->default_target);
        c.diagnostics.report(attribute.name.loc, diag::bare_tc, std::string(name), std::string(type->default_target))
            .fix(attribute.name.loc, fmt::format("{}(\"{}\")", name, type->default_target), "say so");
      } else {
        const auto* text = as<StringValue>(attribute.arguments[0]);
        for (std::string_view target : type->targets)
          if (text && text->form.text == target) entity.target = text->form.text;
        if (!entity.target) {
          std::string choices;
          for (std::string_view target : type->targets) choices += fmt::format("{}\"{}\"", choices.empty() ? "" : ", ", target);
          c.diagnostics.report(loc_of(attribute.arguments[0]), diag::bad_attribute_argument, std::string(name), choices);
          entity.target = c.name(type->default_target);
        }
      }
    } else {
      static constexpr std::string_view later[] = {"probe", "kprobe", "kretprobe", "tracepoint", "perf_event", "lsm", "struct_ops", "raw_tracepoint", "fexit",
                                                   "uprobe", "uretprobe", "cgroup_skb", "cgroup_sock", "cgroup_sock_addr", "sock_ops", "sk_msg", "sk_skb",
                                                   "sk_lookup", "socket_filter", "flow_dissector", "netfilter", "iter", "syscall", "sched_cls", "on_fault"};
      entity.domain = Domain::Program;
      if (std::find(std::begin(later), std::end(later), name) != std::end(later)) {
        unsupported(attribute.name.loc, fmt::format("`@{}`", name));
      } else {
        std::vector<std::string_view> known = {"helper", "kfunc", "private", "test"};
        for (const ProgramType* type : all_program_types()) known.push_back(type->attribute);
        Diagnostic& message = c.diagnostics.report(attribute.name.loc, diag::unknown_attribute, std::string(name));
        if (const std::string_view near = closest_word(name, known); !near.empty())
          message.fix(attribute.name.loc, std::string(near), fmt::format("did you mean `@{}`?", near));
      }
    }
  }
  std::vector<Type> parameters;
  for (const TypedName& p : n->parameters) parameters.push_back(resolve(p.type));
  Type result = n->result ? resolve(*n->result) : t.void_type();
  if (n->result_name.name) unsupported(n->result_name.loc, "named results");
  entity.type = t.function(parameters, result, false);
}

void Inference::check_program_signature(const Node<FunctionDecl>& n, const ProgramType& type, const Entity& entity) {
  Type function = entity.type;
  const bool context_fits = function->parameters.size() == 1 &&
                            (is(function->parameters[0], TypeKind::Invalid) ||
                             (is(function->parameters[0], TypeKind::Pointer) && is(function->parameters[0]->element, TypeKind::Struct) &&
                              function->parameters[0]->element->name == type.context));
  if (!context_fits)
    c.diagnostics.report(n->name.loc, diag::wrong_context, std::string(type.attribute), std::string(type.context));
  if (!is(function->element, TypeKind::Invalid) && spell(function->element) != type.result) {
    Diagnostic& message = c.diagnostics.report(n->result ? loc_of(*n->result) : n->name.loc, diag::wrong_result, std::string(type.attribute), std::string(type.result));
    if (n->result) message.fix(loc_of(*n->result), std::string(type.result));
  }
}

void Inference::check_main(const Node<FunctionDecl>& n, const Entity& entity) {
  Type function = entity.type;
  Type arguments = function->parameters.empty() ? nullptr : function->parameters[0];
  if (function->parameters.size() > 1 || (arguments && !is(arguments, TypeKind::Struct) && !is(arguments, TypeKind::Invalid)) ||
      (function->element != t.i32() && !is(function->element, TypeKind::Void) && !is(function->element, TypeKind::Invalid))) {
    c.diagnostics.report(n->name.loc, diag::bad_main);
    return;
  }
  if (!is(arguments, TypeKind::Struct)) return;
  for (const StructField& field : arguments->body->fields)
    if (!(is_integral(field.type) && !is(field.type, TypeKind::Char)) && !is(field.type, TypeKind::Str))
      c.diagnostics.report(loc_of(n->parameters[0].type), diag::bad_option_type, std::string(field.name.text()));
}

void Inference::declare_function(const Node<FunctionDecl>& n, std::vector<Decl>& out) {
  Entity& entity = *find_entity(n->name.name);
  domain_ = entity.domain;
  program_type_ = entity.program_type;
  result_ = entity.type->element;
  loop_depth_ = 0;
  if (program_type_) check_program_signature(n, *program_type_, entity);
  if (n->name.name == "main" && domain_ == Domain::User) check_main(n, entity);
  std::vector<Parameter> parameters;
  for (size_t i = 0; i < n->parameters.size(); ++i) {
    locals_[n->parameters[i].name.name] = entity.type->parameters[i];
    parameters.push_back({n->parameters[i].name.name, entity.type->parameters[i]});
  }
  if (in_ebpf() && parameters.size() > 5)
    c.diagnostics.report(n->name.loc, diag::too_many_arguments, std::string(n->name.name.text()), parameters.size());
  if (domain_ == Domain::Shared && (is_aggregate(result_) || is(result_, TypeKind::Pointer))) unsupported(n->name.loc, "helpers that give structs or pointers");
  for (const Parameter& p : parameters)
    if (domain_ == Domain::Shared && is_aggregate(p.type)) unsupported(n->name.loc, "helpers that take structs by value");
  const Body statements = body(n->body);
  if (!is(result_, TypeKind::Void) && !is(result_, TypeKind::Invalid) && !always_leaves(statements)) {
    bool broken = false;
    for (const Stmt& s : statements.statements) broken |= header(s).contains.has(Kind::InvalidStmt);
    if (!broken) c.diagnostics.report(n->name.loc, diag::missing_return, std::string(n->name.name.text()), spell(result_));
  }
  out.push_back(c.make(FunctionDef{n->name.name, domain_, program_type_ ? c.name(program_type_->attribute) : Name{}, entity.target,
                                   c.span(parameters), {}, result_, false, statements},
                       n.loc));
}

void Inference::declare_map(const Node<MapDecl>& n, const Entity& entity, std::vector<Decl>& out) {
  uint64_t flags = 0;
  for (const Expr& flag : n->flags)
    if (const auto value = constant_value(flag)) flags |= static_cast<uint64_t>(value->value);
  for (const NamedExpr& option : n->options) unsupported(option.name.loc, fmt::format("the map option `{}`", option.name.name.text()));
  if (is(entity.type, TypeKind::Invalid)) return;
  out.push_back(c.make(MapDef{n->name.name, entity.type, flags, n->pinned, true}, n.loc));
}

void Inference::declare(const Decl& d, std::vector<Decl>& out) {
  const Loc loc = loc_of(d);
  domain_ = Domain::Shared;  // what stands at file level is seen from eBPF too
  program_type_ = nullptr;
  visit<lang::Resolved>(
      d, on<InvalidDecl>([](const auto&) {}),
      on<Import>([&](const auto&) { unsupported(loc, "`import`"); }),
      on<Include>([&](const Node<Include>& n) {
        // What these declare is in the prelude.
        const std::string_view path = n->path.text();
        if (path != "xdp.kh" && path != "tc.kh") unsupported(loc, fmt::format("`include \"{}\"`", path));
      }),
      on<License>([&](const auto& n) { out.push_back(c.make(n.form, loc)); }), on<AliasDecl>([](const auto&) {}),
      on<StructDecl>([&](const Node<StructDecl>& n) {
        Type type = find_entity(n->name.name)->type;
        if (is(type, TypeKind::Struct) && type->body->header.empty()) out.push_back(c.make(StructDef{type}, loc));
      }),
      on<EnumDecl>([&](const Node<EnumDecl>& n) {
        Type type = find_entity(n->name.name)->type;
        if (is(type, TypeKind::Enum) && type->body->header.empty()) out.push_back(c.make(EnumDef{type}, loc));
      }),
      on<ConstDecl>([&](const Node<ConstDecl>& n) {
        const Entity& entity = *find_entity(n->name.name);
        if (is(entity.type, TypeKind::Invalid)) return;
        Type type = is(entity.type, TypeKind::Constant) ? default_type(entity.value) : entity.type;
        out.push_back(c.make(ConstDef{n->name.name, type, integer(entity.value, type, loc)}, loc));
      }),
      on<ConfigDecl>([&](const Node<ConfigDecl>& n) {
        Type type = find_entity(n->name.name)->type;
        std::vector<FieldValue> values;
        for (const ConfigItem& item : n->items) {
          const StructField* field = find_field(type, item.name.name);
          if (!field || !item.value) continue;
          const Expr value = coerce(infer(*item.value, field->type), field->type);
          if (!is_invalid(value)) values.push_back({item.name.name, value});
        }
        out.push_back(c.make(ConfigDef{n->name.name, type, c.span(values)}, loc));
      }),
      on<VarDecl>([&](const Node<VarDecl>& n) {
        const Entity& entity = *find_entity(n->name.name);
        Option<Expr> value;
        if (n->value && !is(entity.type, TypeKind::Invalid)) {
          const Expr typed = coerce(infer(*n->value, entity.type), entity.type);
          if (is_invalid(typed)) return;
          const Kind kind = kind_of(typed);
          if (kind != Kind::Int && kind != Kind::StringValue && kind != Kind::Zero && kind != Kind::ArrayValue && kind != Kind::StructValue)
            c.diagnostics.report(loc_of(typed), diag::not_constant);
          value = typed;
        }
        if (!is(entity.type, TypeKind::Invalid)) out.push_back(c.make(GlobalDef{n->name.name, entity.type, value, n->storage}, loc));
      }),
      on<MapDecl>([&](const auto& n) { declare_map(n, *find_entity(n->name.name), out); }),
      on<ExternDecl>([&](const Node<ExternDecl>& n) {
        // [L19] an extern that names a helper is accepted and means the helper
        if (!find_helper_signature(n->name.name.text())) unsupported(loc, "`extern`");
      }),
      on<ImplDecl>([&](const auto&) { unsupported(loc, "`impl`"); }),
      on<FunctionDecl>([&](const auto& n) { declare_function(n, out); }));
}

}  // namespace ksc
