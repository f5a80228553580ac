// SPDX-License-Identifier: Apache-2.0
#include "ir/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "ir/check_apart.h"
#include "ir/check_ebpf.h"
#include "ir/check_kernel.h"
#include "ir/check_loops.h"
#include "ir/check_packet.h"
#include "ir/check_temporaries.h"
#include "ir/check_types.h"
#include "ir/check_user.h"
#include "ir/effects.h"
#include "ir/places.h"
#include "ir/sexpr.h"
#include "ir/unread_variables.h"
#include "ir/visit.h"

namespace ksc {
namespace {

constexpr size_t most_problems = 20;  // a broken pass breaks everything: the first ones tell enough

bool is_arithmetic_builtin(std::string_view name) {
  for (std::string_view one :
       {"min", "max", "abs", "bswap16", "bswap32", "bswap64", "htons", "htonl", "ntohs", "ntohl"})
    if (name == one) return true;
  return false;
}

/// How many nodes of an expression do something. A packet access does, until it has been given its test; an element
/// whose index lies behind a pointer does where it may not run, until later passes put pointers in that are known to
/// lead somewhere.
int effects_in(const Expr& e, bool with_packet, bool with_index) {
  if (!may_have_effect(e)) return 0;
  const Kind kind = kind_of(e);
  int count = is_effect(e) && (kind != Kind::Deref || with_packet) && (kind != Kind::Index || with_index) ? 1 : 0;
  each_child_of(
      e, [&](const Expr& child) { count += effects_in(child, with_packet, with_index); },
      [&](const Stmt&) { ++count; });
  return count;
}

bool has_packet_dynptr(const Body& body) {
  return any_expression(body, [](const Expr& e) {
    const auto* call = as<HelperCall>(e);
    return call && (call->form.helper == "bpf_dynptr_from_xdp" || call->form.helper == "bpf_dynptr_from_skb");
  });
}

bool follows_packet_pointer(const Body& body) {
  return any_expression(body, [](const Expr& e) {
    const auto* deref = as<Deref>(e);
    return deref && points_into(type_of(deref->form.pointer), Space::Packet);
  });
}

/// Whether a function's body ends in a value that is not returned, in any branch.
bool ends_in_value(const Body& body, bool is_named) {
  if (body.statements.empty()) return false;
  const Stmt& last = body.statements.back();
  const auto* choice = as<If>(last);
  if (!choice || choice->form.otherwise.statements.empty()) {
    const auto* value = as<Evaluate>(last);
    return value && !(is_named && is_match_statement(value->form.value));
  }
  const Span<Branch> branches = choice->form.branches;
  return ends_in_value(choice->form.otherwise, is_named) ||
         std::any_of(branches.begin(), branches.end(),
                     [&](const Branch& b) { return ends_in_value(b.body, is_named); });
}

/// Walks the program once and reports what breaks a rule of its language. Rules whose breach is the developer's mistake
/// are looked at from the gate on: before it the pass has reported the mistake, and the program goes no further.
class Checker {
 public:
  Checker(const Program& program, const Lang& lang, const Target& target, std::vector<std::string>& problems)
      : lang_(lang),
        problems_(problems),
        declarations_(program),
        kernel_(target, report_here_),
        is_typed_(lang.rules.has(Rule::Typed)),
        is_sound_(is_typed_ && !lang.has(Kind::InvalidExpr)) {
    if (has(Rule::SplitEbpf)) calls_.emplace(program);
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
    if constexpr (std::same_as<F, Assign>)
      if (has(Rule::ObjectAccessesApart) && is_in_object(n.form.place))
        report("nothing keeps a write to an object where it is", sum);
    if constexpr (std::same_as<Sum, Expr>) {
      if (is_typed_ && !n.type) report("an expression has no type", sum);
      if (has(Rule::NoMaybe) && holds_maybe(n.type)) report("a Maybe is left", sum);
      if (has(Rule::NoDynptrPointer) && points_into(n.type, Space::Dynptr))
        report("a pointer leads into the memory of a dynptr", sum);
      if constexpr (std::same_as<F, BuiltinCall>)
        if (has(Rule::ObjectsByMembers) &&
            (is_object(n.type) || (!n.form.arguments.empty() && is_object(type_of(n.form.arguments[0])))))
          report("an object is not asked of the kernel", sum);
      if constexpr (std::same_as<F, Index>)
        if (has(Rule::ObjectsByMembers) && is_in_object(sum) && !as<Int>(n.form.index))
          report("an element of an object is chosen where the verifier does not follow", sum);
      if (has(Rule::PointersSplit) && is_element_pointer(n.type)) report("a pointer moves in an array", sum);
      if (has(Rule::PacketPointersPresent) && is(n.type, TypeKind::Pointer) && n.type->space == Space::Packet &&
          n.type->nullable)
        report("a packet pointer may be null", sum);
    }
    calls(sum, n);
    functions(sum, n);
    globals(sum, n);
    loops(sum, n);
    indexes(sum, n);
    packet(sum, n);
    constants(sum, n);
    copies(sum, n);
    effects(sum, n);
    if constexpr (std::same_as<Sum, Expr> || std::same_as<Sum, Stmt>) {
      if (is_sound_) check_types(sum, declarations_, function_, [&](const std::string& what) { report(what, sum); });
    }
    walk(n);
  }

