# SPDX-License-Identifier: Apache-2.0
# For the end-to-end tests: two network namespaces, `near` and `far`, with a veth pair between them, in a mount namespace
# with a BPF file system of its own. Everything is gone when the test ends, however it ends.
#
#     near (10.66.0.1, near0)  <-->  far (10.66.0.2, far0); the programs run in `far`
set -u

source_dir=${KSC_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
ksc=${KSC:-$source_dir/build/release/bin/ksc}
failures=0

skip() {
  echo "SKIPPED: $1"
  exit 77
}

if [ -z "${KSC_OWN_MOUNTS:-}" ]; then
  [ "$(id -u)" = 0 ] || skip "loading eBPF needs root"
  for tool in ip tc bpftool gcc clang make ping unshare nsenter setpriv python3; do
    command -v $tool >/dev/null || skip "$tool is not installed"
  done
  unshare -m true 2>/dev/null || skip "cannot make a mount namespace"
  KSC_OWN_MOUNTS=1 exec unshare -m --propagation private "$0" "$@"
fi

work=$(mktemp -d)
chmod 755 "$work"
near=ksnear$$
far=ksfar$$
started=()
pid=

clean_up() {
  for one in "${started[@]}"; do
    kill -9 "$one" 2>"$work/null"
    wait "$one" 2>"$work/null"
  done
  ip netns del "$near" 2>"$work/null"
  ip netns del "$far" 2>"$work/null"
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

mount -t bpf bpf /sys/fs/bpf || skip "cannot mount a BPF file system"
ip netns add "$near" && ip netns add "$far" || skip "cannot make a network namespace"
ip -n "$near" link add near0 type veth peer name far0 netns "$far" || skip "no veth interfaces"
for end in near far; do
  ip -n "${!end}" link set lo up
  ip -n "${!end}" link set "${end}0" up
done
ip -n "$near" addr add 10.66.0.1/24 dev near0
ip -n "$far" addr add 10.66.0.2/24 dev far0

# Not `ip netns exec`, which would hide the BPF file system.
at_near() { nsenter "--net=/run/netns/$near" "$@"; }
at_far() { nsenter "--net=/run/netns/$far" "$@"; }

check() { # NAME WANTED FOUND
  if [ "$2" = "$3" ]; then
    echo "ok: $1"
  else
    echo "FAILED: $1: wanted '$2', found '$3'"
    failures=$((failures + 1))
  fi
}

has() { # NAME PATTERN FILE
  if grep -Eq -- "$2" "$3"; then
    echo "ok: $1"
  else
    echo "FAILED: $1: no '$2' in"
    sed 's/^/    /' "$3"
    failures=$((failures + 1))
  fi
}

build() { # [--OPTION of ksc] SOURCE.ks... ; leaves the projects in $work/NAME
  local source name cc=gcc options=()
  if [[ $1 == --* ]]; then
    options=("$1")
    shift
  fi
  command -v ccache >"$work/null" && cc="ccache gcc"
  for source in "$@"; do
    name=$(basename "$source" .ks)
    "$ksc" compile "${options[@]}" "$source" -o "$work/$name" && make -C "$work/$name" CC="$cc" >"$work/$name.log" 2>&1 ||
      { cat "$work/$name.log"; echo "FAILED: $name is not built"; exit 1; }
  done
}

start() { # OUTPUT ATTACHMENTS COMMAND... ; in `far`; leaves the pid in $pid, once so many kinds of things are attached
  local output=$1 wanted=$2
  shift 2
  # Not at_far, whose pid would be that of a shell.
  nsenter "--net=/run/netns/$far" "$@" >"$output" 2>&1 &
  pid=$!
  started+=("$pid")
  for _ in $(seq 1200); do
    [ "$(attached | wc -w)" -ge "$wanted" ] && return
    kill -0 "$pid" 2>"$work/null" || return
    sleep 0.05
  done
}

finish() { # SIGNAL ; leaves the exit status in $status
  kill "-$1" "$pid"
  for _ in $(seq 100); do
    kill -0 "$pid" 2>"$work/null" || break
    sleep 0.05
  done
  kill -9 "$pid" 2>"$work/null" && echo "it did not end within five seconds"
  wait "$pid"
  status=$?
} 2>"$work/null"

attached() { # what hangs on far0, one word each
  {
    at_far ip -d link show far0 | grep -oE 'prog/xdp|xdpgeneric' | sed 's/.*/xdp/'
    at_far bpftool net show dev far0 | grep -oE 'clsact/[a-z]+'
    at_far tc qdisc show dev far0 | grep -o clsact
    at_far python3 "$source_dir/tests/kernel/tcx_programs.py" far0
  } 2>"$work/null" | sort -u | tr '\n' ' '
}

pings() { # COUNT [OPTIONS]; how many of them were answered
  at_near ping -q -c "$1" -i 0.05 -W 1 "${@:2}" 10.66.0.2 2>&1 | sed -n 's/.* \([0-9]*\) received.*/\1/p'
}

serve() { # PORT...; TCP servers in `far` that answer with a line
  nsenter "--net=/run/netns/$far" python3 - "$@" >"$work/serve" 2>&1 <<'SERVER' &
import selectors, socket, sys
ready = selectors.DefaultSelector()
for port in sys.argv[1:]:
    server = socket.create_server(("10.66.0.2", int(port)))
    ready.register(server, selectors.EVENT_READ)
print("listening", flush=True)
while True:
    for key, _ in ready.select():
        connection, _ = key.fileobj.accept()
        connection.sendall(b"hello\n")
        connection.close()
SERVER
  started+=($!)
  for _ in $(seq 100); do grep -q listening "$work/serve" && return; sleep 0.05; done
  echo "FAILED: no server"
  exit 1
}

connects() { # PORT...; one word each: yes or no
  for port in "$@"; do
    if [ "$(at_near timeout 1 bash -c "exec 3<>/dev/tcp/10.66.0.2/$port && cat <&3" 2>"$work/null")" = hello ]; then
      echo -n "yes "
    else
      echo -n "no "
    fi
  done
}

has_soon() { # as `has`, within three seconds
  for _ in $(seq 60); do
    grep -Eq -- "$2" "$3" && break
    sleep 0.05
  done
  has "$@"
}

done_testing() {
  [ $failures = 0 ] && echo "all passed"
  exit $((failures > 0))
}
