# mininet with Linux bridges: a star whose links go down and come up, a tree, and what the hosts see of it.
python3 - 2>&1 <<'PROGRAM'
from mininet.log import setLogLevel
from mininet.net import Mininet
from mininet.nodelib import LinuxBridge
from mininet.topo import SingleSwitchTopo
from mininet.topolib import TreeTopo

setLogLevel("warning")


def network(topology):
    net = Mininet(topo=topology, switch=LinuxBridge, controller=None, autoSetMacs=True, waitConnected=False)
    net.start()
    return net


def seen(host):
    facts = "{ ip -4 addr; ip route; ip neigh | sort; ip link show type veth; }"
    return host.cmd(facts + " | sed -E 's/^[0-9]+: |@if[0-9]+|link-netnsid [0-9]+//g; s/DELAY|STALE|PROBE/REACHABLE/'")


net = network(SingleSwitchTopo(3))
print("star: %.1f %% lost" % net.pingAll(timeout="2"))
print(seen(net.hosts[0]))
print("status:", *[link.status() for link in net.links])
net.configLinkStatus("h1", "s1", "down")
print("star without h1: %.1f %% lost" % net.pingAll(timeout="0.3"))
net.configLinkStatus("h1", "s1", "up")
h1, h2 = net.hosts[:2]
h1.setIP("10.0.9.1/24")
h2.setIP("10.0.9.2/24")
h1.setMAC("02:00:00:00:09:01")
h1.setDefaultRoute("dev h1-eth0")
h1.setHostRoute("10.7.7.7", "h1-eth0")
print("h1 has %s and %s, up: %s; %.1f %% lost to h2" % (h1.IP(), h1.MAC(), h1.intf().isUp(), net.ping([h1, h2])))
print(seen(h1))
net.delLink(net.links[-1])
net.stop()

net = network(TreeTopo(depth=2, fanout=2))
print("tree: %.1f %% lost" % net.pingAll(timeout="2"))
print(seen(net.hosts[-1]))
net.stop()
PROGRAM
echo "left: $(judge -o link | cut -d: -f2 | tr -d '\n' | sed 's/^ //') "
