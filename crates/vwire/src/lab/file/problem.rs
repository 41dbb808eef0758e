//! What is wrong with a lab's file, and how it is shown: the place, the line with a mark under it, what would be right. Pure.
//!
//! Readers make a [`Trouble`], which knows a part of the file; the [`Report`] looks up line and column once and keeps
//! the first few as [`Problem`]s, which stand alone. Nothing of the file reaches a terminal unescaped.

use std::fmt::Write as _;

use crate::lab::model::Span;

/// The most problems that are kept; the rest is counted.
pub const MOST_PROBLEMS: usize = 20;

/// The most characters of a line that are kept on either side of what is wrong.
const AROUND: usize = 200;

/// How grave it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, but is probably not what was meant.
    Warning,
}

/// Something wrong with a file, told where.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// How grave it is.
    pub severity: Severity,
    /// The file's name.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The part of the file in bytes.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// What is said under the part of the line: mostly what would be right.
    pub label: String,
    /// What to do.
    pub hint: Option<String>,
    /// Another line that has to do with it, and what.
    pub other: Option<(usize, String)>,
    excerpt: Excerpt,
}

/// A problem that does not stand in the way.
pub type Warning = Problem;

/// The line that is shown, with what is marked in it.
#[derive(Debug, Clone, Default, PartialEq)]
struct Excerpt {
    before: String,
    marked: String,
    after: String,
}

impl Problem {
    /// Returns the problem as text for people, in lines that end in a line feed; `width` is that of the terminal.
    #[must_use]
    pub fn render(&self, colour: bool, width: usize) -> String {
        let paint = |code: &str, text: &str| {
            if colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
        };
        let (word, code) = match self.severity {
            Severity::Error => ("error", "1;31"),
            Severity::Warning => ("warning", "1;33"),
        };
        let gutter = " ".repeat(self.line.to_string().len());
        let bar = paint("34", "|");
        let mut text = format!("{}: {}\n", paint(code, word), clean(&self.message));
        let place = format!("{}:{}:{}", clean(&self.file), self.line, self.column);
        let _ = writeln!(text, "{gutter}{} {place}", paint("34", "-->"));
        let (line, indent, length) = self.excerpt.fit(width.saturating_sub(gutter.len() + 3).max(20));
        let number = paint("34", &self.line.to_string());
        let _ = writeln!(text, "{number} {bar} {line}");
        let marks = format!("{} {}", "^".repeat(length), clean(&self.label));
        let _ = writeln!(text, "{gutter} {bar} {}{}", " ".repeat(indent), paint(code, marks.trim_end()));
        if let Some((line, what)) = &self.other {
            let _ = writeln!(text, "{gutter} = line {line}: {}", clean(what));
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(text, "{gutter} = hint: {}", clean(hint));
        }
        text
    }
}

/// Returns the line of a file with a mark under a part of it, as a problem shows it.
#[must_use]
pub fn excerpt(text: &str, span: Span, width: usize) -> String {
    let shown = Report::new(text, "").locate(Trouble::new(span, ""), Severity::Error).render(false, width);
    shown.split_inclusive('\n').skip(2).collect()
}

impl Excerpt {
    fn of(text: &str, line: Span, span: Span) -> Self {
        let part = |from: usize, to: usize| text.get(from..to.max(from)).unwrap_or_default();
        let end = span.end.min(line.end).max(span.start);
        let mut before: Vec<char> = part(line.start, span.start).chars().rev().take(AROUND).collect();
        before.reverse();
        let before = before.into_iter().collect::<String>();
        let after = part(end, line.end).chars().take(AROUND).collect::<String>();
        let marked = part(span.start, end).chars().take(AROUND).collect::<String>();
        Self { before: clean(&before), marked: clean(&marked), after: clean(&after) }
    }

    /// Returns what fits into `room` columns, with the column and the length of the mark.
    fn fit(&self, room: usize) -> (String, usize, usize) {
        let marked = cut(&self.marked, room.saturating_sub(8));
        let left = room.saturating_sub(columns(&marked)) * 2 / 3;
        let mut before = self.before.clone();
        if columns(&before) > left {
            while columns(&before) > left.saturating_sub(1) && !before.is_empty() {
                before.remove(0);
            }
            before.insert(0, '…');
        }
        let used = columns(&before) + columns(&marked);
        let line = format!("{before}{marked}{}", cut(&self.after, room.saturating_sub(used)));
        (line, columns(&before), columns(&marked).max(1))
    }
}

