//! Reads lab files good and bad: ready labs, a hundred mistakes with their places, noise; the schema and the reference.

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::{Value, json};
use toml::de::{DeTable, DeValue};
use vwire::lab::file::field::{Grammar, Kind, Table};
use vwire::lab::file::{self, Problem, RootAlone, tables};
use vwire::lab::graph::{dot, of_lab, svg, text};
use vwire::lab::model::Lab;
use vwire::lab::schema::schema;
use vwire::lab::topo::Shape;

use crate::sources::top;

/// Bad files, each under a line `## WHAT | LINE:COLUMN | MESSAGE`.
const BAD: &str = include_str!("../labs/bad.txt");

fn shown(problems: &[Problem]) -> String {
    problems.iter().map(|problem| problem.render(false, 100)).collect()
}

fn ready() -> Vec<(String, String)> {
    let files = fs::read_dir(top().join("labs")).unwrap().map(|entry| entry.unwrap().path());
    let mut labs: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap()))
        .collect();
    labs.sort();
    assert!(labs.len() >= 8, "only {} ready labs were found", labs.len());
    labs
}

fn read(text: &str, name: &str) -> Lab {
    match file::read(text, name) {
        Ok((lab, warnings)) => {
            assert!(warnings.is_empty(), "{}", shown(&warnings));
            lab
        }
        Err(problems) => panic!("{}", shown(&problems)),
    }
}

#[test]
fn every_ready_lab_is_read_without_a_warning_and_called_as_its_file() {
    for (name, text) in ready() {
        let lab = read(&text, &name);
        assert_eq!(format!("{}.toml", lab.name), name);
        assert!(!lab.checks.is_empty(), "{name} checks nothing");
        assert!(text.starts_with("# "), "{name} does not begin with what it is for");
    }
}

/// The bad files: what is bad, where, what is said of it, and the text.
fn bad() -> Vec<(&'static str, &'static str, &'static str, &'static str)> {
    let parts = BAD.split("## ").skip(1).map(|part| {
        let (head, text) = part.split_once('\n').unwrap();
        let head: Vec<&str> = head.splitn(3, " | ").collect();
        (head[0], head[1], head[2], text)
    });
    parts.collect()
}

