//! The socket and the messages against the running kernel, each test in a network namespace of its own.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use vwire_netlink::wire::link::{KindData, bridge::Bridge, veth::Veth};
use vwire_netlink::wire::qdisc::{self, LINKLAYER_ETHERNET, Netem, RateSpec, Tbf, TbfParameters};
use vwire_netlink::wire::{Body, nft};
use vwire_netlink::{
    Address, AddressFilter, Create, Event, Group, IfName, Link, LinkFilter, MessageType, Monitor, NamespaceId,
    Namespaces, Neighbour, Nexthop, Object, Qdisc, Request, Route, Rule, Socket,
};

/// Runs `test` on a thread with a network namespace of its own.
fn in_namespace(test: impl FnOnce(Socket) + Send + 'static) {
    if std::env::var_os("VWIRE_SKIP_PRIVILEGED").is_some() {
        println!("SKIPPED: VWIRE_SKIP_PRIVILEGED is set");
        return;
    }
    let body = move || {
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).unwrap_or_else(|error| {
            panic!("cannot make a namespace: {error}; run as root, or set VWIRE_SKIP_PRIVILEGED=1 to skip")
        });
        test(Socket::open().unwrap());
    };
    if let Err(panic) = std::thread::spawn(body).join() {
        std::panic::resume_unwind(panic);
    }
}

fn name(text: &str) -> IfName {
    IfName::new(text).unwrap()
}

fn veth(one: &str, other: &str) -> Link {
    let mut link = Link::named(name(one));
    link.set_kind("veth", Some(Veth::with_peer(Link::named(name(other))).into()));
    link
}

#[test]
fn a_new_namespace_has_lo_only() {
    in_namespace(|mut socket| {
        let links = socket.links(&LinkFilter::all()).unwrap();
        assert_eq!(links.len(), 1);
        let lo = &links[0];
        assert_eq!(lo.ifname.unwrap(), "lo");
        assert_eq!((lo.index, lo.mtu, lo.link_type), (1, Some(65536), libc::ARPHRD_LOOPBACK));
        assert!(lo.stats64.is_some());
        assert_eq!(lo.other, [], "attributes of this kernel that are not known here");
        let lean = socket.links(&LinkFilter::without_stats()).unwrap();
        let inet6 = |link: &Link| link.af_spec.as_ref().unwrap().inet6.clone().unwrap();
        assert!(inet6(lo).stats.is_some());
        assert_eq!((&lean[0].stats, inet6(&lean[0]).stats), (&None, None));
    });
}

#[test]
fn a_veth_pair_is_made_found_and_deleted() {
    in_namespace(|mut socket| {
        let mut link = veth("ep1", "ep2");
        link.mtu = Some(1400);
        socket.request(&Request::new_link(&link, Create::Exclusive)).unwrap();
        let found: Link = socket.get(&Request::get_link(&Link::named(name("ep1")))).unwrap();
        assert_eq!(found.kind(), Some("veth"));
        assert_eq!(found.mtu, Some(1400));
        let peer: Link = socket.get(&Request::get_link(&Link::named(name("ep2")))).unwrap();
        assert_eq!(found.link, Some(peer.index));
        let filter = LinkFilter { kind: Some("veth".to_owned()), ..LinkFilter::all() };
        assert_eq!(socket.links(&filter).unwrap().len(), 2);
        socket.request(&Request::del_link(&Link::named(name("ep2")))).unwrap();
        assert_eq!(socket.links(&LinkFilter::all()).unwrap().len(), 1);
    });
}

#[test]
fn an_echoed_request_returns_what_was_made() {
    in_namespace(|mut socket| {
        let mut link = Link::named(name("br0"));
        let bridge = Bridge { ageing_time: Some(7700), ..Bridge::default() };
        link.set_kind("bridge", Some(bridge.into()));
        let made: Link = socket.get(&Request::new_link(&link, Create::Exclusive).with_echo()).unwrap();
        assert_eq!(made.ifname, link.ifname);
        let Some(KindData::Bridge(bridge)) = made.kind_data() else {
            panic!("{:?}", made.kind_data());
        };
        assert_eq!((bridge.ageing_time, bridge.stp_state), (Some(7700), Some(0)));
        assert_eq!(bridge.other, []);
    });
}

