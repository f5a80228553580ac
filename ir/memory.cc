// SPDX-License-Identifier: Apache-2.0
#include "ir/memory.h"

#include <fmt/format.h>

namespace ksc {
namespace {

// The upper bits of an address tell the object; its bytes begin in the middle of what the lower ones can say.
constexpr int object_shift = 40;
constexpr uint64_t middle = uint64_t(1) << (object_shift - 1);
constexpr Address base_of(size_t index) { return (uint64_t(index + 1) << object_shift) + middle; }

}  // namespace

std::string ObjectLabel::text() const { return name.empty() ? std::string(what) : fmt::format("{} `{}`", what, name); }

Address Memory::allocate(Bytes bytes, ObjectLabel what) {
  objects_.push_back({std::move(bytes), {}, what});
  return base_of(objects_.size() - 1);
}

Address Memory::allocate_unwritten(uint64_t size, ObjectLabel what) {
  objects_.push_back({Bytes(size), std::vector<bool>(size, false), what});
  return base_of(objects_.size() - 1);
}

const Memory::Object& Memory::object_at(Address at, uint64_t size, uint64_t& offset) const {
  if (at == 0) throw Fault("null is dereferenced");
  const uint64_t number = at >> object_shift;
  if (number == 0 || number > objects_.size()) throw Fault("access outside every object");
  const Object& object = objects_[number - 1];
  offset = at - base_of(number - 1);
  if (!object.alive) throw Fault(fmt::format("access to {}, which is gone", object.what.text()));
  if (offset > object.bytes.size() || size > object.bytes.size() - offset)
    throw Fault(fmt::format("access to {} bytes at {} of {}, which has {}", size, static_cast<int64_t>(offset),
                            object.what.text(), object.bytes.size()));
  return object;
}

void Memory::release(Address base) {
  Object& object = objects_[(base >> object_shift) - 1];
  object.alive = false;
  object.bytes = {};
  object.written = {};
}

Bytes Memory::load(Address at, uint64_t size) const {
  uint64_t offset = 0;
  const Object& object = object_at(at, size, offset);
  for (uint64_t i = offset; !object.written.empty() && i < offset + size; ++i)
    if (!object.written[i])
      throw Fault(fmt::format("byte {} of {} is read before it is written", i, object.what.text()));
  return Bytes(object.bytes.begin() + static_cast<long>(offset),
               object.bytes.begin() + static_cast<long>(offset + size));
}

void Memory::store(Address at, const Bytes& bytes) {
  uint64_t offset = 0;
  Object& object = const_cast<Object&>(object_at(at, bytes.size(), offset));
  for (size_t i = 0; i < bytes.size(); ++i) {
    object.bytes[offset + i] = bytes[i];
    if (!object.written.empty()) object.written[offset + i] = true;
  }
}

const Bytes& Memory::contents(Address base) const {
  const Object& object = objects_[(base >> object_shift) - 1];
  if (!object.alive) throw Fault(fmt::format("{} is gone", object.what.text()));
  return object.bytes;
}

bool Memory::inside(Address base, Address at, uint64_t size) const {
  const uint64_t length = contents(base).size();
  return at >= base && at - base <= length && size <= length - (at - base);
}

}  // namespace ksc
