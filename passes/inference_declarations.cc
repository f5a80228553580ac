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
    if (entity.type && is(entity.type, TypeKind::Invalid)) return;  // reported
    c.diagnostics.report(own_name().loc, diag::type_cycle, std::string(own_name().name.text()));
    entity.type = t.invalid();
    return;
  }
  const Decl& d = entity.declaration;
  if (const auto* n = as<EnumDecl>(d); n && entity.kind == Entity::Kind::Constant) {
    // An enumerator is typed with its enum; while that is at work, only those before it are known.
    Entity* whole = find_entity(n->form.name.name);
    if (whole && whole->state == Entity::State::Waiting && loc_of(whole->declaration) == n->loc) complete(*whole);
    if (entity.state == Entity::State::Done) return;
    if (whole && whole->state == Entity::State::AtWork) {
      for (const EnumerationItem& item : n->form.items)
        if (find_entity(item.name.name) == &entity) c.diagnostics.report(item.name.loc, diag::type_cycle, std::string(item.name.name.text()));
    }
    entity.type = t.invalid();
    return;
  }
  entity.state = Entity::State::AtWork;
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
      field.type = stored_type(member.type, "structs");
      if (!seen.insert(field.name).second) {
        c.diagnostics.report(member.name.loc, diag::redeclared, std::string(field.name.text()));
        continue;
      }
      Type element = field.type;
      while (is(element, TypeKind::Array)) element = element->element;
      if (is(element, TypeKind::Struct) && !element->body->complete) {
        c.diagnostics.report(member.name.loc, diag::type_cycle, spell(entity.type));
        field.type = t.invalid();
      }
      if (!is(field.type, TypeKind::Invalid)) fields.push_back(field);
    }
    // [L177] a struct that the kernel has too, with these members, is the kernel's
    const KernelStruct* known = c.kernel_types->find_struct(n->form.name.name.text());
    if (!known) {
      t.complete_struct(entity.type, fields);
    } else {
      kernel_struct(*known);
      for (const StructField& field : fields) {
        const StructField* theirs = find_field(entity.type, field.name);
        const bool same = theirs && (theirs->type == field.type || (is_integral(theirs->type) && is_integral(field.type) && width_of(theirs->type) == width_of(field.type)));
        if (!same) {
          c.diagnostics.report(n->form.name.loc, diag::kernel_type_name, spell(entity.type));
          break;
        }
      }
    }
  } else if (const auto* n = as<EnumDecl>(d)) {
    complete_enum(*n, entity);
  } else if (const auto* n = as<ConstDecl>(d)) {
    Type wanted = n->form.type ? stored_type(*n->form.type, "constants") : nullptr;
    const Expr value = infer(n->form.value, wanted);
    const auto* number = as<Int>(value);
    entity.type = t.invalid();
    if (is(type_of(value), TypeKind::Str) || (wanted && (is(wanted, TypeKind::Str) || is_aggregate(wanted)))) {
      unsupported(loc_of(n->form.value), "constants that are no integers");
    } else if (!number) {
      if (!is_invalid(value)) c.diagnostics.report(loc_of(n->form.value), diag::not_constant);
    } else if (wanted) {
      const Expr converted = coerce(value, wanted);
      if (const auto* fitted = as<Int>(converted)) entity.type = fitted->type, entity.value = fitted->form.value;
    } else if (is(number->type, TypeKind::Constant) && number->form.value.value != 0 && !fits(number->form.value, default_type(number->form.value))) {
      c.diagnostics.report(loc_of(n->form.value), diag::constant_overflow);
    } else {
      entity.type = number->type;
      entity.value = number->form.value;
    }
  } else if (const auto* n = as<ConfigDecl>(d)) {
    entity.type = t.structure(n->form.name.name);
    std::vector<StructField> fields;
    std::set<Name, ByText> seen;
    for (const ConfigItem& item : n->form.items) {
      StructField field;
      field.name = item.name.name;
      field.type = stored_type(item.type, "config blocks");
      if (!seen.insert(field.name).second) {
        c.diagnostics.report(item.name.loc, diag::redeclared, std::string(field.name.text()));
        continue;
      }
      if (!is(field.type, TypeKind::Invalid)) fields.push_back(field);
    }
    t.complete_struct(entity.type, fields);
  } else if (const auto* n = as<VarDecl>(d)) {
    entity.storage = n->form.storage;
    if (n->form.type) {
      entity.type = stored_type(*n->form.type, "globals");
    } else if (n->form.value) {
      const Expr value = settle(infer(*n->form.value));
      entity.type = type_of(value);
      if (is(entity.type, TypeKind::Pointer)) entity.type = type_of(unsupported(n->form.name.loc, "pointers in globals"));
      else if (!is_integral(entity.type) && !is_aggregate(entity.type) && !is(entity.type, TypeKind::Str) && !is(entity.type, TypeKind::Invalid)) {
        c.diagnostics.report(loc_of(*n->form.value), diag::not_constant);
        entity.type = t.invalid();
      }
    } else {
      c.diagnostics.report(n->form.name.loc, diag::no_type, std::string(n->form.name.name.text()));
      entity.type = t.invalid();
    }
  } else if (const auto* n = as<MapDecl>(d)) {
    complete_map(*n, entity);
  } else if (const auto* n = as<FunctionDecl>(d)) {
    complete_function(*n, entity);
  }
  entity.state = Entity::State::Done;
}

