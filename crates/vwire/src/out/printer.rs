//! Prints one fact once, as text or as JSON, in the form that `ip` gives it.
//!
//! A command walks over its facts in `ip`'s order and hands each to the [`Printer`] with both of
//! its spellings: the member name for JSON, and the words before and after it for text. So text
//! and JSON cannot drift apart. What only one form has goes through [`Printer::text`] or a method
//! that ends in `_json`.
//!
//! All bytes gather in a buffer; [`Printer::take`] hands them out. The printer touches no file.

use std::io;
use std::net::IpAddr;
use std::rc::Rc;

use super::colour::{Colour, Palette};
use super::host::{AF_INET, AF_INET6, octets};
use super::hosts::{self, Hosts};
use super::json::JsonWriter;

/// How output is laid out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Layout {
    /// JSON in the place of text.
    pub json: bool,
    /// Line breaks and indents in JSON.
    pub pretty: bool,
    /// One line a record: `\` stands for each line break inside.
    pub oneline: bool,
    /// Colour codes, for text alone.
    pub colour: Option<Palette>,
}

/// Gathers output as text or JSON.
#[derive(Debug)]
pub struct Printer {
    out: Vec<u8>,
    json: Option<JsonWriter>,
    layout: Layout,
    hosts: Option<Rc<dyn Hosts>>,
}

impl Printer {
    /// Makes an empty printer.
    #[must_use]
    pub fn new(layout: Layout) -> Self {
        let json = layout.json.then(|| JsonWriter::new(layout.pretty));
        Self { out: Vec::new(), json, layout, hosts: None }
    }

    /// Makes an empty printer with another layout, which calls hosts as this one does.
    #[must_use]
    pub fn like(&self, layout: Layout) -> Self {
        Self { hosts: self.hosts.clone(), ..Self::new(layout) }
    }

    /// Calls hosts by their names from now on.
    pub fn call_hosts_by(&mut self, hosts: Rc<dyn Hosts>) {
        self.hosts = Some(hosts);
    }

    /// Spells an address, or its host's name where that is asked for.
    #[must_use]
    pub fn host(&self, family: u16, address: &[u8]) -> String {
        hosts::spell(self.hosts.as_deref(), family, address)
    }

    /// Spells an IP address, or its host's name where that is asked for.
    #[must_use]
    pub fn host_of(&self, address: IpAddr) -> String {
        let family = if address.is_ipv4() { AF_INET } else { AF_INET6 };
        self.host(family, &octets(address))
    }

    /// Hands out all that was printed so far and forgets it.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Writes all that was printed so far to `sink` and forgets it; the buffer stays for what comes next.
    ///
    /// # Errors
    /// What `sink` says.
    pub fn drain_to(&mut self, sink: &mut dyn io::Write) -> io::Result<()> {
        let written = sink.write_all(&self.out);
        self.out.clear();
        written
    }

