// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "ir/interpreter.h"

namespace ksc {
namespace {

constexpr int64_t exists = -17, too_big = -7, try_again = -11;  // -EEXIST, -E2BIG, -EAGAIN
constexpr uint64_t largest_dynptr = (1 << 24) - 1;              // DYNPTR_MAX_SIZE of kernel/bpf/helpers.c
constexpr uint64_t only_new = 1;                                // BPF_NOEXIST

/// Bytes that come in the order of the numbers.
Bytes key_in_order(uint64_t number) {
  Bytes key(8);
  for (size_t i = key.size(); i-- > 0; number >>= 8) key[i] = static_cast<uint8_t>(number);
  return key;
}

}  // namespace

Interpreter::MapState& Interpreter::map_named(Name name) {
  const auto found = maps_.find(name);
  if (found == maps_.end()) throw Fault(fmt::format("there is no map {}", name.text()));
  return found->second;
}

Interpreter::MapState& Interpreter::map_of(const Expr& e) {
  if (const auto* address = as<AddressOf>(e)) return map_of(address->form.place);
  if (const auto* converted = as<Convert>(e)) return map_of(converted->form.value);
  if (const auto* name = as<MapName>(e)) return map_named(name->form.name);
  if (const auto* global = as<Global>(e)) return map_named(global->form.name);
  throw Fault(fmt::format("{} is no map", kind_names[int(kind_of(e))]));
}

Address Interpreter::find_entry(MapState& map, const Bytes& key) {
  if (key.size() != stored_size(map.type->key)) throw Fault("a key of another size");
  const auto found = map.entries.find(key);
  if (found != map.entries.end()) return found->second;
  if (!is_array(map)) return 0;
  if (to_bits({map.type->key, key}) >= map.type->count) return 0;
  return map.entries[key] =
             memory_.allocate(Bytes(stored_size(map.type->element)), {"an entry of a map", map.type->name.text()});
}

Address Interpreter::find_or_insert(MapState& map, const Bytes& key) {
  if (const Address found = find_entry(map, key)) return found;
  store_or_drop(map, key, Bytes(stored_size(map.type->element)), only_new);
  return find_entry(map, key);
}

void Interpreter::store_or_drop(MapState& map, const Bytes& key, const Bytes& value, uint64_t flags) {
  const int64_t error = store_entry(map, key, value, flags);
  if (error == 0) return;
  if (in_userspace_) throw_failure(-error);
  if (!is_array(map)) ++events_["write lost"];
}

int64_t Interpreter::store_entry(MapState& map, const Bytes& key, const Bytes& value, uint64_t flags) {
  if (value.size() != stored_size(map.type->element)) throw Fault("a value of another size");
  const Address old = find_entry(map, key);
  if (is_array(map)) {
    if (!old) return too_big;
    if (flags == only_new) return exists;
    memory_.store(old, value);
    return 0;
  }
  if (old && flags == only_new) return exists;
  if (!old && flags == only_present) return no_entry;
  if (!old && map.entries.size() >= map.type->count) {
    ++events_[map.kind->may_evict ? "entry evicted" : "map full"];
    if (!map.kind->may_evict) return too_big;
    // Which entry has to go is unspecified.
    memory_.release(map.entries.begin()->second);
    map.entries.erase(map.entries.begin());
  }
  // The new value is a new element: references to the one before are dead [L52].
  if (old) memory_.release(old);
  map.entries[key] = memory_.allocate(value, {"an entry of a map", map.type->name.text()});
  return 0;
}

int64_t Interpreter::delete_entry(MapState& map, const Bytes& key) {
  if (is_array(map)) return -22;  // -EINVAL
  const Address old = find_entry(map, key);
  if (!old) return no_entry;
  memory_.release(old);
  map.entries.erase(key);
  return 0;
}

Address Interpreter::reserve_record(MapState& map, uint64_t size, bool is_zero) {
  map.records = std::max<uint64_t>(map.records, map.entries.size());
  map.used = std::max(map.used, map.entries.size() * ring_record_size(stored_size(map.type->element)));
  // Nobody reads a ring while a program runs; one byte of it stays free.
  if (size > largest_dynptr || map.used + ring_record_size(size) >= map.type->count) {
    ++events_["map full"];
    return 0;
  }
  const ObjectLabel label{"a record of a ring", map.type->name.text()};
  const Address record = is_zero ? memory_.allocate(Bytes(size), label) : memory_.allocate_unwritten(size, label);
  open_records_[record] = {&map, key_in_order(++map.records), size, !is_zero};
  map.used += ring_record_size(size);
  return record;
}

void Interpreter::close_record(Address record, bool is_submitted) {
  const auto open = open_records_.find(record);
  if (open == open_records_.end()) throw Fault("what is submitted or discarded is no open record");
  MapState& map = *open->second.map;
  if (is_submitted)
    map.entries[open->second.key] =
        memory_.allocate(memory_.load(record, open->second.size), {"a value of a map", map.type->name.text()});
  ++events_[is_submitted ? "record submitted" : "record discarded"];
  memory_.release(record);
  open_records_.erase(open);
}

bool Interpreter::in_open_record(Address at, uint64_t size) const {
  auto record = open_records_.upper_bound(at);
  if (record == open_records_.begin()) return false;
  --record;
  const uint64_t offset = at - record->first;
  return offset <= record->second.size && size <= record->second.size - offset;
}

int64_t Interpreter::push_value(MapState& map, const Bytes& value) {
  if (value.size() != stored_size(map.type->element)) throw Fault("a value of another size");
  if (map.kind->is_ring) {
    const Address record = reserve_record(map, value.size(), false);
    if (!record) return try_again;
    memory_.store(record, value);
    close_record(record, true);
    return 0;
  }
  if (map.entries.size() >= map.type->count) {
    ++events_["map full"];
    return too_big;
  }
  uint64_t number = 0;
  if (!map.entries.empty())
    for (const uint8_t byte : map.entries.rbegin()->first) number = number << 8 | byte;
  map.entries[key_in_order(number + 1)] = memory_.allocate(value, {"a value of a map", map.type->name.text()});
  return 0;
}

Address Interpreter::next_value(const MapState& map) const {
  if (map.entries.empty()) return 0;
  return map.kind->taken_first == TakenFirst::Newest ? map.entries.rbegin()->second : map.entries.begin()->second;
}

void Interpreter::drop_next_value(MapState& map) {
  const auto next = map.kind->taken_first == TakenFirst::Newest ? std::prev(map.entries.end()) : map.entries.begin();
  memory_.release(next->second);
  map.entries.erase(next);
}

Value Interpreter::take_value(MapState& map, bool pops, std::optional<Address> to, Type type) {
  const Address next = next_value(map);
  if (!next) ++events_["nothing to take"];
  Value given = to ? from_number(type, next ? 0 : no_entry) : entry_value(type, next);
  if (to && next) memory_.store(*to, memory_.load(next, stored_size(map.type->element)));
  if (next && pops) drop_next_value(map);
  return given;
}

std::vector<Bytes> Interpreter::keys_of(const MapState& map) {
  std::vector<Bytes> keys;
  if (is_array(map))
    for (uint64_t i = 0; i < map.type->count; ++i) keys.push_back(from_bits(map.type->key, i).bytes);
  else
    for (const auto& [key, entry] : map.entries) keys.push_back(key);
  return keys;
}

Value Interpreter::entry_value(Type type, Address entry) {
  if (!is(type, TypeKind::Maybe)) return from_bits(type, entry);
  Value value = zero_value(type);
  if (!entry) return value;
  value.bytes = memory_.load(entry, stored_size(type->element));
  value.bytes.push_back(1);
  return value;
}

Value Interpreter::map_call(const Node<MapCall>& n) {
  MapState& map = map_of(n->map);
  std::vector<Value> arguments;
  for (const Expr& argument : n->arguments) arguments.push_back(eval(argument));
  const std::string_view method = n->method.text();
  if (method == "cpu" && arguments.size() == 2)
    return entry_value(n.type, copy_on_cpu(map, arguments[0].bytes, to_bits(arguments[1])));
  const auto key = [&] { return convert(arguments.at(0), map.type->key).bytes; };
  const auto value = [&] { return convert(arguments.at(1), map.type->element).bytes; };
  if (method == "contains_key" && arguments.size() == 1) return from_number(n.type, find_entry(map, key()) != 0);
  if (method == "insert" && arguments.size() == 2) return from_number(n.type, store_entry(map, key(), value(), 0));
  if (method == "insert_new" && arguments.size() == 2)
    return from_number(n.type, store_entry(map, key(), value(), only_new));
  if (method == "reserve" && arguments.size() <= 1)
    return from_bits(
        n.type, reserve_record(map, arguments.empty() ? stored_size(map.type->element) : to_bits(arguments[0]), true));
  if ((method == "submit" || method == "discard") && arguments.size() == 1 && is_reservation(arguments[0].type))
    return close_record(to_bits(arguments[0]), method == "submit"), Value{n.type, {}};
  if ((method == "push" || method == "submit" || method == "output") && arguments.size() == 1)
    return from_number(n.type, push_value(map, convert(arguments[0], map.type->element).bytes));
  if ((method == "pop" || method == "peek") && arguments.size() <= 1)
    return take_value(map, method == "pop",
                      arguments.empty() ? std::nullopt : std::optional<Address>(to_bits(arguments[0])), n.type);
  if (method == "len" && arguments.empty() && in_userspace_) return from_bits(n.type, keys_of(map).size());
  throw Fault(fmt::format("maps have no method {} here", method));
}

}  // namespace ksc
