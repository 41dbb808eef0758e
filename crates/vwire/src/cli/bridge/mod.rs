//! `bridge`'s grammar: the objects that vwire speaks word for word as iproute2's `bridge` does.
//!
//! It stands on [`crate::cli::ip`], whose words, failures, batches and socket it uses: [`options`] reads what stands
//! before the object, each object has a file of its own, and `crate::out::bridge` prints.
//!
//! `bridge` ends with other codes than `ip`: 255 where `ip` has 1 or 2. In a batch some failures let it go on and some
//! do not, so that a failure here has [`RETURNED`], which becomes 255 at the end, or leaves at once with 1 or 255.
//!
//! To add an object: a file, and a row in `OBJECTS`.

pub mod fdb;
pub mod kernel;
pub mod link;
pub mod mdb;
pub mod monitor;
pub mod mst;
pub mod numbers;
pub mod options;
pub mod vlan;
pub mod vni;

use std::ffi::OsString;
use std::io::Write;

use super::ip::failure::{EXIT_KERNEL, EXIT_SEMANTIC, EXIT_USAGE};
use super::ip::nearest::nearest;
use super::ip::options::Options;
use super::ip::words::{Keyword, Words, begins, prefix, shown};
use super::ip::{Failure, Grammar, IPROUTE2, Ip, Persona, Tongue, finish, is_excused, serve};
use options::Asked;

/// The code of a failure after which a batch may go on: `bridge` returns -1 from what failed.
const RETURNED: u8 = EXIT_KERNEL;
/// The same where it returns -2.
const RETURNED_TWO: u8 = 254;
/// The same where it returns `-EINVAL`.
const RETURNED_INVALID: u8 = 234;
/// The code of a failure that becomes 2 at the end.
const BROKEN: u8 = 3;

/// What `bridge help` says.
const HELP: &str = "\
Usage: bridge [ OPTIONS ] OBJECT [ COMMAND | help ]
       bridge [ OPTIONS ] [ -force ] -batch { FILE | - }

OBJECT:  link     ports: how they forward, learn and flood
         fdb      link-layer addresses: where packets to them go
         mdb      multicast groups, and who is in them
         mst      states in many spanning trees
         vlan     VLANs of ports, their options, counters and tunnels
         vni      networks that a VXLAN takes
         monitor  tells what changes, as it changes

OPTIONS: -s[tatistics]  -d[etails]  -o[neline]  -t[imestamp]  -com[pressvlans]
         -c[olor]  -j[son]  -p[retty]  -4  -6  -n[etns] NAME  -V[ersion]
";

/// What an object's name stands for.
#[derive(Clone, Copy)]
struct Object {
    run: fn(&mut Ip<'_>, &mut Words<'_>) -> Result<(), Failure>,
    /// Returns the name of the command that a word stands for.
    operation: fn(&[u8]) -> Option<&'static str>,
}

const OBJECTS: &[Keyword<Object>] = &[
    prefix("link", Object { run: link::run, operation: link::operation }),
    prefix("fdb", Object { run: fdb::run, operation: fdb::operation }),
    prefix("mdb", Object { run: mdb::run, operation: mdb::operation }),
    prefix("mst", Object { run: mst::run, operation: mst::operation }),
    prefix("vlan", Object { run: vlan::run, operation: vlan::operation }),
    prefix("vni", Object { run: vni::run, operation: vni::operation }),
    prefix("monitor", Object { run: monitor::run, operation: |_| None }),
    prefix("help", Object { run: |_, _| Err(Failure::usage(HELP)), operation: |_| None }),
];

pub(in crate::cli) const GRAMMAR: Grammar = Grammar {
    run,
    exit: |code| match code {
        RETURNED => EXIT_USAGE,
        BROKEN => 2,
        code => code,
    },
    leaves: |code| matches!(code, EXIT_SEMANTIC | EXIT_USAGE | BROKEN),
};

