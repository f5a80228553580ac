// SPDX-License-Identifier: Apache-2.0
#include "ir/rewrite.h"

#include <gtest/gtest.h>

#include "ir/check.h"
#include "ir/languages.h"
#include "ir/sexpr.h"

namespace ksc {
namespace {

class RewriteTest : public testing::Test {
 protected:
  Program read(std::string_view text) {
    ReadError error;
    const auto program = read_program(context_, text, error);
    EXPECT_TRUE(program) << error.message << " at " << error.offset;
    return program ? *program : Program{};
  }
  /// A function of language NoFor whose body is that one return.
  Program returning(const std::string& value) {
    return read("(FunctionDef f Shared - - ((a bool) (b bool)) - bool false ((Return " + value + ")))");
  }
  Context context_;
};

/// !!x => x; other negations stay.
Ir<lang::ShortCircuitsPure> drop_double_negations(const Ir<lang::NoFor>& in, Context& context) {
  using Out = To<lang::ShortCircuitsPure>;
  return rewrite<lang::NoFor, lang::ShortCircuitsPure>(in, context, on<Not>([](const Node<Not>& n, Out& to) -> Expr {
                                                         if (const auto* inner = as<Not>(n->value))
                                                           return to(inner->form.value);
                                                         return to.rebuild(n);
                                                       }));
}

TEST_F(RewriteTest, RebuildReachesTheSameFormBelow) {
  const Program in = returning("(Not:bool (And:bool (Not:bool (Not:bool (Local:bool a))) (Local:bool b)))");
  const Program out = drop_double_negations({in}, context_).declarations;
  EXPECT_TRUE(equal(out, returning("(Not:bool (And:bool (Local:bool a) (Local:bool b)))"))) << print(out);
}

TEST_F(RewriteTest, NothingChangesWhereNoCaseIs) {
  const Program in = returning("(And:bool (Local:bool a) (Local:bool b))");
  const Program out = drop_double_negations({in}, context_).declarations;
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(&header(out[0]), &header(in[0])) << "a subtree without a case is returned as it is";
}

TEST_F(RewriteTest, CasesEmitStatementsInTheirPlace) {
  using Out = To<lang::NoWhile>;
  const Program in = read("(FunctionDef f Shared - - () - void false ((While (Int:bool 1 -) ((Break))) (Return -)))");
  const Program out =
      rewrite<lang::NoIfValue, lang::NoWhile>({in}, context_, on<While>([](const Node<While>& n, Out& to) {
                                                to.emit(Block{to(n->body)}, n.loc);
                                                to.emit(Break{}, n.loc);
                                              }))
          .declarations;
  EXPECT_TRUE(equal(out, read("(FunctionDef f Shared - - () - void false ((Block ((Break))) (Break) (Return -)))")))
      << print(out);
}

TEST_F(RewriteTest, DeclarationsAreAddedBeforeTheOneAtWork) {
  using Out = To<lang::NoArrayCopy>;
  const Program in = read("(GlobalDef x u32 - Shared)\n(GlobalDef y u32 - Shared)");
  const Program out = rewrite<lang::NoConcatenation, lang::NoArrayCopy>(
                          {in}, context_, on<GlobalDef>([&](const Node<GlobalDef>& n, Out& to) {
                            if (n->name == "y")
                              to.declare(GlobalDef{to.fresh("y"), n->type, {}, Storage::Shared}, n.loc);
                            to.declare(n.form, n.loc);
                          }))
                          .declarations;
  EXPECT_TRUE(equal(out, read("(GlobalDef x u32 - Shared)\n(GlobalDef y.1 u32 - Shared)\n(GlobalDef y u32 - Shared)")))
      << print(out);
}

TEST_F(RewriteTest, FunctionAtWorkIsKnown) {
  using Out = To<lang::ShortCircuitsPure>;
  const Program in = read(
      "(FunctionDef f Shared - - () - bool false ((Return (Not:bool (Int:bool 1 -)))))\n"
      "(FunctionDef g Shared - - () - bool false ((Return (Not:bool (Int:bool 1 -)))))");
  std::string functions;
  rewrite<lang::NoFor, lang::ShortCircuitsPure>({in}, context_, on<Not>([&](const Node<Not>& n, Out& to) -> Expr {
                                                  functions += to.function()->name.text();
                                                  return to.rebuild(n);
                                                }));
  EXPECT_EQ(functions, "fg");
}

TEST_F(RewriteTest, ChildrenAreMappedInOrderAndNodesKeptWhereNoneChanged) {
  const Program in = returning("(And:bool (Local:bool a) (Local:bool b))");
  const Expr both = *as<Return>(as<FunctionDef>(in[0])->form.body.statements[0])->form.value;
  std::string seen;
  const auto note = [&](const Expr& e) { return seen += print(e), e; };
  EXPECT_EQ(&header(map_children(context_, both, note)), &header(both));
  EXPECT_EQ(seen, "(Local:bool a)(Local:bool b)");
  const Expr swapped = map_children(context_, both, [&](const Expr& e) {
    return &header(e) == &header(as<And>(both)->form.left) ? as<And>(both)->form.right : e;
  });
  EXPECT_EQ(print(swapped), "(And:bool (Local:bool b) (Local:bool b))");
}

TEST_F(RewriteTest, VisitRunsTheOneCase) {
  static constexpr Lang jumps = language_of(Kind::Break, Kind::Continue);
  const auto name = [](const Stmt& s) {
    return visit<jumps>(s, on<Break>([](const Node<Break>&) { return 'b'; }),
                        on<Continue>([](const Node<Continue>&) { return 'c'; }));
  };
  EXPECT_EQ(name(context_.make(Break{}, Loc{})), 'b');
  EXPECT_EQ(name(context_.make(Continue{}, Loc{})), 'c');
}

}  // namespace
}  // namespace ksc
