#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# -Rbounds [L55] and -Rloops [L148]: each place where the compiler puts something in that may end the program, and no other.
set -u
ksc=${KSC:?the path of ksc}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failures=0

# same NAME WANTED FOUND
same() {
  [ "$2" = "$3" ] && return
  printf '%s:\n%s\ninstead of\n%s\n' "$1" "$3" "$2"
  failures=$((failures + 1))
}

cat >t.ks <<'SOURCE'
@helper fn ttl(ctx: *xdp_md) -> u8 {
    var ip = (ctx->data + 14) as *iphdr
    return ip->ttl
}
@helper fn unused(ctx: *xdp_md) -> u8 {
    return ctx->data[0]
}
@on_fault(XDP_DROP) @xdp fn firewall(ctx: *xdp_md) -> xdp_action {
    var eth = ctx->data as *ethhdr
    if (eth->h_proto != htons(ETH_P_IP)) { return XDP_PASS }
    var kind = eth->h_source[0]
    if (ctx->data + 34 > ctx->data_end) { return XDP_PASS }
    var ip = (ctx->data + 14) as *iphdr
    for (i in 0..ip->saddr) {
        if (ip->ttl + i > 300) { break }
    }
    for (i in 0..kind) { }
    for (i in 0..9) { }
    return ttl(ctx) > 3 ? XDP_DROP : XDP_PASS
}
@xdp fn other(ctx: *xdp_md) -> xdp_action {
    var x: u32 = ttl(ctx)
    while (x > 0) { x -= 1 }
    return XDP_PASS
}
fn main() -> i32 {
    var n = 0
    while (n < 9) { n += 1 }
    return 0
}
SOURCE

bounds='t.ks:3:12: remark[KS0450]: the packet may end before this: 9 bytes are tested; where they are missing, the program that called this ends: `firewall` with `XDP_DROP`, `other` with `XDP_PASS`
t.ks:6:12: remark[KS0450]: the packet may end before this: 1 byte is tested; where it is missing, the program that calls this ends, but none does
t.ks:10:9: remark[KS0450]: the packet may end before this: 14 bytes are tested; where they are missing, `firewall` ends with `XDP_DROP`'
loops='t.ks:14:5: remark[KS0451]: this loop may run 8,388,608 times at most; where it would go on, `firewall` ends with `XDP_DROP`
t.ks:23:5: remark[KS0451]: this loop may run 8,388,608 times at most; where it would go on, `other` ends with `XDP_PASS`'

remarks() { "$ksc" "$@" 2>&1 | grep -E '^t\.ks'; }
same "no -R" "" "$(remarks check t.ks)"
same "-Rbounds" "$bounds" "$(remarks check -Rbounds t.ks)"
same "-Rloops" "$loops" "$(remarks check -Rloops t.ks)"
same "--remark=loops" "$loops" "$(remarks check --remark=loops t.ks)"
all=$(printf '%s\n%s' "$bounds" "$loops" | sort -t: -k2n)
same "-Rall" "$all" "$(remarks check -Rall t.ks)"
same "-Rbounds -Rloops" "$all" "$(remarks check -Rbounds -Rloops t.ks)"
same "compile" "$all" "$(remarks compile -Rall t.ks -o out)"
[ -f out/t.ebpf.c ] || { echo "a remark keeps files from being written"; failures=$((failures + 1)); }
same "the place" "^^^^^^^" "$("$ksc" check -Rbounds t.ks 2>&1 | sed -n 's/^ *| *\(\^*\)$/\1/p' | head -1)"

json=$("$ksc" check -Rbounds --error-format=json t.ks 2>&1)
for text in '"severity": "remark"' '"code": "KS0450"' '"line": 3' '"column": 12' '"end_column": 19'; do
  grep -qF "$text" <<<"$json" || { echo "JSON lacks $text"; failures=$((failures + 1)); }
done

"$ksc" check -Rnothing t.ks >usage 2>&1
same "an unknown kind" 2 $?
grep -qF -- '-R is followed by one of bounds, loops, stack, all, not `nothing`' usage || { cat usage; failures=$((failures + 1)); }
[ $failures = 0 ] && echo "all passed"
exit $((failures > 0))