void Inference::complete_enum(const Node<EnumDecl>& n, Entity& entity) {
  Type type = t.enumeration(n->name.name);
  entity.type = type;
  std::vector<EnumItem> items;
  std::vector<Entity*> own;
  __int128 next = 0;
  for (const EnumerationItem& item : n->items) {
    if (item.value)
      if (const auto value = constant_value(*item.value)) next = value->value;
    if (next > INT64_MAX || next < INT64_MIN) {
      c.diagnostics.report(item.value ? loc_of(*item.value) : item.name.loc, diag::constant_does_not_fit, integer_text({next}), "i64");
      next = 0;
    }
    items.push_back({item.name.name, static_cast<int64_t>(next)});
    // Those after it may use it already: it is a bare number until the enum is known.
    Entity* known = find_entity(item.name.name);
    if (known && known->kind == Entity::Kind::Constant && loc_of(known->declaration) == n.loc && known->state == Entity::State::Waiting) {
      known->type = t.constant();
      known->value = {next};
      known->state = Entity::State::Done;
      own.push_back(known);
    }
    ++next;
  }
  // [L177] as for structs
  if (const KernelEnum* kernels = c.kernel_types->find_enum(n->name.name.text())) {
    kernel_enum(*kernels);
    for (const EnumItem& item : items) {
      bool found = false;
      for (const EnumItem& theirs : type->body->items) found = found || (theirs.name == item.name && theirs.value == item.value);
      if (!found) {
        c.diagnostics.report(n->name.loc, diag::kernel_type_name, spell(type));
        break;
      }
    }
  } else {
    t.complete_enum(type, items);
  }
  for (Entity* enumerator : own) enumerator->type = type;
}

namespace {

struct MapFlag {
  std::string_view name;
  uint64_t value;
};
/// linux/bpf.h
constexpr MapFlag map_flag_names[] = {{"BPF_F_NO_PREALLOC", 1},  {"BPF_F_NO_COMMON_LRU", 2}, {"BPF_F_NUMA_NODE", 4},      {"BPF_F_RDONLY", 8},
                                      {"BPF_F_WRONLY", 16},      {"BPF_F_STACK_BUILD_ID", 32}, {"BPF_F_ZERO_SEED", 64},   {"BPF_F_RDONLY_PROG", 128},
                                      {"BPF_F_WRONLY_PROG", 256}, {"BPF_F_CLONE", 512},      {"BPF_F_MMAPABLE", 1024},    {"BPF_F_PRESERVE_ELEMS", 2048},
                                      {"BPF_F_INNER_MAP", 4096}};

/// The flag of a name, also of its short lower-case form [L16]; null if there is none.
const MapFlag* find_map_flag(std::string_view name) {
  std::string full(name);
  if (!name.starts_with("BPF_F_")) {
    full = "BPF_F_";
    for (char ch : name) full += ch >= 'a' && ch <= 'z' ? static_cast<char>(ch - 'a' + 'A') : '?';
    for (size_t i = 0; i < name.size(); ++i)
      if (name[i] == '_') full[i + 6] = '_';
  }
  for (const MapFlag& flag : map_flag_names)
    if (flag.name == full) return &flag;
  return nullptr;
}

}  // namespace

