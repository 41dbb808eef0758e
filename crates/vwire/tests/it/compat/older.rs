//! Spells what vwire says, which is in the form of iproute2 7.1, as iproute2 6.1 spells it.
//!
//! CI has 6.1 as its judge. What 7.1 prints and 6.1 does not is a closed list, and this is it: what a
//! line here does not take out or move must be equal to the byte with either judge. [`spell`] is a
//! function of the text alone, so that a record that lacks a fact is not given one.

/// Words in the details of a link or of a table of neighbours, each with a value behind it, that came after 6.1.
const NEW_WORDS: [&str; 20] = [
    "mcast_reprobes",
    "gso_ipv4_max_size",
    "gro_ipv4_max_size",
    "mst_enabled",
    "mdb_offload_fail_notification",
    "fdb_local_vlan_0",
    "fdb_n_learned",
    "fdb_max_learned",
    "stp_mode",
    "neigh_vlan_suppress",
    "neigh_forward_grat",
    "mab",
    "backup_nhid",
    "netns-immutable",
    "mcast_querier_ipv4_addr",
    "mcast_querier_ipv4_port",
    "mcast_querier_ipv4_other_timer",
    "mcast_querier_ipv6_addr",
    "mcast_querier_ipv6_port",
    "mcast_querier_ipv6_other_timer",
];

/// Members that came after 6.1 and are words of something else, or none, in text.
const NEW_MEMBERS: [&str; 2] = ["sport_mask", "dport_mask"];

/// The words of a vxlan in 6.1's order, and how many values stand behind each.
const VXLAN_WORDS: [(&str, usize); 20] = [
    ("external", 0),
    ("vnifilter", 0),
    ("id", 1),
    ("group", 1),
    ("remote", 1),
    ("local", 1),
    ("dev", 1),
    ("srcport", 2),
    ("dstport", 1),
    ("nolearning", 0),
    ("proxy", 0),
    ("rsc", 0),
    ("l2miss", 0),
    ("l3miss", 0),
    ("tos", 1),
    ("ttl", 1),
    ("df", 1),
    ("flowlabel", 1),
    ("ageing", 1),
    ("maxaddr", 1),
];

/// A vxlan's words that stand last in 6.1: as 7.1 spells them, as 6.1 does, and whether they are shown
/// where they are off too.
const VXLAN_SUMS: [(&str, &str, bool); 7] = [
    ("udp_csum", "udpcsum", true),
    ("udp_zero_csum6_tx", "udp6zerocsumtx", true),
    ("udp_zero_csum6_rx", "udp6zerocsumrx", true),
    ("remcsum_tx", "remcsumtx", false),
    ("remcsum_rx", "remcsumrx", false),
    ("gbp", "gbp", false),
    ("gpe", "gpe", false),
];

/// The members of a vxlan in 6.1's order, and whether a member is left out where it is false.
const VXLAN_MEMBERS: [(&str, bool); 32] = [
    ("external", true),
    ("vnifilter", true),
    ("id", false),
    ("group", false),
    ("group6", false),
    ("remote", false),
    ("remote6", false),
    ("local", false),
    ("local6", false),
    ("link", false),
    ("link_index", false),
    ("port_range", false),
    ("port", false),
    ("learning", false),
    ("proxy", true),
    ("rsc", true),
    ("l2miss", true),
    ("l3miss", true),
    ("tos", false),
    ("ttl", false),
    ("df", false),
    ("label", false),
    ("ageing", false),
    ("limit", false),
    ("udp_csum", false),
    ("udp_zero_csum6_tx", false),
    ("udp_zero_csum6_rx", false),
    ("remcsum_tx", true),
    ("remcsum_rx", true),
    ("gbp", false),
    ("gpe", false),
    ("ttl_propagate", false),
];

/// Words of a command that came after 6.1, which refuses or ignores them: it cannot judge what they do.
const NEW_COMMANDS: [&str; 9] = [
    "bclim ",
    "localbypass",
    "backup_nhid ",
    "fdb_max_learned ",
    "coupled_control ",
    "type netkit",
    // These had no words of their own, and what stood behind them was ignored.
    "type dummy ",
    "type ifb ",
    "type nlmon ",
];

