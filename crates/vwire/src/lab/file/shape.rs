//! Holds a file against its tables: each key known, each value of the sort it should be. Pure.
//!
//! What comes out of here without trouble can be read without asking again what sort of value it is.

use toml::de::{DeTable, DeValue};

use super::field::{Field, Kind, Table};
use super::problem::{Report, Trouble, quoted};
use super::text::{Value, span_of};
use super::unit;
use crate::lab::model::Span;
use crate::lab::nearest::nearest;

/// Reports what does not fit into a table.
pub(crate) fn check_table(report: &mut Report<'_>, table: &Table, values: &DeTable<'_>) {
    for (key, value) in values {
        match table.field(key.get_ref()) {
            Some(field) => check(report, field.key, &field.kind, value),
            None if report.is_full() => {}
            None => report.error(unknown(table, key.get_ref(), span_of(key), value)),
        }
    }
}

/// Says what an unknown key may have been meant to be.
fn unknown(table: &Table, key: &str, span: Span, value: &Value<'_>) -> Trouble {
    let place = match table.head {
        head if head == super::tables::FILE.head => format!("at {head}"),
        head => format!("in `{head}`"),
    };
    let trouble = Trouble::new(span, format!("unknown key {} {place}", quoted(key)));
    let lower = key.to_ascii_lowercase();
    let other_name = |field: &&Field| field.known_as.contains(&lower.as_str());
    let meant = nearest(&lower, table.fields.iter().map(|field| field.key));
    if let Some(field) = table.fields.iter().find(other_name) {
        return trouble.label(format!("here it is called `{}`", field.key));
    }
    if ["vlan", "vid", "pvid", "tag", "trunk", "vlans"].contains(&lower.as_str()) {
        let hint = "such as `\"alice -- lan vlan 10\"` or `{ node = \"lan\", vlan = 10 }`; `trunk 10,20` for packets with a tag";
        return trouble.label("a VLAN is said where a wire ends at the bridge").hint(hint);
    }
    if let Some(meant) = meant {
        return trouble.label(format!("did you mean `{meant}`?"));
    }
    if table.head == super::tables::FILE.head && matches!(value.get_ref(), DeValue::Table(_)) {
        return trouble.label("no such table").hint(format!("a node's table is headed `[node.{key}]`"));
    }
    let known: Vec<_> = table.fields.iter().map(|field| format!("`{}`", field.key)).collect();
    trouble.label("no such key").hint(format!("there are {}", known.join(", ")))
}

/// Reports a value that is not of its sort.
fn check(report: &mut Report<'_>, key: &str, kind: &Kind, value: &Value<'_>) {
    let span = span_of(value);
    match (kind, value.get_ref()) {
        (Kind::Text(_) | Kind::LineOrTable(..), DeValue::String(_)) | (Kind::Switch, DeValue::Boolean(_)) => {}
        (Kind::Number(least, most), DeValue::Integer(_)) => {
            if number(value).is_none_or(|number| !(*least..=*most).contains(&number)) {
                let trouble = Trouble::new(span, format!("`{key}` is out of range"));
                report.error(trouble.label(format!("{least} to {most}")));
            }
        }
        (Kind::Choice(words), DeValue::String(word)) => {
            if !words.contains(&word.as_ref()) {
                let trouble = Trouble::new(span, format!("`{key}` cannot be {}", quoted(word)));
                let all = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
                report.error(match nearest(word, words.iter().copied()) {
                    Some(meant) => trouble.label(format!("did you mean `{meant}`?")).hint(format!("there are {all}")),
                    None => trouble.label(all),
                });
            }
        }
        (Kind::List(kind) | Kind::OneOrMore(kind), DeValue::Array(values)) => {
            values.iter().for_each(|value| check(report, key, kind, value));
        }
        (Kind::OneOrMore(kind), _) => check(report, key, kind, value),
        (Kind::LineOrTable(_, table) | Kind::Table(table), DeValue::Table(values)) => {
            check_table(report, table, values);
        }
        (Kind::Named(table), DeValue::Table(named)) => named.iter().for_each(|(name, value)| match value.get_ref() {
            DeValue::Table(values) => check_table(report, table, values),
            _ => {
                let trouble = Trouble::new(span_of(value), format!("{} must be a table", quoted(name.get_ref())));
                let hint = format!("`[{key}.{}]` on a line of its own, and its keys below", name.get_ref());
                report.error(trouble.label(format!("this is {}", sort_of(value))).hint(hint));
            }
        }),
        (Kind::Sysctls, DeValue::Table(values)) => check_sysctls(report, values, 0),
        _ => report.error(wrong_sort(key, kind, value)),
    }
}

