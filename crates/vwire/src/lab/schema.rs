//! Prints what a lab's file may hold as a JSON Schema, for editors: made from the rows that reading goes by. Pure.

use serde_json::{Map, Value, json};

use super::file::field::{Field, Grammar, Kind, Table};
use super::file::tables::{self, device, line, wire};

/// The tables that are referred to, by what the schema calls them.
const TABLES: &[(&str, &Table)] = &[
    ("node", &tables::NODE),
    ("bridge", &tables::BRIDGE),
    ("wire", &wire::WIRE_TABLE),
    ("end", &wire::END_TABLE),
    ("condition", &wire::CONDITION),
    ("tap", &device::TAP),
    ("tun", &device::TUN),
    ("dummy", &device::DUMMY),
    ("vlan", &device::VLAN),
    ("vxlan", &device::VXLAN),
    ("macvlan", &device::MACVLAN),
    ("route", &line::ROUTE_TABLE),
    ("hop", &line::HOP_TABLE),
    ("rule", &line::RULE_TABLE),
    ("neighbour", &line::NEIGHBOUR_TABLE),
    ("nat", &line::NAT_TABLE),
    ("filter", &line::FILTER_TABLE),
    ("command", &line::COMMAND_TABLE),
    ("check", &line::CHECK_TABLE),
];

/// Returns the schema (draft 2020-12).
#[must_use]
pub fn schema() -> Value {
    let mut definitions: Map<String, Value> =
        TABLES.iter().map(|(name, table)| ((*name).to_owned(), of_table(table))).collect();
    let sysctl = json!({ "anyOf": [
        { "type": ["string", "integer", "boolean"] },
        { "type": "object", "additionalProperties": { "$ref": "#/$defs/sysctl" } },
    ] });
    definitions.insert("sysctl".to_owned(), sysctl);
    let mut schema = of_table(&tables::FILE);
    if let Value::Object(schema) = &mut schema {
        schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        schema.insert("title".to_owned(), json!("a lab of vwire"));
        schema.insert("$defs".to_owned(), Value::Object(definitions));
    }
    schema
}

fn of_table(table: &Table) -> Value {
    let properties: Map<String, Value> =
        table.fields.iter().map(|field| (field.key.to_owned(), of_field(field))).collect();
    let required: Vec<&str> =
        table.fields.iter().filter(|field| field.default == "must be said").map(|field| field.key).collect();
    let mut object = json!({
        "type": "object",
        "description": table.about,
        "properties": properties,
        "additionalProperties": false,
    });
    if let (Value::Object(object), false) = (&mut object, required.is_empty()) {
        object.insert("required".to_owned(), json!(required));
    }
    object
}

fn of_field(field: &Field) -> Value {
    let mut value = of_kind(&field.kind);
    if let Value::Object(value) = &mut value {
        let default = if field.default.is_empty() { String::new() } else { format!(" Default: {}.", field.default) };
        let shape = shape(&field.kind).map(|shape| format!("\n\n{shape}")).unwrap_or_default();
        value.insert("description".to_owned(), json!(format!("{}{default}{shape}", field.about)));
    }
    value
}

/// Returns how the strings of a value are written, where there is more to say than one word.
fn shape(kind: &Kind) -> Option<&'static str> {
    match kind {
        Kind::Text(grammar) | Kind::LineOrTable(grammar, _) => Some(grammar.shape).filter(|shape| !shape.is_empty()),
        Kind::List(kind) | Kind::OneOrMore(kind) => shape(kind),
        _ => None,
    }
}

fn reference(table: &Table) -> Value {
    let name = TABLES.iter().find(|(_, known)| known.head == table.head).map_or("node", |(name, _)| name);
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn text(grammar: &Grammar) -> Value {
    json!({ "type": "string", "pattern": grammar.pattern })
}

fn of_kind(kind: &Kind) -> Value {
    match kind {
        Kind::Text(grammar) => text(grammar),
        Kind::Switch => json!({ "type": "boolean" }),
        Kind::Number(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Kind::Choice(words) => json!({ "enum": words }),
        Kind::List(kind) => json!({ "type": "array", "items": of_kind(kind) }),
        Kind::OneOrMore(kind) => {
            let one = of_kind(kind);
            json!({ "anyOf": [one, { "type": "array", "items": of_kind(kind) }] })
        }
        Kind::LineOrTable(grammar, table) => json!({ "anyOf": [text(grammar), reference(table)] }),
        Kind::Table(table) => json!({ "allOf": [reference(table)] }),
        Kind::Named(table) => json!({ "type": "object", "additionalProperties": reference(table) }),
        Kind::Sysctls => json!({ "type": "object", "additionalProperties": { "$ref": "#/$defs/sysctl" } }),
    }
}
