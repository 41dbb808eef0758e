//! Reads a lab's file: TOML into the plain data of [`model`](crate::lab::model), or what is wrong with it and where. Pure.
//!
//! In this order, each step a file here:
//! - [`shape`] holds the text against [`tables`], which know every key;
//! - [`draft`] makes nodes and bridges, with templates and counts worked out; [`device`] and [`cabling`] their devices;
//! - [`shared`] puts what sends by another device on its network, [`number`] gives automatic addresses; then [`route`] and its like look names and addresses up;
//! - [`verify`] searches the whole for what cannot be meant.
//!
//! A step goes on after a mistake, so that one run tells many. Whatever the text is, reading ends, without panic and in
//! memory that is bounded by [`LARGEST`], [`MOST_NODES`](draft::MOST_NODES) and [`MOST_OBJECTS`](draft::MOST_OBJECTS).
//! [`accounts`] is the part that touches the world: it asks for the users of this machine.

pub mod accounts;
pub(crate) mod cabling;
pub(crate) mod check;
pub(crate) mod command;
pub mod condition;
pub(crate) mod device;
pub mod draft;
pub mod field;
pub(crate) mod guard;
pub(crate) mod layers;

pub(crate) mod number;
pub mod problem;
pub(crate) mod route;
pub(crate) mod rule;
pub(crate) mod shape;
pub(crate) mod shared;
pub(crate) mod short;
pub mod tables;
pub(crate) mod text;
pub(crate) mod unit;
pub(crate) mod verify;
pub(crate) mod wire;

use toml::de::DeTable;

use super::model::{Lab, Span};
use condition::Conditions;
use draft::{Draft, NodeDraft};
pub use problem::{Problem, Severity, Warning};
use problem::{Report, Trouble};
use text::{Text, Word};
pub use unit::duration;

/// The most bytes of a file.
pub const LARGEST: usize = 1 << 20;

/// Knows the users and groups of a machine by name.
pub trait Accounts {
    /// Returns a user's number.
    fn user(&self, name: &str) -> Option<u32>;
    /// Returns a group's number.
    fn group(&self, name: &str) -> Option<u32>;
    /// Returns the number that a user has where the lab is.
    fn user_inside(&self, number: u32) -> u32 {
        number
    }
    /// Returns the number that a group has where the lab is.
    fn group_inside(&self, number: u32) -> u32 {
        number
    }
}

/// The accounts of no machine in particular: `root` alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct RootAlone;

impl Accounts for RootAlone {
    fn user(&self, name: &str) -> Option<u32> {
        (name == "root").then_some(0)
    }

    fn group(&self, name: &str) -> Option<u32> {
        (name == "root").then_some(0)
    }
}

/// Reads the text of a lab's file; `name` is the file's, for messages and for the lab if it names itself nothing.
///
/// # Errors
/// What is wrong with the file, in its order: the first 20.
pub fn read(text: &str, name: &str) -> Result<(Lab, Vec<Warning>), Vec<Problem>> {
    read_with(text, name, &RootAlone)
}

/// Reads the text of a lab's file on a machine with these accounts.
///
/// # Errors
/// What is wrong with the file, in its order: the first 20.
pub fn read_with(text: &str, name: &str, accounts: &dyn Accounts) -> Result<(Lab, Vec<Warning>), Vec<Problem>> {
    let mut report = Report::new(text, name);
    if text.len() > LARGEST {
        let end = text.len();
        report.error(
            Trouble::new(Span { start: LARGEST, end }, format!("the file has more than {LARGEST} bytes"))
                .hint("many nodes that are alike are one table with `count`"),
        );
        return Err(report.finish().err().unwrap_or_default());
    }
    let lab = parse(&mut report).and_then(|file| build(&mut report, &file, accounts));
    let warnings = report.finish()?;
    Ok((lab.unwrap_or_default(), warnings))
}

