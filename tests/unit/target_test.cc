// SPDX-License-Identifier: Apache-2.0
// Rules: [L171]
#include "ir/target.h"

#include <gtest/gtest.h>

#include <set>

namespace ksc {
namespace {

TEST(KernelVersion, ParsesWhatItPrints) {
  for (KernelVersion version : {KernelVersion{4, 19}, KernelVersion{6, 1}, KernelVersion{10, 123}}) {
    EXPECT_EQ(KernelVersion::parse(version.to_string()), version);
  }
  EXPECT_EQ(KernelVersion::parse("6.1.55"), (KernelVersion{6, 1}));
}

TEST(KernelVersion, RefusesEverythingElse) {
  for (const char* text : {"", "6", "6.", ".1", "6.1.", "6.1.x", "6.1-rc1", "-6.1", "6.-1", "+6.1", " 6.1", "6.1 ",
                           "v6.1", "6.1.2.3", "99999999999.1"}) {
    EXPECT_FALSE(KernelVersion::parse(text)) << text;
  }
}

TEST(KernelVersion, ComparesByNumber) {
  EXPECT_LT((KernelVersion{5, 19}), (KernelVersion{6, 1}));
  EXPECT_LT((KernelVersion{5, 4}), (KernelVersion{5, 19}));
  EXPECT_GE((KernelVersion{6, 1}), (KernelVersion{6, 1}));
}

TEST(Target, DefaultHasWhatDebian12Has) {
  Target target;
  EXPECT_TRUE(has(target, Feature::BpfLoop));
  EXPECT_TRUE(has(target, Feature::AtomicFetch));
  EXPECT_FALSE(has(target, Feature::Tcx));
  EXPECT_FALSE(has(target, Feature::OpenCodedIterators));
}

TEST(Target, FeatureBeginsAtItsFirstKernel) {
  for (const FeatureDescription& feature : features()) {
    Target target;
    target.clang_version = 99;
    target.kernel = feature.first;
    EXPECT_TRUE(has(target, feature.feature)) << feature.name;
    target.kernel.minor -= 1;
    EXPECT_FALSE(has(target, feature.feature)) << feature.name;
    EXPECT_LE(first_kernel(feature.feature), feature.first);
  }
}

TEST(Target, ArchitectureAndCompilerCount) {
  Target target = target_for_architecture("aarch64");
  target.kernel = {5, 15};
  EXPECT_FALSE(has(target, Feature::SubprogramsWithTailCalls));
  target.architecture = "x86_64";
  EXPECT_TRUE(has(target, Feature::SubprogramsWithTailCalls));
  target.kernel = {6, 12};
  EXPECT_FALSE(has(target, Feature::MayGoto));
  target.clang_version = 19;
  EXPECT_TRUE(has(target, Feature::MayGoto));
}

TEST(Target, ByteOrderFollowsTheArchitecture) {
  EXPECT_TRUE(target_for_architecture("x86_64").little_endian);
  EXPECT_TRUE(target_for_architecture("aarch64").little_endian);
  EXPECT_FALSE(target_for_architecture("s390x").little_endian);
}

TEST(Target, FeatureNamesAreUnique) {
  std::set<std::string_view> names;
  for (const FeatureDescription& feature : features()) EXPECT_TRUE(names.insert(feature.name).second) << feature.name;
}

}  // namespace
}  // namespace ksc
