// SPDX-License-Identifier: Apache-2.0
#include "ir/interpret.h"

#include <fmt/format.h>

#include "ir/captures.h"
#include "ir/effects.h"
#include "ir/interpreter.h"
#include "ir/program_type.h"
#include "ir/status.h"

namespace ksc {

Trace interpret(Context& context, const Program& program, Name entry, const World& world,
                const InterpretOptions& options) {
  return Interpreter(context, world, options).run(program, entry);
}

std::vector<Name> entry_functions(const Program& program) {
  std::vector<Name> names;
  for (const Decl& d : program)
    if (const auto* function = as<FunctionDef>(d); function && function->form.domain == Domain::Program)
      names.push_back(function->form.name);
  return names;
}

Name main_function(const Program& program) {
  for (const Decl& d : program)
    if (const auto* function = as<FunctionDef>(d);
        function && function->form.domain == Domain::User && function->form.name == "main")
      return function->form.name;
  return {};
}

namespace {

/// Whether the developer declared what is called so: names that passes make carry a number.
bool is_developers(Name name) { return !name.is_generated(); }

/// What maps and globals are called by in a world and in a trace: of two files' `x` the second is `x_1`, as in C.
std::string trace_name(Name name) { return is_developers(name) ? word_of(name) : std::string(name.spelling()); }

}  // namespace

int64_t Interpreter::kernel_constant(std::string_view name) const {
  const KernelConstant* found = c.kernel_types->find_constant(name);
  if (!found) throw Fault(fmt::format("the constant {} is not known", name));
  return static_cast<int64_t>(found->value);
}

Value Interpreter::constant(const Expr& e) { return eval(e); }

void Interpreter::fill_map(Name name, Type type, bool shared) {
  MapState& map = maps_[name];
  map.type = type;
  map.kind = find_map_kind(type->name.text());
  map.shared = shared;
  if (!map.kind) throw Fault(fmt::format("no kind of maps is called {}", type->name.text()));
  const auto given = world_.maps.find(trace_name(name));
  if (!shared || given == world_.maps.end()) return;
  if (!type->key) {
    // The world has them in the order in which they are taken.
    std::vector<Bytes> values;
    for (const auto& [number, value] : given->second) values.push_back(value);
    if (map.kind->taken_first == TakenFirst::Newest) std::reverse(values.begin(), values.end());
    for (const Bytes& value : values) push_value(map, value);
    return;
  }
  for (const auto& [key, value] : given->second) {
    if (key.size() != stored_size(type->key) || value.size() != stored_size(type->element))
      throw Fault(fmt::format("the world has an entry of another size for {}", name.text()));
    store_entry(map, key, value, 0);
  }
}

void Interpreter::declare(const Program& program) {
  // Functions first: constants may name them.
  for (const Decl& d : program)
    if (const auto* n = as<FunctionDef>(d)) {
      functions_[n->form.name] = &n->form;
      function_list_.push_back(&n->form);
    }
  frames_.emplace_back();
  const auto add_global = [&](Name name, Type type, Value value) {
    if (const auto given = world_.globals.find(trace_name(name));
        is_developers(name) && given != world_.globals.end()) {
      if (given->second.size() != stored_size(type))
        throw Fault(fmt::format("the world has another size for {}", name.text()));
      value.bytes = given->second;
    }
    globals_[name] = {memory_.allocate(value.bytes, {"the global", name.text()}), type};
  };
  const auto struct_value = [&](Type type, Span<FieldValue> values) {
    Value whole = zero_value(type);
    for (const FieldValue& value : values) {
      const StructField* field = find_field(type, value.name);
      if (!field) throw Fault(fmt::format("{} has no member {}", spell(type), value.name.text()));
      const Value given = constant(value.value);
      std::copy(given.bytes.begin(), given.bytes.end(), whole.bytes.begin() + field->offset);
    }
    return whole;
  };
  for (const Decl& d : program) {
    visit<runnable>(d, on<License>([](const auto&) {}), on<StructDef>([](const auto&) {}),
                    on<EnumDef>([](const auto&) {}), on<ConstDef>([](const auto&) {}),
                    on<ConfigDef>([&](const Node<ConfigDef>& n) {
                      add_global(n->name, n->type, struct_value(n->type, n->values));
                    }),
                    on<GlobalDef>([&](const Node<GlobalDef>& n) {
                      Value value = n->value ? constant(*n->value) : zero_value(n->type);
                      value.bytes.resize(stored_size(n->type));
                      add_global(n->name, n->type, value);
                    }),
                    on<FaultVerdict>([&](const Node<FaultVerdict>& n) {
                      fault_verdicts_[n->program] = static_cast<int64_t>(to_number(constant(n->verdict)));
                    }),
                    on<MapDef>([&](const Node<MapDef>& n) { fill_map(n->name, n->type, n->shared); }),
                    on<FunctionDef>([](const auto&) {}),
                    on<CommandLine>([&](const Node<CommandLine>& n) { command_line_ = &n.form; }),
                    on<ProgramArray>([&](const Node<ProgramArray>& n) { program_arrays_[n->name] = &n.form; }),
                    on<Scratch>([&](const Node<Scratch>& n) { fill_scratch(n.form); }),
                    on<PinnedGlobals>([&](const Node<PinnedGlobals>& n) {
                      Value whole = struct_value(n->type, n->values);
                      for (const StructField& field : n->type->body->fields) {
                        const auto given = world_.globals.find(trace_name(field.name));
                        if (given == world_.globals.end()) continue;
                        if (given->second.size() != stored_size(field.type))
                          throw Fault(fmt::format("the world has another size for {}", field.name.text()));
                        std::copy(given->second.begin(), given->second.end(), whole.bytes.begin() + field.offset);
                      }
                      const Address at = memory_.allocate(whole.bytes, "the pinned globals");
                      globals_[n->name] = {at, n->type};
                      // The same bytes are the one entry of an array map.
                      MapState& map = maps_[n->name];
                      map.type = c.types.map(c.name("array"), c.types.u32(), n->type, 1);
                      map.kind = find_map_kind("array");
                      map.shared = false;
                      map.entries[Bytes(4)] = at;
                    }));
  }
}

void Interpreter::fill_scratch(const Scratch& n) {
  MapState& map = maps_[n.name];
  map.type = c.types.map(c.name("array"), c.types.u32(), n.type, n.slots);
  map.kind = find_map_kind("array");
  map.shared = false;
  for (uint32_t slot = 0; slot < n.slots; ++slot) {
    // An earlier run has left something there; but nobody has claimed it.
    Bytes bytes(stored_size(n.type), 0xa5);
    if (n.slots > 1) std::fill_n(bytes.begin(), 8, 0);
    map.entries[from_bits(c.types.u32(), slot).bytes] = memory_.allocate(bytes, "the scratch memory");
  }
}

Value Interpreter::call(const FunctionDef& function, const std::vector<Value>& arguments) {
  if (++depth_ > 64) throw Fault("calls are nested without end");
  if (arguments.size() != function.parameters.size())
    throw Fault(fmt::format("{} takes {} arguments and is given {}", function.name.text(), function.parameters.size(),
                            arguments.size()));
  Frame frame;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const Parameter& parameter = function.parameters[i];
    const Value value = convert(arguments[i], parameter.type);
    frame.locals[parameter.name] = {memory_.allocate(value.bytes, {"the parameter", parameter.name.text()}),
                                    parameter.type};
  }
  frame.result = zero_value(function.result);
  frame.function = &function;
  frames_.push_back(std::move(frame));
  const size_t level = frames_.size();
  if (function.result_name) {
    bind(function.result_name, zero_value(function.result), function.result);
    frames_.back().result_name = function.result_name;
  }
  const auto variables = function_variables_.find(function.name);
  frames_.back().function_variables =
      &(variables != function_variables_.end()
            ? variables
            : function_variables_.emplace(function.name, ksc::function_variables(function)).first)
           ->second;
  Flow flow = Flow::Return;
  std::optional<uint64_t> raised;
  std::optional<TailTransfer> transfer;
  std::vector<Name> declared;  // for what is deferred they are still there
  try {
    flow = statements(function.body, declared);
  } catch (const Raised& error) {
    raised = error.status;
  } catch (const TailTransfer& call) {
    transfer = call;
  }
  if (!raised && !transfer && frames_.size() != level) throw Fault("frames are not nested");
  while (frames_.size() > level) drop_frame();
  if (flow != Flow::Return && function.result_name)
    frames_.back().result = named_result();
  else if (flow != Flow::Return && !is(function.result, TypeKind::Void))
    throw Fault(fmt::format("{} ends without a result", function.name.text()));
  raised = run_deferred(raised);
  if (raised && !function.throws) throw Raised{*raised};
  if (raised) frames_.back().result = from_bits(function.result, *raised);
  if (transfer && !raised) throw *transfer;
  const Value result = frames_.back().result;
  drop_frame();
  return result;
}

