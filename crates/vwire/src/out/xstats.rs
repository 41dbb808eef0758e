//! Prints counters beyond those of `-s`, as `ip link xstats` and `ip link afstats` do: of bridges, of bonds, of MPLS.

use vwire_netlink::wire::stats::StpXstats;

use super::counters::{CounterStyle, number};
use super::{Colour, Printer};

/// What stands before each line of a bridge's or a bond's counters.
const INDENT: &str = "                    ";

/// A line: what stands before it, and the numbers with their members' names and the words around them.
struct Line<'a> {
    before: &'a str,
    numbers: &'a [(&'a str, usize, &'a str, &'a str)],
}

/// A group of lines that is an object in JSON.
struct Group<'a> {
    name: &'a str,
    lines: &'a [Line<'a>],
}

/// Counters of multicast by their place in `struct br_mcast_stats`; each has one for what came and one for what went.
const MULTICAST: &[Group<'_>] = &[
    Group {
        name: "igmp_queries",
        lines: &[
            Line { before: "IGMP queries:\n", numbers: &[] },
            Line {
                before: "  RX: ",
                numbers: &[("rx_v1", 0, "v1 ", " "), ("rx_v2", 2, "v2 ", " "), ("rx_v3", 4, "v3 ", "\n")],
            },
            Line {
                before: "  TX: ",
                numbers: &[("tx_v1", 1, "v1 ", " "), ("tx_v2", 3, "v2 ", " "), ("tx_v3", 5, "v3 ", "\n")],
            },
        ],
    },
    Group {
        name: "igmp_reports",
        lines: &[
            Line { before: "IGMP reports:\n", numbers: &[] },
            Line {
                before: "  RX: ",
                numbers: &[("rx_v1", 8, "v1 ", " "), ("rx_v2", 10, "v2 ", " "), ("rx_v3", 12, "v3 ", "\n")],
            },
            Line {
                before: "  TX: ",
                numbers: &[("tx_v1", 9, "v1 ", " "), ("tx_v2", 11, "v2 ", " "), ("tx_v3", 13, "v3 ", "\n")],
            },
        ],
    },
    Group {
        name: "igmp_leaves",
        lines: &[Line { before: "IGMP leaves: ", numbers: &[("rx", 6, "RX: ", " "), ("tx", 7, "TX: ", "\n")] }],
    },
    Group {
        name: "",
        lines: &[Line { before: "IGMP parse errors: ", numbers: &[("igmp_parse_errors", 14, "", "\n")] }],
    },
    Group {
        name: "mld_queries",
        lines: &[
            Line { before: "MLD queries:\n", numbers: &[] },
            Line { before: "  RX: ", numbers: &[("rx_v1", 15, "v1 ", " "), ("rx_v2", 17, "v2 ", "\n")] },
            Line { before: "  TX: ", numbers: &[("tx_v1", 16, "v1 ", " "), ("tx_v2", 18, "v2 ", "\n")] },
        ],
    },
    Group {
        name: "mld_reports",
        lines: &[
            Line { before: "MLD reports:\n", numbers: &[] },
            Line { before: "  RX: ", numbers: &[("rx_v1", 21, "v1 ", " "), ("rx_v2", 23, "v2 ", "\n")] },
            Line { before: "  TX: ", numbers: &[("tx_v1", 22, "v1 ", " "), ("tx_v2", 24, "v2 ", "\n")] },
        ],
    },
    Group {
        name: "mld_leaves",
        lines: &[Line { before: "MLD leaves: ", numbers: &[("rx", 19, "RX: ", " "), ("tx", 20, "TX: ", "\n")] }],
    },
    Group { name: "", lines: &[Line { before: "MLD parse errors: ", numbers: &[("mld_parse_errors", 25, "", "\n")] }] },
];

/// Counters of the spanning tree by their place in [`stp_numbers`].
const STP: &[Line<'_>] = &[
    Line { before: "STP BPDU:  ", numbers: &[("rx_bpdu", 0, "RX: ", " "), ("tx_bpdu", 1, "TX: ", "\n")] },
    Line { before: "STP TCN:   ", numbers: &[("rx_tcn", 2, "RX: ", " "), ("tx_tcn", 3, "TX: ", "\n")] },
    Line {
        before: "STP Transitions: ",
        numbers: &[("transition_blk", 4, "Blocked: ", " "), ("transition_fwd", 5, "Forwarding: ", "\n")],
    },
];

