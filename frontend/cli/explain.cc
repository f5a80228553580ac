// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <iostream>

#include "frontend/cli/commands.h"
#include "frontend/cli/driver.h"
#include "frontend/explanations.h"

namespace ksc::cli {
namespace {

constexpr std::string_view explain_usage = "usage: ksc explain [CODE]\n";

int list_codes() {
  for (const MessageKind& kind : message_kinds()) {
    std::string severity(enum_text(kind.severity));
    severity.resize(8, ' ');
    std::cout << kind.code << "  " << severity << kind.text << "\n";
  }
  return exit_good;
}

int unknown(const std::string& code) {
  std::cerr << "ksc: no message has the code `" << code << "`";
  std::vector<std::string_view> known;
  for (const MessageKind& kind : message_kinds()) known.push_back(kind.code);
  if (const std::string_view near = closest_word(code, known); !near.empty())
    std::cerr << "; did you mean `" << near << "`?";
  std::cerr << "\n" << explain_usage;
  return exit_usage;
}

int explain(const std::string& word) {
  std::string code = word;
  for (char& c : code) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const std::vector<MessageKind>& kinds = message_kinds();
  if (std::none_of(kinds.begin(), kinds.end(), [&](const MessageKind& kind) { return kind.code == code; }))
    return unknown(word);
  const std::string path = share_directory() + "/diagnostics/" + code + ".md";
  DiskSources sources;
  const Sources::Opened page = sources.open(path);
  if (!page) {
    std::cerr << "ksc: error: this installation is incomplete: cannot read `" << path << "`: " << page.error << "\n";
    return exit_io;
  }
  std::cout << page_as_text(sources.text(page.file));
  return exit_good;
}

}  // namespace

int run_explain(const Arguments& arguments) {
  if (arguments.empty()) return list_codes();
  if (arguments[0] == "--help" || arguments[0] == "-h") {
    std::cout << explain_usage
              << "\nTells what a message means, with an example and the cure; without a code, lists all.\n";
    return exit_good;
  }
  if (arguments.size() == 1) return explain(arguments[0]);
  std::cerr << "ksc: one code at a time: `" << arguments[1] << "` is too many\n" << explain_usage;
  return exit_usage;
}

}  // namespace ksc::cli