/// Runs a whole command line, options first, and returns the exit code; `options` are those before `vwire bridge`.
pub fn main(
    persona: Persona,
    mut options: Options,
    arguments: &[OsString],
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> u8 {
    if persona == Persona::Vwire && arguments.len() == 1 && arguments[0] == "--help" {
        let _ = stdout.write_all(HELP.as_bytes());
        return 0;
    }
    let asked = options::read(&mut options, arguments);
    // `bridge` enters a namespace as soon as it reads its name, whatever comes behind it.
    if persona == Persona::Ip
        && !matches!(asked, Ok(Asked::Command(_)))
        && let Err(failure) = super::ip::enter(&options, persona)
    {
        return finish(&failure, Tongue::Words(persona), stderr);
    }
    match asked {
        Ok(Asked::Version) => {
            let _ = match persona {
                Persona::Ip => writeln!(stdout, "bridge utility, {IPROUTE2}"),
                Persona::Vwire => {
                    writeln!(stdout, "vwire {} (speaks bridge as iproute2-{IPROUTE2})", env!("CARGO_PKG_VERSION"))
                }
            };
            0
        }
        Ok(Asked::Help) => finish(&Failure::usage(HELP), Tongue::new(persona, options.json), stderr),
        Ok(Asked::Command(words)) => serve(&GRAMMAR, persona, (options, words), stdout, stderr),
        Err(failure) => finish(&failure, Tongue::new(persona, options.json), stderr),
    }
}

/// Runs one command: an object and its words.
fn run(ip: &mut Ip<'_>, command: &[OsString]) -> Result<(), Failure> {
    let mut words = Words::new(command);
    if ip.persona == Persona::Vwire {
        words = words.each_once();
    }
    let Some(word) = words.next() else { return Err(Failure::usage(HELP)) };
    let Some(row) = OBJECTS.iter().find(|row| begins(row.word, word)) else {
        return Err(unknown_object(word).of_command(None, None, command));
    };
    let operation = words.peek().map_or(Some("show"), row.means.operation);
    if ip.options.batch.is_none() {
        let object = format!("bridge {}", row.word);
        ip.wishes.fit(&object, operation).map_err(|failure| failure.of_command(Some(row.word), operation, command))?;
    }
    match (row.means.run)(ip, &mut words) {
        Err(failure) if is_excused(ip, operation, &failure) => Ok(()),
        result => result.map_err(|failure| failure.of_command(Some(row.word), operation, command)),
    }
}

/// Returns the object, with `bridge` before it, and the operation of a command, in full.
pub(in crate::cli) fn subject_of(command: &[OsString]) -> Option<(String, Option<&'static str>)> {
    let mut words = Words::new(command);
    let word = words.next()?;
    let row = OBJECTS.iter().find(|row| begins(row.word, word))?;
    Some((format!("bridge {}", row.word), words.peek().map_or(Some("show"), row.means.operation)))
}

fn unknown_object(word: &[u8]) -> Failure {
    let word = shown(word);
    let failure = Failure::new(
        RETURNED,
        format!("Object \"{word}\" is unknown, try \"bridge help\"."),
        format!("`bridge` has no object `{word}`"),
    );
    match nearest(&word, OBJECTS.iter().map(|row| row.word)) {
        Some(meant) => failure.hint(format!("did you mean `{meant}`?")),
        None => failure.hint("`vwire bridge help` lists them"),
    }
}

/// The failure for a command that an object has not.
fn unknown_command<T>(word: &[u8], object: &str, commands: &[Keyword<T>]) -> Failure {
    let word = shown(word);
    let failure = Failure::new(
        EXIT_USAGE,
        format!("Command \"{word}\" is unknown, try \"bridge {object} help\"."),
        format!("`bridge {object}` has no command `{word}`"),
    );
    match nearest(&word, commands.iter().map(|row| row.word)) {
        Some(meant) => failure.hint(format!("did you mean `{meant}`?")),
        None => failure.hint(format!("`vwire bridge {object} help` lists them")),
    }
}

/// The failure for a command that lacks what it cannot do without.
fn lacking(message: &str, cause: &str, example: &str) -> Failure {
    Failure::new(RETURNED, message, cause).hint(format!("it looks like `vwire bridge {example}`"))
}

/// Passes over a word that no command knows, as `bridge` does without saying so; called `vwire`, it is said.
fn pass_over(persona: Persona, word: &[u8], known: &[&str]) -> Result<(), Failure> {
    if persona == Persona::Ip {
        return Ok(());
    }
    let word = shown(word);
    let failure = Failure::new(EXIT_USAGE, "", format!("`{word}` is no keyword here"));
    Err(match nearest(&word, known.iter().copied()) {
        Some(meant) => failure.hint(format!("did you mean `{meant}`?")),
        None => failure.hint(format!("the keywords here are {}", known.join(", "))),
    })
}

/// Reads `on` or `off`.
fn on_off(keyword: &str, value: &[u8]) -> Result<u8, Failure> {
    match value {
        b"off" => Ok(0),
        b"on" => Ok(1),
        _ => {
            let value = shown(value);
            Err(Failure::new(
                RETURNED_INVALID,
                format!("Error: argument of \"{keyword}\" must be one of \"off\", \"on\", not \"{value}\""),
                format!("`{keyword}` takes on or off, not `{value}`"),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_stand_for_what_bridge_takes_them_for() {
        let named = |word: &str| OBJECTS.iter().find(|row| begins(row.word, word.as_bytes())).map(|row| row.word);
        for (word, object) in
            [("l", "link"), ("f", "fdb"), ("m", "mdb"), ("ms", "mst"), ("v", "vlan"), ("vn", "vni"), ("mo", "monitor")]
        {
            assert_eq!(named(word), Some(object));
        }
        assert_eq!(named("x"), None);
    }

    #[test]
    fn codes_are_those_of_bridge() {
        assert_eq!((GRAMMAR.exit)(unknown_object(b"x").exit()), 255);
        assert!(!(GRAMMAR.leaves)(unknown_object(b"x").exit()));
        assert!((GRAMMAR.leaves)(unknown_command::<()>(b"x", "fdb", &[]).exit()));
        assert_eq!((GRAMMAR.exit)(on_off("guard", b"x").unwrap_err().exit()), 234);
    }

    #[test]
    fn only_vwire_minds_a_word_that_nobody_knows() {
        assert!(pass_over(Persona::Ip, b"x", &["dev"]).is_ok());
        assert!(pass_over(Persona::Vwire, b"dve", &["dev"]).is_err());
    }
}
