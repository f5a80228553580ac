#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The life of a generated program: options, attaching, signals, exit codes, what a kill leaves, what is pinned.
# Rules: [L14] [L70] [L71] [L72] [L73] [L160] [L181] [L186]
# shellcheck source=tests/kernel/network.sh disable=SC2154
source "$(dirname "$0")/network.sh"

cat >"$work/sleeper.ks" <<'SOURCE'
// Counts packets and sleeps; ends as it is told.
enum Ending { WAIT, SLEEP, EXIT, RETURN }
struct Args {
    interface: str(16),
    ending: Ending,
    code: i8,
    twice: bool,
}
var packets : array<u32, u64>(1)
pin var starts: u32 = 100

@xdp fn sleeper(ctx: *xdp_md) -> xdp_action {
    packets[0] += 1
    return XDP_PASS
}

@tc("ingress") fn looker(ctx: *__sk_buff) -> i32 {
    packets[0] += 1
    return TC_ACT_OK
}

fn main(args: Args) -> i32 {
    var first = load(sleeper)
    var second = load(looker)
    starts += 1
    attach(first, args.interface, 0)
    attach(second, args.interface, 0)
    print("start %u", starts)
    if (args.twice) {
        print("attached again gives %d", attach(first, args.interface, 0))
        detach(first)
        detach(first)
        print("attached afterwards gives %d", attach(first, args.interface, 0))
    }
    match (args.ending) {
        SLEEP: sleep(60000),
        EXIT: exit(args.code as i32),
        RETURN: { return args.code as i32 },
        WAIT: {}
    }
    return 0
}
SOURCE
build "$work/sleeper.ks" "$source_dir/examples/egress_accountant.ks"
sleeper=$work/sleeper/sleeper

echo "--- options"
"$sleeper" --help >"$work/out" 2>"$work/errors"
check "--help exits with 0" 0 $?
check "and writes nothing on stderr" 0 "$(stat -c %s "$work/errors")"
for option in --interface --ending --code --twice --trace --unpin; do has "--help names $option" "$option" "$work/out"; done
for wrong in --nonsense "--code=200" "--ending=NEVER" "--interface" "--interface=a-name-that-is-too-long" "word" "--twice=perhaps"; do
  "$sleeper" $wrong >"$work/out" 2>&1
  check "$wrong exits with 2" 2 $?
done

echo "--- exit codes"
for ending in WAIT SLEEP; do
  for signal in INT TERM; do
    start "$work/out" 2 "$sleeper" --interface=far0 --ending=$ending
    has_soon "it says that it started" '^start 1[0-9][0-9]$' "$work/out"
    check "both are attached" "2" "$(attached | wc -w)"
    [ $ending = WAIT ] && has_soon "it names what is attached" 'sleeper to far0 \(xdp, (native|generic)\), looker to far0' "$work/out"
    finish $signal
    case $ending$signal in WAIT*) wanted=0 ;; SLEEPINT) wanted=130 ;; SLEEPTERM) wanted=143 ;; esac
    check "SIG$signal in $ending" $wanted $status
    check "nothing is left" "" "$(attached)"
  done
done
at_far "$sleeper" --interface=far0 --ending=EXIT --code=7 >"$work/out" 2>&1
check "exit(7)" 7 $?
check "nothing is left" "" "$(attached)"
at_far "$sleeper" --interface=far0 --ending=RETURN --code=9 >"$work/out" 2>&1
check "return 9" 9 $?
check "nothing is left" "" "$(attached)"
KS_NO_WAIT=1 nsenter "--net=/run/netns/$far" "$sleeper" --interface=far0 >"$work/out" 2>&1
check "KS_NO_WAIT" 0 $?
has "it says that nothing is waited for" '^attached: .*; detached at once, since KS_NO_WAIT=1$' "$work/out"
check "nothing is left" "" "$(attached)"

echo "--- attaching twice"
start "$work/out" 2 "$sleeper" --interface=far0 --twice
has_soon "attach answers -EBUSY" '^attached again gives -16$' "$work/out"
has_soon "detach is idempotent, and attach works again" '^attached afterwards gives 0$' "$work/out"
at_far "$sleeper" --interface=far0 >"$work/second" 2>&1
check "a second program exits with 1" 1 $?
has "and says what is the matter" 'cannot attach sleeper to far0: Device or resource busy; .*bpftool net' "$work/second"
check "the first one stays" "2" "$(attached | wc -w)"
finish INT
check "SIGINT" 0 $status

