// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>

#include "ir/captures.h"
#include "ir/copied_bytes.h"
#include "ir/interpreter.h"
#include "ir/program_type.h"
#include "ir/status.h"

namespace ksc {

Interpreter::Flow Interpreter::body(const Body& body) {
  std::vector<Name> declared;
  const Flow flow = statements(body, declared);
  for (const Name& name : declared) unbind(name);
  return flow;
}

Interpreter::Flow Interpreter::statements(const Body& body, std::vector<Name>& declared) {
  for (const Stmt& s : body.statements) {
    if (const auto* let = as<Let>(s)) declared.push_back(let->form.name);
    const Flow flow = statement(s);
    if (flow != Flow::Next) return flow;
  }
  return Flow::Next;
}

Interpreter::Flow Interpreter::statement(const Stmt& s) {
  step();
  const size_t level = frames_.size();
  try {
    return statement_cases(s);
  } catch (const Abrupt& way_out) {
    if (frames_.size() != level) throw Fault("a way out leads out of its function");
    return way_out.flow;
  }
}

void Interpreter::bind(Name name, const Value& value, Type type) {
  unbind(name);
  const Value held = in_userspace_ && is(type, TypeKind::EntryRef) ? own_copy(value) : convert(value, type);
  frames_.back().locals[name] = {memory_.allocate(held.bytes, {"the variable", name.text()}), type};
}

void Interpreter::unbind(Name name) {
  const auto found = frames_.back().locals.find(name);
  if (found == frames_.back().locals.end()) return;
  memory_.release(found->second.first);
  frames_.back().locals.erase(found);
  frames_.back().ends.erase(name);
}

void Interpreter::unwind(size_t level, const NameSet& outer) {
  while (frames_.size() > level) drop_frame();
  std::vector<Name> declared;
  for (const auto& [name, place] : frames_.back().locals)
    if (!outer.count(name)) declared.push_back(name);
  for (const Name& name : declared) unbind(name);
}

NameSet Interpreter::bound_names() const {
  NameSet names;
  for (const auto& [name, place] : frames_.back().locals) names.insert(name);
  return names;
}

void Interpreter::defer(const Node<Defer>& n) {
  Deferred deferred{&n->body, {}};
  for (const auto& [name, type] : captured_by(n.form, *frames_.back().function_variables)) {
    const Value value = read(place(c.make(Local{name}, n.loc, type)));
    const bool is_copy = in_userspace_ && is(type, TypeKind::EntryRef);
    deferred.kept.push_back({name, is_copy ? own_copy(value) : value, type});
  }
  frames_.back().deferred.push_back(std::move(deferred));
}

std::optional<uint64_t> Interpreter::run_deferred(std::optional<uint64_t> raised) {
  const size_t level = frames_.size();
  const NameSet outer = bound_names();
  const Value result = frames_.back().result;
  while (!frames_.back().deferred.empty()) {
    const Deferred deferred = std::move(frames_.back().deferred.back());
    frames_.back().deferred.pop_back();
    ++events_["deferred body run"];
    for (const auto& [name, value, type] : deferred.kept) bind(name, value, type);
    try {
      body(*deferred.body);
    } catch (const Raised& error) {
      raised = error.status;
    }
    unwind(level, outer);
  }
  frames_.back().result = result;
  return raised;
}

Interpreter::Flow Interpreter::finally(const Node<Finally>& n) {
  const size_t level = frames_.size();
  const NameSet outer = bound_names();
  Flow flow = Flow::Next;
  std::optional<uint64_t> raised;
  std::optional<TailTransfer> transfer;
  try {
    flow = body(n->body);
  } catch (const Raised& error) {
    raised = error.status;
  } catch (const TailTransfer& call) {
    transfer = call;
  }
  unwind(level, outer);
  // The end of the function is a way out of it.
  if (flow == Flow::Next && frames_.back().result_name) {
    frames_.back().result = named_result();
    flow = Flow::Return;
  }
  const Value result = frames_.back().result;
  const Name label = frames_.back().label;
  body(n->cleanup);
  frames_.back().result = result;
  frames_.back().label = label;
  if (const auto waiting = std::exchange(frames_.back().waiting, std::nullopt)) raised = waiting;
  if (raised) throw Raised{*raised};
  if (transfer) throw *transfer;
  return flow;
}

void Interpreter::guarded(const Node<Guarded>& n) {
  const size_t level = frames_.size();
  const NameSet outer = bound_names();
  try {
    body(n->body);
  } catch (const Raised& error) {
    unwind(level, outer);
    frames_.back().waiting = error.status;
  }
}

Interpreter::Flow Interpreter::try_statement(const Node<Try>& n) {
  const size_t level = frames_.size();
  const NameSet outer = bound_names();
  uint64_t status = 0;
  try {
    return body(n->body);
  } catch (const Raised& raised) {
    status = raised.status;
  }
  unwind(level, outer);
  for (const CatchClause& clause : n->clauses) {
    const bool takes = clause.bounds ? kind_of_status(status) == StatusKind::Bounds
                       : clause.code
                           ? status == static_cast<uint64_t>(status_of(
                                           StatusKind::Throw, static_cast<int32_t>(to_number(eval(*clause.code)))))
                           : kind_of_status(status) == StatusKind::Throw;
    if (!takes) continue;
    ++events_[clause.bounds ? "failed check caught" : "throw caught"];
    if (clause.name.name) bind(clause.name.name, from_number(c.types.i32(), code_of_status(status)), c.types.i32());
    const Flow flow = body(clause.body);
    if (clause.name.name) unbind(clause.name.name);
    return flow;
  }
  ++events_["throw passed on"];
  throw Raised{status};
}

void Interpreter::copy_bytes(const CopyBytes& copy) {
  const Type byte = c.types.u8();
  const auto at = [&](const Expr& pointer) {
    Place place;
    place.where = Place::Where::Memory;
    place.type = byte;
    place.at = to_bits(eval(pointer));
    place.in_packet = points_into(type_of(pointer), Space::Packet);
    place.in_dynptr = points_into(type_of(pointer), Space::Dynptr);
    return place;
  };
  Place source = at(copy.source), destination = at(copy.destination);
  uint64_t size = to_bits(eval(copy.size));
  for (const Expr& side : {copy.source, copy.destination}) size = std::min(size, most_bytes(type_of(side)));
  try {
    for (; size > 0; --size, ++source.at, ++destination.at) {
      // What a turn of the loop takes that this becomes: its end, two tests, a read and a write.
      for (int i = 0; i < 4; ++i) step();
      write(destination, read(source));
      ++events_["byte copied"];
    }
  } catch (const Raised& raised) {
    if (raised.status != static_cast<uint64_t>(status_of(StatusKind::Bounds))) throw;
    ++events_["copy that ends with the packet"];
  }
}

Interpreter::Flow Interpreter::if_present(const Node<IfPresent>& n) {
  const Value value = eval(n->value);
  const bool present = is(value.type, TypeKind::Maybe) ? value.bytes.back() != 0 : to_bits(value) != 0;
  if (!present) return body(n->otherwise);
  bind(n->name, value, n->type);
  const Flow flow = body(n->then);
  unbind(n->name);
  return flow;
}

/// Runs one turn of a loop: Break ends it, Return and Goto leave it, everything else goes on.
template <class Run>
Interpreter::Flow Interpreter::loop(Run&& turn) {
  for (;;) {
    step();
    std::optional<Flow> flow = turn();
    if (!flow || *flow == Flow::Break) return Flow::Next;
    if (*flow == Flow::Return || *flow == Flow::Goto) return *flow;
  }
}

Interpreter::Flow Interpreter::for_loop(const Node<For>& n) {
  const Type type = type_of(n->low);
  __int128 at = to_number(eval(n->low));
  const __int128 high = to_number(eval(n->high));
  return loop([&]() -> std::optional<Flow> {
    if (n->inclusive ? at > high : at >= high) return std::nullopt;
    bind(n->name.name, from_number(type, at++), type);
    const Flow flow = body(n->body);
    unbind(n->name.name);
    return flow;
  });
}

Interpreter::Flow Interpreter::counted_loop(const Node<CountedLoop>& n) {
  bind(n->name, eval(n->low), n->type);
  const auto counter = [&] { return read(place(c.make(Local{n->name}, n.loc, n->type))); };
  const Flow flow = loop([&]() -> std::optional<Flow> {
    const Value high = convert(eval(n->high), n->type);
    if (!compare(n->inclusive ? CompareOp::LessEqual : CompareOp::Less, counter(), high)) return std::nullopt;
    const Flow turn = body(n->body);
    if (turn == Flow::Next || turn == Flow::Continue)
      memory_.store(frames_.back().locals.at(n->name).first, from_number(n->type, to_number(counter()) + 1).bytes);
    return turn;
  });
  unbind(n->name);
  return flow;
}

Interpreter::Flow Interpreter::map_loop(const Node<MapLoop>& n) {
  MapState& map = map_of(n->map);
  const std::vector<Bytes> keys = keys_of(map);
  size_t next = 0;
  return loop([&]() -> std::optional<Flow> {
    Address entry = 0;
    while (next < keys.size() && !(entry = find_entry(map, keys[next]))) ++next;  // deleted meanwhile
    if (next == keys.size()) return std::nullopt;
    if (in_userspace_) entry = copy_entry(map, keys[next], false);
    bind(n->key, {map.type->key, keys[next++]}, map.type->key);
    bind(n->entry, from_bits(n->type, entry), n->type);
    const Flow flow = body(n->body);
    unbind(n->key);
    unbind(n->entry);
    return flow;
  });
}

Interpreter::Flow Interpreter::cpu_loop(const Node<CpuLoop>& n) {
  MapState& map = map_of(n->map);
  const std::vector<Bytes> values = values_of_cpus(map, eval(n->key).bytes);
  size_t next = 0;
  return loop([&]() -> std::optional<Flow> {
    if (next == values.size()) return std::nullopt;
    bind(n->cpu, from_number(c.types.u32(), static_cast<__int128>(next)), c.types.u32());
    bind(n->value, {map.type->element, values[next++]}, map.type->element);
    const Flow flow = body(n->body);
    unbind(n->cpu);
    unbind(n->value);
    return flow;
  });
}

Interpreter::Flow Interpreter::switch_statement(const Node<Switch>& n) {
  const __int128 value = to_number(eval(n->value));
  const SwitchCase* otherwise = nullptr;
  for (const SwitchCase& one : n->cases) {
    if (one.values.empty()) otherwise = &one;
    for (const Expr& wanted : one.values)
      if (to_number(eval(wanted)) == value) return body(one.body);
  }
  return otherwise ? body(otherwise->body) : Flow::Next;
}

void Interpreter::update(const Place& place, Operator op, const Value& operand) {
  // An absent entry of a map counts as zero [L40].
  write(place, arithmetic(op, place.type, read(place), operand));
}

Interpreter::Flow Interpreter::statement_cases(const Stmt& s) {
  const auto next = [](auto run) { return run(), Flow::Next; };
  return visit<runnable>(
      s, on<InvalidStmt>([&](const auto&) -> Flow { throw Fault("an invalid statement"); }),
      on<Evaluate>([&](const Node<Evaluate>& n) { return next([&] { eval(n->value); }); }),
      on<Block>([&](const Node<Block>& n) { return body(n->body); }), on<If>([&](const Node<If>& n) {
        for (const Branch& branch : n->branches)
          if (truth(branch.condition)) return body(branch.body);
        return body(n->otherwise);
      }),
      on<For>([&](const Node<For>& n) { return for_loop(n); }), on<While>([&](const Node<While>& n) {
        return loop(
            [&]() -> std::optional<Flow> { return truth(n->condition) ? std::optional(body(n->body)) : std::nullopt; });
      }),
      on<Loop>([&](const Node<Loop>& n) { return loop([&]() -> std::optional<Flow> { return body(n->body); }); }),
      on<Break>([](const auto&) { return Flow::Break; }), on<Continue>([](const auto&) { return Flow::Continue; }),
      on<Return>([&](const Node<Return>& n) {
        if (n->value) {
          const Value value = eval(*n->value);  // frames come and go meanwhile
          frames_.back().result = convert(value, frames_.back().result.type);
        } else if (frames_.back().result_name) {
          frames_.back().result = named_result();
        }
        return Flow::Return;
      }),
      on<Let>([&](const Node<Let>& n) {
        return next([&] {
          bind(n->name, n->value ? eval(*n->value) : zero_value(n->type), n->type);
          const FunctionDef* function = frames_.back().function;
          if (!n->value || !holds_end(*n->value) || !function) return;
          auto changed = changed_.find(function->name);
          if (changed == changed_.end())
            changed = changed_.emplace(function->name, changed_locals(function->body)).first;
          if (!changed->second.count(n->name)) frames_.back().ends.insert(n->name);
        });
      }),
      on<Assign>([&](const Node<Assign>& n) {
        return next([&] {
          const Place at = place(n->place);
          write(at, eval(n->value));
        });
      }),
      on<Update>([&](const Node<Update>& n) {
        return next([&] {
          const Place at = place(n->place);
          update(at, n->op, eval(n->value));
        });
      }),
      on<IfPresent>([&](const Node<IfPresent>& n) { return if_present(n); }),
      on<MapLoop>([&](const Node<MapLoop>& n) { return map_loop(n); }),
      on<CpuLoop>([&](const Node<CpuLoop>& n) { return cpu_loop(n); }), on<MapDelete>([&](const Node<MapDelete>& n) {
        return next([&] {
          MapState& map = map_of(n->map);
          delete_entry(map, eval(n->key).bytes);
        });
      }),
      on<CopyBytes>([&](const Node<CopyBytes>& n) { return next([&] { copy_bytes(n.form); }); }),
      on<Print>([&](const Node<Print>& n) {
        return next([&] {
          std::vector<Value> arguments;
          for (const Expr& argument : n->arguments) arguments.push_back(eval(argument));
          print(n->format.text(), arguments, false);
        });
      }),
      on<PrintPart>([&](const Node<PrintPart>& n) {
        return next([&] {
          std::vector<Value> arguments;
          for (const Expr& argument : n->arguments) arguments.push_back(eval(argument));
          begun_line_ += printed_text(n->format.text(), arguments, false);
        });
      }),
      on<TailCall>([&](const Node<TailCall>& n) {
        eval(n->context);
        tail_call(n->program);
        const ProgramType* type = find_program_type(entry_->program_type.text());
        frames_.back().result = from_number(frames_.back().result.type, kernel_constant(type->safe));
        return Flow::Return;
      }),
      on<Switch>([&](const Node<Switch>& n) { return switch_statement(n); }),
      on<Leave>([&](const Node<Leave>& n) -> Flow {
        throw Raised{static_cast<uint64_t>(status_of(status_kind(n->reason)))};
      }),
      on<Throw>([&](const Node<Throw>& n) -> Flow {
        const auto code = static_cast<int32_t>(to_number(eval(n->code)));
        throw Raised{static_cast<uint64_t>(status_of(StatusKind::Throw, code))};
      }),
      on<Raise>([&](const Node<Raise>& n) -> Flow { throw Raised{to_bits(eval(n->status))}; }),
      on<Try>([&](const Node<Try>& n) { return try_statement(n); }),
      on<Finally>([&](const Node<Finally>& n) { return finally(n); }),
      on<Guarded>([&](const Node<Guarded>& n) { return next([&] { guarded(n); }); }),
      on<Attempt>([&](const Node<Attempt>& n) { return next([&] { attempt(n); }); }),
      on<Defer>([&](const Node<Defer>& n) { return next([&] { defer(n); }); }),
      on<Labelled>([&](const Node<Labelled>& n) {
        const Flow flow = body(n->body);
        return flow == Flow::Goto && frames_.back().label == n->label ? Flow::Next : flow;
      }),
      on<Goto>([&](const Node<Goto>& n) {
        frames_.back().label = n->label;
        return Flow::Goto;
      }),
      on<MapStore>([&](const Node<MapStore>& n) {
        return next([&] {
          MapState& map = map_of(n->map);
          const Value key = eval(n->key);
          store_or_drop(map, key.bytes, convert(eval(n->value), map.type->element).bytes, 0);
        });
      }),
      on<AtomicUpdate>([&](const Node<AtomicUpdate>& n) {
        return next([&] {
          Place at;
          if (const auto* address = as<AddressOf>(n->pointer)) {
            at = place(address->form.place);
          } else {
            at.where = Place::Where::Memory;
            at.at = to_bits(eval(n->pointer));
            at.type = type_of(n->pointer)->element;
          }
          update(at, n->op, eval(n->value));
        });
      }),
      on<CountedLoop>([&](const Node<CountedLoop>& n) { return counted_loop(n); }),
      on<TraceLine>([&](const Node<TraceLine>& n) {
        return next([&] {
          std::vector<Value> arguments;
          for (const Expr& argument : n->arguments) arguments.push_back(eval(argument));
          print(n->format.text(), arguments, true);
        });
      }));
}

void Interpreter::print(std::string_view format, const std::vector<Value>& arguments, bool kernel_verbs) {
  std::string line = std::exchange(begun_line_, {}) + printed_text(format, arguments, kernel_verbs);
  while (!line.empty() && line.back() == '\n') line.pop_back();
  prints_.push_back(line);
}

std::string Interpreter::printed_text(std::string_view format, const std::vector<Value>& arguments, bool kernel_verbs) {
  std::string line;
  size_t next = 0;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      line += format[i];
      continue;
    }
    int longs = 0;
    for (++i; i < format.size() && format[i] == 'l'; ++i) ++longs;
    const char verb = i < format.size() ? format[i] : '\0';
    if (verb == '%') {
      line += '%';
      continue;
    }
    if (next == arguments.size()) throw Fault("a line has more verbs than arguments");
    const Value& value = arguments[next++];
    // The developer's verbs take any width [L149], and %u and %x show the bits of the type's own; the kernel's take 32
    // bits unless they say long.
    const bool wide = longs > 0;
    const uint64_t bits =
        is_aggregate(value.type) || is(value.type, TypeKind::Float) ? 0 : static_cast<uint64_t>(to_number(value));
    const uint64_t unsigned_bits = !kernel_verbs ? to_bits(value) : wide ? bits : bits & 0xffffffff;
    if (verb == 's') {
      // A str, or in lowered programs the address of one.
      Bytes text = value.bytes;
      if (!is_aggregate(value.type)) {
        text.clear();
        for (uint64_t at = bits;; ++at) {
          const uint8_t byte = memory_.load(at, 1)[0];
          if (byte == 0) break;
          text.push_back(byte);
        }
      }
      for (uint8_t byte : text) {
        if (byte == 0) break;
        line += static_cast<char>(byte);
      }
    } else if (verb == 'f') {
      // A NaN has no sign that means anything.
      line += std::isnan(to_double(value)) ? "nan" : fmt::format("{:f}", to_double(value));
    } else if (verb == 'c') {
      line += static_cast<char>(bits);
    } else if (verb == 'p') {
      line += bits ? "<pointer>" : "<null>";
    } else if (verb == 'x') {
      line += fmt::format("{:x}", unsigned_bits);
    } else if (verb == 'd' || verb == 'i') {
      if (kernel_verbs)
        line += wide ? fmt::format("{}", static_cast<int64_t>(bits)) : fmt::format("{}", static_cast<int32_t>(bits));
      else
        line += is_signed(value.type) ? fmt::format("{}", static_cast<int64_t>(bits)) : fmt::format("{}", bits);
    } else if (verb == 'u') {
      line += fmt::format("{}", unsigned_bits);
    } else {
      throw Fault(fmt::format("there is no verb %{}", verb));
    }
  }
  return line;
}

}  // namespace ksc
