// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "frontend/diagnostics.h"
#include "frontend/source.h"

namespace ksc::fuzz {

/// Ends the process, which libFuzzer takes for a finding, unless `condition` holds.
inline void require(bool condition, std::string_view what) {
  if (condition) return;
  std::cerr << "does not hold: " << what << std::endl;
  std::abort();
}

/// Every place that the messages name lies within its file; `everywhere`: and each message has one.
inline void require_places(const Diagnostics& diagnostics, const Locations& locations, const Sources& sources,
                           bool everywhere) {
  const auto inside = [&](Loc loc) {
    const LocationRecord& at = locations[loc];
    return at.file < sources.size() && at.begin <= at.end && at.end <= sources.text(at.file).size();
  };
  for (const Diagnostic& message : diagnostics.all()) {
    require(!everywhere || message.loc, "a message has a place");
    require(!message.text.empty(), "a message says something");
    require(inside(message.loc), "a message's place lies in its file");
    for (const LocatedText& label : message.labels) require(inside(label.loc), "a label's place lies in its file");
    for (const LocatedText& note : message.notes) require(inside(note.loc), "a note's place lies in its file");
    for (const Fix& fix : message.fixes) require(fix.loc && inside(fix.loc), "a fix has a place in its file");
  }
}

}  // namespace ksc::fuzz
