//! Prints the metrics of a route: what TCP and others should know of the way.

use vwire_netlink::wire::route::Metrics;

use super::Printer;
use super::host::general;

/// The words for `RTAX_*`, by number; the first two are no metrics.
const METRICS: [&str; 18] = [
    "",
    "",
    "mtu",
    "window",
    "rtt",
    "rttvar",
    "ssthresh",
    "cwnd",
    "advmss",
    "reordering",
    "hoplimit",
    "initcwnd",
    "features",
    "rto_min",
    "initrwnd",
    "quickack",
    "congctl",
    "fastopen_no_cookie",
];

/// Prints the metrics of a route that are set or locked.
pub fn print(p: &mut Printer, metrics: &Metrics) {
    p.open_array(Some("metrics"));
    p.open_object(None);
    let locks = metrics.lock.unwrap_or(0);
    for ((number, word), value) in METRICS.iter().enumerate().zip(numbers(metrics)).skip(2) {
        let locked = locks & 1 << number != 0;
        let algorithm = metrics.cc_algo.as_ref().filter(|_| *word == "congctl");
        let absent = value.is_none() && algorithm.is_none();
        // The kernel writes the hop limit that is not set as -1.
        if (absent && !locked) || (*word == "hoplimit" && value == Some(u32::MAX)) {
            continue;
        }
        p.text(format!("{word} {}", if locked { "lock " } else { "" }));
        let value = value.unwrap_or(0);
        match *word {
            "features" => print_features(p, value),
            "rtt" => print_time(p, word, value / 8),
            "rttvar" => print_time(p, word, value / 4),
            "rto_min" => print_time(p, word, value),
            "congctl" => p.string("congestion", "", algorithm.map_or(&b""[..], |name| name.as_bytes()), " "),
            _ => p.number(word, "", value, " "),
        }
    }
    p.close_object();
    p.close_array();
}

/// Returns the value of each metric that is a number, by its number.
fn numbers(metrics: &Metrics) -> [Option<u32>; 18] {
    [
        None,
        None,
        metrics.mtu,
        metrics.window,
        metrics.rtt,
        metrics.rttvar,
        metrics.ssthresh,
        metrics.cwnd,
        metrics.advmss,
        metrics.reordering,
        metrics.hoplimit,
        metrics.initcwnd,
        metrics.features,
        metrics.rto_min,
        metrics.initrwnd,
        metrics.quickack,
        None,
        metrics.fastopen_no_cookie,
    ]
}

fn print_time(p: &mut Printer, name: &str, milliseconds: u32) {
    p.number_json(name, milliseconds);
    p.text(match milliseconds {
        1000.. => format!("{}s ", general(f64::from(milliseconds) / 1e3)),
        _ => format!("{milliseconds}ms "),
    });
}

/// `RTAX_FEATURE_*`.
fn print_features(p: &mut Printer, features: u32) {
    let mut rest = features;
    for (bit, word) in [(0x1, "ecn"), (0x10, "tcp_usec_ts")] {
        if features & bit != 0 {
            p.null(word, &format!("{word} "));
            rest &= !bit;
        }
    }
    if rest != 0 {
        p.string("features", "", format!("{features:#x}"), " ");
    }
}
