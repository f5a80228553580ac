// SPDX-License-Identifier: Apache-2.0
#include "ir/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "ir/effects.h"
#include "ir/sexpr.h"
#include "ir/visit.h"

namespace ksc {
namespace {

constexpr size_t most_problems = 20;  // a broken pass breaks everything: the first ones tell enough

bool is_invalid(Type type) { return !type || is(type, TypeKind::Invalid); }
bool is_reference(Type type) { return is(type, TypeKind::Pointer) || is(type, TypeKind::EntryRef) || is(type, TypeKind::Null) || is(type, TypeKind::Handle); }
bool is_array(Type type) { return is(type, TypeKind::Array) || is(type, TypeKind::Str); }
bool holds_maybe(Type type) { return is(type, TypeKind::Maybe) || (type && type->element && holds_maybe(type->element)); }

/// Whether a value of one type may stand where the other is wanted. References agree whatever memory they point into.
bool agree(Type a, Type b) {
  if (a == b || is_invalid(a) || is_invalid(b)) return true;
  if (!is_reference(a) || !is_reference(b)) return false;
  return !a->element || !b->element || a->element == b->element || is(a->element, TypeKind::Void) || is(b->element, TypeKind::Void);
}

bool is_arithmetic_builtin(std::string_view name) {
  for (std::string_view one : {"min", "max", "abs", "bswap16", "bswap32", "bswap64", "htons", "htonl", "ntohs", "ntohl"})
    if (name == one) return true;
  return false;
}

/// How many nodes of an expression do something. A packet access does, until it has been given its test; an element whose index
/// lies behind a pointer does where it may not run, until later passes put pointers in that are known to lead somewhere.
int effects_in(const Expr& e, bool with_packet, bool with_index) {
  if (!may_have_effect(e)) return 0;
  const Kind kind = kind_of(e);
  int count = is_effect(e) && (kind != Kind::Deref || with_packet) && (kind != Kind::Index || with_index) ? 1 : 0;
  each_child_of(e, [&](const Expr& child) { count += effects_in(child, with_packet, with_index); }, [&](const Stmt&) { ++count; });
  return count;
}

/// The bytes from the pointer on that a packet place needs, and the pointer.
uint64_t extent(const Expr& place, const Expr*& pointer) {
  if (const auto* deref = as<Deref>(place)) {
    pointer = &deref->form.pointer;
    return size_of(type_of(place));
  }
  uint64_t begin = 0, size = size_of(type_of(place));
  const Expr* at = &place;
  for (;;) {
    if (const auto* field = as<Field>(*at)) {
      const StructField* member = find_field(type_of(field->form.base), field->form.name);
      begin += member ? member->offset : 0;
      at = &field->form.base;
    } else if (const auto* index = as<Index>(*at)) {
      const auto* constant = as<Int>(index->form.index);
      if (constant) begin += static_cast<uint64_t>(constant->form.value.value) * size_of(type_of(*at));
      else size = size_of(type_of(index->form.base));
      at = &index->form.base;
    } else {
      break;
    }
  }
  if (const auto* deref = as<Deref>(*at)) pointer = &deref->form.pointer;
  return begin + size;
}

/// Walks the program once and reports what breaks a rule of its language. Rules whose breach is the developer's mistake are looked
/// at from the gate on: before it the pass has reported the mistake, and the program goes no further.
class Checker {
 public:
  Checker(const Program& program, const Lang& lang, std::vector<std::string>& problems)
      : lang_(lang), problems_(problems), is_typed_(lang.rules.has(Rule::Typed)), is_sound_(is_typed_ && !lang.has(Kind::InvalidExpr)) {
    for (const Decl& d : program) {
      if (const auto* function = as<FunctionDef>(d)) functions_[function->form.name] = &function->form;
      if (const auto* global = as<GlobalDef>(d)) globals_[global->form.name] = global->form.type;
      if (const auto* config = as<ConfigDef>(d)) globals_[config->form.name] = config->form.type;
      if (const auto* constant = as<ConstDef>(d)) globals_[constant->form.name] = constant->form.type;
      if (const auto* pins = as<PinnedGlobals>(d)) globals_[pins->form.name] = pins->form.type, pins_ = pins->form.name;
      if (const auto* map = as<MapDef>(d)) maps_[map->form.name] = true;
      if (const auto* array = as<ProgramArray>(d)) maps_[array->form.name] = true;
      if (const auto* pins = as<PinnedGlobals>(d)) maps_[pins->form.name] = true;
    }
  }

