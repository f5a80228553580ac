#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tests/setup, and through it examples/run and tests/run: installs what is missing and nothing else, says so before it does, leaves
# apt's sources alone, and has nothing to do the second time. apt-get, dpkg-query and sudo are stand-ins that note how they are called.
set -u
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failures=0
fail() {
  echo "$*"
  failures=$((failures + 1))
}

# Nothing else is in PATH: what setup calls besides would not be found.
mkdir -p "$folder/bin" "$folder/tools" "$folder/project/tests"
for tool in bash sh sort tr env cat dirname mkdir nproc date basename mktemp grep head; do
  ln -s "$(command -v $tool)" "$folder/tools/$tool" || exit 1
done
stand_in() { # NAME, its lines on standard input
  { echo '#!/bin/bash'; cat; } >"$folder/bin/$1"
  chmod 755 "$folder/bin/$1"
}
# What had been said when it was called is kept beside the call.
stand_in apt-get <<'SCRIPT'
echo "apt-get $*" >>"$STATE/calls"
cat "$STATE/out" >>"$STATE/said_before_$1"
[ -z "${APT_FAILS:-}" ] || exit 100
case $1 in
  update) : >"$STATE/updated" ;;
  install)
    for word in "${@:2}"; do
      case $word in -*) ;; *) echo "$word" >>"$STATE/installed" ;; esac
    done ;;
esac
SCRIPT
stand_in dpkg-query <<'SCRIPT'
grep -qx -- "${@: -1}" "$STATE/installed" && echo "ii "
SCRIPT
# A fresh machine's apt knows no package before `apt-get update`.
stand_in apt-cache <<'SCRIPT'
[ -e "$STATE/updated" ]
SCRIPT
stand_in sudo <<'SCRIPT'
echo "sudo $*" >>"$STATE/calls"
exec "$@"
SCRIPT
stand_in id <<'SCRIPT'
echo "$USER_NUMBER"
SCRIPT
stand_in cmake <<'SCRIPT'
echo "cmake" >>"$STATE/calls"
exit 1
SCRIPT
# With a ksc at hand, examples/run would not build one.
unset KSC
cp -r "${KSC_SOURCE:?}/examples" "$folder/project/" || exit 1
cp "$KSC_SOURCE/tests/setup" "$KSC_SOURCE/tests/run" "$folder/project/tests/" || exit 1

export STATE=$folder/state USER_NUMBER=0
fresh() { # a machine on which nothing is installed
  rm -rf "$STATE"
  mkdir "$STATE"
  : >"$STATE/calls"
  : >"$STATE/installed"
}
run() { # COMMAND... ; leaves the exit code in $code, what it printed in $STATE/out
  PATH=$folder/bin:$folder/tools "$@" >"$STATE/out" 2>&1 </dev/null
  code=$?
}
setup=$folder/project/tests/setup
calls() { cat "$STATE/calls"; }
sources_of_apt() { find /etc/apt -type f -exec cksum {} + 2>/dev/null | sort; }
apt_before=$(sources_of_apt)

# told_before_installing NAME: each package was named before anything was installed, and apt-get was before it was called.
told_before_installing() {
  local package
  grep -q 'will run.*apt-get update, and then apt-get install' "$STATE/said_before_update" || fail "$1: apt-get update comes unsaid"
  for package in $(sed -n 's/^apt-get install //p' "$STATE/calls"); do
    case $package in
      -*) ;;
      *) grep -qwF -- "$package" "$STATE/said_before_install" || fail "$1: $package is installed without a word" ;;
    esac
  done
}

fresh
run "$setup" run
[ $code -eq 0 ] || fail "a fresh machine: exit code $code: $(cat "$STATE/out")"
[ "$(sed 's/ install .*/ install/' "$STATE/calls")" = $'apt-get update -qq\napt-get install' ] || fail "a fresh machine: it calls $(calls)"
told_before_installing "a fresh machine"
grep -qw 'clang-19' "$STATE/calls" || fail "a fresh machine: not the newest clang: $(calls)"
: >"$STATE/calls"
run "$setup" run
[ $code -eq 0 ] && [ -z "$(calls)" ] || fail "the second time: exit code $code, it calls $(calls)"
grep -q 'all packages are installed' "$STATE/out" || fail "the second time it says $(cat "$STATE/out")"