#[test]
fn an_error_has_the_kernels_sentence_and_the_attribute() {
    in_namespace(|mut socket| {
        let mut link = Link::named(name("x"));
        link.set_kind("nosuchkind", None);
        let error = socket.request(&Request::new_link(&link, Create::Exclusive)).unwrap_err();
        assert_eq!(error.errno(), libc::EOPNOTSUPP);
        assert_eq!(error.message(), Some("Unknown device type"));
        assert_eq!(error.to_string(), "RTM_NEWLINK: Operation not supported: Unknown device type");
        let mut link = veth("a", "b");
        link.gso_ipv4_max_size = Some(1);
        let error = socket.request(&Request::new_link(&link, Create::Exclusive)).unwrap_err();
        assert_eq!(error.errno(), libc::ERANGE);
        assert_eq!(error.ext_ack.attribute, ["IFLA_GSO_IPV4_MAX_SIZE"]);
        let text = error.to_string();
        assert!(text.contains("integer out of range (IFLA_GSO_IPV4_MAX_SIZE, "), "{text}");
    });
}

#[test]
fn a_batch_goes_on_after_a_failure_and_keeps_the_order() {
    in_namespace(|mut socket| {
        let one = |number: u32| {
            let place = if number % 10 == 9 { 0 } else { number };
            Request::new_link(&veth(&format!("a{place}"), &format!("b{number}")), Create::Exclusive)
        };
        let requests: Vec<_> = (0..150).map(one).collect();
        let answers = socket.batch(&requests);
        assert_eq!(answers.len(), 150);
        for (number, answer) in answers.iter().enumerate() {
            match answer {
                Ok(_) => assert_ne!(number % 10, 9),
                Err(error) => assert_eq!((number % 10, error.errno()), (9, libc::EEXIST)),
            }
        }
        assert_eq!(socket.links(&LinkFilter::all()).unwrap().len(), 1 + 2 * 135);
    });
}

#[test]
fn a_batch_of_echoed_requests_loses_no_answer() {
    in_namespace(|mut socket| {
        let one = |number| {
            Request::new_link(&veth(&format!("a{number}"), &format!("b{number}")), Create::Exclusive).with_echo()
        };
        let requests: Vec<_> = (0..150).map(one).collect();
        for (number, answer) in socket.batch(&requests).into_iter().enumerate() {
            let reply = answer.unwrap();
            let names =
                reply.messages.iter().map(|message| <Link as Body>::parse(&message.payload).unwrap().ifname.unwrap());
            assert!(names.into_iter().any(|name| name == format!("a{number}").as_str()), "{number}");
        }
    });
}

#[test]
fn a_group_is_deleted_by_one_request() {
    in_namespace(|mut socket| {
        for number in 0..20 {
            let mut link = veth(&format!("a{number}"), &format!("b{number}"));
            link.group = Some(77);
            socket.request(&Request::new_link(&link, Create::Exclusive)).unwrap();
        }
        socket.request(&Request::del_group(77)).unwrap();
        assert_eq!(socket.links(&LinkFilter::all()).unwrap().len(), 1);
    });
}

#[test]
fn an_address_is_added_found_and_deleted() {
    in_namespace(|mut socket| {
        let address = Address {
            family: u8::try_from(libc::AF_INET).unwrap(),
            prefixlen: 8,
            index: 1,
            local: Some(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 1))),
            label: Some("lo:x".into()),
            ..Address::default()
        };
        let add = Request::new_address(&address, Create::Exclusive);
        socket.request(&add).unwrap();
        let error = socket.request(&add).unwrap_err();
        assert_eq!(error.to_string(), "RTM_NEWADDR: File exists: ipv4: Address already assigned");
        let found = socket.addresses(&AddressFilter::all()).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].local, &found[0].label), (address.local, &address.label));
        assert_eq!(found[0].other, []);
        socket.request(&Request::del_address(&address)).unwrap();
        assert_eq!(socket.addresses(&AddressFilter::all()).unwrap(), []);
    });
}

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Makes the pair ep1 and ep2, up, with 192.0.2.1/24 on ep1, and returns the index of ep1.
fn pair_with_address(socket: &mut Socket) -> u32 {
    socket.request(&Request::new_link(&veth("ep1", "ep2"), Create::Exclusive)).unwrap();
    for end in ["ep1", "ep2"] {
        let mut link = Link::named(name(end));
        let up = u32::try_from(libc::IFF_UP).unwrap();
        link.set_flags(up, up).set_addr_gen_mode(1);
        socket.request(&Request::set_link(&link)).unwrap();
    }
    let ep1: Link = socket.get(&Request::get_link(&Link::named(name("ep1")))).unwrap();
    assert_eq!(ep1.addr_gen_mode(), Some(1));
    let address = Address {
        family: AF_INET,
        prefixlen: 24,
        index: ep1.index,
        local: Some(ip("192.0.2.1")),
        ..Address::default()
    };
    socket.request(&Request::new_address(&address, Create::Exclusive)).unwrap();
    ep1.index
}

