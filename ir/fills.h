// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>

#include "ir/forms.h"

namespace ksc {

/// clang makes one fill of several that lie one behind the other in memory, writes out at most 128 moves of 8 bytes
/// (MaxStoresPerMemset of its BPF back end), and calls a function that is not there for more.
constexpr uint64_t most_filled = 1024;  // bytes

/// Adds up the bytes that statements one behind another fill, as far as C compilers may take them together.
class FilledBytes {
 public:
  /// How many there are with the statement's, if it fills some.
  uint64_t with(const Stmt& s) {
    const auto* evaluate = as<Evaluate>(s);
    const auto* call = evaluate ? as<RuntimeCall>(evaluate->form.value) : nullptr;
    const auto* size = call && call->form.function == "__builtin_memset" ? as<Int>(call->form.arguments[2]) : nullptr;
    if (size) return sum_ += static_cast<uint64_t>(std::max<__int128>(0, size->form.value.value));
    if (!as<Let>(s) && !as<Assign>(s)) sum_ = 0;
    return 0;
  }
  /// Something stands in between now.
  void begin_anew(const Stmt& s) {
    sum_ = 0;
    with(s);
  }

 private:
  uint64_t sum_ = 0;
};

}  // namespace ksc
