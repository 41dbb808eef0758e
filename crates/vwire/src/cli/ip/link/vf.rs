//! The settings of a virtual function: `ip link set DEV vf N mac … vlan … rate …`. Pure.

use vwire_netlink::wire::link::Link;
use vwire_netlink::wire::link::vf::{
    VfGuid, VfInfo, VfMac, VfRate, VfSetting, VfTxRate, VfVlan, VfVlanInfo, VfVlanList,
};

use super::words::{address, off_on, unsigned, wrong};
use crate::cli::ip::failure::{EXIT_SEMANTIC, Failure};
use crate::cli::ip::words::{Keyword, Words, begins, find, prefix, shown};

/// `ETH_P_8021Q`, in network byte order.
const DOT1Q: [u8; 2] = [0x81, 0x00];
/// `ETH_P_8021AD`, in network byte order.
const DOT1AD: [u8; 2] = [0x88, 0xa8];
/// The largest VLAN.
const MOST_VLAN: u32 = 4095;

#[derive(Debug, Clone, Copy)]
enum Word {
    Mac,
    Vlan,
    Rate,
    MaxTxRate,
    MinTxRate,
    Spoofchk,
    QueryRss,
    Trust,
    State,
    NodeGuid,
    PortGuid,
}

/// In `ip`'s order: the first row that a word begins wins.
const WORDS: &[Keyword<Word>] = &[
    prefix("mac", Word::Mac),
    prefix("vlan", Word::Vlan),
    prefix("rate", Word::Rate),
    prefix("max_tx_rate", Word::MaxTxRate),
    prefix("min_tx_rate", Word::MinTxRate),
    prefix("spoofchk", Word::Spoofchk),
    prefix("query_rss", Word::QueryRss),
    prefix("trust", Word::Trust),
    prefix("state", Word::State),
    prefix("node_guid", Word::NodeGuid),
    prefix("port_guid", Word::PortGuid),
];

/// The limits that were asked for, which the kernel takes only together.
#[derive(Debug, Default)]
struct Rates {
    legacy: Option<u32>,
    least: Option<u32>,
    most: Option<u32>,
}

/// Reads the settings of function `vf` up to the first word that is none; `device` is the device as it is now.
///
/// # Errors
/// There is no setting, or a value does not fit.
pub(super) fn read(words: &mut Words<'_>, vf: u32, device: Option<&Link>) -> Result<VfInfo, Failure> {
    let mut info = VfInfo::default();
    let mut rates = Rates::default();
    let before = words.len();
    while let Some(word) = words.peek().and_then(|word| find(WORDS, word)) {
        words.next();
        take(word, words, vf, device, &mut info, &mut rates)?;
    }
    if words.len() == before {
        return Err(Failure::incomplete());
    }
    put_rates(&mut info, &rates, vf, device)?;
    Ok(info)
}

fn take(
    word: Word,
    words: &mut Words<'_>,
    vf: u32,
    device: Option<&Link>,
    info: &mut VfInfo,
    rates: &mut Rates,
) -> Result<(), Failure> {
    let setting = |setting| Some(VfSetting { vf, setting });
    match word {
        Word::Mac => info.mac = Some(VfMac { vf, mac: mac(words.value()?, device)? }),
        Word::Vlan => vlan(words, vf, info)?,
        Word::Rate => rates.legacy = Some(rate(words.value()?, "rate")?),
        Word::MaxTxRate => rates.most = Some(rate(words.value()?, "max tx rate")?),
        Word::MinTxRate => rates.least = Some(rate(words.value()?, "min tx rate")?),
        Word::Spoofchk => info.spoofchk = setting(switch("spoofchk", words)?),
        Word::QueryRss => info.rss_query_en = setting(switch("query_rss", words)?),
        Word::Trust => info.trust = setting(switch("trust", words)?),
        Word::State => info.link_state = setting(state(words.value()?)?),
        Word::NodeGuid => info.ib_node_guid = Some(VfGuid { vf, guid: guid(words.value()?)? }),
        Word::PortGuid => info.ib_port_guid = Some(VfGuid { vf, guid: guid(words.value()?)? }),
    }
    Ok(())
}

