// SPDX-License-Identifier: Apache-2.0
// The printer, one statement after another, and the bodies of functions.
#include <fmt/format.h>

#include <algorithm>

#include "backends/c/printer.h"
#include "ir/effects.h"
#include "ir/sexpr.h"
#include "ir/visit.h"

namespace ksc::c {

void Printer::line(const std::string& text) {
  out_ += std::string(depth, '\t') + text + "\n";
  next_line_ += 1 + static_cast<uint32_t>(std::count(text.begin(), text.end(), '\n'));
}

void Printer::line_mark(Loc loc) {
  if (!loc || !locate) return;
  const auto [file, number] = locate(loc);
  if (file.empty() || (file == marked_file_ && number == next_line_)) return;
  out_ += fmt::format("#line {} {}\n", number, quoted(file));
  marked_file_ = file;
  next_line_ = number;
}

std::string Printer::header(const FunctionDef& f, const std::string& prefix) {
  locals_.clear();
  taken_.clear();
  next_number_.clear();
  std::string text = prefix + declaration(f.result, global_name(f.name)) + "(";
  for (size_t i = 0; i < f.parameters.size(); ++i)
    text += (i ? ", " : "") + declaration(f.parameters[i].type, local_name(f.parameters[i].name));
  return text + (f.parameters.empty() ? "void)" : ")");
}

namespace {

void note_reads(const Expr& e, NameSet& reads);

/// The local of which a place is a member, an element or all; null if it is none's. Indexes on the way are read.
const Local* written_local(const Expr& place, NameSet& reads) {
  if (const auto* field = as<Field>(place)) return written_local(field->form.base, reads);
  if (const auto* index = as<Index>(place)) {
    note_reads(index->form.index, reads);
    return written_local(index->form.base, reads);
  }
  const auto* local = as<Local>(place);
  return local ? &local->form : nullptr;
}

void note_reads(const Stmt& s, NameSet& reads) {
  // x = x is not printed.
  if (const auto* assign = as<Assign>(s); assign && print(assign->form.place) == print(assign->form.value)) return;
  if (const auto* assign = as<Assign>(s))
    if (const Local* target = written_local(assign->form.place, reads)) {
      // x = x + 1 alone does not use x.
      NameSet own;
      note_reads(assign->form.value, own);
      if (as<Local>(assign->form.place)) own.erase(target->name);
      return reads.merge(own);
    }
  each_child_of(
      s, [&](const Expr& e) { note_reads(e, reads); }, [&](const Stmt& t) { note_reads(t, reads); });
}
void note_reads(const Expr& e, NameSet& reads) {
  if (const auto* local = as<Local>(e)) reads.insert(local->form.name);
  each_child_of(
      e, [&](const Expr& child) { note_reads(child, reads); }, [&](const Stmt& s) { note_reads(s, reads); });
}

}  // namespace

/// C compilers warn about what is never read; saying so keeps the warning for mistakes.
void Printer::mark_unused(Name name) {
  if (!reads_.count(name)) line(fmt::format("(void){};", local_name(name)));
}

std::string Printer::body(const FunctionDef& f) {
  reads_.clear();
  for (const Stmt& s : f.body.statements) note_reads(s, reads_);
  out_ += "{\n";
  marked_file_.clear();  // what stands around a body is written elsewhere
  ++depth;
  for (const Parameter& p : f.parameters) mark_unused(p.name);
  statements(f.body);
  // gcc misses a return even after a loop without end.
  bool returns = is(f.result, TypeKind::Void);
  for (const Stmt& s : f.body.statements) returns = returns || ksc::header(s).contains.has(Kind::Return);
  if (!returns) line("__builtin_unreachable();");
  --depth;
  out_ += "}\n";
  marked_file_.clear();
  return take();
}

void Printer::statements(const Body& body) {
  for (const Stmt& s : body.statements) statement(s);
}

void Printer::branches(const Node<If>& n) {
  const Branch& only = n->branches[0];
  if (n->branches.size() == 1 && only.body.statements.empty() && !n->otherwise.statements.empty()) {
    // if (c) {} else { … } is if (!c) { … }
    NodeHeader header(ksc::header(only.condition));
    header.kind = Kind::Not;
    header.height += 1;
    const Node<Not> negation{header, Not{only.condition}};
    const Branch turned{Expr(Ref<Not>{&negation}), n->otherwise};
    return branches(Node<If>{NodeHeader(n), If{Span<Branch>(&turned, 1), {}}});
  }
  bool first = true;
  for (const Branch& b : n->branches) {
    const std::string test = condition(b.condition);
    line(first ? fmt::format("if ({}) {{", test) : fmt::format("}} else if ({}) {{", test));
    first = false;
    ++depth;
    statements(b.body);
    --depth;
  }
  // An else that is nothing but another if continues the chain.
  if (n->otherwise.statements.size() == 1)
    if (const auto* next = as<If>(n->otherwise.statements[0])) {
      const size_t at = out_.size();
      branches(*next);
      // `if (` of the nested chain becomes `} else if (`.
      const std::string indent(depth, '\t');
      out_.replace(at + indent.size(), 0, "} else ");
      return;
    }
  if (!n->otherwise.statements.empty()) {
    line("} else {");
    ++depth;
    statements(n->otherwise);
    --depth;
  }
  line("}");
}

void Printer::switch_statement(const Node<Switch>& n) {
  line(fmt::format("switch ({}) {{", expression(n->value)));
  for (const SwitchCase& c : n->cases) {
    if (c.values.empty()) line("default:");
    for (const Expr& v : c.values) line(fmt::format("case {}:", expression(v)));
    ++depth;
    bool declares = false;
    for (const Stmt& s : c.body.statements) declares = declares || as<Let>(s);
    if (declares) out_.insert(out_.size() - 1, " {");
    statements(c.body);
    const bool leaves =
        !c.body.statements.empty() && (as<Return>(c.body.statements.back()) || as<Continue>(c.body.statements.back()));
    if (!leaves) line("break;");
    --depth;
    if (declares) line("}");
  }
  line("}");
}

/// Whether C has a `long long` for a 64-bit expression: not for named constants, enums, nor what built-in functions
/// give.
bool is_long_long(const Expr& e) {
  if (as<Int>(e) || is(type_of(e), TypeKind::Enum)) return false;
  if (const auto* call = as<RuntimeCall>(e)) return !call->form.function.text().starts_with("__builtin_");
  if (const auto* binary = as<Binary>(e)) return is_long_long(binary->form.left) || is_long_long(binary->form.right);
  if (const auto* quotient = as<Quotient>(e))
    return is_long_long(quotient->form.left) || is_long_long(quotient->form.right);
  if (const auto* choice = as<Conditional>(e))
    return is_long_long(choice->form.then) || is_long_long(choice->form.otherwise);
  if (const auto* shift = as<CShift>(e)) return is_long_long(shift->form.left);
  if (const auto* unary = as<Unary>(e)) return is_long_long(unary->form.value);
  return true;
}

/// print in userspace: the verbs that C wants for the arguments' types.
void Printer::print(std::string_view function, Name text_of_line, const Span<Expr>& values) {
  const std::string_view text = text_of_line.text();
  std::string format, arguments;
  size_t next = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%' || i + 1 == text.size() || text[i + 1] == '%') {
      format += text[i];
      if (text[i] == '%') format += text[++i < text.size() ? i : i - 1];
      continue;
    }
    const char verb = text[++i];
    const Expr& argument = values[next++];
    Type type = type_of(argument);
    std::string value_text = expression(argument);
    if (verb == 's' || verb == 'c' || verb == 'p') {
      format += '%';
      format += verb;
    } else if (verb == 'f') {
      format += "%f";
      value_text = fmt::format("ks_shown({})", value_text);
    } else {
      const bool negative = is_signed(type) && verb == 'd';
      if (width_of(type) == 64) {
        format += verb == 'x' ? "%llx" : negative ? "%lld" : "%llu";
        if (!is_long_long(argument))
          value_text = fmt::format("(__{}64){}", is_signed(type) ? 's' : 'u', expression(argument, Binding::Unary));
      } else {
        if (verb != 'd' && is_signed(type))
          value_text = fmt::format("(__u{}){}", width_of(type), expression(argument, Binding::Unary));
        format += verb == 'x' ? "%x" : negative ? "%d" : "%u";
      }
    }
    arguments += ", " + value_text;
  }
  // C compilers warn of an empty format.
  line(fmt::format("{}({}{});", function, format.empty() ? "\"%s\", \"\"" : quoted(format), arguments));
}

