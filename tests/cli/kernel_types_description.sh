#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The shipped description of the user-API types is what its script makes of the headers [L140].
set -eu
for tool in python3 clang bpftool; do
  if ! command -v "$tool" >/dev/null && ! [ -x "/usr/sbin/$tool" ]; then
    echo "SKIPPED: no $tool"
    exit 77
  fi
done
PATH=$PATH:/usr/sbin
export PATH
exec python3 "${KSC_SOURCE:?}/runtime/types/generate.py" --check