#[test]
fn a_hundred_bad_files_each_name_the_place_and_the_mistake() {
    let all = bad();
    assert!(all.len() >= 100, "only {} bad files", all.len());
    let mut wrong = String::new();
    for (what, place, message, text) in all {
        let (found, said) = match file::read(text, "bad.toml") {
            Ok(_) => ("nowhere".to_owned(), "nothing".to_owned()),
            Err(problems) => (format!("{}:{}", problems[0].line, problems[0].column), problems[0].message.clone()),
        };
        if (found.as_str(), said.as_str()) != (place, message) {
            let _ = writeln!(wrong, "## {what} | {found} | {said}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn several_mistakes_are_told_at_once_in_the_order_of_the_file() {
    let text = "nmae = 'x'\n[node.a]\nforwarding = 1\n[node.b]\nuse = 7\n";
    let problems = file::read(text, "bad.toml").unwrap_err();
    let lines: Vec<usize> = problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [1, 3, 5], "{}", shown(&problems));
}

#[test]
fn a_mistake_is_shown_with_its_line_and_what_would_be_right() {
    let text = "nodes = [\"alice\", \"bob\"]\nwires = [\n  \"alice:eth0 10.0.0.1/24 -- bob delya 10ms\",\n]\n";
    let problems = file::read(text, "office.toml").unwrap_err();
    let expected = "error: a wire has no word `delya`\n --> office.toml:3:34\n3 |   \"alice:eth0 10.0.0.1/24 -- bob delya 10ms\",\n  \
                    |                                  ^^^^^ did you mean `delay`?\n";
    assert_eq!(shown(&problems), expected);
}

#[test]
fn what_is_no_text_names_the_byte() {
    let problems = file::read_bytes(b"name = \"a\"\nnodes = [\"\xff\"]\n", "bad.toml", &RootAlone).unwrap_err();
    assert_eq!((problems[0].line, problems[0].column), (2, 11));
    assert_eq!(problems[0].message, "the byte 0xff is no UTF-8");
}

#[test]
fn what_is_too_large_is_refused_before_it_is_read() {
    for noise in [vec![b'['; 10 << 20], vec![0; 10 << 20], "nodes = []\n".repeat(1 << 20).into_bytes()] {
        let begin = Instant::now();
        let problems = file::read_bytes(&noise, "noise.toml", &RootAlone).unwrap_err();
        assert!(problems[0].message.contains("more than 1048576 bytes"), "{}", problems[0].message);
        assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    }
}

/// Files of a quarter of the most bytes whose insides are hostile: deep, long, or very many of something.
fn hostile() -> Vec<(&'static str, String)> {
    let most = file::LARGEST / 4;
    let many = |one: &dyn Fn(usize) -> String| {
        let mut text = String::new();
        for number in 0.. {
            let more = one(number);
            if text.len() + more.len() > most {
                break;
            }
            text += &more;
        }
        text
    };
    vec![
        ("brackets", "[".repeat(most)),
        ("braces", "a={".repeat(most / 3)),
        ("lists in lists", format!("nodes = {}", "[".repeat(most - 16))),
        ("quotes", "\"".repeat(most)),
        ("dots", format!("a{} = 1", ".a".repeat(most / 2 - 16))),
        ("line ends", "\n".repeat(most)),
        ("a long string", format!("name = \"{}\"", "a".repeat(most - 16))),
        ("a long wire", format!("wires = [\"{}\"]", "a -- b ".repeat(most / 7 - 8))),
        ("many nodes", many(&|number| format!("[node.n{number}]\n"))),
        ("many bridges", many(&|number| format!("[bridge.n{number}]\n"))),
        (
            "many templates",
            many(&|number| format!("[template.t{number}]\nuse=\"t{}\"\n", number + 1)) + "[node.a]\nuse=\"t0\"\n",
        ),
        ("many conditions", many(&|number| format!("[condition.c{number}]\nlike=\"c{}\"\n", number + 1))),
        ("many wires", format!("nodes=[\"a\",\"b\"]\nwires=[{}]", "\"a -- b\",".repeat(most / 10 - 8))),
        ("many wires of many", format!("wires=[{}]\n[node.a]\ncount=4000", "\"a -- b\",".repeat(most / 10 - 8))),
        ("many checks", format!("nodes=[\"a\"]\nchecks=[{}]", "\"a reaches 10.0.0.1\",".repeat(most / 22 - 8))),
        (
            "many checks of all",
            format!("checks=[{}]\n[node.a]\ncount=140", "\"all reaches all\",".repeat(most / 19 - 8)),
        ),
        ("many keys", many(&|number| format!("k{number}=1\n"))),
        (
            "many routes of many",
            format!("[node.a]\ncount=4000\nroutes=[{}]", "\"blackhole 10.0.0.0/8\",".repeat(most / 24 - 8)),
        ),
        ("many devices", many(&|number| format!("[node.a.dummy.d{number}]\n"))),
        ("many vlans", many(&|number| format!("[node.a.vlan.d{number}]\nid=1\nparent=\"d{}\"\n", number + 1))),
    ]
}

#[test]
fn hostile_files_are_refused_or_read_in_bounded_time() {
    for (what, text) in hostile() {
        let begin = Instant::now();
        let result = file::read(&text, "hostile.toml");
        let took = begin.elapsed();
        assert!(took < Duration::from_secs(30), "{what}: {took:?}");
        if let Ok((lab, _)) = result {
            assert!(lab.nodes.len() <= file::draft::MOST_NODES, "{what}");
        }
    }
}

/// Words that are likely to get far into the readers.
const WORDS: &[&str] = &[
    "a",
    "b",
    "h",
    "lan",
    "host",
    "all",
    "--",
    "->",
    "<-",
    ":",
    "/",
    "10.0.0.1/24",
    "10.0.0.2",
    "fd00::1/64",
    "default",
    "via",
    "dev",
    "eth0",
    "delay",
    "10ms",
    "loss",
    "1%",
    "rate",
    "1mbit",
    "like",
    "wifi",
    "mtu",
    "1500",
    "prefix",
    "10.0.0.0/24",
    "auto",
    "none",
    "mac",
    "02:00:00:00:00:01",
    "vlan",
    "10",
    "trunk",
    "1-5",
    "reaches",
    "must-not-reach",
    "table",
    "100",
    "from",
    "to",
    "masquerade",
    "forward",
    "tcp",
    "out",
    "in",
    "drop",
    "input",
    "nexthop",
    "weight",
    "{n}",
    "\u{0}",
    "é",
    "",
];

const KEYS: &[&str] = &[
    "name",
    "nodes",
    "wires",
    "checks",
    "node.a.routes",
    "node.a.rules",
    "node.a.nat",
    "node.a.filter",
    "node.a.neighbours",
    "node.a.run",
    "node.a.use",
    "node.a.count",
    "node.a.sysctl",
    "node.a.forwarding",
    "bridge.lan.prefix",
    "bridge.lan.gateway",
    "bridge.lan.address",
    "bridge.lan.node",
    "node.a.vlan.v.parent",
    "node.a.vlan.v.id",
    "node.a.tap.t.master",
    "node.a.vxlan.x.remote",
    "template.t.use",
    "condition.c.like",
    "wire",
];

fn line() -> impl Strategy<Value = String> {
    let sentence = prop::collection::vec(prop::sample::select(WORDS), 0..8).prop_map(|words| words.join(" "));
    let string = sentence.prop_map(|text| format!("{}", json!(text)));
    let value = prop_oneof![
        4 => string.clone(),
        4 => prop::collection::vec(string.clone(), 0..4).prop_map(|all| format!("[{}]", all.join(", "))),
        1 => any::<i64>().prop_map(|number| number.to_string()),
        1 => any::<bool>().prop_map(|switch| switch.to_string()),
        1 => (prop::sample::select(WORDS), string).prop_map(|(key, value)| format!("{{ {} = {value} }}", json!(key))),
    ];
    (prop::sample::select(KEYS), value).prop_map(|(key, value)| format!("{key} = {value}\n"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,200}") {
        let _ = file::read(&text, "any.toml");
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = file::read_bytes(&bytes, "any.toml", &RootAlone);
    }

    #[test]
    fn nothing_that_looks_like_a_lab_makes_the_reader_panic(lines in prop::collection::vec(line(), 0..12)) {
        let text = format!("nodes = [\"b\"]\nwires = [\"a 10.0.0.1/24 -- lan\", \"b -- lan\"]\n{}", lines.concat());
        for text in [lines.concat(), text] {
            if let Err(problems) = file::read(&text, "any.toml") {
                prop_assert!(!problems.is_empty() && problems.len() <= 20);
                for problem in problems {
                    prop_assert!(problem.line >= 1 && problem.column >= 1 && !problem.message.is_empty());
                    let _ = problem.render(true, 80);
                }
            }
        }
    }

    #[test]
    fn a_ready_lab_with_one_letter_changed_is_read_or_refused(which in 0..8_usize, at in any::<prop::sample::Index>(), to in any::<char>()) {
        let labs = ready();
        let text = &labs[which % labs.len()].1;
        let mut letters: Vec<char> = text.chars().collect();
        let at = at.index(letters.len());
        letters[at] = to;
        let _ = file::read(&letters.into_iter().collect::<String>(), "any.toml");
    }
}

/// Turns a TOML value into JSON, as editors do.
fn to_json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => json!(text),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or(json!(1e30), |number| json!(number))
        }
        DeValue::Float(number) => json!(number.as_str().parse::<f64>().unwrap_or(0.5)),
        DeValue::Boolean(switch) => json!(switch),
        DeValue::Datetime(date) => json!({ "date": date.to_string() }),
        DeValue::Array(values) => values.iter().map(|value| to_json(value.get_ref())).collect(),
        DeValue::Table(table) => table_to_json(table),
    }
}

