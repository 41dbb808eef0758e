//! Why something with a scoped lab could not be done, told whole: what, why, where in the file, and what may help. Pure.

use std::fmt;
use std::io;

use super::message::Answer;
use crate::lab::failed::{Aftermath, Failed, sentence};
use crate::lab::file::Problem;
use crate::lab::file::problem::located;

/// How wide problems are shown.
const WIDTH: usize = 100;

/// A lab could not be read, brought up or used.
///
/// Its `Debug` is its `Display`, since that is what a test shows that returns it:
///
/// ```
/// let error = vwire::Lab::from_toml("nodes = [\"a\"]\nwires = [\"a -- a2 10.0.0.1/33\"]\n").unwrap_err();
/// assert_eq!(error.problems()[0].line, 2);
/// assert!(format!("{error:?}").contains("--> lab.toml:2:"));
/// ```
#[derive(Clone, PartialEq)]
pub struct Error {
    text: String,
    problems: Vec<Problem>,
    errno: Option<i32>,
}

impl Error {
    /// Makes one of a sentence.
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), problems: Vec::new(), errno: None }
    }

    /// Makes one of a sentence and of what the kernel said.
    pub(super) fn because(text: impl fmt::Display, error: &io::Error) -> Self {
        let errno = error.raw_os_error();
        let cause = errno.map_or_else(|| error.to_string(), sentence);
        Self { text: format!("{text}: {cause}"), problems: Vec::new(), errno }
    }

    /// Makes one of what is wrong with a lab's file.
    pub(super) fn in_file(problems: Vec<Problem>) -> Self {
        Self { text: render(&problems), problems, errno: None }
    }

    /// Makes one of what the engine says, with the place in the file.
    pub(super) fn of(failed: &Failed, text: &str, file: &str) -> Self {
        let problem = failed.span.and_then(|span| located(text, file, span, failed.to_string()));
        let mut told = problem.map_or_else(|| failed.to_string(), |problem| render(&[problem]));
        for hint in &failed.hints {
            told.push_str(&format!("\nhint: {hint}"));
        }
        if let Aftermath::Left(left) = &failed.aftermath {
            told.push_str(&format!("\nnot all could be undone: {}", left.join(", ")));
        }
        Self::new(told)
    }

    /// Adds what may help.
    pub(super) fn hint(mut self, hint: &str) -> Self {
        self.text.push_str(&format!("\nhint: {hint}"));
        self
    }

    /// Returns what an answer says, or why there is none.
    pub(super) fn take(answer: Option<Answer>) -> Result<Vec<String>, Self> {
        match answer {
            Some(Answer::Done(notes)) => Ok(notes),
            Some(Answer::Failed { text, errno }) => Err(Self { text, problems: Vec::new(), errno }),
            Some(Answer::Exited(_)) | None => Err(Self::new("the lab's process said something without a meaning")),
        }
    }

    /// Turns it into an answer.
    pub(super) fn into_answer(self) -> Answer {
        Answer::Failed { text: self.text, errno: self.errno }
    }

    /// Returns what is wrong with the file, if it was the file: each with line and column.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Returns the kernel's number, if it was the kernel that refused.
    #[must_use]
    pub fn raw_os_error(&self) -> Option<i32> {
        self.errno
    }

    /// Returns what sort of error it is, as [`io::Error::kind`] does: `ConnectionRefused`, `TimedOut`, …
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        self.errno.map_or(io::ErrorKind::Other, |errno| io::Error::from_raw_os_error(errno).kind())
    }
}

fn render(problems: &[Problem]) -> String {
    let all: Vec<String> = problems.iter().map(|problem| problem.render(false, WIDTH)).collect();
    let text = all.join("\n");
    text.strip_prefix("error: ").unwrap_or(&text).trim_end().to_owned()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Error {}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        Self::new(error.kind(), error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::model::Span;

    #[test]
    fn what_the_engine_refuses_is_shown_in_the_file_with_its_hint() {
        let failed = Failed::new("cannot make `eth0`").at(Span { start: 9, end: 13 }).hint("another name");
        let told = Error::of(&failed, "name = 1\nwire\n", "lab.toml").to_string();
        assert_eq!(told, "cannot make `eth0`\n --> lab.toml:2:1\n2 | wire\n  | ^^^^\nhint: another name");
    }

    #[test]
    fn the_kind_is_that_of_the_kernels_number() {
        let error = Error::because("cannot connect", &io::Error::from_raw_os_error(nix::libc::ECONNREFUSED));
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(error.to_string(), "cannot connect: Connection refused");
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::ConnectionRefused);
    }
}
