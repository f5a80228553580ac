// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "frontend/diagnostics.h"
#include "ir/arena.h"
#include "ir/children.h"
#include "ir/kernel_types.h"
#include "ir/location.h"
#include "ir/name.h"
#include "ir/target.h"
#include "ir/types.h"

namespace ksc {

/// What the passes of one compilation share. Passes keep nothing else between them.
struct Context {
  Arena arena;
  Names names{arena};
  Types types{arena, names};
  Locations locations;
  Diagnostics diagnostics;
  Target target;
  const KernelTypes* kernel_types = nullptr;
  uint32_t main_file = 0;                 // the source that is compiled; others are imported
  std::vector<uint32_t> library_files{};  // the sources of the standard library, in the order of their paths
  std::string project;                    // the name that pins and the object are called by [L180]

  Name name(std::string_view text) { return names.intern(text); }
  template <class F>
  Ref<F> make(F form, Loc loc, Type type = nullptr) {
    return make_node(arena, std::move(form), loc, type);
  }
  template <class T>
  Span<T> span(const std::vector<T>& values) {
    return arena.span(values);
  }
  template <class T>
  Span<T> span(std::initializer_list<T> values) {
    return arena.span(values);
  }
};

}  // namespace ksc