  // ---- names and scopes ----

  /// The children, each in its scope.
  template <class F>
  void walk(const Node<F>& n) {
    if constexpr (std::same_as<F, Let> || std::same_as<F, VarStmt>) {
      children(n);
      if constexpr (std::same_as<F, Let>)
        declare(n.form.name, n.form.type);
      else
        declare(n.form.name.name, nullptr);
      tests_.forget(name_of(n.form));
      if constexpr (std::same_as<F, Let>) tests_.define(n.form);
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
    } else if constexpr (std::same_as<F, BlockValue>) {
      scoped([&] {
        statements(n.form.body);
        if (n.form.value) node(*n.form.value);
      });
    } else if constexpr (std::same_as<F, FunctionDef> || std::same_as<F, FunctionDecl>) {
      function(n.form);
    } else if constexpr (declares_in_turns<F>) {
      loop(n.form);
    } else if constexpr (std::same_as<F, Finally>) {
      body(n.form.body);
      tests_.forget_all();  // a pull may have failed on the way
      body(n.form.cleanup);
    } else if constexpr (std::same_as<F, Guarded>) {
      body(n.form.body);
      tests_.forget_all();
    } else if constexpr (std::same_as<F, Try>) {
      body(n.form.body);
      for (const CatchClause& one : n.form.clauses) clause(one);
    } else {
      if constexpr (std::same_as<F, Loop>) tests_.forget_all();  // a pointer may have moved since the turn before
      children(n);
      if constexpr (std::same_as<F, Assign>)
        if (const auto* local = as<Local>(n.form.place)) tests_.forget(local->form.name);
    }
  }
  template <class F>
  static constexpr bool declares_in_turns =
      std::same_as<F, For> || std::same_as<F, CountedLoop> || std::same_as<F, MapLoop> || std::same_as<F, CpuLoop> ||
      std::same_as<F, ForEach>;
  void loop(const For& f) {
    node(f.low);
    node(f.high);
    scoped([&] { declare(f.name.name, is_typed_ ? type_of(f.low) : nullptr), statements(f.body); });
  }
  void loop(const CountedLoop& f) {
    node(f.low);
    node(f.high);
    tests_.forget_all();
    scoped([&] { declare(f.name, f.type), statements(f.body); });
  }
  void loop(const MapLoop& f) {
    node(f.map);
    tests_.forget_all();
    Type map = map_type(f.map);
    scoped([&] { declare(f.key, map ? map->key : nullptr), declare(f.entry, f.type), statements(f.body); });
  }
  void loop(const CpuLoop& f) {
    node(f.map);
    node(f.key);
    Type map = map_type(f.map);
    scoped([&] { declare(f.cpu, nullptr), declare(f.value, map ? map->element : nullptr), statements(f.body); });
  }
  void loop(const ForEach& f) {
    node(f.map);
    scoped([&] { declare(f.key.name, nullptr), declare(f.value.name, nullptr), statements(f.body); });
  }
  /// Null if it is not known, or is no map.
  Type map_type(const Expr& map) const { return is_typed_ && is(type_of(map), TypeKind::Map) ? type_of(map) : nullptr; }
  void function(const FunctionDef& f) {
    function_ = &f;
    if (has(Rule::AccessesChecked)) tests_.enter(f, has(Rule::ChecksMinimal) && lang_.has(Kind::Try));
    scoped([&] {
      for (const Parameter& p : f.parameters) declare(p.name, p.type);
      if (f.result_name) declare(f.result_name, f.result);
      statements(f.body);
    });
    if (has(Rule::Folded)) check_temporaries(f, report_here_);
    if (has(Rule::PacketPulled) && lang_.has(Kind::Try)) check_pulled(f, report_here_);
    if (has(Rule::SplitEbpf)) {
      check_ebpf(f, *calls_, lang_, report_here_);
      check_apart(f, lang_, report_here_);
    }
    if (has(Rule::PresenceAsked)) check_user(f, lang_, report_here_);
    function_ = nullptr;
    seen_[f.name] = true;
  }
  void function(const FunctionDecl& f) {
    scoped([&] {
      for (const TypedName& p : f.parameters) node(p.type), declare(p.name.name, nullptr);
      if (f.result_name.name) declare(f.result_name.name, nullptr);
      statements(f.body);
    });
  }
  template <class F>
  static Name name_of(const F& form) {
    if constexpr (requires { form.name.name; })
      return form.name.name;
    else
      return form.name;
  }
  template <class F>
  void children(const Node<F>& n) {
    n.form.with_fields([&](const auto&... fields) { (field(fields), ...); });
  }
  template <class T>
  void field(const T& value) {
    if constexpr (SumField<T>)
      node(value);
    else if constexpr (std::same_as<T, Body>)
      body(value);
    else if constexpr (is_span<T>)
      for (const auto& one : value) field(one);
    else if constexpr (is_option<T>) {
      if (value) field(*value);
    } else if constexpr (std::same_as<T, CatchClause>)
      clause(value);
    else if constexpr (Record<T>)
      value.with_fields([&](const auto&... parts) { (field(parts), ...); });
  }
  void clause(const CatchClause& clause) {
    if (clause.code) node(*clause.code);
    scoped([&] {
      if (clause.name.name) declare(clause.name.name, nullptr);
      statements(clause.body);
    });
  }
  void body(const Body& b) {
    scoped([&] { statements(b); });
  }
  void statements(const Body& b) {
    if (has(Rule::ChecksRaised) && !has(Rule::ChecksMinimal)) raised(b);
    if (has(Rule::LookupsMerged) && lang_.has(Kind::MapLookup)) merged(b);
    for (const Stmt& s : b.statements) {
      // A call may move the packet: a pointer is tested anew then.
      const bool calls = header(s).contains.has(Kind::Call) || header(s).contains.has(Kind::HelperCall);
      if (has(Rule::ChecksMinimal) && calls) tests_.forget_all();
      node(s);
      if (has(Rule::LoopsCapped)) caps_.learn(s);
      if (!has(Rule::AccessesChecked) || !lang_.has(Kind::Try)) continue;
      if (tests_.learn(s) && has(Rule::ChecksMinimal) && !has(Rule::PacketPulled))
        report("a packet is tested for what is known", s);
    }
  }
  template <class Do>
  void scoped(Do&& run) {
    const size_t outer = live_.size(), learnt = tests_.mark();
    run();
    for (; live_.size() > outer; live_.pop_back()) locals_[live_.back()].is_live = false;
    tests_.return_to(learnt);
  }
  void declare(Name name, Type type) {
    if (!has(Rule::NamesBound) || !name) return;
    LocalState& local = locals_[name];
    if (local.is_declared) report_text(fmt::format("`{}` is declared twice", name.text()));
    local = {type, true, true};
    live_.push_back(name);
    if (has(Rule::NoMaybe) && holds_maybe(type)) report_text(fmt::format("`{}` is a Maybe", name.text()));
    if (has(Rule::PointersSplit) && is_element_pointer(type))
      report_text(fmt::format("`{}` moves in an array", name.text()));
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
      report_text(fmt::format("`{}` is declared as {} and used as {}", n.form.name.text(), print(local.type),
                              n.type ? print(n.type) : "nothing"));
  }

