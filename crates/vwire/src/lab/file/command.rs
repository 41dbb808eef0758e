//! Reads the commands that are run in nodes. Pure.

use std::time::Duration;

use toml::de::DeValue;

use super::draft::Draft;
use super::layers::Layers;
use super::problem::{Report, Trouble};
use super::text::{Value, span_of};
use super::unit;
use super::wire::missing;
use crate::lab::model::{Command, Span};

/// How long a command may take unless the file says otherwise.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads the commands of all nodes.
pub(crate) fn read(report: &mut Report<'_>, draft: &mut Draft<'_>) {
    for node in 0..draft.nodes.len() {
        let Some(layers) = draft.nodes.get(node).map(|node| node.layers.clone()) else { return };
        let mut commands = Vec::new();
        for value in layers.all("run") {
            if draft.grow(report, span_of(value)).is_none() {
                return;
            }
            commands.extend(report.take(command(value, &layers)));
        }
        if let Some(draft) = draft.nodes.get_mut(node) {
            draft.node.commands = commands;
        }
    }
}

fn command<'a>(value: &'a Value<'a>, layers: &Layers<'a>) -> Result<Command, Trouble> {
    let span = span_of(value);
    let plain = |argv| Command { argv, background: false, ready: None, within: PATIENCE, span };
    let DeValue::Table(table) = value.get_ref() else {
        return Ok(plain(argv(value, layers)?));
    };
    let table = layers.inner(table);
    let command = table.value("command").ok_or_else(|| missing(span, "a command", "command", "\"echo ready\""))?;
    let ready = table.value("ready").map(|value| argv(value, &table)).transpose()?;
    let within = table.text("within").map(|text| unit::time(text.word())).transpose()?;
    Ok(Command {
        background: table.switch("background").unwrap_or(false),
        ready,
        within: within.unwrap_or(PATIENCE),
        ..plain(argv(command, &table)?)
    })
}

/// Reads a line for the shell, or a program and its arguments.
fn argv<'a>(value: &'a Value<'a>, layers: &Layers<'a>) -> Result<Vec<String>, Trouble> {
    let span = span_of(value);
    let texts: Vec<_> = match value.get_ref() {
        DeValue::Array(values) => values.iter().filter_map(|value| layers.text_of(value)).collect(),
        _ => layers.text_of(value).into_iter().collect(),
    };
    if texts.iter().any(|text| text.as_str().contains('\0')) {
        return Err(Trouble::new(span, "no argument of a program holds a zero byte"));
    }
    let words: Vec<String> = texts.iter().map(|text| text.as_str().to_owned()).collect();
    match words.first() {
        Some(first) if !first.trim().is_empty() => Ok(in_shell(words, value)),
        _ => Err(empty(span)),
    }
}

fn in_shell(words: Vec<String>, value: &Value<'_>) -> Vec<String> {
    match value.get_ref() {
        DeValue::Array(_) => words,
        _ => ["sh", "-c"].into_iter().map(str::to_owned).chain(words).collect(),
    }
}

fn empty(span: Span) -> Trouble {
    Trouble::new(span, "this command is empty").label("a line for the shell, or a list: a program and its arguments")
}