  template <class Sum>
  void node(const Sum& sum) {
    if (problems_.size() >= most_problems) return;
    boost::variant2::visit([&](const auto& ref) { form(sum, *ref); }, sum);
  }

 private:
  bool has(Rule rule) const { return lang_.rules.has(rule); }

  template <class Sum, class F>
  void form(const Sum& sum, const Node<F>& n) {
    if (!lang_.has(F::kind)) report(fmt::format("{} is not in the language", kind_names[int(F::kind)]), sum);
    if constexpr (std::same_as<Sum, Expr>) {
      if (is_typed_ && !n.type) report("an expression has no type", sum);
      if (has(Rule::NoMaybe) && holds_maybe(n.type)) report("a Maybe is left", sum);
    }
    rules(sum, n);
    if (is_sound_) types(sum, n);
    walk(n);
  }

  // ---- names and scopes ----

  /// The children, each in its scope.
  template <class F>
  void walk(const Node<F>& n) {
    if constexpr (std::same_as<F, Let> || std::same_as<F, VarStmt>) {
      children(n);
      if constexpr (std::same_as<F, Let>) declare(n.form.name, n.form.type);
      else declare(n.form.name.name, nullptr);
      tested_.erase(name_of(n.form).record());
    } else if constexpr (std::same_as<F, Local>) {
      used(n);
    } else if constexpr (std::same_as<F, IfPresent>) {
      node(n.form.value);
      scoped([&] { declare(n.form.name, n.form.type), statements(n.form.then); });
      body(n.form.otherwise);
    } else if constexpr (std::same_as<F, IfVar>) {
      if (n.form.type) node(*n.form.type);
      node(n.form.value);
      scoped([&] { declare(n.form.name.name, nullptr), statements(n.form.then); });
      body(n.form.otherwise);
    } else if constexpr (std::same_as<F, For>) {
      node(n.form.low);
      node(n.form.high);
      scoped([&] { declare(n.form.name.name, is_typed_ ? type_of(n.form.low) : nullptr), statements(n.form.body); });
    } else if constexpr (std::same_as<F, CountedLoop>) {
      node(n.form.low);
      node(n.form.high);
      tested_.clear();
      scoped([&] { declare(n.form.name, n.form.type), statements(n.form.body); });
    } else if constexpr (std::same_as<F, MapLoop>) {
      node(n.form.map);
      tested_.clear();
      scoped([&] {
        declare(n.form.key, is_typed_ && is(type_of(n.form.map), TypeKind::Map) ? type_of(n.form.map)->key : nullptr);
        declare(n.form.entry, n.form.type);
        statements(n.form.body);
      });
    } else if constexpr (std::same_as<F, ForEach>) {
      node(n.form.map);
      scoped([&] { declare(n.form.key.name, nullptr), declare(n.form.value.name, nullptr), statements(n.form.body); });
    } else if constexpr (std::same_as<F, BlockValue>) {
      scoped([&] {
        statements(n.form.body);
        if (n.form.value) node(*n.form.value);
      });
    } else if constexpr (std::same_as<F, FunctionDef>) {
      function_ = &n.form;
      tested_.clear();
      scoped([&] {
        for (const Parameter& p : n.form.parameters) declare(p.name, p.type);
        statements(n.form.body);
      });
      function_ = nullptr;
      seen_[n.form.name] = true;
    } else if constexpr (std::same_as<F, FunctionDecl>) {
      scoped([&] {
        for (const TypedName& p : n.form.parameters) node(p.type), declare(p.name.name, nullptr);
        if (n.form.result_name.name) declare(n.form.result_name.name, nullptr);
        statements(n.form.body);
      });
    } else {
      if constexpr (std::same_as<F, Loop>) tested_.clear();  // a pointer may have moved since the turn before
      children(n);
      if constexpr (std::same_as<F, Assign>)
        if (const auto* local = as<Local>(n.form.place)) tested_.erase(local->form.name.record());
    }
  }
  template <class F>
  static Name name_of(const F& form) {
    if constexpr (requires { form.name.name; }) return form.name.name;
    else return form.name;
  }
  template <class F>
  void children(const Node<F>& n) {
    std::apply([&](const auto&... fields) { (field(fields), ...); }, n.form.fields());
  }
  template <class T>
  void field(const T& value) {
    if constexpr (SumField<T>) node(value);
    else if constexpr (std::same_as<T, Body>) body(value);
    else if constexpr (is_span<T>) for (const auto& one : value) field(one);
    else if constexpr (is_option<T>) { if (value) field(*value); }
    else if constexpr (std::same_as<T, CatchClause>) clause(value);
    else if constexpr (Record<T>) std::apply([&](const auto&... parts) { (field(parts), ...); }, value.fields());
  }
  void clause(const CatchClause& clause) {
    if (clause.code) node(*clause.code);
    scoped([&] {
      if (clause.name.name) declare(clause.name.name, nullptr);
      statements(clause.body);
    });
  }
  void body(const Body& b) { scoped([&] { statements(b); }); }
  void statements(const Body& b) {
    if (has(Rule::ChecksRaised) && !has(Rule::ChecksMinimal)) raised(b);
    if (has(Rule::LookupsMerged) && lang_.has(Kind::MapLookup)) merged(b);
    for (const Stmt& s : b.statements) {
      node(s);
      if (is_checked_at_once()) learn(s);
    }
  }
  template <class Do>
  void scoped(Do&& run) {
    const size_t outer = live_.size(), learnt = learnt_.size();
    run();
    for (; live_.size() > outer; live_.pop_back()) locals_[live_.back()].is_live = false;
    // What was tested in a branch is not tested after it; what was forgotten in it stays forgotten.
    for (; learnt_.size() > learnt; learnt_.pop_back())
      if (auto found = tested_.find(learnt_.back().first); found != tested_.end()) found->second = learnt_.back().second;
  }
  void declare(Name name, Type type) {
    if (!has(Rule::NamesBound) || !name) return;
    LocalState& local = locals_[name];
    if (local.is_declared) report_text(fmt::format("`{}` is declared twice", name.text()));
    local = {type, true, true};
    live_.push_back(name);
    if (has(Rule::NoMaybe) && holds_maybe(type)) report_text(fmt::format("`{}` is a Maybe", name.text()));
  }
  void used(const Node<Local>& n) {
    if (!has(Rule::NamesBound)) return;
    const LocalState local = locals_.at(n.form.name);
    if (!local.is_live) {
      // A declaration that was wrong is invalid; its uses stay.
      if (lang_.has(Kind::InvalidStmt)) return;
      return report_text(fmt::format("`{}` is used where it is not declared", n.form.name.text()));
    }
    if (is_sound_ && local.type && n.type != local.type && !is_invalid(n.type))
      report_text(fmt::format("`{}` is declared as {} and used as {}", n.form.name.text(), print(local.type), n.type ? print(n.type) : "nothing"));
  }

