//! Prints a link's counters: `-s` once, `-s -s` with the kinds of errors, as columns or as JSON.

use vwire_netlink::wire::link::Stats64;

use super::Printer;

/// How counters are printed.
#[derive(Debug, Clone, Copy, Default)]
pub struct CounterStyle {
    /// How often `-s` was given: 1 for the totals, 2 for the kinds of errors too.
    pub level: u8,
    /// `-h`: round to a unit.
    pub human: bool,
    /// `-iec`: units of 1,024.
    pub iec: bool,
}

/// The least widths of the columns.
const WIDTHS: [usize; 8] = [10, 7, 6, 7, 7, 7, 10, 9];

/// One block: a heading over each column, and a number under it.
struct Block<'a> {
    title: &'a str,
    columns: Vec<(&'a str, u64)>,
}

/// Prints the counters of a link; `carrier_changes` counts how often the carrier came or went.
pub fn print(p: &mut Printer, stats: &Stats64, carrier_changes: Option<u32>, style: CounterStyle) {
    if p.is_json() {
        print_json(p, stats, carrier_changes, style);
    } else {
        print_text(p, stats, carrier_changes, style);
    }
}

fn print_text(p: &mut Printer, stats: &Stats64, carrier_changes: Option<u32>, style: CounterStyle) {
    let totals = [receive(stats), transmit(stats)];
    let errors = [receive_errors(stats), transmit_errors(stats, carrier_changes)];
    let mut widths = WIDTHS;
    if !style.human {
        totals.iter().for_each(|block| widen(&mut widths, 0, block));
        if style.level > 1 {
            errors.iter().for_each(|block| widen(&mut widths, 1, block));
        }
    }
    for (index, (totals, errors)) in totals.iter().zip(&errors).enumerate() {
        if index > 0 {
            p.line_break();
        }
        print_totals(p, totals, &widths, style);
        if style.level > 1 {
            p.line_break();
            print_errors(p, errors, &widths, style);
        }
    }
}

fn widen(widths: &mut [usize; 8], first: usize, block: &Block<'_>) {
    for (width, (_, value)) in widths.iter_mut().skip(first).zip(&block.columns) {
        *width = (*width).max(value.to_string().len());
    }
}

fn print_totals(p: &mut Printer, block: &Block<'_>, widths: &[usize; 8], style: CounterStyle) {
    let mut heading = format!("    {}:", block.title);
    let mut numbers = "    ".to_owned();
    for (index, (word, value)) in block.columns.iter().enumerate() {
        // The seventh column is there in the heading even where it has no word.
        let width = if index == 0 { widths[0] - 4 } else { widths[index] };
        heading.push_str(&format!(" {word:>width$}"));
        if index < 6 || !word.is_empty() {
            numbers.push_str(&number(*value, widths[index], style));
        }
    }
    p.text(heading);
    p.line_break();
    p.text(numbers);
}

fn print_errors(p: &mut Printer, block: &Block<'_>, widths: &[usize; 8], style: CounterStyle) {
    let mut heading = format!("    {} errors:{:width$}", block.title, "", width = widths[0] - 10);
    let mut numbers = " ".repeat(widths[0] + 5);
    for (index, (word, value)) in block.columns.iter().enumerate() {
        heading.push_str(&format!(" {word:>width$}", width = widths[index + 1]));
        if !word.is_empty() {
            numbers.push_str(&number(*value, widths[index + 1], style));
        }
    }
    p.text(heading);
    p.line_break();
    p.text(numbers);
}

fn receive(s: &Stats64) -> Block<'static> {
    let compressed = if s.rx_compressed == 0 { "" } else { "compressed" };
    Block {
        title: "RX",
        columns: vec![
            ("bytes", s.rx_bytes),
            ("packets", s.rx_packets),
            ("errors", s.rx_errors),
            ("dropped", s.rx_dropped),
            ("missed", s.rx_missed_errors),
            ("mcast", s.multicast),
            (compressed, s.rx_compressed),
        ],
    }
}

fn transmit(s: &Stats64) -> Block<'static> {
    let compressed = if s.tx_compressed == 0 { "" } else { "compressed" };
    Block {
        title: "TX",
        columns: vec![
            ("bytes", s.tx_bytes),
            ("packets", s.tx_packets),
            ("errors", s.tx_errors),
            ("dropped", s.tx_dropped),
            ("carrier", s.tx_carrier_errors),
            ("collsns", s.collisions),
            (compressed, s.tx_compressed),
        ],
    }
}

fn receive_errors(s: &Stats64) -> Block<'static> {
    let mut columns = vec![
        ("length", s.rx_length_errors),
        ("crc", s.rx_crc_errors),
        ("frame", s.rx_frame_errors),
        ("fifo", s.rx_fifo_errors),
        ("overrun", s.rx_over_errors),
    ];
    if s.rx_nohandler != 0 {
        columns.push(("nohandler", s.rx_nohandler));
    }
    if s.rx_otherhost_dropped != 0 {
        columns.push(("otherhost", s.rx_otherhost_dropped));
    }
    Block { title: "RX", columns }
}

