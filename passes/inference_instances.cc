// SPDX-License-Identifier: Apache-2.0
// Helpers that take pointers [L166]: one function for each kind of memory that they are called with. Where a packet is
// pointed into, the distance from its start is passed, since pointers end where the packet moves; with it goes the
// context, unless the helper has one.
#include <fmt/format.h>

#include "passes/fresh_locals.h"
#include "passes/inference.h"

namespace ksc {
namespace {

bool is_open(Type type) { return is(type, TypeKind::Pointer) && type->space == Space::Any; }
bool is_context(Type type) { return is(type, TypeKind::Pointer) && type->space == Space::Context; }
bool is_in_packet(Type type) { return is(type, TypeKind::Pointer) && type->space == Space::Packet; }

}  // namespace

bool Inference::takes_pointers(const Entity& entity) {
  const auto& parameters = entity.type->parameters;
  return entity.domain == Domain::Shared && std::any_of(parameters.begin(), parameters.end(), is_open);
}

const Instance& Inference::instance(Name function, const std::vector<Type>& parameters, Type context) {
  size_t others = 0;
  for (const Instance& known : instances_) {
    if (!(known.function == function)) continue;
    if (known.parameters == parameters && known.context == context) return known;
    ++others;
  }
  const Name name = others == 0 ? function : c.names.fresh(function.spelling());
  return instances_.emplace_back(Instance{function, name, parameters, context});
}

Expr Inference::call_instance(const Entity& entity, Name function, const std::vector<Expr>& values, Loc loc) {
  const auto& wanted = entity.type->parameters;
  std::vector<Type> types;
  std::vector<Expr> arguments;
  const bool has_context = std::any_of(wanted.begin(), wanted.end(), is_context);
  bool in_packet = false;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (!is_open(wanted[i])) {
      types.push_back(wanted[i]);
      arguments.push_back(values[i]);
      continue;
    }
    Expr pointer = values[i];
    if (const auto* converted = as<Convert>(pointer);
        converted && is(type_of(converted->form.value), TypeKind::EntryRef))
      pointer = converted->form.value;
    Type type = type_of(pointer);
    const Loc at = loc_of(pointer);
    if (as<Null>(pointer)) return c.diagnostics.report(at, diag::null_dereference), invalid(at);
    if (is_open(type)) return unsupported(at, "passing a pointer whose memory is not known");
    // Which map it leads into, and so what ends it, only references know.
    if (type->space == Space::MapValue && type->nullable)
      return unsupported(at, "passing a pointer that may lead to a map's entry; a reference to it can be passed");
    if (is_packet_end(pointer)) return c.diagnostics.report(at, diag::packet_end, "has nothing behind it"), invalid(at);
    types.push_back(is(type, TypeKind::EntryRef) ? t.entry_ref(type->element, type->name, false)
                                                 : t.pointer(wanted[i]->element, type->space, false));
    if (is_in_packet(type)) {
      in_packet = true;
      arguments.push_back(packet_offset(pointer));
    } else {
      arguments.push_back(type == types.back() ? pointer : Expr(c.make(Convert{pointer}, at, types.back())));
    }
  }
  const bool passes_context = in_packet && !has_context;
  if (passes_context) arguments.push_back(c.make(Local{context_.name}, loc, context_.type));
  const Instance& called = instance(function, types, passes_context ? context_.type : nullptr);
  return c.make(Call{called.name, c.span(arguments)}, loc, entity.type->element);
}

Expr Inference::packet_offset(const Expr& pointer) {
  const Loc loc = loc_of(pointer);
  Expr root = pointer;
  while (const auto* converted = as<Convert>(root)) root = converted->form.value;
  if (as<PacketStart>(root)) return integer({0}, t.u64(), loc);
  const auto* sum = as<PointerAdd>(root);
  const auto* count = sum && as<PacketStart>(sum->form.pointer) ? as<Int>(sum->form.count) : nullptr;
  if (count && count->form.value.value >= 0) return integer(count->form.value, t.u64(), loc, count->form.constant);
  const Expr byte = c.make(Convert{pointer}, loc, t.pointer(t.u8(), Space::Packet, false));
  return c.make(PointerDifference{byte, packet_start(loc)}, loc, t.u64());
}

Expr Inference::packet_start(Loc loc) {
  return c.make(PacketStart{c.make(Local{context_.name}, loc, context_.type)}, loc,
                t.pointer(t.u8(), Space::Packet, false));
}

void Inference::declare_instances(std::vector<Decl>& out) {
  NameSet declared;
  // Bodies ask for more while they are declared.
  for (size_t i = 0; i < instances_.size(); ++i) {
    const Instance one = instances_[i];
    const Entity& entity = *find_entity(one.function);
    const auto& n = *as<FunctionDecl>(entity.declaration);
    const bool is_first = declared.insert(one.function).second;
    declare_body(is_first ? n.form : with_fresh_locals(n.form, c), n.loc, entity, one, out);
  }
  // What nobody calls is looked at all the same, as if it were called with the packet, where most is possible.
  const size_t called = instances_.size();
  const KernelStruct* context = c.kernel_types->find_struct(all_program_types().front()->context);
  for (auto& [name, entity] : entities_) {
    if (entity.kind != Entity::Kind::Function || !entity.type || !is(entity.type, TypeKind::Function) ||
        entity.runs_nowhere || !takes_pointers(entity) || declared.count(name))
      continue;
    Instance one{name, name, {}, nullptr};
    const auto& wanted = entity.type->parameters;
    for (Type type : wanted)
      one.parameters.push_back(is_open(type) ? t.pointer(type->element, Space::Packet, false) : type);
    if (std::none_of(wanted.begin(), wanted.end(), is_context))
      one.context = t.pointer(kernel_struct(*context), Space::Context, false);
    std::vector<Decl> unused;
    const auto& n = *as<FunctionDecl>(entity.declaration);
    declare_body(n.form, n.loc, entity, one, unused);
  }
  instances_.resize(called);
}

void Inference::declare_parameters(const FunctionDecl& n, const Instance& one, std::vector<Parameter>& parameters,
                                   std::vector<Stmt>& first) {
  context_ = {};
  // A program without its context is reported, and has a type with one.
  const size_t count = std::min(one.parameters.size(), n.parameters.size());
  for (size_t i = 0; i < count; ++i)
    if (is_context(one.parameters[i])) context_ = {n.parameters[i].name.name, one.parameters[i]};
  if (one.context) context_ = {c.names.fresh("ctx"), one.context};
  for (size_t i = 0; i < count; ++i) {
    const Ident& name = n.parameters[i].name;
    Type type = one.parameters[i];
    locals_[name.name] = type;
    if (!is_in_packet(type)) {
      parameters.push_back({name.name, type});
      continue;
    }
    const Name offset = c.names.fresh(fmt::format("{}_offset", name.name.spelling()));
    parameters.push_back({offset, t.u64()});
    const Expr bytes = c.make(Convert{c.make(Local{offset}, name.loc, t.u64())}, name.loc, t.i64());
    const Expr byte =
        c.make(PointerAdd{packet_start(name.loc), bytes}, name.loc, t.pointer(t.u8(), Space::Packet, false));
    first.push_back(c.make(Let{name.name, type, convert(byte, type)}, name.loc));
  }
  if (one.context) parameters.push_back({context_.name, context_.type});
}

}  // namespace ksc
