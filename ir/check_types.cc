// SPDX-License-Identifier: Apache-2.0
#include "ir/check_types.h"

#include <fmt/format.h>

#include "ir/sexpr.h"

namespace ksc {
namespace {

bool is_reference(Type type) {
  return is(type, TypeKind::Pointer) || is(type, TypeKind::EntryRef) || is(type, TypeKind::Null) ||
         is(type, TypeKind::Handle);
}

/// Whether a value of one type may stand where the other is wanted. References agree whatever memory they point into.
bool agree(Type a, Type b) {
  if (a == b || is_invalid(a) || is_invalid(b)) return true;
  if (!is_reference(a) || !is_reference(b)) return false;
  const auto places = [](Type type) { return is(type, TypeKind::Pointer) ? type->count : 0; };
  if (places(a) != places(b)) return false;
  return !a->element || !b->element || a->element == b->element || is(a->element, TypeKind::Void) ||
         is(b->element, TypeKind::Void);
}

/// Looks at one node.
class TypeCheck {
 public:
  TypeCheck(const Declarations& declarations, const FunctionDef* function, const CheckReport& report)
      : declarations_(declarations), function_(function), report_(report) {}

  template <class F>
  void operator()(const Node<F>& n) {
    operands(n);
    places(n);
    statements(n);
    values(n);
  }

