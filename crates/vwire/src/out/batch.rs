//! Makes one JSON document of what the commands of a batch print: an array with an element for each of them.
//!
//! An element is the document that the command printed; an array of its documents where it printed several; `null` where
//! it printed nothing; and a string where it printed text, as `netns identify` does whatever is asked for.

use super::json;

/// Spells what one command printed as an element.
#[must_use]
pub fn element(printed: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match documents(printed).as_deref() {
        Some([]) => out.extend_from_slice(b"null"),
        Some([document]) => out.extend_from_slice(document),
        Some(documents) => {
            out.push(b'[');
            out.extend_from_slice(&documents.join(&b","[..]));
            out.push(b']');
        }
        None => json::write_string(&mut out, printed),
    }
    out
}

/// Returns the documents that make up what was printed, with nothing but white space between them.
fn documents(mut rest: &[u8]) -> Option<Vec<&[u8]>> {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_ascii_start();
        if rest.is_empty() {
            return Some(found);
        }
        let length = length(rest)?;
        let (document, behind) = rest.split_at_checked(length)?;
        found.push(document);
        rest = behind;
    }
}

/// What may come next in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Value,
    /// A value, or the end of an array that has none yet.
    FirstValue,
    Name,
    /// A name, or the end of an object that has none yet.
    FirstName,
    Colon,
    CommaOrEnd,
}

/// Returns how long the array or object is that a text starts with; nothing where it is no JSON.
fn length(text: &[u8]) -> Option<usize> {
    let mut open: Vec<u8> = Vec::new();
    let mut next = Next::Value;
    let mut at = 0;
    loop {
        let byte = *text.get(at)?;
        let mut step = 1;
        next = match (next, byte) {
            (next, b' ' | b'\n') => next,
            (Next::Value | Next::FirstValue, b'[') => {
                open.push(b']');
                Next::FirstValue
            }
            (Next::Value | Next::FirstValue, b'{') => {
                open.push(b'}');
                Next::FirstName
            }
            (Next::FirstValue | Next::FirstName | Next::CommaOrEnd, b']' | b'}') if open.last() == Some(&byte) => {
                open.pop();
                Next::CommaOrEnd
            }
            (Next::CommaOrEnd, b',') if open.last() == Some(&b'}') => Next::Name,
            (Next::CommaOrEnd, b',') => Next::Value,
            (Next::Colon, b':') => Next::Value,
            (Next::Name | Next::FirstName, b'"') => {
                step = string_length(&text[at..])?;
                Next::Colon
            }
            (Next::Value | Next::FirstValue, _) if !open.is_empty() => {
                step = match byte {
                    b'"' => string_length(&text[at..])?,
                    _ => literal_length(&text[at..])?,
                };
                Next::CommaOrEnd
            }
            _ => return None,
        };
        at += step;
        if open.is_empty() {
            return Some(at);
        }
    }
}

fn string_length(text: &[u8]) -> Option<usize> {
    let mut escaped = false;
    let end = text.iter().skip(1).position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    })?;
    Some(end + 2)
}

fn literal_length(text: &[u8]) -> Option<usize> {
    let end = text.iter().position(|byte| b",]} \n".contains(byte))?;
    let literal = std::str::from_utf8(&text[..end]).ok()?;
    // What the printer writes as it is: integers, and numbers of seconds with a fraction.
    let is_number = literal.bytes().all(|byte| byte.is_ascii_digit() || b"-.".contains(&byte)) && !literal.is_empty();
    (is_number || ["null", "true", "false"].contains(&literal)).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(printed: &str) -> String {
        String::from_utf8(element(printed.as_bytes())).unwrap()
    }

    #[test]
    fn a_document_is_an_element() {
        assert_eq!(
            made("[{\"a\":[1,-2.5],\"b\":\"x]\\\"\",\"c\":{}},null]\n"),
            "[{\"a\":[1,-2.5],\"b\":\"x]\\\"\",\"c\":{}},null]"
        );
        assert_eq!(made("[ {\n    \"a\": 1\n} ]\n"), "[ {\n    \"a\": 1\n} ]");
        assert_eq!(made("[]\n"), "[]");
    }

    #[test]
    fn nothing_is_null_and_several_are_an_array() {
        assert_eq!(made(""), "null");
        assert_eq!(made("{\"a\":1}\n{\"a\":2}\n"), "[{\"a\":1},{\"a\":2}]");
    }

    #[test]
    fn what_is_no_json_is_a_string() {
        for text in
            ["blue\n", "[LINK]2: v0: \n", "[1", "[1]x", "[1,]", "{1}", "[1]]", "12", "[x]", "{\"a\"}", "[}", "{]"]
        {
            let wanted = format!("\"{}\"", text.replace('"', "\\\"").replace('\n', "\\n"));
            assert_eq!(made(text), wanted);
        }
    }
}
