// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <bit>

#include "passes/inference.h"

namespace ksc {
namespace {

struct MapFlag {
  std::string_view name;
  uint64_t value;
};
/// linux/bpf.h
constexpr MapFlag map_flag_names[] = {
    {"BPF_F_NO_PREALLOC", 1},   {"BPF_F_NO_COMMON_LRU", 2},   {"BPF_F_NUMA_NODE", 4},   {"BPF_F_RDONLY", 8},
    {"BPF_F_WRONLY", 16},       {"BPF_F_STACK_BUILD_ID", 32}, {"BPF_F_ZERO_SEED", 64},  {"BPF_F_RDONLY_PROG", 128},
    {"BPF_F_WRONLY_PROG", 256}, {"BPF_F_CLONE", 512},         {"BPF_F_MMAPABLE", 1024}, {"BPF_F_PRESERVE_ELEMS", 2048},
    {"BPF_F_INNER_MAP", 4096}};

/// The flag of a name, also of its short lower-case form [L16]; null if there is none.
const MapFlag* find_map_flag(std::string_view name) {
  std::string full(name);
  if (!name.starts_with("BPF_F_")) {
    full = "BPF_F_";
    for (char ch : name) full += ch >= 'a' && ch <= 'z' ? static_cast<char>(ch - 'a' + 'A') : '?';
    for (size_t i = 0; i < name.size(); ++i)
      if (name[i] == '_') full[i + 6] = '_';
  }
  for (const MapFlag& flag : map_flag_names)
    if (flag.name == full) return &flag;
  return nullptr;
}

}  // namespace

uint64_t Inference::map_flags(const Node<MapDecl>& n, const MapKind& kind) {
  uint64_t flags = 0;
  // A | B is an operation, or a chain of them.
  const std::function<void(const Expr&)> add = [&](const Expr& e) {
    if (const auto* operation = as<Operation>(e);
        operation && operation->form.op == Operator::BitOr && operation->form.operands.size() == 2) {
      for (const Expr& operand : operation->form.operands) add(operand);
    } else if (const auto* chain = as<Chain>(e)) {
      add(chain->form.first);
      for (const ChainLink& link : chain->form.rest)
        if (link.op == Operator::BitOr)
          add(link.operand);
        else
          c.diagnostics.report(loc_of(link.operand), diag::bad_map_flag, std::string(operator_text(link.op)),
                               std::string(kind.name));
    } else if (const auto* word = as<GlobalName>(e)) {
      const MapFlag* flag = find_map_flag(word->form.name.text());
      if (flag && (kind.flags & flag->value)) {
        flags |= flag->value;
        return;
      }
      if (flag && flag->name == "BPF_F_NUMA_NODE") {
        // The kernel has it for many kinds; it is told with the node.
        unsupported(word->loc, "`BPF_F_NUMA_NODE`, which the option `numa_node = N` behind the size will set");
        return;
      }
      Diagnostic& message = c.diagnostics.report(word->loc, diag::bad_map_flag, std::string(word->form.name.spelling()),
                                                 std::string(kind.name));
      std::vector<std::string_view> known;
      for (const MapFlag& f : map_flag_names)
        if (kind.flags & f.value) known.push_back(f.name);
      if (const std::string_view near = closest_word(word->form.name.text(), known); !flag && !near.empty())
        message.fix(word->loc, std::string(near), fmt::format("did you mean `{}`?", near));
    } else if (const auto value = constant_value(e)) {
      if (value->value >= 0 && (static_cast<uint64_t>(value->value) & ~kind.flags) == 0)
        flags |= static_cast<uint64_t>(value->value);
      else
        c.diagnostics.report(loc_of(e), diag::bad_map_flag, integer_text(*value), std::string(kind.name));
    }
  };
  for (const Expr& flag : n->flags) add(flag);
  const auto exclude = [&](uint64_t a, uint64_t b, std::string_view first, std::string_view second) {
    if ((flags & a) && (flags & b)) {
      c.diagnostics.report(n->name.loc, diag::map_flags_conflict, std::string(first), std::string(second));
      flags &= ~b;
    }
  };
  exclude(8, 16, "BPF_F_RDONLY", "BPF_F_WRONLY");
  exclude(128, 256, "BPF_F_RDONLY_PROG", "BPF_F_WRONLY_PROG");
  return flags;
}

void Inference::complete_map(const Node<MapDecl>& n, Entity& entity) {
  const MapKind* kind = find_map_kind(n->map_kind.name.text());
  Type map = t.invalid();
  if (!kind) {
    static constexpr std::string_view later[] = {
        "perf_buffer",    "bloom",      "user_ringbuf", "lru_percpu_hash", "lpm_trie",     "devmap",
        "cpumap",         "xskmap",     "sockmap",      "sockhash",        "hash_of_maps", "array_of_maps",
        "cgroup_storage", "sk_storage", "task_storage", "inode_storage",   "prog_array"};
    const std::string_view name = n->map_kind.name.text();
    if (std::find(std::begin(later), std::end(later), name) != std::end(later)) {
      unsupported(n->map_kind.loc, fmt::format("`{}` maps", name));
    } else {
      std::vector<std::string_view> known;
      for (const MapKind* k : all_map_kinds()) known.push_back(k->name);
      Diagnostic& message = c.diagnostics.report(n->map_kind.loc, diag::unknown_map_kind, std::string(name));
      if (const std::string_view near = closest_word(name, known); !near.empty())
        message.fix(n->map_kind.loc, std::string(near), fmt::format("did you mean `{}`?", near));
    }
  } else if (argument_count(kind->name, n->parameters.size(), kind->parameters, n.loc)) {
    const bool has_keys = kind->parameters == 2;
    const TypeExpr& of_value = n->parameters[has_keys ? 1 : 0];
    Type key = has_keys ? stored_type(n->parameters[0], "keys of maps") : nullptr;
    Type value = stored_type(of_value, "values of maps");
    if (key && refuse_floats(key, loc_of(n->parameters[0]))) key = t.invalid();
    if (refuse_floats(value, loc_of(of_value))) value = t.invalid();
    entity.flags = map_flags(n, *kind);
    const auto limit = [&](Type& type, const TypeExpr& at, std::string_view what, uint64_t most) {
      if (!type || is(type, TypeKind::Invalid) || size_of(type) <= most) return;
      c.diagnostics.report(loc_of(at), diag::too_large, std::string(what), size_of(type), most);
      type = t.invalid();
    };
    limit(key, n->parameters[0], "this key", 512);
    limit(value, of_value, "this value", kind->largest_value);
    // What libbpf's __uint can say: the length of an array of numbers whose size has 32 bits.
    constexpr uint64_t most_entries = UINT32_MAX / sizeof(int);
    const uint64_t most = kind->is_ring ? std::bit_floor(most_entries) : most_entries;
    uint64_t entries = n->size ? size_constant(*n->size, most) : 0;
    if (kind->is_ring && entries && entries != ring_size(entries)) {
      c.diagnostics.report(loc_of(*n->size), diag::ring_rounded, entries, ring_size(entries));
      entries = ring_size(entries);
    }
    if (kind->integer_keys && !is(key, TypeKind::Invalid) &&
        !(is_integral(key) && width_of(key) == 32 && !is(key, TypeKind::Bool))) {
      c.diagnostics.report(loc_of(n->parameters[0]), diag::type_mismatch, spell(key), "a 32-bit integer or an enum");
      key = t.invalid();
    }
    if (!n->size) c.diagnostics.report(n.loc, diag::bad_size, most);
    if (entries && !is(key, TypeKind::Invalid) && !is(value, TypeKind::Invalid))
      map = t.map(n->map_kind.name, key, value, entries);
  }
  entity.type = map;  // not before: until then the map needs itself
}

void Inference::declare_map(const Node<MapDecl>& n, const Entity& entity, std::vector<Decl>& out) {
  for (const NamedExpr& option : n->options)
    unsupported(option.name.loc, fmt::format("the map option `{}`", option.name.name.text()));
  if (is(entity.type, TypeKind::Invalid)) return;
  out.push_back(c.make(MapDef{n->name.name, entity.type, entity.flags, n->pinned, true}, n.loc));
}

}  // namespace ksc