fn switch(word: &str, words: &mut Words<'_>) -> Result<u32, Failure> {
    off_on(word, words.value()?).map(u32::from).map_err(|failure| failure.with_exit(EXIT_SEMANTIC))
}

fn rate(value: &[u8], what: &str) -> Result<u32, Failure> {
    let message = format!("Invalid \"{what}\" value\n");
    unsigned(value).ok_or_else(|| wrong(value, &message, format!("`{}` is no rate in Mbit/s", shown(value))))
}

fn state(value: &[u8]) -> Result<u32, Failure> {
    const STATES: &[Keyword<u32>] = &[prefix("auto", 0), prefix("enable", 1), prefix("disable", 2)];
    let cause = || format!("`{}` is none of auto, enable, disable", shown(value));
    find(STATES, value).ok_or_else(|| wrong(value, "Invalid \"state\" value\n", cause()))
}

fn mac(value: &[u8], device: Option<&Link>) -> Result<[u8; 32], Failure> {
    let octets = address(value)?;
    let wanted = device.and_then(|device| device.address.as_ref()).map_or(0, |address| address.as_bytes().len());
    if wanted > 0 && wanted != octets.len() {
        return Err(wrong_length(octets.len(), wanted));
    }
    let mut mac = [0; 32];
    for (to, from) in mac.iter_mut().zip(octets) {
        *to = from;
    }
    Ok(mac)
}

/// A link-layer address is not as long as the device's.
pub(super) fn wrong_length(length: usize, wanted: usize) -> Failure {
    Failure::new(
        EXIT_SEMANTIC,
        format!("Invalid address length {length} - must be {wanted} bytes"),
        format!("the address is {length} bytes, the device's are {wanted}"),
    )
}

fn vlan(words: &mut Words<'_>, vf: u32, info: &mut VfInfo) -> Result<(), Failure> {
    let first = one_vlan(words, vf)?;
    if first.vlan_proto == DOT1Q {
        // Kernels before 4.9 know no list.
        info.vlan = Some(VfVlan { vf, vlan: first.vlan, qos: first.qos });
        return Ok(());
    }
    let mut all = vec![first];
    while words.peek().is_some_and(|word| begins("vlan", word)) {
        words.next();
        all.push(one_vlan(words, vf)?);
    }
    info.vlan_list = Some(VfVlanList { info: all, ..VfVlanList::default() });
    Ok(())
}

fn one_vlan(words: &mut Words<'_>, vf: u32) -> Result<VfVlanInfo, Failure> {
    let value = words.value()?;
    let vlan = unsigned(value).filter(|vlan| *vlan <= MOST_VLAN);
    let vlan = vlan.ok_or_else(|| {
        wrong(value, "Invalid \"vlan\" value\n", format!("`{}` is no VLAN from 0 to {MOST_VLAN}", shown(value)))
    })?;
    let mut info = VfVlanInfo { vf, vlan, qos: 0, vlan_proto: DOT1Q };
    if words.peek().is_some_and(|word| begins("qos", word)) {
        words.next();
        let value = words.value()?;
        let bad = || wrong(value, "Invalid \"qos\" value\n", format!("`{}` is no priority", shown(value)));
        info.qos = unsigned(value).ok_or_else(bad)?;
    }
    if words.peek().is_some_and(|word| begins("proto", word)) {
        words.next();
        info.vlan_proto = protocol(words.value()?)?;
    }
    Ok(info)
}

fn protocol(value: &[u8]) -> Result<[u8; 2], Failure> {
    let known = [("802.1q", DOT1Q), ("802.1ad", DOT1AD)];
    let named = known.iter().find(|(name, _)| value.eq_ignore_ascii_case(name.as_bytes())).map(|(_, proto)| *proto);
    let numbered = || unsigned(value).and_then(|number| u16::try_from(number).ok()).map(u16::to_be_bytes);
    let cause = || format!("`{}` is neither 802.1Q nor 802.1ad", shown(value));
    let proto = named.or_else(numbered).ok_or_else(|| wrong(value, "protocol is invalid\n", cause()))?;
    if proto == DOT1Q || proto == DOT1AD {
        return Ok(proto);
    }
    Err(wrong(value, "Invalid \"vlan protocol\" value - supported 802.1Q, 802.1ad\n", cause()))
}