fn table_to_json(table: &DeTable<'_>) -> Value {
    let pairs = table.iter().map(|(key, value)| (key.get_ref().to_string(), to_json(value.get_ref())));
    Value::Object(pairs.collect())
}

/// Holds a value against the parts of JSON Schema that ours is made of, and fails on any other.
fn valid(schema: &Value, root: &Value, value: &Value) -> bool {
    let schema = schema.as_object().unwrap();
    schema.iter().all(|(word, rule)| match word.as_str() {
        "$schema" | "$defs" | "title" | "description" => true,
        "$ref" => valid(root.pointer(rule.as_str().unwrap().trim_start_matches('#')).unwrap(), root, value),
        "type" => match rule {
            Value::Array(any) => any.iter().any(|rule| is_of(rule, value)),
            rule => is_of(rule, value),
        },
        "pattern" => {
            value.as_str().is_none_or(|text| regex_lite::Regex::new(rule.as_str().unwrap()).unwrap().is_match(text))
        }
        "minimum" => value.as_i64().is_none_or(|number| number >= rule.as_i64().unwrap()),
        "maximum" => value.as_i64().is_none_or(|number| number <= rule.as_i64().unwrap()),
        "enum" => rule.as_array().unwrap().contains(value),
        "items" => value.as_array().is_none_or(|values| values.iter().all(|value| valid(rule, root, value))),
        "anyOf" => rule.as_array().unwrap().iter().any(|rule| valid(rule, root, value)),
        "allOf" => rule.as_array().unwrap().iter().all(|rule| valid(rule, root, value)),
        "required" => value
            .as_object()
            .is_none_or(|object| rule.as_array().unwrap().iter().all(|key| object.contains_key(key.as_str().unwrap()))),
        "properties" => value.as_object().is_none_or(|object| {
            let known = rule.as_object().unwrap();
            object.iter().all(|(key, value)| known.get(key).is_none_or(|rule| valid(rule, root, value)))
        }),
        "additionalProperties" => value.as_object().is_none_or(|object| {
            let known = schema.get("properties").and_then(Value::as_object);
            let mut others = object.iter().filter(|(key, _)| known.is_none_or(|known| !known.contains_key(*key)));
            match rule {
                Value::Bool(false) => others.next().is_none(),
                rule => others.all(|(_, value)| valid(rule, root, value)),
            }
        }),
        word => panic!("the schema uses `{word}`, which this test does not know"),
    })
}

