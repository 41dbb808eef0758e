//! How vwire's own verbs say what went wrong: in words for people, or with `-j` as JSON, an object a line, for programs.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::os::unix::ffi::OsStrExt;

use super::ip::kernel::errno_name;
use super::ip::{Failure, Persona, Tongue, spelled};
use super::lab_file::{Loaded, REFUSED};
use crate::lab::failed::{Aftermath, Failed};
use crate::lab::file::{Problem, Severity, problem};
use crate::lab::graph::text::fit;
use crate::lab::model::Span;
use crate::lab::signals::exit_of;
use crate::out::failure::{self, Facts, OfLab};

/// How wide a problem is shown where standard error is no terminal.
const WIDTH: usize = 100;

/// The exit code where the command line is wrong.
const WRONG_LINE: u8 = 2;

/// The verbs that are about no lab.
const OTHERS: [&str; 7] = ["batch", "diff", "ls", "ping", "sandbox", "snapshot", "tour"];

/// In which form a verb speaks.
#[derive(Debug, Clone, Copy)]
pub struct Form<'a> {
    /// The words that vwire was called with, the verb first.
    pub words: &'a [OsString],
    /// Whether programs listen.
    pub json: bool,
}

/// Says what goes wrong, and what is worth a word.
pub struct Talk<'a> {
    stderr: &'a mut dyn Write,
    form: Form<'a>,
}

impl<'a> Talk<'a> {
    /// Makes one that speaks on standard error.
    pub fn new(stderr: &'a mut dyn Write, form: Form<'a>) -> Self {
        Self { stderr, form }
    }

