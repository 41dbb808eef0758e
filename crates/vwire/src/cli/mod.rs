//! The command line: which verb a name and its words stand for.
//!
//! `vwire VERB …` for vwire's own verbs, one file each here: `command` (arguments and help), then
//! `run`. `vwire bridge …` is in `bridge`'s grammar ([`bridge`]), anything else in `ip`'s ([`ip`]).
//! Linked as `ip`, `ipaddr`, `iplink` … or `bridge`, only the latter two, in their own words.
//!
//! To add a verb: a file, a row in `verbs`.

pub mod batch;
pub mod bridge;
pub mod check;
pub mod confirm;
pub mod diff;
pub mod down;
pub mod exec;
pub mod graph;
pub mod help;
pub mod import;
mod inside;
pub mod ip;
pub mod lab;
pub mod lab_file;
pub mod ls;
pub mod ping;
pub mod plan;
pub mod sandbox;
pub mod shell;
pub mod snapshot;
pub mod status;
pub mod talk;
pub mod topo;
pub mod tour;
pub mod r#try;
pub mod up;

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::Path;

use clap::{ArgMatches, Command};

use ip::options::{Asked, Options};
use ip::wishes::Wishes;
use ip::{Persona, Tongue};

/// Returns what a file is called: `-` is standard input.
pub(crate) fn called(file: &OsStr) -> &OsStr {
    if file == "-" { OsStr::new("standard input") } else { file }
}

/// One of vwire's own verbs.
pub struct Verb {
    /// Makes the definition that help, completion and the reading of arguments share.
    pub command: fn() -> Command,
    /// Runs the verb and returns the exit code.
    pub run: fn(&mut Call<'_>) -> u8,
}

/// What a verb is called with.
pub struct Call<'a> {
    /// The verb's own arguments.
    pub arguments: ArgMatches,
    /// `ip`'s options, where they stood before the verb: `vwire -j ls`.
    pub options: Options,
    /// In which form verbs on labs say what goes wrong.
    pub form: talk::Form<'a>,
    /// Data goes here.
    pub stdout: &'a mut dyn Write,
    /// Talk goes here.
    pub stderr: &'a mut dyn Write,
}

fn verbs() -> Vec<Verb> {
    vec![
        batch::verb(),
        check::verb(),
        confirm::verb(),
        diff::verb(),
        down::verb(),
        exec::verb(),
        graph::verb(),
        import::verb(),
        lab::verb(),
        ls::verb(),
        ping::verb(),
        plan::verb(),
        sandbox::verb(),
        shell::verb(),
        snapshot::verb(),
        status::verb(),
        topo::verb(),
        tour::verb(),
        r#try::verb(),
        up::verb(),
    ]
}

/// Runs a whole command line, the program's name first, and returns the exit code.
pub fn main(arguments: &[OsString], stdout: &mut dyn Write, stderr: &mut dyn Write) -> u8 {
    let (name, rest) = match arguments.split_first() {
        Some((name, rest)) => (Path::new(name).file_name().unwrap_or(OsStr::new("vwire")), rest),
        None => (OsStr::new("vwire"), &[][..]),
    };
    if name == "bridge" {
        return bridge::main(Persona::Ip, Options::default(), rest, stdout, stderr);
    }
    match persona_of(name) {
        // A name such as `ip-next` stands for no object, and so for `ip`.
        (Persona::Ip, Some(object)) if ip::is_object(object) => {
            let with_object = insert_object(rest, object);
            ip::main(Persona::Ip, &with_object, stdout, stderr)
        }
        (Persona::Ip, _) => ip::main(Persona::Ip, rest, stdout, stderr),
        (Persona::Vwire, _) => run_verb(rest, stdout, stderr),
    }
}

/// Tells whose words to speak, and which object a name like `ipaddr` stands for.
fn persona_of(name: &OsStr) -> (Persona, Option<&str>) {
    match name.to_str().and_then(|name| name.strip_prefix("ip")) {
        Some("") => (Persona::Ip, None),
        Some(object) => (Persona::Ip, Some(object)),
        None => (Persona::Vwire, None),
    }
}

/// Puts the object of a name like `iplink` behind the options.
fn insert_object(rest: &[OsString], object: &str) -> Vec<OsString> {
    let behind = match ip::options::parse(rest) {
        Ok(Asked::Command(_, words)) => rest.len() - words.len(),
        _ => rest.len(),
    };
    let mut with_object = rest.to_vec();
    with_object.insert(behind, object.into());
    with_object
}

