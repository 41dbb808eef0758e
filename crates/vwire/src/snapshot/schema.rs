//! The JSON Schema of a snapshot, made from the tables that the snapshot is written and read by. Pure.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Map, Value, json};
use vwire_netlink::plain::{Field, Object, Plain, Shape};

use super::document::{FORMAT, Snapshot, VERSION};

/// What the schema is called.
const ID: &str = "urn:vwire:snapshot:1";

/// Writes the schema.
///
/// # Errors
/// Those of the writer.
pub fn write(writer: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *writer, &schema())?;
    writer.write_all(b"\n")
}

/// Returns the schema (JSON Schema 2020-12).
///
/// It says what is written. Of what is read less is asked: a field may be missing. Fields that are not listed may be there:
/// a newer vwire may have added them.
#[must_use]
pub fn schema() -> Value {
    let mut definitions = Definitions::default();
    let root = definitions.of(&Snapshot::shape());
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": format!("{FORMAT}, version {VERSION}"),
    });
    if let (Some(schema), Some(root)) = (schema.as_object_mut(), root.as_object()) {
        schema.extend(root.clone());
        schema.insert("$defs".to_owned(), definitions.all.into_iter().collect());
    }
    schema
}

/// Every object that a snapshot may hold, by name, from the root on.
#[must_use]
pub fn objects() -> Vec<(Object, bool)> {
    let mut found: Vec<(Object, bool)> = Vec::new();
    let mut waiting = vec![Snapshot::shape()];
    while let Some(shape) = waiting.pop() {
        match shape {
            Shape::Object(object) | Shape::Choice(object)
                if found.iter().any(|(known, _)| known.name == object.name) => {}
            Shape::Object(object) => {
                found.push((object, false));
                waiting.extend(fields(&object).into_iter().rev().map(|field| field.shape));
            }
            Shape::Choice(object) => {
                found.push((object, true));
                waiting.extend(fields(&object).into_iter().rev().map(|field| field.shape));
            }
            Shape::List(shape) | Shape::Map(_, shape) => waiting.push(*shape),
            Shape::Either(shapes) => waiting.extend(shapes),
            _ => {}
        }
    }
    found
}

/// Returns the fields of an object, but for those that only the wire has.
#[must_use]
pub fn fields(object: &Object) -> Vec<Field> {
    let mut fields = (object.fields)();
    fields.retain(|field| !matches!(&field.shape, Shape::Either(shapes) if shapes.is_empty()));
    fields
}

/// Returns a text from a table on one line, without the marks of links in Rust's documents.
#[must_use]
pub fn sentence(about: &str) -> String {
    let words = about.split_whitespace().collect::<Vec<_>>().join(" ");
    words.replace("[`", "`").replace("`]", "`")
}

#[derive(Default)]
struct Definitions {
    all: BTreeMap<String, Value>,
}

impl Definitions {
    fn of(&mut self, shape: &Shape) -> Value {
        match shape {
            Shape::Number(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
            Shape::Switch => json!({ "type": "boolean" }),
            Shape::Text => json!({ "type": "string" }),
            Shape::TextOrBytes => self.text_or_bytes(),
            Shape::Pattern(about, pattern) => json!({ "type": "string", "description": about, "pattern": pattern }),
            Shape::List(shape) => json!({ "type": "array", "items": self.of(shape) }),
            Shape::Map(about, shape) => {
                json!({ "type": "object", "propertyNames": { "description": about }, "additionalProperties": self.of(shape) })
            }
            Shape::Object(object) => self.object(object, false),
            Shape::Choice(object) => self.object(object, true),
            Shape::Either(shapes) => json!({ "anyOf": shapes.iter().map(|shape| self.of(shape)).collect::<Vec<_>>() }),
        }
    }

    fn text_or_bytes(&mut self) -> Value {
        let bytes = Shape::Pattern("bytes in hexadecimal", "^([0-9a-f]{2})*$");
        let bytes = self.of(&bytes);
        let text = json!({
            "description": "Text; where it is not UTF-8, its bytes.",
            "anyOf": [
                { "type": "string" },
                { "type": "object", "properties": { "bytes": bytes }, "required": ["bytes"], "additionalProperties": false },
            ],
        });
        self.all.entry("Text".to_owned()).or_insert(text);
        json!({ "$ref": "#/$defs/Text" })
    }

    fn object(&mut self, object: &Object, is_choice: bool) -> Value {
        let reference = json!({ "$ref": format!("#/$defs/{}", object.name) });
        if self.all.contains_key(object.name) {
            return reference;
        }
        // An object may hold itself: its name is there before what it is.
        self.all.insert(object.name.to_owned(), Value::Null);
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for field in fields(object) {
            let mut property = self.of(&field.shape);
            if let Some(property) = property.as_object_mut() {
                property.insert("description".to_owned(), sentence(field.about).into());
            }
            properties.insert(field.name.to_owned(), property);
            if field.is_always {
                required.push(Value::from(field.name));
            }
        }
        let mut definition = json!({
            "type": "object",
            "description": sentence(object.about),
            "properties": properties,
            "required": required,
        });
        if is_choice && let Some(definition) = definition.as_object_mut() {
            definition.insert("minProperties".to_owned(), 1.into());
            definition.insert("maxProperties".to_owned(), 1.into());
        }
        self.all.insert(object.name.to_owned(), definition);
        reference
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_to_a_definition() {
        let schema = schema();
        let text = schema.to_string();
        let defined = schema["$defs"].as_object().unwrap();
        let referred: Vec<&str> =
            text.split("\"#/$defs/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert!(referred.len() > 100, "{}", referred.len());
        assert!(referred.iter().all(|name| defined.get(*name).is_some_and(Value::is_object)), "{referred:?}");
    }

    #[test]
    fn no_two_objects_share_a_name() {
        let mut about: BTreeMap<&str, &str> = BTreeMap::new();
        for (object, _) in objects() {
            assert_eq!(*about.entry(object.name).or_insert(object.about), object.about, "{}", object.name);
        }
        assert!(about.len() > 60, "{}", about.len());
    }

    #[test]
    fn every_field_is_told() {
        for (object, _) in objects() {
            assert!(!sentence(object.about).is_empty(), "{}", object.name);
            for field in fields(&object) {
                assert!(!sentence(field.about).is_empty(), "{}.{}", object.name, field.name);
            }
        }
    }
}