fn route(text: &str, length: u8) -> Route {
    Route {
        family: AF_INET,
        dst_len: length,
        header_table: libc::RT_TABLE_MAIN,
        protocol: libc::RTPROT_STATIC,
        route_type: libc::RTN_UNICAST,
        dst: Some(ip(text)),
        ..Route::default()
    }
}

#[test]
fn routes_are_made_listed_and_asked_for() {
    use vwire_netlink::wire::route::{Hop, Metrics, Multipath};
    in_namespace(|mut socket| {
        let index = pair_with_address(&mut socket);
        let single = Route {
            gateway: Some(ip("192.0.2.2")),
            metrics: Some(Box::new(Metrics { mtu: Some(1300), ..Metrics::default() })),
            ..route("198.51.100.0", 24)
        };
        socket.request(&Request::new_route(&single, Create::Exclusive)).unwrap();
        let hop = |last| Hop { hops: last, index, gateway: Some(ip(&format!("192.0.2.{last}"))), ..Hop::default() };
        let many = Route { multipath: Some(Multipath(vec![hop(2), hop(3)])), ..route("203.0.113.0", 24) };
        socket.request(&Request::new_route(&many, Create::Exclusive)).unwrap();

        let filter = Route { family: AF_INET, table: Some(254), ..Route::default() };
        let routes = socket.routes(&filter).unwrap();
        let found: BTreeMap<_, _> = routes.iter().map(|route| (route.dst.unwrap(), route)).collect();
        assert_eq!(found.len(), 3);
        let found_single = found[&ip("198.51.100.0")];
        assert_eq!((found_single.gateway, found_single.oif), (single.gateway, Some(index)));
        assert_eq!(found_single.metrics.as_ref().unwrap().mtu, Some(1300));
        assert_eq!(found[&ip("203.0.113.0")].multipath, many.multipath);
        assert!(routes.iter().all(|route| route.other.is_empty() && route.table_id() == 254));

        let question = Route { family: AF_INET, dst_len: 32, dst: Some(ip("198.51.100.7")), ..Route::default() };
        let answer: Route = socket.get(&Request::get_route(&question)).unwrap();
        assert_eq!((answer.gateway, answer.prefsrc), (single.gateway, Some(ip("192.0.2.1"))));
        socket.request(&Request::del_route(&single)).unwrap();
        let error = socket.get::<Route>(&Request::get_route(&question)).unwrap_err();
        assert_eq!(error.to_string(), "RTM_GETROUTE: Network is unreachable");
    });
}

#[test]
fn a_filter_that_the_kernel_does_not_know_is_an_error() {
    in_namespace(|mut socket| {
        let filter = Route { family: AF_INET, gateway: Some(ip("192.0.2.1")), ..Route::default() };
        let error = socket.routes(&filter).unwrap_err();
        assert_eq!(error.errno(), Some(libc::EINVAL));
        assert!(error.message().is_some(), "{error}");
    });
}

