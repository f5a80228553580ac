// SPDX-License-Identifier: Apache-2.0
// What is called but not written in the program: helpers of the kernel, what the language defines, support code.
#include <fmt/format.h>

#include "ir/interpreter.h"

namespace ksc {
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
  if (name == "bpf_map_push_elem") {
    wants(3);
    MapState& map = map_of(n->arguments[0]);
    const Bytes value = pointed(1, map.type->element);
    if (to_bits(argument(2)) != 0) throw Fault("values are pushed with flags");
    return from_number(type, push_value(map, value));
  }
  if (name == "bpf_ringbuf_reserve") {
    wants(3);
    MapState& map = map_of(n->arguments[0]);
    if (to_bits(argument(1)) != stored_size(map.type->element)) throw Fault("a record of another size");
    if (to_bits(argument(2)) != 0) throw Fault("records are reserved with flags");
    return from_bits(type, reserve_record(map, stored_size(map.type->element), false));
  }
  if (name == "bpf_ringbuf_submit" || name == "bpf_ringbuf_discard") {
    wants(2);
    if (to_bits(argument(1)) != 0) throw Fault("records are submitted with flags");
    close_record(to_bits(argument(0)), name == "bpf_ringbuf_submit");
    return Value{type, {}};
  }
  if (name == "bpf_obj_new_impl") {
    wants(0);
    const Address object = memory_.allocate_unwritten(stored_size(type->element), "what `new` has given");
    heap_.insert(object);
    must_delete_.insert(object);
    return from_bits(type, object);
  }
  if (name == "bpf_obj_drop_impl") {
    wants(2);
    if (to_bits(argument(0)) == 0) throw Fault("null is deleted");
    delete_object(to_bits(argument(0)));
    return Value{type, {}};
  }
  if (name == "bpf_ringbuf_reserve_dynptr") {
    wants(4);
    MapState& map = map_of(n->arguments[0]);
    const Address record = reserve_record(map, to_bits(argument(1)), false);
    if (to_bits(argument(2)) != 0) throw Fault("records are reserved with flags");
    dynptrs_[to_bits(argument(3))] = record;
    return from_number(type, record ? 0 : -22);  // -EINVAL
  }
  if (name == "bpf_dynptr_from_xdp" || name == "bpf_dynptr_from_skb") {
    wants(3);
    if (to_bits(argument(1)) != 0) throw Fault("a dynptr is made with flags");
    dynptrs_[to_bits(argument(2))] = packet_;
    return from_number(type, 0);
  }
  if (name == "bpf_ringbuf_submit_dynptr" || name == "bpf_ringbuf_discard_dynptr") {
    wants(2);
    const auto dynptr = dynptrs_.find(to_bits(argument(0)));
    if (dynptr == dynptrs_.end()) throw Fault("what is submitted or discarded is no dynptr");
    if (dynptr->second) close_record(dynptr->second, name == "bpf_ringbuf_submit_dynptr");
    dynptrs_.erase(dynptr);
    return Value{type, {}};
  }
  if (name == "bpf_dynptr_data") {
    wants(3);
    const auto dynptr = dynptrs_.find(to_bits(argument(0)));
    if (dynptr == dynptrs_.end()) throw Fault("what is accessed is no dynptr");
    const Address at = dynptr->second + to_bits(argument(1));
    const bool is_there = dynptr->second && in_open_record(at, to_bits(argument(2)));
    return from_bits(type, is_there ? at : 0);
  }
  if (name == "bpf_dynptr_read" || name == "bpf_dynptr_write") {
    wants(5);
    const bool reads = name == "bpf_dynptr_read";
    const auto dynptr = dynptrs_.find(to_bits(argument(reads ? 2 : 0)));
    if (dynptr == dynptrs_.end()) throw Fault("what is accessed is no dynptr");
    const Address own = to_bits(argument(reads ? 0 : 2)), at = dynptr->second + to_bits(argument(reads ? 3 : 1));
    const uint64_t size = to_bits(argument(reads ? 1 : 3));
    const bool is_there =
        dynptr->second == packet_ ? memory_.inside(packet_, at, size) : dynptr->second && in_open_record(at, size);
    if (!is_there) return from_number(type, -7);  // -E2BIG
    memory_.store(reads ? own : at, memory_.load(reads ? at : own, size));
    return zero_value(type);
  }
  if (name == "bpf_ringbuf_output") {
    wants(4);
    MapState& map = map_of(n->arguments[0]);
    const Bytes value = pointed(1, map.type->element);
    if (to_bits(argument(2)) != value.size()) throw Fault("a record of another size");
    if (to_bits(argument(3)) != 0) throw Fault("records are written with flags");
    return from_number(type, push_value(map, value));
  }
  if (name == "bpf_map_pop_elem" || name == "bpf_map_peek_elem") {
    wants(2);
    MapState& map = map_of(n->arguments[0]);
    return take_value(map, name == "bpf_map_pop_elem", to_bits(argument(1)), type);
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
      const Value stop =
          call(function, {from_bits(function.parameters[0].type, turn), from_bits(function.parameters[1].type, data)});
      ++turn;
      if (to_bits(stop) > 1) throw Fault("a callback of bpf_loop gives 0 or 1");
      if (to_bits(stop) != 0) break;
    }
    return from_number(type, turn);
  }

  if (name == "bpf_for_each_map_elem") {
    wants(4);
    MapState& map = map_of(n->arguments[0]);
    const uint64_t callback = to_bits(argument(1)), data = to_bits(argument(2));
    argument(3);
    if (callback == 0 || callback > function_list_.size())
      throw Fault("bpf_for_each_map_elem calls what is no function");
    const FunctionDef& function = *function_list_[callback - 1];
    if (function.parameters.size() != 4) throw Fault("a callback of bpf_for_each_map_elem takes four arguments");
    const auto given = [&](size_t i, uint64_t bits) { return from_bits(function.parameters[i].type, bits); };
    int64_t visited = 0;
    for (const Bytes& key : keys_of(map)) {
      const Address entry = find_entry(map, key);
      if (!entry) continue;  // deleted meanwhile
      step();
      ++visited;
      const Address at = memory_.allocate(key, "the key that an iteration is at");
      const Value stop = call(function, {given(0, 0), given(1, at), given(2, entry), given(3, data)});
      memory_.release(at);
      if (to_bits(stop) > 1) throw Fault("a callback of bpf_for_each_map_elem gives 0 or 1");
      if (to_bits(stop) != 0) break;
    }
    return from_number(type, visited);
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
  if (name == "bpf_skb_pull_data") {
    const uint64_t wanted = to_bits(values.at(1));
    if (wanted > world_.packet.size()) return from_number(type, -12);  // -ENOMEM
    linear_ = std::max(linear_, wanted);
    return from_number(type, 0);
  }
  if (name == "bpf_xdp_adjust_head" || name == "bpf_xdp_adjust_tail")
    return from_number(type, adjust_packet(name == "bpf_xdp_adjust_head", static_cast<int32_t>(to_bits(values.at(1)))));
  if (name == "bpf_redirect") {
    // Unknown flags are refused, by each program type with its own verdict.
    const bool is_xdp = entry_ && entry_->program_type == "xdp";
    if (is_xdp) return from_number(type, kernel_constant(to_bits(values.at(1)) == 0 ? "XDP_REDIRECT" : "XDP_ABORTED"));
    return from_number(
        type, kernel_constant((to_bits(values.at(1)) & ~uint64_t(1)) == 0 ? "TC_ACT_REDIRECT" : "TC_ACT_SHOT"));
  }
  throw Fault(fmt::format("the helper {} is not interpreted", name));
}

