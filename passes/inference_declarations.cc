// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "passes/inference.h"

namespace ksc {

Program Inference::program(const Program& in) {
  had_errors_ = c.diagnostics.has_errors();
  for (const Decl& d : in) collect(d);
  find_moved_parameters();
  for (const Decl& d : in) collect_broken(d);
  // In their order, so that what stands behind what it needs waits for nothing.
  for (const Decl& d : in)
    boost::variant2::visit(
        [&](const auto& ref) {
          if constexpr (requires { ref->name.loc; })
            if (Entity* entity = ref->name.name ? find_entity(ref->name.name) : nullptr) complete(*entity);
        },
        d);
  for (auto& [name, entity] : entities_) complete(entity);
  std::vector<Decl> out;
  for (const Decl& d : in) declare(d, out);
  declare_instances(out);
  declare_literals(out);
  return c.span(out);
}

Entity* Inference::find_entity(Name name) {
  auto found = entities_.find(name);
  return found == entities_.end() ? nullptr : &found->second;
}

void Inference::collect(const Decl& d) {
  const auto note = [&](const Ident& name, Entity::Kind kind) {
    if (!name.name) return;
    declares_anything_ |= is_unreadable(name.name);
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
  if (const auto* n = as<FunctionDecl>(d)) {
    note(n->form.name, K::Function);
    // Of two with one name and one first parameter the first counts.
    if (const Entity* entity = find_entity(n->form.name.name); entity && loc_of(entity->declaration) == n->loc)
      functions_[function_key(n->form.name.name, n->loc)].push_back(n->form.name.name);
  }
  if (const auto* n = as<ExternDecl>(d); n && !find_helper_signature(n->form.name.name.text())) {
    note(n->form.name, K::Function);
    Entity& entity = entities_.at(n->form.name.name);
    entity.runs_nowhere = true;
    entity.state = Entity::State::Done;
  }
  if (const auto* n = as<EnumDecl>(d)) {
    note(n->form.name, K::Enum);
    for (const EnumerationItem& item : n->form.items) note(item.name, K::Constant);
  }
}

void Inference::collect_broken(const Decl& d) {
  const auto* broken = as<InvalidDecl>(d);
  if (!broken) return;
  for (Name name : broken->form.names) {
    const std::string_view text = name.text();
    declares_anything_ |= text.empty();
    if (text.empty() || is_builtin_function(text) || is_kernel_helper(text) || c.kernel_types->find_constant(text) ||
        c.kernel_types->find_struct(text) || c.kernel_types->find_enum(text))
      continue;
    Entity unknown;
    unknown.declaration = d;
    unknown.type = t.invalid();
    unknown.state = Entity::State::Done;
    entities_.emplace(name, unknown);
  }
}

void Inference::complete(Entity& entity) {
  if (entity.state == Entity::State::Done) return;
  const auto own_name = [&]() -> Ident {
    return boost::variant2::visit(
        [](const auto& ref) -> Ident {
          if constexpr (requires { ref->name.loc; })
            return ref->name;
          else
            return {};
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
        if (find_entity(item.name.name) == &entity)
          c.diagnostics.report(item.name.loc, diag::later_enumerator, std::string(item.name.name.spelling()));
    }
    entity.type = t.invalid();
    return;
  }
  constexpr int most_waiting = 200;
  if (waiting_ == most_waiting) {
    report_chain(own_name(), most_waiting);
    entity.type = t.invalid();
    entity.state = Entity::State::Done;
    return;
  }
  ++waiting_;
  entity.state = Entity::State::AtWork;
  if (const auto* alias = as<AliasDecl>(d)) {
    Type target = resolve(alias->form.target);
    entity.type = entity.type ? entity.type : target;
  } else if (const auto* structure = as<StructDecl>(d)) {
    complete_struct(*structure, entity);
  } else if (const auto* enumeration = as<EnumDecl>(d)) {
    complete_enum(*enumeration, entity);
  } else if (const auto* constant = as<ConstDecl>(d)) {
    complete_constant(*constant, entity);
  } else if (const auto* config = as<ConfigDecl>(d)) {
    complete_config(*config, entity);
  } else if (const auto* variable = as<VarDecl>(d)) {
    complete_variable(*variable, entity);
  } else if (const auto* map = as<MapDecl>(d)) {
    complete_map(*map, entity);
  } else if (const auto* function = as<FunctionDecl>(d)) {
    complete_function(*function, entity);
  }
  entity.state = Entity::State::Done;
  --waiting_;
}

void Inference::report_chain(const Ident& name, int most) {
  if (!std::exchange(chain_reported_, true))
    c.diagnostics.report(name.loc, diag::chain_too_long, std::string(name.name.spelling()), most);
}

int Inference::nesting_of(Type type) const {
  while (is(type, TypeKind::Array)) type = type->element;
  const auto known = is(type, TypeKind::Struct) ? nesting_.find(type->name) : nesting_.end();
  return known == nesting_.end() ? 0 : known->second;
}

/// The members of a struct or a config block, each with its type.
template <class Item>
std::vector<StructField> Inference::members(const Span<Item>& items, Type whole, std::string_view what) {
  std::vector<StructField> fields;
  std::set<Name, ByText> seen;
  for (const Item& item : items) {
    StructField field;
    field.name = item.name.name;
    field.type = stored_type(item.type, what);
    if constexpr (std::same_as<Item, ConfigItem>)
      if (refuse_floats(field.type, loc_of(item.type))) field.type = t.invalid();
    if (!seen.insert(field.name).second)
      c.diagnostics.report(item.name.loc, diag::redeclared, std::string(field.name.spelling()));
    else if (!is(field.type, TypeKind::Invalid))
      fields.push_back(field);
    else
      refused_members_[whole->name].insert(field.name);
  }
  return fields;
}

void Inference::complete_struct(const Node<StructDecl>& n, Entity& entity) {
  entity.type = t.structure(n->name.name);
  std::vector<StructField> fields = members(n->members_, entity.type, "structs");
  for (StructField& field : fields) {
    Type element = field.type;
    while (is(element, TypeKind::Array)) element = element->element;
    if (!is(element, TypeKind::Struct) || element->body->complete) continue;
    for (const MemberDecl& member : n->members_)
      if (member.name.name == field.name) {
        c.diagnostics.report(member.name.loc, diag::type_cycle, spell(entity.type));
        break;
      }
    field.type = t.invalid();
  }
  // Whatever walks through a type goes that deep.
  constexpr int deepest = 200;
  int nesting = 1;
  for (StructField& field : fields) {
    const int within = nesting_of(field.type) + 1;
    nesting = std::max(nesting, within);
    if (within <= deepest) continue;
    report_chain(n->name, deepest);
    field.type = t.invalid();
    nesting = 1;
  }
  nesting_[n->name.name] = nesting;
  std::erase_if(fields, [](const StructField& field) { return is(field.type, TypeKind::Invalid); });
  // [L177] a struct that the kernel has too, with these members, is the kernel's
  const KernelStruct* known = c.kernel_types->find_struct(n->name.name.text());
  if (!known) {
    t.complete_struct(entity.type, fields);
  } else {
    kernel_struct(*known);
    for (const StructField& field : fields) {
      const StructField* theirs = find_field(entity.type, field.name);
      const bool same =
          theirs && (theirs->type == field.type || (is_integral(theirs->type) && is_integral(field.type) &&
                                                    width_of(theirs->type) == width_of(field.type)));
      if (!same) {
        c.diagnostics.report(n->name.loc, diag::kernel_type_name, spell(entity.type));
        break;
      }
    }
  }
}

/// A constant of that type is no number that stands where it is named: it has a place.
static bool is_stored(Type type) { return is_aggregate(type) || is(type, TypeKind::Float); }

void Inference::complete_constant(const Node<ConstDecl>& n, Entity& entity) {
  Type wanted = n->type ? stored_type(*n->type, "constants") : nullptr;
  const Expr value = computed(infer(n->value, wanted));
  const auto* number = as<Int>(value);
  entity.type = t.invalid();
  if (is_stored(wanted ? wanted : type_of(value))) {
    entity.storage = Storage::Constant;
    entity.type = wanted ? wanted : type_of(settle(value));
    entity.initial = computed(coerce(value, entity.type));
  } else if (!number) {
    if (!is_invalid(value)) report_not_constant(loc_of(n->value));
  } else if (wanted) {
    const Expr converted = coerce(value, wanted);
    if (const auto* fitted = as<Int>(converted)) entity.type = fitted->type, entity.value = fitted->form.value;
  } else if (is(number->type, TypeKind::Constant) && number->form.value.value != 0 &&
             !fits(number->form.value, default_type(number->form.value))) {
    c.diagnostics.report(loc_of(n->value), diag::constant_overflow);
  } else {
    entity.type = number->type;
    entity.value = number->form.value;
  }
}

void Inference::complete_config(const Node<ConfigDecl>& n, Entity& entity) {
  entity.type = t.structure(n->name.name);
  t.complete_struct(entity.type, members(n->items, entity.type, "config blocks"));
}

void Inference::complete_variable(const Node<VarDecl>& n, Entity& entity) {
  entity.storage = n->storage;
  if (n->type) {
    entity.type = stored_type(*n->type, "globals");
    if (refuse_floats(entity.type, loc_of(*n->type))) entity.type = t.invalid();
  } else if (n->value) {
    const Expr value = settle(infer(*n->value));
    entity.type = type_of(value);
    if (is(entity.type, TypeKind::Pointer))
      entity.type = type_of(unsupported(n->name.loc, "pointers in globals"));
    else if (refuse_floats(entity.type, loc_of(*n->value)))
      entity.type = t.invalid();
    else if (!is_integral(entity.type) && !is_aggregate(entity.type) && !is(entity.type, TypeKind::Str) &&
             !is(entity.type, TypeKind::Invalid)) {
      report_not_constant(loc_of(*n->value));
      entity.type = t.invalid();
    }
  } else {
    c.diagnostics.report(n->name.loc, diag::no_type, std::string(n->name.name.spelling()));
    entity.type = t.invalid();
  }
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
      c.diagnostics.report(item.value ? loc_of(*item.value) : item.name.loc, diag::constant_does_not_fit,
                           integer_text({next}), "i64");
      next = 0;
    }
    items.push_back({item.name.name, static_cast<int64_t>(next)});
    // Those after it may use it already: it is a bare number until the enum is known.
    Entity* known = find_entity(item.name.name);
    if (known && known->kind == Entity::Kind::Constant && loc_of(known->declaration) == n.loc &&
        known->state == Entity::State::Waiting) {
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
      for (const EnumItem& theirs : type->body->items)
        found = found || (theirs.name == item.name && theirs.value == item.value);
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

bool Inference::initial_value(const Expr& e) {
  bool constant = true;
  switch (kind_of(e)) {
    case Kind::Int:
    case Kind::StringValue:
    case Kind::FunctionValue:
    case Kind::FloatValue:
    case Kind::FloatNegation:
    case Kind::Zero: return true;
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
  report_not_constant(loc_of(e));
  return false;
}

void Inference::declare_global(Name name, const Option<Expr>& value, const Entity& entity, Loc loc,
                               std::vector<Decl>& out) {
  if (is(entity.type, TypeKind::Invalid)) return;
  Option<Expr> first;
  if (value) {
    const Expr typed = computed(coerce(computed(infer(*value, entity.type)), entity.type));
    if (!initial_value(typed)) return;
    first = typed;
  }
  out.push_back(c.make(GlobalDef{name, entity.type, first, entity.storage}, loc));
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
  visit<lang::LastValuesReturned>(
      d, on<InvalidDecl>([](const auto&) {}), on<License>([&](const auto& n) { out.push_back(c.make(n.form, loc)); }),
      on<AliasDecl>([](const auto&) {}), on<StructDecl>([&](const Node<StructDecl>& n) {
        Type type = find_entity(n->name.name)->type;
        if (!is(type, TypeKind::Struct) || !type->body->header.empty()) return;
        std::vector<MemberComment> comments;
        for (const MemberDecl& member : n->members_)
          if (member.comment) comments.push_back({member.name.name, member.comment});
        out.push_back(c.make(StructDef{type, c.span(comments)}, loc));
      }),
      on<EnumDecl>([&](const Node<EnumDecl>& n) {
        Type type = find_entity(n->name.name)->type;
        if (is_enumeration(type) && type->body->header.empty()) out.push_back(c.make(EnumDef{type}, loc));
      }),
      on<ConstDecl>([&](const Node<ConstDecl>& n) {
        const Entity& entity = *find_entity(n->name.name);
        if (is(entity.type, TypeKind::Invalid)) return;
        if (entity.storage == Storage::Constant) {
          if (initial_value(*entity.initial))
            out.push_back(c.make(GlobalDef{n->name.name, entity.type, entity.initial, entity.storage}, loc));
          return;
        }
        Type type = is(entity.type, TypeKind::Constant) ? default_type(entity.value) : entity.type;
        const auto* literal = as<IntLiteral>(n->value);
        const Name spelling = literal && is_hexadecimal(literal->form.spelling) ? literal->form.spelling : Name();
        out.push_back(c.make(ConstDef{n->name.name, type, integer(entity.value, type, loc, spelling)}, loc));
      }),
      on<ConfigDecl>([&](const Node<ConfigDecl>& n) {
        Type type = find_entity(n->name.name)->type;
        std::vector<FieldValue> values;
        for (const ConfigItem& item : n->items) {
          const StructField* field = find_field(type, item.name.name);
          if (!field || !item.value) continue;
          const Expr value = computed(coerce(computed(infer(*item.value, field->type)), field->type));
          if (initial_value(value)) values.push_back({item.name.name, value});
        }
        out.push_back(c.make(ConfigDef{n->name.name, type, c.span(values)}, loc));
      }),
      on<VarDecl>([&](const Node<VarDecl>& n) {
        declare_global(n->name.name, n->value, *find_entity(n->name.name), loc, out);
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
