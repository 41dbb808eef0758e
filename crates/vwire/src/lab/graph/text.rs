//! Draws a picture as text: each bridge with its ports like a tree, then cables, then what is left. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{Device, Picture, Place, Spot, numbered, runs};

/// A line of the drawing: what it is about, the device, its addresses, and what is to be said.
#[derive(Debug, Clone, Default, PartialEq)]
struct Row {
    cells: [String; 3],
    notes: String,
}

/// Returns the drawing, no line wider than `width` where words are not.
#[must_use]
pub fn draw(picture: &Picture, width: usize, colour: bool) -> String {
    let far = picture.far_ends();
    let mut text = format!("{}\n", head(picture, colour));
    let mut told: BTreeSet<usize> = BTreeSet::new();
    for bridge in picture.bridges() {
        text.push('\n');
        bridge_text(&mut text, picture, bridge, &far, width, colour);
        told.extend(picture.is_bridge_alone(bridge.0).then_some(bridge.0));
    }
    cables(&mut text, picture, width);
    rest(&mut text, picture, &far, &told, width);
    text
}

fn bold(text: &str, colour: bool) -> String {
    if colour { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
}

fn head(picture: &Picture, colour: bool) -> String {
    format!("{}: {}", bold(&picture.title, colour), picture.counted())
}

fn notes(device: &Device) -> String {
    device.notes.join(", ")
}

/// Draws a bridge and its ports.
fn bridge_text(
    text: &mut String,
    picture: &Picture,
    bridge: (usize, usize),
    far: &BTreeMap<(usize, usize), (usize, usize)>,
    width: usize,
    colour: bool,
) {
    let Some(device) = picture.device(bridge) else { return };
    let about: Vec<String> = device.addresses.iter().chain(&device.notes).cloned().collect();
    let gap = if about.is_empty() { "" } else { "  " };
    let name = picture.bridge_name(bridge);
    let head = fit(&format!("{name}{gap}{}", about.join("  ")), width, "│    ");
    let rest = head.strip_prefix(&name).unwrap_or_default();
    let _ = writeln!(text, "{}{rest}", bold(head.get(..head.len() - rest.len()).unwrap_or(&head), colour));
    let place = picture.places.get(bridge.0);
    let devices = place.into_iter().flat_map(|place| place.devices.iter().enumerate());
    let ports: Vec<usize> = devices.filter(|(_, port)| port.master == Some(bridge.1)).map(|(index, _)| index).collect();
    let rows: Vec<Row> = ports.iter().map(|port| port_row(picture, (bridge.0, *port), far)).collect();
    if rows.is_empty() {
        let _ = writeln!(text, "└─ no ports");
    }
    let runs = runs(&rows, alike);
    let rows: Vec<Row> =
        runs.iter().filter_map(|(first, last)| merged(rows.get(*first)?, rows.get(*last)?, last - first)).collect();
    let widths = widths(&rows);
    for (index, row) in rows.iter().enumerate() {
        let (branch, below) = if index + 1 == rows.len() { ("└─", "     ") } else { ("├─", "│    ") };
        let _ = writeln!(text, "{}", fit(&format!("{branch} {}", line(row, &widths)), width, below));
    }
}

fn port_row(picture: &Picture, port: (usize, usize), far: &BTreeMap<(usize, usize), (usize, usize)>) -> Row {
    let Some(here) = picture.device(port) else { return Row::default() };
    let Some((other, device)) = far.get(&port).and_then(|other| Some((*other, picture.device(*other)?))) else {
        return Row { cells: [here.name.clone(), here.kind.clone(), here.addresses.join(" ")], notes: notes(here) };
    };
    let mut said = vec![notes(here), notes(device)];
    said.dedup();
    said.retain(|note| !note.is_empty());
    let notes = said.join("; ");
    match picture.spot(other) {
        Spot::Bridge(place, bridge) => {
            let name = picture.bridge_name((place, bridge));
            Row { cells: [name, device.name.clone(), "bridge".to_owned()], notes }
        }
        Spot::Place(place) => {
            Row { cells: [picture.place(place).to_owned(), device.name.clone(), device.addresses.join(" ")], notes }
        }
    }
}

/// Tells whether a row goes on where another one ends: the next number, and all else the same.
fn alike(one: &Row, other: &Row) -> bool {
    let [name, device, addresses] = &one.cells;
    let [name2, device2, addresses2] = &other.cells;
    let next = match (numbered(name), numbered(name2)) {
        (Some((stem, number)), Some((stem2, number2))) => stem == stem2 && number.checked_add(1) == Some(number2),
        _ => false,
    };
    next && device == device2 && one.notes == other.notes && addresses.is_empty() == addresses2.is_empty()
}

/// Makes one row of many that are alike.
fn merged(first: &Row, last: &Row, more: usize) -> Option<Row> {
    if more == 0 {
        return Some(first.clone());
    }
    let between = |one: &str, other: &str| if one == other { one.to_owned() } else { format!("{one} … {other}") };
    let cell = |index: usize| Some(between(first.cells.get(index)?, last.cells.get(index)?));
    let cells = [format!("{} ({})", cell(0)?, more + 1), cell(1)?, cell(2)?];
    Some(Row { cells, notes: first.notes.clone() })
}

fn widths(rows: &[Row]) -> [usize; 3] {
    let widest = |column: usize| {
        rows.iter().filter_map(|row| row.cells.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    [widest(0), widest(1), widest(2)]
}

fn line(row: &Row, widths: &[usize; 3]) -> String {
    let cells = row.cells.iter().zip(widths).filter(|(_, width)| **width > 0);
    let mut text: String = cells.map(|(cell, width)| format!("{cell:<width$}  ")).collect();
    text.push_str(&row.notes);
    text.trim_end().to_owned()
}

/// Draws the cables between places, those at bridges aside.
fn cables(text: &mut String, picture: &Picture, width: usize) {
    let mut rows: Vec<[String; 3]> = Vec::new();
    for [one, other] in &picture.cables {
        let (Some(left), Some(right)) = (picture.device(*one), picture.device(*other)) else { continue };
        if left.master.is_some() || right.master.is_some() {
            continue;
        }
        let said: Vec<String> = match (notes(left), notes(right)) {
            (left, right) if left == right => vec![left],
            (left, right) => [("→", left), ("←", right)]
                .into_iter()
                .filter(|(_, note)| !note.is_empty())
                .map(|(way, note)| format!("{way} {note}"))
                .collect(),
        };
        let end = |place: usize, device: &Device| {
            let parts = [picture.place(place).to_owned(), device.name.clone(), device.addresses.join(" ")];
            parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
        };
        rows.push([end(one.0, left), end(other.0, right), said.join(" ")]);
    }
    let widest = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let (left_width, right_width) = (widest(0), widest(1));
    if !rows.is_empty() {
        text.push('\n');
    }
    for [left, right, said] in rows {
        let row = format!("{left:<left_width$} ─── {right:<right_width$}  {said}");
        let row = match row.trim_end().chars().count() <= width {
            true => row,
            // The columns are given up before words are.
            false => format!("{left} ─── {right}  {said}"),
        };
        let _ = writeln!(text, "{}", fit(row.trim_end(), width, "    "));
    }
}

/// Draws what no bridge and no cable shows: other devices, what places do, and places without any wire.
fn rest(
    text: &mut String,
    picture: &Picture,
    far: &BTreeMap<(usize, usize), (usize, usize)>,
    told: &BTreeSet<usize>,
    width: usize,
) {
    let mut rows: Vec<Row> = Vec::new();
    for (index, place) in picture.places.iter().enumerate().filter(|(index, _)| !told.contains(index)) {
        let shown = |device: usize, of: &Device| {
            of.kind == "bridge" || of.master.is_some() || far.contains_key(&(index, device))
        };
        let others: Vec<&Device> =
            place.devices.iter().enumerate().filter(|(device, of)| !shown(*device, of)).map(|(_, of)| of).collect();
        for device in &others {
            let what = format!("{} {}", device.name, device.kind);
            let row = Row { cells: [place.name.clone(), what, device.addresses.join(" ")], notes: notes(device) };
            rows.push(row);
        }
        if others.is_empty() && place.devices.is_empty() {
            rows.push(Row { cells: [place.name.clone(), "no wire".to_owned(), String::new()], notes: String::new() });
        }
        rows.extend(does(place));
    }
    if rows.is_empty() {
        return;
    }
    text.push('\n');
    let runs = runs(&rows, alike);
    let rows: Vec<Row> =
        runs.iter().filter_map(|(first, last)| merged(rows.get(*first)?, rows.get(*last)?, last - first)).collect();
    let widths = widths(&rows);
    for row in &rows {
        let _ = writeln!(text, "{}", fit(&line(row, &widths), width, "    "));
    }
}

fn does(place: &Place) -> Option<Row> {
    let said = place.notes.join(", ");
    (!said.is_empty()).then(|| Row { cells: [place.name.clone(), said, String::new()], notes: String::new() })
}

/// Breaks a line that is wider than so many columns between its words; what goes on stands behind `indent`.
pub(crate) fn fit(line: &str, width: usize, indent: &str) -> String {
    let columns = |text: &str| text.chars().count();
    if columns(line) <= width {
        return line.to_owned();
    }
    let (mut lines, mut last): (Vec<String>, String) = (Vec::new(), String::new());
    for word in line.split_inclusive(' ') {
        let is_full = columns(&last) + columns(word.trim_end()) > width;
        let has_words = !last.trim_start_matches(['│', ' ']).is_empty();
        if is_full && has_words {
            lines.push(std::mem::replace(&mut last, indent.to_owned()));
        }
        // A blank at the head of a line stands for nothing.
        if word != " " || lines.is_empty() || last != indent {
            last.push_str(word);
        }
    }
    lines.push(last);
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_wide_goes_on_below() {
        assert_eq!(fit("a b c", 10, "  "), "a b c");
        assert_eq!(fit("one  two three  four", 10, "    "), "one  two\n    three\n    four");
        assert_eq!(fit("├─ averyveryverylongname eth0", 12, "│    "), "├─\n│    averyveryverylongname\n│    eth0");
        assert_eq!(fit("unbreakable", 4, "  "), "unbreakable");
    }
}
