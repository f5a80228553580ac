// SPDX-License-Identifier: Apache-2.0
#include "ir/stack_frames.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "ir/children.h"
#include "ir/copy_pieces.h"
#include "ir/map_kind.h"
#include "ir/places.h"
#include "ir/visit.h"

namespace ksc {
namespace {

bool is_kept_in_memory(Type type) { return is_aggregate(type) || is(type, TypeKind::Str); }

constexpr uint64_t word_size = 8;

/// Behind less than eight bytes there may be a gap: what follows may have to begin at a multiple of eight.
uint64_t bytes_on_stack(Type type) { return (size_of(type) + 7) / 8 * 8; }

/// In how many pieces a value in memory is copied as what it is; 0 for what is none.
uint64_t pieces_of_value(const Expr& value) {
  const bool is_place = as<Local>(value) || as<Deref>(value) || as<Field>(value) || as<Index>(value);
  const Type type = type_of(value);
  return is_place && is_kept_in_memory(type) ? size_of(type) / align_of(type) : 0;
}

/// In how many pieces C compilers copy at once what a statement copies. What copy_large_values copies by a loop is
/// written piece by piece.
uint64_t pieces_at_once(const Stmt& s) {
  const auto unless_looped = [](uint64_t pieces) { return pieces > most_pieces_at_once ? 0 : pieces; };
  if (const auto* evaluated = as<Evaluate>(s)) {
    const auto copy = pieces_of_copy(evaluated->form.value);
    return copy ? unless_looped(copy->count) : 0;
  }
  if (const auto* assign = as<Assign>(s)) return unless_looped(pieces_of_value(assign->form.value));
  if (const auto* let = as<Let>(s)) return let->form.value ? pieces_of_value(*let->form.value) : 0;
  // A helper of the kernel is given the address of a copy.
  if (const auto* store = as<MapStore>(s))
    return std::max(pieces_of_value(store->form.key), pieces_of_value(store->form.value));
  return 0;
}

/// What waits on the stack while a value is copied.
uint64_t copied_by(const Stmt& s) {
  constexpr uint64_t most_moves = 64;  // C compilers copy no more inline
  const uint64_t pieces = std::min(pieces_at_once(s), most_moves);
  return pieces > pieces_in_registers ? word_size * (pieces - pieces_in_registers) : 0;
}

/// The places that variables and temporaries have on the stack. One whose scope has ended may be another's later, but
/// as a whole: C compilers put one variable into the place of another, not two into that of a larger one (StackColoring
/// of LLVM).
class Places {
 public:
  /// A place of so many bytes is taken; returns by how much the stack grows.
  uint64_t take(uint64_t bytes) {
    // The smallest that is large enough, else the largest, which grows.
    auto place = free_.lower_bound(bytes);
    if (place == free_.end() && !free_.empty()) --place;
    const uint64_t before = place == free_.end() ? 0 : *place;
    if (place != free_.end()) free_.erase(place);
    taken_.push_back(std::max(before, bytes));
    return taken_.back() - before;
  }
  size_t taken() const { return taken_.size(); }
  /// What was taken since there were so many is free again.
  void free_down_to(size_t taken) {
    free_.insert(taken_.begin() + static_cast<long>(taken), taken_.end());
    taken_.resize(taken);
  }

 private:
  std::vector<uint64_t> taken_;   // the sizes of places, in the order in which they were taken
  std::multiset<uint64_t> free_;  // of those that were left
};

/// Adds up one function. What scopes beside each other declare shares its place; what C keeps for as long as the
/// function runs does not.
class FrameOf {
 public:
  StackFrame most;
  std::vector<StackFrames::Callee> calls;  // in the order of the first call

  FrameOf(const FunctionDef& function, uint64_t spilled_from) : spilled_from_(spilled_from) {
    spillable_ = Spillable(function);
    for (const Parameter& p : function.parameters) variable(p.type);
    body(function.body);
    most.temporaries += lasting_;
    most.registers += 16;  // parts of expressions have no names
  }

