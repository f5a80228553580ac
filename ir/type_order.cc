// SPDX-License-Identifier: Apache-2.0
#include "ir/type_order.h"

#include <map>
#include <set>

namespace ksc {
namespace {

class StructOrder {
 public:
  explicit StructOrder(const Program& program) {
    for (const Decl& d : program)
      if (const auto* definition = as<StructDef>(d)) structs_[definition->form.type] = d;
  }
  void place(Type type, std::vector<Decl>& out) {
    // What an array holds must be known also where only its address is.
    if (is(type, TypeKind::Pointer) && is(type->element, TypeKind::Array)) type = type->element;
    while (is(type, TypeKind::Array)) type = type->element;
    auto found = structs_.find(type);
    if (found == structs_.end() || !placed_.insert(type).second) return;
    for (const StructField& field : type->body->fields) place(field.type, out);
    out.push_back(found->second);
  }

 private:
  std::map<Type, Decl> structs_;
  std::set<Type> placed_;
};

}  // namespace

std::vector<Decl> types_in_order(const Program& program) {
  std::vector<Decl> out;
  StructOrder structs(program);
  for (const Decl& d : program)
    if (as<EnumDef>(d)) out.push_back(d);
  for (const Decl& d : program)
    if (const auto* definition = as<StructDef>(d)) structs.place(definition->form.type, out);
  for (const Decl& d : program)
    if (as<ConstDef>(d)) out.push_back(d);
  return out;
}

}  // namespace ksc
