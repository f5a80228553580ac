#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The README's first command without rights: an unprivileged user sees the same program run on the host emulation.
set -u
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fail() {
  echo "$*"
  exit 1
}

as_user=()
if [ "$(id -u)" -eq 0 ]; then
  command -v setpriv >/dev/null || { echo "SKIPPED: no setpriv"; exit 77; }
  as_user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi

# Copies, since that user may not be allowed to read the folders in which the project lies.
mkdir -p "$folder/project/tests" "$folder/home" "$folder/build"
cp -r "$KSC_SOURCE/examples" "$KSC_SOURCE/runtime" "$folder/project/" || exit 1
cp "$KSC_SOURCE/tests/setup" "$folder/project/tests/" || exit 1
mkdir -p "$folder/installed/bin" "$folder/installed/share"
cp "$KSC" "$folder/installed/bin/ksc" || exit 1
cp -rL "$KSC_BUILD/share/ksc" "$folder/installed/share/" 2>"$folder/log"
[ -d "$folder/installed/share/ksc/types" ] || fail "$(cat "$folder/log")"
chmod 755 "$folder"
[ ${#as_user[@]} -eq 0 ] || chown -R 65534:65534 "$folder/home" "$folder/build"

# No sudo either: it would ask for a password, or give the rights.
mkdir "$folder/bin"
printf '#!/bin/sh\nexit 1\n' >"$folder/bin/sudo"
chmod 755 "$folder/bin" "$folder/bin/sudo"
HOME=$folder/home PATH=$folder/bin:$PATH KSC=$folder/installed/bin/ksc KSC_BUILD_DIRECTORY=$folder/build \
  "${as_user[@]}" "$folder/project/examples/run" >"$folder/log" 2>&1 </dev/null
code=$?
[ $code -eq 0 ] || fail "examples/run exits with $code: $(tail -20 "$folder/log")"
for text in 'runs on the host emulation instead' \
            'packets of  142 bytes: 3 of 3 passed, 0 dropped, as the program says' \
            'packets of 1442 bytes: 0 of 3 passed, 3 dropped, as the program says'; do
  grep -qF "$text" "$folder/log" || fail "'$text' is not in: $(cat "$folder/log")"
done
grep -q 'without the filter' "$folder/log" && fail "the kernel was used: $(cat "$folder/log")"

# With its own build directory out of reach, the project and the home read-only, it finds another place.
chmod 555 "$folder/home"
HOME=$folder/home PATH=$folder/bin:$PATH KSC=$folder/installed/bin/ksc TMPDIR=$folder/build \
  "${as_user[@]}" "$folder/project/examples/run" >"$folder/log" 2>&1 </dev/null
code=$?
chmod 755 "$folder/home"
[ $code -eq 0 ] || fail "a project that is read-only: exit code $code: $(tail -20 "$folder/log")"

# A filter that does something else is told from the one that is meant.
sed -i 's/packet_size > filter.limit/packet_size < filter.limit/' "$folder/project/examples/packet_filter.ks"
HOME=$folder/home PATH=$folder/bin:$PATH KSC=$folder/installed/bin/ksc KSC_BUILD_DIRECTORY=$folder/build \
  "${as_user[@]}" "$folder/project/examples/run" >"$folder/log" 2>&1 </dev/null
code=$?
[ $code -eq 1 ] || fail "the wrong verdicts: exit code $code: $(tail -20 "$folder/log")"
grep -q 'NOT as the program says' "$folder/log" || fail "wrong verdicts are not reported"
exit 0
