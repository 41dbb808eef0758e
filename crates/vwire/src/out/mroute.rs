//! Prints a multicast route as `ip mroute` and `ip monitor mroute` do.

use vwire_netlink::Route;

use super::host::general;
use super::route::{Context, Hidden, MAIN, Part};
use super::{Colour, Printer};

/// `RTNL_FAMILY_IPMR`: multicast routes of IPv4.
pub const FAMILY_INET: u8 = 128;
/// `RTNL_FAMILY_IP6MR`: those of IPv6.
pub const FAMILY_INET6: u8 = 129;

/// `RTNH_F_UNRESOLVED`.
const UNRESOLVED: u32 = 32;
/// `RTNH_F_OFFLOAD`.
const OFFLOAD: u32 = 8;
/// `RTA_EXPIRES`, which a multicast route has in 8 bytes.
const EXPIRES: u16 = 23;
/// How many ticks a second the kernel counts in for programs (`USER_HZ`).
const TICKS: f64 = 100.0;

/// Prints a multicast route, into an object that is open, and ends the line.
pub fn print_facts(p: &mut Printer, route: &Route, context: &Context, hidden: &Hidden) {
    let [source, group] = [route.src, route.dst].map(|address| match address {
        Some(address) => p.host_of(address),
        None => "unknown".to_owned(),
    });
    p.text(format!("{:<32} Iif: ", format!("({source},{group})")));
    p.string_json("src", source);
    p.string_json("dst", group);
    match route.iif.filter(|index| *index != 0) {
        Some(index) => print_link(p, "iif", &context.link(index), 10, " "),
        None => p.string("iif", "", "unresolved", " "),
    }
    if let Some(many) = &route.multipath {
        p.open_array(Some("multipath"));
        for (place, hop) in many.0.iter().enumerate() {
            p.open_object(None);
            if place == 0 {
                p.text("Oifs: ");
            }
            print_link(p, "oif", &context.link(hop.index), 0, "");
            match hop.hops {
                0 | 1 => p.text(" "),
                hops => p.number("ttl", "(ttl ", hops, ") "),
            }
            p.close_object();
        }
        p.close_array();
    }
    let state = if route.flags & UNRESOLVED == 0 { "resolved" } else { "unresolved" };
    p.string("state", " State: ", state, "");
    if route.flags & OFFLOAD != 0 {
        p.null("offload", " offload");
    }
    if context.stats > 0 {
        print_counters(p, route);
    }
    let table = route.table_id();
    let is_usual = table == 0 || (table == MAIN && context.details == 0);
    if !is_usual && !hidden.parts.contains(&Part::Table) {
        p.string("table", " Table: ", context.table(table), "");
    }
    p.end_line();
}

/// Prints the name of a link, filled up with blanks, which belong to its colour as what stands behind does.
fn print_link(p: &mut Printer, name: &str, link: &[u8], width: usize, after: &str) {
    let padding = " ".repeat(width.saturating_sub(link.len()));
    p.coloured(Some(Colour::Device), name, "", link, &format!("{padding}{after}"));
}

fn print_counters(p: &mut Printer, route: &Route) {
    if let Some(counters) = &route.mfc_stats {
        p.line_break();
        p.number("packets", "  ", counters.packets, " packets,");
        p.number("bytes", " ", counters.bytes, " bytes");
        if counters.wrong_if != 0 {
            p.number("wrong_if", ", ", counters.wrong_if, " arrived on wrong iif.");
        }
    }
    let expires = route.other.iter().find(|attribute| attribute.number() == EXPIRES);
    if let Some(ticks) = expires.and_then(|attribute| attribute.payload.first_chunk()) {
        let seconds = f64::from(u32::try_from(u64::from_ne_bytes(*ticks)).unwrap_or(u32::MAX)) / TICKS;
        p.text(format!(", Age {seconds:.2}"));
        p.literal_json("expires", &general(seconds));
    }
}

#[cfg(test)]
mod tests {
    use vwire_netlink::wire::RawAttribute;
    use vwire_netlink::wire::route::{Hop, MulticastStats, Multipath};

    use super::*;
    use crate::out::Layout;

    fn printed(route: &Route, json: bool, context: &Context) -> String {
        let mut p = Printer::new(Layout { json, ..Layout::default() });
        p.open_object(None);
        print_facts(&mut p, route, context, &Hidden::default());
        p.close_object();
        String::from_utf8(p.take()).unwrap()
    }

    fn route() -> Route {
        let hop = |index, hops| Hop { index, hops, ..Hop::default() };
        Route {
            family: FAMILY_INET,
            src: "10.0.0.1".parse().ok(),
            dst: "239.1.1.1".parse().ok(),
            iif: Some(2),
            multipath: Some(Multipath(vec![hop(3, 1), hop(4, 9)])),
            table: Some(MAIN),
            mfc_stats: Some(Box::new(MulticastStats { packets: 5, bytes: 700, wrong_if: 2 })),
            ..Route::default()
        }
    }

    fn context(stats: u8) -> Context {
        let links = [(2, b"v0".to_vec()), (3, b"v1".to_vec())].into();
        Context { links, stats, ..Context::default() }
    }

    #[test]
    fn a_route_has_one_link_in_and_many_out() {
        let text = printed(&route(), false, &context(0));
        assert_eq!(text, "(10.0.0.1,239.1.1.1)             Iif: v0         Oifs: v1 if4(ttl 9)  State: resolved\n");
        let json = printed(&route(), true, &context(0));
        let wanted = "{\"src\":\"10.0.0.1\",\"dst\":\"239.1.1.1\",\"iif\":\"v0\",\"multipath\":[{\"oif\":\"v1\"},\
                      {\"oif\":\"if4\",\"ttl\":9}],\"state\":\"resolved\"}";
        assert_eq!(json, wanted);
    }

    #[test]
    fn counters_and_age_are_told_where_asked_for() {
        let age = RawAttribute { flagged_number: EXPIRES, payload: 123_u64.to_ne_bytes().into() };
        let route = Route { other: vec![age], ..route() };
        let text = printed(&route, false, &context(1));
        assert!(text.ends_with("\n  5 packets, 700 bytes, 2 arrived on wrong iif., Age 1.23\n"), "{text}");
        assert!(printed(&route, true, &context(1)).ends_with("\"wrong_if\":2,\"expires\":1.23}"));
    }

    #[test]
    fn what_is_not_resolved_has_no_link_in() {
        let route = Route { iif: None, multipath: None, flags: UNRESOLVED | OFFLOAD, table: Some(77), ..route() };
        let text = printed(&route, false, &context(0));
        assert!(text.ends_with(" Iif: unresolved  State: unresolved offload Table: 77\n"), "{text}");
    }
}
