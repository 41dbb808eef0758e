//! Draws a picture for Graphviz (`dot`) and for Mermaid, which then lay it out. Pure.

use std::collections::BTreeSet;
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

/// Other devices of a place: those that no cable and no bridge shows.
fn others(picture: &Picture, place: usize) -> Vec<String> {
    let wired: BTreeSet<(usize, usize)> = picture.cables.iter().flatten().copied().collect();
    let Some(of) = picture.places.get(place) else { return Vec::new() };
    let devices = of.devices.iter().enumerate().filter(|(index, device)| {
        device.kind != "bridge" && device.master.is_none() && !wired.contains(&(place, *index))
    });
    devices
        .map(|(_, device)| {
            format!("{} ({}) {}", device.name, device.kind, device.addresses.join(" ")).trim_end().to_owned()
        })
        .collect()
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
        let name = quoted(&picture.spot_name(spot));
        let (shape, more) = match spot {
            Spot::Bridge(..) => ("box, style = \"rounded,filled\", fillcolor = \"#dbe9f6\"", Vec::new()),
            Spot::Place(place) => ("box", others(picture, place)),
        };
        let more: String = more.iter().map(|line| format!("\\n{}", quoted(line))).collect();
        let _ = writeln!(text, "  {} [label = \"{name}{more}\", shape = {shape}];", key(spot));
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
    // Mermaid has no escape within quotes but entities.
    let quoted =
        |text: &str| text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;");
    let mut text = "graph LR\n".to_owned();
    for spot in spots(picture) {
        let name = quoted(&picture.spot_name(spot));
        let _ = match spot {
            Spot::Bridge(..) => writeln!(text, "  {}([\"{name}\"])", key(spot)),
            Spot::Place(place) => {
                let more: String = others(picture, place).iter().map(|line| format!("<br>{}", quoted(line))).collect();
                writeln!(text, "  {}[\"{name}{more}\"]", key(spot))
            }
        };
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
