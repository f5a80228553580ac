// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "ir/check.h"
#include "ir/context.h"
#include "ir/languages.h"
#include "ir/sexpr.h"

namespace ksc {

inline constexpr std::string_view context_type = "(ptr (struct xdp_md) Context)";

class CheckTest : public testing::Test {
 protected:
  /// What the checker says of a text, all in one.
  static std::string problems(const std::string& text, const Lang& lang, const Target& target = {}) {
    Context context;
    ReadError error;
    const auto program = read_program(context, text, error);
    if (!program) return fmt::format("cannot be read: {} at {}", error.message, error.offset);
    std::string all;
    for (const std::string& problem : check(*program, lang, target)) all += problem + "\n";
    return all;
  }
  /// A program with a struct, a map, globals and functions to use, and one more function with this body.
  static std::string around(const std::string& body, const std::string& result = "u32",
                            std::string_view domain = "Shared - -") {
    return fmt::format(
        "(types (struct xdp_md 24 \"linux/bpf.h\" (data u32 0 0 0) (data_end u32 4 0 0)) (struct S 8 (a u32 0 0 0) (b "
        "u8 4 0 0)))\n"
        "(MapDef m (map hash u32 u64 4) 0 false true)\n(GlobalDef x u32 - Shared)\n(GlobalDef s (struct S) - Shared)\n"
        "(GlobalDef list (array u32 4) - Shared)\n"
        "(FunctionDef g Shared - - ((n u32)) - u32 false ((Return (Local:u32 n))))\n"
        "(FunctionDef f {} ((ctx {}) (p (ptr u8 Packet)) (i u32)) - {} false ({}))\n",
        domain, context_type, result, body);
  }
  /// `good` passes, and `bad` is reported with these words; both are bodies of a function.
  static void expect(const Lang& lang, const std::string& good, const std::string& bad, std::string_view words,
                     const std::string& result = "u32") {
    EXPECT_EQ(problems(around(good, result), lang), "");
    const std::string found = problems(around(bad, result), lang);
    EXPECT_NE(found.find(words), found.npos) << "expected: " << words << "\nfound: " << found;
  }
  /// The same of whole programs.
  static void expect_programs(const Lang& lang, const std::string& good, const std::string& bad,
                              std::string_view words) {
    EXPECT_EQ(problems(good, lang), "");
    const std::string found = problems(bad, lang);
    EXPECT_NE(found.find(words), found.npos) << "expected: " << words << "\nfound: " << found;
  }
};

inline const std::string one = "(Return (Int:u32 1 -))";
inline const std::string call = "(Call:u32 g ((Int:u32 1 -)))";

}  // namespace ksc