/// Returns whether 6.1 knows the words of a command.
pub(crate) fn knows(line: &str) -> bool {
    let line = format!("{line} ");
    !NEW_COMMANDS.iter().any(|word| line.contains(word))
}

/// Returns what 6.1 prints where 7.1 prints `text`.
pub(crate) fn spell(text: &str) -> String {
    let dull = text.replace("\x1b[1;94m", "\x1b[34m").replace("\x1b[1;3", "\x1b[3");
    if dull.starts_with('[') && dull.contains('{') {
        return json(dull);
    }
    // Records of one line hold their lines between backslashes.
    let lines: Vec<String> =
        dull.split('\n').map(|line| line.split('\\').map(part).collect::<Vec<_>>().join("\\")).collect();
    lines.join("\n")
}

/// Spells what a command said so that it can be compared with 6.1, where what 6.1 says hangs on the command.
///
/// Both sides are spelled so; what is taken out is told by 6.1 alone, or never by it.
pub(crate) fn spell_answer(command: &str, text: &str) -> String {
    let words: Vec<&str> = command.split_whitespace().collect();
    let object = words.iter().position(|word| !word.starts_with('-') && !FAMILIES.contains(word) && *word != "blue");
    let object = object.map_or("", |at| words[at]);
    let is_inet6 = words.iter().any(|word| ["-6", "inet6"].contains(word));
    let mut text = text.to_owned();
    // The list of links of IPv6 has no lengths of queues: 6.1 asks for each in another way.
    if is_inet6 && !object.is_empty() && "address".starts_with(object) {
        text = without_queue_lengths(&text);
    }
    // 6.1 shows no counters of a group.
    if words.contains(&"-s") && "nexthop".starts_with(object) && object.len() > 2 {
        text = without_group_counters(&text);
    }
    // 6.1 knows no family of a prefix here, and says so.
    if object.len() > 1 && "mroute".starts_with(object) {
        for family in ["???", "any valid", "inet6", "inet"] {
            text = text.replace(&format!("Error: {family} prefix is expected"), "Error: … prefix is expected");
        }
    }
    // 6.1 leaves an empty object for each link of another group.
    if command.contains("link show group ") {
        text = text.replace("{},", "").replace(",{}", "").replace("{ },", "").replace(",{ }", "").replace("{}", "");
    }
    text
}

/// What may stand behind `-f`.
const FAMILIES: [&str; 5] = ["inet", "inet6", "bridge", "link", "mpls"];