  // ---- one rule after another ----

  template <class Sum, class F>
  void rules(const Sum& sum, const Node<F>& n) {
    const F& f = n.form;
    if constexpr (std::same_as<F, Return>) {
      if (has(Rule::ReturnsExplicit) && f.value && (as<Match>(*f.value) || as<IfValue>(*f.value))) report("a return of a match or an if is not split", sum);
    } else if constexpr (std::same_as<F, Call>) {
      const FunctionDef* callee = function(f.function);
      if (is_sound_ && has(Rule::TailCallsFound) && callee && callee->domain == Domain::Program) report("a program is called", sum);
      if (has(Rule::Ordered) && callee && !seen_.at(f.function) && callee != function_) report("a function is called before it is declared", sum);
    } else if constexpr (std::same_as<F, TailCall>) {
      const FunctionDef* callee = function(f.program);
      if (is_sound_ && (!callee || callee->domain != Domain::Program)) report("a tail call of what is no program", sum);
    } else if constexpr (std::same_as<F, BuiltinCall>) {
      if (has(Rule::NoArithmeticBuiltin) && is_arithmetic_builtin(f.function.text())) report("arithmetic of the language is no support code", sum);
    } else if constexpr (std::same_as<F, GlobalDef>) {
      if (has(Rule::PinsFlat) && f.storage == Storage::Pinned) report("a pinned global has a place of its own", sum);
    } else if constexpr (std::same_as<F, Global>) {
      if (has(Rule::PinsReached) && pins_ && f.name == pins_) report("pinned globals are not reached by a pointer", sum);
    } else if constexpr (std::same_as<F, FunctionDef>) {
      const bool in_kernel = f.domain == Domain::Program || f.domain == Domain::Shared;
      if (has(Rule::SplitEbpf) && !in_kernel) report("a function does not run in the kernel", sum);
      if (has(Rule::SplitUser) && f.domain == Domain::Shared) report("a function does not run in userspace", sum);
      if (has(Rule::SplitUser) && f.domain == Domain::Program)
        for (const Stmt& s : f.body.statements)
          if (!as<TailCall>(s)) report("an eBPF program keeps more than its tail calls", s);
    } else if constexpr (std::same_as<F, Index>) {
      if (has(Rule::IndexesGuarded)) index(sum, f);
      if (has(Rule::UserIndexesGuarded) && !as<RuntimeCall>(f.index)) index(sum, f);
    } else if constexpr (std::same_as<F, PointerAdd>) {
      if (has(Rule::PacketPointersRooted) && !has(Rule::OffsetsBounded) && is(n.type, TypeKind::Pointer) && n.type->space == Space::Packet) {
        const Expr* base = &f.pointer;
        while (const auto* converted = as<Convert>(*base)) base = &converted->form.value;
        if (!as<PacketStart>(*base) && !as<Int>(f.count) && !is_never_negative(f.count)) report("a packet pointer may reach back", sum);
      }
    } else if constexpr (std::same_as<F, And> || std::same_as<F, Or>) {
      lazy(f.right);
    } else if constexpr (std::same_as<F, Conditional>) {
      lazy(f.then);
      lazy(f.otherwise);
    }
    if constexpr (std::same_as<F, Assign>) {
      if (has(Rule::NoArrayCopy) && is_array(type_of(f.place))) report("an array is assigned", sum);
    } else if constexpr (std::same_as<F, Let>) {
      if (has(Rule::NoArrayCopy) && is_array(f.type) && f.value && !initialises(*f.value)) report("an array is copied by its declaration", sum);
    }
    if constexpr (std::same_as<Sum, Stmt>) {
      if (has(Rule::OperandsOrdered) && !has(Rule::Folded)) order(sum, f);
    } else if constexpr (std::same_as<F, Field> || std::same_as<F, Index> || std::same_as<F, Deref>) {
      if (is_checked_at_once() && is_in_packet(sum)) {
        if (&header(sum) != part_) access(sum);
        if constexpr (!std::same_as<F, Deref>) part_ = &header(n.form.base);
      }
    }
  }
  static bool initialises(const Expr& e) { return as<ArrayValue>(e) || as<StringValue>(e) || as<Zero>(e); }