    /// Returns whether the output is JSON.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.json.is_some()
    }

    /// Returns how the output is laid out.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Returns how many bytes wait to be taken.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.out.len()
    }

    /// Prints words as they are, in text and in the place of JSON: for what `ip` has no JSON for.
    pub fn verbatim(&mut self, words: impl AsRef<[u8]>) {
        self.out.extend_from_slice(words.as_ref());
    }

    // ---- text alone -------------------------------------------------------------------------

    /// Prints words that JSON does not have.
    pub fn text(&mut self, words: impl AsRef<[u8]>) {
        if self.json.is_none() {
            self.out.extend_from_slice(words.as_ref());
        }
    }

    /// Breaks the line inside a record: a line feed, or `\` in one-line layout; nothing in JSON.
    pub fn line_break(&mut self) {
        let mark: &[u8] = if self.layout.oneline { b"\\" } else { b"\n" };
        self.text(mark);
    }

    /// Ends a record: always a line feed; nothing in JSON.
    pub fn end_line(&mut self) {
        self.text(b"\n");
    }

    // ---- structure --------------------------------------------------------------------------

    /// Opens an object: a member named `name`, or an element where `name` is `None`.
    pub fn open_object(&mut self, name: Option<&str>) {
        self.named(name, JsonWriter::open_object);
    }

    /// Closes the innermost object.
    pub fn close_object(&mut self) {
        self.named(None, JsonWriter::close_object);
    }

    /// Opens an array: a member named `name`, or an element where `name` is `None`.
    pub fn open_array(&mut self, name: Option<&str>) {
        self.named(name, JsonWriter::open_array);
    }

    /// Closes the innermost array.
    pub fn close_array(&mut self) {
        self.named(None, JsonWriter::close_array);
    }

    /// Opens the array that a JSON document is.
    pub fn open_document(&mut self) {
        self.open_array(None);
    }

    /// Closes the document; JSON ends with a line feed.
    pub fn close_document(&mut self) {
        self.close_array();
        if let Some(json) = &mut self.json {
            *json = JsonWriter::new(self.layout.pretty);
            self.out.push(b'\n');
        }
    }

    // ---- facts ------------------------------------------------------------------------------

    /// Prints a string: member `name` in JSON; `before`, the value, `after` in text.
    pub fn string(&mut self, name: &str, before: &str, value: impl AsRef<[u8]>, after: &str) {
        if self.json.is_some() {
            self.string_json(name, value);
        } else {
            self.spell(before, value.as_ref(), after);
        }
    }

    /// Prints a string in colour; in text the blank that follows belongs to the colour, as in `ip`.
    pub fn coloured(&mut self, colour: Option<Colour>, name: &str, before: &str, value: impl AsRef<[u8]>, after: &str) {
        if self.json.is_some() {
            self.string_json(name, value);
        } else {
            self.coloured_text(colour, before, value, after);
        }
    }

    /// Prints coloured words that JSON does not have.
    pub fn coloured_text(&mut self, colour: Option<Colour>, before: &str, value: impl AsRef<[u8]>, after: &str) {
        if self.json.is_some() {
            return;
        }
        let code = match (colour, self.layout.colour) {
            (Some(colour), Some(palette)) => Some(palette.code(colour)),
            _ => None,
        };
        if let Some(code) = code {
            self.out.extend_from_slice(format!("\x1b[{code}m").as_bytes());
        }
        self.spell(before, value.as_ref(), after);
        if code.is_some() {
            self.out.extend_from_slice(b"\x1b[0m");
        }
    }

    /// Prints a number: member `name` in JSON; `before`, the value, `after` in text.
    pub fn number(&mut self, name: &str, before: &str, value: impl Into<i128>, after: &str) {
        let mut digits = [0; 40];
        let digits = decimal(value.into(), &mut digits);
        if let Some(json) = &mut self.json {
            json.name(&mut self.out, name);
            json.literal(&mut self.out, digits);
        } else {
            self.spell(before, digits.as_bytes(), after);
        }
    }

    /// Prints an element of an array: the bare number in JSON; `before`, the value, `after` in text.
    pub fn number_element(&mut self, before: &str, value: impl Into<i128>, after: &str) {
        let mut digits = [0; 40];
        let digits = decimal(value.into(), &mut digits);
        if let Some(json) = &mut self.json {
            json.literal(&mut self.out, digits);
        } else {
            self.spell(before, digits.as_bytes(), after);
        }
    }

    /// Prints an element of an array: the bare string in JSON; `before`, the value, `after` in text.
    pub fn element(&mut self, before: &str, value: impl AsRef<[u8]>, after: &str) {
        if let Some(json) = &mut self.json {
            json.string(&mut self.out, value.as_ref());
        } else {
            self.spell(before, value.as_ref(), after);
        }
    }

    /// Prints a boolean member in JSON, or `word` in text where it holds.
    pub fn flag(&mut self, name: &str, holds: bool, word: &str) {
        if self.json.is_some() {
            self.bool_json(name, holds);
        } else if holds {
            self.text(word);
        }
    }

    /// Prints `true` as a member in JSON and `word` in text.
    pub fn mark(&mut self, name: &str, word: &str) {
        self.flag(name, true, word);
    }

    /// Prints a boolean: `true`/`false` in JSON; `before`, `on` or `off`, `after` in text.
    pub fn on_off(&mut self, name: &str, before: &str, value: bool, after: &str) {
        if self.json.is_some() {
            self.bool_json(name, value);
        } else {
            self.spell(before, if value { b"on" } else { b"off" }, after);
        }
    }

    /// Prints a member whose value is `null` in JSON and `word` in text.
    pub fn null(&mut self, name: &str, word: &str) {
        if self.json.is_some() {
            self.literal_json(name, "null");
        } else {
            self.text(word);
        }
    }

    // ---- JSON alone -------------------------------------------------------------------------

    /// Prints a string member that text does not have.
    pub fn string_json(&mut self, name: &str, value: impl AsRef<[u8]>) {
        if let Some(json) = &mut self.json {
            json.name(&mut self.out, name);
            json.string(&mut self.out, value.as_ref());
        }
    }

    /// Prints a number member that text does not have.
    pub fn number_json(&mut self, name: &str, value: impl Into<i128>) {
        if self.json.is_some() {
            self.number(name, "", value, "");
        }
    }

    /// Prints a boolean member that text does not have.
    pub fn bool_json(&mut self, name: &str, value: bool) {
        self.literal_json(name, if value { "true" } else { "false" });
    }

    /// Prints a member spelled as JSON that text does not have.
    pub fn literal_json(&mut self, name: &str, literal: &str) {
        if let Some(json) = &mut self.json {
            json.name(&mut self.out, name);
            json.literal(&mut self.out, literal);
        }
    }

    fn named(&mut self, name: Option<&str>, write: fn(&mut JsonWriter, &mut Vec<u8>)) {
        if let Some(json) = &mut self.json {
            if let Some(name) = name {
                json.name(&mut self.out, name);
            }
            write(json, &mut self.out);
        }
    }

    fn spell(&mut self, before: &str, value: &[u8], after: &str) {
        self.out.extend_from_slice(before.as_bytes());
        self.out.extend_from_slice(value);
        self.out.extend_from_slice(after.as_bytes());
    }
}