echo "--- failures"
at_far "$sleeper" --interface=absent0 >"$work/out" 2>&1
check "no such interface" 1 $?
has "its message" 'cannot attach sleeper to absent0: No such device; there is no such interface' "$work/out"
at_far setpriv --reuid 65534 --clear-groups --inh-caps=-all "$sleeper" --interface=far0 >"$work/out" 2>&1
check "no rights" 1 $?
has "its message says what is needed" 'CAP_BPF|as root' "$work/out"
check "it is the only message" 1 "$(grep -c 'cannot' "$work/out")"
check "nothing is left" "" "$(attached)"

echo "--- killed"
start "$work/out" 2 "$sleeper" --interface=far0
finish KILL
check "SIGKILL" 137 $status
start "$work/out" 2 "$sleeper" --interface=far0
has_soon "it starts again" '^start 1[0-9][0-9]$' "$work/out"
finish INT
check "SIGINT" 0 $status
check "nothing is left" "" "$(attached)"

echo "--- pins"
"$sleeper" --unpin
check "--unpin" 0 $?
check "the folder is gone" "" "$(ls -d /sys/fs/bpf/sleeper 2>"$work/null")"
for run in 1 2 3; do
  KS_NO_WAIT=1 nsenter "--net=/run/netns/$far" "$sleeper" --interface=far0 >"$work/out" 2>&1
  has "a pinned global at start $run" "^start 10$run\$" "$work/out"
done
check "it is pinned" "pinned_globals" "$(ls /sys/fs/bpf/sleeper/globals)"
make -s -C "$work/sleeper" unpin >"$work/out" 2>&1
check "make unpin" 0 $?
check "the folder is gone" "" "$(ls -d /sys/fs/bpf/sleeper 2>"$work/null")"
# `ip netns exec` hides the BPF file system.
for hidden in "ip netns exec $far" "nsenter --net=/run/netns/$far"; do
  KS_NO_WAIT=1 $hidden "$sleeper" --interface=far0 --ending=RETURN >"$work/out" 2>"$work/errors"
  check "$hidden" 0 $?
  [[ $hidden = nsenter* ]] || has "it says that pins end with it" 'mounted for this process alone' "$work/errors"
done
check "and nothing else does" 0 "$(stat -c %s "$work/errors")"
"$sleeper" --unpin

accountant=$work/egress_accountant/egress_accountant
for run in 1 2; do
  start "$work/out" 1 "$accountant" --interface=far0
  has_soon "run $run" "^run $run: accounting what leaves far0\$" "$work/out"
  check "pings" 3 "$(pings 3)"
  finish INT
  check "SIGINT" 0 $status
done
"$accountant" --report >"$work/out" 2>&1
check "the report" 0 $?
has "accounts of both runs" '^[0-9]+ packets, [0-9]{3,} bytes to [0-9]+ destinations in 2 runs$' "$work/out"
bpftool -j map dump pinned /sys/fs/bpf/egress_accountant/maps/accounts >"$work/accounts"
has "six replies of 98 bytes are accounted" '"packets": ?6,"bytes": ?588' "$work/accounts"
"$accountant" --unpin
check "the accounts are closed" "" "$(ls -d /sys/fs/bpf/egress_accountant 2>"$work/null")"

echo "--- a layout that changed"
KS_NO_WAIT=1 nsenter "--net=/run/netns/$far" "$sleeper" --interface=far0 >"$work/out" 2>&1
sed -i 's/^pin var starts: u32 = 100/pin var before: u64 = 1\npin var starts: u32 = 100/' "$work/sleeper.ks"
rm -rf "$work/sleeper"
build "$work/sleeper.ks"
KS_NO_WAIT=1 nsenter "--net=/run/netns/$far" "$sleeper" --interface=far0 >"$work/out" 2>&1
check "another layout of pinned globals" 1 $?
has "what is pinned" 'pinned: ' "$work/out"
has "what is needed" 'needed: ' "$work/out"
has "the way out" '--unpin' "$work/out"

done_testing