fn without_queue_lengths(text: &str) -> String {
    let line = |line: &str| {
        let mut line = line.to_owned();
        // A colour may end in front of the word.
        let found = [" qlen ", "\x1b[0mqlen "].iter().find_map(|word| Some(line.find(word)? + word.len()));
        if let Some(behind) = found.filter(|_| line.contains(" mtu ")) {
            let end =
                line[behind..].find(|letter: char| !letter.is_ascii_digit()).map_or(line.len(), |end| behind + end);
            line.replace_range(behind - "qlen ".len()..end, "");
        }
        while let Some((from, to)) = member(&line, "txqlen", 0) {
            line.replace_range(from..to, "");
        }
        line
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

fn without_group_counters(text: &str) -> String {
    let is_counter = |line: &&str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        matches!(words[..], ["stats:"] | ["id", _, "packets", _] | ["id", _, "packets", _, "packets_hw", _])
    };
    let line = |line: &str| {
        let mut line = line.to_owned();
        take_word(&mut line, "hw_stats", 1);
        take_word(&mut line, "used", 1);
        line
    };
    text.split('\n').filter(|line| !is_counter(line)).map(line).collect::<Vec<_>>().join("\n")
}

/// Spells one line of a record.
fn part(line: &str) -> String {
    let mut line = line.to_owned();
    for word in NEW_WORDS {
        take_word(&mut line, word, usize::from(word != "netns-immutable"));
    }
    // A gateway of another family, ` via inet6 …`, stands in a route, which always had its `proto`.
    if let Some(at) = line.find(" inet").filter(|at| !line[..*at].ends_with(" via")) {
        let mut address = line.split_off(at);
        take_word(&mut address, "proto", 1);
        line += &address;
    }
    if let Some((before, after)) = line.split_once(" allmulti ")
        && before.contains(" promiscuity ")
    {
        line = format!("{before}  allmulti {after}");
    }
    match line.strip_prefix("    vxlan ") {
        Some(words) => format!("    vxlan {}", vxlan(words)),
        None => line,
    }
}

/// Takes a word and the values behind it out of a line.
fn take_word(line: &mut String, word: &str, values: usize) {
    if let Some(at) = line.find(&format!(" {word} ")) {
        let end = line[at + 1..].match_indices(' ').nth(values).map_or(line.len(), |(end, _)| at + 1 + end);
        line.replace_range(at..end, "");
    }
}

/// Orders what stands behind `vxlan `.
fn vxlan(words: &str) -> String {
    let known = |word: &str| {
        let plain = word.strip_prefix("no").unwrap_or(word);
        let sum = VXLAN_SUMS.iter().any(|(new, ..)| *new == plain);
        let switch = matches!(plain, "external" | "vnifilter" | "learning" | "proxy" | "rsc" | "l2miss" | "l3miss");
        let valued = VXLAN_WORDS.iter().find(|(name, values)| *name == word && *values > 0).map(|(_, values)| *values);
        match word {
            "reserved_bits" => Some(1),
            _ if sum || switch || matches!(plain, "localbypass" | "mcroute") => Some(0),
            _ => valued,
        }
    };
    let mut left: Vec<&str> = words.split(' ').collect();
    let mut facts: Vec<Vec<&str>> = Vec::new();
    while let Some(values) = left.first().and_then(|word| known(word)).filter(|values| *values < left.len()) {
        facts.push(left.drain(..=values).collect());
    }
    let find = |word: &str| facts.iter().find(|fact| fact[0] == word);
    let mut all = String::new();
    for (word, _) in VXLAN_WORDS {
        // 6.1 forgot the blank behind this one.
        let blank = if word == "vnifilter" { "" } else { " " };
        all.extend(find(word).map(|fact| fact.join(" ") + blank));
    }
    for (new, old, always) in VXLAN_SUMS {
        // 7.1 shows what is not as usual, and only sums are usually on.
        let on = find(new).is_some() || (new == "udp_csum" && find("noudp_csum").is_none());
        match on {
            true => all += &format!("{old} "),
            false if always => all += &format!("no{old} "),
            false => {}
        }
    }
    all + &left.join(" ")
}

/// Spells a document.
fn json(mut text: String) -> String {
    for word in NEW_WORDS.into_iter().chain(NEW_MEMBERS) {
        while let Some((from, to)) = member(&text, word, 0) {
            text.replace_range(from..to, "");
        }
    }
    // What is left of who asks for groups are two empty objects.
    for family in ["4", "6"] {
        let name = format!("mcast_querier_state_ipv{family}");
        while let Some((from, to)) = member(&text, &name, 0) {
            let end = text[to..].find('}').map_or(to, |end| to + end + 1);
            text.replace_range(from..end, "");
        }
    }
    let mut start = 0;
    while let Some((from, to)) = member(&text, "protocol", start) {
        let object = text[..from].rfind('{').unwrap_or(0);
        if text[object..from].contains("\"local\":") {
            text.replace_range(from..to, "");
            start = from;
        } else {
            start = to;
        }
    }
    let mut start = 0;
    while let Some((from, to)) = vxlan_data(&text, start) {
        let ordered = members(&text[from..to]);
        text.replace_range(from..to, &ordered);
        start = from;
    }
    text
}

/// Finds a member, from the comma before it (behind it where it is the first) to its end.
fn member(text: &str, name: &str, start: usize) -> Option<(usize, usize)> {
    let key = format!("\"{name}\":");
    let at = start + text[start..].find(&key)?;
    let before = text[..at].trim_end();
    let end = at + text[at..].find([',', '}'])?;
    if before.ends_with(',') {
        return Some((before.len() - 1, text[..end].trim_end().len()));
    }
    let to = if text[end..].starts_with(',') { end + 1 } else { text[..end].trim_end().len() };
    Some((before.len(), to))
}

/// Finds what is between the braces of the next vxlan's data.
fn vxlan_data(text: &str, start: usize) -> Option<(usize, usize)> {
    let kind = ["\"info_kind\":\"vxlan\"", "\"info_kind\": \"vxlan\""];
    let at = start + kind.iter().filter_map(|kind| text[start..].find(kind)).min()?;
    let from = at + text[at..].find("\"info_data\"")?;
    let from = from + text[from..].find('{')? + 1;
    let mut depth = 1;
    for (offset, letter) in text[from..].char_indices() {
        depth += match letter {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        if depth == 0 {
            return Some((from, from + offset));
        }
    }
    None
}

/// Orders the members of a vxlan's data.
fn members(data: &str) -> String {
    let mut all: Vec<&str> = Vec::new();
    let (mut depth, mut from) = (0, 0);
    for (at, letter) in data.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                all.push(&data[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    let last = data[from..].trim_end();
    all.push(last);
    let end = &data[from + last.len()..];
    let value = |name: &str| all.iter().find(|member| member.trim_start().starts_with(&format!("\"{name}\":")));
    let kept = VXLAN_MEMBERS.iter().filter_map(|(name, hidden)| {
        let member = *value(name)?;
        (!hidden || !member.ends_with("false")).then(|| match *name {
            "gbp" | "gpe" => member.replace("null", "true"),
            _ => member.to_owned(),
        })
    });
    kept.collect::<Vec<_>>().join(",") + end
}

#[test]
fn words_that_are_new_are_taken_out() {
    let new = "2: br0: <> mtu 1\n    link/ether 02:00:00:00:00:0a brd ff:ff:ff:ff:ff:ff promiscuity 0 allmulti 0 maxmtu 65535 \
               netns-immutable \n    bridge gc_timer    0.00 fdb_n_learned 0 fdb_max_learned 0 group_fwd_mask 0 gro_max_size 1 \
               gso_ipv4_max_size 65536 gro_ipv4_max_size 65536 \n";
    let old = "2: br0: <> mtu 1\n    link/ether 02:00:00:00:00:0a brd ff:ff:ff:ff:ff:ff promiscuity 0  allmulti 0 maxmtu 65535 \n    \
               bridge gc_timer    0.00 group_fwd_mask 0 gro_max_size 1 \n";
    assert_eq!(spell(new), old);
    assert_eq!(spell(&new.replace("\n    ", "\\    ")), old.replace("\n    ", "\\    "));
}

#[test]
fn who_asks_for_groups_is_taken_out() {
    let new = r#"[{"a":1,"mcast_querier_state_ipv4":{"mcast_querier_ipv4_addr":"0.0.0.0","mcast_querier_ipv4_port":3},"mcast_querier_state_ipv6":{},"b":2}]"#;
    assert_eq!(spell(new), r#"[{"a":1,"b":2}]"#);
    assert_eq!(
        spell("    bridge a 1 mcast_querier_ipv4_addr 0.0.0.0 mcast_querier_ipv6_addr :: b 2 "),
        "    bridge a 1 b 2 "
    );
}

#[test]
fn who_made_an_address_is_taken_out_and_who_made_a_route_stays() {
    assert_eq!(spell("    inet6 ::1/128 scope host proto kernel_lo \n"), "    inet6 ::1/128 scope host \n");
    assert_eq!(spell("default via 10.0.0.1 dev v0 proto static \n"), "default via 10.0.0.1 dev v0 proto static \n");
    let route = "unicast 10.8.0.0/16 via inet6 2001:db8::2 dev v0 proto boot \n";
    assert_eq!(spell(route), route);
    let addresses = r#"[{"addr_info":[{"family":"inet6","local":"::1","protocol":"kernel_lo","valid_life_time":1}]}]"#;
    assert_eq!(spell(addresses), r#"[{"addr_info":[{"family":"inet6","local":"::1","valid_life_time":1}]}]"#);
    let made_by_hand = r#"[{"local":"::1","protocol":17}]"#;
    assert_eq!(spell(made_by_hand), r#"[{"local":"::1"}]"#);
    let route = r#"[{"dst":"default","dev":"v0","protocol":"static","flags":[]}]"#;
    assert_eq!(spell(route), route);
}

#[test]
fn the_words_of_a_vxlan_are_ordered_as_they_were() {
    let sums = "udpcsum noudp6zerocsumtx noudp6zerocsumrx ";
    for (new, old) in [
        (
            "id 5 dstport 4789 ttl 9 ageing 300 reserved_bits 0xf7ffffff000000ff addrgenmode eui64 ",
            format!("id 5 dstport 4789 ttl 9 ageing 300 {sums}addrgenmode eui64 "),
        ),
        (
            "id 0 srcport 0 0 dstport 4790 ttl auto ageing 300 reserved_bits 0xc2 gpe external nolearning addrgenmode none",
            format!("external id 0 srcport 0 0 dstport 4790 nolearning ttl auto ageing 300 {sums}gpe addrgenmode none"),
        ),
        (
            "id 7 ageing none reserved_bits 0xf7 noexternal nolearning proxy norsc noudp_csum udp_zero_csum6_tx \
             noudp_zero_csum6_rx remcsum_tx noremcsum_rx nolocalbypass numtxqueues 1 ",
            "id 7 nolearning proxy ageing none noudpcsum udp6zerocsumtx noudp6zerocsumrx remcsumtx numtxqueues 1 "
                .into(),
        ),
    ] {
        assert_eq!(spell(&format!("    vxlan {new}")), format!("    vxlan {old}"));
    }
}

#[test]
fn the_members_of_a_vxlan_are_ordered_as_they_were() {
    let new = r#"[{"linkinfo":{"info_kind":"vxlan","info_data":{"id":0,"port_range":{"low":0,"high":0},"port":4790,"ttl":0,"gpe":null,"external":true,"learning":false,"proxy":false,"udp_csum":true,"localbypass":true}},"group":"default"}]"#;
    let old = r#"[{"linkinfo":{"info_kind":"vxlan","info_data":{"external":true,"id":0,"port_range":{"low":0,"high":0},"port":4790,"learning":false,"ttl":0,"udp_csum":true,"gpe":true}},"group":"default"}]"#;
    assert_eq!(spell(new), old);
    let pretty = "[ {\n  \"info_kind\": \"vxlan\",\n  \"info_data\": {\n    \"id\": 1,\n    \"external\": true,\n    \"rsc\": false\n  }\n} ]";
    let old = "[ {\n  \"info_kind\": \"vxlan\",\n  \"info_data\": {\n    \"external\": true,\n    \"id\": 1\n  }\n} ]";
    assert_eq!(spell(pretty), old);
}

#[test]
fn lengths_of_queues_are_no_matter_of_ipv6() {
    let old = "1: lo: <UP> mtu 65536 state UNKNOWN qlen 1000\n    inet6 ::1/128 scope host \n";
    let new = "1: lo: <UP> mtu 65536 state UNKNOWN \n    inet6 ::1/128 scope host \n";
    assert_eq!(spell_answer("-d -6 addr show", old), new);
    assert_eq!(spell_answer("-d -6 addr show", new), new);
    assert_eq!(spell_answer("-d addr show", old), old);
    assert_eq!(spell_answer("-6 link show", old), old);
    assert_eq!(spell_answer("-j -f inet6 a", r#"[{"mtu":1,"txqlen":5,"a":[]}]"#), r#"[{"mtu":1,"a":[]}]"#);
}

#[test]
fn groups_of_next_hops_had_no_counters() {
    let new = "id 8 group 7 hw_stats off used off \n  stats:\n    id 7 packets 0\nid 9 dev v0 \n";
    assert_eq!(spell_answer("-s nexthop show", new), "id 8 group 7 \nid 9 dev v0 \n");
}

#[test]
fn colours_were_not_bold() {
    assert_eq!(spell("\x1b[1;36mv0\x1b[0m \x1b[1;94m::1\x1b[0m"), "\x1b[36mv0\x1b[0m \x1b[34m::1\x1b[0m");
}
