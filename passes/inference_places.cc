// SPDX-License-Identifier: Apache-2.0
// Parts of things: members, elements, map entries, what is behind a pointer; and values that are written out.
#include <fmt/format.h>

#include "ir/places.h"
#include "passes/inference.h"

namespace ksc {

Expr Inference::infer_member(const Node<Member>& n) {
  if (const auto* global = as<GlobalName>(n->object))
    if (Entity* entity = find_entity(global->form.name)) {
      complete(*entity);
      const bool names_type = entity->kind == Entity::Kind::Enum || entity->kind == Entity::Kind::Alias;
      if (names_type && is_enumeration(entity->type)) {
        for (const EnumItem& item : entity->type->body->items)
          if (item.name == n->name.name) return integer({item.value}, entity->type, n.loc, item.name);
        if (!is(entity->type, TypeKind::Invalid)) report_no_member(entity->type, n->name);
        return invalid(n.loc);
      }
    }
  const Expr object = infer(n->object);
  if (is_invalid(object)) return object;
  if (const std::optional<Expr> given = library_member(object, n)) return *given;
  return field_of(there(object), n->name, n.loc);
}

bool Inference::is_packet_end(const Expr& e) const {
  if (kind_of(e) == Kind::PacketEnd) return true;
  const auto* local = as<Local>(e);
  return local && packet_ends_.count(local->form.name);
}

bool Inference::can_follow(const Expr& pointer, Loc loc) {
  Type type = type_of(pointer);
  if (!is(type, TypeKind::Pointer)) return true;
  if (is_packet_end(pointer)) return c.diagnostics.report(loc, diag::packet_end, "has nothing behind it"), false;
  if (type->space == Space::Any && in_ebpf()) {
    // What it was given may stand in what was not understood.
    if (!had_errors_) unsupported(loc, "following a pointer whose memory is not known");
    return false;
  }
  return true;
}

void Inference::report_no_member(Type type, const Ident& name, std::vector<std::string_view> known) {
  if (is(type, TypeKind::Maybe)) type = type->element;  // of an entry, whose type nobody wrote
  if (const auto refused = refused_members_.find(type->name);
      refused != refused_members_.end() && refused->second.count(name.name))
    return;
  const Entity* function = find_entity(name.name);
  if (function && as<InvalidDecl>(function->declaration)) return;  // it may be a method
  const bool has_members = is(type, TypeKind::Struct) || is_enumeration(type);
  if (has_members) refused_members_[type->name].insert(name.name);  // one mistake, wherever it stands
  Diagnostic& message = c.diagnostics.report(name.loc, diag::no_member, spell(type), std::string(name.name.spelling()));
  const Type whole = is(type, TypeKind::Pointer) || is(type, TypeKind::EntryRef) ? type->element : type;
  if (is(whole, TypeKind::Struct) || is_enumeration(whole)) {
    for (const StructField& field : whole->body->fields) known.push_back(field.name.text());
    for (const EnumItem& item : whole->body->items) known.push_back(item.name.text());
  }
  if (const std::string_view near = closest_word(name.name.text(), known); !near.empty())
    message.fix(name.loc, std::string(near), fmt::format("did you mean `{}`?", near));
}

Expr Inference::field_of(const Expr& object, const Ident& name, Loc loc) {
  Type type = type_of(object);
  if (is(type, TypeKind::Maybe) && is_aggregate(type->element)) return field_of(value_of_maybe(object), name, loc);
  if (is(type, TypeKind::Pointer) || is(type, TypeKind::EntryRef)) {
    Type element = type->element;
    if (is(type, TypeKind::Pointer) && type->space == Space::Context &&
        (name.name == "data" || name.name == "data_end")) {
      Type pointer = t.pointer(t.u8(), Space::Packet, false);
      return name.name == "data" ? Expr(c.make(PacketStart{object}, loc, pointer))
                                 : Expr(c.make(PacketEnd{object}, loc, pointer));
    }
    const StructField* field = is(element, TypeKind::Struct) ? find_field(element, name.name) : nullptr;
    if (field && !can_follow(object, loc)) return invalid(loc);
    if (field && is(type, TypeKind::Pointer) && type->space == Space::Context && context_type_)
      for (std::string_view hidden : context_type_->unreadable)
        if (hidden == name.name.text()) {
          if (hidden == "data_meta") return unsupported(loc, "`data_meta` of the context");
          c.diagnostics.report(loc, diag::unreadable_context, std::string(hidden), spell(element),
                               std::string(context_type_->attribute));
          return invalid(loc);
        }
    if (field && (kind_of(object) == Kind::MapLookup || kind_of(object) == Kind::MapCall)) {
      // [L50] read in place: zero when absent
      const Name entry = c.names.fresh("entry");
      const Expr reference = c.make(Local{entry}, loc, type);
      const Expr value = c.make(Field{c.make(Deref{reference}, loc, element), name.name}, loc, field->type);
      const Expr chosen =
          c.make(Conditional{c.make(Present{reference}, loc, t.boolean()), value, c.make(Zero{}, loc, field->type)},
                 loc, field->type);
      return c.make(BlockValue{{c.span<Stmt>({c.make(Let{entry, type, object}, loc)})}, chosen}, loc, field->type);
    }
    if (field) return c.make(Field{c.make(Deref{object}, loc, element), name.name}, loc, field->type);
    type = element;
  } else if (const StructField* field = is(type, TypeKind::Struct) ? find_field(type, name.name) : nullptr) {
    const auto* constant = as<StructValue>(object);
    if (!at_file_level_ || (!constant && !as<Zero>(object))) return c.make(Field{object, name.name}, loc, field->type);
    if (constant)
      for (const FieldValue& value : constant->form.values)
        if (value.name == name.name) return value.value;
    return zero(field->type, loc);
  }
  std::vector<std::string_view> methods;
  if (is_in_packet(type_of(object))) methods = names_of_methods(type, true, name.loc);
  report_no_member(type, name, methods);
  return invalid(loc);
}

Expr Inference::map_lookup(const Expr& base, const Node<Subscript>& n) {
  Type type = type_of(base);
  const MapKind* kind = find_map_kind(type->name.text());
  if (kind->parameters == 1) {
    infer(n->index);
    c.diagnostics.report(n.loc, diag::not_indexable, spell(type));
    return invalid(n.loc);
  }
  const Expr key = coerce(infer(n->index, type->key), type->key);
  if (is_invalid(key)) return key;
  if (kind->entries_always_exist)
    if (const auto* number = as<Int>(key); number && number->form.value.value >= static_cast<__int128>(type->count)) {
      c.diagnostics.report(loc_of(n->index), diag::index_out_of_range, integer_text(number->form.value), spell(type),
                           type->count);
      return invalid(n.loc);
    }
  if (!has_whole_value(type))
    return c.diagnostics.report(n.loc, diag::value_for_each_cpu, map_text(base)), invalid(n.loc);
  return c.make(MapLookup{base, key}, n.loc, entry_type(base));
}

Type Inference::entry_type(const Expr& map) {
  Type value = type_of(map)->element;
  return is_aggregate(value) ? t.entry_ref(value, as<MapName>(map) ? as<MapName>(map)->form.name : Name{}, true)
                             : t.maybe(value);
}

bool Inference::has_whole_value(Type map) const {
  return in_ebpf() || is_integral(map->element) || !find_map_kind(map->name.text())->per_cpu;
}

std::string Inference::map_text(const Expr& map) {
  return as<MapName>(map) ? std::string(as<MapName>(map)->form.name.spelling()) : "m";
}

bool Inference::is_cpu_value(const Expr& e) const {
  if (const auto* call = as<MapCall>(e)) return call->form.method == "cpu";
  if (const auto* block = as<BlockValue>(e)) {  // m.cpu(k, i).f
    const auto* let = block->form.body.statements.size() == 1 ? as<Let>(block->form.body.statements[0]) : nullptr;
    return let && let->form.value && is_cpu_value(*let->form.value);
  }
  const auto* pointed = as<Deref>(root_of(e));
  const Type reference = pointed ? type_of(pointed->form.pointer) : nullptr;
  if (in_ebpf() || !is(reference, TypeKind::EntryRef)) return false;
  const auto map = entities_.find(reference->name);
  return map != entities_.end() && is(map->second.type, TypeKind::Map) &&
         find_map_kind(map->second.type->name.text())->per_cpu;
}

bool Inference::may_access(const Expr& map, bool writes, Loc loc) {
  const auto* name = as<MapName>(map);
  const Entity* entity = name ? find_entity(name->form.name) : nullptr;
  if (!entity) return true;
  // The plain flags bind the system-call side, those of programs the other [L16].
  const uint64_t forbidden = in_ebpf() ? (writes ? 128 : 256) : (writes ? 8 : 16);
  if (!(entity->flags & forbidden)) return true;
  c.diagnostics.report(loc, diag::map_not_accessible, std::string(name->form.name.spelling()),
                       writes ? "written" : "read", in_ebpf() ? "eBPF" : "userspace",
                       std::string(writes ? "BPF_F_RDONLY" : "BPF_F_WRONLY") + (in_ebpf() ? "_PROG" : ""));
  return false;
}

bool Inference::in_context(const Expr& place) {
  const auto* pointed = as<Deref>(root_of(place));
  return pointed && is(type_of(pointed->form.pointer), TypeKind::Pointer) &&
         type_of(pointed->form.pointer)->space == Space::Context;
}

Expr Inference::entry_value(const Expr& e) {
  if (is(type_of(e), TypeKind::Maybe) && is_aggregate(type_of(e)->element)) return value_of_maybe(e);
  Type type = type_of(e), element = is(type, TypeKind::EntryRef) ? type->element : nullptr;
  if (!element || !(is(element, TypeKind::Array) || is(element, TypeKind::Str))) return e;
  const bool is_read = kind_of(e) == Kind::MapLookup || kind_of(e) == Kind::MapCall || is_choice(e);
  return is_read ? entry_copy(e) : Expr(c.make(Deref{e}, loc_of(e), element));
}

Expr Inference::entry_copy(const Expr& e) {
  Type type = type_of(e), element = type->element;
  const Loc loc = loc_of(e);
  const Name entry = c.names.fresh("entry");
  const Expr reference = c.make(Local{entry}, loc, type);
  const Expr chosen = c.make(Conditional{c.make(Present{reference}, loc, t.boolean()),
                                         c.make(Deref{reference}, loc, element), c.make(Zero{}, loc, element)},
                             loc, element);
  return c.make(BlockValue{{c.span<Stmt>({c.make(Let{entry, type, e}, loc)})}, chosen}, loc, element);
}

Expr Inference::zero(Type type, Loc loc) {
  return is_integral(type) ? integer({0}, type, loc) : Expr(c.make(Zero{}, loc, type));
}

Expr Inference::element_of_constant(const Expr& whole, const Expr& index, Type element, Loc loc) {
  const auto* number = as<Int>(index);
  if (!number) return report_not_constant(loc_of(index)), invalid(loc);
  const auto at = static_cast<size_t>(number->form.value.value);
  if (const auto* values = as<ArrayValue>(whole))
    return at < values->form.values.size() ? values->form.values[at] : zero(element, loc);
  const auto* converted = as<Convert>(whole);
  if (const auto* text = as<StringValue>(converted ? converted->form.value : whole)) {
    const std::string_view letters = text->form.text.text();
    return integer({at < letters.size() ? static_cast<unsigned char>(letters[at]) : 0}, element, loc);
  }
  if (!as<Zero>(whole)) return report_not_constant(loc_of(whole)), invalid(loc);
  return zero(element, loc);
}

Expr Inference::infer_subscript(const Node<Subscript>& n) {
  const Expr base = entry_value(infer(n->base));
  Type type = type_of(base);
  if (is(type, TypeKind::Invalid)) return infer(n->index), base;
  if (is(type, TypeKind::Map)) return may_access(base, false, n.loc) ? map_lookup(base, n) : invalid(n.loc);
  Expr index = value_of_maybe(infer(n->index));
  if (is_invalid(index)) return index;
  if (at_file_level_) index = computed(index);
  if ((!is_integral(type_of(index)) || is_function_value(type_of(index))) && !constant(index)) {
    c.diagnostics.report(loc_of(n->index), diag::type_mismatch, spell(type_of(index)), "an integer");
    return invalid(n.loc);
  }
  if (is(type, TypeKind::Pointer)) {
    if (!can_follow(base, n.loc)) return invalid(n.loc);
    if (type->space == Space::Context) return unsupported(n.loc, "the context as a value");
    const auto* first = constant(index);
    const bool moves = type->space == Space::Packet || type->space == Space::Dynptr;
    if (!moves && first && first->form.value.value == 0) return c.make(Deref{base}, n.loc, type->element);
    index = constant(index) ? coerce(index, t.i64()) : convert(index, t.i64());
    if (!moves) {
      const Expr whole = moving(base);
      return is_invalid(whole)
                 ? whole
                 : Expr(c.make(Deref{c.make(PointerAdd{whole, index}, n.loc, type_of(whole))}, n.loc, type->element));
    }
    const Expr pointer = c.make(PointerAdd{base, index}, n.loc, t.pointer(type->element, type->space, type->nullable));
    return c.make(Deref{pointer}, n.loc, type->element);
  }
  if (is(type, TypeKind::Array) || is(type, TypeKind::Str)) {
    if (const auto* number = as<Int>(index)) {
      if (number->form.value.value < 0 || number->form.value.value >= static_cast<__int128>(type->count)) {
        c.diagnostics.report(loc_of(n->index), diag::index_out_of_range, integer_text(number->form.value), spell(type),
                             type->count);
        return invalid(n.loc);
      }
      index = integer(number->form.value, t.u64(), loc_of(index));
    } else {
      if (in_context(base)) return unsupported(n.loc, "an element of the context whose index is not constant");
      warn_of_lost_bits(index, t.u64());
      index = convert(index, t.u64());  // a negative index becomes one that is far out of range
    }
    Type element = is(type, TypeKind::Array) ? type->element : t.character();
    if (at_file_level_) return element_of_constant(base, index, element, n.loc);
    const auto* block = as<BlockValue>(base);
    if (!block || in_ebpf() || as<Int>(index)) return c.make(Index{base, index}, n.loc, element);
    // In an entry, which may be absent: an index out of range ends the program all the same.
    const Name whole = c.names.fresh("values");
    std::vector<Stmt> statements(block->form.body.statements.begin(), block->form.body.statements.end());
    statements.push_back(c.make(Let{whole, type, block->form.value}, n.loc));
    const Expr at = c.make(Index{c.make(Local{whole}, n.loc, type), index}, n.loc, element);
    return c.make(BlockValue{{c.span(statements)}, at}, n.loc, element);
  }
  c.diagnostics.report(n.loc, diag::not_indexable, spell(is(type, TypeKind::Maybe) ? type->element : type));
  return invalid(n.loc);
}

namespace {

/// A type that the given one is or holds, of which not every pattern of bytes is a value; null if there is none.
Type not_any_bytes(Type type) {
  if (is(type, TypeKind::Bool) || is(type, TypeKind::Str) || is(type, TypeKind::Pointer)) return type;
  if (is(type, TypeKind::Array)) return not_any_bytes(type->element);
  if (!is(type, TypeKind::Struct)) return nullptr;
  for (const StructField& field : type->body->fields)
    if (Type wrong = not_any_bytes(field.type)) return wrong;
  return nullptr;
}

}  // namespace

Expr Inference::infer_cast(const Node<Cast>& n) {
  Type target = resolve(n->target);
  // A string is cut off here, and need not fit before.
  const bool cuts_off = is(target, TypeKind::Str);
  // What is computed with literals is no more exact for the type that it becomes.
  const bool is_float = is(target, TypeKind::Float);
  Expr value =
      value_of_maybe(infer(n->value, cuts_off || is_float ? Expected(nullptr) : Expected(target).for_constants()));
  if (cuts_off) value = entry_value(value);
  if (is(target, TypeKind::Void) && !is_invalid(value))
    return c.diagnostics.report(n.loc, diag::type_mismatch, "void", "a type with values"), invalid(n.loc);
  Type from = type_of(value);
  if (is(target, TypeKind::Invalid) || is_invalid(value)) return invalid(n.loc);
  if (is_float || is(from, TypeKind::Float)) return cast_of_float(value, target, n.loc);
  if (is(from, TypeKind::Constant)) {
    const __int128 number = as<Int>(value)->form.value.value;
    if (is_integral(target) && !is_function_value(target)) {
      if (fits({number}, target)) return integer({number}, target, n.loc, as<Int>(value)->form.constant);
      if (is(target, TypeKind::Bool)) return integer({number != 0}, target, n.loc);
      unsigned __int128 bits =
          static_cast<unsigned __int128>(number) & ((static_cast<unsigned __int128>(1) << width_of(target)) - 1);
      __int128 wrapped = static_cast<__int128>(bits);
      if (is_signed(target) && (bits >> (width_of(target) - 1)))
        wrapped -= static_cast<__int128>(1) << width_of(target);
      return integer({wrapped}, target, n.loc);
    }
    value = settle(value);
    from = type_of(value);
  }
  if (is_function_value(from) || is_function_value(target))
    return from == target ? value : refuse_conversion(value, target);
  if (is_integral(from) && is(target, TypeKind::Bool)) return truth(value);
  if (is_integral(from) && is_integral(target)) return c.make(Convert{value}, n.loc, target);
  const bool are_pointers = is(from, TypeKind::Pointer) && is(target, TypeKind::Pointer);
  if (are_pointers && target->element != from->element && from->space != Space::Context)
    if (Type wrong = not_any_bytes(target->element)) {
      const std::string_view holder = points_into(from, Space::Packet)   ? "packet"
                                      : points_into(from, Space::Dynptr) ? "record"
                                                                         : "variable of another type";
      c.diagnostics.report(loc_of(n->target), diag::no_packet_type, std::string(holder), spell(wrong),
                           is(wrong, TypeKind::Bool)  ? "a `u8` holds them, `!= 0` makes it a truth"
                           : is(wrong, TypeKind::Str) ? fmt::format("a `u8[{}]` holds them", wrong->count)
                                                      : "a `u64` holds them");
      return invalid(n.loc);
    }
  if (are_pointers && (has_known_size(from) || from->space == Space::Heap || from->space == Space::Object ||
                       from->space == Space::Any || from->space == Space::Reservation)) {
    const auto* address = as<AddressOf>(value);
    Type whole = address ? type_of(address->form.place) : from->element;
    if (size_of(target->element) > size_of(whole) || align_of(target->element) > align_of(whole)) {
      c.diagnostics.report(n.loc, diag::cast_beyond, spell(target->element), size_of(target->element),
                           align_of(target->element), spell(whole));
      return invalid(n.loc);
    }
  }
  if (is_element_pointer(from) && is(target, TypeKind::Pointer)) {
    if (target->element == from->element) return value;
    from = type_of(value = resting(value));
  }
  if (is(from, TypeKind::Pointer) && is(target, TypeKind::Pointer))
    return c.make(Convert{value}, n.loc, t.pointer(target->element, from->space, from->nullable));
  if (as<Concatenate>(value) && is(target, TypeKind::Str)) return coerce(value, target);
  if (const auto* literal = as<StringValue>(value); literal && cuts_off)
    return c.make(StringValue{c.name(literal->form.text.text().substr(0, target->count - 1))}, n.loc, target);
  if (is(from, TypeKind::Str) && is(target, TypeKind::Str)) return c.make(Convert{value}, n.loc, target);
  if (is_text_array(from) && is(target, TypeKind::Str))
    return c.make(Concatenate{c.span<Expr>({value})}, n.loc, target);
  Diagnostic& message = c.diagnostics.report(n.loc, diag::type_mismatch, spell(from), spell(target));
  if (is(from, TypeKind::Pointer) && is(target, TypeKind::Struct))
    message.fix(before(loc_of(n->target)), "*", "point to one");
  return invalid(n.loc);
}

Expr Inference::infer_struct_literal(const Node<StructLiteral>& n) {
  Type type = named_type(n->module, n->name, n->name.loc);
  if (is(type, TypeKind::Invalid)) return invalid(n.loc);
  if (!is(type, TypeKind::Struct)) {
    c.diagnostics.report(n->name.loc, diag::type_mismatch, spell(type), "a struct");
    return invalid(n.loc);
  }
  std::vector<FieldValue> values;
  std::set<Name, ByText> given;
  for (const NamedExpr& value : n->values) {
    const StructField* field = find_field(type, value.name.name);
    if (!field) {
      report_no_member(type, value.name);
      infer(value.value);
      continue;
    }
    if (!given.insert(value.name.name).second)
      c.diagnostics.report(value.name.loc, diag::missing_member, std::string(value.name.name.spelling()));
    values.push_back({value.name.name, coerce(infer(value.value, field->type), field->type)});
  }
  return c.make(StructValue{c.span(values)}, n.loc, type);
}

/// [f(); 3]   =>   { var value = f(); [value, value, value] }: it is called once.
Expr Inference::repeat_named(const Expr& value, uint64_t count, Expected expected, Loc loc) {
  const Expr given = is(expected, TypeKind::Array) ? coerce(value, expected->element) : value;
  if (is_invalid(given)) return given;
  Type element = type_of(given);
  if (is(expected, TypeKind::Array) && count > expected->count) {
    c.diagnostics.report(loc, diag::too_many_elements, count, spell(expected));
    return invalid(loc);
  }
  const Name name = c.names.fresh("value");
  const Body declared{c.span<Stmt>({c.make(Let{name, element, given}, loc)})};
  const std::vector<Expr> elements(count, c.make(Local{name}, loc, element));
  Type type = t.array(element, is(expected, TypeKind::Array) ? expected->count : count);
  return c.make(BlockValue{declared, Expr(c.make(ArrayValue{c.span(elements)}, loc, type))}, loc, type);
}

Expr Inference::infer_array_literal(Span<Expr> values, Expected expected, Loc loc) {
  Type element = is(expected, TypeKind::Array) ? expected->element : nullptr;
  std::vector<Expr> typed;
  for (const Expr& value : values) typed.push_back(infer(value, element));
  if (!element) element = join(typed, nullptr);
  if (!element) return invalid(loc);
  for (Expr& value : typed) value = coerce(value, element);
  uint64_t count = values.size();
  if (is(expected, TypeKind::Array)) {
    if (count > expected->count) {
      c.diagnostics.report(loc, diag::too_many_elements, count, spell(expected));
      return invalid(loc);
    }
    count = expected->count;
  }
  if (count == 0) return unsupported(loc, "empty arrays");
  return c.make(ArrayValue{c.span(typed)}, loc, t.array(element, count));
}

namespace {

/// The largest object that the kernel gives: a cache of bpf_mem_alloc (kernel/bpf/memalloc.c) has at most 4,096 bytes,
/// of which a pointer in front of the object takes 8.
constexpr uint64_t largest_object = 4088;
/// As many numbers are copied one by one, with an instruction for each.
constexpr uint64_t most_numbers = 512;

uint64_t numbers_in(Type type) {
  if (is(type, TypeKind::Array)) return type->count * numbers_in(type->element);
  if (is(type, TypeKind::Str)) return size_of(type);
  if (!is(type, TypeKind::Struct)) return 1;
  uint64_t sum = 0;
  for (const StructField& field : type->body->fields) sum += numbers_in(field.type);
  return sum;
}

bool holds_bit_field(Type type) {
  if (is(type, TypeKind::Array)) return holds_bit_field(type->element);
  if (!is(type, TypeKind::Struct)) return false;
  const Span<StructField> fields = type->body->fields;
  return std::any_of(fields.begin(), fields.end(),
                     [](const StructField& f) { return f.bit_size || holds_bit_field(f.type); });
}

}  // namespace

bool Inference::can_be_object(Type type, Loc loc) {
  if (size_of(type) > largest_object) {
    c.diagnostics.report(loc, diag::too_large, fmt::format("`{}` as an object of the kernel", spell(type)),
                         size_of(type), largest_object);
    return false;
  }
  if (holds_bit_field(type)) return unsupported(loc, "`new` in eBPF of what has bit-fields"), false;
  if (numbers_in(type) > most_numbers)
    return unsupported(loc, fmt::format("`new` in eBPF of more than {} numbers", most_numbers)), false;
  return true;
}

Expr Inference::infer_new(const Node<New>& n) {
  Type type = stored_type(n->target, "memory that `new` gives");
  if (is(type, TypeKind::Invalid)) return invalid(n.loc);
  if (at_file_level_) return report_not_constant(n.loc), invalid(n.loc);
  if (!n->arguments.empty()) {
    c.diagnostics.report(loc_of(n->arguments[0]), diag::allocation_flag)
        .fix(between(loc_of(n->arguments[0]), loc_of(n->arguments[n->arguments.size() - 1])), "");
    return invalid(n.loc);
  }
  if (in_ebpf() && !can_be_object(type, n.loc)) return invalid(n.loc);
  return c.make(BuiltinCall{c.name("new"), {}}, n.loc, t.pointer(type, in_ebpf() ? Space::Object : Space::Heap, true));
}

bool Inference::is_read_only(const Expr& place) const {
  for (Expr part = place;;) {
    const auto* element = as<Index>(part);
    if (element && is(type_of(element->form.base), TypeKind::Str)) return true;  // [L21]
    const auto* field = as<Field>(part);
    if (!element && !field) break;
    part = element ? element->form.base : field->form.base;
  }
  const Expr root = root_of(place);
  const auto* global = as<Global>(root);
  const auto* deref = as<Deref>(root);
  return (global && (literals_.count(global->form.name) || is_constant(global->form.name))) ||
         (deref && points_into(type_of(deref->form.pointer), Space::ReadOnly));
}

Expr Inference::in_constant(const Expr& e) {
  if (const auto* element = as<Index>(e))
    return c.make(Index{in_constant(element->form.base), element->form.index}, element->loc, element->type);
  const auto* text = as<StringValue>(e);
  if (!text) return e;
  for (const auto& [name, known] : literals_)
    if (as<StringValue>(known)->form.text == text->form.text) return c.make(Global{name}, text->loc, text->type);
  const Name name = c.names.fresh("text");
  literals_.emplace(name, e);
  return c.make(Global{name}, text->loc, text->type);
}

void Inference::declare_literals(std::vector<Decl>& out) {
  std::vector<Decl> texts;
  for (const auto& [name, text] : literals_)
    texts.push_back(c.make(GlobalDef{name, type_of(text), text, Storage::Constant}, loc_of(text)));
  out.insert(out.begin(), texts.begin(), texts.end());
}

Expr Inference::infer_address_of(const Node<AddressOf>& n) {
  const auto target = place(n->place, false);
  if (!target) return invalid(n.loc);
  Type type = type_of(*target);
  if (const auto* entry = as<MapEntry>(*target)) {
    // There may be no entry [L169]; userspace has copies only.
    if (in_ebpf())
      return c.make(MapLookup{entry->form.map, entry->form.key}, n.loc, t.pointer(type, Space::MapValue, true));
    c.diagnostics.report(n.loc, diag::entry_address_in_userspace);
    return invalid(n.loc);
  }
  if (is(type, TypeKind::EntryRef) && in_ebpf()) return *target;  // a reference is where the entry lies
  Space space = Space::Stack;
  const Node<Deref>* pointed = nullptr;
  for (Expr base = *target;;) {
    if (const auto* field = as<Field>(base)) {
      const StructField* member = find_field(type_of(field->form.base), field->form.name);
      if (member && member->bit_size) {
        c.diagnostics.report(n.loc, diag::bit_field_address, std::string(field->form.name.spelling()));
        return invalid(n.loc);
      }
      base = field->form.base;
    } else if (const auto* index = as<Index>(base)) {
      base = index->form.base;
    } else {
      pointed = as<Deref>(base);
      if (kind_of(base) == Kind::Global) space = Space::MapValue;
      if (!pointed && is_read_only(*target)) space = Space::ReadOnly;
      if (kind_of(base) == Kind::MapEntry) {
        if (!in_ebpf()) return c.diagnostics.report(n.loc, diag::entry_address_in_userspace), invalid(n.loc);
        space = Space::MapValue;
      }
      break;
    }
  }
  if (in_context(*target)) return unsupported(n.loc, "the address of a part of the context");
  if (pointed) {
    Type pointer = type_of(pointed->form.pointer);
    if (is_element_pointer(pointer) && kind_of(*target) == Kind::Deref) return resting(pointed->form.pointer);
    space = is(pointer, TypeKind::EntryRef) ? Space::MapValue : pointer->space;
    if (is_read_only(*target)) space = Space::ReadOnly;
  }
  return address_of_part(*target, t.pointer(type, space, false), n.loc);
}

}  // namespace ksc