uint64_t Inference::map_flags(const Node<MapDecl>& n, const MapKind& kind) {
  uint64_t flags = 0;
  // A | B is an operation, or a chain of them.
  const std::function<void(const Expr&)> add = [&](const Expr& e) {
    if (const auto* operation = as<Operation>(e); operation && operation->form.op == Operator::BitOr && operation->form.operands.size() == 2) {
      for (const Expr& operand : operation->form.operands) add(operand);
    } else if (const auto* chain = as<Chain>(e)) {
      add(chain->form.first);
      for (const ChainLink& link : chain->form.rest)
        if (link.op == Operator::BitOr) add(link.operand);
        else c.diagnostics.report(loc_of(link.operand), diag::bad_map_flag, std::string(operator_text(link.op)), std::string(kind.name));
    } else if (const auto* word = as<GlobalName>(e)) {
      const MapFlag* flag = find_map_flag(word->form.name.text());
      if (flag && (kind.flags & flag->value)) {
        flags |= flag->value;
        return;
      }
      Diagnostic& message = c.diagnostics.report(word->loc, diag::bad_map_flag, std::string(word->form.name.text()), std::string(kind.name));
      std::vector<std::string_view> known;
      for (const MapFlag& f : map_flag_names)
        if (kind.flags & f.value) known.push_back(f.name);
      if (const std::string_view near = closest_word(word->form.name.text(), known); !flag && !near.empty())
        message.fix(word->loc, std::string(near), fmt::format("did you mean `{}`?", near));
    } else if (const auto value = constant_value(e)) {
      if (value->value >= 0 && (static_cast<uint64_t>(value->value) & ~kind.flags) == 0) flags |= static_cast<uint64_t>(value->value);
      else c.diagnostics.report(loc_of(e), diag::bad_map_flag, integer_text(*value), std::string(kind.name));
    }
  };
  for (const Expr& flag : n->flags) add(flag);
  const auto exclude = [&](uint64_t a, uint64_t b, std::string_view first, std::string_view second) {
    if ((flags & a) && (flags & b)) {
      c.diagnostics.report(n->name.loc, diag::map_flags_conflict, std::string(first), std::string(second));
      flags &= ~b;
    }
  };
  exclude(8, 16, "BPF_F_RDONLY", "BPF_F_WRONLY");
  exclude(128, 256, "BPF_F_RDONLY_PROG", "BPF_F_WRONLY_PROG");
  return flags;
}

