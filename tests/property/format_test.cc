// SPDX-License-Identifier: Apache-2.0
// What is formatted means the same, and is formatted already: random programs as they are, and scrambled.
#include <gtest/gtest.h>

#include "fuzz/environment.h"
#include "fuzz/generate.h"
#include "unit/formatting.h"

namespace ksc::fuzz {
namespace {

TEST(FormatProperty, RandomProgramsKeepTheirMeaning) {
  const uint64_t first = number_from_environment("KSC_PROPERTY_SEED", 1),
                 count = number_from_environment("KSC_PROPERTY_CASES", 200);
  uint64_t scrambles = 0;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    Statistics unused;
    GeneratorOptions options;
    options.userspace = seed % 2 == 0;
    const std::string program = generate_program(seed, options, unused).text();
    ASSERT_NE(test::formatted(program), "errors") << program;
    ASSERT_EQ(test::format_problem(program), "") << "seed " << seed << "\n" << program;
    for (uint64_t round = 0; round < 20; ++round) {
      const std::string text = test::scrambled(program, seed * 20 + round);
      ASSERT_EQ(test::format_problem(text), "") << "seed " << seed << "\n" << text;
      scrambles += test::formatted(text) != "errors";
    }
  }
  EXPECT_GT(scrambles, count);  // many are no programs any more
}

}  // namespace
}  // namespace ksc::fuzz
