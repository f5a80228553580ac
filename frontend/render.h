// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "frontend/diagnostics.h"
#include "frontend/source.h"

namespace ksc {

struct RenderOptions {
  bool colour = false;
  size_t limit = 100;  // of messages; what follows is counted
};

/// The messages as text, sorted by position: where and what, the source line with carets, labels, notes, fixes.
std::string render_text(const Diagnostics& diagnostics, const Locations& locations, const Sources& sources,
                        const RenderOptions& options = {});

/// The messages as one JSON document, sorted by position.
std::string render_json(const Diagnostics& diagnostics, const Locations& locations, const Sources& sources);

}  // namespace ksc
