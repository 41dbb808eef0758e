//! `ip link property add|del`: other names of a device, of up to 127 bytes.

use vwire_netlink::wire::Text;
use vwire_netlink::wire::link::PropList;
use vwire_netlink::{Link, Request};

use super::hint::name_cause;
use super::words::{is_long_name, wrong};
use super::{change, help};
use crate::cli::ip::Ip;
use crate::cli::ip::failure::{EXIT_USAGE, Failure};
use crate::cli::ip::words::{Keyword, Words, begins, find, prefix, shown};

/// What is done with the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Add,
    Delete,
    Help,
}

const VERBS: &[Keyword<Verb>] = &[prefix("add", Verb::Add), prefix("del", Verb::Delete), prefix("help", Verb::Help)];

/// The names to give to a device or to take from it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Names<'a> {
    device: Option<&'a [u8]>,
    names: Vec<&'a [u8]>,
}

/// Runs `ip link property`.
///
/// # Errors
/// A wrong word, a device that is not there, or what the kernel refuses.
pub(super) fn run(ip: &mut Ip<'_>, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(word) = words.next() else { return Err(help::usage()) };
    let verb = match find(VERBS, word) {
        Some(Verb::Help) => return Err(help::usage()),
        Some(verb) => verb,
        None => {
            let failure =
                Failure::new(EXIT_USAGE, "Operator required", format!("`{}` is neither add nor del", shown(word)));
            return Err(failure.hint("`vwire link property add dev v0 altname a-longer-name`"));
        }
    };
    let asked = read(words).map_err(|failure| failure.trying(attempt(verb, &Names::default())))?;
    let attempt = attempt(verb, &asked);
    send(ip, verb, &asked).map_err(|failure| failure.trying(attempt))
}

fn read<'a>(words: &mut Words<'a>) -> Result<Names<'a>, Failure> {
    let mut asked = Names::default();
    while let Some(word) = words.next() {
        if begins("altname", word) {
            let name = words.value()?;
            if !is_long_name(name) {
                let cause = format!("another name has 1 to 127 bytes, not {}", name.len());
                return Err(wrong(name, "not a valid altname", cause));
            }
            asked.names.push(name);
        } else if begins("help", word) {
            return Err(help::usage());
        } else {
            let name = if word == b"dev" { words.value()? } else { word };
            if asked.device.is_some() {
                return Err(Failure::duplicate_or_garbage("dev", name)
                    .hint("each other name has a word of its own: `altname A altname B`"));
            }
            if !is_long_name(name) {
                return Err(wrong(name, "\"dev\" not a valid ifname", name_cause(name)));
            }
            asked.device = Some(name);
        }
    }
    Ok(asked)
}

fn attempt(verb: Verb, asked: &Names<'_>) -> String {
    let device = asked.device.map_or_else(|| "a device".to_owned(), |name| format!("`{}`", shown(name)));
    let names: Vec<_> = asked.names.iter().map(|name| format!("`{}`", shown(name))).collect();
    let names =
        if names.is_empty() { "other names".to_owned() } else { format!("the other name {}", names.join(", ")) };
    match verb {
        Verb::Delete => format!("cannot take {names} from {device}"),
        _ => format!("cannot give {names} to {device}"),
    }
}

fn send(ip: &mut Ip<'_>, verb: Verb, asked: &Names<'_>) -> Result<(), Failure> {
    let Some(device) = asked.device else {
        let message = "Not enough of information: \"dev\" argument is required.";
        return Err(Failure::new(EXIT_USAGE, message, "no device is named"));
    };
    let index = ip.device(device)?.ok_or_else(|| Failure::no_device(device).of_subject())?;
    let names = PropList { alt_ifname: asked.names.iter().map(Text::new).collect(), ..PropList::default() };
    let family = ip.options.family.number();
    let link = Link { family, index, prop_list: Some(Box::new(names)), ..Link::default() };
    let request = match verb {
        Verb::Delete => Request::del_link_names(&link),
        _ => Request::new_link_names(&link),
    };
    let shows = |name: &&[u8]| format!("`vwire link show {}` shows who has the name", shown(name));
    change::send(ip, &request)?.map(|_| ()).map_err(|error| {
        let failure = Failure::kernel(&error);
        match error.errno() {
            // EPERM
            1 => failure.hint("this takes CAP_NET_ADMIN in the namespace: run it with `sudo`"),
            // EEXIST
            17 => asked.names.iter().map(shows).fold(failure, Failure::hint),
            // ENOENT, EINVAL
            2 | 22 => failure.hint(format!("`vwire -d link show {}` lists the names it has", shown(device))),
            _ => failure,
        }
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn exit(line: &str) -> u8 {
        let words: Vec<_> = line.split_whitespace().map(OsString::from).collect();
        read(&mut Words::new(&words)).map_or_else(|failure| failure.exit(), |_| 0)
    }

    #[test]
    fn names_and_the_device_come_in_any_order() {
        let words = ["altname", "one", "v0", "al", "two"].map(OsString::from);
        let names = Names { device: Some(b"v0"), names: vec![b"one", b"two"] };
        assert_eq!(read(&mut Words::new(&words)), Ok(names));
    }

    #[test]
    fn a_second_device_and_a_missing_name_are_refused() {
        assert_eq!(exit("v0 altname one two"), 255);
        assert_eq!(exit("v0 altname"), 255);
    }
}
