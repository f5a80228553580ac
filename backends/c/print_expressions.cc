// SPDX-License-Identifier: Apache-2.0
// The printer, one expression after another.
#include <charconv>

#include <fmt/format.h>

#include "backends/c/printer.h"
#include "ir/effects.h"
#include "ir/visit.h"

namespace ksc::c {
namespace {

/// A number as the developer wrote it, without the `_` that C does not know.
std::string c_digits(std::string_view spelling) {
  std::string digits(spelling);
  std::erase(digits, '_');
  return digits;
}
/// The literal as the developer wrote it; empty if it was not hexadecimal or has another value by now.
std::string hexadecimal(const Int& number) {
  if (!is_hexadecimal(number.constant)) return "";
  const std::string digits = c_digits(number.constant.text());
  uint64_t value = 0;
  std::from_chars(digits.data() + 2, digits.data() + digits.size(), value, 16);
  return number.value.value == value ? digits : "";
}

}  // namespace

std::string Printer::quoted(std::string_view text) {
  std::string out = "\"";
  for (size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (c == '"' || c == '\\')
      out += fmt::format("\\{}", static_cast<char>(c));
    else if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else if (c < 32 || c > 126)
      out += fmt::format("\\{:03o}", c);
    else if (c == '?' && i > 0 && text[i - 1] == '?')
      out += "\\?";  // `??` begins a trigraph of C
    else
      out += static_cast<char>(c);
  }
  return out + "\"";
}

/// A constant by the name that it has in the generated code; empty if it has none there.
std::string Printer::named_constant(std::string_view name) {
  if (const auto own = constants_.find(name); own != constants_.end()) {
    used.insert(std::string(name));
    return global_name(own->second);
  }
  const KernelConstant* known = context_.kernel_types ? context_.kernel_types->find_constant(name) : nullptr;
  if (!known || known->header.empty()) return {};
  headers.insert(std::string(known->header));
  return std::string(name);
}

std::string Printer::literal(const Node<Int>& n, bool typed) {
  const __int128 value = n.form.value.value;
  Type type = n.type;
  if (n.form.constant) {
    const std::string_view name = n.form.constant.text();
    const KernelConstant* known = context_.kernel_types ? context_.kernel_types->find_constant(name) : nullptr;
    std::string text;
    if (constants_.count(name)) {
      used.insert(std::string(name));
      if (is(type, TypeKind::Enum)) used.insert(std::string(type->name.text()));
      text = global_name(n.form.constant);
    } else if (known && known->value == value && !known->header.empty()) {
      headers.insert(std::string(known->header));
      text = name;
    } else if (name == "KS_BOUNDS" || name == "KS_PANIC" || name == "KS_THROWN") {
      text = name;
    } else if (name.starts_with("KS_THROW(")) {
      const std::string code = named_constant(constant_within(name));
      text = fmt::format("KS_THROW({})",
                         code.empty() ? std::to_string(static_cast<int32_t>(static_cast<uint32_t>(value))) : code);
    } else if (name.starts_with("bpf_hton")) {
      const std::string_view inner = constant_within(name);
      std::string argument = named_constant(inner);
      if (argument.empty() && inner[0] >= '0' && inner[0] <= '9') argument = c_digits(inner);
      if (!argument.empty()) text = fmt::format("{}({})", name.substr(0, name.find('(')), argument);
    }
    if (!text.empty())
      return typed && is_integer(type) && type->bits >= 32 && !(type->bits == 32 && type->is_signed) ? cast(type, text)
                                                                                                     : text;
  }
  if (is(type, TypeKind::Bool)) return value ? "true" : "false";
  if (is(type, TypeKind::Char) && value >= 32 && value < 127) {
    const char c = static_cast<char>(value);
    return c == '\'' || c == '\\' ? fmt::format("'\\{}'", c) : fmt::format("'{}'", c);
  }
  // An enum without negative enumerators is unsigned in C, and a negative number beside one a warning.
  if (is(type, TypeKind::Enum) && value < 0 && value >= INT32_MIN)
    return cast(type, value == INT32_MIN ? "(-2147483647 - 1)" : "(" + integer_text(value) + ")");
  if (value == INT64_MIN) return "(-9223372036854775807LL - 1)";
  if (value == INT32_MIN && width_of(type) <= 32) return "(-2147483647 - 1)";
  std::string text = hexadecimal(n.form);
  if (text.empty())
    text = value > 0xffff && width_of(type) >= 32 && (value & 0xff) == 0 && value > 0xffffff && value % 1000 != 0
               ? fmt::format("0x{:x}", static_cast<uint64_t>(value))
               : integer_text(value);
  const bool is_wide = value > INT32_MAX || value < INT32_MIN;
  if (width_of(type) == 64 && (typed || is_wide))
    text += is_signed(type) ? "LL" : "ULL";
  else if (width_of(type) == 32 && !is_signed(type) && (typed || is_wide))
    text += "U";
  return value < 0 ? "(" + text + ")" : text;
}

/// An operand: on the left a bare number carries its type, since nothing else may give the operation its width.
std::string Printer::operand(const Expr& e, Binding least, bool is_left) {
  if (const auto* number = as<Int>(e)) return literal(*number, is_left);
  return expression(e, least);
}

/// An operand whose widening C does by itself, because the other operand has the wide type already.
std::string Printer::sibling(const Expr& e, const Expr& other, Binding least, bool is_left) {
  const auto* converted = as<Convert>(e);
  if (converted && is_integer(converted->type) && is_integral(type_of(converted->form.value))) {
    Type from = type_of(converted->form.value), to = converted->type;
    const bool lossless = width_of(from) < width_of(to) && (!is_signed(from) || is_signed(to));
    const bool other_is_wide =
        type_of(other) == to && kind_of(other) != Kind::Int && kind_of(other) != Kind::Convert && to->bits >= 32;
    // gcc does not see that what is shifted to the right is no less than 0, and would warn where it is compared.
    const bool is_int_in_c = from->bits < 32 && kind_of(converted->form.value) == Kind::CShift;
    if (lossless && other_is_wide && kind_of(converted->form.value) != Kind::Int && !is_int_in_c)
      return operand(converted->form.value, least, is_left);
  }
  return operand(e, least, is_left);
}

/// C computes in int at least: a narrower result is cut to its width, unless where it goes does that.
std::string Printer::narrow(Type type, const std::string& text, Binding own, Binding least) {
  if (width_of(type) >= 32 || truncates_) return wrapped(text, own, least);
  return wrapped(cast(type, "(" + text + ")"), Binding::Unary, least);
}

OperatorText c_operator(BinaryOp op) {
  switch (op) {
    case BinaryOp::Add: return {"+", Binding::Sum};
    case BinaryOp::Subtract: return {"-", Binding::Sum};
    case BinaryOp::Multiply: return {"*", Binding::Product};
    case BinaryOp::BitAnd: return {"&", Binding::BitAnd};
    case BinaryOp::BitOr: return {"|", Binding::BitOr};
    case BinaryOp::BitXor: return {"^", Binding::BitXor};
  }
  return {"+", Binding::Sum};
}

namespace {

constexpr std::string_view compare_texts[] = {"==", "!=", "<", "<=", ">", ">="};

/// Operators of C inside others whose order people do not know by heart stand in parentheses; gcc warns about some.
Binding inner(Binding own) {
  switch (own) {
    case Binding::Sum: return Binding::Sum;
    case Binding::Product: return Binding::Product;
    case Binding::And: return Binding::BitOr;
    case Binding::Or: return Binding::BitOr;
    case Binding::Equality:
    case Binding::Relation: return Binding::Shift;
    default: return Binding::Unary;  // bit operations and shifts
  }
}

}  // namespace

std::string Printer::new_object(Type type) {
  const std::string_view function = is(type, TypeKind::Struct) ? "ks_new" : "ks_new_value";
  used.insert(std::string(function));
  return fmt::format("{}({})", function, declaration(type, ""));
}

std::string Printer::call(std::string_view function, Span<Expr> arguments) {
  used.insert(std::string(function));
  std::string text = std::string(function) + "(";
  for (size_t i = 0; i < arguments.size(); ++i) text += (i ? ", " : "") + value(arguments[i], type_of(arguments[i]));
  return text + ")";
}

std::string Printer::in_packet(const InPacket& test, bool holds, Binding least) {
  Type element = type_of(test.pointer)->element;
  const std::string end = fmt::format("ks_data_end({})", expression(test.context));
  const std::string pointer = expression(test.pointer, Binding::Sum);
  std::string reach;
  if (!is_byte_pointer(type_of(test.pointer)) && test.size == size_of(element))
    reach = fmt::format("(void *)({} + 1)", pointer);
  else if (is_void_pointer(type_of(test.pointer)))
    reach = fmt::format("{} + {}", pointer, test.size);
  else
    reach = fmt::format("(void *){} + {}", expression(test.pointer, Binding::Unary), test.size);
  return wrapped(fmt::format("{} {} {}", reach, holds ? "<=" : ">", end), Binding::Relation, least);
}

std::string Printer::condition(const Expr& e, Binding least) {
  if (const auto* present = as<Present>(e)) return expression(present->form.value, least);
  if (const auto* negation = as<Not>(e)) {
    if (const auto* present = as<Present>(negation->form.value))
      return "!" + expression(present->form.value, Binding::Unary);
  }
  if (const auto* both = as<And>(e))
    return wrapped(
        condition(both->form.left, inner(Binding::And)) + " && " + condition(both->form.right, inner(Binding::And)),
        Binding::And, least);
  if (const auto* either = as<Or>(e))
    return wrapped(
        condition(either->form.left, inner(Binding::Or)) + " || " + condition(either->form.right, inner(Binding::Or)),
        Binding::Or, least);
  return expression(e, least);
}

std::string Printer::value(const Expr& e, Type target, Binding least) {
  const auto* converted = as<Convert>(e);
  if (converted && is(target, TypeKind::Pointer) && kind_of(converted->form.value) == Kind::PacketStart)
    return expression(converted->form.value);  // a void pointer
  if (converted && is_integral(type_of(e))) {
    Type from = type_of(converted->form.value), to = type_of(e);
    const bool widens = is_integral(from) && width_of(from) <= width_of(to) &&
                        (is_signed(from) == is_signed(to) || (!is_signed(from) && width_of(from) < width_of(to)));
    // Where it goes is wider than what it is: it is not cut by that.
    if (widens && to == target && !is(to, TypeKind::Bool)) return expression(converted->form.value, least);
  }
  const bool outer =
      std::exchange(truncates_, is_integral(target) && type_of(e) == target && !is(target, TypeKind::Bool));
  const std::string text = expression(e, least);
  truncates_ = outer;
  return text;
}

/// Whether a text is `(*…)` as a whole, and not `(*…)[i]`.
static bool is_followed_pointer(std::string_view text) {
  if (!text.starts_with("(*") || !text.ends_with(')')) return false;
  int open = 0;
  for (const char c : text.substr(0, text.size() - 1)) {
    open += (c == '(') - (c == ')');
    if (open == 0) return false;
  }
  return true;
}

std::string Printer::place(const Expr& e, Binding least) {
  if (const auto* field = as<Field>(e)) {
    const std::string member = member_name(type_of(field->form.base), field->form.name);
    if (const auto* deref = as<Deref>(field->form.base)) {
      if (const auto* address = as<AddressOf>(deref->form.pointer))
        return expression(address->form.place, Binding::Postfix) + "." + member;
      return expression(deref->form.pointer, Binding::Postfix) + "->" + member;
    }
    const std::string base = expression(field->form.base, Binding::Postfix);
    if (is_followed_pointer(base)) return base.substr(2, base.size() - 3) + "->" + member;
    return base + "." + member;
  }
  if (const auto* index = as<Index>(e)) {
    if (const auto* deref = as<Deref>(index->form.base))
      return fmt::format("(*{})[{}]", expression(deref->form.pointer, Binding::Unary),
                         value(index->form.index, type_of(index->form.index)));
    return fmt::format("{}[{}]", expression(index->form.base, Binding::Postfix),
                       value(index->form.index, type_of(index->form.index)));
  }
  const auto* deref = as<Deref>(e);
  if (is_void_pointer(type_of(deref->form.pointer)))
    return wrapped(fmt::format("*(__u8 *){}", expression(deref->form.pointer, Binding::Unary)), Binding::Unary, least);
  if (const auto* sum = as<PointerAdd>(deref->form.pointer))
    return fmt::format("{}[{}]", expression(sum->form.pointer, Binding::Postfix), expression(sum->form.count));
  return wrapped("*" + expression(deref->form.pointer, Binding::Unary), Binding::Unary, least);
}

std::string Printer::expression(const Expr& e, Binding least) {
  // Only the outermost operation is cut by where it goes: what is inside it is not.
  const bool truncates = std::exchange(truncates_, false);
  struct Restore {
    bool& flag;
    bool value;
    ~Restore() { flag = value; }
  } restore{truncates_, truncates};
  const auto narrowed = [&](Type type, const std::string& text, Binding own) {
    truncates_ = truncates;
    std::string out = narrow(type, text, own, least);
    truncates_ = false;
    return out;
  };
  const auto binary_text = [&](const Expr& left, std::string_view op, const Expr& right, Binding own) {
    const Binding tighter = own == Binding::Sum || own == Binding::Product ? Binding(int(own) + 1) : inner(own);
    if (own == Binding::Shift)
      return fmt::format("{} {} {}", operand(left, inner(own), true), op, operand(right, tighter, false));
    return fmt::format("{} {} {}", sibling(left, right, inner(own), true), op, sibling(right, left, tighter, false));
  };
  return visit<Printed>(
      e, on<StringValue>([&](const Node<StringValue>& n) { return quoted(n->text.text()); }),
      on<Local>([&](const Node<Local>& n) { return local_name(n->name); }),
      on<And>([&](const Node<And>&) { return condition(e, least); }),
      on<Or>([&](const Node<Or>&) { return condition(e, least); }), on<Not>([&](const Node<Not>& n) {
        if (const auto* inside = as<InPacket>(n->value)) return in_packet(inside->form, false, least);
        if (const auto* test = as<Compare>(n->value)) {
          static constexpr CompareOp opposite[] = {CompareOp::NotEqual, CompareOp::Equal,     CompareOp::GreaterEqual,
                                                   CompareOp::Greater,  CompareOp::LessEqual, CompareOp::Less};
          const Node<Compare> other{NodeHeader(*test),
                                    Compare{opposite[int(test->form.op)], test->form.left, test->form.right}};
          return expression(Expr(Ref<Compare>{&other}), least);
        }
        // In a comparison `!a == b` looks like `!(a == b)`: gcc and clang warn.
        const std::string negated = "!" + condition(n->value, Binding::Unary);
        return least >= Binding::Shift ? "(" + negated + ")" : negated;
      }),
      on<Conditional>([&](const Node<Conditional>& n) {
        const bool bare = kind_of(n->then) == Kind::Int && kind_of(n->otherwise) == Kind::Int;
        const std::string test = condition(n->condition, Binding::Or);
        return wrapped(fmt::format("{} ? {} : {}", as<Binary>(n->condition) ? "(" + test + ")" : test,
                                   operand(n->then, Binding::Conditional, bare),
                                   operand(n->otherwise, Binding::Conditional, bare)),
                       Binding::Conditional, least);
      }),
      on<AddressOf>([&](const Node<AddressOf>& n) {
        if (const auto* deref = as<Deref>(n->place)) return expression(deref->form.pointer, least);
        // A number that is needed in memory: &(__u32){1}, &(struct S){}.
        if (as<Zero>(n->place))
          return wrapped(fmt::format("&({}){{}}", declaration(type_of(n->place), "")), Binding::Unary, least);
        if (as<Int>(n->place))
          return wrapped(
              fmt::format("&({}){{{}}}", declaration(type_of(n->place), ""), value(n->place, type_of(n->place))),
              Binding::Unary, least);
        return wrapped("&" + expression(n->place, Binding::Unary), Binding::Unary, least);
      }),
      on<Deref>([&](const Node<Deref>&) { return place(e, least); }), on<Int>([&](const Node<Int>& n) {
        const std::string text = literal(n, false);
        return text[0] == '(' && text[1] == '-' && text.find(' ') == std::string::npos && least < Binding::Sum
                   ? text.substr(1, text.size() - 2)
                   : text;
      }),
      on<Null>([&](const Node<Null>&) { return std::string("NULL"); }), on<Zero>([&](const Node<Zero>& n) {
        if (is_aggregate(n.type)) return fmt::format("({}){{}}", declaration(n.type, ""));
        return zero_text(n.type);
      }),
      on<Global>([&](const Node<Global>& n) {
        auto found = dialect_.globals.find(n->name);
        used.insert(std::string(n->name.text()));
        return found != dialect_.globals.end() ? found->second : global_name(n->name);
      }),
      on<MapName>([&](const Node<MapName>& n) {
        return dialect_.ebpf ? global_name(n->name) : fmt::format("skel->maps.{}", global_name(n->name));
      }),
      on<FunctionName>([&](const Node<FunctionName>& n) { return (dialect_.ebpf ? "" : "&") + global_name(n->name); }),
      on<FunctionAddress>([&](const Node<FunctionAddress>& n) { return global_name(n->name); }),
      on<Field>([&](const Node<Field>&) { return place(e, least); }),
      on<Index>([&](const Node<Index>&) { return place(e, least); }), on<Present>([&](const Node<Present>& n) {
        return wrapped(expression(n->value, Binding::Relation) + " != NULL", Binding::Equality, least);
      }),
      on<Unary>([&](const Node<Unary>& n) {
        const std::string text = (n->op == UnaryOp::Negate ? "-" : "~") + operand(n->value, Binding::Postfix, true);
        return narrowed(n.type, text, Binding::Unary);
      }),
      on<Binary>([&](const Node<Binary>& n) {
        const auto [text, binding] = c_operator(n->op);
        const bool exact = n->op == BinaryOp::BitAnd || n->op == BinaryOp::BitOr || n->op == BinaryOp::BitXor;
        // C compilers take & of truths for a slip where the right side calls something: as numbers they are meant.
        const bool calls = !(ksc::header(n->right).contains & form_set_of<Call, HelperCall, RuntimeCall>()).empty();
        if (is(n.type, TypeKind::Bool) && calls)
          return wrapped(
              fmt::format("{} {} (int)({})", operand(n->left, inner(binding), true), text, expression(n->right)),
              binding, least);
        const std::string whole = binary_text(n->left, text, n->right, binding);
        return exact ? wrapped(whole, binding, least) : narrowed(n.type, whole, binding);
      }),
      on<Quotient>([&](const Node<Quotient>& n) {
        return wrapped(binary_text(n->left, n->op == DivideOp::Quotient ? "/" : "%", n->right, Binding::Product),
                       Binding::Product, least);
      }),
      on<CShift>([&](const Node<CShift>& n) {
        const std::string text = binary_text(n->left, n->op == ShiftOp::Left ? "<<" : ">>", n->count, Binding::Shift);
        return n->op == ShiftOp::Left ? narrowed(n.type, text, Binding::Shift) : wrapped(text, Binding::Shift, least);
      }),
      on<Compare>([&](const Node<Compare>& n) {
        Type a = type_of(n->left), b = type_of(n->right);
        const Binding own = n->op <= CompareOp::NotEqual ? Binding::Equality : Binding::Relation;
        if (is(a, TypeKind::Pointer)) {
          const auto side = [&](const Expr& p) {
            return a->element == b->element || is_void_pointer(type_of(p)) ? expression(p, Binding::Shift)
                                                                           : "(void *)" + expression(p, Binding::Unary);
          };
          return wrapped(fmt::format("{} {} {}", side(n->left), compare_texts[int(n->op)], side(n->right)), own, least);
        }
        return wrapped(binary_text(n->left, compare_texts[int(n->op)], n->right, own), own, least);
      }),
      on<FloatValue>(
          [&](const Node<FloatValue>& n) { return std::string(n->spelling.text()) + (n.type->bits == 32 ? "f" : ""); }),
      on<FloatNegation>([&](const Node<FloatNegation>& n) {
        // `--x` would be another operator.
        return wrapped("-" + expression(n->value, Binding::Postfix), Binding::Unary, least);
      }),
      on<FloatOperation>([&](const Node<FloatOperation>& n) {
        const Binding own = n->op <= FloatOp::Subtract ? Binding::Sum : Binding::Product;
        return wrapped(fmt::format("{} {} {}", expression(n->left, own), float_operators[int(n->op)],
                                   expression(n->right, Binding(int(own) + 1))),
                       own, least);
      }),
      on<FloatComparison>([&](const Node<FloatComparison>& n) {
        const Binding own = n->op <= CompareOp::NotEqual ? Binding::Equality : Binding::Relation;
        return wrapped(fmt::format("{} {} {}", expression(n->left, Binding::Shift), compare_texts[int(n->op)],
                                   expression(n->right, Binding::Shift)),
                       own, least);
      }),
      on<FloatConversion>([&](const Node<FloatConversion>& n) {
        return wrapped(cast(n.type, operand(n->value, Binding::Unary, true)), Binding::Unary, least);
      }),
      on<Convert>([&](const Node<Convert>& n) {
        Type from = type_of(n->value);
        if (is(from, TypeKind::Array) || is(from, TypeKind::Str)) return expression(n->value, least);
        // A pointer that is known to lead somewhere is no other type in C.
        if (is(from, TypeKind::Pointer) && is(n.type, TypeKind::Pointer) && from->element == n.type->element &&
            from->space == n.type->space)
          return expression(n->value, least);
        // A reference and a pointer to the same are one type in C.
        if (is(n.type, TypeKind::EntryRef) && from->element == n.type->element) return expression(n->value, least);
        return wrapped(cast(n.type, operand(n->value, Binding::Unary, true)), Binding::Unary, least);
      }),
      on<PointerAdd>([&](const Node<PointerAdd>& n) {
        if (const auto* count = as<Int>(n->count); count && count->form.value.value < 0)
          return wrapped(
              fmt::format("{} - {}", expression(n->pointer, Binding::Sum), integer_text(-count->form.value.value)),
              Binding::Sum, least);
        return wrapped(fmt::format("{} + {}", expression(n->pointer, Binding::Sum),
                                   value(n->count, type_of(n->count), Binding::Product)),
                       Binding::Sum, least);
      }),
      on<PointerDifference>([&](const Node<PointerDifference>& n) {
        if (dialect_.ebpf && is_byte_pointer(type_of(n->left)))
          return fmt::format("ks_distance({}, {})", expression(n->left), expression(n->right));
        return wrapped(cast(n.type, fmt::format("({} - {})", expression(n->left, Binding::Sum),
                                                expression(n->right, Binding::Product))),
                       Binding::Unary, least);
      }),
      on<Call>([&](const Node<Call>& n) { return call(global_name(n->function), n->arguments); }),
      on<HelperCall>([&](const Node<HelperCall>& n) {
        if (n->helper == "bpf_obj_new_impl") return new_object(n.type->element);
        return call(n->helper.text(), n->arguments);
      }),
      on<RuntimeCall>([&](const Node<RuntimeCall>& n) { return call(n->function.text(), n->arguments); }),
      on<BuiltinCall>([&](const Node<BuiltinCall>& n) { return dialect_.builtin(n); }),
      on<StructValue>(
          [&](const Node<StructValue>& n) { return fmt::format("({}){}", declaration(n.type, ""), initialiser(e)); }),
      on<ArrayValue>(
          [&](const Node<ArrayValue>& n) { return fmt::format("({}){}", declaration(n.type, ""), initialiser(e)); }),
      on<PacketStart>([&](const Node<PacketStart>& n) { return fmt::format("ks_data({})", expression(n->context)); }),
      on<PacketEnd>([&](const Node<PacketEnd>& n) { return fmt::format("ks_data_end({})", expression(n->context)); }),
      on<InPacket>([&](const Node<InPacket>& n) { return in_packet(n.form, true, least); }));
}

std::string Printer::initialiser(const Expr& e) {
  if (const auto* structure = as<StructValue>(e)) {
    std::string text = "{";
    bool first = true;
    for (const FieldValue& v : structure->form.values) {
      const StructField* field = find_field(structure->type, v.name);
      text += fmt::format("{}.{} = {}", std::exchange(first, false) ? " " : ", ", member_name(structure->type, v.name),
                          is_aggregate(field->type) ? initialiser(v.value) : value(v.value, field->type));
    }
    return text + (first ? "}" : " }");
  }
  if (const auto* array = as<ArrayValue>(e)) {
    std::string text = "{";
    bool first = true;
    for (const Expr& v : array->form.values)
      text += (std::exchange(first, false) ? " " : ", ") +
              (is_aggregate(type_of(v)) ? initialiser(v) : value(v, type_of(v)));
    return text + (first ? "}" : " }");
  }
  if (as<Zero>(e)) return is_aggregate(type_of(e)) ? "{}" : expression(e);
  return value(e, type_of(e));
}

}  // namespace ksc::c
