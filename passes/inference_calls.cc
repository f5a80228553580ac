// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "passes/inference.h"

namespace ksc {
namespace {

std::string_view side(Domain domain) {
  switch (domain) {
    case Domain::User:
    case Domain::Test: return "userspace";
    case Domain::Program:
    case Domain::Shared: return "eBPF";
    case Domain::Kernel:
    case Domain::ModulePrivate: return "the kernel module";
  }
  return "userspace";
}

/// The struct whose members a value of the type has, or points to; null if it has none.
Type struct_behind(Type type) {
  if (is(type, TypeKind::Pointer) || is(type, TypeKind::EntryRef)) type = type->element;
  return is(type, TypeKind::Struct) ? type : nullptr;
}

}  // namespace

bool Inference::argument_count(std::string_view name, size_t given, size_t wanted, Loc loc) {
  if (given != wanted)
    c.diagnostics.report(loc, diag::wrong_argument_count, std::string(name),
                         wanted == 1 ? "1 argument" : fmt::format("{} arguments", wanted), given);
  return given == wanted;
}

Expr Inference::infer_apply(const Node<Apply>& n, Expected expected) {
  if (const auto* callee = as<GlobalName>(n->callee)) {
    const Name name = callee->form.name;
    if (Entity* entity = find_entity(name)) {
      complete(*entity);
      if (entity->kind == Entity::Kind::Function) {
        if (const std::vector<Name>& functions = overloads(name); functions.size() > 1)
          return call_overloaded(functions, n->arguments, n.loc);
        return call_function(*entity, name, n->arguments, n.loc);
      }
      if (is_function_value(entity->type)) return call_indirectly(infer(n->callee), n->arguments, n.loc);
      for (const Expr& argument : n->arguments) infer(argument);
      if (entity->kind != Entity::Kind::Unknown)
        c.diagnostics.report(loc_of(n->callee), diag::not_callable, std::string(name.spelling()));
      return invalid(n.loc);
    }
    if (name == "print")
      return c.make(BlockValue{collect_statements([&] { print_statement(n); }), {}}, n.loc, t.void_type());
    if (name == "memory_copy")
      return c.make(BlockValue{collect_statements([&] { memory_copy_statement(n); }), {}}, n.loc, t.void_type());
    if (is_builtin_function(name.text())) return call_builtin(name.text(), n->arguments, expected, n.loc);
    if (const HelperSignature* helper = find_helper_signature(name.text()))
      return call_helper(*helper, n->arguments, n.loc);
    if (is_kernel_helper(name.text())) return helper_without_signature(name.text(), n->arguments, n.loc);
    for (const Expr& argument : n->arguments) infer(argument);
    c.diagnostics.report(loc_of(n->callee), diag::not_callable, std::string(name.spelling()));
    return invalid(n.loc);
  }
  if (const auto* member = as<Member>(n->callee)) {
    // f.load(), h.attach("eth0"), m.contains_key(k), ctx.data()
    if (const auto* function = as<GlobalName>(member->form.object); function && member->form.name.name == "load")
      if (const Entity* entity = find_entity(function->form.name); entity && entity->kind == Entity::Kind::Function)
        return call_builtin("load", c.span<Expr>({member->form.object}), expected, n.loc);
    const Expr object = infer(member->form.object);
    if (is_invalid(object)) {
      for (const Expr& argument : n->arguments) infer(argument);
      return object;
    }
    Type type = type_of(object);
    if (is(type, TypeKind::Maybe)) type = type->element;  // an entry is what it has
    const Ident& method = member->form.name;
    if (is(type, TypeKind::Map)) return call_map_method(object, method, n->arguments, n.loc);
    if (is(type, TypeKind::Program) || is(type, TypeKind::Handle)) {
      std::vector<Expr> arguments{member->form.object};
      arguments.insert(arguments.end(), n->arguments.begin(), n->arguments.end());
      if (method.name == "load" || method.name == "attach" || method.name == "detach")
        return call_builtin(method.name.text(), c.span(arguments), expected, n.loc);
    }
    const bool is_of_context = is(type, TypeKind::Pointer) && type->space == Space::Context;
    // The library's is the same for all packets [L183]; what the kernel keeps with a socket buffer is `ctx.hash`.
    const bool is_flow_hash = is_of_context && method.name == "hash";
    if (is_of_context && n->arguments.empty() && !is_flow_hash) {
      if (method.name == "data" || method.name == "data_end") return field_of(object, method, n.loc);
      if (find_field(type->element, method.name)) return field_of(object, method, n.loc);
      if (method.name == "packet_size") return packet_size(object, n.loc);
    }
    Type owner = is_flow_hash ? nullptr : struct_behind(type);
    const StructField* field = owner ? find_field(owner, method.name) : nullptr;
    if (field && is_function_value(field->type))
      return call_indirectly(value_of_maybe(entry_value(field_of(object, method, n.loc))), n->arguments, n.loc);
    if (!field)
      if (const std::vector<Name> functions = methods(method, type, n.loc); !functions.empty())
        return call_method(functions, {there(object), member->form.object}, n->arguments, n.loc);
    for (const Expr& argument : n->arguments) infer(argument);
    if (is_of_context) return unsupported(n.loc, fmt::format("the method `{}`", method.name.text()));
    if (field)
      c.diagnostics.report(loc_of(n->callee), diag::not_callable, spell(field->type));
    else
      report_no_member(type, method, names_of_methods(type, false, n.loc));
    return invalid(n.loc);
  }
  const Expr callee = value_of_maybe(infer(n->callee));
  if (is_function_value(type_of(callee))) return call_indirectly(callee, n->arguments, n.loc);
  for (const Expr& argument : n->arguments) infer(argument);
  if (!is_invalid(callee)) c.diagnostics.report(loc_of(n->callee), diag::not_callable, spell(type_of(callee)));
  return invalid(n.loc);
}

std::optional<std::vector<Expr>> Inference::passed(std::string_view name, const TypeData& function,
                                                   Span<Expr> arguments, Loc loc, const Receiver* receiver) {
  const size_t before = receiver ? 1 : 0;
  if (!argument_count(name, arguments.size() + before, function.parameters.size(), loc)) {
    for (const Expr& argument : arguments) infer(argument);
    return std::nullopt;
  }
  std::vector<Expr> values;
  bool broken = false;
  for (size_t i = 0; i < function.parameters.size(); ++i) {
    Type wanted = function.parameters[i];
    const bool is_receiver = i < before;
    const Expr& written = is_receiver ? receiver->written : arguments[i - before];
    const Expr value =
        coerce(passed_address(is_receiver ? receiver->value : infer(written, wanted), written, wanted), wanted);
    broken |= is_invalid(value);
    values.push_back(value);
  }
  if (broken || is(function.element, TypeKind::Invalid)) return std::nullopt;
  return values;
}

Expr Inference::refuse_side(const Entity& entity, Name name, Loc loc) {
  Diagnostic& message = c.diagnostics.report(loc, diag::wrong_side, std::string(name.spelling()),
                                             std::string(side(entity.domain)), std::string(side(domain_)));
  if (in_ebpf() && entity.domain == Domain::User && name != "main")
    message.fix(before(loc_of(entity.declaration)), "@helper ", "make it callable from eBPF");
  return invalid(loc);
}

Expr Inference::call_function(const Entity& entity, Name name, Span<Expr> arguments, Loc loc,
                              const Receiver* receiver) {
  Type function = entity.type;
  if (entity.runs_nowhere) {
    for (const Expr& argument : arguments) infer(argument);
    return invalid(loc);
  }
  if (at_file_level_) return report_not_constant(loc), invalid(loc);
  const bool callee_in_ebpf = entity.domain == Domain::Program || entity.domain == Domain::Shared;
  if (callee_in_ebpf != in_ebpf()) {
    refuse_side(entity, name, loc);
    for (const Expr& argument : arguments) infer(argument);
    return invalid(loc);
  }
  if (entity.program_type && is(function->parameters[0], TypeKind::Invalid)) {
    for (const Expr& argument : arguments) infer(argument);
    return invalid(loc);
  }
  const std::optional<std::vector<Expr>> values = passed(name.spelling(), *function, arguments, loc, receiver);
  if (!values) return invalid(loc);
  for (size_t i = 0; i < values->size(); ++i)
    if (points_into(type_of((*values)[i]), Space::ReadOnly) && !is_specialised(entity, i)) {
      // Nobody knows what it does with it.
      c.diagnostics.report(loc_of((*values)[i]), diag::not_assignable, "a constant does not change");
      return invalid(loc);
    }
  if (takes_pointers(entity) || gives_pointer(entity)) return call_instance(entity, name, *values, loc);
  return c.make(Call{name, c.span(*values)}, loc, function->element);
}

Expr Inference::packet_size(const Expr& context, Loc loc) {
  if (type_of(context)->element->name == "__sk_buff") return field_of(context, {c.name("len"), loc}, loc);
  const Expr end = field_of(context, {c.name("data_end"), loc}, loc),
             start = field_of(context, {c.name("data"), loc}, loc);
  return binary(Operator::Subtract, end, start, loc);
}

Expr Inference::passed_address(const Expr& value, const Expr& written, Type wanted) {
  Type type = type_of(value);
  const bool is_array = is(type, TypeKind::Array) || is(type, TypeKind::Str);
  const Kind kind = kind_of(value);
  const bool is_place = kind == Kind::Local || kind == Kind::Global || kind == Kind::Field || kind == Kind::Index ||
                        kind == Kind::StringValue;
  if (!is_array || !is_place || !is(wanted, TypeKind::Pointer)) return value;
  Type element = is(type, TypeKind::Str) ? t.character() : type->element;
  if (wanted->element != element && wanted->element != t.u8()) return value;
  const Loc loc = loc_of(value);
  const Expr address = infer(c.make(AddressOf{written}, loc));
  if (is_invalid(address)) return address;
  return c.make(Convert{address}, loc, t.pointer(wanted->element, type_of(address)->space, false));
}

Expr Inference::call_helper(const HelperSignature& helper, Span<Expr> arguments, Loc loc) {
  if (at_file_level_) return report_not_constant(loc), invalid(loc);
  if (!in_ebpf()) {
    c.diagnostics.report(loc, diag::only_in_ebpf, std::string(helper.name));
    return invalid(loc);
  }
  if (!argument_count(helper.name, arguments.size(), helper.parameters().size(), loc)) return invalid(loc);
  for (std::string_view notation : helper.parameters())
    if (notation != "ctx" && !is_integral(kernel_notation(notation)))
      return refuse_helper(helper.name, fmt::format("`{}` with pointer arguments", helper.name), arguments, loc);
  std::vector<Expr> values;
  bool broken = false;
  for (size_t i = 0; i < arguments.size(); ++i) {
    std::string_view notation = helper.parameters()[i];
    Expr value = infer(arguments[i]);
    Type wanted = kernel_notation(notation);
    if (notation == "ctx") {
      if (!is_invalid(value) && !(is(type_of(value), TypeKind::Pointer) && type_of(value)->space == Space::Context)) {
        c.diagnostics.report(loc_of(value), diag::type_mismatch, spell(type_of(value)), "the context");
        broken = true;
      }
    } else {
      value = coerce(value, wanted);
    }
    broken |= is_invalid(value);
    values.push_back(value);
  }
  if (broken) return invalid(loc);
  Type result = kernel_notation(helper.result);
  if (!is_integral(result) && !is(result, TypeKind::Void))
    return unsupported(loc, fmt::format("the result of `{}`", helper.name));
  return c.make(HelperCall{c.name(helper.name), c.span(values)}, loc, result);
}

/// One message for the call; its arguments have none, where they are written as C takes them.
Expr Inference::refuse_helper(std::string_view name, const std::string& what, Span<Expr> arguments, Loc loc) {
  for (const Expr& argument : arguments)
    if (!as<AddressOf>(argument)) infer(argument);
  Diagnostic& message = c.diagnostics.report(loc, diag::not_supported_yet, what);
  constexpr std::string_view of_maps = "bpf_map_";
  const auto* first = arguments.size() > 0 ? as<AddressOf>(arguments[0]) : nullptr;
  const auto* named = first ? as<GlobalName>(first->form.place) : nullptr;
  const Entity* entity = named ? find_entity(named->form.name) : nullptr;
  if (!name.starts_with(of_maps) || !entity || entity->kind != Entity::Kind::Map) return invalid(loc);
  const Expr map = infer(first->form.place);
  fix_old_method(message, map, {c.name(name.substr(of_maps.size())), loc},
                 Span<Expr>(arguments.begin() + 1, arguments.size() - 1), loc);
  if (!message.fixes.empty()) message.fix(between(loc, loc_of(map)), "");
  return invalid(loc);
}

Expr Inference::helper_without_signature(std::string_view name, Span<Expr> arguments, Loc loc) {
  if (at_file_level_) {
    for (const Expr& argument : arguments) infer(argument);
    return report_not_constant(loc), invalid(loc);
  }
  if (in_ebpf()) return refuse_helper(name, fmt::format("the kernel's helper `{}`", name), arguments, loc);
  for (const Expr& argument : arguments) infer(argument);
  c.diagnostics.report(loc, diag::only_in_ebpf, std::string(name));
  return invalid(loc);
}

Expr Inference::call_map_method(const Expr& map, const Ident& method, Span<Expr> arguments, Loc loc) {
  Type type = type_of(map);
  const MapKind* kind = find_map_kind(type->name.text());
  if (kind->is_ring && in_ebpf() && method.name == "reserve" && arguments.size() == 1) {
    const Expr given = value_of_maybe(infer(arguments[0], t.u64()));
    if (is_invalid(given) || !may_access(map, true, loc)) return invalid(loc);
    const Expr size = constant(given) || !is_integer(type_of(given)) ? coerce(given, t.u64()) : convert(given, t.u64());
    if (is_invalid(size)) return size;
    return c.make(MapCall{map, method.name, c.span<Expr>({size})}, loc, t.pointer(t.u8(), Space::Dynptr, true));
  }
  for (const MapMethod& known : kind->methods) {
    if (known.name != method.name.text()) continue;
    const bool of_cpus = known.result == "V" || known.result == "V[]";
    if (of_cpus && in_ebpf()) {
      c.diagnostics.report(loc, diag::own_cpu_only, fmt::format("{}.{}", map_text(map), known.name));
      return invalid(loc);
    }
    if (in_ebpf() ? !known.in_ebpf : !known.in_user) {
      const std::string name = fmt::format("{}.{}", spell(type), known.name);
      in_ebpf() ? c.diagnostics.report(loc, diag::only_in_userspace, name)
                : c.diagnostics.report(loc, diag::only_in_ebpf, name);
      return invalid(loc);
    }
    if (!argument_count(known.name, arguments.size(), known.parameters.size(), loc)) return invalid(loc);
    std::vector<Expr> values;
    for (size_t i = 0; i < arguments.size(); ++i) {
      Type wanted = known.parameters[i] == 'K' ? type->key : known.parameters[i] == 'C' ? t.u32() : type->element;
      const Expr given = infer(arguments[i], wanted);
      if (kind->is_ring && is_reservation(type_of(given)))
        wanted = points_into(type_of(given), Space::Dynptr) ? t.pointer(type_of(given)->element, Space::Dynptr, false)
                                                            : t.pointer(wanted, Space::Reservation, false);
      if (known.parameters[i] == 'R' && !is_invalid(given) && !is_reservation(type_of(given)))
        return refuse_conversion(given, t.pointer(wanted, Space::Reservation, false));
      Expr value = coerce(given, wanted);
      // What may be null is converted to what is not, where check_null looks.
      if (is_reservation(wanted) && !is_invalid(value) && type_of(value) != wanted)
        value = c.make(Convert{value}, loc_of(value), wanted);
      values.push_back(value);
      if (is_invalid(values.back())) return invalid(loc);
    }
    if (known.result == "V[]") return c.diagnostics.report(loc, diag::each_cpu_not_walked, map_text(map)), invalid(loc);
    const bool takes = known.result == "V?" && !known.only_reads;
    if ((known.only_reads || takes) && !may_access(map, false, loc)) return invalid(loc);
    if (!known.only_reads && !may_access(map, true, loc)) return invalid(loc);
    const bool releases = known.name == "discard" || (!values.empty() && is_reservation(type_of(values[0])));
    return c.make(MapCall{map, method.name, c.span(values)}, loc,
                  of_cpus                ? entry_type(map)
                  : known.result == "V?" ? t.maybe(type->element)
                  : known.result == "R?" ? t.pointer(type->element, Space::Reservation, true)
                  : releases             ? t.void_type()
                                         : kernel_notation(known.result));
  }
  for (const Expr& argument : arguments) infer(argument);
  static constexpr std::string_view of_rings[] = {"read", "on_event"};
  if (kind->is_ring && std::find(std::begin(of_rings), std::end(of_rings), method.name.text()) != std::end(of_rings))
    return unsupported(method.loc, fmt::format("`{}` of ring buffers", method.name.text()));
  Diagnostic& message =
      c.diagnostics.report(method.loc, diag::no_member, spell(type), std::string(method.name.spelling()));
  fix_old_method(message, map, method, arguments, loc);
  return invalid(loc);
}

void Inference::fix_old_method(Diagnostic& message, const Expr& map, const Ident& method, Span<Expr> arguments,
                               Loc loc) {
  const std::string_view name = method.name.text();
  const auto is_one_of = [&](std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), name) != words.end();
  };
  const bool reads = is_one_of({"lookup", "lookup_elem", "get"}),
             writes = is_one_of({"update", "update_elem", "put", "set"}),
             deletes = is_one_of({"delete", "delete_elem", "remove", "erase"});
  const bool is_statement = statement_call_ == loc;
  const size_t least = writes ? 2 : 1;
  if (!as<MapName>(map) || arguments.size() < least || !(reads || (is_statement && (writes || deletes)))) return;
  // C takes addresses of what is passed.
  const auto value_loc = [](const Expr& e) {
    return as<AddressOf>(e) ? loc_of(as<AddressOf>(e)->form.place) : loc_of(e);
  };
  const Loc key = value_loc(arguments[0]);
  const auto rest = [&](Loc last) { return between(after(last), after(loc)); };
  if (deletes) message.fix(before(loc), "delete ");
  message.fix(between(after(loc_of(map)), key), "[",
              reads    ? "an entry is read by `m[k]`"
              : writes ? "an entry is written by `m[k] = v`"
                       : "an entry is deleted by `delete m[k]`");
  if (!writes) return void(message.fix(rest(key), "]"));
  const Loc value = value_loc(arguments[1]);
  message.fix(between(after(key), value), "] = ");
  message.fix(rest(value), "");
}

