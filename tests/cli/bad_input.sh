#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Input that no one writes by hand: a clear message and the right exit code, or the right program; no crash, no hang, no output.
set -u
ksc=${KSC:?the path of ksc}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failures=0
complain() {
  echo "$*"
  failures=$((failures + 1))
}

python3 - <<'PYTHON' || exit 1
head = "@xdp fn p(ctx: *xdp_md) -> xdp_action {\n"
size = head + "  var x = ctx->data_end - ctx->data\n"
tail = "  return XDP_PASS\n}\n"

def write(name, text):
    with open(name + ".ks", "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())

many = 100_000
write("parentheses", "(" * 10_000_000)
write("parentheses_in_a_function", head + "  var x: u32 = " + "(" * 10_000_000)
write("blocks", head + "{" * many + "}" * many + tail)
write("open_blocks", head + "{" * many)
write("ifs", size + "if (x > 1) {\n" * many + "}" * many + "\n" + tail)
write("nots", head + "  var x = " + "!" * many + "true\n" + tail)
write("minuses", head + "  var x = " + "- " * many + "1\n" + tail)
write("brackets", head + "  var x = " + "[" * many)
write("pointers", "type T = " + "*" * many + "u8\n")
write("members", size + "  var y = ctx" + ".data" * many + "\n" + tail)
write("else_ifs", size + "  if (x == 0) { return XDP_DROP }" +
      "".join(f" else if (x == {i}) {{ return XDP_DROP }}" for i in range(1, 10_000)) + "\n" + tail)
write("matches", size + "  return match (x) {\n" +
      "".join(f"    {i}: {'XDP_DROP' if i % 3 == 0 else 'XDP_PASS'},\n" for i in range(10_000)) +
      "    default: XDP_TX,\n  }\n}\n")
write("sum", size + "  var s = " + " + ".join(["x"] * many) + "\n  if (s == 6500000) { return XDP_DROP }\n" + tail)
write("texts", head + "  var s: str(64) = " + " + ".join(['"b"'] * many) + "\n" + tail)
write("and", size + "  if (" + " && ".join(["x > 0"] * 10_000) + ") { return XDP_DROP }\n" + tail)
write("long_name", f"const {'n' * many}: u32 = 1\n")
write("long_number", f"const N: u32 = {'9' * many}\n")
write("invalid_utf8", head.encode() + b"  // \xff\xfe\n" + tail.encode())
write("cut_utf8", head.encode() + tail.encode() + b"// \xe2\x82")
write("zero_byte", head + "\0" + tail)
write("empty", "")
write("one_line", "// nothing")
write("byte_order_mark", b"\xef\xbb\xbf" + (head + tail).encode())
write("carriage_returns", (head + tail).replace("\n", "\r\n"))
PYTHON

# expect CODE TEXT FILE: within 60 seconds and 4 GB.
expect() {
  local code=$1 text=$2 file=$3 got
  (ulimit -v 4000000 2>/dev/null; exec timeout 60 "$ksc" compile "$file" -o "out $file" >log 2>&1)
  got=$?
  if [ $got -ne "$code" ]; then
    complain "$file: exit code $got, expected $code: $(head -c 600 log)"
  elif ! grep -qaF -- "$text" log; then
    complain "$file: '$text' is not in: $(head -c 600 log)"
  elif [ "$(wc -c <log)" -gt 20000 ]; then
    complain "$file: $(wc -c <log) bytes of messages"
  elif [ "$code" -ne 0 ] && [ -e "out $file" ]; then
    complain "$file: something was written"
  elif [ "$code" -eq 0 ] && ! [ -s "out $file/Makefile" ]; then
    complain "$file: nothing was written"
  fi
}

# Under a sanitizer there is no limit of the address space.
if nm -C "$ksc" 2>/dev/null | grep -q __asan_init; then ulimit() { :; }; fi

expect 1 'KS0105' parentheses.ks
for name in parentheses_in_a_function blocks open_blocks ifs nots minuses brackets pointers; do
  expect 1 'nests too deeply; 200 levels are allowed' $name.ks
done
expect 1 'error[KS' members.ks
expect 0 '' else_ifs.ks
expect 0 '' matches.ks
expect 0 '' sum.ks
# A sum of strings is one string, and not as many as it has terms.
memory=$(ulimit -S -v)
ulimit -S -v 1000000
expect 1 'a string takes 65537 bytes; at most 65536 are possible' texts.ks
ulimit -S -v "$memory"
expect 0 '' and.ks
expect 0 '' long_name.ks
expect 1 'error[KS' long_number.ks
expect 1 'is not UTF-8' invalid_utf8.ks
expect 1 'is not UTF-8' cut_utf8.ks
expect 1 'binary data' zero_byte.ks
expect 0 '' empty.ks
expect 0 '' one_line.ks
expect 0 '' byte_order_mark.ks
expect 0 '' carriage_returns.ks
cp /bin/ls binary.ks
expect 1 'binary data' binary.ks
mkdir directory.ks
expect 74 'Is a directory' directory.ks
expect 74 'No such file or directory' missing.ks
expect 74 'Not a directory' empty.ks/below.ks
ln -s loop.ks loop.ks
expect 74 'Too many levels of symbolic links' loop.ks

# A file that must not be read, as a user for whom that holds.
printf '' >closed.ks
chmod 000 closed.ks
chmod 755 "$folder"
as_user=()
[ "$(id -u)" -ne 0 ] || as_user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
if "${as_user[@]}" test -x "$ksc"; then
  "${as_user[@]}" "$ksc" check closed.ks >log 2>&1
  [ $? -eq 74 ] || complain "an unreadable file does not exit with 74: $(cat log)"
  grep -q 'Permission denied' log || complain "no reason in: $(cat log)"
fi

# What was accepted is also right: gcc compiles it, and the verdicts on the emulation are those of the source.
frame() { printf "%0$((2 * $1))d\n" 0; }
verdicts() { "$KSC_SOURCE/runtime/host/run" "$@" | sed -n 's/^{"return":\([0-9]*\).*/\1/p' | tr '\n' ' '; }
export KSC_HOST_OBJECTS=$folder/objects
got=$({ frame 60; frame 61; frame 63; frame 1500; frame 10001; } | verdicts "out matches.ks" p)
[ "$got" = "1 2 1 1 3 " ] || complain "the match of 10,000 arms gives $got"
got=$({ frame 64; frame 65; frame 66; } | verdicts "out sum.ks" p)
[ "$got" = "2 1 2 " ] || complain "the sum of 100,000 terms gives $got"

[ $failures -eq 0 ]
