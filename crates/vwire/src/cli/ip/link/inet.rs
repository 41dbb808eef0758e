//! The settings of IPv4 on a link: `ip link set v0 inet forwarding on`. Pure.

use super::words::{integer, off_on, wrong};
use crate::cli::ip::failure::{EXIT_SEMANTIC, Failure};
use crate::cli::ip::words::{Keyword, Words, exact, find, shown};

/// What a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// `on` or `off`.
    Switch,
    /// A number.
    Number,
}

/// A setting: its word, its number (`IPV4_DEVCONF_*` of `linux/ip.h`), and what it takes.
type Setting = (&'static str, u16, Takes);

const fn switch(word: &'static str, number: u16) -> Keyword<Setting> {
    exact(word, (word, number, Takes::Switch))
}

const fn number(word: &'static str, number: u16) -> Keyword<Setting> {
    exact(word, (word, number, Takes::Number))
}

const SETTINGS: &[Keyword<Setting>] = &[
    switch("forwarding", 1),
    switch("proxy_arp", 3),
    switch("accept_redirects", 4),
    switch("secure_redirects", 5),
    switch("send_redirects", 6),
    switch("shared_media", 7),
    number("rp_filter", 8),
    switch("accept_source_route", 9),
    switch("bootp_relay", 10),
    switch("log_martians", 11),
    number("tag", 12),
    switch("arp_filter", 13),
    number("medium_id", 14),
    switch("disable_xfrm", 15),
    switch("disable_policy", 16),
    number("force_igmp_version", 17),
    number("arp_announce", 18),
    number("arp_ignore", 19),
    switch("promote_secondaries", 20),
    number("arp_accept", 21),
    switch("arp_notify", 22),
    switch("accept_local", 23),
    switch("src_vmark", 24),
    switch("proxy_arp_pvlan", 25),
    switch("route_localnet", 26),
    number("igmpv2_unsolicited_report_interval", 27),
    number("igmpv3_unsolicited_report_interval", 28),
    switch("ignore_routes_with_linkdown", 29),
    switch("drop_unicast_in_l2_multicast", 30),
    switch("drop_gratuitous_arp", 31),
    switch("bc_forwarding", 32),
    switch("arp_evict_nocarrier", 33),
];

/// Reads settings and their values up to the first word that is no setting.
///
/// # Errors
/// There is none, or a value does not fit.
pub(super) fn read(words: &mut Words<'_>) -> Result<Vec<(u16, u32)>, Failure> {
    let mut settings = Vec::new();
    while let Some((word, number, takes)) = words.peek().and_then(|word| find(SETTINGS, word)) {
        words.next();
        let value = words.value()?;
        let value = match takes {
            Takes::Switch => off_on(word, value).map(u32::from).map_err(|failure| failure.with_exit(EXIT_SEMANTIC))?,
            Takes::Number => integer(value).map(i32::cast_unsigned).ok_or_else(|| {
                wrong(value, &format!("Invalid \"{word}\" value\n"), format!("`{}` is no number", shown(value)))
            })?,
        };
        settings.push((number, value));
    }
    if settings.is_empty() { Err(Failure::incomplete()) } else { Ok(settings) }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn settings(line: &str) -> Result<Vec<(u16, u32)>, u8> {
        let words: Vec<_> = line.split_whitespace().map(OsString::from).collect();
        read(&mut Words::new(&words)).map_err(|failure| failure.exit())
    }

    #[test]
    fn settings_end_at_another_word() {
        assert_eq!(settings("forwarding on rp_filter 2 mtu 1400"), Ok(vec![(1, 1), (8, 2)]));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(settings("mtu 1400"), Err(255));
        assert_eq!(settings("forwarding maybe"), Err(1));
        assert_eq!(settings("rp_filter x"), Err(255));
    }
}