fn is_of(rule: &Value, value: &Value) -> bool {
    match rule.as_str().unwrap() {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the schema uses the type `{other}`"),
    }
}

#[test]
fn the_schema_takes_every_good_file() {
    let schema = schema();
    let mut good = ready();
    for (name, shape) in [("star", Shape::Star(200)), ("line", Shape::Line(5)), ("fattree", Shape::FatTree(4))] {
        good.push((name.to_owned(), shape.file().unwrap()));
    }
    for (name, text) in good {
        let value = table_to_json(DeTable::parse(&text).unwrap().get_ref());
        assert!(valid(&schema, &schema, &value), "{name}");
    }
}

#[test]
fn the_schema_refuses_what_is_of_the_wrong_shape() {
    let schema = schema();
    let (mut refused, mut asked) = (0, 0);
    for (what, _, message, text) in bad() {
        let Ok(table) = DeTable::parse(text) else { continue };
        let by_schema = !valid(&schema, &schema, &table_to_json(table.get_ref()));
        let of_shape = message.starts_with("unknown key")
            || message.contains("` cannot be ")
            || (message.starts_with('`') && message.contains("out of range"));
        asked += usize::from(of_shape);
        refused += usize::from(by_schema);
        assert!(by_schema || !of_shape, "{what}: an editor would not mark it: {message}");
    }
    assert!(asked >= 25 && refused >= 40, "{refused} refused, {asked} of the wrong shape");
}