  /// What may not run has no effect. Reads from the packet have their test already, once accesses are checked.
  void lazy(const Expr& e) {
    const bool early = !has(Rule::AccessesChecked);
    if (has(Rule::ShortCircuitsPure) && effects_in(e, early, early) != 0) report("an operand that may not run has an effect", e);
  }
  /// One effect a statement, at the place which is evaluated last.
  template <class F>
  void order(const Stmt& s, const F& f) {
    bool with_packet = !has(Rule::AccessesChecked);
    int allowed = 0, count = 0;
    if constexpr (std::same_as<F, Let> || std::same_as<F, Evaluate> || std::same_as<F, Return>) {
      allowed = 1;
    } else if constexpr (std::same_as<F, Assign>) {
      const auto* deref = as<Deref>(f.place);
      allowed = as<Local>(f.place) || (deref && as<Local>(deref->form.pointer)) ? 1 : 0;  // the way to the place is a name
      if (is_in_packet(f.place)) with_packet = false;  // p[0] = p[0] + 1: both fail together
    } else if constexpr (std::same_as<F, Update>) {
      if (is_in_packet(f.place)) with_packet = false;
    }
    std::apply([&](const auto&... fields) { (own(fields, [&](const Expr& e) { count += effects_in(e, with_packet, false); }), ...); }, f.fields());
    if (count > allowed) report("a statement has effects in its operands", s);
  }
  /// The expressions of a statement but those in its bodies.
  template <class T, class Do>
  static void own(const T& value, Do&& run) {
    if constexpr (std::same_as<T, Expr>) run(value);
    else if constexpr (std::same_as<T, Branch>) run(value.condition);
    else if constexpr (is_span<T>) for (const auto& one : value) own(one, run);
    else if constexpr (is_option<T>) { if (value) own(*value, run); }
  }
  /// An index is a constant in range, or something that can be tested before: a name, perhaps widened.
  void index(const Expr& e, const Index& f) {
    const uint64_t count = type_of(f.base)->count;
    const Expr* at = &f.index;
    while (const auto* converted = as<Convert>(*at)) at = &converted->form.value;
    if (const auto* number = as<Int>(*at)) {
      if (number->form.value.value < 0 || number->form.value.value >= static_cast<__int128>(count)) report("an index is out of range", e);
    } else if (!as<Local>(*at)) {
      report("an index is no name that can be tested", e);
    }
  }

