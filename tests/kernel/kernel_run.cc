// SPDX-License-Identifier: Apache-2.0
#include "kernel_run.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace ksc::testing {

namespace {

constexpr size_t log_size = size_t(1) << 20;

// libbpf's print callback has no argument of ours.
thread_local std::string* messages = nullptr;

int collect(libbpf_print_level level, const char* format, va_list arguments) {
  char* text = nullptr;
  if (level != LIBBPF_WARN || !messages) return 0;
  const int length = vasprintf(&text, format, arguments);
  if (length > 0) messages->append(text, static_cast<size_t>(length));
  if (length >= 0) free(text);
  return length;
}

bool is_per_cpu(const bpf_map* map) {
  const bpf_map_type type = bpf_map__type(map);
  return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY || type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

/// Queues and stacks: their values have no keys.
bool is_taken(const bpf_map* map) {
  return bpf_map__type(map) == BPF_MAP_TYPE_QUEUE || bpf_map__type(map) == BPF_MAP_TYPE_STACK;
}

bool is_ring(const bpf_map* map) { return bpf_map__type(map) == BPF_MAP_TYPE_RINGBUF; }

/// True for maps whose entries are plain bytes that can be read and written.
bool holds_values(const bpf_map* map) {
  switch (bpf_map__type(map)) {
    case BPF_MAP_TYPE_HASH:
    case BPF_MAP_TYPE_ARRAY:
    case BPF_MAP_TYPE_LRU_HASH:
    case BPF_MAP_TYPE_PERCPU_HASH:
    case BPF_MAP_TYPE_PERCPU_ARRAY:
    case BPF_MAP_TYPE_LRU_PERCPU_HASH:
    case BPF_MAP_TYPE_LPM_TRIE: return true;
    default: return is_taken(map) || is_ring(map);
  }
}

/// Bytes that one entry takes at the system call.
size_t entry_size(const bpf_map* map) {
  const size_t size = bpf_map__value_size(map);
  return is_per_cpu(map) ? (size + 7) / 8 * 8 * static_cast<size_t>(libbpf_num_possible_cpus()) : size;
}

bool is_array(const bpf_map* map) {
  return bpf_map__type(map) == BPF_MAP_TYPE_ARRAY || bpf_map__type(map) == BPF_MAP_TYPE_PERCPU_ARRAY;
}

bool is_frozen(const bpf_map* map) { return bpf_map__map_flags(map) & BPF_F_RDONLY_PROG; }

void check(int error, std::string_view what) {
  if (error) throw KernelRunError(fmt::format("{}: {}", what, strerror(-error)));
}

/// "probe.bss" is known as ".bss".
std::string shown_name(const bpf_map* map) {
  const std::string name = bpf_map__name(map);
  const size_t dot = name.find('.');
  return bpf_map__is_internal(map) && dot != std::string::npos ? name.substr(dot) : name;
}

}  // namespace

struct KernelRun::Global {
  bpf_map* map;
  size_t offset;
  size_t size;
};

KernelRun::KernelRun() { libbpf_set_print(collect); }

KernelRun::~KernelRun() = default;

void KernelRun::Close::operator()(bpf_object* object) const { bpf_object__close(object); }

LoadResult KernelRun::load(const std::string& path) {
  LoadResult result;
  bpf_map* map = nullptr;
  object_.reset();
  initial_.clear();
  // A buffer of our own: without one libbpf repeats a refused load with ever larger ones, and a program that the
  // verifier gives up after a million instructions takes seconds each time. The kernel keeps the end of a log that does
  // not fit.
  std::string log(log_size, '\0');
  bpf_object_open_opts options;
  memset(&options, 0, sizeof(options));
  options.sz = sizeof(options);
  options.kernel_log_buf = log.data();
  options.kernel_log_size = log.size();
  messages = &result.message;
  object_.reset(bpf_object__open_file(path.c_str(), &options));
  result.error = object_ ? bpf_object__load(object_.get()) : -errno;
  messages = nullptr;
  if (result.error) result.message += log.c_str();
  if (result.error) {
    object_.reset();
    return result;
  }
  bpf_object__for_each_map(map, object_.get()) {
    if (holds_values(map)) initial_[bpf_map__name(map)] = read(map);
  }
  return result;
}

RunResult KernelRun::run(const std::string& program, const Bytes& packet, uint32_t repeat) {
  const bpf_program* found = object_ ? bpf_object__find_program_by_name(object_.get(), program.c_str()) : nullptr;
  if (!found) throw KernelRunError(fmt::format("the object has no program `{}`", program));
  RunResult result;
  // Programs may make the packet longer; the kernel gives at most a page to XDP.
  result.packet.resize(packet.size() + 4096);
  bpf_test_run_opts options;
  memset(&options, 0, sizeof(options));
  options.sz = sizeof(options);
  options.data_in = packet.data();
  options.data_size_in = static_cast<uint32_t>(packet.size());
  options.data_out = result.packet.data();
  options.data_size_out = static_cast<uint32_t>(result.packet.size());
  options.repeat = static_cast<int>(repeat);
  check(bpf_prog_test_run_opts(bpf_program__fd(found), &options), "BPF_PROG_RUN of " + program);
  result.value = options.retval;
  result.nanoseconds = options.duration;
  result.packet.resize(options.data_size_out);
  return result;
}

bpf_map* KernelRun::map_called(const std::string& name) const {
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object_.get()) {
    if (name == bpf_map__name(map) || name == shown_name(map)) return map;
  }
  return nullptr;
}

