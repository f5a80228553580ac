// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <deque>
#include <stdexcept>
#include <string>
#include <string_view>

#include "ir/world.h"

namespace ksc {

/// The program did what has no meaning: read what was never written, what is gone, or what is not there.
struct Fault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Where a byte lies. Objects are so far apart that no sum of plausible offsets leads from one to another.
using Address = uint64_t;

/// What an object is, for messages: `the variable`, and which one. Both outlive the memory.
struct ObjectLabel {
  std::string_view what, name;
  ObjectLabel(std::string_view what, std::string_view name = {}) : what(what), name(name) {}
  ObjectLabel(const char* what) : what(what) {}
  std::string text() const;
};

/// The memory of a run: objects of bytes. An access must lie wholly in one object that is alive, and read written bytes
/// only.
class Memory {
 public:
  /// An object that holds these bytes; `what` is for messages.
  Address allocate(Bytes bytes, ObjectLabel what);
  /// An object of which no byte has been written.
  Address allocate_unwritten(uint64_t size, ObjectLabel what);
  /// Ends the object's life; its addresses stay unused.
  void release(Address base);

  Bytes load(Address at, uint64_t size) const;
  void store(Address at, const Bytes& bytes);
  /// The whole object, written or not.
  const Bytes& contents(Address base) const;
  /// Whether `size` bytes from `at` on lie in the object that begins at `base`.
  bool inside(Address base, Address at, uint64_t size) const;

 private:
  struct Object {
    Bytes bytes;
    std::vector<bool> written;  // empty: all of them
    ObjectLabel what;
    bool alive = true;
  };
  const Object& object_at(Address at, uint64_t size, uint64_t& offset) const;
  std::deque<Object> objects_;
};

}  // namespace ksc