  // ---- one rule after another ----

  template <class Sum, class F>
  void calls(const Sum& sum, const Node<F>& n) {
    const F& f = n.form;
    if constexpr (std::same_as<F, Call>) {
      const FunctionDef* callee = declarations_.function(f.function);
      if (is_sound_ && has(Rule::TailCallsFound) && callee && callee->domain == Domain::Program)
        report("a program is called", sum);
      if (has(Rule::Ordered) && callee && !seen_.at(f.function) && callee != function_)
        report("a function is called before it is declared", sum);
    } else if constexpr (std::same_as<F, TailCall>) {
      const FunctionDef* callee = declarations_.function(f.program);
      if (is_sound_ && (!callee || callee->domain != Domain::Program)) report("a tail call of what is no program", sum);
    } else if constexpr (std::same_as<F, HelperCall>) {
      if (has(Rule::TargetChecked) && is_sound_ && function_) kernel_.call(f, *function_);
    } else if constexpr (std::same_as<F, MapCall>) {
      if (has(Rule::NoReservation) && (f.method == "reserve" || f.method == "discard"))
        report("a record is reserved or discarded by a method", sum);
    } else if constexpr (std::same_as<F, BuiltinCall>) {
      if (has(Rule::NoArithmeticBuiltin) && is_arithmetic_builtin(f.function.text()))
        report("arithmetic of the language is no support code", sum);
    }
  }
  template <class Sum, class F>
  void functions(const Sum& sum, const Node<F>& n) {
    const F& f = n.form;
    if constexpr (std::same_as<F, FunctionDecl>) {
      if (has(Rule::LastValuesReturned) && f.result && ends_in_value(f.body, bool(f.result_name.name)))
        report("the value that a function ends with is not returned", sum);
    } else if constexpr (std::same_as<F, Return>) {
      if (has(Rule::ReturnsExplicit) && f.value && (as<Match>(*f.value) || as<IfValue>(*f.value)))
        report("a return of a match or an if is not split", sum);
    } else if constexpr (std::same_as<F, FunctionDef>) {
      split(sum, f);
      if (has(Rule::ResultsUnnamed) && f.result_name) report("a result has a name", sum);
      if (has(Rule::AggregatesReturned) && goes_by_address(f.result, f.domain))
        report("a function gives an array, or a struct in eBPF", sum);
      if (has(Rule::UnreadDropped) && !unread_variables(f.body).empty()) report("a variable is not read", sum);
      if (has(Rule::PacketDynptrs) && has_packet_dynptr(f.body) && follows_packet_pointer(f.body))
        report("the packet is accessed beside its dynptr", sum);
      if (has(Rule::ArgumentsPacked) && f.parameters.size() > 5)
        report("a function has more parameters than a call has registers", sum);
      for (const Parameter& p : f.parameters)
        if (has(Rule::ArgumentsCopied) && goes_by_address(p.type, f.domain))
          report("a function is given an array, or a struct in eBPF", sum);
      if (has(Rule::OptionsDeclared) && f.domain == Domain::User && f.name == "main" && !f.parameters.empty() &&
          f.parameters[0].type != declarations_.options())
        report("no options are declared for what main is given", sum);
    } else if constexpr (std::same_as<F, CommandLine>) {
      const auto is_for = [](const CommandOption& o, const StructField& member) { return o.member == member.name; };
      if (!is(f.type, TypeKind::Struct) || !std::equal(f.options.begin(), f.options.end(), f.type->body->fields.begin(),
                                                       f.type->body->fields.end(), is_for))
        report("the options are not the members of a struct", sum);
    }
  }
  void split(const Decl& d, const FunctionDef& f) {
    const bool is_in_kernel = f.domain == Domain::Program || f.domain == Domain::Shared;
    if (has(Rule::SplitEbpf) && !is_in_kernel) report("a function does not run in the kernel", d);
    if (!has(Rule::SplitUser)) return;
    if (f.domain == Domain::Shared) report("a function does not run in userspace", d);
    if (f.domain != Domain::Program) return;
    for (const Stmt& s : f.body.statements)
      if (!as<TailCall>(s)) report("an eBPF program keeps more than its tail calls", s);
  }
  template <class Sum, class F>
  void globals(const Sum& sum, const Node<F>& n) {
    if constexpr (std::same_as<F, GlobalDef>)
      if (has(Rule::PinsFlat) && n.form.storage == Storage::Pinned)
        report("a pinned global has a place of its own", sum);
    if constexpr (std::same_as<F, Global>)
      if (has(Rule::PinsReached) && declarations_.pins() && n.form.name == declarations_.pins())
        report("pinned globals are not reached by a pointer", sum);
    if constexpr (requires { kernel_.declaration(n.form); })
      if (has(Rule::TargetChecked) && is_sound_) kernel_.declaration(n.form);
  }
  template <class Sum, class F>
  void loops(const Sum& sum, const Node<F>& n) {
    if constexpr (std::same_as<F, Loop>) {
      if (has(Rule::LoopsCapped) && in_kernel()) report("a loop runs on", sum);
    } else if constexpr (std::same_as<F, CountedLoop>) {
      // Constants folded, the test of a number of turns may be gone.
      if (has(Rule::LoopsCapped) && !has(Rule::ConstantsFolded) && in_kernel() && !caps_.is_capped(n.form))
        report("a loop may run too often", sum);
      if (has(Rule::LoopsBounded) && (!as<Int>(n.form.low) || !as<Int>(n.form.high)))
        report("the verifier does not see the end of a loop", sum);
    }
  }
  template <class Sum, class F>
  void indexes(const Sum& sum, const Node<F>& n) {
    if constexpr (std::same_as<F, Index>) {
      if (has(Rule::IndexesGuarded)) index(sum, n.form);
      if (has(Rule::UserIndexesGuarded) && !as<RuntimeCall>(n.form.index)) index(sum, n.form);
    }
    if constexpr (std::same_as<F, AddressOf>)
      if (has(Rule::ElementAddressesGuarded)) addressed(n->place);
    if constexpr (std::same_as<F, Index> || std::same_as<F, Field>)
      // Constants folded, other indexes are numbers too.
      if (has(Rule::ConstantsRead) && !has(Rule::ConstantsFolded) && is_integral(n.type) && is_known(sum))
        report("what a constant holds is not read", sum);
  }
  template <class Sum, class F>
  void packet(const Sum& sum, const Node<F>& n) {
    if constexpr (std::same_as<F, PointerAdd>) {
      pointer_sum(sum, n);
    } else if constexpr (std::same_as<F, Field> || std::same_as<F, Index> || std::same_as<F, Deref>) {
      if (is_checked_at_once() && is_in_packet(sum)) {
        if (&header(sum) != part_) tests_.access(sum, [&](const std::string& what) { report(what, sum); });
        if constexpr (!std::same_as<F, Deref>) part_ = &header(n.form.base);
      }
    }
  }
  void pointer_sum(const Expr& e, const Node<PointerAdd>& n) {
    const PointerAdd& f = n.form;
    if (!is(n.type, TypeKind::Pointer) || n.type->space != Space::Packet) return;
    if (has(Rule::PacketPointersRooted) && !has(Rule::OffsetsBounded)) {
      const Expr* base = &f.pointer;
      while (const auto* converted = as<Convert>(*base)) base = &converted->form.value;
      if (!as<PacketStart>(*base) && !as<Int>(f.count) && !is_never_negative(f.count))
        report("a packet pointer may reach back", e);
    }
    const auto* count = as<Int>(f.count);
    const __int128 bytes = count ? count->form.value.value * static_cast<__int128>(size_of(n.type->element)) : 0;
    if (has(Rule::OffsetsBounded) && bytes > 0xffff) report("a packet pointer moves out of the verifier's sight", e);
  }
  template <class Sum, class F>
  void constants(const Sum& sum, const Node<F>& n) {
    const F& f = n.form;
    if constexpr (std::same_as<F, Unary> || std::same_as<F, Convert>) {
      if (is_just_folded() && is_number(f.value) && is_integral(n.type)) report("a constant is not folded", sum);
      if constexpr (std::same_as<F, Convert>)
        if (Type from = type_of(f.value); has(Rule::EnumsConverted) && is(from, TypeKind::Enum) && is_signed(from) &&
                                          is_integer(n.type) && width_of(n.type) > width_of(from))
          report("an enum is widened at once", sum);
    } else if constexpr (std::same_as<F, Binary> || std::same_as<F, Divide>) {
      if (is_just_folded() && is_number(f.left) && is_number(f.right)) report("a constant is not folded", sum);
    } else if constexpr (std::same_as<F, Compare>) {
      const bool orders = f.op != CompareOp::Equal && f.op != CompareOp::NotEqual;
      if (has(Rule::EnumsConverted) && orders && is(type_of(f.left), TypeKind::Enum) && is_signed(type_of(f.left)))
        report("enums are ordered as C does it", sum);
      const bool texts = is(type_of(f.left), TypeKind::Str) && is(type_of(f.right), TypeKind::Str);
      if (has(Rule::NoStringComparison) && texts) report("strings are compared as values", sum);
    }
  }
  template <class Sum, class F>
  void copies(const Sum& sum, const Node<F>& n) {
    const F& f = n.form;
    if constexpr (std::same_as<F, Assign>) {
      no_padding(f.value);
      if (has(Rule::NoArrayCopy) && is_array(type_of(f.place))) report("an array is assigned", sum);
      if (has(Rule::ValuesPlaced)) placed(sum, f);
    } else if constexpr (std::same_as<F, Let>) {
      if (f.value) no_padding(*f.value);
      if (has(Rule::NoArrayCopy) && is_array(f.type) && f.value && !initialises(*f.value))
        report("an array is copied by its declaration", sum);
    } else if constexpr (std::same_as<F, StructValue>) {
      for (const FieldValue& v : f.values)
        if (has(Rule::NoArrayCopy) && is_array(type_of(v.value)) && !initialises(v.value))
          report("an array is copied within a struct", sum);
    } else if constexpr (std::same_as<F, ArrayValue>) {
      for (const Expr& v : f.values)
        if (has(Rule::NoArrayCopy) && is_array(type_of(v)) && !initialises(v))
          report("an array is copied within an array", sum);
    }
  }
  template <class Sum, class F>
  void effects(const Sum& sum, const Node<F>& n) {
    if constexpr (std::same_as<F, And> || std::same_as<F, Or>) {
      lazy(n.form.right);
    } else if constexpr (std::same_as<F, Conditional>) {
      lazy(n.form.then);
      lazy(n.form.otherwise);
    } else if constexpr (std::same_as<Sum, Stmt>) {
      if (has(Rule::OperandsOrdered) && !has(Rule::Folded)) order(sum, n.form);
    }
  }