  // ---- packet accesses, as check_packet_accesses leaves them: the next passes take tests away whose answer is known ----

  bool is_checked_at_once() const { return has(Rule::AccessesChecked) && !has(Rule::ChecksMinimal); }
  void access(const Expr& place) {
    const Expr* pointer = nullptr;
    const uint64_t bytes = extent(place, pointer);
    const auto* local = pointer ? as<Local>(*pointer) : nullptr;
    if (!local) return report("a packet is accessed through what has no name", place);
    auto found = tested_.find(local->form.name.record());
    if (found == tested_.end() || found->second < bytes) report("a packet access is not tested", place);
  }
  /// if (!in_packet(p, n)) { leave }: what follows may touch n bytes from p on.
  void learn(const Stmt& s) {
    const auto* test = as<If>(s);
    if (!test || test->form.branches.size() != 1) return;
    const auto* negation = as<Not>(test->form.branches[0].condition);
    const auto* inside = negation ? as<InPacket>(negation->form.value) : nullptr;
    const auto* pointer = inside ? as<Local>(inside->form.pointer) : nullptr;
    const Span<Stmt> then = test->form.branches[0].body.statements;
    if (!pointer || then.empty() || !as<Leave>(then.back())) return;
    uint64_t& bytes = tested_[pointer->form.name.record()];
    learnt_.emplace_back(pointer->form.name.record(), bytes);
    bytes = std::max(bytes, inside->form.size);
  }

  static const InPacket* tested(const Stmt& s) {
    const auto* test = as<If>(s);
    const auto* negation = test && test->form.branches.size() == 1 ? as<Not>(test->form.branches[0].condition) : nullptr;
    const auto* inside = negation ? as<InPacket>(negation->form.value) : nullptr;
    return inside ? &inside->form : nullptr;
  }
  /// A test is not followed at once by one that asks more of the same pointer.
  void raised(const Body& b) {
    for (size_t i = 1; i < b.statements.size(); ++i) {
      const InPacket *first = tested(b.statements[i - 1]), *second = tested(b.statements[i]);
      const auto* pointer = first ? as<Local>(first->pointer) : nullptr;
      const auto* again = second ? as<Local>(second->pointer) : nullptr;
      if (pointer && again && pointer->form.name == again->form.name && second->size > first->size) report("a later test asks for more", b.statements[i]);
    }
  }
  /// No entry is looked up twice where nothing between the two may change the map or the key.
  void merged(const Body& b) {
    constexpr FormSet changing = form_set_of<Call, HelperCall, MapCall, MapStore, MapDelete, MapSlot, Assign, AtomicUpdate>();
    std::unordered_set<std::string> found;
    for (const Stmt& s : b.statements) {
      if (!(header(s).contains & changing).empty()) found.clear();
      const auto* let = as<Let>(s);
      const auto* lookup = let && let->form.value ? as<MapLookup>(*let->form.value) : nullptr;
      if (!lookup || !(as<Int>(lookup->form.key) || as<Local>(lookup->form.key))) continue;
      if (!found.insert(print(lookup->form.map) + print(lookup->form.key)).second) report("an entry is looked up again", s);
    }
  }

  // ---- types ----