void Interpreter::drop_frame() {
  for (const auto& [name, local] : frames_.back().locals) memory_.release(local.first);
  frames_.pop_back();
  --depth_;
}

Value Interpreter::named_result() {
  const auto& [at, type] = frames_.back().locals.at(frames_.back().result_name);
  return {type, memory_.load(at, stored_size(type))};
}

/// What the command line makes of the parameter of `main`: members whose option is absent are zero.
std::vector<Value> Interpreter::main_arguments(const FunctionDef& main) {
  if (main.parameters.empty()) return {};
  Type type = main.parameters[0].type;
  Value whole = zero_value(type);
  const auto is_option = [&](Name member) {
    if (!command_line_) return true;  // it is not said yet what is one
    return std::any_of(command_line_->options.begin(), command_line_->options.end(),
                       [&](const CommandOption& option) { return option.member == member; });
  };
  for (const auto& [name, bytes] : world_.options) {
    const StructField* member = find_field(type, c.name(name));
    if (!member || bytes.size() != stored_size(member->type))
      throw Fault(fmt::format("the world has another option {}", name));
    if (is_option(member->name)) std::copy(bytes.begin(), bytes.end(), whole.bytes.begin() + member->offset);
  }
  return {whole};
}

int64_t Interpreter::run_entry(Name entry) {
  for (Name current = entry;;) {
    const auto found = functions_.find(current);
    if (found == functions_.end()) throw Fault(fmt::format("there is no program {}", current.text()));
    entry_ = found->second;
    depth_ = 0;
    if (in_userspace_) try {
        return static_cast<int64_t>(to_number(call(*entry_, main_arguments(*entry_))));
      } catch (const ExitProcess& exit) {
        return ++events_["userspace program ends early"], exit.code;
      } catch (const Raised&) {
        return ++events_["uncaught throw"], 1;
      }
    try {
      std::vector<Value> arguments;
      if (!entry_->parameters.empty()) arguments.push_back(from_bits(entry_->parameters[0].type, context_));
      return static_cast<int64_t>(to_number(call(*entry_, arguments)));
    } catch (const TailTransfer& transfer) {
      frames_.resize(1);
      current = transfer.program;
    } catch (const Raised& raised) {
      frames_.resize(1);
      const ProgramType* type = find_program_type(entry_->program_type.text());
      if (kind_of_status(raised.status) == StatusKind::Throw) throw Fault("a throw comes out of a program");
      if (kind_of_status(raised.status) == StatusKind::Panic) return ++events_["panic"], kernel_constant(type->safe);
      if (const auto given = fault_verdicts_.find(entry_->name); given != fault_verdicts_.end())
        return ++events_["fault verdict"], given->second;
      return kernel_constant(type->pass_through);
    }
  }
}