#[test]
fn rules_neighbours_nexthops_and_sysctls_are_listed() {
    in_namespace(|mut socket| {
        let index = pair_with_address(&mut socket);
        let rule = Rule {
            family: AF_INET,
            action: 1,
            table: Some(1000),
            priority: Some(77),
            fwmark: Some(5),
            ..Rule::default()
        };
        socket.request(&Request::new_rule(&rule, Create::Exclusive)).unwrap();
        let rules = socket.rules(AF_INET).unwrap();
        assert_eq!(rules.len(), 4);
        let found = rules.iter().find(|rule| rule.priority == Some(77)).unwrap();
        assert_eq!((found.table_id(), found.fwmark), (1000, Some(5)));
        assert_eq!(found.other, []);

        let neighbour = Neighbour {
            family: AF_INET,
            index,
            state: libc::NUD_PERMANENT,
            dst: Some(ip("192.0.2.9")),
            lladdr: Some([2, 0, 0, 0, 0, 9].into()),
            ..Neighbour::default()
        };
        socket.request(&Request::new_neighbour(&neighbour, Create::Exclusive)).unwrap();
        let filter = Neighbour { family: AF_INET, ..Neighbour::default() };
        let found = socket.neighbours(&filter).unwrap();
        assert_eq!(
            found.iter().map(|one| (one.dst, one.lladdr)).collect::<Vec<_>>(),
            [(neighbour.dst, neighbour.lladdr)]
        );
        assert_eq!(found[0].other, []);

        let nexthop = Nexthop {
            family: AF_INET,
            id: Some(7),
            oif: Some(index),
            gateway: Some(ip("192.0.2.9")),
            ..Nexthop::default()
        };
        socket.request(&Request::new_nexthop(&nexthop, Create::Exclusive)).unwrap();
        let found = socket.nexthops(&Nexthop::default()).unwrap();
        assert_eq!((found.len(), found[0].id, found[0].gateway), (1, Some(7), nexthop.gateway));
        assert_eq!(found[0].other, []);

        let sysctls = socket.netconfs(AF_INET).unwrap();
        assert!(sysctls.iter().any(|one| one.ifindex == Some(-1) && one.forwarding.is_some()));
        assert!(sysctls.iter().all(|one| one.other.is_empty()), "{sysctls:?}");
        assert!(!socket.address_labels().unwrap().is_empty());
        assert_eq!(socket.counters().unwrap().len(), 3);
        let _ = socket.rules(AF_INET6).unwrap();
    });
}

#[test]
fn ports_of_a_bridge_and_what_it_knows_are_listed() {
    in_namespace(|mut socket| {
        let index = pair_with_address(&mut socket);
        let mut bridge = Link::named(name("br0"));
        bridge.set_kind("bridge", None);
        let bridge: Link = socket.get(&Request::new_link(&bridge, Create::Exclusive).with_echo()).unwrap();
        socket.request(&Request::set_link(&Link { index, master: Some(bridge.index), ..Link::default() })).unwrap();
        let port: Link = socket.get(&Request::get_link(&Link::named(name("ep1")))).unwrap();
        assert_eq!((port.master, port.slave_kind()), (Some(bridge.index), Some("bridge")));
        let Some(vwire_netlink::wire::link::SlaveData::BridgePort(data)) = port.slave_data() else {
            panic!("{:?}", port.slave_data());
        };
        assert_eq!((data.learning, &data.other[..]), (Some(1), &[][..]));
        let ports = socket.bridge_links().unwrap();
        let port = ports.iter().find(|port| port.index == index).unwrap();
        assert_eq!(port.master, Some(bridge.index));
        assert_eq!(port.protinfo.as_ref().unwrap().learning, Some(1));
        let known = socket.forwarding_database().unwrap();
        assert!(known.iter().any(|entry| entry.index == index && entry.master == Some(bridge.index)));
    });
}

#[test]
fn other_names_are_given_and_taken() {
    in_namespace(|mut socket| {
        let mut link = Link::named(name("lo"));
        link.prop_list.get_or_insert_default().alt_ifname = vec!["a-name-of-more-than-fifteen-bytes".into()];
        socket.request(&Request::new_link_names(&link)).unwrap();
        let by_name = Link { alt_ifname: Some("a-name-of-more-than-fifteen-bytes".into()), ..Link::default() };
        let lo: Link = socket.get(&Request::get_link(&by_name)).unwrap();
        assert_eq!((lo.index, lo.alt_names().len()), (1, 1));
        socket.request(&Request::del_link_names(&link)).unwrap();
        assert!(socket.links(&LinkFilter::all()).unwrap()[0].alt_names().is_empty());
    });
}