fn transmit_errors(s: &Stats64, carrier_changes: Option<u32>) -> Block<'static> {
    Block {
        title: "TX",
        columns: vec![
            ("aborted", s.tx_aborted_errors),
            ("fifo", s.tx_fifo_errors),
            ("window", s.tx_window_errors),
            ("heartbt", s.tx_heartbeat_errors),
            (if carrier_changes.is_some() { "transns" } else { "" }, u64::from(carrier_changes.unwrap_or(0))),
        ],
    }
}

/// Spells a number to the right of its column, with the blank that ends the column.
pub(super) fn number(value: u64, width: usize, style: CounterStyle) -> String {
    let base = if style.iec { 1024 } else { 1000 };
    if style.human && value >= base {
        format!("{:>width$} ", rounded(value, base, style.iec))
    } else {
        format!("{value:>width$} ")
    }
}

/// Rounds to three digits and a unit: 1234567 is `1.23M`.
#[expect(clippy::cast_precision_loss, reason = "three digits are printed")]
fn rounded(value: u64, base: u64, iec: bool) -> String {
    let mut unit = base;
    let mut prefixes = "kMGTPE".chars();
    let mut prefix = prefixes.next().unwrap_or('k');
    while value / base >= unit {
        let Some(next) = prefixes.next() else { break };
        prefix = next;
        unit = unit.saturating_mul(base);
    }
    let digits = match value / unit {
        0..10 => 2,
        10..100 => 1,
        _ => 0,
    };
    format!("{:.digits$}{prefix}{}", value as f64 / unit as f64, if iec { "i" } else { "" })
}

fn print_json(p: &mut Printer, s: &Stats64, carrier_changes: Option<u32>, style: CounterStyle) {
    p.open_object(Some("stats64"));
    p.open_object(Some("rx"));
    members(
        p,
        &[
            ("bytes", s.rx_bytes),
            ("packets", s.rx_packets),
            ("errors", s.rx_errors),
            ("dropped", s.rx_dropped),
            ("over_errors", s.rx_over_errors),
            ("multicast", s.multicast),
        ],
    );
    members_if_any(p, &[("compressed", s.rx_compressed)]);
    if style.level > 1 {
        members(
            p,
            &[
                ("length_errors", s.rx_length_errors),
                ("crc_errors", s.rx_crc_errors),
                ("frame_errors", s.rx_frame_errors),
                ("fifo_errors", s.rx_fifo_errors),
                ("missed_errors", s.rx_missed_errors),
            ],
        );
        members_if_any(p, &[("nohandler", s.rx_nohandler), ("otherhost", s.rx_otherhost_dropped)]);
    }
    p.close_object();
    p.open_object(Some("tx"));
    members(
        p,
        &[
            ("bytes", s.tx_bytes),
            ("packets", s.tx_packets),
            ("errors", s.tx_errors),
            ("dropped", s.tx_dropped),
            ("carrier_errors", s.tx_carrier_errors),
            ("collisions", s.collisions),
        ],
    );
    members_if_any(p, &[("compressed", s.tx_compressed)]);
    if style.level > 1 {
        members(
            p,
            &[
                ("aborted_errors", s.tx_aborted_errors),
                ("fifo_errors", s.tx_fifo_errors),
                ("window_errors", s.tx_window_errors),
                ("heartbeat_errors", s.tx_heartbeat_errors),
            ],
        );
        if let Some(changes) = carrier_changes {
            p.number_json("carrier_changes", changes);
        }
    }
    p.close_object();
    p.close_object();
}

fn members(p: &mut Printer, members: &[(&str, u64)]) {
    for (name, value) in members {
        p.number_json(name, *value);
    }
}

fn members_if_any(p: &mut Printer, list: &[(&str, u64)]) {
    for member in list.iter().filter(|(_, value)| *value != 0) {
        members(p, &[*member]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::Layout;

    fn printed(stats: &Stats64, style: CounterStyle) -> String {
        let mut p = Printer::new(Layout::default());
        print(&mut p, stats, Some(2), style);
        String::from_utf8(p.take()).unwrap()
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_number() {
        let stats = Stats64 { rx_bytes: 12_345_678_901, tx_packets: 7, ..Stats64::default() };
        let wanted = "    RX:   bytes packets errors dropped  missed   mcast           \n\
                      \x20   12345678901       0      0       0       0       0 \n\
                      \x20   TX:   bytes packets errors dropped carrier collsns           \n\
                      \x20             0       7      0       0       0       0 ";
        let style = CounterStyle { level: 1, ..CounterStyle::default() };
        assert_eq!(printed(&stats, style), wanted);
    }

    #[test]
    fn people_get_three_digits_and_a_unit() {
        assert_eq!(rounded(1_234_567, 1000, false), "1.23M");
        assert_eq!(rounded(12_345, 1000, false), "12.3k");
        assert_eq!(rounded(999_999, 1000, false), "1000k");
        assert_eq!(rounded(1_048_576, 1024, true), "1.00Mi");
        assert_eq!(rounded(u64::MAX, 1000, false), "18.4E");
    }
}
