//! Draws a picture for Graphviz (`dot`) and for Mermaid, which then lay it out. Pure.

use std::fmt::Write as _;

use super::{Picture, Spot};

/// What is drawn: bridges, and places that are more than a bridge.
fn spots(picture: &Picture) -> Vec<Spot> {
    let places = (0..picture.places.len()).filter(|place| !picture.is_bridge_alone(*place)).map(Spot::Place);
    let bridges = picture.bridges().into_iter().map(|(place, device)| Spot::Bridge(place, device));
    bridges.chain(places).collect()
}

fn key(spot: Spot) -> String {
    match spot {
        Spot::Bridge(place, device) => format!("b{place}_{device}"),
        Spot::Place(place) => format!("n{place}"),
    }
}

/// The pairs of a bridge and the place that it lives in, where that is drawn, too.
fn inside(picture: &Picture) -> Vec<(Spot, Spot)> {
    let bridges = picture.bridges().into_iter().filter(|(place, _)| !picture.is_bridge_alone(*place));
    bridges.map(|(place, device)| (Spot::Bridge(place, device), Spot::Place(place))).collect()
}

/// What stands at an end of a cable: the device, its addresses, what is said of it.
fn end(picture: &Picture, at: (usize, usize), between: &str) -> String {
    let Some(device) = picture.device(at) else { return String::new() };
    let parts = [vec![device.name.clone()], device.addresses.clone(), device.notes.clone()];
    parts.concat().join(between)
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// Returns the picture in Graphviz's language.
#[must_use]
pub fn dot(picture: &Picture) -> String {
    let mut text = format!("graph \"{}\" {{\n", quoted(&picture.title));
    text += "  overlap = false; splines = true;\n  node [fontname = \"sans-serif\"]; edge [fontname = \"sans-serif\", fontsize = 9];\n";
    for spot in spots(picture) {
        let shape = match spot {
            Spot::Bridge(..) => "box, style = \"rounded,filled\", fillcolor = \"#dbe9f6\"",
            Spot::Place(_) => "box",
        };
        let lines: Vec<String> = picture.lines(spot).iter().map(|line| quoted(line)).collect();
        let _ = writeln!(text, "  {} [label = \"{}\", shape = {shape}];", key(spot), lines.join("\\n"));
    }
    for [one, other] in &picture.cables {
        let (left, right) = (picture.spot(*one), picture.spot(*other));
        let (tail, head) = (end(picture, *one, "\n"), end(picture, *other, "\n"));
        let label = |text: &str| quoted(text).replace('\n', "\\n");
        let _ = writeln!(
            text,
            "  {} -- {} [taillabel = \"{}\", headlabel = \"{}\"];",
            key(left),
            key(right),
            label(&tail),
            label(&head)
        );
    }
    for (bridge, place) in inside(picture) {
        let _ = writeln!(text, "  {} -- {} [style = dashed];", key(bridge), key(place));
    }
    text + "}\n"
}

/// Returns the picture in Mermaid's language.
#[must_use]
pub fn mermaid(picture: &Picture) -> String {
    // Within quotes there is no escape but Mermaid's own entities, which begin with `#`.
    let quoted = |text: &str| {
        let letter = |letter: char| match letter {
            '#' => "#35;".to_owned(),
            '"' => "#quot;".to_owned(),
            '&' => "#amp;".to_owned(),
            '<' => "#lt;".to_owned(),
            '>' => "#gt;".to_owned(),
            other => other.to_string(),
        };
        text.chars().map(letter).collect::<String>()
    };
    let mut text = "graph LR\n".to_owned();
    for spot in spots(picture) {
        let lines: Vec<String> = picture.lines(spot).iter().map(|line| quoted(line)).collect();
        let (open, close) = if matches!(spot, Spot::Bridge(..)) { ("([\"", "\"])") } else { ("[\"", "\"]") };
        let _ = writeln!(text, "  {}{open}{}{close}", key(spot), lines.join("<br>"));
    }
    for [one, other] in &picture.cables {
        let label = format!("{} – {}", end(picture, *one, " "), end(picture, *other, " "));
        let (left, right) = (key(picture.spot(*one)), key(picture.spot(*other)));
        let _ = writeln!(text, "  {left} -- \"{}\" --- {right}", quoted(&label));
    }
    for (bridge, place) in inside(picture) {
        let _ = writeln!(text, "  {} -.- {}", key(bridge), key(place));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::graph::{Device, Place};

    #[test]
    fn what_has_a_meaning_to_the_languages_is_escaped() {
        let device = Device { name: "v0".to_owned(), kind: "tap".to_owned(), ..Device::default() };
        let place = Place { name: "a \"b\" <#1>".to_owned(), devices: vec![device], ..Place::default() };
        let picture = Picture { title: "x".to_owned(), places: vec![place], ..Picture::default() };
        assert!(dot(&picture).contains("label = \"a \\\"b\\\" <#1>\\nv0 (tap)\""), "{}", dot(&picture));
        let wanted = "n0[\"a #quot;b#quot; #lt;#35;1#gt;<br>v0 (tap)\"]";
        assert!(mermaid(&picture).contains(wanted), "{}", mermaid(&picture));
    }
}