 private:
  template <class F>
  void operands(const Node<F>& n) {
    const F& f = n.form;
    if constexpr (std::same_as<F, FloatOperation> || std::same_as<F, FloatNegation> ||
                  std::same_as<F, FloatConversion> || std::same_as<F, FloatValue>) {
      if (!is(n.type, TypeKind::Float)) report_("a result of floating point is none");
    }
    if constexpr (std::same_as<F, FloatTruncation>) {
      if (!is(type_of(f.value), TypeKind::Float) || !is_integer(n.type)) report_("what is truncated makes no integer");
    }
    if constexpr (std::same_as<F, FloatNegation>) want(type_of(f.value), n.type, "the operand");
    if constexpr (std::same_as<F, FloatComparison>) {
      want(type_of(f.right), type_of(f.left), "the right side of a comparison");
      if (!is(n.type, TypeKind::Bool) || !is(type_of(f.left), TypeKind::Float)) report_("a comparison is no bool");
    }
    if constexpr (std::same_as<F, Binary> || std::same_as<F, Divide> || std::same_as<F, Quotient> ||
                  std::same_as<F, FloatOperation>) {
      want(type_of(f.left), n.type, "the left operand");
      want(type_of(f.right), n.type, "the right operand");
    } else if constexpr (std::same_as<F, Shift> || std::same_as<F, CShift>) {
      want(type_of(f.left), n.type, "what is shifted");
      if (!is_integral(type_of(f.count))) report_("a shift count is no integer");
    } else if constexpr (std::same_as<F, Unary>) {
      want(type_of(f.value), n.type, "the operand");
    } else if constexpr (std::same_as<F, Compare>) {
      const bool texts = is(type_of(f.left), TypeKind::Str) && is(type_of(f.right), TypeKind::Str);
      if (!texts) want(type_of(f.right), type_of(f.left), "the right side of a comparison");
      if (!is(n.type, TypeKind::Bool)) report_("a comparison is no bool");
    } else if constexpr (std::same_as<F, Concatenate>) {
      for (const Expr& part : f.parts)
        if (!is_array(type_of(part)) || size_of(type_of(part)) != type_of(part)->count)
          report_("what is appended has no bytes");
      if (!is(n.type, TypeKind::Str)) report_("texts behind one another are no string");
    } else if constexpr (std::same_as<F, And> || std::same_as<F, Or>) {
      want_bool(f.left);
      want_bool(f.right);
    } else if constexpr (std::same_as<F, Not>) {
      want_bool(f.value);
    } else if constexpr (std::same_as<F, Conditional>) {
      want_bool(f.condition);
      want(type_of(f.then), n.type, "a choice");
      want(type_of(f.otherwise), n.type, "a choice");
    } else if constexpr (std::same_as<F, PointerAdd>) {
      want(type_of(f.pointer), n.type, "what is added to");
    }
  }
  template <class F>
  void places(const Node<F>& n) {
    const F& f = n.form;
    if constexpr (std::same_as<F, Deref>) {
      if (!is(type_of(f.pointer), TypeKind::Pointer) && !is(type_of(f.pointer), TypeKind::EntryRef))
        report_("no pointer is followed");
      else
        want(n.type, type_of(f.pointer)->element, "what a pointer leads to");
    } else if constexpr (std::same_as<F, Field>) {
      const StructField* member = is(type_of(f.base), TypeKind::Struct) ? find_field(type_of(f.base), f.name) : nullptr;
      if (!member)
        report_("a struct has no such member");
      else
        want(n.type, member->type, "a member");
    } else if constexpr (std::same_as<F, Index>) {
      if (!is_array(type_of(f.base)))
        report_("what is indexed is no array");
      else if (type_of(f.base)->element)
        want(n.type, type_of(f.base)->element, "an element");
      if (!is_integral(type_of(f.index))) report_("an index is no integer");
    } else if constexpr (std::same_as<F, Global>) {
      if (Type declared = declarations_.global(f.name))
        want(n.type, declared, "a global");
      else
        report_("a global is not declared");
    } else if constexpr (std::same_as<F, MapName>) {
      if (!declarations_.is_map(f.name)) report_("a map is not declared");
    }
  }
  template <class F>
  void statements(const Node<F>& n) {
    const F& f = n.form;
    if constexpr (std::same_as<F, If>) {
      for (const Branch& b : f.branches) want_bool(b.condition);
    } else if constexpr (std::same_as<F, While>) {
      want_bool(f.condition);
    } else if constexpr (std::same_as<F, Let>) {
      if (f.value) want(type_of(*f.value), f.type, "what a variable starts with");
    } else if constexpr (std::same_as<F, Assign>) {
      want(type_of(f.value), type_of(f.place), "what is assigned");
    } else if constexpr (std::same_as<F, MapStore>) {
      want(type_of(f.key), type_of(f.map)->key, "a key");
      want(type_of(f.value), type_of(f.map)->element, "what is stored");
    } else if constexpr (std::same_as<F, Return>) {
      if (f.value && function_) want(type_of(*f.value), function_->result, "what is returned");
      if (!f.value && function_ && !is(function_->result, TypeKind::Void) && !function_->result_name)
        report_("a return without a value");
    } else if constexpr (std::same_as<F, Switch>) {
      for (const SwitchCase& one : f.cases)
        for (const Expr& value : one.values) want(type_of(value), type_of(f.value), "a case");
    } else if constexpr (std::same_as<F, CpuLoop>) {
      want(type_of(f.key), type_of(f.map)->key, "a key");
    } else if constexpr (std::same_as<F, CountedLoop>) {
      want(type_of(f.low), f.type, "a loop's first value");
      want(type_of(f.high), f.type, "a loop's last value");
    } else if constexpr (std::same_as<F, MapLoop>) {
      if (!is_reference(f.type))
        report_("an entry is not referred to");
      else
        want(f.type->element, type_of(f.map)->element, "an entry");
    }
  }
  template <class F>
  void values(const Node<F>& n) {
    const F& f = n.form;
    if constexpr (std::same_as<F, MapLookup> || std::same_as<F, MapEntry> || std::same_as<F, MapSlot> ||
                  std::same_as<F, MapDelete>) {
      want(type_of(f.key), type_of(f.map)->key, "a key");
    } else if constexpr (std::same_as<F, Present>) {
      if (!is(type_of(f.value), TypeKind::Maybe) && !is_reference(type_of(f.value)))
        report_("presence is asked of what is always there");
    } else if constexpr (std::same_as<F, ValueOf>) {
      if (!is(type_of(f.value), TypeKind::Maybe))
        report_("the value of what is no Maybe");
      else
        want(n.type, type_of(f.value)->element, "what a Maybe holds");
    } else if constexpr (std::same_as<F, Call>) {
      call(n);
    } else if constexpr (std::same_as<F, Match>) {
      for (const MatchArm& arm : f.arms)
        for (const Pattern& p : arm.patterns) want(type_of(p.low), type_of(f.subject), "a pattern");
    } else if constexpr (std::same_as<F, BlockValue>) {
      if (f.value) want(type_of(*f.value), n.type, "a block's value");
    } else if constexpr (std::same_as<F, StructValue>) {
      for (const FieldValue& value : f.values) {
        const StructField* member = find_field(n.type, value.name);
        if (!member)
          report_("a struct has no such member");
        else
          want(type_of(value.value), member->type, "a member");
      }
    } else if constexpr (std::same_as<F, ArrayValue>) {
      for (const Expr& value : f.values) want(type_of(value), n.type->element, "an element");
    }
  }
  void call(const Node<Call>& n) {
    const FunctionDef* callee = declarations_.function(n.form.function);
    if (!callee) return report_("a function is not declared");
    if (callee->parameters.size() != n.form.arguments.size())
      return report_("a call has the wrong number of arguments");
    for (size_t i = 0; i < callee->parameters.size(); ++i)
      want(type_of(n.form.arguments[i]), callee->parameters[i].type, "an argument");
    want(n.type, callee->result, "a call's value");
  }