#[test]
fn an_alias_is_set_and_deleted_by_an_empty_one() {
    in_namespace(|mut socket| {
        let mut link = Link::named(name("lo"));
        link.ifalias = Some("some words".into());
        socket.request(&Request::set_link(&link)).unwrap();
        assert_eq!(socket.links(&LinkFilter::all()).unwrap()[0].ifalias, link.ifalias);
        link.ifalias = Some("".into());
        socket.request(&Request::set_link(&link)).unwrap();
        assert_eq!(socket.links(&LinkFilter::all()).unwrap()[0].ifalias, None);
    });
}

#[test]
fn a_monitor_tells_what_changes() {
    in_namespace(|mut socket| {
        let mut monitor = Monitor::open(&[Group::LINK], Namespaces::Own).unwrap();
        assert_eq!(monitor.next(Some(Duration::ZERO)).unwrap(), None);
        socket.request(&Request::new_link(&veth("ep1", "ep2"), Create::Exclusive)).unwrap();
        let mut seen = Vec::new();
        while let Some(Event::Change { nsid, message }) = monitor.next(Some(Duration::ZERO)).unwrap() {
            assert_eq!((nsid, message.header.message_type), (None, MessageType::NEWLINK));
            if let Ok(Object::Link(link)) = Object::parse(message.header.message_type, &message.payload) {
                seen.push(link.ifname.unwrap().to_string());
            }
        }
        assert!(seen.contains(&"ep1".to_owned()) && seen.contains(&"ep2".to_owned()), "{seen:?}");
    });
}

#[test]
fn a_monitor_that_is_not_read_says_that_it_missed_something() {
    in_namespace(|mut socket| {
        let mut monitor = Monitor::open(&[Group::LINK], Namespaces::Own).unwrap();
        monitor.set_receive_buffer(4096).unwrap();
        for mtu in 1000..1050 {
            let link = Link { mtu: Some(mtu), ..Link::named(name("lo")) };
            socket.request(&Request::set_link(&link)).unwrap();
        }
        let mut events = Vec::new();
        while let Some(event) = monitor.next(Some(Duration::ZERO)).unwrap() {
            events.push(event);
        }
        assert!(events.contains(&Event::Overrun), "{} events", events.len());
        let links = monitor.resync(|socket| socket.links(&LinkFilter::all())).unwrap();
        assert_eq!(links[0].mtu, Some(1049));
        socket.request(&Request::set_link(&Link { mtu: Some(2000), ..Link::named(name("lo")) })).unwrap();
        assert!(matches!(monitor.next(Some(Duration::ZERO)).unwrap(), Some(Event::Change { .. })));
    });
}

#[test]
fn a_namespace_gets_an_id_and_its_changes_carry_it() {
    in_namespace(|mut socket| {
        let (to_us, from_other) = std::sync::mpsc::channel();
        let (to_other, from_us) = std::sync::mpsc::channel::<()>();
        let other = std::thread::spawn(move || {
            nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
            let mut socket = Socket::open().unwrap();
            to_us.send(std::fs::File::open("/proc/thread-self/ns/net").unwrap()).unwrap();
            from_us.recv().unwrap();
            socket.request(&Request::new_link(&veth("far1", "far2"), Create::Exclusive)).unwrap();
        });
        let namespace = from_other.recv().unwrap();
        let fd = u32::try_from(std::os::fd::AsRawFd::as_raw_fd(&namespace)).unwrap();
        let question = Request::get_namespace_id(&NamespaceId { fd: Some(fd), ..NamespaceId::default() });
        let none: NamespaceId = socket.get(&question).unwrap();
        assert_eq!(none.nsid, Some(NamespaceId::NOT_ASSIGNED));
        let id = NamespaceId { fd: Some(fd), nsid: Some(42), ..NamespaceId::default() };
        socket.request(&Request::new_namespace_id(&id)).unwrap();
        assert_eq!(socket.get::<NamespaceId>(&question).unwrap().nsid, Some(42));
        let ids = socket.namespace_ids(&NamespaceId::default()).unwrap();
        assert_eq!(ids.iter().map(|id| id.nsid).collect::<Vec<_>>(), [Some(42)]);

        let mut monitor = Monitor::open(&[Group::LINK], Namespaces::AllWithId).unwrap();
        to_other.send(()).unwrap();
        other.join().unwrap();
        let event = monitor.next(Some(Duration::from_secs(10))).unwrap();
        assert!(matches!(event, Some(Event::Change { nsid: Some(42), .. })), "{event:?}");
        let filter = LinkFilter { target_netnsid: Some(42), ..LinkFilter::all() };
        let links = socket.links(&filter).unwrap();
        assert!(links.iter().all(|link| link.target_netnsid == Some(42)));
    });
}

