//! The XDP program that a link command names, behind `xdp` and its kin.
//!
//! Programs are not loaded here: one that somebody has loaded and pinned can be attached.

use std::ffi::CString;
use std::io;

use vwire_netlink::Program;

use crate::cli::ip::failure::{EXIT_USAGE, Failure, errno_sentence};
use crate::cli::ip::words::{Keyword, Words, begins, exact, find, prefix, shown};
use crate::lab::namespace::Namespace;

/// What a request refers to by descriptor, and what must stay open until it is sent.
#[derive(Debug)]
pub enum Held {
    /// Where a link goes to.
    Namespace(Namespace),
    /// What is attached to a link.
    Program(Program),
}

/// Where a program comes from.
#[derive(Debug, Clone, Copy)]
enum Source {
    Object,
    Pinned,
}

/// The words for [`Source`], in `ip`'s order: `o` is an object, not what is pinned.
const SOURCES: &[Keyword<Source>] = &[
    prefix("object-file", Source::Object),
    exact("obj", Source::Object),
    prefix("object-pinned", Source::Pinned),
    prefix("pinned", Source::Pinned),
    prefix("fd", Source::Pinned),
];

/// Opens the program that `word` and the words behind it name.
///
/// # Errors
/// The word is none of those that name a program, nothing is pinned there, or it would have to be loaded first.
pub(super) fn read(word: &[u8], words: &mut Words<'_>) -> Result<Program, Failure> {
    let source = find(SOURCES, word).ok_or_else(|| unknown(word))?;
    let path = words.value()?;
    match source {
        Source::Object => Err(not_loaded()),
        Source::Pinned => {
            skip_choice(words)?;
            pinned(path)
        }
    }
}

/// Skips the words that choose among the programs of an object: what is pinned is one program.
fn skip_choice(words: &mut Words<'_>) -> Result<(), Failure> {
    if words.peek().is_some_and(|word| begins("section", word)) {
        words.next();
        words.value()?;
    }
    if words.peek() == Some(b"program") {
        words.next();
        words.value()?;
    }
    if words.peek().is_some_and(|word| begins("verbose", word)) {
        words.next();
    }
    Ok(())
}

fn pinned(path: &[u8]) -> Result<Program, Failure> {
    let shown = shown(path);
    let opened = CString::new(path).map_err(io::Error::from).and_then(|path| Program::pinned(&path));
    opened.map_err(|error| {
        let text = error.raw_os_error().map_or_else(|| error.to_string(), errno_sentence);
        let theirs = format!("Couldn't retrieve pinned program '{shown}': {text}");
        Failure::new(EXIT_USAGE, theirs, format!("cannot open the program that is pinned at `{shown}`: {text}"))
            .hint("`bpftool prog show pinned FILE` shows one; they are on a file system of type bpf, as /sys/fs/bpf is")
    })
}

fn unknown(word: &[u8]) -> Failure {
    let shown = shown(word);
    Failure::new(EXIT_USAGE, format!("What mode is \"{shown}\"?"), format!("`{shown}` is no XDP word"))
        .hint("`xdp off` takes a program away; it must be the last word")
}

fn not_loaded() -> Failure {
    Failure::new(
        EXIT_USAGE,
        "BPF programs cannot be loaded",
        "vwire loads no BPF programs; it attaches what is `pinned` and takes programs away with `off`",
    )
    .hint("`bpftool prog load FILE /sys/fs/bpf/NAME` loads and pins one, `xdp pinned /sys/fs/bpf/NAME` attaches it")
}
