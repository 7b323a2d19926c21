#!/bin/sh
# Runs a program in a network namespace of its own whose only way out is one TCP port: an address of
# the documentation range, behind which a forwarder listens. Everything in it ends with its shell.
#   house.sh ADDRESS PORT SOCKET PROGRAM [ARGUMENT...]
set -eu
if [ "${IN_HOUSE:-}" != 1 ]; then
  IN_HOUSE=1 exec unshare -n -m -p -f --kill-child=KILL --mount-proc "$0" "$@"
fi
address=$1 port=$2 socket=$3
shift 3
# Without IPv6: an address that comes up later would look like a change of network to the browser.
echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6
/sbin/ip link set lo up
/sbin/ip link add door type veth peer name wall
/sbin/ip address add "$address/24" dev door
/sbin/ip link set door up
/sbin/ip link set wall up
node "$(dirname "$0")/forward.mjs" "$address" "$port" "$socket" &
exec "$@"