/// Reads a GUID, strictly: eight octets of two digits with `:` between.
fn guid(value: &[u8]) -> Result<u64, Failure> {
    let bad = || wrong(value, "Invalid GUID format\n", format!("`{}` is no GUID", shown(value)));
    let parts: Vec<_> = value.split(|byte| *byte == b':').collect();
    let strict = |part: &&[u8]| part.len() == 2 && part.iter().all(u8::is_ascii_hexdigit);
    if parts.len() != 8 || !parts.iter().all(strict) {
        return Err(bad());
    }
    let digits = parts.concat();
    let digits = std::str::from_utf8(&digits).map_err(|_| bad())?;
    u64::from_str_radix(digits, 16).map_err(|_| bad())
}

/// Fills in the limit that was not given with the one that holds.
fn put_rates(info: &mut VfInfo, rates: &Rates, vf: u32, device: Option<&Link>) -> Result<(), Failure> {
    if rates.least.is_none() && rates.most.is_none() {
        info.tx_rate = rates.legacy.map(|rate| VfTxRate { vf, rate });
        return Ok(());
    }
    let now = device.and_then(|device| rate_now(device, vf)).unwrap_or_default();
    let most = rates.most.or(rates.legacy).unwrap_or(now.max_tx_rate);
    let least = rates.least.unwrap_or(now.min_tx_rate);
    if most != 0 && least > most {
        return Err(Failure::new(
            EXIT_SEMANTIC,
            format!("Invalid min_tx_rate {least} - must be <= max_tx_rate {most}"),
            format!("min_tx_rate {least} is above max_tx_rate {most}"),
        ));
    }
    info.rate = Some(VfRate { vf, min_tx_rate: least, max_tx_rate: most });
    Ok(())
}

fn rate_now(device: &Link, vf: u32) -> Option<VfRate> {
    let functions = device.vfinfo_list.as_ref()?;
    functions.info.iter().filter_map(|info| info.rate).find(|rate| rate.vf == vf)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn settings(line: &str) -> Result<VfInfo, u8> {
        let words: Vec<_> = line.split_whitespace().map(OsString::from).collect();
        read(&mut Words::new(&words), 3, None).map_err(|failure| failure.exit())
    }

    #[test]
    fn settings_are_read_up_to_another_word() {
        let info = settings("mac 2:0:0:0:0:1 vlan 5 qos 2 spoofchk on up").unwrap();
        assert_eq!(info.mac.unwrap().mac[..6], [2, 0, 0, 0, 0, 1]);
        assert_eq!(info.vlan, Some(VfVlan { vf: 3, vlan: 5, qos: 2 }));
        assert_eq!(info.spoofchk, Some(VfSetting { vf: 3, setting: 1 }));
    }

    #[test]
    fn another_protocol_takes_a_list() {
        let list = settings("vlan 5 proto 802.1ad vlan 6").unwrap().vlan_list.unwrap();
        assert_eq!(list.info.iter().map(|one| one.vlan).collect::<Vec<_>>(), [5, 6]);
    }

    #[test]
    fn an_old_rate_and_two_new_ones_are_told_apart() {
        assert_eq!(settings("rate 100").unwrap().tx_rate, Some(VfTxRate { vf: 3, rate: 100 }));
        let both = settings("min_tx_rate 10 max_tx_rate 20").unwrap();
        assert_eq!(both.rate, Some(VfRate { vf: 3, min_tx_rate: 10, max_tx_rate: 20 }));
        assert_eq!(settings("min_tx_rate 30 max_tx_rate 20"), Err(1));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(settings(""), Err(255));
        assert_eq!(settings("vlan 5000"), Err(255));
        assert_eq!(settings("trust maybe"), Err(1));
        assert_eq!(settings("node_guid 1:2"), Err(255));
        assert_eq!(
            settings("node_guid 00:11:22:33:44:55:66:77").unwrap().ib_node_guid.unwrap().guid,
            0x11_2233_4455_6677
        );
    }
}