Expr Inference::refuse_load(const Entity& function, const Node<GlobalName>& name) {
  if (function.runs_nowhere) return invalid(name.loc);
  const std::string_view text = name->name.text();
  Diagnostic& message = c.diagnostics.report(name.loc, diag::not_loadable, std::string(text),
                                             function.domain == Domain::Shared ? "a helper of eBPF programs"
                                             : text == "main"                  ? "where userspace begins"
                                                                               : "a function of userspace");
  std::vector<std::string_view> programs;
  for (const auto& [known, entity] : entities_)
    if (entity.kind == Entity::Kind::Function && entity.program_type) programs.push_back(known.text());
  const std::string_view near = programs.size() == 1 ? programs[0] : closest_word(text, programs);
  if (!near.empty()) message.fix(name.loc, std::string(near), fmt::format("did you mean `{}`?", near));
  return invalid(name.loc);
}

Expr Inference::call_builtin(std::string_view name, Span<Expr> arguments, Expected expected, Loc loc) {
  const auto call = [&](std::vector<Expr> values, Type type) -> Expr {
    for (const Expr& value : values)
      if (is_invalid(value)) return invalid(loc);
    return c.make(BuiltinCall{c.name(name), c.span(values)}, loc, type);
  };
  const auto user_only = [&] {
    if (at_file_level_) return report_not_constant(loc), false;
    if (in_ebpf()) c.diagnostics.report(loc, diag::only_in_userspace, std::string(name));
    return !in_ebpf();
  };
  const auto typed = [&](size_t i, Type type) { return coerce(infer(arguments[i], type), type); };

  if (name == "min" || name == "max") {
    if (!argument_count(name, arguments.size(), 2, loc)) return invalid(loc);
    const auto [left, right] = infer_operands(arguments[0], arguments[1], expected, true);
    if (is_invalid(left) || is_invalid(right)) return invalid(loc);
    const auto* a = constant(left);
    const auto* b = constant(right);
    if (a && b) return (a->form.value.value < b->form.value.value) == (name == "min") ? left : right;
    Type type = join({left, right}, nullptr);
    if (!is_integral(type)) {
      if (type) c.diagnostics.report(loc, diag::operand_type, std::string(name), spell(type));
      return invalid(loc);
    }
    return call({coerce(left, type), coerce(right, type)}, type);
  }
  if (name == "abs") {
    if (!argument_count(name, arguments.size(), 1, loc)) return invalid(loc);
    const Expr value = settle(value_of_maybe(infer(arguments[0])));
    if (is_invalid(value)) return value;
    if (!is_integer(type_of(value))) {
      c.diagnostics.report(loc, diag::operand_type, "abs", spell(type_of(value)));
      return invalid(loc);
    }
    return call({value}, type_of(value));
  }
  static const std::map<std::string_view, int> swaps = {
      {"bswap16", 16}, {"bswap32", 32}, {"bswap64", 64}, {"htons", 16}, {"ntohs", 16}, {"htonl", 32}, {"ntohl", 32}};
  if (auto found = swaps.find(name); found != swaps.end()) {
    if (!argument_count(name, arguments.size(), 1, loc)) return invalid(loc);
    Type type = t.integer(found->second, false);
    const Expr given = infer(arguments[0], type);
    const bool is_exact = exact(given);
    const Expr value = coerce(given, type);
    if (const auto* number = as<Int>(value)) {
      // One of a constant expression is one [L23]: it is known by its name.
      uint64_t bits = static_cast<uint64_t>(number->form.value.value), swapped = 0;
      for (int i = 0; i < found->second / 8; ++i, bits >>= 8) swapped = swapped << 8 | (bits & 0xff);
      // The C says what it was: htons(ETH_P_IP).
      Name spelled;
      if (is_exact && name.starts_with("hton"))
        spelled = c.name(fmt::format(
            "bpf_{}({})", name,
            number->form.constant ? std::string(number->form.constant.text()) : integer_text(number->form.value)));
      return integer({static_cast<__int128>(swapped)}, type, loc, spelled);
    }
    return call({value}, type);
  }
  if (name == "ip4" || name == "ip6" || name == "mac") return infer_address(name, arguments, loc);
  if (name == "packet_size") {
    if (!argument_count(name, arguments.size(), 1, loc)) return invalid(loc);
    const Expr pointer = infer(arguments[0]);
    if (is_invalid(pointer)) return pointer;
    if (!is_in_packet(type_of(pointer)) || !context_.type)
      return refuse_conversion(pointer, t.pointer(t.u8(), Space::Packet, false));
    return packet_size(c.make(Local{context_.name}, loc, context_.type), loc);
  }
  if (name == "panic" || name == "assert") return infer_panic(name == "assert", arguments, loc);
  if (name == "load") {
    if (!argument_count(name, arguments.size(), 1, loc) || !user_only()) return invalid(loc);
    if (const auto* function = as<GlobalName>(arguments[0]))
      if (Entity* entity = find_entity(function->form.name);
          entity && entity->kind == Entity::Kind::Function && entity->domain != Domain::Program)
        return refuse_load(*entity, *function);
    const Expr program = infer(arguments[0]);
    if (is_invalid(program)) return program;
    if (!is(type_of(program), TypeKind::Program)) {
      c.diagnostics.report(loc_of(arguments[0]), diag::type_mismatch, spell(type_of(program)), "an eBPF program");
      return invalid(loc);
    }
    if (kind_of(program) != Kind::FunctionName) return unsupported(loc, "loading a program that is held in a variable");
    return call({program}, t.handle());
  }
  if (name == "attach") {
    if (!user_only()) return invalid(loc);
    if (arguments.size() != 2 && !argument_count(name, arguments.size(), 3, loc)) return invalid(loc);
    const Expr handle = infer(arguments[0]);
    if (is_invalid(handle)) return handle;
    if (is(type_of(handle), TypeKind::Program)) {
      c.diagnostics
          .report(loc_of(arguments[0]), diag::not_loaded,
                  kind_of(handle) == Kind::FunctionName ? std::string(as<FunctionName>(handle)->form.name.text())
                                                        : "this program")
          .fix(loc_of(arguments[0]),
               kind_of(handle) == Kind::FunctionName
                   ? fmt::format("load({})", as<FunctionName>(handle)->form.name.text())
                   : "load(…)",
               "load it first");
      return invalid(loc);
    }
    Expr target = entry_value(settle(value_of_maybe(infer(arguments[1]))));
    if (is_integral(type_of(target)) && !is(type_of(target), TypeKind::Bool))
      target = coerce(convert(target, t.u32()), t.u32());
    else if (!is(type_of(target), TypeKind::Str) && !is_invalid(target)) {
      c.diagnostics.report(loc_of(target), diag::type_mismatch, spell(type_of(target)), "an interface's name or index");
      return invalid(loc);
    }
    const Expr flags = arguments.size() == 3 ? typed(2, t.u64()) : integer({0}, t.u64(), loc);
    return call({coerce(handle, t.handle()), target, flags}, t.i32());
  }
  if (name == "detach") {
    if (!argument_count(name, arguments.size(), 1, loc) || !user_only()) return invalid(loc);
    return call({typed(0, t.handle())}, t.void_type());
  }
  if (name == "sleep") {
    if (!argument_count(name, arguments.size(), 1, loc) || !user_only()) return invalid(loc);
    return call({typed(0, t.u64())}, t.void_type());
  }
  if (name == "exit") {
    if (!argument_count(name, arguments.size(), 1, loc) || !user_only()) return invalid(loc);
    return call({typed(0, t.i32())}, t.void_type());
  }
  for (const Expr& argument : arguments) infer(argument);
  return unsupported(loc, fmt::format("`{}`", name));
}

}  // namespace ksc
