// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "ir/context.h"
#include "ir/lang.h"

namespace ksc {

/// A program as S-expressions: `(Form field field …)`, an expression with its type as `(Form:type field …)`.
/// `read_program` gives the same program back, but for locations.
std::string print(const Program& program);
std::string print(const Expr& e);
std::string print(const Stmt& s);
std::string print(Type type);

/// What `read_program` could not read: where (byte offset), what was found, and what was expected.
struct ReadError {
  size_t offset = 0;
  std::string message;
};

/// Reads what `print` wrote. Gives nothing and fills `error` where the text is no program.
std::optional<Program> read_program(Context& context, std::string_view text, ReadError& error);

/// Whether two programs are the same but for locations.
bool equal(const Program& a, const Program& b);

}  // namespace ksc
