//! Why a lab could not be brought up, changed or taken down, and what became of the machine. Pure.

use std::fmt;
use std::io;

use vwire_netlink::RequestError;

use super::model::Span;

/// A verb on a lab failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// What could not be done: `cannot make \`eth0\` in \`h1\``.
    pub what: String,
    /// Where the file says so.
    pub span: Option<Span>,
    /// The kernel's words.
    pub cause: Option<String>,
    /// What may help, with commands that can be pasted.
    pub hints: Vec<String>,
    /// What became of the machine.
    pub aftermath: Aftermath,
}

/// What became of the machine after a failure.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Aftermath {
    /// Nothing had been changed, or all of it is undone.
    #[default]
    Unchanged,
    /// Some of it could not be undone.
    Left(Vec<String>),
    /// Not all of it could be done; what was done stays.
    Partly,
}

impl Failed {
    /// Makes one of a sentence.
    #[must_use]
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), span: None, cause: None, hints: Vec::new(), aftermath: Aftermath::Unchanged }
    }

    /// Adds the kernel's refusal of a request.
    #[must_use]
    pub fn refused(mut self, error: &RequestError) -> Self {
        let sentence = sentence(error.errno());
        self.cause = Some(match error.message() {
            Some(message) => format!("{sentence} (kernel: {message})"),
            None => sentence,
        });
        self
    }

    /// Adds the kernel's refusal of a system call.
    #[must_use]
    pub fn because(mut self, error: &io::Error) -> Self {
        self.cause = Some(error.raw_os_error().map_or_else(|| error.to_string(), sentence));
        self
    }

    /// Adds the place in the file.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// Adds what may help.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(cause) = &self.cause {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failed {}

/// Returns the C library's sentence for an error number.
#[must_use]
pub fn sentence(errno: i32) -> String {
    let text = io::Error::from_raw_os_error(errno).to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_with_the_kernels_sentence() {
        let failed = Failed::new("cannot enter `a`").because(&io::Error::from_raw_os_error(1));
        assert_eq!(failed.to_string(), "cannot enter `a`: Operation not permitted");
    }
}
