//! Writes JSON the way `ip -j` and `ip -j -p` lay it out, byte for byte.
//!
//! A document is written front to back into a byte buffer; nothing is kept but the nesting. What
//! `ip` does not promise holds here too: the result is always one valid document. Control
//! characters are escaped, and bytes that are not UTF-8 become lone surrogates `\udc80`–`\udcff`,
//! so that Python's `surrogateescape` (and [`super::json`]'s readers) get the same bytes back.

/// Lays out one JSON document.
#[derive(Debug, Default)]
pub struct JsonWriter {
    pretty: bool,
    depth: usize,
    /// What must be written before the next value, if anything: a comma after a sibling.
    comma: bool,
}

impl JsonWriter {
    /// Starts a document; `pretty` breaks lines and indents by four blanks a level.
    #[must_use]
    pub fn new(pretty: bool) -> Self {
        Self { pretty, depth: 0, comma: false }
    }

    /// Returns a whole document on lines of its own: an object with what `body` writes into it.
    pub fn document(pretty: bool, body: impl FnOnce(&mut Self, &mut Vec<u8>)) -> Vec<u8> {
        let (mut json, mut out) = (Self::new(pretty), Vec::new());
        json.open_object(&mut out);
        body(&mut json, &mut out);
        json.close_object(&mut out);
        out.push(b'\n');
        out
    }

    /// Writes a member that is an array, with what `body` writes for each of the items.
    pub fn list<T>(
        &mut self,
        out: &mut Vec<u8>,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut body: impl FnMut(&mut Self, &mut Vec<u8>, T),
    ) {
        self.name(out, name);
        self.open_array(out);
        for item in items {
            self.open_object(out);
            body(self, out, item);
            self.close_object(out);
        }
        self.close_array(out);
    }

    /// Writes a member that is text.
    pub fn text(&mut self, out: &mut Vec<u8>, name: &str, value: &str) {
        self.name(out, name);
        self.string(out, value.as_bytes());
    }

    /// Opens an object.
    pub fn open_object(&mut self, out: &mut Vec<u8>) {
        self.open(out, b'{');
    }

    /// Closes the innermost object.
    pub fn close_object(&mut self, out: &mut Vec<u8>) {
        self.close(out, b'}');
    }

    /// Opens an array.
    pub fn open_array(&mut self, out: &mut Vec<u8>) {
        self.open(out, b'[');
        if self.pretty {
            out.push(b' ');
        }
    }

    /// Closes the innermost array.
    pub fn close_array(&mut self, out: &mut Vec<u8>) {
        if self.pretty && self.comma {
            out.push(b' ');
        }
        self.comma = false;
        self.close(out, b']');
    }

    /// Writes a member's name; its value must follow.
    pub fn name(&mut self, out: &mut Vec<u8>, name: &str) {
        self.separate(out);
        self.break_line(out);
        self.comma = false;
        // Names are words of ours: nothing in them is escaped.
        out.push(b'"');
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        if self.pretty {
            out.push(b' ');
        }
    }

    /// Writes a string value.
    pub fn string(&mut self, out: &mut Vec<u8>, value: &[u8]) {
        self.separate(out);
        write_string(out, value);
    }

    /// Writes a number, a boolean or `null`, already spelled as JSON.
    pub fn literal(&mut self, out: &mut Vec<u8>, value: &str) {
        self.separate(out);
        out.extend_from_slice(value.as_bytes());
    }

    fn open(&mut self, out: &mut Vec<u8>, bracket: u8) {
        self.separate(out);
        out.push(bracket);
        self.depth += 1;
        self.comma = false;
    }

    fn close(&mut self, out: &mut Vec<u8>, bracket: u8) {
        self.depth = self.depth.saturating_sub(1);
        if self.comma {
            self.break_line(out);
        }
        out.push(bracket);
        self.comma = true;
    }

    fn separate(&mut self, out: &mut Vec<u8>) {
        if self.comma {
            out.push(b',');
        }
        self.comma = true;
    }

    fn break_line(&self, out: &mut Vec<u8>) {
        if self.pretty {
            out.push(b'\n');
            out.resize(out.len() + 4 * self.depth, b' ');
        }
    }
}

/// Writes a string between quotes, with what must be escaped.
pub(super) fn write_string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    // Nearly every word is plain, and a long list has tens of thousands: no branch a byte, so that
    // the compiler looks at many bytes at once.
    if bytes.iter().fold(true, |plain, byte| plain & is_plain(*byte)) {
        out.extend_from_slice(bytes);
    } else {
        write_escaped(out, bytes);
    }
    out.push(b'"');
}

fn is_plain(byte: u8) -> bool {
    (b' '..=b'~').contains(&byte) & (byte != b'"') & (byte != b'\\')
}

fn write_escaped(out: &mut Vec<u8>, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            write_character(out, character);
        }
        for byte in chunk.invalid() {
            out.extend_from_slice(format!("\\udc{byte:02x}").as_bytes());
        }
    }
}

fn write_character(out: &mut Vec<u8>, character: char) {
    match character {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        '\u{8}' => out.extend_from_slice(b"\\b"),
        '\u{c}' => out.extend_from_slice(b"\\f"),
        control if control.is_ascii_control() => {
            out.extend_from_slice(format!("\\u{:04x}", u32::from(control)).as_bytes());
        }
        other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(pretty: bool, write: impl Fn(&mut JsonWriter, &mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut JsonWriter::new(pretty), &mut out);
        String::from_utf8(out).unwrap()
    }

    fn sample(json: &mut JsonWriter, out: &mut Vec<u8>) {
        json.open_array(out);
        json.open_object(out);
        json.name(out, "a");
        json.literal(out, "1");
        json.name(out, "flags");
        json.open_array(out);
        json.string(out, b"UP");
        json.string(out, b"LOWER_UP");
        json.close_array(out);
        json.close_object(out);
        json.open_object(out);
        json.close_object(out);
        json.close_array(out);
    }

    #[test]
    fn compact_document_has_no_white_space() {
        assert_eq!(document(false, sample), r#"[{"a":1,"flags":["UP","LOWER_UP"]},{}]"#);
    }

    #[test]
    fn pretty_document_is_laid_out_as_ip_lays_it_out() {
        let wanted = "[ {\n        \"a\": 1,\n        \"flags\": [ \"UP\",\"LOWER_UP\" ]\n    },{} ]";
        assert_eq!(document(true, sample), wanted);
    }

    #[test]
    fn strings_are_always_valid_json() {
        let text = document(false, |json, out| json.string(out, b"a\"\\\x01\n\xff\xc3\xa9"));
        assert_eq!(text, "\"a\\\"\\\\\\u0001\\n\\udcff\u{e9}\"");
    }
}