#[test]
fn a_list_is_consistent_while_links_come_and_go() {
    use std::sync::atomic::{AtomicBool, Ordering};
    in_namespace(|mut socket| {
        for number in 0..200 {
            let link = veth(&format!("a{number}"), &format!("b{number}"));
            socket.request(&Request::new_link(&link, Create::Exclusive)).unwrap();
        }
        let mut changer = Socket::open().unwrap();
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    changer.request(&Request::new_link(&veth("x", "y"), Create::Exclusive)).unwrap();
                    changer.request(&Request::del_link(&Link::named(name("x")))).unwrap();
                }
            });
            for _ in 0..20 {
                match socket.links(&LinkFilter::without_stats()) {
                    Ok(links) => assert!((401..=403).contains(&links.len()), "{}", links.len()),
                    Err(error) => assert!(error.to_string().contains("something changed"), "{error}"),
                }
            }
            stop.store(true, Ordering::Relaxed);
        });
    });
}

/// Every kind that this kernel may have, with enough data to be made.
fn kinds(below: u32) -> Vec<(&'static str, Option<KindData>)> {
    use vwire_netlink::wire::link::{
        ipvlan::Ipvlan, macvlan::Macvlan, security::Xfrm, tunnel, vlan::Vlan, vrf::Vrf, vxlan::Vxlan,
    };
    let remote = Some(ip("192.0.2.2"));
    let gre = || tunnel::Gre { remote, ttl: Some(7), ..Default::default() }.into();
    let ip_tunnel = || tunnel::IpTunnel { remote, ttl: Some(7), ..Default::default() }.into();
    let macvlan = || Macvlan { mode: Some(4), bc_queue_len: Some(100), ..Default::default() }.into();
    let vxlan = Vxlan { id: Some(77), port: Some(4789), link: Some(below), ..Default::default() };
    vec![
        ("bridge", Some(Bridge { stp_state: Some(1), ..Default::default() }.into())),
        ("vxlan", Some(vxlan.into())),
        ("macvlan", Some(macvlan())),
        ("macvtap", Some(macvlan())),
        ("ipvlan", Some(Ipvlan { mode: Some(0), ..Default::default() }.into())),
        ("vlan", Some(Vlan { id: Some(5), ..Default::default() }.into())),
        ("vrf", Some(Vrf { table: Some(10), ..Default::default() }.into())),
        ("gre", Some(gre())),
        ("gretap", Some(gre())),
        ("ipip", Some(ip_tunnel())),
        ("sit", Some(ip_tunnel())),
        ("vti", Some(tunnel::Vti { remote, ..Default::default() }.into())),
        ("geneve", Some(tunnel::Geneve { id: Some(3), ..Default::default() }.into())),
        ("xfrm", Some(Xfrm { if_id: Some(3), ..Default::default() }.into())),
        ("bond", None),
        ("dummy", None),
        ("ifb", None),
        ("nlmon", None),
        ("wireguard", None),
        ("netkit", None),
    ]
}

