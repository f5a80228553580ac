// SPDX-License-Identifier: Apache-2.0
#include "frontend/cli/pending_files.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace ksc {

PendingFiles::PendingFiles() {
  sigset_t ending;
  sigemptyset(&ending);
  for (int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM}) sigaddset(&ending, signal);
  pthread_sigmask(SIG_BLOCK, &ending, &signals_before_);
}

PendingFiles::~PendingFiles() {
  for (const Pending& file : pending_)
    if (!file.temporary.empty()) unlink(file.temporary.c_str());
  for (auto directory = made_.rbegin(); directory != made_.rend(); ++directory) rmdir(directory->c_str());
  pthread_sigmask(SIG_SETMASK, &signals_before_, nullptr);
}

std::string PendingFiles::make_directory(const std::string& path) {
  for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (mkdir(part.c_str(), 0777) == 0)
      made_.push_back(part);
    else if (struct stat status{}; errno != EEXIST)
      return failure(part);
    else if (stat(part.c_str(), &status) == 0 && !S_ISDIR(status.st_mode))
      return errno = ENOTDIR, failure(part);
    if (slash == path.npos) return {};
  }
}

std::string PendingFiles::add(const std::string& path, const std::string& text, std::optional<mode_t> mode) {
  const size_t slash = path.find_last_of('/') + 1;
  const std::string temporary = fmt::format("{}.{}.{}.tmp", path.substr(0, slash), path.substr(slash), getpid());
  const int file = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0) return failure(path);
  pending_.push_back({temporary, path});
  bool failed = mode && fchmod(file, *mode) != 0;
  for (size_t written = 0; !failed && written < text.size();) {
    const ssize_t count = write(file, text.data() + written, text.size() - written);
    if (count >= 0)
      written += static_cast<size_t>(count);
    else
      failed = errno != EINTR;
  }
  const std::string message = failed ? failure(path) : std::string();
  if (close(file) != 0 && !failed) return failure(path);
  return message;
}

std::string PendingFiles::commit() {
  for (Pending& file : pending_) {
    if (rename(file.temporary.c_str(), file.path.c_str()) != 0) return failure(file.path);
    file.temporary.clear();
  }
  made_.clear();
  return {};
}

std::string PendingFiles::failure(const std::string& path) {
  return fmt::format("cannot write `{}`: {}", path, std::strerror(errno));
}

}  // namespace ksc