/// Spells a number without allocating: a list of thousands of links has tens of thousands of them.
fn decimal(value: i128, buffer: &mut [u8; 40]) -> &str {
    let mut at = buffer.len();
    let mut digit = |digit: u8| {
        at -= 1;
        buffer[at] = b'0' + digit;
    };
    let mut rest = value.unsigned_abs();
    while rest > u128::from(u64::MAX) {
        digit((rest % 10).to_le_bytes()[0]);
        rest /= 10;
    }
    let mut rest = u64::try_from(rest).unwrap_or(u64::MAX);
    loop {
        digit((rest % 10).to_le_bytes()[0]);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        at -= 1;
        buffer[at] = b'-';
    }
    std::str::from_utf8(&buffer[at..]).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(layout: Layout, print: impl Fn(&mut Printer)) -> String {
        let mut printer = Printer::new(layout);
        print(&mut printer);
        String::from_utf8(printer.take()).unwrap()
    }

    fn link(p: &mut Printer) {
        p.open_document();
        p.open_object(None);
        p.number("ifindex", "", 2, ": ");
        p.coloured(Some(Colour::Device), "ifname", "", "tap0", ": ");
        p.line_break();
        p.on_off("vnet_hdr", "    vnet_hdr ", false, " ");
        p.end_line();
        p.close_object();
        p.close_document();
    }

    #[test]
    fn one_walk_gives_text() {
        assert_eq!(printed(Layout::default(), link), "2: tap0: \n    vnet_hdr off \n");
    }

    #[test]
    fn one_walk_gives_json() {
        let layout = Layout { json: true, ..Layout::default() };
        assert_eq!(printed(layout, link), "[{\"ifindex\":2,\"ifname\":\"tap0\",\"vnet_hdr\":false}]\n");
    }

    #[test]
    fn one_line_layout_marks_the_break() {
        let layout = Layout { oneline: true, ..Layout::default() };
        assert_eq!(printed(layout, link), "2: tap0: \\    vnet_hdr off \n");
    }

    #[test]
    fn colour_covers_the_words_after_the_value() {
        let layout = Layout { colour: Some(Palette::Light), ..Layout::default() };
        assert_eq!(printed(layout, link), "2: \u{1b}[36mtap0: \u{1b}[0m\n    vnet_hdr off \n");
    }

    #[test]
    fn numbers_of_any_size_are_spelled() {
        let text = |value: i128| printed(Layout::default(), |p| p.number("n", "", value, ""));
        assert_eq!(text(0), "0");
        assert_eq!(text(i128::from(i64::MIN)), "-9223372036854775808");
        assert_eq!(text(i128::from(u64::MAX)), "18446744073709551615");
    }
}