uint64_t Interpreter::number_of(Name function) const {
  for (size_t i = 0; i < function_list_.size(); ++i)
    if (function_list_[i]->name == function) return i + 1;
  throw Fault(fmt::format("there is no function {}", function.text()));
}

Value Interpreter::builtin_call(const Node<BuiltinCall>& n) {
  const std::string_view name = n->function.text();
  const Type type = n.type;
  if (const auto value = lifecycle_call(n)) return *value;
  std::vector<Value> values;
  for (const Expr& argument : n->arguments) values.push_back(eval(argument));
  if ((name == "min" || name == "max") && values.size() == 2)
    return convert(compare(CompareOp::Less, values[0], values[1]) == (name == "min") ? values[0] : values[1], type);
  if (name == "abs" && values.size() == 1) {
    const __int128 number = to_number(values[0]);
    return from_number(type, number < 0 ? -number : number);
  }
  if (values.size() == 1) {
    const bool to_network = name == "htons" || name == "htonl" || name == "ntohs" || name == "ntohl";
    if (to_network && !c.target.little_endian) return convert(values[0], type);
    if (name == "bswap16" || name == "htons" || name == "ntohs")
      return from_bits(type, bytes_swapped(to_bits(values[0]), 16));
    if (name == "bswap32" || name == "htonl" || name == "ntohl")
      return from_bits(type, bytes_swapped(to_bits(values[0]), 32));
    if (name == "bswap64") return from_bits(type, bytes_swapped(to_bits(values[0]), 64));
  }
  if (name == "new") {
    const Address object = memory_.allocate(Bytes(stored_size(type->element)), "what `new` has given");
    heap_.insert(object);
    return from_bits(type, object);
  }
  if (name == "delete" && values.size() == 1) {
    if (const Address object = to_bits(values[0])) delete_object(object);
    return zero_value(type);
  }
  if (name == "panic") throw ExitProcess{134};
  throw Fault(fmt::format("{} is not interpreted", name));
}