/// Returns whether all that is asked for is help: then it is data, and no error.
fn is_help(words: &[OsString]) -> bool {
    words.len() == 1 && words[0] == "--help"
}

/// Returns whether a verb can do with what a snapshot says, in the place of the network.
fn asks_snapshots(verb: Option<&str>, plans: bool) -> bool {
    matches!(verb, Some("ls" | "graph" | "import")) || verb == Some("batch") && plans
}

fn run_verb(rest: &[OsString], stdout: &mut dyn Write, stderr: &mut dyn Write) -> u8 {
    if is_help(rest) {
        let _ = stdout.write_all(help::text().as_bytes());
        return 0;
    }
    if rest.len() == 1 && rest[0] == "--version" {
        return ip::main(Persona::Vwire, &["-V".into()], stdout, stderr);
    }
    let (wishes, rest) = match Wishes::split(rest) {
        Ok((wishes, rest)) => (wishes, rest),
        Err(failure) => {
            let tongue = Tongue::new(Persona::Vwire, ip::options::asks_for_json(rest));
            return ip::finish(&failure.of_command(None, None, rest).with_exit(2), tongue, stderr);
        }
    };
    let rest = &rest[..];
    let (options, words) = match ip::options::parse_as(Persona::Vwire, rest) {
        Ok(Asked::Command(options, words)) => (options, words),
        _ => (Options::default(), rest),
    };
    // A snapshot has its own names.
    let namespace = options.netns.as_deref().filter(|_| options.from.is_none());
    let form = talk::Form { words, json: options.json };
    if let Err(exit) = inside::go_in_for(namespace.into_iter(), &mut talk::Talk::new(stderr, form)) {
        return exit;
    }
    let asked = words.first().and_then(|word| word.to_str());
    let verb = verbs().into_iter().find(|verb| asked == Some((verb.command)().get_name()));
    if verb.is_none() && asked != Some("bridge") {
        return ip::wish(Persona::Vwire, wishes, rest, stdout, stderr);
    }
    if let Some(name) = asked.filter(|asked| !matches!(*asked, "bridge" | "batch"))
        && let Err(failure) = wishes.none_for(name)
    {
        let tongue = Tongue::new(Persona::Vwire, options.json);
        return ip::finish(&failure.with_exit(2).of_command(None, None, words), tongue, stderr);
    }
    let options = Options { wishes, ..options };
    if options.from.is_some() && !asks_snapshots(asked, wishes.plan || rest.iter().any(|word| word == "--plan")) {
        let asked = asked.unwrap_or_default();
        let cause = format!("`{asked}` asks the network itself, and no snapshot: leave out `--from`");
        let tongue = Tongue::new(Persona::Vwire, options.json);
        return ip::finish(&ip::Failure::new(2, "", cause).of_command(None, None, words), tongue, stderr);
    }
    let Some(verb) = verb else {
        return bridge::main(Persona::Vwire, options, &words[1..], stdout, stderr);
    };
    let name = asked.unwrap_or_default();
    call_verb(&verb, name, options, words, stdout, stderr)
}

fn call_verb(
    verb: &Verb,
    name: &str,
    options: Options,
    words: &[OsString],
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> u8 {
    let command = (verb.command)().bin_name(format!("vwire {name}"));
    match command.try_get_matches_from(words) {
        Ok(arguments) => {
            let json = options.json || matches!(arguments.try_get_one::<bool>("json"), Ok(Some(true)));
            let form = talk::Form { words, json };
            (verb.run)(&mut Call { arguments, options, form, stdout, stderr })
        }
        Err(error) if error.use_stderr() => {
            let json = options.json || words.iter().any(|word| word == "-j" || word == "--json");
            talk::Talk::new(stderr, talk::Form { words, json }).misses(&error.to_string())
        }
        Err(error) => {
            let _ = write!(stdout, "{error}");
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_decides_whose_words_are_spoken() {
        assert_eq!(persona_of(OsStr::new("ip")), (Persona::Ip, None));
        assert_eq!(persona_of(OsStr::new("iplink")), (Persona::Ip, Some("link")));
        assert_eq!(persona_of(OsStr::new("vwire")), (Persona::Vwire, None));
    }

    #[test]
    fn a_name_with_an_object_puts_it_behind_the_options() {
        let words = |line: &str| line.split_whitespace().map(OsString::from).collect::<Vec<_>>();
        assert_eq!(insert_object(&words("-j -n blue show"), "addr"), words("-j -n blue addr show"));
    }
}
