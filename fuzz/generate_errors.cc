// SPDX-License-Identifier: Apache-2.0
// Random throws, what catches them, and panics.
#include <fmt/format.h>

#include "fuzz/generator.h"

namespace ksc::fuzz {

namespace {
constexpr int64_t codes[] = {0, 1, 2, -1, 7, 2147483647, -2147483648};
}

/// What may be thrown here with nothing uncaught in an entry function: any code, or one of those that are caught.
Tree Generator::throw_statement(int depth) {
  const bool any = may_throw();
  const auto known = std::find_if(caught_.rbegin(), caught_.rend(), [](const Caught& c) { return !c.codes.empty(); });
  if (commutes_ || (!any && known == caught_.rend())) return simple_statement(depth);
  Tree code;
  if (!any || (known != caught_.rend() && random_.once_in(2))) {
    count("throw of a caught code");
    code = Tree(fmt::format("{}", random_.pick(known->codes)));
  } else if (random_.once_in(2)) {
    count("throw of a constant");
    throws_ = throws_ || !catches_all();
    code = Tree(fmt::format("{}", codes[random_.below(std::size(codes))]));
  } else {
    count("throw of a number");
    throws_ = throws_ || !catches_all();
    code = join(solid(integer(32), 1), " as i32");
  }
  return join("if (", condition(depth - 1), ") { throw ", std::move(code), " }");
}

Tree Generator::try_statement(int depth) {
  count("try");
  Caught caught;
  while (caught.codes.size() < random_.below(3))
    if (const int64_t code = codes[random_.below(std::size(codes))];
        std::find(caught.codes.begin(), caught.codes.end(), code) == caught.codes.end())
      caught.codes.push_back(code);
  caught.all = random_.once_in(2) || (!in_entry_ && random_.once_in(2));
  const bool bounds = !in_user_ && random_.once_in(3);
  if (!caught.all && !bounds && caught.codes.empty()) caught.codes.push_back(1);
  caught_.push_back(caught);
  Tree out = join("try ", block(depth - 1, 2 + static_cast<int>(random_.below(2))));
  caught_.pop_back();
  const auto clause = [&](const std::string& head, const std::vector<Variable>& with = {}) {
    Tree taken = join(" catch " + head + " ", block(depth - 1, 1, with));
    out.parts.push_back(std::move(taken));
  };
  const bool bounds_first = random_.once_in(2);
  if (bounds && bounds_first) count("catch bounds"), clause("bounds");
  for (int64_t code : caught.codes) count("catch a code"), clause(fmt::format("{}", code));
  if (caught.all && random_.once_in(2)) {
    count("catch any code by name");
    const std::string name = fmt::format("error{}", temporaries_++);
    clause(fmt::format("({})", name), {{name, integer(32, true)}});
  } else if (caught.all) {
    count("catch everything");
    clause("_");
  }
  if (bounds && !bounds_first) count("catch bounds"), clause("bounds");
  return out;
}

/// What is deferred has no way out, and it is known how often it may be.
Tree Generator::defer_statement(int depth) {
  if (commutes_ || in_deferred_ || deferrals_ == 0) return simple_statement(depth);
  count(!is_counted_         ? "defer in a loop that nobody counts"
        : loops_ > 0         ? "defer in a loop"
        : scopes_.size() > 1 ? "defer in an inner scope"
                             : "defer");
  const auto caught = std::exchange(caught_, {});
  const int loops = std::exchange(loops_, 0);
  in_deferred_ = true;
  // A pointer that was tested may be null where the block runs, and what it leads to deleted.
  const auto scopes = scopes_;
  for (auto& scope : scopes_)
    std::erase_if(scope, [](const Variable& v) {
      return v.name.starts_with("late") || v.name.starts_with("given") || v.name.starts_with("object");
    });
  std::vector<const Helper*> quiet;
  for (const Helper& helper : helpers_)
    if (!helper.throws && can_call(helper)) quiet.push_back(&helper);
  Tree out;
  bool has_loop = false;
  if (depth > 1 && nested_loops_ < 2 && random_.once_in(5)) {
    count("loop in a deferred block");
    has_loop = true;
    out = join("defer ", block_of(1, [&] { return loop_statement(depth - 1); }));
  } else if (!quiet.empty() && random_.once_in(3)) {
    count("defer of a call");
    out = join("defer ", call(*random_.pick(quiet), depth - 1));
  } else if (random_.once_in(4)) {
    count("defer of print");
    out = join("defer ", print_statement(depth - 1));
  } else {
    out = join("defer ", block(depth - 1, 1 + static_cast<int>(random_.below(2))));
  }
  in_deferred_ = false;
  scopes_ = scopes;
  loops_ = loops;
  caught_ = caught;
  if (!has_loop || !has_context_ || random_.once_in(3)) return out;
  // A check that fails leaves the function, and then the loop runs.
  count("packet behind a deferred loop");
  Tree behind = packet_statement(depth - 1);
  behind.may_drop = true;
  return join(std::move(out), "\n" + std::string(2 * static_cast<size_t>(indent_), ' '), std::move(behind));
}

Tree Generator::panic_statement(int depth) {
  if (random_.once_in(2))
    return count("assert"), join("assert(", condition(depth - 1), " || ", condition(depth - 1), ", \"broken\")");
  count("panic");
  return join("if (", condition(depth - 1), " && ", condition(depth - 1), ") { panic(\"over\") }");
}

}  // namespace ksc::fuzz
