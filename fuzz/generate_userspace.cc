// SPDX-License-Identifier: Apache-2.0
// A random `main`, and functions that it calls.
#include <fmt/format.h>

#include "fuzz/generator.h"

namespace ksc::fuzz {

void Generator::userspace(Tree& out) {
  in_user_ = true;
  helpers_.clear();
  std::erase_if(globals_, [&](const Variable& v) { return local_globals_.count(v.name) != 0; });
  // Of structs each CPU has its own, and which is meant must be said there [L51].
  std::erase_if(maps_, [](const Map& m) { return m.kind.starts_with("percpu") && m.value.kind == T::Kind::Struct; });
  if (maps_.empty()) {
    maps_.push_back({global_name("counts"), "hash", integer(32), integer(64)});
    out.parts.push_back(declaration(fmt::format("var {} : hash<u32, u64>(4)", maps_[0].name)));
  }
  for (uint64_t i = 0; i < 1 + random_.below(2); ++i) {
    count("userspace function");
    out.parts.push_back(function({global_name(fmt::format("user{}", i)), {}, i == 0 ? boolean : scalar(), false}, ""));
  }
  count("userspace main");
  scopes_ = {{}};
  result_ = integer(32, true);
  Tree body;
  body.before = "fn main() -> i32 {\n";
  indent_ = 1;
  body.parts.push_back(Tree(fmt::format("  load({})\n", global_name("prog0"))));
  for (int i = 0; i < options_.size; ++i) body.parts.push_back(line(statement(3)));
  Tree last = line(join("return ", join("(", solid(result_, 2), " & 127)")));
  last.may_drop = false;
  body.parts.push_back(std::move(last));
  body.after = "}\n";
  body.may_drop = true;
  out.parts.push_back(std::move(body));
}

}  // namespace ksc::fuzz