  template <class Sum>
  void want(Type given, Type wanted, const char* what, const Sum& sum) {
    if (!agree(given, wanted)) report(fmt::format("{} is {}, not {}", what, print(given), print(wanted)), sum);
  }
  template <class Sum>
  void want_bool(const Expr& e, const Sum& sum) {
    if (!is(type_of(e), TypeKind::Bool) && !is_invalid(type_of(e))) report(fmt::format("a condition is {}", print(type_of(e))), sum);
  }
  template <class Sum, class F>
  void types(const Sum& sum, const Node<F>& n) {
    const F& f = n.form;
    if constexpr (std::same_as<F, Binary> || std::same_as<F, Divide> || std::same_as<F, Quotient>) {
      want(type_of(f.left), n.type, "the left operand", sum);
      want(type_of(f.right), n.type, "the right operand", sum);
    } else if constexpr (std::same_as<F, Shift> || std::same_as<F, CShift>) {
      want(type_of(f.left), n.type, "what is shifted", sum);
      if (!is_integral(type_of(f.count))) report("a shift count is no integer", sum);
    } else if constexpr (std::same_as<F, Unary>) {
      want(type_of(f.value), n.type, "the operand", sum);
    } else if constexpr (std::same_as<F, Compare>) {
      const bool texts = is(type_of(f.left), TypeKind::Str) && is(type_of(f.right), TypeKind::Str);
      if (!texts) want(type_of(f.right), type_of(f.left), "the right side of a comparison", sum);
      else if (has(Rule::NoStringComparison)) report("strings are compared as values", sum);
      if (!is(n.type, TypeKind::Bool)) report("a comparison is no bool", sum);
    } else if constexpr (std::same_as<F, And> || std::same_as<F, Or>) {
      want_bool(f.left, sum);
      want_bool(f.right, sum);
    } else if constexpr (std::same_as<F, Not>) {
      want_bool(f.value, sum);
    } else if constexpr (std::same_as<F, Conditional>) {
      want_bool(f.condition, sum);
      want(type_of(f.then), n.type, "a choice", sum);
      want(type_of(f.otherwise), n.type, "a choice", sum);
    } else if constexpr (std::same_as<F, If>) {
      for (const Branch& b : f.branches) want_bool(b.condition, sum);
    } else if constexpr (std::same_as<F, While>) {
      want_bool(f.condition, sum);
    } else if constexpr (std::same_as<F, Let>) {
      if (f.value) want(type_of(*f.value), f.type, "what a variable starts with", sum);
    } else if constexpr (std::same_as<F, Assign>) {
      want(type_of(f.value), type_of(f.place), "what is assigned", sum);
    } else if constexpr (std::same_as<F, MapStore>) {
      want(type_of(f.key), type_of(f.map)->key, "a key", sum);
      want(type_of(f.value), type_of(f.map)->element, "what is stored", sum);
    } else if constexpr (std::same_as<F, MapLookup> || std::same_as<F, MapEntry> || std::same_as<F, MapSlot> || std::same_as<F, MapDelete>) {
      want(type_of(f.key), type_of(f.map)->key, "a key", sum);
    } else if constexpr (std::same_as<F, Deref>) {
      if (!is(type_of(f.pointer), TypeKind::Pointer) && !is(type_of(f.pointer), TypeKind::EntryRef)) report("no pointer is followed", sum);
      else want(n.type, type_of(f.pointer)->element, "what a pointer leads to", sum);
    } else if constexpr (std::same_as<F, Field>) {
      const StructField* member = is(type_of(f.base), TypeKind::Struct) ? find_field(type_of(f.base), f.name) : nullptr;
      if (!member) report("a struct has no such member", sum);
      else want(n.type, member->type, "a member", sum);
    } else if constexpr (std::same_as<F, Index>) {
      if (!is_array(type_of(f.base))) report("what is indexed is no array", sum);
      else if (type_of(f.base)->element) want(n.type, type_of(f.base)->element, "an element", sum);
      if (!is_integral(type_of(f.index))) report("an index is no integer", sum);
    } else if constexpr (std::same_as<F, Present>) {
      if (!is(type_of(f.value), TypeKind::Maybe) && !is_reference(type_of(f.value))) report("presence is asked of what is always there", sum);
    } else if constexpr (std::same_as<F, ValueOf>) {
      if (!is(type_of(f.value), TypeKind::Maybe)) report("the value of what is no Maybe", sum);
      else want(n.type, type_of(f.value)->element, "what a Maybe holds", sum);
    } else if constexpr (std::same_as<F, PointerAdd>) {
      want(type_of(f.pointer), n.type, "what is added to", sum);
    } else if constexpr (std::same_as<F, Call>) {
      call(sum, n);
    } else if constexpr (std::same_as<F, Return>) {
      if (f.value && function_) want(type_of(*f.value), function_->result, "what is returned", sum);
      if (!f.value && function_ && !is(function_->result, TypeKind::Void) && !function_->result_name) report("a return without a value", sum);
    } else if constexpr (std::same_as<F, Switch>) {
      for (const SwitchCase& one : f.cases)
        for (const Expr& value : one.values) want(type_of(value), type_of(f.value), "a case", sum);
    } else if constexpr (std::same_as<F, Match>) {
      for (const MatchArm& arm : f.arms)
        for (const Pattern& p : arm.patterns) want(type_of(p.low), type_of(f.subject), "a pattern", sum);
    } else if constexpr (std::same_as<F, BlockValue>) {
      if (f.value) want(type_of(*f.value), n.type, "a block's value", sum);
    } else if constexpr (std::same_as<F, CountedLoop>) {
      want(type_of(f.low), f.type, "a loop's first value", sum);
      want(type_of(f.high), f.type, "a loop's last value", sum);
    } else if constexpr (std::same_as<F, MapLoop>) {
      if (!is_reference(f.type)) report("an entry is not referred to", sum);
      else want(f.type->element, type_of(f.map)->element, "an entry", sum);
    } else if constexpr (std::same_as<F, Global>) {
      const Type declared = globals_.at(f.name);
      if (!declared) report("a global is not declared", sum);
      else want(n.type, declared, "a global", sum);
    } else if constexpr (std::same_as<F, MapName>) {
      if (!maps_.at(f.name)) report("a map is not declared", sum);
    } else if constexpr (std::same_as<F, StructValue>) {
      for (const FieldValue& value : f.values) {
        const StructField* member = find_field(n.type, value.name);
        if (!member) report("a struct has no such member", sum);
        else want(type_of(value.value), member->type, "a member", sum);
      }
    } else if constexpr (std::same_as<F, ArrayValue>) {
      for (const Expr& value : f.values) want(type_of(value), n.type->element, "an element", sum);
    }
  }
  void call(const Expr& e, const Node<Call>& n) {
    const FunctionDef* callee = function(n.form.function);
    if (!callee) return report("a function is not declared", e);
    if (callee->parameters.size() != n.form.arguments.size()) return report("a call has the wrong number of arguments", e);
    for (size_t i = 0; i < callee->parameters.size(); ++i) want(type_of(n.form.arguments[i]), callee->parameters[i].type, "an argument", e);
    want(n.type, callee->result, "a call's value", e);
  }

