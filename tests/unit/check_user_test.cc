// SPDX-License-Identifier: Apache-2.0
// Rules of userspace programs: one that obeys the rule passes, and one that breaks it is reported.
#include "unit/checking.h"

namespace ksc {
namespace {

constexpr std::string_view reference = "(nullable-entry (struct S) m)";

class CheckUserTest : public CheckTest {
 protected:
  /// A function of userspace that looks an entry up, and does more with it.
  static std::string looks_up(const std::string& more) {
    return fmt::format(
        "(types (struct S 8 (a u32 0 0 0) (b u8 4 0 0)))(MapDef m (map hash u32 (struct S) 4) 0 false "
        "true)(FunctionDef "
        "f User - - () - u32 false ((Let r {0} (MapLookup:{0} (MapName:(map hash u32 (struct S) 4) m) (Int:u32 1 "
        "-))){1}{2}))",
        reference, more, one);
  }
};

TEST_F(CheckUserTest, PresenceAsked) {
  const std::string asks = fmt::format("(If (((Present:bool (Local:{} r)) ({}))) ())", reference, one);
  const std::string reads = fmt::format("(Evaluate (Deref:(struct S) (Local:{} r)))", reference);
  expect_programs(lang::PresenceAsked, looks_up(asks + reads), looks_up(asks),
                  "the entry `r` is copied only to see whether it is there");
}

TEST_F(CheckUserTest, UserEntriesCopied) {
  const std::string member = fmt::format("(Field:u32 (Deref:(struct S) (Local:{} r)) a)", reference);
  expect_programs(lang::UserEntriesCopied, looks_up("(Evaluate " + member + ")"),
                  looks_up("(Assign " + member + " (Int:u32 1 -))"), "an entry is written by a reference");
  expect_programs(lang::UserEntriesCopied, looks_up("(Evaluate " + member + ")"),
                  looks_up("(Evaluate " + member + ")" + fmt::format("(Let q {0} (Null:{0}))", reference)),
                  "a reference to an entry is no pointer to a copy");
}

}  // namespace
}  // namespace ksc
