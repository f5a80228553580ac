// SPDX-License-Identifier: Apache-2.0
/// min(a, b)   =>   ks_min_u32(a, b): the language's own arithmetic functions are support code
#include <fmt/format.h>

#include "ir/rewrite.h"
#include "passes/passes.h"

namespace ksc {

Ir<lang::NoArithmeticBuiltin> lower_builtins(const Ir<lang::NoShift>& in, Context& context) {
  using Out = To<lang::NoArithmeticBuiltin>;
  return rewrite<lang::NoShift, lang::NoArithmeticBuiltin>(
      in, context, on<BuiltinCall>([](const Node<BuiltinCall>& n, Out& to) -> Expr {
        const std::string_view name = n->function.text();
        if (name == "min" || name == "max" || name == "abs") {
          Type wide = to.context.types.integer(width_of(n.type) == 64 ? 64 : 32, is_signed(n.type));
          std::vector<Expr> arguments;
          for (const Expr& argument : n->arguments) {
            const Expr value = to(argument);
            arguments.push_back(type_of(value) == wide ? value : Expr(to.make(Convert{value}, loc_of(value), wide)));
          }
          const Name function =
              to.context.name(fmt::format("ks_{}_{}{}", name, wide->is_signed ? 's' : 'u', wide->bits));
          const Expr result = to.make(RuntimeCall{function, to.context.span(arguments)}, n.loc, wide);
          return wide == n.type ? result : Expr(to.make(Convert{result}, n.loc, n.type));
        }
        static const std::map<std::string_view, std::string_view> swaps = {{"bswap16", "__builtin_bswap16"},
                                                                           {"bswap32", "__builtin_bswap32"},
                                                                           {"bswap64", "__builtin_bswap64"},
                                                                           {"htons", "bpf_htons"},
                                                                           {"ntohs", "bpf_ntohs"},
                                                                           {"htonl", "bpf_htonl"},
                                                                           {"ntohl", "bpf_ntohl"}};
        if (auto found = swaps.find(name); found != swaps.end())
          return to.make(RuntimeCall{to.context.name(found->second), to.context.span<Expr>({to(n->arguments[0])})},
                         n.loc, n.type);
        return to.rebuild(n);
      }));
}

}  // namespace ksc