    /// Returns whether programs listen.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.form.json
    }

    /// Says why something failed that would have changed the machine, and what became of that; returns the exit code.
    pub fn fails(&mut self, failed: &Failed, loaded: Option<&Loaded>) -> u8 {
        let exit = failed.why.signal.map_or(REFUSED, exit_of);
        if self.form.json {
            return self.tells(failed, loaded, exit);
        }
        let text = in_words(failed, loaded);
        let _ = self.stderr.write_all(text.as_bytes());
        exit
    }

    /// Says why something cannot be done that changes nothing; returns the exit code, which is `exit`.
    pub fn refuses(&mut self, failed: &Failed, exit: u8) -> u8 {
        if self.form.json {
            return self.tells(failed, None, exit);
        }
        self.words(&format!("error: {failed}"), &failed.hints);
        exit
    }

    /// Says why something cannot be done that has words of its own for people; returns the exit code, which is `exit`.
    pub fn refuses_as(&mut self, words: &str, failed: &Failed, exit: u8) -> u8 {
        if self.form.json {
            return self.tells(failed, None, exit);
        }
        self.words(words, &failed.hints);
        exit
    }

    fn words(&mut self, words: &str, hints: &[String]) {
        let hints: String = hints.iter().map(|hint| format!("hint: {hint}\n")).collect();
        let _ = self.stderr.write_all(format!("{words}\n{hints}").as_bytes());
    }

    /// Says a failure as the objects of `ip`'s grammar have them; returns the exit code.
    pub fn complains(&mut self, failure: &Failure) -> u8 {
        let failure = failure.clone().with_exit(REFUSED);
        let _ = self.stderr.write_all(&spelled(&failure, Tongue::new(Persona::Vwire, self.form.json)));
        REFUSED
    }

    /// Says what is wrong with a command line, in clap's words; returns the exit code.
    pub fn misses(&mut self, words: &str) -> u8 {
        if !self.form.json {
            let _ = self.stderr.write_all(words.as_bytes());
            return WRONG_LINE;
        }
        let mut parts = words.trim_end().split("\n\n").map(in_one_line);
        let cause = parts.next().unwrap_or_default();
        let hints: Vec<String> = parts.collect();
        let cause = cause.strip_prefix("error: ").unwrap_or(&cause);
        let line = failure::line(&Facts { object: None, cause, hints: &hints, exit: WRONG_LINE, ..self.facts() });
        let _ = self.stderr.write_all(&line);
        WRONG_LINE
    }

    /// Shows what is wrong with a file, or looks wrong.
    pub fn shows(&mut self, problems: &[Problem]) {
        for problem in problems {
            let told = match self.form.json {
                true => self.line_of(problem),
                false => problem.render(has_colour(), width()).into_bytes(),
            };
            let _ = self.stderr.write_all(&told);
        }
    }

    /// Says something that is no failure.
    pub fn says(&mut self, words: &str) {
        let told = match self.form.json {
            true => failure::message_line(words.as_bytes()),
            false => format!("{words}\n").into_bytes(),
        };
        let _ = self.stderr.write_all(&told);
    }

    fn tells(&mut self, failed: &Failed, loaded: Option<&Loaded>, exit: u8) -> u8 {
        for failed in std::iter::once(failed).chain(&failed.why.also) {
            self.tells_one(failed, loaded, exit);
        }
        exit
    }

    fn tells_one(&mut self, failed: &Failed, loaded: Option<&Loaded>, exit: u8) {
        let place = loaded.and_then(|loaded| place_of(&loaded.text, failed.span?));
        let file = loaded.map(|loaded| loaded.path.as_os_str().as_bytes());
        let why = &failed.why;
        let left: &[String] = if let Aftermath::Left(left) = &failed.aftermath { left } else { &[] };
        let line = failure::line(&Facts {
            file,
            line: place.map(|(line, _)| line),
            tried: why.cause.as_ref().map(|_| failed.what.as_str()),
            errno: why.errno,
            error: why.errno.map(errno_name),
            request: why.request.as_deref(),
            kernel: why.kernel.as_deref(),
            cause: why.cause.as_deref().unwrap_or(&failed.what),
            hints: &failed.hints,
            exit,
            lab: self.is_of_labs().then(|| OfLab {
                severity: "error",
                column: place.map(|(_, column)| column),
                changed: failed.aftermath != Aftermath::Unchanged,
                left,
            }),
            ..self.facts()
        });
        let _ = self.stderr.write_all(&line);
    }

    fn line_of(&self, problem: &Problem) -> Vec<u8> {
        let other = problem.other.as_ref().map(|(line, what)| format!("line {line}: {what}"));
        let label = Some(problem.label.clone()).filter(|label| !label.is_empty());
        let hints: Vec<String> = label.into_iter().chain(other).chain(problem.hint.clone()).collect();
        let severity = if problem.severity == Severity::Error { "error" } else { "warning" };
        failure::line(&Facts {
            file: Some(problem.file.as_bytes()),
            line: Some(problem.line),
            cause: &problem.message,
            hints: &hints,
            exit: if problem.severity == Severity::Error { REFUSED } else { 0 },
            lab: Some(OfLab { severity, column: Some(problem.column), changed: false, left: &[] }),
            ..self.facts()
        })
    }

    /// Returns whether it is a lab that the verb is about.
    fn is_of_labs(&self) -> bool {
        !self.form.words.first().is_some_and(|verb| OTHERS.iter().any(|other| verb == other))
    }

    fn facts(&self) -> Facts<'a> {
        let operation = self.form.words.first().and_then(|word| word.to_str());
        Facts {
            object: self.is_of_labs().then_some("lab"),
            operation,
            command: self.form.words.iter().map(|word| word.as_bytes()).collect(),
            ..Facts::default()
        }
    }
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn in_words(failed: &Failed, loaded: Option<&Loaded>) -> String {
    let mut text = match (&failed.aftermath, failed.why.signal) {
        (Aftermath::Unchanged, Some(_)) => format!("{failed}; "),
        _ => format!("error: {failed}\n"),
    };
    push_place(&mut text, failed, loaded);
    for other in &failed.why.also {
        text.push_str(&format!("error: {other}\n"));
        push_place(&mut text, other, loaded);
    }
    match &failed.aftermath {
        Aftermath::Unchanged => text.push_str("nothing was changed\n"),
        Aftermath::Partly => {}
        Aftermath::Left(left) => {
            text.push_str("not all could be undone:\n");
            for one in left {
                text.push_str(&format!("  {one}\n"));
            }
        }
    }
    text
}

