#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The libFuzzer targets compile; fuzz/run_fuzzers runs them.
set -u

build=${KSC_BUILD:?the build directory}-fuzzers
compiler=$(command -v clang++-19) || {
  echo "SKIPPED: clang++-19 is not here"
  exit 77
}
# A library that clang does not have is given back as the bare name.
[[ -e $("$compiler" -print-file-name="libclang_rt.fuzzer-$(uname -m).a") ]] || {
  echo "SKIPPED: libFuzzer of clang 19 is not here (libclang-rt-19-dev)"
  exit 77
}

cmake -G Ninja -S "${KSC_SOURCE:?the source directory}" -B "$build" -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_CXX_COMPILER="$compiler" -DKSC_FUZZERS=ON >"$build.log" 2>&1 ||
  { cat "$build.log"; exit 1; }
cmake --build "$build" -j "${KSC_JOBS:-$(nproc)}" --target fuzzers
