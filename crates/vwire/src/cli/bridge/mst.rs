//! `bridge mst`: the states of ports in many spanning trees.

use vwire_netlink::wire::bridge::{BridgeSpec, SpanningTree, SpanningTrees};
use vwire_netlink::{BridgeLink, MessageType, Request};

use super::kernel::{TERMINATED, change, device, devices, list_below, tried};
use super::link::FAMILY;
use super::{RETURNED, lacking, numbers, pass_over, unknown_command};
use crate::cli::ip::words::{Keyword, Words, begins, find, in_full, prefix, shown};
use crate::cli::ip::{Failure, Ip, Persona};
use crate::out::bridge::{STATES, mst, print_head};

/// `RTEXT_FILTER_MST`.
const TREES: u32 = 1 << 7;

/// What `bridge mst help` says.
const HELP: &str = "\
Usage: bridge mst [ show ] [ dev DEVICE ]
       bridge mst set dev DEVICE msti TREE state STATE

STATE: disabled  listening  learning  forwarding  blocking, or a number
";

#[derive(Clone, Copy)]
enum Command {
    Set,
    Show,
    Help,
}

const COMMANDS: &[Keyword<Command>] = &[
    prefix("set", Command::Set),
    prefix("show", Command::Show),
    prefix("lst", Command::Show),
    prefix("list", Command::Show),
    prefix("help", Command::Help),
];

/// Returns the name of the command that a word stands for.
pub fn operation(word: &[u8]) -> Option<&'static str> {
    in_full(COMMANDS, word)
}

/// Runs a command on spanning trees; without a word it lists them.
///
/// # Errors
/// Whatever the command failed with.
pub fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(word) = words.next() else { return show(ip, words) };
    match find(COMMANDS, word) {
        Some(Command::Set) => set(ip, words),
        Some(Command::Show) => show(ip, words),
        Some(Command::Help) => Err(Failure::usage(HELP)),
        None => Err(unknown_command(word, "mst", COMMANDS)),
    }
}

fn show(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let mut name = None;
    while let Some(word) = words.next() {
        if word != b"dev" {
            pass_over(ip.persona, word, &["dev"])?;
            continue;
        }
        let value = words.value()?;
        if name.replace(value).is_some() {
            return Err(Failure::duplicate("dev", value));
        }
    }
    let index = name.map(|name| device(ip, name)).transpose()?;
    let filter = BridgeLink { family: FAMILY, ext_mask: Some(TREES), ..BridgeLink::default() };
    let request = Request::dump(MessageType::GETLINK, &filter);
    let ports: Vec<BridgeLink> =
        list_below(ip, &request, |p| print_head(p, "port", &format!("{:<9}", "msti"), ""), TERMINATED)?;
    let devices = devices(ip)?;
    for port in &ports {
        // Where the kernel cannot tell trees apart, `bridge` takes that for a list that broke off.
        let Some(spec) = &port.af_spec else {
            if ip.persona == Persona::Vwire {
                continue;
            }
            ip.printer.close_document();
            return Err(Failure::new(RETURNED, "Dump terminated", "the kernel tells no trees"));
        };
        if let Some(trees) = spec.mst.as_ref().filter(|_| index.is_none_or(|index| port.index == index)) {
            mst::print(&mut ip.printer, port.index, trees, &devices);
        }
    }
    ip.printer.close_document();
    Ok(())
}

fn set(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let (mut name, mut tree, mut state) = (None, None, None);
    while let Some(word) = words.next() {
        match word {
            b"dev" => name = Some(words.value()?),
            b"msti" => tree = Some(words.value()?),
            b"state" => state = Some(words.value()?),
            word if begins("help", word) => return Err(Failure::usage(HELP)),
            word => pass_over(ip.persona, word, &["dev", "msti", "state"])?,
        }
    }
    let (Some(name), Some(tree), Some(state)) = (name, tree, state) else {
        let cause = "the command does not say which state in which tree";
        let message = "Device, MSTI and state are required arguments.";
        return Err(lacking(message, cause, "mst set dev NAME msti 10 state forwarding"));
    };
    let tried = tried("set a tree of port", name);
    let index = device(ip, name).map_err(|failure| failure.trying(tried.clone()))?;
    let entry = entry(tree, state)?;
    let trees = SpanningTrees { entry: vec![entry], ..SpanningTrees::default() };
    let spec = BridgeSpec { mst: Some(trees), ..BridgeSpec::default() };
    let link = BridgeLink { family: FAMILY, index, af_spec: Some(spec), ..BridgeLink::default() };
    change(ip, &Request::set_bridge_link(&link), tried).map(drop)
}

/// Reads a tree and the state in it.
fn entry(tree: &[u8], state: &[u8]) -> Result<SpanningTree, Failure> {
    let invalid = |what: &str, word: &[u8]| {
        Failure::new(RETURNED, format!("Error: invalid {what}"), format!("`{}` does not fit here", shown(word)))
    };
    // An empty word is 0 for C, unless it is the state.
    let number = if tree.is_empty() && !state.is_empty() { Some(0) } else { numbers::decimal(tree) };
    let number = number.filter(|_| !state.is_empty()).ok_or_else(|| invalid("MSTI", tree))?;
    let known = || STATES.iter().position(|word| word.as_bytes() == state).and_then(|at| i32::try_from(at).ok());
    let value = numbers::decimal(state).or_else(known).and_then(|value| u8::try_from(value).ok());
    let value = value.ok_or_else(|| {
        invalid("STP port state", state).hint(format!("the states are {}, or 0 to 4", STATES.join(", ")))
    })?;
    let [low, high, ..] = number.to_le_bytes();
    Ok(SpanningTree { msti: Some(u16::from_le_bytes([low, high])), state: Some(value), ..SpanningTree::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_and_its_state_are_numbers_or_a_word() {
        let read = entry(b"10", b"blocking").unwrap();
        assert_eq!((read.msti, read.state), (Some(10), Some(4)));
        assert_eq!(entry(b"10", b"3").unwrap().state, Some(3));
        assert!(entry(b"x", b"3").is_err());
        assert!(entry(b"1", b"256").is_err());
        assert!(entry(b"1", b"").is_err());
    }
}