/// Counters of link aggregation by their attribute (`BOND_3AD_STAT_*`).
const LACP: [(&str, &str); 9] = [
    ("lacpdu_rx", "LACPDU Rx "),
    ("lacpdu_tx", "LACPDU Tx "),
    ("lacpdu_unknown_rx", "LACPDU Unknown type Rx "),
    ("lacpdu_illegal_rx", "LACPDU Illegal Rx "),
    ("marker_rx", "Marker Rx "),
    ("marker_tx", "Marker Tx "),
    ("marker_response_rx", "Marker response Rx "),
    ("marker_response_tx", "Marker response Tx "),
    ("marker_unknown_rx", "Marker unknown type Rx "),
];

/// Prints the name of a device, as the head of its counters.
pub fn print_head(p: &mut Printer, device: &[u8]) {
    let shown = if p.is_json() { device.to_vec() } else { padded(device, 16) };
    p.string("ifname", "", shown, "\n");
}

/// Prints a bridge's counters of multicast (`struct br_mcast_stats`).
pub fn print_multicast(p: &mut Printer, counters: &[u64]) {
    p.open_object(Some("multicast"));
    for group in MULTICAST {
        if !group.name.is_empty() {
            p.open_object(Some(group.name));
        }
        print_lines(p, group.lines, counters);
        if !group.name.is_empty() {
            p.close_object();
        }
    }
    p.close_object();
}

/// Prints a port's counters of the spanning tree.
pub fn print_stp(p: &mut Printer, counters: &StpXstats) {
    p.open_object(Some("stp"));
    print_lines(p, STP, &stp_numbers(counters));
    p.close_object();
}

/// Prints a bond's counters of link aggregation, which may lack some.
pub fn print_lacp(p: &mut Printer, counters: &[(u16, u64)]) {
    p.open_object(Some("802.3ad"));
    for (number, (name, word)) in (0..).zip(LACP) {
        if let Some((_, value)) = counters.iter().rev().find(|(known, _)| *known == number) {
            p.text(INDENT);
            p.number(name, word, *value, "\n");
        }
    }
    p.close_object();
}

fn stp_numbers(counters: &StpXstats) -> [u64; 6] {
    let StpXstats { transition_blk, transition_fwd, rx_bpdu, tx_bpdu, rx_tcn, tx_tcn } = *counters;
    [rx_bpdu, tx_bpdu, rx_tcn, tx_tcn, transition_blk, transition_fwd]
}

fn print_lines(p: &mut Printer, lines: &[Line<'_>], counters: &[u64]) {
    for line in lines {
        p.text(INDENT);
        p.text(line.before);
        for (name, place, before, after) in line.numbers {
            p.number(name, before, counters.get(*place).copied().unwrap_or(0), after);
        }
    }
}

/// Fills up with blanks to a width.
fn padded(text: &[u8], width: usize) -> Vec<u8> {
    let mut padded = text.to_vec();
    padded.resize(width.max(text.len()), b' ');
    padded
}

/// What a device has counted of MPLS (`struct mpls_link_stats`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MplsCounters {
    /// Bytes, packets, errors, drops and packets without a route that came.
    pub received: [u64; 5],
    /// Bytes, packets, errors and drops of what went.
    pub sent: [u64; 4],
}

impl MplsCounters {
    /// Reads the kernel's struct; counters that it lacks are 0.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let number = |place: usize| {
            let bytes = bytes.get(place * 8..place * 8 + 8).and_then(|bytes| bytes.try_into().ok());
            bytes.map(u64::from_ne_bytes).unwrap_or_default()
        };
        Self {
            received: [number(2), number(0), number(4), number(6), number(8)],
            sent: [number(3), number(1), number(5), number(7)],
        }
    }
}

/// The words for counters of MPLS, in their order.
const MPLS: [&str; 5] = ["bytes", "packets", "errors", "dropped", "noroute"];