  void want(Type given, Type wanted, const char* what) {
    if (!agree(given, wanted)) report_(fmt::format("{} is {}, not {}", what, print(given), print(wanted)));
  }
  void want_bool(const Expr& e) {
    if (!is(type_of(e), TypeKind::Bool) && !is_invalid(type_of(e)))
      report_(fmt::format("a condition is {}", print(type_of(e))));
  }

  const Declarations& declarations_;
  const FunctionDef* function_;
  const CheckReport& report_;
};

}  // namespace

bool is_array(Type type) { return is(type, TypeKind::Array) || is(type, TypeKind::Str); }
bool holds_maybe(Type type) {
  return is(type, TypeKind::Maybe) || (type && type->element && holds_maybe(type->element));
}

Declarations::Declarations(const Program& program) {
  for (const Decl& d : program) {
    if (const auto* function = as<FunctionDef>(d)) functions_[function->form.name] = &function->form;
    if (const auto* global = as<GlobalDef>(d)) globals_[global->form.name] = global->form.type;
    if (const auto* global = as<GlobalDef>(d); global && global->form.storage == Storage::Constant)
      constants_[global->form.name] = true;
    if (const auto* config = as<ConfigDef>(d)) globals_[config->form.name] = config->form.type;
    if (const auto* constant = as<ConstDef>(d)) globals_[constant->form.name] = constant->form.type;
    if (const auto* pins = as<PinnedGlobals>(d)) globals_[pins->form.name] = pins->form.type, pins_ = pins->form.name;
    if (const auto* map = as<MapDef>(d)) maps_[map->form.name] = true;
    if (const auto* array = as<ProgramArray>(d)) maps_[array->form.name] = true;
    if (const auto* pins = as<PinnedGlobals>(d)) maps_[pins->form.name] = true;
    if (const auto* scratch = as<Scratch>(d)) maps_[scratch->form.name] = true;
    if (const auto* line = as<CommandLine>(d)) options_ = line->form.type;
  }
}

void check_types(const Expr& e, const Declarations& declarations, const FunctionDef* function,
                 const CheckReport& report) {
  boost::variant2::visit([&](const auto& ref) { TypeCheck(declarations, function, report)(*ref); }, e);
}
void check_types(const Stmt& s, const Declarations& declarations, const FunctionDef* function,
                 const CheckReport& report) {
  boost::variant2::visit([&](const auto& ref) { TypeCheck(declarations, function, report)(*ref); }, s);
}

}  // namespace ksc
