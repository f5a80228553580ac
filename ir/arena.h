// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <concepts>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <memory_resource>
#include <type_traits>
#include <utility>
#include <vector>

namespace ksc {

/// A run of values in an arena. Copying a span copies two words; nothing owns the values.
template <class T>
class Span {
 public:
  Span() = default;
  Span(const T* data, size_t size) : data_(data), size_(size) {}
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const T& operator[](size_t index) const { return data_[index]; }
  const T& front() const { return data_[0]; }
  const T& back() const { return data_[size_ - 1]; }
  Span drop_first(size_t count) const { return {data_ + count, size_ - count}; }

 private:
  const T* data_ = nullptr;
  size_t size_ = 0;
};

/// A value that may be missing; trivially destructible, so that it may stand in a node.
template <class T>
class Option {
 public:
  Option() = default;
  template <class U>
  requires std::convertible_to<U, T> Option(U&& value)
      : value_(std::forward<U>(value)), present_(true) {}  // NOLINT: an option is made from its value
  explicit operator bool() const { return present_; }
  const T& operator*() const { return value_; }
  const T* operator->() const { return &value_; }

 private:
  T value_{};
  bool present_ = false;
};

/// The memory of one compilation. Everything in it lives until the arena dies; nothing in it is destroyed.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  template <class T, class... A>
  T* make(A&&... arguments) {
    static_assert(std::is_trivially_destructible_v<T>, "the arena runs no destructors");
    return new (memory_.allocate(sizeof(T), alignof(T))) T{std::forward<A>(arguments)...};
  }

  template <class T>
  Span<T> span(const T* data, size_t size) {
    static_assert(std::is_trivially_destructible_v<T>, "the arena runs no destructors");
    if (size == 0) return {};
    T* place = static_cast<T*>(memory_.allocate(sizeof(T) * size, alignof(T)));
    std::uninitialized_copy(data, data + size, place);
    return {place, size};
  }
  template <class T>
  Span<T> span(const std::vector<T>& values) {
    return span(values.data(), values.size());
  }
  template <class T>
  Span<T> span(std::initializer_list<T> values) {
    return span(values.begin(), values.size());
  }

 private:
  std::pmr::monotonic_buffer_resource memory_{1 << 16};
};

}  // namespace ksc
