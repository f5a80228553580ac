// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/variant2/variant.hpp>

namespace ksc {

struct NodeHeader;
template <class F>
struct Node;

/// A pointer to a node of form F. It can be named, and stand in a sum, before F is defined.
template <class F>
struct Ref {
  const NodeHeader* header = nullptr;
  const Node<F>& operator*() const { return *static_cast<const Node<F>*>(header); }
  const F* operator->() const { return &static_cast<const Node<F>*>(header)->form; }
};

/// One of several forms, as a reference to its node in the arena. The first argument only lets a list begin with a
/// comma.
template <class, class... F>
struct SumOf {
  using type = boost::variant2::variant<Ref<F>...>;
};

/// The node inside a sum if it is an F, else null; null as well for a sum that cannot hold an F.
template <class F, class... T>
const Node<F>* as(const boost::variant2::variant<T...>& sum) {
  if constexpr ((std::is_same_v<T, Ref<F>> || ...)) {
    const auto* found = boost::variant2::get_if<Ref<F>>(&sum);
    return found && found->header ? &**found : nullptr;
  } else {
    return nullptr;
  }
}

}  // namespace ksc