fn check_sysctls(report: &mut Report<'_>, values: &DeTable<'_>, depth: usize) {
    for (_, value) in values {
        match value.get_ref() {
            DeValue::String(_) | DeValue::Integer(_) | DeValue::Boolean(_) => {}
            DeValue::Table(values) if depth < 16 => check_sysctls(report, values, depth + 1),
            _ => {
                let trouble = Trouble::new(span_of(value), format!("a sysctl cannot be {}", sort_of(value)));
                report.error(trouble.label("a number, a string, or `true` or `false`"));
            }
        }
    }
}

fn wrong_sort(key: &str, kind: &Kind, value: &Value<'_>) -> Trouble {
    let trouble = Trouble::new(span_of(value), format!("`{key}` cannot be {}", sort_of(value)));
    let trouble = trouble.label(wanted(kind));
    match (kind, value.get_ref()) {
        (Kind::Named(_), DeValue::Array(_)) if key == "node" => {
            trouble.hint("names alone are listed by `nodes = [\"alice\", \"bob\"]`")
        }
        (Kind::List(_), DeValue::Table(_)) if key == "nodes" => {
            trouble.hint("a node of which there is more to say has a table, `[node.NAME]`")
        }
        _ => trouble,
    }
}

/// Says in words what sort of value should stand there.
fn wanted(kind: &Kind) -> String {
    match kind {
        Kind::Text(grammar) => match grammar.shape {
            "" => format!("a string: {}", grammar.name),
            shape => format!("a string: {shape}"),
        },
        Kind::Switch => "`true` or `false`".to_owned(),
        Kind::Number(least, most) => format!("a number, {least} to {most}, without quotes"),
        Kind::Choice(words) => words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" or "),
        Kind::List(kind) => format!("a list, such as `[…]`, of {}", short(kind)),
        Kind::OneOrMore(kind) => format!("{}, or a list of such", short(kind)),
        Kind::LineOrTable(grammar, _) => format!("a string, the line of a {}, or a table", grammar.name),
        Kind::Table(_) => "a table, such as `{ key = value }`".to_owned(),
        Kind::Named(table) => format!("tables by name, headed {}", table.head),
        Kind::Sysctls => "a table, such as `{ net.ipv4.ip_forward = 1 }`".to_owned(),
    }
}

fn short(kind: &Kind) -> &'static str {
    match kind {
        Kind::Number(..) => "numbers",
        Kind::Table(_) => "tables",
        _ => "strings",
    }
}

fn sort_of(value: &Value<'_>) -> &'static str {
    match value.get_ref() {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "`true` or `false`",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// Returns a whole number that fits.
pub(crate) fn number(value: &Value<'_>) -> Option<u32> {
    let DeValue::Integer(integer) = value.get_ref() else { return None };
    u32::from_str_radix(integer.as_str(), integer.radix()).ok()
}

/// Reports names of tables that cannot be names.
pub(crate) fn check_names(report: &mut Report<'_>, file: &DeTable<'_>) {
    for (key, value) in file {
        let DeValue::Table(named) = value.get_ref() else { continue };
        if !["node", "bridge", "template", "condition"].contains(&key.get_ref().as_ref()) {
            continue;
        }
        for (name, _) in named {
            let word = super::text::Word { text: name.get_ref(), span: span_of(name) };
            let read = unit::node_name(word).map(drop);
            report.take(read);
        }
    }
}
