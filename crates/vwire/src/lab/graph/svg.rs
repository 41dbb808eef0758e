//! Draws a picture as SVG: bridges as bars, what is wired to them above and below, each name and address readable. Pure.
//!
//! Things stand in rows by how many cables they are away from the one with the most; in a row each stands near those
//! above it that it is wired to. Leaves that are alike are one stack, so that an office of 200 fits a page.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;

use super::{ALIKE, Picture, Spot, numbered};

const LETTER: usize = 7;
const LINE: usize = 16;
const GAP: usize = 28;
const ROW_GAP: usize = 96;
const MARGIN: usize = 24;
/// The most things in a row before it is broken.
const ROW: usize = 10;

/// A thing that is drawn: one spot, or a stack of leaves.
#[derive(Debug, Clone)]
struct Thing {
    lines: Vec<String>,
    is_bridge: bool,
    stack: usize,
    x: usize,
    y: usize,
    width: usize,
    height: usize,
}

/// Returns the picture as an SVG document.
#[must_use]
pub fn draw(picture: &Picture) -> String {
    let (mut things, edges) = things(picture);
    let (width, height) = place(&mut things, &edges);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<title>{}</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
        escaped(&picture.title)
    );
    let ends = ends(&things, &edges);
    for (edge, ends) in edges.iter().zip(&ends) {
        line(&mut text, *ends, edge);
    }
    things.iter().for_each(|thing| shape(&mut text, thing));
    text + "</svg>\n"
}

/// A cable between two things, with what stands at either end.
#[derive(Debug, Clone)]
struct Edge {
    from: usize,
    to: usize,
    labels: [Vec<String>; 2],
    dashed: bool,
}

/// Returns the things to draw and the cables between them.
fn things(picture: &Picture) -> (Vec<Thing>, Vec<Edge>) {
    let mut cables: BTreeMap<Spot, Vec<usize>> = BTreeMap::new();
    for (index, cable) in picture.cables.iter().enumerate() {
        for end in cable {
            cables.entry(picture.spot(*end)).or_default().push(index);
        }
    }
    let stacks = stacks(picture, &cables);
    let mut things = Vec::new();
    let mut at: BTreeMap<Spot, usize> = BTreeMap::new();
    let places = (0..picture.places.len()).filter(|place| !picture.is_bridge_alone(*place)).map(Spot::Place);
    let bridges = picture.bridges().into_iter().map(|(place, device)| Spot::Bridge(place, device));
    for spot in bridges.chain(places) {
        match stacks.get(&spot) {
            Some((first, _)) if *first != spot => {}
            Some((first, last)) => {
                let (Spot::Place(one), Spot::Place(other)) = (*first, *last) else { continue };
                let count = stacks.values().filter(|(known, _)| known == first).count();
                let name = format!("{} … {} ({count})", picture.place(one), picture.place(other));
                at.insert(spot, things.len());
                things.push(thing(vec![name], false, 2));
            }
            None => {
                at.insert(spot, things.len());
                things.push(thing(picture.lines(spot), matches!(spot, Spot::Bridge(..)), 0));
            }
        }
    }
    let mut edges = Vec::new();
    for [one, other] in &picture.cables {
        let ends = [*one, *other].map(|end| (picture.spot(end), end));
        let [Some(from), Some(to)] = ends.map(|(spot, _)| at.get(&spot).copied()) else { continue };
        let labels = ends.map(|(spot, end)| label(picture, spot, end, &stacks));
        edges.push(Edge { from, to, labels, dashed: false });
    }
    for (place, device) in picture.bridges() {
        let inside = (at.get(&Spot::Bridge(place, device)), at.get(&Spot::Place(place)));
        if let (Some(from), Some(to)) = inside {
            edges.push(Edge { from: *from, to: *to, labels: [Vec::new(), Vec::new()], dashed: true });
        }
    }
    (things, edges)
}

/// What stands beside an end of a cable: nothing at a bridge, whose ports say nothing new.
fn label(picture: &Picture, spot: Spot, end: (usize, usize), stacks: &BTreeMap<Spot, (Spot, Spot)>) -> Vec<String> {
    let Some(device) = picture.device(end) else { return Vec::new() };
    if matches!(spot, Spot::Bridge(..)) {
        return device.notes.iter().filter(|note| !note.starts_with("mtu ")).cloned().collect();
    }
    let mut lines = vec![device.name.clone()];
    match stacks.get(&spot) {
        Some((_, Spot::Place(last))) => {
            let last =
                picture.places.get(*last).and_then(|place| place.devices.iter().find(|of| of.name == device.name));
            let last = last.map(|device| device.addresses.clone()).unwrap_or_default();
            let pairs = device.addresses.iter().zip(&last);
            lines.extend(pairs.flat_map(|(first, last)| [first.clone(), format!("… {last}")]));
        }
        _ => lines.extend(device.addresses.iter().cloned()),
    }
    lines.extend(device.notes.iter().cloned());
    lines
}

