//! Tells which sysctls of a namespace are other than those of a new one. Pure.

use std::collections::BTreeMap;

use vwire_netlink::Link;

use super::device::name_of;
use crate::snapshot::sysctl::{Place, Sysctls, TABLE, shown};

/// The link whose values a new link of a new namespace has.
pub const SAMPLE: &str = "vwsample";
/// Those of links that a lab sets by what addresses it has, and one that only a program sets.
const NOT_SAID: &[&str] = &["addr_gen_mode", "accept_dad", "dad_transmits", "mc_forwarding"];
/// Those whose value for all goes to each link.
const HANDED_ON: &[&str] = &["forwarding", "disable_ipv6"];

/// What is other than in a new namespace.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changed {
    /// Whether packets are passed on, of both families.
    pub(crate) forwards: bool,
    /// All else, by name.
    pub(crate) sysctls: BTreeMap<String, String>,
}

/// Compares the sysctls of a namespace with those of a new one, which has the link [`SAMPLE`].
pub(crate) fn changed(now: &Sysctls, usual: &Sysctls, links: &[&Link]) -> Changed {
    let is = |name: &str, value: &str| now.get(name).is_some_and(|own| own == value);
    let forwards = is("net.ipv4.ip_forward", "1") && is("net.ipv6.conf.all.forwarding", "1");
    let mut sysctls = BTreeMap::new();
    for row in TABLE {
        let version = match row.place {
            Place::Whole => {
                let implied = row.name == "net.ipv4.ip_forward" && forwards;
                keep(&mut sysctls, row.name, now, usual.get(row.name), implied);
                continue;
            }
            Place::Ipv4(_) => 4,
            Place::Ipv6(_) => 6,
        };
        if NOT_SAID.contains(&row.name) {
            continue;
        }
        let name_for = |link: &str| format!("net.ipv{version}.conf.{link}.{}", row.name);
        let all = name_for("all");
        // `ip_forward` is another name for it.
        let is_said = match row.name {
            "forwarding" => forwards || version == 4,
            // Whoever forwards takes no redirects (`inet_forward_change` in `net/ipv4/devinet.c`).
            "accept_redirects" => version == 4 && is("net.ipv4.ip_forward", "1") && is(&all, "0"),
            _ => false,
        };
        keep(&mut sysctls, &all, now, usual.get(&all), is_said);
        for link in links {
            let name = name_for(&shown(name_of(link).as_bytes()));
            let here = name_for(&link.ifname.map(|name| shown(name.as_bytes())).unwrap_or_default());
            let Some(value) = now.get(&here) else { continue };
            let handed_on = HANDED_ON.contains(&row.name) && now.get(&all) == Some(value);
            if usual.get(&name_for(SAMPLE)).is_some_and(|usual| usual != value) && !handed_on {
                sysctls.insert(name, value.clone());
            }
        }
    }
    Changed { forwards, sysctls }
}

fn keep(into: &mut BTreeMap<String, String>, name: &str, now: &Sysctls, usual: Option<&String>, is_said: bool) {
    if let (Some(value), Some(usual)) = (now.get(name), usual)
        && value != usual
        && !is_said
    {
        into.insert(name.to_owned(), value.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sysctls(rows: &[(&str, &str)]) -> Sysctls {
        rows.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn only_what_somebody_set_is_written() {
        let usual = sysctls(&[
            ("net.ipv4.ip_forward", "0"),
            ("net.ipv4.conf.all.forwarding", "0"),
            ("net.ipv6.conf.all.forwarding", "0"),
            ("net.ipv4.conf.all.rp_filter", "0"),
            ("net.ipv4.conf.vwsample.rp_filter", "0"),
            ("net.ipv4.conf.vwsample.forwarding", "0"),
            ("net.ipv6.conf.vwsample.accept_ra", "1"),
        ]);
        let now = sysctls(&[
            ("net.ipv4.ip_forward", "1"),
            ("net.ipv4.conf.all.forwarding", "1"),
            ("net.ipv6.conf.all.forwarding", "1"),
            ("net.ipv4.conf.all.rp_filter", "0"),
            ("net.ipv4.conf.eth/1.rp_filter", "2"),
            ("net.ipv4.conf.eth/1.forwarding", "1"),
            ("net.ipv6.conf.eth/1.accept_ra", "1"),
        ]);
        let link = Link::named(vwire_netlink::IfName::new("eth.1").unwrap());
        let got = changed(&now, &usual, &[&link]);
        assert!(got.forwards);
        assert_eq!(got.sysctls, [("net.ipv4.conf.eth/1.rp_filter".to_owned(), "2".to_owned())].into());
        let half = sysctls(&[("net.ipv4.ip_forward", "1"), ("net.ipv6.conf.all.forwarding", "0")]);
        let got = changed(&half, &usual, &[]);
        assert!(!got.forwards);
        assert_eq!(got.sysctls, [("net.ipv4.ip_forward".to_owned(), "1".to_owned())].into());
    }
}
