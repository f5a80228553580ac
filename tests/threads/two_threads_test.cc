// SPDX-License-Identifier: Apache-2.0
// Two compilations share nothing: in two threads at once they give the same bytes as one after the other.
#include <gtest/gtest.h>

#include <algorithm>
#include <barrier>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "frontend/compile.h"
#include "frontend/render.h"

namespace ksc {
namespace {

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The programs that are compiled: every example, and one with mistakes, so that diagnostics are made too.
std::vector<std::pair<std::string, std::string>> programs() {
  std::vector<std::pair<std::string, std::string>> found;
  for (const auto& entry : std::filesystem::directory_iterator(KSC_SOURCE "/examples"))
    if (entry.path().extension() == ".ks") found.emplace_back(entry.path().filename(), content(entry.path()));
  std::sort(found.begin(), found.end());
  found.emplace_back("wrong.ks", "@xdp fn p(ctx: *xdp_md) -> xdp_action {\n  var n: u8 = 300\n  return lenght\n}\n");
  return found;
}

/// Everything that a compilation gives, as one text.
std::string compiled(const std::string& name, const std::string& text) {
  DiskSources sources;
  sources.add(name, text);
  Options options;
  options.file = name;
  options.share = KSC_BUILD "/share/ksc";
  options.dump_after = "all";
  const Result result = compile(sources, options);
  std::string all = render_text(result.diagnostics, result.locations, sources, {});
  for (const auto& [path, file] : result.files) all += path + "\n" + file;
  for (const auto& [pass, dump] : result.dumps) all += pass + "\n" + dump;
  for (const std::string& fault : result.faults) all += "fault: " + fault + "\n";
  return all;
}

/// Where two texts begin to differ; empty if they do not.
std::string first_difference(const std::string& a, const std::string& b) {
  const auto [at, other] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  const size_t offset = static_cast<size_t>(at - a.begin());
  return a == b ? "" : "`" + a.substr(offset, 60) + "` and `" + b.substr(std::min(offset, b.size()), 60) + "`";
}

TEST(Threads, TwoCompilationsGiveWhatOneGives) {
  const auto inputs = programs();
  ASSERT_GT(inputs.size(), 10u);
  std::vector<std::string> alone;
  alone.reserve(inputs.size());
  for (const auto& [name, text] : inputs) alone.push_back(compiled(name, text));
  ASSERT_NE(alone[0].find(".ebpf.c"), std::string::npos) << alone[0].substr(0, 500);

  std::vector<std::string> together[2];
  // Both begin each program at the same time, one with the first and one with the last.
  std::barrier both(2);
  const auto work = [&](int thread) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      const auto& [name, text] = inputs[thread == 0 ? i : inputs.size() - 1 - i];
      both.arrive_and_wait();
      together[thread].push_back(compiled(name, text));
    }
  };
  std::thread first(work, 0), second(work, 1);
  first.join();
  second.join();
  std::reverse(together[1].begin(), together[1].end());
  for (const auto& results : together)
    for (size_t i = 0; i < inputs.size(); ++i) EXPECT_EQ(first_difference(results[i], alone[i]), "") << inputs[i].first;
}

TEST(Threads, TheSameProgramTwiceAtOnce) {
  const auto inputs = programs();
  for (const auto& [name, text] : inputs) {
    std::string results[2];
    std::barrier both(2);
    const auto work = [&, &name = name, &text = text](int thread) {
      both.arrive_and_wait();
      results[thread] = compiled(name, text);
    };
    std::thread first(work, 0), second(work, 1);
    first.join();
    second.join();
    EXPECT_EQ(first_difference(results[0], results[1]), "") << name;
  }
}

}  // namespace
}  // namespace ksc