/// Cuts a text to so many columns, `…` for what is missing.
fn cut(text: &str, room: usize) -> String {
    if columns(text) <= room {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 1;
    for letter in text.chars() {
        used += width_of(letter);
        if used > room {
            break;
        }
        kept.push(letter);
    }
    kept + "…"
}

/// Returns how many columns of a terminal a text takes.
fn columns(text: &str) -> usize {
    text.chars().map(width_of).sum()
}

/// Returns 2 for the letters of East Asia and for pictures, 0 for marks on the letter before, else 1.
fn width_of(letter: char) -> usize {
    match u32::from(letter) {
        0x300..=0x36f | 0x200b..=0x200f | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f => 2,
        0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// Makes visible what would steer a terminal, and tabs one column wide.
fn clean(text: &str) -> String {
    let visible = |letter: char| match u32::from(letter) {
        9 => ' ',
        code @ 0..=0x1f => char::from_u32(0x2400 + code).unwrap_or('�'),
        0x7f => '␡',
        0x80..=0x9f | 0x202a..=0x202e | 0x2066..=0x2069 => '�',
        _ => letter,
    };
    text.chars().map(visible).collect()
}

/// Returns a word of the file as messages quote it: not longer than is of use.
pub(crate) fn quoted(word: &str) -> String {
    format!("`{}`", cut(&clean(word), 48))
}

/// Something wrong with a part of the file, before its line is looked up.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trouble(Box<Said>);

/// What a trouble says, kept out of the way of what is read without any.
#[derive(Debug, Clone, PartialEq)]
struct Said {
    span: Span,
    message: String,
    label: String,
    hint: Option<String>,
    other: Option<(Span, String)>,
}

impl Trouble {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Self {
        Self(Box::new(Said { span, message: message.into(), label: String::new(), hint: None, other: None }))
    }

    /// Says under the mark what would be right.
    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.0.label = label.into();
        self
    }

    /// Says what to do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Names another part of the file that has to do with it.
    pub(crate) fn other(mut self, span: Span, what: impl Into<String>) -> Self {
        self.0.other = Some((span, what.into()));
        self
    }
}

/// Gathers what is wrong with a file.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    text: &'a str,
    file: &'a str,
    errors: Vec<Problem>,
    warnings: Vec<Problem>,
    more: usize,
}

impl<'a> Report<'a> {
    pub(crate) fn new(text: &'a str, file: &'a str) -> Self {
        Self { text, file, errors: Vec::new(), warnings: Vec::new(), more: 0 }
    }

    /// Returns the text of the file.
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// Returns the file's name.
    pub(crate) fn file(&self) -> &'a str {
        self.file
    }

    pub(crate) fn error(&mut self, trouble: Trouble) {
        // One template or counted node that is read many times is wrong once.
        let said = &trouble.0;
        if self.errors.iter().any(|known| known.span.start == said.span.start && known.message == said.message) {
            return;
        }
        if self.errors.len() >= MOST_PROBLEMS {
            self.more += 1;
            return;
        }
        let problem = self.locate(trouble, Severity::Error);
        self.errors.push(problem);
    }

    pub(crate) fn warning(&mut self, trouble: Trouble) {
        if self.warnings.len() >= MOST_PROBLEMS {
            return;
        }
        let problem = self.locate(trouble, Severity::Warning);
        if !self.warnings.iter().any(|known| known.span == problem.span && known.label == problem.label) {
            self.warnings.push(problem);
        }
    }

    /// Reports the trouble of what could not be read.
    pub(crate) fn take<T>(&mut self, read: Result<T, Trouble>) -> Option<T> {
        read.map_err(|trouble| self.error(trouble)).ok()
    }

    /// Counts one more error instead of making its trouble, once no more are kept.
    pub(crate) fn is_full(&mut self) -> bool {
        let full = self.errors.len() >= MOST_PROBLEMS;
        self.more += usize::from(full);
        full
    }

    pub(crate) fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    /// Returns the warnings, or else the errors in the order of the file.
    pub(crate) fn finish(mut self) -> Result<Vec<Warning>, Vec<Problem>> {
        if self.errors.is_empty() {
            self.warnings.sort_by_key(|warning| warning.span.start);
            return Ok(self.warnings);
        }
        self.errors.sort_by_key(|problem| problem.span.start);
        if let (Some(last), more @ 1..) = (self.errors.last_mut(), self.more) {
            let also = last.hint.take().map(|hint| format!("{hint}; ")).unwrap_or_default();
            last.hint = Some(format!("{also}{more} more problems are not shown"));
        }
        Err(self.errors)
    }

    fn locate(&self, Trouble(trouble): Trouble, severity: Severity) -> Problem {
        let start = floor(self.text, trouble.span.start);
        let span = Span { start, end: floor(self.text, trouble.span.end).max(start) };
        let before = self.text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = self.text.get(start..).unwrap_or_default();
        let line_end = rest.find(['\n', '\r']).map_or(self.text.len(), |at| start + at);
        Problem {
            severity,
            file: self.file.to_owned(),
            line: line_of(self.text, start),
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            span,
            message: trouble.message,
            label: trouble.label,
            hint: trouble.hint,
            other: trouble.other.map(|(span, what)| (line_of(self.text, span.start), what)),
            excerpt: Excerpt::of(self.text, Span { start: line_start, end: line_end }, span),
        }
    }
}

