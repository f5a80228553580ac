// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <string>
#include <vector>

namespace ksc::fuzz {

/// The text of a random program as a tree, whose parts may be left out or made simpler while a failure is shrunk.
struct Tree {
  std::string before;  // text, then the parts with what stands between them
  std::vector<Tree> parts;
  std::string between, after;
  bool may_drop = false;            // a statement, an arm, a declaration: the program may do without it
  std::string simpler;              // an expression: a constant that may stand in its place; empty: none
  std::vector<size_t> substitutes;  // an expression: parts of the same type, which may stand in its place
  int state = 0;                    // 0 whole, 1 dropped or simpler, 2 + n: the n-th substitute

  Tree() = default;
  Tree(std::string text) : before(std::move(text)) {}  // NOLINT: a text is a tree without parts
  Tree(const char* text) : before(text) {}             // NOLINT
  std::string text() const;
};

/// Text and parts, one after another.
template <class... P>
Tree join(P&&... pieces) {
  Tree tree;
  (tree.parts.push_back(Tree(std::forward<P>(pieces))), ...);
  return tree;
}

/// The smallest tree found by leaving out and simplifying for which `still_fails` holds; it holds for `tree`.
Tree shrink(Tree tree, const std::function<bool(const std::string&)>& still_fails, size_t attempts = 3000);

}  // namespace ksc::fuzz
