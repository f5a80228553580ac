// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/check_types.h"
#include "ir/target.h"

namespace ksc {

/// Whether the target's kernel has the helpers, kinds of maps and globals of a program [TargetChecked]. Of helpers only
/// those are looked at that a program calls itself: functions may be such that no program gets there.
class KernelCheck {
 public:
  KernelCheck(const Target& target, const CheckReport& report) : target_(target), report_(report) {}
  /// `function` is the one at work.
  void call(const HelperCall& call, const FunctionDef& function) const;
  void declaration(const MapDef& map) const;
  void declaration(const GlobalDef& global) const;
  void declaration(const PinnedGlobals&) const { wants(Feature::MmapableArray); }
  void declaration(const ConfigDef&) const { wants(Feature::GlobalData); }

 private:
  void wants(Feature feature) const;

  const Target& target_;
  const CheckReport& report_;
};

}  // namespace ksc