/// Returns a problem that came up when the text was read already; none where `span` is no part of it.
pub(crate) fn located(text: &str, file: &str, span: Span, message: String) -> Option<Problem> {
    let report = Report::new(text, file);
    (span != Span::default()).then(|| report.locate(Trouble::new(span, message), Severity::Error))
}

/// Returns the line of a byte, from 1.
fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}

/// Returns the byte at which the letter that holds this byte begins.
fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str, start: usize, end: usize) -> Problem {
        let mut report = Report::new(text, "a.toml");
        report.error(Trouble::new(Span { start, end }, "it is wrong").label("this").hint("write it right"));
        report.finish().unwrap_err().remove(0)
    }

    #[test]
    fn a_problem_names_its_place_and_marks_it() {
        let text = "one = 1\ntwo = two\n";
        let expected =
            "error: it is wrong\n --> a.toml:2:7\n2 | two = two\n  |       ^^^ this\n  = hint: write it right\n";
        assert_eq!(problem(text, 14, 17).render(false, 80), expected);
    }

    #[test]
    fn columns_are_those_that_people_see() {
        let text = "ä = \"宽\" x\n";
        let at = text.find('x').unwrap();
        let problem = problem(text, at, at + 1);
        assert_eq!((problem.line, problem.column), (1, 9));
        assert!(problem.render(false, 80).contains("\n  |          ^ this\n"), "{}", problem.render(false, 80));
    }

    #[test]
    fn a_long_line_is_cut_around_the_mark() {
        let text = format!("{}HERE{}", "a".repeat(5000), "b".repeat(5000));
        let shown = problem(&text, 5000, 5004).render(false, 60);
        assert!(shown.lines().all(|line| line.chars().count() <= 60), "{shown}");
        assert!(shown.contains("aHEREb"), "{shown}");
    }

    #[test]
    fn nothing_of_the_file_steers_the_terminal() {
        let shown = problem("a\u{1b}[2J\0b\u{202e}", 1, 2).render(false, 80);
        assert!(!shown.contains(['\u{1b}', '\0', '\u{202e}']), "{shown:?}");
        assert!(shown.contains("a␛[2J␀b"), "{shown}");
    }

    #[test]
    fn any_part_of_any_text_has_a_place() {
        let text = "é\n\u{1f600}x";
        for start in 0..12 {
            for end in 0..12 {
                let _ = problem(text, start, end).render(true, 1);
            }
        }
    }

    #[test]
    fn what_is_beyond_the_most_is_counted() {
        let text = "x\n".repeat(100);
        let mut report = Report::new(&text, "a.toml");
        for at in 0..50 {
            report.error(Trouble::new(Span { start: at * 2, end: at * 2 + 1 }, "no"));
        }
        let problems = report.finish().unwrap_err();
        assert_eq!(problems.len(), MOST_PROBLEMS);
        assert_eq!(problems.last().unwrap().hint.as_deref(), Some("30 more problems are not shown"));
    }
}
