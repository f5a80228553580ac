// SPDX-License-Identifier: Apache-2.0
// Random memory of userspace: `new`, what is written there, `delete`.
#include <fmt/format.h>

#include "fuzz/generator.h"

namespace ksc::fuzz {

Tree Generator::heap_statement(int depth) {
  const bool is_struct = random_.once_in(2);
  const T type = is_struct ? struct_type(random_.pick(structs_)) : any_integer();
  count(is_struct ? "new struct" : "new number");
  const std::string name = fmt::format("object{}", temporaries_++);
  const std::string margin(2 * static_cast<size_t>(indent_), ' ');
  Tree out;
  const bool is_held_by_if = random_.once_in(2);
  out.before = is_held_by_if ? fmt::format("if (var {} = new {}()) ", name, type.spelled())
                             : fmt::format("var {} = new {}()\n{}if ({} != null) ", name, type.spelled(), margin, name);
  std::vector<Variable> parts;
  if (is_struct)
    for (const StructMember& m : find_struct(type).members) parts.push_back({name + "." + m.name, m.type});
  Tree body("{\n");
  body.after = margin + "}";
  ++indent_;
  scopes_.push_back(parts);
  for (uint64_t i = 0, n = 1 + random_.below(2); i < n; ++i) body.parts.push_back(line(statement(depth - 1)));
  if (random_.once_in(2)) {
    count("object written as a whole");
    body.parts.push_back(line(join("*" + name + " = ", value(type, depth - 1))));
  }
  const std::string copy = fmt::format("copy{}", temporaries_++);
  body.parts.push_back(Tree(fmt::format("{}  var {}: {} = *{}\n", margin, copy, type.spelled(), name)));
  scopes_.back().push_back({copy, type});
  if (random_.once_in(2)) {
    count("second pointer to an object");
    body.parts.push_back(Tree(fmt::format("{}  var same{} = {}\n{}  *same{} = {}\n", margin, temporaries_, name, margin,
                                          temporaries_, copy)));
    ++temporaries_;
  }
  if (!in_deferred_ && deferrals_ > 0 && random_.once_in(3)) {
    count("object deleted at the end");
    body.parts.push_back(Tree(fmt::format("{}  defer {{ delete {} }}\n", margin, name)));
  } else if (!random_.once_in(4)) {
    count("delete of an object");
    body.parts.push_back(Tree(fmt::format("{}  delete {}\n", margin, name)));
  }
  std::erase_if(scopes_.back(), [&](const Variable& v) { return v.name.starts_with(name + "."); });
  body.parts.push_back(line(simple_statement(1)));
  scopes_.pop_back();
  --indent_;
  out.parts.push_back(std::move(body));
  return out;
}

}  // namespace ksc::fuzz
