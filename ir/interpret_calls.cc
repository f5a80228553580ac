// SPDX-License-Identifier: Apache-2.0
// What is called but not written in the program: helpers of the kernel, what the language defines, support code.
#include <fmt/format.h>

#include "ir/interpreter.h"

namespace ksc {
namespace {

uint64_t swapped(uint64_t bits, int width) {
  uint64_t out = 0;
  for (int i = 0; i < width / 8; ++i, bits >>= 8) out = out << 8 | (bits & 0xff);
  return out;
}

}  // namespace

Value Interpreter::helper_call(const Node<HelperCall>& n) {
  const std::string_view name = n->helper.text();
  const Type type = n.type;
  const auto argument = [&](size_t i) -> Value { return eval(n->arguments[i]); };
  const auto wants = [&](size_t count) {
    if (n->arguments.size() != count) throw Fault(fmt::format("{} is given {} arguments", name, n->arguments.size()));
  };
  const auto pointed = [&](size_t i, Type what) { return memory_.load(to_bits(argument(i)), stored_size(what)); };

  if (name == "bpf_map_lookup_elem") {
    wants(2);
    MapState& map = map_of(n->arguments[0]);
    return from_bits(type, find_entry(map, pointed(1, map.type->key)));
  }
  if (name == "bpf_map_update_elem") {
    wants(4);
    MapState& map = map_of(n->arguments[0]);
    const Bytes key = pointed(1, map.type->key), value = pointed(2, map.type->element);
    return from_number(type, store_entry(map, key, value, to_bits(argument(3))));
  }
  if (name == "bpf_map_delete_elem") {
    wants(2);
    MapState& map = map_of(n->arguments[0]);
    return from_number(type, delete_entry(map, pointed(1, map.type->key)));
  }
  if (name == "bpf_tail_call") {
    wants(3);
    argument(0);
    Expr array = n->arguments[1];
    while (const auto* address = as<AddressOf>(array)) array = address->form.place;
    Name array_name;
    if (const auto* map = as<MapName>(array)) array_name = map->form.name;
    if (const auto* global = as<Global>(array)) array_name = global->form.name;
    const auto found = program_arrays_.find(array_name);
    if (found == program_arrays_.end()) throw Fault("a tail call through what is no program array");
    const uint64_t index = to_bits(argument(2));
    if (index < found->second->programs.size()) tail_call(found->second->programs[index]);
    return zero_value(type);
  }
  if (name == "bpf_loop") {
    wants(4);
    const uint64_t turns = to_bits(argument(0)), callback = to_bits(argument(1)), data = to_bits(argument(2));
    argument(3);
    if (callback == 0 || callback > function_list_.size()) throw Fault("bpf_loop calls what is no function");
    if (turns > 1 << 23) return from_number(type, -7);  // -E2BIG
    const FunctionDef& function = *function_list_[callback - 1];
    if (function.parameters.size() != 2) throw Fault("a callback of bpf_loop takes two arguments");
    uint64_t turn = 0;
    while (turn < turns) {
      step();
      const Value stop = call(function, {from_bits(function.parameters[0].type, turn), from_bits(function.parameters[1].type, data)});
      ++turn;
      if (to_bits(stop) > 1) throw Fault("a callback of bpf_loop gives 0 or 1");
      if (to_bits(stop) != 0) break;
    }
    return from_number(type, turn);
  }

  std::vector<Value> values;
  for (size_t i = 0; i < n->arguments.size(); ++i) values.push_back(argument(i));
  if (name == "bpf_ktime_get_ns" || name == "bpf_ktime_get_boot_ns" || name == "bpf_ktime_get_coarse_ns") {
    const uint64_t now = clock_;
    clock_ += 1000;
    return from_bits(type, now);
  }
  if (name == "bpf_get_prandom_u32") {
    random_ = random_ * 6364136223846793005u + 1442695040888963407u;
    return from_bits(type, random_ >> 33);
  }
  if (name == "bpf_get_smp_processor_id") return from_bits(type, world_.cpu);
  if (name == "bpf_redirect") {
    // Unknown flags are refused, by each program type with its own verdict.
    const bool is_xdp = entry_ && entry_->program_type == "xdp";
    if (is_xdp) return from_number(type, kernel_constant(to_bits(values.at(1)) == 0 ? "XDP_REDIRECT" : "XDP_ABORTED"));
    return from_number(type, kernel_constant((to_bits(values.at(1)) & ~uint64_t(1)) == 0 ? "TC_ACT_REDIRECT" : "TC_ACT_SHOT"));
  }
  throw Fault(fmt::format("the helper {} is not interpreted", name));
}

Value Interpreter::builtin_call(const Node<BuiltinCall>& n) {
  std::vector<Value> values;
  for (const Expr& argument : n->arguments) values.push_back(eval(argument));
  const std::string_view name = n->function.text();
  const Type type = n.type;
  if ((name == "min" || name == "max") && values.size() == 2)
    return convert(compare(CompareOp::Less, values[0], values[1]) == (name == "min") ? values[0] : values[1], type);
  if (name == "abs" && values.size() == 1) {
    const __int128 number = to_number(values[0]);
    return from_number(type, number < 0 ? -number : number);
  }
  if (values.size() == 1) {
    const bool to_network = name == "htons" || name == "htonl" || name == "ntohs" || name == "ntohl";
    if (to_network && !c.target.little_endian) return convert(values[0], type);
    if (name == "bswap16" || name == "htons" || name == "ntohs") return from_bits(type, swapped(to_bits(values[0]), 16));
    if (name == "bswap32" || name == "htonl" || name == "ntohl") return from_bits(type, swapped(to_bits(values[0]), 32));
    if (name == "bswap64") return from_bits(type, swapped(to_bits(values[0]), 64));
  }
  throw Fault(fmt::format("{} is not interpreted", name));
}

Value Interpreter::runtime_call(const Node<RuntimeCall>& n) {
  std::vector<Value> values;
  for (const Expr& argument : n->arguments) values.push_back(eval(argument));
  const std::string_view name = n->function.text();
  const auto signed_operation = [&](Operator op, int bits) {
    const Type type = c.types.integer(bits, true);
    if (values.size() != 2) throw Fault(fmt::format("{} takes two arguments", name));
    return convert(arithmetic(op, type, convert(values[0], type), convert(values[1], type)), n.type);
  };
  if (name == "ks_div_s32") return signed_operation(Operator::Divide, 32);
  if (name == "ks_div_s64") return signed_operation(Operator::Divide, 64);
  if (name == "ks_mod_s32") return signed_operation(Operator::Remainder, 32);
  if (name == "ks_mod_s64") return signed_operation(Operator::Remainder, 64);
  throw Fault(fmt::format("there is no support function {}", name));
}

}  // namespace ksc
