//! `vwire graph`: a picture of a lab's file, of a running lab, or of this machine as it is.

use std::ffi::OsString;
use std::io::{self, IsTerminal};

use clap::{Arg, Command, value_parser};

use super::inside::go_in;
use super::lab_file::{REFUSED, lab_named, load};
use super::{Call, Verb, ls};
use crate::lab::graph::{Picture, dot, of_lab, of_parts, svg, text};
use crate::lab::keeper::Stay;
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
            "Draws a network. With a file, the lab that it describes; with -f or -l, that lab as it is now; without \
             either, all namespaces of this machine that can be seen.",
        )
        .arg(
            Arg::new("lab-file")
                .value_name("FILE")
                .help("The lab that this file describes")
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
            let _ = writeln!(call.stderr, "error: cannot write the picture: {error}");
            REFUSED
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
    if let Some(file) = call.arguments.remove_one::<OsString>("lab-file") {
        return load(file.as_ref(), call.stderr).map(|loaded| of_lab::picture(&loaded.lab));
    }
    let lab = match (call.arguments.remove_one::<OsString>("file"), call.arguments.remove_one::<String>("lab")) {
        (Some(file), _) => Some(lab_named(&file, call.stderr)?.0),
        (None, lab) => lab,
    };
    if lab.is_some() {
        let labs = go_in(Stay::Verb, call.stderr)?;
        lab.as_ref().map_or(Ok(()), |lab| labs.refuse_roots(lab, call.stderr))?;
    }
    let looked = ls::look().map_err(|error| {
        let _ = writeln!(call.stderr, "error: cannot look around: {error}");
        REFUSED
    })?;
    let title = lab.as_deref().unwrap_or("this machine");
    let picture = of_parts::picture(title, &looked.parts, &holdings(), lab.as_deref());
    if let (Some(lab), true) = (&lab, picture.places.is_empty()) {
        let _ = writeln!(call.stderr, "error: no namespace of lab `{lab}` is seen\nhint: `vwire up FILE` brings it up");
        return Err(REFUSED);
    }
    if lab.is_none() {
        let _ = call.stderr.write_all(ls::unseen_text(&looked.unseen).as_bytes());
    }
    Ok(picture)
}