 private:
  void body(const Body& b) {
    const uint64_t registers_before = registers_;
    const size_t taken_before = places_.taken();
    const bool inserted_before = std::exchange(inserts_, false);
    const std::vector<std::vector<Name>> last = last_mentions(b);
    for (size_t i = 0; i < b.statements.size(); ++i) {
      statement(b.statements[i]);
      most.registers = std::max(most.registers, registers_ + copied_by(b.statements[i]));
      for (Name name : last[i]) registers_ -= in_registers_.erase(name) * 8;
    }
    registers_ = registers_before;
    places_.free_down_to(taken_before);
    inserts_ = inserted_before;
  }
  /// The variables of a body that no statement behind each one mentions.
  static std::vector<std::vector<Name>> last_mentions(const Body& b) {
    NameMap<size_t> last;
    for (size_t i = 0; i < b.statements.size(); ++i) {
      if (const auto* let = as<Let>(b.statements[i])) last[let->form.name] = i;
      if (last.empty()) continue;
      NameSet names;
      collect(b.statements[i], names);
      for (Name name : names)
        if (const auto found = last.find(name); found != last.end()) found->second = i;
    }
    std::vector<std::vector<Name>> out(b.statements.size());
    for (const auto& [name, at] : last) out[at].push_back(name);
    return out;
  }
  void statement(const Stmt& s) {
    bool begins_in_place = false;
    if (const auto* let = as<Let>(s)) {
      if (!spilled_from_ || !spillable_.is_spilled(let->form, spilled_from_)) {
        variable(let->form.type);
        // What a loop changes has an address, and with it a place to the end of its scope.
        if (!is_kept_in_memory(let->form.type) && !spillable_.is_changed_in_turns(let->form.name))
          in_registers_.insert(let->form.name);
      } else {
        spilled_.insert(let->form.name);
      }
      begins_in_place = let->form.value && is_kept_in_memory(let->form.type);
    } else if (const auto* store = as<MapStore>(s)) {
      addressed(store->form.key), addressed(store->form.value);
    } else if (const auto* removal = as<MapDelete>(s)) {
      addressed(removal->form.key);
    } else if (const auto* print = as<Print>(s)) {
      temporary(8 * print->form.arguments.size());
    }
    each_child_of(
        s, [&](const Expr& e) { expression(e, begins_in_place); }, [](const Stmt&) {});
    const uint64_t registers_before = registers_;
    const size_t taken_before = places_.taken();
    if (const auto* loop = as<CountedLoop>(s)) {
      variable(loop->form.type);
      captures(s);
    } else if (const auto* loop = as<MapLoop>(s)) {
      variable(type_of(loop->form.map)->key), variable(loop->form.type);
      captures(s);
    }
    const bool is_loop = as<CountedLoop>(s) || as<MapLoop>(s);
    loops_ += is_loop;
    each_body_of(s, [&](const Body& b) { body(b); });
    loops_ -= is_loop;
    if (!is_loop) return;
    registers_ = registers_before;
    places_.free_down_to(taken_before);
  }
  void expression(const Expr& e, bool begins_in_place) {
    if (const auto* lookup = as<MapLookup>(e)) {
      addressed(lookup->form.key);
    } else if (const auto* slot = as<MapSlot>(e)) {
      if (find_map_kind(type_of(slot->form.map)->name.text())->entries_always_exist) {
        addressed(slot->form.key);
      } else {
        // Its key is given three times, so it gets a name; the zero that is inserted is gone behind the insertion.
        if (!spilled_from_ || !is_integral(type_of(slot->form.key))) variable_for(slot->form.key);
        if (is_scalar(type_of(e)->element) && !std::exchange(inserts_, true)) temporary(8);
      }
    } else if (const auto* call = as<MapCall>(e)) {
      for (const Expr& argument : call->form.arguments) addressed(argument);
    } else if (const auto* call = as<Call>(e)) {
      const auto found = std::find_if(calls.begin(), calls.end(),
                                      [&](const StackFrames::Callee& c) { return c.function == call->form.function; });
      StackFrames::Callee& callee =
          found == calls.end() ? calls.emplace_back(StackFrames::Callee{call->form.function}) : *found;
      ++callee.calls;
      callee.in_loop |= loops_ > 0;
      callee.registers = registers_;
    } else if (!begins_in_place && makes_value_in_memory(e) && !is_spilled(type_of(e))) {
      lasting_ += bytes_on_stack(type_of(e));
    }
    each_child_of(
        e, [&](const Expr& child) { expression(child, begins_in_place); }, [](const Stmt&) {});
  }