  /// Values that functions neither are given nor give but by their address.
  static bool goes_by_address(Type type, Domain domain) {
    return is_array(type) || (domain == Domain::Shared && is(type, TypeKind::Struct));
  }
  /// A reference that is given a value refers to a variable with it.
  void placed(const Stmt& s, const Assign& f) {
    const auto* given = as<Convert>(f.value);
    if (as<Local>(f.place) && is(type_of(f.place), TypeKind::EntryRef) && given &&
        is_aggregate(type_of(given->form.value)))
      report("a reference refers to what has no place", s);
  }
  /// Whether a place lies in a constant, and all indexes on the way are numbers.
  bool is_known(const Expr& place) const {
    if (const auto* field = as<Field>(place)) return is_known(field->form.base);
    if (const auto* index = as<Index>(place)) {
      const auto* position = as<Int>(index->form.index);
      return position && position->form.value.value < type_of(index->form.base)->count && is_known(index->form.base);
    }
    const auto* global = as<Global>(place);
    return global && declarations_.is_constant(global->form.name);
  }
  /// Whether the function at work is eBPF.
  bool in_kernel() const {
    return function_ && (function_->domain == Domain::Program || function_->domain == Domain::Shared);
  }
  bool is_just_folded() const { return has(Rule::ConstantsFolded) && lang_.has(Kind::Divide); }
  /// A number that the developer gave no name.
  static bool is_number(const Expr& e) {
    const auto* number = as<Int>(e);
    return number && (!number->form.constant || is_hexadecimal(number->form.constant)) && is_integral(number->type);
  }
  static bool initialises(const Expr& e) { return as<ArrayValue>(e) || as<StringValue>(e) || as<Zero>(e); }