Trace Interpreter::run(const Program& program, Name entry) {
  clock_ = world_.clock;
  random_ = world_.random;
  fuel_ = world_.fuel;
  packet_ = memory_.allocate(world_.packet, "the packet");
  linear_ = world_.packet.size();
  std::string fault;
  std::optional<int64_t> result;
  bool out_of_fuel = false;
  try {
    declare(program);
    const auto found = functions_.find(entry);
    in_userspace_ = found != functions_.end() && found->second->domain == Domain::User;
    if (found == functions_.end() || (!in_userspace_ && !find_program_type(found->second->program_type.text())))
      throw Fault("this is no eBPF program");
    if (!in_userspace_ && !found->second->parameters.empty()) {
      context_type_ = found->second->parameters[0].type->element;
      context_ = memory_.allocate(Bytes(size_of(context_type_)), "the context");
      can_pull_ = context_type_->name == "__sk_buff";
      if (can_pull_ && world_.linear) linear_ = std::min(linear_, *world_.linear);
      for (const StructField& field : context_type_->body->fields) {
        uint64_t value = field.name == "len" ? world_.packet.size() : 0;
        if (const auto given = world_.context.find(std::string(field.name.text())); given != world_.context.end())
          value = given->second;
        if (is_integral(field.type)) memory_.store(context_ + field.offset, from_bits(field.type, value).bytes);
      }
    }
    result = run_entry(entry);
    for (const auto& [address, record] : open_records_)
      if (record.must_close) throw Fault("a record of a ring is left open");
    if (!must_delete_.empty()) throw Fault("what `new` has given is left");
  } catch (const Fault& f) {
    fault = f.what();
  } catch (const OutOfFuel&) {
    out_of_fuel = true;
  } catch (const Abrupt&) {
    fault = "a break or continue without a loop";
  } catch (const Raised&) {
    fault = in_userspace_ ? "a userspace program leaves an eBPF program" : "a constant leaves its function";
  } catch (const TailTransfer&) {
    fault = "a constant is a tail call";
  }
  Trace seen = trace(result);
  seen.fault = fault;
  seen.out_of_fuel = out_of_fuel;
  return seen;
}