void Inference::complete_map(const Node<MapDecl>& n, Entity& entity) {
    const MapKind* kind = find_map_kind(n->map_kind.name.text());
    entity.type = t.invalid();
    if (!kind) {
      static constexpr std::string_view later[] = {"ringbuf", "perf_buffer", "queue", "stack", "bloom", "user_ringbuf", "lru_percpu_hash", "lpm_trie",
                                                   "devmap", "cpumap", "xskmap", "sockmap", "sockhash", "hash_of_maps", "array_of_maps", "cgroup_storage",
                                                   "sk_storage", "task_storage", "inode_storage", "prog_array"};
      const std::string_view name = n->map_kind.name.text();
      if (std::find(std::begin(later), std::end(later), name) != std::end(later)) {
        unsupported(n->map_kind.loc, fmt::format("`{}` maps", name));
      } else {
        std::vector<std::string_view> known;
        for (const MapKind* k : all_map_kinds()) known.push_back(k->name);
        Diagnostic& message = c.diagnostics.report(n->map_kind.loc, diag::unknown_map_kind, std::string(name));
        if (const std::string_view near = closest_word(name, known); !near.empty())
          message.fix(n->map_kind.loc, std::string(near), fmt::format("did you mean `{}`?", near));
      }
    } else if (argument_count(kind->name, n->parameters.size(), kind->parameters, n.loc)) {
      Type key = stored_type(n->parameters[0], "keys of maps"), value = stored_type(n->parameters[1], "values of maps");
      entity.flags = map_flags(n, *kind);
      const auto limit = [&](Type& type, const TypeExpr& at, std::string_view what, uint64_t most) {
        if (is(type, TypeKind::Invalid) || size_of(type) <= most) return;
        c.diagnostics.report(loc_of(at), diag::too_large, std::string(what), size_of(type), most);
        type = t.invalid();
      };
      limit(key, n->parameters[0], "this key", 512);
      limit(value, n->parameters[1], "this value", kind->largest_value);
      const uint64_t entries = n->size ? size_constant(*n->size, UINT32_MAX) : 0;
      if (kind->integer_keys && !is(key, TypeKind::Invalid) && !(is_integral(key) && width_of(key) == 32 && !is(key, TypeKind::Bool))) {
        c.diagnostics.report(loc_of(n->parameters[0]), diag::type_mismatch, spell(key), "a 32-bit integer or an enum");
        key = t.invalid();
      }
      if (!n->size) c.diagnostics.report(n.loc, diag::bad_size, uint64_t(UINT32_MAX));
      if (entries && !is(key, TypeKind::Invalid) && !is(value, TypeKind::Invalid))
        entity.type = t.map(n->map_kind.name, key, value, entries);
    }
}

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
                                                   "sk_lookup", "socket_filter", "flow_dissector", "netfilter", "iter", "syscall", "sched_cls"};
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
  const auto passed = [&](const TypeExpr& type, std::string_view what) {
    Type found = resolve(type);
    if (is(found, TypeKind::Maybe)) return type_of(unsupported(loc_of(type), fmt::format("`option` as {}", what)));
    if (is(found, TypeKind::Handle) && entity.domain != Domain::User) {
      c.diagnostics.report(loc_of(type), diag::only_in_userspace, "ProgramHandle");
      return t.invalid();
    }
    return found;
  };
  for (const TypedName& p : n->parameters) {
    Type type = passed(p.type, "a parameter");
    if (is(type, TypeKind::Void)) {
      c.diagnostics.report(loc_of(p.type), diag::void_value);
      type = t.invalid();
    }
    parameters.push_back(type);
  }
  Type result = n->result ? passed(*n->result, "a result") : t.void_type();
  if (n->result_name.name) unsupported(n->result_name.loc, "named results");
  entity.type = t.function(parameters, result, false);
}

