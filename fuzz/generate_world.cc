// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "fuzz/generate.h"
#include "fuzz/random.h"
#include "ir/map_kind.h"

namespace ksc::fuzz {

namespace {

/// Bytes that are a value of the type: an enum holds one of its enumerators, a bool 0 or 1, padding is zero.
Bytes random_value(Type type, Random& random) {
  Bytes bytes(size_of(type));
  const auto put = [&](uint64_t number) {
    for (size_t i = 0; i < bytes.size() && i < 8; ++i) bytes[i] = static_cast<uint8_t>(number >> (8 * i));
  };
  switch (type->kind) {
    case TypeKind::Bool: put(random.below(2)); break;
    case TypeKind::Enum:
      if (is_function_value(type)) break;  // none: which numbers are functions the program alone knows
      put(static_cast<uint64_t>(type->body->items[random.below(type->body->items.size())].value));
      break;
    case TypeKind::Str:
      for (size_t i = 0, n = random.below(type->count); i < n; ++i)
        bytes[i] = static_cast<uint8_t>('a' + random.below(26));
      break;
    case TypeKind::Array:
      for (size_t i = 0; i < type->count; ++i) {
        const Bytes element = random_value(type->element, random);
        std::copy(element.begin(), element.end(), bytes.begin() + static_cast<long>(i * element.size()));
      }
      break;
    case TypeKind::Struct:
      for (const StructField& field : type->body->fields) {
        const Bytes member = random_value(field.type, random);
        std::copy(member.begin(), member.end(), bytes.begin() + field.offset);
      }
      break;
    default:
      switch (random.below(4)) {
        case 0: put(random.below(4)); break;
        case 1: put(~uint64_t(0) >> random.below(3)); break;
        case 2: put(random.bits()); break;
        default: put(random.below(300)); break;
      }
  }
  return bytes;
}

Bytes random_packet(Random& random) {
  static const std::vector<uint8_t> protocols = {6, 17, 1, 6, 17, 47};
  Bytes packet(14 + 20 + 20 + random.below(60));
  for (uint8_t& byte : packet) byte = static_cast<uint8_t>(random.once_in(2) ? random.below(8) : random.bits());
  packet[12] = 8;  // ETH_P_IP
  packet[13] = 0;
  packet[14] = 0x45;
  packet[16] = 0;
  packet[17] = static_cast<uint8_t>(packet.size() - 14);
  packet[23] = random.pick(protocols);
  packet[46] = 0x50;
  if (random.once_in(3)) packet.resize(14 + random.below(packet.size() - 14));
  return packet;
}

}  // namespace

World generate_world(uint64_t seed, const Program& program) {
  Random random(seed ^ 0x9e3779b97f4a7c15);
  World world;
  world.packet = random_packet(random);
  world.random = random.bits();
  for (const Decl& d : program) {
    const auto* map = as<MapDef>(d);
    // From outside nobody writes to a ring buffer.
    if (map && !find_map_kind(map->form.type->name.text())->is_ring) {
      MapContents& contents = world.maps[std::string(map->form.name.text())];
      Type key = map->form.type->key;
      const bool is_array = map->form.type->name == "array" || map->form.type->name == "percpu_array";
      for (uint64_t i = 0, n = random.below(6); i < n && contents.size() < map->form.type->count; ++i) {
        if (!key) {
          contents[Bytes{static_cast<uint8_t>(i), 0, 0, 0}] = random_value(map->form.type->element, random);
          continue;
        }
        Bytes at = random_value(key, random);
        if (is(key, TypeKind::Int)) {
          std::fill(at.begin(), at.end(), 0);
          at[0] = static_cast<uint8_t>(is_array ? random.below(map->form.type->count) : random.below(5));
        }
        contents[at] = random_value(map->form.type->element, random);
      }
    }
    const auto* function = as<FunctionDef>(d);
    if (function && function->form.name == "main" && !function->form.parameters.empty())
      for (const StructField& option : function->form.parameters[0].type->body->fields)
        if (random.once_in(2)) world.options[std::string(option.name.text())] = random_value(option.type, random);
    const auto* global = as<GlobalDef>(d);
    if (global && global->form.storage != Storage::Constant && random.once_in(2))
      world.globals[std::string(global->form.name.text())] = random_value(global->form.type, random);
  }
  // Of a socket buffer the rest may lie elsewhere.
  if (random.once_in(2)) world.linear = random.below(world.packet.size() + 1);
  return world;
}

}  // namespace ksc::fuzz