#[test]
fn each_example_is_what_the_schema_takes() {
    let schema = schema();
    let all = all_tables();
    for table in &all {
        for field in table.fields.iter().filter(|field| !field.example.is_empty()) {
            let text = format!("x = {}", field.example);
            let parsed = DeTable::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", field.key));
            let value = to_json(parsed.get_ref().iter().next().unwrap().1.get_ref());
            let rule = properties(&schema, table).get(field.key).unwrap().clone();
            assert!(valid(&rule, &schema, &value), "{} of {}: {}", field.key, table.head, field.example);
        }
    }
}

/// Finds the properties of a table in the schema.
fn properties(schema: &Value, table: &Table) -> Value {
    let definitions = schema["$defs"].as_object().unwrap().values().chain([schema]);
    let keys: Vec<&str> = table.fields.iter().map(|field| field.key).collect();
    let fits = |definition: &&Value| {
        definition["properties"]
            .as_object()
            .is_some_and(|known| known.len() == keys.len() && keys.iter().all(|key| known.contains_key(*key)))
            && definition["description"] == json!(table.about)
    };
    definitions.into_iter().find(fits).unwrap_or_else(|| panic!("no schema for {}", table.head))["properties"].clone()
}

/// Every table of the file, in the order in which each is first named.
fn all_tables() -> Vec<&'static Table> {
    fn inside(kind: &Kind, found: &mut Vec<&'static Table>) {
        let table = match kind {
            Kind::List(kind) | Kind::OneOrMore(kind) => return inside(kind, found),
            Kind::LineOrTable(_, table) | Kind::Table(table) | Kind::Named(table) => *table,
            _ => return,
        };
        if !found.iter().any(|known| known.head == table.head) {
            found.push(table);
        }
    }
    let mut found: Vec<&'static Table> = vec![&tables::FILE, &tables::NODE, &tables::BRIDGE];
    let mut next = 0;
    while let Some(table) = found.get(next).copied() {
        table.fields.iter().for_each(|field| inside(&field.kind, &mut found));
        next += 1;
    }
    found
}

fn grammars() -> Vec<&'static Grammar> {
    fn inside(kind: &Kind, found: &mut Vec<&'static Grammar>) {
        match kind {
            Kind::List(kind) | Kind::OneOrMore(kind) => inside(kind, found),
            Kind::Text(grammar) | Kind::LineOrTable(grammar, _)
                if !found.iter().any(|known| known.name == grammar.name) =>
            {
                found.push(grammar);
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    for field in all_tables().iter().flat_map(|table| table.fields) {
        inside(&field.kind, &mut found);
    }
    found
}

/// What a value is, in words that link to how it is written.
fn sort(kind: &Kind) -> String {
    let anchor = |name: &str| format!("{}-string", name.to_lowercase().replace(' ', "-").replace('\'', ""));
    match kind {
        Kind::Text(grammar) => format!("[{}](#{})", grammar.name, anchor(grammar.name)),
        Kind::Switch => "`true` or `false`".to_owned(),
        Kind::Number(least, most) if *most == u32::MAX => format!("number from {least}"),
        Kind::Number(least, most) => format!("number, {least} to {most}"),
        Kind::Choice(words) => words.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", "),
        Kind::List(kind) => format!("list: {}", sort(kind)),
        Kind::OneOrMore(kind) => format!("{}, or a list", sort(kind)),
        Kind::LineOrTable(grammar, _) => format!("[{}](#{}), line or table", grammar.name, anchor(grammar.name)),
        Kind::Table(_) => "table".to_owned(),
        Kind::Named(_) => "tables by name".to_owned(),
        Kind::Sysctls => "table".to_owned(),
    }
}

/// The part of the reference that is made from the tables.
fn reference() -> String {
    let mut text = String::new();
    for table in all_tables() {
        let _ = write!(text, "\n### `{}`\n\n{}\n\n", table.head, table.about);
        text += "| key | value | what it is for | if not said |\n|---|---|---|---|\n";
        for field in table.fields {
            let example = if field.example.is_empty() { String::new() } else { format!(" `{}`", field.example) };
            let cells = [sort(&field.kind), format!("{}{example}", field.about), field.default.to_owned()];
            let cells = cells.map(|cell| cell.replace('|', "\\|")).join(" | ");
            let _ = writeln!(text, "| `{}` | {cells} |", field.key);
        }
    }
    text += "\n## How strings are written\n";
    for grammar in grammars() {
        let _ = write!(text, "\n### {} (string)\n\n{}\n", grammar.name, grammar.about);
        if !grammar.shape.is_empty() {
            let _ = write!(text, "\n```text\n{}\n```\n", grammar.shape);
        }
    }
    text
}

/// The line of the reference behind which all is made from the tables.
const MARK: &str =
    "<!-- From here on made from the tables; VWIRE_WRITE_DOCS=1 cargo test -p vwire --test it lab_file -->\n";

#[test]
fn the_reference_says_what_the_tables_say() {
    let path = top().join("docs/reference-lab.md");
    let text = fs::read_to_string(&path).unwrap();
    let (before, after) = text.split_once(MARK).unwrap();
    if std::env::var_os("VWIRE_WRITE_DOCS").is_some() {
        fs::write(&path, format!("{before}{MARK}{}", reference())).unwrap();
        return;
    }
    assert!(after == reference(), "docs/reference-lab.md is not what the tables say; write it anew as it tells");
}

#[test]
fn each_lab_in_the_reference_is_read_without_a_warning() {
    let text = fs::read_to_string(top().join("docs/reference-lab.md")).unwrap();
    let blocks: Vec<&str> = text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() >= 5, "only {} labs in the reference", blocks.len());
    for block in blocks {
        read(block, "reference.toml");
    }
}