/// Finds leaves that are alike: one cable each, to the same bridge, with names that count up.
fn stacks(picture: &Picture, cables: &BTreeMap<Spot, Vec<usize>>) -> BTreeMap<Spot, (Spot, Spot)> {
    let mut groups: BTreeMap<(Spot, &str), Vec<(u64, Spot)>> = BTreeMap::new();
    for (spot, of) in cables {
        let (Spot::Place(place), [cable]) = (*spot, of.as_slice()) else { continue };
        let Some([one, other]) = picture.cables.get(*cable) else { continue };
        let far = if picture.spot(*one) == *spot { picture.spot(*other) } else { picture.spot(*one) };
        let plain = picture.places.get(place).is_some_and(|place| place.devices.len() == 1 && place.notes.is_empty());
        if let (true, Some((stem, number))) = (plain, numbered(picture.place(place))) {
            groups.entry((far, stem)).or_default().push((number, *spot));
        }
    }
    let mut stacks = BTreeMap::new();
    for mut group in groups.into_values().filter(|group| group.len() >= ALIKE) {
        group.sort_unstable();
        let (Some((_, first)), Some((_, last))) = (group.first().copied(), group.last().copied()) else { continue };
        stacks.extend(group.into_iter().map(|(_, spot)| (spot, (first, last))));
    }
    stacks
}

fn thing(lines: Vec<String>, is_bridge: bool, stack: usize) -> Thing {
    let widest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    let (width, height) = ((widest * LETTER + 24).max(72), lines.len() * LINE + 16);
    Thing { lines, is_bridge, stack, x: 0, y: 0, width, height }
}

/// Gives each thing its place and returns the size of the whole.
fn place(things: &mut [Thing], edges: &[Edge]) -> (usize, usize) {
    let rows = rows(things.len(), edges);
    widen(things, edges, &rows);
    let (mut y, mut widest) = (MARGIN, 0);
    let room = |row: &[usize], things: &[Thing]| -> usize {
        // A column is as wide as the thing in it or the labels of its cables.
        row.iter().filter_map(|at| things.get(*at)).map(|thing| thing.width.max(132) + GAP).sum()
    };
    for row in &rows {
        widest = widest.max(room(row, things));
    }
    for row in &rows {
        let mut x = MARGIN + (widest - room(row, things)) / 2;
        let mut tallest = 0;
        for at in row {
            let Some(thing) = things.get_mut(*at) else { continue };
            let column = thing.width.max(132);
            thing.x = x + (column - thing.width) / 2;
            thing.y = y;
            x += column + GAP;
            tallest = tallest.max(thing.height);
        }
        y += tallest + ROW_GAP;
    }
    (widest + 2 * MARGIN, (y + MARGIN).saturating_sub(ROW_GAP).max(2 * MARGIN))
}

/// Puts things into rows by their distance, and in a row by where those above are that they are wired to.
fn rows(count: usize, edges: &[Edge]) -> Vec<Vec<usize>> {
    let mut near: Vec<Vec<usize>> = vec![Vec::new(); count];
    for edge in edges {
        for (one, other) in [(edge.from, edge.to), (edge.to, edge.from)] {
            if let Some(near) = near.get_mut(one) {
                near.push(other);
            }
        }
    }
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|at| std::cmp::Reverse(near.get(*at).map_or(0, Vec::len)));
    let mut level: Vec<Option<usize>> = vec![None; count];
    let mut rows: Vec<Vec<usize>> = Vec::new();
    let mut base = 0;
    for start in order {
        if level.get(start).is_none_or(Option::is_some) {
            continue;
        }
        let mut queue = VecDeque::from([(start, base)]);
        let mut deepest = base;
        while let Some((at, depth)) = queue.pop_front() {
            let Some(place) = level.get_mut(at).filter(|place| place.is_none()) else { continue };
            *place = Some(depth);
            deepest = deepest.max(depth);
            rows.resize_with(rows.len().max(depth + 1), Vec::new);
            if let Some(row) = rows.get_mut(depth) {
                row.push(at);
            }
            let next = near.get(at).into_iter().flatten().filter(|at| level.get(**at).is_some_and(Option::is_none));
            queue.extend(next.map(|at| (*at, depth + 1)).collect::<Vec<_>>());
        }
        // What is wired to nothing shares a row; what is wired stands below.
        base = if near.get(start).is_some_and(Vec::is_empty) { base } else { deepest + 1 };
    }
    rows.into_iter().flat_map(|row| row.chunks(ROW).map(<[usize]>::to_vec).collect::<Vec<_>>()).collect()
}

fn escaped(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            letter if letter.is_control() => "\u{fffd}".to_owned(),
            letter => letter.to_string(),
        })
        .collect()
}

