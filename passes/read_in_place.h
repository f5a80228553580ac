// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>

#include "ir/forms.h"
#include "ir/lang.h"

namespace ksc {

/// The local pointer through which a place is reached; no name if there is none.
Name base_pointer(const Expr& place);

/// `present(p) ? place behind p : zero`, which is how an entry is read in place: p, or no name.
Name read_in_place(const Expr& e);

/// Pointers to map entries that are read in place and used for nothing else: a copy that starts from zero says it all.
class ReadInPlace {
 public:
  explicit ReadInPlace(const Program& program);
  bool has(Name pointer) const;
  bool is_changed(Name local) const { return changed_.count(local) != 0; }

 private:
  void count(const Stmt& s);
  void count(const Expr& e);

  std::map<Name, int, ByText> uses_, reads_;
  NameSet changed_;
  NameSet lookups_;  // what is declared as an entry of a map
};

}  // namespace ksc
