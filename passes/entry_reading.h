// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include "ir/forms.h"

namespace ksc {

/// What userspace reads of a map: m[k], or m.cpu(k, i), which is what a CPU has there.
struct EntryReading {
  Expr map, key;
  Option<Expr> cpu;
};

/// The reading that an expression is, if it is one.
inline std::optional<EntryReading> entry_reading(const Expr& e) {
  if (const auto* lookup = as<MapLookup>(e)) return EntryReading{lookup->form.map, lookup->form.key, {}};
  const auto* call = as<MapCall>(e);
  if (!call || call->form.method != "cpu") return std::nullopt;
  return EntryReading{call->form.map, call->form.arguments[0], call->form.arguments[1]};
}

/// The function of the runtime that copies what is read, and its arguments.
inline std::pair<std::string_view, std::vector<Expr>> reading_call(const Expr& map, bool per_cpu,
                                                                   const Expr& key_address, const Option<Expr>& cpu,
                                                                   const Expr& copy_address) {
  if (cpu) return {"ks_percpu_read", {map, key_address, *cpu, copy_address}};
  return {per_cpu ? "ks_percpu_sum" : "ks_map_lookup", {map, key_address, copy_address}};
}

}  // namespace ksc
