#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh FILE.cc INCLUDE_DIRECTORY...: the file must not compile, and the compiler must say what the file's
# first line `// expect: TEXT` announces. The same file with -DKSC_CORRECT, where it has such a part, must
# compile: so the rejection comes from the mistake that is shown and from nothing else.
set -u

source_file=$1
shift
compiler=${KSC_CXX:-g++}
flags=(-std=c++20 -Wall -Wextra -fsyntax-only)
for directory in "$@"; do
  flags+=(-I "$directory")
done

expected=$(sed -n '1s,^// expect: ,,p' "$source_file")
if [[ -z $expected ]]; then
  echo "$source_file: the first line must be \`// expect: TEXT\`"
  exit 1
fi

if output=$("$compiler" "${flags[@]}" "$source_file" 2>&1); then
  echo "$source_file: compiles, but must be rejected with: $expected"
  exit 1
fi
if ! grep -qF -- "$expected" <<<"$output"; then
  printf '%s: rejected, but without the text: %s\n%s\n' "$source_file" "$expected" "$output"
  exit 1
fi
if grep -q KSC_CORRECT "$source_file" &&
   ! output=$("$compiler" "${flags[@]}" -DKSC_CORRECT "$source_file" 2>&1); then
  printf '%s: must compile with -DKSC_CORRECT:\n%s\n' "$source_file" "$output"
  exit 1
fi