#[test]
fn every_kind_that_the_kernel_has_is_made_and_understood() {
    in_namespace(|mut socket| {
        let below = pair_with_address(&mut socket);
        let mut missing = Vec::new();
        for (place, (kind, data)) in kinds(below).into_iter().enumerate() {
            let mut link = Link::named(name(&format!("k{place}")));
            if ["macvlan", "macvtap", "ipvlan", "vlan"].contains(&kind) {
                link.link = Some(below);
            }
            link.set_kind(kind, data);
            match socket.request(&Request::new_link(&link, Create::Exclusive)) {
                Ok(_) => {}
                Err(error) if error.message() == Some("Unknown device type") => {
                    missing.push(kind);
                    continue;
                }
                Err(error) => panic!("{kind}: {error}"),
            }
            let made: Link = socket.get(&Request::get_link(&Link::named(link.ifname.unwrap()))).unwrap();
            assert_eq!(made.kind(), Some(kind));
            assert!(!matches!(made.kind_data(), Some(KindData::Unknown(_))), "{:?}", made.kind_data());
            let text = format!("{made:?}").replace("other: []", "");
            assert!(!text.contains("other: ["), "{kind} has something unknown: {text}");
        }
        println!("this kernel lacks {missing:?}");
        assert!(missing.len() < 17, "only {missing:?}");
    });
}

#[test]
fn a_rate_is_set_told_and_taken_away() {
    in_namespace(|mut socket| {
        socket.request(&Request::new_link(&veth("ep1", "ep2"), Create::Exclusive)).unwrap();
        let index = socket.get::<Link>(&Request::get_link(&Link::named(name("ep1")))).unwrap().index;
        let rate = RateSpec { linklayer: LINKLAYER_ETHERNET, rate: 1_250_000, ..RateSpec::default() };
        let parms = TbfParameters { rate, limit: 60_000, ..TbfParameters::default() };
        let tbf = Tbf { parms: Some(parms), burst: Some(20_000), ..Tbf::default() };
        socket.request(&Request::new_qdisc(&Qdisc::root(index).with_tbf(&tbf), Create::Exclusive)).unwrap();
        let told = std::process::Command::new("tc").args(["qdisc", "show", "dev", "ep1"]).output();
        let told =
            String::from_utf8(told.unwrap_or_else(|error| panic!("this test needs `tc` as a judge: {error}")).stdout)
                .unwrap();
        // 20,000 bytes at 10 Mbit/s last 16 ms; 40,000 bytes of queue beside the bucket 32 ms.
        assert!(told.contains("tbf") && told.contains("rate 10Mbit burst 20000b lat 32ms"), "{told}");
        let find = |socket: &mut Socket| {
            let found = socket.qdiscs(&Qdisc::default()).unwrap();
            found.into_iter().find(|qdisc| qdisc.index == index && qdisc.parent == qdisc::ROOT)
        };
        let read = find(&mut socket).unwrap().tbf().unwrap().parms.unwrap();
        assert_eq!((read.rate.rate, read.limit, read.buffer), (1_250_000, 60_000, 16_000_000 / 64));
        socket.request(&Request::del_qdisc(&Qdisc::root(index))).unwrap();
        assert!(find(&mut socket).is_none_or(|qdisc| qdisc.tbf().is_none()));
    });
}

#[test]
fn a_delay_is_set_and_told_where_the_kernel_can() {
    in_namespace(|mut socket| {
        socket.request(&Request::new_link(&veth("ep1", "ep2"), Create::Exclusive)).unwrap();
        let index = socket.get::<Link>(&Request::get_link(&Link::named(name("ep1")))).unwrap().index;
        let netem = Netem { limit: 500, latency64: Some(10_000_000), loss: qdisc::CERTAIN / 4, ..Netem::default() };
        match socket.request(&Request::new_qdisc(&Qdisc::root(index).with_netem(&netem), Create::Exclusive)) {
            Err(error) if error.errno() == libc::ENOENT => println!("SKIPPED: this kernel has no netem: {error}"),
            answer => {
                answer.unwrap();
                let found = socket.qdiscs(&Qdisc::default()).unwrap();
                let read = found.iter().find(|qdisc| qdisc.index == index).unwrap().netem().unwrap();
                assert_eq!((read.limit, read.latency64, read.loss), (500, netem.latency64, netem.loss));
            }
        }
    });
}

/// A value that a packet's field is compared with.
fn is(bytes: &[u8]) -> nft::Expression {
    nft::Cmp { sreg: Some(nft::REGISTER), op: Some(0), data: Some(nft::Data::value(bytes)), ..nft::Cmp::default() }
        .into()
}