void Interpreter::delete_object(Address object) {
  if (heap_.erase(object) == 0) throw Fault("what is deleted was not given by `new`, or has been deleted");
  must_delete_.erase(object);
  memory_.release(object);
  ++events_["object deleted"];
}

Value Interpreter::runtime_call(const Node<RuntimeCall>& n) {
  if (const auto value = map_runtime_call(n)) return *value;
  if (n->function == "ks_store" && n->arguments.size() == 2) {
    const Place at = place(n->arguments[0]);
    write(at, eval(n->arguments[1]));
    return zero_value(n.type);
  }
  std::vector<Value> values;
  for (const Expr& argument : n->arguments) values.push_back(eval(argument));
  std::string_view name = n->function.text();
  const auto wants = [&](size_t count) {
    if (values.size() != count) throw Fault(fmt::format("{} is given {} arguments", name, values.size()));
  };
  if (name == "ks_record_offset") {
    wants(1);
    return from_bits(n.type, std::min<uint64_t>(to_bits(values[0]), 0x1000000));
  }
  if (name == "ks_clear_record") {
    wants(2);
    if (const Address record = dynptrs_.at(to_bits(values[0]))) memory_.store(record, Bytes(to_bits(values[1])));
    return zero_value(n.type);
  }
  if (name == "__builtin_memcpy" || name == "ks_copy" || name == "ks_copy_by") {
    wants(name == "ks_copy_by" ? 4 : 3);
    memory_.store(to_bits(values[0]), memory_.load(to_bits(values[1]), to_bits(values[2])));
    write_back(to_bits(values[0]), to_bits(values[2]));
    return zero_value(n.type);
  }
  if (name == "ks_clear_elements") {
    wants(2);
    memory_.store(to_bits(values[0]), Bytes(to_bits(values[1]) * stored_size(type_of(n->arguments[0])->element)));
    return zero_value(n.type);
  }
  if (name == "ks_get_elements" || name == "ks_put_elements") {
    wants(3);
    const uint64_t size = to_bits(values[2]) * stored_size(type_of(n->arguments[0])->element);
    memory_.store(to_bits(values[0]), memory_.load(to_bits(values[1]), size));
    return zero_value(n.type);
  }
  if (name == "__builtin_memset" || name == "ks_fill") {
    wants(3);
    memory_.store(to_bits(values[0]), Bytes(to_bits(values[2]), static_cast<uint8_t>(to_bits(values[1]))));
    write_back(to_bits(values[0]), to_bits(values[2]));
    return zero_value(n.type);
  }
  if (name == "__builtin_memcmp" || name == "ks_differ") {
    wants(3);
    const uint64_t size = to_bits(values[2]);
    const auto bytes = [&](const Value& side) {
      if (!is(side.type, TypeKind::Str)) return memory_.load(to_bits(side), size);
      Bytes text = side.bytes;  // a literal
      if (text.size() < size) throw Fault(fmt::format("{} reads past a literal", name));
      text.resize(size);
      return text;
    };
    const Bytes left = bytes(values[0]), right = bytes(values[1]);
    return from_number(n.type, left == right ? 0 : left < right ? -1 : 1);
  }
  if (name == "ks_append" || name == "ks_append_bytes") {
    wants(5);
    const uint64_t size = to_bits(values[1]), given = to_bits(values[4]);
    uint64_t length = to_bits({c.types.u32(), memory_.load(to_bits(values[2]), 4)});
    const bool is_literal = is(values[3].type, TypeKind::Str);
    Bytes bytes = is_literal ? values[3].bytes : memory_.load(to_bits(values[3]), given);
    bytes.resize(std::min<size_t>(bytes.size(), given));
    for (const uint8_t byte : bytes) {
      if (byte == 0) break;
      if (length + 1 < size) memory_.store(to_bits(values[0]) + length, {byte});
      ++length;
    }
    write_back(to_bits(values[0]), size);
    memory_.store(to_bits(values[2]), from_bits(c.types.u32(), length).bytes);
    return zero_value(n.type);
  }
  if (name == "ks_length") {
    wants(2);
    const Bytes text = memory_.load(to_bits(values[0]), to_bits(values[1]));
    return from_bits(n.type, text.size() - static_cast<size_t>(std::count(text.begin(), text.end(), 0)));
  }
  static const std::map<std::string_view, int> swaps = {
      {"__builtin_bswap16", 16}, {"__builtin_bswap32", 32}, {"__builtin_bswap64", 64}};
  if (const auto found = swaps.find(name); found != swaps.end())
    return wants(1), from_bits(n.type, bytes_swapped(to_bits(values[0]), found->second));
  static const std::map<std::string_view, int> orders = {
      {"bpf_htons", 16}, {"bpf_ntohs", 16}, {"bpf_htonl", 32}, {"bpf_ntohl", 32}};
  if (const auto found = orders.find(name); found != orders.end()) {
    wants(1);
    return from_bits(n.type,
                     c.target.little_endian ? bytes_swapped(to_bits(values[0]), found->second) : to_bits(values[0]));
  }
  if (name == "ks_count_lost_write" || name == "ks_count_failed_tail_call")
    return wants(0), zero_value(n.type);  // what is counted is no part of a trace
  if (name == "ks_claim_scratch" || name == "ks_release_scratch") {
    wants(1);
    const Bytes claimed = memory_.load(to_bits(values[0]), 8);
    memory_.store(to_bits(values[0]), from_bits(c.types.u64(), name == "ks_claim_scratch").bytes);
    return from_number(n.type, claimed == Bytes(8));
  }
  // These speak to the verifier and to C compilers alone.
  if (name == "ks_reach") {
    wants(2);
    const uint64_t most = (uint64_t(1) << to_bits(values[1])) - 1;
    return from_bits(n.type, std::min(to_bits(values[0]), most));
  }
  if (name == "ks_masked") {
    wants(2);
    return from_bits(n.type, to_bits(values[0]) & ((uint64_t(1) << to_bits(values[1])) - 1));
  }
  if (name == "ks_forget" || name == "ks_hide" || name == "ks_read" || name == "ks_load" || name == "ks_unlinked" ||
      name == "ks_detached" || name == "ks_turn")
    return wants(1), values[0];
  if (name == "ks_present") return wants(1), from_bits(n.type, to_bits(values[0]) != 0);
  if (name == "barrier_var" || name == "ks_own" || name == "ks_forget_bytes") return wants(1), zero_value(n.type);
  if (name == "ks_clear_result") return wants(0), zero_value(n.type);
  if (name == "barrier") return wants(0), zero_value(n.type);
  if (name == "KS_INDEX") {
    wants(2);
    if (to_bits(values[0]) >= to_bits(values[1])) throw ExitProcess{134};
    return from_bits(n.type, to_bits(values[0]));
  }
  if (name == "ks_character") {
    wants(3);
    const uint64_t index = to_bits(values[2]);
    return from_bits(n.type, index < values[0].bytes.size() ? values[0].bytes[index] : 0);
  }
  if (name == "ks_signed" || name == "ks_unsigned") {
    wants(2);
    const Type cut = c.types.integer(static_cast<int>(to_bits(values[1])), name == "ks_signed");
    return from_number(n.type, to_number(truncated(cut, to_double(values[0]))));
  }
  if (name == "KS_UNCAUGHT") throw ExitProcess{1};
  if (name == "ks_stop_if_signalled") return wants(0), zero_value(n.type);
  if (name == "free") return wants(1), memory_.release(to_bits(values[0])), zero_value(n.type);
  // ks_div_s32 and its like: an operation, and the type that it works in
  if (name.starts_with("ks_") && name.size() > 7) {
    const std::string_view suffix = name.substr(name.size() - 4), operation = name.substr(3, name.size() - 7);
    if (suffix == "_s32" || suffix == "_s64" || suffix == "_u32" || suffix == "_u64") {
      const Type type = c.types.integer(suffix.ends_with("64") ? 64 : 32, suffix[1] == 's');
      for (Value& value : values) value = convert(value, type);
      if (operation == "div")
        return wants(2), convert(arithmetic(Operator::Divide, type, values[0], values[1]), n.type);
      if (operation == "mod")
        return wants(2), convert(arithmetic(Operator::Remainder, type, values[0], values[1]), n.type);
      if (operation == "min" || operation == "max")
        return wants(2),
               convert(compare(CompareOp::Less, values[0], values[1]) == (operation == "min") ? values[0] : values[1],
                       n.type);
      if (operation == "abs")
        return wants(1),
               convert(from_number(type, to_number(values[0]) < 0 ? -to_number(values[0]) : to_number(values[0])),
                       n.type);
    }
  }
  throw Fault(fmt::format("there is no support function {}", name));
}

}  // namespace ksc
