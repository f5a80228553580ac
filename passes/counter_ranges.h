// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>

#include "ir/forms.h"

namespace ksc {

/// The greatest values that loop counters take: what a loop between constants says. Names are unique, so one serves a
/// whole program.
class CounterRanges {
 public:
  /// Notes a loop, before what is in it is looked at.
  void note(const CountedLoop& loop) {
    const auto* low = as<Int>(loop.low);
    const auto* high = as<Int>(loop.high);
    if (low && high && low->form.value.value >= 0)
      greatest_[loop.name] = high->form.value.value - (loop.inclusive ? 0 : 1);
  }
  /// Whether the expression is a constant or a counter that is always from 0 to below `limit`.
  bool is_below(const Expr& e, uint64_t limit) const {
    if (const auto* number = as<Int>(e))
      return number->form.value.value >= 0 && number->form.value.value < static_cast<__int128>(limit);
    const auto* local = as<Local>(e);
    auto found = local ? greatest_.find(local->form.name) : greatest_.end();
    return found != greatest_.end() && found->second < static_cast<__int128>(limit);
  }

 private:
  std::map<Name, __int128, ByText> greatest_;
};

}  // namespace ksc