void Printer::let(const Let& n) {
  const std::string name = local_name(n.name);
  std::string text;
  if (n.value)
    text = is_aggregate(n.type) ? initialiser(*n.value) : value(*n.value, n.type);
  else if (is_aggregate(n.type))
    text = "{}";
  else
    text = zero_text(n.type);
  line(fmt::format("{} = {};", declaration(n.type, name), text));
}

namespace {

bool goes_to(Name label, const Body& body) {
  bool found = false;
  for (const Stmt& s : body.statements) {
    if (!header(s).contains.has(Kind::Goto)) continue;
    const auto* jump = as<Goto>(s);
    found = found || (jump && jump->form.label == label);
    each_body_of(s, [&](const Body& inner) { found = found || goes_to(label, inner); });
  }
  return found;
}

}  // namespace

void Printer::statement(const Stmt& s) {
  const Loc loc = loc_of(s);
  if (!as<Block>(s) && !as<Labelled>(s)) line_mark(loc);
  visit<Printed>(
      s, on<Evaluate>([&](const Node<Evaluate>& n) {
        const auto* converted = as<Convert>(n->value);  // nobody wants the result, so nobody wants it converted
        line(expression(converted ? converted->form.value : n->value) + ";");
      }),
      on<Block>([&](const Node<Block>& n) {
        line("{");
        ++depth;
        statements(n->body);
        --depth;
        line("}");
      }),
      on<Labelled>([&](const Node<Labelled>& n) {
        // A block, so that no declaration stands between a goto and its label.
        line("{");
        ++depth;
        statements(n->body);
        --depth;
        line("}");
        if (!goes_to(n->label, n->body)) return;  // what went there was never reached
        --depth;
        line(local_name(n->label) + ":;");
        ++depth;
      }),
      on<Goto>([&](const Node<Goto>& n) { line(fmt::format("goto {};", local_name(n->label))); }),
      on<If>([&](const Node<If>& n) { branches(n); }), on<Loop>([&](const Node<Loop>& n) {
        // loop { if (!c) break; … } is while (c) { … }
        Body rest = n->body;
        std::string test = "true";
        if (!rest.statements.empty()) {
          const auto* first = as<If>(rest.statements[0]);
          const auto* fails = first && first->form.branches.size() == 1 && first->form.otherwise.statements.empty()
                                  ? as<Not>(first->form.branches[0].condition)
                                  : nullptr;
          if (fails && first->form.branches[0].body.statements.size() == 1 &&
              as<Break>(first->form.branches[0].body.statements[0])) {
            test = condition(fails->form.value);
            rest.statements = rest.statements.drop_first(1);
          }
        }
        line(fmt::format("while ({}) {{", test));
        ++depth;
        if (!dialect_.ebpf) line("ks_stop_if_signalled();");
        statements(rest);
        --depth;
        line("}");
      }),
      on<CountedLoop>([&](const Node<CountedLoop>& n) {
        const std::string counter = local_name(n->name);
        line(fmt::format("for ({} = {}; {} {} {}; {}++) {{", declaration(n->type, counter), value(n->low, n->type),
                         counter, n->inclusive ? "<=" : "<", operand(n->high, Binding::Shift, false), counter));
        ++depth;
        statements(n->body);
        --depth;
        line("}");
      }),
      on<Break>([&](const Node<Break>&) { line("break;"); }),
      on<Continue>([&](const Node<Continue>&) { line("continue;"); }), on<Return>([&](const Node<Return>& n) {
        line(n->value ? fmt::format("return {};", value(*n->value, type_of(*n->value))) : "return;");
      }),
      on<Let>([&](const Node<Let>& n) {
        let(n.form);
        mark_unused(n->name);
      }),
      on<Assign>([&](const Node<Assign>& n) {
        // x = x + 1 is x += 1 again
        const std::string target = expression(n->place);
        const auto* sum = as<Binary>(n->value);
        if (sum && expression(sum->form.left) == target)
          return line(fmt::format("{} {}= {};", target, c_operator(sum->form.op).text,
                                  value(sum->form.right, type_of(n->place))));
        const auto* real = as<FloatOperation>(n->value);
        if (real && expression(real->form.left) == target)
          return line(
              fmt::format("{} {}= {};", target, float_operators[int(real->form.op)], expression(real->form.right)));
        std::string given = value(n->value, type_of(n->place));
        // A bit-field takes the low bits; a number is cut here, since C compilers warn where they do it.
        const auto* target_field = as<Field>(n->place);
        const StructField* member =
            target_field ? find_field(type_of(target_field->form.base), target_field->form.name) : nullptr;
        if (const auto* number = as<Int>(n->value); number && member && member->bit_size)
          given = integer_text(number->form.value.value & ((static_cast<__int128>(1) << member->bit_size) - 1));
        // x = x does nothing, and C compilers warn; what is read on the way may end the process.
        if (given != target) return line(fmt::format("{} = {};", target, given));
        if (ksc::header(n->place).contains.has(Kind::RuntimeCall)) line(fmt::format("(void){};", target));
      }),
      on<AtomicUpdate>([&](const Node<AtomicUpdate>& n) {
        static const std::map<Operator, std::string_view> names = {{Operator::Add, "add"},
                                                                   {Operator::Subtract, "sub"},
                                                                   {Operator::BitAnd, "and"},
                                                                   {Operator::BitOr, "or"},
                                                                   {Operator::BitXor, "xor"}};
        line(fmt::format("__sync_fetch_and_{}({}, {});", names.at(n->op), expression(n->pointer),
                         value(n->value, type_of(n->value))));
      }),
      on<Switch>([&](const Node<Switch>& n) { switch_statement(n); }), on<TraceLine>([&](const Node<TraceLine>& n) {
        std::string text = fmt::format("bpf_printk({}", quoted(n->format.text()));
        for (const Expr& argument : n->arguments) text += ", " + expression(argument);
        line(text + ");");
      }),
      on<Print>([&](const Node<Print>& n) { print("ks_print", n->format, n->arguments); }),
      on<PrintPart>([&](const Node<PrintPart>& n) { print("ks_print_part", n->format, n->arguments); }),
      on<TailCall>([&](const Node<TailCall>&) {}));
}

}  // namespace ksc::c
