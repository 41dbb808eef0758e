//! Has what a verb says on standard error told as JSON, an object a line, as failures of `ip`'s grammar are.
//!
//! Verbs say things for people: `error: …` with the place in a file, an excerpt and hints below it, and remarks while
//! they work. Here each error becomes one object with the members that all failures have, and each remark another.

use std::io::{self, Write};

use crate::out::failure::{Facts, line, message_line};

/// What begins an error; what follows belongs to it, up to the next.
const BEGINNINGS: [&str; 2] = ["error: ", "ping: "];

/// Takes what a verb says, and tells it as JSON.
pub(super) struct Told<'a> {
    below: &'a mut dyn Write,
    /// The line that is not ended yet.
    begun: Vec<u8>,
    /// The errors, each with the lines below it: they are told with the exit code.
    errors: Vec<Vec<String>>,
}

impl<'a> Told<'a> {
    /// Tells to a writer.
    pub(super) fn new(below: &'a mut dyn Write) -> Self {
        Self { below, begun: Vec::new(), errors: Vec::new() }
    }

    /// Tells the errors, once the verb has ended with this exit code.
    pub(super) fn end(mut self, verb: &str, words: &[&[u8]], exit: u8) {
        if !self.begun.is_empty() {
            let _ = self.take_line();
        }
        for lines in &self.errors {
            let _ = self.below.write_all(&error(lines, verb, words, exit));
        }
    }

    fn take_line(&mut self) -> io::Result<()> {
        let taken = std::mem::take(&mut self.begun);
        let text = String::from_utf8_lossy(&taken).trim_end().to_owned();
        if text.starts_with('{') {
            return self.below.write_all(&taken);
        }
        match self.errors.last_mut() {
            _ if BEGINNINGS.iter().any(|beginning| text.starts_with(beginning)) => self.errors.push(vec![text]),
            Some(lines) => lines.push(text),
            None if text.is_empty() => {}
            None => self.below.write_all(&message_line(text.as_bytes()))?,
        }
        Ok(())
    }
}

impl Write for Told<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.begun.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.take_line()?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.below.flush()
    }
}

/// Spells an error that was said in lines.
fn error(lines: &[String], verb: &str, words: &[&[u8]], exit: u8) -> Vec<u8> {
    let (first, below) = lines.split_first().map_or(("", lines), |(first, below)| (first.as_str(), below));
    let cause = BEGINNINGS.iter().find_map(|beginning| first.strip_prefix(beginning)).unwrap_or(first);
    let (mut cause, mut hints, mut place) = (cause.to_owned(), Vec::new(), None);
    for line in below.iter().filter(|line| !line.is_empty()) {
        if let Some(hint) = line.strip_prefix("hint: ") {
            hints.push(hint.to_owned());
        } else if let Some(found) = line.trim_start().strip_prefix("--> ").filter(|_| place.is_none()) {
            place = Some(place_of(found));
        } else {
            cause.push('\n');
            cause.push_str(line);
        }
    }
    let (file, number) = place.unwrap_or_default();
    let file = file.as_deref().map(str::as_bytes);
    line(&Facts {
        operation: Some(verb),
        command: words.to_vec(),
        file,
        line: number,
        cause: &cause,
        hints: &hints,
        exit,
        ..Facts::default()
    })
}

/// Reads `FILE:LINE:COLUMN`.
fn place_of(text: &str) -> (Option<String>, Option<usize>) {
    let mut parts = text.rsplitn(3, ':');
    let (_, line, file) = (parts.next(), parts.next(), parts.next());
    (file.map(str::to_owned), line.and_then(|line| line.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let mut bytes = Vec::new();
        let mut told = Told::new(&mut bytes);
        // In pieces, as they come.
        text.as_bytes().chunks(7).for_each(|chunk| told.write_all(chunk).unwrap());
        told.end("plan", &[b"plan", b"a.toml"], 1);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn an_error_is_one_object_with_its_place_and_its_hints() {
        let said = told("error: no TOML\n --> a.toml:3:7\n  |\n3 | [nodes\nhint: close it\n");
        assert_eq!(said.lines().count(), 1);
        for part in [
            "\"operation\":\"plan\",\"command\":[\"plan\",\"a.toml\"],\"file\":\"a.toml\",\"line\":3",
            "\"cause\":\"no TOML\\n  |\\n3 | [nodes\"",
            "\"hints\":[\"close it\"],\"exit\":1}",
        ] {
            assert!(said.contains(part), "{part} in {said}");
        }
    }

    #[test]
    fn remarks_and_several_errors_are_lines_of_their_own() {
        let said = told("bringing up\nerror: a\nerror: b\nhint: c");
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines[0], "{\"message\":\"bringing up\"}");
        assert!(lines[1].contains("\"cause\":\"a\",\"hints\":[]"), "{said}");
        assert!(lines[2].contains("\"cause\":\"b\",\"hints\":[\"c\"]"), "{said}");
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn what_is_told_so_already_stays() {
        assert_eq!(told("{\"cause\":\"x\"}\n"), "{\"cause\":\"x\"}\n");
    }
}
