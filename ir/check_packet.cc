// SPDX-License-Identifier: Apache-2.0
#include "ir/check_packet.h"

#include <fmt/format.h>

#include <algorithm>

#include "ir/children.h"
#include "ir/effects.h"

namespace ksc {
namespace {

constexpr uint64_t farthest = 0xffff;  // what lies behind it the verifier does not follow: such tests stay

bool is_socket_buffer(Type type) {
  return is(type, TypeKind::Pointer) && type->space == Space::Context && type->element->name == "__sk_buff";
}

/// The test in `if (!in_packet(p, n)) { leave }`; null if the statement is none.
const Node<InPacket>* leaving_test(const Stmt& s) {
  const auto* test = as<If>(s);
  if (!test || test->form.branches.size() != 1) return nullptr;
  const auto* negation = as<Not>(test->form.branches[0].condition);
  const Span<Stmt> then = test->form.branches[0].body.statements;
  const bool leaves = !then.empty() && (as<Leave>(then.back()) || as<Raise>(then.back()));
  return negation && leaves ? as<InPacket>(negation->form.value) : nullptr;
}

/// Goes through a function's tests of the packet.
class PullCheck {
 public:
  PullCheck(const FunctionDef& function, const CheckReport& report) : report_(report) {
    body(function.body);
    if (pulls_only_)
      for (Name pointer : not_pulled_)
        report_(fmt::format("the packet behind `{}` is not pulled before an access fails", pointer.text()));
  }

 private:
  void body(const Body& in) {
    bool is_pulled = false;
    for (const Stmt& s : in.statements) {
      if (const auto* let = as<Let>(s)) declared_.insert(let->form.name);
      const auto* evaluate = as<Evaluate>(s);
      const auto* helper = evaluate ? as<HelperCall>(evaluate->form.value) : nullptr;
      const bool pulls = helper && helper->form.helper == "bpf_skb_pull_data";
      is_pulled = is_pulled || pulls;
      const auto* test = leaving_test(s);
      const auto* pointer = test ? as<Local>(test->form.pointer) : nullptr;
      if (pointer && !is_pulled && declared_.count(pointer->form.name)) not_pulled_.push_back(pointer->form.name);
      if (!pulls) own(s);
      each_body_of(s, [&](const Body& inner) { body(inner); });
    }
  }
  /// What is called may move the packet.
  void own(const Stmt& s) {
    each_child_of(
        s,
        [&](const Expr& e) {
          if (header(e).contains.has(Kind::Call) || header(e).contains.has(Kind::HelperCall)) pulls_only_ = false;
        },
        [](const Stmt&) {});
  }

  const CheckReport& report_;
  NameSet declared_;
  std::vector<Name> not_pulled_;
  bool pulls_only_ = true;
};

/// The bytes from the pointer on that a packet place needs, and the pointer.
uint64_t extent(const Expr& place, const Expr*& pointer) {
  if (const auto* deref = as<Deref>(place)) {
    pointer = &deref->form.pointer;
    return size_of(type_of(place));
  }
  uint64_t begin = 0, size = size_of(type_of(place));
  const Expr* at = &place;
  for (;;) {
    if (const auto* field = as<Field>(*at)) {
      const StructField* member = find_field(type_of(field->form.base), field->form.name);
      begin += member ? member->offset : 0;
      at = &field->form.base;
    } else if (const auto* index = as<Index>(*at)) {
      const auto* constant = as<Int>(index->form.index);
      if (constant)
        begin += static_cast<uint64_t>(constant->form.value.value) * size_of(type_of(*at));
      else
        size = size_of(type_of(index->form.base));
      at = &index->form.base;
    } else {
      break;
    }
  }
  if (const auto* deref = as<Deref>(*at)) pointer = &deref->form.pointer;
  return begin + size;
}

}  // namespace

void PacketTests::enter(const FunctionDef& function, bool learns_twice) {
  tested_.clear();
  roots_.clear();
  learns_twice_ = learns_twice;
  if (learns_twice) changed_ = changed_locals(function.body);
}

void PacketTests::define(const Let& let) {
  if (!learns_twice_ || !is(let.type, TypeKind::Pointer) || let.type->space != Space::Packet || !let.value ||
      changed_.count(let.name))
    return;
  const Expr* value = &*let.value;
  while (const auto* converted = as<Convert>(*value)) value = &converted->form.value;
  if (!as<Local>(*value) && !as<PointerAdd>(*value)) roots_.insert(let.name.record());
}

bool PacketTests::learn(const Stmt& s) {
  const auto* inside = leaving_test(s);
  const auto* pointer = inside ? as<Local>(inside->form.pointer) : nullptr;
  if (!pointer) return false;
  const Name::Record* name = pointer->form.name.record();
  uint64_t& bytes = tested_[name];
  const bool is_known = inside->form.size <= std::min(bytes, farthest) && roots_.count(name);
  learnt_.emplace_back(name, bytes);
  bytes = std::max(bytes, inside->form.size);
  return is_known;
}

void PacketTests::return_to(size_t mark) {
  for (; learnt_.size() > mark; learnt_.pop_back())
    if (auto found = tested_.find(learnt_.back().first); found != tested_.end())
      found->second = std::min(found->second, learnt_.back().second);
}

void PacketTests::access(const Expr& place, const CheckReport& report) const {
  const Expr* pointer = nullptr;
  const uint64_t bytes = extent(place, pointer);
  const auto* local = pointer ? as<Local>(*pointer) : nullptr;
  if (!local) return report("a packet is accessed through what has no name");
  auto found = tested_.find(local->form.name.record());
  if (found == tested_.end() || found->second < bytes) report("a packet access is not tested");
}

void check_pulled(const FunctionDef& function, const CheckReport& report) {
  const Span<Parameter> parameters = function.parameters;
  if (std::any_of(parameters.begin(), parameters.end(), [](const Parameter& p) { return is_socket_buffer(p.type); }))
    PullCheck(function, report);
}

}  // namespace ksc
