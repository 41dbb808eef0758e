//! `-r`: names of hosts in the place of addresses.

use crate::lab::{Lab, lab};

/// Gives the lab hosts of its own, and a name server that is not there.
fn with_hosts(net: &Lab) {
    std::fs::write(
        "/run/hosts",
        "127.0.0.1 localhost\n10.0.0.1 one.example one\n10.0.0.2 two\n10.0.0.9 nine\n2001:db8::1 six.example\n",
    )
    .unwrap();
    std::fs::write("/run/resolv.conf", "nameserver 127.0.0.1\noptions attempts:1 timeout:1\n").unwrap();
    for file in ["hosts", "resolv.conf"] {
        net.run(net.command("mount", &["--bind", &format!("/run/{file}"), &format!("/etc/{file}")])).ok();
    }
    net.arrange(&[
        "link set lo up",
        "link add v0 address 02:00:00:00:00:01 type veth peer name v1 address 02:00:00:00:00:02",
        "link set v0 addrgenmode none",
        "link set v1 addrgenmode none up",
        "link set v0 up",
        "addr add 10.0.0.1/24 brd 10.0.0.9 dev v0",
        "addr add 2001:db8::1/64 dev v0 nodad",
        "route add 10.1.0.0/24 via 10.0.0.2",
        "route add 10.0.0.2/32 dev v0",
        "route add 10.2.0.0/24 nexthop via 10.0.0.2 dev v0 nexthop via 10.0.0.3 dev v0",
        "neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev v0",
        "rule add from 10.0.0.1 to 10.0.0.2 lookup 7",
        "nexthop add id 7 via 10.0.0.2 dev v0",
    ]);
}

#[test]
fn hosts_have_their_names_where_ip_names_them() {
    lab(|net| {
        with_hosts(net);
        let lines = [
            "addr show dev v0",
            "-br addr show dev v0",
            "addr show dev lo",
            "route",
            "-6 route show dev v0",
            "route show table local",
            "route get 10.0.0.2",
            "neigh show dev v0",
            "-br neigh show dev v0",
            "rule",
            "nexthop",
            "maddr show dev v0",
            "addrlabel",
            "token show dev v0",
        ];
        for line in lines {
            for options in ["-r", "-r -j"] {
                let words: Vec<&str> = options.split(' ').chain(line.split(' ')).collect();
                net.same(&words);
            }
        }
        let said = net.vwire(&["-r", "addr", "show", "dev", "v0"]).ok();
        assert!(said.contains("inet one.example/24 brd nine scope global"), "{said}");
        assert!(said.contains("inet6 six.example/64 scope global"), "{said}");
        let said = net.vwire(&["-r", "route"]).ok();
        assert!(said.contains("two dev v0 scope link") && said.contains("10.1.0.0/24 via two dev v0"), "{said}");
    });
}

#[test]
fn ends_of_tunnels_have_their_names() {
    lab(|net| {
        with_hosts(net);
        net.arrange(&["link add x0 type vxlan id 5 remote 10.0.0.2 local 10.0.0.1 dev v0 dstport 4789"]);
        net.same(&["-r", "-d", "link", "show", "x0"]);
        let said = net.vwire(&["-r", "-d", "link", "show", "x0"]).ok();
        assert!(said.contains("vxlan id 5 remote two local one.example dev v0"), "{said}");
    });
}

#[test]
fn without_being_asked_nobody_looks_up_names() {
    lab(|net| {
        with_hosts(net);
        assert!(!net.vwire(&["addr"]).ok().contains("example"));
    });
}
