#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The examples on a veth pair: real pings and TCP connections pass or are dropped as the programs say.
# shellcheck source=tests/kernel/network.sh disable=SC2154
source "$(dirname "$0")/network.sh"

examples=$source_dir/examples
build "$examples"/{packet_filter,port_blocklist,ping_responder,ip_quota,syn_limiter,traffic_counter,ttl_guard,load_balancer}.ks

# A veth interface takes what XDP sends back only while it has an XDP program of its own.
nsenter "--net=/run/netns/$near" "$work/packet_filter/packet_filter" --interface=near0 --limit=100000 >"$work/peer" 2>&1 &
started+=($!)

echo "--- packet_filter"
check "large packets without the filter" 3 "$(pings 3 -s 1200)"
start "$work/out" 1 "$work/packet_filter/packet_filter" --interface=far0 --limit=1000
check "attached" "xdp " "$(attached)"
check "small packets pass" 3 "$(pings 3 -s 100)"
check "large packets are dropped" 0 "$(pings 3 -s 1200)"
has_soon "what it says" '^dropping packets above 1000 bytes on far0$' "$work/out"
finish INT
check "SIGINT in the wait exits with 0" 0 $status
check "nothing is left" "" "$(attached)"
check "large packets pass again" 3 "$(pings 3 -s 1200)"

echo "--- port_blocklist"
serve 2000 2001 2005 2010
check "without the filter" "yes yes yes yes " "$(connects 2000 2001 2005 2010)"
start "$work/out" 1 "$work/port_blocklist/port_blocklist" --interface=far0 --port 2000 --first=2003 --last=2007
has_soon "how many are blocked" '^6 ports are blocked on far0$' "$work/out"
check "blocked ports do not connect" "no yes no yes " "$(connects 2000 2001 2005 2010)"
check "pings pass" 2 "$(pings 2)"
finish TERM
check "SIGTERM in the wait exits with 0" 0 $status
check "after the filter" "yes yes yes yes " "$(connects 2000 2001 2005 2010)"
at_far "$work/port_blocklist/port_blocklist" --interface=far0 --first=5 --last=3 >"$work/out" 2>&1
check "a result of main" 1 $?

echo "--- ping_responder"
at_far sysctl -q -w net.ipv4.icmp_echo_ignore_all=1
check "the stack does not answer" 0 "$(pings 2)"
start "$work/out" 1 "$work/ping_responder/ping_responder" --interface=far0
check "the program answers" 3 "$(pings 3 -s 500)"
has_soon "it counts" '^3 pings answered$' "$work/out"
finish INT
check "SIGINT in a loop exits with 130" 130 $status
check "nothing is left" "" "$(attached)"
check "the stack is alone again" 0 "$(pings 2)"
at_far sysctl -q -w net.ipv4.icmp_echo_ignore_all=0

echo "--- ip_quota"
start "$work/out" 1 "$work/ip_quota/ip_quota" --interface=far0 --packets=5 --seconds=1000
check "five packets pass" 5 "$(pings 8)"
finish INT
check "SIGINT" 0 $status

echo "--- syn_limiter"
start "$work/out" 1 "$work/syn_limiter/syn_limiter" --interface=far0 --limit=2
check "two connections a second" "yes yes no " "$(connects 2000 2001 2005)"
sleep 1.5
check "and two in the next" "yes " "$(connects 2000)"
has_soon "it says what it refused" '^[34] accepted, [1-9] refused$|^2 accepted, [1-9] refused$' "$work/out"
finish TERM
check "SIGTERM in sleep exits with 143" 143 $status
check "nothing is left" "" "$(attached)"

echo "--- traffic_counter"
start "$work/out" 2 "$work/traffic_counter/traffic_counter" --interface=far0 --seconds=1
check "both are attached" 2 "$(attached | wc -w)"
check "pings" 4 "$(pings 4)"
some='([4-9]|[1-9][0-9]+) packets, [0-9]{3,} bytes'
has_soon "both directions are counted" "^received $some; sent $some\$" "$work/out"
finish INT
check "SIGINT in sleep exits with 130" 130 $status
check "nothing is left" "" "$(attached)"

at_far "$work/traffic_counter/traffic_counter" --interface=far0 --seconds=1 --rounds=1 >"$work/out" 2>&1
check "it ends by itself" 0 $?
check "after one round" 1 "$(grep -c ^received "$work/out")"

echo "--- ttl_guard"
start "$work/out" 1 "$work/ttl_guard/ttl_guard" --trace --interface=far0 --max_hops=10
check "near packets pass" 2 "$(pings 2 -t 60)"
check "far ones do not" 0 "$(pings 2 -t 50)"
has_soon "--trace shows the prints of the eBPF part" '^dropped a packet from 14 hops away, the 2\. one$' "$work/out"
finish INT
check "SIGINT" 0 $status
check "nothing is left" "" "$(attached)"

echo "--- load_balancer"
# `far` balances; the servers' Ethernet addresses are those of `near`, which sees what comes back.
near_mac=$(ip -n "$near" link show near0 | sed -n 's|.*link/ether \([0-9a-f:]*\).*|\1|p' | tr -d :)
start "$work/out" 1 "$work/load_balancer/load_balancer" --interface=far0 --address=0x0a420002 --port=2000 --servers=1 \
  --first_mac="0x$near_mac"
check "the service's packets come back, others do not" "no yes " "$(connects 2000 2001)"
map=$(at_far bpftool -j map show | python3 -c 'import json,sys; print([m["id"] for m in json.load(sys.stdin) if m.get("name") == "servers"][-1])')
at_far bpftool map lookup id "$map" key 0 0 0 0 >"$work/server"
has "the server counts packets" '"packets": [1-9]' "$work/server"
finish INT
check "SIGINT" 0 $status
check "connects again" "yes " "$(connects 2000)"

done_testing
