// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "ir/context.h"
#include "ir/lang.h"

namespace ksc {

/// A program as S-expressions: `(Form field field …)`, an expression with its type as `(Form:type field …)`.
/// `read_program` gives the same program back.
std::string print(const Program& program);
std::string print(const Expr& e);
std::string print(const Stmt& s);
std::string print(Type type);

/// A source text and its path.
struct SourceText {
  std::string_view path, text;
};
/// The source of a location's file.
using SourceOf = std::function<SourceText(uint32_t file)>;
/// The same with a list behind it of where each node stands: the sources with their sizes, the nodes' ranges in the
/// order in which they are printed, and `@N` where those that follow stand in the Nth source.
std::string print(const Program& program, const Locations& locations, const SourceOf& source_of);

/// The file with a path in the sources of a compilation; nothing if it is not there or has another size by now.
using FileOf = std::function<std::optional<uint32_t>(const std::string& path, size_t size)>;

/// What `read_program` could not read: where (byte offset), what was found, and what was expected.
struct ReadError {
  size_t offset = 0;
  std::string message;
};

/// Reads what `print` wrote. Gives nothing and fills `error` where the text is no program. Nodes have locations if
/// `file_of` finds the source.
std::optional<Program> read_program(
    Context& context, std::string_view text, ReadError& error,
    const FileOf& file_of = [](const std::string&, size_t) { return std::nullopt; });

/// Whether two programs are the same but for locations.
bool equal(const Program& a, const Program& b);

}  // namespace ksc
