// SPDX-License-Identifier: Apache-2.0
// Helpers that take pointers [L166]: one function for each kind of memory that they are called with. Where a packet is
// pointed into, the distance from its start is passed, since pointers end where the packet moves; with it goes the
// context, unless the helper has one.
#include <fmt/format.h>

#include "passes/fresh_locals.h"
#include "passes/inference.h"

namespace ksc {
namespace {

bool is_context(Type type) { return is(type, TypeKind::Pointer) && type->space == Space::Context; }

}  // namespace

bool Inference::is_specialised(const Entity& entity, size_t parameter) {
  const auto* declared = as<FunctionDecl>(entity.declaration);
  return declared && is_open(entity.type->parameters[parameter]) &&
         (entity.domain == Domain::Shared ||
          (entity.domain == Domain::User && moves_parameter(declared->form.name.name.spelling(), parameter)));
}

bool Inference::takes_pointers(const Entity& entity) {
  for (size_t i = 0; i < entity.type->parameters.size(); ++i)
    if (is_specialised(entity, i)) return true;
  return false;
}

bool Inference::gives_pointer(const Entity& entity) {
  return entity.domain == Domain::Shared && is_open(entity.type->element);
}

Instance& Inference::instance(Name function, const std::vector<Type>& parameters, Type context) {
  size_t others = 0;
  for (Instance& known : instances_) {
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
    if (!is_specialised(entity, i)) {
      types.push_back(wanted[i]);
      arguments.push_back(resting(values[i]));
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
    if (points_into(type, Space::Dynptr))
      return unsupported(at, "passing a pointer into a record of a size that the program chooses");
    if (is_packet_end(pointer)) return c.diagnostics.report(at, diag::packet_end, "has nothing behind it"), invalid(at);
    const bool moves = moves_parameter(function.spelling(), i);
    if (moves && is(type, TypeKind::EntryRef)) {
      // What it refers to is moved in as an array of one.
      Type whole = t.pointer(type->element, Space::MapValue, false);
      pointer = c.make(AddressOf{c.make(Deref{pointer}, at, type->element)}, at, whole);
      type = whole;
    }
    if (moves && (has_known_size(type) || type->space == Space::Heap)) type = type_of(pointer = moving(pointer));
    if (is_invalid(pointer)) return pointer;
    types.push_back(is(type, TypeKind::EntryRef)
                        ? t.entry_ref(type->element, type->name, false)
                        : t.element_pointer(wanted[i]->element, type->space, false, type->count));
    if (is_in_packet(type)) {
      in_packet = true;
      arguments.push_back(passed_offset(pointer));
    } else {
      arguments.push_back(type == types.back() ? pointer : Expr(c.make(Convert{pointer}, at, types.back())));
    }
  }
  const bool passes_context = in_packet && !has_context;
  if (passes_context) arguments.push_back(c.make(Local{context_.name}, loc, context_.type));
  Instance& called = instance(function, types, passes_context ? context_.type : nullptr);
  if (!gives_pointer(entity)) return c.make(Call{called.name, c.span(arguments)}, loc, entity.type->element);
  if (called.result) {
    const Expr given = pointer_given(called, arguments, loc);
    if (is_of_library(entity.declaration)) from_library_.insert(&header(given));
    return given;
  }
  if (called.is_at_work) return unsupported(loc, "a pointer that a function gives to itself");
  wanted_.push_back(&called);
  is_learning_ = true;
  return invalid(loc);
}

Type Inference::passed_result(Type result) {
  if (!is_in_packet(result)) return result;
  return result->nullable ? t.maybe(t.u64()) : t.u64();
}

Expr Inference::pointer_given(const Instance& called, const std::vector<Expr>& arguments, Loc loc) {
  Type type = called.result;
  const Expr call = c.make(Call{called.name, c.span(arguments)}, loc, passed_result(type));
  if (!is_in_packet(type)) return call;
  const auto pointer = [&](const Expr& offset) {
    const Expr bytes = c.make(Convert{offset}, loc, t.i64());
    const Expr byte = c.make(PointerAdd{packet_start(loc), bytes}, loc, t.pointer(t.u8(), Space::Packet, false));
    return convert(byte, t.pointer(type->element, Space::Packet, false));
  };
  if (!type->nullable) return pointer(call);
  const Name offset = c.names.fresh("offset");
  const Expr held = c.make(Local{offset}, loc, type_of(call));
  const Body block = collect_statements([&] { emit(Let{offset, type_of(call), call}, loc); });
  const Expr there = convert(pointer(c.make(ValueOf{held}, loc, t.u64())), type);
  const Expr choice =
      c.make(Conditional{c.make(Present{held}, loc, t.boolean()), there, c.make(Null{}, loc, type)}, loc, type);
  return c.make(BlockValue{block, choice}, loc, type);
}

void Inference::return_pointer(const Expr& given, Loc loc) {
  Type passed = passed_result(result_);
  const auto distance = [&](const Expr& pointer) {
    const Expr bytes = passed_offset(pointer);
    emit(Return{type_of(bytes) == passed ? bytes : Expr(c.make(Convert{bytes}, loc, passed))}, loc);
  };
  if (as<Null>(given)) return emit(Return{Expr(c.make(Null{}, loc, passed))}, loc);
  if (!type_of(given)->nullable) return distance(given);
  const Name name = c.names.fresh("given");
  Expr held = held_pointer(name, given);
  // What another function gave is passed on.
  if (const std::optional<Expr> whole = given_offset(held)) {
    if (as<Local>(held)) emit(Let{name, type_of(held), held}, loc);
    return emit(Return{*whole}, loc);
  }
  if (!as<Local>(held)) {
    emit(Let{name, type_of(held), held}, loc);
    held = c.make(Local{name}, loc, type_of(held));
  }
  const Expr is_there = c.make(Present{held}, loc, t.boolean());
  const Body then =
      collect_statements([&] { distance(c.make(Convert{held}, loc, t.pointer(t.u8(), Space::Packet, false))); });
  emit(If{c.span<Branch>({{is_there, then}}), {}}, loc);
  emit(Return{Expr(c.make(Null{}, loc, passed))}, loc);
}

void Inference::declare_body(const FunctionDecl& n, Loc loc, const Entity& entity, Instance& one,
                             std::vector<Decl>& out) {
  for (;;) {
    // What is found out about memories changes what is said about the rest.
    const size_t said = c.diagnostics.all().size(), errors = c.diagnostics.error_count();
    const auto refused = refused_members_;
    const auto unknown = unknown_types_;
    wanted_.clear();
    is_learning_ = false;
    const std::vector<Decl> typed = typed_body(n, loc, entity, one);
    if (gives_pointer(entity) && !one.result && !is_learning_) {
      // What is wrong with what it gives has been reported.
      const bool is_broken = !given_memory_ && c.diagnostics.error_count() > errors;
      one.result = is_broken ? t.invalid() : result_memory(one, n.name.loc);
      is_learning_ = !is(one.result, TypeKind::Invalid);
    }
    if (!is_learning_) {
      out.insert(out.end(), typed.begin(), typed.end());
      return;
    }
    c.diagnostics.keep_first(said);
    refused_members_ = refused;
    unknown_types_ = unknown;
    for (Instance* wanted : std::exchange(wanted_, {})) declare_instance(*wanted);
  }
}

Type Inference::result_memory(const Instance& one, Loc loc) {
  if (result_name_ && memories_.count(result_name_)) return memories_[result_name_];
  Type given = given_memory_;
  // What it gives may stand in what was not understood.
  if (!given && had_errors_) return t.invalid();
  if (!given) return type_of(unsupported(loc, "a result that is a pointer, and always null"));
  if (is(given, TypeKind::Invalid)) return given;
  if (is(given, TypeKind::EntryRef)) return gives_null_ ? nullable(given) : given;
  // The characters of a caller's variable are read-only as well.
  const auto is_address = [&](Type type) { return points_into(type, given->space); };
  if ((given->space == Space::Stack || given->space == Space::ReadOnly) &&
      std::any_of(one.parameters.begin(), one.parameters.end(), is_address))
    return type_of(unsupported(given_loc_, "a pointer to a variable as a result"));
  if (must_be_released(given))
    return type_of(unsupported(
        given_loc_, is_object(given) ? "what `new` has given in eBPF as a result" : "a reservation as a result"));
  return gives_null_ ? nullable(given) : given;
}

void Inference::declare_instance(Instance& one) {
  if (!one.declared.empty() || one.is_at_work) return;
  one.is_at_work = true;
  const Entity& entity = *find_entity(one.function);
  const auto& n = *as<FunctionDecl>(entity.declaration);
  declare_body(one.name == one.function ? n.form : with_fresh_locals(n.form, c), n.loc, entity, one, one.declared);
  one.is_at_work = false;
}

void Inference::declare_instances(std::vector<Decl>& out) {
  NameSet declared;
  // Bodies ask for more while they are declared.
  for (size_t i = 0; i < instances_.size(); ++i) {
    declare_instance(instances_[i]);
    declared.insert(instances_[i].function);
    out.insert(out.end(), instances_[i].declared.begin(), instances_[i].declared.end());
  }
  // What nobody calls is looked at all the same, as if it were called with the packet, where most is possible.
  const size_t called = instances_.size();
  const KernelStruct* context = c.kernel_types->find_struct(all_program_types().front()->context);
  for (auto& [name, entity] : entities_) {
    if (entity.kind != Entity::Kind::Function || !entity.type || !is(entity.type, TypeKind::Function) ||
        entity.runs_nowhere || !(takes_pointers(entity) || gives_pointer(entity)) || declared.count(name) ||
        is_of_library(entity.declaration))
      continue;
    Instance one{name, name, {}, nullptr};
    const auto& wanted = entity.type->parameters;
    for (size_t i = 0; i < wanted.size(); ++i)
      one.parameters.push_back(!is_specialised(entity, i) ? wanted[i]
                               : entity.domain == Domain::User
                                   ? t.element_pointer(wanted[i]->element, Space::Stack, false, 1)
                                   : t.pointer(wanted[i]->element, Space::Packet, false));
    if (entity.domain == Domain::Shared && std::none_of(wanted.begin(), wanted.end(), is_context))
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
    const Loc loc = loc_of(n.parameters[i].type);
    Type type = one.parameters[i];
    locals_[name.name] = type;
    if (!is_in_packet(type)) {
      parameters.push_back({name.name, type});
      continue;
    }
    const Name offset = c.names.fresh(fmt::format("{}_offset", name.name.spelling()));
    parameters.push_back({offset, t.u64()});
    const Expr bytes = c.make(Convert{c.make(Local{offset}, loc, t.u64())}, loc, t.i64());
    const Expr byte = c.make(PointerAdd{packet_start(loc), bytes}, loc, t.pointer(t.u8(), Space::Packet, false));
    const Expr pointer = convert(byte, type);
    first.push_back(c.make(Let{name.name, type, pointer}, loc));
    note_offset(name.name, pointer);
  }
  if (one.context) parameters.push_back({context_.name, context_.type});
}

}  // namespace ksc
