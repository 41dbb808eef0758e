//! `vwire status`: whether a lab is as it was applied, and what of it is not.

use std::ffi::OsString;
use std::time::Duration;

use clap::{Arg, ArgAction, Command, value_parser};

use super::inside::go_in;
use super::lab_file::{DIFFERS, REFUSED, lab_named, settle};
use super::talk::{Talk, fitted};
use super::{Call, Verb};
use crate::lab::engine::confirm;
use crate::lab::engine::journal::Journal;
use crate::lab::engine::strangers::{self, Stranger, Thing};
use crate::lab::engine::survey::{APPLIED, Drift, What, applied, look};
use crate::lab::failed::Failed;
use crate::lab::graph::of_lab;
use crate::lab::keeper::Stay;
use crate::lab::model::Lab;
use crate::lab::record::Record;
use crate::out::json::JsonWriter;
use crate::step::world::Names;

/// Returns the verb.
pub fn verb() -> Verb {
    Verb { command, run }
}

fn command() -> Command {
    Command::new("status")
        .about("Tell whether a lab is as it was applied, and what of it is not")
        .long_about(
            "Tell whether a lab is as it was applied: every parameter that the file says, what was to go on in the \
             background and has ended, and what somebody has added by hand. What the kernel and routing daemons make by themselves is no difference. `vwire up` mends what is told \
             here; devices that somebody else put into a node are told and left.\n\n\
             Exit codes: 0 it is as it was applied; 3 it is not; 1 it is not up, or cannot be looked at; 2 the command \
             line is wrong.",
        )
        .arg(
            Arg::new("lab")
                .value_name("FILE|LAB")
                .help("The lab's file, or its name; without, the lab that is up")
                .value_parser(value_parser!(OsString)),
        )
        .arg(Arg::new("json").short('j').long("json").action(ArgAction::SetTrue).help("One JSON document"))
        .arg(Arg::new("pretty").short('p').long("pretty").action(ArgAction::SetTrue).help("JSON with line breaks"))
}

fn run(call: &mut Call<'_>) -> u8 {
    let mut talk = Talk::new(call.stderr, call.form);
    let labs = match go_in(Stay::Verb, &mut talk) {
        Ok(labs) => labs,
        Err(exit) => return exit,
    };
    let name = match call.arguments.remove_one::<OsString>("lab") {
        Some(word) => {
            lab_named(&word, &mut talk).and_then(|(name, _)| labs.refuse_roots(&name, &mut talk).map(|()| name))
        }
        None => super::lab_file::find_lab(&mut call.arguments, "", &labs, &mut talk).map(|(name, _)| name),
    };
    let name = match name {
        Ok(name) => name,
        Err(exit) => return exit,
    };
    settle(&name, &mut talk);
    let record = Record::of(&name);
    if Journal::is_unfinished(&record) {
        let what = match record.is_locked() {
            true => format!("lab `{name}` is being changed by another process"),
            false => format!("a run on lab `{name}` did not end, and is undone by the next"),
        };
        let failed =
            Failed::new(what).hint(format!("`vwire up FILE` goes on from there, `vwire down {name}` takes all away"));
        return talk.refuses(&failed, DIFFERS);
    }
    let Some(lab) = applied(&Record::of(&name)) else {
        let why = if Record::of(&name).read(APPLIED).is_some() { "cannot be read any more" } else { "is not up" };
        let failed = Failed::new(format!("lab `{name}` {why}")).hint("`vwire up FILE` brings it up");
        return talk.refuses(&failed, REFUSED);
    };
    let (survey, whole) = match look(&lab) {
        Ok(survey) => survey,
        Err(failed) => return talk.fails(&failed, None),
    };
    let drift = survey.drift(&whole, &record);
    let strangers = match strangers::find(&survey, &whole) {
        Ok(strangers) => strangers,
        Err(failed) => return talk.fails(&failed, None),
    };
    let names = Names::of(Vec::new(), &[&survey.wanted, &survey.now]);
    let json = call.form.json;
    let pretty = call.arguments.get_flag("pretty") || call.options.pretty;
    let left = confirm::left(&Record::of(&name));
    let told = Told { lab: &lab, drift: &drift, strangers: &strangers, names: &names, left };
    let text = if json { told.document(pretty) } else { fitted(&told.people()).into_bytes() };
    let _ = call.stdout.write_all(&text);
    if drift.is_empty() { 0 } else { DIFFERS }
}

