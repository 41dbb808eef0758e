//! `vwire diff`: what two snapshots say otherwise, or a snapshot and the network as it is now.

use std::ffi::{OsStr, OsString};
use std::io;

use clap::{Arg, ArgAction, Command};

use super::ip::{self, Failure, Persona, Tongue, recorded};
use super::lab_file::{DIFFERS, REFUSED};
use super::talk::{Talk, fitted};
use super::{Call, Verb, snapshot};
use crate::lab::failed::Failed;
use crate::out::json::JsonWriter;
use crate::snapshot::document::Snapshot;
use crate::step::comparison::{Compared, Fate, compare};
use crate::step::difference::{Sign, changes};

/// Returns the verb.
#[must_use]
pub fn verb() -> Verb {
    Verb { command, run }
}

fn command() -> Command {
    let flag = |name: &'static str, short| Arg::new(name).short(short).long(name).action(ArgAction::SetTrue);
    let file = |name: &'static str| Arg::new(name).value_parser(clap::value_parser!(OsString));
    Command::new("diff")
        .about("Tells what changed from a snapshot to another, or to now")
        .long_about(
            "Tells what changed from a snapshot to another one, or to what the network says now: namespaces, links, \
             addresses, routes, rules, next hops, neighbours and forwarding entries that somebody set, sysctls, states \
             of links, and who holds which TUN or TAP. `+` came, `~` became another, `-` went. What the kernel learns by \
             itself is left out.\n\n\
             Exit codes: 0 nothing differs; 3 something does; 1 it cannot be told; 2 the command line is wrong.",
        )
        .arg(file("BEFORE").required(true).help("A snapshot, written by `vwire snapshot`; `-` is standard input"))
        .arg(file("AFTER").help("The snapshot to compare it with; without, the network as it is now"))
        .arg(flag("json", 'j').help("One JSON document"))
        .arg(flag("pretty", 'p').help("JSON with line breaks"))
}

fn run(call: &mut Call<'_>) -> u8 {
    let json = call.arguments.get_flag("json") || call.options.json;
    let pretty = call.arguments.get_flag("pretty") || call.options.pretty;
    let read = |name: &str| call.arguments.get_one::<OsString>(name).map(|file| recorded::read(file)).transpose();
    let both = read("BEFORE").and_then(|before| Ok((before.unwrap_or_default(), read("AFTER")?)));
    let looked = both.and_then(|(before, after)| {
        let after = after.map_or_else(|| now(call.options.netns.as_deref()), Ok)?;
        Ok((before, after))
    });
    let (before, after) = match looked {
        Ok(looked) => looked,
        Err(failure) => {
            let failure = failure.with_exit(REFUSED);
            let _ = call.stderr.write_all(&ip::spelled(&failure, Tongue::new(Persona::Vwire, json)));
            return REFUSED;
        }
    };
    let found = compare(&before, &after);
    let text = if json { document(&before, &after, &found, pretty) } else { fitted(&people(&found)).into_bytes() };
    match call.stdout.write_all(&text) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let failed = Failed::new("cannot write the differences").because(&error);
            Talk::new(call.stderr, call.form).refuses(&failed, REFUSED)
        }
        _ if found.is_empty() => 0,
        _ => DIFFERS,
    }
}

/// Reads the network as it is now.
fn now(netns: Option<&OsStr>) -> Result<Snapshot, Failure> {
    netns
        .map_or(Ok(()), crate::lab::namespace::enter)
        .map_err(|error| ip::enter_failure(&error).with_exit(1))
        .map(|()| snapshot::take(crate::snapshot::read::Counters::Left))
}

/// Lays the differences out for people: each namespace's name once, its changes below.
fn people(found: &[Compared]) -> String {
    let mut text = String::new();
    for Compared { namespace, fate } in found {
        let name = namespace.as_deref().unwrap_or("this namespace");
        let with = |links: &[String]| match links {
            [] => String::new(),
            links => format!(", with {}", links.join(", ")),
        };
        match fate {
            Fate::Came(links) => text.push_str(&format!("{name}\n  + the namespace{}\n", with(links))),
            Fate::Went(links) => text.push_str(&format!("{name}\n  - the namespace{}\n", with(links))),
            Fate::Unread(why) => text.push_str(&format!("{name}\n  not compared: a snapshot lacks {why}\n")),
            Fate::Stayed(differences) => {
                text.push_str(&format!("{name}\n"));
                for change in changes(differences) {
                    let sign = match change.sign {
                        Sign::Comes => '+',
                        Sign::Becomes => '~',
                        Sign::Goes => '-',
                    };
                    text.push_str(&format!("  {sign} {change}\n"));
                }
            }
        }
    }
    text
}