void Inference::check_program_signature(const Node<FunctionDecl>& n, const ProgramType& type, const Entity& entity) {
  Type function = entity.type;
  const bool context_fits = function->parameters.size() == 1 &&
                            (is(function->parameters[0], TypeKind::Invalid) ||
                             (is(function->parameters[0], TypeKind::Pointer) && is(function->parameters[0]->element, TypeKind::Struct) &&
                              function->parameters[0]->element->name == type.context));
  if (!context_fits) {
    Diagnostic& message = c.diagnostics.report(n->parameters.empty() ? n->name.loc : loc_of(n->parameters[0].type), diag::wrong_context,
                                               std::string(type.attribute), std::string(type.context));
    if (n->parameters.size() == 1) message.fix(loc_of(n->parameters[0].type), fmt::format("*{}", type.context));
  }
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
      c.diagnostics.report(loc, diag::fault_verdict, "stands before an eBPF program; what a helper leaves is the program that called it");
      continue;
    }
    if (!argument_count("@on_fault", attribute.arguments.size(), 1, loc) || is(result_, TypeKind::Invalid)) continue;
    const Expr verdict = infer(attribute.arguments[0], result_);
    if (is_invalid(verdict)) continue;
    // A verdict of another program type is a number here, but hardly the one that was meant.
    const auto* number = as<Int>(verdict);
    const bool is_verdict = number && number->form.constant && c.kernel_types->find_constant(number->form.constant.text()) && !find_entity(number->form.constant);
    const bool of_other_enum = is(type_of(verdict), TypeKind::Enum) && type_of(verdict) != result_;
    if (is_verdict && (of_other_enum || (is(result_, TypeKind::Enum) && !is(type_of(verdict), TypeKind::Enum)))) {
      c.diagnostics.report(loc_of(attribute.arguments[0]), diag::fault_verdict,
                           fmt::format("takes a verdict of `@{}` programs, such as `{}`; `{}` is none", program_type_->attribute, program_type_->safe, number->form.constant.text()));
      continue;
    }
    const Expr fitted = coerce(verdict, result_);
    if (as<Int>(fitted)) out.push_back(c.make(FaultVerdict{n->name.name, fitted}, loc));
    else if (!is_invalid(fitted)) c.diagnostics.report(loc_of(attribute.arguments[0]), diag::not_constant);
  }
}

void Inference::declare_function(const Node<FunctionDecl>& n, std::vector<Decl>& out) {
  Entity& entity = *find_entity(n->name.name);
  if (entity.runs_nowhere) return;
  domain_ = entity.domain;
  program_type_ = entity.program_type;
  result_ = entity.type->element;
  result_loc_ = n->result ? loc_of(*n->result) : Loc{};
  loop_depth_ = 0;
  packet_ends_.clear();
  if (program_type_) check_program_signature(n, *program_type_, entity);
  declare_fault_verdict(n, out);
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
  for (const NamedExpr& option : n->options) unsupported(option.name.loc, fmt::format("the map option `{}`", option.name.name.text()));
  if (is(entity.type, TypeKind::Invalid)) return;
  out.push_back(c.make(MapDef{n->name.name, entity.type, entity.flags, n->pinned, true}, n.loc));
}

bool Inference::initial_value(const Expr& e) {
  bool constant = true;
  switch (kind_of(e)) {
    case Kind::Int: case Kind::StringValue: case Kind::Zero: return true;
    case Kind::InvalidExpr: return false;
    case Kind::Convert:
      if (as<StringValue>(as<Convert>(e)->form.value)) return true;
      break;
    case Kind::ArrayValue:
      for (const Expr& value : as<ArrayValue>(e)->form.values) constant = initial_value(value) && constant;
      return constant;
    case Kind::StructValue:
      for (const FieldValue& value : as<StructValue>(e)->form.values) constant = initial_value(value.value) && constant;
      return constant;
    default: break;
  }
  c.diagnostics.report(loc_of(e), diag::not_constant);
  return false;
}

void Inference::declare(const Decl& d, std::vector<Decl>& out) {
  const Loc loc = loc_of(d);
  // Of two declarations with one name the first counts; the second has been reported.
  const bool counts = boost::variant2::visit(
      [&](const auto& ref) {
        if constexpr (requires { ref->name.loc; }) {
          const Entity* entity = ref->name.name ? find_entity(ref->name.name) : nullptr;
          return !entity || loc_of(entity->declaration) == loc;
        }
        return true;
      },
      d);
  if (!counts) return;
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
          if (initial_value(value)) values.push_back({item.name.name, value});
        }
        out.push_back(c.make(ConfigDef{n->name.name, type, c.span(values)}, loc));
      }),
      on<VarDecl>([&](const Node<VarDecl>& n) {
        const Entity& entity = *find_entity(n->name.name);
        Option<Expr> value;
        if (n->value && !is(entity.type, TypeKind::Invalid)) {
          const Expr typed = coerce(infer(*n->value, entity.type), entity.type);
          if (!initial_value(typed)) return;
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
