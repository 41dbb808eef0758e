# What people write by hand: namespaces, a bridge between them, a router, routes by source, and questions in JSON.
exec 2>&1
fail() { echo "failed: $*"; }
lost() { ip netns exec "$1" ping -n -q -c 1 -W 2 "$2" | grep -o '[0-9]*% packet loss' || fail ping "$2"; }

for name in red blue router; do
    ip netns list | grep -qw "$name" || ip netns add "$name" || fail netns "$name"
    ip -n "$name" link set lo up
done
ip link add br0 address 02:00:00:00:00:99 type bridge stp_state 0 forward_delay 0 || fail bridge
ip link set dev br0 up
number=1
for name in red router; do
    ip link add "v-$name" type veth peer name eth0 address "02:00:00:00:00:0$number" netns "$name" || fail veth
    ip link set "v-$name" master br0 up
    ip -n "$name" addr add "10.1.0.$number/24" brd + dev eth0
    ip -n "$name" link set eth0 up mtu 1400
    number=$((number + 1))
done
ip link add eth1 netns router type veth peer eth0 netns blue
ip -n router addr add 10.2.0.1/24 dev eth1
ip -n blue addr add 10.2.0.2/24 dev eth0
ip -n router link set eth1 up
ip -n blue link set eth0 up
ip netns exec router sysctl -qw net.ipv4.ip_forward=1
ip -n red route add default via 10.1.0.2
ip -n blue route add default via 10.2.0.1
lost red 10.2.0.2

# Routes by source, as people have them for two ways out.
ip -n router route add default via 10.2.0.2 dev eth1 table 100
ip -n router rule add from 10.1.0.0/24 lookup 100 pref 1000
ip -n router rule show
ip -n router route get 192.0.2.1 from 10.1.0.1 iif eth0 | head -1
ip -n router rule del pref 1000 && ip -n router route flush table 100
ip -n router -batch - <<'BATCH' || fail batch
# comments and blank lines are skipped

route add blackhole 198.51.100.0/24
neigh replace 10.2.0.9 lladdr 02:00:00:00:00:09 dev eth1 nud permanent
address add 2001:db8::1/64 dev eth1 nodad
BATCH
ip -n router route show type blackhole
ip -n router neigh show nud permanent

# What goes wrong is told by exit codes and words that scripts know.
ip link add br0 type bridge || echo "code $?"
ip link set nosuch up || echo "code $?"
ip -n nosuch link || echo "code $?"
ip -n red route add 10.9.0.0/16 via 10.77.0.1 || echo "code $?"
ip link show dev v-red >/dev/null 2>&1 && echo "v-red is there"
ip -o -4 addr show dev lo | awk '{ print $2, $4 }'
ip -n red -o -4 addr | awk '{ print $2, $4 }'
[ "$(ip -n red -4 -br addr show eth0 | awk '{ print $3 }')" = 10.1.0.1/24 ] || fail brief
ip -n red route | sed -n 's/^default via \([^ ]*\).*/gateway \1/p'
ip -j -n red addr show | python3 -c '
import json, sys
for link in json.load(sys.stdin):
    print(link["ifname"], link["mtu"], [(a["family"], a["local"]) for a in link["addr_info"] if a["scope"] != "link"])'
ip -j -d link show type bridge | python3 -c '
import json, sys
print([link["linkinfo"]["info_data"]["forward_delay"] for link in json.load(sys.stdin)])'

ip -all netns delete
ip link del br0
until [ "$(judge -o link | wc -l)" = 1 ]; do :; done
echo "left: $(judge -o link | cut -d: -f2 | tr -d '\n' | sed 's/^ //') "