fn document(before: &Snapshot, after: &Snapshot, found: &[Compared], pretty: bool) -> Vec<u8> {
    JsonWriter::document(pretty, |json, out| {
        json.text(out, "before", &before.taken);
        json.text(out, "after", &after.taken);
        json.list(out, "namespaces", found, |json, out, Compared { namespace, fate }| {
            json.name(out, "namespace");
            match namespace {
                Some(name) => json.string(out, name.as_bytes()),
                None => json.literal(out, "null"),
            }
            fate_of(json, out, fate);
        });
    })
}

/// Writes what became of a namespace.
fn fate_of(json: &mut JsonWriter, out: &mut Vec<u8>, fate: &Fate) {
    let (word, links) = match fate {
        Fate::Came(links) => ("came", &links[..]),
        Fate::Went(links) => ("went", &links[..]),
        Fate::Unread(_) => ("unread", &[][..]),
        Fate::Stayed(_) => ("stayed", &[][..]),
    };
    json.text(out, "fate", word);
    if let Fate::Unread(why) = fate {
        json.text(out, "lacks", why);
    }
    if !links.is_empty() {
        json.name(out, "links");
        json.open_array(out);
        links.iter().for_each(|link| json.string(out, link.as_bytes()));
        json.close_array(out);
    }
    let Fate::Stayed(differences) = fate else { return };
    json.list(out, "changes", differences, |json, out, difference| {
        json.text(out, "object", &difference.object);
        let (was, is) = difference.values();
        for (name, value) in [("attribute", Some(difference.attribute)), ("was", was), ("is", is)] {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                json.text(out, name, value);
            }
        }
        let change = match (difference.attribute, &difference.is) {
            ("", None) => "add",
            ("", Some(_)) => "delete",
            _ => "change",
        };
        json.text(out, "change", change);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::{Difference, Place};

    fn found() -> Vec<Compared> {
        let difference = |attribute, is: Option<&str>, should: Option<&str>| Difference {
            place: Place(0),
            object: "link v0".to_owned(),
            attribute,
            is: is.map(str::to_owned),
            should: should.map(str::to_owned),
        };
        let changes = vec![difference("mtu", Some("mtu 1500"), Some("mtu 1400")), difference("", Some(""), None)];
        vec![
            Compared { namespace: None, fate: Fate::Stayed(changes) },
            Compared { namespace: Some("blue".to_owned()), fate: Fate::Came(vec!["lo".to_owned(), "v1".to_owned()]) },
            Compared { namespace: Some("red".to_owned()), fate: Fate::Unread("its links: no".to_owned()) },
        ]
    }

    #[test]
    fn each_namespace_is_named_once() {
        let wanted = "this namespace\n  ~ link v0: mtu 1500 → 1400\n  - link v0\nblue\n  + the namespace, with lo, v1\n\
                      red\n  not compared: a snapshot lacks its links: no\n";
        assert_eq!(people(&found()), wanted);
    }

    #[test]
    fn programs_get_one_document() {
        let (before, after) = (Snapshot::new(), Snapshot::new());
        let text = String::from_utf8(document(&before, &after, &found(), false)).unwrap();
        let wanted = r#"{"before":"","after":"","namespaces":[{"namespace":null,"fate":"stayed","changes":[{"object":"link v0","attribute":"mtu","was":"1500","is":"1400","change":"change"},{"object":"link v0","change":"delete"}]},{"namespace":"blue","fate":"came","links":["lo","v1"]},{"namespace":"red","fate":"unread","lacks":"its links: no"}]}"#;
        assert_eq!(text, format!("{wanted}\n"));
    }
}
