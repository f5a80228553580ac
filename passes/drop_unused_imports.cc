// SPDX-License-Identifier: Apache-2.0
/// var m.table : …; fn m.f() { }; m.f()   =>   fn m.f() { }; m.f(): what of other files nothing uses goes
#include <algorithm>

#include "ir/mentions.h"
#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {
namespace {

/// Whether what has been kept mentions this declaration.
bool is_mentioned(const Decl& d, const Mentions& kept) {
  return boost::variant2::visit(
      [&](const auto& ref) {
        const auto& form = (*ref).form;
        using F = std::remove_cvref_t<decltype(form)>;
        if constexpr (std::same_as<F, EnumDef>) {
          const auto items = form.type->body->items;
          return kept.has(form.type) ||
                 std::any_of(items.begin(), items.end(), [&](const EnumItem& item) { return kept.has(item.name); });
        } else if constexpr (std::same_as<F, StructDef>) {
          return kept.has(form.type);
        } else if constexpr (std::same_as<F, FaultVerdict>) {
          return kept.has(form.program);
        } else if constexpr (requires { kept.has(form.name); }) {
          return kept.has(form.name);
        } else {
          return true;
        }
      },
      d);
}

}  // namespace

Ir<lang::ImportsUsed> drop_unused_imports(const Ir<lang::CallsDirect>& in, Context& context) {
  const auto is_own = [&](const Decl& d) {
    return !loc_of(d) || context.locations[loc_of(d)].file == context.main_file;
  };
  std::vector<bool> is_kept(in.declarations.size());
  Mentions kept;
  bool grows = false;
  do {
    grows = false;
    for (size_t i = 0; i < in.declarations.size(); ++i) {
      const Decl& d = in.declarations[i];
      if (is_kept[i] || !(is_own(d) || is_mentioned(d, kept))) continue;
      is_kept[i] = grows = true;
      kept.add(d);
    }
  } while (grows);
  std::vector<Decl> out;
  for (size_t i = 0; i < in.declarations.size(); ++i)
    if (is_kept[i]) out.push_back(in.declarations[i]);
  return {context.span(out)};
}

}  // namespace ksc