fn shape(text: &mut String, thing: &Thing) {
    let (fill, stroke, round) = if thing.is_bridge { ("#dbe9f6", "#3b6ea5", 10) } else { ("#f7f7f2", "#555555", 3) };
    for back in (0..=thing.stack).rev() {
        let (x, y) = (thing.x + back * 4, thing.y + back * 4);
        let _ = writeln!(
            text,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" rx=\"{round}\" fill=\"{fill}\" stroke=\"{stroke}\"/>",
            thing.width, thing.height
        );
    }
    for (index, line) in thing.lines.iter().enumerate() {
        let weight = if index == 0 { " font-weight=\"bold\"" } else { "" };
        let (x, y) = (thing.x + thing.width / 2, thing.y + 20 + index * LINE);
        let _ = writeln!(text, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\"{weight}>{}</text>", escaped(line));
    }
}

/// Where a cable ends: the point, and whether it comes from above.
type Point = (usize, usize, bool);

/// The cables at a side of a thing: where each leads to, which it is, and which of its ends is here.
type Leads = Vec<(usize, usize, usize)>;

/// Shares the upper and the lower side of each thing among the cables there, in the order of where they lead.
fn ends(things: &[Thing], edges: &[Edge]) -> Vec<[Point; 2]> {
    let y = |at: usize| things.get(at).map_or(0, |thing| thing.y);
    let middle = |at: usize| things.get(at).map_or(0, |thing| thing.x + thing.width / 2);
    let mut sides: BTreeMap<(usize, bool), Leads> = BTreeMap::new();
    for (index, edge) in edges.iter().enumerate() {
        for (side, at, far) in [(0, edge.from, edge.to), (1, edge.to, edge.from)] {
            sides.entry((at, y(far) < y(at))).or_default().push((middle(far), index, side));
        }
    }
    let mut ends = vec![[(0, 0, false); 2]; edges.len()];
    for ((at, above), mut cables) in sides {
        let Some(thing) = things.get(at) else { continue };
        cables.sort_unstable();
        for (place, (_, index, side)) in cables.iter().enumerate() {
            let x = thing.x + (2 * place + 1) * thing.width / (2 * cables.len());
            let y = if above { thing.y } else { thing.y + thing.height };
            if let Some(end) = ends.get_mut(*index).and_then(|ends| ends.get_mut(*side)) {
                *end = (x, y, above);
            }
        }
    }
    ends
}

/// Draws a cable with the labels beside its ends.
fn line(text: &mut String, ends: [Point; 2], edge: &Edge) {
    let [(x1, y1, above1), (x2, y2, above2)] = ends;
    let dash = if edge.dashed { " stroke-dasharray=\"4 3\"" } else { "" };
    let path = if above1 == above2 {
        let (low, between) = (y1.max(y2) + 60, x1.midpoint(x2));
        format!("M {x1} {y1} Q {between} {low} {x2} {y2}")
    } else {
        format!("M {x1} {y1} L {x2} {y2}")
    };
    let _ = writeln!(text, "<path d=\"{path}\" fill=\"none\" stroke=\"#777777\"{dash}/>");
    for ((x, y, above), lines) in ends.into_iter().zip(&edge.labels) {
        // Above a thing the last line is nearest to it, below it the first.
        for (index, label) in lines.iter().enumerate() {
            let y = if above { y.saturating_sub(6 + (lines.len() - 1 - index) * 12) } else { y + 14 + index * 12 };
            let _ = writeln!(
                text,
                "<text x=\"{}\" y=\"{y}\" font-size=\"10\" fill=\"#333333\" stroke=\"#ffffff\" stroke-width=\"3\" \
                 paint-order=\"stroke\">{}</text>",
                x + 5,
                escaped(label)
            );
        }
    }
}

/// Makes things as wide as the labels of the cables at one of their sides want.
fn widen(things: &mut [Thing], edges: &[Edge], rows: &[Vec<usize>]) {
    let row_of: BTreeMap<usize, usize> =
        rows.iter().enumerate().flat_map(|(row, of)| of.iter().map(move |at| (*at, row))).collect();
    let mut sides: BTreeMap<(usize, bool), (usize, usize)> = BTreeMap::new();
    for edge in edges {
        let [left, right] = &edge.labels;
        for (at, far, labels) in [(edge.from, edge.to, left), (edge.to, edge.from, right)] {
            let widest = labels.iter().map(|label| label.chars().count()).max().map_or(0, |most| most * 6 + 14);
            let side = sides.entry((at, row_of.get(&far) < row_of.get(&at))).or_default();
            *side = (side.0 + 1, side.1.max(widest));
        }
    }
    for ((at, _), (count, widest)) in sides {
        if let Some(thing) = things.get_mut(at).filter(|_| count > 1) {
            thing.width = thing.width.max(count * widest.max(14));
        }
    }
}