# The tests need more; only what is missing is installed.
run "$setup" test
[ $code -eq 0 ] || fail "for the tests: exit code $code"
told_before_installing "for the tests"
grep -qw libgtest-dev "$STATE/calls" || fail "for the tests: $(calls)"
grep -qw g++ "$STATE/calls" && fail "for the tests: what is there is installed again: $(calls)"
: >"$STATE/calls"
run "$setup" test
[ $code -eq 0 ] && [ -z "$(calls)" ] || fail "for the tests, the second time: it calls $(calls)"
sed -i '/^bpftool$/d' "$STATE/installed"
run "$setup" run
[ "$(sed -n 's/^apt-get install //p' "$STATE/calls")" = "-y -qq --no-install-recommends bpftool" ] || fail "one package is missing: $(calls)"

# Not root: through sudo, which is told; without sudo nothing is tried.
export USER_NUMBER=1000
fresh
run "$setup" run
[ $code -eq 0 ] || fail "through sudo: exit code $code"
grep -q 'through sudo' "$STATE/said_before_update" || fail "that sudo is used comes unsaid: $(cat "$STATE/said_before_update")"
[ "$(grep -c '^sudo ' "$STATE/calls")" = "$(grep -c '^apt-get ' "$STATE/calls")" ] || fail "not through sudo: $(calls)"
mv "$folder/bin/sudo" "$folder/no-sudo"
fresh
run "$setup" run
[ $code -eq 1 ] && [ -z "$(calls)" ] || fail "without sudo: exit code $code, it calls $(calls)"
grep -q 'apt-get install.* bpftool .*g++ ' "$STATE/out" || fail "without sudo it does not say what to install: $(cat "$STATE/out")"
mv "$folder/no-sudo" "$folder/bin/sudo"
export USER_NUMBER=0

# Another system; wrong usage; apt-get fails.
mv "$folder/bin/dpkg-query" "$folder/no-dpkg-query"
fresh
run "$setup" run
[ $code -eq 1 ] && [ -z "$(calls)" ] || fail "no Debian system: exit code $code, it calls $(calls)"
grep -q 'not a Debian system' "$STATE/out" || fail "no Debian system: $(cat "$STATE/out")"
mv "$folder/no-dpkg-query" "$folder/bin/dpkg-query"
for word in "" everything; do
  fresh
  run "$setup" $word
  [ $code -eq 2 ] && [ -z "$(calls)" ] || fail "setup $word: exit code $code, it calls $(calls)"
done
fresh
APT_FAILS=1 run "$setup" run
[ $code -ne 0 ] || fail "a failing apt-get is no failure"

# The two commands of the README: packages first, and nothing is built without them.
for command in examples/run tests/run; do
  fresh
  KSC_BUILD_DIRECTORY=$folder/build run "$folder/project/$command"
  [ $code -ne 0 ] || fail "$command: cmake failed, and it ends with 0"
  [ "$(sed 's/ .*//' "$STATE/calls" | tr '\n' ' ')" = "apt-get apt-get cmake " ] || fail "$command calls $(calls)"
  told_before_installing "$command"
  fresh
  APT_FAILS=1 KSC_BUILD_DIRECTORY=$folder/build run "$folder/project/$command"
  [ $code -eq 1 ] || fail "$command without packages: exit code $code"
  [ "$(calls)" = "apt-get update -qq" ] || fail "$command without packages calls $(calls)"
  grep -qE 'packages (are missing|could not be installed)' "$STATE/out" || fail "$command without packages says $(cat "$STATE/out")"
  rm -rf "$folder/build"
done

[ "$(sources_of_apt)" = "$apt_before" ] || fail "files in /etc/apt were changed"
[ $failures = 0 ] && echo "all passed"
exit $((failures > 0))
