//! Prints why a command failed as one JSON object on a line, for programs that run vwire.
//!
//! Every member is there each time, `null` where it is not known, so that a reader needs no special cases.

use super::{Layout, Printer};

/// What is known of a failure.
#[derive(Debug, Clone, Default)]
pub struct Facts<'a> {
    /// The object of `ip`'s grammar, in full: `link`.
    pub object: Option<&'a str>,
    /// What was done with it, in full: `add`.
    pub operation: Option<&'a str>,
    /// The words of the command.
    pub command: Vec<&'a [u8]>,
    /// The batch that the command is from.
    pub file: Option<&'a [u8]>,
    /// Its line in the batch.
    pub line: Option<usize>,
    /// What was tried, in words.
    pub tried: Option<&'a str>,
    /// The error number of the kernel.
    pub errno: Option<i32>,
    /// What that number is called: `EEXIST`.
    pub error: Option<String>,
    /// The request that the kernel refused: `RTM_NEWLINK`.
    pub request: Option<&'a str>,
    /// The kernel's sentence.
    pub kernel: Option<&'a str>,
    /// The attribute that the kernel points at.
    pub attribute: Option<&'a str>,
    /// The attribute that the kernel misses.
    pub missing: Option<&'a str>,
    /// What the attribute may be.
    pub allowed: Option<&'a str>,
    /// Why it failed, in words.
    pub cause: &'a str,
    /// What may help.
    pub hints: &'a [String],
    /// The exit code.
    pub exit: u8,
    /// What verbs on labs know beside.
    pub lab: Option<OfLab<'a>>,
}

/// What is known of a failure of a verb on a lab, beside what is known of any.
#[derive(Debug, Clone)]
pub struct OfLab<'a> {
    /// `error`, or `warning` where it does not stand in the way.
    pub severity: &'a str,
    /// The column in the file, from 1.
    pub column: Option<usize>,
    /// Whether something was changed and stays so.
    pub changed: bool,
    /// What could not be undone.
    pub left: &'a [String],
}

/// Spells a failure.
#[must_use]
pub fn line(facts: &Facts<'_>) -> Vec<u8> {
    object(|p| members(p, facts))
}

/// Spells what is said beside failures.
#[must_use]
pub fn message_line(words: &[u8]) -> Vec<u8> {
    object(|p| p.string_json("message", words.trim_ascii_end()))
}

/// A writer for each line: the next one is no sibling of this one.
fn object(members: impl FnOnce(&mut Printer)) -> Vec<u8> {
    let mut p = Printer::new(Layout { json: true, ..Layout::default() });
    p.open_object(None);
    members(&mut p);
    p.close_object();
    p.verbatim("\n");
    p.take()
}

fn members(p: &mut Printer, facts: &Facts<'_>) {
    text(p, "object", facts.object);
    text(p, "operation", facts.operation);
    p.open_array(Some("command"));
    facts.command.iter().for_each(|word| p.element("", word, ""));
    p.close_array();
    text(p, "file", facts.file);
    number(p, "line", facts.line.and_then(|line| i128::try_from(line).ok()));
    text(p, "tried", facts.tried);
    number(p, "errno", facts.errno.map(i128::from));
    text(p, "error", facts.error.as_deref());
    text(p, "request", facts.request);
    text(p, "kernel", facts.kernel);
    text(p, "attribute", facts.attribute);
    text(p, "missing", facts.missing);
    text(p, "allowed", facts.allowed);
    p.string_json("cause", facts.cause);
    p.open_array(Some("hints"));
    facts.hints.iter().for_each(|hint| p.element("", hint, ""));
    p.close_array();
    p.number_json("exit", facts.exit);
    if let Some(lab) = &facts.lab {
        p.string_json("severity", lab.severity);
        number(p, "column", lab.column.and_then(|column| i128::try_from(column).ok()));
        p.literal_json("changed", if lab.changed { "true" } else { "false" });
        p.open_array(Some("left"));
        lab.left.iter().for_each(|one| p.element("", one, ""));
        p.close_array();
    }
}

fn text<T: AsRef<[u8]>>(p: &mut Printer, name: &str, value: Option<T>) {
    match value {
        Some(value) => p.string_json(name, value),
        None => p.literal_json(name, "null"),
    }
}

fn number(p: &mut Printer, name: &str, value: Option<i128>) {
    match value {
        Some(value) => p.number_json(name, value),
        None => p.literal_json(name, "null"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_member_is_there_each_time() {
        let hints = ["`a`".to_owned()];
        let facts = Facts {
            object: Some("link"),
            command: vec![b"link", b"a\xff"],
            errno: Some(17),
            error: Some("EEXIST".to_owned()),
            cause: "File \"exists\"",
            hints: &hints,
            exit: 2,
            ..Facts::default()
        };
        let wanted = "{\"object\":\"link\",\"operation\":null,\"command\":[\"link\",\"a\\udcff\"],\"file\":null,\
            \"line\":null,\"tried\":null,\"errno\":17,\"error\":\"EEXIST\",\"request\":null,\"kernel\":null,\
            \"attribute\":null,\"missing\":null,\"allowed\":null,\"cause\":\"File \\\"exists\\\"\",\
            \"hints\":[\"`a`\"],\"exit\":2}\n";
        assert_eq!(String::from_utf8(line(&facts)).unwrap(), wanted);
    }

    #[test]
    fn what_is_said_beside_is_a_line_too() {
        assert_eq!(message_line(b"made `tun0`\n"), b"{\"message\":\"made `tun0`\"}\n");
    }
}
