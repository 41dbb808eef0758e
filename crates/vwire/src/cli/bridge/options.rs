//! The options that stand before `bridge`'s object: `bridge -j -d -n blue fdb`. Pure.
//!
//! As `ip`'s they may be cut short, and the first row that a word begins wins; but the table is another one: `-f` is
//! `-family`, and `-c` is `-color` before it is `-compressvlans`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::HELP;
use crate::cli::ip::Failure;
use crate::cli::ip::failure::EXIT_USAGE;
use crate::cli::ip::options::{Family, Options, colour_option, no_netns};
use crate::cli::ip::words::{Keyword, Words, exact, find, prefix, shown};

/// What the options ask for.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked<'a> {
    /// Run a command: its words, object first.
    Command(&'a [OsString]),
    /// `-V`.
    Version,
    /// `-help`.
    Help,
}

#[derive(Clone, Copy)]
enum Word {
    Help,
    Version,
    Stats,
    Details,
    Oneline,
    Timestamp,
    Family,
    Fixed(Family),
    Netns,
    CompressVlans,
    Force,
    Json,
    Pretty,
    Batch,
}

const OPTIONS: &[Keyword<Word>] = &[
    prefix("-help", Word::Help),
    prefix("-Version", Word::Version),
    prefix("-stats", Word::Stats),
    prefix("-statistics", Word::Stats),
    prefix("-details", Word::Details),
    prefix("-oneline", Word::Oneline),
    prefix("-timestamp", Word::Timestamp),
    prefix("-family", Word::Family),
    exact("-4", Word::Fixed(Family::Inet)),
    exact("-6", Word::Fixed(Family::Inet6)),
    prefix("-netns", Word::Netns),
    prefix("-compressvlans", Word::CompressVlans),
    prefix("-force", Word::Force),
    prefix("-json", Word::Json),
    prefix("-pretty", Word::Pretty),
    prefix("-batch", Word::Batch),
];

/// Reads the options before the object; `options` has what was read so far, whether or not all could be.
///
/// # Errors
/// An option that is not known or lacks its value, as `bridge` words it.
pub fn read<'a>(options: &mut Options, arguments: &'a [OsString]) -> Result<Asked<'a>, Failure> {
    let mut words = Words::new(arguments);
    while let Some(word) = words.peek() {
        if word == b"--" {
            words.next();
            break;
        }
        if !word.starts_with(b"-") {
            break;
        }
        words.next();
        let option = if word.starts_with(b"--") { &word[1..] } else { word };
        // `-h` to `-f` stand before `-color` in the table, but no beginning of it begins one of them.
        if let Some(when) = colour_option(option) {
            options.colour = when;
            continue;
        }
        match find(OPTIONS, option) {
            Some(Word::Version) => return Ok(Asked::Version),
            Some(Word::Help) => return Ok(Asked::Help),
            Some(known) => take(known, options, &mut words)?,
            None => return Err(unknown(option)),
        }
    }
    Ok(Asked::Command(words.rest()))
}

fn take(word: Word, options: &mut Options, words: &mut Words<'_>) -> Result<(), Failure> {
    match word {
        Word::Stats => options.stats = options.stats.saturating_add(1),
        Word::Details => options.details = options.details.saturating_add(1),
        Word::Oneline => options.oneline = true,
        Word::Timestamp => options.timestamp = true,
        Word::Family => match words.next() {
            None | Some(b"help") => return Err(Failure::usage(HELP)),
            Some(b"inet") => options.family = Family::Inet,
            Some(b"inet6") => options.family = Family::Inet6,
            Some(other) => return Err(Failure::invalid(other, "invalid protocol family")),
        },
        Word::Fixed(family) => options.family = family,
        Word::Netns => options.enter(words.next().ok_or_else(no_netns)?),
        Word::CompressVlans => options.compress_vlans = true,
        Word::Force => options.force = true,
        Word::Json => options.json = true,
        Word::Pretty => options.pretty = true,
        Word::Batch => {
            let file = words.next().ok_or_else(|| Failure::usage(HELP))?;
            options.batch = Some(OsStr::from_bytes(file).to_owned());
        }
        Word::Version | Word::Help => {}
    }
    Ok(())
}

fn unknown(option: &[u8]) -> Failure {
    let option = shown(option);
    Failure::new(
        EXIT_USAGE,
        format!("Option \"{option}\" is unknown, try \"bridge help\"."),
        format!("the option `{option}` is unknown"),
    )
    .hint("options cannot be joined (`-s -j`, not `-sj`) and stand before the object; `vwire bridge help` lists them")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ip::options::ColourWhen;

    fn options(line: &str) -> Options {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let mut options = Options::default();
        read(&mut options, &words).unwrap();
        options
    }

    #[test]
    fn short_forms_mean_what_bridge_means_by_them() {
        assert_eq!(options("-c link").colour, ColourWhen::Always);
        assert!(!options("-col link").compress_vlans);
        assert!(options("-com link").compress_vlans);
        assert!(options("-fo link").force);
        assert_eq!(options("-f inet6 link").family, Family::Inet6);
        assert!(options("-t monitor").timestamp);
        assert_eq!(options("-b x -n y").batch, Some("x".into()));
    }

    #[test]
    fn what_ip_has_and_bridge_has_not_is_unknown() {
        for option in ["-br", "-ts", "-r", "-a", "-N", "-0"] {
            assert_eq!(read(&mut Options::default(), &[option.into()]).unwrap_err().exit(), 255, "{option}");
        }
    }
}
