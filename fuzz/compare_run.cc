// SPDX-License-Identifier: Apache-2.0
#include "fuzz/compare_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "ir/interpret.h"

namespace ksc::fuzz {
namespace {

/// Where a value of the type has bytes that mean something: what lies between members is anything.
void mark_meaning(Type type, uint64_t at, Bytes& mask) {
  if (is(type, TypeKind::Struct)) {
    for (const StructField& field : type->body->fields) mark_meaning(field.type, at + field.offset, mask);
  } else if (is(type, TypeKind::Array)) {
    for (uint64_t i = 0; i < type->count; ++i) mark_meaning(type->element, at + i * size_of(type->element), mask);
  } else {
    std::fill_n(mask.begin() + static_cast<long>(at), size_of(type), 0xff);
  }
}
Bytes masked(Type type, Bytes bytes) {
  Bytes mask(bytes.size());
  mark_meaning(type, 0, mask);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] &= mask[i];
  return bytes;
}

/// The C compiler lays it out as it likes.
bool is_private(const GlobalDef& global) {
  return global.storage == Storage::EbpfOnly || global.storage == Storage::Constant;
}

bool is_per_cpu(Type map) { return map->name == "percpu_hash" || map->name == "percpu_array"; }
bool is_array(Type map) { return map->name == "array" || map->name == "percpu_array"; }

/// Where pinned globals lie in the one entry of their map.
struct PinnedBytes {
  struct Place {
    uint64_t offset, size;
  };
  std::map<std::string, Place> places;
  uint64_t size = 0;

  explicit PinnedBytes(const Program& program) {
    uint64_t greatest_align = 1;
    const auto aligned = [](uint64_t offset, uint64_t align) { return (offset + align - 1) / align * align; };
    for (const Decl& d : program) {
      const auto* global = as<GlobalDef>(d);
      if (!global || global->form.storage != Storage::Pinned) continue;
      const uint64_t align = align_of(global->form.type);
      greatest_align = std::max(greatest_align, align);
      size = aligned(size, align);
      places[std::string(global->form.name.text())] = {size, size_of(global->form.type)};
      size += size_of(global->form.type);
    }
    size = aligned(size, greatest_align);
  }
};

class Comparison {
 public:
  Comparison(const Program& program, Name entry, Machine& machine)
      : program_(program), entry_(entry), machine_(machine), pinned_(program) {}

  std::string run(Context& context, World world) {
    machine_.reset();
    prepare(world);
    const Trace expected = interpret(context, program_, entry_, world);
    if (!expected.fault.empty()) return "the interpreter's run is a fault: " + expected.fault;
    if (expected.out_of_fuel || expected.events.count("entry evicted")) return {};

    const Machine::Run ran = machine_.run(std::string(entry_.text()), world.packet);
    const auto result = static_cast<int32_t>(expected.result.value_or(-1));
    if (ran.result != result) text_ += fmt::format("- result {}\n+ result {}\n", result, ran.result);
    if (ran.packet != expected.packet)
      text_ += fmt::format("- packet {}\n+ packet {}\n", hex(expected.packet), hex(ran.packet));
    for (const Decl& d : program_) {
      if (const auto* map = as<MapDef>(d)) compare_map(map->form, expected);
      if (const auto* global = as<GlobalDef>(d)) compare_global(global->form, expected);
    }
    compare_lost_writes(expected);
    return text_;
  }