bpf_map* KernelRun::find_map(const std::string& name) const {
  if (bpf_map* map = map_called(name)) return map;
  throw KernelRunError(fmt::format("the object has no map `{}`", name));
}

std::vector<Bytes> KernelRun::take_all(const bpf_map* map) {
  std::vector<Bytes> values;
  Bytes value(bpf_map__value_size(map));
  while (!bpf_map_lookup_and_delete_elem(bpf_map__fd(map), nullptr, value.data())) values.push_back(value);
  return values;
}

std::vector<Bytes> KernelRun::take_records(const bpf_map* map) {
  std::vector<Bytes> records;
  const auto keep = [](void* kept, void* data, size_t size) {
    const auto* bytes = static_cast<const uint8_t*>(data);
    static_cast<std::vector<Bytes>*>(kept)->emplace_back(bytes, bytes + size);
    return 0;
  };
  ring_buffer* ring = ring_buffer__new(bpf_map__fd(map), keep, &records, nullptr);
  if (!ring) throw KernelRunError(fmt::format("`{}` cannot be read: {}", bpf_map__name(map), strerror(errno)));
  ring_buffer__consume(ring);
  ring_buffer__free(ring);
  return records;
}

std::map<Bytes, Bytes> KernelRun::read(const bpf_map* map) const {
  std::map<Bytes, Bytes> found;
  if (is_taken(map) || is_ring(map)) {
    std::vector<Bytes> values = is_ring(map) ? take_records(map) : take_all(map);
    for (uint32_t i = 0; i < values.size(); ++i) {
      const auto* number = reinterpret_cast<const uint8_t*>(&i);
      found[Bytes(number, number + sizeof(i))] = values[i];
    }
    if (is_ring(map)) return found;
    if (bpf_map__type(map) == BPF_MAP_TYPE_STACK) std::reverse(values.begin(), values.end());
    for (const Bytes& value : values)
      check(bpf_map_update_elem(bpf_map__fd(map), nullptr, value.data(), BPF_ANY), "putting back what was taken");
    return found;
  }
  Bytes key(bpf_map__key_size(map));
  Bytes next(key.size());
  const uint8_t* last = nullptr;
  while (!bpf_map_get_next_key(bpf_map__fd(map), last, next.data())) {
    Bytes value(entry_size(map));
    if (!bpf_map_lookup_elem(bpf_map__fd(map), next.data(), value.data())) found[next] = value;
    key = next;
    last = key.data();
  }
  return found;
}

