// SPDX-License-Identifier: Apache-2.0
#include "fuzz/tree.h"

namespace ksc::fuzz {

std::string Tree::text() const {
  if (state == 1) return may_drop ? std::string() : simpler;
  if (state >= 2) return parts[substitutes[static_cast<size_t>(state - 2)]].text();
  std::string out = before;
  bool first = true;
  for (const Tree& part : parts) {
    const std::string piece = part.text();
    if (part.may_drop && piece.empty()) continue;
    if (!first) out += between;
    first = false;
    out += piece;
  }
  return out + after;
}

namespace {

/// Tries the states of a tree's nodes, those nearer to the root first: they make the most of it go away.
bool improve(Tree& root, std::vector<Tree*>& level, const std::function<bool(const std::string&)>& still_fails,
             size_t& attempts) {
  bool improved = false;
  while (!level.empty() && attempts > 0) {
    std::vector<Tree*> next;
    for (Tree* node : level) {
      if (node->state != 0) continue;
      std::vector<int> states;
      if (node->may_drop || !node->simpler.empty()) states.push_back(1);
      for (size_t i = 0; i < node->substitutes.size(); ++i) states.push_back(2 + static_cast<int>(i));
      const std::string whole = node->text();
      for (int state : states) {
        if (attempts == 0) return improved;
        node->state = state;
        if (node->text() == whole) {
          node->state = 0;
          continue;
        }
        --attempts;
        if (still_fails(root.text())) {
          improved = true;
          break;
        }
        node->state = 0;
      }
      if (node->state == 1) continue;
      if (node->state >= 2)
        next.push_back(&node->parts[node->substitutes[static_cast<size_t>(node->state - 2)]]);
      else
        for (Tree& part : node->parts) next.push_back(&part);
    }
    level = std::move(next);
  }
  return improved;
}

}  // namespace

Tree shrink(Tree tree, const std::function<bool(const std::string&)>& still_fails, size_t attempts) {
  for (bool improved = true; improved && attempts > 0;) {
    std::vector<Tree*> level{&tree};
    improved = improve(tree, level, still_fails, attempts);
  }
  return tree;
}

}  // namespace ksc::fuzz
