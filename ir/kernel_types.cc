// SPDX-License-Identifier: Apache-2.0
#include "ir/kernel_types.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace ksc {
namespace {

using Json = nlohmann::json;

KernelValue value_of(const Json& json) {
  if (json.is_number_unsigned()) return json.get<uint64_t>();
  return json.get<int64_t>();
}

KernelField read_field(const Json& json) {
  KernelField field;
  field.name = json.at("name").get<std::string>();
  field.type = json.at("type").get<std::string>();
  field.offset = json.at("offset").get<uint32_t>();
  if (auto width = json.find("bit_size"); width != json.end()) {
    field.bits = BitRange{json.at("bit_offset").get<uint32_t>(), width->get<uint32_t>()};
  }
  field.big_endian = json.value("be", false);
  return field;
}

KernelStruct read_struct(const Json& json) {
  KernelStruct result;
  result.name = json.at("name").get<std::string>();
  result.header = json.at("header").get<std::string>();
  result.size = json.at("size").get<uint32_t>();
  result.is_union = json.value("union", false);
  result.is_anonymous = json.value("anonymous", false);
  const Json& fields = json.at("fields");
  result.fields.reserve(fields.size());
  for (const Json& field : fields) result.fields.push_back(read_field(field));
  return result;
}

KernelEnum read_enum(const Json& json) {
  KernelEnum result;
  result.name = json.at("name").get<std::string>();
  result.header = json.at("header").get<std::string>();
  result.type = json.at("type").get<std::string>();
  const Json& values = json.at("values");
  result.values.reserve(values.size());
  for (const Json& pair : values) result.values.push_back({pair.at(0).get<std::string>(), value_of(pair.at(1))});
  return result;
}

constexpr auto by_name = [](const auto& left, const auto& right) { return left.name < right.name; };

template <class Item>
const Item* find(const std::vector<Item>& items, std::string_view name) {
  auto at = std::lower_bound(items.begin(), items.end(), name,
                             [](const Item& item, std::string_view wanted) { return item.name < wanted; });
  return at != items.end() && at->name == name ? &*at : nullptr;
}

}  // namespace

const KernelField* KernelStruct::find_field(std::string_view wanted) const {
  auto at = std::find_if(fields.begin(), fields.end(), [&](const KernelField& field) { return field.name == wanted; });
  return at != fields.end() ? &*at : nullptr;
}

KernelTypes KernelTypes::from_json(std::string_view text) try {
  const Json json = Json::parse(text);
  KernelTypes types;
  for (const Json& header : json.at("hosted_headers")) types.hosted_headers_.push_back(header.get<std::string>());
  for (const Json& item : json.at("structs")) types.structs_.push_back(read_struct(item));
  for (const Json& item : json.at("enums")) types.enums_.push_back(read_enum(item));
  std::sort(types.structs_.begin(), types.structs_.end(), by_name);
  std::sort(types.enums_.begin(), types.enums_.end(), by_name);

  // Constants refer to strings in these two vectors, which no longer grow and which a move leaves in place.
  const Json& groups = json.at("constants");
  types.constant_headers_.reserve(groups.size());
  for (const KernelEnum& item : types.enums_) {
    for (const KernelEnumerator& value : item.values) {
      types.constants_.push_back({value.name, value.value, item.header, item.name});
    }
  }
  for (const auto& [header, constants] : groups.items()) {
    const std::string& kept = types.constant_headers_.emplace_back(header);
    for (const auto& [name, value] : constants.items()) {
      types.constants_.push_back({name, value_of(value), kept, {}});
    }
  }
  std::sort(types.constants_.begin(), types.constants_.end(), by_name);
  return types;
} catch (const Json::exception& error) {
  throw KernelTypesError(error.what());
}

const KernelStruct* KernelTypes::find_struct(std::string_view name) const { return find(structs_, name); }
const KernelEnum* KernelTypes::find_enum(std::string_view name) const { return find(enums_, name); }
const KernelConstant* KernelTypes::find_constant(std::string_view name) const { return find(constants_, name); }

bool KernelTypes::is_hosted_header(std::string_view header) const {
  return std::find(hosted_headers_.begin(), hosted_headers_.end(), header) != hosted_headers_.end();
}

}  // namespace ksc