/// Adds where the file says what failed, with its line, and what may help.
fn push_place(text: &mut String, failed: &Failed, loaded: Option<&Loaded>) {
    if let (Some(loaded), Some(span)) = (loaded, failed.span)
        && let Some((line, column)) = place_of(&loaded.text, span)
    {
        text.push_str(&format!("  --> {}:{line}:{column}\n", loaded.path.display()));
        text.push_str(&problem::excerpt(&loaded.text, span, width()));
    }
    text.extend(failed.hints.iter().map(|hint| format!("hint: {hint}\n")));
}

/// Returns line and column, from 1, of a part of a file; none where it is no part.
fn place_of(text: &str, span: Span) -> Option<(usize, usize)> {
    if span == Span::default() {
        return None;
    }
    let before = text.get(..span.start)?;
    let line = before.matches('\n').count() + 1;
    Some((line, before.chars().rev().take_while(|letter| *letter != '\n').count() + 1))
}

fn has_colour() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Returns how wide the terminal is, if standard error is one.
pub(super) fn width() -> usize {
    terminal_size::terminal_size_of(io::stderr()).map_or(WIDTH, |(width, _)| usize::from(width.0))
}

/// Breaks lines that are wider than the terminal on standard output; all else goes out as it is.
pub(super) fn fitted(text: &str) -> String {
    let terminal = io::stdout().is_terminal().then(terminal_size::terminal_size).flatten();
    terminal.map_or_else(|| text.to_owned(), |(width, _)| broken(text, usize::from(width.0)))
}

fn broken(text: &str, width: usize) -> String {
    let mut fitted = String::new();
    for line in text.lines() {
        let head = line.len() - line.trim_start().len();
        fitted.push_str(&fit(line, width, &" ".repeat(head + 4)));
        fitted.push('\n');
    }
    fitted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_wide_goes_on_further_in() {
        assert_eq!(broken("a\n  + link add v0\n", 12), "a\n  + link add\n      v0\n");
    }

    #[test]
    fn a_part_of_a_file_has_a_line_and_a_column() {
        assert_eq!(place_of("a\nbc d", Span { start: 5, end: 6 }), Some((2, 4)));
        assert_eq!(place_of("a", Span::default()), None);
        assert_eq!(place_of("a", Span { start: 9, end: 10 }), None);
    }

    #[test]
    fn programs_and_people_are_told_the_same() {
        let failed = Failed::new("cannot make `a`").because(&io::Error::from_raw_os_error(1)).hint("`sudo` may");
        let words = ["up".into(), "a.toml".into()];
        let said = |json| {
            let mut out = Vec::new();
            assert_eq!(Talk::new(&mut out, Form { words: &words, json }).fails(&failed, None), 1);
            String::from_utf8(out).unwrap()
        };
        let people = "error: cannot make `a`: Operation not permitted\nhint: `sudo` may\nnothing was changed\n";
        assert_eq!(said(false), people);
        let programs = "{\"object\":\"lab\",\"operation\":\"up\",\"command\":[\"up\",\"a.toml\"],\"file\":null,\"line\":null,\
            \"tried\":\"cannot make `a`\",\"errno\":1,\"error\":\"EPERM\",\"request\":null,\"kernel\":null,\
            \"attribute\":null,\"missing\":null,\"allowed\":null,\"cause\":\"Operation not permitted\",\
            \"hints\":[\"`sudo` may\"],\"exit\":1,\"severity\":\"error\",\"column\":null,\"changed\":false,\"left\":[]}\n";
        assert_eq!(said(true), programs);
    }
}
