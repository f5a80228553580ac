// SPDX-License-Identifier: Apache-2.0
// Random floating point, which only userspace has.
#include <fmt/format.h>

#include "fuzz/generator.h"

namespace ksc::fuzz {

/// A struct and constants that hold such numbers.
void Generator::declare_floats(Tree& out) {
  Struct sample{global_name("Sample"), {}};
  std::string text;
  for (size_t i = 0; i < 2 + random_.below(3); ++i) {
    T type = random_.once_in(2) ? floating() : scalar();
    if (random_.once_in(4)) type = {T::Kind::Array, 0, false, {}, 2 + random_.below(2), {floating()}};
    sample.members.push_back({fmt::format("f{}", i), type});
    text += fmt::format("{} f{}: {}", i ? "," : "", i, type.spelled());
  }
  out.parts.push_back(declaration(fmt::format("struct {} {{{} }}", sample.name, text)));
  structs_.push_back(sample);
  count("struct with floating point");
  const T type = floating();
  const std::string name = global_name("RATE");
  const std::string value = random_.once_in(2)
                                ? literal(type)
                                : fmt::format("{} * {}", literal(type), random_.pick(Texts{"0.5", "-0.25", "0.0"}));
  out.parts.push_back(declaration(fmt::format("const {}: {} = {}", name, type.spelled(), value)));
  globals_.push_back({name, type, true});
  count("const floating point");
}

std::string Generator::float_literal() {
  count("floating-point literal");
  static const Texts some = {"0.0",
                             "1.0",
                             "0.5",
                             "0.1",
                             "3.25",
                             "1e3",
                             "2.5e-3",
                             "16777217.0",
                             "255.5",
                             "65535.9",
                             "4.3e9",
                             "1e18",
                             "1.9e19",
                             "1_000.5",
                             "1e-30",
                             "0.3333333333333333",
                             "1e30",
                             "2147483647.5",
                             "9007199254740993.0"};
  const std::string number = random_.pick(some);
  return random_.once_in(4) ? "(-" + number + ")" : number;
}

Tree Generator::float_expression(const T& type, int depth) {
  switch (random_.below(10)) {
    case 0:
    case 1:
    case 2:
    case 3: {
      const std::string op = random_.pick(Texts{"+", "-", "*", "/"});
      count("floating-point " + op);
      Tree out = join("(", solid(type, depth - 1), " " + op + " ", value(type, depth - 1), ")");
      out.substitutes = {1};
      return expression(std::move(out), type);
    }
    case 4: count("floating-point negation"); return expression(join("(-", solid(type, depth - 1), ")"), type);
    case 5: {
      count("number as floating point");
      return expression(
          join("(", solid(random_.once_in(4) ? floating() : any_integer(), depth - 1), " as " + type.spelled() + ")"),
          type);
    }
    case 6: {
      // What loses nothing converts by itself.
      const T narrow = type.bits == 64 && random_.once_in(2) ? floating(32)
                                                             : integer(random_.once_in(2) ? 8 : 16, random_.once_in(2));
      count("number meets floating point");
      return expression(
          join("(", solid(type, depth - 1), random_.pick(Texts{" + ", " * "}), solid(narrow, depth - 1), ")"), type);
    }
    case 7:
      count("conditional");
      return expression(
          join("(", condition(depth - 1), " ? ", solid(type, depth - 1), " : ", value(type, depth - 1), ")"), type);
    case 8:
      for (const Helper& helper : helpers_)
        if (helper.result == type && can_call(helper)) return call(helper, depth);
      break;
    default: break;
  }
  return leaf(type);
}

}  // namespace ksc::fuzz
