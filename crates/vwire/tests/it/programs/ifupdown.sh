# Debian's ifupdown over every sort of interface that a kernel without modules has, and over some that it lacks.
cat >interfaces <<'FILE'
auto lo
iface lo inet loopback

auto ep1
iface ep1 inet static
    pre-up ip link add $IFACE address 02:00:00:00:00:01 type veth peer name ep2 address 02:00:00:00:00:02
    address 10.9.1.1/24
    gateway 10.9.1.254
    mtu 1400
    up ip link set ep2 up
    up ip route add 10.20.0.0/16 via 10.9.1.2
    up ip route add 10.21.0.0/16 dev $IFACE
    down ip route del 10.20.0.0/16
    post-down ip link del $IFACE || true

iface ep1 inet6 static
    address 2001:db8:1::1/64
    gateway fe80::1
    dad-attempts 0
    accept_ra 0
    privext 0
    up ip -6 route add 2001:db8:20::/48 via 2001:db8:1::2 dev $IFACE
    down ip -6 route del 2001:db8:20::/48

auto ep1:1
iface ep1:1 inet static
    address 10.9.2.1
    netmask 255.255.255.0
    broadcast +

auto br0
iface br0 inet static
    pre-up ip link add port1 address 02:00:00:00:00:03 type veth peer name port2 address 02:00:00:00:00:04
    address 10.9.3.1
    netmask 24
    bridge_ports port1
    bridge_stp off
    bridge_fd 0
    bridge_maxwait 0
    bridge_hw 02:00:00:00:00:aa
    metric 7
    post-down ip link del port1

auto br1
iface br1 inet manual
    bridge_ports none
    bridge_hw 02:00:00:00:00:ab
    bridge_ageing 30
    bridge_bridgeprio 4096

auto mv0
iface mv0 inet static
    pre-up ip link add mv0 link ep1 address 02:00:00:00:00:05 type macvlan mode bridge
    address 10.9.7.1/24
    pointopoint 10.9.7.2
    scope link
    post-down ip link del mv0

auto tap0
iface tap0 inet manual
    hwaddress ether 02:00:00:00:00:06
    pre-up ip tuntap add $IFACE mode tap
    up ip link set $IFACE up
    down ip link set $IFACE down
    post-down ip tuntap del $IFACE mode tap

auto tn0
iface tn0 inet tunnel
    address 10.9.6.1
    netmask 255.255.255.252
    dstaddr 10.9.6.2
    mode gre
    endpoint 10.9.1.2
    local 10.9.1.1
    ttl 64

auto six0
iface six0 inet6 v4tunnel
    address 2001:db8:6::1
    netmask 64
    endpoint 10.9.1.2
    ttl 64

auto ep2.5
iface ep2.5 inet static
    address 10.9.5.1/24
    vlan-raw-device ep2

auto nosuch
iface nosuch inet static
    address 10.9.8.1/24
FILE

# Takes away what only time decides: timers, carrier, duplicate addresses being looked for.
settled() { sed -E 's/(promiscuity|gc_timer|tentative|state|qdisc) +[A-Z0-9.a-z_]*//g; s/[A-Z-]*NO-CARRIER,|,LOWER_UP|,M-DOWN| linkdown//g'; }

dump() {
    judge -d -4 addr | settled
    judge -o link | settled
    judge route show table all type unicast | grep -v fe80 | settled
    judge tuntap
    brctl show | tr -s '\t ' ' '
}

ifup --verbose --all --interfaces=interfaces --state-dir=. 2>&1
echo "ifup: $?"
dump
ifquery --state --interfaces=interfaces --state-dir=.
ifdown --verbose --all --interfaces=interfaces --state-dir=. 2>&1
echo "ifdown: $?"
judge link del tn0 2>/dev/null
judge link del six0 2>/dev/null
judge link del br0 2>/dev/null
judge link del br1 2>/dev/null
echo "left: $(judge -o link | cut -d: -f2 | tr -d '\n' | sed 's/^ //') "
