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
    /// What may help, with commands that can be pasted.
    pub hints: Vec<String>,
    /// What became of the machine.
    pub aftermath: Aftermath,
    /// Why, as far as it is known.
    pub why: Box<Why>,
}

/// Why a verb on a lab failed, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Why {
    /// The kernel's words.
    pub cause: Option<String>,
    /// The kernel's error number.
    pub errno: Option<i32>,
    /// The kernel's own sentence on a request.
    pub kernel: Option<String>,
    /// The request that the kernel refused: `RTM_NEWLINK`.
    pub request: Option<String>,
    /// The signal that asked for the end, where it is that.
    pub signal: Option<i32>,
    /// What else stands in the way at the same time.
    pub also: Vec<Failed>,
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
        let (what, aftermath) = (what.into(), Aftermath::Unchanged);
        Self { what, span: None, hints: Vec::new(), aftermath, why: Box::default() }
    }

    /// Says that a signal asked for the end.
    #[must_use]
    pub fn interrupted(signal: i32) -> Self {
        let why = Box::new(Why { signal: Some(signal), ..Why::default() });
        Self { why, ..Self::new("interrupted") }
    }

    /// Adds the kernel's refusal of a request.
    #[must_use]
    pub fn refused(mut self, error: &RequestError) -> Self {
        let sentence = sentence(error.errno());
        self.why.errno = Some(error.errno());
        self.why.request = Some(error.operation.to_string());
        self.why.kernel = error.message().map(str::to_owned);
        self.why.cause = Some(match error.message() {
            Some(message) => format!("{sentence} (kernel: {message})"),
            None => sentence,
        });
        self
    }

    /// Adds the kernel's refusal of a system call.
    #[must_use]
    pub fn because(mut self, error: &io::Error) -> Self {
        self.why.errno = error.raw_os_error();
        self.because_of(error.raw_os_error().map_or_else(|| error.to_string(), sentence))
    }

    /// Adds why, in words.
    #[must_use]
    pub fn because_of(mut self, cause: impl Into<String>) -> Self {
        self.why.cause = Some(cause.into());
        self
    }

    /// Says that what was done stays, and that it is not all.
    #[must_use]
    pub fn partly(mut self) -> Self {
        self.aftermath = Aftermath::Partly;
        self
    }

    /// Adds the place in the file.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// Makes one of several that stand in the way at once; none of none.
    #[must_use]
    pub fn all(several: Vec<Self>) -> Option<Self> {
        let mut several = several.into_iter();
        let mut first = several.next()?;
        first.why.also = several.collect();
        Some(first)
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
        if let Some(cause) = &self.why.cause {
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
