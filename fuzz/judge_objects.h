// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdlib>
#include <filesystem>
#include <string>

#include "fuzz/machine.h"

namespace ksc::fuzz {

/// What came of a source: all is well, or which stage failed.
struct Verdict {
  std::string stage;  // empty: all is well; rejected, unsupported, clang, verifier, run …
  std::string message;
  std::string world;  // of the run that failed
  uint64_t runs = 0;
};

/// A directory that is gone with the value.
class Workspace {
 public:
  Workspace() {
    std::string pattern = (std::filesystem::temp_directory_path() / "ksc-property-XXXXXX").string();
    if (!mkdtemp(pattern.data())) std::abort();
    path_ = pattern;
  }
  ~Workspace() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// How eBPF C becomes programs on a machine.
class ObjectBuilder {
 public:
  virtual ~ObjectBuilder() = default;
  /// Compiles DIRECTORY/random.ebpf.c and loads it into the machine; the verdict has a stage if that fails.
  virtual Verdict build(const std::filesystem::path& directory) = 0;
  virtual Machine& machine() = 0;
};

/// Writes what ksc makes of the source, without a Makefile, into the directory, as random.*; the verdict has a stage if
/// it is refused. The seed says with which options. With a library it is the main one of two files.
Verdict compile_to_c(const std::string& source, const std::filesystem::path& directory, uint64_t seed,
                     const std::string& library = {});

/// Compiles a source, and compares runs of each of its programs in some worlds with the interpreter's.
Verdict check_object(const std::string& source, uint64_t seed, int worlds, ObjectBuilder& builder);

/// Draws random programs, KSC_PROPERTY_SEED and the seeds after it, and reports those that fail to GoogleTest, shrunk;
/// what they are goes to KSC_PROPERTY_FAILURES, a folder, as files that end in KIND. Many programs go into one object;
/// a failure is isolated by halving.
void judge_random_programs(ObjectBuilder& builder, uint64_t cases, std::string_view kind);

/// The same for every file of fuzz/corpus.
void judge_corpus(ObjectBuilder& builder);

}  // namespace ksc::fuzz