bool KernelRun::has_values(const std::string& name) const {
  const bpf_map* map = map_called(name);
  return map && holds_values(map);
}

std::map<Bytes, Bytes> KernelRun::entries(const std::string& name) const {
  const bpf_map* map = find_map(name);
  if (!holds_values(map)) throw KernelRunError(fmt::format("the map `{}` has no values to read", name));
  return read(map);
}

void KernelRun::set(const std::string& name, const Bytes& key, const Bytes& value) {
  const bpf_map* map = find_map(name);
  if (is_taken(map) && value.size() == entry_size(map))
    return check(bpf_map_update_elem(bpf_map__fd(map), nullptr, value.data(), BPF_ANY), "pushing to " + name);
  if (key.size() != bpf_map__key_size(map) || value.size() != entry_size(map))
    throw KernelRunError(
        fmt::format("`{}` wants keys of {} and values of {} bytes", name, bpf_map__key_size(map), entry_size(map)));
  check(bpf_map_update_elem(bpf_map__fd(map), key.data(), value.data(), BPF_ANY), "writing " + name);
}

KernelRun::Global KernelRun::find_global(const std::string& name) const {
  const btf* types = bpf_object__btf(object_.get());
  for (uint32_t id = 1; types && id < btf__type_cnt(types); ++id) {
    const btf_type* section = btf__type_by_id(types, id);
    if (!btf_is_datasec(section)) continue;
    const btf_var_secinfo* variable = btf_var_secinfos(section);
    for (uint16_t i = 0; i < btf_vlen(section); ++i, ++variable) {
      const btf_type* type = btf__type_by_id(types, variable->type);
      if (name == btf__name_by_offset(types, type->name_off))
        return {find_map(btf__name_by_offset(types, section->name_off)), variable->offset, variable->size};
    }
  }
  throw KernelRunError(fmt::format("the object has no global `{}`", name));
}

Bytes KernelRun::global(const std::string& name) const {
  const Global place = find_global(name);
  const Bytes section = read(place.map).begin()->second;
  const auto begin = section.begin() + static_cast<std::ptrdiff_t>(place.offset);
  return Bytes(begin, begin + static_cast<std::ptrdiff_t>(place.size));
}

void KernelRun::set_global(const std::string& name, const Bytes& value) {
  const Global place = find_global(name);
  if (value.size() != place.size) throw KernelRunError(fmt::format("`{}` has {} bytes", name, place.size));
  Bytes section = read(place.map).begin()->second;
  std::copy(value.begin(), value.end(), section.begin() + static_cast<std::ptrdiff_t>(place.offset));
  const uint32_t zero = 0;
  check(bpf_map_update_elem(bpf_map__fd(place.map), &zero, section.data(), BPF_ANY), "writing " + name);
}

void KernelRun::reset() {
  for (const auto& [name, values] : initial_) {
    const bpf_map* map = find_map(name);
    if (is_frozen(map)) continue;
    if (is_taken(map) || is_ring(map)) {
      is_ring(map) ? take_records(map) : take_all(map);  // an object begins without values
      continue;
    }
    for (const auto& [key, value] : read(map)) {
      if (!is_array(map) && !values.contains(key)) bpf_map_delete_elem(bpf_map__fd(map), key.data());
    }
    for (const auto& [key, value] : values) {
      check(bpf_map_update_elem(bpf_map__fd(map), key.data(), value.data(), BPF_ANY), "resetting " + name);
    }
  }
}

Bytes from_hex(std::string_view text) {
  Bytes bytes;
  if (text.size() % 2) throw KernelRunError(fmt::format("`{}` has an odd number of digits", text));
  for (size_t i = 0; i < text.size(); i += 2) {
    const std::string digits(text.substr(i, 2));
    if (digits.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos)
      throw KernelRunError(fmt::format("`{}` is not hexadecimal", text));
    bytes.push_back(static_cast<uint8_t>(std::stoul(digits, nullptr, 16)));
  }
  return bytes;
}

std::string to_hex(const Bytes& bytes) {
  std::string text;
  for (const uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace ksc::testing