struct Told<'a> {
    lab: &'a Lab,
    drift: &'a [Drift],
    strangers: &'a [Stranger],
    names: &'a Names,
    /// How long it may still be confirmed, if it has to be.
    left: Option<Duration>,
}

impl Told<'_> {
    fn people(&self) -> String {
        let mut text = String::new();
        let (name, counted) = (&self.lab.name, of_lab::counted(self.lab));
        match self.drift.len() {
            0 => text.push_str(&format!("lab `{name}` is as it was applied: {counted}\n")),
            1 => text.push_str(&format!("lab `{name}` differs in one point:\n")),
            many => text.push_str(&format!("lab `{name}` differs in {many} points:\n")),
        }
        for one in self.drift {
            text.push_str(&format!("  {}: {}\n", one.node, self.words(one)));
        }
        for Stranger { node, what } in self.strangers {
            let what = match what {
                Thing::Device(device) => format!("device {device}"),
                Thing::Qdisc(device, kind) => format!("qdisc {kind} of {device}"),
                Thing::Table(family, name) => format!("nft table {family} {name}"),
            };
            text.push_str(&format!("  {node}: {what} is not the lab's, and stays\n"));
        }
        if let Some(left) = self.left {
            let left = confirm::told(left);
            text.push_str(&format!("it is undone in {left} unless it is confirmed: vwire confirm {name}\n"));
        }
        text
    }

    fn words(&self, one: &Drift) -> String {
        match &one.what {
            What::Missing => "its namespace is missing".to_owned(),
            What::Differs(what) => what.describe(self.names),
            What::Ended { command, said: None } => format!("`{command}` has ended"),
            What::Ended { command, said: Some(said) } => format!("`{command}` has ended; it said at last: {said}"),
        }
    }

    fn document(&self, pretty: bool) -> Vec<u8> {
        JsonWriter::document(pretty, |json, out| {
            json.text(out, "lab", &self.lab.name);
            let counted = of_lab::counted(self.lab);
            for (name, number) in [("nodes", counted.nodes), ("bridges", counted.bridges), ("wires", counted.wires)] {
                json.name(out, name);
                json.literal(out, &number.to_string());
            }
            json.list(out, "drift", self.drift, |json, out, one| {
                json.text(out, "node", &one.node);
                let ended;
                let members = match &one.what {
                    What::Missing => [None; 4],
                    What::Differs(what) => {
                        let (is, should) = what.values();
                        [Some(what.object.as_str()), Some(what.attribute), is, should]
                    }
                    What::Ended { command, .. } => {
                        ended = format!("`{command}`");
                        [Some(ended.as_str()), Some("state"), Some("ended"), Some("running")]
                    }
                };
                for (name, value) in ["object", "attribute", "is", "should"].into_iter().zip(members) {
                    if let Some(value) = value.filter(|value| !value.is_empty()) {
                        json.text(out, name, value);
                    }
                }
                json.text(out, "words", &self.words(one));
            });
            json.list(out, "strangers", self.strangers, |json, out, Stranger { node, what }| {
                json.text(out, "node", node);
                let facts: &[(&str, &str)] = match what {
                    Thing::Device(device) => &[("device", device)],
                    Thing::Qdisc(device, kind) => &[("device", device), ("qdisc", kind)],
                    Thing::Table(family, name) => &[("family", family), ("table", name)],
                };
                facts.iter().for_each(|(name, value)| json.text(out, name, value));
            });
            if let Some(left) = self.left {
                json.name(out, "confirm_within_secs");
                json.literal(out, &left.as_secs().to_string());
            }
        })
    }
}
