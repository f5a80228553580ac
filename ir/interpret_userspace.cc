// SPDX-License-Identifier: Apache-2.0
// What differs in userspace: references are copies, what fails is thrown, and maps are reached through the runtime.
#include <fmt/format.h>

#include <cerrno>

#include "ir/interpreter.h"
#include "ir/status.h"

namespace ksc {
namespace {

/// What a statement that attaches throws [L181], as ks_attach_error says of a negative errno.
int32_t attach_code(int32_t error) {
  switch (-error) {
    case 0: return 0;
    case EPERM:
    case EACCES: return 30;
    case ENODEV:
    case ENOENT: return 31;
    case EBUSY:
    case EEXIST: return 32;
    default: return 39;
  }
}

}  // namespace

Address Interpreter::copy_entry(MapState& map, const Bytes& key, bool is_slot) {
  const Address entry = find_entry(map, key);
  if (!entry && !is_slot) return 0;
  const uint64_t size = stored_size(map.type->element);
  const Address copy = memory_.allocate(entry ? memory_.load(entry, size) : Bytes(size), "a copy of an entry");
  entry_copies_[copy] = {&map, key, size, is_slot};
  return copy;
}

Value Interpreter::own_copy(const Value& reference) {
  const Address at = to_bits(reference);
  const auto found = entry_copies_.find(at);
  if (!at) return reference;
  if (found == entry_copies_.end()) {
    const uint64_t size = stored_size(reference.type->element);
    return from_bits(reference.type, memory_.allocate(memory_.load(at, size), "a copy of what a reference was given"));
  }
  const EntryCopy from = found->second;
  const Address copy = memory_.allocate(memory_.load(found->first, from.size), "a copy of an entry");
  entry_copies_[copy] = from;
  return from_bits(reference.type, copy);
}

void Interpreter::write_back(Address at, uint64_t size) {
  auto found = entry_copies_.upper_bound(at);
  if (found == entry_copies_.begin()) return;
  const auto& [copy, entry] = *--found;
  if (at + size > copy + entry.size) return;
  const Bytes whole = memory_.load(copy, entry.size);
  if (entry.is_slot) return store_or_drop(*entry.map, entry.key, whole, 0);
  // Of the entry as it is now the part that was written [L169].
  const Address now = find_entry(*entry.map, entry.key);
  if (!now) throw_failure(-no_entry);
  Bytes value = memory_.load(now, entry.size);
  std::copy_n(whole.begin() + static_cast<long>(at - copy), size, value.begin() + static_cast<long>(at - copy));
  store_entry(*entry.map, entry.key, value, only_present);
}

Address Interpreter::copy_on_cpu(MapState& map, const Bytes& key, uint64_t cpu) {
  const Address own = find_entry(map, key);
  if (!own || cpu >= possible_cpus()) return 0;
  const uint64_t size = stored_size(map.type->element);
  return memory_.allocate(cpu == world_.cpu ? memory_.load(own, size) : Bytes(size), "a copy of one CPU's entry");
}

std::vector<Bytes> Interpreter::values_of_cpus(MapState& map, const Bytes& key) {
  std::vector<Bytes> values;
  uint64_t cpu = 0;
  while (const Address value = copy_on_cpu(map, key, cpu++))
    values.push_back(memory_.load(value, stored_size(map.type->element)));
  return values;
}

void Interpreter::throw_failure(int64_t code) {
  throw Raised{static_cast<uint64_t>(status_of(StatusKind::Throw, static_cast<int32_t>(code)))};
}

void Interpreter::attempt(const Node<Attempt>& n) {
  const size_t level = frames_.size();
  const NameSet outer = bound_names();
  int32_t code = 0;
  try {
    body(n->body);
  } catch (const Raised& raised) {
    if (kind_of_status(raised.status) != StatusKind::Throw) throw;
    code = code_of_status(raised.status);
    ++events_["failure thrown"];
  }
  unwind(level, outer);
  // A call that gives the code has been put there already.
  if (code != 0) write(place(n->error), from_number(c.types.i32(), code));
}

std::optional<Value> Interpreter::lifecycle_call(const Node<BuiltinCall>& n) {
  const std::string_view name = n->function.text();
  const Value handle = from_number(n.type, 1);
  if (name == "loaded") return handle;
  if (name == "load_or_throw") return from_number(n.type, world_.load_error);
  if (name == "load") {
    if (world_.load_error != 0) throw_failure(world_.load_error);
    return handle;
  }
  if (!name.starts_with("attach") && name != "detach") return std::nullopt;
  for (const Expr& argument : n->arguments) eval(argument);
  if (name == "attach") return from_number(n.type, world_.attach_error);
  if (name == "attach_or_throw") return from_number(n.type, attach_code(world_.attach_error));
  if (name == "attach_or_exit" && world_.attach_error != 0) throw_failure(attach_code(world_.attach_error));
  return zero_value(n.type);
}

std::optional<Value> Interpreter::map_runtime_call(const Node<RuntimeCall>& n) {
  std::string_view name = n->function.text();
  if (!name.starts_with("ks_map_") && !name.starts_with("ks_percpu_")) return std::nullopt;
  MapState& map = map_of(n->arguments[0]);
  std::vector<uint64_t> values;
  for (size_t i = 1; i < n->arguments.size(); ++i) values.push_back(to_bits(eval(n->arguments[i])));
  const bool exits = name.ends_with("_or_exit"), throws = name.ends_with("_or_throw");
  if (exits || throws) name = name.substr(0, name.rfind("_or_"));
  const auto key = [&] { return memory_.load(values.at(0), stored_size(map.type->key)); };
  const uint64_t size = stored_size(map.type->element);
  const auto gives = [&](int64_t error) {
    if (exits && error != 0) throw_failure(-error);
    return from_number(n.type, throws ? -error : error);
  };
  if (name == "ks_map_lookup" || name == "ks_percpu_sum") {
    const Address entry = find_entry(map, key());
    if (entry) memory_.store(values.at(1), memory_.load(entry, size));
    return gives(entry ? 0 : no_entry);
  }
  if (name == "ks_percpu_read") {
    const Address value = copy_on_cpu(map, key(), values.at(1));
    if (value) memory_.store(values.at(2), memory_.load(value, size));
    return gives(value ? 0 : no_entry);
  }
  // Elements one after another, and how many they are.
  const auto gives_all = [&](const std::vector<Bytes>& elements, Address count, std::string_view what) {
    Bytes all;
    for (const Bytes& one : elements) all.insert(all.end(), one.begin(), one.end());
    memory_.store(count, from_bits(c.types.u32(), elements.size()).bytes);
    return from_bits(n.type, memory_.allocate(all, what));
  };
  if (name == "ks_percpu_values") return gives_all(values_of_cpus(map, key()), values.at(1), "the values of all CPUs");
  if (name == "ks_map_keys") return gives_all(keys_of(map), values.at(0), "the keys of a map");
  if (name == "ks_map_contains") return from_bits(n.type, find_entry(map, key()) != 0);
  if (name == "ks_map_update" || name == "ks_percpu_set")
    return gives(store_entry(map, key(), memory_.load(values.at(1), size), values.at(2)));
  if (name == "ks_map_write") {
    const Address entry = find_entry(map, key());
    if (!entry) return gives(no_entry);
    Bytes value = memory_.load(entry, size);
    const Bytes part = memory_.load(values.at(2), values.at(3));
    std::copy(part.begin(), part.end(), value.begin() + static_cast<long>(values.at(2) - values.at(1)));
    return gives(store_entry(map, key(), value, only_present));
  }
  if (name == "ks_map_push") return gives(push_value(map, memory_.load(values.at(0), size)));
  if (name == "ks_map_pop" || name == "ks_map_peek") return take_value(map, name == "ks_map_pop", values.at(0), n.type);
  if (name == "ks_map_delete") return delete_entry(map, key()), gives(0);
  if (name == "ks_map_len") return from_bits(n.type, keys_of(map).size());
  throw Fault(fmt::format("there is no support function {}", n->function.text()));
}

}  // namespace ksc
