// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <random>
#include <vector>

namespace ksc::fuzz {

/// Numbers that depend on the seed alone: the distributions of the C++ library differ from one to another.
class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  uint64_t bits() { return engine_(); }
  /// 0 … n - 1
  uint64_t below(uint64_t n) { return n == 0 ? 0 : engine_() % n; }
  /// Once in n.
  bool once_in(uint64_t n) { return below(n) == 0; }
  template <class T>
  const T& pick(const std::vector<T>& values) {
    return values[below(values.size())];
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace ksc::fuzz
