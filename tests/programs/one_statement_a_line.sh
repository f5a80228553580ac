#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# In the C that is made from the examples and from fuzz/corpus, a line holds one statement at most: debuggers, `#line` and readers go
# by lines.
set -u

source_dir=${KSC_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
ksc=${KSC:-$source_dir/build/release/bin/ksc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
judge=$source_dir/tests/programs/one_statement_a_line.py
failures=0

command -v python3 >"$work/null" || { echo "SKIPPED: python3 is not installed"; exit 77; }

# What the judge must see, and what it must let pass; each line is a function of its own.
functions() { while IFS= read -r line; do printf 'int f(void)\n{\n%s\n\treturn 0;\n}\n' "$line"; done; }
functions >"$work/refused.c" <<'LINES'
a = 1; b = 2;
if (a) return 1;
if (a) { return 1; }
} else return 1;
while (a) a--;
while (a);
for (;;) a++;
case 1: return 1;
default: return 1;
out: return 1;
a = 1, b = 2;
int a, b;
{ a = 1;
a = 1; }
LINES
functions >"$work/accepted.c" <<'LINES'
for (__u32 i = 0; i < 4; i++) {
if (a)
} else if (f(a, b)) {
} else {
a = f(b, "x; y", ';', '"');
struct s a = { .b = 1, .c = { 2, 3 } };
f(&(struct s){1, 2}); // one; two
a = b ? c : d;
default:
case 3:
do {
} while (a);
LINES
python3 "$judge" "$work/refused.c" >"$work/log"
for line in $(seq 3 5 "$(wc -l <"$work/refused.c")"); do
  grep -q "refused.c:$line: " "$work/log" || { echo "FAILED: it does not see: $(sed -n "${line}p" "$work/refused.c")"; failures=$((failures + 1)); }
done
python3 "$judge" "$work/accepted.c" >"$work/log" || { cat "$work/log"; failures=$((failures + 1)); }

for source in "$source_dir"/examples/*.ks "$source_dir"/fuzz/corpus/*.ks "$source_dir"/fuzz/corpus/user/*.ks; do
  # Names of userspace programs are also those of others.
  name=$(basename "$(dirname "$source")")/$(basename "$source" .ks)
  "$ksc" compile "$source" -o "$work/$name" --project=out 2>"$work/log" || { cat "$work/log"; exit 1; }
done
cd "$work" || exit 1
python3 "$judge" */*/out*.c || { echo "FAILED: lines of generated C hold several statements"; failures=$((failures + 1)); }
exit $((failures > 0))