 private:
  /// Gives the machine the world, and takes out of the world what the machine does not have.
  void prepare(World& world) {
    world.linear.reset();  // the machines make linear packets
    // The kernel wants a whole IP header behind an Ethernet header that announces one.
    for (const Decl& d : program_)
      if (const auto* function = as<FunctionDef>(d);
          function && function->form.name == entry_ && function->form.program_type == "tc")
        world.packet.resize(std::max<size_t>(world.packet.size(), 34));
    // What only eBPF sees is the C compiler's to lay out: it keeps its first value, and nobody looks at it.
    for (const Decl& d : program_)
      if (const auto* global = as<GlobalDef>(d); global && is_private(global->form))
        world.globals.erase(std::string(global->form.name.text()));
    // Initial values are written by the loader of the generated program; here every pinned global is given one.
    Bytes pinned(pinned_.size);
    for (const auto& [name, place] : pinned_.places) {
      Bytes& value = world.globals[name];
      value.resize(place.size);
      std::copy(value.begin(), value.end(), pinned.begin() + static_cast<long>(place.offset));
    }
    if (!pinned.empty() && machine_.has_map("pinned_globals")) machine_.set("pinned_globals", Bytes(4), pinned, false);
    std::erase_if(world.globals, [&](const auto& global) {
      return !pinned_.places.count(global.first) && !machine_.has_global(global.first);
    });
    for (const auto& [name, value] : world.globals)
      if (!pinned_.places.count(name)) machine_.set_global(name, value);
    for (const Decl& d : program_) {
      const auto* map = as<MapDef>(d);
      const std::string name = map ? std::string(map->form.name.text()) : "";
      if (!map || !machine_.has_map(name)) continue;
      const bool has_keys = map->form.type->key != nullptr;
      std::vector<std::pair<Bytes, Bytes>> entries(world.maps[name].begin(), world.maps[name].end());
      if (map->form.type->name == "stack")
        std::reverse(entries.begin(), entries.end());  // the last one comes out first
      for (const auto& [key, value] : entries)
        machine_.set(name, has_keys ? key : Bytes(), value, is_per_cpu(map->form.type));
    }
  }

  void compare_global(const GlobalDef& global, const Trace& expected) {
    const std::string name(global.name.text());
    const auto pinned = pinned_.places.find(name);
    if (is_private(global)) return;
    if (!(pinned == pinned_.places.end() ? machine_.has_global(name) : machine_.has_map("pinned_globals"))) return;
    Bytes found;
    if (pinned == pinned_.places.end()) {
      found = machine_.global(name);
    } else {
      const Bytes whole = machine_.entries("pinned_globals").at(Bytes(4));
      const auto begin = whole.begin() + static_cast<long>(pinned->second.offset);
      found.assign(begin, begin + static_cast<long>(pinned->second.size));
    }
    const Bytes wanted = masked(global.type, expected.globals.at(name));
    found = masked(global.type, found);
    if (found != wanted)
      text_ += fmt::format("- global {}: {}\n+ global {}: {}\n", name, hex(wanted), name, hex(found));
  }

  void compare_map(const MapDef& map, const Trace& expected) {
    const std::string name(map.name.text());
    if (!machine_.has_map(name)) return;
    const auto meaning = [&](std::map<Bytes, Bytes> entries) {
      MapContents out;
      for (auto& [key, value] : entries) {
        value.resize(
            size_of(map.type->element));  // of per-CPU maps the value of the CPU that this test keeps to, the first
        value = masked(map.type->element, value);
        if (!is_array(map.type) || value != Bytes(value.size())) out[key] = value;
      }
      return out;
    };
    const MapContents found = meaning(machine_.entries(name)), wanted = meaning(expected.maps.at(name));
    for (const auto& [key, value] : wanted)
      if (const auto there = found.find(key); there == found.end() || there->second != value)
        text_ += fmt::format("- map {} [{}]: {}\n", name, hex(key), hex(value));
    for (const auto& [key, value] : found)
      if (const auto there = wanted.find(key); there == wanted.end() || there->second != value)
        text_ += fmt::format("+ map {} [{}]: {}\n", name, hex(key), hex(value));
  }

  /// [L51] A program that cannot lose a write has no counter.
  void compare_lost_writes(const Trace& expected) {
    uint64_t counted = 0;
    if (machine_.has_global("ks_lost_writes")) {
      const Bytes bytes = machine_.global("ks_lost_writes");
      std::copy(bytes.begin(), bytes.end(), reinterpret_cast<uint8_t*>(&counted));
    }
    const auto lost = expected.events.find("write lost");
    const uint64_t wanted = lost == expected.events.end() ? 0 : lost->second;
    if (counted != wanted) text_ += fmt::format("- {} writes lost\n+ {} writes lost\n", wanted, counted);
  }

  const Program& program_;
  Name entry_;
  Machine& machine_;
  PinnedBytes pinned_;
  std::string text_;
};

}  // namespace

std::string compare_run(Context& context, const Program& program, Name entry, World world, Machine& machine) {
  return Comparison(program, entry, machine).run(context, std::move(world));
}

}  // namespace ksc::fuzz