  bool is_spilled(Type type) const { return spilled_from_ && size_of(type) >= spilled_from_ && is_spillable(type); }
  void variable(Type type) {
    if (!is_kept_in_memory(type))
      registers_ += 8;
    else if (!is_spilled(type))
      most.variables += places_.take(bytes_on_stack(type));
  }
  void temporary(uint64_t bytes) { most.temporaries += places_.take(bytes); }
  void addressed(const Expr& value) {
    if (spilled_from_ && is_integral(type_of(value)))
      return;  // they take turns in a variable that is counted where it is declared
    if (as<Int>(value))
      lasting_ += bytes_on_stack(type_of(value));
    else
      variable_for(value);
  }
  /// What a helper is given by address lies in a variable, if not in one already.
  void variable_for(const Expr& value) {
    if (!is_kept_in_memory(type_of(value)) || !(as<Local>(value) || is_spilled(type_of(value))))
      temporary(bytes_on_stack(type_of(value)));
  }
  /// Each local that a loop uses may be a word of what its turns are given. How it is left, and with which result, are
  /// variables.
  void captures(const Stmt& loop) {
    NameSet names;
    collect(loop, names);
    uint64_t words = 0;
    for (Name name : names) words += spilled_.count(name) ? 0 : 1;
    temporary(words * 8);
    constexpr FormSet ways_out = form_set_of<Return, TailCall, Goto>();
    if (!(header(loop).contains & ways_out).empty()) temporary(16);
  }
  static void collect(const auto& whole, NameSet& names) {
    each_child_of(
        whole,
        [&](const Expr& e) {
          if (const auto* local = as<Local>(e)) names.insert(local->form.name);
          collect(e, names);
        },
        [&](const Stmt& s) { collect(s, names); });
  }
  uint64_t spilled_from_;
  Spillable spillable_;
  NameSet in_registers_;  // the numbers and pointers that are still needed
  NameSet spilled_;       // the variables that lie elsewhere
  Places places_;
  uint64_t registers_ = 0;  // at the place that the walk has reached
  uint64_t lasting_ = 0;    // literals whose address is taken
  int loops_ = 0;           // around it
  bool inserts_ = false;    // whether the body at work, so far, has inserted a zero
};

}  // namespace

namespace {
/// Whether an element is chosen by what is no constant.
bool varies(const Expr& place) {
  if (const auto* field = as<Field>(place)) return varies(field->form.base);
  const auto* index = as<Index>(place);
  return index && (!as<Int>(index->form.index) || varies(index->form.base));
}
}  // namespace

Spillable::Spillable(const FunctionDef& function) {
  for (const Stmt& s : function.body.statements) look_at(s, 0);
  std::vector<Name> waiting(updated_.begin(), updated_.end());
  while (!waiting.empty()) {
    const Name pointer = waiting.back();
    waiting.pop_back();
    for (Name referred : referred_[pointer])
      if (forced_.insert(referred).second) waiting.push_back(referred);
  }
}

void Spillable::refer(Name pointer, const Expr& value) {
  if (const auto* converted = as<Convert>(value)) return refer(pointer, converted->form.value);
  const auto* address = as<AddressOf>(value);
  const auto* local = as<Local>(address ? address->form.place : value);
  if (local && (address || is(local->type, TypeKind::Pointer) || is(local->type, TypeKind::EntryRef)))
    referred_[pointer].insert(local->form.name);
}

bool Spillable::is_spilled(const Let& let, uint64_t from) const {
  if (is_spillable(let.type) && (size_of(let.type) >= from || forced_.count(let.name))) return true;
  // A number that the compiler made tells which way was taken: what the verifier knows of it is lost in memory of maps.
  if (!is_integral(let.type) || bounds_.count(let.name) || let.name.is_generated()) return false;
  return from <= least_spilled || (from <= turn_numbers_spilled && changed_in_turns_.count(let.name));
}

void Spillable::look_at(const Stmt& s, int loops) {
  if (const auto* let = as<Let>(s)) declared_in_[let->form.name] = loops;
  if (const auto* assign = as<Assign>(s)) {
    change(assign->form.place, loops);
    const auto* converted = as<Convert>(assign->form.value);
    const auto* address = as<AddressOf>(converted ? converted->form.value : assign->form.value);
    const auto* kept = address ? as<Local>(address->form.place) : nullptr;
    const auto declared = kept ? declared_in_.find(kept->form.name) : declared_in_.end();
    if (declared != declared_in_.end() && declared->second < loops) forced_.insert(kept->form.name);
    if (const auto* pointer = as<Local>(assign->form.place)) refer(pointer->form.name, assign->form.value);
  }
  if (const auto* let = as<Let>(s); let && let->form.value) refer(let->form.name, *let->form.value);
  if (const auto* update = as<AtomicUpdate>(s))
    if (const auto* address = as<AddressOf>(update->form.pointer); address && varies(address->form.place))
      if (const auto* behind = as<Deref>(root_of(address->form.place)))
        if (const auto* pointer = as<Local>(behind->form.pointer)) updated_.insert(pointer->form.name);
  if (const auto* loop = as<CountedLoop>(s))
    for (const Expr& bound : {loop->form.low, loop->form.high})
      if (const auto* local = as<Local>(bound)) bounds_.insert(local->form.name);
  const bool is_loop = as<CountedLoop>(s) || as<MapLoop>(s);
  each_child_of(
      s, [&](const Expr& e) { look_at(e, loops); }, [&](const Stmt& t) { look_at(t, loops + is_loop); });
}

void Spillable::look_at(const Expr& e, int loops) {
  if (const auto* address = as<AddressOf>(e)) change(address->form.place, loops);
  each_child_of(
      e, [&](const Expr& child) { look_at(child, loops); }, [&](const Stmt& s) { look_at(s, loops); });
}

void Spillable::change(const Expr& place, int loops) {
  const auto* local = as<Local>(place);
  const auto declared = local ? declared_in_.find(local->form.name) : declared_in_.end();
  if (declared != declared_in_.end() && declared->second < loops) changed_in_turns_.insert(local->form.name);
}

bool is_spillable(Type type) {
  if (is(type, TypeKind::Str)) return true;
  if (is(type, TypeKind::Array)) return is_integral(type->element) || is_spillable(type->element);
  // The verifier knows dynptrs on the stack alone.
  return is(type, TypeKind::Struct) && type->name != "bpf_dynptr" &&
         std::all_of(type->body->fields.begin(), type->body->fields.end(),
                     [](const StructField& f) { return is_integral(f.type) || is_spillable(f.type); });
}

bool makes_value_in_memory(const Expr& e) {
  const Kind kind = kind_of(e);
  return is_kept_in_memory(type_of(e)) &&
         (kind == Kind::StructValue || kind == Kind::ArrayValue || kind == Kind::StringValue || kind == Kind::Zero);
}

StackFrames::StackFrames(const Program& program) {
  for (const Decl& d : program)
    if (const auto* function = as<FunctionDef>(d)) functions_[function->form.name] = &function->form;
  NameMap<int> calls;
  for (const auto& [name, unused] : functions_) {
    spill(name, 0);
    for (const Callee& callee : calls_.at(name)) {
      calls[callee.function] += callee.calls;
      if (callee.in_loop) called_apart_.insert(callee.function);
    }
  }
  for (const auto& [name, count] : calls)
    if (count > 1) called_apart_.insert(name);
}

void StackFrames::spill(Name function, uint64_t from) {
  FrameOf counted(*functions_.at(function), from);
  frames_[function] = counted.most;
  std::erase_if(counted.calls, [&](const Callee& callee) { return !functions_.count(callee.function); });
  std::vector<Name>& names = names_of_callees_[function];
  names.clear();
  for (const Callee& callee : counted.calls) names.push_back(callee.function);
  calls_[function] = std::move(counted.calls);
}

uint64_t StackFrames::most_of_chain(Name function, uint64_t (*size)(const StackFrame&)) const {
  const std::vector<Name> reached = reached_from(function);
  struct Chain {
    StackFrame frame;    // with those of the functions that C compilers put into it
    uint64_t below = 0;  // what the functions that it calls need
  };
  NameMap<Chain> chains;
  for (auto at = reached.rbegin(); at != reached.rend(); ++at) {
    Chain& chain = chains[*at];
    chain.frame = of(*at);
    StackFrame inlined;  // those of them that are called one after another share their places
    for (const Callee& callee : calls_.at(*at)) {
      const Chain& called = chains.at(callee.function);
      if (called_apart_.count(callee.function)) {
        chain.below = std::max(chain.below, size(called.frame) + called.below);
        continue;
      }
      inlined.variables = std::max(inlined.variables, called.frame.variables);
      inlined.temporaries = std::max(inlined.temporaries, called.frame.temporaries);
      chain.frame.registers = std::max(chain.frame.registers, callee.registers + called.frame.registers);
      chain.below = std::max(chain.below, called.below);
    }
    chain.frame.variables += inlined.variables;
    chain.frame.temporaries += inlined.temporaries;
  }
  return size(chains.at(function).frame) + chains.at(function).below;
}

uint64_t StackFrames::chain(Name function) const {
  // round_up_stack_depth in kernel/bpf/verifier.c.
  constexpr uint64_t whole = 32;
  return most_of_chain(function, [](const StackFrame& frame) { return (frame.size() + whole - 1) / whole * whole; });
}

uint64_t StackFrames::memory_of_chain(Name function) const {
  return most_of_chain(function, [](const StackFrame& frame) { return frame.variables + frame.temporaries; });
}

std::vector<Name> StackFrames::reached_from(Name function) const {
  // Callers before their callees: the reverse of the order in which a walk in depth leaves the functions.
  std::vector<Name> left;
  NameSet seen;
  const auto walk = [&](auto& self, Name name) -> void {
    if (!seen.insert(name).second) return;
    for (auto callee = callees(name).rbegin(); callee != callees(name).rend(); ++callee) self(self, *callee);
    left.push_back(name);
  };
  walk(walk, function);
  std::reverse(left.begin(), left.end());
  return left;
}

}  // namespace ksc
