//! Steps against a kernel: what is planned is done, and what was is brought back.

use vwire::lab::namespace::{Namespace, run_in};
use vwire::step::run::{Places, Room, look, reach, run};
use vwire::step::{Difference, Names, Reading, Scope, World, converge, differences};

use crate::lab::{Lab, lab, until};

/// Opens the test's own namespace as a place.
fn places() -> Places {
    Places::new(vec![room("", Namespace::current().unwrap())])
}

fn room(name: &str, namespace: Namespace) -> Room {
    use std::os::fd::AsFd;
    let handle = namespace.as_fd().try_clone_to_owned().unwrap();
    let inside = Box::new(move |body: &mut (dyn FnMut() + Send)| run_in(&namespace, body));
    Room::new(name.to_owned(), handle, inside)
}

fn told(differences: &[Difference]) -> String {
    differences.iter().map(|difference| difference.describe(&Names::default()) + "\n").collect()
}

fn plan_of(wanted: &World, now: &World, scope: &Scope) -> String {
    let names = Names::of(Vec::new(), &[wanted, now]);
    converge(wanted, now, scope).iter().map(|step| step.describe(&names) + "\n").collect()
}

/// Takes a picture of what some lines make in a lab of their own.
fn picture(lines: &[&str]) -> Option<World> {
    crate::lab::in_lab(|net| {
        net.arrange(lines);
        settle(net);
        look(&mut places()).unwrap()
    })
}

/// Waits until the kernel has found out about carriers and duplicate addresses.
fn settle(net: &Lab) {
    until("addresses are no longer tentative", || (!net.ip(&["addr"]).ok().contains("tentative")).then_some(()));
}

/// Brings a lab with the second lines to the picture of the first, and wants no difference.
#[track_caller]
fn is_reached(wanted: &[&str], now: &[&str]) {
    let Some(wanted_world) = picture(wanted) else { return };
    lab(move |net| {
        net.arrange(now);
        let mut places = places();
        let scope = Scope::whole(1, Reading::Picture);
        let before = look(&mut places).unwrap();
        let plan = plan_of(&wanted_world, &before, &scope);
        let left = reach(&mut places, &wanted_world, &scope).unwrap();
        assert_eq!(told(&left), "", "from {now:?} to {wanted:?} by\n{plan}");
    });
}

#[test]
fn nothing_to_do_is_an_empty_plan() {
    lab(|net| {
        net.arrange(&[
            "link add v0 type veth peer name v1",
            "link set v0 up",
            "link set v1 up",
            "addr add 10.0.0.1/24 dev v0",
        ]);
        let mut places = places();
        let now = look(&mut places).unwrap();
        assert_eq!(now.cables.len(), 1);
        for reading in [Reading::Wish, Reading::Picture] {
            let scope = Scope::whole(1, reading);
            assert_eq!(plan_of(&now, &now, &scope), "");
            assert_eq!(differences(&now, &now, &scope), []);
        }
    });
}

#[test]
fn what_went_comes_again() {
    let lines = &[
        "link add v0 index 100 address 02:00:00:00:00:01 type veth peer name v1 index 101 address 02:00:00:00:00:02",
        "link set v0 up",
        "link set v1 up mtu 1400 alias hello",
        "addr add 10.0.0.1/24 dev v0",
        "addr add 10.0.0.2/24 dev v0",
        "addr add fd00::1/64 dev v0 nodad",
        "route add 10.9.0.0/16 via 10.0.0.9",
        "route add fd01::/64 via fd00::9",
    ];
    is_reached(lines, &[]);
    is_reached(&[], lines);
    is_reached(lines, lines);
}

#[test]
fn a_plan_is_told_in_the_words_of_ip() {
    let made = "link add br0 index 100 address 02:00:00:00:00:01 type bridge";
    let Some(wanted) = picture(&[made, "link set br0 mtu 1400"]) else { return };
    lab(move |net| {
        net.arrange(&[made]);
        let now = look(&mut places()).unwrap();
        let plan = plan_of(&wanted, &now, &Scope::whole(1, Reading::Picture));
        assert_eq!(plan, "link set br0 mtu 1400 (was mtu 1500)\n");
        run(&mut places(), &converge(&wanted, &now, &Scope::whole(1, Reading::Picture))).unwrap();
    });
}