  void no_padding(const Expr& value) {
    if (has(Rule::PaddingDropped) && is_in_packet(value) && has_padding(type_of(value)))
      report("padding is copied out of the packet", value);
  }

  /// Packet accesses as check_packet_accesses leaves them: the next passes take tests away whose answer is known.
  bool is_checked_at_once() const { return has(Rule::AccessesChecked) && !has(Rule::ChecksMinimal); }
  /// What may not run has no effect. Reads from the packet have their test already, once accesses are checked.
  void lazy(const Expr& e) {
    const bool early = !has(Rule::AccessesChecked);
    if (has(Rule::ShortCircuitsPure) && effects_in(e, early, early) != 0)
      report("an operand that may not run has an effect", e);
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
      allowed =
          as<Local>(f.place) || (deref && as<Local>(deref->form.pointer)) ? 1 : 0;  // the way to the place is a name
      if (is_in_packet(f.place)) with_packet = false;  // p[0] = p[0] + 1: both fail together
    } else if constexpr (std::same_as<F, Update>) {
      if (is_in_packet(f.place)) with_packet = false;
    }
    f.with_fields([&](const auto&... fields) {
      (own(fields, [&](const Expr& e) { count += effects_in(e, with_packet, false); }), ...);
    });
    if (count > allowed) report("a statement has effects in its operands", s);
  }
  /// The expressions of a statement but those in its bodies.
  template <class T, class Do>
  static void own(const T& value, Do&& run) {
    if constexpr (std::same_as<T, Expr>)
      run(value);
    else if constexpr (std::same_as<T, Branch>)
      run(value.condition);
    else if constexpr (is_span<T>)
      for (const auto& one : value) own(one, run);
    else if constexpr (is_option<T>) {
      if (value) own(*value, run);
    }
  }
  static const InPacket* tested(const Stmt& s) {
    const auto* test = as<If>(s);
    const auto* negation =
        test && test->form.branches.size() == 1 ? as<Not>(test->form.branches[0].condition) : nullptr;
    const auto* inside = negation ? as<InPacket>(negation->form.value) : nullptr;
    return inside ? &inside->form : nullptr;
  }
  /// A test is not followed at once by one that asks more of the same pointer.
  void raised(const Body& b) {
    for (size_t i = 1; i < b.statements.size(); ++i) {
      const InPacket *first = tested(b.statements[i - 1]), *second = tested(b.statements[i]);
      const auto* pointer = first ? as<Local>(first->pointer) : nullptr;
      const auto* again = second ? as<Local>(second->pointer) : nullptr;
      if (pointer && again && pointer->form.name == again->form.name && second->size > first->size)
        report("a later test asks for more", b.statements[i]);
    }
  }
  /// No entry is looked up twice where nothing between the two may change the map or the key.
  void merged(const Body& b) {
    constexpr FormSet changing =
        form_set_of<Call, HelperCall, MapCall, MapStore, MapDelete, MapSlot, Assign, AtomicUpdate>();
    std::unordered_set<std::string> found;
    for (const Stmt& s : b.statements) {
      if (!(header(s).contains & changing).empty()) found.clear();
      const auto* let = as<Let>(s);
      const auto* lookup = let && let->form.value ? as<MapLookup>(*let->form.value) : nullptr;
      if (!lookup || !(as<Int>(lookup->form.key) || as<Local>(lookup->form.key))) continue;
      if (!found.insert(print(lookup->form.map) + print(lookup->form.key)).second)
        report("an entry is looked up again", s);
    }
  }
  /// The indexes on the way to what is addressed.
  void addressed(const Expr& place) {
    if (const auto* field = as<Field>(place)) return addressed(field->form.base);
    const auto* element = as<Index>(place);
    if (!element) return;
    index(place, element->form);
    addressed(element->form.base);
  }
  /// An index is a constant in range, or something that can be tested before: a name, perhaps widened.
  void index(const Expr& e, const Index& f) {
    const uint64_t count = type_of(f.base)->count;
    const Expr* at = &f.index;
    while (const auto* converted = as<Convert>(*at)) at = &converted->form.value;
    if (const auto* number = as<Int>(*at)) {
      if (number->form.value.value < 0 || number->form.value.value >= static_cast<__int128>(count))
        report("an index is out of range", e);
    } else if (!as<Local>(*at) && !as_clamped(*at, count)) {
      report("an index is no name that can be tested", e);
    }
  }

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

  /// A local, from its declaration on; live while its scope is open.
  struct LocalState {
    Type type = nullptr;
    bool is_declared = false, is_live = false;
  };

  const Lang& lang_;
  std::vector<std::string>& problems_;
  const CheckReport report_here_ = [this](const std::string& what) { report_text(what); };
  const Declarations declarations_;
  const KernelCheck kernel_;
  std::optional<EbpfCalls> calls_;
  const bool is_typed_, is_sound_;
  const FunctionDef* function_ = nullptr;
  NameTable<char> seen_;
  NameTable<LocalState> locals_;
  std::vector<Name> live_;
  PacketTests tests_;
  LoopCaps caps_;
  const NodeHeader* part_ = nullptr;  // the part of the packet place at work that has been looked at with it
};

}  // namespace

std::vector<std::string> check(const Program& program, const Lang& lang, const Target& target) {
  std::vector<std::string> problems;
  Checker checker(program, lang, target, problems);
  for (const Decl& d : program) checker.node(d);
  return problems;
}

}  // namespace ksc