Trace Interpreter::trace(std::optional<int64_t> result) {
  Trace seen;
  seen.result = result;
  seen.packet = memory_.contents(packet_);
  seen.prints = prints_;
  seen.events = events_;
  for (const auto& [name, map] : maps_) {
    if (!map.shared) continue;
    MapContents& contents = seen.maps[trace_name(name)];
    if (!map.type->key) {
      std::vector<Bytes> values;
      for (const auto& [number, at] : map.entries) values.push_back(memory_.contents(at));
      if (map.kind->taken_first == TakenFirst::Newest) std::reverse(values.begin(), values.end());
      for (size_t i = 0; i < values.size(); ++i) contents[from_bits(c.types.u32(), i).bytes] = values[i];
      continue;
    }
    for (const auto& [key, at] : map.entries) {
      const Bytes& value = memory_.contents(at);
      // Entries of array kinds always exist; which of them were touched is nobody's business.
      if (is_array(map) && value == Bytes(value.size())) continue;
      contents[key] = value;
    }
  }
  for (const auto& [name, global] : globals_) {
    const Bytes& bytes = memory_.contents(global.at);
    if (maps_.count(name)) {
      for (const StructField& field : global.type->body->fields) {
        const auto begin = bytes.begin() + field.offset;
        seen.globals[trace_name(field.name)] = Bytes(begin, begin + static_cast<long>(stored_size(field.type)));
      }
    } else if (is_developers(name) && !holds_float(global.type)) {
      // Constants of floating point are userspace's, and what is shown is what programs of both sides have.
      seen.globals[trace_name(name)] = bytes;
    }
  }
  if (context_)
    for (const StructField& field : context_type_->body->fields)
      if (is_integral(field.type))
        seen.context[std::string(field.name.text())] =
            to_bits({field.type, memory_.load(context_ + field.offset, size_of(field.type))});
  return seen;
}

bool Interpreter::reaches_packet(Address at, uint64_t size, bool may_pull) {
  if (!memory_.inside(packet_, at, size)) return false;
  const uint64_t end = at - packet_ + size;
  if (end <= linear_) return true;
  if (!may_pull || !can_pull_) return false;
  linear_ = end;
  ++events_["packet data pulled"];
  return true;
}

int64_t Interpreter::adjust_packet(bool moves_start, int64_t bytes) {
  constexpr int64_t shortest = 14;  // an Ethernet header
  constexpr int64_t room = 3520;    // as BPF_PROG_RUN has it in a page, behind the headroom
  if (moves_start && bytes < 0) throw Fault("the bytes before the packet are not known");
  Bytes packet = memory_.contents(packet_);
  const int64_t size = static_cast<int64_t>(packet.size()) + (moves_start ? -bytes : bytes);
  if (size < shortest || size > room) return -22;  // -EINVAL
  if (moves_start)
    packet.erase(packet.begin(), packet.begin() + bytes);
  else
    packet.resize(static_cast<size_t>(size));
  memory_.release(packet_);
  packet_ = memory_.allocate(packet, "the packet");
  linear_ = packet.size();
  ++events_["packet moved"];
  return 0;
}

bool Interpreter::holds_end(const Expr& e) const {
  if (as<PacketEnd>(e)) return true;
  const auto* local = as<Local>(e);
  return local && frames_.back().ends.count(local->form.name);
}

void Interpreter::require_packet(Address at, uint64_t size) {
  if (reaches_packet(at, size, !options_.packet_accesses_checked)) return;
  if (options_.packet_accesses_checked) throw Fault("access outside the packet");
  ++events_["access outside the packet"];
  throw Raised{static_cast<uint64_t>(status_of(StatusKind::Bounds))};
}

void Interpreter::require_packet(const Place& place, Address at, uint64_t size) {
  if (place.needed)
    require_packet(place.needed_at, place.needed);
  else
    require_packet(at, size);
}

void Interpreter::tail_call(Name program) {
  // At most 33 of them follow one another [L61]; the next one returns, and the safe verdict is given [L63].
  ++events_[tail_calls_ >= 33 ? "tail call beyond the limit" : "tail call"];
  if (tail_calls_ >= 33) return;
  ++tail_calls_;
  throw TailTransfer{program};
}

}  // namespace ksc
