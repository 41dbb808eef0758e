//! `vwire graph`: a picture of a lab's file, of a running lab, or of this machine as it is.

use std::ffi::OsString;
use std::io::{self, IsTerminal};

use clap::{Arg, Command, value_parser};

use super::inside::go_in;
use super::lab_file::{REFUSED, lab_named};
use super::talk::Talk;
use super::{Call, Verb, ls};
use crate::lab::engine::survey::applied;
use crate::lab::failed::Failed;
use crate::lab::graph::of_parts::View;
use crate::lab::graph::{Picture, dot, of_lab, of_parts, svg, text};
use crate::lab::keeper::Stay;
use crate::lab::record::Record;
use crate::snapshot::read::holdings;

/// How wide the text is where it goes to no terminal.
const WIDTH: usize = 120;

/// Returns the verb.
#[must_use]
pub fn verb() -> Verb {
    Verb { command, run }
}

fn command() -> Command {
    Command::new("graph")
        .about("Draws a network: a lab's file, a running lab, or this machine as it is")
        .long_about(
            "Draws a network. With a file, the lab that it describes; with a lab's name, -f or -l, that lab as it is now; \
             without any, all namespaces of this machine that can be seen. `vwire --from FILE graph` draws what a snapshot says.",
        )
        .arg(
            Arg::new("lab-file")
                .value_name("FILE|LAB")
                .help("The lab that this file describes; or the lab of this name, as it is now")
                .value_parser(value_parser!(OsString))
                .conflicts_with_all(["file", "lab"]),
        )
        .args(super::lab_file::which_lab())
        .arg(
            Arg::new("format")
                .long("format")
                .short('o')
                .value_name("FORMAT")
                .value_parser(["text", "svg", "dot", "mermaid"])
                .default_value("text")
                .help("How it is drawn"),
        )
}

fn run(call: &mut Call<'_>) -> u8 {
    let picture = match picture(call) {
        Ok(picture) => picture,
        Err(code) => return code,
    };
    let format = call.arguments.get_one::<String>("format").map_or("text", String::as_str);
    let drawn = match format {
        "svg" => svg::draw(&picture),
        "dot" => dot::dot(&picture),
        "mermaid" => dot::mermaid(&picture),
        _ => as_text(&picture),
    };
    match call.stdout.write_all(drawn.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let failed = Failed::new("cannot write the picture").because(&error);
            Talk::new(call.stderr, call.form).refuses(&failed, REFUSED)
        }
        _ => 0,
    }
}

/// Draws for people: as wide as the terminal, and in colour if it is one.
pub(super) fn as_text(picture: &Picture) -> String {
    let terminal = io::stdout().is_terminal();
    let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let room = terminal.then(terminal_size::terminal_size).flatten();
    text::draw(picture, room.map_or(WIDTH, |(width, _)| usize::from(width.0)), colour)
}

fn picture(call: &mut Call<'_>) -> Result<Picture, u8> {
    let mut talk = Talk::new(call.stderr, call.form);
    let mut named = None;
    if let Some(word) = call.arguments.remove_one::<OsString>("lab-file") {
        match lab_named(&word, &mut talk)? {
            (_, Some(loaded)) => return Ok(of_lab::picture(&loaded.lab)),
            // As the other verbs have it, a word that is no file is a lab's name.
            (name, None) => named = Some(name),
        }
    }
    let lab = match (call.arguments.remove_one::<OsString>("file"), call.arguments.remove_one::<String>("lab")) {
        (Some(file), _) => Some(lab_named(&file, &mut talk)?.0),
        (None, lab) => lab.or(named),
    };
    if lab.is_some() && call.options.from.is_none() {
        let labs = go_in(Stay::Verb, &mut talk)?;
        lab.as_ref().map_or(Ok(()), |lab| labs.refuse_roots(lab, &mut talk))?;
    }
    let (looked, holdings) = match &call.options.from {
        Some(file) => ls::recalled(file, call.options.netns.as_deref()).map_err(|failure| talk.complains(&failure))?,
        None => {
            let failed = |error: vwire_netlink::OpenError| {
                talk.refuses(&Failed::new("cannot look around").because(&error.source), REFUSED)
            };
            (ls::look().map_err(failed)?, holdings())
        }
    };
    let title = lab.as_deref().unwrap_or("this machine");
    let is_live = call.options.from.is_none();
    let applied = lab.as_deref().filter(|_| is_live).and_then(|lab| applied(&Record::of(lab)));
    let qdiscs = is_live.then(|| ls::qdiscs(lab.as_deref()));
    let view = View { lab: lab.as_deref(), applied: applied.as_ref(), qdiscs: qdiscs.as_ref() };
    let picture = of_parts::picture(title, &looked.parts, &holdings, view);
    if let (Some(lab), true) = (&lab, picture.places.is_empty()) {
        let failed = Failed::new(format!("no namespace of lab `{lab}` is seen"));
        return Err(talk.refuses(&failed.hint("`vwire up FILE` brings it up"), REFUSED));
    }
    if lab.is_none() {
        let unseen = ls::unseen_text(&looked.unseen);
        unseen.lines().for_each(|line| talk.says(line));
    }
    Ok(picture)
}