fn meta(key: u32) -> nft::Expression {
    nft::Meta { dreg: Some(nft::REGISTER), key: Some(key), ..nft::Meta::default() }.into()
}

fn payload(base: u32, offset: u32, len: u32) -> nft::Expression {
    let (dreg, base, offset, len) = (Some(nft::REGISTER), Some(base), Some(offset), Some(len));
    nft::Payload { dreg, base, offset, len, ..nft::Payload::default() }.into()
}

fn chain(name: &str, kind: &str, hook: u32, priority: u32) -> nft::Chain {
    let hook = nft::Hook { hooknum: Some(hook), priority: Some(priority), ..nft::Hook::default() };
    nft::Chain {
        family: nft::INET,
        table: Some("lab".into()),
        name: Some(name.into()),
        hook: Some(hook),
        policy: Some(nft::ACCEPT),
        chain_type: Some(kind.into()),
        ..nft::Chain::default()
    }
}

fn ruleset() -> String {
    let told = std::process::Command::new("nft").args(["-nn", "list", "ruleset"]).output();
    String::from_utf8(told.unwrap_or_else(|error| panic!("this test needs `nft` as a judge: {error}")).stdout).unwrap()
}

#[test]
fn a_transaction_of_netfilter_is_done_whole_or_not_at_all() {
    in_namespace(|_| {
        let mut socket = Socket::with_protocol(libc::NETLINK_NETFILTER).unwrap();
        let mut out = [0; 16];
        out[..4].copy_from_slice(b"eth0");
        let mask = nft::Bitwise {
            sreg: Some(nft::REGISTER),
            dreg: Some(nft::REGISTER),
            len: Some(4),
            mask: Some(nft::Data::value(&[255, 255, 0, 0])),
            xor: Some(nft::Data::value(&[0; 4])),
            ..nft::Bitwise::default()
        };
        let translate = nft::Rule::new(
            "lab",
            "post",
            vec![
                meta(7),
                is(&out),
                meta(15),
                is(&[2]),
                payload(1, 12, 4),
                mask.into(),
                is(&[10, 1, 0, 0]),
                nft::Masq::default().into(),
            ],
        );
        let refuse = nft::Rule::new(
            "lab",
            "pass",
            vec![meta(16), is(&[6]), payload(2, 2, 2), is(&22u16.to_be_bytes()), nft::Expression::verdict(nft::DROP)],
        );
        let mut requests = vec![
            nft::Table::inet("lab").to_new(),
            chain("post", "nat", 4, 100).to_new(),
            chain("pass", "filter", 2, 0).to_new(),
            translate.to_append(),
            refuse.to_append(),
        ];
        requests.push(nft::Rule::new("lab", "nowhere", vec![]).to_append());
        let aborted = socket.transaction(nft::SUBSYSTEM, &requests).unwrap_err();
        assert_eq!((aborted.place, aborted.error.errno()), (Some(5), libc::ENOENT));
        assert_eq!(ruleset(), "");
        requests.pop();
        assert_eq!(socket.transaction(nft::SUBSYSTEM, &requests).unwrap().len(), 5);
        let told = ruleset();
        for line in [
            "table inet lab {",
            "type nat hook postrouting priority 100; policy accept;",
            "oifname \"eth0\" ip saddr 10.1.0.0/16 masquerade",
            "type filter hook forward priority 0; policy accept;",
            "tcp dport 22 drop",
        ] {
            assert!(told.contains(line), "{line} is not in {told}");
        }
        let rules: Vec<nft::Rule> = socket.dump_bodies(&nft::Rule::new("lab", "post", vec![]).to_dump()).unwrap();
        let steps: Vec<nft::Expression> = rules[0].steps().cloned().collect();
        assert!(steps.iter().all(|step| !matches!(step, nft::Expression::Unknown(..))), "{steps:?}");
        assert_eq!((steps.len(), &steps[0], &steps[1]), (8, &meta(7), &is(&out)));
        socket.transaction(nft::SUBSYSTEM, &[nft::Table::inet("lab").to_del()]).unwrap();
        assert_eq!(ruleset(), "");
    });
}