/// Prints a device's counters of MPLS.
pub fn print_mpls(p: &mut Printer, index: u32, device: &[u8], counters: &MplsCounters, style: CounterStyle) {
    p.number("ifindex", "", index, ":");
    p.coloured(Some(Colour::Device), "ifname", "", device, "");
    p.line_break();
    p.open_object(Some("mpls"));
    p.text("    mpls:");
    p.line_break();
    print_mpls_columns(p, "        ", counters, style);
    p.text("\n");
    p.close_object();
}

fn print_mpls_columns(p: &mut Printer, indent: &str, counters: &MplsCounters, style: CounterStyle) {
    let mut widths = [9, 7, 6, 7, 7];
    for numbers in [&counters.received[..], &counters.sent] {
        for (width, value) in widths.iter_mut().zip(numbers) {
            *width = (*width).max(value.to_string().len());
        }
    }
    for (index, (title, numbers)) in [("rx", &counters.received[..]), ("tx", &counters.sent)].iter().enumerate() {
        if index > 0 {
            p.line_break();
        }
        p.open_object(Some(title));
        let mut heading = format!("{indent}{}:", title.to_uppercase());
        let mut line = indent.to_owned();
        for (column, (word, value)) in MPLS.iter().zip(*numbers).enumerate() {
            let width = if column == 0 { widths[0] - 4 } else { widths[column] };
            heading.push_str(&format!(" {word:>width$}"));
            line.push_str(&number(*value, widths[column], style));
            p.number_json(word, *value);
        }
        p.text(heading);
        p.line_break();
        p.text(line);
        p.close_object();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::Layout;

    fn printed(json: bool, print: impl Fn(&mut Printer)) -> String {
        let mut p = Printer::new(Layout { json, ..Layout::default() });
        p.open_object(None);
        print(&mut p);
        p.close_object();
        String::from_utf8(p.take()).unwrap()
    }

    #[test]
    fn each_counter_of_multicast_has_its_place() {
        let counters: Vec<u64> = (100..130).collect();
        let text = printed(false, |p| print_multicast(p, &counters));
        let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
        assert_eq!(
            lines[..5],
            [
                "IGMP queries:",
                "RX: v1 100 v2 102 v3 104",
                "TX: v1 101 v2 103 v3 105",
                "IGMP reports:",
                "RX: v1 108 v2 110 v3 112"
            ]
        );
        assert_eq!(
            lines[6..10],
            ["IGMP leaves: RX: 106 TX: 107", "IGMP parse errors: 114", "MLD queries:", "RX: v1 115 v2 117"]
        );
        assert_eq!(lines[14..], ["MLD leaves: RX: 119 TX: 120", "MLD parse errors: 125"]);
    }

    #[test]
    fn a_bond_tells_what_it_has() {
        let counters = [(0, 5), (8, 7)];
        let text = printed(false, |p| print_lacp(p, &counters));
        assert_eq!(text, format!("{INDENT}LACPDU Rx 5\n{INDENT}Marker unknown type Rx 7\n"));
        let json = printed(true, |p| print_lacp(p, &counters));
        assert_eq!(json, "{\"802.3ad\":{\"lacpdu_rx\":5,\"marker_unknown_rx\":7}}");
    }

    #[test]
    fn counters_of_mpls_are_columns_and_members() {
        let bytes: Vec<u8> = (1..10_u64).flat_map(u64::to_ne_bytes).collect();
        let counters = MplsCounters::read(&bytes);
        let text = printed(false, |p| print_mpls(p, 3, b"v0", &counters, CounterStyle::default()));
        let wanted = "3:v0\n    mpls:\n        RX: bytes packets errors dropped noroute\n                \
                      3       1      5       7       9 \n        TX: bytes packets errors dropped\n                \
                      4       2      6       8 \n";
        assert_eq!(text, wanted);
        let json = printed(true, |p| print_mpls(p, 3, b"v0", &counters, CounterStyle::default()));
        let wanted = "{\"ifindex\":3,\"ifname\":\"v0\",\"mpls\":{\"rx\":{\"bytes\":3,\"packets\":1,\"errors\":5,\
                      \"dropped\":7,\"noroute\":9},\"tx\":{\"bytes\":4,\"packets\":2,\"errors\":6,\"dropped\":8}}}";
        assert_eq!(json, wanted);
    }
}
