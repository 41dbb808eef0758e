//! The socket and the messages against the running kernel, each test in a network namespace of its own.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::{IpAddr, Ipv4Addr};

use vwire_netlink::wire::link::{KindData, bridge::Bridge, veth::Veth};
use vwire_netlink::{Address, AddressFilter, Create, IfName, Link, LinkFilter, Request, Socket};

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
        assert_eq!(inet6(&lean[0]).stats, None);
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