/// Reads bytes, which may be no text at all.
///
/// # Errors
/// What is wrong with the file, in its order: the first 20.
pub fn read_bytes(bytes: &[u8], name: &str, accounts: &dyn Accounts) -> Result<(Lab, Vec<Warning>), Vec<Problem>> {
    // What is cut off in the middle of a letter is too long, rather than no text.
    let text = match std::str::from_utf8(bytes) {
        Err(error) if bytes.len() > LARGEST && error.error_len().is_none() => {
            std::str::from_utf8(bytes.get(..error.valid_up_to()).unwrap_or_default())
        }
        read => read,
    };
    match text {
        Ok(text) => read_with(text, name, accounts),
        Err(error) => {
            let end = error.valid_up_to();
            // What is before the first wrong byte is enough to show its line.
            let text = bytes.get(..end).and_then(|valid| std::str::from_utf8(valid).ok()).unwrap_or_default();
            let mut report = Report::new(text, name);
            let byte = bytes.get(end).copied().unwrap_or_default();
            let trouble = Trouble::new(Span { start: end, end }, format!("the byte 0x{byte:02x} is no UTF-8"));
            report.error(trouble.label("a file is text in UTF-8"));
            Err(report.finish().err().unwrap_or_default())
        }
    }
}

/// Parses the TOML; none if it is none.
fn parse<'a>(report: &mut Report<'a>) -> Option<DeTable<'a>> {
    let (file, errors) = DeTable::parse_recoverable(report.text());
    let mut last_line = None;
    for error in errors {
        let span = error.span().map_or(Span::default(), |span| Span { start: span.start, end: span.end });
        // One slip often makes several errors in its line.
        let before = report.text().get(..span.start).unwrap_or_default();
        let line = before.rfind('\n');
        if last_line != Some(line) {
            report.error(Trouble::new(span, format!("this is no TOML: {}", error.message())));
        }
        last_line = Some(line);
    }
    (!report.has_errors()).then(|| file.into_inner())
}

fn build(report: &mut Report<'_>, file: &DeTable<'_>, accounts: &dyn Accounts) -> Option<Lab> {
    shape::check_table(report, &tables::FILE, file);
    shape::check_names(report, file);
    if report.has_errors() {
        return None;
    }
    let text = report.text();
    let top = layers::Layers::new(vec![file], text, None);
    let name = lab_name(report, &top, file)?;
    let mut draft = Draft::of(report, name, file, text);
    let conditions = Conditions::read(report, &top);
    device::read(report, &mut draft, accounts);
    cabling::lay(report, &mut draft, &conditions);
    shared::share(&mut draft);
    number::number(report, &mut draft);
    if report.has_errors() {
        return None;
    }
    route::read(report, &mut draft);
    device::sysctls(report, &mut draft);
    rule::read(report, &mut draft);
    guard::read(report, &mut draft);
    command::read(report, &mut draft);
    let checks = check::read(report, &mut draft);
    verify::verify(report, &draft);
    device::order(report, &mut draft);
    let nodes = draft.nodes.into_iter().map(NodeDraft::done).collect();
    Some(Lab { name: draft.lab, nodes, checks })
}

