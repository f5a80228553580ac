// SPDX-License-Identifier: Apache-2.0
/// print("%d bytes", n)   =>   bpf_printk("%llu bytes", n): verbs as the kernel wants them
#include "ir/rewrite.h"
#include "passes/array_copies.h"
#include "passes/passes.h"

namespace ksc {

Ir<lang::NoPrint> lower_print(const Ir<lang::MembersInitialised>& in, Context& context) {
  using Out = To<lang::NoPrint>;
  return rewrite<lang::MembersInitialised, lang::NoPrint>(
      in, context, on<Print>([](const Node<Print>& n, Out& to) {
        constexpr size_t most = 12;  // what bpf_trace_vprintk takes
        Types& types = to.context.types;
        const std::string_view text = n->format.text();
        std::string format;
        std::vector<Expr> arguments;
        size_t next = 0;
        const auto flush = [&] {
          to.emit(TraceLine{to.context.name(format), to.context.span(arguments)}, n.loc);
          format.clear();
          arguments.clear();
        };
        for (size_t i = 0; i < text.size(); ++i) {
          if (text[i] != '%' || i + 1 == text.size()) {
            format += text[i];
            continue;
          }
          const char verb = text[++i];
          if (verb == '%') {
            format += "%%";
            continue;
          }
          if (arguments.size() == most) flush();
          Expr argument = to(n->arguments[next++]);
          Type type = type_of(argument);
          if (verb == 's') {
            // A string is printed where it lies.
            if (!as<StringValue>(argument)) argument = emit_place(argument, "text", to);
            if (!as<StringValue>(argument))
              argument = to.make(AddressOf{argument}, loc_of(argument), types.pointer(type, Space::Stack, false));
            format += "%s";
          } else if (verb == 'c' || verb == 'p') {
            format += '%';
            format += verb;
          } else {
            // 64 bits hold every integer, so one verb a signedness is enough.
            const bool negative = is_signed(type) && verb == 'd';
            Type wide = types.integer(64, negative);
            // Of an enum the sign is the language's, not C's.
            if (is_signed(type) && (verb != 'd' || is(type, TypeKind::Enum)))
              argument = to.make(Convert{argument}, loc_of(argument), types.integer(width_of(type), negative));
            argument = to.make(Convert{argument}, loc_of(argument), wide);
            format += verb == 'x' ? "%llx" : negative ? "%lld" : "%llu";
          }
          arguments.push_back(argument);
        }
        flush();
      }));
}

}  // namespace ksc