#[test]
fn a_picture_in_text_says_once_what_is_alike_and_fits_its_width() {
    let office = ready().into_iter().find(|(name, _)| name == "office.toml").unwrap().1;
    let picture = of_lab::picture(&read(&office, "office.toml"));
    let expected = "\
office: 203 nodes, 3 bridges, 205 wires

staff
├─ router             staff  10.10.0.1/16
└─ pc1 … pc180 (180)  eth0   10.10.0.2/16 … 10.10.0.181/16

guests
├─ router                     guests  10.20.0.1/24
└─ visitor1 … visitor20 (20)  eth0    10.20.0.2/24 … 10.20.0.21/24

servers
├─ router   servers  10.30.0.1/24
├─ files    eth0     10.30.0.2/24
└─ printer  eth0     10.30.0.3/24

router  forwards, filters
";
    assert_eq!(text::draw(&picture, 80, false), expected);
    for line in text::draw(&picture, 40, false).lines() {
        assert!(line.chars().count() <= 40, "{line}");
    }
}

#[test]
fn every_ready_lab_is_drawn_in_each_way_with_each_of_its_nodes() {
    for (name, file) in ready() {
        let lab = read(&file, &name);
        let picture = of_lab::picture(&lab);
        let wires = lab.nodes.iter().flat_map(|node| &node.devices);
        let wires =
            wires.filter(|device| matches!(device.kind, vwire::lab::model::DeviceKind::Veth { .. })).count() / 2;
        assert_eq!(picture.cables.len(), wires, "{name}");
        let drawings =
            [text::draw(&picture, 200, false), svg::draw(&picture), dot::dot(&picture), dot::mermaid(&picture)];
        for drawing in &drawings[2..] {
            let lines = drawing.lines().filter(|line| line.contains(" -- ")).count();
            assert!(lines >= wires, "{name}: {lines} of {wires} wires");
        }
        let few = lab.nodes.len() < 20;
        for drawing in drawings.iter().filter(|_| few) {
            for node in &lab.nodes {
                assert!(drawing.contains(&node.name), "{name}: {} is missing in\n{drawing}", node.name);
            }
        }
        assert!(drawings[1].starts_with("<svg ") && drawings[1].ends_with("</svg>\n"), "{name}");
        assert_eq!(drawings[1].matches("<text").count(), drawings[1].matches("</text>").count(), "{name}");
    }
}