/// Returns the lab's name: what the file says, or its own without what is no letter of a name.
fn lab_name(report: &mut Report<'_>, top: &layers::Layers<'_>, file: &DeTable<'_>) -> Option<String> {
    if let Some(text) = layers::value(file, "name").and_then(|value| Text::of(value, top.file(), None)) {
        let word = Word { text: text.as_str(), span: text.span() };
        return report.take(unit::name(word, unit::LONGEST_LAB).map(str::to_owned));
    }
    let stem = report.file().rsplit('/').next().unwrap_or_default();
    let stem = stem.strip_suffix(".toml").unwrap_or(stem);
    let letter = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    let name: String = stem.chars().map(letter).take(unit::LONGEST_LAB).collect();
    let name = name.trim_matches('-');
    Some(if name.is_empty() { "lab".to_owned() } else { name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::model::DeviceKind;

    /// Reads a file without problems or warnings.
    fn lab(text: &str) -> Lab {
        match read(text, "test.toml") {
            Ok((lab, warnings)) => {
                let shown: String = warnings.iter().map(|warning| warning.render(false, 100)).collect();
                assert!(warnings.is_empty(), "{shown}");
                lab
            }
            Err(problems) => {
                panic!("{}", problems.iter().map(|problem| problem.render(false, 100)).collect::<String>())
            }
        }
    }

    fn addresses(lab: &Lab, node: &str) -> Vec<String> {
        let node = lab.nodes.iter().find(|known| known.name == node).unwrap();
        let all = node.devices.iter().flat_map(|device| {
            device.addresses.iter().map(|at| format!("{} {}/{}", device.name, at.address, at.prefix_length))
        });
        all.collect()
    }

    #[test]
    fn a_first_file_is_five_lines() {
        let text = "nodes = [\"alice\", \"bob\"]\nwires = [\"alice 10.0.0.1/24 -- lan\", \"bob 10.0.0.2/24 -- lan\"]\n";
        let lab = lab(text);
        assert_eq!(lab.name, "test");
        let names: Vec<&str> = lab.nodes.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names, ["alice", "bob", "lan"]);
        assert_eq!(addresses(&lab, "alice"), ["eth0 10.0.0.1/24"]);
        let ports: Vec<&str> = lab.nodes[2].devices.iter().map(|device| device.name.as_str()).collect();
        assert_eq!(ports, ["lan", "alice", "bob"]);
    }

    #[test]
    fn counted_nodes_are_numbered_and_given_addresses() {
        let text = "wires = [\"sw -- h\"]\n[bridge.sw]\nprefix = [\"10.0.0.0/16\", \"2001:db8::/64\"]\n[node.h]\ncount = 300\n";
        let lab = lab(text);
        assert_eq!(lab.nodes.len(), 301);
        assert_eq!(addresses(&lab, "h300"), ["eth0 10.0.1.44/16", "eth0 2001:db8::12c/64"]);
    }

    #[test]
    fn automatic_addresses_leave_out_those_that_are_given() {
        let text = "nodes = [\"a\", \"b\", \"c\"]\nwires = [\"a -- sw\", \"b 10.0.0.1/29 -- sw\", \"c -- sw\"]\n[bridge.sw]\nprefix = \"10.0.0.0/29\"\ngateway = \"b\"\n";
        let lab = lab(text);
        assert_eq!(addresses(&lab, "a"), ["eth0 10.0.0.2/29"]);
        assert_eq!(addresses(&lab, "c"), ["eth0 10.0.0.3/29"]);
        assert_eq!(lab.nodes[2].routes.len(), 1);
        assert!(lab.nodes[1].routes.is_empty());
    }

    #[test]
    fn a_wire_tells_its_two_directions_apart() {
        let text = "nodes = [\"a\", \"b\"]\nwires = [\"a -- b prefix 10.0.0.0/30 mtu 9000 delay 10ms -> loss 1% <- rate 2mbit\"]\n";
        let lab = lab(text);
        let of = |node: usize| lab.nodes[node].devices[0].condition.unwrap();
        assert_eq!((of(0).loss, of(0).rate), (Some(1.0), None));
        assert_eq!((of(1).loss, of(1).rate), (None, Some(2_000_000)));
        assert_eq!(of(0).delay, of(1).delay);
        assert_eq!(lab.nodes[1].devices[0].mtu, Some(9000));
        assert_eq!(addresses(&lab, "b"), ["eth0 10.0.0.2/30"]);
    }

    #[test]
    fn addresses_of_lo_are_a_node_s_own_and_may_be_those_of_others() {
        let text = "nodes = [\"a\", \"b\"]\nwires = [\"a 10.0.0.1/30 -- b 10.0.0.2/30\"]\n\
                    checks = [\"a reaches b\", \"a reaches 10.255.0.9\"]\n\
                    [node.a]\nlo = [\"10.255.0.9/32\", \"2001:db8::1/128\"]\n[node.b]\nlo = \"10.255.0.9/32\"\n";
        let lab = lab(text);
        assert_eq!((lab.nodes[0].loopback.len(), lab.nodes[1].loopback.len()), (2, 1));
        assert_eq!(lab.checks[0].to, ["10.0.0.2".parse::<std::net::IpAddr>().unwrap()]);
        let twice = text.replace("10.255.0.9/32\", \"", "10.0.0.1/32\", \"");
        let problems = read(&twice, "test.toml").unwrap_err();
        assert!(problems[0].render(false, 100).contains("`a` has 10.0.0.1 twice"));
        let host = read("[node.host]\nlo = \"10.255.0.1/32\"\n", "test.toml").unwrap_err();
        assert!(host[0].render(false, 100).contains("is not the lab's"));
        let automatic = read("[node.a]\nlo = \"auto\"\n", "test.toml").unwrap_err();
        assert!(automatic[0].render(false, 100).contains("the addresses that are said"));
    }

    #[test]
    fn a_cable_may_lead_from_a_node_to_itself() {
        let lab = lab("nodes = [\"a\"]\nwires = [\"a -- a\"]\n");
        let kinds: Vec<&DeviceKind> = lab.nodes[0].devices.iter().map(|device| &device.kind).collect();
        let veth = |device: &str| DeviceKind::Veth { node: "a".into(), device: device.into() };
        assert_eq!(kinds, [&veth("eth1"), &veth("eth0")]);
    }

    #[test]
    fn one_of_many_has_a_table_that_lies_on_that_of_all() {
        let text = "wires = [\"pc -- lan\", \"pc7:eth1 10.9.0.1/24 -- router\"]\nnodes = [\"router\"]\n\
                    [node.pc7]\nforwarding = true\nroutes = [\"blackhole 10.{n}.0.0/16\"]\nuse = \"t\"\nlo = \"10.255.0.7/32\"\n\
                    [node.pc]\ncount = 9\nuse = \"t\"\nroutes = [\"blackhole 10.8{n}.0.0/16\"]\nlo = \"10.254.0.{n}/32\"\n\
                    [node.pc7.tap.tap0]\n[template.t]\nroutes = [\"blackhole 10.77.0.0/16\"]\n\
                    [bridge.lan]\nprefix = \"10.0.0.0/24\"\n";
        let lab = lab(text);
        let node = |name: &str| lab.nodes.iter().find(|node| node.name == name).unwrap();
        let to = |name: &str| node(name).routes.iter().map(|route| route.to.address.to_string()).collect::<Vec<_>>();
        assert_eq!(to("pc7"), ["10.77.0.0", "10.87.0.0", "10.7.0.0"]);
        assert_eq!(to("pc6"), ["10.77.0.0", "10.86.0.0"]);
        assert!(node("pc7").sysctls.contains_key("net.ipv4.ip_forward") && node("pc6").sysctls.is_empty());
        assert_eq!(addresses(&lab, "pc7"), ["eth0 10.0.0.7/24", "eth1 10.9.0.1/24"]);
        assert_eq!(node("pc7").loopback[0].address.to_string(), "10.255.0.7");
        let names: Vec<&str> = lab.nodes.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names.iter().filter(|name| **name == "pc7").count(), 1);
    }

    #[test]
    fn an_address_that_one_of_many_is_given_moves_one_other_at_most() {
        let text = |wires: &str| {
            let text = format!(
                "wires = [\"pc:up -- lan\", \"pc -- wan\"{wires}]\n[node.pc]\ncount = 9\n\
                    [bridge.lan]\nprefix = [\"10.0.0.0/28\", \"fd00::/64\"]\n[bridge.wan]\nprefix = \"10.1.0.0/24\"\n"
            );
            lab(&text)
        };
        let all = |lab: &Lab| -> Vec<Vec<String>> { (1..=9).map(|n| addresses(lab, &format!("pc{n}"))).collect() };
        let before = all(&text(""));
        // Outside of what the others have: nobody moves.
        let mut wanted = before.clone();
        wanted[6] = vec!["up 10.0.0.14/28".into(), "up fd00::7/64".into(), "eth0 10.1.0.7/24".into()];
        assert_eq!(all(&text(", \"pc7 10.0.0.14/28 -- lan\"")), wanted);
        assert_eq!(all(&text(", \"lan -- pc7 10.0.0.14/28\"")), wanted);
        // That of another, which has its own; one behind the other, and in a circle.
        let second =
            |lab: &Lab| -> Vec<String> { all(lab).iter().map(|own| own[0].replace("up 10.0.0.", "")).collect() };
        let pins = |pins: &[(u32, u32)]| {
            let wires: String = pins.iter().map(|(n, at)| format!(", \"pc{n} 10.0.0.{at}/28 -- lan\"")).collect();
            let lab = text(&wires);
            second(&lab).iter().map(|own| own.replace("/28", "").parse().unwrap()).collect::<Vec<u32>>()
        };
        assert_eq!(pins(&[(7, 9)]), [1, 2, 3, 4, 5, 6, 9, 8, 7]);
        assert_eq!(pins(&[(7, 9), (9, 5)]), [1, 2, 3, 4, 7, 6, 9, 8, 5]);
        assert_eq!(pins(&[(7, 9), (9, 7)]), [1, 2, 3, 4, 5, 6, 9, 8, 7]);
        assert_eq!(pins(&[(7, 12), (9, 13)]), [1, 2, 3, 4, 5, 6, 12, 8, 13]);
        // One with two of the network moves two, the second to behind all.
        let lab = text(", \"pc7 10.0.0.9/28 10.0.0.8/28 -- lan\"");
        assert_eq!(second(&lab), ["1/28", "2/28", "3/28", "4/28", "5/28", "6/28", "9/28", "10/28", "7/28"]);
        // With a device of its own it is a wire more.
        let lab = text(", \"pc7:more 10.0.0.14/28 -- lan\"");
        assert_eq!(addresses(&lab, "pc7").len(), 5);
    }

    fn warnings(text: &str) -> String {
        let (_, warnings) = read(text, "test.toml").unwrap();
        warnings.iter().map(|warning| warning.render(false, 100)).collect()
    }

    #[test]
    fn an_end_behind_a_second_bridge_is_told_to_have_no_address() {
        let text = "nodes = [\"a\", \"b\"]\nwires = [\"a -- one\", \"b -- two\", \"one -- two\"]\n[bridge.one]\nprefix = \"10.0.0.0/24\"\n";
        let told = warnings(text);
        assert!(told.contains("`b` gets no address on `two`") && told.contains("the `prefix` of `one`"), "{told}");
        let lab = lab(&format!("{text}[bridge.two]\nprefix = \"10.0.0.0/24\"\n"));
        assert_eq!(
            (addresses(&lab, "a"), addresses(&lab, "b")),
            (vec!["eth0 10.0.0.1/24".into()], vec!["eth0 10.0.0.2/24".into()])
        );
        assert_eq!(warnings(&text.replace("b -- two", "b none -- two")), "");
    }

    #[test]
    fn of_two_routes_of_one_metric_the_second_is_told_to_be_idle() {
        let text = "nodes = [\"b\"]\nwires = [\"a 10.0.0.1/24 -- b 10.0.0.2/24\"]\n[node.a]\nroutes = [\"default via 10.0.0.2\", \"default via 10.0.0.3\"]\n";
        let told = warnings(text);
        assert!(
            told.contains("`a` has two default routes of one metric") && told.contains("the other alone"),
            "{told}"
        );
        assert_eq!(warnings(&text.replace("10.0.0.3\"", "10.0.0.3 metric 9\"")), "");
    }
}
