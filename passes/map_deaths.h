// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ir/lang.h"

namespace ksc {

/// What ends the references into a map [L52], or the pointers into the packet [L167], and where it stands.
struct Death {
  Name map;  // none: the packet
  Loc loc;
  std::string reason;    // "an entry of `m` is deleted", "`bpf_xdp_adjust_head` moves the packet"
  bool deletes = false;  // what `new` gave, by `delete`
};

/// The deaths that each function brings about, itself or through those it calls.
using Deaths = std::map<Name, std::vector<Death>, ByText>;
Deaths deaths_of(const Program& program);

/// What a statement or an expression itself does to references, without its parts.
std::optional<Death> death_by(const Stmt& s);
std::optional<Death> death_by(const Expr& e);

/// Calls `found` with each death that statements bring about, also through the functions they call.
class DeathSearch {
 public:
  DeathSearch(const Deaths& deaths, std::function<void(const Death&)> found)
      : deaths_(deaths), found_(std::move(found)) {}
  void operator()(const Stmt& s);
  void operator()(const Expr& e);
  void called(Name function, Loc loc);

 private:
  const Deaths& deaths_;
  std::function<void(const Death&)> found_;
};

}  // namespace ksc
