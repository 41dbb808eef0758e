//! The objects of `ip`'s grammar, in `ip`'s order: the first that a word begins wins.
//!
//! So `t` is `tunnel`, not `tuntap`, and `n` is `neighbor`, not `netns`. What `ip` has and vwire has
//! not keeps its row: a word must not come to mean something else here.

use super::failure::EXIT_SEMANTIC;
use super::words::{Keyword, Words, prefix};
use super::{
    Failure, Ip, address, addrlabel, link, maddress, monitor, mroute, neigh, netconf, netns, nexthop, ntable, route,
    rule, token, tunnel, tuntap, words,
};

/// What an object's name stands for.
#[derive(Clone, Copy)]
pub(super) struct Object {
    /// What it is about; empty where vwire does not speak of it, or under another name.
    about: &'static str,
    /// Runs its command.
    pub(super) run: fn(&mut Ip<'_>, &mut Words<'_>) -> Result<(), Failure>,
    /// Tells the name of the command that a word stands for.
    pub(super) operation: fn(&[u8]) -> Option<&'static str>,
}

/// An object that `ip` has and vwire has not.
macro_rules! absent {
    ($name:literal) => {
        Object { about: "", run: |_, _| Err(refuse($name)), operation: |_| None }
    };
}

const OBJECTS: &[Keyword<Object>] = &[
    prefix(
        "address",
        Object {
            about: "addresses of devices: show, add, change, delete, flush, save",
            run: address::run,
            operation: address::operation,
        },
    ),
    prefix(
        "addrlabel",
        Object {
            about: "labels by which IPv6 chooses the source of a packet",
            run: addrlabel::run,
            operation: addrlabel::operation,
        },
    ),
    prefix(
        "maddress",
        Object {
            about: "multicast addresses that devices listen to",
            run: maddress::run,
            operation: maddress::operation,
        },
    ),
    prefix(
        "route",
        Object {
            about: "routes: show, add, change, delete, ask the way",
            run: route::run,
            operation: route::operation,
        },
    ),
    prefix(
        "rule",
        Object { about: "which routing table packets are looked up in", run: rule::run, operation: rule::operation },
    ),
    prefix(
        "neighbor",
        Object {
            about: "link-layer addresses of neighbours: show, add, change, delete, flush",
            run: neigh::run,
            operation: neigh::operation,
        },
    ),
    prefix("neighbour", Object { about: "", run: neigh::run, operation: neigh::operation }),
    prefix(
        "ntable",
        Object {
            about: "how long neighbours are remembered, and how they are asked",
            run: ntable::run,
            operation: ntable::operation,
        },
    ),
    prefix("ntbl", Object { about: "", run: ntable::run, operation: ntable::operation }),
    prefix(
        "link",
        Object { about: "network devices: show, add, set, delete", run: link::run, operation: link::operation },
    ),
    prefix("l2tp", absent!("l2tp")),
    prefix("fou", absent!("fou")),
    prefix("ila", absent!("ila")),
    prefix("macsec", absent!("macsec")),
    prefix(
        "tunnel",
        Object {
            about: "tunnels, as they were made before `link` could: show, add, change, delete",
            run: tunnel::run,
            operation: tunnel::operation,
        },
    ),
    prefix("tunl", Object { about: "", run: tunnel::run, operation: tunnel::operation }),
    prefix(
        "tuntap",
        Object { about: "TUN and TAP devices: show, add, delete", run: tuntap::run, operation: tuntap::operation },
    ),
    prefix("tap", Object { about: "", run: tuntap::run, operation: tuntap::operation }),
    prefix(
        "token",
        Object {
            about: "the lower half of addresses made of router advertisements",
            run: token::run,
            operation: token::operation,
        },
    ),
    prefix("tcpmetrics", absent!("tcpmetrics")),
    prefix("tcp_metrics", absent!("tcp_metrics")),
    prefix(
        "monitor",
        Object { about: "tells what changes, as it changes", run: monitor::run, operation: monitor::operation },
    ),
    prefix("xfrm", absent!("xfrm")),
    prefix("mroute", Object { about: "multicast routes: show", run: mroute::run, operation: mroute::operation }),
    prefix("mrule", absent!("mrule")),
    prefix(
        "netns",
        Object {
            about: "network namespaces: list, add, delete, run programs in them",
            run: netns::run,
            operation: netns::operation,
        },
    ),
    prefix(
        "netconf",
        Object {
            about: "what devices forward, answer and check, by family",
            run: netconf::run,
            operation: netconf::operation,
        },
    ),
    prefix("vrf", absent!("vrf")),
    prefix("sr", absent!("sr")),
    prefix(
        "nexthop",
        Object {
            about: "next hops that routes share, and groups of them",
            run: nexthop::run,
            operation: nexthop::operation,
        },
    ),
    prefix("mptcp", absent!("mptcp")),
    prefix("ioam", absent!("ioam")),
    prefix("help", Object { about: "", run: |_, _| Err(super::help()), operation: |_| None }),
    prefix("stats", absent!("stats")),
];

/// Returns the object that a word stands for, and its name.
pub(super) fn find(word: &[u8]) -> Option<(&'static str, Object)> {
    OBJECTS.iter().find(|row| words::begins(row.word, word)).map(|row| (row.word, row.means))
}

/// Returns the names of the objects that vwire speaks of, and what each is about.
pub fn spoken() -> impl Iterator<Item = (&'static str, &'static str)> {
    OBJECTS.iter().map(|row| (row.word, row.means.about)).filter(|(_, about)| !about.is_empty())
}

fn refuse(object: &str) -> Failure {
    Failure::new(
        EXIT_SEMANTIC,
        format!("Object \"{object}\" is unknown, try \"ip help\"."),
        format!("vwire does not speak `ip {object}`"),
    )
    .hint("`vwire help` lists the objects that it speaks of")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The name of the first row that a word begins.
    fn named(word: &str) -> Option<&'static str> {
        OBJECTS.iter().find(|row| words::begins(row.word, word.as_bytes())).map(|row| row.word)
    }

    #[test]
    fn short_names_stand_for_what_ip_takes_them_for() {
        let map = [
            ("a", "address"),
            ("l", "link"),
            ("r", "route"),
            ("ru", "rule"),
            ("n", "neighbor"),
            ("ne", "neighbor"),
            ("net", "netns"),
            ("nt", "ntable"),
            ("m", "maddress"),
            ("mo", "monitor"),
            ("mr", "mroute"),
            ("t", "tunnel"),
            ("tun", "tunnel"),
            ("tunt", "tuntap"),
            ("ta", "tap"),
            ("to", "token"),
            ("tc", "tcpmetrics"),
            ("x", "xfrm"),
            ("s", "sr"),
            ("st", "stats"),
            ("h", "help"),
            ("nex", "nexthop"),
        ];
        for (word, object) in map {
            assert_eq!(named(word), Some(object), "{word}");
        }
        assert_eq!(named("xyz"), None);
    }
}
