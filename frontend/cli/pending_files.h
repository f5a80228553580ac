// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <signal.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace ksc {

/// Files being written: everything is undone unless `commit` succeeds. A signal that ends the program waits meanwhile.
/// What can fail returns why it did, or nothing.
class PendingFiles {
 public:
  PendingFiles();
  PendingFiles(const PendingFiles&) = delete;
  PendingFiles& operator=(const PendingFiles&) = delete;
  ~PendingFiles();

  /// Makes a directory and those above it.
  std::string make_directory(const std::string& path);
  /// Writes a file beside the place where it will be; without a mode it gets that of new files.
  std::string add(const std::string& path, const std::string& text, std::optional<mode_t> mode = {});
  /// Puts all files in their places.
  std::string commit();

  /// That a file cannot be written, for the reason in `errno`.
  static std::string failure(const std::string& path);

 private:
  struct Pending {
    std::string temporary, path;
  };
  std::vector<Pending> pending_;
  std::vector<std::string> made_;
  sigset_t signals_before_;
};

}  // namespace ksc