  const FunctionDef* function(Name name) const { return functions_.at(name); }
  template <class Sum>
  void report(const std::string& what, const Sum& sum) {
    std::string excerpt(kind_names[int(header(sum).kind)]);
    if constexpr (std::same_as<Sum, Expr> || std::same_as<Sum, Stmt>) excerpt = print(sum).substr(0, 300);
    report_text(fmt::format("{}: {}", what, excerpt));
  }
  void report_text(const std::string& what) {
    if (problems_.size() >= most_problems) return;
    problems_.push_back(function_ ? fmt::format("in `{}`: {}", function_->name.text(), what) : what);
  }

  const Lang& lang_;
  std::vector<std::string>& problems_;
  const bool is_typed_, is_sound_;
  /// A local, from its declaration on; live while its scope is open.
  struct LocalState {
    Type type = nullptr;
    bool is_declared = false, is_live = false;
  };

  NameTable<const FunctionDef*> functions_;
  NameTable<Type> globals_;
  NameTable<char> maps_, seen_;
  Name pins_;
  const FunctionDef* function_ = nullptr;
  NameTable<LocalState> locals_;
  std::vector<Name> live_;
  std::unordered_map<const Name::Record*, uint64_t> tested_;  // how many bytes from a pointer on are known to lie in the packet
  const NodeHeader* part_ = nullptr;  // the part of the packet place at work that has been looked at with it
  std::vector<std::pair<const Name::Record*, uint64_t>> learnt_;  // what was known before
};

}  // namespace

std::vector<std::string> check(const Program& program, const Lang& lang) {
  std::vector<std::string> problems;
  Checker checker(program, lang, problems);
  for (const Decl& d : program) checker.node(d);
  return problems;
}

}  // namespace ksc
